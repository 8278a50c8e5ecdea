//! From bytes to an event that the shop can work with, or to a refusal.
//!
//! The body is read once, the envelope and with it the object, and of both only what is needed, each member by itself, so that
//! a strange member that nobody needs does no harm. Most events end with the envelope, because their type does not matter; so
//! where the object is a strange one, the envelope is read again without it. Nothing is copied that can be borrowed, and no
//! number passes through a float or a `Value`.
//!
//! What an event means for an order is not decided here.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{
    bank::Fault,
    dialect::{Dialect, Form},
    fault::Faults,
    json::{Object, has_magic_names, is_too_deep},
    money::Amounts,
    refusal::Refusal,
};
use crate::domain::{Amount, Currency, EventTime, RefundState};

mod members;
mod snapshot;
mod told;

use members::{Around, Data, EnvelopeMembers, FlatEnvelope, FlatObject, NestedEnvelope, PaymentMembers};
pub(super) use members::{ObjectMembers, PartMembers};
pub(super) use snapshot::smallest_units;
pub(super) use snapshot::{LOST, OPEN};
use snapshot::{SnapshotData, SnapshotEnvelope, seconds};
pub(super) use told::{ChargeTold, ChargebackTold, DisputeTold, Entry, Event, RefundTold, Told, TotalTold};

/// What stands around every event's object.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) text: &'a str,
    pub(super) members: EnvelopeMembers<'a>,
    object: Option<ObjectMembers<'a>>,
    pub(super) dialect: &'static Dialect,
    pub(super) faults: Faults,
    pub(super) kind: Cow<'a, str>,
}

/// What an event is about, as far as refunds go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Refund,
    Charge,
    Chargeback,
    Other,
}

