//! A shop that keeps a log of events and computes the refund state of an order whenever it is asked, and its
//! certification: one test for each requirement (`cargo test --example event_log_shop`).
//!
//! The design is the simplest that conforms: nothing is updated, so no event can arrive too late.

use std::collections::{BTreeMap, HashMap, HashSet};

use refundproof::{
    adapter::{Capabilities, Hello, Introduction, Observable, Request, Target, TargetError},
    case::OrderSetup,
    domain::{Amount, Currency, EventTime, OrderState, RefundState, RefundView, Status},
};
use serde_json::Value;

/// The shop: orders, and for each the events that were about it.
#[derive(Default)]
struct EventLogShop {
    orders: HashMap<String, Order>,
}

struct Order {
    currency: String,
    captured: Amount,
    log: Vec<Event>,
    seen: HashSet<String>,
}

/// What the shop keeps of an event.
struct Event {
    kind: String,
    created: EventTime,
    object: Value,
}

/// An HTTP status for a body that cannot be taken.
type Refusal = u16;

impl EventLogShop {
    fn take(&mut self, body: &[u8]) -> Result<(), Refusal> {
        let event: Value = serde_json::from_slice(body).map_err(|_| 400_u16)?;
        let kind = event["type"].as_str().ok_or(400_u16)?.to_owned();
        let is_refund = kind.starts_with("refund.");
        let is_charge_refund = kind.starts_with("order.charge.refund.");
        if !is_refund && !is_charge_refund && kind != "order.chargeback" {
            return Ok(());
        }
        let object = &event["data"]["object"];
        // Most events name their order; an order names itself.
        let order_id = object["orderId"].as_str().or(object["id"].as_str()).ok_or(400_u16)?;
        if object["orderId"].is_null() && is_refund {
            return Err(400);
        }
        let id = event["id"].as_str().filter(|id| !id.is_empty()).ok_or(400_u16)?.to_owned();
        let created = event["createdTime"].as_str().and_then(|text| EventTime::parse(text).ok()).ok_or(400_u16)?;
        let order = self.orders.get_mut(order_id).ok_or(404_u16)?;
        if object["currency"].as_str().is_some_and(|currency| currency != order.currency) {
            return Err(422);
        }
        if is_refund {
            check_refund(object, order)?;
        }
        if is_charge_refund && object["orderId"].is_string() {
            check_charge(object, order)?;
        }
        if order.seen.insert(id) {
            order.log.push(Event { kind, created, object: object.clone() });
        }
        Ok(())
    }
}

fn check_refund(refund: &Value, order: &Order) -> Result<(), Refusal> {
    if !refund["id"].is_string() {
        return Err(400);
    }
    let state = refund["state"].as_str().ok_or(422_u16)?;
    if !["pending", "pending_information", "succeeded", "failed"].contains(&state) {
        return Err(422);
    }
    if precise(requested(refund)?, order)? > order.captured
        || amount(&refund["refundedAmount"], order).or_else(|error| absent(refund, state, error))? > order.captured
    {
        return Err(422);
    }
    Ok(())
}

/// A refund that did not succeed needs no refunded amount.
fn absent(refund: &Value, state: &str, error: Refusal) -> Result<Amount, Refusal> {
    if refund["refundedAmount"].is_null() && state != "succeeded" { Ok(Amount::ZERO) } else { Err(error) }
}

fn requested(refund: &Value) -> Result<Amount, Refusal> {
    match refund["items"].as_array() {
        _ if !refund["amount"].is_null() => number(&refund["amount"]),
        Some(items) if !items.is_empty() => items.iter().map(|item| number(&item["amount"])).sum::<Result<Amount, Refusal>>(),
        _ => Err(400),
    }
}

fn check_charge(charge: &Value, order: &Order) -> Result<(), Refusal> {
    let refunds = charge["refunds"].as_array().filter(|refunds| !refunds.is_empty()).ok_or(400_u16)?;
    let mut sum = Amount::ZERO;
    for refund in refunds {
        let paid = amount(&refund["amount"], order)?;
        match refund["state"].as_str() {
            Some("complete") => sum += paid,
            Some("pending" | "pending_information" | "failed") => {}
            _ => return Err(422),
        }
    }
    if sum > order.captured { Err(422) } else { Ok(()) }
}

fn number(value: &Value) -> Result<Amount, Refusal> {
    let number = value.as_number().ok_or(400_u16)?;
    Amount::parse(&number.to_string()).ok().filter(|amount| !amount.is_negative()).ok_or(400)
}

/// An amount that the order's currency can have.
fn amount(value: &Value, order: &Order) -> Result<Amount, Refusal> {
    precise(number(value)?, order)
}

fn precise(amount: Amount, order: &Order) -> Result<Amount, Refusal> {
    let digits = Currency::from_code(&order.currency).map_or(2, Currency::digits);
    let fits = amount.to_fixed(0).split_once('.').is_none_or(|(_, fraction)| fraction.len() <= digits as usize);
    if fits { Ok(amount) } else { Err(422) }
}

