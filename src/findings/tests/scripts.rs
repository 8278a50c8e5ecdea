//! What an inquiry makes of targets that are only scripts: which case fails in which of its runs.

mod besides;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{plan, tells, with_faults};
use crate::{
    case::Case,
    check::{Failure, FailureKind},
    findings::{Ease, Examined, Failing, Inquiry, Mistake, Requirement, Shown, ShrinkLimits, Stage},
    model::Tell,
    plan::{Action, FaultKind, OrderPlan, Pick, Plan, Recipe, Step},
    provider::{Provider, lower, registered},
    reference::Fault,
};

/// The requirement whose cases these are, by its place in the catalogue.
const HOST: usize = 0;

/// Whether a case fails when it is played for the n-th time of all.
type Script<'s> = dyn Fn(&Case, u32) -> bool + 's;

struct Scripted<'s> {
    script: &'s Script<'s>,
    kind: FailureKind,
    /// So many cases are played before nobody is there any more, or the time is over.
    patience: u32,
    played: u32,
    made: u64,
    limits: ShrinkLimits,
    /// How long each case takes.
    takes: Duration,
    /// How many cases it takes at once, where each costs a new start.
    at_once: usize,
    /// How many deliveries were left each time that it got smaller.
    smaller: Vec<usize>,
    /// How many were played each time that several were.
    batches: Vec<usize>,
    /// What is seen where a case fails.
    observed: &'static str,
    /// Every fault is foretold to fail the cases that deliver so much.
    foretold_from: usize,
    /// How often something was foretold.
    foretold: u32,
    /// Whether a plan's case passes when it is played with more ease.
    eased: &'s Eased<'s>,
    /// The eases that were asked for.
    asked_for: Vec<Ease>,
    /// Whether it is to be careful.
    is_careful: bool,
    /// Whether the run is over.
    is_over: bool,
}

/// What a target does with a case that it has more ease with.
type Eased<'s> = dyn Fn(&Plan, Ease) -> Option<bool> + 's;

fn scripted<'s>(script: &'s Script<'s>) -> Scripted<'s> {
    Scripted {
        script,
        kind: FailureKind::State,
        patience: u32::MAX,
        played: 0,
        made: 0,
        limits: ShrinkLimits::default(),
        takes: Duration::ZERO,
        at_once: 1,
        smaller: Vec::new(),
        batches: Vec::new(),
        observed: "pending",
        foretold_from: usize::MAX,
        foretold: 0,
        eased: &|_, _| None,
        asked_for: Vec::new(),
        is_careful: false,
        is_over: false,
    }
}

impl Stage for Scripted<'_> {
    fn provider(&self) -> &dyn Provider {
        registered()[0].embedded()
    }

    fn case(&mut self, host: usize, plan: &Plan) -> Case {
        self.made += 1;
        self.case_with(host, plan, self.made)
    }

    fn case_with(&mut self, _: usize, plan: &Plan, serial: u64) -> Case {
        lower(registered()[0].embedded(), plan, serial).case
    }

    fn play(&mut self, _: usize, case: &Case, _: Option<FailureKind>) -> Option<Shown> {
        if self.played >= self.patience {
            return None;
        }
        self.played += 1;
        let failure = (self.script)(case, self.played).then(|| failure(self.kind, self.observed));
        Some(Shown { failure, ..Shown::default() })
    }

    fn play_all(&mut self, host: usize, cases: &[Case], after: Option<FailureKind>) -> Vec<Option<Shown>> {
        self.batches.push(cases.len());
        cases.iter().map(|case| self.play(host, case, after)).collect()
    }

    /// The bank knows nothing of most of these targets.
    fn foretell(&mut self, _: usize, case: &Case, faults: &[Fault]) -> Shown {
        self.foretold += 1;
        let fails = case.deliveries() >= self.foretold_from;
        Shown { failure: fails.then(|| failure(self.kind, &format!("{faults:?}"))), ..Shown::default() }
    }

    fn limits(&self, _: FailureKind) -> ShrinkLimits {
        self.limits
    }

    fn is_costly(&self, kind: FailureKind) -> bool {
        kind == FailureKind::Crash
    }

    fn is_dear(&self, kind: FailureKind, _: &Case) -> bool {
        self.is_costly(kind)
    }

    fn at_once(&mut self, _: FailureKind, _: &Case) -> usize {
        self.at_once
    }

    fn elapsed(&self) -> Duration {
        self.takes * self.played
    }

    fn smaller(&mut self, _: usize, deliveries: usize) {
        self.smaller.push(deliveries);
    }

    fn passes(&mut self, _: usize, plan: &Plan, ease: Ease) -> Option<bool> {
        self.asked_for.push(ease);
        (self.eased)(plan, ease)
    }

    fn be_careful(&mut self) {
        self.is_careful = true;
    }

    fn is_over(&self) -> bool {
        self.is_over
    }
}

