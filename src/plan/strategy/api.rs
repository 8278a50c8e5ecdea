//! Plans for targets that call the provider's API.

use proptest::{bool::weighted, collection::vec, prelude::*};

use super::{
    Draw, PlanStrategy,
    faults::{again, late},
};
use crate::plan::step::{Action, Fault, FaultKind, Step};

/// How many events tell of a refund's change at the most.
const MOST_EVENTS: u8 = 4;

impl Draw<'_> {
    /// What is fetched when an old event comes is what happened since, and is told once more later.
    pub(super) fn fetched_state(&self) -> PlanStrategy {
        let befalls = prop_oneof![2 => late(), 1 => again()].boxed();
        self.with_faults(self.order(), self.lives(self.any_refund(), self.any_end(), 1, 3), befalls, 1..6)
    }

    /// Parts of the order, so that booking one of them twice shows.
    pub(super) fn webhook_before_answer(&self) -> PlanStrategy {
        let plan = self.plan(self.order(), self.lives(self.own_part(), self.any_end(), 1, 2));
        // Of some the answer never comes, and the shop asks again.
        (plan, vec((1_u8..4, weighted(0.3)), 1..4))
            .prop_map(|(mut plan, how)| {
                let is_own = |step: &&mut Step| matches!(step.action, Action::Refund { own: true, .. });
                for (step, (with, lost)) in plan.steps.iter_mut().filter(is_own).zip(how) {
                    step.faults.push(Fault { event: 0, kind: FaultKind::BeforeAnswer { with, lost } });
                }
                plan
            })
            .boxed()
    }

    pub(super) fn api_failure(&self) -> PlanStrategy {
        // All events to the end meet the trouble, or the next of them would bring what the first has lost.
        let back = 1_usize..4;
        let how = prop_oneof![8 => 0_u8..3, 1 => Just(3_u8)];
        let plan = self.all_or_one_view(self.plan(self.order(), self.lives(self.refund(), self.any_end(), 1, 2)));
        (plan, back, vec(how, 4))
            .prop_map(|(mut plan, back, how)| {
                let first = plan.steps.len().saturating_sub(back);
                for (step, how) in plan.steps[first..].iter_mut().zip(how) {
                    step.faults.extend((0..MOST_EVENTS).map(|event| Fault { event, kind: FaultKind::ApiFails { how } }));
                }
                plan
            })
            .boxed()
    }
}
