//! One requirement's cases: drawn, driven, and if one fails, shrunk and told.

use std::{collections::VecDeque, time::Duration};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{
    drive::{Driver, Outcome, Played},
    options::Options,
    outcome::{Chance, FailureReport, RequirementResult, Resemblance},
    shard::{RanCase, Trail},
    shrink::{Shrunk, shrink},
    tally::{MOST_KNOWN, Planned, settle, settle_share},
};
use crate::{
    adapter::{Capabilities, TargetError, TargetErrorKind},
    case::{Case, Terms},
    check::{FailureKind, Finding, Rules, diagnose, fingerprint, reaches, verdict::Verdict, waivers::Subject},
    corpus::{RequirementText, bug_classes},
    domain::Clock,
    plan::{Plan, PlanStrategy, Recipe},
    provider::{Provider, lower, lower_for},
};

/// How many times more plans than cases are drawn while too few of them get where they should.
const EXTRA_DRAWS: u32 = 3;

/// A case on which a last look is owed.
struct Open {
    number: u32,
    tree: Box<dyn ValueTree<Value = Plan>>,
    case: Case,
    reached: bool,
    played: Played,
}

impl Open {
    /// What is to be noted of it if it does not fail.
    fn ran(&self) -> RanCase {
        let deliveries = self.played.outcome().deliveries;
        RanCase { case: self.number, deliveries, missed: !self.reached, failed: None, last: false }
    }
}

/// How many cases of an asynchronous target may wait for their last look; the quiet time passes for all of them at once.
const MOST_OPEN: usize = 256;

/// How often a case is run whose end depends on chance before it counts as one that does not fail.
const TRIES: u32 = 5;

/// How often a shrunk case whose end depends on chance is run, to say how often it fails.
const CHANCES: u32 = 20;

/// One requirement's cases.
pub(super) struct Work<'c> {
    pub(super) provider: &'c dyn Provider,
    pub(super) options: &'c Options,
    /// How the target is reached.
    pub(super) transport: &'c str,
    /// Times the run.
    pub(super) wall: &'c Clock,
    /// Whether nothing more is to be begun.
    pub(super) is_over: &'c dyn Fn() -> bool,
    /// The requirement's place in the catalogue.
    pub(super) index: usize,
    pub(super) requirement: &'c RequirementText,
    pub(super) recipe: Recipe,
    pub(super) strategy: PlanStrategy,
}

