//! What a list of known failures makes of a report.

use jiff::civil::date;

use super::by_hand::{difference, finding, report, requirement};
use crate::{
    provider::registered,
    verdict::{Report, SavedResult, Verdict, apply_known_failures, is_not_judged, waivers::KnownFailures},
};

/// A requirement and a snapshot that the first provider has.
const REQUIREMENT: &str = "duplicate-deliveries";
const SNAPSHOT: &str = "001-";

fn snapshot() -> String {
    let corpus = registered()[0].embedded().corpus();
    corpus.sequences().keys().find(|name| name.starts_with(SNAPSHOT)).expect("a sequence").clone()
}

/// One requirement with this verdict, because of findings about it.
fn with(verdict: &str, findings: &[&str]) -> Report {
    let mut result = requirement(&format!("delivery MUST {verdict}"));
    result.id = REQUIREMENT.to_owned();
    result.findings = findings.iter().map(|id| (*id).to_owned()).collect();
    let mut report = report(vec![result]);
    report.findings = findings.iter().map(|id| finding(id)).collect();
    report.findings.iter_mut().for_each(|finding| finding.about = REQUIREMENT.to_owned());
    report
}

fn entry(field: &str, name: &str, named: &str, print: &str) -> String {
    format!("[[known]]\n{field} = \"{name}\"\n{named} = \"{print}\"\nreason = \"ticket 12\"\nexpires = 2026-06-15\n")
}

fn known(findings: &[&str]) -> String {
    findings.iter().map(|id| entry("requirement", REQUIREMENT, "finding", id)).collect()
}

fn applied(mut report: Report, list: &str) -> Report {
    let known = KnownFailures::parse("known.toml", list, date(2026, 6, 15)).expect("a list");
    apply_known_failures(&mut report, &known, registered()[0].embedded().corpus());
    report
}

fn problems(report: &Report) -> &[String] {
    report.known_failing.as_ref().map_or(&[], |known| &known.problems)
}

const ACCEPTED: &str = "accepted until 2026-06-15: ticket 12";

#[test]
fn without_a_list_nothing_changes() {
    let mut report = with("fail", &["f1"]);
    apply_known_failures(&mut report, &KnownFailures::none(), registered()[0].embedded().corpus());
    assert_eq!((report.requirements[0].verdict, report.known_failing.is_some()), (Verdict::Fail, false));
}

#[test]
fn a_requirement_is_waived_when_all_its_findings_are() {
    let report = applied(with("fail", &["f1", "f2"]), &known(&["f1", "f2"]));
    let [result] = &report.requirements[..] else { panic!("one requirement") };
    assert_eq!((result.verdict, result.note.as_deref()), (Verdict::Waived, Some(ACCEPTED)));
    assert!(report.findings.iter().all(|finding| finding.waived.as_deref() == Some(ACCEPTED)));
    assert_eq!(problems(&report), &[] as &[String]);
    assert_eq!(report.known_failing.map(|known| known.file).as_deref(), Some("known.toml"));
}

#[test]
fn a_finding_that_is_not_known_keeps_the_verdict() {
    let report = applied(with("fail", &["f1", "f2"]), &known(&["f1"]));
    assert_eq!(report.requirements[0].verdict, Verdict::Fail);
}

#[test]
fn a_warning_is_waived_too() {
    assert_eq!(applied(with("warn", &["f1"]), &known(&["f1"])).requirements[0].verdict, Verdict::Waived);
}

#[test]
fn what_fails_without_a_finding_about_it_is_not_waived() {
    let mut report = with("fail", &["f1"]);
    report.findings[0].about = "another".to_owned();
    assert_eq!(applied(report, &known(&["f1"])).requirements[0].verdict, Verdict::Fail);
    assert_eq!(applied(with("error", &["f1"]), &known(&["f1"])).requirements[0].verdict, Verdict::Error);
}

/// What is wrong with an entry of the finding `f1` where the requirement came to this; empty where nothing is.
#[track_caller]
fn says(report: Report, expected: &str) {
    let report = applied(report, &known(&["f1"]));
    assert_eq!(problems(&report).join("; "), expected);
}

const PASSES: &str = "known.toml: line 2: field `requirement`: duplicate-deliveries passes now; delete the entry";

#[test]
fn what_passes_now_is_said() {
    says(with("pass", &[]), PASSES);
}

#[test]
fn what_fails_differently_is_said() {
    let differently = "fails differently now (f2); look at it, then mend it or change the entry";
    says(with("fail", &["f2"]), &format!("known.toml: line 3: field `finding`: duplicate-deliveries {differently}"));
}

#[test]
fn what_was_not_judged_is_not_missed() {
    ["masked", "not-exercised", "error"].into_iter().for_each(|verdict| says(with(verdict, &[]), ""));
    let mut elsewhere = with("pass", &[]);
    elsewhere.requirements[0].id = "final-state-stays-final".to_owned();
    says(elsewhere, "");
}

/// Where only other findings make it fail it passes without them.
/// Entries of which a run says nothing stay on the list that is written after it.
#[test]
fn of_what_was_not_judged_nothing_is_said() {
    let says_nothing = |verdict: &str| {
        let known = KnownFailures::parse("known.toml", &known(&["f1"]), date(2026, 6, 15)).expect("a list");
        is_not_judged(&with(verdict, &[]), known.accepting_finding("f1").expect("an entry"), registered()[0].embedded().corpus())
    };
    assert_eq!(["masked", "pass", "fail"].map(says_nothing), [true, false, false]);
}

