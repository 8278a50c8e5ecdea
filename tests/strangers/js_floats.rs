//! A serverless function as JavaScript has them: every number is a double, which is rounded to minor units at the edge, and
//! every date counts milliseconds. Documents of orders live in a store with one key for each.
#![expect(clippy::float_arithmetic, reason = "that is what such a shop does")]

use std::collections::HashMap;

use iso_currency::Currency;
use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use serde_json::{Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Lambda {
    store: HashMap<String, Document>,
}

struct Document {
    currency: String,
    digits: i32,
    captured: f64,
    refunds: Vec<Refund>,
    charges: Vec<(String, f64, f64)>,
    charged_back: bool,
}

struct Refund {
    id: String,
    state: String,
    refunded: f64,
    date: f64,
}

/// `typeof value === 'number'`
fn number(value: &Value) -> Option<f64> {
    value.as_number()?.to_string().parse().ok()
}

/// `Math.round(value * 10 ** digits)`
fn minor(value: f64, digits: i32) -> f64 {
    (value * 10_f64.powi(digits)).round()
}

/// `(minor / 10 ** digits).toFixed(digits)`
fn major(minor: f64, digits: i32) -> String {
    format!("{:.*}", usize::try_from(digits).expect("a few digits"), minor / 10_f64.powi(digits))
}

/// `Date.parse(text)`
fn date(value: &Value) -> Option<f64> {
    let time: jiff::Timestamp = value.as_str()?.parse().ok()?;
    time.as_millisecond().to_string().parse().ok()
}

impl Shop for Lambda {
    fn claims(&self) -> Capabilities {
        // Which of two open states came last cannot be told where both came within a millisecond.
        let equivalent_statuses = vec![vec!["pending".to_owned(), "pending_information".to_owned()]];
        let observes = vec![Observable::Currency];
        Capabilities::new().with(|claims| {
            claims.observes = observes;
            claims.equivalent_statuses = equivalent_statuses;
            claims.concurrency = 4;
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        let digits = Currency::from_code(&order.currency).and_then(Currency::exponent).unwrap_or(2);
        let digits = i32::from(digits);
        let captured = minor(order.captured_amount.to_string().parse().expect("a number"), digits);
        let currency = order.currency.clone();
        let document = Document { currency, digits, captured, refunds: Vec::new(), charges: Vec::new(), charged_back: false };
        self.store.entry(order.order_id.clone()).or_insert(document);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(event) = serde_json::from_slice::<Value>(body) else { return 400 };
        let Some(kind) = event["type"].as_str() else { return 400 };
        let handled = match kind.split('.').collect::<Vec<_>>()[..] {
            ["refund", ..] if event["data"]["object"].is_object() => self.refund(&event),
            ["refund", ..] => self.payin(&event),
            ["order", "charge", "refund", _] => self.charge(&event),
            ["order", "chargeback"] => self.chargeback(&event),
            _ => Some(200),
        };
        handled.unwrap_or(400)
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let document = self.store.get(order_id)?;
        let digits = document.digits;
        let refunded: f64 = document.refunds.iter().map(|refund| refund.refunded).sum();
        let charged: f64 = document.charges.iter().map(|charge| charge.1).sum();
        let total = refunded.max(charged);
        let some = |state: &str| document.refunds.iter().any(|refund| refund.state == state);
        let status = if document.charged_back {
            "charged_back"
        } else if total >= document.captured {
            "refunded"
        } else if total > 0.0 {
            "partially_refunded"
        } else if some("pending_information") {
            "pending_information"
        } else if some("pending") || some("requested") {
            "pending"
        } else if some("failed") {
            "failed"
        } else {
            "not_refunded"
        };
        let amount = major(total, digits);
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": amount, "currency": document.currency}))
    }
}

impl Lambda {
    fn refund(&mut self, event: &Value) -> Option<u16> {
        let object = &event["data"]["object"];
        let Some(document) = self.store.get_mut(object["orderId"].as_str()?) else { return Some(404) };
        let refunded = minor(number(&object["refundedAmount"])?, document.digits);
        let (id, state) = (object["id"].as_str()?.to_owned(), object["state"].as_str()?.to_owned());
        document.merge(Refund { id, state, refunded, date: date(&event["createdTime"])? })
    }

    fn payin(&mut self, event: &Value) -> Option<u16> {
        let data = &event["data"];
        let Some(document) = self.store.get_mut(data["payin"].as_str()?) else { return Some(404) };
        let amount = minor(number(&data["amount"])? / 100.0, document.digits);
        let (id, state) = (data["id"].as_str()?.to_owned(), data["status"].as_str()?.to_owned());
        let refunded = if state == "succeeded" { amount } else { 0.0 };
        document.merge(Refund { id, state, refunded, date: date(&event["created_at"])? })
    }

    fn charge(&mut self, event: &Value) -> Option<u16> {
        let object = &event["data"]["object"];
        if object["payment"].is_object() {
            return Some(200);
        }
        let Some(document) = self.store.get_mut(object["orderId"].as_str()?) else { return Some(404) };
        let mut complete = 0.0;
        for entry in object["refunds"].as_array()? {
            if entry["state"].as_str()? == "complete" {
                complete += minor(number(&entry["amount"])?, document.digits);
            }
        }
        if event["type"] == "order.charge.refund.complete" && complete <= 0.0 {
            return None;
        }
        let (id, date) = (object["id"].as_str()?, date(&event["createdTime"])?);
        match document.charges.iter_mut().find(|charge| charge.0 == id) {
            Some(charge) if date >= charge.2 => (charge.1, charge.2) = (complete, date),
            Some(_) => {}
            None => document.charges.push((id.to_owned(), complete, date)),
        }
        Some(200)
    }

    fn chargeback(&mut self, event: &Value) -> Option<u16> {
        let Some(document) = self.store.get_mut(event["data"]["object"]["id"].as_str()?) else { return Some(404) };
        document.charged_back = true;
        Some(200)
    }
}

impl Document {
    fn merge(&mut self, told: Refund) -> Option<u16> {
        let weight = |state: &str| match state {
            "requested" | "pending" | "pending_information" => Some(false),
            "succeeded" | "failed" => Some(true),
            _ => None,
        };
        let ends = weight(&told.state)?;
        if (told.state == "succeeded") != (told.refunded > 0.0) {
            return None;
        }
        match self.refunds.iter_mut().find(|refund| refund.id == told.id) {
            None => self.refunds.push(told),
            Some(refund) if weight(&refund.state) == Some(false) && (ends || told.date >= refund.date) => *refund = told,
            Some(_) => {}
        }
        Some(200)
    }
}
