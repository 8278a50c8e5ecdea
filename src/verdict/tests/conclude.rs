//! From lists of results to the verdicts on items and on the run: the one table that says what a run comes to.

use rstest::rstest;

use super::by_hand::{self, difference, finding, requirement};
use crate::{
    corpus::Level,
    verdict::{
        Conformance::{self, Conformant, NotCertified, NotConformant, NotJudged},
        ImportedFailure, ImportedResult, KnownFailing, Report, SavedResult, Verdict, conclude,
    },
};

/// What else decides.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    without: &'static [&'static str],
    strict: bool,
    interrupted: bool,
    budget: bool,
    shard: bool,
    compared: usize,
    snapshot_differs: bool,
    snapshots_cut: bool,
}

fn report(results: &[&str], run: Run) -> Report {
    let mut report = by_hand::report(results.iter().map(|text| requirement(text)).collect());
    report.options.without = run.without.iter().map(|item| (*item).to_owned()).collect();
    report.options.strict = run.strict;
    report.options.budget_ms = run.budget.then_some(1000);
    report.interrupted = run.interrupted.then(|| "time limit".to_owned());
    report.shard = run.shard.then(|| "1/2".to_owned());
    report.snapshots.compared = run.compared;
    report.snapshots.cut_short = run.snapshots_cut;
    report.snapshots.differing.extend(run.snapshot_differs.then(|| difference("a")));
    report
}

fn concluded(results: &[&str], run: Run) -> Report {
    with(results, run, |_| {})
}

/// The same with something else about the report, before it is concluded.
fn with(results: &[&str], run: Run, change: impl FnOnce(&mut Report)) -> Report {
    let mut report = report(results, run);
    change(&mut report);
    conclude(&mut report);
    report
}

const PLAIN: Run = Run {
    without: &[],
    strict: false,
    interrupted: false,
    budget: false,
    shard: false,
    compared: 0,
    snapshot_differs: false,
    snapshots_cut: false,
};

