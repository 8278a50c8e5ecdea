//! What may be shown after some events, each told in a few words: `1 refund r1 succeeded 10.00` is an event of the first second
//! that says that of a refund, `passing` says it in passing, `total` and `taken` tell of a charge's sum and of a dispute. Its
//! second is its place as well, unless it is written `t1`: then it has none, as with providers whose times tell which came first.

use rstest::rstest;

use super::*;
use crate::{
    domain::EventTime,
    model::{DisputeEvent, Entry},
};

fn amount(text: &str) -> Amount {
    Amount::parse(text).expect("an amount")
}

pub(in crate::model) fn event(text: &str) -> EventFacts {
    let words: Vec<&str> = text.split_whitespace().collect();
    let state = |word: &str| serde_json::from_str::<RefundState>(&format!("\"{word}\"")).expect("a state");
    let second = words[0].trim_start_matches('t');
    let at: u32 = second.parse().expect("a second");
    let place = if words[0] == second { at } else { 0 };
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
        ["sum", id, sum, ref covers @ ..] | ["passing-sum", id, sum, ref covers @ ..] => {
            let covered = |words: &[&str]| Covered { id: words[0].to_owned(), state: state(words[1]), amount: amount(words[2]) };
            let covers = covers.chunks(3).map(covered).collect();
            vec![Tell::Total { id: id.to_owned(), refunded_amount: amount(sum), covers, in_passing: words[1] == "passing-sum" }]
        }
        ["status", id, sum] => {
            let by = DisputeEvent::Status;
            vec![Tell::Dispute { id: id.to_owned(), taken_amount: amount(sum), by, still: None }]
        }
        ["taken", id, sum, "still", still] | ["status", id, sum, "still", still] => {
            let by = if words[1] == "taken" { DisputeEvent::Money } else { DisputeEvent::Status };
            vec![Tell::Dispute { id: id.to_owned(), taken_amount: amount(sum), by, still: Some(amount(still)) }]
        }
        ["completion", id, ref entries @ ..] | ["charge", id, ref entries @ ..] | ["elsewhere", id, ref entries @ ..] => {
            let within = match words[1] {
                "completion" => PictureIn::Completion,
                "charge" => PictureIn::ChargeRefundEvent,
                _ => PictureIn::Elsewhere,
            };
            let refunds = entries.chunks(2).map(|words| Entry { state: state(words[0]), amount: amount(words[1]) }).collect();
            vec![Tell::Charge { id: id.to_owned(), within, refunds }]
        }
        ["order", refunded, available, charged_back] | ["chargeback", refunded, available, charged_back] => {
            let order = Tell::Order {
                refunded_amount: amount(refunded),
                available_to_refund_amount: amount(available),
                charged_back_amount: amount(charged_back),
            };
            if words[1] == "order" { vec![order] } else { vec![order, Tell::Chargeback] }
        }
        ["nothing"] => Vec::new(),
        _ => panic!("`{text}` says nothing"),
    };
    let created_time = EventTime::parse(&format!("2024-05-06T07:08:{at:02}Z")).expect("a time");
    EventFacts { id: text.to_owned(), kind: "x".to_owned(), order_id: None, created_time, sequence: place, tells }
}

pub(in crate::model) fn knowledge(events: &[&str]) -> Knowledge {
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
    assert!(known.knows("1 refund r1 succeeded 10.00") && !known.knows("2 refund r1 succeeded 10.00"));
    known.learn(&event("1 refund r1 succeeded 10.00"));
    assert_eq!(known.final_expectation(true).refunded_amount.most, amount("10.00"));
}

#[test]
fn what_is_held_back_keeps_the_end_open() {
    let known = knowledge(&["1 refund r1 pending 10.00"]);
    assert!(known.final_expectation(false).status.contains(&Status::Pending));
}

/// What an order may be shown as on the way: its statuses, and the least and the most that is paid back.
pub(in crate::model) fn shown(expectation: &Expectation) -> String {
    let status: Vec<&str> = expectation.status.iter().map(|status| status.as_str()).collect();
    let AmountRange { least, most } = expectation.refunded_amount;
    format!("{} {least:.2}..{most:.2}", status.join("|"))
}

