//! The program, run in a folder of its own, and the processes that it starts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_refundproof");
/// A fault for tests of what failures look like.
pub(crate) const FAULT: &str = "builtin:fault/books-redeliveries";
/// The requirement that the fault breaks.
pub(crate) const BROKEN: &str = "duplicate-deliveries";
/// The requirement with the shortest cases, for targets that cost time.
pub(crate) const PLAIN: &str = "refund-complete-updates-order";
/// Long enough for a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// What a finished run wrote.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn shows(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.out.contains(part), "no {part:?} in\n{}\n{}", self.out, self.err);
        }
    }
}

/// A folder of its own to run in.
pub(crate) struct Place(pub(crate) TempDir);

impl Place {
    pub(crate) fn new() -> Place {
        Place(TempDir::new().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(&self.0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // What the terminal or the CI that these tests run in says is not said to the program.
        let told = ["COLUMNS", "NO_COLOR", "CLICOLOR_FORCE", "CI", "TF_BUILD", "INSTA_UPDATE", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"];
        for name in told {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_in(&[], args)
    }

    pub(crate) fn run_in(&self, variables: &[(&str, &str)], args: &[&str]) -> Ran {
        self.command(args).envs(variables.iter().copied()).output().expect("the program runs").into()
    }

    /// Runs to this exit code.
    #[track_caller]
    pub(crate) fn exits(&self, args: &[&str], code: i32) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(code), "{args:?}\n{}\n{}", ran.out, ran.err);
        ran
    }

    /// The same, and all of standard error is one line that says what is wrong.
    #[track_caller]
    pub(crate) fn complains(&self, args: &[&str], code: i32, parts: &[&str]) {
        let ran = self.exits(args, code);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(ran.err.starts_with("error: "), "{}", ran.err);
        for part in parts {
            assert!(ran.err.contains(part), "no {part:?} in {:?}", ran.err);
        }
    }

    /// Starts a run against a target that leaves its process id in the file `pid`, and waits until it is there.
    #[track_caller]
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let child = self.command(args).spawn().expect("the program runs");
        eventually("the target is not started", || self.path("pid").exists());
        child
    }

    /// Every process that wrote itself into the file `pid` is gone.
    #[track_caller]
    pub(crate) fn nothing_is_left(&self) {
        let pids = self.read("pid");
        assert!(!pids.is_empty(), "the target was not started");
        for pid in pids.lines() {
            let pid = Pid::from_raw(pid.trim().parse().expect("a number")).expect("a process id");
            eventually_within(Duration::from_secs(2), "a process is left behind", || test_kill_process(pid).is_err());
        }
    }
}

/// A stdio target in `sh` that leaves its process id in the file `pid` and shows an order to which nothing has happened. `$1`
/// is what it does with a delivery.
pub(crate) fn shell_target(capabilities: &str) -> String {
    const SHELL: &str = r#"echo $$ >> pid
while read -r line; do
  id=${line#*\"id\":}; id=${id%%[,\}]*}; op=${line#*\"op\":\"}; op=${op%%\"*}
  case $op in
    hello) printf '{"id":%s,"ok":true,"name":"sh","version":"1","capabilities":CAPABILITIES}\n' "$id" ;;
    deliver) eval "$1" ;;
    observe) order=${line#*\"orderId\":\"}; order=${order%%\"*}
      printf '{"id":%s,"ok":true,"state":{"orderId":"%s","status":"not_refunded","refundedAmount":0}}\n' "$id" "$order" ;;
    bye) exit 0 ;;
    *) printf '{"id":%s,"ok":true}\n' "$id" ;;
  esac
done
"#;
    SHELL.replace("CAPABILITIES", capabilities)
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let copy = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            fs::copy(&path, &copy).expect("a copy");
        }
    }
}

/// Looks again and again until something is so.
#[track_caller]
pub(crate) fn eventually(what: &str, is_so: impl FnMut() -> bool) {
    eventually_within(LONG, what, is_so);
}

/// The same, for things that must not take long.
#[track_caller]
pub(crate) fn eventually_within(limit: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process runs. One that is dead but that nobody has asked after yet does not.
pub(crate) fn runs(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    let is_zombie = stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'));
    test_kill_process(pid).is_ok() && !is_zombie
}

/// Ctrl-C.
pub(crate) fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).expect("it is still there");
}

/// Waits for the end; what hangs is killed.
#[track_caller]
pub(crate) fn ended(mut child: Child) -> Ran {
    let deadline = Instant::now() + LONG;
    while child.try_wait().expect("a status").is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("it did not end");
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().expect("what it wrote").into()
}
