//! Whether a case really reaches the state that its requirement is about.
//!
//! A requirement whose cases never get there has not passed. What counts is what is delivered to this
//! very target, after its subscription has been applied.

use std::collections::{HashMap, HashSet};

use crate::{
    case::{Act, Case, Delivery, Effect, Mishap},
    domain::{Amount, EventTime, RefundState, Status},
    model::Tell,
    plan::{Group, MutationKind, Palette, Recipe},
};

/// Whether the case exercises what the recipe is for.
pub fn reaches(recipe: Recipe, case: &Case, palette: &Palette) -> bool {
    let seen = Seen { case };
    match recipe {
        Recipe::ChargeRefundComplete => seen.delivers(&palette.charge_completion),
        Recipe::RefundComplete => seen.delivers(&palette.refund_completion),
        Recipe::CountedOnce if palette.charge_completion.is_empty() => seen.success_told_by_several_kinds(),
        Recipe::CountedOnce => seen.one_success_told_twice(),
        Recipe::PartialRefunds => seen.refunds(|refund| refund.state == RefundState::Succeeded) >= 2 || seen.completed_entries() >= 2,
        Recipe::FullRefund => seen.ends_with(Status::Refunded) || seen.one_unit_left(),
        Recipe::PaidLess => {
            seen.refunds(|refund| refund.state == RefundState::Succeeded && refund.paid < refund.amount) > 0 || seen.completed_entries() > 0
        }
        Recipe::ItemRefunds => seen.has_items(),
        Recipe::SeveralCharges => seen.several_charges(),
        Recipe::ExactAmounts => seen.pays_back(),
        Recipe::OpenRefunds => seen.refunds(|refund| !refund.state.is_final()) > 0 || seen.entries(|state| !state.is_final()) > 0,
        Recipe::FailedRefunds => {
            seen.refunds(|refund| refund.state == RefundState::Failed) > 0 || seen.entries(|state| state == RefundState::Failed) > 0
        }
        Recipe::OwnRefunds => seen.own_refund_told(),
        Recipe::Metadata => seen.refund_told_twice(),
        Recipe::Chargeback | Recipe::ChargebackAndRefunds => seen.tells_chargeback(),
        Recipe::Disputes | Recipe::Plain => seen.deliveries().next().is_some(),
        Recipe::SalesTransactions => seen.delivers(&palette.booking),
        Recipe::Duplicates => seen.same_event_twice(),
        Recipe::OutOfOrder => seen.out_of_order(),
        Recipe::LateEvents => seen.late_after_final(),
        Recipe::Redelivery => seen.redelivered(),
        Recipe::SeveralOrders => seen.interleaved(),
        Recipe::Concurrent => case.entries.iter().any(|entry| matches!(&entry.act, Act::Together(group) if group.len() > 1)),
        Recipe::Restarts => seen.restarted(),
        Recipe::UnknownEvents => {
            seen.deliveries().any(|delivery| delivery.effect == Effect::Ignore && delivery.fault.as_deref() == Some("unknown event type"))
        }
        Recipe::OtherEvents => seen.deliveries().any(|delivery| delivery.event.tells.is_empty() || tells_only_order(delivery)),
        Recipe::Malformed => seen.deliveries().any(|delivery| delivery.effect == Effect::Reject),
        Recipe::Recovery => seen.recovers(),
        Recipe::UnknownMembers => seen.mutated(&[MutationKind::AddMember]),
        Recipe::EquivalentJson => seen.mutated(&MutationKind::of(&[Group::Equivalent])),
        Recipe::UnusualJson => seen.mutated(&MutationKind::of(&[Group::Unusual])),
        Recipe::InvalidEvents => seen.mutated(&MutationKind::of(&[Group::NoEvent, Group::Incomplete])),
        Recipe::Rejections => seen.deliveries().any(|delivery| delivery.effect == Effect::Reject),
        Recipe::NoTrace => seen.corrected(),
        Recipe::Doubtful => seen.mutated(&MutationKind::of(&[Group::Doubtful, Group::Unusual])),
        Recipe::Unsigned => seen.mutated(&MutationKind::of(&[Group::Unsigned])),
        Recipe::RawBody => seen.mutated(MutationKind::RAW_BODY),
        Recipe::RotatedSecret => seen.mutated(&[MutationKind::RotatedSecret]),
        Recipe::Replayed => seen.mutated(&[MutationKind::Stale]),
        Recipe::MixedTraffic => seen.deliveries().count() >= 2,
        Recipe::OtherMinorUnits => seen.odd_currency() && seen.pays_back(),
        Recipe::OtherAmounts => seen.has_notes() && seen.pays_back(),
        Recipe::UnknownStates => seen.mutated(&[MutationKind::UnknownState]),
        Recipe::CancelledRefunds => seen.withdrawn(),
        Recipe::TwoAddresses => seen.everything_twice(),
    }
}

