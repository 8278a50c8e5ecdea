//! Laws of plans, truth and expectation, on plans that recipes and plain bytes draw.

use std::{collections::HashSet, fmt};

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;
use refundproof::{
    case::{Act, Case, Delivery, Effect, Terms},
    domain::{Amount, Currency, EventTime, RefundState, Status},
    model::{Knowledge, OrderTruth, RefundTruth},
    plan::{Action, FaultKind, Group, Level, MutationKind, Opening, Pick, Plan, Recipe, Step, for_recipe, simpler_plans},
    provider::{Lowering, Provider, lower, registered},
};

/// Every provider and any plan at all: from bytes, as a fuzzer would make it, or by the recipe that mixes everything.
fn any_plan() -> impl Strategy<Value = World> {
    let from_bytes = prop::collection::vec(any::<u8>(), 0..600).prop_map(|bytes| {
        let mut plan = Plan::arbitrary(&mut Unstructured::new(&bytes)).expect("bytes always make a plan");
        plan.orders.truncate(4);
        plan.steps.truncate(24);
        plan.only.clear();
        plan
    });
    prop::sample::select(registered()).prop_flat_map(move |registered| {
        let provider = registered.embedded();
        let plans = prop_oneof![from_bytes.clone(), for_recipe(Recipe::MixedTraffic, provider.palette())];
        plans.prop_map(move |plan| World { provider, plan })
    })
}

/// A provider and what happens with it.
#[derive(Clone)]
struct World {
    provider: &'static dyn Provider,
    plan: Plan,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.provider.name()).field("plan", &self.plan).finish()
    }
}

impl World {
    fn lowered(&self) -> Lowering {
        lower(self.provider, &self.plan, 7)
    }

    fn amount(&self, minor: u64, case: &Case, order: usize) -> Amount {
        let currency = Currency::from_code(&case.orders[order].currency).expect("a currency");
        Amount::from_minor(minor, self.provider.digits(currency))
    }
}

/// A plan of which every event is delivered in the end.
fn complete_plan() -> impl Strategy<Value = World> {
    any_plan().prop_map(|mut world| {
        for step in &mut world.plan.steps {
            step.faults.retain(|fault| fault.kind != FaultKind::Omit);
        }
        world
    })
}

fn knowledge(case: &Case) -> Vec<Knowledge> {
    case.orders.iter().map(|order| Knowledge::new(&order.order_id, &order.currency, order.captured_amount)).collect()
}

/// What the provider itself wrote, doubtful or not, before anything was done to it.
fn is_told(delivery: &Delivery) -> bool {
    let is_doubtful = |kind: MutationKind| matches!(kind.group(), Group::Doubtful | Group::Unusual | Group::Incomplete);
    let is_itself = !delivery.mutation_kind.is_some_and(is_doubtful);
    delivery.effect == Effect::Accept || delivery.effect == Effect::Tolerate && is_itself
}

