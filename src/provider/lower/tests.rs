//! What befalls deliveries, and what is left of it.

use super::{Audience, COMMON_FAMILY, MOST_DOUBTFUL, lower, lower_for};
use crate::{
    case::{Case, Delivery, Effect, Mishap},
    model::Tell,
    plan::{Action, DisputeMove, Fault, FaultKind, Level, Mutation, MutationKind, Opening, Palette, Pick, Plan, Step},
    provider::{Provider, registered},
};

/// The first provider that has something.
#[track_caller]
pub(super) fn that_has(what: impl Fn(&Palette) -> bool) -> &'static dyn Provider {
    registered().iter().map(|provider| provider.embedded()).find(|provider| what(provider.palette())).expect("one has it")
}

fn of(steps: Vec<Step>) -> Plan {
    Plan { orders: Vec::new(), steps, only: Vec::new(), look: 0 }
}

/// A refund whose events meet these faults.
fn refund(own: bool, faults: impl IntoIterator<Item = FaultKind>) -> Step {
    let action = Action::Refund { amount: Pick::Units(100), level: Level::Order, joins: false, own, kind: 0, opens: Opening::Pending };
    Step { faults: faults.into_iter().map(|kind| Fault { event: 0, kind }).collect(), ..Step::plain(action) }
}

fn for_callers(provider: &dyn Provider, steps: Vec<Step>) -> Case {
    lower_for(provider, &of(steps), 7, Audience { calls_back: true, ..Audience::EVERYBODY }).case
}

#[test]
fn no_more_is_doubtful_than_leaves_something_to_be_wrong() {
    let provider = that_has(|palette| palette.cancellation);
    let cancelled = || [refund(false, []), Step::plain(Action::Cancel { refund: 0 })];
    for (times, expected) in [(1, 1), (3, 3), (6, 3)] {
        let case = lower(provider, &of((0..times).flat_map(|_| cancelled()).collect()), 7).case;
        assert_eq!(case.all_deliveries().filter(|delivery| delivery.effect == Effect::Tolerate).count(), expected, "{times}");
    }
}

#[test]
fn an_answer_is_lost_only_while_something_is_delivered() {
    let provider = that_has(|palette| palette.own);
    for (with, expected) in [(0, false), (1, true)] {
        let case = for_callers(provider, vec![refund(true, [FaultKind::BeforeAnswer { with, lost: true }])]);
        let mut own = case.entries.iter().filter_map(|entry| entry.act.own_refund());
        assert_eq!(own.next().map(|own| own.answer_lost), Some(expected), "{with}");
    }
}

/// The provider's API fails while an event is handled for the first time, and does what it should when it is sent again.
#[test]
fn the_api_fails_once() {
    let kinds = [FaultKind::Again { after: 0 }, FaultKind::MuchLater { hours: 0, first: false }];
    for again in kinds {
        let case = for_callers(that_has(|_| true), vec![refund(false, [FaultKind::ApiFails { how: 0 }, again.clone()])]);
        let first = case.all_deliveries().next().expect("it is sent").event.id.clone();
        let fails = |delivery: &Delivery| delivery.api.is_some();
        let of_it: Vec<bool> = case.all_deliveries().filter(|delivery| delivery.event.id == first).map(fails).collect();
        assert_eq!(of_it, [true, false], "{again:?}");
    }
}

/// A change of which many events tell, more than are foreseen: no two of them may have one time, or nothing says which came first.
#[test]
fn every_event_of_a_large_family_has_a_time() {
    let provider = that_has(|palette| palette.charges);
    assert!(!provider.whole_seconds());
    let joined = Action::Refund { amount: Pick::Units(1), level: Level::Order, joins: true, own: false, kind: 0, opens: Opening::Pending };
    let opened = std::iter::repeat_n(Step::plain(joined), COMMON_FAMILY);
    let paid = Step::plain(Action::Succeed { refund: 0, paid: Pick::All });
    let case = lower(provider, &of(opened.chain([paid]).collect()), 7).case;
    let times: Vec<_> = case.all_deliveries().map(|delivery| &delivery.event.created_time).collect();
    assert!(times.len() > 2 * COMMON_FAMILY && times.is_sorted_by(|one, other| one < other), "{times:?}");
}

#[test]
fn what_is_overtaken_by_nothing_is_as_it_was() {
    let case = |faults: Vec<FaultKind>| lower(that_has(|_| true), &of(vec![refund(false, faults)]), 7).case.entries;
    assert_eq!(case(vec![FaultKind::Late { by: 0 }]), case(Vec::new()));
    assert_ne!(case(vec![FaultKind::Late { by: 1 }]), case(Vec::new()));
}

#[test]
fn one_fact_has_two_ids_only_where_the_provider_says_so() {
    for (twins, copies) in [(false, 0), (true, 1)] {
        let provider = that_has(|palette| palette.twins == twins);
        let deliveries = |faults: Vec<FaultKind>| lower(provider, &of(vec![refund(false, faults)]), 7).case.deliveries();
        assert_eq!(deliveries(vec![FaultKind::Twin { after: 0 }]), deliveries(Vec::new()) + copies, "{}", provider.name());
    }
}

