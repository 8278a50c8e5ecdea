//! What would be left behind if the program ended here and now: process groups and folders.
//!
//! Whoever owns them cleans up when it is dropped, in a panic too. Only a program that is told to end at once drops nothing;
//! for that there is [`clean_up`]. For one that is killed there is the [`Watchdog`].

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::process::Pid;
use tempfile::TempDir;

use super::watchdog::Watchdog;

static LEFT: Mutex<Left> = Mutex::new(Left { groups: Vec::new(), folders: Vec::new(), watchdog: None });

struct Left {
    groups: Vec<Pid>,
    folders: Vec<PathBuf>,
    /// Started with the first of them; `None` in it where that cannot be.
    watchdog: Option<Option<Watchdog>>,
}

impl Left {
    fn watchdog(&mut self) -> Option<&mut Watchdog> {
        self.watchdog.get_or_insert_with(Watchdog::start).as_mut()
    }
}

/// Starts a command that is to lead a process group of its own.
pub(super) fn spawn(command: &mut Command) -> io::Result<Child> {
    // Held meanwhile, so that no child is there that nobody knows of.
    let mut left = left();
    // Ready before the child is, so that it hears of it at once.
    if let Some(watchdog) = left.watchdog() {
        let (variable, mark) = watchdog.mark();
        command.env(variable, mark);
    }
    let child = command.spawn()?;
    let group = Pid::from_child(&child);
    left.groups.push(group);
    if let Some(watchdog) = left.watchdog() {
        watchdog.hears_of_group(group, true);
    }
    Ok(child)
}

/// The group was killed. To be called before its leader is reaped, as the number is free for others after that.
pub(super) fn is_killed(group: Pid) {
    let mut left = left();
    left.groups.retain(|other| *other != group);
    if let Some(watchdog) = left.watchdog() {
        watchdog.hears_of_group(group, false);
    }
}

/// Makes a folder.
pub(super) fn make_folder(make: impl FnOnce() -> io::Result<TempDir>) -> io::Result<TempDir> {
    let mut left = left();
    let folder = make()?;
    left.folders.push(folder.path().to_owned());
    if let Some(watchdog) = left.watchdog() {
        watchdog.hears_of_folder(folder.path(), true);
    }
    Ok(folder)
}

/// Removes a folder with all that is in it.
pub(super) fn remove_folder(path: &Path) {
    let mut left = left();
    // What cannot be removed is left to whoever cleans temporary files.
    let _ = fs::remove_dir_all(path);
    left.folders.retain(|other| other != path);
    if let Some(watchdog) = left.watchdog() {
        watchdog.hears_of_folder(path, false);
    }
}

/// Kills every process group and removes every folder. Nothing is started any more while the answer is kept.
#[cfg(feature = "cli")]
pub(crate) fn clean_up() -> impl Sized {
    let mut left = left();
    for group in left.groups.drain(..) {
        // An error means that nothing is left to kill.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    end_orphans(left.watchdog.as_ref().and_then(Option::as_ref).map(Watchdog::pid));
    for folder in left.folders.drain(..) {
        let _ = fs::remove_dir_all(folder);
    }
    left
}

/// From now on a process that was started by a target and has lost its parent belongs to this program, also if it has left its
/// group, so that [`clean_up`] finds it. Elsewhere than on Linux it goes its own way.
#[cfg(feature = "cli")]
pub(crate) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Kills the processes that belong to this program, and those that come to belong to it by that.
#[cfg(feature = "cli")]
fn end_orphans(watchdog: Option<Pid>) {
    /// More generations than anybody has; whoever starts processes faster than they are killed is not run after for ever.
    const MOST_ROUNDS: usize = 50;
    for _ in 0..MOST_ROUNDS {
        let children: Vec<Pid> = children().filter(|child| Some(*child) != watchdog).collect();
        if children.is_empty() {
            return;
        }
        for child in children {
            let _ = rustix::process::kill_process(child, rustix::process::Signal::KILL);
            // Whoever hangs in the kernel is not waited for.
            for _ in 0..20 {
                if !matches!(rustix::process::waitpid(Some(child), rustix::process::WaitOptions::NOHANG), Ok(None)) {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
    }
}

/// The processes whose parent is this one, where the system tells.
#[cfg(feature = "cli")]
fn children() -> impl Iterator<Item = Pid> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?)).collect::<Vec<_>>())
}

fn left() -> MutexGuard<'static, Left> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}
