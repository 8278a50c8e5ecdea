//! Laws of what is fetched: at every moment it is something that may be shown then, and at the end it is the truth.

use std::fmt;

use proptest::prelude::*;

use super::*;
use crate::{
    adapter::ApiCall,
    case::{Act, Delivery, OrderSetup},
    domain::{Amount, OrderState},
    json::Value,
    model::{Expectation, Sight},
    oracle::Terms,
    plan::{FaultKind, Plan, Recipe, for_recipe},
    provider::{Audience, Lowering, Provider, lower_for, registered},
};

/// Recipes in which much becomes of refunds and disputes.
const RECIPES: [Recipe; 8] = [
    Recipe::MixedTraffic,
    Recipe::FetchedState,
    Recipe::WebhookBeforeAnswer,
    Recipe::FailsAfterSuccess,
    Recipe::ReturnedByBank,
    Recipe::DisputesAndRefunds,
    Recipe::Twins,
    Recipe::OlderVersion,
];

fn provider() -> &'static dyn Provider {
    registered().iter().map(|provider| provider.embedded()).find(|provider| provider.api().is_some()).expect("one has an API")
}

/// A plan, and whether the target is registered for the older version.
#[derive(Clone)]
struct World {
    plan: Plan,
    older: bool,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("older", &self.older).field("plan", &self.plan).finish()
    }
}

/// What is sent late, twice or under two ids, and nothing that is broken or not sent at all.
fn worlds() -> impl Strategy<Value = World> {
    let plans = prop::sample::select(&RECIPES[..]).prop_flat_map(|recipe| for_recipe(recipe, provider().palette()));
    (plans, any::<bool>()).prop_map(|(mut plan, older)| {
        for step in &mut plan.steps {
            step.faults.retain(|fault| {
                matches!(
                    fault.kind,
                    FaultKind::Again { .. }
                        | FaultKind::Late { .. }
                        | FaultKind::Twin { .. }
                        | FaultKind::Newer { .. }
                        | FaultKind::BeforeAnswer { .. }
                )
            });
        }
        plan.only.clear();
        World { plan, older }
    })
}

impl World {
    fn lowered(&self) -> Lowering {
        let older = self.older;
        let subscribed = |kind: &str| provider().sends(kind, older);
        let mut lowering =
            lower_for(provider(), &self.plan, 7, Audience { subscribed: &subscribed, calls_back: true, older, clock: false });
        let terms = Terms { subscribed: &subscribed, initiates: true, verifies: true, durable: true, calls_back: true, clock: false };
        lowering.case = lowering.case.restricted_to(terms);
        lowering
    }
}

/// Whoever shows nothing but what it fetches.
struct Looker<'a> {
    double: &'a Double,
    order: &'a OrderSetup,
}

impl Looker<'_> {
    fn list(&self, path: &str) -> Vec<Value> {
        let payment = self.order.payment_intent_id.clone().expect("it has one");
        let parameters = vec![("payment_intent".to_owned(), payment), ("limit".to_owned(), "100".to_owned())];
        let reply = self.double.call(&ApiCall { parameters, ..ApiCall::get(path) }).expect("an answer");
        let list: Value = serde_json::from_str(&reply.body).expect("JSON");
        list["data"].as_array().unwrap_or_else(|| panic!("{list}")).clone()
    }

    fn amount(&self, value: &Value) -> Amount {
        let text = value.as_number().expect("a number").as_str();
        let amount = |text: &str| self.double.api.amount(text, &self.order.currency).expect("an amount");
        text.strip_prefix('-').map_or_else(|| amount(text), |text| Amount::ZERO - amount(text))
    }

    fn refunded(&self, states: &[&str]) -> Amount {
        let refunds = self.list("/v1/refunds");
        let counted = refunds.iter().filter(|refund| states.contains(&refund["status"].as_str().unwrap_or_default()));
        counted.map(|refund| self.amount(&refund["amount"])).sum()
    }

    /// What disputes hold.
    fn taken(&self) -> Amount {
        let disputes = self.list("/v1/disputes");
        let moves = disputes.iter().flat_map(|dispute| dispute["balance_transactions"].as_array().into_iter().flatten());
        Amount::ZERO - moves.map(|moved| self.amount(&moved["amount"])).sum::<Amount>()
    }

    fn state(&self) -> OrderState {
        let has = |state: &str| self.list("/v1/refunds").iter().any(|refund| refund["status"] == *state);
        let paid = self.refunded(&["succeeded"]);
        let status = match () {
            () if self.taken() > Amount::ZERO => "charged_back",
            () if paid > Amount::ZERO && paid >= self.order.captured_amount => "refunded",
            () if paid > Amount::ZERO => "partially_refunded",
            () if has("requires_action") => "pending_information",
            () if has("pending") => "pending",
            () if has("failed") => "failed",
            () => "not_refunded",
        };
        let state = format!(r#"{{"orderId":"{}","status":"{status}","refundedAmount":"{paid}"}}"#, self.order.order_id);
        serde_json::from_str(&state).expect("a state")
    }

    #[track_caller]
    fn may_be_shown(&self, expected: &Expectation, when: &str) {
        let state = self.state();
        assert!(expected.allows(&state, &Sight::default()), "{when}: {state:?} is none of {expected:?}");
    }
}

