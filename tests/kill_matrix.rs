//! Which requirement catches which fault: a committed snapshot, and what must hold of it.

mod common;

use std::{collections::BTreeMap, fmt::Write, sync::LazyLock};

use common::{certified, only, provider, quick};
use refundproof::{
    check::verdict::{Conformance, Verdict},
    provider::Provider,
    reference::{Fault, FaultInfo, faults},
    run::{Options, ShrinkLimits},
};

/// How many cases a fault must be found in.
const CASES: u32 = 64;

/// A requirement that failed, and in how many cases it found the fault.
type Kill = (String, u32);

/// Requirements that failed, by fault, in the order in which they are reported.
static KILLS: LazyLock<BTreeMap<&'static str, Vec<Kill>>> = LazyLock::new(|| {
    let killed = |fault: &FaultInfo| {
        let report = certified(Fault::from_name(fault.name), &quick(CASES, 1));
        let failed = report.requirements.iter().filter(|requirement| matches!(requirement.verdict, Verdict::Fail | Verdict::Warn));
        failed.map(|requirement| (requirement.id.clone(), requirement.cases)).collect()
    };
    let (one, other) = faults().split_at(faults().len() / 2);
    let kills = |faults: &'static [FaultInfo]| faults.iter().map(|fault| (fault.name, killed(fault))).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let one = scope.spawn(|| kills(one));
        let other = kills(other);
        one.join().expect("no panic").into_iter().chain(other).collect()
    })
});

/// The requirement that a fault is shown by: the one that it is meant for if that finds it, else the first.
fn shown_by(fault: &FaultInfo) -> Option<&'static str> {
    let kills = &KILLS[fault.name];
    kills.iter().find(|(id, _)| id == fault.expected).or(kills.first()).map(|(id, _)| id.as_str())
}

/// The requirements that find a fault in the fewest cases: nothing else finds it sooner.
fn first(kills: &[Kill]) -> impl Iterator<Item = &str> {
    let fewest = kills.iter().map(|(_, cases)| *cases).min();
    kills.iter().filter(move |(_, cases)| Some(*cases) == fewest).map(|(id, _)| id.as_str())
}

fn judged() -> impl Iterator<Item = &'static str> {
    provider().corpus().requirements.iter().filter(|requirement| requirement.recipe.is_some()).map(|requirement| requirement.id.as_str())
}

#[test]
fn the_matrix_is_as_reviewed() {
    let mut text = String::new();
    for fault in faults() {
        let _ = writeln!(text, "{}", fault.name);
        for (id, cases) in &KILLS[fault.name] {
            let mark = if id == fault.expected { "*" } else { " " };
            let _ = writeln!(text, "  {mark} {id} ({cases})");
        }
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("kill_matrix", text);
    });
}

fn is_judged(id: &str) -> bool {
    judged().any(|judged| judged == id)
}

#[test]
fn no_fault_survives() {
    // Those that only a requirement shows that this version does not judge are listed, so that they are not forgotten.
    let survivors = faults().iter().filter(|fault| KILLS[fault.name].is_empty());
    let (excused, survivors): (Vec<_>, Vec<_>) = survivors.map(|fault| (fault.name, fault.expected)).partition(|(_, id)| !is_judged(id));
    assert!(survivors.is_empty(), "{survivors:#?}");
    assert_eq!(excused, [("lost-update", "concurrent-deliveries"), ("check-then-insert", "concurrent-deliveries")]);
}

#[test]
fn every_fault_is_caught_by_the_requirement_it_is_meant_for() {
    let missed: Vec<(&str, &str)> = faults()
        .iter()
        .filter(|fault| is_judged(fault.expected) && shown_by(fault) != Some(fault.expected))
        .map(|fault| (fault.name, fault.expected))
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

/// Alone, or in as few cases as any other requirement needs.
#[test]
fn every_requirement_catches_some_fault_alone_or_first() {
    let idle: Vec<&str> = judged().filter(|id| !KILLS.values().any(|kills| first(kills).any(|first| first == *id))).collect();
    assert!(idle.is_empty(), "{idle:#?}");
}

#[test]
fn the_reference_survives_all() {
    let report = certified(None, &quick(400, 3));
    let failed: Vec<String> = report
        .requirements
        .iter()
        .filter(|requirement| requirement.judged && !matches!(requirement.verdict, Verdict::Pass | Verdict::NotApplicable))
        .map(|requirement| format!("{requirement:#?}"))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(report.verdict, Conformance::Conformant);
}

/// The smallest number of deliveries that shows each fault, to which shrinking must get, and the class of real bugs
/// that the shrunk case is said to be like.
#[test]
fn shrinking_gets_to_the_known_minimum() {
    let mut text = String::new();
    for fault in faults() {
        let Some(id) = shown_by(fault) else { continue };
        let options = Options { cases: CASES, seed: 1, selection: only(&[id]), shrink: ShrinkLimits::default(), ..Options::default() };
        let report = certified(Fault::from_name(fault.name), &options);
        let Some(failure) = report.requirements[0].failures.first() else { continue };
        let class = failure.resembles.as_ref().map_or("-", |class| class.class.as_str());
        let _ = writeln!(text, "{:<40} {:>2}  {class}", fault.name, failure.deliveries);
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("shrunk_deliveries", text);
    });
}

#[test]
fn faults_are_found_with_other_seeds_too() {
    for fault in faults() {
        let Some(id) = shown_by(fault) else { continue };
        for seed in 2..6 {
            let options = Options { selection: only(&[id]), ..quick(CASES, seed) };
            let report = certified(Fault::from_name(fault.name), &options);
            let found = report.requirements.iter().any(|requirement| matches!(requirement.verdict, Verdict::Fail | Verdict::Warn));
            assert!(found, "{} is not found with seed {seed}", fault.name);
        }
    }
}
