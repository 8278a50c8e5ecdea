//! Recipes: how plans are drawn for each requirement.
//!
//! A recipe exercises one thing on top of otherwise plain traffic; [`Recipe::MixedTraffic`] mixes all of
//! them. They are proptest strategies, so whatever is drawn can be shrunk. They are built once for a
//! run: rebuilding them for each case would cost half the speed.

use proptest::{
    collection::vec,
    prelude::*,
    strategy::{BoxedStrategy, Union},
};
use serde::{Deserialize, Serialize};

use super::mutation::{Group, Mutation, MutationKind};
use super::step::{Action, FailureShape, Fault, FaultKind, Level, OrderPlan, Pick, Plan, Step};

/// A strategy that draws plans.
pub type PlanStrategy = BoxedStrategy<Plan>;

/// What plans for a provider may hold. The default is a provider that has refunds of whole orders and nothing else; it
/// still needs a completion event and at least one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    /// An order may be paid with several charges, and charges show their refunds.
    pub charges: bool,
    /// Refunds may be of items.
    pub items: bool,
    /// Refunds may wait for information.
    pub information: bool,
    /// A refund may pay back less than was asked for.
    pub pays_less: bool,
    /// Open refunds may be withdrawn.
    pub cancellation: bool,
    /// There are disputes and chargebacks.
    pub chargebacks: bool,
    /// Refunds have metadata whose change is told.
    pub metadata: bool,
    /// The shop can make refunds itself.
    pub own: bool,
    /// Amounts are written as decimals, with more or fewer zeros at their end.
    pub decimals: bool,
    /// Times are written with more or fewer fraction digits.
    pub varying_times: bool,
    /// A signature says when it was made.
    pub dated_signatures: bool,
    /// While a secret is being replaced there is a signature for each.
    pub several_secrets: bool,
    /// The event type that tells that a refund was paid back.
    pub refund_completion: String,
    /// The event type that tells the same of a charge; empty where there is none.
    pub charge_completion: String,
    /// The event type that books sales, refunds and chargebacks; empty where there is none.
    pub booking: String,
    /// Patterns of event types that tell of the same money in one way; where only they are sent, nothing hides what a
    /// target gets wrong in them.
    pub views: Vec<String>,
    /// How many currencies there are to choose from. The first has hundredths.
    pub currencies: u8,
    /// How many of those that follow the first have a minor unit that is not a hundredth.
    pub odd_currencies: u8,
    /// How many event types are only traffic.
    pub others: u16,
    /// How many documented examples are broken.
    pub defects: u8,
}

