//! Running totals, corrected by the difference that each event makes, and coarse words for what they say: open is open,
//! whatever it waits for, a refund that failed is no refund, and part of the money is as good as all of it.

use std::collections::HashMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
    domain::{Amount, EventTime, OrderState, RefundState, RefundView},
};

use super::{
    Consumer, Facts, observing,
    parse::{Event, News},
};

#[derive(Default)]
pub(crate) struct Counters {
    orders: HashMap<String, Totals>,
}

struct Totals {
    facts: Facts,
    by_refunds: Amount,
    by_charges: Amount,
    open: usize,
    charged_back: bool,
    refunds: HashMap<String, (EventTime, RefundState, Amount)>,
    charges: HashMap<String, (EventTime, Amount)>,
}

/// The only three words that this shop has for a refund.
fn coarse(state: RefundState) -> RefundState {
    if state.is_final() { state } else { RefundState::Pending }
}

impl Consumer for Counters {
    fn claims(&self) -> Capabilities {
        let groups: [&[&str]; 2] = [&["pending", "pending_information", "requested"], &["failed", "not_refunded"]];
        let equivalent_statuses = groups.map(|group| group.iter().map(|word| (*word).to_owned()).collect()).to_vec();
        observing(&[Observable::Refunds]).with(|claims| {
            claims.equivalent_statuses = equivalent_statuses;
            claims.concurrency = 8;
        })
    }

    fn open(&mut self, order: &OrderSetup) {
        let totals = Totals {
            facts: Facts::of(order),
            by_refunds: Amount::ZERO,
            by_charges: Amount::ZERO,
            open: 0,
            charged_back: false,
            refunds: HashMap::new(),
            charges: HashMap::new(),
        };
        self.orders.insert(order.order_id.clone(), totals);
    }

    fn facts(&self, order_id: &str) -> Option<Facts> {
        self.orders.get(order_id).map(|order| order.facts.clone())
    }

    fn book(&mut self, event: Event) {
        let Some(order) = self.orders.get_mut(&event.order_id) else { return };
        match event.news {
            News::Refund(refund) => {
                let known = order.refunds.get(&refund.id);
                if known.is_some_and(|(at, state, _)| state.is_final() || !refund.state.is_final() && *at >= event.at) {
                    return;
                }
                order.open += usize::from(!refund.state.is_final());
                order.open -= usize::from(known.is_some());
                order.by_refunds += refund.paid;
                order.refunds.insert(refund.id, (event.at, coarse(refund.state), refund.paid));
            }
            News::Charge(picture) => {
                let (at, counted) = order.charges.entry(picture.charge.clone()).or_insert((EventTime::from_micros(0), Amount::ZERO));
                if *at < event.at {
                    order.by_charges = order.by_charges + picture.paid() - *counted;
                    (*at, *counted) = (event.at, picture.paid());
                }
            }
            News::Chargeback(_) => order.charged_back = true,
            News::Order(_) => {}
        }
    }

    fn show(&self, order_id: &str) -> Option<OrderState> {
        let order = self.orders.get(order_id)?;
        let states = if order.open > 0 { &[RefundState::Pending][..] } else { &[] };
        let mut state = order.facts.state(order_id, order.by_refunds.max(order.by_charges), order.charged_back, states);
        let view = |(id, (_, state, paid)): (&String, &(EventTime, RefundState, Amount))| RefundView::new(id.clone(), *state, *paid);
        state.refunds = Some(order.refunds.iter().map(view).collect());
        Some(state)
    }
}
