//! What a delivery is signed with.

use super::Driver;
use crate::case::{Delivery, Signature};

/// Header names in lower case, and their values.
pub(super) type Headers = Vec<(String, String)>;

impl Driver<'_> {
    /// The headers of a delivery with a signature that is made now.
    pub(super) fn headers(&self, delivery: &Delivery) -> Headers {
        let plain = delivery.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        plain.chain(self.signature(delivery)).collect()
    }

    fn signature(&self, delivery: &Delivery) -> Headers {
        const HOUR: u64 = 3600;
        const UNKNOWN: &str = "whsec_that_nobody_was_told";
        let Some(secret) = self.conditions.secrets.current.as_deref() else { return Vec::new() };
        let (provider, now, body) = (self.provider, self.clock.unix_seconds(), delivery.body.bytes());
        let mut headers = match &delivery.signature {
            Signature::Absent => return Vec::new(),
            Signature::Valid | Signature::Truncated => provider.sign(&[secret], now, body),
            Signature::With(other) => provider.sign(&[other], now, body),
            Signature::Stale => provider.sign(&[secret], now.saturating_sub(HOUR), body),
            Signature::Rotated { known_first: true } => provider.sign(&[secret, UNKNOWN], now, body),
            Signature::Rotated { known_first: false } => provider.sign(&[UNKNOWN, secret], now, body),
            Signature::Over(other) => provider.sign(&[secret], now, other.as_bytes()),
        };
        for (name, value) in &mut headers {
            if delivery.signature == Signature::Truncated {
                value.truncate(value.len().saturating_sub(9));
            }
            if let Some(other) = &self.conditions.signature_header {
                name.clone_from(other);
            }
        }
        headers
    }
}
