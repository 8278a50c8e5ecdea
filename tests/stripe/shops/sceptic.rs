//! Works from events and asks the API only when it doubts one: two that differ within one second, a refund or dispute of which it has
//! not heard and that is not new, an amount or currency that does not fit, a total that is not the sum of the refunds it knows.
//!
//! A total is never booked; it only tells whether a refund is missing. It checks signatures, and what it has booked outlives a crash.

use std::collections::{BTreeMap, HashMap};

use hmac::{Hmac, KeyInit, Mac};
use refundproof::{
    adapter::{Capabilities, Observable},
    case::{OrderSetup, OwnRefund},
    domain::Clock,
};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{
    Shop,
    api::{Api, Failure},
    wire,
};

const TOLERANCE_SECONDS: u64 = 300;
/// How often a question is asked before the event has to come again.
const TRIES: usize = 3;
const STATES: [&str; 5] = ["requires_action", "pending", "succeeded", "failed", "canceled"];

#[derive(Default)]
pub(crate) struct Sceptic {
    endpoint: Option<(String, Clock)>,
    api: Api,
    books: Books,
}

/// What is on the disk.
#[derive(Default)]
struct Books {
    orders: HashMap<String, Order>,
    payments: HashMap<String, String>,
}

struct Order {
    currency: String,
    captured: i64,
    intent: String,
    asked: u32,
    refunds: BTreeMap<String, Refund>,
    disputes: BTreeMap<String, Dispute>,
}

/// As it was at some second: that of the event that told it, or for whose sake it was fetched.
struct Refund {
    at: i64,
    amount: i64,
    status: String,
}

struct Dispute {
    at: i64,
    status: String,
    moves: Vec<(String, i64)>,
}

impl Order {
    fn sum(&self, states: &[&str]) -> i64 {
        self.refunds.values().filter(|refund| states.contains(&refund.status.as_str())).map(|refund| refund.amount).sum()
    }

    fn held(&self) -> i64 {
        -self.disputes.values().flat_map(|dispute| &dispute.moves).map(|(_, amount)| amount).sum::<i64>()
    }

    fn fits(&self, currency: &str, amount: i64) -> bool {
        currency.eq_ignore_ascii_case(&self.currency) && amount <= self.captured
    }

    fn status(&self) -> &'static str {
        let paid = self.sum(&["succeeded"]);
        let any = |status: &str| self.refunds.values().any(|refund| refund.status == status);
        match () {
            () if self.held() > 0 => "charged_back",
            () if paid > 0 && paid >= self.captured => "refunded",
            () if paid > 0 => "partially_refunded",
            () if any("requires_action") => "pending_information",
            () if any("pending") => "pending",
            () if any("failed") || any("canceled") => "failed",
            () => "not_refunded",
        }
    }

    fn book(&mut self, at: i64, refund: &wire::Refund) {
        let at = self.refunds.get(&refund.id).map_or(at, |known| known.at.max(at));
        self.refunds.insert(refund.id.clone(), Refund { at, amount: refund.amount, status: refund.status.clone() });
    }

    fn enter(&mut self, at: i64, dispute: wire::Dispute) {
        let at = self.disputes.get(&dispute.id).map_or(at, |known| known.at.max(at));
        self.disputes.insert(dispute.id, Dispute { at, status: dispute.status, moves: dispute.moves });
    }
}

impl Shop for Sceptic {
    fn claims(&self) -> Capabilities {
        use Observable::{AvailableToRefundAmount, ChargedBackAmount, Currency, Refunds};
        let types = ["charge.refunded", "refund.created", "refund.updated", "refund.failed", "charge.dispute.*"];
        Capabilities::new().with(|claims| {
            claims.observes = vec![Currency, Refunds, AvailableToRefundAmount, ChargedBackAmount];
            claims.subscribes = Some(types.map(str::to_owned).to_vec());
            claims.verifies_signatures = true;
            claims.durable = true;
            claims.initiates_refunds = true;
            claims.calls_back = true;
        })
    }

    fn greet(&mut self, secret: &str, clock: &Clock, api: Option<&str>) {
        self.endpoint = Some((secret.to_owned(), clock.clone()));
        self.api = Api::at(api.expect("the address of Stripe's API"));
    }

    fn sold(&mut self, order: &OrderSetup) {
        for name in order.charges.iter().map(|charge| &charge.id).chain(&order.payment_intent_id) {
            self.books.payments.insert(name.clone(), order.order_id.clone());
        }
        self.books.orders.entry(order.order_id.clone()).or_insert_with(|| Order {
            currency: order.currency.clone(),
            captured: wire::smallest(&order.captured_amount.to_string(), &order.currency),
            intent: order.payment_intent_id.clone().expect("Stripe's payments have an intent"),
            asked: 0,
            refunds: BTreeMap::new(),
            disputes: BTreeMap::new(),
        });
    }

    fn refunded(&mut self, own: &OwnRefund) {
        let Some(order) = self.books.orders.get_mut(&own.order_id) else { return };
        order.asked += 1;
        let key = format!("refund-{}-{}", own.order_id, order.asked);
        let amount = wire::smallest(&own.refund.amount.to_string(), &order.currency).to_string();
        let fields = [("payment_intent", order.intent.as_str()), ("amount", &amount)];
        let made = patiently(|| self.api.post("/v1/refunds", &key, &fields)).expect("Stripe refunds what was paid");
        let refund = wire::refund(&made).expect("a refund");
        order.book(refund.created, &refund);
    }

    fn crash(&mut self) -> bool {
        *self = Sceptic { books: std::mem::take(&mut self.books), ..Sceptic::default() };
        true
    }

