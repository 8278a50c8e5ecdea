//! Ids that look like the ones that they stand for, and follow from them.
//!
//! Letters become letters and digits digits, so whoever looks at the form of an id finds what it expects. Two ids of one
//! form never become the same: each step can be undone by whoever knows the seed. And nothing has to be remembered.

use std::hash::{DefaultHasher, Hasher};

/// How many characters must be replaced for an id to stand for nothing else by chance.
const SHORTEST: usize = 10;

/// An id like this one.
pub(super) fn id(text: &str, seed: u64) -> String {
    // What says of which kind it is stays.
    let (prefix, own) = match text.rfind('_') {
        Some(end) if text[..end].bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => text.split_at(end + 1),
        _ => ("", text),
    };
    let mut id = format!("{prefix}{}", like(own, seed));
    let symbols = own.bytes().filter(u8::is_ascii_alphanumeric).count();
    if symbols < SHORTEST {
        let digits = hash(seed, 9, own.as_bytes()) % 100_000_000;
        id.push_str(&format!("{digits:08}"));
    }
    id
}

/// A text like this one: letters for letters, digits for digits, everything else as it is.
pub(super) fn like(text: &str, seed: u64) -> String {
    let is_hex = text.len() >= 16
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
        && text.bytes().any(|byte| byte.is_ascii_lowercase());
    let mut symbols: Vec<(u8, u8)> = Vec::new();
    let class = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'f' if is_hex => Some((u8::try_from(char::from(byte).to_digit(16)?).ok()?, 16)),
        b'0'..=b'9' => Some((byte - b'0', 10)),
        b'a'..=b'z' => Some((byte - b'a', 26)),
        b'A'..=b'Z' => Some((byte - b'A', 26)),
        _ => None,
    };
    symbols.extend(text.bytes().filter_map(class));
    let half = symbols.len().div_ceil(2);
    let (left, right) = symbols.split_at_mut(half);
    for round in 0..4 {
        if round % 2 == 0 { add(left, right, seed, round) } else { add(right, left, seed, round) }
    }
    let mut symbols = symbols.into_iter();
    let shown = |character: char| {
        let own = u8::try_from(character).ok().filter(|byte| class(*byte).is_some());
        match (own, own.and_then(|_| symbols.next())) {
            (Some(_), Some((value, 16))) => char::from_digit(u32::from(value), 16).unwrap_or(character),
            (Some(b'0'..=b'9'), Some((value, _))) => char::from(b'0' + value),
            (Some(b'a'..=b'z'), Some((value, _))) => char::from(b'a' + value),
            (Some(b'A'..=b'Z'), Some((value, _))) => char::from(b'A' + value),
            // Letters of other alphabets are a person's and no id's.
            _ if character.is_alphabetic() => 'x',
            _ => character,
        }
    };
    text.chars().map(shown).collect()
}

/// Moves the symbols of one half by what follows from the other.
fn add(half: &mut [(u8, u8)], by: &[(u8, u8)], seed: u64, round: u8) {
    let other: Vec<u8> = by.iter().map(|(value, _)| *value).collect();
    let mut number = hash(seed, round, &other);
    for (value, size) in half {
        // The next of numbers that follow from the first (Knuth's for 64 bits); its upper bits are the good ones.
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moved = (u64::from(*value) + (number >> 33)) % u64::from(*size);
        *value = u8::try_from(moved).unwrap_or(0);
    }
}

/// A number that follows from a text and the seed.
pub(super) fn hash(seed: u64, round: u8, text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(seed);
    hasher.write_u8(round);
    hasher.write(text);
    hasher.finish()
}

/// So many letters that follow from a text.
pub(super) fn letters(text: &str, seed: u64, length: u32) -> String {
    let number = hash(seed, 8, text.as_bytes());
    (0..length).map(|place| char::from(b'a' + u8::try_from(number / 26_u64.pow(place) % 26).unwrap_or(0))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[track_caller]
    fn check(text: &str, form: &str) {
        let made = id(text, 7);
        let shown: String = made
            .chars()
            .map(|character| match character {
                '0'..='9' => '9',
                'a'..='z' => 'a',
                'A'..='Z' => 'A',
                other => other,
            })
            .collect();
        assert_eq!((made != text, shown.as_str()), (true, form), "{made}");
        assert_eq!(made, id(text, 7));
        assert_ne!(made, id(text, 8));
    }

    #[test]
    fn ids_keep_their_form() {
        check("235504220336", "999999999999");
        check("ABCD-123456", "AAAA-999999");
        check("6735", "999999999999");
        check("1234567890123456789", "9999999999999999999");
    }

    #[test]
    fn what_kind_of_id_it_is_stays() {
        assert!(id("re_3UClvpKb7TqWm2Xd1L3DU9Jx", 7).starts_with("re_9".trim_end_matches('9')));
        assert_eq!(id("re_3UClvpKb7TqWm2Xd1L3DU9Jx", 7).len(), "re_3UClvpKb7TqWm2Xd1L3DU9Jx".len());
    }

    #[test]
    fn hexadecimal_stays_hexadecimal() {
        let made = id("252eb3f4-81b2-4576-aabd-6af2df248e99", 7);
        assert!(made.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')), "{made}");
    }

    #[test]
    fn no_two_become_the_same() {
        let made: HashSet<String> = (100_000..200_000).map(|number| like(&number.to_string(), 7)).collect();
        assert_eq!(made.len(), 100_000);
    }
}
