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
            entries.insert(place, Entry { act: Act::Begin(order_id), expect: Vec::new(), expect_if_refused: Vec::new() });
        }
    }
    entries
}
