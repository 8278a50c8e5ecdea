//! Orders that only fill a case which is long on purpose: told of in one line, however many there are.

use std::collections::HashSet;

use super::shared::visible_line;
use crate::{
    case::{Act, Case, Delivery, Entry},
    plan::Action,
};

/// The other orders of a case, if it has such.
pub(super) struct Others<'c> {
    ids: HashSet<&'c str>,
}

impl<'c> Others<'c> {
    /// Those that the case's plan says nothing of but how many of their refunds come between.
    pub(super) fn of(case: &'c Case) -> Others<'c> {
        let is_long = |step: &crate::plan::Step| matches!(step.action, Action::OtherOrders { .. });
        let own = case.plan.as_ref().filter(|plan| plan.steps.iter().any(is_long)).map_or(case.orders.len(), |plan| plan.own_orders());
        Others { ids: case.orders.iter().skip(own).map(|order| order.order_id.as_str()).collect() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.ids.len()
    }

    fn is_about(&self, delivery: &Delivery) -> bool {
        delivery.event.order_id.as_deref().is_some_and(|id| self.ids.contains(id))
    }

    /// How many deliveries about them these entries begin with, one after the other.
    pub(super) fn run(&self, entries: &[Entry]) -> usize {
        entries.iter().take_while(|entry| matches!(&entry.act, Act::Deliver(delivery) if self.is_about(delivery))).count()
    }

    /// What is said in place of so many deliveries, the first of which has this number, with the answers that they got.
    pub(super) fn text<'a>(&self, first: usize, count: usize, answers: impl Iterator<Item = &'a String>) -> String {
        let mut kinds: Vec<&str> = Vec::new();
        for answer in answers {
            let answer = if answer.is_empty() { "no answer" } else { answer.as_str() };
            if !kinds.contains(&answer) {
                kinds.push(answer);
            }
        }
        let answers = if kinds.is_empty() { String::new() } else { format!("  → {}", visible_line(&kinds.join(" or "))) };
        let orders = if self.count() == 1 { "another order".to_owned() } else { format!("{} other orders", self.count()) };
        format!("{first:>3} to {}: refunds of {orders}, which are paid back{answers}", first + count - 1)
    }
}
