//! Amounts: how they are read, and how shops spoil them.

use serde_json::value::RawValue;

use super::{bank::Fault, fault::Faults, refusal::Refusal};
use crate::domain::Amount;

/// Reads amounts and notes how many fraction digits they need.
pub(super) struct Amounts {
    faults: Faults,
    /// How many digits of a number on the wire are a fraction of the major unit, though there is no point before them.
    pub(super) places: u32,
    pub(super) digits: usize,
}

impl Amounts {
    pub(super) fn new(faults: Faults) -> Amounts {
        Amounts { faults, places: 0, digits: 0 }
    }

    /// An amount that may be absent.
    pub(super) fn read(&mut self, raw: Option<&RawValue>) -> Result<Option<Amount>, Refusal> {
        let Some(raw) = raw else { return Ok(None) };
        let mut text = raw.get();
        match text {
            // One of whatever the shop keeps, which is not always what is sent.
            "true" if self.faults.has(Fault::TrueIsOne) => text = if self.places == 0 { "1" } else { "100" },
            _ if text.starts_with('"') && self.faults.has(Fault::TextAmountIsZero) => text = "0",
            _ if self.faults.has(Fault::NegativeAmountTaken) => text = text.trim_start_matches('-'),
            _ if self.faults.has(Fault::ExponentMisread) => text = text.split(['e', 'E']).next().unwrap_or(text),
            _ => {}
        }
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Err(Refusal::invalid("an amount is not a number"));
        }
        // The text is a JSON number: the only thing left to go wrong is its length.
        let amount = Amount::parse(text).map_err(|_| Refusal::doubtful("an amount has too many digits"))?;
        if amount.is_negative() {
            return Err(Refusal::invalid("an amount is negative"));
        }
        if self.places == 0 {
            self.digits = self.digits.max(fraction_digits(text, amount));
            return Ok(Some(amount));
        }
        let amount = amount.in_parts(self.places).ok_or(Refusal::doubtful("an amount has too many digits"))?;
        self.digits = self.digits.max(fraction_digits(&amount.to_fixed(0), amount));
        Ok(Some(amount))
    }

    /// An amount that must be there.
    pub(super) fn needed(&mut self, raw: Option<&RawValue>, why: &'static str) -> Result<Amount, Refusal> {
        self.read(raw)?.map_or_else(|| self.missing(why), Ok)
    }

    /// What stands for an amount that must be there and is not.
    pub(super) fn missing(&self, why: &'static str) -> Result<Amount, Refusal> {
        if self.faults.has(Fault::MissingAmountIsZero) { Ok(Amount::ZERO) } else { Err(Refusal::invalid(why)) }
    }
}

/// How many fraction digits the amount needs; zeros at the end do not count.
fn fraction_digits(text: &str, amount: Amount) -> usize {
    let fraction = |text: &str| text.split_once('.').map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len());
    if text.contains(['e', 'E']) { fraction(&amount.to_fixed(0)) } else { fraction(text) }
}

/// The mistakes by which an amount is kept as another than was told.
const SPOILING: [Fault; 5] =
    [Fault::TwoDigitCurrency, Fault::ThirdDigitCut, Fault::CentsTruncated, Fault::SinglePrecision, Fault::MinorUnitsOverflow];

/// An amount as the shop keeps it. Only faulty shops keep another than was told.
pub(super) fn kept(amount: Amount, digits: u32, faults: Faults) -> Amount {
    if !SPOILING.iter().any(|fault| faults.has(*fault)) {
        return amount;
    }
    let text = amount.to_fixed(digits);
    let minor = || text.replace('.', "").parse().unwrap_or(u64::MAX);
    if faults.has(Fault::TwoDigitCurrency) {
        Amount::from_minor(minor(), 2)
    } else if faults.has(Fault::ThirdDigitCut) && digits > 2 {
        Amount::parse(&text[..text.len() - 1]).unwrap_or(amount)
    } else if faults.has(Fault::CentsTruncated) {
        truncated_minor(&text, digits).map_or(amount, |minor| Amount::from_minor(minor, digits))
    } else if faults.has(Fault::SinglePrecision) {
        text.parse::<f32>().ok().and_then(|single| Amount::parse(&single.to_string()).ok()).unwrap_or(amount)
    } else if faults.has(Fault::MinorUnitsOverflow) {
        Amount::from_minor(minor().min(i32::MAX.unsigned_abs().into()), digits)
    } else {
        amount
    }
}

/// 0.29 by 0.01 is 28.999999999999996 in binary fractions, and 28 after the cut.
#[expect(clippy::float_arithmetic, reason = "that floats are used is the fault")]
fn truncated_minor(text: &str, digits: u32) -> Option<u64> {
    let smallest: f64 = Amount::from_minor(1, digits).to_string().parse().ok()?;
    text.parse::<f64>().ok().map(|major| (major / smallest) as u64)
}

/// The sum in binary fractions, with all the digits that it then has.
#[expect(clippy::float_arithmetic, reason = "that floats are used is the fault")]
pub(super) fn float_sum(amounts: impl Iterator<Item = Amount>) -> Amount {
    let float = |amount: Amount| amount.to_fixed(0).parse::<f64>().unwrap_or_default();
    let sum = amounts.map(float).fold(0.0, |sum, amount| sum + amount);
    Amount::parse(&sum.to_string()).unwrap_or_default()
}
