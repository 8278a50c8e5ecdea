//! A strict schema: every member that is read must be there once and be of its type, every sum must fit its currency and its
//! order, every word must be known. Whatever is odd about an event that matters is a bad request.

use std::collections::HashMap;

use jiff::Timestamp;
use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Number, Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Schema {
    orders: HashMap<String, Order>,
}

struct Order {
    currency: String,
    scale: u32,
    captured: Decimal,
    refunds: HashMap<String, (Time, State, Decimal)>,
    charges: HashMap<String, (Time, Decimal)>,
    charged_back: bool,
}

/// A plain decimal number without sign or exponent.
#[derive(Clone, Copy)]
struct Money(Decimal);

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
        let number = Number::deserialize(deserializer)?;
        let text = &number.to_string();
        if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(D::Error::custom("no plain number"));
        }
        text.parse::<Decimal>().map(|amount| Money(amount.normalize())).map_err(D::Error::custom)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Time(Timestamp);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        String::deserialize(deserializer)?.parse().map(Time).map_err(D::Error::custom)
    }
}

/// A text that is not empty.
struct Id(String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim().is_empty() { Err(D::Error::custom("no id")) } else { Ok(Id(text)) }
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum State {
    Requested,
    Pending,
    PendingInformation,
    Succeeded,
    Failed,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Requested => "requested",
            State::Pending => "pending",
            State::PendingInformation => "pending_information",
            State::Succeeded => "succeeded",
            State::Failed => "failed",
        }
    }

    fn is_final(self) -> bool {
        matches!(self, State::Succeeded | State::Failed)
    }
}

#[derive(Deserialize)]
struct Head {
    r#type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<T> {
    #[serde(rename = "id")]
    _id: Id,
    created_time: Time,
    #[serde(rename = "liveMode")]
    _live: bool,
    data: Data<T>,
}

#[derive(Deserialize)]
struct Data<T> {
    object: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refund {
    id: Id,
    order_id: Id,
    currency: String,
    state: State,
    amount: Option<Money>,
    refunded_amount: Money,
    items: Option<Vec<Item>>,
}

#[derive(Deserialize)]
struct Item {
    amount: Money,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Charge {
    id: Id,
    order_id: Id,
    currency: String,
    refunds: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    amount: Money,
    state: EntryState,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum EntryState {
    Pending,
    PendingInformation,
    Complete,
    Failed,
}

#[derive(Deserialize)]
struct Sale {
    id: Id,
    currency: String,
}

#[derive(Deserialize)]
struct PayinEvent {
    #[serde(rename = "id")]
    _id: Id,
    created_at: Time,
    data: Payin,
}

#[derive(Deserialize)]
struct Payin {
    id: Id,
    payin: Id,
    amount: u64,
    currency: String,
    status: State,
}

type Answer = Result<u16, serde_json::Error>;

impl Shop for Schema {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Currency, Observable::Refunds];
            claims.subscribes = Some(["refund.*", "order.charge.refund.complete", "order.chargeback"].map(str::to_owned).to_vec());
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        let scale = iso_currency::Currency::from_code(&order.currency).and_then(|currency| currency.exponent()).unwrap_or(2);
        self.orders.entry(order.order_id.clone()).or_insert_with(|| Order {
            currency: order.currency.clone(),
            scale: scale.into(),
            captured: order.captured_amount.to_string().parse().expect("an amount"),
            refunds: HashMap::new(),
            charges: HashMap::new(),
            charged_back: false,
        });
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(Ok(head)) = std::str::from_utf8(body).map(serde_json::from_str::<Head>) else { return 400 };
        let answer = match head.r#type.as_str() {
            "refund.created"
            | "refund.pending"
            | "refund.pending_information"
            | "refund.complete"
            | "refund.succeeded"
            | "refund.failed"
            | "refund.updated" => {
                // Only one of the two providers says with every event what it is.
                if serde_json::from_slice::<Event<Value>>(body).is_ok() { self.refund(body) } else { self.payin(body) }
            }
            "order.charge.refund.complete" => self.charge(body),
            "order.chargeback" => self.chargeback(body),
            _ => Ok(200),
        };
        answer.unwrap_or(400)
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let order = self.orders.get(order_id)?;
        let (paid, states) = (order.paid(), order.refunds.values().map(|refund| refund.1).collect::<Vec<_>>());
        let status = match () {
            () if order.charged_back => "charged_back",
            () if paid == order.captured => "refunded",
            () if !paid.is_zero() => "partially_refunded",
            () if states.contains(&State::PendingInformation) => "pending_information",
            () if states.contains(&State::Pending) || states.contains(&State::Requested) => "pending",
            () if states.contains(&State::Failed) => "failed",
            () => "not_refunded",
        };
        let refunds = order.refunds.iter();
        let refunds: Vec<Value> =
            refunds.map(|(id, refund)| json!({"id": id, "state": refund.1.word(), "refundedAmount": refund.2.to_string()})).collect();
        let paid = paid.to_string();
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid, "currency": order.currency, "refunds": refunds}))
    }
}

