//! The list of known failures, applied to what a run found.

use super::{
    Verdict,
    outcome::{FindingReport, KnownFailing, Report},
    waivers::{KnownFailure, KnownFailures, Seen, Subject},
};
use crate::corpus::Corpus;

/// Marks the findings that are accepted, and gives the requirements that they are about another verdict.
fn waive_findings(report: &mut Report, known: &KnownFailures) {
    for finding in &mut report.findings {
        finding.waived = known.accepting_finding(&finding.id).map(words);
    }
    for result in report.requirements.iter_mut().filter(|result| matches!(result.verdict, Verdict::Fail | Verdict::Warn)) {
        let about: Vec<&FindingReport> = report.findings.iter().filter(|finding| finding.about == result.id).collect();
        let accepted: Option<Vec<String>> = about.iter().map(|finding| finding.waived.clone()).collect();
        let Some(mut words) = accepted.filter(|words| !words.is_empty()) else { continue };
        words.dedup();
        result.verdict = Verdict::Waived;
        result.note = Some(words.join("; "));
    }
}

/// Marks the snapshots whose difference is accepted, by an entry of its own or because every finding that explains it is.
fn waive_snapshots(report: &mut Report, known: &KnownFailures) {
    for difference in &mut report.snapshots.differing {
        let subject = Subject::Snapshot(difference.name.clone());
        let because = report.findings.iter().filter(|finding| difference.because_of.contains(&finding.id));
        let explained: Option<Vec<String>> = because.map(|finding| finding.waived.clone()).collect();
        let explained = explained.filter(|words| !words.is_empty()).map(|words| words.join("; "));
        difference.waived = known.accepting(&subject, &difference.fingerprint).map(self::words).or(explained);
    }
}

/// Marks saved cases whose finding this run did not come to, because of what was selected, and which is accepted.
fn waive_saved(report: &mut Report, known: &KnownFailures) {
    for saved in report.saved.iter_mut().filter(|saved| saved.fails.is_some() && saved.finding.is_none()) {
        saved.waived = known.accepting_saved(saved).map(words);
    }
}

fn words(entry: &KnownFailure) -> String {
    let until = entry.expires.map(|expires| expires.to_string()).unwrap_or_default();
    format!("accepted until {until}: {}", entry.reason)
}

/// Applies the list to a report: verdicts, notes, and what is wrong with the list. The corpus says whether there is
/// such a requirement or snapshot at all. The report is to be concluded afterwards.
pub fn apply_known_failures(report: &mut Report, known: &KnownFailures, corpus: &Corpus) {
    if known.file.is_empty() {
        return;
    }
    waive_findings(report, known);
    waive_snapshots(report, known);
    waive_saved(report, known);
    let problems = known.problems(|entry| seen(report, entry, corpus)).iter().map(ToString::to_string).collect();
    report.known_failing = Some(KnownFailing { file: known.file.clone(), digest: known.digest.clone(), problems });
}

/// Whether a run says nothing of an entry: what it names was not selected, or could not be judged.
pub fn is_not_judged(report: &Report, entry: &KnownFailure, corpus: &Corpus) -> bool {
    seen(report, entry, corpus) == Seen::NotJudged
}

fn seen(report: &Report, entry: &KnownFailure, corpus: &Corpus) -> Seen {
    let exists = match &entry.subject {
        Subject::Requirement(id) => corpus.requirements.iter().any(|requirement| requirement.id == *id),
        Subject::Snapshot(name) => corpus.snapshots.contains_key(name),
    };
    if !exists {
        return Seen::Unknown;
    }
    if let Subject::Requirement(_) = &entry.subject {
        // Which requirement a finding is about may depend on which were selected, and so may whether it was come to.
        let is_found = report.findings.iter().any(|finding| finding.id == entry.fingerprint);
        if is_found || report.saved.iter().any(|saved| saved.waived.is_some() && saved.is_of(&entry.fingerprint)) {
            return Seen::Failed(vec![entry.fingerprint.clone()]);
        }
    }
    // What was not run might still pass, or fail as the entry says.
    if report.shard.is_some() || report.interrupted.is_some() {
        return Seen::NotJudged;
    }
    match &entry.subject {
        Subject::Requirement(id) => {
            let Some(result) = report.requirements.iter().find(|result| result.id == *id) else { return Seen::NotJudged };
            let note = || result.note.clone().unwrap_or_default();
            match result.verdict {
                // A budget ends when the time is over, and more cases might still have failed.
                Verdict::Pass | Verdict::Affected if report.options.budget_ms.is_some() => Seen::NotJudged,
                // Where it fails only because of other findings it passes without them.
                Verdict::Pass | Verdict::Affected => Seen::Passed,
                Verdict::Fail | Verdict::Warn | Verdict::Waived => Seen::Failed(result.findings.clone()),
                Verdict::NotApplicable => Seen::NotAsked(note()),
                Verdict::NotExercised if !result.judged => Seen::NotAsked(note()),
                // What another finding covers may still be there.
                Verdict::Masked | Verdict::NotExercised | Verdict::Error => Seen::NotJudged,
            }
        }
        Subject::Snapshot(name) => match report.snapshots.differing.iter().find(|difference| difference.name == *name) {
            Some(difference) => Seen::Failed(vec![difference.fingerprint.clone()]),
            None if report.snapshots.note.is_some() => Seen::NotJudged,
            None => Seen::Passed,
        },
    }
}
