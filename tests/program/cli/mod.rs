//! The command line from outside: exit codes, what is written where, bad input, and that nothing is left running.
//!
//! Source: `docs/reports.md`.

mod bad_input;
mod bad_targets;
mod certify;
mod looking;

use std::{fs, path::PathBuf};

use crate::common::{
    place::{BROKEN, FAULT, Place, Ran, copy_folder},
    root,
    sample::is_there,
};

impl Place {
    fn run_at(&self, columns: &str, args: &[&str]) -> Ran {
        self.command(args).env("COLUMNS", columns).output().expect("the program runs").into()
    }

    #[track_caller]
    fn check(&self, args: &[&str], code: i32, stderr_contains: &str) -> Ran {
        let ran = self.exits(args, code);
        assert!(ran.err.contains(stderr_contains), "{args:?}: no {stderr_contains:?} in {:?}", ran.err);
        ran
    }

    /// The only saved case after the fault was certified.
    #[track_caller]
    fn saved_case(&self) -> String {
        self.check(&["certify", FAULT, "--only", BROKEN], 1, "");
        let mut files = fs::read_dir(self.path("refundproof-failures")).expect("a folder");
        let name = files.next().expect("a saved case").expect("an entry").file_name();
        assert!(files.next().is_none());
        format!("refundproof-failures/{}", name.display())
    }

    /// A stdio target in `sh` that fails as a whole: one line, exit code 3, nothing left behind.
    #[track_caller]
    fn shell_fails(&self, script: &str, parts: &[&str]) {
        let script = format!("echo $$ > pid; {script}");
        self.complains(&["certify", "--cases", "2", "--", "sh", "-c", &script], 3, parts);
        self.nothing_is_left();
    }

    fn corpus(&self) -> PathBuf {
        let copy = self.path("corpus");
        copy_folder(&root().join("corpus/digital-river"), &copy);
        copy
    }
}

#[track_caller]
fn check(args: &[&str], code: i32, stderr_contains: &str) -> Ran {
    Place::new().check(args, code, stderr_contains)
}

#[track_caller]
fn complains(args: &[&str], code: i32, parts: &[&str]) {
    Place::new().complains(args, code, parts);
}

/// The path of a Python sample, unless there is no Python here.
fn sample(name: &str) -> Option<String> {
    is_there("python3").then(|| root().join("samples/python-stdio").join(name).display().to_string())
}
