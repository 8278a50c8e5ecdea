//! How cases are driven: asynchronous targets, deliveries at the same time, kills, fresh ids. All with targets in this process.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use refundproof::{
    adapter::{Hello, Introduction, Request, Sealed, ServiceSettings, Target, TargetError, TargetErrorKind, Transport},
    case::{Act, Body, Case, Delivery, Entry, Mishap, OrderSetup},
    check::{FailureKind, Rules},
    domain::{Clock, OrderState},
    drive::{Conditions, Driver, Launch, Secrets, with_fresh_ids},
    findings::ShrinkLimits,
    reference::Fault,
    run::{Options, certify},
    verdict::{Conformance, FindingReport, Report, RequirementResult, Verdict},
};
use rstest::rstest;

use crate::common::{
    certified_target, only,
    place::Place,
    provider, quick,
    reached::{At, Reached},
    root,
    sample::is_there,
    shop, silence_targets,
};

type Maker = Box<dyn Fn() -> Box<dyn Target> + Sync>;

fn certified_as(transport: &str, options: &Options, make: Maker) -> Report {
    let launch = Launch::new(transport, "", Clock::system(), move || Ok(make()));
    certify(provider(), &launch, options, &AtomicBool::new(false), &mut |_| {}).expect("it starts")
}

fn certified(options: &Options, make: Maker) -> Report {
    certified_as("in-process", options, make)
}

/// What was found of the only requirement.
#[track_caller]
fn result(report: &Report) -> &RequirementResult {
    let [result] = report.requirements.as_slice() else { panic!("{report:#?}") };
    result
}

#[track_caller]
fn passes(report: &Report) {
    assert_eq!(result(report).verdict, Verdict::Pass, "{:#?}", result(report));
}

#[track_caller]
fn fails<'r>(report: &'r Report, part: &str) -> &'r FindingReport {
    let result = result(report);
    // What is found may be about another requirement, which was not run.
    assert!(matches!(result.verdict, Verdict::Fail | Verdict::Affected | Verdict::Masked), "{result:#?}");
    assert!(report.findings[0].message.contains(part), "{:#?}", report.findings);
    &report.findings[0]
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// ---- Asynchronous targets

/// Acknowledges, and applies later.
struct Later {
    shop: Box<dyn Target>,
    queue: Vec<(Instant, Headers, Vec<u8>)>,
    claims_it: bool,
    /// How long after everything was shown as it should be it is applied once more.
    again: Option<Duration>,
    shown: Option<Instant>,
}

type Headers = Vec<(String, String)>;

const AFTER: Duration = Duration::from_millis(10);

impl Later {
    fn maker(claims_it: bool, again: Option<Duration>) -> Maker {
        Box::new(move || Box::new(Later { shop: shop(None, &Clock::system()), queue: Vec::new(), claims_it, again, shown: None }))
    }
}

impl Target for Later {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        let mut introduction = self.shop.hello(hello)?;
        introduction.capabilities.asynchronous = self.claims_it;
        Ok(introduction)
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.shop.begin(case, orders)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        if !self.claims_it {
            return self.shop.deliver(request);
        }
        self.shown = None;
        self.queue.push((Instant::now(), request.headers.to_vec(), request.body.to_vec()));
        Ok(202)
    }

    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.shop.advance(time)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        for (_, headers, body) in self.queue.iter().filter(|(came, ..)| came.elapsed() > AFTER) {
            self.shop.deliver(&Request::new(headers, body))?;
        }
        let mut state = self.shop.observe(order_id)?;
        if self.queue.last().is_some_and(|(came, ..)| came.elapsed() > AFTER) {
            let shown = *self.shown.get_or_insert_with(Instant::now);
            if let (Some(again), Some(state)) = (self.again, &mut state)
                && shown.elapsed() > again
            {
                state.refunded_amount = state.refunded_amount + state.refunded_amount;
            }
        }
        Ok(state)
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        self.shop.end(case)
    }
}

fn one_case() -> Options {
    quick(1, 1).with(|options| options.selection = only(&["refund-complete-updates-order"]))
}

#[test]
fn what_is_applied_twice_later_is_seen() {
    let report = certified(&one_case(), Later::maker(true, Some(Duration::from_millis(100))));
    fails(&report, "it was right and did not stay so");
}

