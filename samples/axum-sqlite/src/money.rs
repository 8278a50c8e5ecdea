//! Amounts: exact decimals of major units, from the wire to the database and back.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// No amount of an order is that large; sums of smaller ones cannot overflow.
const TOO_MUCH: Decimal = Decimal::from_parts(0xA4C6_8000, 0x0003_8D7E, 0, false, 0);

/// What adding up in binary fractions leaves: Digital River's own pages show 53.769999999999996, and mean 53.77.
const FLOAT_NOISE: Decimal = Decimal::from_parts(1, 0, 0, false, 9);

/// An amount as it stands in a body: a JSON number, not negative, taken from its own text. It never exists as a binary fraction, and
/// `true` or `"21.60"` are no amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub Decimal);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        // The raw text is at hand whatever features serde_json was built with, and is valid JSON already.
        let text = <&RawValue>::deserialize(deserializer)?.get();
        parse(text).map(Amount).ok_or_else(|| D::Error::custom("an amount is negative, too large or not a number"))
    }
}

fn parse(text: &str) -> Option<Decimal> {
    let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    // Each of the two parsers refuses the other's notation. What they round is far below any minor unit.
    let amount = if text.contains(['e', 'E']) { Decimal::from_scientific(text) } else { text.parse() };
    amount.ok().filter(|amount| is_number && text.len() <= 64 && *amount >= Decimal::ZERO && *amount < TOO_MUCH)
}

/// How many fraction digits amounts in this currency have. An unknown one is taken to have two, as most have.
pub fn digits(currency: &str) -> u32 {
    iso_currency::Currency::from_code(currency).and_then(iso_currency::Currency::exponent).map_or(2, u32::from)
}

/// The amount in whole minor units of the currency, written with all its fraction digits.
///
/// # Errors
/// [`Refusal::Unprocessable`] if it is more precise than the currency.
pub fn whole_minor_units(amount: Decimal, digits: u32) -> Result<Decimal, Refusal> {
    let mut whole = amount.round_dp(digits);
    if (amount - whole).abs() > FLOAT_NOISE {
        return Err(Refusal::Unprocessable("an amount is more precise than its currency"));
    }
    whole.rescale(digits);
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, digits: u32, expected: Option<&str>) {
        let amount = serde_json::from_str(json).ok().and_then(|Amount(amount)| whole_minor_units(amount, digits).ok());
        assert_eq!(amount.map(|amount| amount.to_string()).as_deref(), expected, "{json}");
    }

    #[test]
    fn one_amount_in_many_notations() {
        for json in ["21.6", "21.60", "2.16e1", "2160e-2", "21600000E-6", "21.600000000"] {
            check(json, 2, Some("21.60"));
        }
        check("33.0", 0, Some("33"));
        check("1.234", 3, Some("1.234"));
        check("999999999999.99", 2, Some("999999999999.99"));
        check("0", 2, Some("0.00"));
    }

    #[test]
    fn float_noise_is_rounded_and_nothing_else() {
        check("53.769999999999996", 2, Some("53.77"));
        check("53.7700000000001", 2, Some("53.77"));
        check("53.775", 2, None);
        check("33.5", 0, None);
    }

    #[test]
    fn no_amounts() {
        let long = format!("1.{}", "0".repeat(1000));
        for json in ["true", "null", "\"21.60\"", "[]", "{}", "-0.01", "1e300", "1e15", &long, r#"{"$serde_json::private::Number":"1"}"#] {
            check(json, 2, None);
        }
    }
}
