//! Currencies and how many digits their minor unit has (ISO 4217, by way of `iso_currency`).

use std::fmt;

/// An ISO 4217 currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The currency with this three-letter code, if ISO 4217 has one.
    pub fn from_code(code: &str) -> Option<Currency> {
        iso_currency::Currency::from_code(code).map(Currency)
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many fraction digits an amount in this currency has; zero where ISO 4217 names none.
    pub fn digits(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, digits: u32) {
        assert_eq!(Currency::from_code(code).map(Currency::digits), Some(digits), "{code}");
    }

    #[test]
    fn digits_as_the_standard_says() {
        check("USD", 2);
        check("EUR", 2);
        check("JPY", 0);
        check("KRW", 0);
        check("BHD", 3);
        check("KWD", 3);
    }

    #[test]
    fn unknown_codes() {
        assert_eq!(Currency::from_code("ZZZ"), None);
        assert_eq!(Currency::from_code("usd"), None);
    }
}
