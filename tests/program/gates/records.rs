//! Snapshots of a target's own, and records that can be checked.

use std::fs;

use refundproof::provider::registered;
use rstest::rstest;
use serde_json::Value;

use super::{SUBSCRIBES_TO_NOTHING, few_sequences, python};
use crate::common::place::{BROKEN, FAULT, Place, shell_target};

// ---- snapshots of a target's own

#[test]
fn own_states_are_recorded_compared_and_taken() {
    let place = Place::new();
    let corpus = few_sequences(&place);
    let args = |target| ["snapshot", target, "--dir", "own", "--corpus", &corpus].map(str::to_owned);
    let run = |target: &'static str, variables: &[(&str, &str)]| place.run_in(variables, &args(target).each_ref().map(String::as_str));
    let fault = "builtin:fault/counts-both-layers";
    let pending = || {
        fs::read_dir(place.path("own"))
            .expect("a folder")
            .filter(|entry| entry.as_ref().expect("an entry").path().to_string_lossy().ends_with(".snap.new"))
            .count()
    };

    let ran = run("builtin:reference", &[("CI", "true")]);
    assert!(ran.code == Some(1) && !place.path("own").exists(), "CI records nothing:\n{}", ran.out);
    let ran = run("builtin:reference", &[]);
    assert!(ran.code == Some(0) && ran.out.contains("4 recorded in own"), "{}{}", ran.out, ran.err);
    let ran = run("builtin:reference", &[("CI", "true")]);
    assert!(ran.code == Some(0) && ran.out.contains("4 as recorded"), "{}", ran.out);
    let ran = run(fault, &[("CI", "true")]);
    assert!(ran.code == Some(1) && ran.out.contains(" differs\n") && pending() == 0, "{}", ran.out);
    let ran = run(fault, &[]);
    assert!(ran.code == Some(1) && ran.out.contains("+     refundedAmount") && pending() > 0, "{}", ran.out);
    // What it shows again as recorded is pending no longer.
    assert!(run("builtin:reference", &[]).code == Some(0) && pending() == 0);
    assert_eq!(run(fault, &[("INSTA_UPDATE", "always")]).code, Some(0));
    assert_eq!(run(fault, &[("INSTA_UPDATE", "no")]).code, Some(0));
    assert_eq!(run("builtin:reference", &[("INSTA_UPDATE", "no")]).code, Some(1));
}

#[test]
fn orphans_are_told() {
    let place = Place::new();
    let corpus = few_sequences(&place);
    let args = ["snapshot", "--dir", "own", "--corpus", &corpus];
    place.says(&args, 0, "");
    place.write("own/999-gone.snap", "---\ndescription: x\n---\nx\n");
    place.says(&args, 1, "999-gone.snap is of no sequence that there is");
    fs::remove_file(place.path("own/999-gone.snap")).expect("a file");
    let first = fs::read_dir(place.path("own")).expect("a folder").next().expect("a file").expect("an entry").path();
    fs::rename(&first, place.path("own/001-old-name.snap")).expect("a file");
    place.says(&args, 1, "so that was renamed; rename the file too");
}

#[test]
fn a_folder_of_another_provider() {
    let [first, second, ..] = registered() else { panic!("several providers") };
    let place = Place::new();
    fs::create_dir(place.path("own")).expect("a folder");
    for name in first.embedded().corpus().sequences().keys().filter(|name| !second.embedded().corpus().sequences().contains_key(*name)) {
        place.write(&format!("own/{name}.snap"), "");
    }
    let whose = format!("own: holds snapshots of {}'s sequences", first.name);
    place.complains(&["snapshot", "--dir", "own", "--provider", second.name], 2, &[&whose]);
}

#[test]
fn snapshot_complains() {
    let place = Place::new();
    place.write("file", "");
    place.complains(&["snapshot", "--dir", "file"], 2, &["file: is not a folder"]);
    place.says(&["snapshot"], 2, "--dir");
    place.complains(&["snapshot", "--dir", "own", "--", "./no-such-program"], 3, &["`./no-such-program` was not found"]);
    let ran = place.run_in(&[("INSTA_UPDATE", "sometimes")], &["snapshot", "--dir", "own"]);
    assert!(ran.code == Some(2) && ran.err.contains("INSTA_UPDATE is `sometimes`"), "{}", ran.err);
    place.complains(&["snapshot", "--dir", "own", "--requirements", "99"], 2, &["there is no revision 99"]);
}

#[test]
fn a_target_of_which_nothing_can_be_recorded_is_told() {
    let place = Place::new();
    place.write("target.sh", &shell_target(SUBSCRIBES_TO_NOTHING));
    let args = ["snapshot", "--dir", "own", "--", "sh", "target.sh", "exit 1"];
    place.complains(&args, 3, &["no frozen sequence says anything of this target, for instance because the target does not subscribe to "]);
}

