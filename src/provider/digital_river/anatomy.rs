//! Where the places are that mutations need, in the bodies of Digital River's events.

use crate::{
    domain::{Amount, Currency, RefundState},
    json::Value,
    model::EventFacts,
    mutate::Anatomy,
};

/// Members that documented examples leave out.
const OPTIONAL: [&str; 6] = [
    "/webhookIds",
    "/digitalriverVersion",
    "/data/object/type",
    "/data/object/reason",
    "/data/object/failureReason",
    "/data/object/metadata",
];

/// Further members of a refund that are only sometimes there.
const NULLABLE: [&str; 2] = ["/data/object/charges", "/data/object/tokenInformation"];

/// Events that must move the state of their order by themselves.
const MUST_MOVE: [&str; 8] = [
    "refund.created",
    "refund.pending",
    "refund.pending_information",
    "refund.complete",
    "refund.succeeded",
    "refund.failed",
    "order.charge.refund.complete",
    "order.chargeback",
];

/// States that no document names, and how such a word may be read.
const UNKNOWN_STATES: [(&str, RefundState); 4] = [
    ("reversed", RefundState::Failed),
    ("SUCCEEDED", RefundState::Succeeded),
    ("", RefundState::Pending),
    ("in_transit", RefundState::Pending),
];

/// The largest number of cents that 64 bits hold, and one more.
const HUGE: &str = "92233720368547758.08";

/// The places in a body.
pub(super) fn anatomy(event: &EventFacts, body: &Value, captured: Amount, currency: Currency) -> Anatomy {
    let is_refund = event.kind.starts_with("refund.");
    let is_charge = event.kind.starts_with("order.charge.refund.") && body.pointer("/data/object/orderId").is_some();
    let is_order = body.pointer("/data/object/payment").is_some();
    let there = |place: &str| body.pointer(place).is_some().then(|| place.to_owned());
    let too_much = captured + Amount::from_minor(1, currency.digits());
    let mut anatomy = Anatomy {
        must_move: MUST_MOVE.contains(&event.kind.as_str()) && !event.tells.is_empty(),
        id: "/id".to_owned(),
        kind: "/type".to_owned(),
        object: "/data/object".to_owned(),
        created: "/createdTime".to_owned(),
        live_mode: there("/liveMode"),
        order_id: there("/data/object/orderId").or_else(|| there("/data/object/id").filter(|_| is_order)),
        currency: there("/data/object/currency"),
        unknown_states: UNKNOWN_STATES.map(|(word, state)| (word.to_owned(), state)).to_vec(),
        too_much: [Some((too_much.to_wire(), too_much)), Amount::parse(HUGE).ok().map(|amount| (HUGE.to_owned(), amount))]
            .into_iter()
            .flatten()
            .collect(),
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
    let nullable: Vec<&str> = if is_refund { OPTIONAL.into_iter().chain(NULLABLE).collect() } else { vec![OPTIONAL[0]] };
    anatomy.nullable = nullable.iter().filter(|place| body.pointer(place).is_none()).map(|place| (*place).to_owned()).collect();
    anatomy.envelope = [("/versionIds", "[]"), ("/digitalriverVersion", "\"2021-03-23\"")]
        .map(|(place, value)| (place.to_owned(), value.to_owned()))
        .to_vec();
    anatomy
}

fn refund(anatomy: &mut Anatomy, body: &Value) {
    let object = "/data/object";
    let succeeded = body.pointer("/data/object/state").and_then(Value::as_str) == Some("succeeded");
    let items = body.pointer("/data/object/items").and_then(Value::as_array).map_or(0, Vec::len);
    // Charges and items have ids that a shop may know, and amounts that may be added up.
    let parts = ["charges", "items"].map(|part| format!("{object}/{part}"));
    anatomy.tells_order = ["orderId", "metadata"].map(|part| format!("{object}/{part}")).into_iter().chain(parts.clone()).collect();
    if succeeded {
        anatomy.tells_amount = ["amount", "refundedAmount"].map(|part| format!("{object}/{part}")).into_iter().chain(parts).collect();
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
    // The charge itself may be known to the shop, so its order can be told in any case.
    anatomy.tells_amount.clone_from(&anatomy.paid);
}
