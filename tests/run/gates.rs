//! What a CI gate rests on: lists of known failures and shards.
//!
//! Source: `docs/reports.md`.

use refundproof::{
    domain::Clock,
    reference::{Fault, ReferenceShop, faults},
    report::json,
    run::{Book, Options, Selection},
    verdict::{
        Conformance, FindingReport, Report, RequirementResult, Shard, Verdict, apply_known_failures, conclude, merge,
        waivers::KnownFailures,
    },
};
use rstest::rstest;
use serde_json::Value;

use crate::common::{self, certified, only, quick};

/// 2026-06-15.
const MIDSUMMER: u64 = 1_781_481_600;
const FAULT: &str = "books-redeliveries";
/// The requirement that the fault breaks.
const BROKEN: &str = "duplicate-deliveries";

fn fault(name: &str) -> Option<Fault> {
    Some(Fault::from_name(name).expect("a fault"))
}

fn text(report: &Report) -> String {
    let mut text = Vec::new();
    json::write(&mut text, report).expect("memory can be written");
    String::from_utf8(text).expect("UTF-8")
}

fn without_times(report: &Report) -> String {
    fn clear(value: &mut Value) {
        match value {
            Value::Object(object) => {
                object.remove("durationMs");
                object.remove("digests");
                object.values_mut().for_each(clear);
            }
            Value::Array(list) => list.iter_mut().for_each(clear),
            _ => {}
        }
    }
    let mut value = serde_json::from_str(&text(report)).expect("JSON");
    clear(&mut value);
    format!("{value:#}")
}

// ---- known failures

fn parse(text: &str) -> KnownFailures {
    KnownFailures::parse("known.toml", text, Clock::manual(MIDSUMMER).today()).expect("a list")
}

/// The broken requirement and two that hold, with a list.
fn options(list: &str) -> Options {
    quick(12, 1).with(|options| {
        options.known = parse(list);
        options.selection = only(&[BROKEN, "refund-counted-once", "partial-refunds-add-up"]);
    })
}

/// How the fault fails when everything is looked for that a list would have to name.
fn fingerprints() -> Vec<String> {
    let report = certified(fault(FAULT), &options(""));
    report.findings.iter().map(|finding| finding.id.clone()).collect()
}

fn entries(fingerprints: &[String], reason: &str, expires: &str) -> String {
    let entry = |print: &String| {
        format!("[[known]]\nrequirement = \"{BROKEN}\"\nfinding = \"{print}\"\nreason = \"{reason}\"\nexpires = {expires}\n")
    };
    fingerprints.iter().map(entry).collect()
}

fn complete_list() -> String {
    entries(&fingerprints(), "ticket 12", "2026-06-15")
}

fn problems(report: &Report) -> &[String] {
    report.known_failing.as_ref().map_or(&[], |known| &known.problems)
}

#[track_caller]
fn verdict_on(report: &Report, id: &str, expected: Verdict) {
    let result = report.requirements.iter().find(|result| result.id == id).expect("the requirement");
    assert_eq!(result.verdict, expected, "{:?}", result.note);
}

/// The list fails the run with this one line.
#[track_caller]
fn fails(name: Option<&str>, list: &str, line: &str) {
    let report = certified(name.and_then(fault), &options(list));
    assert_eq!(report.verdict, Conformance::NotConformant);
    assert_eq!(problems(&report), [line]);
}

#[test]
fn a_known_failure_is_waived_and_still_runs() {
    let report = certified(fault(FAULT), &options(&complete_list()));
    assert_eq!(problems(&report), [""; 0]);
    assert_eq!(report.verdict, Conformance::Conformant);
    verdict_on(&report, BROKEN, Verdict::Waived);
    let broken = report.requirements.iter().find(|result| result.id == BROKEN).expect("it ran");
    assert!(broken.cases > 0 && !broken.findings.is_empty());
    assert_eq!(broken.note.as_deref(), Some("accepted until 2026-06-15: ticket 12"));
}

