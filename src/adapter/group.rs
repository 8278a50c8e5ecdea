//! What can be done to a process group from outside, and seen of it: a disk that is full, a time in which it stands still, and how
//! much memory it has.
//!
//! None of it needs anything of the target. A disk is full for those processes that may not write to files any more, which is a limit
//! that Linux lets others set; elsewhere the disk has room, and only what goes with it, a kill, is real.

use std::{thread, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};

/// How long a target has to begin with a request before it stands still.
const MOMENT: Duration = Duration::from_millis(1);

/// Lets a target stand still for a while, a moment after `during` has begun. `stop` stops its process group, if it is there, and says
/// which that is.
pub(super) fn standing_still<T>(stop: impl FnOnce() -> Option<Pid> + Send, time: Duration, during: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        scope.spawn(move || {
            thread::sleep(MOMENT);
            let Some(group) = stop() else { return };
            thread::sleep(time);
            // Whoever writes to it may wait for it to go on, so nobody is asked now whether it is still there. If it is gone, this
            // does nothing.
            let _ = kill_process_group(group, Signal::CONT);
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

/// How many KiB of memory all processes of a group have together.
#[cfg(target_os = "linux")]
pub(super) fn memory(group: Pid) -> Option<u64> {
    let of = |pid: Pid| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    members(group).into_iter().filter_map(of).reduce(|sum, one| sum + one)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn memory(_: Pid) -> Option<u64> {
    None
}

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
/// Linux writes -1 for one that is just ending: it is in no group any more.
#[cfg(target_os = "linux")]
fn group_in(stat: &str) -> Option<Pid> {
    let (_, rest) = stat.rsplit_once(')')?;
    let group = rest.split_whitespace().nth(2)?.parse().ok().filter(|group| *group > 0)?;
    Pid::from_raw(group)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        os::unix::process::CommandExt,
        process::{Command, Stdio},
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
        assert_eq!(group("812 (sh) X 0 -1 -1 0 -1 4227084"), None);
        assert_eq!(group("nothing of the kind"), None);
    }

    #[test]
    fn memory_is_told() {
        let mut child = Command::new("sleep").arg("60").process_group(0).spawn().expect("it starts");
        let memory = memory(Pid::from_child(&child));
        child.kill().and_then(|()| child.wait()).expect("it ends");
        assert!(memory.is_some_and(|kib| (1..1 << 20).contains(&kib)), "{memory:?}");
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
    fn who_is_gone_does_not_stand_still() {
        assert_eq!(standing_still(|| None, Duration::MAX, || 7), 7);
    }
}
