//! From a service's own JSON to an order refund state, without code.
//!
//! JSON Pointers (RFC 6901) say where things stand, tables say what words mean.
//! Source: `docs/http-targets.md`, "A JSON shape of your own".

use std::collections::BTreeMap;

use crate::{
    adapter::{Observable, shown},
    domain::{Amount, Currency, OrderState, RefundState, RefundView, Status},
    json::{Value, from_value},
};
use serde::{Deserialize, Deserializer, de};

/// Where in a service's own JSON the order refund state stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mapping {
    /// In what unit amounts are.
    #[serde(default)]
    pub amounts: AmountUnit,
    /// The order's id, where it is to be compared.
    #[serde(default)]
    pub order_id: Option<Pointer>,
    /// The currency.
    #[serde(default)]
    pub currency: Option<Pointer>,
    /// What was paid back.
    pub refunded_amount: Pointer,
    /// What is still available.
    #[serde(default)]
    pub available_to_refund_amount: Option<Pointer>,
    /// What was charged back.
    #[serde(default)]
    pub charged_back_amount: Option<Pointer>,
    /// The order's status.
    pub status: Pointer,
    /// What its words mean; without a table they are the contract's own.
    #[serde(default)]
    pub statuses: BTreeMap<String, Status>,
    /// The refunds.
    #[serde(default)]
    pub refunds: Option<RefundsMapping>,
}

/// Where the refunds stand. All pointers but the first are into an element of the list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefundsMapping {
    /// The list.
    pub list: Pointer,
    /// The provider's refund id.
    pub id: Pointer,
    /// The state.
    pub state: Pointer,
    /// What its words mean; without a table they are the contract's own.
    #[serde(default)]
    pub states: BTreeMap<String, RefundState>,
    /// What was asked for.
    #[serde(default)]
    pub amount: Option<Pointer>,
    /// What was paid back.
    pub refunded_amount: Pointer,
}

/// In what unit a service shows amounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum AmountUnit {
    /// Decimal numbers of the major unit, as JSON strings or numbers.
    #[default]
    Major,
    /// Whole numbers of the currency's minor unit (cents; for currencies without, the unit itself).
    Minor,
    /// Whole numbers of the unit that the provider's events count in, such as hundredths in every currency.
    Provider,
}

/// A JSON Pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pointer(String);

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pointer, D::Error> {
        let text = String::deserialize(deserializer)?;
        let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if !text.is_empty() && !text.starts_with('/') || !escapes {
            return Err(de::Error::custom(format!("`{text}` is no JSON Pointer; one looks like `/refund/total`")));
        }
        Ok(Pointer(text))
    }
}

