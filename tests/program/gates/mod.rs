//! Gates from outside: known failures, shards, snapshots of a target's own, records, revisions, `init` and signals.
//!
//! Source: `docs/reports.md`.

mod parts;
mod records;
mod start;

use std::{fs, process::Child};

use serde_json::Value;

use crate::common::{
    place::{Place, Ran, copy_folder, shell_target},
    root,
    sample::is_there,
};

/// The capabilities of a target that only hears of events that change nothing, so that it is always right.
const SUBSCRIBES_TO_NOTHING: &str = r#"{"subscribes":["customer.*"]}"#;

impl Place {
    #[track_caller]
    fn says(&self, args: &[&str], code: i32, part: &str) -> Ran {
        let ran = self.exits(args, code);
        assert!(ran.out.contains(part) || ran.err.contains(part), "{args:?}: no {part:?} in\n{}\n{}", ran.out, ran.err);
        ran
    }

    #[track_caller]
    fn report(&self, args: &[&str], name: &str, code: i32) -> Value {
        let json = format!("json={name}");
        let args: Vec<&str> = args.iter().copied().chain(["--cases", "5", "--report", &json]).collect();
        self.says(&args, code, "");
        serde_json::from_str(&self.read(name)).expect("JSON")
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut value: Value = serde_json::from_str(&self.read(name)).expect("JSON");
        change(&mut value);
        self.write(name, &format!("{value:#}"));
    }

    /// Starts a run against the target in `sh`.
    fn start_shell(&self, deliver: &str, options: &[&str]) -> Child {
        self.write("target.sh", &shell_target(SUBSCRIBES_TO_NOTHING));
        let args = ["certify", "--only", "other-events-change-nothing", "--jobs", "1"].into_iter().chain(options.iter().copied());
        let args: Vec<&str> = args.chain(["--", "sh", "target.sh", deliver]).collect();
        self.start(&args)
    }
}

fn python() -> Option<String> {
    is_there("python3").then(|| root().join("samples/python-stdio/shop.py").display().to_string())
}

/// A folder of a few frozen sequences, for the sake of speed.
fn few_sequences(place: &Place) -> String {
    let (from, to) = (root().join("corpus/digital-river"), place.path("corpus"));
    copy_folder(&from, &to);
    let mut names: Vec<_> = fs::read_dir(to.join("sequences")).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    names.sort();
    names.iter().skip(4).for_each(|path| fs::remove_file(path).expect("a file"));
    to.display().to_string()
}
