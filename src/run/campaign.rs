//! A whole certification: every selected requirement with its cases, then the frozen sequences.
//!
//! Each case is drawn from the seed, its requirement and its number alone, so neither the number of workers
//! nor a selection changes what is sent, and the report comes out the same.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use globset::{Glob, GlobSet, GlobSetBuilder};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{
    drive::{BeforeDelivery, Conditions, Driver, Outcome, Played, Secrets},
    events::RunEvent,
    factory::Factory,
    outcome::{
        Chance, FailureReport, ItemResult, REPORT_SCHEMA, Report, RequirementResult, Resemblance, SnapshotDifference, SnapshotResult,
        SuiteInfo, TargetInfo, Totals,
    },
    redact::Redactor,
    shrink::{ShrinkLimits, Shrunk, shrink},
};
use crate::{
    adapter::{Capabilities, Introduction, TargetError, TargetErrorKind},
    case::{Case, Delivery, Terms},
    check::{
        FailureKind, Rules, diagnose, diff, reaches, snapshot,
        verdict::{Conformance, Judged, Verdict},
    },
    corpus::{Corpus, Level, RequirementText, bug_classes},
    domain::Clock,
    plan::{Plan, PlanStrategy, Recipe, for_recipe},
    provider::{Provider, lower, lower_for},
};

/// How a certification is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// What cases are drawn from.
    pub seed: u64,
    /// How many cases each requirement gets.
    pub cases: u32,
    /// Which requirements.
    pub selection: Selection,
    /// How many workers, each with a target of its own.
    pub jobs: usize,
    /// When the run ends at the latest.
    pub time_limit: Option<Duration>,
    /// How long an asynchronous target may take to show what it acknowledged.
    pub settle: Duration,
    /// How long an asynchronous target must still be right after the end of a case.
    pub quiet: Duration,
    /// How long an answer may take; `None` waits for ever.
    pub answer_limit: Option<Duration>,
    /// What deliveries are signed with.
    pub secrets: Secrets,
    /// Makes the ids that a target gets to see the run's own, for targets that keep what they were told; in-process
    /// targets and processes that are not durable get the ids as they are.
    pub salt: Option<u64>,
    /// What is done before each delivery, with the index of its entry; for people who step.
    pub before: Option<fn(usize, &Delivery)>,
    /// When to stop looking for smaller cases.
    pub shrink: ShrinkLimits,
}

impl Default for Options {
    fn default() -> Options {
        let Conditions { secrets, answer_limit, settle, quiet, salt, .. } = Conditions::default();
        Options {
            seed: 20_241_121,
            cases: 100,
            selection: Selection::everything(),
            jobs: 1,
            time_limit: None,
            settle,
            quiet,
            answer_limit,
            secrets,
            salt,
            before: None,
            shrink: ShrinkLimits::default(),
        }
    }
}

impl Options {
    /// A driver on these terms for a target that the factory made.
    ///
    /// # Errors
    /// When the target does not start or does not speak the protocol.
    pub fn driver<'a>(&self, provider: &'a dyn Provider, factory: &dyn Factory, clock: Clock) -> Result<Driver<'a>, TargetError> {
        let conditions = Conditions {
            secrets: factory.secrets().unwrap_or(&self.secrets).clone(),
            signature_header: factory.signature_header().map(str::to_owned),
            answer_limit: self.answer_limit,
            settle: self.settle,
            quiet: self.quiet,
            salt: self.salt,
        };
        let mut driver = Driver::new(provider, factory.make()?, clock, conditions)?;
        let keeps = match factory.transport() {
            "in-process" => false,
            "stdio" => driver.capabilities().durable,
            _ => true,
        };
        driver.conditions.salt = driver.conditions.salt.filter(|_| keeps);
        driver.before = self.before.map(|before| Box::new(before) as BeforeDelivery<'_>);
        Ok(driver)
    }
}

