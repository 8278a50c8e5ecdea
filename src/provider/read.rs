//! What an event of real traffic says: the seam by which logs become cases (`src/import`).
//!
//! A generator knows what it wrote an event to tell. Of an event that was received only the body is there, so here, and
//! nowhere else, a body is read. A provider's reader writes down what its documents say that the event tells, as its
//! generator would have; what it cannot read it says, and guesses nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    case::ItemSetup,
    domain::{Amount, EventTime},
    json::Value,
    model::Tell,
};

/// Reads a provider's events.
pub trait EventReader: Sync {
    /// What an event says.
    ///
    /// # Errors
    /// Why nothing can be made of it.
    fn read(&self, body: &Value) -> Result<Said, Unread>;

    /// Whether the object in an event of this type is as it was when the event came into being. Where the provider puts in what is
    /// true when it sends the event, one that came into being later may show an earlier state.
    fn is_of_its_moment(&self, _kind: &str) -> bool {
        true
    }

    /// Names of members whose words mean something and belong to nobody, such as states; they are never replaced.
    fn words(&self) -> &'static [&'static str];
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The event id.
    pub id: String,
    /// The event type.
    pub kind: String,
    /// When it was created.
    pub created: EventTime,
    /// The order that it is about.
    pub order: Option<OrderSaid>,
    /// What it tells of refunds, charges and disputes. A sum says nothing yet of what it covers.
    pub tells: Vec<Tell>,
    /// Which comes first of events that were created at the same moment; the smaller.
    pub rank: u8,
    /// Whether no document says what a target must make of it.
    pub is_doubtful: bool,
}

/// What an event says of its order beside its refunds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSaid {
    /// What all events of the order have in common.
    pub key: String,
    /// What the shop calls the order, if that is something else and the event says it.
    pub reference: Option<String>,
    /// The id of its payment, with providers whose events name it.
    pub payment: Option<String>,
    /// Its currency.
    pub currency: Option<String>,
    /// What was captured in all.
    pub captured: Option<Amount>,
    /// Charges that paid for it, and what was captured with each where that is said.
    pub charges: Vec<(String, Option<Amount>)>,
    /// Its items.
    pub items: Vec<ItemSetup>,
}

/// Why nothing can be made of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is no event of this provider.
    Foreign(String),
    /// It lacks something without which nothing can be said of it.
    Lacking(String),
    /// It is against what the provider documents.
    Against(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Foreign(why) | Unread::Lacking(why) | Unread::Against(why) => f.write_str(why),
        }
    }
}

/// The text at a place.
pub(super) fn text<'b>(body: &'b Value, place: &str) -> Option<&'b str> {
    body.pointer(place).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The text at a place without which nothing can be said.
pub(super) fn needed<'b>(body: &'b Value, place: &str) -> Result<&'b str, Unread> {
    text(body, place).ok_or_else(|| Unread::Lacking(format!("it has no text at `{place}`")))
}

/// The number at a place, as it is written.
pub(super) fn number<'b>(body: &'b Value, place: &str) -> Option<&'b str> {
    Some(body.pointer(place)?.as_number()?.as_str())
}

/// The decimal amount at a place.
pub(super) fn decimal(body: &Value, place: &str) -> Option<Amount> {
    Amount::parse(number(body, place)?).ok()
}

/// An amount that is written as a whole number of parts, of which there are ten to the power of `places` in one.
pub(super) fn in_parts(body: &Value, place: &str, places: u32) -> Option<Amount> {
    let text = number(body, place)?;
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_whole { Amount::parse(text).ok()?.in_parts(places) } else { None }
}
