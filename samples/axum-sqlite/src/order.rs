//! What is known of an order, and what that makes of its state.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    event::{ChargeNews, Event, News, RefundNews, RefundState},
    money::{digits, whole_minor_units},
    refusal::Refusal,
};

/// An order and all that was told of it. This is what is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    currency: String,
    captured: Decimal,
    refunds: BTreeMap<String, Refund>,
    charges: BTreeMap<String, Charge>,
    chargeback: Option<Chargeback>,
}

// Of two facts about one thing, the greater is believed; members stand in the order of their weight. So the same facts end in the same
// state, whatever sequence they come in and however often.

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Refund {
    /// A final state beats every other one, however late an older event arrives,
    is_final: bool,
    /// and otherwise what was told last wins.
    at: Timestamp,
    state: RefundState,
    requested: Decimal,
    paid: Decimal,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Charge {
    at: Timestamp,
    complete: Decimal,
    pending: Decimal,
    pending_information: Decimal,
    failed: Decimal,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Chargeback {
    at: Timestamp,
    /// All chargebacks so far.
    amount: Decimal,
}

/// An order as the shop shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderState {
    order_id: String,
    status: Status,
    refunded_amount: Decimal,
    currency: String,
    available_to_refund_amount: Decimal,
    charged_back_amount: Decimal,
    refunds: Vec<RefundView>,
}

/// One refund of an order.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundView {
    id: String,
    state: RefundState,
    amount: Decimal,
    refunded_amount: Decimal,
}

/// The status of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// There was no refund.
    NotRefunded,
    /// A refund is under way.
    Pending,
    /// A refund waits for the shopper.
    PendingInformation,
    /// Some of the money was paid back.
    PartiallyRefunded,
    /// All of the money was paid back.
    Refunded,
    /// A refund failed.
    Failed,
    /// The bank has taken money back.
    ChargedBack,
}

impl Order {
    /// An order that was paid.
    pub fn new(currency: String, captured: Decimal) -> Order {
        Order { currency, captured, refunds: BTreeMap::new(), charges: BTreeMap::new(), chargeback: None }
    }

    /// The order once this event is known, too. The order itself stays as it is, so an event that is refused half-way leaves no trace.
    ///
    /// # Errors
    /// [`Refusal::Unprocessable`] if the event cannot be true of this order.
    pub fn after(&self, event: &Event) -> Result<Order, Refusal> {
        if event.currency.as_ref().is_some_and(|currency| *currency != self.currency) {
            return Err(Refusal::Unprocessable("not the order's currency"));
        }
        let mut after = self.clone();
        match &event.news {
            News::Refund(news) => learn(&mut after.refunds, &news.id, self.refund(event.at, news)?),
            News::Charges(charges) => {
                for news in charges {
                    learn(&mut after.charges, &news.id, self.charge(event.at, news)?);
                }
            }
            News::Chargeback { refunded, open, available } => {
                let amount = whole_minor_units(self.captured - refunded - open - available, digits(&self.currency))?;
                if amount < Decimal::ZERO {
                    return Err(Refusal::Unprocessable("a chargeback that does not add up"));
                }
                after.chargeback = after.chargeback.max(Some(Chargeback { at: event.at, amount }));
            }
        }
        if after.paid_back() > after.captured {
            return Err(Refusal::Unprocessable("more paid back than captured"));
        }
        Ok(after)
    }

    fn refund(&self, at: Timestamp, news: &RefundNews) -> Result<Refund, Refusal> {
        let amount = |amount| whole_minor_units(amount, digits(&self.currency));
        let (requested, paid) = (amount(news.requested)?, amount(news.paid)?);
        Ok(Refund { is_final: news.state.is_final(), at, state: news.state, requested, paid })
    }

    fn charge(&self, at: Timestamp, news: &ChargeNews) -> Result<Charge, Refusal> {
        let amount = |amount| whole_minor_units(amount, digits(&self.currency));
        Ok(Charge {
            at,
            complete: amount(news.complete)?,
            pending: amount(news.pending)?,
            pending_information: amount(news.pending_information)?,
            failed: amount(news.failed)?,
        })
    }

    fn paid_by_refunds(&self) -> Decimal {
        self.refunds.values().map(|refund| refund.paid).sum()
    }

    fn paid_by_charges(&self) -> Decimal {
        self.charges.values().map(|charge| charge.complete).sum()
    }

    /// Both layers tell of the same money, and either may be ahead: the greater is certain. Their sum would book it twice.
    fn paid_back(&self) -> Decimal {
        self.paid_by_refunds().max(self.paid_by_charges())
    }

    /// The amount in a state that pays nothing, if any: of the refund objects; of the charges only while no refund object is known.
    fn unpaid(&self, of_refund: &[RefundState], of_charge: fn(&Charge) -> Decimal) -> Option<Decimal> {
        if self.refunds.is_empty() {
            let amount: Decimal = self.charges.values().map(of_charge).sum();
            return Some(amount).filter(|amount| !amount.is_zero());
        }
        let amounts = self.refunds.values().filter(|refund| of_refund.contains(&refund.state)).map(|refund| refund.requested);
        amounts.reduce(|sum, amount| sum + amount)
    }

    /// The state of the order, which has this id.
    pub fn state(&self, id: &str) -> OrderState {
        let waiting = self.unpaid(&[RefundState::PendingInformation], |charge| charge.pending_information);
        let pending = self.unpaid(&[RefundState::Requested, RefundState::Pending], |charge| charge.pending);
        let failed = self.unpaid(&[RefundState::Failed], |charge| charge.failed);
        let paid_back = self.paid_back();
        let status = if self.chargeback.is_some() {
            Status::ChargedBack
        } else if !paid_back.is_zero() {
            if paid_back == self.captured { Status::Refunded } else { Status::PartiallyRefunded }
        } else if waiting.is_some() {
            Status::PendingInformation
        } else if pending.is_some() {
            Status::Pending
        } else if failed.is_some() {
            Status::Failed
        } else {
            Status::NotRefunded
        };

        let open = waiting.unwrap_or_default() + pending.unwrap_or_default();
        // A charge may already say "complete" while its refund still says "pending": that is one amount, taken off once.
        let taken = if self.refunds.is_empty() { paid_back + open } else { self.paid_by_charges().max(self.paid_by_refunds() + open) };
        let charged_back = self.chargeback.as_ref().map_or(Decimal::ZERO, |chargeback| chargeback.amount);
        let digits = digits(&self.currency);
        let money = |mut amount: Decimal| {
            amount.rescale(digits);
            amount
        };
        let refund = |(id, refund): (&String, &Refund)| RefundView {
            id: id.clone(),
            state: refund.state,
            amount: money(refund.requested),
            refunded_amount: money(refund.paid),
        };
        OrderState {
            order_id: id.to_owned(),
            status,
            refunded_amount: money(paid_back),
            currency: self.currency.clone(),
            available_to_refund_amount: money((self.captured - taken - charged_back).max(Decimal::ZERO)),
            charged_back_amount: money(charged_back),
            refunds: self.refunds.iter().map(refund).collect(),
        }
    }
}

/// Keeps the greater of what is known and what is told.
fn learn<F: Ord>(known: &mut BTreeMap<String, F>, id: &str, told: F) {
    if known.get(id).is_none_or(|known| *known < told) {
        known.insert(id.to_owned(), told);
    }
}
