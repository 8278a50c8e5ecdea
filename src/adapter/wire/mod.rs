//! The lines of the stdio transport: what is written, what may be answered, and a JSON Schema of both.
//!
//! Source: `docs/adapter-protocol.md`, "stdio".

mod answer;
#[cfg(feature = "stdio")]
mod request;
#[cfg(all(feature = "schema", feature = "stdio"))]
mod schema;

#[cfg(any(feature = "http", feature = "tower"))]
pub(super) use answer::read_bare_state;
#[cfg(feature = "stdio")]
pub(super) use answer::{Answer, read_answer, read_introduction, read_state, read_status};
#[cfg(feature = "http")]
pub(super) use answer::{NO_STATE, check_size};
#[cfg(feature = "stdio")]
pub(super) use request::{Operation, RequestLine};
#[cfg(all(feature = "schema", feature = "stdio"))]
pub use schema::protocol_schemas;

#[cfg(test)]
mod tests;
