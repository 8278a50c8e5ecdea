//! How an event may be read literally after a doubtful mutation, where that differs from the event it was made from.
//!
//! What a consumer shows that takes such an event at its word lies between what it would show of these readings and what
//! it would show had the event never come. They say how far amounts may go and no more; statuses are not judged then.

use std::sync::LazyLock;

use super::{Anatomy, body::choose};
use crate::{
    domain::{Amount, EventTime, RefundState},
    model::{Covered, EventFacts, Tell},
    plan::{Mutation, MutationKind},
};

/// A time after every event: a consumer that takes an event without a time for the newest keeps what it tells.
static LAST_OF_ALL: LazyLock<EventTime> = LazyLock::new(|| EventTime::from_micros(221_845_392_000_000_000));

/// The readings beside the event itself.
pub(super) fn of(mutation: Mutation, event: &EventFacts, anatomy: &Anatomy) -> Vec<EventFacts> {
    if event.tells.is_empty() {
        return Vec::new();
    }
    let pick = usize::from(mutation.pick);
    let unit = Amount::from_minor(1, 0);
    match mutation.kind {
        MutationKind::NegativeAmount => vec![event.clone(), with_amounts(event, |amount| Amount::ZERO - amount)],
        // Nothing, or what was asked for.
        MutationKind::BadAmount => vec![with_amounts(event, |_| Amount::ZERO), as_requested(event)],
        // Nothing, or one of something.
        MutationKind::BooleanAmount => vec![with_amounts(event, |_| Amount::ZERO), with_amounts(event, |amount| amount.max(unit))],
        // Rounded up: to the unit of another currency, or to the last digit of its own.
        MutationKind::OtherCurrency => vec![with_amounts(event, |amount| amount + unit)],
        MutationKind::TooPrecise => {
            let last = Amount::from_minor(1, anatomy.digits);
            vec![with_amounts(event, |amount| amount + last)]
        }
        MutationKind::OverCaptured => {
            let too_much = choose(&anatomy.too_much, pick / anatomy.paid.len().max(1));
            let read = |amount: Amount| with_amounts(event, |own| own.max(amount));
            too_much.map(|(_, amount)| [read(*amount), read(as_binary(*amount))]).into_iter().flatten().collect()
        }
        MutationKind::UnknownState => {
            let word = choose(&anatomy.unknown_states, pick / anatomy.states.len().max(1));
            // A word that only resembles the one for success is no success to a consumer that compares words.
            let states = word.map(|(_, state)| [*state, RefundState::Pending]);
            let entry = choose(&anatomy.states, pick).and_then(|place| entry_of(place));
            let mut readings: Vec<EventFacts> = Vec::new();
            for state in states.into_iter().flatten() {
                // The word alone, or the list that holds it.
                for reading in [in_state(event, entry, state), in_state(event, None, state)] {
                    if !readings.contains(&reading) {
                        readings.push(reading);
                    }
                }
            }
            readings
        }
        MutationKind::BadTime => {
            let sequence = if event.sequence > 0 { u32::MAX } else { 0 };
            vec![EventFacts { created_time: LAST_OF_ALL.clone(), sequence, ..event.clone() }]
        }
        _ => Vec::new(),
    }
}

/// At most what the amount is as a binary fraction of 53 bits to which others are added, each time rounded anew; only amounts
/// beyond all that is sold are that far off.
fn as_binary(amount: Amount) -> Amount {
    const EXACT: u64 = 1_000_000_000_000_000;
    // Half of what the last bit of the largest of them is worth, for each of eight additions.
    const ROUNDED: u64 = 8 * 8;
    if amount > Amount::from_minor(EXACT, 0) { amount + Amount::from_minor(ROUNDED, 0) } else { amount }
}

fn told(event: &EventFacts, change: impl Fn(&mut Tell)) -> EventFacts {
    let mut event = event.clone();
    event.tells.iter_mut().for_each(change);
    event
}

/// With other amounts where amounts count.
fn with_amounts(event: &EventFacts, change: impl Fn(Amount) -> Amount) -> EventFacts {
    told(event, |tell| match tell {
        Tell::Refund { state: RefundState::Succeeded, refunded_amount, .. } => *refunded_amount = change(*refunded_amount),
        Tell::Charge { refunds, .. } => refunds.iter_mut().for_each(|entry| entry.amount = change(entry.amount)),
        Tell::Order { refunded_amount, .. } => *refunded_amount = change(*refunded_amount),
        Tell::Total { refunded_amount, covers, .. } => {
            *refunded_amount = change(*refunded_amount);
            // Whatever it sums up, it is this much.
            *covers = vec![Covered { id: String::new(), state: RefundState::Succeeded, amount: *refunded_amount }];
        }
        Tell::Refund { .. } | Tell::Chargeback | Tell::Dispute { .. } => {}
    })
}

fn as_requested(event: &EventFacts) -> EventFacts {
    told(event, |tell| {
        if let Tell::Refund { state: RefundState::Succeeded, amount, refunded_amount, .. } = tell {
            *refunded_amount = (*refunded_amount).max(*amount);
        }
    })
}

/// Which entry of a list a place in the body is within.
fn entry_of(place: &str) -> Option<usize> {
    place.rsplit('/').nth(1).and_then(|part| part.parse().ok())
}

/// With another state of a refund, or of one entry of a charge's list, where it is one of those that is read otherwise.
fn in_state(event: &EventFacts, entry: Option<usize>, read: RefundState) -> EventFacts {
    told(event, |tell| match tell {
        Tell::Refund { state, refunded_amount, .. } => {
            *state = read;
            if read != RefundState::Succeeded {
                *refunded_amount = Amount::ZERO;
            }
        }
        Tell::Charge { refunds, .. } => {
            let all = 0..refunds.len();
            let read_so = entry.filter(|entry| all.contains(entry)).map_or(all, |entry| entry..entry + 1);
            refunds[read_so].iter_mut().for_each(|entry| entry.state = read);
        }
        Tell::Order { .. } | Tell::Chargeback | Tell::Total { .. } | Tell::Dispute { .. } => {}
    })
}
