//! The events that tell of a change: which, in which order, and what stands in all of them.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    NAME, code,
    money::sent,
    older,
    places::{Carries, Place, template, without_card},
};
use crate::{
    corpus::{Corpus, CorpusError},
    domain::{Amount, EventTime, RefundState},
    json::{Value, indented},
    model::{Change, Covered, Tell},
    plan::Extra,
    provider::{Message, Scene, Template, push_plain},
};

pub(super) const REFUND_CREATED: &str = "refund.created";
pub(super) const REFUND_UPDATED: &str = "refund.updated";
pub(super) const REFUND_FAILED: &str = "refund.failed";
pub(super) const CHARGE_REFUNDED: &str = "charge.refunded";
pub(super) const CHARGE_REFUND_UPDATED: &str = "charge.refund.updated";
pub(super) const DISPUTE_CREATED: &str = "charge.dispute.created";
pub(super) const DISPUTE_UPDATED: &str = "charge.dispute.updated";
pub(super) const DISPUTE_CLOSED: &str = "charge.dispute.closed";
pub(super) const FUNDS_WITHDRAWN: &str = "charge.dispute.funds_withdrawn";
pub(super) const FUNDS_REINSTATED: &str = "charge.dispute.funds_reinstated";

const TOLD: [&str; 10] = [
    REFUND_CREATED,
    REFUND_UPDATED,
    REFUND_FAILED,
    CHARGE_REFUNDED,
    CHARGE_REFUND_UPDATED,
    DISPUTE_CREATED,
    DISPUTE_UPDATED,
    DISPUTE_CLOSED,
    FUNDS_WITHDRAWN,
    FUNDS_REINSTATED,
];

/// Of which a refund or a dispute has one at most. The others tell of each change anew.
pub(super) const ONCE: [&str; 6] = [REFUND_CREATED, REFUND_FAILED, DISPUTE_CREATED, DISPUTE_CLOSED, FUNDS_WITHDRAWN, FUNDS_REINSTATED];

/// Events whose charge is the one that paid for the order; other charges are earlier attempts.
pub(super) const OF_THE_CHARGE: [&str; 4] = [CHARGE_REFUNDED, "charge.succeeded", "charge.captured", "charge.updated"];

/// That the payment intent of an order was paid.
pub(super) const PAID: &str = "payment_intent.succeeded";

/// Events in which the charge that paid is the payment intent's latest; elsewhere it is an earlier attempt.
const WITH_THE_CHARGE: [&str; 3] = [PAID, CAPTURABLE, "payment_intent.processing"];

const CAPTURABLE: &str = "payment_intent.amount_capturable_updated";

/// A payment intent that is given up is not the one that was paid.
const OF_ANOTHER_PAYMENT: &str = "payment_intent.canceled";

/// Names that no catalogue has, for events that a consumer must acknowledge without knowing them.
const UNKNOWN_TYPES: [&str; 4] =
    ["payment_insight.updated", "billing.credit_forecast.created", "issuing_rule.archived", "treasury.sweep.settled"];

/// One more, which begins like the types of refunds and is about none.
const LIKE_A_REFUND: &str = "refund_insight.created";

/// More events than one change has; numbers their ids.
const MOST_EVENTS: u64 = 1 << 20;

/// All templates of the provider.
#[derive(Clone, Debug)]
pub(super) struct Events {
    templates: BTreeMap<String, Kind>,
    others: Vec<String>,
}

/// The templates of a type of event.
#[derive(Clone, Debug)]
struct Kind {
    carries: Carries,
    template: Template<Place>,
    /// The one for payments that are not made by card, where it is another.
    otherwise: Option<Template<Place>>,
}

impl Events {
    pub(super) fn new(corpus: &Corpus) -> Result<Events, CorpusError> {
        let mut templates = BTreeMap::new();
        for entry in &corpus.catalogue {
            let Some(example) = corpus.examples.get(&entry.kind) else { continue };
            let otherwise = without_card(example).map(|example| template(&example));
            let kind = Kind { carries: Carries::of(example), template: template(example), otherwise };
            templates.insert(entry.kind.clone(), kind);
        }
        if let Some(missing) = TOLD.iter().find(|kind| !templates.contains_key(**kind)) {
            let problem = format!("an example of `{missing}` is missing; payloads are made from it");
            return Err(CorpusError { file: format!("corpus/{NAME}"), problem });
        }
        let others = templates.keys().filter(|kind| !TOLD.contains(&kind.as_str())).cloned().collect();
        Ok(Events { templates, others })
    }

