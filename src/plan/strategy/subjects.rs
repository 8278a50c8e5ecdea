//! The plans of each subject: what is exercised on top of otherwise plain traffic.

use proptest::{
    collection::vec,
    prelude::*,
    strategy::{BoxedStrategy, Union},
};

use super::{
    Actions, Draw, INVALID, Palette, PlanStrategy, Steps,
    faults::{again, befall, late, refused, unknown},
    traffic::{fail, fail_which, is_end, pick, refund},
};
use crate::plan::{
    mutation::{Group, MutationKind},
    step::{Action, Fault, FaultKind, Level, OrderPlan, Pick, Plan, Step},
};

impl Draw<'_> {
    pub(super) fn plan(&self, order: BoxedStrategy<OrderPlan>, steps: Steps) -> PlanStrategy {
        (order, steps, any::<u32>()).prop_map(|(order, steps, look)| Plan { orders: vec![order], steps, only: Vec::new(), look }).boxed()
    }

    pub(super) fn only(&self, kind: &str, order: BoxedStrategy<OrderPlan>, steps: Steps) -> PlanStrategy {
        let kind = kind.to_owned();
        self.plan(order, steps).prop_map(move |plan| Plan { only: vec![kind.clone()], ..plan }).boxed()
    }

    pub(super) fn with_faults(
        &self,
        order: BoxedStrategy<OrderPlan>,
        steps: Steps,
        kinds: BoxedStrategy<FaultKind>,
        how_many: std::ops::Range<usize>,
    ) -> PlanStrategy {
        (self.plan(order, steps), vec((any::<u8>(), any::<u8>(), kinds), how_many)).prop_map(|(plan, faults)| befall(plan, faults)).boxed()
    }

    /// The events that tell of one success in any order; what came before stays in order. Where there are such, some show more
    /// than had happened when they were created.
    pub(super) fn counted_once(&self) -> PlanStrategy {
        if self.palette.newer_snapshots {
            return prop_oneof![3 => self.all_of_one(), 1 => self.newer_snapshots()].boxed();
        }
        self.all_of_one()
    }

    fn all_of_one(&self) -> PlanStrategy {
        let steps = self.life(self.plain_refund(), self.success());
        let lates = vec((any::<u8>(), 1_u8..6), 0..4);
        let revocable = self.palette.revocable;
        (self.plan(self.plain_order(), steps), lates)
            .prop_map(move |(mut plan, lates)| {
                if revocable && let Some(first) = plan.steps.first_mut() {
                    // It may be paid back at once.
                    first.faults.extend(lates.iter().map(|&(event, by)| Fault { event, kind: FaultKind::Late { by } }));
                }
                if let Some(last) = plan.steps.last_mut() {
                    last.faults.extend(lates.into_iter().map(|(event, by)| Fault { event, kind: FaultKind::Late { by } }));
                }
                plan
            })
            .boxed()
    }

    pub(super) fn full_refund(&self) -> PlanStrategy {
        let last = prop_oneof![Just(vec![Pick::All]), Just(vec![Pick::AllBut(1)]), Just(vec![Pick::AllBut(1), Pick::All])];
        let steps = (self.lives(self.part(), self.success(), 0, 2), last).prop_map(|(mut steps, last)| {
            for amount in last {
                steps.push(Step::plain(refund(amount, Level::Order, false, false, 0)));
                steps.push(Step::plain(Action::Succeed { refund: 0, paid: Pick::All }));
            }
            steps
        });
        self.plan(self.plain_order(), steps.boxed())
    }

    /// With all events, or with the charges' own alone: the refunds hide what a charge gets wrong.
    pub(super) fn all_or_charges(&self, order: BoxedStrategy<OrderPlan>, steps: Steps) -> PlanStrategy {
        let all = self.plan(order.clone(), steps.clone());
        if self.palette.charge_completion.is_empty() {
            return all;
        }
        prop_oneof![1 => all, 1 => self.only(&self.palette.charge_completion, order, steps)].boxed()
    }

    /// With all events, or with only those of one view, which then stands alone.
    pub(super) fn all_or_one_view(&self, plan: PlanStrategy) -> PlanStrategy {
        self.in_views(1, plan)
    }

    /// The same, with one view so many times as often as with all events.
    pub(super) fn in_views(&self, views_to_one: u32, plan: PlanStrategy) -> PlanStrategy {
        let views: Vec<Vec<String>> = self.palette.views.iter().map(|view| vec![view.clone()]).collect();
        if views.is_empty() {
            return plan;
        }
        let only = prop_oneof![1 => Just(Vec::new()), views_to_one => prop::sample::select(views)];
        (plan, only).prop_map(|(plan, only)| Plan { only, ..plan }).boxed()
    }

    pub(super) fn failed_refunds(&self) -> PlanStrategy {
        let before = self.lives(self.part(), self.success(), 0, 2);
        let failed = self.lives(self.refund(), self.failure(), 1, 2);
        let after = self.lives(self.refund(), self.success(), 0, 1);
        self.plan(self.order(), (before, failed, after).prop_map(|(before, failed, after)| [before, failed, after].concat()).boxed())
    }

    pub(super) fn cancelled_refunds(&self) -> PlanStrategy {
        let before = self.lives(self.part(), self.success(), 0, 1);
        let cancelled = self.lives(self.refund(), self.cancellation(), 1, 2);
        let after = self.lives(self.refund(), self.success(), 0, 1);
        self.plan(
            self.order(),
            (before, cancelled, after).prop_map(|(before, cancelled, after)| [before, cancelled, after].concat()).boxed(),
        )
    }

    /// The states of refunds that have just been asked for, because there is no doubt that those are open.
    pub(super) fn unknown_states(&self) -> PlanStrategy {
        let steps = self.lives(self.plain_refund(), self.any_end(), 1, 3);
        (self.plan(self.order(), steps), vec(self.mutation(&[MutationKind::UnknownState], false), 1..4))
            .prop_map(|(mut plan, kinds)| {
                let asked = plan.steps.iter_mut().filter(|step| matches!(step.action, Action::Refund { .. }));
                for (step, kind) in asked.zip(kinds) {
                    step.faults.push(Fault { event: 1, kind });
                }
                plan
            })
            .boxed()
    }

    pub(super) fn two_addresses(&self) -> PlanStrategy {
        let steps = self.lives(self.refund(), self.any_end(), 1, 3);
        (self.plan(self.order(), steps), vec(0_u8..3, 4..8))
            .prop_map(|(mut plan, afters)| {
                let mut afters = afters.into_iter().cycle();
                for step in &mut plan.steps {
                    let family = if matches!(step.action, Action::Refund { .. }) { 2 } else { 1 };
                    let again = (0..family).zip(&mut afters).map(|(event, after)| Fault { event, kind: FaultKind::Again { after } });
                    step.faults.extend(again);
                }
                plan
            })
            .boxed()
    }

    pub(super) fn metadata(&self) -> PlanStrategy {
        let update = (any::<u8>(), any::<u8>());
        let steps = (self.lives(self.refund(), self.any_end(), 1, 2), vec(update, 1..4)).prop_map(|(mut steps, updates)| {
            for (place, refund) in updates {
                // Never before the first step: there must be a refund to change.
                let place = 1 + usize::from(place) % steps.len();
                steps.insert(place, Step::plain(Action::UpdateMetadata { refund }));
            }
            steps
        });
        self.with_faults(self.order(), steps.boxed(), late(), 0..3)
    }

    /// A chargeback, alone or with the dispute that it comes from. That ends before or after it: the order of the two is not
    /// documented, and the end of a dispute does not take a chargeback back.
    pub(super) fn chargeback(&self) -> Steps {
        (0_u8..5, pick(), any::<bool>())
            .prop_map(|(dispute, amount, fraud)| {
                let chargeback = Action::Chargeback { amount, fraud };
                let actions = match dispute {
                    0 | 1 => vec![chargeback],
                    2 => vec![Action::Dispute, chargeback],
                    3 => vec![Action::Dispute, chargeback, Action::ResolveDispute],
                    _ => vec![Action::Dispute, Action::ResolveDispute, chargeback],
                };
                actions.into_iter().map(Step::plain).collect()
            })
            .boxed()
    }

    /// A bank takes money back, where banks do.
    pub(super) fn reversal(&self) -> Option<Steps> {
        match self.palette {
            Palette { disputes: true, .. } => Some(self.taking()),
            Palette { chargebacks: true, .. } => Some(self.chargeback()),
            _ => None,
        }
    }

    /// Refunds that the shop made. Where answers come late, some of its refunds are told of before it knows of them.
    pub(super) fn own_refunds(&self) -> PlanStrategy {
        let plan = self.plan(self.order(), self.lives(self.own_refund(), self.any_end(), 1, 2));
        let late = prop_oneof![1 => Just(Vec::new()), 1 => vec(1_u8..8, 4)];
        (plan, late)
            .prop_map(|(mut plan, late)| {
                let own = plan.steps.iter_mut().filter(|step| matches!(step.action, Action::Refund { own: true, .. }));
                for (step, by) in own.zip(late) {
                    step.faults.push(Fault { event: 0, kind: FaultKind::AnswerLate { by } });
                }
                plan
            })
            .boxed()
    }

    pub(super) fn chargeback_alone(&self) -> PlanStrategy {
        // A part of an order may be charged back, and later the rest or a part of it.
        let second = (self.chargeback(), self.chargeback()).prop_map(|(first, second)| {
            let part = |step: Step| match step.action {
                Action::Chargeback { fraud, .. } => Step::plain(Action::Chargeback { amount: Pick::Units(400), fraud }),
                _ => step,
            };
            first.into_iter().map(part).chain(second).collect()
        });
        self.with_faults(self.order(), prop_oneof![3 => self.chargeback(), 1 => second].boxed(), again(), 0..2)
    }

    pub(super) fn chargeback_and_refunds(&self) -> PlanStrategy {
        let lives = || self.lives(self.part(), self.any_end(), 0, 2);
        let steps = (lives(), self.lives(self.part(), self.success(), 1, 1), self.chargeback(), lives())
            .prop_map(|(before, refund, chargeback, after)| [before, refund, chargeback, after].concat());
        let early = (self.chargeback(), self.lives(self.part(), self.success(), 1, 2)).prop_map(|(chargeback, after)| {
            let chargeback = chargeback.into_iter().map(|step| match step.action {
                // Something must be left to refund.
                Action::Chargeback { fraud, .. } => Step::plain(Action::Chargeback { amount: Pick::Units(5), fraud }),
                _ => step,
            });
            chargeback.chain(after).collect()
        });
        self.plan(self.order(), prop_oneof![2 => steps, 1 => early].boxed())
    }

    pub(super) fn disputes(&self) -> PlanStrategy {
        let dispute = prop_oneof![Just(vec![Action::Dispute]), Just(vec![Action::Dispute, Action::ResolveDispute])]
            .prop_map(|actions| actions.into_iter().map(Step::plain).collect::<Vec<_>>());
        let lives = || self.lives(self.part(), self.any_end(), 0, 2);
        let steps = (lives(), dispute, lives()).prop_map(|(before, dispute, after)| [before, dispute, after].concat());
        self.plan(self.order(), steps.boxed())
    }

    /// A consumer that does nothing at all must not get through, so in half of the cases the refunds are told of as well.
    pub(super) fn sales(&self) -> PlanStrategy {
        let alone = self.only(&self.palette.booking, self.order(), self.sold());
        prop_oneof![1 => alone, 1 => self.plan(self.order(), self.sold())].boxed()
    }

    fn sold(&self) -> Steps {
        let refunds = self.lives(self.part(), self.success(), 1, 2);
        if !self.palette.chargebacks {
            return refunds;
        }
        (refunds, vec(self.chargeback(), 0..2)).prop_map(|(refunds, chargebacks)| [refunds, chargebacks.concat()].concat()).boxed()
    }

    pub(super) fn late_events(&self) -> PlanStrategy {
        let end = prop_oneof![2 => self.success(), 1 => self.failure()].boxed();
        let steps = self.lives(self.refund(), end, 1, 2);
        (self.plan(self.order(), steps), vec((any::<u8>(), 4_u8..40), 2..7))
            .prop_map(|(mut plan, lates)| {
                let early: Vec<usize> = (0..plan.steps.len()).filter(|&step| !is_end(&plan.steps[step].action)).collect();
                for (number, (event, by)) in lates.into_iter().enumerate() {
                    let step = early[number % early.len()];
                    plan.steps[step].faults.push(Fault { event, kind: FaultKind::Late { by } });
                }
                plan
            })
            .boxed()
    }

    pub(super) fn several_orders(&self) -> PlanStrategy {
        let lives = || self.lives(self.refund(), self.any_end(), 1, 2);
        let orders = vec(self.order(), 2..=3);
        (orders, lives(), lives(), vec((any::<u8>(), any::<u8>(), late()), 0..4), any::<u32>(), any::<u64>())
            .prop_map(|(orders, one, other, faults, look, mut turns)| {
                let mut lines = [one.into_iter().peekable(), other.into_iter().peekable()];
                let mut steps = Vec::new();
                while lines.iter_mut().any(|line| line.peek().is_some()) {
                    let turn = usize::from(turns & 1 == 1);
                    turns = turns.rotate_right(1);
                    let turn = if lines[turn].peek().is_some() { turn } else { 1 - turn };
                    steps.extend(lines[turn].next().map(|step| Step { order: u8::try_from(turn).unwrap_or(0), ..step }));
                }
                befall(Plan { orders, steps, only: Vec::new(), look }, faults)
            })
            .boxed()
    }

    pub(super) fn other_events(&self) -> PlanStrategy {
        let others = vec((any::<u8>(), 0..self.palette.others.max(1)), 3..12);
        let steps = (self.lives(self.refund(), self.any_end(), 0, 2), others).prop_map(|(mut steps, others)| {
            for (place, event) in others {
                let place = usize::from(place) % (steps.len() + 1);
                steps.insert(place, Step::plain(Action::Other { event }));
            }
            steps
        });
        self.plan(self.order(), steps.boxed())
    }

    fn any_action(&self) -> Actions {
        let palette = self.palette;
        let which = any::<u8>;
        let mut actions: Vec<(u32, Actions)> = vec![
            (8, self.any_refund()),
            (6, (which(), pick()).prop_map(|(refund, paid)| Action::Succeed { refund, paid }).boxed()),
            (2, which().prop_map(|refund| Action::Succeed { refund, paid: Pick::All }).boxed()),
            (3, (which(), fail()).prop_map(|(refund, action)| fail_which(action, refund)).boxed()),
        ];
        if palette.information {
            actions.push((2, which().prop_map(|refund| Action::NeedInformation { refund }).boxed()));
            actions.push((2, which().prop_map(|refund| Action::GiveInformation { refund }).boxed()));
        }
        if palette.cancellation {
            actions.push((1, which().prop_map(|refund| Action::Cancel { refund }).boxed()));
        }
        if palette.chargebacks {
            actions.push((1, (pick(), any::<bool>()).prop_map(|(amount, fraud)| Action::Chargeback { amount, fraud }).boxed()));
            actions.push((1, Just(Action::Dispute).boxed()));
            actions.push((1, Just(Action::ResolveDispute).boxed()));
        }
        if palette.disputes {
            actions.extend(self.dispute_actions());
        }
        if palette.metadata {
            actions.push((1, which().prop_map(|refund| Action::UpdateMetadata { refund }).boxed()));
        }
        if palette.others > 0 {
            actions.push((2, (0..palette.others).prop_map(|event| Action::Other { event }).boxed()));
        }
        Union::new_weighted(actions).boxed()
    }

    pub(super) fn mixed(&self) -> PlanStrategy {
        let palette = self.palette;
        let step = (0_u8..3, self.any_action()).prop_map(|(order, action)| Step { order, ..Step::plain(action) });
        let kinds = prop_oneof![
            6 => late(),
            6 => again(),
            4 => refused(),
            2 => unknown(),
            2 => self.broken(),
            2 => self.mutation(&self.kinds(&[Group::Equivalent]), false),
            1 => self.mutation(&self.kinds(INVALID), true),
            1 => self.mutation(&self.kinds(&[Group::Unsigned]), false),
        ]
        .boxed();
        let orders = vec(prop_oneof![3 => self.order(), 1 => self.exact_order()], 1..=3);
        // Where fewer events tell of what happens, more must happen before they get in each other's way.
        let (length, how_many) = if palette.charges { (2..12, 0..6) } else { (6..18, 4..16) };
        let faults = vec((any::<u8>(), any::<u8>(), kinds), how_many);
        (orders, vec(step, length), faults, any::<u32>())
            .prop_map(|(orders, steps, faults, look)| befall(Plan { orders, steps, only: Vec::new(), look }, faults))
            .boxed()
    }
}
