//! What can go wrong between the harness and a target.

use std::{any::Any, fmt, time::Duration};

use crate::domain::cut;

/// An operation that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError {
    /// Which operation.
    pub operation: String,
    /// What went wrong.
    pub kind: TargetErrorKind,
}

/// What went wrong. The first two are the target's own doing; the others mean that it could not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetErrorKind {
    /// The target ended or closed the connection; how.
    Crashed(String),
    /// It did not answer within this time.
    TimedOut(Duration),
    /// It could not be started or reached; why.
    NotStarted(String),
    /// It answered something that is not of the protocol; what was said.
    Nonsense(String),
    /// The adapter said that it could not do it; its words.
    Declined(String),
    /// The service answered with a status that says that it could not do it; which.
    Refused(String),
    /// What it claims cannot be: which claim, and why.
    Misclaimed(String),
    /// The adapter does not support the operation.
    Unsupported,
    /// The program is to end, and its answer was not waited for any longer.
    Interrupted,
}

impl TargetError {
    /// An error of this kind in this operation.
    pub fn new(operation: &str, kind: TargetErrorKind) -> TargetError {
        TargetError { operation: operation.to_owned(), kind }
    }

    /// Changes each text that came from the target.
    pub(crate) fn each_text(&mut self, change: impl Fn(&mut String)) {
        match &mut self.kind {
            TargetErrorKind::Crashed(text)
            | TargetErrorKind::NotStarted(text)
            | TargetErrorKind::Nonsense(text)
            | TargetErrorKind::Declined(text)
            | TargetErrorKind::Refused(text)
            | TargetErrorKind::Misclaimed(text) => change(text),
            TargetErrorKind::TimedOut(_) | TargetErrorKind::Unsupported | TargetErrorKind::Interrupted => {}
        }
    }

    /// The operation is not supported.
    pub fn unsupported(operation: &str) -> TargetError {
        TargetError::new(operation, TargetErrorKind::Unsupported)
    }

    /// Whether the target, and not the adapter or the harness, is to blame when this happens in a case.
    pub fn is_targets_fault(&self) -> bool {
        matches!(self.kind, TargetErrorKind::Crashed(_) | TargetErrorKind::TimedOut(_))
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = &self.operation;
        match &self.kind {
            TargetErrorKind::Crashed(how) => write!(f, "{operation}: the target {how}"),
            TargetErrorKind::TimedOut(limit) => write!(f, "{operation}: no answer within {} ms", limit.as_millis()),
            TargetErrorKind::NotStarted(why) => write!(f, "{operation}: the target could not be started: {why}"),
            TargetErrorKind::Nonsense(what) => write!(f, "{operation}: {what}"),
            TargetErrorKind::Declined(why) => write!(f, "{operation}: the adapter said: {why}"),
            TargetErrorKind::Refused(what) | TargetErrorKind::Misclaimed(what) => write!(f, "{operation}: {what}"),
            TargetErrorKind::Unsupported => write!(f, "{operation}: the adapter does not support this"),
            TargetErrorKind::Interrupted => write!(f, "{operation}: interrupted before there was an answer"),
        }
    }
}

impl std::error::Error for TargetError {}

/// How a target ended that panicked.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", cut(text.unwrap_or("without a message")))
}
