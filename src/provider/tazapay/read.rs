//! What a received event says.

use super::NAME;
use crate::{
    domain::{EventTime, RefundState},
    json::Value,
    model::Tell,
    provider::read::{EventReader, OrderSaid, Said, Unread, in_parts, needed, text},
};

/// Reads Tazapay's events.
#[derive(Debug)]
pub(super) struct Reader;

/// Every currency is sent in hundredths.
const PLACES: u32 = 2;

impl EventReader for Reader {
    fn read(&self, body: &Value) -> Result<Said, Unread> {
        if body["object"] != *"event" || !body["data"].is_object() || body["created_at"].is_null() {
            return Err(Unread::Foreign(format!("it has not the form of an event of {NAME}")));
        }
        let (id, kind) = (needed(body, "/id")?.to_owned(), needed(body, "/type")?.to_owned());
        let created = EventTime::parse(needed(body, "/created_at")?).map_err(|why| Unread::Lacking(format!("`/created_at`: {why}")))?;
        let order = text(body, "/data/payin").map(|payin| OrderSaid {
            key: payin.to_owned(),
            currency: text(body, "/data/currency").map(str::to_owned),
            ..OrderSaid::default()
        });
        let is_refund = kind.starts_with("refund.");
        let state = if is_refund { Some(state(body)?) } else { None };
        let mut tells = Vec::new();
        if let Some(state) = state {
            let amount =
                in_parts(body, "/data/amount", PLACES).ok_or_else(|| Unread::Lacking("`/data/amount` is no whole number".to_owned()))?;
            let paid = if state == RefundState::Succeeded { amount } else { crate::domain::Amount::ZERO };
            tells.push(Tell::Refund { id: needed(body, "/data/id")?.to_owned(), state, amount, refunded_amount: paid, in_passing: false });
        }
        // No document says by which event a cancellation is told.
        Ok(Said { id, kind, created, order, tells, rank: 0, is_doubtful: state == Some(RefundState::Cancelled) })
    }

    fn words(&self) -> &'static [&'static str] {
        &["type", "object", "status", "currency", "holding_currency"]
    }
}

fn state(body: &Value) -> Result<RefundState, Unread> {
    match needed(body, "/data/status")? {
        "requested" => Ok(RefundState::Requested),
        "pending" => Ok(RefundState::Pending),
        "succeeded" => Ok(RefundState::Succeeded),
        "failed" => Ok(RefundState::Failed),
        "cancelled" => Ok(RefundState::Cancelled),
        other => Err(Unread::Against(format!("its refund has the status `{other}`, which {NAME} does not document"))),
    }
}
