//! Writes the facts of a change into the templates.

use super::{Payload, Payloads, Place};
use crate::{
    domain::RefundState,
    model::ChargeRefund,
    plan::Extra,
    provider::{Mint, Scene, Template, push_amount, push_plain, template::push_number, texts},
};

/// More events than one change has; numbers their ids.
const MOST_EVENTS: u64 = 1 << 20;

/// One event about to be written: the payload, the scene and which of the scene's events it is.
pub(in crate::provider::digital_river) struct Writer<'a> {
    pub(in crate::provider::digital_river) payloads: &'a Payloads,
    pub(in crate::provider::digital_river) scene: &'a Scene<'a>,
    /// Which event of the family.
    pub(in crate::provider::digital_river) event: usize,
}

impl Writer<'_> {
    /// A body of about so many bytes. `fill` writes what is not of the envelope.
    fn body(&self, template: &Template<Place>, capacity: usize, fill: &dyn Fn(Place, &mut String)) -> String {
        let mut body = String::with_capacity(capacity);
        template.render(&mut body, &mut |place, out| {
            if !self.envelope(place, out) {
                fill(place, out);
            }
        });
        body
    }

    fn envelope(&self, place: Place, out: &mut String) -> bool {
        match place {
            Place::EventId => push_id(out, self.scene.mint, "event", self.event_number()),
            Place::EventTime => push_plain(out, self.scene.times[self.event].as_str()),
            Place::WebhookIds => self.webhook_ids(out),
            _ => return false,
        }
        true
    }

    pub(in crate::provider::digital_river) fn event_id(&self) -> String {
        self.scene.mint.uuid("event", self.event_number())
    }

    fn event_number(&self) -> u64 {
        self.scene.moment * MOST_EVENTS + self.event as u64
    }

    fn webhook_ids(&self, out: &mut String) {
        let count = self.scene.variant("webhooks", self.event as u64, 4);
        if count == 0 {
            return;
        }
        out.push('[');
        for index in 0..count {
            if index > 0 {
                out.push(',');
            }
            push_id(out, Mint::new(0), "webhook", index);
        }
        out.push(']');
    }

    fn amount(&self, minor: u64, out: &mut String) {
        push_amount(out, minor, self.scene.currency.digits());
    }

    /// A body with a refund.
    pub(in crate::provider::digital_river) fn refund(&self, payload: &Payload, refund: usize) -> String {
        let scene = self.scene;
        let truth = &scene.truth.refunds[refund];
        self.body(&payload.template, 1500, &|place, out| match place {
            Place::Id => push_plain(out, &scene.names.refunds[refund]),
            Place::Amount if truth.items.is_empty() => self.amount(truth.requested, out),
            Place::Created => push_plain(out, scene.refund_times[refund].as_str()),
            Place::Currency => push_plain(out, scene.currency.code()),
            Place::Items => self.refund_items(refund, out),
            Place::OrderId => push_plain(out, &scene.names.order),
            Place::Refunded => self.amount(truth.paid, out),
            Place::State => push_plain(out, truth.state.as_str()),
            Place::Token if truth.state == RefundState::PendingInformation => self.token(refund, out),
            Place::Charges if truth.state != RefundState::Pending => self.refund_charges(refund, out),
            Place::Type => {
                let kinds = ["", "shipping", "fees", "tax"];
                let kind = kinds[usize::from(truth.kind) % kinds.len()];
                if !kind.is_empty() {
                    push_plain(out, kind);
                }
            }
            Place::Reason if truth.kind >= 8 => out.extend(texts::reason(truth.kind)),
            Place::Reason if truth.kind >= 4 => push_plain(out, "requested_by_customer"),
            Place::FailureReason if truth.state == RefundState::Failed && truth.explained => {
                push_plain(out, "The payment method does not take refunds any more.");
            }
            Place::Metadata if truth.revision > 0 => {
                out.push_str("{\"revision\":\"");
                out.push_str(&truth.revision.to_string());
                out.push_str("\"}");
            }
            Place::Updated if truth.revision > 0 => push_plain(out, scene.times[self.event].as_str()),
            _ => {}
        })
    }

    fn refund_items(&self, refund: usize, out: &mut String) {
        let scene = self.scene;
        let truth = &scene.truth.refunds[refund];
        out.push('[');
        for (number, &(item, asked, paid)) in truth.items.iter().enumerate() {
            if number > 0 {
                out.push(',');
            }
            out.push_str("{\"itemId\":");
            push_plain(out, &scene.names.items[item]);
            out.push_str(",\"skuId\":");
            self.sku(item, out);
            out.push_str(",\"quantity\":");
            push_number(out, scene.truth.pieces(item).into());
            out.push_str(",\"amount\":");
            self.amount(asked, out);
            if !(scene.truth.has(Extra::Sparse) && truth.state.is_open()) {
                out.push_str(",\"refundedAmount\":");
                self.amount(paid, out);
            }
            out.push('}');
        }
        out.push(']');
    }

    fn sku(&self, item: usize, out: &mut String) {
        let same = self.scene.truth.has(Extra::SameSku) && item == 1;
        push_id(out, self.scene.mint, "sku", if same { 0 } else { item as u64 });
    }

    fn token(&self, refund: usize, out: &mut String) {
        out.push_str("{\"token\":");
        push_id(out, self.scene.mint, "token", refund as u64);
        out.push_str(",\"expiresTime\":");
        let month = 30 * 24 * 3600 * 1_000_000;
        push_plain(out, crate::domain::EventTime::from_micros(self.scene.times[self.event].micros() + month).as_str());
        out.push('}');
    }

    /// The charges that pay a refund. Left out where charge refunds are aggregated: their amounts are then not this
    /// refund's, and no document says what stands here.
    fn refund_charges(&self, refund: usize, out: &mut String) {
        let scene = self.scene;
        if scene.truth.aggregated_with(refund) > 1 {
            return;
        }
        let group = scene.truth.refunds[refund].group;
        let mut separator = "[";
        for (index, charge) in scene.truth.charges.iter().enumerate() {
            let Some(entry) = charge.refunds.iter().find(|entry| entry.group == group) else { continue };
            out.push_str(separator);
            separator = ",";
            out.push_str("{\"id\":");
            push_plain(out, &scene.names.charges[index]);
            out.push_str(",\"captured\":true,\"refunded\":true,\"refunds\":");
            self.charge_refunds(index, std::iter::once(entry), false, out);
            out.push_str(",\"sourceId\":");
            push_id(out, scene.mint, "source", index as u64);
            out.push('}');
        }
        if separator == "," {
            out.push(']');
        }
    }

    fn charge_refunds<'t>(&self, charge: usize, entries: impl Iterator<Item = &'t ChargeRefund>, with_ids: bool, out: &mut String) {
        let scene = self.scene;
        out.push('[');
        for (number, entry) in entries.enumerate() {
            out.push_str(if number > 0 { ",{" } else { "{" });
            if with_ids {
                out.push_str("\"id\":");
                push_id(out, scene.mint, "charge refund", (scene.order * 1000 + entry.group * 8 + charge) as u64);
                out.push(',');
            }
            out.push_str("\"createdTime\":");
            let oldest = scene.truth.refunds.iter().position(|refund| refund.group == entry.group).unwrap_or(0);
            push_plain(out, scene.refund_times[oldest].as_str());
            out.push_str(",\"amount\":");
            self.amount(entry.amount, out);
            out.push_str(",\"state\":");
            push_plain(out, charge_word(entry.state));
            if with_ids && entry.state == RefundState::Failed && scene.fancy("failure code", entry.group as u64) {
                out.push_str(",\"failureCode\":\"failed-request\",\"failureMessage\":\"The payment service could not refund.\"");
            }
            out.push('}');
        }
        out.push(']');
    }

    /// What is in the places of a charge, on its own (`with_ids`) or within an order.
    fn charge_place(&self, place: Place, charge: usize, with_ids: bool, out: &mut String) {
        let scene = self.scene;
        let truth = &scene.truth.charges[charge];
        match place {
            Place::Id => push_plain(out, &scene.names.charges[charge]),
            Place::Created => push_plain(out, scene.created.as_str()),
            Place::Currency => push_plain(out, scene.currency.code()),
            Place::Amount => self.amount(truth.captured + truth.cancelled, out),
            Place::Cancels if truth.cancelled > 0 => self.parts_of_charge("cancel", charge, &[truth.cancelled], out),
            Place::State => push_plain(out, if scene.fancy("charge state", charge as u64) { "processing" } else { "complete" }),
            Place::OrderId => push_plain(out, &scene.names.order),
            // What is delivered in parts is captured in parts: where a part was cancelled, there was another before.
            Place::Captures if truth.cancelled > 0 && truth.captured > 1 => {
                let second = truth.captured / 2;
                self.parts_of_charge("capture", charge, &[truth.captured - second, second], out);
            }
            Place::Captures => self.parts_of_charge("capture", charge, &[truth.captured], out),
            Place::HasRefunds => out.push_str(if truth.refunds.is_empty() { "false" } else { "true" }),
            Place::Refunds if !truth.refunds.is_empty() => self.charge_refunds(charge, truth.refunds.iter(), with_ids, out),
            Place::Source => push_id(out, scene.mint, "source", charge as u64),
            _ => {}
        }
    }

    /// The list of what of this kind became of a charge, of captures or of cancels, by their amounts.
    fn parts_of_charge(&self, kind: &str, charge: usize, amounts: &[u64], out: &mut String) {
        let scene = self.scene;
        for (number, &minor) in amounts.iter().enumerate() {
            out.push_str(if number > 0 { ",{\"id\":" } else { "[{\"id\":" });
            push_id(out, scene.mint, kind, (number * 1000 + scene.order * 8 + charge) as u64);
            out.push_str(",\"createdTime\":");
            push_plain(out, scene.created.as_str());
            out.push_str(",\"amount\":");
            self.amount(minor, out);
            out.push_str(",\"state\":\"complete\"}");
        }
        out.push(']');
    }

    /// A body with a charge.
    pub(in crate::provider::digital_river) fn charge(&self, payload: &Payload, charge: usize) -> String {
        let full = payload.full.as_ref().filter(|_| self.scene.truth.charges[charge].cancelled > 0);
        self.body(full.unwrap_or(&payload.template), 1500, &|place, out| self.charge_place(place, charge, true, out))
    }

    /// A body with the order.
    pub(in crate::provider::digital_river) fn order(&self, payload: &Payload) -> String {
        let scene = self.scene;
        let truth = scene.truth;
        // Shipping is taxed, items are not: what must add up adds up without a rate.
        let tax = truth.beside_items() / 3;
        let shipping = truth.beside_items() - tax;
        let total = truth.captured + truth.cancelled();
        let full = payload.full.as_ref().filter(|_| self.is_full());
        self.body(full.unwrap_or(&payload.template), 6000, &|place, out| match place {
            Place::Id => push_plain(out, &scene.names.order),
            Place::Created => push_plain(out, scene.created.as_str()),
            Place::Updated => push_plain(out, scene.times[self.event].as_str()),
            Place::Currency => push_plain(out, scene.currency.code()),
            Place::Captured => self.amount(truth.captured, out),
            Place::Total => self.amount(total, out),
            Place::Subtotal => self.amount(total - tax, out),
            Place::Tax => self.amount(tax, out),
            Place::Shipping => self.amount(shipping, out),
            Place::CancelledAmount => self.amount(truth.cancelled(), out),
            Place::Refunded if truth.paid_back() > 0 || scene.fancy("zero", 0) => self.amount(truth.paid_back(), out),
            Place::Available => self.amount(truth.offered(), out),
            Place::Items => self.order_items(out),
            Place::Charges => {
                out.push('[');
                for charge in 0..truth.charges.len() {
                    if charge > 0 {
                        out.push(',');
                    }
                    let is_full = truth.charges[charge].cancelled > 0;
                    let template = if is_full { &self.payloads.full_charge } else { &self.payloads.charge };
                    template.render(out, &mut |place, out| self.charge_place(place, charge, false, out));
                }
                out.push(']');
            }
            _ => {}
        })
    }

    /// Whether an order says more than that all was captured.
    fn is_full(&self) -> bool {
        const MORE: [Extra; 5] = [Extra::Quantities, Extra::FreeItem, Extra::SameSku, Extra::Shipping, Extra::Cancelled];
        MORE.iter().any(|extra| self.scene.truth.has(*extra))
    }

    fn order_items(&self, out: &mut String) {
        let scene = self.scene;
        let template = if self.is_full() { &self.payloads.full_item } else { &self.payloads.item };
        out.push('[');
        for (item, &amount) in scene.truth.items.iter().enumerate() {
            if item > 0 {
                out.push(',');
            }
            template.render(out, &mut |place, out| match place {
                Place::Id => push_plain(out, &scene.names.items[item]),
                Place::Amount => self.amount(amount, out),
                Place::Available => self.amount(scene.truth.offered().min(amount), out),
                Place::Quantity => push_number(out, scene.truth.pieces(item).into()),
                Place::Sku => self.sku(item, out),
                Place::State => push_plain(out, "fulfilled"),
                Place::Nothing => self.amount(0, out),
                _ => {}
            });
        }
        let cancelled = scene.truth.cancelled();
        if cancelled > 0 {
            // What was cancelled was an item too.
            out.push(',');
            template.render(out, &mut |place, out| match place {
                Place::Id => push_id(out, scene.mint, "cancelled item", scene.order as u64),
                Place::Amount => self.amount(cancelled, out),
                Place::Available | Place::Nothing => self.amount(0, out),
                Place::Quantity => out.push('1'),
                Place::Sku => push_id(out, scene.mint, "cancelled sku", scene.order as u64),
                Place::State => push_plain(out, "cancelled"),
                _ => {}
            });
        }
        out.push(']');
    }

    /// A body with a sales transaction of this type and amount.
    pub(in crate::provider::digital_river) fn sale(&self, payload: &Payload, kind: &str, amount: u64) -> String {
        let scene = self.scene;
        self.body(&payload.template, 1200, &|place, out| match place {
            Place::Id => push_id(out, scene.mint, "sale", scene.moment),
            Place::Created => push_plain(out, scene.times[self.event].as_str()),
            Place::Updated => push_plain(out, scene.created.as_str()),
            Place::Currency => push_plain(out, scene.currency.code()),
            Place::Amount => self.amount(amount, out),
            Place::Type => push_plain(out, kind),
            Place::OrderId => push_plain(out, &scene.names.order),
            Place::Quantity => out.push('1'),
            _ => {}
        })
    }

    /// A body that has nothing to do with refunds.
    pub(in crate::provider::digital_river) fn other(&self, payload: &Payload) -> String {
        let scene = self.scene;
        self.body(&payload.template, 1200, &|place, out| match place {
            Place::Id => push_id(out, scene.mint, "other", scene.moment * 64 + self.event as u64),
            Place::OrderId => push_plain(out, &scene.names.order),
            _ => {}
        })
    }
}

/// Appends an id in quotes.
fn push_id(out: &mut String, mint: Mint, what: &str, index: u64) {
    out.push('"');
    mint.push_uuid(out, what, index);
    out.push('"');
}

/// The word that charges use for a state.
fn charge_word(state: RefundState) -> &'static str {
    match state {
        RefundState::Succeeded => "complete",
        other => other.as_str(),
    }
}
