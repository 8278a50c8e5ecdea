//! What befalls deliveries: redelivery, disorder, kills, mutations.

use proptest::{collection::vec, prelude::*, strategy::BoxedStrategy};

use super::{Draw, INVALID, PlanStrategy};
use crate::plan::{
    mutation::{Group, Mutation, MutationKind},
    step::{Action, Fault, FaultKind, Plan, Step},
};

impl Draw<'_> {
    fn defect(&self) -> BoxedStrategy<FaultKind> {
        let broken = (any::<u16>(), 0_u8..3).prop_map(|(at, after)| FaultKind::BrokenFirst { at, after });
        if self.palette.defects == 0 {
            return broken.boxed();
        }
        (0..self.palette.defects).prop_map(|defect| FaultKind::DefectBefore { defect }).boxed()
    }

    pub(super) fn broken(&self) -> BoxedStrategy<FaultKind> {
        let broken = (any::<u16>(), 0_u8..3).prop_map(|(at, after)| FaultKind::BrokenFirst { at, after });
        prop_oneof![self.defect(), broken].boxed()
    }

    pub(super) fn mutated(&self, kinds: &[MutationKind], how_many: std::ops::Range<usize>) -> PlanStrategy {
        let kinds = self.mutation(kinds, false);
        self.or_withdrawn(self.mutated_refunds(kinds.clone(), how_many.clone()), kinds, how_many)
    }

    pub(super) fn mutated_refunds(&self, kinds: BoxedStrategy<FaultKind>, how_many: std::ops::Range<usize>) -> PlanStrategy {
        let steps = self.lives(self.refund(), self.any_end(), 1, 2);
        self.all_or_one_view(self.with_faults(self.order(), steps, kinds, how_many))
    }

    /// The same, and now and then what befalls the events of a chargeback or of a dispute: they are read by code of their own.
    pub(super) fn or_withdrawn(
        &self,
        refunds: PlanStrategy,
        kinds: BoxedStrategy<FaultKind>,
        how_many: std::ops::Range<usize>,
    ) -> PlanStrategy {
        let withdrawn = if self.palette.chargebacks {
            self.chargeback()
        } else if self.palette.disputes {
            self.withdrawn()
        } else {
            return refunds;
        };
        prop_oneof![3 => refunds, 1 => self.with_faults(self.order(), withdrawn, kinds, how_many)].boxed()
    }

    /// Deliveries that are not authentic, before the event and now and then after it, when it is known.
    pub(super) fn unsigned(&self) -> PlanStrategy {
        let kinds = self.kinds(&[Group::Unsigned]);
        let known = self.mutated_refunds(self.mutation(&kinds, true), 1..4);
        let told = prop_oneof![3 => self.mutated(&kinds, 2..6), 1 => known].boxed();
        if self.palette.others == 0 {
            return told;
        }
        // Whoever handles a few types only may ask nothing of the others.
        let other = (any::<u8>(), 0..self.palette.others, vec(self.mutation(&kinds, false), 1..3));
        let steps = (self.lives(self.refund(), self.any_end(), 0, 1), other).prop_map(|(mut steps, (place, event, kinds))| {
            let faults = kinds.into_iter().map(|kind| Fault { event: 0, kind }).collect();
            steps.insert(usize::from(place) % (steps.len() + 1), Step { faults, ..Step::plain(Action::Other { event }) });
            steps
        });
        prop_oneof![7 => told, 1 => self.plan(self.order(), steps.boxed())].boxed()
    }

    /// The kinds of these groups that there are with the provider.
    pub(super) fn kinds(&self, groups: &[Group]) -> Vec<MutationKind> {
        MutationKind::of(groups).into_iter().filter(|kind| self.palette.has(*kind)).collect()
    }

    /// One of these, of those that there are with the provider.
    pub(super) fn mutation(&self, kinds: &[MutationKind], same_id: bool) -> BoxedStrategy<FaultKind> {
        let mut has: Vec<MutationKind> = kinds.iter().copied().filter(|kind| self.palette.has(*kind)).collect();
        if has.is_empty() {
            has = kinds.to_vec();
        }
        (prop::sample::select(has), any::<u16>(), 0_u8..3)
            .prop_map(move |(kind, pick, after)| FaultKind::Mutated { mutation: Mutation { kind, pick }, same_id, after })
            .boxed()
    }

    pub(super) fn unusual(&self) -> PlanStrategy {
        let steps = self.lives(self.refund(), self.any_end(), 1, 2);
        let written = (prop::sample::select(self.kinds(&[Group::Unusual])), any::<u16>())
            .prop_map(|(kind, pick)| FaultKind::Unusual { mutation: Mutation { kind, pick } });
        self.all_or_one_view(self.with_faults(self.order(), steps, written.boxed(), 2..6))
    }

    /// Signatures of other times than now. Where it is said how old one may be, those at the edges are sent too.
    pub(super) fn ages(&self) -> &'static [MutationKind] {
        use MutationKind::{AgeLimit, FutureTime, Stale};
        if self.palette.oldest_signature > 0 { &[Stale, Stale, FutureTime, AgeLimit] } else { &[Stale] }
    }

    /// Doubtful events before the true ones, or one of them instead of the true one.
    pub(super) fn doubtful(&self) -> PlanStrategy {
        // What was paid back is where most harm can be done, so most refunds get that far.
        let end = || prop_oneof![3 => self.success(), 1 => self.any_end()].boxed();
        let mut often = vec![
            MutationKind::OverCaptured,
            MutationKind::TextAmount,
            MutationKind::UnknownState,
            MutationKind::UnknownState,
            MutationKind::UnknownState,
            MutationKind::UnknownOrder,
            MutationKind::UnknownOrder,
            MutationKind::UnknownOrder,
            MutationKind::UnknownOrder,
            MutationKind::BooleanAmount,
            MutationKind::BadEventId,
        ];
        if self.palette.revocable {
            // The mistake of taking it for positive shows only in a running total.
            often.extend([MutationKind::NegativeAmount; 3]);
        }
        // A doubtful signature says nothing of how an event is read.
        let is_read = |kind: &MutationKind| !matches!(kind, MutationKind::FutureTime | MutationKind::AgeLimit);
        let doubtful = self.kinds(&[Group::Doubtful, Group::Unusual]).into_iter().filter(is_read).collect();
        let kinds = [doubtful, often].concat();
        let faults = vec((any::<u8>(), any::<u8>(), self.mutation(&kinds, false)), 3..7);
        let before = self.all_or_one_view(self.plan(self.order(), self.lives(self.often_open(self.refund()), end(), 1, 2)));
        let before = (before, faults).prop_map(|(plan, faults)| befall(plan, faults));
        // Several orders, because what is refused or ignored leaves nothing else to judge of an order.
        let line = (self.lives(self.often_open(self.refund()), end(), 1, 1), vec((any::<u8>(), self.mutation(&kinds, false)), 2)).prop_map(
            |(mut steps, faults)| {
                for (step, (event, kind)) in steps.iter_mut().rev().zip(faults) {
                    step.faults.extend([FaultKind::Omit, kind].map(|kind| Fault { event, kind }));
                }
                steps
            },
        );
        // Of the last order nothing is doubtful, so it must be exactly right.
        let lines = (vec(line, 2), self.lives(self.often_open(self.refund()), end(), 1, 1)).prop_map(|(mut lines, last)| {
            lines.push(last);
            lines
        });
        let instead = (vec(self.order(), 3), lines, any::<u32>()).prop_map(|(orders, lines, look)| {
            let of = |(order, steps): (usize, Vec<Step>)| {
                steps.into_iter().map(move |step| Step { order: u8::try_from(order).unwrap_or(0), ..step })
            };
            Plan { orders, steps: lines.into_iter().enumerate().flat_map(of).collect(), only: Vec::new(), look }
        });
        let instead = self.all_or_one_view(instead.boxed());
        // Where one event tells of one change, a doubtful event before the true one would be a second that tells of the same under
        // another id, which the provider does not send.
        if self.palette.charge_completion.is_empty() {
            return instead;
        }
        prop_oneof![1 => before, 2 => instead].boxed()
    }

    /// What was paid back is where a redelivery does harm, so most refunds get that far, and often little else is sent. Some
    /// orders become known only when events of them have come, which is a reason to refuse these.
    pub(super) fn redelivery(&self) -> PlanStrategy {
        let end = prop_oneof![5 => self.success(), 1 => self.any_end(), 2 => self.failure()].boxed();
        let plan = self.all_or_one_view(self.with_faults(self.order(), self.lives(self.refund(), end, 1, 3), refused(), 2..6));
        known_later(match self.reversal() {
            Some(reversal) => prop_oneof![3 => plan, 1 => self.with_faults(self.order(), reversal, refused(), 1..4)].boxed(),
            None => plan,
        })
    }

    pub(super) fn no_trace(&self) -> PlanStrategy {
        // An amount that is missing is found last, when something may have been stored already.
        let kinds = [self.kinds(&[Group::Malformed]), self.kinds(INVALID), self.kinds(INVALID), vec![MutationKind::NoAmount; 4]].concat();
        let end = prop_oneof![3 => self.success(), 1 => self.any_end()].boxed();
        let steps = self.lives(self.refund(), end, 1, 2);
        self.in_views(3, self.with_faults(self.order(), steps, self.mutation(&kinds, true), 2..6))
    }

    pub(super) fn restarts(&self) -> PlanStrategy {
        let killed = (0_u8..4, any::<u8>()).prop_map(|(after, patience)| FaultKind::KilledDuring { after, patience });
        let restart = prop_oneof![2 => Just(FaultKind::RestartAfter), 1 => killed].boxed();
        let lives = self.lives(self.any_refund(), self.any_end(), 1, 2);
        let steps = match self.reversal() {
            Some(reversal) => {
                let before = self.lives(self.part(), self.any_end(), 0, 1);
                let with_reversal = (before, reversal).prop_map(|(lives, reversal)| [lives, reversal].concat());
                prop_oneof![3 => lives, 2 => with_reversal].boxed()
            }
            None => lives,
        };
        let plan = known_later(self.with_faults(self.order(), steps, restart, 1..3));
        (plan, vec((any::<u8>(), any::<u8>(), again()), 1..4)).prop_map(|(plan, faults)| befall(plan, faults)).boxed()
    }

    /// Deliveries that are under way at the same time: events of one refund, of several refunds of one order, of several
    /// orders, and copies of one event. Parts of an order, so that nothing that is lost is hidden by what comes last.
    pub(super) fn concurrent(&self) -> PlanStrategy {
        let steps = || self.lives(self.part(), self.any_end(), 2, 3);
        let one = self.all_or_one_view(self.plan(self.order(), steps()));
        let groups = vec((any::<u8>(), any::<u8>(), (1_u8..8).prop_map(|with| FaultKind::Together { with })), 2..6);
        let copies = vec((any::<u8>(), any::<u8>(), Just(FaultKind::Again { after: 0 })), 0..4);
        let lates = vec((any::<u8>(), any::<u8>(), (1_u8..16).prop_map(|by| FaultKind::Late { by })), 0..4);
        (prop_oneof![3 => one, 1 => self.several_orders()], copies, lates, groups)
            .prop_map(|(plan, copies, lates, groups)| befall(plan, [copies, lates, groups].concat()))
            .boxed()
    }

    pub(super) fn malformed(&self) -> BoxedStrategy<FaultKind> {
        if self.palette.defects == 0 {
            return self.mutation(&self.kinds(&[Group::Malformed]), false);
        }
        let defect = (0..self.palette.defects).prop_map(|defect| FaultKind::DefectBefore { defect });
        prop_oneof![1 => defect, 1 => self.mutation(&self.kinds(&[Group::Malformed]), false)].boxed()
    }
}

