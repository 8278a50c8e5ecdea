//! What an inquiry makes of cases that are right where the target has more ease: alone, slowly, a moment or far later.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use super::{Eased, Script, Scripted, bring, failing, failure, in_turn, plan, race, refund, requirements, scripted};
use crate::{
    case::Case,
    check::FailureKind,
    findings::{Besides, Ease, Examined, Inquiry, Mistake, Requirement, Stage},
    plan::{Action, FaultKind, Pick, Plan, Recipe, Step},
};

/// What two failing cases of a target are put down to that has more ease with some, and what was asked for.
fn beside(eased: &Eased<'_>, script: &Script<'_>) -> (Vec<Option<Besides>>, Vec<Ease>, bool) {
    let requirements = requirements();
    let mut inquiry = Inquiry::new(Scripted { eased, ..scripted(script) }, &requirements);
    bring(&mut inquiry, &in_turn());
    bring(&mut inquiry, &plan(vec![refund(&[]), refund(&[]), Step::plain(Action::Succeed { refund: 1, paid: Pick::All })]));
    let besides = inquiry.mistakes().iter().map(|mistake| mistake.besides).collect();
    (besides, std::mem::take(&mut inquiry.stage().asked_for), inquiry.stage().is_careful)
}

fn always(_: &Case, _: u32) -> bool {
    true
}

#[test]
fn what_is_right_alone_is_put_down_to_others() {
    let (besides, asked, is_careful) = beside(&|_, ease| Some(ease == Ease::Alone), &always);
    assert_eq!(besides, [Some(Besides::Others)]);
    assert_eq!(asked, [Ease::Alone; 6], "twice until it is known, of what is left of it too, and once then");
    assert!(is_careful);
}

/// One case may have failed by chance, and two that did are no chance.
#[test]
fn what_never_comes_again_is_put_down_to_others_when_it_is_met_twice() {
    let requirements = requirements();
    let never = |_: &Case, _: u32| false;
    let mut inquiry = Inquiry::new(Scripted { eased: &|_, ease| Some(ease == Ease::Alone), ..scripted(&never) }, &requirements);
    bring(&mut inquiry, &in_turn());
    let besides = |inquiry: &Inquiry<'_, Scripted<'_>>| inquiry.mistakes().iter().map(|one| (one.besides, one.chance)).collect::<Vec<_>>();
    assert_eq!(besides(&inquiry), [(None, Some((0, 21)))]);
    bring(&mut inquiry, &plan(vec![refund(&[])]));
    assert_eq!(besides(&inquiry), [(Some(Besides::Others), None)]);
    assert!(inquiry.stage().is_careful && inquiry.mistakes()[0].trigger.is_empty() && inquiry.mistakes()[0].examined == Examined::No);
}

/// Once may be luck.
#[test]
fn what_is_right_alone_once_is_not_put_down_to_others() {
    let times = Cell::new(0);
    let eased = |_: &Plan, ease| {
        times.set(times.get() + u32::from(ease == Ease::Alone));
        Some(ease == Ease::Alone && times.get() == 1)
    };
    let (besides, _, is_careful) = beside(&eased, &always);
    assert_eq!((besides, is_careful), (vec![None], false));
}

#[test]
fn what_is_right_slowly_is_put_down_to_haste_and_made_smaller() {
    let requirements = requirements();
    let mut inquiry = Inquiry::new(Scripted { eased: &|_, ease| Some(ease == Ease::Slowly), ..scripted(&always) }, &requirements);
    bring(&mut inquiry, &in_turn());
    let [mistake] = inquiry.mistakes() else { panic!("{} mistakes", inquiry.mistakes().len()) };
    assert_eq!((mistake.besides, mistake.smallest.case.deliveries()), (Some(Besides::Haste), 1));
    assert!(mistake.is_smallest && mistake.examined == Examined::Yes && mistake.trigger.is_empty() && mistake.like.is_empty());
    assert!(!inquiry.stage().is_careful, "others do not matter");
}

