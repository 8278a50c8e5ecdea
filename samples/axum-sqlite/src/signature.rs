//! Is a delivery from the provider? Nothing in it is believed before that.
//!
//! Both providers sign with HMAC-SHA256 in base64, over different texts. What is signed are the raw bytes of the body: parsing and
//! writing it again first is the classic way to break this.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{refusal::Refusal, tazapay};

/// Carries Digital River's timestamp and signatures.
const DIGITAL_RIVER: &str = "digitalriver-signature";

/// Carries Tazapay's signature. Its documents do not name the header: take the name that your account shows.
const TAZAPAY: &str = "x-tazapay-signature";

/// How old a signature may be, in seconds. Digital River documents no tolerance; without one, a recorded delivery could be replayed
/// for ever.
const TOLERANCE: u64 = 300;

/// A signing secret, ready for use.
#[derive(Clone, Debug)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    /// The secret as the provider shows it.
    pub fn new(secret: &str) -> Secret {
        Secret(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length"))
    }

    /// Whether this is the signature, in base64, of these parts joined.
    fn has_signed(&self, parts: &[&[u8]], signature: &str) -> bool {
        let mut mac = self.0.clone();
        parts.iter().for_each(|part| mac.update(part));
        // Takes the same time wherever the first difference is: a signature cannot be guessed byte by byte.
        STANDARD.decode(signature).is_ok_and(|signature| mac.verify_slice(&signature).is_ok())
    }
}

/// The current time, in seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Checks `{timestamp}, {signature}[, {signature}…]` over `{timestamp}.{raw body}`. For some hours after a secret was rotated there is
/// one signature for the old and one for the new secret; either is enough.
///
/// # Errors
/// [`Refusal::Unauthorized`].
pub fn digital_river(secret: &Secret, headers: &HeaderMap, body: &[u8], now: u64) -> Result<(), Refusal> {
    let header = text(headers, DIGITAL_RIVER)?;
    let mut parts = header.split(',').map(str::trim);
    let timestamp = parts.next().unwrap_or_default();
    if !parts.any(|signature| secret.has_signed(&[timestamp.as_bytes(), b".", body], signature)) {
        return Err(Refusal::Unauthorized("no valid signature"));
    }
    let is_fresh = timestamp.parse().is_ok_and(|sent: u64| now.abs_diff(sent) <= TOLERANCE);
    if is_fresh { Ok(()) } else { Err(Refusal::Unauthorized("the timestamp is outside the tolerance")) }
}

/// Checks `{signature}` over the event's id, the raw body and the event's `created_at`, without separators. The two have to be looked
/// up in the body, but nothing is done with them before the signature has proved them. It does not age: `created_at` is the event's.
///
/// # Errors
/// [`Refusal::Unauthorized`], or [`Refusal::Malformed`] where the two cannot be found.
pub fn tazapay(secret: &Secret, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let signature = text(headers, TAZAPAY)?;
    let signed = tazapay::signed_parts(body)?;
    if secret.has_signed(&[signed.id.as_bytes(), body, signed.created_at.as_bytes()], signature.trim()) {
        Ok(())
    } else {
        Err(Refusal::Unauthorized("no valid signature"))
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Refusal> {
    headers.get(name).and_then(|value| value.to_str().ok()).ok_or(Refusal::Unauthorized("no signature"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // printf '1660000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_test -binary | base64
    const RIGHT: &str = "hkNTiBgG+zDhtDaU3SGTnU5Yxm1qPdX+FAYapuXqMlc=";
    const WRONG: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const NOW: u64 = 1_660_000_000;

    #[track_caller]
    fn check(header: &str, body: &str, now: u64, expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(DIGITAL_RIVER, header.parse().expect("a header"));
        let result = digital_river(&Secret::new("whsec_test"), &headers, body.as_bytes(), now);
        assert_eq!(result.is_ok(), expected, "{header:?}: {result:?}");
    }

    #[test]
    fn any_signature_that_matches_suffices() {
        check(&format!("{NOW}, {RIGHT}"), r#"{"a":1}"#, NOW, true);
        check(&format!("{NOW}, {WRONG}, {RIGHT}"), r#"{"a":1}"#, NOW, true);
        check(&format!("{NOW}, {WRONG}"), r#"{"a":1}"#, NOW, false);
        check(&format!("{NOW}"), r#"{"a":1}"#, NOW, false);
        check("", r#"{"a":1}"#, NOW, false);
    }

    #[test]
    fn the_raw_body_is_signed() {
        check(&format!("{NOW}, {RIGHT}"), r#"{"a": 1}"#, NOW, false);
    }

    #[test]
    fn old_signatures_are_refused() {
        check(&format!("{NOW}, {RIGHT}"), r#"{"a":1}"#, NOW + TOLERANCE, true);
        check(&format!("{NOW}, {RIGHT}"), r#"{"a":1}"#, NOW + TOLERANCE + 1, false);
    }
}
