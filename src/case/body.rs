//! The body of a delivery: bytes that nobody may change on the way.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};

/// Raw bytes. In JSON they are `body` with a string where they are UTF-8 and `bodyBase64` where they are not.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Vec<u8>);

impl Body {
    /// A body of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Body {
        Body(bytes.into())
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The two JSON members, of which one is there: `body` and `bodyBase64`.
    pub fn to_members(&self) -> (Option<String>, Option<String>) {
        match self.text() {
            Some(text) => (Some(text.to_owned()), None),
            None => (None, Some(STANDARD.encode(&self.0))),
        }
    }

    /// The body that the two JSON members `body` and `bodyBase64` stand for.
    ///
    /// # Errors
    /// When not exactly one is there, or the second is not base64.
    pub fn from_members(body: Option<String>, base64: Option<String>) -> Result<Body, String> {
        match (body, base64) {
            (Some(text), None) => Ok(Body(text.into_bytes())),
            (None, Some(text)) => STANDARD.decode(text).map(Body).map_err(|error| format!("`bodyBase64` is not base64: {error}")),
            _ => Err("a delivery has either `body` or `bodyBase64`".to_owned()),
        }
    }

    /// The text, where the bytes are UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}
