//! Verifies signatures before anything is read, with an HMAC of its own making.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use refundproof::{
    adapter::{Capabilities, Hello, Request},
    case::OrderSetup,
    domain::OrderState,
};
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

fn is_authentic(request: &Request<'_>, secret: &str) -> Option<bool> {
    let (_, header) = request.headers.iter().find(|(name, _)| name == "digitalriver-signature")?;
    let (timestamp, signatures) = header.split_once(',')?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let is_fresh = now.abs_diff(timestamp.trim().parse().ok()?) <= 300;
    let signed = [timestamp.trim().as_bytes(), b".", request.body].concat();
    let right = STANDARD.encode(hmac_sha256(secret.as_bytes(), &signed));
    Some(is_fresh && signatures.split(',').any(|signature| signature.trim() == right))
}

impl<C: Consumer> Consumer for Verified<C> {
    fn claims(&self) -> Capabilities {
        Capabilities { verifies_signatures: true, ..self.inner.claims() }
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
