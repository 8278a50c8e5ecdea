//! Running: one case against one target, a requirement's cases, a whole certification.
//!
//! The runner decides what is sent when, and hands what it saw to the checks. It prints nothing: whoever
//! wants to show something listens to [`RunEvent`]s or reads the [`Report`] at the end.

mod alias;
mod campaign;
mod drive;
mod events;
mod factory;
mod outcome;
mod redact;
mod shrink;

pub use alias::with_fresh_ids;
pub use campaign::{Options, Selection, certify, sample, terms};
pub use drive::{BeforeDelivery, Conditions, Driver, Outcome, Played, Secrets, Sent, is_in_target};
pub use events::RunEvent;
pub use factory::{Factory, Launch};
pub use outcome::{
    FailureReport, ItemResult, REPORT_SCHEMA, Report, RequirementResult, Resemblance, SnapshotDifference, SnapshotResult, SuiteInfo,
    TargetInfo, Totals,
};
pub use redact::{HIDDEN, Redactor};
pub use shrink::{ShrinkLimits, Shrunk, shrink};