impl Mapping {
    /// The first member that is claimed to be shown and that nothing says where to find.
    pub(super) fn unmapped(&self, claimed: &[Observable]) -> Option<&'static str> {
        claimed.iter().find_map(|observable| {
            let (name, is_mapped) = match observable {
                Observable::Currency => ("currency", self.currency.is_some()),
                Observable::Refunds => ("refunds", self.refunds.is_some()),
                Observable::AvailableToRefundAmount => ("availableToRefundAmount", self.available_to_refund_amount.is_some()),
                Observable::ChargedBackAmount => ("chargedBackAmount", self.charged_back_amount.is_some()),
            };
            (!is_mapped).then_some(name)
        })
    }

    /// The state that a document shows. `known` is what is known of the order otherwise. The error names the pointer, what was
    /// found there, and the document.
    pub(super) fn read(&self, document: &Value, order_id: &str, known: Known) -> Result<OrderState, String> {
        self.state(document, order_id, known)
            .map_err(|problem| format!("{problem}, in the document `{}`", shown(document.to_string().as_bytes())))
    }

    /// What each pointer found and how it was read, a line for each.
    pub(super) fn readings(&self, document: &Value, order_id: &str, known: Known) -> Vec<String> {
        let state = self.state(document, order_id, known).ok();
        let amount = |amount: Option<Amount>| amount.map(Amount::to_wire);
        let state = state.as_ref();
        let lines = [
            ("orderId", self.order_id.as_ref(), state.map(|state| state.order_id.clone())),
            ("status", Some(&self.status), state.map(|state| state.status.to_string())),
            ("refundedAmount", Some(&self.refunded_amount), amount(state.map(|state| state.refunded_amount))),
            ("currency", self.currency.as_ref(), state.and_then(|state| state.currency.clone())),
            (
                "availableToRefundAmount",
                self.available_to_refund_amount.as_ref(),
                amount(state.and_then(|state| state.available_to_refund_amount)),
            ),
            ("chargedBackAmount", self.charged_back_amount.as_ref(), amount(state.and_then(|state| state.charged_back_amount))),
            (
                "refunds",
                self.refunds.as_ref().map(|refunds| &refunds.list),
                state.and_then(|state| state.refunds.as_ref()).map(|refunds| format!("{} refund(s)", refunds.len())),
            ),
        ];
        let line = |(name, pointer, read): (&str, Option<&Pointer>, Option<String>)| {
            let pointer = pointer?;
            let found = document.pointer(&pointer.0).map_or("nothing".to_owned(), |found| shown(found.to_string().as_bytes()));
            Some(format!("{name:<24} {:<24} {found} → {}", pointer.0, read.as_deref().unwrap_or("nothing")))
        };
        lines.into_iter().filter_map(line).collect()
    }

    fn state(&self, document: &Value, order_id: &str, known: Known) -> Result<OrderState, String> {
        let shown_currency = self.currency.as_ref().map(|pointer| text(document, "currency", pointer)).transpose()?;
        let currency = shown_currency.as_deref().and_then(Currency::from_code).or(known.currency);
        let digits = if self.amounts == AmountUnit::Provider { known.digits_sent } else { Currency::digits };
        let unit = Unit { unit: self.amounts, digits: currency.map(digits) };
        let optional = |name, pointer: &Option<Pointer>| pointer.as_ref().map(|pointer| unit.maybe(document, name, pointer)).transpose();
        Ok(OrderState {
            order_id: match &self.order_id {
                Some(pointer) => text(document, "orderId", pointer)?,
                None => order_id.to_owned(),
            },
            status: word(document, "status", &self.status, &self.statuses, "mapping.statuses")?,
            refunded_amount: unit.amount(document, "refundedAmount", &self.refunded_amount)?,
            currency: shown_currency,
            available_to_refund_amount: optional("availableToRefundAmount", &self.available_to_refund_amount)?.flatten(),
            charged_back_amount: optional("chargedBackAmount", &self.charged_back_amount)?.flatten(),
            refunds: self.refunds.as_ref().map(|refunds| refunds.read(document, unit)).transpose()?,
        })
    }
}

impl RefundsMapping {
    fn read(&self, document: &Value, unit: Unit) -> Result<Vec<RefundView>, String> {
        let list = find(document, "refunds.list", &self.list)?;
        let Value::Array(elements) = list else { return Err(unfit("refunds.list", &self.list, list, "no array")) };
        elements.iter().map(|element| self.refund(element, unit)).collect()
    }

    fn refund(&self, element: &Value, unit: Unit) -> Result<RefundView, String> {
        Ok(RefundView {
            id: text(element, "refunds.id", &self.id)?,
            state: word(element, "refunds.state", &self.state, &self.states, "mapping.refunds.states")?,
            amount: match &self.amount {
                Some(pointer) => unit.maybe(element, "refunds.amount", pointer)?,
                None => None,
            },
            refunded_amount: unit.amount(element, "refunds.refundedAmount", &self.refunded_amount)?,
        })
    }
}

/// What is known of an order besides what its service shows.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// Its currency, where it was told.
    pub(super) currency: Option<Currency>,
    /// How many digits the provider's whole numbers have behind the point.
    pub(super) digits_sent: fn(Currency) -> u32,
}

/// How to read amounts.
#[derive(Clone, Copy)]
struct Unit {
    unit: AmountUnit,
    /// Of the order's currency, where it is known.
    digits: Option<u32>,
}

