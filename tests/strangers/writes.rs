//! The last write wins: a row for each refund, charge and order is overwritten by whatever was created later.
//!
//! There is no list of events; an older event simply finds a newer row. Orders that are not known are not found.

use std::collections::HashMap;

use jiff::Timestamp;
use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Board {
    orders: HashMap<String, (String, Decimal)>,
    rows: HashMap<(String, Key), Row>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Refund(String),
    Charge(String),
    Chargeback,
}

struct Row {
    written: Timestamp,
    state: String,
    asked: Decimal,
    paid: Decimal,
}

impl Shop for Board {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| claims.observes = vec![Observable::Currency, Observable::Refunds])
    }

    fn sold(&mut self, order: &OrderSetup) {
        let captured = order.captured_amount.to_string().parse().expect("an amount");
        self.orders.insert(order.order_id.clone(), (order.currency.clone(), captured));
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        match serde_json::from_slice(body) {
            Ok(Value::Object(event)) => self.write(&event).unwrap_or(400),
            _ => 400,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let (currency, captured) = self.orders.get(order_id)?;
        let (mut by_refunds, mut by_charges, mut charged_back) = (Decimal::ZERO, Decimal::ZERO, false);
        let (mut words, mut refunds) = (Vec::new(), Vec::new());
        for ((_, key), row) in self.rows.iter().filter(|((order, _), _)| order == order_id) {
            match key {
                Key::Refund(id) => {
                    by_refunds += row.paid;
                    words.push(row.state.as_str());
                    refunds.push(
                        json!({"id": id, "state": row.state, "amount": row.asked.to_string(), "refundedAmount": row.paid.to_string()}),
                    );
                }
                Key::Charge(_) => by_charges += row.paid,
                Key::Chargeback => charged_back = true,
            }
        }
        let paid = by_refunds.max(by_charges);
        let status = if charged_back {
            "charged_back"
        } else if paid >= *captured {
            "refunded"
        } else if !paid.is_zero() {
            "partially_refunded"
        } else {
            let order = ["pending_information", "pending", "requested", "failed"];
            match order.into_iter().find(|word| words.contains(word)) {
                Some("requested") => "pending",
                Some(word) => word,
                None => "not_refunded",
            }
        };
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid.to_string(), "currency": currency, "refunds": refunds}))
    }
}

fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object[name].as_str()
}

fn money(value: &Value) -> Option<Decimal> {
    let text = &value.as_number()?.to_string();
    let amount = text.parse().or_else(|_| Decimal::from_scientific(text)).ok()?;
    (amount >= Decimal::ZERO).then_some(amount)
}

impl Board {
    fn write(&mut self, event: &Map<String, Value>) -> Option<u16> {
        let kind = event.get("type")?.as_str()?;
        let written = || event.get("createdTime").or(event.get("created_at"))?.as_str()?.parse().ok();
        let data = event.get("data").unwrap_or(&Value::Null);
        let object = &data["object"];
        let (order_id, key, row) = if kind.starts_with("refund.") {
            if object.is_object() {
                let paid = money(&object["refundedAmount"])?;
                let asked = money(&object["amount"]).or_else(|| {
                    let items = object["items"].as_array()?;
                    items.iter().map(|item| money(&item["amount"])).sum()
                })?;
                let row = Row { written: written()?, state: text(object, "state")?.to_owned(), asked, paid };
                (text(object, "orderId")?, Key::Refund(text(object, "id")?.to_owned()), row)
            } else {
                let state = text(data, "status")?;
                let asked = money(&data["amount"])? / Decimal::ONE_HUNDRED;
                let paid = if state == "succeeded" { asked } else { Decimal::ZERO };
                let row = Row { written: written()?, state: state.to_owned(), asked, paid };
                (text(data, "payin")?, Key::Refund(text(data, "id")?.to_owned()), row)
            }
        } else if kind.starts_with("order.charge.refund.") && object.get("payment").is_none() {
            let entries = object["refunds"].as_array()?;
            let complete = entries.iter().filter(|entry| entry["state"] == "complete");
            let paid = complete.map(|entry| money(&entry["amount"])).sum::<Option<Decimal>>()?;
            if kind.ends_with("complete") && paid.is_zero() {
                return None;
            }
            let row = Row { written: written()?, state: String::new(), asked: paid, paid };
            (text(object, "orderId")?, Key::Charge(text(object, "id")?.to_owned()), row)
        } else if kind == "order.chargeback" {
            let row = Row { written: written()?, state: String::new(), asked: Decimal::ZERO, paid: Decimal::ZERO };
            (text(object, "id")?, Key::Chargeback, row)
        } else {
            return Some(200);
        };
        if let Key::Refund(_) = key {
            let known = ["requested", "pending", "pending_information", "succeeded", "failed"].contains(&row.state.as_str());
            if !known || row.paid.is_zero() == (row.state == "succeeded") {
                return None;
            }
        }
        if !self.orders.contains_key(order_id) {
            return Some(404);
        }
        let place = (order_id.to_owned(), key);
        if self.rows.get(&place).is_none_or(|old| old.written <= row.written) {
            self.rows.insert(place, row);
        }
        Some(200)
    }
}
