//! One requirement's cases: drawn and driven, until one fails or there are enough.

use std::{
    collections::VecDeque,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{
    book::Made,
    campaign::MOST_SPOILED,
    choose::choose,
    company::{Company, Suspect},
    exercise::Canaries,
    options::Options,
};
use crate::{
    adapter::{Capabilities, TargetError, TargetErrorKind},
    case::{ApiFault, Case, Delivery},
    check::{Coverage, FailureKind, Rules},
    corpus::{Need, RequirementText},
    drive::{Driver, Outcome, Played},
    oracle::Terms,
    plan::{Plan, PlanStrategy, draw},
    provider::{Audience, Mint, Provider, lower_for},
    verdict::{Planned, RanCase, RequirementResult, Trail, Verdict},
};

/// How many times more plans than cases are drawn while too few of them get where they should.
pub(super) const EXTRA_DRAWS: u32 = 3;

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
        let deliveries = self.played.outcome().deliveries;
        RanCase { case: self.number, deliveries, missed: !self.exercised, failed: None, last: false }
    }
}

/// How many cases of an asynchronous target may wait for their last look; the quiet time passes for all of them at once.
pub(super) const MOST_OPEN: usize = 256;

/// Serials of cases that are played once more begin here.
const SECOND_SERIALS: u64 = 1 << 36;

/// A case that failed.
pub(super) struct Failed {
    pub(super) number: u32,
    pub(super) plan: Plan,
    pub(super) case: Case,
    pub(super) outcome: Outcome,
    pub(super) complaints: String,
}

/// How far the cases of a requirement have come.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) planned: Planned,
    pub(super) trail: Trail,
    /// What its cases held.
    pub(super) coverage: Coverage,
    /// How many plans were drawn.
    drawn: u32,
    /// Those that are still to be run, where they are chosen.
    chosen: Option<VecDeque<(u32, Made)>>,
    /// Whether no further case is to be run.
    pub(super) ended: bool,
}

impl Progress {
    /// Where nothing has been done and nothing was left out.
    pub(super) fn new() -> Progress {
        let mut progress = Progress::default();
        progress.trail.finished = true;
        progress
    }

    /// Whether there are so many cases.
    pub(super) fn has(&self, cases: u32) -> bool {
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

/// What cases are made with.
struct Makers<'c> {
    canaries: Canaries<'c>,
    /// The same for a target that claims everything, made when they are needed.
    unclaimed: Option<Canaries<'c>>,
}

/// One requirement's cases.
pub(super) struct Work<'c> {
    pub(super) provider: &'c dyn Provider,
    pub(super) options: &'c Options,
    /// How the target is reached.
    pub(super) transport: &'c str,
    /// Held by whoever plays a case; as a whole by whoever must be alone with the machine.
    pub(super) machine: &'c RwLock<()>,
    /// With whom the target is shared, if it is.
    pub(super) company: Option<&'c Company>,
    /// Whether nothing more is to be begun.
    pub(super) is_over: &'c dyn Fn() -> bool,
    /// In how many requirements the target failed to answer.
    pub(super) spoiled: &'c AtomicU32,
    /// The requirement's place in the catalogue.
    pub(super) index: usize,
    pub(super) requirement: &'c RequirementText,
    pub(super) strategy: PlanStrategy,
    /// Whether no case is to be sent for now, although there are some and the run is not over.
    pub(super) is_enough: &'c dyn Fn(&Progress) -> bool,
}

