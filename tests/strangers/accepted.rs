//! Says yes in other words: 201 for what is new, 202 for what was known, 204 for what it has no use for.
//!
//! Its records only ever grow: of each refund and each charge the most that was told stands.

use std::collections::{BTreeMap, btree_map::Entry};

use refundproof::{adapter::Capabilities, case::OrderSetup};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Polite {
    has_charges: bool,
    captured: BTreeMap<String, Decimal>,
    /// By order and refund: how far it has come, and what was paid.
    refunds: BTreeMap<(String, String), (Progress, Decimal)>,
    charges: BTreeMap<(String, String), Decimal>,
    chargebacks: BTreeMap<String, u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    Open,
    Failed,
    Succeeded,
}

impl Shop for Polite {
    fn claims(&self) -> Capabilities {
        let equivalent_statuses = vec![vec!["pending".to_owned(), "pending_information".to_owned()]];
        // What only changes metadata is not asked for.
        let kinds = ["refund.created", "refund.pending*", "refund.complete", "refund.succeeded", "refund.failed", "order.*", "sku.*"];
        let subscribes = self.has_charges.then(|| kinds.map(str::to_owned).to_vec());
        Capabilities::new().with(|claims| {
            claims.equivalent_statuses = equivalent_statuses;
            claims.subscribes = subscribes;
        })
    }

    fn greet(&mut self, provider: &str, _: &str) {
        self.has_charges = provider == "digital-river";
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.captured.insert(order.order_id.clone(), order.captured_amount.to_string().parse().expect("an amount"));
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(event) = serde_json::from_slice::<Map<String, Value>>(body) else { return 400 };
        let Some(Value::String(kind)) = event.get("type") else { return 400 };
        let data = event.get("data").unwrap_or(&Value::Null);
        let news = match kind.as_str() {
            "order.chargeback" => self.chargeback(&data["object"]),
            kind if kind.starts_with("order.charge.refund.") => self.charge(kind, &data["object"]),
            // Metadata is not kept.
            "refund.updated" => Some(204),
            kind if kind.starts_with("refund.") => self.refund(data),
            _ => Some(204),
        };
        news.unwrap_or(400)
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let captured = self.captured.get(order_id)?;
        let of_order = |key: &(String, String)| key.0 == order_id;
        let refunds: Vec<_> = self.refunds.iter().filter(|(key, _)| of_order(key)).map(|(_, told)| *told).collect();
        let by_refunds: Decimal = refunds.iter().map(|(_, paid)| *paid).sum();
        let by_charges: Decimal = self.charges.iter().filter(|(key, _)| of_order(key)).map(|(_, paid)| *paid).sum();
        let paid = if by_charges > by_refunds { by_charges } else { by_refunds };
        let has = |wanted| refunds.iter().any(|(progress, _)| *progress == wanted);
        let mut page = Map::new();
        page.insert("orderId".to_owned(), order_id.into());
        page.insert("refundedAmount".to_owned(), paid.to_string().into());
        let status = if self.chargebacks.contains_key(order_id) {
            "charged_back"
        } else if paid == *captured {
            "refunded"
        } else if !paid.is_zero() {
            "partially_refunded"
        } else if has(Progress::Open) {
            "pending"
        } else if has(Progress::Failed) {
            "failed"
        } else {
            "not_refunded"
        };
        page.insert("status".to_owned(), status.into());
        Some(page.into())
    }
}

fn number(value: &Value) -> Option<Decimal> {
    let Value::Number(number) = value else { return None };
    number.to_string().parse().ok().filter(|amount| *amount >= Decimal::ZERO)
}

impl Polite {
    fn refund(&mut self, data: &Value) -> Option<u16> {
        let (order, id, state, paid) = match data.get("object") {
            Some(object @ Value::Object(_)) => (&object["orderId"], &object["id"], &object["state"], number(&object["refundedAmount"])?),
            Some(Value::String(_)) => (&data["payin"], &data["id"], &data["status"], number(&data["amount"])? / Decimal::ONE_HUNDRED),
            _ => return None,
        };
        let progress = match state.as_str()? {
            "succeeded" if paid.is_zero() => return None,
            "succeeded" => Progress::Succeeded,
            "failed" => Progress::Failed,
            "requested" | "pending" | "pending_information" => Progress::Open,
            _ => return None,
        };
        let paid = if progress == Progress::Succeeded { paid } else { Decimal::ZERO };
        let key = (order.as_str()?.to_owned(), id.as_str()?.to_owned());
        if !self.captured.contains_key(&key.0) {
            return Some(404);
        }
        match self.refunds.entry(key) {
            Entry::Vacant(empty) => {
                empty.insert((progress, paid));
                Some(201)
            }
            Entry::Occupied(mut known) => {
                let told = (progress, paid);
                if told > *known.get() {
                    known.insert(told);
                }
                Some(202)
            }
        }
    }

    fn charge(&mut self, kind: &str, object: &Value) -> Option<u16> {
        if object["payment"].is_object() {
            return Some(204);
        }
        let complete = object["refunds"].as_array()?.iter().filter(|entry| entry["state"].as_str() == Some("complete"));
        let paid = complete.map(|entry| number(&entry["amount"])).sum::<Option<Decimal>>()?;
        if paid.is_zero() {
            // Nothing is complete yet, unless the event says so.
            return if kind.ends_with(".complete") { None } else { Some(204) };
        }
        let key = (object["orderId"].as_str()?.to_owned(), object["id"].as_str()?.to_owned());
        if !self.captured.contains_key(&key.0) {
            return Some(404);
        }
        let known = self.charges.entry(key).or_default();
        let status = if known.is_zero() { 201 } else { 202 };
        *known = (*known).max(paid);
        Some(status)
    }

    fn chargeback(&mut self, object: &Value) -> Option<u16> {
        let id = object["id"].as_str()?;
        if !self.captured.contains_key(id) {
            return Some(404);
        }
        *self.chargebacks.entry(id.to_owned()).or_default() += 1;
        Some(201)
    }
}
