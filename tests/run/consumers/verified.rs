//! Verifies signatures before anything is read, with an HMAC of its own making.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use refundproof::{
    adapter::{Capabilities, Hello, Request},
    case::OrderSetup,
    domain::OrderState,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Consumer, Facts, parse::Event};

#[derive(Default)]
pub(crate) struct Verified<C> {
    inner: C,
    secret: String,
}

/// RFC 2104.
fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

/// Whether the signature is right. A header with a comma says when it was signed; the other kind signs what the body says of
/// itself.
fn is_authentic(request: &Request<'_>, secret: &str) -> Option<bool> {
    let (_, header) = request.headers.iter().find(|(name, _)| name.ends_with("-signature"))?;
    let right = |signed: &[u8]| STANDARD.encode(hmac_sha256(secret.as_bytes(), signed));
    let Some((timestamp, signatures)) = header.split_once(',') else {
        let event: Value = serde_json::from_slice(request.body).ok()?;
        let [id, time] = ["id", "created_at"].map(|name| event[name].as_str().unwrap_or_default().as_bytes());
        return Some(*header == right(&[id, request.body, time].concat()));
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let is_fresh = now.abs_diff(timestamp.trim().parse().ok()?) <= 300;
    let right = right(&[timestamp.trim().as_bytes(), b".", request.body].concat());
    Some(is_fresh && signatures.split(',').any(|signature| signature.trim() == right))
}

impl<C: Consumer> Consumer for Verified<C> {
    fn claims(&self) -> Capabilities {
        self.inner.claims().with(|claims| claims.verifies_signatures = true)
    }

    fn greet(&mut self, hello: &Hello) {
        self.secret.clone_from(&hello.secret);
    }

    fn open(&mut self, order: &OrderSetup) {
        self.inner.open(order);
    }

    fn facts(&self, order_id: &str) -> Option<Facts> {
        self.inner.facts(order_id)
    }

    fn book(&mut self, event: Event) {
        self.inner.book(event);
    }

    fn show(&self, order_id: &str) -> Option<OrderState> {
        self.inner.show(order_id)
    }

    fn answer(&mut self, request: &Request<'_>) -> u16 {
        if is_authentic(request, &self.secret) == Some(true) { self.inner.answer(request) } else { 401 }
    }
}
