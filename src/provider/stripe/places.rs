//! Where facts are written in Stripe's events, and the templates that they are written into.
//!
//! Members that an example does not have, because they come and go, are put where they belong: after `id` and `object` all
//! members stand in alphabetical order, at every depth.

use crate::{
    json::{Map, Value},
    provider::Template,
};

/// Where facts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    EventId,
    EventTime,
    Previous,
    Request,
    /// The object's own id.
    Id,
    Amount,
    Captured,
    /// What a payment intent has brought, and what it may still bring.
    Received,
    Capturable,
    /// What could be taken of the card.
    Authorized,
    LatestCharge,
    ClientSecret,
    Remaining,
    AmountRefunded,
    IsRefunded,
    IsDisputed,
    BalanceTransaction,
    BalanceTransactions,
    Charge,
    Created,
    Currency,
    Destination,
    FailureTransaction,
    FailureReason,
    IsRefundable,
    Metadata,
    NextAction,
    PaymentIntent,
    PendingReason,
    Reason,
    Receipt,
    Status,
    CaseType,
    NetworkCode,
    /// The account of who paid, and their address.
    Customer,
    Email,
    /// By when a dispute may be answered.
    DueBy,
}

const ENVELOPE: [(&str, Place); 4] =
    [("/id", Place::EventId), ("/created", Place::EventTime), ("/data/previous_attributes", Place::Previous), ("/request", Place::Request)];

const REFUND: [(&str, Place); 16] = [
    ("/data/object/id", Place::Id),
    ("/data/object/amount", Place::Amount),
    ("/data/object/balance_transaction", Place::BalanceTransaction),
    ("/data/object/charge", Place::Charge),
    ("/data/object/created", Place::Created),
    ("/data/object/currency", Place::Currency),
    ("/data/object/destination_details", Place::Destination),
    ("/data/object/failure_balance_transaction", Place::FailureTransaction),
    ("/data/object/failure_reason", Place::FailureReason),
    ("/data/object/metadata", Place::Metadata),
    ("/data/object/next_action", Place::NextAction),
    ("/data/object/payment_intent", Place::PaymentIntent),
    ("/data/object/pending_reason", Place::PendingReason),
    ("/data/object/reason", Place::Reason),
    ("/data/object/status", Place::Status),
    ("/data/object/customer", Place::Customer),
];

const CHARGE: [(&str, Place); 16] = [
    ("/data/object/id", Place::Id),
    ("/data/object/amount", Place::Amount),
    ("/data/object/amount_captured", Place::Captured),
    ("/data/object/amount_refunded", Place::AmountRefunded),
    ("/data/object/balance_transaction", Place::BalanceTransaction),
    ("/data/object/created", Place::Created),
    ("/data/object/currency", Place::Currency),
    ("/data/object/disputed", Place::IsDisputed),
    ("/data/object/metadata", Place::Metadata),
    ("/data/object/payment_intent", Place::PaymentIntent),
    ("/data/object/payment_method_details/card/amount_authorized", Place::Authorized),
    ("/data/object/payment_method_details/card/overcapture/maximum_amount_capturable", Place::Authorized),
    ("/data/object/receipt_url", Place::Receipt),
    ("/data/object/refunded", Place::IsRefunded),
    ("/data/object/billing_details/email", Place::Email),
    ("/data/object/customer", Place::Customer),
];

const DISPUTE: [(&str, Place); 14] = [
    ("/data/object/id", Place::Id),
    ("/data/object/amount", Place::Amount),
    ("/data/object/balance_transaction", Place::BalanceTransaction),
    ("/data/object/balance_transactions", Place::BalanceTransactions),
    ("/data/object/charge", Place::Charge),
    ("/data/object/created", Place::Created),
    ("/data/object/currency", Place::Currency),
    ("/data/object/is_charge_refundable", Place::IsRefundable),
    ("/data/object/payment_intent", Place::PaymentIntent),
    ("/data/object/payment_method_details/card/case_type", Place::CaseType),
    ("/data/object/payment_method_details/card/network_reason_code", Place::NetworkCode),
    ("/data/object/reason", Place::Reason),
    ("/data/object/status", Place::Status),
    ("/data/object/evidence_details/due_by", Place::DueBy),
];

const PAYMENT: [(&str, Place); 11] = [
    ("/data/object/id", Place::Id),
    ("/data/object/amount", Place::Amount),
    ("/data/object/amount_capturable", Place::Capturable),
    ("/data/object/amount_received", Place::Received),
    ("/data/object/client_secret", Place::ClientSecret),
    ("/data/object/latest_charge", Place::LatestCharge),
    ("/data/object/next_action/display_bank_transfer_instructions/amount_remaining", Place::Remaining),
    ("/data/object/created", Place::Created),
    ("/data/object/currency", Place::Currency),
    ("/data/object/metadata", Place::Metadata),
    ("/data/object/customer", Place::Customer),
];

