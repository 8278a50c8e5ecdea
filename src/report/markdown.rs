//! Markdown as GitHub shows it: for a step summary or a comment on a pull request.
//!
//! Whatever a target said stands in code spans and fences that it cannot close, and so can neither format nor link nor call
//! anybody.

use std::io::{self, Write};

use super::{
    Describe, shared,
    shared::{beginning, ending, unexplained, unwaived, visible, visible_line},
};
use crate::{
    corpus::Level,
    verdict::{Conformance, FindingReport, Report, RequirementResult, SnapshotDifference, Verdict},
};

/// How many bytes a step summary may have, less some room. Source: GitHub Docs, "Workflow commands for GitHub Actions", "Step
/// isolation and limits".
pub const STEP_SUMMARY: usize = 1024 * 1024 - 4096;

/// How much of one text is shown.
const MOST_OF_TEXT: usize = 12_000;

/// How much of a text within a line is shown.
const MOST_OF_LINE: usize = 400;

/// Writes a report as Markdown of at most so many bytes. What does not fit is left out, and that is said.
///
/// # Errors
/// When the writer fails.
pub fn write(out: &mut dyn Write, report: &Report, describe: &Describe<'_>, most: usize) -> io::Result<()> {
    let mut page = Page { text: overview(report), most, left_out: 0 };
    for (place, finding) in report.findings.iter().enumerate() {
        let heading = if place == 0 { "### Findings\n\n" } else { "" };
        page.add(&format!("{heading}{}", finding_block(place + 1, finding, describe)));
    }
    for (number, difference) in unexplained(report).enumerate() {
        let heading = if number == 0 { "### Snapshots that differ\n\n" } else { "" };
        page.add(&format!("{heading}{}", snapshot_block(difference)));
    }
    page.add(&all_requirements(report));
    out.write_all(page.finished().as_bytes())
}

/// A text that grows to a limit.
struct Page {
    text: String,
    most: usize,
    left_out: usize,
}

/// Room for the line that says what was left out.
const RESERVE: usize = 300;

impl Page {
    fn add(&mut self, block: &str) {
        if self.text.len() + block.len() + RESERVE <= self.most {
            self.text.push_str(block);
        } else {
            self.left_out += 1;
        }
    }

    fn finished(mut self) -> String {
        if self.left_out > 0 {
            let parts = shared::many(self.left_out as u64, "part does", "parts do");
            self.text.push_str(&format!("> [!NOTE]\n> {parts} not fit in here; `--report html=PATH` writes a report with everything.\n"));
        }
        if self.text.len() > self.most {
            // Not even the overview fits: it is better cut than refused.
            let (text, _) = beginning(&self.text, self.most);
            self.text = text.to_owned();
        }
        self.text
    }
}

fn overview(report: &Report) -> String {
    let target = &report.target;
    let mut text = format!("## {} refundproof: {}\n\n", conformance_mark(report.verdict), report.verdict.as_str());
    text.push_str(&format!(
        "{} {} ({}), {}{}, refundproof {}, seed {}\n\n",
        code(&target.name),
        code(&target.version),
        word(&target.transport),
        report.provider,
        if report.options.live_mode { " (live mode)" } else { "" },
        report.suite.version,
        report.seed
    ));
    if let Some(limits) = shared::limits(report) {
        text.push_str(&format!("{}\n\n", code(&limits)));
    }
    text.push_str(&format!("{}\n\n", shared::summary(report)));
    if let Some(why) = &report.interrupted {
        text.push_str(&format!("> [!WARNING]\n> The run was cut short: {}. What was finished is reported.\n\n", code(why)));
    }
    for remark in &target.remarks {
        text.push_str(&format!("> [!NOTE]\n> {}\n\n", code(remark)));
    }
    if let Some(saved) = shared::saved(report) {
        text.push_str(&format!("Saved cases: {saved}\n\n"));
    }
    if let Some(imported) = shared::imported(report) {
        text.push_str(&format!("Imported cases: {imported}\n\n"));
    }
    for alone in shared::saved_alone(report).chain(shared::imported_failing(report)) {
        text.push_str(&format!("> [!CAUTION]\n> {}\n\n", code(&alone)));
    }
    for problem in shared::list_problems(report) {
        text.push_str(&format!("> [!CAUTION]\n> Known failures: {}\n\n", code(problem)));
    }
    text.push_str("| | Item | Verdict | Requirements |\n| --- | --- | --- | --- |\n");
    for item in &report.items {
        let of_item = report.requirements.iter().filter(|result| result.item == item.id);
        let counts: Vec<String> = shared::counts(of_item).into_iter().map(|(_, words)| words).collect();
        text.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            conformance_mark(item.verdict),
            item.id,
            item.verdict.as_str(),
            counts.join(", ")
        ));
    }
    let snapshots = match (shared::snapshots(report), &report.snapshots.note) {
        (Some(words), None) => words,
        (Some(words), Some(note)) => format!("{words}; {}", cell(note)),
        (None, note) => note.as_deref().map_or(String::new(), cell),
    };
    let mark = match (unwaived(report).count(), report.snapshots.differing.len(), report.snapshots.compared) {
        (0, 0, 0) => "➖",
        (0, 0, _) => "✅",
        (0, ..) => "⚠️",
        _ => "❌",
    };
    text.push_str(&format!("| {mark} | snapshots | | {snapshots} |\n\n"));
    text
}

