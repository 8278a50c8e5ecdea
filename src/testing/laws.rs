//! What the harness takes for granted of a provider, as laws that hold for every plan.
//!
//! Each law says in one sentence what is wrong, with the delivery or the order that shows it. They ask nothing of targets, and
//! nothing of the model that its documents do not say: the truth is the one that the plan was played on.

use std::collections::{BTreeSet, HashSet};

use crate::{
    case::{Case, Delivery, Effect, OrderSetup},
    domain::{Amount, Currency, EventTime, RefundState, Status},
    json::Value,
    model::{Knowledge, OrderTruth, RefundTruth},
    plan::{FaultKind, Group, MutationKind, Plan, draw, for_recipe},
    provider::{Lowering, Provider, lower},
};

/// How many plans each recipe gives.
const PLANS: u64 = 24;

/// Any number will do; cases made of it are seen by nobody else.
const SERIAL: u64 = 7;

/// A law is kept, or this is wrong.
type Law = Result<(), String>;

/// Holds a provider to what the harness takes for granted, on plans that its own requirements draw: bodies are JSON with the
/// places that [`Provider::anatomy`] says, ids are never given twice, times increase along the truth, in whatever order events are
/// learnt they end in the truth, the same plan gives the same bytes, and signatures depend on what they must. For authors of
/// providers outside this crate.
///
/// # Panics
/// When a law is broken; the message names the requirement, what is wrong, and the plan.
#[track_caller]
pub fn assert_provider(provider: &dyn Provider) {
    let fail = |what: String| panic!("{}: {what}", provider.name());
    static_laws(provider).unwrap_or_else(fail);
    for requirement in &provider.corpus().requirements {
        let Some(recipe) = requirement.recipe else { continue };
        let strategy = for_recipe(recipe, provider.palette());
        for seed in 0..PLANS {
            let Some(plan) = draw(&strategy, seed) else { panic!("{}: `{}` draws no plan", provider.name(), requirement.id) };
            let broken = |what: String| panic!("{}, `{}`: {what}\n{plan:#?}", provider.name(), requirement.id);
            all(provider, &plan).unwrap_or_else(broken);
        }
    }
}

fn all(provider: &dyn Provider, plan: &Plan) -> Law {
    events_are_valid(provider, plan)?;
    signatures_depend_on_what_they_must(provider, plan)?;
    the_same_plan_gives_the_same_case(provider, plan)?;
    ids_are_given_once(provider, plan)?;
    times_increase(provider, plan)?;
    the_end_is_the_truth(provider, plan, |events| (0..events).rev().collect())
}

/// What holds without any plan.
fn static_laws(provider: &dyn Provider) -> Law {
    let corpus = provider.corpus();
    require(!provider.currencies().is_empty(), || "it has no currency".to_owned())?;
    require(!corpus.requirements.is_empty(), || "it has no requirement".to_owned())?;
    let header = provider.signature_header();
    let is_lower = header.bytes().all(|byte| !byte.is_ascii_uppercase());
    require(is_lower, || format!("signature_header: `{header}` is not in lower case"))?;
    require(!provider.answer_limit().is_zero(), || "answer_limit: is 0; nothing answers in no time".to_owned())
}

fn require(kept: bool, what: impl FnOnce() -> String) -> Law {
    if kept { Ok(()) } else { Err(what()) }
}

fn lowered(provider: &dyn Provider, plan: &Plan) -> Lowering {
    lower(provider, plan, SERIAL)
}

/// What must be acknowledged is JSON, and has id, type, time and object where the anatomy says.
///
/// # Errors
/// When the law is broken.
pub fn events_are_valid(provider: &dyn Provider, plan: &Plan) -> Law {
    let lowering = lowered(provider, plan);
    for delivery in lowering.case.all_deliveries().filter(|delivery| delivery.effect.must_be_acknowledged()) {
        let kind = &delivery.event.kind;
        let body: Value =
            serde_json::from_slice(delivery.body.bytes()).map_err(|error| format!("the body of `{kind}` is no JSON: {error}"))?;
        let anatomy = provider.anatomy(&delivery.event, &body, Amount::ZERO, provider.currencies()[0]);
        let text = |place: &str| body.pointer(place).and_then(Value::as_str);
        let holds = |place: &str, expected: &str| {
            require(text(place) == Some(expected), || format!("`{kind}`: `{place}` is not `{expected}`, as its anatomy says"))
        };
        holds(&anatomy.id, &delivery.event.id)?;
        holds(&anatomy.kind, kind)?;
        let created = &delivery.event.created_time;
        let is_stated = if provider.whole_seconds() {
            let seconds = body.pointer(&anatomy.created).and_then(Value::as_u64).and_then(|seconds| i64::try_from(seconds).ok());
            anatomy.created.is_empty() || seconds.map(|seconds| seconds * 1_000_000) == Some(created.micros())
        } else {
            text(&anatomy.created).map(EventTime::parse) == Some(Ok(created.clone()))
        };
        require(is_stated, || format!("`{kind}`: `{}` is not the time of the event, {created}", anatomy.created))?;
        let is_object = body.pointer(&anatomy.object).is_some_and(Value::is_object);
        require(is_object, || format!("`{kind}`: there is no object at `{}`", anatomy.object))?;
    }
    for truth in &lowering.truth {
        // A dispute may take what was refunded already.
        let disputed = if provider.palette().disputes { 0 } else { truth.charged_back() };
        require(truth.paid_back() + truth.open() + disputed <= truth.captured, || "more goes back than was captured".to_owned())?;
    }
    Ok(())
}