#[test]
fn without_a_list_it_fails() {
    let report = certified(fault(FAULT), &options(""));
    assert_eq!(report.verdict, Conformance::NotConformant);
    verdict_on(&report, BROKEN, Verdict::Fail);
}

#[test]
fn an_unexpected_pass_fails() {
    let list = entries(&["0123456789abcdef".to_owned()], "x", "2026-12-31");
    fails(None, &list, "known.toml: line 2: field `requirement`: duplicate-deliveries passes now; delete the entry");
}

#[test]
fn a_different_failure_fails() {
    let real = fingerprints().swap_remove(0);
    let list = entries(&["0123456789abcdef".to_owned()], "x", "2026-12-31");
    let line = format!(
        "known.toml: line 3: field `finding`: duplicate-deliveries fails differently now ({real}); look at it, then mend it or change the entry"
    );
    fails(Some(FAULT), &list, &line);
}

#[test]
fn a_stale_entry_beside_a_good_one_fails() {
    let list = complete_list() + &entries(&["0123456789abcdef".to_owned()], "x", "2026-12-31");
    let report = certified(fault(FAULT), &options(&list));
    verdict_on(&report, BROKEN, Verdict::Waived);
    assert_eq!(report.verdict, Conformance::NotConformant);
    assert!(problems(&report)[0].ends_with("no longer fails like this; delete the entry"), "{:?}", problems(&report));
}

#[test]
fn an_entry_that_matches_nothing_fails() {
    let list = "[[known]]\nrequirement = \"no-such\"\nfinding = \"0\"\nreason = \"x\"\nexpires = 2026-12-31\n";
    fails(None, list, "known.toml: line 2: field `requirement`: there is no no-such; delete the entry");
    let list = "[[known]]\nsnapshot = \"000-no-such\"\nfingerprint = \"0\"\nreason = \"x\"\nexpires = 2026-12-31\n";
    fails(None, list, "known.toml: line 2: field `snapshot`: there is no snapshot 000-no-such; delete the entry");
}

#[test]
fn an_entry_that_does_not_apply_fails() {
    let mut report = certified(None, &options(""));
    for result in &mut report.requirements {
        result.verdict = Verdict::NotApplicable;
        result.note = Some("the target does not claim it".to_owned());
    }
    apply_known_failures(&mut report, &parse(&entries(&["0".to_owned()], "x", "2026-12-31")), common::corpus());
    conclude(&mut report);
    let line =
        "known.toml: line 2: field `requirement`: duplicate-deliveries was not judged: the target does not claim it; delete the entry";
    assert_eq!(problems(&report), [line]);
    assert_eq!(report.verdict, Conformance::NotConformant);
}

#[test]
fn a_missing_reason_fails() {
    let list = entries(&fingerprints()[..1], "", "2026-12-31");
    fails(Some(FAULT), &list, "known.toml: line 4: field `reason`: is missing; say why duplicate-deliveries may fail for now");
    let list = list.replace("reason = \"\"\n", "");
    fails(Some(FAULT), &list, "known.toml: line 1: field `reason`: is missing; say why duplicate-deliveries may fail for now");
}

#[test]
fn a_missing_expiry_fails() {
    let list = entries(&fingerprints()[..1], "x", "2026-12-31").replace("expires = 2026-12-31\n", "");
    let line =
        "known.toml: line 1: field `expires`: is missing; say until when duplicate-deliveries may fail, for example expires = 2026-06-15";
    fails(Some(FAULT), &list, line);
}

#[test]
fn an_expired_entry_fails_and_waives_nothing() {
    let list = entries(&fingerprints(), "x", "2026-06-14");
    let report = certified(fault(FAULT), &options(&list));
    verdict_on(&report, BROKEN, Verdict::Fail);
    let line = "known.toml: line 5: field `expires`: duplicate-deliveries was accepted until 2026-06-14; mend it, or agree on a new date";
    assert_eq!(problems(&report)[0], line);
}

