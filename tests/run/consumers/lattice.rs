//! Everything that is kept only grows, and taking in an event is taking the larger of two values; nothing is
//! remembered of events. It makes the best of doubtful events.

use std::collections::HashMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
    domain::{Amount, EventTime, OrderState, RefundState, RefundView},
};

use super::{
    Consumer, Facts, observing,
    parse::{Event, Manner, News},
};

#[derive(Default)]
pub(crate) struct Lattice {
    orders: HashMap<String, (Facts, Summit)>,
}

#[derive(Default)]
struct Summit {
    /// Final before open, then late before early.
    refunds: HashMap<String, (bool, EventTime, RefundState, Amount)>,
    /// Money paid back is not taken back, so the largest amount is the latest.
    charges: HashMap<String, Amount>,
    charged_back: bool,
}

impl Consumer for Lattice {
    fn claims(&self) -> Capabilities {
        observing(&[Observable::Currency, Observable::Refunds])
    }

    fn manner(&self) -> Manner {
        Manner { lenient: true, orders: false }
    }

    fn open(&mut self, order: &OrderSetup) {
        self.orders.insert(order.order_id.clone(), (Facts::of(order), Summit::default()));
    }

    fn facts(&self, order_id: &str) -> Option<Facts> {
        self.orders.get(order_id).map(|(facts, _)| facts.clone())
    }

    fn book(&mut self, event: Event) {
        let Some((_, summit)) = self.orders.get_mut(&event.order_id) else { return };
        match event.news {
            News::Refund(told) => {
                let new = (told.state.is_final(), event.at, told.state, told.paid);
                let known = summit.refunds.entry(told.id).or_insert_with(|| new.clone());
                if *known < new {
                    *known = new;
                }
            }
            News::Charge(picture) => {
                let paid = picture.paid();
                let known = summit.charges.entry(picture.charge).or_default();
                *known = paid.max(*known);
            }
            News::Chargeback(_) => summit.charged_back = true,
            News::Order(_) => {}
        }
    }

    fn show(&self, order_id: &str) -> Option<OrderState> {
        let (facts, summit) = self.orders.get(order_id)?;
        let by_refunds: Amount = summit.refunds.values().map(|(.., paid)| *paid).sum();
        let by_charges = summit.charges.values().copied().sum();
        let states: Vec<RefundState> = summit.refunds.values().map(|(_, _, state, _)| *state).collect();
        let mut state = facts.state(order_id, by_refunds.max(by_charges), summit.charged_back, &states);
        let view =
            |(id, (_, _, state, paid)): (&String, &(bool, EventTime, RefundState, Amount))| RefundView::new(id.clone(), *state, *paid);
        state.refunds = Some(summit.refunds.iter().map(view).collect());
        Some(state)
    }
}
