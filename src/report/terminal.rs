//! What a person sees: the table of requirements, and each failure as a story.

use std::io::{self, Write};

use super::{
    style::{BAD, FAINT, GOOD, ODD, STRONG, cut, paint, wrap},
    timeline,
};
use crate::{
    adapter::Capabilities,
    check::verdict::{Conformance, Verdict},
    corpus::RequirementText,
    run::{FailureReport, Report, RequirementResult, Totals},
};

/// How much is shown, and on how wide a screen.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Columns of the terminal.
    pub columns: usize,
    /// Only what is wrong, and the verdict.
    pub quiet: bool,
}

/// How many differing snapshots are shown: a target that gets one wrong tends to get many wrong, in the same way.
const MOST_SNAPSHOTS: usize = 3;

const SHARD: &str = "a shard says only whether anything in it failed; `refundproof merge` judges the whole";

/// Writes the whole report. `describe` knows what each requirement asks.
///
/// # Errors
/// When the writer fails.
pub fn write(out: &mut dyn Write, report: &Report, view: View, describe: &dyn Fn(&str) -> Option<RequirementText>) -> io::Result<()> {
    if !view.quiet {
        heading(out, report, view)?;
        for item in &report.items {
            writeln!(out)?;
            writeln!(out, "{}  {}", paint(STRONG, &item.id), conformance(item.verdict))?;
            for requirement in report.requirements.iter().filter(|requirement| requirement.item == item.id) {
                requirement_lines(out, requirement, view)?;
            }
        }
        writeln!(out)?;
        snapshot_line(out, report)?;
    }
    // A known failure has its line in the table; nobody wants to read its story every day.
    for requirement in report.requirements.iter().filter(|requirement| requirement.verdict != Verdict::Waived) {
        for failure in &requirement.failures {
            writeln!(out)?;
            failure_lines(out, requirement, failure, view, describe(&requirement.id).as_ref())?;
        }
    }
    let differing: Vec<_> = report.snapshots.differing.iter().filter(|difference| difference.waived.is_none()).collect();
    for difference in differing.iter().take(MOST_SNAPSHOTS) {
        writeln!(out)?;
        writeln!(out, "{} snapshot {}", paint(BAD, "✗"), paint(STRONG, &difference.name))?;
        diff_lines(out, &only_changes(&difference.diff))?;
    }
    if differing.len() > MOST_SNAPSHOTS {
        writeln!(out, "\n  … and {} more snapshots that differ; `--report json=PATH` has them all", differing.len() - MOST_SNAPSHOTS)?;
    }
    if !view.quiet || !report.requirements.iter().all(|requirement| requirement.failures.is_empty()) {
        writeln!(out)?;
    }
    verdict_lines(out, report, view)
}

fn heading(out: &mut dyn Write, report: &Report, view: View) -> io::Result<()> {
    let shard = report.shard.as_ref().map(|shard| format!(" · shard {shard}")).unwrap_or_default();
    writeln!(out, "refundproof {} · {} · seed {}{shard}", report.suite.version, report.provider, report.seed)?;
    writeln!(out, "target  {} {} ({})", paint(STRONG, &report.target.name), report.target.version, report.target.transport)?;
    for line in wrap(&claims(&report.target.capabilities), view.columns.saturating_sub(8)) {
        writeln!(out, "        {}", paint(FAINT, &line))?;
    }
    Ok(())
}

fn claims(capabilities: &Capabilities) -> String {
    let mut claims = Vec::new();
    if !capabilities.observes.is_empty() {
        let names: Vec<String> =
            capabilities.observes.iter().filter_map(|name| serde_json::to_value(name).ok()?.as_str().map(str::to_owned)).collect();
        claims.push(format!("shows {}", names.join(", ")));
    }
    for (claimed, words) in [
        (capabilities.verifies_signatures, "verifies signatures"),
        (capabilities.initiates_refunds, "makes refunds itself"),
        (capabilities.durable, "durable"),
        (capabilities.asynchronous, "asynchronous"),
    ] {
        if claimed {
            claims.push(words.to_owned());
        }
    }
    if let Some(subscribes) = &capabilities.subscribes {
        claims.push(format!("subscribes to {}", subscribes.join(", ")));
    }
    if capabilities.concurrency > 1 {
        claims.push(format!("takes {} deliveries at once", capabilities.concurrency));
    }
    if claims.is_empty() { "claims nothing beyond status and refunded amount".to_owned() } else { claims.join("; ") }
}