struct Seen<'a> {
    case: &'a Case,
}

struct RefundSeen {
    state: RefundState,
    amount: Amount,
    paid: Amount,
}

impl<'a> Seen<'a> {
    fn deliveries(&self) -> impl Iterator<Item = &'a Delivery> + use<'a> {
        self.case.all_deliveries()
    }

    fn delivers(&self, kind: &str) -> bool {
        self.deliveries().any(|delivery| delivery.event.kind == kind)
    }

    fn tells(&self) -> impl Iterator<Item = &'a Tell> + use<'a> {
        self.deliveries().filter(|delivery| delivery.effect == Effect::Accept).flat_map(|delivery| &delivery.event.tells)
    }

    fn refunds(&self, fits: impl Fn(RefundSeen) -> bool) -> usize {
        let mut ids = HashSet::new();
        for tell in self.tells() {
            if let Tell::Refund { id, state, amount, refunded_amount } = tell
                && fits(RefundSeen { state: *state, amount: *amount, paid: *refunded_amount })
            {
                ids.insert(id);
            }
        }
        ids.len()
    }

    fn entries(&self, fits: impl Fn(RefundState) -> bool) -> usize {
        let count = |tell: &Tell| match tell {
            Tell::Charge { refunds, .. } => refunds.iter().filter(|entry| fits(entry.state)).count(),
            _ => 0,
        };
        self.tells().map(count).max().unwrap_or(0)
    }

    fn completed_entries(&self) -> usize {
        self.entries(|state| state == RefundState::Succeeded)
    }

