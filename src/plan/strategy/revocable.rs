//! Plans for providers with which success can be taken back and disputes are objects that are won and lost.

use proptest::{
    collection::vec,
    prelude::*,
    strategy::{BoxedStrategy, Union},
};

use super::{
    Actions, Draw, PlanStrategy, Steps,
    faults::{befall, late},
    traffic::{fail, pick, weighted},
};
use crate::plan::step::{Action, DisputeMove, Fault, FaultKind, Opening, Pick, Plan, Step};

impl Draw<'_> {
    // ---- how refunds begin

    /// The same with every way for a refund to begin that the provider has.
    pub(super) fn opened(&self, ask: Actions) -> Actions {
        self.opened_by(ask, [4, 2, 1])
    }

    /// Refunds that are paid back at once, and now and then one that is not.
    pub(super) fn opened_plainly(&self, ask: Actions) -> Actions {
        self.opened_by(ask, [4, 1, 0])
    }

    fn opened_by(&self, ask: Actions, weights: [u32; 3]) -> Actions {
        if !self.palette.revocable {
            return ask;
        }
        let ways = [Opening::Succeeded, Opening::Pending, Opening::Information];
        let ways = weights.into_iter().zip(ways).filter(|(weight, _)| *weight > 0).map(|(weight, way)| (weight, Just(way).boxed()));
        (ask, Union::new_weighted(ways.collect())).prop_map(|(action, opens)| opening(action, opens)).boxed()
    }

    /// Refunds that stay open. A running total counts them too, so that they are told of by their own events alone.
    pub(super) fn open_refunds(&self) -> PlanStrategy {
        let plan = |ask: Actions| self.plan(self.order(), self.lives(ask, self.open_end(), 1, 2));
        if !self.palette.revocable {
            return plan(self.refund());
        }
        let own_events: Vec<String> = self.palette.views.iter().take(1).cloned().collect();
        let open = plan(self.opened_by(self.refund(), [0, 2, 1]));
        let all_events = prop_oneof![2 => Just(false), 1 => Just(true)];
        let waiting = open.prop_map(|mut plan| {
            // What is paid back and comes back waits as well, but is not what this is about.
            plan.steps.retain(|step| !matches!(step.action, Action::NeedInformation { .. }));
            plan
        });
        (waiting, all_events).prop_map(move |(plan, all)| if all { plan } else { Plan { only: own_events.clone(), ..plan } }).boxed()
    }

    /// Of two refunds one begins open, where they may begin otherwise: what is open can be misread in more ways.
    pub(super) fn often_open(&self, ask: Actions) -> Actions {
        if !self.palette.revocable {
            return ask;
        }
        (ask, any::<bool>()).prop_map(|(action, open)| if open { opening(action, Opening::Pending) } else { action }).boxed()
    }

    // ---- refunds

    fn paid_at_once(&self) -> Actions {
        self.part().prop_map(|action| opening(action, Opening::Succeeded)).boxed()
    }

    fn paid_now_or_later(&self) -> Steps {
        let at_once = self.paid_at_once().prop_map(|ask| vec![Step::plain(ask)]);
        let later = self.part().prop_map(|ask| {
            let success = Action::Succeed { refund: 0, paid: Pick::All };
            [opening(ask, Opening::Pending), success].map(Step::plain).to_vec()
        });
        prop_oneof![2 => at_once, 1 => later].boxed()
    }

    pub(super) fn running_totals(&self) -> PlanStrategy {
        let steps = || vec(self.paid_at_once(), 2..=4).prop_map(|asks| asks.into_iter().map(Step::plain).collect()).boxed();
        let alone = self.only(&self.palette.charge_completion, self.plain_order(), steps());
        prop_oneof![2 => alone, 1 => self.plan(self.order(), steps())].boxed()
    }

    pub(super) fn fails_after_success(&self) -> PlanStrategy {
        let before = vec(self.paid_now_or_later(), 0..=1);
        let steps = (before, self.paid_now_or_later(), fail()).prop_map(|(before, paid, fail)| {
            let fail = vec![Step::plain(fail)];
            [before.concat(), paid, fail].concat()
        });
        self.with_faults(self.order(), steps.boxed(), late(), 0..4)
    }

    /// The charge's event is the second of those that tell of a new refund.
    pub(super) fn total_after_failure(&self) -> PlanStrategy {
        let before = vec(self.paid_at_once(), 0..=1);
        let steps = (before, self.paid_at_once(), fail(), 4_u8..9).prop_map(|(before, ask, fail, by)| {
            let late = Fault { event: 1, kind: FaultKind::Late { by } };
            let paid = Step { faults: vec![late], ..Step::plain(ask) };
            before.into_iter().map(Step::plain).chain([paid, Step::plain(fail)]).collect()
        });
        self.plan(self.order(), steps.boxed())
    }

    pub(super) fn returned_by_bank(&self) -> PlanStrategy {
        let again = [Action::GiveInformation { refund: 0 }, Action::Succeed { refund: 0, paid: Pick::All }];
        let end = prop_oneof![
            1 => Just(Vec::new()),
            1 => Just(again.map(Step::plain).to_vec()),
            1 => fail().prop_map(|fail| vec![Step::plain(fail)]),
        ];
        let before = vec(self.paid_now_or_later(), 0..=1);
        let steps = (before, self.paid_now_or_later(), end).prop_map(|(before, paid, end)| {
            let returned = vec![Step::plain(Action::NeedInformation { refund: 0 })];
            [before.concat(), paid, returned, end].concat()
        });
        self.with_faults(self.order(), steps.boxed(), late(), 0..3)
    }

    /// A refund is made and paid back in one second, and its events come in any order.
    pub(super) fn same_second(&self) -> PlanStrategy {
        // The second event must not be dropped because it bears the first one's second, nor the first one undo it.
        let overtaken = prop_oneof![2 => Just(None), 1 => (1_u8..6).prop_map(Some)];
        let life = (self.part(), overtaken).prop_map(|(ask, overtaken)| {
            let late = overtaken.map(|by| Fault { event: 0, kind: FaultKind::Late { by } });
            let asked = Step { faults: late.into_iter().collect(), ..Step::plain(opening(ask, Opening::Pending)) };
            let success = Action::Succeed { refund: 0, paid: Pick::All };
            vec![asked, Step { tied: true, ..Step::plain(success) }]
        });
        let steps = vec(life, 1..=2).prop_map(|lives| lives.concat()).boxed();
        let own_events: Vec<String> = self.palette.views.iter().take(1).cloned().collect();
        let all = self.plan(self.order(), steps.clone());
        let own = self.plan(self.order(), steps).prop_map(move |plan| Plan { only: own_events.clone(), ..plan });
        (prop_oneof![1 => all, 1 => own], vec((any::<u8>(), any::<u8>(), late()), 0..3))
            .prop_map(|(plan, faults)| befall(plan, faults))
            .boxed()
    }

    /// One fact in two events: of each refund's first event, and of some others.
    pub(super) fn twins(&self) -> PlanStrategy {
        let lives = self.lives(self.opened_plainly(self.refund()), self.any_end(), 1, 3);
        let steps = (lives, vec(0_u8..6, 8)).prop_map(|(mut steps, afters)| {
            let mut afters = afters.into_iter().cycle();
            for step in steps.iter_mut().filter(|step| matches!(step.action, Action::Refund { .. })) {
                step.faults.extend(afters.next().map(|after| Fault { event: 0, kind: FaultKind::Twin { after } }));
            }
            steps
        });
        self.or_withdrawn(self.with_faults(self.order(), steps.boxed(), twin(), 1..5), twin(), 1..5)
    }

    /// Refunds that are paid back later, and whose first event already shows it.
    pub(super) fn newer_snapshots(&self) -> PlanStrategy {
        let life = (self.part(), 0_u8..4).prop_map(|(ask, after)| {
            let newer = Fault { event: 0, kind: FaultKind::Newer { after } };
            let asked = Step { faults: vec![newer], ..Step::plain(opening(ask, Opening::Pending)) };
            vec![asked, Step::plain(Action::Succeed { refund: 0, paid: Pick::All })]
        });
        let steps = vec(life, 1..=2).prop_map(|lives| lives.concat()).boxed();
        self.plan(self.plain_order(), steps)
    }

    // ---- disputes

    /// A dispute that takes money, at once or after an inquiry.
    pub(super) fn taking(&self) -> Steps {
        let escalated = |amount| vec![dispute(amount, true), moved(DisputeMove::Escalate)];
        prop_oneof![
            3 => pick().prop_map(|amount| vec![dispute(amount, false)]),
            1 => pick().prop_map(escalated),
            1 => over().prop_map(|over| vec![larger(over)]),
        ]
        .boxed()
    }

    /// A dispute that is stopped before it begins, for which the provider refunds the charge.
    fn prevented(&self) -> Steps {
        let stopped = |amount| Step::plain(Action::OpenDispute { amount, inquiry: false, over: 0, prevented: true });
        let refund = self.large().prop_map(|ask| Step::plain(opening(ask, Opening::Succeeded)));
        (pick(), prop::option::of(refund))
            .prop_map(move |(amount, refund)| std::iter::once(stopped(amount)).chain(refund).collect())
            .boxed()
    }

    fn answered(&self) -> Steps {
        (self.taking(), any::<bool>())
            .prop_map(|(taking, answers)| taking.into_iter().chain(answers.then(|| moved(DisputeMove::Answer))).collect())
            .boxed()
    }

    fn won(&self) -> Steps {
        let lost_first = prop_oneof![4 => Just(false), 1 => Just(true)];
        (self.answered(), lost_first)
            .prop_map(|(taking, lost_first)| {
                let lost = lost_first.then(|| moved(DisputeMove::Lose));
                taking.into_iter().chain(lost).chain([moved(DisputeMove::Win)]).collect()
            })
            .boxed()
    }

    /// A dispute that takes money, and may give it back.
    pub(super) fn withdrawn(&self) -> Steps {
        prop_oneof![2 => self.taking(), 1 => self.won()].boxed()
    }

    fn lost(&self) -> Steps {
        self.answered().prop_map(|taking| taking.into_iter().chain([moved(DisputeMove::Lose)]).collect()).boxed()
    }

    fn inquiry(&self) -> Steps {
        let goes_on = [
            vec![],
            vec![moved(DisputeMove::Answer)],
            vec![moved(DisputeMove::Answer), moved(DisputeMove::End)],
            vec![moved(DisputeMove::End)],
        ];
        (pick(), prop::sample::select(goes_on.to_vec()))
            .prop_map(|(amount, goes_on)| [vec![dispute(amount, true)], goes_on].concat())
            .boxed()
    }

    /// Plain refunds, the dispute, and events that come late or twice.
    fn about(&self, before: usize, steps: Steps) -> PlanStrategy {
        let lives = vec(self.paid_now_or_later(), 0..=before);
        let steps = (lives, steps).prop_map(|(lives, steps)| [lives.concat(), steps].concat()).boxed();
        let again = prop_oneof![late(), (0_u8..5).prop_map(|after| FaultKind::Again { after })];
        self.with_faults(self.order(), steps, again.boxed(), 0..3)
    }

    pub(super) fn dispute_withdraws(&self) -> PlanStrategy {
        self.about(1, self.taking())
    }

    pub(super) fn dispute_won(&self) -> PlanStrategy {
        self.about(1, self.won())
    }

    pub(super) fn dispute_lost(&self) -> PlanStrategy {
        self.about(1, self.lost())
    }

    pub(super) fn inquiries(&self) -> PlanStrategy {
        let refunds = vec(self.paid_now_or_later(), 0..=1);
        let moves_nothing = prop_oneof![3 => self.inquiry(), 1 => self.prevented()];
        let steps = (moves_nothing, refunds).prop_map(|(inquiry, refunds)| [inquiry, refunds.concat()].concat()).boxed();
        self.about(1, steps)
    }

    pub(super) fn several_disputes(&self) -> PlanStrategy {
        let part = (1_u64..400).prop_map(|units| vec![dispute(Pick::Units(units), false)]);
        let end = prop_oneof![
            2 => Just(Vec::new()),
            1 => (0_u8..3).prop_map(|which| vec![Step::plain(Action::MoveDispute { dispute: which, to: DisputeMove::Win })]),
            1 => (0_u8..3).prop_map(|which| vec![Step::plain(Action::MoveDispute { dispute: which, to: DisputeMove::Lose })]),
        ];
        self.about(0, (vec(part, 2..=3), end).prop_map(|(parts, end)| [parts.concat(), end].concat()).boxed())
    }

    pub(super) fn disputes_and_refunds(&self) -> PlanStrategy {
        let refunds = |least: usize| vec(self.paid_now_or_later(), least..=2).prop_map(|lives| lives.concat());
        let open = self.opened_by(self.part(), [0, 1, 1]).prop_map(|ask| vec![Step::plain(ask)]);
        let open = prop_oneof![2 => Just(Vec::new()), 1 => open];
        let dispute = prop_oneof![1 => self.taking(), 1 => self.won(), 1 => self.lost(), 1 => self.inquiry()];
        let after = self.lives(self.opened(self.part()), self.any_end(), 0, 1);
        let steps = (refunds(1), open, dispute, refunds(0), after)
            .prop_map(|(before, open, dispute, refunds, after)| [before, open, dispute, refunds, after].concat());
        self.plan(self.order(), steps.boxed())
    }

    /// What else may happen with such a provider, for mixed traffic.
    pub(super) fn dispute_actions(&self) -> Vec<(u32, Actions)> {
        let moves = [DisputeMove::Escalate, DisputeMove::Answer, DisputeMove::Win, DisputeMove::Lose, DisputeMove::End];
        let goes_on = (any::<u8>(), prop::sample::select(moves.to_vec())).prop_map(|(dispute, to)| Action::MoveDispute { dispute, to });
        let opens = (pick(), any::<bool>(), prop_oneof![3 => Just(0), 1 => over()], weighted(6))
            .prop_map(|(amount, inquiry, over, prevented)| Action::OpenDispute { amount, inquiry, over, prevented });
        vec![(1, opens.boxed()), (2, goes_on.boxed())]
    }
}

/// The same fact in two events.
fn twin() -> BoxedStrategy<FaultKind> {
    (0_u8..6).prop_map(|after| FaultKind::Twin { after }).boxed()
}

fn opening(action: Action, opens: Opening) -> Action {
    match action {
        Action::Refund { amount, level, joins, own, kind, .. } => Action::Refund { amount, level, joins, own, kind, opens },
        other => other,
    }
}

fn dispute(amount: Pick, inquiry: bool) -> Step {
    Step::plain(Action::OpenDispute { amount, inquiry, over: 0, prevented: false })
}

/// A dispute of more than was captured.
fn larger(over: u16) -> Step {
    Step::plain(Action::OpenDispute { amount: Pick::All, inquiry: false, over, prevented: false })
}

fn over() -> BoxedStrategy<u16> {
    (1_u16..2_000).boxed()
}

fn moved(to: DisputeMove) -> Step {
    Step::plain(Action::MoveDispute { dispute: 0, to })
}
