//! Knows refunds and nothing else. Of each it keeps the greatest of all that was told, in the order of time and then of a refund's
//! life, so that it does not matter what comes when or how often.

use std::collections::{BTreeMap, btree_map::Entry};

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use serde_json::{Value, json};

use super::{Shop, wire};

/// The life of a refund: what comes later is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Waiting,
    Pending,
    Succeeded,
    Cancelled,
    Failed,
}

impl Stage {
    fn read(status: &str) -> Option<Stage> {
        Some(match status {
            "requires_action" => Stage::Waiting,
            "pending" => Stage::Pending,
            "succeeded" => Stage::Succeeded,
            "canceled" => Stage::Cancelled,
            "failed" => Stage::Failed,
            _ => return None,
        })
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    at: i64,
    stage: Stage,
    amount: i64,
}

#[derive(Default)]
pub(crate) struct Returns {
    orders: BTreeMap<String, Sold>,
    order_of: BTreeMap<String, String>,
}

struct Sold {
    currency: String,
    captured: i64,
    refunds: BTreeMap<String, Told>,
}

impl Sold {
    fn sum(&self, stages: &[Stage]) -> i64 {
        self.refunds.values().filter(|told| stages.contains(&told.stage)).map(|told| told.amount).sum()
    }

    fn status(&self) -> &'static str {
        let paid = self.sum(&[Stage::Succeeded]);
        let has = |stage| self.refunds.values().any(|told| told.stage == stage);
        if paid >= self.captured {
            "refunded"
        } else if paid > 0 {
            "partially_refunded"
        } else if has(Stage::Waiting) {
            "pending_information"
        } else if has(Stage::Pending) {
            "pending"
        } else if has(Stage::Failed) {
            "failed"
        } else {
            "not_refunded"
        }
    }
}

impl Shop for Returns {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Currency, Observable::Refunds, Observable::AvailableToRefundAmount];
            claims.subscribes = Some(vec!["refund.*".to_owned()]);
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        let names = order.charges.iter().map(|charge| &charge.id).chain(&order.payment_intent_id);
        self.order_of.extend(names.map(|name| (name.clone(), order.order_id.clone())));
        if let Entry::Vacant(place) = self.orders.entry(order.order_id.clone()) {
            let captured = wire::smallest(&order.captured_amount.to_string(), &order.currency);
            place.insert(Sold { currency: order.currency.clone(), captured, refunds: BTreeMap::new() });
        }
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        match wire::kind(&whole) {
            None => 400,
            Some("refund.created" | "refund.updated" | "refund.failed") => self.take(&whole).err().unwrap_or(200),
            Some(_) => 200,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let sold = self.orders.get(order_id)?;
        let write = |amount| wire::major(amount, &sold.currency);
        let gone = sold.sum(&[Stage::Waiting, Stage::Pending, Stage::Succeeded]);
        let refunds = sold.refunds.iter().map(|(id, told)| {
            let (state, paid) = match told.stage {
                Stage::Waiting => ("pending_information", 0),
                Stage::Pending => ("pending", 0),
                Stage::Succeeded => ("succeeded", told.amount),
                Stage::Cancelled => ("cancelled", 0),
                Stage::Failed => ("failed", 0),
            };
            json!({"id": id, "state": state, "amount": write(told.amount), "refundedAmount": write(paid)})
        });
        Some(json!({
            "orderId": order_id,
            "status": sold.status(),
            "refundedAmount": write(sold.sum(&[Stage::Succeeded])),
            "currency": sold.currency,
            "availableToRefundAmount": write((sold.captured - gone).max(0)),
            "refunds": refunds.collect::<Vec<_>>(),
        }))
    }
}

impl Returns {
    fn take(&mut self, whole: &Value) -> Result<(), u16> {
        let event = wire::event(whole).ok_or(400_u16)?;
        let refund = wire::refund(&event.object).ok_or(400_u16)?;
        let stage = Stage::read(&refund.status).ok_or(422_u16)?;
        let order = refund.payment.ids().find_map(|id| self.order_of.get(id)).ok_or(404_u16)?;
        let sold = self.orders.get_mut(order).ok_or(404_u16)?;
        if refund.amount > sold.captured || !refund.currency.eq_ignore_ascii_case(&sold.currency) {
            return Err(422);
        }
        let told = Told { at: event.created, stage, amount: refund.amount };
        match sold.refunds.entry(refund.id) {
            Entry::Vacant(place) => drop(place.insert(told)),
            Entry::Occupied(mut known) => *known.get_mut() = told.max(known.get().clone()),
        }
        Ok(())
    }
}
