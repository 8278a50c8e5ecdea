//! `refundproof certify`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    Exit, Stop,
    args::{Certify, Seed},
    files, github, in_mode, interrupt, known,
    output::Output,
    provider,
    replay::wait_for_enter,
    target::{self, quote},
    watch,
};
use crate::{
    adapter::{TargetError, TargetErrorKind},
    case::{self, Case},
    domain::did_you_mean,
    drive::Factory,
    provider::{
        Provider,
        mode::{in_mode_of, is_live},
    },
    report::{Describe, Format, terminal},
    run::{CHOSEN, Options, Redactor, RunEvent, Selection},
    verdict::{Conformance, Report, waivers::KnownFailures},
};

pub(super) fn run(args: Certify, output: &mut Output) -> Result<Exit, Stop> {
    if args.watch { watch::run(args, output) } else { once(&args, &interrupt::stop(), output) }
}

/// One certification, which ends early when `stop` is set.
pub(super) fn once(args: &Certify, stop: &AtomicBool, output: &mut Output) -> Result<Exit, Stop> {
    let provider = provider(&args.provider.provider, args.provider.corpus.as_deref())?;
    let factory = target::factory(&args.target, provider)?;
    let provider = in_mode(provider, args.live_mode || factory.live_mode())?;
    let without = left_out(args, &*factory, provider)?;
    let is_dear = factory.transport() != "in-process";
    let options = options(args, provider, is_dear, without, output)?;
    let before = args.write_known_failing.as_deref().map(known::read_if_there).transpose()?;
    let set = provider.corpus().requirement_set(options.revision).map_err(Stop::usage)?;
    let ids: Vec<&str> = set.requirements.iter().map(|(_, requirement)| requirement.id.as_str()).collect();
    let leaves_something = |selection: &Selection| ids.iter().chain(&["snapshots"]).any(|id| selection.includes(id));
    if !leaves_something(&options.selection) {
        return Err(Stop::usage("--only and --skip leave nothing to run; `refundproof list` shows the requirements"));
    }
    for pattern in args.only.iter().chain(&args.skip) {
        let alone = Selection::new(std::slice::from_ref(pattern), &[]).map_err(Stop::usage)?;
        if !leaves_something(&alone) {
            output.note(&format!("--only or --skip {pattern}: fits nothing; `refundproof list` shows the requirements"));
        }
    }
    // A path that cannot be written is better known before the run than after it.
    check_reports(&args.report, args.known_failing.iter().map(PathBuf::as_path).chain(args.target.target.as_deref().map(Path::new)))?;
    if let Some(path) = &args.write_known_failing {
        check_writable(path)?;
        if args.report.iter().any(|(_, report)| files::whole(report) == files::whole(path)) {
            let path = path.display();
            return Err(Stop::usage(format!("{path}: a report and the list of known failures would be written there; name two paths")));
        }
    }
    if args.failures.exists() && !args.failures.is_dir() {
        return Err(Stop::usage(format!("{}: is not a folder; --failures takes one, and makes it", args.failures.display())));
    }
    let bar = output.progress(0);
    let mut listen = |event: &RunEvent<'_>| match event {
        RunEvent::Started { requirements, .. } => bar.set_length(u64::try_from(*requirements).unwrap_or(0)),
        RunEvent::RequirementStarted { id } => bar.set_message((*id).to_owned()),
        RunEvent::Shrinking { id, deliveries } => bar.set_message(format!("{id}: failed; shrinking, {deliveries} deliveries left")),
        RunEvent::RequirementFinished(_) => bar.inc(1),
        RunEvent::SnapshotsCompared { .. } | RunEvent::Finished(_) => bar.finish_and_clear(),
    };
    let report = crate::run::certify(provider, &*factory, &options, stop, &mut listen);
    bar.finish_and_clear();
    if stop.load(Ordering::Relaxed) && report.is_err() {
        output.complain("interrupted before the target was ready; nothing was judged");
        return Ok(Exit::Interrupted);
    }
    let mut report = report.map_err(not_run)?;
    // A case that cannot be saved must not cost the report.
    let unsaved = save_failures(&mut report, &args.failures, &*factory, &Redactor::of(&options, &*factory)).err();
    let published = publish(&report, provider, &args.report, unsaved, output);
    if let (Some(path), Some(before)) = (&args.write_known_failing, &before) {
        known::write(path, &report, before, provider.corpus(), output)?;
    }
    published?;
    Ok(if stop.load(Ordering::Relaxed) { Exit::Interrupted } else { exit(&report) })
}

