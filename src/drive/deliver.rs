//! One delivery, sent until it is answered as it must be.
//!
//! How long an answer took is judged by one requirement alone ([`Rules::answer_within`]). Everywhere else a delivery that got
//! no answer is sent again, as the provider would: a machine that stalls once says nothing of what the target does with refunds.

use std::time::Duration;

use super::{
    Driver,
    guard::{Stop, at, blame, not_back},
    play::{Outcome, Sent},
    sign::Sealed,
};
use crate::{
    adapter::{Request, TargetError, TargetErrorKind},
    case::{Case, Delivery, Effect},
    check::{Failure, FailureKind, Rules, judge_answer, refused_once},
    double::Ticket,
};

/// How often a delivery that was not answered, or a valid one that was not acknowledged, is sent again at once.
const REDELIVERIES: usize = 2;

/// What became of one attempt to deliver.
enum Attempt {
    Answered(u16),
    /// No answer came within this time.
    Unanswered(Duration),
}

impl Driver<'_> {
    pub(super) fn deliver<'c>(
        &mut self,
        index: usize,
        delivery: &'c Delivery,
        run: &mut CaseRun<'c>,
        outcome: &mut Outcome,
    ) -> Result<(), Stop> {
        if let Some(before) = &mut self.before {
            before(index, delivery);
        }
        let sent = outcome.sent.len();
        outcome.sent.push(sent_as(index, delivery));
        self.before_delivery(delivery, run.ticket);
        let first = self.send_first(delivery, run.rules, outcome);
        self.after_delivery(delivery, run.ticket);
        match first? {
            Some(status) => self.insist(sent, delivery, status, run, outcome),
            None => {
                // Not known to have arrived: it is sent again, and until then nothing is judged.
                if delivery.effect == Effect::Accept {
                    run.unanswered.push(Unanswered { sent, delivery, failure: never_acknowledged(delivery) });
                }
                Ok(())
            }
        }
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
        outcome.sent[sent].answers.push(first);
        let mut failure = judge_answer(delivery, first, run.rules);
        if failure.is_some() && delivery.effect.must_be_acknowledged() && run.is_too_early(delivery) {
            run.refused_too_early(sent, delivery, failure);
            return Ok(());
        }
        let redeliveries = if delivery.effect.must_be_acknowledged() { REDELIVERIES } else { 0 };
        let mut last = first;
        for _ in 0..redeliveries {
            if failure.is_none() {
                break;
            }
            self.judge_refusal(delivery, last)?;
            (last, failure) = self.send_again(sent, delivery, run.rules, outcome)?;
        }
        match failure {
            None => {
                run.acknowledged(delivery);
                self.taken(delivery, sent, run.rules, outcome)
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

    /// A valid event that is refused is lost where it is not sent again after this answer.
    fn judge_refusal(&self, delivery: &Delivery, status: u16) -> Result<(), Stop> {
        let is_lost = delivery.effect == Effect::Accept && !self.provider.sends_again_after(status);
        if is_lost && !self.conditions.lenient { Err(refused_once(delivery, status, false).into()) } else { Ok(()) }
    }

    /// A valid event was taken. If it was refused before, that is counted, and wrong where it should be acknowledged at once; one
    /// that is never taken is told of as that.
    fn taken(&self, delivery: &Delivery, sent: usize, rules: Rules, outcome: &mut Outcome) -> Result<(), Stop> {
        let [refused, _, ..] = outcome.sent[sent].answers[..] else { return Ok(()) };
        // Whoever signs for what changes nothing is sent that again too.
        if !delivery.effect.must_be_acknowledged() {
            return Ok(());
        }
        outcome.refused_first += 1;
        let is_wrong = delivery.effect == Effect::Accept && rules.at_once && !self.conditions.lenient;
        if is_wrong { Err(refused_once(delivery, refused, true).into()) } else { Ok(()) }
    }

    pub(super) fn deliver_together<'c>(
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
            let sealed: Vec<Sealed<'_>> = group.iter().map(|delivery| self.sealed(delivery)).collect();
            let requests: Vec<Request<'_>> = sealed.iter().map(Sealed::request).collect();
            group.iter().for_each(|delivery| self.before_delivery(delivery, run.ticket));
            let started = self.clock.monotonic();
            let answers = self.call("deliver", |target| Ok(target.deliver_together(&requests))).map_err(blame)?;
            // They left at the same time, so the slowest of them took as long as all of them.
            let took = self.since(started);
            self.answered_together(index, group, answers, took, run, outcome)?;
        }
        Ok(())
    }

    /// Takes note of the answers to deliveries that left at the same time.
    pub(super) fn answered_together<'c>(
        &mut self,
        index: usize,
        group: &'c [Delivery],
        answers: Vec<Result<u16, TargetError>>,
        took: Duration,
        run: &mut CaseRun<'c>,
        outcome: &mut Outcome,
    ) -> Result<(), Stop> {
        group.iter().for_each(|delivery| self.after_delivery(delivery, run.ticket));
        outcome.deliveries += group.len() as u64;
        if answers.len() != group.len() {
            let what = format!("{} deliveries at the same time got {} answers", group.len(), answers.len());
            return Err(Stop::Error(TargetError::new("deliver", TargetErrorKind::Nonsense(what))));
        }
        let first = outcome.sent.len();
        outcome.sent.extend(group.iter().map(|delivery| sent_as(index, delivery)));
        for (number, (delivery, answer)) in group.iter().zip(answers).enumerate() {
            let status = match attempted(answer, took, run.rules)? {
                Attempt::Answered(status) => status,
                Attempt::Unanswered(_) => {
                    outcome.silent.insert(delivery.event.kind.clone());
                    self.send(delivery, run.rules, outcome)?
                }
            };
            self.insist(first + number, delivery, status, run, outcome)?;
        }
        Ok(())
    }

    /// Sends a delivery for the first time, with what befalls it on the way; `None` where no answer was to be had.
    fn send_first(&mut self, delivery: &Delivery, rules: Rules, outcome: &mut Outcome) -> Result<Option<u16>, Stop> {
        let Some(mishap) = delivery.mishap else { return self.send(delivery, rules, outcome).map(Some) };
        outcome.deliveries += 1;
        let sealed = self.sealed(delivery);
        let request = sealed.request();
        let started = self.clock.monotonic();
        let result = self.call("deliver", |target| target.deliver_badly(&request, mishap));
        if mishap.kills() {
            let status = result.and_then(|status| self.hello().map(|_| status)).map_err(|error| blame(not_back(error)))?;
            // Nobody is to blame for an error in such a moment, and whoever acknowledges is believed.
            return Ok(status.filter(|status| (200..300).contains(status)));
        }
        let Some(answer) = result.transpose() else { return Ok(None) };
        match attempted(answer, self.since(started), rules)? {
            Attempt::Answered(status) => Ok(Some(status)),
            Attempt::Unanswered(_) => self.send(delivery, rules, outcome).map(Some),
        }
    }

    pub(super) fn redeliver(&mut self, run: &mut CaseRun<'_>, outcome: &mut Outcome) -> Result<(), Stop> {
        while !run.unanswered.is_empty() {
            let before = run.unanswered.len();
            let mut still = Vec::new();
            for Unanswered { sent, delivery, .. } in std::mem::take(&mut run.unanswered) {
                let entry = outcome.sent[sent].entry;
                let (_, failure) = self.send_again(sent, delivery, run.rules, outcome).map_err(|stop| at(stop, Some(entry)))?;
                match failure {
                    Some(failure) => still.push(Unanswered { sent, delivery, failure }),
                    None if run.too_early.contains(&sent) => {}
                    None => self.taken(delivery, sent, run.rules, outcome).map_err(|stop| at(stop, Some(entry)))?,
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

    /// Sends again what was refused about an order that was not known then.
    pub(super) fn send_again_about(&mut self, order_id: &str, run: &mut CaseRun<'_>, outcome: &mut Outcome) -> Result<(), Stop> {
        for Unanswered { sent, delivery, failure } in std::mem::take(&mut run.unanswered) {
            if delivery.event.order_id.as_deref() != Some(order_id) {
                run.unanswered.push(Unanswered { sent, delivery, failure });
                continue;
            }
            // As often as any other event that is refused.
            let mut failure = Some(failure);
            for _ in 0..=REDELIVERIES {
                (_, failure) = self.send_again(sent, delivery, run.rules, outcome)?;
                if failure.is_none() {
                    break;
                }
            }
            run.unanswered.extend(failure.map(|failure| Unanswered { sent, delivery, failure }));
        }
        Ok(())
    }

    /// Sends a delivery once more, and notes the answer; what it is, and what is wrong with it.
    fn send_again(
        &mut self,
        sent: usize,
        delivery: &Delivery,
        rules: Rules,
        outcome: &mut Outcome,
    ) -> Result<(u16, Option<Failure>), Stop> {
        let status = self.send(delivery, rules, outcome)?;
        outcome.sent[sent].answers.push(status);
        Ok((status, judge_answer(delivery, status, rules)))
    }

    /// Sends a delivery until there is an answer, each time signed anew. A target that never answers has failed.
    pub(super) fn send(&mut self, delivery: &Delivery, rules: Rules, outcome: &mut Outcome) -> Result<u16, Stop> {
        let mut limit = Duration::ZERO;
        for _ in 0..=REDELIVERIES {
            outcome.deliveries += 1;
            let sealed = self.sealed(delivery);
            let request = sealed.request();
            let started = self.clock.monotonic();
            let answer = self.call("deliver", |target| target.deliver(&request));
            match attempted(answer, self.since(started), rules)? {
                Attempt::Answered(status) => return Ok(status),
                Attempt::Unanswered(within) => {
                    outcome.silent.insert(delivery.event.kind.clone());
                    limit = within;
                }
            }
        }
        Err(blame(TargetError::new("deliver", TargetErrorKind::TimedOut(limit))))
    }

    pub(super) fn since(&self, started: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(started)
    }
}

/// An answer that took too long is a failure where that is judged; one that did not come at all is none yet elsewhere.
fn attempted(answer: Result<u16, TargetError>, took: Duration, rules: Rules) -> Result<Attempt, Stop> {
    let is_missing = answer.as_ref().is_err_and(|error| matches!(error.kind, TargetErrorKind::TimedOut(_)));
    if let Some(limit) = rules.answer_within
        && (answer.is_ok() && took > limit || is_missing && took >= limit)
    {
        return Err(blame(TargetError::new("deliver", TargetErrorKind::TimedOut(limit))));
    }
    match answer {
        Ok(status) => Ok(Attempt::Answered(status)),
        Err(TargetError { kind: TargetErrorKind::TimedOut(within), .. }) => Ok(Attempt::Unanswered(within)),
        Err(error) => Err(blame(error)),
    }
}

/// What is known of a case while it is played.
pub(super) struct CaseRun<'c> {
    pub(super) rules: Rules,
    pub(super) unanswered: Vec<Unanswered<'c>>,
    /// Its objects in the provider's API.
    pub(super) ticket: Option<&'c Ticket>,
    pub(super) name: &'c str,
    pub(super) case: &'c Case,
    /// The orders of which the target has not heard.
    pub(super) unknown: Vec<&'c str>,
    /// Which deliveries came before their order was known and were refused, for which nobody is to blame.
    pub(super) too_early: Vec<usize>,
}

/// A valid delivery that has not been acknowledged yet.
pub(super) struct Unanswered<'c> {
    /// Which of the outcome's.
    sent: usize,
    delivery: &'c Delivery,
    failure: Failure,
}

impl<'c> CaseRun<'c> {
    /// Whether the target has not heard of the order that a delivery is about.
    fn is_too_early(&self, delivery: &Delivery) -> bool {
        delivery.event.order_id.as_deref().is_some_and(|order| self.unknown.contains(&order))
    }

    /// What was refused because its order is not known is sent again when it is; what tells nothing need not be.
    fn refused_too_early(&mut self, sent: usize, delivery: &'c Delivery, failure: Option<Failure>) {
        if let Some(failure) = failure.filter(|_| delivery.effect == Effect::Accept) {
            self.too_early.push(sent);
            self.unanswered.push(Unanswered { sent, delivery, failure });
        }
    }

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

/// A delivery of an entry that nobody has answered yet.
fn sent_as(entry: usize, delivery: &Delivery) -> Sent {
    Sent { entry, answers: Vec::with_capacity(1), free: delivery.effect == Effect::Tolerate }
}
