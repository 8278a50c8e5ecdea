//! A shell that outlives the program, and kills and removes what the program would have.
//!
//! A program that is killed itself (SIGKILL, or for lack of memory) cleans up nothing. So a shell is told of every process group
//! and folder when it is made and when it is gone, by a pipe. When the pipe ends, however the program ended, the shell kills
//! and removes what is left. It needs nothing but a POSIX shell; where there is none, nobody watches.
//!
//! A process that has left its group, or was started a moment before the program died, is found by a mark in its environment,
//! which it has from its parents, where the system shows that (Linux). One that has rid itself of both is not found.

use std::{
    ffi::OsStr,
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{ChildStdin, Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::process::Pid;

/// Lines are `+` or `-` and a thing: `g` and the number of a group, or `f` and the path of a folder. Signals that a terminal or
/// a system that shuts down sends to all are passed over: the program dies of them too, and then the pipe ends. A process that is
/// just becoming another program shows no environment for a moment, so it is looked again after nobody was found.
const SCRIPT: &str = r#"trap '' HUP INT QUIT TERM PIPE
mark=$1
set --
while IFS= read -r line; do
  thing=${line#?}
  for other do
    shift
    [ "$other" = "$thing" ] || set -- "$@" "$other"
  done
  case $line in +*) set -- "$@" "$thing" ;; esac
done
for thing do
  case $thing in g*) kill -s KILL -- "-${thing#g}" 2>/dev/null ;; esac
done
clean() {
  for thing do
    case $thing in f/*) rm -rf -- "${thing#f}" ;; esac
  done
}
free=0
for round in 1 2 3 4 5 6 7; do
  found=$(grep -lsF -e "REFUNDPROOF_RUN=$mark" /proc/[0-9]*/environ)
  for environ in $found; do
    process=${environ#/proc/}
    kill -s KILL "${process%/environ}" 2>/dev/null
  done
  [ -z "$found" ] || { free=0; continue; }
  clean "$@"
  free=$((free + 1))
  [ "$free" -lt 2 ] || break
  sleep 0.05
done
clean "$@""#;

/// The variable in which the mark stands.
const VARIABLE: &str = "REFUNDPROOF_RUN";

/// The shell, and the pipe to it.
pub(super) struct Watchdog {
    /// Not waited for: it ends after the program.
    #[cfg(feature = "cli")]
    child: std::process::Child,
    told: ChildStdin,
    mark: String,
}

impl Watchdog {
    /// One that knows of nothing yet; none where it cannot be started.
    pub(super) fn start() -> Option<Watchdog> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // In a group of its own it is not hit by what ends the program's, and in this folder it keeps no other.
        command.process_group(0).current_dir("/").env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mark = format!("{}-{}", std::process::id(), now.as_nanos());
        // Its own environment must not hold what it looks for.
        command.args(["watchdog", &mark]);
        let mut child = command.spawn().ok()?;
        let told = child.stdin.take()?;
        // Whoever stops it must not stop the program.
        rustix::io::ioctl_fionbio(&told, true).ok()?;
        Some(Watchdog {
            #[cfg(feature = "cli")]
            child,
            told,
            mark,
        })
    }

    /// Its own number.
    #[cfg(feature = "cli")]
    pub(super) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// What the environment of every target says, so that its processes are found.
    pub(super) fn mark(&self) -> (&'static OsStr, &OsStr) {
        (OsStr::new(VARIABLE), OsStr::new(&self.mark))
    }

    /// A process group is there, or gone.
    pub(super) fn hears_of_group(&mut self, group: Pid, is_there: bool) {
        self.hears(is_there, &format!("g{}", group.as_raw_nonzero()));
    }

    /// A folder is there, or gone. One whose name is not one line stays unknown.
    pub(super) fn hears_of_folder(&mut self, folder: &Path, is_there: bool) {
        if let Some(path) = folder.to_str().filter(|path| path.starts_with('/') && !path.contains('\n')) {
            self.hears(is_there, &format!("f{path}"));
        }
    }

    fn hears(&mut self, is_there: bool, thing: &str) {
        let line = format!("{}{thing}\n", if is_there { '+' } else { '-' });
        // If it is gone nobody is told.
        let _ = self.told.write_all(line.as_bytes());
    }
}
