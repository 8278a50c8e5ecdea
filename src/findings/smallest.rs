//! The smallest case of a mistake, also where chance has a say.

use std::{cell::RefCell, time::Duration};

use super::{
    alike::{alike_but_for_ids, shape_of},
    dear::{Player, shrink_dear},
    inquiry::Inquiry,
    likeness::told_like,
    mistake::{Failing, Mistake, Shown, Stage, is_lost},
    shrink::{ShrinkLimits, Shrunk, shrink},
    trigger::features,
};
use crate::{case::Case, check::FailureKind, plan::Plan, reference::Fault};

/// How often a case is run whose end depends on chance before it counts as one that does not fail; as often again after it failed
/// once.
const TRIES: u32 = 5;

/// How often a smallest case whose end depends on chance is run, to say how often it fails.
const CHANCES: u32 = 20;

/// Attempts at showing a failure by other plans.
struct Attempts<'s, S> {
    stage: &'s mut S,
    host: usize,
    /// In what way they must fail.
    kind: FailureKind,
    /// The faults that the target is taken to have: what they do too shows nothing new.
    assumed: Vec<Fault>,
    started: Duration,
    /// The fewest deliveries that failed.
    best: usize,
    /// Whether some attempt could not be made, so that nobody knows whether it fails.
    unasked: bool,
}

impl<S: Stage> Attempts<'_, S> {
    /// How many deliveries a plan comes to and what it showed, if it fails. One lucky failure is no reason to go on with a case:
    /// what is left at the end must come again.
    fn fails_at_last(&mut self, plan: &Plan) -> Option<(usize, (Case, Shown))> {
        let (mut tries, mut seen) = (0, 0);
        loop {
            tries += 1;
            let case = self.stage.case(self.host, plan);
            if case.deliveries() == 0 {
                return None;
            }
            let Some(shown) = self.stage.play(self.host, &case, Some(self.kind)) else {
                self.unasked = true;
                return None;
            };
            if self.is_new(&case, &shown) {
                seen += 1;
                if seen > 1 || !case.is_chancy() {
                    return Some(self.taken(case, shown));
                }
            }
            if tries >= TRIES * (1 + seen) || !case.is_chancy() {
                return None;
            }
        }
    }

    /// Whether it fails in the same way, and not as the assumed faults do.
    fn is_new(&mut self, case: &Case, shown: &Shown) -> bool {
        let fails = shown.failure.as_ref().is_some_and(|failure| failure.kind == self.kind);
        fails && (self.assumed.is_empty() || told_like(self.stage, self.host, case, shown, &self.assumed).is_none())
    }

    fn taken(&mut self, case: Case, shown: Shown) -> (usize, (Case, Shown)) {
        let size = case.deliveries();
        if size < self.best {
            self.best = size;
            self.stage.smaller(self.host, size);
        }
        (size, (case, shown))
    }
}

impl<S: Stage> Player<(Case, Shown)> for Attempts<'_, S> {
    fn size(&mut self, plan: &Plan) -> usize {
        self.stage.case(self.host, plan).deliveries()
    }

    fn fails(&mut self, plans: &[Plan]) -> Vec<Option<(usize, (Case, Shown))>> {
        let cases: Vec<Case> = plans.iter().map(|plan| self.stage.case(self.host, plan)).collect();
        if cases.len() == 1 || cases.iter().any(Case::is_chancy) {
            return plans.iter().map(|plan| self.fails_at_last(plan)).collect();
        }
        let shown = self.stage.play_all(self.host, &cases, Some(self.kind));
        let mut failed = Vec::new();
        for (case, shown) in cases.into_iter().zip(shown) {
            self.unasked |= shown.is_none();
            let shown = shown.filter(|shown| self.is_new(&case, shown));
            failed.push(shown.map(|shown| self.taken(case, shown)));
        }
        failed
    }

    fn elapsed(&self) -> Duration {
        self.stage.elapsed().saturating_sub(self.started)
    }
}

