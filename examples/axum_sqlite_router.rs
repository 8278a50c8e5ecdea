//! A shop that takes the refund webhooks of Tazapay with axum and keeps them in SQLite, and its certification: one test for each
//! requirement, in process (`cargo test --features tower --example axum_sqlite_router`).
//!
//! A row is written for each event and nothing is ever updated, so there is nothing that two deliveries at the same time could
//! take from each other. What is shown is computed from the rows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

const SCHEMA: &str = "
    CREATE TABLE orders (id TEXT PRIMARY KEY, currency TEXT NOT NULL, captured INTEGER NOT NULL);
    CREATE TABLE events (
        order_id TEXT, id TEXT, refund TEXT, status TEXT, is_final INTEGER, at INTEGER, amount INTEGER, PRIMARY KEY (order_id, id));";

/// Of each refund the newest event, or the first that is final.
const REFUNDS: &str = "
    SELECT refund, status, amount FROM (
        SELECT *, row_number() OVER (PARTITION BY refund ORDER BY is_final DESC, at DESC, rowid) AS place FROM events WHERE order_id = ?1)
    WHERE place = 1 ORDER BY refund";

#[derive(Clone)]
struct Shop(Arc<Mutex<Connection>>);

/// The shop's endpoints. Amounts are whole hundredths of the major unit throughout, as the provider sends them.
fn router() -> Router {
    let database = Connection::open_in_memory().expect("memory");
    database.execute_batch(SCHEMA).expect("the schema is valid");
    Router::new()
        .route("/webhooks", post(webhook))
        .route("/orders/{id}", get(show))
        .route("/test/orders", post(set_up))
        .with_state(Shop(Arc::new(Mutex::new(database))))
}

impl Shop {
    fn database(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    created_at: Option<String>,
}

#[derive(Deserialize)]
struct Refund<'a> {
    id: String,
    payin: String,
    #[serde(borrow)]
    amount: &'a RawValue,
    currency: Option<String>,
    status: String,
}

async fn webhook(State(shop): State<Shop>, body: axum::body::Bytes) -> StatusCode {
    take(&shop, &body).err().unwrap_or(StatusCode::OK)
}

fn take(shop: &Shop, body: &[u8]) -> Result<(), StatusCode> {
    let malformed = StatusCode::BAD_REQUEST;
    // Members that nobody reads are not looked at, so this is asked of the whole body.
    let body = str::from_utf8(body).map_err(|_| malformed)?;
    let event: Event<'_> = serde_json::from_str(body).map_err(|_| malformed)?;
    if !["created", "pending", "succeeded", "failed", "cancelled"].iter().any(|end| event.kind == format!("refund.{end}")) {
        return Ok(());
    }
    let refund: Refund<'_> = serde_json::from_str(event.data.ok_or(malformed)?.get()).map_err(|_| malformed)?;
    let at: Timestamp = event.created_at.ok_or(malformed)?.parse().map_err(|_| malformed)?;
    let amount = hundredths(refund.amount.get()).ok_or(malformed)?;
    let is_final = match refund.status.as_str() {
        "requested" | "pending" => false,
        "succeeded" | "failed" | "cancelled" => true,
        _ => return Err(StatusCode::UNPROCESSABLE_ENTITY),
    };
    if event.id.is_empty() {
        return Err(malformed);
    }
    let database = shop.database();
    let known =
        database.query_row("SELECT currency, captured FROM orders WHERE id = ?1", [&refund.payin], |row| Ok((row.get(0)?, row.get(1)?)));
    let (currency, captured): (String, i64) =
        known.optional().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?.ok_or(StatusCode::NOT_FOUND)?;
    let digits = iso_currency::Currency::from_code(&currency).and_then(|currency| currency.exponent()).unwrap_or(2);
    let is_whole = digits >= 2 || amount % 10_i64.pow(2 - u32::from(digits)) == 0;
    if !is_whole || amount > captured || refund.currency.is_some_and(|other| other != currency) {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let row = params![refund.payin, event.id, refund.id, refund.status, is_final, at.as_microsecond(), amount];
    let written = database.execute("INSERT OR IGNORE INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", row);
    written.map(|_| ()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// A JSON number that is whole and not negative, by its own digits.
fn hundredths(text: &str) -> Option<i64> {
    let is_number = text.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    let amount = if text.contains(['e', 'E']) { Decimal::from_scientific(text) } else { text.parse() };
    amount.ok().filter(|amount| is_number && amount.fract().is_zero() && !amount.is_sign_negative())?.try_into().ok()
}

async fn show(State(shop): State<Shop>, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let database = shop.database();
    let known = database.query_row("SELECT currency, captured FROM orders WHERE id = ?1", [&id], |row| Ok((row.get(0)?, row.get(1)?)));
    let (currency, captured): (String, i64) = known.optional().map_err(failed)?.ok_or(StatusCode::NOT_FOUND)?;
    let mut query = database.prepare_cached(REFUNDS).map_err(failed)?;
    let rows = query.query_map([&id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(failed)?;
    let refunds: Vec<(String, String, i64)> = rows.collect::<Result<_, _>>().map_err(failed)?;
    let some = |status: &str| refunds.iter().any(|(_, other, _)| other == status);
    let paid: i64 = refunds.iter().filter(|(_, status, _)| status == "succeeded").map(|(_, _, amount)| amount).sum();
    let status = match paid {
        0 if some("requested") || some("pending") => "pending",
        0 if some("failed") => "failed",
        0 => "not_refunded",
        _ if paid >= captured => "refunded",
        _ => "partially_refunded",
    };
    let money = |hundredths: i64| Decimal::new(hundredths, 2).to_string();
    let refund = |(id, status, amount): &(String, String, i64)| {
        let paid = if status == "succeeded" { *amount } else { 0 };
        json!({"id": id, "state": status, "amount": money(*amount), "refundedAmount": money(paid)})
    };
    let refunds: Vec<Value> = refunds.iter().map(refund).collect();
    Ok(Json(json!({"orderId": id, "status": status, "refundedAmount": money(paid), "currency": currency, "refunds": refunds})))
}

/// Orders that a customer paid. Not for production.
async fn set_up(State(shop): State<Shop>, Json(case): Json<Value>) -> Result<StatusCode, StatusCode> {
    for order in case["orders"].as_array().into_iter().flatten() {
        let captured = order["capturedAmount"].as_str().and_then(|text| text.parse::<Decimal>().ok());
        let captured: Option<i64> = captured.and_then(|amount| (amount * Decimal::ONE_HUNDRED).try_into().ok());
        let row = params![order["orderId"].as_str(), order["currency"].as_str(), captured];
        shop.database().execute("INSERT INTO orders VALUES (?1, ?2, ?3)", row).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?;
    }
    Ok(StatusCode::CREATED)
}

/// Serves nothing: a shop of one's own is what is certified. The certification is in the tests.
#[expect(clippy::print_stdout, reason = "an example talks to its reader")]
fn main() {
    let _ = router();
    println!("`cargo test --features tower --example axum_sqlite_router` certifies this shop");
}

#[cfg(test)]
mod conformance {
    use refundproof::adapter::{Capabilities, Observable, TowerTarget};

    fn shop() -> TowerTarget {
        let claims = Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Currency, Observable::Refunds];
            claims.concurrency = 4;
        });
        TowerTarget::new(super::router()).claiming(claims).webhook("/webhooks").set_up_at("/test/orders")
    }

    refundproof::conformance_tests!(tazapay, shop; not_judged = ["own-refund-not-booked-twice", "survives-restart", "signature-*"]);
}
