//! What the cases of a requirement held: event types, mutations, delivery faults, transitions, and what their orders and texts
//! had that is out of the ordinary, counted.
//!
//! Whether they could show a mistake is another question, which the canaries answer.

use std::collections::{BTreeMap, HashMap};

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    case::{Act, Case, Delivery, Mishap},
    domain::{Amount, RefundState},
    model::Tell,
};

/// How often each thing was delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Coverage {
    /// Deliveries by event type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub events: BTreeMap<String, u64>,
    /// Deliveries by what was done to their bodies, headers or signatures.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mutations: BTreeMap<String, u64>,
    /// Deliveries by what befell them on the way, and kills between them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<String, u64>,
    /// States of refunds after other states of the same refund, in the order in which they were told.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub transitions: BTreeMap<String, u64>,
    /// Orders by what they have that plain ones have not.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub orders: BTreeMap<String, u64>,
    /// Deliveries by what their texts have that plain ones have not.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, u64>,
}

/// What was told of a refund so far.
struct Seen<'c> {
    state: RefundState,
    order: &'c str,
    amount: Amount,
}

/// The refunds of a case by their ids.
type Refunds<'c> = HashMap<&'c str, Seen<'c>>;

/// More refunds than fit on the first page of most lists.
const MANY: usize = 10;

/// How many letters of one text are out of the ordinary.
const LONG: usize = 300;

/// How deliveries are counted that arrive before the shop's own request is answered.
const BEFORE_ANSWER: &str = "before the shop's own request is answered";

impl Coverage {
    /// Counts what a case holds.
    pub fn count(&mut self, case: &Case) {
        let mut refunds = Refunds::new();
        for entry in &case.entries {
            match &entry.act {
                Act::Deliver(delivery) => self.count_delivery(delivery, &mut refunds),
                Act::Together(deliveries) => {
                    bump(&mut self.faults, "at the same time", deliveries.len() as u64);
                    deliveries.iter().for_each(|delivery| self.count_delivery(delivery, &mut refunds));
                }
                Act::Initiate(_) => bump(&mut self.faults, "own refund", 1),
                Act::Meanwhile(_, deliveries) => {
                    bump(&mut self.faults, "own refund", 1);
                    bump(&mut self.faults, BEFORE_ANSWER, deliveries.len() as u64);
                    deliveries.iter().for_each(|delivery| self.count_delivery(delivery, &mut refunds));
                }
                Act::Restart => bump(&mut self.faults, "restart", 1),
                Act::Begin(_) => bump(&mut self.faults, "an order becomes known later", 1),
                Act::Advance(_) => bump(&mut self.faults, "time passes", 1),
            }
        }
        self.count_orders(case, &refunds);
    }

    fn count_orders(&mut self, case: &Case, refunds: &Refunds<'_>) {
        for plan in case.plan.iter().flat_map(|plan| &plan.orders) {
            plan.extras.iter().for_each(|extra| bump(&mut self.orders, extra.as_str(), 1));
            if plan.moment > 0 {
                bump(&mut self.orders, "at the edge of a day, a month, a year or summer time", 1);
            }
        }
        for order in &case.orders {
            let amounts: Vec<Amount> =
                refunds.values().filter(|refund| refund.order == order.order_id).map(|refund| refund.amount).collect();
            if amounts.len() > MANY {
                bump(&mut self.orders, "more than ten refunds", 1);
            }
            if amounts.iter().enumerate().any(|(place, amount)| amounts[..place].contains(amount)) {
                bump(&mut self.orders, "refunds of equal amounts", 1);
            }
            if case.orders.iter().any(|other| differ_in_one(&order.order_id, &other.order_id)) {
                bump(&mut self.orders, "an id that differs from another order's in one digit", 1);
            }
        }
    }

    fn count_texts(&mut self, body: &str) {
        if !body.is_ascii() {
            bump(&mut self.texts, "letters outside ASCII", 1);
            if body.bytes().any(|byte| byte >= 0xf0) {
                bump(&mut self.texts, "letters outside the basic plane", 1);
            }
        }
        if has_long_text(body) {
            bump(&mut self.texts, "a text of 300 letters and more", 1);
        }
    }

    fn count_delivery<'c>(&mut self, delivery: &'c Delivery, refunds: &mut Refunds<'c>) {
        bump(&mut self.events, &delivery.event.kind, 1);
        if let Some(mutation) = &delivery.mutation {
            bump(&mut self.mutations, mutation, 1);
        } else if let Some(body) = delivery.body.text() {
            self.count_texts(body);
        }
        if let Some(fault) = &delivery.fault {
            bump(&mut self.faults, fault, 1);
        }
        if let Some(api) = delivery.api {
            bump(&mut self.faults, api.as_str(), 1);
        }
        if let Some(mishap) = delivery.mishap {
            bump(&mut self.faults, Mishap::as_str(mishap), 1);
        }
        for tell in &delivery.event.tells {
            if let Tell::Refund { id, state, amount, .. } = tell {
                let seen = Seen { state: *state, order: delivery.event.order_id.as_deref().unwrap_or_default(), amount: *amount };
                let before = refunds.insert(id, seen).map_or("new", |seen| seen.state.as_str());
                bump(&mut self.transitions, &format!("{before} → {state}"), 1);
            }
        }
    }

    /// Adds what another part of the same cases held.
    pub fn add(&mut self, other: &Coverage) {
        let tables = [
            (&mut self.events, &other.events),
            (&mut self.mutations, &other.mutations),
            (&mut self.faults, &other.faults),
            (&mut self.transitions, &other.transitions),
            (&mut self.orders, &other.orders),
            (&mut self.texts, &other.texts),
        ];
        for (table, more) in tables {
            more.iter().for_each(|(name, count)| bump(table, name, *count));
        }
    }
}

