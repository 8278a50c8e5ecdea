//! Orders of which less can be refunded than is left of them. It befalls plans after they were drawn, so that all other cases stay
//! as they are.

use proptest::{prelude::*, strategy::BoxedStrategy};

use super::{Palette, Recipe};
use crate::plan::{
    draw::draw,
    extra::Extra,
    step::{OrderPlan, Plan},
};

/// Which plans of a recipe have such orders.
pub(super) struct Gaps(BoxedStrategy<bool>);

impl Gaps {
    /// Those of this recipe; `None` where there are none. Where money is charged back, a gap would leave it open how much.
    pub(super) fn of(recipe: Recipe, palette: &Palette) -> Option<Gaps> {
        let has_gaps = recipe == Recipe::OtherEvents && palette.extras.contains(&Extra::Withheld);
        has_gaps.then(|| Gaps(any::<bool>().boxed()))
    }

    /// The plan with its gaps, which follow from the seed.
    pub(super) fn befall(&self, mut plan: Plan, seed: u64) -> Plan {
        if draw(&self.0, seed).unwrap_or_default() {
            if plan.orders.is_empty() {
                plan.orders.push(OrderPlan::default());
            }
            plan.orders.iter_mut().for_each(|order| order.extras.push(Extra::Withheld));
        }
        plan
    }
}
