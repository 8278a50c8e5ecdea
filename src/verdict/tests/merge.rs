//! Reports of shards, put together.

use rstest::rstest;

use super::by_hand::{self, difference, finding, findings, result, trail};
use crate::{
    check::Coverage,
    verdict::{Conformance, ImportedResult, KnownFailing, Likeness, Report, RequirementResult, SavedResult, Verdict, merge},
};

/// A shard of so many, in which the requirement `own` has these cases; empty where nobody came to it.
fn shard(number: u32, of: u32, cases: &str) -> Report {
    let mut own = result("MUST", 1);
    let trail = trail(cases);
    let mut report = by_hand::report(Vec::new());
    report.findings = findings(&trail);
    own.trail = Some(trail).filter(|_| !cases.is_empty());
    report.requirements.push(own);
    report.shard = Some(format!("{number}/{of}"));
    report
}

/// All shards of a run, one for each text.
fn shards(cases: &[&str]) -> Vec<Report> {
    let of = u32::try_from(cases.len()).expect("few");
    (1..).zip(cases).map(|(number, cases)| shard(number, of, cases)).collect()
}

fn named(reports: Vec<Report>) -> Vec<(String, Report)> {
    reports.into_iter().zip('a'..).map(|(report, name)| (format!("{name}.json"), report)).collect()
}

#[track_caller]
fn merged(reports: Vec<Report>) -> Report {
    merge(named(reports)).expect("they are shards of one run")
}

/// What the requirement comes to.
#[track_caller]
fn own(reports: Vec<Report>) -> RequirementResult {
    merged(reports).requirements.remove(0)
}

// ---- what cannot be put together

#[track_caller]
fn refused(reports: Vec<Report>, expected: &str) {
    assert_eq!(merge(named(reports)).err().as_deref(), Some(expected));
}

#[test]
fn nothing_at_all() {
    refused(Vec::new(), "there are no reports to merge");
}

#[test]
fn a_shard_given_twice() {
    refused(vec![shard(1, 2, ""), shard(1, 2, "")], "b.json: field `shard`: is 1/2, and so is a.json; give each shard once");
}

#[test]
fn shards_that_are_missing() {
    refused(vec![shard(2, 4, ""), shard(4, 4, "")], "2 of 4 shards given; 1/4, 3/4 missing");
}

#[test]
fn whole_runs_and_shards_of_nothing() {
    let whole = "a.json: field `shard`: is missing, so this is the report of a whole run; `certify --shard K/N` writes those of shards";
    let mut report = shard(1, 1, "");
    report.shard = None;
    refused(vec![report.clone()], whole);
    report.shard = Some("2/1".to_owned());
    refused(vec![report], "a.json: field `shard`: a shard is K/N with K from 1 to N, for example 1/4");
}

#[rstest]
#[case("shard", |report: &mut Report| report.shard = Some("2/3".to_owned()), "\"3\" and \"2\"")]
#[case("provider", |report: &mut Report| report.provider = "other".to_owned(), "\"other\" and \"any\"")]
#[case("seed", |report: &mut Report| report.seed = 2, "2 and 1")]
#[case("options", |report: &mut Report| report.options.strict = true, "")]
#[case("suite", |report: &mut Report| report.suite.requirements = 1, "")]
#[case("target", |report: &mut Report| report.target.version = "2".to_owned(), "")]
#[case("requirements", |report: &mut Report| report.requirements[0].floor = 9, "[[\"own\",9]] and [[\"own\",1]]")]
#[case("requirements", |report: &mut Report| report.requirements[0].id = "x".to_owned(), "[[\"x\",1]] and [[\"own\",1]]")]
#[case("knownFailing.digest", |report: &mut Report| report.known_failing = Some(list("0a")), "\"0a\" and null")]
fn runs_that_are_not_the_same(#[case] field: &str, #[case] change: fn(&mut Report), #[case] values: &str) {
    let mut reports = shards(&["", ""]);
    change(&mut reports[1]);
    let error = merge(named(reports)).expect_err("they are not shards of one run");
    let start = format!("b.json: field `{field}`: is not that of a.json, so they are not shards of one run: ");
    assert!(error.starts_with(&start) && error.ends_with(values), "{error}");
}