impl<'a> Envelope<'a> {
    /// Reads what stands around the object.
    pub(super) fn open(text: &'a str, dialect: &'static Dialect, faults: Faults) -> Result<Envelope<'a>, Refusal> {
        if is_too_deep(text) {
            let why = "the body is nested too deeply";
            return Err(if faults.has(Fault::DeepBodyFails) { Refusal::failed(why) } else { Refusal::malformed(why) });
        }
        if has_magic_names(text) {
            return Err(Refusal::invalid("a member has a name that no provider uses"));
        }
        let (members, object) = match dialect.form {
            Form::Nested => {
                let object = |data: Object<Data<'a>>| data.0.object.map(|object| object.0);
                with_object::<NestedEnvelope<'a, _>, NestedEnvelope<'a, IgnoredAny>>(text, faults, object)
            }
            Form::Snapshot => {
                let object = |data: Object<SnapshotData<'a>>| data.0.object.map(|object| object.0.members(faults));
                with_object::<SnapshotEnvelope<'a, _>, SnapshotEnvelope<'a, IgnoredAny>>(text, faults, object)
            }
            Form::Flat => {
                let object = |data: Object<FlatObject<'a>>| Some(data.0.members(faults));
                with_object::<FlatEnvelope<'a, _>, FlatEnvelope<'a, IgnoredAny>>(text, faults, object)
            }
        }?;
        let mut envelope = Envelope { text, members, object, dialect, faults, kind: Cow::Borrowed("") };
        if envelope.members.kind.is_none() && faults.has(Fault::MissingTypeAcknowledged) {
            return Ok(envelope);
        }
        envelope.kind = envelope.text(envelope.members.kind, "the event has no type")?;
        Ok(envelope)
    }

    /// The event, or `None` where events of this type tell nothing of refunds.
    pub(super) fn read(&self) -> Result<Option<Event<'a>>, Refusal> {
        let topic = self.topic();
        if topic == Topic::Other {
            return Ok(None);
        }
        self.be_stricter()?;
        let id = self.text(self.members.id, "the event has no id").map_err(|refusal| self.fail(Fault::MissingEventIdFails, refusal))?;
        let time = self.time().map_err(|refusal| self.fail(Fault::UnreadableTimeFails, refusal))?;
        let object = self.object()?;
        let mut amounts = Amounts::new(self.faults);
        let (order_id, told) = match topic {
            Topic::Chargeback if self.faults.has(Fault::DisputeByMetadata) => (None, Told::Nothing),
            _ if self.dialect.form == Form::Snapshot => (object.order_id, self.snapshot(topic, object, &mut amounts)?),
            Topic::Refund if self.dialect.form == Form::Flat => (object.order_id, self.flat_refund(object, &mut amounts)?),
            Topic::Refund => (object.order_id, self.refund(object, &mut amounts)?),
            Topic::Charge if object.order_id.is_some() => (object.order_id, self.charge(object, &mut amounts)?),
            // The documented order.charge.refund.failed carries the order in place of the charge.
            Topic::Charge if object.payment.is_some() => {
                open_on_charges(self, object.payment, &mut amounts)?;
                (object.id, Told::Nothing)
            }
            Topic::Charge => (None, Told::Nothing),
            Topic::Chargeback | Topic::Other => (object.id, self.chargeback(object, &mut amounts)?),
        };
        let order_id = match self.text(order_id, "the event is about no order") {
            Err(_) if self.faults.drop_what_names_no_order() => return Ok(None),
            order_id => order_id?,
        };
        let mut currency = object.currency.map(|raw| self.text(Some(raw), "the currency is not text")).transpose()?;
        if self.dialect.form == Form::Snapshot && !self.faults.has(Fault::CurrencyCaseCompared) {
            currency = currency.map(|code| Cow::Owned(code.to_ascii_uppercase()));
        }
        Ok(Some(Event {
            kind: self.kind.clone(),
            id,
            time,
            order_id,
            currency,
            live: self.members.live_mode.map(|raw| raw.get()),
            digits: amounts.digits,
            told,
            before: if self.faults.go_by_what_was_before() { self.state_before() } else { None },
        }))
    }

    /// The event's id, where it has one.
    pub(super) fn id(&self) -> Option<Cow<'a, str>> {
        self.text(self.members.id, "").ok()
    }

    /// The members of the event's object.
    pub(super) fn object(&self) -> Result<&ObjectMembers<'a>, Refusal> {
        self.object.as_ref().ok_or(Refusal::invalid("the event has no object"))
    }

    /// What a faulty shop looks at once more: the text of `data`.
    pub(super) fn data(&self) -> Option<&'a RawValue> {
        let data = match self.dialect.form {
            Form::Nested => around::<NestedEnvelope<'a, _>>(self.text, self.faults).map(Around::parts),
            Form::Snapshot => around::<SnapshotEnvelope<'a, _>>(self.text, self.faults).map(Around::parts),
            Form::Flat => around::<FlatEnvelope<'a, _>>(self.text, self.faults).map(Around::parts),
        };
        data.ok()?.1
    }

    /// A text, with its escapes read.
    pub(super) fn text(&self, raw: Option<&'a RawValue>, why: &'static str) -> Result<Cow<'a, str>, Refusal> {
        let text = raw.map_or("", RawValue::get);
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or(Refusal::invalid(why))?;
        let text = if inner.contains('\\') && !self.faults.has(Fault::EscapesNotRead) {
            Cow::Owned(serde_json::from_str(text).map_err(|_| Refusal::invalid(why))?)
        } else {
            Cow::Borrowed(inner)
        };
        if text.is_empty() { Err(Refusal::invalid(why)) } else { Ok(text) }
    }

    /// Whether a faulty shop has no handler for a type that tells of refunds.
    fn has_no_handler(&self, kind: &str) -> bool {
        match kind {
            _ if self.faults.has(Fault::AppliesNothing) => true,
            "refund.created" => self.faults.has(Fault::CreatedIgnored),
            "refund.updated" => self.faults.has(Fault::UpdatesIgnored),
            "refund.failed" => self.faults.has(Fault::FailedEventUnhandled),
            _ => false,
        }
    }

    pub(super) fn topic(&self) -> Topic {
        if self.faults.has(Fault::WhitespaceNotRead) && !self.text.contains(&format!("\"type\":\"{}\"", self.kind)) {
            return Topic::Other;
        }
        match &*self.kind {
            kind if self.faults.any() && self.has_no_handler(kind) => Topic::Other,
            "charge.refund.updated" if self.faults.has(Fault::RefundReadAsCharge) => Topic::Charge,
            kind if self.faults.has(Fault::DisputeReadAsCharge) && kind.starts_with("charge.dispute.") => Topic::Charge,
            kind if self.dialect.refunds.contains(&kind) => Topic::Refund,
            kind if self.dialect.charges.contains(&kind) => Topic::Charge,
            // Today refund.updated tells the same.
            "charge.refund.updated"
                if self.is_older()
                    && ![Fault::ListedStateStays, Fault::WaitsForRefundCreated].iter().any(|fault| self.faults.has(*fault)) =>
            {
                Topic::Refund
            }
            kind if self.dialect.chargebacks.contains(&kind) => Topic::Chargeback,
            kind if kind.starts_with("refund") && self.faults.has(Fault::RefundPrefixDispatch) => Topic::Refund,
            _ => Topic::Other,
        }
    }

    /// The text of the creation time, which some providers sign; nothing where there is none.
    pub(super) fn literal_time(&self) -> Cow<'a, str> {
        self.text(self.members.created_time, "").unwrap_or_default()
    }

    fn time(&self) -> Result<EventTime, Refusal> {
        let why = "the event has no time";
        if self.dialect.form == Form::Snapshot {
            return self.members.created_time.and_then(|raw| seconds(raw.get())).ok_or(Refusal::invalid(why));
        }
        let text = self.text(self.members.created_time, why)?;
        let fraction = text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
        if text.ends_with(']') && self.faults.has(Fault::ZonedTimeRefused) {
            return Err(Refusal::invalid("the time has a zone that is not known"));
        }
        if fraction > 6 && self.faults.has(Fault::LongFractionsRefused) {
            return Err(Refusal::invalid("the time has too many digits"));
        }
        EventTime::parse(&text).map_err(|_| Refusal::invalid(why))
    }

    fn refund(&self, object: &ObjectMembers<'a>, amounts: &mut Amounts) -> Result<Told<'a>, Refusal> {
        let id = self.text(object.id, "the refund has no id")?;
        let state = self.refund_state(object)?;
        if state == RefundState::Succeeded && self.faults.has(Fault::ExpectsCompleteState) {
            return Ok(Told::Nothing);
        }
        if state == RefundState::Failed && object.failure_reason.is_none() && self.faults.has(Fault::FailureReasonRequired) {
            return Err(Refusal::failed("the refund has no failure reason"));
        }
        if self.faults.any() {
            self.store_reason(object)?;
        }
        if object.kind.is_some() && self.faults.has(Fault::TypedRefundSkipped) {
            return Ok(Told::Nothing);
        }
        if object.items.is_none() && self.faults.has(Fault::AbsentItemsFail) {
            return Err(Refusal::failed("the refund has no items"));
        }
        let own = amounts.read(object.amount)?;
        let items = if own.is_none() { self.items(object.items, amounts)? } else { None };
        let is_of_items = items.is_some();
        if is_of_items && self.faults.has(Fault::ItemRefundRefused) {
            return Err(Refusal::invalid("the refund has no amount"));
        }
        let asked_of_items = items.map(|(asked, _)| asked);
        let amount = own.or(asked_of_items).map_or_else(|| amounts.missing("the refund has no amount"), Ok)?;
        // What was paid back matters only once something was; it is zero in every other state.
        let mut paid = amounts.read(object.refunded_amount)?;
        if state == RefundState::Succeeded && paid.is_none() {
            paid = Some(amounts.missing("the refund says not what was paid back")?);
        }
        if let Some((_, paid_of_first)) = items.filter(|_| self.faults.has(Fault::FirstItemOnly)) {
            paid = Some(paid_of_first);
        }
        if self.faults.has(Fault::UnknownStateIsSuccess) && paid.is_none_or(Amount::is_zero) {
            paid = Some(amount);
        }
        let charges = if self.faults.has(Fault::RefundPerCharge) { count(object.charges) } else { 0 };
        Ok(Told::Refund(RefundTold { id, state, amount, paid: paid.unwrap_or_default(), is_of_items, charges, created: None }))
    }

    /// A refund that pays back what it asks for, in hundredths of the major unit.
    fn flat_refund(&self, object: &ObjectMembers<'a>, amounts: &mut Amounts) -> Result<Told<'a>, Refusal> {
        let id = self.text(object.id, "the refund has no id")?;
        let state = self.refund_state(object)?;
        if state == RefundState::Succeeded && self.faults.has(Fault::ExpectsCompleteState) {
            return Ok(Told::Nothing);
        }
        if state == RefundState::Failed && object.failure_reason.is_none() && self.faults.has(Fault::FailureReasonRequired) {
            return Err(Refusal::failed("the refund has no failure reason"));
        }
        if self.faults.any() {
            self.store_reason(object)?;
        }
        let currency = self.text(object.currency, "").ok().and_then(|code| Currency::from_code(&code));
        let by_currency = currency.map(Currency::digits).filter(|_| self.faults.has(Fault::DividesByMinorUnit));
        amounts.places = by_currency.unwrap_or(2);
        let mut amount = amounts.needed(object.amount, "the refund has no amount")?;
        if self.faults.has(Fault::CustomerReceivesCounts)
            && let Some(elsewhere) = object.elsewhere.and_then(|raw| serde_json::from_str::<Object<PartMembers<'a>>>(raw.get()).ok())
        {
            amount = amounts.read(elsewhere.0.amount)?.unwrap_or(amount);
        }
        let paid = if state == RefundState::Succeeded { amount } else { Amount::ZERO };
        Ok(Told::Refund(RefundTold { id, state, amount, paid, is_of_items: false, charges: 0, created: None }))
    }

    pub(super) fn refund_state(&self, object: &ObjectMembers<'a>) -> Result<RefundState, Refusal> {
        if self.dialect.form == Form::Snapshot {
            return self.snapshot_state(object);
        }
        match &*self.text(object.state, "the refund has no state")? {
            "pending" => Ok(RefundState::Pending),
            "pending_information" => Ok(RefundState::PendingInformation),
            "succeeded" => Ok(RefundState::Succeeded),
            "failed" => Ok(RefundState::Failed),
            "cancelled" if self.dialect.form == Form::Flat && self.faults.has(Fault::CancelledCounts) => Ok(RefundState::Succeeded),
            "requested" if self.dialect.form == Form::Flat => Ok(RefundState::Requested),
            "cancelled" if self.dialect.form == Form::Flat => Ok(RefundState::Cancelled),
            _ if self.faults.has(Fault::UnknownStateIsSuccess) => Ok(RefundState::Succeeded),
            _ if self.faults.has(Fault::UnknownStateIsFinal) => Ok(RefundState::Failed),
            // The provider's pages have different lists of them: what is not known is not final.
            _ if self.dialect.form == Form::Flat => Ok(RefundState::Pending),
            _ => Err(Refusal::doubtful("the refund is in a state that is not known")),
        }
    }

    /// What a refund of items asks for, and what was paid for the first of them; `None` where there are no items.
    fn items(&self, raw: Option<&'a RawValue>, amounts: &mut Amounts) -> Result<Option<(Amount, Amount)>, Refusal> {
        let Some(raw) = raw else { return Ok(None) };
        let items: Vec<Object<PartMembers<'a>>> =
            serde_json::from_str(raw.get()).map_err(|_| Refusal::invalid("the refund's items are not items"))?;
        let Some(first) = items.first() else { return Ok(None) };
        let paid = if self.faults.has(Fault::FirstItemOnly) { amounts.read(first.0.refunded_amount)? } else { None };
        let mut sum = Amount::ZERO;
        for item in &items {
            let amount = amounts.needed(item.0.amount, "an item of the refund has no amount")?;
            sum += if self.faults.any() { self.misread_item(&item.0, &items, amount)? } else { amount };
        }
        Ok(Some((sum, paid.unwrap_or_default())))
    }

    fn charge(&self, object: &ObjectMembers<'a>, amounts: &mut Amounts) -> Result<Told<'a>, Refusal> {
        let id = self.text(object.id, "the charge has no id")?;
        let mut entries = self.entries(object.refunds, amounts)?;
        if entries.is_empty() {
            return Err(Refusal::invalid("the charge has no refunds"));
        }
        if self.faults.has(Fault::LastEntryOnly) {
            entries.drain(..entries.len() - 1);
        }
        let own = if self.faults.any() {
            let state = self.text(object.state, "").unwrap_or_default().into_owned();
            let amount = if self.faults.has(Fault::FirstCaptureIsAll) {
                self.entries(object.captures, amounts).ok().and_then(|captures| Some(captures.first()?.amount))
            } else {
                amounts.read(object.amount).ok().flatten()
            };
            amount.map(|amount| (amount, state))
        } else {
            None
        };
        Ok(Told::Charge(ChargeTold { id, entries, own }))
    }

    fn entries(&self, raw: Option<&'a RawValue>, amounts: &mut Amounts) -> Result<Vec<Entry>, Refusal> {
        let Some(raw) = raw else { return Ok(Vec::new()) };
        let parts: Vec<Object<PartMembers<'a>>> =
            serde_json::from_str(raw.get()).map_err(|_| Refusal::invalid("the charge's refunds are not refunds"))?;
        let entry = |part: Object<PartMembers<'a>>| {
            let word = self.text(part.0.state, "a refund of the charge has no state")?;
            let state = match &*word {
                "pending" => RefundState::Pending,
                "pending_information" => RefundState::PendingInformation,
                "complete" => RefundState::Succeeded,
                "failed" => RefundState::Failed,
                _ => return Err(Refusal::doubtful("a refund of the charge is in a state that is not known")),
            };
            Ok(Entry { state, amount: amounts.needed(part.0.amount, "a refund of the charge has no amount")? })
        };
        parts.into_iter().map(entry).collect()
    }

    pub(super) fn chargeback(&self, object: &ObjectMembers<'a>, amounts: &mut Amounts) -> Result<Told<'a>, Refusal> {
        // An order without refunds need not say that nothing was refunded.
        let refunded = amounts.read(object.refunded_amount)?;
        if self.faults.has(Fault::PanicsOnChargebackWithoutRefund) {
            refunded.expect("an order with a chargeback says what was refunded");
        }
        let available = amounts.needed(object.available_to_refund_amount, "the order says not what can be refunded")?;
        let open = open_on_charges(self, object.payment, amounts)?;
        Ok(Told::Chargeback(ChargebackTold { refunded: refunded.unwrap_or_default(), open, available }))
    }

    fn fail(&self, fault: Fault, refusal: Refusal) -> Refusal {
        if self.faults.has(fault) { Refusal::failed(refusal.why) } else { refusal }
    }
}

/// What stands around an object.
fn around<'a, A: Around<'a>>(text: &'a str, faults: Faults) -> Result<A, Refusal> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let Object(around) = Object::<A>::deserialize(&mut reader).map_err(|error| {
        if error.is_data() { Refusal::invalid("the body is not an event") } else { Refusal::malformed("the body is not JSON") }
    })?;
    if !faults.has(Fault::TrailingGarbageAccepted) {
        reader.end().map_err(|_| Refusal::malformed("something follows the event"))?;
    }
    Ok(around)
}

/// What stands around an object, and the object as `A` has it. Where it cannot be read that way, `B` is what the event is without it.
fn with_object<'a, A: Around<'a>, B: Around<'a>>(
    text: &'a str,
    faults: Faults,
    object: impl FnOnce(A::Data) -> Option<ObjectMembers<'a>>,
) -> Result<(EnvelopeMembers<'a>, Option<ObjectMembers<'a>>), Refusal> {
    match around::<A>(text, faults) {
        Ok(read) => {
            let (members, data) = read.parts();
            Ok((members, data.and_then(object)))
        }
        Err(_) => around::<B>(text, faults).map(|read| (read.parts().0, None)),
    }
}

/// What the open refunds of an order's charges ask for.
fn open_on_charges<'a>(envelope: &Envelope<'a>, payment: Option<&'a RawValue>, amounts: &mut Amounts) -> Result<Amount, Refusal> {
    let Some(payment) = payment else { return Ok(Amount::ZERO) };
    let payment: Object<PaymentMembers<'a>> =
        serde_json::from_str(payment.get()).map_err(|_| Refusal::invalid("the order's payment is not a payment"))?;
    let mut open = Amount::ZERO;
    for charge in payment.0.charges.unwrap_or_default() {
        let entries = envelope.entries(charge.0.refunds, amounts)?;
        open += entries.iter().filter(|entry| entry.state.is_open()).map(|entry| entry.amount).sum();
    }
    Ok(open)
}

fn count(raw: Option<&RawValue>) -> usize {
    raw.and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok()).map_or(0, |parts| parts.len())
}

#[cfg(test)]
mod tests;