/// A signature is the same for the same secret, time and body, and another one for any other secret or body. What is sealed is still
/// JSON, and is sealed in the same place again.
///
/// # Errors
/// When the law is broken.
pub fn signatures_depend_on_what_they_must(provider: &dyn Provider, plan: &Plan) -> Law {
    const NOW: u64 = 1_800_000_000;
    let case = lowered(provider, plan).case;
    let Some(delivery) = case.all_deliveries().find(|delivery| delivery.effect.must_be_acknowledged()) else { return Ok(()) };
    let body = delivery.body.bytes();
    let signed = |secret: &str, body: &[u8]| {
        let headers = provider.sign(&[secret], NOW, body);
        (headers, provider.seal(&[secret], NOW, body).map(|seal| seal.value))
    };
    let own = signed("a secret", body);
    require(own == signed("a secret", body), || "sign: the same body, secret and time have two signatures".to_owned())?;
    require(own != signed("another secret", body), || "sign: any secret gives the same signature".to_owned())?;
    let other: Vec<u8> = body.iter().rev().copied().collect();
    let is_in_header = own.0.iter().any(|(name, _)| name.eq_ignore_ascii_case(provider.signature_header()));
    require(is_in_header || own.1.is_some(), || {
        format!("sign: there is no header `{}`, and no signature in the body either", provider.signature_header())
    })?;
    require(!is_in_header || own.0 != signed("a secret", &other).0, || "sign: any body gives the same signature".to_owned())?;
    let Some(seal) = provider.seal(&["a secret"], NOW, body) else { return Ok(()) };
    let Some(sealed) = seal.put_into(body) else { return Err("seal: its place is outside the body".to_owned()) };
    require(serde_json::from_slice::<Value>(&sealed).is_ok(), || "seal: what is sealed is no JSON any more".to_owned())?;
    let again = provider.seal(&["a secret"], NOW, &sealed);
    require(again.is_some_and(|again| again.at.start == seal.at.start), || "seal: a sealed body has another place for it".to_owned())
}

/// The same plan gives the same case, byte for byte.
///
/// # Errors
/// When the law is broken.
pub fn the_same_plan_gives_the_same_case(provider: &dyn Provider, plan: &Plan) -> Law {
    let [first, second] = [(); 2].map(|()| lowered(provider, plan).case.to_json());
    require(first == second, || "the same plan gives two cases".to_owned())
}

/// No two events of a case share an id, and no two cases an order.
///
/// # Errors
/// When the law is broken.
pub fn ids_are_given_once(provider: &dyn Provider, plan: &Plan) -> Law {
    let case = lowered(provider, plan).case;
    let mut known: HashSet<&str> = HashSet::new();
    for delivery in case.all_deliveries().filter(|delivery| is_first(delivery)) {
        require(known.insert(&delivery.event.id), || format!("two events have the id `{}`", delivery.event.id))?;
    }
    let other = lower(provider, plan, SERIAL + 1).case;
    let ids = |case: &Case| -> BTreeSet<String> { case.orders.iter().map(|order| order.order_id.clone()).collect() };
    require(ids(&case).len() == case.orders.len(), || "two orders of a case have one id".to_owned())?;
    require(ids(&case).is_disjoint(&ids(&other)), || "two cases have an order of one id".to_owned())
}

/// Whether a delivery is the first of its event, as the provider wrote it.
fn is_first(delivery: &Delivery) -> bool {
    delivery.fault.is_none() && delivery.mutation.is_none() && delivery.effect.must_be_acknowledged()
}

/// Along the truth, events have times that increase; where times are whole seconds, places that do.
///
/// # Errors
/// When the law is broken.
pub fn times_increase(provider: &dyn Provider, plan: &Plan) -> Law {
    let mut plan = plan.clone();
    plan.steps.iter_mut().for_each(|step| step.faults.clear());
    let case = lowered(provider, &plan).case;
    for order in &case.orders {
        let of_order = case.all_deliveries().filter(|delivery| delivery.event.order_id.as_ref() == Some(&order.order_id));
        let times: Vec<_> = of_order.map(|delivery| (delivery.event.sequence, &delivery.event.created_time)).collect();
        let increase = times.windows(2).all(|pair| pair[0].1 <= pair[1].1 && pair[0] < pair[1]);
        require(increase, || format!("the times of {} do not increase: {times:?}", order.order_id))?;
    }
    Ok(())
}