#[test]
fn without_a_quiet_time_it_is_not() {
    let options = one_case().with(|options| options.quiet = Duration::ZERO);
    passes(&certified(&options, Later::maker(true, Some(Duration::from_secs(3)))));
}

#[test]
fn what_is_applied_once_later_is_right() {
    passes(&certified(&one_case().with(|options| options.cases = 10), Later::maker(true, None)));
}

#[test]
fn quiet_times_pass_together() {
    let quiet = Duration::from_secs(2);
    let options = one_case().with(|options| {
        options.cases = 20;
        options.quiet = quiet;
    });
    let started = Instant::now();
    passes(&certified(&options, Later::maker(true, None)));
    assert!(started.elapsed() > quiet && started.elapsed() < quiet * 15, "{:?}", started.elapsed());
}

#[test]
fn targets_that_apply_at_once_pay_nothing() {
    let quiet = Duration::from_secs(3600);
    passes(&certified(
        &one_case().with(|options| {
            options.cases = 20;
            options.quiet = quiet;
        }),
        Later::maker(false, None),
    ));
}

// ---- A target that keeps a log of what it took in

/// How a target keeps its books when several deliveries, or a kill, come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Reads, pauses and writes without a lock.
    LosesUpdates,
    /// Who finds that somebody else wrote meanwhile answers this, and tries again when it is sent again.
    Optimistic(u16),
    /// A kill comes before anything was kept.
    KilledBefore,
    /// A kill comes after everything was kept, but before the answer.
    KilledAfter,
    /// As it was meant, but remembers the event first: a kill comes between the two.
    RemembersFirst,
    /// Answers first and keeps nothing.
    Forgets,
}

#[derive(Clone)]
struct Logged {
    manner: Manner,
    secret: Hello,
    orders: Vec<OrderSetup>,
    kept: Arc<Mutex<Kept>>,
}

/// What survives a kill.
#[derive(Clone, Default)]
struct Kept {
    log: Vec<(Headers, Vec<u8>)>,
    remembered: HashSet<String>,
}

impl Logged {
    fn maker(manner: Manner) -> Maker {
        Box::new(move || {
            let secret = Hello::new(String::new(), String::new());
            Box::new(Logged { manner, secret, orders: Vec::new(), kept: Arc::default() })
        })
    }

    /// The reference, told everything that was kept.
    fn books(&self, log: &[(Headers, Vec<u8>)]) -> Result<Box<dyn Target>, TargetError> {
        let mut books = shop(None, &Clock::system());
        books.hello(&self.secret)?;
        books.begin("c", &self.orders)?;
        for (headers, body) in log {
            books.deliver(&Request::new(headers, body))?;
        }
        Ok(books)
    }

    fn take_in(&self, request: &Request<'_>) -> Result<u16, TargetError> {
        let read = lock(&self.kept).log.clone();
        if matches!(self.manner, Manner::LosesUpdates | Manner::Optimistic(_)) {
            thread::sleep(Duration::from_millis(2));
        }
        let id = id_of(request.body);
        if id.as_ref().is_some_and(|id| lock(&self.kept).remembered.contains(id)) {
            return Ok(200);
        }
        let status = self.books(&read)?.deliver(request)?;
        let mut kept = lock(&self.kept);
        if let Manner::Optimistic(late) = self.manner
            && kept.log.len() != read.len()
        {
            return Ok(late);
        }
        kept.log = read;
        kept.log.push((request.headers.to_vec(), request.body.to_vec()));
        Ok(status)
    }
}

fn id_of(body: &[u8]) -> Option<String> {
    let event: serde_json::Value = serde_json::from_slice(body).ok()?;
    event["id"].as_str().map(str::to_owned)
}

impl Target for Logged {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.secret = hello.clone();
        let mut introduction = shop(None, &Clock::system()).hello(hello)?;
        let capabilities = introduction.capabilities;
        introduction.capabilities = capabilities.with(|claims| {
            claims.durable = true;
            claims.initiates_refunds = false;
            claims.clock = false;
            claims.concurrency = 4;
        });
        Ok(introduction)
    }

    fn begin(&mut self, _: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.orders = orders.to_vec();
        *lock(&self.kept) = Kept::default();
        Ok(())
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        self.take_in(request)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let log = lock(&self.kept).log.clone();
        self.books(&log)?.observe(order_id)
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        if self.manner == Manner::Forgets {
            lock(&self.kept).log.clear();
        }
        Ok(())
    }

    fn as_transport(&mut self) -> Option<&mut dyn Transport> {
        Some(self)
    }
}

