//! Which requirement a mistake is about, of those that it breaks.

use std::collections::{BTreeMap, BTreeSet};

use super::inquiry::{Mistake, Requirement};
use crate::{
    check::reaches,
    plan::{Recipe, draw, for_recipe},
    provider::{Mint, Provider, lower},
};

/// How often plain traffic happens to be about each requirement.
pub struct Rarity {
    counts: BTreeMap<usize, u32>,
}

/// How many plans of plain traffic are looked at.
const PLANS: u64 = 64;

impl Rarity {
    /// Looks at drawn traffic in which everything is mixed.
    pub fn of(provider: &dyn Provider, requirements: &BTreeMap<usize, Requirement>) -> Rarity {
        let palette = provider.palette();
        let mut counts: BTreeMap<usize, u32> = requirements.keys().map(|place| (*place, 0)).collect();
        for recipe in [Recipe::Plain, Recipe::MixedTraffic] {
            let strategy = for_recipe(recipe, palette);
            for number in 0..PLANS {
                let Some(plan) = draw(&strategy, Mint::new(0).number("rarity", number)) else { continue };
                let case = lower(provider, &plan, number).case;
                for (place, requirement) in requirements {
                    *counts.entry(*place).or_default() += u32::from(reaches(requirement.recipe, &case, palette));
                }
            }
        }
        Rarity { counts }
    }

    fn count(&self, place: usize) -> u32 {
        self.counts.get(&place).copied().unwrap_or(u32::MAX)
    }
}

/// The requirement that a mistake is about: of those that it breaks the one that the fault which it is like is aimed at, else
/// the one whose subject is in the smallest case and is the rarest in plain traffic; ties by the catalogue's order. Of a
/// requirement that was not run (`unasked`) nobody knows whether the mistake breaks it, and the smallest case is one of its
/// cases if its subject is in it; so what a mistake is about does not depend on what was selected.
pub fn owner(
    mistake: &Mistake,
    provider: &dyn Provider,
    requirements: &BTreeMap<usize, Requirement>,
    unasked: &BTreeSet<usize>,
    rarity: &Rarity,
) -> Option<usize> {
    let aim = |fault: &crate::reference::Fault| {
        let aim = fault.info().aimed_at(provider.name(), provider.corpus())?;
        requirements.iter().find(|(_, requirement)| requirement.id == aim).map(|(place, _)| *place)
    };
    let hits = || mistake.hits.iter().copied();
    if !mistake.is_examined {
        return hits().next();
    }
    let may_break = || requirements.keys().copied().filter(|place| mistake.hits.contains(place) || unasked.contains(place));
    if let Some(place) = mistake.like.iter().filter_map(aim).find(|place| may_break().any(|other| other == *place)) {
        return Some(place);
    }
    // A requirement has its subject in the case if a fault that is aimed at it fails the case.
    let subjects: Vec<usize> = mistake.failing_faults.iter().filter_map(aim).collect();
    let palette = provider.palette();
    let reached = |place: &usize| requirements.get(place).is_some_and(|asked| reaches(asked.recipe, &mistake.smallest.case, palette));
    let rarest = |among: Vec<usize>| among.into_iter().min_by_key(|place| (rarity.count(*place), *place));
    rarest(may_break().filter(|place| subjects.contains(place) && reached(place)).collect())
        .or_else(|| rarest(may_break().filter(|place| subjects.contains(place)).collect()))
        .or_else(|| rarest(hits().filter(reached).collect()))
        .or_else(|| hits().next())
}
