//! JUnit, Markdown, annotations and the page as texts: what stands in them, that hostile text stays text, their limits, and
//! that the same run gives the same bytes.

use std::collections::BTreeMap;

use refundproof::{
    case::Case,
    corpus::RequirementText,
    reference::Fault,
    report::{Format, github, markdown},
    run::Options,
    verdict::{Conformance, KnownFailing, Report, SnapshotDifference, Verdict},
};

use crate::common::{certified, only, provider, quick};

fn describe(id: &str) -> Option<RequirementText> {
    provider().corpus().requirements.iter().find(|text| text.id == id).cloned()
}

fn written(format: Format, report: &Report) -> String {
    let mut text = Vec::new();
    format.write(&mut text, report, &describe).expect("memory can be written");
    String::from_utf8(text).expect("UTF-8")
}

fn annotations(report: &Report) -> String {
    let mut text = Vec::new();
    github::write(&mut text, report, &describe).expect("memory can be written");
    String::from_utf8(text).expect("UTF-8")
}

fn report_of(fault: &str, options: &Options) -> Report {
    let mut report = certified(Some(Fault::from_name(fault).expect("a fault")), options);
    for failure in &mut report.findings {
        failure.file = format!("refundproof-failures/{}.json", failure.case);
        failure.reproduce = format!("refundproof replay {} builtin:fault/{fault}", failure.file);
    }
    report
}

/// Few requirements, one of which fails.
fn small() -> Report {
    let selection = only(&["duplicate-deliveries", "out-of-order-deliveries", "concurrent-deliveries"]);
    without_times(report_of(
        "books-redeliveries",
        &Options::new().with(|options| {
            options.cases = 20;
            options.selection = selection;
        }),
    ))
}

/// A case that does not change when cases are drawn in another way.
const CASE: &str = r#"{
  "schema": "refundproof-case/1", "title": "booked twice", "provider": "digital-river",
  "orders": [{ "orderId": "1234500336", "currency": "USD", "capturedAmount": "27.01", "charges": [{ "id": "charge-1", "capturedAmount": "27.01" }] }],
  "entries": [
    { "deliver": {
        "event": { "id": "event-1", "type": "refund.complete", "orderId": "1234500336", "createdTime": "2022-01-19T10:08:24Z",
          "tells": [{ "refund": { "id": "re_1", "state": "succeeded", "amount": "5.00", "refundedAmount": "5.00" } }] },
        "headers": { "content-type": "application/json" }, "body": "{\"id\":\"event-1\",\"data\":{\"amount\":5.00}}" } },
    { "deliver": {
        "event": { "id": "event-1", "type": "refund.complete", "orderId": "1234500336", "createdTime": "2022-01-19T10:08:24Z",
          "tells": [{ "refund": { "id": "re_1", "state": "succeeded", "amount": "5.00", "refundedAmount": "5.00" } }] },
        "headers": { "content-type": "application/json" }, "body": "{\"id\":\"event-1\",\"data\":{\"amount\":5.00}}", "fault": "redelivery" } }
  ],
  "expect": []
}"#;

/// A small report that stays the same when cases are drawn in another way.
fn example() -> Report {
    let mut report = small();
    report.suite.digest = "0123456789abcdef".to_owned();
    report.suite.version = "1.2.3".to_owned();
    report.target.version = "1.2.3".to_owned();
    report.totals.cases = 25;
    report.totals.deliveries = 600;
    for result in &mut report.requirements {
        (result.cases, result.deliveries) = (12, 300);
        if result.id == "concurrent-deliveries" {
            (result.cases, result.deliveries, result.verdict) = (0, 0, Verdict::NotApplicable);
            result.note = Some("the target does not claim `concurrency`".to_owned());
        }
    }
    for failure in &mut report.findings {
        failure.id = "0123456789abcdef".to_owned();
        failure.case = "duplicate-deliveries-0004".to_owned();
        failure.deliveries = 2;
        failure.message = "refundedAmount is 10.00, must be 5.00".to_owned();
        failure.expected = "status                  partially_refunded\nrefundedAmount          5.00\n".to_owned();
        failure.observed = "status                  partially_refunded\nrefundedAmount          10.00\n".to_owned();
        failure.diff =
            " status                  partially_refunded\n-refundedAmount          5.00\n+refundedAmount          10.00\n".to_owned();
        failure.file = "refundproof-failures/duplicate-deliveries-0004.json".to_owned();
        failure.reproduce = format!("refundproof replay {} -- ./shop", failure.file);
        failure.answers = vec!["200".to_owned(), "200".to_owned()];
        failure.stderr = "booked 5.00\nbooked 5.00\n".to_owned();
        failure.shrunk = Some(Box::new(Case::from_json("example", CASE).expect("a case")));
        failure.entry = Some(1);
    }
    report
}