impl Sealed for Logged {}

impl Transport for Logged {
    fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
        let this = &*self;
        thread::scope(|scope| {
            let threads: Vec<_> = requests.iter().map(|request| scope.spawn(move || this.clone().take_in(request))).collect();
            threads.into_iter().map(|thread| thread.join().expect("nobody panics")).collect()
        })
    }

    fn deliver_badly(&mut self, request: &Request<'_>, mishap: Mishap) -> Result<Option<u16>, TargetError> {
        match (mishap, self.manner) {
            (Mishap::Killed { .. }, Manner::KilledBefore) => Ok(None),
            (Mishap::Killed { .. }, Manner::RemembersFirst) => {
                lock(&self.kept).remembered.extend(id_of(request.body));
                Ok(None)
            }
            (Mishap::HalfSent, _) => Ok(None),
            (Mishap::SlowReading, _) => self.take_in(request).map(Some),
            _ => self.take_in(request).map(|_| None),
        }
    }
}

fn together(seed: u64) -> Options {
    let shrink = ShrinkLimits { attempts: 40, time: Duration::from_secs(1) };
    Options::new().with(|options| {
        options.cases = 50;
        options.seed = seed;
        options.selection = only(&["concurrent-deliveries"]);
        options.shrink = shrink;
    })
}

#[test]
fn lost_updates_are_found_with_every_seed() {
    for seed in 1..=4 {
        let report = certified(&together(seed), Logged::maker(Manner::LosesUpdates));
        let failure = fails(&report, "");
        let chance = failure.chance.unwrap_or_else(|| panic!("seed {seed}: nothing is said of chance"));
        assert!(chance.runs >= 1 && chance.failed <= chance.runs, "{chance:?}");
        let together = failure.shrunk.as_ref().is_some_and(|case| case.is_chancy());
        assert!(together, "seed {seed}: {failure:#?}");
    }
}

#[test]
fn losers_of_a_race_may_ask_for_another_delivery() {
    for status in [409, 503] {
        passes(&certified(&together(4), Logged::maker(Manner::Optimistic(status))));
    }
}

fn kills() -> Options {
    let shrink = ShrinkLimits { attempts: 100, time: Duration::from_secs(5) };
    Options::new().with(|options| {
        options.cases = 50;
        options.seed = 1;
        options.selection = only(&["survives-restart"]);
        options.shrink = shrink;
    })
}

#[test]
fn a_kill_may_come_before_or_after_everything_was_kept() {
    passes(&certified(&kills(), Logged::maker(Manner::KilledBefore)));
    passes(&certified(&kills(), Logged::maker(Manner::KilledAfter)));
}

#[test]
fn who_remembers_the_event_and_lost_the_state_does_not_survive() {
    let report = certified(&kills(), Logged::maker(Manner::RemembersFirst));
    let failure = fails(&report, "");
    let case = failure.shrunk.as_ref().expect("a case");
    assert!(case.all_deliveries().any(|delivery| matches!(delivery.mishap, Some(Mishap::Killed { .. }))), "{case:#?}");
}

#[test]
fn who_forgets_does_not_survive() {
    fails(&certified(&kills(), Logged::maker(Manner::Forgets)), "");
}

#[test]
fn answers_that_are_missing_are_no_pass() {
    struct Silent(Box<dyn Target>);
    impl Target for Silent {
        fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
            let mut introduction = self.0.hello(hello)?;
            introduction.capabilities.concurrency = 4;
            Ok(introduction)
        }
        fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
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

        fn as_transport(&mut self) -> Option<&mut dyn Transport> {
            Some(self)
        }
    }

    impl Sealed for Silent {}

    impl Transport for Silent {
        fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
            requests[1..].iter().map(|request| self.0.deliver(request)).collect()
        }
    }
    let report = certified(&together(1), Box::new(|| Box::new(Silent(shop(None, &Clock::system())))));
    assert_eq!(result(&report).verdict, Verdict::Error);
    assert!(result(&report).note.as_ref().is_some_and(|note| note.contains("at the same time got")), "{:?}", result(&report).note);
}

