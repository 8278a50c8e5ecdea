//! What serde and serde_json do not do by themselves when a body may be hostile.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// How deep a body may be nested: as deep as serde_json itself reads. It is not asked, because it skips what
/// nobody needs without counting.
const DEEPEST: usize = 127;

/// Member names that mean something to serde_json itself. No provider sends them.
const MAGIC: &str = "\"$serde_json::private::";

/// Whether the text has a member that serde_json could take for one of its own.
pub(super) fn has_magic_names(text: &str) -> bool {
    // Hardly any body has a dollar sign, and looking for one byte is faster.
    text.as_bytes().contains(&b'$') && text.contains(MAGIC)
}

/// Whether the text has more levels than are read. A text without many brackets needs no closer look.
pub(super) fn is_too_deep(text: &str) -> bool {
    // `[` and `{` differ in one bit. The blocks are short enough for their counts to fit into a byte, which lets
    // the compiler count many bytes at once.
    let count = |block: &[u8]| usize::from(block.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>());
    if text.as_bytes().chunks(255).map(count).sum::<usize>() <= DEEPEST {
        return false;
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

/// A JSON object. What `derive` makes would take an array for one, member by member.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        struct OfMembers<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OfMembers<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(OfMembers(PhantomData))
    }
}
