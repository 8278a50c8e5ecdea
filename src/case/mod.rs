//! One case: concrete orders, concrete deliveries, and what may be shown after each.
//!
//! Generated cases, saved failures and the frozen sequences of the corpus are all this one type, and
//! this one file format (`refundproof-case/1`), so whatever was seen once can be seen again on any
//! transport and after the generator has changed. Source: `docs/reports.md`, "Case file".

mod api;
mod body;
#[cfg(test)]
pub(crate) mod by_hand;
mod file;
mod form;
mod soundness;

pub use api::{ApiFault, ApiObject, moment_of};
pub use body::Body;
pub use file::{CaseError, SCHEMA};
#[cfg(feature = "cli")]
pub(crate) use file::{LARGEST, MOST_VALUES};

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::Amount,
    model::{EventFacts, Expectation},
    plan::{MutationKind, Plan},
};

/// A case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// One line that says what it shows.
    pub title: String,
    /// The provider whose events these are.
    pub provider: String,
    /// The requirement that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// The orders that exist and are captured before the first delivery. The target hears of some of them later.
    pub orders: Vec<OrderSetup>,
    /// What is done, in order.
    pub entries: Vec<Entry>,
    /// What the provider's API shows, for targets that call it; each object once for each state that it was in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub api: Vec<ApiObject>,
    /// What may be shown when everything has been delivered.
    pub expect: Vec<Expectation>,
    /// What may be shown then instead, of orders with doubtful deliveries that were not refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect_if_applied: Vec<Expectation>,
    /// The plan that it came from, for shrinking further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
}

/// An order as `begin` introduces it (adapter contract).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct OrderSetup {
    /// The provider's order id.
    pub order_id: String,
    /// ISO 4217 code.
    pub currency: String,
    /// What was captured in all.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub captured_amount: Amount,
    /// The id of its payment, with providers whose events name that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_intent_id: Option<String>,
    /// The charges that paid for it; a provider without charges has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<ChargeSetup>,
    /// Its items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemSetup>,
}

impl OrderSetup {
    /// An order of which so much was captured, without charges and items.
    pub fn new(order_id: impl Into<String>, currency: impl Into<String>, captured_amount: Amount) -> OrderSetup {
        OrderSetup {
            order_id: order_id.into(),
            currency: currency.into(),
            captured_amount,
            payment_intent_id: None,
            charges: Vec::new(),
            items: Vec::new(),
        }
    }

    /// The same with something about it changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut OrderSetup)) -> OrderSetup {
        change(&mut self);
        self
    }
}

/// A charge of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ChargeSetup {
    /// The provider's charge id.
    pub id: String,
    /// What was captured with it.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub captured_amount: Amount,
}

/// An item of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ItemSetup {
    /// The provider's item id.
    pub item_id: String,
    /// How many.
    pub quantity: u32,
    /// What they cost in all.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub amount: Amount,
}

/// One thing that the harness does, and what may be shown after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "form::EntryForm", into = "form::EntryForm")]
pub struct Entry {
    /// What is done.
    pub act: Act,
    /// What the orders concerned may show then.
    pub expect: Vec<Expectation>,
    /// What they may show if a doubtful delivery was refused.
    pub expect_if_refused: Vec<Expectation>,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// One delivery.
    Deliver(Box<Delivery>),
    /// Deliveries that are under way at the same time.
    Together(Vec<Delivery>),
    /// The shop made a refund itself and is told its id, or is told to make one if it calls the provider's API.
    Initiate(OwnRefund),
    /// The shop is told to make a refund through the provider's API, which does not answer before these are delivered.
    Meanwhile(OwnRefund, Vec<Delivery>),
    /// The target is killed and started again.
    Restart,
    /// So many seconds pass.
    Advance(u64),
    /// The order of this id, of which events may have come, becomes known to the target.
    Begin(String),
}

impl Act {
    /// What is delivered.
    pub fn deliveries(&self) -> &[Delivery] {
        match self {
            Act::Deliver(delivery) => std::slice::from_ref(&**delivery),
            Act::Together(deliveries) | Act::Meanwhile(_, deliveries) => deliveries,
            Act::Initiate(_) | Act::Restart | Act::Advance(_) | Act::Begin(_) => &[],
        }
    }

    /// The refund that the shop makes itself.
    pub(crate) fn own_refund(&self) -> Option<&OwnRefund> {
        match self {
            Act::Initiate(own) | Act::Meanwhile(own, _) => Some(own),
            Act::Deliver(_) | Act::Together(_) | Act::Restart | Act::Advance(_) | Act::Begin(_) => None,
        }
    }
}