fn failure(kind: FailureKind, observed: &str) -> Failure {
    super::failure(kind, None, observed)
}

fn refund(faults: &[FaultKind]) -> Step {
    with_faults(super::refund(), faults)
}

/// Two refunds of one order, everything at the same time.
fn race() -> Plan {
    plan(vec![refund(&[FaultKind::Together { with: 4 }]), Step::plain(Action::Succeed { refund: 0, paid: Pick::All }), refund(&[])])
}

fn in_turn() -> Plan {
    plan(vec![refund(&[]), Step::plain(Action::Succeed { refund: 0, paid: Pick::All }), refund(&[])])
}

fn deliveries_of(plan: &Plan) -> usize {
    lower(registered()[0].embedded(), plan, 1).case.deliveries()
}

fn requirements() -> BTreeMap<usize, Requirement> {
    BTreeMap::from([(HOST, Requirement { id: "a-requirement".to_owned(), recipe: Recipe::Plain })])
}

/// What is found when this plan's case has failed once, and how often the target was asked.
fn found(plan: &Plan, script: &Script<'_>) -> (Vec<Mistake>, u32) {
    let requirements = requirements();
    let mut inquiry = Inquiry::new(scripted(script), &requirements);
    bring(&mut inquiry, plan);
    (inquiry.mistakes().to_vec(), inquiry.stage().played)
}

/// Brings a case that has failed.
fn bring(inquiry: &mut Inquiry<'_, Scripted<'_>>, plan: &Plan) {
    let failure = failure(inquiry.stage().kind, "pending");
    bring_with(inquiry, plan, failure);
}

/// Brings a case that has failed in this way.
fn bring_with(inquiry: &mut Inquiry<'_, Scripted<'_>>, plan: &Plan, failure: Failure) {
    let failing = failing(inquiry, plan, Some(failure));
    inquiry.attribute(&failing);
}

fn failing(inquiry: &mut Inquiry<'_, Scripted<'_>>, plan: &Plan, failure: Option<Failure>) -> Failing {
    let case = inquiry.stage().case(HOST, plan);
    Failing { host: HOST, number: Some(0), plan: plan.clone(), case, shown: Shown { failure, ..Shown::default() } }
}

/// How often the smallest case of the only mistake fails, and in how many deliveries.
#[track_caller]
fn only(mistakes: &[Mistake]) -> (Option<(u32, u32)>, usize) {
    let [mistake] = mistakes else { panic!("{} mistakes", mistakes.len()) };
    (mistake.chance, mistake.smallest.case.deliveries())
}

#[test]
fn what_always_fails_gets_small_and_says_nothing_of_chance() {
    let (mistakes, _) = found(&in_turn(), &|case, _| case.deliveries() > 0);
    assert_eq!(only(&mistakes), (None, 1));
}

#[test]
fn a_race_that_always_fails_says_so() {
    let (mistakes, _) = found(&race(), &|case, _| case.races());
    let (chance, deliveries) = only(&mistakes);
    assert_eq!(chance, Some((20, 20)));
    assert_eq!(deliveries, 2, "fewer are no race");
}

