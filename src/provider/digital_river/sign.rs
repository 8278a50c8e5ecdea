//! `DigitalRiver-Signature`: timestamp and signatures (`docs/adapter-protocol.md`, "Signatures").

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header for a body; one signature for each secret that is valid at the moment.
pub(super) fn headers(secrets: &[&str], unix_seconds: u64, body: &[u8]) -> Vec<(String, String)> {
    if secrets.is_empty() {
        return Vec::new();
    }
    let timestamp = unix_seconds.to_string();
    let mut value = String::with_capacity(timestamp.len() + secrets.len() * LONGEST_PART);
    value.push_str(&timestamp);
    for secret in secrets {
        value.push_str(", ");
        sign(secret, &timestamp, body, &mut value);
    }
    vec![(super::SIGNATURE_HEADER.to_owned(), value)]
}

/// A signature with what separates it from what is before it.
const LONGEST_PART: usize = 46;

/// Appends a signature.
fn sign(secret: &str, timestamp: &str, body: &[u8], out: &mut String) {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    STANDARD.encode_string(mac.finalize().into_bytes(), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_computed_elsewhere() {
        // printf '1660000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_test -binary | base64
        let headers = headers(&["whsec_test"], 1_660_000_000, br#"{"a":1}"#);
        assert_eq!(headers, [("digitalriver-signature".to_owned(), "1660000000, hkNTiBgG+zDhtDaU3SGTnU5Yxm1qPdX+FAYapuXqMlc=".to_owned())]);
    }

    #[test]
    fn a_rotated_secret_gives_two_signatures() {
        let headers = headers(&["new", "old"], 1, b"{}");
        assert_eq!(headers[0].1.split(", ").count(), 3);
    }
}
