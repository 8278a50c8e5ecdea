//! What a target says, in messages.

use std::fmt::Write;

/// A line of a target as a message may show it: one line, not too long, and harmless on a terminal.
pub(super) fn shown(line: &[u8]) -> String {
    const LONGEST: usize = 200;
    // A character has four bytes at most, so what is cut off here is not shown anyway.
    let start = &line[..line.len().min(4 * LONGEST + 4)];
    let text = String::from_utf8_lossy(start);
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == LONGEST {
            shown.push('…');
            break;
        }
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            _ => {
                let _ = write!(shown, "{}", character.escape_debug());
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_short_and_harmless() {
        assert_eq!(shown(b"{\"a\":'\\n'}\x1b[2J\r\xff\xc3\xa4"), "{\"a\":'\\n'}\\u{1b}[2J\\r\u{fffd}ä");
        let long = shown("ä".repeat(10_000).as_bytes());
        assert_eq!(long, format!("{}…", "ä".repeat(200)));
    }
}
