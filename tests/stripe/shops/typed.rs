//! Reads events into types of its own, looks an order up by the reference that the shop wrote into the charge's metadata, and locks
//! its one table for each delivery. It knows totals and disputes and no refunds.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Number, Value, json, value::RawValue};

use super::{Shop, wire};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    data: Option<Data<'a>>,
    created: Option<Number>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Charge {
    id: String,
    payment_intent: Option<String>,
    amount_refunded: Cents,
    currency: String,
    #[serde(default)]
    metadata: Option<HashMap<String, Value>>,
}

#[derive(Deserialize)]
struct Dispute {
    id: String,
    charge: Option<String>,
    payment_intent: Option<String>,
    currency: String,
    balance_transactions: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    amount: Cents,
}

#[derive(Clone, Copy)]
struct Cents(i64);

impl<'de> Deserialize<'de> for Cents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cents, D::Error> {
        let text = Number::deserialize(deserializer)?.to_string();
        let number: Decimal = text.parse().or_else(|_| Decimal::from_scientific(&text)).map_err(D::Error::custom)?;
        match number.to_i64() {
            Some(cents) if number.is_integer() => Ok(Cents(cents)),
            _ => Err(D::Error::custom("no whole number of cents")),
        }
    }
}

#[derive(Clone, Default)]
pub(crate) struct Service {
    table: Arc<Mutex<HashMap<String, Row>>>,
}

struct Row {
    payments: Vec<String>,
    currency: String,
    captured: i64,
    total: (i64, i64),
    /// Of each dispute the second and the length of the newest list of transactions, and what is missing by it.
    disputes: HashMap<String, (i64, usize, i64)>,
}

impl Row {
    fn held(&self) -> i64 {
        self.disputes.values().map(|(_, _, missing)| missing).sum()
    }
}

impl Shop for Service {
    fn claims(&self) -> Capabilities {
        let types = [
            "charge.refunded",
            "charge.dispute.created",
            "charge.dispute.closed",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.funds_reinstated",
        ];
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::ChargedBackAmount, Observable::AvailableToRefundAmount];
            claims.subscribes = Some(types.map(str::to_owned).to_vec());
            claims.equivalent_statuses = vec![["not_refunded", "failed"].map(str::to_owned).to_vec()];
            claims.concurrency = 4;
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        let names = order.charges.iter().map(|charge| charge.id.clone());
        let payments = names.chain(order.payment_intent_id.clone()).collect();
        let captured = wire::smallest(&order.captured_amount.to_string(), &order.currency);
        let row = Row { payments, currency: order.currency.clone(), captured, total: (i64::MIN, 0), disputes: HashMap::new() };
        self.table().entry(order.order_id.clone()).or_insert(row);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        // The parser looks at the bytes of what is wanted only.
        let Ok(text) = std::str::from_utf8(body) else { return 400 };
        self.handle(text).unwrap_or(400)
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let table = self.table();
        let row = table.get(order_id)?;
        let (refunded, held) = (row.total.1, row.held());
        let status = match (held, refunded) {
            (1.., _) => "charged_back",
            (_, 0) => "not_refunded",
            _ if refunded < row.captured => "partially_refunded",
            _ => "refunded",
        };
        let left = (row.captured - refunded - held).max(0);
        let [refunded, held, left] = [refunded, held, left].map(|cents| wire::major(cents, &row.currency));
        Some(json!({
            "orderId": order_id,
            "status": status,
            "refundedAmount": refunded,
            "chargedBackAmount": held,
            "availableToRefundAmount": left,
        }))
    }
}

impl Service {
    fn table(&self) -> MutexGuard<'_, HashMap<String, Row>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, body: &str) -> Result<u16, serde_json::Error> {
        let envelope: Envelope<'_> = serde_json::from_str(body)?;
        let is_charge = envelope.kind == "charge.refunded";
        if !is_charge && !self.claims().is_subscribed(&envelope.kind) {
            return Ok(200);
        }
        let object = envelope.data.ok_or_else(|| Error::custom("an event without data"))?.object.get();
        let second = envelope.created.and_then(|number| number.as_i64()).ok_or_else(|| Error::custom("an event without a time"))?;
        let mut table = self.table();
        if is_charge {
            let charge: Charge = serde_json::from_str(object)?;
            let reference = charge.metadata.as_ref().and_then(|metadata| metadata.get("order_id")).and_then(Value::as_str);
            let row = match reference {
                Some(reference) => table.get_mut(reference),
                None => find(&mut table, &[Some(&charge.id), charge.payment_intent.as_ref()]),
            };
            let Some(row) = row else { return Ok(404) };
            if !(0..=row.captured).contains(&charge.amount_refunded.0) || !row.currency.eq_ignore_ascii_case(&charge.currency) {
                return Ok(422);
            }
            row.total = row.total.max((second, charge.amount_refunded.0));
        } else {
            let dispute: Dispute = serde_json::from_str(object)?;
            let Some(row) = find(&mut table, &[dispute.payment_intent.as_ref(), dispute.charge.as_ref()]) else { return Ok(404) };
            if !row.currency.eq_ignore_ascii_case(&dispute.currency) {
                return Ok(422);
            }
            let missing = -dispute.balance_transactions.iter().map(|transaction| transaction.amount.0).sum::<i64>();
            let told = (second, dispute.balance_transactions.len(), missing);
            let known = row.disputes.entry(dispute.id).or_insert(told);
            if (known.0, known.1) < (told.0, told.1) {
                *known = told;
            }
        }
        Ok(200)
    }
}

fn find<'a>(table: &'a mut HashMap<String, Row>, names: &[Option<&String>]) -> Option<&'a mut Row> {
    table.values_mut().find(|row| names.iter().flatten().any(|name| row.payments.contains(name)))
}