fn conformance(verdict: Conformance) -> String {
    let style = match verdict {
        Conformance::Conformant => GOOD,
        Conformance::NotConformant => BAD,
        Conformance::NotJudged => ODD,
    };
    paint(style, verdict.as_str())
}

fn mark(requirement: &RequirementResult) -> String {
    match requirement.verdict {
        Verdict::Pass => paint(GOOD, "✓"),
        Verdict::Fail => paint(BAD, "✗"),
        Verdict::Warn | Verdict::Waived => paint(ODD, "!"),
        Verdict::Error => paint(ODD, "?"),
        Verdict::NotExercised if requirement.judged => paint(BAD, "○"),
        Verdict::NotExercised | Verdict::NotApplicable => paint(FAINT, "–"),
    }
}

fn requirement_lines(out: &mut dyn Write, requirement: &RequirementResult, view: View) -> io::Result<()> {
    let level = format!("{:<6}", requirement.level.as_str());
    // Wide enough for the longest id, so that columns line up.
    let id = format!("{:<42}", requirement.id);
    let numbers = match requirement.verdict {
        Verdict::Pass | Verdict::Fail | Verdict::Warn | Verdict::Waived => {
            let cases = if requirement.cases == 1 { "case " } else { "cases" };
            format!("{:>4} {cases} {:>6} deliveries", requirement.cases, requirement.deliveries)
        }
        other => other.as_str().to_owned(),
    };
    let line = format!("{id} {level}");
    if view.columns >= 80 {
        writeln!(out, "  {} {line} {}", mark(requirement), paint(FAINT, &numbers))?;
    } else {
        writeln!(out, "  {} {}", mark(requirement), cut(&requirement.id, view.columns.saturating_sub(4)))?;
        writeln!(out, "      {}", paint(FAINT, &format!("{} · {}", requirement.level.as_str(), numbers.trim())))?;
    }
    if let Some(note) = requirement.note.as_ref().filter(|_| requirement.judged) {
        for line in wrap(note, view.columns.saturating_sub(6)) {
            writeln!(out, "      {}", paint(FAINT, &line))?;
        }
    }
    Ok(())
}

fn snapshot_line(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let snapshots = &report.snapshots;
    let waived = snapshots.differing.iter().filter(|difference| difference.waived.is_some()).count();
    let compared = snapshots.compared;
    let text = match (&snapshots.note, snapshots.differing.len()) {
        (Some(note), _) => paint(FAINT, note),
        (None, 0) => paint(GOOD, &format!("{compared} compared, none differs")),
        (None, differing) if waived == differing => paint(ODD, &format!("{compared} compared, {differing} differ as is known")),
        (None, differing) if waived > 0 => paint(BAD, &format!("{compared} compared, {differing} differ, {waived} of them as is known")),
        (None, differing) => paint(BAD, &format!("{compared} compared, {differing} differ")),
    };
    writeln!(out, "{}  {text}", paint(STRONG, "snapshots"))
}