    /// How many event types are only traffic.
    pub(super) fn others(&self) -> usize {
        self.others.len()
    }

    /// The events that tell of a change.
    pub(super) fn tell(&self, scene: &Scene<'_>, change: &Change) -> Vec<Message> {
        let mut family = Family { events: self, scene, messages: Vec::new(), earliest: None };
        match change {
            Change::Opened { refund, ends, .. } => family.opened(*refund, ends),
            Change::Moved { refunds, from, to, .. } => refunds.iter().for_each(|refund| family.moved(*refund, *from, *to)),
            Change::MetadataUpdated { refund } => family.updated_silently(*refund),
            Change::Dispute { dispute, to, fails } => {
                fails.iter().for_each(|refund| family.moved(*refund, RefundState::Pending, RefundState::Failed));
                family.disputed(*dispute, *to);
            }
            Change::Other { event } => family.other(*event),
            // Its palette has nothing else.
            _ => {}
        }
        family.messages
    }
}

impl Events {
    /// The object in an event of a type that only shows it.
    pub(super) fn object(&self, scene: &Scene<'_>, kind: &str) -> Option<Value> {
        let index = self.others.iter().position(|other| other == kind)?;
        let mut family = Family { events: self, scene, messages: Vec::new(), earliest: None };
        family.other(u16::try_from(index).ok()?);
        let event: Value = serde_json::from_str(&family.messages.pop()?.body).ok()?;
        event.pointer("/data/object").cloned()
    }
}

/// The events of one change.
pub(super) struct Family<'a> {
    events: &'a Events,
    pub(super) scene: &'a Scene<'a>,
    pub(super) messages: Vec<Message>,
    /// Before which the next event is not made, where that is later than its time.
    pub(super) earliest: Option<EventTime>,
}

/// Who pays in Stripe's examples.
const CUSTOMER: &str = "cus_ClQ0Ti1JKSZP88";
const EMAIL: &str = "paula.buyer@example.com";

/// Whether what is rare holds for refund or dispute number `index`, or for the order as a whole: it does for one in four.
pub(super) fn is_seldom(scene: &Scene<'_>, what: &str, index: usize) -> bool {
    const ONE_IN: usize = 4;
    scene.lasting(what, index, ONE_IN) == ONE_IN - 1
}

