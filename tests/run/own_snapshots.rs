//! Snapshots of a target's own states: recorded, compared, and taken by insta.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use refundproof::{
    adapter::{Capabilities, Hello, Introduction, Observable, Target, TargetError},
    check::{
        own::{self, Comparison, Difference, Update, compare},
        snapshot::Sightings,
    },
    domain::{Amount, Clock, OrderState, Status},
    drive::Launch,
    model::Expectation,
    plan::{Action, Level, Opening, Pick, Plan, Step},
    provider::lower,
    reference::ReferenceShop,
    run::{Options, OwnStates, own_states},
    verdict::Conformance,
};

use crate::common::{self, around::as_its_shop, certified_target, corpus, provider, quick};

/// A shop with one word for refunds that are under way.
struct OneWord {
    shop: ReferenceShop,
    word: Status,
    change: fn(&mut Capabilities),
}

impl Target for OneWord {
    as_its_shop!(begin, deliver, initiate, advance, end, restart);

    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        let mut introduction = self.shop.hello(hello)?;
        introduction.capabilities.equivalent_statuses = vec![vec!["pending".to_owned(), "pending_information".to_owned()]];
        (self.change)(&mut introduction.capabilities);
        Ok(introduction)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let mut state = self.shop.observe(order_id)?;
        if let Some(state) = &mut state
            && matches!(state.status, Status::Pending | Status::PendingInformation)
        {
            state.status = self.word;
        }
        Ok(state)
    }
}

fn one_word(word: Status, change: fn(&mut Capabilities)) -> impl Fn(&Clock) -> Box<dyn Target> + Sync {
    move |clock| Box::new(OneWord { shop: ReferenceShop::new(clock.clone()), word, change })
}

fn states_of(make: impl Fn(&Clock) -> Box<dyn Target> + Sync) -> OwnStates {
    let clock = Clock::manual(1_750_000_000);
    let maker = clock.clone();
    let launch = Launch::new("in-process", "", clock, move || Ok(make(&maker)));
    own_states(provider(), &launch, &Options::default(), &AtomicBool::new(false)).expect("it starts")
}

fn reference() -> OwnStates {
    states_of(|clock| Box::new(ReferenceShop::new(clock.clone())))
}

/// The folder after a comparison.
fn after(files: &BTreeMap<String, String>, found: &Comparison) -> BTreeMap<String, String> {
    let mut files = files.clone();
    files.extend(found.write.clone());
    files.retain(|name, _| !found.remove.contains(name));
    files
}

fn run(states: &OwnStates, files: &BTreeMap<String, String>, update: Update) -> (Comparison, BTreeMap<String, String>) {
    let found = compare(&states.shown, &states.left_out, files, update);
    let files = after(files, &found);
    (found, files)
}

fn recorded(states: &OwnStates) -> BTreeMap<String, String> {
    run(states, &BTreeMap::new(), Update::Auto).1
}

#[test]
fn a_status_changed_by_mistake_is_caught_though_it_conforms() {
    let (right, mistaken) = (one_word(Status::Pending, |_| {}), one_word(Status::PendingInformation, |_| {}));
    for target in [&right as &(dyn Fn(&Clock) -> Box<dyn Target> + Sync), &mistaken] {
        assert_eq!(certified_target(provider(), target, &quick(10, 1)).verdict, Conformance::Conformant);
    }
    let files = recorded(&states_of(right));
    let (found, _) = run(&states_of(mistaken), &files, Update::Auto);
    assert!(!found.differences.is_empty());
    for difference in found.differences.values() {
        let Difference::Differs(diff) = difference else { panic!("{difference:?}") };
        let changed: Vec<&str> = diff.lines().filter(|line| line.starts_with(['-', '+'])).collect();
        assert!(!changed.is_empty());
        assert!(changed.iter().all(|line| line.contains("status") || line.contains("as before") || !line.contains("refunded")), "{diff}");
    }
}

#[test]
fn the_first_run_records_and_the_next_agrees() {
    let states = reference();
    assert_eq!(states.shown.len() + states.left_out.len(), corpus().sequences().len());
    let (found, files) = run(&states, &BTreeMap::new(), Update::Auto);
    assert!(found.differences.values().all(|difference| *difference == Difference::Recorded && !difference.fails()));
    assert_eq!(files.len(), states.shown.len());
    let (found, _) = run(&reference(), &files, Update::Auto);
    assert_eq!(found, Comparison { same: states.shown.len(), ..Comparison::default() });
}

