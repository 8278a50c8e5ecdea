//! A conformance harness for consumers of refund and chargeback webhooks.
//!
//! refundproof writes a truth (orders, refunds, chargebacks), sends the events that a payment provider would send about it (late, twice,
//! out of order, broken), and compares what the consumer shows with the truth. Every requirement says on what it rests.
//!
//! # Certifying a consumer in Rust
//!
//! Implement [`Target`] for it and make one test of each requirement with [`conformance_tests!`], or run a whole certification with
//! [`certify`]. This consumer takes the event that says that a refund succeeded, and finds out what else it has to take:
//!
//! ```
//! use std::collections::HashMap;
//! use refundproof::*;
//!
//! #[derive(Default)]
//! struct Shop(HashMap<String, OrderState>);
//!
//! impl Target for Shop {
//!     fn hello(&mut self, _: &Hello) -> Result<Introduction, TargetError> {
//!         Ok(Introduction::new("shop", "1.0", Capabilities::new()))
//!     }
//!     fn begin(&mut self, _case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
//!         let state = |order: &OrderSetup| OrderState::new(&order.order_id, Status::NotRefunded, Amount::ZERO);
//!         self.0.extend(orders.iter().map(|order| (order.order_id.clone(), state(order))));
//!         Ok(())
//!     }
//!     fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
//!         let Ok(event) = serde_json::from_slice::<serde_json::Value>(request.body) else { return Ok(400) };
//!         let Some(order) = event["data"]["payin"].as_str().and_then(|id| self.0.get_mut(id)) else { return Ok(200) };
//!         if event["type"] == "refund.succeeded" {
//!             order.status = Status::Refunded;
//!         }
//!         Ok(200)
//!     }
//!     fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
//!         Ok(self.0.get(order_id).cloned())
//!     }
//! }
//!
//! let options = Options::new().with(|options| options.cases = 5);
//! let report = certify(named_provider("tazapay").expect("it is known"), &options, Shop::default)?;
//! assert_eq!(report.verdict, Conformance::NotConformant);
//! println!("{}", report.findings[0].message);
//! # Ok::<(), TargetError>(())
//! ```
//!
//! `examples/event_log_shop.rs` is a consumer that conforms, with its certification. With the feature `tower` a `tower::Service`, such as
//! an axum router, is a target as it is (`examples/axum_sqlite_router.rs`). Consumers in other languages are certified by the program
//! `refundproof`, over standard input and output or over HTTP.
//!
//! # The map
//!
//! | for | there are |
//! | --- | --- |
//! | a target | [`Target`], which is told [`Hello`], [`OrderSetup`], [`Request`] and [`OwnRefund`] |
//! | what it says of itself | [`Introduction`], [`Capabilities`], [`Observable`] |
//! | what it shows | [`OrderState`], [`RefundView`], [`Status`], [`RefundState`], [`Amount`] |
//! | what goes wrong | [`TargetError`] and its [`TargetErrorKind`]; [`AmountError`], [`PatternError`] |
//! | a run | [`certify`], [`Options`], [`Selection`], [`Report`], [`Conformance`], [`Verdict`] |
//! | tests | [`conformance_tests!`]; its variables are in [`testing`] |
//! | providers | [`Provider`], [`named_provider`] |
//!
//! Everything else is hidden, and changes without notice.
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
//! | `docs/adding-a-provider.md` | another provider, from outside this crate too: [`Provider`] |
//! | `ARCHITECTURE.md` | how this crate is built |

#[cfg(all(feature = "cli", not(unix)))]
compile_error!("the program and the transports are for Unix; elsewhere take `default-features = false` and certify Rust types in process");

#[doc(hidden)]
pub mod adapter;
#[doc(hidden)]
pub mod case;
#[doc(hidden)]
pub mod check;
#[doc(hidden)]
#[cfg(feature = "cli")]
pub mod cli;
#[doc(hidden)]
pub mod corpus;
#[doc(hidden)]
pub mod domain;
#[doc(hidden)]
pub mod double;
#[doc(hidden)]
pub mod drive;
#[doc(hidden)]
pub mod findings;
#[cfg(feature = "stdio")]
#[doc(hidden)]
pub mod import;
#[doc(hidden)]
pub mod json;
#[doc(hidden)]
pub mod model;
#[doc(hidden)]
pub mod mutate;
#[doc(hidden)]
pub mod oracle;
#[doc(hidden)]
pub mod plan;
#[doc(hidden)]
pub mod provider;
#[cfg(feature = "http")]
#[doc(hidden)]
pub mod record;
#[doc(hidden)]
pub mod reference;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod run;
mod search;
pub mod testing;
#[doc(hidden)]
pub mod verdict;

#[cfg(feature = "tower")]
#[doc(inline)]
pub use adapter::TowerTarget;
#[doc(inline)]
pub use adapter::{Capabilities, Hello, Introduction, Observable, Request, Target, TargetError, TargetErrorKind};
#[doc(inline)]
pub use case::{ChargeSetup, ItemSetup, OrderSetup, OwnRefund, OwnRefundDetails};
#[doc(inline)]
pub use domain::{Amount, AmountError, OrderState, RefundState, RefundView, Status};
#[doc(inline)]
pub use provider::Provider;
#[doc(inline)]
pub use search::{Options, PatternError, Selection};
#[doc(inline)]
pub use testing::certify;
#[doc(inline)]
pub use verdict::{Conformance, Report, Verdict};

/// The provider of this name, such as `digital-river`, with the documents that this crate carries.
pub fn named_provider(name: &str) -> Option<&'static dyn Provider> {
    provider::named(name).map(provider::Registered::embedded)
}
