//! What must happen after each mutation: by provider, event type and kind.

use refundproof::{
    case::{Delivery, Effect},
    domain::{Amount, Currency},
    mutate::{Mutant, effect, mutate},
    plan::{Action, Level, Mutation, MutationKind, Opening, Pick, Plan, Step},
    provider::{Provider, lower, registered},
};
use rstest::rstest;

/// The provider that writes decimals, and whose events look at refunds, charges and orders.
fn decimals() -> &'static dyn Provider {
    registered()[0].embedded()
}

/// The provider that writes whole numbers, and whose events are all about refunds.
fn whole_numbers() -> &'static dyn Provider {
    registered()[1].embedded()
}

fn refund(amount: Pick, level: Level) -> Action {
    Action::Refund { amount, level, joins: false, own: false, kind: 0, opens: Opening::Pending }
}

/// An event of this type, out of a life in which much happens.
#[track_caller]
fn event(provider: &dyn Provider, kind: &str) -> Delivery {
    let actions = [
        refund(Pick::Units(100), Level::Order),
        Action::NeedInformation { refund: 0 },
        Action::Succeed { refund: 0, paid: Pick::All },
        Action::UpdateMetadata { refund: 0 },
        refund(Pick::Units(100), Level::Items),
        Action::Fail { refund: 0, reason: true, shape: refundproof::plan::FailureShape::Charge },
        refund(Pick::Units(100), Level::Order),
        Action::Cancel { refund: 0 },
        Action::Dispute,
        Action::Chargeback { amount: Pick::Units(10), fraud: true },
    ];
    let plan = Plan { orders: Vec::new(), steps: actions.map(Step::plain).to_vec(), only: Vec::new(), look: 0 };
    let case = lower(provider, &plan, 7).case;
    let found = case.all_deliveries().find(|delivery| delivery.event.kind == kind).cloned();
    found.unwrap_or_else(|| panic!("no event of the type {kind}"))
}

fn anatomy(provider: &dyn Provider, delivery: &Delivery) -> refundproof::mutate::Anatomy {
    let body = serde_json::from_slice(delivery.body.bytes()).expect("a body is JSON");
    let dollar = Currency::from_code("USD").expect("a currency");
    provider.anatomy(&delivery.event, &body, Amount::from_minor(1000, 2), dollar)
}

#[track_caller]
fn check(provider: &dyn Provider, kind: &str, mutation: MutationKind, expected: Effect) {
    assert_eq!(effect(mutation, &anatomy(provider, &event(provider, kind))), expected, "{kind} {mutation:?}");
}

use Effect::{Accept, Refuse, Reject, Tolerate};
use MutationKind::*;

#[rstest]
// What must move the state by itself.
#[case("refund.created", NoType, Reject)]
#[case("refund.pending", NoObject, Reject)]
#[case("refund.pending_information", NoOrderId, Reject)]
#[case("refund.complete", NoAmount, Reject)]
#[case("refund.failed", NoOrderId, Reject)]
#[case("order.charge.refund.complete", NoType, Reject)]
#[case("order.charge.refund.complete", NoAmount, Reject)]
#[case("order.chargeback", NoType, Reject)]
#[case("order.chargeback", NoObject, Reject)]
// A pending refund is pending whatever its amount; charges and orders can be told from other members.
#[case("refund.pending", NoAmount, Tolerate)]
#[case("refund.failed", NoAmount, Tolerate)]
#[case("order.charge.refund.complete", NoOrderId, Tolerate)]
#[case("order.chargeback", NoOrderId, Tolerate)]
#[case("order.chargeback", NoAmount, Tolerate)]
// What need not be handled.
#[case("refund.updated", NoType, Tolerate)]
#[case("order.charge.refund.pending", NoType, Tolerate)]
#[case("order.charge.refund.failed", NoObject, Tolerate)]
#[case("order.refunded", NoObject, Tolerate)]
#[case("order.dispute", NoType, Tolerate)]
#[case("sales_transaction.created", NoType, Tolerate)]
fn incomplete_events(#[case] kind: &str, #[case] mutation: MutationKind, #[case] expected: Effect) {
    check(decimals(), kind, mutation, expected);
}