/// What each shard saw of the target by itself makes no other run of it.
#[test]
fn remarks_are_those_of_all_shards() {
    let mut reports = shards(&["ok", "- ok"]);
    reports[0].target.remarks = vec!["one".to_owned(), "both".to_owned()];
    reports[1].target.remarks = vec!["both".to_owned(), "other".to_owned()];
    assert_eq!(merge(named(reports)).expect("they belong together").target.remarks, ["one", "both", "other"]);
}

fn list(digest: &str) -> KnownFailing {
    KnownFailing { file: "known.toml".to_owned(), digest: digest.to_owned(), problems: vec!["it passes now".to_owned()] }
}

#[test]
fn what_differs_is_cut_where_it_is_long() {
    let mut reports = shards(&["", ""]);
    // Two quotes and this are as much as is shown.
    reports[0].provider = "é".repeat(118);
    reports[1].provider = "é".repeat(119);
    let error = merge(named(reports)).expect_err("they differ");
    let (whole, cut) = (format!("\"{}\"", "é".repeat(118)), format!("\"{}…", "é".repeat(119)));
    assert!(error.ends_with(&format!(": {cut} and {whole}")), "{error}");
}

// ---- requirements

#[test]
fn cases_of_all_shards_count() {
    let mut reports = shards(&["ok - ok", "- missed -"]);
    reports.iter_mut().zip([5, 7]).for_each(|(report, time)| report.requirements[0].duration_ms = time);
    reports.reverse();
    let own = own(reports);
    assert_eq!((own.verdict, own.cases, own.exercised, own.deliveries, own.duration_ms), (Verdict::Pass, 3, 2, 6, 12));
    assert_eq!(own.trail, None);
}

#[test]
fn the_floor_is_that_of_all_shards() {
    let with_floor = |floor: u32| {
        let mut reports = shards(&["ok -", "- ok"]);
        reports.iter_mut().for_each(|report| report.requirements[0].floor = floor);
        own(reports).verdict
    };
    assert_eq!((with_floor(2), with_floor(3)), (Verdict::Pass, Verdict::NotExercised));
}

#[test]
fn one_run_ends_where_a_shard_does() {
    let report = merged(shards(&["ok - f1! -", "- ok - ok"]));
    let [own] = &report.requirements[..] else { panic!("one requirement") };
    assert_eq!((own.verdict, own.cases), (Verdict::Fail, 3));
    assert_eq!(report.verdict, Conformance::NotConformant);
}

#[test]
fn what_one_shard_knows_of_the_claims_holds_for_all() {
    let with = |change: fn(&mut Report)| {
        let mut reports = shards(&["ok - ok", "- ok -"]);
        reports.iter_mut().for_each(|report| {
            let own = &mut report.requirements[0];
            own.floor = 9;
            own.trail.iter_mut().for_each(|trail| trail.refuted = false);
        });
        change(&mut reports[1]);
        let own = own(reports);
        (own.verdict, own.by_claims)
    };
    assert_eq!(with(|_| {}), (Verdict::NotExercised, false));
    assert_eq!(with(|report| report.requirements[0].trail.iter_mut().for_each(|trail| trail.blinded = 6)), (Verdict::NotExercised, true));
    assert_eq!(with(|report| report.requirements[0].trail.iter_mut().for_each(|trail| trail.uncalled = 6)), (Verdict::NotExercised, true));
}

/// Which cases could have shown something by a call is seen by the shard that plays them.
#[test]
fn cases_without_the_calls_that_are_claimed_add_up() {
    let mut reports = shards(&["missed - missed", "- missed -"]);
    for (report, uncalled) in reports.iter_mut().zip([2, 1]) {
        let own = &mut report.requirements[0];
        own.floor = 3;
        own.trail.iter_mut().for_each(|trail| trail.uncalled = uncalled);
    }
    let own = own(reports);
    assert_eq!((own.verdict, own.by_claims), (Verdict::NotExercised, true));
}

