//! What only a faulty shop reads: members that do not matter, and events that tell nothing of refunds.
//!
//! A conforming shop never comes here.

use serde_json::value::RawValue;

use super::{
    bank::Fault,
    dialect::Form,
    fault::Faults,
    json::Object,
    ledger::Ledger,
    money::Amounts,
    parse::{Envelope, ObjectMembers, PartMembers, Told, Topic},
    refusal::Refusal,
};
use crate::{
    domain::{Amount, Status},
    json::Value,
};

impl Envelope<'_> {
    /// What only a shop minds that reads more strictly than the contract allows.
    pub(super) fn be_stricter(&self) -> Result<(), Refusal> {
        let place = |raw: Option<&RawValue>| raw.map_or(0, |raw| raw.get().as_ptr().addr());
        if self.faults.has(Fault::MemberOrderAssumed) && place(self.members.kind) > place(self.data()) {
            return Err(Refusal::invalid("the type comes after the data"));
        }
        const STRICT: [Fault; 6] = [
            Fault::UnknownMembersRefused,
            Fault::NullMemberFails,
            Fault::NullDueDateFails,
            Fault::GuestFails,
            Fault::CardExpected,
            Fault::KnownPrefixesOnly,
        ];
        if !STRICT.iter().any(|fault| self.faults.has(*fault)) {
            return Ok(());
        }
        let Ok(Value::Object(envelope)) = serde_json::from_str(self.text) else { return Ok(()) };
        let data = envelope.get("data");
        let object = if self.dialect.form != Form::Flat { data.and_then(|data| data.get("object")) } else { data };
        let Some(Value::Object(object)) = object else { return Ok(()) };
        // The shop has a type for orders too, and it is long.
        let is_known = |name: &String| self.dialect.members.contains(&name.as_str()) || object.contains_key("payment");
        if self.faults.has(Fault::UnknownMembersRefused) && !envelope.keys().chain(object.keys()).all(is_known) {
            return Err(Refusal::invalid("there is a member that is not known"));
        }
        if self.faults.has(Fault::NullMemberFails) && object.values().any(Value::is_null) {
            return Err(Refusal::failed("a member is null"));
        }
        let due = object.get("evidence_details").and_then(|details| details.get("due_by"));
        if self.faults.has(Fault::NullDueDateFails) && due.is_some_and(Value::is_null) {
            return Err(Refusal::failed("the dispute has no date"));
        }
        if self.faults.has(Fault::GuestFails) && self.topic() == Topic::Charge && object.get("customer").is_some_and(Value::is_null) {
            return Err(Refusal::failed("the charge has no customer"));
        }
        let card = object.get("payment_method_details").and_then(|details| details.get("card"));
        if self.faults.has(Fault::CardExpected) && self.topic() == Topic::Charge && card.is_none() {
            return Err(Refusal::failed("the charge has no card"));
        }
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
        if self.faults.has(Fault::KnownPrefixesOnly) && self.topic() == Topic::Refund && !id.starts_with("re_") {
            return Err(Refusal::invalid("this is no id of a refund"));
        }
        Ok(())
    }

    /// Puts what a refund says of itself into columns that do not take everything.
    pub(super) fn store_reason(&self, object: &ObjectMembers<'_>) -> Result<(), Refusal> {
        let reason = self.text(object.reason, "").unwrap_or_default();
        if self.faults.has(Fault::LongReasonFails) && reason.chars().count() > 255 {
            return Err(Refusal::failed("the reason is too long for its column"));
        }
        if self.faults.has(Fault::QuotedReasonFails) && reason.contains('\'') {
            return Err(Refusal::failed("the query has an unbalanced quote"));
        }
        if self.faults.has(Fault::FourByteReasonFails) && reason.chars().any(|letter| letter.len_utf8() > 3) {
            return Err(Refusal::failed("the reason has letters that its column does not take"));
        }
        if self.faults.has(Fault::ShortRefundIdColumn)
            && self.text(object.id, "").is_ok_and(|id| id.len() > 24 && self.dialect.form == Form::Flat)
        {
            return Err(Refusal::failed("the refund's id is too long for its column"));
        }
        if self.faults.has(Fault::NullMetadataFails) && object.metadata.is_some_and(|raw| raw.get() == "null") {
            return Err(Refusal::failed("the metadata is no object"));
        }
        Ok(())
    }

    /// What a faulty shop takes for the amount of an item of a refund.
    pub(super) fn misread_item(&self, item: &PartMembers<'_>, all: &[Object<PartMembers<'_>>], amount: Amount) -> Result<Amount, Refusal> {
        if amount.is_zero() && self.faults.has(Fault::FreeItemFails) {
            return Err(Refusal::failed("division by zero"));
        }
        if item.refunded_amount.is_none() && self.faults.has(Fault::ItemPaidRequired) {
            return Err(Refusal::failed("an item says not what was paid back"));
        }
        let sku = |item: &PartMembers<'_>| item.sku_id.map(RawValue::get).unwrap_or_default().to_owned();
        let is_first = all.iter().find(|other| sku(&other.0) == sku(item)).is_some_and(|first| std::ptr::eq(&raw const first.0, item));
        if !is_first && self.faults.has(Fault::OneLineForASku) {
            return Ok(Amount::ZERO);
        }
        let pieces = item.quantity.and_then(|raw| raw.get().parse::<usize>().ok()).unwrap_or(1);
        Ok(if self.faults.has(Fault::LineTimesQuantity) { std::iter::repeat_n(amount, pieces).sum() } else { amount })
    }

    /// The order that an event of any type is about, as far as a shop can guess.
    pub(super) fn guessed_orders(&self, object: &ObjectMembers<'_>) -> [Option<String>; 2] {
        [object.order_id, object.id].map(|raw| self.text(raw, "").ok().map(|text| text.into_owned()))
    }
}

