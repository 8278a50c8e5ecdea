//! Standard output that nobody reads, and disks that are full.

use std::fs;

use rstest::rstest;

use crate::{
    Row, Stream,
    common::place::{BROKEN, FAULT, PLAIN},
    records::{faulty, forged},
};

const NOT_SHOWN: &str = "standard output: not everything could be shown";

#[rstest]
#[case::a_failing_certification(&["certify", FAULT, "--only", BROKEN, "--cases", "5"], 1)]
#[case::a_failing_certification_without_words(&["certify", "--quiet", FAULT, "--only", BROKEN, "--cases", "5"], 1)]
#[case::a_failing_certification_in_colours(&["certify", "--color=always", FAULT, "--only", BROKEN, "--cases", "5"], 1)]
#[case::a_conformant_one(&["certify", "--only", PLAIN, "--cases", "2"], 0)]
#[case::one_that_says_nothing_of_the_checklist(&["certify", "--only", "other-events-change-nothing", "--cases", "2"], 0)]
#[case::a_shard(&["certify", FAULT, "--only", BROKEN, "--cases", "5", "--shard", "1/1"], 1)]
#[case::a_target_that_does_not_work(&["doctor", "--", "sh", "-c", "printf 'no\\n'; sleep 1"], 3)]
#[case::a_target_that_works(&["doctor"], 0)]
#[case::a_changed_report(&["verify", "changed.json"], 1)]
#[case::a_report_that_holds(&["verify", "faulty.json"], 0)]
#[case::a_case_that_fails(&["replay", "case.json", FAULT], 1)]
#[case::a_case_that_passes(&["replay", "case.json"], 0)]
fn the_code_is_the_verdicts(#[values(Stream::Closed, Stream::Full)] out: Stream, #[case] args: &[&str], #[case] code: i32) {
    let row = Row::to(out);
    row.place.write("faulty.json", faulty());
    row.place.write("changed.json", &forged(faulty(), |report| report["requirements"][0]["verdict"] = "pass".into()));
    row.place.write("case.json", crate::texts::case());
    row.ends(args, code, NOT_SHOWN);
}

#[rstest]
fn reports_and_lists_are_written_all_the_same(#[values(Stream::Closed, Stream::Full)] out: Stream) {
    let row = Row::to(out);
    let reports = ["json=r.json", "junit=r.xml", "markdown=r.md", "html=r.html"];
    let mut args = vec!["certify", FAULT, "--only", BROKEN, "--cases", "5", "--write-known-failing", "k.toml"];
    reports.iter().for_each(|report| args.extend(["--report", report]));
    row.ends(&args, 1, NOT_SHOWN);
    assert!(row.place.read("r.json").contains("\"verdict\": \"not-conformant\""));
    assert!(row.place.read("r.xml").ends_with("</testsuites>\n") && row.place.read("r.html").contains("</html>"));
    assert!(row.place.read("k.toml").contains(BROKEN) && !row.place.read("r.md").is_empty());
    assert_eq!(fs::read_dir(row.place.path("refundproof-failures")).expect("saved cases").count(), 1);
}

#[rstest]
fn a_summary_is_written_all_the_same(#[values(Stream::Closed, Stream::Full)] out: Stream) {
    let row = Row::to(out).with("GITHUB_ACTIONS", "true").with("GITHUB_STEP_SUMMARY", "s.md");
    row.ends(&["certify", FAULT, "--only", BROKEN, "--cases", "5"], 1, NOT_SHOWN);
    assert!(row.place.read("s.md").contains(BROKEN));
}

#[rstest]
#[case::list(&["list"])]
#[case::explain(&["explain", BROKEN])]
#[case::show(&["show", "case.json"])]
#[case::show_as_commands(&["show", "case.json", "--curl"])]
fn what_only_shows(#[case] args: &[&str]) {
    for (out, code) in [(Stream::Closed, 0), (Stream::Full, 3)] {
        let row = Row::to(out);
        row.place.write("case.json", crate::texts::case());
        row.complains(args, code, NOT_SHOWN);
    }
}

#[rstest]
fn standard_error_that_nobody_reads(#[values(Stream::Closed, Stream::Full)] err: Stream) {
    let row = Row { err, ..Row::to(err) };
    row.ends(&["certify", FAULT, "--only", BROKEN, "--cases", "5", "--report", "json=r.json"], 1, "");
    assert!(row.place.read("r.json").contains("not-conformant"));
    row.ends(&["certify", "none.toml"], 2, "");
}

#[test]
fn a_limit_for_files_is_no_end() {
    let row = Row { blocks: Some(1), ..Row::new() };
    let ran = row.ends(&["certify", FAULT, "--only", BROKEN, "--cases", "5"], 1, NOT_SHOWN);
    assert!(ran.err.contains("ulimit -f") && !ran.out.contains("not-conformant  "), "{}", ran.out);
}

#[rstest]
#[case::a_new_report("json=new.json", "new.json")]
#[case::a_page("html=new.html", "new.html")]
#[case::a_report_that_was_there("json=old.json", "old.json")]
fn no_half_report_within_a_limit(#[case] report: &str, #[case] name: &str) {
    let row = Row { blocks: Some(1), ..Row::to(Stream::Closed) };
    row.place.write("old.json", "before");
    row.ends(
        &["certify", "--only", PLAIN, "--cases", "2", "--report", report],
        2,
        &format!("{name}: cannot be written: it would be larger"),
    );
    assert_eq!(fs::read_to_string(row.place.path(name)).ok(), (name == "old.json").then(|| "before".to_owned()));
}

#[test]
fn no_half_summary_within_a_limit() {
    let row = Row { blocks: Some(1), ..Row::to(Stream::Closed) }.with("GITHUB_STEP_SUMMARY", "s.md");
    row.place.write("s.md", "before");
    row.ends(&["certify", FAULT, "--only", BROKEN, "--cases", "5"], 1, "s.md: cannot be written: it would be larger");
    assert_eq!(row.place.read("s.md"), "before");
}

#[test]
fn no_half_case_within_a_limit() {
    let row = Row { blocks: Some(1), ..Row::to(Stream::Closed) };
    row.ends(&["certify", FAULT, "--only", BROKEN, "--cases", "5"], 1, ".json: cannot be written: it would be larger");
    assert_eq!(fs::read_dir(row.place.path("refundproof-failures")).expect("a folder").count(), 0);
}

#[test]
fn one_report_that_cannot_be_written_costs_no_other() {
    let row = Row::new();
    let args = ["certify", "--only", PLAIN, "--cases", "2", "--report", "json=/dev/full", "--report", "junit=r.xml"];
    row.complains(&args, 2, "/dev/full: cannot be written: No space left on device");
    assert!(row.place.read("r.xml").contains(PLAIN));
}
