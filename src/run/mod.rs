//! Running: a requirement's cases, and a whole certification.
//!
//! The runner decides which case is played on which target, and puts what failed to an inquiry. It prints nothing: whoever wants to
//! show something listens to [`RunEvent`]s or reads the [`Report`] at the end.

mod book;
mod campaign;
mod choose;
mod coherence;
mod company;
mod events;
mod exercise;
mod frozen;
mod imported;
mod investigate;
mod options;
mod own;
pub mod record;
mod redact;
mod saved;
mod turns;
mod vary;
mod work;
mod workbench;
mod workers;

#[doc(hidden)]
pub use book::Book;
pub use campaign::certify;
pub use events::RunEvent;
pub use exercise::Canaries;
pub use options::{Options, PatternError, Selection};
pub use own::{OwnStates, own_states};
pub use redact::{HIDDEN, Redactor};
pub use vary::{Way, varied};
pub use work::{sample, terms};

pub use crate::{
    drive::{BeforeDelivery, Conditions, Driver, Factory, Launch, Outcome, Played, Secrets, Sent, is_in_target, with_fresh_ids},
    findings::ShrinkLimits,
    verdict::{
        Chance, Digests, FindingReport, ImportedFailure, ImportedResult, ItemResult, KnownFailing, Likeness, REPORT_SCHEMA, RanCase,
        Report, RequirementResult, RunOptions, SavedResult, Shard, SnapshotDifference, SnapshotResult, SuiteInfo, TargetInfo, Totals,
        Trail, apply_known_failures, conclude, merge,
    },
};