#[rstest]
#[case::nothing(&[], "not_refunded 0.00..0.00")]
// Completions bind, and so does whatever refund events say, whichever is more.
#[case::a_charge_completes(&["1 completion c succeeded 10.00"], "partially_refunded 10.00..10.00")]
#[case::two_charges_complete(&["1 completion c succeeded 60.00", "2 completion d succeeded 40.00"], "refunded 100.00..100.00")]
#[case::both_say_the_same(&["1 completion c succeeded 10.00", "2 refund r1 succeeded 10.00"], "partially_refunded 10.00..10.00")]
#[case::the_charge_says_more(&["1 completion c succeeded 30.00", "2 refund r1 succeeded 10.00"], "partially_refunded 30.00..30.00")]
#[case::refunds_say_more(&["1 completion c succeeded 10.00", "2 refund r1 succeeded 30.00"], "partially_refunded 30.00..30.00")]
#[case::the_latest_picture_counts(&["1 completion c succeeded 10.00", "2 completion c succeeded 10.00 succeeded 5.00"], "partially_refunded 15.00..15.00")]
#[case::an_older_picture_comes_late(&["2 completion c succeeded 10.00 succeeded 5.00", "1 completion c succeeded 10.00"], "partially_refunded 15.00..15.00")]
#[case::what_is_open_on_a_charge_is_not_paid(&["1 completion c succeeded 10.00 pending 5.00 failed 1.00"], "partially_refunded 10.00..10.00")]
// Other pictures may be believed, and need not be.
#[case::a_charge_in_an_order(&["1 elsewhere c succeeded 10.00"], "not_refunded|partially_refunded 0.00..10.00")]
#[case::a_charge_event(&["1 charge c succeeded 10.00"], "not_refunded|partially_refunded 0.00..10.00")]
#[case::an_order(&["1 order 10.00 90.00 0.00"], "not_refunded|partially_refunded 0.00..10.00")]
#[case::an_order_that_is_all_refunded(&["1 order 100.00 0.00 0.00"], "not_refunded|partially_refunded|refunded 0.00..100.00")]
#[case::an_older_order_comes_late(&["2 order 30.00 70.00 0.00", "1 order 10.00 90.00 0.00"], "not_refunded|partially_refunded 0.00..30.00")]
#[case::pending_on_a_charge(&["1 charge c pending 10.00"], "not_refunded|pending 0.00..0.00")]
#[case::waiting_on_a_charge(&["1 elsewhere c pending_information 10.00"], "not_refunded|pending_information 0.00..0.00")]
#[case::failed_on_a_charge(&["1 elsewhere c failed 10.00"], "not_refunded|failed 0.00..0.00")]
#[case::failed_on_a_charge_beside_an_open_one(&["1 refund r1 pending 5.00", "2 elsewhere c failed 10.00"], "pending 0.00..0.00")]
#[case::waiting_on_a_charge_beside_an_open_one(&["1 refund r1 pending 5.00", "2 elsewhere c pending_information 10.00"], "pending|pending_information 0.00..0.00")]
#[case::an_older_charge_event_beside_a_newer_picture(&["1 charge c pending 10.00", "2 elsewhere c failed 10.00"], "not_refunded|failed|pending 0.00..0.00")]
// States of refunds.
#[case::asked_for(&["1 refund r1 requested 5.00"], "pending 0.00..0.00")]
#[case::withdrawn(&["1 refund r1 cancelled 5.00"], "not_refunded|failed 0.00..0.00")]
#[case::withdrawn_beside_a_failed_one(&["1 refund r1 cancelled 5.00", "2 refund r2 failed 5.00"], "failed 0.00..0.00")]
#[case::waiting_before_open(&["1 refund r1 pending 5.00", "2 refund r2 pending_information 5.00"], "pending_information 0.00..0.00")]
#[case::open_before_failed(&["1 refund r1 failed 5.00", "2 refund r2 pending 5.00"], "pending 0.00..0.00")]
#[case::an_end_stays_without_places(&["t2 refund r1 succeeded 10.00", "t3 refund r1 pending 10.00"], "partially_refunded 10.00..10.00")]
#[case::the_later_word_without_places(&["t3 refund r1 pending_information 10.00", "t2 refund r1 pending 10.00"], "pending_information 0.00..0.00")]
#[case::an_earlier_end_without_places(&["t3 refund r1 pending 10.00", "t2 refund r1 failed 10.00"], "failed 0.00..0.00")]
#[case::an_earlier_word_with_places(&["3 refund r1 pending 10.00", "2 refund r1 failed 10.00"], "pending 0.00..0.00")]
#[case::more_than_was_captured(&["1 refund r1 succeeded 100.00", "3 refund r2 succeeded 10.00"], "refunded 100.00..110.00")]
// What is said in passing.
#[case::paid_in_passing(&["1 passing r1 succeeded 10.00"], "not_refunded|partially_refunded 0.00..10.00")]
#[case::failed_in_passing(&["1 passing r1 failed 10.00"], "not_refunded|failed 0.00..0.00")]
#[case::withdrawn_in_passing(&["1 passing r1 cancelled 10.00"], "not_refunded|failed 0.00..0.00")]
#[case::taken_back_in_passing(&["1 refund r1 succeeded 10.00", "2 passing r1 failed 10.00"], "not_refunded|failed|partially_refunded 0.00..10.00")]
#[case::the_same_in_passing(&["1 refund r1 succeeded 10.00", "2 passing r1 succeeded 10.00"], "partially_refunded 10.00..10.00")]
#[case::an_older_word_in_passing(&["2 refund r1 failed 10.00", "1 passing r1 succeeded 10.00"], "failed 0.00..0.00")]
#[case::one_that_was_withdrawn_once(&["1 refund r1 cancelled 5.00", "2 refund r1 succeeded 5.00", "3 passing r1 pending 5.00"], "not_refunded|pending|partially_refunded 0.00..5.00")]
#[case::one_withdrawn_is_paid_in_passing(&["1 refund r1 cancelled 5.00", "2 refund r2 pending 5.00", "3 passing r1 succeeded 5.00"], "pending|partially_refunded 0.00..5.00")]
#[case::one_open_becomes_paid_in_passing(&["1 refund r1 pending 10.00", "2 passing r1 succeeded 10.00"], "not_refunded|pending|partially_refunded 0.00..10.00")]
#[case::the_last_word_in_passing(&["2 passing r1 failed 10.00", "1 passing r1 succeeded 10.00"], "not_refunded|failed 0.00..0.00")]
// Sums.
#[case::a_sum_of_a_paid_one(&["1 sum c 10.00 r1 succeeded 10.00"], "partially_refunded 10.00..10.00")]
#[case::a_sum_of_an_open_one(&["1 sum c 10.00 r1 pending 10.00"], "not_refunded|pending|partially_refunded 0.00..10.00")]
#[case::a_sum_of_both(&["1 sum c 30.00 r1 pending 10.00 r2 succeeded 20.00"], "partially_refunded 20.00..30.00")]
#[case::sums_of_two_charges(&["1 sum c 10.00 r1 succeeded 10.00", "2 sum d 20.00 r2 succeeded 20.00"], "partially_refunded 30.00..30.00")]
#[case::the_latest_sum_counts(&["1 sum c 10.00 r1 succeeded 10.00", "2 sum c 30.00 r1 succeeded 10.00 r2 succeeded 20.00"], "partially_refunded 30.00..30.00")]
#[case::a_sum_in_passing(&["1 passing-sum c 10.00 r1 succeeded 10.00"], "not_refunded|partially_refunded 0.00..10.00")]
#[case::a_sum_beside_its_refund(&["1 sum c 10.00 r1 pending 10.00", "2 refund r1 succeeded 10.00"], "partially_refunded 10.00..10.00")]
#[case::a_sum_beside_its_failed_refund(&["1 sum c 10.00 r1 pending 10.00", "2 refund r1 failed 10.00"], "failed 0.00..0.00")]
#[case::a_sum_after_an_open_refund(&["1 refund r1 pending 10.00", "2 sum c 10.00 r1 succeeded 10.00"], "pending|partially_refunded 0.00..10.00")]
#[case::a_sum_before_an_open_refund(&["2 refund r1 pending 10.00", "1 sum c 10.00 r1 succeeded 10.00"], "pending 0.00..0.00")]
#[case::a_sum_with_another_refund(&["1 refund r1 succeeded 10.00", "2 sum c 30.00 r1 succeeded 10.00 r2 succeeded 20.00"], "partially_refunded 10.00..30.00")]
// Disputes and chargebacks.
#[case::a_dispute_by_one_kind_of_event(&["1 taken d 30.00"], "not_refunded|charged_back 0.00..0.00")]
#[case::a_dispute_by_both(&["1 taken d 30.00", "2 status d 30.00"], "charged_back 0.00..0.00")]
#[case::a_dispute_that_both_say_is_over(&["1 taken d 0.00", "2 status d 0.00"], "not_refunded 0.00..0.00")]
#[case::a_dispute_that_may_still_hold(&["1 taken d 0.00 still 30.00", "2 status d 0.00"], "not_refunded 0.00..0.00")]
#[case::a_dispute_that_may_hold_by_its_last_word(&["2 taken d 0.00 still 30.00", "1 status d 0.00"], "not_refunded|charged_back 0.00..0.00")]
#[case::a_dispute_that_is_won_before_its_money_is_back(
    &["1 taken d 30.00", "2 status d 0.00 still 30.00"], "not_refunded|charged_back 0.00..0.00"
)]
#[case::a_dispute_whose_money_is_back_after_it_was_won(
    &["1 taken d 30.00", "2 status d 0.00 still 30.00", "3 taken d 0.00"], "not_refunded 0.00..0.00"
)]
#[case::two_disputes(&["1 taken d 30.00", "2 status d 30.00", "3 taken e 10.00"], "charged_back 0.00..0.00")]
#[case::a_chargeback(&["1 chargeback 0.00 80.00 20.00"], "charged_back 0.00..0.00")]
#[case::an_order_that_implies_one(&["1 order 0.00 80.00 20.00"], "not_refunded|charged_back 0.00..0.00")]
fn it_may_be_shown_as(#[case] events: &[&str], #[case] expected: &str) {
    assert_eq!(shown(&knowledge(events).expectation()), expected);
    let backwards: Vec<&str> = events.iter().rev().copied().collect();
    assert_eq!(shown(&knowledge(&backwards).expectation()), expected, "in the other order");
}

