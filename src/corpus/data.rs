//! The records of a corpus.

use serde::{Deserialize, Serialize};

use super::revisions::Earlier;

/// What kind of object an event carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A refund.
    Refund,
    /// A charge.
    Charge,
    /// An order.
    Order,
    /// A sales transaction.
    SalesTransaction,
    /// Something that has nothing to do with refunds.
    Other,
}

/// One event type of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueEntry {
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What its example carries.
    pub object: ObjectKind,
    /// The source documents that name it; empty where it was taken from elsewhere.
    pub named_by: Vec<String>,
    /// Whether a source document shows an example of it.
    pub documented: bool,
    /// The example's file, below the provider's folder.
    pub example: String,
    /// What is odd about it.
    #[serde(default)]
    pub note: Option<String>,
    /// Where it was taken from, if no source document names it.
    #[serde(default)]
    pub assumed: Option<String>,
    /// Whether the provider sends it by default, where the documents say so.
    #[serde(default)]
    pub default_on: Option<bool>,
}

/// A documented example that is not valid JSON, with its exact bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// The event type that it was meant to be.
    pub kind: String,
    /// The bytes as documented.
    pub bytes: Vec<u8>,
}

/// How much a requirement weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Not to be missed.
    Must,
    /// Recommended; missing it is a warning.
    Should,
}

impl Level {
    /// The word in capitals.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
        }
    }
}

/// One requirement as the corpus describes it (`requirements.toml`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequirementText {
    /// Stable slug, never renamed and never reused.
    pub id: String,
    /// The checklist item or group that it answers.
    pub item: String,
    /// MUST or SHOULD.
    pub level: Level,
    /// What a target must show, in one sentence.
    pub shows: String,
    /// Why it matters.
    pub why: String,
    /// The document that it rests on.
    pub document: String,
    /// The heading in that document.
    pub heading: String,
    /// The recipe that exercises it; absent where this version does not judge it yet.
    #[serde(default)]
    pub recipe: Option<String>,
    /// Capabilities that a target must claim for it to apply.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Event types that a target must subscribe to, one of them at least, for it to apply.
    #[serde(default)]
    pub events: Vec<String>,
    /// The share of its cases, in percent, that must really reach the state it is about; half of them where nothing is said.
    #[serde(default = "half")]
    pub floor: u8,
    /// Classes of real bugs that it catches.
    #[serde(default)]
    pub bugs: Vec<String>,
    /// The revision since which it is asked.
    #[serde(default = "first")]
    pub since: u32,
    /// The last revision in which it is asked, if it no longer is.
    #[serde(default)]
    pub until: Option<u32>,
    /// What it was like before it changed.
    #[serde(default)]
    pub before: Vec<Earlier>,
}

fn first() -> u32 {
    1
}

fn half() -> u8 {
    50
}

impl RequirementText {
    /// The document and heading that it rests on.
    pub fn source(&self) -> String {
        format!("{}, \"{}\"", self.document, self.heading)
    }
}
