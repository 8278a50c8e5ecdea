//! Every kind of delivery, put to the check that Stripe's library makes before a shop sees an event.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use refundproof::{
    adapter::{Capabilities, Hello, Introduction, Request, Target, TargetError},
    case::{Act, Case, Delivery, Effect, Entry, OrderSetup, Signature},
    check::Rules,
    domain::{Clock, OrderState},
    drive::{Conditions, Driver},
    plan::{Group, MutationKind},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{cases, is_installed, node, stripe};

/// Cases of each requirement.
const DRAWS: u64 = 60;

/// When deliveries are signed and arrive.
const NOW: u64 = 1_750_000_000;

/// What the library makes of a delivery.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Made {
    /// The library hands on whatever stands there.
    Accepted {
        id: Option<Value>,
        r#type: Option<Value>,
    },
    Refused(String),
}

/// What the library must make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Expected {
    /// The event that was written.
    Event,
    /// Whatever JSON there is: the library looks at no event's members.
    Signed,
    /// Nothing, for whatever reason.
    Refused,
    /// Nothing, because of the signature.
    Forged,
}

fn expected(delivery: &Delivery) -> Expected {
    match delivery.mutation_kind.map(MutationKind::group) {
        None | Some(Group::Addition | Group::Equivalent | Group::Unusual | Group::Rotation) => Expected::Event,
        Some(Group::Malformed) => Expected::Refused,
        Some(Group::NoEvent | Group::Incomplete | Group::Doubtful) => Expected::Signed,
        Some(Group::Unsigned | Group::Tampered | Group::Stale) => Expected::Forged,
    }
}

/// Keeps what it is sent.
#[derive(Clone, Default)]
struct Postbox(Arc<Mutex<Vec<Posted>>>);

struct Posted {
    signature: Option<String>,
    body: Vec<u8>,
}

impl Postbox {
    fn emptied(&self) -> Vec<Posted> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Target for Postbox {
    fn hello(&mut self, _: &Hello) -> Result<Introduction, TargetError> {
        let capabilities = Capabilities::new().with(|claims| claims.verifies_signatures = true);
        Ok(Introduction::new("postbox", "1", capabilities))
    }

    fn begin(&mut self, _: &str, _: &[OrderSetup]) -> Result<(), TargetError> {
        Ok(())
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let signature = request.header(stripe().signature_header()).map(str::to_owned);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Posted { signature, body: request.body.to_vec() });
        Ok(200)
    }

    fn observe(&mut self, _: &str) -> Result<Option<OrderState>, TargetError> {
        Ok(None)
    }
}

/// The deliveries of these cases, each with what was sent for it, signed as every target is sent it.
fn sent(cases: &[Case], conditions: Conditions) -> Vec<(&Delivery, Posted)> {
    let postbox = Postbox::default();
    let mut driver = Driver::new(stripe(), Box::new(postbox.clone()), Clock::manual(NOW), conditions).expect("it starts");
    let mut all = Vec::new();
    for case in cases {
        for delivery in case.all_deliveries() {
            // By itself, so that whatever becomes of it nothing else is sent.
            let alone = Delivery { mishap: None, ..delivery.clone() };
            let entry = Entry { act: Act::Deliver(Box::new(alone)), expect: Vec::new(), expect_if_refused: Vec::new() };
            let case = Case { entries: vec![entry], expect: Vec::new(), expect_if_applied: Vec::new(), plan: None, ..case.clone() };
            driver.run("delivery", &case, Rules::default());
            let mut posted = postbox.emptied();
            assert_eq!(posted.len(), 1, "{delivery:?}");
            all.extend(posted.pop().map(|posted| (delivery, posted)));
        }
    }
    all
}

