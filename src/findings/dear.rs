//! Making a failing case smaller where each attempt is dear: the target is started again for it, or hangs, or must be waited for.
//!
//! What fails whatever is delivered is seen first, by one event that tells nothing. Then whole runs go, of steps and then of events,
//! half of what there is at a time, so that what matters is found in few attempts; a plan is tried only if it sends less, and none
//! is tried twice. Plainer steps and amounts come last, with what is left of attempts and time. Where the target takes several
//! cases at once several plans are tried at once.

use std::time::Duration;

use super::shrink::{ShrinkLimits, Shrunk, bare, omissions};
use crate::plan::{Fault, FaultKind, OrderPlan, Plan, simpler_plans};

/// The largest family of events that one step is expected to have.
const FAMILY: u8 = 12;

/// The parts of a plan that can be taken out, each by the number of its step and its own in it; it may ask how large a plan is.
type Parts = fn(&Plan, &mut dyn FnMut(&Plan) -> usize) -> Vec<(usize, usize)>;

/// Who plays plans.
pub(super) trait Player<T> {
    /// How many deliveries a plan comes to; nothing is sent for that.
    fn size(&mut self, plan: &Plan) -> usize;

    /// How many deliveries each plan comes to and what it showed, if it fails in the same way. They may be played at once.
    fn fails(&mut self, plans: &[Plan]) -> Vec<Option<(usize, T)>>;

    /// The time since shrinking began.
    fn elapsed(&self) -> Duration;
}

/// Shrinks a failing plan, so many attempts at a time.
pub(super) fn shrink_dear<T>(first: Shrunk<T>, limits: ShrinkLimits, at_once: usize, player: &mut dyn Player<T>) -> Shrunk<T> {
    let at_once = at_once.max(1);
    let mut search = Search { best: first, size: usize::MAX, left: limits.attempts, time: limits.time, at_once, tried: Vec::new(), player };
    let is_smallest = search.all().is_ok();
    Shrunk { is_smallest, ..search.best }
}

/// A limit was reached.
struct OutOfLuck;

struct Search<'p, T> {
    best: Shrunk<T>,
    /// How many deliveries the best plan comes to.
    size: usize,
    left: u32,
    time: Duration,
    at_once: usize,
    tried: Vec<Plan>,
    player: &'p mut dyn Player<T>,
}

