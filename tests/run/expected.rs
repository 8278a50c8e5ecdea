//! What a test of a Rust consumer comes to where a requirement could not be judged, or only ought to be met.

use refundproof::{
    domain::Clock,
    reference::{Fault, ReferenceShop},
    testing::{Expected, assert_complete, assert_requirement},
};

use crate::common;

const NOTHING: Expected = Expected::new(&[], false);

fn shop() -> ReferenceShop {
    ReferenceShop::new(Clock::system())
}

fn faulty(fault: Fault) -> impl Fn() -> ReferenceShop + Sync {
    move || ReferenceShop::with_fault(fault, Clock::system())
}

#[test]
fn what_is_met_passes() {
    assert_requirement(common::provider(), "refund-counted-once", NOTHING, shop);
}

#[test]
#[should_panic(expected = "take it from `not_judged`")]
fn what_was_said_not_to_be_judged_and_is() {
    assert_requirement(common::provider(), "refund-counted-once", Expected::new(&["refund-*"], false), shop);
}

/// A shop that claims nothing.
#[derive(Default)]
struct Silent {
    order: std::collections::HashMap<String, refundproof::domain::OrderState>,
}

impl refundproof::adapter::Target for Silent {
    fn hello(&mut self, _: &refundproof::adapter::Hello) -> Result<refundproof::adapter::Introduction, refundproof::adapter::TargetError> {
        Ok(refundproof::adapter::Introduction::default())
    }

    fn begin(&mut self, _: &str, _: &[refundproof::case::OrderSetup]) -> Result<(), refundproof::adapter::TargetError> {
        Ok(())
    }

    fn deliver(&mut self, _: &refundproof::adapter::Request<'_>) -> Result<u16, refundproof::adapter::TargetError> {
        Ok(200)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<refundproof::domain::OrderState>, refundproof::adapter::TargetError> {
        Ok(self.order.get(order_id).cloned())
    }
}

#[test]
#[should_panic(expected = "the target does not claim `verifiesSignatures`; if that is meant, say `not_judged = [\"signature-required\"]`")]
fn what_does_not_apply_and_nobody_said_so() {
    assert_requirement(common::provider(), "signature-required", NOTHING, Silent::default);
}

#[test]
fn what_does_not_apply_as_was_said() {
    assert_requirement(common::provider(), "signature-required", Expected::new(&["signature-*"], false), Silent::default);
}

#[test]
#[should_panic(expected = "rejection-is-4xx: fail")]
fn a_should_in_a_strict_test() {
    assert_requirement(common::provider(), "rejection-is-4xx", Expected::new(&[], true), faulty(Fault::MalformedIsServerError));
}

#[test]
fn a_should_that_is_only_printed() {
    assert_requirement(common::provider(), "rejection-is-4xx", NOTHING, faulty(Fault::MalformedIsServerError));
}

#[test]
#[should_panic(expected = "not_judged: `signatur-required` fits no requirement; did you mean `signature-required`?")]
fn a_slip_of_the_pen() {
    let ids: Vec<&str> = common::corpus().requirements.iter().map(|requirement| requirement.id.as_str()).collect();
    assert_complete(common::provider(), &ids, Expected::new(&["signatur-required"], false));
}