#[rstest]
// Everything passes.
#[case(&["refund MUST pass", "chargeback MUST pass"], PLAIN, Conformant)]
#[case(&["refund MUST pass", "refund SHOULD pass", "chargeback MUST pass", "delivery MUST pass"], PLAIN, Conformant)]
// Something fails.
#[case(&["refund MUST fail", "chargeback MUST pass"], PLAIN, NotConformant)]
#[case(&["refund MUST pass", "chargeback MUST pass", "input MUST fail"], PLAIN, NotConformant)]
#[case(&["refund MUST fail", "chargeback MUST error"], PLAIN, NotConformant)]
#[case(&["refund MUST error", "refund MUST fail", "chargeback MUST pass"], PLAIN, NotConformant)]
#[case(&["refund MUST fail"], Run { without: &["refund"], ..PLAIN }, NotConformant)]
// A SHOULD.
#[case(&["refund MUST pass", "refund SHOULD warn", "chargeback MUST pass"], PLAIN, Conformant)]
#[case(&["refund MUST pass", "refund SHOULD not-exercised", "chargeback MUST pass"], PLAIN, Conformant)]
#[case(&["refund MUST pass", "refund SHOULD fail", "chargeback MUST pass"], Run { strict: true, ..PLAIN }, NotConformant)]
#[case(&["refund MUST pass", "refund SHOULD not-exercised", "chargeback MUST pass"], Run { strict: true, ..PLAIN }, NotConformant)]
#[case(&["refund MUST pass", "chargeback MUST pass", "input SHOULD warn"], PLAIN, Conformant)]
// A known failure.
#[case(&["refund MUST waived", "chargeback MUST pass"], PLAIN, Conformant)]
#[case(&["refund MUST waived", "refund MUST fail", "chargeback MUST pass"], PLAIN, NotConformant)]
// Findings about other requirements; nothing says here that they are accepted.
#[case(&["refund MUST pass", "refund MUST affected", "chargeback MUST pass"], PLAIN, NotConformant)]
#[case(&["refund MUST pass", "refund MUST masked", "chargeback MUST pass"], PLAIN, NotConformant)]
#[case(&["refund MUST pass", "refund SHOULD affected", "chargeback MUST pass"], PLAIN, Conformant)]
#[case(&["refund MUST pass", "refund SHOULD masked", "chargeback MUST pass"], PLAIN, Conformant)]
// A floor that was not reached.
#[case(&["refund MUST pass", "refund MUST not-exercised", "chargeback MUST pass"], PLAIN, NotConformant)]
#[case(&["refund MUST not-exercised", "chargeback MUST pass"], PLAIN, NotConformant)]
// Claims that leave nothing to judge.
#[case(&["refund MUST pass", "refund MUST not-exercised claims", "chargeback MUST pass"], PLAIN, Conformant)]
#[case(&["refund MUST not-exercised claims", "chargeback MUST pass"], PLAIN, NotCertified)]
#[case(&["refund MUST not-applicable", "chargeback MUST pass"], PLAIN, NotCertified)]
#[case(&["refund MUST pass", "chargeback MUST not-applicable"], PLAIN, NotCertified)]
#[case(&["refund MUST pass", "chargeback MUST not-applicable"], Run { without: &["chargeback"], ..PLAIN }, Conformant)]
#[case(&["refund MUST pass", "chargeback MUST not-exercised claims"], Run { without: &["chargeback"], ..PLAIN }, Conformant)]
#[case(&["refund MUST not-applicable", "chargeback MUST pass"], Run { without: &["chargeback"], ..PLAIN }, NotCertified)]
#[case(&["refund MUST not-applicable", "chargeback MUST not-applicable"], Run { without: &["refund", "chargeback"], ..PLAIN }, NotCertified)]
#[case(&["refund MUST pass", "chargeback MUST pass", "authentication MUST not-applicable"], PLAIN, Conformant)]
#[case(&["refund MUST not-applicable", "refund SHOULD pass", "chargeback MUST pass"], PLAIN, NotCertified)]
// An item of which only a SHOULD was selected.
#[case(&["authentication SHOULD pass"], PLAIN, Conformant)]
#[case(&["authentication SHOULD not-applicable"], PLAIN, NotCertified)]
// Nothing could be judged.
#[case(&["refund MUST error", "chargeback MUST pass"], PLAIN, NotJudged)]
#[case(&["refund MUST pass", "refund MUST error", "chargeback MUST pass"], PLAIN, NotJudged)]
#[case(&["refund MUST error", "chargeback MUST not-applicable"], PLAIN, NotJudged)]
#[case(&["refund MUST pass", "chargeback MUST pass"], Run { snapshots_cut: true, ..PLAIN }, NotJudged)]
// Out of time.
#[case(&["refund MUST pass", "refund MUST not-exercised", "chargeback MUST pass"], Run { interrupted: true, ..PLAIN }, NotJudged)]
#[case(&["refund MUST fail", "refund MUST not-exercised", "chargeback MUST pass"], Run { interrupted: true, ..PLAIN }, NotConformant)]
// Time for so much only: what was not reached is not certified.
#[case(&["refund MUST pass", "refund MUST not-exercised", "chargeback MUST pass"], Run { budget: true, ..PLAIN }, NotCertified)]
#[case(&["refund MUST pass", "refund SHOULD not-exercised", "chargeback MUST pass"], Run { budget: true, ..PLAIN }, Conformant)]
#[case(&["refund MUST pass", "refund MUST not-exercised claims", "chargeback MUST pass"], Run { budget: true, ..PLAIN }, Conformant)]
// Shards know only of what failed in them.
#[case(&["refund MUST pass", "refund MUST not-exercised", "chargeback MUST pass"], Run { shard: true, ..PLAIN }, Conformant)]
#[case(&["refund MUST not-exercised", "chargeback MUST pass"], Run { shard: true, ..PLAIN }, Conformant)]
#[case(&["refund MUST fail", "chargeback MUST pass"], Run { shard: true, ..PLAIN }, NotConformant)]
#[case(&["refund MUST pass", "refund MUST not-exercised", "chargeback MUST pass"], Run { shard: true, interrupted: true, ..PLAIN }, NotJudged)]
// Snapshots.
#[case(&["refund MUST pass", "chargeback MUST pass"], Run { snapshot_differs: true, ..PLAIN }, NotConformant)]
#[case(&["refund MUST not-applicable", "chargeback MUST pass"], Run { snapshot_differs: true, ..PLAIN }, NotConformant)]
#[case(&[], PLAIN, NotCertified)]
#[case(&[], Run { compared: 3, ..PLAIN }, Conformant)]
#[case(&["refund MUST not-applicable"], Run { compared: 3, ..PLAIN }, NotCertified)]
#[case(&["input MUST not-applicable"], Run { compared: 3, ..PLAIN }, NotCertified)]
// What this version does not judge takes no part.
#[case(&["refund MUST pass", "refund MUST not-exercised later", "chargeback MUST pass"], PLAIN, Conformant)]
#[case(&["refund MUST not-exercised later", "chargeback MUST pass"], PLAIN, NotCertified)]
fn the_run(#[case] results: &[&str], #[case] run: Run, #[case] expected: Conformance) {
    assert_eq!(concluded(results, run).verdict, expected);
}

