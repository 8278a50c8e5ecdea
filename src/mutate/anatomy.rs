//! Where in a body the places are that mutations need, and what the event is needed for.

use crate::{
    domain::{Amount, RefundState},
    json::Value,
    plan::MutationKind,
};

/// The places of one event's body, as JSON Pointers, and that body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anatomy {
    /// The body, read once for all that is done to it. The provider leaves it out: it is put in beside the places.
    pub body: Value,
    /// Whether it must move the state of its order by itself: acknowledged unread it would be lost.
    pub must_move: bool,
    /// The event id.
    pub id: String,
    /// The event type.
    pub kind: String,
    /// The object that it is about.
    pub object: String,
    /// When it was created; empty where nothing can be asked of an event that does not say so.
    pub created: String,
    /// The environment.
    pub live_mode: Option<String>,
    /// The id of the order.
    pub order_id: Option<String>,
    /// Ids of other things by which a shop may know the order, such as its charge.
    pub also_order: Vec<String>,
    /// Every member from which the order could be told, its id among them; empty where something is left that tells it
    /// in any case.
    pub tells_order: Vec<String>,
    /// Every member from which the amount that counts could be told; empty where no amount is needed.
    pub tells_amount: Vec<String>,
    /// The currency.
    pub currency: Option<String>,
    /// Amounts that say what counts in this state of the refund.
    pub needed: Vec<String>,
    /// Amounts that say what was paid back.
    pub paid: Vec<String>,
    /// States that may be replaced by one that nobody has heard of.
    pub states: Vec<String>,
    /// What such states are called, and how such a word may be read.
    pub unknown_states: Vec<(String, RefundState)>,
    /// Members that are there and need not be.
    pub optional: Vec<String>,
    /// Members that say nothing that counts and may be null: where they are not there, or are always there.
    pub nullable: Vec<String>,
    /// A list of items that is empty, or the place where it could be.
    pub no_items: Option<String>,
    /// Members of the envelope and other values of theirs, as JSON.
    pub envelope: Vec<(String, String)>,
    /// More than was captured: as a JSON number, and what that is.
    pub too_much: Vec<(String, Amount)>,
    /// How many fraction digits the currency has.
    pub digits: u32,
    /// Whether the provider writes each member on a line of its own, indented; else it writes no white space at all.
    pub indented: bool,
    /// How many seconds old a signature may be by the provider's own libraries; zero where nobody says.
    pub oldest_signature: u16,
}

impl Anatomy {
    /// Whether the event cannot do what it must without what such a mutation takes out.
    pub(super) fn lacks(&self, kind: MutationKind) -> bool {
        let needs = match kind {
            MutationKind::NoOrderId => !self.tells_order.is_empty(),
            MutationKind::NoAmount => !self.tells_amount.is_empty(),
            _ => true,
        };
        self.must_move && needs
    }
}