/// Whatever is smaller fails once, and never again: luck is no reason to go on with it.
#[test]
fn what_fails_once_is_not_taken_for_smaller() {
    let whole = deliveries_of(&race());
    let lucky = Cell::new(true);
    let (mistakes, _) = found(&race(), &move |case, _| case.races() && (case.deliveries() == whole || lucky.replace(false)));
    let (chance, deliveries) = only(&mistakes);
    assert_eq!((chance, deliveries), (Some((20, 20)), whole));
}

/// One case of it that came once only, and then one that comes always.
#[test]
fn a_mistake_is_shown_by_a_case_that_fails_again() {
    let requirements = requirements();
    let is_gone = Cell::new(true);
    let script = |case: &Case, _: u32| case.races() && !is_gone.get();
    let mut inquiry = Inquiry::new(scripted(&script), &requirements);
    bring(&mut inquiry, &race());
    assert_eq!(only(inquiry.mistakes()).0, Some((0, 20)));
    is_gone.set(false);
    bring(&mut inquiry, &race());
    assert_eq!(only(inquiry.mistakes()), (Some((20, 20)), 2));
}

/// Whatever is said of the one that came once only is said of the other then.
#[test]
fn a_case_that_fails_again_takes_the_place_of_one_that_did_not() {
    let requirements = requirements();
    let is_gone = Cell::new(true);
    let script = |case: &Case, _: u32| case.races() && !is_gone.get();
    let no_time = ShrinkLimits { time: Duration::ZERO, ..ShrinkLimits::default() };
    let mut inquiry = Inquiry::new(Scripted { takes: Duration::from_secs(1), limits: no_time, ..scripted(&script) }, &requirements);
    bring(&mut inquiry, &race());
    let before = inquiry.mistakes()[0].clone();
    assert_eq!((before.is_smallest, before.chance), (false, Some((0, 1))), "there is time for one more look only");
    (inquiry.stage().limits, inquiry.stage().takes) = (ShrinkLimits::default(), Duration::ZERO);
    is_gone.set(false);
    bring(&mut inquiry, &race());
    let after = &inquiry.mistakes()[0];
    assert!(after.is_smallest && after.id != before.id && after.trigger != before.trigger, "{after:?} after {before:?}");
}

/// What never comes again is told with how seldom it came.
#[test]
fn what_comes_once_only_says_how_seldom() {
    let (mistakes, _) = found(&in_turn(), &|_, _| false);
    let (chance, _) = only(&mistakes);
    assert_eq!(chance, Some((0, 21)));
}

/// Whether a case has events of this type and no others.
fn tells_only(case: &Case, kind: &str) -> bool {
    case.all_deliveries().all(|delivery| delivery.event.kind == kind)
}

/// The same with every event that tells of it; each is brought alone.
#[test]
fn one_mistake_told_by_two_types_of_events_is_one() {
    let views: [&[&str]; 2] = [&["order.charge.refund.complete"], &["refund.complete"]];
    let seen_in = |views: &[&[&str]], script: &Script<'_>| {
        let requirements = requirements();
        let mut inquiry = Inquiry::new(scripted(script), &requirements);
        for view in views {
            let only = view.iter().map(|kind| (*kind).to_owned()).collect();
            bring(&mut inquiry, &Plan { only, ..in_turn() });
        }
        inquiry.unite();
        inquiry.mistakes().iter().map(|mistake| mistake.id.clone()).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(seen_in(&views, &|case, _| case.deliveries() > 0), 1);
    assert_eq!(seen_in(&views, &|case, _| tells(case, "order.charge.refund.complete") || tells(case, "refund.complete")), 1);
    // Each fails only because of how the case is made otherwise: nothing says that they are one.
    let twice = |case: &Case| case.all_deliveries().count() > 1;
    assert_eq!(
        seen_in(&views, &|case, _| {
            case.deliveries() > 0
                && (tells_only(case, "order.charge.refund.complete") && !twice(case) || tells_only(case, "refund.complete") && twice(case))
        }),
        2
    );
}

