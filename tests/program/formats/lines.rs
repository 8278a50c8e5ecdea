//! Markdown and annotations.

use refundproof::report::{Format, markdown};

use super::{HOSTILE_REPORT, annotations, describe, example, written};
use crate::common::{certified, quick};

// ---- Markdown

#[test]
fn markdown_to_read() {
    insta::assert_snapshot!("markdown", written(Format::Markdown, &example()));
}

#[test]
fn markdown_of_hostile_text_stays_text() {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let text = written(Format::Markdown, &HOSTILE_REPORT);
    let known: Vec<String> = refundproof::corpus::bug_classes().iter().flat_map(|class| class.links.clone()).collect();
    let mut tables = 0;
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                let mut rest = html.to_string();
                for tag in ["details", "summary", "b", "code"] {
                    rest = rest.replace(&format!("<{tag}>"), "").replace(&format!("</{tag}>"), "");
                }
                assert!(!rest.contains('<'), "{html}");
            }
            Event::Start(Tag::Link { dest_url, .. }) => assert!(known.iter().any(|link| **link == *dest_url), "a link to {dest_url}"),
            Event::Start(Tag::Image { dest_url, .. }) => panic!("an image of {dest_url}"),
            Event::Start(Tag::Heading { .. }) => {}
            Event::Start(Tag::Table(_)) => tables += 1,
            Event::Text(text) => assert!(!text.contains("title=x") || text.contains("::error"), "{text}"),
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough) => panic!("something is emphasised"),
            _ => {}
        }
    }
    assert_eq!(tables, 2, "the overview and the list of requirements");
    assert_eq!(text.matches("<details>").count(), text.lines().filter(|line| line.starts_with("<details>")).count());
}

#[test]
fn markdown_headings_are_our_own() {
    use pulldown_cmark::{Event, Parser, Tag, TagEnd};
    let text = written(Format::Markdown, &HOSTILE_REPORT);
    let mut inside = false;
    let mut headings = String::new();
    for event in Parser::new(&text) {
        match event {
            Event::Start(Tag::Heading { .. }) => inside = true,
            Event::End(TagEnd::Heading(_)) => {
                inside = false;
                headings.push('\n');
            }
            Event::Text(text) if inside => headings.push_str(&text),
            _ => {}
        }
    }
    assert_eq!(headings, "❌ refundproof: not-conformant\nFindings\nSnapshots that differ\n");
}

#[test]
fn a_summary_is_never_larger_than_github_takes() {
    let mut report = HOSTILE_REPORT.clone();
    let large = "x`\n".repeat(400_000);
    for failure in &mut report.findings {
        failure.diff.clone_from(&large);
        failure.stderr.clone_from(&large);
    }
    report.target.name.clone_from(&large);
    assert!(written(Format::Markdown, &report).len() < 1024 * 1024);
    let limited = |most| {
        let mut text = Vec::new();
        markdown::write(&mut text, &report, &describe, most).expect("memory can be written");
        text
    };
    for most in [0, 100, 5_000, 20_000, 100_000] {
        assert!(limited(most).len() <= most, "{most}");
    }
    let text = String::from_utf8(limited(40_000)).expect("UTF-8");
    assert!(text.contains("parts do not fit in here"), "{text}");
}

// ---- annotations

#[test]
fn annotations_to_read() {
    insta::assert_snapshot!("annotations", annotations(&example()));
}

#[test]
fn annotations_of_hostile_text_are_commands_of_our_own() {
    let report = &*HOSTILE_REPORT;
    let text = annotations(report);
    assert!(text.lines().count() >= 2, "{text}");
    for line in text.lines() {
        assert!(["error", "warning", "notice"].iter().any(|kind| line.starts_with(&format!("::{kind} title="))), "{line}");
        let title = line.split_once("title=").and_then(|(_, rest)| rest.split_once("::")).expect("a title").0;
        assert!(!title.contains([':', ',']), "{title}");
    }
    assert!(!text.contains('\r'));
}

#[test]
fn a_clean_run_has_no_annotations() {
    assert_eq!(annotations(&certified(None, &quick(2, 1))), "");
}