    fn one_success_told_twice(&self) -> bool {
        let successes = self.deliveries().filter(|delivery| {
            delivery.event.tells.iter().any(|tell| match tell {
                Tell::Refund { state, .. } => *state == RefundState::Succeeded,
                Tell::Charge { refunds, .. } => refunds.iter().any(|entry| entry.state == RefundState::Succeeded),
                _ => false,
            })
        });
        let mut kinds: Vec<&str> = successes.map(|delivery| delivery.event.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.len() >= 2
    }

    /// Where only refund events tell of the money: one refund that succeeded, told of by events of several types.
    fn success_told_by_several_kinds(&self) -> bool {
        let mut kinds: HashMap<&str, HashSet<&str>> = HashMap::new();
        let mut succeeded = HashSet::new();
        for delivery in self.deliveries() {
            for tell in &delivery.event.tells {
                if let Tell::Refund { id, state, .. } = tell {
                    kinds.entry(id).or_default().insert(&delivery.event.kind);
                    if *state == RefundState::Succeeded {
                        succeeded.insert(id.as_str());
                    }
                }
            }
        }
        kinds.iter().any(|(id, kinds)| succeeded.contains(id) && kinds.len() >= 2)
    }

    fn odd_currency(&self) -> bool {
        let digits = |order: &crate::case::OrderSetup| crate::domain::Currency::from_code(&order.currency).map_or(2, |code| code.digits());
        self.case.orders.iter().any(|order| digits(order) != 2)
    }

    /// Only the plan says whether more is said of a refund than its amount.
    fn has_notes(&self) -> bool {
        let noted = |step: &crate::plan::Step| matches!(step.action, crate::plan::Action::Refund { kind, .. } if kind != 0);
        self.case.plan.as_ref().is_some_and(|plan| plan.steps.iter().any(noted))
    }

    fn withdrawn(&self) -> bool {
        let mut tells = self.deliveries().flat_map(|delivery| &delivery.event.tells);
        tells.any(|tell| matches!(tell, Tell::Refund { state: RefundState::Cancelled, .. }))
    }

    fn everything_twice(&self) -> bool {
        let mut times: HashMap<&str, usize> = HashMap::new();
        for delivery in self.deliveries() {
            *times.entry(&delivery.event.id).or_default() += 1;
        }
        !times.is_empty() && times.values().all(|times| *times >= 2)
    }

    fn ends_with(&self, status: Status) -> bool {
        self.case.expect.iter().any(|end| end.status.contains(&status))
    }

    fn one_unit_left(&self) -> bool {
        self.case.orders.iter().zip(&self.case.expect).any(|(order, end)| {
            let unit = crate::domain::Currency::from_code(&order.currency)
                .map_or(Amount::ZERO, |currency| Amount::from_minor(1, currency.digits()));
            end.refunded_amount.contains(order.captured_amount - unit)
        })
    }

    fn has_items(&self) -> bool {
        // Only the plan says whether a refund is of items: what an event tells is summed over them.
        let items = |step: &crate::plan::Step| matches!(step.action, crate::plan::Action::Refund { level: crate::plan::Level::Items, .. });
        self.case.plan.as_ref().is_some_and(|plan| plan.steps.iter().any(items)) && self.deliveries().next().is_some()
    }

    fn several_charges(&self) -> bool {
        let mut charges = HashSet::new();
        for tell in self.tells() {
            if let Tell::Charge { id, refunds, .. } = tell
                && !refunds.is_empty()
            {
                charges.insert(id);
            }
        }
        charges.len() >= 2 || self.case.orders.iter().any(|order| order.charges.len() >= 2) && charges.is_empty() && self.pays_back()
    }

    fn pays_back(&self) -> bool {
        self.case.expect.iter().any(|end| !end.refunded_amount.most.is_zero())
    }

    fn own_refund_told(&self) -> bool {
        let own: HashSet<&str> = self
            .case
            .entries
            .iter()
            .filter_map(|entry| match &entry.act {
                Act::Initiate(own) => Some(own.refund.id.as_str()),
                _ => None,
            })
            .collect();
        self.tells().any(|tell| matches!(tell, Tell::Refund { id, .. } if own.contains(id.as_str())))
            || !own.is_empty() && self.completed_entries() > 0
    }

    fn refund_told_twice(&self) -> bool {
        let mut told: HashMap<&str, usize> = HashMap::new();
        for tell in self.tells() {
            if let Tell::Refund { id, .. } = tell {
                *told.entry(id).or_default() += 1;
            }
        }
        told.values().any(|times| *times >= 2)
    }

    fn tells_chargeback(&self) -> bool {
        self.tells().any(|tell| *tell == Tell::Chargeback)
    }

    fn same_event_twice(&self) -> bool {
        let mut ids = HashSet::new();
        self.deliveries().any(|delivery| !ids.insert(&delivery.event.id))
    }

    fn out_of_order(&self) -> bool {
        let mut latest: HashMap<&str, &EventTime> = HashMap::new();
        self.deliveries().any(|delivery| {
            let order = delivery.event.order_id.as_deref().unwrap_or_default();
            let time = &delivery.event.created_time;
            let older = latest.get(order).is_some_and(|known| time < *known);
            latest.entry(order).and_modify(|known| *known = time.max(*known)).or_insert(time);
            older
        })
    }

    fn late_after_final(&self) -> bool {
        let mut finals = HashSet::new();
        let mut late = false;
        for tell in self.tells() {
            match tell {
                Tell::Refund { id, state, .. } if state.is_final() => {
                    finals.insert(id.as_str());
                }
                Tell::Refund { id, .. } => late |= finals.contains(id.as_str()),
                Tell::Charge { id, refunds, .. } => {
                    let all_final = refunds.iter().all(|entry| entry.state.is_final());
                    if all_final {
                        finals.insert(id.as_str());
                    } else {
                        late |= finals.contains(id.as_str());
                    }
                }
                _ => {}
            }
        }
        late
    }

    fn redelivered(&self) -> bool {
        self.deliveries().any(|delivery| delivery.fault.as_deref().is_some_and(|fault| fault.starts_with("redelivery after")))
    }

    /// The target was killed after it had been told something.
    fn restarted(&self) -> bool {
        let first = self.case.entries.iter().position(|entry| matches!(&entry.act, Act::Deliver(_)));
        let last = self.case.entries.iter().rposition(|entry| matches!(entry.act, Act::Restart));
        matches!((first, last), (Some(first), Some(last)) if first < last)
            || self.deliveries().any(|delivery| matches!(delivery.mishap, Some(Mishap::Killed { .. })))
    }

    fn interleaved(&self) -> bool {
        let orders: HashSet<&str> = self.deliveries().filter_map(|delivery| delivery.event.order_id.as_deref()).collect();
        orders.len() >= 2
    }

    fn mutated(&self, kinds: &[MutationKind]) -> bool {
        self.deliveries().filter_map(|delivery| delivery.mutation_kind).any(|kind| kinds.contains(&kind))
    }

    /// An event was rejected and then came as it should, with the same id.
    fn corrected(&self) -> bool {
        let mut rejected = HashSet::new();
        self.deliveries().any(|delivery| match delivery.effect {
            Effect::Reject => {
                rejected.insert(&delivery.event.id);
                false
            }
            Effect::Accept => rejected.contains(&delivery.event.id),
            _ => false,
        })
    }

    fn recovers(&self) -> bool {
        let mut rejected = false;
        self.deliveries().any(|delivery| {
            rejected |= delivery.effect == Effect::Reject;
            rejected && delivery.effect == Effect::Accept
        })
    }
}

fn tells_only_order(delivery: &Delivery) -> bool {
    delivery.event.tells.iter().all(|tell| !matches!(tell, Tell::Refund { .. } | Tell::Chargeback))
}
