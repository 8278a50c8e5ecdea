//! Providers: who sends what when something happens to an order.
//!
//! A provider is one folder of data (`corpus/NAME`) and one of code. What it has to say is in the
//! [`Provider`] trait: its corpus, what can happen with it, how its events look, how it signs. Everything
//! else is the same for all of them, `lower` above all: it turns a plan into a case.

mod api;
pub mod digital_river;
mod lower;
mod mint;
pub mod mode;
mod read;
pub mod registry;
mod seal;
mod sending;
pub mod stripe;
pub mod tazapay;
mod template;
mod texts;
mod times;

pub use api::{ApiStore, ProviderApi, Shown};
pub use lower::{Audience, Lowering, lower, lower_for};
pub use mint::Mint;
pub(crate) use mint::mix;
pub use read::{EventReader, OrderSaid, Said, Unread};
pub use registry::{Registered, named, registered};
pub use seal::Seal;
pub use template::{Template, push_amount, push_plain};

use std::{collections::BTreeMap, time::Duration};

use crate::{
    case::OrderSetup,
    corpus::Corpus,
    domain::{Amount, Currency, EventTime, Lifecycle},
    model::{Change, EventFacts, OrderTruth, Tell},
    mutate::Anatomy,
    plan::{Extra, Palette},
};

/// One payment provider.
pub trait Provider: Send + Sync {
    /// The name that `--provider` takes.
    fn name(&self) -> &str;

    /// Its examples, catalogue, requirements and frozen sequences.
    fn corpus(&self) -> &Corpus;

    /// What plans for it may hold.
    fn palette(&self) -> &Palette;

    /// The currencies that plans choose from.
    fn currencies(&self) -> &[Currency];

    /// How many fraction digits its amounts in a currency can have; as many as the currency has, where nothing else is said.
    fn digits(&self, currency: Currency) -> u32 {
        currency.digits()
    }

    /// How many digits its amounts in a currency have behind the point, where events write them as whole numbers of a smaller unit;
    /// `None` where they are decimal numbers of the major unit.
    fn digits_sent(&self) -> Option<fn(Currency) -> u32> {
        None
    }

    /// The largest amount of an order, in units of [`Provider::digits`]: 10^12 major units where nothing else is said.
    fn most(&self, currency: Currency) -> u64 {
        10_u64.pow(12 + self.digits(currency))
    }

    /// Which state of its refunds may follow which.
    fn lifecycle(&self) -> Lifecycle {
        Lifecycle::ENDS_ONCE
    }

    /// Whether it writes times as whole seconds, so that events may bear the same one. Its events then have places that no
    /// target sees ([`EventFacts::sequence`]).
    fn whole_seconds(&self) -> bool {
        false
    }

    /// An id of the kind that the provider gives to something of an order.
    fn id(&self, mint: &Mint, of: IdOf) -> String;

    /// An id for the same of another form that documents show: another kind of order id, a refund id as long as they get. Asked
    /// for where [`Palette::extras`] has such.
    fn other_id(&self, mint: &Mint, of: IdOf) -> String {
        self.id(mint, of)
    }

    /// Whether an order of so much (in minor units) may have this; [`Palette::extras`] says what orders may have at all.
    fn may_have(&self, _extra: Extra, _currency: Currency, _captured: u64) -> bool {
        true
    }

    /// The events that tell of a change, in the order in which they are created.
    fn tell(&self, scene: &Scene<'_>, change: &Change) -> Vec<Message>;

    /// An event of a type that nobody has heard of, about the order of the scene.
    fn unknown(&self, scene: &Scene<'_>, name: u8) -> Message;

    /// Order events that introduce an order which exists and is captured, for targets that nobody else tells of orders;
    /// none where the provider has no such events.
    fn introduce(&self, order: &OrderSetup) -> Vec<Message> {
        let _ = order;
        Vec::new()
    }

    /// Reads events as they were received, so that logs of real traffic become cases; none where nobody has written that.
    fn reader(&self) -> Option<&'static dyn EventReader> {
        None
    }

    /// Its API, where consumers of its webhooks call it and the harness serves it.
    fn api(&self) -> Option<&'static dyn ProviderApi> {
        None
    }