#[test]
fn a_known_finding_hides_no_other_one() {
    let pair = [Fault::CountsBothLayers, Fault::DuplicateRefused];
    let certify = |list: &str| {
        let options = Options::new().with(|options| {
            options.known = parse(list);
            options.cases = 20;
        });
        common::certified_target(common::provider(), &|clock| Box::new(ReferenceShop::with_faults(&pair, clock.clone())), &options)
    };
    let report = certify("");
    let like = |report: &Report| -> Vec<String> {
        let told = report.findings.iter().filter(|finding| finding.waived.is_none());
        told.filter_map(|finding| Some(finding.like.as_ref()?.fault.clone())).collect()
    };
    assert_eq!(like(&report), ["counts-both-layers", "duplicate-refused"]);
    for (known, other) in [(0, 1), (1, 0)] {
        let finding = &report.findings[known];
        let list =
            format!("[[known]]\nrequirement = \"{}\"\nfinding = \"{}\"\nreason = \"x\"\nexpires = 2026-12-31\n", finding.about, finding.id);
        let with = certify(&list);
        assert_eq!(with.verdict, Conformance::NotConformant);
        assert_eq!(like(&with), [like(&report)[other].clone()]);
    }
}

#[test]
fn what_is_not_selected_is_not_missed() {
    let list = entries(&["0123456789abcdef".to_owned()], "x", "2026-12-31");
    let report = certified(None, &options(&list).with(|options| options.selection = only(&["refund-counted-once"])));
    assert_eq!(problems(&report), [""; 0]);
    assert_eq!(report.verdict, Conformance::Conformant);
}

#[test]
fn a_requirement_that_could_not_be_judged_cannot_be_waived() {
    let mut report = certified(fault(FAULT), &options(""));
    for result in &mut report.requirements {
        result.verdict = Verdict::Error;
    }
    apply_known_failures(&mut report, &parse(&complete_list()), common::corpus());
    conclude(&mut report);
    verdict_on(&report, BROKEN, Verdict::Error);
    assert_eq!(report.verdict, Conformance::NotJudged);
}

#[test]
fn snapshots_that_differ_can_be_known() {
    let options = |list: &str| {
        quick(1, 1).with(|options| {
            options.selection = only(&["snapshots"]);
            options.known = parse(list);
        })
    };
    let report = certified(fault("counts-both-layers"), &options(""));
    assert_eq!(report.verdict, Conformance::NotConformant);
    let list: String = report
        .snapshots
        .differing
        .iter()
        .map(|difference| {
            let (name, print) = (&difference.name, &difference.fingerprint);
            format!("[[known]]\nsnapshot = \"{name}\"\nfingerprint = \"{print}\"\nreason = \"x\"\nexpires = 2026-12-31\n")
        })
        .collect();
    let report = certified(fault("counts-both-layers"), &options(&list));
    assert_eq!((report.verdict, problems(&report)), (Conformance::Conformant, &[][..]));
    let report = certified(None, &options(&list));
    assert_eq!(report.verdict, Conformance::NotConformant);
    assert!(problems(&report)[0].ends_with("passes now; delete the entry"));
}

#[rstest]
#[case("books-redeliveries")]
#[case("counts-both-layers")]
#[case("unknown-members-refused")]
#[case("trailing-garbage-accepted")]
fn the_same_seed_gives_the_same_fingerprint(#[case] name: &str) {
    let info = faults().iter().find(|info| info.name == name).expect("a fault");
    let print = |jobs| {
        let options = Options::new().with(|options| {
            options.seed = 3;
            options.cases = 30;
            options.jobs = jobs;
            options.selection = only(&[info.expected[0]]);
        });
        certified(fault(name), &options).findings[0].id.clone()
    };
    assert_eq!(print(1), print(3));
    assert_eq!(print(1).len(), 16);
}

