//! Driving one case: every entry is carried out, what the target shows is judged at once.

use std::{
    borrow::Cow,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use super::alias::Aliases;
use crate::{
    adapter::{Capabilities, Hello, Introduction, PROTOCOL, Request, Target, TargetError, TargetErrorKind},
    case::{Act, Body, Case, Delivery, Effect, Mishap, OtherSecret, Signature},
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

/// Under what conditions cases are driven.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// What deliveries are signed with.
    pub secrets: Secrets,
    /// The header that carries the signature, where it is another than the provider's own.
    pub signature_header: Option<String>,
    /// How long an answer to a delivery may take; `None` waits for ever.
    pub answer_limit: Option<Duration>,
    /// How long an asynchronous target may take to show what it acknowledged.
    pub settle: Duration,
    /// How long an asynchronous target must still be right after the end of a case.
    pub quiet: Duration,
    /// For targets that keep what they were told from one run to the next: makes the ids of this run its own.
    pub salt: Option<u64>,
    /// Records without judging: nothing that is wrong ends a case but a crash or a hang.
    pub lenient: bool,
}

impl Default for Conditions {
    fn default() -> Conditions {
        Conditions {
            secrets: Secrets { current: Some("whsec_refundproof".to_owned()) },
            signature_header: None,
            answer_limit: Some(Duration::from_millis(3000)),
            settle: Duration::from_secs(2),
            quiet: Duration::from_millis(250),
            salt: None,
            lenient: false,
        }
    }
}

/// Drives cases against one target.
pub struct Driver<'a> {
    /// The provider, which signs.
    pub provider: &'a dyn Provider,
    /// The target.
    pub target: Box<dyn Target>,
    /// The one clock.
    pub clock: Clock,
    /// Time limits, secrets and salt.
    pub conditions: Conditions,
    /// What the target said of itself.
    pub introduction: Introduction,
    /// What is done before each delivery, for people who step.
    pub before: Option<BeforeDelivery<'a>>,
    /// The ids of the case that was finished last.
    aliases: Option<Aliases>,
}

/// A case that was played to its end. An asynchronous target is looked at once more when it has been quiet for a while:
/// what it applies twice, it may apply late.
pub struct Played {
    name: String,
    outcome: Outcome,
    aliases: Option<Aliases>,
    ended: Duration,
    /// What must still be shown, and what may be shown instead.
    owed: Vec<(Expectation, Vec<Expectation>)>,
}

impl Played {
    /// What came of it so far.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Whether a last look is still owed.
    pub fn is_open(&self) -> bool {
        !self.owed.is_empty()
    }
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
    fn stop(&mut self, stop: Stop) {
        match stop {
            Stop::Failure(failure) => self.failure = Some(*failure),
            Stop::Error(error) => self.error = Some(error),
        }
    }

    fn back(&mut self, aliases: &Aliases) {
        let Sightings { after, end } = &mut self.seen;
        after.iter_mut().flatten().chain(end).flatten().for_each(|state| aliases.state_back(state));
        self.failure.iter_mut().for_each(|failure| aliases.failure_back(failure));
        self.error.iter_mut().for_each(|error| aliases.error_back(error));
    }

    /// Whether it ended before its end.
    pub fn has_stopped(&self) -> bool {
        self.failure.is_some() || self.error.is_some()
    }

