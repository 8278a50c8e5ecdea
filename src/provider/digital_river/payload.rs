//! Bodies of events: templates made from the examples. What is written into them is in `write`.

mod write;

use std::collections::BTreeMap;

use crate::{
    corpus::{Corpus, CorpusError, ObjectKind},
    json::Value,
    provider::{Template, mode},
};

pub(super) use write::Writer;

/// The event types that tell of refunds, chargebacks and disputes; the others are traffic.
const REFUND_FAMILY: [&str; 16] = [
    "refund.created",
    "refund.pending",
    "refund.pending_information",
    "refund.complete",
    "refund.succeeded",
    "refund.failed",
    "refund.updated",
    "order.charge.refund.pending",
    "order.charge.refund.pending_information",
    "order.charge.refund.complete",
    "order.charge.refund.failed",
    "order.refunded",
    "order.chargeback",
    "order.dispute",
    "order.dispute.resolved",
    "sales_transaction.created",
];

/// The charge-shaped variant of an event whose documented example carries an order.
pub(super) const FAILED_CHARGE: &str = "order.charge.refund.failed.charge";

/// Where facts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    EventId,
    EventTime,
    WebhookIds,
    Id,
    Created,
    Currency,
    Amount,
    Captured,
    Refunded,
    Available,
    OrderId,
    State,
    Items,
    Charges,
    Captures,
    HasRefunds,
    Refunds,
    Source,
    Type,
    Reason,
    FailureReason,
    Metadata,
    Updated,
    Token,
    Quantity,
    Total,
    Subtotal,
    Tax,
    Shipping,
    CancelledAmount,
    Cancels,
    Sku,
    Nothing,
}

/// A template and what its object is.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    pub(super) kind: String,
    pub(super) object: ObjectKind,
    template: Template<Place>,
    /// The same, for orders and charges of which more is said than that all was captured.
    full: Option<Template<Place>>,
}

/// All templates of the provider.
#[derive(Clone, Debug)]
pub(super) struct Payloads {
    by_name: BTreeMap<String, Payload>,
    others: Vec<String>,
    charge: Template<Place>,
    full_charge: Template<Place>,
    item: Template<Place>,
    full_item: Template<Place>,
}

impl Payloads {
    pub(super) fn new(corpus: &Corpus) -> Result<Payloads, CorpusError> {
        let mut by_name = BTreeMap::new();
        let mut others = Vec::new();
        for entry in &corpus.catalogue {
            let name = entry.example.rsplit('/').next().and_then(|file| file.strip_suffix(".json")).unwrap_or(&entry.kind);
            let Some(example) = corpus.examples.get(name) else { continue };
            let example = mode::of_tests(example.clone(), super::MODE_MEMBER);
            by_name.insert(entry.kind.clone(), payload(&entry.kind, entry.object, &example));
            if !REFUND_FAMILY.contains(&entry.kind.as_str()) {
                others.push(entry.kind.clone());
            }
        }
        if let Some(example) = corpus.examples.get(FAILED_CHARGE) {
            by_name.insert(FAILED_CHARGE.to_owned(), payload("order.charge.refund.failed", ObjectKind::Charge, example));
        }
        let missing = |what: &str| CorpusError {
            file: format!("corpus/{}", super::NAME),
            problem: format!("{what} is missing; payloads are made from it"),
        };
        for name in REFUND_FAMILY.iter().copied().chain([FAILED_CHARGE, "order.credit_memo.created"]) {
            if !by_name.contains_key(name) {
                return Err(missing(&format!("an example of `{name}`")));
            }
        }
        let part = |pointer: &str| -> Result<&Value, CorpusError> {
            let order = corpus.examples.get("order.refunded").and_then(|order| order.pointer(pointer));
            order.ok_or_else(|| missing(&format!("{pointer} in the example of `order.refunded`")))
        };
        let (charge, item) = (part("/data/object/payment/charges/0")?, part("/data/object/items/0")?);
        let full_charge = Template::new(charge, &[&CHARGE_PLACES[..], &[("/cancels", Place::Cancels)]].concat());
        let full_item = Template::new(item, &[&ITEM_PLACES[..], &FULL_ITEM_PLACES].concat());
        let (charge, item) = (Template::new(charge, &CHARGE_PLACES), Template::new(item, &ITEM_PLACES));
        Ok(Payloads { by_name, others, charge, full_charge, item, full_item })
    }

    /// How many event types are only traffic.
    pub(super) fn others(&self) -> usize {
        self.others.len()
    }

    /// One of the types that are only traffic, modulo how many there are.
    pub(super) fn other(&self, index: u16) -> Option<&Payload> {
        self.by_name.get(self.others.get(usize::from(index) % self.others.len().max(1))?)
    }

    /// The payload of this name. All names that the families use were checked when the corpus was loaded.
    pub(super) fn get(&self, name: &str) -> Option<&Payload> {
        self.by_name.get(name)
    }
}

