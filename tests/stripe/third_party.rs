//! A consumer that others wrote, certified as its folder's README says: verdicts and findings are those that are committed.

use std::{fs, path::Path, process::Command};

use crate::common::sample::{certify, skip};

/// The certification that `expected.json` is of. README has the same command.
const ARGUMENTS: &str = "--provider stripe --seed 20241121 --cases 5 --jobs 1 --only refund-created-updates-order --only partial-refunds-add-up \
    --only full-refund-detected --only exact-amounts --only refund-fails-after-success --only dispute-withdraws \
    --only several-disputes-add-up --only duplicate-deliveries --only out-of-order-deliveries --only same-second-events \
    --only signature-required";

/// How often a certification is tried that could not judge.
const ATTEMPTS: usize = 3;

#[test]
fn gringotts_is_found_to_be_what_is_committed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/third-party/gringotts");
    let python = folder.join(".venv/bin/python3");
    if !python.is_file() {
        skip("gringotts-api is not installed: samples/third-party/gringotts/README.md says how");
        return;
    }
    let report = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gringotts-report.json");
    let (python, report) = (python.display().to_string(), report.display().to_string());
    let (to, adapter) = (format!("json={report}"), folder.join("adapter.py").display().to_string());
    let args: Vec<&str> = ARGUMENTS.split_whitespace().chain(["--report", &to, "--", &python, &adapter]).collect();
    let compared = || {
        certify(Path::new(env!("CARGO_BIN_EXE_refundproof")), "gringotts-failures", &args).is_said("not-conformant");
        let output = Command::new(&python).arg(folder.join("expected.py")).arg(&report).output().expect("Python runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    // It starts slowly, and on a busy machine too slowly to be judged, which says nothing of it.
    let is_judged = |found: &String| !found.contains("\"error\"");
    let found = (0..ATTEMPTS).map(|_| compared()).find(is_judged).expect("it starts in time");
    let committed = fs::read_to_string(folder.join("expected.json")).expect("a file");
    assert_eq!(found, committed, "expected.json is of another certification, or the harness finds something else");
}

/// What people are told to run is what is compared.
#[test]
fn readme_says_the_command() {
    let readme = include_str!("../../samples/third-party/gringotts/README.md");
    let words = |text: &str| text.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(readme).contains(&words(ARGUMENTS)), "{}", words(ARGUMENTS));
}
