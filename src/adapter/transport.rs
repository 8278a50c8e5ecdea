//! What the driver asks of a target beyond what an integrator writes: bad connections, deliveries at the same time, and
//! what a person wants to read when something fails.
//!
//! A transport of this crate implements [`Transport`]; every other [`Target`] gets it through [`Link`], which does what can
//! be done with the integrator's operations alone. Nobody outside implements it: it changes whenever the driver needs more.

use std::{
    ops,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    time::Duration,
};

use super::{Api, Growth, Hello, Introduction, Request, Target, TargetError};
use crate::case::{Mishap, OwnRefund};

/// How long the request for a refund is waited for, before it is looked whether there will be one.
pub(super) const WAIT_FOR_REQUEST: Duration = Duration::from_millis(20);

/// Keeps [`Transport`] to this crate and its tests.
#[doc(hidden)]
pub trait Sealed {}

/// A target that is more than the integrator's operations.
pub trait Transport: Target + Sealed {
    /// The provider's API without a network, for a consumer of this crate.
    fn given_api(&mut self, api: &Arc<dyn Api>) {
        let _ = api;
    }

    /// How long the answers to the deliveries from now on are waited for at least, before a call gives up with
    /// [`TargetErrorKind::TimedOut`](super::TargetErrorKind::TimedOut). How long they take is measured by the caller;
    /// whoever never gives up need not care.
    fn wait_at_least(&mut self, patience: Duration) {
        let _ = patience;
    }

    /// Several deliveries under way at the same time. One after the other where the target has no better way.
    fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
        one_by_one(self, requests)
    }

    /// One delivery that something befalls on the way; `None` where no answer is to be had. Whether the event was taken in
    /// is not known then, and it will be sent again. After a [mishap that kills](Mishap::kills) the target has been started again,
    /// and `hello` is said again by the caller. Without a network only the kill can be real.
    ///
    /// # Errors
    /// When the target crashes by itself or does not answer in time, or the adapter cannot do it.
    fn deliver_badly(&mut self, request: &Request<'_>, mishap: Mishap) -> Result<Option<u16>, TargetError> {
        without_network(self, request, mishap)
    }

    /// The shop makes a refund through the provider's API, and deliveries that arrive before that has answered. One after
    /// the other where there is only one way to the target.
    fn initiate_amid(&mut self, own: &OwnRefund, requests: &[Request<'_>], amid: &dyn Amid) -> Amidst {
        let Some(mut other) = self.beside() else { return one_before_the_others(self, own, requests, amid) };
        std::thread::scope(|scope| {
            // A panic in it is the caller's to catch, as in every other call.
            let request = scope.spawn(move || catch_unwind(AssertUnwindSafe(|| other.initiate(own))));
            // A target that fails before it asks the provider need not be waited for.
            while !amid.wait(WAIT_FOR_REQUEST) && !request.is_finished() {}
            let answers = self.deliver_together(requests);
            amid.go_on();
            let made = request.join().and_then(|made| made).unwrap_or_else(|panic| resume_unwind(panic));
            (made, answers)
        })
    }

    /// Another way to the same target, for a case that is under way at the same time. What it does to the target, a restart for
    /// one, it does to all who speak to it; to let go of it ends nothing. Nothing where there is only one way.
    fn beside(&mut self) -> Option<Box<dyn Target>> {
        None
    }

    /// Whether nothing but the provider's own order events can tell it of orders, so that `begin` tells it nothing.
    fn learns_of_orders_from_events(&self) -> bool {
        false
    }

    /// How its own JSON of an order was read last, a line for each member; empty where it shows the contract's.
    fn readings(&mut self, order_id: &str) -> Vec<String> {
        let _ = order_id;
        Vec::new()
    }

    /// Where it is reached by hand, for a target that is a service.
    fn endpoints(&self) -> Option<Endpoints> {
        None
    }

    /// The most that one of its processes grew from one case to another, where there are any of ours.
    fn growth(&self) -> Option<Growth> {
        None
    }

    /// What the target wrote to its standard error since it was last asked, shortened.
    fn complaints(&mut self) -> String {
        String::new()
    }
}

/// The provider's API, which holds the answer to the shop's own request back.
pub trait Amid: Sync {
    /// Waits until the request is there, but not for long; whether it is.
    fn wait(&self, limit: Duration) -> bool;

    /// The deliveries have been answered: the request may be, too.
    fn go_on(&self);
}

/// What became of a refund that the shop was asked to make, and the answers to the deliveries that came meanwhile.
pub type Amidst = (Result<(), TargetError>, Vec<Result<u16, TargetError>>);

/// Where a service is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The command that starts it, where the harness does that.
    pub start: Option<Vec<String>>,
    /// Where deliveries are posted.
    pub webhook: String,
    /// Where an order is shown; `{orderId}` stands for its id.
    pub state: String,
    /// Where it is told of orders, if by a request.
    pub setup: Option<String>,
    /// The names of the headers that every request but a delivery carries.
    pub headers: Vec<String>,
}

