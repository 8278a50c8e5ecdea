//! Who judges which requirement: workers with a target each, and on a target that takes several deliveries at the same time
//! several that share it.
//!
//! What is sent in a case follows from its requirement and its number, so none of this changes what is found.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use super::{
    Redactor,
    campaign::{Campaign, Judged, Pending, inapplicable, millis},
    events::RunEvent,
};
use crate::{
    corpus::{Need, RequirementText},
    drive::Driver,
    search::{Company, MOST_SPOILED, Progress, Suspect, Turn, recover, turns},
    verdict::{RequirementResult, Verdict},
};

/// How many cases are under way at the same time on one target at most, whatever it claims.
const MOST_AT_ONCE: usize = 32;

/// How many cases are under way at the same time on an asynchronous target at least, also where it takes one request at a time:
/// while it works on what it has acknowledged, others are sent.
const LEAST_IF_ASYNCHRONOUS: usize = 4;

/// A requirement that was selected, and its place in the catalogue.
type Selected<'s> = (usize, &'s RequirementText);

/// Requirements, and which of them is next.
struct Queue<'q> {
    next: AtomicUsize,
    requirements: &'q [Selected<'q>],
    turn: WhichTurn,
}

/// Which turn it is.
#[derive(Clone, Copy)]
struct WhichTurn {
    is_first: bool,
    /// How many cases there are to be at its end; all, if absent.
    until: Option<u32>,
}

impl<'q> Queue<'q> {
    fn new(requirements: &'q [Selected<'q>], turn: WhichTurn) -> Queue<'q> {
        Queue { next: AtomicUsize::new(0), requirements, turn }
    }

    fn next(&self) -> Option<Selected<'q>> {
        self.requirements.get(self.next.fetch_add(1, Ordering::Relaxed)).copied()
    }
}

/// Who plays cases: a driver, made where there is none, and others that share its target.
type Players<'p, 'a> = (&'p mut Option<Driver<'a>>, &'p mut [Driver<'a>]);

/// Judges requirements until there are no more.
struct Worker<'w, 'a> {
    campaign: &'w Campaign<'a>,
    tell: mpsc::Sender<Message>,
    redactor: &'w Redactor,
}

impl<'a> Worker<'_, 'a> {
    /// With so many cases under way at the same time on one target. Nothing is done where it cannot be shared.
    fn together(&self, queue: &Queue<'_>, main: Option<&mut Driver<'a>>, at_once: usize, company: &Company) {
        let Some(main) = main.filter(|_| at_once > 1) else { return };
        std::thread::scope(|scope| {
            // Where there are fewer requirements than may be judged at once, each has several cases under way.
            let seats = at_once.min(queue.requirements.len()).max(1);
            for number in 0..seats {
                let Some(guest) = main.beside() else { break };
                let others = at_once / seats + usize::from(number < at_once % seats) - 1;
                let mut crew: Vec<Driver<'a>> = (0..others).map_while(|_| main.beside()).collect();
                let worker = Worker { campaign: self.campaign, tell: self.tell.clone(), redactor: self.redactor };
                let stays = move || number == 0 || !company.is_crowded();
                scope.spawn(move || worker.each(queue, (&mut Some(guest), &mut crew), Some(company), stays));
            }
        });
    }

    /// As long as it stays and there are more.
    fn each(&self, queue: &Queue<'_>, (driver, crew): Players<'_, 'a>, company: Option<&Company>, stays: impl Fn() -> bool) {
        while stays()
            && let Some((index, requirement)) = queue.next()
        {
            // Whoever listens may have gone; the work is then for nothing but harms nobody.
            if queue.turn.is_first {
                let _ = self.tell.send(Message::Started(index));
            }
            let work =
                AssertUnwindSafe(|| self.campaign.judge_in_turn(index, requirement, (&mut *driver, &mut *crew), company, queue.turn.until));
            let judged = catch_unwind(work).unwrap_or_else(|_| {
                let note = "the harness itself panicked here; please report it with the seed".to_owned();
                Some(Judged::Done(index, Box::new(error_result(requirement, note))))
            });
            let Some(mut judged) = judged else { continue };
            if let Judged::Done(_, result) = &mut judged {
                self.redactor.requirement(result);
            }
            let _ = self.tell.send(Message::Finished(judged));
        }
    }
}

