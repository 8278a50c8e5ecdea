//! The lines of the stdio transport: what is written, what may be answered, and a JSON Schema of both.
//!
//! Reading takes the short way as long as everything is as it should be. Only when something is not, the
//! answer is looked at again, to name the member that is wrong: whoever reads that message is writing an adapter.
//! Source: `docs/adapter-protocol.md`, "stdio".

use std::{borrow::Cow, collections::BTreeMap, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
    ser::SerializeMap,
};
use serde_json::{Map, Value, value::RawValue};

use super::{Capabilities, Introduction, Request, process::shown};
use crate::{
    case::{OrderSetup, OwnRefundDetails},
    domain::{OrderState, RefundView, did_you_mean},
};

/// One line that the harness writes: a request.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Request")]
pub(super) struct RequestLine<'a> {
    /// The number of the request; the answer repeats it.
    pub(super) id: u64,
    /// What is to be done.
    #[serde(flatten)]
    pub(super) operation: Operation<'a>,
}

/// What a target is asked to do.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Operation<'a> {
    /// The first request, and the first after every start. The target says who it is.
    Hello {
        /// The version of the contract.
        protocol: u32,
        /// The provider whose events will be delivered.
        provider: &'a str,
        /// What deliveries are signed with.
        secret: &'a str,
    },
    /// A case begins: these orders exist and are captured.
    Begin {
        /// The case's name.
        case: &'a str,
        /// Its orders. Their ids are never used again.
        orders: &'a [OrderSetup],
    },
    /// One webhook delivery. The body comes either as `body` or as `bodyBase64`.
    Deliver {
        /// The headers; names are lower case.
        #[schemars(with = "BTreeMap<String, String>")]
        headers: Headers<'a>,
        /// The body, where it is UTF-8.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "String")]
        body: Option<&'a str>,
        /// The body in base64, where it is not UTF-8.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "String")]
        body_base64: Option<String>,
    },
    /// The shop itself asked the provider for this refund and got its id back. Only with `initiatesRefunds`.
    Initiate {
        /// The order.
        order_id: &'a str,
        /// The refund.
        refund: &'a OwnRefundDetails,
    },
    /// Show the refund state of an order.
    Observe {
        /// The order.
        order_id: &'a str,
    },
    /// The case is over.
    End {
        /// The case's name.
        case: &'a str,
    },
    /// The run is over. Nothing is answered; the target exits.
    Bye,
}

impl<'a> Operation<'a> {
    /// The delivery of a webhook request.
    pub(super) fn deliver(request: &Request<'a>) -> Operation<'a> {
        let headers = Headers(request.headers);
        match std::str::from_utf8(request.body) {
            Ok(text) => Operation::Deliver { headers, body: Some(text), body_base64: None },
            Err(_) => Operation::Deliver { headers, body: None, body_base64: Some(STANDARD.encode(request.body)) },
        }
    }

    /// The word on the wire.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Operation::Hello { .. } => "hello",
            Operation::Begin { .. } => "begin",
            Operation::Deliver { .. } => "deliver",
            Operation::Initiate { .. } => "initiate",
            Operation::Observe { .. } => "observe",
            Operation::End { .. } => "end",
            Operation::Bye => "bye",
        }
    }
}

impl RequestLine<'_> {
    /// Appends the line with its end.
    pub(super) fn write_to(&self, buffer: &mut Vec<u8>) {
        serde_json::to_writer(&mut *buffer, self).expect("names are strings and a buffer in memory takes everything");
        buffer.push(b'\n');
    }
}

/// Headers as a JSON object.
#[derive(Debug)]
pub(super) struct Headers<'a>(&'a [(String, String)]);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (index, (name, value)) in self.0.iter().enumerate() {
            let is_same = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
            if self.0[..index].iter().any(|header| is_same(&header)) {
                continue;
            }
            // HTTP lets headers of one name be joined, and a JSON object has each name once.
            let mut value = Cow::Borrowed(value.as_str());
            for (_, more) in self.0[index + 1..].iter().filter(is_same) {
                value.to_mut().push_str(", ");
                value.to_mut().push_str(more);
            }
            map.serialize_entry(&*in_lower_case(name), &value)?;
        }
        map.end()
    }
}

