//! `corpus generate`: new frozen sequences.
//!
//! Plans are drawn from every recipe; a greedy choice takes those that reach most of what no sequence reaches
//! yet, the shorter first. What a sequence reaches: event types, state transitions, statuses, delivery
//! faults and shapes of orders and refunds.

use std::{collections::BTreeSet, fs, path::Path};

use crate::story::title;
use anyhow::{Context, bail};
use refundproof::{
    adapter::Capabilities,
    case::{Act, Case, Effect, Signature},
    check::{Rules, snapshot},
    corpus::{Corpus, Files},
    model::Change,
    plan::{Action, FaultKind, Group, Level, Plan, Recipe, for_recipe},
    provider::{Lowering, Provider, lower, named},
    run::{Canaries, sample},
};

/// Draws for each sequence wanted; enough for a good choice, few enough to be quick.
const DRAWS: u64 = 150;

/// Writes new sequences with pending snapshots.
pub(crate) fn generate(root: &Path, provider: &str, seed: u64, wanted: usize) -> anyhow::Result<String> {
    let Some(registered) = named(provider) else { bail!("provider `{provider}` is unknown") };
    let provider = registered.embedded();
    let corpus = Corpus::load(&Files::from_dir(&root.join("corpus"), provider.name())?)?;
    let mut reached: BTreeSet<String> = BTreeSet::new();
    for case in corpus.sequences().values() {
        if let Some(plan) = &case.plan {
            // What is sent is what was frozen: the provider may have got further event types since.
            reached.extend(features(&Lowering { case: case.clone(), ..lower(provider, plan, 1) }));
        }
    }
    let mut pool = candidates(provider, seed, wanted as u64);
    let mut written = Vec::new();
    let mut number = corpus.sequences().len();
    while written.len() < wanted {
        let Some(best) = choose(&pool, &reached) else { break };
        let (recipe, plan, found) = pool.swap_remove(best);
        reached.extend(found);
        number += 1;
        let name = format!("{number:03}-{}", recipe.name());
        let lowering = lower(provider, &plan, number as u64);
        let mut case = lowering.case.clone();
        case.title = title(recipe, &lowering);
        write(root, provider.name(), &name, &case)?;
        written.push(format!("{name}: {}", case.title));
    }
    Ok(format!("{}\n{} sequences written; `cargo insta accept` takes their snapshots", written.join("\n"), written.len()))
}

type Candidate = (Recipe, Plan, BTreeSet<String>);

fn candidates(provider: &dyn Provider, seed: u64, wanted: u64) -> Vec<Candidate> {
    let mut pool = Vec::new();
    for requirement in &provider.corpus().requirements {
        let Some(recipe) = requirement.recipe else { continue };
        let Ok(mut canaries) = Canaries::new(provider, &requirement.id, Rules::default(), &Capabilities::everything()) else { continue };
        let strategy = for_recipe(recipe, provider.palette());
        for draw in 0..DRAWS.max(wanted) {
            let Some(plan) = sample(&strategy, seed.wrapping_mul(1_000_003).wrapping_add(draw * 64 + recipe as u64)) else { continue };
            let lowering = lower(provider, &plan, 1);
            if is_settled(&lowering.case) && canaries.exercises(&lowering.case) {
                let mut found = features(&lowering);
                let name = recipe.name();
                found.extend(lowering.truth.iter().map(|truth| format!("{name} ends {}", truth.status())));
                found.insert(format!("recipe {name}"));
                pool.push((recipe, plan, found));
            }
        }
    }
    pool
}

/// The candidate that reaches most new things for its length.
fn choose(pool: &[Candidate], reached: &BTreeSet<String>) -> Option<usize> {
    let value = |candidate: &Candidate| {
        // That every recipe and every event type occurs matters more than one more combination of shapes.
        let weight = |feature: &String| if ["recipe ", "event ", "world "].iter().any(|kind| feature.starts_with(kind)) { 6 } else { 1 };
        let new: usize = candidate.2.difference(reached).map(weight).sum();
        // A long sequence must be worth it: a person is to read it.
        (new * 100) / (candidate.1.steps.len() + 4)
    };
    (0..pool.len()).max_by_key(|&index| (value(&pool[index]), std::cmp::Reverse(pool[index].1.steps.len())))
}

/// Whether every target may be compared with the sequence: doubtful deliveries leave a choice, reading unusual JSON is
/// advice, and signatures are not every target's business.
pub(crate) fn is_settled(case: &Case) -> bool {
    case.all_deliveries().all(|delivery| {
        !matches!(delivery.effect, Effect::Tolerate | Effect::Refuse)
            && delivery.mutation_kind.is_none_or(|kind| kind.group() != Group::Unusual)
            && delivery.signature == Signature::Valid
            && delivery.body.bytes().len() < 20_000
    })
}

