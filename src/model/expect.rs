//! What a conforming target may show of one order at one moment.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::domain::{Amount, OrderState, RefundState, RefundView, Status};

/// The set of allowed order refund states. Optional members are judged only where they are given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// The order.
    pub order_id: String,
    /// The allowed statuses.
    #[serde(with = "one_or_many")]
    pub status: Vec<Status>,
    /// The allowed refunded amounts.
    pub refunded_amount: AmountRange,
    /// The currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The allowed amounts still available.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "maybe_one_or_many")]
    pub available_to_refund_amount: Option<Vec<Amount>>,
    /// The allowed charged back amounts.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "maybe_one_or_many")]
    pub charged_back_amount: Option<Vec<Amount>>,
    /// The refund objects; an `amount` is judged where the target shows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunds: Option<Vec<RefundView>>,
    /// Once a doubtful delivery about the order was sent: the amounts that may be shown, whatever became of it. Where this
    /// is given, nothing else of the order is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_doubt: Option<AmountRange>,
}

/// All amounts from `least` to `most`, both included. In a case file a single amount stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmountRange {
    /// The smallest allowed amount.
    pub least: Amount,
    /// The largest allowed amount.
    pub most: Amount,
}

/// What a target can show at all, as far as judging needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// It reports the currency.
    pub currency: bool,
    /// It reports the refund objects.
    pub refunds: bool,
    /// It reports what is available.
    pub available: bool,
    /// It reports what was charged back.
    pub charged_back: bool,
    /// Words that it cannot tell apart.
    pub equivalent: Vec<Vec<String>>,
}

impl Sight {
    /// Whether the target may show one word where the other is expected.
    pub fn same(&self, one: &str, other: &str) -> bool {
        let has = |group: &Vec<String>, word: &str| group.iter().any(|member| member == word);
        one == other || self.equivalent.iter().any(|group| has(group, one) && has(group, other))
    }
}

impl AmountRange {
    /// Whether the range is a single amount.
    pub fn is_exact(&self) -> bool {
        self.least == self.most
    }

    /// Both ranges and what is between them.
    #[must_use]
    pub fn and_between(self, other: AmountRange) -> AmountRange {
        AmountRange { least: self.least.min(other.least), most: self.most.max(other.most) }
    }

    /// Whether the amount is in the range.
    pub fn contains(&self, amount: Amount) -> bool {
        self.least <= amount && amount <= self.most
    }
}

impl Expectation {
    /// Whether only one status and one amount are allowed.
    pub fn is_exact(&self) -> bool {
        self.refunded_amount.is_exact() && self.status.len() == 1
    }

    /// The same where doubtful deliveries must be contained: taken as a whole or not at all.
    #[must_use]
    pub fn contained(&self) -> Expectation {
        Expectation { in_doubt: None, ..self.clone() }
    }

    /// What either of two expectations allows, and what is between them. A member on which they differ is not
    /// judged, but for status and amount.
    #[must_use]
    pub fn or(mut self, other: Expectation) -> Expectation {
        self.refunded_amount = self.refunded_amount.and_between(other.refunded_amount);
        self.status.extend(other.status);
        self.status.sort_unstable();
        self.status.dedup();
        if self.available_to_refund_amount != other.available_to_refund_amount {
            self.available_to_refund_amount = None;
        }
        if self.charged_back_amount != other.charged_back_amount {
            self.charged_back_amount = None;
        }
        if self.refunds != other.refunds {
            self.refunds = None;
        }
        self
    }

    /// Whether what a target shows is allowed, as far as it claims to show it.
    pub fn allows(&self, state: &OrderState, sight: &Sight) -> bool {
        self.misfits(state, sight).is_empty()
    }

