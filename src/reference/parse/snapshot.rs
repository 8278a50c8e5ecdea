//! Events that carry an object as the provider's API shows it: amounts are whole numbers of the smallest unit, times are
//! seconds, names have underscores. A charge tells a running total, a dispute the movements of its money.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Amounts, DisputeTold, Envelope, EnvelopeMembers, Object, ObjectMembers, RefundTold, Told, Topic, TotalTold};
use crate::{
    domain::{Amount, EventTime, RefundState},
    reference::{bank::Fault, fault::Faults, refusal::Refusal},
};

#[derive(Deserialize)]
pub(super) struct SnapshotEnvelope<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    created: Option<&'a RawValue>,
    #[serde(borrow)]
    livemode: Option<&'a RawValue>,
}

impl<'a> From<SnapshotEnvelope<'a>> for EnvelopeMembers<'a> {
    fn from(members: SnapshotEnvelope<'a>) -> EnvelopeMembers<'a> {
        let SnapshotEnvelope { id, kind, data, created, livemode } = members;
        EnvelopeMembers { id, kind, data, created_time: created, live_mode: livemode }
    }
}

#[derive(Deserialize)]
pub(super) struct SnapshotData<'a> {
    #[serde(borrow)]
    pub(super) object: Option<Object<SnapshotObject<'a>>>,
}

/// A refund, a charge or a dispute.
#[derive(Deserialize)]
pub(super) struct SnapshotObject<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    #[serde(borrow)]
    amount_refunded: Option<&'a RawValue>,
    #[serde(borrow)]
    balance_transactions: Option<&'a RawValue>,
    #[serde(borrow)]
    created: Option<&'a RawValue>,
    #[serde(borrow)]
    currency: Option<&'a RawValue>,
    #[serde(borrow)]
    failure_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    payment_intent: Option<&'a RawValue>,
    #[serde(borrow)]
    refunds: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow)]
    order_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Movement<'a> {
    #[serde(borrow)]
    amount: Option<&'a RawValue>,
    #[serde(borrow)]
    net: Option<&'a RawValue>,
}

impl<'a> SnapshotObject<'a> {
    pub(super) fn members(self, faults: Faults) -> ObjectMembers<'a> {
        let by_metadata = || serde_json::from_str::<Object<Reference<'a>>>(self.metadata?.get()).ok()?.0.order_id;
        ObjectMembers {
            id: self.id,
            order_id: if faults.has(Fault::OrderByMetadata) { by_metadata() } else { self.payment_intent },
            amount: self.amount,
            currency: self.currency,
            state: self.status,
            refunded_amount: self.amount_refunded,
            failure_reason: self.failure_reason,
            refunds: self.refunds,
            movements: self.balance_transactions,
            created: self.created,
            ..ObjectMembers::default()
        }
    }
}

impl<'a> Envelope<'a> {
    /// What an event tells.
    pub(super) fn snapshot(&self, topic: Topic, object: &ObjectMembers<'a>, amounts: &mut Amounts) -> Result<Told<'a>, Refusal> {
        let currency = self.text(object.currency, "the object has no currency")?.to_ascii_uppercase();
        amounts.places = if self.faults.has(Fault::TwoDigitCurrency) { 2 } else { places(&currency) };
        match topic {
            Topic::Refund => self.snapshot_of_refund(object, amounts),
            Topic::Charge if object.refunds.is_none() && self.faults.has(Fault::ReadsEmbeddedRefunds) => {
                Err(Refusal::failed("the charge has no list of refunds"))
            }
            Topic::Charge => {
                let refunded = amounts.needed(object.refunded_amount, "the charge says not what was refunded")?;
                Ok(Told::Total(TotalTold { refunded }))
            }
            Topic::Chargeback | Topic::Other => self.snapshot_of_dispute(object, amounts),
        }
    }

    fn snapshot_of_refund(&self, object: &ObjectMembers<'a>, amounts: &mut Amounts) -> Result<Told<'a>, Refusal> {
        let id = self.text(object.id, "the refund has no id")?;
        let state = self.snapshot_state(object)?;
        if state == RefundState::Failed && object.failure_reason.is_none() && self.faults.has(Fault::FailureReasonRequired) {
            return Err(Refusal::failed("the refund has no failure reason"));
        }
        let amount = amounts.needed(object.amount, "the refund has no amount")?;
        let paid = if state == RefundState::Succeeded { amount } else { Amount::ZERO };
        let created = object.created.and_then(|raw| seconds(raw.get()));
        Ok(Told::Refund(RefundTold { id, state, amount, paid, is_of_items: false, charges: 0, created }))
    }

    /// The state of a refund. What is not known is not final: the provider's lists are open.
    pub(super) fn snapshot_state(&self, object: &ObjectMembers<'a>) -> Result<RefundState, Refusal> {
        Ok(match &*self.text(object.state, "the refund has no status")? {
            "requires_action" => RefundState::PendingInformation,
            "succeeded" => RefundState::Succeeded,
            "failed" => RefundState::Failed,
            "canceled" if self.faults.has(Fault::CancelledCounts) => RefundState::Succeeded,
            "canceled" => RefundState::Cancelled,
            "pending" => RefundState::Pending,
            _ if self.faults.has(Fault::UnknownStateIsSuccess) => RefundState::Succeeded,
            _ => RefundState::Pending,
        })
    }

    /// What a dispute takes at the moment is minus the sum of its movements; the fee is not the shopper's.
    fn snapshot_of_dispute(&self, object: &ObjectMembers<'a>, amounts: &mut Amounts) -> Result<Told<'a>, Refusal> {
        let id = self.text(object.id, "the dispute has no id")?;
        let status = self.text(object.state, "the dispute has no status")?;
        let amount = amounts.needed(object.amount, "the dispute has no amount")?;
        let movements: Vec<Object<Movement<'a>>> = match object.movements {
            Some(raw) => serde_json::from_str(raw.get()).map_err(|_| Refusal::invalid("the dispute's movements are no list"))?,
            None => Vec::new(),
        };
        let mut taken = Amount::ZERO;
        for Object(movement) in &movements {
            let moved = if self.faults.has(Fault::DisputeFeeCharged) { movement.net } else { movement.amount };
            let text = moved.map_or("", RawValue::get);
            let (is_out, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
            let moved = Amount::parse(digits).ok().and_then(|moved| moved.in_parts(amounts.places));
            let moved = moved.ok_or(Refusal::invalid("a movement of the dispute has no amount"))?;
            taken = if is_out { taken + moved } else { taken - moved };
        }
        let is_inquiry = status.starts_with("warning");
        if is_inquiry && self.faults.has(Fault::DisputeIsChargeback) {
            taken = amount;
        }
        let rank = match &*status {
            "warning_needs_response" => 0,
            "warning_under_review" => 1,
            "warning_closed" => 2,
            "needs_response" => 3,
            "lost" => 5,
            "won" => 6,
            _ => 4,
        };
        Ok(Told::Dispute(DisputeTold { id, taken, amount, rank }))
    }
}

/// An amount as the provider counts it.
pub(in crate::reference) fn smallest_units(amount: Amount, currency: &str) -> Option<u64> {
    amount.to_minor(places(currency))
}

/// How many digits of a number are a fraction of the major unit.
fn places(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "MGA" | "PYG" | "RWF" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// A time in seconds after 1970.
pub(super) fn seconds(text: &str) -> Option<EventTime> {
    let micros = text.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    let time = EventTime::from_micros(micros);
    // Far from any time that there is, it is no time.
    (time.micros() == micros).then_some(time)
}