    /// Whether the target can still be asked: it neither crashed nor hung, and its adapter works.
    pub fn is_still_there(&self) -> bool {
        let gone = |failure: &Failure| matches!(failure.kind, FailureKind::Crash | FailureKind::Timeout);
        self.error.is_none() && !self.failure.as_ref().is_some_and(gone)
    }

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
        conditions: Conditions,
    ) -> Result<Driver<'a>, TargetError> {
        let mut driver = Driver { provider, target, clock, conditions, introduction: Introduction::default(), before: None, aliases: None };
        driver.introduction = driver.hello()?;
        Ok(driver)
    }

    fn hello(&mut self) -> Result<Introduction, TargetError> {
        let hello = Hello {
            protocol: PROTOCOL,
            provider: self.provider.name().to_owned(),
            secret: self.conditions.secrets.current.clone().unwrap_or_default(),
        };
        let target = &mut self.target;
        let introduction = guarded("hello", || target.hello(&hello))?;
        if introduction.capabilities.concurrency == 0 {
            let what = "field `capabilities.concurrency`: is 0; it is at least 1".to_owned();
            return Err(TargetError::new("hello", TargetErrorKind::Nonsense(what)));
        }
        match hears_nothing(self.provider, &introduction.capabilities) {
            Some(what) => Err(TargetError::new("hello", TargetErrorKind::Nonsense(what))),
            None => Ok(introduction),
        }
    }

    /// What the target claims.
    pub fn capabilities(&self) -> &Capabilities {
        &self.introduction.capabilities
    }

    /// Runs a case to its end or to the first thing that is wrong.
    pub fn run(&mut self, name: &str, case: &Case, rules: Rules) -> Outcome {
        let played = self.play(name, case, rules);
        self.finish(played)
    }

    /// Runs a case to its last delivery or to the first thing that is wrong. [`Driver::finish`] must follow; other cases
    /// may be played before it.
    pub fn play(&mut self, name: &str, case: &Case, rules: Rules) -> Played {
        let sight = self.capabilities().sight();
        let (sent, aliases) = match self.conditions.salt {
            Some(salt) => {
                let (sent, aliases) = Aliases::of(case, salt);
                (Cow::Owned(sent), Some(aliases))
            }
            None => (Cow::Borrowed(case), None),
        };
        let mut played = Played { name: name.to_owned(), outcome: Outcome::default(), aliases, ended: Duration::ZERO, owed: Vec::new() };
        match self.carry_out(name, &sent, rules, &sight, &mut played.outcome) {
            Ok(()) => played.owed = self.owed(&sent, rules, &played.outcome),
            Err(stop) => played.outcome.stop(stop),
        }
        played.ended = self.clock.monotonic();
        played
    }

    /// Looks at an asynchronous target once more when the quiet time is over, and ends the case.
    pub fn finish(&mut self, played: Played) -> Outcome {
        let Played { name, mut outcome, aliases, ended, owed } = played;
        if outcome.failure.is_none() && outcome.error.is_none() {
            let result = self.look_again(ended, &owed).and_then(|()| {
                let target = &mut self.target;
                guarded("end", || target.end(&name)).map_err(|error| at(blame(error), None))
            });
            if let Err(stop) = result {
                outcome.stop(stop);
            }
        }
        if let Some(aliases) = aliases {
            outcome.back(&aliases);
            self.aliases = Some(aliases);
        }
        outcome
    }

    fn owed(&self, case: &Case, rules: Rules, outcome: &Outcome) -> Vec<(Expectation, Vec<Expectation>)> {
        if !self.capabilities().asynchronous || self.conditions.quiet.is_zero() || self.conditions.lenient {
            return Vec::new();
        }
        let with_alternatives = |expected: &Expectation| {
            (rules.judged(expected).into_owned(), alternatives(case, expected, outcome).into_iter().cloned().collect())
        };
        case.expect.iter().map(with_alternatives).collect()
    }

    fn look_again(&mut self, ended: Duration, owed: &[(Expectation, Vec<Expectation>)]) -> Result<(), Stop> {
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

    fn carry_out(&mut self, name: &str, case: &Case, rules: Rules, sight: &Sight, outcome: &mut Outcome) -> Result<(), Stop> {
        self.begin(name, case, outcome)?;
        let mut run = CaseRun { rules, unanswered: Vec::new() };
        for (index, entry) in case.entries.iter().enumerate() {
            self.act(index, &entry.act, &mut run, outcome)?;
            // While a valid delivery is still unanswered, what may be shown is not known.
            // What an asynchronous target shows on the way is chance, and worth nothing where nothing is judged.
            if run.unanswered.is_empty() && !(self.conditions.lenient && self.capabilities().asynchronous) {
                // What must be contained must not have been applied where it was refused.
                let refused =
                    outcome.sent.last().is_some_and(|sent| sent.entry == index && sent.answers.last().is_some_and(|status| *status >= 400));
                let refused = refused && rules.contained && !entry.expect_if_refused.is_empty();
                let expected = if refused { &entry.expect_if_refused } else { &entry.expect };
                let states = self.check_states(expected, rules, sight).map_err(|stop| at(stop, Some(index)))?;
                outcome.seen.after.push(states);
            } else {
                outcome.seen.after.push(Vec::new());
            }
        }
        self.redeliver(&mut run, outcome)?;
        outcome.seen.end = self.check_end(case, rules, sight, outcome).map_err(|stop| at(stop, None))?;
        Ok(())
    }

    fn begin(&mut self, name: &str, case: &Case, outcome: &mut Outcome) -> Result<(), Stop> {
        let target = &mut self.target;
        guarded("begin", || target.begin(name, &case.orders)).map_err(Stop::Error)?;
        if !self.target.learns_of_orders_from_events() {
            return Ok(());
        }
        let fail = |why: String| Stop::Error(TargetError::new("begin", TargetErrorKind::Refused(why)));
        for order in &case.orders {
            let messages = self.provider.introduce(order);
            if messages.is_empty() {
                return Err(fail(format!(
                    "{} has no order events that could introduce an order; the target needs a set-up",
                    self.provider.name()
                )));
            }
            let subscribed: Vec<_> =
                messages.into_iter().filter(|message| self.capabilities().is_subscribed(&message.facts.kind)).collect();
            if subscribed.is_empty() {
                let what = "the target subscribes to no event that introduces an order; it needs a set-up";
                return Err(fail(what.to_owned()));
            }
            for message in subscribed {
                let delivery = Delivery::plain(message.facts, Body::new(message.body));
                let status = self.send(&delivery, outcome)?;
                if !(200..300).contains(&status) {
                    return Err(fail(format!(
                        "`{}`, which introduces order {}, was answered {status}",
                        delivery.event.kind, order.order_id
                    )));
                }
            }
        }
        Ok(())
    }

    fn act<'c>(&mut self, index: usize, act: &'c Act, run: &mut CaseRun<'c>, outcome: &mut Outcome) -> Result<(), Stop> {
        match act {
            Act::Deliver(delivery) => self.deliver(index, delivery, run, outcome).map_err(|stop| at(stop, Some(index))),
            Act::Together(deliveries) => self.deliver_together(index, deliveries, run, outcome).map_err(|stop| at(stop, Some(index))),
            Act::Initiate(own) => {
                let target = &mut self.target;
                guarded("initiate", || target.initiate(own)).map_err(|error| at(blame(error), Some(index)))
            }
            Act::Restart => self.restart().map_err(|error| at(blame(not_back(error)), Some(index))),
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
        outcome.sent.push(Sent { entry: index, answers: Vec::with_capacity(1) });
        let Some(status) = self.send_once(delivery, outcome)? else {
            // Not known to have arrived: it is sent again, and until then nothing is judged.
            if delivery.effect == Effect::Accept {
                run.unanswered.push(Unanswered { sent: outcome.sent.len() - 1, delivery, failure: never_acknowledged(delivery) });
            }
            return Ok(());
        };
        let sent = outcome.sent.len() - 1;
        self.insist(sent, delivery, status, run, outcome)
    }

    /// Takes note of an answer; what must be acknowledged and was not is sent again.
    fn insist<'c>(
        &mut self,
        sent: usize,
        delivery: &'c Delivery,
        first: u16,
        run: &mut CaseRun<'c>,
        outcome: &mut Outcome,
    ) -> Result<(), Stop> {
        let redeliveries = if delivery.effect.must_be_acknowledged() { REDELIVERIES } else { 0 };
        outcome.sent[sent].answers.push(first);
        let mut failure = judge_answer(delivery, first, run.rules);
        for _ in 0..redeliveries {
            if failure.is_none() {
                break;
            }
            let status = self.send(delivery, outcome)?;
            outcome.sent[sent].answers.push(status);
            failure = judge_answer(delivery, status, run.rules);
        }
        match failure {
            None => {
                run.acknowledged(delivery);
                Ok(())
            }
            // It may be that the target takes it later, when it has seen others; the provider tries again for days.
            Some(failure) if delivery.effect == Effect::Accept => {
                run.unanswered.push(Unanswered { sent, delivery, failure });
                Ok(())
            }
            Some(_) if self.conditions.lenient => Ok(()),
            Some(failure) => Err(failure.into()),
        }
    }

    fn deliver_together<'c>(
        &mut self,
        index: usize,
        deliveries: &'c [Delivery],
        run: &mut CaseRun<'c>,
        outcome: &mut Outcome,
    ) -> Result<(), Stop> {
        let at_once = usize::try_from(self.capabilities().concurrency).unwrap_or(usize::MAX).max(1);
        if at_once == 1 {
            return deliveries.iter().try_for_each(|delivery| self.deliver(index, delivery, run, outcome));
        }
        if let Some(before) = &mut self.before {
            deliveries.iter().for_each(|delivery| before(index, delivery));
        }
        for group in deliveries.chunks(at_once) {
            let headers: Vec<Headers> = group.iter().map(|delivery| self.headers(delivery)).collect();
            let requests: Vec<Request<'_>> =
                group.iter().zip(&headers).map(|(delivery, headers)| Request { headers, body: delivery.body.bytes() }).collect();
            outcome.deliveries += requests.len() as u64;
            let target = &mut self.target;
            let answers = guarded("deliver", || Ok(target.deliver_together(&requests))).map_err(blame)?;
            if answers.len() != group.len() {
                let what = format!("{} deliveries at the same time got {} answers", group.len(), answers.len());
                return Err(Stop::Error(TargetError::new("deliver", TargetErrorKind::Nonsense(what))));
            }
            let first = outcome.sent.len();
            outcome.sent.extend(group.iter().map(|_| Sent { entry: index, answers: Vec::with_capacity(1) }));
            for (number, (delivery, answer)) in group.iter().zip(answers).enumerate() {
                let status = answer.map_err(blame)?;
                self.insist(first + number, delivery, status, run, outcome)?;
            }
        }
        Ok(())
    }

    /// Sends a delivery with what befalls it on the way; `None` where no answer was to be had.
    fn send_once(&mut self, delivery: &Delivery, outcome: &mut Outcome) -> Result<Option<u16>, Stop> {
        let Some(mishap) = delivery.mishap else { return self.send(delivery, outcome).map(Some) };
        outcome.deliveries += 1;
        let headers = self.headers(delivery);
        let request = Request { headers: &headers, body: delivery.body.bytes() };
        let target = &mut self.target;
        let result = guarded("deliver", || target.deliver_badly(&request, mishap));
        if matches!(mishap, Mishap::Killed { .. }) {
            result.and_then(|_| self.hello()).map_err(|error| blame(not_back(error)))?;
            return Ok(None);
        }
        result.map_err(blame)
    }

    fn redeliver(&mut self, run: &mut CaseRun<'_>, outcome: &mut Outcome) -> Result<(), Stop> {
        while !run.unanswered.is_empty() {
            let before = run.unanswered.len();
            let mut still = Vec::new();
            for Unanswered { sent, delivery, .. } in std::mem::take(&mut run.unanswered) {
                let entry = outcome.sent[sent].entry;
                let status = self.send(delivery, outcome).map_err(|stop| at(stop, Some(entry)))?;
                outcome.sent[sent].answers.push(status);
                if let Some(failure) = judge_answer(delivery, status, run.rules) {
                    still.push(Unanswered { sent, delivery, failure });
                }
            }
            run.unanswered = still;
            if run.unanswered.len() == before {
                if self.conditions.lenient {
                    return Ok(());
                }
                let Unanswered { sent, failure, .. } = run.unanswered.swap_remove(0);
                return Err(at(failure.into(), Some(outcome.sent[sent].entry)));
            }
        }
        Ok(())
    }

    fn send(&mut self, delivery: &Delivery, outcome: &mut Outcome) -> Result<u16, Stop> {
        outcome.deliveries += 1;
        let headers = self.headers(delivery);
        let request = Request { headers: &headers, body: delivery.body.bytes() };
        let started = self.clock.monotonic();
        let target = &mut self.target;
        let status = guarded("deliver", || target.deliver(&request)).map_err(blame)?;
        let took = self.clock.monotonic().saturating_sub(started);
        match self.conditions.answer_limit {
            Some(limit) if took > limit => Err(blame(TargetError::new("deliver", TargetErrorKind::TimedOut(limit)))),
            _ => Ok(status),
        }
    }

    /// The headers of a delivery with a signature that is made now.
    fn headers(&self, delivery: &Delivery) -> Headers {
        let plain = delivery.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        plain.chain(self.signature(delivery)).collect()
    }

    fn signature(&self, delivery: &Delivery) -> Headers {
        const HOUR: u64 = 3600;
        let Some(secret) = self.conditions.secrets.current.as_deref() else { return Vec::new() };
        let (provider, now, body) = (self.provider, self.clock.unix_seconds(), delivery.body.bytes());
        let mut headers = match &delivery.signature {
            Signature::Absent => return Vec::new(),
            Signature::Valid | Signature::Truncated => provider.sign(&[secret], now, body),
            Signature::With(other) => provider.sign(&[other], now, body),
            Signature::OtherSecret(how) => provider.sign(&[&how.of(secret)], now, body),
            Signature::Stale => provider.sign(&[secret], now.saturating_sub(HOUR), body),
            Signature::Rotated { known_first } => {
                let unknown = OtherSecret::OneCharacterOff.of(secret);
                let secrets = if *known_first { [secret, &unknown] } else { [&unknown, secret] };
                provider.sign(&secrets, now, body)
            }
            Signature::Over(other) => provider.sign(&[secret], now, other.as_bytes()),
        };
        for (name, value) in &mut headers {
            if delivery.signature == Signature::Truncated {
                value.truncate(value.len().saturating_sub(9));
            }
            if let Some(other) = &self.conditions.signature_header {
                name.clone_from(other);
            }
        }
        headers
    }

    fn check_states(&mut self, expectations: &[Expectation], rules: Rules, sight: &Sight) -> Result<Vec<Option<OrderState>>, Stop> {
        expectations.iter().map(|expected| self.check_state(&rules.judged(expected), &[], sight)).collect()
    }

    fn check_end(&mut self, case: &Case, rules: Rules, sight: &Sight, outcome: &Outcome) -> Result<Vec<Option<OrderState>>, Stop> {
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
                            let target = &mut self.target;
                            return guarded("observe", || target.observe(&expected.order_id)).map_err(blame);
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
        let target = &mut self.target;
        let state = guarded("observe", || target.observe(&expected.order_id)).map_err(blame)?;
        let failure = judge_state(expected, state.as_ref(), sight);
        let failure = failure.filter(|_| or.iter().all(|other| judge_state(other, state.as_ref(), sight).is_some()));
        Ok(failure.map_or(Ok(state), |failure| Err(Box::new(failure))))
    }

    /// What the target wrote to its standard error since it was last asked, with the ids of the case that was finished last.
    pub fn complaints(&mut self) -> String {
        let text = self.target.complaints();
        if let Some(aliases) = &self.aliases { aliases.text_back(&text) } else { text }
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

/// Why a target with these capabilities cannot be judged with this provider's events, if it cannot.
pub fn hears_nothing(provider: &dyn Provider, capabilities: &Capabilities) -> Option<String> {
    let hears_something = provider.corpus().catalogue.iter().any(|event| capabilities.is_subscribed(&event.kind));
    (!hears_something)
        .then(|| format!("field `capabilities.subscribes`: fits no event type of {}, so nothing can be judged", provider.name()))
}

/// Whether some doubtful delivery about an order may have been taken: it was not refused, or was under way with others.
fn took_doubtful(case: &Case, order_id: &str, outcome: &Outcome) -> bool {
    let is_doubtful = |delivery: &Delivery| delivery.effect == Effect::Tolerate && delivery.event.order_id.as_deref() == Some(order_id);
    let was_refused = |sent: &Sent| sent.answers.last().is_some_and(|status| *status >= 400);
    outcome.sent.iter().any(|sent| {
        case.entries.get(sent.entry).is_some_and(|entry| match &entry.act {
            Act::Deliver(delivery) => is_doubtful(delivery) && !was_refused(sent),
            Act::Together(deliveries) => deliveries.iter().any(is_doubtful),
            Act::Initiate(_) | Act::Restart => false,
        })
    })
}

/// What an order may show at the end instead, if a doubtful delivery about it was not refused.
fn alternatives<'c>(case: &'c Case, expected: &Expectation, outcome: &Outcome) -> Vec<&'c Expectation> {
    let applied = case.expect_if_applied.iter().filter(|other| other.order_id == expected.order_id);
    if took_doubtful(case, &expected.order_id, outcome) { applied.collect() } else { Vec::new() }
}

