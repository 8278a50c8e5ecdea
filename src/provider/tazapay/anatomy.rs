//! Where the places are that mutations need, in the bodies of Tazapay's events.

use serde_json::Value;

use super::{digits, events::PENDING};
use crate::{
    domain::{Amount, Currency},
    model::EventFacts,
    mutate::Anatomy,
};

/// Members of a refund that say nothing of state and money.
const OPTIONAL: [&str; 5] = ["/data/reason", "/data/status_reason", "/data/reference_id", "/data/metadata", "/data/webhook_url"];

/// Words for states that another page of the provider has; there they are neither an end nor explained.
const UNKNOWN_STATES: [&str; 4] = ["initiated", "under_review", "refund_initiated", "on_hold"];

/// The places in a body.
pub(super) fn anatomy(event: &EventFacts, body: &Value, captured: Amount, currency: Currency) -> Anatomy {
    let there = |place: &str| body.pointer(place).is_some().then(|| place.to_owned());
    let is_refund = !event.tells.is_empty();
    let status = body.pointer("/data/status").and_then(Value::as_str);
    let amount: Vec<String> = there("/data/amount").filter(|_| is_refund).into_iter().collect();
    // Only where the event itself says that nothing is final yet: a strange status elsewhere would contradict it.
    let states = there("/data/status").filter(|_| event.kind == PENDING && is_refund);
    Anatomy {
        is_refund_event: is_refund,
        id: "/id".to_owned(),
        kind: "/type".to_owned(),
        object: "/data".to_owned(),
        created: "/created_at".to_owned(),
        order_id: there("/data/payin"),
        currency: there("/data/currency"),
        paid: if status == Some("succeeded") { amount.clone() } else { Vec::new() },
        needed: amount,
        states: states.into_iter().collect(),
        unknown_states: UNKNOWN_STATES.map(str::to_owned).to_vec(),
        optional: OPTIONAL.iter().filter_map(|place| there(place)).filter(|_| is_refund).collect(),
        absent: OPTIONAL.iter().filter(|place| is_refund && body.pointer(place).is_none()).map(|place| (*place).to_owned()).collect(),
        envelope: [("/api_version", "\"2099-01-01\""), ("/account", "\"acc_ck2v7n5l4ar024j0bf30\""), ("/webhook_attempt", "2")]
            .map(|(place, value)| (place.to_owned(), value.to_owned()))
            .to_vec(),
        too_much: too_much(captured, currency),
        digits: 0,
        ..Anatomy::default()
    }
}

/// One minor unit more than was captured, in hundredths.
fn too_much(captured: Amount, currency: Currency) -> String {
    let more = captured + Amount::from_minor(1, digits(currency));
    more.to_fixed(2).replacen('.', "", 1).trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, captured: &str, expected: &str) {
        let captured = Amount::parse(captured).expect("an amount");
        assert_eq!(too_much(captured, Currency::from_code(code).expect("a currency")), expected);
    }

    #[test]
    fn one_unit_too_much() {
        check("USD", "900", "90001");
        check("JPY", "100", "10100");
        check("KWD", "0.09", "10");
    }
}
