//! A small web shop that consumes the refund and chargeback webhooks of Digital River and Tazapay, with axum and SQLite.
//!
//! A delivery travels through the modules in this order:
//!
//! 1. [`signature`]: is it from the provider, and fresh? The raw bytes are signed, so this comes before any parsing.
//! 2. [`digital_river`], [`tazapay`]: from bytes to an [`event::Event`], or to a refusal.
//! 3. [`store`]: one transaction around everything that follows; committed before the answer goes out.
//! 4. [`order`]: what is known of the order once this event is known, too, and what that makes of its state.
//!
//! What makes it survive duplicates, reordering, concurrency and crashes: an event is never applied as a step ("add 21.60"). It is
//! kept as a fact ("refund re_1 succeeded with 21.60, told at 15:08:42"), and an order's state is computed from its facts.

pub mod digital_river;
pub mod event;
pub mod money;
pub mod order;
pub mod refusal;
pub mod signature;
pub mod store;
pub mod tazapay;

use std::{env, error::Error, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use rust_decimal::Decimal;
use serde::Deserialize;

use event::Event;
use order::{Order, OrderState};
use refusal::Refusal;
use signature::Secret;
use store::Store;

/// What all requests share.
#[derive(Debug)]
pub struct Shop {
    /// The orders.
    pub store: Store,
    /// The signing secret of each provider. Without a secret there is no endpoint: it would be open to everyone.
    pub digital_river: Option<Secret>,
    /// See [`Shop::digital_river`].
    pub tazapay: Option<Secret>,
}

/// The endpoints that the providers call.
pub fn webhooks() -> Router<Arc<Shop>> {
    Router::new().route("/webhooks/digital-river", post(from_digital_river)).route("/webhooks/tazapay", post(from_tazapay))
}

async fn from_digital_river(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Refusal> {
    take_in(&shop, shop.read_digital_river(&headers, &body)?).await
}

async fn from_tazapay(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Refusal> {
    take_in(&shop, shop.read_tazapay(&headers, &body)?).await
}

/// Answers only when the event is committed: what was acknowledged is never delivered again.
async fn take_in(shop: &Shop, event: Option<Event>) -> Result<StatusCode, Refusal> {
    if let Some(event) = event {
        shop.store.book(event).await?;
    }
    Ok(StatusCode::OK)
}

impl Shop {
    /// The event of a Digital River delivery; `None` if it does not concern this shop, which is acknowledged.
    ///
    /// # Errors
    /// A delivery that is not from the provider, too old, or not such an event.
    pub fn read_digital_river(&self, headers: &HeaderMap, body: &[u8]) -> Result<Option<Event>, Refusal> {
        let secret = self.digital_river.as_ref().ok_or(Refusal::NoSuchEndpoint)?;
        signature::digital_river(secret, headers, body, signature::now())?;
        digital_river::read(body)
    }

    /// The same for a Tazapay delivery.
    ///
    /// # Errors
    /// See [`Shop::read_digital_river`].
    pub fn read_tazapay(&self, headers: &HeaderMap, body: &[u8]) -> Result<Option<Event>, Refusal> {
        let secret = self.tazapay.as_ref().ok_or(Refusal::NoSuchEndpoint)?;
        signature::tazapay(secret, headers, body)?;
        tazapay::read(body)
    }
}

/// What the rest of the shop asks for.
fn orders() -> Router<Arc<Shop>> {
    Router::new().route("/orders/{id}", get(show)).route("/health", get(StatusCode::NO_CONTENT))
}

async fn show(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Result<Json<OrderState>, Refusal> {
    let order = shop.store.order(id.clone()).await?.ok_or(Refusal::UnknownOrder)?;
    Ok(Json(order.state(&id)))
}

/// Orders and refunds of the shop itself, which a test environment has to make up. Not for production.
fn test_endpoints() -> Router<Arc<Shop>> {
    Router::new().route("/test/orders", post(set_up)).route("/test/refunds", post(initiate))
}

#[derive(Deserialize)]
struct SetUp {
    orders: Vec<CapturedOrder>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CapturedOrder {
    order_id: String,
    currency: String,
    captured_amount: Decimal,
}

async fn set_up(State(shop): State<Arc<Shop>>, Json(set_up): Json<SetUp>) -> Result<StatusCode, Refusal> {
    let orders = set_up.orders.into_iter().map(|order| (order.order_id, Order::new(order.currency, order.captured_amount)));
    shop.store.replace(orders.collect()).await?;
    Ok(StatusCode::CREATED)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnRefund {
    order_id: String,
    refund: RequestedRefund,
}

#[derive(Deserialize)]
struct RequestedRefund {
    id: String,
    amount: Decimal,
    currency: String,
}

/// A refund that the shop asked the provider for. It is a fact like all others, so the webhooks that follow book nothing twice.
async fn initiate(State(shop): State<Arc<Shop>>, Json(own): Json<OwnRefund>) -> Result<StatusCode, Refusal> {
    let OwnRefund { order_id, refund } = own;
    shop.store.book(Event::own_refund(order_id, refund.id, refund.amount, refund.currency)).await?;
    Ok(StatusCode::CREATED)
}

/// Serves these webhooks and the rest of the shop, as the environment says: `LISTEN`, `DATABASE`, `DIGITAL_RIVER_SECRET`,
/// `TAZAPAY_SECRET`, and `TEST_ENDPOINTS=yes`.
///
/// It needs no orderly shutdown: whatever was answered is committed, and whatever was not is delivered again.
///
/// # Errors
/// A variable is missing, the database cannot be opened, or the address is in use.
pub async fn serve(webhooks: Router<Arc<Shop>>) -> Result<(), Box<dyn Error>> {
    let listen = variable("LISTEN").unwrap_or_else(|| "127.0.0.1:4010".to_owned());
    let database = variable("DATABASE").unwrap_or_else(|| "shop.db".to_owned());
    let shop = Shop {
        store: Store::open(database.as_ref()).map_err(|error| format!("DATABASE={database}: {error}"))?,
        digital_river: variable("DIGITAL_RIVER_SECRET").as_deref().map(Secret::new),
        tazapay: variable("TAZAPAY_SECRET").as_deref().map(Secret::new),
    };
    if shop.digital_river.is_none() && shop.tazapay.is_none() {
        return Err("set DIGITAL_RIVER_SECRET or TAZAPAY_SECRET to the signing secret of the webhook".into());
    }
    let mut routes = webhooks.merge(orders());
    if variable("TEST_ENDPOINTS").is_some() {
        routes = routes.merge(test_endpoints());
    }
    let listener = tokio::net::TcpListener::bind(&listen).await.map_err(|error| format!("LISTEN={listen}: {error}"))?;
    Ok(axum::serve(listener, routes.with_state(Arc::new(shop))).await?)
}

/// An environment variable that says something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
