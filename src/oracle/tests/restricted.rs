//! Cases for targets of which not everything is asked.

use super::*;
use crate::case::{ApiFault, ApiObject, Body, Delivery, Mishap, OwnRefund};

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
    let case = case(vec![Act::Initiate(own("o1", "a")), deliver("a", Effect::Accept)]);
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

fn everything(subscribed: &dyn Fn(&str) -> bool) -> Terms<'_> {
    Terms { subscribed, initiates: true, verifies: true, durable: true, calls_back: true, clock: true }
}

fn with_mishap(mishap: Mishap) -> Act {
    by_hand::deliver(Delivery { mishap: Some(mishap), ..paid("o1", "a") })
}

#[test]
fn what_kills_is_a_lost_answer_for_who_forgets() {
    let acts = [Mishap::Killed { after_ms: 5 }, Mishap::DiskFull, Mishap::Reset].map(with_mishap).to_vec();
    let mishaps = |case: Case| case.all_deliveries().map(|delivery| delivery.mishap).collect::<Vec<_>>();
    let kept = mishaps(case(acts.clone()).restricted_to(everything(&|_| true)));
    assert_eq!(kept, [Some(Mishap::Killed { after_ms: 5 }), Some(Mishap::DiskFull), Some(Mishap::Reset)]);
    let kept = mishaps(case(acts).restricted_to(Terms { durable: false, ..everything(&|_| true) }));
    assert_eq!(kept, [Some(Mishap::AnswerUnread), None, Some(Mishap::Reset)]);
}

/// What is left of a case, act by act.
#[track_caller]
fn leaves(act: Act, terms: Terms<'_>, expected: &[Act]) {
    let left: Vec<Act> = case(vec![act]).restricted_to(terms).entries.into_iter().map(|entry| entry.act).collect();
    assert_eq!(left, expected);
}

fn one(refund: &str) -> Act {
    by_hand::deliver(paid("o1", refund))
}

#[test]
fn of_deliveries_at_the_same_time_those_are_left_that_are_sent() {
    let together = |refunds: &[&str]| Act::Together(refunds.iter().map(|refund| paid("o1", refund)).collect());
    let all = together(&["a", "b", "c"]);
    leaves(all.clone(), everything(&|_| true), std::slice::from_ref(&all));
    leaves(all.clone(), everything(&|kind| kind != "refund.b"), &[together(&["a", "c"])]);
    leaves(all, everything(&|_| false), &[]);
}

#[test]
fn a_refund_that_is_made_meanwhile_takes_somebody_who_makes_it_through_the_api() {
    let lost = OwnRefund { answer_lost: true, ..own("o1", "a") };
    let meanwhile = |refunds: &[&str]| Act::Meanwhile(lost.clone(), refunds.iter().map(|refund| paid("o1", refund)).collect());
    let both = meanwhile(&["a", "b"]);
    leaves(both.clone(), everything(&|_| true), std::slice::from_ref(&both));
    leaves(both.clone(), everything(&|kind| kind == "refund.b"), &[meanwhile(&["b"])]);
    // It is told of the refund at once where the answer cannot be lost.
    let told = Act::Initiate(own("o1", "a"));
    leaves(both.clone(), everything(&|_| false), std::slice::from_ref(&told));
    leaves(both.clone(), Terms { calls_back: false, ..everything(&|_| true) }, &[told, one("a"), one("b")]);
    leaves(both, Terms { initiates: false, ..everything(&|_| true) }, &[one("a"), one("b")]);
}

#[test]
fn time_passes_for_those_who_have_a_clock() {
    leaves(Act::Advance(5), everything(&|_| true), &[Act::Advance(5)]);
    leaves(Act::Advance(5), Terms { clock: false, ..everything(&|_| true) }, &[]);
}

/// The effect of a delivery with this body for a target on these terms.
fn effect(effect: Effect, body: &str, terms: Terms<'_>) -> Effect {
    let delivery = Delivery { body: Body::new(body), ..with_effect(effect, paid("o1", "a")) };
    let left = case(vec![by_hand::deliver(delivery)]).restricted_to(terms);
    let effects: Vec<Effect> = left.all_deliveries().map(|delivery| delivery.effect).collect();
    effects[0]
}

/// It need not read what it will fetch.
#[test]
fn a_broken_event_that_says_which_it_is_may_be_fetched() {
    let (named, unnamed) = (r#"{"id":"event of a"}"#, r#"{"id":"another"}"#);
    let calling_back = || everything(&|_| true);
    assert_eq!(effect(Effect::Reject, named, calling_back()), Effect::Tolerate);
    assert_eq!(effect(Effect::Reject, unnamed, calling_back()), Effect::Reject);
    assert_eq!(effect(Effect::Reject, "{", calling_back()), Effect::Reject);
    assert_eq!(effect(Effect::Accept, named, calling_back()), Effect::Accept);
    assert_eq!(effect(Effect::Reject, named, Terms { calls_back: false, ..calling_back() }), Effect::Reject);
}

#[test]
fn the_api_is_there_for_those_who_call_it() {
    let mut whole = case(vec![by_hand::deliver(Delivery { api: Some(ApiFault::Broken), ..paid("o1", "a") })]);
    let left = |case: &Case, calls_back: bool| {
        let left = case.clone().restricted_to(Terms { calls_back, ..everything(&|_| true) });
        (left.api.len(), left.all_deliveries().filter(|delivery| delivery.api.is_some()).count())
    };
    assert_eq!((left(&whole, true), left(&whole, false)), ((0, 1), (0, 0)));
    let text = |text: &str| text.to_owned();
    let object = ApiObject { since: 0, order_id: text("o1"), id: text("a"), kind: text("refund"), body: text("{}"), tells: Vec::new() };
    whole.api.push(object);
    assert_eq!((left(&whole, true), left(&whole, false)), ((1, 1), (0, 0)));
}

/// Nothing is computed anew where nothing is left out.
#[test]
fn a_case_that_is_sent_as_it_is_stays_as_it_is() {
    let whole = case(vec![one("a"), one("b")]).sent_whole();
    for calls_back in [false, true] {
        assert_eq!(whole.clone().restricted_to(Terms { calls_back, ..everything(&|_| true) }), whole);
    }
}

#[test]
fn of_which_orders_all_was_told_stays_known() {
    for complete in [[true, false], [false, true]] {
        let mut whole = by_hand::case(&["o1", "o2"], vec![one("a"), by_hand::deliver(paid("o2", "b")), one("c")]);
        whole.expect_again(&complete);
        let left = whole.restricted_to(everything(&|kind| kind != "refund.c"));
        let judged: Vec<bool> = left.expect.iter().map(|end| end.available_to_refund_amount.is_some()).collect();
        assert_eq!(judged, complete);
    }
}
