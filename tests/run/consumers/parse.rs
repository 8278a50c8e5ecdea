//! From the bytes of a delivery to a small event, as every consumer here reads them.
//!
//! Written against the documents and not with the harness's own reader, so that a mistake in one is not in both.

use refundproof::domain::{Amount, EventTime, RefundState};
use serde_json::Value;

use super::flat;

/// An event that tells of refunds or chargebacks.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) at: EventTime,
    pub(crate) order_id: String,
    pub(crate) currency: Option<String>,
    pub(crate) news: News,
}

#[derive(Clone, Debug)]
pub(crate) enum News {
    Refund(Refund),
    /// All refunds of a charge so far.
    Charge(Picture),
    Chargeback(Order),
    /// Another event that carries an order; if not asked for, only the documented `order.charge.refund.failed`.
    Order(Order),
}

#[derive(Clone, Debug)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) state: RefundState,
    pub(crate) amount: Amount,
    /// Zero unless it succeeded.
    pub(crate) paid: Amount,
}

#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) charge: String,
    pub(crate) entries: Vec<(RefundState, Amount)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) refunded: Amount,
    pub(crate) available: Option<Amount>,
    pub(crate) pictures: Vec<Picture>,
}

/// Why a delivery is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Malformed,
    Invalid,
    Doubtful,
    UnknownOrder,
}

/// How a consumer reads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// Makes the best of what is doubtful.
    pub(crate) lenient: bool,
    /// Reads order objects of every `order.*` event.
    pub(crate) orders: bool,
}

impl Refusal {
    pub(crate) fn status(self) -> u16 {
        match self {
            Refusal::Malformed | Refusal::Invalid => 400,
            Refusal::Doubtful => 422,
            Refusal::UnknownOrder => 404,
        }
    }
}

impl Picture {
    pub(crate) fn paid(&self) -> Amount {
        self.entries.iter().filter(|(state, _)| *state == RefundState::Succeeded).map(|(_, amount)| *amount).sum()
    }

    pub(crate) fn open(&self) -> Amount {
        self.entries.iter().filter(|(state, _)| !state.is_final()).map(|(_, amount)| *amount).sum()
    }
}

impl News {
    pub(crate) fn amounts(&mut self) -> Vec<&mut Amount> {
        fn of_pictures(pictures: &mut [Picture]) -> impl Iterator<Item = &mut Amount> {
            pictures.iter_mut().flat_map(|picture| &mut picture.entries).map(|(_, amount)| amount)
        }
        match self {
            News::Refund(refund) => vec![&mut refund.amount, &mut refund.paid],
            News::Charge(picture) => of_pictures(std::slice::from_mut(picture)).collect(),
            News::Chargeback(order) | News::Order(order) => {
                [&mut order.refunded].into_iter().chain(&mut order.available).chain(of_pictures(&mut order.pictures)).collect()
            }
        }
    }

    /// The most that this alone says to be asked for or paid back.
    pub(crate) fn most(&self) -> Amount {
        match self {
            News::Refund(refund) => refund.amount.max(refund.paid),
            News::Charge(picture) => picture.paid(),
            News::Chargeback(order) | News::Order(order) => order.pictures.iter().map(Picture::paid).sum::<Amount>().max(order.refunded),
        }
    }
}

/// The event, or `None` where it tells nothing that this consumer wants to know.
pub(crate) fn read(body: &[u8], manner: Manner) -> Result<Option<Event>, Refusal> {
    let body = if manner.lenient { body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body) } else { body };
    let event: Value = serde_json::from_slice(body).map_err(|_| Refusal::Malformed)?;
    if flat::is_flat(&event) {
        return flat::read(&event, manner);
    }
    let kind = text(&event["type"])?;
    let object = &event["data"]["object"];
    let reader = Reader { manner, kind, object };
    let (order_id, news) = match kind {
        "refund.created"
        | "refund.pending"
        | "refund.pending_information"
        | "refund.complete"
        | "refund.succeeded"
        | "refund.failed"
        | "refund.updated" => (text(&object["orderId"])?, News::Refund(reader.refund()?)),
        "order.charge.refund.pending"
        | "order.charge.refund.pending_information"
        | "order.charge.refund.complete"
        | "order.charge.refund.failed" => {
            if object["payment"].is_null() {
                (text(&object["orderId"])?, News::Charge(reader.picture(object)?.ok_or(Refusal::Invalid)?))
            } else {
                // The documented order.charge.refund.failed carries the order.
                (text(&object["id"])?, News::Order(reader.order()?))
            }
        }
        "order.chargeback" => (text(&object["id"])?, News::Chargeback(reader.order()?)),
        other if manner.orders && other.starts_with("order.") && object["payment"].is_object() => {
            (text(&object["id"])?, News::Order(reader.order()?))
        }
        _ => return Ok(None),
    };
    let id = match text(&event["id"]) {
        Ok(id) => id.to_owned(),
        // Whatever has the same body is the same event.
        Err(_) if manner.lenient => format!("without an id: {event}"),
        Err(refusal) => return Err(refusal),
    };
    let at = match event["createdTime"].as_str().map(EventTime::parse) {
        Some(Ok(at)) => at,
        _ if manner.lenient && is_timeless(&news) => EventTime::from_micros(0),
        _ => return Err(Refusal::Doubtful),
    };
    let currency = object["currency"].as_str().map(str::to_owned);
    Ok(Some(Event { id, at, order_id: order_id.to_owned(), currency, news }))
}

