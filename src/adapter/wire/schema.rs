//! JSON Schemas of both.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};

use super::{
    answer::{Delivered, Observed},
    request::RequestLine,
};
use crate::adapter::Introduction;

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

/// The answer to `begin`, `initiate`, `advance` and `end` says nothing more.
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
