//! What may be shown after each entry of a case, with deliveries of one refund of 10.00 each of an order of 100.00.

mod doubt;
mod fetched;
mod restricted;

use super::*;
use crate::case::by_hand::{self, own, paid, tens, with_effect};

fn deliver(refund: &str, effect: Effect) -> Act {
    by_hand::deliver(with_effect(effect, paid("o1", refund)))
}

fn case(acts: Vec<Act>) -> Case {
    by_hand::case(&["o1"], acts)
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
    assert!(case.expect_if_applied.iter().any(|expected| expected.refunded_amount.most == tens(2)));
}

#[test]
fn a_doubtful_delivery_that_is_refused_must_not_have_been_applied() {
    let case = case(vec![deliver("a", Effect::Accept), deliver("b", Effect::Tolerate)]);
    let refused = &case.entries[1].expect_if_refused;
    assert!(refused.iter().all(|expected| expected.refunded_amount.is_exact() && expected.refunded_amount.least == tens(1)));
    assert!(!refused.is_empty());
}

#[test]
fn an_own_refund_is_booked_once() {
    shows(vec![Act::Initiate(own("o1", "a")), deliver("a", Effect::Accept)], &["0", "10.00", "10.00"]);
}

#[test]
fn deliveries_at_the_same_time_are_judged_together() {
    let together = Act::Together(vec![paid("o1", "a"), paid("o1", "b")]);
    shows(vec![together], &["20.00", "20.00"]);
}

/// Which orders are looked at after each entry, and what may be shown as paid back of them.
#[track_caller]
fn looks_at(case: &Case, expected: &[&[&str]]) {
    let one = |expected: &crate::model::Expectation| format!("{} {}", expected.order_id, expected.refunded_amount.least);
    let seen: Vec<Vec<String>> = case.entries.iter().map(|entry| entry.expect.iter().map(one).collect()).collect();
    assert_eq!(seen, expected);
}

#[test]
fn every_order_that_is_told_of_at_the_same_time_is_looked_at_once() {
    let acts = vec![Act::Together(vec![paid("o1", "a"), paid("o2", "b"), paid("o1", "c")])];
    looks_at(&by_hand::case(&["o1", "o2"], acts), &[&["o1 20.00", "o2 10.00"]]);
}

#[test]
fn every_order_that_is_told_of_before_the_answer_is_looked_at_once() {
    let acts = vec![Act::Meanwhile(own("o1", "a"), vec![paid("o2", "b"), paid("o1", "a"), paid("o2", "c")])];
    looks_at(&by_hand::case(&["o1", "o2"], acts), &[&["o2 20.00", "o1 10.00"]]);
}

#[test]
fn an_order_is_looked_at_once_it_is_known() {
    let acts = vec![by_hand::deliver(paid("o2", "b")), Act::Begin("o2".to_owned()), by_hand::deliver(paid("o1", "a"))];
    looks_at(&by_hand::case(&["o1", "o2"], acts), &[&[], &["o2 10.00"], &["o1 10.00"]]);
}

#[test]
fn orders_become_known_one_by_one() {
    let begin = |order: &str| Act::Begin(order.to_owned());
    let acts = vec![begin("o2"), by_hand::deliver(paid("o1", "a")), begin("o1"), by_hand::deliver(paid("o2", "b"))];
    looks_at(&by_hand::case(&["o1", "o2"], acts), &[&["o2 0"], &[], &["o1 10.00"], &["o2 10.00"]]);
}

#[test]
fn a_case_sent_whole_is_judged_at_its_end() {
    let case = case(vec![deliver("a", Effect::Accept), deliver("b", Effect::Accept)]);
    assert!(!case.is_sent_whole());
    let case = case.sent_whole();
    assert!(case.is_sent_whole());
    assert_eq!(ranges(&case), ["20.00"]);
}