/// Whether it is true whenever it was said.
fn is_timeless(news: &News) -> bool {
    match news {
        News::Refund(refund) => refund.state.is_final(),
        News::Chargeback(_) => true,
        News::Charge(_) | News::Order(_) => false,
    }
}

pub(super) fn text(value: &Value) -> Result<&str, Refusal> {
    value.as_str().filter(|text| !text.is_empty()).ok_or(Refusal::Invalid)
}

struct Reader<'a> {
    manner: Manner,
    kind: &'a str,
    object: &'a Value,
}

impl Reader<'_> {
    fn refund(&self) -> Result<Refund, Refusal> {
        let object = self.object;
        let state = match text(&object["state"]).map_err(|_| Refusal::Doubtful)? {
            "pending" => RefundState::Pending,
            "pending_information" => RefundState::PendingInformation,
            "succeeded" => RefundState::Succeeded,
            "failed" => RefundState::Failed,
            _ => self.state_by_kind().ok_or(Refusal::Doubtful)?,
        };
        let amount = match object["items"].as_array() {
            Some(items) if object["amount"].is_null() && !items.is_empty() => {
                items.iter().map(|item| self.amount(&item["amount"])).sum::<Result<Amount, Refusal>>()?
            }
            _ => self.amount(&object["amount"])?,
        };
        let paid = if state == RefundState::Succeeded { self.amount(&object["refundedAmount"])? } else { Amount::ZERO };
        Ok(Refund { id: text(&object["id"])?.to_owned(), state, amount, paid })
    }

    fn state_by_kind(&self) -> Option<RefundState> {
        match self.kind {
            _ if !self.manner.lenient => None,
            "refund.complete" | "refund.succeeded" => Some(RefundState::Succeeded),
            "refund.failed" => Some(RefundState::Failed),
            "refund.pending_information" => Some(RefundState::PendingInformation),
            "refund.pending" | "refund.created" => Some(RefundState::Pending),
            _ => None,
        }
    }

    fn picture(&self, charge: &Value) -> Result<Option<Picture>, Refusal> {
        let Some(refunds) = charge["refunds"].as_array().filter(|refunds| !refunds.is_empty()) else { return Ok(None) };
        let entry = |entry: &Value| {
            let state = match entry["state"].as_str() {
                Some("pending") => RefundState::Pending,
                Some("pending_information") => RefundState::PendingInformation,
                Some("complete") => RefundState::Succeeded,
                Some("failed") => RefundState::Failed,
                _ => return Err(Refusal::Doubtful),
            };
            Ok((state, self.amount(&entry["amount"])?))
        };
        let entries = refunds.iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Some(Picture { charge: text(&charge["id"])?.to_owned(), entries }))
    }

    fn order(&self) -> Result<Order, Refusal> {
        let amount = |value: &Value| if value.is_null() { Ok(None) } else { self.amount(value).map(Some) };
        let charges = self.object["payment"]["charges"].as_array().map_or(&[][..], Vec::as_slice);
        Ok(Order {
            refunded: amount(&self.object["refundedAmount"])?.unwrap_or_default(),
            available: amount(&self.object["availableToRefundAmount"])?,
            pictures: charges.iter().filter_map(|charge| self.picture(charge).transpose()).collect::<Result<_, _>>()?,
        })
    }

    fn amount(&self, value: &Value) -> Result<Amount, Refusal> {
        let amount = match value {
            Value::Number(number) => Amount::parse(&number.to_string()).map_err(|_| Refusal::Doubtful)?,
            Value::String(text) if self.manner.lenient => Amount::parse(text).map_err(|_| Refusal::Doubtful)?,
            _ => return Err(Refusal::Invalid),
        };
        if amount.is_negative() { Err(Refusal::Invalid) } else { Ok(amount) }
    }
}
