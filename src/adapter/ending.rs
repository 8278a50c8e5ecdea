//! The program is to end: whoever waits for a target gives it a moment more and no longer.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// How long an answer is still waited for after that. A target that is only slow finishes its case in it.
const GRACE: Duration = Duration::from_secs(1);

/// How long to wait before looking again whether the program is to end.
#[cfg(feature = "http")]
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// Stands for no limit at all: a time that the clock can still be asked for.
#[cfg(feature = "stdio")]
pub(super) const FAR_AWAY: Duration = Duration::from_secs(24 * 60 * 60);

static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// The program is to end soon: nothing is waited for any more than a moment.
#[cfg(feature = "cli")]
pub(crate) fn end_soon() {
    IS_ENDING.store(true, Ordering::Relaxed);
}

/// Of one who waits: since when it is known that the program is to end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ending(Option<Instant>);

impl Ending {
    /// Whether the moment is over.
    pub(super) fn is_over(&mut self) -> bool {
        IS_ENDING.load(Ordering::Relaxed) && self.0.get_or_insert_with(Instant::now).elapsed() >= GRACE
    }
}
