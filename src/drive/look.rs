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

/// The part of the settle time that each delivery of a case that is sent whole adds to it.
const SHARE: u32 = 4;

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
            if let (_, Some(mut failure)) = self.look(expected, &or, &sight)? {
                failure.message = format!("it looked right at first, and later {}", failure.message);
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
        expectations.iter().map(|expected| self.check_state(&rules.judged(expected), &[], sight, self.conditions.settle)).collect()
    }

    pub(super) fn check_end(
        &mut self,
        case: &Case,
        rules: Rules,
        sight: &Sight,
        outcome: &Outcome,
    ) -> Result<Vec<Option<OrderState>>, Stop> {
        let mut states = Vec::with_capacity(case.expect.len());
        let mut patience = self.conditions.settle;
        if case.is_sent_whole() {
            // Nobody has waited for any of them yet, and not each of them changes what is shown.
            patience += patience / SHARE * u32::try_from(outcome.sent.len()).unwrap_or(u32::MAX);
        }
        for expected in &case.expect {
            states.push(self.check_state(&rules.judged(expected), &alternatives(case, expected, outcome), sight, patience)?);
        }
        Ok(states)
    }

    /// Looks at an order until what it shows is allowed; a target that is not asynchronous has one chance. Any other has so
    /// much time, and has it again whenever what it shows has changed: it is still at work.
    fn check_state(
        &mut self,
        expected: &Expectation,
        or: &[&Expectation],
        sight: &Sight,
        patience: Duration,
    ) -> Result<Option<OrderState>, Stop> {
        const PAUSE: Duration = Duration::from_millis(2);
        const MOST_CHANGES: u32 = 100;
        let mut started = self.clock.monotonic();
        let (mut changes, mut before) = (0, None);
        loop {
            match self.look(expected, or, sight)? {
                (state, None) => return Ok(state),
                (state, Some(mut failure)) => {
                    let waited = self.clock.monotonic().saturating_sub(started);
                    if !self.capabilities().asynchronous || waited >= patience {
                        if self.conditions.lenient {
                            return Ok(state);
                        }
                        if self.capabilities().asynchronous {
                            failure.message.push_str(&format!("; it was given {patience:?} to settle"));
                        }
                        return Err(Stop::Failure(failure));
                    }
                    // Who never stops changing is right at no time.
                    if before.as_ref().is_some_and(|before| *before != state) && changes < MOST_CHANGES {
                        (changes, started) = (changes + 1, self.clock.monotonic());
                    }
                    before = Some(state);
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
    ) -> Result<(Option<OrderState>, Option<Box<Failure>>), Stop> {
        let state = self.call("observe", |target| target.observe(&expected.order_id)).map_err(blame)?;
        let failure = judge_state(expected, state.as_ref(), sight);
        let failure = failure.filter(|_| or.iter().all(|other| judge_state(other, state.as_ref(), sight).is_some()));
        Ok((state, failure.map(Box::new)))
    }
}

/// Whether some doubtful delivery about an order may have been taken: it was not refused, or was under way with others.
fn took_doubtful(case: &Case, order_id: &str, outcome: &Outcome) -> bool {
    let is_doubtful = |delivery: &Delivery| delivery.effect == Effect::Tolerate && delivery.event.order_id.as_deref() == Some(order_id);
    let was_refused = |sent: &Sent| sent.answers.last().is_some_and(|status| *status >= 400);
    outcome.sent.iter().any(|sent| {
        case.entries.get(sent.entry).is_some_and(|entry| match &entry.act {
            Act::Deliver(delivery) => is_doubtful(delivery) && !was_refused(sent),
            other => other.deliveries().iter().any(is_doubtful),
        })
    })
}

/// What an order may show at the end instead, if a doubtful delivery about it was not refused.
pub(super) fn alternatives<'c>(case: &'c Case, expected: &Expectation, outcome: &Outcome) -> Vec<&'c Expectation> {
    let applied = case.expect_if_applied.iter().filter(|other| other.order_id == expected.order_id);
    if took_doubtful(case, &expected.order_id, outcome) { applied.collect() } else { Vec::new() }
}
