//! One order in the double: its objects in all their states, and how far its events have been sent.

use std::collections::HashMap;

use super::Calls;
use crate::{
    adapter::{ApiCall, ApiReply},
    case::{ApiFault, ApiObject, OwnRefund},
    domain::Amount,
    provider::{ApiStore, ProviderApi},
};

/// What is known of an order.
#[derive(Default)]
pub(super) struct Order {
    pub(super) currency: String,
    /// The place of the last event that was sent.
    pub(super) moment: u32,
    /// Every id that leads here, but the order's own.
    pub(super) names: Vec<String>,
    /// In the order in which they came into being; each once.
    ids: Vec<String>,
    objects: HashMap<String, Object>,
    /// Refunds that the shop was asked to make and has not made yet.
    pub(super) asked: Vec<OwnRefund>,
    /// The amounts of those that it has made.
    made: Vec<Amount>,
    /// Whether the answer to the next request that makes one waits.
    pub(super) waits: bool,
    /// Whether that answer is lost.
    pub(super) loses: bool,
    /// What goes wrong with so many of the next calls.
    pub(super) fault: Option<(ApiFault, u32)>,
    pub(super) calls: Calls,
    /// What was answered to requests with these keys.
    answered: HashMap<String, (ApiCall, ApiReply)>,
}

/// An object in all its states.
struct Object {
    kind: String,
    /// Since when, and the JSON; the latest last.
    states: Vec<(u32, String)>,
}

impl Order {
    /// Adds a state of an object. States come in their order.
    pub(super) fn add(&mut self, object: &ApiObject) {
        let known = self.objects.entry(object.id.clone()).or_insert_with(|| {
            self.ids.push(object.id.clone());
            Object { kind: object.kind.clone(), states: Vec::new() }
        });
        known.states.push((object.since, object.body.clone()));
    }

    /// The JSON of an object at the moment.
    fn now(&self, id: &str) -> Option<&str> {
        let states = &self.objects.get(id)?.states;
        // A refund that the shop is still to make is not there yet, whatever else has happened.
        if self.asked.iter().any(|own| own.refund.id == id) {
            return None;
        }
        states.iter().rev().find(|(since, _)| *since <= self.moment).map(|(_, body)| body.as_str())
    }

    /// What goes wrong with a call that is made now.
    pub(super) fn next_fault(&mut self) -> Option<ApiFault> {
        let (fault, left) = self.fault.as_mut()?;
        let fault = *fault;
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.fault = None;
        }
        Some(fault)
    }

    /// What was answered to a request with the same key before, and whether it was the same.
    pub(super) fn replayed(&self, call: &ApiCall) -> Option<(ApiReply, bool)> {
        let (first, reply) = self.answered.get(call.idempotency_key.as_deref()?)?;
        Some((reply.clone(), first.path == call.path && first.parameters == call.parameters))
    }

    pub(super) fn remember(&mut self, call: &ApiCall, reply: &ApiReply) {
        if let Some(key) = &call.idempotency_key {
            self.answered.insert(key.clone(), (call.clone(), reply.clone()));
        }
    }

    fn make(&mut self, amount: Option<Amount>) -> Result<String, String> {
        let place = match amount {
            Some(amount) => self.asked.iter().position(|own| own.refund.amount == amount),
            // Without an amount all that is left is meant.
            None => (!self.asked.is_empty()).then_some(0),
        };
        let Some(place) = place else {
            let is_known = amount.is_some_and(|amount| self.made.contains(&amount));
            let amount = amount.map_or_else(|| "all that is left".to_owned(), |amount| format!("{amount} {}", self.currency));
            if is_known && self.asked.is_empty() {
                return Err(format!(
                    "the refund of {amount} that the shop was asked for was requested once more, and not under the same key"
                ));
            }
            let asked: Vec<String> = self.asked.iter().map(|own| format!("{} {}", own.refund.amount, own.refund.currency)).collect();
            let asked = if asked.is_empty() { "nothing".to_owned() } else { asked.join(" and ") };
            return Err(format!("a refund of {amount} was requested, where the shop was asked to refund {asked}"));
        };
        let own = self.asked.remove(place);
        self.made.push(own.refund.amount);
        let since = self.objects.get(&own.refund.id).and_then(|object| object.states.first()).map_or(0, |(since, _)| *since);
        self.moment = self.moment.max(since);
        Ok(own.refund.id)
    }
}

/// The objects of an order, for who answers a call about it.
pub(super) struct Store<'a> {
    pub(super) order: &'a mut Order,
    pub(super) api: &'static dyn ProviderApi,
    pub(super) strange: &'a mut dyn FnMut(&ApiCall),
}

impl ApiStore for Store<'_> {
    fn object(&self, id: &str) -> Option<String> {
        self.order.now(id).map(str::to_owned)
    }

    fn all_of(&self, _: &str, kind: &str) -> Vec<String> {
        let order = &*self.order;
        let of_kind = order.ids.iter().rev().filter(|id| order.objects.get(*id).is_some_and(|object| object.kind == kind));
        of_kind.filter_map(|id| order.now(id)).map(str::to_owned).collect()
    }

    fn make_refund(&mut self, _: &str, amount: Option<&str>) -> Result<String, String> {
        let amount = amount.and_then(|text| self.api.amount(text, &self.order.currency));
        let made = self.order.make(amount);
        if let Err(why) = &made {
            self.order.calls.wrong.push(why.clone());
        }
        made
    }

    fn unknown(&mut self, call: &ApiCall) {
        (self.strange)(call);
    }
}

/// Where a call is about nothing that is known.
pub(super) struct Nobody<'a> {
    pub(super) strange: &'a mut dyn FnMut(&ApiCall),
}

impl ApiStore for Nobody<'_> {
    fn object(&self, _: &str) -> Option<String> {
        None
    }

    fn all_of(&self, _: &str, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn make_refund(&mut self, _: &str, _: Option<&str>) -> Result<String, String> {
        Err("there is no such order".to_owned())
    }

    fn unknown(&mut self, call: &ApiCall) {
        (self.strange)(call);
    }
}
