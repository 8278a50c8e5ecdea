//! Identifiers that are unique in a run and the same for the same seed.

/// The letters that codes are written with.
pub(super) struct Alphabet {
    letters: &'static [u8],
    /// How many letters one drawn number is good for.
    in_a_number: usize,
}

/// Digits and small letters.
pub(super) const SMALL: Alphabet = Alphabet { letters: b"0123456789abcdefghijklmnopqrstuvwxyz", in_a_number: 10 };

/// Digits, small and capital letters.
pub(super) const MIXED: Alphabet = Alphabet { letters: b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", in_a_number: 8 };

impl Alphabet {
    /// The letters of a number, the one that changes fastest first.
    fn spell(&self, number: u64) -> impl Iterator<Item = char> {
        let base = self.letters.len() as u64;
        let letter = move |rest: u64| char::from(self.letters[usize::try_from(rest % base).unwrap_or(0)]);
        std::iter::successors(Some(number), move |rest| Some(rest / base)).map(letter)
    }
}

/// Makes identifiers for one case. Nothing is drawn in sequence: every id follows from what it is for, so
/// taking a step out of a plan changes no other step's ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mint {
    /// Which case of the run: no two cases that a target sees may share a serial.
    serial: u64,
    key: u64,
}

impl Mint {
    /// A mint for the case with this serial number.
    pub fn new(serial: u64) -> Mint {
        Mint { serial, key: mix(serial ^ 0x7265_6675_6e64_7072) }
    }

    /// The case's serial number.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// A number that looks random and follows from what it is for.
    pub fn number(&self, what: &str, index: u64) -> u64 {
        let mut hash = self.key ^ mix(index.wrapping_add(0x9e37_79b9_7f4a_7c15));
        for byte in what.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        mix(hash)
    }

    /// So many letters that follow from what they are for.
    pub(super) fn code(&self, alphabet: &Alphabet, what: &str, index: u64, length: usize) -> String {
        let numbers = (0..).map(|number| self.number(what, index * 4 + number));
        numbers.flat_map(|number| alphabet.spell(number).take(alphabet.in_a_number)).take(length).collect()
    }

    /// The serial number with the letter that changes fastest first, so that the ids of one run differ early on.
    pub(super) fn fast_first(&self) -> String {
        SMALL.spell(self.serial).take(12).collect()
    }

    /// A version 4 UUID.
    pub fn uuid(&self, what: &str, index: u64) -> String {
        let mut text = String::with_capacity(36);
        self.push_uuid(&mut text, what, index);
        text
    }

    /// Appends a version 4 UUID.
    pub(super) fn push_uuid(&self, out: &mut String, what: &str, index: u64) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        /// After so many bytes there is a dash.
        const DASHES: [usize; 4] = [4, 6, 8, 10];
        let high = self.number(what, index);
        let low = mix(high ^ self.key.rotate_left(17) ^ index);
        let random = u128::from(high) << 64 | u128::from(low);
        // Its version is 4, its variant the usual one.
        let bytes = (random & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62).to_be_bytes();
        let mut text = [b'-'; 36];
        for (number, byte) in bytes.into_iter().enumerate() {
            let place = number * 2 + DASHES.iter().filter(|dash| number >= **dash).count();
            text[place] = DIGITS[usize::from(byte >> 4)];
            text[place + 1] = DIGITS[usize::from(byte & 0xf)];
        }
        out.push_str(std::str::from_utf8(&text).unwrap_or_default());
    }
}

/// The finaliser of SplitMix64.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn uuids_are_of_version_4() {
        let text = Mint::new(7).uuid("refund", 1);
        let dashes: Vec<usize> = text.match_indices('-').map(|(place, _)| place).collect();
        assert_eq!((text.len(), dashes), (36, vec![8, 13, 18, 23]));
        assert!(text[14..].starts_with('4') && text[19..].starts_with(['8', '9', 'a', 'b']), "{text}");
    }

    #[test]
    fn ids_differ_and_repeat() {
        let mut seen = HashSet::new();
        for serial in 0..200 {
            for index in 0..20 {
                assert!(seen.insert(Mint::new(serial).uuid("refund", index)));
                assert!(seen.insert(Mint::new(serial).uuid("event", index)));
            }
        }
        assert_eq!(Mint::new(7).uuid("refund", 1), Mint::new(7).uuid("refund", 1));
    }
}
