//! Families of events: which events tell of a change, and what each was written to tell.

use super::payload::{FAILED_CHARGE, Payload, Payloads, Writer};
use crate::{
    corpus::ObjectKind,
    domain::{Amount, RefundState},
    model::{Change, Entry, PictureIn, Tell},
    plan::FailureShape,
    provider::{Message, Scene},
};

/// Names that no catalogue has, for events that a consumer must acknowledge without knowing them.
const UNKNOWN_TYPES: [&str; 4] =
    ["order.loyalty.adjusted", "payout.reconciliation.created", "order.charge.insight.updated", "refund_policy.updated"];

/// What sales transactions may be of besides refunds and chargebacks: "type" of the list of sales transactions
/// (<https://github.com/DigitalRiver/GitBook/blob/8f2dee13ba3d5fc9b5279b89e6e7f07afbf5b53b/financial-reporting/sales-transactions/returning-a-list-of-sales-transactions.md>).
pub(super) const FURTHER_SALES: [&str; 7] =
    ["replacement_refund", "declined_settlement", "replacement", "replacement_return", "fraud_detection", "return", "sale"];

/// The events that tell of a change.
pub(super) fn tell(payloads: &Payloads, scene: &Scene<'_>, change: &Change) -> Vec<Message> {
    let mut family = Family { payloads, scene, messages: Vec::new() };
    match change {
        Change::Opened { refund, charges, .. } => {
            family.refund("refund.created", *refund);
            family.refund("refund.pending", *refund);
            for &charge in charges {
                family.charge("order.charge.refund.pending", charge, PictureIn::ChargeRefundEvent);
            }
        }
        Change::Moved { refunds, charges, to, shape, .. } => family.moved(refunds, charges, *to, *shape),
        Change::ChargedBack => {
            family.order("order.chargeback");
            let (amount, fraud) = scene.truth.chargebacks.last().copied().unwrap_or_default();
            family.sale(if fraud { "fraud_chargeback" } else { "non_fraud_chargeback" }, amount);
        }
        Change::Disputed => family.order("order.dispute"),
        Change::DisputeResolved => family.order("order.dispute.resolved"),
        Change::MetadataUpdated { refund } => family.refund("refund.updated", *refund),
        // Its palette has no disputes that are objects.
        Change::Dispute { .. } => {}
        Change::Other { event } => family.other(*event),
    }
    family.messages
}

/// The events that tell of a new order.
pub(super) fn introduce(payloads: &Payloads, scene: &Scene<'_>) -> Vec<Message> {
    let mut family = Family { payloads, scene, messages: Vec::new() };
    family.order("order.accepted");
    family.order("order.complete");
    family.messages
}

/// An event of a type that nobody has heard of.
pub(super) fn unknown(scene: &Scene<'_>, name: u8) -> Message {
    let kind = UNKNOWN_TYPES[usize::from(name) % UNKNOWN_TYPES.len()];
    let id = scene.mint.uuid("unknown", scene.moment * 256 + u64::from(name));
    let object = scene.mint.uuid("unknown object", scene.moment);
    let (order, time) = (&scene.names.order, &scene.times[0]);
    let amount = Amount::from_minor(1, scene.currency.digits()).to_wire();
    let body = format!(
        r#"{{"id":"{id}","type":"{kind}","data":{{"object":{{"id":"{object}","orderId":"{order}","currency":"{}","amount":{amount},"state":"complete","liveMode":false}}}},"liveMode":false,"createdTime":"{time}","digitalriverVersion":"2021-12-13"}}"#,
        scene.currency
    );
    Message::new(id, kind, Some(order), time.clone(), Vec::new(), body)
}

struct Family<'a> {
    payloads: &'a Payloads,
    scene: &'a Scene<'a>,
    messages: Vec<Message>,
}

impl<'a> Family<'a> {
    fn moved(&mut self, refunds: &[usize], charges: &[usize], to: RefundState, shape: FailureShape) {
        let (refund_type, charge_type) = match to {
            RefundState::Pending | RefundState::Requested => ("refund.pending", "order.charge.refund.pending"),
            RefundState::PendingInformation => ("refund.pending_information", "order.charge.refund.pending_information"),
            RefundState::Succeeded => ("refund.complete", "order.charge.refund.complete"),
            RefundState::Failed | RefundState::Cancelled => ("refund.failed", FAILED_CHARGE),
        };
        for &refund in refunds {
            self.refund(refund_type, refund);
            if to == RefundState::Succeeded && self.scene.fancy("succeeded", refund as u64) {
                self.refund("refund.succeeded", refund);
            }
        }
        if to == RefundState::Failed && shape == FailureShape::Order {
            self.order("order.charge.refund.failed");
        } else {
            for &charge in charges {
                // What the other charge events say of money was said by an event of this type before.
                let within = if to == RefundState::Succeeded { PictureIn::Completion } else { PictureIn::ChargeRefundEvent };
                self.charge(charge_type, charge, within);
            }
        }
        if to == RefundState::Succeeded {
            self.order("order.refunded");
            self.named("order.credit_memo.created", |writer, payload| writer.other(payload), Vec::new());
            let paid = refunds.iter().map(|&refund| self.scene.truth.refunds[refund].paid).sum();
            self.sale("refund", paid);
        }
    }

