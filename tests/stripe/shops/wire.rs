//! Stripe's wire format as its reference describes it, and how its amounts are written in major units. It decides nothing.

use serde_json::Value;

/// What every event has around its object.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) kind: String,
    pub(crate) object: Value,
}

/// A refund object.
#[derive(Clone)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) payment: Payment,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) created: i64,
    pub(crate) status: String,
}

/// A charge object, as far as refunds go.
#[derive(Clone)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) payment: Payment,
    pub(crate) amount_refunded: i64,
    pub(crate) currency: String,
}

/// A dispute object, with the amounts of its balance transactions by their ids.
#[derive(Clone)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) payment: Payment,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) status: String,
    pub(crate) moves: Vec<(String, i64)>,
}

/// What an object says about which payment it belongs to: its intent, its charge, or both.
#[derive(Clone)]
pub(crate) struct Payment(Vec<String>);

impl Payment {
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn of(object: &Value, names: [&str; 2]) -> Option<Payment> {
        let ids: Vec<String> = names.iter().filter_map(|name| id(&object[*name])).collect();
        (!ids.is_empty()).then_some(Payment(ids))
    }
}

/// Only the type: enough to know that an event is somebody else's business.
pub(crate) fn kind(whole: &Value) -> Option<&str> {
    whole["type"].as_str()
}

pub(crate) fn event(whole: &Value) -> Option<Event> {
    Some(Event {
        id: id(&whole["id"])?,
        created: integer(&whole["created"])?,
        kind: kind(whole)?.to_owned(),
        object: whole["data"].get("object").filter(|object| object.is_object())?.clone(),
    })
}

pub(crate) fn refund(object: &Value) -> Option<Refund> {
    Some(Refund {
        id: id(&object["id"])?,
        payment: Payment::of(object, ["payment_intent", "charge"])?,
        amount: integer(&object["amount"]).filter(|amount| *amount > 0)?,
        currency: object["currency"].as_str()?.to_owned(),
        created: integer(&object["created"])?,
        status: object["status"].as_str()?.to_owned(),
    })
}

pub(crate) fn charge(object: &Value) -> Option<Charge> {
    Some(Charge {
        id: id(&object["id"])?,
        payment: Payment::of(object, ["payment_intent", "id"])?,
        amount_refunded: integer(&object["amount_refunded"]).filter(|amount| *amount >= 0)?,
        currency: object["currency"].as_str()?.to_owned(),
    })
}

pub(crate) fn dispute(object: &Value) -> Option<Dispute> {
    let entries = object["balance_transactions"].as_array()?;
    Some(Dispute {
        id: id(&object["id"])?,
        payment: Payment::of(object, ["payment_intent", "charge"])?,
        amount: integer(&object["amount"]).filter(|amount| *amount > 0)?,
        currency: object["currency"].as_str()?.to_owned(),
        status: object["status"].as_str()?.to_owned(),
        moves: entries.iter().map(|entry| Some((id(&entry["id"])?, integer(&entry["amount"])?))).collect::<Option<_>>()?,
    })
}

/// A reference is the id of what it names, or the whole of it where it was expanded.
fn id(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value["id"].as_str()).filter(|id| !id.is_empty()).map(str::to_owned)
}

/// A whole number, also one that is written with a fraction of zeros or an exponent.
fn integer(value: &Value) -> Option<i64> {
    let number = value.as_number()?;
    number.as_i64().or_else(|| number.to_string().strip_suffix(".0")?.parse().ok())
}

/// How many digits of an amount are behind the point: krónur and Ugandan shillings still have two.
pub(crate) fn digits(currency: &str) -> usize {
    match currency.to_ascii_uppercase().as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "MGA" | "PYG" | "RWF" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// An amount in smallest units, written in major ones.
pub(crate) fn major(amount: i64, currency: &str) -> String {
    let digits = digits(currency);
    let (sign, text) = (if amount < 0 { "-" } else { "" }, format!("{:0>width$}", amount.unsigned_abs(), width = digits + 1));
    let (whole, fraction) = text.split_at(text.len() - digits);
    if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// What was written in major units, in smallest ones.
pub(crate) fn smallest(text: &str, currency: &str) -> i64 {
    let digits = digits(currency);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{:0<digits$}", fraction.trim_end_matches('0')).parse().expect("what was sold has a price in whole smallest units")
}
