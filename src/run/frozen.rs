//! The frozen sequences, delivered to a target one after the other.

use std::borrow::Cow;

use crate::{
    adapter::Capabilities,
    case::{Act, Case},
    corpus::{Corpus, RequirementSet},
    drive::Driver,
    oracle::Terms,
    plan::Group,
    provider::{Audience, lower_for, named},
    verdict::Shard,
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
    let has_older = || named(&case.provider).is_some_and(|provider| provider.embedded().older_version().is_some());
    if capabilities.older_api_version && has_older() {
        return Some("the sequences are of the provider's current API version".to_owned());
    }
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
    if case.advances() && !capabilities.clock {
        return Some("the target does not claim `clock`".to_owned());
    }
    None
}

/// A sequence as it is played with this target: one that calls the provider's API finds there what the sequence's own plan says
/// happened, and may show more on the way.
pub(super) fn as_played<'c>(driver: &Driver<'_>, name: &str, case: &'c Case) -> Cow<'c, Case> {
    let (provider, claims) = (driver.provider, driver.capabilities());
    let serial = name.split('-').next().and_then(|number| number.parse().ok());
    let (Some(plan), Some(serial), true) = (&case.plan, serial, claims.calls_back && provider.api().is_some()) else {
        return Cow::Borrowed(case);
    };
    let terms = Terms { subscribed: &|_| true, initiates: true, verifies: true, durable: true, calls_back: true, clock: claims.clock };
    let again = lower_for(provider, plan, serial, Audience { calls_back: true, clock: claims.clock, ..Audience::EVERYBODY })
        .case
        .restricted_to(terms);
    if again.entries.len() != case.entries.len() { Cow::Borrowed(case) } else { Cow::Owned(again) }
}

/// The sequences that say something of a target, those of one shard if there are shards.
pub(super) fn comparable<'c>(
    corpus: &'c Corpus,
    set: &RequirementSet,
    capabilities: &Capabilities,
    shard: Option<Shard>,
) -> impl Iterator<Item = (&'c String, &'c Case)> {
    let numbered = (0..).zip(corpus.sequences());
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
