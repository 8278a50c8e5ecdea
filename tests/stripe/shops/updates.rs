//! Was written when a refund only had `charge.refund.updated`, learned `refund.created` and `refund.updated` later, and never asked
//! for `refund.failed`, as a failure is an update too. Amounts are wide whole numbers.

use std::collections::HashMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use serde_json::{Map, Value, json};

use super::{Shop, wire};

/// Smallest units of a currency, wide enough for any sum of them.
type Units = i128;

#[derive(Default)]
pub(crate) struct Ledger {
    books: HashMap<String, Book>,
    /// Which book is about a payment intent or a charge.
    index: HashMap<String, String>,
    pages: HashMap<(String, String), Entry>,
}

struct Book {
    currency: String,
    captured: Units,
}

#[derive(Clone, Copy)]
struct Entry {
    units: Units,
    state: State,
    second: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open { asks: bool },
    Paid,
    Void { cancelled: bool },
}

impl State {
    fn step(self) -> u8 {
        match self {
            State::Open { asks: true } => 0,
            State::Open { asks: false } => 1,
            State::Paid => 2,
            State::Void { .. } => 3,
        }
    }

    fn word(self) -> &'static str {
        match self {
            State::Open { asks: true } => "pending_information",
            State::Open { asks: false } => "pending",
            State::Paid => "succeeded",
            State::Void { cancelled: false } => "failed",
            State::Void { cancelled: true } => "cancelled",
        }
    }
}

impl Shop for Ledger {
    fn claims(&self) -> Capabilities {
        let types = ["refund.created", "refund.updated", "charge.refund.updated"];
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Currency, Observable::Refunds];
            claims.subscribes = Some(types.map(str::to_owned).to_vec());
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        let captured = Units::from(wire::smallest(&order.captured_amount.to_string(), &order.currency));
        self.books.entry(order.order_id.clone()).or_insert(Book { currency: order.currency.clone(), captured });
        for charge in &order.charges {
            self.index.insert(charge.id.clone(), order.order_id.clone());
        }
        if let Some(intent) = &order.payment_intent_id {
            self.index.insert(intent.clone(), order.order_id.clone());
        }
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        let Some(kind) = wire::kind(&whole) else { return 400 };
        if !matches!(kind, "refund.created" | "refund.updated" | "charge.refund.updated") {
            return 200;
        }
        let Some(event) = wire::event(&whole) else { return 400 };
        let Some(refund) = wire::refund(&event.object) else { return 400 };
        let state = match refund.status.as_str() {
            "requires_action" => State::Open { asks: true },
            "pending" => State::Open { asks: false },
            "succeeded" => State::Paid,
            "failed" => State::Void { cancelled: false },
            "canceled" => State::Void { cancelled: true },
            _ => return 422,
        };
        let Some(order) = refund.payment.ids().find_map(|id| self.index.get(id)) else { return 404 };
        let book = &self.books[order];
        let units = Units::from(refund.amount);
        if units > book.captured || !refund.currency.eq_ignore_ascii_case(&book.currency) {
            return 422;
        }
        let told = Entry { units, state, second: event.created };
        let entry = self.pages.entry((order.clone(), refund.id)).or_insert(told);
        if (entry.second, entry.state.step()) < (told.second, told.state.step()) {
            *entry = told;
        }
        200
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let book = self.books.get(order_id)?;
        let write = |units: Units| wire::major(i64::try_from(units).expect("no sum of orders is that large"), &book.currency);
        let mut page = Map::new();
        let (mut paid, mut failed, mut open, mut asked) = (0, false, false, false);
        let mut refunds = Vec::new();
        for ((_, id), entry) in self.pages.iter().filter(|((order, _), _)| order == order_id) {
            let own = if entry.state == State::Paid { entry.units } else { 0 };
            paid += own;
            failed |= entry.state == State::Void { cancelled: false };
            open |= entry.state == State::Open { asks: false };
            asked |= entry.state == State::Open { asks: true };
            refunds.push(json!({"id": id, "state": entry.state.word(), "amount": write(entry.units), "refundedAmount": write(own)}));
        }
        let status = match (paid, asked, open, failed) {
            (1.., ..) if paid >= book.captured => "refunded",
            (1.., ..) => "partially_refunded",
            (_, true, ..) => "pending_information",
            (_, _, true, _) => "pending",
            (_, _, _, true) => "failed",
            _ => "not_refunded",
        };
        page.insert("orderId".to_owned(), order_id.into());
        page.insert("status".to_owned(), status.into());
        page.insert("refundedAmount".to_owned(), write(paid).into());
        page.insert("currency".to_owned(), book.currency.clone().into());
        page.insert("refunds".to_owned(), refunds.into());
        Some(page.into())
    }
}
