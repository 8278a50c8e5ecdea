//! Each refund is a workflow with permitted transitions. A step back is a conflict and answered with 409 the first time; when
//! the provider insists and sends the same event again, the workflow's own state stands and the event is filed away.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Number, Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Workflow {
    orders: BTreeMap<String, Order>,
    conflicts: BTreeSet<String>,
}

struct Order {
    captured: Decimal,
    refunds: BTreeMap<String, Process>,
    charges: BTreeMap<String, Decimal>,
    lost: bool,
}

#[derive(Clone, Copy)]
struct Process {
    stage: Stage,
    since: Timestamp,
    asked: Decimal,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    New,
    Pending,
    NeedsInformation,
    Succeeded(Decimal),
    Failed,
}

enum Outcome {
    Done,
    Conflict,
    Missing,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(alias = "created_at", rename = "createdTime")]
    created: String,
    data: Value,
}

impl Shop for Workflow {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| claims.observes = vec![Observable::Refunds])
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.orders.entry(order.order_id.clone()).or_insert_with(|| Order {
            captured: order.captured_amount.to_string().parse().expect("an amount"),
            refunds: BTreeMap::new(),
            charges: BTreeMap::new(),
            lost: false,
        });
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return 400 };
        let Some(kind) = members.get("type").and_then(Value::as_str) else { return 400 };
        if !matters(kind) {
            return 200;
        }
        let Ok(event) = serde_json::from_value::<Event>(Value::Object(members)) else { return 400 };
        match self.handle(&event) {
            None => 400,
            Some(Outcome::Done) => 200,
            Some(Outcome::Missing) => 404,
            Some(Outcome::Conflict) if self.conflicts.insert(event.id) => 409,
            Some(Outcome::Conflict) => 200,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let order = self.orders.get(order_id)?;
        let stages: Vec<Stage> = order.refunds.values().map(|process| process.stage).collect();
        let succeeded = stages.iter().filter_map(|stage| if let Stage::Succeeded(paid) = stage { Some(*paid) } else { None });
        let paid = succeeded.sum::<Decimal>().max(order.charges.values().copied().sum());
        let status = if order.lost {
            "charged_back"
        } else if paid == order.captured {
            "refunded"
        } else if !paid.is_zero() {
            "partially_refunded"
        } else if stages.contains(&Stage::NeedsInformation) {
            "pending_information"
        } else if stages.contains(&Stage::Pending) || stages.contains(&Stage::New) {
            "pending"
        } else if stages.contains(&Stage::Failed) {
            "failed"
        } else {
            "not_refunded"
        };
        let refunds: Vec<Value> = order.refunds.iter().map(|(id, process)| shown(id, process)).collect();
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid.to_string(), "refunds": refunds}))
    }
}

fn shown(id: &str, process: &Process) -> Value {
    let (state, paid) = match process.stage {
        Stage::New => ("requested", Decimal::ZERO),
        Stage::Pending => ("pending", Decimal::ZERO),
        Stage::NeedsInformation => ("pending_information", Decimal::ZERO),
        Stage::Succeeded(paid) => ("succeeded", paid),
        Stage::Failed => ("failed", Decimal::ZERO),
    };
    json!({"id": id, "state": state, "amount": process.asked.to_string(), "refundedAmount": paid.to_string()})
}

fn matters(kind: &str) -> bool {
    kind.starts_with("refund.") || kind.starts_with("order.charge.refund.") || kind == "order.chargeback"
}

#[derive(Deserialize)]
struct RefundObject {
    id: String,
    #[serde(rename = "orderId")]
    order_id: String,
    state: String,
    amount: Option<Number>,
    #[serde(rename = "refundedAmount")]
    refunded_amount: Number,
    items: Option<Vec<Item>>,
}

#[derive(Deserialize)]
struct Item {
    amount: Number,
}

#[derive(Deserialize)]
struct PayinRefund {
    id: String,
    payin: String,
    status: String,
    amount: i64,
}

#[derive(Deserialize)]
struct ChargeObject {
    id: String,
    #[serde(rename = "orderId")]
    order_id: String,
    refunds: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    state: String,
    amount: Number,
}

fn money(number: &Number) -> Option<Decimal> {
    let amount: Decimal = number.to_string().parse().ok()?;
    (!amount.is_sign_negative()).then_some(amount)
}

impl Workflow {
    fn handle(&mut self, event: &Event) -> Option<Outcome> {
        let since: Timestamp = event.created.parse().ok()?;
        let Some(object) = event.data.get("object").filter(|object| object.is_object()) else {
            let refund = PayinRefund::deserialize(&event.data).ok()?;
            let asked = Decimal::new(refund.amount, 2);
            let stage = stage(&refund.status, asked).filter(|_| refund.amount > 0)?;
            return Some(self.step(&refund.payin, refund.id, Process { stage, since, asked }));
        };
        if event.kind == "order.chargeback" {
            let id = object.get("id")?.as_str()?;
            return Some(self.orders.get_mut(id).map_or(Outcome::Missing, |order| {
                order.lost = true;
                Outcome::Done
            }));
        }
        if event.kind.starts_with("order.charge.refund.") {
            if object.get("payment").is_some() {
                // The whole order, in the charge's place.
                return Some(Outcome::Done);
            }
            let charge = ChargeObject::deserialize(object).ok()?;
            let mut complete = Decimal::ZERO;
            for entry in charge.refunds.iter().filter(|entry| entry.state == "complete") {
                complete += money(&entry.amount)?;
            }
            if complete.is_zero() && event.kind == "order.charge.refund.complete" {
                return None;
            }
            let Some(order) = self.orders.get_mut(&charge.order_id) else { return Some(Outcome::Missing) };
            let known = order.charges.entry(charge.id).or_default();
            if complete < *known {
                return Some(Outcome::Conflict);
            }
            *known = complete;
            return Some(Outcome::Done);
        }
        let refund = RefundObject::deserialize(object).ok()?;
        let paid = money(&refund.refunded_amount)?;
        let asked = match (&refund.amount, &refund.items) {
            (Some(amount), _) => money(amount)?,
            (None, Some(items)) => items.iter().map(|item| money(&item.amount)).sum::<Option<Decimal>>()?,
            (None, None) => return None,
        };
        let stage = stage(&refund.state, paid)?;
        if matches!(stage, Stage::Succeeded(_)) == paid.is_zero() {
            return None;
        }
        Some(self.step(&refund.order_id, refund.id, Process { stage, since, asked }))
    }

    fn step(&mut self, order_id: &str, refund_id: String, next: Process) -> Outcome {
        let Some(order) = self.orders.get_mut(order_id) else { return Outcome::Missing };
        let Some(process) = order.refunds.get_mut(&refund_id) else {
            order.refunds.insert(refund_id, next);
            return Outcome::Done;
        };
        if process.stage == next.stage {
            process.since = process.since.max(next.since);
            return Outcome::Done;
        }
        if matches!(process.stage, Stage::Succeeded(_) | Stage::Failed) {
            return Outcome::Conflict;
        }
        if !matches!(next.stage, Stage::Succeeded(_) | Stage::Failed) && next.since < process.since {
            return Outcome::Conflict;
        }
        *process = next;
        Outcome::Done
    }
}

fn stage(word: &str, paid: Decimal) -> Option<Stage> {
    Some(match word {
        "requested" => Stage::New,
        "pending" => Stage::Pending,
        "pending_information" => Stage::NeedsInformation,
        "succeeded" => Stage::Succeeded(paid),
        "failed" => Stage::Failed,
        _ => return None,
    })
}
