//! A resource server: an order that it does not have is not found, and whatever is said of it is taken when it is said again.
//!
//! It keeps the provider's own objects as documents, the newest of each, and interprets them when they are asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Api {
    orders: BTreeMap<String, Value>,
    /// By collection, id and the order they belong to.
    documents: BTreeMap<(&'static str, String, String), (Timestamp, Value)>,
}

const OPEN: [&str; 3] = ["pending_information", "pending", "requested"];

impl Shop for Api {
    fn claims(&self) -> Capabilities {
        let observes = vec![Observable::Refunds, Observable::Currency];
        Capabilities::new().with(|claims| {
            claims.observes = observes;
            claims.concurrency = 2;
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        let document = serde_json::to_value(order).expect("JSON");
        self.orders.insert(order.order_id.clone(), document);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(event) = serde_json::from_slice::<Value>(body) else { return 400 };
        let Some(kind) = event["type"].as_str() else { return 400 };
        let (collection, document) = match kind {
            "order.chargeback" => ("chargebacks", &event["data"]["object"]),
            _ if kind.starts_with("order.charge.refund.") && event["data"]["object"]["payment"].is_null() => {
                ("charges", &event["data"]["object"])
            }
            _ if kind.starts_with("refund.") && event["created_at"].is_string() => ("payouts", &event["data"]),
            _ if kind.starts_with("refund.") => ("refunds", &event["data"]["object"]),
            _ => return 200,
        };
        let time = event["createdTime"].as_str().or(event["created_at"].as_str());
        let Some(time) = time.and_then(|time| time.parse::<Timestamp>().ok()) else { return 400 };
        let order = match collection {
            "chargebacks" => &document["id"],
            "payouts" => &document["payin"],
            _ => &document["orderId"],
        };
        let (Some(id), Some(order)) = (document["id"].as_str(), order.as_str()) else { return 400 };
        let nothing_yet = collection == "charges" && !kind.ends_with(".complete") && complete(document).is_some();
        if !nothing_yet && !is_sound(collection, document) {
            return 400;
        }
        if !self.orders.contains_key(order) {
            return 404;
        }
        let key = (collection, id.to_owned(), order.to_owned());
        let newer = self.documents.get(&key).is_none_or(|(known, old)| *known < time && !has_ended(old));
        if newer {
            self.documents.insert(key, (time, document.clone()));
        }
        200
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let order = self.orders.get(order_id)?;
        let of = |wanted: &'static str| {
            let documents = self.documents.iter().filter(move |((collection, _, order), _)| *collection == wanted && order == order_id);
            documents.map(|(_, (_, document))| document)
        };
        let mut refunds: Vec<Value> = of("refunds")
            .map(|refund| json!({"id": refund["id"], "state": refund["state"], "refundedAmount": refund["refundedAmount"]}))
            .collect();
        refunds.extend(of("payouts").map(|payout| {
            let paid = if payout["status"] == "succeeded" { decimal(&payout["amount"]).unwrap_or_default() } else { Decimal::ZERO };
            json!({"id": payout["id"], "state": payout["status"], "refundedAmount": (paid / Decimal::ONE_HUNDRED).to_string()})
        }));
        let by_refunds: Decimal = refunds.iter().filter_map(|refund| money(&refund["refundedAmount"])).sum();
        let by_charges: Decimal = of("charges").filter_map(complete).sum();
        let paid = by_refunds.max(by_charges);
        let is = |state: &&str| refunds.iter().any(|refund| refund["state"] == **state);
        let status = if of("chargebacks").next().is_some() {
            "charged_back"
        } else if paid > Decimal::ZERO {
            let captured = money(&order["capturedAmount"])?;
            if paid < captured { "partially_refunded" } else { "refunded" }
        } else {
            match OPEN.iter().find(|state| is(state)) {
                Some(&"pending_information") => "pending_information",
                Some(_) => "pending",
                None if is(&"failed") => "failed",
                None => "not_refunded",
            }
        };
        let paid = paid.to_string();
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid, "currency": order["currency"], "refunds": refunds}))
    }
}

fn has_ended(document: &Value) -> bool {
    let state = document["status"].as_str().or(document["state"].as_str());
    document["refunds"].is_null() && matches!(state, Some("succeeded" | "failed"))
}

fn decimal(value: &Value) -> Option<Decimal> {
    let amount: Decimal = value.as_number()?.to_string().parse().ok()?;
    (amount >= Decimal::ZERO).then_some(amount)
}

fn money(value: &Value) -> Option<Decimal> {
    value.as_str().and_then(|text| text.parse().ok()).or_else(|| decimal(value))
}

fn complete(charge: &Value) -> Option<Decimal> {
    charge["refunds"].as_array()?.iter().filter(|entry| entry["state"] == "complete").map(|entry| decimal(&entry["amount"])).sum()
}

fn is_sound(collection: &str, document: &Value) -> bool {
    let is_open = |state: &str| OPEN.contains(&state) || state == "failed";
    match collection {
        "charges" => complete(document).is_some_and(|paid| !paid.is_zero()),
        "refunds" => match (document["state"].as_str(), decimal(&document["refundedAmount"])) {
            (Some("succeeded"), Some(paid)) => !paid.is_zero(),
            (Some(state), Some(paid)) => is_open(state) && paid.is_zero(),
            _ => false,
        },
        "payouts" => match (document["status"].as_str(), decimal(&document["amount"])) {
            (Some(state), Some(amount)) => (state == "succeeded" || is_open(state)) && !amount.is_zero(),
            _ => false,
        },
        _ => true,
    }
}
