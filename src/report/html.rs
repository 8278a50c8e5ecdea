//! One page for a browser: no network, no other file, and every word of a target escaped.
//!
//! It is a plain document that reads and prints without scripts; the script adds search, filters and keys. The page allows itself
//! nothing but its own style and script, by their hashes, so not even a mistake in escaping would run anything.

mod payload;
mod view;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use askama::Template;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{
    Describe, shared,
    shared::{beginning, many, visible, visible_line},
    terminal, timeline,
};
use crate::{
    case::{Act, Case, Delivery},
    check::FailureKind,
    corpus::Level,
    verdict::{Conformance, FindingReport, Report, RequirementResult, SnapshotDifference, Verdict},
};
use payload::Room;
use view::{
    Chip, CoverageLine, DiffLine, Fact, FindingView, ItemView, LikeView, Link, Place, RequirementView, SnapshotView, Snapshots, StateRow,
    Step, VerdictView,
};

const CSS: &str = include_str!("../../templates/report.css");
const SCRIPT: &str = include_str!("../../templates/report.js");

/// How many bytes of HTML all findings together may take; the case files have them whole.
const MOST_OF_FINDINGS: usize = 1_400_000;
/// How many findings stand open at first.
const OPEN: usize = 3;
/// How many bytes of HTML all diffs of snapshots may take.
const MOST_OF_SNAPSHOTS: usize = 200_000;
/// How many bytes of HTML one text may take.
const MOST_OF_TEXT: usize = 16_000;
/// How much of a text on one line is embedded, in bytes of the text.
const MOST_OF_LINE: usize = 600;

/// Writes a report as one page.
///
/// # Errors
/// When the writer fails.
pub fn write(out: &mut dyn Write, report: &Report, describe: &Describe<'_>) -> io::Result<()> {
    let page = Page::of(report, describe);
    let text = page.render().map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    policy: String,
    css: &'static str,
    js: &'static str,
    version: String,
    provider: String,
    digest: String,
    seed: u64,
    target: String,
    target_version: String,
    verdict: VerdictView,
    summary: String,
    interrupted: Option<String>,
    remarks: Vec<String>,
    list_problems: Vec<String>,
    saved: Option<String>,
    imported: Option<String>,
    saved_alone: Vec<String>,
    facts: Vec<Fact>,
    chips: Vec<Chip>,
    items: Vec<ItemView>,
    snapshots: Snapshots,
    findings: Vec<FindingView>,
    differing: Vec<SnapshotView>,
    differing_note: String,
}

impl Page {
    fn of(report: &Report, describe: &Describe<'_>) -> Page {
        let findings = findings(report, describe);
        let (differing, differing_note) = differing(report);
        Page {
            policy: policy(),
            css: CSS,
            js: SCRIPT,
            version: report.suite.version.clone(),
            provider: report.provider.clone(),
            digest: beginning(&report.suite.digest, 12).0.to_owned(),
            seed: report.seed,
            target: line(&report.target.name),
            target_version: line(&report.target.version),
            verdict: verdict(report.verdict),
            summary: shared::limits(report).map_or_else(String::new, |limits| format!("{}; ", line(&limits))) + &shared::summary(report),
            interrupted: report.interrupted.as_deref().map(line),
            saved: shared::saved(report),
            imported: shared::imported(report),
            saved_alone: shared::saved_alone(report).chain(shared::imported_failing(report)).map(|alone| line(&alone)).collect(),
            remarks: report.target.remarks.iter().map(|remark| line(remark)).collect(),
            list_problems: shared::list_problems(report).iter().map(|problem| line(problem)).collect(),
            facts: facts(report),
            chips: chips(report),
            items: items(report, describe),
            snapshots: snapshots(report),
            findings,
            differing,
            differing_note,
        }
    }
}

/// What the page may do: nothing but its own style and script.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    let (style, script) = (hash(CSS), hash(SCRIPT));
    format!("default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'")
}

