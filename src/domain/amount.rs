//! Amounts of money in major units, exact from the wire to the report.
//!
//! `rust_decimal` does the arithmetic. Parsing is done here because its two parsers each refuse the
//! other's notation, one rounds without saying so, and an amount that a target shows must never be
//! rounded before it is compared.

use std::{fmt, iter::Sum, ops};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

/// An exact decimal amount in major units (dollars, not cents).
///
/// Two amounts are equal when they have the same value: `21.6` and `21.60` are one amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(Decimal);

/// Why a text is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The text is not a decimal number in JSON's notation.
    #[error("`{0}` is not a decimal number")]
    NotANumber(String),
    /// The number has more significant digits than an exact decimal of 96 bits can hold.
    #[error("`{0}` has more digits than money can have")]
    TooLong(String),
}

impl Amount {
    /// Nothing at all.
    pub const ZERO: Amount = Amount(Decimal::ZERO);

    /// The amount of `minor` minor units in a currency with `digits` fraction digits.
    pub fn from_minor(minor: u64, digits: u32) -> Amount {
        Amount(Decimal::from_i128_with_scale(i128::from(minor), digits))
    }

    /// So many minor units of a currency with so many digits; `None` if it is no such number.
    pub fn to_minor(self, digits: u32) -> Option<u64> {
        let units = self.0.checked_mul(Decimal::from(10_u64.checked_pow(digits)?))?;
        if units.fract().is_zero() { units.trunc().to_string().split('.').next()?.parse().ok() } else { None }
    }

    /// Reads a decimal number as JSON writes it, with sign, fraction and exponent, without rounding.
    ///
    /// # Errors
    /// When the text is not such a number, or has more digits than can be kept exactly.
    pub fn parse(text: &str) -> Result<Amount, AmountError> {
        parse_plain(text).map_or_else(|| Amount::parse_closely(text, false), Ok)
    }

    /// Reads what a target shows, which is wrong rather than unreadable where floating point left more digits than can be kept: the
    /// rest is cut, and what is left has the most digits that there are, so that it is no amount that anybody means.
    pub(crate) fn parse_shown(text: &str) -> Result<Amount, AmountError> {
        parse_plain(text).map_or_else(|| Amount::parse_closely(text, true), Ok)
    }

    fn parse_closely(text: &str, cuts: bool) -> Result<Amount, AmountError> {
        let not_a_number = || AmountError::NotANumber(shorten(text));
        let too_long = || AmountError::TooLong(shorten(text));
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent).ok_or_else(not_a_number)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return Err(not_a_number()),
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
            return Err(not_a_number());
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        // What is written with cents is shown with cents; the value is the same.
        let written = if exponent == 0 && fraction.len() <= 9 { u32::try_from(fraction.len()).unwrap_or(0) } else { 0 };
        if significant.is_empty() {
            return Ok(Amount(Decimal::from_i128_with_scale(0, written)));
        }
        let trailing = digits.len() - digits.trim_end_matches('0').len();
        // value = significant * 10^power
        let power = exponent
            .checked_add(i64::try_from(trailing).map_err(|_| too_long())?)
            .and_then(|power| power.checked_sub(i64::try_from(fraction.len()).ok()?))
            .ok_or_else(too_long)?;
        if significant.len() > MOST_DIGITS || !(-28..=28).contains(&power) {
            return cut(significant, power, negative).filter(|_| cuts).ok_or_else(too_long);
        }
        let mut value: i128 = significant.parse().map_err(|_| too_long())?;
        let mut scale = 0;
        if power >= 0 {
            let factor = 10_i128.pow(u32::try_from(power).unwrap_or(0));
            value = value.checked_mul(factor).ok_or_else(too_long)?;
        } else {
            scale = u32::try_from(-power).map_err(|_| too_long())?;
        }
        let value = if negative { -value } else { value };
        let mut value = Decimal::try_from_i128_with_scale(value, scale).map_err(|_| too_long())?;
        if written > scale {
            value.rescale(written);
        }
        Ok(Amount(value))
    }

    /// The amount whose `10^places`-th parts this number counts: 90000 hundredths are 900. `None` where that has more digits
    /// than can be kept exactly.
    pub fn in_parts(self, places: u32) -> Option<Amount> {
        let plain = self.0.normalize();
        Decimal::try_from_i128_with_scale(plain.mantissa(), plain.scale() + places).ok().map(Amount)
    }

    /// Whether the amount is below zero.
    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }

    /// Whether the amount is zero.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The text that a provider sends: at least one fraction digit, no trailing zeros after it.
    pub fn to_wire(self) -> String {
        let plain = self.0.normalize();
        if plain.scale() == 0 { format!("{plain}.0") } else { plain.to_string() }
    }

    /// The text that a person reads: at least `digits` fraction digits, more where the value has more.
    pub fn to_fixed(self, digits: u32) -> String {
        let mut value = self.0.normalize();
        if value.scale() < digits {
            value.rescale(digits);
        }
        value.to_string()
    }
}