fn without_times(mut report: Report) -> Report {
    report.totals.duration_ms = 0;
    report.requirements.iter_mut().for_each(|result| result.duration_ms = 0);
    report
}

/// Text that would break out of every format if it were let.
const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u{1b}[31m\u{1b}]0;title\u{7} \0 \u{fffe} ]]> &amp; \" ' \
     ``` ````\n```\n| a | b |\n</details>\n\n# heading\n[link](https://evil.example) <https://evil.example> www.evil.example *b* \\\n\
     ::error title=x::y\r\n%0A::set-output name=x::y\n~~~\n--> \u{202e}turned";

/// Verdicts of every kind, and hostile text wherever a target may bring any in.
fn hostile() -> Report {
    let mut report = without_times(report_of("counts-both-layers", &quick(4, 1)));
    report.target.name = HOSTILE.to_owned();
    report.target.version = HOSTILE.to_owned();
    report.target.capabilities.subscribes = Some(vec![HOSTILE.to_owned()]);
    report.interrupted = Some(HOSTILE.to_owned());
    report.snapshots.note = Some(HOSTILE.to_owned());
    report.snapshots.compared = 2;
    report.snapshots.differing = vec![SnapshotDifference {
        name: "001-unknown-events".to_owned(),
        diff: format!(" same\n-{HOSTILE}\n+{HOSTILE}\n"),
        fingerprint: String::new(),
        because_of: Vec::new(),
        waived: None,
    }];
    let verdicts = [Verdict::Error, Verdict::NotApplicable, Verdict::NotExercised, Verdict::Waived, Verdict::Warn];
    for (result, verdict) in report.requirements.iter_mut().zip(verdicts) {
        result.verdict = verdict;
        result.judged = true;
    }
    for result in &mut report.requirements {
        result.note = Some(HOSTILE.to_owned());
    }
    for failure in &mut report.findings {
        for text in [
            &mut failure.message,
            &mut failure.expected,
            &mut failure.observed,
            &mut failure.stderr,
            &mut failure.file,
            &mut failure.reproduce,
        ] {
            text.push_str(HOSTILE);
        }
        failure.diff = format!("-{HOSTILE}\n+{HOSTILE}\n");
        failure.answers = vec![HOSTILE.to_owned()];
    }
    report
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let options = Options::new().with(|options| {
        options.cases = 8;
        options.seed = 5;
    });
    let one = without_times(report_of("counts-both-layers", &options));
    let other = without_times(report_of("counts-both-layers", &options.with(|options| options.jobs = 3)));
    for &format in Format::ALL {
        assert!(written(format, &one) == written(format, &other), "{} differs", format.name());
    }
    assert_eq!(annotations(&one), annotations(&other));
}

#[test]
fn a_report_that_was_read_back_is_written_too() {
    let report = example();
    let read: Report = serde_json::from_str(&written(Format::Json, &report)).expect("a report");
    assert!(read.findings.iter().all(|finding| finding.shrunk.is_none()));
    for &format in Format::ALL {
        assert!(written(format, &read).contains("refundedAmount is 10.00, must be 5.00"), "{}", format.name());
    }
}

// ---- JUnit

/// What an element may hold and where it may stand.
struct Rule {
    name: &'static str,
    parent: &'static str,
    must: &'static [&'static str],
    may: &'static [&'static str],
    holds_text: bool,
}

