//! Which cases of a requirement come next: drawn one after the other, or chosen out of all that are drawn.

use std::{collections::VecDeque, sync::Arc};

use super::{
    book::Made,
    choose::choose,
    exercise::Canaries,
    work::{EXTRA_DRAWS, Progress, Work, case_for},
};
use crate::{
    adapter::{Capabilities, TargetError},
    corpus::Need,
    plan::{Plan, draw},
    provider::Mint,
};

/// What cases are made with.
pub(super) struct Makers<'c> {
    canaries: Canaries<'c>,
    /// The same for a target that claims everything, made when they are needed.
    unclaimed: Option<Canaries<'c>>,
}

impl<'c> Work<'c> {
    /// What the cases of a target with these claims are made with.
    pub(super) fn makers(&self, capabilities: &Capabilities) -> Result<Makers<'c>, TargetError> {
        let mut canaries = Canaries::new(self.provider, &self.requirement.id, self.rules(), capabilities)?;
        self.options.unforeseen.iter().for_each(|fault| canaries.forget(*fault));
        Ok(Makers { canaries, unclaimed: None })
    }

    /// The next cases, at most so many, that may be under way at once. What others would notice comes alone.
    pub(super) fn batch(
        &self,
        most: usize,
        capabilities: &Capabilities,
        makers: &mut Makers<'c>,
        progress: &mut Progress,
        floor: u32,
    ) -> Vec<(u32, Made)> {
        let mut cases: Vec<(u32, Made)> = Vec::new();
        while cases.len() < most {
            let held = progress.held.take();
            let next = match held {
                Some(held) => Some(held),
                None if (self.is_enough)(progress) => None,
                None => self.next(capabilities, makers, progress, floor),
            };
            let Some(next) = next else { break };
            let alone = next.1.case.wants_target_alone();
            if alone && !cases.is_empty() {
                progress.held = Some(next);
                break;
            }
            cases.push(next);
            if alone {
                break;
            }
        }
        cases
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
                None if !progress.planned.wants_more(self.options.cases, self.most(), floor, progress.trail.blinded) => return None,
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
        let made = self.made(number, capabilities, makers, progress.trail.refuted)?;
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

    /// A case, and what canaries do with it; out of the book if there is one. `refuted` says whether a consumer that does nothing
    /// fails one of those before it.
    fn made(&self, number: u32, capabilities: &Capabilities, makers: &mut Makers<'c>, refuted: bool) -> Option<Made> {
        let Makers { canaries, unclaimed } = makers;
        let mut make = || {
            let plan = self.draw(number, capabilities)?;
            let mut case = self.case(&plan, self.serial(number), capabilities);
            // All canaries are asked only where it matters which of them fail.
            let (exercised, fails) = if self.options.choose { canaries.failing(&case) } else { (canaries.exercises(&case), 0) };
            // One such case is enough, unless which cases there are, or how they are sent, depends on it.
            let matters = !refuted || self.options.choose || capabilities.asynchronous;
            let refutes = matters && canaries.null_fails(&case);
            // Before time passes, everything is to be done that was sent.
            if capabilities.asynchronous && !case.advances() {
                // Every look on the way costs a wait. A case is looked at on the way where that alone can show the mistake.
                let whole = case.clone().sent_whole();
                if canaries.exercises(&whole) == exercised && canaries.null_fails(&whole) == refutes {
                    case = whole;
                }
            }
            let hidden = !exercised && self.exercises_otherwise(&plan, number, capabilities, unclaimed);
            Some(Made { plan: Arc::new(plan), case: Arc::new(case), exercised, hidden, refutes, fails })
        };
        let book = self.options.book.as_ref();
        match book.filter(|book| book.is_of(self.provider, self.options, capabilities)) {
            Some(book) => book.case(self.index, number, make).map(|made| Made::clone(&made)),
            None => make(),
        }
    }

    fn draw(&self, number: u32, capabilities: &Capabilities) -> Option<Plan> {
        let seed = Mint::new(self.options.seed).number(&self.requirement.id, u64::from(number));
        let plan = draw(&self.strategy, seed)?;
        Some(self.afterwards.befall(plan, number, seed, capabilities.clock, capabilities.durable))
    }

    /// Whether the plan could show a mistake of a target that claims everything. What is needed for that is made once, and
    /// only for targets that claim less.
    fn exercises_otherwise(&self, plan: &Plan, number: u32, capabilities: &Capabilities, canaries: &mut Option<Canaries<'c>>) -> bool {
        // A version takes events away, and is all that one requirement is about.
        let older_api_version = self.requirement.needs.contains(&Need::OlderApiVersion);
        // A clock takes nothing away: what comes after hours is sent besides.
        let everything = Capabilities { older_api_version, clock: capabilities.clock, ..Capabilities::everything() };
        if *capabilities == everything {
            // It is the same case for the same canaries.
            return false;
        }
        if canaries.is_none() {
            *canaries = Canaries::new(self.provider, &self.requirement.id, self.rules(), &everything).ok();
        }
        let case = case_for(self.provider, self.requirement, plan, self.serial(number), &everything);
        canaries.as_mut().is_some_and(|canaries| canaries.exercises(&case))
    }
}
