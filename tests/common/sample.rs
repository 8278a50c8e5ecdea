//! Certifying a whole sample with the program, as its README says.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What a certification of a sample ended with.
pub(crate) struct Certified {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Certifies with the program at this path; reports and saved cases go to a folder of the test's own.
pub(crate) fn certify(program: &Path, name: &str, args: &[&str]) -> Certified {
    let failures = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // What a run before this one saved would be played first.
    _ = fs::remove_dir_all(&failures);
    let mut command = Command::new(program);
    command.arg("certify").arg("--failures").arg(failures).args(args).env_remove("COLUMNS").env("NO_COLOR", "1");
    let output = command.output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Certified { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Certified {
    /// It conforms, and these requirements were judged.
    #[track_caller]
    pub(crate) fn conforms(&self, judged: &[&str]) {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        for id in judged {
            assert!(self.out.contains(&format!("  ✓ {id} ")), "{id} was not judged\n{}", self.out);
        }
    }

    /// It does not conform, and this is said of it.
    #[track_caller]
    pub(crate) fn is_said(&self, what: &str) {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.err);
        assert!(self.out.contains(what), "{}", self.out);
    }

    /// It fails in this requirement first.
    #[track_caller]
    pub(crate) fn fails_first(&self, id: &str) {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.err);
        let first = self.out.lines().find_map(|line| line.strip_prefix("  ✗ "));
        assert_eq!(first.and_then(|line| line.split(' ').next()), Some(id), "{}", self.out);
    }
}

/// A copy of a sample's target file in which the command is another one.
pub(crate) fn target_file(of: &Path, name: &str, command: &[&str]) -> PathBuf {
    let text = fs::read_to_string(of).expect("a target file");
    let is_command = |line: &&str| line.starts_with("command = ");
    assert_eq!(text.lines().filter(is_command).count(), 1, "{}", of.display());
    let folder = of.parent().expect("a folder");
    let changed = format!("command = {command:?}\ndirectory = {:?}", folder.display().to_string());
    let lines: Vec<&str> = text.lines().map(|line| if is_command(&line) { changed.as_str() } else { line }).collect();
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&copy, lines.join("\n")).expect("a file");
    copy
}

/// Whether this program is here to be run; the test log says if not.
pub(crate) fn is_there(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        skip(&format!("there is no {program}"));
    }
    there
}

/// The interpreter behind `python3`, if it is here; the test log says if not. What stands before it where several versions are
/// managed takes longer to start than the sample.
pub(crate) fn python() -> Option<String> {
    let asked = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let path = asked.ok().and_then(|answer| String::from_utf8(answer.stdout).ok()).map(|path| path.trim().to_owned());
    // A version manager without a Python says nothing here.
    let path = path.filter(|path| !path.is_empty());
    if path.is_none() {
        skip("there is no python3");
    }
    path
}

/// Says in the test log what was not tested.
#[expect(clippy::print_stderr, reason = "whoever reads the test log should know what was not tested")]
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}
