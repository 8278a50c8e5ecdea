//! An append-only ledger: nothing is ever changed or taken out, a correction is an entry that makes up the difference.
//!
//! Every refund, charge, hold and chargeback is an account of its own; a balance is the sum of an account's entries.

use std::collections::HashMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Ledger {
    entries: HashMap<String, Vec<Entry>>,
}

struct Entry {
    account: Account,
    amount: Decimal,
    /// The state's word for a refund, the currency for a sale.
    note: String,
    value_date: jiff::Timestamp,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Account {
    Sale,
    Refund(String),
    Hold(String),
    Charge(String),
    Chargeback,
}

/// What an account should stand at from a day on.
struct Posting {
    account: Account,
    balance: Decimal,
    note: String,
}

impl Shop for Ledger {
    fn claims(&self) -> Capabilities {
        let observes = vec![Observable::AvailableToRefundAmount, Observable::ChargedBackAmount, Observable::Refunds];
        Capabilities::new().with(|claims| claims.observes = observes)
    }

    fn sold(&mut self, order: &OrderSetup) {
        let sale = Posting {
            account: Account::Sale,
            balance: order.captured_amount.to_string().parse().expect("an amount"),
            note: order.currency.clone(),
        };
        self.post_all(&order.order_id, jiff::Timestamp::UNIX_EPOCH, vec![sale]);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(Value::Object(event)) = serde_json::from_slice(body) else { return 400 };
        let Some(kind) = event.get("type").and_then(Value::as_str) else { return 400 };
        let data = event.get("data").unwrap_or(&Value::Null);
        let date = event.get("createdTime").or(event.get("created_at")).and_then(Value::as_str);
        let voucher = match kind {
            _ if kind.starts_with("refund.") && data["object"] == "refund" => hundredths(data),
            _ if kind.starts_with("refund.") => refund(&data["object"]),
            _ if kind.starts_with("order.charge.refund.") => charges(kind, &data["object"]),
            "order.chargeback" => self.chargeback(&data["object"]),
            _ => return 200,
        };
        let Some((order, postings)) = voucher else { return 400 };
        let Some(Ok(date)) = date.map(str::parse) else { return 400 };
        if self.balance(&order, &Account::Sale).is_zero() {
            return 404;
        }
        self.post_all(&order, date, postings);
        200
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let captured = self.balance(order_id, &Account::Sale);
        if captured.is_zero() {
            return None;
        }
        let mut accounts: Vec<&Account> = self.of(order_id).iter().map(|entry| &entry.account).collect();
        accounts.sort();
        accounts.dedup();
        let (mut by_refunds, mut by_charges, mut held) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        let mut refunds = Vec::new();
        for account in accounts {
            let balance = self.balance(order_id, account);
            match account {
                Account::Refund(id) => {
                    by_refunds += balance;
                    let state = self.last(order_id, account).map(|entry| entry.note.clone());
                    refunds.push((id, state.unwrap_or_default(), balance));
                }
                Account::Charge(_) => by_charges += balance,
                Account::Hold(_) => held += balance,
                Account::Sale | Account::Chargeback => {}
            }
        }
        let paid = by_refunds.max(by_charges);
        let lost = self.balance(order_id, &Account::Chargeback);
        let is = |word: &str| refunds.iter().any(|(_, state, _)| state == word);
        let status = if self.last(order_id, &Account::Chargeback).is_some() {
            "charged_back"
        } else if paid >= captured {
            "refunded"
        } else if !paid.is_zero() {
            "partially_refunded"
        } else if is("pending_information") {
            "pending_information"
        } else if is("pending") || is("requested") {
            "pending"
        } else if is("failed") {
            "failed"
        } else {
            "not_refunded"
        };
        let refunds: Vec<Value> = refunds
            .into_iter()
            .map(|(id, state, balance)| json!({"id": id, "state": state, "refundedAmount": balance.to_string()}))
            .collect();
        Some(json!({
            "orderId": order_id,
            "status": status,
            "refundedAmount": paid.to_string(),
            "availableToRefundAmount": (captured - paid - held - lost).to_string(),
            "chargedBackAmount": lost.to_string(),
            "refunds": refunds,
        }))
    }
}

impl Ledger {
    fn of(&self, order: &str) -> &[Entry] {
        self.entries.get(order).map_or(&[], Vec::as_slice)
    }

