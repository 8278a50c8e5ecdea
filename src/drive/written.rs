//! ASCII characters as they are written in JSON, where any of them may be an escape.

/// How the JSON escape of an ASCII character begins.
const ESCAPE: &[u8] = b"\\u00";

/// The character that these bytes begin with, and how many bytes it is written with.
pub(super) fn character(bytes: &[u8]) -> Option<(u8, usize)> {
    let Some(escape) = bytes.strip_prefix(ESCAPE) else { return bytes.first().map(|byte| (*byte, 1)) };
    let digits = std::str::from_utf8(escape.get(..2)?).ok()?;
    u8::from_str_radix(digits, 16).ok().map(|byte| (byte, ESCAPE.len() + 2))
}

/// Whether an escape stands here.
pub(super) fn is_escape(bytes: &[u8]) -> bool {
    bytes.starts_with(ESCAPE)
}

/// Writes a character in so many bytes: as itself, or as an escape.
pub(super) fn write(character: u8, length: usize, out: &mut Vec<u8>) {
    if length == 1 {
        out.push(character);
    } else {
        out.extend_from_slice(format!("\\u{character:04x}").as_bytes());
    }
}
