//! `doctor`, `list`, `explain` and `show`.

use std::{fs, process::Command};

use refundproof::{provider::registered, reference::Fault};
use rstest::rstest;

use super::{check, complains, sample};
use crate::common::place::{BROKEN, Place, shell_target};

// ---- doctor

#[test]
fn doctor_finds_the_reference_well() {
    let ran = check(&["doctor"], 0, "");
    ran.shows(&["✓ hello", "✓ begin", "✓ deliver refund.complete", "✓ end", "the adapter works"]);
    assert!(!ran.out.contains("\n! "), "{}", ran.out);
}

#[test]
fn doctor_finds_python_well() {
    let Some(shop) = sample("shop.py") else { return };
    check(&["doctor", "--", "python3", &shop], 0, "").shows(&["✓ end", &format!("certify -- python3 {shop}")]);
}

#[test]
fn doctor_finds_durable_python_well() {
    let Some(shop) = sample("shop.py") else { return };
    let ran = check(&["doctor", "--", "python3", &shop, "--store", "shop.db"], 0, "");
    ran.shows(&["✓ observe, after the restart", "✓ end"]);
}

#[track_caller]
fn doctor_names(script: &str, step: &str, why: &str) {
    let place = Place::new();
    let ran = place.check(&["doctor", "--", "sh", "-c", &format!("echo $$ > pid; {script}")], 3, "");
    let line = ran.out.lines().find(|line| line.starts_with('✗')).expect("a failing step");
    assert!(line.contains(step) && line.contains(why), "{line}");
    ran.shows(&["  printf '%s\\n' '{\"op\":\"hello\"", "| sh -c "]);
    place.nothing_is_left();
}

#[test]
fn doctor_on_nonsense() {
    doctor_names("echo hi; cat", "hello", "not JSON: `hi`");
}

#[test]
fn doctor_on_one_that_ends() {
    doctor_names("echo dead >&2; exit 7", "hello", "exit status: 7");
}

#[test]
fn doctor_on_one_that_crashes_later() {
    let place = Place::new();
    place.write("target.sh", &shell_target("{}"));
    let ran = place.check(&["doctor", "--", "sh", "target.sh", "exit 9"], 3, "");
    ran.shows(&["✓ begin", "✗ deliver refund.complete", "exit status: 9", "\"op\":\"deliver\""]);
    place.nothing_is_left();
}

// ---- list, explain, show

#[test]
fn lists_requirements() {
    check(&["list"], 0, "").shows(&["refund\n", BROKEN, "SHOULD"]);
}

#[test]
fn lists_faults() {
    check(&["list", "--faults"], 0, "").shows(&["books-redeliveries  duplicate-deliveries"]);
}

#[test]
fn explains_a_requirement() {
    check(&["explain", BROKEN], 0, "").shows(&["shows ", "why ", "source ", "real bugs", "https://"]);
}

#[test]
fn explains_a_fault() {
    check(&["explain", "books-redeliveries"], 0, "").shows(&["story ", "caught by  duplicate-deliveries"]);
}

#[test]
fn suggests_what_was_meant() {
    complains(&["explain", "duplicate-delivries"], 2, &["did you mean `duplicate-deliveries`?"]);
    complains(&["certify", "builtin:fault/book-redeliveries"], 2, &["did you mean `books-redeliveries`?"]);
    complains(
        &["certify", "builtin:fault/float-sums+book-redeliveries"],
        2,
        &["there is no fault `book-redeliveries`", "`books-redeliveries`?"],
    );
    complains(&["certify", "builtin:fault/float-sums+"], 2, &["there is no fault ``"]);
}

#[test]
fn shows_a_case() {
    let place = Place::new();
    let case = place.saved_case();
    place.check(&["show", &case], 0, "").shows(&["2 refund.complete  [redelivery]", "must end as", "refundedAmount          10.00"]);
}

#[test]
fn shows_a_case_as_commands() {
    let place = Place::new();
    let case = place.saved_case();
    let ran = place.check(&["show", &case, "--curl", "--secret", "s3cret"], 0, "");
    ran.shows(&["| curl ", "--data-binary @- \"$WEBHOOK_URL\"", "digitalriver-signature: "]);
    let parses = Command::new("sh").args(["-n", "-c", &ran.out]).status().expect("sh");
    assert!(parses.success());
}

/// What can happen in a case beside single deliveries is told in words, and in commands that a shell takes.
#[rstest]
#[case::killed(0, "forgets-orders-on-restart", "killed and started again", "killed and started again")]
#[case::time_passes(0, "prunes-event-ids", "pass", "a signature that follows is to be of then")]
#[case::known_later(0, "drops-unknown-orders", "becomes known to the target", "becomes known to the target")]
#[case::together(0, "lost-update", "1= ", "| curl ")]
#[case::many_orders(0, "keeps-few-event-ids", "other orders, which are paid back", "| curl ")]
#[case::before_the_answer(2, "own-row-beside-webhook", "before the provider's API answers", "# What follows arrives before")]
fn shows_what_happens(#[case] provider: usize, #[case] fault: &str, #[case] words: &str, #[case] commands: &str) {
    let place = Place::new();
    let target = format!("builtin:fault/{fault}");
    let provider = &registered()[provider];
    let aim = Fault::from_name(fault).and_then(|fault| fault.info().aimed_at(provider.name, provider.embedded().corpus()));
    place.exits(&["certify", &target, "--provider", provider.name, "--only", aim.expect("it can be made")], 1);
    let saved = fs::read_dir(place.path("refundproof-failures")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let saved: Vec<String> = saved.map(|path| path.display().to_string()).collect();
    let shows = |flag: &[&str], words: &str| {
        saved.iter().any(|case| {
            let args = [&["show", case][..], flag].concat();
            place.exits(&args, 0).out.split_whitespace().collect::<Vec<_>>().join(" ").contains(words)
        })
    };
    assert!(shows(&[], words), "{saved:?}");
    assert!(shows(&["--curl"], commands), "{saved:?}");
}
