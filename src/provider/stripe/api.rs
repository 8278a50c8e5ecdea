//! The part of Stripe's API that consumers of its webhooks call: refunds, charges, payment intents, disputes, events and
//! balance transactions can be looked at, and refunds can be made.
//!
//! Sources: <https://docs.stripe.com/api/refunds>, <https://docs.stripe.com/api/charges/object>,
//! <https://docs.stripe.com/api/disputes/object>, <https://docs.stripe.com/api/errors>, <https://docs.stripe.com/api/pagination>,
//! <https://docs.stripe.com/api/expanding_objects>, <https://docs.stripe.com/api/idempotent_requests>.

use super::{
    events::{Events, PAID, charge},
    money::digits_sent,
    older,
};
use crate::{
    adapter::{ApiCall, ApiMethod, ApiReply},
    domain::{Amount, Currency},
    json::{Map, Value},
    model::{DisputeEvent, Tell},
    provider::{ApiStore, Message, ProviderApi, Scene, Shown},
};

/// How many objects a page of a list has where nothing else is asked for, and at the most.
const PAGE: usize = 10;
const LONGEST_PAGE: usize = 100;

/// The objects that calls may name.
const COLLECTIONS: [(&str, &str); 6] = [
    ("refunds", "refund"),
    ("charges", "charge"),
    ("payment_intents", "payment_intent"),
    ("disputes", "dispute"),
    ("events", "event"),
    ("balance_transactions", "balance_transaction"),
];

/// Stripe's API.
#[derive(Debug)]
pub(super) struct StripeApi;

impl ProviderApi for StripeApi {
    fn answer(&self, call: &ApiCall, store: &mut dyn ApiStore) -> ApiReply {
        match answer(call, store) {
            Ok(value) => ApiReply { status: 200, body: text(&value) },
            Err(problem) => problem.reply(),
        }
    }

    fn subjects<'c>(&self, call: &'c ApiCall) -> Vec<&'c str> {
        let in_path = call.path.split('/').nth(3);
        in_path.into_iter().chain(["charge", "payment_intent"].iter().filter_map(|name| call.parameter(name))).collect()
    }

    fn version_header(&self) -> Option<&'static str> {
        Some("stripe-version")
    }

    fn also_named<'b>(&self, body: &'b str) -> Vec<&'b str> {
        const MOVEMENT: &str = "\"txn_";
        let ids = body.match_indices(MOVEMENT).filter_map(|(start, _)| body[start + 1..].split('"').next());
        ids.collect()
    }

    fn other_parameters(&self) -> ApiReply {
        let message = "Keys for idempotent requests can only be used with the same parameters they were first used with.".to_owned();
        Problem { kind: "idempotency_error", ..Problem::invalid(None, message) }.reply()
    }

    fn trouble(&self, status: u16) -> ApiReply {
        let (kind, what) = match status {
            429 => ("invalid_request_error", "Too many calls at the moment; try again later."),
            _ => ("api_error", "Something went wrong on the provider's side; try again later."),
        };
        let code = (status == 429).then_some("rate_limit");
        Problem { status, kind, code, parameter: None, message: what.to_owned() }.reply()
    }

    fn amount(&self, text: &str, currency: &str) -> Option<Amount> {
        let units: u64 = text.parse().ok()?;
        Some(Amount::from_minor(units, digits_sent(Currency::from_code(currency)?)))
    }
}

/// An error as Stripe answers it.
struct Problem {
    status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    parameter: Option<String>,
    message: String,
}

impl Problem {
    fn invalid(parameter: Option<&str>, message: String) -> Problem {
        Problem { status: 400, kind: "invalid_request_error", code: None, parameter: parameter.map(str::to_owned), message }
    }

    /// No such object.
    fn missing(kind: &str, id: &str, parameter: &str) -> Problem {
        Problem {
            status: 404,
            kind: "invalid_request_error",
            code: Some("resource_missing"),
            parameter: Some(parameter.to_owned()),
            message: format!("No such {kind}: '{id}'"),
        }
    }

    fn reply(self) -> ApiReply {
        let mut error = Map::new();
        if let Some(code) = self.code {
            error.insert("code", code.into());
            error.insert("doc_url", format!("https://docs.stripe.com/error-codes#{}", code.replace('_', "-")).into());
        }
        error.insert("message", self.message.into());
        if let Some(parameter) = self.parameter {
            error.insert("param", parameter.into());
        }
        error.insert("type", self.kind.into());
        ApiReply { status: self.status, body: text(&Value::from([("error", Value::from(error))])) }
    }
}

fn text(value: &Value) -> String {
    // A tree that was read or made here is always written.
    serde_json::to_string(value).unwrap_or_default()
}

