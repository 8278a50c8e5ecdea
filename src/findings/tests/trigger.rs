//! What it takes to show a mistake, and plans without it.

use super::{plan, refund, with_faults};
use crate::{
    findings::{Feature, features, trigger::undoubted, without},
    plan::{
        Action, DisputeMove, Extra, FailureShape, FaultKind, Group, Level, Mutation, MutationKind, Opening, OrderPlan, Pick, Plan, Step,
        draw, for_recipe,
    },
    provider::{lower, registered},
};

/// What a plan holds beside types of events.
fn told(plan: &Plan) -> Vec<Feature> {
    let nothing = lower(registered()[0].embedded(), &super::plan(Vec::new()), 1).case;
    features(plan, &nothing)
}

/// A plan that holds this and nothing else, and what is left of it without.
#[track_caller]
fn check(has: &Plan, feature: Feature, has_not: &Plan) {
    assert_eq!((told(has), told(has_not)), (vec![feature.clone()], Vec::new()));
    assert_eq!(without(has, &feature, &[]), *has_not);
    assert_eq!(without(has_not, &feature, &[]), *has_not);
}

fn steps(actions: &[Action]) -> Plan {
    plan(actions.iter().cloned().map(Step::plain).collect())
}

fn succeed(paid: Pick) -> Action {
    Action::Succeed { refund: 2, paid }
}

#[test]
fn what_befalls_deliveries() {
    let with = |kinds: &[FaultKind]| plan(vec![with_faults(refund(), kinds)]);
    let mutated = |kind: MutationKind| FaultKind::Mutated { mutation: Mutation { kind, pick: 3 }, same_id: false, after: 1 };
    let (one, other) = (MutationKind::ALL[0], MutationKind::ALL[1]);
    // An event that is not sent is nothing that it takes.
    check(&with(&[FaultKind::Omit, mutated(one)]), Feature::Mutation(one), &with(&[FaultKind::Omit]));
    check(&with(&[FaultKind::Again { after: 1 }, FaultKind::Omit]), Feature::Delivery("redelivery"), &with(&[FaultKind::Omit]));
    for kill in [FaultKind::RestartAfter, FaultKind::KilledDuring { after: 0, patience: 0 }, FaultKind::DiskFull] {
        check(&with(&[kill, FaultKind::Omit]), Feature::Kill, &with(&[FaultKind::Omit]));
    }
    // A forged copy of an event that is known is the same whatever is wrong with its signature; before the event it is another thing.
    let forged = |kind: MutationKind, same_id: bool| FaultKind::Mutated { mutation: Mutation { kind, pick: 3 }, same_id, after: 1 };
    let (absent, before) = (forged(MutationKind::SignatureAbsent, true), forged(MutationKind::SignatureAbsent, false));
    let copies = with(&[absent, forged(MutationKind::Stale, true), before.clone()]);
    assert_eq!(told(&copies), [Feature::Imitation, Feature::Mutation(MutationKind::SignatureAbsent)]);
    assert_eq!(without(&copies, &Feature::Imitation, &[]), with(&[before]));
    let both = with(&[mutated(one), FaultKind::Late { by: 1 }, mutated(other), FaultKind::Late { by: 2 }]);
    assert_eq!(told(&both), [Feature::Mutation(one), Feature::Mutation(other), Feature::Delivery("out of order")]);
    assert_eq!(without(&both, &Feature::Mutation(one), &[]), with(&[FaultKind::Late { by: 1 }, mutated(other), FaultKind::Late { by: 2 }]));
    assert_eq!(without(&both, &Feature::Delivery("out of order"), &[]), with(&[mutated(one), mutated(other)]));
}

#[test]
fn events_of_which_nobody_doubts_anything() {
    let kind_of = |group: Group| MutationKind::of(&[group])[0];
    let mutated = |group: Group| FaultKind::Mutated { mutation: Mutation { kind: kind_of(group), pick: 3 }, same_id: false, after: 1 };
    let with = |kinds: &[FaultKind]| plan(vec![with_faults(refund(), kinds), with_faults(refund(), &[FaultKind::Omit])]);
    for group in [Group::Doubtful, Group::Unusual] {
        // What was left out in its favour is sent.
        let doubtful = with(&[FaultKind::Omit, mutated(group), FaultKind::Late { by: 1 }]);
        assert_eq!(undoubted(&doubtful), with(&[FaultKind::Late { by: 1 }]));
    }
    let sure = with(&[FaultKind::Omit, mutated(Group::Malformed)]);
    assert_eq!(undoubted(&sure), sure);
}