/// A text on one line, not longer than anybody reads.
fn line(text: &str) -> String {
    let line = visible_line(text);
    let (start, missing) = beginning(&line, MOST_OF_LINE);
    if missing > 0 { format!("{start}…") } else { line }
}

fn verdict(verdict: Conformance) -> VerdictView {
    let (class, mark, words) = match verdict {
        Conformance::Conformant => ("good", "✓", "Conformant"),
        Conformance::NotConformant => ("bad", "✗", "Not conformant"),
        Conformance::NotCertified => ("bad", "○", "Not certified"),
        Conformance::NotJudged => ("odd", "?", "Not judged"),
    };
    VerdictView { class, mark, words }
}

/// The colour and the sign of a requirement's verdict.
fn signs(verdict: Verdict, counts: bool) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Pass => ("good", "✓"),
        Verdict::Fail => ("bad", "✗"),
        Verdict::Affected => ("bad", "~"),
        Verdict::Masked => ("bad", "?"),
        Verdict::Warn | Verdict::Waived => ("odd", "!"),
        Verdict::Error => ("odd", "?"),
        Verdict::NotExercised if counts => ("bad", "○"),
        Verdict::NotExercised | Verdict::NotApplicable => ("", "–"),
    }
}

/// The name by which the filter knows a result.
fn filter_name(result: &RequirementResult) -> &'static str {
    if result.judged { result.verdict.as_str() } else { "not-judged" }
}

fn facts(report: &Report) -> Vec<Fact> {
    let mut facts = vec![
        Fact { name: "Transport", value: line(&report.target.transport), wide: false },
        Fact { name: "Seed", value: report.seed.to_string(), wide: false },
        Fact { name: "Time", value: shared::seconds(report.totals.duration_ms), wide: false },
    ];
    if report.options.live_mode {
        facts.push(Fact { name: "Mode", value: "live".to_owned(), wide: false });
    }
    if let Some(shard) = &report.shard {
        facts.push(Fact { name: "Shard", value: line(shard), wide: false });
    }
    facts.push(Fact { name: "What the target claims", value: line(&terminal::claims(&report.target.capabilities)), wide: true });
    facts
}

fn chips(report: &Report) -> Vec<Chip> {
    let mut chips: Vec<Chip> = Vec::new();
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for result in &report.requirements {
        *counts.entry(filter_name(result)).or_default() += 1;
    }
    for (name, verdict, judged, words) in [
        ("fail", Verdict::Fail, true, "failed"),
        ("affected", Verdict::Affected, true, "affected"),
        ("masked", Verdict::Masked, true, "masked"),
        ("error", Verdict::Error, true, "in error"),
        ("not-exercised", Verdict::NotExercised, true, "not exercised"),
        ("warn", Verdict::Warn, true, "warned"),
        ("waived", Verdict::Waived, true, "waived"),
        ("pass", Verdict::Pass, true, "passed"),
        ("not-applicable", Verdict::NotApplicable, true, "not applicable"),
        ("not-judged", Verdict::NotExercised, false, "not judged"),
    ] {
        if let Some(count) = counts.get(name) {
            let (class, mark) = signs(verdict, judged);
            chips.push(Chip { verdict: name, class, mark, words: format!("{count} {words}") });
        }
    }
    chips
}

