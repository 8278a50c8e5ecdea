//! `DigitalRiver-Signature`: is this delivery from the provider, and is it fresh?
//!
//! The header is `{timestamp}, {signature}[, {signature}…]`. Each signature is an HMAC-SHA256 in base64 over
//! `{timestamp}.{raw body}`; while a secret is being changed there is one for each, and any one that matches
//! suffices.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{bank::Fault, fault::Faults, refusal::Refusal};

/// How far a timestamp may be from now, in seconds.
const TOLERANCE: u64 = 300;

/// The name of the header.
pub(super) const HEADER: &str = "digitalriver-signature";

/// Verifies deliveries. The key is prepared once: a delivery costs only its own bytes.
#[derive(Clone, Debug)]
pub(super) struct Verifier {
    key: Hmac<Sha256>,
    faults: Faults,
}

impl Verifier {
    /// A verifier with this secret. `None` where the secret is empty: anybody could sign then.
    pub(super) fn new(secret: &str, faults: Faults) -> Option<Verifier> {
        let key = Hmac::new_from_slice(secret.as_bytes()).ok()?;
        (!secret.is_empty()).then_some(Verifier { key, faults })
    }

    /// Whether the delivery may be read at all.
    pub(super) fn check(&self, header: Option<&str>, body: &[u8], now: u64) -> Result<(), Refusal> {
        if self.faults.has(Fault::NoSignatureCheck) {
            return Ok(());
        }
        let Some(header) = header else {
            let lenient = self.faults.has(Fault::UnsignedAccepted);
            return if lenient { Ok(()) } else { Err(Refusal::unsigned("there is no signature")) };
        };
        if self.faults.has(Fault::SignaturePresenceOnly) {
            return Ok(());
        }
        let mut parts = header.split(',').map(str::trim);
        let timestamp = parts.next().unwrap_or_default();
        let sent: u64 = timestamp.parse().map_err(|_| Refusal::unsigned("the signature has no timestamp"))?;
        if !self.is_fresh(sent, now) {
            return Err(Refusal::unsigned("the timestamp is too far from now"));
        }
        let body = self.signed_body(body);
        let mac = signed(self.key.clone(), timestamp, &body);
        let fits = |signature: &str| self.fits(&mac, signature) || self.fits_empty_secret(timestamp, &body, signature);
        let verified = if self.faults.has(Fault::FirstSignatureOnly) {
            parts.next().is_some_and(fits)
        } else if self.faults.has(Fault::EverySignatureMustMatch) {
            parts.all(fits)
        } else {
            parts.any(fits)
        };
        if verified { Ok(()) } else { Err(Refusal::unsigned("the signature does not match")) }
    }

    fn is_fresh(&self, sent: u64, now: u64) -> bool {
        if self.faults.has(Fault::TimestampAgeIgnored) {
            return true;
        }
        if self.faults.has(Fault::FutureTimestampsOnly) {
            return sent <= now.saturating_add(TOLERANCE);
        }
        now.abs_diff(sent) <= TOLERANCE
    }

    /// What the signature is computed over: the bytes as they came.
    fn signed_body<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        if self.faults.has(Fault::SignsTrimmedBody) {
            return Cow::Borrowed(body.trim_ascii());
        }
        if self.faults.has(Fault::SignsReserialisedJson)
            && let Ok(value) = serde_json::from_slice::<serde_json::Value>(body)
        {
            return Cow::Owned(value.to_string().into_bytes());
        }
        Cow::Borrowed(body)
    }

    fn fits(&self, mac: &Hmac<Sha256>, signature: &str) -> bool {
        if self.faults.has(Fault::SignaturePrefixOnly) {
            let right = STANDARD.encode(mac.clone().finalize().into_bytes());
            return signature.len() >= 8 && right.starts_with(signature);
        }
        // A few bytes more than an HMAC-SHA256 has; whatever does not fit is none.
        let mut bytes = [0; 48];
        let length = STANDARD.decode_slice(signature, &mut bytes).unwrap_or(0);
        mac.clone().verify_slice(&bytes[..length]).is_ok()
    }

    fn fits_empty_secret(&self, timestamp: &str, body: &[u8], signature: &str) -> bool {
        if !self.faults.has(Fault::EmptySecret) {
            return false;
        }
        Hmac::new_from_slice(b"").is_ok_and(|key| self.fits(&signed(key, timestamp, body), signature))
    }
}