fn finding_block(number: usize, finding: &FindingReport, describe: &Describe<'_>) -> String {
    let message = shared::message(finding);
    let asked = describe(&finding.about);
    let mut text = format!(
        "<details><summary>{} {number}. <b>{}</b> {}: <code>{}</code></summary>\n\n",
        finding_mark(finding),
        html(&finding.about),
        shared::weight(finding, asked.as_ref()),
        html(beginning(&message, MOST_OF_LINE).0)
    );
    if let Some(asked) = asked {
        text.push_str(&format!("{}\n\nSource: {}\n\n", asked.shows, asked.grounds()));
    }
    if let Some(waived) = &finding.waived {
        text.push_str(&format!("Known: {}\n\n", code(waived)));
    }
    if let Some(like) = &finding.like {
        let links: Vec<String> = like.links.iter().enumerate().map(|(number, link)| format!("[{}](<{link}>)", number + 1)).collect();
        text.push_str(&format!("Behaves like `builtin:fault/{}`; real bugs like this: {} {}\n\n", like.fault, like.name, links.join(" ")));
    }
    if let Some(breaks) = shared::breaks(finding) {
        let others: Vec<String> = finding.also_fails.iter().map(|id| format!("`{id}`")).collect();
        let others = if others.is_empty() { String::new() } else { format!(": {}", others.join(", ")) };
        text.push_str(&format!("{}{others}\n\n", capitalised(&breaks)));
    }
    if let Some(words) = shared::cut_short(finding) {
        text.push_str(&format!("{}\n\n", capitalised(words)));
    }
    if let Some(timeline) = shared::timeline_text(finding) {
        text.push_str(&fence("text", &timeline));
    }
    text.push_str("`-` is what must be, `+` what is shown:\n\n");
    text.push_str(&fence("diff", &visible(&finding.diff)));
    if !finding.stderr.is_empty() {
        text.push_str("The target's standard error:\n\n");
        let stderr = visible(&finding.stderr);
        let (end, missing) = ending(&stderr, MOST_OF_TEXT / 4);
        let mark = if missing > 0 { "…\n" } else { "" };
        text.push_str(&fence("text", &format!("{mark}{end}")));
    }
    if !finding.file.is_empty() {
        text.push_str(&format!("Run it again ({}):\n\n{}", code(&finding.file), fence("sh", &visible(&finding.reproduce))));
    }
    text.push_str("</details>\n\n");
    text
}

fn snapshot_block(difference: &SnapshotDifference) -> String {
    let diff = shared::only_changes(&visible(&difference.diff));
    format!("<details><summary>❌ <b>{}</b></summary>\n\n{}</details>\n\n", html(&difference.name), fence("diff", &diff))
}

