//! One mistake that is told by events of several types, where nothing in the bank says that it is one.

use super::{
    alike::wrong_members,
    inquiry::Inquiry,
    mistake::{Failing, Mistake, Stage},
    trigger::Feature,
};
use crate::{check::FailureKind, plan::Plan};

impl<S: Stage> Inquiry<'_, S> {
    /// Gives one id to mistakes that are one, told by events of several types: it takes the same to show them but for the types
    /// of events, and each of their cases shows the same with the events of the other. Those that are like a fault the bank
    /// knows better. To be asked when everything was attributed.
    pub fn unite(&mut self) {
        for place in 1..self.mistakes.len() {
            if let Some(first) = (0..place).find(|first| self.is_same_by_other_events(*first, place)) {
                self.mistakes[place].id = self.mistakes[first].id.clone();
            }
        }
    }

    fn is_same_by_other_events(&mut self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.mistakes[one], &self.mistakes[other]);
        if [one, other].into_iter().any(|mistake| !mistake.like.is_empty() || mistake.besides.is_some()) {
            return false;
        }
        let takes = |mistake: &Mistake| -> Vec<Feature> {
            mistake.trigger.iter().filter(|feature| !matches!(feature, Feature::Event(_))).cloned().collect()
        };
        let (besides, same) = (takes(one), takes(one) == takes(other));
        let (one, other) = (&one.smallest, &other.smallest);
        let Some(wrong) = wrong_members(&one.shown).filter(|wrong| same && wrong_members(&other.shown).as_ref() == Some(wrong)) else {
            return false;
        };
        if one.plan.only == other.plan.only {
            // With the same events each would only be played once more, which says nothing of the other. What it takes besides says it.
            return !besides.is_empty();
        }
        let with = |failing: &Failing, events: &Plan| (failing.host, Plan { only: events.only.clone(), ..failing.plan.clone() });
        [with(one, &other.plan), with(other, &one.plan)].into_iter().all(|(host, plan)| {
            let case = self.stage.case(host, &plan);
            let shown = self.stage.play(host, &case, Some(FailureKind::State));
            shown.and_then(|shown| wrong_members(&shown)).as_ref() == Some(&wrong)
        })
    }
}
