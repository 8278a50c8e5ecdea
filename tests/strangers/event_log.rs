//! Event sourcing: what was understood is appended to a log, each event once, and an order is the fold of its log.
//!
//! The fold runs whenever somebody looks, over the log in the order in which the events were created.

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Journal {
    sold: HashMap<String, OrderSetup>,
    seen: HashSet<String>,
    log: Vec<Logged>,
}

struct Logged {
    at: (i64, i32),
    order_id: String,
    fact: Fact,
}

#[derive(Clone)]
enum Fact {
    Refund { id: String, state: String, asked: Decimal, paid: Decimal },
    Charge { id: String, complete: Decimal },
    Order { paid: Decimal, open: Decimal, available: Decimal, chargeback: bool },
}

impl Shop for Journal {
    fn claims(&self) -> Capabilities {
        let observes = vec![Observable::Currency, Observable::Refunds, Observable::AvailableToRefundAmount, Observable::ChargedBackAmount];
        Capabilities::new().with(|claims| claims.observes = observes)
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.sold.insert(order.order_id.clone(), order.clone());
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(event) = serde_json::from_slice::<Value>(body) else { return 400 };
        match understand(&event) {
            Err(()) => 400,
            Ok(None) => 200,
            Ok(Some((_, logged))) if !self.sold.contains_key(&logged.order_id) => 404,
            Ok(Some((id, logged))) => {
                if self.seen.insert(id) {
                    self.log.push(logged);
                }
                200
            }
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let sold = self.sold.get(order_id)?;
        let captured: Decimal = sold.captured_amount.to_string().parse().ok()?;
        let mut log: Vec<&Logged> = self.log.iter().filter(|logged| logged.order_id == order_id).collect();
        log.sort_by_key(|logged| logged.at);
        let mut refunds = BTreeMap::new();
        let mut charges = BTreeMap::new();
        let (mut told, mut back) = (Decimal::ZERO, Decimal::ZERO);
        let mut charged_back = false;
        for logged in log {
            match logged.fact.clone() {
                Fact::Refund { id, state, asked, paid } => {
                    let ended = refunds.get(&id).is_some_and(|(state, _, _): &(String, _, _)| state == "succeeded" || state == "failed");
                    if !ended {
                        refunds.insert(id, (state, asked, paid));
                    }
                }
                Fact::Charge { id, complete } => {
                    charges.insert(id, complete);
                }
                Fact::Order { paid, open, available: left, chargeback } => {
                    charged_back |= chargeback;
                    told = paid;
                    if chargeback {
                        back = captured - paid - open - left;
                    }
                }
            }
        }
        let by_refunds: Decimal = refunds.values().map(|(_, _, paid)| *paid).sum();
        let by_charges: Decimal = charges.values().copied().sum();
        let paid = by_refunds.max(by_charges).max(told);
        let open = |word: &str| refunds.values().filter(|(state, _, _)| state == word).map(|(_, asked, _)| *asked).sum::<Decimal>();
        let waiting = open("pending") + open("pending_information") + open("requested");
        let any = |word: &str| refunds.values().any(|(state, _, _)| state == word);
        let status = match () {
            () if charged_back => "charged_back",
            () if paid >= captured => "refunded",
            () if paid > Decimal::ZERO => "partially_refunded",
            () if any("pending_information") => "pending_information",
            () if any("pending") || any("requested") => "pending",
            () if any("failed") => "failed",
            () => "not_refunded",
        };
        let refunds: Vec<Value> = refunds
            .into_iter()
            .map(|(id, (state, asked, paid))| json!({"id": id, "state": state, "amount": asked.to_string(), "refundedAmount": paid.to_string()}))
            .collect();
        Some(json!({
            "orderId": order_id,
            "status": status,
            "refundedAmount": paid.to_string(),
            "currency": sold.currency,
            "availableToRefundAmount": (captured - paid - waiting - back).to_string(),
            "chargedBackAmount": back.to_string(),
            "refunds": refunds,
        }))
    }
}

/// Whole seconds and nanoseconds, without a calendar library's help for the fraction.
fn instant(text: &str) -> Option<(i64, i32)> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some((time.as_second(), time.subsec_nanosecond()))
}

