//! Events whose data is the refund itself: the order is its `payin`, amounts are hundredths, and one refund event is all that
//! tells of money. Which form an event has shows in its members.

use refundproof::domain::{Amount, EventTime, RefundState};
use serde_json::Value;

use super::parse::{Event, Manner, News, Refund, Refusal, text};

/// Whether an event has this form.
pub(super) fn is_flat(event: &Value) -> bool {
    event["createdTime"].is_null() && (event["data"]["object"].is_string() || !event["created_at"].is_null())
}

/// The event, or `None` where it tells nothing of refunds.
pub(super) fn read(event: &Value, manner: Manner) -> Result<Option<Event>, Refusal> {
    let kind = text(&event["type"])?;
    if !["refund.created", "refund.pending", "refund.succeeded", "refund.failed", "refund.cancelled"].contains(&kind) {
        return Ok(None);
    }
    let data = &event["data"];
    let state = match text(&data["status"]).map_err(|_| Refusal::Doubtful)? {
        "requested" => RefundState::Requested,
        "pending" => RefundState::Pending,
        "succeeded" => RefundState::Succeeded,
        "failed" => RefundState::Failed,
        "cancelled" => RefundState::Cancelled,
        // Not final, whatever it is.
        _ if manner.lenient => RefundState::Pending,
        _ => return Err(Refusal::Doubtful),
    };
    let amount = hundredths(&data["amount"], manner)?;
    let paid = if state == RefundState::Succeeded { amount } else { Amount::ZERO };
    let news = News::Refund(Refund { id: text(&data["id"])?.to_owned(), state, amount, paid });
    let id = match text(&event["id"]) {
        Ok(id) => id.to_owned(),
        Err(_) if manner.lenient => format!("without an id: {event}"),
        Err(refusal) => return Err(refusal),
    };
    let at = match event["created_at"].as_str().map(EventTime::parse) {
        Some(Ok(at)) => at,
        _ if manner.lenient && state.is_final() => EventTime::from_micros(0),
        _ => return Err(Refusal::Doubtful),
    };
    let currency = data["currency"].as_str().map(str::to_owned);
    Ok(Some(Event { id, at, order_id: text(&data["payin"])?.to_owned(), currency, news }))
}

fn hundredths(value: &Value, manner: Manner) -> Result<Amount, Refusal> {
    let number = match value {
        Value::Number(number) => &number.to_string(),
        Value::String(text) if manner.lenient => text,
        _ => return Err(Refusal::Invalid),
    };
    let amount = Amount::parse(number).ok().and_then(|number| number.in_parts(2)).ok_or(Refusal::Doubtful)?;
    if amount.is_negative() { Err(Refusal::Invalid) } else { Ok(amount) }
}
