//! Which requirement catches which fault: a committed snapshot, and what must hold of it.

mod common;

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use common::{certified_for, certified_target, only, providers, quick};
use refundproof::{
    adapter::{Capabilities, Hello, Introduction, Request, Target, TargetError},
    case::{OrderSetup, OwnRefund},
    corpus::Corpus,
    domain::OrderState,
    findings::ShrinkLimits,
    provider::Provider,
    reference::{Fault, FaultInfo, faults},
    run::{Book, Options},
    verdict::{Conformance, FindingReport, Verdict},
};

/// How many cases a fault is looked for in, and in how many where the requirement that it is aimed at has not found it by then.
const CASES: u32 = 24;
const MORE_CASES: u32 = 64;

/// In how many cases it is looked whether a fault shows that cannot be made with the provider's events. It fails none of them, so
/// all of them are played.
const FEW: u32 = 16;

/// A requirement that failed, and in how many cases it found the fault.
type Kill = (String, u32);

/// What was found with one provider.
struct Matrix {
    provider: &'static dyn Provider,
    /// Requirements that failed, by fault, in the order in which they are reported.
    kills: BTreeMap<&'static str, Vec<Kill>>,
}

static MATRICES: LazyLock<Vec<Matrix>> = LazyLock::new(|| providers().map(Matrix::new).collect());

impl Matrix {
    fn new(provider: &'static dyn Provider) -> Matrix {
        let (name, corpus) = (provider.name(), provider.corpus());
        let many = sharing(quick(CASES, 1));
        let more = many.clone().with(|options| options.cases = MORE_CASES);
        let few = many.clone().with(|options| options.cases = FEW);
        let killed_in = |fault: &FaultInfo, options: &Options| -> Vec<Kill> {
            let report = certified_for(provider, Fault::from_name(fault.name), options);
            let failed = report.requirements.iter().filter(|requirement| !requirement.findings.is_empty());
            failed.map(|requirement| (requirement.id.clone(), requirement.cases)).collect()
        };
        let killed = |fault: &FaultInfo| match fault.aimed_at(name, corpus) {
            Some(aim) => {
                let kills = killed_in(fault, &many);
                if kills.iter().any(|(id, _)| id == aim) { kills } else { killed_in(fault, &more) }
            }
            None if is_about(fault, corpus) => killed_in(fault, &few),
            None => Vec::new(),
        };
        let kills = side_by_side(faults(), |fault| (fault.name, killed(fault))).into_iter().collect();
        Matrix { provider, kills }
    }

    fn name(&self) -> &str {
        self.provider.name()
    }

    /// The faults that can be made with the provider's events, each with the requirement that it is aimed at.
    fn aimed(&self) -> impl Iterator<Item = (&'static FaultInfo, &'static str)> {
        let (name, corpus) = (self.provider.name(), self.provider.corpus());
        faults().iter().filter_map(move |fault| Some((fault, fault.aimed_at(name, corpus)?)))
    }

    /// The requirement that a fault is shown by: the one that it is aimed at if that finds it, else the first.
    fn shown_by(&self, fault: &FaultInfo, aim: &str) -> Option<&str> {
        let kills = &self.kills[fault.name];
        kills.iter().find(|(id, _)| id == aim).or(kills.first()).map(|(id, _)| id.as_str())
    }

    fn judged(&self) -> impl Iterator<Item = &'static str> {
        judged(self.provider.corpus())
    }

    fn is_judged(&self, id: &str) -> bool {
        self.judged().any(|judged| judged == id)
    }

    /// A snapshot in the provider's own folder.
    fn assert_snapshot(&self, name: &str, text: &str) {
        let folder = common::root().join("tests/snapshots").join(self.name());
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => folder }, {
            insta::assert_snapshot!(name, text);
        });
    }
}

/// The requirements that have cases.
fn judged(corpus: &Corpus) -> impl Iterator<Item = &str> {
    corpus.requirements.iter().filter(|requirement| requirement.recipe.is_some()).map(|requirement| requirement.id.as_str())
}

/// Whether the fault is about something that this provider is certified for.
fn is_about(fault: &FaultInfo, corpus: &Corpus) -> bool {
    judged(corpus).any(|judged| fault.expected.contains(&judged))
}

/// All faults claim the same, so their cases are made once.
fn sharing(options: Options) -> Options {
    options.with(|options| options.book = Some(Book::new()))
}