/// Any target, as the driver holds it: its own operations by dereferencing, those of [`Transport`] by methods of the same names.
pub struct Link(Box<dyn Target>);

impl Link {
    /// The way to this target.
    pub fn new(target: Box<dyn Target>) -> Link {
        Link(target)
    }

    /// As [`Target::hello`]. Whoever is called with `&mut self` takes one delivery at a time, whatever it claims, and nothing
    /// can be found out about more: so the claim counts as one.
    ///
    /// # Errors
    /// The same.
    pub fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        let mut introduction = self.0.hello(hello)?;
        if self.0.as_transport().is_none() {
            introduction.capabilities.concurrency = introduction.capabilities.concurrency.min(1);
        }
        Ok(introduction)
    }

    /// As [`Transport::given_api`].
    pub fn given_api(&mut self, api: &Arc<dyn Api>) {
        if let Some(transport) = self.0.as_transport() {
            transport.given_api(api);
        }
    }

    /// As [`Transport::wait_at_least`].
    pub fn wait_at_least(&mut self, patience: Duration) {
        if let Some(transport) = self.0.as_transport() {
            transport.wait_at_least(patience);
        }
    }

    /// As [`Transport::deliver_together`].
    pub fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
        match self.0.as_transport() {
            Some(transport) => transport.deliver_together(requests),
            None => one_by_one(self.0.as_mut(), requests),
        }
    }

    /// As [`Transport::deliver_badly`].
    ///
    /// # Errors
    /// The same.
    pub fn deliver_badly(&mut self, request: &Request<'_>, mishap: Mishap) -> Result<Option<u16>, TargetError> {
        match self.0.as_transport() {
            Some(transport) => transport.deliver_badly(request, mishap),
            None => without_network(self.0.as_mut(), request, mishap),
        }
    }

    /// As [`Transport::initiate_amid`].
    pub fn initiate_amid(&mut self, own: &OwnRefund, requests: &[Request<'_>], amid: &dyn Amid) -> Amidst {
        match self.0.as_transport() {
            Some(transport) => transport.initiate_amid(own, requests, amid),
            None => one_before_the_others(self.0.as_mut(), own, requests, amid),
        }
    }

    /// As [`Transport::beside`].
    pub fn beside(&mut self) -> Option<Link> {
        self.0.as_transport().and_then(|transport| transport.beside()).map(Link::new)
    }

    /// As [`Transport::learns_of_orders_from_events`].
    pub fn learns_of_orders_from_events(&mut self) -> bool {
        self.0.as_transport().is_some_and(|transport| transport.learns_of_orders_from_events())
    }

    /// As [`Transport::readings`].
    pub fn readings(&mut self, order_id: &str) -> Vec<String> {
        self.0.as_transport().map(|transport| transport.readings(order_id)).unwrap_or_default()
    }

    /// As [`Transport::endpoints`].
    pub fn endpoints(&mut self) -> Option<Endpoints> {
        self.0.as_transport().and_then(|transport| transport.endpoints())
    }

    /// As [`Transport::growth`].
    pub fn growth(&mut self) -> Option<Growth> {
        self.0.as_transport().and_then(|transport| transport.growth())
    }

    /// As [`Transport::complaints`].
    pub fn complaints(&mut self) -> String {
        self.0.as_transport().map(|transport| transport.complaints()).unwrap_or_default()
    }
}

impl ops::Deref for Link {
    type Target = dyn Target;

    fn deref(&self) -> &(dyn Target + 'static) {
        self.0.as_ref()
    }
}

impl ops::DerefMut for Link {
    fn deref_mut(&mut self) -> &mut (dyn Target + 'static) {
        self.0.as_mut()
    }
}

fn one_by_one<T: Target + ?Sized>(target: &mut T, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
    requests.iter().map(|request| target.deliver(request)).collect()
}

fn one_before_the_others<T: Target + ?Sized>(target: &mut T, own: &OwnRefund, requests: &[Request<'_>], amid: &dyn Amid) -> Amidst {
    amid.go_on();
    let made = target.initiate(own);
    (made, one_by_one(target, requests))
}

/// What can be done without a network.
pub(crate) fn without_network<T: Target + ?Sized>(
    target: &mut T,
    request: &Request<'_>,
    mishap: Mishap,
) -> Result<Option<u16>, TargetError> {
    match mishap {
        Mishap::HalfSent => Ok(None),
        // As over a network: it is known only that the event was delivered, and it is sent again.
        Mishap::AnswerUnread | Mishap::Reset => target.deliver(request).map(|_| None),
        Mishap::SlowReading | Mishap::StandsStill { .. } => target.deliver(request).map(Some),
        Mishap::Killed { .. } => {
            target.deliver(request)?;
            target.restart().map(|()| None)
        }
        Mishap::DiskFull => {
            let status = target.deliver(request)?;
            target.restart().map(|()| Some(status))
        }
    }
}