/// Each of two types of events shows it with other amounts.
#[test]
fn what_is_not_shown_with_the_events_of_the_other_is_another_mistake() {
    let asks_for_all = |case: &Case| {
        let all = case.orders[0].captured_amount;
        let mut tells = case.all_deliveries().flat_map(|delivery| &delivery.event.tells);
        tells.any(|tell| matches!(tell, Tell::Refund { amount, .. } if *amount == all))
    };
    let script = |case: &Case, _: u32| {
        case.deliveries() > 0
            && (tells_only(case, "refund.pending") && asks_for_all(case) || tells_only(case, "refund.complete") && !asks_for_all(case))
    };
    let requirements = requirements();
    let mut inquiry = Inquiry::new(scripted(&script), &requirements);
    let part = Step::plain(Action::refund(Pick::Units(1)));
    let succeeds = Step::plain(Action::Succeed { refund: 0, paid: Pick::All });
    bring(&mut inquiry, &Plan { only: vec!["refund.pending".to_owned()], ..in_turn() });
    bring(&mut inquiry, &Plan { only: vec!["refund.complete".to_owned()], ..plan(vec![part, succeeds]) });
    inquiry.unite();
    let ids: BTreeSet<String> = inquiry.mistakes().iter().map(|mistake| mistake.id.clone()).collect();
    assert_eq!(ids.len(), 2);
}

/// A fault of the bank has one id already; what is like none is not it because the same members are wrong.
#[test]
fn what_is_like_a_fault_is_not_united_with_what_is_not() {
    for like in [0, 1] {
        let requirements = requirements();
        let kinds = ["order.charge.refund.complete", "refund.complete"];
        let script = |case: &Case, _: u32| kinds.iter().any(|kind| tells(case, kind));
        let mut inquiry = Inquiry::new(scripted(&script), &requirements);
        for kind in kinds {
            bring(&mut inquiry, &Plan { only: vec![kind.to_owned()], ..in_turn() });
        }
        inquiry.mistakes[like].like = vec![Fault::PendingCounts];
        let ids = |inquiry: &Inquiry<'_, Scripted<'_>>| inquiry.mistakes().iter().map(|mistake| mistake.id.clone()).collect::<Vec<_>>();
        let before = ids(&inquiry);
        assert_eq!(before.len(), 2);
        inquiry.unite();
        assert_eq!(ids(&inquiry), before);
    }
}

/// Two cases that show the same members wrong are two mistakes where something else than the types of events differs.
#[test]
fn what_takes_something_else_is_another_mistake() {
    let script = |case: &Case, _: u32| {
        let (orders, deliveries) = (case.orders.len(), case.deliveries());
        orders == 1 && deliveries > 0 && tells_only(case, "refund.complete")
            || orders > 1 && tells_only(case, "order.charge.refund.complete")
    };
    let requirements = requirements();
    let mut inquiry = Inquiry::new(scripted(&script), &requirements);
    bring(&mut inquiry, &Plan { only: vec!["refund.complete".to_owned()], ..in_turn() });
    let orders = vec![OrderPlan::default(), OrderPlan::default()];
    bring(&mut inquiry, &Plan { orders, only: vec!["order.charge.refund.complete".to_owned()], ..in_turn() });
    let ids = |inquiry: &Inquiry<'_, Scripted<'_>>| inquiry.mistakes().iter().map(|mistake| mistake.id.clone()).collect::<Vec<_>>();
    let before = ids(&inquiry);
    assert_eq!(before.len(), 2);
    inquiry.unite();
    assert_eq!(ids(&inquiry), before);
}

/// Where nobody can be asked any more, what fails is not said to be something that is known: that might be accepted, and hide it.
#[test]
fn what_nobody_can_be_asked_about_is_a_finding_of_its_own() {
    let again = |case: &Case, _| case.all_deliveries().any(|delivery| delivery.fault.is_some());
    let requirements = requirements();
    let mut inquiry = Inquiry::new(scripted(&again), &requirements);
    bring(&mut inquiry, &plan(vec![refund(&[FaultKind::Again { after: 0 }])]));
    assert_eq!(inquiry.mistakes().len(), 1);
    inquiry.stage().patience = 0;
    bring(&mut inquiry, &plan(vec![refund(&[FaultKind::Again { after: 2 }]), Step::plain(Action::Dispute), refund(&[])]));
    let examined: Vec<Examined> = inquiry.mistakes().iter().map(|mistake| mistake.examined).collect();
    assert_eq!(examined, [Examined::Yes, Examined::No]);
}

