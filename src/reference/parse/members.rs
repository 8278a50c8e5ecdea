//! The members that are read of events and their objects, each by itself, so that a strange one that nobody needs does no
//! harm.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::reference::{bank::Fault, fault::Faults, json::Object};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::reference) struct EnvelopeMembers<'a> {
    #[serde(borrow)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    pub(in crate::reference) kind: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(in crate::reference) data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) created_time: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) live_mode: Option<&'a RawValue>,
    /// The version that the body is of, with providers that have several.
    #[serde(skip)]
    pub(super) version: Option<&'a RawValue>,
}

/// The same, where names are written with underscores.
#[derive(Deserialize)]
pub(super) struct FlatEnvelope<'a> {
    #[serde(borrow)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) created_at: Option<&'a RawValue>,
}

impl<'a> From<FlatEnvelope<'a>> for EnvelopeMembers<'a> {
    fn from(flat: FlatEnvelope<'a>) -> EnvelopeMembers<'a> {
        EnvelopeMembers { id: flat.id, kind: flat.kind, data: flat.data, created_time: flat.created_at, live_mode: None, version: None }
    }
}

#[derive(Deserialize)]
pub(super) struct Data<'a> {
    #[serde(borrow)]
    pub(super) object: Option<Object<ObjectMembers<'a>>>,
}

/// The members that are needed of a refund, a charge or an order.
#[derive(Default, Deserialize)]
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
