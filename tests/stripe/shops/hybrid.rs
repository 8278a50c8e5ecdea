//! A plugin that grew: first it had the charge's total, then refunds were added. The total counts for money of which no refund is
//! known, and only as long as no refund has failed since. It checks signatures by itself and writes each order to its disk before
//! it answers; a dispute is open from the event that withdraws money to the one that gives it back.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
    domain::Clock,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Shop, wire};

const TOLERANCE_SECONDS: u64 = 300;

#[derive(Default)]
pub(crate) struct Gateway {
    endpoint: Option<(String, Clock)>,
    /// What is still there after the power failed: rows of text by their keys.
    disk: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    currency: String,
    captured: i64,
    refunds: BTreeMap<String, Refund>,
    /// The second and the sum of the newest total.
    total: Option<(i64, i64)>,
    last_failure: Option<i64>,
    disputes: BTreeMap<String, Dispute>,
}

#[derive(Serialize, Deserialize)]
struct Refund {
    made: i64,
    amount: i64,
    heard: (i64, Standing),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Standing {
    RequiresAction,
    Pending,
    Succeeded,
    Failed,
    Canceled,
}

impl Standing {
    fn is_over(self) -> bool {
        matches!(self, Standing::Failed | Standing::Canceled)
    }
}

#[derive(Serialize, Deserialize)]
struct Dispute {
    amount: i64,
    is_given_back: bool,
}

impl Row {
    fn sum(&self, fits: impl Fn(&Refund) -> bool) -> i64 {
        self.refunds.values().filter(|refund| fits(refund)).map(|refund| refund.amount).sum()
    }

    fn paid(&self) -> i64 {
        let by_refunds = self.sum(|refund| refund.heard.1 == Standing::Succeeded);
        match self.total {
            Some((at, total)) if self.last_failure.is_none_or(|failed| failed < at) => {
                let known = self.sum(|refund| refund.made <= at && !refund.heard.1.is_over());
                by_refunds + (total - known).max(0)
            }
            _ => by_refunds,
        }
    }

    fn withdrawn(&self) -> i64 {
        self.disputes.values().filter(|dispute| !dispute.is_given_back).map(|dispute| dispute.amount).sum()
    }

    fn status(&self) -> &'static str {
        let stands = |standing| self.refunds.values().any(|refund| refund.heard.1 == standing);
        match self.paid() {
            _ if self.withdrawn() > 0 => "charged_back",
            0 if stands(Standing::RequiresAction) => "pending_information",
            0 if stands(Standing::Pending) => "pending",
            0 if stands(Standing::Failed) => "failed",
            0 => "not_refunded",
            paid if paid < self.captured => "partially_refunded",
            _ => "refunded",
        }
    }
}

impl Shop for Gateway {
    fn claims(&self) -> Capabilities {
        let types = [
            "charge.refunded",
            "refund.created",
            "refund.updated",
            "refund.failed",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.funds_reinstated",
        ];
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::ChargedBackAmount, Observable::Currency];
            claims.subscribes = Some(types.map(str::to_owned).to_vec());
            claims.verifies_signatures = true;
            claims.durable = true;
        })
    }

    fn greet(&mut self, secret: &str, clock: &Clock, _: Option<&str>) {
        self.endpoint = Some((secret.to_owned(), clock.clone()));
    }

    fn sold(&mut self, order: &OrderSetup) {
        for name in order.charges.iter().map(|charge| &charge.id).chain(&order.payment_intent_id) {
            self.disk.insert(format!("payment {name}"), order.order_id.clone());
        }
        let key = format!("order {}", order.order_id);
        if !self.disk.contains_key(&key) {
            let captured = wire::smallest(&order.captured_amount.to_string(), &order.currency);
            let currency = order.currency.clone();
            self.save(
                &key,
                &Row { currency, captured, refunds: BTreeMap::new(), total: None, last_failure: None, disputes: BTreeMap::new() },
            );
        }
    }

    fn crash(&mut self) -> bool {
        *self = Gateway { endpoint: None, disk: std::mem::take(&mut self.disk) };
        true
    }

    fn post(&mut self, headers: &[(String, String)], body: &[u8]) -> u16 {
        let header = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("stripe-signature"));
        if !header.is_some_and(|(_, value)| self.is_genuine(value, body)) {
            return 401;
        }
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        match wire::kind(&whole) {
            None => 400,
            Some("charge.refunded") => self.total(&whole).unwrap_or(400),
            Some("refund.created" | "refund.updated" | "refund.failed") => self.refund(&whole).unwrap_or(400),
            Some("charge.dispute.funds_withdrawn") => self.dispute(&whole, false).unwrap_or(400),
            Some("charge.dispute.funds_reinstated") => self.dispute(&whole, true).unwrap_or(400),
            Some(_) => 200,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let row = self.load(&format!("order {order_id}"))?;
        let (paid, withdrawn) = (wire::major(row.paid(), &row.currency), wire::major(row.withdrawn(), &row.currency));
        Some(json!({
            "orderId": order_id,
            "status": row.status(),
            "refundedAmount": paid,
            "chargedBackAmount": withdrawn,
            "currency": row.currency,
        }))
    }
}

