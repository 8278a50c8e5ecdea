//! Driving one case: every entry is carried out, what the target shows is judged at once.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use crate::{
    adapter::{Capabilities, Hello, Introduction, PROTOCOL, Request, Target, TargetError, TargetErrorKind},
    case::{Act, Case, Delivery, Effect, Signature},
    check::{Failure, FailureKind, Rules, judge_answer, judge_state, snapshot::Sightings},
    domain::{Clock, OrderState},
    model::{Expectation, Sight},
    provider::Provider,
};

/// What deliveries are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// The secret said in `hello`; without one nothing is signed.
    pub current: Option<String>,
}

/// Called before each delivery with the index of its entry.
pub type BeforeDelivery<'a> = Box<dyn FnMut(usize, &Delivery) + Send + 'a>;

/// Drives cases against one target.
pub struct Driver<'a> {
    /// The provider, which signs.
    pub provider: &'a dyn Provider,
    /// The target.
    pub target: Box<dyn Target>,
    /// The one clock.
    pub clock: Clock,
    /// What deliveries are signed with.
    pub secrets: Secrets,
    /// How long an answer to a delivery may take; `None` waits for ever.
    pub answer_limit: Option<Duration>,
    /// How long an asynchronous target may take to show what it acknowledged.
    pub settle: Duration,
    /// What the target said of itself.
    pub introduction: Introduction,
    /// What is done before each delivery, for people who step.
    pub before: Option<BeforeDelivery<'a>>,
    /// A signature header is the same for redeliveries within a second; its text is kept.
    headers: Vec<(String, String)>,
}

/// What came of a case.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How many deliveries were sent, redeliveries after errors included.
    pub deliveries: u64,
    /// What was sent, and what was answered.
    pub sent: Vec<Sent>,
    /// What was seen.
    pub seen: Sightings,
    /// What is wrong with the target.
    pub failure: Option<Failure>,
    /// Why it could not be judged.
    pub error: Option<TargetError>,
}

impl Outcome {
    /// The answers to each delivery as text, more than one where it had to be sent again.
    pub fn answers(&self) -> Vec<String> {
        let text = |sent: &Sent| sent.answers.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        self.sent.iter().map(text).collect()
    }
}

/// One delivery of a case, sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Which entry of the case.
    pub entry: usize,
    /// The answers, more than one where it had to be sent again.
    pub answers: Vec<u16>,
}

/// How often a valid delivery that is not acknowledged is sent again at once.
const REDELIVERIES: usize = 2;

enum Stop {
    Failure(Box<Failure>),
    Error(TargetError),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failure(Box::new(failure))
    }
}

