//! Is this delivery from the provider, and is it fresh?
//!
//! Signatures are HMAC-SHA256 in base64. The header of one kind is `{timestamp}, {signature}[, {signature}…]`, and what is
//! signed is `{timestamp}.{raw body}`; while a secret is being changed there is one for each, and any one that matches
//! suffices. The header of the other is one signature over event id, raw body and creation time, one after the other; it
//! says nothing of when it was sent. The third kind is `t={timestamp},v1={signature}[,v1={signature}…]` with signatures in
//! hexadecimal digits, where other schemes may stand beside `v1`.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{bank::Fault, dialect::Form, fault::Faults, refusal::Refusal};
use crate::domain::hex;

/// How far a timestamp may be from now, in seconds.
const TOLERANCE: u64 = 300;

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

    /// Whether a delivery may be read at all whose header says when it was signed.
    pub(super) fn check_dated(&self, header: Option<&str>, body: &[u8], now: u64, form: Form) -> Result<(), Refusal> {
        let Some(header) = self.compared(header)? else { return Ok(()) };
        let (timestamp, mut signatures) = parts_of(header, form);
        if form == Form::Snapshot && self.faults.any() {
            self.misread_schemes(header, &mut signatures)?;
        }
        if signatures.len() > 1 && self.faults.has(Fault::TwoSignaturesPass) {
            return Ok(());
        }
        let sent: u64 = timestamp.parse().map_err(|_| Refusal::unsigned("the signature has no timestamp"))?;
        if !self.is_fresh(sent, now, form) {
            return Err(Refusal::unsigned("the timestamp is too far from now"));
        }
        let body = self.signed_body(body);
        let text = [timestamp.as_bytes(), b".", &body];
        let fits = |signature: &&str| self.fits_any_secret(&text, signature, form);
        let verified = if self.faults.has(Fault::FirstSignatureOnly) {
            signatures.first().is_some_and(fits)
        } else if self.faults.has(Fault::EverySignatureMustMatch) {
            signatures.iter().all(fits)
        } else {
            signatures.iter().any(fits)
        };
        if verified { Ok(()) } else { Err(Refusal::unsigned("the signature does not match")) }
    }

    /// Whether a delivery may be believed whose event id and creation time are signed with its body.
    pub(super) fn check_named(&self, header: Option<&str>, event_id: &str, body: &[u8], time: &str) -> Result<(), Refusal> {
        let Some(header) = self.compared(header)? else { return Ok(()) };
        let body = self.signed_body(body);
        let time = if self.faults.has(Fault::CreatedAtReformatted) { with_three_digits(time) } else { Cow::Borrowed(time) };
        let whole = [event_id.as_bytes(), &body, time.as_bytes()];
        let text = if self.faults.has(Fault::SignsBodyOnly) { &whole[1..2] } else { &whole };
        if self.fits_any_secret(text, header, Form::Flat) { Ok(()) } else { Err(Refusal::unsigned("the signature does not match")) }
    }

    /// The header, if what it says must be compared; a lax shop lets some deliveries pass without.
    fn compared<'h>(&self, header: Option<&'h str>) -> Result<Option<&'h str>, Refusal> {
        let passes = self.faults.has(Fault::NoSignatureCheck)
            || header.is_none() && self.faults.has(Fault::UnsignedAccepted)
            || header.is_some() && self.faults.has(Fault::SignaturePresenceOnly);
        if passes { Ok(None) } else { header.map(Some).ok_or(Refusal::unsigned("there is no signature")) }
    }

    /// What only a faulty shop makes of a header that names schemes.
    fn misread_schemes<'h>(&self, header: &'h str, signatures: &mut Vec<&'h str>) -> Result<(), Refusal> {
        let is_known = |part: &str| part.starts_with("t=") || part.starts_with("v1=");
        if self.faults.has(Fault::OtherSchemeRefused) && !header.split(',').all(is_known) {
            return Err(Refusal::unsigned("the signature is of a scheme that is not known"));
        }
        if self.faults.has(Fault::LastSignatureOnly) {
            signatures.drain(..signatures.len().saturating_sub(1));
        }
        if self.faults.has(Fault::AnyScheme) {
            *signatures = header.split(',').filter_map(|part| part.split_once('=')).map(|(_, text)| text).collect();
        }
        if self.faults.has(Fault::SecondPartTaken) {
            *signatures = header.split(',').skip(1).take(1).filter_map(|part| part.split_once('=')).map(|(_, text)| text).collect();
        }
        Ok(())
    }

    fn is_fresh(&self, sent: u64, now: u64, form: Form) -> bool {
        let is_old = sent < now.saturating_sub(TOLERANCE);
        let is_to_come = sent > now.saturating_add(TOLERANCE);
        if self.faults.has(Fault::TimestampAgeIgnored) {
            return true;
        }
        if self.faults.has(Fault::FutureTimestampsOnly) {
            return !is_to_come;
        }
        // Where schemes are named, the provider's own libraries ask only how old it is.
        !is_old && (!is_to_come || form == Form::Snapshot)
    }

    /// What the signature is computed over: the bytes as they came.
    fn signed_body<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        if self.faults.has(Fault::AsciiSignature) {
            let ascii = |letter: char| if letter.is_ascii() { letter } else { '?' };
            return Cow::Owned(String::from_utf8_lossy(body).chars().map(ascii).collect::<String>().into_bytes());
        }
        if self.faults.has(Fault::SignsTrimmedBody) {
            return Cow::Borrowed(body.trim_ascii());
        }
        if self.faults.has(Fault::SignsReserialisedJson)
            && let Ok(value) = serde_json::from_slice::<crate::json::Value>(body)
        {
            return Cow::Owned(value.to_string().into_bytes());
        }
        Cow::Borrowed(body)
    }

    fn fits(&self, mac: &Hmac<Sha256>, signature: &str, form: Form) -> bool {
        if self.faults.has(Fault::SignaturePrefixOnly) {
            let right = mac.clone().finalize().into_bytes();
            let right = if form == Form::Snapshot { hex(&right) } else { STANDARD.encode(right) };
            return signature.len() >= 8 && right.starts_with(signature);
        }
        if form != Form::Snapshot && self.faults.has(Fault::SignatureCaseIgnored) {
            return STANDARD.encode(mac.clone().finalize().into_bytes()).eq_ignore_ascii_case(signature);
        }
        if form == Form::Snapshot {
            return from_hex(signature).is_some_and(|bytes| mac.clone().verify_slice(&bytes).is_ok());
        }
        // A few bytes more than an HMAC-SHA256 has; whatever does not fit is none.
        let mut bytes = [0; 48];
        let length = STANDARD.decode_slice(signature, &mut bytes).unwrap_or(0);
        mac.clone().verify_slice(&bytes[..length]).is_ok()
    }

    fn fits_any_secret(&self, text: &[&[u8]], signature: &str, form: Form) -> bool {
        self.fits(&signed(self.key.clone(), text), signature, form) || self.fits_empty_secret(text, signature, form)
    }

    fn fits_empty_secret(&self, text: &[&[u8]], signature: &str, form: Form) -> bool {
        if !self.faults.has(Fault::EmptySecret) {
            return false;
        }
        Hmac::new_from_slice(b"").is_ok_and(|key| self.fits(&signed(key, text), signature, form))
    }
}