#[rstest]
#[case("refund.created", NoType, Reject)]
#[case("refund.pending", NoObject, Reject)]
#[case("refund.succeeded", NoOrderId, Reject)]
#[case("refund.succeeded", NoAmount, Reject)]
#[case("refund.failed", NoType, Reject)]
#[case("refund.pending", NoAmount, Tolerate)]
#[case("refund.cancelled", NoType, Tolerate)]
#[case("refund.cancelled", NoOrderId, Tolerate)]
fn incomplete_events_of_another_provider(#[case] kind: &str, #[case] mutation: MutationKind, #[case] expected: Effect) {
    check(whole_numbers(), kind, mutation, expected);
}

#[rstest]
#[case(&[AddMember, Reorder, Whitespace, AmountForm, Escapes, TimeDigits, DropOptional, EmptyItems, ContentType, Envelope, RotatedSecret, OtherScheme], Accept)]
#[case(&[Truncate, Trailing, Empty, BadUtf8, Syntax, WrongRoot], Reject)]
#[case(&[UnusualNumber, NullOptional, Damaged, BadAmount, BooleanAmount, NegativeAmount, UnknownOrder, OtherCurrency, OverCaptured, TooPrecise], Tolerate)]
#[case(&[TextAmount, UnknownState, BadEventId, BadTime, OtherMode, Deep, Large, Repeated, OtherEncoding, FutureTime, AgeLimit], Tolerate)]
#[case(&[SignatureAbsent, SignatureWrong, SignatureTruncated, OtherSecret, OnlyOtherScheme, TwoWrong, OtherCase, BodyChanged, Reserialised, Stale], Refuse)]
fn whatever_the_event(#[case] kinds: &[MutationKind], #[case] expected: Effect) {
    for kind in kinds {
        check(decimals(), "refund.complete", *kind, expected);
        check(decimals(), "sales_transaction.created", *kind, expected);
        check(whole_numbers(), "refund.succeeded", *kind, expected);
    }
}

/// The bodies that a mutation makes of an event in all its forms.
fn bodies(provider: &dyn Provider, kind: &str, mutation: MutationKind) -> Vec<String> {
    let delivery = event(provider, kind);
    let anatomy = anatomy(provider, &delivery);
    let mutant = |pick| mutate(Mutation { kind: mutation, pick }, &delivery, &anatomy, None);
    let text = |mutant: Mutant| String::from_utf8_lossy(mutant.delivery.body.bytes()).into_owned();
    (0..100).filter_map(mutant).map(text).collect()
}

#[rstest]
#[case(AmountForm)]
#[case(TimeDigits)]
#[case(DropOptional)]
#[case(EmptyItems)]
#[case(Envelope)]
fn what_a_provider_may_send_has_no_exponent_and_no_null(#[case] mutation: MutationKind) {
    for text in bodies(decimals(), "refund.complete", mutation) {
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for name in ["amount", "refundedAmount"] {
            let amount = value["data"]["object"][name].to_string();
            assert!(amount.contains('.') && !amount.contains(['e', 'E']), "{amount}");
        }
        assert!(!text.contains("null"), "{text}");
    }
}

#[rstest]
#[case(AmountForm)]
#[case(TimeDigits)]
#[case(DropOptional)]
#[case(EmptyItems)]
#[case(Envelope)]
fn whole_numbers_fixed_times_and_members_that_are_always_there_have_no_other_form(#[case] mutation: MutationKind) {
    let palette = whole_numbers().palette();
    assert!(!palette.has(mutation) || bodies(whole_numbers(), "refund.succeeded", mutation).is_empty());
}

#[test]
fn no_amount_is_left_of_a_refund_without_amounts() {
    for text in bodies(decimals(), "refund.complete", NoAmount) {
        assert!(!text.to_lowercase().contains("amount"), "{text}");
    }
}

#[test]
fn nothing_is_left_that_tells_the_order() {
    let delivery = event(whole_numbers(), "refund.succeeded");
    let order = delivery.event.order_id.expect("an order");
    for text in bodies(whole_numbers(), "refund.succeeded", NoOrderId) {
        assert!(!text.contains(&order) && !text.contains("reference_id") && !text.contains("payment_attempt"), "{text}");
    }
}

#[test]
fn an_old_word_for_what_may_be_tolerated_is_still_read() {
    assert_eq!(serde_json::from_str::<Effect>("\"flag\"").expect("an effect"), Tolerate);
    assert_eq!(serde_json::to_string(&Tolerate).expect("JSON"), "\"tolerate\"");
}