impl Order {
    fn paid(&self) -> Decimal {
        let refunds: Decimal = self.refunds.values().map(|refund| refund.2).sum();
        refunds.max(self.charges.values().map(|charge| charge.1).sum())
    }

    fn fits(&self, currency: &str, amounts: &[Decimal]) -> bool {
        currency == self.currency && amounts.iter().all(|amount| amount.scale() <= self.scale && *amount <= self.captured)
    }

    fn enter(&mut self, id: Id, told: (Time, State, Decimal)) -> u16 {
        if (told.1 == State::Succeeded) == told.2.is_zero() {
            return 400;
        }
        let others: Decimal = self.refunds.iter().filter(|(other, _)| **other != id.0).map(|(_, refund)| refund.2).sum();
        if others + told.2 > self.captured {
            return 400;
        }
        let known = self.refunds.entry(id.0).or_insert(told);
        if !known.1.is_final() && (told.1.is_final() || told.0 > known.0) {
            *known = told;
        }
        200
    }
}

impl Schema {
    fn refund(&mut self, body: &[u8]) -> Answer {
        let event: Event<Refund> = serde_json::from_slice(body)?;
        let refund = event.data.object;
        let Some(order) = self.orders.get_mut(&refund.order_id.0) else { return Ok(404) };
        let items = refund.items.unwrap_or_default();
        let asked = match refund.amount {
            Some(Money(amount)) => amount,
            None if items.is_empty() => return Ok(400),
            None => items.iter().map(|item| item.amount.0).sum(),
        };
        if !order.fits(&refund.currency, &[asked, refund.refunded_amount.0]) {
            return Ok(400);
        }
        Ok(order.enter(refund.id, (event.created_time, refund.state, refund.refunded_amount.0)))
    }

    fn payin(&mut self, body: &[u8]) -> Answer {
        let PayinEvent { created_at, data, .. } = serde_json::from_slice(body)?;
        let Some(order) = self.orders.get_mut(&data.payin.0) else { return Ok(404) };
        let Ok(hundredths) = i64::try_from(data.amount) else { return Ok(400) };
        let amount = Decimal::new(hundredths, 2).normalize();
        if hundredths == 0 || !order.fits(&data.currency, &[amount]) {
            return Ok(400);
        }
        let paid = if data.status == State::Succeeded { amount } else { Decimal::ZERO };
        Ok(order.enter(data.id, (created_at, data.status, paid)))
    }

    fn charge(&mut self, body: &[u8]) -> Answer {
        let event: Event<Charge> = serde_json::from_slice(body)?;
        let charge = event.data.object;
        let Some(order) = self.orders.get_mut(&charge.order_id.0) else { return Ok(404) };
        let amounts: Vec<Decimal> = charge.refunds.iter().map(|entry| entry.amount.0).collect();
        let complete = charge.refunds.iter().filter(|entry| entry.state == EntryState::Complete).map(|entry| entry.amount.0);
        let complete: Decimal = complete.sum();
        if complete.is_zero() || complete > order.captured || !order.fits(&charge.currency, &amounts) {
            return Ok(400);
        }
        let known = order.charges.entry(charge.id.0).or_insert((event.created_time, complete));
        if known.0 < event.created_time {
            *known = (event.created_time, complete);
        }
        Ok(200)
    }

    fn chargeback(&mut self, body: &[u8]) -> Answer {
        let event: Event<Sale> = serde_json::from_slice(body)?;
        let sale = event.data.object;
        let Some(order) = self.orders.get_mut(&sale.id.0) else { return Ok(404) };
        if sale.currency != order.currency {
            return Ok(400);
        }
        order.charged_back = true;
        Ok(200)
    }
}
