//! Where in a body the places are that mutations need.

/// The places of one event's body, as JSON Pointers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anatomy {
    /// Whether it is a refund or charge refund event, which cannot be applied without its parts.
    pub is_refund_event: bool,
    /// The event id.
    pub id: String,
    /// The event type.
    pub kind: String,
    /// The object that it is about.
    pub object: String,
    /// When it was created.
    pub created: String,
    /// The environment.
    pub live_mode: Option<String>,
    /// The id of the order.
    pub order_id: Option<String>,
    /// The currency.
    pub currency: Option<String>,
    /// Amounts without which it cannot be applied.
    pub needed: Vec<String>,
    /// Amounts that say what was paid back.
    pub paid: Vec<String>,
    /// States that may be replaced by one that nobody has heard of.
    pub states: Vec<String>,
    /// What such states are called; nothing stands for words that fit any provider.
    pub unknown_states: Vec<String>,
    /// Members that are there and need not be.
    pub optional: Vec<String>,
    /// Members that are not there and may be null.
    pub absent: Vec<String>,
    /// A list of items that is empty, or the place where it could be.
    pub no_items: Option<String>,
    /// Members of the envelope and other values of theirs, as JSON.
    pub envelope: Vec<(String, String)>,
    /// More than was captured, as a JSON number.
    pub too_much: String,
    /// How many fraction digits the currency has.
    pub digits: u32,
}
