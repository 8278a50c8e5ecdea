//! The members that are read of events and their objects, each by itself, so that a strange one that nobody needs does no
//! harm.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::reference::{bank::Fault, fault::Faults, json::Object};

/// What stands around every event's object.
#[derive(Debug)]
pub(in crate::reference) struct EnvelopeMembers<'a> {
    pub(super) id: Option<&'a RawValue>,
    pub(in crate::reference) kind: Option<&'a RawValue>,
    pub(super) created_time: Option<&'a RawValue>,
    pub(super) live_mode: Option<&'a RawValue>,
    /// The version that the body is of, with providers that have several.
    pub(super) version: Option<&'a RawValue>,
}

/// What stands around an object, and what is read of its `data`.
pub(super) trait Around<'a>: Deserialize<'a> {
    type Data;

    fn parts(self) -> (EnvelopeMembers<'a>, Option<Self::Data>);
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NestedEnvelope<'a, D> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    data: Option<D>,
    #[serde(borrow)]
    created_time: Option<&'a RawValue>,
    #[serde(borrow)]
    live_mode: Option<&'a RawValue>,
}

impl<'a, D: Deserialize<'a>> Around<'a> for NestedEnvelope<'a, D> {
    type Data = D;

    fn parts(self) -> (EnvelopeMembers<'a>, Option<D>) {
        let NestedEnvelope { id, kind, data, created_time, live_mode } = self;
        (EnvelopeMembers { id, kind, created_time, live_mode, version: None }, data)
    }
}

/// The same, where names are written with underscores.
#[derive(Deserialize)]
pub(super) struct FlatEnvelope<'a, D> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    data: Option<D>,
    #[serde(borrow)]
    created_at: Option<&'a RawValue>,
}

impl<'a, D: Deserialize<'a>> Around<'a> for FlatEnvelope<'a, D> {
    type Data = D;

    fn parts(self) -> (EnvelopeMembers<'a>, Option<D>) {
        let FlatEnvelope { id, kind, data, created_at } = self;
        (EnvelopeMembers { id, kind, created_time: created_at, live_mode: None, version: None }, data)
    }
}

#[derive(Deserialize)]
pub(super) struct Data<'a> {
    #[serde(borrow)]
    pub(super) object: Option<Object<ObjectMembers<'a>>>,
}

/// The members that are needed of a refund, a charge or an order.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::reference) struct ObjectMembers<'a> {
    #[serde(borrow)]
    pub(in crate::reference) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(in crate::reference) order_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(in crate::reference) amount: Option<&'a RawValue>,
    /// Whether the object itself says that it is no test, with providers whose objects do.
    #[serde(skip)]
    pub(super) live_mode: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) currency: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) state: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(in crate::reference) refunded_amount: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) available_to_refund_amount: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) items: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) refunds: Option<&'a RawValue>,
    /// The captures of a charge; only read for a fault.
    #[serde(borrow)]
    pub(super) captures: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) charges: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(in crate::reference) payment: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) failure_reason: Option<&'a RawValue>,
    /// Only read for a fault, as is what else a refund says of itself.
    #[serde(borrow)]
    pub(in crate::reference) reason: Option<&'a RawValue>,
    #[serde(skip)]
    pub(in crate::reference) metadata: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    pub(in crate::reference) kind: Option<&'a RawValue>,
    /// What arrives on the customer's account; only read for a fault.
    #[serde(skip)]
    pub(super) elsewhere: Option<&'a RawValue>,
    /// Whether a charge says that all of it is refunded; only read for a fault.
    #[serde(skip)]
    pub(super) is_refunded: Option<&'a RawValue>,
    /// The movements of a dispute's money.
    #[serde(skip)]
    pub(super) movements: Option<&'a RawValue>,
    /// When the object was made.
    #[serde(skip)]
    pub(super) created: Option<&'a RawValue>,
}

/// A refund that is an event's whole data.
#[derive(Deserialize)]
pub(super) struct FlatObject<'a> {
    #[serde(borrow)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) payin: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) amount: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) currency: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) status: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) status_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) reason: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "even_null")]
    pub(super) metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) reference_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) customer_receives: Option<&'a RawValue>,
}

/// A member that may be null, which is not the same as absent here.
fn even_null<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&'a RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> FlatObject<'a> {
    pub(super) fn members(self, faults: Faults) -> ObjectMembers<'a> {
        ObjectMembers {
            id: self.id,
            order_id: if faults.has(Fault::OrderByReference) { self.reference_id } else { self.payin },
            amount: self.amount,
            currency: self.currency,
            state: self.status,
            failure_reason: self.status_reason.filter(|reason| reason.get() != "\"\""),
            elsewhere: self.customer_receives,
            reason: self.reason,
            metadata: self.metadata,
            ..ObjectMembers::default()
        }
    }
}

/// An item of a refund, or a refund of a charge.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::reference) struct PartMembers<'a> {
    #[serde(borrow)]
    pub(super) amount: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(in crate::reference) refunded_amount: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) state: Option<&'a RawValue>,
    /// Only read for a fault, as is the next.
    #[serde(borrow)]
    pub(in crate::reference) quantity: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(in crate::reference) sku_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct PaymentMembers<'a> {
    #[serde(borrow)]
    pub(super) charges: Option<Vec<Object<PaidCharge<'a>>>>,
}

#[derive(Deserialize)]
pub(super) struct PaidCharge<'a> {
    #[serde(borrow)]
    pub(super) refunds: Option<&'a RawValue>,
}