const fn rule(name: &'static str, parent: &'static str, must: &'static [&'static str], may: &'static [&'static str]) -> Rule {
    Rule { name, parent, must, may, holds_text: false }
}

const fn text_rule(name: &'static str, may: &'static [&'static str]) -> Rule {
    Rule { name, parent: "testcase", must: &[], may, holds_text: true }
}

/// What the schema of the Jenkins xUnit plugin (`junit-10.xsd`) and that of Surefire both take.
const RULES: [Rule; 10] = [
    rule("testsuites", "", &[], &["name", "time", "tests", "failures", "errors"]),
    rule("testsuite", "testsuites", &["name", "tests", "failures", "errors"], &["time", "skipped"]),
    rule("properties", "testsuite", &[], &[]),
    rule("property", "properties", &["name", "value"], &[]),
    rule("testcase", "testsuite", &["name", "time", "classname"], &[]),
    text_rule("failure", &["type", "message"]),
    text_rule("error", &["type", "message"]),
    text_rule("skipped", &["type", "message"]),
    text_rule("system-out", &[]),
    text_rule("system-err", &[]),
];

/// An element with its attributes and its text.
#[derive(Debug)]
struct Element {
    name: String,
    parent: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

/// Reads XML strictly: whatever is not well-formed or not a character of XML is an error.
#[track_caller]
fn elements(xml: &str) -> Vec<Element> {
    use quick_xml::{Reader, events::Event};
    let legal = |character: char| matches!(character, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(legal), "not XML: {:?}", xml.chars().find(|character| !legal(*character)));
    let mut reader = Reader::from_str(xml);
    reader.config_mut().enable_all_checks(true);
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    loop {
        let event = reader.read_event().expect("well-formed XML");
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.expect("an attribute");
                    let name = String::from_utf8(attribute.key.as_ref().to_vec()).expect("UTF-8");
                    (name, attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).expect("a value").into_owned())
                });
                elements.push(Element {
                    name: String::from_utf8(tag.name().as_ref().to_vec()).expect("UTF-8"),
                    parent: open.last().map_or(String::new(), |parent| elements[*parent].name.clone()),
                    attributes: attributes.collect(),
                    text: String::new(),
                });
                if matches!(event, Event::Start(_)) {
                    open.push(elements.len() - 1);
                }
            }
            Event::End(_) => {
                open.pop();
            }
            Event::Text(text) => {
                if let Some(at) = open.last() {
                    elements[*at].text.push_str(&text.decode().expect("text"));
                }
            }
            Event::GeneralRef(name) => {
                let entity = format!("&{};", std::str::from_utf8(name).expect("UTF-8"));
                let text = quick_xml::escape::unescape(&entity).expect("a known entity").into_owned();
                elements[*open.last().expect("an element")].text.push_str(&text);
            }
            Event::Decl(_) => {}
            Event::Eof => return elements,
            other => panic!("{other:?} has no place in a report"),
        }
    }
}

#[track_caller]
fn check_junit(report: &Report) -> Vec<Element> {
    let elements = elements(&written(Format::Junit, report));
    for element in &elements {
        let name = &element.name;
        let Some(rule) = RULES.iter().find(|rule| rule.name == name) else { panic!("<{name}> is not in the schema") };
        assert_eq!(rule.parent, element.parent, "where <{name}> stands");
        for attribute in rule.must {
            assert!(element.attributes.contains_key(*attribute), "<{name}> has no {attribute}");
        }
        for (attribute, value) in &element.attributes {
            assert!(rule.must.iter().chain(rule.may).any(|known| known == attribute), "<{name}> has {attribute}");
            if attribute == "time" {
                let (whole, part) = value.split_once('.').expect("seconds with a fraction");
                assert!(whole.parse::<u64>().is_ok() && part.len() == 3 && part.parse::<u64>().is_ok(), "{value}");
            }
        }
        assert!(rule.holds_text || element.text.trim().is_empty(), "<{name}> holds {:?}", element.text);
    }
    check_counts(&elements);
    elements
}

