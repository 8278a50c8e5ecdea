//! How long targets may take, and how that is measured.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use refundproof::{
    adapter::{Hello, Introduction, Request, Target, TargetError, TargetErrorKind},
    case::{Act, Case, Delivery, Entry, Mishap, OrderSetup},
    check::{FailureKind, Rules},
    domain::{Clock, OrderState},
    drive::{Conditions, Driver, Launch},
    reference::Fault,
    run::certify,
    verdict::{Report, Verdict},
};

use super::{certified, passes};
use crate::common::{certified_target, only, place::Place, provider, quick, root, sample::is_there, shop};

/// Takes its time for some deliveries, by the clock of the run.
struct Slow {
    shop: Box<dyn Target>,
    clock: Clock,
    /// How long each takes.
    takes: Duration,
    /// Whether only the first one of all does.
    once: Option<Arc<AtomicBool>>,
    concurrency: u32,
}

impl Slow {
    fn takes_its_time(&self) {
        if self.once.as_ref().is_none_or(|done| !done.swap(true, Ordering::SeqCst)) {
            self.clock.sleep(self.takes);
        }
    }
}

impl Target for Slow {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        let mut introduction = self.shop.hello(hello)?;
        introduction.capabilities.concurrency = self.concurrency;
        Ok(introduction)
    }
    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.shop.begin(case, orders)
    }
    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        self.takes_its_time();
        self.shop.deliver(request)
    }
    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.shop.advance(time)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        self.shop.observe(order_id)
    }
}

/// The requirements that targets that are so slow fail.
fn failed_when_slow(takes: Duration, once: bool, limit: Option<Duration>) -> Vec<String> {
    let once = once.then(Arc::<AtomicBool>::default);
    let make = |clock: &Clock| {
        Box::new(Slow { shop: shop(None, clock), clock: clock.clone(), takes, once: once.clone(), concurrency: 1 }) as Box<dyn Target>
    };
    let options = quick(3, 1).with(|options| options.answer_limit = limit);
    let report = certified_target(provider(), &make, &options);
    report.requirements.into_iter().filter(|result| !result.findings.is_empty()).map(|result| result.id).collect()
}

const TOO_LONG: Duration = Duration::from_millis(3001);

#[test]
fn time_is_judged_once() {
    for limit in [None, Some(Duration::from_millis(1)), Some(Duration::from_secs(60))] {
        assert_eq!(failed_when_slow(TOO_LONG, false, limit), ["acknowledges-in-time"], "{limit:?}");
    }
}

#[test]
fn as_slow_as_the_provider_waits_is_in_time() {
    let nothing: [&str; 0] = [];
    assert_eq!(failed_when_slow(Duration::from_millis(3000), false, Some(Duration::from_millis(1))), nothing);
}

#[test]
fn who_stalls_once_is_asked_again() {
    let nothing: [&str; 0] = [];
    assert_eq!(failed_when_slow(TOO_LONG, true, Some(Duration::from_millis(1))), nothing);
    let once = Some(Arc::<AtomicBool>::default());
    let make = |clock: &Clock| {
        Box::new(Slow { shop: shop(None, clock), clock: clock.clone(), takes: TOO_LONG, once: once.clone(), concurrency: 1 })
            as Box<dyn Target>
    };
    let report = certified_target(provider(), &make, &quick(10, 1).with(|options| options.selection = only(&["acknowledges-in-time"])));
    passes(&report);
}

/// What comes of a frozen sequence, all of whose deliveries are changed in this way, on a slow target.
fn timed(act: impl Fn(Vec<Delivery>) -> Vec<Act>, takes: Duration) -> Option<FailureKind> {
    let clock = Clock::manual(1_750_000_000);
    let slow = Slow { shop: shop(None, &clock), clock: clock.clone(), takes, once: None, concurrency: 4 };
    let mut driver = Driver::new(provider(), Box::new(slow), clock, Conditions::default()).expect("it starts");
    let case = provider().corpus().sequences().values().find(|case| case.deliveries() == 4 && !case.kills()).expect("a sequence");
    let entry = |act| Entry { act, expect: Vec::new(), expect_if_refused: Vec::new() };
    let entries = act(case.all_deliveries().cloned().collect()).into_iter().map(entry).collect();
    let case = Case { entries, expect: Vec::new(), ..case.clone() };
    let outcome = driver.run("c", &case, Rules::of("acknowledges-in-time", Duration::from_secs(3)));
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    outcome.failure.map(|failure| failure.kind)
}

#[test]
fn deliveries_at_the_same_time_are_timed() {
    let together = |deliveries: Vec<Delivery>| vec![Act::Together(deliveries)];
    assert_eq!(timed(together, TOO_LONG), Some(FailureKind::Timeout));
    assert_eq!(timed(together, Duration::from_millis(1)), None);
}

#[test]
fn deliveries_that_something_befalls_are_timed() {
    let slowly = |deliveries: Vec<Delivery>| {
        let slowly = |delivery| Act::Deliver(Box::new(Delivery { mishap: Some(Mishap::SlowReading), ..delivery }));
        deliveries.into_iter().map(slowly).collect()
    };
    assert_eq!(timed(slowly, TOO_LONG), Some(FailureKind::Timeout));
    assert_eq!(timed(slowly, Duration::from_millis(1)), None);
}

