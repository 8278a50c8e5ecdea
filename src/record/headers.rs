//! Which headers are written, and of which only the name.

use std::collections::BTreeMap;

use hyper::HeaderMap;

/// What stands in the place of a value that is not written.
pub(super) const LEFT_OUT: &str = "(not written)";

/// Parts of the names of headers that let somebody in, or that follow from what does.
const SECRET: [&str; 20] = [
    "auth",
    "cookie",
    "token",
    "secret",
    "signature",
    "password",
    "passwd",
    "session",
    "api-key",
    "apikey",
    "credential",
    "-key",
    "jwt",
    "assertion",
    "bearer",
    "csrf",
    "xsrf",
    "hmac",
    "oidc",
    "principal",
];

/// The same where they are a whole word of the name: others have them in the middle.
const SECRET_WORDS: [&str; 9] = ["pass", "pwd", "otp", "pin", "sig", "sid", "cert", "nonce", "mac"];

/// Words of the names of headers whose values are addresses.
const ADDRESSES: [&str; 5] = ["url", "uri", "referer", "referrer", "location"];

/// The headers as they are written. A signature is left out, too: nobody could check it once what is personal is replaced.
pub(super) fn written(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let text = || String::from_utf8_lossy(value.as_bytes()).into_owned();
        let value = match name.as_str() {
            name if is_secret(name) => LEFT_OUT.to_owned(),
            name if words(name).any(|word| ADDRESSES.contains(&word)) => without_query(text()),
            _ => text(),
        };
        match written.get_mut(name.as_str()) {
            Some(before) if before == LEFT_OUT => {}
            Some(before) => {
                before.push_str(", ");
                before.push_str(&value);
            }
            None => _ = written.insert(name.as_str().to_owned(), value),
        }
    }
    written
}

fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|part| name.contains(part)) || words(name).any(|word| SECRET_WORDS.contains(&word))
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(['-', '_', '.'])
}

/// An address without what follows its question mark.
fn without_query(mut address: String) -> String {
    if let Some(mark) = address.find('?') {
        address.replace_range(mark + 1.., LEFT_OUT);
    }
    address
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    /// What is written of a header with this value.
    #[track_caller]
    fn check(name: &'static str, value: &'static str, expected: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        assert_eq!(written(&headers)[name], expected, "{name}");
    }

    #[test]
    fn what_lets_somebody_in_is_not_written() {
        for name in ["authorization", "cf-access-jwt-assertion", "x-goog-iap-jwt-assertion", "x-amzn-oidc-data", "x-ms-client-principal"] {
            check(name, "a", LEFT_OUT);
        }
        for name in ["x-bearer", "x-webhook-pass", "x-otp", "x-pin", "x-csrf", "ssl-client-cert"] {
            check(name, "a", LEFT_OUT);
        }
    }

    #[test]
    fn signatures_are_not_written() {
        for name in ["some-signature", "x-shopify-hmac-sha256", "webhook-hmac", "paypal-transmission-sig"] {
            check(name, "a", LEFT_OUT);
        }
    }

    #[test]
    fn addresses_are_written_up_to_their_questions() {
        check("x-original-url", "/hook?token=1", "/hook?(not written)");
        check("x-forwarded-uri", "/hook", "/hook");
        check("referer", "http://a/?b=c", "http://a/?(not written)");
    }

    #[test]
    fn everything_else_is_written() {
        check("content-type", "application/json", "application/json");
        check("x-shipping", "a?b", "a?b");
        check("user-agent", "Webhooks/1.0 (+https://example.com/)", "Webhooks/1.0 (+https://example.com/)");
    }
}