/// Whether two ids of one length differ in one place.
fn differ_in_one(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).filter(|(one, other)| one != other).count() == 1
}

/// Whether so many letters stand between two quotes. Hardly any do, and every body is looked through: where a quote is among the
/// next bytes, whatever lies before the last of these is too short, and is passed over without a look.
fn has_long_text(mut rest: &str) -> bool {
    while let Some(next) = rest.as_bytes().get(..LONG) {
        let passed = match next.iter().rposition(|byte| *byte == b'"') {
            Some(quote) => quote + 1,
            None => {
                let text = rest.split('"').next().unwrap_or(rest);
                if text.chars().count() >= LONG {
                    return true;
                }
                text.len()
            }
        };
        rest = &rest[passed..];
    }
    false
}

fn bump(table: &mut BTreeMap<String, u64>, name: &str, by: u64) {
    // Most names are there already, and need no memory of their own.
    match table.get_mut(name) {
        Some(count) => *count = count.saturating_add(by),
        None => {
            table.insert(name.to_owned(), by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        case::{
            ApiFault, Body,
            by_hand::{case, deliver, own, paid, told},
        },
        plan::{Extra, OrderPlan, Plan},
    };

    fn of(case: &Case) -> Coverage {
        let mut coverage = Coverage::default();
        coverage.count(case);
        coverage
    }

    /// Whatever the order in which it is written down.
    #[track_caller]
    fn counts(table: &BTreeMap<String, u64>, expected: &[(&str, u64)]) {
        let expected: BTreeMap<String, u64> = expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        assert_eq!(*table, expected);
    }

    #[test]
    fn every_delivery_is_counted_by_its_type() {
        let acts = vec![
            deliver(paid("o1", "a")),
            Act::Together(vec![paid("o1", "a"), paid("o1", "b")]),
            Act::Meanwhile(own("o1", "c"), vec![paid("o1", "c")]),
        ];
        counts(&of(&case(&["o1"], acts)).events, &[("refund.a", 2), ("refund.b", 1), ("refund.c", 1)]);
    }

    #[test]
    fn what_befalls_deliveries_and_lies_between_them() {
        let mut lost = paid("o1", "a");
        lost.fault = Some("sent again".to_owned());
        lost.api = Some(ApiFault::Slow);
        lost.mishap = Some(Mishap::Reset);
        let acts = vec![
            deliver(lost),
            Act::Together(vec![paid("o1", "a"), paid("o1", "b")]),
            Act::Initiate(own("o1", "c")),
            Act::Meanwhile(own("o1", "d"), vec![paid("o1", "d"), paid("o1", "e"), paid("o1", "f")]),
            Act::Restart,
            Act::Begin("o1".to_owned()),
            Act::Advance(60),
        ];
        let expected = [
            ("an order becomes known later", 1),
            ("at the same time", 2),
            (BEFORE_ANSWER, 3),
            ("own refund", 2),
            ("restart", 1),
            ("sent again", 1),
            (Mishap::Reset.as_str(), 1),
            ("time passes", 1),
            (ApiFault::Slow.as_str(), 1),
        ];
        counts(&of(&case(&["o1"], acts)).faults, &expected);
    }

    #[test]
    fn states_follow_states_of_the_same_refund() {
        let acts =
            vec![deliver(told("o1", "a", RefundState::Pending)), deliver(told("o1", "b", RefundState::Failed)), deliver(paid("o1", "a"))];
        let expected = [("new → failed", 1), ("new → pending", 1), ("pending → succeeded", 1)];
        counts(&of(&case(&["o1"], acts)).transitions, &expected);
    }

    #[test]
    fn texts_are_those_that_the_provider_wrote() {
        let mut delivery = paid("o1", "a");
        delivery.body = Body::new("{\"reason\":\"Größe\"}");
        counts(&of(&case(&["o1"], vec![deliver(delivery.clone())])).texts, &[("letters outside ASCII", 1)]);
        delivery.mutation = Some("a letter is replaced".to_owned());
        let mutated = of(&case(&["o1"], vec![deliver(delivery)]));
        counts(&mutated.texts, &[]);
        counts(&mutated.mutations, &[("a letter is replaced", 1)]);
    }

    #[test]
    fn orders_are_counted_by_what_they_have() {
        let order = |extras: &[Extra], moment| OrderPlan {
            currency: 0,
            captured: 10_000,
            charges: 1,
            items: 1,
            moment,
            extras: extras.to_vec(),
            known_after: 0,
        };
        let orders = vec![order(&[Extra::FreeItem, Extra::SameSku], 0), order(&[Extra::FreeItem], 1), order(&[], 2)];
        let mut case = case(&[], Vec::new());
        case.plan = Some(Plan { orders, steps: Vec::new(), only: Vec::new(), look: 0 });
        let edge = "at the edge of a day, a month, a year or summer time";
        counts(&of(&case).orders, &[("an item that costs nothing", 2), ("two items of one SKU", 1), (edge, 2)]);
    }

    /// So many refunds of one order, half of them of one amount and the others of another, or each of its own.
    fn refunds(order: &str, count: u64, amounts: u64) -> Vec<Act> {
        let delivery = |number: u64| {
            let mut delivery = paid(order, &format!("{order}-{number}"));
            if let Some(Tell::Refund { amount, .. }) = delivery.event.tells.first_mut() {
                *amount = Amount::from_minor(1 + number % amounts, 2);
            }
            deliver(delivery)
        };
        (0..count).map(delivery).collect()
    }

    #[track_caller]
    fn order_counts(orders: &[&str], acts: Vec<Act>, expected: &[(&str, u64)]) {
        counts(&of(&case(orders, acts)).orders, expected);
    }

    #[test]
    fn many_refunds_of_one_order() {
        order_counts(&["o1"], refunds("o1", 10, 99), &[]);
        order_counts(&["o1"], refunds("o1", 11, 99), &[("more than ten refunds", 1)]);
        // Those of another order are not its own.
        let both = [refunds("o1", 8, 99), refunds("other", 8, 99)].concat();
        order_counts(&["o1", "other"], both, &[]);
    }

    #[test]
    fn refunds_of_equal_amounts() {
        order_counts(&["o1"], refunds("o1", 3, 3), &[]);
        order_counts(&["o1"], refunds("o1", 3, 2), &[("refunds of equal amounts", 1)]);
    }

    #[test]
    fn orders_that_look_alike() {
        order_counts(&["17", "18", "175"], Vec::new(), &[("an id that differs from another order's in one digit", 2)]);
    }

    #[test]
    fn parts_add_up() {
        let all = case(&["o1", "o2"], [refunds("o1", 11, 2), vec![Act::Restart]].concat());
        let mut twice = of(&all);
        twice.texts.insert("letters outside ASCII".to_owned(), 1);
        twice.mutations.insert("cut".to_owned(), 1);
        let one = twice.clone();
        twice.add(&one);
        let doubled = |table: &BTreeMap<String, u64>| table.iter().map(|(name, count)| (name.clone(), 2 * count)).collect();
        let Coverage { events, mutations, faults, transitions, orders, texts } = &one;
        let expected = Coverage {
            events: doubled(events),
            mutations: doubled(mutations),
            faults: doubled(faults),
            transitions: doubled(transitions),
            orders: doubled(orders),
            texts: doubled(texts),
        };
        assert_eq!(twice, expected);
    }

    #[track_caller]
    fn texts(body: &str, expected: &[&str]) {
        let mut coverage = Coverage::default();
        coverage.count_texts(body);
        assert_eq!(coverage.texts.into_keys().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn plain_texts_are_not_counted() {
        texts(r#"{"id":"1","type":"refund.pending"}"#, &[]);
    }

    #[test]
    fn letters_outside_ascii() {
        texts(r#"{"reason":"Größe"}"#, &["letters outside ASCII"]);
    }

    #[test]
    fn letters_outside_the_basic_plane() {
        texts(r#"{"reason":"😞"}"#, &["letters outside ASCII", "letters outside the basic plane"]);
    }

    #[test]
    fn long_texts_are_counted_by_letters() {
        texts(&format!("{{\"reason\":\"{}\"}}", "a".repeat(LONG)), &["a text of 300 letters and more"]);
        texts(&format!("{{\"reason\":\"{}\"}}", "a".repeat(LONG - 1)), &[]);
        texts(&format!("{{\"reason\":\"{}\"}}", "é".repeat(LONG - 1)), &["letters outside ASCII"]);
    }

    #[test]
    fn long_texts_are_found_wherever_they_stand() {
        for before in 0..2 * LONG {
            let body = format!("{}\"{}\"", "\"".repeat(before), "a".repeat(LONG));
            assert!(has_long_text(&body), "{before}");
            assert!(!has_long_text(&body.replacen('a', "", 1)), "{before}");
        }
    }

    #[test]
    fn ids_that_differ_in_one_digit() {
        assert!(differ_in_one("219966860336", "219966870336"));
        assert!(!differ_in_one("219966860336", "219966860336"));
        assert!(!differ_in_one("219966860336", "21996687033"));
        assert!(!differ_in_one("219966860336", "219966870337"));
    }
}