/// What comes of each, in two threads: whichever is free takes the next, as some take far longer than others.
fn side_by_side<T: Sync, R: Send>(all: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mine = std::iter::from_fn(|| {
            let place = next.fetch_add(1, Ordering::Relaxed);
            all.get(place).map(|one| (place, each(one)))
        });
        mine.collect::<Vec<(usize, R)>>()
    };
    let mut done = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut done = work();
        done.extend(other.join().expect("no panic"));
        done
    });
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The requirements that find a fault in the fewest cases: nothing else finds it sooner.
fn first(kills: &[Kill]) -> impl Iterator<Item = &str> {
    let fewest = kills.iter().map(|(_, cases)| *cases).min();
    kills.iter().filter(move |(_, cases)| Some(*cases) == fewest).map(|(id, _)| id.as_str())
}

#[test]
fn the_matrix_is_as_reviewed() {
    for matrix in &*MATRICES {
        let mut text = String::new();
        for (fault, aim) in matrix.aimed() {
            let _ = writeln!(text, "{}", fault.name);
            for (id, cases) in &matrix.kills[fault.name] {
                let mark = if id == aim { "*" } else { " " };
                let _ = writeln!(text, "  {mark} {id} ({cases})");
            }
        }
        matrix.assert_snapshot("kill_matrix", &text);
    }
}

#[test]
fn no_fault_survives() {
    for matrix in &*MATRICES {
        let survivors = matrix.aimed().filter(|(fault, _)| matrix.kills[fault.name].is_empty());
        let survivors: Vec<_> = survivors.map(|(fault, aim)| (fault.name, aim)).collect();
        assert!(survivors.is_empty(), "{}: {survivors:#?}", matrix.name());
    }
}

/// A fault is left out of a provider's matrix only where it shows nowhere, or so rarely that other cases do not show it.
#[test]
fn what_nobody_can_do_wrong_with_a_provider_shows_nowhere() {
    for matrix in &*MATRICES {
        let aimed: Vec<&str> = matrix.aimed().map(|(fault, _)| fault.name).collect();
        let corpus = matrix.provider.corpus();
        let left_out = faults().iter().filter(|fault| is_about(fault, corpus) && !aimed.contains(&fault.name));
        let again = sharing(quick(MORE_CASES, 2));
        let shows_again = |fault: &&FaultInfo| !certified_for(matrix.provider, Fault::from_name(fault.name), &again).findings.is_empty();
        let shown = left_out.filter(|fault| !matrix.kills[fault.name].is_empty()).filter(shows_again);
        let shown: Vec<_> = shown.map(|fault| fault.name).collect();
        assert!(shown.is_empty(), "{}: {shown:#?}", matrix.name());
    }
}

#[test]
fn every_fault_is_caught_by_the_requirement_it_is_meant_for() {
    for matrix in &*MATRICES {
        let aimed = matrix.aimed().filter(|(_, aim)| matrix.is_judged(aim));
        let missed: Vec<_> =
            aimed.filter(|(fault, aim)| matrix.shown_by(fault, aim) != Some(aim)).map(|(fault, aim)| (fault.name, aim)).collect();
        assert!(missed.is_empty(), "{}: {missed:#?}", matrix.name());
    }
}

/// Alone, or in as few cases as any other requirement needs.
#[test]
fn every_requirement_catches_some_fault_alone_or_first() {
    for matrix in &*MATRICES {
        let catches = |id: &str| matrix.kills.values().any(|kills| first(kills).any(|first| first == id));
        let idle: Vec<&str> = matrix.judged().filter(|id| !catches(id)).collect();
        assert!(idle.is_empty(), "{}: {idle:#?}", matrix.name());
    }
}

#[test]
fn the_reference_survives_all() {
    for provider in providers() {
        let report = certified_for(provider, None, &quick(400, 3));
        let failed: Vec<String> = report
            .requirements
            .iter()
            .filter(|requirement| requirement.judged && !matches!(requirement.verdict, Verdict::Pass | Verdict::NotApplicable))
            .map(|requirement| format!("{requirement:#?}"))
            .collect();
        assert!(failed.is_empty(), "{}: {}", provider.name(), failed.join("\n"));
        assert_eq!(report.verdict, Conformance::Conformant);
    }
}

/// Acknowledges everything and never changes anything.
#[derive(Default)]
struct DoesNothing(Vec<OrderSetup>);

