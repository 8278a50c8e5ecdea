//! Where the places are that mutations need, in the bodies of Stripe's events.

use super::{
    events::{CHARGE_REFUNDED, REFUND_CREATED, REFUND_FAILED, REFUND_UPDATED},
    money::{digits, digits_sent},
};
use crate::{
    domain::{Amount, Currency, RefundState},
    json::Value,
    model::EventFacts,
    mutate::Anatomy,
};

/// Members of a refund that are null in most examples and say nothing of state and money.
const NULLABLE: [&str; 4] =
    ["/data/object/reason", "/data/object/receipt_number", "/data/object/source_transfer_reversal", "/data/object/transfer_reversal"];

/// Members that came with later API versions.
const OPTIONAL: [&str; 3] = ["/data/object/destination_details", "/data/object/customer_account", "/data/object/payment_method"];

/// Members from which a shop may know the order of a refund.
const TELLS_ORDER: [&str; 4] =
    ["/data/object/payment_intent", "/data/object/charge", "/data/object/balance_transaction", "/data/object/metadata"];

/// Where refunds, disputes and reviews name their charge.
const CHARGE: &str = "/data/object/charge";

/// Where a charge says which it is and of which order.
const CHARGE_ITSELF: [&str; 2] = ["/data/object/id", "/data/object/metadata/order_id"];

/// Words that no page has; the provider's libraries take the list of states for open.
const UNKNOWN_STATES: [&str; 4] = ["processing", "in_review", "requires_capture", "on_hold"];

/// The largest number that 64 bits hold, and one more.
const HUGE: &str = "9223372036854775808";

/// The places in a body.
pub(super) fn anatomy(event: &EventFacts, body: &Value, captured: Amount, currency: Currency) -> Anatomy {
    let there = |place: &str| body.pointer(place).is_some().then(|| place.to_owned());
    let all = |places: &[&str]| places.iter().filter_map(|place| there(place)).collect();
    let is_refund = [REFUND_CREATED, REFUND_UPDATED, REFUND_FAILED].contains(&event.kind.as_str());
    let is_charge = event.kind == CHARGE_REFUNDED;
    let status = body.pointer("/data/object/status").and_then(Value::as_str);
    let is_paid = is_refund && status == Some("succeeded");
    let tells_state = event.kind != REFUND_UPDATED || body.pointer("/data/previous_attributes/status").is_some();
    let amount: Vec<String> = there("/data/object/amount").filter(|_| is_refund).into_iter().collect();
    let total: Vec<String> = there("/data/object/amount_refunded").filter(|_| is_charge).into_iter().collect();
    // Only where the event itself says that nothing is final yet: a strange status elsewhere would contradict it.
    let states = there("/data/object/status").filter(|_| event.kind == REFUND_CREATED && status == Some("pending"));
    Anatomy {
        must_move: is_refund && tells_state || is_charge,
        id: "/id".to_owned(),
        kind: "/type".to_owned(),
        object: "/data/object".to_owned(),
        // A total without a time cannot be put before or after the refunds that it counts.
        created: if is_charge { String::new() } else { "/created".to_owned() },
        live_mode: there("/livemode"),
        order_id: there("/data/object/payment_intent"),
        also_order: if body.pointer(CHARGE).is_some() { all(&[CHARGE]) } else { all(&CHARGE_ITSELF) },
        // A charge is what it is about itself.
        tells_order: if is_refund { all(&TELLS_ORDER) } else { Vec::new() },
        tells_amount: if is_paid { amount.clone() } else { Vec::new() },
        currency: there("/data/object/currency"),
        paid: if is_paid { amount.clone() } else { total.clone() },
        needed: if is_refund { amount } else { total },
        states: states.into_iter().collect(),
        unknown_states: UNKNOWN_STATES.map(|word| (word.to_owned(), RefundState::Pending)).to_vec(),
        optional: if is_refund { all(&OPTIONAL) } else { Vec::new() },
        nullable: if is_refund { all(&NULLABLE) } else { Vec::new() },
        too_much: too_much(captured, currency),
        digits: digits(currency),
        indented: true,
        oldest_signature: super::sign::TOLERANCE,
        ..Anatomy::default()
    }
}

/// One unit more than was captured, in Stripe's smallest unit, and far more.
fn too_much(captured: Amount, currency: Currency) -> Vec<(String, Amount)> {
    let places = digits_sent(currency);
    let more = captured + Amount::from_minor(1, digits(currency));
    let more = more.to_fixed(places).replacen('.', "", 1).trim_start_matches('0').to_owned();
    let read = |text: String| Some((text.clone(), Amount::parse(&text).ok()?.in_parts(places)?));
    [more, HUGE.to_owned()].into_iter().filter_map(read).collect()
}
