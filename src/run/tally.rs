//! From the cases of a requirement to its verdict: the same for a run that saw them all and for shards put together.

use super::{
    outcome::{FindingReport, RequirementResult},
    shard::{RanCase, Trail},
};
use crate::{check::verdict::Verdict, corpus::Level};

const UNSUBSCRIBED: &str = "the target does not subscribe to enough of the events that it is about";

/// How many cases there are so far, whoever runs them. It follows from the draws alone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Planned {
    cases: u32,
    reached: u32,
}

impl Planned {
    /// One more case.
    pub(super) fn count(&mut self, reached: bool) {
        self.cases += 1;
        self.reached += u32::from(reached);
    }

    /// Whether more cases are to be drawn: too few, or too few that get where they should.
    pub(super) fn wants_more(self, wanted: u32, floor: u32) -> bool {
        self.cases < wanted || self.reached < floor
    }
}

/// The cases that one run would have run, of cases from several shards in order: up to the first that ends it.
pub(super) fn until_the_end(ran: &mut Vec<RanCase>) {
    if let Some(end) = ran.iter().position(|case| case.last) {
        ran.truncate(end + 1);
    }
}

/// Sums up what was run and gives the verdict, unless there is one because the target could not be judged.
pub(super) fn settle(result: &mut RequirementResult, trail: &Trail, findings: &[FindingReport]) {
    result.cases = u32::try_from(trail.ran.len()).unwrap_or(u32::MAX);
    result.deliveries = trail.ran.iter().map(|case| case.deliveries).sum();
    // A case that failed got somewhere, whether or not that was where it should.
    let reached = trail.ran.iter().filter(|case| !case.missed || case.failed.is_some()).count();
    result.exercised = u32::try_from(reached).unwrap_or(u32::MAX);
    if result.verdict == Verdict::Error {
        return;
    }
    if trail.ran.iter().any(|case| case.failed.is_some()) {
        let (about, others) = findings_of(trail, findings, &result.id);
        result.verdict = match (about.is_empty() && !others.is_empty(), result.level) {
            (false, Level::Must) => Verdict::Fail,
            (false, Level::Should) => Verdict::Warn,
            // A case that passes shows that the others fail because of something else.
            (true, _) if trail.freed || trail.ran.iter().any(|case| case.failed.is_none() && !case.missed) => Verdict::Affected,
            (true, _) => Verdict::Masked,
        };
        result.findings = about.into_iter().chain(others).collect();
    } else if result.exercised >= result.floor && result.exercised > 0 {
        result.verdict = Verdict::Pass;
    } else if trail.unsubscribed > 0 && result.exercised + trail.unsubscribed >= result.floor {
        // Subscribing to less is a choice and no fault; that it was not judged is said.
        result.verdict = Verdict::NotApplicable;
        result.note = Some(UNSUBSCRIBED.to_owned());
    } else {
        result.note = Some(format!("{} of {} cases got there; {} must", result.exercised, result.cases, result.floor));
    }
}

/// The findings because of which cases failed: those about the requirement, and the others.
fn findings_of(trail: &Trail, findings: &[FindingReport], id: &str) -> (Vec<String>, Vec<String>) {
    let failed = || trail.ran.iter().filter_map(|case| case.failed.as_ref()).flatten();
    let of = findings.iter().filter(|finding| finding.about == id || failed().any(|other| *other == finding.id));
    let (about, others): (Vec<&FindingReport>, Vec<&FindingReport>) = of.partition(|finding| finding.about == id);
    let ids = |findings: Vec<&FindingReport>| findings.into_iter().map(|finding| finding.id.clone()).collect();
    (ids(about), ids(others))
}

/// Says of each finding what else fails because of it, and how much it weighs: a MUST that cannot hold makes it one.
pub(super) fn link(requirements: &[RequirementResult], findings: &mut [FindingReport]) {
    for finding in findings {
        let broken = || requirements.iter().filter(|result| result.findings.contains(&finding.id));
        finding.also_fails = broken().filter(|result| result.id != finding.about).map(|result| result.id.clone()).collect();
        finding.masks = broken().filter(|result| result.verdict == Verdict::Masked).map(|result| result.id.clone()).collect();
        if broken().any(|result| result.level == Level::Must) {
            finding.level = Level::Must;
        }
    }
}

/// The verdict on a shard's share of a requirement, after [`settle`]: it passes if nothing in it failed. Whether the
/// floor was reached is known when all shards are put together.
pub(super) fn settle_share(result: &mut RequirementResult, trail: &Trail, planned: Planned) {
    let is_settled = !matches!(result.verdict, Verdict::Pass | Verdict::NotExercised | Verdict::NotApplicable);
    if is_settled {
        return;
    }
    let is_reachable = planned.reached >= result.floor && planned.reached > 0;
    (result.verdict, result.note) = if !trail.finished {
        (Verdict::NotExercised, Some("the run ended before all cases of this shard".to_owned()))
    } else if is_reachable && trail.ran.is_empty() {
        (Verdict::NotExercised, Some("none of its cases is in this shard".to_owned()))
    } else if is_reachable {
        (Verdict::Pass, None)
    } else if trail.unsubscribed > 0 && planned.reached + trail.unsubscribed >= result.floor {
        (Verdict::NotApplicable, Some(UNSUBSCRIBED.to_owned()))
    } else {
        let note = format!("{} of {} cases of all shards get there; {} must", planned.reached, planned.cases, result.floor);
        (Verdict::NotExercised, Some(note))
    };
}