macro_rules! recipes {
    ($($(#[$doc:meta])+ $recipe:ident $name:literal,)+) => {
        /// What a requirement draws. The names stand in `requirements.toml`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Recipe {
            $($(#[$doc])+ #[serde(rename = $name)] $recipe,)+
        }

        impl Recipe {
            /// Every recipe.
            pub const ALL: &[Recipe] = &[$(Recipe::$recipe,)+];

            /// Its name in `requirements.toml`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Recipe::$recipe => $name,)+
                }
            }
        }
    };
}

recipes! {
    /// Refunds that succeed; of their events only the charge-level completion is sent.
    ChargeRefundComplete "charge-refund-complete",
    /// Refunds that succeed; of their events only the refund-level completion is sent.
    RefundComplete "refund-complete",
    /// Refunds that succeed, with all their events in any order.
    CountedOnce "counted-once",
    /// Several partial refunds, aggregated or not.
    PartialRefunds "partial-refunds",
    /// Refunds down to the last minor unit, or all but it.
    FullRefund "full-refund",
    /// Refunds of which less is paid than was asked for.
    PaidLess "paid-less",
    /// Refunds of items.
    ItemRefunds "item-refunds",
    /// Orders paid with several charges.
    SeveralCharges "several-charges",
    /// Every currency, and amounts from one minor unit to 10^12 major units.
    ExactAmounts "exact-amounts",
    /// Refunds that stay open.
    OpenRefunds "open-refunds",
    /// Refunds that fail, before and after others that succeed.
    FailedRefunds "failed-refunds",
    /// Refunds that the shop made itself.
    OwnRefunds "own-refunds",
    /// Changes of metadata.
    Metadata "metadata",
    /// A chargeback on an order without refunds.
    Chargeback "chargeback",
    /// Chargebacks before, between and after refunds.
    ChargebackAndRefunds "chargeback-and-refunds",
    /// Disputes without a chargeback.
    Disputes "disputes",
    /// Sales transactions, alone or among the other events of an order's refunds.
    SalesTransactions "sales-transactions",
    /// The same event again.
    Duplicates "duplicates",
    /// Events in any order.
    OutOfOrder "out-of-order",
    /// Older events after final ones.
    LateEvents "late-events",
    /// Redelivery after a lost answer or a refused delivery.
    Redelivery "redelivery",
    /// Several orders at once.
    SeveralOrders "several-orders",
    /// Several deliveries at the same time.
    Concurrent "concurrent",
    /// The target is killed between deliveries.
    Restarts "restarts",
    /// Plain traffic.
    Plain "plain",
    /// Event types that nobody has heard of.
    UnknownEvents "unknown-events",
    /// Event types that have nothing to do with refunds.
    OtherEvents "other-events",
    /// Bodies that are not JSON.
    Malformed "malformed",
    /// Valid events after bodies that are not JSON.
    Recovery "recovery",
    /// Members that nobody has heard of.
    UnknownMembers "unknown-members",
    /// The same JSON in other words.
    EquivalentJson "equivalent-json",
    /// JSON that no provider writes, and that means the same.
    UnusualJson "unusual-json",
    /// JSON that is no such event.
    InvalidEvents "invalid-events",
    /// Everything that must be rejected.
    Rejections "rejections",
    /// What must be rejected, and then the event that it was made from, with the same id.
    NoTrace "no-trace",
    /// Doubtful events.
    Doubtful "doubtful",
    /// Deliveries without a valid signature.
    Unsigned "unsigned",
    /// Deliveries that show whether the raw body is what is verified.
    RawBody "raw-body",
    /// Two signatures, while a secret is being replaced.
    RotatedSecret "rotated-secret",
    /// Deliveries that were signed long ago.
    Replayed "replayed",
    /// Everything.
    MixedTraffic "mixed-traffic",
    /// Orders in currencies whose minor unit is not a hundredth.
    OtherMinorUnits "other-minor-units",
    /// Refunds that say another amount beside the one that counts.
    OtherAmounts "other-amounts",
    /// Open refunds in a state that nobody has heard of.
    UnknownStates "unknown-states",
    /// Refunds that are withdrawn.
    CancelledRefunds "cancelled-refunds",
    /// Every event twice, as if two addresses were registered for it.
    TwoAddresses "two-addresses",
}

/// The strategy of a recipe for a provider.
pub fn for_recipe(recipe: Recipe, palette: &Palette) -> PlanStrategy {
    let draw = Draw { palette };
    match recipe {
        Recipe::ChargeRefundComplete => {
            draw.only(&palette.charge_completion, draw.plain_order(), draw.life(draw.plain_refund(), draw.success()))
        }
        Recipe::RefundComplete => draw.only(&palette.refund_completion, draw.plain_order(), draw.life(draw.plain_refund(), draw.success())),
        Recipe::CountedOnce => draw.counted_once(),
        Recipe::PartialRefunds => draw.all_or_charges(draw.plain_order(), draw.lives(draw.part(), draw.success(), 2, 4)),
        Recipe::FullRefund => draw.full_refund(),
        Recipe::PaidLess => draw.plan(draw.plain_order(), draw.lives(draw.plain_refund(), draw.paid_less(), 1, 2)),
        Recipe::ItemRefunds => {
            draw.plan(draw.order_with(1..=1), draw.lives(draw.refund_at(Just(Level::Items).boxed()), draw.success(), 1, 2))
        }
        Recipe::SeveralCharges => draw.all_or_charges(draw.order_with(2..=3), draw.lives(draw.large(), draw.success(), 1, 2)),
        Recipe::ExactAmounts => draw.plan(draw.exact_order(), draw.lives(draw.refund(), draw.success(), 1, 4)),
        Recipe::OpenRefunds => draw.plan(draw.order(), draw.lives(draw.refund(), draw.open_end(), 1, 2)),
        Recipe::FailedRefunds => draw.failed_refunds(),
        Recipe::OwnRefunds => draw.plan(draw.order(), draw.lives(draw.own_refund(), draw.any_end(), 1, 2)),
        Recipe::Metadata => draw.metadata(),
        Recipe::Chargeback => draw.chargeback_alone(),
        Recipe::ChargebackAndRefunds => draw.chargeback_and_refunds(),
        Recipe::Disputes => draw.disputes(),
        Recipe::SalesTransactions => draw.sales(),
        Recipe::Duplicates => draw.with_faults(draw.order(), draw.lives(draw.refund(), draw.any_end(), 1, 3), again(), 1..5),
        Recipe::OutOfOrder => draw.with_faults(draw.order(), draw.lives(draw.refund(), draw.any_end(), 1, 3), late(), 2..10),
        Recipe::LateEvents => draw.late_events(),
        Recipe::Redelivery => draw.redelivery(),
        Recipe::SeveralOrders => draw.several_orders(),
        Recipe::Concurrent => draw.concurrent(),
        Recipe::Plain => draw.plan(draw.order(), draw.lives(draw.refund(), draw.any_end(), 1, 3)),
        Recipe::UnknownEvents => draw.with_faults(draw.order(), draw.lives(draw.refund(), draw.any_end(), 1, 2), unknown(), 1..4),
        Recipe::OtherEvents => draw.other_events(),
        Recipe::Malformed => draw.with_faults(draw.order(), draw.lives(draw.refund(), draw.any_end(), 1, 2), draw.malformed(), 1..4),
        Recipe::Recovery => draw.with_faults(draw.order(), draw.lives(draw.refund(), draw.any_end(), 1, 3), draw.broken(), 1..3),
        Recipe::UnknownMembers => draw.mutated(&[MutationKind::AddMember], 1..6),
        Recipe::EquivalentJson => draw.mutated(&draw.kinds(&[Group::Equivalent]), 2..8),
        Recipe::UnusualJson => draw.unusual(),
        Recipe::InvalidEvents => draw.mutated(&draw.kinds(INVALID), 2..6),
        Recipe::Rejections => draw.mutated(&draw.kinds(&[Group::Malformed, Group::NoEvent, Group::Incomplete]), 2..6),
        Recipe::NoTrace => draw.no_trace(),
        Recipe::Restarts => draw.restarts(),
        Recipe::Doubtful => draw.doubtful(),
        Recipe::Unsigned => draw.mutated(&draw.kinds(&[Group::Unsigned]), 2..6),
        Recipe::RawBody => draw.mutated(MutationKind::RAW_BODY, 2..6),
        Recipe::RotatedSecret => draw.mutated(&[MutationKind::RotatedSecret], 2..6),
        Recipe::Replayed => draw.mutated(&[MutationKind::Stale], 2..6),
        Recipe::MixedTraffic => draw.mixed(),
        Recipe::OtherMinorUnits => {
            draw.plan(draw.order_in(1..=palette.odd_currencies.max(1)), draw.lives(draw.refund(), draw.success(), 1, 3))
        }
        Recipe::OtherAmounts => draw.plan(draw.order(), draw.lives(draw.noted_refund(), draw.success(), 1, 3)),
        Recipe::UnknownStates => draw.unknown_states(),
        Recipe::CancelledRefunds => draw.cancelled_refunds(),
        Recipe::TwoAddresses => draw.two_addresses(),
    }
}

/// JSON that is no usable event.
const INVALID: &[Group] = &[Group::NoEvent, Group::Incomplete];

type Steps = BoxedStrategy<Vec<Step>>;
type Actions = BoxedStrategy<Action>;

struct Draw<'a> {
    palette: &'a Palette,
}