impl<'a> Driver<'a> {
    /// Says hello to a target.
    ///
    /// # Errors
    /// When it does not start or does not speak the protocol.
    pub fn new(
        provider: &'a dyn Provider,
        target: Box<dyn Target>,
        clock: Clock,
        secrets: Secrets,
        answer_limit: Option<Duration>,
        settle: Duration,
    ) -> Result<Driver<'a>, TargetError> {
        let introduction = Introduction::default();
        let mut driver = Driver { provider, target, clock, secrets, answer_limit, settle, introduction, before: None, headers: Vec::new() };
        driver.introduction = driver.hello()?;
        Ok(driver)
    }

    fn hello(&mut self) -> Result<Introduction, TargetError> {
        let hello = Hello {
            protocol: PROTOCOL,
            provider: self.provider.name().to_owned(),
            secret: self.secrets.current.clone().unwrap_or_default(),
        };
        let target = &mut self.target;
        let introduction = guarded("hello", || target.hello(&hello))?;
        if introduction.capabilities.concurrency == 0 {
            let what = "field `capabilities.concurrency`: is 0; it is at least 1".to_owned();
            return Err(TargetError::new("hello", TargetErrorKind::Nonsense(what)));
        }
        Ok(introduction)
    }

    /// What the target claims.
    pub fn capabilities(&self) -> &Capabilities {
        &self.introduction.capabilities
    }

    /// Runs a case to its end or to the first thing that is wrong.
    pub fn run(&mut self, name: &str, case: &Case, rules: Rules) -> Outcome {
        let sight = self.capabilities().sight();
        let mut outcome = Outcome::default();
        let stopped = self.carry_out(name, case, rules, &sight, &mut outcome).err();
        match stopped {
            None => {}
            Some(Stop::Failure(failure)) => outcome.failure = Some(*failure),
            Some(Stop::Error(error)) => outcome.error = Some(error),
        }
        outcome
    }

    fn carry_out(&mut self, name: &str, case: &Case, rules: Rules, sight: &Sight, outcome: &mut Outcome) -> Result<(), Stop> {
        let target = &mut self.target;
        guarded("begin", || target.begin(name, &case.orders)).map_err(Stop::Error)?;
        let mut run = CaseRun { rules, unanswered: Vec::new() };
        for (index, entry) in case.entries.iter().enumerate() {
            self.act(index, &entry.act, &mut run, outcome)?;
            // While a valid delivery is still unanswered, what may be shown is not known.
            if run.unanswered.is_empty() {
                // A doubtful delivery that was refused must not have been applied.
                let refused =
                    outcome.sent.last().is_some_and(|sent| sent.entry == index && sent.answers.last().is_some_and(|status| *status >= 400));
                let expected = if refused && !entry.expect_if_refused.is_empty() { &entry.expect_if_refused } else { &entry.expect };
                let states = self.check_states(expected, sight).map_err(|stop| at(stop, Some(index)))?;
                outcome.seen.after.push(states);
            } else {
                outcome.seen.after.push(Vec::new());
            }
        }
        self.redeliver(&mut run, outcome)?;
        outcome.seen.end = self.check_end(case, sight, outcome).map_err(|stop| at(stop, None))?;
        let target = &mut self.target;
        guarded("end", || target.end(name)).map_err(|error| at(blame(error), None))
    }

    fn act<'c>(&mut self, index: usize, act: &'c Act, run: &mut CaseRun<'c>, outcome: &mut Outcome) -> Result<(), Stop> {
        match act {
            Act::Deliver(delivery) => self.deliver(index, delivery, run, outcome).map_err(|stop| at(stop, Some(index))),
            Act::Together(deliveries) => {
                let sent = deliveries.iter().try_for_each(|delivery| self.deliver(index, delivery, run, outcome));
                sent.map_err(|stop| at(stop, Some(index)))
            }
            Act::Initiate(own) => {
                let target = &mut self.target;
                guarded("initiate", || target.initiate(own)).map_err(|error| at(blame(error), Some(index)))
            }
            Act::Restart => self.restart().map_err(|error| {
                // A durable target that cannot come up on its own state is no adapter's fault.
                let error = match error.kind {
                    TargetErrorKind::NotStarted(why) => {
                        TargetError::new("restart", TargetErrorKind::Crashed(format!("did not come back after it was killed: {why}")))
                    }
                    _ => error,
                };
                at(blame(error), Some(index))
            }),
        }
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        self.target.restart()?;
        self.hello().map(|_| ())
    }

    fn deliver<'c>(&mut self, index: usize, delivery: &'c Delivery, run: &mut CaseRun<'c>, outcome: &mut Outcome) -> Result<(), Stop> {
        if let Some(before) = &mut self.before {
            before(index, delivery);
        }
        let tries = if delivery.effect.must_be_acknowledged() { 1 + REDELIVERIES } else { 1 };
        outcome.sent.push(Sent { entry: index, answers: Vec::with_capacity(1) });
        let mut failure = None;
        for _ in 0..tries {
            let status = self.send(delivery, outcome)?;
            if let Some(sent) = outcome.sent.last_mut() {
                sent.answers.push(status);
            }
            failure = judge_answer(delivery, status, run.rules);
            if failure.is_none() {
                return Ok(());
            }
        }
        match failure {
            // It may be that the target takes it later, when it has seen others; the provider tries again for days.
            Some(failure) if delivery.effect == Effect::Accept => {
                run.unanswered.push((index, delivery, failure));
                Ok(())
            }
            Some(failure) => Err(failure.into()),
            None => Ok(()),
        }
    }

    fn redeliver(&mut self, run: &mut CaseRun<'_>, outcome: &mut Outcome) -> Result<(), Stop> {
        while !run.unanswered.is_empty() {
            let before = run.unanswered.len();
            let mut still = Vec::new();
            for (index, delivery, _) in std::mem::take(&mut run.unanswered) {
                let status = self.send(delivery, outcome).map_err(|stop| at(stop, Some(index)))?;
                if let Some(sent) = outcome.sent.iter_mut().find(|sent| sent.entry == index) {
                    sent.answers.push(status);
                }
                if let Some(failure) = judge_answer(delivery, status, run.rules) {
                    still.push((index, delivery, failure));
                }
            }
            run.unanswered = still;
            if run.unanswered.len() == before {
                let (index, _, failure) = run.unanswered.swap_remove(0);
                return Err(at(failure.into(), Some(index)));
            }
        }
        Ok(())
    }

    fn send(&mut self, delivery: &Delivery, outcome: &mut Outcome) -> Result<u16, Stop> {
        outcome.deliveries += 1;
        self.headers.clear();
        self.headers.extend(delivery.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.sign(delivery);
        let request = Request { headers: &self.headers, body: delivery.body.bytes() };
        let started = self.clock.monotonic();
        let target = &mut self.target;
        let status = guarded("deliver", || target.deliver(&request)).map_err(blame)?;
        let took = self.clock.monotonic().saturating_sub(started);
        match self.answer_limit {
            Some(limit) if took > limit => Err(blame(TargetError::new("deliver", TargetErrorKind::TimedOut(limit)))),
            _ => Ok(status),
        }
    }

    fn sign(&mut self, delivery: &Delivery) {
        const HOUR: u64 = 3600;
        const UNKNOWN: &str = "whsec_that_nobody_was_told";
        let Some(secret) = self.secrets.current.as_deref() else { return };
        let (provider, now, body) = (self.provider, self.clock.unix_seconds(), delivery.body.bytes());
        let mut headers = match &delivery.signature {
            Signature::Absent => return,
            Signature::Valid | Signature::Truncated => provider.sign(&[secret], now, body),
            Signature::With(other) => provider.sign(&[other], now, body),
            Signature::Stale => provider.sign(&[secret], now.saturating_sub(HOUR), body),
            Signature::Rotated { known_first: true } => provider.sign(&[secret, UNKNOWN], now, body),
            Signature::Rotated { known_first: false } => provider.sign(&[UNKNOWN, secret], now, body),
            Signature::Over(other) => provider.sign(&[secret], now, other.as_bytes()),
        };
        if delivery.signature == Signature::Truncated {
            for (_, value) in &mut headers {
                value.truncate(value.len().saturating_sub(9));
            }
        }
        self.headers.extend(headers);
    }

    fn check_states(&mut self, expectations: &[Expectation], sight: &Sight) -> Result<Vec<Option<OrderState>>, Stop> {
        expectations.iter().map(|expected| self.check_state(expected, &[], sight)).collect()
    }

    fn check_end(&mut self, case: &Case, sight: &Sight, outcome: &Outcome) -> Result<Vec<Option<OrderState>>, Stop> {
        let mut states = Vec::with_capacity(case.expect.len());
        for expected in &case.expect {
            states.push(self.check_state(expected, &self.alternatives(case, expected, outcome), sight)?);
        }
        Ok(states)
    }

    /// What an order may show at the end instead, if a doubtful delivery about it was not refused.
    fn alternatives<'c>(&self, case: &'c Case, expected: &Expectation, outcome: &Outcome) -> Vec<&'c Expectation> {
        let applied = case.expect_if_applied.iter().filter(|other| other.order_id == expected.order_id);
        if took_doubtful(case, &expected.order_id, outcome) { applied.collect() } else { Vec::new() }
    }

    fn check_state(&mut self, expected: &Expectation, or: &[&Expectation], sight: &Sight) -> Result<Option<OrderState>, Stop> {
        const PAUSE: Duration = Duration::from_millis(2);
        let started = self.clock.monotonic();
        loop {
            let target = &mut self.target;
            let state = guarded("observe", || target.observe(&expected.order_id)).map_err(blame)?;
            let failure = judge_state(expected, state.as_ref(), sight);
            let Some(failure) = failure.filter(|_| or.iter().all(|other| judge_state(other, state.as_ref(), sight).is_some())) else {
                return Ok(state);
            };
            let waited = self.clock.monotonic().saturating_sub(started);
            if !self.capabilities().asynchronous || waited >= self.settle {
                return Err(failure.into());
            }
            self.clock.sleep(PAUSE);
        }
    }

    /// Makes the target usable again after it crashed, hung or could not be judged.
    ///
    /// # Errors
    /// When it cannot be started again.
    pub fn recover(&mut self) -> Result<(), TargetError> {
        match self.target.restart() {
            Err(TargetError { kind: TargetErrorKind::Unsupported, .. }) | Ok(()) => {}
            Err(error) => return Err(error),
        }
        self.hello().map(|_| ())
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        let target = &mut self.target;
        let _ = catch_unwind(AssertUnwindSafe(|| target.bye()));
    }
}