impl Unit {
    fn amount(self, document: &Value, name: &str, pointer: &Pointer) -> Result<Amount, String> {
        let found = find(document, name, pointer)?;
        let unfit = |why| Err(unfit(name, pointer, found, why));
        let text = match found {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return unfit("no amount"),
        };
        match self.unit {
            AmountUnit::Major => Amount::parse_shown(&text).map_or_else(|_| unfit("no amount"), Ok),
            AmountUnit::Minor | AmountUnit::Provider => {
                let Some(digits) = self.digits else { return unfit("in minor units of a currency that is not known; map `currency`") };
                let (sign, number) = text.strip_prefix('-').map_or((1, text.as_str()), |number| (-1, number));
                let Ok(units) = number.parse::<u64>() else {
                    return floating(&text, digits).map_or_else(|| unfit("no whole number of minor units"), Ok);
                };
                let amount = Amount::from_minor(units, digits);
                Ok(if sign < 0 { Amount::ZERO - amount } else { amount })
            }
        }
    }

    /// Null is nothing shown. What is not there at all may be a pointer that is written wrong, and nobody would notice.
    fn maybe(self, document: &Value, name: &str, pointer: &Pointer) -> Result<Option<Amount>, String> {
        if find(document, name, pointer)?.is_null() { Ok(None) } else { self.amount(document, name, pointer).map(Some) }
    }
}

/// Minor units as floating point writes them: whole ones with a zero behind the point, and others with the fraction that it left.
/// A fraction of few digits is rather that of an amount in major units.
fn floating(text: &str, digits: u32) -> Option<Amount> {
    const FEWEST: usize = 5;
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (_, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let power = exponent.parse::<i64>().ok()?.checked_sub(i64::from(digits))?;
    let is_meant = fraction == "0" || fraction.len() >= FEWEST || power < -i64::from(digits);
    is_meant.then(|| Amount::parse_shown(&format!("{mantissa}e{power}")).ok()).flatten()
}

fn find<'v>(document: &'v Value, name: &str, pointer: &Pointer) -> Result<&'v Value, String> {
    document.pointer(&pointer.0).ok_or_else(|| format!("`mapping.{name}`: the pointer `{}` finds nothing", pointer.0))
}

fn unfit(name: &str, pointer: &Pointer, found: &Value, why: &str) -> String {
    format!("`mapping.{name}`: the pointer `{}` finds `{}`, which is {why}", pointer.0, shown(found.to_string().as_bytes()))
}

fn text(document: &Value, name: &str, pointer: &Pointer) -> Result<String, String> {
    match find(document, name, pointer)? {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(unfit(name, pointer, other, "no text")),
    }
}

/// A word of the service as one of the contract's.
fn word<T: Copy + de::DeserializeOwned>(
    document: &Value,
    name: &str,
    pointer: &Pointer,
    table: &BTreeMap<String, T>,
    table_name: &str,
) -> Result<T, String> {
    let found = find(document, name, pointer)?;
    let word = match found {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) | Value::Null => found.to_string(),
        Value::Array(_) | Value::Object(_) => return Err(unfit(name, pointer, found, "no word")),
    };
    if table.is_empty() {
        return from_value(&Value::from(word))
            .map_err(|_| unfit(name, pointer, found, &format!("none of the contract's words; say in [{table_name}] what it means")));
    }
    table.get(&word).copied().ok_or_else(|| unfit(name, pointer, found, &format!("not in [{table_name}]")))
}