#[test]
fn other_seeds_find_the_same_bug_by_the_same_fingerprint() {
    let print = |seed| {
        let options = Options::new().with(|options| {
            options.seed = seed;
            options.cases = 30;
            options.selection = only(&["refund-counted-once"]);
        });
        certified(fault("counts-both-layers"), &options).findings[0].id.clone()
    };
    assert_eq!(print(1), print(2));
    assert_eq!(print(2), print(3));
}

#[test]
fn another_bug_has_another_fingerprint() {
    let print = |name| {
        let options = Options::new().with(|options| {
            options.cases = 30;
            options.selection = only(&["mixed-traffic"]);
        });
        certified(fault(name), &options).findings[0].id.clone()
    };
    assert_ne!(print("counts-both-layers"), print("books-redeliveries"));
}

// ---- shards

fn shards(name: Option<&str>, of: u32, options: &Options) -> Vec<(String, Report)> {
    let run = |number| {
        let options = options.clone().with(|options| options.shard = Some(Shard { number, of }));
        // Merging sees what a file holds, and nothing more.
        let report = json::read(&text(&certified(name.and_then(fault), &options))).expect("a report");
        (format!("{number}.json"), report)
    };
    (1..=of).map(run).collect()
}

#[track_caller]
fn merged(name: Option<&str>, of: u32, options: &Options) -> Report {
    let mut report = merge(shards(name, of, options)).expect("they belong together");
    apply_known_failures(&mut report, &options.known, common::corpus());
    conclude(&mut report);
    report
}

#[track_caller]
fn same_as_one_run(name: Option<&str>, of: u32, options: &Options) {
    let whole = certified(name.and_then(fault), options);
    let (merged, whole) = (without_times(&merged(name, of, options)), without_times(&whole));
    let diff = refundproof::check::diff(&whole, &merged);
    let changed: Vec<&str> = diff.lines().filter(|line| line.starts_with(['-', '+'])).collect();
    assert!(changed.is_empty(), "{name:?} in {of}: {changed:#?}");
}

#[rstest]
fn shards_of_the_reference_are_one_run(#[values(1, 2, 3, 7)] of: u32) {
    same_as_one_run(None, of, &quick(10, 1));
}

#[test]
fn shards_of_failing_targets_are_one_run() {
    // They all claim the same, so their cases are made once.
    let options = quick(10, 1).with(|options| options.book = Some(Book::new()));
    // A shop that mixes up orders of several cases shows other things when other cases came before.
    for info in faults().iter().step_by(7).filter(|info| info.expected[0] != "orders-do-not-mix") {
        same_as_one_run(Some(info.name), 3, &options);
    }
}

#[test]
fn shards_with_shrinking_are_one_run() {
    same_as_one_run(Some(FAULT), 4, &Options::new().with(|options| options.cases = 30));
}

#[test]
fn shards_with_known_failures_are_one_run() {
    let all = options(&complete_list()).with(|options| options.cases = 25);
    let some = all.clone().with(|options| options.known = parse(&entries(&fingerprints()[..1], "x", "2026-12-31")));
    for options in [all, some] {
        let found = |report: &Report| {
            let print = |finding: &FindingReport| (finding.case.clone(), finding.id.clone());
            let of =
                |result: &RequirementResult| (result.verdict, result.cases, result.exercised, result.deliveries, result.findings.clone());
            let requirements: Vec<_> = report.requirements.iter().map(of).collect();
            (requirements, report.findings.iter().map(print).collect::<Vec<_>>())
        };
        // The ids in shrunk cases count what was shrunk before, and each shard counts its own.
        let (merged, whole) = (merged(Some(FAULT), 3, &options), certified(fault(FAULT), &options));
        assert_eq!(found(&merged), found(&whole));
        assert_eq!((merged.verdict, problems(&merged)), (whole.verdict, problems(&whole)));
    }
}

