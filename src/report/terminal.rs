//! What a person sees: the table of requirements with the findings that break them, and each finding as a story.

use std::io::{self, Write};

use super::{
    Describe, shared,
    shared::{many, visible, visible_line},
    style::{Tone, cut, paint, wrap},
    timeline,
};
use crate::{
    adapter::Capabilities,
    check::FailureKind,
    corpus::{Level, RequirementText},
    verdict::{Conformance, FindingReport, Report, RequirementResult, Verdict},
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
pub fn write(out: &mut dyn Write, report: &Report, view: View, describe: &Describe<'_>) -> io::Result<()> {
    if !view.quiet {
        heading(out, report, view)?;
        for item in &report.items {
            writeln!(out)?;
            writeln!(out, "{}  {}", paint(Tone::Strong, &visible_line(&item.id)), conformance(item.verdict))?;
            for requirement in report.requirements.iter().filter(|requirement| requirement.item == item.id) {
                requirement_lines(out, report, requirement, view)?;
            }
        }
        writeln!(out)?;
        snapshot_line(out, report)?;
        if let Some(saved) = shared::saved(report) {
            for (number, line) in wrap(&saved, view.columns.saturating_sub(7)).iter().enumerate() {
                writeln!(out, "{}  {line}", if number == 0 { paint(Tone::Strong, "saved") } else { "     ".to_owned() })?;
            }
        }
    }
    if let Some(imported) = shared::imported(report).filter(|_| !view.quiet) {
        for (number, line) in wrap(&imported, view.columns.saturating_sub(10)).iter().enumerate() {
            writeln!(out, "{}  {line}", if number == 0 { paint(Tone::Strong, "imported") } else { "        ".to_owned() })?;
        }
    }
    // What was not judged is told of by its line alone, and has to be told.
    let unjudged: Vec<_> = report.requirements.iter().filter(|requirement| view.quiet && requirement.verdict == Verdict::Error).collect();
    for requirement in &unjudged {
        requirement_lines(out, report, requirement, view)?;
    }
    // A known finding has its line in the table; nobody wants to read its story every day.
    for (place, finding) in report.findings.iter().enumerate().filter(|(_, finding)| finding.waived.is_none()) {
        writeln!(out)?;
        finding_lines(out, place + 1, finding, view, describe(&finding.about).as_ref())?;
    }
    for line in shared::saved_alone(report).chain(shared::imported_failing(report)) {
        writeln!(out)?;
        for line in wrap(&line, view.columns.saturating_sub(2)) {
            writeln!(out, "{} {line}", paint(Tone::Bad, "✗"))?;
        }
    }
    let differing: Vec<_> = shared::unexplained(report).collect();
    for difference in differing.iter().take(MOST_SNAPSHOTS) {
        writeln!(out)?;
        writeln!(out, "{} snapshot {}", paint(Tone::Bad, "✗"), paint(Tone::Strong, &visible_line(&difference.name)))?;
        diff_lines(out, &shared::only_changes(&difference.diff))?;
    }
    if differing.len() > MOST_SNAPSHOTS {
        let more = many((differing.len() - MOST_SNAPSHOTS) as u64, "more snapshot", "more snapshots");
        writeln!(out, "\n  … and {more} that differ; `--report html=PATH` has them all")?;
    }
    if !view.quiet || !unjudged.is_empty() || !report.findings.is_empty() {
        writeln!(out)?;
    }
    verdict_lines(out, report, view)
}

fn heading(out: &mut dyn Write, report: &Report, view: View) -> io::Result<()> {
    let shard = report.shard.as_ref().map(|shard| format!(" · shard {shard}")).unwrap_or_default();
    let (version, provider) = (&report.suite.version, &report.provider);
    let mode = if report.options.live_mode { " · live mode" } else { "" };
    writeln!(out, "{}", visible_line(&format!("refundproof {version} · {provider}{mode} · seed {}{shard}", report.seed)))?;
    let target = format!("{} {} ({})", report.target.name, report.target.version, report.target.transport);
    let mut label = "target";
    for (tone, text) in [(Tone::Strong, visible_line(&target)), (Tone::Faint, visible(&claims(&report.target.capabilities)))] {
        for line in wrap(&text, view.columns.saturating_sub(8)) {
            writeln!(out, "{:8}{}", std::mem::take(&mut label), paint(tone, &line))?;
        }
    }
    for remark in &report.target.remarks {
        for line in wrap(&visible(remark), view.columns.saturating_sub(10)) {
            writeln!(out, "      {} {line}", paint(Tone::Odd, "!"))?;
        }
    }
    Ok(())
}

/// What a target claims, in words.
pub fn claims(capabilities: &Capabilities) -> String {
    let mut claims = Vec::new();
    if !capabilities.observes.is_empty() {
        let names: Vec<String> =
            capabilities.observes.iter().filter_map(|name| crate::json::to_value(name).ok()?.as_str().map(str::to_owned)).collect();
        claims.push(format!("shows {}", names.join(", ")));
    }
    for (claimed, words) in [
        (capabilities.verifies_signatures, "verifies signatures"),
        (capabilities.initiates_refunds, "makes refunds itself"),
        (capabilities.calls_back, "calls the provider's API"),
        (capabilities.older_api_version, "registered for the older API version"),
        (capabilities.durable, "durable"),
        (capabilities.asynchronous, "asynchronous"),
        (capabilities.clock, "lets time pass"),
    ] {
        if claimed {
            claims.push(words.to_owned());
        }
    }
    if let Some(subscribes) = &capabilities.subscribes {
        claims.push(format!("subscribes to {}", subscribes.join(", ")));
    }
    for group in &capabilities.equivalent_statuses {
        claims.push(format!("cannot tell {} apart", group.join(" and ")));
    }
    if capabilities.concurrency > 1 {
        claims.push(format!("takes {} deliveries at once", capabilities.concurrency));
    }
    if claims.is_empty() { "claims nothing beyond status and refunded amount".to_owned() } else { claims.join("; ") }
}

fn conformance(verdict: Conformance) -> String {
    let style = match verdict {
        Conformance::Conformant => Tone::Good,
        Conformance::NotConformant => Tone::Bad,
        Conformance::NotCertified => Tone::Bad,
        Conformance::NotJudged => Tone::Odd,
    };
    paint(style, verdict.as_str())
}

fn mark(requirement: &RequirementResult) -> String {
    match requirement.verdict {
        Verdict::Pass => paint(Tone::Good, "✓"),
        Verdict::Fail => paint(Tone::Bad, "✗"),
        Verdict::Affected => paint(Tone::Bad, "~"),
        Verdict::Masked => paint(Tone::Bad, "?"),
        Verdict::Warn | Verdict::Waived => paint(Tone::Odd, "!"),
        Verdict::Error => paint(Tone::Odd, "?"),
        Verdict::NotExercised if requirement.judged && !requirement.by_claims => paint(Tone::Bad, "○"),
        Verdict::NotExercised | Verdict::NotApplicable => paint(Tone::Faint, "–"),
    }
}

fn requirement_lines(out: &mut dyn Write, report: &Report, requirement: &RequirementResult, view: View) -> io::Result<()> {
    let level = format!("{:<6}", requirement.level.as_str());
    // Wide enough for the longest id, so that columns line up.
    let id = format!("{:<42}", visible_line(&requirement.id));
    let numbers = match requirement.verdict {
        Verdict::Pass | Verdict::Fail | Verdict::Warn | Verdict::Affected | Verdict::Masked | Verdict::Waived => {
            let cases = if requirement.cases == 1 { "case " } else { "cases" };
            format!("{:>4} {cases} {:>6} deliveries", requirement.cases, requirement.deliveries)
        }
        other => other.as_str().to_owned(),
    };
    let line = format!("{id} {level}");
    let findings = shared::numbers(report, requirement);
    let findings = if findings.is_empty() { findings } else { format!("  {findings}") };
    if view.columns >= 80 {
        writeln!(out, "  {} {line} {}{}", mark(requirement), paint(Tone::Faint, &numbers), paint(Tone::Bad, &findings))?;
    } else {
        writeln!(out, "  {} {}", mark(requirement), cut(&visible_line(&requirement.id), view.columns.saturating_sub(4)))?;
        let numbers: Vec<&str> = numbers.split_whitespace().collect();
        writeln!(out, "      {}", paint(Tone::Faint, &format!("{} · {}{findings}", requirement.level.as_str(), numbers.join(" "))))?;
    }
    // That the run was cut short is said once, at the end.
    let unreached = report.interrupted.is_some() && requirement.verdict == Verdict::NotExercised && requirement.cases == 0;
    let note = requirement.note.clone().filter(|_| requirement.judged && !unreached).or_else(|| shared::because(report, requirement));
    if let Some(note) = note {
        for line in wrap(&visible(&note), view.columns.saturating_sub(6)) {
            writeln!(out, "      {}", paint(Tone::Faint, &line))?;
        }
    }
    Ok(())
}

fn snapshot_line(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let snapshots = &report.snapshots;
    let waived = snapshots.differing.iter().filter(|difference| difference.waived.is_some()).count();
    let compared = match (snapshots.compared, snapshots.differing.len()) {
        (0, _) => None,
        (compared, 0) => Some(paint(Tone::Good, &format!("{compared} compared, none differs"))),
        (compared, 1) if waived == 0 => Some(paint(Tone::Bad, &format!("{compared} compared, 1 differs"))),
        (compared, differing) if waived == differing => {
            Some(paint(Tone::Odd, &format!("{compared} compared, {differing} differ as is known")))
        }
        (compared, differing) if waived > 0 => {
            Some(paint(Tone::Bad, &format!("{compared} compared, {differing} differ, {waived} of them as is known")))
        }
        (compared, differing) => Some(paint(Tone::Bad, &format!("{compared} compared, {differing} differ"))),
    };
    let note = snapshots.note.as_ref().map(|note| paint(Tone::Faint, &visible_line(note)));
    let text = compared.into_iter().chain(note).collect::<Vec<_>>().join("; ");
    writeln!(out, "{}  {text}", paint(Tone::Strong, "snapshots"))
}

/// Writes one finding: what the target does wrong, what was asked, what was sent, what came of it, how to see it again.
///
/// # Errors
/// When the writer fails.
pub fn finding_lines(
    out: &mut dyn Write,
    number: usize,
    finding: &FindingReport,
    view: View,
    text: Option<&RequirementText>,
) -> io::Result<()> {
    let style = if finding.level == Level::Must { Tone::Bad } else { Tone::Odd };
    let title = format!("{number} {}{}", visible(&finding.message), shared::chance(finding));
    for (line_number, line) in wrap(&title, view.columns.saturating_sub(2)).iter().enumerate() {
        writeln!(out, "{} {}", if line_number == 0 { paint(style, "✗") } else { " ".to_owned() }, paint(Tone::Strong, line))?;
    }
    let ground = text.map_or(String::new(), |text| format!(", {}", text.ground.as_str()));
    labelled(out, "about", &format!("{} ({}{ground})", finding.about, shared::weight(finding, text)), view)?;
    if let Some(text) = text {
        labelled(out, "", &text.shows, view)?;
        labelled(out, "source", &text.source(), view)?;
    }
    if let Some(like) = &finding.like {
        labelled(out, "like", &shared::likeness(like), view)?;
        for link in &like.links {
            writeln!(out, "            {}", paint(Tone::Faint, &visible_line(link)))?;
        }
    }
    if let Some(breaks) = shared::breaks(finding) {
        labelled(out, "breaks", &breaks, view)?;
    }
    if let Some(words) = shared::cut_short(finding) {
        labelled(out, "case", words, view)?;
    }
    writeln!(out)?;
    let mut place = String::new();
    if let Some(case) = &finding.shrunk {
        timeline::write(out, case, Some(&finding.answers), view.columns)?;
        place = format!("{}: ", shared::place(case, finding.entry));
        writeln!(out)?;
    }
    let message = format!("{place}{}{}", visible(&finding.message), shared::chance(finding));
    for (number, line) in wrap(&message, view.columns.saturating_sub(2)).iter().enumerate() {
        match line.strip_prefix(place.trim_end()).filter(|_| number == 0) {
            Some(rest) => writeln!(out, "  {}{}", paint(Tone::Strong, place.trim_end()), paint(style, rest))?,
            None => writeln!(out, "  {}", paint(style, line))?,
        }
    }
    comparison(out, finding, view)?;
    if !finding.stderr.is_empty() {
        writeln!(out, "  {}", paint(Tone::Strong, "standard error of the target"))?;
        let stderr = visible(&finding.stderr);
        let lines: Vec<&str> = stderr.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(8)) {
            writeln!(out, "  │ {}", cut(&line.replace('\t', "    "), view.columns.saturating_sub(4)))?;
        }
    }
    again_lines(out, finding)
}

