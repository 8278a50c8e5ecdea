//! `mutants`: how well the requirements find the deliberate faults.

use std::sync::atomic::AtomicBool;

use anyhow::bail;
use refundproof::{
    adapter::{Target, TargetError},
    domain::Clock,
    drive::Launch,
    findings::ShrinkLimits,
    provider::{Provider, named},
    reference::{Fault, FaultInfo, ReferenceShop, faults},
    run::{Book, CHOSEN, Options, Selection, certify},
    verdict::{RequirementResult, Verdict},
};

/// What finding one fault took.
struct Found {
    cases: u32,
    deliveries: usize,
}

/// Prints, for so many seeds, what all cases and those that are chosen find and cost, side by side.
///
/// A fault counts as found when the requirement that it is aimed at fails. Chosen cases know the faults of the bank, so they
/// are also chosen as if nobody had thought of the fault that is to be found; what the requirement then misses the others may find.
pub(crate) fn side_by_side(provider: &str, seeds: u64) -> anyhow::Result<String> {
    let Some(registered) = named(provider) else { bail!("provider `{provider}` is unknown") };
    let provider = registered.embedded();
    std::panic::set_hook(Box::new(|_| {}));
    let header = format!(
        "{:>4}  {:>9} {:>10}  {:>9} {:>10} {:>6}  {:>10} {:>9}  missed",
        "seed", "all cases", "deliveries", "chosen", "deliveries", "ratio", "unforeseen", "by others"
    );
    // A seed takes a while, so each is shown as soon as it is known.
    crate::say(&header);
    for seed in 1..=seeds {
        crate::say(&both(provider, seed)?);
    }
    Ok("missed: by chosen cases and not by all, or by all requirements together where nobody had thought of the fault".to_owned())
}

fn both(provider: &dyn Provider, seed: u64) -> anyhow::Result<String> {
    let options = |cases, choose| {
        let options = Options::new().with(|options| {
            (options.cases, options.choose, options.seed) = (cases, choose, seed);
            options.shrink = ShrinkLimits { attempts: 0, ..ShrinkLimits::default() };
        });
        let shared = options.clone().with(|options| options.book = Some(Book::new()));
        (options, shared)
    };
    let ((_, all), (alone, chosen)) = (options(Options::new().cases, false), options(CHOSEN, true));
    let (mut of, mut by_all, mut by_chosen, mut unforeseen, mut by_others, mut missed) = (0, 0, 0, 0, 0, Vec::new());
    for fault in faults() {
        let Some(id) = fault.aimed_at(provider.name(), provider.corpus()) else { continue };
        of += 1;
        let with = |options: &Options, ids: &[String]| fails(provider, fault.fault, ids, options);
        let aim = [id.to_owned()];
        let blind = alone.clone().with(|options| options.unforeseen = Some(fault.fault));
        let (found, chose) = (with(&all, &aim)?, with(&chosen, &aim)?);
        by_all += u32::from(found);
        by_chosen += u32::from(chose);
        if found && !chose {
            missed.push(fault.name.to_owned());
        }
        if with(&blind, &aim)? {
            unforeseen += 1;
        } else if with(&blind, &[])? {
            by_others += 1;
        } else {
            missed.push(format!("{} unforeseen", fault.name));
        }
    }
    let (sent, fewer) = (deliveries(provider, &all)?, deliveries(provider, &chosen)?);
    let percent = fewer * 100 / sent.max(1);
    Ok(format!(
        "{seed:>4}  {:>9} {sent:>10}  {:>9} {fewer:>10} {:>6}  {unforeseen:>10} {by_others:>9}  {}",
        format!("{by_all}/{of}"),
        format!("{by_chosen}/{of}"),
        format!("0.{percent:02}"),
        if missed.is_empty() { "-".to_owned() } else { missed.join(", ") }
    ))
}

/// Whether some requirement of these, of all if none is named, fails with the fault.
fn fails(provider: &dyn Provider, fault: Fault, ids: &[String], options: &Options) -> anyhow::Result<bool> {
    let selection = Selection::new(ids, &["snapshots".to_owned()]).map_err(anyhow::Error::msg)?;
    let options = options.clone().with(|options| options.selection = selection);
    let report = certify(provider, &launch(Some(fault)), &options, &AtomicBool::new(false), &mut |_| {})?;
    Ok(report.requirements.iter().any(|result| !result.findings.is_empty()))
}

