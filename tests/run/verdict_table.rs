//! From lists of results to the verdicts on items and on the run: the one table that says what a run comes to.

use refundproof::verdict::{
    Conformance::{self, Conformant, NotCertified, NotConformant, NotJudged},
    Report, RequirementResult, SnapshotDifference, Verdict, conclude,
};
use rstest::rstest;

use crate::common;

/// One requirement in short: item, level and verdict, then `claims` where the target's claims kept it from being exercised,
/// or `later` where this version does not judge it.
fn result(text: &str) -> RequirementResult {
    let mut words = text.split_whitespace();
    let mut next = || words.next().unwrap_or_default();
    let (item, level, verdict, more) = (next(), next(), next(), next());
    serde_json::from_value(serde_json::json!({
        "id": format!("{item}-{level}-{verdict}"), "item": item, "level": level, "verdict": verdict, "judged": more != "later",
        "cases": 1, "exercised": 1, "floor": 1, "byClaims": more == "claims", "deliveries": 1, "durationMs": 0, "source": "", "failures": []
    }))
    .expect("a result")
}

/// What else decides.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    without: &'static [&'static str],
    strict: bool,
    interrupted: bool,
    shard: bool,
    snapshot_differs: bool,
    snapshots_cut: bool,
}

fn concluded(results: &[&str], run: Run) -> Report {
    // Whatever a run gives, with other results in it.
    let mut report = common::certified(None, &common::quick(1, 1));
    report.requirements = results.iter().map(|text| result(text)).collect();
    report.suite.checklist = vec!["refund".to_owned(), "chargeback".to_owned()];
    report.options.without = run.without.iter().map(|item| (*item).to_owned()).collect();
    report.options.strict = run.strict;
    report.interrupted = run.interrupted.then(|| "time limit".to_owned());
    report.shard = run.shard.then(|| "1/2".to_owned());
    report.snapshots.cut_short = run.snapshots_cut;
    report.snapshots.differing.clear();
    if run.snapshot_differs {
        let difference = SnapshotDifference {
            name: "a".to_owned(),
            diff: String::new(),
            fingerprint: String::new(),
            because_of: Vec::new(),
            waived: None,
        };
        report.snapshots.differing.push(difference);
    }
    conclude(&mut report);
    report
}

const PLAIN: Run = Run { without: &[], strict: false, interrupted: false, shard: false, snapshot_differs: false, snapshots_cut: false };

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
// Shards know only of what failed in them.
#[case(&["refund MUST pass", "refund MUST not-exercised", "chargeback MUST pass"], Run { shard: true, ..PLAIN }, Conformant)]
#[case(&["refund MUST not-exercised", "chargeback MUST pass"], Run { shard: true, ..PLAIN }, Conformant)]
#[case(&["refund MUST fail", "chargeback MUST pass"], Run { shard: true, ..PLAIN }, NotConformant)]
// Snapshots.
#[case(&["refund MUST pass", "chargeback MUST pass"], Run { snapshot_differs: true, ..PLAIN }, NotConformant)]
#[case(&["refund MUST not-applicable", "chargeback MUST pass"], Run { snapshot_differs: true, ..PLAIN }, NotConformant)]
#[case(&[], PLAIN, Conformant)]
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

#[rstest]
#[case(Verdict::Pass)]
#[case(Verdict::NotApplicable)]
fn words_in_reports(#[case] verdict: Verdict) {
    assert_eq!(serde_json::to_value(verdict).expect("JSON"), verdict.as_str());
}
