//! The order refund state: what a target shows of one order (`docs/adapter-protocol.md`, "Order refund state").

use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, amount};

/// The refund status of an order (`docs/expectations.md`, "Truth").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No refund at all.
    NotRefunded,
    /// Nothing paid back, none open, some refund failed.
    Failed,
    /// Nothing paid back, some refund is pending.
    Pending,
    /// Nothing paid back, some refund waits for information.
    PendingInformation,
    /// Something, but not everything, is paid back.
    PartiallyRefunded,
    /// Everything captured is paid back.
    Refunded,
    /// There is a chargeback.
    ChargedBack,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 7] = {
        use Status::*;
        [NotRefunded, Failed, Pending, PendingInformation, PartiallyRefunded, Refunded, ChargedBack]
    };

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::NotRefunded => "not_refunded",
            Status::Failed => "failed",
            Status::Pending => "pending",
            Status::PendingInformation => "pending_information",
            Status::PartiallyRefunded => "partially_refunded",
            Status::Refunded => "refunded",
            Status::ChargedBack => "charged_back",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The state of one refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Asked for, not yet taken up by the provider.
    Requested,
    /// Under way.
    Pending,
    /// Waits for information from the shopper.
    PendingInformation,
    /// Paid back; final.
    Succeeded,
    /// Not paid back; final.
    Failed,
    /// Withdrawn; final.
    Cancelled,
}

impl RefundState {
    /// Whether money is set aside for it: it has neither ended well nor ended without.
    pub fn is_open(self) -> bool {
        matches!(self, RefundState::Requested | RefundState::Pending | RefundState::PendingInformation)
    }

    /// Whether money is under way for it or was paid back.
    pub(crate) fn has_money(self) -> bool {
        self.is_open() || self == RefundState::Succeeded
    }

    /// Whether no later event can change the state.
    pub fn is_final(self) -> bool {
        matches!(self, RefundState::Succeeded | RefundState::Failed | RefundState::Cancelled)
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            RefundState::Requested => "requested",
            RefundState::Pending => "pending",
            RefundState::PendingInformation => "pending_information",
            RefundState::Succeeded => "succeeded",
            RefundState::Failed => "failed",
            RefundState::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for RefundState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a target shows of one order. Members that it does not claim to observe are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OrderState {
    /// The order.
    pub order_id: String,
    /// Its refund status.
    pub status: Status,
    /// The sum of what was paid back, chargebacks not counted.
    #[serde(deserialize_with = "amount::shown")]
    #[cfg_attr(feature = "schema", schemars(with = "AmountText"))]
    pub refunded_amount: Amount,
    /// The order's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What could still be refunded.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "amount::maybe_shown")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<AmountText>"))]
    pub available_to_refund_amount: Option<Amount>,
    /// The sum of the chargebacks.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "amount::maybe_shown")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<AmountText>"))]
    pub charged_back_amount: Option<Amount>,
    /// The refund objects, in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunds: Option<Vec<RefundView>>,
}

impl OrderState {
    /// The state of an order that shows no more than everybody must.
    pub fn new(order_id: impl Into<String>, status: Status, refunded_amount: Amount) -> OrderState {
        OrderState {
            order_id: order_id.into(),
            status,
            refunded_amount,
            currency: None,
            available_to_refund_amount: None,
            charged_back_amount: None,
            refunds: None,
        }
    }

    /// The same with something about it changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut OrderState)) -> OrderState {
        change(&mut self);
        self
    }
}

/// One refund object as a target shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RefundView {
    /// The provider's refund id.
    pub id: String,
    /// Its state.
    pub state: RefundState,
    /// What was asked for; a refund of items has no amount of its own.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "amount::maybe_shown")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<AmountText>"))]
    pub amount: Option<Amount>,
    /// What was paid back; zero unless the refund succeeded.
    #[serde(default, deserialize_with = "amount::shown")]
    #[cfg_attr(feature = "schema", schemars(with = "AmountText"))]
    pub refunded_amount: Amount,
}

impl RefundView {
    /// A refund in this state, of which this much was paid back.
    pub fn new(id: impl Into<String>, state: RefundState, refunded_amount: Amount) -> RefundView {
        RefundView { id: id.into(), state, amount: None, refunded_amount }
    }

    /// The same with something about it changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut RefundView)) -> RefundView {
        change(&mut self);
        self
    }
}

/// How an amount looks in JSON: a decimal number, as a string or as a number.
#[cfg(feature = "schema")]
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it only describes the wire form to the schema writer")]
pub(crate) enum AmountText {
    /// A decimal number as a string.
    Text(#[schemars(regex(pattern = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"))] String),
    /// A decimal number.
    Number(serde_json::Number),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_may_be_strings_or_numbers() {
        let text = r#"{"orderId":"1","status":"partially_refunded","refundedAmount":21.60,"extra":[],"refunds":[{"id":"re_1","state":"succeeded","refundedAmount":"21.6"}]}"#;
        let state: OrderState = serde_json::from_str(text).expect("an order state");
        assert_eq!(state.refunded_amount, Amount::from_minor(2160, 2));
        assert_eq!(state.refunds.map(|refunds| refunds[0].refunded_amount), Some(state.refunded_amount));
    }

    #[test]
    fn unknown_statuses_are_named() {
        let error = serde_json::from_str::<OrderState>(r#"{"orderId":"1","status":"done","refundedAmount":"1"}"#).expect_err("no status");
        assert!(error.to_string().contains("`done`"), "{error}");
    }
}
