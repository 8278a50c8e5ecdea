//! Tazapay's refund events, from bytes to an [`Event`].

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::{
    event::{Event, News, RefundNews, RefundState},
    money::Amount,
    refusal::Refusal,
};

/// Amounts are hundredths of the major unit in every currency: 100 JPY are sent as 10000.
const HUNDREDTH: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// The parts of an event that are signed besides the raw body, literally.
#[derive(Debug, Deserialize)]
pub struct SignedParts {
    /// The event's id.
    pub id: String,
    /// When the event was created.
    pub created_at: String,
}

/// Finds the signed parts.
///
/// # Errors
/// [`Refusal::Malformed`] if this is no event.
pub fn signed_parts(body: &[u8]) -> Result<SignedParts, Refusal> {
    Ok(serde_json::from_str(std::str::from_utf8(body)?)?)
}

/// Reads an event. `None` if it is not about a refund, which is acknowledged.
///
/// # Errors
/// [`Refusal::Malformed`] if it is not such an event.
pub fn read(body: &[u8]) -> Result<Option<Event>, Refusal> {
    let body = std::str::from_utf8(body)?;
    let Kind { kind } = serde_json::from_str(body)?;
    match kind.as_str() {
        // No document names the event of a refund that was called off; this is how the others are named.
        "refund.created" | "refund.pending" | "refund.succeeded" | "refund.failed" | "refund.cancelled" => {
            refund(serde_json::from_str(body)?).map(Some)
        }
        _ => Ok(None),
    }
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    created_at: Timestamp,
    data: Refund,
}

/// `customer_receives` is what reaches the shopper, in another currency: it is never counted.
#[derive(Deserialize)]
struct Refund {
    id: String,
    payin: String,
    amount: Amount,
    currency: Option<String>,
    status: State,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Requested,
    Pending,
    Succeeded,
    Failed,
    Cancelled,
}

fn refund(envelope: Envelope) -> Result<Event, Refusal> {
    let Envelope { id, created_at, data: refund } = envelope;
    let Amount(hundredths) = refund.amount;
    if id.is_empty() || !hundredths.fract().is_zero() {
        return Err(Refusal::Malformed("no event id, or an amount with a fraction".to_owned()));
    }
    let amount = hundredths * HUNDREDTH;
    let (state, paid) = match refund.status {
        State::Requested => (RefundState::Requested, Decimal::ZERO),
        State::Pending => (RefundState::Pending, Decimal::ZERO),
        // There is one amount only: a refund is paid as it was asked for, or not at all.
        State::Succeeded => (RefundState::Succeeded, amount),
        State::Failed => (RefundState::Failed, Decimal::ZERO),
        State::Cancelled => (RefundState::Cancelled, Decimal::ZERO),
    };
    let news = News::Refund(RefundNews { id: refund.id, state, requested: amount, paid });
    Ok(Event { id, order_id: refund.payin, currency: refund.currency, at: created_at, news })
}