/// What a faulty shop makes of an event that tells nothing of refunds.
pub(super) fn misread(
    envelope: &Envelope<'_>,
    object: &ObjectMembers<'_>,
    order: Option<&mut Ledger>,
    faults: Faults,
) -> Result<(), Refusal> {
    let kind = &*envelope.kind;
    if !envelope.dialect.catalogue.contains(&kind) {
        if faults.has(Fault::UnknownEventFails) {
            return Err(Refusal::failed("nobody handles this type of event"));
        }
        if faults.has(Fault::UnknownEventRefused) {
            return Err(Refusal::invalid("there is no such type of event"));
        }
    }
    if kind == "order.dispute" && faults.has(Fault::DisputeEventFails) {
        return Err(Refusal::failed("nobody handles disputes"));
    }
    let Some(order) = order else {
        return if faults.has(Fault::ForeignObjectRefused) { Err(Refusal::unknown_order()) } else { Ok(()) };
    };
    // Even a careless shop books an event once.
    if !envelope.id().is_some_and(|id| order.remember(&id)) {
        return Ok(());
    }
    let amount = |raw: Option<&RawValue>| Amounts::new(faults).read(raw).ok().flatten().unwrap_or_default();
    match kind {
        "order.refunded" if faults.has(Fault::OrderTotalAdded) => order.slips.extra += amount(object.refunded_amount),
        "order.fulfilled" | "order.complete" if faults.has(Fault::OrderCompleteResets) => order.forget_refunds(),
        "order.cancelled" | "order.charge.cancel.complete" if faults.has(Fault::CancellationIsRefund) => {
            order.slips.status = Some(Status::Refunded);
        }
        "charge.failed" | "payment_intent.payment_failed" if faults.has(Fault::AttemptFailureResets) => order.forget_refunds(),
        "order.dispute" if faults.has(Fault::DisputeIsChargeback) => order.charge_back(),
        "order.dispute.resolved" if faults.has(Fault::ResolvedLiftsChargeback) => order.lift_chargeback(),
        "order.dispute.resolved" if faults.has(Fault::DisputeIsChargeback) => order.lift_chargeback(),
        "order.dispute.resolved" if faults.has(Fault::DisputeResolvedClearsRefunds) => order.forget_refunds(),
        "sales_transaction.created" => {
            let of = envelope.text(object.kind, "").unwrap_or_default();
            if of == "refund" && faults.has(Fault::SalesTransactionDoubles) {
                order.slips.extra += amount(object.amount);
            } else if of == "refund" && faults.has(Fault::SalesTransactionCounts) {
                order.slips.sales += amount(object.amount);
            } else if of.contains("refund") && of != "refund" && faults.has(Fault::ReplacementRefundCounts) {
                order.slips.extra += amount(object.amount);
            } else if of.ends_with("chargeback") && faults.has(Fault::SalesTransactionChargesBack) {
                order.charge_back();
            }
        }
        _ if object.payment.is_some() && faults.has(Fault::GapIsChargeback) => {
            if let Ok(Told::Chargeback(told)) = envelope.chargeback(object, &mut Amounts::new(faults))
                && told.available < order.captured - told.refunded - told.open
            {
                order.charge_back();
            }
        }
        "order.refunded" => {}
        _ if object.payment.is_some() && faults.has(Fault::OrderEventLiftsChargeback) => order.lift_chargeback(),
        _ => {}
    }
    Ok(())
}