fn items(report: &Report, describe: &Describe<'_>) -> Vec<ItemView> {
    let view = |result: &RequirementResult| {
        let (class, mark) = signs(result.verdict, result.judged && !result.by_claims);
        let numbers = match result.cases {
            0 => String::new(),
            cases => format!("{}, {}", many(u64::from(cases), "case", "cases"), many(result.deliveries, "delivery", "deliveries")),
        };
        RequirementView {
            id: result.id.clone(),
            findings: places(report, result),
            verdict: filter_name(result),
            class,
            mark,
            words: shared::verdict_words(result),
            level: result.level.as_str(),
            asks: describe(&result.id).map_or(String::new(), |text| text.shows),
            note: result.note.as_deref().map(line).or_else(|| shared::because(report, result)).unwrap_or_default(),
            numbers,
            coverage: coverage(result),
        }
    };
    let item = |item: &crate::verdict::ItemResult| {
        let results: Vec<&RequirementResult> = report.requirements.iter().filter(|result| result.item == item.id).collect();
        let counts: Vec<String> = shared::counts(results.iter().copied()).into_iter().map(|(_, words)| words).collect();
        ItemView {
            id: item.id.clone(),
            verdict: verdict(item.verdict),
            counts: counts.join(", "),
            requirements: results.into_iter().map(view).collect(),
        }
    };
    report.items.iter().map(item).collect()
}

/// What the cases of a requirement held, a line for each kind of thing.
fn coverage(result: &RequirementResult) -> Vec<CoverageLine> {
    let Some(coverage) = &result.coverage else { return Vec::new() };
    let exercised = format!("{} of {} cases; {} must", result.exercised, result.cases, result.floor);
    let tables = [
        ("events", &coverage.events),
        ("mutations", &coverage.mutations),
        ("delivery", &coverage.faults),
        ("states of refunds", &coverage.transitions),
        ("orders", &coverage.orders),
        ("texts", &coverage.texts),
    ];
    let words = |(name, count): (&String, &u64)| format!("{name} {count}");
    let counted = tables
        .into_iter()
        .filter(|(_, table)| !table.is_empty())
        .map(|(what, table)| CoverageLine { what, counts: table.iter().map(words).collect::<Vec<_>>().join(", ") });
    std::iter::once(CoverageLine { what: "a wrong consumer fails", counts: exercised }).chain(counted).collect()
}

fn snapshots(report: &Report) -> Snapshots {
    let (class, words) = match (shared::snapshots(report), shared::unwaived(report).count()) {
        (Some(words), 0) if report.snapshots.differing.is_empty() => ("good", words),
        (Some(words), 0) => ("odd", words),
        (Some(words), _) => ("bad", words),
        (None, _) => ("", "none compared".to_owned()),
    };
    Snapshots { class, words, note: report.snapshots.note.as_deref().map_or(String::new(), line) }
}

/// Where the findings that break a requirement stand.
fn places(report: &Report, result: &RequirementResult) -> Vec<Place> {
    let numbers = result.findings.iter().filter_map(|id| shared::number(report, id));
    numbers.map(|number| Place { anchor: anchor(number), number }).collect()
}

fn anchor(number: usize) -> String {
    format!("finding-{number}")
}

fn findings(report: &Report, describe: &Describe<'_>) -> Vec<FindingView> {
    let share = MOST_OF_FINDINGS / report.findings.len().max(1);
    let mut open = 0;
    let mut views = Vec::with_capacity(report.findings.len());
    for (place, finding) in report.findings.iter().enumerate() {
        let mut view = finding_view(place + 1, finding, describe, Room::of(share));
        view.open = finding.waived.is_none() && open < OPEN;
        open += usize::from(view.open);
        views.push(view);
    }
    views
}