/// Where the case was saved, and how it is run again.
fn again_lines(out: &mut dyn Write, finding: &FindingReport) -> io::Result<()> {
    if finding.file.is_empty() {
        return Ok(());
    }
    // Commands and paths are pasted: they are never cut or broken.
    writeln!(out, "  {:<9} {}", paint(Tone::Faint, "case     "), visible(&finding.file))?;
    writeln!(out, "  {:<9} {}", paint(Tone::Faint, "again    "), visible(&finding.reproduce))
}

fn labelled(out: &mut dyn Write, label: &str, text: &str, view: View) -> io::Result<()> {
    for (number, line) in wrap(&visible(text), view.columns.saturating_sub(12)).iter().enumerate() {
        let label = if number == 0 { label } else { "" };
        writeln!(out, "  {} {line}", paint(Tone::Faint, &format!("{label:<9}")))?;
    }
    Ok(())
}

/// Expected and shown side by side where there is room for it, else as a diff.
fn comparison(out: &mut dyn Write, finding: &FindingReport, view: View) -> io::Result<()> {
    let rows = shared::rows(&visible(&finding.expected), &visible(&finding.observed));
    let width = |text: fn(&shared::Row) -> &String| rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
    let name = width(|row| &row.name).max(8);
    let left = width(|row| &row.expected).max(8);
    let right = width(|row| &row.shown).max(5);
    // What is there twice, or in another order, no table of members shows.
    let tells = rows.iter().any(shared::Row::differs);
    if finding.kind != FailureKind::State || !tells || 8 + name + left + right > view.columns {
        return diff_lines(out, &finding.diff);
    }
    writeln!(out, "    {}", paint(Tone::Faint, &format!("{:name$}  {:left$}  {}", "", "must be", "shows")))?;
    for row in &rows {
        let shared::Row { name: field, expected, shown } = row;
        if row.differs() {
            writeln!(
                out,
                "  {} {field:name$}  {}  {}",
                paint(Tone::Bad, "≠"),
                paint(Tone::Good, &format!("{expected:left$}")),
                paint(Tone::Bad, shown)
            )?;
        } else {
            writeln!(out, "    {field:name$}  {expected:left$}  {shown}")?;
        }
    }
    Ok(())
}

