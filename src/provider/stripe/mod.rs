//! Stripe: refunds whose success can be taken back, running totals of charges, and disputes that are won and lost.
//!
//! An order is a payment intent with its successful charge; the shop knows it by its own reference, which stands in the
//! metadata of both. Refunds and disputes name the charge and the payment intent only. Amounts are whole numbers of the
//! smallest unit that Stripe uses for a currency; times are whole seconds, so that events may bear the same one. What an
//! event tells is written down beside it; no payload is read back here but for logs (`read`).
//! Source: `docs/expectations.md`, "Stripe"; what each member rests on is said in `corpus/stripe/sources.toml`.

mod anatomy;
mod api;
mod disputes;
mod events;
mod money;
mod older;
mod places;
mod read;
mod refunds;
mod requirements;
mod sign;

use std::sync::{Arc, OnceLock};

use events::Events;

use super::{EventReader, IdOf, Message, Mint, Provider, ProviderApi, Scene, SchemePlace, Shown, mint::MIXED, mode};
use crate::{
    corpus::{Corpus, CorpusError, Files},
    domain::{
        Amount, Currency, Lifecycle,
        RefundState::{Cancelled, Failed, Pending, PendingInformation, Succeeded},
    },
    model::{Change, EventFacts},
    mutate::Anatomy,
    plan::{Extra, Palette},
};

/// The provider's name.
pub const NAME: &str = "stripe";

/// The member that says of which mode an event is.
const MODE_MEMBER: &str = "livemode";

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "stripe-signature";

pub use crate::__stripe_requirements as requirements;

/// Success is revocable: a refund that was paid back may fail, be returned by the bank and wait for the shopper again, or be
/// cancelled shortly after. Source: <https://docs.stripe.com/refunds>, "Handle failed refunds" and "Cancel a refund".
const LIFECYCLE: Lifecycle = Lifecycle::new(&[
    (PendingInformation, Pending),
    (PendingInformation, Failed),
    (PendingInformation, Cancelled),
    (Pending, Succeeded),
    (Pending, Failed),
    (Pending, Cancelled),
    (Succeeded, Failed),
    (Succeeded, PendingInformation),
    (Succeeded, Cancelled),
]);

/// Those whose smallest unit is not a hundredth come after the first. Frozen sequences name a currency by its place.
const CURRENCIES: [&str; 9] = ["USD", "JPY", "KWD", "ISK", "UGX", "KRW", "MGA", "EUR", "GBP"];

const ODD_CURRENCIES: u8 = 6;

/// The rest of those whose smallest unit is not a hundredth, and some that are taken for such. Their places follow.
const RARE_CURRENCIES: [&str; 20] = [
    "BIF", "CLP", "DJF", "GNF", "KMF", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF", "BHD", "JOD", "OMR", "TND", "HUF", "TWD", "CHF",
    "INR",
];

/// Stripe with its corpus.
#[derive(Clone, Debug)]
pub struct Stripe {
    corpus: Arc<Corpus>,
    events: Events,
    palette: Palette,
    currencies: Vec<Currency>,
    /// Whether it sends from its live mode.
    live: bool,
}

impl Stripe {
    /// The provider with the corpus that the binary carries.
    ///
    /// # Panics
    /// Never in a build whose tests pass: they load this corpus.
    pub fn embedded() -> &'static Stripe {
        static EMBEDDED: OnceLock<Stripe> = OnceLock::new();
        EMBEDDED.get_or_init(|| match Stripe::new(&Files::embedded(NAME)) {
            Ok(provider) => provider,
            Err(error) => panic!("the embedded corpus is broken: {error}"),
        })
    }

    /// The provider with a corpus of these files.
    ///
    /// # Errors
    /// When the corpus is broken or lacks an example that payloads are made from.
    pub fn new(files: &Files) -> Result<Stripe, CorpusError> {
        let corpus = Corpus::load(files)?;
        let events = Events::new(&corpus)?;
        let currencies = CURRENCIES.into_iter().chain(RARE_CURRENCIES).filter_map(Currency::from_code).collect();
        let palette = Palette {
            information: true,
            cancellation: true,
            revocable: true,
            disputes: true,
            payments: true,
            twins: true,
            newer_snapshots: true,
            metadata: true,
            varied: true,
            extras: vec![Extra::NoCard],
            own: true,
            dated_signatures: true,
            several_secrets: true,
            several_schemes: true,
            oldest_signature: sign::TOLERANCE,
            // Live events are sent again for up to three days.
            sends_again_for: 71,
            refund_completion: events::REFUND_CREATED.to_owned(),
            charge_completion: events::CHARGE_REFUNDED.to_owned(),
            views: ["refund.*", events::CHARGE_REFUNDED].map(str::to_owned).to_vec(),
            currencies: CURRENCIES.len() as u8,
            odd_currencies: ODD_CURRENCIES,
            rare_currencies: RARE_CURRENCIES.len() as u8,
            others: u16::try_from(events.others()).unwrap_or(u16::MAX),
            defects: u8::try_from(corpus.defects.len()).unwrap_or(u8::MAX),
            ..Palette::default()
        };
        Ok(Stripe { corpus: Arc::new(corpus), events, palette, currencies, live: false })
    }

    /// An event as the mode has it from which this sends.
    fn in_mode(&self, message: Message) -> Message {
        if self.live { mode::live(message, MODE_MEMBER) } else { message }
    }
}