/// What is left of it would not show it.
#[test]
fn what_is_wrong_slowly_when_it_is_smaller_is_told_as_it_was() {
    let requirements = requirements();
    let whole = in_turn();
    let eased = |plan: &Plan, ease| Some(ease == Ease::Slowly && *plan == whole);
    let mut inquiry = Inquiry::new(Scripted { eased: &eased, ..scripted(&always) }, &requirements);
    bring(&mut inquiry, &whole);
    let mistake = &inquiry.mistakes()[0];
    assert_eq!((mistake.besides, &mistake.smallest.plan, mistake.examined), (Some(Besides::Haste), &whole, Examined::No));
}

#[test]
fn what_is_right_a_moment_later_is_put_down_to_that() {
    let (besides, ..) = beside(&|_, ease| Some(ease == Ease::Later), &always);
    assert_eq!(besides, [Some(Besides::Moment)]);
}

/// Each question takes long, so it is asked once.
#[test]
fn what_is_right_much_later_is_asked_about_once() {
    let (besides, asked, _) = beside(&|_, ease| Some(ease == Ease::Patiently), &always);
    assert_eq!(besides, [Some(Besides::Patience)]);
    assert_eq!(asked, [Ease::Alone, Ease::Slowly, Ease::Later, Ease::Patiently]);
}

/// A target that is wrong in its own ways is not waited for again and again.
#[test]
fn nobody_is_waited_for_in_vain_for_ever() {
    let requirements = requirements();
    let script = |case: &Case, _: u32| case.deliveries() > 0;
    let mut inquiry = Inquiry::new(Scripted { eased: &|_, _| Some(false), ..scripted(&script) }, &requirements);
    for number in 0..6 {
        let only = inquiry.stage().provider().corpus().catalogue[number].kind.clone();
        bring(&mut inquiry, &Plan { only: vec![only], ..in_turn() });
    }
    let asked = |ease| inquiry.stage.asked_for.iter().filter(|asked| **asked == ease).count();
    assert_eq!([Ease::Slowly, Ease::Later, Ease::Patiently].map(asked), [3, 3, 3]);
}

