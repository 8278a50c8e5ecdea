//! Ctrl-C, and the other ways in which a program is asked to end.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};

use super::Exit;
use crate::adapter::{clean_up, end_soon};

/// The first Ctrl-C ends the run after the case at hand, and what was finished is reported; the second ends it at once, as
/// Ctrl-\ does.
pub(super) fn stop() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    on_signal(move |signal| {
        if flag.swap(true, Ordering::Relaxed) || signal == SIGQUIT {
            end();
        }
        end_soon();
        let _ = writeln!(std::io::stderr(), "interrupted: ends after the case at hand; Ctrl-C again ends it at once");
    });
    stop
}

/// Whenever the program is asked to end, `ask` is called; when that says that it was asked before, the program ends at once.
pub(super) fn when_asked(ask: impl Fn() -> bool + Send + 'static) {
    on_signal(move |signal| {
        if ask() || signal == SIGQUIT {
            end();
        }
    });
}

/// Ctrl-C ends the program at once, and nothing that it started is left behind.
pub(super) fn end_at_once() {
    on_signal(|_| end());
}

/// What comes so soon after another is no second request: the terminal and whoever started the program both tell it of one Ctrl-C.
const SAME: Duration = Duration::from_millis(100);

/// Does this for every signal that asks the program to end. Where that is not possible a signal simply ends it.
fn on_signal(mut answer: impl FnMut(i32) + Send + 'static) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT]) else { return };
    let mut before: Option<Instant> = None;
    let each = move |signal: i32| {
        let is_same = before.replace(Instant::now()).is_some_and(|before| before.elapsed() < SAME);
        if !is_same || signal == SIGQUIT {
            answer(signal);
        }
    };
    let _ = thread::Builder::new().name("signals".to_owned()).spawn(move || signals.forever().for_each(each));
}

#[expect(clippy::exit, reason = "the other threads may wait for a target or a person for ever")]
fn end() -> ! {
    let _nothing_starts_now = clean_up();
    std::process::exit(Exit::Interrupted.code().into())
}