#[test]
fn shards_of_a_selection_are_one_run() {
    let selection = Selection::new(&["*refund*".to_owned()], &["own-*".to_owned()]).expect("globs");
    same_as_one_run(None, 2, &quick(10, 1).with(|options| options.selection = selection));
}

#[test]
fn floors_are_judged_when_all_shards_are_there() {
    // With two cases some shards get none of a requirement at all, and pass all the same.
    let options = quick(2, 1);
    for (_, report) in shards(None, 5, &options) {
        assert_eq!(report.verdict, Conformance::Conformant);
        assert!(report.requirements.iter().any(|result| result.verdict == Verdict::NotExercised && result.judged));
    }
    assert_eq!(merged(None, 5, &options).verdict, Conformance::Conformant);
}

#[test]
fn a_floor_that_no_shard_reaches_fails_the_merge() {
    let mut reports = shards(None, 2, &quick(4, 1));
    for trail in reports.iter_mut().flat_map(|(_, report)| &mut report.requirements).filter_map(|result| result.trail.as_mut()) {
        trail.ran.iter_mut().for_each(|case| case.missed = true);
    }
    assert_eq!(merge(reports).expect("they belong together").verdict, Conformance::NotConformant);
}

#[test]
fn an_interrupted_shard_leaves_the_merge_unjudged() {
    let mut reports = shards(None, 2, &quick(4, 1));
    reports[1].1.interrupted = Some("time limit".to_owned());
    for trail in reports[1].1.requirements.iter_mut().filter_map(|result| result.trail.as_mut()) {
        trail.finished = false;
        trail.ran.clear();
    }
    let report = merge(reports).expect("they belong together");
    assert_eq!((report.verdict, report.interrupted.as_deref()), (Conformance::NotJudged, Some("time limit")));
}

fn change(field: &str, report: &mut Report) {
    match field {
        "suite" => report.suite.digest = "0".to_owned(),
        "provider" => report.provider = "other".to_owned(),
        "seed" => report.seed += 1,
        "options" => report.options.cases += 1,
        "target" => report.target.version = "0".to_owned(),
        "requirements" => drop(report.requirements.pop()),
        "shard" => report.shard = Some("2/4".to_owned()),
        other => panic!("{other}"),
    }
}

#[rstest]
fn shards_of_different_runs_are_refused(#[values("suite", "provider", "seed", "options", "target", "requirements", "shard")] field: &str) {
    let mut reports = shards(None, 3, &quick(1, 1));
    change(field, &mut reports[1].1);
    let error = merge(reports).expect_err("they do not belong together");
    assert!(error.starts_with(&format!("2.json: field `{field}`: is not that of 1.json")), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn shards_run_with_other_lists_are_refused() {
    let mut reports = shards(None, 2, &options(&entries(&["0".to_owned()], "x", "2026-12-31")));
    reports[1].1.known_failing.as_mut().expect("a list").digest = "0".to_owned();
    let error = merge(reports).expect_err("they do not belong together");
    assert!(error.starts_with("2.json: field `knownFailing.digest`: "), "{error}");
}

#[test]
fn missing_and_double_shards_are_refused() {
    let mut reports = shards(None, 4, &quick(1, 1));
    reports.remove(2);
    reports.remove(0);
    assert_eq!(merge(reports.clone()).expect_err("two are missing"), "2 of 4 shards given; 1/4, 3/4 missing");
    reports.push(("again.json".to_owned(), reports[0].1.clone()));
    assert_eq!(merge(reports).expect_err("one is double"), "again.json: field `shard`: is 2/4, and so is 2.json; give each shard once");
}

#[test]
fn a_whole_run_is_no_shard() {
    let report = certified(None, &quick(1, 1));
    let error = merge(vec![("whole.json".to_owned(), report)]).expect_err("it is no shard");
    assert!(error.starts_with("whole.json: field `shard`: is missing"), "{error}");
}
