//! A whole certification: every selected requirement with its cases, then the frozen sequences.
//!
//! Each case is drawn from the seed, its requirement and its number alone, so neither the number of workers
//! nor a selection changes what is sent, and the report comes out the same.

use std::{
    borrow::Cow,
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    events::RunEvent,
    frozen::{Walked, as_played, comparable, walk},
    record,
    redact::Redactor,
    saved,
};
use crate::{
    adapter::{Capabilities, Growth, Introduction, TargetError, TargetErrorKind},
    case::Case,
    check::{Rules, diff, snapshot, snapshot_fingerprint},
    corpus::{Corpus, RequirementSet, RequirementText},
    domain::Clock,
    drive::{Driver, Factory, Outcome, Played, WORKS_ON, claims_remarks},
    plan::{Afterwards, Recipe, for_recipe},
    provider::Provider,
    search::{Company, Failed, MOST_OPEN, MOST_SPOILED, Options, Progress, SNAPSHOTS, Turns, Work},
    verdict::{
        Conformance, Digests, FindingReport, REPORT_SCHEMA, Report, RequirementResult, RunOptions, SnapshotDifference, SnapshotResult,
        SuiteInfo, TargetInfo, Totals, apply_known_failures, conclude,
    },
};

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
        hangs: AtomicU32::new(0),
        silent: Mutex::default(),
        is_late: AtomicBool::new(false),
        machine: RwLock::new(()),
        cut: AtomicBool::new(false),
        began: factory.clock().monotonic(),
        turns: Turns::of(provider.corpus().requirements.len()),
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

    let mut saved = campaign.play_saved(&capabilities);
    let imported = campaign.play_imported(&capabilities);
    let judged = campaign.run_requirements(first, &selected, emit);
    let mut snapshots = if options.selection.includes(SNAPSHOTS) {
        let snapshots = campaign.run_snapshots(&capabilities, corpus, &set);
        emit(&RunEvent::SnapshotsCompared { compared: snapshots.compared, differing: snapshots.differing.len() });
        snapshots
    } else {
        SnapshotResult { note: Some("not selected".to_owned()), ..SnapshotResult::default() }
    };
    let (requirements, findings) = campaign.investigate(judged, &mut snapshots, &capabilities, emit);
    saved::assign(&mut saved, &findings);
    let mut report = campaign.report(introduction, &set, (requirements, findings), snapshots);
    report.saved = saved;
    report.imported = imported;
    redactor.report(&mut report);
    apply_known_failures(&mut report, &options.known, corpus);
    conclude(&mut report);
    emit(&RunEvent::Finished(&report));
    Ok(report)
}

pub(super) struct Campaign<'a> {
    pub(super) provider: &'a dyn Provider,
    pub(super) factory: &'a dyn Factory,
    pub(super) options: &'a Options,
    stop: &'a AtomicBool,
    /// Times answers; may be a manual clock.
    clock: Clock,
    /// Times the run.
    pub(super) wall: Clock,
    /// How many requirements ended with a hanging target or an adapter error. After a few of those the rest is
    /// not judged: each costs the full time limit, and a run must end.
    pub(super) spoiled: AtomicU32,
    /// How many cases the target hung on that it answered when they were played again alone.
    hangs: AtomicU32,
    silent: Mutex<BTreeMap<String, u64>>,
    /// Whether something that the target shows is right a moment later.
    pub(super) is_late: AtomicBool,
    /// Held by whoever plays a case; as a whole by whoever must be alone with the machine.
    pub(super) machine: RwLock<()>,
    /// Something was left out because the run was over.
    cut: AtomicBool,
    /// When it began, by the clock that times answers.
    began: Duration,
    /// How far requirements are that have their cases in turns.
    pub(super) turns: Turns,
}