#[test]
fn snapshots_over_stdio() {
    let Some(shop) = python() else { return };
    let place = Place::new();
    let corpus = few_sequences(&place);
    let args = ["snapshot", "--dir", "own", "--corpus", &corpus, "--", "python3", &shop];
    place.says(&args, 0, " recorded in own");
    place.says(&args, 0, " as recorded");
}

// ---- a record that can be checked

#[rstest]
#[case::conformant("builtin:reference", 0)]
#[case::not_conformant(FAULT, 1)]
fn an_untouched_report_holds(#[case] target: &str, #[case] code: i32) {
    let place = Place::new();
    place.report(&["certify", target], "r.json", code);
    place.says(&["verify", "r.json"], 0, "the record holds");
    // Written in another way it is the same record.
    place.change("r.json", |_| {});
    place.says(&["verify", "r.json"], 0, "the record holds");
}

#[test]
fn merged_reports_hold_too() {
    let place = Place::new();
    place.report(&["certify", "--only", BROKEN, "--shard", "1/1"], "1.json", 0);
    place.says(&["merge", "1.json", "--report", "json=m.json"], 0, "");
    place.says(&["verify", "1.json"], 0, "shard 1/1; the record holds");
    place.says(&["verify", "m.json"], 0, "the record holds");
}

/// In few cases there is always a requirement of which a shard has none that could show a mistake.
#[test]
fn small_shards_hold_and_can_be_merged() {
    let place = Place::new();
    let names: Vec<String> = (1..=5).map(|number| format!("{number}.json")).collect();
    for (number, name) in (1..).zip(&names) {
        place.report(&["certify", "--shard", &format!("{number}/5")], name, 0);
        place.says(&["verify", name], 0, "the record holds");
    }
    let args: Vec<&str> = ["merge"].into_iter().chain(names.iter().map(String::as_str)).collect();
    place.says(&args, 0, "conformant");
}

#[rstest]
#[case::capability("/target/capabilities/durable", "capabilities")]
#[case::verdict("/verdict", "verdicts")]
#[case::requirement("/requirements/0/verdict", "results")]
#[case::cases("/totals/cases", "totals")]
#[case::diff("/findings/0/diff", "results")]
#[case::note_of_waiver("/requirements/0/shows", "results")]
#[case::suite_version("/suite/version", "suite version")]
#[case::corpus("/digests/corpus", "corpus")]
#[case::snapshots("/digests/snapshots", "snapshots")]
#[case::revision("/digests/requirements", "requirements")]
fn a_changed_report_does_not_hold(#[case] place_in_it: &str, #[case] check: &str) {
    let place = Place::new();
    place.report(&["certify", FAULT, "--only", BROKEN], "r.json", 1);
    place.change("r.json", |report| {
        let (parent, member) = place_in_it.rsplit_once('/').expect("a pointer");
        let before = report.pointer(place_in_it).cloned().unwrap_or_default();
        let changed = match (member, before) {
            ("verdict", _) => "not-judged".into(),
            ("cases", _) => 1_000_000.into(),
            (_, Value::Bool(value)) => (!value).into(),
            _ => "changed".into(),
        };
        let changed = if place_in_it == "/requirements/0/verdict" { "pass".into() } else { changed };
        report.pointer_mut(parent).expect("it is there")[member] = changed;
    });
    let ran = place.says(&["verify", "r.json"], 1, "checks fail");
    assert!(ran.out.lines().any(|line| line == format!("✗ {check}")), "{}", ran.out);
}

#[test]
fn times_do_not_matter() {
    let place = Place::new();
    place.report(&["certify", "--only", BROKEN], "r.json", 0);
    place.change("r.json", |report| report["totals"]["durationMs"] = 1.into());
    place.says(&["verify", "r.json"], 0, "");
}

#[test]
fn verify_complains() {
    let place = Place::new();
    place.report(&["certify", "--only", BROKEN], "r.json", 0);
    place.change("r.json", |report| report["provider"] = "nobody".into());
    place.write("cut.json", "{\"schema\": \"refundproof-report/2\"}");
    place.write("text.json", "hello");
    place.complains(&["verify", "r.json"], 2, &["r.json: field `provider`: provider `nobody` is unknown"]);
    place.complains(&["verify", "cut.json"], 2, &["cut.json: line 1, column 34: not a report: missing field"]);
    place.complains(&["verify", "text.json"], 2, &["text.json: line 1, column 1: not JSON"]);
    place.complains(&["verify", "none.json"], 2, &["none.json: cannot be read"]);
}

#[test]
fn a_report_of_another_corpus_holds_with_that_corpus() {
    let place = Place::new();
    let corpus = few_sequences(&place);
    place.report(&["certify", "--only", BROKEN, "--corpus", &corpus], "r.json", 0);
    place.says(&["verify", "r.json"], 1, "this suite says");
    place.says(&["verify", "r.json", "--corpus", &corpus], 0, "the record holds");
}
