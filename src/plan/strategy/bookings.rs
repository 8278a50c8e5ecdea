//! Bookings that stand for no refund and no chargeback, among those that do. They befall plans after they were drawn, so that all
//! other cases stay as they are.

use proptest::{collection::vec, prelude::*, strategy::BoxedStrategy};

use super::{Palette, Recipe};
use crate::plan::{
    draw::draw,
    step::{Action, Plan, Step},
};

/// Bookings of further types in some plans of a recipe: where in each, and which.
pub(super) struct Bookings(BoxedStrategy<Vec<(u8, u16)>>);

impl Bookings {
    /// Those of this recipe; `None` where there are none.
    pub(super) fn of(recipe: Recipe, palette: &Palette) -> Option<Bookings> {
        if recipe != Recipe::SalesTransactions || palette.further_bookings == 0 {
            return None;
        }
        let further = palette.others..palette.others.saturating_add(palette.further_bookings);
        let some = vec((any::<u8>(), further), 1..=3);
        Some(Bookings(prop_oneof![1 => Just(Vec::new()), 1 => some].boxed()))
    }

    /// The plan with its further bookings, which follow from the seed.
    pub(super) fn befall(&self, mut plan: Plan, seed: u64) -> Plan {
        for (place, event) in draw(&self.0, seed).unwrap_or_default() {
            let place = usize::from(place) % (plan.steps.len() + 1);
            plan.steps.insert(place, Step::plain(Action::Other { event }));
        }
        plan
    }
}
