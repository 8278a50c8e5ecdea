//! The latest words: what was told last of each charge, refund, order and dispute.

use std::collections::BTreeMap;

use super::facts::{Covered, DisputeEvent, Entry, Moment};
use crate::domain::{Amount, RefundState};

/// The latest sum that was told of a charge.
#[derive(Clone, Debug)]
pub(super) struct Sum {
    pub(super) at: Moment,
    pub(super) refunded: Amount,
    pub(super) covers: Vec<Covered>,
}

/// What was told of a dispute: the last word of each kind of event.
#[derive(Clone, Debug, Default)]
pub(super) struct Dispute(BTreeMap<DisputeEvent, Word>);

/// The last word of one kind of event on a dispute.
#[derive(Clone, Debug)]
struct Word {
    at: Moment,
    taken: Amount,
    still: Option<Amount>,
}

impl Dispute {
    pub(super) fn learn(&mut self, at: &Moment, taken: Amount, still: Option<Amount>, by: DisputeEvent) {
        if self.0.get(&by).is_none_or(|known| known.at < *at) {
            self.0.insert(by, Word { at: at.clone(), taken, still });
        }
    }

    /// The place of the last word on it.
    pub(super) fn place(&self) -> u32 {
        self.0.values().map(|word| word.at.sequence).max().unwrap_or(0)
    }

    /// What it may be shown to take. While events are under way, one kind may have told nothing yet.
    pub(super) fn choices(&self, under_way: bool) -> Vec<Amount> {
        let silent = (under_way && self.0.len() < 2).then_some(Amount::ZERO);
        let last = self.0.values().map(|word| &word.at).max();
        let still = self.0.values().filter(|word| Some(&word.at) == last).filter_map(|word| word.still);
        choices(self.0.values().map(|word| word.taken).chain(still).chain(silent))
    }
}

#[derive(Clone, Debug)]
pub(super) struct Refund {
    pub(super) at: Option<Moment>,
    pub(super) state: RefundState,
    pub(super) amount: Amount,
    pub(super) paid: Amount,
}

impl Refund {
    pub(super) fn told(at: Option<Moment>, state: RefundState, amount: Amount, paid: Amount) -> Refund {
        Refund { at, state, amount, paid: if state == RefundState::Succeeded { paid } else { Amount::ZERO } }
    }

    /// Whether this is to be believed rather than what is known. Where events have places, the last one is right; elsewhere
    /// a final state stays.
    pub(super) fn is_newer_than(&self, known: &Refund) -> bool {
        if self.at.as_ref().is_some_and(|at| at.sequence > 0) {
            return known.at < self.at;
        }
        !known.state.is_final() && (self.state.is_final() || known.at < self.at)
    }
}

#[derive(Clone, Debug)]
pub(super) struct OrderPicture {
    pub(super) at: Moment,
    pub(super) refunded: Amount,
    pub(super) available: Amount,
    pub(super) charged_back: Amount,
}

/// The latest picture of each charge, and sums over them.
#[derive(Clone, Debug, Default)]
pub(super) struct Pictures {
    pub(super) latest: BTreeMap<String, (Moment, Vec<Entry>)>,
}

impl Pictures {
    pub(super) fn learn(&mut self, charge: &str, at: &Moment, entries: &[Entry]) {
        match self.latest.get_mut(charge) {
            Some((known, _)) if *known >= *at => {}
            Some(picture) => *picture = (at.clone(), entries.to_vec()),
            None => {
                self.latest.insert(charge.to_owned(), (at.clone(), entries.to_vec()));
            }
        }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.latest.values().flat_map(|(_, entries)| entries)
    }

    pub(super) fn complete(&self) -> Amount {
        self.latest.values().map(|(_, entries)| complete(entries)).sum()
    }

    pub(super) fn open(&self) -> Amount {
        self.entries().filter(|entry| entry.state.is_open()).map(|entry| entry.amount).sum()
    }
}

/// What of these was paid back.
pub(super) fn complete(entries: &[Entry]) -> Amount {
    entries.iter().filter(|entry| entry.state == RefundState::Succeeded).map(|entry| entry.amount).sum()
}

/// Amounts that may be shown: each once, and none below zero.
pub(super) fn choices(amounts: impl IntoIterator<Item = Amount>) -> Vec<Amount> {
    let mut amounts: Vec<Amount> = amounts.into_iter().filter(|amount| !amount.is_negative()).collect();
    amounts.sort_unstable();
    amounts.dedup();
    amounts
}
