//! What is tried in place of something, in the order in which it is tried.

use std::fmt::{Debug, Write};

use super::*;
use crate::plan::{DisputeMove, Extra, MutationKind};

/// What it is, and a line for each that is tried instead.
fn lines<T: Debug>(what: &impl Debug, instead: impl IntoIterator<Item = T>) -> String {
    let mut text = format!("{what:?}\n");
    for one in instead {
        let _ = writeln!(text, "  {one:?}");
    }
    text
}

fn others(events: &[u16]) -> Plan {
    let steps = (0_u8..).zip(events).map(|(place, event)| Step { order: place % 3, ..Step::plain(Action::Other { event: *event }) });
    Plan { orders: Vec::new(), steps: steps.collect(), only: Vec::new(), look: 0 }
}

/// The events of a plan's steps.
fn events(plan: &Plan) -> Vec<u16> {
    plan.steps.iter().map(|step| if let Action::Other { event } = step.action { event } else { 0 }).collect()
}

#[test]
fn actions() {
    let amount = Pick::Units(700);
    let actions = [
        Action::Refund { amount, level: Level::Items, joins: true, own: true, kind: 2, opens: Opening::Information },
        Action::refund(Pick::AllBut(9)),
        Action::NeedInformation { refund: 0 },
        Action::NeedInformation { refund: 3 },
        Action::GiveInformation { refund: 0 },
        Action::GiveInformation { refund: 3 },
        Action::UpdateMetadata { refund: 0 },
        Action::UpdateMetadata { refund: 3 },
        Action::Succeed { refund: 0, paid: Pick::All },
        Action::Succeed { refund: 9, paid: Pick::Units(100) },
        Action::Fail { refund: 2, reason: true, shape: FailureShape::Order },
        Action::Fail { refund: 0, reason: false, shape: FailureShape::Charge },
        Action::Cancel { refund: 8 },
        Action::Chargeback { amount: Pick::Units(500), fraud: true },
        Action::OpenDispute { amount: Pick::Units(500), inquiry: true, over: 5, prevented: false },
        Action::OpenDispute { amount: Pick::All, inquiry: false, over: 0, prevented: false },
        Action::MoveDispute { dispute: 4, to: DisputeMove::Win },
        Action::Other { event: 0 },
        Action::Other { event: 7 },
        Action::OtherOrders { refunds: 0 },
        Action::OtherOrders { refunds: 1 },
        Action::OtherOrders { refunds: 40 },
    ];
    let text: String = actions.iter().map(|action| lines(action, plainer_actions(action))).collect();
    insta::assert_snapshot!(text);
}

#[test]
fn amounts() {
    let picks = [Pick::All, Pick::Units(500), Pick::Units(1), Pick::Units(900), Pick::AllBut(1), Pick::AllBut(8)];
    let text: String = picks.iter().map(|pick| lines(pick, plainer_picks(*pick))).collect();
    insta::assert_snapshot!(text);
}

#[test]
fn numbers() {
    for (number, expected) in [(0, vec![]), (1, vec![0]), (2, vec![0, 1]), (8, vec![0, 2, 4, 7]), (255, vec![0, 63, 127, 254])] {
        assert_eq!(smaller(number).collect::<Vec<u8>>(), expected);
    }
}

#[test]
fn what_befalls_deliveries() {
    let mutation = |pick| Mutation { kind: MutationKind::ALL[0], pick };
    let kinds = [
        FaultKind::Omit,
        FaultKind::RestartAfter,
        FaultKind::DiskFull,
        FaultKind::StandsStill { long: 2 },
        FaultKind::Again { after: 2 },
        FaultKind::Twin { after: 2 },
        FaultKind::Newer { after: 2 },
        FaultKind::Late { by: 3 },
        FaultKind::AnswerLost { after: 2, how: 2 },
        FaultKind::KilledDuring { after: 2, patience: 1 },
        FaultKind::Together { with: 3 },
        FaultKind::BrokenFirst { at: 2, after: 2 },
        FaultKind::BrokenFirst { at: 0, after: 0 },
        FaultKind::AnswerLate { by: 3 },
        FaultKind::BeforeAnswer { with: 2, lost: true },
        FaultKind::BeforeAnswer { with: 2, lost: false },
        FaultKind::ApiFails { how: 2 },
        FaultKind::DefectBefore { defect: 2 },
        FaultKind::Mutated { mutation: mutation(9), same_id: true, after: 1 },
        FaultKind::Mutated { mutation: mutation(0), same_id: true, after: 0 },
        FaultKind::Mutated { mutation: mutation(1), same_id: true, after: 0 },
        FaultKind::Mutated { mutation: Mutation { kind: MutationKind::Stale, pick: 0 }, same_id: true, after: 1 },
        FaultKind::Unusual { mutation: mutation(9) },
        FaultKind::Unusual { mutation: mutation(1) },
        FaultKind::MuchLater { hours: 2, first: true },
        FaultKind::MuchLater { hours: 2, first: false },
        FaultKind::UnknownBefore { name: 2 },
    ];
    let of = |kind: &FaultKind| {
        let other = Fault { event: 3, kind: FaultKind::Omit };
        let step = Step { faults: vec![other.clone(), Fault { event: 1, kind: kind.clone() }], ..Step::plain(Action::Dispute) };
        lines(
            kind,
            plainer_faults(&step).into_iter().map(|faults| {
                let [first, Fault { event: 1, kind }] = &faults[..] else { panic!("{faults:?}") };
                assert_eq!(*first, other);
                kind.clone()
            }),
        )
    };
    let text: String = kinds.iter().map(of).collect();
    insta::assert_snapshot!(text);
}