impl<T> Search<'_, T> {
    fn all(&mut self) -> Result<(), OutOfLuck> {
        let first = self.best.plan.clone();
        if !self.try_one_of(&mut [first].into_iter(), |_, _, _| true)? {
            // A failure that does not come back is kept as it was seen.
            return Ok(());
        }
        // One event may be no less than there was, but it is the same one whatever was delivered.
        let bare = bare(&self.best.plan);
        if self.try_one_of(&mut [bare].into_iter(), sends_no_more)? {
            let plainest = Plan { orders: vec![OrderPlan::default()], look: 0, ..self.best.plan.clone() };
            self.try_one_of(&mut [plainest].into_iter(), sends_no_more)?;
        }
        self.by_runs(steps, |plan, gone| {
            let mut simpler = plan.clone();
            let mut place = 0;
            simpler.steps.retain(|_| {
                place += 1;
                !gone.contains(&(place - 1, 0))
            });
            simpler
        })?;
        self.by_runs(faults, |plan, gone| {
            let mut simpler = plan.clone();
            for (place, step) in simpler.steps.iter_mut().enumerate() {
                let mut fault = 0;
                step.faults.retain(|_| {
                    fault += 1;
                    !gone.contains(&(place, fault - 1))
                });
            }
            simpler
        })?;
        self.by_runs(events, |plan, gone| {
            let mut simpler = plan.clone();
            for &(place, event) in gone {
                let event = u8::try_from(event).unwrap_or(u8::MAX);
                simpler.steps[place].faults.insert(0, Fault { event, kind: FaultKind::Omit });
            }
            simpler
        })?;
        // What is left, made plainer, until nothing can be.
        loop {
            let simpler: Vec<Plan> = simpler_plans(&self.best.plan).collect();
            if !self.try_one_of(&mut simpler.into_iter(), is_simpler)? {
                return Ok(());
            }
        }
    }

    /// Takes runs out of what `parts` there are, the longest first, until no single one can go.
    fn by_runs(&mut self, parts: Parts, without: impl Fn(&Plan, &[(usize, usize)]) -> Plan) -> Result<(), OutOfLuck> {
        let mut run = usize::MAX;
        loop {
            let there = parts(&self.best.plan, &mut |plan| self.player.size(plan));
            run = run.min(there.len().div_ceil(2));
            if run == 0 {
                return Ok(());
            }
            // From the end: later steps depend on earlier ones, not the other way round.
            let plan = self.best.plan.clone();
            let mut shorter = there.rchunks(run).map(|gone| without(&plan, gone));
            if !self.try_one_of(&mut shorter, sends_less)? {
                run = if run == 1 { 0 } else { run.div_ceil(2) };
            }
        }
    }

    /// Tries plans until one fails, which is the best from then on. Only those are played that `may` be better, by the best
    /// plan and its size and by theirs.
    fn try_one_of(
        &mut self,
        plans: &mut dyn Iterator<Item = Plan>,
        may: fn(&(Plan, usize), &Plan, usize) -> bool,
    ) -> Result<bool, OutOfLuck> {
        let best = (self.best.plan.clone(), self.size);
        loop {
            let mut batch = Vec::new();
            while batch.len() < self.at_once
                && let Some(plan) = plans.next()
            {
                let size = self.player.size(&plan);
                if size > 0 && !self.tried.contains(&plan) && !batch.contains(&plan) && may(&best, &plan, size) {
                    batch.push(plan);
                }
            }
            if batch.is_empty() {
                return Ok(false);
            }
            if self.left == 0 || self.player.elapsed() > self.time {
                return Err(OutOfLuck);
            }
            self.left = self.left.saturating_sub(u32::try_from(batch.len()).unwrap_or(u32::MAX));
            let results = self.player.fails(&batch);
            self.tried.extend(batch.iter().cloned());
            if let Some((plan, (size, shown))) = batch.into_iter().zip(results).find_map(|(plan, result)| Some((plan, result?))) {
                self.best = Shrunk { plan, shown, is_smallest: false };
                self.size = size;
                return Ok(true);
            }
        }
    }
}

fn sends_less(best: &(Plan, usize), _: &Plan, size: usize) -> bool {
    size < best.1
}

fn sends_no_more(best: &(Plan, usize), _: &Plan, size: usize) -> bool {
    size <= best.1
}

/// Leaving an event out is only simpler if there is really one delivery less.
fn is_simpler(best: &(Plan, usize), plan: &Plan, size: usize) -> bool {
    size < best.1 || size == best.1 && omissions(plan) <= omissions(&best.0)
}

fn steps(plan: &Plan, _: &mut dyn FnMut(&Plan) -> usize) -> Vec<(usize, usize)> {
    (0..plan.steps.len()).map(|step| (step, 0)).collect()
}

fn faults(plan: &Plan, _: &mut dyn FnMut(&Plan) -> usize) -> Vec<(usize, usize)> {
    let of = |(place, step): (usize, &crate::plan::Step)| {
        let is_one = |fault: &Fault| fault.kind != FaultKind::Omit;
        (0..step.faults.len()).filter(|fault| is_one(&step.faults[*fault])).map(move |fault| (place, fault)).collect::<Vec<_>>()
    };
    plan.steps.iter().enumerate().flat_map(of).collect()
}

/// The events that are sent: without which less is.
fn events(plan: &Plan, size: &mut dyn FnMut(&Plan) -> usize) -> Vec<(usize, usize)> {
    let whole = size(plan);
    let mut sent = Vec::new();
    for place in 0..plan.steps.len() {
        for event in 0..FAMILY {
            let mut without = plan.clone();
            without.steps[place].faults.insert(0, Fault { event, kind: FaultKind::Omit });
            if size(&without) < whole {
                sent.push((place, usize::from(event)));
            }
        }
    }
    sent
}