/// Header names in lower case, and their values.
type Headers = Vec<(String, String)>;

struct CaseRun<'c> {
    rules: Rules,
    unanswered: Vec<Unanswered<'c>>,
}

/// A valid delivery that has not been acknowledged yet.
struct Unanswered<'c> {
    /// Which of the outcome's.
    sent: usize,
    delivery: &'c Delivery,
    failure: Failure,
}

impl CaseRun<'_> {
    /// Nothing more is owed of an event that was acknowledged, however often it had to be sent.
    fn acknowledged(&mut self, delivery: &Delivery) {
        if delivery.effect == Effect::Accept {
            self.unanswered.retain(|other| other.delivery.event.id != delivery.event.id);
        }
    }
}

fn never_acknowledged(delivery: &Delivery) -> Failure {
    let message = format!("`{}` was never acknowledged", delivery.event.kind);
    let diff = "-answer 2xx\n+no answer\n".to_owned();
    Failure { kind: FailureKind::Answer, entry: None, message, expected: "2xx".to_owned(), observed: "no answer".to_owned(), diff }
}

/// A durable target that cannot come up on its own state is no adapter's fault.
fn not_back(error: TargetError) -> TargetError {
    match error.kind {
        TargetErrorKind::NotStarted(why) => {
            TargetError::new("restart", TargetErrorKind::Crashed(format!("did not come back after it was killed: {why}")))
        }
        _ => error,
    }
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