impl Work<'_> {
    /// Runs the cases, until one fails, and notes in the result what came of them.
    pub(super) fn run(&self, driver: &mut Driver<'_>, result: &mut RequirementResult, shrinking: &mut dyn FnMut(usize)) {
        let options = self.options;
        let wanted = options.cases;
        let most = wanted.saturating_mul(1 + EXTRA_DRAWS);
        let mut planned = Planned::default();
        let mut drawn = 0;
        let mut trail = Trail { finished: true, ..Trail::default() };
        let mut open: VecDeque<Open> = VecDeque::new();
        let mut decided = false;
        while !decided && drawn < most && planned.wants_more(wanted, result.floor) {
            let number = drawn;
            drawn += 1;
            if (self.is_over)() {
                trail.finished = false;
                break;
            }
            let Some(tree) = self.draw(number) else { continue };
            let plan = tree.current();
            let palette = self.provider.palette();
            let case = self.case(&plan, self.serial(number), driver.capabilities());
            let reached = reaches(self.recipe, &case, palette);
            if !reached && reaches(self.recipe, &self.whole_case(&plan, self.serial(number)), palette) {
                trail.unsubscribed += 1;
            }
            if case.deliveries() == 0 {
                continue;
            }
            planned.count(reached);
            if options.shard.is_some_and(|shard| !shard.has(&self.requirement.id, u64::from(number))) {
                continue;
            }
            // What it complained about in earlier cases is not this case's, and depends on which worker ran them.
            drop(driver.target.complaints());
            let played = driver.play(&self.name(number), &case, self.rules());
            let most_open = if played.is_open() { MOST_OPEN } else { 0 };
            let stopped = played.outcome().has_stopped();
            if stopped && !played.outcome().is_still_there() {
                // What the target shows of earlier cases after it was killed says nothing of them.
                trail.ran.extend(open.drain(..).map(|open| open.ran()));
            }
            open.push_back(Open { number, tree, case, reached, played });
            decided = self.close_all(&mut open, if stopped { 0 } else { most_open }, driver, result, &mut trail, shrinking);
        }
        if !decided {
            self.close_all(&mut open, 0, driver, result, &mut trail, shrinking);
        }
        settle(result, &trail);
        if options.shard.is_some() {
            settle_share(result, &trail, planned);
            result.trail = Some(trail);
        }
    }

    /// Ends cases until no more than `most` are open; whether the requirement is decided by one of them.
    fn close_all(
        &self,
        open: &mut VecDeque<Open>,
        most: usize,
        driver: &mut Driver<'_>,
        result: &mut RequirementResult,
        trail: &mut Trail,
        shrinking: &mut dyn FnMut(usize),
    ) -> bool {
        while open.len() > most {
            let Some(next) = open.pop_front() else { break };
            let (ran, usable) = self.close(next, trail.failing(), driver, result, shrinking);
            let last = ran.last;
            trail.ran.push(ran);
            if last || trail.failing() == MOST_KNOWN {
                return true;
            }
            if !usable {
                trail.ran.extend(open.drain(..).map(|open| open.ran()));
            }
        }
        false
    }

    /// Ends a case; what is to be noted of it, and whether the target can still be asked about the others.
    fn close(
        &self,
        open: Open,
        failing: u32,
        driver: &mut Driver<'_>,
        result: &mut RequirementResult,
        shrinking: &mut dyn FnMut(usize),
    ) -> (RanCase, bool) {
        let mut ran = open.ran();
        let Open { number, tree, case, played, .. } = open;
        let outcome = driver.finish(played);
        if let Some(error) = outcome.error {
            result.verdict = Verdict::Error;
            result.note = Some(with_complaints(&error, &driver.complaints()));
            ran.last = true;
            return (ran, false);
        }
        if outcome.failure.is_none() {
            return (ran, true);
        }
        let usable = outcome.is_still_there();
        let failure = self.shrink(driver, number, failing, tree, (case, outcome), shrinking);
        ran.last = !self.goes_on_after(&failure) || !usable && driver.recover().is_err();
        ran.failed = Some(failure.fingerprint.clone());
        if !result.failures.iter().any(|other| other.fingerprint == failure.fingerprint) {
            result.failures.push(failure);
        }
        (ran, usable)
    }

    /// Whether further cases are looked at after this failure: a known one must not hide another one. One that costs
    /// the time of a hang or of a new start is not looked for twice.
    fn goes_on_after(&self, failure: &FailureReport) -> bool {
        let options = self.options;
        let costly = [FailureKind::Timeout, FailureKind::Crash].iter().any(|kind| kind.as_str() == failure.kind);
        let is_known = options.known.names(&Subject::Requirement(self.requirement.id.clone()), &failure.fingerprint);
        (is_known || options.collect) && (!costly || self.transport == "in-process")
    }

    fn draw(&self, number: u32) -> Option<Box<dyn ValueTree<Value = Plan>>> {
        draw(&self.strategy, crate::provider::Mint::new(self.options.seed).number(&self.requirement.id, u64::from(number)))
    }

    fn name(&self, number: u32) -> String {
        format!("{}-{number:04}", self.requirement.id)
    }

    /// Order ids are never reused, so every case that a target sees has a serial of its own. The first million
    /// belongs to frozen sequences.
    fn serial(&self, number: u32) -> u64 {
        (self.index as u64 + 1) * 1_000_000 + u64::from(number)
    }

    fn rules(&self) -> Rules {
        Rules::of(&self.requirement.id)
    }

    /// The case of a plan as a target that gets everything would get it.
    fn whole_case(&self, plan: &Plan, serial: u64) -> Case {
        lower(self.provider, plan, serial).case
    }

    /// The case of a plan as the target gets it.
    fn case(&self, plan: &Plan, serial: u64, capabilities: &Capabilities) -> Case {
        let subscribed = |kind: &str| capabilities.is_subscribed(kind);
        let case = lower_for(self.provider, plan, serial, &subscribed).case;
        let mut case = case.restricted_to(terms(&subscribed, capabilities));
        case.requirement = Some(self.requirement.id.clone());
        case.title.clone_from(&self.requirement.shows);
        case
    }

    fn shrink(
        &self,
        driver: &mut Driver<'_>,
        number: u32,
        failing: u32,
        tree: Box<dyn ValueTree<Value = Plan>>,
        shown: (Case, Outcome),
        shrinking: &mut dyn FnMut(usize),
    ) -> FailureReport {
        let kind = shown.1.failure.as_ref().map(|failure| failure.kind);
        let started = self.wall.monotonic();
        let mut attempt = u64::from(failing) * 1_000_000_000;
        let mut complaints = driver.complaints();
        let mut smallest = usize::MAX;
        let mut limits = self.options.shrink;
        let first = Shrunk { plan: tree.current(), shown, is_smallest: false };
        let is_costly = self.transport != "in-process" && matches!(kind, Some(FailureKind::Timeout | FailureKind::Crash));
        if is_costly {
            // Each attempt costs the whole answer limit, or a new start.
            limits.attempts = limits.attempts.min(if kind == Some(FailureKind::Timeout) { 6 } else { 20 });
        }
        let smaller = shrink(
            (!is_costly).then_some(tree),
            first,
            limits,
            || if (self.is_over)() { Duration::MAX } else { self.wall.monotonic().saturating_sub(started) },
            |plan| {
                let mut tries = 0;
                loop {
                    attempt += 1;
                    tries += 1;
                    let (case, outcome) = self.attempt(driver, number, attempt, plan, kind)?;
                    let same = outcome.failure.as_ref().map(|failure| failure.kind) == kind;
                    let said = driver.complaints();
                    if same {
                        complaints = said;
                        let size = case.deliveries();
                        if size < smallest {
                            smallest = size;
                            shrinking(size);
                        }
                        return Some((size, (case, outcome)));
                    }
                    if tries >= TRIES || !case.is_chancy() || (self.is_over)() {
                        return None;
                    }
                }
            },
        );
        let (mut case, outcome) = smaller.shown;
        // What was seen may have been chance although nothing in the case says so; one more look tells.
        let is_lost = !is_costly && !case.is_chancy() && limits.attempts > 0 && {
            attempt += 1;
            let again = self.attempt(driver, number, attempt, &smaller.plan, kind);
            again.is_some_and(|(_, outcome)| outcome.failure.is_none())
        };
        let chance = (case.is_chancy() || is_lost).then(|| self.chance(driver, number, attempt, &smaller.plan, kind));
        // Nothing is said of runs that there could not be.
        let chance = chance.filter(|chance| chance.runs > 0);
        case.plan = Some(smaller.plan);
        self.failure_report(number, case, smaller.is_smallest, outcome, complaints, chance)
    }

    /// Runs a plan while shrinking; `None` if there is nothing to run or nobody to run it.
    fn attempt(
        &self,
        driver: &mut Driver<'_>,
        number: u32,
        attempt: u64,
        plan: &Plan,
        kind: Option<FailureKind>,
    ) -> Option<(Case, Outcome)> {
        // The few cases of a requirement that are shrunk are far apart in `attempt` itself.
        let serial = 1_000_000_000 + self.serial(0) + attempt;
        let capabilities = driver.capabilities().clone();
        let case = self.case(plan, serial, &capabilities);
        if case.deliveries() == 0 {
            return None;
        }
        if matches!(kind, Some(FailureKind::Crash | FailureKind::Timeout)) && driver.recover().is_err() {
            return None;
        }
        let outcome = driver.run(&format!("{}-shrink-{attempt}", self.name(number)), &case, self.rules());
        Some((case, outcome))
    }

    /// How often the shrunk case fails.
    fn chance(&self, driver: &mut Driver<'_>, number: u32, attempts: u64, plan: &Plan, kind: Option<FailureKind>) -> Chance {
        let mut chance = Chance { failed: 0, runs: 0 };
        let started = self.wall.monotonic();
        // Targets that hang or take long to start would make this take for ever.
        let in_time = || self.wall.monotonic().saturating_sub(started) <= self.options.shrink.time;
        while chance.runs < CHANCES && (chance.runs == 0 || in_time()) && !(self.is_over)() {
            let Some((_, outcome)) = self.attempt(driver, number, attempts + 1 + u64::from(chance.runs), plan, kind) else { break };
            chance.runs += 1;
            chance.failed += u32::from(outcome.failure.is_some());
        }
        chance
    }

    fn failure_report(
        &self,
        number: u32,
        mut case: Case,
        is_smallest: bool,
        outcome: Outcome,
        complaints: String,
        chance: Option<Chance>,
    ) -> FailureReport {
        let answers = outcome.answers();
        let failure = outcome.failure;
        let palette = self.provider.palette();
        let class = failure.as_ref().and_then(|failure| diagnose(&case, failure.kind, &failure.observed, palette));
        let class = class.or(self.requirement.bugs.first().map(String::as_str));
        let fingerprint = failure.as_ref().map_or_else(String::new, |failure| {
            // Where chance has a say, what is left of the case is chance too.
            let case = (is_smallest && !case.is_chancy()).then_some(&case);
            let requirement = self.requirement.id.as_str();
            fingerprint(&Finding { requirement, kind: failure.kind, entry: failure.entry, diff: &failure.diff, case })
        });
        let (entry, kind, message, expected, observed, diff) = match failure {
            Some(failure) => (failure.entry, failure.kind.as_str(), failure.message, failure.expected, failure.observed, failure.diff),
            None => (None, "", String::new(), String::new(), String::new(), String::new()),
        };
        case.title = format!("{}: {message}", self.requirement.id);
        FailureReport {
            case: self.name(number),
            deliveries: case.deliveries(),
            fingerprint,
            kind: kind.to_owned(),
            message,
            expected,
            observed,
            diff,
            file: String::new(),
            reproduce: String::new(),
            resembles: resemblance(class),
            chance,
            answers,
            stderr: complaints,
            shrunk: Some(Box::new(case)),
            entry,
        }
    }
}