    fn writer(&self) -> Writer<'a> {
        Writer { payloads: self.payloads, scene: self.scene, event: self.messages.len().min(self.scene.times.len().saturating_sub(1)) }
    }

    fn push(&mut self, payload: &Payload, about_order: bool, tells: Vec<Tell>, body: String) {
        let writer = self.writer();
        let order = about_order.then_some(self.scene.names.order.as_str());
        let time = self.scene.times[writer.event].clone();
        self.messages.push(Message::new(writer.event_id(), &payload.kind, order, time, tells, body));
    }

    fn named(&mut self, name: &str, write: impl FnOnce(&Writer<'_>, &Payload) -> String, tells: Vec<Tell>) {
        // Every name used here was checked when the corpus was loaded.
        if let Some(payload) = self.payloads.get(name) {
            let body = write(&self.writer(), payload);
            self.push(payload, true, tells, body);
        }
    }

    fn amount(&self, minor: u64) -> Amount {
        Amount::from_minor(minor, self.scene.currency.digits())
    }

    fn refund(&mut self, name: &str, refund: usize) {
        let truth = &self.scene.truth.refunds[refund];
        let tell = Tell::Refund {
            id: self.scene.names.refunds[refund].clone(),
            state: truth.state,
            amount: self.amount(truth.requested),
            refunded_amount: self.amount(truth.paid),
            // An update says that something else has changed; whoever passes it over has missed nothing.
            in_passing: name == "refund.updated",
        };
        self.named(name, |writer, payload| writer.refund(payload, refund), vec![tell]);
    }

    fn picture(&self, charge: usize, within: PictureIn) -> Tell {
        let entry = |refund: &crate::model::ChargeRefund| Entry { state: refund.state, amount: self.amount(refund.amount) };
        Tell::Charge {
            id: self.scene.names.charges[charge].clone(),
            within,
            refunds: self.scene.truth.charges[charge].refunds.iter().map(entry).collect(),
        }
    }

    fn charge(&mut self, name: &str, charge: usize, within: PictureIn) {
        let tells = vec![self.picture(charge, within)];
        self.named(name, |writer, payload| writer.charge(payload, charge), tells);
    }

    fn order_tells(&self, chargeback: bool) -> Vec<Tell> {
        let truth = self.scene.truth;
        let mut tells = vec![Tell::Order {
            refunded_amount: self.amount(truth.paid_back()),
            available_to_refund_amount: self.amount(truth.offered()),
            charged_back_amount: self.amount(truth.charged_back()),
        }];
        if chargeback {
            tells.push(Tell::Chargeback);
        }
        tells.extend((0..truth.charges.len()).map(|charge| self.picture(charge, PictureIn::Elsewhere)));
        tells
    }

    fn order(&mut self, name: &str) {
        let tells = self.order_tells(name == "order.chargeback");
        self.named(name, |writer, payload| writer.order(payload), tells);
    }

    fn sale(&mut self, kind: &str, amount: u64) {
        self.named("sales_transaction.created", |writer, payload| writer.sale(payload, kind, amount), Vec::new());
    }

    fn other(&mut self, event: u16) {
        if let Some(kind) = usize::from(event).checked_sub(self.payloads.others()).and_then(|further| FURTHER_SALES.get(further)) {
            // Of a part of the order that could be a refund of it.
            return self.sale(kind, self.scene.truth.captured.div_ceil(2));
        }
        let Some(payload) = self.payloads.other(event) else { return };
        let writer = self.writer();
        match payload.object {
            ObjectKind::Order => {
                let body = writer.order(payload);
                self.push(payload, true, self.order_tells(false), body);
            }
            ObjectKind::Charge => {
                let charge = usize::from(event) % self.scene.truth.charges.len();
                let body = writer.charge(payload, charge);
                self.push(payload, true, vec![self.picture(charge, PictureIn::Elsewhere)], body);
            }
            _ => {
                let body = writer.other(payload);
                self.push(payload, true, Vec::new(), body);
            }
        }
    }
}
