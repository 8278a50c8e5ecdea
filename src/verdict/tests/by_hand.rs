//! Reports, and parts of them, written down in words.

use serde_json::{Value, json};

use crate::verdict::{Chance, FindingReport, REPORT_SCHEMA, RanCase, Report, RequirementResult, SnapshotDifference, Trail};

/// What was found of the requirement `own`, of which nothing was run yet.
pub(super) fn result(level: &str, floor: u32) -> RequirementResult {
    of("own", "refund", level, "not-exercised", floor)
}

fn of(id: &str, item: &str, level: &str, verdict: &str, floor: u32) -> RequirementResult {
    serde_json::from_value(json!({
        "id": id, "item": item, "level": level, "verdict": verdict, "judged": true,
        "cases": 0, "exercised": 0, "floor": floor, "deliveries": 0, "durationMs": 0, "source": ""
    }))
    .expect("a result")
}

/// One requirement in short: item, level and verdict, then `claims` where the target's claims kept it from being exercised, or
/// `later` where this version does not judge it. It has one case with one delivery.
pub(super) fn requirement(text: &str) -> RequirementResult {
    let mut words = text.split_whitespace();
    let mut next = || words.next().unwrap_or_default();
    let (item, level, verdict, more) = (next(), next(), next(), next());
    let mut result = of(&format!("{item}-{level}-{verdict}"), item, level, verdict, 1);
    (result.cases, result.exercised, result.deliveries) = (1, 1, 1);
    (result.by_claims, result.judged) = (more == "claims", more != "later");
    result
}

/// A finding. One that begins with `f` is about the requirement `own`, with `g` about another; one that ends with `?` did not come
/// again.
pub(super) fn finding(id: &str) -> FindingReport {
    let about = if id.starts_with('f') { "own" } else { "another" };
    let mut finding: FindingReport = serde_json::from_value(json!({
        "id": id, "about": about, "level": "SHOULD", "alsoFails": [], "masks": [], "case": "own-0000", "deliveries": 1, "kind": "state",
        "message": "", "expected": "", "observed": "", "diff": "", "file": "", "reproduce": "", "answers": []
    }))
    .expect("a finding");
    if id.ends_with('?') {
        finding.chance = Some(Chance { failed: 0, runs: 9 });
    }
    finding
}

/// Cases of two deliveries each, with numbers from 0, in words: `ok` is one that passed and could have shown a mistake, `missed` one
/// that could not, `-` one that was not run here, `f1+g1` one that failed because of these findings; `!` at the end is the last one.
pub(super) fn trail(text: &str) -> Trail {
    let case = |(number, word): (usize, &str)| {
        let (word, last) = word.strip_suffix('!').map_or((word, false), |word| (word, true));
        let failed = (!matches!(word, "ok" | "missed")).then(|| word.split('+').map(str::to_owned).collect());
        let case = u32::try_from(number).expect("few");
        (word != "-").then(|| RanCase { case, deliveries: 2, missed: word == "missed", failed, last, refused_first: 0 })
    };
    let ran = text.split_whitespace().enumerate().filter_map(case).collect();
    Trail { refuted: true, finished: true, ran, ..Trail::default() }
}

/// The findings that a trail names.
pub(super) fn findings(trail: &Trail) -> Vec<FindingReport> {
    let mut ids: Vec<&String> = trail.ran.iter().filter_map(|case| case.failed.as_ref()).flatten().collect();
    ids.sort();
    ids.dedup();
    ids.into_iter().map(|id| finding(id)).collect()
}

/// A report with these requirements, of which nothing is concluded yet. The checklist has `refund` and `chargeback`.
pub(super) fn report(requirements: Vec<RequirementResult>) -> Report {
    let digests: Value = ["corpus", "snapshots", "requirements", "capabilities", "results"].map(|name| (name, "")).into_iter().collect();
    let mut report: Report = serde_json::from_value(json!({
        "schema": REPORT_SCHEMA, "provider": "any", "seed": 1, "verdict": "not-judged", "items": [], "requirements": [], "findings": [],
        "suite": {"version": "1.0.0", "digest": "", "requirements": 2, "checklist": ["refund", "chargeback"]},
        "options": {"cases": 1, "only": [], "skip": [], "settleMs": 0, "quietMs": 0},
        "target": {"name": "a shop", "version": "", "transport": "in-process", "capabilities": {}},
        "snapshots": {"compared": 0, "differing": []}, "totals": {"cases": 0, "deliveries": 0, "durationMs": 0}, "digests": digests
    }))
    .expect("a report");
    report.requirements = requirements;
    report
}

/// A frozen sequence whose snapshot differs.
pub(super) fn difference(name: &str) -> SnapshotDifference {
    let (diff, fingerprint) = (String::new(), format!("print of {name}"));
    SnapshotDifference { name: name.to_owned(), diff, fingerprint, because_of: Vec::new(), waived: None }
}
