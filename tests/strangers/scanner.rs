//! A gateway looks at an event's type first and passes on only what somebody handles; the rest is acknowledged as soon as it is
//! seen to be JSON, whatever its members look like. Behind it, two handlers read no more than they need.

use std::collections::HashMap;

use refundproof::{adapter::Capabilities, case::OrderSetup};
use rust_decimal::Decimal;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Number, Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Gateway {
    refunds: Refunds,
    chargebacks: Vec<String>,
}

/// What the handler of refunds knows of each order.
#[derive(Default)]
struct Refunds(HashMap<String, Known>);

struct Known {
    captured: Decimal,
    /// What is complete of each charge.
    charges: HashMap<String, Decimal>,
    refunds: HashMap<String, Refunded>,
}

#[derive(Clone, Copy, PartialEq)]
enum Refunded {
    NotYet,
    Never,
    Paid(Decimal),
}

impl Shop for Gateway {
    fn claims(&self) -> Capabilities {
        let equivalent_statuses = vec![vec!["pending_information".to_owned(), "pending".to_owned()]];
        let kinds = [
            "refund.created",
            "refund.pending",
            "refund.pending_information",
            "refund.complete",
            "refund.succeeded",
            "refund.failed",
            "order.charge.refund.complete",
            "order.charge.capture.*",
            "order.chargeback",
            "order.complete",
        ];
        let subscribes = Some(kinds.map(str::to_owned).to_vec());
        Capabilities::new().with(|claims| {
            claims.equivalent_statuses = equivalent_statuses;
            claims.subscribes = subscribes;
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        let captured = order.captured_amount.to_string().parse().expect("an amount");
        let known = Known { captured, charges: HashMap::new(), refunds: HashMap::new() };
        self.refunds.0.entry(order.order_id.clone()).or_insert(known);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        // All of it must be JSON, but only the type is kept.
        if std::str::from_utf8(body).is_err() || serde_json::from_slice::<HashMap<String, IgnoredAny>>(body).is_err() {
            return 400;
        }
        #[derive(Deserialize)]
        struct Glance<'a> {
            #[serde(borrow)]
            r#type: std::borrow::Cow<'a, str>,
        }
        let Ok(glance) = serde_json::from_slice::<Glance<'_>>(body) else { return 400 };
        match glance.r#type.as_ref() {
            "refund.complete" | "refund.succeeded" => self.refunds.refund(body),
            "order.charge.refund.complete" => self.refunds.charge(body),
            "order.chargeback" => self.chargeback(body),
            "refund.created" | "refund.pending" | "refund.pending_information" => self.refunds.unpaid(body, Refunded::NotYet),
            "refund.failed" => self.refunds.unpaid(body, Refunded::Never),
            _ => 200,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let known = self.refunds.0.get(order_id)?;
        let paid = known.refunds.values().map(|refund| if let Refunded::Paid(paid) = refund { *paid } else { Decimal::ZERO });
        let paid = paid.sum::<Decimal>().max(known.charges.values().sum());
        let some = |wanted: Refunded| known.refunds.values().any(|refund| *refund == wanted);
        let status = if self.chargebacks.iter().any(|order| order == order_id) {
            "charged_back"
        } else if paid >= known.captured {
            "refunded"
        } else if paid > Decimal::ZERO {
            "partially_refunded"
        } else if some(Refunded::NotYet) {
            "pending"
        } else if some(Refunded::Never) {
            "failed"
        } else {
            "not_refunded"
        };
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid.to_string()}))
    }
}

#[derive(Deserialize)]
struct Message<T> {
    data: Data<T>,
}

#[derive(Deserialize)]
struct Data<T> {
    object: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refund {
    id: String,
    order_id: String,
    state: String,
    refunded_amount: Number,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Charge {
    id: String,
    order_id: String,
    refunds: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    state: String,
    amount: Number,
}

#[derive(Deserialize)]
struct Order {
    id: String,
}

impl Refunds {
    fn unpaid(&mut self, body: &[u8], told: Refunded) -> u16 {
        let Ok(message) = serde_json::from_slice::<Message<Refund>>(body) else { return 400 };
        let Some(known) = self.0.get_mut(&message.data.object.order_id) else { return 404 };
        let refund = known.refunds.entry(message.data.object.id).or_insert(told);
        if *refund == Refunded::NotYet {
            *refund = told;
        }
        200
    }

    fn refund(&mut self, body: &[u8]) -> u16 {
        let Ok(message) = serde_json::from_slice::<Message<Refund>>(body) else { return 400 };
        let refund = message.data.object;
        let Ok(paid) = refund.refunded_amount.to_string().parse::<Decimal>() else { return 400 };
        if refund.state != "succeeded" || paid <= Decimal::ZERO {
            return 400;
        }
        let Some(known) = self.0.get_mut(&refund.order_id) else { return 404 };
        known.refunds.insert(refund.id, Refunded::Paid(paid));
        200
    }

    fn charge(&mut self, body: &[u8]) -> u16 {
        let Ok(message) = serde_json::from_slice::<Message<Charge>>(body) else { return 400 };
        let charge = message.data.object;
        let complete = charge.refunds.iter().filter(|entry| entry.state == "complete");
        let amounts: Result<Vec<Decimal>, _> = complete.map(|entry| entry.amount.to_string().parse()).collect();
        let Ok(amounts) = amounts else { return 400 };
        if amounts.is_empty() || amounts.iter().any(|amount| *amount <= Decimal::ZERO) {
            return 400;
        }
        let Some(order) = self.0.get_mut(&charge.order_id) else { return 404 };
        let known = order.charges.entry(charge.id).or_default();
        *known = amounts.into_iter().sum::<Decimal>().max(*known);
        200
    }
}

impl Gateway {
    fn chargeback(&mut self, body: &[u8]) -> u16 {
        let Ok(message) = serde_json::from_slice::<Message<Order>>(body) else { return 400 };
        let id = message.data.object.id;
        if !self.refunds.0.contains_key(&id) {
            return 404;
        }
        self.chargebacks.push(id);
        200
    }
}
