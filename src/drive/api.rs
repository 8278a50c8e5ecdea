//! A case beside the provider's API: what it shows moves on with the deliveries, and the shop makes refunds through it.

use std::{sync::Arc, time::Duration};

use super::{
    Driver,
    deliver::CaseRun,
    guard::{Stop, blame},
    play::Outcome,
    sign::Sealed,
};
use crate::{
    adapter::{Amid, Request, TargetError, TargetErrorKind},
    case::{Case, Delivery, OwnRefund, OwnRefundDetails},
    check::{Failure, FailureKind},
    double::{Calls, Double, Ticket},
};

/// How many calls of a target that handles events later fail; as many as the libraries of providers try.
const FAILING_CALLS: u32 = 3;

impl Driver<'_> {
    pub(super) fn begin_api(&self, case: &Case) -> Option<Ticket> {
        let double = self.double.as_ref().filter(|_| self.capabilities().calls_back && !case.api.is_empty())?;
        Some(double.begin(case))
    }

    pub(super) fn end_api(&self, ticket: Option<Ticket>) -> Calls {
        let ended = ticket.and_then(|ticket| self.double.as_ref().map(|double| double.end(ticket)));
        ended.unwrap_or_default()
    }

    fn api<'t>(&self, ticket: Option<&'t Ticket>) -> Option<(Arc<Double>, &'t Ticket)> {
        ticket.and_then(|ticket| self.double.clone().map(|double| (double, ticket)))
    }

    /// What a delivery tells has happened when it is sent.
    pub(super) fn before_delivery(&self, delivery: &Delivery, ticket: Option<&Ticket>) {
        let Some((double, ticket)) = self.api(ticket) else { return };
        double.advance(ticket, ticket.moment_of(&delivery.event));
        if let (Some(fault), Some(order)) = (delivery.api, &delivery.event.order_id) {
            double.fail(order, fault, if self.capabilities().asynchronous { FAILING_CALLS } else { u32::MAX });
        }
    }

    /// What went wrong with the API is over when the delivery has been handled.
    pub(super) fn after_delivery(&self, delivery: &Delivery, ticket: Option<&Ticket>) {
        let Some((double, _)) = self.api(ticket) else { return };
        if let (Some(_), Some(order), false) = (delivery.api, &delivery.event.order_id, self.capabilities().asynchronous) {
            double.mend(order);
        }
    }

    /// Nothing may be asked of the provider that the shop was not asked for.
    pub(super) fn check_calls(&self, ticket: Option<&Ticket>) -> Result<(), Stop> {
        let Some((double, ticket)) = self.api(ticket) else { return Ok(()) };
        match double.wrong(ticket) {
            Some(message) if !self.conditions.lenient => Err(wrong_call(message).into()),
            _ => Ok(()),
        }
    }

    /// The shop makes a refund itself: it did, and is told its id, or it does, through the provider's API.
    pub(super) fn initiate(&mut self, own: &OwnRefund, ticket: Option<&Ticket>) -> Result<(), Stop> {
        let Some((double, _)) = self.api(ticket) else {
            return self.call("initiate", |target| target.initiate(own)).map_err(blame);
        };
        double.expect(own, false);
        let made = self.call("initiate", |target| target.initiate(&without_id(own)));
        unless_lost(own, made)?;
        self.until_made(&double, own)
    }

    /// The same, and the provider answers when these deliveries have been answered.
    pub(super) fn initiate_amid<'c>(
        &mut self,
        index: usize,
        own: &OwnRefund,
        deliveries: &'c [Delivery],
        run: &mut CaseRun<'c>,
        outcome: &mut Outcome,
    ) -> Result<(), Stop> {
        let at_once = usize::try_from(self.capabilities().concurrency).unwrap_or(usize::MAX);
        let api = self.api(run.ticket).filter(|_| at_once > 1);
        let Some((double, _)) = api else {
            self.initiate(own, run.ticket)?;
            return deliveries.iter().try_for_each(|delivery| self.deliver(index, delivery, run, outcome));
        };
        if let Some(before) = &mut self.before {
            deliveries.iter().for_each(|delivery| before(index, delivery));
        }
        // One of those that it takes at the same time is the shop's own request.
        let (first, rest) = deliveries.split_at(deliveries.len().min(at_once - 1));
        double.expect(own, true);
        let sealed: Vec<Sealed<'_>> = first.iter().map(|delivery| self.sealed(delivery)).collect();
        let requests: Vec<Request<'_>> = sealed.iter().map(Sealed::request).collect();
        first.iter().for_each(|delivery| self.before_delivery(delivery, run.ticket));
        let amid = HeldBack { double: &double, order_id: &own.order_id };
        let started = self.clock.monotonic();
        let (made, answers) =
            self.call("initiate", |target| Ok(target.initiate_amid(&without_id(own), &requests, &amid))).map_err(blame)?;
        let took = self.since(started);
        double.release(&own.order_id);
        unless_lost(own, made)?;
        self.answered_together(index, first, answers, took, run, outcome)?;
        self.until_made(&double, own)?;
        rest.iter().try_for_each(|delivery| self.deliver(index, delivery, run, outcome))
    }

    /// The refund must have been asked for; a target that handles things later has some time for it.
    fn until_made(&mut self, double: &Double, own: &OwnRefund) -> Result<(), Stop> {
        const PAUSE: Duration = Duration::from_millis(2);
        let started = self.clock.monotonic();
        while !double.was_made(own) {
            if !self.capabilities().asynchronous || self.since(started) >= self.conditions.settle {
                if self.conditions.lenient {
                    return Ok(());
                }
                let (amount, currency) = (own.refund.amount, &own.refund.currency);
                let message = format!(
                    "the shop was asked to refund {amount} {currency} of {}, and asked the provider for no such refund",
                    own.order_id
                );
                return Err(wrong_call(message).into());
            }
            self.clock.sleep(PAUSE);
        }
        Ok(())
    }
}

/// The provider's API, which holds the answer to the shop's own request back.
struct HeldBack<'a> {
    double: &'a Double,
    order_id: &'a str,
}

impl Amid for HeldBack<'_> {
    #[cfg(all(unix, feature = "http"))]
    fn wait(&self, limit: Duration) -> bool {
        self.double.wait_for_request(self.order_id, limit)
    }

    #[cfg(not(all(unix, feature = "http")))]
    fn wait(&self, _: Duration) -> bool {
        true
    }

    fn go_on(&self) {
        self.double.release(self.order_id);
    }
}

/// What a target is told that makes the refund itself.
fn without_id(own: &OwnRefund) -> OwnRefund {
    OwnRefund { refund: OwnRefundDetails { id: String::new(), ..own.refund.clone() }, answer_lost: false, ..own.clone() }
}

/// Whoever gets no answer and does not ask again may say so: the webhooks tell of the refund.
fn unless_lost(own: &OwnRefund, made: Result<(), TargetError>) -> Result<(), Stop> {
    match made {
        Err(TargetError { kind: TargetErrorKind::Declined(_) | TargetErrorKind::Refused(_), .. }) if own.answer_lost => Ok(()),
        made => made.map_err(blame),
    }
}

fn wrong_call(message: String) -> Failure {
    let expected = "the requests that the shop was asked for".to_owned();
    let diff = format!("-{expected}\n+{message}\n");
    Failure { kind: FailureKind::Answer, entry: None, observed: message.clone(), message, expected, diff }
}
