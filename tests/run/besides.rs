//! Targets whose mistakes show only together with something that is not in a case: with what came before, with how quickly one delivery
//! follows another, with how long they may take. Each is one finding that says so.

use std::{collections::VecDeque, time::Duration};

use refundproof::{
    adapter::{Hello, Introduction, Request, Target, TargetError},
    case::OrderSetup,
    domain::{Clock, OrderState},
    run::Options,
    verdict::Report,
};
use rstest::rstest;

use crate::common::{certified_over, only, provider, shop};

#[derive(Clone, Copy)]
enum Mistake {
    /// Takes so many deliveries before it is started again, and acknowledges all others.
    Full(u32),
    /// Works on what it acknowledged, so much later, and forgets what comes while it does.
    Drops(Duration),
    /// Works on what it acknowledged, so much later.
    Slow(Duration),
}

struct Odd {
    shop: Box<dyn Target>,
    clock: Clock,
    mistake: Mistake,
    taken: u32,
    /// What is still to be done, and when.
    queue: VecDeque<Work>,
}

struct Work {
    due: Duration,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Odd {
    fn of(mistake: Mistake, clock: &Clock) -> Box<dyn Target> {
        Box::new(Odd { shop: shop(None, clock), clock: clock.clone(), mistake, taken: 0, queue: VecDeque::new() })
    }

    fn work(&mut self) -> Result<(), TargetError> {
        while self.queue.front().is_some_and(|work| work.due <= self.clock.monotonic()) {
            let Some(Work { headers, body, .. }) = self.queue.pop_front() else { break };
            self.shop.deliver(&Request::new(&headers, &body))?;
        }
        Ok(())
    }
}

impl Target for Odd {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        let is_asynchronous = !matches!(self.mistake, Mistake::Full(_));
        Ok(self.shop.hello(hello)?.with(|told| {
            told.capabilities.asynchronous = is_asynchronous;
            told.capabilities.verifies_signatures = false;
            told.capabilities.initiates_refunds = false;
            told.capabilities.clock = false;
            told.capabilities.concurrency = 1;
        }))
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.shop.begin(case, orders)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        self.work()?;
        self.taken += 1;
        let after = match self.mistake {
            Mistake::Full(most) if self.taken > most => return Ok(200),
            Mistake::Full(_) => return self.shop.deliver(request),
            Mistake::Drops(_) if !self.queue.is_empty() => return Ok(200),
            Mistake::Drops(after) | Mistake::Slow(after) => after,
        };
        let due = self.clock.monotonic() + after;
        self.queue.push_back(Work { due, headers: request.headers.to_vec(), body: request.body.to_vec() });
        Ok(200)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        self.work()?;
        self.shop.observe(order_id)
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        self.shop.end(case)
    }
}

fn certified(mistake: Mistake) -> Report {
    let options = Options::new().with(|options| {
        options.cases = 20;
        options.jobs = 1;
        options.selection =
            only(&["refund-complete-updates-order", "partial-refunds-add-up", "orders-do-not-mix", "open-refund-not-counted"]);
    });
    certified_over("stdio", provider(), &move |clock| Odd::of(mistake, clock), &options)
}

#[rstest]
#[case::what_came_before(Mistake::Full(70), "orders-do-not-mix", "alone, on a target that was started anew, it is right")]
#[case::haste(
    Mistake::Drops(Duration::from_millis(100)),
    "partial-refunds-add-up",
    "each delivery waits until the one before has been applied"
)]
#[case::patience(Mistake::Slow(Duration::from_secs(5)), "refund-complete-updates-order", "give it more with `--settle`")]
fn one_finding_that_says_so(#[case] mistake: Mistake, #[case] about: &str, #[case] says: &str) {
    let report = certified(mistake);
    let [finding] = report.findings.as_slice() else { panic!("{:#?}", report.findings) };
    assert_eq!(finding.about, about);
    assert!(finding.message.contains(says), "{}", finding.message);
    assert!(finding.like.is_none(), "{:?}", finding.like);
}
