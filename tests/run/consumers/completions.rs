//! Two lists of what was paid, by the two completion events, and a list of orders that were charged back.
//!
//! This shop does not want to know of refunds that are open or failed.

use std::collections::{HashMap, HashSet};

use refundproof::{
    adapter::{Capabilities, Hello, Observable},
    case::OrderSetup,
    domain::{Amount, EventTime, OrderState, RefundState, RefundView},
    provider::named,
};

use super::{
    Consumer, Facts, observing,
    parse::{Event, News, Refund},
    subscribed,
};

#[derive(Default)]
pub(crate) struct Completions {
    orders: HashMap<String, Facts>,
    paid_refunds: Vec<(String, Refund)>,
    paid_charges: Vec<(String, String, EventTime, Amount)>,
    charged_back: HashSet<String>,
    /// What it asks this provider to send.
    kinds: Vec<&'static str>,
}

impl Consumer for Completions {
    fn claims(&self) -> Capabilities {
        observing(&[Observable::Refunds]).with(|claims| claims.subscribes = subscribed(&self.kinds))
    }

    fn greet(&mut self, hello: &Hello) {
        const KINDS: [&str; 4] = ["refund.complete", "refund.succeeded", "order.charge.refund.complete", "order.chargeback"];
        let catalogue = named(&hello.provider).map(|provider| &provider.embedded().corpus().catalogue);
        let has = |kind: &&str| catalogue.is_some_and(|catalogue| catalogue.iter().any(|event| event.kind == **kind));
        self.kinds = KINDS.into_iter().filter(has).collect();
    }

    fn open(&mut self, order: &OrderSetup) {
        // Orders that no case asks for any more would only make the lists long.
        self.paid_refunds.clear();
        self.paid_charges.clear();
        self.orders.insert(order.order_id.clone(), Facts::of(order));
    }

    fn facts(&self, order_id: &str) -> Option<Facts> {
        self.orders.get(order_id).cloned()
    }

    fn book(&mut self, event: Event) {
        match event.news {
            News::Refund(refund) if self.paid_refunds.iter().all(|(_, known)| known.id != refund.id) => {
                self.paid_refunds.push((event.order_id, refund));
            }
            News::Charge(picture) => {
                let is_newer = |(_, charge, at, _): &(String, String, EventTime, Amount)| *charge == picture.charge && *at >= event.at;
                if !self.paid_charges.iter().any(is_newer) {
                    self.paid_charges.retain(|(_, charge, ..)| *charge != picture.charge);
                    let paid = picture.paid();
                    self.paid_charges.push((event.order_id, picture.charge, event.at, paid));
                }
            }
            News::Chargeback(_) => {
                self.charged_back.insert(event.order_id);
            }
            News::Refund(_) | News::Order(_) => {}
        }
    }

    fn show(&self, order_id: &str) -> Option<OrderState> {
        let refunds = self.paid_refunds.iter().filter(|(order, _)| order == order_id).map(|(_, refund)| refund);
        let charges = self.paid_charges.iter().filter(|(order, ..)| order == order_id);
        let by_refunds: Amount = refunds.clone().map(|refund| refund.paid).sum();
        let paid = by_refunds.max(charges.map(|(.., paid)| *paid).sum());
        let view = |refund: &Refund| RefundView::new(refund.id.clone(), RefundState::Succeeded, refund.paid);
        let mut state = self.orders.get(order_id)?.state(order_id, paid, self.charged_back.contains(order_id), &[]);
        state.refunds = Some(refunds.map(view).collect());
        Some(state)
    }
}
