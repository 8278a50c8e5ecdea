//! One requirement's cases: drawn, driven, and if one fails, shrunk and told.

use std::{
    collections::VecDeque,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{
    drive::{Driver, Outcome, Played},
    exercise::Canaries,
    options::Options,
    outcome::{Chance, FailureReport, RequirementResult, Resemblance},
    shard::{RanCase, Trail},
    shrink::{Shrunk, shrink},
    tally::{MOST_KNOWN, Planned, note, settle, settle_share},
};
use crate::{
    adapter::{Capabilities, TargetError, TargetErrorKind},
    case::{Case, Terms},
    check::{Coverage, FailureKind, Finding, Rules, diagnose, fingerprint, verdict::Verdict, waivers::Subject},
    corpus::{RequirementText, bug_classes},
    domain::Clock,
    plan::{Plan, PlanStrategy},
    provider::{Provider, lower, lower_for},
};

/// How many times more plans than cases are drawn while too few of them get where they should.
const EXTRA_DRAWS: u32 = 3;

/// A case on which a last look is owed.
struct Open {
    number: u32,
    tree: Box<dyn ValueTree<Value = Plan>>,
    case: Case,
    exercised: bool,
    played: Played,
}

impl Open {
    /// What is to be noted of it if it does not fail.
    fn ran(&self) -> RanCase {
        let deliveries = self.played.outcome().deliveries;
        RanCase { case: self.number, deliveries, missed: !self.exercised, failed: None, last: false }
    }
}

/// How many cases of an asynchronous target may wait for their last look; the quiet time passes for all of them at once.
const MOST_OPEN: usize = 256;

/// How often a case is run whose end depends on chance before it counts as one that does not fail.
const TRIES: u32 = 5;

/// How often a shrunk case whose end depends on chance is run, to say how often it fails.
const CHANCES: u32 = 20;

/// Who else uses the machine while a case is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Company {
    /// The other workers.
    Others,
    /// No other worker.
    Nobody,
}

/// One requirement's cases.
pub(super) struct Work<'c> {
    pub(super) provider: &'c dyn Provider,
    pub(super) options: &'c Options,
    /// How the target is reached.
    pub(super) transport: &'c str,
    /// Times the run.
    pub(super) wall: &'c Clock,
    /// Held by whoever plays a case; as a whole by whoever must be alone with the machine.
    pub(super) machine: &'c RwLock<()>,
    /// Whether nothing more is to be begun.
    pub(super) is_over: &'c dyn Fn() -> bool,
    /// The requirement's place in the catalogue.
    pub(super) index: usize,
    pub(super) requirement: &'c RequirementText,
    pub(super) strategy: PlanStrategy,
}