impl<S: Stage> Inquiry<'_, S> {
    /// The smallest case that fails in the same way and not as the assumed faults do, whether it is the smallest that there
    /// is, and how often it fails where that is chance.
    pub(super) fn smallest(&mut self, at: Failing, kind: FailureKind) -> (Failing, bool, Option<(u32, u32)>) {
        let limits = self.stage.limits(kind);
        let (host, assumed) = (at.host, self.assumed());
        let is_dear = self.stage.is_dear(kind, &at.case);
        let at_once = if is_dear { self.stage.at_once(kind, &at.case) } else { 1 };
        let first = Shrunk { plan: at.plan.clone(), shown: (at.case, at.shown), is_smallest: false };
        let started = self.stage.elapsed();
        let mut attempts = Attempts { stage: &mut self.stage, host, kind, assumed, started, best: usize::MAX, unasked: false };
        let smaller = if is_dear {
            shrink_dear(first, limits, at_once, &mut attempts)
        } else {
            let attempts = RefCell::new(&mut attempts);
            shrink(first, limits, || attempts.borrow().elapsed(), |plan| attempts.borrow_mut().fails_at_last(plan))
        };
        let is_smallest = smaller.is_smallest && !attempts.unasked;
        let Shrunk { plan, shown: (case, shown), .. } = smaller;
        let chance = self.chance(host, &plan, &case, kind, limits);
        let mut case = case;
        case.plan = Some(plan.clone());
        (Failing { host, number: None, plan, case, shown }, is_smallest, chance)
    }

    /// How often the smallest case fails, where that is chance: because deliveries race, or because it does not fail again.
    pub(super) fn chance(&mut self, host: usize, plan: &Plan, case: &Case, kind: FailureKind, limits: ShrinkLimits) -> Option<(u32, u32)> {
        if self.stage.is_costly(kind) {
            return None;
        }
        let again = |inquiry: &mut Self| {
            let case = inquiry.stage.case(host, plan);
            inquiry.stage.play(host, &case, Some(kind)).map(|shown| shown.failure.is_some())
        };
        let is_lost = !case.is_chancy() && kind != FailureKind::Timeout && limits.attempts > 0 && again(self) == Some(false);
        if !case.is_chancy() && !is_lost {
            return None;
        }
        let started = self.stage.elapsed();
        let (mut failed, mut runs) = (0, u32::from(is_lost));
        while runs < CHANCES + u32::from(is_lost) && (runs == 0 || self.stage.elapsed().saturating_sub(started) <= limits.time) {
            let Some(fails) = again(self) else { break };
            runs += 1;
            failed += u32::from(fails);
        }
        (runs > 0).then_some((failed, runs))
    }

    /// A mistake whose smallest case never failed again is shown by another case of it that does, if this is one.
    pub(super) fn prove(&mut self, place: usize, failing: &Failing, kind: FailureKind) {
        if !is_lost(self.mistakes[place].chance) {
            return;
        }
        let (smallest, is_smallest, chance) = self.smallest(failing.clone(), kind);
        if is_lost(chance) {
            return;
        }
        let id = shape_of(&smallest, kind, is_smallest);
        let trigger = features(&smallest.plan, &smallest.case);
        let smallest = self.under_its_own_ids(&id, smallest);
        let mistake = &mut self.mistakes[place];
        *mistake = Mistake { id, smallest, is_smallest, trigger, chance, ..mistake.clone() };
    }

    /// The smallest case with ids that follow from the mistake alone, so that every run saves the same bytes; the case as it
    /// is where it does not fail so again.
    pub(super) fn under_its_own_ids(&mut self, id: &str, smallest: Failing) -> Failing {
        let serial = u64::from_str_radix(id.get(..8).unwrap_or_default(), 16).unwrap_or(0);
        let mut case = self.stage.case_with(smallest.host, &smallest.plan, serial);
        case.plan = Some(smallest.plan.clone());
        let kind = smallest.shown.failure.as_ref().map(|failure| failure.kind);
        match self.stage.play(smallest.host, &case, kind) {
            Some(shown) if alike_but_for_ids(&shown, &smallest.shown) => Failing { case, shown, ..smallest },
            _ => smallest,
        }
    }

    /// A case that passes although it was foretold to fail. It is made smaller, so that only the likeness goes that is wrong.
    pub(super) fn refute(&mut self, failing: &Failing) {
        let assumed = self.assumed();
        let host = failing.host;
        let limits = self.stage.limits(FailureKind::State);
        let started = self.stage.elapsed();
        let first = Shrunk { plan: failing.plan.clone(), shown: failing.case.clone(), is_smallest: false };
        let stage = RefCell::new(&mut self.stage);
        let smaller = shrink(
            first,
            ShrinkLimits { attempts: limits.attempts.min(300), ..limits },
            || stage.borrow().elapsed().saturating_sub(started),
            |plan| {
                let mut stage = stage.borrow_mut();
                let case = stage.case(host, plan);
                if case.deliveries() == 0 || stage.foretell(host, &case, &assumed).failure.is_none() {
                    return None;
                }
                let shown = stage.play(host, &case, None)?;
                shown.failure.is_none().then(|| (case.deliveries(), case))
            },
        );
        let foretold = self.stage.foretell(host, &smaller.shown, &assumed);
        let wrong = self.needed(host, &smaller.shown, &foretold);
        self.drop_likeness(&wrong);
    }
}
