//! As shops were written before refunds had events of their own: the charge's total is what was refunded, and the one event about
//! refunds, `charge.refund.updated`, only says which of them must be taken off again.

use std::collections::BTreeMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use serde_json::{Value, json};

use super::{Shop, wire};

#[derive(Default)]
pub(crate) struct Counter {
    sales: BTreeMap<String, Sale>,
}

struct Sale {
    names: Vec<String>,
    currency: String,
    captured: i64,
    /// When the charge was last looked at, and what it said.
    looked: i64,
    total: i64,
    updates: BTreeMap<String, Update>,
}

struct Update {
    told: i64,
    made: i64,
    amount: i64,
    status: &'static str,
}

/// The words for a refund, the later ones of one second at the end.
const LIFE: [&str; 5] = ["requires_action", "pending", "succeeded", "canceled", "failed"];

fn place(status: &str) -> Option<usize> {
    LIFE.iter().position(|known| *known == status)
}

impl Update {
    /// What the total says too much because of this refund, or too little.
    fn correction(&self, looked: i64) -> i64 {
        let is_over = self.status == "failed" || self.status == "canceled";
        match self.status {
            "succeeded" if self.made > looked => self.amount,
            // A total that is younger than the failure does not have it in it any more.
            _ if is_over && self.told < looked => 0,
            "succeeded" => 0,
            _ if self.made > looked => 0,
            _ => -self.amount,
        }
    }
}

impl Sale {
    fn refunded(&self) -> i64 {
        let known: i64 = self.updates.values().filter(|update| update.status == "succeeded").map(|update| update.amount).sum();
        let corrections: i64 = self.updates.values().map(|update| update.correction(self.looked)).sum();
        known.max(self.total + corrections)
    }
}

impl Shop for Counter {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Currency];
            claims.subscribes = Some(["charge.refunded", "charge.refund.updated"].map(str::to_owned).to_vec());
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        let sale = || Sale {
            names: order.payment_intent_id.iter().chain(order.charges.iter().map(|charge| &charge.id)).cloned().collect(),
            currency: order.currency.clone(),
            captured: wire::smallest(&order.captured_amount.to_string(), &order.currency),
            looked: i64::MIN,
            total: 0,
            updates: BTreeMap::new(),
        };
        self.sales.entry(order.order_id.clone()).or_insert_with(sale);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        match wire::kind(&whole) {
            Some("charge.refunded") => self.charge_refunded(&whole).map_or_else(|| 400, u16::from),
            Some("charge.refund.updated") => self.refund_updated(&whole).map_or_else(|| 400, u16::from),
            Some(_) => 200,
            None => 400,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let sale = self.sales.get(order_id)?;
        let refunded = sale.refunded();
        let any = |status: &str| sale.updates.values().any(|update| update.status == status);
        let status = match refunded {
            1.. if refunded >= sale.captured => "refunded",
            1.. => "partially_refunded",
            _ if any("requires_action") => "pending_information",
            _ if any("pending") => "pending",
            _ if any("failed") || any("canceled") => "failed",
            _ => "not_refunded",
        };
        let amount = wire::major(refunded, &sale.currency);
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": amount, "currency": sale.currency}))
    }
}

/// How the endpoint answers.
#[derive(Clone, Copy)]
enum Answer {
    Done,
    NotOurs,
    Unusable,
}

impl From<Answer> for u16 {
    fn from(answer: Answer) -> u16 {
        match answer {
            Answer::Done => 200,
            Answer::NotOurs => 404,
            Answer::Unusable => 422,
        }
    }
}

impl Counter {
    fn sale(&mut self, payment: &wire::Payment, currency: &str, amount: i64) -> Result<&mut Sale, Answer> {
        let is_of = |sale: &&mut Sale| payment.ids().any(|id| sale.names.iter().any(|name| name == id));
        let sale = self.sales.values_mut().find(is_of).ok_or(Answer::NotOurs)?;
        if amount > sale.captured || !currency.eq_ignore_ascii_case(&sale.currency) { Err(Answer::Unusable) } else { Ok(sale) }
    }

    fn charge_refunded(&mut self, whole: &Value) -> Option<Answer> {
        let event = wire::event(whole)?;
        let charge = wire::charge(&event.object)?;
        match self.sale(&charge.payment, &charge.currency, charge.amount_refunded) {
            Err(answer) => return Some(answer),
            Ok(sale) if (event.created, charge.amount_refunded) > (sale.looked, sale.total) => {
                (sale.looked, sale.total) = (event.created, charge.amount_refunded);
            }
            Ok(_) => {}
        }
        Some(Answer::Done)
    }

    fn refund_updated(&mut self, whole: &Value) -> Option<Answer> {
        let event = wire::event(whole)?;
        let refund = wire::refund(&event.object)?;
        let Some(told) = place(&refund.status) else { return Some(Answer::Unusable) };
        let update = Update { told: event.created, made: refund.created, amount: refund.amount, status: LIFE[told] };
        match self.sale(&refund.payment, &refund.currency, refund.amount) {
            Err(answer) => return Some(answer),
            Ok(sale) => {
                let known = sale.updates.get(&refund.id);
                if known.is_none_or(|known| (known.told, place(known.status)) < (update.told, Some(told))) {
                    sale.updates.insert(refund.id, update);
                }
            }
        }
        Some(Answer::Done)
    }
}
