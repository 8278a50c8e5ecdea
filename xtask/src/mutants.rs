//! `mutants`: how well the requirements find the deliberate faults.

use std::sync::atomic::AtomicBool;

use anyhow::bail;
use refundproof::{
    adapter::Target,
    domain::Clock,
    provider::{Provider, named},
    reference::{FaultInfo, ReferenceShop, faults},
    run::{Book, Launch, Options, Selection, ShrinkLimits, certify},
};

/// What finding one fault took.
struct Found {
    cases: u32,
    deliveries: usize,
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
    let clock = Clock::manual_from_now();
    let (kind, shop) = (fault.fault, clock.clone());
    let make = move || Ok(Box::new(ReferenceShop::with_fault(kind, shop.clone())) as Box<dyn Target>);
    let launch = Launch::new("in-process", "", clock, make);
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
