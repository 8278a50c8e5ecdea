//! What is allowed and what is not, one member at a time.

use rstest::rstest;

use super::*;

const EXPECTED: &str = r#"{
    "orderId": "17", "status": ["pending", "failed"], "refundedAmount": {"least": "0", "most": "5"}, "currency": "USD",
    "availableToRefundAmount": ["5", "10"], "chargedBackAmount": "1",
    "refunds": [
        {"id": "r1", "state": "pending", "amount": "2", "refundedAmount": "0"},
        {"id": "r2", "state": "cancelled", "amount": "3", "refundedAmount": "0"}
    ]
}"#;

const SHOWN: &str = r#"{
    "orderId": "17", "status": "pending", "refundedAmount": "3", "currency": "USD", "availableToRefundAmount": "10",
    "chargedBackAmount": "1.00",
    "refunds": [
        {"id": "r2", "state": "cancelled", "amount": "3", "refundedAmount": "0"},
        {"id": "r1", "state": "pending", "amount": "2", "refundedAmount": "0"}
    ]
}"#;

fn expected() -> Expectation {
    serde_json::from_str(EXPECTED).expect("an expectation")
}

/// What is shown, with a text in it replaced by another.
#[track_caller]
fn shown(from: &str, to: &str) -> OrderState {
    assert!(SHOWN.contains(from), "{from}");
    serde_json::from_str(&SHOWN.replacen(from, to, 1)).expect("a state")
}

fn everything() -> Sight {
    Sight { currency: true, refunds: true, available: true, charged_back: true, equivalent: Vec::new() }
}

#[rstest]
#[case::as_it_must_be("17", "17", &[])]
#[case::another_status_that_may_be("\"pending\", \"refundedAmount\": \"3\"", "\"failed\", \"refundedAmount\": \"3\"", &[])]
#[case::another_order("17", "18", &["orderId"])]
#[case::a_status_that_may_not_be("\"pending\", \"refundedAmount\": \"3\"", "\"refunded\", \"refundedAmount\": \"3\"", &["status"])]
#[case::the_least("\"refundedAmount\": \"3\"", "\"refundedAmount\": \"0\"", &[])]
#[case::the_most("\"refundedAmount\": \"3\"", "\"refundedAmount\": \"5.00\"", &[])]
#[case::too_little("\"refundedAmount\": \"3\"", "\"refundedAmount\": \"-0.01\"", &["refundedAmount"])]
#[case::too_much("\"refundedAmount\": \"3\"", "\"refundedAmount\": \"5.01\"", &["refundedAmount"])]
#[case::another_currency("USD", "EUR", &["currency"])]
#[case::no_currency("\"currency\": \"USD\",", "", &["currency"])]
#[case::another_amount_is_available("\"10\"", "\"5\"", &[])]
#[case::an_amount_between_two("\"10\"", "\"7\"", &["availableToRefundAmount"])]
#[case::nothing_is_said_to_be_available("\"availableToRefundAmount\": \"10\",", "", &["availableToRefundAmount"])]
#[case::another_amount_is_charged_back("1.00", "1.01", &["chargedBackAmount"])]
#[case::a_withdrawn_refund_is_called_failed("cancelled", "failed", &[])]
#[case::a_withdrawn_refund_is_called_pending("cancelled", "pending", &["refunds"])]
#[case::a_refund_without_its_amount("\"amount\": \"2\",", "", &[])]
#[case::a_refund_of_another_amount("\"amount\": \"2\",", "\"amount\": \"2.5\",", &["refunds"])]
#[case::a_refund_that_paid_something_else("\"2\", \"refundedAmount\": \"0\"", "\"2\", \"refundedAmount\": \"2\"", &["refunds"])]
#[case::an_unknown_refund("\"r1\"", "\"r3\"", &["refunds"])]
#[case::a_refund_twice("\"r1\"", "\"r2\"", &["refunds"])]
#[case::one_refund_too_many("[", "[{\"id\": \"r3\", \"state\": \"pending\", \"refundedAmount\": \"0\"},", &["refunds"])]
#[case::two_at_once("\"17\", \"status\": \"pending\"", "\"18\", \"status\": \"refunded\"", &["orderId", "status"])]
fn what_does_not_fit_is_named(#[case] from: &str, #[case] to: &str, #[case] misfits: &[&str]) {
    let shown = shown(from, to);
    assert_eq!(expected().misfits(&shown, &everything()), misfits);
    assert_eq!(expected().allows(&shown, &everything()), misfits.is_empty());
}

