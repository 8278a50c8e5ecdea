//! The oracle: what a target may show after each delivery of a case, and at its end.
//!
//! It computes expectations from what the deliveries were written to tell, for the case as it was made and for one that is
//! restricted to what a target is sent. No body is ever parsed for it. Source: `docs/expectations.md`.

mod annotate;
mod restrict;

pub use restrict::Terms;

use crate::{
    case::{Act, Case, Effect},
    model::Expectation,
};
use annotate::Told;

impl Case {
    /// The same case sent whole: what is shown is judged only when everything has been sent.
    #[must_use]
    pub(crate) fn sent_whole(mut self) -> Case {
        for entry in &mut self.entries {
            entry.expect.clear();
            entry.expect_if_refused.clear();
        }
        self
    }

    /// Whether what is shown is judged only when everything has been sent.
    pub(crate) fn is_sent_whole(&self) -> bool {
        self.entries.iter().all(|entry| entry.expect.is_empty() && entry.expect_if_refused.is_empty())
    }

    /// Computes every expectation anew from what the deliveries tell. `complete[order]` says whether nothing of
    /// that order's history is held back.
    pub fn expect_again(&mut self, complete: &[bool]) {
        let mut told = Told::new(&self.orders, &self.api);
        let mut latest = 0;
        let mut unknown: Vec<String> = self.known_later().map(str::to_owned).collect();
        for entry in &mut self.entries {
            entry.expect_if_refused.clear();
            let mut concerned = Vec::new();
            match &entry.act {
                Act::Deliver(delivery) => {
                    if delivery.effect == Effect::Tolerate {
                        entry.expect_if_refused.extend(told.expectation(told.order_of(delivery).unwrap_or(latest)));
                    }
                    latest = told.deliver(delivery).unwrap_or(latest);
                }
                Act::Together(deliveries) => {
                    for delivery in deliveries {
                        latest = told.deliver(delivery).unwrap_or(latest);
                        if !concerned.contains(&latest) {
                            concerned.push(latest);
                        }
                    }
                }
                Act::Meanwhile(own, deliveries) => {
                    latest = told.initiate(own).unwrap_or(latest);
                    for delivery in deliveries {
                        latest = told.deliver(delivery).unwrap_or(latest);
                        if !concerned.contains(&latest) {
                            concerned.push(latest);
                        }
                    }
                }
                Act::Initiate(own) => latest = told.initiate(own).unwrap_or(latest),
                Act::Begin(order_id) => {
                    unknown.retain(|order| order != order_id);
                    latest = self.orders.iter().position(|order| order.order_id == *order_id).unwrap_or(latest);
                }
                Act::Restart | Act::Advance(_) => {}
            }
            if concerned.is_empty() {
                concerned.push(latest);
            }
            entry.expect = concerned.into_iter().flat_map(|order| told.expectation(order)).collect();
            // What a target shows of an order that it does not know is nobody's business.
            let is_known = |expected: &Expectation| !unknown.contains(&expected.order_id);
            entry.expect.retain(is_known);
            entry.expect_if_refused.retain(is_known);
        }
        self.expect.clear();
        self.expect_if_applied.clear();
        for order in 0..self.orders.len() {
            let (expected, applied) = told.final_expectation(order, complete.get(order).copied().unwrap_or(false));
            self.expect.push(expected);
            self.expect_if_applied.extend(applied);
        }
    }
}

#[cfg(test)]
mod tests;
