//! The shop as a whole, with small bodies written by hand.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};

use super::*;
use crate::{
    adapter::{Hello, Request, Target, Transport},
    case::{ChargeSetup, OrderSetup, OwnRefund, OwnRefundDetails},
    domain::{Amount, Clock, OrderState, Status},
};

const NOW: u64 = 1_700_000_000;

fn amount(text: &str) -> Amount {
    Amount::parse(text).expect("an amount")
}

/// A shop with orders `11111111A` in USD (100.00, on two charges) and `11111111B` in JPY (500).
struct Scene {
    shop: ReferenceShop,
    clock: Clock,
    events: u32,
}

fn scene(fault: Option<Fault>) -> Scene {
    let clock = Clock::manual(NOW);
    let shop = match fault {
        Some(fault) => ReferenceShop::with_fault(fault, clock.clone()),
        None => ReferenceShop::new(clock.clone()),
    };
    let mut scene = Scene { shop, clock, events: 0 };
    scene.hello();
    let charge = |id: &str, captured: &str| ChargeSetup { id: id.to_owned(), captured_amount: amount(captured) };
    let order = |id: &str, currency: &str, captured: &str, charges| OrderSetup {
        order_id: id.to_owned(),
        currency: currency.to_owned(),
        captured_amount: amount(captured),
        payment_intent_id: None,
        charges,
        items: Vec::new(),
    };
    let orders = [
        order("11111111A", "USD", "100", vec![charge("c1", "60"), charge("c2", "40")]),
        order("11111111B", "JPY", "500", vec![charge("c3", "500")]),
    ];
    scene.shop.begin("case", &orders).expect("begun");
    scene
}

impl Scene {
    fn hello(&mut self) {
        let hello = Hello::new("digital-river", "whsec");
        let introduction = self.shop.hello(&hello).expect("hello");
        assert_eq!(introduction.name.split(" with ").next(), Some("refundproof-reference"));
        assert!(introduction.capabilities.durable && introduction.capabilities.verifies_signatures);
    }

    fn send(&mut self, body: impl AsRef<[u8]>) -> u16 {
        let body = body.as_ref();
        let now = self.clock.unix_seconds();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"whsec").expect("a key");
        mac.update(format!("{now}.").as_bytes());
        mac.update(body);
        let value = format!("{now}, {}", STANDARD.encode(mac.finalize().into_bytes()));
        let headers = [("digitalriver-signature".to_owned(), value)];
        self.shop.deliver(&Request::new(&headers, body)).expect("an answer")
    }

    /// An event about this object, created so many seconds after the first.
    fn body(&mut self, second: u32, kind: &str, object: &str) -> String {
        self.events += 1;
        let id = self.events;
        format!(
            r#"{{"id":"e{id}","type":"{kind}","data":{{"object":{object}}},"liveMode":false,"createdTime":"2022-03-17T16:00:{second:02}Z"}}"#
        )
    }

    #[track_caller]
    fn event(&mut self, second: u32, kind: &str, object: &str) -> &mut Scene {
        let body = self.body(second, kind, object);
        assert_eq!(self.send(&body), 200, "{body}: {}", self.shop.complaints());
        self
    }

    #[track_caller]
    fn refund(&mut self, second: u32, kind: &str, id: &str, state: &str, asked: &str, paid: &str) -> &mut Scene {
        self.event(second, kind, &refund(id, state, asked, paid))
    }

    #[track_caller]
    fn charge(&mut self, second: u32, kind: &str, id: &str, entries: &[(&str, &str)]) -> &mut Scene {
        self.event(second, &format!("order.charge.refund.{kind}"), &charge(id, entries))
    }

    #[track_caller]
    fn own(&mut self, id: &str, asked: &str) -> &mut Scene {
        let refund = OwnRefundDetails { id: id.to_owned(), amount: amount(asked), currency: "USD".to_owned() };
        self.shop.initiate(&OwnRefund { order_id: "11111111A".to_owned(), refund, answer_lost: false }).expect("initiated");
        self
    }

    fn state(&mut self, order: &str) -> OrderState {
        self.shop.observe(order).expect("a state").expect("an order")
    }

    #[track_caller]
    fn shows(&mut self, status: Status, paid: &str, available: &str) -> &mut Scene {
        let state = self.state("11111111A");
        assert_eq!(
            (state.status, state.refunded_amount, state.available_to_refund_amount),
            (status, amount(paid), Some(amount(available)))
        );
        self
    }

    #[track_caller]
    fn answers(&mut self, status: u16, body: impl AsRef<[u8]>) -> &mut Scene {
        assert_eq!(self.send(&body), status, "{}: {}", String::from_utf8_lossy(body.as_ref()), self.shop.complaints());
        self
    }
}

