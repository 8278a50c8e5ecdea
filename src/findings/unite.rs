//! One mistake that is told by events of several types, where nothing in the bank says that it is one.

use super::{
    alike::{answered_to_what_it_has, wrong_members},
    inquiry::Inquiry,
    mistake::{Failing, Mistake, Shown, Stage},
    trigger::Feature,
};
use crate::{check::FailureKind, plan::Plan};

impl<S: Stage> Inquiry<'_, S> {
    /// Gives one id to mistakes that are one, told by events of several types: it takes the same to show them but for the types
    /// of events, and each of their cases shows the same with the events of the other. Those that are like a fault the bank
    /// knows better. To be asked when everything was attributed.
    pub fn unite(&mut self) {
        self.unite_with_likenesses();
        for place in 1..self.mistakes.len() {
            if let Some(first) = (0..place).find(|first| self.is_same_by_other_events(*first, place)) {
                self.mistakes[place].id = self.mistakes[first].id.clone();
            }
        }
    }

    /// Gives one id to wrong answers for which it takes the same of an order or a refund, where faults of the bank give them in some of
    /// the cases only: then there is one place to mend, which does more than the fault does.
    fn unite_with_likenesses(&mut self) {
        let unlike: Vec<String> =
            self.mistakes.iter().filter(|mistake| mistake.like.is_empty()).filter_map(answered_to_what_it_has).collect();
        for mistake in &mut self.mistakes {
            if let Some(id) = answered_to_what_it_has(mistake).filter(|id| unlike.contains(id)) {
                mistake.like.clear();
                mistake.id = id;
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
        let Some(wrong) = what_is_wrong(&one.shown).filter(|wrong| same && what_is_wrong(&other.shown).as_ref() == Some(wrong)) else {
            return false;
        };
        if one.plan.only == other.plan.only {
            // With the same events each would only be played once more, which says nothing of the other. What it takes besides says it.
            return !besides.is_empty();
        }
        let kind = one.shown.failure.as_ref().map(|failure| failure.kind);
        let with = |failing: &Failing, events: &Plan| (failing.host, Plan { only: events.only.clone(), ..failing.plan.clone() });
        let mut is_any_told = false;
        for (host, plan) in [with(one, &other.plan), with(other, &one.plan)] {
            let case = self.stage.case(host, &plan);
            if case.deliveries() == 0 {
                // Of what happens in this case no event of the other tells.
                continue;
            }
            is_any_told = true;
            let shown = self.stage.play(host, &case, kind);
            if shown.and_then(|shown| what_is_wrong(&shown)).as_ref() != Some(&wrong) {
                return false;
            }
        }
        is_any_told
    }
}

/// Which members are wrong, or which answer is.
fn what_is_wrong(shown: &Shown) -> Option<String> {
    let answer = shown.failure.as_ref().filter(|failure| failure.kind == FailureKind::Answer);
    wrong_members(shown).or_else(|| answer.map(|failure| failure.observed.clone()))
}