    fn post(&mut self, headers: &[(String, String)], body: &[u8]) -> u16 {
        let header = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("stripe-signature"));
        if !header.is_some_and(|(_, value)| self.is_genuine(value, body)) {
            return 400;
        }
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        let done = match wire::kind(&whole) {
            None => None,
            Some("refund.created" | "refund.updated" | "refund.failed") => self.refund(&whole),
            Some("charge.refunded") => self.total(&whole),
            Some(kind) if kind.starts_with("charge.dispute.") => self.dispute(&whole),
            Some(_) => Some(Ok(())),
        };
        match done {
            None => 400,
            Some(Ok(())) => 200,
            Some(Err(Failure::Refused(_))) => 404,
            Some(Err(Failure::Later)) => 503,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let order = self.books.orders.get(order_id)?;
        let write = |amount| wire::major(amount, &order.currency);
        let refunds = order.refunds.iter().map(|(id, refund)| {
            let (state, paid) = match refund.status.as_str() {
                "requires_action" => ("pending_information", 0),
                "canceled" => ("cancelled", 0),
                "succeeded" => ("succeeded", refund.amount),
                other => (other, 0),
            };
            json!({"id": id, "state": state, "amount": write(refund.amount), "refundedAmount": write(paid)})
        });
        let taken = order.sum(&["succeeded", "pending", "requires_action"]) + order.held();
        Some(json!({
            "orderId": order_id,
            "status": order.status(),
            "refundedAmount": write(order.sum(&["succeeded"])),
            "currency": order.currency,
            "availableToRefundAmount": write((order.captured - taken).max(0)),
            "chargedBackAmount": write(order.held()),
            "refunds": refunds.collect::<Vec<_>>(),
        }))
    }
}

/// Nothing for a body that cannot be read, else whether it was booked.
type Done = Option<Result<(), Failure>>;

impl Sceptic {
    fn is_genuine(&self, header: &str, body: &[u8]) -> bool {
        let Some((secret, clock)) = &self.endpoint else { return false };
        let parts = || header.split(',').filter_map(|part| part.split_once('='));
        let Some((_, time)) = parts().find(|(name, _)| *name == "t") else { return false };
        let is_old = time.parse::<u64>().map_or(true, |time| time.saturating_add(TOLERANCE_SECONDS) < clock.unix_seconds());
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(body);
        let tag: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        !is_old && parts().any(|(name, value)| name == "v1" && value == tag)
    }

    fn refund(&mut self, whole: &Value) -> Done {
        let event = wire::event(whole)?;
        let told = wire::refund(&event.object)?;
        let Some(order) = order(&mut self.books, &told.payment) else { return Some(Err(Failure::Refused(404))) };
        let is_odd = !order.fits(&told.currency, told.amount) || !STATES.contains(&told.status.as_str());
        let is_doubtful = match order.refunds.get(&told.id) {
            None => event.kind != "refund.created",
            Some(known) => known.amount != told.amount || (known.at == event.created && known.status != told.status),
        };
        if is_odd || is_doubtful {
            return Some(patiently(|| self.api.get(&format!("/v1/refunds/{}", told.id), &[])).and_then(|object| {
                let refund = wire::refund(&object).filter(|refund| order.fits(&refund.currency, refund.amount));
                refund.map(|refund| order.book(event.created, &refund)).ok_or(Failure::Refused(422))
            }));
        }
        if order.refunds.get(&told.id).is_none_or(|known| known.at < event.created) {
            order.book(event.created, &told);
        }
        Some(Ok(()))
    }

    fn total(&mut self, whole: &Value) -> Done {
        let event = wire::event(whole)?;
        let charge = wire::charge(&event.object)?;
        let Some(order) = order(&mut self.books, &charge.payment) else { return Some(Err(Failure::Refused(404))) };
        if order.fits(&charge.currency, charge.amount_refunded) && charge.amount_refunded == order.sum(&STATES[..3]) {
            return Some(Ok(()));
        }
        let query = [("payment_intent", order.intent.as_str())];
        Some(patiently(|| self.api.list("/v1/refunds", &query)).and_then(|listed| {
            let refunds = listed.iter().map(wire::refund).collect::<Option<Vec<_>>>().ok_or(Failure::Later)?;
            refunds.iter().for_each(|refund| order.book(event.created, refund));
            Ok(())
        }))
    }

    fn dispute(&mut self, whole: &Value) -> Done {
        let event = wire::event(whole)?;
        let told = wire::dispute(&event.object)?;
        let Some(order) = order(&mut self.books, &told.payment) else { return Some(Err(Failure::Refused(404))) };
        let is_doubtful = match order.disputes.get(&told.id) {
            None => event.kind != "charge.dispute.created",
            Some(known) => known.at == event.created && (known.status != told.status || known.moves != told.moves),
        };
        if is_doubtful || !told.currency.eq_ignore_ascii_case(&order.currency) {
            return Some(patiently(|| self.api.get(&format!("/v1/disputes/{}", told.id), &[])).and_then(|object| {
                wire::dispute(&object).map(|dispute| order.enter(event.created, dispute)).ok_or(Failure::Refused(422))
            }));
        }
        if order.disputes.get(&told.id).is_none_or(|known| known.at < event.created) {
            order.enter(event.created, told);
        }
        Some(Ok(()))
    }
}

fn order<'books>(books: &'books mut Books, payment: &wire::Payment) -> Option<&'books mut Order> {
    let order = payment.ids().find_map(|id| books.payments.get(id))?;
    books.orders.get_mut(order)
}

fn patiently<T>(mut ask: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    for _ in 1..TRIES {
        match ask() {
            Err(Failure::Later) => {}
            answer => return answer,
        }
    }
    ask()
}
