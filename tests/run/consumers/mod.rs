//! Conforming consumers, each keeping its state in another way. None of them shares code with the reference.

pub(crate) mod asynchronous;
pub(crate) mod charges;
pub(crate) mod completions;
pub(crate) mod counters;
pub(crate) mod document;
mod flat;
pub(crate) mod lattice;
pub(crate) mod orders;
mod parse;
pub(crate) mod patient;
pub(crate) mod per_refund;
pub(crate) mod replay;
pub(crate) mod sqlite;
pub(crate) mod verified;

use parse::{Event, Manner, Refusal, read};
use refundproof::{
    adapter::{Capabilities, Hello, Introduction, Observable, Request, Target, TargetError},
    case::{OrderSetup, OwnRefund},
    domain::{Amount, Currency, OrderState, RefundState, Status},
};

/// What a consumer of its own design has to say; the rest is the same for all.
pub(crate) trait Consumer: Send {
    fn claims(&self) -> Capabilities {
        Capabilities::default()
    }

    fn manner(&self) -> Manner {
        Manner::default()
    }

    fn greet(&mut self, _: &Hello) {}

    fn open(&mut self, order: &OrderSetup);

    fn facts(&self, order_id: &str) -> Option<Facts>;

    /// Takes in an event that can be true of its order.
    fn book(&mut self, event: Event);

    fn own(&mut self, _: &OwnRefund) -> Result<(), TargetError> {
        Err(TargetError::unsupported("initiate"))
    }

    fn show(&self, order_id: &str) -> Option<OrderState>;

    fn killed(&mut self) -> Result<(), TargetError> {
        Err(TargetError::unsupported("restart"))
    }

    fn receive(&mut self, request: &Request<'_>) -> Result<(), Refusal> {
        if let Some(event) = self.understand(request.body)? {
            self.book(event);
        }
        Ok(())
    }

    fn understand(&self, body: &[u8]) -> Result<Option<Event>, Refusal> {
        let Some(mut event) = read(body, self.manner())? else { return Ok(None) };
        let Some(facts) = self.facts(&event.order_id) else {
            // Orders of other shops may be told of in passing.
            return if matches!(event.news, parse::News::Order(_)) { Ok(None) } else { Err(Refusal::UnknownOrder) };
        };
        facts.check(&mut event, self.manner())?;
        Ok(Some(event))
    }

    fn answer(&mut self, request: &Request<'_>) -> u16 {
        self.receive(request).map_or_else(Refusal::status, |()| 200)
    }
}

/// What does not change of an order.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    currency: String,
    captured: Amount,
}

impl Facts {
    fn of(setup: &OrderSetup) -> Facts {
        Facts { currency: setup.currency.clone(), captured: setup.captured_amount }
    }

    fn check(&self, event: &mut Event, manner: Manner) -> Result<(), Refusal> {
        if event.currency.as_ref().is_some_and(|currency| *currency != self.currency) {
            return Err(Refusal::Doubtful);
        }
        let digits = Currency::from_code(&self.currency).map_or(2, Currency::digits);
        for amount in event.news.amounts() {
            let rounded = rounded(*amount, digits);
            if rounded != *amount && !manner.lenient {
                return Err(Refusal::Doubtful);
            }
            *amount = rounded;
        }
        if event.news.most() > self.captured { Err(Refusal::Doubtful) } else { Ok(()) }
    }

    /// The order refund state without its optional members, by the precedence of statuses.
    fn state(&self, order_id: &str, paid: Amount, charged_back: bool, states: &[RefundState]) -> OrderState {
        let status = if charged_back {
            Status::ChargedBack
        } else if paid.is_zero() {
            unpaid(states)
        } else if paid < self.captured {
            Status::PartiallyRefunded
        } else {
            Status::Refunded
        };
        OrderState::new(order_id.to_owned(), status, paid).with(|state| state.currency = Some(self.currency.clone()))
    }
}

fn unpaid(states: &[RefundState]) -> Status {
    if states.contains(&RefundState::PendingInformation) {
        Status::PendingInformation
    } else if states.contains(&RefundState::Pending) || states.contains(&RefundState::Requested) {
        Status::Pending
    } else if states.contains(&RefundState::Failed) {
        Status::Failed
    } else {
        Status::NotRefunded
    }
}

/// To the currency's minor unit, halves up.
fn rounded(amount: Amount, digits: u32) -> Amount {
    let text = amount.to_fixed(0);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = digits as usize;
    if fraction.len() <= digits {
        return amount;
    }
    let (kept, cut) = fraction.split_at(digits);
    let minor: u64 = format!("{whole}{kept}").parse().expect("an amount that was read fits");
    Amount::from_minor(minor + u64::from(cut.as_bytes()[0] >= b'5'), u32::try_from(digits).expect("a few digits"))
}

fn observing(observes: &[Observable]) -> Capabilities {
    Capabilities::new().with(|claims| claims.observes = observes.to_vec())
}

fn subscribed(kinds: &[&str]) -> Option<Vec<String>> {
    Some(kinds.iter().map(|kind| (*kind).to_owned()).collect())
}

/// A consumer behind the adapter contract.
pub(crate) struct Adapted<C>(pub(crate) C);

impl<C: Consumer> Target for Adapted<C> {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.0.greet(hello);
        Ok(Introduction::new(std::any::type_name::<C>().to_owned(), "1".to_owned(), self.0.claims()))
    }

    fn begin(&mut self, _: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        orders.iter().for_each(|order| self.0.open(order));
        Ok(())
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        Ok(self.0.answer(request))
    }

    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        self.0.own(own)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        Ok(self.0.show(order_id))
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        self.0.killed()
    }
}
