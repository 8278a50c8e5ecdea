//! The frozen sequences, delivered to a target one after the other.

use super::{drive::Driver, shard::Shard};
use crate::{
    adapter::Capabilities,
    case::{Act, Case},
    corpus::{Corpus, RequirementSet},
    plan::Group,
};

/// How a walk through the sequences ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// All of them were delivered.
    Everything,
    /// The run is over.
    Over,
    /// The target did not start again.
    NotStarted,
}

/// Why nothing can be said of a target by delivering this sequence to it; `None` if something can.
pub(super) fn obstacle(case: &Case, capabilities: &Capabilities) -> Option<String> {
    if let Some(delivery) = case.all_deliveries().find(|delivery| !capabilities.is_subscribed(&delivery.event.kind)) {
        return Some(format!("the target does not subscribe to {}", delivery.event.kind));
    }
    if let Some(kind) = case.all_deliveries().filter_map(|delivery| delivery.mutation_kind).find(|kind| kind.group() == Group::Unusual) {
        return Some(format!("reading {} is advice", kind.name()));
    }
    let has = |wanted: fn(&Act) -> bool| case.entries.iter().any(|entry| wanted(&entry.act));
    if has(|act| matches!(act, Act::Initiate(_))) && !capabilities.initiates_refunds {
        return Some("the target does not claim `initiatesRefunds`".to_owned());
    }
    if case.kills() && !capabilities.durable {
        return Some("the target does not claim `durable`".to_owned());
    }
    None
}

/// The sequences that say something of a target, those of one shard if there are shards.
pub(super) fn comparable<'c>(
    corpus: &'c Corpus,
    set: &RequirementSet,
    capabilities: &Capabilities,
    shard: Option<Shard>,
) -> impl Iterator<Item = (&'c String, &'c Case)> {
    let numbered = (0..).zip(&corpus.sequences);
    let mine = move |number| shard.is_none_or(|shard| shard.has("snapshots", number));
    let (capabilities, set) = (capabilities.clone(), set.clone());
    numbered
        .filter(move |(number, (name, case))| mine(*number) && set.has_sequence(name) && obstacle(case, &capabilities).is_none())
        .map(|(_, sequence)| sequence)
}

/// Delivers sequences. `take` runs one and says whether the target is still usable.
pub(super) fn walk<'a, 'c>(
    sequences: impl Iterator<Item = (&'c String, &'c Case)>,
    mut start: impl FnMut() -> Option<Driver<'a>>,
    is_over: impl Fn() -> bool,
    mut take: impl FnMut(&mut Driver<'a>, &'c str, &'c Case) -> bool,
) -> Walked {
    let mut driver = None;
    for (name, case) in sequences {
        if is_over() {
            return Walked::Over;
        }
        if driver.is_none() {
            driver = start();
        }
        let Some(ready) = driver.as_mut() else { return Walked::NotStarted };
        if !take(ready, name, case) && ready.recover().is_err() {
            driver = None;
        }
    }
    Walked::Everything
}
