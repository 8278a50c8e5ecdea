//! What a target shows, and whether it may.

use std::time::Duration;

use super::{
    Driver,
    guard::{Stop, at, blame},
    play::{Outcome, Sent},
};
use crate::{
    case::{Act, Case, Delivery, Effect},
    check::{Failure, Rules, judge_state},
    domain::OrderState,
    model::{Expectation, Sight},
};

impl Driver<'_> {
    pub(super) fn look_again(&mut self, ended: Duration, owed: &[(Expectation, Vec<Expectation>)]) -> Result<(), Stop> {
        if owed.is_empty() {
            return Ok(());
        }
        let since = self.clock.monotonic().saturating_sub(ended);
        if let Some(rest) = self.conditions.quiet.checked_sub(since).filter(|rest| !rest.is_zero()) {
            self.clock.sleep(rest);
        }
        let sight = self.capabilities().sight();
        for (expected, or) in owed {
            let or: Vec<&Expectation> = or.iter().collect();
            if let Err(mut failure) = self.look(expected, &or, &sight)? {
                failure.message = format!("it was right and did not stay so: {}", failure.message);
                return Err(at((*failure).into(), None));
            }
        }
        Ok(())
    }

    pub(super) fn check_states(
        &mut self,
        expectations: &[Expectation],
        rules: Rules,
        sight: &Sight,
    ) -> Result<Vec<Option<OrderState>>, Stop> {
        expectations.iter().map(|expected| self.check_state(&rules.judged(expected), &[], sight)).collect()
    }

    pub(super) fn check_end(
        &mut self,
        case: &Case,
        rules: Rules,
        sight: &Sight,
        outcome: &Outcome,
    ) -> Result<Vec<Option<OrderState>>, Stop> {
        let mut states = Vec::with_capacity(case.expect.len());
        for expected in &case.expect {
            states.push(self.check_state(&rules.judged(expected), &alternatives(case, expected, outcome), sight)?);
        }
        Ok(states)
    }

    /// Looks at an order until what it shows is allowed; a target that is not asynchronous has one chance.
    fn check_state(&mut self, expected: &Expectation, or: &[&Expectation], sight: &Sight) -> Result<Option<OrderState>, Stop> {
        const PAUSE: Duration = Duration::from_millis(2);
        let started = self.clock.monotonic();
        loop {
            match self.look(expected, or, sight)? {
                Ok(state) => return Ok(state),
                Err(mut failure) => {
                    let waited = self.clock.monotonic().saturating_sub(started);
                    if !self.capabilities().asynchronous || waited >= self.conditions.settle {
                        if self.conditions.lenient {
                            return self.call("observe", |target| target.observe(&expected.order_id)).map_err(blame);
                        }
                        if self.capabilities().asynchronous {
                            failure.message.push_str(&format!("; it was given {:?} to settle", self.conditions.settle));
                        }
                        return Err(Stop::Failure(failure));
                    }
                    self.clock.sleep(PAUSE);
                }
            }
        }
    }

    fn look(
        &mut self,
        expected: &Expectation,
        or: &[&Expectation],
        sight: &Sight,
    ) -> Result<Result<Option<OrderState>, Box<Failure>>, Stop> {
        let state = self.call("observe", |target| target.observe(&expected.order_id)).map_err(blame)?;
        let failure = judge_state(expected, state.as_ref(), sight);
        let failure = failure.filter(|_| or.iter().all(|other| judge_state(other, state.as_ref(), sight).is_some()));
        Ok(failure.map_or(Ok(state), |failure| Err(Box::new(failure))))
    }
}

/// Whether some doubtful delivery about an order may have been taken: it was not refused, or was under way with others.
fn took_doubtful(case: &Case, order_id: &str, outcome: &Outcome) -> bool {
    let is_doubtful = |delivery: &Delivery| delivery.effect == Effect::Tolerate && delivery.event.order_id.as_deref() == Some(order_id);
    let was_refused = |sent: &Sent| sent.answers.last().is_some_and(|status| *status >= 400);
    outcome.sent.iter().any(|sent| {
        case.entries.get(sent.entry).is_some_and(|entry| match &entry.act {
            Act::Deliver(delivery) => is_doubtful(delivery) && !was_refused(sent),
            Act::Together(deliveries) | Act::Meanwhile(_, deliveries) => deliveries.iter().any(is_doubtful),
            Act::Initiate(_) | Act::Restart => false,
        })
    })
}

/// What an order may show at the end instead, if a doubtful delivery about it was not refused.
pub(super) fn alternatives<'c>(case: &'c Case, expected: &Expectation, outcome: &Outcome) -> Vec<&'c Expectation> {
    let applied = case.expect_if_applied.iter().filter(|other| other.order_id == expected.order_id);
    if took_doubtful(case, &expected.order_id, outcome) { applied.collect() } else { Vec::new() }
}