/// What came of a requirement's cases.
pub(super) enum Judged {
    /// None of them failed, or it could not be judged.
    Done(usize, Box<RequirementResult>),
    /// Some failed, and that is to be looked into.
    Failing(Box<Pending>),
    /// It has its next turn when the others had theirs.
    Begun(Box<(Progress, RequirementResult)>),
}

/// A requirement of which cases fail, and how far they came.
pub(super) struct Pending {
    pub(super) index: usize,
    pub(super) recipe: Recipe,
    pub(super) result: RequirementResult,
    pub(super) progress: Progress,
    pub(super) failed: Vec<Failed>,
}

impl<'a> Campaign<'a> {
    pub(super) fn driver(&self) -> Result<Driver<'a>, TargetError> {
        self.options.driver(self.provider, self.factory, self.clock.clone())
    }

    /// Whether nothing more is to be begun. Whoever asks leaves something out if it is.
    pub(super) fn is_over(&self) -> bool {
        let over = self.stop.load(Ordering::Relaxed) || self.options.time_limit.is_some_and(|limit| self.wall.monotonic() > limit);
        if over {
            self.cut.store(true, Ordering::Relaxed);
        }
        over
    }

    /// Whether cases were sent for as long as there was time for: by the target's clock, or by that of whoever waits for the run
    /// where the target's stands still.
    pub(super) fn is_spent(&self) -> bool {
        let passed = self.clock.monotonic().saturating_sub(self.began).max(self.wall.monotonic());
        self.options.budget.is_some_and(|budget| passed >= budget)
    }

    /// The cases of a requirement, until there are enough for now.
    pub(super) fn work<'w>(
        &'w self,
        index: usize,
        requirement: &'w RequirementText,
        recipe: Recipe,
        company: Option<&'w Company>,
        is_over: &'w dyn Fn() -> bool,
        is_enough: &'w dyn Fn(&Progress) -> bool,
    ) -> Work<'w> {
        let strategy = for_recipe(recipe, self.provider.palette());
        let (provider, options, transport) = (self.provider, self.options, self.factory.transport());
        Work {
            provider,
            options,
            transport,
            machine: &self.machine,
            company,
            is_over,
            spoiled: &self.spoiled,
            hangs: &self.hangs,
            silent: &self.silent,
            index,
            requirement,
            strategy,
            afterwards: Afterwards::of(recipe, self.provider.palette()),
            is_enough,
        }
    }

    fn run_snapshots(&self, capabilities: &Capabilities, corpus: &Corpus, set: &RequirementSet) -> SnapshotResult {
        let mut result = SnapshotResult::default();
        if corpus.snapshots.is_empty() {
            result.note = Some("this corpus has none".to_owned());
            return result;
        }
        if self.provider.is_live() {
            result.note = Some("not compared: they are of the provider's test mode, and this run is of its live mode".to_owned());
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
        let kept: Vec<(&String, &Case)> = kept.collect();
        let mut first = self.driver().ok();
        let together = first.as_mut().and_then(|first| self.shown_together(first, &kept, corpus));
        let were_met = together.is_some();
        let right = together.unwrap_or_default();
        result.compared = right.len();
        if were_met {
            // The others are delivered once more, alone and to a target that was started anew, under ids that it has not met.
            first = first.filter(|_| right.len() < kept.len()).and_then(|mut first| first.recover().is_ok().then_some(first));
        }
        let again = |mut driver: Driver<'a>| {
            driver.conditions.salt = driver.conditions.salt.map(|salt| if were_met { !salt } else { salt });
            driver
        };
        // What the adapter could not do says nothing of the target; the first such error is told.
        let errors = Cell::new(0);
        let mut first_error = None;
        let walked = walk(
            kept.iter().copied().filter(|(name, _)| !right.contains(*name)),
            || first.take().or_else(|| self.driver().ok()).map(again),
            || errors.get() >= MOST_SPOILED || self.is_over(),
            |driver, name, case| {
                let (shown, usable) = show(driver, name, case);
                match shown {
                    Ok(shown) => {
                        result.compared += 1;
                        if let Some(diff) = snapshot_difference(corpus, name, &shown) {
                            let fingerprint = snapshot_fingerprint(name, &diff);
                            let because_of = Vec::new();
                            result.differing.push(SnapshotDifference {
                                name: name.to_owned(),
                                diff,
                                fingerprint,
                                because_of,
                                waived: None,
                            });
                        }
                    }
                    Err(error) => {
                        errors.set(errors.get() + 1);
                        first_error.get_or_insert((name.to_owned(), error));
                    }
                }
                usable
            },
        );
        result.note = match (first_error, walked) {
            (Some((name, error)), _) => Some(format!("{name} could not be compared: {error}")),
            (None, Walked::Everything) => None,
            (None, Walked::Over) => Some(format!("the run ended after {} were compared", result.compared)),
            (None, Walked::NotStarted) => Some("the target could not be started again".to_owned()),
        };
        result.cut_short = result.note.is_some();
        result
    }

    /// What is odd about the target and no mistake: claims that fit nothing, calls of what is not served, a hang that did not come again,
    /// work that is done after the answer.
    fn remarks(&self, capabilities: &Capabilities) -> Vec<String> {
        let strange = self.factory.double(self.provider).map(|double| double.strange()).unwrap_or_default();
        let calls = strange.into_iter().map(|line| format!("it called {line} of the provider's API, which is not served here"));
        let growth = self.factory.growth().filter(|growth| growth.is_much()).map(|_| Growth::text());
        let has_hung = self.hangs.load(Ordering::Relaxed) > 0;
        let hangs = has_hung.then(|| "it hung in a case, which it answered when that was played again alone".to_owned());
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = silent_text(&silent);
        let late = self.is_late.load(Ordering::Relaxed).then(|| format!("what is wrong is right a moment later: {WORKS_ON}"));
        claims_remarks(self.provider, capabilities).into_iter().chain(calls).chain(growth).chain(hangs).chain(silent).chain(late).collect()
    }

    /// The sequences of which a target shows what it should while others are under way on it too; nothing where it is not shared.
    /// Whatever is wrong with the others is found by delivering them alone.
    fn shown_together(&self, first: &mut Driver<'a>, kept: &[(&String, &Case)], corpus: &Corpus) -> Option<BTreeSet<String>> {
        let at_once = self.at_once(first);
        if at_once < 2 {
            return None;
        }
        let right = Mutex::new(BTreeSet::new());
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for mut guest in (0..at_once.min(kept.len())).map_while(|_| first.beside()) {
                let (right, next) = (&right, &next);
                scope.spawn(move || {
                    // The quiet time of an asynchronous target passes for all of them at once.
                    let mut open = Vec::new();
                    while let Some((name, case)) = kept.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if self.is_over() || !guest.is_usable() {
                            return;
                        }
                        if !case.wants_target_alone() {
                            let allowed = as_played(&guest, name, case);
                            let played = guest.play(name, &allowed, Rules::default());
                            open.push(Sequence { name, case, allowed, played });
                        }
                        if guest.capabilities().asynchronous && open.len() < MOST_OPEN {
                            continue;
                        }
                        self.close_right(&mut guest, &mut open, corpus, right);
                    }
                    self.close_right(&mut guest, &mut open, corpus, right);
                });
            }
        });
        Some(right.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends sequences and notes those of which everything was shown as it should be.
    fn close_right(&self, guest: &mut Driver<'a>, open: &mut Vec<Sequence<'_>>, corpus: &Corpus, right: &Mutex<BTreeSet<String>>) {
        for Sequence { name, case, allowed, played } in open.drain(..) {
            let outcome = guest.finish(played);
            if let (Ok(shown), true) = rendered(guest, case, &allowed, outcome)
                && snapshot_difference(corpus, name, &shown).is_none()
            {
                right.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
            }
        }
    }

    fn report(
        &self,
        introduction: Introduction,
        set: &RequirementSet,
        (requirements, findings): (Vec<RequirementResult>, Vec<FindingReport>),
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
            suite: SuiteInfo {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                digest: record::suite(self.provider),
                requirements: set.revision,
                checklist: corpus.checklist.clone(),
            },
            provider: self.provider.name().to_owned(),
            seed: self.options.seed,
            options: RunOptions {
                cases: self.options.cases,
                chosen: self.options.choose,
                budget_ms: self.options.budget.map(millis),
                only,
                skip,
                settle_ms: millis(self.options.settle),
                quiet_ms: millis(self.options.quiet),
                answer_ms: self.options.answer_limit.map(millis),
                strict: self.options.strict,
                live_mode: self.provider.is_live(),
                without: self.options.without.clone(),
            },
            target: TargetInfo {
                name: introduction.name,
                version: introduction.version,
                transport: self.factory.transport().to_owned(),
                capabilities: introduction.capabilities.clone(),
                remarks: self.remarks(&introduction.capabilities),
            },
            verdict: Conformance::NotJudged,
            interrupted,
            items: Vec::new(),
            requirements,
            findings,
            saved: Vec::new(),
            imported: None,
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

/// To which type of events there was no answer in time in the most cases. Others may only have stood in line behind those.
fn silent_text(cases: &BTreeMap<String, u64>) -> Option<String> {
    let (kind, _) = cases.iter().rev().max_by_key(|(_, cases)| **cases)?;
    Some(format!("it gave no answer in time, most often to `{kind}`; whatever is not answered is sent again, and the run waits for it"))
}

/// How what was shown of a frozen sequence differs from its snapshot, if it does.
pub(super) fn snapshot_difference(corpus: &Corpus, name: &str, shown: &str) -> Option<String> {
    let expected = corpus.snapshots.get(name).map_or("", |snapshot| snapshot::content(snapshot));
    (shown.trim_matches('\n') != expected).then(|| diff(&format!("{expected}\n"), shown))
}

/// What a target shows of a frozen sequence, unless its adapter failed, and whether it is still usable.
pub(super) fn show(driver: &mut Driver<'_>, name: &str, case: &Case) -> (Result<String, TargetError>, bool) {
    let allowed = as_played(driver, name, case);
    let outcome = driver.run(name, &allowed, Rules::default());
    rendered(driver, case, &allowed, outcome)
}

/// A sequence that is under way.
struct Sequence<'c> {
    name: &'c str,
    case: &'c Case,
    /// The same with what a target may show that calls the provider's API.
    allowed: Cow<'c, Case>,
    played: Played,
}

/// The same of a sequence that was played.
fn rendered(driver: &Driver<'_>, case: &Case, allowed: &Case, outcome: Outcome) -> (Result<String, TargetError>, bool) {
    // A snapshot shows everything that happened, so nothing that is wrong ends it early.
    let sight = driver.capabilities().sight();
    if let Some(error) = outcome.error {
        return (Err(error), false);
    }
    let mut text = snapshot::render_within(case, allowed, &outcome.seen, &sight);
    if let Some(failure) = &outcome.failure {
        let place = failure.entry.map_or("at the end".to_owned(), |entry| format!("at {}", entry + 1));
        text.push_str(&format!("\n{place}: {}\n", failure.message));
    }
    (Ok(text), outcome.failure.is_none())
}

pub(super) fn inapplicable(requirement: &RequirementText, capabilities: &Capabilities) -> Option<String> {
    if let Some(missing) = requirement.needs.iter().find(|need| !capabilities.has(need.as_str())) {
        return Some(format!("the target does not claim `{missing}`"));
    }
    let subscribed = requirement.events.is_empty() || requirement.events.iter().any(|kind| capabilities.is_subscribed(kind));
    (!subscribed).then(|| format!("the target does not subscribe to {}", requirement.events.join(" or ")))
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
