//! A journal sorted by time of creation, played from its beginning whenever the state is asked for; and the strictest
//! answers: 422 to everything that cannot be taken, 404 for orders of others.

use std::collections::{BTreeMap, HashMap};

use refundproof::{
    adapter::{Capabilities, Observable, Request},
    case::OrderSetup,
    domain::{Amount, EventTime, OrderState, RefundState, RefundView},
};

use super::{
    Consumer, Facts, observing,
    parse::{Event, News, Refusal},
};

/// Two events may be of the same moment.
type Journal = BTreeMap<(EventTime, String), News>;

#[derive(Default)]
pub(crate) struct Replay {
    journals: HashMap<String, (Facts, Journal)>,
}

impl Consumer for Replay {
    fn claims(&self) -> Capabilities {
        observing(&[Observable::Currency, Observable::Refunds])
    }

    fn open(&mut self, order: &OrderSetup) {
        self.journals.insert(order.order_id.clone(), (Facts::of(order), Journal::new()));
    }

    fn facts(&self, order_id: &str) -> Option<Facts> {
        self.journals.get(order_id).map(|(facts, _)| facts.clone())
    }

    fn book(&mut self, event: Event) {
        if let Some((_, journal)) = self.journals.get_mut(&event.order_id) {
            journal.insert((event.at, event.id), event.news);
        }
    }

    fn show(&self, order_id: &str) -> Option<OrderState> {
        let (facts, journal) = self.journals.get(order_id)?;
        let (mut refunds, mut charges, mut charged_back) = (BTreeMap::new(), HashMap::new(), false);
        for news in journal.values() {
            match news {
                News::Refund(told) => {
                    let view = RefundView::new(told.id.clone(), told.state, told.paid).with(|view| view.amount = Some(told.amount));
                    let known: &mut RefundView = refunds.entry(&told.id).or_insert_with(|| view.clone());
                    if !known.state.is_final() {
                        *known = view;
                    }
                }
                News::Charge(picture) => {
                    charges.insert(&picture.charge, picture.paid());
                }
                News::Chargeback(_) => charged_back = true,
                News::Order(_) => {}
            }
        }
        let by_refunds: Amount = refunds.values().map(|refund| refund.refunded_amount).sum();
        let states: Vec<RefundState> = refunds.values().map(|refund| refund.state).collect();
        let mut state = facts.state(order_id, by_refunds.max(charges.into_values().sum()), charged_back, &states);
        state.refunds = Some(refunds.into_values().collect());
        Some(state)
    }

    fn answer(&mut self, request: &Request<'_>) -> u16 {
        match self.receive(request) {
            Ok(()) => 200,
            Err(Refusal::UnknownOrder) => 404,
            Err(_) => 422,
        }
    }
}
