//! Two tables and a transaction: the id of an event and what it changes of the orders' table are written together or not at all.
//!
//! Each row of the second table is one thing that was told of an order; the page of an order is a query.

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::{Value, json};

use crate::Shop;

const SCHEMA: &str = "
    create table webhook_events (id text primary key) without rowid;
    create table order_lines (
        order_id text, kind text, id text, state text, mills integer, at integer, primary key (order_id, kind, id)
    ) without rowid;";

/// A line gives way to a later one unless it tells of an end.
const UPSERT: &str = "
    insert into order_lines values (?1, ?2, ?3, ?4, ?5, ?6)
    on conflict do update set state = excluded.state, mills = excluded.mills, at = excluded.at
    where state not in ('succeeded', 'failed') and (excluded.at > at or excluded.state in ('succeeded', 'failed'))";

const PAGE: &str = "
    select
        (select mills from order_lines where order_id = ?1 and kind = 'order'),
        (select state from order_lines where order_id = ?1 and kind = 'order'),
        max(sum(iif(kind = 'refund', mills, 0)), sum(iif(kind = 'charge', mills, 0))),
        sum(kind = 'chargeback'),
        sum(kind = 'refund' and state = 'pending_information'),
        sum(kind = 'refund' and state in ('pending', 'requested')),
        sum(kind = 'refund' and state = 'failed')
    from order_lines where order_id = ?1";

pub(crate) struct Database(Connection);

impl Default for Database {
    fn default() -> Database {
        let database = Connection::open_in_memory().expect("memory is there");
        database.execute_batch(SCHEMA).expect("the tables can be made");
        Database(database)
    }
}

struct Line {
    order_id: String,
    kind: &'static str,
    id: String,
    state: String,
    mills: i64,
    at: i64,
}

impl Shop for Database {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| claims.observes = vec![Observable::Currency])
    }

    fn sold(&mut self, order: &OrderSetup) {
        let mills = mills(&order.captured_amount.to_string()).expect("an amount");
        let values = params![order.order_id, "order", "", order.currency, mills, 0];
        self.0.execute("insert or ignore into order_lines values (?1, ?2, ?3, ?4, ?5, ?6)", values).expect("a row");
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(event) = serde_json::from_slice::<Value>(body) else { return 400 };
        let line = match line(&event) {
            Some(Some(line)) => line,
            Some(None) => return 200,
            None => return 400,
        };
        let Some(event_id) = event["id"].as_str() else { return 400 };
        let Ok(transaction) = self.0.transaction() else { return 503 };
        match book(transaction, event_id, &line) {
            Ok(true) => 200,
            Ok(false) => 404,
            Err(_) => 503,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let row = self.0.query_row(PAGE, [order_id], |row| {
            let counts: [i64; 4] = [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?];
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, counts))
        });
        let (captured, currency, paid, [chargebacks, informing, pending, failed]) = row.ok()?;
        let status = match () {
            () if chargebacks > 0 => "charged_back",
            () if paid == captured => "refunded",
            () if paid > 0 => "partially_refunded",
            () if informing > 0 => "pending_information",
            () if pending > 0 => "pending",
            () if failed > 0 => "failed",
            () => "not_refunded",
        };
        let paid = format!("{}.{:03}", paid / 1000, paid % 1000);
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid, "currency": currency}))
    }
}

/// Whether the order is known; only then anything is written.
fn book(transaction: Transaction<'_>, event_id: &str, line: &Line) -> rusqlite::Result<bool> {
    let order = "select 1 from order_lines where order_id = ?1 and kind = 'order'";
    if transaction.query_row(order, [&line.order_id], |_| Ok(())).optional()?.is_none() {
        return Ok(false);
    }
    if transaction.execute("insert or ignore into webhook_events values (?1)", [event_id])? == 1 {
        transaction.prepare_cached(UPSERT)?.execute(params![line.order_id, line.kind, line.id, line.state, line.mills, line.at])?;
    }
    transaction.commit()?;
    Ok(true)
}

/// Thousandths of the major unit.
fn mills(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 3 || !whole.bytes().chain(fraction.bytes()).all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{fraction:0<3}").parse().ok()
}

fn amount(value: &Value) -> Option<i64> {
    mills(&value.as_number()?.to_string())
}

/// What an event changes; the outer `None` where that cannot be read.
fn line(event: &Value) -> Option<Option<Line>> {
    let kind = event["type"].as_str()?;
    let text = |value: &Value| Some(value.as_str()?.to_owned());
    let at = || {
        let time = event["createdTime"].as_str().or(event["created_at"].as_str())?;
        i64::try_from(time.parse::<jiff::Timestamp>().ok()?.as_nanosecond()).ok()
    };
    let object = &event["data"]["object"];
    let line = if kind == "order.chargeback" {
        Line { order_id: text(&object["id"])?, kind: "chargeback", id: String::new(), state: String::new(), mills: 0, at: at()? }
    } else if kind.starts_with("order.charge.refund.") && object["payment"].is_null() {
        let mut mills = 0;
        for entry in object["refunds"].as_array()? {
            if entry["state"] == "complete" {
                mills += amount(&entry["amount"])?;
            }
        }
        if mills == 0 && kind == "order.charge.refund.complete" {
            return None;
        }
        Line { order_id: text(&object["orderId"])?, kind: "charge", id: text(&object["id"])?, state: String::new(), mills, at: at()? }
    } else if kind.starts_with("refund.") {
        let (order_id, id, state, mills) = if object.is_object() {
            let mills = amount(&object["refundedAmount"])?;
            (text(&object["orderId"])?, text(&object["id"])?, text(&object["state"])?, mills)
        } else {
            let data = &event["data"];
            let state = text(&data["status"])?;
            let hundredths = data["amount"].as_i64().filter(|amount| *amount > 0)?;
            let mills = if state == "succeeded" { hundredths.checked_mul(10)? } else { 0 };
            (text(&data["payin"])?, text(&data["id"])?, state, mills)
        };
        let plausible = match state.as_str() {
            "succeeded" => mills > 0,
            "requested" | "pending" | "pending_information" | "failed" => mills == 0,
            _ => false,
        };
        if !plausible {
            return None;
        }
        Line { order_id, kind: "refund", id, state, mills, at: at()? }
    } else {
        return Some(None);
    };
    Some(Some(line))
}
