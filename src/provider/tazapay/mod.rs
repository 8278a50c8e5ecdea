//! Tazapay: refund events.
//!
//! Payloads are the documented examples with facts written into them (`corpus/tazapay`). The order is the `payin`; amounts
//! are whole hundredths of the major unit in every currency; a refund pays back what was asked for. There are no charges and
//! no chargebacks. What an event tells is written down beside it; no payload is read back here but for its signature and
//! for logs (`read`).
//! Source: `docs/expectations.md`, "What each event tells".

mod anatomy;
mod events;
mod read;
mod requirements;
mod sign;

use std::sync::OnceLock;

use events::Events;

use super::{EventReader, IdOf, Message, Mint, Provider, Scene, mint::SMALL};
use crate::{
    corpus::{Corpus, CorpusError, Files},
    domain::{Amount, Currency},
    model::{Change, EventFacts},
    mutate::Anatomy,
    plan::{Extra, Palette},
};

/// The provider's name.
pub const NAME: &str = "tazapay";

/// The header that carries the signature. No document names it, so a target may ask for another.
pub const SIGNATURE_HEADER: &str = "x-tazapay-signature";

pub use crate::__tazapay_requirements as requirements;

/// Tazapay with its corpus.
#[derive(Debug)]
pub struct Tazapay {
    corpus: Corpus,
    events: Events,
    palette: Palette,
    currencies: Vec<Currency>,
}

impl Tazapay {
    /// The provider with the corpus that the binary carries.
    ///
    /// # Panics
    /// Never in a build whose tests pass: they load this corpus.
    pub fn embedded() -> &'static Tazapay {
        static EMBEDDED: OnceLock<Tazapay> = OnceLock::new();
        EMBEDDED.get_or_init(|| match Tazapay::new(&Files::embedded(NAME)) {
            Ok(provider) => provider,
            Err(error) => panic!("the embedded corpus is broken: {error}"),
        })
    }

    /// The provider with a corpus of these files.
    ///
    /// # Errors
    /// When the corpus is broken or lacks an example that payloads are made from.
    pub fn new(files: &Files) -> Result<Tazapay, CorpusError> {
        let corpus = Corpus::load(files)?;
        let events = Events::new(&corpus)?;
        let currencies: Vec<Currency> = ["USD", "JPY", "KWD", "KRW", "SGD", "EUR"].into_iter().filter_map(Currency::from_code).collect();
        let palette = Palette {
            cancellation: true,
            own: true,
            varied: true,
            signatures_in_base64: true,
            extras: vec![Extra::OtherId, Extra::LongRefundIds, Extra::Sparse, Extra::FineTimes],
            // An event is sent again for up to 24 hours.
            sends_again_for: 23,
            refund_completion: events::SUCCEEDED.to_owned(),
            views: vec![events::SUCCEEDED.to_owned(), "refund.*".to_owned()],
            currencies: u8::try_from(currencies.len()).unwrap_or(u8::MAX),
            odd_currencies: 3,
            others: u16::try_from(events.others()).unwrap_or(u16::MAX),
            defects: u8::try_from(corpus.defects.len()).unwrap_or(u8::MAX),
            ..Palette::default()
        };
        Ok(Tazapay { corpus, events, palette, currencies })
    }
}

/// How many fraction digits an amount can have: hundredths are sent, and a third digit has no place there.
fn digits(currency: Currency) -> u32 {
    currency.digits().min(HUNDREDTHS)
}

/// How many digits behind the point every amount is sent with.
const HUNDREDTHS: u32 = 2;

/// An amount of this many minor units, of [`digits`] each, as it is sent.
fn hundredths(minor: u64, currency: Currency) -> u64 {
    minor * 10_u64.pow(HUNDREDTHS - digits(currency))
}

impl Provider for Tazapay {
    fn name(&self) -> &str {
        NAME
    }

    fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    fn palette(&self) -> &Palette {
        &self.palette
    }

    fn currencies(&self) -> &[Currency] {
        &self.currencies
    }

    fn digits(&self, currency: Currency) -> u32 {
        digits(currency)
    }

    fn digits_sent(&self) -> Option<fn(Currency) -> u32> {
        Some(|_| HUNDREDTHS)
    }

