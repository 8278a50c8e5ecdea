//! A case for a target of which not everything is asked.

use crate::case::{Act, Case, Delivery, Effect, Entry, Mishap, OwnRefund};

/// On what terms a case is run: what a target claims, as far as it changes what is sent.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// Whether events of a type are sent to it.
    pub subscribed: &'a dyn Fn(&str) -> bool,
    /// Whether it can be told of refunds that the shop made itself.
    pub initiates: bool,
    /// Whether it checks signatures.
    pub verifies: bool,
    /// Whether it may be killed.
    pub durable: bool,
    /// Whether it calls the provider's API.
    pub calls_back: bool,
    /// Whether time can pass for it.
    pub clock: bool,
}

impl Case {
    /// The same case for a target of which not everything is asked: what is not sent to it is left out, and what
    /// may be shown follows from what is left.
    #[must_use]
    pub fn restricted_to(mut self, terms: Terms<'_>) -> Case {
        if !terms.durable {
            for mishap in self.all_deliveries_mut().map(|delivery| &mut delivery.mishap) {
                match mishap {
                    // What would be a kill is a lost answer then.
                    Some(Mishap::Killed { .. }) => *mishap = Some(Mishap::AnswerUnread),
                    Some(Mishap::DiskFull) => *mishap = None,
                    _ => {}
                }
            }
        }
        let sent = |delivery: &Delivery| (terms.subscribed)(&delivery.event.kind) && (terms.verifies || delivery.effect != Effect::Refuse);
        let keeps = |entry: &Entry| match &entry.act {
            Act::Deliver(delivery) => sent(delivery),
            Act::Together(deliveries) => deliveries.iter().all(sent),
            Act::Meanwhile(_, deliveries) => terms.calls_back && terms.initiates && deliveries.iter().all(sent),
            Act::Initiate(_) => terms.initiates,
            Act::Restart => terms.durable,
            Act::Advance(_) => terms.clock,
            Act::Begin(_) => true,
        };
        let is_doubted = |delivery: &Delivery| terms.calls_back && delivery.effect == Effect::Reject && names_its_event(delivery);
        let calls = terms.calls_back || self.api.is_empty() && self.all_deliveries().all(|delivery| delivery.api.is_none());
        if calls && self.entries.iter().all(keeps) && !self.all_deliveries().any(is_doubted) {
            return self;
        }
        let complete = complete_orders(&self);
        if !terms.calls_back {
            self.api.clear();
            self.all_deliveries_mut().for_each(|delivery| delivery.api = None);
        }
        // Whoever fetches the event needs nothing of its body but the id.
        self.all_deliveries_mut().filter(|delivery| is_doubted(delivery)).for_each(|delivery| delivery.effect = Effect::Tolerate);
        let of = |mut entry: Entry| -> Vec<Entry> {
            let act = |act| Entry { act, expect: Vec::new(), expect_if_refused: Vec::new() };
            match entry.act {
                Act::Together(mut deliveries) => {
                    deliveries.retain(sent);
                    if deliveries.is_empty() {
                        return Vec::new();
                    }
                    entry.act = Act::Together(deliveries);
                    vec![entry]
                }
                Act::Meanwhile(own, deliveries) => {
                    let mut deliveries: Vec<Delivery> = deliveries.into_iter().filter(|delivery| sent(delivery)).collect();
                    if !(terms.initiates && terms.calls_back) || deliveries.is_empty() {
                        // Nothing else tells of it soon.
                        let first = terms.initiates.then_some(Act::Initiate(OwnRefund { answer_lost: false, ..own }));
                        return first.into_iter().chain(deliveries.drain(..).map(|one| Act::Deliver(Box::new(one)))).map(act).collect();
                    }
                    entry.act = Act::Meanwhile(own, deliveries);
                    vec![entry]
                }
                _ if keeps(&entry) => vec![entry],
                _ => Vec::new(),
            }
        };
        self.entries = std::mem::take(&mut self.entries).into_iter().flat_map(of).collect();
        self.expect_again(&complete);
        self
    }
}

/// Whether a body that must be rejected says which event it is, so that the event can be fetched.
fn names_its_event(delivery: &Delivery) -> bool {
    let body = delivery.body.text().and_then(|text| serde_json::from_str::<crate::json::Value>(text).ok());
    body.is_some_and(|body| body["id"] == *delivery.event.id.as_str())
}

fn complete_orders(case: &Case) -> Vec<bool> {
    let judged = |id: &str| case.expect.iter().any(|end| end.order_id == id && end.available_to_refund_amount.is_some());
    case.orders.iter().map(|order| judged(&order.order_id)).collect()
}
