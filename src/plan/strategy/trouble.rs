//! Trouble inside the target: a disk that is full, and a time in which it stands still.
//!
//! It befalls plans after they were drawn, so that what else befalls them stays as it was.

use proptest::{collection::vec, prelude::*, strategy::BoxedStrategy};

use super::{Recipe, faults::befall};
use crate::plan::{
    draw::draw,
    step::{FaultKind, Plan},
};

/// What befalls the plans of a recipe.
pub(super) struct Trouble(BoxedStrategy<Vec<Befalls>>);

/// Which step and which of its events, modulo how many there are, and what.
type Befalls = (u8, u8, FaultKind);

impl Trouble {
    /// What befalls the plans of this recipe; `None` where nothing does.
    pub(super) fn of(recipe: Recipe) -> Option<Trouble> {
        if recipe != Recipe::Restarts {
            return None;
        }
        let kind = prop_oneof![1 => Just(FaultKind::DiskFull), 1 => any::<u8>().prop_map(|long| FaultKind::StandsStill { long })];
        let one = vec((any::<u8>(), any::<u8>(), kind), 1);
        Some(Trouble(prop_oneof![1 => Just(Vec::new()), 1 => one].boxed()))
    }

    /// The plan with what befalls it, which follows from the seed.
    pub(super) fn befall(&self, plan: Plan, seed: u64) -> Plan {
        befall(plan, draw(&self.0, seed).unwrap_or_default())
    }
}