/// Objects that only name a charge: reviews and early warnings.
const ASIDE: [(&str, Place); 4] = [
    ("/data/object/id", Place::Id),
    ("/data/object/charge", Place::Charge),
    ("/data/object/created", Place::Created),
    ("/data/object/payment_intent", Place::PaymentIntent),
];

/// What an event carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    Refund,
    Charge,
    Dispute,
    Payment,
    Aside,
}

impl Carries {
    /// What an example carries.
    pub(super) fn of(example: &Value) -> Carries {
        match example.pointer("/data/object/object").and_then(Value::as_str) {
            Some("refund") => Carries::Refund,
            Some("charge") => Carries::Charge,
            Some("dispute") => Carries::Dispute,
            Some("payment_intent") => Carries::Payment,
            _ => Carries::Aside,
        }
    }

    fn places(self) -> &'static [(&'static str, Place)] {
        match self {
            Carries::Refund => &REFUND,
            Carries::Charge => &CHARGE,
            Carries::Dispute => &DISPUTE,
            Carries::Payment => &PAYMENT,
            Carries::Aside => &ASIDE,
        }
    }
}

/// The template of an example. Only what an event of this type may carry is added to it.
pub(super) fn template(example: &Value) -> Template<Place> {
    let carries = Carries::of(example);
    let mut whole = example.clone();
    let comes_and_goes = ["failure_balance_transaction", "failure_reason", "next_action", "pending_reason"];
    let added: &[&str] = if carries == Carries::Refund { &comes_and_goes } else { &[] };
    if let Some(object) = whole.pointer_mut("/data/object").and_then(Value::as_object_mut) {
        for name in added.iter().filter(|name| !object.contains_key(name)).copied().collect::<Vec<_>>() {
            object.insert(name, Value::Null);
        }
        *object = in_order(object);
    }
    if let Some(data) = whole.pointer_mut("/data").and_then(Value::as_object_mut)
        && !data.contains_key("previous_attributes")
    {
        data.insert("previous_attributes", Value::Null);
    }
    let places: Vec<(&str, Place)> = ENVELOPE.iter().chain(carries.places()).copied().collect();
    // What is null in an example of a payment is so because nothing was paid yet.
    let may_be_null = |place: Place| !matches!(place, Place::LatestCharge | Place::Authorized);
    let is_there = |(pointer, place): &(&str, Place)| whole.pointer(pointer).is_some_and(|value| may_be_null(*place) || !value.is_null());
    Template::indented(&whole, &places.into_iter().filter(is_there).collect::<Vec<_>>())
}

/// The same example of a payment by Klarna: what it was paid with stands in a member that is called like that. Nothing where the
/// example says nothing of it.
pub(super) fn without_card(example: &Value) -> Option<Value> {
    let of_charge = r#"{"klarna":{"payer_details":{"address":{"country":"DE"}},"payment_method_category":"pay_later","preferred_locale":"en-DE"},"type":"klarna"}"#;
    let of_dispute = r#"{"klarna":{"reason_code":null},"type":"klarna"}"#;
    let details = match Carries::of(example) {
        Carries::Charge => ("/data/object/payment_method_details", of_charge),
        Carries::Dispute => ("/data/object/payment_method_details", of_dispute),
        Carries::Payment => ("/data/object/payment_method_types", r#"["klarna"]"#),
        // Where the money of a refund goes is written into its template.
        Carries::Refund | Carries::Aside => return None,
    };
    let mut otherwise = example.clone();
    let options = ("/data/object/payment_method_options", r#"{"klarna":{"preferred_locale":"en-DE"}}"#);
    for (pointer, text) in [details, options] {
        if let Some(member) = otherwise.pointer_mut(pointer).filter(|member| !member.is_null()) {
            // The texts are JSON.
            *member = serde_json::from_str(text).unwrap_or_default();
        }
    }
    Some(otherwise)
}

/// The members of an object in Stripe's order.
pub(super) fn in_order(object: &Map) -> Map {
    let mut members: Vec<(String, Value)> = object.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let rank = |name: &str| match name {
        "id" => 0,
        "object" => 1,
        _ => 2,
    };
    members.sort_by(|(one, _), (other, _)| (rank(one), one).cmp(&(rank(other), other)));
    members.into_iter().collect()
}