#[rstest]
#[case(&["refund MUST pass", "refund SHOULD warn"], Conformant)]
#[case(&["refund MUST pass", "refund MUST not-applicable"], Conformant)]
#[case(&["refund MUST not-applicable", "refund SHOULD pass"], NotCertified)]
#[case(&["refund MUST not-exercised claims", "refund MUST not-applicable"], NotCertified)]
#[case(&["refund MUST not-exercised"], NotConformant)]
#[case(&["refund MUST fail", "refund MUST error"], NotConformant)]
#[case(&["refund MUST pass", "refund MUST error"], NotJudged)]
fn an_item(#[case] results: &[&str], #[case] expected: Conformance) {
    let report = concluded(results, PLAIN);
    assert_eq!(report.items[0].verdict, expected);
}

const PASSING: &[&str] = &["refund MUST pass", "chargeback MUST pass"];

/// What a run comes to in which everything passes but this.
#[track_caller]
fn comes_to(expected: Conformance, change: impl FnOnce(&mut Report)) {
    assert_eq!(with(PASSING, PLAIN, change).verdict, expected);
}

#[test]
fn findings_about_what_must_be_fail_the_run() {
    let must = |id: &str| {
        let mut finding = finding(id);
        finding.level = Level::Must;
        finding
    };
    comes_to(NotConformant, |report| report.findings.push(must("f1")));
    comes_to(Conformant, |report| report.findings.push(finding("f1")));
    comes_to(Conformant, |report| report.findings.push(must("f1?")));
    comes_to(Conformant, |report| {
        report.findings.push(must("f1"));
        report.findings[0].waived = Some("ticket 12".to_owned());
    });
}

#[test]
fn what_is_wrong_with_the_list_fails_the_run() {
    let list = |problems: &[&str]| {
        let problems = problems.iter().map(|problem| (*problem).to_owned()).collect();
        Some(KnownFailing { file: "known.toml".to_owned(), digest: String::new(), problems })
    };
    comes_to(NotConformant, |report| report.known_failing = list(&["it passes now"]));
    comes_to(Conformant, |report| report.known_failing = list(&[]));
}

#[test]
fn differences_that_are_accepted_do_not_fail_the_run() {
    comes_to(Conformant, |report| {
        report.snapshots.differing.push(difference("a"));
        report.snapshots.differing[0].waived = Some("ticket 12".to_owned());
    });
}

#[test]
fn saved_cases_that_no_finding_explains_fail_the_run() {
    let saved = |fails: Option<&str>, finding: Option<&str>| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        vec![SavedResult { file: "a.json".to_owned(), fails: owned(fails), finding: owned(finding), advice: false, waived: None }]
    };
    comes_to(NotConformant, |report| report.saved = saved(Some("wrong"), None));
    comes_to(Conformant, |report| report.saved = saved(Some("wrong"), Some("f1")));
    comes_to(Conformant, |report| report.saved = saved(None, None));
    let changed = |change: fn(&mut SavedResult)| {
        let mut saved = saved(Some("wrong"), None);
        change(&mut saved[0]);
        saved
    };
    comes_to(Conformant, |report| report.saved = changed(|saved| saved.waived = Some("ticket 12".to_owned())));
    comes_to(Conformant, |report| report.saved = changed(|saved| saved.advice = true));
    comes_to(NotConformant, |report| (report.saved, report.options.strict) = (changed(|saved| saved.advice = true), true));
}