#[test]
fn what_a_target_does_not_show_is_not_judged() {
    let shown = r#"{"orderId": "17", "status": "pending", "refundedAmount": "3"}"#;
    let shown: OrderState = serde_json::from_str(shown).expect("a state");
    assert!(expected().allows(&shown, &Sight::default()));
    assert_eq!(expected().misfits(&shown, &everything()), ["currency", "availableToRefundAmount", "chargedBackAmount", "refunds"]);
}

#[test]
fn in_doubt_only_the_amount_is_judged() {
    let in_doubt = AmountRange { least: Amount::from_minor(400, 2), most: Amount::from_minor(900, 2) };
    let doubtful = Expectation { in_doubt: Some(in_doubt), ..expected() };
    let refunded =
        |amount: &str| shown("\"pending\", \"refundedAmount\": \"3\"", &format!("\"refunded\", \"refundedAmount\": \"{amount}\""));
    assert_eq!(doubtful.misfits(&refunded("9"), &everything()), [""; 0]);
    assert_eq!(doubtful.misfits(&refunded("3"), &everything()), ["refundedAmount"]);
    assert_eq!(doubtful.contained(), expected());
    assert_eq!(doubtful.contained().misfits(&refunded("9"), &everything()), ["status", "refundedAmount"]);
}

#[test]
fn words_that_a_target_cannot_tell_apart_are_one() {
    let group = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let sight = Sight { equivalent: vec![group(&["pending", "not_refunded"]), group(&["failed", "refunded"])], ..everything() };
    assert!(sight.same("pending", "not_refunded") && sight.same("refunded", "failed") && sight.same("x", "x"));
    assert!(!sight.same("pending", "failed") && !sight.same("pending", "x") && !sight.same("x", "pending"));
    let status = |word: &str| shown("\"pending\", \"refundedAmount\"", &format!("\"{word}\", \"refundedAmount\""));
    assert!(expected().allows(&status("refunded"), &sight));
    assert_eq!(expected().misfits(&status("charged_back"), &sight), ["status"]);
}

#[test]
fn either_of_two_and_what_is_between() {
    let one = r#"{"orderId": "17", "status": "refunded", "refundedAmount": "9", "availableToRefundAmount": ["5", "10"]}"#;
    let other = expected().or(serde_json::from_str(one).expect("an expectation"));
    assert_eq!(other.status, [Status::Failed, Status::Pending, Status::Refunded]);
    assert_eq!((other.refunded_amount.least, other.refunded_amount.most), (Amount::ZERO, Amount::from_minor(900, 2)));
    assert_eq!(other.available_to_refund_amount, expected().available_to_refund_amount);
    assert_eq!((&other.charged_back_amount, &other.refunds), (&None, &None));
    let same = expected().or(expected());
    assert_eq!(same, Expectation { status: vec![Status::Failed, Status::Pending], ..expected() });
    let less = Expectation { available_to_refund_amount: None, ..expected() };
    assert_eq!(expected().or(less).available_to_refund_amount, None);
}

#[test]
fn what_is_exact() {
    let exact: Expectation =
        serde_json::from_str(r#"{"orderId": "17", "status": "refunded", "refundedAmount": "9"}"#).expect("an expectation");
    assert!(exact.is_exact() && exact.refunded_amount.is_exact());
    assert!(!Expectation { status: vec![Status::Failed, Status::Refunded], ..exact.clone() }.is_exact());
    let range = AmountRange { least: Amount::ZERO, most: Amount::from_minor(1, 2) };
    assert!(!Expectation { refunded_amount: range, ..exact }.is_exact());
}

#[track_caller]
fn stays(text: &str) {
    let expectation: Expectation = serde_json::from_str(text).expect("an expectation");
    assert_eq!(serde_json::to_string(&expectation).expect("JSON"), text);
}

#[test]
fn short_forms_round_trip() {
    stays(r#"{"orderId":"1","status":"refunded","refundedAmount":"27.01"}"#);
    stays(r#"{"orderId":"1","status":["not_refunded","partially_refunded"],"refundedAmount":{"least":"0","most":"5.41"}}"#);
    stays(r#"{"orderId":"1","status":"refunded","refundedAmount":"1","availableToRefundAmount":"0","chargedBackAmount":["0","1"]}"#);
}
