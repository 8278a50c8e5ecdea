//! What is generated has the form of what the provider's pages show.

use std::collections::BTreeSet;

use refundproof::{
    case::Case,
    json::Value,
    plan::{Action, Level, Opening, Pick, Plan, Step},
    provider::{Provider, lower, registered},
};

/// The members of a value by their places; every member of a list is one place.
fn places(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter() {
                let at = format!("{at}/{name}");
                places(value, &at, found);
                found.insert(at);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| places(value, &format!("{at}/*"), found)),
        _ => {}
    }
}

fn provider() -> &'static dyn Provider {
    registered().iter().find(|registered| registered.name == "digital-river").expect("it is registered").embedded()
}

/// A dispute that ends, and a refund of items that succeeds.
fn case(provider: &dyn Provider) -> Case {
    let refund = Action::Refund { amount: Pick::All, level: Level::Items, joins: false, own: false, kind: 0, opens: Opening::Pending };
    let actions = [Action::Dispute, Action::ResolveDispute, refund, Action::Succeed { refund: 0, paid: Pick::All }];
    let steps = actions.into_iter().map(Step::plain).collect();
    lower(provider, &Plan { orders: Vec::new(), steps, only: Vec::new(), look: 0 }, 7).case
}

/// A generated event of this kind has the members of the documented one, but for what is below the places in `but`.
#[track_caller]
fn check(kind: &str, file: &str, but: &[&str]) {
    let provider = provider();
    let documented = provider.corpus().examples.get(file).expect("the page shows it").clone();
    let made = case(provider);
    let body = made.all_deliveries().find(|delivery| delivery.event.kind == kind).and_then(|delivery| delivery.body.text());
    let made: Value = serde_json::from_str(body.expect("it is sent")).expect("it is JSON");
    let members = |value: &Value| {
        let mut found = BTreeSet::new();
        places(value, "", &mut found);
        found.retain(|place| !but.iter().any(|but| place.starts_with(but)));
        found
    };
    assert_eq!(members(&made), members(&documented), "{kind}");
}

/// Which webhooks an event goes to is said now and then.
const WEBHOOKS: &str = "/webhookIds";

/// Items of orders say what most documented orders say of theirs.
const ITEMS: [&str; 2] = ["/data/object/items/*/availableToRefundAmount", "/data/object/items/*/productDetails"];

#[test]
fn open_refund_of_items() {
    check("refund.pending", "refund.pending.items", &[WEBHOOKS]);
}

#[test]
fn refund_of_items_that_succeeded() {
    check("refund.complete", "refund.complete.items", &[WEBHOOKS]);
}

#[test]
fn dispute() {
    check("order.dispute", "order.dispute", &ITEMS);
}

#[test]
fn dispute_that_ended() {
    check("order.dispute.resolved", "order.dispute.resolved", &ITEMS);
}
