//! `refundproof merge`.

use std::path::{Path, PathBuf};

use super::{
    Exit, Stop,
    args::Merge,
    certify::{check_reports, exit, publish},
    files, known,
    output::Output,
    provider,
};
use crate::{
    report::json,
    run::record::{self, Check},
    verdict::{Report, apply_known_failures, conclude, merge, waivers::KnownFailures},
};

pub(super) fn run(args: &Merge, output: &mut Output) -> Result<Exit, Stop> {
    let reports: Vec<(String, Report)> = args
        .reports
        .iter()
        .map(|path| Ok((path.display().to_string(), read(path, args.corpus.as_deref())?)))
        .collect::<Result<_, Stop>>()?;
    let known = args.known_failing.as_deref().map(known::read).transpose()?;
    let mut merged = merge(reports).map_err(Stop::usage)?;
    check_list(&merged, known.as_ref())?;
    let provider = provider(&merged.provider, args.corpus.as_deref())?;
    if let Some(known) = &known {
        apply_known_failures(&mut merged, known, provider.corpus());
        conclude(&mut merged);
    }
    check_reports(&args.report, args.reports.iter().chain(&args.known_failing).map(PathBuf::as_path))?;
    find_cases(&mut merged, &args.reports);
    publish(&merged, provider, &args.report, None, output)?;
    Ok(match merged.interrupted.as_deref() {
        Some("interrupted") => Exit::Interrupted,
        _ => exit(&merged),
    })
}

/// Reads a report that `verify` would find nothing wrong with: no verdict is made of one that contradicts itself.
fn read(path: &Path, corpus: Option<&Path>) -> Result<Report, Stop> {
    let name = path.display();
    let text = files::read_json(path, files::REPORT).map_err(|error| Stop::usage(format!("{name}: cannot be read: {error}")))?;
    let report = json::read(&text).map_err(|problem| Stop::usage(format!("{name}: {problem}")))?;
    let written = serde_json::from_str(&text).map_err(|error| Stop::usage(format!("{name}: not JSON: {error}")))?;
    let provider = provider(&report.provider, corpus).map_err(|stop| Stop::usage(format!("{name}: field `provider`: {}", stop.message)))?;
    match record::check(&report, &written, provider).iter().find(|check| !check.holds()) {
        None => Ok(report),
        Some(Check { name: what, stated, found, .. }) => Err(Stop::usage(format!(
            "{name}: {what}: the report says `{stated}`, and it is `{found}`; it was changed, or is of another suite (`refundproof verify {name}` says more)"
        ))),
    }
}

/// Known failures change what shards run, so all must have had the same list, and it must be this one.
fn check_list(merged: &Report, known: Option<&KnownFailures>) -> Result<(), Stop> {
    match (&merged.known_failing, known) {
        (Some(list), None) => Err(Stop::usage(format!("the shards were run with --known-failing {}; give it to merge too", list.file))),
        (None, Some(known)) => Err(Stop::usage(format!("{}: the shards were run without --known-failing; leave it out", known.file))),
        (Some(list), Some(known)) if list.digest != known.digest => {
            Err(Stop::usage(format!("{}: is not the list that the shards were run with; it has changed since", known.file)))
        }
        _ => Ok(()),
    }
}

/// Reads the shrunk cases where they lie: as the report names them, or beside the report.
fn find_cases(merged: &mut Report, reports: &[PathBuf]) {
    let folders: Vec<&Path> = reports.iter().filter_map(|report| report.parent()).collect();
    for finding in &mut merged.findings {
        if finding.file.is_empty() {
            continue;
        }
        let named = PathBuf::from(&finding.file);
        let beside = folders.iter().flat_map(|folder| {
            let name = named.file_name().map(|name| folder.join(name));
            std::iter::once(folder.join(&named)).chain(name)
        });
        let mut places = std::iter::once(named.clone()).chain(beside);
        finding.shrunk = places.find_map(|place| files::read_case(&place).ok()).map(Box::new);
    }
}
