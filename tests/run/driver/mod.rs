//! How cases are driven: asynchronous targets, deliveries at the same time, kills, fresh ids. All with targets in this process.

mod asynchronous;
mod at_once;
mod ids;
mod panics;
mod time;

use std::sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicBool};

use refundproof::{
    adapter::Target,
    domain::Clock,
    drive::Launch,
    run::{Options, certify},
    verdict::{FindingReport, Report, RequirementResult, Verdict},
};

use crate::common::{only, provider, quick};

type Headers = Vec<(String, String)>;
type Maker = Box<dyn Fn() -> Box<dyn Target> + Sync>;

fn certified_as(transport: &str, options: &Options, make: Maker) -> Report {
    let launch = Launch::new(transport, "", Clock::system(), move || Ok(make()));
    certify(provider(), &launch, options, &AtomicBool::new(false), &mut |_| {}).expect("it starts")
}

fn certified(options: &Options, make: Maker) -> Report {
    certified_as("in-process", options, make)
}

/// What was found of the only requirement.
#[track_caller]
fn result(report: &Report) -> &RequirementResult {
    let [result] = report.requirements.as_slice() else { panic!("{report:#?}") };
    result
}

#[track_caller]
fn passes(report: &Report) {
    assert_eq!(result(report).verdict, Verdict::Pass, "{:#?}", result(report));
}

#[track_caller]
fn fails<'r>(report: &'r Report, part: &str) -> &'r FindingReport {
    let result = result(report);
    // What is found may be about another requirement, which was not run.
    assert!(matches!(result.verdict, Verdict::Fail | Verdict::Affected | Verdict::Masked), "{result:#?}");
    assert!(report.findings[0].message.contains(part), "{:#?}", report.findings);
    &report.findings[0]
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn one_case() -> Options {
    quick(1, 1).with(|options| options.selection = only(&["refund-complete-updates-order"]))
}
