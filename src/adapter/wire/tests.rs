//! The documented lines, and lines that are wrong.

use serde_json::json;

use super::{answer::*, request::*, schema::protocol_schemas};
use crate::{
    adapter::{Observable, Request},
    case::{OrderSetup, OwnRefundDetails},
    domain::Amount,
};

/// Lines such as `docs/adapter-protocol.md`, "An example session", has.
const HELLO: &str = r#"{"id":1,"op":"hello","protocol":1,"provider":"digital-river","secret":"whsec_…"}"#;
const INTRODUCTION: &str =
    r#"{"id":1,"ok":true,"name":"acme-shop","version":"2.3.1","capabilities":{"observes":["currency","refunds"],"durable":true}}"#;
const BEGIN: &str = r#"{"id":2,"op":"begin","case":"c1","orders":[{"orderId":"235504220336","currency":"USD","capturedAmount":"27.01","charges":[{"id":"7c4d…","capturedAmount":"27.01"}],"items":[{"itemId":"162893300336","quantity":2,"amount":"21.61"}]}]}"#;
const PLAIN: &str = r#"{"id":2,"ok":true}"#;
const DELIVER: &str = r#"{"id":3,"op":"deliver","headers":{"content-type":"application/json","digitalriver-signature":"…"},"body":"{…}"}"#;
const DELIVERED: &str = r#"{"id":3,"ok":true,"status":200}"#;
const INITIATE: &str = r#"{"id":7,"op":"initiate","orderId":"235504220336","refund":{"id":"re_9ed7…","amount":"5.41","currency":"USD"}}"#;
const ADVANCE: &str = r#"{"id":8,"op":"advance","seconds":172800}"#;
const OBSERVE: &str = r#"{"id":4,"op":"observe","orderId":"235504220336"}"#;
const OBSERVED: &str = r#"{"id":4,"ok":true,"state":{"orderId":"235504220336","status":"refunded","refundedAmount":"27.01"}}"#;
const END: &str = r#"{"id":5,"op":"end","case":"c1"}"#;
const BYE: &str = r#"{"id":6,"op":"bye"}"#;
const DECLINED: &str = r#"{"id":9,"ok":false,"error":"why"}"#;

#[track_caller]
fn written(id: u64, operation: Operation<'_>, expected: &str) {
    let mut line = Vec::new();
    RequestLine { id, operation }.write_to(&mut line);
    assert_eq!(String::from_utf8_lossy(&line), format!("{expected}\n"));
}

#[test]
fn requests_are_the_documented_lines() {
    let orders: Vec<OrderSetup> = serde_json::from_str(
        r#"[{"orderId":"235504220336","currency":"USD","capturedAmount":"27.01","charges":[{"id":"7c4d…","capturedAmount":"27.01"}],"items":[{"itemId":"162893300336","quantity":2,"amount":"21.61"}]}]"#,
    )
    .expect("orders");
    let headers = [("content-type".to_owned(), "application/json".to_owned()), ("DigitalRiver-Signature".to_owned(), "…".to_owned())];
    let refund = OwnRefundDetails { id: "re_9ed7…".to_owned(), amount: Amount::from_minor(541, 2), currency: "USD".to_owned() };
    written(
        1,
        Operation::Hello { protocol: 1, provider: "digital-river", secret: "whsec_…", api_base_url: None, keys: None, live_mode: false },
        HELLO,
    );
    written(2, Operation::Begin { case: "c1", orders: &orders }, BEGIN);
    written(3, Operation::deliver(&Request::new(&headers, "{…}".as_bytes())), DELIVER);
    written(7, Operation::Initiate { order_id: "235504220336", refund: &refund }, INITIATE);
    written(8, Operation::Advance { seconds: 172_800 }, ADVANCE);
    written(4, Operation::Observe { order_id: "235504220336" }, OBSERVE);
    written(5, Operation::End { case: "c1" }, END);
    written(6, Operation::Bye, BYE);
}