#[test]
fn kinds_of_refunds() {
    let made = |level: Level, joins: bool, own: bool, kind: u8| {
        let ask = Action::Refund { amount: Pick::All, level, joins, own, kind, opens: Opening::Pending };
        steps(&[ask, succeed(Pick::All)])
    };
    let plain = made(Level::Order, false, false, 0);
    check(&made(Level::Order, false, true, 0), Feature::OwnRefund, &plain);
    check(&made(Level::Items, false, false, 0), Feature::ItemRefund, &plain);
    check(&made(Level::Order, true, false, 0), Feature::JoinedRefund, &plain);
    check(&made(Level::Order, false, false, 7), Feature::NotedRefund, &plain);
    // How much is asked for, and how it begins, is nothing out of the ordinary.
    let (amount, level, opens) = (Pick::Units(3), Level::Order, Opening::Succeeded);
    assert_eq!(told(&steps(&[Action::Refund { amount, level, joins: false, own: false, kind: 0, opens }, succeed(Pick::All)])), []);
}

#[test]
fn what_becomes_of_refunds() {
    check(&steps(&[refund(), succeed(Pick::Units(5))]), Feature::PaidLess, &steps(&[refund(), succeed(Pick::All)]));
    let waits = [refund(), Action::NeedInformation { refund: 0 }, Action::GiveInformation { refund: 0 }];
    check(&steps(&waits), Feature::Information, &steps(&[refund()]));
    check(&steps(&waits[..2]), Feature::Information, &steps(&[refund()]));
    check(&steps(&[refund(), waits[2].clone()]), Feature::Information, &steps(&[refund()]));
    let fails = Action::Fail { refund: 2, reason: true, shape: FailureShape::Charge };
    check(&steps(&[refund(), fails]), Feature::Failure, &steps(&[refund(), succeed(Pick::All)]));
    check(&steps(&[refund(), Action::Cancel { refund: 2 }]), Feature::Cancellation, &steps(&[refund(), succeed(Pick::All)]));
    check(&steps(&[refund(), Action::UpdateMetadata { refund: 0 }]), Feature::Metadata, &steps(&[refund()]));
    // Other orders have several refunds each.
    check(&steps(&[refund(), Action::OtherOrders { refunds: 4 }]), Feature::SecondRefund, &steps(&[refund()]));
}

#[test]
fn what_the_shopper_does() {
    let other = Action::Other { event: 1 };
    check(
        &steps(&[Action::Chargeback { amount: Pick::All, fraud: true }, other.clone()]),
        Feature::Chargeback,
        &steps(std::slice::from_ref(&other)),
    );
    let disputes = [
        Action::Dispute,
        Action::ResolveDispute,
        Action::OpenDispute { amount: Pick::All, inquiry: true, over: 0, prevented: false },
        Action::MoveDispute { dispute: 0, to: DisputeMove::Win },
    ];
    for dispute in disputes {
        check(&steps(&[dispute, other.clone()]), Feature::Dispute, &steps(std::slice::from_ref(&other)));
    }
}

#[test]
fn what_orders_are_like() {
    let of = |change: fn(&mut OrderPlan)| {
        let mut order = OrderPlan::default();
        change(&mut order);
        Plan { orders: vec![order], ..steps(&[refund()]) }
    };
    let plain = of(|_| {});
    check(&of(|order| order.known_after = 3), Feature::KnownLater, &plain);
    check(&of(|order| order.moment = 2), Feature::AtAnEdge, &plain);
    check(&of(|order| order.extras = vec![Extra::Sparse]), Feature::Extra(Extra::Sparse), &plain);
    let both = of(|order| order.extras = vec![Extra::Sparse, Extra::OtherId]);
    assert_eq!(without(&both, &Feature::Extra(Extra::Sparse), &[]), of(|order| order.extras = vec![Extra::OtherId]));
    check(&of(|order| order.charges = 2), Feature::SeveralCharges, &plain);
    check(&of(|order| order.items = 3), Feature::SeveralItems, &plain);
    check(&of(|order| order.currency = 4), Feature::Currency, &plain);
    check(&of(|order| order.captured = 5), Feature::Captured, &plain);
    // Fewer than the plainest order has is no feature.
    assert_eq!(told(&of(|order| (order.charges, order.items) = (0, 0))), []);
}

