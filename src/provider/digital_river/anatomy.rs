//! Where the places are that mutations need, in the bodies of Digital River's events.

use serde_json::Value;

use crate::{
    domain::{Amount, Currency},
    model::EventFacts,
    mutate::Anatomy,
};

/// Members of a refund or its envelope that the documents show only sometimes.
const OPTIONAL: [&str; 9] = [
    "/webhookIds",
    "/digitalriverVersion",
    "/data/object/liveMode",
    "/data/object/charges",
    "/data/object/type",
    "/data/object/reason",
    "/data/object/failureReason",
    "/data/object/metadata",
    "/data/object/tokenInformation",
];

/// The places in a body.
pub(super) fn anatomy(event: &EventFacts, body: &Value, captured: Amount, currency: Currency) -> Anatomy {
    let is_refund = event.kind.starts_with("refund.");
    let is_charge = event.kind.starts_with("order.charge.refund.") && body.pointer("/data/object/orderId").is_some();
    let is_order = body.pointer("/data/object/payment").is_some();
    let there = |place: &str| body.pointer(place).is_some().then(|| place.to_owned());
    let mut anatomy = Anatomy {
        is_refund_event: (is_refund || is_charge) && !event.tells.is_empty(),
        id: "/id".to_owned(),
        kind: "/type".to_owned(),
        object: "/data/object".to_owned(),
        created: "/createdTime".to_owned(),
        live_mode: there("/liveMode"),
        order_id: there("/data/object/orderId").or_else(|| there("/data/object/id").filter(|_| is_order)),
        currency: there("/data/object/currency"),
        too_much: (captured + Amount::from_minor(1, currency.digits())).to_wire(),
        digits: currency.digits(),
        ..Anatomy::default()
    };
    if is_refund {
        refund(&mut anatomy, body);
    } else if is_charge {
        charge(&mut anatomy, body);
    } else if is_order {
        anatomy.paid.extend(there("/data/object/refundedAmount"));
    }
    anatomy.optional = OPTIONAL.iter().filter_map(|place| there(place)).filter(|_| is_refund || !event.tells.is_empty()).collect();
    // An absent envelope member may be null, and so may an absent explanation.
    let nullable = if is_refund { &OPTIONAL[..] } else { &OPTIONAL[..1] };
    anatomy.absent = nullable.iter().filter(|place| body.pointer(place).is_none()).map(|place| (*place).to_owned()).collect();
    anatomy.envelope =
        [("/versionIds", "[]"), ("/digitalriverVersion", "\"2099-01-01\""), ("/webhookIds", "[]"), ("/data/previousAttributes", "{}")]
            .map(|(place, value)| (place.to_owned(), value.to_owned()))
            .to_vec();
    anatomy
}

fn refund(anatomy: &mut Anatomy, body: &Value) {
    let object = "/data/object";
    let succeeded = body.pointer("/data/object/state").and_then(Value::as_str) == Some("succeeded");
    let items = body.pointer("/data/object/items").and_then(Value::as_array).map_or(0, Vec::len);
    if succeeded {
        anatomy.needed.push(format!("{object}/refundedAmount"));
        anatomy.paid.push(format!("{object}/refundedAmount"));
    } else if items == 0 {
        anatomy.needed.push(format!("{object}/amount"));
    } else {
        anatomy.needed.extend((0..items).map(|item| format!("{object}/items/{item}/amount")));
    }
    anatomy.states.push(format!("{object}/state"));
    if items == 0 {
        anatomy.no_items = Some(format!("{object}/items"));
    }
}

fn charge(anatomy: &mut Anatomy, body: &Value) {
    let entries = body.pointer("/data/object/refunds").and_then(Value::as_array);
    for (index, entry) in entries.into_iter().flatten().enumerate() {
        let place = format!("/data/object/refunds/{index}");
        anatomy.needed.push(format!("{place}/amount"));
        anatomy.states.push(format!("{place}/state"));
        if entry["state"] == "complete" {
            anatomy.paid.push(format!("{place}/amount"));
        }
    }
}
