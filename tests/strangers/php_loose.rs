//! Loose types in the manner of a PHP plug-in: arrays of anything, numbers in quotes are numbers, nothing is zero where that
//! does no harm, amounts are floats that are rounded to the currency's digits when they are printed.
#![expect(clippy::float_arithmetic, reason = "that is what such a shop does")]

use std::collections::HashMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use serde_json::Value;

use crate::Shop;

/// The rows of the shop's options table, by their names.
#[derive(Default)]
pub(crate) struct Plugin {
    options: HashMap<String, Value>,
}

/// `$array['a']['b'] ?? null`
fn dig<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, name| &value[*name])
}

/// `(float) $value`
fn float(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.to_string().parse().unwrap_or(0.0),
        Value::String(text) => text.trim().parse().unwrap_or(0.0),
        Value::Bool(true) => 1.0,
        _ => 0.0,
    }
}

/// `(string) $value`, for what can be an id or a word.
fn string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// `number_format($value, $digits, '.', '')`
fn number_format(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

fn digits(currency: &str) -> usize {
    match currency {
        "JPY" | "KRW" | "VND" | "CLP" | "ISK" | "UGX" | "XAF" | "XOF" | "XPF" | "PYG" | "RWF" | "BIF" | "DJF" | "GNF" | "KMF" | "VUV" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

impl Shop for Plugin {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| claims.observes = vec![Observable::Currency])
    }

    fn sold(&mut self, order: &OrderSetup) {
        let row = serde_json::json!({
            "currency": order.currency,
            "total": order.captured_amount.to_string(),
            "refunds": {},
            "charges": {},
            "chargeback": false,
        });
        self.options.entry(order.order_id.clone()).or_insert(row);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        // `json_decode($body, true)` is null for what is no JSON, and the endpoint asks `is_array`.
        let Ok(event @ Value::Object(_)) = serde_json::from_slice::<Value>(body) else { return 400 };
        let kind = string(&event["type"]);
        if kind.is_empty() {
            return 400;
        }
        if kind.starts_with("refund.") {
            return self.refund(&event);
        }
        if kind.starts_with("order.charge.refund.") {
            return self.charge(&kind, &event);
        }
        if kind == "order.chargeback" {
            let id = string(dig(&event, &["data", "object", "id"]));
            let Some(row) = self.options.get_mut(&id) else { return if id.is_empty() { 400 } else { 404 } };
            row["chargeback"] = true.into();
        }
        200
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let row = self.options.get(order_id)?;
        let digits = digits(row["currency"].as_str()?);
        let refunds = || row["refunds"].as_object().into_iter().flat_map(|refunds| refunds.values());
        let (mut by_refunds, mut by_charges) = (0.0, 0.0);
        for refund in refunds().filter(|refund| refund["state"] == "succeeded") {
            by_refunds += float(&refund["paid"]);
        }
        for charge in row["charges"].as_object()?.values() {
            by_charges += float(charge);
        }
        let paid = number_format(f64::max(by_refunds, by_charges), digits);
        let has = |word: &str| refunds().any(|refund| refund["state"] == word);
        let status = if row["chargeback"] == true {
            "charged_back"
        } else if paid == number_format(float(&row["total"]), digits) {
            "refunded"
        } else if paid.contains(|digit| digit != '0' && digit != '.') {
            "partially_refunded"
        } else if has("pending_information") {
            "pending_information"
        } else if has("pending") || has("requested") {
            "pending"
        } else if has("failed") {
            "failed"
        } else {
            "not_refunded"
        };
        Some(serde_json::json!({"orderId": order_id, "status": status, "refundedAmount": paid, "currency": row["currency"]}))
    }
}

impl Plugin {
    fn refund(&mut self, event: &Value) -> u16 {
        let object = dig(event, &["data", "object"]);
        let (order, id, state, paid, created) = if object.is_object() {
            let paid = float(&object["refundedAmount"]);
            (string(&object["orderId"]), string(&object["id"]), string(&object["state"]), paid, string(&event["createdTime"]))
        } else {
            let data = &event["data"];
            let paid = float(&data["amount"]) / 100.0;
            (string(&data["payin"]), string(&data["id"]), string(&data["status"]), paid, string(&event["created_at"]))
        };
        let Ok(time) = created.parse::<jiff::Timestamp>() else { return 400 };
        // `strtotime` has no fractions, `microtime` has.
        let time = time.as_microsecond();
        if order.is_empty() || id.is_empty() {
            return 400;
        }
        match state.as_str() {
            "succeeded" if paid <= 0.0 => return 400,
            "succeeded" | "failed" | "pending" | "pending_information" | "requested" => {}
            _ => return 400,
        }
        let Some(row) = self.options.get_mut(&order) else { return 404 };
        let known = &row["refunds"][&id];
        let ended = known["state"] == "succeeded" || known["state"] == "failed";
        let ends = state == "succeeded" || state == "failed";
        if known.is_null() || (!ended && (ends || time > known["time"].as_i64().unwrap_or(0))) {
            row["refunds"][&id] = serde_json::json!({"state": state, "paid": paid.to_string(), "time": time});
        }
        200
    }

    fn charge(&mut self, kind: &str, event: &Value) -> u16 {
        let object = dig(event, &["data", "object"]);
        let order = string(&object["orderId"]);
        // An order in place of a charge tells nothing that its charges do not tell by themselves.
        if order.is_empty() || !dig(object, &["payment", "charges"]).is_null() {
            return if kind == "order.charge.refund.complete" { 400 } else { 200 };
        }
        let mut sum = 0.0;
        for entry in object["refunds"].as_array().into_iter().flatten() {
            if entry["state"] == "complete" {
                sum += float(&entry["amount"]);
            }
        }
        if kind == "order.charge.refund.complete" && sum <= 0.0 {
            return 400;
        }
        let charge = string(&object["id"]);
        let Some(row) = self.options.get_mut(&order) else { return 404 };
        if charge.is_empty() {
            return 400;
        }
        // Completed refunds only ever become more.
        if sum > float(&row["charges"][&charge]) {
            row["charges"][&charge] = sum.to_string().into();
        }
        200
    }
}
