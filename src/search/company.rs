//! Cases that are under way at the same time on one target, and what is made of it when one of them goes wrong.
//!
//! What goes wrong in company may be somebody else's doing: a crash takes down every case that is under way, and a lock that
//! one of them left behind stops the others. So whatever fails in company is played once more alone, on a target that was
//! started anew, and only what fails then is told. A failure that no case shows alone is nobody's, and is said to be so.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Those who share one target.
#[derive(Default)]
pub(crate) struct Company {
    /// How often somebody was alone with the target. It changes only while nobody plays a case.
    turns: AtomicU64,
    suspects: Mutex<Vec<Suspect>>,
    /// Whether the target is too slow for so many cases at once.
    is_crowded: AtomicBool,
}

/// A case that failed in company and was played once more alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suspect {
    /// The requirement's place in the catalogue.
    pub(crate) index: usize,
    /// The case's number.
    pub(crate) number: u32,
    /// When it was played: cases of one turn were under way at the same time, or one after the other with nobody alone between.
    pub(crate) turn: u64,
    /// Whether it failed alone too.
    pub(crate) is_guilty: bool,
    /// How it failed in company.
    pub(crate) what: String,
}

impl Company {
    /// Which turn it is.
    pub(crate) fn turn(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Says that somebody is alone with the target, which nobody finds as it was.
    pub(crate) fn is_left(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// Says that something came too late in company, and not alone.
    pub(crate) fn is_too_large(&self) {
        self.is_crowded.store(true, Ordering::Relaxed);
    }

    /// Whether all but one should leave.
    pub(crate) fn is_crowded(&self) -> bool {
        self.is_crowded.load(Ordering::Relaxed)
    }

    /// Notes what came of a case that failed in company.
    pub(crate) fn note(&self, suspect: Suspect) {
        self.suspects.lock().unwrap_or_else(PoisonError::into_inner).push(suspect);
    }

    /// The cases, by their places in the catalogue, that failed in company and not alone, where nobody of the same turn failed
    /// alone either.
    pub(crate) fn unexplained(&self) -> Vec<Suspect> {
        let suspects = self.suspects.lock().unwrap_or_else(PoisonError::into_inner);
        let is_explained = |turn: u64| suspects.iter().any(|other| other.is_guilty && other.turn == turn);
        let unexplained = suspects.iter().filter(|suspect| !suspect.is_guilty && !is_explained(suspect.turn));
        let mut unexplained: Vec<Suspect> = unexplained.cloned().collect();
        unexplained.sort_by_key(|suspect| (suspect.index, suspect.number));
        unexplained
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(suspects: &[(usize, u64, bool)], expected: &[usize]) {
        let company = Company::default();
        for &(index, turn, is_guilty) in suspects {
            company.note(Suspect { index, number: 0, turn, is_guilty, what: String::new() });
        }
        let unexplained = company.unexplained();
        assert_eq!(unexplained.iter().map(|suspect| suspect.index).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn who_fails_alone_explains_those_of_the_same_turn() {
        check(&[], &[]);
        check(&[(3, 0, true)], &[]);
        check(&[(3, 0, false), (4, 0, true), (5, 0, false)], &[]);
    }

    #[test]
    fn what_nobody_shows_alone_is_told() {
        check(&[(3, 0, false)], &[3]);
        check(&[(5, 1, false), (4, 0, true), (3, 1, false)], &[3, 5]);
    }
}
