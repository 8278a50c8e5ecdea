//! One order while a plan is played: its truth, its names, its times.

use crate::{
    case::{ChargeSetup, ItemSetup, OrderSetup},
    domain::{Amount, Currency, EventTime},
    model::OrderTruth,
    plan::{Extra, OrderPlan, Palette},
    provider::{IdOf, Mint, Names, Provider, Scene, times},
};

/// A moment of the case, and for whom it is told.
#[derive(Clone, Copy)]
pub(super) struct When {
    pub(super) mint: Mint,
    pub(super) moment: u64,
    pub(super) look: u32,
    pub(super) older: bool,
}

pub(super) struct Order {
    pub(super) truth: OrderTruth,
    pub(super) names: Names,
    pub(super) currency: Currency,
    pub(super) digits: u32,
    pub(super) created: EventTime,
    pub(super) now: i64,
    pub(super) refund_times: Vec<EventTime>,
    pub(super) dispute_times: Vec<EventTime>,
    /// Whether every event of its history is sent.
    pub(super) complete: bool,
}

/// The id of an order or of something of it, in the form that goes with what the order has.
pub(super) fn id(provider: &dyn Provider, mint: &Mint, truth: &OrderTruth, of: IdOf) -> String {
    let in_other_form: &[Extra] = match of {
        IdOf::Order(..) => &[Extra::OtherId],
        IdOf::Charge(..) => &[Extra::NoCard],
        IdOf::Refund(..) => &[Extra::LongRefundIds, Extra::NoCard],
        IdOf::Item(..) | IdOf::Payment(..) | IdOf::Dispute(..) => &[],
    };
    if in_other_form.iter().any(|extra| truth.has(*extra)) { provider.other_id(mint, of) } else { provider.id(mint, of) }
}

impl Order {
    pub(super) fn new(provider: &dyn Provider, mint: &Mint, index: usize, plan: &OrderPlan) -> Order {
        let currencies = provider.currencies();
        let currency = currencies[usize::from(plan.currency) % currencies.len()];
        let palette = provider.palette();
        let digits = provider.digits(currency);
        let charges = if palette.charges { plan.charges } else { 1 };
        let items = if palette.items { plan.items } else { 1 };
        let captured = plan.captured.min(provider.most(currency));
        let may_have = |extra: &Extra| palette.extras.contains(extra) && provider.may_have(*extra, currency, captured);
        let extras: Vec<Extra> = plan.extras.iter().copied().filter(may_have).collect();
        let truth = OrderTruth::new(captured, charges, items);
        let truth = truth.with_extras(extras).living_by(provider.lifecycle());
        let id = |of: IdOf| id(provider, mint, &truth, of);
        let names = Names {
            order: id(IdOf::Order(index)),
            charges: (0..truth.charges.len()).map(|charge| id(IdOf::Charge(index, charge))).collect(),
            items: (0..truth.items.len()).map(|item| id(IdOf::Item(index, item))).collect(),
            refunds: Vec::new(),
            payment: if palette.payments { id(IdOf::Payment(index)) } else { String::new() },
            disputes: Vec::new(),
        };
        // Orders are some years old: redeliveries after a long silence carry old times and fresh signatures.
        let start = 1_640_995_200_000_000 + i64::try_from(mint.number("start", index as u64) % 31_536_000).unwrap_or(0) * 1_000_000;
        let start = if palette.varied { times::start(plan.moment, mint.number("edge", index as u64)).unwrap_or(start) } else { start };
        let start = if provider.whole_seconds() { start - start % 1_000_000 } else { start };
        Order {
            truth,
            names,
            currency,
            digits,
            created: EventTime::from_micros(start),
            now: start,
            refund_times: Vec::new(),
            dispute_times: Vec::new(),
            complete: true,
        }
    }

    pub(super) fn amount(&self, minor: u64) -> Amount {
        Amount::from_minor(minor, self.digits)
    }

    pub(super) fn setup(&self, palette: &Palette) -> OrderSetup {
        let charge =
            |(id, charge): (&String, &crate::model::Charge)| ChargeSetup { id: id.clone(), captured_amount: self.amount(charge.captured) };
        let item = |(item, (id, amount)): (usize, (&String, &u64))| ItemSetup {
            item_id: id.clone(),
            quantity: self.truth.pieces(item),
            amount: self.amount(*amount),
        };
        OrderSetup {
            order_id: self.names.order.clone(),
            currency: self.currency.code().to_owned(),
            captured_amount: self.amount(self.truth.captured),
            payment_intent_id: palette.payments.then(|| self.names.payment.clone()),
            // What a provider does not have, nobody is told of.
            charges: self
                .names
                .charges
                .iter()
                .zip(&self.truth.charges)
                .filter(|_| palette.charges || palette.payments)
                .map(charge)
                .collect(),
            items: self.names.items.iter().zip(&self.truth.items).filter(|_| palette.items).enumerate().map(item).collect(),
        }
    }

    /// The order as it stands now, for a change that happened at some moment.
    pub(super) fn scene<'o>(&'o self, index: usize, times: &'o [EventTime], when: When) -> Scene<'o> {
        let When { mint, moment, look, older } = when;
        Scene {
            order: index,
            truth: &self.truth,
            names: &self.names,
            currency: self.currency,
            refund_times: &self.refund_times,
            dispute_times: &self.dispute_times,
            created: &self.created,
            times,
            mint,
            moment,
            look,
            older,
        }
    }
}
