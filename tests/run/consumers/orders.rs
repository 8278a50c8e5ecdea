//! Believes whatever tells the most: refunds, charges, charges in passing inside orders, and the orders themselves. It is
//! ahead of what the checklist's events tell as far as it may be.

use std::collections::{BTreeMap, HashMap};

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
    domain::{Amount, EventTime, OrderState, RefundState},
};

use super::{
    Consumer, Facts, observing,
    parse::{Event, Manner, News, Picture, Refund},
};

#[derive(Default)]
pub(crate) struct Orders {
    orders: HashMap<String, (Facts, Known)>,
}

#[derive(Default)]
struct Known {
    refunds: BTreeMap<String, (EventTime, Refund)>,
    charges: BTreeMap<String, (EventTime, Picture)>,
    order: Option<(EventTime, Amount, Option<Amount>)>,
    charged_back: bool,
}

impl Known {
    fn see(&mut self, at: &EventTime, picture: Picture) {
        if self.charges.get(&picture.charge).is_none_or(|(known, _)| known < at) {
            self.charges.insert(picture.charge.clone(), (at.clone(), picture));
        }
    }
}

impl Consumer for Orders {
    fn claims(&self) -> Capabilities {
        observing(&[Observable::Currency, Observable::AvailableToRefundAmount])
    }

    fn manner(&self) -> Manner {
        Manner { lenient: false, orders: true }
    }

    fn open(&mut self, order: &OrderSetup) {
        self.orders.insert(order.order_id.clone(), (Facts::of(order), Known::default()));
    }

    fn facts(&self, order_id: &str) -> Option<Facts> {
        self.orders.get(order_id).map(|(facts, _)| facts.clone())
    }

    fn book(&mut self, event: Event) {
        let Some((_, known)) = self.orders.get_mut(&event.order_id) else { return };
        match event.news {
            News::Refund(told) => {
                let stands = |(at, refund): &(EventTime, Refund)| refund.state.is_final() || !told.state.is_final() && *at >= event.at;
                if !known.refunds.get(&told.id).is_some_and(stands) {
                    known.refunds.insert(told.id.clone(), (event.at, told));
                }
            }
            News::Charge(picture) => known.see(&event.at, picture),
            News::Chargeback(ref order) | News::Order(ref order) => {
                known.charged_back |= matches!(event.news, News::Chargeback(_));
                order.pictures.iter().for_each(|picture| known.see(&event.at, picture.clone()));
                if known.order.as_ref().is_none_or(|(at, ..)| *at < event.at) {
                    known.order = Some((event.at, order.refunded, order.available));
                }
            }
        }
    }

    fn show(&self, order_id: &str) -> Option<OrderState> {
        let (facts, known) = self.orders.get(order_id)?;
        let by_refunds: Amount = known.refunds.values().map(|(_, refund)| refund.paid).sum();
        let by_charges: Amount = known.charges.values().map(|(_, picture)| picture.paid()).sum();
        let by_order = known.order.as_ref().map_or(Amount::ZERO, |(_, refunded, _)| *refunded);
        let paid = by_refunds.max(by_charges).max(by_order);
        let told = known.refunds.values().map(|(_, refund)| refund.state);
        let passing = known.charges.values().flat_map(|(_, picture)| &picture.entries).map(|(state, _)| *state);
        let states: Vec<RefundState> = told.chain(passing).collect();
        let mut state = facts.state(order_id, paid, known.charged_back, &states);
        let open: Amount = known.refunds.values().filter(|(_, refund)| !refund.state.is_final()).map(|(_, refund)| refund.amount).sum();
        let told = known.order.as_ref().and_then(|(.., available)| *available);
        state.available_to_refund_amount = Some(told.unwrap_or_else(|| (facts.captured - paid - open).max(Amount::ZERO)));
        Some(state)
    }
}
