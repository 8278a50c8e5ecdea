//! What several reports say in the same words.

use crate::{
    case::Case,
    corpus::{Level, RequirementText},
    verdict::{
        Conformance, FindingReport, ItemResult, Likeness, Report, RequirementResult, SavedResult, SnapshotDifference, Totals, Verdict,
    },
};

/// How many requirements ended how, in words: `12 passed, 1 failed`. Empty where there were none.
pub(super) fn counts<'r>(results: impl IntoIterator<Item = &'r RequirementResult>) -> Vec<(Verdict, String)> {
    let results: Vec<&RequirementResult> = results.into_iter().collect();
    let count = |verdict| results.iter().filter(|result| result.verdict == verdict && result.judged).count();
    let known = [
        (Verdict::Pass, "passed"),
        (Verdict::Fail, "failed"),
        (Verdict::Warn, "warned"),
        (Verdict::Affected, "affected"),
        (Verdict::Masked, "masked"),
        (Verdict::Waived, "waived"),
        (Verdict::Error, "in error"),
        (Verdict::NotExercised, "not exercised"),
        (Verdict::NotApplicable, "not applicable"),
    ];
    let mut counts: Vec<(Verdict, String)> = known
        .into_iter()
        .map(|(verdict, words)| (verdict, count(verdict), words))
        .filter(|(_, count, _)| *count > 0)
        .map(|(verdict, count, words)| (verdict, format!("{count} {words}")))
        .collect();
    let unjudged = results.iter().filter(|result| !result.judged).count();
    if unjudged > 0 {
        counts.push((Verdict::NotApplicable, format!("{unjudged} not judged by this version")));
    }
    counts
}

/// How the snapshots compared, in words, where any were.
pub(super) fn snapshots(report: &Report) -> Option<String> {
    let waived = report.snapshots.differing.len() - unwaived(report).count();
    match (report.snapshots.compared, report.snapshots.differing.len()) {
        (0, _) => None,
        (compared, differing) if waived == differing && waived > 0 => {
            Some(format!("{differing} of {compared} snapshots differ as is known"))
        }
        (compared, differing) if waived > 0 => Some(format!("{differing} of {compared} snapshots differ, {waived} of them as is known")),
        (compared, 0) => Some(many(compared as u64, "snapshot agrees", "snapshots agree")),
        (compared, 1) => Some(format!("1 of {} differs", many(compared as u64, "snapshot", "snapshots"))),
        (compared, differing) => Some(format!("{differing} of {compared} snapshots differ")),
    }
}

/// The snapshots that differ and are not accepted.
pub(super) fn unwaived(report: &Report) -> impl Iterator<Item = &SnapshotDifference> {
    report.snapshots.differing.iter().filter(|difference| difference.waived.is_none())
}

/// Those of them that no finding explains: they stand for themselves.
pub(super) fn unexplained(report: &Report) -> impl Iterator<Item = &SnapshotDifference> {
    unwaived(report).filter(|difference| difference.because_of.is_empty())
}

/// What is wrong with the list of known failures.
pub(super) fn list_problems(report: &Report) -> &[String] {
    report.known_failing.as_ref().map_or(&[], |known| &known.problems)
}

/// The number of a finding in every report: its place on the list, from 1.
pub(super) fn number(report: &Report, id: &str) -> Option<usize> {
    report.findings.iter().position(|finding| finding.id == id).map(|place| place + 1)
}

/// The numbers of the findings that break a requirement: `finding 1`, `findings 1, 3`; empty where there are none.
pub(super) fn numbers(report: &Report, result: &RequirementResult) -> String {
    let numbers: Vec<String> = result.findings.iter().filter_map(|id| number(report, id)).map(|number| number.to_string()).collect();
    match numbers.len() {
        0 => String::new(),
        1 => format!("finding {}", numbers[0]),
        _ => format!("findings {}", numbers.join(", ")),
    }
}

/// Why a requirement failed no less than another, but not by itself: `affected by finding 1`; nothing where that is not so.
pub(super) fn because(report: &Report, result: &RequirementResult) -> Option<String> {
    let numbers = numbers(report, result);
    match result.verdict {
        Verdict::Affected => Some(format!("fails only because of {numbers}; without that its cases pass")),
        Verdict::Masked => {
            let is = if result.findings.len() > 1 { "are" } else { "is" };
            Some(format!("cannot be judged before {numbers} {is} mended"))
        }
        _ => None,
    }
}

/// The finding that a requirement's verdict rests on: the first about it that is not accepted.
#[cfg(feature = "junit")]
pub(super) fn deciding<'r>(report: &'r Report, result: &RequirementResult) -> Option<&'r FindingReport> {
    let mut about = report.findings.iter().filter(|finding| finding.about == result.id);
    about.clone().find(|finding| finding.waived.is_none()).or_else(|| about.next())
}