/// The counts of a suite are those of its test cases.
#[track_caller]
fn check_counts(elements: &[Element]) {
    let number = |element: &Element, name: &str| element.attributes[name].parse::<usize>().expect("a number");
    let starts: Vec<usize> = (0..elements.len()).filter(|at| elements[*at].name == "testsuite").collect();
    for (number_of_suite, start) in starts.iter().enumerate() {
        let end = starts.get(number_of_suite + 1).copied().unwrap_or(elements.len());
        let count = |name: &str| elements[*start..end].iter().filter(|element| element.name == name).count();
        for (attribute, name) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")] {
            assert_eq!(number(&elements[*start], attribute), count(name), "{attribute} of {:?}", elements[*start].attributes);
        }
    }
    for attribute in ["tests", "failures", "errors"] {
        let sum: usize = starts.iter().map(|start| number(&elements[*start], attribute)).sum();
        assert_eq!(number(&elements[0], attribute), sum);
    }
}

#[test]
fn junit_of_a_clean_run() {
    let elements = check_junit(&certified(None, &quick(2, 1)));
    assert!(!elements.iter().any(|element| element.name == "failure" || element.name == "error"));
}

#[test]
fn junit_of_failures() {
    let elements = check_junit(&example());
    let failure = elements.iter().find(|element| element.name == "failure").expect("a failure");
    assert_eq!(failure.attributes["message"], "after 2: refundedAmount is 10.00, must be 5.00");
    for part in
        ["source: ", "2 refund.complete  [redelivery]  → 200", "-refundedAmount ", "again: refundproof replay refundproof-failures/"]
    {
        assert!(failure.text.contains(part), "no {part:?} in {}", failure.text);
    }
}

#[test]
fn junit_of_hostile_text() {
    let report = hostile();
    let elements = check_junit(&report);
    let count = |name: &str| elements.iter().filter(|element| element.name == name).count();
    // One for the adapter, one for the run that was cut short.
    assert_eq!(count("error"), 2);
    let failing = report.requirements.iter().filter(|result| result.verdict == Verdict::Fail).count();
    assert_eq!(count("failure"), failing + report.snapshots.differing.len());
    let error = elements.iter().find(|element| element.name == "error").expect("an error");
    assert!(error.attributes["message"].contains("␛[31m␛]0;title␇ ␀ ‹U+FFFE›"), "{}", error.attributes["message"]);
}

#[test]
fn what_is_waived_or_not_reached_is_skipped_with_its_reason() {
    let mut report = example();
    let failing = report.requirements.iter_mut().find(|result| result.verdict == Verdict::Fail).expect("a failing one");
    failing.verdict = Verdict::Waived;
    failing.note = Some("until the ledger is rebuilt".to_owned());
    let elements = check_junit(&report);
    let skipped: Vec<&str> =
        elements.iter().filter(|element| element.name == "skipped").map(|element| element.attributes["message"].as_str()).collect();
    assert!(skipped.contains(&"waived: until the ledger is rebuilt"), "{skipped:?}");
    assert!(!elements.iter().any(|element| element.name == "failure"));
}

/// A list of known failures that is partly right, as a run with it reports it.
fn with_a_list(problems: &[&str]) -> Report {
    let mut report = certified(None, &quick(4, 1));
    let difference = |name: &str, waived: Option<&str>| SnapshotDifference {
        name: name.to_owned(),
        diff: "-refunded\n+open\n".to_owned(),
        fingerprint: "0123456789abcdef".to_owned(),
        because_of: Vec::new(),
        waived: waived.map(str::to_owned),
    };
    report.snapshots.differing = vec![difference("001-unknown-events", Some("accepted until 2031-01-01: rebuilt soon"))];
    report.known_failing = Some(KnownFailing {
        file: "known.toml".to_owned(),
        digest: "0123456789abcdef".to_owned(),
        problems: problems.iter().map(|problem| (*problem).to_owned()).collect(),
    });
    report
}

#[test]
fn accepted_snapshots_are_no_failures() {
    let report = with_a_list(&[]);
    let elements = check_junit(&report);
    assert!(!elements.iter().any(|element| element.name == "failure"));
    assert!(elements.iter().any(|element| element.attributes.get("message").is_some_and(|text| text.contains("rebuilt soon"))));
    assert_eq!(annotations(&report), "");
    assert!(!written(Format::Markdown, &report).contains("❌"));
    assert!(written(Format::Html, &report).contains("data-verdict=\"waived\" data-what=\"snapshot\""));
}

