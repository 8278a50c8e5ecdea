//! A shop in this process that does something else first, wherever it is reached.

use std::time::Duration;

use refundproof::{
    adapter::{Hello, Introduction, Request, Sealed, Target, TargetError, Transport},
    case::{OrderSetup, OwnRefund},
    domain::OrderState,
};

/// Where a target is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Hello,
    Begin,
    Deliver,
    Observe,
    End,
    Restart,
    Complaints,
    Learns,
    Bye,
    Drop,
}

pub(crate) struct Reached<F: Fn(At) + Send> {
    pub(crate) shop: Box<dyn Target>,
    /// What it does first.
    pub(crate) first: F,
}

impl<F: Fn(At) + Send> Target for Reached<F> {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        (self.first)(At::Hello);
        self.shop.hello(hello)
    }
    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        (self.first)(At::Begin);
        self.shop.begin(case, orders)
    }
    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        (self.first)(At::Deliver);
        self.shop.deliver(request)
    }
    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        (self.first)(At::Observe);
        self.shop.observe(order_id)
    }
    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        self.shop.initiate(own)
    }
    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.shop.advance(time)
    }
    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        (self.first)(At::End);
        self.shop.end(case)
    }
    fn restart(&mut self) -> Result<(), TargetError> {
        (self.first)(At::Restart);
        self.shop.restart()
    }
    fn bye(&mut self) {
        (self.first)(At::Bye);
    }

    fn as_transport(&mut self) -> Option<&mut dyn Transport> {
        Some(self)
    }
}

impl<F: Fn(At) + Send> Sealed for Reached<F> {}

impl<F: Fn(At) + Send> Transport for Reached<F> {
    fn learns_of_orders_from_events(&self) -> bool {
        (self.first)(At::Learns);
        false
    }

    fn complaints(&mut self) -> String {
        (self.first)(At::Complaints);
        String::new()
    }
}

impl<F: Fn(At) + Send> Drop for Reached<F> {
    fn drop(&mut self) {
        (self.first)(At::Drop);
    }
}
