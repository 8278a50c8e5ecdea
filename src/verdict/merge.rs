//! Shards put together: the report that one run of everything would have given.
//!
//! Each shard notes its cases ([`Trail`]). In order of their numbers these are the cases of one run, up to the first
//! that ends a requirement; what shards found beyond that, one run would not have come to. Only times differ.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Verdict,
    conclude::conclude,
    outcome::{FindingReport, KnownFailing, Report, RequirementResult, SnapshotResult, TargetInfo},
    shard::{RanCase, Shard, Trail},
    tally::{link, settle, until_the_end},
};
use crate::check::Coverage;

/// Puts the reports of shards together; each comes with the name of its file. What the list of known failures accepts
/// is still to be applied, and the report to be concluded again.
///
/// # Errors
/// When the reports are not those of all shards of one run: one line that names the file and what is wrong with it.
pub fn merge(mut reports: Vec<(String, Report)>) -> Result<Report, String> {
    let mut shards: BTreeMap<Shard, usize> = BTreeMap::new();
    for (place, (file, report)) in reports.iter().enumerate() {
        let shard = shard_of(file, report)?;
        if let Some(other) = shards.insert(shard, place) {
            return Err(format!("{file}: field `shard`: is {shard}, and so is {}; give each shard once", reports[other].0));
        }
    }
    let Some((file, first)) = reports.first() else { return Err("there are no reports to merge".to_owned()) };
    for (other_file, other) in &reports[1..] {
        check_same(file, first, other_file, other)?;
    }
    let of = shards.keys().next().map_or(0, |shard| shard.of);
    let missing: Vec<String> =
        (1..=of).map(|number| Shard { number, of }).filter(|shard| !shards.contains_key(shard)).map(|shard| shard.to_string()).collect();
    if !missing.is_empty() {
        return Err(format!("{} of {of} shards given; {} missing", shards.len(), missing.join(", ")));
    }
    reports.sort_by_key(|(file, report)| shard_of(file, report).ok());
    let reports: Vec<Report> = reports.into_iter().map(|(_, report)| report).collect();
    Ok(whole(&reports))
}

fn shard_of(file: &str, report: &Report) -> Result<Shard, String> {
    let text = report.shard.as_ref().ok_or_else(|| {
        format!("{file}: field `shard`: is missing, so this is the report of a whole run; `certify --shard K/N` writes those of shards")
    })?;
    text.parse().map_err(|error| format!("{file}: field `shard`: {error}"))
}

fn check_same(file: &str, first: &Report, other_file: &str, other: &Report) -> Result<(), String> {
    let of = |report: &Report| report.shard.as_ref().and_then(|shard| Some(shard.split_once('/')?.1.to_owned()));
    let judged = |report: &Report| -> Vec<(String, u32)> {
        report.requirements.iter().map(|requirement| (requirement.id.clone(), requirement.floor)).collect()
    };
    let list = |report: &Report| report.known_failing.as_ref().map(|known| known.digest.clone());
    let fields = [
        ("shard", text(&of(first)), text(&of(other))),
        ("suite", text(&first.suite), text(&other.suite)),
        ("provider", text(&first.provider), text(&other.provider)),
        ("seed", text(&first.seed), text(&other.seed)),
        ("options", text(&first.options), text(&other.options)),
        ("target", text(&without_remarks(first)), text(&without_remarks(other))),
        ("knownFailing.digest", text(&list(first)), text(&list(other))),
        ("requirements", text(&judged(first)), text(&judged(other))),
    ];
    match fields.into_iter().find(|(_, one, another)| one != another) {
        None => Ok(()),
        Some((field, one, another)) => Err(format!(
            "{other_file}: field `{field}`: is not that of {file}, so they are not shards of one run: {} and {}",
            shorten(&another),
            shorten(&one)
        )),
    }
}

/// The target but for what each shard saw of it by itself.
fn without_remarks(report: &Report) -> TargetInfo {
    TargetInfo { remarks: Vec::new(), ..report.target.clone() }
}

fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 120;
    if text.chars().count() <= LONGEST { text.to_owned() } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

fn whole(reports: &[Report]) -> Report {
    let mut merged = reports[0].clone();
    merged.shard = None;
    merged.interrupted = ["interrupted", "time limit"]
        .into_iter()
        .find(|reason| reports.iter().any(|report| report.interrupted.as_deref() == Some(reason)))
        .map(str::to_owned);
    merged.target.remarks = Vec::new();
    for remark in reports.iter().flat_map(|report| &report.target.remarks) {
        if !merged.target.remarks.contains(remark) {
            merged.target.remarks.push(remark.clone());
        }
    }
    merged.findings = findings(reports);
    merged.requirements = (0..reports[0].requirements.len())
        .map(|place| {
            let parts: Vec<_> = reports.iter().filter_map(|report| report.requirements.get(place)).collect();
            requirement(&parts, &merged.findings, merged.options.strict)
        })
        .collect();
    let requirements = &merged.requirements;
    merged.findings.retain(|finding| requirements.iter().any(|result| result.findings.contains(&finding.id)));
    link(&merged.requirements, &mut merged.findings);
    merged.findings.sort_by_key(|finding| finding.level);
    merged.imported = reports.iter().find_map(|report| report.imported.clone());
    merged.snapshots = snapshots(reports);
    // What a shard found beyond the end of one run explains nothing of that run.
    let findings = &merged.findings;
    let is_there = |id: &String| findings.iter().any(|finding| finding.id == *id);
    merged.snapshots.differing.iter_mut().for_each(|difference| difference.because_of.retain(is_there));
    merged.saved.iter_mut().for_each(|saved| saved.finding = saved.finding.take().filter(is_there));
    merged.known_failing = reports[0].known_failing.clone().map(|known| KnownFailing { problems: Vec::new(), ..known });
    merged.totals.duration_ms = reports.iter().map(|report| report.totals.duration_ms).max().unwrap_or(0);
    conclude(&mut merged);
    merged
}

