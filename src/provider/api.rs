//! A provider's API, as far as consumers of its webhooks call it: which paths there are, and what is answered.
//!
//! What is behind the paths (the objects of the cases under way) is an [`ApiStore`], which the provider asks and does not keep.

use super::Message;
use crate::{
    adapter::{ApiCall, ApiReply},
    domain::Amount,
    json::Value,
    model::Tell,
};

/// The paths of a provider's API, and the form of its answers and errors.
pub trait ProviderApi: Send + Sync {
    /// What a call is answered. [`ApiStore::unknown`] is told of paths that are not served.
    fn answer(&self, call: &ApiCall, store: &mut dyn ApiStore) -> ApiReply;

    /// The ids that a call is about, as far as they stand in its path and its parameters.
    fn subjects<'c>(&self, call: &'c ApiCall) -> Vec<&'c str>;

    /// The header in which a call asks for an API version, in lower case.
    fn version_header(&self) -> Option<&'static str> {
        None
    }

    /// Ids of further objects that follow from this one, by which it is found as well.
    fn also_named<'b>(&self, body: &'b str) -> Vec<&'b str> {
        let _ = body;
        Vec::new()
    }

    /// What is answered to a key of an earlier call with other parameters.
    fn other_parameters(&self) -> ApiReply;

    /// What is answered when something is wrong with the API itself: the status is 429 or 500.
    fn trouble(&self, status: u16) -> ApiReply;

    /// The amount that a call asks to be refunded, as a decimal of the major unit, where it says one.
    fn amount(&self, text: &str, currency: &str) -> Option<Amount>;
}

/// The objects that are there at the moment, for who answers calls.
pub trait ApiStore {
    /// The JSON of an object.
    fn object(&self, id: &str) -> Option<String>;

    /// The JSON of every object of a kind that belongs to the order of this object, newest first.
    fn all_of(&self, id: &str, kind: &str) -> Vec<String>;

    /// Makes a refund of the order of this object, which the shop was asked to make; the id of the refund. Without an amount,
    /// all that is left is asked for.
    ///
    /// # Errors
    /// With a sentence for the target's author, when nobody asked for it; it is noted as the target's failure.
    fn make_refund(&mut self, id: &str, amount: Option<&str>) -> Result<String, String>;

    /// Takes note of a call of something that is not served.
    fn unknown(&mut self, call: &ApiCall);
}

/// An object as the API shows it after a change, and what it was written to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// The provider's word for what it is.
    pub kind: String,
    /// Its JSON.
    pub body: String,
    /// What it tells of refunds and disputes.
    pub tells: Vec<Tell>,
}

impl Shown {
    /// An event as it is sent.
    pub fn event(message: &Message) -> Option<Shown> {
        serde_json::from_str(&message.body).ok().and_then(|event| Shown::of(&event, Vec::new()))
    }

    /// An object that stands in the JSON of an event, or elsewhere.
    pub fn of(object: &Value, tells: Vec<Tell>) -> Option<Shown> {
        let text = |name: &str| object[name].as_str().map(str::to_owned);
        Some(Shown { id: text("id")?, kind: text("object")?, body: serde_json::to_string(object).ok()?, tells })
    }
}
