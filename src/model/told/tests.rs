//! What may be shown after some events, each told in a few words: `1 refund r1 succeeded 10.00` is an event of the first second
//! that says that of a refund, `passing` says it in passing, `total` and `taken` tell of a charge's sum and of a dispute.

use rstest::rstest;

use super::*;
use crate::{domain::EventTime, model::DisputeEvent};

fn amount(text: &str) -> Amount {
    Amount::parse(text).expect("an amount")
}

fn event(text: &str) -> EventFacts {
    let words: Vec<&str> = text.split_whitespace().collect();
    let state = |word: &str| serde_json::from_str::<RefundState>(&format!("\"{word}\"")).expect("a state");
    let at = words[0].parse().expect("a second");
    let tells = match words[1..] {
        ["refund", id, name, sum] | ["passing", id, name, sum] => {
            let paid = if name == "succeeded" { amount(sum) } else { Amount::ZERO };
            let in_passing = words[1] == "passing";
            vec![Tell::Refund { id: id.to_owned(), state: state(name), amount: amount(sum), refunded_amount: paid, in_passing }]
        }
        ["total", sum] => {
            // It sums up one refund.
            let covers = vec![Covered { id: "r1".to_owned(), state: RefundState::Succeeded, amount: amount(sum) }];
            vec![Tell::Total { id: "ch".to_owned(), refunded_amount: amount(sum), covers, in_passing: false }]
        }
        ["taken", id, sum] => {
            let by = DisputeEvent::Money;
            vec![Tell::Dispute { id: id.to_owned(), taken_amount: amount(sum), by, still: None }]
        }
        ["nothing"] => Vec::new(),
        _ => panic!("`{text}` says nothing"),
    };
    let created_time = EventTime::parse(&format!("2024-05-06T07:08:{at:02}Z")).expect("a time");
    EventFacts { id: text.to_owned(), kind: "x".to_owned(), order_id: None, created_time, sequence: at, tells }
}

fn knowledge(events: &[&str]) -> Knowledge {
    let mut known = Knowledge::new("o1", "USD", amount("100.00"));
    for text in events {
        known.learn(&event(text));
    }
    known
}

/// What an order must be shown as when all of its history was delivered.
#[rstest]
#[case::nothing_happened(&[], "not_refunded 0.00")]
#[case::an_event_about_nothing(&["1 nothing"], "not_refunded 0.00")]
#[case::it_is_asked_for(&["1 refund r1 pending 10.00"], "pending 0.00")]
#[case::it_waits(&["1 refund r1 pending_information 10.00"], "pending_information 0.00")]
#[case::part_is_paid_back(&["1 refund r1 pending 10.00", "2 refund r1 succeeded 10.00"], "partially_refunded 10.00")]
#[case::all_is_paid_back(&["1 refund r1 succeeded 100.00"], "refunded 100.00")]
#[case::two_add_up(&["1 refund r1 succeeded 60.00", "2 refund r2 succeeded 40.00"], "refunded 100.00")]
#[case::one_is_open_beside(&["1 refund r1 succeeded 60.00", "2 refund r2 pending 40.00"], "partially_refunded 60.00")]
#[case::it_fails(&["1 refund r1 pending 10.00", "2 refund r1 failed 10.00"], "failed 0.00")]
#[case::it_fails_and_hides_nothing(&["1 refund r1 succeeded 10.00", "2 refund r2 failed 10.00"], "partially_refunded 10.00")]
#[case::success_is_taken_back(&["1 refund r1 succeeded 10.00", "2 refund r1 failed 10.00"], "failed 0.00")]
#[case::a_dispute_takes_all(&["1 taken d1 100.00"], "charged_back 0.00")]
#[case::a_dispute_is_won(&["1 taken d1 100.00", "2 taken d1 0.00"], "not_refunded 0.00")]
#[case::of_two_disputes_one_is_won(&["1 taken d1 30.00", "2 taken d2 30.00", "3 taken d1 0.00"], "charged_back 0.00")]
#[case::a_chargeback_after_a_refund(&["1 refund r1 succeeded 10.00", "2 taken d1 90.00"], "charged_back 10.00")]
fn it_ends_as(#[case] events: &[&str], #[case] expected: &str) {
    let mut orders: Vec<Vec<&str>> = vec![events.to_vec(), events.iter().rev().copied().collect()];
    // Twice, and a first one again at the very end.
    orders.push(events.iter().chain(events).copied().collect());
    orders.push(events.iter().chain(events.first()).copied().collect());
    for order in orders {
        let end = knowledge(&order).final_expectation(true);
        let status: Vec<String> = end.status.iter().map(|status| status.as_str().to_owned()).collect();
        let range = end.refunded_amount;
        assert!(range.is_exact(), "{order:?}: {range:?}");
        assert_eq!(format!("{} {:.2}", status.join("|"), range.least), expected, "{order:?}");
    }
}

/// The least and the most that may be shown as paid back.
#[track_caller]
fn may_show(events: &[&str], least: &str, most: &str) {
    let range = knowledge(events).final_expectation(true).refunded_amount;
    assert_eq!((range.least, range.most), (amount(least), amount(most)));
}

#[test]
fn a_total_binds_who_knows_nothing_else() {
    may_show(&["1 total 10.00"], "10.00", "10.00");
}

#[test]
fn an_older_total_takes_nothing_back() {
    may_show(&["2 total 30.00", "1 total 10.00"], "30.00", "30.00");
}

#[test]
fn what_is_said_in_passing_need_not_be_believed() {
    may_show(&["1 passing r1 succeeded 10.00"], "0.00", "10.00");
}

#[test]
fn an_event_counts_once() {
    let mut known = knowledge(&["1 refund r1 succeeded 10.00"]);
    assert!(known.knows("1 refund r1 succeeded 10.00"));
    known.learn(&event("1 refund r1 succeeded 10.00"));
    assert_eq!(known.final_expectation(true).refunded_amount.most, amount("10.00"));
}

#[test]
fn what_is_held_back_keeps_the_end_open() {
    let known = knowledge(&["1 refund r1 pending 10.00"]);
    assert!(known.final_expectation(false).status.contains(&Status::Pending));
}
