//! What only a careless shop does: it reads what tells nothing, takes an event for another order's, and stores before it checks.

use std::borrow::Cow;

use super::ReferenceShop;
use crate::reference::{
    bank::Fault,
    fault::Faults,
    misread::misread,
    parse::{Envelope, Event, ObjectMembers, Told, Topic},
    refusal::Refusal,
};

impl ReferenceShop {
    /// An event that tells nothing of refunds is acknowledged and changes nothing.
    pub(super) fn pass_over(&mut self, envelope: &Envelope<'_>) -> Result<(), Refusal> {
        if !self.faults.any() {
            return Ok(());
        }
        let faults = self.faults;
        let nothing = ObjectMembers::default();
        let object = envelope.object().unwrap_or(&nothing);
        let known = envelope.guessed_orders(object).into_iter().flatten().find(|id| self.order(id).is_some());
        misread(envelope, object, known.and_then(|id| self.order(&id)), faults)
    }

    /// An event that is known already changes nothing and is acknowledged.
    pub(super) fn meet_again(&mut self, event: &Event<'_>) -> Result<(), Refusal> {
        if self.has(Fault::DuplicateRefused) {
            return Err(Refusal::conflict("the event is known already"));
        }
        if self.has(Fault::LatestDeliveryWins)
            && let Some(order) = self.order(&event.order_id)
        {
            order.learn(event.clone());
            return Ok(());
        }
        let is_under_way = self.slips.under_way.as_ref().is_some_and(|new| new.contains(&*event.id));
        let is_lost = self.slips.has_lost(&event.id, self.faults);
        if self.faults.any()
            && let Some(order) = self.order(&event.order_id)
            && (is_under_way || is_lost || order.has_forgotten(&event.id) || order.is_for_second_address(&event.id))
        {
            order.book_again(event);
        }
        Ok(())
    }

    /// Whether this is an event that was booked before, by what its body says and nobody has verified.
    pub(super) fn knows(&self, body: &[u8]) -> bool {
        let is_seen = |id: &str| self.slips.acknowledged.contains(id) || self.orders.values().any(|order| order.seen.contains(id));
        self.event_id(body).is_some_and(|id| is_seen(&id))
    }

    /// Whether events of this type are handled by nobody, by what the body says and nobody has verified. What is named after money that
    /// goes back may well be.
    pub(super) fn is_unhandled(&self, body: &[u8]) -> bool {
        let is_of_refunds = |kind: &str| ["refund", "dispute", "chargeback"].iter().any(|word| kind.contains(word));
        self.opened(body).is_some_and(|envelope| envelope.topic() == Topic::Other && !is_of_refunds(&envelope.kind))
    }

    /// Whether nothing of an event is to be written.
    pub(super) fn is_for_nobody(&self, body: &[u8]) -> bool {
        self.has(Fault::AcknowledgesOnly) || self.opened(body).is_some_and(|envelope| envelope.topic() == Topic::Other)
    }

    fn opened<'b>(&self, body: &'b [u8]) -> Option<Envelope<'b>> {
        Envelope::open(std::str::from_utf8(body).ok()?, self.dialect, self.faults).ok()
    }

    /// Keeps the id of an event that was acknowledged.
    pub(super) fn note_acknowledged(&mut self, body: &[u8]) {
        if self.has(Fault::KnownEventUnchecked) {
            let id = self.event_id(body).map(Cow::into_owned);
            self.slips.acknowledged.extend(id);
        }
    }

    fn event_id<'b>(&self, body: &'b [u8]) -> Option<Cow<'b, str>> {
        self.opened(body)?.id()
    }

    /// The event with the order that a confused shop takes it to be about.
    pub(super) fn readdressed<'a>(&self, mut event: Event<'a>) -> Event<'a> {
        if let Some(order) = self.payments.get(&*event.order_id) {
            event.order_id = Cow::Owned(order.clone());
        }
        if self.has(Fault::ChargeGoesToLastOrder)
            && matches!(event.told, Told::Charge(_) | Told::Total(_))
            && let Some(last) = &self.slips.last_order
        {
            event.order_id = Cow::Owned(last.clone());
        }
        if self.has(Fault::UnknownOrderToNewestOrder)
            && !self.orders.contains_key(self.key(&event.order_id))
            && let Some(newest) = &self.slips.newest_order
        {
            event.order_id = Cow::Owned(newest.clone());
            event.currency = None;
        }
        event
    }

    /// What a careless shop has stored of an event before it finds that it cannot be read.
    pub(super) fn leave_traces(&mut self, envelope: &Envelope<'_>) {
        if self.has(Fault::RemembersRejectedEvents) {
            self.slips.burnt.extend(envelope.id().map(Cow::into_owned));
        }
        if self.has(Fault::RowBeforeCheck)
            && envelope.topic() == Topic::Refund
            && let Ok(object) = envelope.object()
            && let Ok(order_id) = envelope.text(object.order_id, "")
            && let Ok(id) = envelope.text(object.id, "")
            && let Some(order) = self.order(&order_id)
            && let Ok(state) = envelope.refund_state(object)
        {
            order.store_unchecked(&id, state);
        }
    }
}

/// What stands in the orders' column of ids.
pub(super) fn key(order_id: &str, faults: Faults) -> &str {
    if faults.has(Fault::OrderIdCut) {
        order_id.get(..8).unwrap_or(order_id)
    } else if faults.has(Fault::OrderIdTail) {
        order_id.len().checked_sub(7).and_then(|start| order_id.get(start..)).unwrap_or(order_id)
    } else {
        order_id
    }
}

/// What a body begins with, up to the first id in it: enough to know it again.
pub(super) fn beginning(body: &[u8]) -> Option<String> {
    const ID: &str = "\"id\":";
    let text = String::from_utf8_lossy(body);
    let start = text.find(ID)? + ID.len();
    let start = start + text[start..].find('"')? + 1;
    let length = text[start..].find('"')?;
    Some(text[..start + length].to_owned())
}