/// The findings of all shards, each once: with the first of its cases, and about what most shards found it to be about.
fn findings(reports: &[Report]) -> Vec<FindingReport> {
    let place = |id: &str| reports[0].requirements.iter().position(|result| result.id == id).unwrap_or(usize::MAX);
    let mut by_id: BTreeMap<&str, Vec<&FindingReport>> = BTreeMap::new();
    // The first case that failed because of it, which is the first that one run would have come to.
    let first = |finding: &FindingReport| {
        let (id, number) = finding.case.rsplit_once('-').unwrap_or_default();
        (place(id), number.parse::<u32>().unwrap_or(u32::MAX))
    };
    for finding in reports.iter().flat_map(|report| &report.findings) {
        let (host, number) = first(finding);
        // One run would not have come to what a shard ran after the case that ends the requirement.
        if last_case(reports, host).is_none_or(|last| number <= last) {
            by_id.entry(&finding.id).or_default().push(finding);
        }
    }
    let united = |same: &Vec<&FindingReport>| {
        let mut united = FindingReport::clone(same.iter().min_by_key(|finding| first(finding))?);
        let votes = |about: &str| same.iter().filter(|finding| finding.about == about).count();
        if united.like.is_some()
            && let Some(most) = same.iter().map(|finding| &finding.about).max_by_key(|about| votes(about))
            && votes(most) > votes(&united.about)
        {
            united.about.clone_from(most);
        }
        united.waived = None;
        united.snapshots = same.iter().flat_map(|finding| finding.snapshots.clone()).collect();
        united.snapshots.sort();
        Some(united)
    };
    let mut findings: Vec<FindingReport> = by_id.values().filter_map(united).collect();
    findings.sort_by_key(|finding| (place(&finding.about), finding.id.clone()));
    findings
}

/// The case that ends a requirement in one run, if one does.
fn last_case(reports: &[Report], place: usize) -> Option<u32> {
    let trails = reports.iter().filter_map(|report| report.requirements.get(place)?.trail.as_ref());
    trails.flat_map(|trail| &trail.ran).filter(|case| case.last).map(|case| case.case).min()
}

fn requirement(parts: &[&RequirementResult], findings: &[FindingReport], strict: bool) -> RequirementResult {
    let mut result = parts[0].clone();
    result.trail = None;
    result.duration_ms = parts.iter().fold(0, |sum, part| u64::saturating_add(sum, part.duration_ms));
    if parts.iter().all(|part| part.trail.is_none() && part.verdict != Verdict::Error) {
        // It does not apply, is not judged by this version, or nobody came to it.
        return result;
    }
    let mut ran: Vec<RanCase> = parts.iter().filter_map(|part| part.trail.as_ref()).flat_map(|trail| trail.ran.clone()).collect();
    ran.sort_by_key(|case| case.case);
    until_the_end(&mut ran);
    let trails = || parts.iter().filter_map(|part| part.trail.as_ref());
    let blinded = trails().map(|trail| trail.blinded).max().unwrap_or(0);
    let uncalled = trails().fold(0, |sum, trail| u32::saturating_add(sum, trail.uncalled));
    let refuted = trails().any(|trail| trail.refuted);
    let trail = Trail { blinded, uncalled, refuted, freed: trails().any(|trail| trail.freed), ran, ..Trail::default() };
    result.verdict = Verdict::NotExercised;
    result.note = None;
    result.findings = Vec::new();
    if let Some(note) = error(parts, &trail.ran) {
        result.verdict = Verdict::Error;
        result.note = note;
    }
    settle(&mut result, &trail, findings, strict);
    result.coverage = coverage(parts).filter(|_| result.findings.is_empty() && result.verdict != Verdict::Error);
    result
}

/// What the cases of all shards held.
fn coverage(parts: &[&RequirementResult]) -> Option<Coverage> {
    let mut whole: Option<Coverage> = None;
    for part in parts.iter().filter_map(|part| part.coverage.as_ref()) {
        whole.get_or_insert_default().add(part);
    }
    whole
}

/// Why the requirement could not be judged, if the last case of the run is one that could not, or a shard could not
/// even begin.
fn error(parts: &[&RequirementResult], ran: &[RanCase]) -> Option<Option<String>> {
    let ended = ran.last().filter(|case| case.last);
    let of = |wanted: &dyn Fn(&RequirementResult) -> bool| {
        parts.iter().find(|part| part.verdict == Verdict::Error && wanted(part)).map(|part| part.note.clone())
    };
    match ended {
        Some(case) if case.failed.is_some() => None,
        Some(case) => of(&|part| part.trail.as_ref().is_some_and(|trail| trail.ran.contains(case))),
        None => of(&|part| part.trail.is_none()),
    }
}

fn snapshots(reports: &[Report]) -> SnapshotResult {
    let parts = || reports.iter().map(|report| &report.snapshots);
    let mut differing: Vec<_> = parts().flat_map(|part| part.differing.clone()).collect();
    differing.sort_by(|one, other| one.name.cmp(&other.name));
    for difference in &mut differing {
        difference.waived = None;
    }
    SnapshotResult {
        compared: parts().fold(0, |sum, part| usize::saturating_add(sum, part.compared)),
        differing,
        note: parts().find_map(|part| part.note.clone()),
        cut_short: parts().any(|part| part.cut_short),
    }
}
