//! What may be shown after each entry of a case, with deliveries of one refund of 10.00 each of an order of 100.00.

use super::*;
use crate::{
    case::{Body, Delivery, Entry, OrderSetup, OwnRefund, OwnRefundDetails, SCHEMA},
    domain::{Amount, EventTime, RefundState},
    model::{EventFacts, Tell},
};

const TEN: u64 = 1000;

fn amount(cents: u64) -> Amount {
    Amount::from_minor(cents, 2)
}

/// A refund of 10.00 succeeded; `refund` names it.
fn delivery(refund: &str, effect: Effect) -> Delivery {
    let tell = Tell::Refund {
        id: refund.to_owned(),
        state: RefundState::Succeeded,
        amount: amount(TEN),
        refunded_amount: amount(TEN),
        in_passing: false,
    };
    let event = EventFacts {
        id: format!("event of {refund}"),
        kind: format!("refund.{refund}"),
        order_id: Some("o1".to_owned()),
        created_time: EventTime::parse("2024-05-06T07:08:09Z").expect("a time"),
        sequence: 0,
        // What must be refused tells nothing that counts.
        tells: if matches!(effect, Effect::Accept | Effect::Tolerate) { vec![tell] } else { Vec::new() },
    };
    Delivery { effect, ..Delivery::plain(event, Body::new("{}")) }
}

fn deliver(refund: &str, effect: Effect) -> Act {
    Act::Deliver(Box::new(delivery(refund, effect)))
}

fn own(refund: &str) -> Act {
    let details = OwnRefundDetails { id: refund.to_owned(), amount: amount(TEN), currency: "USD".to_owned() };
    Act::Initiate(OwnRefund { order_id: "o1".to_owned(), refund: details, answer_lost: false })
}

fn case(acts: Vec<Act>) -> Case {
    let entry = |act| Entry { act, expect: Vec::new(), expect_if_refused: Vec::new() };
    let mut case = Case {
        schema: SCHEMA.to_owned(),
        title: String::new(),
        provider: "any".to_owned(),
        requirement: None,
        orders: vec![OrderSetup::new("o1", "USD", amount(100 * 100))],
        entries: acts.into_iter().map(entry).collect(),
        api: Vec::new(),
        expect: Vec::new(),
        expect_if_applied: Vec::new(),
        plan: None,
    };
    case.expect_again(&[true]);
    case
}

/// What may be shown as paid back after each entry, and at the end.
fn ranges(case: &Case) -> Vec<String> {
    let of = |expected: &crate::model::Expectation| {
        let range = expected.refunded_amount;
        if range.is_exact() { range.least.to_string() } else { format!("{} to {}", range.least, range.most) }
    };
    case.entries.iter().flat_map(|entry| entry.expect.iter().map(of)).chain(case.expect.iter().map(of)).collect()
}

#[track_caller]
fn shows(acts: Vec<Act>, expected: &[&str]) {
    assert_eq!(ranges(&case(acts)), expected);
}

#[test]
fn each_delivery_moves_on() {
    shows(vec![deliver("a", Effect::Accept), deliver("b", Effect::Accept)], &["10.00", "20.00", "20.00"]);
}

#[test]
fn a_redelivery_moves_nothing() {
    shows(vec![deliver("a", Effect::Accept), deliver("a", Effect::Accept)], &["10.00", "10.00", "10.00"]);
}

#[test]
fn what_must_be_refused_moves_nothing() {
    shows(vec![deliver("a", Effect::Accept), deliver("b", Effect::Reject), deliver("c", Effect::Refuse)], &["10.00"; 4]);
}

#[test]
fn what_is_doubtful_leaves_a_range() {
    let case = case(vec![deliver("a", Effect::Accept), deliver("b", Effect::Tolerate)]);
    assert_eq!(ranges(&case), ["10.00", "10.00 to 20.00", "10.00"]);
    // At the end it was applied or not; there is nothing between.
    assert!(case.expect_if_applied.iter().any(|expected| expected.refunded_amount.most == amount(2 * TEN)));
}

#[test]
fn a_doubtful_delivery_that_is_refused_must_not_have_been_applied() {
    let case = case(vec![deliver("a", Effect::Accept), deliver("b", Effect::Tolerate)]);
    let refused = &case.entries[1].expect_if_refused;
    assert!(refused.iter().all(|expected| expected.refunded_amount.is_exact() && expected.refunded_amount.least == amount(TEN)));
    assert!(!refused.is_empty());
}

#[test]
fn an_own_refund_is_booked_once() {
    shows(vec![own("a"), deliver("a", Effect::Accept)], &["0", "10.00", "10.00"]);
}

#[test]
fn deliveries_at_the_same_time_are_judged_together() {
    let together = Act::Together(vec![delivery("a", Effect::Accept), delivery("b", Effect::Accept)]);
    shows(vec![together], &["20.00", "20.00"]);
}

#[test]
fn a_case_sent_whole_is_judged_at_its_end() {
    let case = case(vec![deliver("a", Effect::Accept), deliver("b", Effect::Accept)]);
    assert!(!case.is_sent_whole());
    let case = case.sent_whole();
    assert!(case.is_sent_whole());
    assert_eq!(ranges(&case), ["20.00"]);
}

/// A target that is sent everything and claims nothing, but for one thing.
fn terms(subscribed: &dyn Fn(&str) -> bool) -> Terms<'_> {
    Terms { subscribed, initiates: false, verifies: false, durable: false, calls_back: false, clock: false }
}

#[test]
fn what_is_not_sent_is_not_expected() {
    let case = case(vec![deliver("a", Effect::Accept), deliver("b", Effect::Accept)]);
    assert_eq!(ranges(&case.restricted_to(terms(&|kind| kind == "refund.b"))), ["10.00", "10.00"]);
}

#[test]
fn who_makes_no_refunds_is_not_told_of_own_ones() {
    let case = case(vec![own("a"), deliver("a", Effect::Accept)]);
    assert_eq!(case.restricted_to(terms(&|_| true)).entries.len(), 1);
}

#[test]
fn who_verifies_nothing_gets_no_wrong_signature() {
    let case = case(vec![deliver("a", Effect::Accept), deliver("b", Effect::Refuse)]);
    assert_eq!(case.clone().restricted_to(terms(&|_| true)).deliveries(), 1);
    assert_eq!(case.restricted_to(Terms { verifies: true, ..terms(&|_| true) }).deliveries(), 2);
}

#[test]
fn who_forgets_is_not_killed() {
    let case = case(vec![deliver("a", Effect::Accept), Act::Restart]);
    assert!(!case.clone().restricted_to(terms(&|_| true)).kills());
    assert!(case.restricted_to(Terms { durable: true, ..terms(&|_| true) }).kills());
}
