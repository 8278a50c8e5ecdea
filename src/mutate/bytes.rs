//! Textual mutations: the body is bytes, and stays so.

use crate::plan::MutationKind;

/// The body after the mutation. `None` where there is nothing to change.
pub(super) fn change(kind: MutationKind, pick: usize, body: &[u8]) -> Option<Vec<u8>> {
    let changed = match kind {
        MutationKind::Truncate => truncate(body, pick)?,
        MutationKind::Trailing => {
            const ENDS: [&[u8]; 8] = [b"ja", b"}", b"{}", b",", b"\0", b"Js", b"\"", b"\nnull"];
            [body, ENDS[pick % ENDS.len()]].concat()
        }
        MutationKind::Empty => {
            const BLANKS: [&[u8]; 4] = [b"", b" ", b"\n\n", b"\t\r\n"];
            BLANKS[pick % BLANKS.len()].to_vec()
        }
        MutationKind::BadUtf8 => bad_utf8(body, pick)?,
        MutationKind::Syntax => syntax(body, pick)?,
        MutationKind::Whitespace => whitespace(body, pick),
        MutationKind::Escapes => escapes(body, pick)?,
        MutationKind::Deep => deep(body, pick)?,
        MutationKind::Large => large(body, pick)?,
        MutationKind::OtherEncoding => other_encoding(body, pick)?,
        _ => return None,
    };
    (changed != body).then_some(changed)
}

fn truncate(body: &[u8], pick: usize) -> Option<Vec<u8>> {
    // The last byte that is no white space closes the body, so whatever is missing is missed.
    let length = significant(body).checked_sub(1)?;
    (length > 0).then(|| body[..1 + pick.wrapping_mul(7919) % length].to_vec())
}

/// How many bytes of a body there are but for the white space at its end.
pub(crate) fn significant(body: &[u8]) -> usize {
    body.trim_ascii_end().len()
}

fn bad_utf8(body: &[u8], pick: usize) -> Option<Vec<u8>> {
    const BAD: [&[u8]; 4] = [b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"];
    // Inside a string, where a careless decoder would replace it and go on.
    let quote = position(body, b":\"", pick)?.1 + 1;
    Some([&body[..quote], BAD[pick % BAD.len()], &body[quote..]].concat())
}

/// The places of two neighbouring marks of JSON's notation, between which nothing but white space stands; of all such pairs
/// one, chosen by the pick.
fn position(body: &[u8], pair: &[u8; 2], pick: usize) -> Option<(usize, usize)> {
    let marks = marks(body);
    let is_pair = |marks: &&[usize]| {
        let (one, other) = (marks[0], marks[1]);
        [body[one], body[other]] == *pair && body[one + 1..other].iter().all(u8::is_ascii_whitespace)
    };
    let places: Vec<(usize, usize)> = marks.windows(2).filter(is_pair).map(|marks| (marks[0], marks[1])).collect();
    places.get(pick % places.len().max(1)).copied()
}

/// The places of quotes, brackets, colons and commas that are no part of a string.
fn marks(body: &[u8]) -> Vec<usize> {
    let (mut marks, mut in_string, mut escaped) = (Vec::new(), false, false);
    for (place, byte) in body.iter().enumerate() {
        let is_mark = match byte {
            _ if escaped => false,
            b'"' => {
                in_string = !in_string;
                true
            }
            _ => !in_string && b"{}[]:,".contains(byte),
        };
        escaped = in_string && !escaped && *byte == b'\\';
        if is_mark {
            marks.push(place);
        }
    }
    marks
}

/// Mistakes that no reader repairs. Single quotes, names without quotes and line breaks in strings are not among them.
fn syntax(body: &[u8], pick: usize) -> Option<Vec<u8>> {
    let place = pick / 5;
    let mut changed = body.to_vec();
    match pick % 5 {
        // A comma is missing, as in one of the documented examples.
        0 => {
            let (comma, _) = position(body, b",\"", place)?;
            changed[comma] = b' ';
        }
        // A colon is missing.
        1 => {
            let (_, colon) = position(body, b"\":", place)?;
            changed[colon] = b' ';
        }
        // A quote is missing.
        2 => {
            let (quote, _) = position(body, b"\":", place)?;
            changed.remove(quote);
        }
        // A member without a value.
        3 => {
            let (_, value) = position(body, b":\"", place)?;
            changed.splice(value..value, *b",");
        }
        // Brackets that do not match.
        _ => {
            let last = significant(body).checked_sub(1)?;
            changed[last] = b']';
        }
    }
    Some(changed)
}

/// Walks over JSON text and calls `token` outside of strings, copying strings as they are.
fn outside_strings(body: &[u8], mut token: impl FnMut(u8, &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() * 2);
    let (mut in_string, mut escaped) = (false, false);
    for &byte in body {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else {
            in_string = byte == b'"';
            token(byte, &mut out);
        }
    }
    out
}

fn whitespace(body: &[u8], pick: usize) -> Vec<u8> {
    // A body of several lines is one line now and then, as nearly every library would write it.
    if pick % 4 == 3 {
        let compact = outside_strings(body, |byte, out| out.extend((!byte.is_ascii_whitespace()).then_some(byte)));
        if compact != body {
            return compact;
        }
    }
    const SPACES: [&[u8]; 4] = [b" ", b"\r\n\t", b"\n    ", b"  \t "];
    let space = SPACES[pick % SPACES.len()];
    let mut spaced = outside_strings(body, |byte, out| match byte {
        b',' | b':' | b'{' | b'[' => {
            out.push(byte);
            out.extend_from_slice(space);
        }
        b'}' | b']' => {
            out.extend_from_slice(space);
            out.push(byte);
        }
        other => out.push(other),
    });
    if pick.is_multiple_of(2) {
        spaced.extend_from_slice(b"\n");
        spaced.insert(0, b' ');
    }
    spaced
}

/// Characters of strings as escapes: of values only, of names too, or slashes.
fn escapes(body: &[u8], pick: usize) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let mut out = String::with_capacity(text.len() * 3);
    let (mut in_string, mut escaped, mut count, mut hex) = (false, false, 0_usize, 0_u8);
    for character in text.chars() {
        if !in_string || escaped || hex > 0 || matches!(character, '"' | '\\') {
            // The four digits of an escape that is already there stay as they are.
            hex = if escaped && character == 'u' { 4 } else { hex.saturating_sub(1) };
            out.push(character);
            let ends = in_string && !escaped && character == '"';
            in_string = if in_string { !ends } else { character == '"' };
            escaped = in_string && !escaped && character == '\\';
            continue;
        }
        count += 1;
        match pick % 3 {
            0 if count.is_multiple_of(3) => push_escape(&mut out, character),
            1 if character == '/' || character == 'e' => {
                if character == '/' {
                    out.push_str("\\/");
                } else {
                    push_escape(&mut out, character);
                }
            }
            2 => push_escape(&mut out, character),
            _ => out.push(character),
        }
    }
    Some(out.into_bytes())
}

