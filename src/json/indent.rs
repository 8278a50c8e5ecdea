//! JSON with each member on a line of its own, indented by two spaces, empty objects and lists on one line.

/// A compact JSON text, indented. White space between tokens that is there already stays.
pub(crate) fn indented(compact: &str) -> String {
    indented_at(compact, 0)
}

/// The same of a value that stands so many levels deep in another.
pub(crate) fn indented_at(compact: &str, depth: usize) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let mut depth = depth;
    let mut scan = Scan::default();
    let mut from = 0;
    let bytes = compact.as_bytes();
    for (place, byte) in bytes.iter().enumerate() {
        if scan.is_text(char::from(*byte)) {
            continue;
        }
        match byte {
            b'{' | b'[' if matches!(bytes.get(place + 1), Some(b'}' | b']')) => {}
            b'}' | b']' if place > 0 && matches!(bytes[place - 1], b'{' | b'[') => {}
            b'{' | b'[' => {
                depth += 1;
                out.push_str(&compact[from..=place]);
                new_line(&mut out, depth);
                from = place + 1;
            }
            b'}' | b']' => {
                depth -= 1;
                out.push_str(&compact[from..place]);
                new_line(&mut out, depth);
                from = place;
            }
            b',' => {
                out.push_str(&compact[from..=place]);
                new_line(&mut out, depth);
                from = place + 1;
            }
            b':' => {
                out.push_str(&compact[from..=place]);
                out.push(' ');
                from = place + 1;
            }
            _ => {}
        }
    }
    out.push_str(&compact[from..]);
    out
}

/// A JSON text without white space between its tokens, each of which is as it was: numbers, escapes and members that are there
/// twice stay what they are.
#[cfg(any(test, feature = "html"))]
pub(crate) fn compact(text: &str) -> String {
    let mut scan = Scan::default();
    text.chars().filter(|character| scan.is_text(*character) || !character.is_ascii_whitespace()).collect()
}

/// Follows a JSON text, to tell what stands in its strings from what stands between them.
#[derive(Default)]
struct Scan {
    in_text: bool,
    escaped: bool,
}

impl Scan {
    /// Whether the next character belongs to a string, its quotes included; any byte of one beyond ASCII will do.
    fn is_text(&mut self, next: char) -> bool {
        if !self.in_text {
            self.in_text = next == '"';
            return self.in_text;
        }
        match next {
            _ if self.escaped => self.escaped = false,
            '\\' => self.escaped = true,
            '"' => self.in_text = false,
            _ => {}
        }
        true
    }
}

/// Begins a line at a depth.
pub(crate) fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(compact: &str, expected: &str) {
        assert_eq!(indented(compact), expected);
    }

    #[test]
    fn members_stand_on_lines_of_their_own() {
        check(r#"{"a":1,"b":[2,{"c":"x"}]}"#, "{\n  \"a\": 1,\n  \"b\": [\n    2,\n    {\n      \"c\": \"x\"\n    }\n  ]\n}");
    }

    #[test]
    fn what_is_empty_stays_on_one_line() {
        check(r#"{"a":{},"b":[]}"#, "{\n  \"a\": {},\n  \"b\": []\n}");
    }

    #[test]
    fn texts_stay_as_they_are() {
        check(r#"{"a":"{,:[\"\\"}"#, "{\n  \"a\": \"{,:[\\\"\\\\\"\n}");
    }

    #[test]
    fn white_space_goes_where_it_is_no_text() {
        assert_eq!(compact(" {\"a b\" :\t[ 1.50 ,\r\n\"é \\\" \" ] } "), "{\"a b\":[1.50,\"é \\\" \"]}");
        assert_eq!(compact(" 12 "), "12");
    }
}