impl Gateway {
    fn load(&self, key: &str) -> Option<Row> {
        self.disk.get(key).map(|text| serde_json::from_str(text).expect("what was saved"))
    }

    fn save(&mut self, key: &str, row: &Row) {
        self.disk.insert(key.to_owned(), serde_json::to_string(row).expect("plain data"));
    }

    /// Any of the signatures of the known scheme will do; there are two while the secret is changed.
    fn is_genuine(&self, header: &str, body: &[u8]) -> bool {
        let Some((secret, clock)) = &self.endpoint else { return false };
        let parts = || header.split(',').filter_map(|part| part.split_once('='));
        let Some((_, time)) = parts().find(|(name, _)| *name == "t") else { return false };
        let is_old = time.parse::<u64>().map_or(true, |time| time.saturating_add(TOLERANCE_SECONDS) < clock.unix_seconds());
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(body);
        !is_old && parts().any(|(name, value)| name == "v1" && bytes(value).is_some_and(|tag| mac.clone().verify_slice(&tag).is_ok()))
    }

    /// The row of what was paid, if the event is about the currency that it was paid in.
    fn row(&self, payment: &wire::Payment, currency: &str) -> Result<(String, Row), u16> {
        let order = payment.ids().find_map(|id| self.disk.get(&format!("payment {id}"))).ok_or(404_u16)?;
        let key = format!("order {order}");
        let row = self.load(&key).ok_or(404_u16)?;
        if row.currency.eq_ignore_ascii_case(currency) { Ok((key, row)) } else { Err(422) }
    }

    fn total(&mut self, whole: &Value) -> Option<u16> {
        let event = wire::event(whole)?;
        let charge = wire::charge(&event.object)?;
        let (key, mut row) = match self.row(&charge.payment, &charge.currency) {
            Ok(found) => found,
            Err(answer) => return Some(answer),
        };
        if charge.amount_refunded > row.captured {
            return Some(422);
        }
        row.total = row.total.max(Some((event.created, charge.amount_refunded)));
        self.save(&key, &row);
        Some(200)
    }

    fn refund(&mut self, whole: &Value) -> Option<u16> {
        let event = wire::event(whole)?;
        let told = wire::refund(&event.object)?;
        let standing: Standing = match told.status.as_str() {
            "requires_action" => Standing::RequiresAction,
            "pending" => Standing::Pending,
            "succeeded" => Standing::Succeeded,
            "failed" => Standing::Failed,
            "canceled" => Standing::Canceled,
            _ => return Some(422),
        };
        let (key, mut row) = match self.row(&told.payment, &told.currency) {
            Ok((_, row)) if told.amount > row.captured => return Some(422),
            Ok(found) => found,
            Err(answer) => return Some(answer),
        };
        let heard = (event.created, standing);
        let refund = row.refunds.entry(told.id).or_insert(Refund { made: told.created, amount: told.amount, heard });
        refund.heard = refund.heard.max(heard);
        if standing.is_over() {
            row.last_failure = row.last_failure.max(Some(event.created));
        }
        self.save(&key, &row);
        Some(200)
    }

    fn dispute(&mut self, whole: &Value, is_given_back: bool) -> Option<u16> {
        let event = wire::event(whole)?;
        let told = wire::dispute(&event.object)?;
        let (key, mut row) = match self.row(&told.payment, &told.currency) {
            Ok(found) => found,
            Err(answer) => return Some(answer),
        };
        // Money that came back had been taken before, also when nobody said so yet.
        let dispute = row.disputes.entry(told.id).or_insert(Dispute { amount: told.amount, is_given_back });
        dispute.is_given_back |= is_given_back;
        self.save(&key, &row);
        Some(200)
    }
}

/// Lower-case hexadecimal digits, two for a byte.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !text.len().is_multiple_of(2) || !text.as_bytes().iter().all(is_hex) {
        return None;
    }
    (0..text.len()).step_by(2).map(|start| u8::from_str_radix(&text[start..start + 2], 16).ok()).collect()
}