fn draw(strategy: &PlanStrategy, seed: u64) -> Option<Box<dyn ValueTree<Value = Plan>>> {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..].copy_from_slice(&(!seed).rotate_left(23).to_le_bytes());
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::XorShift, &bytes));
    strategy.new_tree(&mut runner).ok()
}

/// The plan that a strategy draws from a seed.
pub fn sample(strategy: &PlanStrategy, seed: u64) -> Option<Plan> {
    draw(strategy, crate::provider::Mint::new(seed).number("sample", 0)).map(|tree| tree.current())
}

/// The terms on which a target with these capabilities is certified.
pub fn terms<'t>(subscribed: &'t dyn Fn(&str) -> bool, capabilities: &Capabilities) -> Terms<'t> {
    Terms {
        subscribed,
        initiates: capabilities.initiates_refunds,
        verifies: capabilities.verifies_signatures,
        durable: capabilities.durable,
    }
}

fn resemblance(class: Option<&str>) -> Option<Resemblance> {
    let class = bug_classes().iter().find(|known| Some(known.id.as_str()) == class)?;
    Some(Resemblance { class: class.id.clone(), name: class.name.clone(), links: class.links.iter().take(3).cloned().collect() })
}

fn with_complaints(error: &TargetError, complaints: &str) -> String {
    let last = complaints.lines().rev().find(|line| !line.trim().is_empty());
    match (last, &error.kind) {
        (Some(line), kind) if *kind != TargetErrorKind::Unsupported => format!("{error}; its standard error ends with: {line}"),
        _ => error.to_string(),
    }
}