fn all_requirements(report: &Report) -> String {
    let mut text = "<details><summary>All requirements</summary>\n\n| | Requirement | Level | Verdict | Findings | Cases | Deliveries | Note |\n| --- | --- | --- | --- | --- | ---: | ---: | --- |\n".to_owned();
    for result in &report.requirements {
        let note = result.note.as_deref().map_or(String::new(), cell);
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} | {} | {note} |\n",
            verdict_mark(result),
            result.id,
            result.level.as_str(),
            shared::verdict_words(result),
            numbers(report, result),
            result.cases,
            result.deliveries
        ));
    }
    text.push_str("\n</details>\n\n");
    text
}

/// The text with a capital at its beginning.
fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

fn numbers(report: &Report, result: &RequirementResult) -> String {
    let numbers = result.findings.iter().filter_map(|id| shared::number(report, id));
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(", ")
}

fn finding_mark(finding: &FindingReport) -> &'static str {
    if finding.waived.is_none() && finding.level == Level::Must { "❌" } else { "⚠️" }
}

fn conformance_mark(verdict: Conformance) -> &'static str {
    match verdict {
        Conformance::Conformant => "✅",
        Conformance::NotConformant => "❌",
        Conformance::NotCertified => "⭕",
        Conformance::NotJudged => "❔",
    }
}

fn verdict_mark(result: &RequirementResult) -> &'static str {
    match result.verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Affected | Verdict::Masked => "❌",
        Verdict::Warn | Verdict::Waived => "⚠️",
        Verdict::Error => "❔",
        Verdict::NotExercised if result.judged && !result.by_claims => "❌",
        Verdict::NotExercised | Verdict::NotApplicable => "➖",
    }
}

/// A name that is usually one plain word; whatever else it is stands in a code span.
fn word(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_plain { text.to_owned() } else { code(text) }
}

/// A text as a code span on one line.
fn code(text: &str) -> String {
    let line = visible_line(text);
    let (line, missing) = beginning(&line, MOST_OF_LINE);
    let mark = if missing > 0 { "…" } else { "" };
    if line.is_empty() {
        return "(none)".to_owned();
    }
    let ticks = "`".repeat(longest_run(line) + 1);
    // The blanks are no part of the span; they keep it apart from backticks of its own.
    format!("{ticks} {line}{mark} {ticks}")
}

/// The same in a table, where a bar would end the cell even in a code span: no punctuation stands for itself.
fn cell(text: &str) -> String {
    let line = visible_line(text);
    let (line, missing) = beginning(&line, MOST_OF_LINE);
    let mark = if missing > 0 { "…" } else { "" };
    let mut out = "<code>".to_owned();
    for character in line.chars() {
        if character.is_ascii_punctuation() {
            out.push_str(&format!("&#{};", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    format!("{out}{mark}</code>")
}

/// A text in a fence that it cannot close.
fn fence(language: &str, text: &str) -> String {
    let (shown, missing) = beginning(text.trim_end(), MOST_OF_TEXT);
    let mark = if missing > 0 { format!("\n… {missing} more bytes") } else { String::new() };
    let ticks = "`".repeat(longest_run(shown).max(2) + 1);
    format!("{ticks}{language}\n{shown}{mark}\n{ticks}\n\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_cannot_be_closed() {
        assert_eq!(code("a"), "` a `");
        assert_eq!(code("a `` b\n`c"), "``` a `` b `c ```");
        assert_eq!(code(" \n"), "(none)");
        assert_eq!(cell("a|b\\*"), "<code>a&#124;b&#92;&#42;</code>");
    }

    #[test]
    fn fences_that_cannot_be_closed() {
        assert_eq!(fence("diff", "a\n```\n</details>\n"), "````diff\na\n```\n</details>\n````\n\n");
        assert!(fence("", &"x".repeat(MOST_OF_TEXT + 1)).contains("\n… 1 more bytes\n"));
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut page = Page { text: "start\n".to_owned(), most: 400, left_out: 0 };
        page.add(&"x".repeat(400));
        page.add("short\n");
        let text = page.finished();
        assert!(text.starts_with("start\nshort\n> [!NOTE]\n> 1 part does not fit"), "{text}");
        assert!(text.len() <= 400);
    }
}