fn signed(mut mac: Hmac<Sha256>, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    // printf '1660000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_test -binary | base64
    const RIGHT: &str = "hkNTiBgG+zDhtDaU3SGTnU5Yxm1qPdX+FAYapuXqMlc=";
    const BODY: &[u8] = br#"{"a":1}"#;
    const NOW: u64 = 1_660_000_000;

    #[track_caller]
    fn check(fault: Option<Fault>, header: &str, body: &[u8], now: u64, expected: bool) {
        let verifier = Verifier::new("whsec_test", Faults(fault)).expect("a secret");
        let header = (!header.is_empty()).then_some(header);
        assert_eq!(verifier.check(header, body, now).is_ok(), expected, "{header:?}");
    }

    fn right() -> String {
        format!("{NOW}, {RIGHT}")
    }

    #[test]
    fn the_right_signature_passes() {
        check(None, &right(), BODY, NOW, true);
        check(None, &format!("{NOW},{RIGHT}"), BODY, NOW, true);
    }

    #[test]
    fn any_one_of_several_suffices() {
        let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        check(None, &format!("{NOW}, {other}, {RIGHT}"), BODY, NOW, true);
        check(None, &format!("{NOW}, {RIGHT}, {other}"), BODY, NOW, true);
        check(None, &format!("{NOW}, {other}"), BODY, NOW, false);
        check(Some(Fault::FirstSignatureOnly), &format!("{NOW}, {other}, {RIGHT}"), BODY, NOW, false);
        check(Some(Fault::EverySignatureMustMatch), &format!("{NOW}, {other}, {RIGHT}"), BODY, NOW, false);
        check(Some(Fault::EverySignatureMustMatch), &right(), BODY, NOW, true);
    }

    #[test]
    fn what_is_no_signature() {
        for header in ["", "1660000000", "1660000000,", "1660000000, %%%", &right()[..30], ", ", RIGHT] {
            check(None, header, BODY, NOW, false);
        }
        check(None, &format!("{NOW}, {}", RIGHT.repeat(3)), BODY, NOW, false);
        check(Some(Fault::UnsignedAccepted), "", BODY, NOW, true);
        check(Some(Fault::SignaturePresenceOnly), "nonsense", BODY, NOW, true);
        check(Some(Fault::SignaturePrefixOnly), &right()[..30], BODY, NOW, true);
    }

    #[test]
    fn every_byte_of_the_body_counts() {
        check(None, &right(), br#"{"a":2}"#, NOW, false);
        check(None, &right(), br#"{"a": 1}"#, NOW, false);
        check(None, &right(), b"{\"a\":1}\n", NOW, false);
        check(Some(Fault::SignsReserialisedJson), &right(), br#"{"a": 1}"#, NOW, true);
        check(Some(Fault::SignsTrimmedBody), &right(), b"{\"a\":1}\n", NOW, true);
        check(Some(Fault::NoSignatureCheck), &right(), b"{", NOW, true);
    }

    #[test]
    fn timestamps_are_fresh_for_five_minutes() {
        check(None, &right(), BODY, NOW + 300, true);
        check(None, &right(), BODY, NOW + 301, false);
        check(None, &right(), BODY, NOW - 301, false);
        check(Some(Fault::TimestampAgeIgnored), &right(), BODY, NOW + 3600, true);
        check(Some(Fault::FutureTimestampsOnly), &right(), BODY, NOW + 3600, true);
        check(Some(Fault::FutureTimestampsOnly), &right(), BODY, NOW - 3600, false);
    }

    #[test]
    fn an_empty_secret_is_none() {
        assert!(Verifier::new("", Faults::default()).is_none());
        // printf '1660000000.{"a":1}' | openssl dgst -sha256 -hmac '' -binary | base64
        let header = format!(
            "{NOW}, {}",
            STANDARD.encode(signed(Hmac::new_from_slice(b"").expect("any key"), "1660000000", BODY).finalize().into_bytes())
        );
        check(None, &header, BODY, NOW, false);
        check(Some(Fault::EmptySecret), &header, BODY, NOW, true);
        check(Some(Fault::EmptySecret), &right(), BODY, NOW, true);
    }
}
