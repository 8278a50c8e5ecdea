//! Laws of plans, truth and expectation, on plans that recipes and plain bytes draw.

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;
use refundproof::{
    case::{Act, Case, Effect, Terms},
    domain::{Amount, Currency, EventTime},
    model::{Knowledge, OrderTruth},
    plan::{FaultKind, Plan, Recipe, for_recipe, simpler_plans},
    provider::{Lowering, Provider, digital_river::DigitalRiver, lower},
};

fn provider() -> &'static DigitalRiver {
    DigitalRiver::embedded()
}

/// Any plan at all: from bytes, as a fuzzer would make it, or by the recipe that mixes everything.
fn any_plan() -> impl Strategy<Value = Plan> {
    let from_bytes = prop::collection::vec(any::<u8>(), 0..600).prop_map(|bytes| {
        let mut plan = Plan::arbitrary(&mut Unstructured::new(&bytes)).expect("bytes always make a plan");
        plan.orders.truncate(4);
        plan.steps.truncate(24);
        plan.only.clear();
        plan
    });
    prop_oneof![from_bytes, for_recipe(Recipe::MixedTraffic, provider().palette())]
}

/// A plan of which every event is delivered in the end.
fn complete_plan() -> impl Strategy<Value = Plan> {
    any_plan().prop_map(|mut plan| {
        for step in &mut plan.steps {
            step.faults.retain(|fault| fault.kind != FaultKind::Omit);
        }
        plan
    })
}

fn lowered(plan: &Plan) -> Lowering {
    lower(provider(), plan, 7)
}

fn knowledge(case: &Case) -> Vec<Knowledge> {
    case.orders.iter().map(|order| Knowledge::new(&order.order_id, &order.currency, order.captured_amount)).collect()
}

fn amount(minor: u64, case: &Case, order: usize) -> Amount {
    let digits = Currency::from_code(&case.orders[order].currency).expect("a currency").digits();
    Amount::from_minor(minor, digits)
}

