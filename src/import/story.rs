//! What happened to an order, in words.

use std::{collections::BTreeMap, fmt::Write};

use crate::{
    domain::{Amount, RefundState},
    model::Tell,
    provider::Said,
};

/// More than this many happenings are not told one by one.
const LONGEST: usize = 7;

/// A story while its events are told one after the other.
#[derive(Default)]
pub(super) struct Story {
    happenings: Vec<String>,
    refunds: BTreeMap<String, (usize, RefundState)>,
    disputes: BTreeMap<String, Amount>,
    totals: BTreeMap<String, Amount>,
    /// Types and states of all events, in order.
    shape: String,
}

impl Story {
    /// The next event.
    pub(super) fn take(&mut self, said: &Said, captured: Amount) {
        // Writing to a string cannot fail.
        _ = write!(self.shape, "|{}", said.kind);
        for tell in &said.tells {
            match tell {
                Tell::Refund { id, state, amount, in_passing, .. } => self.refund(id, *state, *amount == captured, *in_passing),
                Tell::Total { id, refunded_amount, .. } => {
                    let grown = self.totals.insert(id.clone(), *refunded_amount) != Some(*refunded_amount);
                    if self.refunds.is_empty() && grown {
                        self.happenings.push(refunded(*refunded_amount == captured).to_owned());
                    }
                }
                Tell::Dispute { id, taken_amount, .. } => {
                    let before = self.disputes.insert(id.clone(), *taken_amount);
                    let what = match before {
                        None if taken_amount.is_zero() => "a dispute is opened",
                        None => "a dispute takes money",
                        Some(before) if before == *taken_amount => continue,
                        Some(_) if taken_amount.is_zero() => "the money of the dispute comes back",
                        Some(_) => "the dispute takes money",
                    };
                    self.happenings.push(what.to_owned());
                }
                Tell::Chargeback => self.happenings.push("money is charged back".to_owned()),
                Tell::Charge { .. } | Tell::Order { .. } => {}
            }
        }
    }

    fn refund(&mut self, id: &str, state: RefundState, is_all: bool, in_passing: bool) {
        let number = self.refunds.len();
        let known = self.refunds.get(id).copied();
        let (number, before) = known.map_or((number, None), |(number, before)| (number, Some(before)));
        _ = write!(self.shape, ":{number}{state}{}", if is_all { "*" } else { "" });
        if in_passing || before == Some(state) {
            return;
        }
        self.refunds.insert(id.to_owned(), (number, state));
        let what = match (before, state) {
            (None, RefundState::Succeeded) => refunded(is_all),
            (None, RefundState::Failed) => "a refund has failed",
            (None, RefundState::Cancelled) => "a refund was cancelled",
            (None, _) if is_all => "all is to be refunded",
            (None, _) => "a part is to be refunded",
            (Some(RefundState::Succeeded), RefundState::Failed) => "a refund fails after it was paid back",
            (Some(RefundState::Succeeded), RefundState::PendingInformation) => "the bank sends a refund back",
            (Some(RefundState::Succeeded), RefundState::Cancelled) => "a paid refund is cancelled",
            (Some(_), RefundState::Succeeded) => "a refund is paid back",
            (Some(_), RefundState::Failed) => "a refund fails",
            (Some(_), RefundState::Cancelled) => "a refund is cancelled",
            (Some(_), RefundState::PendingInformation) => "a refund waits for the shopper",
            (Some(_), RefundState::Pending | RefundState::Requested) => "a refund goes on",
        };
        self.happenings.push(what.to_owned());
    }

    /// The story so far.
    pub(super) fn told(&self) -> String {
        match self.happenings.len() {
            0 => "nothing is refunded".to_owned(),
            1..=LONGEST => self.happenings.join(", "),
            many => format!("{}, and {} more", self.happenings[..LONGEST].join(", "), many - LONGEST),
        }
    }

    /// A text that is the same for orders of which the same events tell the same.
    pub(super) fn shape(&self) -> &str {
        &self.shape
    }
}

fn refunded(is_all: bool) -> &'static str {
    if is_all { "all is refunded" } else { "a part is refunded" }
}
