//! The records of a corpus.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de, de::DeserializeOwned};

use super::revisions::Earlier;
use crate::{domain::nearest, plan::Recipe};

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
    /// A dispute.
    Dispute,
    /// A payment intent.
    PaymentIntent,
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

/// How much a requirement weighs, what weighs more first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// Why a requirement may be asked (`docs/expectations.md`, "Grounds").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// The provider's integration checklist or standard says so.
    Checklist,
    /// Another page of the provider says so.
    Documented,
    /// It follows from documented delivery or from what money is.
    Follows,
    /// It is good practice that no document of the provider asks for: never a MUST.
    Practice,
}

impl Ground {
    const ALL: [Ground; 4] = [Ground::Checklist, Ground::Documented, Ground::Follows, Ground::Practice];

    /// The word in `requirements.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Ground::Checklist => "checklist",
            Ground::Documented => "documented",
            Ground::Follows => "follows",
            Ground::Practice => "practice",
        }
    }

    /// What it means, in a sentence for readers of a requirement.
    pub fn meaning(self) -> &'static str {
        match self {
            Ground::Checklist => "checklist: the provider's integration checklist or standard says so",
            Ground::Documented => "documented: another page of the provider says so",
            Ground::Follows => "follows: from how deliveries are documented to arrive, or from what money is",
            Ground::Practice => "practice: good practice that no document of the provider asks for",
        }
    }
}

/// A capability that a target must claim for a requirement to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Need {
    /// It checks signatures.
    VerifiesSignatures,
    /// Its state survives a kill.
    Durable,
    /// It applies what it acknowledged later.
    Asynchronous,
    /// It can be told of refunds that the shop made itself.
    InitiatesRefunds,
    /// It takes several deliveries at a time.
    Concurrency,
    /// It looks things up at the provider's API, and makes refunds through it.
    CallsBack,
    /// It is registered for the provider's older API version.
    OlderApiVersion,
}

impl Need {
    const ALL: [Need; 7] = [
        Need::VerifiesSignatures,
        Need::Durable,
        Need::Asynchronous,
        Need::InitiatesRefunds,
        Need::Concurrency,
        Need::CallsBack,
        Need::OlderApiVersion,
    ];

    /// The word in `requirements.toml` and in what a target says of itself.
    pub fn as_str(self) -> &'static str {
        match self {
            Need::VerifiesSignatures => "verifiesSignatures",
            Need::Durable => "durable",
            Need::Asynchronous => "asynchronous",
            Need::InitiatesRefunds => "initiatesRefunds",
            Need::Concurrency => "concurrency",
            Need::CallsBack => "callsBack",
            Need::OlderApiVersion => "olderApiVersion",
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
    /// Why it may be asked.
    #[serde(deserialize_with = "ground")]
    pub ground: Ground,
    /// The document that it rests on.
    pub document: String,
    /// The heading in that document.
    pub heading: String,
    /// The recipe that exercises it; absent where this version does not judge it yet.
    #[serde(default, deserialize_with = "recipe")]
    pub recipe: Option<Recipe>,
    /// Capabilities that a target must claim for it to apply.
    #[serde(default, deserialize_with = "needs")]
    pub needs: Vec<Need>,
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

fn ground<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ground, D::Error> {
    known("ground", &String::deserialize(deserializer)?, Ground::ALL.map(Ground::as_str))
}

fn recipe<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Recipe>, D::Error> {
    known("recipe", &String::deserialize(deserializer)?, Recipe::ALL.iter().map(|recipe| recipe.name())).map(Some)
}

fn needs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Need>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    words.iter().map(|word| known("needs", word, Need::ALL.map(Need::as_str))).collect()
}

/// What a word stands for; a word that is not known would switch a requirement off without anybody noticing.
fn known<T: DeserializeOwned, E: de::Error>(field: &str, word: &str, words: impl IntoIterator<Item = &'static str>) -> Result<T, E> {
    T::deserialize(de::value::StrDeserializer::<E>::new(word)).map_err(|_| {
        let words: Vec<&str> = words.into_iter().collect();
        let hint = match nearest(word, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", words.join(", ")),
        };
        E::custom(format!("field `{field}`: `{word}` is unknown; {hint}"))
    })
}

fn first() -> u32 {
    1
}

fn half() -> u8 {
    50
}

impl RequirementText {
    /// On what it rests: the word of its ground, then the document and heading.
    pub fn grounds(&self) -> String {
        match self.ground {
            Ground::Follows => format!("follows from {}", self.source()),
            ground => format!("{}, {}", ground.as_str(), self.source()),
        }
    }

    /// The document and heading that it rests on.
    pub fn source(&self) -> String {
        format!("{}, \"{}\"", self.document, self.heading)
    }

    /// What does not hold together in it.
    pub(super) fn problem(&self) -> Option<String> {
        (self.ground == Ground::Practice && self.level == Level::Must)
            .then(|| format!("requirement `{}`: its ground is practice, so its level is SHOULD and never MUST", self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str =
        "id = 'x'\nitem = 'refund'\nlevel = 'MUST'\nshows = 'x'\nwhy = 'x'\nground = 'follows'\ndocument = 'x'\nheading = 'x'\n";

    #[track_caller]
    fn check(line: &str, problem: &str) {
        let error = toml::from_str::<RequirementText>(&format!("{PLAIN}{line}")).expect_err("it is refused");
        assert_eq!(error.message(), problem);
    }

    #[test]
    fn words_that_are_not_known() {
        check("recipe = 'duplicate'", "field `recipe`: `duplicate` is unknown; did you mean `duplicates`?");
        check("needs = ['durabel']", "field `needs`: `durabel` is unknown; did you mean `durable`?");
        let all = "verifiesSignatures, durable, asynchronous, initiatesRefunds, concurrency, callsBack, olderApiVersion";
        check("needs = ['x']", &format!("field `needs`: `x` is unknown; it is one of {all}"));
    }

    #[test]
    fn every_word_is_read() {
        let words = Need::ALL.map(|need| format!("'{need}'")).join(",");
        for recipe in Recipe::ALL {
            let text = format!("{PLAIN}recipe = '{}'\nneeds = [{words}]", recipe.name());
            let read: RequirementText = toml::from_str(&text).expect("a requirement");
            assert_eq!((read.recipe, read.needs), (Some(*recipe), Need::ALL.to_vec()));
        }
        for ground in Ground::ALL {
            let text = PLAIN.replace("follows", ground.as_str());
            assert_eq!(toml::from_str::<RequirementText>(&text).expect("a requirement").ground, ground);
        }
    }

    #[test]
    fn practice_is_never_a_must() {
        let read = |text: &str| toml::from_str::<RequirementText>(text).expect("a requirement").problem();
        let practice = PLAIN.replace("follows", "practice");
        assert_eq!(read(PLAIN), None);
        assert_eq!(read(&practice.replace("MUST", "SHOULD")), None);
        assert_eq!(read(&practice).as_deref(), Some("requirement `x`: its ground is practice, so its level is SHOULD and never MUST"));
    }
}