/// How many digits, and how many places behind the point, are kept of any amount.
const MOST_DIGITS: usize = 28;

/// A number of these digits, times ten to a power, without what stands behind the last place that can be kept; the digit there is
/// not zero, because something followed. `None` where there is no room even for what stands before the point.
fn cut(significant: &str, power: i64, negative: bool) -> Option<Amount> {
    let before_the_point = i64::try_from(significant.len()).ok()?.checked_add(power)?;
    let places = MOST_DIGITS.checked_sub(usize::try_from(before_the_point.max(0)).ok()?)?;
    let kept = usize::try_from(before_the_point.checked_add(i64::try_from(places).ok()?)?).unwrap_or(0);
    let digits: i128 = if kept == 0 { 0 } else { significant.get(..kept)?.parse().ok()? };
    let digits = if digits % 10 == 0 { digits + 1 } else { digits };
    let digits = if negative { -digits } else { digits };
    Decimal::try_from_i128_with_scale(digits, u32::try_from(places).ok()?).ok().map(Amount)
}

/// Reads a number without exponent whose digits fit into a machine word, as nearly all are; nothing where a closer look is needed.
fn parse_plain(text: &str) -> Option<Amount> {
    const MOST_DIGITS: usize = 18;
    const MOST_PLACES: u32 = 9;
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let whole = unsigned.bytes().position(|byte| byte == b'.').unwrap_or(unsigned.len());
    let places = unsigned.len().saturating_sub(whole + 1);
    if whole == 0 || whole + 1 == unsigned.len() || whole + places > MOST_DIGITS {
        return None;
    }
    let mut digits: i64 = 0;
    for byte in unsigned.bytes().enumerate().filter(|(place, _)| *place != whole).map(|(_, byte)| byte) {
        digits = digits * 10 + i64::from(char::from(byte).to_digit(10)?);
    }
    let places = u32::try_from(places).ok().filter(|places| *places <= MOST_PLACES)?;
    let digits = if unsigned.len() < text.len() { -digits } else { digits };
    Some(Amount(Decimal::new(digits, places)))
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(LONGEST).collect();
    short.push('…');
    short
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // An exponent of more than nine digits is refused later as too long; it must not overflow here.
    let value: i64 = digits.get(..digits.len().min(9))?.parse().ok()?;
    let value = if digits.trim_start_matches('0').len() > 9 { i64::from(i32::MAX) } else { value };
    Some(if text.starts_with('-') { -value } else { value })
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl ops::Add for Amount {
    type Output = Amount;
    fn add(self, other: Amount) -> Amount {
        Amount(self.0.saturating_add(other.0))
    }
}

impl ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl ops::Sub for Amount {
    type Output = Amount;
    fn sub(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0))
    }
}

impl ops::SubAssign for Amount {
    fn sub_assign(&mut self, other: Amount) {
        self.0 = self.0.saturating_sub(other.0);
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Amount {
        amounts.fold(Amount::ZERO, ops::Add::add)
    }
}

impl Serialize for Amount {
    /// Amounts travel as JSON strings, which no parser on the way can round.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    /// Takes a JSON string or a JSON number (`docs/adapter-protocol.md`, "Order refund state").
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        read(&Box::<RawValue>::deserialize(deserializer)?, Amount::parse)
    }
}

fn read<E: de::Error>(raw: &RawValue, parse: fn(&str) -> Result<Amount, AmountError>) -> Result<Amount, E> {
    match raw.get().as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(raw.get()).map_err(E::custom)?;
            parse(&text).map_err(E::custom)
        }
        Some(b'-' | b'0'..=b'9') => parse(raw.get()).map_err(E::custom),
        _ => Err(E::custom(format!("an amount is a decimal number or a string with one, not `{raw}`"))),
    }
}

