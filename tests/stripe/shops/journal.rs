//! Writes down every event once and books nothing: whoever looks at an order has it worked out from the whole journal, in the order
//! of time and, within a second, of the lives of refunds, charges and disputes.
//!
//! A charge's total says something only about money of which no refund is in the journal: what is left of it after all refunds
//! that it covers.

use std::collections::{BTreeMap, HashSet};

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use serde_json::{Value, json};

use super::{Shop, wire};

const KEPT: [&str; 10] = [
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.refund.updated",
    "charge.refunded",
    "refund.created",
    "refund.failed",
    "refund.updated",
];

#[derive(Default)]
pub(crate) struct Journal {
    seen: HashSet<String>,
    lines: Vec<Line>,
    orders: Vec<OrderSetup>,
}

struct Line {
    at: i64,
    news: News,
}

enum News {
    Refund(wire::Refund),
    Total(wire::Charge),
    Dispute(wire::Dispute),
}

impl Line {
    fn of(kind: &str, at: i64, object: &Value) -> Option<Line> {
        let news = match kind {
            "charge.refunded" => News::Total(wire::charge(object)?),
            _ if kind.starts_with("charge.dispute.") => News::Dispute(wire::dispute(object)?),
            _ => News::Refund(wire::refund(object)?),
        };
        Some(Line { at, news })
    }

    /// When it was, and of what happened in one second what came first.
    fn when(&self) -> (i64, i64) {
        let place = match &self.news {
            News::Refund(refund) => ["requires_action", "pending", "succeeded"]
                .iter()
                .position(|state| *state == refund.status)
                .map_or(i64::MAX, |place| i64::try_from(place).unwrap_or(i64::MAX)),
            News::Total(charge) => charge.amount_refunded,
            News::Dispute(dispute) => i64::try_from(dispute.moves.len()).unwrap_or(i64::MAX),
        };
        (self.at, place)
    }

    fn is_about(&self, order: &OrderSetup, captured: i64) -> bool {
        let (payment, currency, amount) = match &self.news {
            News::Refund(refund) => (&refund.payment, &refund.currency, refund.amount),
            News::Total(charge) => (&charge.payment, &charge.currency, charge.amount_refunded),
            News::Dispute(dispute) => (&dispute.payment, &dispute.currency, 0),
        };
        let mut names = order.charges.iter().map(|charge| charge.id.as_str()).chain(order.payment_intent_id.as_deref());
        currency.eq_ignore_ascii_case(&order.currency) && amount <= captured && names.any(|name| payment.ids().any(|id| id == name))
    }
}

/// A refund as it came out of the journal.
struct Told<'a> {
    refund: &'a wire::Refund,
    ended: Option<i64>,
}

impl Told<'_> {
    fn amount_if(&self, states: &[&str]) -> i64 {
        if states.contains(&self.refund.status.as_str()) { self.refund.amount } else { 0 }
    }

    /// Whether a total of this second has it in it.
    fn is_within(&self, at: i64) -> bool {
        self.refund.created <= at && self.ended.is_none_or(|ended| ended >= at)
    }
}

impl Shop for Journal {
    fn claims(&self) -> Capabilities {
        use Observable::{AvailableToRefundAmount, ChargedBackAmount, Currency, Refunds};
        Capabilities::new().with(|claims| claims.observes = vec![Refunds, Currency, ChargedBackAmount, AvailableToRefundAmount])
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.orders.push(order.clone());
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        match wire::kind(&whole) {
            None => return 400,
            Some(kind) if KEPT.contains(&kind) => {}
            Some(_) => return 200,
        }
        let Some(event) = wire::event(&whole) else { return 400 };
        let Some(line) = Line::of(&event.kind, event.created, &event.object) else { return 400 };
        if self.seen.insert(event.id) {
            self.lines.push(line);
        }
        200
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let order = self.orders.iter().find(|order| order.order_id == order_id)?;
        let captured = wire::smallest(&order.captured_amount.to_string(), &order.currency);
        let mut lines: Vec<&Line> = self.lines.iter().filter(|line| line.is_about(order, captured)).collect();
        lines.sort_by_key(|line| line.when());
        let (mut refunds, mut totals, mut held) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for line in lines {
            match &line.news {
                News::Refund(refund) => match refund.status.as_str() {
                    "requires_action" | "pending" | "succeeded" => drop(refunds.insert(&refund.id, Told { refund, ended: None })),
                    "failed" | "canceled" => drop(refunds.insert(&refund.id, Told { refund, ended: Some(line.at) })),
                    _ => {}
                },
                News::Total(charge) => drop(totals.insert(&charge.id, (line.at, charge.amount_refunded))),
                News::Dispute(dispute) => drop(held.insert(&dispute.id, -dispute.moves.iter().map(|(_, amount)| amount).sum::<i64>())),
            }
        }
        let within = |at: i64| refunds.values().filter(|told| told.is_within(at)).map(|told| told.refund.amount).sum::<i64>();
        let elsewhere: i64 = totals.values().map(|(at, total)| (total - within(*at)).max(0)).sum();
        let sum = |states: &[&str]| refunds.values().map(|told| told.amount_if(states)).sum::<i64>();
        let paid = sum(&["succeeded"]) + elsewhere;
        let held: i64 = held.values().sum();
        let status = match () {
            () if held > 0 => "charged_back",
            () if paid >= captured => "refunded",
            () if paid > 0 => "partially_refunded",
            () if sum(&["requires_action"]) > 0 => "pending_information",
            () if sum(&["pending"]) > 0 => "pending",
            () if sum(&["failed", "canceled"]) > 0 => "failed",
            () => "not_refunded",
        };
        let write = |amount| wire::major(amount, &order.currency);
        let list: Vec<Value> = refunds
            .values()
            .map(|told| {
                let state = match told.refund.status.as_str() {
                    "requires_action" => "pending_information",
                    "canceled" => "failed",
                    other => other,
                };
                let paid = write(told.amount_if(&["succeeded"]));
                json!({"id": told.refund.id, "state": state, "amount": write(told.refund.amount), "refundedAmount": paid})
            })
            .collect();
        Some(json!({
            "orderId": order_id,
            "status": status,
            "refundedAmount": write(paid),
            "currency": order.currency,
            "chargedBackAmount": write(held),
            "availableToRefundAmount": write((captured - paid - sum(&["pending", "requires_action"]) - held).max(0)),
            "refunds": list,
        }))
    }
}
