//! What a delivery is signed with.
//!
//! A provider may need several headers for a signature. Only the one that [`Provider::signature_header`] names holds the
//! signature itself: it is the one that a target may call by another name, and that is cut or left out. The others are sent as
//! the provider makes them.

use super::Driver;
use crate::{
    case::{Delivery, OtherSecret, Signature},
    provider::Provider,
};

/// Header names in lower case, and their values.
pub type Headers = Vec<(String, String)>;

/// How much is cut off a signature that is to be too short.
const CUT: usize = 9;

impl Driver<'_> {
    /// The headers of a delivery with a signature that is made now.
    pub(super) fn headers(&self, delivery: &Delivery) -> Headers {
        let plain = delivery.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        plain.chain(self.signature(delivery)).collect()
    }

    fn signature(&self, delivery: &Delivery) -> Headers {
        const HOUR: u64 = 3600;
        let Some(secret) = self.conditions.secrets.current() else { return Vec::new() };
        let (provider, now, body) = (self.provider, self.clock.unix_seconds(), delivery.body.bytes());
        let mut headers = match &delivery.signature {
            Signature::Valid | Signature::Truncated | Signature::Absent => provider.sign(&[secret], now, body),
            Signature::With(other) => provider.sign(&[other], now, body),
            Signature::OtherSecret(how) => provider.sign(&[&how.of(secret)], now, body),
            Signature::Stale => provider.sign(&[secret], now.saturating_sub(HOUR), body),
            Signature::Rotated { known_first } => {
                let unknown = OtherSecret::OneCharacterOff.of(secret);
                let secrets = if *known_first { [secret, &unknown] } else { [&unknown, secret] };
                provider.sign(&secrets, now, body)
            }
            Signature::Over(other) => provider.sign(&[secret], now, other.as_bytes()),
            Signature::At { seconds } => provider.sign(&[secret], now.saturating_add_signed(i64::from(*seconds)), body),
            Signature::OtherScheme { first } => provider.with_another_scheme(provider.sign(&[secret], now, body), *first),
        };
        match delivery.signature {
            Signature::Absent => headers.retain(|(name, _)| !is_signature(provider, name)),
            Signature::Truncated => {
                for (_, value) in headers.iter_mut().filter(|(name, _)| is_signature(provider, name)) {
                    let kept = value.chars().count().saturating_sub(CUT);
                    *value = value.chars().take(kept).collect();
                }
            }
            _ => {}
        }
        renamed(headers, provider, self.conditions.signature_header.as_deref())
    }
}

fn is_signature(provider: &dyn Provider, name: &str) -> bool {
    name.eq_ignore_ascii_case(provider.signature_header())
}

/// The headers with the signature under the name that a target asks for, if it asks for one.
pub fn renamed(mut headers: Headers, provider: &dyn Provider, signature_header: Option<&str>) -> Headers {
    if let Some(other) = signature_header {
        for (name, _) in headers.iter_mut().filter(|(name, _)| is_signature(provider, name)) {
            other.clone_into(name);
        }
    }
    headers
}