#[test]
fn everything_is_shown_as_it_was_shown() {
    let refund =
        Action::Refund { amount: Pick::Units(500), level: Level::Order, joins: false, own: false, kind: 0, opens: Opening::Pending };
    let steps = [refund, Action::Succeed { refund: 0, paid: Pick::All }].map(Step::plain).to_vec();
    let case = lower(provider(), &Plan { orders: Vec::new(), steps, only: Vec::new(), look: 0 }, 1).case;
    let mut seen = Sightings::default();
    let state = |expected: &Expectation| {
        Some(OrderState::new(expected.order_id.clone(), expected.status[0], expected.refunded_amount.least).with(|state| {
            state.charged_back_amount = Some(Amount::ZERO);
            state.refunds = expected.refunds.clone();
        }))
    };
    seen.after = case.entries.iter().map(|entry| entry.expect.iter().map(state).collect()).collect();
    seen.end = vec![None];
    let answers = |entry| if entry == 0 { "500, 200".to_owned() } else { "200".to_owned() };
    insta::assert_snapshot!(own::render(&case, &seen, &answers, Some("deliver: the target ended with exit status: 3")));
}

#[test]
fn files_are_instas_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let states = reference();
    for (name, text) in recorded(&states) {
        let path = folder.path().join(&name);
        std::fs::write(&path, text).expect("it is written");
        let read = insta::Snapshot::from_file(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let state = &states.shown[name.strip_suffix(".snap").expect("a snapshot")];
        assert_eq!(read.metadata().description(), Some(state.title.as_str()));
        let insta::internals::SnapshotContents::Text(text) = read.contents() else { panic!("{name} is text") };
        assert_eq!(text.to_string().trim(), state.text.trim(), "{name}");
    }
}

#[test]
fn what_is_wrong_is_recorded_too() {
    let states = states_of(|clock| common::shop(refundproof::reference::Fault::from_name("counts-both-layers"), clock));
    let differing = states.shown.iter().filter(|(name, state)| state.text != reference().shown[*name].text).count();
    assert!(differing > 0);
    // Nothing ends early: every sequence has an end with all its orders.
    for (name, state) in &states.shown {
        let orders = corpus().sequences()[name].expect.len();
        let end = state.text.split("\nend\n").nth(1).expect("an end");
        let is_order = |line: &&str| line.strip_prefix("   ").is_some_and(|id| id.starts_with(|first: char| first.is_ascii_digit()));
        assert_eq!(end.lines().filter(is_order).count(), orders, "{name}: {end}");
    }
}

#[test]
fn asynchronous_targets_are_only_looked_at_when_they_are_done() {
    let asynchronous = one_word(Status::Pending, |capabilities| capabilities.asynchronous = true);
    for state in states_of(asynchronous).shown.values() {
        let (way, end) = state.text.split_once("\nend\n").expect("an end");
        assert!(!way.contains("status") && end.contains("status"), "{}", state.text);
    }
}

#[test]
fn sequences_that_a_target_cannot_be_shown_are_left_out() {
    let states = states_of(one_word(Status::Pending, |capabilities| {
        capabilities.initiates_refunds = false;
        capabilities.durable = false;
        capabilities.subscribes = Some(vec!["refund.*".to_owned(), "order.charge.refund.*".to_owned()]);
    }));
    let left_out = &states.left_out;
    assert!(left_out.values().any(|why| why.contains("does not subscribe to ")), "{left_out:?}");
    assert!(left_out.values().any(|why| why == "the target does not claim `initiatesRefunds`"), "{left_out:?}");
    assert!(states.shown.keys().all(|name| !left_out.contains_key(name)));
}

#[test]
fn what_a_target_no_longer_claims_is_not_dropped_in_silence() {
    let files = recorded(&reference());
    let states = states_of(one_word(Status::Pending, |capabilities| capabilities.initiates_refunds = false));
    let (found, _) = run(&states, &files, Update::Auto);
    let left_out: Vec<_> = found.differences.values().filter(|difference| matches!(difference, Difference::LeftOut(_))).collect();
    assert!(!left_out.is_empty() && left_out.iter().all(|difference| difference.fails()));
}

#[test]
fn fewer_observed_fields_are_a_difference() {
    let files = recorded(&reference());
    let mut states = reference();
    let without_currency = |text: &str| text.lines().filter(|line| !line.contains(" currency ")).collect::<Vec<_>>().join("\n");
    states.shown.values_mut().for_each(|state| state.text = without_currency(&state.text));
    assert_eq!(run(&states, &files, Update::Auto).0.same, 0);
    assert!(reference().introduction.capabilities.observes.contains(&Observable::Currency));
}

#[test]
fn an_interrupted_recording_says_so() {
    let stop = AtomicBool::new(false);
    stop.store(true, Ordering::Relaxed);
    let clock = Clock::manual(1_750_000_000);
    let maker = clock.clone();
    let launch = Launch::new("in-process", "", clock, move || Ok(common::shop(None, &maker)));
    let states = own_states(provider(), &launch, &Options::default(), &stop).expect("it starts");
    assert!(states.interrupted && states.shown.is_empty());
}