#[test]
fn several_orders() {
    let of = |order: u8, action: &Action| Step { order, ..Step::plain(action.clone()) };
    let other = |event: u16| Action::Other { event };
    let two = Plan {
        orders: vec![OrderPlan::default(); 2],
        ..plan(vec![of(0, &other(0)), of(1, &other(1)), of(2, &other(2)), of(3, &other(3))])
    };
    check(&two, Feature::SeveralOrders, &plan(vec![of(0, &other(0)), of(0, &other(2))]));
    // Without any there is one.
    let none = Plan { orders: Vec::new(), ..plan(vec![of(1, &other(1))]) };
    assert_eq!(without(&none, &Feature::SeveralOrders, &[]), Plan { orders: Vec::new(), ..plan(vec![of(0, &other(1))]) });
}

#[test]
fn second_refunds() {
    let second = [refund(), succeed(Pick::All), refund()];
    check(&steps(&second), Feature::SecondRefund, &steps(&second[..2]));
    let of = |order: u8| Step { order, ..Step::plain(refund()) };
    let each = Plan { orders: vec![OrderPlan::default(); 2], ..plan(vec![of(0), of(1), of(2), of(3)]) };
    assert_eq!(told(&each), [Feature::SeveralOrders, Feature::SecondRefund]);
    assert_eq!(without(&each, &Feature::SecondRefund, &[]).steps, [of(0), of(1)]);
}

#[test]
fn types_of_events() {
    let kinds = ["a.one", "a.two", "b"].map(str::to_owned);
    let only = |only: &[&str], gone: &str| {
        let plan = Plan { only: only.iter().map(|kind| (*kind).to_owned()).collect(), ..steps(&[refund()]) };
        without(&plan, &Feature::Event(gone.to_owned()), &kinds).only
    };
    assert_eq!(only(&[], "b"), ["a.one", "a.two"]);
    assert_eq!(only(&["a.*"], "a.one"), ["a.two"]);
    assert_eq!(only(&["b"], "b"), ["-"], "nothing at all is sent");
    let plan = steps(&[refund()]);
    let case = lower(registered()[0].embedded(), &plan, 1).case;
    let mut events: Vec<Feature> = case.all_deliveries().map(|delivery| Feature::Event(delivery.event.kind.clone())).collect();
    events.dedup();
    assert!(!events.is_empty());
    assert_eq!(features(&plan, &case), events);
}

/// What was taken out is gone, with every provider and every recipe.
#[test]
fn nothing_is_left_of_what_was_taken_out() {
    for provider in registered().iter().map(|provider| provider.embedded()) {
        let kinds: Vec<String> = provider.corpus().catalogue.iter().map(|event| event.kind.clone()).collect();
        for requirement in &provider.corpus().requirements {
            let Some(recipe) = requirement.recipe else { continue };
            for seed in 0..6 {
                let Some(plan) = draw(&for_recipe(recipe, provider.palette()), seed) else { continue };
                let has = |plan: &Plan| features(plan, &lower(provider, plan, 1).case);
                for feature in has(&plan) {
                    match &feature {
                        // It may be one of another order.
                        Feature::SecondRefund => continue,
                        // Nobody is asked whether to send what nobody has heard of.
                        Feature::Event(kind) if !kinds.contains(kind) => continue,
                        _ => {}
                    }
                    let rest = without(&plan, &feature, &kinds);
                    assert!(!has(&rest).contains(&feature), "{feature:?} is still in {rest:?}");
                }
            }
        }
    }
}
