//! Signatures that stand inside a body.

use std::ops::Range;

/// A signature, and the place in the body that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Which bytes of the body it takes the place of, such as the text between the quotes of a member that is still empty.
    pub at: Range<usize>,
    /// The signature, written as it stands in the body.
    pub value: String,
}

impl Seal {
    /// The body with the signature in its place; `None` where the body has no such place.
    pub fn put_into(&self, body: &[u8]) -> Option<Vec<u8>> {
        let (before, after) = (body.get(..self.at.start)?, body.get(self.at.end..)?);
        Some([before, self.value.as_bytes(), after].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::Seal;

    #[track_caller]
    fn check(at: std::ops::Range<usize>, expected: Option<&str>) {
        let sealed = Seal { at, value: "abc".to_owned() }.put_into(br#"{"seal":""}"#);
        assert_eq!(sealed.as_deref(), expected.map(str::as_bytes));
    }

    #[test]
    fn it_takes_its_place() {
        check(9..9, Some(r#"{"seal":"abc"}"#));
    }

    #[test]
    fn a_place_outside_the_body_is_none() {
        check(9..99, None);
        check(99..99, None);
    }
}
