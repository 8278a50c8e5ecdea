//! The shop as one that calls the provider back: an event only says what to look at, and what the provider's API shows counts.
//!
//! It makes its own refunds through the API as well. Whatever is fetched is newer than anything known before, because the API
//! shows what is true at the moment and is asked under the shop's own lock.

use std::borrow::Cow;

use super::{
    super::{
        bank::Fault,
        parse::{Envelope, Event, Told, smallest_units},
        refusal::Refusal,
    },
    ReferenceShop,
};
use crate::{
    adapter::{ApiCall, ApiReply, TargetError, TargetErrorKind},
    case::OwnRefund,
    domain::EventTime,
    json::Value,
};

/// How a shop uses the provider's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calls {
    /// Not at all.
    Never,
    /// It makes refunds.
    ToMake,
    /// It makes refunds, and looks at what an event is about.
    Always,
}

/// Mistakes that only a shop can make that fetches.
pub(super) const FETCHING: [Fault; 4] =
    [Fault::OwnRowBesideWebhook, Fault::FreshKeyAfterLoss, Fault::FetchedOnTop, Fault::FetchFailureAcknowledged];

/// Mistakes with bodies of an older API version.
pub(super) const OLDER: [Fault; 3] = [Fault::EmbeddedListBooked, Fault::ListedStateStays, Fault::WaitsForRefundCreated];

/// Later than the time of any event: 2100.
const FAR_AWAY: i64 = 4_102_444_800_000_000;

/// The longest page of a list.
const PAGE: &str = "100";

/// What was answered to the shop's own request.
pub(super) struct Made(String);

impl ReferenceShop {
    /// Takes in what the API shows of that which an event is about. Nothing is remembered of the event if that cannot be had.
    pub(super) fn take_in_fetched(&mut self, event: &Event<'_>, payment: &str) -> Result<(), Refusal> {
        let objects = match self.fetched(event, payment) {
            Ok(objects) => objects,
            Err(_) if self.has(Fault::FetchFailureAcknowledged) => Vec::new(),
            Err(refusal) => return Err(refusal),
        };
        let Some(order) = self.order(&event.order_id) else { return Err(Refusal::unknown_order()) };
        if !order.remember(&event.id) {
            return Ok(());
        }
        if self.has(Fault::FetchedOnTop)
            && let Told::Refund(told) = &event.told
            && let Some(order) = self.order(&event.order_id)
        {
            let mut beside = event.clone();
            beside.told = Told::Refund(super::super::parse::RefundTold { id: Cow::Owned(format!("{}-told", told.id)), ..told.clone() });
            order.learn(beside);
        }
        objects.iter().try_for_each(|(kind, object)| self.learn_object(kind, object))
    }

    fn fetched(&self, event: &Event<'_>, payment: &str) -> Result<Vec<(&'static str, String)>, Refusal> {
        Ok(match &event.told {
            Told::Refund(told) => vec![(REFUND, self.look(&format!("/v1/refunds/{}", told.id), &[])?)],
            Told::Dispute(told) => vec![(DISPUTE, self.look(&format!("/v1/disputes/{}", told.id), &[])?)],
            Told::Total(_) => {
                let list = self.look("/v1/refunds", &[("payment_intent", payment), ("limit", PAGE)])?;
                let list: Value = serde_json::from_str(&list).map_err(|_| UNREADABLE)?;
                let refunds = list["data"].as_array().ok_or(UNREADABLE)?;
                let text = |refund: &Value| serde_json::to_string(refund).map(|text| (REFUND, text)).map_err(|_| UNREADABLE);
                refunds.iter().map(text).collect::<Result<_, _>>()?
            }
            Told::Charge(_) | Told::Chargeback(_) | Told::Nothing => Vec::new(),
        })
    }

    fn look(&self, path: &str, parameters: &[(&str, &str)]) -> Result<String, Refusal> {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let reply = self.api.as_ref().and_then(|api| api.call(&ApiCall { parameters, ..ApiCall::get(path) }));
        match reply {
            Some(ApiReply { status: 200, body }) => Ok(body),
            Some(ApiReply { status: 404, .. }) => Err(Refusal::doubtful("the provider knows of no such object")),
            _ => Err(Refusal::failed("the provider's API does not answer")),
        }
    }

    /// Books an object of the API as an event would tell it that is newer than all others.
    fn learn_object(&mut self, kind: &str, object: &str) -> Result<(), Refusal> {
        self.fetches += 1;
        let live = self.live_mode;
        let text = format!(r#"{{"id":"fetched","created":1,"type":"{kind}","livemode":{live},"data":{{"object":{object}}}}}"#);
        let envelope = Envelope::open(&text, self.dialect, self.faults)?;
        let Some(event) = envelope.read()? else { return Err(UNREADABLE) };
        let mut event = self.readdressed(event);
        event.time = EventTime::from_micros(FAR_AWAY + self.fetches * 1_000_000);
        match self.order(&event.order_id) {
            Some(order) => order.learn(event),
            None => return Err(Refusal::unknown_order()),
        }
        Ok(())
    }

    /// Asks the provider for a refund.
    pub(super) fn request(&mut self, own: &OwnRefund) -> Result<Made, TargetError> {
        let declined = |why: String| TargetError::new("initiate", TargetErrorKind::Declined(why));
        let payment = self.payments.iter().find(|(id, order)| id.starts_with("pi_") && **order == own.order_id).map(|(id, _)| id.clone());
        let payment = payment.ok_or_else(|| declined(format!("there is no order {}", own.order_id)))?;
        let units = smallest_units(own.refund.amount, &own.refund.currency);
        let units = units.ok_or_else(|| declined(format!("{} {} cannot be refunded", own.refund.amount, own.refund.currency)))?;
        self.requests += 1;
        let key = format!("{}-{}", own.order_id, self.requests);
        let parameters = [("payment_intent", payment.as_str()), ("amount", &units.to_string())];
        let call = ApiCall::post("/v1/refunds", &parameters, &key);
        // Whether a call without an answer has made the refund nobody knows; the same key makes it once.
        let again = if self.has(Fault::FreshKeyAfterLoss) {
            ApiCall::post("/v1/refunds", &parameters, &format!("{key}-again"))
        } else {
            call.clone()
        };
        match self.api.as_ref().and_then(|api| api.call(&call).or_else(|| api.call(&again))) {
            Some(ApiReply { status: 200, body }) => Ok(Made(body)),
            Some(reply) => Err(declined(format!("the provider answered {}: {}", reply.status, reply.body))),
            None => Err(declined("the provider did not answer".to_owned())),
        }
    }

    /// Books what the provider has answered, unless a webhook has said it before and more since.
    pub(super) fn book_made(&mut self, own: &OwnRefund, made: &Made) -> Result<(), TargetError> {
        let unreadable = |_| TargetError::new("initiate", TargetErrorKind::Declined("the provider's answer is no refund".to_owned()));
        let refund: Value = serde_json::from_str(&made.0).unwrap_or_default();
        let id = refund["id"].as_str().unwrap_or_default();
        let is_known = self.order(&own.order_id).is_some_and(|order| order.knows(id));
        if !is_known {
            return self.learn_object(REFUND, &made.0).map_err(unreadable);
        }
        if self.has(Fault::OwnRowBesideWebhook) {
            return self.learn_object(REFUND, &made.0.replace(id, &format!("{id}-own"))).map_err(unreadable);
        }
        Ok(())
    }
}

/// The event types as which objects are read.
const REFUND: &str = "refund.updated";
const DISPUTE: &str = "charge.dispute.updated";

const UNREADABLE: Refusal = Refusal::failed("the provider's answer cannot be read");