/// How much a finding weighs: the level of what it is about, and that a MUST cannot hold because of it where that is more.
pub(super) fn weight(finding: &FindingReport, about: Option<&RequirementText>) -> String {
    match about.map(|text| text.level) {
        Some(level) if level != finding.level => format!("{}, and a {} fails because of it", level.as_str(), finding.level.as_str()),
        _ => finding.level.as_str().to_owned(),
    }
}

/// What else a finding breaks: `because of it 11 requirements fail too; 4 could not be judged`. Nothing where it breaks nothing.
pub(super) fn breaks(finding: &FindingReport) -> Option<String> {
    let masks = finding.masks.iter().filter(|id| **id != finding.about).count();
    let others = finding.also_fails.len().saturating_sub(masks);
    let mut parts = Vec::new();
    if others > 0 {
        parts.push(many(others as u64, "requirement fails too", "requirements fail too"));
    }
    if masks > 0 {
        parts.push(many(masks as u64, "could not be judged", "could not be judged"));
    }
    if !finding.snapshots.is_empty() {
        parts.push(many(finding.snapshots.len() as u64, "snapshot differs", "snapshots differ"));
    }
    (!parts.is_empty()).then(|| format!("because of it {}", parts.join("; ")))
}

/// That a smaller case may show a finding too, where looking for it was cut short.
pub(super) fn cut_short(finding: &FindingReport) -> Option<&'static str> {
    finding.cut_short.then_some("perhaps a smaller case shows it too: looking for one was cut short, because each attempt takes long")
}

/// What a finding is like, in words.
pub(super) fn likeness(like: &Likeness) -> String {
    format!("builtin:fault/{} ({}, {})", like.fault, like.name, like.class)
}