impl Provider for Stripe {
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
        money::digits(currency)
    }

    fn digits_sent(&self) -> Option<fn(Currency) -> u32> {
        Some(money::digits_sent)
    }

    fn most(&self, currency: Currency) -> u64 {
        money::most(currency)
    }

    fn lifecycle(&self) -> Lifecycle {
        LIFECYCLE
    }

    fn whole_seconds(&self) -> bool {
        true
    }

    fn id(&self, mint: &Mint, of: IdOf) -> String {
        let number = |order: usize, part: usize| order as u64 * 1000 + part as u64;
        match of {
            // The shop's own reference. The letters that change fastest come first, so that the ids of one run differ early on.
            IdOf::Order(order) => format!("so-{}{order}", mint.fast_first()),
            IdOf::Charge(order, charge) => format!("ch_3{}", code(mint, "charge", number(order, charge), LENGTH)),
            IdOf::Item(order, item) => format!("li_1{}", code(mint, "item", number(order, item), LENGTH)),
            IdOf::Refund(order, refund) => format!("re_3{}", code(mint, "refund", number(order, refund), LENGTH)),
            IdOf::Payment(order) => format!("pi_3{}", code(mint, "payment", order as u64, LENGTH)),
            IdOf::Dispute(order, dispute) => format!("du_1{}", code(mint, "dispute", number(order, dispute), LENGTH)),
        }
    }

    /// What is paid otherwise than by card is called otherwise.
    fn other_id(&self, mint: &Mint, of: IdOf) -> String {
        let id = self.id(mint, of);
        match of {
            IdOf::Charge(..) => id.replacen("ch_", "py_", 1),
            IdOf::Refund(..) => id.replacen("re_", "pyr_", 1),
            _ => id,
        }
    }

    /// Klarna takes a few currencies, and no amount of more than eight digits.
    fn may_have(&self, extra: Extra, currency: Currency, captured: u64) -> bool {
        extra != Extra::NoCard || ["USD", "EUR", "GBP", "CHF"].contains(&currency.code()) && captured < 100_000_000
    }

    fn tell(&self, scene: &Scene<'_>, change: &Change) -> Vec<Message> {
        self.events.tell(scene, change).into_iter().map(|message| self.in_mode(message)).collect()
    }

    fn unknown(&self, scene: &Scene<'_>, name: u8) -> Message {
        self.in_mode(events::unknown(scene, name))
    }

    fn api(&self) -> Option<&'static dyn ProviderApi> {
        Some(&api::StripeApi)
    }

    fn shows(&self, scene: &Scene<'_>, messages: &[Message]) -> Vec<Shown> {
        let shown = api::shown(&self.events, scene, messages);
        if self.live { shown.into_iter().map(|shown| mode::shown_live(shown, MODE_MEMBER)).collect() } else { shown }
    }

    fn older_version(&self) -> Option<&'static str> {
        Some(older::VERSION)
    }

    fn sends(&self, kind: &str, older: bool) -> bool {
        !older || older::sends(kind)
    }

    fn mode_member(&self) -> Option<&'static str> {
        Some(MODE_MEMBER)
    }

    fn is_live(&self) -> bool {
        self.live
    }

    fn in_live_mode(&self) -> Option<Box<dyn Provider>> {
        Some(Box::new(Stripe { live: true, ..self.clone() }))
    }

    fn anatomy(&self, event: &EventFacts, body: &crate::json::Value, captured: Amount, currency: Currency) -> Anatomy {
        anatomy::anatomy(event, body, captured, currency)
    }

    fn telling_members(&self, kind: &str) -> &[&str] {
        match kind {
            _ if kind.starts_with("charge.dispute.") => &["/data/object/reason"],
            "charge.refund.updated" | "refund.created" | "refund.updated" | "refund.failed" => {
                &["/data/object/pending_reason", "/data/object/failure_reason"]
            }
            _ => &[],
        }
    }

    fn reader(&self) -> Option<&'static dyn EventReader> {
        Some(&read::Reader)
    }

    fn signature_header(&self) -> &str {
        SIGNATURE_HEADER
    }

    /// By its page on webhooks two events of one fact are known by object and type; of these types an object has one.
    fn once(&self, kind: &str) -> bool {
        events::ONCE.contains(&kind)
    }

    fn mirrored(&self, kind: &str) -> Option<&'static str> {
        (kind == events::CHARGE_REFUND_UPDATED).then_some(events::REFUND_UPDATED)
    }

    fn sign(&self, secrets: &[&str], unix_seconds: u64, body: &[u8]) -> Vec<(String, String)> {
        sign::headers(secrets, unix_seconds, body)
    }

    fn with_another_scheme(&self, headers: Vec<(String, String)>, place: SchemePlace) -> Vec<(String, String)> {
        sign::with_another_scheme(headers, place)
    }
}

