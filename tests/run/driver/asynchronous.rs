//! Targets that acknowledge and apply later.

use std::time::{Duration, Instant};

use refundproof::{
    adapter::{Hello, Introduction, Request, Target, TargetError},
    domain::{Clock, OrderState},
};

use super::{Headers, Maker, certified, fails, one_case, passes};
use crate::common::{around::as_its_shop, shop};

/// Acknowledges, and applies later.
struct Later {
    shop: Box<dyn Target>,
    queue: Vec<(Instant, Headers, Vec<u8>)>,
    claims_it: bool,
    /// How long after everything was shown as it should be it is applied once more.
    again: Option<Duration>,
    shown: Option<Instant>,
}

const AFTER: Duration = Duration::from_millis(10);

impl Later {
    fn maker(claims_it: bool, again: Option<Duration>) -> Maker {
        Box::new(move || Box::new(Later { shop: shop(None, &Clock::system()), queue: Vec::new(), claims_it, again, shown: None }))
    }
}

impl Target for Later {
    as_its_shop!(begin, advance, end);

    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        let mut introduction = self.shop.hello(hello)?;
        introduction.capabilities.asynchronous = self.claims_it;
        Ok(introduction)
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
}

#[test]
fn what_is_applied_twice_later_is_seen() {
    let report = certified(&one_case(), Later::maker(true, Some(Duration::from_millis(100))));
    fails(&report, "it looked right at first, and later");
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
