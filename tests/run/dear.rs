//! Mistakes of which each attempt to show them is dear, because the target is started again for it or must be waited for: what is
//! left of their cases in few attempts. The targets are in this process and claim not to be, and time is their clock's.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use refundproof::{
    adapter::{Hello, Introduction, Request, Target, TargetError},
    case::OrderSetup,
    domain::{Amount, Clock, OrderState, Status},
    drive::Launch,
    findings::ShrinkLimits,
    run::{Options, certify},
    verdict::Report,
};

use crate::common::{only, provider, shop, silence_targets};

/// What a shop keeps when it is killed.
#[derive(Default)]
struct Database {
    /// The order whose row is locked, by whom nobody knows any more.
    locked: Option<String>,
    /// The event ids that were processed.
    processed: BTreeSet<String>,
    /// Orders of which a processed event was opened again.
    reopened: BTreeSet<String>,
}

/// How a shop is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    /// It unlocks an order's row when the next request comes, so that one that is killed before leaves it locked for ever.
    LockLeftByKill,
    /// A redelivery opens the event again, after a while.
    RedeliveryReopens,
}

struct Wrong {
    shop: Box<dyn Target>,
    database: Arc<Mutex<Database>>,
    mistake: Mistake,
    clock: Clock,
    /// When what was acknowledged is worked on.
    due: Duration,
    /// How many cases were begun.
    cases: Arc<Mutex<u32>>,
}

/// The texts at two places of a body.
fn texts(body: &[u8]) -> Option<(String, String)> {
    let event: serde_json::Value = serde_json::from_slice(body).ok()?;
    let object = &event["data"]["object"];
    let order = [&object["orderId"], &object["id"]].into_iter().find_map(serde_json::Value::as_str)?;
    Some((event["id"].as_str()?.to_owned(), order.to_owned()))
}

impl Wrong {
    fn database(&self) -> std::sync::MutexGuard<'_, Database> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Target for Wrong {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        let told = self.shop.hello(hello)?;
        Ok(told.with(|told| {
            told.capabilities.verifies_signatures = false;
            told.capabilities.initiates_refunds = false;
            told.capabilities.clock = false;
            told.capabilities.concurrency = 1;
            told.capabilities.durable = self.mistake == Mistake::LockLeftByKill;
            told.capabilities.asynchronous = self.mistake == Mistake::RedeliveryReopens;
        }))
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        *self.cases.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.shop.begin(case, orders)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let Some((id, order)) = texts(request.body) else { return self.shop.deliver(request) };
        match self.mistake {
            Mistake::LockLeftByKill => {
                if self.database().locked.as_deref() == Some("for ever") {
                    return Ok(503);
                }
                let status = self.shop.deliver(request)?;
                self.database().locked = Some(order);
                Ok(status)
            }
            Mistake::RedeliveryReopens => {
                let status = self.shop.deliver(request)?;
                let is_new = self.database().processed.insert(id);
                if !is_new {
                    self.database().reopened.insert(order);
                    self.due = self.clock.monotonic() + Duration::from_millis(50);
                }
                Ok(status)
            }
        }
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let state = self.shop.observe(order_id)?;
        let is_wrong = self.database().reopened.contains(order_id) && self.clock.monotonic() >= self.due;
        Ok(state.map(|mut state| {
            if is_wrong {
                (state.status, state.refunded_amount) = (Status::Pending, Amount::ZERO);
            }
            state
        }))
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        self.database().locked = None;
        self.shop.end(case)
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        let mut database = self.database();
        if let Some(locked) = &mut database.locked {
            *locked = "for ever".to_owned();
        }
        drop(database);
        self.shop.restart()
    }
}

/// What is found, and how many cases that took.
fn found(mistake: Mistake, id: &str) -> (Report, u32) {
    silence_targets();
    let clock = Clock::manual(1_750_000_000);
    let cases = Arc::<Mutex<u32>>::default();
    let (own, begun) = (clock.clone(), Arc::clone(&cases));
    let make = move || {
        let (shop, clock, cases) = (shop(None, &own), own.clone(), Arc::clone(&begun));
        let database = Arc::default();
        Ok(Box::new(Wrong { shop, database, mistake, clock, due: Duration::ZERO, cases }) as Box<dyn Target>)
    };
    let options = Options::new().with(|options| {
        (options.cases, options.jobs, options.selection) = (20, 1, only(&[id]));
        options.shrink = ShrinkLimits::default();
    });
    let launch = Launch::new("http", "", clock, make);
    let report = certify(provider(), &launch, &options, &AtomicBool::new(false), &mut |_| {}).expect("it starts");
    let cases = *cases.lock().unwrap_or_else(PoisonError::into_inner);
    (report, cases)
}

#[track_caller]
fn comes_to_two(mistake: Mistake, id: &str) {
    let (report, cases) = found(mistake, id);
    let findings: BTreeMap<&str, usize> = report.findings.iter().map(|finding| (finding.message.as_str(), finding.deliveries)).collect();
    assert!(findings.values().any(|deliveries| *deliveries == 2) && findings.len() <= 2, "{findings:#?} after {cases} cases");
}

#[test]
fn a_lock_that_a_kill_leaves_behind() {
    comes_to_two(Mistake::LockLeftByKill, "survives-restart");
}

#[test]
fn a_redelivery_that_opens_a_processed_event_again() {
    comes_to_two(Mistake::RedeliveryReopens, "duplicate-deliveries");
}