/// Shows a report, and writes it wherever it is wanted. `unsaved` says why a case was not saved.
pub(super) fn publish(
    report: &Report,
    provider: &dyn Provider,
    reports: &[(Format, PathBuf)],
    unsaved: Option<Stop>,
    output: &mut Output,
) -> Result<(), Stop> {
    let view = output.view();
    let describe = |id: &str| provider.corpus().requirements.iter().find(|requirement| requirement.id == id).cloned();
    let github = github::Github::from_environment();
    github.begin(output.commands())?;
    terminal::write(output.out(), report, view, &describe)?;
    github.end(output.commands())?;
    output.out().flush()?;
    if let Some(unsaved) = unsaved {
        output.complain(&unsaved.message);
    }
    known::complain(report, output);
    // One that cannot be written costs no other.
    let mut unwritten: Vec<Stop> =
        reports.iter().filter_map(|(format, path)| write_report(*format, path, report, &describe).err()).collect();
    // What GitHub is told beside the report must not change the verdict.
    if let Err(untold) = github.finish(output.commands(), report, &describe) {
        output.complain(&untold.message);
    }
    let last = unwritten.pop();
    unwritten.iter().for_each(|stop| output.complain(&stop.message));
    last.map_or(Ok(()), Err)
}

/// The paths of reports, before the run: each must be writable, no two the same, and none what is read.
pub(super) fn check_reports<'p>(reports: &[(Format, PathBuf)], read: impl Iterator<Item = &'p Path>) -> Result<(), Stop> {
    let read: Vec<PathBuf> = read.map(files::whole).collect();
    let written: Vec<PathBuf> = reports.iter().map(|(_, path)| files::whole(path)).collect();
    for (number, (_, path)) in reports.iter().enumerate() {
        if written[..number].contains(&written[number]) {
            let path = path.display();
            return Err(Stop::usage(format!("{path}: two reports would be written there; --report takes a path of its own for each")));
        }
        if read.contains(&written[number]) {
            return Err(Stop::usage(format!("{}: is read here, and the report would take its place; name another path", path.display())));
        }
        check_writable(path)?;
    }
    Ok(())
}

/// Why nothing was run: what a target claims is configuration, anything else could not be judged.
fn not_run(error: TargetError) -> Stop {
    match error.kind {
        TargetErrorKind::Misclaimed(_) => Stop::usage(error),
        _ => Stop::not_judged(error),
    }
}

/// The exit code that a report stands for.
pub(super) fn exit(report: &Report) -> Exit {
    match report.verdict {
        Conformance::Conformant => Exit::Conformant,
        Conformance::NotConformant | Conformance::NotCertified => Exit::NotConformant,
        Conformance::NotJudged => Exit::NotJudged,
    }
}

/// The items that are knowingly left out, as the command line and the target file name them.
fn left_out(args: &Certify, factory: &dyn Factory, provider: &dyn Provider) -> Result<Vec<String>, Stop> {
    let checklist = &provider.corpus().checklist;
    let from_file = factory.without().iter().map(|item| (item, "field `without`"));
    let mut without: Vec<String> = Vec::new();
    for (item, place) in args.without.iter().map(|item| (item, "--without")).chain(from_file) {
        if !checklist.contains(item) {
            let hint = did_you_mean(item, checklist.iter().map(String::as_str));
            let items = checklist.join(", ");
            return Err(Stop::usage(format!("{place}: `{item}` is no item of {}'s checklist{hint} (its items: {items})", provider.name())));
        }
        if !without.contains(item) {
            without.push(item.clone());
        }
    }
    Ok(without)
}

fn options(args: &Certify, provider: &dyn Provider, is_dear: bool, without: Vec<String>, output: &mut Output) -> Result<Options, Stop> {
    let seed = match args.seed {
        Seed::Fixed(seed) => seed,
        Seed::Random => {
            let seed = drawn_seed();
            output.note(&format!("seed {seed}"));
            seed
        }
    };
    let choose = args.budget.is_some() || is_dear && args.cases.is_none();
    let usual = if choose { CHOSEN } else { Options::new().cases };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Options {
        seed,
        cases: args.cases.unwrap_or(usual),
        choose,
        budget: args.budget,
        selection: Selection::new(&args.only, &args.skip).map_err(Stop::usage)?,
        // Who is asked to press Enter is asked for one delivery at a time.
        jobs: if args.target.attach { 1 } else { args.jobs.map_or(cores, usize::from) },
        time_limit: args.time_limit,
        settle: args.settle,
        shard: args.shard,
        revision: args.requirements,
        known: args.known_failing.as_deref().map_or_else(|| Ok(KnownFailures::none()), known::read)?,
        saved: saved_cases(&args.failures, provider, output)?,
        imported: imported_cases(args.provider.corpus.as_deref(), provider, output)?,
        strict: args.strict,
        without,
        quiet: args.quiet_time,
        answer_limit: args.target.answer_limit(),
        salt: Some(drawn_seed()),
        before: args.target.attach.then_some(wait_for_enter),
        ..Options::default()
    })
}

