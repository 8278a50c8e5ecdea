//! What may be shown by those who fetch: events as in the tests of what was told, and objects that the API shows from then on.

use rstest::rstest;

use super::*;
use crate::model::told::tests::{event, knowledge, shown};

#[track_caller]
fn up_to(told: &[&str], there: &[&str]) -> Expectation {
    let mut fetched = Fetched::default();
    for text in there {
        let object = event(text);
        fetched.learn(object.sequence, &object.tells);
    }
    let known = knowledge(told);
    known.up_to(&fetched, known.final_expectation(true))
}

#[rstest]
#[case::nothing(&[], &[], "not_refunded 0.00..0.00")]
// Of what nobody told it may show any state, and may know nothing of it.
#[case::open_and_not_told(&[], &["1 refund r1 pending 10.00"], "not_refunded|pending 0.00..0.00")]
#[case::paid_and_not_told(&[], &["1 refund r1 succeeded 10.00"], "not_refunded|partially_refunded 0.00..10.00")]
#[case::two_not_told(&[], &["1 refund r1 succeeded 10.00", "2 refund r2 succeeded 20.00"], "not_refunded|partially_refunded 0.00..30.00")]
#[case::withdrawn_and_not_told(&[], &["1 refund r1 cancelled 10.00"], "not_refunded|failed 0.00..0.00")]
// Of what was told it may show that, or what came since.
#[case::told_as_it_is(&["1 refund r1 pending 10.00"], &["1 refund r1 pending 10.00"], "pending 0.00..0.00")]
#[case::paid_since(&["1 refund r1 pending 10.00"], &["1 refund r1 pending 10.00", "3 refund r1 succeeded 10.00"], "not_refunded|pending|partially_refunded 0.00..10.00")]
#[case::failed_since(&["1 refund r1 succeeded 10.00"], &["1 refund r1 succeeded 10.00", "3 refund r1 failed 10.00"], "not_refunded|failed|partially_refunded 0.00..10.00")]
#[case::the_last_word_was_told(&["3 refund r1 succeeded 10.00"], &["1 refund r1 pending 10.00", "3 refund r1 succeeded 10.00"], "partially_refunded 10.00..10.00")]
#[case::another_is_told(&["1 refund r1 succeeded 10.00"], &["1 refund r1 succeeded 10.00", "2 refund r2 succeeded 20.00"], "partially_refunded 10.00..30.00")]
// A sum tells of a refund that can be looked at from then on.
#[case::a_sum_of_what_is_open(&["2 sum c 10.00 r1 pending 10.00"], &["1 refund r1 pending 10.00"], "not_refunded|pending|partially_refunded 0.00..10.00")]
#[case::a_sum_of_what_is_paid(&["2 sum c 10.00 r1 succeeded 10.00"], &["1 refund r1 succeeded 10.00"], "partially_refunded 10.00..10.00")]
#[case::failed_since_the_sum(&["2 sum c 10.00 r1 succeeded 10.00"], &["1 refund r1 succeeded 10.00", "3 refund r1 failed 10.00"], "not_refunded|failed|partially_refunded 0.00..10.00")]
#[case::an_earlier_sum_comes_late(&["4 sum c 10.00 r1 succeeded 10.00", "2 sum c 10.00 r1 pending 10.00"], &["1 refund r1 pending 10.00", "3 refund r1 succeeded 10.00"], "not_refunded|pending|partially_refunded 0.00..10.00")]
#[case::of_two_sums_the_first_says_more(&["2 sum c 10.00 r1 succeeded 10.00", "4 sum c 30.00 r1 succeeded 10.00 r2 succeeded 20.00"], &["1 refund r1 succeeded 10.00", "3 refund r2 succeeded 20.00"], "partially_refunded 10.00..30.00")]
// Disputes.
#[case::a_dispute_not_told(&[], &["1 taken d 30.00"], "not_refunded|charged_back 0.00..0.00")]
#[case::two_disputes_not_told(&[], &["1 taken d 30.00", "2 taken e 30.00"], "not_refunded|charged_back 0.00..0.00")]
#[case::a_dispute_told(&["1 taken d 30.00", "2 status d 30.00"], &["1 taken d 30.00"], "charged_back 0.00..0.00")]
#[case::won_since(&["1 taken d 30.00", "2 status d 30.00"], &["1 taken d 30.00", "3 taken d 0.00"], "not_refunded|charged_back 0.00..0.00")]
#[case::taken_before_it_was_won(&["3 taken d 0.00", "4 status d 0.00"], &["1 taken d 30.00", "3 taken d 0.00"], "not_refunded 0.00..0.00")]
#[case::a_refund_beside_a_dispute(&["1 taken d 30.00", "2 status d 30.00"], &["1 taken d 30.00", "3 refund r1 pending 5.00"], "charged_back 0.00..0.00")]
fn it_may_be_shown_as(#[case] told: &[&str], #[case] there: &[&str], #[case] expected: &str) {
    assert_eq!(shown(&up_to(told, there)), expected);
}

#[test]
fn who_may_have_fetched_more_is_not_asked_for_the_rest() {
    let end = up_to(&["1 refund r1 pending 10.00"], &["1 refund r1 pending 10.00"]);
    assert!(end.available_to_refund_amount.is_some() && end.charged_back_amount.is_some() && end.refunds.is_some());
    let end = up_to(&["1 refund r1 pending 10.00"], &["1 refund r1 pending 10.00", "2 refund r1 succeeded 10.00"]);
    assert_eq!((end.available_to_refund_amount, end.charged_back_amount, end.refunds), (None, None, None));
    // What only a sum counts may be listed, and need not be.
    let end = up_to(&["2 sum c 10.00 r1 succeeded 10.00"], &["1 refund r1 succeeded 10.00"]);
    assert_eq!(end.refunds, None);
}