impl Draw<'_> {
    // ---- orders

    /// One charge, one item, a currency with cents.
    fn plain_order(&self) -> BoxedStrategy<OrderPlan> {
        (1_000_u64..100_000).prop_map(|captured| order_plan((0, captured, 1, 1))).boxed()
    }

    fn order(&self) -> BoxedStrategy<OrderPlan> {
        self.order_with(1..=3)
    }

    fn order_with(&self, charges: std::ops::RangeInclusive<u8>) -> BoxedStrategy<OrderPlan> {
        let charges = if self.palette.charges { charges } else { 1..=1 };
        (0..self.palette.currencies, 10_u64..100_000, charges, 1_u8..=3).prop_map(order_plan).boxed()
    }

    fn order_in(&self, currencies: std::ops::RangeInclusive<u8>) -> BoxedStrategy<OrderPlan> {
        (currencies, 10_u64..100_000).prop_map(|(currency, captured)| order_plan((currency, captured, 1, 1))).boxed()
    }

    fn exact_order(&self) -> BoxedStrategy<OrderPlan> {
        let captured = prop_oneof![
            2 => 1_u64..=3,
            3 => 100_u64..100_000,
            2 => 1_000_000_000_u64..=1_000_000_000_000_000,
            1 => Just(1_000_000_000_000_000_u64),
        ];
        let charges = if self.palette.charges { 1_u8..=3 } else { 1..=1 };
        (0..self.palette.currencies, captured, charges, 1_u8..=3).prop_map(order_plan).boxed()
    }

    // ---- asking for a refund

    /// All or a part of the order, and never by accident all but a little.
    fn plain_refund(&self) -> Actions {
        let amount = prop_oneof![1 => Just(Pick::All), 2 => (1_u64..900).prop_map(Pick::Units)];
        amount.prop_map(|amount| refund(amount, Level::Order, false, false, 0)).boxed()
    }

    fn refund(&self) -> Actions {
        self.refund_at(self.level())
    }

    fn level(&self) -> BoxedStrategy<Level> {
        if self.palette.items { prop_oneof![3 => Just(Level::Order), 1 => Just(Level::Items)].boxed() } else { Just(Level::Order).boxed() }
    }

    fn refund_at(&self, level: BoxedStrategy<Level>) -> Actions {
        let level = if self.palette.items { level } else { Just(Level::Order).boxed() };
        (pick(), level, weighted(5), 0_u8..8).prop_map(|(amount, level, joins, kind)| refund(amount, level, joins, false, kind)).boxed()
    }

    fn part(&self) -> Actions {
        (1_u64..900, weighted(3), 0_u8..8)
            .prop_map(|(units, joins, kind)| refund(Pick::Units(units), Level::Order, joins, false, kind))
            .boxed()
    }

    fn large(&self) -> Actions {
        let amount = prop_oneof![Just(Pick::All), (1_u64..5).prop_map(Pick::AllBut)];
        (amount, 0_u8..8).prop_map(|(amount, kind)| refund(amount, Level::Order, false, false, kind)).boxed()
    }

    /// With more said of it than its amount.
    fn noted_refund(&self) -> Actions {
        (pick(), 1_u8..7).prop_map(|(amount, kind)| refund(amount, Level::Order, false, false, kind)).boxed()
    }

    fn own_refund(&self) -> Actions {
        (pick(), self.level(), weighted(6), 0_u8..8)
            .prop_map(|(amount, level, joins, kind)| refund(amount, level, joins, true, kind))
            .boxed()
    }

    fn any_refund(&self) -> Actions {
        if self.palette.own { prop_oneof![3 => self.refund(), 1 => self.own_refund()].boxed() } else { self.refund() }
    }

    // ---- how a refund goes on

    fn loops(&self) -> Steps {
        if !self.palette.information {
            return Just(Vec::new()).boxed();
        }
        let one = [Action::NeedInformation { refund: 0 }, Action::GiveInformation { refund: 0 }].map(Step::plain);
        prop_oneof![3 => Just(0_usize), 2 => Just(1), 1 => Just(2)].prop_map(move |times| vec![one.to_vec(); times].concat()).boxed()
    }

    fn success(&self) -> Steps {
        self.loops().prop_map(|loops| then(loops, Action::Succeed { refund: 0, paid: Pick::All })).boxed()
    }

    fn paid_less(&self) -> Steps {
        let paid = prop_oneof![(1_u64..1_000).prop_map(Pick::AllBut), (1_u64..50).prop_map(Pick::Units)];
        (self.loops(), paid).prop_map(|(loops, paid)| then(loops, Action::Succeed { refund: 0, paid })).boxed()
    }

    fn failure(&self) -> Steps {
        (self.loops(), fail()).prop_map(|(loops, fail)| then(loops, fail)).boxed()
    }

    fn cancellation(&self) -> Steps {
        self.loops().prop_map(|loops| then(loops, Action::Cancel { refund: 0 })).boxed()
    }

    fn open_end(&self) -> Steps {
        let waits = if self.palette.information { 1 } else { 0 };
        let end = Union::new_weighted(
            vec![(1, Just(Vec::new()).boxed()), (waits, Just(vec![Action::NeedInformation { refund: 0 }]).boxed())]
                .into_iter()
                .filter(|(weight, _)| *weight > 0)
                .collect(),
        );
        (self.loops(), end).prop_map(|(loops, end)| end.into_iter().fold(loops, then)).boxed()
    }

    fn any_end(&self) -> Steps {
        let less = if self.palette.pays_less { self.paid_less() } else { self.open_end() };
        prop_oneof![4 => self.success(), 2 => self.failure(), 1 => less, 1 => self.open_end()].boxed()
    }

    fn lives(&self, ask: Actions, go_on: Steps, least: usize, most: usize) -> Steps {
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

    /// One refund and nothing beside it.
    fn life(&self, ask: Actions, go_on: Steps) -> Steps {
        (ask, go_on).prop_map(|(ask, go_on)| [vec![Step::plain(ask)], go_on].concat()).boxed()
    }

    // ---- faults

    fn defect(&self) -> BoxedStrategy<FaultKind> {
        let broken = (any::<u16>(), 0_u8..3).prop_map(|(at, after)| FaultKind::BrokenFirst { at, after });
        if self.palette.defects == 0 {
            return broken.boxed();
        }
        (0..self.palette.defects).prop_map(|defect| FaultKind::DefectBefore { defect }).boxed()
    }

    fn broken(&self) -> BoxedStrategy<FaultKind> {
        let broken = (any::<u16>(), 0_u8..3).prop_map(|(at, after)| FaultKind::BrokenFirst { at, after });
        prop_oneof![self.defect(), broken].boxed()
    }

    fn mutated(&self, kinds: &[MutationKind], how_many: std::ops::Range<usize>) -> PlanStrategy {
        let steps = self.lives(self.refund(), self.any_end(), 1, 2);
        self.all_or_one_view(self.with_faults(self.order(), steps, self.mutation(kinds, false), how_many))
    }

    /// The kinds of these groups that there are with the provider.
    fn kinds(&self, groups: &[Group]) -> Vec<MutationKind> {
        MutationKind::of(groups).into_iter().filter(|kind| self.palette.has(*kind)).collect()
    }

    /// One of these, of those that there are with the provider.
    fn mutation(&self, kinds: &[MutationKind], same_id: bool) -> BoxedStrategy<FaultKind> {
        let mut has: Vec<MutationKind> = kinds.iter().copied().filter(|kind| self.palette.has(*kind)).collect();
        if has.is_empty() {
            has = kinds.to_vec();
        }
        (prop::sample::select(has), any::<u16>(), 0_u8..3)
            .prop_map(move |(kind, pick, after)| FaultKind::Mutated { mutation: Mutation { kind, pick }, same_id, after })
            .boxed()
    }

    fn unusual(&self) -> PlanStrategy {
        let steps = self.lives(self.refund(), self.any_end(), 1, 2);
        let written = (prop::sample::select(self.kinds(&[Group::Unusual])), any::<u16>())
            .prop_map(|(kind, pick)| FaultKind::Unusual { mutation: Mutation { kind, pick } });
        self.all_or_one_view(self.with_faults(self.order(), steps, written.boxed(), 2..6))
    }

    /// Doubtful events before the true ones, or one of them instead of the true one.
    fn doubtful(&self) -> PlanStrategy {
        // What was paid back is where most harm can be done, so most refunds get that far.
        let end = || prop_oneof![3 => self.success(), 1 => self.any_end()].boxed();
        let often = vec![
            MutationKind::OverCaptured,
            MutationKind::TextAmount,
            MutationKind::UnknownState,
            MutationKind::UnknownState,
            MutationKind::UnknownState,
            MutationKind::UnknownOrder,
            MutationKind::UnknownOrder,
            MutationKind::BooleanAmount,
            MutationKind::BadEventId,
        ];
        let kinds = [self.kinds(&[Group::Doubtful, Group::Unusual]), often].concat();
        let faults = vec((any::<u8>(), any::<u8>(), self.mutation(&kinds, false)), 3..7);
        let before = self.all_or_one_view(self.plan(self.order(), self.lives(self.refund(), end(), 1, 2)));
        let before = (before, faults).prop_map(|(plan, faults)| befall(plan, faults));
        // Several orders, because what is refused or ignored leaves nothing else to judge of an order.
        let line = (self.lives(self.refund(), end(), 1, 1), vec((any::<u8>(), self.mutation(&kinds, false)), 2)).prop_map(
            |(mut steps, faults)| {
                for (step, (event, kind)) in steps.iter_mut().rev().zip(faults) {
                    step.faults.extend([FaultKind::Omit, kind].map(|kind| Fault { event, kind }));
                }
                steps
            },
        );
        // Of the last order nothing is doubtful, so it must be exactly right.
        let lines = (vec(line, 2), self.lives(self.refund(), end(), 1, 1)).prop_map(|(mut lines, last)| {
            lines.push(last);
            lines
        });
        let instead = (vec(self.order(), 3), lines, any::<u32>()).prop_map(|(orders, lines, look)| {
            let of = |(order, steps): (usize, Vec<Step>)| {
                steps.into_iter().map(move |step| Step { order: u8::try_from(order).unwrap_or(0), ..step })
            };
            Plan { orders, steps: lines.into_iter().enumerate().flat_map(of).collect(), only: Vec::new(), look }
        });
        prop_oneof![1 => before, 2 => self.all_or_one_view(instead.boxed())].boxed()
    }

    /// What was paid back is where a redelivery does harm, so most refunds get that far, and often little else is sent.
    fn redelivery(&self) -> PlanStrategy {
        let end = prop_oneof![3 => self.success(), 1 => self.any_end()].boxed();
        self.all_or_one_view(self.with_faults(self.order(), self.lives(self.refund(), end, 1, 3), refused(), 2..6))
    }

    fn no_trace(&self) -> PlanStrategy {
        // An amount that is missing is found last, when something may have been stored already.
        let kinds = [self.kinds(&[Group::Malformed]), self.kinds(INVALID), self.kinds(INVALID), vec![MutationKind::NoAmount; 4]].concat();
        let end = prop_oneof![3 => self.success(), 1 => self.any_end()].boxed();
        let steps = self.lives(self.refund(), end, 1, 2);
        self.in_views(3, self.with_faults(self.order(), steps, self.mutation(&kinds, true), 2..6))
    }

    fn restarts(&self) -> PlanStrategy {
        let killed = (0_u8..4, any::<u8>()).prop_map(|(after, patience)| FaultKind::KilledDuring { after, patience });
        let restart = prop_oneof![2 => Just(FaultKind::RestartAfter), 1 => killed].boxed();
        let plan = self.with_faults(self.order(), self.lives(self.any_refund(), self.any_end(), 1, 2), restart, 1..3);
        (plan, vec((any::<u8>(), any::<u8>(), again()), 1..4)).prop_map(|(plan, faults)| befall(plan, faults)).boxed()
    }

    /// Deliveries that are under way at the same time: events of one refund, of several refunds of one order, of several
    /// orders, and copies of one event. Parts of an order, so that nothing that is lost is hidden by what comes last.
    fn concurrent(&self) -> PlanStrategy {
        let steps = || self.lives(self.part(), self.any_end(), 2, 3);
        let one = self.all_or_one_view(self.plan(self.order(), steps()));
        let groups = vec((any::<u8>(), any::<u8>(), (1_u8..8).prop_map(|with| FaultKind::Together { with })), 2..6);
        let copies = vec((any::<u8>(), any::<u8>(), Just(FaultKind::Again { after: 0 })), 0..4);
        let lates = vec((any::<u8>(), any::<u8>(), (1_u8..16).prop_map(|by| FaultKind::Late { by })), 0..4);
        (prop_oneof![3 => one, 1 => self.several_orders()], copies, lates, groups)
            .prop_map(|(plan, copies, lates, groups)| befall(plan, [copies, lates, groups].concat()))
            .boxed()
    }

    fn malformed(&self) -> BoxedStrategy<FaultKind> {
        if self.palette.defects == 0 {
            return self.mutation(&self.kinds(&[Group::Malformed]), false);
        }
        let defect = (0..self.palette.defects).prop_map(|defect| FaultKind::DefectBefore { defect });
        prop_oneof![1 => defect, 1 => self.mutation(&self.kinds(&[Group::Malformed]), false)].boxed()
    }

    // ---- plans

    fn plan(&self, order: BoxedStrategy<OrderPlan>, steps: Steps) -> PlanStrategy {
        (order, steps, any::<u32>()).prop_map(|(order, steps, look)| Plan { orders: vec![order], steps, only: Vec::new(), look }).boxed()
    }

    fn only(&self, kind: &str, order: BoxedStrategy<OrderPlan>, steps: Steps) -> PlanStrategy {
        let kind = kind.to_owned();
        self.plan(order, steps).prop_map(move |plan| Plan { only: vec![kind.clone()], ..plan }).boxed()
    }

    fn with_faults(
        &self,
        order: BoxedStrategy<OrderPlan>,
        steps: Steps,
        kinds: BoxedStrategy<FaultKind>,
        how_many: std::ops::Range<usize>,
    ) -> PlanStrategy {
        (self.plan(order, steps), vec((any::<u8>(), any::<u8>(), kinds), how_many)).prop_map(|(plan, faults)| befall(plan, faults)).boxed()
    }

    /// The events that tell of one success in any order; what came before stays in order.
    fn counted_once(&self) -> PlanStrategy {
        let steps = self.life(self.plain_refund(), self.success());
        let lates = vec((any::<u8>(), 1_u8..6), 0..4);
        (self.plan(self.plain_order(), steps), lates)
            .prop_map(|(mut plan, lates)| {
                if let Some(last) = plan.steps.last_mut() {
                    last.faults.extend(lates.into_iter().map(|(event, by)| Fault { event, kind: FaultKind::Late { by } }));
                }
                plan
            })
            .boxed()
    }

    fn full_refund(&self) -> PlanStrategy {
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
    fn all_or_charges(&self, order: BoxedStrategy<OrderPlan>, steps: Steps) -> PlanStrategy {
        let all = self.plan(order.clone(), steps.clone());
        if self.palette.charge_completion.is_empty() {
            return all;
        }
        prop_oneof![1 => all, 1 => self.only(&self.palette.charge_completion, order, steps)].boxed()
    }

    /// With all events, or with only those of one view, which then stands alone.
    fn all_or_one_view(&self, plan: PlanStrategy) -> PlanStrategy {
        self.in_views(1, plan)
    }

    /// The same, with one view so many times as often as with all events.
    fn in_views(&self, views_to_one: u32, plan: PlanStrategy) -> PlanStrategy {
        let views: Vec<Vec<String>> = self.palette.views.iter().map(|view| vec![view.clone()]).collect();
        if views.is_empty() {
            return plan;
        }
        let only = prop_oneof![1 => Just(Vec::new()), views_to_one => prop::sample::select(views)];
        (plan, only).prop_map(|(plan, only)| Plan { only, ..plan }).boxed()
    }

    fn failed_refunds(&self) -> PlanStrategy {
        let before = self.lives(self.part(), self.success(), 0, 2);
        let failed = self.lives(self.refund(), self.failure(), 1, 2);
        let after = self.lives(self.refund(), self.success(), 0, 1);
        self.plan(self.order(), (before, failed, after).prop_map(|(before, failed, after)| [before, failed, after].concat()).boxed())
    }

    fn cancelled_refunds(&self) -> PlanStrategy {
        let before = self.lives(self.part(), self.success(), 0, 1);
        let cancelled = self.lives(self.refund(), self.cancellation(), 1, 2);
        let after = self.lives(self.refund(), self.success(), 0, 1);
        self.plan(
            self.order(),
            (before, cancelled, after).prop_map(|(before, cancelled, after)| [before, cancelled, after].concat()).boxed(),
        )
    }

    /// The states of refunds that have just been asked for, because there is no doubt that those are open.
    fn unknown_states(&self) -> PlanStrategy {
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

    fn two_addresses(&self) -> PlanStrategy {
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

    fn metadata(&self) -> PlanStrategy {
        let update = (any::<u8>(), any::<u8>());
        let steps = (self.lives(self.refund(), self.any_end(), 1, 2), vec(update, 1..4)).prop_map(|(mut steps, updates)| {
            for (place, refund) in updates {
                // Never before the first step: there must be a refund to change.
                let place = 1 + usize::from(place) % steps.len();
                steps.insert(place, Step::plain(Action::UpdateMetadata { refund }));
            }
            steps
        });
        (self.plan(self.order(), steps.boxed()), vec((any::<u8>(), any::<u8>(), late()), 0..3))
            .prop_map(|(plan, faults)| befall(plan, faults))
            .boxed()
    }

    fn chargeback(&self) -> Steps {
        (weighted(2), pick(), any::<bool>())
            .prop_map(|(dispute, amount, fraud)| {
                let dispute = dispute.then_some(Action::Dispute);
                dispute.into_iter().chain([Action::Chargeback { amount, fraud }]).map(Step::plain).collect()
            })
            .boxed()
    }

    fn chargeback_alone(&self) -> PlanStrategy {
        self.plan(self.order(), self.chargeback())
    }

    fn chargeback_and_refunds(&self) -> PlanStrategy {
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

    fn disputes(&self) -> PlanStrategy {
        let dispute = prop_oneof![Just(vec![Action::Dispute]), Just(vec![Action::Dispute, Action::ResolveDispute])]
            .prop_map(|actions| actions.into_iter().map(Step::plain).collect::<Vec<_>>());
        let lives = || self.lives(self.part(), self.any_end(), 0, 2);
        let steps = (lives(), dispute, lives()).prop_map(|(before, dispute, after)| [before, dispute, after].concat());
        self.plan(self.order(), steps.boxed())
    }

    /// A consumer that does nothing at all must not get through, so in half of the cases the refunds are told of as well.
    fn sales(&self) -> PlanStrategy {
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

    fn late_events(&self) -> PlanStrategy {
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

    fn several_orders(&self) -> PlanStrategy {
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

    fn other_events(&self) -> PlanStrategy {
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
        if palette.metadata {
            actions.push((1, which().prop_map(|refund| Action::UpdateMetadata { refund }).boxed()));
        }
        if palette.others > 0 {
            actions.push((2, (0..palette.others).prop_map(|event| Action::Other { event }).boxed()));
        }
        Union::new_weighted(actions).boxed()
    }

    fn mixed(&self) -> PlanStrategy {
        let palette = self.palette;
        let step = (0_u8..3, self.any_action()).prop_map(|(order, action)| Step { order, action, faults: Vec::new() });
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

fn order_plan((currency, captured, charges, items): (u8, u64, u8, u8)) -> OrderPlan {
    OrderPlan { currency, captured, charges, items }
}

fn refund(amount: Pick, level: Level, joins: bool, own: bool, kind: u8) -> Action {
    Action::Refund { amount, level, joins, own, kind }
}

fn then(mut steps: Vec<Step>, action: Action) -> Vec<Step> {
    steps.push(Step::plain(action));
    steps
}

fn joining(action: Action, joins: bool) -> Action {
    match action {
        Action::Refund { amount, level, own, kind, .. } => Action::Refund { amount, level, joins, own, kind },
        other => other,
    }
}

fn is_end(action: &Action) -> bool {
    matches!(action, Action::Succeed { .. } | Action::Fail { .. })
}

fn fail_which(action: Action, which: u8) -> Action {
    match action {
        Action::Fail { reason, shape, .. } => Action::Fail { refund: which, reason, shape },
        other => other,
    }
}

/// True one time in so many.
fn weighted(one_in: u32) -> BoxedStrategy<bool> {
    prop_oneof![one_in - 1 => Just(false), 1 => Just(true)].boxed()
}

fn pick() -> BoxedStrategy<Pick> {
    prop_oneof![2 => Just(Pick::All), 4 => (1_u64..20_000).prop_map(Pick::Units), 2 => (1_u64..20).prop_map(Pick::AllBut)].boxed()
}

fn fail() -> Actions {
    (any::<bool>(), weighted(4))
        .prop_map(|(reason, order)| {
            let shape = if order { FailureShape::Order } else { FailureShape::Charge };
            Action::Fail { refund: 0, reason, shape }
        })
        .boxed()
}

fn late() -> BoxedStrategy<FaultKind> {
    prop_oneof![3 => 1_u8..4, 1 => 4_u8..60].prop_map(|by| FaultKind::Late { by }).boxed()
}

fn again() -> BoxedStrategy<FaultKind> {
    prop_oneof![2 => Just(0_u8), 2 => 1_u8..5, 1 => 5_u8..120].prop_map(|after| FaultKind::Again { after }).boxed()
}

fn refused() -> BoxedStrategy<FaultKind> {
    prop_oneof![
        (0_u8..6, any::<u8>()).prop_map(|(after, how)| FaultKind::AnswerLost { after, how }),
        (any::<u16>(), 0_u8..6).prop_map(|(at, after)| FaultKind::BrokenFirst { at, after }),
    ]
    .boxed()
}

fn unknown() -> BoxedStrategy<FaultKind> {
    any::<u8>().prop_map(|name| FaultKind::UnknownBefore { name }).boxed()
}

/// Hangs faults on steps, modulo how many there are.
fn befall(mut plan: Plan, faults: Vec<(u8, u8, FaultKind)>) -> Plan {
    let steps = plan.steps.len();
    for (step, event, kind) in faults {
        if steps > 0 {
            plan.steps[usize::from(step) % steps].faults.push(Fault { event, kind });
        }
    }
    plan
}
