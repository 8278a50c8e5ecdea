//! What would be left behind if the program ended here and now: process groups and folders.
//!
//! Whoever owns them cleans up when it is dropped, in a panic too. Only a program that is told to end at once drops nothing;
//! for that there is [`clean_up`].

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::process::Pid;
use tempfile::TempDir;

static LEFT: Mutex<Left> = Mutex::new(Left { groups: Vec::new(), folders: Vec::new() });

struct Left {
    groups: Vec<Pid>,
    folders: Vec<PathBuf>,
}

/// Starts a command that is to lead a process group of its own.
pub(super) fn spawn(command: &mut Command) -> io::Result<Child> {
    // Held meanwhile, so that no child is there that nobody knows of.
    let mut left = left();
    let child = command.spawn()?;
    left.groups.push(Pid::from_child(&child));
    Ok(child)
}

/// The group was killed. To be called before its leader is reaped, as the number is free for others after that.
pub(super) fn is_killed(group: Pid) {
    left().groups.retain(|other| *other != group);
}

/// Makes a folder.
pub(super) fn make_folder(make: impl FnOnce() -> io::Result<TempDir>) -> io::Result<TempDir> {
    let mut left = left();
    let folder = make()?;
    left.folders.push(folder.path().to_owned());
    Ok(folder)
}

/// Removes a folder with all that is in it.
pub(super) fn remove_folder(path: &Path) {
    let mut left = left();
    // What cannot be removed is left to whoever cleans temporary files.
    let _ = fs::remove_dir_all(path);
    left.folders.retain(|other| other != path);
}

/// Kills every process group and removes every folder. Nothing is started any more while the answer is kept.
#[cfg(feature = "cli")]
pub(crate) fn clean_up() -> impl Sized {
    let mut left = left();
    for group in left.groups.drain(..) {
        // An error means that nothing is left to kill.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    for folder in left.folders.drain(..) {
        let _ = fs::remove_dir_all(folder);
    }
    left
}

fn left() -> MutexGuard<'static, Left> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}
