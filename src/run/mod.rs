//! Running: one case against one target, a requirement's cases, a whole certification.
//!
//! The runner decides what is sent when, and hands what it saw to the checks. It prints nothing: whoever
//! wants to show something listens to [`RunEvent`]s or reads the [`Report`] at the end.

mod alias;
mod book;
mod campaign;
mod claims;
mod coherence;
mod company;
mod conclude;
mod drive;
mod events;
mod exercise;
mod factory;
mod frozen;
mod investigate;
mod merge;
mod options;
mod outcome;
mod own;
pub mod record;
mod redact;
mod saved;
mod shard;
mod spelling;
mod tally;
mod waive;
mod work;
mod workbench;
mod workers;

pub use alias::with_fresh_ids;
#[doc(hidden)]
pub use book::Book;
pub use campaign::certify;
pub use claims::{claims_problem, claims_remarks};
pub use conclude::conclude;
pub use drive::{BeforeDelivery, Conditions, Driver, Headers, Outcome, Played, Secrets, Sent, is_in_target, renamed};
pub use events::RunEvent;
pub use exercise::Canaries;
pub use factory::{Factory, Launch};
pub use merge::merge;
pub use options::{Options, PatternError, Selection};
pub use outcome::{
    Chance, Digests, FindingReport, ItemResult, KnownFailing, Likeness, REPORT_SCHEMA, Report, RequirementResult, RunOptions, SavedResult,
    SnapshotDifference, SnapshotResult, SuiteInfo, TargetInfo, Totals,
};
pub use own::{OwnStates, own_states};
pub use redact::{HIDDEN, Redactor};
pub use shard::{RanCase, Shard, Trail};
pub use waive::apply_known_failures;
pub use work::{sample, terms};

pub use crate::findings::ShrinkLimits;
