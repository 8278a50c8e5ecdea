//! What it takes to show a mistake, and the same plan without it.
//!
//! Plans are total, so any part of one can be taken out and what is left can be played. What a minimal case still holds
//! is needed to show its mistake; a plan without some of it shows whether the rest is right.

use crate::{
    case::Case,
    plan::{Action, Extra, Fault, FaultKind, Group, Level, MutationKind, OrderPlan, Pick, Plan},
};

/// Something that a minimal case holds beyond one plain refund of one plain order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Something is done to a body, headers or a signature.
    Mutation(MutationKind),
    /// What is not authentic bears the id of an event that is known; what makes it so does not matter.
    Imitation,
    /// Something befalls a delivery; the name of what.
    Delivery(&'static str),
    /// The target is killed, in whatever way.
    Kill,
    /// A refund that the shop made itself.
    OwnRefund,
    /// A refund of items.
    ItemRefund,
    /// A refund that joins another in one charge refund.
    JoinedRefund,
    /// A refund with a type or a reason.
    NotedRefund,
    /// A refund that pays less than was asked for.
    PaidLess,
    /// A refund that waits for information.
    Information,
    /// A refund that fails.
    Failure,
    /// A refund that is withdrawn.
    Cancellation,
    /// A chargeback.
    Chargeback,
    /// A dispute.
    Dispute,
    /// Changed metadata.
    Metadata,
    /// An order that becomes known only when events of it have come.
    KnownLater,
    /// Something that an order has and a plain one has not.
    Extra(Extra),
    /// An order that was made at the edge of a day, of a year or of summer time.
    AtAnEdge,
    /// Several orders.
    SeveralOrders,
    /// Several charges of one order.
    SeveralCharges,
    /// Several items of one order.
    SeveralItems,
    /// Another currency than the plainest.
    Currency,
    /// Another amount than the plainest.
    Captured,
    /// A second refund of an order.
    SecondRefund,
    /// Events of a type.
    Event(String),
}

/// What a minimal case holds, the rarest first.
pub fn features(plan: &Plan, case: &Case) -> Vec<Feature> {
    let mut features = Vec::new();
    let mut add = |feature: Feature| {
        if !features.contains(&feature) {
            features.push(feature);
        }
    };
    let faults = || plan.steps.iter().flat_map(|step| &step.faults);
    for fault in faults() {
        match fault.kind {
            _ if fault.kind.imitates() => add(Feature::Imitation),
            FaultKind::Mutated { mutation, .. } => add(Feature::Mutation(mutation.kind)),
            _ => {}
        }
    }
    for fault in faults() {
        match &fault.kind {
            FaultKind::Omit | FaultKind::Mutated { .. } => {}
            kind if kind.kills() => add(Feature::Kill),
            kind => add(Feature::Delivery(kind.name())),
        }
    }
    for action in plan.steps.iter().map(|step| &step.action) {
        match *action {
            Action::Refund { level, joins, own, kind, .. } => {
                let has = [
                    (own, Feature::OwnRefund),
                    (level == Level::Items, Feature::ItemRefund),
                    (joins, Feature::JoinedRefund),
                    (kind != 0, Feature::NotedRefund),
                ];
                has.into_iter().filter(|(has, _)| *has).for_each(|(_, feature)| add(feature));
            }
            Action::Succeed { paid, .. } if paid != Pick::All => add(Feature::PaidLess),
            Action::NeedInformation { .. } | Action::GiveInformation { .. } => add(Feature::Information),
            Action::Fail { .. } => add(Feature::Failure),
            Action::Cancel { .. } => add(Feature::Cancellation),
            Action::Chargeback { .. } => add(Feature::Chargeback),
            Action::Dispute | Action::ResolveDispute | Action::OpenDispute { .. } | Action::MoveDispute { .. } => add(Feature::Dispute),
            Action::UpdateMetadata { .. } => add(Feature::Metadata),
            Action::Succeed { .. } | Action::Other { .. } | Action::OtherOrders { .. } => {}
        }
    }
    let plain = OrderPlan::default();
    let order = |has: fn(&OrderPlan, &OrderPlan) -> bool| plan.orders.iter().any(|order| has(order, &plain));
    plan.orders.iter().flat_map(|order| &order.extras).for_each(|extra| add(Feature::Extra(*extra)));
    let shape = [
        (order(|order, plain| order.moment != plain.moment), Feature::AtAnEdge),
        (order(|order, plain| order.known_after != plain.known_after), Feature::KnownLater),
        (plan.orders.len() > 1, Feature::SeveralOrders),
        (order(|order, plain| order.charges > plain.charges), Feature::SeveralCharges),
        (order(|order, plain| order.items > plain.items), Feature::SeveralItems),
        (order(|order, plain| order.currency != plain.currency), Feature::Currency),
        (order(|order, plain| order.captured != plain.captured), Feature::Captured),
        (refunds(plan) > 1 || plan.steps.iter().any(|step| is_of_others(&step.action)), Feature::SecondRefund),
    ];
    shape.into_iter().filter(|(has, _)| *has).for_each(|(_, feature)| add(feature));
    for delivery in case.all_deliveries() {
        add(Feature::Event(delivery.event.kind.clone()));
    }
    features
}

/// A pattern that no type of event fits.
const NOTHING: &str = "-";

/// Whether other orders have events in between, which have several refunds each.
fn is_of_others(action: &Action) -> bool {
    matches!(action, Action::OtherOrders { .. })
}

fn refunds(plan: &Plan) -> usize {
    plan.steps.iter().filter(|step| matches!(step.action, Action::Refund { .. })).count()
}

