//! What the verdicts on the requirements add up to. It follows from the report alone, so a run, a merge of shards and
//! whoever checks a report come to the same.

use super::outcome::{ItemResult, Report, RequirementResult};
use crate::{
    check::verdict::{Conformance, Judged, Verdict},
    corpus::Level,
};

/// Sets the verdict on each item and on the whole run, and the sums.
pub fn conclude(report: &mut Report) {
    let mut items: Vec<ItemResult> = Vec::new();
    for requirement in &report.requirements {
        if !items.iter().any(|item| item.id == requirement.item) {
            let of_item = report.requirements.iter().filter(|other| other.item == requirement.item);
            items.push(ItemResult { id: requirement.item.clone(), verdict: conformance(report, of_item) });
        }
    }
    report.items = items;
    report.verdict = verdict(report);
    report.totals.cases = report.requirements.iter().map(|requirement| u64::from(requirement.cases)).sum();
    report.totals.deliveries = report.requirements.iter().map(|requirement| requirement.deliveries).sum();
}

fn verdict(report: &Report) -> Conformance {
    let verdict = conformance(report, &report.requirements);
    let stale = report.known_failing.as_ref().is_some_and(|known| !known.problems.is_empty());
    let failing = report.findings.iter().any(|finding| finding.level == Level::Must && finding.waived.is_none());
    if stale || failing || report.snapshots.differing.iter().any(|difference| difference.waived.is_none()) {
        Conformance::NotConformant
    } else if report.snapshots.cut_short && verdict == Conformance::Conformant {
        Conformance::NotJudged
    } else {
        verdict
    }
}

fn conformance<'r>(report: &Report, requirements: impl IntoIterator<Item = &'r RequirementResult>) -> Conformance {
    let out_of_time = report.interrupted.is_some();
    // A shard cannot know whether the others reached the floor.
    let counts = |result: &RequirementResult| report.shard.is_none() || out_of_time || result.verdict != Verdict::NotExercised;
    Conformance::of(requirements.into_iter().map(|result| Judged {
        verdict: result.verdict,
        must: result.level == Level::Must,
        judged: result.judged && counts(result),
        accepted: report.findings.iter().filter(|finding| result.findings.contains(&finding.id)).all(|finding| finding.waived.is_some()),
        out_of_time,
    }))
}
