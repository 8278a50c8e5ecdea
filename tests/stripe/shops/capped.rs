//! Shows at most what was captured, whatever is told: until a failure has arrived, its refund and the one that replaced it can be
//! more together than there was. Disputes are read when they begin, change and end, without the events about their money.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use serde_json::{Value, json};

use super::{Shop, wire};

#[derive(Default)]
pub(crate) struct Desk {
    files: HashMap<String, File>,
}

struct File {
    payments: Vec<String>,
    currency: String,
    captured: i64,
    /// By kind and id: when it was last heard of, how far it had come then, and its amount.
    refunds: BTreeMap<String, Note<RefundIs>>,
    disputes: BTreeMap<String, Note<DisputeIs>>,
}

#[derive(Clone, Copy)]
struct Note<S> {
    second: i64,
    is: S,
    amount: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum RefundIs {
    Waiting,
    Pending,
    Done,
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DisputeIs {
    Asked,
    Open,
    Lost,
    Won,
}

impl<S: Copy + Ord> Note<S> {
    fn write(self, book: &mut BTreeMap<String, Note<S>>, id: String) {
        let known = book.entry(id).or_insert(self);
        if (self.second, self.is).cmp(&(known.second, known.is)) == Ordering::Greater {
            *known = self;
        }
    }
}

impl File {
    fn refunds_that_are(&self, is: RefundIs) -> i64 {
        self.refunds.values().filter(|note| note.is == is).map(|note| note.amount).sum()
    }

    fn paid(&self) -> i64 {
        self.refunds_that_are(RefundIs::Done).min(self.captured)
    }

    fn disputed(&self) -> i64 {
        let holds = |note: &&Note<DisputeIs>| matches!(note.is, DisputeIs::Open | DisputeIs::Lost);
        self.disputes.values().filter(holds).map(|note| note.amount).sum()
    }

    fn status(&self) -> &'static str {
        if self.disputed() > 0 {
            return "charged_back";
        }
        match self.paid().cmp(&0) {
            Ordering::Greater if self.paid() == self.captured => "refunded",
            Ordering::Greater => "partially_refunded",
            _ if self.refunds_that_are(RefundIs::Waiting) > 0 => "pending_information",
            _ if self.refunds_that_are(RefundIs::Pending) > 0 => "pending",
            _ if self.refunds_that_are(RefundIs::Failed) > 0 => "failed",
            _ => "not_refunded",
        }
    }
}

impl Shop for Desk {
    fn claims(&self) -> Capabilities {
        let types = ["refund.*", "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"];
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::AvailableToRefundAmount, Observable::ChargedBackAmount];
            claims.subscribes = Some(types.map(str::to_owned).to_vec());
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.files.entry(order.order_id.clone()).or_insert_with(|| File {
            payments: order.charges.iter().map(|charge| charge.id.clone()).chain(order.payment_intent_id.clone()).collect(),
            currency: order.currency.clone(),
            captured: wire::smallest(&order.captured_amount.to_string(), &order.currency),
            refunds: BTreeMap::new(),
            disputes: BTreeMap::new(),
        });
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        let noted = match wire::kind(&whole) {
            None => None,
            Some("refund.created" | "refund.updated" | "refund.failed") => self.note_refund(&whole),
            Some("charge.dispute.created" | "charge.dispute.updated" | "charge.dispute.closed") => self.note_dispute(&whole),
            Some(_) => Some(()),
        };
        if noted.is_some() { 200 } else { 400 }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let file = self.files.get(order_id)?;
        let open = file.refunds_that_are(RefundIs::Pending) + file.refunds_that_are(RefundIs::Waiting);
        let left = (file.captured - file.paid() - open - file.disputed()).max(0);
        let [paid, left, disputed] = [file.paid(), left, file.disputed()].map(|amount| wire::major(amount, &file.currency));
        Some(json!({
            "orderId": order_id,
            "status": file.status(),
            "refundedAmount": paid,
            "availableToRefundAmount": left,
            "chargedBackAmount": disputed,
        }))
    }
}

impl Desk {
    fn file(&mut self, payment: &wire::Payment, currency: &str) -> Option<&mut File> {
        let is_of = |file: &&mut File| payment.ids().any(|id| file.payments.iter().any(|known| known == id));
        self.files.values_mut().find(is_of).filter(|file| file.currency.eq_ignore_ascii_case(currency))
    }

    fn note_refund(&mut self, whole: &Value) -> Option<()> {
        let event = wire::event(whole)?;
        let refund = wire::refund(&event.object)?;
        let is = match refund.status.as_str() {
            "requires_action" => RefundIs::Waiting,
            "pending" => RefundIs::Pending,
            "succeeded" => RefundIs::Done,
            "failed" | "canceled" => RefundIs::Failed,
            _ => return None,
        };
        let file = self.file(&refund.payment, &refund.currency).filter(|file| refund.amount <= file.captured)?;
        Note { second: event.created, is, amount: refund.amount }.write(&mut file.refunds, refund.id);
        Some(())
    }

    fn note_dispute(&mut self, whole: &Value) -> Option<()> {
        let event = wire::event(whole)?;
        let dispute = wire::dispute(&event.object)?;
        let is = match dispute.status.as_str() {
            "won" | "prevented" => DisputeIs::Won,
            "lost" => DisputeIs::Lost,
            status if status.starts_with("warning_") => DisputeIs::Asked,
            "needs_response" | "under_review" | "appeal_needs_response" | "appeal_under_review" => DisputeIs::Open,
            _ => return None,
        };
        let file = self.file(&dispute.payment, &dispute.currency)?;
        Note { second: event.created, is, amount: dispute.amount }.write(&mut file.disputes, dispute.id);
        Some(())
    }
}