#[track_caller]
fn assert_is_truth(world: &World, known: &Knowledge, truth: &OrderTruth, case: &Case, order: usize) {
    let end = known.final_expectation(true);
    let is_withdrawn = |refund: &RefundTruth| refund.state == RefundState::Cancelled;
    // An order with nothing but withdrawn refunds may be called one or the other.
    let more = usize::from(truth.status() == Status::NotRefunded && truth.refunds.iter().any(is_withdrawn));
    assert!(end.status.contains(&truth.status()), "status of order {order}");
    // A running total may count what is under way, and does not say so.
    let maybe = if world.provider.palette().revocable { truth.open() } else { 0 };
    if maybe == 0 {
        assert_eq!(end.status.len(), 1 + more, "statuses of order {order}: {:?}", end.status);
    }
    let most = world.amount(truth.paid_back() + maybe, case, order);
    assert!(end.refunded_amount.most <= most, "the amount of order {order} is settled: {:?}", end.refunded_amount);
    assert_eq!(end.refunded_amount.least, world.amount(truth.paid_back(), case, order));
    let available = end.available_to_refund_amount.expect("judged");
    assert!(
        available.contains(&world.amount(truth.available(), case, order)),
        "{available:?} for {}: {:?} {:?}",
        truth.available(),
        truth.refunds,
        end.refunds
    );
    assert!(end.charged_back_amount.expect("judged").contains(&world.amount(truth.charged_back(), case, order)));
    let refunds = end.refunds.expect("judged");
    assert_eq!(refunds.len(), truth.refunds.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_plan_lowers_to_valid_events(world in any_plan()) {
        let lowering = world.lowered();
        for delivery in lowering.case.all_deliveries().filter(|delivery| delivery.effect.must_be_acknowledged()) {
            let body: refundproof::json::Value = serde_json::from_slice(delivery.body.bytes()).expect("a body is JSON");
            let (captured, currency) = (Amount::ZERO, world.provider.currencies()[0]);
            let anatomy = world.provider.anatomy(&delivery.event, &body, captured, currency);
            let text = |place: &str| body.pointer(place).and_then(refundproof::json::Value::as_str);
            prop_assert_eq!(text(&anatomy.id), Some(delivery.event.id.as_str()));
            prop_assert_eq!(text(&anatomy.kind), Some(delivery.event.kind.as_str()));
            let created = &delivery.event.created_time;
            if world.provider.whole_seconds() {
                let seconds = body.pointer(&anatomy.created).and_then(refundproof::json::Value::as_u64);
                let stated = seconds.map(|seconds| i64::try_from(seconds).expect("a time") * 1_000_000);
                prop_assert!(anatomy.created.is_empty() || stated == Some(created.micros()));
            } else {
                prop_assert_eq!(text(&anatomy.created).map(EventTime::parse), Some(Ok(created.clone())));
            }
            prop_assert!(body.pointer(&anatomy.object).is_some_and(refundproof::json::Value::is_object));
        }
        for truth in &lowering.truth {
            // A dispute may take what was refunded already.
            let disputed = if world.provider.palette().disputes { 0 } else { truth.charged_back() };
            prop_assert!(truth.paid_back() + truth.open() + disputed <= truth.captured);
        }
    }

    #[test]
    fn created_times_strictly_increase_along_the_truth(mut world in complete_plan()) {
        for step in &mut world.plan.steps {
            step.faults.clear();
        }
        let case = world.lowered().case;
        for order in &case.orders {
            // Where times are whole seconds, events have places that increase.
            let times: Vec<_> = case
                .all_deliveries()
                .filter(|delivery| delivery.event.order_id.as_ref() == Some(&order.order_id))
                .map(|delivery| (delivery.event.sequence, &delivery.event.created_time))
                .collect();
            prop_assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{times:?}");
            prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
        }
    }

    #[test]
    fn the_end_is_the_truth_in_any_order_and_repetition(world in complete_plan(), picks in prop::collection::vec(any::<prop::sample::Index>(), 0..200)) {
        let lowering = world.lowered();
        let case = &lowering.case;
        let mut known = knowledge(case);
        for entry in &case.entries {
            if let Act::Initiate(own) = &entry.act {
                let order = case.orders.iter().position(|order| order.order_id == own.order_id).expect("an order");
                known[order].learn_own(&own.refund.id, own.refund.amount);
            }
        }
        let events: Vec<_> = case.all_deliveries().filter(|delivery| is_told(delivery)).collect();
        // Picked at random with repetition first, then everything once: every permutation and repetition is such a walk.
        let walk = picks.iter().filter(|_| !events.is_empty()).map(|pick| events[pick.index(events.len())]).chain(events.iter().rev().copied());
        for delivery in walk {
            let order = case.orders.iter().position(|order| Some(&order.order_id) == delivery.event.order_id.as_ref()).expect("an order");
            known[order].learn(&delivery.event);
        }
        for (order, truth) in lowering.truth.iter().enumerate() {
            assert_is_truth(&world, &known[order], truth, case, order);
        }
    }

    #[test]
    fn what_is_expected_never_falls(world in any_plan()) {
        let case = world.lowered().case;
        // What can be taken back does fall.
        let falls = world.provider.palette().revocable;
        for order in &case.orders {
            let mut least = Amount::ZERO;
            for entry in &case.entries {
                for expected in entry.expect.iter().filter(|expected| expected.order_id == order.order_id) {
                    prop_assert!(falls || expected.refunded_amount.least >= least);
                    prop_assert!(expected.refunded_amount.least <= expected.refunded_amount.most);
                    prop_assert!(falls || expected.refunded_amount.most <= order.captured_amount);
                    prop_assert!(!expected.status.is_empty());
                    least = expected.refunded_amount.least;
                }
            }
        }
    }

    #[test]
    fn the_same_plan_gives_the_same_case(world in any_plan()) {
        prop_assert_eq!(world.lowered().case.to_json(), world.lowered().case.to_json());
    }

    #[test]
    fn a_case_file_keeps_everything(world in any_plan()) {
        let mut case = world.lowered().case;
        case.title = "a \"case\"".to_owned();
        let text = case.to_json();
        let read = Case::from_json("case.json", &text).expect("a case");
        prop_assert_eq!(&read, &case);
        prop_assert_eq!(read.to_json(), text);
    }

    #[test]
    fn simpler_plans_are_plans(world in any_plan()) {
        for simpler in simpler_plans(&world.plan).take(60) {
            let lowering = lower(world.provider, &simpler, 7);
            prop_assert!(lowering.case.orders.len() <= world.plan.orders.len().max(1));
        }
    }

    #[test]
    fn restricting_to_everything_changes_nothing(world in any_plan()) {
        let case = world.lowered().case;
        prop_assert_eq!(case.clone().restricted_to(Terms { subscribed: &|_| true, initiates: true, verifies: true, durable: true, calls_back: false }), case);
    }

    #[test]
    fn a_narrow_subscription_still_ends_in_the_truth_of_what_it_tells(world in complete_plan()) {
        let lowering = world.lowered();
        let case = lowering.case.clone().restricted_to(Terms { subscribed: &|kind| kind.starts_with("refund."), initiates: false, verifies: false, durable: false, calls_back: false });
        for (order, truth) in lowering.truth.iter().enumerate() {
            let end = &case.expect[order];
            prop_assert_eq!(end.refunded_amount.least, world.amount(truth.paid_back(), &case, order));
            prop_assert!(end.refunded_amount.is_exact());
        }
    }
}

/// Refunds that the provider bundles end together, and tell of it in more events than there are in any common family.
#[test]
fn a_large_family_has_ids_and_times_of_its_own() {
    let refund =
        |joins| Action::Refund { amount: Pick::Units(2), level: Level::Order, joins, own: false, kind: 0, opens: Opening::Pending };
    let asked = (0..120).map(|number| Step::plain(refund(number > 0)));
    let steps: Vec<Step> = asked.chain([Step::plain(Action::Succeed { refund: 0, paid: Pick::All }), Step::plain(refund(false))]).collect();
    for provider in registered().iter().map(|registered| registered.embedded()) {
        let case = lower(provider, &Plan { orders: Vec::new(), steps: steps.clone(), only: Vec::new(), look: 0 }, 7).case;
        let deliveries: Vec<&Delivery> = case.all_deliveries().collect();
        let moment = |delivery: &Delivery| (delivery.event.sequence, delivery.event.created_time.clone());
        assert!(deliveries.windows(2).all(|pair| moment(pair[0]) < moment(pair[1])), "{}", provider.name());
        let ids: HashSet<&str> = deliveries.iter().map(|delivery| delivery.event.id.as_str()).collect();
        assert_eq!(ids.len(), deliveries.len(), "{}", provider.name());
    }
}