/// A seed that differs from run to run: the hasher that the standard library seeds from the system.
pub(super) fn drawn_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

fn check_writable(path: &Path) -> Result<(), Stop> {
    files::check_writable(path).map_err(|error| cannot_write(path, &error))
}

pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> Stop {
    Stop::usage(format!("{}: cannot be written: {error}; name a path in a folder that exists and is writable", path.display()))
}

/// The cases of a provider that earlier runs saved, in the order of their names. What is no case is somebody else's file, and
/// what is no file at all is told of.
///
/// # Errors
/// When a case was edited so that it cannot be played any more: passed over it would look mended.
fn saved_cases(folder: &Path, provider: &dyn Provider, output: &mut Output) -> Result<Vec<(String, Case)>, Stop> {
    let mut cases = Vec::new();
    for path in cases_in(folder) {
        let name = path.display().to_string();
        match files::read_own(&path, files::CASE) {
            Ok(text) => {
                let case = match Case::from_json(&name, &text) {
                    Err(error) if text.contains(&format!("\"{}\"", case::SCHEMA)) => return Err(Stop::usage(error)),
                    case => case.ok().filter(|case| case.provider == provider.name()),
                };
                match case {
                    Some(case) if is_live(provider, &case) != provider.is_live() => {
                        let mode = if provider.is_live() { "live" } else { "test" };
                        output.note(&format!("{name}: passed over; its events are not of the {mode} mode, as those of this run are"));
                    }
                    case => cases.extend(case.map(|case| (name, case))),
                }
            }
            Err(error) => output.note(&format!("{name}: passed over; cannot be read: {error}")),
        }
    }
    Ok(cases)
}

/// Whether a folder holds imported cases and no corpus.
pub(super) fn holds_imported(folder: &Path, provider: &str) -> bool {
    let is_corpus = [folder.to_owned(), folder.join(provider)].iter().any(|folder| folder.join("catalogue.toml").exists());
    !is_corpus && !cases_in(folder).is_empty()
}

fn cases_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
}

/// The cases of a provider in a folder of imported ones, all of them in the mode of the run. Whoever names the folder wants all of
/// them.
fn imported_cases(folder: Option<&Path>, provider: &dyn Provider, output: &mut Output) -> Result<Vec<(String, Case)>, Stop> {
    let name = provider.name();
    let Some(folder) = folder.filter(|folder| holds_imported(folder, name)) else { return Ok(Vec::new()) };
    let mut cases = Vec::new();
    for path in cases_in(folder) {
        let case = files::read_case(&path).map_err(Stop::usage)?;
        let file = path.display().to_string();
        if case.provider == name {
            cases.push((file, in_mode_of(provider, case)));
        } else {
            output.note(&format!("{file}: passed over; it is of {}", case.provider));
        }
    }
    if cases.is_empty() {
        return Err(Stop::usage(format!("{}: holds no case of {name}", folder.display())));
    }
    Ok(cases)
}

fn save_failures(report: &mut Report, folder: &Path, factory: &dyn Factory, redactor: &Redactor) -> Result<(), Stop> {
    for finding in &mut report.findings {
        let Some(case) = &finding.shrunk else { continue };
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        let path = folder.join(finding.file_name());
        files::write_own(&path, case.to_json().as_bytes()).map_err(|error| cannot_write(&path, &error))?;
        finding.file = path.display().to_string();
        // A command line may hold the secret too.
        let times = if finding.chance.is_some_and(|chance| chance.failed < chance.runs) { " --times 50" } else { "" };
        finding.reproduce = redactor.hide(&format!("{} replay {}{times}{}", program(), quote(&finding.file), factory.argument()));
    }
    for failure in report.imported.iter_mut().flat_map(|imported| &mut imported.failing) {
        let Some(case) = &failure.shrunk else { continue };
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        let stem = Path::new(&failure.case).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let path = folder.join(format!("imported-{stem}-{}.json", failure.way.replace(|other: char| !other.is_ascii_alphanumeric(), "-")));
        files::write_own(&path, case.to_json().as_bytes()).map_err(|error| cannot_write(&path, &error))?;
        failure.file = path.display().to_string();
    }
    Ok(())
}

/// How this program was called, so that a pasted command finds it again.
fn program() -> String {
    let called = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let is_bare = called.components().count() == 1;
    if is_bare || called.as_os_str().is_empty() { "refundproof".to_owned() } else { quote(&called.display().to_string()) }
}

fn write_report(format: Format, path: &Path, report: &Report, describe: &Describe<'_>) -> Result<(), Stop> {
    let mut text = Vec::new();
    format.write(&mut text, report, describe)?;
    files::write(path, &text).map_err(|error| cannot_write(path, &error))
}