/// Which requirements are run; the frozen sequences answer to the name `snapshots`.
#[derive(Clone, Debug)]
pub struct Selection {
    only: Option<GlobSet>,
    skip: Option<GlobSet>,
}

/// The name by which a selection includes or excludes the frozen sequences.
const SNAPSHOTS: &str = "snapshots";

impl Selection {
    /// Everything.
    pub fn everything() -> Selection {
        Selection { only: None, skip: None }
    }

    /// What fits one of `only` (everything, if there are none) and none of `skip`.
    ///
    /// # Errors
    /// When a pattern is not a glob.
    pub fn new(only: &[String], skip: &[String]) -> Result<Selection, String> {
        Ok(Selection { only: globs(only)?, skip: globs(skip)? })
    }

    /// Whether a requirement is selected.
    pub fn includes(&self, id: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.is_match(id)) && !self.skip.as_ref().is_some_and(|skip| skip.is_match(id))
    }
}

fn globs(patterns: &[String]) -> Result<Option<GlobSet>, String> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(|error| error.to_string())?);
    }
    set.build().map(Some).map_err(|error| error.to_string())
}

/// Runs a certification. `emit` hears of everything as it happens; the report is also the last event.
///
/// # Errors
/// When the target cannot be started or does not introduce itself. Whatever happens later is in the report.
pub fn certify(
    provider: &dyn Provider,
    factory: &dyn Factory,
    options: &Options,
    stop: &AtomicBool,
    emit: &mut dyn FnMut(&RunEvent<'_>),
) -> Result<Report, TargetError> {
    let clock = factory.clock();
    let redactor = Redactor::of(options, factory);
    let campaign = Campaign { provider, factory, options, stop, clock, wall: Clock::system(), spoiled: AtomicU32::new(0) };
    let first = campaign.driver().map_err(|error| redactor.error(error))?;
    let mut introduction = first.introduction.clone();
    let capabilities = introduction.capabilities.clone();
    redactor.introduction(&mut introduction);
    let corpus = provider.corpus();
    let selected: Vec<(usize, &RequirementText)> =
        corpus.requirements.iter().enumerate().filter(|(_, requirement)| options.selection.includes(&requirement.id)).collect();
    emit(&RunEvent::Started { target: &introduction, requirements: selected.len(), cases: options.cases });

    let mut requirements = campaign.run_requirements(first, &selected, emit);
    let snapshots = if options.selection.includes(SNAPSHOTS) && !campaign.is_over() {
        let snapshots = campaign.run_snapshots(&capabilities, corpus);
        emit(&RunEvent::SnapshotsCompared { compared: snapshots.compared, differing: snapshots.differing.len() });
        snapshots
    } else {
        SnapshotResult { note: Some("not selected".to_owned()), ..SnapshotResult::default() }
    };
    requirements.sort_by_key(|(index, _)| *index);
    let requirements: Vec<RequirementResult> = requirements.into_iter().map(|(_, result)| result).collect();
    let mut report = campaign.report(introduction, requirements, snapshots);
    redactor.report(&mut report);
    emit(&RunEvent::Finished(&report));
    Ok(report)
}

struct Campaign<'a> {
    provider: &'a dyn Provider,
    factory: &'a dyn Factory,
    options: &'a Options,
    stop: &'a AtomicBool,
    /// Times answers; may be a manual clock.
    clock: Clock,
    /// Times the run.
    wall: Clock,
    /// How many requirements ended with a hanging target or an adapter error. After a few of those the rest is
    /// not judged: each costs the full time limit, and a run must end.
    spoiled: AtomicU32,
}

/// How many requirements may end in a hang or an adapter error before the run gives up.
const MOST_SPOILED: u32 = 3;

/// How many times more plans than cases are drawn while too few of them get where they should.
const EXTRA_DRAWS: u32 = 3;

enum Message {
    Started(usize),
    Shrinking(usize, usize),
    Finished(usize, Box<RequirementResult>),
}

