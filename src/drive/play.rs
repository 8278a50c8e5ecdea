//! A case from its beginning to its end.

use std::{borrow::Cow, collections::BTreeSet, time::Duration};

use super::{
    Driver,
    deliver::CaseRun,
    guard::{Stop, at, blame, not_back},
    ids::Aliases,
    look::alternatives,
    near,
};
use crate::{
    adapter::{TargetError, TargetErrorKind},
    case::{Act, Body, Case, Delivery, OrderSetup},
    check::{Failure, FailureKind, Rules, snapshot::Sightings},
    double::{Calls, Ticket},
    model::{Expectation, Sight},
};

/// A case that was played to its end. An asynchronous target is looked at once more when it has been quiet for a while:
/// what it applies twice, it may apply late.
pub struct Played {
    name: String,
    outcome: Outcome,
    aliases: Option<Aliases>,
    ended: Duration,
    /// What must still be shown, and what may be shown instead.
    owed: Vec<(Expectation, Vec<Expectation>)>,
    /// Its objects in the provider's API.
    ticket: Option<Ticket>,
}

impl Played {
    /// What came of it so far.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Lets the last look be, because the target was started anew and has perhaps forgotten the case.
    pub(crate) fn forgo(&mut self) {
        self.owed.clear();
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
    /// How many valid events were answered with an error first and acknowledged when they were sent again.
    pub refused_first: u64,
    /// Types of events to which there was no answer in time, so that they were sent again.
    pub silent: BTreeSet<String>,
    /// What was sent, and what was answered.
    pub sent: Vec<Sent>,
    /// What was seen.
    pub seen: Sightings,
    /// What is wrong with the target.
    pub failure: Option<Failure>,
    /// Why it could not be judged.
    pub error: Option<TargetError>,
    /// What the target called of the provider's API.
    pub calls: Calls,
}

impl Outcome {
    pub(super) fn stop(&mut self, stop: Stop) {
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

    /// Whether the target did not answer in time.
    pub fn has_hung(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Timeout)
    }

    /// Whether the target can still be asked: it neither crashed nor hung, and its adapter works.
    pub fn is_still_there(&self) -> bool {
        let gone = |failure: &Failure| matches!(failure.kind, FailureKind::Crash | FailureKind::Timeout);
        self.error.is_none() && !self.failure.as_ref().is_some_and(gone)
    }

    /// Whether it would hear that the case is over.
    fn still_listens(&self) -> bool {
        let says_no = |error: &TargetError| {
            matches!(error.kind, TargetErrorKind::Declined(_) | TargetErrorKind::Refused(_) | TargetErrorKind::Unsupported)
        };
        self.error.as_ref().map_or(self.is_still_there(), says_no)
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
    /// Whether it may be answered in any way.
    pub free: bool,
}

impl Driver<'_> {
    /// Runs a case to its last delivery or to the first thing that is wrong. [`Driver::finish`] must follow; other cases
    /// may be played before it.
    pub fn play(&mut self, name: &str, case: &Case, rules: Rules) -> Played {
        if case.kills()
            && let Err(error) = self.forget_the_time()
        {
            self.crashed = Some(error);
        }
        let sight = self.capabilities().sight();
        let timely = near::timely(case, self.provider, self.now());
        let (sent, aliases) = match self.conditions.salt {
            Some(salt) => {
                let (sent, aliases) = Aliases::of(&timely, salt);
                (Cow::Owned(sent), Some(aliases))
            }
            None => (timely, None),
        };
        let ticket = self.begin_api(&sent);
        let mut played =
            Played { name: name.to_owned(), outcome: Outcome::default(), aliases, ended: Duration::ZERO, owed: Vec::new(), ticket };
        let result = match self.crashed.take() {
            Some(error) => Err(blame(error)),
            None => self.carry_out(name, &sent, rules, &sight, &mut played),
        };
        match result {
            Ok(()) => played.owed = self.owed(&sent, rules, &played.outcome),
            Err(stop) => played.outcome.stop(stop),
        }
        played.ended = self.clock.monotonic();
        played
    }

