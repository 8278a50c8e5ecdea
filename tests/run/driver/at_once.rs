//! Deliveries at the same time, and kills: targets that keep a log of what they took in.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use refundproof::{
    adapter::{Hello, Introduction, Request, Sealed, Target, TargetError, Transport},
    case::{Mishap, OrderSetup},
    domain::{Clock, OrderState},
    findings::ShrinkLimits,
    run::Options,
    verdict::{Conformance, Verdict},
};

use super::{Headers, Maker, certified, fails, lock, one_case, passes, result};
use crate::common::{only, shop};

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
