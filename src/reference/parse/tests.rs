//! The documented examples, and what the parser takes and refuses of them.

use std::{fs, path::Path};

use super::*;
use crate::reference::dialect::FIRST;

/// A body of the corpus, parsed.
fn documented(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(FIRST.provider).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(text: &str) -> Result<Option<Event<'_>>, Refusal> {
    Envelope::open(text, FIRST, Faults::default())?.read()
}

fn amount(text: &str) -> Amount {
    Amount::parse(text).expect("an amount")
}

#[track_caller]
fn check_refund(name: &str, state: RefundState, asked: &str, paid: &str) {
    let text = documented(name);
    let event = read(&text).expect("a valid event").expect("an event about refunds");
    assert!(event.is_of(false), "{name} is of the test mode");
    let Told::Refund(told) = event.told else { panic!("{name} tells of a refund") };
    assert!(told.id.starts_with("re_"));
    assert_eq!((told.state, told.amount, told.paid), (state, amount(asked), amount(paid)), "{name}");
}

#[test]
fn documented_refunds() {
    check_refund("examples/refund.complete.json", RefundState::Succeeded, "13.51", "13.51");
    check_refund("examples/refund.failed.json", RefundState::Failed, "27.01", "0");
    check_refund("examples/refund.pending.json", RefundState::Pending, "13.51", "0");
    check_refund("examples/refund.pending_information.json", RefundState::PendingInformation, "33", "0");
    check_refund("synthesized/refund.created.json", RefundState::Pending, "13.51", "0");
    check_refund("synthesized/refund.succeeded.json", RefundState::Succeeded, "13.51", "13.51");
    check_refund("synthesized/refund.updated.json", RefundState::Pending, "13.51", "0");
}

#[track_caller]
fn check_charge(name: &str, state: RefundState) {
    let text = documented(name);
    let event = read(&text).expect("a valid event").expect("an event about refunds");
    let Told::Charge(told) = event.told else { panic!("{name} tells of a charge") };
    assert_eq!((&*event.order_id, &*told.id), ("204289570336", "a9ee46e8-0598-4816-8784-e48a1c1a107e"));
    assert_eq!(told.entries, [Entry { state, amount: amount("5.38") }], "{name}");
}

#[test]
fn documented_charge_refunds() {
    check_charge("examples/order.charge.refund.complete.json", RefundState::Succeeded);
    check_charge("synthesized/order.charge.refund.failed.charge.json", RefundState::Failed);
    check_charge("synthesized/order.charge.refund.pending.json", RefundState::Pending);
    check_charge("synthesized/order.charge.refund.pending_information.json", RefundState::PendingInformation);
}

#[test]
fn the_documented_failed_charge_refund_carries_the_order() {
    let text = documented("examples/order.charge.refund.failed.json");
    let event = read(&text).expect("a valid event").expect("an event about refunds");
    assert_eq!((&*event.order_id, event.told), ("183238120336", Told::Nothing));
}

#[test]
fn a_chargeback_says_how_the_order_stands() {
    let text = documented("synthesized/order.chargeback.json");
    let event = read(&text).expect("a valid event").expect("an event about a chargeback");
    let told = ChargebackTold { refunded: amount("21.6"), open: Amount::ZERO, available: Amount::ZERO };
    assert_eq!((&*event.order_id, event.told), ("235504220336", Told::Chargeback(told)));
}

#[test]
fn every_other_example_tells_nothing() {
    let mut others = 0;
    for folder in ["examples", "synthesized"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(FIRST.provider).join(folder);
        for entry in fs::read_dir(path).expect("a folder") {
            let text = fs::read_to_string(entry.expect("an entry").path()).expect("a text");
            let envelope = Envelope::open(&text, FIRST, Faults::default()).expect("an event");
            if envelope.topic() == Topic::Other {
                assert_eq!(envelope.read(), Ok(None));
                others += 1;
            }
        }
    }
    assert!(others > 50, "{others}");
}

#[test]
fn documented_defects_are_malformed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(FIRST.provider).join("defects");
    for entry in fs::read_dir(path).expect("a folder") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("a text");
        let refusal = Envelope::open(&text, FIRST, Faults::default()).expect_err("a defect");
        assert_eq!(refusal.kind, super::super::refusal::RefusalKind::Malformed, "{text}");
    }
}

#[track_caller]
fn refused(text: &str, status: u16) {
    assert_eq!(read(text).map_err(Refusal::status), Err(status), "{text}");
}

#[test]
fn what_is_no_event() {
    for text in ["", " ", "{", "null", "[]", "\"event\"", "42", "{}", "{}{}", "{\"type\":\"x\"}}", "{\"type\":\"x\",}", "{\"type\":1}"] {
        refused(text, 400);
    }
    // What `derive` takes for a struct, member by member.
    refused(r#"["id","refund.complete",{},"2022-03-17T16:23:29Z",false]"#, 400);
    refused(r#"{"type":"x","type":"x"}"#, 400);
}

#[test]
fn types_that_do_not_matter_need_nothing_else() {
    for text in [r#"{"type":"x"}"#, r#"{"type":"sku.created","data":7}"#, r#"{"id":[],"type":"order.refunded","data":{"object":"?"}}"#] {
        assert_eq!(read(text), Ok(None), "{text}");
    }
}

#[test]
fn hostile_names_and_depths() {
    refused(r#"{"type":"x","a":{"$serde_json::private::Number":"1"}}"#, 400);
    refused(r#"{"type":"x","$serde_json::private::RawValue":"1"}"#, 400);
    let refund = documented("examples/refund.complete.json");
    // The same name, written so that only a reader of escapes sees it.
    refused(
        &refund.replace("\"amount\": 13.51,\n            \"created", r#""amount": {"\u0024serde_json::private::Number":"1"},"created"#),
        400,
    );
    let nested = |levels: usize| format!(r#"{{"type":"x","a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    assert_eq!(read(&nested(126)), Ok(None));
    refused(&nested(127), 400);
    refused(&nested(100_000), 400);
    let brackets = format!(r#"{{"type":"x","a":"\"{}"}}"#, "[".repeat(1000));
    assert_eq!(read(&brackets), Ok(None), "brackets in a text are no levels");
}

#[track_caller]
fn check_amount(raw: &str, expected: Result<(&str, usize), u16>) {
    let raw: &RawValue = serde_json::from_str(raw).expect("JSON");
    let mut amounts = Amounts::new(Faults::default());
    let read = amounts.read(Some(raw)).map(|amount| amount.map(|amount| (amount.to_fixed(0), amounts.digits)));
    let expected = expected.map(|(text, digits)| Some((text.to_owned(), digits)));
    assert_eq!(read.map_err(Refusal::status), expected, "{raw}");
}

#[test]
fn amounts_and_their_digits() {
    check_amount("21.6", Ok(("21.6", 1)));
    check_amount("21.600", Ok(("21.6", 1)));
    check_amount("2.16e1", Ok(("21.6", 1)));
    check_amount("2160E-2", Ok(("21.6", 1)));
    check_amount("33.0", Ok(("33", 0)));
    check_amount("-0.0", Ok(("0", 0)));
    check_amount("53.769999999999996", Ok(("53.769999999999996", 15)));
    check_amount("1e40", Err(422));
    for raw in ["-21.6", "true", "[]", "{}", "\"21.6\""] {
        check_amount(raw, Err(400));
    }
}