fn features(lowering: &Lowering) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let case = &lowering.case;
    for delivery in case.all_deliveries() {
        found.insert(format!("event {}", delivery.event.kind));
        found.extend(delivery.fault.iter().map(|fault| format!("fault {fault}")));
        found.extend(delivery.mishap.map(|mishap| format!("mishap {}", mishap.as_str())));
        found.extend(delivery.mutation.iter().map(|mutation| format!("mutation {mutation}")));
    }
    for entry in &case.entries {
        for expected in &entry.expect {
            found.extend(expected.status.iter().map(|status| format!("status {status}")));
        }
        match &entry.act {
            Act::Initiate(_) | Act::Meanwhile(..) => _ = found.insert("own refund".to_owned()),
            Act::Together(group) => _ = found.insert(format!("together {}", group.len().min(4))),
            Act::Restart => _ = found.insert("restart".to_owned()),
            Act::Begin(_) => _ = found.insert("order becomes known".to_owned()),
            Act::Advance(_) => _ = found.insert("time passes".to_owned()),
            Act::Deliver(_) => {}
        }
    }
    for order in &case.orders {
        found.insert(format!("currency {}", order.currency));
        found.insert(format!("charges {}", order.charges.len()));
    }
    for (_, change) in &lowering.changes {
        found.insert(match change {
            Change::Moved { from, to, shape, refunds, charges } if from.is_final() => {
                format!("moved from {from} to {to} {shape:?} refunds {} charges {}", refunds.len().min(2), charges.len())
            }
            Change::Moved { to, shape, refunds, charges, .. } => {
                format!("moved to {to} {shape:?} refunds {} charges {}", refunds.len().min(2), charges.len())
            }
            Change::Opened { charges, .. } => format!("opened on {}", charges.len()),
            Change::Dispute { to, fails, .. } => format!("dispute {to:?} fails {}", fails.len().min(1)),
            Change::Other { .. } => "other".to_owned(),
            other => format!("{other:?}").split(['{', ' ']).next().unwrap_or_default().to_owned(),
        });
    }
    for truth in &lowering.truth {
        for refund in &truth.refunds {
            let less = if refund.paid > 0 && refund.paid < refund.requested { "paid less" } else { "" };
            found.insert(format!("refund items {} kind {} own {} {less}", refund.items.len(), refund.kind, refund.own));
        }
        found.insert(format!("ends {}", truth.status()));
    }
    if let Some(plan) = &case.plan {
        for step in &plan.steps {
            if let Action::Refund { level: Level::Items, joins: true, .. } = step.action {
                found.insert("joined items".to_owned());
            }
        }
    }
    found.extend(of_the_world(lowering));
    found
}

/// What orders and refunds have that plain ones have not.
fn of_the_world(lowering: &Lowering) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for truth in &lowering.truth {
        found.extend(truth.extras.iter().map(|extra| format!("world {extra:?}")));
        let texts = truth.refunds.iter().filter(|refund| refund.kind >= 8).map(|refund| format!("world text {}", refund.kind / 8 % 6));
        found.extend(texts);
        if truth.refunds.len() > 10 {
            found.insert("world many refunds".to_owned());
        }
        if truth.refunds.windows(2).any(|pair| pair[0].requested == pair[1].requested) {
            found.insert("world equal amounts".to_owned());
        }
        if truth.disputed && !truth.chargebacks.is_empty() {
            found.insert("world dispute beside a chargeback".to_owned());
        }
    }
    let Some(plan) = &lowering.case.plan else { return found };
    if plan.orders.iter().any(|order| order.moment > 0) {
        found.insert("world edge of time".to_owned());
    }
    if plan.steps.iter().flat_map(|step| &step.faults).any(|fault| matches!(fault.kind, FaultKind::AnswerLate { .. })) {
        found.insert("world late answer".to_owned());
    }
    found
}

/// Writes a sequence with a pending snapshot.
pub(crate) fn write(root: &Path, provider: &str, name: &str, case: &Case) -> anyhow::Result<()> {
    let folder = root.join("corpus").join(provider).join("sequences");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let path = folder.join(format!("{name}.json"));
    fs::write(&path, case.to_json()).with_context(|| path.display().to_string())?;
    let folder = root.join("snapshots").join(provider);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let path = folder.join(format!("{name}.snap.new"));
    fs::write(&path, snapshot::file(&case.title, &snapshot::expected(case))).with_context(|| path.display().to_string())
}
