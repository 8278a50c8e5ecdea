//! What the verdicts on the requirements add up to. It follows from the report alone, so a run, a merge of shards and
//! whoever checks a report come to the same.

use super::{
    Conformance, Judged, Verdict,
    outcome::{FindingReport, ItemResult, Report, RequirementResult},
};
use crate::corpus::Level;

/// Sets the verdict on each item and on the whole run, and the sums.
pub fn conclude(report: &mut Report) {
    let mut items: Vec<ItemResult> = Vec::new();
    for requirement in &report.requirements {
        if !items.iter().any(|item| item.id == requirement.item) {
            items.push(item(report, &requirement.item));
        }
    }
    report.items = items;
    report.verdict = verdict(report);
    report.totals.cases = report.requirements.iter().map(|requirement| u64::from(requirement.cases)).sum();
    // A report that somebody made up may hold any number.
    let sum = |count: fn(&RequirementResult) -> u64| report.requirements.iter().map(count).fold(0, u64::saturating_add);
    let (deliveries, refused_first) = (sum(|requirement| requirement.deliveries), sum(|requirement| requirement.refused_first));
    (report.totals.deliveries, report.totals.refused_first) = (deliveries, refused_first);
}

fn item(report: &Report, id: &str) -> ItemResult {
    let of_item = || report.requirements.iter().filter(|other| other.item == id);
    let verdict = conformance(report, of_item());
    let note = (verdict == Conformance::NotCertified).then(|| {
        let notes: Vec<&str> =
            of_item().filter(|requirement| requirement.judged).filter_map(|requirement| requirement.note.as_deref()).collect();
        // The reason that most of its requirements have; each has its own beside it.
        let times = |note: &str| notes.iter().filter(|other| **other == note).count();
        let most = notes.iter().rev().max_by_key(|note| times(note));
        most.map_or_else(|| "nothing of it was judged".to_owned(), |note| (*note).to_owned())
    });
    let is_checklist = report.suite.checklist.iter().any(|item| item == id);
    ItemResult { id: id.to_owned(), verdict, checklist: is_checklist, note }
}

fn verdict(report: &Report) -> Conformance {
    let has = |verdict: Conformance| report.items.iter().any(|item| item.verdict == verdict);
    let stale = report.known_failing.as_ref().is_some_and(|known| !known.problems.is_empty());
    let failing = report.findings.iter().any(FindingReport::fails_the_run);
    let differing = report.snapshots.differing.iter().any(|difference| difference.waived.is_none());
    let unexplained = report.saved.iter().any(|saved| saved.stands_alone(report.options.strict));
    let imported = report.imported.as_ref().is_some_and(|imported| !imported.failing.is_empty());
    if stale || failing || differing || unexplained || imported || has(Conformance::NotConformant) {
        return Conformance::NotConformant;
    }
    if has(Conformance::NotJudged) || report.snapshots.cut_short {
        return Conformance::NotJudged;
    }
    // Nothing was left out by a shard but what others run.
    let is_shard = report.shard.is_some();
    let is_missing =
        |item: &ItemResult| item.checklist && item.verdict == Conformance::NotCertified && !report.options.without.contains(&item.id);
    let nothing = !has(Conformance::Conformant) && (!report.items.is_empty() || report.snapshots.compared == 0);
    if !is_shard && (nothing || report.items.iter().any(is_missing)) { Conformance::NotCertified } else { Conformance::Conformant }
}

fn conformance<'r>(report: &Report, requirements: impl IntoIterator<Item = &'r RequirementResult>) -> Conformance {
    let out_of_time = report.interrupted.is_some();
    // A shard cannot know whether the others reached the floor.
    let counts = |result: &RequirementResult| report.shard.is_none() || out_of_time || result.verdict != Verdict::NotExercised;
    Conformance::of(requirements.into_iter().map(|result| Judged {
        verdict: result.verdict,
        must: result.level == Level::Must || report.options.strict,
        judged: result.judged && counts(result),
        accepted: is_accepted(report, result),
        out_of_time,
        out_of_budget: report.options.budget_ms.is_some(),
        by_claims: result.by_claims,
    }))
}

/// Whether a requirement of which cases fail does so only because of findings that are accepted.
fn is_accepted(report: &Report, result: &RequirementResult) -> bool {
    let mut because = report.findings.iter().filter(|finding| result.findings.contains(&finding.id)).peekable();
    because.peek().is_some() && because.all(|finding| finding.waived.is_some())
}