/// How many deliveries the reference gets.
fn deliveries(provider: &dyn Provider, options: &Options) -> anyhow::Result<u64> {
    let report = certify(provider, &launch(None), options, &AtomicBool::new(false), &mut |_| {})?;
    let is_asked = |result: &&RequirementResult| result.judged && result.verdict != Verdict::NotApplicable;
    let asked = report.requirements.iter().filter(is_asked);
    let unsure: Vec<&str> = asked.filter(|result| result.exercised < result.floor).map(|result| &*result.id).collect();
    anyhow::ensure!(unsure.is_empty(), "below their floors: {}", unsure.join(", "));
    Ok(report.totals.deliveries)
}

fn launch(fault: Option<Fault>) -> Launch<impl Fn() -> Result<Box<dyn Target>, TargetError> + Sync> {
    let clock = Clock::manual_from_now();
    let shop = clock.clone();
    Launch::new("in-process", "", clock, move || {
        let faults = fault.as_slice();
        Ok(Box::new(ReferenceShop::with_faults(faults, shop.clone())) as Box<dyn Target>)
    })
}

/// Runs every fault against the requirement that it is aimed at and prints the score.
pub(crate) fn score(provider: &str, cases: u32, seed: u64) -> anyhow::Result<String> {
    let Some(registered) = named(provider) else { bail!("provider `{provider}` is unknown") };
    let provider = registered.embedded();
    // A panic of a fault is a finding; its trace would only be noise.
    std::panic::set_hook(Box::new(|_| {}));
    let judged = |id: &str| provider.corpus().requirements.iter().any(|requirement| requirement.id == id && requirement.recipe.is_some());
    let (mut found, mut missed, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    // All faults claim the same, so the cases of a requirement are made once.
    let options = Options::new().with(|options| {
        options.cases = cases;
        options.seed = seed;
        options.book = Some(Book::new());
    });
    for fault in faults() {
        let Some(id) = fault.aimed_at(provider.name(), provider.corpus()) else { continue };
        if !judged(id) {
            skipped.push(fault.name);
            continue;
        }
        match find(provider, fault, id, &options)? {
            Some(kill) => found.push(kill),
            None => missed.push(fault.name),
        }
    }
    let mut lines = Vec::new();
    if !missed.is_empty() {
        lines.push(format!("not found: {}", missed.join(", ")));
    }
    if !skipped.is_empty() {
        lines.push(format!("no requirement judged yet: {}", skipped.join(", ")));
    }
    lines.push(format!(
        "mutation score: {} of {} faults killed, median {} cases to kill, median {} shrunk deliveries",
        found.len(),
        found.len() + missed.len(),
        median(found.iter().map(|kill| kill.cases as usize).collect()),
        median(found.iter().map(|kill| kill.deliveries).collect())
    ));
    Ok(lines.join("\n"))
}

fn find(provider: &dyn Provider, fault: &FaultInfo, id: &str, options: &Options) -> anyhow::Result<Option<Found>> {
    let launch = launch(Some(fault.fault));
    let selection = Selection::new(&[id.to_owned()], &[]).map_err(anyhow::Error::msg)?;
    let options = options.clone().with(|options| options.selection = selection);
    // Without looking into anything a requirement ends with the first case that fails.
    let quick = options.clone().with(|options| options.shrink = ShrinkLimits { attempts: 0, ..ShrinkLimits::default() });
    let first = certify(provider, &launch, &quick, &AtomicBool::new(false), &mut |_| {})?;
    let report = certify(provider, &launch, &options, &AtomicBool::new(false), &mut |_| {})?;
    let cases = first.requirements.first().map(|result| result.cases);
    Ok(cases.and_then(|cases| Some(Found { cases, deliveries: report.findings.first()?.deliveries })))
}

fn median(mut numbers: Vec<usize>) -> usize {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or(0)
}
