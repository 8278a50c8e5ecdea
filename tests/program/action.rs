//! The action for GitHub: its script, run here as GitHub runs it.

use std::{fs, process::Command};

use refundproof::provider::registered;
use rstest::rstest;

use crate::common::{
    place::{FAULT, PROGRAM, Place},
    root,
    sample::is_there,
};

/// The script of the step `certify`.
fn script() -> String {
    let action = fs::read_to_string(root().join("action.yml")).expect("the action");
    let step = action.split("      run: |\n").nth(1).expect("a script");
    let lines = step.lines().take_while(|line| line.is_empty() || line.starts_with("        "));
    lines.map(|line| format!("{}\n", line.strip_prefix("        ").unwrap_or_default())).collect()
}

#[rstest]
#[case::conformant("builtin:reference", "", "--only duplicate-deliveries --cases 2 --without refund --without chargeback", 0)]
#[case::another_provider("builtin:reference", registered()[1].name, "--only duplicate-deliveries --cases 2 --without refund", 0)]
#[case::not_conformant(FAULT, "", "--only duplicate-deliveries --cases 20", 1)]
#[case::configuration("nowhere.toml", "", "", 2)]
fn it_certifies_and_keeps_the_reports(#[case] target: &str, #[case] provider: &str, #[case] arguments: &str, #[case] code: i32) {
    if !is_there("bash") {
        return;
    }
    let place = Place::new();
    place.write("output", "");
    let programs = std::path::Path::new(PROGRAM).parent().expect("a folder").to_owned();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&paths))).expect("a path");
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script()]).current_dir(place.path("")).env("PATH", paths);
    let inputs = [("TARGET", target), ("PROVIDER", provider), ("ARGUMENTS", arguments), ("REPORTS", "reports")];
    command.envs(inputs).env("GITHUB_OUTPUT", place.path("output"));
    let output = command.output().expect("bash runs");
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(place.read("output"), format!("exit-code={code}\n"));
    assert_eq!(place.path("reports/refundproof.html").exists(), code < 2);
}