impl<'c> Work<'c> {
    /// Runs the cases, from where they were left, until some fail or there are no more. The trail has those that failed too.
    pub(super) fn go_on(&self, driver: &mut Driver<'_>, progress: &mut Progress, result: &mut RequirementResult) -> Vec<Failed> {
        let mut open: VecDeque<Open> = VecDeque::new();
        let mut failed = Vec::new();
        let mut makers = match Canaries::new(self.provider, &self.requirement.id, self.rules(), driver.capabilities()) {
            Ok(mut canaries) => {
                self.options.unforeseen.iter().for_each(|fault| canaries.forget(*fault));
                Makers { canaries, unclaimed: None }
            }
            Err(error) => {
                result.verdict = Verdict::Error;
                result.note = Some(format!("the harness's own canaries do not start: {error}"));
                return failed;
            }
        };
        let floor = result.floor;
        while !progress.ended && failed.is_empty() && !(self.is_enough)(progress) {
            let Some((number, made)) = self.next(driver.capabilities(), &mut makers, progress, floor) else { break };
            let Made { plan, case, exercised, .. } = made;
            if self.company.is_none() {
                // What it complained about in earlier cases is not this case's, and depends on which worker ran them.
                drop(driver.complaints());
            }
            // What is killed is killed for all.
            let is_shared = self.company.is_some() && case.kills();
            let (turn, played) = self.playing(if is_shared { With::Nobody } else { With::Others }, || {
                if is_shared {
                    self.company.iter().for_each(|company| company.is_left());
                }
                (self.turn(), driver.play(&self.name(number), &case, self.rules()))
            });
            let most_open = if played.is_open() { MOST_OPEN } else { 0 };
            let stopped = played.outcome().has_stopped();
            if stopped && !played.outcome().is_still_there() {
                // What the target shows of earlier cases after it was killed says nothing of them.
                progress.trail.ran.extend(open.drain(..).map(|open| open.ran()));
            }
            progress.coverage.count(&case);
            open.push_back(Open { number, turn, plan, case, exercised, played });
            self.close_all(&mut open, if stopped { 0 } else { most_open }, driver, progress, result, &mut failed);
        }
        self.close_all(&mut open, 0, driver, progress, result, &mut failed);
        failed
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
            progress.trail.blinded += u32::from(exercises && ran.missed);
            progress.trail.ran.push(ran);
            if progress.ended || !usable {
                progress.trail.ran.extend(open.drain(..).map(|open| open.ran()));
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
        let is_late = shown.outcome.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Timeout);
        let in_company = self.company.filter(|_| shown.outcome.has_stopped());
        if is_late || in_company.is_some() {
            // It may have been the machine that was slow, or one of the others.
            let keep = !is_late && shown.outcome.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::State);
            match self.alone(driver, (number, &plan), &shown.case, keep) {
                Ok(alone) => {
                    in_company.iter().for_each(|company| self.compare(company, (number, turn), &shown.outcome, &alone.outcome, driver));
                    ran.deliveries = if in_company.is_some() { alone.outcome.deliveries } else { ran.deliveries };
                    shown = alone;
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

    /// The next case that is to be run; `None` where there are no more, or the run is over.
    fn next(&self, capabilities: &Capabilities, makers: &mut Makers<'c>, progress: &mut Progress, floor: u32) -> Option<(u32, Made)> {
        if self.options.choose && progress.chosen.is_none() {
            progress.chosen = Some(self.chosen(capabilities, makers, progress, floor)?);
        }
        loop {
            let drawn = match &progress.chosen {
                Some(chosen) if chosen.is_empty() => return None,
                Some(_) => None,
                None if progress.drawn >= self.most() => return None,
                None if !progress.planned.wants_more(self.options.cases, floor, progress.trail.blinded) => return None,
                None => Some(progress.drawn),
            };
            if self.is_cut(progress) {
                return None;
            }
            let (number, made) = match (drawn, &mut progress.chosen) {
                (None, chosen) => chosen.as_mut()?.pop_front()?,
                (Some(_), _) => match self.drawn(capabilities, makers, progress) {
                    Some(drawn) => drawn,
                    None => continue,
                },
            };
            progress.trail.refuted |= made.refutes;
            if made.case.deliveries() == 0 {
                continue;
            }
            progress.planned.count(made.exercised);
            if self.options.shard.is_none_or(|shard| shard.has(&self.requirement.id, u64::from(number))) {
                return Some((number, made));
            }
        }
    }

    /// How many plans are drawn at most.
    fn most(&self) -> u32 {
        self.options.cases.saturating_mul(1 + EXTRA_DRAWS)
    }

    /// Notes that the run is over, if it is.
    fn is_cut(&self, progress: &mut Progress) -> bool {
        let is_over = (self.is_over)();
        if is_over {
            progress.trail.finished = false;
            progress.ended = true;
        }
        is_over
    }

    /// The next case that is drawn, if one could be.
    fn drawn(&self, capabilities: &Capabilities, makers: &mut Makers<'c>, progress: &mut Progress) -> Option<(u32, Made)> {
        let number = progress.drawn;
        progress.drawn += 1;
        let made = self.made(number, capabilities, makers)?;
        progress.trail.blinded += u32::from(made.hidden);
        Some((number, made))
    }

    /// The most telling of all cases that are drawn; `None` where the run is over.
    fn chosen(
        &self,
        capabilities: &Capabilities,
        makers: &mut Makers<'c>,
        progress: &mut Progress,
        floor: u32,
    ) -> Option<VecDeque<(u32, Made)>> {
        let mut drawn = Vec::new();
        while progress.drawn < self.most() {
            if self.is_cut(progress) {
                return None;
            }
            drawn.extend(self.drawn(capabilities, makers, progress).filter(|(_, made)| made.case.deliveries() > 0));
        }
        let mut chosen = choose(&drawn, self.options.cases, floor);
        if self.options.budget.is_none() {
            // In the order of their numbers shards can be put together.
            chosen.sort_unstable();
        }
        Some(chosen.into_iter().map(|place| drawn[place].clone()).collect())
    }

    /// A case, and what canaries do with it; out of the book if there is one.
    fn made(&self, number: u32, capabilities: &Capabilities, makers: &mut Makers<'c>) -> Option<Made> {
        let Makers { canaries, unclaimed } = makers;
        let mut make = || {
            let plan = self.draw(number)?;
            let mut case = self.case(&plan, self.serial(number), capabilities);
            // All canaries are asked only where it matters which of them fail.
            let fails = if self.options.choose { canaries.failing(&case) } else { 0 };
            let exercised = fails != 0 || canaries.exercises(&case);
            let refutes = canaries.null_fails(&case);
            if capabilities.asynchronous {
                // Every look on the way costs a wait. A case is looked at on the way where that alone can show the mistake.
                let whole = case.clone().sent_whole();
                if canaries.exercises(&whole) == exercised && canaries.null_fails(&whole) == refutes {
                    case = whole;
                }
            }
            let hidden = !exercised && self.exercises_otherwise(&plan, number, unclaimed);
            Some(Made { plan: Arc::new(plan), case: Arc::new(case), exercised, hidden, refutes, fails })
        };
        let book = self.options.book.as_ref();
        match book.filter(|book| book.is_of(self.provider.name(), self.options, capabilities)) {
            Some(book) => book.case(self.index, number, make).map(|made| Made::clone(&made)),
            None => make(),
        }
    }

    fn draw(&self, number: u32) -> Option<Plan> {
        draw(&self.strategy, Mint::new(self.options.seed).number(&self.requirement.id, u64::from(number)))
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
        // A version takes events away, and is all that one requirement is about.
        let older_api_version = self.requirement.needs.contains(&Need::OlderApiVersion);
        let everything = Capabilities { older_api_version, ..Capabilities::everything() };
        if canaries.is_none() {
            *canaries = Canaries::new(self.provider, &self.requirement.id, self.rules(), &everything).ok();
        }
        let case = self.case(plan, self.serial(number), &everything);
        canaries.as_mut().is_some_and(|canaries| canaries.exercises(&case))
    }

    fn case(&self, plan: &Plan, serial: u64, capabilities: &Capabilities) -> Case {
        case_for(self.provider, self.requirement, plan, serial, capabilities)
    }
}

/// Whether the target called the provider's API and, where that was to fail, met the failure.
fn has_called(case: &Case, outcome: &Outcome) -> bool {
    let fails = |delivery: &Delivery| delivery.api.is_some_and(|fault| fault != ApiFault::Slow);
    if case.all_deliveries().any(fails) { outcome.calls.failed > 0 } else { outcome.calls.made > 0 }
}

/// Makes a target usable again; where it is shared, while nobody else uses it.
pub(super) fn recover(driver: &mut Driver<'_>, machine: &RwLock<()>, company: Option<&Company>) -> Result<(), TargetError> {
    let Some(company) = company else { return driver.recover() };
    let _held = machine.write().unwrap_or_else(PoisonError::into_inner);
    company.is_left();
    driver.recover()
}

/// The case of a plan as the target gets it.
pub(super) fn case_for(
    provider: &dyn Provider,
    requirement: &RequirementText,
    plan: &Plan,
    serial: u64,
    capabilities: &Capabilities,
) -> Case {
    let older = capabilities.older_api_version;
    let subscribed = |kind: &str| capabilities.is_subscribed(kind) && provider.sends(kind, older);
    let audience = Audience { subscribed: &subscribed, calls_back: capabilities.calls_back, older };
    let case = lower_for(provider, plan, serial, audience).case;
    let mut case = case.restricted_to(terms(&subscribed, capabilities));
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
    }
}

fn with_complaints(error: &TargetError, complaints: &str) -> String {
    let last = complaints.lines().rev().find(|line| !line.trim().is_empty());
    match (last, &error.kind) {
        (Some(line), kind) if *kind != TargetErrorKind::Unsupported => format!("{error}; its standard error ends with: {line}"),
        _ => error.to_string(),
    }
}
