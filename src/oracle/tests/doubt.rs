//! How far an amount may go while it is not known what became of a doubtful delivery.

use super::*;
use crate::{
    case::Delivery,
    domain::{EventTime, RefundState, Status},
    plan::MutationKind,
};

/// An event that tells at a time how a refund of the order stands.
fn at(seconds: i64, refund: &str, state: RefundState) -> Delivery {
    let mut delivery = by_hand::told("o1", refund, state);
    delivery.event.created_time = EventTime::from_micros(seconds * 1_000_000);
    delivery.event.id = format!("{refund} {state:?} at {seconds}");
    delivery
}

fn accepted(delivery: Delivery) -> Act {
    by_hand::deliver(delivery)
}

fn doubtful(delivery: Delivery) -> Act {
    by_hand::deliver(with_effect(Effect::Tolerate, delivery))
}

/// How far the amount may go after each entry, in tens.
#[track_caller]
fn goes(acts: Vec<Act>, expected: &[Option<(u64, u64)>]) {
    let case = case(acts);
    let range = |expected: &Expectation| expected.in_doubt.as_ref().map(|range| (range.least, range.most));
    let ranges: Vec<_> = case.entries.iter().map(|entry| range(&entry.expect[0])).collect();
    assert_eq!(ranges, expected.iter().map(|range| range.map(|(least, most)| (tens(least), tens(most)))).collect::<Vec<_>>());
    // To the end.
    assert_eq!(range(&case.expect[0]), ranges.last().cloned().flatten());
}

#[test]
fn nothing_is_in_doubt_where_nothing_is_doubtful() {
    goes(vec![accepted(at(1, "a", RefundState::Succeeded))], &[None]);
}

#[test]
fn a_doubtful_success_may_count_or_not() {
    let acts = vec![accepted(at(1, "a", RefundState::Succeeded)), doubtful(at(2, "b", RefundState::Succeeded))];
    goes(acts, &[None, Some((1, 2))]);
}

#[test]
fn a_doubtful_last_word_may_be_believed_until_there_is_a_later_one() {
    let acts = vec![
        accepted(at(1, "a", RefundState::Succeeded)),
        doubtful(at(2, "a", RefundState::Pending)),
        accepted(at(3, "b", RefundState::Succeeded)),
        accepted(at(4, "a", RefundState::Succeeded)),
    ];
    goes(acts, &[None, Some((0, 1)), Some((1, 2)), Some((2, 2))]);
}

#[test]
fn what_comes_late_is_outdated_by_a_doubtful_word_that_is_later() {
    let acts = vec![doubtful(at(5, "a", RefundState::Pending)), accepted(at(3, "a", RefundState::Succeeded))];
    goes(acts, &[Some((0, 0)), Some((0, 1))]);
}

#[test]
fn a_doubtful_word_of_the_same_moment_or_an_earlier_one_outdates_nothing() {
    for moment in [2, 3] {
        let acts = vec![doubtful(at(moment, "a", RefundState::Pending)), accepted(at(3, "a", RefundState::Succeeded))];
        goes(acts, &[Some((0, 0)), Some((1, 1))]);
    }
}

#[test]
fn a_doubtful_word_on_another_refund_outdates_nothing() {
    let acts = vec![
        accepted(at(1, "b", RefundState::Succeeded)),
        doubtful(at(5, "b", RefundState::Pending)),
        accepted(at(6, "b", RefundState::Succeeded)),
        accepted(at(3, "a", RefundState::Succeeded)),
    ];
    goes(acts, &[None, Some((0, 1)), Some((1, 1)), Some((2, 2))]);
}

/// However often it comes it leaves one choice, so that another doubtful delivery is still taken for one.
#[test]
fn a_doubtful_delivery_that_comes_again_leaves_no_further_choice() {
    let mut acts = vec![doubtful(at(1, "a", RefundState::Succeeded)); 6];
    acts.push(doubtful(at(2, "b", RefundState::Succeeded)));
    let mut expected = vec![Some((0, 1)); 6];
    expected.push(Some((0, 2)));
    goes(acts, &expected);
}

/// Each doubles the choices. Plans have fewer; a case by hand with more is judged as if the last had not come.
#[test]
fn so_many_choices_are_kept_apart() {
    let acts = ["a", "b", "c", "d", "e", "f", "g"].map(|refund| doubtful(at(1, refund, RefundState::Succeeded))).to_vec();
    goes(acts, &[1, 2, 3, 4, 5, 6, 6].map(|most| Some((0, most))));
}

/// One that tells of nothing new is applied or not, and the order is the same.
#[test]
fn a_choice_that_changes_nothing_is_no_other_end() {
    let case = case(vec![accepted(at(1, "a", RefundState::Succeeded)), doubtful(at(2, "a", RefundState::Succeeded))]);
    assert_eq!(case.expect_if_applied, []);
}

#[test]
fn two_choices_with_one_end_are_told_once() {
    let case = case(vec![doubtful(at(1, "a", RefundState::Succeeded)), doubtful(at(2, "a", RefundState::Succeeded))]);
    assert_eq!(case.expect_if_applied.len(), 1);
}

/// A success in a word that nobody knows, which may be read as a refund that waits.
fn strange() -> Act {
    let mut strange = at(1, "a", RefundState::Succeeded);
    strange.mutation_kind = Some(MutationKind::UnknownState);
    strange.event.id = "strange".to_owned();
    strange.readings = vec![at(1, "a", RefundState::Pending).event];
    doubtful(strange)
}

/// The event itself may be dropped as one of the same moment.
#[test]
fn of_two_events_of_one_moment_the_strange_one_may_be_kept() {
    let ends = |moment: i64| -> Vec<Status> {
        let case = case(vec![strange(), accepted(at(moment, "a", RefundState::Succeeded))]);
        case.expect_if_applied.iter().flat_map(|end| end.status.clone()).collect()
    };
    assert!(ends(1).contains(&Status::Pending) && !ends(2).contains(&Status::Pending), "{:?} {:?}", ends(1), ends(2));
}

/// Were each copy another choice, there would be more of them than any memory holds.
#[test]
fn an_event_that_may_be_dropped_leaves_no_further_choice_when_it_comes_again() {
    let ends = |copies: usize| {
        let mut acts = vec![strange()];
        acts.extend(vec![accepted(at(1, "a", RefundState::Succeeded)); copies]);
        case(acts).expect_if_applied
    };
    assert_eq!(ends(40), ends(1));
}

/// So that another doubtful delivery is still taken for one.
#[test]
fn copies_of_an_event_that_may_be_dropped_take_no_room() {
    let ends = |acts: Vec<Act>| case(acts).expect_if_applied.len();
    let mut acts = vec![strange()];
    acts.extend(vec![accepted(at(1, "a", RefundState::Succeeded)); 10]);
    let before = ends(acts.clone());
    acts.push(doubtful(at(2, "b", RefundState::Succeeded)));
    assert!(ends(acts) > before);
}