/// Says of a requirement of which a case failed in company, and that nobody fails alone, that it could not be judged: the first that
/// has no findings, which say that something is wrong in any case.
fn blame_nobody(results: &mut [Judged], suspects: &[Suspect], redactor: &Redactor) {
    let place = |suspect: &Suspect| {
        let is_it = |judged: &Judged| matches!(judged, Judged::Done(index, _) if *index == suspect.index);
        results.iter().position(is_it).map(|place| (place, suspect.clone()))
    };
    let Some((place, Suspect { number, what, .. })) = suspects.iter().find_map(place) else { return };
    if let Judged::Done(_, result) = &mut results[place] {
        let others = suspects.len() - 1;
        let too = match others {
            0 => String::new(),
            1 => ", as did another case".to_owned(),
            _ => format!(", as did {others} other cases"),
        };
        (result.verdict, result.coverage, result.by_claims) = (Verdict::Error, None, false);
        let what = format!("case {number} failed while others were under way{too}, and none of them fails alone: {what}");
        let advice =
            "requests that are handled at the same time may get in each other's way now and then; run it again with more `--cases`";
        result.note = Some(format!("{what}; {advice}"));
        redactor.requirement(result);
    }
}

enum Message {
    Started(usize),
    Finished(Judged),
}

impl<'a> Campaign<'a> {
    /// What comes of the cases of each of these requirements.
    pub(super) fn run_requirements(
        &self,
        first: Driver<'a>,
        selected: &[(usize, &RequirementText)],
        emit: &mut dyn FnMut(&RunEvent<'_>),
    ) -> Vec<Judged> {
        let mut results = Vec::with_capacity(selected.len());
        let mut first = first;
        let (tell, hear) = mpsc::channel();
        let workers = self.options.jobs.min(self.factory.workers(first.capabilities())).clamp(1, selected.len().max(1));
        let at_once = self.at_once(&mut first);
        let kills = |requirement: &RequirementText| at_once > 1 && requirement.needs.contains(&Need::Durable);
        let (alone, shared): (Vec<Selected<'_>>, Vec<Selected<'_>>) = selected.iter().partition(|(_, requirement)| kills(requirement));
        let rounds: Vec<(Queue<'_>, Queue<'_>)> = turns(self.options.cases, self.options.budget.is_some())
            .into_iter()
            .enumerate()
            .map(|(number, until)| WhichTurn { is_first: number == 0, until })
            .map(|turn| (Queue::new(&alone, turn), Queue::new(&shared, turn)))
            .collect();
        let companies: Vec<Company> = (0..workers).map(|_| Company::default()).collect();
        let first = Mutex::new(Some(first));
        let redactor = Redactor::of(self.options, self.factory);
        std::thread::scope(|scope| {
            for company in &companies {
                let worker = Worker { campaign: self, tell: tell.clone(), redactor: &redactor };
                let (rounds, first) = (&rounds, &first);
                scope.spawn(move || {
                    let mut driver = first.lock().ok().and_then(|mut first| first.take());
                    if driver.is_none() && at_once > 1 {
                        driver = self.driver().ok();
                    }
                    for (alone, shared) in rounds {
                        let before = company.turn();
                        worker.together(shared, driver.as_mut(), at_once, company);
                        if company.turn() > before && driver.as_mut().is_some_and(|driver| driver.recover().is_err()) {
                            driver = None;
                        }
                        // What kills the target has it for itself, and where it is not shared everything has.
                        worker.each(shared, (&mut driver, &mut []), None, || true);
                        worker.each(alone, (&mut driver, &mut []), None, || true);
                    }
                });
            }
            drop(tell);
            let id = |index: usize| self.provider.corpus().requirements[index].id.as_str();
            for message in hear {
                match message {
                    Message::Started(index) => emit(&RunEvent::RequirementStarted { id: id(index) }),
                    Message::Finished(judged) => {
                        if let Judged::Done(_, result) = &judged {
                            emit(&RunEvent::RequirementFinished(result));
                        }
                        results.push(judged);
                    }
                }
            }
        });
        for company in &companies {
            blame_nobody(&mut results, &company.unexplained(), &redactor);
        }
        results
    }

    /// How many cases are under way at the same time on one target: as many as it claims to take deliveries, if there is a way
    /// to speak to it besides.
    pub(super) fn at_once(&self, first: &mut Driver<'a>) -> usize {
        let claimed = usize::try_from(first.capabilities().concurrency).unwrap_or(usize::MAX).min(MOST_AT_ONCE);
        let claimed = if first.capabilities().asynchronous { claimed.max(LEAST_IF_ASYNCHRONOUS) } else { claimed };
        // Who steps through deliveries is asked for one at a time.
        if claimed > 1 && self.options.before.is_none() && first.beside().is_some() { claimed } else { 1 }
    }

    /// What comes of a requirement in its turn; nothing where others have theirs before it is known, or where it was known before.
    fn judge_in_turn(
        &self,
        index: usize,
        requirement: &RequirementText,
        players: Players<'_, 'a>,
        company: Option<&Company>,
        until: Option<u32>,
    ) -> Option<Judged> {
        // Another worker may still have its turn before.
        let mut turn = self.turns.of_requirement(index)?;
        let begun = match std::mem::replace(&mut *turn, Turn::Over) {
            Turn::Fresh => None,
            Turn::Begun(begun) => Some(*begun),
            Turn::Over => return None,
        };
        let judged = self.judge(index, requirement, players, company, (begun, until));
        match judged {
            Judged::Begun(begun) => {
                *turn = Turn::Begun(begun);
                None
            }
            judged => Some(judged),
        }
    }

    fn judge(
        &self,
        index: usize,
        requirement: &RequirementText,
        (driver, crew): Players<'_, 'a>,
        company: Option<&Company>,
        (begun, until): (Option<(Progress, RequirementResult)>, Option<u32>),
    ) -> Judged {
        let fresh = || (Progress::new(), blank_result(requirement));
        let (mut progress, mut result) = begun.unwrap_or_else(fresh);
        let done = |result: RequirementResult| Judged::Done(index, Box::new(result));
        let Some(recipe) = requirement.recipe else {
            result.note = Some("this version does not judge it yet".to_owned());
            return done(result);
        };
        result.judged = true;
        result.floor = (self.options.cases * u32::from(requirement.floor)).div_ceil(100);
        let inapplicable = |driver: &Driver<'_>| inapplicable(requirement, driver.capabilities());
        let not_applicable = |reason: String, result: RequirementResult| {
            done(RequirementResult { verdict: Verdict::NotApplicable, note: Some(reason), ..result })
        };
        if let Some(reason) = driver.as_ref().and_then(inapplicable) {
            return not_applicable(reason, result);
        }
        if self.is_over() {
            result.note = Some("the run ended before it".to_owned());
            return done(result);
        }
        if self.spoiled.load(Ordering::Relaxed) >= MOST_SPOILED {
            return done(error_result(
                requirement,
                format!("not judged: the target failed to answer in {MOST_SPOILED} requirements before this one"),
            ));
        }
        if driver.is_none() {
            match self.driver() {
                Ok(new) => *driver = Some(new),
                Err(error) => {
                    self.spoiled.fetch_add(1, Ordering::Relaxed);
                    return done(error_result(requirement, error.to_string()));
                }
            }
        }
        let Some(ready) = driver.as_mut() else { return done(result) };
        if company.is_some()
            && !ready.is_usable()
            && let Err(error) = recover(ready, &self.machine, company)
        {
            self.spoiled.fetch_add(1, Ordering::Relaxed);
            return done(error_result(requirement, error.to_string()));
        }
        if let Some(reason) = inapplicable(ready) {
            return not_applicable(reason, result);
        }
        let started = self.wall.monotonic();
        let is_over = || self.is_over();
        let has_had_its_turn = |progress: &Progress| until.is_some_and(|until| progress.has(until));
        let is_enough = |progress: &Progress| has_had_its_turn(progress) || self.is_spent();
        let work = self.work(index, requirement, recipe, company, &is_over, &is_enough);
        let failed = work.go_on(ready, crew, &mut progress, &mut result);
        let costs_time = self.factory.transport() != "in-process";
        if costs_time && (result.verdict == Verdict::Error || company.is_none() && failed.iter().any(|failed| failed.outcome.has_hung())) {
            self.spoiled.fetch_add(1, Ordering::Relaxed);
        }
        let usable = failed.is_empty() && result.verdict != Verdict::Error;
        // Whoever is in company was alone with it already, and has started it again if that was needed.
        if !usable && company.is_none() && ready.recover().is_err() {
            *driver = None;
        }
        result.duration_ms += millis(self.wall.monotonic().saturating_sub(started));
        if !failed.is_empty() {
            return Judged::Failing(Box::new(Pending { index, recipe, result, progress, failed }));
        }
        if result.verdict != Verdict::Error && !progress.ended && has_had_its_turn(&progress) {
            return Judged::Begun(Box::new((progress, result)));
        }
        result.coverage = Some(progress.coverage).filter(|_| result.verdict != Verdict::Error);
        self.settle(&mut result, progress.trail, progress.planned, &[]);
        if result.verdict == Verdict::NotExercised && !result.by_claims && self.is_spent() {
            let so_far = result.note.take().map_or(String::new(), |note| format!("; {note}"));
            result.note = Some(format!("the budget is spent{so_far}"));
        }
        done(result)
    }
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
        by_claims: false,
        coverage: None,
        deliveries: 0,
        refused_first: 0,
        duration_ms: 0,
        source: requirement.source(),
        findings: Vec::new(),
        trail: None,
    }
}

fn error_result(requirement: &RequirementText, note: String) -> RequirementResult {
    RequirementResult { verdict: Verdict::Error, note: Some(note), judged: true, ..blank_result(requirement) }
}