impl<'a> Campaign<'a> {
    fn driver(&self) -> Result<Driver<'a>, TargetError> {
        self.options.driver(self.provider, self.factory, self.clock.clone())
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.options.time_limit.is_some_and(|limit| self.wall.monotonic() > limit)
    }

    fn run_requirements(
        &self,
        first: Driver<'a>,
        selected: &[(usize, &RequirementText)],
        emit: &mut dyn FnMut(&RunEvent<'_>),
    ) -> Vec<(usize, RequirementResult)> {
        let next = AtomicUsize::new(0);
        let mut results = Vec::with_capacity(selected.len());
        let (tell, hear) = mpsc::channel();
        let first = Mutex::new(Some(first));
        let redactor = Redactor::of(self.options, self.factory);
        std::thread::scope(|scope| {
            for _ in 0..self.options.jobs.min(self.factory.workers()).clamp(1, selected.len().max(1)) {
                let (tell, next, first, redactor) = (tell.clone(), &next, &first, &redactor);
                scope.spawn(move || {
                    let mut driver = first.lock().ok().and_then(|mut first| first.take());
                    while let Some((index, requirement)) = selected.get(next.fetch_add(1, Ordering::Relaxed)) {
                        // Whoever listens may have gone; the work is then for nothing but harms nobody.
                        let _ = tell.send(Message::Started(*index));
                        let mut shrinking = |deliveries| {
                            let _ = tell.send(Message::Shrinking(*index, deliveries));
                        };
                        let work = AssertUnwindSafe(|| self.judge(*index, requirement, &mut driver, &mut shrinking));
                        let mut result = catch_unwind(work).unwrap_or_else(|_| {
                            error_result(requirement, "the harness itself panicked here; please report it with the seed".to_owned())
                        });
                        redactor.requirement(&mut result);
                        let _ = tell.send(Message::Finished(*index, Box::new(result)));
                    }
                });
            }
            drop(tell);
            let id = |index: usize| self.provider.corpus().requirements[index].id.as_str();
            for message in hear {
                match message {
                    Message::Started(index) => emit(&RunEvent::RequirementStarted { id: id(index) }),
                    Message::Shrinking(index, deliveries) => emit(&RunEvent::Shrinking { id: id(index), deliveries }),
                    Message::Finished(index, result) => {
                        emit(&RunEvent::RequirementFinished(&result));
                        results.push((index, *result));
                    }
                }
            }
        });
        results
    }

    fn judge(
        &self,
        index: usize,
        requirement: &RequirementText,
        driver: &mut Option<Driver<'a>>,
        shrinking: &mut dyn FnMut(usize),
    ) -> RequirementResult {
        let started = self.wall.monotonic();
        let mut result = blank_result(requirement);
        let Some(recipe) = requirement.recipe.as_deref().and_then(recipe) else {
            result.note = Some("this version does not judge it yet".to_owned());
            return result;
        };
        result.judged = true;
        result.floor = (self.options.cases * u32::from(requirement.floor)).div_ceil(100);
        if self.is_over() {
            result.note = Some("the run ended before it".to_owned());
            return result;
        }
        if self.spoiled.load(Ordering::Relaxed) >= MOST_SPOILED {
            return error_result(
                requirement,
                format!("not judged: the target failed to answer in {MOST_SPOILED} requirements before this one"),
            );
        }
        if driver.is_none() {
            match self.driver() {
                Ok(new) => *driver = Some(new),
                Err(error) => {
                    self.spoiled.fetch_add(1, Ordering::Relaxed);
                    return error_result(requirement, error.to_string());
                }
            }
        }
        let Some(ready) = driver.as_mut() else { return result };
        if let Some(reason) = inapplicable(requirement, ready.capabilities()) {
            result.verdict = Verdict::NotApplicable;
            result.note = Some(reason);
            return result;
        }
        let strategy = for_recipe(recipe, self.provider.palette());
        let work = Work { campaign: self, index, requirement, recipe, strategy };
        work.run(ready, &mut result, shrinking);
        let costs_time = self.factory.transport() != "in-process";
        if costs_time
            && (result.verdict == Verdict::Error || result.failures.iter().any(|failure| failure.kind == FailureKind::Timeout.as_str()))
        {
            self.spoiled.fetch_add(1, Ordering::Relaxed);
        }
        let usable = result.failures.is_empty() && result.verdict != Verdict::Error;
        if !usable && ready.recover().is_err() {
            *driver = None;
        }
        result.duration_ms = millis(self.wall.monotonic().saturating_sub(started));
        result
    }

    fn run_snapshots(&self, capabilities: &Capabilities, corpus: &Corpus) -> SnapshotResult {
        let comparable = |case: &Case| case.all_deliveries().all(|delivery| capabilities.is_subscribed(&delivery.event.kind));
        let mut result = SnapshotResult::default();
        if corpus.snapshots.is_empty() {
            result.note = Some("this corpus has none".to_owned());
            return result;
        }
        if self.spoiled.load(Ordering::Relaxed) >= MOST_SPOILED {
            result.note = Some(format!("not compared: the target failed to answer in {MOST_SPOILED} requirements"));
            return result;
        }
        let mut driver = None;
        for (name, case) in &corpus.sequences {
            let Some(snapshot) = corpus.snapshots.get(name) else { continue };
            let own = case.entries.iter().any(|entry| matches!(entry.act, crate::case::Act::Initiate(_)));
            let restarts = case.kills();
            if !comparable(case) || own && !capabilities.initiates_refunds || restarts && !capabilities.durable {
                continue;
            }
            if self.is_over() {
                result.note = Some(format!("the run ended after {} were compared", result.compared));
                break;
            }
            if driver.is_none() {
                driver = self.driver().ok();
            }
            let Some(ready) = driver.as_mut() else {
                result.note = Some("the target could not be started again".to_owned());
                break;
            };
            result.compared += 1;
            let (shown, usable) = show(ready, name, case);
            let expected = snapshot::content(snapshot);
            if shown.trim_matches('\n') != expected {
                result.differing.push(SnapshotDifference { name: name.clone(), diff: diff(&format!("{expected}\n"), &shown) });
            }
            if !usable && ready.recover().is_err() {
                driver = None;
            }
        }
        if result.compared == 0 && result.note.is_none() {
            result.note = Some("none is comparable with what the target subscribes to and claims".to_owned());
        }
        result
    }

    fn report(&self, introduction: Introduction, requirements: Vec<RequirementResult>, snapshots: SnapshotResult) -> Report {
        let mut items: Vec<ItemResult> = Vec::new();
        for requirement in &requirements {
            if !items.iter().any(|item| item.id == requirement.item) {
                let of_item = requirements.iter().filter(|other| other.item == requirement.item);
                items.push(ItemResult { id: requirement.item.clone(), verdict: self.conformance(of_item) });
            }
        }
        let mut verdict = self.conformance(&requirements);
        if !snapshots.differing.is_empty() {
            verdict = Conformance::NotConformant;
        }
        let interrupted = if self.stop.load(Ordering::Relaxed) {
            Some("interrupted".to_owned())
        } else {
            self.is_over().then(|| "time limit".to_owned())
        };
        let totals = Totals {
            cases: requirements.iter().map(|requirement| u64::from(requirement.cases)).sum(),
            deliveries: requirements.iter().map(|requirement| requirement.deliveries).sum(),
            duration_ms: millis(self.wall.monotonic()),
        };
        Report {
            schema: REPORT_SCHEMA.to_owned(),
            suite: SuiteInfo { version: env!("CARGO_PKG_VERSION").to_owned(), digest: self.provider.corpus().digest.clone() },
            provider: self.provider.name().to_owned(),
            seed: self.options.seed,
            target: TargetInfo {
                name: introduction.name,
                version: introduction.version,
                transport: self.factory.transport().to_owned(),
                capabilities: introduction.capabilities,
            },
            verdict,
            interrupted,
            items,
            requirements,
            snapshots,
            totals,
            shard: None,
        }
    }

    fn conformance<'r>(&self, requirements: impl IntoIterator<Item = &'r RequirementResult>) -> Conformance {
        let over = self.is_over();
        Conformance::of(requirements.into_iter().map(|result| Judged {
            verdict: result.verdict,
            must: result.level == Level::Must,
            judged: result.judged,
            out_of_time: over,
        }))
    }
}

