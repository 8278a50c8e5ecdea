//! Amounts in Stripe's smallest units.
//!
//! Most currencies have hundredths. Some have no smaller unit, some three digits of which the last is always zero, and two
//! that have no smaller unit are sent in hundredths all the same.
//! Source: <https://docs.stripe.com/currencies>, "Zero-decimal currencies", "Three-decimal currencies", "Special cases".

use crate::domain::Currency;

const ZERO_DECIMAL: [&str; 15] = ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
const THREE_DECIMAL: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];
const WHOLE_IN_HUNDREDTHS: [&str; 2] = ["ISK", "UGX"];

/// The largest amount that Stripe takes of most cards, in its smallest unit: one of twelve digits.
const MOST: u64 = 999_999_999_999;

/// How many fraction digits an amount can have.
pub(super) fn digits(currency: Currency) -> u32 {
    let code = currency.code();
    if ZERO_DECIMAL.contains(&code) || WHOLE_IN_HUNDREDTHS.contains(&code) { 0 } else { 2 }
}

/// How many fraction digits are sent.
pub(super) fn digits_sent(currency: Currency) -> u32 {
    let code = currency.code();
    if ZERO_DECIMAL.contains(&code) {
        0
    } else if THREE_DECIMAL.contains(&code) {
        3
    } else {
        2
    }
}

/// An amount of this many units, of [`digits`] each, as it is sent.
pub(super) fn sent(minor: u64, currency: Currency) -> u64 {
    minor * factor(currency)
}

/// The largest amount, in units of [`digits`].
pub(super) fn most(currency: Currency) -> u64 {
    MOST / factor(currency)
}

fn factor(currency: Currency) -> u64 {
    10_u64.pow(digits_sent(currency) - digits(currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, minor: u64, expected: u64) {
        assert_eq!(sent(minor, Currency::from_code(code).expect("a currency")), expected, "{code}");
    }

    #[test]
    fn every_currency_without_hundredths_is_sent() {
        let sent: Vec<&str> = super::super::CURRENCIES.into_iter().chain(super::super::RARE_CURRENCIES).collect();
        let missing = |codes: &[&'static str]| codes.iter().filter(|code| !sent.contains(code)).count();
        assert_eq!([&ZERO_DECIMAL[..], &THREE_DECIMAL, &WHOLE_IN_HUNDREDTHS].map(missing), [0, 0, 0]);
        assert!(sent.iter().all(|code| Currency::from_code(code).is_some()));
    }

    #[test]
    fn units_are_those_that_stripe_sends() {
        check("USD", 4_200, 4_200);
        check("JPY", 500, 500);
        check("MGA", 500, 500);
        // 5 krónur and 1.23 dinars.
        check("ISK", 5, 500);
        check("KWD", 123, 1_230);
    }

    #[test]
    fn the_largest_amount_has_twelve_digits_as_it_is_sent() {
        for code in ["USD", "JPY", "ISK", "KWD"] {
            let currency = Currency::from_code(code).expect("a currency");
            assert_eq!(sent(most(currency), currency).to_string().len(), 12, "{code}");
        }
    }
}
