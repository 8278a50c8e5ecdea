//! Paperboat, a provider that does not exist: its corpus is in `paperboat/`, and this is all its code.

use std::{collections::BTreeMap, path::Path, sync::LazyLock};

use hmac::{Hmac, KeyInit, Mac};
use refundproof::{
    corpus::{Corpus, Files},
    domain::{Amount, Currency, OrderState, RefundState, Status},
    model::{Change, EventFacts, Tell},
    mutate::Anatomy,
    plan::Palette,
    provider::{IdOf, Message, Mint, Provider, Scene, Template, push_plain},
};

pub(crate) const SEAL: &str = "paperboat-seal";
/// What the seal is about beside the body; sent along, since nobody could check the seal without it.
pub(crate) const LETTER: &str = "paperboat-letter";
pub(crate) const SENT: &str = "paperboat-sent";

pub(crate) struct Paperboat {
    corpus: Corpus,
    palette: Palette,
    currencies: Vec<Currency>,
    templates: BTreeMap<String, Template<&'static str>>,
}

/// The places in the examples that facts are written into.
const PLACES: [&str; 7] = ["/ref", "/at", "/refund/number", "/refund/order", "/refund/cents", "/refund/currency", "/refund/state"];

pub(crate) fn paperboat() -> &'static Paperboat {
    static PAPERBOAT: LazyLock<Paperboat> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/made_up_provider");
        let files = Files::from_dir(&folder, "paperboat").expect("its folder");
        let corpus = Corpus::load(&files).expect("its corpus");
        let palette = Palette { refund_completion: "refund.paid".to_owned(), currencies: 2, others: 1, ..Palette::default() };
        let currencies = ["EUR", "CHF"].into_iter().filter_map(Currency::from_code).collect();
        let template = |example| Template::new(example, &PLACES.map(|place| (place, place)));
        let templates = corpus.examples.iter().map(|(kind, example)| (kind.clone(), template(example))).collect();
        Paperboat { corpus, palette, currencies, templates }
    });
    &PAPERBOAT
}

impl Paperboat {
    fn event(&self, scene: &Scene<'_>, place: usize, kind: &str, about: Option<(usize, RefundState)>) -> Message {
        let place = place.min(scene.times.len() - 1);
        let (id, time) = (scene.mint.uuid("event", scene.moment * 256 + place as u64), scene.times[place].clone());
        let mut tells = Vec::new();
        if let Some((refund, state)) = about {
            let [amount, refunded_amount] =
                [scene.truth.refunds[refund].requested, scene.truth.refunds[refund].paid].map(|cents| Amount::from_minor(cents, 2));
            tells.push(Tell::Refund { id: scene.names.refunds[refund].clone(), state, amount, refunded_amount, in_passing: false });
        }
        let mut body = String::new();
        self.templates[kind].render(&mut body, &mut |place, out| match (place, about) {
            ("/ref", _) => push_plain(out, &id),
            ("/at", _) => push_plain(out, time.as_str()),
            ("/refund/number", Some((refund, _))) => push_plain(out, &scene.names.refunds[refund]),
            ("/refund/order", _) => push_plain(out, &scene.names.order),
            ("/refund/cents", Some((refund, _))) => out.push_str(&scene.truth.refunds[refund].requested.to_string()),
            ("/refund/currency", _) => push_plain(out, scene.currency.code()),
            ("/refund/state", _) => push_plain(out, kind.trim_start_matches("refund.")),
            _ => {}
        });
        Message::new(id, kind, Some(&scene.names.order), time, tells, body)
    }
}

impl Provider for Paperboat {
    fn name(&self) -> &str {
        "paperboat"
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
        format!("{of:?}-{}", mint.serial())
    }

    fn tell(&self, scene: &Scene<'_>, change: &Change) -> Vec<Message> {
        match change {
            Change::Opened { refund, .. } => vec![self.event(scene, 0, "refund.opened", Some((*refund, RefundState::Pending)))],
            Change::Moved { refunds, to, .. } => {
                let kind = if *to == RefundState::Succeeded { "refund.paid" } else { "refund.failed" };
                refunds.iter().enumerate().map(|(place, refund)| self.event(scene, place, kind, Some((*refund, *to)))).collect()
            }
            _ => vec![self.event(scene, 0, "parcel.sent", None)],
        }
    }

    fn unknown(&self, scene: &Scene<'_>, _: u8) -> Message {
        let (id, time) = (scene.mint.uuid("unknown", scene.moment), scene.times[0].clone());
        let body = format!(r#"{{"event":"tide.turned","ref":"{id}","at":"{time}"}}"#);
        Message::new(id, "tide.turned", Some(&scene.names.order), time, Vec::new(), body)
    }

    fn anatomy(&self, event: &EventFacts, _: &refundproof::json::Value, _: Amount, _: Currency) -> Anatomy {
        let place = |place: &str| place.to_owned();
        Anatomy {
            must_move: !event.tells.is_empty(),
            id: place("/ref"),
            kind: place("/event"),
            object: place(if event.kind.starts_with("refund.") { "/refund" } else { "" }),
            created: place("/at"),
            needed: vec![place("/refund/cents")],
            ..Anatomy::default()
        }
    }

    fn signature_header(&self) -> &str {
        SEAL
    }

    fn sign(&self, secrets: &[&str], unix_seconds: u64, body: &[u8]) -> Vec<(String, String)> {
        let (letter, sent) = (format!("letter-{}", body.len()), unix_seconds.to_string());
        let Some(secret) = secrets.first() else { return Vec::new() };
        let seal = seal(secret, &letter, &sent, body);
        [(LETTER, letter), (SENT, sent), (SEAL, seal)].map(|(name, value)| (name.to_owned(), value)).to_vec()
    }
}

pub(crate) fn seal(secret: &str, letter: &str, sent: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(format!("{letter}.{sent}.").as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an order shows whose refunds are in these states, with these amounts.
pub(crate) fn shown(order_id: &str, captured: Amount, refunds: &[(&str, Amount)]) -> OrderState {
    let some = |wanted: &str| refunds.iter().any(|(state, _)| *state == wanted);
    let paid: Amount = refunds.iter().filter(|(state, _)| *state == "paid").map(|(_, cents)| *cents).sum();
    let status = match () {
        () if !paid.is_zero() && paid < captured => Status::PartiallyRefunded,
        () if !paid.is_zero() => Status::Refunded,
        () if some("opened") => Status::Pending,
        () if some("failed") => Status::Failed,
        () => Status::NotRefunded,
    };
    OrderState::new(order_id, status, paid)
}