fn in_lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) }
}

/// One line that a target writes: the request with this id was done.
#[derive(JsonSchema)]
#[schemars(rename = "{T}Answer")]
#[expect(dead_code, reason = "it only describes the wire form to the schema writer")]
struct Done<T> {
    /// The number of the request.
    id: u64,
    /// It was done.
    #[schemars(extend("const" = true))]
    ok: bool,
    /// What was asked for.
    #[serde(flatten)]
    members: T,
}

/// One line that a target writes: the adapter could not do it. That is no verdict on the target.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it only describes the wire form to the schema writer")]
struct DeclinedAnswer {
    /// The number of the request.
    id: u64,
    /// It was not done.
    #[schemars(extend("const" = false))]
    ok: bool,
    /// Why.
    error: Option<String>,
}

/// The answer to `begin`, `initiate` and `end` says nothing more.
#[derive(JsonSchema)]
struct Plain {}

/// The answer to `hello` says who the target is.
#[derive(JsonSchema)]
#[schemars(rename = "Hello")]
#[expect(dead_code, reason = "it only describes the wire form to the schema writer")]
struct Introduced {
    #[serde(flatten)]
    introduction: Introduction,
}

/// The answer to `deliver` says what the webhook endpoint would answer.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Deliver")]
struct Delivered {
    /// The HTTP status.
    #[schemars(range(min = 100, max = 599))]
    status: u16,
}

/// The answer to `observe` shows an order.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Observe", extend("required" = ["state"]))]
struct Observed {
    /// The order refund state, or null if the order is unknown.
    #[serde(deserialize_with = "object_or_null")]
    state: Option<OrderState>,
}

/// One line that a target writes: an answer.
#[derive(JsonSchema)]
#[schemars(rename = "Answer")]
#[serde(untagged)]
#[expect(dead_code, reason = "it only describes the wire form to the schema writer")]
enum AnswerLine {
    Hello(Done<Introduced>),
    Deliver(Done<Delivered>),
    Observe(Done<Observed>),
    Plain(Done<Plain>),
    Declined(DeclinedAnswer),
}

/// JSON Schemas (2020-12) of the lines of the stdio transport, by name: what a target reads and what it writes. The
/// second has one of `$defs` for the answer to each operation, such as `HelloAnswer`.
pub fn protocol_schemas() -> [(&'static str, Schema); 2] {
    let settings = SchemaSettings::draft2020_12;
    let requests = settings().for_serialize().into_generator().into_root_schema_for::<RequestLine<'_>>();
    let answers = settings().for_deserialize().into_generator().into_root_schema_for::<AnswerLine>();
    [("refundproof-stdio-request-1", requests), ("refundproof-stdio-answer-1", answers)]
}

/// An answer whose id is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It was done; the whole line, in which the operation's own members are still to be read.
    Done(String),
    /// The adapter could not do it; why.
    Declined(String),
}

/// The members of every answer.
#[derive(Deserialize)]
struct Head<'a> {
    id: u64,
    ok: bool,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Reads what every answer has: its id and whether it was done. `is_awaited` says which ids are known.
///
/// # Errors
/// A text that names the line when it is no answer to anything.
pub(super) fn read_answer(line: Vec<u8>, is_awaited: impl Fn(u64) -> bool) -> Result<(u64, Answer), String> {
    let line = match String::from_utf8(line) {
        Ok(line) => line,
        Err(error) => return Err(format!("the target wrote a line that is not UTF-8: `{}`", shown(error.as_bytes()))),
    };
    let head = match serde_json::from_str::<Head<'_>>(&line) {
        // A derived reader takes an array for an object as well.
        Ok(head) if is_awaited(head.id) && line.trim_start().starts_with('{') => head,
        Ok(_) | Err(_) => return Err(explain_head(&line, is_awaited)),
    };
    let (id, answer) = (head.id, (!head.ok).then(|| Answer::Declined(reason(head.error))));
    Ok((id, answer.unwrap_or(Answer::Done(line))))
}