fn refund(id: &str, state: &str, asked: &str, paid: &str) -> String {
    format!(
        r#"{{"id":"{id}","orderId":"11111111A","currency":"USD","amount":{asked},"refundedAmount":{paid},"state":"{state}","items":[]}}"#
    )
}

fn charge(id: &str, entries: &[(&str, &str)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(state, amount)| format!(r#"{{"amount":{amount},"state":"{state}"}}"#)).collect();
    format!(
        r#"{{"id":"{id}","orderId":"11111111A","currency":"USD","amount":60.0,"state":"processing","refunded":true,"refunds":[{}]}}"#,
        entries.join(",")
    )
}

fn order(refunded: &str, available: &str, open: &str) -> String {
    format!(
        r#"{{"id":"11111111A","currency":"USD","capturedAmount":100.0,"refundedAmount":{refunded},"availableToRefundAmount":{available},"payment":{{"charges":[{{"id":"c1","refunds":[{{"amount":{open},"state":"pending"}}]}},{{"id":"c2"}}]}}}}"#
    )
}

// ---- statuses

#[test]
fn a_new_order() {
    scene(None).shows(Status::NotRefunded, "0", "100");
    assert_eq!(scene(None).shop.observe("nobody's").expect("an answer"), None);
}

#[test]
fn pending_then_waiting_then_paid() {
    let mut scene = scene(None);
    scene.refund(1, "refund.pending", "r", "pending", "30.0", "0.0").shows(Status::Pending, "0", "70");
    scene.refund(2, "refund.pending_information", "r", "pending_information", "30.0", "0.0").shows(Status::PendingInformation, "0", "70");
    scene.refund(3, "refund.complete", "r", "succeeded", "30.0", "25.5").shows(Status::PartiallyRefunded, "25.5", "74.5");
    let refunds = scene.state("11111111A").refunds.expect("refunds");
    assert_eq!((refunds.len(), refunds[0].amount, refunds[0].refunded_amount), (1, Some(amount("30")), amount("25.5")));
}

#[test]
fn waiting_comes_before_pending() {
    let mut scene = scene(None);
    scene.refund(1, "refund.pending_information", "r1", "pending_information", "1.0", "0.0");
    scene.refund(2, "refund.pending", "r2", "pending", "1.0", "0.0").shows(Status::PendingInformation, "0", "98");
}

#[test]
fn a_failed_refund() {
    let mut scene = scene(None);
    scene.refund(1, "refund.failed", "r1", "failed", "30.0", "0.0").shows(Status::Failed, "0", "100");
    scene.refund(2, "refund.complete", "r2", "succeeded", "30.0", "30.0").shows(Status::PartiallyRefunded, "30", "70");
}

#[test]
fn the_last_cent() {
    let mut scene = scene(None);
    scene.refund(1, "refund.complete", "r1", "succeeded", "99.99", "99.99").shows(Status::PartiallyRefunded, "99.99", "0.01");
    scene.refund(2, "refund.complete", "r2", "succeeded", "0.01", "0.01").shows(Status::Refunded, "100", "0");
}

#[test]
fn charges_alone() {
    let mut scene = scene(None);
    scene.charge(1, "complete", "c1", &[("complete", "10.0"), ("failed", "5.0")]).shows(Status::PartiallyRefunded, "10", "90");
    scene.charge(2, "complete", "c2", &[("complete", "40.0")]).shows(Status::PartiallyRefunded, "50", "50");
    scene.charge(3, "complete", "c1", &[("complete", "10.0"), ("failed", "5.0"), ("complete", "50.0")]).shows(Status::Refunded, "100", "0");
}

#[test]
fn refunds_and_charges_are_the_same_money() {
    let mut scene = scene(None);
    scene.refund(1, "refund.complete", "r1", "succeeded", "20.0", "20.0").refund(1, "refund.complete", "r2", "succeeded", "5.0", "5.0");
    scene.charge(2, "complete", "c1", &[("complete", "25.0")]).shows(Status::PartiallyRefunded, "25", "75");
    scene.event(3, "order.refunded", &order("25.0", "75.0", "0.0")).shows(Status::PartiallyRefunded, "25", "75");
}

#[test]
fn items_in_place_of_an_amount() {
    let object = r#"{"id":"r","orderId":"11111111A","currency":"USD","items":[{"amount":10.0,"refundedAmount":9.0},{"amount":2.5,"refundedAmount":2.5}],"refundedAmount":11.5,"state":"succeeded"}"#;
    let mut scene = scene(None);
    scene.event(1, "refund.complete", object).shows(Status::PartiallyRefunded, "11.5", "88.5");
    assert_eq!(scene.state("11111111A").refunds.expect("refunds")[0].amount, Some(amount("12.5")));
}

// ---- chargebacks

#[test]
fn a_chargeback_is_no_refund() {
    let mut scene = scene(None);
    scene.refund(1, "refund.complete", "r1", "succeeded", "20.0", "20.0").refund(2, "refund.pending", "r2", "pending", "5.0", "0.0");
    scene.event(3, "order.chargeback", &order("20.0", "45.0", "5.0")).shows(Status::ChargedBack, "20", "45");
    assert_eq!(scene.state("11111111A").charged_back_amount, Some(amount("30")));
    scene.refund(4, "refund.complete", "r2", "succeeded", "5.0", "5.0").shows(Status::ChargedBack, "25", "45");
    // An older one that comes late says less.
    scene.event(2, "order.chargeback", &order("20.0", "60.0", "0.0")).shows(Status::ChargedBack, "25", "45");
}

#[test]
fn disputes_and_sales_transactions_change_nothing() {
    let mut scene = scene(None);
    let sale = r#"{"id":"s","orderId":"11111111A","currency":"USD","amount":20.0,"type":"non_fraud_chargeback"}"#;
    scene.event(1, "order.dispute", &order("0.0", "100.0", "0.0")).event(2, "sales_transaction.created", sale);
    scene.event(3, "order.dispute.resolved", &order("0.0", "100.0", "0.0")).shows(Status::NotRefunded, "0", "100");
}

// ---- delivery

#[test]
fn late_and_repeated_events() {
    let mut scene = scene(None);
    let complete = scene.body(5, "refund.complete", &refund("r", "succeeded", "30.0", "30.0"));
    scene.answers(200, &complete).answers(200, &complete).shows(Status::PartiallyRefunded, "30", "70");
    scene.refund(1, "refund.pending", "r", "pending", "30.0", "0.0").shows(Status::PartiallyRefunded, "30", "70");
    scene.refund(9, "refund.updated", "r", "pending", "30.0", "0.0").shows(Status::PartiallyRefunded, "30", "70");
    scene.charge(5, "complete", "c1", &[("complete", "30.0")]).charge(1, "pending", "c1", &[("pending", "30.0")]);
    scene.answers(200, &complete).shows(Status::PartiallyRefunded, "30", "70");
}

#[test]
fn of_open_states_the_one_created_last() {
    let mut scene = scene(None);
    scene.refund(3, "refund.pending", "r", "pending", "30.0", "0.0");
    scene.refund(2, "refund.pending_information", "r", "pending_information", "30.0", "0.0").shows(Status::Pending, "0", "70");
}

#[test]
fn own_refunds() {
    let mut scene = scene(None);
    scene.own("r", "30").shows(Status::Pending, "0", "70");
    scene.refund(1, "refund.pending_information", "r", "pending_information", "30.0", "0.0").own("r", "30");
    scene.shows(Status::PendingInformation, "0", "70");
    scene.refund(2, "refund.complete", "r", "succeeded", "30.0", "30.0").shows(Status::PartiallyRefunded, "30", "70");
    let unknown = OwnRefundDetails { id: "r".to_owned(), amount: amount("1"), currency: "USD".to_owned() };
    assert!(scene.shop.initiate(&OwnRefund { order_id: "nobody's".to_owned(), refund: unknown, answer_lost: false }).is_err());
}

#[test]
fn a_restart_loses_nothing() {
    let mut scene = scene(None);
    let complete = scene.body(1, "refund.complete", &refund("r", "succeeded", "30.0", "30.0"));
    scene.answers(200, &complete);
    scene.shop.restart().expect("restarted");
    scene.answers(401, &complete).hello();
    scene.answers(200, &complete).shows(Status::PartiallyRefunded, "30", "70");
}

#[test]
fn the_end_of_a_case_frees_its_orders() {
    let mut scene = scene(None);
    scene.shop.end("case").expect("ended");
    assert_eq!(scene.shop.observe("11111111A").expect("an answer"), None);
}

// ---- refusals

#[track_caller]
fn refused(status: u16, object: &str) {
    let mut scene = scene(None);
    for kind in ["refund.complete", "order.charge.refund.complete"] {
        let is_charge = object.contains("refunds");
        if is_charge != (kind == "refund.complete") {
            let body = scene.body(1, kind, object);
            scene.answers(status, &body).shows(Status::NotRefunded, "0", "100");
            // The corrected event has the same id.
            let right = if is_charge { charge("c1", &[("complete", "20.0")]) } else { refund("r", "succeeded", "20.0", "20.0") };
            scene.answers(200, body.replace(object, &right)).shows(Status::PartiallyRefunded, "20", "80");
        }
    }
}

#[test]
fn invalid_events() {
    let right = refund("r", "succeeded", "20.0", "20.0");
    for wrong in [
        right.replace("\"id\":\"r\",", ""),
        right.replace("\"orderId\":\"11111111A\",", ""),
        right.replace("\"orderId\":\"11111111A\"", "\"orderId\":null"),
        right.replace("\"amount\":20.0,", ""),
        right.replace("\"refundedAmount\":20.0", "\"refundedAmount\":null"),
        right.replace("\"refundedAmount\":20.0", "\"refundedAmount\":-20.0"),
        right.replace("\"refundedAmount\":20.0", "\"refundedAmount\":{}"),
        right.replace("\"amount\":20.0", "\"amount\":\"20.0\""),
        right.replace("\"state\":\"succeeded\",", ""),
        "null".to_owned(),
        "[]".to_owned(),
        "\"refund\"".to_owned(),
    ] {
        refused(400, &wrong);
    }
    let right = charge("c1", &[("pending", "20.0"), ("complete", "20.0")]);
    for wrong in [
        right.replace("\"id\":\"c1\",", ""),
        right.replace("\"orderId\":\"11111111A\",", ""),
        right.replace("{\"amount\":20.0,\"state\":\"pending\"}", "{\"amount\":true,\"state\":\"pending\"}"),
        right.replace("\"refunds\":", "\"no-refunds\":"),
        right.replace("{\"amount\":20.0,\"state\":\"pending\"}", "[]"),
        charge("c1", &[]),
    ] {
        refused(400, &wrong);
    }
}

#[test]
fn doubtful_events() {
    let right = refund("r", "succeeded", "20.0", "20.0");
    refused(404, &right.replace("11111111A", "99999999A"));
    refused(422, &right.replace("USD", "EUR"));
    refused(422, &right.replace("succeeded", "reversed"));
    refused(422, &right.replace("20.0", "53.769999999999996"));
    refused(422, &right.replace("20.0", "100.01"));
    refused(422, &charge("c1", &[("complete", "60.0"), ("complete", "40.01")]));
    refused(422, &charge("c1", &[("reversed", "1.0")]));
}

#[test]
fn several_refunds_may_not_exceed_what_was_captured() {
    let mut scene = scene(None);
    scene.refund(1, "refund.complete", "r1", "succeeded", "60.0", "60.0");
    let body = scene.body(2, "refund.complete", &refund("r2", "succeeded", "60.0", "60.0"));
    scene.answers(422, &body).shows(Status::PartiallyRefunded, "60", "40");
    scene.charge(3, "complete", "c1", &[("complete", "60.0")]);
    let body = scene.body(4, "order.charge.refund.complete", &charge("c2", &[("complete", "40.01")]));
    scene.answers(422, &body).shows(Status::PartiallyRefunded, "60", "40");
}

#[test]
fn the_envelope_must_be_readable() {
    let mut scene = scene(None);
    let body = scene.body(1, "refund.complete", &refund("r", "succeeded", "20.0", "20.0"));
    for (status, wrong) in [
        (400, body.replace("\"id\":\"e1\",", "")),
        (400, body.replace("\"e1\"", "17")),
        (400, body.replace("\"e1\"", "\"\"")),
        (400, body.replace("\"type\":\"refund.complete\",", "")),
        (400, body.replace("\"refund.complete\"", "{}")),
        (400, body.replace("2022-03-17T16:00:01Z", "yesterday")),
        (422, body.replace("\"liveMode\":false", "\"liveMode\":true")),
        (400, format!("{body}ja")),
        (400, body[..100].to_owned()),
        (400, format!("\u{feff}{body}")),
    ] {
        scene.answers(status, &wrong).shows(Status::NotRefunded, "0", "100");
    }
    scene.answers(400, [body.as_bytes(), b"\xff"].concat()).answers(200, &body).shows(Status::PartiallyRefunded, "20", "80");
}

#[test]
fn the_same_event_in_other_words() {
    let mut scene = scene(None);
    let body = scene.body(1, "refund.complete", &refund("r", "succeeded", "20.0", "20.0"));
    let other = body
        .replace("\"refundedAmount\":20.0", " \"refunded\\u0041mount\" : 2.000e1 ")
        .replace("refund.complete", "refund\\u002ecomplete")
        .replace("11111111A", "1111111\\u0031A")
        .replace("\"items\":[]", "\"items\":null,\"xNew\":{\"amount\":[null]}")
        .replace("16:00:01Z", "16:00:01.000+0000")
        .replace("\"liveMode\":false,", "");
    scene.answers(200, &other).shows(Status::PartiallyRefunded, "20", "80");
}

#[test]
fn yen_have_no_cents() {
    let mut scene = scene(None);
    let yen = refund("r", "succeeded", "33.0", "33.0").replace("11111111A", "11111111B").replace("USD", "JPY");
    let body = scene.body(1, "refund.complete", &yen.replace("33.0", "33.5"));
    scene.answers(422, &body).event(1, "refund.complete", &yen);
    assert_eq!(scene.state("11111111B").refunded_amount, amount("33"));
}

#[test]
fn refusals_are_explained() {
    let mut scene = scene(None);
    scene.send("{");
    assert_eq!(scene.shop.complaints(), "the body is not JSON\n");
    assert_eq!(scene.shop.complaints(), "");
}

// ---- faults, one of each kind

#[test]
fn no_fault_shows_without_a_cause() {
    for info in faults() {
        let mut scene = scene(Some(info.fault));
        scene.shows(Status::NotRefunded, "0", if info.fault == Fault::CapturedOfFirstCharge { "60" } else { "100" });
    }
}

#[test]
fn both_layers_are_counted() {
    let mut scene = scene(Some(Fault::CountsBothLayers));
    scene.refund(1, "refund.complete", "r", "succeeded", "20.0", "20.0").charge(2, "complete", "c1", &[("complete", "20.0")]);
    scene.shows(Status::PartiallyRefunded, "40", "60");
}

#[test]
fn a_redelivery_is_booked_again() {
    for fault in [Fault::BooksRedeliveries, Fault::ForgetsEventIdsOnRestart] {
        let mut scene = scene(Some(fault));
        let body = scene.body(1, "refund.complete", &refund("r", "succeeded", "20.0", "20.0"));
        scene.answers(200, &body);
        if fault == Fault::ForgetsEventIdsOnRestart {
            scene.answers(200, &body).shows(Status::PartiallyRefunded, "20", "80");
            scene.shop.restart().expect("restarted");
            scene.hello();
        }
        scene.answers(200, &body).shows(Status::PartiallyRefunded, "40", "60");
    }
}

#[test]
fn spoiled_amounts() {
    for (fault, shown) in
        [(Fault::TextAmountIsZero, "0"), (Fault::TrueIsOne, "1"), (Fault::ExponentMisread, "2"), (Fault::NegativeAmountTaken, "7")]
    {
        let mut scene = scene(Some(fault));
        let paid = match fault {
            Fault::TextAmountIsZero => "\"7\"",
            Fault::TrueIsOne => "true",
            Fault::ExponentMisread => "2e1",
            _ => "-7",
        };
        scene.refund(1, "refund.complete", "r", "succeeded", "20.0", paid);
        assert_eq!(scene.state("11111111A").refunded_amount, amount(shown), "{fault:?}");
    }
}

#[test]
fn floats_leave_their_mark() {
    let mut sums = scene(Some(Fault::FloatSums));
    sums.refund(1, "refund.complete", "r1", "succeeded", "0.1", "0.1").refund(2, "refund.complete", "r2", "succeeded", "0.2", "0.2");
    sums.shows(Status::PartiallyRefunded, "0.30000000000000004", "99.69999999999999996");
    let mut cut = scene(Some(Fault::CentsTruncated));
    cut.refund(1, "refund.complete", "r1", "succeeded", "0.29", "0.29").shows(Status::PartiallyRefunded, "0.28", "99.72");
}

#[test]
fn a_broken_body_burns_its_id() {
    let mut scene = scene(Some(Fault::RemembersFailedEvents));
    let body = scene.body(1, "refund.complete", &refund("r", "succeeded", "20.0", "20.0"));
    scene.answers(400, &body[..150]).answers(200, &body).shows(Status::NotRefunded, "0", "100");
}

#[test]
fn updates_at_the_same_time_are_lost() {
    let mut scene = scene(Some(Fault::LostUpdate));
    let bodies: Vec<String> =
        ["r1", "r2"].iter().map(|id| scene.body(1, "refund.complete", &refund(id, "succeeded", "20.0", "20.0"))).collect();
    let signature = |body: &str| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"whsec").expect("a key");
        mac.update(format!("{NOW}.{body}").as_bytes());
        [("digitalriver-signature".to_owned(), format!("{NOW}, {}", STANDARD.encode(mac.finalize().into_bytes())))]
    };
    let headers: Vec<[(String, String); 1]> = bodies.iter().map(|body| signature(body)).collect();
    let requests: Vec<Request<'_>> = headers.iter().zip(&bodies).map(|(headers, body)| Request::new(headers, body.as_bytes())).collect();
    assert_eq!(scene.shop.deliver_together(&requests), [Ok(200), Ok(200)]);
    scene.shows(Status::PartiallyRefunded, "20", "80");
}

#[test]
fn a_slow_shop_takes_its_time() {
    let mut scene = scene(Some(Fault::SlowAnswer));
    let before = scene.clock.monotonic();
    scene.refund(1, "refund.complete", "r", "succeeded", "20.0", "20.0");
    assert!(scene.clock.monotonic() - before > Duration::from_secs(3));
}
