//! Digital River's events, from bytes to an [`Event`].
//!
//! Two layers tell of the same money and are not one to one: refund objects (`re_…`), and the entries in a charge's `refunds[]`. Two
//! refunds may be one entry, and one refund may be entries of two charges. So neither is looked up in the other.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    event::{ChargeNews, Event, News, RefundNews, RefundState},
    money::Amount,
    refusal::Refusal,
};

/// Reads an event. `None` if it does not matter to this shop: disputes move no money, `sales_transaction.created` and `order.refunded`
/// only repeat what others tell, and types that are not known yet would only come again for 72 hours if they were refused.
///
/// # Errors
/// [`Refusal::Malformed`] if it is not such an event.
pub fn read(body: &[u8]) -> Result<Option<Event>, Refusal> {
    // serde_json does not look into strings that nobody asked for, so the encoding is checked here.
    let body = std::str::from_utf8(body)?;
    let Kind { kind } = serde_json::from_str(body)?;
    match kind.as_str() {
        "refund.created"
        | "refund.pending"
        | "refund.pending_information"
        | "refund.complete"
        | "refund.succeeded"
        | "refund.failed"
        | "refund.updated" => refund(serde_json::from_str(body)?),
        "order.charge.refund.pending"
        | "order.charge.refund.pending_information"
        | "order.charge.refund.complete"
        | "order.charge.refund.failed" => charge(&serde_json::from_str(body)?),
        "order.chargeback" => chargeback(serde_json::from_str(body)?),
        _ => Ok(None),
    }
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<T> {
    id: String,
    created_time: Timestamp,
    data: Data<T>,
}

#[derive(Deserialize)]
struct Data<T> {
    object: T,
}

impl<T> Envelope<T> {
    fn event(&self, order_id: String, currency: Option<String>, news: News) -> Result<Option<Event>, Refusal> {
        if self.id.is_empty() {
            return Err(Refusal::Malformed("the event has no id".to_owned()));
        }
        Ok(Some(Event { id: self.id.clone(), order_id, currency, at: self.created_time, news }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refund {
    id: String,
    order_id: String,
    currency: Option<String>,
    state: State,
    amount: Option<Amount>,
    refunded_amount: Option<Amount>,
    items: Option<Vec<Item>>,
}

#[derive(Deserialize)]
struct Item {
    amount: Amount,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Pending,
    PendingInformation,
    Succeeded,
    Failed,
}

fn refund(envelope: Envelope<Refund>) -> Result<Option<Event>, Refusal> {
    let refund = &envelope.data.object;
    // An item-level refund has no amount of its own.
    let of_items = || match refund.items.as_deref() {
        None | Some([]) => None,
        Some(items) => Some(items.iter().map(|item| item.amount.0).sum()),
    };
    let requested = refund.amount.map(|Amount(amount)| amount).or_else(of_items);
    // The state is believed, not the event's name: refund.complete says "succeeded", and refund.updated says whatever it was.
    let paid = match (refund.state, refund.refunded_amount) {
        (State::Succeeded, Some(Amount(paid))) => Some(paid),
        (State::Succeeded, None) => None,
        _ => Some(Decimal::ZERO),
    };
    let (Some(requested), Some(paid)) = (requested, paid) else {
        return Err(Refusal::Malformed("a refund without its amount".to_owned()));
    };
    let state = match refund.state {
        State::Pending => RefundState::Pending,
        State::PendingInformation => RefundState::PendingInformation,
        State::Succeeded => RefundState::Succeeded,
        State::Failed => RefundState::Failed,
    };
    let news = News::Refund(RefundNews { id: refund.id.clone(), state, requested, paid });
    envelope.event(refund.order_id.clone(), refund.currency.clone(), news)
}

/// A charge, in an event of its own or inside an order. Its own `state` and `refunded` are left alone: it may still be processing,
/// and `refunded` is true even when its only refund has failed.
#[derive(Deserialize)]
struct Charge {
    id: String,
    refunds: Option<Vec<Entry>>,
}

/// It may have no id, so entries are summed up and never matched.
#[derive(Deserialize)]
struct Entry {
    state: EntryState,
    amount: Amount,
}

#[derive(PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EntryState {
    Pending,
    PendingInformation,
    Complete,
    Failed,
}

impl Charge {
    fn news(&self) -> Option<ChargeNews> {
        let refunds = self.refunds.as_ref().filter(|refunds| !refunds.is_empty())?;
        let sum = |state| refunds.iter().filter(|entry| entry.state == state).map(|entry| entry.amount.0).sum();
        Some(ChargeNews {
            id: self.id.clone(),
            complete: sum(EntryState::Complete),
            pending: sum(EntryState::Pending),
            pending_information: sum(EntryState::PendingInformation),
            failed: sum(EntryState::Failed),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    id: String,
    currency: Option<String>,
    refunded_amount: Option<Amount>,
    available_to_refund_amount: Option<Amount>,
    payment: Option<Payment>,
}

#[derive(Deserialize)]
struct Payment {
    charges: Option<Vec<Charge>>,
}

impl Order {
    fn charges(&self) -> Vec<ChargeNews> {
        let charges = self.payment.as_ref().and_then(|payment| payment.charges.as_deref()).unwrap_or_default();
        charges.iter().filter_map(Charge::news).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderOfCharge {
    order_id: Option<String>,
    currency: Option<String>,
}

fn charge(envelope: &Envelope<&RawValue>) -> Result<Option<Event>, Refusal> {
    let object = envelope.data.object.get();
    let about: OrderOfCharge = serde_json::from_str(object)?;
    // The documented order.charge.refund.failed carries the whole order instead of the charge.
    let (order_id, charges) = if let Some(order_id) = about.order_id {
        (order_id, Vec::from_iter(serde_json::from_str::<Charge>(object)?.news()))
    } else {
        let order: Order = serde_json::from_str(object)?;
        let charges = order.charges();
        (order.id, charges)
    };
    if charges.is_empty() {
        return Err(Refusal::Malformed("a charge refund event without any refund".to_owned()));
    }
    envelope.event(order_id, about.currency, News::Charges(charges))
}

fn chargeback(envelope: Envelope<Order>) -> Result<Option<Event>, Refusal> {
    let order = &envelope.data.object;
    let charges = order.charges();
    let Some(Amount(available)) = order.available_to_refund_amount else {
        return Err(Refusal::Malformed("a chargeback without availableToRefundAmount".to_owned()));
    };
    let complete = || charges.iter().map(|charge| charge.complete).sum();
    let news = News::Chargeback {
        refunded: order.refunded_amount.map_or_else(complete, |Amount(refunded)| refunded),
        open: charges.iter().map(|charge| charge.pending + charge.pending_information).sum(),
        available,
    };
    envelope.event(order.id.clone(), order.currency.clone(), news)
}
