//! JUnit's XML, as CI servers read it: one suite for each checklist item, one test case for each requirement. The requirement
//! that a finding is about fails; others that it breaks are skipped, so that each mistake is one failure.
//!
//! There is no one schema. This keeps to what the strictest common one takes, that of the Jenkins xUnit plugin (`junit-10.xsd`);
//! Surefire, GitLab and others take more. A warning is no failure there, so it is said in the output of a test case that passes.

use std::{
    io::{self, Write},
    time::Duration,
};

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::{
    Describe, shared,
    shared::{visible, visible_line},
};
use crate::verdict::{Conformance, FindingReport, Report, RequirementResult, Verdict};

/// Writes a report as JUnit's XML.
///
/// # Errors
/// When the writer fails.
pub fn write(out: &mut dyn Write, report: &Report, describe: &Describe<'_>) -> io::Result<()> {
    let mut whole = quick_junit::Report::new("refundproof");
    whole.set_time(Duration::from_millis(report.totals.duration_ms));
    for item in &report.items {
        let results = report.requirements.iter().filter(|result| result.item == item.id);
        let cases: Vec<TestCase> = results.map(|result| test_case(report, result, describe)).collect();
        whole.add_test_suite(suite(report, &item.id, cases));
    }
    whole.add_test_suite(suite(report, "snapshots", snapshot_cases(report)));
    if let Some(known) = &report.known_failing {
        whole.add_test_suite(suite(report, "known failures", list_cases(report, &known.file)));
    }
    let besides: [(&str, Vec<String>); 2] =
        [("saved", shared::saved_alone(report).collect()), ("imported", shared::imported_failing(report).collect())];
    for (kind, failing) in besides.into_iter().filter(|(_, failing)| !failing.is_empty()) {
        let case = |line: String| timeless(report, kind, &line, failure(&line, kind));
        whole.add_test_suite(suite(report, &format!("{kind} cases"), failing.into_iter().map(case).collect()));
    }
    if let Some(why) = &report.interrupted {
        // What was not reached is skipped; that must not look as if all were well.
        let status = error(&format!("cut short: {}", visible_line(why)), "interrupted");
        whole.add_test_suite(suite(report, "run", vec![timeless(report, "run", "the run was finished", status)]));
    }
    if report.verdict != Conformance::Conformant && whole.failures == 0 && whole.errors == 0 {
        // Nothing that was looked at failed, and still the run is none to rely on.
        let verdict = report.verdict.as_str();
        let why = shared::limits(report).map_or(String::new(), |limits| format!(": {}", visible_line(&limits)));
        let status = failure(&format!("{verdict}{why}"), verdict);
        whole.add_test_suite(suite(report, "run", vec![timeless(report, "run", "the run is conformant", status)]));
    }
    let text = whole.to_string().map_err(io::Error::other)?;
    out.write_all(without_skipped_of_all(&text).as_bytes())
}

/// The schema knows `skipped` on a suite, but not on all suites together.
fn without_skipped_of_all(text: &str) -> String {
    let Some(start) = text.find("<testsuites ") else { return text.to_owned() };
    let end = text[start..].find('>').map_or(text.len(), |end| start + end);
    let tag = &text[start..end];
    // No value holds a quote, so this is an attribute and not part of a name.
    let Some(from) = tag.find(" skipped=\"") else { return text.to_owned() };
    let value = from + " skipped=\"".len();
    let to = tag[value..].find('"').map_or(tag.len(), |quote| value + quote + 1);
    format!("{}{}{}{}", &text[..start], &tag[..from], &tag[to..], &text[end..])
}

fn suite(report: &Report, name: &str, cases: Vec<TestCase>) -> TestSuite {
    let mut suite = TestSuite::new(name);
    let target = &report.target;
    for (name, value) in [
        ("provider", report.provider.clone()),
        ("seed", report.seed.to_string()),
        ("suite", format!("{} {}", report.suite.version, report.suite.digest)),
        ("target", visible_line(&format!("{} {}", target.name, target.version))),
        ("transport", visible_line(&target.transport)),
    ] {
        suite.add_property((name, value.as_str()));
    }
    if report.options.live_mode {
        suite.add_property(("mode", "live"));
    }
    suite.set_time(cases.iter().filter_map(|case| case.time).sum());
    suite.add_test_cases(cases);
    suite
}

fn class(report: &Report, suite: &str) -> String {
    format!("{}.{suite}", report.provider)
}

/// A test case of something of which nobody knows how long it took.
fn timeless(report: &Report, suite: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(class(report, suite)).set_time(Duration::ZERO);
    case
}

fn failure(message: &str, kind: &str) -> TestCaseStatus {
    non_success(NonSuccessKind::Failure, message, kind)
}

fn error(message: &str, kind: &str) -> TestCaseStatus {
    non_success(NonSuccessKind::Error, message, kind)
}

fn non_success(how: NonSuccessKind, message: &str, kind: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(how);
    status.set_message(message).set_type(kind);
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}