// ---- Chance that no case says anything of

#[test]
fn what_does_not_come_again_says_so() {
    struct LiesOnce(Box<dyn Target>, u32);
    impl Target for LiesOnce {
        fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
            self.0.hello(hello)
        }
        fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
            self.0.begin(case, orders)
        }
        fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
            self.0.deliver(request)
        }
        fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
            self.0.advance(time)
        }

        fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
            self.1 += 1;
            let state = self.0.observe(order_id)?;
            Ok(state.filter(|_| self.1 != 20))
        }
    }
    let options = one_case().with(|options| {
        options.shrink = ShrinkLimits::default();
        options.cases = 20;
    });
    let report = certified(&options, Box::new(|| Box::new(LiesOnce(shop(None, &Clock::system()), 0))));
    let result = result(&report);
    assert_eq!(result.verdict, Verdict::Error, "{result:#?}");
    assert!(result.note.as_deref().is_some_and(|note| note.starts_with("not reproducible: failed once in 22 runs")), "{result:#?}");
    assert!(report.findings[0].message.contains("is not known to the target"), "{result:#?}");
    let chance = report.findings[0].chance.expect("it was looked at again");
    assert_eq!((chance.failed, chance.runs), (0, 21));
    assert_eq!(report.verdict, Conformance::NotJudged);
}

// ---- Time

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

// ---- Secrets

#[test]
fn secrets_are_not_printed() {
    let secrets = Secrets::of(Some("hush".into()));
    let conditions = Conditions { secrets: secrets.clone(), ..Conditions::default() };
    let options = Options::new().with(|options| options.secrets = secrets.clone());
    let hello = Hello::new("x".to_owned(), "hush".to_owned());
    let service = ServiceSettings { environment: [("SECRET".to_owned(), "hush".to_owned())].into(), ..ServiceSettings::default() };
    let text = format!("{secrets:?} {conditions:?} {options:?} {hello:?} {service:?}");
    assert!(!text.contains("hush") && text.contains("SECRET"), "{text}");
}

// ---- Fresh ids

#[test]
fn short_ids_stay() {
    let case = r#"{"schema":"refundproof-case/1","title":"by hand","provider":"digital-river",
        "orders":[{"orderId":"17","currency":"USD","capturedAmount":"17.00","items":[{"itemId":"1","quantity":1,"amount":"17.00"}]}],
        "entries":[],"expect":[]}"#;
    let mut case: Case = serde_json::from_str(case).expect("a case");
    let mut delivery = provider().corpus().sequences().values().find_map(|case| case.all_deliveries().next()).expect("a delivery").clone();
    delivery.event.order_id = Some("17".to_owned());
    delivery.event.tells.clear();
    delivery.body = Body::new(r#"{"order":"17","item":"1","amount":17.00,"id":"evt_12345678"}"#);
    delivery.event.id = "evt_12345678".to_owned();
    case.entries = vec![Entry { act: Act::Deliver(Box::new(delivery)), expect: Vec::new(), expect_if_refused: Vec::new() }];
    let sent = with_fresh_ids(&case, 5);
    assert_eq!(sent.orders, case.orders);
    let text = sent.all_deliveries().next().and_then(|delivery| delivery.body.text().map(str::to_owned)).expect("text");
    assert!(text.starts_with(r#"{"order":"17","item":"1","amount":17.00,"id":"evt_"#) && !text.contains("12345678"), "{text}");
}

/// Notes the ids that it is told.
struct Noting {
    shop: Box<dyn Target>,
    log: String,
    told: Arc<Mutex<HashMap<&'static str, HashSet<String>>>>,
}

impl Noting {
    fn note(&self, what: &'static str, id: Option<String>) {
        lock(&self.told).entry(what).or_default().extend(id);
    }
}

impl Target for Noting {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.shop.hello(hello)
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        for order in orders {
            self.log = format!("the last order is {}", order.order_id);
            self.note("order", Some(order.order_id.clone()));
            order.charges.iter().for_each(|charge| self.note("charge", Some(charge.id.clone())));
        }
        self.shop.begin(case, orders)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let event: serde_json::Value = serde_json::from_slice(request.body).unwrap_or_default();
        self.note("event", event["id"].as_str().map(str::to_owned));
        let object = &event["data"]["object"];
        if object["id"].as_str().is_some_and(|id| id.starts_with("re_")) {
            self.note("refund", object["id"].as_str().map(str::to_owned));
        }
        self.shop.deliver(request)
    }

    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.shop.advance(time)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        self.shop.observe(order_id)
    }

    fn as_transport(&mut self) -> Option<&mut dyn Transport> {
        Some(self)
    }
}