#[test]
fn one_shard_with_a_case_that_needs_something_done_is_enough() {
    let refuted = |first: bool, second: bool| {
        let mut reports = shards(&["ok", "- ok"]);
        for (report, refuted) in reports.iter_mut().zip([first, second]) {
            report.requirements[0].trail.iter_mut().for_each(|trail| trail.refuted = refuted);
        }
        own(reports).verdict
    };
    assert_eq!((refuted(false, false), refuted(false, true)), (Verdict::NotExercised, Verdict::Pass));
}

#[test]
fn one_shard_with_a_case_free_of_other_findings_is_enough() {
    let freed = |freed: bool| {
        let mut reports = shards(&["g1", "- g1"]);
        reports[1].requirements[0].trail.iter_mut().for_each(|trail| trail.freed = freed);
        own(reports).verdict
    };
    assert_eq!((freed(false), freed(true)), (Verdict::Masked, Verdict::Affected));
}

#[test]
fn what_nobody_came_to_stays_as_it_is() {
    let mut reports = shards(&["", ""]);
    for report in &mut reports {
        (report.requirements[0].verdict, report.requirements[0].note) = (Verdict::NotApplicable, Some("no list".to_owned()));
    }
    let own = own(reports);
    assert_eq!((own.verdict, own.note.as_deref()), (Verdict::NotApplicable, Some("no list")));
}

/// What two shards come to of which one could not judge the requirement.
fn spoiled(cases: &[&str]) -> (Verdict, Option<String>) {
    let mut reports = shards(cases);
    (reports[1].requirements[0].verdict, reports[1].requirements[0].note) = (Verdict::Error, Some("it hung".to_owned()));
    let own = own(reports);
    (own.verdict, own.note)
}

#[test]
fn what_one_shard_could_not_judge_was_not_judged() {
    let error = (Verdict::Error, Some("it hung".to_owned()));
    assert_eq!(spoiled(&["ok", ""]), error);
    assert_eq!(spoiled(&["", ""]), error);
    assert_eq!(spoiled(&["ok", "- ok!"]), error);
}

#[test]
fn a_failure_before_that_ends_the_run() {
    assert_eq!(spoiled(&["f1!", ""]), (Verdict::Fail, None));
    assert_eq!(spoiled(&["f1!", "- ok!"]), (Verdict::Fail, None));
}

#[test]
fn a_failure_that_nobody_saw_again_is_told_anew() {
    let mut reports = shards(&["f1?!", ""]);
    (reports[0].requirements[0].verdict, reports[0].requirements[0].note) = (Verdict::Error, Some("said there".to_owned()));
    let own = own(reports);
    assert_eq!((own.verdict, own.note.as_deref()), (Verdict::Error, Some("not reproducible: failed once in 10 runs of own-0000")));
}

#[test]
fn a_shard_that_ended_without_an_error_is_none() {
    let mut reports = shards(&["ok!", "- ok"]);
    reports[1].requirements[0].verdict = Verdict::Error;
    assert_eq!(own(reports).verdict, Verdict::Pass);
}

#[test]
fn strict_runs_stay_strict() {
    let strict = |strict: bool| {
        let mut reports = shards(&["f1", "- ok"]);
        for report in &mut reports {
            report.options.strict = strict;
            report.requirements[0].level = crate::corpus::Level::Should;
        }
        own(reports).verdict
    };
    assert_eq!((strict(false), strict(true)), (Verdict::Warn, Verdict::Fail));
}