fn reason(error: Option<&RawValue>) -> String {
    let Some(error) = error else {
        return "it gave no reason".to_owned();
    };
    match serde_json::from_str::<String>(error.get()) {
        Ok(text) => shown(text.as_bytes()),
        Err(_) => shown(error.get().as_bytes()),
    }
}

fn explain_head(line: &str, is_awaited: impl Fn(u64) -> bool) -> String {
    let line_shown = shown(line.as_bytes());
    let value = match serde_json::from_str::<Value>(line) {
        Ok(value) => value,
        Err(error) => return format!("the target wrote a line that is not JSON: `{line_shown}` ({error})"),
    };
    let what = match (&value, value.get("id")) {
        (Value::Object(_), None) => "that has no `id`".to_owned(),
        (Value::Object(_), Some(id)) => match id.as_u64() {
            Some(id) if is_awaited(id) => match value.get("ok") {
                None => "that has no `ok`".to_owned(),
                Some(Value::Bool(_)) => "that is no answer".to_owned(),
                Some(ok) => format!("whose `ok` is {}, not true or false", kind_of(ok)),
            },
            Some(_) => "whose `id` is not that of a request without an answer".to_owned(),
            None => "whose `id` is not the number of a request".to_owned(),
        },
        (other, _) => format!("that is {}, not an object", kind_of(other)),
    };
    format!("the target wrote a line {what}: `{line_shown}`")
}

/// Reads the answer to `hello`.
///
/// # Errors
/// A text that names the member that is wrong.
pub(super) fn read_introduction(line: &str) -> Result<Introduction, String> {
    let answer: Value = serde_json::from_str(line).map_err(|error| in_line(&error.to_string(), line))?;
    for name in ["name", "version"] {
        if let Some(value) = answer.get(name).filter(|value| !value.is_string()) {
            return Err(in_line(&format!("`{name}` is {}, not a string", kind_of(value)), line));
        }
    }
    if let Some(capabilities) = answer.get("capabilities") {
        check_capabilities(capabilities).map_err(|problem| in_line(&problem, line))?;
    }
    serde_json::from_value(answer).map_err(|error| in_line(&error.to_string(), line))
}

fn check_capabilities(capabilities: &Value) -> Result<(), String> {
    let Value::Object(members) = capabilities else {
        return Err(format!("`capabilities` is {}, not an object", kind_of(capabilities)));
    };
    // No member is needed, so each can be read alone, which tells whose fault it is.
    for (name, value) in members {
        if !Capabilities::NAMES.contains(&name.as_str()) {
            let hint = did_you_mean(name, Capabilities::NAMES.into_iter());
            return Err(format!("`capabilities.{name}` is unknown{hint} (known: {})", Capabilities::NAMES.join(", ")));
        }
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        let read: Capabilities = serde_json::from_value(Value::Object(alone)).map_err(|error| format!("`capabilities.{name}`: {error}"))?;
        if read.concurrency == 0 {
            return Err("`capabilities.concurrency` is 0; at least one delivery at a time must be possible".to_owned());
        }
    }
    Ok(())
}

/// Reads the answer to `deliver`.
///
/// # Errors
/// A text that names the member that is wrong.
pub(super) fn read_status(line: &str) -> Result<u16, String> {
    match serde_json::from_str::<Delivered>(line) {
        Ok(Delivered { status }) if (100..=599).contains(&status) => Ok(status),
        read => {
            let answer: Value = serde_json::from_str(line).unwrap_or_default();
            let problem = match (answer.get("status"), read) {
                (None, _) => "the answer has no `status`".to_owned(),
                (_, Err(error)) if error.to_string().starts_with("duplicate") => "the answer has `status` twice".to_owned(),
                (Some(status), _) => format!("`status` is {}, not an HTTP status from 100 to 599", shown(status.to_string().as_bytes())),
            };
            Err(in_line(&problem, line))
        }
    }
}

