//! One requirement's cases: drawn and driven, until one fails or there are enough.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{
    book::Made,
    company::{Company, Suspect},
    options::Options,
};
use crate::{
    adapter::{Capabilities, TargetError, TargetErrorKind},
    case::{ApiFault, Case, Delivery},
    check::{Coverage, FailureKind, Rules},
    corpus::{Need, RequirementText},
    drive::{Driver, Outcome, Played},
    oracle::Terms,
    plan::{Afterwards, Plan, PlanStrategy, draw},
    provider::{Audience, Mint, Provider, lower_for},
    verdict::{Planned, RanCase, RequirementResult, Trail, Verdict},
};

/// How many times more plans than cases are drawn while too few of them get where they should.
pub(crate) const EXTRA_DRAWS: u32 = 3;

/// How many requirements may end in a hang or an adapter error before the run gives up.
pub(crate) const MOST_SPOILED: u32 = 3;

/// So many cases that a target hangs on, and answers when they are played again alone, are no accident of a busy machine.
const MOST_HANGS: u32 = 3;

/// A case on which a last look is owed.
struct Open {
    number: u32,
    /// The company's turn in which it was played.
    turn: u64,
    plan: Arc<Plan>,
    case: Arc<Case>,
    exercised: bool,
    played: Played,
}

impl Open {
    /// What is to be noted of it if it does not fail.
    fn ran(&self) -> RanCase {
        let Outcome { deliveries, refused_first, .. } = *self.played.outcome();
        RanCase { case: self.number, deliveries, refused_first, missed: !self.exercised, failed: None, last: false }
    }
}

/// How many cases of an asynchronous target may wait for their last look; the quiet time passes for all of them at once.
pub(crate) const MOST_OPEN: usize = 256;

/// Serials of cases that are played once more begin here.
const SECOND_SERIALS: u64 = 1 << 36;

/// A case that failed.
pub(crate) struct Failed {
    pub(crate) number: u32,
    pub(crate) plan: Plan,
    pub(crate) case: Case,
    pub(crate) outcome: Outcome,
    pub(crate) complaints: String,
}

/// How far the cases of a requirement have come.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) planned: Planned,
    pub(crate) trail: Trail,
    /// What its cases held.
    pub(crate) coverage: Coverage,
    /// How many plans were drawn.
    pub(crate) drawn: u32,
    /// Those that are still to be run, where they are chosen.
    pub(super) chosen: Option<VecDeque<(u32, Made)>>,
    /// One that waits until it may be alone.
    pub(super) held: Option<(u32, Made)>,
    /// Whether no further case is to be run.
    pub(crate) ended: bool,
}

impl Progress {
    /// Where nothing has been done and nothing was left out.
    pub(crate) fn new() -> Progress {
        let mut progress = Progress::default();
        progress.trail.finished = true;
        progress
    }

    /// Whether there are so many cases.
    pub(crate) fn has(&self, cases: u32) -> bool {
        self.planned.cases() >= cases
    }
}

/// Who else uses the machine while a case is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With {
    /// The other workers.
    Others,
    /// No other worker.
    Nobody,
}

/// A case as it was played.
struct Shown {
    case: Arc<Case>,
    outcome: Outcome,
    /// What the target wrote to its standard error, where nobody else can have caused it.
    complaints: Option<String>,
}

/// One requirement's cases.
pub(crate) struct Work<'c> {
    pub(crate) provider: &'c dyn Provider,
    pub(crate) options: &'c Options,
    /// How the target is reached.
    pub(crate) transport: &'c str,
    /// Held by whoever plays a case; as a whole by whoever must be alone with the machine.
    pub(crate) machine: &'c RwLock<()>,
    /// With whom the target is shared, if it is.
    pub(crate) company: Option<&'c Company>,
    /// Whether nothing more is to be begun.
    pub(crate) is_over: &'c dyn Fn() -> bool,
    /// In how many requirements the target failed to answer.
    pub(crate) spoiled: &'c AtomicU32,
    /// How many cases the target hung on that it answered when they were played again alone.
    pub(crate) hangs: &'c AtomicU32,
    /// Types of events that it did not answer in time, and in how many cases.
    pub(crate) silent: &'c Mutex<BTreeMap<String, u64>>,
    /// The requirement's place in the catalogue.
    pub(crate) index: usize,
    pub(crate) requirement: &'c RequirementText,
    pub(crate) strategy: PlanStrategy,
    /// What befalls its plans after they were drawn.
    pub(crate) afterwards: Afterwards,
    /// Whether no case is to be sent for now, although there are some and the run is not over.
    pub(crate) is_enough: &'c dyn Fn(&Progress) -> bool,
}

