//! The bank of faults as a dictionary: which fault does what the target did.

use std::{borrow::Cow, collections::HashMap, time::Duration};

use super::{
    alike::{alike, alike_in, alike_in_all, readings},
    inquiry::Inquiry,
    mistake::{Failing, Shown, Stage},
    shrink::{ShrinkLimits, Shrunk, shrink},
};
use crate::{
    case::Case,
    plan::{Palette, Plan, PlanStrategy, Recipe, draw, for_recipe},
    provider::Provider,
    reference::{Fault, faults},
};

/// The faults that a provider's events can show.
pub(super) struct Dictionary {
    faults: Vec<(Fault, &'static str)>,
    /// Faults that the target was taken to have and does not.
    pub(super) refuted: Vec<Fault>,
    strategies: HashMap<Recipe, PlanStrategy>,
}

/// How many plans are drawn to tell faults apart of a recipe that one of them is aimed at.
const DRAWS: u64 = 16;

/// How many of any other recipe.
const FEWER_DRAWS: u64 = 3;

/// How many cases are played to see whether a fault does what the target does.
const CHECKS: usize = 4;

/// How many cases are played that show one of two faults alone.
const TELLING_ALONE: usize = 2;

/// How many faults that matter to a case are tried in pairs, and how many pairs are followed.
const MOST_NEAR: usize = 40;
const MOST_PAIRS: usize = 6;

/// How often nothing of what was foretold may come before no likeness is believed.
const STRIKES: u32 = 3;

/// How many plans are tried to make a case smaller that tells faults apart; in process, so it costs the target nothing.
const ATTEMPTS: u32 = 400;

impl Dictionary {
    pub(super) fn new(provider: &dyn Provider) -> Dictionary {
        let aimed = faults().iter().filter_map(|info| Some((info.fault, info.aimed_at(provider.name(), provider.corpus())?)));
        Dictionary { faults: aimed.collect(), refuted: Vec::new(), strategies: HashMap::new() }
    }

    /// The plan that a recipe draws from a seed.
    pub(super) fn drawn(&mut self, palette: &Palette, recipe: Recipe, seed: u64) -> Option<Plan> {
        draw(self.strategies.entry(recipe).or_insert_with(|| for_recipe(recipe, palette)), seed)
    }

    fn aim(&self, fault: Fault) -> Option<&'static str> {
        self.faults.iter().find(|(other, _)| *other == fault).map(|(_, aim)| *aim)
    }
}

/// What these faults do with a case, if that is what the target did, and the case with which they do it: as it is, or as a target of
/// another design reads it.
pub(super) fn told_like<'c, S: Stage>(
    stage: &mut S,
    host: usize,
    case: &'c Case,
    shown: &Shown,
    faults: &[Fault],
) -> Option<(Cow<'c, Case>, Shown)> {
    let told = stage.foretell(host, case, faults);
    if alike_in(case, &told, shown) {
        return Some((Cow::Borrowed(case), told));
    }
    readings(case, shown, stage.provider()).into_iter().find_map(|other| {
        let told = stage.foretell(host, &other, faults);
        alike_in(case, &told, shown).then_some((Cow::Owned(other), told))
    })
}

