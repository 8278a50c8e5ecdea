//! `corpus stats`, `corpus minimize` and `corpus promote`: what the frozen sequences reach, which of them are needed for it, and
//! a saved failure that becomes one of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::Path,
};

use anyhow::{bail, ensure};
use refundproof::{
    adapter::Capabilities,
    case::{Act, Case, Delivery, Effect},
    check::Rules,
    corpus::{Corpus, Files},
    domain::{Clock, RefundState},
    drive::{Conditions, Driver, with_fresh_ids},
    model::Tell,
    provider::{Audience, Provider, lower_for, named},
    reference::{ReferenceShop, faults},
    run::Canaries,
};

use crate::{generate, story};

/// What a sequence may reach, by kinds; a kind comes before the first colon.
type Reached = BTreeSet<String>;

/// The kinds with what they are called in tables.
const KINDS: [(&str, &str); 9] = [
    ("event", "event types"),
    ("pair", "pairs of event types, one after the other"),
    ("transition", "transitions of refunds, as told"),
    ("status", "changes of an order's status"),
    ("fault", "delivery faults"),
    ("mutation", "mutations with their effect"),
    ("shape", "shapes of orders and deliveries"),
    ("canary", "requirements exercised by their canaries"),
    ("kills", "faults of the bank that fail"),
];

fn loaded(root: &Path, provider: &str) -> anyhow::Result<(&'static dyn Provider, Corpus)> {
    let Some(registered) = named(provider) else { bail!("provider `{provider}` is unknown") };
    let provider = registered.embedded();
    let corpus = Corpus::load(&Files::from_dir(&root.join("corpus"), provider.name())?)?;
    Ok((provider, corpus))
}

/// What a case reaches by what is in it.
fn written(case: &Case) -> Reached {
    let mut reached = Reached::new();
    let deliveries: Vec<&Delivery> = case.all_deliveries().collect();
    for delivery in &deliveries {
        reached.insert(format!("event: {}", delivery.event.kind));
        reached.extend(delivery.fault.iter().map(|fault| format!("fault: {fault}")));
        reached.extend(delivery.mishap.map(|mishap| format!("fault: {}", mishap.as_str())));
        reached.extend(delivery.mutation_kind.map(|kind| format!("mutation: {} ({})", kind.name(), word(delivery.effect))));
    }
    reached.extend(deliveries.windows(2).map(|pair| format!("pair: {} > {}", pair[0].event.kind, pair[1].event.kind)));
    // By the order in which it happened, and not that of delivery.
    let mut happened = deliveries;
    happened.sort_by(|one, other| (one.event.sequence, &one.event.created_time).cmp(&(other.event.sequence, &other.event.created_time)));
    let mut states: BTreeMap<&str, RefundState> = BTreeMap::new();
    for tell in happened.iter().filter(|delivery| delivery.effect == Effect::Accept).flat_map(|delivery| &delivery.event.tells) {
        if let Tell::Refund { id, state, in_passing: false, .. } = tell {
            match states.insert(id, *state) {
                Some(before) if before == *state => {}
                Some(before) => _ = reached.insert(format!("transition: {before} > {state}")),
                None => _ = reached.insert(format!("transition: begins as {state}")),
            }
        }
    }
    let mut statuses: BTreeMap<&str, String> = BTreeMap::new();
    for expected in case.entries.iter().flat_map(|entry| &entry.expect).chain(&case.expect).filter(|expected| expected.is_exact()) {
        let status = expected.status[0].to_string();
        let before = statuses.insert(&expected.order_id, status.clone());
        match before {
            Some(before) if before != status => _ = reached.insert(format!("status: {before} > {status}")),
            Some(_) => {}
            None => _ = reached.insert(format!("status: begins as {status}")),
        }
    }
    for entry in &case.entries {
        match &entry.act {
            Act::Initiate(_) | Act::Meanwhile(..) => _ = reached.insert("shape: the shop's own refund".to_owned()),
            Act::Together(group) => _ = reached.insert(format!("shape: {} deliveries at the same time", group.len())),
            Act::Restart => _ = reached.insert("fault: restart".to_owned()),
            Act::Begin(_) => _ = reached.insert("fault: order becomes known later".to_owned()),
            Act::Advance(_) => _ = reached.insert("fault: time passes".to_owned()),
            Act::Deliver(_) => {}
        }
    }
    for order in &case.orders {
        reached.insert(format!("shape: {}", order.currency));
        reached.insert(format!("shape: charges {}", order.charges.len()));
    }
    reached.insert(format!("shape: orders {}", case.orders.len()));
    reached
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Accept => "accept",
        Effect::Ignore => "ignore",
        Effect::Reject => "reject",
        Effect::Refuse => "refuse",
        Effect::Tolerate => "tolerate",
    }
}