#[test]
fn what_cases_held_adds_up_unless_some_fail() {
    let held = |cases: &[&str]| {
        let mut reports = shards(cases);
        for report in &mut reports {
            let events = [("refund.a".to_owned(), 2)].into();
            report.requirements[0].coverage = Some(Coverage { events, ..Coverage::default() });
        }
        own(reports).coverage.map(|coverage| coverage.events["refund.a"])
    };
    assert_eq!((held(&["ok", "- ok"]), held(&["ok", "- f1"])), (Some(4), None));
    assert_eq!(own(shards(&["ok", "- ok"])).coverage, None);
}

#[test]
fn what_could_not_be_judged_says_nothing_of_what_cases_held() {
    let mut reports = shards(&["ok", ""]);
    reports[0].requirements[0].coverage = Some(Coverage::default());
    reports[1].requirements[0].verdict = Verdict::Error;
    assert_eq!(own(reports).coverage, None);
}

// ---- findings

/// Shards that all found `f1`: with this case, and about this.
fn found(by: &[(&str, &str)]) -> Vec<Report> {
    let cases = vec!["f1"; by.len()];
    let mut reports = shards(&cases);
    for (report, (case, about)) in reports.iter_mut().zip(by) {
        (report.findings[0].case, report.findings[0].about) = ((*case).to_owned(), (*about).to_owned());
    }
    reports
}

#[track_caller]
fn one_finding(reports: Vec<Report>) -> crate::verdict::FindingReport {
    let mut findings = merged(reports).findings;
    assert_eq!(findings.len(), 1);
    findings.remove(0)
}

#[test]
fn a_finding_of_several_shards_comes_with_its_first_case() {
    assert_eq!(one_finding(found(&[("own-0002", "own"), ("own-0001", "own")])).case, "own-0001");
    // What is saved under another name comes after all.
    assert_eq!(one_finding(found(&[("by-hand", "own"), ("own-0001", "own")])).case, "own-0001");
}

#[test]
fn what_a_finding_is_about_is_voted_where_it_is_like_a_known_mistake() {
    let about = |abouts: &[&str], is_like: bool| {
        let by: Vec<(&str, &str)> = abouts.iter().map(|about| ("own-0000", *about)).collect();
        let mut reports = found(&by);
        let like = Likeness { fault: "a".to_owned(), class: "b".to_owned(), name: "c".to_owned(), links: Vec::new() };
        reports.iter_mut().for_each(|report| report.findings[0].like = Some(like.clone()).filter(|_| is_like));
        one_finding(reports).about
    };
    assert_eq!(about(&["own", "another", "another"], true), "another");
    assert_eq!(about(&["own", "another", "another"], false), "own");
    assert_eq!(about(&["own", "another"], true), "own");
    assert_eq!(about(&["another", "own", "own", "third"], true), "own");
}

#[test]
fn what_was_found_after_the_end_of_one_run_is_left_out() {
    let mut reports = shards(&["f1! -", "- f2"]);
    reports[1].findings[0].case = "own-0001".to_owned();
    reports[1].saved =
        vec![SavedResult { file: "a.json".to_owned(), fails: None, finding: Some("f2".to_owned()), advice: false, waived: None }];
    reports[0].saved = reports[1].saved.clone();
    for report in &mut reports {
        report.snapshots.differing.push(difference("s"));
        report.snapshots.differing[0].because_of = vec!["f1".to_owned(), "f2".to_owned()];
    }
    let report = merged(reports);
    let ids: Vec<&str> = report.findings.iter().map(|finding| finding.id.as_str()).collect();
    assert_eq!(ids, ["f1"]);
    assert_eq!(report.saved[0].finding, None);
    assert!(report.snapshots.differing.iter().all(|difference| difference.because_of == ["f1"]));
}

#[test]
fn what_was_found_again_after_the_end_of_one_run_says_nothing() {
    let mut reports = shards(&["f1! -", "- f1"]);
    reports[1].findings[0].case = "own-0001".to_owned();
    reports[1].findings[0].snapshots = vec!["late".to_owned()];
    assert_eq!(one_finding(reports).snapshots, [] as [String; 0]);
}