impl Sealed for Noting {}

impl Transport for Noting {
    fn complaints(&mut self) -> String {
        std::mem::take(&mut self.log)
    }
}

/// The ids that a target with a fault was told, and the report without its times.
fn run_with(salt: Option<u64>) -> (HashMap<&'static str, HashSet<String>>, serde_json::Value, Vec<String>) {
    let told: Arc<Mutex<HashMap<&'static str, HashSet<String>>>> = Arc::default();
    let noted = Arc::clone(&told);
    let fault = Fault::from_name("books-redeliveries").expect("a fault");
    let make: Maker =
        Box::new(move || Box::new(Noting { shop: shop(Some(fault), &Clock::system()), log: String::new(), told: Arc::clone(&noted) }));
    let options = quick(10, 1).with(|options| {
        options.cases = 10;
        options.salt = salt;
        options.selection = only(&["refund-*", "duplicate-*", "partial-*", "snapshots"]);
    });
    let report = certified_as("http", &options.with(|options| options.shrink = ShrinkLimits::default()), make);
    let cases = report.findings.iter().filter_map(|failure| failure.shrunk.as_ref()).map(|case| case.to_json()).collect();
    let mut report = serde_json::to_value(&report).expect("JSON");
    without_times(&mut report);
    (std::mem::take(&mut *lock(&told)), report, cases)
}

fn without_times(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(members) => {
            members.remove("durationMs");
            members.values_mut().for_each(without_times);
        }
        serde_json::Value::Array(elements) => elements.iter_mut().for_each(without_times),
        _ => {}
    }
}

#[test]
fn ids_are_fresh_and_nobody_reads_of_it() {
    let (plain, plain_report, plain_cases) = run_with(None);
    let (first, first_report, first_cases) = run_with(Some(1));
    let (second, second_report, _) = run_with(Some(2));
    for what in ["order", "charge", "event", "refund"] {
        assert!(!plain[what].is_empty(), "no {what}");
        assert!(plain[what].is_disjoint(&first[what]) && plain[what].is_disjoint(&second[what]), "{what}");
        assert!(first[what].is_disjoint(&second[what]), "{what}");
        assert_eq!(plain[what].len(), first[what].len(), "two {what}s became one");
    }
    assert!(!plain_cases.is_empty(), "nothing failed");
    assert!(plain_report.to_string().contains("the last order is "), "nothing was said");
    assert_eq!(first_cases, plain_cases);
    assert_eq!(first_report, plain_report);
    assert_eq!(second_report, plain_report);
}

#[test]
fn ids_are_as_they_are_for_who_forgets_them() {
    let told: Arc<Mutex<HashMap<&'static str, HashSet<String>>>> = Arc::default();
    let noted = Arc::clone(&told);
    let make: Maker =
        Box::new(move || Box::new(Noting { shop: shop(None, &Clock::system()), log: String::new(), told: Arc::clone(&noted) }));
    certified(&one_case().with(|options| options.salt = Some(1)), make);
    let salted = std::mem::take(&mut *lock(&told));
    let noted = Arc::clone(&told);
    let make: Maker =
        Box::new(move || Box::new(Noting { shop: shop(None, &Clock::system()), log: String::new(), told: Arc::clone(&noted) }));
    certified(&one_case(), make);
    assert_eq!(*lock(&told), salted);
}

// ---- A store that is there again in the next run

#[test]
fn a_store_of_an_earlier_run_is_no_trouble() {
    if !is_there("python3") {
        return;
    }
    let place = Place::new();
    let sample = root().join("samples/python-stdio/shop.py").display().to_string();
    let args = ["certify", "--cases", "3", "--", "python3", &sample, "--store", "shop.db"];
    place.exits(&args, 0);
    place.exits(&args, 0);
}