/// When the run is over, what else fails is one finding, not one for each way in which it can be wrong; and the known one is not said
/// to be why.
#[test]
fn what_is_left_when_the_run_is_over_is_one_finding() {
    let requirements = requirements();
    let mut inquiry = Inquiry::new(scripted(&|_, _| true), &requirements);
    bring(&mut inquiry, &plan(vec![refund(&[])]));
    inquiry.stage().patience = 0;
    inquiry.stage().is_over = true;
    for observed in ["failed", "settled"] {
        inquiry.stage().observed = observed;
        bring(&mut inquiry, &plan(vec![Step::plain(Action::Dispute), refund(&[])]));
    }
    let told: Vec<(Examined, bool)> = inquiry.mistakes().iter().map(|mistake| (mistake.examined, mistake.trigger.is_empty())).collect();
    assert_eq!(told, [(Examined::Yes, false), (Examined::TooLate, true)]);
}

/// Where the time is over before everything smaller was tried, nobody knows whether it fails too.
#[test]
fn what_was_not_tried_is_not_called_smallest() {
    let is_smallest = |patience| {
        let requirements = requirements();
        let script = |case: &Case, _: u32| case.deliveries() > 0;
        let mut inquiry = Inquiry::new(Scripted { patience, ..scripted(&script) }, &requirements);
        bring(&mut inquiry, &in_turn());
        inquiry.mistakes()[0].is_smallest
    };
    assert_eq!([0, 1, u32::MAX].map(is_smallest), [false, false, true]);
}

/// Brings two cases of a target that the script ends; how many mistakes there are and how often it was asked after each, and
/// whether the first mistake is said to come whatever is delivered.
fn ended(script: &Script<'_>) -> ([(usize, u32); 2], bool) {
    let requirements = requirements();
    let mut inquiry = Inquiry::new(Scripted { kind: FailureKind::Crash, ..scripted(script) }, &requirements);
    let after = [in_turn(), Plan { look: 3, ..race() }].map(|plan| {
        bring(&mut inquiry, &plan);
        (inquiry.mistakes().len(), inquiry.stage().played)
    });
    assert!(!inquiry.is_whatever([inquiry.mistakes().len()].into_iter()), "there is no such mistake");
    (after, inquiry.is_whatever([0].into_iter()))
}

#[test]
fn what_ends_the_target_whatever_comes_is_asked_about_once() {
    let ([(mistakes, played), again], whatever) = ended(&|_, _| true);
    assert_eq!((mistakes, again, whatever), (1, (1, played), true));
    assert!(played < 10, "{played} new starts");
}

/// What ends the target after some events is asked about each time, as there may be others that end it.
#[test]
fn what_ends_the_target_after_some_events_is_asked_about_again() {
    let completes = |case: &Case, _| case.all_deliveries().any(|delivery| delivery.event.kind.contains("complete"));
    let ([(_, played), (_, again)], whatever) = ended(&completes);
    assert!(again > played && !whatever, "{again} after {played}");
}

/// One event that tells nothing ends it, and one that tells of a refund does not.
#[test]
fn what_ends_the_target_after_events_that_tell_nothing_does_not_end_it_whatever_comes() {
    let requirements = requirements();
    let script = |case: &Case, _: u32| case.all_deliveries().all(|delivery| delivery.event.tells.is_empty());
    let mut inquiry = Inquiry::new(Scripted { kind: FailureKind::Crash, ..scripted(&script) }, &requirements);
    bring(&mut inquiry, &plan(vec![Step::plain(Action::Other { event: 0 })]));
    assert_eq!(inquiry.mistakes().len(), 1);
    assert!(!inquiry.is_whatever([0].into_iter()));
}

