//! Likes a refund to begin before it ends: the end of one that it never saw open is answered 409, so that it comes again, but
//! three times at the most. What is taken is answered 202, what is passed over 204.
//!
//! A consumer that waited for ever could not conform: the beginning may never come.

use std::collections::{HashMap, HashSet};

use refundproof::{
    adapter::{Capabilities, Request},
    case::OrderSetup,
    domain::OrderState,
};

use super::{
    Consumer, Facts,
    parse::{Event, News, Refusal},
};

#[derive(Default)]
pub(crate) struct Patient<C> {
    inner: C,
    begun: HashSet<String>,
    sent_away: HashMap<String, u32>,
}

const PATIENCE: u32 = 3;

impl<C> Patient<C> {
    fn is_early(&mut self, event: &Event) -> bool {
        let News::Refund(refund) = &event.news else { return false };
        if !refund.state.is_final() {
            self.begun.insert(refund.id.clone());
        }
        if self.begun.contains(&refund.id) {
            return false;
        }
        let times = self.sent_away.entry(event.id.clone()).or_default();
        *times += 1;
        *times <= PATIENCE
    }
}

impl<C: Consumer> Consumer for Patient<C> {
    fn claims(&self) -> Capabilities {
        self.inner.claims()
    }

    fn open(&mut self, order: &OrderSetup) {
        self.inner.open(order);
    }

    fn facts(&self, order_id: &str) -> Option<Facts> {
        self.inner.facts(order_id)
    }

    fn book(&mut self, event: Event) {
        self.inner.book(event);
    }

    fn show(&self, order_id: &str) -> Option<OrderState> {
        self.inner.show(order_id)
    }

    fn answer(&mut self, request: &Request<'_>) -> u16 {
        match self.understand(request.body) {
            Ok(None) => 204,
            Ok(Some(event)) if self.is_early(&event) => 409,
            Ok(Some(event)) => {
                self.book(event);
                202
            }
            Err(refusal) => Refusal::status(refusal),
        }
    }
}
