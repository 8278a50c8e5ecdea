//! How targets are reached: standard input and output, HTTP, services that the harness starts, a `tower::Service`; and what else
//! listens, the double of a provider's API and the recorder.

#[path = "../common/mod.rs"]
mod common;
mod double;
mod http;
mod record;
mod service;
mod stdio;
#[cfg(feature = "tower")]
mod tower;