fn finding_view(number: usize, finding: &FindingReport, describe: &Describe<'_>, mut room: Room) -> FindingView {
    let anchor = anchor(number);
    let (verdict, class, mark) = match (&finding.waived, finding.level) {
        (Some(_), _) => ("waived", "odd", "!"),
        (None, Level::Must) => ("fail", "bad", "✗"),
        (None, Level::Should) => ("warn", "odd", "!"),
    };
    let case = finding.shrunk.as_deref();
    let message = line(&finding.message);
    let end = match (case, finding.entry) {
        (Some(_), None) => format!("When everything had been delivered: {message}"),
        _ => String::new(),
    };
    let most = room.most_of_text();
    let rows = state_rows(finding, most);
    let diff = if rows.is_empty() { diff_lines(&finding.diff, most) } else { Vec::new() };
    let stderr = payload::tail(&finding.stderr, most);
    room.take(2 * most.min(finding.diff.len()) + payload::escaped_len(&stderr));
    let asked = describe(&finding.about);
    FindingView {
        steps: case.map_or(Vec::new(), |case| steps(case, finding, &anchor, &message, &mut room)),
        anchor,
        number,
        open: false,
        id: finding.about.clone(),
        verdict,
        class,
        mark,
        level: shared::weight(finding, asked.as_ref()),
        message: line(&shared::message(finding)),
        asks: asked.as_ref().map_or(String::new(), |text| text.shows.clone()),
        known: finding.waived.as_deref().map_or(String::new(), line),
        source: asked.map_or(String::new(), |text| text.grounds()),
        like: finding.like.as_ref().map(|like| LikeView {
            fault: line(&format!("builtin:fault/{}", like.fault)),
            name: format!("{} ({})", line(&like.name), line(&like.class)),
            links: like.links.iter().filter_map(|url| link(url)).collect(),
        }),
        breaks: shared::breaks(finding).unwrap_or_default(),
        others: finding.also_fails.iter().chain(&finding.snapshots).map(|other| line(other)).collect(),
        orders: case.map_or(Vec::new(), timeline::order_texts),
        deliveries: match (many(finding.deliveries as u64, "delivery", "deliveries"), shared::cut_short(finding)) {
            (deliveries, Some(words)) => format!("{deliveries}; {words}"),
            (deliveries, None) => deliveries,
        },
        answers: finding.answers.iter().map(|answer| line(answer)).collect::<Vec<_>>().join("; "),
        end,
        diff,
        rows,
        stderr,
        reproduce: beginning(&visible(&finding.reproduce), 4 * MOST_OF_LINE).0.to_owned(),
    }
}

/// The members side by side, unless something is wrong that no table of members shows.
fn state_rows(finding: &FindingReport, most: usize) -> Vec<StateRow> {
    let size = payload::escaped_len(&finding.expected) + payload::escaped_len(&finding.observed);
    if finding.kind != FailureKind::State || size > most {
        return Vec::new();
    }
    let rows = shared::rows(&visible(&finding.expected), &visible(&finding.observed));
    if !rows.iter().any(shared::Row::differs) {
        return Vec::new();
    }
    rows.into_iter().map(|row| StateRow { differs: row.differs(), name: row.name, expected: row.expected, shown: row.shown }).collect()
}

/// A link, if it is one that is safe to follow.
fn link(url: &str) -> Option<Link> {
    let name = url.strip_prefix("https://")?;
    Some(Link { url: url.to_owned(), name: line(name.trim_start_matches("github.com/")) })
}

fn steps<'c>(case: &'c Case, finding: &FindingReport, anchor: &str, message: &str, room: &mut Room) -> Vec<Step> {
    /// What a step takes beside its body.
    const AROUND: usize = 800;
    let mut answers = finding.answers.iter();
    let mut number = 0;
    let mut bodies: Vec<(Vec<u8>, usize)> = Vec::new();
    let mut decisive = timeline::Decisive::of(case);
    let mut steps = Vec::new();
    for (index, entry) in case.entries.iter().enumerate() {
        let here = finding.entry == Some(index);
        let mut deliver = |delivery: &'c Delivery, together: bool, steps: &mut Vec<Step>| {
            number += 1;
            room.take(AROUND);
            let same = bodies.iter().find(|(body, _)| body == delivery.body.bytes()).map(|(_, number)| *number);
            if same.is_none() {
                bodies.push((delivery.body.bytes().to_vec(), number));
            }
            let answer =
                answers.next().map_or(String::new(), |answer| if answer.is_empty() { "no answer".to_owned() } else { line(answer) });
            let mut tags = timeline::marks(delivery);
            let tells = delivery.event.tells.iter();
            if together {
                tags.push("at the same time".to_owned());
            }
            steps.push(Step {
                number: number.to_string(),
                kind: delivery.event.kind.clone(),
                tags,
                answer,
                tells: tells.map(|tell| timeline::tell_text(case, delivery, tell)).chain(decisive.lines(number, delivery)).collect(),
                payload: Some(payload::view(delivery, format!("{anchor}-{number}"), same, room)),
                here: false,
                went: String::new(),
            });
        };
        match &entry.act {
            Act::Deliver(delivery) => deliver(delivery, false, &mut steps),
            Act::Together(deliveries) => deliveries.iter().for_each(|delivery| deliver(delivery, true, &mut steps)),
            Act::Initiate(own) => steps.push(Step::act(timeline::own_text(own))),
            Act::Meanwhile(own, deliveries) => {
                steps.push(Step::act(timeline::meanwhile_text(own)));
                deliveries.iter().for_each(|delivery| deliver(delivery, true, &mut steps));
            }
            Act::Restart => steps.push(Step::act(timeline::RESTART.to_owned())),
            Act::Begin(order_id) => steps.push(Step::act(timeline::known_text(order_id))),
            Act::Advance(seconds) => steps.push(Step::act(timeline::time_text(*seconds))),
        }
        if let Some(last) = steps.last_mut().filter(|_| here) {
            last.here = true;
            last.went = message.to_owned();
        }
    }
    steps
}

