//! Identifiers that are unique in a run and the same for the same seed.

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

    /// A version 4 UUID.
    pub fn uuid(&self, what: &str, index: u64) -> String {
        let high = self.number(what, index);
        let low = mix(high ^ self.key.rotate_left(17) ^ index);
        let random = u128::from(high) << 64 | u128::from(low);
        // Its version is 4, its variant the usual one.
        let bits = random & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        let mut text = String::with_capacity(36);
        for digit in 0..32 {
            if matches!(digit, 8 | 12 | 16 | 20) {
                text.push('-');
            }
            let nibble = u32::try_from(bits >> (124 - 4 * digit) & 0xf).unwrap_or(0);
            text.extend(char::from_digit(nibble, 16));
        }
        text
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