#[test]
fn a_delivery_is_one_line_whatever_it_holds() {
    let headers = [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "\r\n".to_owned()), ("A".to_owned(), "2".to_owned())];
    let request = Request::new(&headers, b"\xff\n");
    written(1, Operation::deliver(&request), r#"{"id":1,"op":"deliver","headers":{"a":"1, 2","b":"\r\n"},"bodyBase64":"/wo="}"#);
    let request = Request::new(&[], b"{}").to("disputes");
    written(3, Operation::deliver(&request), r#"{"id":3,"op":"deliver","headers":{},"body":"{}","endpoint":"disputes"}"#);
    let request = Request::new(&[], b"\n\0");
    written(2, Operation::deliver(&request), r#"{"id":2,"op":"deliver","headers":{},"body":"\n\u0000"}"#);
}

#[test]
fn the_documented_answers_are_read() {
    let introduction = read_introduction(INTRODUCTION).expect("an introduction");
    assert_eq!((introduction.name.as_str(), introduction.version.as_str()), ("acme-shop", "2.3.1"));
    assert_eq!(introduction.capabilities.observes, [Observable::Currency, Observable::Refunds]);
    assert!(introduction.capabilities.durable && introduction.capabilities.concurrency == 1);
    assert_eq!(read_status(DELIVERED), Ok(200));
    let state = read_state(OBSERVED).expect("a state").expect("a known order");
    assert_eq!(state.refunded_amount, Amount::from_minor(2701, 2));
    assert_eq!(read_state(r#"{"id":4,"ok":true,"state":null}"#), Ok(None));
    assert_eq!(answer(DECLINED), Ok((9, Answer::Declined("why".to_owned()))));
    assert_eq!(answer(&format!(" {DELIVERED}\r")), Ok((3, Answer::Done(format!(" {DELIVERED}\r")))));
}

fn answer(line: &str) -> Result<(u64, Answer), String> {
    read_answer(line.as_bytes().to_vec(), |id| id < 10)
}

#[track_caller]
fn named(read: Result<impl std::fmt::Debug, String>, part: &str) {
    let problem = read.expect_err("nonsense was taken");
    assert!(problem.contains(part), "{problem}");
}

#[test]
fn lines_that_are_no_answers_are_named() {
    named(answer("starting…\x1b[0m"), r"not JSON: `starting…\u{1b}[0m`");
    named(answer("[1,true]"), "is an array, not an object: `[1,true]`");
    named(answer("17"), "is a number");
    named(answer(r#"{"ok":true}"#), "no `id`");
    named(answer(r#"{"id":"1","ok":true}"#), "`id` is not the number");
    named(answer(r#"{"id":11,"ok":true}"#), "not that of a request");
    named(answer(r#"{"id":1}"#), "no `ok`");
    named(answer(r#"{"id":1,"ok":"yes"}"#), "`ok` is a string");
    named(answer(r#"{"id":1,"id":1,"ok":true}"#), "is no answer");
    named(read_answer(b"\xff".to_vec(), |_| true), "not UTF-8: `\u{fffd}`");
}

#[test]
fn reasons_of_any_kind_are_shown() {
    assert_eq!(answer(r#"{"id":1,"ok":false}"#), Ok((1, Answer::Declined("it gave no reason".to_owned()))));
    assert_eq!(answer(r#"{"id":1,"ok":false,"error":{"code":5}}"#), Ok((1, Answer::Declined(r#"{"code":5}"#.to_owned()))));
}

#[test]
fn wrong_members_of_introductions_are_named() {
    let hello = |members: &str| read_introduction(&format!(r#"{{"id":1,"ok":true,{members}}}"#));
    assert!(hello(r#""protocol":"7","capabilities":{"clock":true}"#).is_ok());
    named(hello(r#""capabilities":{"durabel":true}"#), "`capabilities.durabel` is unknown; did you mean `durable`?");
    named(hello(r#""version":2"#), "`version` is a number, not a string");
    named(hello(r#""capabilities":[]"#), "`capabilities` is an array");
    named(hello(r#""capabilities":null"#), "`capabilities` is null");
    named(hello(r#""capabilities":{"observes":[],"durable":"yes"}"#), "`capabilities.durable`: invalid type: string \"yes\"");
    named(hello(r#""capabilities":{"observes":["everything"]}"#), "`capabilities.observes`: unknown variant `everything`");
    named(hello(r#""capabilities":{"concurrency":0}"#), "`capabilities.concurrency` is 0");
    named(hello(r#""capabilities":{"concurrency":-1}"#), "`capabilities.concurrency`");
}

#[test]
fn wrong_statuses_are_named() {
    named(read_status(PLAIN), "no `status`");
    named(read_status(r#"{"id":3,"ok":true,"status":"200"}"#), "`status` is \"200\"");
    named(read_status(r#"{"id":3,"ok":true,"status":0}"#), "`status` is 0,");
    named(read_status(r#"{"id":3,"ok":true,"status":70000}"#), "`status` is 70000,");
    named(read_status(r#"{"id":3,"ok":true,"status":200,"status":500}"#), "`status` twice");
}

#[test]
fn wrong_members_of_states_are_named() {
    let state = |state: &str| read_state(&format!(r#"{{"id":4,"ok":true,"state":{state}}}"#));
    named(read_state(PLAIN), "no `state`");
    named(state("5"), "`state` is a number");
    named(state(r#"["1","refunded","1"]"#), "`state` is an array");
    named(state("{}"), "`state` is empty");
    named(state(r#"{"orderId":"1","status":"refunded"}"#), "`state`: missing field `refundedAmount`");
    named(state(r#"{"orderId":"1","status":"done","refundedAmount":"1"}"#), "`state.status`: unknown variant `done`");
    named(state(r#"{"orderId":1,"status":"done"}"#), "`state.orderId`: invalid type");
    named(state(r#"{"orderId":"1","status":"refunded","refundedAmount":true}"#), "`state.refundedAmount`: an amount is");
    named(
        state(r#"{"orderId":"1","status":"refunded","refundedAmount":"1","refunds":[{"id":"re_1","state":"complete"}]}"#),
        "`state.refunds[0].state`: unknown variant `complete`",
    );
    named(
        state(r#"{"orderId":"1","status":"refunded","refundedAmount":"1","refunds":[{"id":"re_1"}]}"#),
        "`state.refunds[0]`: missing field `state`",
    );
}

/// Whether a line is a request, or an answer of this kind.
#[track_caller]
fn fits(name: &str, line: &str, expected: bool) {
    let [(_, requests), (_, answers)] = protocol_schemas();
    let schema = match name {
        "Request" => requests.to_value(),
        "Answer" => answers.to_value(),
        _ => json!({"$ref": format!("#/$defs/{name}"), "$defs": answers.get("$defs")}),
    };
    let validator = jsonschema::validator_for(&schema).expect("a JSON Schema");
    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(validator.is_valid(&line), expected, "{name}: {line}: {:?}", validator.validate(&line));
}

#[test]
fn the_schema_describes_the_documented_lines() {
    fits("Request", r#"{"id":3,"op":"deliver","headers":{},"bodyBase64":"/wo="}"#, true);
    for line in [HELLO, BEGIN, DELIVER, INITIATE, OBSERVE, END, BYE] {
        fits("Request", line, true);
    }
    fits("HelloAnswer", INTRODUCTION, true);
    fits("PlainAnswer", PLAIN, true);
    fits("HelloAnswer", PLAIN, true);
    fits("DeliverAnswer", DELIVERED, true);
    fits("ObserveAnswer", OBSERVED, true);
    fits("ObserveAnswer", r#"{"id":4,"ok":true,"state":null,"extra":1}"#, true);
    fits("DeclinedAnswer", DECLINED, true);
    for line in [INTRODUCTION, PLAIN, DELIVERED, OBSERVED, DECLINED] {
        fits("Answer", line, true);
    }
}

#[test]
fn the_schema_refuses_other_lines() {
    fits("Request", r#"{"id":1,"op":"dance"}"#, false);
    fits("Request", r#"{"id":1,"op":"deliver","headers":{},"body":null}"#, false);
    fits("Answer", r#"{"id":"1","ok":true}"#, false);
    fits("PlainAnswer", DECLINED, false);
    fits("DeclinedAnswer", PLAIN, false);
    fits("DeliverAnswer", PLAIN, false);
    fits("DeliverAnswer", r#"{"id":3,"ok":true,"status":99}"#, false);
    fits("ObserveAnswer", PLAIN, false);
    fits("ObserveAnswer", r#"{"id":4,"ok":true,"state":{"orderId":"1"}}"#, false);
}
