//! Small cases for unit tests, written down event by event: orders of 100.00 USD, refunds of 10.00 each.

use super::{Act, Body, Case, Delivery, Effect, Entry, OrderSetup, OwnRefund, OwnRefundDetails, SCHEMA};
use crate::{
    domain::{Amount, EventTime, RefundState},
    model::{EventFacts, Tell},
};

/// What was captured of each order, in cents.
const CAPTURED: u64 = 100 * 100;

/// What each refund is of, in cents.
const TEN: u64 = 10 * 100;

/// So many times 10.00.
pub(crate) fn tens(count: u64) -> Amount {
    Amount::from_minor(count * TEN, 2)
}

/// An event that tells that a refund of an order is in a state.
pub(crate) fn told(order: &str, refund: &str, state: RefundState) -> Delivery {
    let paid = if state == RefundState::Succeeded { tens(1) } else { Amount::ZERO };
    let tell = Tell::Refund { id: refund.to_owned(), state, amount: tens(1), refunded_amount: paid, in_passing: false };
    let event = EventFacts {
        id: format!("event of {refund}"),
        kind: format!("refund.{refund}"),
        order_id: Some(order.to_owned()),
        created_time: EventTime::parse("2024-05-06T07:08:09Z").expect("a time"),
        sequence: 0,
        tells: vec![tell],
    };
    Delivery::plain(event, Body::new("{}"))
}

/// An event that tells that a refund of an order succeeded.
pub(crate) fn paid(order: &str, refund: &str) -> Delivery {
    told(order, refund, RefundState::Succeeded)
}

/// The same with another effect. What must be refused tells nothing that counts.
pub(crate) fn with_effect(effect: Effect, mut delivery: Delivery) -> Delivery {
    if !matches!(effect, Effect::Accept | Effect::Tolerate) {
        delivery.event.tells.clear();
    }
    Delivery { effect, ..delivery }
}

/// A delivery alone.
pub(crate) fn deliver(delivery: Delivery) -> Act {
    Act::Deliver(Box::new(delivery))
}

/// A refund that the shop makes itself.
pub(crate) fn own(order: &str, refund: &str) -> OwnRefund {
    let details = OwnRefundDetails { id: refund.to_owned(), amount: tens(1), currency: "USD".to_owned() };
    OwnRefund { order_id: order.to_owned(), refund: details, answer_lost: false }
}

/// A case of these orders in which this is done, with what may be shown after it.
pub(crate) fn case(orders: &[&str], acts: Vec<Act>) -> Case {
    let entry = |act| Entry { act, expect: Vec::new(), expect_if_refused: Vec::new() };
    let order = |id: &&str| OrderSetup::new(*id, "USD", Amount::from_minor(CAPTURED, 2));
    let mut case = Case {
        schema: SCHEMA.to_owned(),
        title: String::new(),
        provider: "any".to_owned(),
        requirement: None,
        orders: orders.iter().map(order).collect(),
        entries: acts.into_iter().map(entry).collect(),
        api: Vec::new(),
        expect: Vec::new(),
        expect_if_applied: Vec::new(),
        plan: None,
    };
    case.expect_again(&vec![true; orders.len()]);
    case
}
