//! From the cases of a requirement to its verdict: the same for a run that saw them all and for shards put together.

use super::{
    outcome::{FailureReport, RequirementResult},
    shard::{RanCase, Trail},
};
use crate::{check::verdict::Verdict, corpus::Level};

/// How many failing cases are looked at where the failures are known: each is shrunk to see whether it is another one.
pub(super) const MOST_KNOWN: u32 = 8;

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
    let mut failing = 0;
    let end = ran.iter().position(|case| {
        failing += u32::from(case.failed.is_some());
        case.last || failing == MOST_KNOWN
    });
    if let Some(end) = end {
        ran.truncate(end + 1);
    }
}

/// Takes note of a failure, once for each fingerprint. One that came again tells more than one that did not.
pub(super) fn note(failures: &mut Vec<FailureReport>, failure: FailureReport) {
    match failures.iter_mut().find(|other| other.fingerprint == failure.fingerprint) {
        None => failures.push(failure),
        Some(other) if failure.came_again() && !other.came_again() => *other = failure,
        Some(_) => {}
    }
}

/// Sums up what was run and gives the verdict, unless there is one because the target could not be judged.
pub(super) fn settle(result: &mut RequirementResult, trail: &Trail) {
    result.cases = u32::try_from(trail.ran.len()).unwrap_or(u32::MAX);
    result.deliveries = trail.ran.iter().map(|case| case.deliveries).sum();
    // A case that failed got somewhere, whether or not that was where it should.
    let reached = trail.ran.iter().filter(|case| !case.missed || case.failed.is_some()).count();
    result.exercised = u32::try_from(reached).unwrap_or(u32::MAX);
    if result.verdict == Verdict::Error {
        return;
    }
    if let Some(first) = result.failures.first() {
        result.verdict = match result.level {
            Level::Must if result.failures.iter().any(FailureReport::came_again) => Verdict::Fail,
            // What nobody can see again is no proof.
            Level::Must => {
                let runs = first.chance.map_or(1, |chance| chance.runs + 1);
                result.note = Some(format!("not reproducible: failed once in {runs} runs of {}", first.case));
                Verdict::Error
            }
            Level::Should => Verdict::Warn,
        };
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
