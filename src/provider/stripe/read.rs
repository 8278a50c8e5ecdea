//! What a received event says.

use super::{
    NAME,
    events::{
        CHARGE_REFUND_UPDATED, CHARGE_REFUNDED, DISPUTE_CLOSED, FUNDS_REINSTATED, FUNDS_WITHDRAWN, OF_THE_CHARGE, REFUND_CREATED,
        REFUND_FAILED,
    },
    money::digits_sent,
};
use crate::{
    domain::{Amount, Currency, EventTime, RefundState},
    json::Value,
    model::{DisputeEvent, Tell},
    provider::read::{EventReader, OrderSaid, Said, Unread, in_parts, needed, number, text},
};

/// Reads Stripe's events.
#[derive(Debug)]
pub(super) struct Reader;

impl EventReader for Reader {
    fn read(&self, body: &Value) -> Result<Said, Unread> {
        let object = &body["data"]["object"];
        if body["object"] != *"event" || !object.is_object() || number(body, "/created").is_none() {
            return Err(Unread::Foreign(format!("it has not the form of an event of {NAME}")));
        }
        let (id, kind) = (needed(body, "/id")?.to_owned(), needed(body, "/type")?.to_owned());
        let seconds: Option<i64> = number(body, "/created").and_then(|text| text.parse().ok());
        let micros = seconds.and_then(|seconds| seconds.checked_mul(1_000_000));
        let micros = micros.ok_or_else(|| Unread::Lacking("`/created` is no time in whole seconds".to_owned()))?;
        let mut said = Said {
            rank: rank(&kind),
            id,
            kind,
            created: EventTime::from_micros(micros),
            order: None,
            tells: Vec::new(),
            is_doubtful: false,
        };
        let of = text(object, "/object");
        if let Some(about) = about(&said.kind).filter(|about| of != Some(about)) {
            return Err(Unread::Lacking(format!("{} is about a {about}, and its object is none", said.kind)));
        }
        match of {
            Some("refund") => refund(object, &mut said)?,
            Some("charge") => charge(object, &mut said)?,
            Some("dispute") => dispute(object, &mut said)?,
            Some("payment_intent") => {
                let captured = money(object, "/amount_received", text(object, "/currency")).filter(|amount| !amount.is_zero());
                let id = needed(object, "/id")?.to_owned();
                let order =
                    OrderSaid { captured, reference: reference(object), payment: Some(id.clone()), key: id, ..OrderSaid::default() };
                said.order = Some(with_currency(order, object));
            }
            _ => said.order = of_payment(object).map(|order| with_currency(order, object)),
        }
        Ok(said)
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "object",
            "type",
            "status",
            "currency",
            "country",
            "brand",
            "network",
            "funding",
            "reason",
            "failure_reason",
            "pending_reason",
            "reference_status",
            "reference_type",
            "case_type",
            "reporting_category",
            "balance_type",
            "api_version",
            "network_reason_code",
            "risk_level",
        ]
    }
}

/// Of which kind the object of an event is, where its type says so.
fn about(kind: &str) -> Option<&'static str> {
    match kind {
        CHARGE_REFUND_UPDATED => Some("refund"),
        _ if kind.starts_with("refund.") => Some("refund"),
        _ if kind.starts_with("charge.dispute.") => Some("dispute"),
        _ if kind.starts_with("charge.") => Some("charge"),
        _ => None,
    }
}

/// Within a second a refund is made, then counted by its charge, then changed, then found to have failed.
fn rank(kind: &str) -> u8 {
    match kind {
        REFUND_CREATED => 1,
        CHARGE_REFUNDED => 2,
        REFUND_FAILED => 4,
        DISPUTE_CLOSED => 5,
        _ if kind.ends_with(".created") || OF_THE_CHARGE.contains(&kind) => 0,
        _ => 3,
    }
}

/// A member that is an id, or the whole object if it was expanded.
fn id_at<'b>(object: &'b Value, place: &str) -> Option<&'b str> {
    text(object, place).or_else(|| text(object.pointer(place)?, "/id"))
}

/// The order of an object that names its payment.
fn of_payment(object: &Value) -> Option<OrderSaid> {
    let (payment, charge) = (id_at(object, "/payment_intent"), id_at(object, "/charge"));
    Some(OrderSaid {
        key: payment.or(charge)?.to_owned(),
        payment: payment.map(str::to_owned),
        charges: charge.map(|charge| (charge.to_owned(), None)).into_iter().collect(),
        ..OrderSaid::default()
    })
}

fn with_currency(order: OrderSaid, object: &Value) -> OrderSaid {
    OrderSaid { currency: text(object, "/currency").map(str::to_uppercase), ..order }
}