impl Order {
    fn state(&self, order_id: &str) -> OrderState {
        let refunds = self.refunds();
        let charges = self.charge_refunds();
        let by_refunds: Amount = refunds.values().map(|refund| refund.refunded_amount).sum();
        let by_charges = charges.iter().filter(|(state, _)| state == "complete").map(|(_, amount)| *amount).sum();
        let paid = by_refunds.max(by_charges);
        let some = |state: RefundState| refunds.values().any(|refund| refund.state == state);
        let status = if self.log.iter().any(|event| event.kind == "order.chargeback") {
            Status::ChargedBack
        } else if paid >= self.captured {
            Status::Refunded
        } else if !paid.is_zero() {
            Status::PartiallyRefunded
        } else if some(RefundState::PendingInformation) {
            Status::PendingInformation
        } else if some(RefundState::Pending) {
            Status::Pending
        } else if some(RefundState::Failed) {
            Status::Failed
        } else {
            Status::NotRefunded
        };
        OrderState::new(order_id.to_owned(), status, paid).with(|state| {
            state.currency = Some(self.currency.clone());
            state.refunds = Some(refunds.into_values().collect());
        })
    }

    /// Each refund as its final event tells it, or else its newest.
    fn refunds(&self) -> BTreeMap<String, RefundView> {
        let mut newest: BTreeMap<String, (&EventTime, RefundView)> = BTreeMap::new();
        for event in self.log.iter().filter(|event| event.kind.starts_with("refund.")) {
            let Some(view) = view(&event.object) else { continue };
            match newest.get(&view.id) {
                Some((_, known)) if known.state.is_final() => {}
                Some((created, _)) if !view.state.is_final() && **created >= event.created => {}
                _ => {
                    newest.insert(view.id.clone(), (&event.created, view));
                }
            }
        }
        newest.into_iter().map(|(id, (_, view))| (id, view)).collect()
    }

    /// The entries of the newest picture of each charge: state and amount.
    fn charge_refunds(&self) -> Vec<(String, Amount)> {
        let mut newest: BTreeMap<&str, &Event> = BTreeMap::new();
        for event in self.log.iter().filter(|event| event.kind.starts_with("order.charge.refund.") && event.object["orderId"].is_string()) {
            let charge = event.object["id"].as_str().unwrap_or_default();
            if newest.get(charge).is_none_or(|known| known.created < event.created) {
                newest.insert(charge, event);
            }
        }
        let entries = newest.values().filter_map(|event| event.object["refunds"].as_array()).flatten();
        entries
            .map(|entry| (entry["state"].as_str().unwrap_or_default().to_owned(), number(&entry["amount"]).unwrap_or_default()))
            .collect()
    }
}

fn view(refund: &Value) -> Option<RefundView> {
    let state: RefundState = serde_json::from_value(refund["state"].clone()).ok()?;
    let paid = if state == RefundState::Succeeded { number(&refund["refundedAmount"]).ok()? } else { Amount::ZERO };
    Some(RefundView::new(refund["id"].as_str()?.to_owned(), state, paid).with(|view| view.amount = requested(refund).ok()))
}

impl Target for EventLogShop {
    fn hello(&mut self, _: &Hello) -> Result<Introduction, TargetError> {
        Ok(Introduction::new(
            "event-log-shop".to_owned(),
            "1".to_owned(),
            Capabilities::new().with(|claims| claims.observes = vec![Observable::Currency, Observable::Refunds]),
        ))
    }

    fn begin(&mut self, _: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        for order in orders {
            let new = Order { currency: order.currency.clone(), captured: order.captured_amount, log: Vec::new(), seen: HashSet::new() };
            self.orders.insert(order.order_id.clone(), new);
        }
        Ok(())
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        Ok(self.take(request.body).err().unwrap_or(200))
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        Ok(self.orders.get(order_id).map(|order| order.state(order_id)))
    }
}

/// Shows the shop at work; its certification is in the tests.
#[expect(clippy::print_stdout, reason = "an example talks to its reader")]
fn main() {
    let mut shop = EventLogShop::default();
    let order = OrderSetup::new("1".to_owned(), "USD".to_owned(), Amount::from_minor(1000, 2));
    let _ = shop.begin("example", &[order]);
    let body = br#"{"id":"e","type":"refund.complete","createdTime":"2022-03-17T16:23:29Z","data":{"object":{"id":"re_1","orderId":"1",
        "currency":"USD","amount":4.0,"refundedAmount":4.0,"state":"succeeded"}}}"#;
    println!("answered {:?}", shop.deliver(&Request::new(&[], body)));
    println!("shows {:?}", shop.observe("1"));
    println!("`cargo test --example event_log_shop` certifies this shop");
}

#[cfg(test)]
mod conformance {
    use super::EventLogShop;

    refundproof::conformance_tests!(EventLogShop::default; not_judged = [
        "own-refund-not-booked-twice",
        "concurrent-deliveries",
        "survives-restart",
        "signature-*",
        "rotated-secret",
        "replay-rejected"
    ]);
}
