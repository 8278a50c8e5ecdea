//! The events that tell of a change, and their bodies.

use std::{collections::BTreeMap, fmt::Write};

use super::{code, digits, hundredths};
use crate::{
    corpus::{Corpus, CorpusError, ObjectKind},
    domain::{Amount, EventTime, RefundState},
    json::Value,
    model::{Change, RefundTruth, Tell},
    plan::Extra,
    provider::{Message, Scene, Template, push_plain, texts},
};

pub(super) const CREATED: &str = "refund.created";
pub(super) const PENDING: &str = "refund.pending";
pub(super) const SUCCEEDED: &str = "refund.succeeded";
pub(super) const FAILED: &str = "refund.failed";
pub(super) const CANCELLED: &str = "refund.cancelled";

/// Names that no catalogue has, for events that a consumer must acknowledge without knowing them.
const UNKNOWN_TYPES: [&str; 4] = ["payin.insight.updated", "refund_policy.updated", "payout.batch.settled", "beneficiary.reviewed"];

/// More events than one change has; numbers their ids.
const MOST_EVENTS: u64 = 1 << 20;

/// What the customer gets is in another of these currencies.
const ELSEWHERE: [&str; 3] = ["SGD", "EUR", "INR"];

/// A refund of this kind is not taken up at once: it stays `requested` until it ends.
const SLOW_KIND: u8 = 7;

/// Where facts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    EventId,
    EventTime,
    Id,
    Payin,
    Amount,
    Currency,
    CustomerReceives,
    Attempt,
    Reason,
    Status,
    StatusReason,
    StatusDescription,
    BalanceTransaction,
    Reference,
    Metadata,
    Created,
}

const PLACES: [(&str, Place); 16] = [
    ("/id", Place::EventId),
    ("/created_at", Place::EventTime),
    ("/data/id", Place::Id),
    ("/data/payin", Place::Payin),
    ("/data/amount", Place::Amount),
    ("/data/currency", Place::Currency),
    ("/data/customer_receives", Place::CustomerReceives),
    ("/data/payment_attempt", Place::Attempt),
    ("/data/reason", Place::Reason),
    ("/data/status", Place::Status),
    ("/data/status_reason", Place::StatusReason),
    ("/data/status_description", Place::StatusDescription),
    ("/data/balance_transaction", Place::BalanceTransaction),
    ("/data/reference_id", Place::Reference),
    ("/data/metadata", Place::Metadata),
    ("/data/created_at", Place::Created),
];

/// All templates of the provider.
#[derive(Clone, Debug)]
pub(super) struct Events {
    refunds: BTreeMap<String, Template<Place>>,
    others: Vec<(String, Template<Place>)>,
}

impl Events {
    pub(super) fn new(corpus: &Corpus) -> Result<Events, CorpusError> {
        let (mut refunds, mut others) = (BTreeMap::new(), Vec::new());
        for entry in &corpus.catalogue {
            let Some(example) = corpus.examples.get(&entry.kind) else { continue };
            if entry.object == ObjectKind::Refund {
                refunds.insert(entry.kind.clone(), Template::new(example, &PLACES));
            } else {
                others.push((entry.kind.clone(), other(example)));
            }
        }
        for kind in [CREATED, PENDING, SUCCEEDED, FAILED, CANCELLED] {
            if !refunds.contains_key(kind) {
                let problem = format!("an example of `{kind}` is missing; payloads are made from it");
                return Err(CorpusError { file: format!("corpus/{}", super::NAME), problem });
            }
        }
        Ok(Events { refunds, others })
    }

    /// How many event types are only traffic.
    pub(super) fn others(&self) -> usize {
        self.others.len()
    }

    /// The events that tell of a change.
    pub(super) fn tell(&self, scene: &Scene<'_>, change: &Change) -> Vec<Message> {
        let mut messages = Vec::new();
        match change {
            Change::Opened { refund, .. } => {
                messages.extend(self.refund(scene, 0, CREATED, *refund, RefundState::Requested));
                if !is_slow(&scene.truth.refunds[*refund]) {
                    messages.extend(self.refund(scene, 1, PENDING, *refund, RefundState::Pending));
                }
            }
            Change::Moved { refunds, to, .. } => {
                for (event, &refund) in refunds.iter().enumerate() {
                    let told = self.refund(scene, event, kind_of(*to), refund, *to);
                    // No document says by which event a cancellation is told.
                    messages.extend(told.map(|told| if *to == RefundState::Cancelled { told.doubtful() } else { told }));
                }
            }
            Change::Other { event } => messages.extend(self.other(scene, *event)),
            // Nothing else happens with this provider: its palette does not have it.
            _ => {}
        }
        messages
    }