/// Where a service of tests and fuzzers shows what in JSON of its own.
#[cfg(any(test, feature = "arbitrary"))]
pub const OWN_JSON: &str = r#"
amounts = "minor"
currency = "/money/currency"
refundedAmount = "/money/back"
availableToRefundAmount = "/money/left"
status = "/state"
[statuses]
PAID = "not_refunded"
PART = "partially_refunded"
[refunds]
list = "/refunds"
id = "/ref"
state = "/done"
refundedAmount = "/back"
[refunds.states]
true = "succeeded"
false = "pending"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str =
        r#"{"state":"PART","money":{"currency":"USD","back":541,"left":null},"refunds":[{"ref":"re_1","done":true,"back":541}]}"#;

    fn mapping() -> Mapping {
        toml::from_str(OWN_JSON).expect("a mapping")
    }

    const UNKNOWN: Known = Known { currency: None, digits_sent: |_| 2 };

    fn read(document: &str) -> Result<OrderState, String> {
        mapping().read(&serde_json::from_str(document).expect("JSON"), "17", UNKNOWN)
    }

    #[track_caller]
    fn refused(from: &str, to: &str, parts: &[&str]) {
        assert!(DOCUMENT.contains(from));
        let problem = read(&DOCUMENT.replace(from, to)).expect_err("does not fit");
        for part in parts {
            assert!(problem.contains(part), "{part} is not in: {problem}");
        }
    }

    #[test]
    fn a_document_is_read() {
        let state = read(DOCUMENT).expect("a state");
        assert_eq!((state.order_id.as_str(), state.status), ("17", Status::PartiallyRefunded));
        assert_eq!(state.refunded_amount, Amount::from_minor(541, 2));
        assert_eq!(state.available_to_refund_amount, None);
        assert_eq!(
            state.refunds.as_ref().map(|refunds| (refunds[0].id.as_str(), refunds[0].state)),
            Some(("re_1", RefundState::Succeeded))
        );
    }

    #[test]
    fn digits_are_the_currencys() {
        let yen = read(&DOCUMENT.replace("USD", "JPY")).expect("a state");
        assert_eq!(yen.refunded_amount, Amount::from_minor(541, 0));
        refused("USD", "???", &["`mapping.refundedAmount`", "/money/back", "currency that is not known"]);
    }

    #[test]
    fn what_floating_point_makes_of_minor_units_is_an_amount() {
        for (units, expected) in [("541.0", "5.41"), ("540.9999999999998", "5.409999999999998"), ("2.5e-13", "0.0000000000000025")] {
            let state = read(&DOCUMENT.replace("541,\"left\"", &format!("{units},\"left\""))).expect("a state");
            assert_eq!(state.refunded_amount.to_string(), expected);
        }
    }

    #[test]
    fn digits_are_the_providers() {
        let mapping: Mapping = toml::from_str(&OWN_JSON.replace("\"minor\"", "\"provider\"")).expect("a mapping");
        let document = serde_json::from_str(&DOCUMENT.replace("USD", "JPY")).expect("JSON");
        let yen = mapping.read(&document, "17", UNKNOWN).expect("a state");
        assert_eq!(yen.refunded_amount, Amount::from_minor(541, 2));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        refused("\"PART\"", "\"GONE\"", &["`mapping.status`", "`/state`", "`\"GONE\"`", "[mapping.statuses]", "in the document `{"]);
        refused("\"back\":541,", "", &["`mapping.refundedAmount`", "`/money/back` finds nothing"]);
        refused(",\"left\":null", "", &["`mapping.availableToRefundAmount`", "`/money/left` finds nothing"]);
        refused("541,\"left\"", "\"x\",\"left\"", &["no whole number of minor units"]);
        refused("541,\"left\"", "5.41,\"left\"", &["no whole number of minor units"]);
        refused("\"done\":true", "\"done\":7", &["`mapping.refunds.state`", "[mapping.refunds.states]"]);
        refused("[{\"ref\":\"re_1\",\"done\":true,\"back\":541}]", "{}", &["`mapping.refunds.list`", "no array"]);
    }

    #[test]
    fn pointers_are_checked_when_they_are_read() {
        for pointer in ["state", "/a~2b", "$.state"] {
            let text = OWN_JSON.replace("\"/state\"", &format!("\"{pointer}\""));
            let error = toml::from_str::<Mapping>(&text).expect_err("no pointer");
            assert!(error.message().contains("no JSON Pointer"), "{error}");
        }
    }
}