impl<S: Stage> Inquiry<'_, S> {
    /// The faults that, beside those assumed already, do what the target did with this case and with others that tell them
    /// apart; and all faults that alone fail the case in the same way.
    pub(super) fn look_up(&mut self, smallest: &Failing, assumed: &[Fault]) -> (Vec<Fault>, Vec<Fault>) {
        let (mut like, mut failing) = (Vec::new(), Vec::new());
        let known: Vec<Fault> = self.dictionary.faults.iter().map(|(fault, _)| *fault).filter(|fault| !assumed.contains(fault)).collect();
        for fault in known {
            let alone = self.stage.foretell(smallest.host, &smallest.case, &[fault]);
            let kind = |shown: &Shown| shown.failure.as_ref().map(|failure| failure.kind);
            if alone.failure.is_some() && kind(&alone) == kind(&smallest.shown) {
                failing.push(fault);
            }
            if self.dictionary.refuted.contains(&fault) {
                continue;
            }
            let with = if assumed.is_empty() { alone } else { self.foretell_with(smallest.host, &smallest.case, assumed, fault) };
            if alike(&with, &smallest.shown) {
                like.push(fault);
            }
        }
        if like.len() > 1 {
            like = self.told_apart(smallest.host, like, assumed);
        }
        (like, failing)
    }

    /// Pairs of faults that, together and with those assumed already, do what the target did with this case.
    pub(super) fn look_up_two(&mut self, smallest: &Failing, assumed: &[Fault]) -> Vec<(Fault, Fault)> {
        let without = self.stage.foretell(smallest.host, &smallest.case, assumed);
        let known: Vec<Fault> = self.dictionary.faults.iter().map(|(fault, _)| *fault).collect();
        let mut near = Vec::new();
        for fault in known {
            let is_new = !assumed.contains(&fault) && !self.dictionary.refuted.contains(&fault);
            if is_new && !alike(&self.foretell_with(smallest.host, &smallest.case, assumed, fault), &without) {
                near.push(fault);
            }
        }
        let mut pairs = Vec::new();
        for (place, one) in near.iter().enumerate().take(MOST_NEAR) {
            for other in near.iter().take(MOST_NEAR).skip(place + 1) {
                let both: Vec<Fault> = assumed.iter().copied().chain([*one, *other]).collect();
                if pairs.len() < MOST_PAIRS && alike(&self.stage.foretell(smallest.host, &smallest.case, &both), &smallest.shown) {
                    pairs.push((*one, *other));
                }
            }
        }
        pairs
    }

    /// Cases that show a fault and look the same with and without another one.
    pub(super) fn telling_alone(&mut self, fault: Fault, beside: Fault, host: usize) -> Vec<Plan> {
        let assumed = self.assumed();
        let mut telling = Vec::new();
        for plan in self.pool(host, &[fault]) {
            let case = self.stage.case(host, &plan);
            if case.deliveries() == 0 {
                continue;
            }
            let shown = self.foretell_with(host, &case, &assumed, fault);
            let both: Vec<Fault> = assumed.iter().copied().chain([fault, beside]).collect();
            let is_new = shown.failure.is_some() && !alike(&self.stage.foretell(host, &case, &assumed), &shown);
            if is_new && alike(&self.stage.foretell(host, &case, &both), &shown) {
                telling.push(plan);
            }
            if telling.len() == TELLING_ALONE {
                break;
            }
        }
        telling
    }

    fn foretell_with(&mut self, host: usize, case: &Case, assumed: &[Fault], fault: Fault) -> Shown {
        let faults: Vec<Fault> = assumed.iter().copied().chain([fault]).collect();
        self.stage.foretell(host, case, &faults)
    }

    /// Those of several faults that the target agrees with on every case on which they differ.
    fn told_apart(&mut self, host: usize, mut like: Vec<Fault>, assumed: &[Fault]) -> Vec<Fault> {
        let (mut strikes, mut vain) = (0, 0);
        for plan in self.pool(host, &like) {
            if like.len() < 2 {
                break;
            }
            let case = self.stage.case(host, &plan);
            if case.deliveries() == 0 {
                continue;
            }
            let Some((one, other)) = self.first_difference(host, &case, &like, assumed) else { continue };
            let case = self.smallest_difference(host, plan, case, assumed, one, other);
            let Some(shown) = self.stage.play(host, &case, None) else { return Vec::new() };
            let foretold: Vec<(Fault, Shown)> =
                like.iter().map(|fault| (*fault, self.foretell_with(host, &case, assumed, *fault))).collect();
            let that_are = |alike: fn(&Shown, &Shown) -> bool| -> Vec<Fault> {
                foretold.iter().filter(|(_, foretold)| alike(foretold, &shown)).map(|(fault, _)| *fault).collect()
            };
            // Where none answers a doubtful event as the target does, the target does it in a way of its own.
            let in_all = that_are(alike_in_all);
            let rest = if in_all.is_empty() { that_are(alike) } else { in_all };
            if rest.len() == like.len() {
                vain += 1;
                if vain >= 2 * STRIKES {
                    break;
                }
                continue;
            }
            if rest.is_empty() {
                strikes += 1;
                if strikes >= STRIKES {
                    return Vec::new();
                }
                continue;
            }
            like = rest;
        }
        like
    }

    /// The first two faults that do different things with a case.
    fn first_difference(&mut self, host: usize, case: &Case, like: &[Fault], assumed: &[Fault]) -> Option<(Fault, Fault)> {
        let (first, rest) = like.split_first()?;
        let shown = self.foretell_with(host, case, assumed, *first);
        let other = rest.iter().find(|fault| !alike_in_all(&self.foretell_with(host, case, assumed, **fault), &shown))?;
        Some((*first, *other))
    }

    /// The smallest case with which two faults do different things.
    pub(super) fn smallest_difference(&mut self, host: usize, plan: Plan, case: Case, assumed: &[Fault], one: Fault, other: Fault) -> Case {
        let with = |fault: Fault| -> Vec<Fault> { assumed.iter().copied().chain([fault]).collect() };
        let (one, other) = (with(one), with(other));
        let limits = ShrinkLimits { attempts: ATTEMPTS, ..ShrinkLimits::default() };
        let first = Shrunk { plan, shown: case, is_smallest: false };
        let stage = &mut self.stage;
        let smaller = shrink(
            first,
            limits,
            || Duration::ZERO,
            |plan| {
                let case = stage.case(host, plan);
                let differs =
                    case.deliveries() > 0 && !alike_in_all(&stage.foretell(host, &case, &one), &stage.foretell(host, &case, &other));
                differs.then(|| (case.deliveries(), case))
            },
        );
        smaller.shown
    }

    /// Plans on which some of these faults may show: first of the requirements that they are aimed at and of the one at hand.
    fn pool(&mut self, host: usize, like: &[Fault]) -> Vec<Plan> {
        let aims: Vec<&str> = like.iter().filter_map(|fault| self.dictionary.aim(*fault)).collect();
        let mut recipes: Vec<(usize, Recipe)> = Vec::new();
        for (place, requirement) in self.requirements {
            if *place == host || aims.contains(&requirement.id.as_str()) || requirement.recipe == Recipe::MixedTraffic {
                recipes.push((*place, requirement.recipe));
            }
        }
        let mut plans = Vec::new();
        for number in 0..DRAWS {
            for (place, recipe) in &recipes {
                plans.extend(self.drawn(*place, *recipe, number));
            }
        }
        let others = self.requirements.iter().filter(|(place, _)| recipes.iter().all(|(other, _)| other != *place));
        let others: Vec<(usize, Recipe)> = others.map(|(place, requirement)| (*place, requirement.recipe)).collect();
        for number in 0..FEWER_DRAWS {
            for (place, recipe) in &others {
                plans.extend(self.drawn(*place, *recipe, number));
            }
        }
        plans
    }

    /// Cases on which a fault fails, to see whether the target fails in the same way.
    pub(super) fn telling(&mut self, fault: Fault, host: usize) -> Vec<Plan> {
        let mut telling = Vec::new();
        for plan in self.pool(host, &[fault]) {
            if telling.len() == CHECKS {
                break;
            }
            let case = self.stage.case(host, &plan);
            if self.stage.foretell(host, &case, &[fault]).failure.is_some() {
                telling.push(plan);
            }
        }
        telling
    }
}