/// The timestamp of a header and its signatures.
fn parts_of(header: &str, form: Form) -> (&str, Vec<&str>) {
    let mut parts = header.split(',').map(str::trim);
    if form != Form::Snapshot {
        return (parts.next().unwrap_or_default(), parts.collect());
    }
    let named = |name: &'static str| parts.clone().filter_map(move |part| part.strip_prefix(name)?.strip_prefix('='));
    (named("t").next().unwrap_or_default(), named("v1").collect())
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit) { digits.chunks(2).map(byte).collect() } else { None }
}

fn signed(mut mac: Hmac<Sha256>, text: &[&[u8]]) -> Hmac<Sha256> {
    for part in text {
        mac.update(part);
    }
    mac
}

/// A time as it is commonly written.
fn with_three_digits(time: &str) -> Cow<'_, str> {
    let Some((seconds, fraction)) = time.strip_suffix('Z').and_then(|time| time.split_once('.')) else { return Cow::Borrowed(time) };
    Cow::Owned(format!("{seconds}.{:0<3}Z", fraction.get(..3).unwrap_or(fraction)))
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
        let verifier = Verifier::new("whsec_test", Faults::of(fault)).expect("a secret");
        let header = (!header.is_empty()).then_some(header);
        assert_eq!(verifier.check_dated(header, body, now, Form::Nested).is_ok(), expected, "{header:?}");
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

    #[track_caller]
    fn check_schemes(fault: Option<Fault>, header: &str, expected: bool) {
        let verifier = Verifier::new("whsec_test", Faults::of(fault)).expect("a secret");
        assert_eq!(verifier.check_dated(Some(header), BODY, NOW, Form::Snapshot).is_ok(), expected, "{header:?}");
    }

    #[test]
    fn schemes_that_do_not_count_are_passed_over() {
        let right = hex(&STANDARD.decode(RIGHT).expect("base64"));
        let other = "0".repeat(64);
        let (before, after) = (format!("t={NOW},v0={other},v1={right}"), format!("t={NOW},v1={right},v0={other}"));
        check_schemes(None, &before, true);
        check_schemes(None, &after, true);
        check_schemes(None, &format!("t={NOW},v0={right}"), false);
        check_schemes(Some(Fault::AnyScheme), &format!("t={NOW},v0={right}"), true);
        check_schemes(Some(Fault::AnyScheme), &format!("t={NOW},v0={other}"), false);
        check_schemes(Some(Fault::OtherSchemeRefused), &after, false);
        check_schemes(Some(Fault::SecondPartTaken), &before, false);
        check_schemes(Some(Fault::SecondPartTaken), &after, true);
        let rotated = format!("t={NOW},v1={right},v1={other}");
        check_schemes(None, &rotated, true);
        check_schemes(Some(Fault::LastSignatureOnly), &rotated, false);
    }

    #[test]
    fn where_schemes_are_named_only_age_counts() {
        let header = format!("t={NOW},v1={}", hex(&STANDARD.decode(RIGHT).expect("base64")));
        let takes = |fault: Option<Fault>, now: u64| {
            let verifier = Verifier::new("whsec_test", Faults::of(fault)).expect("a secret");
            verifier.check_dated(Some(&header), BODY, now, Form::Snapshot).is_ok()
        };
        assert_eq!([NOW - 3600, NOW + 300, NOW + 301].map(|now| takes(None, now)), [true, true, false]);
        assert_eq!([NOW - 3600, NOW + 3600].map(|now| takes(Some(Fault::FutureTimestampsOnly), now)), [false, true]);
    }

    #[test]
    fn what_only_a_lax_shop_takes() {
        let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let two = format!("{NOW}, {other}, {other}");
        check(Some(Fault::TwoSignaturesPass), &two, BODY, NOW, true);
        check(Some(Fault::TwoSignaturesPass), &format!("{NOW}, {other}"), BODY, NOW, false);
        let small = right().to_lowercase();
        check(None, &small, BODY, NOW, false);
        check(Some(Fault::SignatureCaseIgnored), &small, BODY, NOW, true);
        check(Some(Fault::SignatureCaseIgnored), &format!("{NOW}, {other}"), BODY, NOW, false);
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

    #[track_caller]
    fn check_named(fault: Option<Fault>, header: Option<&str>, event_id: &str, time: &str, expected: bool) {
        let verifier = Verifier::new("whsec_test", Faults::of(fault)).expect("a secret");
        assert_eq!(verifier.check_named(header, event_id, BODY, time).is_ok(), expected, "{event_id} {time}");
    }

    #[test]
    fn id_body_and_time_are_signed() {
        // printf '%s' 'evt_1{"a":1}2023-07-23T23:59:56.1Z' | openssl dgst -sha256 -hmac whsec_test -binary | base64
        const NAMED: Option<&str> = Some("yiD3bzJyvQzsmlNopTFnpqbRNpRhXTkK7W/rjfgAcJI=");
        const TIME: &str = "2023-07-23T23:59:56.1Z";
        check_named(None, NAMED, "evt_1", TIME, true);
        check_named(None, NAMED, "evt_2", TIME, false);
        check_named(None, NAMED, "evt_1", "2023-07-23T23:59:56.10Z", false);
        check_named(None, None, "evt_1", TIME, false);
        check_named(Some(Fault::UnsignedAccepted), None, "evt_1", TIME, true);
        check_named(Some(Fault::SignsBodyOnly), NAMED, "evt_1", TIME, false);
        check_named(Some(Fault::CreatedAtReformatted), NAMED, "evt_1", TIME, false);
    }

    #[test]
    fn an_empty_secret_is_none() {
        assert!(Verifier::new("", Faults::default()).is_none());
        // printf '1660000000.{"a":1}' | openssl dgst -sha256 -hmac '' -binary | base64
        let header = format!(
            "{NOW}, {}",
            STANDARD.encode(signed(Hmac::new_from_slice(b"").expect("any key"), &[b"1660000000", b".", BODY]).finalize().into_bytes())
        );
        check(None, &header, BODY, NOW, false);
        check(Some(Fault::EmptySecret), &header, BODY, NOW, true);
        check(Some(Fault::EmptySecret), &right(), BODY, NOW, true);
    }
}
