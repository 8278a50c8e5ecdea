//! Strict types in the manner of Go's `encoding/json`: member names match in any case, unknown members are skipped, `null` and
//! absent members leave the zero value, an integer is an integer. Bytes that are not UTF-8 are refused by hand, since that
//! library mends them.

use std::collections::HashMap;

use jiff::Timestamp;
use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Map, Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Service {
    tazapay: bool,
    orders: HashMap<String, Order>,
}

struct Order {
    total: Decimal,
    refunds: HashMap<String, Known>,
    charges: HashMap<String, (Timestamp, Decimal)>,
    disputed: bool,
}

#[derive(Clone)]
struct Known {
    at: Timestamp,
    state: String,
    paid: Decimal,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope<T> {
    #[serde(rename = "type")]
    kind: String,
    createdtime: String,
    created_at: String,
    data: T,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wrapper {
    object: Object,
}

/// One struct for all that the first provider sends.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    id: String,
    orderid: String,
    state: String,
    refundedamount: Dec,
    refunds: Vec<Entry>,
    payment: Option<Payment>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payment {
    charges: Vec<Charge>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Charge {
    id: String,
    refunds: Vec<Entry>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    amount: Dec,
    state: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payin {
    id: String,
    payin: String,
    amount: i64,
    status: String,
}

/// A decimal type that takes numbers and numbers in quotes.
#[derive(Default)]
struct Dec(Decimal);

impl<'de> Deserialize<'de> for Dec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Dec, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text,
            other => return Err(D::Error::custom(format!("{other} is no decimal"))),
        };
        let parsed = text.parse().or_else(|_| Decimal::from_scientific(&text));
        parsed.map(Dec).map_err(|_| D::Error::custom("no decimal"))
    }
}

/// What that library does before types are looked at.
fn folded(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(name, value)| (name.to_lowercase(), folded(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(folded).collect()),
        other => other,
    }
}

impl Shop for Service {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| claims.observes = vec![Observable::Refunds])
    }

    fn greet(&mut self, provider: &str, _: &str) {
        self.tazapay = provider == "tazapay";
    }

    fn sold(&mut self, order: &OrderSetup) {
        let total = order.captured_amount.to_string().parse().expect("an amount");
        let fresh = Order { total, refunds: HashMap::new(), charges: HashMap::new(), disputed: false };
        self.orders.entry(order.order_id.clone()).or_insert(fresh);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(text) = std::str::from_utf8(body) else { return 400 };
        let Ok(value @ Value::Object(_)) = serde_json::from_str(text) else { return 400 };
        let value = folded(value);
        let Ok(envelope) = serde_json::from_value::<Envelope<Value>>(value.clone()) else { return 400 };
        match envelope.kind.as_str() {
            "" => 400,
            kind if self.tazapay && kind.starts_with("refund.") => {
                serde_json::from_value(value).map_or(400, |event: Envelope<Payin>| self.payin(&event))
            }
            kind if kind.starts_with("refund.") || kind.starts_with("order.charge.refund.") || kind == "order.chargeback" => {
                serde_json::from_value(value).map_or(400, |event: Envelope<Wrapper>| self.object(&event))
            }
            _ => 200,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let order = self.orders.get(order_id)?;
        let refunds: Decimal = order.refunds.values().map(|known| known.paid).sum();
        let charges: Decimal = order.charges.values().map(|(_, paid)| *paid).sum();
        let paid = if refunds > charges { refunds } else { charges };
        let mut status = "not_refunded";
        for known in order.refunds.values() {
            let word = match known.state.as_str() {
                "requested" => "pending",
                other => other,
            };
            if rank(word) > rank(status) {
                status = word;
            }
        }
        if paid > Decimal::ZERO {
            status = if paid < order.total { "partially_refunded" } else { "refunded" };
        }
        if order.disputed {
            status = "charged_back";
        }
        let list: Vec<Value> = order
            .refunds
            .iter()
            .map(|(id, known)| json!({"id": id, "state": known.state, "refundedAmount": known.paid.to_string()}))
            .collect();
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid.to_string(), "refunds": list}))
    }
}

fn rank(status: &str) -> u8 {
    match status {
        "failed" => 1,
        "pending" => 2,
        "pending_information" => 3,
        _ => 0,
    }
}

impl Service {
    fn payin(&mut self, event: &Envelope<Payin>) -> u16 {
        let refund = &event.data;
        let Ok(at) = event.created_at.parse() else { return 400 };
        if refund.id.is_empty() || refund.payin.is_empty() || refund.amount <= 0 {
            return 400;
        }
        let paid = match refund.status.as_str() {
            "succeeded" => Decimal::new(refund.amount, 2),
            "requested" | "pending" | "failed" => Decimal::ZERO,
            _ => return 422,
        };
        self.upsert(&refund.payin, &refund.id, Known { at, state: refund.status.clone(), paid })
    }

    fn object(&mut self, event: &Envelope<Wrapper>) -> u16 {
        let object = &event.data.object;
        let Ok(at) = event.createdtime.parse::<Timestamp>() else { return 400 };
        if object.id.is_empty() {
            return 400;
        }
        if event.kind == "order.chargeback" {
            let Some(order) = self.orders.get_mut(&object.id) else { return 404 };
            order.disputed = true;
            return 200;
        }
        if event.kind.starts_with("refund.") {
            let paid = object.refundedamount.0;
            if object.orderid.is_empty() || paid < Decimal::ZERO {
                return 400;
            }
            let sound = match object.state.as_str() {
                "succeeded" => paid > Decimal::ZERO,
                "pending" | "pending_information" | "failed" => paid.is_zero(),
                _ => false,
            };
            if !sound {
                return 422;
            }
            return self.upsert(&object.orderid, &object.id, Known { at, state: object.state.clone(), paid });
        }
        let (order_id, charges) = match &object.payment {
            Some(payment) => (&object.id, payment.charges.iter().map(|charge| (&charge.id, &charge.refunds)).collect()),
            None => (&object.orderid, vec![(&object.id, &object.refunds)]),
        };
        if order_id.is_empty() {
            return 400;
        }
        let mut sums = Vec::new();
        for (id, entries) in charges {
            let complete = || entries.iter().filter(|entry| entry.state == "complete");
            if id.is_empty() || complete().any(|entry| entry.amount.0 <= Decimal::ZERO) {
                return 400;
            }
            sums.push((id.clone(), complete().map(|entry| entry.amount.0).sum::<Decimal>()));
        }
        if event.kind == "order.charge.refund.complete" && sums.iter().all(|(_, sum)| sum.is_zero()) {
            return 400;
        }
        let Some(order) = self.orders.get_mut(order_id) else { return 404 };
        for (id, sum) in sums {
            let known = order.charges.entry(id).or_insert((at, sum));
            if known.0 < at {
                *known = (at, sum);
            }
        }
        200
    }

    fn upsert(&mut self, order_id: &str, refund_id: &str, told: Known) -> u16 {
        let Some(order) = self.orders.get_mut(order_id) else { return 404 };
        let known = order.refunds.entry(refund_id.to_owned()).or_insert_with(|| told.clone());
        let ended = known.state == "succeeded" || known.state == "failed";
        let ends = told.state == "succeeded" || told.state == "failed";
        if !ended && (ends || told.at > known.at) {
            *known = told;
        }
        200
    }
}
