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
    conclude::conclude,
    drive::{BeforeDelivery, Conditions, Driver, Outcome, Played, Secrets},
    events::RunEvent,
    factory::Factory,
    frozen::{Walked, comparable, walk},
    outcome::{
        Chance, Digests, FailureReport, REPORT_SCHEMA, Report, RequirementResult, Resemblance, RunOptions, SnapshotDifference,
        SnapshotResult, SuiteInfo, TargetInfo, Totals,
    },
    record,
    redact::Redactor,
    shard::{RanCase, Shard, Trail},
    shrink::{ShrinkLimits, Shrunk, shrink},
    tally::{MOST_KNOWN, Planned, settle, settle_share},
    waive::{apply_known_failures, waive_requirement, waive_snapshots},
};
use crate::{
    adapter::{Capabilities, Introduction, TargetError, TargetErrorKind},
    case::{Case, Delivery, Terms},
    check::{
        FailureKind, Finding, Rules, diagnose, diff, fingerprint, reaches, snapshot, snapshot_fingerprint,
        verdict::{Conformance, Verdict},
        waivers::{KnownFailures, Subject},
    },
    corpus::{Corpus, RequirementSet, RequirementText, bug_classes},
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
    /// Which part of the cases is run; all if absent.
    pub shard: Option<Shard>,
    /// What may fail for now.
    pub known: KnownFailures,
    /// The revision of the requirements; the newest if absent.
    pub revision: Option<u32>,
    /// Goes on after a failure as if it were known, so that the report has all that a list would have to name.
    pub collect: bool,
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
            shard: None,
            known: KnownFailures::none(),
            revision: None,
            collect: false,
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
            lenient: false,
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
    patterns: (Vec<String>, Vec<String>),
}

/// The name by which a selection includes or excludes the frozen sequences.
const SNAPSHOTS: &str = "snapshots";

impl Selection {
    /// Everything.
    pub fn everything() -> Selection {
        Selection { only: None, skip: None, patterns: Default::default() }
    }