/// The shop's own reference.
fn reference(object: &Value) -> Option<String> {
    text(object, "/metadata/order_id").map(str::to_owned)
}

fn money(object: &Value, place: &str, currency: Option<&str>) -> Option<Amount> {
    in_parts(object, place, digits_sent(Currency::from_code(&currency?.to_uppercase())?))
}

/// The amount at a place without which nothing can be said.
fn amount(object: &Value, place: &str) -> Result<Amount, Unread> {
    let lacking = || Unread::Lacking(format!("`/data/object{place}` is no amount in whole units of a known currency"));
    money(object, place, text(object, "/currency")).ok_or_else(lacking)
}

fn refund(object: &Value, said: &mut Said) -> Result<(), Unread> {
    let order = of_payment(object).ok_or_else(|| Unread::Lacking("its refund names neither a payment intent nor a charge".to_owned()))?;
    said.order = Some(with_currency(order, object));
    let state = match needed(object, "/status")? {
        "pending" => RefundState::Pending,
        "requires_action" => RefundState::PendingInformation,
        "succeeded" => RefundState::Succeeded,
        "failed" => RefundState::Failed,
        "canceled" => RefundState::Cancelled,
        other => return Err(Unread::Against(format!("its refund has the status `{other}`, which {NAME} does not document"))),
    };
    let amount = amount(object, "/amount")?;
    said.tells.push(Tell::Refund {
        id: needed(object, "/id")?.to_owned(),
        state,
        amount,
        refunded_amount: if state == RefundState::Succeeded { amount } else { Amount::ZERO },
        // It mirrors refund.updated, and shops handle one of the two.
        in_passing: said.kind == CHARGE_REFUND_UPDATED,
    });
    Ok(())
}

fn charge(object: &Value, said: &mut Said) -> Result<(), Unread> {
    let id = needed(object, "/id")?.to_owned();
    let payment = id_at(object, "/payment_intent").map(str::to_owned);
    let is_paid = text(object, "/status") == Some("succeeded");
    // Other charges of the payment intent are attempts that paid for nothing.
    let captured = money(object, "/amount_captured", text(object, "/currency")).filter(|amount| is_paid && !amount.is_zero());
    let order = OrderSaid {
        key: payment.clone().unwrap_or_else(|| id.clone()),
        payment,
        reference: reference(object),
        charges: captured.map(|captured| (id.clone(), Some(captured))).into_iter().collect(),
        captured,
        ..OrderSaid::default()
    };
    said.order = Some(with_currency(order, object));
    let in_passing = said.kind != CHARGE_REFUNDED;
    if in_passing && !OF_THE_CHARGE.contains(&said.kind.as_str()) {
        return Ok(());
    }
    let refunded_amount = amount(object, "/amount_refunded")?;
    if captured.is_some_and(|captured| refunded_amount > captured) {
        let captured = captured.unwrap_or_default();
        return Err(Unread::Against(format!("its charge of {captured} says that {refunded_amount} were refunded of it")));
    }
    if !in_passing || !refunded_amount.is_zero() {
        said.tells.push(Tell::Total { id, refunded_amount, covers: Vec::new(), in_passing });
    }
    Ok(())
}

fn dispute(object: &Value, said: &mut Said) -> Result<(), Unread> {
    let order = of_payment(object).ok_or_else(|| Unread::Lacking("its dispute names neither a payment intent nor a charge".to_owned()))?;
    said.order = Some(with_currency(order, object));
    let disputed = amount(object, "/amount")?;
    let holds = match needed(object, "/status")? {
        "needs_response" | "under_review" | "lost" => true,
        "warning_needs_response" | "warning_under_review" | "warning_closed" | "won" | "prevented" => false,
        other => return Err(Unread::Against(format!("its dispute has the status `{other}`, which {NAME} does not document"))),
    };
    // Minus the sum of its balance transactions is what it takes; older objects have only the status.
    let transactions = object["balance_transactions"].as_array();
    let sum = transactions.map(|all| all.iter().map(|one| amount(one, "/amount")).sum::<Result<Amount, Unread>>()).transpose()?;
    let taken_amount = match sum {
        Some(sum) => Amount::ZERO - sum,
        None if holds => disputed,
        None => Amount::ZERO,
    };
    if taken_amount.is_negative() {
        return Err(Unread::Against(format!("its dispute gives back {} more than it took", Amount::ZERO - taken_amount)));
    }
    let by = if [FUNDS_WITHDRAWN, FUNDS_REINSTATED].contains(&said.kind.as_str()) { DisputeEvent::Money } else { DisputeEvent::Status };
    let still = (said.kind == FUNDS_REINSTATED && holds).then_some(disputed);
    said.tells.push(Tell::Dispute { id: needed(object, "/id")?.to_owned(), taken_amount, by, still });
    Ok(())
}
