//! The shop with one real mistake: between reading an order and writing it, something else may happen.
//!
//! Every statement is right, and in every test that sends one delivery after the other so is every result. Two deliveries at the same
//! time both read the order as it was, and the one that writes last takes back what the other has written: a lost update. The provider
//! got its 200 for both, so neither comes again. The certification sends deliveries together: `concurrent-deliveries` fails.

use std::{error::Error, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use axum_sqlite::{
    Shop,
    event::Event,
    order::Order,
    refusal::Refusal,
    store::{remember, save},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let webhooks = Router::new().route("/webhooks/digital-river", post(from_digital_river)).route("/webhooks/tazapay", post(from_tazapay));
    axum_sqlite::serve(webhooks).await
}

async fn from_digital_river(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Refusal> {
    take_in(&shop, shop.read_digital_river(&headers, &body)?).await
}

async fn from_tazapay(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Refusal> {
    take_in(&shop, shop.read_tazapay(&headers, &body)?).await
}

async fn take_in(shop: &Shop, event: Option<Event>) -> Result<StatusCode, Refusal> {
    let Some(event) = event else { return Ok(StatusCode::OK) };
    let order = shop.store.order(event.order_id.clone()).await?.ok_or(Refusal::UnknownOrder)?;
    let after = order.after(&event)?;
    tell_the_warehouse(&after).await;
    // Wrong: there is a transaction, but the order was read before it began.
    shop.store
        .transaction(move |transaction| {
            if remember(transaction, &event)? {
                save(transaction, &event.order_id, &after)?;
            }
            Ok(())
        })
        .await?;
    Ok(StatusCode::OK)
}

/// Another service, a few milliseconds away.
async fn tell_the_warehouse(_: &Order) {
    tokio::time::sleep(Duration::from_millis(3)).await;
}
