//! Events that carry an object as the provider's API shows it: amounts are whole numbers of the smallest unit, times are
//! seconds, names have underscores. A charge tells a running total, a dispute the movements of its money.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Amounts, DisputeTold, Envelope, Object, ObjectMembers, RefundTold, Told, Topic, TotalTold,
    members::{Around, EnvelopeMembers},
};
use crate::{
    domain::{Amount, Currency, EventTime, RefundState},
    reference::{bank::Fault, fault::Faults, refusal::Refusal},
};

#[derive(Deserialize)]
pub(super) struct SnapshotEnvelope<'a, D> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    data: Option<D>,
    #[serde(borrow)]
    created: Option<&'a RawValue>,
    #[serde(borrow)]
    livemode: Option<&'a RawValue>,
    #[serde(borrow)]
    api_version: Option<&'a RawValue>,
}

impl<'a, D: Deserialize<'a>> Around<'a> for SnapshotEnvelope<'a, D> {
    type Data = D;

    fn parts(self) -> (EnvelopeMembers<'a>, Option<D>) {
        let SnapshotEnvelope { id, kind, data, created, livemode, api_version } = self;
        (EnvelopeMembers { id, kind, created_time: created, live_mode: livemode, version: api_version }, data)
    }
}

#[derive(Deserialize)]
pub(super) struct SnapshotData<'a> {
    #[serde(borrow)]
    pub(super) object: Option<Object<SnapshotObject<'a>>>,
    /// Only read for a fault.
    #[serde(borrow)]
    previous_attributes: Option<&'a RawValue>,
}

/// What an update says of before.
#[derive(Deserialize)]
struct Previous<'a> {
    #[serde(borrow)]
    status: Option<&'a RawValue>,
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
    charge: Option<&'a RawValue>,
    #[serde(borrow)]
    created: Option<&'a RawValue>,
    #[serde(borrow)]
    currency: Option<&'a RawValue>,
    #[serde(borrow)]
    failure_reason: Option<&'a RawValue>,
    /// Only read for a fault; refunds have none.
    #[serde(borrow)]
    livemode: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
    #[serde(borrow)]
    payment_intent: Option<&'a RawValue>,
    /// Only read for a fault.
    #[serde(borrow)]
    reason: Option<&'a RawValue>,
    #[serde(borrow)]
    refunded: Option<&'a RawValue>,
    #[serde(borrow)]
    refunds: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
}

/// The first version in which refunds of charges have events of their own.
const OWN_EVENTS: &str = "2024-10-28";

/// A list within an object.
#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    data: Option<Vec<Object<SnapshotObject<'a>>>>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow)]
    order_id: Option<&'a RawValue>,
    #[serde(borrow)]
    note: Option<&'a RawValue>,
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
        let by_note = || serde_json::from_str::<Object<Reference<'a>>>(self.metadata?.get()).ok()?.0.note;
        // What was charged without a payment is known by its charge.
        let charge = || self.charge.or(self.id.filter(|_| self.object.is_some_and(|object| object.get() == "\"charge\"")));
        ObjectMembers {
            id: self.id,
            order_id: if faults.go_by_metadata() { by_metadata() } else { self.payment_intent.or_else(charge) },
            amount: self.amount,
            currency: self.currency,
            state: self.status,
            refunded_amount: self.amount_refunded,
            is_refunded: self.refunded,
            failure_reason: self.failure_reason,
            // What people write is put into the same column.
            reason: if faults.any() { by_note().or(self.reason) } else { None },
            refunds: self.refunds,
            movements: self.balance_transactions,
            created: self.created,
            live_mode: self.livemode,
            ..ObjectMembers::default()
        }
    }
}

