//! Orders of which a target hears only when events of them have come.

use crate::{
    case::{Act, Delivery, Entry},
    plan::OrderPlan,
};

/// After more deliveries than these an order is known before all of them.
const MOST: u8 = 8;

/// Puts in line when orders become known that are not known from the beginning: after so many of their deliveries, and before
/// the shop makes a refund of them itself.
pub(super) fn in_line<'p>(mut entries: Vec<Entry>, orders: impl Iterator<Item = (String, &'p OrderPlan)>) -> Vec<Entry> {
    for (order_id, plan) in orders.filter(|(_, plan)| (1..=MOST).contains(&plan.known_after)) {
        let is_about = |delivery: &&Delivery| delivery.event.order_id.as_ref() == Some(&order_id);
        let (mut came, mut place) = (0, 0);
        for (index, entry) in entries.iter().enumerate() {
            let own = match &entry.act {
                Act::Initiate(own) | Act::Meanwhile(own, _) => own.order_id == order_id,
                _ => false,
            };
            if own || came >= usize::from(plan.known_after) {
                break;
            }
            let about = entry.act.deliveries().iter().filter(is_about).count();
            if about > 0 {
                (came, place) = (came + about, index + 1);
            }
        }
        if came > 0 {
            // What was kept for it must be there after a restart too.
            place += entries[place..].iter().take_while(|entry| matches!(entry.act, Act::Restart)).count();
            entries.insert(place, Entry { act: Act::Begin(order_id), expect: Vec::new(), expect_if_refused: Vec::new() });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{Action, Fault, FaultKind, Level, Opening, Pick, Plan, Step},
        provider::{lower, registered},
    };

    fn refund(order: u8, own: bool) -> Step {
        let action = Action::Refund { amount: Pick::Units(5), level: Level::Order, joins: false, own, kind: 0, opens: Opening::Pending };
        Step { order, ..Step::plain(action) }
    }

    #[test]
    fn after_a_restart_that_follows_them() {
        let restarts = Step { faults: vec![Fault { event: 0, kind: FaultKind::RestartAfter }], ..refund(0, false) };
        let plan = Plan {
            orders: vec![OrderPlan { known_after: 1, ..OrderPlan::default() }],
            steps: vec![restarts],
            only: vec!["refund.created".to_owned()],
            look: 0,
        };
        let entries = lower(registered()[0].embedded(), &plan, 1).case.entries;
        assert!(matches!(
            entries[..],
            [Entry { act: Act::Deliver(_), .. }, Entry { act: Act::Restart, .. }, Entry { act: Act::Begin(_), .. }]
        ));
    }

    /// The first order becomes known after so many of its deliveries: after how many of all deliveries that is.
    #[track_caller]
    fn check(known_after: u8, steps: Vec<Step>, expected: Option<usize>) {
        let provider = registered()[0].embedded();
        let orders = vec![OrderPlan { known_after, ..OrderPlan::default() }, OrderPlan::default()];
        let entries = lower(provider, &Plan { orders, steps, only: vec!["refund.created".to_owned()], look: 0 }, 1).case.entries;
        let place = entries.iter().position(|entry| matches!(entry.act, Act::Begin(_)));
        assert_eq!(place.map(|place| entries[..place].iter().map(|entry| entry.act.deliveries().len()).sum()), expected);
    }

    #[test]
    fn after_so_many_of_its_own_deliveries() {
        let steps = || vec![refund(0, false), refund(1, false), refund(0, false), refund(0, false)];
        check(0, steps(), None);
        check(1, steps(), Some(1));
        check(2, steps(), Some(3));
        check(MOST + 1, steps(), None);
    }

    #[test]
    fn at_the_latest_after_all_of_them() {
        check(8, vec![refund(0, false), refund(1, false)], Some(1));
        check(8, vec![refund(1, false)], None);
    }

    #[test]
    fn before_the_shop_refunds_it_itself() {
        check(2, vec![refund(0, false), refund(0, true)], Some(1));
        check(2, vec![refund(0, true)], None);
        check(2, vec![refund(1, true), refund(0, false), refund(0, false)], Some(3));
    }
}
