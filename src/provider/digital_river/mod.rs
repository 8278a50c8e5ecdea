//! Digital River: refund events, charge refund events, order events and sales transactions.
//!
//! Payloads are the documented examples with facts written into them (`corpus/digital-river`). What an
//! event tells is written down beside it, as `docs/expectations.md`, "What each event tells", has it. No
//! payload is read back here but for logs (`read`).

mod anatomy;
mod family;
mod payload;
mod read;
mod requirements;
mod sign;

use std::sync::{Arc, OnceLock};

use payload::Payloads;

use super::{EventReader, IdOf, Message, Mint, Names, Provider, Scene, mix, mode};
use crate::{
    case::OrderSetup,
    corpus::{Corpus, CorpusError, Files},
    domain::{Amount, Currency, EventTime},
    model::{Change, EventFacts, OrderTruth},
    mutate::Anatomy,
    plan::{Extra, Palette},
};

/// The provider's name.
pub const NAME: &str = "digital-river";

/// The member that says of which mode an event is.
const MODE_MEMBER: &str = "liveMode";

/// The header that carries timestamp and signatures, as documented.
pub const SIGNATURE_HEADER: &str = "digitalriver-signature";

pub use crate::__digital_river_requirements as requirements;

/// Digital River with its corpus.
#[derive(Clone, Debug)]
pub struct DigitalRiver {
    corpus: Arc<Corpus>,
    payloads: Payloads,
    palette: Palette,
    currencies: Vec<Currency>,
    /// Whether it sends from its live mode.
    live: bool,
}

impl DigitalRiver {
    /// The provider with the corpus that the binary carries.
    ///
    /// # Panics
    /// Never in a build whose tests pass: they load this corpus.
    pub fn embedded() -> &'static DigitalRiver {
        static EMBEDDED: OnceLock<DigitalRiver> = OnceLock::new();
        EMBEDDED.get_or_init(|| match DigitalRiver::new(&Files::embedded(NAME)) {
            Ok(provider) => provider,
            Err(error) => panic!("the embedded corpus is broken: {error}"),
        })
    }

    /// The provider with a corpus of these files.
    ///
    /// # Errors
    /// When the corpus is broken or lacks an example that payloads are made from.
    pub fn new(files: &Files) -> Result<DigitalRiver, CorpusError> {
        let corpus = Corpus::load(files)?;
        let payloads = Payloads::new(&corpus)?;
        let palette = Palette {
            charges: true,
            items: true,
            information: true,
            pays_less: true,
            chargebacks: true,
            metadata: true,
            own: true,
            decimals: true,
            varied: true,
            extras: vec![
                Extra::OtherId,
                Extra::Quantities,
                Extra::FreeItem,
                Extra::SameSku,
                Extra::Shipping,
                Extra::Cancelled,
                Extra::Sparse,
                Extra::Withheld,
            ],
            varying_times: true,
            dated_signatures: true,
            signatures_in_base64: true,
            several_secrets: true,
            // Live events are sent again for 72 hours.
            sends_again_for: 71,
            refund_completion: "refund.complete".to_owned(),
            charge_completion: "order.charge.refund.complete".to_owned(),
            booking: "sales_transaction.created".to_owned(),
            views: ["refund.complete", "order.charge.refund.complete", "refund.*", "order.charge.refund.*"].map(str::to_owned).to_vec(),
            currencies: 6,
            odd_currencies: 2,
            others: u16::try_from(payloads.others()).unwrap_or(u16::MAX),
            further_bookings: u16::try_from(family::FURTHER_SALES.len()).unwrap_or(u16::MAX),
            defects: u8::try_from(corpus.defects.len()).unwrap_or(u8::MAX),
            ..Palette::default()
        };
        let currencies = ["USD", "JPY", "BHD", "EUR", "KRW", "KWD"].into_iter().filter_map(Currency::from_code).collect();
        Ok(DigitalRiver { corpus: Arc::new(corpus), payloads, palette, currencies, live: false })
    }

    /// An event as the mode has it from which this sends.
    fn in_mode(&self, message: Message) -> Message {
        if self.live { mode::live(message, MODE_MEMBER) } else { message }
    }
}

impl Provider for DigitalRiver {
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

    fn id(&self, mint: &Mint, of: IdOf) -> String {
        match of {
            // The documented ids are decimal and end like this one.
            IdOf::Order(order) => format!("2{}{order}0336", fast_first(mint.serial())),
            IdOf::Charge(order, charge) => mint.uuid("charge", index(order, charge)),
            IdOf::Item(order, item) => format!("1{}{order}{item}0336", fast_first(mint.serial())),
            IdOf::Refund(order, refund) => format!("re_{}", mint.uuid("refund", index(order, refund))),
            // Its events name neither.
            IdOf::Payment(_) | IdOf::Dispute(..) => String::new(),
        }
    }

