//! What is sent again when everything else was sent, to every target.
//!
//! A shop that keeps a limited number of event ids, or those of one order, forgets the older ones when enough else has come.
//! Ordinary cases are too short for that, so one case in many is long, and where several orders are told of, some events come
//! once more at the end. It befalls plans after they were drawn, so that all other cases stay as they are.

use super::{Palette, Recipe};
use crate::plan::{
    others::paid_back,
    step::{Action, Fault, FaultKind, OrderPlan, Plan, Step},
};

/// Sent again when everything else was sent, and no time passes before.
const AT_THE_END: FaultKind = FaultKind::MuchLater { hours: 0, first: false };

/// One case in so many is long.
const ONE_IN: u32 = 100;

/// How many events of a family at most are sent again at the end of a long case.
const FAMILY: u8 = 8;

/// What befalls the plans of a recipe.
pub(super) enum Endings {
    /// One plan in many goes on with so many refunds of other orders, before an order of which all was told is told of again.
    Long { refunds: u8 },
    /// In one plan of so many a refund is paid back first, then one of another order, and what told of the first comes again at the
    /// end.
    Several { one_in: u64 },
}

impl Endings {
    /// The first case that is long.
    pub(super) const LONG: u32 = 10;

    /// What befalls the plans of this recipe; `None` where nothing does.
    pub(super) fn of(recipe: Recipe, palette: &Palette) -> Option<Endings> {
        match recipe {
            // Where charges tell of the refunds too, half as many refunds make as many events.
            Recipe::Duplicates => Some(Endings::Long { refunds: if palette.charges { 60 } else { 120 } }),
            Recipe::MixedTraffic => Some(Endings::Several { one_in: 4 }),
            _ => None,
        }
    }

    /// The plan of the case with this number, with what befalls it.
    pub(super) fn befall(&self, plan: Plan, number: u32, seed: u64) -> Plan {
        match self {
            Endings::Long { refunds } if number % ONE_IN == Endings::LONG => long(plan, *refunds),
            Endings::Long { .. } => plan,
            Endings::Several { one_in } if seed.is_multiple_of(*one_in) => several(plan),
            Endings::Several { .. } => plan,
        }
    }
}

/// A refund of an order of its own that is paid back, then everything that was drawn, then many refunds of others, and at last that
/// order's events once more.
fn long(mut plan: Plan, refunds: u8) -> Plan {
    if plan.orders.is_empty() {
        plan.orders.push(OrderPlan::default());
    }
    // Steps go by the number of orders, so those that were drawn mean the same only if no further order is theirs.
    let drawn = u8::try_from(plan.orders.len()).unwrap_or(u8::MAX);
    plan.steps.iter_mut().for_each(|step| step.order %= drawn);
    plan.orders.push(OrderPlan { captured: 5_000, ..OrderPlan::default() });
    plan.steps.splice(..0, refunded(drawn, 700, told_again()));
    plan.steps.push(Step::plain(Action::OtherOrders { refunds }));
    plan
}

/// One order's refund, another's, then everything that was drawn, and at last the first one's events once more. Where there is one
/// order, nothing.
fn several(mut plan: Plan) -> Plan {
    if plan.orders.len() > 1 {
        plan.steps.splice(..0, [refunded(0, 2, told_again()), paid_back(1, 3)].concat());
    }
    plan
}

/// Everything that a step tells, at the end.
fn told_again() -> Vec<Fault> {
    (0..FAMILY).map(|event| Fault { event, kind: AT_THE_END }).collect()
}

/// A refund of so many minor units, asked for and paid back, the second with what befalls it.
fn refunded(order: u8, units: u64, faults: Vec<Fault>) -> [Step; 2] {
    let [asked, paid] = paid_back(order, units);
    [asked, Step { faults, ..paid }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Pick;

    fn drawn(orders: usize, order: u8) -> Plan {
        let steps = vec![Step { order, ..Step::plain(Action::refund(Pick::All)) }];
        Plan { orders: vec![OrderPlan::default(); orders], steps, only: Vec::new(), look: 0 }
    }

    #[test]
    fn what_was_drawn_is_of_the_same_order_in_a_long_plan() {
        let plan = long(drawn(2, 5), 9);
        let (order, own) = (plan.orders.len(), plan.steps.iter().filter(|step| step.action == Action::refund(Pick::All)));
        assert_eq!((order, own.map(|step| step.order).collect::<Vec<_>>()), (3, vec![1]));
    }

    #[test]
    fn one_order_is_not_several() {
        assert_eq!(several(drawn(1, 0)), drawn(1, 0));
        assert!(several(drawn(2, 0)).steps.len() > 1);
    }
}
