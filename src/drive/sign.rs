//! What a delivery is signed with, and what goes out then.
//!
//! A provider signs in headers, in the body, or in both: what stands in the body is put there first, so that headers sign the
//! bytes that are sent. It may need several headers for a signature. Only the one that [`Provider::signature_header`] names holds
//! the signature itself: it is the one that a target may call by another name, and that is cut or left out. The others are sent as
//! the provider makes them.

use std::borrow::Cow;

use super::Driver;
use crate::{
    adapter::Request,
    case::{Delivery, OtherSecret, Signature},
    provider::{Provider, SchemePlace, Seal},
};

/// Header names in lower case, and their values.
type Headers = Vec<(String, String)>;

/// How much is cut off a signature that is to be too short.
const CUT: usize = 9;

/// A delivery as it goes out at a moment.
pub struct Sealed<'d> {
    /// Header names in lower case, and their values.
    pub headers: Headers,
    /// The bytes that are sent.
    pub body: Cow<'d, [u8]>,
    endpoint: Option<&'d str>,
}

impl Sealed<'_> {
    /// The request that it makes.
    pub fn request(&self) -> Request<'_> {
        let request = Request::new(&self.headers, &self.body);
        match self.endpoint {
            Some(endpoint) => request.to(endpoint),
            None => request,
        }
    }
}

/// A delivery with a signature that is made at this time; without a secret nothing is signed.
pub fn sealed<'d>(provider: &'d dyn Provider, secret: Option<&str>, unix_seconds: u64, delivery: &'d Delivery) -> Sealed<'d> {
    let plain = delivery.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
    let endpoint = provider.endpoint(&delivery.event);
    let Some(secret) = secret else {
        return Sealed { headers: plain.collect(), body: Cow::Borrowed(delivery.body.bytes()), endpoint };
    };
    let signing = Signing { provider, secret, now: unix_seconds, signature: &delivery.signature };
    let body = signing.body(delivery.body.bytes());
    let headers = plain.chain(signing.headers(&body)).collect();
    Sealed { headers, body, endpoint }
}

impl Driver<'_> {
    /// A delivery with a signature that is made now, by the time that the target takes for now.
    pub(super) fn sealed<'d>(&self, delivery: &'d Delivery) -> Sealed<'d>
    where
        Self: 'd,
    {
        let mut sealed = sealed(self.provider, self.conditions.secrets.current(), self.now(), delivery);
        rename(&mut sealed.headers, self.provider, self.conditions.signature_header.as_deref());
        sealed
    }
}

struct Signing<'a> {
    provider: &'a dyn Provider,
    secret: &'a str,
    now: u64,
    signature: &'a Signature,
}

impl Signing<'_> {
    /// What is signed with and when, and other bytes in place of the own ones where the signature is to be over them.
    fn by<T>(&self, own: &[u8], sign: impl FnOnce(&[&str], u64, &[u8]) -> T) -> T {
        const HOUR: u64 = 3600;
        let (secret, now) = (self.secret, self.now);
        match self.signature {
            Signature::Valid
            | Signature::Truncated
            | Signature::Absent
            | Signature::OtherScheme { .. }
            | Signature::OnlyOtherScheme
            | Signature::OtherCase => sign(&[secret], now, own),
            Signature::TwoWrong => {
                let others = [OtherSecret::OneCharacterOff, OtherSecret::Doubled].map(|how| how.of(secret));
                sign(&[&others[0], &others[1]], now, own)
            }
            Signature::With(other) => sign(&[other], now, own),
            Signature::OtherSecret(how) => sign(&[&how.of(secret)], now, own),
            Signature::Stale => sign(&[secret], now.saturating_sub(HOUR), own),
            Signature::Rotated { known_first } => {
                let unknown = OtherSecret::OneCharacterOff.of(secret);
                let secrets = if *known_first { [secret, &unknown] } else { [&unknown, secret] };
                sign(&secrets, now, own)
            }
            Signature::Over(other) => sign(&[secret], now, other.as_bytes()),
            Signature::At { seconds } => sign(&[secret], now.saturating_add_signed(i64::from(*seconds)), own),
        }
    }

    fn body<'d>(&self, own: &'d [u8]) -> Cow<'d, [u8]> {
        let Some(place) = self.provider.seal(&[self.secret], self.now, own).map(|seal| seal.at) else { return Cow::Borrowed(own) };
        let value = match self.signature {
            Signature::Absent => String::new(),
            _ => self.by(own, |secrets, now, over| self.provider.seal(secrets, now, over)).map(|seal| seal.value).unwrap_or_default(),
        };
        Seal { at: place, value: self.spoilt(value) }.put_into(own).map_or(Cow::Borrowed(own), Cow::Owned)
    }

    fn headers(&self, body: &[u8]) -> Headers {
        let provider = self.provider;
        let mut headers = self.by(body, |secrets, now, over| provider.sign(secrets, now, over));
        let is_own = |name: &str| is_signature(provider, name);
        match self.signature {
            Signature::OtherScheme { first: true } => return provider.with_another_scheme(headers, SchemePlace::Before),
            Signature::OtherScheme { first: false } => return provider.with_another_scheme(headers, SchemePlace::After),
            Signature::OnlyOtherScheme => return provider.with_another_scheme(headers, SchemePlace::Alone),
            Signature::Absent => headers.retain(|(name, _)| !is_own(name)),
            _ => headers.iter_mut().filter(|(name, _)| is_own(name)).for_each(|(_, value)| *value = self.spoilt(std::mem::take(value))),
        }
        headers
    }

    /// The text of a signature, with what is done to that.
    fn spoilt(&self, value: String) -> String {
        match self.signature {
            Signature::Truncated => cut(&value),
            Signature::OtherCase => in_other_case(&value),
            _ => value,
        }
    }
}

fn cut(value: &str) -> String {
    value.chars().take(value.chars().count().saturating_sub(CUT)).collect()
}

fn in_other_case(value: &str) -> String {
    let other = |letter: char| if letter.is_ascii_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() };
    value.chars().map(other).collect()
}

fn is_signature(provider: &dyn Provider, name: &str) -> bool {
    name.eq_ignore_ascii_case(provider.signature_header())
}

/// Puts the signature under the name that a target asks for, if it asks for one.
pub fn rename(headers: &mut Headers, provider: &dyn Provider, signature_header: Option<&str>) {
    if let Some(other) = signature_header {
        for (name, _) in headers.iter_mut().filter(|(name, _)| is_signature(provider, name)) {
            other.clone_into(name);
        }
    }
}