    fn refund(&self, scene: &Scene<'_>, event: usize, kind: &str, refund: usize, state: RefundState) -> Option<Message> {
        let truth = &scene.truth.refunds[refund];
        let amount = |minor: u64| Amount::from_minor(minor, digits(scene.currency));
        let tell = Tell::Refund {
            id: scene.names.refunds[refund].clone(),
            state,
            amount: amount(truth.requested),
            refunded_amount: amount(truth.paid),
            in_passing: false,
        };
        let writer = Writer { scene, event: event.min(scene.times.len() - 1), refund, state };
        // Every type used here was checked when the corpus was loaded.
        let body = writer.body(self.refunds.get(kind)?);
        Some(Message::new(writer.event_id(), kind, Some(&scene.names.order), writer.time(), vec![tell], body))
    }

    fn other(&self, scene: &Scene<'_>, index: u16) -> Option<Message> {
        let (kind, template) = self.others.get(usize::from(index) % self.others.len().max(1))?;
        let (id, time) = (event_id(scene, 0), written(scene, &scene.times[0]));
        let mut body = String::with_capacity(800);
        template.render(&mut body, &mut |place, out| match place {
            Place::EventId => push_plain(out, &id),
            Place::EventTime | Place::Created => push_plain(out, time.as_str()),
            Place::Id => push_plain(out, &format!("pot_{}", code(&scene.mint, "other", scene.moment, 20))),
            _ => {}
        });
        Some(Message::new(id, kind, Some(&scene.names.order), time, Vec::new(), body))
    }
}

/// A template of an event that has nothing to do with refunds.
fn other(example: &Value) -> Template<Place> {
    let places = PLACES.iter().filter(|(_, place)| matches!(place, Place::EventId | Place::EventTime | Place::Id | Place::Created));
    Template::new(example, &places.copied().collect::<Vec<_>>())
}

fn kind_of(state: RefundState) -> &'static str {
    match state {
        RefundState::Requested => CREATED,
        RefundState::Pending | RefundState::PendingInformation => PENDING,
        RefundState::Succeeded => SUCCEEDED,
        RefundState::Failed => FAILED,
        RefundState::Cancelled => CANCELLED,
    }
}

fn is_slow(refund: &RefundTruth) -> bool {
    refund.kind % 8 == SLOW_KIND
}

fn event_id(scene: &Scene<'_>, event: usize) -> String {
    format!("evt_{}", code(&scene.mint, "event", scene.moment * MOST_EVENTS + event as u64, 19))
}

/// The time as the events of an order write it: with six fraction digits, or with nine, as newer objects have them.
fn written(scene: &Scene<'_>, time: &EventTime) -> EventTime {
    let time = six_digits(time);
    if !scene.truth.has(Extra::FineTimes) {
        return time;
    }
    let text = time.as_str().trim_end_matches('Z');
    // Never zeros, so that whoever writes such a time anew writes all of it; the same for all, so that none comes earlier.
    EventTime::parse(&format!("{text}362Z")).unwrap_or(time)
}

/// The time as it is written in every example: with six fraction digits.
fn six_digits(time: &EventTime) -> EventTime {
    let text = time.as_str().trim_end_matches('Z');
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    EventTime::parse(&format!("{seconds}.{fraction:0<6}Z")).unwrap_or_else(|_| time.clone())
}

/// An event of a type that nobody has heard of.
pub(super) fn unknown(scene: &Scene<'_>, name: u8) -> Message {
    let kind = UNKNOWN_TYPES[usize::from(name) % UNKNOWN_TYPES.len()];
    let id = format!("evt_{}", code(&scene.mint, "unknown", scene.moment * 256 + u64::from(name), 19));
    let object = code(&scene.mint, "unknown object", scene.moment, 20);
    let (order, time) = (&scene.names.order, written(scene, &scene.times[0]));
    let amount = hundredths(1, scene.currency);
    let body = format!(
        r#"{{"type":"{kind}","created_at":"{time}","data":{{"id":"obj_{object}","object":"insight","payin":"{order}","amount":{amount},"currency":"{}","status":"succeeded","created_at":"{time}"}},"id":"{id}","object":"event"}}"#,
        scene.currency
    );
    Message::new(id, kind, Some(order), time, Vec::new(), body)
}

