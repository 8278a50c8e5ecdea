//! Amounts are whole minor units of the currency everywhere, read from the text of the number without any decimal type.

use std::collections::BTreeMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use serde_json::{Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Cents {
    accounts: BTreeMap<String, Account>,
}

struct Account {
    currency: String,
    digits: usize,
    captured: u64,
    refunds: BTreeMap<String, Entry>,
    charges: BTreeMap<String, u64>,
    chargeback: bool,
}

struct Entry {
    state: &'static str,
    since: i128,
    asked: u64,
    paid: u64,
}

impl Shop for Cents {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Currency, Observable::Refunds];
            claims.subscribes = Some(["refund.*", "order.charge.refund.complete", "order.chargeback"].map(str::to_owned).to_vec());
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        let digits = match iso_currency::Currency::from_code(&order.currency).and_then(|currency| currency.exponent()) {
            Some(digits) => usize::from(digits),
            None => 2,
        };
        let captured = minor(&order.captured_amount.to_string(), digits).expect("a sum of money");
        let currency = order.currency.clone();
        let account = Account { currency, digits, captured, refunds: BTreeMap::new(), charges: BTreeMap::new(), chargeback: false };
        self.accounts.entry(order.order_id.clone()).or_insert(account);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(event) = serde_json::from_slice::<Value>(body) else { return 400 };
        let Some(kind) = event["type"].as_str() else { return 400 };
        let data = &event["data"];
        let result = match kind {
            "order.charge.refund.complete" => self.charge(&data["object"]),
            "order.chargeback" => self.chargeback(&data["object"]),
            _ if kind.starts_with("refund.") && event["object"] == "event" => self.hundredths(&event["created_at"], data),
            _ if kind.starts_with("refund.") => self.refund(&event["createdTime"], &data["object"]),
            _ => Ok(()),
        };
        match result {
            Ok(()) => 200,
            Err(status) => status,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let account = self.accounts.get(order_id)?;
        let refunds: u64 = account.refunds.values().map(|entry| entry.paid).sum();
        let paid = refunds.max(account.charges.values().sum());
        let states: Vec<&str> = account.refunds.values().map(|entry| entry.state).collect();
        let status = if account.chargeback {
            "charged_back"
        } else if paid > 0 {
            if paid == account.captured { "refunded" } else { "partially_refunded" }
        } else if states.contains(&"pending_information") {
            "pending_information"
        } else if states.contains(&"pending") || states.contains(&"requested") {
            "pending"
        } else if states.contains(&"failed") {
            "failed"
        } else {
            "not_refunded"
        };
        let list: Vec<Value> = account
            .refunds
            .iter()
            .map(|(id, entry)| {
                let (asked, paid) = (major(entry.asked, account.digits), major(entry.paid, account.digits));
                json!({"id": id, "state": entry.state, "amount": asked, "refundedAmount": paid})
            })
            .collect();
        let amount = major(paid, account.digits);
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": amount, "currency": account.currency, "refunds": list}))
    }
}

/// Reads plain digits with a fraction; the fraction may be longer than the currency's if the rest is zeros.
fn minor(text: &str, digits: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (kept, rest) = fraction.split_at(digits.min(fraction.len()));
    if rest.bytes().any(|digit| digit != b'0') {
        return None;
    }
    format!("{whole}{kept:0<digits$}").parse().ok()
}

fn major(minor: u64, digits: usize) -> String {
    let text = format!("{minor:0>width$}", width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    if digits == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

fn nanoseconds(value: &Value) -> Result<i128, u16> {
    let time: jiff::Timestamp = value.as_str().ok_or(400_u16)?.parse().map_err(|_| 400_u16)?;
    Ok(time.as_nanosecond())
}

fn string(value: &Value) -> Result<&str, u16> {
    value.as_str().filter(|text| !text.is_empty()).ok_or(400)
}

fn state(word: &str) -> Result<&'static str, u16> {
    ["requested", "pending", "pending_information", "succeeded", "failed"].into_iter().find(|known| *known == word).ok_or(422)
}

fn ends(state: &str) -> bool {
    state == "succeeded" || state == "failed"
}

impl Account {
    fn amount(&self, value: &Value) -> Result<u64, u16> {
        value.as_number().and_then(|number| minor(&number.to_string(), self.digits)).ok_or(400)
    }

    fn enter(&mut self, id: &str, told: Entry) -> Result<(), u16> {
        if (told.state == "succeeded") != (told.paid > 0) || told.paid > self.captured {
            return Err(422);
        }
        match self.refunds.get_mut(id) {
            Some(known) if ends(known.state) || (!ends(told.state) && told.since < known.since) => {}
            Some(known) => *known = told,
            None => drop(self.refunds.insert(id.to_owned(), told)),
        }
        Ok(())
    }
}

impl Cents {
    fn account(&mut self, id: &Value) -> Result<&mut Account, u16> {
        self.accounts.get_mut(string(id)?).ok_or(404)
    }

    fn refund(&mut self, created: &Value, object: &Value) -> Result<(), u16> {
        let (id, state, since) = (string(&object["id"])?, state(string(&object["state"])?)?, nanoseconds(created)?);
        let account = self.account(&object["orderId"])?;
        let asked = match &object["amount"] {
            Value::Null => {
                let items = object["items"].as_array().ok_or(400_u16)?;
                items.iter().map(|item| account.amount(&item["amount"])).sum::<Result<u64, u16>>()?
            }
            amount => account.amount(amount)?,
        };
        let paid = account.amount(&object["refundedAmount"])?;
        account.enter(id, Entry { state, since, asked, paid })
    }

    /// This provider counts hundredths, whatever the currency's minor unit is.
    fn hundredths(&mut self, created: &Value, data: &Value) -> Result<(), u16> {
        let (id, state, since) = (string(&data["id"])?, state(string(&data["status"])?)?, nanoseconds(created)?);
        let amount = data["amount"].as_u64().ok_or(400_u16)?;
        let account = self.account(&data["payin"])?;
        let asked = minor(&major(amount, 2), account.digits).ok_or(422_u16)?;
        let paid = if state == "succeeded" { asked } else { 0 };
        account.enter(id, Entry { state, since, asked, paid })
    }

    fn charge(&mut self, object: &Value) -> Result<(), u16> {
        let id = string(&object["id"])?;
        let account = self.account(&object["orderId"])?;
        let mut complete = 0;
        for entry in object["refunds"].as_array().ok_or(400_u16)? {
            if string(&entry["state"])? == "complete" {
                complete += account.amount(&entry["amount"])?;
            }
        }
        if complete == 0 || complete > account.captured {
            return Err(422);
        }
        let known = account.charges.entry(id.to_owned()).or_default();
        *known = complete.max(*known);
        Ok(())
    }

    fn chargeback(&mut self, object: &Value) -> Result<(), u16> {
        self.account(&object["id"])?.chargeback = true;
        Ok(())
    }
}