    /// The objects of its API that came into being or are others after a change, of which `messages` tell; without messages,
    /// those of an order of which nothing was refunded yet. Objects that are not shown again stay as they were.
    fn shows(&self, scene: &Scene<'_>, messages: &[Message]) -> Vec<Shown> {
        let _ = (scene, messages);
        Vec::new()
    }

    /// The API version beside the current one for which a target may be registered, where there is one.
    fn older_version(&self) -> Option<&'static str> {
        None
    }

    /// Whether it sends events of a type to whoever is registered for its current API version, or for its `older` one. A
    /// provider that has one version sends all of its types.
    fn sends(&self, kind: &str, older: bool) -> bool {
        let _ = (kind, older);
        true
    }

    /// The member of its events that is true where they are of its live mode, and false where they are of its test mode; none
    /// where its events do not say of which they are.
    fn mode_member(&self) -> Option<&'static str> {
        None
    }

    /// Whether what it sends is of its live mode.
    fn is_live(&self) -> bool {
        false
    }

    /// The same provider as its live mode sends, where its events say of which mode they are.
    fn in_live_mode(&self) -> Option<Box<dyn Provider>> {
        None
    }

    /// Where in the body of an event the places are that mutations need, and what the event is needed for. `captured` is
    /// what was captured of its order.
    fn anatomy(&self, event: &EventFacts, body: &crate::json::Value, captured: Amount, currency: Currency) -> Anatomy;

    /// The name of the header that carries the signature, in lower case. A target may ask for another name; whoever sends
    /// renames the header of this name among those that [`Provider::sign`] made, and the others are sent as they are.
    fn signature_header(&self) -> &str;

    /// How long it waits for the answer to a delivery before that counts as failed.
    fn answer_limit(&self) -> Duration {
        Duration::from_millis(3000)
    }

    /// Members of the bodies of events of a type, as JSON Pointers, that plain ones do not have and that a reader must see where
    /// they are there: they may be what a consumer trips over.
    fn telling_members(&self, kind: &str) -> &[&str] {
        let _ = kind;
        &[]
    }

    /// Whether it sends an event again after an answer that is no 2xx. It does, where nothing else is said; what it does not send
    /// again is lost when it was refused.
    fn sends_again_after(&self, status: u16) -> bool {
        let _ = status;
        true
    }

    /// Whether an object has no more than one event of a type, so that a consumer may tell by object and type that it knows an event
    /// already. A doubtful event of such a type then stands in place of the true one and never beside it.
    fn once(&self, kind: &str) -> bool {
        let _ = kind;
        false
    }

    /// The event type that tells what one of this type tells, and that consumers who handle one of the two handle.
    fn mirrored(&self, kind: &str) -> Option<&'static str> {
        let _ = kind;
        None
    }

    /// The name of the endpoint that an event goes to, for a provider whose consumers register several of them, such as one for
    /// refunds and one for disputes; none where there is only one.
    fn endpoint(&self, event: &EventFacts) -> Option<&str> {
        let _ = event;
        None
    }

    /// What a consumer must have beside the secret to verify a signature, by the names that the provider's documents use: a
    /// public key, the id of an endpoint. It is told in [`Hello::keys`](crate::adapter::Hello::keys).
    fn keys(&self, secret: &str) -> BTreeMap<String, String> {
        let _ = secret;
        BTreeMap::new()
    }

    /// The signature that stands inside a body, for a provider that signs there; none for a body without a place for it.
    /// It is put into the body before [`Provider::sign`] makes headers for that. Calling it again for a body that has its
    /// signature already must give the same place.
    fn seal(&self, secrets: &[&str], unix_seconds: u64, body: &[u8]) -> Option<Seal> {
        let _ = (secrets, unix_seconds, body);
        None
    }

    /// The headers that authenticate a body; `secrets` has more than one while a secret is being rotated.
    fn sign(&self, secrets: &[&str], unix_seconds: u64, body: &[u8]) -> Vec<(String, String)>;

    /// The headers that [`Provider::sign`] made, with a signature of another scheme in this place; the same headers where the
    /// provider's signatures have no schemes ([`Palette::several_schemes`]).
    fn with_another_scheme(&self, headers: Vec<(String, String)>, place: SchemePlace) -> Vec<(String, String)> {
        let _ = place;
        headers
    }
}

