//! JSON with each member on a line of its own, indented by two spaces, empty objects and lists on one line.

/// A compact JSON text, indented. White space between tokens that is there already stays.
pub(crate) fn indented(compact: &str) -> String {
    indented_at(compact, 0)
}

/// The same of a value that stands so many levels deep in another.
pub(crate) fn indented_at(compact: &str, depth: usize) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let mut depth = depth;
    let mut in_text = false;
    let mut escaped = false;
    let mut from = 0;
    let bytes = compact.as_bytes();
    for (place, byte) in bytes.iter().enumerate() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
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
}