/// What all sequences reach, with what they exercise and which faults they show.
fn all_reached(provider: &dyn Provider, corpus: &Corpus) -> anyhow::Result<BTreeMap<String, Reached>> {
    // A panic of a fault is a finding; its trace would only be noise.
    std::panic::set_hook(Box::new(|_| {}));
    let mut all: BTreeMap<String, Reached> = corpus.sequences().iter().map(|(name, case)| (name.clone(), written(case))).collect();
    for requirement in corpus.requirements.iter().filter(|requirement| requirement.recipe.is_some()) {
        let rules = Rules::of(&requirement.id, provider.answer_limit());
        let mut canaries = Canaries::new(provider, &requirement.id, rules, &Capabilities::everything())?;
        for (name, case) in corpus.sequences() {
            if canaries.exercises(case) {
                all.entry(name.clone()).or_default().insert(format!("canary: {}", requirement.id));
            }
        }
    }
    for fault in faults().iter().filter(|fault| fault.aimed_at(provider.name(), corpus).is_some()) {
        let start = || {
            let clock = Clock::manual_from_now();
            Driver::new(provider, Box::new(ReferenceShop::with_fault(fault.fault, clock.clone())), clock, Conditions::default())
        };
        let mut driver = start()?;
        for (name, case) in corpus.sequences() {
            let outcome = driver.run(name, case, Rules::default());
            if outcome.failure.is_some() {
                all.entry(name.clone()).or_default().insert(format!("kills: {}", fault.name));
            }
            if outcome.has_stopped() {
                driver = start()?;
            }
        }
    }
    Ok(all)
}

/// The table of what the sequences reach.
pub(crate) fn stats(root: &Path, provider: &str) -> anyhow::Result<String> {
    let (provider, corpus) = loaded(root, provider)?;
    let all = all_reached(provider, &corpus)?;
    let mut text = format!("# What the frozen sequences of {} reach\n\n", provider.name());
    let deliveries: usize = corpus.sequences().values().map(Case::deliveries).sum();
    writeln!(
        text,
        "{} sequences with {deliveries} deliveries.\n\n| kind | reached | by one sequence only | not reached |\n| --- | --- | --- | --- |",
        all.len()
    )?;
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    all.values().flatten().for_each(|reached| *times.entry(reached).or_default() += 1);
    let mut missing = String::new();
    for (kind, name) in KINDS {
        let of_kind = |reached: &&str| reached.strip_prefix(kind).is_some_and(|rest| rest.starts_with(": "));
        let reached: Vec<(&str, usize)> =
            times.iter().map(|(reached, times)| (*reached, *times)).filter(|(reached, _)| of_kind(reached)).collect();
        let single = reached.iter().filter(|(_, times)| *times == 1).count();
        let possible: Vec<String> = possible(kind, provider, &corpus).into_iter().filter(|one| !times.contains_key(one.as_str())).collect();
        let not = if possible.is_empty() { String::new() } else { possible.len().to_string() };
        writeln!(text, "| {name} | {} | {single} | {not} |", reached.len())?;
        if !possible.is_empty() {
            let words: Vec<&str> = possible.iter().filter_map(|one| Some(one.split_once(": ")?.1)).collect();
            writeln!(missing, "\n{name} that no sequence reaches: {}", words.join(", "))?;
        }
    }
    Ok(text + &missing)
}

