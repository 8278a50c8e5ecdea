//! `certify`: what it prints, where, and with which code it ends.

use std::{
    fs,
    process::{Command, Stdio},
};

use rstest::rstest;
use serde_json::Value;

use super::{check, sample};
use crate::common::place::{BROKEN, FAULT, PLAIN, Place, Ran};

#[test]
fn reference_conforms() {
    let ran = check(&["certify", "--cases", "5"], 0, "");
    ran.shows(&["seed 20241121", "none differs", "\nconformant  "]);
    assert_eq!(ran.err, "");
}

#[test]
fn a_fault_does_not() {
    check(&["certify", FAULT, "--cases", "5"], 1, "");
}

#[test]
fn a_failure_is_a_story() {
    let place = Place::new();
    let ran = place.check(&["certify", FAULT, "--only", BROKEN], 1, "");
    ran.shows(&[
        "✗ 1 refundedAmount is 20.00, must be 10.00",
        "about     duplicate-deliveries (MUST, documented)",
        "source    https://github.com/DigitalRiver/",
        "like      builtin:fault/books-redeliveries",
        "  1 refund.complete  → 200",
        "  2 refund.complete  [redelivery]  → 200",
        "after 2: refundedAmount is 20.00, must be 10.00",
        "≠ refundedAmount  10.00     20.00",
        "case      refundproof-failures/duplicate-deliveries-",
        "1 failed",
    ]);
    let again = ran.out.lines().find_map(|line| line.trim().strip_prefix("again ")).expect("a command").trim();
    let replayed: Ran = Command::new("sh").args(["-c", again]).current_dir(&place.0).stdin(Stdio::null()).output().expect("sh").into();
    assert_eq!(replayed.code, Some(1), "{}", replayed.err);
    replayed.shows(&["refundedAmount is 20.00, must be 10.00", "2 refund.complete  [redelivery]"]);
}

#[test]
fn cases_of_earlier_runs_are_played_first() {
    let place = Place::new();
    let certify = |fault: &str, code| place.check(&["certify", fault, "--only", BROKEN], code, "");
    assert!(!certify(FAULT, 1).out.contains("played first"));
    certify(FAULT, 1).shows(&["saved  1 case of earlier runs played first: 1 still fails", "1 failed"]);
    certify("builtin:reference", 0).shows(&["saved  1 case of earlier runs played first: 1 passes now"]);
    // What no finding of the run explains fails the run all the same.
    place.write("refundproof-failures/by-hand.json", &place.read(&place.saved_case()));
    let ran = place.check(&["certify", FAULT, "--only", "rotated-secret"], 1, "");
    ran.shows(&["2 cases of earlier runs played first: 2 still fail", "by-hand.json still fails: refundedAmount is"]);
}

#[test]
fn a_saved_case_passes_on_the_reference() {
    let place = Place::new();
    let case = place.saved_case();
    place.check(&["replay", &case, "builtin:reference"], 0, "").shows(&["showed what it must"]);
}

#[test]
fn python_sample_conforms() {
    let Some(shop) = sample("shop.py") else { return };
    check(&["certify", "--cases", "5", "--", "python3", &shop], 0, "").shows(&["python-stdio-shop", "none differs"]);
}

#[test]
fn buggy_python_sample_does_not() {
    let Some(shop) = sample("shop_buggy.py") else { return };
    let ran = check(&["certify", "--cases", "5", "--only", "refund-*", "--", "python3", &shop], 1, "");
    ran.shows(&[&format!("-- python3 {shop}")]);
}

#[test]
fn json_report() {
    let place = Place::new();
    place.check(&["certify", "--cases", "1", "--report", "json=report.json"], 0, "");
    let report: Value = serde_json::from_slice(&fs::read(place.path("report.json")).expect("a report")).expect("JSON");
    assert_eq!(report["schema"], "refundproof-report/2");
    assert_eq!(report["verdict"], "conformant");
}

#[track_caller]
fn report(format: &str, part: &str) {
    let place = Place::new();
    place.check(&["certify", FAULT, "--only", BROKEN, "--report", &format!("{format}=report")], 1, "");
    let text = fs::read_to_string(place.path("report")).expect("a report");
    assert!(text.contains(part), "{text}");
}

#[test]
fn junit_report() {
    report("junit", "<testcase name=\"duplicate-deliveries\" classname=\"digital-river.delivery\"");
}

#[test]
fn markdown_report() {
    report("markdown", "| ❌ | duplicate-deliveries | MUST | fail |");
}

#[test]
fn html_report() {
    report("html", "data-what=\"finding\"");
}

#[test]
fn on_github_there_are_annotations_and_a_summary() {
    let place = Place::new();
    place.write("summary.md", "before\n");
    let output = place
        .command(&["certify", FAULT, "--only", BROKEN])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", place.path("summary.md"))
        .output();
    let ran = Ran::from(output.expect("the program runs"));
    assert_eq!(ran.code, Some(1));
    let lines: Vec<&str> = ran.out.lines().collect();
    let token = lines[0].strip_prefix("::stop-commands::").expect("commands are stopped before anything of a target is printed");
    let resumed = lines.iter().position(|line| *line == format!("::{token}::")).expect("commands are resumed");
    assert!(lines[1..resumed].iter().all(|line| !line.starts_with("::")), "{}", ran.out);
    assert!(
        lines[resumed + 1..].iter().any(|line| line.starts_with("::error title=duplicate-deliveries (MUST)%3A refundedAmount is ")),
        "{}",
        ran.out
    );
    let summary = fs::read_to_string(place.path("summary.md")).expect("a summary");
    assert!(summary.starts_with("before\n## ❌ refundproof: not-conformant\n"), "{summary}");
    // The token cannot be known before.
    let again = Ran::from(place.command(&["certify", FAULT, "--only", BROKEN]).env("GITHUB_ACTIONS", "true").output().expect("a run"));
    assert_ne!(again.out.lines().next(), Some(lines[0]));
}