fn answer(call: &ApiCall, store: &mut dyn ApiStore) -> Result<Value, Problem> {
    match call.key.as_deref() {
        Some(key) if key.starts_with("sk_test_") || key.starts_with("rk_test_") => {}
        Some(_) => {
            let message = "Invalid API key: the double takes every key that begins with sk_test_.".to_owned();
            return Err(Problem { status: 401, ..Problem::invalid(None, message) });
        }
        None => {
            let message = "No API key: it goes into the header Authorization, as `Bearer sk_test_…`.".to_owned();
            return Err(Problem { status: 401, ..Problem::invalid(None, message) });
        }
    }
    let words: Vec<&str> = call.path.trim_end_matches('/').split('/').skip(1).collect();
    let kind_of = |collection: &str| COLLECTIONS.iter().find(|(name, _)| *name == collection).map(|(_, kind)| *kind);
    match (call.method, &words[..]) {
        // Searching is served nowhere, although it looks like looking at an object.
        (ApiMethod::Get, ["v1", _, "search"]) => Err(unserved(call, store)),
        (ApiMethod::Get, ["v1", "refunds"]) => list(call, store, "refund", "/v1/refunds"),
        (ApiMethod::Get, ["v1", "disputes"]) => list(call, store, "dispute", "/v1/disputes"),
        (ApiMethod::Get, ["v1", "charges", charge, "refunds"]) => {
            find(store, "charge", charge)?;
            page(call, store.all_of(charge, "refund"), &format!("/v1/charges/{charge}/refunds"))
        }
        (ApiMethod::Get, ["v1", collection, id]) if kind_of(collection).is_some() => {
            known_parameters(call, &["expand"])?;
            let object = find(store, kind_of(collection).unwrap_or_default(), id)?;
            Ok(expanded(in_version(object, call, store), call, store))
        }
        (ApiMethod::Post, ["v1", "refunds"]) => refund(call, store),
        (ApiMethod::Post, ["v1", "refunds", id, "cancel"]) => {
            find(store, "refund", id)?;
            Err(Problem::invalid(None, format!("The refund '{id}' cannot be canceled: nothing in this case says so.")))
        }
        _ => Err(unserved(call, store)),
    }
}

fn unserved(call: &ApiCall, store: &mut dyn ApiStore) -> Problem {
    store.unknown(call);
    let message = format!("Unrecognized request URL ({}: {}). The double serves a part of the API only.", call.method.as_str(), call.path);
    Problem { status: 404, ..Problem::invalid(None, message) }
}

/// A parameter that is misspelt is an error and not passed over. Lists and maps have brackets after their names.
fn known_parameters(call: &ApiCall, known: &[&str]) -> Result<(), Problem> {
    let name = |parameter: &str| parameter.split('[').next().unwrap_or_default().to_owned();
    match call.parameters.iter().map(|(parameter, _)| name(parameter)).find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(unknown) => {
            let message = format!("Received unknown parameter: {unknown}");
            Err(Problem { code: Some("parameter_unknown"), ..Problem::invalid(Some(&unknown), message) })
        }
    }
}

fn find(store: &dyn ApiStore, kind: &str, id: &str) -> Result<Value, Problem> {
    let object = store.object(id).and_then(|text| serde_json::from_str::<Value>(&text).ok()).filter(|object| object["object"] == *kind);
    let object = object.or_else(|| (kind == "balance_transaction").then(|| transaction(store, id)).flatten());
    object.ok_or_else(|| Problem::missing(kind, id, "id"))
}

/// The movement of money that an object names: of a dispute it stands in the object itself, of a refund it follows from it.
fn transaction(store: &dyn ApiStore, id: &str) -> Option<Value> {
    let owners = ["refund", "dispute"].into_iter().flat_map(|kind| store.all_of(id, kind));
    owners.filter_map(|text| serde_json::from_str::<Value>(&text).ok()).find_map(|owner| {
        let inside = owner["balance_transactions"].as_array().into_iter().flatten().find(|entry| entry["id"] == *id);
        inside.cloned().or_else(|| of_refund(&owner, id))
    })
}

fn of_refund(refund: &Value, id: &str) -> Option<Value> {
    let is_failure = refund["failure_balance_transaction"] == *id;
    if !is_failure && refund["balance_transaction"] != *id {
        return None;
    }
    let amount = refund["amount"].as_number()?.as_str();
    let amount = if is_failure { amount.to_owned() } else { format!("-{amount}") };
    let (created, currency, source) = (refund["created"].as_number()?.as_str(), refund["currency"].as_str()?, refund["id"].as_str()?);
    let (kind, category) = if is_failure { ("refund_failure", "refund_failure") } else { ("refund", "refund") };
    let body = format!(
        r#"{{"id":"{id}","object":"balance_transaction","amount":{amount},"available_on":{created},"balance_type":"payments","created":{created},"currency":"{currency}","description":null,"exchange_rate":null,"fee":0,"fee_details":[],"net":{amount},"reporting_category":"{category}","source":"{source}","status":"available","type":"{kind}"}}"#
    );
    serde_json::from_str(&body).ok()
}

