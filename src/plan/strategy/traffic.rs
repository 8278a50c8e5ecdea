//! Orders, and what becomes of their refunds.

use proptest::{
    collection::vec,
    prelude::*,
    strategy::{BoxedStrategy, Union},
};

use super::{Actions, Draw, Steps};
use crate::plan::{
    extra::Extra,
    step::{Action, FailureShape, Level, Opening, OrderPlan, Pick, Step},
};

/// A few of the smallest unit.
const FEW: u64 = 3;

impl Draw<'_> {
    // ---- orders

    /// One charge, one item, a currency with cents.
    pub(super) fn plain_order(&self) -> BoxedStrategy<OrderPlan> {
        self.varied((1_000_u64..100_000).prop_map(|captured| order_plan((0, captured, 1, 1))).boxed())
    }

    pub(super) fn order(&self) -> BoxedStrategy<OrderPlan> {
        self.order_with(1..=3)
    }

    pub(super) fn order_with(&self, charges: std::ops::RangeInclusive<u8>) -> BoxedStrategy<OrderPlan> {
        let charges = if self.palette.charges { charges } else { 1..=1 };
        self.varied((0..self.palette.currencies, 10_u64..100_000, charges, 1_u8..=3).prop_map(order_plan).boxed())
    }

    /// The same orders, some of them with what real orders have besides.
    fn varied(&self, orders: BoxedStrategy<OrderPlan>) -> BoxedStrategy<OrderPlan> {
        if !self.palette.varied {
            return orders;
        }
        // What befalls orders after they were drawn is not drawn.
        let has: Vec<Extra> = self.palette.extras.iter().copied().filter(|extra| *extra != Extra::Withheld).collect();
        let some = (1..=has.len().min(2)).prop_flat_map(move |count| prop::sample::subsequence(has.clone(), count));
        let extras =
            if self.palette.extras.is_empty() { Just(Vec::new()).boxed() } else { prop_oneof![2 => Just(Vec::new()), 1 => some].boxed() };
        let moment = prop_oneof![3 => Just(0_u8), 1 => any::<u8>()];
        (orders, extras, moment).prop_map(|(order, extras, moment)| OrderPlan { extras, moment, ..order }).boxed()
    }

    /// Orders most of which were made when summer time begins or ends, where orders vary at all: whoever is wrong about times is
    /// wrong about their order then.
    pub(super) fn order_at_edges(&self) -> BoxedStrategy<OrderPlan> {
        if !self.palette.varied {
            return self.order();
        }
        let moment = prop_oneof![1 => Just(0_u8), 3 => 1_u8..=2];
        (self.order(), moment).prop_map(|(order, moment)| OrderPlan { moment, ..order }).boxed()
    }

    /// Chooses type and reason of a refund.
    fn kind(&self) -> BoxedStrategy<u8> {
        if self.palette.varied { prop_oneof![3 => 0_u8..8, 1 => any::<u8>()].boxed() } else { (0_u8..8).boxed() }
    }

    pub(super) fn order_in(&self, currencies: std::ops::RangeInclusive<u8>) -> BoxedStrategy<OrderPlan> {
        self.varied((currencies, 10_u64..100_000).prop_map(|(currency, captured)| order_plan((currency, captured, 1, 1))).boxed())
    }

    pub(super) fn exact_order(&self) -> BoxedStrategy<OrderPlan> {
        let captured = prop_oneof![
            2 => 1_u64..=FEW,
            3 => 100_u64..100_000,
            2 => 1_000_000_000_u64..=1_000_000_000_000_000,
            1 => Just(1_000_000_000_000_000_u64),
        ];
        let charges = if self.palette.charges { 1_u8..=3 } else { 1..=1 };
        let orders = (0..self.palette.currencies, captured, charges, 1_u8..=3);
        let (usual, rare) = (self.palette.currencies, self.palette.rare_currencies);
        if rare == 0 {
            return self.varied(orders.prop_map(order_plan).boxed());
        }
        // In what unit an amount is shows with any of them; what else goes wrong with amounts shows with the usual ones.
        let in_rare = |(order, rare)| {
            let order = order_plan(order);
            if order.captured <= FEW || order.captured < 100_000 && !order.captured.is_multiple_of(4) {
                OrderPlan { currency: rare, ..order }
            } else {
                order
            }
        };
        self.varied((orders, usual..usual.saturating_add(rare)).prop_map(in_rare).boxed())
    }

    // ---- asking for a refund

    /// All or a part of the order, and never by accident all but a little.
    pub(super) fn plain_refund(&self) -> Actions {
        let amount = prop_oneof![1 => Just(Pick::All), 2 => (1_u64..900).prop_map(Pick::Units)];
        self.opened_plainly(amount.prop_map(|amount| refund(amount, Level::Order, false, false, 0)).boxed())
    }

    pub(super) fn refund(&self) -> Actions {
        self.refund_at(self.level())
    }

    pub(super) fn level(&self) -> BoxedStrategy<Level> {
        if self.palette.items { prop_oneof![3 => Just(Level::Order), 1 => Just(Level::Items)].boxed() } else { Just(Level::Order).boxed() }
    }

    pub(super) fn refund_at(&self, level: BoxedStrategy<Level>) -> Actions {
        let level = if self.palette.items { level } else { Just(Level::Order).boxed() };
        let ask =
            (pick(), level, weighted(5), self.kind()).prop_map(|(amount, level, joins, kind)| refund(amount, level, joins, false, kind));
        self.opened(ask.boxed())
    }

    pub(super) fn part(&self) -> Actions {
        let ask = (1_u64..900, weighted(3), self.kind())
            .prop_map(|(units, joins, kind)| refund(Pick::Units(units), Level::Order, joins, false, kind));
        self.opened(ask.boxed())
    }

    pub(super) fn large(&self) -> Actions {
        let amount = prop_oneof![Just(Pick::All), (1_u64..5).prop_map(Pick::AllBut)];
        (amount, self.kind()).prop_map(|(amount, kind)| refund(amount, Level::Order, false, false, kind)).boxed()
    }

    /// With more said of it than its amount.
    pub(super) fn noted_refund(&self) -> Actions {
        (pick(), 1_u8..7).prop_map(|(amount, kind)| refund(amount, Level::Order, false, false, kind)).boxed()
    }

    pub(super) fn own_refund(&self) -> Actions {
        let ask = (pick(), self.level(), weighted(6), self.kind())
            .prop_map(|(amount, level, joins, kind)| refund(amount, level, joins, true, kind));
        self.opened(ask.boxed())
    }

    /// The same of parts of an order.
    pub(super) fn own_part(&self) -> Actions {
        let own = |action| match action {
            Action::Refund { amount, level, joins, kind, opens, .. } => Action::Refund { amount, level, joins, own: true, kind, opens },
            other => other,
        };
        self.opened(self.part()).prop_map(own).boxed()
    }

    pub(super) fn any_refund(&self) -> Actions {
        if self.palette.own { prop_oneof![3 => self.refund(), 1 => self.own_refund()].boxed() } else { self.refund() }
    }

    // ---- how a refund goes on

    fn loops(&self) -> Steps {
        // What can be returned by the bank waits in plans of its own.
        if !self.palette.information || self.palette.revocable {
            return Just(Vec::new()).boxed();
        }
        let one = [Action::NeedInformation { refund: 0 }, Action::GiveInformation { refund: 0 }].map(Step::plain);
        prop_oneof![3 => Just(0_usize), 2 => Just(1), 1 => Just(2)].prop_map(move |times| vec![one.to_vec(); times].concat()).boxed()
    }

    pub(super) fn success(&self) -> Steps {
        let waited = if self.palette.revocable { vec![Step::plain(Action::GiveInformation { refund: 0 })] } else { Vec::new() };
        let success = move |loops: Vec<Step>| then([loops, waited.clone()].concat(), Action::Succeed { refund: 0, paid: Pick::All });
        self.loops().prop_map(success).boxed()
    }

    pub(super) fn paid_less(&self) -> Steps {
        let paid = prop_oneof![(1_u64..1_000).prop_map(Pick::AllBut), (1_u64..50).prop_map(Pick::Units)];
        (self.loops(), paid).prop_map(|(loops, paid)| then(loops, Action::Succeed { refund: 0, paid })).boxed()
    }

    pub(super) fn failure(&self) -> Steps {
        (self.loops(), fail()).prop_map(|(loops, fail)| then(loops, fail)).boxed()
    }

    pub(super) fn cancellation(&self) -> Steps {
        self.loops().prop_map(|loops| then(loops, Action::Cancel { refund: 0 })).boxed()
    }

    pub(super) fn open_end(&self) -> Steps {
        let waits = if self.palette.information { 1 } else { 0 };
        let end = Union::new_weighted(
            vec![(1, Just(Vec::new()).boxed()), (waits, Just(vec![Action::NeedInformation { refund: 0 }]).boxed())]
                .into_iter()
                .filter(|(weight, _)| *weight > 0)
                .collect(),
        );
        (self.loops(), end).prop_map(|(loops, end)| end.into_iter().fold(loops, then)).boxed()
    }

    pub(super) fn any_end(&self) -> Steps {
        let less = if self.palette.pays_less { self.paid_less() } else { self.open_end() };
        prop_oneof![4 => self.success(), 2 => self.failure(), 1 => less, 1 => self.open_end()].boxed()
    }

    pub(super) fn lives(&self, ask: Actions, go_on: Steps, least: usize, most: usize) -> Steps {
        // Now and then a second refund is asked for before the first one ends, and may share its charge refunds.
        let second = prop_oneof![2 => Just(None), 1 => (ask.clone(), any::<bool>(), go_on.clone()).prop_map(Some)];
        let life = (ask, second, go_on).prop_map(|(ask, second, go_on)| {
            let mut steps = vec![Step::plain(ask)];
            let mut later = Vec::new();
            if let Some((second, together, its_own)) = second {
                steps.push(Step::plain(joining(second, together)));
                later = its_own;
            }
            [steps, go_on, later].concat()
        });
        vec(life, least..=most).prop_map(|lives| lives.concat()).boxed()
    }

    /// Several refunds of parts. Where they vary, some are of one amount, and now and then there are more of them than fit on
    /// a page.
    pub(super) fn partial_refunds(&self) -> Steps {
        let some = self.lives(self.part(), self.success(), 2, 4);
        if !self.palette.varied {
            return some;
        }
        let equal = (self.part(), vec(self.success(), 2..=3)).prop_map(|(ask, ends)| repeated(&ask, ends));
        let small = (1_u64..60).prop_map(|units| refund(Pick::Units(units), Level::Order, false, false, 0));
        let many = vec((small, self.success()), 11..=13)
            .prop_map(|lives| lives.into_iter().flat_map(|(ask, end)| [vec![Step::plain(ask)], end].concat()).collect());
        prop_oneof![5 => some, 2 => equal, 1 => many].boxed()
    }

    /// One refund and nothing beside it.
    pub(super) fn life(&self, ask: Actions, go_on: Steps) -> Steps {
        (ask, go_on).prop_map(|(ask, go_on)| [vec![Step::plain(ask)], go_on].concat()).boxed()
    }

    // ---- faults
}

