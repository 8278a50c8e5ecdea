//! The process groups of this program's targets, so that all of them can be killed when it must end at once.

use std::{
    io,
    process::{Child, Command},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::process::{Pid, Signal, kill_process_group};

struct Groups {
    running: Vec<Pid>,
    closed: bool,
}

static GROUPS: Mutex<Groups> = Mutex::new(Groups { running: Vec::new(), closed: false });

fn groups() -> MutexGuard<'static, Groups> {
    // A panic elsewhere leaves the list whole.
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a command that leads a process group of its own. Nothing is started any more after [`end_all_processes`].
pub(super) fn start(command: &mut Command) -> io::Result<Child> {
    // Held while starting, so that no process falls between the last look at the list and the end.
    let mut groups = groups();
    if groups.closed {
        return Err(io::Error::other("the program is ending"));
    }
    let child = command.spawn()?;
    groups.running.push(Pid::from_child(&child));
    Ok(child)
}

/// Kills a group. Its leader must not have been reaped, or the number may be somebody else's by now.
pub(super) fn kill(group: Pid) {
    let mut groups = groups();
    groups.running.retain(|other| *other != group);
    // An error means that nothing is left to kill.
    let _ = kill_process_group(group, Signal::KILL);
}

/// Kills every process that targets of this program run in. For ending the program at once: no target can be started
/// after it.
pub fn end_all_processes() {
    let mut groups = groups();
    groups.closed = true;
    for group in groups.running.drain(..) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}