#[test]
fn imported_cases_that_fail_fail_the_run() {
    let failing = ImportedFailure {
        case: "a.json".to_owned(),
        way: "as recorded".to_owned(),
        fails: "wrong".to_owned(),
        alike: 0,
        file: String::new(),
        shrunk: None,
    };
    comes_to(Conformant, |report| report.imported = Some(ImportedResult::default()));
    comes_to(NotConformant, |report| {
        report.imported = Some(ImportedResult { failing: vec![failing], ..ImportedResult::default() });
    });
}

/// What a run comes to of which one requirement fails because of two findings about others, so many of which are accepted.
#[track_caller]
fn accepted(verdict: &str, waived: usize, expected: Conformance) {
    let text = format!("refund MUST {verdict}");
    let report = with(&["refund MUST pass", &text, "chargeback MUST pass"], PLAIN, |report| {
        report.findings = vec![finding("g1"), finding("g2"), finding("g3")];
        report.findings.iter_mut().take(waived).for_each(|finding| finding.waived = Some("ticket 12".to_owned()));
        report.requirements[1].findings = vec!["g1".to_owned(), "g2".to_owned()];
    });
    assert_eq!(report.verdict, expected);
}

#[test]
fn what_fails_because_of_accepted_findings_alone_is_accepted() {
    accepted("masked", 2, Conformant);
    accepted("affected", 2, Conformant);
    accepted("masked", 1, NotConformant);
    accepted("affected", 0, NotConformant);
}

#[test]
fn items_are_those_of_the_requirements_in_their_order() {
    let report = concluded(&["refund MUST pass", "input MUST pass", "refund SHOULD pass"], PLAIN);
    let items: Vec<(&str, bool)> = report.items.iter().map(|item| (item.id.as_str(), item.checklist)).collect();
    assert_eq!(items, [("refund", true), ("input", false)]);
}

/// Why the item `refund` is not certified, where its requirements have these notes.
#[track_caller]
fn noted(verdict: &str, notes: &[&str], expected: Option<&str>) {
    let texts: Vec<String> = notes.iter().map(|_| format!("refund MUST {verdict}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let report = with(&texts, PLAIN, |report| {
        for (result, note) in report.requirements.iter_mut().zip(notes) {
            result.note = Some((*note).to_owned()).filter(|note| !note.is_empty());
        }
    });
    assert_eq!(report.items[0].note.as_deref(), expected);
}

#[test]
fn why_an_item_is_not_certified_is_what_most_of_its_requirements_say() {
    noted("not-applicable", &["no refunds", "no list", "no list"], Some("no list"));
    noted("not-applicable", &["no refunds", "no list"], Some("no refunds"));
    noted("not-applicable", &[""], Some("nothing of it was judged"));
    noted("pass", &["slow"], None);
}

#[test]
fn why_an_item_is_not_certified_is_not_what_this_version_leaves_out() {
    let report = with(&["refund MUST not-exercised later", "refund SHOULD not-applicable"], PLAIN, |report| {
        report.requirements[0].note = Some("in a later version".to_owned());
        report.requirements[1].note = Some("no list".to_owned());
    });
    assert_eq!(report.items[0].note.as_deref(), Some("no list"));
}

#[test]
fn sums_are_those_of_all_requirements() {
    let report = with(PASSING, PLAIN, |report| {
        for (count, result) in (1..).zip(&mut report.requirements) {
            (result.cases, result.deliveries, result.refused_first) = (count, 10 * u64::from(count), 100 * u64::from(count));
        }
    });
    assert_eq!((report.totals.cases, report.totals.deliveries, report.totals.refused_first), (3, 30, 300));
}

#[test]
fn verdicts_in_reports() {
    let verdicts = [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Warn,
        Verdict::Affected,
        Verdict::Masked,
        Verdict::NotExercised,
        Verdict::NotApplicable,
        Verdict::Waived,
        Verdict::Error,
    ];
    for verdict in verdicts {
        assert_eq!(serde_json::to_value(verdict).expect("JSON"), verdict.as_str());
    }
    for conformance in [Conformant, NotConformant, NotCertified, NotJudged] {
        assert_eq!(serde_json::to_value(conformance).expect("JSON"), conformance.as_str());
    }
}
