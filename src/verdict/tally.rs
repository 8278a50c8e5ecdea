//! From the cases of a requirement to its verdict: the same for a run that saw them all and for shards put together.

use super::{
    Verdict,
    outcome::{FindingReport, RequirementResult},
    shard::{RanCase, Sums, Trail},
};
use crate::corpus::Level;

/// That the target's claims are why too few cases could have shown a mistake.
fn blind(exercised: u32, cases: u32, floor: u32) -> String {
    if exercised == 0 || exercised >= floor {
        return "under the claims of this target no case can show a mistake in it".to_owned();
    }
    format!("under the claims of this target {exercised} of {cases} cases can show a mistake in it; {floor} must")
}

/// How many cases there are so far, whoever runs them. It follows from the draws and the target's claims alone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Planned {
    cases: u32,
    exercised: u32,
}

impl Planned {
    /// How many there are.
    pub(crate) fn cases(self) -> u32 {
        self.cases
    }

    /// One more case.
    pub(crate) fn count(&mut self, exercised: bool) {
        self.cases += 1;
        self.exercised += u32::from(exercised);
    }

    /// Whether more cases are to be drawn, of `most` that can be: too few, or too few that can show a mistake. Where it is known
    /// that the target's claims hide it in the others, only if there will be enough, as things look.
    pub(crate) fn wants_more(self, wanted: u32, most: u32, floor: u32, blinded: u32) -> bool {
        let will_be_enough = || u64::from(self.exercised) * u64::from(most) >= u64::from(floor) * u64::from(self.cases);
        self.cases < wanted || self.exercised < floor && (self.exercised + blinded < floor || will_be_enough())
    }
}

/// Whether enough cases could have shown a mistake.
fn is_exercised(exercised: u32, floor: u32, trail: &Trail) -> bool {
    exercised >= floor && exercised > 0 && trail.refuted
}

/// Whether the target's claims are why too few could.
fn is_blind(exercised: u32, floor: u32, trail: &Trail) -> bool {
    let could = exercised.saturating_add(trail.blinded).saturating_add(trail.uncalled);
    could >= floor && could > 0
}

/// The cases that one run would have run, of cases from several shards in order: up to the first that ends it.
pub(crate) fn until_the_end(ran: &mut Vec<RanCase>) {
    if let Some(end) = ran.iter().position(|case| case.last) {
        ran.truncate(end + 1);
    }
}

/// Sums up what was run and gives the verdict, unless there is one because the target could not be judged. `strict` counts
/// a SHOULD as a MUST.
pub(crate) fn settle(result: &mut RequirementResult, trail: &Trail, findings: &[FindingReport], strict: bool) {
    let Sums { cases, exercised, deliveries, refused_first } = trail.sums();
    (result.cases, result.exercised, result.deliveries, result.refused_first) = (cases, exercised, deliveries, refused_first);
    result.by_claims = false;
    let (about, others) = findings_of(trail, findings, &result.id);
    if result.verdict == Verdict::Error {
        // What was found before it could not be judged any more is found all the same.
        result.findings = about.into_iter().chain(others).collect();
        return;
    }
    if trail.has_failed() {
        let of = |finding: &&FindingReport| about.contains(&finding.id) || about.is_empty() && others.contains(&finding.id);
        let behind: Vec<&FindingReport> = findings.iter().filter(of).collect();
        let is_must = result.level == Level::Must || strict;
        result.verdict = match (about.is_empty() && !others.is_empty(), is_must) {
            (_, true) if !behind.is_empty() && !behind.iter().any(|finding| finding.came_again()) => {
                // What nobody can see again is no proof.
                let runs = behind.first().and_then(|finding| finding.chance).map_or(1, |chance| chance.runs.saturating_add(1));
                result.note = Some(format!("not reproducible: failed once in {runs} runs of {}", behind[0].case));
                Verdict::Error
            }
            (false, true) => Verdict::Fail,
            (false, false) => Verdict::Warn,
            // A case that passes shows that the others fail because of something else.
            (true, _) if trail.freed || trail.has_passed() => Verdict::Affected,
            (true, _) => Verdict::Masked,
        };
        result.findings = about.into_iter().chain(others).collect();
    } else if is_exercised(result.exercised, result.floor, trail) {
        result.verdict = Verdict::Pass;
    } else if is_blind(result.exercised, result.floor, trail) {
        // Claiming less is a choice and no fault; that it was not judged is said.
        result.by_claims = true;
        result.note = Some(blind(result.exercised, result.cases, result.floor));
    } else {
        result.note = Some(format!("{} of {} cases could have shown a mistake; {} must", result.exercised, result.cases, result.floor));
    }
}

/// The findings because of which cases failed: those about the requirement, and the others.
fn findings_of(trail: &Trail, findings: &[FindingReport], id: &str) -> (Vec<String>, Vec<String>) {
    let failed = || trail.ran.iter().filter_map(|case| case.failed.as_ref()).flatten();
    let of = findings.iter().filter(|finding| failed().any(|other| *other == finding.id));
    let (about, others): (Vec<&FindingReport>, Vec<&FindingReport>) = of.partition(|finding| finding.about == id);
    let ids = |findings: Vec<&FindingReport>| findings.into_iter().map(|finding| finding.id.clone()).collect();
    (ids(about), ids(others))
}

/// Says of each finding what else fails because of it, and how much it weighs: a MUST that cannot hold makes it one.
pub(crate) fn link(requirements: &[RequirementResult], findings: &mut [FindingReport]) {
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
pub(crate) fn settle_share(result: &mut RequirementResult, trail: &Trail, planned: Planned) {
    let is_settled = !matches!(result.verdict, Verdict::Pass | Verdict::NotExercised);
    if is_settled {
        return;
    }
    let is_reachable = is_exercised(planned.exercised, result.floor, trail);
    result.by_claims = !is_reachable && is_blind(planned.exercised, result.floor, trail);
    (result.verdict, result.note) = if !trail.finished {
        (Verdict::NotExercised, Some("the run ended before all cases of this shard".to_owned()))
    } else if is_reachable && trail.sums().cases == 0 {
        (Verdict::NotExercised, Some("none of its cases is in this shard".to_owned()))
    } else if is_reachable {
        (Verdict::Pass, None)
    } else if result.by_claims {
        (Verdict::NotExercised, Some(blind(planned.exercised, planned.cases, result.floor)))
    } else {
        let Planned { cases, exercised } = planned;
        let note = format!("{exercised} of {cases} cases of all shards could have shown a mistake; {} must", result.floor);
        (Verdict::NotExercised, Some(note))
    };
}
