//! A treasurer's view: a dispute is the money that it moved, each balance transaction once, whenever it was heard of. Refunds are
//! kept as a history of states, of which the last one counts.

use std::collections::{BTreeMap, BTreeSet};

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use serde_json::{Value, json};

use super::{Shop, wire};

#[derive(Default)]
pub(crate) struct Treasury {
    accounts: Vec<Account>,
}

struct Account {
    order: OrderSetup,
    captured: i64,
    /// Of each refund every state with its second and its place in life, and how much it is about.
    refunds: BTreeMap<String, (BTreeSet<(i64, u8)>, i64)>,
    /// What left the account and what came back, by balance transaction.
    moves: BTreeMap<String, i64>,
}

const WAITING: u8 = 0;
const PENDING: u8 = 1;
const SUCCEEDED: u8 = 2;
const FAILED: u8 = 3;

enum Refusal {
    Unreadable,
    NobodysPayment,
    MakesNoSense,
}

impl Account {
    /// Where each refund is now, and its amount.
    fn now(&self) -> impl Iterator<Item = (&str, u8, i64)> {
        self.refunds.iter().filter_map(|(id, (history, amount))| history.last().map(|(_, state)| (id.as_str(), *state, *amount)))
    }

    fn in_state(&self, wanted: u8) -> i64 {
        self.now().filter(|(_, state, _)| *state == wanted).map(|(_, _, amount)| amount).sum()
    }

    fn missing(&self) -> i64 {
        -self.moves.values().sum::<i64>()
    }
}

impl Shop for Treasury {
    fn claims(&self) -> Capabilities {
        let types =
            ["refund.created", "refund.updated", "refund.failed", "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"];
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Refunds, Observable::ChargedBackAmount, Observable::AvailableToRefundAmount];
            claims.subscribes = Some(types.map(str::to_owned).to_vec());
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        if self.accounts.iter().all(|known| known.order.order_id != order.order_id) {
            let captured = wire::smallest(&order.captured_amount.to_string(), &order.currency);
            self.accounts.push(Account { order: order.clone(), captured, refunds: BTreeMap::new(), moves: BTreeMap::new() });
        }
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let booked = serde_json::from_slice(body).map_err(|_| Refusal::Unreadable).and_then(|whole: Value| self.book(&whole));
        match booked {
            Ok(()) => 202,
            Err(Refusal::Unreadable) => 400,
            Err(Refusal::NobodysPayment) => 404,
            Err(Refusal::MakesNoSense) => 409,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let account = self.accounts.iter().find(|account| account.order.order_id == order_id)?;
        let write = |amount| wire::major(amount, &account.order.currency);
        let paid = account.in_state(SUCCEEDED);
        let has = |wanted| account.now().any(|(_, state, _)| state == wanted);
        let status = if account.missing() > 0 {
            "charged_back"
        } else if paid > 0 {
            if paid < account.captured { "partially_refunded" } else { "refunded" }
        } else if has(WAITING) {
            "pending_information"
        } else if has(PENDING) {
            "pending"
        } else if has(FAILED) {
            "failed"
        } else {
            "not_refunded"
        };
        let refunds = account.now().map(|(id, state, amount)| {
            let word = ["pending_information", "pending", "succeeded", "failed"][usize::from(state)];
            json!({"id": id, "state": word, "amount": write(amount), "refundedAmount": write(if state == SUCCEEDED { amount } else { 0 })})
        });
        let left = account.captured - paid - account.in_state(WAITING) - account.in_state(PENDING) - account.missing();
        Some(json!({
            "orderId": order_id,
            "status": status,
            "refundedAmount": write(paid),
            "chargedBackAmount": write(account.missing()),
            "availableToRefundAmount": write(left.max(0)),
            "refunds": refunds.collect::<Vec<_>>(),
        }))
    }
}

impl Treasury {
    fn account(&mut self, payment: &wire::Payment, currency: &str) -> Result<&mut Account, Refusal> {
        let names = |order: &OrderSetup, id: &str| {
            order.payment_intent_id.as_deref() == Some(id) || order.charges.iter().any(|charge| charge.id == id)
        };
        let account = self.accounts.iter_mut().find(|account| payment.ids().any(|id| names(&account.order, id)));
        let account = account.ok_or(Refusal::NobodysPayment)?;
        if account.order.currency.eq_ignore_ascii_case(currency) { Ok(account) } else { Err(Refusal::MakesNoSense) }
    }

    fn book(&mut self, whole: &Value) -> Result<(), Refusal> {
        match wire::kind(whole).ok_or(Refusal::Unreadable)? {
            "refund.created" | "refund.updated" | "refund.failed" => {
                let event = wire::event(whole).ok_or(Refusal::Unreadable)?;
                let refund = wire::refund(&event.object).ok_or(Refusal::Unreadable)?;
                let state = match refund.status.as_str() {
                    "requires_action" => WAITING,
                    "pending" => PENDING,
                    "succeeded" => SUCCEEDED,
                    "failed" | "canceled" => FAILED,
                    // A state that was added since, about which nobody here can say anything.
                    _ => return Ok(()),
                };
                let account = self.account(&refund.payment, &refund.currency)?;
                if refund.amount > account.captured {
                    return Err(Refusal::MakesNoSense);
                }
                let (history, amount) = account.refunds.entry(refund.id).or_default();
                history.insert((event.created, state));
                *amount = refund.amount;
            }
            "charge.dispute.funds_withdrawn" | "charge.dispute.funds_reinstated" => {
                let event = wire::event(whole).ok_or(Refusal::Unreadable)?;
                let dispute = wire::dispute(&event.object).ok_or(Refusal::Unreadable)?;
                self.account(&dispute.payment, &dispute.currency)?.moves.extend(dispute.moves);
            }
            _ => {}
        }
        Ok(())
    }
}