    fn id(&self, mint: &Mint, of: IdOf) -> String {
        let number = |order: usize, part: usize| order as u64 * 1000 + part as u64;
        match of {
            // The digits that change fastest come first, so that the ids of one run differ early on.
            IdOf::Order(order) => format!("chk_{}{order}{}", mint.fast_first(), code(mint, "payin", tail(mint, order), 7)),
            IdOf::Charge(order, charge) => format!("pat_{}", code(mint, "attempt", number(order, charge), 20)),
            IdOf::Item(order, item) => format!("itm_{}", code(mint, "item", number(order, item), 20)),
            IdOf::Refund(order, refund) => format!("rfd_{}", code(mint, "refund", number(order, refund), 20)),
            // The payment is the order, and there are no disputes.
            IdOf::Payment(_) | IdOf::Dispute(..) => String::new(),
        }
    }

    /// A payin made without a checkout begins with another word, and ids of refunds may have some letters more.
    fn other_id(&self, mint: &Mint, of: IdOf) -> String {
        match of {
            IdOf::Order(order) => format!("pay_{}{order}{}", mint.fast_first(), code(mint, "payin", tail(mint, order), 7)),
            IdOf::Refund(order, refund) => format!("rfd_{}", code(mint, "refund", order as u64 * 1000 + refund as u64, 26)),
            other => self.id(mint, other),
        }
    }

    fn tell(&self, scene: &Scene<'_>, change: &Change) -> Vec<Message> {
        self.events.tell(scene, change)
    }

    fn unknown(&self, scene: &Scene<'_>, name: u8) -> Message {
        events::unknown(scene, name)
    }

    fn anatomy(&self, event: &EventFacts, body: &crate::json::Value, captured: Amount, currency: Currency) -> Anatomy {
        anatomy::anatomy(event, body, captured, currency)
    }

    fn telling_members(&self, kind: &str) -> &[&str] {
        if kind.starts_with("refund.") { &["/data/reason", "/data/status_reason"] } else { &[] }
    }

    fn reader(&self) -> Option<&'static dyn EventReader> {
        Some(&read::Reader)
    }

    fn signature_header(&self) -> &str {
        SIGNATURE_HEADER
    }

    /// By the provider's page on retries, after these answers and no others.
    fn sends_again_after(&self, status: u16) -> bool {
        [400, 404, 408, 409, 412, 500].contains(&status)
    }

    /// Each change of a refund is told by one event of its own type.
    fn once(&self, _kind: &str) -> bool {
        true
    }

    fn sign(&self, secrets: &[&str], _unix_seconds: u64, body: &[u8]) -> Vec<(String, String)> {
        sign::headers(secrets, body)
    }
}

/// So many letters and digits that follow from what they are for.
fn code(mint: &Mint, what: &str, index: u64, length: usize) -> String {
    mint.code(&SMALL, what, index, length)
}

/// By what the last letters of an order's id are chosen: the orders of one case have the same, and their ids differ in one digit.
/// Frozen sequences, to which the first million serials belong, keep the ids that they were made with.
fn tail(mint: &Mint, order: usize) -> u64 {
    if mint.serial() < 1_000_000 { order as u64 } else { 0 }
}

#[cfg(test)]
mod conformance {
    use crate::{domain::Clock, reference::ReferenceShop};

    // Certified as a Rust integrator would do it.
    crate::conformance_tests!(tazapay, || ReferenceShop::new(Clock::system()));
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[track_caller]
    fn check(code: &str, minor: u64, expected: u64) {
        assert_eq!(hundredths(minor, Currency::from_code(code).expect("a currency")), expected, "{code}");
    }

    #[test]
    fn orders_of_one_case_differ_in_one_digit() {
        let id = |serial: u64, order: usize| Tazapay::embedded().id(&Mint::new(serial), IdOf::Order(order));
        let apart = |serial: u64| id(serial, 0).chars().zip(id(serial, 1).chars()).filter(|(one, other)| one != other).count();
        assert_eq!(apart(3_000_007), 1);
        assert!(apart(7) > 1, "frozen sequences keep theirs");
    }

    #[test]
    fn amounts_are_hundredths_whatever_the_currency() {
        check("USD", 90_000, 90_000);
        check("JPY", 100, 10_000);
        // 1.23 dinars: the third digit of the currency cannot be told.
        check("KWD", 123, 123);
    }

    #[test]
    fn ids_differ_early() {
        let id = |serial: u64, order: usize| Tazapay::embedded().id(&Mint::new(serial), IdOf::Order(order));
        assert_eq!(id(7, 0).len(), "chk_cirsp2sl4ar024j0akj0".len());
        let starts: HashSet<String> = (1_000_000..1_010_000).map(|serial| id(serial, 0)[..8].to_owned()).collect();
        assert_eq!(starts.len(), 10_000);
        assert_ne!(id(7, 0), id(7, 1));
    }
}