/// A race is chance, and a hang or a new start has been waited for.
#[test]
fn what_races_or_is_costly_is_not_asked_whether_it_is_right_alone() {
    let races = |case: &Case, _: u32| case.races();
    let in_turn: (_, _, &Script<'_>) = (FailureKind::Crash, in_turn(), &always);
    for (kind, plan, script) in [(FailureKind::State, race(), &races as &Script<'_>), in_turn] {
        let requirements = requirements();
        let mut inquiry = Inquiry::new(Scripted { kind, eased: &|_, _| Some(true), ..scripted(script) }, &requirements);
        bring(&mut inquiry, &plan);
        assert_eq!(inquiry.stage().asked_for, []);
    }
}

/// What races and fails with one that is known to be hasty: by haste if it is right slowly each time, by itself if not.
fn of_a_race(right_slowly: &dyn Fn(u32) -> bool) -> Vec<(Option<Besides>, bool)> {
    let requirements = requirements();
    let times = Cell::new(0);
    let eased = |plan: &Plan, ease| {
        let races = plan.steps.iter().flat_map(|step| &step.faults).any(|fault| matches!(fault.kind, FaultKind::Together { .. }));
        times.set(times.get() + u32::from(races));
        Some(ease == Ease::Slowly && (!races || right_slowly(times.get())))
    };
    let known = Cell::new(false);
    let script = |case: &Case, _: u32| !known.get() || case.races();
    let mut inquiry = Inquiry::new(Scripted { eased: &eased, ..scripted(&script) }, &requirements);
    bring(&mut inquiry, &in_turn());
    known.set(true);
    let race = failing(&mut inquiry, &race(), Some(failure(FailureKind::State, "pending")));
    let by = inquiry.attribute(&race);
    let told = inquiry.mistakes().iter().enumerate().map(|(place, mistake)| (mistake.besides, by.contains(&place)));
    told.collect()
}

#[test]
fn a_race_that_is_right_slowly_fails_because_of_haste_that_is_known() {
    assert_eq!(of_a_race(&|_| true), [(Some(Besides::Haste), true)]);
}

/// It may have been lucky.
#[test]
fn a_race_that_is_right_slowly_now_and_then_fails_by_itself() {
    assert_eq!(of_a_race(&|times| times % 3 > 0), [(Some(Besides::Haste), false), (None, true)]);
}

/// Time makes no answer right that was wrong.
#[test]
fn a_wrong_answer_is_not_waited_for() {
    let requirements = requirements();
    let mut inquiry = Inquiry::new(Scripted { kind: FailureKind::Answer, eased: &|_, _| Some(false), ..scripted(&always) }, &requirements);
    bring(&mut inquiry, &in_turn());
    assert!(inquiry.stage().asked_for.iter().all(|ease| *ease == Ease::Alone));
}

/// A case that fails by itself, and of which something else is left when it is made smaller on a target that was used.
#[test]
fn what_only_others_leave_of_a_case_is_told_beside_what_is_its_own() {
    let requirements = requirements();
    let eased = |plan: &Plan, ease| Some(ease == Ease::Alone && plan.steps.len() < 2);
    let mut inquiry = Inquiry::new(Scripted { eased: &eased, ..scripted(&always) }, &requirements);
    let failing = failing(&mut inquiry, &in_turn(), Some(failure(FailureKind::State, "pending")));
    let by = inquiry.attribute(&failing);
    assert_eq!(inquiry.mistakes()[by[0]].besides, Some(Besides::Others));
    assert!(inquiry.stage().is_careful);
}

#[test]
fn what_is_put_down_to_others_is_about_orders_that_mix() {
    let id = |besides: Besides, hits: &[usize]| {
        let recipes = [Recipe::Plain, Recipe::Concurrent, Recipe::SeveralOrders];
        let requirements = recipes.into_iter().enumerate().map(|(place, recipe)| (place, Requirement { id: String::new(), recipe }));
        let requirements: BTreeMap<usize, Requirement> = requirements.collect();
        let mut inquiry = Inquiry::new(scripted(&always), &requirements);
        let failing = failing(&mut inquiry, &in_turn(), Some(failure(FailureKind::State, "pending")));
        let mistake = Mistake::unexamined(String::new(), failing, FailureKind::State);
        let mistake = Mistake { besides: Some(besides), hits: hits.iter().copied().collect(), ..mistake };
        inquiry.owner(&mistake, &BTreeSet::new())
    };
    assert_eq!(id(Besides::Others, &[0, 1, 2]), Some(2));
    assert_eq!(id(Besides::Haste, &[0, 1, 2]), Some(1));
    assert_eq!([Besides::Moment, Besides::Patience].map(|besides| id(besides, &[0, 1, 2])), [Some(0), Some(0)]);
    assert_eq!(id(Besides::Others, &[0, 1]), Some(0), "it breaks nothing about that");
}

/// Each question costs a new start, and what is taken out of a case says enough.
#[test]
fn what_a_known_mistake_explains_is_not_asked_whether_it_is_right_alone() {
    let again = |case: &Case, _| case.all_deliveries().any(|delivery| delivery.fault.is_some());
    let requirements = requirements();
    let mut inquiry = Inquiry::new(Scripted { eased: &|_, _| Some(false), ..scripted(&again) }, &requirements);
    bring(&mut inquiry, &plan(vec![refund(&[FaultKind::Again { after: 0 }])]));
    let before = inquiry.stage().asked_for.len();
    bring(&mut inquiry, &plan(vec![refund(&[FaultKind::Again { after: 2 }]), refund(&[])]));
    assert_eq!((inquiry.mistakes().len(), inquiry.stage().asked_for.len()), (1, before));
}
