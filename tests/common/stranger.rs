//! What is said against a consumer that conforms, and with how many seeds that is tried.

use refundproof::{
    provider::Provider,
    report::terminal::{View, finding_lines},
    verdict::{Conformance, FindingReport, Report, RequirementResult},
};

/// The first of these seeds in daily use; all of them with `ALL_SEEDS=1`, which takes minutes, when labels or expectations
/// change.
pub(crate) fn seeds(all: &'static [u64]) -> &'static [u64] {
    if std::env::var_os("ALL_SEEDS").is_some() { all } else { &all[..1] }
}

/// What a report says against a consumer, as a person would read it: requirements but those that are well enough, and the
/// findings that count.
pub(crate) fn complaints(
    provider: &dyn Provider,
    report: &Report,
    is_well: impl Fn(&RequirementResult) -> bool,
    counts: impl Fn(&FindingReport) -> bool,
) -> String {
    let mut text = Vec::new();
    for requirement in report.requirements.iter().filter(|requirement| requirement.judged && !is_well(requirement)) {
        let note = requirement.note.as_deref().unwrap_or_default();
        text.extend_from_slice(format!("{}: {} {note}\n", requirement.id, requirement.verdict.as_str()).as_bytes());
    }
    for (place, finding) in report.findings.iter().enumerate().filter(|(_, finding)| counts(finding)) {
        let describe = provider.corpus().requirements.iter().find(|other| other.id == finding.about);
        finding_lines(&mut text, place + 1, finding, View { columns: 110, quiet: false }, describe).expect("memory takes all");
    }
    for difference in &report.snapshots.differing {
        text.extend_from_slice(format!("{}:\n{}\n", difference.name, difference.diff).as_bytes());
    }
    if report.verdict != Conformance::Conformant {
        text.extend_from_slice(format!("the whole run is {}\n", report.verdict.as_str()).as_bytes());
    }
    anstream::adapter::strip_str(&String::from_utf8_lossy(&text)).to_string()
}
