//! What runs on the target's runtime while somebody outside of it waits.

use std::{
    future::Future,
    sync::mpsc,
    time::{Duration, Instant},
};

use tokio::{runtime::Runtime, task::AbortHandle};

use crate::adapter::{TargetError, TargetErrorKind, panicked};

/// Something that runs.
pub(super) struct Begun<T> {
    pub(super) at: Instant,
    pub(super) abort: AbortHandle,
    pub(super) hear: mpsc::Receiver<Result<T, Ended>>,
}

/// Why there is no result.
pub(super) enum Ended {
    Panicked(String),
    Aborted,
}

pub(super) fn begun<T: Send + 'static>(runtime: &Runtime, work: impl Future<Output = T> + Send + 'static) -> Begun<T> {
    // The result comes over a channel of the standard library: whoever waits needs no timer of a runtime whose threads may
    // all be stuck.
    let (tell, hear) = mpsc::sync_channel(1);
    let task = runtime.spawn(work);
    let abort = task.abort_handle();
    runtime.spawn(async move {
        let result = task.await.map_err(|error| match error.try_into_panic() {
            Ok(panic) => Ended::Panicked(panicked(&*panic)),
            Err(_) => Ended::Aborted,
        });
        // Nobody may be waiting any more.
        let _ = tell.send(result);
    });
    Begun { at: Instant::now(), abort, hear }
}

pub(super) fn wait<T>(operation: &str, limit: Duration, begun: Begun<T>) -> Result<T, TargetError> {
    let left = limit.saturating_sub(begun.at.elapsed());
    let kind = match begun.hear.recv_timeout(left) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(Ended::Panicked(how))) => TargetErrorKind::Crashed(how),
        Ok(Err(Ended::Aborted)) | Err(mpsc::RecvTimeoutError::Disconnected) => TargetErrorKind::Crashed("ended".to_owned()),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            begun.abort.abort();
            TargetErrorKind::TimedOut(limit)
        }
    };
    Err(TargetError::new(operation, kind))
}