/// What lists can be asked for.
const LISTED: [&str; 7] = ["charge", "payment_intent", "created", "limit", "starting_after", "ending_before", "expand"];

/// What can be said of a new refund.
const MADE_OF: [&str; 11] = [
    "amount",
    "charge",
    "currency",
    "customer",
    "expand",
    "instructions_email",
    "metadata",
    "origin",
    "payment_intent",
    "reason",
    "refund_application_fee",
];

/// The objects of one charge or payment intent.
fn list(call: &ApiCall, store: &dyn ApiStore, kind: &str, url: &str) -> Result<Value, Problem> {
    known_parameters(call, &LISTED)?;
    let named = ["charge", "payment_intent"].into_iter().find_map(|name| call.parameter(name).map(|id| (name, id)));
    let Some((owner, id)) = named else {
        let message = "The double lists what belongs to a `charge` or a `payment_intent` only.".to_owned();
        return Err(Problem::invalid(Some("charge"), message));
    };
    find(store, owner, id).map_err(|_| Problem::missing(owner, id, owner))?;
    page(call, store.all_of(id, kind), url).map(|value| expanded(value, call, store))
}

fn page(call: &ApiCall, objects: Vec<String>, url: &str) -> Result<Value, Problem> {
    let limit = match call.parameter("limit") {
        None => PAGE,
        Some(text) => match text.parse() {
            Ok(limit) if (1..=LONGEST_PAGE).contains(&limit) => limit,
            _ => return Err(Problem::invalid(Some("limit"), format!("The limit '{text}' is not from 1 to {LONGEST_PAGE}."))),
        },
    };
    let objects: Vec<Value> =
        objects.iter().filter_map(|text| serde_json::from_str(text).ok()).filter(|object| is_in_time(call, object)).collect();
    let place = |name: &str| match call.parameter(name) {
        None => Ok(None),
        Some(id) => match objects.iter().position(|object| object["id"] == *id) {
            Some(place) => Ok(Some(place)),
            None => Err(Problem::missing("object", id, name)),
        },
    };
    let (first, end) = match (place("starting_after")?, place("ending_before")?) {
        (Some(after), _) => (after + 1, (after + 1 + limit).min(objects.len())),
        (None, Some(before)) => (before.saturating_sub(limit), before),
        (None, None) => (0, limit.min(objects.len())),
    };
    let has_more = if call.parameter("ending_before").is_some() { first > 0 } else { end < objects.len() };
    let data = objects.into_iter().skip(first).take(end - first).collect::<Vec<Value>>();
    Ok(Value::from([("object", "list".into()), ("data", data.into()), ("has_more", has_more.into()), ("url", url.into())]))
}

/// Whether an object was made when the call asks for.
fn is_in_time(call: &ApiCall, object: &Value) -> bool {
    let Some(created) = object["created"].as_u64() else { return true };
    let holds = |name: &str, holds: fn(u64, u64) -> bool| {
        call.parameter(name).and_then(|text| text.parse().ok()).is_none_or(|limit: u64| holds(created, limit))
    };
    holds("created", |created, limit| created == limit)
        && holds("created[gt]", |created, limit| created > limit)
        && holds("created[gte]", |created, limit| created >= limit)
        && holds("created[lt]", |created, limit| created < limit)
        && holds("created[lte]", |created, limit| created <= limit)
}

/// The object with what the call wants to see in the place of ids.
fn expanded(mut object: Value, call: &ApiCall, store: &dyn ApiStore) -> Value {
    for path in call.list("expand") {
        let steps: Vec<&str> = path.split('.').collect();
        expand(&mut object, &steps, call, store);
    }
    object
}

fn expand(object: &mut Value, steps: &[&str], call: &ApiCall, store: &dyn ApiStore) {
    let Some((step, rest)) = steps.split_first() else { return };
    if let Value::Array(elements) = object {
        elements.iter_mut().for_each(|element| expand(element, steps, call, store));
        return;
    }
    // The refunds of a charge are nowhere in it unless they are asked for.
    if *step == "refunds" && object["object"] == "charge" && object.get("refunds").is_none() {
        let id = object["id"].as_str().unwrap_or_default().to_owned();
        let first = ApiCall::get("");
        if let (Ok(refunds), Some(members)) =
            (page(&first, store.all_of(&id, "refund"), &format!("/v1/charges/{id}/refunds")), object.as_object_mut())
        {
            members.insert("refunds", refunds);
        }
    }
    let Some(member) = object.get_mut(step) else { return };
    let found = member.as_str().and_then(|id| match *step {
        "balance_transaction" | "failure_balance_transaction" => find(store, "balance_transaction", id).ok(),
        _ => store.object(id).and_then(|text| serde_json::from_str(&text).ok()),
    });
    if let Some(found) = found {
        *member = in_version(found, call, store);
    }
    expand(member, rest, call, store);
}

