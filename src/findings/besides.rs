//! Cases that fail because of something that is not in them: what the target was told before or at the same time, how quickly one
//! delivery follows another, how long it is waited for. Any case may fail for such a reason, and shows something else each time; so
//! each of these is one finding, whatever is wrong in its case.

use super::{
    inquiry::Inquiry,
    mistake::{Besides, Examined, Failing, Mistake, Stage, is_lost},
};
use crate::check::FailureKind;

/// So often a case in which deliveries race must be right slowly, before haste is why it was not.
const LUCKY: usize = 3;

/// How often it is asked whether more time of one kind makes right what is wrong, as long as it never did.
const MOST_WAITED_FOR: usize = 3;

impl<S: Stage> Inquiry<'_, S> {
    /// The mistake because of which a case fails that is right by itself. `fails_again` says that it did, on a target that was used:
    /// one that did not may have failed by chance, and only a second such case says otherwise. Where a hang or a new start is what is
    /// wrong, none of this is asked. Where deliveries race, what passes once may have been lucky; so only haste that is known already
    /// is the reason.
    pub(super) fn by_besides(&mut self, failing: &Failing, kind: FailureKind, fails_again: bool) -> Option<usize> {
        if self.stage.is_costly(kind) {
            return None;
        }
        if failing.case.is_chancy() {
            let place = self.place_of(Besides::Haste)?;
            return (0..LUCKY).all(|_| self.is_right(failing, Besides::Haste)).then_some(place);
        }
        let besides = self.besides(failing, kind)?;
        if besides == Besides::Others && !fails_again && self.place_of(besides).is_none() {
            let lost = self.mistakes.iter().position(came_once);
            return lost.inspect(|place| self.is_beside_others(*place));
        }
        let place = self.place_of(besides).unwrap_or_else(|| self.note_besides(besides, failing, kind));
        if besides == Besides::Patience {
            // Each further question would take as long, and have the same answer.
            self.whatever.insert(kind, place);
        }
        Some(place)
    }

    /// What was met once and never again depends on others: it is not the only case of that kind.
    fn is_beside_others(&mut self, place: usize) {
        let mistake = &mut self.mistakes[place];
        let beside = Mistake::beside(Besides::Others, mistake.smallest.clone(), mistake.kind);
        *mistake = Mistake { hits: std::mem::take(&mut mistake.hits), first: mistake.first, ..beside };
        self.stage.be_careful();
    }

    /// Whether a case has failed already that is right by itself, or may be.
    pub(super) fn depends_on_more(&self) -> bool {
        self.mistakes.iter().any(|mistake| mistake.besides.is_some() || came_once(mistake))
    }

    /// The mistake of this inquiry that shows only together with this.
    fn place_of(&self, besides: Besides) -> Option<usize> {
        self.mistakes.iter().position(|mistake| mistake.besides == Some(besides))
    }

    fn besides(&mut self, failing: &Failing, kind: FailureKind) -> Option<Besides> {
        let known: Vec<Besides> = self.mistakes.iter().filter_map(|mistake| mistake.besides).collect();
        if let Some(besides) = known.iter().copied().find(|besides| self.is_right(failing, *besides)) {
            return Some(besides);
        }
        // The first time it is asked twice: once may be luck.
        if !known.contains(&Besides::Others) && (0..2).all(|_| self.is_right(failing, Besides::Others)) {
            return Some(Besides::Others);
        }
        let of_time = [Besides::Haste, Besides::Moment, Besides::Patience].into_iter();
        of_time.filter(|besides| kind == FailureKind::State && !known.contains(besides)).find(|besides| {
            if self.waited_for.iter().filter(|other| *other == besides).count() >= MOST_WAITED_FOR {
                return false;
            }
            self.waited_for.push(*besides);
            self.is_right(failing, *besides)
        })
    }

    /// Whether a case passes without what it is to depend on.
    fn is_right(&mut self, failing: &Failing, besides: Besides) -> bool {
        self.stage.passes(failing.host, &failing.plan, besides.ease()) == Some(true)
    }

    fn note_besides(&mut self, besides: Besides, failing: &Failing, kind: FailureKind) -> usize {
        if besides == Besides::Others {
            // What is asked from now on must not be answered by what came before.
            self.stage.be_careful();
        }
        let mut mistake = Mistake::beside(besides, failing.clone(), kind);
        // The others do not fail by themselves, or each attempt would take long.
        if matches!(besides, Besides::Haste | Besides::Moment) {
            let (smaller, is_smallest, _) = self.smallest(failing.clone(), kind);
            if self.is_right(&smaller, besides) {
                let smallest = self.under_its_own_ids(&mistake.id, smaller);
                mistake = Mistake { smallest, is_smallest, examined: Examined::Yes, ..mistake };
            }
        }
        self.mistakes.push(mistake);
        self.mistakes.len() - 1
    }
}

/// Whether the case of a mistake never failed again, and no race is why.
fn came_once(mistake: &Mistake) -> bool {
    is_lost(mistake.chance) && !mistake.smallest.case.is_chancy()
}
