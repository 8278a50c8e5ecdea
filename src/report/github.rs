//! Annotations for a run on GitHub Actions, as workflow commands on standard output.
//!
//! Source: GitHub Docs, "Workflow commands for GitHub Actions".

use std::io::{self, Write};

use super::{
    Describe, shared,
    shared::{beginning, counts_against, list_problems, unexplained, visible, visible_line},
};
use crate::{
    corpus::Level,
    verdict::{FindingReport, Report, RequirementResult, Verdict},
};

/// How many annotations of one kind GitHub shows for one step.
const MOST: usize = 10;

/// How much of a message is said; the log and the summary have the rest.
const MOST_BYTES: usize = 2_000;

/// Writes an annotation for each finding, and for whatever else is wrong.
///
/// # Errors
/// When the writer fails.
pub fn write(out: &mut dyn Write, report: &Report, describe: &Describe<'_>) -> io::Result<()> {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    if let Some(why) = &report.interrupted {
        errors.push(("refundproof was cut short".to_owned(), visible_line(why)));
    }
    for finding in report.findings.iter().filter(|finding| finding.waived.is_none()) {
        let title = visible_line(&format!(
            "{} ({}): {}",
            finding.about,
            shared::weight(finding, describe(&finding.about).as_ref()),
            finding.message
        ));
        let list = if finding.level == Level::Must || report.options.strict { &mut errors } else { &mut warnings };
        list.push((title, message(finding, describe)));
    }
    for result in report.requirements.iter().filter(|result| result.findings.is_empty()) {
        if result.verdict == Verdict::Error || counts_against(report, result) {
            let title = format!("{} ({}): {}", visible_line(&result.id), result.level.as_str(), shared::verdict_words(result));
            errors.push((title, note(result, describe)));
        }
    }
    errors.extend(shared::saved_alone(report).map(|line| ("A saved case still fails".to_owned(), line)));
    errors.extend(shared::imported_failing(report).map(|line| ("An imported case fails".to_owned(), line)));
    errors.extend(list_problems(report).iter().map(|problem| ("A known failure".to_owned(), visible_line(problem))));
    if let Some(first) = unexplained(report).next() {
        let title = "States differ from the snapshots".to_owned();
        let count = unexplained(report).count();
        let name = visible_line(&first.name);
        let text = if count == 1 { name } else { format!("{name} and {} more", count - 1) };
        errors.push((title, text));
    }
    let remarks: Vec<_> = report.target.remarks.iter().map(|remark| ("About the target".to_owned(), visible_line(remark))).collect();
    commands(out, "error", &errors)?;
    commands(out, "warning", &warnings)?;
    commands(out, "notice", &remarks)
}

/// Says that what follows is text and no command, until [`resume`] is called with the same token. Without this a target could
/// give commands to the runner through whatever of it is printed.
///
/// # Errors
/// When the writer fails.
pub fn pause(out: &mut dyn Write, token: &str) -> io::Result<()> {
    writeln!(out, "::stop-commands::{token}")
}

/// Ends what [`pause`] began.
///
/// # Errors
/// When the writer fails.
pub fn resume(out: &mut dyn Write, token: &str) -> io::Result<()> {
    writeln!(out, "::{token}::")
}

fn message(finding: &FindingReport, describe: &Describe<'_>) -> String {
    let asked = describe(&finding.about);
    let mut lines: Vec<String> = asked.into_iter().flat_map(|text| [text.shows.clone(), format!("Source: {}", text.grounds())]).collect();
    lines.push(shared::message(finding));
    lines.extend(shared::breaks(finding));
    lines.extend(shared::cut_short(finding).map(str::to_owned));
    if !finding.reproduce.is_empty() {
        lines.push(format!("Run it again: {}", visible(&finding.reproduce)));
    }
    lines.join("\n")
}

fn note(result: &RequirementResult, describe: &Describe<'_>) -> String {
    let asked = describe(&result.id).map(|text| text.shows);
    asked.into_iter().chain(result.note.as_deref().map(visible_line)).collect::<Vec<_>>().join("\n")
}

fn commands(out: &mut dyn Write, command: &str, annotations: &[(String, String)]) -> io::Result<()> {
    // The last one that is shown says how many are not.
    let shown = if annotations.len() > MOST { MOST - 1 } else { annotations.len() };
    for (title, text) in &annotations[..shown] {
        let (text, missing) = beginning(text, MOST_BYTES);
        let mark = if missing > 0 { " …" } else { "" };
        writeln!(out, "::{command} title={}::{}", property(title), data(&format!("{text}{mark}")))?;
    }
    if annotations.len() > shown {
        let more = property(&format!("and {} more", annotations.len() - shown));
        writeln!(out, "::{command} title={more}::The log and the summary of this step have them all.")?;
    }
    Ok(())
}

/// What the message of a command may not hold as it is.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What the value of a property may not hold as it is.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(annotations: &[(&str, &str)], written: &str) {
        let annotations: Vec<(String, String)> = annotations.iter().map(|(title, text)| ((*title).into(), (*text).into())).collect();
        let mut out = Vec::new();
        commands(&mut out, "error", &annotations).expect("memory can be written");
        assert_eq!(String::from_utf8(out).expect("UTF-8"), written);
    }

    #[test]
    fn nothing_breaks_out_of_a_command() {
        check(&[("a: b, c%", "100%\r\n::error::x")], "::error title=a%3A b%2C c%25::100%25%0D%0A::error::x\n");
    }

    #[test]
    fn as_many_as_are_shown() {
        let mut lines: String = (0..MOST - 1).map(|_| "::error title=t::x\n").collect();
        lines.push_str("::error title=and 2 more::The log and the summary of this step have them all.\n");
        check(&[("t", "x"); MOST + 1], &lines);
        check(&[("t", "x"); MOST], &"::error title=t::x\n".repeat(MOST));
    }
}