/// Whoever has learnt every event, in any order and some of them several times, knows the truth. `walk` chooses the order: it gets the number
/// of events, and gives places from zero on, each at least once.
///
/// # Errors
/// When the law is broken.
pub fn the_end_is_the_truth(provider: &dyn Provider, plan: &Plan, walk: impl FnOnce(usize) -> Vec<usize>) -> Law {
    let mut plan = plan.clone();
    // What is doubtful may stand in place of what is true.
    let hides = |kind: &FaultKind| match kind {
        FaultKind::Omit => true,
        FaultKind::Mutated { mutation, .. } => is_doubtful(mutation.kind),
        _ => false,
    };
    for step in &mut plan.steps {
        step.faults.retain(|fault| !hides(&fault.kind));
    }
    // What is not sent cannot be known.
    plan.only.clear();
    let lowering = lowered(provider, &plan);
    let case = &lowering.case;
    let new = |order: &OrderSetup| Knowledge::new(&order.order_id, &order.currency, order.captured_amount);
    let mut known: Vec<Knowledge> = case.orders.iter().map(new).collect();
    let place = |order_id: Option<&str>| case.orders.iter().position(|order| Some(order.order_id.as_str()) == order_id);
    for entry in &case.entries {
        if let Some(own) = entry.act.own_refund()
            && let Some(order) = place(Some(&own.order_id))
        {
            known[order].learn_own(&own.refund.id, own.refund.amount);
        }
    }
    let events: Vec<&Delivery> = case.all_deliveries().filter(|delivery| is_told(delivery)).collect();
    let mut learn = |index: usize| {
        if let Some(order) = place(events[index].event.order_id.as_deref()) {
            known[order].learn(&events[index].event);
        }
    };
    walk(events.len()).into_iter().for_each(&mut learn);
    for (order, truth) in lowering.truth.iter().enumerate() {
        is_truth(provider, &known[order], truth, &case.orders[order])?;
    }
    Ok(())
}

/// What the provider itself wrote, doubtful or not, before anything was done to it.
pub fn is_told(delivery: &Delivery) -> bool {
    let is_itself = !delivery.mutation_kind.is_some_and(is_doubtful);
    delivery.effect == Effect::Accept || delivery.effect == Effect::Tolerate && is_itself
}

fn is_doubtful(kind: MutationKind) -> bool {
    matches!(kind.group(), Group::Doubtful | Group::Unusual | Group::Incomplete)
}

fn is_truth(provider: &dyn Provider, known: &Knowledge, truth: &OrderTruth, order: &OrderSetup) -> Law {
    let Some(currency) = Currency::from_code(&order.currency) else { return Err(format!("`{}` is no currency", order.currency)) };
    let amount = |minor: u64| Amount::from_minor(minor, provider.digits(currency));
    let end = known.final_expectation(true);
    let id = &order.order_id;
    let is_withdrawn = |refund: &RefundTruth| refund.state == RefundState::Cancelled;
    // An order with nothing but withdrawn refunds may be called one or the other.
    let more = usize::from(truth.status() == Status::NotRefunded && truth.refunds.iter().any(is_withdrawn));
    require(end.status.contains(&truth.status()), || format!("{id} ends as {:?}, and the events tell {:?}", truth.status(), end.status))?;
    // A running total may count what is under way, and does not say so.
    let maybe = if provider.palette().revocable { truth.open() } else { 0 };
    require(maybe != 0 || end.status.len() == 1 + more, || format!("{id}: the events leave it open: {:?}", end.status))?;
    let range = end.refunded_amount;
    let (least, most) = (amount(truth.paid_back()), amount(truth.paid_back() + maybe));
    require(range.least == least && range.most <= most, || {
        format!("{id}: {least} were paid back, and the events tell {} to {}", range.least, range.most)
    })?;
    let contains = |name: &str, range: Option<Vec<Amount>>, minor: u64| {
        let range = range.ok_or_else(|| format!("{id}: `{name}` is not judged"))?;
        require(range.contains(&amount(minor)), || format!("{id}: `{name}` is {}, and the events tell {range:?}", amount(minor)))
    };
    contains("availableToRefundAmount", end.available_to_refund_amount, truth.available())?;
    contains("chargedBackAmount", end.charged_back_amount, truth.charged_back())?;
    let refunds = end.refunds.map_or(0, |refunds| refunds.len());
    require(refunds == truth.refunds.len(), || format!("{id} has {} refunds, and the events tell {refunds}", truth.refunds.len()))
}