/// One delivery of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "form::DeliveryForm", into = "form::DeliveryForm")]
pub struct Delivery {
    /// The event, and what it was written to tell.
    pub event: EventFacts,
    /// Headers apart from the signature; names are lower case. Nearly all deliveries have the same ones, and share them.
    pub headers: Arc<BTreeMap<String, String>>,
    /// The body, byte for byte.
    pub body: Body,
    /// The delivery fault that it carries.
    pub fault: Option<String>,
    /// The mutation of its payload, for people.
    pub mutation: Option<String>,
    /// Which mutation that is; absent in cases that were written by hand.
    pub mutation_kind: Option<MutationKind>,
    /// How else a doubtful event may be read literally.
    pub readings: Vec<EventFacts>,
    /// What must happen.
    pub effect: Effect,
    /// How it is signed.
    pub signature: Signature,
    /// What happens to it on the way.
    pub mishap: Option<Mishap>,
    /// What the provider's API does with calls about the order while it is handled.
    pub api: Option<ApiFault>,
}

/// What happens to the connection, or to the target, while a delivery is under way. Whether the target has taken the
/// event in is not known after most of them, so the event is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Mishap {
    /// The connection is closed when the answer is there, before it is read.
    AnswerUnread,
    /// The connection is reset as soon as the request is sent.
    Reset,
    /// Half of the body is sent, and the connection is closed.
    HalfSent,
    /// The answer is read slowly; it arrives.
    SlowReading,
    /// The target is killed so many milliseconds after the request was sent, and started again.
    Killed {
        /// Milliseconds.
        after_ms: u16,
    },
    /// The target cannot write to its disk while it handles the request, and is killed when it has answered, or does not; it is
    /// started again with a disk that has room. An answer that acknowledges counts, any other does not.
    DiskFull,
    /// The target stands still for so many milliseconds after the request was sent, and goes on. Its answer is awaited.
    StandsStill {
        /// Milliseconds.
        for_ms: u16,
    },
}

impl Mishap {
    /// In a few words, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Mishap::AnswerUnread => "the answer is not read",
            Mishap::Reset => "the connection is reset once it is sent",
            Mishap::HalfSent => "the connection is closed half-way",
            Mishap::SlowReading => "the answer is read slowly",
            Mishap::Killed { .. } => "the target is killed while it handles it",
            Mishap::DiskFull => "the target's disk is full while it handles it, and it is killed then",
            Mishap::StandsStill { .. } => "the target stands still while it handles it",
        }
    }

    /// Whether the target is killed, and started again.
    pub fn kills(self) -> bool {
        matches!(self, Mishap::Killed { .. } | Mishap::DiskFull)
    }
}

/// How a delivery is signed; the signature itself is made when it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Signature {
    /// As the provider does.
    #[default]
    Valid,
    /// Not at all.
    Absent,
    /// With the end missing.
    Truncated,
    /// With this secret instead of the one that the target knows.
    With(String),
    /// With a secret that is made from the one that the target knows, and is another.
    OtherSecret(OtherSecret),
    /// An hour ago.
    Stale,
    /// With two secrets, as while one is being replaced.
    Rotated {
        /// Whether the one that the target knows comes first.
        known_first: bool,
    },
    /// Over another body.
    Over(String),
    /// With the time that it is so many seconds before or after the delivery is sent.
    At {
        /// Seconds after the moment of sending; below zero before it.
        seconds: i16,
    },
    /// Rightly, and with a signature of another scheme beside the right one.
    OtherScheme {
        /// Whether the other one comes first.
        first: bool,
    },
    /// Rightly, but named after another scheme.
    OnlyOtherScheme,
    /// With two secrets, as while one is being replaced, neither of which the target knows.
    TwoWrong,
    /// Rightly, but with capitals for small letters and the other way round.
    OtherCase,
}

/// How a secret is made from another, so that the two are never the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OtherSecret {
    /// One character is another.
    OneCharacterOff,
    /// There is nothing of it.
    Emptied,
    /// It stands there twice.
    Doubled,
}

impl OtherSecret {
    /// Every way.
    pub const ALL: [OtherSecret; 3] = [OtherSecret::OneCharacterOff, OtherSecret::Emptied, OtherSecret::Doubled];

    /// Another secret than this one.
    pub fn of(self, secret: &str) -> String {
        match self {
            OtherSecret::Emptied if !secret.is_empty() => String::new(),
            OtherSecret::Doubled if !secret.is_empty() => secret.repeat(2),
            _ => {
                // In the middle: the bits of a last character may not count where a secret is written in base64.
                let middle = secret.chars().count() / 2;
                let other = |(place, own): (usize, char)| match own {
                    _ if place != middle => own,
                    'x' => 'y',
                    _ => 'x',
                };
                let text: String = secret.chars().enumerate().map(other).collect();
                if text.is_empty() { "x".to_owned() } else { text }
            }
        }
    }
}

