//! What the provider's API has shown so far, for those who call it, and what they may show beside what they were told.
//!
//! Whoever fetches an object sees it as it is at that moment, and may keep that until it hears of the object again. So of each
//! refund and each dispute it may show what was told last, or any state that it was in since.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    expect::{AmountRange, Expectation},
    facts::Tell,
    pictures::choices,
    told::{Knowledge, unpaid_status},
};
use crate::domain::{Amount, RefundState, Status};

/// The states of every object so far.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    refunds: BTreeMap<String, Vec<Seen<(RefundState, Amount)>>>,
    disputes: BTreeMap<String, Vec<Seen<Amount>>>,
}

/// A state, and the place of the event from which on it was there to be seen.
#[derive(Clone, Copy, Debug)]
struct Seen<T> {
    since: u32,
    state: T,
}

impl Fetched {
    /// From this place on the API shows an object that tells this.
    pub fn learn(&mut self, since: u32, tells: &[Tell]) {
        for tell in tells {
            match tell {
                Tell::Refund { id, state, refunded_amount, .. } => {
                    self.refunds.entry(id.clone()).or_default().push(Seen { since, state: (*state, *refunded_amount) });
                }
                Tell::Dispute { id, taken_amount, .. } => {
                    self.disputes.entry(id.clone()).or_default().push(Seen { since, state: *taken_amount });
                }
                Tell::Charge { .. } | Tell::Order { .. } | Tell::Chargeback | Tell::Total { .. } => {}
            }
        }
    }
}

/// What was seen of an object from this place on: an event may show a later state than the object had when it was made, and
/// whoever has fetched that one goes by the event's time.
fn from_on<'s, T: Clone>(seen: Option<&'s Vec<Seen<T>>>, place: Option<u32>) -> impl Iterator<Item = T> + use<'s, T> {
    let is_later = move |seen: &&Seen<T>| place.is_none_or(|place| seen.since >= place);
    seen.into_iter().flatten().filter(is_later).map(|seen| seen.state.clone())
}

impl Knowledge {
    /// The last word on a refund: of its own events or, where there was none, of the first sum that counts it. Whoever gets the
    /// sum can fetch what it counts, and then waits for its events.
    fn last_word_on(&self, id: &str) -> Option<Seen<(RefundState, Amount)>> {
        if let Some(refund) = self.refunds.get(id) {
            let since = refund.at.as_ref().map_or(0, |at| at.sequence);
            return Some(Seen { since, state: (refund.state, refund.paid) });
        }
        let (place, covered) = self.first_counted.get(id)?;
        // Once a refund can be known, a further sum binds nobody.
        if self.first_counted.values().any(|(other, _)| other < place) {
            return None;
        }
        let paid = if covered.state == RefundState::Succeeded { covered.amount } else { Amount::ZERO };
        Some(Seen { since: *place, state: (covered.state, paid) })
    }

    /// What may be shown, where `expected` is what may be shown by what was told alone, by those who may have fetched this.
    pub fn up_to(&self, fetched: &Fetched, mut expected: Expectation) -> Expectation {
        let (mut least, mut most) = (Amount::ZERO, Amount::ZERO);
        let mut states: Vec<RefundState> = Vec::new();
        let mut is_open = false;
        let ids: BTreeSet<&String> = self.refunds.keys().chain(fetched.refunds.keys()).collect();
        for id in ids {
            let told = self.last_word_on(id);
            let seen = from_on(fetched.refunds.get(id), told.map(|told| told.since));
            let later: Vec<(RefundState, Amount)> = seen.filter(|state| told.is_none_or(|told| told.state != *state)).collect();
            // A sum does not say how what it counts stands, and whoever looks sees that.
            is_open |= !later.is_empty() || !self.refunds.contains_key(id);
            let known = told.map_or(Amount::ZERO, |told| told.state.1);
            let paid = || later.iter().map(|(_, paid)| *paid).chain([known]);
            least += paid().min().unwrap_or_default();
            most += paid().max().unwrap_or_default();
            states.extend(told.map(|told| told.state).iter().chain(&later).map(|(state, _)| *state));
        }
        let mut disputed = vec![Amount::ZERO];
        let ids: BTreeSet<&String> = self.disputes.keys().chain(fetched.disputes.keys()).collect();
        for id in ids {
            let told = self.disputes.get(id);
            let known = told.map_or(vec![Amount::ZERO], |dispute| dispute.choices(true));
            let seen = from_on(fetched.disputes.get(id), told.map(|dispute| dispute.place()));
            let later: Vec<Amount> = seen.filter(|taken| !known.contains(taken)).collect();
            is_open |= !later.is_empty();
            disputed = choices(disputed.iter().flat_map(|sum| known.iter().chain(&later).map(|taken| *sum + *taken)));
        }
        // Those that only a sum counts can be listed by whoever looks at them.
        if fetched.refunds.keys().any(|id| !self.refunds.contains_key(id)) {
            expected.refunds = None;
        }
        if !is_open {
            return expected;
        }
        expected.refunded_amount = expected.refunded_amount.and_between(AmountRange { least, most });
        expected.status.extend(self.statuses_beside(&expected.refunded_amount, true, &disputed));
        if expected.refunded_amount.least.is_zero() && disputed.iter().any(|taken| taken.is_zero()) {
            // Any of them may be the only one that it knows.
            expected.status.extend(states.iter().map(|state| unpaid_status(&BTreeMap::from([(*state, 1)]))));
            if states.contains(&RefundState::Cancelled) {
                // No source says what an order with nothing but a withdrawn refund is called.
                expected.status.push(Status::Failed);
            }
            if self.refunds.is_empty() {
                expected.status.push(Status::NotRefunded);
            }
        }
        expected.status.sort_unstable();
        expected.status.dedup();
        expected.available_to_refund_amount = None;
        expected.charged_back_amount = None;
        expected.refunds = None;
        expected
    }
}

#[cfg(test)]
mod tests;