/// Plays the case to its end, with a look after each thing that is done.
fn play(case: &Case, double: &Double, ticket: &Ticket) {
    let looker = |order_id: &str| {
        let order = case.orders.iter().find(|order| order.order_id == order_id).expect("an order of the case");
        Looker { double, order }
    };
    let arrives = |delivery: &Delivery| double.advance(ticket, ticket.moment_of(&delivery.event));
    let make = |own: &OwnRefund| {
        let own = OwnRefund { answer_lost: false, ..own.clone() };
        double.expect(&own, false);
        let looker = looker(&own.order_id);
        let payment = looker.order.payment_intent_id.clone().expect("it has one");
        // In smallest units, as the provider counts them.
        let units = (0..=3).find_map(|digits| {
            let units = own.refund.amount.to_minor(digits)?.to_string();
            (double.api.amount(&units, &own.refund.currency) == Some(own.refund.amount)).then_some(units)
        });
        let parameters = [("payment_intent", payment.as_str()), ("amount", &units.expect("an amount"))];
        let reply = double.call(&ApiCall::post("/v1/refunds", &parameters, &own.refund.id)).expect("an answer");
        assert_eq!(reply.status, 200, "{}", reply.body);
    };
    for (place, entry) in case.entries.iter().enumerate() {
        match &entry.act {
            Act::Deliver(delivery) => arrives(delivery),
            Act::Together(deliveries) => deliveries.iter().for_each(arrives),
            Act::Initiate(own) => make(own),
            Act::Meanwhile(own, deliveries) => {
                make(own);
                deliveries.iter().for_each(arrives);
            }
            Act::Restart | Act::Advance(_) | Act::Begin(_) => {}
        }
        for expected in &entry.expect {
            looker(&expected.order_id).may_be_shown(expected, &format!("after {}", place + 1));
        }
    }
    for expected in &case.expect {
        looker(&expected.order_id).may_be_shown(expected, "at the end");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_fetched_may_be_shown_and_comes_to_the_truth(world in worlds()) {
        let Lowering { case, truth, .. } = world.lowered();
        let double = Double::of(provider().api().expect("it has one"));
        let ticket = double.begin(&case);
        play(&case, &double, &ticket);
        for (order, truth) in case.orders.iter().zip(&truth) {
            let looker = Looker { double: &double, order };
            let currency = crate::domain::Currency::from_code(&order.currency).expect("a currency");
            let minor = |minor: u64| Amount::from_minor(minor, provider().digits(currency));
            prop_assert_eq!(looker.refunded(&["succeeded"]), minor(truth.paid_back()));
            prop_assert_eq!(looker.refunded(&["pending", "requires_action"]), minor(truth.open()));
            prop_assert_eq!(looker.taken(), minor(truth.charged_back()));
            let path = format!("/v1/charges/{}", order.charges[0].id);
            let reply = double.call(&ApiCall::get(path)).expect("an answer");
            let charge: Value = serde_json::from_str(&reply.body).expect("JSON");
            prop_assert_eq!(looker.amount(&charge["amount_refunded"]), minor(truth.paid_back() + truth.open()));
            prop_assert_eq!(charge["refunds"].is_object(), world.older);
        }
        prop_assert_eq!(double.wrong(&ticket), None);
    }
}