/// Writes one failure: what was asked, what was sent, what came of it, how to see it again.
///
/// # Errors
/// When the writer fails.
pub fn failure_lines(
    out: &mut dyn Write,
    requirement: &RequirementResult,
    failure: &FailureReport,
    view: View,
    text: Option<&RequirementText>,
) -> io::Result<()> {
    let style = if requirement.verdict == Verdict::Fail { BAD } else { ODD };
    writeln!(out, "{} {} {}", paint(style, "✗"), paint(STRONG, &requirement.id), requirement.level.as_str())?;
    if let Some(text) = text {
        for line in wrap(&text.shows, view.columns.saturating_sub(2)) {
            writeln!(out, "  {line}")?;
        }
    }
    labelled(out, "source", &requirement.source, view)?;
    if let Some(resembles) = &failure.resembles {
        labelled(out, "like", &format!("{} ({})", resembles.name, resembles.class), view)?;
        for link in &resembles.links {
            writeln!(out, "            {}", paint(FAINT, link))?;
        }
    }
    writeln!(out)?;
    if let Some(case) = &failure.shrunk {
        timeline::write(out, case, Some(&failure.answers), view.columns)?;
        let place = match failure.entry {
            Some(entry) => format!("after {}", deliveries_until(case, entry)),
            None => "when everything had been delivered".to_owned(),
        };
        writeln!(out)?;
        for (number, line) in wrap(&format!("{place}: {}", failure.message), view.columns.saturating_sub(2)).iter().enumerate() {
            match line.strip_prefix(place.as_str()).filter(|_| number == 0) {
                Some(rest) => writeln!(out, "  {}{}", paint(STRONG, &place), paint(style, rest))?,
                None => writeln!(out, "  {}", paint(style, line))?,
            }
        }
    }
    comparison(out, failure, view)?;
    if !failure.stderr.is_empty() {
        writeln!(out, "  {}", paint(STRONG, "standard error of the target"))?;
        let lines: Vec<&str> = failure.stderr.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(8)) {
            writeln!(out, "  │ {}", cut(line, view.columns.saturating_sub(4)))?;
        }
    }
    if !failure.file.is_empty() {
        // Commands and paths are pasted: they are never cut or broken.
        writeln!(out, "  {:<9} {}", paint(FAINT, "case     "), failure.file)?;
        writeln!(out, "  {:<9} {}", paint(FAINT, "again    "), failure.reproduce)?;
    }
    Ok(())
}

/// How many deliveries had been sent when the entry was done.
fn deliveries_until(case: &crate::case::Case, entry: usize) -> usize {
    use crate::case::Act;
    let count = |entry: &crate::case::Entry| match &entry.act {
        Act::Deliver(_) => 1,
        Act::Together(deliveries) => deliveries.len(),
        Act::Initiate(_) | Act::Restart => 0,
    };
    case.entries.iter().take(entry + 1).map(count).sum()
}

fn labelled(out: &mut dyn Write, label: &str, text: &str, view: View) -> io::Result<()> {
    for (number, line) in wrap(text, view.columns.saturating_sub(12)).iter().enumerate() {
        let label = if number == 0 { label } else { "" };
        writeln!(out, "  {} {line}", paint(FAINT, &format!("{label:<9}")))?;
    }
    Ok(())
}

/// Expected and shown side by side where there is room for it, else as a diff.
fn comparison(out: &mut dyn Write, failure: &FailureReport, view: View) -> io::Result<()> {
    let rows = rows(&failure.expected, &failure.observed);
    let name = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0).max(8);
    let left = rows.iter().map(|row| row.1.chars().count()).max().unwrap_or(0).max(8);
    let right = rows.iter().map(|row| row.2.chars().count()).max().unwrap_or(0).max(5);
    if failure.kind != "state" || 8 + name + left + right > view.columns {
        return diff_lines(out, &failure.diff);
    }
    writeln!(out, "    {}", paint(FAINT, &format!("{:name$}  {:left$}  {}", "", "must be", "shows")))?;
    for (field, expected, shown) in rows {
        let line = format!("{field:name$}  {expected:left$}  {shown}");
        if expected == shown {
            writeln!(out, "    {line}")?;
        } else {
            writeln!(out, "  {} {field:name$}  {}  {}", paint(BAD, "≠"), paint(GOOD, &format!("{expected:left$}")), paint(BAD, &shown))?;
        }
    }
    Ok(())
}

/// The lines of two state texts, matched by their first word (refunds by their id).
fn rows(expected: &str, shown: &str) -> Vec<(String, String, String)> {
    let parse = |text: &str| -> Vec<(String, String)> {
        let parts = text.lines().map(|line| line.split_once(' ').unwrap_or((line, "")));
        parts
            .map(|(name, value)| {
                let value = value.trim();
                match (name, value.split_once(' ')) {
                    ("refund", Some((id, rest))) => (format!("refund {id}"), rest.to_owned()),
                    _ => (name.to_owned(), value.to_owned()),
                }
            })
            .collect()
    };
    let (expected, shown) = (parse(expected), parse(shown));
    let find = |list: &[(String, String)], name: &str| {
        list.iter().find(|(other, _)| other == name).map_or("-".to_owned(), |(_, value)| value.clone())
    };
    let mut rows: Vec<_> = expected.iter().map(|(name, value)| (name.clone(), value.clone(), find(&shown, name))).collect();
    for (name, value) in &shown {
        if !expected.iter().any(|(other, _)| other == name) {
            rows.push((name.clone(), "-".to_owned(), value.clone()));
        }
    }
    rows
}

