//! Every command takes every provider.

mod common;

use assert_cmd::Command;
use common::{providers, root};
use refundproof::provider::Provider;
use tempfile::TempDir;

/// Runs the program in a folder of its own; what it wrote to standard output.
#[track_caller]
fn runs(folder: &TempDir, args: &[&str], code: i32) -> String {
    let output = Command::cargo_bin("refundproof").expect("the program").current_dir(folder).args(args).output().expect("it runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {err}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn for_each(check: impl Fn(&'static dyn Provider, &TempDir)) {
    for provider in providers() {
        check(provider, &TempDir::new().expect("a folder"));
    }
}

#[test]
fn certify() {
    for_each(|provider, folder| {
        let out = runs(folder, &["certify", "--provider", provider.name(), "--cases", "5"], 0);
        assert!(out.contains(&format!("· {} ·", provider.name())) && out.contains("conformant"), "{out}");
    });
}

#[test]
fn certify_finds_a_fault_and_replay_finds_it_again() {
    for_each(|provider, folder| {
        let target = "builtin:fault/books-redeliveries";
        let id = "duplicate-deliveries";
        let out = runs(folder, &["certify", "--provider", provider.name(), "--only", id, "--failures", "failures", target], 1);
        assert!(out.contains("not-conformant"), "{out}");
        let case = std::fs::read_dir(folder.path().join("failures")).expect("saved").next().expect("a case").expect("an entry").path();
        let case = case.display().to_string();
        runs(folder, &["replay", &case, target], 1);
        runs(folder, &["replay", &case], 0);
        let header = provider.signature_header();
        let out = runs(folder, &["show", &case, "--curl", "--secret", "whsec"], 0);
        assert!(out.contains(&format!("-H '{header}: ")) || out.contains(&format!("-H {header}: ")), "{out}");
    });
}

#[test]
fn doctor() {
    for_each(|provider, folder| {
        let out = runs(folder, &["doctor", "--provider", provider.name()], 0);
        assert!(out.contains("the adapter works"), "{out}");
    });
}

#[test]
fn list_and_explain() {
    for_each(|provider, folder| {
        let requirements = runs(folder, &["list", "--provider", provider.name()], 0);
        let faults = runs(folder, &["list", "--faults", "--provider", provider.name()], 0);
        for requirement in &provider.corpus().requirements {
            assert!(requirements.contains(&requirement.id), "{}", requirement.id);
            assert!(faults.contains(&requirement.id), "no fault is aimed at {}", requirement.id);
            let out = runs(folder, &["explain", "--provider", provider.name(), &requirement.id], 0);
            // Lines are wrapped for the terminal.
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words(&out).contains(&words(&requirement.heading)), "{out}");
        }
    });
}

#[test]
fn frozen_sequences_are_replayed_and_shown() {
    for_each(|provider, folder| {
        let name = provider.corpus().sequences.keys().next().expect("a sequence");
        let path = root().join("corpus").join(provider.name()).join("sequences").join(format!("{name}.json"));
        let path = path.display().to_string();
        runs(folder, &["replay", &path], 0);
        assert!(runs(folder, &["show", &path], 0).contains("must end as"));
    });
}