fn push_escape(out: &mut String, character: char) {
    let mut units = [0; 2];
    for unit in character.encode_utf16(&mut units) {
        out.push_str(&format!("\\u{unit:04x}"));
    }
}

fn with_first_member(body: &[u8], member: &str) -> Option<Vec<u8>> {
    let rest = body.strip_prefix(b"{")?;
    Some([b"{", member.as_bytes(), b",", rest].concat())
}

fn deep(body: &[u8], pick: usize) -> Option<Vec<u8>> {
    let levels = [200, 2_000, 10_000][pick % 3];
    let (open, close) = if pick.is_multiple_of(2) { ("[", "]") } else { ("{\"a\":", "}") };
    let inner = if pick.is_multiple_of(2) { "" } else { "1" };
    with_first_member(body, &format!("\"extra\":{}{inner}{}", open.repeat(levels), close.repeat(levels)))
}

fn large(body: &[u8], pick: usize) -> Option<Vec<u8>> {
    let size = [64 * 1024, 1024 * 1024][pick % 2];
    with_first_member(body, &format!("\"note\":\"{}\"", "x".repeat(size)))
}

fn other_encoding(body: &[u8], pick: usize) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    Some(match pick % 3 {
        0 => [b"\xef\xbb\xbf", body].concat(),
        1 => [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect(),
        _ => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"a\"b","n":[1.50,{"u":"https://x/y"}],"e":"\u00e9"}"#;

    #[track_caller]
    fn check_same(kind: MutationKind) {
        let original: crate::json::Value = serde_json::from_slice(BODY).expect("JSON");
        for pick in 0..12 {
            if let Some(changed) = change(kind, pick, BODY) {
                let value: crate::json::Value =
                    serde_json::from_slice(&changed).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&changed)));
                assert_eq!(value, original, "{kind:?} {pick}");
            }
        }
    }

    #[track_caller]
    fn check_broken(kind: MutationKind) {
        for pick in 0..200 {
            if let Some(changed) = change(kind, pick, BODY) {
                assert!(
                    serde_json::from_slice::<crate::json::Value>(&changed).is_err(),
                    "{kind:?} {pick}: {}",
                    String::from_utf8_lossy(&changed)
                );
            }
        }
    }

    #[test]
    fn what_means_the_same() {
        check_same(MutationKind::Whitespace);
        check_same(MutationKind::Escapes);
    }

    #[test]
    fn indented_bodies_are_one_line_now_and_then() {
        let text = std::str::from_utf8(BODY).expect("UTF-8");
        let compact: crate::json::Value = serde_json::from_str(text).expect("JSON");
        let lines = crate::json::indented(text).into_bytes();
        let forms: Vec<Vec<u8>> = (0..4).filter_map(|pick| change(MutationKind::Whitespace, pick, &lines)).collect();
        assert_eq!(forms.iter().filter(|form| **form == BODY).count(), 1);
        for form in forms {
            assert_eq!(serde_json::from_slice::<crate::json::Value>(&form).expect("JSON"), compact);
        }
    }

    #[test]
    fn what_is_not_json() {
        for kind in MutationKind::of(&[crate::plan::Group::Malformed]) {
            check_broken(kind);
        }
    }

    #[test]
    fn indented_bodies_are_spoilt_as_well() {
        let body = crate::json::indented(std::str::from_utf8(BODY).expect("UTF-8")).into_bytes();
        for kind in [MutationKind::BadUtf8, MutationKind::Syntax] {
            for pick in 0..40 {
                let spoilt = change(kind, pick, &body).expect("something to spoil");
                assert!(serde_json::from_slice::<crate::json::Value>(&spoilt).is_err(), "{kind:?} {pick}");
            }
        }
    }

    #[test]
    fn white_space_at_the_end_does_not_count() {
        let body = [BODY, b" \n"].concat();
        for pick in 0..200 {
            let cut = change(MutationKind::Truncate, pick, &body).expect("a cut");
            assert!(serde_json::from_slice::<crate::json::Value>(&cut).is_err(), "{pick}");
        }
    }

    #[test]
    fn depth_and_size() {
        assert!(change(MutationKind::Large, 1, BODY).is_some_and(|body| body.len() > 1024 * 1024));
        assert!(change(MutationKind::Deep, 2, BODY).is_some_and(|body| body.len() > 20_000));
    }
}