/// Reads the answer to `observe`.
///
/// # Errors
/// A text that names the member that is wrong.
pub(super) fn read_state(line: &str) -> Result<Option<OrderState>, String> {
    serde_json::from_str::<Observed>(line).map(|observed| observed.state).map_err(|error| {
        let answer = serde_json::from_str::<Value>(line).unwrap_or_default();
        let problem = match answer.get("state") {
            None => "the answer has no `state`".to_owned(),
            Some(state) => explain_state(state).unwrap_or_else(|| format!("`state`: {error}")),
        };
        in_line(&problem, line)
    })
}

/// Reads an order refund state that stands by itself, as a state URL shows it.
///
/// # Errors
/// A text that names the member that is wrong.
pub(super) fn read_bare_state(body: &[u8]) -> Result<OrderState, String> {
    let text = std::str::from_utf8(body).map_err(|_| format!("the answer is not UTF-8: `{}`", shown(body)))?;
    let read = serde_json::from_str::<Bare>(text);
    read.map(|Bare(state)| state).map_err(|error| {
        let problem = match serde_json::from_str::<Value>(text) {
            Ok(state) => explain_state(&state).unwrap_or_else(|| format!("the state: {error}")),
            Err(error) => format!("the state is not JSON: {error}"),
        };
        in_line(&problem, text)
    })
}

/// An object; a derived reader would take an array as well.
struct Bare(OrderState);

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bare, D::Error> {
        let state = object_or_null(deserializer)?;
        state.map(Bare).ok_or_else(|| serde::de::Error::custom("null is no state; an unknown order is answered with 404"))
    }
}

/// What keeps a JSON value from being an order refund state, if that can be told.
fn explain_state(state: &Value) -> Option<String> {
    let Value::Object(members) = state else {
        return Some(format!("`state` is {}, not an object or null", kind_of(state)));
    };
    if let Some(refunds) = members.get("refunds").and_then(Value::as_array) {
        for (index, refund) in refunds.iter().enumerate() {
            let problem = match refund {
                Value::Object(members) => culprit::<RefundView>(members, &format!("state.refunds[{index}]")),
                other => Some(format!("`state.refunds[{index}]` is {}, not an object", kind_of(other))),
            };
            if problem.is_some() {
                return problem;
            }
        }
    }
    culprit::<OrderState>(members, "state")
}

/// Finds the member that keeps an object from being a `T`: the first one with which the problem is more than that
/// other members are missing.
fn culprit<T: DeserializeOwned>(members: &Map<String, Value>, place: &str) -> Option<String> {
    let mut so_far = Map::new();
    let mut missing = None;
    for (name, value) in members {
        so_far.insert(name.clone(), value.clone());
        missing = serde_json::from_value::<T>(Value::Object(so_far.clone())).err().map(|error| error.to_string());
        match &missing {
            Some(problem) if !problem.starts_with("missing field") => return Some(format!("`{place}.{name}`: {problem}")),
            _ => {}
        }
    }
    if members.is_empty() {
        return Some(format!("`{place}` is empty"));
    }
    missing.map(|problem| format!("`{place}`: {problem}"))
}