/// What could be reached of a kind, where that is known.
fn possible(kind: &str, provider: &dyn Provider, corpus: &Corpus) -> Vec<String> {
    let with_kind = |what: &str| format!("{kind}: {what}");
    match kind {
        "event" => corpus.catalogue.iter().map(|entry| with_kind(&entry.kind)).collect(),
        "canary" => corpus.requirements.iter().filter(|one| one.recipe.is_some()).map(|one| with_kind(&one.id)).collect(),
        "kills" => {
            faults().iter().filter(|fault| fault.aimed_at(provider.name(), corpus).is_some()).map(|fault| with_kind(fault.name)).collect()
        }
        _ => Vec::new(),
    }
}

/// The fewest sequences that reach what all do, as far as a greedy choice finds them, and what each is for.
pub(crate) fn minimize(root: &Path, provider: &str) -> anyhow::Result<String> {
    let (provider, corpus) = loaded(root, provider)?;
    let all = all_reached(provider, &corpus)?;
    let kept = chosen(&all);
    let mut text = String::new();
    for (name, only) in &kept {
        let mut counts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        only.iter().filter_map(|reached| reached.split_once(": ")).for_each(|(kind, what)| counts.entry(kind).or_default().push(what));
        // What is rare tells most; pairs of event types are many.
        let told: Vec<String> = KINDS
            .iter()
            .filter_map(|(kind, name)| Some((kind, name, counts.get(kind)?)))
            .map(|(kind, name, whats)| {
                if *kind == "pair" || whats.len() > 4 { format!("{} {name}", whats.len()) } else { format!("{kind} {}", whats.join(", ")) }
            })
            .collect();
        writeln!(text, "{name}: {}", told.join("; "))?;
    }
    let spare: Vec<&String> = all.keys().filter(|name| kept.iter().all(|(kept, _)| kept != *name)).collect();
    let others = if spare.is_empty() {
        "none is spare".to_owned()
    } else {
        format!("spare: {}", spare.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "))
    };
    Ok(format!("{text}{} of {} sequences reach everything; {others}", kept.len(), all.len()))
}

/// A choice that reaches everything, each with what none of the others chosen reaches.
fn chosen(all: &BTreeMap<String, Reached>) -> Vec<(String, Reached)> {
    let everything: Reached = all.values().flatten().cloned().collect();
    let (mut reached, mut names): (Reached, Vec<&String>) = (Reached::new(), Vec::new());
    while reached != everything {
        let new = |name: &&String| all[*name].difference(&reached).count();
        // Of those that add as much the first.
        let Some(best) = all.keys().rev().max_by_key(new) else { break };
        reached.extend(all[best].iter().cloned());
        names.push(best);
    }
    // One that was chosen early may have become spare.
    for place in (0..names.len()).rev() {
        let others: Reached =
            names.iter().enumerate().filter(|(other, _)| *other != place).flat_map(|(_, name)| all[*name].iter().cloned()).collect();
        if others == everything {
            names.remove(place);
        }
    }
    names.sort();
    let only = |name: &&String| {
        let others = |one: &&String| names.iter().any(|other| other != name && all[*other].contains(*one));
        all[*name].iter().filter(|one| !others(one)).cloned().collect()
    };
    names.iter().map(|name| ((*name).clone(), only(name))).collect()
}

/// Makes a saved case a frozen sequence with a pending snapshot.
pub(crate) fn promote(root: &Path, file: &Path) -> anyhow::Result<String> {
    let saved = Case::from_file(file)?;
    let (provider, corpus) = loaded(root, &saved.provider)?;
    let number = corpus.sequences().len() + 1;
    let recipe = saved.requirement.as_ref().and_then(|id| corpus.requirements.iter().find(|requirement| requirement.id == *id)?.recipe);
    // A case with its plan is made anew under ids of its own; any other gets fresh ids.
    let (mut case, title, what) = match (&saved.plan, recipe) {
        (Some(plan), Some(recipe)) => {
            // Time passes in it, for those for which it can.
            let lowering = lower_for(provider, plan, number as u64, Audience { clock: true, ..Audience::EVERYBODY });
            let title = story::title(recipe, &lowering);
            (lowering.case, title, recipe.name().to_owned())
        }
        _ => (with_fresh_ids(&saved, number as u64), saved.title.clone(), slug(&saved.title)),
    };
    case.title = title;
    case.requirement = None;
    ensure!(
        generate::is_settled(&case),
        "{}: what a target must show of it is not settled, or its signatures matter; no sequence has such",
        file.display()
    );
    ensure!(!case.expect.is_empty(), "{}: it expects nothing", file.display());
    if let Some((name, _)) = corpus.sequences().iter().find(|(_, other)| effect(other) == effect(&case)) {
        bail!("{}: does the same as sequence {name}", file.display());
    }
    let name = format!("{number:03}-{what}");
    generate::write(root, provider.name(), &name, &case)?;
    Ok(format!(
        "{name}: {}\nwritten with a pending snapshot; `cargo insta accept` takes it, and `sequences` of the newest revision counts it",
        case.title
    ))
}

fn slug(title: &str) -> String {
    let words: Vec<String> =
        title.split(|other: char| !other.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).take(8).map(str::to_lowercase).collect();
    words.join("-")
}

/// What a case does to a target: two cases of the same effect test the same.
pub(crate) fn effect(case: &Case) -> String {
    let of_delivery = |delivery: &Delivery| {
        format!(
            "{} {:?} {:?} {:?} {:?} {:?} {}",
            delivery.event.kind,
            delivery.fault,
            delivery.mutation_kind.map(|kind| kind.name()),
            delivery.effect,
            delivery.signature,
            delivery.mishap,
            amounts(&delivery.event.tells)
        )
    };
    let of_act = |act: &Act| match act {
        Act::Deliver(delivery) => of_delivery(delivery),
        Act::Together(group) => format!("together [{}]", group.iter().map(of_delivery).collect::<Vec<_>>().join("; ")),
        Act::Meanwhile(_, group) => format!("meanwhile [{}]", group.iter().map(of_delivery).collect::<Vec<_>>().join("; ")),
        Act::Initiate(_) => "initiate".to_owned(),
        Act::Restart => "restart".to_owned(),
        Act::Begin(_) => "begin".to_owned(),
        Act::Advance(seconds) => format!("{seconds} seconds"),
    };
    let mut effect: Vec<String> =
        case.orders.iter().map(|order| format!("{} {} {}", order.currency, order.captured_amount, order.charges.len())).collect();
    effect.extend(case.entries.iter().map(|entry| of_act(&entry.act)));
    effect.join("\n")
}

/// What is told without the ids.
fn amounts(tells: &[Tell]) -> String {
    let of = |tell: &Tell| match tell {
        Tell::Refund { state, amount, refunded_amount, .. } => format!("{state} {amount} {refunded_amount}"),
        Tell::Total { refunded_amount, .. } => format!("total {refunded_amount}"),
        Tell::Dispute { taken_amount, by, .. } => format!("dispute {taken_amount} {by:?}"),
        Tell::Charge { refunds, .. } => {
            refunds.iter().map(|entry| format!("{} {}", entry.state, entry.amount)).collect::<Vec<_>>().join(" ")
        }
        Tell::Order { refunded_amount, .. } => format!("order {refunded_amount}"),
        Tell::Chargeback => "chargeback".to_owned(),
    };
    tells.iter().map(of).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(parts: &[&str]) -> Reached {
        parts.iter().map(|part| format!("event: {part}")).collect()
    }

    #[test]
    fn what_another_reaches_is_spare() {
        let all = BTreeMap::from([
            ("a".to_owned(), reached(&["1", "2"])),
            ("b".to_owned(), reached(&["2", "3"])),
            ("c".to_owned(), reached(&["2"])),
        ]);
        let kept: Vec<(String, Reached)> = chosen(&all);
        assert_eq!(kept, [("a".to_owned(), reached(&["1"])), ("b".to_owned(), reached(&["3"]))]);
    }
}
