//! Cases that earlier runs saved, played before anything else: so a repair shows at once.

use super::campaign::Campaign;
use crate::{
    adapter::Capabilities,
    case::{Case, Delivery, Effect},
    check::Rules,
    corpus::Level,
    drive::with_fresh_ids,
    plan::Group,
    search::terms,
    verdict::{FindingReport, SavedResult},
};

/// Ids of saved cases follow from findings; the same finding may be made again in this run, under ids of its own.
const SALT: u64 = 0x5a_7ed;

impl Campaign<'_> {
    /// Plays the saved cases. One that cannot be judged, or of which nothing is sent to this target, is passed over.
    pub(super) fn play_saved(&self, capabilities: &Capabilities) -> Vec<SavedResult> {
        let mut results = Vec::new();
        // One shard is enough for them.
        if self.options.shard.is_some_and(|shard| shard.number != 1) {
            return results;
        }
        let mut driver = None;
        for (file, case) in &self.options.saved {
            if self.is_over() {
                break;
            }
            driver = driver.or_else(|| self.driver().ok());
            let Some(ready) = driver.as_mut() else { break };
            let Some(case) = for_target(case, capabilities) else { continue };
            let outcome =
                ready.run("saved", &case, Rules::of(case.requirement.as_deref().unwrap_or_default(), self.provider.answer_limit()));
            if outcome.error.is_none() {
                let fails = outcome.failure.as_ref().map(|failure| failure.message.clone());
                let advice = self.is_advice(case.requirement.as_deref()) || asks_for_advice(&case);
                results.push(SavedResult { file: file.clone(), fails, finding: None, advice, waived: None });
            }
            if outcome.has_stopped() && ready.recover().is_err() {
                driver = None;
            }
        }
        results
    }

    fn is_advice(&self, id: Option<&str>) -> bool {
        let requirements = &self.provider.corpus().requirements;
        requirements.iter().any(|requirement| Some(requirement.id.as_str()) == id && requirement.level == Level::Should)
    }
}

/// Whether a case asks that what no provider writes is read, which is advice whatever else the case was saved for.
fn asks_for_advice(case: &Case) -> bool {
    let is_unusual = |delivery: &Delivery| delivery.mutation_kind.is_some_and(|kind| kind.group() == Group::Unusual);
    case.all_deliveries().any(|delivery| delivery.effect == Effect::Accept && is_unusual(delivery))
}

fn for_target(case: &Case, capabilities: &Capabilities) -> Option<Case> {
    let case = with_fresh_ids(case, SALT);
    let case = case.restricted_to(terms(&|kind| capabilities.is_subscribed(kind), capabilities));
    (case.deliveries() > 0).then_some(case)
}

/// Says which finding each saved case belongs to: its file is called after it, and after what it was said to be about then.
pub(super) fn assign(saved: &mut [SavedResult], findings: &[FindingReport]) {
    for result in saved.iter_mut().filter(|result| result.fails.is_some()) {
        let of = findings.iter().find(|finding| result.is_of(&finding.id));
        result.finding = of.map(|finding| finding.id.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        case::by_hand::{case, deliver, paid},
        plan::MutationKind,
    };

    #[track_caller]
    fn check(mutation_kind: Option<MutationKind>, effect: Effect, expected: bool) {
        let delivery = Delivery { mutation_kind, effect, ..paid("o1", "a") };
        assert_eq!(asks_for_advice(&case(&["o1"], vec![deliver(delivery)])), expected);
    }

    #[test]
    fn to_read_what_nobody_writes_is_advice() {
        check(Some(MutationKind::UnusualNumber), Effect::Accept, true);
        check(Some(MutationKind::UnusualNumber), Effect::Tolerate, false);
        check(Some(MutationKind::Whitespace), Effect::Accept, false);
        check(None, Effect::Accept, false);
    }
}
