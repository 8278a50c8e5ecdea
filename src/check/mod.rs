//! Checks: pure functions of a case and of what was seen.
//!
//! Nothing here sends, waits or draws. A check says what is wrong and how it shows; what follows from it
//! for a requirement is decided in [`verdict`](crate::verdict).

mod coverage;
mod fingerprint;
mod judge;
pub mod own;
mod show;
pub mod snapshot;

pub use coverage::Coverage;
pub use fingerprint::{
    Shape, besides_fingerprint, circumstance_fingerprint, differing_fields, fingerprint, likeness_fingerprint, snapshot_fingerprint,
    unasked_fingerprint, unexamined_fingerprint,
};
pub use judge::{Failure, FailureKind, Rules, judge_answer, judge_state, refused_once};
pub use show::{diff, expectation_lines, state_lines};