fn amount(value: &Value) -> Result<Decimal, ()> {
    let Value::Number(number) = value else { return Err(()) };
    let amount: Decimal = number.to_string().parse().map_err(|_| ())?;
    if amount.is_sign_negative() && !amount.is_zero() { Err(()) } else { Ok(amount) }
}

fn amount_or_zero(value: &Value) -> Result<Decimal, ()> {
    if value.is_null() { Ok(Decimal::ZERO) } else { amount(value) }
}

fn word(value: &Value) -> Result<String, ()> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned).ok_or(())
}

fn understand(event: &Value) -> Result<Option<(String, Logged)>, ()> {
    let kind = word(&event["type"])?;
    let object = &event["data"]["object"];
    let (order_id, fact) = if kind.starts_with("refund.") {
        if event["object"] == "event" { payout(&event["data"])? } else { refund(object)? }
    } else if kind.starts_with("order.charge.refund.") && object["payment"].is_null() {
        let complete = charge(object)?.0;
        if kind == "order.charge.refund.complete" && complete.is_zero() {
            return Err(());
        }
        (word(&object["orderId"])?, Fact::Charge { id: word(&object["id"])?, complete })
    } else if kind == "order.chargeback" || kind == "order.refunded" {
        let mut open = Decimal::ZERO;
        for charged in object["payment"]["charges"].as_array().ok_or(())? {
            open += charge(charged)?.1;
        }
        let (paid, available) = (amount_or_zero(&object["refundedAmount"])?, amount(&object["availableToRefundAmount"])?);
        (word(&object["id"])?, Fact::Order { paid, open, available, chargeback: kind == "order.chargeback" })
    } else {
        return Ok(None);
    };
    let at = event["createdTime"].as_str().or(event["created_at"].as_str()).and_then(instant).ok_or(())?;
    Ok(Some((word(&event["id"])?, Logged { at, order_id, fact })))
}

fn refund(object: &Value) -> Result<(String, Fact), ()> {
    let mut asked = amount_or_zero(&object["amount"])?;
    if object["amount"].is_null() {
        for item in object["items"].as_array().ok_or(())? {
            asked += amount(&item["amount"])?;
        }
    }
    let (state, paid) = (word(&object["state"])?, amount(&object["refundedAmount"])?);
    let whole = match state.as_str() {
        "succeeded" => !paid.is_zero(),
        "failed" | "pending" | "pending_information" => paid.is_zero(),
        _ => false,
    };
    if !whole {
        return Err(());
    }
    Ok((word(&object["orderId"])?, Fact::Refund { id: word(&object["id"])?, state, asked, paid }))
}

fn payout(data: &Value) -> Result<(String, Fact), ()> {
    let (state, asked) = (word(&data["status"])?, amount(&data["amount"])? / Decimal::ONE_HUNDRED);
    let paid = match state.as_str() {
        "succeeded" => asked,
        "requested" | "pending" | "failed" => Decimal::ZERO,
        _ => return Err(()),
    };
    Ok((word(&data["payin"])?, Fact::Refund { id: word(&data["id"])?, state, asked, paid }))
}

/// What is complete of a charge's refunds, and what is still open.
fn charge(charge: &Value) -> Result<(Decimal, Decimal), ()> {
    let (mut complete, mut open) = (Decimal::ZERO, Decimal::ZERO);
    for entry in charge["refunds"].as_array().into_iter().flatten() {
        let amount = amount(&entry["amount"])?;
        match entry["state"].as_str().ok_or(())? {
            "complete" => complete += amount,
            "pending" | "pending_information" => open += amount,
            "failed" => {}
            _ => return Err(()),
        }
    }
    Ok((complete, open))
}
