//! Recipes: how plans are drawn for each requirement.
//!
//! A recipe exercises one thing on top of otherwise plain traffic; [`Recipe::MixedTraffic`] mixes all of
//! them. They are proptest strategies, so whatever is drawn can be shrunk. They are built once for a
//! run: rebuilding them for each case would cost half the speed.

mod afterwards;
mod api;
mod bookings;
mod endings;
mod faults;
mod gaps;
mod hours;
mod revocable;
mod subjects;
mod traffic;
mod trouble;

use proptest::{prelude::*, strategy::BoxedStrategy};
use serde::{Deserialize, Serialize};

pub use afterwards::Afterwards;
use faults::{again, late, unknown};

use super::{
    extra::Extra,
    mutation::{Group, MutationKind},
    step::{Action, Level, Plan, Step},
};

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
    /// What was paid back may still fail or be returned, and a refund may begin in any state.
    pub revocable: bool,
    /// Disputes are objects of their own that are opened, won and lost.
    pub disputes: bool,
    /// The payment of an order has an id by which events name it, and so has its charge.
    pub payments: bool,
    /// One fact may come in two events with two ids.
    pub twins: bool,
    /// An event may show a later state than that in which it was created.
    pub newer_snapshots: bool,
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
    /// Signatures are written in base64, so that the case of their letters counts.
    pub signatures_in_base64: bool,
    /// A signature says of which scheme it is, and others than the one that counts may stand beside it.
    pub several_schemes: bool,
    /// Whether orders and refunds vary as real ones do: texts of all kinds, times at the edges of days and of summer time, equal
    /// amounts, many refunds.
    pub varied: bool,
    /// What an order may have that a plain one has not.
    pub extras: Vec<Extra>,
    /// How many seconds old a signature may be by the provider's own libraries; zero where nobody says.
    pub oldest_signature: u16,
    /// For how many hours at least an event is sent again that was not acknowledged.
    pub sends_again_for: u8,
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
    /// How many further currencies there are, of which only amounts are drawn.
    pub rare_currencies: u8,
    /// How many event types are only traffic.
    pub others: u16,
    /// How many further types of bookings there are that stand for no refund and no chargeback. As actions they follow the event
    /// types that are only traffic.
    pub further_bookings: u16,
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
    /// Several signatures of which one is right: while a secret is being replaced, or of several schemes.
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
    /// Several refunds of one charge, whose events tell its running total.
    RunningTotals "running-totals",
    /// Refunds that fail after they were paid back.
    FailsAfterSuccess "fails-after-success",
    /// Running totals that arrive after the refund that they count has failed.
    TotalAfterFailure "total-after-failure",
    /// Refunds that the bank sends back, and that wait for the shopper again.
    ReturnedByBank "returned-by-bank",
    /// Disputes that take money.
    DisputeWithdraws "dispute-withdraws",
    /// Disputes that are won, some after they were lost.
    DisputeWon "dispute-won",
    /// Disputes that are lost.
    DisputeLost "dispute-lost",
    /// Inquiries, in which no money moves.
    Inquiries "inquiries",
    /// Several disputes about one order.
    SeveralDisputes "several-disputes",
    /// Disputes before, between and after refunds.
    DisputesAndRefunds "disputes-and-refunds",
    /// A refund that is made and paid back in one second.
    SameSecond "same-second",
    /// One fact in two events with two ids.
    Twins "twins",
    /// What is fetched may be later than what is told.
    FetchedState "fetched-state",
    /// Events of the shop's own refunds that arrive before the request that makes them is answered.
    WebhookBeforeAnswer "webhook-before-answer",
    /// The provider's API fails while an event is handled.
    ApiFailure "api-failure",
    /// Refunds as an older API version tells of them.
    OlderVersion "older-version",
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
        Recipe::PartialRefunds => draw.all_or_charges(draw.plain_order(), draw.partial_refunds()),
        Recipe::FullRefund => draw.full_refund(),
        Recipe::PaidLess => draw.plan(draw.plain_order(), draw.lives(draw.plain_refund(), draw.paid_less(), 1, 2)),
        Recipe::ItemRefunds => {
            draw.plan(draw.order_with(1..=1), draw.lives(draw.refund_at(Just(Level::Items).boxed()), draw.success(), 1, 2))
        }
        Recipe::SeveralCharges => draw.all_or_charges(draw.order_with(2..=3), draw.lives(draw.large(), draw.success(), 1, 2)),
        Recipe::ExactAmounts => draw.plan(draw.exact_order(), draw.lives(draw.refund(), draw.success(), 1, 4)),
        Recipe::OpenRefunds => draw.open_refunds(),
        Recipe::FailedRefunds => draw.failed_refunds(),
        Recipe::OwnRefunds => draw.own_refunds(),
        Recipe::Metadata => draw.metadata(),
        Recipe::Chargeback => draw.chargeback_alone(),
        Recipe::ChargebackAndRefunds => draw.chargeback_and_refunds(),
        Recipe::Disputes => draw.disputes(),
        Recipe::SalesTransactions => draw.sales(),
        Recipe::Duplicates => draw.with_faults(draw.order(), draw.lives(draw.refund(), draw.any_end(), 1, 3), again(), 1..5),
        Recipe::OutOfOrder => {
            // Times that vary put few pairs of events where their text misleads, so there are more of them.
            let (least, most) = if palette.varied { (2, 4) } else { (1, 3) };
            draw.with_faults(draw.order_at_edges(), draw.lives(draw.refund(), draw.any_end(), least, most), late(), 2..10)
        }
        Recipe::LateEvents => draw.late_events(),
        Recipe::Redelivery => draw.redelivery(),
        Recipe::SeveralOrders => draw.several_orders(),
        Recipe::Concurrent => draw.concurrent(),
        Recipe::Plain => draw.plan(draw.order(), draw.lives(draw.refund(), draw.any_end(), 1, 3)),
        Recipe::UnknownEvents => draw.with_faults(draw.order(), draw.lives(draw.refund(), draw.any_end(), 1, 2), unknown(), 1..4),
        Recipe::OtherEvents => draw.other_events(),
        Recipe::Malformed => {
            let refunds = draw.with_faults(draw.order(), draw.lives(draw.refund(), draw.any_end(), 1, 2), draw.malformed(), 1..4);
            draw.or_withdrawn(refunds, draw.malformed(), 1..4)
        }
        Recipe::Recovery => draw.with_faults(draw.order(), draw.lives(draw.refund(), draw.any_end(), 1, 3), draw.broken(), 1..3),
        // Of refunds alone: what is added where nobody looks says nothing.
        Recipe::UnknownMembers => draw.mutated_refunds(draw.mutation(&[MutationKind::AddMember], false), 1..6),
        Recipe::EquivalentJson => draw.mutated(&draw.kinds(&[Group::Equivalent]), 2..8),
        Recipe::UnusualJson => draw.unusual(),
        Recipe::InvalidEvents => draw.mutated(&draw.kinds(INVALID), 2..6),
        Recipe::Rejections => draw.mutated(&draw.kinds(&[Group::Malformed, Group::NoEvent, Group::Incomplete]), 2..6),
        Recipe::NoTrace => draw.no_trace(),
        Recipe::Restarts => draw.restarts(),
        Recipe::Doubtful => draw.doubtful(),
        Recipe::Unsigned => draw.unsigned(),
        Recipe::RawBody => draw.mutated(MutationKind::RAW_BODY, 2..6),
        Recipe::RotatedSecret => draw.mutated(&draw.kinds(&[Group::Rotation]), 2..6),
        Recipe::Replayed => draw.mutated(draw.ages(), 2..6),
        Recipe::MixedTraffic => draw.mixed(),
        Recipe::OtherMinorUnits => {
            draw.plan(draw.order_in(1..=palette.odd_currencies.max(1)), draw.lives(draw.refund(), draw.success(), 1, 3))
        }
        Recipe::OtherAmounts => draw.plan(draw.order(), draw.lives(draw.noted_refund(), draw.success(), 1, 3)),
        Recipe::UnknownStates => draw.unknown_states(),
        Recipe::CancelledRefunds => draw.cancelled_refunds(),
        Recipe::TwoAddresses => draw.two_addresses(),
        Recipe::RunningTotals => draw.running_totals(),
        Recipe::FailsAfterSuccess => draw.fails_after_success(),
        Recipe::TotalAfterFailure => draw.total_after_failure(),
        Recipe::ReturnedByBank => draw.returned_by_bank(),
        Recipe::DisputeWithdraws => draw.dispute_withdraws(),
        Recipe::DisputeWon => draw.dispute_won(),
        Recipe::DisputeLost => draw.dispute_lost(),
        Recipe::Inquiries => draw.inquiries(),
        Recipe::SeveralDisputes => draw.several_disputes(),
        Recipe::DisputesAndRefunds => draw.disputes_and_refunds(),
        Recipe::SameSecond => draw.same_second(),
        Recipe::Twins => draw.twins(),
        Recipe::FetchedState => draw.fetched_state(),
        Recipe::WebhookBeforeAnswer => draw.webhook_before_answer(),
        Recipe::ApiFailure => draw.api_failure(),
        Recipe::OlderVersion => draw.plan(draw.order(), draw.lives(draw.part(), draw.any_end(), 2, 3)),
    }
}

/// JSON that is no usable event.
const INVALID: &[Group] = &[Group::NoEvent, Group::Incomplete];

type Steps = BoxedStrategy<Vec<Step>>;
type Actions = BoxedStrategy<Action>;

struct Draw<'a> {
    palette: &'a Palette,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::draw;

    #[test]
    fn signatures_have_no_age_where_nobody_says_how_old_they_may_be() {
        let ages = |oldest_signature| Draw { palette: &Palette { oldest_signature, ..Palette::default() } }.ages();
        assert_eq!(ages(0), [MutationKind::Stale]);
        assert!(ages(300).contains(&MutationKind::AgeLimit));
    }

    /// Mixed traffic asks for everything that there may be, and has to do without whatever there is not.
    #[test]
    fn a_provider_that_has_refunds_and_nothing_else_has_traffic() {
        let plainest = Palette { refund_completion: "refund.paid".to_owned(), currencies: 1, ..Palette::default() };
        let strategy = for_recipe(Recipe::MixedTraffic, &plainest);
        for seed in 0..20 {
            let plan = draw(&strategy, seed).expect("a plan is drawn");
            assert!(plan.steps.iter().all(|step| !matches!(step.action, Action::Other { .. })), "{plan:?}");
        }
    }
}