/// Where a signature of another scheme stands in the headers that a provider signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemePlace {
    /// Before the right one: a signature that belongs to nothing.
    Before,
    /// After the right one: a signature that belongs to nothing.
    After,
    /// There is no other: the text of the right signature under the name of another scheme, which must not be taken for one.
    Alone,
}

/// What an id is for; indices count from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdOf {
    /// An order of the case.
    Order(usize),
    /// A charge of an order.
    Charge(usize, usize),
    /// An item of an order.
    Item(usize, usize),
    /// A refund of an order.
    Refund(usize, usize),
    /// The payment of an order, with providers whose events name it.
    Payment(usize),
    /// A dispute about an order, with providers whose disputes are objects.
    Dispute(usize, usize),
}

/// An order as the provider sees it when something has just happened to it.
#[derive(Debug)]
pub struct Scene<'a> {
    /// Index of the order in the case.
    pub order: usize,
    /// The truth, after the change.
    pub truth: &'a OrderTruth,
    /// Its ids.
    pub names: &'a Names,
    /// Its currency.
    pub currency: Currency,
    /// When each of its refunds was created.
    pub refund_times: &'a [EventTime],
    /// When each of its disputes was opened.
    pub dispute_times: &'a [EventTime],
    /// When it was created itself.
    pub created: &'a EventTime,
    /// When the events of this change are created, one time for each. Where a change has more events, the last time stands
    /// for all that are missing, and whoever asked asks again with as many as there are events.
    pub times: &'a [EventTime],
    /// Makes ids.
    pub mint: Mint,
    /// Number of the change within the case, for ids that belong to it.
    pub moment: u64,
    /// Chooses between equally good looks; zero is the plainest.
    pub look: u32,
    /// Whether bodies are those of the provider's older API version.
    pub older: bool,
}

impl Scene<'_> {
    /// Whether an optional feature of the look is on; `what` names it. The plainest look has none.
    pub fn fancy(&self, what: &str, index: u64) -> bool {
        self.look != 0 && self.variant(what, index, 2) == 1
    }

    /// A number below `choices` that follows from the look; zero for the plainest.
    pub fn variant(&self, what: &str, index: u64, choices: u64) -> u64 {
        if self.look == 0 { 0 } else { Mint::new(u64::from(self.look)).number(what, self.moment * 64 + index) % choices }
    }

    /// A number below `choices` that follows from the look as well, and stays the same in all that is told of one thing of the order: its
    /// refund or dispute number `index`. The plainest look takes one choice after the other.
    pub(super) fn lasting(&self, what: &str, index: usize, choices: usize) -> usize {
        let number = if self.look == 0 { index as u64 } else { Mint::new(u64::from(self.look)).number(what, index as u64) };
        // It is less than a number that came from there.
        usize::try_from(number % choices.max(1) as u64).unwrap_or(0)
    }
}

/// The provider's ids for one order and its parts.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The order.
    pub order: String,
    /// Its charges.
    pub charges: Vec<String>,
    /// Its items.
    pub items: Vec<String>,
    /// Its refunds.
    pub refunds: Vec<String>,
    /// Its payment; empty with providers whose events do not name it.
    pub payment: String,
    /// Its disputes.
    pub disputes: Vec<String>,
}

/// One event, composed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it was written to tell.
    pub facts: EventFacts,
    /// Its body.
    pub body: String,
    /// Whether no document says what a target must make of it: it may be applied, or not.
    pub is_doubtful: bool,
}

impl Message {
    /// A message of these parts.
    pub fn new(id: String, kind: &str, order_id: Option<&str>, created_time: EventTime, tells: Vec<Tell>, body: String) -> Message {
        let facts = EventFacts { id, kind: kind.to_owned(), order_id: order_id.map(str::to_owned), created_time, sequence: 0, tells };
        Message { facts, body, is_doubtful: false }
    }

    /// The same message, of which no document says what a target must make of it.
    #[must_use]
    pub fn doubtful(self) -> Message {
        Message { is_doubtful: true, ..self }
    }
}