/// A charge or a payment intent with the list that it carries in older versions, or without it. A call that asks for no
/// version gets that of the account, which is the one that the objects are kept in.
fn in_version(mut object: Value, call: &ApiCall, store: &dyn ApiStore) -> Value {
    let (name, kind) = match object["object"].as_str() {
        Some("charge") => ("refunds", "refund"),
        Some("payment_intent") => ("charges", "charge"),
        _ => return object,
    };
    let is_older = call.version.as_deref().map_or_else(|| object.get(name).is_some(), |version| version < older::WITHOUT_LISTS);
    if is_older {
        let id = object["id"].as_str().unwrap_or_default();
        let objects = store.all_of(id, kind).into_iter().filter_map(|text| serde_json::from_str(&text).ok());
        let all: Vec<Value> = objects.map(|found| in_version(found, call, store)).collect();
        let total = all.len();
        older::carry(&mut object, name, all.into_iter().take(older::SHOWN).collect(), total);
    } else if let Some(members) = object.as_object_mut() {
        members.remove(name);
    }
    object
}

fn refund(call: &ApiCall, store: &mut dyn ApiStore) -> Result<Value, Problem> {
    known_parameters(call, &MADE_OF)?;
    let named = ["charge", "payment_intent"].into_iter().find_map(|name| call.parameter(name).map(|id| (name, id)));
    let Some((owner, id)) = named else {
        return Err(Problem::invalid(None, "One of the following params should be provided: payment_intent or charge.".to_owned()));
    };
    find(store, owner, id).map_err(|_| Problem::missing(owner, id, owner))?;
    let amount = call.parameter("amount");
    if let Some(text) = amount
        && !text.parse::<u64>().is_ok_and(|units| units > 0)
    {
        let problem = Problem::invalid(Some("amount"), format!("Invalid integer: {text}"));
        return Err(Problem { code: Some("parameter_invalid_integer"), ..problem });
    }
    // Without an amount all that is left is meant.
    let left = left(store, id).map(|left| left.to_string());
    let asked = amount.or(left.as_deref());
    let made = store.make_refund(id, asked).map_err(|why| {
        let code = (left.as_deref() == Some("0")).then_some("charge_already_refunded");
        Problem { code, ..Problem::invalid(amount.map(|_| "amount"), why) }
    })?;
    let object = find(store, "refund", &made)?;
    Ok(expanded(object, call, store))
}

/// What is left of the charge.
fn left(store: &dyn ApiStore, id: &str) -> Option<u64> {
    let charge: Value = serde_json::from_str(store.all_of(id, "charge").first()?).ok()?;
    Some(charge["amount_captured"].as_u64()?.saturating_sub(charge["amount_refunded"].as_u64()?))
}

/// What the API shows after a change: the events, the objects in them, and the charge, of whose total no event may tell.
pub(super) fn shown(events: &Events, scene: &Scene<'_>, messages: &[Message]) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    for message in messages {
        let Ok(event) = serde_json::from_str::<Value>(&message.body) else { continue };
        all.extend(Shown::of(&event, Vec::new()));
        let object = &event["data"]["object"];
        let kind = object["object"].as_str().unwrap_or_default();
        if kind == "refund" || kind == "dispute" {
            // Of several events the last shows what the change came to.
            all.retain(|other| object["id"] != *other.id.as_str());
            all.extend(Shown::of(object, message.facts.tells.iter().flat_map(for_certain).collect()));
        }
    }
    let of_the_order: &[&str] = if messages.is_empty() { &["charge.succeeded", PAID] } else { &["charge.succeeded"] };
    for kind in of_the_order {
        all.extend(events.object(scene, kind).and_then(|object| Shown::of(&object, Vec::new())));
    }
    debug_assert!(all.iter().any(|object| object.id == charge(scene)), "the charge is always shown");
    all
}

/// What an object tells to whoever fetches it, all at once.
fn for_certain(tell: &Tell) -> Vec<Tell> {
    match tell {
        Tell::Refund { id, state, amount, refunded_amount, .. } => {
            vec![Tell::Refund { id: id.clone(), state: *state, amount: *amount, refunded_amount: *refunded_amount, in_passing: false }]
        }
        Tell::Dispute { id, taken_amount, .. } => [DisputeEvent::Status, DisputeEvent::Money]
            .map(|by| Tell::Dispute { id: id.clone(), taken_amount: *taken_amount, by, still: None })
            .to_vec(),
        _ => Vec::new(),
    }
}