    fn balance(&self, order: &str, account: &Account) -> Decimal {
        self.of(order).iter().filter(|entry| entry.account == *account).map(|entry| entry.amount).sum()
    }

    fn last(&self, order: &str, account: &Account) -> Option<&Entry> {
        self.of(order).iter().rev().find(|entry| entry.account == *account)
    }

    fn post_all(&mut self, order: &str, date: jiff::Timestamp, postings: Vec<Posting>) {
        // A voucher is posted whole or not at all: the first account decides whether it is news.
        let Some(first) = postings.first() else { return };
        let ends = |note: &str| note == "succeeded" || note == "failed";
        let is_news = self
            .last(order, &first.account)
            .is_none_or(|last| !ends(&last.note) && (ends(&first.note) || last.value_date < date) && first.account != Account::Sale);
        if !is_news {
            return;
        }
        for Posting { account, balance, note } in postings {
            let amount = balance - self.balance(order, &account);
            self.entries.entry(order.to_owned()).or_default().push(Entry { account, amount, note, value_date: date });
        }
    }

    fn chargeback(&self, object: &Value) -> Option<(String, Vec<Posting>)> {
        let order = object["id"].as_str()?.to_owned();
        let refunded = if object["refundedAmount"].is_null() { Decimal::ZERO } else { money(&object["refundedAmount"])? };
        let mut left = money(&object["availableToRefundAmount"])? + refunded;
        for charge in object["payment"]["charges"].as_array()? {
            for entry in charge["refunds"].as_array().into_iter().flatten() {
                if entry["state"] == "pending" || entry["state"] == "pending_information" {
                    left += money(&entry["amount"])?;
                }
            }
        }
        let balance = self.balance(&order, &Account::Sale) - left;
        Some((order, vec![Posting { account: Account::Chargeback, balance, note: String::new() }]))
    }
}

fn money(value: &Value) -> Option<Decimal> {
    let text = &value.as_number()?.to_string();
    text.parse().or_else(|_| Decimal::from_scientific(text)).ok().filter(|amount| *amount >= Decimal::ZERO)
}

fn hundredths(data: &Value) -> Option<(String, Vec<Posting>)> {
    let asked = money(&data["amount"])? / Decimal::ONE_HUNDRED;
    let state = data["status"].as_str()?;
    let paid = if state == "succeeded" { asked } else { Decimal::ZERO };
    voucher(&data["payin"], &data["id"], state, asked, paid)
}

fn refund(object: &Value) -> Option<(String, Vec<Posting>)> {
    let asked = match object["amount"] {
        Value::Null => object["items"].as_array()?.iter().map(|item| money(&item["amount"])).sum::<Option<Decimal>>()?,
        ref amount => money(amount)?,
    };
    voucher(&object["orderId"], &object["id"], object["state"].as_str()?, asked, money(&object["refundedAmount"])?)
}

fn voucher(order: &Value, id: &Value, state: &str, asked: Decimal, paid: Decimal) -> Option<(String, Vec<Posting>)> {
    let held = match state {
        "requested" | "pending" | "pending_information" if paid.is_zero() => asked,
        "failed" if paid.is_zero() => Decimal::ZERO,
        "succeeded" if !paid.is_zero() => Decimal::ZERO,
        _ => return None,
    };
    let (order, id) = (order.as_str()?.to_owned(), id.as_str()?.to_owned());
    let refund = Posting { account: Account::Refund(id.clone()), balance: paid, note: state.to_owned() };
    let hold = Posting { account: Account::Hold(id), balance: held, note: String::new() };
    Some((order, vec![refund, hold]))
}

fn charges(kind: &str, object: &Value) -> Option<(String, Vec<Posting>)> {
    // The whole order may come in the charge's place.
    if object["payment"].is_object() {
        return Some((object["id"].as_str()?.to_owned(), Vec::new()));
    }
    let mut complete = Decimal::ZERO;
    for entry in object["refunds"].as_array()?.iter().filter(|entry| entry["state"] == "complete") {
        complete += money(&entry["amount"])?;
    }
    if kind == "order.charge.refund.complete" && complete.is_zero() {
        return None;
    }
    let account = Account::Charge(object["id"].as_str()?.to_owned());
    Some((object["orderId"].as_str()?.to_owned(), vec![Posting { account, balance: complete, note: String::new() }]))
}
