//! Trouble that befalls a process from outside: a disk that is full, and a time in which it stands still.
//!
//! Neither needs anything of the target. A disk is full for those processes that may not write to files any more, which is a limit
//! that Linux lets others set; elsewhere the disk has room, and only what goes with it, a kill, is real.

use std::{thread, time::Duration};

use rustix::process::{Pid, Signal};

/// How long a target has to begin with a request before it stands still.
const MOMENT: Duration = Duration::from_millis(1);

/// Lets a target stand still for a while, of which `signal` reaches every process; it begins a moment after `during`.
pub(super) fn standing_still<T>(signal: impl Fn(Signal) + Send, time: Duration, during: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        scope.spawn(move || {
            thread::sleep(MOMENT);
            signal(Signal::STOP);
            thread::sleep(time);
            signal(Signal::CONT);
        });
        during()
    })
}

/// Takes from every process of a group that it can write to files. Pipes and connections are none.
#[cfg(target_os = "linux")]
pub(super) fn fill_disk(group: Pid) {
    use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

    // The hard limit stays as it is. It is everybody's unless somebody has set it, and who may not raise it may not name a higher one.
    let maximum = getrlimit(Resource::Fsize).maximum;
    for member in members(group) {
        // One that has ended meanwhile writes nothing either.
        let _ = prlimit(Some(member), Resource::Fsize, Rlimit { current: Some(0), maximum });
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn fill_disk(_: Pid) {}

/// The processes of a group.
#[cfg(target_os = "linux")]
fn members(group: Pid) -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let member = |entry: std::fs::DirEntry| {
        let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        (group_in(&stat) == Some(group)).then_some(pid)
    };
    processes.filter_map(member).collect()
}

/// The group that a process's `stat` names: the third word after the program's name, which stands in parentheses and may hold any.
#[cfg(target_os = "linux")]
fn group_in(stat: &str) -> Option<Pid> {
    let (_, rest) = stat.rsplit_once(')')?;
    Pid::from_raw(rest.split_whitespace().nth(2)?.parse().ok()?)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        os::unix::process::CommandExt,
        process::{Command, Stdio},
        sync::Mutex,
    };

    use super::*;

    /// What a shell says that is asked to write to a file when it hears of it, with its disk full or not.
    #[track_caller]
    fn written(is_full: bool) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let script = "trap '' XFSZ; read -r go; (echo kept > file) 2>/dev/null; cat file 2>/dev/null";
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).current_dir(folder.path()).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.spawn().expect("a shell");
        if is_full {
            fill_disk(Pid::from_child(&child));
        }
        std::io::Write::write_all(&mut child.stdin.take().expect("piped"), b"go\n").expect("the shell reads");
        String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("text")
    }

    #[test]
    fn its_group_is_read() {
        let group = |stat| group_in(stat).map(|pid| pid.as_raw_nonzero().get());
        assert_eq!(group("812 (a) b ( c) S 1 810 810 0 -1 4194560"), Some(810));
        assert_eq!(group("2 (kthreadd) S 0 0 0 0 -1 2129984"), None);
        assert_eq!(group("nothing of the kind"), None);
    }

    #[test]
    fn there_is_room() {
        assert_eq!(written(false), "kept\n");
    }

    #[test]
    fn there_is_none() {
        assert_eq!(written(true), "");
    }

    #[test]
    fn it_stands_still_and_goes_on() {
        let heard = Mutex::new(Vec::new());
        standing_still(|signal| heard.lock().expect("nobody panics").push(signal), Duration::ZERO, || {});
        assert_eq!(*heard.lock().expect("nobody panics"), [Signal::STOP, Signal::CONT]);
    }
}
