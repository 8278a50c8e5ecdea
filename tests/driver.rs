//! How cases are driven: asynchronous targets, deliveries at the same time, kills, fresh ids. All with targets in this process.

mod common;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

use common::{only, place::Place, provider, quick, root, sample::is_there, shop};
use refundproof::{
    adapter::{Capabilities, Hello, Introduction, Request, Target, TargetError},
    case::{Mishap, OrderSetup},
    check::verdict::Verdict,
    domain::{Clock, OrderState},
    reference::Fault,
    run::{FindingReport, Launch, Options, Report, RequirementResult, ShrinkLimits, certify},
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

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        for (_, headers, body) in self.queue.iter().filter(|(came, ..)| came.elapsed() > AFTER) {
            self.shop.deliver(&Request { headers, body })?;
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
    Options { selection: only(&["refund-complete-updates-order"]), ..quick(1, 1) }
}

#[test]
fn what_is_applied_twice_later_is_seen() {
    let report = certified(&one_case(), Later::maker(true, Some(Duration::from_millis(100))));
    fails(&report, "it was right and did not stay so");
}

#[test]
fn without_a_quiet_time_it_is_not() {
    let options = Options { quiet: Duration::ZERO, ..one_case() };
    passes(&certified(&options, Later::maker(true, Some(Duration::from_secs(3)))));
}

#[test]
fn what_is_applied_once_later_is_right() {
    passes(&certified(&Options { cases: 10, ..one_case() }, Later::maker(true, None)));
}

#[test]
fn quiet_times_pass_together() {
    let quiet = Duration::from_secs(2);
    let options = Options { cases: 20, quiet, ..one_case() };
    let started = Instant::now();
    passes(&certified(&options, Later::maker(true, None)));
    assert!(started.elapsed() > quiet && started.elapsed() < quiet * 15, "{:?}", started.elapsed());
}

#[test]
fn targets_that_apply_at_once_pay_nothing() {
    let quiet = Duration::from_secs(3600);
    passes(&certified(&Options { cases: 20, quiet, ..one_case() }, Later::maker(false, None)));
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
            let secret = Hello { protocol: 1, provider: String::new(), secret: String::new() };
            Box::new(Logged { manner, secret, orders: Vec::new(), kept: Arc::default() })
        })
    }

    /// The reference, told everything that was kept.
    fn books(&self, log: &[(Headers, Vec<u8>)]) -> Result<Box<dyn Target>, TargetError> {
        let mut books = shop(None, &Clock::system());
        books.hello(&self.secret)?;
        books.begin("c", &self.orders)?;
        for (headers, body) in log {
            books.deliver(&Request { headers, body })?;
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
        introduction.capabilities = Capabilities { durable: true, initiates_refunds: false, concurrency: 4, ..capabilities };
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
}

fn together(seed: u64) -> Options {
    let shrink = ShrinkLimits { attempts: 40, time: Duration::from_secs(1) };
    Options { cases: 50, seed, selection: only(&["concurrent-deliveries"]), shrink, ..Options::default() }
}

#[test]
fn lost_updates_are_found_with_every_seed() {
    for seed in 1..=10 {
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
    Options { cases: 50, seed: 1, selection: only(&["survives-restart"]), shrink, ..Options::default() }
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
        fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
            requests[1..].iter().map(|request| self.0.deliver(request)).collect()
        }
        fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
            self.0.observe(order_id)
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
        fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
            self.1 += 1;
            let state = self.0.observe(order_id)?;
            Ok(state.filter(|_| self.1 != 20))
        }
    }
    let options = Options { shrink: ShrinkLimits::default(), cases: 20, ..one_case() };
    let report = certified(&options, Box::new(|| Box::new(LiesOnce(shop(None, &Clock::system()), 0))));
    let chance = fails(&report, "is not known to the target").chance.expect("it was looked at again");
    assert_eq!((chance.failed, chance.runs), (0, 20));
}

// ---- Fresh ids

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

    fn complaints(&mut self) -> String {
        std::mem::take(&mut self.log)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        self.shop.observe(order_id)
    }
}

/// The ids that a target with a fault was told, and the report without its times.
fn run_with(salt: Option<u64>) -> (HashMap<&'static str, HashSet<String>>, serde_json::Value, Vec<String>) {
    let told: Arc<Mutex<HashMap<&'static str, HashSet<String>>>> = Arc::default();
    let noted = Arc::clone(&told);
    let fault = Fault::from_name("books-redeliveries").expect("a fault");
    let make: Maker =
        Box::new(move || Box::new(Noting { shop: shop(Some(fault), &Clock::system()), log: String::new(), told: Arc::clone(&noted) }));
    let options = Options { cases: 10, salt, selection: only(&["refund-*", "duplicate-*", "partial-*", "snapshots"]), ..quick(10, 1) };
    let report = certified_as("http", &Options { shrink: ShrinkLimits::default(), ..options }, make);
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
    certified(&Options { salt: Some(1), ..one_case() }, make);
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