/// Now and then orders become known only when some events of them have come.
fn known_later(plan: PlanStrategy) -> PlanStrategy {
    (plan, prop_oneof![1 => Just(0_u8), 1 => 1_u8..=8])
        .prop_map(|(mut plan, known_after)| {
            plan.orders.iter_mut().for_each(|order| order.known_after = known_after);
            plan
        })
        .boxed()
}

pub(super) fn late() -> BoxedStrategy<FaultKind> {
    prop_oneof![3 => 1_u8..4, 1 => 4_u8..60].prop_map(|by| FaultKind::Late { by }).boxed()
}

pub(super) fn again() -> BoxedStrategy<FaultKind> {
    prop_oneof![2 => Just(0_u8), 2 => 1_u8..5, 1 => 5_u8..120].prop_map(|after| FaultKind::Again { after }).boxed()
}

pub(super) fn refused() -> BoxedStrategy<FaultKind> {
    prop_oneof![
        (0_u8..6, any::<u8>()).prop_map(|(after, how)| FaultKind::AnswerLost { after, how }),
        (any::<u16>(), 0_u8..6).prop_map(|(at, after)| FaultKind::BrokenFirst { at, after }),
    ]
    .boxed()
}

pub(super) fn unknown() -> BoxedStrategy<FaultKind> {
    any::<u8>().prop_map(|name| FaultKind::UnknownBefore { name }).boxed()
}

/// Hangs faults on steps, modulo how many there are.
pub(super) fn befall(mut plan: Plan, faults: Vec<(u8, u8, FaultKind)>) -> Plan {
    let steps = plan.steps.len();
    for (step, event, kind) in faults {
        if let Some(step) = usize::from(step).checked_rem(steps) {
            plan.steps[step].faults.push(Fault { event, kind });
        }
    }
    plan
}
