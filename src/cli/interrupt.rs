//! Ctrl-C, and the other ways in which a program is asked to end.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::Exit;
use crate::adapter::clean_up;

/// The first Ctrl-C ends the run after the case at hand, and what was finished is reported; the second ends it at once.
pub(super) fn stop() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // Without a handler Ctrl-C simply ends the program.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            end();
        }
        let _ = writeln!(std::io::stderr(), "interrupted: ends after the case at hand; Ctrl-C again ends it at once");
    });
    stop
}

/// Whenever the program is asked to end, `ask` is called; when that says that it was asked before, the program ends at once.
pub(super) fn when_asked(ask: impl Fn() -> bool + Send + 'static) {
    // Without a handler Ctrl-C simply ends the program.
    let _ = ctrlc::set_handler(move || {
        if ask() {
            end();
        }
    });
}

/// Ctrl-C ends the program at once, and nothing that it started is left behind.
pub(super) fn end_at_once() {
    let _ = ctrlc::set_handler(|| end());
}

#[expect(clippy::exit, reason = "the other threads may wait for a target or a person for ever")]
fn end() -> ! {
    let _nothing_starts_now = clean_up();
    std::process::exit(Exit::Interrupted.code().into())
}