/// What fails the run is an error, also where it is a SHOULD that counts as a MUST.
#[rstest]
#[case(&[], 0, "::warning title=rejection-is-4xx (SHOULD)")]
#[case(&["--strict"], 1, "::error title=rejection-is-4xx (SHOULD)")]
fn annotations_are_as_heavy_as_the_verdict(#[case] more: &[&str], #[case] code: i32, #[case] line: &str) {
    let place = Place::new();
    let args = [&["certify", "builtin:fault/invalid-is-server-error", "--only", "rejection-is-4xx"], more].concat();
    let ran = Ran::from(place.command(&args).env("GITHUB_ACTIONS", "true").output().expect("the program runs"));
    assert_eq!(ran.code, Some(code));
    assert!(ran.out.lines().any(|written| written.starts_with(line)), "{}", ran.out);
}

#[test]
fn merged_shards_have_the_same_page() {
    let place = Place::new();
    for shard in ["1/2", "2/2"] {
        let report = format!("json=shard-{}.json", &shard[..1]);
        place.check(&["certify", FAULT, "--only", BROKEN, "--shard", shard, "--report", &report], 1, "");
    }
    place.check(&["merge", "shard-1.json", "shard-2.json", "--report", "html=merged.html", "--report", "junit=merged.xml"], 1, "");
    let page = fs::read_to_string(place.path("merged.html")).expect("a page");
    assert!(page.contains("class=\"payload\""), "the cases were not found");
    assert!(fs::read_to_string(place.path("merged.xml")).expect("a report").contains("<failure message=\"after 2: "));
}

#[test]
fn elsewhere_there_are_none() {
    let ran = check(&["certify", FAULT, "--only", BROKEN], 1, "");
    assert!(!ran.out.contains("::"), "{}", ran.out);
}

#[test]
fn quiet_shows_only_the_verdict() {
    let ran = check(&["certify", "--cases", "1", "--quiet"], 0, "");
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    assert!(ran.out.starts_with("conformant  "));
}

#[test]
fn colours_when_asked_for() {
    assert!(check(&["certify", "--cases", "1", "--color", "always"], 0, "").out.contains("\u{1b}["));
    assert!(!check(&["certify", "--cases", "1", "--color", "never"], 0, "").out.contains('\u{1b}'));
    assert!(!check(&["certify", "--cases", "1"], 0, "").out.contains('\u{1b}'));
}

/// Paths, commands, links and diffs are never broken; everything else fits.
#[track_caller]
fn fits(columns: usize, args: &[&str]) {
    let ran = Place::new().run_at(&columns.to_string(), args);
    let whole = |line: &str| ["http", "refundproof-failures/", "    -", "    +"].iter().any(|part| line.contains(part));
    // What did not change in a diff is numbered, as it is in a snapshot.
    let beside = |line: &str| line.starts_with("     ") && line.trim_start().starts_with(|first: char| first.is_ascii_digit());
    for line in ran.out.lines().filter(|line| !whole(line) && !beside(line)) {
        assert!(line.chars().count() <= columns, "{} columns: {line}", line.chars().count());
        assert_eq!(line.trim_end(), line);
    }
    assert!(!ran.out.is_empty(), "{}", ran.err);
}

#[test]
fn narrow_reports_fit() {
    fits(50, &["certify", FAULT]);
    fits(50, &["certify", "--time-limit", "1ms"]);
}

#[test]
fn wide_reports_fit() {
    fits(140, &["certify", FAULT]);
}

#[test]
fn narrow_lists_fit() {
    fits(50, &["explain", BROKEN]);
    fits(50, &["explain", FAULT]);
    fits(60, &["doctor"]);
}

#[test]
fn usual_lists_fit() {
    fits(80, &["list"]);
    fits(80, &["list", "--faults"]);
}

#[test]
fn a_drawn_seed_is_printed() {
    let ran = check(&["certify", "--cases", "1", "--only", PLAIN, "--seed", "random"], 0, "seed ");
    let seed = ran.err.trim().strip_prefix("seed ").expect("a seed");
    seed.parse::<u64>().expect("a number");
    ran.shows(&[&format!("seed {seed}\n")]);
}

#[test]
fn same_seed_same_output() {
    let told = |jobs| {
        let ran = check(&["certify", FAULT, "--cases", "10", "--seed", "7", "--jobs", jobs], 1, "");
        ran.out.trim_end().rsplit_once(", ").expect("a time").0.to_owned()
    };
    assert_eq!(told("1"), told("3"));
}

#[test]
fn time_limit_means_not_judged() {
    let ran = check(&["certify", "--time-limit", "1ms"], 3, "");
    ran.shows(&["cut short: time limit", "\nnot-judged  "]);
}
