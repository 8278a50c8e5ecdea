//! How orders are shown, mapped and told of.

use std::time::Duration;

use refundproof::{
    adapter::{HttpSettings, Mapping, Setup, Target, TargetError},
    case::OrderSetup,
    domain::Status,
};

use super::LONG;
use crate::common::server::{Reply, Server, greeted};

fn order() -> Vec<OrderSetup> {
    serde_json::from_str(r#"[{"orderId":"23/5 a","currency":"USD","capturedAmount":"27.01"}]"#).expect("orders")
}

/// What is read when an order is shown like this.
fn observed(status: u16, body: &str) -> Result<Option<Status>, TargetError> {
    observed_with(status, body, None)
}

fn observed_with(status: u16, body: &str, mapping: Option<&str>) -> Result<Option<Status>, TargetError> {
    let body = body.to_owned();
    let server = Server::new(move |asked, _| match asked.path.as_str() {
        "/orders/23%2F5%20a" => Reply::Answer(status, body.clone()),
        _ => Reply::Answer(200, String::new()),
    });
    let mapping: Option<Mapping> = mapping.map(|text| toml::from_str(text).expect("a mapping"));
    let mut target = greeted(&HttpSettings { mapping, other_limit: LONG, ..server.settings() });
    target.begin("c", &order())?;
    target.observe("23/5 a").map(|state| state.map(|state| state.status))
}

#[track_caller]
fn is_nonsense(answer: Result<Option<Status>, TargetError>, parts: &[&str]) {
    let error = answer.expect_err("a state");
    assert!(!error.is_targets_fault(), "{error:?}");
    let text = error.to_string();
    assert!(parts.iter().all(|part| text.contains(part)) && !text.contains('\n'), "{text}");
    assert!(text.len() < 2_000, "{} characters", text.len());
}

#[test]
fn orders_as_the_contract_shows_them() {
    assert_eq!(observed(200, r#"{"orderId":"23/5 a","status":"refunded","refundedAmount":27.01}"#), Ok(Some(Status::Refunded)));
    assert_eq!(observed(404, "no such order"), Ok(None));
}

#[test]
fn orders_that_cannot_be_read() {
    is_nonsense(observed(200, "<html>"), &["observe", "<html>"]);
    is_nonsense(observed(200, r#"{"orderId":"1"}"#), &["status"]);
    is_nonsense(observed(500, "out of order\nback soon"), &["/orders/", "answered 500", "out of order"]);
    is_nonsense(observed(302, ""), &["answered 302"]);
}

#[test]
fn a_huge_order_is_an_error() {
    let huge = format!(r#"{{"orderId":"{}","status":"refunded","refundedAmount":1}}"#, "x".repeat(9 << 20));
    is_nonsense(observed(200, &huge), &["longer than 1 MiB"]);
}

const MAPPING: &str = r#"
    amounts = "minor"
    currency = "/money/currency"
    refundedAmount = "/money/back"
    status = "/state"
    [statuses]
    PART = "partially_refunded"
"#;

#[test]
fn a_shape_of_its_own() {
    let shown = r#"{"state":"PART","money":{"currency":"USD","back":541}}"#;
    assert_eq!(observed_with(200, shown, Some(MAPPING)), Ok(Some(Status::PartiallyRefunded)));
}

#[test]
fn mapping_errors_name_everything() {
    let wrong = |from: &str, to: &str| {
        let shown = r#"{"state":"PART","money":{"currency":"USD","back":541}}"#.replace(from, to);
        observed_with(200, &shown, Some(MAPPING))
    };
    is_nonsense(wrong("PART", "GONE"), &["mapping.status", "`/state`", "\"GONE\"", "[mapping.statuses]", "in the document `{"]);
    is_nonsense(wrong("\"back\"", "\"front\""), &["mapping.refundedAmount", "`/money/back` finds nothing", "\"front\":541"]);
    is_nonsense(wrong("541", "5.41"), &["mapping.refundedAmount", "5.41", "no whole number of minor units"]);
    is_nonsense(wrong("541", "[]"), &["`[]`", "no amount"]);
    is_nonsense(wrong("\"USD\"", "null"), &["mapping.currency", "null"]);
    is_nonsense(observed_with(200, "not JSON\u{1b}[2J", Some(MAPPING)), &["not JSON", "\\u{1b}"]);
    is_nonsense(observed_with(200, &format!("[{}1]", "1,".repeat(50_000)), Some(MAPPING)), &["finds nothing", "…"]);
}

#[test]
fn null_is_no_order() {
    for mapping in [None, Some(MAPPING)] {
        is_nonsense(observed_with(200, "null", mapping), &["null is no state; an unknown order is answered with 404"]);
    }
}

#[test]
fn a_set_up_that_refuses() {
    let server = Server::new(|_, _| Reply::Answer(422, "no orders today".to_owned()));
    let error = server.target().begin("c", &order()).expect_err("it was refused");
    assert!(!error.is_targets_fault());
    let text = error.to_string();
    assert!(["begin", "/test/orders", "answered 422", "no orders today"].iter().all(|part| text.contains(part)), "{text}");
}

#[track_caller]
fn set_up_by(script: &str) -> Result<(), TargetError> {
    let server = Server::shop();
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    let mut target = greeted(&HttpSettings { setup: Setup::Command(command), other_limit: Duration::from_secs(5), ..server.settings() });
    target.begin("c17", &order())
}

#[test]
fn a_set_up_by_command() {
    set_up_by(r#"read -r line || test -n "$line"; case $line in *'"case":"c17"'*'"capturedAmount":"27.01"'*) exit 0;; esac; exit 1"#)
        .expect("the orders were told");
    // Nobody has to read them.
    set_up_by("exit 0").expect("it ended well");
}

#[test]
fn a_set_up_command_that_fails_says_why() {
    let failed = |script: &str, parts: &[&str]| {
        let text = set_up_by(script).expect_err("it fails").to_string();
        assert!(parts.iter().all(|part| text.contains(part)) && !text.contains('\n'), "{text}");
    };
    failed("echo first >&2; echo no database >&2; exit 4", &["`sh -c", "exit status: 4", "`no database`"]);
    failed("kill -9 $$", &["SIGKILL"]);
    failed("sleep 100", &["did not end within 5 s"]);
    let server = Server::shop();
    let command = vec!["./no-such-program".to_owned()];
    let error = greeted(&HttpSettings { setup: Setup::Command(command), ..server.settings() }).begin("c", &order()).expect_err("it fails");
    assert!(error.to_string().contains("`./no-such-program` was not found"), "{error}");
}
