//! The catalogue: every event type, who names it, where its example stands, and what kind of object it carries.
//!
//! The documents disagree about which types there are. That stays visible: each entry lists the documents that name
//! it, and oddities are told in a note.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use refundproof::json::Value;
use serde::Serialize;

use super::examples::Example;
use super::names::Names;
use super::output;
use super::recipes::{FILE, Recipes};
use super::synthesize::Composed;

/// One event type.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    /// The event type.
    #[serde(rename = "type")]
    pub(crate) event: String,
    /// What its example carries.
    pub(crate) object: Object,
    /// The documents that name it.
    pub(crate) named_by: Vec<&'static str>,
    /// Whether a document shows an example.
    pub(crate) documented: bool,
    /// The example's file.
    pub(crate) example: String,
    /// Whether the provider sends it by default, where a document says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_on: Option<bool>,
    /// For a type that no document names: where it is known from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assumed: Option<String>,
    /// What is odd about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// What an event carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Object {
    /// A refund.
    Refund,
    /// A charge of an order.
    Charge,
    /// An order.
    Order,
    /// A booking.
    SalesTransaction,
    /// Anything else.
    Other,
}

/// Builds the catalogue, sorted by type.
pub(crate) fn build(names: &Names, examples: &[Example], composed: &[Composed], recipes: &Recipes) -> Result<Vec<Entry>> {
    let mut entries = BTreeMap::new();
    for made in composed.iter().filter(|made| !made.second) {
        entries.insert(made.event.as_str(), entry(&made.event, false, output::composed_path(made), &made.value));
    }
    for example in examples.iter().filter(|example| !example.is_second()) {
        entries.insert(&example.event, entry(&example.event, true, example.file.clone(), &example.value));
    }
    for (event, entry) in &mut entries {
        entry.named_by = names.types.get(*event).cloned().unwrap_or_default();
        entry.default_on = names.defaults.get(*event).copied();
        entry.assumed = recipes.extras.iter().find(|extra| extra.event == *event).map(|extra| extra.assumed.clone());
        entry.note = note(event, names, examples, composed, recipes);
    }
    for note in &recipes.notes {
        ensure!(
            entries.contains_key(note.event.as_str()),
            "{FILE}: note on {}: the catalogue has no such type; remove the note",
            note.event
        );
    }
    Ok(entries.into_values().collect())
}

/// What the payload carries, told by the members that only such an object has.
pub(crate) fn object(event: &str, value: &Value) -> Object {
    let Some(object) = value.pointer("/data/object") else {
        return Object::Other;
    };
    // Some providers send the object itself as data, and its kind in a member of it.
    if let Some(kind) = object.as_str() {
        return if kind == "refund" { Object::Refund } else { Object::Other };
    }
    let has = |member: &str| object.get(member).is_some();
    let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
    if event.starts_with("sales_transaction.") {
        Object::SalesTransaction
    } else if id.starts_with("re_") {
        Object::Refund
    } else if has("sourceId") && has("orderId") && has("amount") {
        Object::Charge
    } else if has("payment") || has("capturedAmount") {
        Object::Order
    } else {
        Object::Other
    }
}

fn entry(event: &str, documented: bool, example: String, value: &Value) -> Entry {
    Entry {
        event: event.to_owned(),
        object: object(event, value),
        named_by: Vec::new(),
        documented,
        example,
        default_on: None,
        assumed: None,
        note: None,
    }
}

fn note(event: &str, names: &Names, examples: &[Example], composed: &[Composed], recipes: &Recipes) -> Option<String> {
    let mut notes = names.notes.get(event).cloned().unwrap_or_default();
    notes.extend(recipes.notes.iter().filter(|note| note.event == event).map(|note| note.text.clone()));
    let second = composed.iter().filter(|made| made.second && made.event == event);
    notes.extend(second.map(|made| format!("a second example is composed in {}", output::composed_path(made))));
    let second = examples.iter().filter(|example| example.is_second() && example.event == event);
    notes.extend(second.map(|example| format!("{} shows another example, which is kept in {}", example.document, example.file)));
    (!notes.is_empty()).then(|| notes.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! json {
        ($($text:tt)*) => {
            refundproof::json::to_value(&serde_json::json!($($text)*)).unwrap()
        };
    }

    #[track_caller]
    fn check(event: &str, carried: Value, expected: Object) {
        assert_eq!(object(event, &json!({"data": {"object": carried}})), expected);
    }

    #[test]
    fn kinds_of_objects() {
        check("refund.failed", json!({"id": "re_1", "amount": 1.0}), Object::Refund);
        check("order.charge.refund.failed", json!({"sourceId": "s", "orderId": "o", "amount": 1.0}), Object::Charge);
        check("order.charge.refund.failed", json!({"id": "1", "payment": {}}), Object::Order);
        check("order.cancelled", json!({"id": "1", "capturedAmount": 0.0}), Object::Order);
        check("sales_transaction.created", json!({"orderId": "o", "amount": 1.0}), Object::SalesTransaction);
        check("subscription.deleted", json!({}), Object::Other);
        assert_eq!(object("a.b", &json!({})), Object::Other);
        assert_eq!(object("refund.failed", &json!({"data": {"id": "rfd_1", "object": "refund"}})), Object::Refund);
        assert_eq!(object("payout.reversed", &json!({"data": {"id": "pot_1", "object": "payout"}})), Object::Other);
    }
}