/// What became of the cases that earlier runs saved, in words: `saved cases  3 played first: 1 still fails, 2 pass now`.
pub(super) fn saved(report: &Report) -> Option<String> {
    let count = |is_meant: fn(&SavedResult) -> bool| report.saved.iter().filter(|saved| is_meant(saved)).count();
    let accepted = count(|saved| saved.waived.is_some());
    let fails = count(|saved| saved.fails.is_some() && saved.waived.is_none());
    let passes = report.saved.len() - fails - accepted;
    let parts = [
        (fails > 0).then(|| many(fails as u64, "still fails", "still fail")),
        (accepted > 0).then(|| many(accepted as u64, "fails as is accepted", "fail as is accepted")),
        (passes > 0).then(|| many(passes as u64, "passes now", "pass now")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty())
        .then(|| format!("{} of earlier runs played first: {}", many(report.saved.len() as u64, "case", "cases"), parts.join(", ")))
}

/// Saved cases that fail the run by themselves: each with what is wrong.
pub(super) fn saved_alone(report: &Report) -> impl Iterator<Item = String> {
    let alone = report.saved.iter().filter(|saved| saved.stands_alone(report.options.strict));
    alone.filter_map(|saved| Some(visible_line(&format!("{} still fails: {}", saved.file, saved.fails.as_ref()?))))
}

/// What became of imported cases, in words: `3 cases from real traffic in 57 variations: all as they must be`.
pub(super) fn imported(report: &Report) -> Option<String> {
    let imported = report.imported.as_ref()?;
    let cases = many(imported.cases as u64, "case", "cases");
    let played = many(imported.plays as u64, "variation", "variations");
    let came = match imported.failing.len() as u64 {
        0 if imported.plays == 0 => "nothing of them could be judged".to_owned(),
        0 => "all as they must be".to_owned(),
        fail => many(fail, "fails", "fail"),
    };
    let over = match imported.passed_over as u64 {
        0 => String::new(),
        over => format!("; {} not judged", many(over, "was", "were")),
    };
    let cut = if imported.cut_short { "; not all were played" } else { "" };
    Some(format!("{cases} from real traffic in {played}: {came}{over}{cut}"))
}

/// Imported cases that fail: each with the way and what is wrong.
pub(super) fn imported_failing(report: &Report) -> impl Iterator<Item = String> {
    let failing = report.imported.iter().flat_map(|imported| &imported.failing);
    failing.map(|failure| {
        let kept = if failure.file.is_empty() { String::new() } else { format!(" (kept as {})", failure.file) };
        let alike = match failure.alike as u64 {
            0 => String::new(),
            alike => format!("; {} the same", many(alike, "other variation shows", "other variations show")),
        };
        visible_line(&format!("{}, {}: {}{alike}{kept}", failure.case, failure.way, failure.fails))
    })
}

/// What was run in all, and how long it took: the one place in a summary that differs from run to run.
pub(super) fn totals(report: &Report) -> String {
    let Totals { cases, deliveries, refused_first, duration_ms } = report.totals;
    let time = seconds(duration_ms);
    if cases == 0 {
        return time;
    }
    let refused = match refused_first {
        0 => String::new(),
        count => format!(", {} refused first and taken later", many(count, "valid event", "valid events")),
    };
    let chosen = if report.options.chosen { " chosen" } else { "" };
    format!("{}{chosen}, {}{refused}, {time}", many(cases, "case", "cases"), many(deliveries, "delivery", "deliveries"))
}

/// The whole run in one line; the time comes last.
pub(super) fn summary(report: &Report) -> String {
    let counts: Vec<String> = counts(&report.requirements).into_iter().map(|(_, words)| words).chain(snapshots(report)).collect();
    format!("{}; {}", counts.join(", "), totals(report))
}

/// What the verdict does not say: that there was a budget; items that are not certified, each with its reason, and those that were left out. Nothing
/// where everything of the checklist and beside it was judged.
pub(super) fn limits(report: &Report) -> Option<String> {
    let is_open = |item: &&ItemResult| item.verdict == Conformance::NotCertified && !report.options.without.contains(&item.id);
    let words = |item: &ItemResult| item.note.as_ref().map_or(item.id.clone(), |note| format!("{} ({note})", item.id));
    let open: Vec<String> = report.items.iter().filter(is_open).map(words).collect();
    let without = &report.options.without;
    let parts = [
        report.options.budget_ms.map(|budget| match budget {
            0..1000 => format!("made with a budget of {budget}ms"),
            _ => format!("made with a budget of {}", seconds(budget)),
        }),
        (!open.is_empty()).then(|| format!("not certified: {}", open.join(", "))),
        (!without.is_empty()).then(|| format!("left out: {}", without.join(", "))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// `1 case`, `2 cases`.
pub(crate) fn many(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// Milliseconds as seconds with one digit.
pub(super) fn seconds(millis: u64) -> String {
    format!("{}.{}s", millis / 1000, millis % 1000 / 100)
}

/// One word that says how a requirement ended; what this version does not judge at all is said so.
pub(super) fn verdict_words(result: &RequirementResult) -> &'static str {
    if result.judged { result.verdict.as_str() } else { "not judged" }
}

/// Whether the run as a whole does not conform because of this requirement.
pub(super) fn counts_against(report: &Report, result: &RequirementResult) -> bool {
    // Neither a run that was cut short, nor one with a budget, nor a shard knows what would have been reached.
    let whole = report.interrupted.is_none() && report.shard.is_none() && report.options.budget_ms.is_none();
    match result.verdict {
        Verdict::Fail => true,
        Verdict::Affected | Verdict::Masked => {
            let accepted = |finding: &FindingReport| !result.findings.contains(&finding.id) || finding.waived.is_some();
            result.level == Level::Must && !report.findings.iter().all(accepted)
        }
        Verdict::NotExercised => whole && result.judged && !result.by_claims && (result.level == Level::Must || report.options.strict),
        Verdict::Pass | Verdict::Warn | Verdict::NotApplicable | Verdict::Waived | Verdict::Error => false,
    }
}

/// The one line that says what went wrong, and after which delivery where that is known.
pub(super) fn message(finding: &FindingReport) -> String {
    let message = format!("{}{}", visible_line(&finding.message), chance(finding));
    match &finding.shrunk {
        Some(case) => format!("{}: {message}", place(case, finding.entry)),
        None => message,
    }
}

/// How often it fails, where that depends on chance; else nothing.
pub(super) fn chance(finding: &FindingReport) -> String {
    finding.chance.map_or(String::new(), |chance| format!(" (in {} of {} runs)", chance.failed, chance.runs))
}

/// What was sent, as plain text.
pub(super) fn timeline_text(finding: &FindingReport) -> Option<String> {
    const COLUMNS: usize = 100;
    let case = finding.shrunk.as_ref()?;
    let mut text = Vec::new();
    super::timeline::write(&mut text, case, Some(&finding.answers), COLUMNS).ok()?;
    let text = String::from_utf8(text).ok()?;
    Some(visible(&super::style::plain(&text)))
}

/// Where in a case it went wrong, in words.
pub(super) fn place(case: &Case, entry: Option<usize>) -> String {
    match entry {
        Some(entry) => format!("after {}", deliveries_until(case, entry)),
        None => "when everything had been delivered".to_owned(),
    }
}

/// How many deliveries had been sent when the entry was done.
fn deliveries_until(case: &Case, entry: usize) -> usize {
    case.entries.iter().take(entry.saturating_add(1)).map(|entry| entry.act.deliveries().len()).sum()
}

/// One member of a state: what it must be, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The member; refunds with their ids.
    pub(super) name: String,
    /// What it must be; `-` where it must not be there.
    pub(super) expected: String,
    /// What is shown; `-` where it is missing.
    pub(super) shown: String,
}

impl Row {
    pub(super) fn differs(&self) -> bool {
        self.expected != self.shown
    }
}

/// The lines of two state texts, matched by their first word (refunds by their id).
pub(super) fn rows(expected: &str, shown: &str) -> Vec<Row> {
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
    let mut rows: Vec<Row> =
        expected.iter().map(|(name, value)| Row { name: name.clone(), expected: value.clone(), shown: find(&shown, name) }).collect();
    for (name, value) in &shown {
        if !expected.iter().any(|(other, _)| other == name) {
            rows.push(Row { name: name.clone(), expected: "-".to_owned(), shown: value.clone() });
        }
    }
    rows
}

/// A diff without the long stretches that are the same.
pub(crate) fn only_changes(diff: &str) -> String {
    const CONTEXT: usize = 2;
    let lines: Vec<&str> = diff.lines().collect();
    let mut near = vec![false; lines.len()];
    for (number, _) in lines.iter().enumerate().filter(|(_, line)| !line.starts_with(' ')) {
        let end = (number + CONTEXT + 1).min(lines.len());
        near[number.saturating_sub(CONTEXT)..end].fill(true);
    }
    let mut out = String::new();
    let mut skipped = false;
    for (line, near) in lines.iter().zip(near) {
        if near {
            out.push_str(line);
            out.push('\n');
        } else if !skipped {
            out.push_str(" …\n");
        }
        skipped = !near;
    }
    out
}

/// The text with what does not show, or changes how the rest shows, written out: control characters, marks that turn the
/// direction of writing, code points that are no characters. Line ends and tabs stay.
pub fn visible(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => out.push(character),
            // The block of control pictures has the same order.
            '\0'..='\x1f' => out.extend(char::from_u32(0x2400 + u32::from(character))),
            '\x7f' => out.push('␡'),
            '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}'
            | '\u{ffff}'
            | '\u{e0000}'..='\u{e007f}' => out.push_str(&format!("‹U+{:04X}›", u32::from(character))),
            _ => out.push(character),
        }
    }
    out
}

/// The same on one line.
pub(super) fn visible_line(text: &str) -> String {
    visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The beginning of a text, of at most so many bytes, and how many bytes are missing.
pub(super) fn beginning(text: &str, most: usize) -> (&str, usize) {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (&text[..end], text.len() - end)
}

/// The end of a text, of at most so many bytes and from the start of a line, and how many bytes are missing.
pub(super) fn ending(text: &str, most: usize) -> (&str, usize) {
    if text.len() <= most {
        return (text, 0);
    }
    let mut start = text.len() - most;
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let start = text[start..].find('\n').map_or(start, |line| start + line + 1);
    (&text[start..], start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_is_written_out() {
        assert_eq!(visible("a\x1b[31mb\0\r\nc\rd\t"), "a␛[31mb␀\nc␍d\t");
        assert_eq!(visible("\u{202e}x\u{feff}\u{ffff}é"), "‹U+202E›x‹U+FEFF›‹U+FFFF›é");
        assert_eq!(visible_line(" a\n b\tc "), "a b c");
    }

    #[test]
    fn ends_of_texts() {
        assert_eq!(beginning("aäb", 2), ("a", 3));
        assert_eq!(beginning("ab", 2), ("ab", 0));
        assert_eq!(ending("one\ntwo\nthree", 8), ("three", 8));
        assert_eq!(ending("ääää", 3), ("ä", 6));
        assert_eq!(ending("ab", 2), ("ab", 0));
    }

    #[test]
    fn diffs_are_cut_to_what_changed() {
        assert_eq!(only_changes(" 1\n 2\n 3\n-4\n+5\n 6\n 7\n 8\n"), " …\n 2\n 3\n-4\n+5\n 6\n 7\n …\n");
    }

    #[test]
    fn states_side_by_side() {
        let row = |name: &str, expected: &str, shown: &str| Row { name: name.into(), expected: expected.into(), shown: shown.into() };
        let rows = rows("status  refunded\nrefund  re_1 succeeded 1.00\n", "status  open\nrefund  re_2 failed 0.00\n");
        assert_eq!(
            rows,
            [row("status", "refunded", "open"), row("refund re_1", "succeeded 1.00", "-"), row("refund re_2", "-", "failed 0.00")]
        );
        assert!(rows.iter().all(Row::differs));
    }
}