impl<'c> Work<'c> {
    /// Runs the cases, from where they were left, until some fail or there are no more. The trail has those that failed too.
    /// With a crew, which shares the target with the driver, as many more are under way at once.
    pub(crate) fn go_on(
        &self,
        driver: &mut Driver<'_>,
        crew: &mut [Driver<'_>],
        progress: &mut Progress,
        result: &mut RequirementResult,
    ) -> Vec<Failed> {
        let mut open: VecDeque<Open> = VecDeque::new();
        let mut failed = Vec::new();
        let mut makers = match self.makers(driver.capabilities()) {
            Ok(makers) => makers,
            Err(error) => {
                result.verdict = Verdict::Error;
                result.note = Some(format!("the harness's own canaries do not start: {error}"));
                return failed;
            }
        };
        let floor = result.floor;
        while !progress.ended && failed.is_empty() {
            let cases = self.batch(1 + crew.len(), driver.capabilities(), &mut makers, progress, floor);
            if cases.is_empty() {
                break;
            }
            if self.company.is_none() {
                // What it complained about in earlier cases is not this case's, and depends on which worker ran them.
                drop(driver.complaints());
            }
            for next in self.play_all(cases, driver, crew) {
                if progress.ended {
                    break;
                }
                let most_open = if next.played.is_open() { MOST_OPEN } else { 0 };
                let stopped = next.played.outcome().has_stopped();
                self.note_silent(next.played.outcome());
                if stopped && !next.played.outcome().is_still_there() {
                    // What the target shows of earlier cases after it was killed says nothing of them.
                    open.drain(..).for_each(|open| progress.trail.note(open.ran(), self.tells_of_each()));
                }
                progress.coverage.count(&next.case);
                open.push_back(next);
                self.close_all(&mut open, if stopped { 0 } else { most_open }, driver, progress, result, &mut failed);
            }
        }
        self.close_all(&mut open, 0, driver, progress, result, &mut failed);
        failed
    }

    /// Plays cases, the first of them with the driver and the others with the crew.
    fn play_all(&self, cases: Vec<(u32, Made)>, driver: &mut Driver<'_>, crew: &mut [Driver<'_>]) -> Vec<Open> {
        // What is killed is killed for all, and time passes for all.
        let is_shared = self.company.is_some() && cases.iter().any(|(_, made)| made.case.wants_target_alone());
        self.playing(if is_shared { With::Nobody } else { With::Others }, || {
            if is_shared && cases.iter().any(|(_, made)| made.case.kills()) {
                self.company.iter().for_each(|company| company.is_left());
            }
            let (turn, rules) = (self.turn(), self.rules());
            let mut cases: VecDeque<Named> = cases.into_iter().map(|(number, made)| (self.name(number), number, made)).collect();
            let Some(first) = cases.pop_front() else { return Vec::new() };
            if cases.is_empty() {
                return vec![play(driver, first, turn, rules)];
            }
            let others: Vec<(&mut Driver<'_>, Named)> = crew.iter_mut().zip(cases).collect();
            std::thread::scope(|scope| {
                let threads: Vec<_> = others.into_iter().map(|(guest, case)| scope.spawn(move || play(guest, case, turn, rules))).collect();
                let mut open = vec![play(driver, first, turn, rules)];
                // A panic of the harness is told of the requirement, as it is where there is no crew.
                open.extend(threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))));
                open
            })
        })
    }

    /// Ends cases until no more than `most` are open.
    fn close_all(
        &self,
        open: &mut VecDeque<Open>,
        most: usize,
        driver: &mut Driver<'_>,
        progress: &mut Progress,
        result: &mut RequirementResult,
        failed: &mut Vec<Failed>,
    ) {
        while open.len() > most {
            let Some(next) = open.pop_front() else { break };
            let exercises = next.exercised;
            let (ran, usable) = self.close(next, driver, result, failed);
            progress.ended |= ran.last;
            // It claims to call the provider's API, and did not call where that would have shown something.
            progress.trail.uncalled += u32::from(exercises && ran.missed);
            progress.trail.note(ran, self.tells_of_each());
            if progress.ended {
                // What was under way with the last case is not looked at any more.
                open.clear();
            } else if !usable {
                open.drain(..).for_each(|open| progress.trail.note(open.ran(), self.tells_of_each()));
            }
        }
    }

    /// Ends a case; what is to be noted of it, and whether the target can still be asked about the others.
    fn close(&self, open: Open, driver: &mut Driver<'_>, result: &mut RequirementResult, failed: &mut Vec<Failed>) -> (RanCase, bool) {
        let mut ran = open.ran();
        let Open { number, turn, plan, case, mut played, .. } = open;
        let outcome = self.playing(With::Others, || {
            if self.turn() != turn {
                played.forgo();
            }
            driver.finish(played)
        });
        let mut usable = outcome.is_still_there();
        let mut shown = Shown { case, outcome, complaints: None };
        let is_late = shown.outcome.has_hung();
        let in_company = self.company.filter(|_| shown.outcome.has_stopped());
        // Where many cases are under way one answer may well come too late: fewer are from then on.
        let is_told = is_late && in_company.is_none_or(Company::is_crowded);
        if is_late || in_company.is_some() {
            // It may have been the machine that was slow, or one of the others.
            let keep = !is_late && shown.outcome.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::State);
            match self.alone(driver, (number, &plan), &shown.case, keep) {
                Ok(alone) => {
                    in_company.iter().for_each(|company| self.compare(company, (number, turn), &shown.outcome, &alone.outcome, driver));
                    if in_company.is_some() && alone.outcome.has_hung() {
                        // Noted at once: the others wait for their turn to be alone, and would all wait for an answer then.
                        self.spoiled.fetch_add(1, Ordering::Relaxed);
                    }
                    (ran.deliveries, ran.refused_first) = (alone.outcome.deliveries, alone.outcome.refused_first);
                    shown = alone;
                    let is_no_accident = is_told && !shown.outcome.has_hung() && self.hung_once_more() >= MOST_HANGS;
                    if is_no_accident && shown.outcome.failure.is_none() {
                        let what = "it hung again and again, and answered each of those cases when that was played again alone".to_owned();
                        shown.outcome.error.get_or_insert_with(|| TargetError::new("deliver", TargetErrorKind::Refused(what)));
                    }
                }
                Err(error) if in_company.is_some() => {
                    (shown.outcome.failure, shown.outcome.error) = (None, Some(error));
                }
                Err(_) => {}
            }
            // It has perhaps been started again for this, and has forgotten the other cases.
            usable = keep && driver.is_usable();
        }
        let Shown { case, outcome, complaints } = shown;
        // Of a target that calls nobody, nothing is known of what it does with answers.
        ran.missed |= self.requirement.needs.contains(&Need::CallsBack) && !has_called(&case, &outcome);
        let mut complaints = || complaints.clone().unwrap_or_else(|| driver.complaints());
        if let Some(error) = &outcome.error {
            result.verdict = Verdict::Error;
            result.note = Some(with_complaints(error, &complaints()));
            ran.last = true;
            return (ran, false);
        }
        let Some(failure) = &outcome.failure else { return (ran, usable) };
        // What costs the time of a hang or of a new start is not looked for twice.
        let costly = self.transport != "in-process" && matches!(failure.kind, FailureKind::Timeout | FailureKind::Crash);
        let complaints = complaints();
        ran.failed = Some(Vec::new());
        let as_it_is = self.options.shrink.attempts == 0;
        ran.last = costly || as_it_is || !driver.is_usable() && self.recover(driver).is_err();
        let (plan, case) = (Arc::unwrap_or_clone(plan), Arc::unwrap_or_clone(case));
        failed.push(Failed { number, plan, case, outcome, complaints });
        (ran, usable)
    }

    /// Notes what was not answered in time, but was when it was sent again. What was never answered is told of as a hang.
    fn note_silent(&self, outcome: &Outcome) {
        if !outcome.silent.is_empty() && !outcome.has_hung() {
            let mut cases = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
            outcome.silent.iter().for_each(|kind| *cases.entry(kind.clone()).or_default() += 1);
        }
    }

    /// Notes a hang that did not come again; how many there were.
    fn hung_once_more(&self) -> u32 {
        self.hangs.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Plays a case once more while no other worker does anything, on a target that was started anew unless it can be kept.
    fn alone(&self, driver: &mut Driver<'_>, (number, plan): (u32, &Plan), like: &Case, keep: bool) -> Result<Shown, TargetError> {
        // Beyond the serials of all cases, so that no order is met twice.
        let serial = SECOND_SERIALS + self.serial(number);
        let case = self.case(plan, serial, &driver.capabilities().clone());
        // Whoever is in company with one that hangs would hang as long, one after the other.
        if self.company.is_some() && self.spoiled.load(Ordering::Relaxed) >= MOST_SPOILED {
            let why = format!("not played alone: the target failed to answer in {MOST_SPOILED} requirements");
            return Err(TargetError::new("again", TargetErrorKind::Refused(why)));
        }
        let case = if like.is_sent_whole() { case.sent_whole() } else { case };
        let name = format!("{}-alone", self.name(number));
        self.playing(With::Nobody, || {
            if !keep || !driver.is_usable() {
                self.company.iter().for_each(|company| company.is_left());
                driver.recover()?;
            }
            drop(driver.complaints());
            let outcome = driver.run(&name, &case, self.rules());
            let complaints = Some(driver.complaints());
            if self.company.is_some() && !driver.is_usable() {
                // The others go on with it. Whether this succeeds shows when they do.
                let _ = driver.recover();
            }
            Ok(Shown { case: Arc::new(case), outcome, complaints })
        })
    }

    /// Makes the target usable again.
    fn recover(&self, driver: &mut Driver<'_>) -> Result<(), TargetError> {
        recover(driver, self.machine, self.company)
    }

    /// The company's turn.
    fn turn(&self) -> u64 {
        self.company.map_or(0, Company::turn)
    }

    /// Notes what came of a case that was played in company and alone. What is late in company says nothing, and what an
    /// asynchronous target shows is late where there is much to do.
    fn compare(&self, company: &Company, (number, turn): (u32, u64), together: &Outcome, alone: &Outcome, driver: &Driver<'_>) {
        let is_late = |kind| kind == FailureKind::Timeout || kind == FailureKind::State && driver.capabilities().asynchronous;
        let is_guilty = alone.has_stopped();
        if !is_guilty && together.failure.as_ref().is_some_and(|failure| is_late(failure.kind)) {
            return company.is_too_large();
        }
        let failure = together.failure.as_ref().map(|failure| failure.message.clone());
        let what = failure.or_else(|| together.error.as_ref().map(TargetError::to_string)).unwrap_or_default();
        company.note(Suspect { index: self.index, number, turn, is_guilty, what });
    }

    /// Plays something, while others do too or while nobody does.
    fn playing<T>(&self, with: With, play: impl FnOnce() -> T) -> T {
        // The lock keeps nothing that a panic could have spoiled.
        match with {
            With::Others => {
                let _held = self.machine.read().unwrap_or_else(PoisonError::into_inner);
                play()
            }
            With::Nobody => {
                let _held = self.machine.write().unwrap_or_else(PoisonError::into_inner);
                play()
            }
        }
    }

    /// Whether what is noted says of each case which it was: shards are put together by that.
    fn tells_of_each(&self) -> bool {
        self.options.shard.is_some()
    }

    fn name(&self, number: u32) -> String {
        format!("{}-{number:04}", self.requirement.id)
    }

    /// Order ids are never reused, so every case that a target sees has a serial of its own. The first million
    /// belongs to frozen sequences.
    pub(crate) fn serial(&self, number: u32) -> u64 {
        (self.index as u64 + 1) * 1_000_000 + u64::from(number)
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules::of(&self.requirement.id, self.provider.answer_limit())
    }

    pub(crate) fn case(&self, plan: &Plan, serial: u64, capabilities: &Capabilities) -> Case {
        case_for(self.provider, self.requirement, plan, serial, capabilities)
    }
}