    /// The names of the members that are not as they must be.
    pub fn misfits(&self, state: &OrderState, sight: &Sight) -> Vec<&'static str> {
        let mut misfits = Vec::new();
        let mut check = |name, fits: bool| {
            if !fits {
                misfits.push(name);
            }
        };
        check("orderId", state.order_id == self.order_id);
        if let Some(range) = self.in_doubt {
            check("refundedAmount", range.contains(state.refunded_amount));
            return misfits;
        }
        check("status", self.status.iter().any(|status| sight.same(status.as_str(), state.status.as_str())));
        check("refundedAmount", self.refunded_amount.contains(state.refunded_amount));
        if let Some(currency) = self.currency.as_ref().filter(|_| sight.currency) {
            check("currency", state.currency.as_ref() == Some(currency));
        }
        if let Some(choices) = self.available_to_refund_amount.as_ref().filter(|_| sight.available) {
            check("availableToRefundAmount", state.available_to_refund_amount.is_some_and(|amount| choices.contains(&amount)));
        }
        if let Some(choices) = self.charged_back_amount.as_ref().filter(|_| sight.charged_back) {
            check("chargedBackAmount", state.charged_back_amount.is_some_and(|amount| choices.contains(&amount)));
        }
        if let Some(refunds) = self.refunds.as_ref().filter(|_| sight.refunds) {
            check("refunds", state.refunds.as_ref().is_some_and(|shown| same_refunds(refunds, shown, sight)));
        }
        misfits
    }
}

fn same_refunds(expected: &[RefundView], shown: &[RefundView], sight: &Sight) -> bool {
    // What was withdrawn has not been paid back, and shops have one word for that.
    let is_withdrawn =
        |expected: &RefundView, shown: &RefundView| expected.state == RefundState::Cancelled && shown.state == RefundState::Failed;
    let fits = |expected: &RefundView, shown: &RefundView| {
        (sight.same(expected.state.as_str(), shown.state.as_str()) || is_withdrawn(expected, shown))
            && expected.refunded_amount == shown.refunded_amount
            && (shown.amount.is_none() || expected.amount.is_none() || shown.amount == expected.amount)
    };
    let find = |id: &str| {
        let mut found = shown.iter().filter(|refund| refund.id == id);
        found.next().filter(|_| found.next().is_none())
    };
    expected.len() == shown.len() && expected.iter().all(|refund| find(&refund.id).is_some_and(|shown| fits(refund, shown)))
}

impl Serialize for AmountRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_exact() {
            self.least.serialize(serializer)
        } else {
            RangeText { least: self.least, most: self.most }.serialize(serializer)
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeText {
    least: Amount,
    most: Amount,
}

impl<'de> Deserialize<'de> for AmountRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AmountRange, D::Error> {
        let value = crate::json::Value::deserialize(deserializer)?;
        if value.is_object() {
            let range: RangeText = crate::json::from_value(&value).map_err(de::Error::custom)?;
            return Ok(AmountRange { least: range.least, most: range.most });
        }
        let amount: Amount = crate::json::from_value(&value).map_err(de::Error::custom)?;
        Ok(AmountRange { least: amount, most: amount })
    }
}

/// A list with one member may be written as that member.
mod one_or_many {
    use super::*;

    pub(super) fn serialize<T: Serialize, S: Serializer>(list: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        match list {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, T: de::DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        let value = crate::json::Value::deserialize(deserializer)?;
        if value.is_array() {
            crate::json::from_value(&value).map_err(de::Error::custom)
        } else {
            crate::json::from_value(&value).map(|one| vec![one]).map_err(de::Error::custom)
        }
    }
}

mod maybe_one_or_many {
    use super::*;

    pub(super) fn serialize<T: Serialize, S: Serializer>(list: &Option<Vec<T>>, serializer: S) -> Result<S::Ok, S::Error> {
        match list {
            Some(list) => one_or_many::serialize(list, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, T: de::DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<T>>, D::Error> {
        one_or_many::deserialize(deserializer).map(Some)
    }
}

#[cfg(feature = "schema")]
impl JsonSchema for AmountRange {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AmountRange".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                {"type": ["string", "number"]},
                {"type": "object", "properties": {"least": {"type": ["string", "number"]}, "most": {"type": ["string", "number"]}}, "required": ["least", "most"]}
            ]
        })
    }
}

#[cfg(test)]
mod tests;