/// What may be shown as available and as charged back when everything has been delivered.
#[rstest]
#[case::nothing(&[], &["100.00"], &["0.00"])]
#[case::one_is_open(&["1 refund r1 pending 10.00"], &["90.00"], &["0.00"])]
#[case::one_is_paid(&["1 refund r1 succeeded 10.00"], &["90.00"], &["0.00"])]
#[case::one_is_paid_that_was_open(&["1 refund r1 pending 10.00", "2 refund r1 succeeded 10.00"], &["90.00"], &["0.00"])]
#[case::one_fails_that_was_open(&["1 refund r1 pending 10.00", "2 refund r1 failed 10.00"], &["100.00"], &["0.00"])]
#[case::one_fails(&["1 refund r1 failed 10.00"], &["100.00"], &["0.00"])]
#[case::both(&["1 refund r1 succeeded 10.00", "2 refund r2 pending 20.00"], &["70.00"], &["0.00"])]
#[case::open_on_a_charge(&["1 refund r1 pending 10.00", "2 charge c pending 10.00 pending 20.00"], &["70.00", "90.00"], &["0.00"])]
#[case::an_order_says_so(&["1 order 0.00 95.00 0.00"], &["95.00", "100.00"], &["0.00"])]
#[case::a_chargeback(&["1 chargeback 0.00 80.00 20.00"], &["80.00"], &["20.00"])]
#[case::an_order_after_a_chargeback(&["1 chargeback 0.00 80.00 20.00", "2 order 0.00 70.00 30.00"], &["70.00", "80.00"], &["20.00", "30.00"])]
#[case::a_dispute(&["1 taken d 30.00"], &["0.00", "70.00"], &["30.00"])]
#[case::two_disputes(&["1 taken d 30.00", "2 taken e 20.00"], &["0.00", "50.00"], &["50.00"])]
#[case::a_dispute_that_is_over(&["1 taken d 30.00", "2 taken d 0.00"], &["100.00"], &["0.00"])]
#[case::a_dispute_of_which_two_things_are_said(&["1 taken d 30.00", "2 status d 0.00"], &["0.00", "70.00", "100.00"], &["0.00", "30.00"])]
#[case::more_is_asked_for_than_there_is(&["1 refund r1 pending 60.00", "2 refund r2 pending 60.00"], &["0.00"], &["0.00"])]
#[case::of_its_own_refund_a_sum_tells(
    &["1 refund r1 pending 99.00", "2 sum ch 99.00 r1 succeeded 99.00"],
    &["0.00", "1.00"],
    &["0.00"]
)]
fn it_ends_with(#[case] events: &[&str], #[case] available: &[&str], #[case] charged_back: &[&str]) {
    let end = knowledge(events).final_expectation(true);
    let amounts = |texts: &[&str]| Some(texts.iter().map(|text| amount(text)).collect::<Vec<_>>());
    assert_eq!(end.available_to_refund_amount, amounts(available));
    assert_eq!(end.charged_back_amount, amounts(charged_back));
    assert_eq!(end.currency.as_deref(), Some("USD"));
    let on_the_way = knowledge(events).final_expectation(false);
    assert_eq!((on_the_way.available_to_refund_amount, on_the_way.charged_back_amount), (None, None));
}