/// Asks the library about each.
fn asked(sent: &[(&Delivery, Posted)], secret: &str) -> Vec<Made> {
    let question = |(_, posted): &(&Delivery, Posted)| {
        let body = STANDARD.encode(&posted.body);
        json!({"header": posted.signature, "bodyBase64": body, "secret": secret, "receivedAt": NOW}).to_string()
    };
    let (_, out) = node(&["construct.mjs"], sent.iter().map(question).collect());
    out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// Whether the library made of it what it must.
fn is_right(delivery: &Delivery, expected: Expected, made: &Made) -> bool {
    const FORGED: &str = "StripeSignatureVerificationError";
    match (expected, made) {
        (Expected::Event, Made::Accepted { id, r#type }) => {
            let is = |made: &Option<Value>, written: &str| made.as_ref().and_then(Value::as_str) == Some(written);
            is(id, &delivery.event.id) && is(r#type, &delivery.event.kind)
        }
        (Expected::Signed, Made::Accepted { .. }) | (Expected::Refused, Made::Refused(_)) => true,
        // The library reads text: it leaves out a byte order mark, and whatever is not UTF-8 becomes something else.
        (Expected::Signed, Made::Refused(_)) => delivery.mutation_kind == Some(MutationKind::OtherEncoding),
        (Expected::Forged, Made::Refused(why)) => why == FORGED,
        (Expected::Event, Made::Refused(_)) | (Expected::Refused | Expected::Forged, Made::Accepted { .. }) => false,
    }
}

#[test]
fn the_library_takes_what_is_validly_signed_and_refuses_the_rest() {
    if !is_installed() {
        return;
    }
    let (cases, conditions) = (cases(DRAWS), Conditions::default());
    let secret = conditions.secrets.current().expect("it signs").to_owned();
    let sent = sent(&cases, conditions);
    let made = asked(&sent, &secret);
    assert_eq!(made.len(), sent.len());
    let wrong: Vec<String> = sent
        .iter()
        .zip(&made)
        .filter(|((delivery, _), made)| !is_right(delivery, expected(delivery), made))
        .map(|((delivery, posted), made)| {
            let kind = delivery.mutation_kind.map_or("as it is", MutationKind::name);
            format!("{} ({kind}, {:?}): {made:?}, signed {:?}", delivery.event.kind, delivery.signature, posted.signature)
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), sent.len(), wrong.join("\n"));
    // Whatever must be refused for its signature is among what the library refuses for it.
    for (delivery, _) in &sent {
        assert_eq!(delivery.effect == Effect::Refuse, expected(delivery) == Expected::Forged, "{delivery:?}");
        assert_eq!(is_genuine(&delivery.signature), expected(delivery) != Expected::Forged, "{delivery:?}");
    }
    assert_is_everything(sent.iter().map(|(delivery, _)| *delivery));
}

/// Whether a signature is right and no older than the library takes.
fn is_genuine(signature: &Signature) -> bool {
    matches!(signature, Signature::Valid | Signature::Rotated { .. } | Signature::OtherScheme { .. } | Signature::At { .. })
}

/// What has nothing to do in Stripe's bodies: amounts and times are whole numbers, there are no items, and the envelope has one form.
/// Nor in its signatures: the case of hexadecimal digits does not count.
const NOTHING_TO_CHANGE: &[MutationKind] = &[
    MutationKind::AmountForm,
    MutationKind::TimeDigits,
    MutationKind::EmptyItems,
    MutationKind::Envelope,
    MutationKind::ZonedTime,
    MutationKind::OtherCase,
];

/// Nothing passes for having been left out: every event type of the catalogue and every mutation that plans hold.
#[track_caller]
fn assert_is_everything<'d>(sent: impl Iterator<Item = &'d Delivery> + Clone) {
    let kinds: BTreeSet<&str> = sent.clone().map(|delivery| delivery.event.kind.as_str()).collect();
    let unsent: Vec<&str> =
        stripe().corpus().catalogue.iter().map(|event| event.kind.as_str()).filter(|kind| !kinds.contains(kind)).collect();
    assert!(unsent.is_empty(), "{unsent:?}");
    let mutations: BTreeSet<MutationKind> = sent.filter_map(|delivery| delivery.mutation_kind).collect();
    let tried = |kind: &&MutationKind| mutations.contains(kind) || NOTHING_TO_CHANGE.contains(kind);
    let untried: Vec<&MutationKind> = MutationKind::ALL.iter().filter(|kind| !tried(kind)).collect();
    assert!(untried.is_empty(), "{untried:?}");
}
