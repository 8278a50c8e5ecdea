//! The lines of the stdio transport: what is written, what may be answered, and a JSON Schema of both.
//!
//! Source: `docs/adapter-protocol.md`, "stdio".

mod answer;
mod request;
#[cfg(feature = "schema")]
mod schema;

#[cfg(feature = "http")]
pub(super) use answer::read_bare_state;
pub(super) use answer::{Answer, read_answer, read_introduction, read_state, read_status};
pub(super) use request::{Operation, RequestLine};
#[cfg(feature = "schema")]
pub use schema::protocol_schemas;

#[cfg(test)]
mod tests;