/// Two of them, and there may be more that need two.
#[test]
fn what_ends_the_target_after_two_events_is_asked_about_again() {
    let ([(_, played), (_, again)], whatever) = ended(&|case, _| case.deliveries() > 1);
    assert!(again > played && !whatever, "{again} after {played}");
}

/// Where a question costs little none is saved, though everything fails.
#[test]
fn what_costs_little_is_asked_about_again() {
    let requirements = requirements();
    let mut inquiry = Inquiry::new(scripted(&|_, _| true), &requirements);
    bring(&mut inquiry, &in_turn());
    let played = inquiry.stage().played;
    bring(&mut inquiry, &race());
    assert!(inquiry.stage().played > played);
}

#[test]
fn what_gets_smaller_is_told() {
    let requirements = requirements();
    let mut inquiry = Inquiry::new(scripted(&|case, _| case.deliveries() > 1), &requirements);
    bring(&mut inquiry, &in_turn());
    // Then it is asked whether the case shows another mistake too.
    assert_eq!(inquiry.stage().smaller[..3], [8, 3, 2]);
}

/// What only gets plainer is no smaller.
#[test]
fn what_gets_no_smaller_is_not_told() {
    let requirements = requirements();
    let mut inquiry = Inquiry::new(scripted(&|case, _| case.deliveries() > 1), &requirements);
    let rich = OrderPlan { captured: 9_999, items: 3, currency: 4, ..OrderPlan::default() };
    bring(&mut inquiry, &Plan { orders: vec![rich], look: 7, ..in_turn() });
    let told = &inquiry.stage().smaller;
    assert!(told.len() > 1 && told.windows(2).all(|pair| pair[0] != pair[1]), "{told:?}");
}

/// What ends by chance is tried a few times before it is taken for right, and as often again after each failure.
#[test]
fn a_race_is_tried_so_often() {
    let tried = |script: &Script<'_>| found(&race(), script).1;
    assert_eq!([tried(&|_, _| false), tried(&|_, run| run == 1), tried(&|_, run| run == 3)], [27, 25, 32]);
}

/// Of several that are asked about at once one may come too late.
#[test]
fn what_was_not_tried_beside_others_is_not_called_smallest() {
    let is_smallest = |patience| {
        let requirements = requirements();
        let script = |case: &Case, _: u32| case.deliveries() > 1;
        let stage = Scripted { patience, at_once: 3, kind: FailureKind::Crash, ..scripted(&script) };
        let mut inquiry = Inquiry::new(stage, &requirements);
        bring(&mut inquiry, &in_turn());
        inquiry.mistakes()[0].is_smallest
    };
    assert_eq!([9, 10, 11, u32::MAX].map(is_smallest), [false, false, false, true]);
}

/// Shrinking ends when its time is over, and begins anew with the next mistake.
#[test]
fn shrinking_takes_its_time_and_no_more() {
    let limits = ShrinkLimits { time: Duration::from_secs(5), ..ShrinkLimits::default() };
    for kind in [FailureKind::State, FailureKind::Crash] {
        let played = |takes| {
            let requirements = requirements();
            let script = |case: &Case, _: u32| case.deliveries() > 1;
            let mut inquiry = Inquiry::new(Scripted { takes, limits, kind, ..scripted(&script) }, &requirements);
            bring(&mut inquiry, &in_turn());
            inquiry.stage().played
        };
        assert!(played(Duration::from_secs(1)) < played(Duration::ZERO), "{kind:?}");
    }
}

/// Where nothing may be tried it is not asked either whether the failure comes again.
#[test]
fn without_attempts_nothing_is_asked() {
    let limits = ShrinkLimits { attempts: 0, ..ShrinkLimits::default() };
    let requirements = requirements();
    let mut inquiry = Inquiry::new(Scripted { limits, ..scripted(&|_, _| false) }, &requirements);
    bring(&mut inquiry, &in_turn());
    assert_eq!(only(inquiry.mistakes()).0, None);
}

