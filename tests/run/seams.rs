//! What the seams of `Provider` bear that no registered provider needs: a signature inside the body, a key beside the secret,
//! several endpoints, several events in one body. *Bottle post* is Paperboat with all of that.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, LazyLock, Mutex, atomic::AtomicBool},
};

use super::made_up_provider::provider::{Paperboat, paperboat, seal, shown};
use refundproof::{
    Amount, Capabilities, Hello, Introduction, OrderSetup, OrderState, Request, Target, TargetError, Verdict,
    corpus::Corpus,
    domain::{Clock, Currency},
    drive::Launch,
    model::{Change, EventFacts},
    mutate::Anatomy,
    plan::Palette,
    provider::{IdOf, Message, Mint, Provider, Scene, Seal},
    run::{Options, certify},
    testing::assert_provider,
};
use serde_json::Value;

/// Paperboat's events, posted in bottles.
struct Bottle(&'static Paperboat, Palette);

/// Where the seal stands in a body, before what it is.
const PLACE: &str = r#","cork":""#;

static BOTTLE: LazyLock<Bottle> = LazyLock::new(|| {
    // Refunds of a charge can be paid back together.
    let palette = Palette { charges: true, ..paperboat().palette().clone() };
    Bottle(paperboat(), palette)
});

/// The body with an empty place for the seal, and where that is; what is sealed is the body without the seal.
fn uncorked(body: &str) -> Option<(String, std::ops::Range<usize>)> {
    let start = body.rfind(PLACE)? + PLACE.len();
    let end = start + body[start..].find('"')?;
    Some((format!("{}{}", &body[..start], &body[end..]), start..end))
}

fn corked(secret: &str, wax: &str, body: &str) -> Option<String> {
    uncorked(body).map(|(plain, _)| seal(secret, wax, "", plain.as_bytes()))
}

fn wax(secret: &str) -> String {
    format!("wax-of-{}", secret.len())
}

impl Provider for Bottle {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn corpus(&self) -> &Corpus {
        self.0.corpus()
    }

    fn palette(&self) -> &Palette {
        &self.1
    }

    fn currencies(&self) -> &[Currency] {
        self.0.currencies()
    }

    fn id(&self, mint: &Mint, of: IdOf) -> String {
        self.0.id(mint, of)
    }

    /// All that a change tells comes in one bottle.
    fn tell(&self, scene: &Scene<'_>, change: &Change) -> Vec<Message> {
        let mut events = self.0.tell(scene, change).into_iter();
        let Some(mut first) = events.next() else { return Vec::new() };
        let more: Vec<Message> = events.collect();
        let bodies: Vec<&str> = more.iter().map(|message| message.body.as_str()).collect();
        let end = first.body.rfind('}').expect("an object");
        first.body.truncate(end);
        first.body.push_str(&format!(r#","also":[{}]{PLACE}"}}"#, bodies.join(",")));
        first.facts.tells.extend(more.into_iter().flat_map(|message| message.facts.tells));
        vec![first]
    }

    fn unknown(&self, scene: &Scene<'_>, name: u8) -> Message {
        let mut message = self.0.unknown(scene, name);
        let end = message.body.rfind('}').expect("an object");
        message.body.truncate(end);
        message.body.push_str(&format!(r#"{PLACE}"}}"#));
        message
    }

    fn anatomy(&self, event: &EventFacts, body: &refundproof::json::Value, captured: Amount, currency: Currency) -> Anatomy {
        self.0.anatomy(event, body, captured, currency)
    }

    fn endpoint(&self, event: &EventFacts) -> Option<&str> {
        Some(if event.kind.starts_with("refund.") { "refunds" } else { "parcels" })
    }

    fn keys(&self, secret: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("wax".to_owned(), wax(secret))])
    }

    fn seal(&self, secrets: &[&str], _: u64, body: &[u8]) -> Option<Seal> {
        let (body, secret) = (std::str::from_utf8(body).ok()?, secrets.first()?);
        let (_, at) = uncorked(body)?;
        Some(Seal { at, value: corked(secret, &wax(secret), body)? })
    }

    fn signature_header(&self) -> &str {
        "none"
    }

    fn sign(&self, _: &[&str], _: u64, _: &[u8]) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// What was seen of the requests, for all targets of a run.
#[derive(Default)]
struct Seen {
    endpoints: BTreeSet<String>,
    most_events: usize,
}

/// States and amounts, by the numbers of refunds.
type Refunds = BTreeMap<String, (String, Amount)>;

/// A consumer with an endpoint for refunds and one for parcels.
#[derive(Default)]
struct Beach {
    seen: Arc<Mutex<Seen>>,
    /// Whether it reads the first event of a bottle only.
    hasty: bool,
    /// Whether it opens every bottle.
    trusting: bool,
    secret: String,
    wax: String,
    orders: HashMap<String, (Amount, Refunds)>,
}

impl Beach {
    fn receive(&mut self, request: &Request<'_>) -> Result<(), u16> {
        let body = std::str::from_utf8(request.body).map_err(|_| 400_u16)?;
        let event: Value = serde_json::from_str(body).map_err(|_| 400_u16)?;
        let is_sealed = event["cork"].as_str().map(str::to_owned) == corked(&self.secret, &self.wax, body);
        if !(self.trusting || is_sealed && event["cork"].is_string()) {
            return Err(401);
        }
        let endpoint = request.endpoint().ok_or(404_u16)?;
        let more = event["also"].as_array().map_or(&[][..], Vec::as_slice);
        {
            let mut seen = self.seen.lock().expect("nobody panics with it");
            seen.endpoints.insert(endpoint.to_owned());
            seen.most_events = seen.most_events.max(1 + more.len());
        }
        if endpoint == "refunds" {
            let more = if self.hasty { &[] } else { more };
            std::iter::once(&event).chain(more).try_for_each(|event| self.book(&event["refund"]))?;
        }
        Ok(())
    }

    fn book(&mut self, refund: &Value) -> Result<(), u16> {
        let Some((_, refunds)) = refund["order"].as_str().and_then(|order| self.orders.get_mut(order)) else { return Ok(()) };
        let cents = Amount::from_minor(refund["cents"].as_u64().ok_or(400_u16)?, 2);
        let (number, state) = (refund["number"].as_str().ok_or(400_u16)?, refund["state"].as_str().ok_or(400_u16)?);
        let known = refunds.entry(number.to_owned()).or_insert_with(|| (state.to_owned(), cents));
        if state != "opened" {
            state.clone_into(&mut known.0);
        }
        Ok(())
    }
}

impl Target for Beach {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.secret.clone_from(&hello.secret);
        self.wax = hello.keys.get("wax").cloned().unwrap_or_default();
        Ok(Introduction::new("beach", "1", Capabilities::new().with(|claims| claims.verifies_signatures = true)))
    }

    fn begin(&mut self, _: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.orders.extend(orders.iter().map(|order| (order.order_id.clone(), (order.captured_amount, BTreeMap::new()))));
        Ok(())
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        Ok(self.receive(request).err().unwrap_or(200))
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let state = |(captured, refunds): &(Amount, Refunds)| {
            shown(order_id, *captured, &refunds.values().map(|(state, cents)| (state.as_str(), *cents)).collect::<Vec<_>>())
        };
        Ok(self.orders.get(order_id).map(state))
    }
}

/// What a consumer comes to, and what was seen on the way.
fn certified(change: impl Fn(&mut Beach) + Sync) -> (BTreeMap<String, Verdict>, Arc<Mutex<Seen>>) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let make = || {
        let mut beach = Beach { seen: Arc::clone(&seen), ..Beach::default() };
        change(&mut beach);
        Ok(Box::new(beach) as Box<dyn Target>)
    };
    let options = Options::new().with(|options| options.cases = 40);
    let launch = Launch::new("in-process", "", Clock::system(), make);
    let report = certify(&*BOTTLE, &launch, &options, &AtomicBool::new(false), &mut |_| {}).expect("it starts");
    let verdicts = report.requirements.iter().map(|result| (result.id.clone(), result.verdict)).collect();
    (verdicts, seen)
}

#[track_caller]
fn fails(change: impl Fn(&mut Beach) + Sync, requirement: &str) {
    let (verdicts, _) = certified(change);
    assert_eq!(verdicts[requirement], Verdict::Fail, "{verdicts:?}");
}

#[test]
fn they_are_providers() {
    assert_provider(paperboat());
    assert_provider(&*BOTTLE);
}

#[test]
fn a_conforming_consumer_passes() {
    let (verdicts, seen) = certified(|_| {});
    assert!(verdicts.values().all(|verdict| *verdict == Verdict::Pass), "{verdicts:?}");
    let seen = seen.lock().expect("nobody panics with it");
    assert_eq!(seen.endpoints, BTreeSet::from(["parcels".to_owned(), "refunds".to_owned()]));
    assert!(seen.most_events > 1, "no bottle held several events");
}

#[test]
fn who_opens_every_bottle_is_found() {
    fails(|beach| beach.trusting = true, "signature-required");
}

#[test]
fn who_reads_only_the_first_event_is_found() {
    fails(|beach| beach.hasty = true, "partial-refunds-add-up");
}
