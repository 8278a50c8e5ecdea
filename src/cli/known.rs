//! The file of known failures: reading, writing, and what is wrong with it.

use std::{fs, io, path::Path};

use super::{Stop, certify::cannot_write, files, output::Output};
use crate::{
    corpus::{Corpus, Level},
    domain::Clock,
    report::many,
    verdict::{
        FindingReport, Report, is_not_judged,
        waivers::{self, KnownFailure, KnownFailures, Subject},
    },
};

/// Reads the file.
pub(super) fn read(path: &Path) -> Result<KnownFailures, Stop> {
    let name = path.display().to_string();
    let text = files::read(path, files::SETTINGS)
        .map_err(|error| Stop::usage(format!("{name}: cannot be read: {error}; `certify --write-known-failing {name}` writes one")))?;
    KnownFailures::parse(&name, &text, Clock::system().today()).map_err(Stop::usage)
}

/// Reads the file that is to be written, for the reasons that are in it already.
pub(super) fn read_if_there(path: &Path) -> Result<KnownFailures, Stop> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(KnownFailures::none()),
        _ => read(path),
    }
}

/// Says what is wrong with the list, a line for each entry.
pub(super) fn complain(report: &Report, output: &mut Output) {
    for problem in report.known_failing.iter().flat_map(|known| &known.problems) {
        output.complain(problem);
    }
}

/// Writes everything that fails.
pub(super) fn write(path: &Path, report: &Report, before: &KnownFailures, corpus: &Corpus, output: &mut Output) -> Result<(), Stop> {
    let name = path.display();
    if report.interrupted.is_some() {
        output.complain(&format!("{name}: not written, because the run was cut short and may not have seen every failure"));
        return Ok(());
    }
    let is_failing = |finding: &&FindingReport| report.options.strict || finding.level == Level::Must || finding.waived.is_some();
    let failing = report.findings.iter().filter(is_failing);
    let mut failures: Vec<(Subject, String, String)> =
        failing.map(|finding| (Subject::Requirement(finding.about.clone()), finding.id.clone(), finding.message.clone())).collect();
    let alone = report.snapshots.differing.iter().filter(|difference| difference.because_of.is_empty());
    failures.extend(alone.map(|difference| {
        let changed = difference.diff.lines().find(|line| line.starts_with('+')).unwrap_or_default();
        (Subject::Snapshot(difference.name.clone()), difference.fingerprint.clone(), changed[1.min(changed.len())..].trim().to_owned())
    }));
    let not_judged = |entry: &KnownFailure| is_not_judged(report, entry, corpus);
    let text = waivers::write(&failures, before, not_judged, Clock::system().today());
    files::write(path, text.as_bytes()).map_err(|error| cannot_write(path, &error))?;
    let without = failures.iter().filter(|(subject, fingerprint, _)| !before.names(subject, fingerprint)).count();
    let written = many(failures.len() as u64, "failure", "failures");
    output.note(&format!("{name}: {written} written, {without} of them still without a reason"));
    Ok(())
}
