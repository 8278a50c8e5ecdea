//! Time that passes: who is told, how much, and what is dated by it.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use refundproof::{
    adapter::{Hello, Introduction, Request, Target, TargetError},
    case::{Act, Case, OrderSetup},
    check::Rules,
    domain::Clock,
    drive::{Conditions, Driver, Launch},
    plan::{Action, Fault as Befalls, FaultKind, Level, Opening, Pick, Plan, Step},
    provider::{Audience, Provider, lower_for},
    reference::Fault,
    run::{Options, certify},
    verdict::{Report, Verdict},
};
use rstest::rstest;

use crate::common::{around::as_its_shop, certified_for, only, provider, providers, quick, shop};

const NOON: u64 = 1_750_000_000;

/// What a target was told, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    Hello,
    Begin,
    /// When a delivery says it was signed.
    Delivery(u64),
    Passed(u64),
}

type Log = Arc<Mutex<Vec<Heard>>>;

/// The reference, which writes down what it hears.
struct Aging {
    shop: Box<dyn Target>,
    log: Log,
    claims_it: bool,
}

impl Aging {
    fn hears(&self, heard: Heard) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
    }
}

impl Target for Aging {
    as_its_shop!(initiate, observe, end, restart);

    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.hears(Heard::Hello);
        Ok(self.shop.hello(hello)?.with(|told| {
            told.capabilities.concurrency = 1;
            told.capabilities.clock = self.claims_it;
        }))
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.hears(Heard::Begin);
        self.shop.begin(case, orders)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let signed = request.header("digitalriver-signature").and_then(|header| header.split(',').next()?.parse().ok());
        self.hears(Heard::Delivery(signed.unwrap_or_default()));
        self.shop.deliver(request)
    }

    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.hears(Heard::Passed(time.as_secs()));
        self.shop.advance(time)
    }
}

fn certified(options: &Options, claims_it: bool) -> (Report, Vec<Heard>) {
    let (log, clock) = (Log::default(), Clock::manual(NOON));
    let (heard, maker) = (Arc::clone(&log), clock.clone());
    let launch = Launch::new("in-process", "", clock, move || {
        Ok(Box::new(Aging { shop: shop(None, &maker), log: Arc::clone(&heard), claims_it }) as Box<dyn Target>)
    });
    let report = certify(provider(), &launch, options, &AtomicBool::new(false), &mut |_| {}).expect("it starts");
    let log = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (report, log)
}

fn about_time() -> Options {
    quick(40, 3).with(|options| options.selection = only(&["duplicate-deliveries", "final-state-*", "open-refund-*", "mixed-traffic"]))
}

#[test]
fn no_case_takes_longer_than_the_provider_sends_and_signatures_are_of_then() {
    let (report, log) = certified(&about_time(), true);
    assert!(report.requirements.iter().filter(|result| result.judged).all(|result| result.verdict == Verdict::Pass), "{report:#?}");
    let most = u64::from(provider().palette().sends_again_for) * 3600;
    let (mut in_all, mut in_case) = (0, 0);
    for heard in &log {
        match heard {
            Heard::Begin => in_case = 0,
            Heard::Passed(seconds) => {
                (in_all, in_case) = (in_all + seconds, in_case + seconds);
                assert!(in_case <= most, "{log:?}");
            }
            // Whoever forges a signature, or makes an old one, may say any other time.
            Heard::Delivery(signed) => assert!(*signed <= NOON + in_all, "{signed}"),
            Heard::Hello => {}
        }
    }
    assert!(in_all > 0, "no time passes");
    let at_the_end = log.iter().rev().find_map(|heard| if let Heard::Delivery(signed) = heard { Some(*signed) } else { None });
    assert!(at_the_end.is_some_and(|signed| signed > NOON + in_all - 7200), "{at_the_end:?} after {in_all}");
}

#[test]
fn who_does_not_claim_it_is_never_told_and_gets_nothing_else() {
    let (report, log) = certified(&about_time(), false);
    assert!(!log.iter().any(|heard| matches!(heard, Heard::Passed(_))));
    assert!(report.requirements.iter().filter(|result| result.judged).all(|result| result.verdict == Verdict::Pass));
}

/// A refund that is paid back, told of again when so many hours have passed.
fn plan(kind: FaultKind) -> Plan {
    let refund = Action::Refund { amount: Pick::All, level: Level::Order, joins: false, own: false, kind: 0, opens: Opening::Pending };
    let paid = Step { faults: vec![Befalls { event: 0, kind }], ..Step::plain(Action::Succeed { refund: 0, paid: Pick::All }) };
    Plan { orders: Vec::new(), steps: vec![Step::plain(refund), paid], only: Vec::new(), look: 0 }
}

fn case(provider: &dyn Provider, kind: FaultKind, clock: bool) -> Case {
    lower_for(provider, &plan(kind), 1, Audience { clock, ..Audience::EVERYBODY }).case
}

fn hours(case: &Case) -> Vec<u64> {
    case.entries.iter().filter_map(|entry| if let Act::Advance(seconds) = entry.act { Some(seconds / 3600) } else { None }).collect()
}

