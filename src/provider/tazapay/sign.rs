//! The signature: base64 of an HMAC-SHA256 over the event's id, the raw body and the literal `created_at` at its top, one
//! after the other (`docs/adapter-protocol.md`, "Signatures"). It says nothing of when a delivery was sent.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use crate::json::Value;

#[derive(Default, Deserialize)]
struct Signed {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    created_at: Value,
}

/// The header for a body. There is one signature at a time, so the first secret is the one that counts.
pub(super) fn headers(secrets: &[&str], body: &[u8]) -> Vec<(String, String)> {
    let signature = |secret: &&str| (super::SIGNATURE_HEADER.to_owned(), signature(secret, body));
    secrets.first().map(signature).into_iter().collect()
}

fn signature(secret: &str, body: &[u8]) -> String {
    // A broken body is signed as well as can be: what it still says of id and time, else nothing.
    let text = String::from_utf8_lossy(body);
    let signed = Signed::deserialize(&mut serde_json::Deserializer::from_str(&text)).unwrap_or_default();
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(signed.id.as_str().unwrap_or_default().as_bytes());
    mac.update(body);
    mac.update(signed.created_at.as_str().unwrap_or_default().as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"created_at":"2023-07-23T23:59:56.000000Z","id":"evt_1"}"#;

    #[track_caller]
    fn check(body: &[u8], expected: &str) {
        assert_eq!(headers(&["whsec_test"], body), [("x-tazapay-signature".to_owned(), expected.to_owned())]);
    }

    #[test]
    fn a_value_computed_elsewhere() {
        // printf '%s' 'evt_1{"created_at":"2023-07-23T23:59:56.000000Z","id":"evt_1"}2023-07-23T23:59:56.000000Z' |
        //   openssl dgst -sha256 -hmac whsec_test -binary | base64
        check(BODY, "LoBihV1rVcWahCN0eFQY9kElzJBHJLE/MXSwmfQu5BA=");
    }

    #[test]
    fn a_broken_body_is_signed_without_what_it_does_not_say() {
        // printf '%s' '{"id' | openssl dgst -sha256 -hmac whsec_test -binary | base64
        check(br#"{"id"#, "xITmndDCNjJU0xagYx6MCm2DZTMZizOlQy7VTxWcCmw=");
    }

    #[test]
    fn escapes_are_read_before_signing() {
        let escaped = br#"{"created_at":"","id":"\u0065vt_1"}"#;
        // printf '%s' 'evt_1{"created_at":"","id":"\u0065vt_1"}' | openssl dgst -sha256 -hmac whsec_test -binary | base64
        check(escaped, "YTo6Ob3wEW7nQvj+O7l44h5K9ht82vWiLCY91BxWgxc=");
    }

    #[test]
    fn there_is_one_signature_at_a_time() {
        assert_eq!(headers(&["new", "old"], BODY), headers(&["new"], BODY));
        assert!(headers(&[], BODY).is_empty());
    }
}
