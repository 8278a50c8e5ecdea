//! No false alarms: consumers of very different design, all of which conform, are certified with every requirement.

use std::sync::atomic::AtomicBool;

use refundproof::{
    adapter::Target,
    domain::Clock,
    drive::Launch,
    provider::{Provider, registered},
    run::{Options, certify},
    verdict::{Report, RequirementResult, Verdict},
};

use super::consumers::{
    Adapted, Consumer, asynchronous::Asynchronous, charges::Charges, completions::Completions, counters::Counters, document::DocumentStore,
    lattice::Lattice, orders::Orders, patient::Patient, per_refund::PerRefund, replay::Replay, sqlite::Sqlite, verified::Verified,
};
use crate::common::stranger;

const CASES: u32 = 40;
const SEEDS: [u64; 10] = [20_260_731, 1, 2, 3, 5, 8, 13, 21, 34, 55];
/// More than there are processors: a consumer that applies later mostly sleeps. The findings are the same.
const JOBS: usize = 4;

fn certified<C: Consumer + 'static>(provider: &dyn Provider, make: fn() -> C, seed: u64, without: &[&str]) -> Report {
    let launch = Launch::new("in-process", "", Clock::system(), || Ok(Box::new(Adapted(make())) as Box<dyn Target>));
    let without = provider.corpus().checklist.iter().filter(|item| without.contains(&item.as_str())).cloned().collect();
    let options = Options::new().with(|options| {
        options.cases = CASES;
        options.seed = seed;
        options.jobs = JOBS;
        options.without = without;
    });
    certify(provider, &launch, &options, &AtomicBool::new(false), &mut |_| {}).expect("the consumer starts")
}

/// Certifies a consumer with everything there is, of every provider. A requirement that does not apply to it is no failure,
/// anything else but a pass is.
#[track_caller]
fn assert_conforms<C: Consumer + 'static>(make: fn() -> C) {
    assert_conforms_with(&everywhere(), &[], make);
}

/// The providers whose events these consumers read; each further one has a test of its own with shops.
fn everywhere() -> Vec<&'static dyn Provider> {
    registered()[..2].iter().map(|provider| provider.embedded()).collect()
}

#[track_caller]
fn assert_conforms_with<C: Consumer + 'static>(providers: &[&dyn Provider], without: &[&str], make: fn() -> C) {
    let runs = providers.iter().flat_map(|provider| stranger::seeds(&SEEDS).iter().map(|seed| (*provider, *seed)));
    // Side by side, because a consumer that applies later mostly sleeps.
    let found: Vec<String> = std::thread::scope(|scope| {
        let run = |(provider, seed): (&'_ dyn Provider, u64)| {
            let text = complaints(provider, &certified(provider, make, seed, without));
            if text.is_empty() { text } else { format!("{}, seed {seed}:\n{text}", provider.name()) }
        };
        let runs: Vec<_> = runs.map(|which| scope.spawn(move || run(which))).collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).collect()
    });
    let found = found.concat();
    assert!(found.is_empty(), "{found}");
}

/// A shop that asks for less is judged by less; anything else but a pass is said.
fn complaints(provider: &dyn Provider, report: &Report) -> String {
    let is_well = |result: &RequirementResult| {
        matches!(result.verdict, Verdict::Pass | Verdict::NotApplicable) || result.verdict == Verdict::NotExercised && result.by_claims
    };
    stranger::complaints(provider, report, is_well, |_| true)
}

#[test]
fn rows_in_sqlite() {
    assert_conforms(Sqlite::default);
}

/// It does not hear of chargebacks, and knows it.
#[test]
fn a_state_machine_for_each_refund() {
    assert_conforms_with(&everywhere(), &["chargeback"], PerRefund::default);
}

/// Only the first provider has charges.
#[test]
fn pictures_of_charges() {
    assert_conforms_with(&[registered()[0].embedded()], &[], Charges::default);
}

#[test]
fn completions_only() {
    assert_conforms(Completions::default);
}

#[test]
fn running_totals_and_coarse_words() {
    assert_conforms(Counters::default);
}

#[test]
fn a_queue_and_a_worker() {
    assert_conforms(Asynchronous::<Lattice>::default);
}

#[test]
fn documents_and_numbers() {
    assert_conforms(DocumentStore::default);
}

#[test]
fn a_journal_and_strict_answers() {
    assert_conforms(Replay::default);
}

#[test]
fn maxima_and_leniency() {
    assert_conforms(Lattice::default);
}

#[test]
fn whatever_tells_the_most() {
    assert_conforms(Orders::default);
}

#[test]
fn signatures_first() {
    assert_conforms(Verified::<DocumentStore>::default);
}

#[test]
fn patience_and_other_words_for_yes() {
    assert_conforms(Patient::<Replay>::default);
}