/// The lines of a diff that take at most so many bytes of HTML.
fn diff_lines(diff: &str, most: usize) -> Vec<DiffLine> {
    /// What a line takes beside its text.
    const AROUND: usize = 34;
    let diff = visible(diff);
    let class = |line: &str| match line.as_bytes().first() {
        Some(b'-') => "minus",
        Some(b'+') => "plus",
        _ => "",
    };
    let mut lines = Vec::new();
    let mut left = most;
    for line in diff.lines() {
        let (text, size) = payload::fitting(line, left.saturating_sub(AROUND));
        if text.len() < line.len() || left < AROUND {
            lines.push(DiffLine { class: "", text: "… the rest is not shown here".to_owned() });
            break;
        }
        left -= size + AROUND;
        lines.push(DiffLine { class: class(line), text: text.to_owned() });
    }
    lines
}

fn differing(report: &Report) -> (Vec<SnapshotView>, String) {
    // Those that a finding explains are listed under it.
    let differences: Vec<&SnapshotDifference> =
        report.snapshots.differing.iter().filter(|difference| difference.because_of.is_empty()).collect();
    let mut room = MOST_OF_SNAPSHOTS;
    let mut views = Vec::new();
    for difference in &differences {
        let lines = diff_lines(&shared::only_changes(&difference.diff), MOST_OF_TEXT);
        let size: usize = lines.iter().map(|line| payload::escaped_len(&line.text) + 40).sum();
        if size > room {
            break;
        }
        room -= size;
        let (class, mark) = if difference.waived.is_some() { ("odd", "!") } else { ("bad", "✗") };
        let note = difference.waived.as_deref().map_or(String::new(), line);
        let verdict = if difference.waived.is_some() { "waived" } else { "fail" };
        views.push(SnapshotView { name: line(&difference.name), class, mark, verdict, note, diff: lines });
    }
    let missing = differences.len() - views.len();
    let note = match missing {
        0 => String::new(),
        _ => format!(
            "{} that differ: this page would become too large; the JSON report has them.",
            many(missing as u64, "more snapshot", "more snapshots")
        ),
    };
    (views, note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_is_a_link() {
        assert_eq!(link("https://github.com/a/b/issues/1").expect("a link").name, "a/b/issues/1");
        assert!(link("javascript:alert(1)").is_none());
        assert!(link("data:text/html,x").is_none());
    }

    #[test]
    fn the_page_is_safe_to_embed() {
        // Neither may end its element, or the hash would be that of another text.
        assert!(!CSS.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
        // A parser turns these into newlines before it hashes.
        assert!(!CSS.contains('\r') && !SCRIPT.contains('\r'));
    }
}