/// A case under its name and its number.
type Named = (String, u32, Made);

/// Plays a case to its last delivery.
fn play(driver: &mut Driver<'_>, (name, number, made): Named, turn: u64, rules: Rules) -> Open {
    let Made { plan, case, exercised, .. } = made;
    let played = driver.play(&name, &case, rules);
    Open { number, turn, plan, case, exercised, played }
}

/// Whether the target called the provider's API and, where that was to fail, met the failure.
fn has_called(case: &Case, outcome: &Outcome) -> bool {
    let fails = |delivery: &Delivery| delivery.api.is_some_and(|fault| fault != ApiFault::Slow);
    if case.all_deliveries().any(fails) { outcome.calls.failed > 0 } else { outcome.calls.made > 0 }
}

/// Makes a target usable again; where it is shared, while nobody else uses it.
pub(crate) fn recover(driver: &mut Driver<'_>, machine: &RwLock<()>, company: Option<&Company>) -> Result<(), TargetError> {
    let Some(company) = company else { return driver.recover() };
    let _held = machine.write().unwrap_or_else(PoisonError::into_inner);
    company.is_left();
    driver.recover()
}

/// The case of a plan as a target with these capabilities gets it.
pub fn as_sent(provider: &dyn Provider, plan: &Plan, serial: u64, capabilities: &Capabilities) -> Case {
    let older = capabilities.older_api_version;
    let subscribed = |kind: &str| capabilities.is_subscribed(kind) && provider.sends(kind, older);
    let audience = Audience { subscribed: &subscribed, calls_back: capabilities.calls_back, older, clock: capabilities.clock };
    lower_for(provider, plan, serial, audience).case.restricted_to(terms(&subscribed, capabilities))
}

