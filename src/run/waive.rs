//! The list of known failures, applied to what a run found.

use super::outcome::{KnownFailing, Report, RequirementResult, SnapshotResult};
use crate::{
    check::{
        verdict::Verdict,
        waivers::{KnownFailure, KnownFailures, Seen, Subject},
    },
    corpus::Corpus,
};

/// Turns a failed requirement into a waived one if each of its failures is accepted.
pub(super) fn waive_requirement(result: &mut RequirementResult, known: &KnownFailures) {
    if !matches!(result.verdict, Verdict::Fail | Verdict::Warn) || result.failures.is_empty() {
        return;
    }
    let subject = Subject::Requirement(result.id.clone());
    let accepted: Option<Vec<&KnownFailure>> =
        result.failures.iter().map(|failure| known.accepting(&subject, &failure.fingerprint)).collect();
    let Some(accepted) = accepted else { return };
    let mut words: Vec<String> = accepted.into_iter().map(words).collect();
    words.dedup();
    result.verdict = Verdict::Waived;
    result.note = Some(words.join("; "));
}

/// Marks the snapshots whose difference is accepted.
pub(super) fn waive_snapshots(snapshots: &mut SnapshotResult, known: &KnownFailures) {
    for difference in &mut snapshots.differing {
        let subject = Subject::Snapshot(difference.name.clone());
        difference.waived = known.accepting(&subject, &difference.fingerprint).map(words);
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
    report.requirements.iter_mut().for_each(|result| waive_requirement(result, known));
    waive_snapshots(&mut report.snapshots, known);
    let problems = known.problems(|subject| seen(report, subject, corpus)).iter().map(ToString::to_string).collect();
    report.known_failing = Some(KnownFailing { file: known.file.clone(), digest: known.digest.clone(), problems });
}

fn seen(report: &Report, subject: &Subject, corpus: &Corpus) -> Seen {
    let exists = match subject {
        Subject::Requirement(id) => corpus.requirements.iter().any(|requirement| requirement.id == *id),
        Subject::Snapshot(name) => corpus.snapshots.contains_key(name) && corpus.sequences.contains_key(name),
    };
    if !exists {
        return Seen::Unknown;
    }
    // What was not run might still pass, or fail as the entry says.
    if report.shard.is_some() || report.interrupted.is_some() {
        return Seen::NotJudged;
    }
    match subject {
        Subject::Requirement(id) => {
            let Some(result) = report.requirements.iter().find(|result| result.id == *id) else { return Seen::NotJudged };
            let note = || result.note.clone().unwrap_or_default();
            match result.verdict {
                Verdict::Pass => Seen::Passed,
                Verdict::Fail | Verdict::Warn | Verdict::Waived => {
                    Seen::Failed(result.failures.iter().map(|failure| failure.fingerprint.clone()).collect())
                }
                Verdict::NotApplicable => Seen::NotAsked(note()),
                Verdict::NotExercised if !result.judged => Seen::NotAsked(note()),
                Verdict::NotExercised | Verdict::Error => Seen::NotJudged,
            }
        }
        Subject::Snapshot(name) => match report.snapshots.differing.iter().find(|difference| difference.name == *name) {
            Some(difference) => Seen::Failed(vec![difference.fingerprint.clone()]),
            None if report.snapshots.note.is_some() => Seen::NotJudged,
            None => Seen::Passed,
        },
    }
}