#[test]
fn in_the_end_only_the_newest_picture_of_a_charge_counts() {
    let known = knowledge(&["1 charge c pending 10.00", "2 elsewhere c failed 10.00"]);
    assert_eq!(shown(&known.final_expectation(true)), "not_refunded|failed 0.00..0.00");
    assert_eq!(shown(&known.final_expectation(false)), "not_refunded|failed|pending 0.00..0.00");
}

#[test]
fn refunds_are_listed_as_events_told_them() {
    let known = knowledge(&["1 refund r1 pending 10.00", "2 refund r1 succeeded 10.00", "3 refund r2 failed 5.00"]);
    let view = |id: &str, state, sum: &str, paid: &str| RefundView {
        id: id.to_owned(),
        state,
        amount: Some(amount(sum)),
        refunded_amount: amount(paid),
    };
    let listed = vec![view("r1", RefundState::Succeeded, "10", "10"), view("r2", RefundState::Failed, "5", "0")];
    assert_eq!(known.final_expectation(true).refunds, Some(listed));
    // Who took in what was said in passing lists it too.
    let known = knowledge(&["1 refund r1 pending 10.00", "2 passing r2 succeeded 10.00"]);
    assert_eq!(known.final_expectation(true).refunds, None);
    assert_eq!(known.final_expectation(true).available_to_refund_amount, None);
}

