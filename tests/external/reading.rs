//! How serde_json reads what changes with its features: floats below `flatten`, in tagged and untagged enums, and the order of
//! members.
#![expect(dead_code, reason = "what is read is only printed")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, Serialize)]
struct Price {
    currency: String,
    #[serde(flatten)]
    money: Money,
}

#[derive(Debug, Deserialize, Serialize)]
struct Money {
    amount: f64,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Event {
    Refund { amount: f64 },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Rate {
    Number(f64),
    Text(String),
}

#[derive(Debug, Deserialize)]
struct Rest {
    #[serde(flatten)]
    members: BTreeMap<String, serde_json::Value>,
}

#[track_caller]
fn check<T: for<'de> Deserialize<'de> + std::fmt::Debug>(text: &str, expected: &str) {
    assert_eq!(format!("{:?}", serde_json::from_str::<T>(text).map_err(|error| error.to_string())), expected);
}

#[test]
fn floats_below_flatten() {
    check::<Price>(r#"{"currency":"USD","amount":21.6}"#, r#"Ok(Price { currency: "USD", money: Money { amount: 21.6 } })"#);
    check::<Price>(r#"{"currency":"USD","amount":2.16e1}"#, r#"Ok(Price { currency: "USD", money: Money { amount: 21.6 } })"#);
}

#[test]
fn floats_in_enums() {
    check::<Event>(r#"{"type":"refund","amount":21.6}"#, "Ok(Refund { amount: 21.6 })");
    check::<Rate>("0.19", "Ok(Number(0.19))");
    check::<Rate>(r#""x""#, r#"Ok(Text("x"))"#);
}

#[test]
fn numbers_of_any_member() {
    check::<Rest>(
        r#"{"b":1.50,"a":12345678901234567890123}"#,
        r#"Ok(Rest { members: {"a": Number(1.2345678901234568e+22), "b": Number(1.5)} })"#,
    );
}

#[test]
fn members_are_sorted() {
    let value: serde_json::Value = serde_json::from_str(r#"{"z":1,"a":2}"#).expect("JSON");
    assert_eq!(value.to_string(), r#"{"a":2,"z":1}"#);
    assert_eq!(serde_json::json!({"z": 1.10, "a": 2}).to_string(), r#"{"a":2,"z":1.1}"#);
}