/// Writes a diff in colours.
///
/// # Errors
/// When the writer fails.
pub fn diff_lines(out: &mut dyn Write, diff: &str) -> io::Result<()> {
    for line in visible(diff).lines() {
        let style = match line.as_bytes().first() {
            Some(b'-') => Tone::Good,
            Some(b'+') => Tone::Bad,
            _ => Tone::Faint,
        };
        if line.trim().is_empty() {
            writeln!(out)?;
            continue;
        }
        // Never cut: the difference may be at the end.
        writeln!(out, "    {}", paint(style, line))?;
    }
    Ok(())
}

fn verdict_lines(out: &mut dyn Write, report: &Report, view: View) -> io::Result<()> {
    if let Some(interrupted) = &report.interrupted {
        let text = format!("cut short: {}; what was finished is reported", visible_line(interrupted));
        for (number, line) in wrap(&text, view.columns.saturating_sub(2)).iter().enumerate() {
            let mark = if number == 0 { paint(Tone::Odd, "!") } else { " ".to_owned() };
            writeln!(out, "{mark} {line}")?;
        }
    }
    if report.shard.is_some() {
        for (number, line) in wrap(SHARD, view.columns.saturating_sub(2)).iter().enumerate() {
            writeln!(out, "{} {line}", if number == 0 { paint(Tone::Odd, "!") } else { " ".to_owned() })?;
        }
    }
    // The time stands in the last line, whatever is wrapped before it.
    let text = shared::summary(report);
    let verdict = report.verdict.as_str();
    if let Some(limits) = shared::limits(report) {
        let lines = wrap(&format!("{verdict}; {}", visible_line(&limits)), view.columns);
        for (number, line) in lines.iter().enumerate() {
            match line.strip_prefix(verdict).filter(|_| number == 0) {
                Some(rest) => writeln!(out, "{}{rest}", conformance(report.verdict))?,
                None => writeln!(out, "  {line}")?,
            }
        }
        return wrap(&text, view.columns.saturating_sub(2)).iter().try_for_each(|line| writeln!(out, "  {line}"));
    }
    if verdict.len() + 2 + text.chars().count() <= view.columns {
        return writeln!(out, "{}  {text}", conformance(report.verdict));
    }
    writeln!(out, "{}", conformance(report.verdict))?;
    wrap(&text, view.columns.saturating_sub(2)).iter().try_for_each(|line| writeln!(out, "  {line}"))
}