/// Whether some doubtful delivery about an order was not refused.
fn took_doubtful(case: &Case, order_id: &str, outcome: &Outcome) -> bool {
    outcome.sent.iter().any(|sent| {
        let doubtful = case.entries.get(sent.entry).is_some_and(|entry| match &entry.act {
            Act::Deliver(delivery) => delivery.effect == Effect::Flag && delivery.event.order_id.as_deref() == Some(order_id),
            _ => false,
        });
        doubtful && sent.answers.last().is_some_and(|status| *status < 400)
    })
}

struct CaseRun<'c> {
    rules: Rules,
    unanswered: Vec<(usize, &'c Delivery, Failure)>,
}

thread_local! {
    static IN_TARGET: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a call of an in-process target: a panic there is a finding, which a panic hook
/// need not print.
pub fn is_in_target() -> bool {
    IN_TARGET.get()
}

/// Calls the target; a panic in it is a crash of it and not of the harness.
fn guarded<T>(operation: &str, call: impl FnOnce() -> Result<T, TargetError>) -> Result<T, TargetError> {
    let outer = IN_TARGET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    IN_TARGET.set(outer);
    result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
        let how = format!("panicked: {}", text.unwrap_or_else(|| "without a message".to_owned()));
        Err(TargetError::new(operation, TargetErrorKind::Crashed(how)))
    })
}

/// A crash or a time-out is the target's failure; anything else could not be judged.
fn blame(error: TargetError) -> Stop {
    if !error.is_targets_fault() {
        return Stop::Error(error);
    }
    let (kind, expected) = match error.kind {
        TargetErrorKind::TimedOut(limit) => (FailureKind::Timeout, format!("an answer within {} ms", limit.as_millis())),
        _ => (FailureKind::Crash, "an answer".to_owned()),
    };
    let observed = error.to_string();
    let diff = format!("-{expected}\n+{observed}\n");
    Failure { kind, entry: None, message: observed.clone(), expected, observed, diff }.into()
}

fn at(stop: Stop, entry: Option<usize>) -> Stop {
    match stop {
        Stop::Failure(mut failure) => {
            failure.entry = entry;
            Stop::Failure(failure)
        }
        error => error,
    }
}