#[test]
fn a_refund_of_the_shops_own_is_pending_and_takes_nothing_back() {
    let mut known = knowledge(&[]);
    known.learn_own("r1", amount("10.00"));
    assert_eq!(shown(&known.expectation()), "pending 0.00..0.00");
    let mut known = knowledge(&["1 refund r1 succeeded 10.00"]);
    known.learn_own("r1", amount("10.00"));
    assert_eq!(shown(&known.expectation()), "partially_refunded 10.00..10.00");
}

/// What a doubtful event may add and take back.
#[track_caller]
fn doubted(known: &[&str], doubtful: &str, most: &str, back: &str) {
    let known = knowledge(known);
    let event = event(doubtful);
    assert_eq!(known.most_told([&event]), amount(most), "the most");
    assert_eq!(TakenBack::most(&known.taken_back(&event)), amount(back), "taken back");
}

#[test]
fn doubtful_events_about_refunds() {
    doubted(&["1 refund r1 succeeded 10.00"], "2 refund r1 failed 10.00", "10.00", "10.00");
    doubted(&["1 refund r1 succeeded 10.00"], "2 refund r1 succeeded 4.00", "10.00", "6.00");
    doubted(&["1 refund r1 succeeded 10.00"], "2 refund r1 succeeded 14.00", "14.00", "0.00");
    doubted(&["1 refund r1 succeeded 10.00"], "2 refund r2 succeeded 5.00", "15.00", "0.00");
    doubted(&["1 refund r1 succeeded 10.00"], "2 refund r2 pending 5.00", "10.00", "0.00");
    doubted(&[], "2 nothing", "0.00", "0.00");
    let known = knowledge(&["1 refund r1 succeeded 10.00"]);
    assert!(known.taken_back(&event("2 refund r1 succeeded 10.00")).is_empty());
}