    /// What fits one of `only` (everything, if there are none) and none of `skip`.
    ///
    /// # Errors
    /// When a pattern is not a glob.
    pub fn new(only: &[String], skip: &[String]) -> Result<Selection, String> {
        Ok(Selection { only: globs(only)?, skip: globs(skip)?, patterns: (only.to_vec(), skip.to_vec()) })
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
    let campaign = Campaign {
        provider,
        factory,
        options,
        stop,
        clock,
        wall: Clock::system(),
        spoiled: AtomicU32::new(0),
        cut: AtomicBool::new(false),
    };
    let first = campaign.driver().map_err(|error| redactor.error(error))?;
    let mut introduction = first.introduction.clone();
    let capabilities = introduction.capabilities.clone();
    redactor.introduction(&mut introduction);
    let corpus = provider.corpus();
    let set = corpus.requirement_set(options.revision).map_err(|problem| TargetError::new("certify", TargetErrorKind::Refused(problem)))?;
    let chosen = set.requirements.iter().filter(|(_, requirement)| options.selection.includes(&requirement.id));
    let selected: Vec<(usize, &RequirementText)> = chosen.map(|(index, requirement)| (*index, requirement)).collect();
    emit(&RunEvent::Started { target: &introduction, requirements: selected.len(), cases: options.cases });

    let mut requirements = campaign.run_requirements(first, &selected, emit);
    let snapshots = if options.selection.includes(SNAPSHOTS) {
        let snapshots = campaign.run_snapshots(&capabilities, corpus, &set);
        emit(&RunEvent::SnapshotsCompared { compared: snapshots.compared, differing: snapshots.differing.len() });
        snapshots
    } else {
        SnapshotResult { note: Some("not selected".to_owned()), ..SnapshotResult::default() }
    };
    requirements.sort_by_key(|(index, _)| *index);
    let requirements: Vec<RequirementResult> = requirements.into_iter().map(|(_, result)| result).collect();
    let mut report = campaign.report(introduction, &set, requirements, snapshots);
    redactor.report(&mut report);
    apply_known_failures(&mut report, &options.known, corpus);
    conclude(&mut report);
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
    /// Something was left out because the run was over.
    cut: AtomicBool,
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

    /// Whether nothing more is to be begun. Whoever asks leaves something out if it is.
    fn is_over(&self) -> bool {
        let over = self.stop.load(Ordering::Relaxed) || self.options.time_limit.is_some_and(|limit| self.wall.monotonic() > limit);
        if over {
            self.cut.store(true, Ordering::Relaxed);
        }
        over
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
        waive_requirement(&mut result, &self.options.known);
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

    fn run_snapshots(&self, capabilities: &Capabilities, corpus: &Corpus, set: &RequirementSet) -> SnapshotResult {
        let mut result = SnapshotResult::default();
        if corpus.snapshots.is_empty() {
            result.note = Some("this corpus has none".to_owned());
            return result;
        }
        if self.spoiled.load(Ordering::Relaxed) >= MOST_SPOILED {
            result.note = Some(format!("not compared: the target failed to answer in {MOST_SPOILED} requirements"));
            result.cut_short = true;
            return result;
        }
        if comparable(corpus, set, capabilities, None).next().is_none() {
            result.note = Some("none is comparable with what the target subscribes to and claims".to_owned());
            return result;
        }
        let kept = comparable(corpus, set, capabilities, self.options.shard).filter(|(name, _)| corpus.snapshots.contains_key(*name));
        let walked = walk(
            kept,
            || self.driver().ok(),
            || self.is_over(),
            |driver, name, case| {
                result.compared += 1;
                let (shown, usable) = show(driver, name, case);
                let expected = corpus.snapshots.get(name).map_or("", |snapshot| snapshot::content(snapshot));
                if shown.trim_matches('\n') != expected {
                    let diff = diff(&format!("{expected}\n"), &shown);
                    let fingerprint = snapshot_fingerprint(name, &diff);
                    result.differing.push(SnapshotDifference { name: name.to_owned(), diff, fingerprint, waived: None });
                }
                usable
            },
        );
        result.note = match walked {
            Walked::Everything => None,
            Walked::Over => Some(format!("the run ended after {} were compared", result.compared)),
            Walked::NotStarted => Some("the target could not be started again".to_owned()),
        };
        result.cut_short = result.note.is_some();
        waive_snapshots(&mut result, &self.options.known);
        result
    }

    fn report(
        &self,
        introduction: Introduction,
        set: &RequirementSet,
        requirements: Vec<RequirementResult>,
        snapshots: SnapshotResult,
    ) -> Report {
        let interrupted = match (self.cut.load(Ordering::Relaxed), self.stop.load(Ordering::Relaxed)) {
            (_, true) => Some("interrupted".to_owned()),
            (cut, false) => cut.then(|| "time limit".to_owned()),
        };
        let (only, skip) = self.options.selection.patterns.clone();
        let corpus = self.provider.corpus();
        Report {
            schema: REPORT_SCHEMA.to_owned(),
            suite: SuiteInfo { version: env!("CARGO_PKG_VERSION").to_owned(), digest: record::suite(corpus), requirements: set.revision },
            provider: self.provider.name().to_owned(),
            seed: self.options.seed,
            options: RunOptions {
                cases: self.options.cases,
                only,
                skip,
                settle_ms: millis(self.options.settle),
                quiet_ms: millis(self.options.quiet),
                answer_ms: self.options.answer_limit.map(millis),
            },
            target: TargetInfo {
                name: introduction.name,
                version: introduction.version,
                transport: self.factory.transport().to_owned(),
                capabilities: introduction.capabilities.clone(),
            },
            verdict: Conformance::NotJudged,
            interrupted,
            items: Vec::new(),
            requirements,
            snapshots,
            known_failing: None,
            totals: Totals { duration_ms: millis(self.wall.monotonic()), ..Totals::default() },
            digests: Digests {
                corpus: corpus.digest.clone(),
                snapshots: corpus.snapshots_digest.clone(),
                requirements: set.digest(),
                capabilities: record::digest_of(&introduction.capabilities),
                results: String::new(),
            },
            shard: self.options.shard.map(|shard| shard.to_string()),
        }
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
struct Work<'c, 'a> {
    campaign: &'c Campaign<'a>,
    index: usize,
    requirement: &'c RequirementText,
    recipe: Recipe,
    strategy: PlanStrategy,
}

impl Work<'_, '_> {
    fn run(&self, driver: &mut Driver<'_>, result: &mut RequirementResult, shrinking: &mut dyn FnMut(usize)) {
        let options = self.campaign.options;
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
            if self.campaign.is_over() {
                trail.finished = false;
                break;
            }
            let Some(tree) = self.draw(number) else { continue };
            let plan = tree.current();
            let palette = self.campaign.provider.palette();
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
        let options = self.campaign.options;
        let costly = [FailureKind::Timeout, FailureKind::Crash].iter().any(|kind| kind.as_str() == failure.kind);
        let is_known = options.known.names(&Subject::Requirement(self.requirement.id.clone()), &failure.fingerprint);
        (is_known || options.collect) && (!costly || self.campaign.factory.transport() == "in-process")
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
        failing: u32,
        tree: Box<dyn ValueTree<Value = Plan>>,
        shown: (Case, Outcome),
        shrinking: &mut dyn FnMut(usize),
    ) -> FailureReport {
        let kind = shown.1.failure.as_ref().map(|failure| failure.kind);
        let started = self.campaign.wall.monotonic();
        let mut attempt = u64::from(failing) * 1_000_000_000;
        let mut complaints = driver.complaints();
        let mut smallest = usize::MAX;
        let mut limits = self.campaign.options.shrink;
        let first = Shrunk { plan: tree.current(), shown, is_smallest: false };
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
        let palette = self.campaign.provider.palette();
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
        trail: None,
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