/// How many characters follow the prefix and the digit of an id.
const LENGTH: usize = 23;

/// So many letters and digits that follow from what they are for.
fn code(mint: &Mint, what: &str, index: u64, length: usize) -> String {
    mint.code(&MIXED, what, index, length)
}

#[cfg(test)]
mod conformance {
    use crate::{domain::Clock, reference::ReferenceShop};

    // Certified as a Rust integrator would do it.
    crate::conformance_tests!(stripe, || ReferenceShop::new(Clock::system());
        not_judged = ["older-api-version", "webhook-before-answer", "fetched-state-counts-once", "api-failure-is-not-acknowledged"]);
}

#[cfg(test)]
mod calling_back {
    use crate::{domain::Clock, reference::ReferenceShop};

    // Whoever can fetch an event needs nothing of its body but the id.
    crate::conformance_tests!(stripe, || ReferenceShop::new(Clock::system()).calling_back();
        not_judged = ["older-api-version"]);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{
        plan::{Action, OrderPlan, Pick, Plan, Step},
        provider::lower::lower,
    };

    /// What is sent of one refund of an order that has an extra, if it can.
    fn paid_otherwise(captured: u64, currency: u8) -> Vec<String> {
        let order = OrderPlan { captured, currency, extras: vec![Extra::NoCard], ..OrderPlan::default() };
        let plan = Plan { orders: vec![order], steps: vec![Step::plain(Action::refund(Pick::All))], only: Vec::new(), look: 0 };
        let case = lower(Stripe::embedded(), &plan, 7).case;
        case.all_deliveries().filter_map(|delivery| delivery.body.text().map(str::to_owned)).collect()
    }

    #[test]
    fn what_is_not_paid_by_card_is_called_otherwise() {
        let bodies = paid_otherwise(1000, 0);
        assert!(bodies.iter().all(|body| body.contains("py_3") && !body.contains("ch_3") && body.contains("klarna")), "{bodies:?}");
        assert!(bodies.iter().any(|body| body.contains("\"pyr_3")) && bodies.iter().all(|body| !body.contains("\"re_3")), "{bodies:?}");
    }

    #[test]
    fn only_some_payments_are_made_without_a_card() {
        let by_card =
            |captured, currency| paid_otherwise(captured, currency).iter().all(|body| body.contains("ch_3") && !body.contains("klarna"));
        assert!(by_card(1000, 1), "yen");
        assert!(by_card(100_000_000, 0), "a million dollars");
    }

    #[test]
    fn ids_differ_early_and_have_the_documented_forms() {
        let id = |serial: u64, of: IdOf| Stripe::embedded().id(&Mint::new(serial), of);
        let starts: HashSet<String> = (1_000_000..1_010_000).map(|serial| id(serial, IdOf::Order(0))[..8].to_owned()).collect();
        assert_eq!(starts.len(), 10_000);
        assert_eq!(id(7, IdOf::Refund(0, 0)).len(), "re_3".len() + LENGTH);
        assert_ne!(id(7, IdOf::Payment(0)), id(7, IdOf::Payment(1)));
    }
}
