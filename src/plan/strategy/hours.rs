//! Time that passes between deliveries, for targets for which it can pass.
//!
//! It befalls plans after they were drawn, so a target for which no time passes gets the same cases as if there were none of
//! this. Nothing is sent later than the provider itself would send it: whoever forgets an event after that is right.

use proptest::{collection::vec, prelude::*, strategy::BoxedStrategy};

use super::{Palette, Recipe, traffic::is_end};
use crate::plan::{
    draw::draw,
    step::{Fault, FaultKind, Plan},
};

/// What befalls the plans of a recipe.
pub(super) struct Hours {
    faults: BoxedStrategy<Vec<(u8, u8, FaultKind)>>,
    /// Whether it befalls only what is overtaken by the end of a refund.
    early: bool,
}

impl Hours {
    /// What befalls the plans of this recipe; `None` where nothing does.
    pub(super) fn of(recipe: Recipe, palette: &Palette) -> Option<Hours> {
        let most = palette.sends_again_for;
        if most == 0 {
            return None;
        }
        // Most of them nearly as late as can be: that is when most has been forgotten.
        let hours = prop_oneof![1 => 1..=most.div_ceil(2), 2 => most - most / 4..=most].boxed();
        let later = move |first: bool| hours.clone().prop_map(move |hours| FaultKind::MuchLater { hours, first });
        let some = |kind: BoxedStrategy<FaultKind>, most: usize| vec((any::<u8>(), any::<u8>(), kind), 1..=most).boxed();
        let (one_in, faults) = match recipe {
            Recipe::Duplicates => (2, some(later(false).boxed(), 2)),
            Recipe::LateEvents => (2, some(later(true).boxed(), 2)),
            Recipe::OpenRefunds => (3, some(later(false).boxed(), 1)),
            Recipe::MixedTraffic => (3, some(any::<bool>().prop_flat_map(later).boxed(), 2)),
            _ => return None,
        };
        let faults = prop_oneof![one_in - 1 => Just(Vec::new()), 1 => faults].boxed();
        Some(Hours { faults, early: recipe == Recipe::LateEvents })
    }

    /// The plan with what befalls it, which follows from the seed.
    pub(super) fn befall(&self, mut plan: Plan, seed: u64) -> Plan {
        let steps: Vec<usize> = (0..plan.steps.len()).filter(|step| !self.early || !is_end(&plan.steps[*step].action)).collect();
        if steps.is_empty() {
            return plan;
        }
        for (step, event, kind) in draw(&self.faults, seed).unwrap_or_default() {
            plan.steps[steps[usize::from(step) % steps.len()]].faults.push(Fault { event, kind });
        }
        plan
    }
}
