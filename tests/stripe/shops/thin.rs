//! Takes a delivery for no more than a knock at the door: of the body it reads the event's id, and fetches the event from the API, as
//! was done before there were signatures. What the event carries is booked by the event's time and, within a second, by the life of
//! the object. It makes its refunds through the API and waits for their events.

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

const LIFE: [&str; 5] = ["requires_action", "pending", "succeeded", "failed", "canceled"];

#[derive(Default)]
pub(crate) struct Doorbell {
    api: Api,
    orders: Vec<OrderSetup>,
    /// By the ids of their objects: the second and the place in the object's life, and the object.
    refunds: HashMap<String, (i64, usize, wire::Refund)>,
    disputes: HashMap<String, (i64, usize, wire::Dispute)>,
    asked: usize,
}

impl Shop for Doorbell {
    fn claims(&self) -> Capabilities {
        use Observable::{ChargedBackAmount, Currency, Refunds};
        let types = ["refund.created", "refund.updated", "refund.failed", "charge.dispute.*"];
        Capabilities::new().with(|claims| {
            claims.observes = vec![Currency, Refunds, ChargedBackAmount];
            claims.subscribes = Some(types.map(str::to_owned).to_vec());
            claims.initiates_refunds = true;
            claims.calls_back = true;
        })
    }

    fn greet(&mut self, _: &str, _: &Clock, api: Option<&str>) {
        self.api = Api::at(api.expect("the address of Stripe's API"));
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.orders.push(order.clone());
    }

    fn refunded(&mut self, own: &OwnRefund) {
        let Some(order) = self.orders.iter().find(|order| order.order_id == own.order_id) else { return };
        self.asked += 1;
        let key = format!("{}-{}", own.order_id, self.asked);
        let amount = wire::smallest(&own.refund.amount.to_string(), &order.currency).to_string();
        let charge = &order.charges.first().expect("what was paid has a charge").id;
        let fields = [("charge", charge.as_str()), ("amount", &amount), ("expand[]", "charge")];
        let made = (0..5).map(|_| self.api.post("/v1/refunds", &key, &fields)).find(|made| *made != Err(Failure::Later));
        let made = made.expect("Stripe answers after a while").expect("Stripe refunds what was paid");
        let refund = wire::refund(&made).expect("a refund");
        let place = LIFE.iter().position(|state| *state == refund.status).expect("a state of refunds");
        self.refunds.entry(refund.id.clone()).or_insert((refund.created, place, refund));
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        let Some(id) = whole["id"].as_str() else { return 400 };
        // An id from outside goes into a path.
        if !id.starts_with("evt_") || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return 400;
        }
        match self.api.get(&format!("/v1/events/{id}"), &[]) {
            Ok(event) => self.book(&event).unwrap_or(422),
            Err(Failure::Refused(_)) => 400,
            Err(Failure::Later) => 503,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let order = self.orders.iter().find(|order| order.order_id == order_id)?;
        let is_of = |payment: &wire::Payment| payment.ids().any(|id| order.charges.iter().any(|charge| charge.id == id));
        let refunds: Vec<&wire::Refund> =
            self.refunds.values().map(|(.., refund)| refund).filter(|refund| is_of(&refund.payment)).collect();
        let paid: i64 = refunds.iter().filter(|refund| refund.status == "succeeded").map(|refund| refund.amount).sum();
        let disputes = self.disputes.values().map(|(.., dispute)| dispute).filter(|dispute| is_of(&dispute.payment));
        let held = -disputes.flat_map(|dispute| &dispute.moves).map(|(_, amount)| amount).sum::<i64>();
        let captured = wire::smallest(&order.captured_amount.to_string(), &order.currency);
        let any = |status: &str| refunds.iter().any(|refund| refund.status == status);
        let status = match () {
            () if held > 0 => "charged_back",
            () if paid >= captured => "refunded",
            () if paid > 0 => "partially_refunded",
            () if any("requires_action") => "pending_information",
            () if any("pending") => "pending",
            () if any("failed") || any("canceled") => "failed",
            () => "not_refunded",
        };
        let write = |amount| wire::major(amount, &order.currency);
        let list = refunds.iter().map(|refund| {
            let state = match refund.status.as_str() {
                "requires_action" => "pending_information",
                "canceled" => "failed",
                other => other,
            };
            let paid = if state == "succeeded" { refund.amount } else { 0 };
            json!({"id": refund.id, "state": state, "amount": write(refund.amount), "refundedAmount": write(paid)})
        });
        Some(json!({
            "orderId": order_id,
            "status": status,
            "refundedAmount": write(paid),
            "currency": order.currency,
            "chargedBackAmount": write(held),
            "refunds": list.collect::<Vec<_>>(),
        }))
    }
}

impl Doorbell {
    fn book(&mut self, whole: &Value) -> Option<u16> {
        let kind = wire::kind(whole)?;
        let event = wire::event(whole)?;
        if matches!(kind, "refund.created" | "refund.updated" | "refund.failed") {
            let refund = wire::refund(&event.object)?;
            let place = LIFE.iter().position(|state| *state == refund.status)?;
            let known = self.refunds.get(&refund.id);
            if known.is_none_or(|(at, known_place, _)| (*at, *known_place) < (event.created, place)) {
                self.refunds.insert(refund.id.clone(), (event.created, place, refund));
            }
        } else if kind.starts_with("charge.dispute.") {
            let dispute = wire::dispute(&event.object)?;
            let known = self.disputes.get(&dispute.id);
            let length = dispute.moves.len();
            if known.is_none_or(|(at, known_length, _)| (*at, *known_length) < (event.created, length)) {
                self.disputes.insert(dispute.id.clone(), (event.created, length, dispute));
            }
        }
        Some(200)
    }
}