/// The same refund again and again, each asked for when the one before has ended.
fn repeated(ask: &Action, ends: Vec<Vec<Step>>) -> Vec<Step> {
    let life = |end: Vec<Step>| [vec![Step::plain(joining(ask.clone(), false))], end].concat();
    ends.into_iter().flat_map(life).collect()
}

fn order_plan((currency, captured, charges, items): (u8, u64, u8, u8)) -> OrderPlan {
    OrderPlan { currency, captured, charges, items, ..OrderPlan::default() }
}

pub(super) fn refund(amount: Pick, level: Level, joins: bool, own: bool, kind: u8) -> Action {
    Action::Refund { amount, level, joins, own, kind, opens: Opening::Pending }
}

pub(super) fn then(mut steps: Vec<Step>, action: Action) -> Vec<Step> {
    steps.push(Step::plain(action));
    steps
}

fn joining(action: Action, joins: bool) -> Action {
    match action {
        Action::Refund { amount, level, own, kind, opens, .. } => Action::Refund { amount, level, joins, own, kind, opens },
        other => other,
    }
}

pub(super) fn is_end(action: &Action) -> bool {
    matches!(action, Action::Succeed { .. } | Action::Fail { .. })
}

pub(super) fn pick() -> BoxedStrategy<Pick> {
    prop_oneof![2 => Just(Pick::All), 4 => (1_u64..20_000).prop_map(Pick::Units), 2 => (1_u64..20).prop_map(Pick::AllBut)].boxed()
}

pub(super) fn fail() -> Actions {
    (any::<bool>(), weighted(4))
        .prop_map(|(reason, order)| {
            let shape = if order { FailureShape::Order } else { FailureShape::Charge };
            Action::Fail { refund: 0, reason, shape }
        })
        .boxed()
}

/// True one time in so many.
pub(super) fn weighted(one_in: u32) -> BoxedStrategy<bool> {
    prop_oneof![one_in - 1 => Just(false), 1 => Just(true)].boxed()
}

pub(super) fn fail_which(action: Action, which: u8) -> Action {
    match action {
        Action::Fail { reason, shape, .. } => Action::Fail { refund: which, reason, shape },
        other => other,
    }
}