impl Family<'_> {
    /// Adds an event of a type. `fill` writes what only its kind of object has.
    pub(super) fn push(&mut self, kind: &str, by_shop: bool, tells: Vec<Tell>, fill: &dyn Fn(Place, &mut String)) {
        let scene = self.scene;
        let (time, id) = (self.time(), event_id(scene, self.messages.len()));
        let Some(mut body) = self.body(kind, &id, by_shop, fill) else { return };
        let mut tells = tells;
        if scene.older {
            let (older, told) = self.in_older_version(kind, &body);
            body = older;
            tells.extend(told);
        }
        self.messages.push(Message::new(id, kind, Some(&scene.names.order), time, tells, body));
    }

    /// The body of an event of a type in the current version.
    pub(super) fn body(&self, kind: &str, id: &str, by_shop: bool, fill: &dyn Fn(Place, &mut String)) -> Option<String> {
        let scene = self.scene;
        // Every type used here was checked when the corpus was loaded.
        let Kind { carries, template, otherwise } = self.events.templates.get(kind)?;
        let template = otherwise.as_ref().filter(|_| scene.truth.has(Extra::NoCard)).unwrap_or(template);
        let time = self.time();
        let own_charge = *carries != Carries::Charge || OF_THE_CHARGE.contains(&kind);
        // A guest has no account, and need not give an address.
        let is_guest = is_seldom(scene, "guest", 0);
        let mut body = String::with_capacity(4000);
        template.render(&mut body, &mut |place, out| match place {
            Place::EventId => push_plain(out, id),
            Place::EventTime => _ = write!(out, "{}", seconds(&time)),
            Place::Request if by_shop => {
                let request = code(&scene.mint, "request", scene.moment, 14);
                let key = scene.mint.uuid("idempotency", scene.moment);
                _ = write!(out, r#"{{"id":"req_{request}","idempotency_key":"{key}"}}"#);
            }
            Place::Request => out.push_str(r#"{"id":null,"idempotency_key":null}"#),
            Place::Charge => push_plain(out, charge(scene)),
            Place::PaymentIntent => push_plain(out, &scene.names.payment),
            Place::Currency => push_plain(out, &scene.currency.code().to_lowercase()),
            Place::Customer | Place::Email if is_guest => out.push_str("null"),
            Place::Customer => push_plain(out, CUSTOMER),
            Place::Email => push_plain(out, EMAIL),
            Place::Id if *carries == Carries::Charge && own_charge => push_plain(out, charge(scene)),
            Place::Id if *carries == Carries::Payment && kind != OF_ANOTHER_PAYMENT => push_plain(out, &scene.names.payment),
            Place::Metadata if matches!(carries, Carries::Charge | Carries::Payment) => {
                _ = write!(out, r#"{{"order_id":"{}"}}"#, scene.names.order);
            }
            place => fill(place, out),
        });
        Some(body)
    }

    /// The time of the event that is pushed next.
    pub(super) fn time(&self) -> EventTime {
        let times = self.scene.times;
        let time = &times[self.messages.len().min(times.len() - 1)];
        self.earliest.as_ref().filter(|earliest| *earliest > time).unwrap_or(time).clone()
    }

    pub(super) fn amount(&self, minor: u64) -> Amount {
        Amount::from_minor(minor, super::money::digits(self.scene.currency))
    }

    /// The running total of the charge and what it sums up: refunds under way count, refunds that failed do not.
    pub(super) fn total(&self, in_passing: bool) -> (u64, Tell) {
        let (scene, mut sum) = (self.scene, 0);
        let mut covers = Vec::new();
        for (refund, id) in scene.truth.refunds.iter().zip(&scene.names.refunds) {
            if refund.state.has_money() {
                sum += refund.requested;
                covers.push(Covered { id: id.clone(), state: refund.state, amount: self.amount(refund.requested) });
            }
        }
        let tell = Tell::Total { id: charge(scene).to_owned(), refunded_amount: self.amount(sum), covers, in_passing };
        (sum, tell)
    }

    /// The running total of the charge, where something that is not about it shows it.
    pub(super) fn counted_in_passing(&self) -> Option<Tell> {
        let (sum, tell) = self.total(true);
        (sum > 0).then_some(tell)
    }

    /// The order's charge as it is now.
    pub(super) fn own_charge(&self) -> Option<Value> {
        let (sum, captured) = (self.total(true).0, self.scene.truth.captured);
        let fill = |place, out: &mut String| self_of_charge(self.scene, place, sum, captured, out);
        let body = self.body("charge.succeeded", "", false, &fill)?;
        serde_json::from_str::<Value>(&body).ok()?.pointer("/data/object").cloned()
    }

    /// Something that has nothing to do with refunds. A charge shows what was refunded of it all the same.
    fn other(&mut self, index: u16) {
        let others = &self.events.others;
        let Some(kind) = others.get(usize::from(index) % others.len().max(1)).cloned() else { return };
        let scene = self.scene;
        let of_the_charge = OF_THE_CHARGE.contains(&kind.as_str());
        let sum = self.total(true).0;
        let tells = self.counted_in_passing().filter(|_| of_the_charge).into_iter().collect();
        let captured = scene.truth.captured;
        self.push(&kind, false, tells, &|place, out| match place {
            Place::Id => {
                let prefix = match kind.split('.').next() {
                    Some("charge") => "ch_3",
                    Some("payment_intent") => "pi_3",
                    Some("review") => "prv_1",
                    _ => "issfr_1",
                };
                push_plain(out, &another(scene, prefix));
            }
            Place::Created => _ = write!(out, "{}", seconds(scene.created)),
            _ if of_the_charge => self_of_charge(scene, place, sum, captured, out),
            Place::Amount | Place::Authorized => _ = write!(out, "{}", sent(captured, scene.currency)),
            Place::Received if kind == PAID => _ = write!(out, "{}", sent(captured, scene.currency)),
            Place::Capturable if kind == CAPTURABLE => _ = write!(out, "{}", sent(captured, scene.currency)),
            Place::Captured | Place::AmountRefunded | Place::Received | Place::Capturable => out.push('0'),
            Place::Remaining => _ = write!(out, "{}", sent(captured - captured / 2, scene.currency)),
            Place::ClientSecret => {
                let payment = if kind == OF_ANOTHER_PAYMENT { another(scene, "pi_3") } else { scene.names.payment.clone() };
                push_plain(out, &format!("{payment}_secret_{}", code(&scene.mint, "client secret", scene.order as u64, 25)));
            }
            Place::LatestCharge if WITH_THE_CHARGE.contains(&kind.as_str()) => push_plain(out, charge(scene)),
            Place::LatestCharge => push_plain(out, &format!("ch_3{}", code(&scene.mint, "earlier", scene.moment, super::LENGTH))),
            Place::IsDisputed | Place::IsRefunded => out.push_str("false"),
            Place::BalanceTransaction | Place::Receipt => out.push_str("null"),
            _ => {}
        });
    }
}

/// What the charge says of itself.
pub(super) fn self_of_charge(scene: &Scene<'_>, place: Place, refunded: u64, captured: u64, out: &mut String) {
    // Writing to a string cannot fail.
    _ = match place {
        Place::Amount | Place::Captured | Place::Authorized => write!(out, "{}", sent(captured, scene.currency)),
        Place::AmountRefunded => write!(out, "{}", sent(refunded, scene.currency)),
        Place::IsRefunded => write!(out, "{}", refunded == captured),
        // It stays true when the dispute is over.
        Place::IsDisputed => write!(out, "{}", scene.truth.disputes.iter().any(|dispute| dispute.withdrawn)),
        Place::BalanceTransaction => write!(out, r#""txn_3{}""#, code(&scene.mint, "sale", scene.order as u64, super::LENGTH)),
        Place::Created => write!(out, "{}", seconds(scene.created)),
        Place::Receipt => write!(out, "{}", receipt(scene, refunded)),
        _ => Ok(()),
    };
}

/// The address of a receipt, which changes with what was refunded.
pub(super) fn receipt(scene: &Scene<'_>, refunded: u64) -> String {
    format!(r#""https://example.com/receipts/{}""#, code(&scene.mint, "receipt", scene.order as u64 ^ refunded << 8, 24))
}

/// The id of something that is not of the order.
fn another(scene: &Scene<'_>, prefix: &str) -> String {
    format!("{prefix}{}", code(&scene.mint, "other", scene.moment, super::LENGTH))
}

/// An order has one charge.
pub(super) fn charge<'a>(scene: &Scene<'a>) -> &'a str {
    scene.names.charges.first().map(String::as_str).unwrap_or_default()
}

pub(super) fn seconds(time: &EventTime) -> i64 {
    time.micros().div_euclid(1_000_000)
}

fn event_id(scene: &Scene<'_>, event: usize) -> String {
    format!("evt_1{}", code(&scene.mint, "event", scene.moment * MOST_EVENTS + event as u64, super::LENGTH))
}

/// An event of a type that nobody has heard of.
pub(super) fn unknown(scene: &Scene<'_>, name: u8) -> Message {
    let is_like_a_refund = usize::from(name) % (2 * UNKNOWN_TYPES.len()) == UNKNOWN_TYPES.len();
    let kind = if is_like_a_refund { LIKE_A_REFUND } else { UNKNOWN_TYPES[usize::from(name) % UNKNOWN_TYPES.len()] };
    let id = format!("evt_1{}", code(&scene.mint, "unknown", scene.moment * 256 + u64::from(name), super::LENGTH));
    let object = code(&scene.mint, "unknown object", scene.moment, super::LENGTH);
    let (time, amount) = (&scene.times[0], sent(1, scene.currency));
    let created = seconds(time);
    let (charge, payment) = (charge(scene), &scene.names.payment);
    let currency = scene.currency.code().to_lowercase();
    let version = if scene.older { older::VERSION } else { "2026-10-28.endive" };
    let body = format!(
        r#"{{"id":"{id}","object":"event","api_version":"{version}","created":{created},"data":{{"object":{{"id":"ins_1{object}","object":"insight","amount":{amount},"charge":"{charge}","created":{created},"currency":"{currency}","payment_intent":"{payment}","status":"succeeded"}}}},"livemode":false,"pending_webhooks":1,"request":{{"id":null,"idempotency_key":null}},"type":"{kind}"}}"#
    );
    Message::new(id, kind, Some(&scene.names.order), time.clone(), Vec::new(), indented(&body))
}
