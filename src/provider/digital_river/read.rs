//! What a received event says.

use super::NAME;
use crate::{
    case::ItemSetup,
    domain::{Amount, EventTime, RefundState},
    json::Value,
    model::{Entry, PictureIn, Tell},
    provider::read::{EventReader, OrderSaid, Said, Unread, decimal, needed, text},
};

/// Reads Digital River's events.
#[derive(Debug)]
pub(super) struct Reader;

const OBJECT: &str = "/data/object";

impl EventReader for Reader {
    fn read(&self, body: &Value) -> Result<Said, Unread> {
        if text(body, "/createdTime").is_none() || body.pointer(OBJECT).is_none_or(|object| !object.is_object()) {
            return Err(Unread::Foreign(format!("it has not the form of an event of {NAME}")));
        }
        let (id, kind) = (needed(body, "/id")?.to_owned(), needed(body, "/type")?.to_owned());
        let created = EventTime::parse(needed(body, "/createdTime")?).map_err(|why| Unread::Lacking(format!("`/createdTime`: {why}")))?;
        let object = &body["data"]["object"];
        let (order, tells) = match text(object, "/orderId") {
            Some(order) if kind.starts_with("refund.") => (about(order, object), vec![refund(object, kind == "refund.updated")?]),
            Some(order) if kind.starts_with("order.charge.") || kind.starts_with("charge.") => {
                let within = match kind.as_str() {
                    "order.charge.refund.complete" => PictureIn::Completion,
                    kind if kind.starts_with("order.charge.refund.") => PictureIn::ChargeRefundEvent,
                    _ => PictureIn::Elsewhere,
                };
                let charges = vec![(needed(object, "/id")?.to_owned(), None)];
                (Some(OrderSaid { charges, ..about(order, object).unwrap_or_default() }), picture(object, within)?.into_iter().collect())
            }
            Some(order) => (about(order, object), Vec::new()),
            None if kind.starts_with("refund.") => return Err(Unread::Lacking(format!("it has no text at `{OBJECT}/orderId`"))),
            None if kind.starts_with("order.") => order_so_far(object, kind == "order.chargeback")?,
            None => (None, Vec::new()),
        };
        Ok(Said { id, kind, created, order, tells, rank: 0, is_doubtful: false })
    }

    fn words(&self) -> &'static [&'static str] {
        &["type", "state", "fraudState", "currency", "brand", "customerType", "serviceLevel", "shippingTerms", "locale", "country"]
    }
}

fn about(order: &str, object: &Value) -> Option<OrderSaid> {
    let currency = text(object, "/currency").map(str::to_owned);
    Some(OrderSaid { key: order.to_owned(), currency, ..OrderSaid::default() })
}

fn refund(object: &Value, in_passing: bool) -> Result<Tell, Unread> {
    let state = match needed(object, "/state")? {
        "pending" => RefundState::Pending,
        "pending_information" => RefundState::PendingInformation,
        "succeeded" => RefundState::Succeeded,
        "failed" => RefundState::Failed,
        other => return Err(Unread::Against(format!("its refund has the state `{other}`, which {NAME} does not document"))),
    };
    let items = object["items"].as_array().map_or(&[][..], Vec::as_slice);
    let of_items: Option<Amount> = items.iter().map(|item| decimal(item, "/amount")).sum();
    let amount = decimal(object, "/amount").or(of_items.filter(|_| !items.is_empty()));
    let amount = amount.ok_or_else(|| Unread::Lacking("its refund says neither its amount nor those of its items".to_owned()))?;
    let paid = decimal(object, "/refundedAmount");
    let refunded_amount = match (state, paid) {
        (RefundState::Succeeded, Some(paid)) => paid,
        (RefundState::Succeeded, None) => return Err(Unread::Lacking("its refund succeeded and has no `refundedAmount`".to_owned())),
        _ => Amount::ZERO,
    };
    if refunded_amount > amount {
        return Err(Unread::Against(format!("its refund of {amount} says that {refunded_amount} were paid back")));
    }
    Ok(Tell::Refund { id: needed(object, "/id")?.to_owned(), state, amount, refunded_amount, in_passing })
}

/// All refunds of a charge, if it speaks of any.
fn picture(charge: &Value, within: PictureIn) -> Result<Option<Tell>, Unread> {
    let Some(refunds) = charge["refunds"].as_array() else { return Ok(None) };
    let entry = |refund: &Value| -> Result<Entry, Unread> {
        let state = match needed(refund, "/state")? {
            "complete" => RefundState::Succeeded,
            "pending" => RefundState::Pending,
            "pending_information" => RefundState::PendingInformation,
            "failed" => RefundState::Failed,
            other => {
                return Err(Unread::Against(format!("a refund of its charge has the state `{other}`, which {NAME} does not document")));
            }
        };
        let amount = decimal(refund, "/amount").ok_or_else(|| Unread::Lacking("a refund of its charge has no amount".to_owned()))?;
        Ok(Entry { state, amount })
    };
    let refunds = refunds.iter().map(entry).collect::<Result<Vec<Entry>, Unread>>()?;
    Ok(Some(Tell::Charge { id: needed(charge, "/id")?.to_owned(), within, refunds }))
}

/// An order with what it says of its refunds.
fn order_so_far(order: &Value, is_chargeback: bool) -> Result<(Option<OrderSaid>, Vec<Tell>), Unread> {
    let charges = order.pointer("/payment/charges").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let captured = decimal(order, "/capturedAmount");
    let mut tells = Vec::new();
    // Documented orders of which nothing was refunded say nothing of it.
    let refunded_amount = decimal(order, "/refundedAmount").unwrap_or(Amount::ZERO);
    if let Some(available) = decimal(order, "/availableToRefundAmount") {
        // What is charged back is for the order's history to say: no member of an order does.
        let charged_back_amount = Amount::ZERO;
        tells.push(Tell::Order { refunded_amount, available_to_refund_amount: available, charged_back_amount });
    }
    if is_chargeback {
        if tells.is_empty() {
            return Err(Unread::Lacking("it says not what is left to be refunded".to_owned()));
        }
        tells.push(Tell::Chargeback);
    }
    for charge in charges {
        tells.extend(picture(charge, PictureIn::Elsewhere)?);
    }
    let is_captured = |charge: &&Value| charge["captured"].as_bool() == Some(true);
    let of_charge = |charge: &Value| Some((text(charge, "/id")?.to_owned(), decimal(charge, "/amount")));
    let item = |item: &Value| {
        let quantity = item["quantity"].as_u64().and_then(|quantity| u32::try_from(quantity).ok());
        Some(ItemSetup { item_id: text(item, "/id")?.to_owned(), quantity: quantity?, amount: decimal(item, "/amount")? })
    };
    let items = order["items"].as_array().map_or(&[][..], Vec::as_slice);
    let said = OrderSaid {
        key: needed(order, "/id")?.to_owned(),
        currency: text(order, "/currency").map(str::to_owned),
        captured: captured.filter(|captured| !captured.is_zero()),
        charges: charges.iter().filter(is_captured).filter_map(of_charge).collect(),
        items: items.iter().filter_map(item).collect(),
        ..OrderSaid::default()
    };
    Ok((Some(said), tells))
}
