//! Bodies as endpoints get them that are registered for API version 2020-08-27.
//!
//! Such a charge carries its refunds, the newest first and ten at the most, a payment intent carries its charge in the same
//! way, and there are no `refund.*` events of charges. All else that a body has today was added without a new version.
//! Source: <https://docs.stripe.com/upgrades>, "2022-11-15", and
//! <https://docs.stripe.com/changelog/acacia/2024-10-28/refund-webhook-update>.

use super::events::{CHARGE_REFUNDED, Family, OF_THE_CHARGE, PAID};
use crate::{
    json::{Value, indented},
    model::Tell,
};

/// The version.
pub(super) const VERSION: &str = "2020-08-27";

/// The first version in which charges and payment intents carry no lists.
pub(super) const WITHOUT_LISTS: &str = "2022-11-15";

/// How many refunds a charge shows.
pub(super) const SHOWN: usize = 10;

/// Whether an event of this type is sent.
pub(super) fn sends(kind: &str) -> bool {
    !kind.starts_with("refund.")
}

impl Family<'_> {
    /// A body of today in the older version, and what it tells besides.
    pub(super) fn in_older_version(&self, kind: &str, body: &str) -> (String, Vec<Tell>) {
        let Ok(mut whole) = serde_json::from_str::<Value>(body) else { return (body.to_owned(), Vec::new()) };
        if let Some(version) = whole.pointer_mut("/api_version") {
            *version = Value::from(VERSION);
        }
        let mut tells = Vec::new();
        if let Some(object) = whole.pointer_mut("/data/object") {
            match object["object"].as_str() {
                // Others are earlier attempts.
                Some("charge") if OF_THE_CHARGE.contains(&kind) => tells = self.with_refunds(object, kind == CHARGE_REFUNDED),
                Some("charge") => carry(object, "refunds", Vec::new(), 0),
                Some("payment_intent") => {
                    let charge = (kind == PAID).then(|| self.own_charge()).flatten();
                    let charge = charge.map(|mut charge| {
                        tells = self.with_refunds(&mut charge, false);
                        tells.extend(self.counted_in_passing());
                        charge
                    });
                    let charges: Vec<Value> = charge.into_iter().collect();
                    let total = charges.len();
                    carry(object, "charges", charges, total);
                }
                _ => {}
            }
        }
        (indented(&whole.to_string()), tells)
    }

    /// Puts the refunds into the order's charge; what they tell.
    fn with_refunds(&self, charge: &mut Value, is_new: bool) -> Vec<Tell> {
        let (refunds, tells) = self.embedded(is_new);
        carry(charge, "refunds", refunds, self.scene.truth.refunds.len());
        if let Some(members) = charge.as_object_mut() {
            members.insert("invoice", Value::Null);
            *members = super::places::in_order(members);
        }
        tells
    }
}

/// Puts a list into an object, in its place. `total` is how many there are in all.
pub(super) fn carry(object: &mut Value, name: &str, data: Vec<Value>, total: usize) {
    let id = object["id"].as_str().unwrap_or_default();
    let url = if name == "refunds" { format!("/v1/charges/{id}/refunds") } else { format!("/v1/charges?payment_intent={id}") };
    let has_more = total > data.len();
    let list = Value::from([
        ("object", Value::from("list")),
        ("data", Value::Array(data)),
        ("has_more", Value::Bool(has_more)),
        ("total_count", Value::from(total as u64)),
        ("url", Value::from(url)),
    ]);
    if let Some(members) = object.as_object_mut() {
        members.insert(name, list);
        *members = super::places::in_order(members);
    }
}