/// The same, made for a requirement.
pub(crate) fn case_for(
    provider: &dyn Provider,
    requirement: &RequirementText,
    plan: &Plan,
    serial: u64,
    capabilities: &Capabilities,
) -> Case {
    let mut case = as_sent(provider, plan, serial, capabilities);
    case.requirement = Some(requirement.id.clone());
    case.title.clone_from(&requirement.shows);
    case
}

/// The plan that a strategy draws from a seed.
pub fn sample(strategy: &PlanStrategy, seed: u64) -> Option<Plan> {
    draw(strategy, Mint::new(seed).number("sample", 0))
}

/// The terms on which a target with these capabilities is certified.
pub fn terms<'t>(subscribed: &'t dyn Fn(&str) -> bool, capabilities: &Capabilities) -> Terms<'t> {
    Terms {
        subscribed,
        initiates: capabilities.initiates_refunds,
        verifies: capabilities.verifies_signatures,
        durable: capabilities.durable,
        calls_back: capabilities.calls_back,
        clock: capabilities.clock,
    }
}

fn with_complaints(error: &TargetError, complaints: &str) -> String {
    let last = complaints.lines().rev().find(|line| !line.trim().is_empty());
    match (last, &error.kind) {
        (Some(line), kind) if *kind != TargetErrorKind::Unsupported => format!("{error}; its standard error ends with: {line}"),
        _ => error.to_string(),
    }
}
