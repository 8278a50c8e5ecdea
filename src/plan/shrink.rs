//! Simpler plans: everything that can be taken out of a plan or made plainer, the largest cut first.
//!
//! proptest's own shrinking passes over a list once and never comes back to it. What it leaves is taken
//! from here until nothing more can go: a plan from which every candidate of [`simpler_plans`] no longer
//! fails is at a fixpoint.

use super::{
    mutation::Mutation,
    step::{Action, FailureShape, Fault, FaultKind, Level, Opening, OrderPlan, Pick, Plan, Step},
};

/// The largest family of events that one step is expected to have; omissions are tried for so many.
const FAMILY: u8 = 12;

/// Every plan that is simpler than this one by one cut, the most promising first.
pub fn simpler_plans(plan: &Plan) -> impl Iterator<Item = Plan> + '_ {
    let chunks = [8_usize, 4, 2, 1].into_iter().flat_map(move |size| without_steps(plan, size));
    chunks
        .chain(fewer_orders(plan))
        .chain(fewer_faults(plan))
        .chain(plainer_steps(plan))
        .chain(plainer_orders(plan))
        // Last, because which event of a family is left out is said by its number, and plainer steps have other families.
        .chain(fewer_events(plan))
}

fn without_steps(plan: &Plan, size: usize) -> impl Iterator<Item = Plan> + '_ {
    let count = plan.steps.len();
    let starts = if size > count { 0 } else { count - size + 1 };
    // From the end: later steps depend on earlier ones, not the other way round.
    (0..starts).rev().map(move |start| {
        let mut simpler = plan.clone();
        simpler.steps.drain(start..start + size);
        simpler
    })
}

fn fewer_orders(plan: &Plan) -> impl Iterator<Item = Plan> + '_ {
    let count = plan.orders.len();
    (0..count).filter(move |_| count > 1).map(move |gone| {
        let mut simpler = plan.clone();
        simpler.orders.remove(gone);
        simpler.steps.retain(|step| usize::from(step.order) % count != gone);
        for step in &mut simpler.steps {
            let order = usize::from(step.order) % count;
            step.order = u8::try_from(if order > gone { order - 1 } else { order }).unwrap_or(0);
        }
        simpler
    })
}

fn fewer_faults(plan: &Plan) -> impl Iterator<Item = Plan> + '_ {
    each_step(plan).flat_map(move |(index, step)| {
        (0..step.faults.len()).filter(|&fault| step.faults[fault].kind != FaultKind::Omit).map(move |fault| {
            let mut simpler = plan.clone();
            simpler.steps[index].faults.remove(fault);
            simpler
        })
    })
}

fn fewer_events(plan: &Plan) -> impl Iterator<Item = Plan> + '_ {
    each_step(plan).flat_map(move |(index, step)| {
        let omitted = |event: u8| step.faults.iter().any(|fault| fault.kind == FaultKind::Omit && fault.event == event);
        (0..FAMILY).filter(move |&event| !omitted(event)).map(move |event| {
            let mut simpler = plan.clone();
            simpler.steps[index].faults.insert(0, Fault { event, kind: FaultKind::Omit });
            simpler
        })
    })
}

fn plainer_steps(plan: &Plan) -> impl Iterator<Item = Plan> + '_ {
    each_step(plan).flat_map(move |(index, step)| {
        let untied = step.tied.then(|| {
            let mut simpler = plan.clone();
            simpler.steps[index].tied = false;
            simpler
        });
        plainer_actions(&step.action)
            .into_iter()
            .map(move |action| {
                let mut simpler = plan.clone();
                simpler.steps[index].action = action;
                simpler
            })
            .chain(plainer_faults(step).into_iter().map(move |faults| {
                let mut simpler = plan.clone();
                simpler.steps[index].faults = faults;
                simpler
            }))
            .chain(untied)
    })
}