/// What must happen with a delivery (`docs/expectations.md`, "Mutations").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// It must be processed.
    #[default]
    Accept,
    /// It must be acknowledged and change nothing.
    Ignore,
    /// It must not be acknowledged and must change nothing.
    Reject,
    /// It must be answered with 4xx and change nothing, where signatures are verified.
    Refuse,
    /// Two reasonable consumers may differ about it: it may be processed or not.
    #[serde(alias = "flag")]
    Tolerate,
}

impl Effect {
    /// Whether the event must be acknowledged in the end.
    pub fn must_be_acknowledged(self) -> bool {
        matches!(self, Effect::Accept | Effect::Ignore)
    }
}

/// A refund that the shop made itself, or is to make (`initiate` in the adapter contract).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct OwnRefund {
    /// The order.
    pub order_id: String,
    /// The refund.
    pub refund: OwnRefundDetails,
    /// The provider makes the refund, and its answer is lost on the way. A target is not told so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub answer_lost: bool,
}

/// What the provider answered when the shop made the refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct OwnRefundDetails {
    /// The provider's refund id; empty (and absent in JSON) where the target is to make the refund through the provider's API.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// What was asked for.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub amount: Amount,
    /// ISO 4217 code.
    pub currency: String,
}

impl Delivery {
    /// An event as the provider sends it, on which nothing falls on the way.
    pub fn plain(event: EventFacts, body: Body) -> Delivery {
        let effect = if event.tells.is_empty() { Effect::Ignore } else { Effect::Accept };
        static PLAIN: LazyLock<Arc<BTreeMap<String, String>>> =
            LazyLock::new(|| Arc::new(BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())])));
        Delivery {
            event,
            headers: Arc::clone(&PLAIN),
            body,
            fault: None,
            mutation: None,
            mutation_kind: None,
            readings: Vec::new(),
            effect,
            signature: Signature::Valid,
            mishap: None,
            api: None,
        }
    }
}

impl Case {
    /// How many deliveries the case holds.
    pub fn deliveries(&self) -> usize {
        self.all_deliveries().count()
    }

    /// Every delivery, in sending order.
    pub fn all_deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.entries.iter().flat_map(|entry| entry.act.deliveries())
    }

    pub(crate) fn all_deliveries_mut(&mut self) -> impl Iterator<Item = &mut Delivery> {
        self.entries.iter_mut().flat_map(|entry| match &mut entry.act {
            Act::Deliver(delivery) => std::slice::from_mut(&mut **delivery),
            Act::Together(deliveries) | Act::Meanwhile(_, deliveries) => deliveries,
            Act::Initiate(_) | Act::Restart | Act::Advance(_) | Act::Begin(_) => &mut [],
        })
    }

    /// Whether the target is killed in it.
    pub fn kills(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.act, Act::Restart))
            || self.all_deliveries().any(|delivery| delivery.mishap.is_some_and(Mishap::kills))
    }

    /// The ids of the orders that are not known from the beginning.
    pub(crate) fn known_later(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| if let Act::Begin(order_id) = &entry.act { Some(order_id.as_str()) } else { None })
    }

    /// Whether time passes in it.
    pub fn advances(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.act, Act::Advance(_)))
    }

    /// Whether it does something to the target that others notice who use it at the same time: it is killed or stands still, or
    /// time passes.
    pub fn wants_target_alone(&self) -> bool {
        let stands_still = |delivery: &Delivery| matches!(delivery.mishap, Some(Mishap::StandsStill { .. }));
        self.kills() || self.advances() || self.all_deliveries().any(stands_still)
    }

    /// Whether running it twice on one target may end differently: deliveries race with each other, or with what ends or stops it.
    pub fn is_chancy(&self) -> bool {
        let races =
            |delivery: &Delivery| matches!(delivery.mishap, Some(Mishap::Reset | Mishap::Killed { .. } | Mishap::StandsStill { .. }));
        self.races() || self.all_deliveries().any(races)
    }

    /// Whether some deliveries are sent at the same time.
    pub fn races(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.act, Act::Together(_) | Act::Meanwhile(..)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_secret_is_another() {
        for secret in ["", "x", "xx", "secret", "whsec_refundproof", "ünïcödé", "c2VjcmV0IQ=="] {
            for way in OtherSecret::ALL {
                assert_ne!(way.of(secret), secret, "{way:?}");
            }
        }
    }
}
