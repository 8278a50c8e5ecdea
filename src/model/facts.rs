//! What the generator wrote an event to tell.
//!
//! A case file carries it beside the body, for readers and for targets that subscribe to less. Nothing here is read from a
//! body.

use serde::{Deserialize, Serialize};

use crate::domain::{Amount, EventTime, RefundState};

/// What the generator wrote an event to tell. A case file carries it beside the body, for readers and
/// for targets that subscribe to less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventFacts {
    /// The event id, the same in every redelivery.
    pub id: String,
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The order it is about; absent where it is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// When the provider says it was created.
    pub created_time: EventTime,
    /// Its place among all events of the case, counted from one, with providers whose times are too coarse to tell which
    /// event came first; zero with all others. No target sees it.
    #[serde(default, skip_serializing_if = "crate::json::is_default")]
    pub sequence: u32,
    /// What it tells of refunds and chargebacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tells: Vec<Tell>,
}

/// When an event came into being: by its place where it has one, else by its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) sequence: u32,
    pub(super) time: EventTime,
}

/// One thing that an event tells (`docs/expectations.md`, "What each event tells").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Tell {
    /// A refund's state and amounts.
    Refund {
        /// The refund.
        id: String,
        /// Its state.
        state: RefundState,
        /// What was asked for, summed over the items where it has any.
        amount: Amount,
        /// What was paid back.
        refunded_amount: Amount,
        /// Whether it is said in passing, by an event that is about something else: it may be taken into account, and need
        /// not be.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        in_passing: bool,
    },
    /// All refunds of a charge so far.
    Charge {
        /// The charge.
        id: String,
        /// Where the picture stands.
        within: PictureIn,
        /// The charge refunds.
        refunds: Vec<Entry>,
    },
    /// The order so far.
    Order {
        /// What was paid back.
        refunded_amount: Amount,
        /// What can still be refunded.
        available_to_refund_amount: Amount,
        /// What the amounts imply to be charged back.
        charged_back_amount: Amount,
    },
    /// There is a chargeback.
    Chargeback,
    /// What was paid back of a charge so far, in one sum. It may count refunds that are only pending, and nothing tells of
    /// a lower sum when one of them fails.
    Total {
        /// The charge.
        id: String,
        /// The sum.
        refunded_amount: Amount,
        /// The refunds that it sums up. No target sees them.
        covers: Vec<Covered>,
        /// Whether it is said in passing: it may be taken into account, and need not be.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        in_passing: bool,
    },
    /// How a dispute stands.
    Dispute {
        /// The dispute.
        id: String,
        /// What it takes at the moment.
        taken_amount: Amount,
        /// Of which kind the event is.
        by: DisputeEvent,
        /// What it may be taken for until the next event of the dispute, where its object still has the state of before or
        /// its money is still away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        still: Option<Amount>,
    },
}

/// The two kinds of events that tell of a dispute. Shops follow the one or the other, and until both have told the same,
/// what either says may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DisputeEvent {
    /// It was opened, changed or closed.
    Status,
    /// Money was taken or given back.
    Money,
}

/// One refund in a sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Covered {
    /// The refund.
    pub id: String,
    /// Its state at that moment.
    pub state: RefundState,
    /// Its amount.
    pub amount: Amount,
}

/// Where a picture of a charge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PictureIn {
    /// In the charge's own event that a refund was completed; what it says is paid back must be taken into account.
    Completion,
    /// In another event about the charge's refunds. Whoever looks at their states must take it into account; what it says is
    /// paid back was said by a completion before.
    ChargeRefundEvent,
    /// In another object, which may be taken into account.
    Elsewhere,
}

/// One charge refund in a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// Its state; the provider's `complete` is `succeeded` here.
    pub state: RefundState,
    /// Its amount.
    pub amount: Amount,
}

/// What events tell of beside orders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Object {
    /// A refund, by its id.
    Refund(String),
    /// A charge, by its id.
    Charge(String),
}

impl Object {
    pub(super) fn of(tell: &Tell) -> Option<Object> {
        match tell {
            Tell::Refund { id, .. } => Some(Object::Refund(id.clone())),
            Tell::Charge { id, .. } | Tell::Total { id, .. } => Some(Object::Charge(id.clone())),
            Tell::Order { .. } | Tell::Chargeback | Tell::Dispute { .. } => None,
        }
    }
}

impl EventFacts {
    /// When it came into being.
    pub(super) fn moment(&self) -> Moment {
        Moment { sequence: self.sequence, time: self.created_time.clone() }
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = Object> {
        self.tells.iter().filter_map(Object::of)
    }

    /// Whether both tell of one refund or of one charge.
    pub fn is_about_same(&self, other: &EventFacts) -> bool {
        self.objects().any(|object| other.objects().any(|other| other == object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_where_there_is_one() {
        let written = |sequence: u32| {
            let (id, kind, created_time) = ("1".to_owned(), "refund.pending".to_owned(), EventTime::from_micros(0));
            let facts = EventFacts { id, kind, order_id: None, created_time, sequence, tells: Vec::new() };
            serde_json::to_value(facts).expect("JSON").get("sequence").cloned()
        };
        assert_eq!((written(0), written(3)), (None, Some(3.into())));
    }
}
