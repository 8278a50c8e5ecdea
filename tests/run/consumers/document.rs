//! One JSON document for each order, read and written anew for every event; what is shown goes over the wire as
//! JSON text with amounts as numbers, in one notation or another.

use std::collections::{BTreeMap, HashMap};

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
    domain::{Amount, EventTime, OrderState, RefundState},
};
use serde::{Deserialize, Serialize};

use super::{
    Consumer, Facts, observing,
    parse::{Event, News},
};

#[derive(Default)]
pub(crate) struct DocumentStore {
    texts: HashMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct Document {
    currency: String,
    captured: Amount,
    refunds: BTreeMap<String, Refund>,
    charges: BTreeMap<String, (EventTime, Vec<(RefundState, Amount)>)>,
    chargebacks: Vec<EventTime>,
}

#[derive(Serialize, Deserialize)]
struct Refund {
    at: EventTime,
    state: RefundState,
    amount: Amount,
    paid: Amount,
}

impl DocumentStore {
    fn load(&self, order_id: &str) -> Option<Document> {
        self.texts.get(order_id).map(|text| serde_json::from_str(text).expect("a stored document"))
    }

    fn save(&mut self, order_id: &str, document: &Document) {
        self.texts.insert(order_id.to_owned(), serde_json::to_string(document).expect("JSON"));
    }
}

/// The same number in one of three notations, by its value: `21.60`, `2160e-2` or `0.2160E+2`.
fn number(amount: Amount) -> String {
    let text = amount.to_fixed(2);
    let digits = text.replace('.', "");
    let (whole, fraction) = text.split_once('.').expect("two digits at least");
    let significant = digits.trim_start_matches('0');
    match significant.len() % 3 {
        0 => text,
        1 => format!("{significant}e-{}", fraction.len()),
        _ => format!("0.{digits}E+{}", whole.len()),
    }
}

impl Consumer for DocumentStore {
    fn claims(&self) -> Capabilities {
        observing(&[Observable::Currency, Observable::Refunds])
    }

    fn open(&mut self, order: &OrderSetup) {
        let document = Document {
            currency: order.currency.clone(),
            captured: order.captured_amount,
            refunds: BTreeMap::new(),
            charges: BTreeMap::new(),
            chargebacks: Vec::new(),
        };
        self.save(&order.order_id, &document);
    }

    fn facts(&self, order_id: &str) -> Option<Facts> {
        self.load(order_id).map(|document| Facts { currency: document.currency, captured: document.captured })
    }

    fn book(&mut self, event: Event) {
        let Some(mut document) = self.load(&event.order_id) else { return };
        match event.news {
            News::Refund(told) => {
                let stands = |known: &Refund| known.state.is_final() || !told.state.is_final() && known.at >= event.at;
                if !document.refunds.get(&told.id).is_some_and(stands) {
                    let refund = Refund { at: event.at, state: told.state, amount: told.amount, paid: told.paid };
                    document.refunds.insert(told.id, refund);
                }
            }
            News::Charge(picture) if document.charges.get(&picture.charge).is_none_or(|(at, _)| *at < event.at) => {
                document.charges.insert(picture.charge, (event.at, picture.entries));
            }
            News::Chargeback(_) => document.chargebacks.push(event.at),
            News::Charge(_) | News::Order(_) => {}
        }
        self.save(&event.order_id, &document);
    }

    fn show(&self, order_id: &str) -> Option<OrderState> {
        let document = self.load(order_id)?;
        let by_refunds: Amount = document.refunds.values().map(|refund| refund.paid).sum();
        let entries = document.charges.values().flat_map(|(_, entries)| entries);
        let by_charges = entries.filter(|(state, _)| *state == RefundState::Succeeded).map(|(_, amount)| *amount).sum();
        let states: Vec<RefundState> = document.refunds.values().map(|refund| refund.state).collect();
        let facts = Facts { currency: document.currency, captured: document.captured };
        let state = facts.state(order_id, by_refunds.max(by_charges), !document.chargebacks.is_empty(), &states);
        let refund = |(id, refund): (&String, &Refund)| {
            let (state, amount, paid) = (refund.state, number(refund.amount), number(refund.paid));
            format!(r#"{{"refundedAmount":{paid},"id":"{id}","state":"{state}","amount":{amount},"note":null}}"#)
        };
        let refunds: Vec<String> = document.refunds.iter().map(refund).collect();
        let (status, paid, refunds) = (state.status, number(state.refunded_amount), refunds.join(","));
        let currency = &facts.currency;
        let text = format!(
            r#"{{"refunds":[{refunds}],"orderId":"{order_id}","status":"{status}","refundedAmount":{paid},"currency":"{currency}","v":1}}"#
        );
        Some(serde_json::from_str(&text).expect("an order refund state"))
    }
}
