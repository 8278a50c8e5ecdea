//! Says no in other words: 415 for what is no JSON, 422 for what is no event, 409 for an order that it does not have yet, 410
//! for what it will never take.
//!
//! Refunds and charges are two columns of the same book, each line of which is the most that was told.

use std::collections::BTreeMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Clerk {
    books: BTreeMap<String, Book>,
}

#[derive(Default)]
struct Book {
    captured: Decimal,
    currency: String,
    lines: BTreeMap<(Column, String), Line>,
    closed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Refunds,
    Charges,
}

struct Line {
    paid: Decimal,
    word: String,
    told: String,
}

struct Told<'a> {
    order: &'a Value,
    column: Column,
    id: &'a Value,
    word: &'a str,
    paid: Decimal,
    time: &'a Value,
}

impl Shop for Clerk {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| claims.observes = vec![Observable::Currency])
    }

    fn sold(&mut self, order: &OrderSetup) {
        let book = self.books.entry(order.order_id.clone()).or_default();
        book.captured = order.captured_amount.to_string().parse().expect("an amount");
        book.currency.clone_from(&order.currency);
    }

    fn post(&mut self, headers: &[(String, String)], body: &[u8]) -> u16 {
        let is_json = headers.iter().any(|(name, value)| name == "content-type" && value.to_lowercase().starts_with("application/json"));
        let Ok(event) = serde_json::from_slice::<Value>(body) else { return if is_json { 415 } else { 400 } };
        let Some(kind) = event["type"].as_str() else { return 422 };
        if kind == "order.chargeback" {
            let Some(id) = event["data"]["object"]["id"].as_str() else { return 422 };
            let Some(book) = self.books.get_mut(id) else { return 409 };
            book.closed = true;
            return 200;
        }
        let told = if kind.starts_with("refund.") {
            refund(&event)
        } else if kind.starts_with("order.charge.refund.") {
            match charge(&event) {
                Some(told) if told.paid.is_zero() && !kind.ends_with(".complete") => return 200,
                None if !event["data"]["object"]["payment"].is_null() => return 200,
                told => told,
            }
        } else {
            return 200;
        };
        let Some(told) = told else { return 422 };
        self.enter(&told)
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let book = self.books.get(order_id)?;
        let sum = |column| book.lines.iter().filter(|((other, _), _)| *other == column).map(|(_, line)| line.paid).sum::<Decimal>();
        let paid = sum(Column::Refunds).max(sum(Column::Charges));
        let reads = |word: &str| book.lines.iter().any(|((column, _), line)| *column == Column::Refunds && line.word == word);
        let status = if book.closed {
            "charged_back"
        } else if paid >= book.captured {
            "refunded"
        } else if paid > Decimal::ZERO {
            "partially_refunded"
        } else if reads("pending_information") {
            "pending_information"
        } else if reads("pending") || reads("requested") {
            "pending"
        } else if reads("failed") {
            "failed"
        } else {
            "not_refunded"
        };
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid.to_string(), "currency": book.currency}))
    }
}

fn number(value: &Value) -> Option<Decimal> {
    value.as_number()?.to_string().parse().ok()
}

fn refund(event: &Value) -> Option<Told<'_>> {
    let object = &event["data"]["object"];
    if object.is_object() {
        let (word, paid) = (object["state"].as_str()?, number(&object["refundedAmount"])?);
        return Some(Told {
            order: &object["orderId"],
            column: Column::Refunds,
            id: &object["id"],
            word,
            paid,
            time: &event["createdTime"],
        });
    }
    let data = &event["data"];
    let (word, hundredths) = (data["status"].as_str()?, number(&data["amount"])?);
    let paid = if word == "succeeded" { hundredths / Decimal::from(100) } else { Decimal::ZERO };
    Some(Told { order: &data["payin"], column: Column::Refunds, id: &data["id"], word, paid, time: &event["created_at"] })
}

fn charge(event: &Value) -> Option<Told<'_>> {
    let object = &event["data"]["object"];
    let mut paid = Decimal::ZERO;
    for entry in object["refunds"].as_array()? {
        if entry["state"].as_str()? == "complete" {
            paid += number(&entry["amount"])?;
        }
    }
    let (order, id, time) = (&object["orderId"], &object["id"], &event["createdTime"]);
    Some(Told { order, column: Column::Charges, id, word: "succeeded", paid, time })
}

/// Times as texts of the same length can be compared as texts.
fn even(time: &Value) -> Option<String> {
    let text = time.as_str()?.strip_suffix('Z')?;
    text.parse::<jiff::civil::DateTime>().ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    Some(format!("{seconds}.{fraction:0<9}"))
}

impl Clerk {
    fn enter(&mut self, told: &Told<'_>) -> u16 {
        let (Some(order), Some(id), Some(time)) = (told.order.as_str(), told.id.as_str(), even(told.time)) else { return 422 };
        let Some(book) = self.books.get_mut(order) else { return 409 };
        let sound = match told.word {
            "succeeded" => told.paid > Decimal::ZERO,
            "requested" | "pending" | "pending_information" | "failed" => told.paid.is_zero(),
            _ => false,
        };
        if !sound || told.paid > book.captured {
            return 410;
        }
        let fresh = || Line { paid: Decimal::ZERO, word: told.word.to_owned(), told: time.clone() };
        let line = book.lines.entry((told.column, id.to_owned())).or_insert_with(fresh);
        line.paid = line.paid.max(told.paid);
        let ended = line.word == "succeeded" || line.word == "failed";
        let ends = told.word == "succeeded" || told.word == "failed";
        if ends || (!ended && line.told < time) {
            told.word.clone_into(&mut line.word);
            line.told = time;
        }
        200
    }
}