    /// Ids of orders in production have thirteen digits and another end.
    fn other_id(&self, mint: &Mint, of: IdOf) -> String {
        match of {
            IdOf::Order(order) => format!("1{}{order}{:04}", fast_first(mint.serial()), mint.number("shop", order as u64) % 10_000),
            other => self.id(mint, other),
        }
    }

    fn tell(&self, scene: &Scene<'_>, change: &Change) -> Vec<Message> {
        family::tell(&self.payloads, scene, change).into_iter().map(|message| self.in_mode(message)).collect()
    }

    fn unknown(&self, scene: &Scene<'_>, name: u8) -> Message {
        self.in_mode(family::unknown(scene, name))
    }

    fn introduce(&self, order: &OrderSetup) -> Vec<Message> {
        let Some(currency) = Currency::from_code(&order.currency) else { return Vec::new() };
        let minor = |amount: Amount| amount.to_minor(currency.digits()).unwrap_or(0);
        let charges = order.charges.iter().map(|charge| minor(charge.captured_amount)).collect();
        let truth = OrderTruth::of(minor(order.captured_amount), charges, order.items.iter().map(|item| minor(item.amount)).collect());
        let names = Names {
            order: order.order_id.clone(),
            charges: order.charges.iter().map(|charge| charge.id.clone()).collect(),
            items: order.items.iter().map(|item| item.item_id.clone()).collect(),
            ..Names::default()
        };
        let times = [0, 1].map(|second| EventTime::from_micros(BEFORE_ALL_ORDERS + second * 1_000_000));
        let scene = Scene {
            order: 0,
            truth: &truth,
            names: &names,
            currency,
            refund_times: &[],
            dispute_times: &[],
            created: &times[0],
            times: &times,
            // The ids of these events follow from the order's.
            mint: Mint::new(order.order_id.bytes().fold(0, |key, byte| mix(key ^ u64::from(byte)))),
            moment: 0,
            look: 0,
            older: false,
        };
        family::introduce(&self.payloads, &scene).into_iter().map(|message| self.in_mode(message)).collect()
    }

    fn mode_member(&self) -> Option<&'static str> {
        Some(MODE_MEMBER)
    }

    fn is_live(&self) -> bool {
        self.live
    }

    fn in_live_mode(&self) -> Option<Box<dyn Provider>> {
        Some(Box::new(DigitalRiver { live: true, ..self.clone() }))
    }

    fn anatomy(&self, event: &EventFacts, body: &crate::json::Value, captured: Amount, currency: Currency) -> Anatomy {
        anatomy::anatomy(event, body, captured, currency)
    }

    fn telling_members(&self, kind: &str) -> &[&str] {
        if kind.starts_with("refund.") { &["/data/object/type", "/data/object/reason"] } else { &[] }
    }

    fn reader(&self) -> Option<&'static dyn EventReader> {
        Some(&read::Reader)
    }

    fn signature_header(&self) -> &str {
        SIGNATURE_HEADER
    }

    fn sign(&self, secrets: &[&str], unix_seconds: u64, body: &[u8]) -> Vec<(String, String)> {
        sign::headers(secrets, unix_seconds, body)
    }
}

/// Microseconds after 1970 of a moment before any order of a case was made.
const BEFORE_ALL_ORDERS: i64 = 1_640_908_800_000_000;

/// The digits of a serial, those that change fastest first, so that the ids of one run differ early on.
fn fast_first(serial: u64) -> String {
    format!("{serial:07}").chars().rev().collect()
}

fn index(order: usize, part: usize) -> u64 {
    order as u64 * 1000 + part as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(setup: &str) {
        let order: OrderSetup = serde_json::from_str(setup).expect("an order");
        for message in DigitalRiver::embedded().introduce(&order) {
            let body: crate::json::Value = serde_json::from_str(&message.body).unwrap_or_else(|error| panic!("{error}: {}", message.body));
            assert_eq!(body["data"]["object"]["id"], "1");
        }
    }

    #[test]
    fn orders_are_introduced_whatever_they_have() {
        check(r#"{"orderId":"1","currency":"USD","capturedAmount":"5"}"#);
        check(r#"{"orderId":"1","currency":"USD","capturedAmount":"5","charges":[{"id":"c","capturedAmount":"5"}]}"#);
        check(r#"{"orderId":"1","currency":"USD","capturedAmount":"5","items":[{"itemId":"i","quantity":1,"amount":"5"}]}"#);
    }
}