#[test]
fn what_is_wrong_with_the_list_is_in_every_report() {
    const PROBLEM: &str = "known.toml: line 3: duplicate-deliveries passes now; take the entry out";
    let report = with_a_list(&[PROBLEM]);
    for &format in Format::ALL {
        assert!(written(format, &report).contains(PROBLEM), "{}", format.name());
    }
    assert_eq!(annotations(&report), format!("::error title=A known failure::{PROBLEM}\n"));
    let failures = check_junit(&report).into_iter().filter(|element| element.name == "failure").count();
    assert_eq!(failures, 1);
}

#[test]
fn junit_to_read() {
    insta::assert_snapshot!("junit", written(Format::Junit, &example()));
}

// ---- Markdown

#[test]
fn markdown_to_read() {
    insta::assert_snapshot!("markdown", written(Format::Markdown, &example()));
}

#[test]
fn markdown_of_hostile_text_stays_text() {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let text = written(Format::Markdown, &hostile());
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
    let text = written(Format::Markdown, &hostile());
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
    let mut report = hostile();
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
    let report = hostile();
    let text = annotations(&report);
    assert!(text.lines().count() >= 2, "{text}");
    for line in text.lines() {
        assert!(line.starts_with("::error title=") || line.starts_with("::warning title="), "{line}");
        let title = line.split_once("title=").and_then(|(_, rest)| rest.split_once("::")).expect("a title").0;
        assert!(!title.contains([':', ',']), "{title}");
    }
    assert!(!text.contains('\r'));
}

#[test]
fn a_clean_run_has_no_annotations() {
    assert_eq!(annotations(&certified(None, &quick(2, 1))), "");
}

// ---- the page

#[test]
fn hostile_text_is_escaped_on_the_page() {
    let text = written(Format::Html, &hostile());
    assert_eq!(text.matches("<script").count(), 1);
    assert_eq!(text.matches("</script").count(), 1);
    assert_eq!(text.matches("<img").count(), 0);
    assert!(!text.contains(['\0', '\u{1b}', '\u{7}', '\u{fffe}', '\u{202e}']));
    assert!(text.contains("alert(1)"), "what was said is still to be read");
}

#[test]
fn the_page_needs_no_network() {
    let text = written(Format::Html, &small());
    for part in ["src=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest", "style="] {
        assert!(!text.contains(part), "{part}");
    }
    assert!(text.contains("default-src &#39;none&#39;; style-src &#39;sha256-"));
}

#[test]
fn no_signature_stands_on_the_page() {
    let text = written(Format::Html, &report_of("unsigned-accepted", &Options::new().with(|options| options.cases = 20)));
    assert!(!text.to_lowercase().contains("digitalriver-signature"));
    assert!(text.contains("<dt>signature</dt>"));
}

#[test]
fn the_page_of_many_failures_is_small() {
    // Nothing is shrunk, so that cases are as long as they get, and the target said a lot.
    let mut report = report_of("counts-both-layers", &quick(100, 1));
    assert!(report.requirements.iter().filter(|result| !result.findings.is_empty()).count() >= 20);
    for failure in &mut report.findings {
        failure.stderr = "<trouble> & \"more\"\n".repeat(100_000);
        failure.diff = failure.stderr.clone();
        failure.observed = failure.stderr.clone();
    }
    let text = written(Format::Html, &report);
    assert!(text.len() < 2_000_000, "{} bytes", text.len());
    assert!(text.contains("so that this page stays small"), "what is cut is said");
}

#[test]
fn every_requirement_is_on_the_page() {
    let report = certified(None, &quick(2, 1));
    let text = written(Format::Html, &report);
    assert_eq!(report.verdict, Conformance::Conformant);
    assert_eq!(text.matches("data-what=\"requirement\"").count(), report.requirements.len());
    assert!(!text.contains("id=\"findings\""));
}