/// The plan without a feature; the same plan where it does not have it. `kinds` are all types of events that there are.
pub fn without(plan: &Plan, feature: &Feature, kinds: &[String]) -> Plan {
    let mut plan = plan.clone();
    match feature {
        Feature::Mutation(kind) => {
            let is_it = |fault: &FaultKind| matches!(fault, FaultKind::Mutated { mutation, .. } if mutation.kind == *kind);
            without_faults(&mut plan, |fault| is_it(fault) && !fault.imitates());
        }
        Feature::Imitation => without_faults(&mut plan, FaultKind::imitates),
        Feature::Delivery(name) => without_faults(&mut plan, |fault| fault.name() == *name),
        Feature::Kill => without_faults(&mut plan, FaultKind::kills),
        Feature::OwnRefund => each_action(&mut plan, |action| {
            if let Action::Refund { own, .. } = action {
                *own = false;
            }
        }),
        Feature::ItemRefund => each_action(&mut plan, |action| {
            if let Action::Refund { level, .. } = action {
                *level = Level::Order;
            }
        }),
        Feature::JoinedRefund => each_action(&mut plan, |action| {
            if let Action::Refund { joins, .. } = action {
                *joins = false;
            }
        }),
        Feature::NotedRefund => each_action(&mut plan, |action| {
            if let Action::Refund { kind, .. } = action {
                *kind = 0;
            }
        }),
        Feature::PaidLess => each_action(&mut plan, |action| {
            if let Action::Succeed { paid, .. } = action {
                *paid = Pick::All;
            }
        }),
        Feature::Information => {
            without_steps(&mut plan, |action| matches!(action, Action::NeedInformation { .. } | Action::GiveInformation { .. }));
        }
        Feature::Failure => each_action(&mut plan, |action| {
            if let Action::Fail { refund, .. } = *action {
                *action = Action::Succeed { refund, paid: Pick::All };
            }
        }),
        Feature::Cancellation => each_action(&mut plan, |action| {
            if let Action::Cancel { refund } = *action {
                *action = Action::Succeed { refund, paid: Pick::All };
            }
        }),
        Feature::Chargeback => without_steps(&mut plan, |action| matches!(action, Action::Chargeback { .. })),
        Feature::Dispute => without_steps(&mut plan, |action| {
            matches!(action, Action::Dispute | Action::ResolveDispute | Action::OpenDispute { .. } | Action::MoveDispute { .. })
        }),
        Feature::Metadata => without_steps(&mut plan, |action| matches!(action, Action::UpdateMetadata { .. })),
        Feature::SeveralOrders => {
            let count = plan.orders.len().max(1);
            plan.orders.truncate(1);
            plan.steps.retain(|step| usize::from(step.order) % count == 0);
            plan.steps.iter_mut().for_each(|step| step.order = 0);
        }
        Feature::Extra(extra) => plan.orders.iter_mut().for_each(|order| order.extras.retain(|other| other != extra)),
        Feature::AtAnEdge => plan.orders.iter_mut().for_each(|order| order.moment = 0),
        Feature::KnownLater => plan.orders.iter_mut().for_each(|order| order.known_after = 0),
        Feature::SeveralCharges => plan.orders.iter_mut().for_each(|order| order.charges = 1),
        Feature::SeveralItems => plan.orders.iter_mut().for_each(|order| order.items = 1),
        Feature::Currency => plan.orders.iter_mut().for_each(|order| order.currency = 0),
        Feature::Captured => plan.orders.iter_mut().for_each(|order| order.captured = OrderPlan::default().captured),
        Feature::SecondRefund => {
            without_steps(&mut plan, is_of_others);
            let mut asked = vec![false; plan.orders.len().max(1)];
            plan.steps.retain(|step| {
                let order = usize::from(step.order) % asked.len();
                !matches!(step.action, Action::Refund { .. }) || !std::mem::replace(&mut asked[order], true)
            });
        }
        Feature::Event(kind) => {
            let sent = |other: &&String| {
                *other != kind && (plan.only.is_empty() || plan.only.iter().any(|only| crate::domain::fits_pattern(only, other)))
            };
            let rest: Vec<String> = kinds.iter().filter(sent).cloned().collect();
            // An empty list would send everything.
            plan.only = if rest.is_empty() { vec![NOTHING.to_owned()] } else { rest };
        }
    }
    plan
}

/// The plan with each event as it was of which something may be taken or refused, in whatever way it is read.
pub(super) fn undoubted(plan: &Plan) -> Plan {
    let is_doubtful = |fault: &Fault| match fault.kind {
        FaultKind::Mutated { mutation, .. } => matches!(mutation.kind.group(), Group::Doubtful | Group::Unusual),
        _ => false,
    };
    let mut plan = plan.clone();
    for step in plan.steps.iter_mut().filter(|step| step.faults.iter().any(is_doubtful)) {
        // What came in the place of an event that was left out is now that event.
        step.faults.retain(|fault| !is_doubtful(fault) && fault.kind != FaultKind::Omit);
    }
    plan
}

fn without_faults(plan: &mut Plan, gone: impl Fn(&FaultKind) -> bool) {
    plan.steps.iter_mut().for_each(|step| step.faults.retain(|fault| !gone(&fault.kind)));
}

fn without_steps(plan: &mut Plan, gone: impl Fn(&Action) -> bool) {
    plan.steps.retain(|step| !gone(&step.action));
}

fn each_action(plan: &mut Plan, change: impl Fn(&mut Action)) {
    plan.steps.iter_mut().for_each(|step| change(&mut step.action));
}
