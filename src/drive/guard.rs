//! What a call of the target comes to: a panic in it is a crash, and a crash is its failure.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::Driver;
use crate::{
    adapter::{Link, TargetError, TargetErrorKind, panicked},
    check::{Failure, FailureKind},
};

/// Why a case ends before its end.
pub(super) enum Stop {
    Failure(Box<Failure>),
    Error(TargetError),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failure(Box::new(failure))
    }
}

impl Driver<'_> {
    /// Calls the target, which may panic.
    pub(super) fn call<T>(&mut self, operation: &str, call: impl FnOnce(&mut Link) -> Result<T, TargetError>) -> Result<T, TargetError> {
        guarded(operation, || call(&mut self.target)).unwrap_or_else(|panic| {
            self.has_panicked = true;
            Err(panic)
        })
    }
}

thread_local! {
    static IN_TARGET: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a call of an in-process target: a panic there is a finding, which a panic hook
/// need not print.
pub fn is_in_target() -> bool {
    IN_TARGET.get()
}

/// Runs code of the target's; a panic in it is a crash of it and not of the harness, and comes back as one.
pub(super) fn guarded<T>(operation: &str, call: impl FnOnce() -> T) -> Result<T, TargetError> {
    let outer = IN_TARGET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    IN_TARGET.set(outer);
    result.map_err(|panic| TargetError::new(operation, TargetErrorKind::Crashed(panicked(&*panic))))
}

/// A durable target that cannot come up on its own state is no adapter's fault.
pub(super) fn not_back(error: TargetError) -> TargetError {
    match error.kind {
        TargetErrorKind::NotStarted(why) => {
            TargetError::new("restart", TargetErrorKind::Crashed(format!("did not come back after it was killed: {why}")))
        }
        _ => error,
    }
}

/// A crash or a time-out is the target's failure; anything else could not be judged.
pub(super) fn blame(error: TargetError) -> Stop {
    if !error.is_targets_fault() {
        return Stop::Error(error);
    }
    let (kind, expected) = match error.kind {
        TargetErrorKind::TimedOut(limit) => (FailureKind::Timeout, format!("an answer within {} ms", limit.as_millis())),
        _ => (FailureKind::Crash, "an answer".to_owned()),
    };
    let observed = error.to_string();
    let diff = format!("-{expected}\n+{observed}\n");
    Failure { kind, entry: None, message: observed.clone(), expected, observed, diff }.into()
}

pub(super) fn at(stop: Stop, entry: Option<usize>) -> Stop {
    match stop {
        Stop::Failure(mut failure) => {
            failure.entry = entry;
            Stop::Failure(failure)
        }
        error => error,
    }
}