#[track_caller]
fn assert_is_truth(known: &Knowledge, truth: &OrderTruth, case: &Case, order: usize) {
    let end = known.final_expectation(true);
    assert_eq!(end.status, [truth.status()], "status of order {order}");
    assert!(end.refunded_amount.is_exact(), "the amount of order {order} is settled: {:?}", end.refunded_amount);
    assert_eq!(end.refunded_amount.least, amount(truth.paid_back(), case, order));
    assert!(end.available_to_refund_amount.expect("judged").contains(&amount(truth.available(), case, order)));
    assert!(end.charged_back_amount.expect("judged").contains(&amount(truth.charged_back(), case, order)));
    let refunds = end.refunds.expect("judged");
    assert_eq!(refunds.len(), truth.refunds.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_plan_lowers_to_valid_events(plan in any_plan()) {
        let lowering = lowered(&plan);
        for delivery in lowering.case.all_deliveries().filter(|delivery| delivery.effect.must_be_acknowledged()) {
            let body: serde_json::Value = serde_json::from_slice(delivery.body.bytes()).expect("a body is JSON");
            prop_assert_eq!(body["id"].as_str(), Some(delivery.event.id.as_str()));
            prop_assert_eq!(body["type"].as_str(), Some(delivery.event.kind.as_str()));
            let time = body["createdTime"].as_str().map(EventTime::parse);
            prop_assert_eq!(time, Some(Ok(delivery.event.created_time.clone())));
            prop_assert!(body["data"]["object"].is_object());
        }
        for truth in &lowering.truth {
            prop_assert!(truth.paid_back() + truth.open() + truth.charged_back() <= truth.captured);
        }
    }

    #[test]
    fn created_times_strictly_increase_along_the_truth(mut plan in complete_plan()) {
        for step in &mut plan.steps {
            step.faults.clear();
        }
        let case = lowered(&plan).case;
        for order in &case.orders {
            let times: Vec<_> = case
                .all_deliveries()
                .filter(|delivery| delivery.event.order_id.as_ref() == Some(&order.order_id))
                .map(|delivery| &delivery.event.created_time)
                .collect();
            prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
        }
    }

    #[test]
    fn the_end_is_the_truth_in_any_order_and_repetition(plan in complete_plan(), picks in prop::collection::vec(any::<prop::sample::Index>(), 0..200)) {
        let lowering = lowered(&plan);
        let case = &lowering.case;
        let mut known = knowledge(case);
        for entry in &case.entries {
            if let Act::Initiate(own) = &entry.act {
                let order = case.orders.iter().position(|order| order.order_id == own.order_id).expect("an order");
                known[order].learn_own(&own.refund.id, own.refund.amount);
            }
        }
        let events: Vec<_> = case.all_deliveries().filter(|delivery| delivery.effect == Effect::Accept).collect();
        // Picked at random with repetition first, then everything once: every permutation and repetition is such a walk.
        let walk = picks.iter().filter(|_| !events.is_empty()).map(|pick| events[pick.index(events.len())]).chain(events.iter().rev().copied());
        for delivery in walk {
            let order = case.orders.iter().position(|order| Some(&order.order_id) == delivery.event.order_id.as_ref()).expect("an order");
            known[order].learn(&delivery.event);
        }
        for (order, truth) in lowering.truth.iter().enumerate() {
            assert_is_truth(&known[order], truth, case, order);
        }
    }

    #[test]
    fn what_is_expected_never_falls(plan in any_plan()) {
        let case = lowered(&plan).case;
        for order in &case.orders {
            let mut least = Amount::ZERO;
            for entry in &case.entries {
                for expected in entry.expect.iter().filter(|expected| expected.order_id == order.order_id) {
                    prop_assert!(expected.refunded_amount.least >= least);
                    prop_assert!(expected.refunded_amount.least <= expected.refunded_amount.most);
                    prop_assert!(expected.refunded_amount.most <= order.captured_amount);
                    prop_assert!(!expected.status.is_empty());
                    least = expected.refunded_amount.least;
                }
            }
        }
    }

    #[test]
    fn the_same_plan_gives_the_same_case(plan in any_plan()) {
        prop_assert_eq!(lowered(&plan).case.to_json(), lowered(&plan).case.to_json());
    }

    #[test]
    fn a_case_file_keeps_everything(plan in any_plan()) {
        let mut case = lowered(&plan).case;
        case.title = "a \"case\"".to_owned();
        let text = case.to_json();
        let read = Case::from_json("case.json", &text).expect("a case");
        prop_assert_eq!(&read, &case);
        prop_assert_eq!(read.to_json(), text);
    }

    #[test]
    fn simpler_plans_are_plans(plan in any_plan()) {
        for simpler in simpler_plans(&plan).take(60) {
            let lowering = lowered(&simpler);
            prop_assert!(lowering.case.orders.len() <= plan.orders.len().max(1));
        }
    }

    #[test]
    fn restricting_to_everything_changes_nothing(plan in any_plan()) {
        let case = lowered(&plan).case;
        prop_assert_eq!(case.clone().restricted_to(Terms { subscribed: &|_| true, initiates: true, verifies: true, durable: true }), case);
    }

    #[test]
    fn a_narrow_subscription_still_ends_in_the_truth_of_what_it_tells(plan in complete_plan()) {
        let lowering = lowered(&plan);
        let case = lowering.case.clone().restricted_to(Terms { subscribed: &|kind| kind.starts_with("refund."), initiates: false, verifies: false, durable: false });
        for (order, truth) in lowering.truth.iter().enumerate() {
            let end = &case.expect[order];
            prop_assert_eq!(end.refunded_amount.least, amount(truth.paid_back(), &case, order));
            prop_assert!(end.refunded_amount.is_exact());
        }
    }
}

#[test]
fn every_recipe_reaches_what_it_is_for() {
    for requirement in &provider().corpus().requirements {
        let Some(recipe) = requirement.recipe.as_deref() else { continue };
        let recipe: Recipe = serde_json::from_value(recipe.into()).unwrap_or_else(|error| panic!("{}: {error}", requirement.id));
        let strategy = for_recipe(recipe, provider().palette());
        let reached = (0..100)
            .filter_map(|seed| refundproof::run::sample(&strategy, seed))
            .filter(|plan| refundproof::check::reaches(recipe, &lowered(plan).case, provider().palette()))
            .count();
        assert!(reached >= 80, "{}: {reached} of 100 cases get there", requirement.id);
    }
}