#[test]
fn doubtful_events_about_charges() {
    doubted(&["1 elsewhere c succeeded 10.00"], "2 completion c succeeded 4.00", "10.00", "6.00");
    doubted(&["1 elsewhere c succeeded 10.00"], "2 completion c succeeded 10.00 succeeded 5.00", "15.00", "0.00");
    doubted(&["1 elsewhere c succeeded 10.00"], "2 completion d succeeded 5.00", "15.00", "0.00");
    doubted(&["1 sum c 10.00 r1 succeeded 10.00"], "2 sum c 4.00 r1 succeeded 4.00", "10.00", "6.00");
    doubted(&["1 sum c 10.00 r1 succeeded 10.00"], "2 sum d 4.00 r2 succeeded 4.00", "14.00", "0.00");
    // A consumer goes by refunds or by charges.
    doubted(&["1 refund r1 succeeded 10.00", "1 elsewhere c succeeded 30.00"], "2 refund r2 succeeded 5.00", "30.00", "0.00");
}

#[test]
fn what_is_taken_back_is_summed_up_by_refunds_or_by_charges() {
    let known = knowledge(&["1 refund r1 succeeded 10.00", "2 refund r2 succeeded 20.00", "3 elsewhere c succeeded 25.00"]);
    let of = |text: &str| known.taken_back(&event(text));
    let all = [of("4 refund r1 failed 10.00"), of("5 refund r1 succeeded 4.00"), of("6 refund r2 failed 20.00")].concat();
    assert_eq!(TakenBack::most(&all), amount("30.00"));
    let all = [of("4 refund r1 failed 10.00"), of("6 completion c succeeded 0.00")].concat();
    assert_eq!(TakenBack::most(&all), amount("25.00"));
}

#[test]
fn a_later_word_on_the_same_outdates_what_was_taken_back() {
    let known = knowledge(&["1 refund r1 succeeded 10.00"]);
    let taken_back = &known.taken_back(&event("4 refund r1 failed 10.00"))[0];
    assert!(taken_back.is_outdated_by(&event("5 refund r1 succeeded 10.00")));
    assert!(!taken_back.is_outdated_by(&event("4 refund r1 succeeded 10.00")));
    assert!(!taken_back.is_outdated_by(&event("3 refund r1 succeeded 10.00")));
    assert!(!taken_back.is_outdated_by(&event("5 refund r2 succeeded 10.00")));
}

#[test]
fn events_about_one_refund_or_charge_are_about_the_same() {
    assert!(event("1 refund r1 pending 1.00").is_about_same(&event("2 refund r1 failed 1.00")));
    assert!(event("1 elsewhere c pending 1.00").is_about_same(&event("2 sum c 1.00")));
    assert!(!event("1 refund r1 pending 1.00").is_about_same(&event("2 refund r2 failed 1.00")));
    assert!(!event("1 refund c pending 1.00").is_about_same(&event("2 sum c 1.00")));
    assert!(!event("1 order 0 0 0").is_about_same(&event("2 order 0 0 0")));
}