fn plainer_actions(action: &Action) -> Vec<Action> {
    let mut plainer = Vec::new();
    match *action {
        Action::Refund { amount, level, joins, own, kind, opens } => {
            let base = |amount, level, joins, own, kind| Action::Refund { amount, level, joins, own, kind, opens };
            if opens == Opening::Information {
                plainer.push(Action::Refund { amount, level, joins, own, kind, opens: Opening::Pending });
            }
            if kind != 0 {
                plainer.push(base(amount, level, joins, own, 0));
            }
            if own {
                plainer.push(base(amount, level, joins, false, kind));
            }
            if joins {
                plainer.push(base(amount, level, false, own, kind));
            }
            if level != Level::Order {
                plainer.push(base(amount, Level::Order, joins, own, kind));
            }
            plainer.extend(plainer_picks(amount).into_iter().map(|amount| base(amount, level, joins, own, kind)));
        }
        Action::NeedInformation { refund } if refund > 0 => plainer.push(Action::NeedInformation { refund: 0 }),
        Action::GiveInformation { refund } if refund > 0 => plainer.push(Action::GiveInformation { refund: 0 }),
        Action::UpdateMetadata { refund } if refund > 0 => plainer.push(Action::UpdateMetadata { refund: 0 }),
        Action::Succeed { refund, paid } => {
            plainer.extend(smaller(refund).map(|refund| Action::Succeed { refund, paid }));
            plainer.extend(plainer_picks(paid).into_iter().map(|paid| Action::Succeed { refund, paid }));
        }
        Action::Fail { refund, reason, shape } => {
            plainer.extend(smaller(refund).map(|refund| Action::Fail { refund, reason, shape }));
            if reason {
                plainer.push(Action::Fail { refund, reason: false, shape });
            }
            if shape != FailureShape::Charge {
                plainer.push(Action::Fail { refund, reason, shape: FailureShape::Charge });
            }
        }
        Action::Cancel { refund } => plainer.extend(smaller(refund).map(|refund| Action::Cancel { refund })),
        Action::Chargeback { amount, fraud } => {
            if fraud {
                plainer.push(Action::Chargeback { amount, fraud: false });
            }
            plainer.extend(plainer_picks(amount).into_iter().map(|amount| Action::Chargeback { amount, fraud }));
        }
        Action::OpenDispute { amount, inquiry, over, prevented } => {
            plainer.extend(over.checked_div(2).filter(|_| over > 0).map(|over| Action::OpenDispute { amount, inquiry, over, prevented }));
            let dispute = |amount| Action::OpenDispute { amount, inquiry, over, prevented };
            plainer.extend(plainer_picks(amount).into_iter().map(dispute));
        }
        Action::MoveDispute { dispute, to } => plainer.extend(smaller(dispute).map(|dispute| Action::MoveDispute { dispute, to })),
        Action::Other { event } if event > 0 => plainer.push(Action::Other { event: 0 }),
        Action::OtherOrders { refunds } => {
            // Most of them are needed where any are, so larger numbers are tried too.
            let most = [refunds - refunds / 4, refunds - refunds / 8].into_iter().filter(|fewer| *fewer < refunds);
            let fewer = smaller(refunds).filter(|fewer| fewer + 1 < refunds).chain(most).chain(refunds.checked_sub(1));
            plainer.extend(fewer.map(|refunds| Action::OtherOrders { refunds }));
        }
        _ => {}
    }
    plainer
}

/// Round parts of a plain order first, then everything, which hides what was chosen.
fn plainer_picks(pick: Pick) -> Vec<Pick> {
    const PLAIN: [Pick; 4] = [Pick::All, Pick::Units(500), Pick::Units(100), Pick::Units(1)];
    let rank = PLAIN.iter().position(|plain| *plain == pick).unwrap_or(PLAIN.len());
    let mut picks = PLAIN[..rank].to_vec();
    match pick {
        Pick::Units(units) if rank == PLAIN.len() => picks.push(Pick::Units(units / 2)),
        Pick::AllBut(rest) if rest > 1 => picks.push(Pick::AllBut(rest / 2)),
        _ => {}
    }
    picks
}