/// A case on which a last look is owed.
struct Open {
    number: u32,
    tree: Box<dyn ValueTree<Value = Plan>>,
    case: Case,
    reached: bool,
    played: Played,
}

/// How many cases of an asynchronous target may wait for their last look; the quiet time passes for all of them at once.
const MOST_OPEN: usize = 256;

/// How often a case is run whose end depends on chance before it counts as one that does not fail.
const TRIES: u32 = 5;

/// How often a shrunk case whose end depends on chance is run, to say how often it fails.
const CHANCES: u32 = 20;

/// One requirement's cases.
struct Work<'c, 'a> {
    campaign: &'c Campaign<'a>,
    index: usize,
    requirement: &'c RequirementText,
    recipe: Recipe,
    strategy: PlanStrategy,
}

impl Work<'_, '_> {
    fn run(&self, driver: &mut Driver<'_>, result: &mut RequirementResult, shrinking: &mut dyn FnMut(usize)) {
        let wanted = self.campaign.options.cases;
        let most = wanted.saturating_mul(1 + EXTRA_DRAWS);
        let (mut drawn, mut unsubscribed) = (0, 0);
        let mut open = VecDeque::new();
        while drawn < most && (result.cases < wanted || result.exercised < result.floor) && !self.campaign.is_over() {
            let number = drawn;
            drawn += 1;
            let Some(tree) = self.draw(number) else { continue };
            let plan = tree.current();
            let palette = self.campaign.provider.palette();
            let case = self.case(&plan, self.serial(number), driver.capabilities());
            let reached = reaches(self.recipe, &case, palette);
            if !reached && reaches(self.recipe, &self.whole_case(&plan, self.serial(number)), palette) {
                unsubscribed += 1;
            }
            if case.deliveries() == 0 {
                continue;
            }
            let played = driver.play(&self.name(number), &case, self.rules());
            result.cases += 1;
            result.deliveries += played.outcome().deliveries;
            result.exercised += u32::from(reached);
            let most_open = if played.is_open() { MOST_OPEN } else { 0 };
            let stopped = played.outcome().has_stopped();
            if stopped && !played.outcome().is_still_there() {
                // What the target shows of earlier cases after it was killed says nothing of them.
                open.clear();
            }
            open.push_back(Open { number, tree, case, reached, played });
            while open.len() > if stopped { 0 } else { most_open } {
                if let Some(open) = open.pop_front()
                    && self.close(open, driver, result, shrinking)
                {
                    return;
                }
            }
        }
        for open in open {
            if self.close(open, driver, result, shrinking) {
                return;
            }
        }
        if result.exercised >= result.floor && result.exercised > 0 {
            result.verdict = Verdict::Pass;
        } else if unsubscribed > 0 && result.exercised + unsubscribed >= result.floor {
            // Subscribing to less is a choice and no fault; that it was not judged is said.
            result.verdict = Verdict::NotApplicable;
            result.note = Some("the target does not subscribe to enough of the events that it is about".to_owned());
        } else {
            result.note = Some(format!("{} of {} cases got there; {} must", result.exercised, result.cases, result.floor));
        }
    }

