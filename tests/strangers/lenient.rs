//! Takes whatever it can: names in any case, amounts as text or with exponents, times that nobody can read, orders in another
//! currency. Only what it cannot make sense of at all is refused, and what exceeds an order is cut to it.

use std::collections::HashMap;

use refundproof::{adapter::Capabilities, case::OrderSetup};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Sponge {
    orders: HashMap<String, Soaked>,
}

#[derive(Default)]
struct Soaked {
    captured: Decimal,
    refunds: HashMap<String, Told>,
    charges: HashMap<String, Decimal>,
    charged_back: bool,
}

struct Told {
    /// Of two states the further one stands; of two open ones the later.
    weight: u8,
    time: Option<jiff::Timestamp>,
    state: String,
    paid: Decimal,
}

/// A member by its name in any case and spelling.
fn member<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Value> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-'], "");
    let members = value.as_object()?;
    let found = members.iter().find(|(name, value)| !value.is_null() && names.contains(&plain(name).as_str()));
    found.map(|(_, value)| value)
}

fn text(value: &Value, names: &[&str]) -> Option<String> {
    match member(value, names)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn amount(value: &Value, names: &[&str]) -> Option<Decimal> {
    let text = text(value, names)?;
    let amount: Decimal = text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()?;
    (amount > Decimal::ZERO).then_some(amount)
}

impl Shop for Sponge {
    fn claims(&self) -> Capabilities {
        let equivalent_statuses = vec![vec!["not_refunded".to_owned(), "failed".to_owned()]];
        Capabilities::new().with(|claims| claims.equivalent_statuses = equivalent_statuses)
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.orders.entry(order.order_id.clone()).or_default().captured = order.captured_amount.to_string().parse().expect("an amount");
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(event @ Value::Object(_)) = serde_json::from_slice::<Value>(body) else { return 400 };
        let Some(kind) = text(&event, &["type"]) else { return 400 };
        let Some(data) = member(&event, &["data"]) else { return if concerns(&kind) { 400 } else { 200 } };
        let object = member(data, &["object"]).filter(|object| object.is_object()).unwrap_or(data);
        let time = text(&event, &["createdtime", "createdat"]).and_then(|time| time.parse().ok());
        let taken = match kind.as_str() {
            "order.chargeback" => self.chargeback(object),
            kind if kind.starts_with("order.charge.refund.") => self.charge(kind, object),
            kind if kind.starts_with("refund.") => self.refund(object, time),
            _ => Some(()),
        };
        if taken.is_some() { 200 } else { 400 }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let order = self.orders.get(order_id).filter(|order| !order.captured.is_zero())?;
        let by_refunds: Decimal = order.refunds.values().map(|told| told.paid).sum();
        let paid = by_refunds.max(order.charges.values().sum()).min(order.captured);
        let open = order.refunds.values().filter(|told| told.weight < 2);
        let informing = order.refunds.values().any(|told| told.state == "pending_information");
        let status = if order.charged_back {
            "charged_back"
        } else if paid == order.captured {
            "refunded"
        } else if paid > Decimal::ZERO {
            "partially_refunded"
        } else if informing {
            "pending_information"
        } else if open.count() > 0 {
            "pending"
        } else {
            "not_refunded"
        };
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid.to_string()}))
    }
}

fn concerns(kind: &str) -> bool {
    kind.starts_with("refund.") || kind == "order.charge.refund.complete" || kind == "order.chargeback"
}

impl Sponge {
    /// An order that is not known may become known, so it is kept all the same.
    fn order(&mut self, id: String) -> &mut Soaked {
        self.orders.entry(id).or_default()
    }

    fn refund(&mut self, object: &Value, time: Option<jiff::Timestamp>) -> Option<()> {
        let (order, id) = (text(object, &["orderid", "payin"])?, text(object, &["id"])?);
        let state = text(object, &["state", "status"])?.to_lowercase();
        let paid = match amount(object, &["refundedamount"]) {
            None if member(object, &["payin"]).is_some() => amount(object, &["amount"]).map(|hundredths| hundredths / Decimal::from(100)),
            paid => paid,
        };
        let (weight, paid) = match state.as_str() {
            "succeeded" | "complete" | "completed" => (3, paid?),
            "failed" => (2, Decimal::ZERO),
            _ => (1, Decimal::ZERO),
        };
        let told = Told { weight, time, state, paid };
        match self.order(order).refunds.entry(id).or_insert_with(|| Told { weight: 0, time: None, ..Told::nothing() }) {
            known if known.weight < told.weight => *known = told,
            known if known.weight == 1 && told.weight == 1 && known.time < told.time => *known = told,
            _ => {}
        }
        Some(())
    }

    fn charge(&mut self, kind: &str, object: &Value) -> Option<()> {
        if member(object, &["payment"]).is_some() {
            // The whole order, which says nothing that its charges do not say.
            return Some(());
        }
        let (order, id) = (text(object, &["orderid"])?, text(object, &["id"])?);
        let entries = member(object, &["refunds"])?.as_array()?;
        let complete = entries.iter().filter(|entry| text(entry, &["state"]).as_deref() == Some("complete"));
        let sum: Decimal = complete.filter_map(|entry| amount(entry, &["amount"])).sum();
        if sum.is_zero() {
            return if kind.ends_with("complete") { None } else { Some(()) };
        }
        let known = self.order(order).charges.entry(id).or_default();
        *known = sum.max(*known);
        Some(())
    }

    fn chargeback(&mut self, object: &Value) -> Option<()> {
        let id = text(object, &["id"])?;
        self.order(id).charged_back = true;
        Some(())
    }
}

impl Told {
    fn nothing() -> Told {
        Told { weight: 0, time: None, state: String::new(), paid: Decimal::ZERO }
    }
}
