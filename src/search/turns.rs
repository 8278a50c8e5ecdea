//! Requirements that have their cases in turns, so that time that runs out runs out for all of them alike.
//!
//! In each turn a requirement has as many cases in all as it had before, so that the first of each, which tell the most, come
//! soon, and nobody takes turns for long.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::work::Progress;
use crate::verdict::RequirementResult;

/// How far a requirement is.
#[derive(Default)]
pub(crate) enum Turn {
    /// No case of it was sent.
    #[default]
    Fresh,
    /// Some were, and others are to be.
    Begun(Box<(Progress, RequirementResult)>),
    /// No more are to be.
    Over,
}

/// How far each requirement is, by its place in the catalogue.
pub(crate) struct Turns(Vec<Mutex<Turn>>);

impl Turns {
    /// So many requirements, none of which has begun.
    pub(crate) fn of(requirements: usize) -> Turns {
        Turns((0..requirements).map(|_| Mutex::default()).collect())
    }

    /// How far a requirement is. Whoever asks has it alone until the answer is dropped.
    pub(crate) fn of_requirement(&self, index: usize) -> Option<MutexGuard<'_, Turn>> {
        // A panic leaves nothing half done: what was begun is taken out before anything is played.
        self.0.get(index).map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How many cases of each requirement there are to be at the end of each turn, where there are turns: at the end of the last as
/// many as there are.
pub(crate) fn turns(cases: u32, has_budget: bool) -> Vec<Option<u32>> {
    let doubled = std::iter::successors(Some(1_u32), |until| until.checked_mul(2)).take_while(|until| *until < cases);
    let before = has_budget.then(|| doubled.map(Some)).into_iter().flatten();
    before.chain([None]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cases: u32, has_budget: bool, expected: &[Option<u32>]) {
        assert_eq!(turns(cases, has_budget), expected);
    }

    #[test]
    fn each_turn_doubles_what_there_is() {
        check(25, true, &[Some(1), Some(2), Some(4), Some(8), Some(16), None]);
        check(1, true, &[None]);
    }

    #[test]
    fn without_a_budget_everybody_has_one_turn() {
        check(25, false, &[None]);
    }
}