#[rstest]
#[case::some(FaultKind::MuchLater { hours: 5, first: false }, 5)]
#[case::more_than_the_provider_sends(FaultKind::MuchLater { hours: 255, first: false }, 23)]
#[case::for_the_first_time(FaultKind::MuchLater { hours: 7, first: true }, 7)]
fn time_passes_before_the_last_delivery(#[case] kind: FaultKind, #[case] expected: u64) {
    for provider in providers() {
        let case = case(provider, kind.clone(), true);
        let least = u64::from(provider.palette().sends_again_for).min(u64::from(u8::MAX));
        let expected = if expected == 23 { least } else { expected };
        assert_eq!(hours(&case), [expected], "{}", provider.name());
        let place = case.entries.iter().position(|entry| matches!(entry.act, Act::Advance(_)));
        assert_eq!(place, Some(case.entries.len() - 2), "{}", provider.name());
    }
}

#[test]
fn without_a_clock_the_case_is_as_if_there_were_none() {
    for provider in providers() {
        let with = case(provider, FaultKind::MuchLater { hours: 5, first: true }, false);
        let without = case(provider, FaultKind::Late { by: 0 }, false);
        assert_eq!(with.entries, without.entries, "{}", provider.name());
    }
}

#[test]
fn no_time_is_a_redelivery_at_the_end() {
    for provider in providers() {
        // Also for who has no clock.
        for clock in [true, false] {
            let case = case(provider, FaultKind::MuchLater { hours: 0, first: false }, clock);
            assert!(hours(&case).is_empty());
            assert_eq!(case.all_deliveries().last().and_then(|last| last.fault.as_deref()), Some("redelivery at the end"));
        }
    }
}

const SIX_HOURS: u64 = 6 * 3600;

/// A case in which six hours pass before its last delivery, with this before or after that.
fn six_hours(act: Option<Act>) -> Case {
    let mut case = case(provider(), FaultKind::MuchLater { hours: 6, first: false }, true);
    let end = case.entries.len() - 1;
    let entry = |act| refundproof::case::Entry { act, expect: Vec::new(), expect_if_refused: Vec::new() };
    case.entries.splice(end..end, act.map(entry));
    case
}

/// What a target hears of cases that are played one after the other.
fn heard(cases: &[Case]) -> Vec<Heard> {
    let (log, clock) = (Log::default(), Clock::manual(NOON));
    let target = Box::new(Aging { shop: shop(None, &clock), log: Arc::clone(&log), claims_it: true });
    let mut driver = Driver::new(provider(), target, clock, Conditions::default()).expect("it starts");
    for (number, case) in cases.iter().enumerate() {
        let outcome = driver.run(&format!("case-{number}"), case, Rules::default());
        assert!(outcome.failure.is_none() && outcome.error.is_none(), "{outcome:#?}");
    }
    log.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[test]
fn who_was_started_anew_is_told_what_had_passed() {
    let log = heard(&[six_hours(Some(Act::Restart))]);
    let end = [Heard::Passed(SIX_HOURS), Heard::Hello, Heard::Passed(SIX_HOURS), Heard::Delivery(NOON + SIX_HOURS)];
    assert_eq!(log[log.len() - 4..], end, "{log:?}");
}

/// Jobs that are due by what passed in an earlier case would run in one in which no time passes.
#[test]
fn a_case_that_kills_begins_with_the_real_time() {
    let killed = case(provider(), FaultKind::RestartAfter, true);
    let log = heard(&[six_hours(None), killed.clone()]);
    let of_killed = &log[log.iter().rposition(|heard| *heard == Heard::Begin).expect("a case")..];
    assert!(of_killed.contains(&Heard::Hello), "{log:?}");
    assert!(!of_killed.iter().any(|heard| matches!(heard, Heard::Passed(_))), "{log:?}");
    assert!(of_killed.contains(&Heard::Delivery(NOON)), "{log:?}");
    // Whoever is not killed keeps the time, and is not started again for it.
    let hellos = |log: &[Heard]| log.iter().filter(|heard| **heard == Heard::Hello).count();
    assert_eq!((hellos(&log), hellos(&heard(&[six_hours(None), six_hours(None)])), hellos(&heard(&[killed.clone(), killed]))), (3, 1, 3));
}

#[rstest]
#[case::event_ids(Fault::PrunesEventIds, "duplicate-deliveries")]
#[case::open_refunds(Fault::ClosesOpenRefunds, "open-refund-not-counted")]
fn what_jobs_do_in_the_night_is_found(#[case] fault: Fault, #[case] requirement: &str) {
    for provider in providers() {
        let options = quick(64, 1).with(|options| options.selection = only(&[requirement]));
        let report = certified_for(provider, Some(fault), &options);
        let result = report.requirements.iter().find(|result| result.id == requirement);
        assert!(result.is_some_and(|result| !result.findings.is_empty()), "{}: {result:#?}", provider.name());
    }
}

/// Also where the target was killed when time had passed in another case: that is no finding of its own.
#[rstest]
fn jobs_in_the_night_are_one_finding(#[values(Fault::PrunesEventIds, Fault::ClosesOpenRefunds)] fault: Fault, #[values(1, 2)] jobs: usize) {
    let found = |seed: u64| {
        let selection = only(&["duplicate-deliveries", "open-refund-not-counted", "mixed-traffic", "survives-restart"]);
        let options = Options::new().with(|options| {
            (options.cases, options.seed, options.jobs, options.selection) = (50, seed, jobs, selection);
        });
        let report = certified_for(provider(), Some(fault), &options);
        let errors = report.requirements.iter().filter(|result| result.verdict == Verdict::Error).count();
        assert_eq!((report.findings.len(), errors), (1, 0), "seed {seed}: {:#?}", report.findings);
        report.findings[0].id.clone()
    };
    assert_eq!([found(2), found(3)], [found(1), found(1)]);
}
