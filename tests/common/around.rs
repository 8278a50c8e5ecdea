//! Shops around a shop.
#![allow(unused_imports, unused_macros, reason = "each test binary uses its own part of this")]

/// Operations of a target that are those of the shop in its `shop`: what is left to write is what it does otherwise.
macro_rules! as_its_shop {
    ($($operation:ident),+) => { $(as_its_shop!(@ $operation);)+ };
    (@ hello) => {
        fn hello(&mut self, hello: &refundproof::adapter::Hello) -> Result<refundproof::adapter::Introduction, refundproof::adapter::TargetError> {
            self.shop.hello(hello)
        }
    };
    (@ begin) => {
        fn begin(&mut self, case: &str, orders: &[refundproof::case::OrderSetup]) -> Result<(), refundproof::adapter::TargetError> {
            self.shop.begin(case, orders)
        }
    };
    (@ deliver) => {
        fn deliver(&mut self, request: &refundproof::adapter::Request<'_>) -> Result<u16, refundproof::adapter::TargetError> {
            self.shop.deliver(request)
        }
    };
    (@ initiate) => {
        fn initiate(&mut self, own: &refundproof::case::OwnRefund) -> Result<(), refundproof::adapter::TargetError> {
            self.shop.initiate(own)
        }
    };
    (@ advance) => {
        fn advance(&mut self, time: std::time::Duration) -> Result<(), refundproof::adapter::TargetError> {
            self.shop.advance(time)
        }
    };
    (@ observe) => {
        fn observe(&mut self, order_id: &str) -> Result<Option<refundproof::domain::OrderState>, refundproof::adapter::TargetError> {
            self.shop.observe(order_id)
        }
    };
    (@ end) => {
        fn end(&mut self, case: &str) -> Result<(), refundproof::adapter::TargetError> {
            self.shop.end(case)
        }
    };
    (@ restart) => {
        fn restart(&mut self) -> Result<(), refundproof::adapter::TargetError> {
            self.shop.restart()
        }
    };
}

pub(crate) use as_its_shop;
