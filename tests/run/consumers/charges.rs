//! The latest picture of each charge, and nothing else: this shop has no refund objects at all.

use std::collections::HashMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
    domain::{Amount, EventTime, OrderState, RefundState},
};

use super::{
    Consumer, Facts, observing,
    parse::{Event, News, Picture},
    subscribed,
};

#[derive(Default)]
pub(crate) struct Charges {
    orders: HashMap<String, Facts>,
    charges: HashMap<String, HashMap<String, (EventTime, Picture)>>,
    chargebacks: HashMap<String, (EventTime, Amount)>,
}

impl Charges {
    fn see(&mut self, order_id: &str, at: &EventTime, picture: Picture) {
        let charges = self.charges.entry(order_id.to_owned()).or_default();
        if charges.get(&picture.charge).is_none_or(|(known, _)| known < at) {
            charges.insert(picture.charge.clone(), (at.clone(), picture));
        }
    }
}

impl Consumer for Charges {
    fn claims(&self) -> Capabilities {
        let subscribes = subscribed(&["order.charge.refund.*", "order.chargeback"]);
        let observes = [Observable::Currency, Observable::AvailableToRefundAmount, Observable::ChargedBackAmount];
        observing(&observes).with(|claims| claims.subscribes = subscribes)
    }

    fn open(&mut self, order: &OrderSetup) {
        self.orders.insert(order.order_id.clone(), Facts::of(order));
    }

    fn facts(&self, order_id: &str) -> Option<Facts> {
        self.orders.get(order_id).cloned()
    }

    fn book(&mut self, event: Event) {
        match event.news {
            News::Charge(picture) => self.see(&event.order_id, &event.at, picture),
            // A failure may be told with the whole order; to overlook it would leave the refund pending for ever.
            News::Order(order) => order.pictures.into_iter().for_each(|picture| self.see(&event.order_id, &event.at, picture)),
            News::Chargeback(order) if self.chargebacks.get(&event.order_id).is_none_or(|(at, _)| *at < event.at) => {
                let open = order.pictures.iter().map(Picture::open).sum::<Amount>();
                let amount = self.orders[&event.order_id].captured - order.available.unwrap_or_default() - order.refunded - open;
                self.chargebacks.insert(event.order_id, (event.at, amount.max(Amount::ZERO)));
            }
            News::Chargeback(_) | News::Refund(_) => {}
        }
    }

    fn show(&self, order_id: &str) -> Option<OrderState> {
        let facts = self.orders.get(order_id)?;
        let pictures: Vec<&Picture> = self.charges.get(order_id).into_iter().flatten().map(|(_, (_, picture))| picture).collect();
        let paid = pictures.iter().map(|picture| picture.paid()).sum::<Amount>();
        let open = pictures.iter().map(|picture| picture.open()).sum::<Amount>();
        let states: Vec<RefundState> = pictures.iter().flat_map(|picture| &picture.entries).map(|(state, _)| *state).collect();
        let charged_back = self.chargebacks.get(order_id).map(|(_, amount)| *amount);
        let mut state = facts.state(order_id, paid, charged_back.is_some(), &states);
        let charged_back = charged_back.unwrap_or_default();
        state.available_to_refund_amount = Some((facts.captured - paid - open - charged_back).max(Amount::ZERO));
        state.charged_back_amount = Some(charged_back);
        Some(state)
    }
}