/// Writes a diff in colours.
///
/// # Errors
/// When the writer fails.
pub fn diff_lines(out: &mut dyn Write, diff: &str) -> io::Result<()> {
    for line in diff.lines() {
        let style = match line.as_bytes().first() {
            Some(b'-') => GOOD,
            Some(b'+') => BAD,
            _ => FAINT,
        };
        // Never cut: the difference may be at the end.
        writeln!(out, "    {}", paint(style, line))?;
    }
    Ok(())
}

/// A diff without the long stretches that are the same.
pub(crate) fn only_changes(diff: &str) -> String {
    const CONTEXT: usize = 2;
    let lines: Vec<&str> = diff.lines().collect();
    let changed: Vec<usize> = (0..lines.len()).filter(|&line| !lines[line].starts_with(' ')).collect();
    let near = |line: usize| changed.iter().any(|&change| line.abs_diff(change) <= CONTEXT);
    let mut out = String::new();
    let mut skipped = false;
    for (number, line) in lines.iter().enumerate() {
        if near(number) {
            out.push_str(line);
            out.push('\n');
            skipped = false;
        } else if !skipped {
            out.push_str(" …\n");
            skipped = true;
        }
    }
    out
}

fn verdict_lines(out: &mut dyn Write, report: &Report, view: View) -> io::Result<()> {
    let count =
        |verdict: Verdict| report.requirements.iter().filter(|requirement| requirement.verdict == verdict && requirement.judged).count();
    let mut parts: Vec<String> = [
        (Verdict::Pass, "passed"),
        (Verdict::Fail, "failed"),
        (Verdict::Warn, "warned"),
        (Verdict::Waived, "waived"),
        (Verdict::Error, "in error"),
        (Verdict::NotExercised, "not exercised"),
        (Verdict::NotApplicable, "not applicable"),
    ]
    .into_iter()
    .map(|(verdict, words)| (count(verdict), words))
    .filter(|(count, _)| *count > 0)
    .map(|(count, words)| format!("{count} {words}"))
    .collect();
    let unjudged = report.requirements.iter().filter(|requirement| !requirement.judged).count();
    if unjudged > 0 {
        parts.push(format!("{unjudged} not judged by this version"));
    }
    if let Some(interrupted) = &report.interrupted {
        let text = format!("cut short: {interrupted}; what was finished is reported");
        for (number, line) in wrap(&text, view.columns.saturating_sub(2)).iter().enumerate() {
            let mark = if number == 0 { paint(ODD, "!") } else { " ".to_owned() };
            writeln!(out, "{mark} {line}")?;
        }
    }
    if report.shard.is_some() {
        for (number, line) in wrap(SHARD, view.columns.saturating_sub(2)).iter().enumerate() {
            writeln!(out, "{} {line}", if number == 0 { paint(ODD, "!") } else { " ".to_owned() })?;
        }
    }
    let (seconds, tenths) = (report.totals.duration_ms / 1000, report.totals.duration_ms % 1000 / 100);
    let Totals { cases, deliveries, .. } = report.totals;
    // The time stands in the last line, whatever is wrapped before it.
    let text = format!("{} in {cases} cases with {deliveries} deliveries, {seconds}.{tenths} s", parts.join(", "));
    let text = text.trim_start();
    let verdict = report.verdict.as_str();
    if verdict.len() + 2 + text.chars().count() <= view.columns {
        return writeln!(out, "{}  {text}", conformance(report.verdict));
    }
    writeln!(out, "{}", conformance(report.verdict))?;
    wrap(text, view.columns.saturating_sub(2)).iter().try_for_each(|line| writeln!(out, "  {line}"))
}
