//! Ctrl-C: the first ends the run in good order, the second at once.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::Exit;
use crate::adapter::end_all_processes;

/// A flag that the first Ctrl-C sets: the run ends after the case at hand, and what was finished is reported. The second
/// one kills every process that was started and ends the program.
pub(super) fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // Without a handler Ctrl-C simply ends the program, which is no worse than any other program.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            end_now();
        }
        // Nothing is left to tell anybody if standard error is gone too.
        let _ = writeln!(io::stderr(), "interrupted: the case at hand is finished, then comes the report; once more ends at once");
    });
    stop
}

#[expect(clippy::exit, reason = "whoever presses Ctrl-C twice does not want to wait for threads to end")]
fn end_now() -> ! {
    end_all_processes();
    std::process::exit(i32::from(Exit::Interrupted.code()))
}
