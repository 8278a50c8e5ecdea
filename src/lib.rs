//! A conformance harness for consumers of refund and chargeback webhooks.
//!
//! refundproof writes a truth (orders, refunds, chargebacks), sends the events that a payment provider would send about it (late, twice,
//! out of order, broken), and compares what the consumer shows with the truth. Every requirement says on what it rests.
//!
//! # Certifying a consumer in Rust
//!
//! Implement [`adapter::Target`] for it and make one test of each requirement:
//!
//! ```ignore
//! refundproof::conformance_tests!(MyShop::new);
//! ```
//!
//! `examples/event_log_shop.rs` is a whole consumer with its certification; [`testing`] has the macro and what is behind it. A whole
//! run, with its report, is [`run::certify`]. Consumers in other languages are certified by the program `refundproof`, over standard
//! input and output or over HTTP.
//!
//! # Where to read on
//!
//! | page | about |
//! | --- | --- |
//! | `README.md` | the program, from a first run to reports |
//! | `docs/expectations.md` | what is expected, and why |
//! | `docs/adapter-protocol.md` | how a target is driven, on every transport |
//! | `docs/http-targets.md` | certifying a web service |
//! | `docs/reports.md` | command line, exit codes, reports, case files |
//! | `docs/gates.md`, `docs/sharding.md` | use in a pipeline |
//! | `docs/adding-a-provider.md` | another provider, from outside this crate too: [`provider::Provider`] |
//! | `ARCHITECTURE.md` | how this crate is built |

pub mod adapter;
pub mod case;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod corpus;
pub mod domain;
pub mod findings;
pub mod json;
pub mod model;
pub mod mutate;
pub mod plan;
pub mod provider;
pub mod reference;
pub mod report;
pub mod run;
pub mod testing;