#[test]
fn orders() {
    let extras = vec![Extra::LongRefundIds, Extra::OtherId];
    let rich = OrderPlan { captured: 9_999, charges: 5, items: 4, currency: 2, moment: 1, known_after: 3, extras };
    let small = OrderPlan { captured: 1, charges: 2, ..OrderPlan::default() };
    let of = |order: &OrderPlan| {
        let plan = Plan { orders: vec![OrderPlan::default(), order.clone()], ..others(&[1]) };
        let of = |simpler: Plan| {
            assert_eq!((&simpler.orders[0], simpler.steps, simpler.look), (&OrderPlan::default(), plan.steps.clone(), 0));
            simpler.orders[1].clone()
        };
        lines(order, plainer_orders(&plan).map(of))
    };
    let text: String = [OrderPlan::default(), rich, small].iter().map(of).collect();
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_looked_at() {
    let plan = Plan { look: 5, ..others(&[1]) };
    assert_eq!(plainer_orders(&plan).collect::<Vec<_>>(), [others(&[1])]);
}

#[test]
fn runs_of_steps() {
    let plan = others(&[1, 2, 3]);
    let without = |size| without_steps(&plan, size).map(|plan| events(&plan)).collect::<Vec<_>>();
    assert_eq!(without(1), [vec![1, 2], vec![1, 3], vec![2, 3]]);
    assert_eq!(without(2), [[1], [3]]);
    assert_eq!(without(3), [Vec::<u16>::new()]);
    assert!(without(4).is_empty());
}

#[test]
fn an_order_and_what_happens_to_it() {
    let order = |captured| OrderPlan { captured, ..OrderPlan::default() };
    let plan = Plan { orders: [1, 2, 3].map(order).to_vec(), ..others(&[1, 2, 3, 4]) };
    let of = |plan: Plan| {
        let places: Vec<u8> = plan.steps.iter().map(|step| step.order).collect();
        (plan.orders.iter().map(|order| order.captured).collect::<Vec<_>>(), events(&plan), places)
    };
    let expected =
        [(vec![2, 3], vec![2, 3], vec![0, 1]), (vec![1, 3], vec![1, 3, 4], vec![0, 1, 0]), (vec![1, 2], vec![1, 2, 4], vec![0, 1, 0])];
    assert_eq!(fewer_orders(&plan).map(of).collect::<Vec<_>>(), expected);
    assert_eq!(fewer_orders(&Plan { orders: vec![order(1)], ..plan }).count(), 0);
}

#[test]
fn one_fault_or_one_event_less() {
    let fault = |event, kind| Fault { event, kind };
    let mut plan = others(&[1, 2]);
    plan.steps[1].faults = vec![fault(1, FaultKind::RestartAfter), fault(0, FaultKind::Omit), fault(2, FaultKind::DiskFull)];
    let faults = |plan: &Plan| [0, 1].map(|step| plan.steps[step].faults.clone());
    let fewer: Vec<_> = fewer_faults(&plan).map(|plan| faults(&plan)).collect();
    let [.., restart, omit, full] = &plan.steps[1].faults[..] else { panic!() };
    assert_eq!(fewer, [[vec![], vec![omit.clone(), full.clone()]], [vec![], vec![restart.clone(), omit.clone()]]]);
    let events: Vec<(usize, u8)> = fewer_events(&plan)
        .map(|plan| {
            let step = usize::from(plan.steps[1].faults.len() > 3);
            let Fault { event, kind: FaultKind::Omit } = plan.steps[step].faults[0] else { panic!() };
            (step, event)
        })
        .collect();
    // What is left out already is not left out once more.
    let expected: Vec<(usize, u8)> = (0..12).map(|event| (0, event)).chain((1..12).map(|event| (1, event))).collect();
    assert_eq!(events, expected);
}

#[test]
fn steps_at_one_moment() {
    let mut plan = others(&[0]);
    plan.steps[0].tied = true;
    let untied = others(&[0]);
    assert_eq!(plainer_steps(&plan).collect::<Vec<_>>(), [untied]);
}