/// One refund event about to be written.
struct Writer<'a> {
    scene: &'a Scene<'a>,
    /// Which event of the change.
    event: usize,
    refund: usize,
    state: RefundState,
}

impl Writer<'_> {
    fn event_id(&self) -> String {
        event_id(self.scene, self.event)
    }

    fn time(&self) -> EventTime {
        written(self.scene, &self.scene.times[self.event])
    }

    fn truth(&self) -> &RefundTruth {
        &self.scene.truth.refunds[self.refund]
    }

    /// The index of the refund in ids that belong to it.
    fn number(&self) -> u64 {
        (self.scene.order * 1000 + self.refund) as u64
    }

    fn body(&self, template: &Template<Place>) -> String {
        let mut body = String::with_capacity(1000);
        template.render(&mut body, &mut |place, out| self.fill(place, out));
        body
    }

    fn fill(&self, place: Place, out: &mut String) {
        let (scene, truth) = (self.scene, self.truth());
        let is_sparse = scene.truth.has(Extra::Sparse);
        match place {
            Place::EventId => push_plain(out, &self.event_id()),
            Place::EventTime => push_plain(out, self.time().as_str()),
            Place::Id => push_plain(out, &scene.names.refunds[self.refund]),
            Place::Payin => push_plain(out, &scene.names.order),
            Place::Amount => self.push_amount(truth.requested, out),
            Place::Currency => push_plain(out, scene.currency.code()),
            Place::CustomerReceives => self.customer_receives(out),
            Place::Attempt => push_plain(out, &format!("pat_{}", code(&scene.mint, "attempt", scene.order as u64 * 1000, 20))),
            Place::Reason if truth.kind >= 8 => out.extend(texts::reason(truth.kind)),
            Place::Reason => push_plain(out, if truth.kind % 2 == 0 { "Damaged Goods" } else { "Requested by customer" }),
            Place::Status => push_plain(out, self.state.as_str()),
            // The two pages of the provider that describe a refund have one name for it each.
            Place::StatusReason if is_sparse => {}
            Place::StatusDescription if !is_sparse => {}
            Place::StatusReason | Place::StatusDescription => {
                let is_explained = self.state == RefundState::Failed && truth.explained;
                push_plain(out, if is_explained { "Refund could not be processed" } else { "" });
            }
            // Empty until the money has moved.
            Place::BalanceTransaction if self.state == RefundState::Succeeded => {
                push_plain(out, &format!("btr_{}", code(&scene.mint, "balance transaction", self.number(), 20)));
            }
            Place::BalanceTransaction => push_plain(out, ""),
            Place::Reference if is_sparse => push_plain(out, ""),
            Place::Metadata if is_sparse => out.push_str("null"),
            Place::Reference => push_plain(out, &format!("order_{}", 10_000 + scene.mint.number("reference", scene.order as u64) % 90_000)),
            Place::Metadata => out.push_str(r#"{"key1":"value1","key2":"value2"}"#),
            Place::Created => push_plain(out, written(scene, &scene.refund_times[self.refund]).as_str()),
        }
    }

    fn push_amount(&self, minor: u64, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = write!(out, "{}", hundredths(minor, self.scene.currency));
    }

    /// What the customer gets: the same for a plain refund, else more or less in another currency. It never counts.
    fn customer_receives(&self, out: &mut String) {
        let (own, kind) = (self.scene.currency.code(), self.truth().kind % 8);
        let amount = hundredths(self.truth().requested, self.scene.currency);
        let others = ELSEWHERE.iter().filter(|other| **other != own);
        let (currency, amount) = match kind {
            0 => (own, amount),
            kind if kind % 2 == 1 => (others.copied().next().unwrap_or(own), amount * 148 / 100 + 1),
            _ => (others.copied().last().unwrap_or(own), amount * 92 / 100 + 3),
        };
        let _ = write!(out, r#"{{"currency":"{currency}","amount":{amount}}}"#);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_six_digits() {
        for (micros, text) in [
            (1_690_156_796_000_000, "2023-07-23T23:59:56.000000Z"),
            (1_690_156_796_120_000, "2023-07-23T23:59:56.120000Z"),
            (1_690_156_796_123_456, "2023-07-23T23:59:56.123456Z"),
        ] {
            let time = EventTime::from_micros(micros);
            assert_eq!(six_digits(&time).as_str(), text);
            assert_eq!(six_digits(&time), time);
        }
    }
}