const CHARGE_PLACES: [(&str, Place); 9] = [
    ("/id", Place::Id),
    ("/createdTime", Place::Created),
    ("/currency", Place::Currency),
    ("/amount", Place::Amount),
    ("/state", Place::State),
    ("/captures", Place::Captures),
    ("/refunded", Place::HasRefunds),
    ("/refunds", Place::Refunds),
    ("/sourceId", Place::Source),
];

const ITEM_PLACES: [(&str, Place); 3] = [("/id", Place::Id), ("/amount", Place::Amount), ("/availableToRefundAmount", Place::Available)];

/// What an item says besides, where orders are not plain.
const FULL_ITEM_PLACES: [(&str, Place); 4] =
    [("/quantity", Place::Quantity), ("/skuId", Place::Sku), ("/state", Place::State), ("/tax/amount", Place::Nothing)];

/// What an order says besides, where it is not plain: its parts add up to its total.
const FULL_ORDER_PLACES: [(&str, Place); 6] = [
    ("/data/object/subtotal", Place::Subtotal),
    ("/data/object/totalTax", Place::Tax),
    ("/data/object/totalShipping", Place::Shipping),
    ("/data/object/shippingChoice/amount", Place::Shipping),
    ("/data/object/shippingChoice/taxAmount", Place::Tax),
    ("/data/object/cancelledAmount", Place::CancelledAmount),
];

const ENVELOPE: [(&str, Place); 3] = [("/id", Place::EventId), ("/createdTime", Place::EventTime), ("/webhookIds", Place::WebhookIds)];

fn payload(kind: &str, object: ObjectKind, example: &Value) -> Payload {
    let mut places = ENVELOPE.to_vec();
    let order: [(&str, Place); 12] = [
        ("/data/object/id", Place::Id),
        ("/data/object/createdTime", Place::Created),
        ("/data/object/currency", Place::Currency),
        ("/data/object/totalAmount", Place::Total),
        ("/data/object/items", Place::Items),
        ("/data/object/payment/charges", Place::Charges),
        ("/data/object/payment/session/amountContributed", Place::Total),
        ("/data/object/refundedAmount", Place::Refunded),
        ("/data/object/capturedAmount", Place::Captured),
        ("/data/object/availableToRefundAmount", Place::Available),
        ("/data/object/updatedTime", Place::Updated),
        ("/data/object/payment/sources/0/amount", Place::Captured),
    ];
    let charge: [(&str, Place); 10] = [
        ("/data/object/id", Place::Id),
        ("/data/object/createdTime", Place::Created),
        ("/data/object/currency", Place::Currency),
        ("/data/object/amount", Place::Amount),
        ("/data/object/state", Place::State),
        ("/data/object/orderId", Place::OrderId),
        ("/data/object/captures", Place::Captures),
        ("/data/object/refunded", Place::HasRefunds),
        ("/data/object/refunds", Place::Refunds),
        ("/data/object/sourceId", Place::Source),
    ];
    let refund: [(&str, Place); 15] = [
        ("/data/object/id", Place::Id),
        ("/data/object/amount", Place::Amount),
        ("/data/object/createdTime", Place::Created),
        ("/data/object/currency", Place::Currency),
        ("/data/object/items", Place::Items),
        ("/data/object/orderId", Place::OrderId),
        ("/data/object/refundedAmount", Place::Refunded),
        ("/data/object/state", Place::State),
        ("/data/object/tokenInformation", Place::Token),
        ("/data/object/charges", Place::Charges),
        ("/data/object/type", Place::Type),
        ("/data/object/reason", Place::Reason),
        ("/data/object/failureReason", Place::FailureReason),
        ("/data/object/metadata", Place::Metadata),
        ("/data/object/updatedTime", Place::Updated),
    ];
    let sale: [(&str, Place); 8] = [
        ("/data/object/id", Place::Id),
        ("/data/object/createdTime", Place::Created),
        ("/data/object/saleTime", Place::Updated),
        ("/data/object/currency", Place::Currency),
        ("/data/object/amount", Place::Amount),
        ("/data/object/type", Place::Type),
        ("/data/object/orderId", Place::OrderId),
        ("/data/object/quantity", Place::Quantity),
    ];
    match object {
        ObjectKind::Order => places.extend(order.into_iter().filter(|(pointer, _)| !pointer.contains("/0/"))),
        ObjectKind::Charge => places.extend(charge),
        ObjectKind::Refund => places.extend(refund),
        ObjectKind::SalesTransaction => places.extend(sale),
        ObjectKind::Dispute | ObjectKind::PaymentIntent | ObjectKind::Other => {
            let known = [("/data/object/id", Place::Id), ("/data/object/orderId", Place::OrderId)];
            places.extend(known.into_iter().filter(|(pointer, _)| example.pointer(pointer).is_some()));
        }
    }
    let more: &[(&str, Place)] = match object {
        ObjectKind::Order => &FULL_ORDER_PLACES,
        ObjectKind::Charge => &[("/data/object/cancels", Place::Cancels)],
        _ => &[],
    };
    let full = (!more.is_empty()).then(|| Template::new(example, &[&places, more].concat()));
    Payload { kind: kind.to_owned(), object, template: Template::new(example, &places), full }
}
