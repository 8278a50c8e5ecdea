//! Laws of plans, truth and expectation, on plans that recipes and plain bytes draw.

use std::{collections::HashSet, fmt};

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;
use refundproof::{
    case::{Act, Case, Delivery},
    domain::{Amount, Currency},
    oracle::Terms,
    plan::{Action, Fault, FaultKind, Level, Opening, Pick, Plan, Recipe, Step, for_recipe, simpler_plans},
    provider::{Lowering, Provider, lower, registered},
    testing::{assert_provider, laws},
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

#[track_caller]
fn holds(law: Result<(), String>) {
    law.unwrap_or_else(|broken| panic!("{broken}"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_plan_lowers_to_valid_events(world in any_plan()) {
        holds(laws::events_are_valid(world.provider, &world.plan));
    }

    #[test]
    fn ids_are_given_once(world in any_plan()) {
        holds(laws::ids_are_given_once(world.provider, &world.plan));
    }

    #[test]
    fn signatures_depend_on_what_they_must(world in any_plan()) {
        holds(laws::signatures_depend_on_what_they_must(world.provider, &world.plan));
    }

    #[test]
    fn created_times_strictly_increase_along_the_truth(world in any_plan()) {
        holds(laws::times_increase(world.provider, &world.plan));
    }

    #[test]
    fn the_end_is_the_truth_in_any_order_and_repetition(world in any_plan(), picks in prop::collection::vec(any::<prop::sample::Index>(), 0..200)) {
        // Picked at random with repetition first, then everything once: every permutation and repetition is such a walk.
        let walk = |events: usize| {
            let picked = picks.iter().filter(|_| events > 0).map(|pick| pick.index(events));
            picked.chain((0..events).rev()).collect()
        };
        holds(laws::the_end_is_the_truth(world.provider, &world.plan, walk));
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
        holds(laws::the_same_plan_gives_the_same_case(world.provider, &world.plan));
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
        prop_assert_eq!(case.clone().restricted_to(Terms { subscribed: &|_| true, initiates: true, verifies: true, durable: true, calls_back: false, clock: false }), case);
    }

    #[test]
    fn a_narrow_subscription_still_ends_in_the_truth_of_what_it_tells(world in complete_plan()) {
        let lowering = world.lowered();
        let case = lowering.case.clone().restricted_to(Terms { subscribed: &|kind| kind.starts_with("refund."), initiates: false, verifies: false, durable: false, calls_back: false, clock: false });
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

#[test]
fn every_provider_is_one() {
    registered().iter().for_each(|registered| assert_provider(registered.embedded()));
}

/// There is no time before an answer for shops that do not call the provider's API.
#[test]
fn nobody_waits_for_an_answer_who_does_not_call() {
    let own = Action::Refund { amount: Pick::All, level: Level::Order, joins: false, own: true, kind: 0, opens: Opening::Pending };
    let faults = vec![Fault { event: 0, kind: FaultKind::BeforeAnswer { with: 1, lost: true } }];
    let plan = Plan { orders: Vec::new(), steps: vec![Step { faults, ..Step::plain(own) }], only: Vec::new(), look: 0 };
    for provider in registered().iter().map(|registered| registered.embedded()) {
        let case = lower(provider, &plan, 7).case;
        assert!(!case.entries.iter().any(|entry| matches!(entry.act, Act::Meanwhile(..))), "{}", provider.name());
    }
}
