//! Annotations for a run on GitHub Actions, as workflow commands on standard output.
//!
//! Source: GitHub Docs, "Workflow commands for GitHub Actions".

use std::io::{self, Write};

use super::{
    Describe, shared,
    shared::{beginning, counts_against, deciding, list_problems, unwaived, visible, visible_line},
};
use crate::{
    check::verdict::Verdict,
    run::{Report, RequirementResult},
};

/// How many annotations of one kind GitHub shows for one step.
const MOST: usize = 10;

/// How much of a message is said; the log and the summary have the rest.
const MOST_BYTES: usize = 2_000;

/// Writes an annotation for everything that is wrong.
///
/// # Errors
/// When the writer fails.
pub fn write(out: &mut dyn Write, report: &Report, describe: &Describe<'_>) -> io::Result<()> {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    if let Some(why) = &report.interrupted {
        errors.push(("refundproof was cut short".to_owned(), visible_line(why)));
    }
    for result in &report.requirements {
        let title = format!("{} ({}): {}", result.id, result.level.as_str(), shared::verdict_words(result));
        if result.verdict == Verdict::Error || counts_against(report, result) {
            errors.push((title, message(result, describe)));
        } else if result.verdict == Verdict::Warn {
            warnings.push((title, message(result, describe)));
        }
    }
    errors.extend(list_problems(report).iter().map(|problem| ("A known failure".to_owned(), visible_line(problem))));
    if let Some(first) = unwaived(report).next() {
        let title = "States differ from the snapshots".to_owned();
        let count = unwaived(report).count();
        let text = if count == 1 { first.name.clone() } else { format!("{} and {} more", first.name, count - 1) };
        errors.push((title, text));
    }
    commands(out, "error", &errors)?;
    commands(out, "warning", &warnings)
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

fn message(result: &RequirementResult, describe: &Describe<'_>) -> String {
    let mut lines: Vec<String> = describe(&result.id).map(|text| text.shows).into_iter().collect();
    match deciding(result) {
        Some(failure) => {
            lines.push(shared::message(failure));
            if !failure.reproduce.is_empty() {
                lines.push(format!("Run it again: {}", visible(&failure.reproduce)));
            }
        }
        None => lines.extend(result.note.as_deref().map(visible_line)),
    }
    lines.join("\n")
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
