//! What is read is written again as it was.

use super::*;

#[track_caller]
fn same(text: &str) {
    let value: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(value.to_string(), text);
}

#[test]
fn numbers_and_members_stay_as_they_are_written() {
    same(r#"{"z":1.0,"a":[27.10,2.16e1,-0,53.7699999999999960001],"m":{"b":null,"a":true}}"#);
    same(r#"{"twice":1,"twice":2}"#);
    same("123456789012345678901234567890");
    same(r#""\"ü\\""#);
}

#[test]
fn white_space_goes() {
    let value: Value = serde_json::from_str(" { \"a\" : [ 1 , 2 ] } ").expect("JSON");
    assert_eq!(value.to_string(), r#"{"a":[1,2]}"#);
}

#[test]
fn of_members_that_are_there_twice_the_last_counts() {
    let value: Value = serde_json::from_str(r#"{"a":1,"a":2}"#).expect("JSON");
    assert_eq!(value["a"].as_u64(), Some(2));
}

#[test]
fn pointers_find_members_and_elements() {
    let value: Value = serde_json::from_str(r#"{"a":[{"b/c":7}],"":1}"#).expect("JSON");
    let found = |pointer: &str| value.pointer(pointer).map(Value::to_string);
    assert_eq!(found("/a/0/b~1c").as_deref(), Some("7"));
    assert_eq!(found("/").as_deref(), Some("1"));
    assert_eq!(found("").map(|text| text.len()), Some(22));
    assert_eq!(found("/a/00"), None);
    assert_eq!(found("a"), None);
}

#[test]
fn what_serde_json_takes_for_its_own_is_a_member_like_others() {
    same(r#"{"$serde_json::private::RawValue":"1"}"#);
    same(r#"{"$serde_json::private::Number":"1"}"#);
}

#[test]
fn what_is_too_deep_is_refused() {
    let deep = |levels: usize| serde_json::from_str::<Value>(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    assert!(deep(127).is_ok());
    assert!(deep(128).is_err());
    assert!(deep(10_000).is_err());
}

#[test]
fn errors_of_parts_name_no_place() {
    let value: Value = serde_json::from_str(r#"{"a":"x"}"#).expect("JSON");
    let error = from_value::<std::collections::BTreeMap<String, u8>>(&value).expect_err("no number");
    assert!(!error.contains("line"), "{error}");
}

#[test]
fn values_are_counted() {
    assert_eq!(super::values(br#"{"a,[{\\\"": [1, "],", {}]}"#), 5);
    assert_eq!(super::values(b"1"), 0);
}