fn in_line(problem: &str, line: &str) -> String {
    format!("{problem}, in the answer `{}`", shown(line.as_bytes()))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Takes an object or null; a derived reader would take an array for an object as well.
fn object_or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    struct ObjectOrNull<T>(std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectOrNull<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or null")
        }

        fn visit_unit<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    deserializer.deserialize_any(ObjectOrNull(std::marker::PhantomData))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{adapter::Observable, domain::Amount};

    /// Lines such as `docs/adapter-protocol.md`, "An example session", has.
    const HELLO: &str = r#"{"id":1,"op":"hello","protocol":1,"provider":"digital-river","secret":"whsec_…"}"#;
    const INTRODUCTION: &str =
        r#"{"id":1,"ok":true,"name":"acme-shop","version":"2.3.1","capabilities":{"observes":["currency","refunds"],"durable":true}}"#;
    const BEGIN: &str = r#"{"id":2,"op":"begin","case":"c1","orders":[{"orderId":"235504220336","currency":"USD","capturedAmount":"27.01","charges":[{"id":"7c4d…","capturedAmount":"27.01"}],"items":[{"itemId":"162893300336","quantity":2,"amount":"21.61"}]}]}"#;
    const PLAIN: &str = r#"{"id":2,"ok":true}"#;
    const DELIVER: &str =
        r#"{"id":3,"op":"deliver","headers":{"content-type":"application/json","digitalriver-signature":"…"},"body":"{…}"}"#;
    const DELIVERED: &str = r#"{"id":3,"ok":true,"status":200}"#;
    const INITIATE: &str =
        r#"{"id":7,"op":"initiate","orderId":"235504220336","refund":{"id":"re_9ed7…","amount":"5.41","currency":"USD"}}"#;
    const OBSERVE: &str = r#"{"id":4,"op":"observe","orderId":"235504220336"}"#;
    const OBSERVED: &str = r#"{"id":4,"ok":true,"state":{"orderId":"235504220336","status":"refunded","refundedAmount":"27.01"}}"#;
    const END: &str = r#"{"id":5,"op":"end","case":"c1"}"#;
    const BYE: &str = r#"{"id":6,"op":"bye"}"#;
    const DECLINED: &str = r#"{"id":9,"ok":false,"error":"why"}"#;

    #[track_caller]
    fn written(id: u64, operation: Operation<'_>, expected: &str) {
        let mut line = Vec::new();
        RequestLine { id, operation }.write_to(&mut line);
        assert_eq!(String::from_utf8_lossy(&line), format!("{expected}\n"));
    }

    #[test]
    fn requests_are_the_documented_lines() {
        let orders: Vec<OrderSetup> = serde_json::from_str(
            r#"[{"orderId":"235504220336","currency":"USD","capturedAmount":"27.01","charges":[{"id":"7c4d…","capturedAmount":"27.01"}],"items":[{"itemId":"162893300336","quantity":2,"amount":"21.61"}]}]"#,
        )
        .expect("orders");
        let headers = [("content-type".to_owned(), "application/json".to_owned()), ("DigitalRiver-Signature".to_owned(), "…".to_owned())];
        let refund = OwnRefundDetails { id: "re_9ed7…".to_owned(), amount: Amount::from_minor(541, 2), currency: "USD".to_owned() };
        written(1, Operation::Hello { protocol: 1, provider: "digital-river", secret: "whsec_…" }, HELLO);
        written(2, Operation::Begin { case: "c1", orders: &orders }, BEGIN);
        written(3, Operation::deliver(&Request::new(&headers, "{…}".as_bytes())), DELIVER);
        written(7, Operation::Initiate { order_id: "235504220336", refund: &refund }, INITIATE);
        written(4, Operation::Observe { order_id: "235504220336" }, OBSERVE);
        written(5, Operation::End { case: "c1" }, END);
        written(6, Operation::Bye, BYE);
    }

    #[test]
    fn a_delivery_is_one_line_whatever_it_holds() {
        let headers = [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "\r\n".to_owned()), ("A".to_owned(), "2".to_owned())];
        let request = Request::new(&headers, b"\xff\n");
        written(1, Operation::deliver(&request), r#"{"id":1,"op":"deliver","headers":{"a":"1, 2","b":"\r\n"},"bodyBase64":"/wo="}"#);
        let request = Request::new(&[], b"\n\0");
        written(2, Operation::deliver(&request), r#"{"id":2,"op":"deliver","headers":{},"body":"\n\u0000"}"#);
    }

    #[test]
    fn the_documented_answers_are_read() {
        let introduction = read_introduction(INTRODUCTION).expect("an introduction");
        assert_eq!((introduction.name.as_str(), introduction.version.as_str()), ("acme-shop", "2.3.1"));
        assert_eq!(introduction.capabilities.observes, [Observable::Currency, Observable::Refunds]);
        assert!(introduction.capabilities.durable && introduction.capabilities.concurrency == 1);
        assert_eq!(read_status(DELIVERED), Ok(200));
        let state = read_state(OBSERVED).expect("a state").expect("a known order");
        assert_eq!(state.refunded_amount, Amount::from_minor(2701, 2));
        assert_eq!(read_state(r#"{"id":4,"ok":true,"state":null}"#), Ok(None));
        assert_eq!(answer(DECLINED), Ok((9, Answer::Declined("why".to_owned()))));
        assert_eq!(answer(&format!(" {DELIVERED}\r")), Ok((3, Answer::Done(format!(" {DELIVERED}\r")))));
    }

    fn answer(line: &str) -> Result<(u64, Answer), String> {
        read_answer(line.as_bytes().to_vec(), |id| id < 10)
    }

    #[track_caller]
    fn named(read: Result<impl fmt::Debug, String>, part: &str) {
        let problem = read.expect_err("nonsense was taken");
        assert!(problem.contains(part), "{problem}");
    }

    #[test]
    fn lines_that_are_no_answers_are_named() {
        named(answer("starting…\x1b[0m"), r"not JSON: `starting…\u{1b}[0m`");
        named(answer("[1,true]"), "is an array, not an object: `[1,true]`");
        named(answer("17"), "is a number");
        named(answer(r#"{"ok":true}"#), "no `id`");
        named(answer(r#"{"id":"1","ok":true}"#), "`id` is not the number");
        named(answer(r#"{"id":11,"ok":true}"#), "not that of a request");
        named(answer(r#"{"id":1}"#), "no `ok`");
        named(answer(r#"{"id":1,"ok":"yes"}"#), "`ok` is a string");
        named(answer(r#"{"id":1,"id":1,"ok":true}"#), "is no answer");
        named(read_answer(b"\xff".to_vec(), |_| true), "not UTF-8: `\u{fffd}`");
    }

    #[test]
    fn reasons_of_any_kind_are_shown() {
        assert_eq!(answer(r#"{"id":1,"ok":false}"#), Ok((1, Answer::Declined("it gave no reason".to_owned()))));
        assert_eq!(answer(r#"{"id":1,"ok":false,"error":{"code":5}}"#), Ok((1, Answer::Declined(r#"{"code":5}"#.to_owned()))));
    }

    #[test]
    fn wrong_members_of_introductions_are_named() {
        let hello = |members: &str| read_introduction(&format!(r#"{{"id":1,"ok":true,{members}}}"#));
        assert!(hello(r#""protocol":"7","capabilities":{"clock":true}"#).is_ok());
        named(hello(r#""capabilities":{"durabel":true}"#), "`capabilities.durabel` is unknown; did you mean `durable`?");
        named(hello(r#""version":2"#), "`version` is a number, not a string");
        named(hello(r#""capabilities":[]"#), "`capabilities` is an array");
        named(hello(r#""capabilities":null"#), "`capabilities` is null");
        named(hello(r#""capabilities":{"observes":[],"durable":"yes"}"#), "`capabilities.durable`: invalid type: string \"yes\"");
        named(hello(r#""capabilities":{"observes":["everything"]}"#), "`capabilities.observes`: unknown variant `everything`");
        named(hello(r#""capabilities":{"concurrency":0}"#), "`capabilities.concurrency` is 0");
        named(hello(r#""capabilities":{"concurrency":-1}"#), "`capabilities.concurrency`");
    }

    #[test]
    fn wrong_statuses_are_named() {
        named(read_status(PLAIN), "no `status`");
        named(read_status(r#"{"id":3,"ok":true,"status":"200"}"#), "`status` is \"200\"");
        named(read_status(r#"{"id":3,"ok":true,"status":0}"#), "`status` is 0,");
        named(read_status(r#"{"id":3,"ok":true,"status":70000}"#), "`status` is 70000,");
        named(read_status(r#"{"id":3,"ok":true,"status":200,"status":500}"#), "`status` twice");
    }

    #[test]
    fn wrong_members_of_states_are_named() {
        let state = |state: &str| read_state(&format!(r#"{{"id":4,"ok":true,"state":{state}}}"#));
        named(read_state(PLAIN), "no `state`");
        named(state("5"), "`state` is a number");
        named(state(r#"["1","refunded","1"]"#), "`state` is an array");
        named(state("{}"), "`state` is empty");
        named(state(r#"{"orderId":"1","status":"refunded"}"#), "`state`: missing field `refundedAmount`");
        named(state(r#"{"orderId":"1","status":"done","refundedAmount":"1"}"#), "`state.status`: unknown variant `done`");
        named(state(r#"{"orderId":1,"status":"done"}"#), "`state.orderId`: invalid type");
        named(state(r#"{"orderId":"1","status":"refunded","refundedAmount":true}"#), "`state.refundedAmount`: an amount is");
        named(
            state(r#"{"orderId":"1","status":"refunded","refundedAmount":"1","refunds":[{"id":"re_1","state":"complete"}]}"#),
            "`state.refunds[0].state`: unknown variant `complete`",
        );
        named(
            state(r#"{"orderId":"1","status":"refunded","refundedAmount":"1","refunds":[{"id":"re_1"}]}"#),
            "`state.refunds[0]`: missing field `state`",
        );
    }

    /// Whether a line is a request, or an answer of this kind.
    #[track_caller]
    fn fits(name: &str, line: &str, expected: bool) {
        let [(_, requests), (_, answers)] = protocol_schemas();
        let schema = match name {
            "Request" => requests.to_value(),
            "Answer" => answers.to_value(),
            _ => json!({"$ref": format!("#/$defs/{name}"), "$defs": answers.get("$defs")}),
        };
        let validator = jsonschema::validator_for(&schema).expect("a JSON Schema");
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(validator.is_valid(&line), expected, "{name}: {line}: {:?}", validator.validate(&line));
    }

    #[test]
    fn the_schema_describes_the_documented_lines() {
        fits("Request", r#"{"id":3,"op":"deliver","headers":{},"bodyBase64":"/wo="}"#, true);
        for line in [HELLO, BEGIN, DELIVER, INITIATE, OBSERVE, END, BYE] {
            fits("Request", line, true);
        }
        fits("HelloAnswer", INTRODUCTION, true);
        fits("PlainAnswer", PLAIN, true);
        fits("HelloAnswer", PLAIN, true);
        fits("DeliverAnswer", DELIVERED, true);
        fits("ObserveAnswer", OBSERVED, true);
        fits("ObserveAnswer", r#"{"id":4,"ok":true,"state":null,"extra":1}"#, true);
        fits("DeclinedAnswer", DECLINED, true);
        for line in [INTRODUCTION, PLAIN, DELIVERED, OBSERVED, DECLINED] {
            fits("Answer", line, true);
        }
    }

    #[test]
    fn the_schema_refuses_other_lines() {
        fits("Request", r#"{"id":1,"op":"dance"}"#, false);
        fits("Request", r#"{"id":1,"op":"deliver","headers":{},"body":null}"#, false);
        fits("Answer", r#"{"id":"1","ok":true}"#, false);
        fits("PlainAnswer", DECLINED, false);
        fits("DeclinedAnswer", PLAIN, false);
        fits("DeliverAnswer", PLAIN, false);
        fits("DeliverAnswer", r#"{"id":3,"ok":true,"status":99}"#, false);
        fits("ObserveAnswer", PLAIN, false);
        fits("ObserveAnswer", r#"{"id":4,"ok":true,"state":{"orderId":"1"}}"#, false);
    }
}
