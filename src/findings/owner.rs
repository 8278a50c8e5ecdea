//! Which requirement a mistake is about, of those that it breaks.

use std::collections::BTreeSet;

use super::{
    inquiry::Inquiry,
    mistake::{Besides, Failing, Mistake, Stage},
    subject::may_be_about,
    trigger::{Feature, without},
};
use crate::{
    case::Act,
    plan::{FaultKind, Recipe},
    provider::Mint,
    reference::{Fault, canaries},
};

/// How many plans of each kind of plain traffic are looked at.
const PLANS: u64 = 24;

impl<S: Stage> Inquiry<'_, S> {
    /// The requirement that a mistake is about. Of those that it breaks that is the one about the circumstances that it takes, else
    /// the one that the fault which it is like is aimed at, else the one whose subject is in the smallest case and is the rarest
    /// in plain traffic; ties by the catalogue's order. Of a requirement that was not run (`unasked`) nobody knows whether the
    /// mistake breaks it, and the smallest case is one of its cases if its subject is in it; so what a mistake is about does not
    /// depend on what was selected.
    pub fn owner(&mut self, mistake: &Mistake, unasked: &BTreeSet<usize>) -> Option<usize> {
        let may_break = |place: &usize| mistake.hits.contains(place) || unasked.contains(place);
        if let Some(place) = self.about_circumstances(mistake).filter(may_break) {
            return Some(place);
        }
        let has_such_cases =
            |place: &usize| self.requirements.get(place).is_some_and(|requirement| may_be_about(requirement.recipe, &mistake.trigger));
        let mut aims = mistake.like.iter().filter_map(|fault| self.aim(*fault));
        if let Some(place) = aims.find(|place| mistake.hits.contains(place) || unasked.contains(place) && has_such_cases(place)) {
            return Some(place);
        }
        // A requirement has its subject in the case if a canary of it fails the case, and nothing that it is about is missing there.
        let held: Vec<usize> = self.requirements.keys().copied().filter(|place| may_break(place) && has_such_cases(place)).collect();
        let is_shown = |place: &usize| self.canaries(*place).iter().any(|fault| mistake.failing_faults.contains(fault));
        let shown: Vec<usize> = held.iter().copied().filter(is_shown).collect();
        let mut by_rarity: Vec<(u32, usize)> = shown.into_iter().map(|place| (self.commonness(place), place)).collect();
        by_rarity.sort_unstable();
        let is_broken = |place: &usize| mistake.hits.contains(place) || self.is_case_of(mistake, *place);
        let rarest = by_rarity.into_iter().map(|(_, place)| place).find(is_broken);
        rarest.or_else(|| held.into_iter().find(|place| mistake.hits.contains(place))).or_else(|| mistake.hits.iter().next().copied())
    }

    /// Whether the smallest case fails as a case of a requirement that was not run, which may ask less of the same deliveries.
    fn is_case_of(&mut self, mistake: &Mistake, place: usize) -> bool {
        let case = self.stage.case(place, &mistake.smallest.plan);
        let shown = self.stage.play(place, &case, Some(mistake.kind));
        shown.is_none_or(|shown| shown.failure.is_some_and(|failure| failure.kind == mistake.kind))
    }

    /// The requirement about circumstances that befall any event, if the case does not fail without them: deliveries at the same
    /// time (how far such a case gets smaller is chance, so what else is left in it says nothing), an own request that is
    /// answered late, an API that fails.
    fn about_circumstances(&mut self, mistake: &Mistake) -> Option<usize> {
        if let Some(besides) = mistake.besides {
            let wanted = match besides {
                Besides::Others => Recipe::SeveralOrders,
                Besides::Haste => Recipe::Concurrent,
                Besides::Moment | Besides::Patience => return mistake.hits.first().copied(),
            };
            let about = self.drawn_by(wanted).filter(|place| mistake.hits.contains(place));
            return about.or(mistake.hits.first().copied());
        }
        let Failing { host, plan, case, .. } = &mistake.smallest;
        let amid = case.entries.iter().any(|entry| matches!(entry.act, Act::Meanwhile(..)));
        let circumstances = [
            (case.all_deliveries().any(|delivery| delivery.api.is_some()), Recipe::ApiFailure, FaultKind::ApiFails { how: 0 }),
            (amid, Recipe::WebhookBeforeAnswer, FaultKind::BeforeAnswer { with: 1, lost: false }),
            (case.races(), Recipe::Concurrent, FaultKind::Together { with: 1 }),
        ];
        for (_, recipe, kind) in circumstances.into_iter().filter(|(is_so, ..)| *is_so) {
            let Some(place) = self.drawn_by(recipe) else { continue };
            let case = self.stage.case(*host, &without(plan, &Feature::Delivery(kind.name()), &[]));
            if self.stage.play(*host, &case, Some(mistake.kind))?.failure.is_none() {
                return Some(place);
            }
        }
        None
    }

    /// The first requirement whose cases are drawn so.
    fn drawn_by(&self, recipe: Recipe) -> Option<usize> {
        self.requirements.iter().find(|(_, requirement)| requirement.recipe == recipe).map(|(place, _)| *place)
    }

    fn aim(&self, fault: Fault) -> Option<usize> {
        let provider = self.stage.provider();
        let aim = fault.info().aimed_at(provider.name(), provider.corpus())?;
        self.requirements.iter().find(|(_, requirement)| requirement.id == aim).map(|(place, _)| *place)
    }

    fn canaries(&self, place: usize) -> Vec<Fault> {
        let provider = self.stage.provider();
        self.requirements.get(&place).map_or(Vec::new(), |requirement| canaries(&requirement.id, provider.name(), provider.corpus()))
    }

    /// In how many cases of plain and of mixed traffic a canary of the requirement fails.
    fn commonness(&mut self, place: usize) -> u32 {
        let canaries = self.canaries(place);
        // What everything together shows is nobody's subject.
        if self.drawn_by(Recipe::MixedTraffic) == Some(place) {
            return u32::MAX;
        }
        let mut count = 0;
        for recipe in [Recipe::Plain, Recipe::MixedTraffic] {
            for number in 0..PLANS {
                let Some(plan) = self.drawn(0, recipe, number) else { continue };
                let case = self.stage.case(place, &plan);
                count += u32::from(canaries.iter().any(|fault| self.stage.foretell(place, &case, &[*fault]).failure.is_some()));
            }
        }
        count
    }

    /// A plan of a recipe that is the same in every run.
    pub(super) fn drawn(&mut self, place: usize, recipe: Recipe, number: u64) -> Option<crate::plan::Plan> {
        let seed = Mint::new(place as u64).number("telling", number);
        self.dictionary.drawn(self.stage.provider().palette(), recipe, seed)
    }
}
