//! Shops whose endpoint was registered long ago, so that they get the bodies of an older API version.
//!
//! The first of them was written for it: it goes through the refunds that a charge carries. Any other can be registered for it too,
//! if it hears of refunds by the events that there were then.

use std::collections::HashMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::{OrderSetup, OwnRefund},
    domain::Clock,
};
use serde_json::{Value, json};

use super::{Shop, wire};

/// Another shop, registered for the older version.
#[derive(Default)]
pub(crate) struct Registered<S>(S);

impl<S: Shop> Shop for Registered<S> {
    fn claims(&self) -> Capabilities {
        self.0.claims().with(|claims| {
            claims.older_api_version = true;
            for kind in claims.subscribes.iter_mut().flatten().filter(|kind| kind.starts_with("refund.")) {
                *kind = "charge.refund.updated".to_owned();
            }
        })
    }

    fn greet(&mut self, secret: &str, clock: &Clock, api: Option<&str>) {
        self.0.greet(secret, clock, api);
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.0.sold(order);
    }

    fn post(&mut self, headers: &[(String, String)], body: &[u8]) -> u16 {
        self.0.post(headers, body)
    }

    fn refunded(&mut self, refund: &OwnRefund) {
        self.0.refunded(refund);
    }

    fn crash(&mut self) -> bool {
        self.0.crash()
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        self.0.page(order_id)
    }
}

/// Keeps a row for each refund of the charge's list, and lets `charge.refund.updated` correct it.
#[derive(Default)]
pub(crate) struct Rows {
    orders: HashMap<String, Order>,
}

struct Order {
    names: Vec<String>,
    currency: String,
    captured: i64,
    rows: HashMap<String, Row>,
}

/// What was said last of a refund, and when. Later words of one second stand further back in a refund's life.
#[derive(PartialEq, PartialOrd)]
struct Row {
    said: i64,
    life: usize,
    amount: i64,
}

const LIFE: [&str; 5] = ["requires_action", "pending", "succeeded", "canceled", "failed"];
const WAITING: usize = 0;
const SUCCEEDED: usize = 2;

impl Order {
    fn take(&mut self, refund: &wire::Refund, said: i64) {
        let Some(life) = LIFE.iter().position(|word| *word == refund.status) else { return };
        let row = Row { said, life, amount: refund.amount };
        if self.rows.get(&refund.id).is_none_or(|known| *known < row) {
            self.rows.insert(refund.id.clone(), row);
        }
    }

    fn status(&self, refunded: i64) -> &'static str {
        let mut lives: Vec<usize> = self.rows.values().map(|row| row.life).collect();
        lives.sort_unstable();
        match (refunded, lives.first()) {
            (1.., _) if refunded >= self.captured => "refunded",
            (1.., _) => "partially_refunded",
            (_, None) => "not_refunded",
            (_, Some(&WAITING)) => "pending_information",
            (_, Some(1)) => "pending",
            _ if lives.contains(&4) => "failed",
            _ => "not_refunded",
        }
    }
}

impl Shop for Rows {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Currency, Observable::Refunds];
            claims.subscribes = Some(["charge.refunded", "charge.refund.updated"].map(str::to_owned).to_vec());
            claims.older_api_version = true;
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.orders.entry(order.order_id.clone()).or_insert_with(|| Order {
            names: order.charges.iter().map(|charge| &charge.id).chain(&order.payment_intent_id).cloned().collect(),
            currency: order.currency.clone(),
            captured: wire::smallest(&order.captured_amount.to_string(), &order.currency),
            rows: HashMap::new(),
        });
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        let Some(kind) = wire::kind(&whole) else { return 400 };
        if kind != "charge.refunded" && kind != "charge.refund.updated" {
            return 200;
        }
        let Some(event) = wire::event(&whole) else { return 400 };
        let listed = match event.object["refunds"].get("data") {
            Some(list) => list.as_array().map(|list| list.iter().map(wire::refund).collect::<Option<Vec<_>>>()),
            None => Some(wire::refund(&event.object).map(|refund| vec![refund])),
        };
        let Some(refunds) = listed.flatten() else { return 400 };
        let Some(first) = refunds.first() else { return 422 };
        // The charge itself says whose it is; what it lists is not asked.
        let Some(payment) = wire::charge(&event.object).map_or(Some(first.payment.clone()), |charge| Some(charge.payment)) else {
            return 400;
        };
        let Some(order) = self.orders.values_mut().find(|order| payment.ids().any(|id| order.names.iter().any(|name| name == id))) else {
            return 404;
        };
        let sum: i64 = refunds.iter().filter(|refund| refund.status == "succeeded").map(|refund| refund.amount).sum();
        let is_ours = |refund: &wire::Refund| refund.currency.eq_ignore_ascii_case(&order.currency);
        if sum > order.captured || !refunds.iter().all(is_ours) {
            return 422;
        }
        refunds.iter().for_each(|refund| order.take(refund, event.created));
        200
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let order = self.orders.get(order_id)?;
        let write = |amount| wire::major(amount, &order.currency);
        let paid = |row: &Row| if row.life == SUCCEEDED { row.amount } else { 0 };
        let refunded: i64 = order.rows.values().map(paid).sum();
        let states = ["pending_information", "pending", "succeeded", "cancelled", "failed"];
        let refunds = order
            .rows
            .iter()
            .map(|(id, row)| json!({"id": id, "state": states[row.life], "amount": write(row.amount), "refundedAmount": write(paid(row))}));
        Some(json!({
            "orderId": order_id,
            "status": order.status(refunded),
            "refundedAmount": write(refunded),
            "currency": order.currency,
            "refunds": refunds.collect::<Vec<_>>(),
        }))
    }
}
