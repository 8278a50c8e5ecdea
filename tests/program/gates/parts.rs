//! Known failures, and shards that are merged.

use std::{fs, path::Path, process::Command};

use rstest::rstest;
use serde_json::Value;

use crate::common::{
    place::{BROKEN, FAULT, PROGRAM, Place},
    root,
};

// ---- known failures

#[test]
fn a_written_list_needs_reasons_and_then_waives() {
    let place = Place::new();
    let fault = ["certify", FAULT, "--only", BROKEN, "--cases", "20"];
    let with = |more: &[&'static str]| -> Vec<&str> { fault.iter().copied().chain(more.iter().copied()).collect() };
    let ran = place.says(&with(&["--write-known-failing", "known.toml"]), 1, "still without a reason");
    assert!(ran.out.contains("not-conformant"), "{}", ran.out);
    let ran = place.says(&with(&["--known-failing", "known.toml"]), 1, "field `reason`: is missing");
    assert!(ran.err.lines().all(|line| line.starts_with("error: known.toml: line ")), "{}", ran.err);
    place.write("known.toml", &place.read("known.toml").replace("reason = \"\"", "reason = \"ticket 12\""));
    let ran = place.says(&with(&["--known-failing", "known.toml", "--report", "json=r.json"]), 0, "ticket 12");
    assert!(ran.out.contains("1 waived") && !ran.out.contains("must be"), "{}", ran.out);
    let report: Value = serde_json::from_str(&place.read("r.json")).expect("JSON");
    assert_eq!(report["requirements"][0]["verdict"], "waived");
    // Written again, reasons stay.
    place.says(&with(&["--write-known-failing", "known.toml"]), 1, " 0 of them still without a reason");
    place.says(&with(&["--known-failing", "known.toml"]), 0, "");
    place.says(&["certify", "--only", BROKEN, "--known-failing", "known.toml"], 1, "duplicate-deliveries passes now; delete the entry");
}

#[test]
fn what_was_not_selected_stays_in_a_list() {
    let place = Place::new();
    let entry =
        "[[known]]\nrequirement = \"refund-counted-once\"\nfinding = \"0123456789abcdef\"\nreason = \"ticket 12\"\nexpires = 2999-01-01\n";
    place.write("known.toml", entry);
    place.says(&["certify", FAULT, "--only", BROKEN, "--cases", "20", "--write-known-failing", "known.toml"], 1, " written, ");
    let list = place.read("known.toml");
    assert!(list.contains("0123456789abcdef") && list.contains("ticket 12") && list.contains(BROKEN), "{list}");
}

/// With `--strict` a SHOULD fails the run, so the list has it.
#[test]
fn a_strict_list_accepts_what_is_only_advice() {
    let place = Place::new();
    let fault = ["certify", "builtin:fault/malformed-is-server-error", "--only", "rejection-is-4xx", "--cases", "10", "--strict"];
    place.says(&[&fault[..], &["--write-known-failing", "known.toml"]].concat(), 1, "1 failure written");
    place.write("known.toml", &place.read("known.toml").replace("reason = \"\"", "reason = \"ticket 12\""));
    place.says(&[&fault[..], &["--known-failing", "known.toml"]].concat(), 0, "1 waived");
}

/// One that somebody edited so that it cannot be played would look mended.
#[test]
fn a_saved_case_that_cannot_be_read_is_a_mistake() {
    let place = Place::new();
    place.says(&["certify", FAULT, "--only", BROKEN, "--cases", "20", "--failures", "failures"], 1, "");
    let file = fs::read_dir(place.path("failures")).expect("saved").next().expect("a case").expect("an entry").path();
    let text = fs::read_to_string(&file).expect("a case");
    fs::write(&file, text.replacen("\"orders\"", "\"odd\"", 1)).expect("written");
    place.complains(&["certify", "--only", BROKEN, "--failures", "failures"], 2, &["failures/", "odd"]);
}

/// A gate on other requirements plays the case that was saved for an accepted finding, and must not fail for it.
#[test]
fn a_saved_case_is_accepted_with_its_finding() {
    const MISTAKE: &str = "builtin:fault/no-signature-check";
    let place = Place::new();
    place.says(&["certify", MISTAKE, "--only", "signature-required", "--cases", "20", "--write-known-failing", "known.toml"], 1, "");
    let other = ["certify", MISTAKE, "--only", "refund-counted-once", "--cases", "5"];
    place.says(&other, 1, "signature-required-");
    place.write("known.toml", &place.read("known.toml").replace("reason = \"\"", "reason = \"ticket 12\""));
    let ran = place.says(&[&other[..], &["--known-failing", "known.toml"]].concat(), 0, "1 fails as is accepted");
    assert!(!ran.out.contains("still fails"), "{}", ran.out);
}

#[rstest]
#[case::not_there(&["--known-failing", "none.toml"], "none.toml: cannot be read")]
#[case::not_toml(&["--known-failing", "bad.toml"], "bad.toml: line 2: ")]
#[case::not_writable(&["--write-known-failing", "no/such/known.toml"], "no/such/known.toml: cannot be written")]
#[case::not_overwritten(&["--write-known-failing", "bad.toml"], "bad.toml: line 2: ")]
fn unusable_known_files(#[case] options: &[&str], #[case] part: &str) {
    let place = Place::new();
    place.write("bad.toml", "[[known]]\nreason = x\n");
    let args: Vec<&str> = ["certify", "--cases", "1"].iter().chain(options).copied().collect();
    place.complains(&args, 2, &[part]);
    assert_eq!(place.read("bad.toml"), "[[known]]\nreason = x\n");
}

// ---- shards

#[test]
fn shards_are_merged_into_one_report() {
    let place = Place::new();
    for number in 1..=3 {
        let (shard, name) = (format!("{number}/3"), format!("s{number}.json"));
        let report = place.report(&["certify", FAULT, "--only", BROKEN, "--shard", &shard], &name, i32::from(number < 3));
        assert_eq!(report["shard"], shard.as_str());
    }
    // What the shards saved would be played first.
    fs::remove_dir_all(place.path("refundproof-failures")).expect("saved cases");
    let whole = place.report(&["certify", FAULT, "--only", BROKEN], "whole.json", 1);
    let args = ["merge", "s2.json", "s3.json", "s1.json", "--report", "json=merged.json", "--report", "junit=merged.xml"];
    // The shrunk case lies where the shard saved it, so the story has its timeline.
    place.says(&args, 1, "[redelivery]  → ");
    let merged: Value = serde_json::from_str(&place.read("merged.json")).expect("JSON");
    assert_eq!(merged["findings"], whole["findings"]);
    assert_eq!(merged["digests"]["results"], whole["digests"]["results"], "the records differ in nothing but times");
    assert!(place.read("merged.xml").contains(BROKEN));
}

/// The script of the example job, run once for each index as Kubernetes would.
#[test]
fn the_example_job_works() {
    let place = Place::new();
    let job = fs::read_to_string(root().join("docs/ci/indexed-job.yaml")).expect("the example");
    let script = job.split("            - |\n").nth(1).expect("a script").split("          volumeMounts:").next().expect("an end");
    fs::create_dir_all(place.path("reports")).expect("a folder");
    for index in 0..4 {
        let folder = Path::new(PROGRAM).parent().expect("a folder").display().to_string();
        let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
        let script = script.replace("certify refundproof.toml", &format!("certify {FAULT} --only {BROKEN} --cases 8"));
        let variables =
            [("JOB_COMPLETION_INDEX", index.to_string()), ("SHARDS", "4".to_owned()), ("REPORTS", "reports".to_owned()), ("PATH", path)];
        let ran = Command::new("sh").args(["-c", &script]).current_dir(&place.0).envs(variables).output().expect("sh");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    let reports = (0..4).map(|index| format!("reports/shard-{index}.json")).collect::<Vec<_>>();
    let args: Vec<&str> = std::iter::once("merge").chain(reports.iter().map(String::as_str)).collect();
    place.says(&args, 1, "[redelivery]  → ");
}

#[test]
fn merge_complains() {
    let place = Place::new();
    place.report(&["certify", "--only", BROKEN, "--shard", "1/2"], "1.json", 0);
    place.report(&["certify", "--only", BROKEN, "--shard", "2/2", "--seed", "7"], "2.json", 0);
    place.write("no.json", "{");
    place.write("other.json", "{\"schema\": \"other/1\"}");
    place.complains(&["merge", "1.json"], 2, &["1 of 2 shards given; 2/2 missing"]);
    place.complains(&["merge", "1.json", "1.json"], 2, &["field `shard`: is 1/2, and so is 1.json"]);
    place.complains(&["merge", "1.json", "2.json"], 2, &["2.json: field `seed`: is not that of 1.json"]);
    place.report(&["certify", FAULT, "--only", "malformed-body-rejected", "--shard", "2/2"], "fault.json", 0);
    place.report(&["certify", "--only", "malformed-body-rejected", "--shard", "1/2"], "reference.json", 0);
    place.complains(&["merge", "reference.json", "fault.json"], 2, &["fault.json: field `target`: is not that of reference.json"]);
    place.complains(&["merge", "1.json", "no.json"], 2, &["no.json: line 1, column 1: not JSON"]);
    place.complains(&["merge", "other.json"], 2, &["other.json: field `schema`: is `other/1`"]);
    place.complains(&["merge", "none.json"], 2, &["none.json: cannot be read"]);
    place.says(&["merge"], 2, "REPORT.json");
}

#[test]
fn merge_wants_the_list_of_the_shards() {
    let place = Place::new();
    place.write("known.toml", "");
    place.write("other.toml", "# other\n");
    place.report(&["certify", "--only", BROKEN, "--shard", "1/1", "--known-failing", "known.toml"], "1.json", 0);
    place.report(&["certify", "--only", BROKEN, "--shard", "1/1"], "2.json", 0);
    place.complains(&["merge", "1.json"], 2, &["the shards were run with --known-failing known.toml"]);
    place.complains(&["merge", "1.json", "--known-failing", "other.toml"], 2, &["other.toml: is not the list"]);
    place.complains(&["merge", "2.json", "--known-failing", "known.toml"], 2, &["run without --known-failing"]);
    place.says(&["merge", "1.json", "--known-failing", "known.toml"], 0, "conformant");
}

#[rstest]
fn unusable_shards(#[values("0/2", "3/2", "1", "a/b", "1/100000")] shard: &str) {
    Place::new().says(&["certify", "--shard", shard], 2, "shard");
}

#[test]
fn lists_are_written_by_whole_runs() {
    Place::new().says(&["certify", "--shard", "1/2", "--write-known-failing", "k.toml"], 2, "cannot be used with");
}