impl<'c> Work<'c> {
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
        let mut coverage = Coverage::default();
        let mut unclaimed = None;
        let mut canaries = match Canaries::new(self.provider, &self.requirement.id, self.rules(), driver.capabilities()) {
            Ok(canaries) => canaries,
            Err(error) => {
                result.verdict = Verdict::Error;
                result.note = Some(format!("the harness's own canaries do not start: {error}"));
                return;
            }
        };
        while !decided && drawn < most && planned.wants_more(wanted, result.floor, trail.blinded) {
            let number = drawn;
            drawn += 1;
            if (self.is_over)() {
                trail.finished = false;
                break;
            }
            let Some(tree) = self.draw(number) else { continue };
            let plan = tree.current();
            let case = self.case(&plan, self.serial(number), driver.capabilities());
            let exercised = canaries.exercises(&case);
            trail.refuted = trail.refuted || canaries.null_fails(&case);
            if !exercised && self.exercises_otherwise(&plan, number, &mut unclaimed) {
                trail.blinded += 1;
            }
            if case.deliveries() == 0 {
                continue;
            }
            planned.count(exercised);
            if options.shard.is_some_and(|shard| !shard.has(&self.requirement.id, u64::from(number))) {
                continue;
            }
            // What it complained about in earlier cases is not this case's, and depends on which worker ran them.
            drop(driver.complaints());
            let played = self.playing(Company::Others, || driver.play(&self.name(number), &case, self.rules()));
            let most_open = if played.is_open() { MOST_OPEN } else { 0 };
            let stopped = played.outcome().has_stopped();
            if stopped && !played.outcome().is_still_there() {
                // What the target shows of earlier cases after it was killed says nothing of them.
                trail.ran.extend(open.drain(..).map(|open| open.ran()));
            }
            coverage.count(&case);
            open.push_back(Open { number, tree, case, exercised, played });
            decided = self.close_all(&mut open, if stopped { 0 } else { most_open }, driver, result, &mut trail, shrinking);
        }
        if !decided {
            self.close_all(&mut open, 0, driver, result, &mut trail, shrinking);
        }
        settle(result, &trail, options.strict);
        result.coverage = Some(coverage).filter(|_| result.failures.is_empty() && result.verdict != Verdict::Error);
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
        let mut shown = (case, self.playing(Company::Others, || driver.finish(played)));
        let mut usable = shown.1.is_still_there();
        if shown.1.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Timeout) {
            // It may have been the machine that was slow. The first serials are those of shrinking.
            let attempt = u64::from(failing) * 1_000_000_000 + 900_000_000 + u64::from(number);
            let again = self.attempt(driver, number, attempt, &tree.current(), Some(FailureKind::Timeout), Company::Nobody);
            // It has been started again for this, and has perhaps forgotten the other cases.
            usable = false;
            shown = again.unwrap_or(shown);
        }
        if let Some(error) = &shown.1.error {
            result.verdict = Verdict::Error;
            result.note = Some(with_complaints(error, &driver.complaints()));
            ran.last = true;
            return (ran, false);
        }
        if shown.1.failure.is_none() {
            return (ran, usable);
        }
        let failure = self.shrink(driver, number, failing, tree, shown, shrinking);
        ran.last = !self.goes_on_after(&failure) || !driver.is_usable() && driver.recover().is_err();
        ran.failed = Some(failure.fingerprint.clone());
        note(&mut result.failures, failure);
        (ran, usable)
    }

    /// Whether further cases are looked at after this failure: a known one must not hide another one. One that costs
    /// the time of a hang or of a new start is not looked for twice.
    fn goes_on_after(&self, failure: &FailureReport) -> bool {
        let options = self.options;
        let costly = [FailureKind::Timeout, FailureKind::Crash].iter().any(|kind| kind.as_str() == failure.kind);
        if !failure.came_again() {
            // It is no verdict yet.
            return true;
        }
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
        Rules::of(&self.requirement.id, self.provider.answer_limit())
    }

    /// Whether the plan could show a mistake of a target that claims everything. What is needed for that is made once, and
    /// only for targets that claim less.
    fn exercises_otherwise(&self, plan: &Plan, number: u32, canaries: &mut Option<Canaries<'c>>) -> bool {
        if canaries.is_none() {
            *canaries = Canaries::new(self.provider, &self.requirement.id, self.rules(), &Capabilities::everything()).ok();
        }
        let case = lower(self.provider, plan, self.serial(number)).case;
        canaries.as_mut().is_some_and(|canaries| canaries.exercises(&case))
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
        // What hangs on time is not to hang on what others do meanwhile.
        let company = if kind == Some(FailureKind::Timeout) { Company::Nobody } else { Company::Others };
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
                    let (case, outcome) = self.attempt(driver, number, attempt, plan, kind, company)?;
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
        let mut again = |attempt: u64, company: Company| {
            let (_, outcome) = self.attempt(driver, number, attempt, &smaller.plan, kind, company)?;
            // An error says nothing either way.
            outcome.error.is_none().then_some(outcome.failure.is_some())
        };
        let is_lost = !case.is_chancy() && kind != Some(FailureKind::Timeout) && limits.attempts > 0 && {
            attempt += 1;
            again(attempt, company) == Some(false)
        };
        let chance = (case.is_chancy() || is_lost).then(|| self.chance(u32::from(is_lost), attempt, company, &mut again));
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
        company: Company,
    ) -> Option<(Case, Outcome)> {
        // The few cases of a requirement that are shrunk are far apart in `attempt` itself.
        let serial = 1_000_000_000 + self.serial(0) + attempt;
        let capabilities = driver.capabilities().clone();
        let case = self.case(plan, serial, &capabilities);
        if case.deliveries() == 0 {
            return None;
        }
        let starts_anew = matches!(kind, Some(FailureKind::Crash | FailureKind::Timeout)) || !driver.is_usable();
        if starts_anew && driver.recover().is_err() {
            return None;
        }
        drop(driver.complaints());
        let name = format!("{}-shrink-{attempt}", self.name(number));
        let outcome = self.playing(company, || driver.run(&name, &case, self.rules()));
        Some((case, outcome))
    }

    /// Plays something, while others do too or while nobody does.
    fn playing<T>(&self, company: Company, play: impl FnOnce() -> T) -> T {
        // The lock keeps nothing that a panic could have spoiled.
        match company {
            Company::Others => {
                let _held = self.machine.read().unwrap_or_else(PoisonError::into_inner);
                play()
            }
            Company::Nobody => {
                let _held = self.machine.write().unwrap_or_else(PoisonError::into_inner);
                play()
            }
        }
    }

    /// How often the shrunk case fails, after so many runs in which it did not. `again` runs it, and says whether it failed if
    /// that can be said. When it never does, it is given a last chance with the machine to itself.
    fn chance(&self, ran: u32, attempts: u64, company: Company, again: &mut dyn FnMut(u64, Company) -> Option<bool>) -> Chance {
        let mut chance = Chance { failed: 0, runs: ran };
        let mut attempt = attempts;
        let started = self.wall.monotonic();
        // Targets that hang or take long to start would make this take for ever.
        let in_time = || self.wall.monotonic().saturating_sub(started) <= self.options.shrink.time;
        let mut run = |chance: &mut Chance, company| {
            attempt += 1;
            let Some(failed) = again(attempt, company) else { return false };
            chance.runs += 1;
            chance.failed += u32::from(failed);
            true
        };
        while chance.runs < CHANCES && (chance.runs == 0 || in_time()) && !(self.is_over)() {
            if !run(&mut chance, company) {
                break;
            }
        }
        if chance.failed == 0 && !(self.is_over)() {
            run(&mut chance, Company::Nobody);
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