    /// Looks at an asynchronous target once more when the quiet time is over, and ends the case.
    pub fn finish(&mut self, played: Played) -> Outcome {
        let Played { name, mut outcome, aliases, ended, owed, ticket } = played;
        if !outcome.has_stopped() {
            let result = self.look_again(ended, &owed).and_then(|()| self.end(&name).map_err(|error| at(blame(error), None)));
            if let Err(stop) = result {
                outcome.stop(stop);
            }
        } else if outcome.still_listens() {
            // It has failed already; one that does not take this either is started again.
            self.is_spent |= self.end(&name).is_err();
        }
        self.is_spent |= !outcome.is_still_there();
        outcome.calls = self.end_api(ticket);
        if let Some(aliases) = aliases {
            outcome.back(&aliases);
            self.aliases = Some(aliases);
        }
        outcome
    }

    fn end(&mut self, name: &str) -> Result<(), TargetError> {
        self.call("end", |target| target.end(name))
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

    fn carry_out(&mut self, name: &str, case: &Case, rules: Rules, sight: &Sight, played: &mut Played) -> Result<(), Stop> {
        let Played { outcome, ticket, .. } = played;
        let ticket = ticket.as_ref();
        let patience = rules.answer_within.unwrap_or_default();
        self.call("begin", |target| {
            target.wait_at_least(patience);
            Ok(())
        })
        .map_err(blame)?;
        let unknown: Vec<&str> = case.known_later().collect();
        if unknown.is_empty() {
            self.begin(name, &case.orders, outcome)?;
        } else {
            let known: Vec<OrderSetup> = case.orders.iter().filter(|order| !unknown.contains(&order.order_id.as_str())).cloned().collect();
            if !known.is_empty() {
                self.begin(name, &known, outcome)?;
            }
        }
        let mut run = CaseRun { rules, unanswered: Vec::new(), ticket, name, case, unknown, too_early: Vec::new() };
        for (index, entry) in case.entries.iter().enumerate() {
            self.act(index, &entry.act, &mut run, outcome)?;
            self.check_calls(ticket).map_err(|stop| at(stop, Some(index)))?;
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

    fn begin(&mut self, name: &str, orders: &[OrderSetup], outcome: &mut Outcome) -> Result<(), Stop> {
        let begun = self.call("begin", |target| {
            target.begin(name, orders)?;
            Ok(target.learns_of_orders_from_events())
        });
        match begun {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            // A panic can only be the target's; an adapter that does not get this far is another matter.
            Err(error) if self.has_panicked => return Err(blame(error)),
            Err(error) => return Err(Stop::Error(error)),
        }
        let fail = |why: String| Stop::Error(TargetError::new("begin", TargetErrorKind::Refused(why)));
        for order in orders {
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
                let status = self.send(&delivery, Rules::default(), outcome)?;
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

    /// An order becomes known of which events have come: those that were refused are sent again now, as the provider would
    /// soon. Those that were acknowledged are not.
    fn begin_later(&mut self, order_id: &str, run: &mut CaseRun<'_>, outcome: &mut Outcome) -> Result<(), Stop> {
        if let Some(order) = run.case.orders.iter().find(|order| order.order_id == order_id) {
            self.begin(run.name, std::slice::from_ref(order), outcome)?;
        }
        run.unknown.retain(|unknown| *unknown != order_id);
        self.send_again_about(order_id, run, outcome)
    }

    fn act<'c>(&mut self, index: usize, act: &'c Act, run: &mut CaseRun<'c>, outcome: &mut Outcome) -> Result<(), Stop> {
        match act {
            Act::Deliver(delivery) => self.deliver(index, delivery, run, outcome).map_err(|stop| at(stop, Some(index))),
            Act::Together(deliveries) => self.deliver_together(index, deliveries, run, outcome).map_err(|stop| at(stop, Some(index))),
            Act::Initiate(own) => self.initiate(own, run.ticket).map_err(|stop| at(stop, Some(index))),
            Act::Meanwhile(own, deliveries) => {
                self.initiate_amid(index, own, deliveries, run, outcome).map_err(|stop| at(stop, Some(index)))
            }
            Act::Restart => self.restart().map_err(|error| at(blame(not_back(error)), Some(index))),
            Act::Begin(order_id) => self.begin_later(order_id, run, outcome).map_err(|stop| at(stop, Some(index))),
            Act::Advance(seconds) => self.advance(*seconds).map_err(|error| at(blame(error), Some(index))),
        }
    }
}