/// Without a second refund it passes, whatever a fault that it was taken for would do.
#[test]
fn what_passes_without_a_known_mistake_is_because_of_it() {
    let requirements = requirements();
    let script = |case: &Case, _: u32| case.races();
    let mut inquiry = Inquiry::new(scripted(&script), &requirements);
    bring(&mut inquiry, &race());
    assert_eq!(inquiry.mistakes().len(), 1);
    inquiry.mistakes.push(Mistake { like: vec![Fault::PendingCounts], ..inquiry.mistakes[0].clone() });
    inquiry.stage().foretold_from = 1;
    bring_with(&mut inquiry, &race(), super::failure(FailureKind::State, Some(3), "pending"));
    assert_eq!(inquiry.mistakes().len(), 2);
}

/// Whether something befalls a delivery.
fn befalls(case: &Case) -> bool {
    case.all_deliveries().any(|delivery| delivery.fault.is_some())
}

/// Without what the one takes the other does not show either, but it shows something else.
#[test]
fn what_fails_in_another_way_is_another_mistake() {
    let requirements = requirements();
    let mut inquiry = Inquiry::new(scripted(&|case, _| befalls(case)), &requirements);
    let again = plan(vec![refund(&[FaultKind::Again { after: 0 }])]);
    bring(&mut inquiry, &again);
    inquiry.stage().kind = FailureKind::Answer;
    bring(&mut inquiry, &again);
    let kinds: Vec<FailureKind> = inquiry.mistakes().iter().map(|mistake| mistake.kind).collect();
    assert_eq!(kinds, [FailureKind::State, FailureKind::Answer]);
}

/// What is left of a case without what a known mistake takes is what the next one is shown by, also where there is no time for
/// anything smaller.
#[test]
fn what_still_fails_without_a_mistake_is_shown_as_it_is() {
    let requirements = requirements();
    let fails_in_turn = Cell::new(false);
    let script = |case: &Case, _: u32| case.races() || fails_in_turn.get();
    let mut inquiry = Inquiry::new(scripted(&script), &requirements);
    bring(&mut inquiry, &race());
    fails_in_turn.set(true);
    inquiry.stage().limits.attempts = 0;
    bring_with(&mut inquiry, &race(), super::failure(FailureKind::State, Some(3), "pending"));
    let [_, other] = inquiry.mistakes() else { panic!("{} mistakes", inquiry.mistakes().len()) };
    assert!(!other.smallest.case.races());
    assert_eq!((other.chance, other.smallest.shown.failure.as_ref().map(|failure| failure.entry)), (None, Some(None)));
}

/// Of several that are asked about at once each is believed when it fails, unless chance has a say in one.
#[test]
fn races_are_not_asked_about_at_once() {
    let whole = deliveries_of(&race());
    let lucky = Cell::new(true);
    let script = |case: &Case, _: u32| case.races() && (case.deliveries() == whole || lucky.replace(false));
    let requirements = requirements();
    let mut inquiry = Inquiry::new(Scripted { at_once: 3, kind: FailureKind::Crash, ..scripted(&script) }, &requirements);
    bring(&mut inquiry, &race());
    assert_eq!(inquiry.mistakes()[0].smallest.case.deliveries(), whole);
}

#[test]
fn what_is_no_race_is_asked_about_at_once() {
    let requirements = requirements();
    let script = |case: &Case, _: u32| tells(case, "refund.complete");
    let mut inquiry = Inquiry::new(Scripted { at_once: 3, kind: FailureKind::Crash, ..scripted(&script) }, &requirements);
    bring(&mut inquiry, &in_turn());
    let batches = &inquiry.stage().batches;
    assert!(!batches.is_empty() && batches.iter().all(|cases| (2..=3).contains(cases)), "{batches:?}");
}

/// A plan that delivers nothing costs no attempt, and neither does one that delivers no less.
#[test]
fn where_each_attempt_is_dear_few_suffice() {
    let found = |attempts| {
        let limits = ShrinkLimits { attempts, ..ShrinkLimits::default() };
        let script = |case: &Case, _: u32| tells(case, "refund.complete");
        let requirements = requirements();
        let mut inquiry = Inquiry::new(Scripted { limits, kind: FailureKind::Crash, ..scripted(&script) }, &requirements);
        bring(&mut inquiry, &in_turn());
        let mistake = &inquiry.mistakes()[0];
        (mistake.smallest.case.deliveries(), mistake.is_smallest)
    };
    let needed = (0..100).find(|attempts| found(*attempts).1);
    assert_eq!((needed, found(100)), (Some(13), (1, true)));
}

