//! What orders have beside what every order has.

#[cfg(feature = "arbitrary")]
use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};

/// What an order has that a plain one has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase")]
pub enum Extra {
    /// An id of another form that documents show.
    OtherId,
    /// Refunds with ids as long as documents show them.
    LongRefundIds,
    /// Several pieces of its items: the amount of an item is that of all its pieces.
    Quantities,
    /// A further item that costs nothing.
    FreeItem,
    /// Two items of the same SKU.
    SameSku,
    /// A part of what was captured that is for shipping and tax, and of no item.
    Shipping,
    /// More that was ordered than was captured: the rest was cancelled.
    Cancelled,
    /// Members left out or null that documents show so.
    Sparse,
    /// Times with nine fraction digits.
    FineTimes,
    /// A payment that was not made by card.
    NoCard,
    /// Less can be refunded than was captured less what was paid back, for a reason that nobody is told.
    Withheld,
}

impl Extra {
    /// What reports say of such an order.
    pub fn as_str(self) -> &'static str {
        match self {
            Extra::OtherId => "an id of another form",
            Extra::LongRefundIds => "long ids of refunds",
            Extra::Quantities => "items of several pieces",
            Extra::FreeItem => "an item that costs nothing",
            Extra::SameSku => "two items of one SKU",
            Extra::Shipping => "shipping and tax that are of no item",
            Extra::Cancelled => "a part that was cancelled, and the rest captured in parts",
            Extra::Sparse => "members left out or null",
            Extra::FineTimes => "times with nine fraction digits",
            Extra::NoCard => "a payment by something else than a card",
            Extra::Withheld => "a part that cannot be refunded",
        }
    }
}