fn plainer_faults(step: &Step) -> Vec<Vec<Fault>> {
    let mut plainer = Vec::new();
    for (index, fault) in step.faults.iter().enumerate() {
        let mut with = |kind: FaultKind| {
            let mut faults = step.faults.clone();
            faults[index].kind = kind;
            plainer.push(faults);
        };
        // Whatever puts an event off until others have come may only show that it is late.
        if let FaultKind::Again { after }
        | FaultKind::AnswerLost { after, .. }
        | FaultKind::BrokenFirst { after, .. }
        | FaultKind::KilledDuring { after, .. }
        | FaultKind::Mutated { after, .. } = fault.kind
            && after > 0
        {
            with(FaultKind::Late { by: after });
        }
        match fault.kind {
            FaultKind::Omit | FaultKind::RestartAfter => {}
            FaultKind::DiskFull => with(FaultKind::RestartAfter),
            FaultKind::StandsStill { long } => smaller(long).for_each(|long| with(FaultKind::StandsStill { long })),
            FaultKind::Again { after } => smaller(after).for_each(|after| with(FaultKind::Again { after })),
            FaultKind::Twin { after } => smaller(after).for_each(|after| with(FaultKind::Twin { after })),
            FaultKind::Newer { after } => smaller(after).for_each(|after| with(FaultKind::Newer { after })),
            FaultKind::Late { by } => smaller(by).filter(|by| *by > 0).for_each(|by| with(FaultKind::Late { by })),
            FaultKind::AnswerLost { after, how } => {
                with(FaultKind::Again { after });
                smaller(after).for_each(|after| with(FaultKind::AnswerLost { after, how }));
                smaller(how).for_each(|how| with(FaultKind::AnswerLost { after, how }));
            }
            FaultKind::KilledDuring { after, patience } => {
                with(FaultKind::RestartAfter);
                smaller(after).for_each(|after| with(FaultKind::KilledDuring { after, patience }));
            }
            FaultKind::Together { with: others } => smaller(others).for_each(|others| with(FaultKind::Together { with: others })),
            FaultKind::BrokenFirst { at, after } => {
                with(FaultKind::Again { after });
                smaller(after).for_each(|after| with(FaultKind::BrokenFirst { at, after }));
                if at > 0 {
                    with(FaultKind::BrokenFirst { at: 0, after });
                }
            }
            FaultKind::AnswerLate { by } => smaller(by).filter(|by| *by > 0).for_each(|by| with(FaultKind::AnswerLate { by })),
            FaultKind::BeforeAnswer { with: others, lost } => {
                smaller(others).for_each(|others| with(FaultKind::BeforeAnswer { with: others, lost }));
                if lost {
                    with(FaultKind::BeforeAnswer { with: others, lost: false });
                }
            }
            FaultKind::ApiFails { how } => smaller(how).for_each(|how| with(FaultKind::ApiFails { how })),
            FaultKind::DefectBefore { defect } => smaller(defect).for_each(|defect| with(FaultKind::DefectBefore { defect })),
            FaultKind::Mutated { mutation, same_id, after } => {
                if fault.kind.imitates() {
                    with(FaultKind::Mutated { mutation, same_id: false, after });
                }
                smaller(after).for_each(|after| with(FaultKind::Mutated { mutation, same_id, after }));
                plainer_mutations(mutation).for_each(|mutation| with(FaultKind::Mutated { mutation, same_id, after }));
            }
            FaultKind::Unusual { mutation } => plainer_mutations(mutation).for_each(|mutation| with(FaultKind::Unusual { mutation })),
            FaultKind::MuchLater { hours, first } => {
                if first {
                    with(FaultKind::MuchLater { hours, first: false });
                } else {
                    with(FaultKind::Again { after: u8::MAX });
                }
                smaller(hours).for_each(|hours| with(FaultKind::MuchLater { hours, first }));
            }
            FaultKind::UnknownBefore { name } => smaller(name).for_each(|name| with(FaultKind::UnknownBefore { name })),
        }
    }
    plainer
}

/// The same mutation in its first places and forms.
fn plainer_mutations(mutation: Mutation) -> impl Iterator<Item = Mutation> {
    let mut picks = vec![0, 1, mutation.pick / 2];
    picks.retain(|pick| *pick < mutation.pick);
    picks.dedup();
    picks.into_iter().map(move |pick| Mutation { pick, ..mutation })
}

/// Smaller numbers, the smallest first.
fn smaller(number: u8) -> impl Iterator<Item = u8> {
    let mut choices = vec![0, number / 4, number / 2, number.saturating_sub(1)];
    choices.retain(|choice| *choice < number);
    choices.dedup();
    choices.into_iter()
}

fn plainer_orders(plan: &Plan) -> impl Iterator<Item = Plan> + '_ {
    let orders = plan.orders.iter().enumerate().flat_map(move |(index, order)| {
        let plain = OrderPlan::default();
        let without = |gone: usize| {
            let extras = order.extras.iter().enumerate().filter(|(place, _)| *place != gone).map(|(_, extra)| *extra).collect();
            OrderPlan { extras, ..order.clone() }
        };
        let fewer: Vec<OrderPlan> = (0..order.extras.len()).map(without).collect();
        let choices = [
            plain.clone(),
            OrderPlan { moment: 0, ..order.clone() },
            OrderPlan { known_after: 0, ..order.clone() },
            OrderPlan { known_after: order.known_after.min(1), ..order.clone() },
            OrderPlan { charges: 1, ..order.clone() },
            OrderPlan { items: 1, ..order.clone() },
            OrderPlan { currency: 0, ..order.clone() },
            OrderPlan { captured: plain.captured, ..order.clone() },
            OrderPlan { captured: order.captured / 2, ..order.clone() },
            OrderPlan { charges: order.charges.saturating_sub(1), ..order.clone() },
        ];
        let simpler = move |choice: &OrderPlan| weight(choice) < weight(order);
        choices.into_iter().chain(fewer).filter(simpler).map(move |choice| {
            let mut simpler = plan.clone();
            simpler.orders[index] = choice;
            simpler
        })
    });
    let look = (plan.look != 0).then(|| Plan { look: 0, ..plan.clone() });
    orders.chain(look)
}

/// Fewer extras first, then orders that are known sooner, then fewer parts, then the plain amount, then smaller ones.
fn weight(order: &OrderPlan) -> (usize, u8, u8, u8, u8, u8, u64) {
    let plain = OrderPlan::default().captured;
    let captured = if order.captured == plain { 0 } else { order.captured.max(1) };
    (order.extras.len(), order.known_after, order.moment, order.charges.clamp(1, 3), order.items.clamp(1, 3), order.currency, captured)
}

fn each_step(plan: &Plan) -> impl Iterator<Item = (usize, &Step)> {
    plan.steps.iter().enumerate()
}

#[cfg(test)]
mod tests;