fn test_case(report: &Report, result: &RequirementResult, describe: &Describe<'_>) -> TestCase {
    let about = || report.findings.iter().filter(|finding| finding.about == result.id);
    // A MUST may fail because of what is only a SHOULD itself, and is skipped here: then this is where the failure is told.
    let weighs = about().any(FindingReport::fails_the_run);
    let story = || about().map(|finding| story(finding, describe)).collect::<Vec<_>>().join("\n\n");
    let status = match result.verdict {
        Verdict::Warn if !weighs => TestCaseStatus::success(),
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail | Verdict::Warn => {
            let deciding = shared::deciding(report, result);
            let message = deciding.map_or_else(|| note(result), shared::message);
            let mut status = failure(&message, deciding.map_or("failure", |finding| finding.kind.as_str()));
            status.set_description(story());
            status
        }
        Verdict::Affected | Verdict::Masked => {
            let why = shared::because(report, result).unwrap_or_default();
            skipped(&format!("{}: {why}", shared::verdict_words(result)))
        }
        Verdict::Error => error(&note(result), "adapter"),
        Verdict::NotExercised if shared::counts_against(report, result) => failure(&note(result), result.verdict.as_str()),
        Verdict::NotExercised | Verdict::NotApplicable | Verdict::Waived => {
            skipped(&format!("{}: {}", shared::verdict_words(result), note(result)))
        }
    };
    let mut case = TestCase::new(result.id.as_str(), status);
    case.set_classname(class(report, &result.item));
    case.set_time(Duration::from_millis(result.duration_ms));
    match result.verdict {
        Verdict::Warn if !weighs => {
            case.set_system_out(format!("warning: a SHOULD is not met\n{}", story()));
        }
        Verdict::Waived => {
            case.set_system_out(story());
        }
        _ => {}
    }
    let stderr: Vec<String> = about().map(|finding| visible(&finding.stderr)).filter(|text| !text.is_empty()).collect();
    if !stderr.is_empty() {
        case.set_system_err(stderr.join("\n"));
    }
    case
}

fn note(result: &RequirementResult) -> String {
    visible_line(result.note.as_deref().unwrap_or("no reason was given"))
}

/// A finding as a text: what was asked, what was sent, what came of it, how to see it again.
fn story(finding: &FindingReport, describe: &Describe<'_>) -> String {
    let mut parts = Vec::new();
    let asked = describe(&finding.about);
    let mut head = format!("finding {}: {} {}", finding.id, finding.about, shared::weight(finding, asked.as_ref()));
    let lines = asked.into_iter().flat_map(|text| [text.shows.clone(), format!("source: {}", text.grounds())]);
    let like = finding.like.as_ref().map(|like| format!("like: {}", shared::likeness(like)));
    for line in lines.chain(like).chain(shared::breaks(finding)).chain(shared::cut_short(finding).map(str::to_owned)) {
        head.push_str(&format!("\n{line}"));
    }
    parts.push(head);
    parts.extend(shared::timeline_text(finding).map(|text| text.trim_end().to_owned()));
    parts.push(shared::message(finding));
    parts.push(format!("- must be\n+ shown\n{}", visible(&finding.diff).trim_end()));
    if !finding.file.is_empty() {
        parts.push(format!("case: {}\nagain: {}", visible(&finding.file), visible(&finding.reproduce)));
    }
    parts.join("\n\n")
}

/// The list of known failures: one test case for each thing that is wrong with it, or one that passes.
fn list_cases(report: &Report, file: &str) -> Vec<TestCase> {
    let case = |name: &str, status| timeless(report, "known failures", &visible_line(name), status);
    let problems = shared::list_problems(report);
    if problems.is_empty() {
        return vec![case(file, TestCaseStatus::success())];
    }
    let failed = |(number, problem): (usize, &String)| {
        case(&format!("{file}, problem {}", number + 1), failure(&visible_line(problem), "known-failing"))
    };
    problems.iter().enumerate().map(failed).collect()
}

fn snapshot_cases(report: &Report) -> Vec<TestCase> {
    let snapshots = &report.snapshots;
    let case = |name: &str, status| timeless(report, "snapshots", name, status);
    let mut cases: Vec<TestCase> = Vec::new();
    for difference in &snapshots.differing {
        if let Some(why) = &difference.waived {
            cases.push(case(&difference.name, skipped(&format!("waived: {}", visible_line(why)))));
            continue;
        }
        let explained: Vec<String> =
            difference.because_of.iter().filter_map(|id| shared::number(report, id)).map(|number| number.to_string()).collect();
        if !explained.is_empty() {
            cases.push(case(&difference.name, skipped(&format!("differs because of finding {}", explained.join(", ")))));
            continue;
        }
        let diff = shared::only_changes(&visible(&difference.diff));
        let mut status = failure("the states shown differ from the snapshot", "snapshot");
        status.set_description(format!("- snapshot\n+ shown\n{diff}"));
        cases.push(case(&difference.name, status));
    }
    let agreeing = snapshots.compared.saturating_sub(snapshots.differing.len());
    if agreeing > 0 {
        cases.push(case(&format!("{agreeing} that agree"), TestCaseStatus::success()));
    }
    if let Some(note) = &snapshots.note {
        cases.push(case("not compared", skipped(&visible_line(note))));
    }
    cases
}
