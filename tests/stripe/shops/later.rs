//! Answers first and works later: what can be read is put into a queue, and a worker takes it out some time after.
//!
//! The worker keeps one line for each refund and one for each balance transaction in a flat table of amounts.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use refundproof::{
    adapter::{Capabilities, Observable},
    case::{OrderSetup, OwnRefund},
    domain::Clock,
};
use serde_json::{Value, json};

use super::{Shop, wire};

const IDLE: Duration = Duration::from_millis(200);

#[derive(Default)]
pub(crate) struct Queue {
    clock: Option<Clock>,
    jobs: VecDeque<(Duration, Job)>,
    orders: Vec<OrderSetup>,
    lines: BTreeMap<(String, String), Line>,
}

enum Job {
    Refund(i64, wire::Refund),
    Moves(wire::Dispute),
}

struct Line {
    amount: i64,
    mark: Mark,
}

enum Mark {
    /// A refund: its state and when that was told. What the shop asked for itself was told before everything.
    Refund {
        told: i64,
        status: &'static str,
    },
    Balance,
}

/// In the order of a refund's life, with the words that this shop has for them.
const STATES: [(&str, &str); 5] = [
    ("requires_action", "pending_information"),
    ("pending", "pending"),
    ("succeeded", "succeeded"),
    ("canceled", "cancelled"),
    ("failed", "failed"),
];

fn word(status: &str) -> Option<&'static str> {
    STATES.iter().find(|(known, _)| *known == status).map(|(_, word)| *word)
}

fn step(word: &str) -> Option<usize> {
    STATES.iter().position(|(_, known)| *known == word)
}

impl Shop for Queue {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Refunds, Observable::Currency, Observable::ChargedBackAmount];
            claims.subscribes = Some(["refund.*", "charge.dispute.funds_*"].map(str::to_owned).to_vec());
            claims.asynchronous = true;
            claims.initiates_refunds = true;
        })
    }

    fn greet(&mut self, _: &str, clock: &Clock, _: Option<&str>) {
        self.clock = Some(clock.clone());
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.orders.push(order.clone());
    }

    fn refunded(&mut self, own: &OwnRefund) {
        let amount = wire::smallest(&own.refund.amount.to_string(), &own.refund.currency);
        let line = Line { amount, mark: Mark::Refund { told: i64::MIN, status: "pending" } };
        self.lines.entry((own.order_id.clone(), own.refund.id.clone())).or_insert(line);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        let Some(kind) = wire::kind(&whole) else { return 400 };
        let event = wire::event(&whole);
        let job = match kind {
            "refund.created" | "refund.updated" | "refund.failed" => {
                let refund = event.and_then(|event| Some((event.created, wire::refund(&event.object)?)));
                refund.filter(|(_, refund)| word(&refund.status).is_some()).map(|(created, refund)| Job::Refund(created, refund))
            }
            "charge.dispute.funds_withdrawn" | "charge.dispute.funds_reinstated" => {
                event.and_then(|event| wire::dispute(&event.object)).map(Job::Moves)
            }
            _ => return 202,
        };
        let (Some(job), Some(clock)) = (job, &self.clock) else { return 400 };
        let Some(order) = self.order(&job) else { return 404 };
        let captured = wire::smallest(&order.captured_amount.to_string(), &order.currency);
        if matches!(&job, Job::Refund(_, refund) if refund.amount > captured) {
            return 422;
        }
        self.jobs.push_back((clock.monotonic() + IDLE, job));
        202
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        self.work();
        let order = self.orders.iter().find(|order| order.order_id == order_id)?;
        let write = |amount| wire::major(amount, &order.currency);
        let (mut refunds, mut paid, mut missing) = (Vec::new(), 0, 0);
        let mut furthest = "not_refunded";
        for ((_, id), line) in self.lines.range((order_id.to_owned(), String::new())..).take_while(|((order, _), _)| order == order_id) {
            let Mark::Refund { status, .. } = line.mark else {
                missing -= line.amount;
                continue;
            };
            let own = if status == "succeeded" { line.amount } else { 0 };
            paid += own;
            furthest = match (furthest, status) {
                (_, "pending_information") => status,
                ("not_refunded" | "failed", "pending") | ("not_refunded", "failed") => status,
                _ => furthest,
            };
            refunds.push(json!({"id": id, "state": status, "amount": write(line.amount), "refundedAmount": write(own)}));
        }
        let status = match paid {
            _ if missing > 0 => "charged_back",
            0 => furthest,
            _ if paid >= wire::smallest(&order.captured_amount.to_string(), &order.currency) => "refunded",
            _ => "partially_refunded",
        };
        Some(json!({
            "orderId": order_id,
            "status": status,
            "refundedAmount": write(paid),
            "currency": order.currency,
            "chargedBackAmount": write(missing),
            "refunds": refunds,
        }))
    }
}

impl Queue {
    /// The order that a job is about, if it is about this order at all.
    fn order(&self, job: &Job) -> Option<&OrderSetup> {
        let (payment, currency) = match job {
            Job::Refund(_, refund) => (&refund.payment, &refund.currency),
            Job::Moves(dispute) => (&dispute.payment, &dispute.currency),
        };
        let is_named = |order: &&OrderSetup| {
            payment.ids().any(|id| order.payment_intent_id.as_deref() == Some(id) || order.charges.iter().any(|charge| charge.id == id))
        };
        self.orders.iter().find(is_named).filter(|order| order.currency.eq_ignore_ascii_case(currency))
    }

    fn work(&mut self) {
        let Some(now) = self.clock.as_ref().map(Clock::monotonic) else { return };
        while self.jobs.front().is_some_and(|(due, _)| *due <= now) {
            let Some((_, job)) = self.jobs.pop_front() else { return };
            let Some(order) = self.order(&job).map(|order| order.order_id.clone()) else { continue };
            match job {
                Job::Refund(told, refund) => self.note(order, told, refund),
                Job::Moves(dispute) => {
                    let lines = dispute.moves.into_iter().map(|(id, amount)| ((order.clone(), id), Line { amount, mark: Mark::Balance }));
                    self.lines.extend(lines);
                }
            }
        }
    }

    fn note(&mut self, order: String, told: i64, refund: wire::Refund) {
        let Some(status) = word(&refund.status) else { return };
        let place = (order, refund.id);
        if let Some(Line { mark: Mark::Refund { told: before, status: was }, .. }) = self.lines.get(&place)
            && (*before, step(was)) >= (told, step(status))
        {
            return;
        }
        self.lines.insert(place, Line { amount: refund.amount, mark: Mark::Refund { told, status } });
    }
}