/// Where nobody is there for one more look, nothing is said of chance.
#[test]
fn a_race_that_could_not_be_run_again_says_nothing_of_chance() {
    let requirements = requirements();
    let mut inquiry = Inquiry::new(Scripted { patience: 0, ..scripted(&|_, _| true) }, &requirements);
    bring(&mut inquiry, &race());
    assert_eq!(only(inquiry.mistakes()).0, None);
}

/// What is shown of a mistake whose case gets ids of its own, where nothing else is tried, and of the case that was brought.
fn under_own_ids(script: &Script<'_>, made: u64) -> (Mistake, Case) {
    let requirements = requirements();
    let limits = ShrinkLimits { attempts: 0, ..ShrinkLimits::default() };
    let mut inquiry = Inquiry::new(Scripted { made, limits, observed: "odd", ..scripted(script) }, &requirements);
    let failure = failure(FailureKind::State, "pending");
    let brought = failing(&mut inquiry, &in_turn(), Some(failure));
    inquiry.attribute(&brought);
    (inquiry.mistakes()[0].clone(), brought.case)
}

#[test]
fn every_run_shows_a_mistake_by_the_same_ids() {
    let [(one, _), (other, brought)] = [0, 1000].map(|made| under_own_ids(&|_, _| true, made));
    let ids = |case: &Case| case.all_deliveries().map(|delivery| delivery.event.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&one.smallest.case), ids(&other.smallest.case));
    assert_ne!(ids(&one.smallest.case), ids(&brought));
    assert_eq!(one.smallest.shown.failure.map(|failure| failure.observed), Some("odd".to_owned()), "what they showed");
}

#[test]
fn a_case_that_passes_with_other_ids_is_shown_as_it_was() {
    let (mistake, brought) = under_own_ids(&|_, _| false, 0);
    let order = |case: &Case| case.orders[0].order_id.clone();
    assert_eq!(order(&mistake.smallest.case), order(&brought));
    assert_eq!(mistake.smallest.shown.failure.map(|failure| failure.observed), Some("pending".to_owned()));
}

/// So many small refunds that there is much to leave out.
fn long() -> Plan {
    let kinds = [FaultKind::Again { after: 1 }, FaultKind::Late { by: 2 }];
    plan((0..12).map(|_| with_faults(Action::refund(Pick::Units(1)), &kinds)).collect())
}

/// A case that was foretold to fail and passes is made smaller by so many questions at most, whatever else may be asked.
#[test]
fn refuting_asks_no_more_than_it_may() {
    let whole = deliveries_of(&long());
    let requirements = requirements();
    let script = |case: &Case, _: u32| case.deliveries() < whole;
    let mut inquiry = Inquiry::new(Scripted { foretold_from: 1, ..scripted(&script) }, &requirements);
    let brought = failing(&mut inquiry, &long(), None);
    inquiry.refute(&brought);
    let all = inquiry.stage().played;
    assert_eq!(all, 300);
    inquiry.stage().limits.attempts = 7;
    inquiry.refute(&brought);
    assert_eq!(inquiry.stage().played - all, 7);
}

/// Where two faults differ only in the whole case, so many others are looked at.
#[test]
fn telling_two_faults_apart_ends() {
    let requirements = requirements();
    let mut inquiry = Inquiry::new(scripted(&|_, _| false), &requirements);
    let Failing { plan, case, .. } = failing(&mut inquiry, &long(), None);
    inquiry.stage().foretold_from = case.deliveries();
    let (one, other) = (Fault::PendingCounts, Fault::FloatSums);
    assert_eq!(inquiry.smallest_difference(HOST, plan, case.clone(), &[], one, other).deliveries(), case.deliveries());
    assert_eq!((inquiry.stage().foretold, inquiry.stage().played), (800, 0));
}
