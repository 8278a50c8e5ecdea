//! Looks at the signature before anything else and reads only what is signed, with the secret that it was told.
//!
//! What it books is simple: the amounts of succeeded refunds, and of each charge the most that was ever complete.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use refundproof::{adapter::Capabilities, case::OrderSetup};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::Shop;

const TOLERANCE_SECONDS: i64 = 300;

#[derive(Default)]
pub(crate) struct Guarded {
    secret: String,
    captured: BTreeMap<String, Decimal>,
    refunds: BTreeMap<(String, String), (String, i128, Decimal)>,
    charges: BTreeMap<(String, String), Decimal>,
    chargebacks: Vec<String>,
}

impl Shop for Guarded {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| claims.verifies_signatures = true)
    }

    fn greet(&mut self, _: &str, secret: &str) {
        secret.clone_into(&mut self.secret);
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.captured.insert(order.order_id.clone(), order.captured_amount.to_string().parse().expect("an amount"));
    }

    fn post(&mut self, headers: &[(String, String)], body: &[u8]) -> u16 {
        let header = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let genuine = if let Some(value) = header("digitalriver-signature") {
            self.is_of_digital_river(value, body)
        } else if let Some(value) = header("x-tazapay-signature") {
            self.is_of_tazapay(value, body)
        } else {
            false
        };
        if !genuine {
            return 401;
        }
        let Ok(event) = serde_json::from_slice::<Value>(body) else { return 400 };
        self.book(&event).unwrap_or(400)
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let captured = self.captured.get(order_id)?;
        let refunds = || self.refunds.iter().filter(|((order, _), _)| order == order_id).map(|(_, refund)| refund);
        let by_charges: Decimal = self.charges.iter().filter(|((order, _), _)| order == order_id).map(|(_, paid)| *paid).sum();
        let paid = by_charges.max(refunds().map(|refund| refund.2).sum());
        let status = if self.chargebacks.iter().any(|order| order == order_id) {
            "charged_back"
        } else if paid >= *captured {
            "refunded"
        } else if paid > Decimal::ZERO {
            "partially_refunded"
        } else {
            let words =
                [("pending_information", "pending_information"), ("pending", "pending"), ("requested", "pending"), ("failed", "failed")];
            let found = words.iter().find(|(state, _)| refunds().any(|refund| refund.0 == *state));
            found.map_or("not_refunded", |(_, status)| *status)
        };
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid.to_string()}))
    }
}

impl Guarded {
    fn is_signed(&self, parts: &[&[u8]], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()) else { return false };
        parts.iter().for_each(|part| mac.update(part));
        mac.verify_slice(&signature).is_ok()
    }

    fn is_of_digital_river(&self, header: &str, body: &[u8]) -> bool {
        let mut parts = header.split(',').map(str::trim);
        let Some(timestamp) = parts.next() else { return false };
        let Ok(seconds) = timestamp.parse::<i64>() else { return false };
        let age = jiff::Timestamp::now().as_second() - seconds;
        age.abs() <= TOLERANCE_SECONDS && parts.any(|signature| self.is_signed(&[timestamp.as_bytes(), b".", body], signature))
    }

    fn is_of_tazapay(&self, header: &str, body: &[u8]) -> bool {
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        let (Some(id), Some(created)) = (event["id"].as_str(), event["created_at"].as_str()) else { return false };
        self.is_signed(&[id.as_bytes(), body, created.as_bytes()], header)
    }

    fn book(&mut self, event: &Value) -> Option<u16> {
        let kind = event["type"].as_str()?;
        let data = &event["data"];
        let object = &data["object"];
        if kind == "order.chargeback" {
            let id = object["id"].as_str()?;
            if !self.captured.contains_key(id) {
                return Some(404);
            }
            self.chargebacks.push(id.to_owned());
        } else if kind.starts_with("order.charge.refund.") && object["payment"].is_null() {
            let entries = object["refunds"].as_array()?;
            let complete = entries.iter().filter(|entry| entry["state"] == "complete").map(|entry| amount(&entry["amount"]));
            let complete = complete.sum::<Option<Decimal>>()?;
            if complete.is_sign_negative() || (complete.is_zero() && kind.ends_with(".complete")) {
                return None;
            }
            let place = (object["orderId"].as_str()?.to_owned(), object["id"].as_str()?.to_owned());
            if !self.captured.contains_key(&place.0) {
                return Some(404);
            }
            let known = self.charges.entry(place).or_insert(complete);
            *known = complete.max(*known);
        } else if kind.starts_with("refund.") {
            let (order, id, state, paid, time) = if object.is_object() {
                let paid = amount(&object["refundedAmount"])?;
                (&object["orderId"], &object["id"], &object["state"], paid, &event["createdTime"])
            } else {
                let paid = if data["status"] == "succeeded" { amount(&data["amount"])? / Decimal::ONE_HUNDRED } else { Decimal::ZERO };
                (&data["payin"], &data["id"], &data["status"], paid, &event["created_at"])
            };
            let time = time.as_str()?.parse::<jiff::Timestamp>().ok()?.as_nanosecond();
            let place = (order.as_str()?.to_owned(), id.as_str()?.to_owned());
            let state = state.as_str()?;
            match state {
                "succeeded" if paid > Decimal::ZERO => {}
                "requested" | "pending" | "pending_information" | "failed" if paid.is_zero() => {}
                _ => return None,
            }
            if !self.captured.contains_key(&place.0) {
                return Some(404);
            }
            let told = (state.to_owned(), time, paid);
            let done = |state: &str| state == "succeeded" || state == "failed";
            let known = self.refunds.entry(place).or_insert_with(|| told.clone());
            if !done(&known.0) && (done(state) || known.1 < time) {
                *known = told;
            }
        }
        Some(200)
    }
}

fn amount(value: &Value) -> Option<Decimal> {
    value.as_number()?.to_string().parse().ok()
}
