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
    model::{Covered, DisputeEvent, Tell},
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
            Some("refund") => refund(object, is_older(body), &mut said)?,
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

    /// Only a failure is told by an event of its own; whatever else a refund says may be newer than its event.
    fn is_of_its_moment(&self, kind: &str) -> bool {
        kind == REFUND_FAILED
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

/// Whether a body is of a version in which no refund had events of its own
/// (<https://docs.stripe.com/changelog/acacia/2024-10-28/refund-webhook-update>).
fn is_older(body: &Value) -> bool {
    text(body, "/api_version").is_some_and(|version| version < "2024-10-28")
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

/// What a refund says of itself: its id, its state and its amount.
fn facts(object: &Value) -> Result<Covered, Unread> {
    let state = match needed(object, "/status")? {
        "pending" => RefundState::Pending,
        "requires_action" => RefundState::PendingInformation,
        "succeeded" => RefundState::Succeeded,
        "failed" => RefundState::Failed,
        "canceled" => RefundState::Cancelled,
        other => return Err(Unread::Against(format!("its refund has the status `{other}`, which {NAME} does not document"))),
    };
    let amount = amount(object, "/amount")?;
    Ok(Covered { id: needed(object, "/id")?.to_owned(), state, amount })
}

/// The money of an authorization that is released counts as refunded, and what was never captured cannot be paid back: what such
/// totals look like in events stands in no document.
fn released(what: &str) -> Unread {
    Unread::Lacking(format!("its {what} is of money that was never captured, and no document says what its events tell"))
}

fn refund(object: &Value, is_older: bool, said: &mut Said) -> Result<(), Unread> {
    if text(object, "/reason") == Some("expired_uncaptured_charge") {
        return Err(released("refund"));
    }
    let order = of_payment(object).ok_or_else(|| Unread::Lacking("its refund names neither a payment intent nor a charge".to_owned()))?;
    said.order = Some(with_currency(order, object));
    // It mirrors refund.updated, and shops handle one of the two; before there was that, it was the only one.
    let in_passing = said.kind == CHARGE_REFUND_UPDATED && !is_older;
    said.tells.push(told(facts(object)?, in_passing));
    Ok(())
}

fn told(refund: Covered, in_passing: bool) -> Tell {
    let Covered { id, state, amount } = refund;
    let refunded_amount = if state == RefundState::Succeeded { amount } else { Amount::ZERO };
    Tell::Refund { id, state, amount, refunded_amount, in_passing }
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
    if captured.is_none() && !refunded_amount.is_zero() && object["captured"].as_bool() == Some(false) {
        return Err(released("charge"));
    }
    if captured.is_some_and(|captured| refunded_amount > captured) {
        let captured = captured.unwrap_or_default();
        return Err(Unread::Against(format!("its charge of {captured} says that {refunded_amount} were refunded of it")));
    }
    // Bodies of earlier versions hold the newest of the charge's refunds; all of them, if there are no more.
    let listed = object.pointer("/refunds/data").and_then(Value::as_array).into_iter().flatten();
    let listed: Vec<Covered> = listed.map(facts).collect::<Result<_, Unread>>()?;
    let mut covers: Vec<Covered> = listed.iter().filter(|refund| refund.state.has_money()).cloned().collect();
    if covers.iter().map(|refund| refund.amount).sum::<Amount>() != refunded_amount {
        covers.clear();
    }
    said.tells.extend(listed.into_iter().map(|refund| told(refund, true)));
    if !in_passing || !refunded_amount.is_zero() {
        said.tells.push(Tell::Total { id, refunded_amount, covers, in_passing });
    }
    Ok(())
}

fn dispute(object: &Value, said: &mut Said) -> Result<(), Unread> {
    let order = of_payment(object).ok_or_else(|| Unread::Lacking("its dispute names neither a payment intent nor a charge".to_owned()))?;
    said.order = Some(with_currency(order, object));
    let disputed = amount(object, "/amount")?;
    let status = needed(object, "/status")?;
    let holds = match status {
        "needs_response" | "under_review" | "lost" => true,
        "warning_needs_response" | "warning_under_review" | "warning_closed" | "won" | "prevented" => false,
        other => return Err(Unread::Against(format!("its dispute has the status `{other}`, which {NAME} does not document"))),
    };
    // Minus the sum of its balance transactions is what it takes; older objects have only the status.
    let transactions = object["balance_transactions"].as_array();
    if transactions.is_some_and(|all| all.iter().any(|one| one["currency"] != object["currency"])) {
        return Err(Unread::Lacking("what its dispute takes is said in another currency than the payment's".to_owned()));
    }
    let sum = transactions.map(|all| all.iter().map(|one| amount(one, "/amount")).sum::<Result<Amount, Unread>>()).transpose()?;
    // A dispute that is won has its money, or is about to have it.
    let is_about_to = status == "won" && sum.is_some_and(|sum| sum.is_negative());
    let taken_amount = match sum {
        Some(_) if is_about_to => Amount::ZERO,
        Some(sum) => Amount::ZERO - sum,
        None if holds => disputed,
        None => Amount::ZERO,
    };
    if taken_amount.is_negative() {
        return Err(Unread::Against(format!("its dispute gives back {} more than it took", Amount::ZERO - taken_amount)));
    }
    let by = if [FUNDS_WITHDRAWN, FUNDS_REINSTATED].contains(&said.kind.as_str()) { DisputeEvent::Money } else { DisputeEvent::Status };
    let still = match sum {
        Some(sum) if is_about_to => Some(Amount::ZERO - sum),
        _ => (said.kind == FUNDS_REINSTATED && holds).then_some(disputed),
    };
    said.tells.push(Tell::Dispute { id: needed(object, "/id")?.to_owned(), taken_amount, by, still });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an event of this version and type says whose object is this.
    fn read(version: &str, kind: &str, object: &str) -> Result<Said, Unread> {
        let body = format!(
            r#"{{"id": "evt_1", "object": "event", "api_version": "{version}", "created": 1, "type": "{kind}", "data": {{"object": {object}}}}}"#
        );
        Reader.read(&serde_json::from_str(&body).expect("JSON"))
    }

    fn amount(text: &str) -> Amount {
        Amount::parse(text).expect("an amount")
    }

    const CHARGE: &str = r#""id": "ch_1", "object": "charge", "payment_intent": "pi_1", "currency": "usd", "status": "succeeded""#;
    const REFUND: &str = r#""object": "refund", "charge": "ch_1", "payment_intent": "pi_1", "currency": "usd", "amount": 300"#;
    const DISPUTE: &str = r#""id": "dp_1", "object": "dispute", "charge": "ch_1", "currency": "usd", "amount": 500, "status": "lost""#;

    #[test]
    fn money_that_was_never_captured_is_left_out() {
        let object = format!(r#"{{{CHARGE}, "captured": false, "amount_captured": 0, "amount_refunded": 500}}"#);
        assert!(matches!(read("2025-01-27.acacia", CHARGE_REFUNDED, &object), Err(Unread::Lacking(_))));
        let object = format!(r#"{{{REFUND}, "id": "re_1", "status": "succeeded", "reason": "expired_uncaptured_charge"}}"#);
        assert!(matches!(read("2025-01-27.acacia", REFUND_CREATED, &object), Err(Unread::Lacking(_))));
    }

    #[test]
    fn a_dispute_takes_what_its_transactions_say_in_its_own_currency() {
        let closed = |transactions: &str| {
            let object = format!(r#"{{{DISPUTE}, "balance_transactions": [{transactions}]}}"#);
            read("2025-01-27.acacia", DISPUTE_CLOSED, &object)
        };
        let said = closed(r#"{"amount": -400, "currency": "usd"}"#).expect("an event");
        let [Tell::Dispute { taken_amount, .. }] = said.tells[..] else { panic!("{:?}", said.tells) };
        assert_eq!(taken_amount, amount("4.00"));
        assert!(matches!(closed(r#"{"amount": -360, "currency": "eur"}"#), Err(Unread::Lacking(_))));
    }

    #[test]
    fn a_dispute_is_won_before_its_money_is_back() {
        let taken = r#"{"amount": -500, "currency": "usd"}"#;
        let object = format!(r#"{{{DISPUTE}, "balance_transactions": [{taken}]}}"#).replace("lost", "won");
        let said = read("2026-10-28.endive", DISPUTE_CLOSED, &object).expect("an event");
        let [Tell::Dispute { taken_amount, still, by: DisputeEvent::Status, .. }] = said.tells[..] else { panic!("{:?}", said.tells) };
        assert_eq!((taken_amount, still), (Amount::ZERO, Some(amount("5.00"))));
    }

    #[test]
    fn older_charges_carry_their_refunds() {
        let refunds =
            format!(r#"{{"data": [{{{REFUND}, "id": "re_2", "status": "pending"}}, {{{REFUND}, "id": "re_1", "status": "failed"}}]}}"#);
        let object = format!(r#"{{{CHARGE}, "captured": true, "amount_captured": 900, "amount_refunded": 300, "refunds": {refunds}}}"#);
        let said = read("2020-08-27", CHARGE_REFUNDED, &object).expect("an event");
        let [Tell::Refund { in_passing: true, .. }, Tell::Refund { in_passing: true, .. }, Tell::Total { covers, .. }] = &said.tells[..]
        else {
            panic!("{:?}", said.tells)
        };
        assert_eq!(covers[..], [Covered { id: "re_2".to_owned(), state: RefundState::Pending, amount: amount("3.00") }]);
    }

    #[track_caller]
    fn binds(version: &str, expected: bool) {
        let object = format!(r#"{{{REFUND}, "id": "re_1", "status": "failed"}}"#);
        let said = read(version, CHARGE_REFUND_UPDATED, &object).expect("an event");
        assert!(matches!(said.tells[..], [Tell::Refund { in_passing, .. }] if in_passing != expected), "{said:?}");
    }

    #[test]
    fn what_becomes_of_an_older_refund_is_told_by_one_event_only() {
        binds("2020-08-27", true);
        binds("2024-09-30.acacia", true);
        binds("2024-10-28.acacia", false);
    }
}
