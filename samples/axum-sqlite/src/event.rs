//! What a delivery tells, whichever provider sent it.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One event. The same event may be delivered many times.
#[derive(Clone, Debug)]
pub struct Event {
    /// The provider's id of the event.
    pub id: String,
    /// The order that it is about.
    pub order_id: String,
    /// The currency of its amounts, where it says one.
    pub currency: Option<String>,
    /// When it happened. Deliveries overtake each other; this is the only order there is.
    pub at: Timestamp,
    /// What happened.
    pub news: News,
}

/// What happened, in major units as the body has them.
#[derive(Clone, Debug)]
pub enum News {
    /// A refund object.
    Refund(RefundNews),
    /// Charges of an order, each with all of its refunds so far.
    Charges(Vec<ChargeNews>),
    /// A chargeback. How much, follows from what is left.
    Chargeback {
        /// Paid back so far.
        refunded: Decimal,
        /// Refunds of the order's charges that are open.
        open: Decimal,
        /// Still available.
        available: Decimal,
    },
}

/// A refund object.
#[derive(Clone, Debug)]
pub struct RefundNews {
    /// The provider's id of the refund.
    pub id: String,
    /// Its state.
    pub state: RefundState,
    /// What was asked for.
    pub requested: Decimal,
    /// What was paid back, which may be less. Only a refund that succeeded has paid anything.
    pub paid: Decimal,
}

/// A charge's refunds so far, summed up by state: a running picture and no difference to the one before.
#[derive(Clone, Debug)]
pub struct ChargeNews {
    /// The provider's id of the charge.
    pub id: String,
    /// Paid back.
    pub complete: Decimal,
    /// Open.
    pub pending: Decimal,
    /// Waiting for the shopper.
    pub pending_information: Decimal,
    /// Failed.
    pub failed: Decimal,
}

/// The state of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Asked for, and not yet taken up (Tazapay).
    Requested,
    /// Under way.
    Pending,
    /// Waiting for the shopper, who must say where the money goes (Digital River).
    PendingInformation,
    /// Called off (Tazapay).
    Cancelled,
    /// Not paid, and never will be.
    Failed,
    /// Paid back.
    Succeeded,
}

impl RefundState {
    /// Whether nothing can follow.
    pub fn is_final(self) -> bool {
        matches!(self, RefundState::Cancelled | RefundState::Failed | RefundState::Succeeded)
    }
}

impl Event {
    /// A refund that the shop itself asked the provider for.
    pub fn own_refund(order_id: String, refund_id: String, requested: Decimal, currency: String) -> Event {
        let id = format!("initiated {refund_id}");
        let refund = RefundNews { id: refund_id, state: RefundState::Pending, requested, paid: Decimal::ZERO };
        // Its webhook may have been faster than the answer to our own request: this is the oldest thing told of it.
        Event { id, order_id, currency: Some(currency), at: Timestamp::UNIX_EPOCH, news: News::Refund(refund) }
    }
}
