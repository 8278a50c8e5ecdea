//! Targets and factories that panic, and cases that fail: they end all the same.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use refundproof::{
    adapter::{Hello, Introduction, Request, Target, TargetError},
    case::OrderSetup,
    check::FailureKind,
    domain::{Clock, OrderState},
    drive::Launch,
    findings::ShrinkLimits,
    reference::Fault,
    run::certify,
    verdict::{Report, RequirementResult, Verdict},
};
use rstest::rstest;

use super::{Maker, certified, fails, lock, one_case};
use crate::common::{
    only, provider, quick,
    reached::{At, Reached},
    shop, silence_targets,
};

// ---- Panics

/// Panics with a lock in its hand, so often.
fn panicky(shop: Box<dyn Target>, at: At, left: Arc<AtomicUsize>, lock: Arc<Mutex<()>>) -> Box<dyn Target> {
    let first = move |reached: At| {
        if reached == At::Drop {
            assert!(at != At::Drop, "lost its head");
            return;
        }
        let _held = lock.lock().expect("nobody panicked before");
        let takes = |left: usize| left.checked_sub(1);
        if reached == at && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, takes).is_ok() {
            panic!("lost its head");
        }
    };
    Box::new(Reached { shop, first })
}

/// The lock is the target's own, or that of all targets of the run.
fn certified_panicky(at: At, times: usize, shares_lock: bool) -> Result<Report, TargetError> {
    silence_targets();
    let left = Arc::new(AtomicUsize::new(times));
    let lock: Arc<Mutex<()>> = Arc::default();
    let make = move || {
        let lock = if shares_lock { Arc::clone(&lock) } else { Arc::default() };
        Ok(panicky(shop(None, &Clock::system()), at, Arc::clone(&left), lock))
    };
    let launch = Launch::new("in-process", "", Clock::system(), make);
    let selection = only(&["refund-*", "partial-*", "survives-*", "duplicate-*"]);
    let shrink = ShrinkLimits { attempts: 50, time: Duration::from_secs(5) };
    let options = quick(4, 1).with(|options| {
        options.selection = selection;
        options.shrink = shrink;
    });
    certify(provider(), &launch, &options, &AtomicBool::new(false), &mut |_| {})
}

fn told(report: &Result<Report, TargetError>) -> String {
    match report {
        Ok(report) => serde_json::to_string(report).expect("JSON"),
        Err(error) => error.to_string(),
    }
}

#[rstest]
fn a_panic_is_the_targets(
    #[values(At::Hello, At::Begin, At::Deliver, At::Observe, At::End, At::Restart, At::Complaints, At::Learns, At::Bye, At::Drop)] at: At,
    #[values(1, usize::MAX)] times: usize,
    #[values(false, true)] shares_lock: bool,
) {
    let report = certified_panicky(at, times, shares_lock);
    let text = told(&report);
    assert!(!text.contains("the harness itself"), "{text}");
    // Nobody is listening any more when the run is over.
    if !matches!(at, At::Bye | At::Drop) {
        assert!(text.contains("panicked: lost its head"), "{text}");
    }
}

#[rstest]
fn a_panic_costs_one_case(#[values(At::Begin, At::Deliver, At::Observe, At::End, At::Restart, At::Complaints, At::Learns)] at: At) {
    let report = certified_panicky(at, 1, false).expect("it starts");
    let wrong: Vec<_> = report.requirements.iter().filter(|result| result.verdict != Verdict::Pass).collect();
    let [one] = wrong[..] else { panic!("{wrong:#?}") };
    assert_eq!(one.verdict, Verdict::Error);
    assert!(one.note.as_deref().is_some_and(|note| note.starts_with("not reproducible: failed once in ")), "{one:#?}");
    assert_eq!(report.findings[0].kind, FailureKind::Crash);
}

#[test]
fn a_panic_that_comes_again_is_a_failure() {
    let report = certified_panicky(At::Deliver, usize::MAX, false).expect("it starts");
    let broken = |result: &RequirementResult| matches!(result.verdict, Verdict::Fail | Verdict::Affected | Verdict::Masked);
    assert!(report.requirements.iter().all(broken), "{:#?}", report.requirements);
    assert_eq!(report.findings.len(), 1);
}

#[test]
fn a_factory_that_panics_is_the_targets() {
    silence_targets();
    let launch = Launch::new("in-process", "", Clock::system(), || panic!("no bricks"));
    let error = certify(provider(), &launch, &one_case(), &AtomicBool::new(false), &mut |_| {}).expect_err("there is no target");
    assert_eq!(error.to_string(), "start: the target panicked: no bricks");
}

#[test]
fn a_factory_that_panics_later_is_the_targets() {
    silence_targets();
    let made = AtomicUsize::new(0);
    let left = Arc::new(AtomicUsize::new(1));
    let launch = Launch::new("in-process", "", Clock::system(), || {
        assert!(made.fetch_add(1, Ordering::SeqCst) == 0, "no bricks");
        let shop = shop(None, &Clock::system());
        Ok(panicky(shop, At::Deliver, Arc::clone(&left), Arc::default()))
    });
    let options = quick(4, 1).with(|options| options.selection = only(&["refund-*"]));
    let text = told(&certify(provider(), &launch, &options, &AtomicBool::new(false), &mut |_| {}));
    assert!(text.contains("start: the target panicked: no bricks") && !text.contains("the harness itself"), "{text}");
}

// ---- The end of a case

#[test]
fn cases_that_fail_end_too() {
    struct Ending(Box<dyn Target>, Arc<Mutex<HashMap<String, u32>>>);
    impl Target for Ending {
        fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
            self.0.hello(hello)
        }
        fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
            *lock(&self.1).entry(case.to_owned()).or_default() += 1;
            self.0.begin(case, orders)
        }
        fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
            self.0.deliver(request)
        }
        fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
            self.0.advance(time)
        }

        fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
            self.0.observe(order_id)
        }
        fn end(&mut self, case: &str) -> Result<(), TargetError> {
            *lock(&self.1).entry(case.to_owned()).or_default() -= 1;
            self.0.end(case)
        }
    }
    let fault = Fault::from_name("books-redeliveries").expect("a fault");
    let open: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
    let noted = Arc::clone(&open);
    let make: Maker = Box::new(move || Box::new(Ending(shop(Some(fault), &Clock::system()), Arc::clone(&noted))));
    let options = quick(10, 1).with(|options| {
        options.selection = only(&["duplicate-deliveries"]);
        options.shrink = ShrinkLimits::default();
    });
    fails(&certified(&options, make), "");
    let open = lock(&open);
    assert!(open.len() > 10 && open.values().all(|count| *count == 0), "{open:?}");
}