    /// Ends a case; whether the requirement is decided by it.
    fn close(&self, open: Open, driver: &mut Driver<'_>, result: &mut RequirementResult, shrinking: &mut dyn FnMut(usize)) -> bool {
        let Open { number, tree, case, reached, played } = open;
        let outcome = driver.finish(played);
        if let Some(error) = outcome.error {
            result.verdict = Verdict::Error;
            result.note = Some(with_complaints(&error, &driver.complaints()));
            return true;
        }
        if outcome.failure.is_none() {
            return false;
        }
        result.exercised += u32::from(!reached);
        result.verdict = if self.requirement.level == Level::Must { Verdict::Fail } else { Verdict::Warn };
        result.failures.push(self.shrink(driver, number, tree, case, outcome, shrinking));
        true
    }

    fn draw(&self, number: u32) -> Option<Box<dyn ValueTree<Value = Plan>>> {
        draw(&self.strategy, crate::provider::Mint::new(self.campaign.options.seed).number(&self.requirement.id, u64::from(number)))
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
        Rules { rejection_is_4xx: self.requirement.id == "rejection-is-4xx" }
    }

    /// The case of a plan as a target that gets everything would get it.
    fn whole_case(&self, plan: &Plan, serial: u64) -> Case {
        lower(self.campaign.provider, plan, serial).case
    }

