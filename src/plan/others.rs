//! What happens to other orders, written out.
//!
//! Cases that are long on purpose say in one step how many refunds of other orders come between. So they get shorter by making
//! one number smaller, and whoever reads such a plan sees what matters.

use std::borrow::Cow;

use super::step::{Action, OrderPlan, Pick, Plan, Step};

/// How many refunds each of the other orders has at most.
const REFUNDS: u8 = 5;

/// What was captured of each of them, in minor units: enough for its refunds.
const CAPTURED: u64 = 5_000;

impl Plan {
    /// Of how many orders it says what happens to each; the others come after these.
    pub fn own_orders(&self) -> usize {
        self.orders.len().max(1)
    }

    /// The plan with steps for each order in place of [`Action::OtherOrders`]. Where there would be more orders than steps can name,
    /// nothing happens to others.
    pub fn written_out(&self) -> Cow<'_, Plan> {
        let refunds = |step: &Step| if let Action::OtherOrders { refunds } = step.action { Some(refunds) } else { None };
        let Some(most) = self.steps.iter().filter_map(refunds).max() else { return Cow::Borrowed(self) };
        let others = most.div_ceil(REFUNDS);
        let Some(own) = u8::try_from(self.own_orders()).ok().filter(|own| own.checked_add(others).is_some()) else {
            return Cow::Borrowed(self);
        };
        let mut orders = self.orders.clone();
        orders.resize(usize::from(own), OrderPlan::default());
        orders.extend((0..others).map(|_| OrderPlan { captured: CAPTURED, ..OrderPlan::default() }));
        let write_out = |step: &Step| match refunds(step) {
            // Each order has its turn before one comes again, and amounts differ.
            Some(refunds) => (0..refunds).flat_map(|number| paid_back(own + number % others, 100 + u64::from(number))).collect(),
            // Steps go by the number of orders, of which there are more now.
            None => vec![Step { order: step.order % own, ..step.clone() }],
        };
        Cow::Owned(Plan { orders, steps: self.steps.iter().flat_map(write_out).collect(), only: self.only.clone(), look: self.look })
    }
}

/// A refund of so many minor units, asked for and paid back.
pub(super) fn paid_back(order: u8, units: u64) -> [Step; 2] {
    [Action::refund(Pick::Units(units)), Action::Succeed { refund: 0, paid: Pick::All }].map(|action| Step { order, ..Step::plain(action) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(orders: usize, steps: &[Action]) -> Plan {
        let steps = steps.iter().cloned().map(|action| Step { order: 3, ..Step::plain(action) }).collect();
        Plan { orders: vec![OrderPlan { captured: 7, ..OrderPlan::default() }; orders], steps, only: Vec::new(), look: 0 }
    }

    #[track_caller]
    fn check(plan: &Plan, orders: usize, steps: usize) {
        let written = plan.written_out();
        assert_eq!((written.orders.len(), written.steps.len()), (orders, steps));
    }

    #[test]
    fn as_many_orders_as_the_refunds_need_and_two_steps_for_each() {
        check(&plan(1, &[Action::OtherOrders { refunds: 11 }]), 1 + 3, 22);
        check(&plan(0, &[Action::OtherOrders { refunds: 5 }]), 1 + 1, 10);
        check(&plan(2, &[Action::OtherOrders { refunds: 0 }, Action::Dispute]), 2, 1);
    }

    #[test]
    fn several_such_steps_are_about_the_same_orders() {
        check(&plan(2, &[Action::OtherOrders { refunds: 4 }, Action::OtherOrders { refunds: 6 }]), 2 + 2, 20);
    }

    #[test]
    fn what_is_said_of_its_own_orders_stays_about_them() {
        let plan = plan(2, &[Action::Dispute, Action::OtherOrders { refunds: 1 }]);
        let written = plan.written_out();
        assert_eq!(written.orders[..2], plan.orders);
        assert_eq!(written.steps.iter().map(|step| step.order).collect::<Vec<_>>(), [1, 2, 2]);
    }

    #[test]
    fn a_plan_without_such_a_step_is_itself() {
        let plan = plan(0, &[Action::Dispute]);
        assert!(matches!(plan.written_out(), Cow::Borrowed(same) if *same == plan));
    }

    #[test]
    fn more_orders_than_can_be_named_leave_it_out() {
        let plan = plan(250, &[Action::OtherOrders { refunds: 255 }]);
        assert_eq!(*plan.written_out(), plan);
    }
}