/// For members of what a target shows: takes what [`Amount::parse_shown`] takes.
pub(super) fn shown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
    read(&Box::<RawValue>::deserialize(deserializer)?, Amount::parse_shown)
}

/// The same where a member may be null.
pub(super) fn maybe_shown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Amount>, D::Error> {
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    raw.map(|raw| read(&raw, Amount::parse_shown)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(Amount::parse(text).map(|amount| amount.to_fixed(0)), Ok(expected.to_owned()), "{text}");
    }

    #[track_caller]
    fn refused(text: &str) {
        assert!(Amount::parse(text).is_err(), "{text} was taken");
    }

    #[test]
    fn plain_numbers() {
        check("21.6", "21.6");
        check("21.60", "21.6");
        check("0", "0");
        check("-0.0", "0");
        check("-5.41", "-5.41");
        check("1000000000000.001", "1000000000000.001");
    }

    #[test]
    fn plain_numbers_are_read_as_all_others_are() {
        for text in ["0", "0.0", "-0.00", "21.60", "-5.41", "007.50", "1000", "123456789.123456789", "999999999999999999", "100.000000000"]
        {
            let plain = parse_plain(text).unwrap_or_else(|| panic!("{text} is plain"));
            let other = Amount::parse_closely(text, false).expect("a number");
            assert_eq!((plain, plain.to_string(), plain.is_negative()), (other, other.to_string(), other.is_negative()), "{text}");
        }
        for text in ["", "-", ".5", "5.", "1e1", "1234567890123456789", "0.1234567890", "1.2.3", "1-2", "١"] {
            assert_eq!(parse_plain(text), None, "{text}");
        }
    }

    #[test]
    fn exponents() {
        check("2.16e1", "21.6");
        check("2160E-2", "21.6");
        check("1e+12", "1000000000000");
        check("0e999999999999", "0");
    }

    #[test]
    fn float_noise_is_kept() {
        check("53.769999999999996", "53.769999999999996");
    }

    #[test]
    fn very_many_zeros_are_one_zero() {
        check(&format!("1.{}", "0".repeat(10_000)), "1");
        check(&format!("{}1", "0".repeat(10_000)), "1");
    }

    #[test]
    fn what_is_no_number() {
        for text in ["", "-", ".5", "5.", "1e", "1e+", "NaN", "Infinity", "0x10", "1_000", "1,5", "+1", " 1", "١"] {
            refused(text);
        }
    }

    #[test]
    fn what_is_too_long_is_refused_not_rounded() {
        refused("1e29");
        refused("1e-29");
        refused(&"9".repeat(40));
        refused("1e99999999999999999999");
    }

    /// What floating point leaves of nothing, of an amount with many digits, and of none that there could be.
    #[test]
    fn what_is_shown_is_cut_and_never_comes_to_an_amount_that_is_meant() {
        let shown = |text: &str| Amount::parse_shown(text).map(|amount| amount.to_string());
        for (text, expected) in [
            ("1.1368683772161603e-13", "0.0000000000001136868377216161"),
            ("-2.2e-300", "-0.0000000000000000000000000001"),
            ("21.600000000000000000000000000000004", "21.60000000000000000000000001"),
            ("21.59999999999999999999999999999999", "21.59999999999999999999999999"),
            ("53.769999999999996", "53.769999999999996"),
            ("21.60", "21.60"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["1e29", "12345678901234567890123456789.5", "NaN"] {
            assert!(shown(text).is_err(), "{text}");
        }
        assert_ne!(Amount::parse_shown("21.600000000000000000000000000000004"), Amount::parse("21.6"));
    }

    #[test]
    fn wire_and_fixed() {
        assert_eq!(Amount::from_minor(33, 0).to_wire(), "33.0");
        assert_eq!(Amount::from_minor(2160, 2).to_wire(), "21.6");
        assert_eq!(Amount::from_minor(1, 3).to_wire(), "0.001");
        assert_eq!(Amount::from_minor(2160, 2).to_fixed(2), "21.60");
        assert_eq!(Amount::parse("5.381").map(|amount| amount.to_fixed(2)), Ok("5.381".to_owned()));
    }
}
