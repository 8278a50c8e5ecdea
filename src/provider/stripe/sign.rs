//! `Stripe-Signature`: a time, and a signature for each secret that is valid (<https://docs.stripe.com/webhooks/signature>).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{domain::hex, provider::SchemePlace};

/// How many seconds old a signature may be by Stripe's own libraries, which refuse only what is older.
/// Source: <https://docs.stripe.com/webhooks>, "Preventing replay attacks".
pub(super) const TOLERANCE: u16 = 300;

/// The header for a body; one signature for each secret that is valid at the moment.
pub(super) fn headers(secrets: &[&str], unix_seconds: u64, body: &[u8]) -> Vec<(String, String)> {
    if secrets.is_empty() {
        return Vec::new();
    }
    let time = unix_seconds.to_string();
    let mut value = format!("t={time}");
    for secret in secrets {
        value.push_str(",v1=");
        value.push_str(&signature(secret, &time, body));
    }
    vec![(super::SIGNATURE_HEADER.to_owned(), value)]
}

/// The headers with a signature of the scheme `v0`: beside the right one, as test endpoints get it, or as the only one, as
/// somebody would send it who hopes for a consumer that takes every scheme. Whoever verifies must pass over every scheme but
/// `v1`. Source: <https://docs.stripe.com/webhooks>, "Verify webhook signatures manually".
pub(super) fn with_another_scheme(mut headers: Vec<(String, String)>, place: SchemePlace) -> Vec<(String, String)> {
    for (_, value) in &mut headers {
        let Some((time, signatures)) = value.split_once(',') else { continue };
        // Of the form of a signature, and none.
        let other: String = signatures.chars().rev().take(DIGITS).collect();
        *value = match place {
            SchemePlace::Before => format!("{time},v0={other},{signatures}"),
            SchemePlace::After => format!("{time},{signatures},v0={other}"),
            SchemePlace::Alone => format!("{time},{}", signatures.replace("v1=", "v0=")),
        };
    }
    headers
}

/// How many digits a signature has.
const DIGITS: usize = 64;

/// The key is the whole text of the secret, its prefix included.
fn signature(secret: &str, time: &str, body: &[u8]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    hex(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_computed_elsewhere() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_test
        let headers = headers(&["whsec_test"], 1_700_000_000, br#"{"a":1}"#);
        assert_eq!(headers[0].0, "stripe-signature");
        assert_eq!(headers[0].1, "t=1700000000,v1=38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789");
    }

    #[test]
    fn a_rotated_secret_gives_two_signatures() {
        let headers = headers(&["new", "old"], 1, b"{}");
        assert_eq!(headers[0].1.matches(",v1=").count(), 2);
        assert!(super::headers(&[], 1, b"{}").is_empty());
    }

    #[track_caller]
    fn check_schemes(place: SchemePlace, expected: &str) {
        let value = with_another_scheme(vec![("stripe-signature".to_owned(), format!("t=1,v1={}", "ab".repeat(32)))], place).remove(0).1;
        let right = "ab".repeat(32);
        let other = "ba".repeat(32);
        assert_eq!(value.replace(&right, "RIGHT").replace(&other, "OTHER"), expected);
    }

    #[test]
    fn another_scheme_stands_before_after_or_in_place_of_the_right_one() {
        check_schemes(SchemePlace::Before, "t=1,v0=OTHER,v1=RIGHT");
        check_schemes(SchemePlace::After, "t=1,v1=RIGHT,v0=OTHER");
        check_schemes(SchemePlace::Alone, "t=1,v0=RIGHT");
    }
}
