//! Which cases of a requirement are sent where sending is dear: out of more that were drawn, those that tell the most.
//!
//! What a case can refute is known before it is sent: the canaries that fail it, and what it holds that no other one does. Cases
//! that no canary fails are not sent at all, and neither is one that refutes nothing new, once there are as many as the
//! requirement's floor asks for. All this follows from the draws and from what the target claims, so it is the same in every
//! shard and in every run.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet, binary_heap::PeekMut},
};

use super::book::Made;
use crate::{
    case::{Act, ApiFault, Case, Delivery, Effect, Mishap},
    domain::RefundState,
    model::Tell,
};

/// In how many cases each canary is to fail. One that fails it once may do so for a reason that another target does not have.
const TIMES: u32 = 3;

/// What the first, second and third failure of a canary are worth.
const WORTH: [u64; TIMES as usize] = [24, 12, 6];

/// What it is worth that a case holds something for the first and for the second time.
const NEW: [u64; 2] = [2, 1];

/// One thing that a case can refute or that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Feature<'c> {
    /// The canary with this number fails.
    Canary(u32),
    /// A consumer that does nothing fails.
    Nothing,
    /// An event, and what was done to it.
    Event { kind: &'c str, mutation: Option<&'c str>, fault: Option<&'c str> },
    /// One event after another.
    After { kind: &'c str, before: &'c str },
    /// What befell a delivery on the way.
    Mishap { kind: &'c str, mishap: Mishap },
    /// How the provider's API fails meanwhile.
    Api(ApiFault),
    /// What must become of a delivery.
    Effect { kind: &'c str, effect: Effect },
    /// A state of a refund after another one.
    Transition { before: Option<RefundState>, state: RefundState },
    /// Something between deliveries.
    Act(&'static str),
    /// The currency of an order.
    Currency(&'c str),
    /// How many orders, charges of one and items of one there are.
    Shape { orders: usize, charges: usize, items: usize },
}

impl Feature<'_> {
    /// What it is worth where it was met so many times before.
    fn worth(self, met: u32) -> u64 {
        let worth: &[u64] = if matches!(self, Feature::Canary(_) | Feature::Nothing) { &WORTH } else { &NEW };
        worth.get(met as usize).copied().unwrap_or(0)
    }
}

/// The numbers, in `drawn`, of at most so many cases, the most telling first. At least `floor` of them can show a mistake, if
/// so many can.
pub(super) fn choose(drawn: &[(u32, Made)], most: u32, floor: u32) -> Vec<usize> {
    let features: Vec<Vec<Feature<'_>>> = drawn.iter().map(|(_, made)| features(made)).collect();
    let mut met: HashMap<Feature<'_>, u32> = HashMap::new();
    let worth = |place: usize, met: &HashMap<Feature<'_>, u32>| -> u64 {
        features[place].iter().map(|feature| feature.worth(met.get(feature).copied().unwrap_or(0))).sum()
    };
    let deliveries = |place: usize| drawn[place].1.case.deliveries().max(1) as u64;
    // What a delivery of it is worth, in thousandths; then the shorter one, then the one that was drawn first.
    let rank = |place: usize, worth: u64| (worth * 1_000 / deliveries(place), Reverse(deliveries(place)), Reverse(place));
    let exercised = (0..drawn.len()).filter(|place| drawn[*place].1.exercised);
    let mut left: BinaryHeap<_> = exercised.map(|place| rank(place, worth(place, &met))).collect();
    let mut chosen = Vec::new();
    while chosen.len() < most as usize {
        let Some(mut best) = left.peek_mut() else { break };
        let Reverse(place) = best.2;
        let is_worth = worth(place, &met);
        let now = rank(place, is_worth);
        if now < *best {
            // What is chosen makes others worth less and none worth more, so it may be the best no longer.
            *best = now;
            continue;
        }
        if is_worth == 0 && chosen.len() >= floor as usize {
            break;
        }
        PeekMut::pop(best);
        for feature in &features[place] {
            *met.entry(*feature).or_default() += 1;
        }
        chosen.push(place);
    }
    // One must be among them that a consumer which does nothing fails, whatever the canaries make of it.
    let refutes = |place: &usize| drawn[*place].1.refutes;
    if !chosen.iter().any(refutes)
        && let Some(one) = (0..drawn.len()).filter(refutes).min_by_key(|place| drawn[*place].1.case.deliveries())
    {
        chosen.truncate((most as usize).saturating_sub(1));
        chosen.insert(chosen.len().min(1), one);
    }
    chosen
}

/// What a case can refute and what it holds, each once.
fn features(made: &Made) -> Vec<Feature<'_>> {
    let case = &*made.case;
    let canaries = (0..u64::BITS).filter(|canary| made.fails & (1 << canary) != 0).map(Feature::Canary);
    let mut features: HashSet<Feature<'_>> = canaries.chain(made.refutes.then_some(Feature::Nothing)).collect();
    features.extend(case.orders.iter().map(|order| Feature::Currency(&order.currency)));
    let most = |count: fn(&crate::case::OrderSetup) -> usize| case.orders.iter().map(count).max().unwrap_or(0);
    features.insert(Feature::Shape {
        orders: case.orders.len(),
        charges: most(|order| order.charges.len()),
        items: most(|order| order.items.len()),
    });
    for entry in &case.entries {
        features.extend(match &entry.act {
            Act::Deliver(_) => None,
            Act::Together(_) => Some(Feature::Act("together")),
            Act::Initiate(_) => Some(Feature::Act("initiate")),
            Act::Meanwhile(..) => Some(Feature::Act("meanwhile")),
            Act::Restart => Some(Feature::Act("restart")),
            Act::Advance(_) => Some(Feature::Act("advance")),
            Act::Begin(_) => Some(Feature::Act("begin")),
        });
    }
    of_deliveries(case, &mut features);
    features.into_iter().collect()
}

fn of_deliveries<'c>(case: &'c Case, features: &mut HashSet<Feature<'c>>) {
    let mut states: HashMap<&str, RefundState> = HashMap::new();
    let mut last: Option<&'c Delivery> = None;
    for delivery in case.all_deliveries() {
        let kind = delivery.event.kind.as_str();
        features.insert(Feature::Event { kind, mutation: delivery.mutation.as_deref(), fault: delivery.fault.as_deref() });
        features.insert(Feature::Effect { kind, effect: delivery.effect });
        features.extend(last.map(|last| Feature::After { kind, before: &last.event.kind }));
        features.extend(delivery.mishap.map(|mishap| Feature::Mishap { kind, mishap }));
        features.extend(delivery.api.map(Feature::Api));
        for tell in &delivery.event.tells {
            if let Tell::Refund { id, state, .. } = tell {
                features.insert(Feature::Transition { before: states.insert(id, *state), state: *state });
            }
        }
        last = Some(delivery);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        plan::{Action, Plan, Step},
        provider::{Audience, lower_for, registered},
    };

    /// A case of so many events that tell nothing, and the canaries that fail it.
    fn drawn(cases: &[(u8, u64)]) -> Vec<(u32, Made)> {
        let provider = registered()[0].embedded();
        let made = |(number, &(events, fails)): (u32, &(u8, u64))| {
            let steps = (0..events).map(|_| Step::plain(Action::Other { event: 0 })).collect();
            let plan = Plan { orders: Vec::new(), steps, only: Vec::new(), look: 0 };
            let case = lower_for(provider, &plan, u64::from(number) + 1, Audience::EVERYBODY).case;
            let exercised = fails != 0;
            (number, Made { plan: Arc::new(plan), case: Arc::new(case), exercised, hidden: false, refutes: false, fails })
        };
        (0..).zip(cases).map(made).collect()
    }

    #[track_caller]
    fn check(cases: &[(u8, u64)], most: u32, floor: u32, expected: &[usize]) {
        assert_eq!(choose(&drawn(cases), most, floor), expected);
    }

    #[test]
    fn what_no_canary_fails_is_not_sent() {
        check(&[(1, 0), (2, 0)], 9, 9, &[]);
        check(&[(1, 0), (2, 1), (1, 0)], 9, 9, &[1]);
    }

    #[test]
    fn each_canary_fails_some_case_before_one_fails_again() {
        check(&[(2, 1), (2, 1), (2, 2)], 2, 0, &[0, 2]);
    }

    #[test]
    fn the_same_in_fewer_deliveries_comes_first() {
        check(&[(4, 1), (1, 1)], 1, 0, &[1]);
    }

    #[test]
    fn what_refutes_nothing_new_is_sent_for_the_floor_only() {
        check(&[(1, 1); 9], 9, 0, &[0, 1, 2]);
        check(&[(1, 1); 9], 9, 5, &[0, 1, 2, 3, 4]);
        check(&[(1, 1); 9], 4, 5, &[0, 1, 2, 3]);
    }
}