    /// The case of a plan as the target gets it.
    fn case(&self, plan: &Plan, serial: u64, capabilities: &Capabilities) -> Case {
        let subscribed = |kind: &str| capabilities.is_subscribed(kind);
        let case = lower_for(self.campaign.provider, plan, serial, &subscribed).case;
        let mut case = case.restricted_to(terms(&subscribed, capabilities));
        case.requirement = Some(self.requirement.id.clone());
        case.title.clone_from(&self.requirement.shows);
        case
    }

    fn shrink(
        &self,
        driver: &mut Driver<'_>,
        number: u32,
        tree: Box<dyn ValueTree<Value = Plan>>,
        case: Case,
        outcome: Outcome,
        shrinking: &mut dyn FnMut(usize),
    ) -> FailureReport {
        let kind = outcome.failure.as_ref().map(|failure| failure.kind);
        let started = self.campaign.wall.monotonic();
        let mut attempt = 0;
        let mut complaints = driver.complaints();
        let mut smallest = usize::MAX;
        let mut limits = self.campaign.options.shrink;
        let first = Shrunk { plan: tree.current(), shown: (case, outcome), is_smallest: false };
        let mut tree_for_proptest = None;
        if self.campaign.factory.transport() == "in-process" || !matches!(kind, Some(FailureKind::Timeout | FailureKind::Crash)) {
            tree_for_proptest = Some(tree);
        } else {
            match kind {
                // Each attempt costs the whole answer limit.
                Some(FailureKind::Timeout) => limits.attempts = limits.attempts.min(6),
                // Each attempt costs a new start.
                _ => limits.attempts = limits.attempts.min(20),
            }
        }
        let smaller = shrink(
            tree_for_proptest,
            first,
            limits,
            || if self.campaign.is_over() { Duration::MAX } else { self.campaign.wall.monotonic().saturating_sub(started) },
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
                    if tries >= TRIES || !case.is_chancy() || self.campaign.is_over() {
                        return None;
                    }
                }
            },
        );
        let (mut case, outcome) = smaller.shown;
        let chance = case.is_chancy().then(|| self.chance(driver, number, attempt, &smaller.plan, kind));
        case.plan = Some(smaller.plan);
        self.failure_report(number, case, outcome, complaints, chance)
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
        // A requirement shrinks only one case, so its attempts need no more than their number.
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
        let started = self.campaign.wall.monotonic();
        // Targets that hang or take long to start would make this take for ever.
        let in_time = || self.campaign.wall.monotonic().saturating_sub(started) <= self.campaign.options.shrink.time;
        while chance.runs < CHANCES && (chance.runs == 0 || in_time()) && !self.campaign.is_over() {
            let Some((_, outcome)) = self.attempt(driver, number, attempts + 1 + u64::from(chance.runs), plan, kind) else { break };
            chance.runs += 1;
            chance.failed += u32::from(outcome.failure.is_some());
        }
        chance
    }

    fn failure_report(&self, number: u32, mut case: Case, outcome: Outcome, complaints: String, chance: Option<Chance>) -> FailureReport {
        let answers = outcome.answers();
        let failure = outcome.failure;
        let palette = self.campaign.provider.palette();
        let class = failure.as_ref().and_then(|failure| diagnose(&case, failure.kind, &failure.observed, palette));
        let class = class.or(self.requirement.bugs.first().map(String::as_str));
        let (entry, kind, message, expected, observed, diff) = match failure {
            Some(failure) => (failure.entry, failure.kind.as_str(), failure.message, failure.expected, failure.observed, failure.diff),
            None => (None, "", String::new(), String::new(), String::new(), String::new()),
        };
        case.title = format!("{}: {message}", self.requirement.id);
        FailureReport {
            case: self.name(number),
            deliveries: case.deliveries(),
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

fn show(driver: &mut Driver<'_>, name: &str, case: &Case) -> (String, bool) {
    // A snapshot shows everything that happened, so nothing that is wrong ends it early.
    let sight = driver.capabilities().sight();
    let outcome = driver.run(name, case, Rules::default());
    let usable = outcome.error.is_none() && outcome.failure.is_none();
    let mut text = snapshot::render(case, &outcome.seen, &sight);
    if let Some(failure) = &outcome.failure {
        let place = failure.entry.map_or("at the end".to_owned(), |entry| format!("at {}", entry + 1));
        text.push_str(&format!("\n{place}: {}\n", failure.message));
    }
    if let Some(error) = &outcome.error {
        text.push_str(&format!("\n{error}\n"));
    }
    (text, usable)
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

fn recipe(name: &str) -> Option<Recipe> {
    serde_json::from_value(serde_json::Value::from(name)).ok()
}

fn inapplicable(requirement: &RequirementText, capabilities: &Capabilities) -> Option<String> {
    if let Some(missing) = requirement.needs.iter().find(|need| !capabilities.has(need)) {
        return Some(format!("the target does not claim `{missing}`"));
    }
    let subscribed = requirement.events.is_empty() || requirement.events.iter().any(|kind| capabilities.is_subscribed(kind));
    (!subscribed).then(|| format!("the target does not subscribe to {}", requirement.events.join(" or ")))
}

fn resemblance(class: Option<&str>) -> Option<Resemblance> {
    let class = bug_classes().iter().find(|known| Some(known.id.as_str()) == class)?;
    Some(Resemblance { class: class.id.clone(), name: class.name.clone(), links: class.links.iter().take(3).cloned().collect() })
}

fn blank_result(requirement: &RequirementText) -> RequirementResult {
    RequirementResult {
        id: requirement.id.clone(),
        item: requirement.item.clone(),
        level: requirement.level,
        verdict: Verdict::NotExercised,
        note: None,
        judged: false,
        cases: 0,
        exercised: 0,
        floor: 0,
        deliveries: 0,
        duration_ms: 0,
        source: requirement.source(),
        failures: Vec::new(),
    }
}

fn error_result(requirement: &RequirementText, note: String) -> RequirementResult {
    RequirementResult { verdict: Verdict::Error, note: Some(note), judged: true, ..blank_result(requirement) }
}

fn with_complaints(error: &TargetError, complaints: &str) -> String {
    let last = complaints.lines().rev().find(|line| !line.trim().is_empty());
    match (last, &error.kind) {
        (Some(line), kind) if *kind != TargetErrorKind::Unsupported => format!("{error}; its standard error ends with: {line}"),
        _ => error.to_string(),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
