//! Takes what it needs for refunds and disputes alike and goes by the state of each object: a record for each refund, a record for
//! each dispute, and an order that is worked out from both.
//!
//! A refund that has failed or was cancelled stays so, whatever comes; among the other states the newest event decides.

use std::collections::HashMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::{OrderSetup, OwnRefund},
};
use serde_json::{Value, json};

use super::{Shop, wire};

#[derive(Default)]
pub(crate) struct Storefront {
    orders: HashMap<String, Order>,
    payments: HashMap<String, String>,
}

struct Order {
    currency: String,
    captured: i64,
    refunds: Vec<RefundRecord>,
    disputes: Vec<DisputeRecord>,
}

struct RefundRecord {
    id: String,
    amount: i64,
    status: String,
    /// The second of the event that told so; of what the shop did by itself there is none.
    heard: Option<i64>,
}

struct DisputeRecord {
    id: String,
    amount: i64,
    status: String,
    heard: i64,
}

const REFUND_LIFE: [&str; 5] = ["requires_action", "pending", "succeeded", "failed", "canceled"];
const DISPUTE_LIFE: [&str; 10] = [
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "appeal_needs_response",
    "appeal_under_review",
    "lost",
    "won",
    "prevented",
];

fn age(life: &[&str], status: &str) -> Option<usize> {
    life.iter().position(|known| *known == status)
}

impl RefundRecord {
    fn is_over(&self) -> bool {
        self.status == "failed" || self.status == "canceled"
    }

    fn paid(&self) -> i64 {
        if self.status == "succeeded" { self.amount } else { 0 }
    }

    fn hear(&mut self, at: i64, told: &wire::Refund) {
        let is_newer = (Some(at), age(&REFUND_LIFE, &told.status)) > (self.heard, age(&REFUND_LIFE, &self.status));
        let ends = told.status == "failed" || told.status == "canceled";
        if !self.is_over() && (ends || is_newer) {
            self.status.clone_from(&told.status);
            self.heard = Some(at);
            self.amount = told.amount;
        }
    }
}

impl DisputeRecord {
    fn held(&self) -> i64 {
        let is_held = matches!(self.status.as_str(), "needs_response" | "under_review" | "lost") || self.status.starts_with("appeal_");
        if is_held { self.amount } else { 0 }
    }
}

impl Order {
    fn status(&self, paid: i64, held: i64) -> &'static str {
        let any = |status: &str| self.refunds.iter().any(|refund| refund.status == status);
        match () {
            () if held > 0 => "charged_back",
            () if paid > 0 && paid >= self.captured => "refunded",
            () if paid > 0 => "partially_refunded",
            () if any("requires_action") => "pending_information",
            () if any("pending") => "pending",
            () if any("failed") || any("canceled") => "failed",
            () => "not_refunded",
        }
    }
}

impl Shop for Storefront {
    fn claims(&self) -> Capabilities {
        use Observable::{AvailableToRefundAmount, ChargedBackAmount, Currency, Refunds};
        Capabilities::new().with(|claims| {
            claims.observes = vec![Currency, Refunds, AvailableToRefundAmount, ChargedBackAmount];
            claims.subscribes = Some(["refund.*", "charge.refund.updated", "charge.dispute.*"].map(str::to_owned).to_vec());
            claims.initiates_refunds = true;
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        for name in order.charges.iter().map(|charge| &charge.id).chain(&order.payment_intent_id) {
            self.payments.insert(name.clone(), order.order_id.clone());
        }
        self.orders.entry(order.order_id.clone()).or_insert_with(|| Order {
            currency: order.currency.clone(),
            captured: wire::smallest(&order.captured_amount.to_string(), &order.currency),
            refunds: Vec::new(),
            disputes: Vec::new(),
        });
    }

    fn refunded(&mut self, own: &OwnRefund) {
        let Some(order) = self.orders.get_mut(&own.order_id) else { return };
        if order.refunds.iter().all(|known| known.id != own.refund.id) {
            let amount = wire::smallest(&own.refund.amount.to_string(), &order.currency);
            order.refunds.push(RefundRecord { id: own.refund.id.clone(), amount, status: "pending".to_owned(), heard: None });
        }
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        let Some(kind) = wire::kind(&whole) else { return 400 };
        let done = match kind {
            "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => self.refund_changed(&whole),
            "charge.dispute.created"
            | "charge.dispute.updated"
            | "charge.dispute.closed"
            | "charge.dispute.funds_withdrawn"
            | "charge.dispute.funds_reinstated" => self.dispute_changed(&whole),
            _ => Some(200),
        };
        done.unwrap_or(400)
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let order = self.orders.get(order_id)?;
        let write = |amount| wire::major(amount, &order.currency);
        let paid: i64 = order.refunds.iter().map(RefundRecord::paid).sum();
        let held: i64 = order.disputes.iter().map(DisputeRecord::held).sum();
        let taken: i64 = order.refunds.iter().filter(|refund| !refund.is_over()).map(|refund| refund.amount).sum();
        let refunds = order.refunds.iter().map(|refund| {
            let state = match refund.status.as_str() {
                "requires_action" => "pending_information",
                "canceled" => "failed",
                other => other,
            };
            json!({"id": refund.id, "state": state, "amount": write(refund.amount), "refundedAmount": write(refund.paid())})
        });
        Some(json!({
            "orderId": order_id,
            "status": order.status(paid, held),
            "refundedAmount": write(paid),
            "currency": order.currency,
            "availableToRefundAmount": write((order.captured - taken - held).max(0)),
            "chargedBackAmount": write(held),
            "refunds": refunds.collect::<Vec<_>>(),
        }))
    }
}

impl Storefront {
    fn order(&mut self, payment: &wire::Payment) -> Option<&mut Order> {
        let order = payment.ids().find_map(|id| self.payments.get(id))?;
        self.orders.get_mut(order)
    }

    fn refund_changed(&mut self, whole: &Value) -> Option<u16> {
        let event = wire::event(whole)?;
        let told = wire::refund(&event.object)?;
        age(&REFUND_LIFE, &told.status)?;
        let Some(order) = self.order(&told.payment) else { return Some(404) };
        if told.amount > order.captured || !told.currency.eq_ignore_ascii_case(&order.currency) {
            return Some(422);
        }
        match order.refunds.iter_mut().find(|known| known.id == told.id) {
            Some(known) => known.hear(event.created, &told),
            None => order.refunds.push(RefundRecord { id: told.id, amount: told.amount, status: told.status, heard: Some(event.created) }),
        }
        Some(200)
    }

    fn dispute_changed(&mut self, whole: &Value) -> Option<u16> {
        let event = wire::event(whole)?;
        let told = wire::dispute(&event.object)?;
        let told_age = age(&DISPUTE_LIFE, &told.status)?;
        let Some(order) = self.order(&told.payment) else { return Some(404) };
        if !told.currency.eq_ignore_ascii_case(&order.currency) {
            return Some(422);
        }
        let record = DisputeRecord { id: told.id, amount: told.amount, status: told.status, heard: event.created };
        match order.disputes.iter_mut().find(|known| known.id == record.id) {
            None => order.disputes.push(record),
            Some(known) if (record.heard, Some(told_age)) > (known.heard, age(&DISPUTE_LIFE, &known.status)) => *known = record,
            Some(_) => {}
        }
        Some(200)
    }
}
