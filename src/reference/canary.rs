//! Canaries: small wrong consumers that play a case beside the target.
//!
//! A check has shown something only if a wrong consumer would not have passed it. So each case is also played, in this
//! process, by consumers of which it is known that they are wrong: one that does nothing at all, and the reference with a
//! mistake that the requirement is about. They claim what the target claims, so that whatever a claim hides from the checks
//! is hidden of them too. What follows from that for a requirement is decided elsewhere.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{bank::Fault, fault::faults, shop::ReferenceShop};
use crate::{
    adapter::{Amid, Amidst, Api, Capabilities, Hello, Introduction, Request, Sealed, Target, TargetError, Transport},
    case::{Mishap, OrderSetup, OwnRefund},
    corpus::Corpus,
    domain::{Amount, Clock, OrderState, Status},
};

/// Mistakes that a requirement is about beside those that are aimed at it: each of these is caught first by another one,
/// and shows here as well.
const ALSO: &[(&str, &[Fault])] = &[
    // An answer that was lost and a body that broke off are two ways to be sent again.
    ("redelivery-after-failure", &[Fault::BooksRedeliveries]),
    // Whatever goes wrong when everything comes together.
    (
        "mixed-traffic",
        &[
            Fault::BooksRedeliveries,
            Fault::LatestEventWins,
            Fault::LatestPictureWins,
            Fault::PendingCounts,
            Fault::LastRefundOverwrites,
            Fault::IgnoresChargeEvents,
            Fault::MalformedAcknowledged,
        ],
    ),
    ("final-state-stays-final", &[Fault::LatestPictureWins]),
    ("out-of-order-deliveries", &[Fault::TotalReplaces]),
    // Whoever counts one fact by two of its events counts it twice.
    ("refund-counted-once", &[Fault::TotalOnTopOfRefunds]),
    ("doubtful-events-do-no-harm", &[Fault::StaysBrokenAfterRejection]),
    // A queue that stops and a lock that stays are traces too.
    ("rejection-leaves-no-trace", &[Fault::StaysBrokenAfterRejection, Fault::LockLeftByRejection]),
];

/// Mistakes that end in a panic. A canary that panics says no more than one that answers wrongly, and is heard.
const LOUD: [Fault; 3] = [Fault::PanicsOnChargebackWithoutRefund, Fault::PanicsOnMalformed, Fault::PanicsOnUnknownOrder];

/// Mistakes that fail nearly every case, and so tell nothing of any.
const BLUNT: [Fault; 4] = [Fault::AcknowledgesOnly, Fault::AppliesNothing, Fault::RefusesEverything, Fault::FailsEverything];

/// The mistakes whose makers play the cases of a requirement.
pub fn canaries(requirement: &str, provider: &str, corpus: &Corpus) -> Vec<Fault> {
    let aimed = faults().iter().filter(|info| info.aimed_at(provider, corpus) == Some(requirement)).map(|info| info.fault);
    let also = ALSO.iter().filter(|(id, _)| *id == requirement).flat_map(|(_, faults)| faults.iter().copied());
    let is_made = |fault: &Fault| fault.info().aimed_at(provider, corpus).is_some();
    aimed.chain(also.filter(is_made)).filter(|fault| !LOUD.contains(fault) && !BLUNT.contains(fault)).collect()
}

/// The null model: acknowledges everything and never changes a state.
#[derive(Debug)]
pub struct Ignorer {
    capabilities: Capabilities,
    orders: HashMap<String, OrderSetup>,
}

impl Ignorer {
    /// A consumer that does nothing, and claims this.
    pub fn new(capabilities: Capabilities) -> Ignorer {
        Ignorer { capabilities, orders: HashMap::new() }
    }
}

impl Target for Ignorer {
    fn hello(&mut self, _: &Hello) -> Result<Introduction, TargetError> {
        Ok(introduction("ignorer", &self.capabilities))
    }

    fn begin(&mut self, _: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.orders.extend(orders.iter().map(|order| (order.order_id.clone(), order.clone())));
        Ok(())
    }

    fn deliver(&mut self, _: &Request<'_>) -> Result<u16, TargetError> {
        Ok(200)
    }

    fn initiate(&mut self, _: &OwnRefund) -> Result<(), TargetError> {
        Ok(())
    }

    fn advance(&mut self, _: Duration) -> Result<(), TargetError> {
        Ok(())
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let untouched = |order: &OrderSetup| OrderState {
            order_id: order.order_id.clone(),
            status: Status::NotRefunded,
            refunded_amount: Amount::ZERO,
            currency: Some(order.currency.clone()),
            available_to_refund_amount: Some(order.captured_amount),
            charged_back_amount: Some(Amount::ZERO),
            refunds: Some(Vec::new()),
        };
        Ok(self.orders.get(order_id).map(untouched))
    }

    fn end(&mut self, _: &str) -> Result<(), TargetError> {
        // Cases come one after the other, so all orders are those of the one that ends.
        self.orders.clear();
        Ok(())
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        Ok(())
    }
}

/// The reference with a mistake, claiming what somebody else claims.
#[derive(Debug)]
pub struct WrongShop {
    shop: ReferenceShop,
    capabilities: Capabilities,
    /// Whether what it gets is signed. Where nothing is forged, signing and checking would only cost time.
    signed: Arc<AtomicBool>,
}

impl WrongShop {
    /// A shop that makes this mistake, and claims this.
    /// It looks at signatures while `signed` is true.
    pub fn new(fault: Fault, capabilities: Capabilities, clock: Clock, signed: Arc<AtomicBool>) -> WrongShop {
        let mut shop = ReferenceShop::with_fault(fault, clock);
        if capabilities.calls_back {
            shop.make_refunds();
        }
        WrongShop { shop, capabilities, signed }
    }

    /// The shop as it is to take what comes now: a case may begin before any of its orders is known.
    fn receiving(&mut self) -> &mut ReferenceShop {
        self.shop.trust(!self.signed.load(Ordering::Relaxed));
        &mut self.shop
    }
}

impl Target for WrongShop {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.shop.hello(hello)?;
        Ok(introduction("wrong-shop", &self.capabilities))
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.shop.begin(case, orders)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        self.receiving().deliver(request)
    }

    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        self.shop.initiate(own)
    }

    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.shop.advance(time)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        self.shop.observe(order_id)
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        self.shop.end(case)
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        self.shop.restart()
    }

    fn as_transport(&mut self) -> Option<&mut dyn Transport> {
        Some(self)
    }
}

impl Sealed for WrongShop {}

impl Transport for WrongShop {
    fn given_api(&mut self, api: &Arc<dyn Api>) {
        self.shop.given_api(api);
    }

    fn deliver_badly(&mut self, request: &Request<'_>, mishap: Mishap) -> Result<Option<u16>, TargetError> {
        self.receiving().deliver_badly(request, mishap)
    }

    fn initiate_amid(&mut self, own: &OwnRefund, requests: &[Request<'_>], amid: &dyn Amid) -> Amidst {
        self.receiving().initiate_amid(own, requests, amid)
    }

    fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
        self.receiving().deliver_together(requests)
    }
}

/// The claims of another, but that everything is done at once: nobody waits for a canary.
fn introduction(name: &str, capabilities: &Capabilities) -> Introduction {
    let capabilities = Capabilities { asynchronous: false, ..capabilities.clone() };
    Introduction { name: name.to_owned(), version: String::new(), capabilities }
}
