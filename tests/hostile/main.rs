//! Targets, files, reports, arguments and pipes that fight back. Whatever they do, the program ends soon, with the code of the
//! contract and with what is wrong in words; it stays small, leaves no process and no file behind, and nothing of what it
//! writes commands a terminal or a CI server.
//!
//! Source: `docs/reports.md`, "Exit codes" and "What is read and written".

mod answers;
#[path = "../common/mod.rs"]
mod common;
mod files;
mod in_process;
mod introductions;
mod records;
mod services;
mod signals;
mod streams;
mod targets;
mod texts;

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::place::{PROGRAM, Place, Ran, eventually_within};
use tempfile::TempDir;

/// How long a row may take; the longest are those in which a target does not answer.
const LIMIT: Duration = Duration::from_secs(40);
/// How much memory the program may need, in kibibytes.
const MOST_MEMORY: u64 = 200 * 1024;

/// Where standard output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    /// Into a file.
    File,
    /// Into a pipe that nobody reads.
    Closed,
    /// To a disk that is full.
    Full,
}

/// A folder to run in, and how the program is run.
struct Row {
    place: Place,
    /// What the program writes and its temporary files are elsewhere, so that whatever else is new was left behind.
    beside: TempDir,
    out: Stream,
    err: Stream,
    /// Largest file that may be written, in blocks of the shell's.
    blocks: Option<u32>,
    variables: Vec<(&'static str, String)>,
}

impl Row {
    fn new() -> Row {
        let beside = TempDir::new().expect("a temporary folder");
        fs::create_dir(beside.path().join("tmp")).expect("a folder");
        Row { place: Place::new(), beside, out: Stream::File, err: Stream::File, blocks: None, variables: Vec::new() }
    }

    fn to(out: Stream) -> Row {
        Row { out, ..Row::new() }
    }

    fn with(mut self, name: &'static str, value: &str) -> Row {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Runs the program: it ends with this code, and some line has this part.
    #[track_caller]
    fn ends(&self, args: &[&str], code: i32, says: &str) -> Ran {
        self.ends_in(args, &[code], says)
    }

    /// Runs the program: it ends with one of these codes, and some line has this part.
    #[track_caller]
    fn ends_in(&self, args: &[&str], codes: &[i32], says: &str) -> Ran {
        let ran = self.run(args);
        let (out, err) = (&ran.out, &ran.err);
        assert!(ran.code.is_some_and(|code| codes.contains(&code)), "{args:?}: {:?}, not {codes:?}\n{out}\n{err}", ran.code);
        assert!(out.contains(says) || err.contains(says), "{args:?}: no {says:?} in\n{out}\n{err}");
        // Who asks for colours gets those of the program.
        if !args.contains(&"--color=always") {
            is_harmless(out, self.variables.iter().any(|(name, _)| *name == "GITHUB_ACTIONS"));
            is_harmless(err, false);
        }
        self.nothing_is_left();
        ran
    }

    /// The same, and all of standard error is one sentence.
    #[track_caller]
    fn complains(&self, args: &[&str], code: i32, says: &str) -> Ran {
        let ran = self.ends(args, code, says);
        assert!(ran.err.starts_with("error: ") && ran.err.lines().count() == 1, "{args:?}: {}", ran.err);
        ran
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Ran {
        let child = self.start(args);
        self.ended(child, args)
    }

    #[track_caller]
    fn start(&self, args: &[&str]) -> Child {
        let (out, err) = (self.beside.path().join("out"), self.beside.path().join("err"));
        let stream = |to: Stream, path: &Path| match to {
            Stream::File => Stdio::from(File::create(path).expect("a file")),
            Stream::Full => Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").expect("the device")),
            Stream::Closed => Stdio::from(io::pipe().expect("a pipe").1),
        };
        let mut command = self.place.command(args);
        if let Some(blocks) = self.blocks {
            let told: Vec<_> = command.get_envs().map(|(name, _)| name.to_owned()).collect();
            command = Command::new("sh");
            command.args(["-c", &format!("ulimit -f {blocks}; exec \"$0\" \"$@\""), PROGRAM]).args(args).current_dir(&self.place.0);
            told.iter().for_each(|name| {
                command.env_remove(name);
            });
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        // By this its processes are found again.
        command.env("TMPDIR", self.beside.path().join("tmp"));
        let child = command.stdin(Stdio::null()).stdout(stream(self.out, &out)).stderr(stream(self.err, &err)).spawn();
        child.expect("the program runs")
    }

    /// What it came to.
    #[track_caller]
    fn ended(&self, child: Child, args: &[&str]) -> Ran {
        let code = watched(child, args);
        let text = |name: &str| {
            let bytes = fs::read(self.beside.path().join(name)).unwrap_or_default();
            String::from_utf8(bytes).expect("UTF-8")
        };
        Ran { code, out: text("out"), err: text("err") }
    }

    #[track_caller]
    fn nothing_is_left(&self) {
        let folder = self.beside.path().join("tmp");
        let mark = format!("TMPDIR={}", folder.display());
        eventually_within(Duration::from_secs(3), "a process is left behind", || !is_in_some_process(&mark));
        let names = |folder: &Path| -> Vec<_> {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        eventually_within(Duration::from_secs(3), "temporary files are left behind", || names(&folder).is_empty());
        for folder in [self.place.path(""), self.place.path("refundproof-failures"), self.place.path("own")] {
            let half: Vec<String> = names(&folder).into_iter().filter(|name| name.ends_with(".tmp")).collect();
            assert_eq!(half, Vec::<String>::new(), "half files are left behind");
        }
    }
}

/// Waits for the end, and looks at the time and at the memory.
#[track_caller]
fn watched(mut child: Child, args: &[&str]) -> Option<i32> {
    let deadline = Instant::now() + LIMIT;
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        // Until it has become the program, a new process is as large as the one that it comes from.
        let is_program = text.starts_with("Name:\trefundproof\n");
        most = most.max(peak.filter(|_| is_program).unwrap_or(0));
        if let Some(status) = child.try_wait().expect("a status") {
            assert!(most < MOST_MEMORY, "{args:?}: it needed {most} KiB");
            return status.code();
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("{args:?}: it did not end");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn is_in_some_process(mark: &str) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| fs::read(entry.path().join("environ")).ok())
        .any(|environment| environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()))
}

/// Nothing in it commands a terminal, turns the direction of writing, or is a command to a CI server.
#[track_caller]
fn is_harmless(text: &str, has_commands: bool) {
    let is_mark =
        |character: char| matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
    let harmful = |character: &char| character.is_control() && !matches!(character, '\n' | '\t') || is_mark(*character);
    assert_eq!(text.chars().find(harmful), None, "{text:?}");
    if !has_commands {
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
    }
    assert!(!text.contains("##["), "{text}");
}
