//! Believes no event: whatever is told of a payment makes it fetch how its charge, or its disputes, stand now, and that picture takes
//! the place of the one before. So it looks at no signature, no event id and no time, and needs of a body only which payment it is about.
//!
//! Where the API does not answer it answers 503 and changes nothing; the event comes again.

use std::collections::HashMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::{OrderSetup, OwnRefund},
    domain::Clock,
};
use serde_json::{Value, json};

use super::{
    Shop,
    api::{Api, Failure},
    wire,
};

#[derive(Default)]
pub(crate) struct Mirror {
    api: Api,
    sales: HashMap<String, Sale>,
    payments: HashMap<String, String>,
}

struct Sale {
    currency: String,
    captured: i64,
    intent: Option<String>,
    charges: Vec<String>,
    /// How many refunds the shop itself has asked for.
    asked: u32,
    refunds: Vec<wire::Refund>,
    disputes: Vec<wire::Dispute>,
}

impl Sale {
    fn sum(&self, states: &[&str]) -> i64 {
        self.refunds.iter().filter(|refund| states.contains(&refund.status.as_str())).map(|refund| refund.amount).sum()
    }

    fn held(&self) -> i64 {
        -self.disputes.iter().flat_map(|dispute| &dispute.moves).map(|(_, amount)| amount).sum::<i64>()
    }

    fn status(&self) -> &'static str {
        let paid = self.sum(&["succeeded"]);
        match () {
            () if self.held() > 0 => "charged_back",
            () if paid > 0 && paid >= self.captured => "refunded",
            () if paid > 0 => "partially_refunded",
            () if self.sum(&["requires_action"]) > 0 => "pending_information",
            () if self.sum(&["pending"]) > 0 => "pending",
            () if self.sum(&["failed", "canceled"]) > 0 => "failed",
            () => "not_refunded",
        }
    }
}

impl Shop for Mirror {
    fn claims(&self) -> Capabilities {
        use Observable::{AvailableToRefundAmount, ChargedBackAmount, Currency, Refunds};
        Capabilities::new().with(|claims| {
            claims.observes = vec![Currency, Refunds, AvailableToRefundAmount, ChargedBackAmount];
            claims.subscribes = Some(["charge.refunded", "refund.*", "charge.dispute.*"].map(str::to_owned).to_vec());
            claims.initiates_refunds = true;
            claims.calls_back = true;
        })
    }

    fn greet(&mut self, _: &str, _: &Clock, api: Option<&str>) {
        self.api = Api::at(api.expect("the address of Stripe's API"));
    }

    fn sold(&mut self, order: &OrderSetup) {
        for name in order.charges.iter().map(|charge| &charge.id).chain(&order.payment_intent_id) {
            self.payments.insert(name.clone(), order.order_id.clone());
        }
        self.sales.entry(order.order_id.clone()).or_insert_with(|| Sale {
            currency: order.currency.clone(),
            captured: wire::smallest(&order.captured_amount.to_string(), &order.currency),
            intent: order.payment_intent_id.clone(),
            charges: order.charges.iter().map(|charge| charge.id.clone()).collect(),
            asked: 0,
            refunds: Vec::new(),
            disputes: Vec::new(),
        });
    }

    fn refunded(&mut self, own: &OwnRefund) {
        let Some(sale) = self.sales.get_mut(&own.order_id) else { return };
        sale.asked += 1;
        let key = format!("{}/{}", own.order_id, sale.asked);
        let amount = wire::smallest(&own.refund.amount.to_string(), &sale.currency).to_string();
        let intent = sale.intent.clone().expect("Stripe's payments have an intent");
        let order = ("metadata[order_id]", own.order_id.as_str());
        let fields = [("payment_intent", intent.as_str()), ("amount", &amount), ("reason", "requested_by_customer"), order];
        // Nobody waits for this, so it is tried until Stripe has heard it.
        let made = (0..5).map(|_| self.api.post("/v1/refunds", &key, &fields)).find(|made| *made != Err(Failure::Later));
        made.expect("Stripe answers after a while").expect("Stripe refunds what was paid");
        let fetched = (0..5).map(|_| self.fetch_refunds(&own.order_id)).find(|fetched| *fetched != Err(Failure::Later));
        fetched.expect("Stripe answers after a while").expect("the charge is there");
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        let object = &whole["data"]["object"];
        let (is_dispute, own_id) = match wire::kind(&whole) {
            None => return 400,
            Some("charge.refunded") => (false, &object["id"]),
            Some("refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated") => (false, &Value::Null),
            Some(kind) if kind.starts_with("charge.dispute.") => (true, &Value::Null),
            Some(_) => return 200,
        };
        let names = [own_id, &object["charge"], &object["payment_intent"]];
        let mut names = names.iter().filter_map(|name| name.as_str().or_else(|| name["id"].as_str())).peekable();
        if names.peek().is_none() {
            return 400;
        }
        let Some(order) = names.find_map(|name| self.payments.get(name)).cloned() else { return 404 };
        match if is_dispute { self.fetch_disputes(&order) } else { self.fetch_refunds(&order) } {
            Ok(()) => 200,
            Err(Failure::Later | Failure::Refused(_)) => 503,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let sale = self.sales.get(order_id)?;
        let write = |amount| wire::major(amount, &sale.currency);
        let refunds = sale.refunds.iter().map(|refund| {
            let (state, paid) = match refund.status.as_str() {
                "requires_action" => ("pending_information", 0),
                "canceled" => ("cancelled", 0),
                "succeeded" => ("succeeded", refund.amount),
                other => (other, 0),
            };
            json!({"id": refund.id, "state": state, "amount": write(refund.amount), "refundedAmount": write(paid)})
        });
        let taken = sale.sum(&["succeeded", "pending", "requires_action"]) + sale.held();
        Some(json!({
            "orderId": order_id,
            "status": sale.status(),
            "refundedAmount": write(sale.sum(&["succeeded"])),
            "currency": sale.currency,
            "availableToRefundAmount": write((sale.captured - taken).max(0)),
            "chargedBackAmount": write(sale.held()),
            "refunds": refunds.collect::<Vec<_>>(),
        }))
    }
}

impl Mirror {
    fn fetch_refunds(&mut self, order: &str) -> Result<(), Failure> {
        let sale = self.sales.get_mut(order).expect("a payment of this order is known");
        let mut refunds = Vec::new();
        for charge in &sale.charges {
            let path = format!("/v1/charges/{charge}");
            let picture = self.api.get(&path, &[("expand[]", "refunds")])?;
            let first = &picture["refunds"];
            let all = match first["has_more"].as_bool() {
                Some(false) => first["data"].as_array().cloned().unwrap_or_default(),
                _ => self.api.list(&format!("{path}/refunds"), &[])?,
            };
            for refund in &all {
                refunds.push(wire::refund(refund).ok_or(Failure::Later)?);
            }
        }
        sale.refunds = refunds;
        Ok(())
    }

    fn fetch_disputes(&mut self, order: &str) -> Result<(), Failure> {
        let sale = self.sales.get_mut(order).expect("a payment of this order is known");
        let mut disputes = Vec::new();
        for charge in &sale.charges {
            for dispute in self.api.list("/v1/disputes", &[("charge", charge)])? {
                disputes.push(wire::dispute(&dispute).ok_or(Failure::Later)?);
            }
        }
        sale.disputes = disputes;
        Ok(())
    }
}