impl Target for DoesNothing {
    fn hello(&mut self, _: &Hello) -> Result<Introduction, TargetError> {
        let capabilities = Capabilities::new().with(|claims| {
            claims.verifies_signatures = true;
            claims.durable = true;
            claims.initiates_refunds = true;
            claims.concurrency = 2;
        });
        Ok(Introduction::new("nothing".to_owned(), "1".to_owned(), capabilities))
    }

    fn begin(&mut self, _: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.0 = orders.to_vec();
        Ok(())
    }

    fn deliver(&mut self, _: &Request<'_>) -> Result<u16, TargetError> {
        Ok(200)
    }

    fn initiate(&mut self, _: &OwnRefund) -> Result<(), TargetError> {
        Ok(())
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let state = serde_json::json!({"orderId": order_id, "status": "not_refunded", "refundedAmount": "0"});
        Ok(serde_json::from_value(state).ok())
    }
}

#[test]
fn doing_nothing_passes_no_requirement() {
    for provider in providers() {
        let report = certified_target(provider, &|_| Box::new(DoesNothing::default()), &quick(CASES, 1));
        let passed: Vec<&str> = report
            .requirements
            .iter()
            .filter(|requirement| requirement.verdict != Verdict::NotApplicable)
            .filter(|requirement| requirement.findings.is_empty() || matches!(requirement.verdict, Verdict::Pass))
            .map(|requirement| requirement.id.as_str())
            .collect();
        assert!(passed.is_empty(), "{}: {passed:#?}", provider.name());
    }
}

/// The smallest number of deliveries that shows each fault, to which shrinking must get, and what it is said to be like.
#[test]
fn shrinking_gets_to_the_known_minimum() {
    for matrix in &*MATRICES {
        let shown = shown_by_requirement(matrix);
        let lines = side_by_side(&shown, |(id, shown)| {
            let options = sharing(quick(MORE_CASES, 1)).with(|options| {
                options.selection = only(&[id]);
                options.shrink = ShrinkLimits::default();
            });
            let smallest = |fault: &FaultInfo| {
                let report = certified_for(matrix.provider, Fault::from_name(fault.name), &options);
                let line = |finding: &FindingReport| {
                    let like = finding.like.as_ref().map_or("-", |like| like.fault.as_str());
                    let like = if like == fault.name { "itself" } else { like };
                    format!("{:<40} {:>2}  {like}\n", fault.name, finding.deliveries)
                };
                (fault.name, report.findings.iter().map(line).collect::<String>())
            };
            shown.iter().map(|fault| smallest(fault)).collect::<Vec<_>>()
        });
        let lines: BTreeMap<&str, String> = lines.into_iter().flatten().collect();
        let text: String = matrix.aimed().filter_map(|(fault, _)| lines.get(fault.name).cloned()).collect();
        matrix.assert_snapshot("shrunk_deliveries", &text);
    }
}

#[test]
fn faults_are_found_with_other_seeds_too() {
    // Ten with the first and every fault, where all are asked for, which takes long.
    let (seeds, one_in) = if std::env::var_os("ALL_SEEDS").is_some() { (10, 1) } else { (2, 6) };
    let mut missed: Vec<String> = Vec::new();
    for matrix in &*MATRICES {
        let of_requirements = side_by_side(&shown_by_requirement(matrix), |(id, shown)| {
            let mut missed = Vec::new();
            for seed in 2..=seeds {
                // As many cases as a run has where nothing is said.
                let options = sharing(quick(Options::new().cases, seed)).with(|options| options.selection = only(&[id]));
                for fault in shown.iter().step_by(one_in) {
                    let report = certified_for(matrix.provider, Fault::from_name(fault.name), &options);
                    if report.findings.is_empty() {
                        missed.push(format!("{}: {} is not found with seed {seed}", matrix.name(), fault.name));
                    }
                }
            }
            missed
        });
        missed.extend(of_requirements.into_iter().flatten());
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

/// The faults by the requirement that shows them.
fn shown_by_requirement(matrix: &Matrix) -> Vec<(&str, Vec<&'static FaultInfo>)> {
    let mut shown: BTreeMap<&str, Vec<&'static FaultInfo>> = BTreeMap::new();
    for (fault, aim) in matrix.aimed() {
        if let Some(id) = matrix.shown_by(fault, aim) {
            shown.entry(id).or_default().push(fault);
        }
    }
    shown.into_iter().collect()
}