/// Gives no answer to so many attempts in a row.
struct Mute(Box<dyn Target>, u32, u32);

impl Target for Mute {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.0.hello(hello)
    }
    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.0.begin(case, orders)
    }
    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        // Every other attempt is dealt with all the same.
        self.2 += 1;
        if self.2.is_multiple_of(self.1 + 1) {
            return self.0.deliver(request);
        }
        if self.2.is_multiple_of(2) {
            self.0.deliver(request)?;
        }
        Err(TargetError::new("deliver", TargetErrorKind::TimedOut(Duration::from_millis(300))))
    }
    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.0.advance(time)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        self.0.observe(order_id)
    }
}

#[track_caller]
fn mute(attempts: u32) -> Report {
    let options = quick(5, 1).with(|options| options.selection = only(&["refund-*", "malformed-*", "invalid-*", "other-*"]));
    certified(&options, Box::new(move || Box::new(Mute(shop(None, &Clock::system()), attempts, 0))))
}

#[test]
fn what_is_answered_in_the_end_is_judged_by_its_state() {
    for attempts in [1, 2] {
        let report = mute(attempts);
        let failed: Vec<_> = report.requirements.iter().filter(|result| result.verdict != Verdict::Pass).collect();
        assert!(failed.is_empty(), "{failed:#?}");
    }
}

#[test]
fn what_is_never_answered_is_not() {
    let report = mute(u32::MAX - 1);
    let failures: Vec<_> = report.findings.iter().collect();
    assert!(!failures.is_empty() && failures.iter().all(|failure| failure.kind == FailureKind::Timeout), "{failures:#?}");
}

#[test]
fn time_is_measured_alone() {
    /// How many targets are dealing with a delivery, and how many were while one was to be alone.
    static BUSY: AtomicUsize = AtomicUsize::new(0);
    static COMPANY: AtomicUsize = AtomicUsize::new(0);
    static CHECKS: AtomicUsize = AtomicUsize::new(0);
    struct Watched(Box<dyn Target>, bool);
    impl Target for Watched {
        fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
            self.0.hello(hello)
        }
        fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
            self.1 = case.contains("acknowledges-in-time") && (case.contains("alone") || case.contains("asked"));
            CHECKS.fetch_add(usize::from(self.1), Ordering::SeqCst);
            self.0.begin(case, orders)
        }
        fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
            let others = BUSY.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_micros(200));
            let status = self.0.deliver(request);
            let others = others.max(BUSY.fetch_sub(1, Ordering::SeqCst) - 1);
            COMPANY.fetch_add(if self.1 { others } else { 0 }, Ordering::SeqCst);
            status
        }
        fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
            self.0.advance(time)
        }

        fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
            self.0.observe(order_id)
        }
    }
    let fault = Fault::from_name("slow-answer").expect("a fault");
    let clock = Clock::manual(1_750_000_000);
    let of_run = clock.clone();
    let slow = move || Ok(Box::new(Watched(shop(Some(fault), &of_run), false)) as Box<dyn Target>);
    let launch = Launch::new("in-process", "", clock, slow);
    let selection = only(&["acknowledges-*", "refund-*", "partial-*", "duplicate-*", "out-of-*"]);
    let options = quick(20, 1).with(|options| {
        options.selection = selection;
        options.jobs = 4;
    });
    let report = certify(provider(), &launch, &options, &AtomicBool::new(false), &mut |_| {}).expect("it starts");
    let failed: Vec<_> = report.requirements.iter().filter(|result| result.verdict != Verdict::Pass).map(|result| &result.id).collect();
    assert_eq!(failed, ["acknowledges-in-time"]);
    assert!(CHECKS.load(Ordering::SeqCst) > 0, "it was not run again");
    assert_eq!(COMPANY.load(Ordering::SeqCst), 0, "somebody else was sending");
}

/// Keeps all cores busy while something runs.
fn under_load<T>(run: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) * 2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let result = run();
        is_over.store(true, Ordering::Relaxed);
        result
    })
}

#[test]
fn a_loaded_machine_gives_the_same_verdict() {
    if !is_there("python3") {
        return;
    }
    let place = Place::new();
    let sample = root().join("samples/python-stdio/shop.py").display().to_string();
    // The seventh answer to a delivery is late, in each process that is started.
    let late = r#"import sys, time
seen = 0
for line in sys.stdin:
    seen += '"status": 2' in line or '"status":2' in line
    if seen == 7:
        seen += 1
        time.sleep(0.8)
    sys.stdout.write(line)
    sys.stdout.flush()
"#;
    place.write("late.py", late);
    let command = format!("python3 -u '{sample}' | python3 late.py");
    let args = ["certify", "--cases", "2", "--jobs", "2", "--answer-limit", "400ms", "--skip", "survives-*", "--skip", "snapshots"];
    let args = [&args[..], &["--report", "json=report.json", "--", "sh", "-c", &command]].concat();
    under_load(|| place.run(&args));
    let report: serde_json::Value = serde_json::from_str(&place.read("report.json")).expect("JSON");
    let requirements = report["requirements"].as_array().expect("requirements");
    let failed: Vec<_> = requirements.iter().filter(|result| result["verdict"] == "fail" || result["verdict"] == "error").collect();
    assert!(!requirements.is_empty() && failed.is_empty(), "{failed:#?}");
}
