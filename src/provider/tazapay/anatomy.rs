//! Where the places are that mutations need, in the bodies of Tazapay's events.

use super::{
    digits,
    events::{CANCELLED, PENDING},
};
use crate::{
    domain::{Amount, Currency, RefundState},
    json::Value,
    model::EventFacts,
    mutate::Anatomy,
};

/// Members of a refund that say nothing of state and money. Every example has them.
const NULLABLE: [&str; 4] = ["/data/reason", "/data/status_reason", "/data/metadata", "/data/webhook_url"];

/// Members from which a shop may know its order.
const TELLS_ORDER: [&str; 4] = ["/data/payin", "/data/payment_attempt", "/data/reference_id", "/data/metadata"];

/// Members from which a shop may know the amount.
const TELLS_AMOUNT: [&str; 2] = ["/data/amount", "/data/customer_receives"];

/// Words for states that another page of the provider has; there they are neither an end nor explained.
const UNKNOWN_STATES: [&str; 4] = ["initiated", "under_review", "refund_initiated", "on_hold"];

/// The largest number that 64 bits hold, and one more.
const HUGE: &str = "9223372036854775808";

/// The places in a body.
pub(super) fn anatomy(event: &EventFacts, body: &Value, captured: Amount, currency: Currency) -> Anatomy {
    let there = |place: &str| body.pointer(place).is_some().then(|| place.to_owned());
    let all = |places: &[&str]| places.iter().map(|place| (*place).to_owned()).collect();
    let is_refund = !event.tells.is_empty();
    let is_paid = body.pointer("/data/status").and_then(Value::as_str) == Some("succeeded");
    let amount: Vec<String> = there("/data/amount").filter(|_| is_refund).into_iter().collect();
    // Only where the event itself says that nothing is final yet: a strange status elsewhere would contradict it.
    let states = there("/data/status").filter(|_| event.kind == PENDING && is_refund);
    Anatomy {
        // No document says by which event a cancellation is told.
        must_move: is_refund && event.kind != CANCELLED,
        id: "/id".to_owned(),
        kind: "/type".to_owned(),
        object: "/data".to_owned(),
        created: "/created_at".to_owned(),
        order_id: there("/data/payin"),
        tells_order: all(&TELLS_ORDER),
        tells_amount: if is_paid { all(&TELLS_AMOUNT) } else { Vec::new() },
        currency: there("/data/currency"),
        paid: if is_paid { amount.clone() } else { Vec::new() },
        needed: amount,
        states: states.into_iter().collect(),
        unknown_states: UNKNOWN_STATES.map(|word| (word.to_owned(), RefundState::Pending)).to_vec(),
        nullable: if is_refund { all(&NULLABLE) } else { Vec::new() },
        too_much: too_much(captured, currency),
        digits: digits(currency),
        ..Anatomy::default()
    }
}

/// One minor unit more than was captured, in hundredths, and far more.
fn too_much(captured: Amount, currency: Currency) -> Vec<(String, Amount)> {
    let more = captured + Amount::from_minor(1, digits(currency));
    let more = more.to_fixed(2).replacen('.', "", 1).trim_start_matches('0').to_owned();
    let in_hundredths = |text: String| Some((text.clone(), Amount::parse(&text).ok()?.in_parts(2)?));
    [more, HUGE.to_owned()].into_iter().filter_map(in_hundredths).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, captured: &str, expected: &str, amount: &str) {
        let captured = Amount::parse(captured).expect("an amount");
        let found = too_much(captured, Currency::from_code(code).expect("a currency"));
        assert_eq!(found[0], (expected.to_owned(), Amount::parse(amount).expect("an amount")));
    }

    #[test]
    fn one_unit_too_much() {
        check("USD", "900", "90001", "900.01");
        check("JPY", "100", "10100", "101");
        check("KWD", "0.09", "10", "0.10");
    }
}