#[test]
fn what_fails_because_of_others_passes() {
    says(with("affected", &[]), "known.toml: line 2: field `requirement`: duplicate-deliveries passes now; delete the entry");
}

#[test]
fn what_is_not_asked_is_said() {
    let why = "known.toml: line 2: field `requirement`: duplicate-deliveries was not judged: no list; delete the entry";
    let mut report = with("not-applicable", &[]);
    report.requirements[0].note = Some("no list".to_owned());
    says(report.clone(), why);
    (report.requirements[0].verdict, report.requirements[0].judged) = (Verdict::NotExercised, false);
    says(report, why);
}

#[test]
fn parts_of_a_run_miss_nothing() {
    let mut part = with("pass", &[]);
    part.shard = Some("1/2".to_owned());
    says(part.clone(), "");
    (part.shard, part.interrupted) = (None, Some("time limit".to_owned()));
    says(part.clone(), "");
    (part.interrupted, part.options.budget_ms) = (None, Some(30_000));
    says(part, "");
}

#[test]
fn a_finding_about_something_else_now_is_still_there() {
    let mut report = with("pass", &["f1"]);
    report.findings[0].about = "another".to_owned();
    says(report, "");
}

#[test]
fn what_nobody_has_heard_of_is_said() {
    let requirement = applied(with("pass", &[]), &entry("requirement", "nonsense", "finding", "f1"));
    assert_eq!(problems(&requirement), ["known.toml: line 2: field `requirement`: there is no nonsense; delete the entry"]);
    let snapshot = applied(with("pass", &[]), &entry("snapshot", "nonsense", "fingerprint", "f1"));
    assert_eq!(problems(&snapshot), ["known.toml: line 2: field `snapshot`: there is no snapshot nonsense; delete the entry"]);
}

/// A report of which one snapshot differs, with a list that names one print of it.
fn differing(print: &str, change: impl FnOnce(&mut Report)) -> Report {
    let name = snapshot();
    let mut report = with("pass", &[]);
    report.snapshots.differing.push(difference(&name));
    change(&mut report);
    applied(report, &entry("snapshot", &name, "fingerprint", print))
}

#[test]
fn a_difference_is_accepted_by_its_print() {
    let report = differing(&format!("print of {}", snapshot()), |_| {});
    assert_eq!(report.snapshots.differing[0].waived.as_deref(), Some(ACCEPTED));
    assert_eq!(problems(&report), &[] as &[String]);
}

#[test]
fn another_difference_is_not() {
    let report = differing("another", |_| {});
    assert_eq!(report.snapshots.differing[0].waived, None);
    assert!(problems(&report)[0].contains("fails differently now"), "{:?}", problems(&report));
}

#[test]
fn a_snapshot_that_is_as_it_should_be_is_said_unless_none_was_compared() {
    let none = |report: &mut Report| report.snapshots.differing.clear();
    assert!(problems(&differing("any", none))[0].contains("passes now"));
    let uncompared = differing("any", |report| {
        report.snapshots.differing.clear();
        report.snapshots.note = Some("left out".to_owned());
    });
    assert_eq!(problems(&uncompared), &[] as &[String]);
}

#[test]
fn a_difference_is_accepted_with_the_findings_that_explain_it() {
    let explained = |list: &[&str]| {
        let mut report = with("fail", &["f1", "f2"]);
        report.snapshots.differing.push(difference(&snapshot()));
        report.snapshots.differing[0].because_of = vec!["f1".to_owned(), "f2".to_owned()];
        applied(report, &known(list)).snapshots.differing.remove(0).waived
    };
    assert_eq!(explained(&["f1", "f2"]), Some(format!("{ACCEPTED}; {ACCEPTED}")));
    assert_eq!(explained(&["f1"]), None);
}

#[track_caller]
fn check_saved(file: &str, fails: bool, finding: Option<&str>, accepted: bool) {
    let mut report = with("pass", &[]);
    let fails = fails.then(|| "wrong".to_owned());
    report.saved = vec![SavedResult { file: file.to_owned(), fails, finding: finding.map(str::to_owned), advice: false, waived: None }];
    let mut report = applied(report, &known(&["0123456789abcdef"]));
    assert_eq!(report.saved.remove(0).waived.as_deref(), accepted.then_some(ACCEPTED));
    // What its saved case still shows has not passed, whether this run came to it or not.
    assert_eq!(problems(&report).is_empty(), accepted, "{:?}", problems(&report));
}

/// Whichever requirement the finding was about when the case was saved.
#[test]
fn a_saved_case_is_accepted_with_the_finding_that_it_was_saved_for() {
    check_saved("failures/duplicate-deliveries-01234567.json", true, None, true);
    check_saved("failures/another-01234567.json", true, None, true);
    check_saved("failures/duplicate-deliveries-01234568.json", true, None, false);
    check_saved("failures/duplicate-deliveries-01234567.json", true, Some("0123456789abcdef"), false);
    check_saved("failures/duplicate-deliveries-01234567.json", false, None, false);
}
