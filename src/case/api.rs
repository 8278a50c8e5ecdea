//! What the provider's API shows in a case, and what goes wrong with it.
//!
//! The objects are written together with the events, from the same truth, so that what is fetched and what is told never
//! contradict each other. Source: `docs/adapter-protocol.md`, "Targets that call back".

use serde::{Deserialize, Serialize};

use crate::model::{EventFacts, Tell};

/// An object of the provider's API as it is from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiObject {
    /// The place of the first event after which it is so ([`EventFacts::sequence`](crate::model::EventFacts::sequence)); zero
    /// for what is there from the beginning.
    #[serde(default, skip_serializing_if = "crate::json::is_default")]
    pub since: u32,
    /// The order that it belongs to.
    pub order_id: String,
    /// Its id.
    pub id: String,
    /// The provider's word for what it is.
    pub kind: String,
    /// Its JSON.
    pub body: String,
    /// What it was written to tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tells: Vec<Tell>,
}

impl ApiObject {
    /// Whether it shows what is told here.
    fn shows(&self, tell: &Tell) -> bool {
        let Tell::Refund { id, state, .. } = tell else { return false };
        self.tells.iter().any(|own| matches!(own, Tell::Refund { id: other, state: now, .. } if other == id && now == state))
    }
}

/// By which place everything has happened that an event tells: its own, or a later one where its snapshot is newer than the event.
pub fn moment_of<'a>(event: &EventFacts, api: impl Iterator<Item = &'a ApiObject> + Clone) -> u32 {
    let later =
        |tell: &Tell| api.clone().filter(|object| object.since >= event.sequence && object.shows(tell)).map(|object| object.since).min();
    let is_shown = |tell: &&Tell| !api.clone().any(|object| object.since <= event.sequence && object.shows(tell));
    event.tells.iter().filter(is_shown).filter_map(later).fold(event.sequence, u32::max)
}

/// What the provider's API does with calls about an order while a delivery is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ApiFault {
    /// It answers 500.
    Broken,
    /// It answers 429.
    TooMany,
    /// It hangs up without an answer.
    Lost,
    /// It answers late, and rightly.
    Slow,
}

impl ApiFault {
    /// Every way in which it can go wrong.
    pub const ALL: [ApiFault; 4] = [ApiFault::Broken, ApiFault::TooMany, ApiFault::Lost, ApiFault::Slow];

    /// In a few words, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            ApiFault::Broken => "the provider's API answers 500",
            ApiFault::TooMany => "the provider's API answers 429",
            ApiFault::Lost => "the provider's API hangs up",
            ApiFault::Slow => "the provider's API is slow",
        }
    }
}