impl<'a> Envelope<'a> {
    /// What an event tells.
    pub(super) fn snapshot(&self, topic: Topic, object: &ObjectMembers<'a>, amounts: &mut Amounts) -> Result<Told<'a>, Refusal> {
        if self.faults.has(Fault::LivemodeOfObject) && object.live_mode.is_none_or(|raw| raw.get() != "false") {
            return Ok(Told::Nothing);
        }
        let currency = self.text(object.currency, "the object has no currency")?.to_ascii_uppercase();
        amounts.places = match () {
            () if self.faults.has(Fault::TwoDigitCurrency) => 2,
            () if self.faults.has(Fault::PayoutDigits) && ["HUF", "TWD"].contains(&currency.as_str()) => 0,
            () if self.faults.has(Fault::FewWholeCurrencies) && !["JPY", "KRW"].contains(&currency.as_str()) => places(&currency).max(2),
            () if self.faults.has(Fault::ThousandthsUnknown) => places(&currency).min(2),
            () if self.faults.has(Fault::IsoDigits) => Currency::from_code(&currency).map_or(2, Currency::digits),
            () => places(&currency),
        };
        match topic {
            Topic::Refund => self.snapshot_of_refund(object, amounts),
            Topic::Charge if object.refunds.is_none() && self.faults.has(Fault::ReadsEmbeddedRefunds) => {
                Err(Refusal::failed("the charge has no list of refunds"))
            }
            Topic::Charge => {
                let is_all = object.is_refunded.is_some_and(|raw| raw.get() == "true");
                if !is_all && self.faults.has(Fault::PartialTotalSkipped) {
                    return Err(Refusal::failed("only a part is refunded"));
                }
                let sum = if self.faults.has(Fault::ChargeAmountTaken) { object.amount } else { object.refunded_amount };
                let refunded = amounts.needed(sum, "the charge says not what was refunded")?;
                let refunds = self.embedded(object, amounts)?;
                Ok(Told::Total(TotalTold { refunded, is_all, refunds }))
            }
            Topic::Chargeback | Topic::Other => self.snapshot_of_dispute(object, amounts),
        }
    }

    /// Whether the body is of a version in which refunds of charges have no events of their own.
    pub(super) fn is_older(&self) -> bool {
        self.text(self.members.version, "").is_ok_and(|version| *version < *OWN_EVENTS)
    }

    /// The refunds that a charge carries in such a version.
    fn embedded(&self, object: &ObjectMembers<'a>, amounts: &mut Amounts) -> Result<Vec<RefundTold<'a>>, Refusal> {
        let Some(raw) = object.refunds.filter(|_| self.is_older()) else { return Ok(Vec::new()) };
        let list: Object<List<'a>> = serde_json::from_str(raw.get()).map_err(|_| Refusal::invalid("the charge's refunds are no list"))?;
        let mut refunds = Vec::new();
        for refund in list.0.data.unwrap_or_default() {
            if let Told::Refund(told) = self.snapshot_of_refund(&refund.0.members(self.faults), amounts)? {
                refunds.push(told);
            }
        }
        Ok(refunds)
    }

    fn snapshot_of_refund(&self, object: &ObjectMembers<'a>, amounts: &mut Amounts) -> Result<Told<'a>, Refusal> {
        let id = self.text(object.id, "the refund has no id")?;
        let state = self.snapshot_state(object)?;
        if state == RefundState::Failed && object.failure_reason.is_none() && self.faults.has(Fault::FailureReasonRequired) {
            return Err(Refusal::failed("the refund has no failure reason"));
        }
        if self.faults.any() {
            self.store_reason(object)?;
        }
        let few = ["lost_or_stolen_card", "expired_or_canceled_card", "unknown"];
        if state == RefundState::Failed && self.faults.has(Fault::FewFailureReasons) && self.is_none_of(object.failure_reason, &few) {
            return Err(Refusal::failed("the refund failed for a reason that is not known"));
        }
        let amount = amounts.needed(object.amount, "the refund has no amount")?;
        let paid = if state == RefundState::Succeeded { amount } else { Amount::ZERO };
        let created = object.created.and_then(|raw| seconds(raw.get()));
        Ok(Told::Refund(RefundTold { id, state, amount, paid, is_of_items: false, charges: 0, created }))
    }

    /// Whether something is said that is none of a few words.
    fn is_none_of(&self, raw: Option<&'a RawValue>, few: &[&str]) -> bool {
        self.text(raw, "").is_ok_and(|text| !few.contains(&&*text))
    }

    /// The state that a refund had before, where an event says so.
    pub(super) fn state_before(&self) -> Option<RefundState> {
        let data: Object<SnapshotData<'a>> = serde_json::from_str(self.data()?.get()).ok()?;
        let previous: Object<Previous<'a>> = serde_json::from_str(data.0.previous_attributes?.get()).ok()?;
        self.state_of(previous.0.status).ok()
    }

    /// The state of a refund. What is not known is not final: the provider's lists are open.
    pub(super) fn snapshot_state(&self, object: &ObjectMembers<'a>) -> Result<RefundState, Refusal> {
        self.state_of(object.state)
    }

    fn state_of(&self, status: Option<&'a RawValue>) -> Result<RefundState, Refusal> {
        Ok(match &*self.text(status, "the refund has no status")? {
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
        if status == "prevented" && self.faults.has(Fault::PreventedRefused) {
            return Err(Refusal::failed("the dispute has a status that is not known"));
        }
        let few = ["fraudulent", "product_not_received", "duplicate", "credit_not_processed"];
        if self.faults.has(Fault::FewDisputeReasons) && self.is_none_of(object.reason, &few) {
            return Err(Refusal::failed("the dispute has a reason that is not known"));
        }
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
            "needs_response" => OPEN,
            "lost" => LOST,
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
/// How late in its life a dispute is that has taken money and is not decided; inquiries come before.
pub(in crate::reference) const OPEN: u8 = 3;

/// How late in its life a dispute is that was lost.
pub(in crate::reference) const LOST: u8 = 5;

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
