//! What an event tells, as the shop understands it.

use std::borrow::Cow;

use crate::{
    domain::{Amount, EventTime, RefundState},
    reference::{bank::Fault, fault::Faults},
};

/// An event that tells of a refund or a chargeback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reference) struct Event<'a> {
    pub(in crate::reference) kind: Cow<'a, str>,
    pub(in crate::reference) id: Cow<'a, str>,
    pub(in crate::reference) time: EventTime,
    pub(in crate::reference) order_id: Cow<'a, str>,
    pub(in crate::reference) currency: Option<Cow<'a, str>>,
    /// Whether it says that it is from the provider's live mode, as it is written.
    pub(in crate::reference) live: Option<&'a str>,
    /// The most fraction digits that one of its amounts needs.
    pub(in crate::reference) digits: usize,
    pub(in crate::reference) told: Told<'a>,
    /// The state that a refund had before, where an update says so; only read for a fault.
    pub(in crate::reference) before: Option<RefundState>,
}

impl Event<'_> {
    /// Whether it is from the live mode or from the test mode, whichever the shop is registered for; one that says nothing is.
    pub(in crate::reference) fn is_of(&self, live_mode: bool) -> bool {
        self.live.is_none_or(|live| live == if live_mode { "true" } else { "false" })
    }
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reference) enum Told<'a> {
    /// How a refund stands.
    Refund(RefundTold<'a>),
    /// All refunds of a charge so far.
    Charge(ChargeTold<'a>),
    /// That money was charged back, and how the order stands.
    Chargeback(ChargebackTold),
    /// What was refunded of a charge so far, in one sum.
    Total(TotalTold<'a>),
    /// How a dispute stands.
    Dispute(DisputeTold<'a>),
    /// Nothing that the charge's own events do not tell better.
    Nothing,
}

impl Told<'_> {
    /// Whether it tells that something was paid back.
    pub(in crate::reference) fn is_paid(&self) -> bool {
        match self {
            Told::Refund(told) => told.state == RefundState::Succeeded,
            Told::Charge(told) => told.entries.iter().any(|entry| entry.state == RefundState::Succeeded),
            Told::Total(told) => !told.refunded.is_zero(),
            Told::Chargeback(_) | Told::Dispute(_) | Told::Nothing => false,
        }
    }

    /// Whether a faulty shop drops it if it comes before the order.
    pub(in crate::reference) fn is_dropped_early(&self, faults: Faults) -> bool {
        match self {
            Told::Refund(told) => told.state == RefundState::Failed && faults.has(Fault::EarlyFailureDropped),
            Told::Chargeback(_) | Told::Dispute(_) => faults.has(Fault::EarlyChargebackDropped),
            Told::Charge(_) | Told::Total(_) | Told::Nothing => false,
        }
    }
}

/// How a refund stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reference) struct RefundTold<'a> {
    pub(in crate::reference) id: Cow<'a, str>,
    pub(in crate::reference) state: RefundState,
    /// What was asked for, summed over the items where the refund has no amount of its own.
    pub(in crate::reference) amount: Amount,
    /// What was paid back.
    pub(in crate::reference) paid: Amount,
    pub(in crate::reference) is_of_items: bool,
    /// How many charges are said to pay it; only read for a fault.
    pub(in crate::reference) charges: usize,
    /// When it was made, where that is needed.
    pub(in crate::reference) created: Option<EventTime>,
}

/// What was refunded of a charge so far, refunds under way included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reference) struct TotalTold<'a> {
    pub(in crate::reference) refunded: Amount,
    /// Whether the charge says that this is all of it; only read for a fault.
    pub(in crate::reference) is_all: bool,
    /// The refunds themselves, where the version of the body has them.
    pub(in crate::reference) refunds: Vec<RefundTold<'a>>,
}

/// How a dispute stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reference) struct DisputeTold<'a> {
    pub(in crate::reference) id: Cow<'a, str>,
    /// What it takes at the moment.
    pub(in crate::reference) taken: Amount,
    /// What is disputed; only read for a fault.
    pub(in crate::reference) amount: Amount,
    /// How late in its life it is.
    pub(in crate::reference) rank: u8,
}

/// All refunds of a charge so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reference) struct ChargeTold<'a> {
    pub(in crate::reference) id: Cow<'a, str>,
    pub(in crate::reference) entries: Vec<Entry>,
    /// The charge's own amount and state; only read for a fault.
    pub(in crate::reference) own: Option<(Amount, String)>,
}

/// One refund of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reference) struct Entry {
    pub(in crate::reference) state: RefundState,
    pub(in crate::reference) amount: Amount,
}

/// How an order stands after a chargeback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reference) struct ChargebackTold {
    pub(in crate::reference) refunded: Amount,
    pub(in crate::reference) open: Amount,
    pub(in crate::reference) available: Amount,
}