#[test]
fn what_saved_cases_belong_to_stays() {
    let mut reports = shards(&["f1", "- f1"]);
    reports[0].saved =
        vec![SavedResult { file: "a.json".to_owned(), fails: None, finding: Some("f1".to_owned()), advice: false, waived: None }];
    assert_eq!(merged(reports).saved[0].finding.as_deref(), Some("f1"));
}

#[test]
fn what_no_requirement_fails_by_is_left_out() {
    let mut reports = shards(&["ok", "- ok"]);
    reports[0].findings.push(finding("f1"));
    assert_eq!(merged(reports).findings.len(), 0);
}

#[test]
fn findings_begin_anew() {
    let mut reports = found(&[("own-0000", "own"), ("own-0001", "own")]);
    for (report, snapshot) in reports.iter_mut().zip(["b", "a"]) {
        report.findings[0].waived = Some("ticket 12".to_owned());
        report.findings[0].snapshots = vec![snapshot.to_owned()];
    }
    let finding = one_finding(reports);
    assert_eq!(
        (finding.waived, finding.snapshots, finding.level),
        (None, vec!["a".to_owned(), "b".to_owned()], crate::corpus::Level::Must)
    );
}

#[test]
fn findings_stand_in_the_order_of_the_requirements() {
    let mut reports = shards(&["f2+g3+f1", "-"]);
    for report in &mut reports {
        let mut first = result("MUST", 1);
        first.id = "another".to_owned();
        report.requirements.insert(0, first);
    }
    let ids: Vec<String> = merged(reports).findings.into_iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["g3", "f1", "f2"]);
}

// ---- the run

#[test]
fn a_run_was_interrupted_if_a_shard_was() {
    let why = |reasons: [Option<&str>; 2]| {
        let mut reports = shards(&["ok", "- ok"]);
        reports.iter_mut().zip(reasons).for_each(|(report, reason)| report.interrupted = reason.map(str::to_owned));
        merged(reports).interrupted
    };
    assert_eq!(why([None, None]), None);
    assert_eq!(why([Some("time limit"), Some("interrupted")]).as_deref(), Some("interrupted"));
    assert_eq!(why([None, Some("time limit")]).as_deref(), Some("time limit"));
}

#[test]
fn snapshots_of_all_shards_are_one_list() {
    let mut reports = shards(&["ok", "- ok"]);
    for (report, name) in reports.iter_mut().zip(["b", "a"]) {
        report.snapshots.compared = 2;
        report.snapshots.differing.push(difference(name));
        report.snapshots.differing[0].waived = Some("ticket 12".to_owned());
    }
    reports[1].snapshots.note = Some("left out".to_owned());
    reports[1].snapshots.cut_short = true;
    let snapshots = merged(reports).snapshots;
    let names: Vec<(&str, bool)> =
        snapshots.differing.iter().map(|difference| (difference.name.as_str(), difference.waived.is_some())).collect();
    assert_eq!((snapshots.compared, names), (4, vec![("a", false), ("b", false)]));
    assert_eq!((snapshots.note.as_deref(), snapshots.cut_short), (Some("left out"), true));
}

#[test]
fn the_rest_is_that_of_any_shard() {
    let mut reports = shards(&["ok", "- ok"]);
    for (report, time) in reports.iter_mut().zip([9, 4]) {
        report.known_failing = Some(list("0a"));
        report.totals.duration_ms = time;
    }
    reports[1].imported = Some(ImportedResult { cases: 3, ..ImportedResult::default() });
    let report = merged(reports);
    assert_eq!((report.shard, report.totals.duration_ms, report.totals.cases), (None, 9, 2));
    // What is wrong with the list shows when it is applied again.
    assert_eq!(report.known_failing.map(|known| (known.digest, known.problems.len())), Some(("0a".to_owned(), 0)));
    assert_eq!(report.imported.map(|imported| imported.cases), Some(3));
    assert_eq!(report.items.len(), 1);
}
