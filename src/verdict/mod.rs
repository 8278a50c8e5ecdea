//! Verdicts: all that follows from what was seen, in one place.
//!
//! What the cases of a requirement came to is tallied, items and the run are concluded from that, known failures are waived, and
//! the reports of shards become one. All of it reads and writes the report's data and nothing else, so a merge comes to what a
//! run comes to. Source: `docs/reports.md`.

mod conclude;
mod merge;
mod outcome;
mod shard;
mod tally;
mod waive;
pub mod waivers;
mod words;

pub use conclude::conclude;
pub use merge::merge;
pub use outcome::{
    Chance, Digests, FindingReport, ImportedFailure, ImportedResult, ItemResult, KnownFailing, Likeness, REPORT_SCHEMA, Report,
    RequirementResult, RunOptions, SavedResult, SnapshotDifference, SnapshotResult, SuiteInfo, TargetInfo, Totals,
};
pub use shard::{RanCase, Shard, Trail};
pub(crate) use tally::{Planned, link, settle, settle_share};
pub use waive::{apply_known_failures, is_not_judged};
pub use words::{Conformance, Judged, Verdict};

#[cfg(test)]
mod tests;