#[test]
fn what_happens_to_a_target_happens_once() {
    let first = |kind: FaultKind| {
        let again = FaultKind::Again { after: 0 };
        let case = lower(that_has(|_| true), &of(vec![refund(false, [kind, again])]), 7).case;
        let of_it = case.all_deliveries().map(|delivery| delivery.mishap);
        of_it.take(2).collect::<Vec<_>>()
    };
    assert_eq!(first(FaultKind::DiskFull), [Some(Mishap::DiskFull), None]);
    assert_eq!(first(FaultKind::StandsStill { long: 1 }), [Some(Mishap::StandsStill { for_ms: 250 }), None]);
}

#[test]
fn a_body_that_breaks_off_is_not_also_called_late() {
    let faults = [FaultKind::Late { by: 1 }, FaultKind::BrokenFirst { at: 3, after: 0 }];
    let case = lower(that_has(|_| true), &of(vec![refund(false, faults)]), 7).case;
    let broken: Vec<_> = case.all_deliveries().filter(|delivery| delivery.mutation.is_some()).collect();
    assert!(broken.len() == 1 && broken[0].fault.is_none(), "{broken:?}");
}

#[test]
fn no_more_is_done_to_bodies_than_leaves_something_to_be_wrong() {
    let mutation = |pick| Mutation { kind: MutationKind::UnknownState, pick };
    let doubtful = |pick| FaultKind::Mutated { mutation: mutation(pick), same_id: false, after: 0 };
    let case = lower(that_has(|_| true), &of(vec![refund(false, (0..6).map(doubtful))]), 7).case;
    assert_eq!(case.all_deliveries().filter(|delivery| delivery.effect == Effect::Tolerate).count(), usize::from(MOST_DOUBTFUL));
}

#[test]
fn what_befalls_an_event_that_is_not_sent_befalls_nothing() {
    let plan = Plan { only: vec!["no.such.event".to_owned()], ..of(vec![refund(false, [FaultKind::UnknownBefore { name: 0 }])]) };
    assert_eq!(lower(that_has(|_| true), &plan, 7).case.deliveries(), 0);
}

/// Who is not told that a dispute is over does not wait for that.
#[test]
fn the_last_event_that_is_sent_of_a_change_ends_it() {
    let provider = that_has(|palette| palette.disputes);
    let opened = Action::OpenDispute { amount: Pick::All, inquiry: false, over: 0, prevented: false };
    let won = Action::MoveDispute { dispute: 0, to: DisputeMove::Win };
    let waits = |subscribed: &dyn Fn(&str) -> bool| {
        let steps = [opened.clone(), won.clone()].map(Step::plain).to_vec();
        let case = lower_for(provider, &of(steps), 7, Audience { subscribed, ..Audience::EVERYBODY }).case;
        let is_open = |tell: &Tell| matches!(tell, Tell::Dispute { still: Some(_), .. });
        case.all_deliveries().any(|delivery| delivery.event.tells.iter().any(is_open))
    };
    assert!(waits(&|_| true) && !waits(&|kind| !kind.ends_with("closed")));
}

/// What is not authentic and is called like an event comes when that is known; what is called otherwise comes before.
#[test]
fn a_forged_copy_of_an_event_comes_after_it() {
    for (same_id, expected) in [(true, [Effect::Accept, Effect::Refuse]), (false, [Effect::Refuse, Effect::Accept])] {
        let mutation = Mutation { kind: MutationKind::SignatureAbsent, pick: 0 };
        let case = lower(that_has(|_| true), &of(vec![refund(false, [FaultKind::Mutated { mutation, same_id, after: 0 }])]), 7).case;
        let first: Vec<Effect> = case.all_deliveries().map(|delivery| delivery.effect).take(2).collect();
        assert_eq!(first, expected);
    }
}

/// Where an object has one event of a type, nothing doubtful of that type comes beside the true one, and no second event of the
/// fact either. A doubtful signature says nothing else than the event.
#[test]
fn what_there_is_one_event_of_is_doubtful_or_true() {
    let provider = that_has(|palette| palette.twins);
    let kind = provider.palette().refund_completion.clone();
    assert!(provider.once(&kind), "{kind}");
    let effects = |mutation: MutationKind| {
        let doubtful = FaultKind::Mutated { mutation: Mutation { kind: mutation, pick: 0 }, same_id: false, after: 0 };
        let plan = Plan { only: vec![kind.clone()], ..of(vec![refund(false, [doubtful, FaultKind::Twin { after: 0 }])]) };
        let case = lower(provider, &plan, 7).case;
        case.all_deliveries().map(|delivery| delivery.effect).collect::<Vec<_>>()
    };
    assert_eq!(effects(MutationKind::TextAmount), [Effect::Tolerate]);
    assert_eq!(effects(MutationKind::FutureTime), [Effect::Tolerate, Effect::Accept, Effect::Accept]);
}
