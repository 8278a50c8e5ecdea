//! The truth of a case, what its deliveries tell of it, and what a conforming target may show.
//!
//! The truth is written first and the deliveries are derived from it; an expectation is computed from
//! what the delivered events were *written to tell*, never from reading their bodies. This room shares
//! no code with the reference implementation: they check each other.
//! Source: `docs/expectations.md`, "Truth", "What each event tells" and "What may be shown".

mod dispute;
mod expect;
mod facts;
mod fetched;
mod pictures;
mod told;
mod truth;

pub use dispute::{DisputeStage, DisputeTruth};
pub use expect::{AmountRange, Expectation, Sight};
pub use facts::{Covered, DisputeEvent, Entry, EventFacts, PictureIn, Tell};
pub use fetched::Fetched;
pub use told::{Knowledge, TakenBack};
pub use truth::{Change, Charge, ChargeRefund, OrderTruth, RefundTruth};
