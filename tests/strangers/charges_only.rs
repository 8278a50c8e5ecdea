//! A shop that asks for nothing but the events of charges and chargebacks, and keeps the newest picture of each charge.
//!
//! It has no notion of refund objects. What it cannot price it refuses.

use std::collections::HashMap;

use jiff::Timestamp;
use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Cashier {
    tills: HashMap<String, Till>,
}

struct Till {
    currency: String,
    captured: Decimal,
    charges: HashMap<String, Picture>,
    charged_back: bool,
}

struct Picture {
    taken: Timestamp,
    entries: Vec<(String, Decimal)>,
}

impl Shop for Cashier {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Currency];
            claims.subscribes = Some(vec!["order.charge.refund.*".to_owned(), "order.chargeback".to_owned()]);
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        let captured = order.captured_amount.to_string().parse().expect("an amount");
        let till = Till { currency: order.currency.clone(), captured, charges: HashMap::new(), charged_back: false };
        self.tills.entry(order.order_id.clone()).or_insert(till);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(event) = serde_json::from_slice::<Value>(body) else { return 400 };
        self.handle(&event).unwrap_or(400)
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let till = self.tills.get(order_id)?;
        let entries = || till.charges.values().flat_map(|picture| &picture.entries);
        let paid: Decimal = entries().filter(|(state, _)| state == "complete").map(|(_, amount)| amount).sum();
        let has = |wanted: &str| entries().any(|(state, _)| state == wanted);
        let status = if till.charged_back {
            "charged_back"
        } else if paid > Decimal::ZERO {
            if paid >= till.captured { "refunded" } else { "partially_refunded" }
        } else if has("pending_information") {
            "pending_information"
        } else if has("pending") {
            "pending"
        } else if has("failed") {
            "failed"
        } else {
            "not_refunded"
        };
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid.to_string(), "currency": till.currency}))
    }
}

impl Cashier {
    fn handle(&mut self, event: &Value) -> Option<u16> {
        let kind = event.get("type")?.as_str()?;
        if kind != "order.chargeback" && !kind.starts_with("order.charge.refund.") {
            return Some(200);
        }
        let taken: Timestamp = event.get("createdTime")?.as_str()?.parse().ok()?;
        let object = event.get("data")?.get("object")?;
        let id = object.get("id")?.as_str()?;
        if kind == "order.chargeback" {
            let Some(till) = self.tills.get_mut(id) else { return Some(404) };
            till.charged_back = true;
            return Some(200);
        }
        // Some of these carry the whole order, with its charges inside.
        let (order_id, charges) = match object.get("payment") {
            Some(payment) => (id, payment.get("charges")?.as_array()?.iter().collect()),
            None => (object.get("orderId")?.as_str()?, vec![object]),
        };
        let mut pictures = Vec::new();
        for charge in charges {
            let mut entries = Vec::new();
            for entry in charge.get("refunds").and_then(Value::as_array).into_iter().flatten() {
                let state = entry.get("state")?.as_str()?;
                let amount: Decimal = entry.get("amount")?.as_number()?.to_string().parse().ok()?;
                if amount.is_sign_negative() {
                    return None;
                }
                entries.push((state.to_owned(), amount));
            }
            pictures.push((charge.get("id")?.as_str()?.to_owned(), Picture { taken, entries }));
        }
        if kind.ends_with(".complete") && pictures.iter().all(|(_, picture)| picture.entries.is_empty()) {
            return None;
        }
        let Some(till) = self.tills.get_mut(order_id) else { return Some(404) };
        for (charge, picture) in pictures {
            let known = till.charges.get(&charge);
            if known.is_none_or(|known| known.taken < picture.taken) {
                till.charges.insert(charge, picture);
            }
        }
        Some(200)
    }
}
