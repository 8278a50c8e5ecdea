//! Lists of known failures, read, held against what a run found, and written.

use jiff::civil::{Date, date};
use rstest::rstest;

use crate::verdict::waivers::{self, KnownFailures, Seen, Subject};

fn midsummer() -> Date {
    date(2026, 6, 15)
}

fn parse(text: &str) -> KnownFailures {
    KnownFailures::parse("known.toml", text, midsummer()).expect("a list")
}

#[rstest]
#[case::not_toml("[[known]]\nrequirement = \"a\" b\n", "line 2: ")]
#[case::unknown_field("[[known]]\nrequirment = \"a\"\n", "line 2: unknown field `requirment`")]
#[case::no_subject("\n[[known]]\nfingerprint = \"0\"\n", "line 2: field `requirement`: is missing")]
#[case::two_subjects("[[known]]\nrequirement = \"a\"\nsnapshot = \"b\"\nfingerprint = \"0\"\n", "line 1: field `snapshot`: ")]
#[case::no_finding("[[known]]\nrequirement = \"a\"\n", "line 1: field `finding`: is missing")]
#[case::no_fingerprint("[[known]]\nsnapshot = \"a\"\n", "line 1: field `fingerprint`: is missing")]
#[case::another_name("[[known]]\nrequirement = \"a\"\nfingerprint = \"0\"\n", "line 3: field `fingerprint`: does not go with a")]
#[case::no_date("[[known]]\nrequirement = \"a\"\nfinding = \"0\"\nexpires = \"soon\"\n", "line 4: field `expires`: is not a date")]
#[case::a_time("[[known]]\nrequirement = \"a\"\nfinding = \"0\"\nexpires = 2026-01-01T10:00:00Z\n", "line 4: field `expires`: ")]
#[case::twice(
    "[[known]]\nrequirement = \"a\"\nfinding = \"0\"\n[[known]]\nrequirement = \"a\"\nfinding = \"0\"\n",
    "line 5: the same entry stands at line 2"
)]
fn unusable_lists(#[case] list: &str, #[case] problem: &str) {
    let error = KnownFailures::parse("known.toml", list, midsummer()).expect_err("no list");
    assert!(error.starts_with(&format!("known.toml: {problem}")), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_written_list_is_read_again_and_keeps_reasons() {
    let today = midsummer();
    let subject = Subject::Requirement("duplicate-deliveries".to_owned());
    let odd = "it's \"odd\"\\\n";
    let found =
        [(subject.clone(), "01".to_owned(), "one".to_owned()), (Subject::Snapshot("042-x".to_owned()), "02".to_owned(), odd.to_owned())];
    let first = waivers::write(&found, &KnownFailures::none(), |_| true, today);
    assert!(first.contains("expires = 2026-08-14\n"), "{first}");
    let edited = first.replacen("reason = \"\"\nexpires = 2026-08-14", "reason = 'a \"good\" one'\nexpires = 2026-07-01", 1);
    let second = parse(&waivers::write(&found, &parse(&edited), |_| false, today));
    assert_eq!(second.entries[0].reason, "a \"good\" one");
    assert_eq!(second.entries[0].expires.map(|date| date.to_string()).as_deref(), Some("2026-07-01"));
    assert_eq!(second.entries[1].reason, "");
    assert!(second.accepting(&subject, "01").is_some());
    assert!(second.accepting(&Subject::Snapshot("042-x".to_owned()), "02").is_none(), "it has no reason");
}

#[test]
fn entries_of_which_the_run_says_nothing_are_kept() {
    let before = parse(&format!("{ENTRY}{}", ENTRY.replace("f1", "f3")));
    let found = [(Subject::Requirement("b".to_owned()), "f2".to_owned(), "new".to_owned())];
    let after = parse(&waivers::write(&found, &before, |entry| entry.fingerprint == "f1", midsummer()));
    let entries: Vec<(&str, &str)> = after.entries.iter().map(|entry| (entry.fingerprint.as_str(), entry.reason.as_str())).collect();
    assert_eq!(entries, [("f2", ""), ("f1", "ticket 12")]);
}

const ENTRY: &str = "\n[[known]]\nrequirement = \"a\"\nfinding = \"f1\"\nreason = \"ticket 12\"\nexpires = 2026-06-15\n";
const SNAPSHOT: &str = "[[known]]\nsnapshot = \"s\"\nfingerprint = \"p1\"\nreason = \"ticket 12\"\nexpires = 2026-06-15\n";

/// What is wrong with a list when a run found this of all that it names.
#[track_caller]
fn problems(list: &str, seen: &Seen, expected: &[&str]) {
    let problems: Vec<String> = parse(list).problems(|_| seen.clone()).iter().map(ToString::to_string).collect();
    assert_eq!(problems, expected);
}

fn failed(fingerprints: &[&str]) -> Seen {
    Seen::Failed(fingerprints.iter().map(|print| (*print).to_owned()).collect())
}

#[test]
fn an_entry_that_says_the_truth_is_fine() {
    problems(ENTRY, &failed(&["f0", "f1"]), &[]);
    problems(ENTRY, &Seen::NotJudged, &[]);
    problems(SNAPSHOT, &failed(&["p1"]), &[]);
}

#[test]
fn an_entry_that_does_not_is_a_problem() {
    problems(ENTRY, &Seen::Passed, &["known.toml: line 3: field `requirement`: a passes now; delete the entry"]);
    problems(SNAPSHOT, &Seen::Passed, &["known.toml: line 2: field `snapshot`: snapshot s passes now; delete the entry"]);
    problems(ENTRY, &Seen::Unknown, &["known.toml: line 3: field `requirement`: there is no a; delete the entry"]);
    let not_asked = Seen::NotAsked("not claimed".to_owned());
    problems(ENTRY, &not_asked, &["known.toml: line 3: field `requirement`: a was not judged: not claimed; delete the entry"]);
}

#[test]
fn an_entry_of_another_failure_is_a_problem() {
    let differently = "a fails differently now (f2, f3); look at it, then mend it or change the entry";
    problems(ENTRY, &failed(&["f2", "f3"]), &[&format!("known.toml: line 4: field `finding`: {differently}")]);
    problems(
        SNAPSHOT,
        &failed(&["p2"]),
        &["known.toml: line 3: field `fingerprint`: snapshot s fails differently now (p2); look at it, then mend it or change the entry"],
    );
    // What other entries name is no other failure.
    let both = format!("{ENTRY}{}", ENTRY.replace("f1", "f2"));
    problems(&both, &failed(&["f2"]), &["known.toml: line 4: field `finding`: a no longer fails like this; delete the entry"]);
}

#[test]
fn an_entry_without_a_reason_is_a_problem() {
    let missing = "field `reason`: is missing; say why a may fail for now";
    problems(&ENTRY.replace("ticket 12", "  "), &failed(&["f1"]), &[&format!("known.toml: line 5: {missing}")]);
    problems(&ENTRY.replace("reason = \"ticket 12\"\n", ""), &failed(&["f1"]), &[&format!("known.toml: line 2: {missing}")]);
}

#[test]
fn an_entry_without_an_end_is_a_problem() {
    let missing = "known.toml: line 2: field `expires`: is missing; say until when a may fail, for example expires = 2026-06-15";
    problems(&ENTRY.replace("expires = 2026-06-15\n", ""), &failed(&["f1"]), &[missing]);
    let over = "known.toml: line 6: field `expires`: a was accepted until 2026-06-14; mend it, or agree on a new date";
    problems(&ENTRY.replace("06-15", "06-14"), &failed(&["f1"]), &[over]);
}

/// Whether a list accepts the finding `f1` about `a`.
#[track_caller]
fn accepts(list: &str, expected: bool) {
    let list = parse(list);
    assert_eq!(list.accepting(&Subject::Requirement("a".to_owned()), "f1").is_some(), expected);
    assert_eq!(list.accepting_finding("f1").is_some(), expected);
}

#[test]
fn only_a_good_entry_accepts() {
    accepts(ENTRY, true);
    accepts(&ENTRY.replace("06-15", "06-14"), false);
    accepts(&ENTRY.replace("ticket 12", ""), false);
    accepts(&ENTRY.replace("expires = 2026-06-15\n", ""), false);
    accepts(&ENTRY.replace("f1", "f2"), false);
    accepts(&SNAPSHOT.replace("p1", "f1"), false);
    accepts("", false);
}

#[test]
fn an_entry_names_a_failure_good_or_not() {
    let list = parse(&ENTRY.replace("ticket 12", ""));
    assert!(list.names(&Subject::Requirement("a".to_owned()), "f1"));
    assert!(!list.names(&Subject::Requirement("a".to_owned()), "f2"));
    assert!(!list.names(&Subject::Snapshot("a".to_owned()), "f1"));
}

#[test]
fn a_list_has_the_digest_of_its_file() {
    assert_eq!(parse("").digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(KnownFailures::none().digest, "");
}

#[test]
fn dates_may_be_quoted() {
    accepts(&ENTRY.replace("2026-06-15", "\"2026-06-15\""), true);
    for wrong in ["20260615", "\"2026-6-15\"", "[2026-06-15]"] {
        let error = KnownFailures::parse("known.toml", &ENTRY.replace("2026-06-15", wrong), midsummer()).expect_err("no date");
        assert_eq!(error, "known.toml: line 6: field `expires`: is not a date such as 2026-12-31");
    }
}
