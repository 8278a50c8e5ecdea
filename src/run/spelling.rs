//! Where a secret stands in a text, however it is spelt there.
//!
//! Whoever tells of an error spells what it was about in the way of their own language: JSON and PHP write `\/`, Java and .NET
//! `\u002d`, Python and C `\x2d`, a URL `%2D`, HTML `&#45;`; a message within a message doubles backslashes; a header or a dump
//! of bytes is base64, hexadecimal or a list of numbers. Each character is looked for in each of these ways, so that mixtures
//! are found too. What somebody has cut off (`…`, `...`) is found by the part that is left.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// How many characters of a secret that was cut through are still found.
const LEAST_PART: usize = 4;
/// How long what was made of a secret must be: shorter texts stand anywhere by chance.
const LEAST_MADE: usize = 8;
/// How many backslashes may stand before a character: each message within a message doubles them.
const MOST_BACKSLASHES: usize = 16;
/// The longest spelling of a character that may be cut through itself, in bytes.
const LONGEST_SPELLING: usize = 24;
/// What says that something was cut off.
const CUTS: [&str; 2] = ["…", "..."];
/// With what the spelling of another character may begin.
const MARKS: &[u8] = b"\\%&=+";

/// What is looked for.
#[derive(Clone, Default)]
pub(super) struct Needles {
    needles: Vec<Needle>,
    /// The bytes with which one may begin.
    beginnings: Vec<u8>,
}

/// A secret, or something that is made of it.
#[derive(Clone, PartialEq, Eq)]
struct Needle {
    characters: Vec<char>,
    /// Whether lines may be broken in it, as is done in base64.
    is_broken: bool,
}

impl Needles {
    /// Each of these secrets and what is made of them; an empty one is none.
    pub(super) fn of<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Needles {
        let mut needles = Vec::new();
        let mut add = |text: &str, is_broken: bool| {
            let needle = Needle { characters: text.chars().collect(), is_broken };
            if !needles.contains(&needle) {
                needles.push(needle);
            }
        };
        for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
            add(secret, false);
            for made in in_base64(secret.as_bytes()).filter(|made| made.len() >= LEAST_MADE) {
                add(&made, true);
            }
            if secret.len() * 2 >= LEAST_MADE {
                for made in in_numbers(secret.as_bytes()) {
                    add(&made, false);
                }
            }
        }
        let mut beginnings: Vec<u8> = MARKS.to_vec();
        beginnings.extend(needles.iter().filter_map(|needle: &Needle| needle.characters[0].encode_utf8(&mut [0; 4]).bytes().next()));
        Needles { needles, beginnings }
    }

    /// The text with something else in place of every secret, and of what a cut has left of one.
    pub(super) fn replaced(&self, text: &str, by: &str) -> Option<String> {
        let mut out = String::new();
        let (mut copied, mut at) = (0, 0);
        // Where something was cut off, so that what follows may be the rest of a secret.
        let mut after_cut = None;
        while at < text.len() {
            let rest = &text[at..];
            let is_part = after_cut.is_some_and(|cut| at - cut <= LONGEST_SPELLING);
            if let Some(length) = self.found(rest, is_part) {
                out.push_str(&text[copied..at]);
                out.push_str(by);
                at += length;
                (copied, after_cut) = (at, None);
            } else if let Some(cut) = CUTS.iter().find(|cut| rest.starts_with(**cut)) {
                at += cut.len();
                after_cut = Some(at);
            } else {
                at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
        (copied > 0).then(|| out + &text[copied..])
    }

    /// How long the longest is with which the text begins, or part of one, if what is before was cut off.
    fn found(&self, text: &str, is_part: bool) -> Option<usize> {
        let may_begin = text.bytes().next().is_some_and(|byte| is_part || self.beginnings.contains(&byte));
        let needles = self.needles.iter().filter(|_| may_begin);
        needles.filter_map(|needle| needle.found(text, is_part)).max().filter(|length| *length > 0)
    }
}

impl Needle {
    fn found(&self, text: &str, is_part: bool) -> Option<usize> {
        let last = if is_part { self.characters.len().saturating_sub(LEAST_PART) } else { 0 };
        (0..=last).filter_map(|from| self.found_from(from, text)).max()
    }

    /// How long the text is that spells the characters from this one on, to the last or to where it was cut off.
    fn found_from(&self, from: usize, text: &str) -> Option<usize> {
        let first = self.characters[from];
        if !text.starts_with(first) && !text.bytes().next().is_some_and(|byte| MARKS.contains(&byte)) {
            return None;
        }
        // There may be several ways to read backslashes, so all of them are followed.
        let mut ends = vec![0];
        for (count, character) in self.characters[from..].iter().enumerate() {
            if count >= LEAST_PART
                && let Some(end) = ends.iter().find_map(|end| Some(end + cut_off(&text[*end..])?))
            {
                return Some(end);
            }
            let mut next = Vec::new();
            for end in ends {
                let end = if self.is_broken && count > 0 { end + line_end(&text[end..]) } else { end };
                each_spelling(&text[end..], *character, |length| next.push(end + length));
            }
            next.sort_unstable();
            next.dedup();
            ends = next;
            if ends.is_empty() {
                return None;
            }
        }
        ends.into_iter().max()
    }
}

/// How much of a spelling is left before the place at which a text was cut off, if it was just here.
fn cut_off(text: &str) -> Option<usize> {
    let near = text.char_indices().nth(LONGEST_SPELLING + 3).map_or(text, |(end, _)| &text[..end]);
    let place = CUTS.iter().filter_map(|cut| near.find(cut)).min()?;
    let is_begun = |left: &str| MARKS.contains(&left.as_bytes()[0]) && left.bytes().all(|byte| byte.is_ascii_graphic());
    (place == 0 || is_begun(&text[..place])).then_some(place)
}

/// How long the end of a line is with which a text begins, as it is or as it is escaped.
fn line_end(text: &str) -> usize {
    ["\r\n", "\n", "\\r\\n", "\\n"].into_iter().find(|end| text.starts_with(end)).map_or(0, str::len)
}

/// Every spelling of a character with which a text begins, by its length.
fn each_spelling(text: &str, character: char, mut found: impl FnMut(usize)) {
    if text.starts_with(character) {
        found(character.len_utf8());
    }
    let bytes = text.as_bytes();
    let Some(first) = bytes.first().filter(|first| MARKS.contains(first)) else { return };
    if *first == b'+' && character == ' ' {
        found(1);
    }
    if *first == b'&' {
        named(text, character).into_iter().for_each(&mut found);
    }
    if *first == b'\\' {
        let backslashes = bytes.iter().take(MOST_BACKSLASHES).take_while(|byte| **byte == b'\\').count();
        if character == '\\' {
            [2, 4, 8, 16].into_iter().filter(|count| *count <= backslashes).for_each(&mut found);
        }
        if let Some(length) = escaped(&text[backslashes..], character) {
            found(backslashes + length);
        }
    }
    // Byte by byte.
    let mut buffer = [0; 4];
    let mut end = 0;
    for byte in character.encode_utf8(&mut buffer).bytes() {
        match byte_spelling(&bytes[end..], byte) {
            Some(length) => end += length,
            None => return,
        }
    }
    found(end);
}

/// What follows backslashes.
fn escaped(text: &str, character: char) -> Option<usize> {
    if character != '\\' && text.starts_with(character) {
        return Some(character.len_utf8());
    }
    let number = u32::from(character);
    let is_number = |digits: &str, radix: u32| u32::from_str_radix(digits, radix).is_ok_and(|found| found == number);
    let short = match character {
        '\n' => "n",
        '\r' => "r",
        '\t' => "t",
        '\0' => "0",
        '\u{7}' => "a",
        '\u{8}' => "b",
        '\u{b}' => "v",
        '\u{c}' => "f",
        '\u{1b}' => "e",
        _ => "",
    };
    if !short.is_empty() && text.starts_with(short) {
        return Some(1);
    }
    if let Some(rest) = text.strip_prefix("u{") {
        let digits = rest.split_once('}')?.0;
        return is_number(digits, 16).then_some(digits.len() + 3);
    }
    let hexadecimal = |mark: char, count: usize| {
        let digits = text.strip_prefix(mark)?.get(..count)?;
        is_number(digits, 16).then_some(count + 1)
    };
    // Two halves, where a character has no number of four digits.
    let halves = || {
        let mut units = [0; 2];
        let mut end = 0;
        for (place, unit) in character.encode_utf16(&mut units).iter().enumerate() {
            let rest = text[end..].trim_start_matches('\\');
            let backslashes = text.len() - end - rest.len();
            let digits = rest.strip_prefix('u')?.get(..4)?;
            let fits = (place == 0 || backslashes > 0) && u16::from_str_radix(digits, 16).is_ok_and(|found| found == *unit);
            end += fits.then_some(backslashes + 5)?;
        }
        Some(end)
    };
    halves().or_else(|| hexadecimal('U', 8)).or_else(|| hexadecimal('x', 2)).or_else(|| hexadecimal('x', 4))
}

/// How long a spelling of a byte is with which a text begins.
fn byte_spelling(text: &[u8], byte: u8) -> Option<usize> {
    let is_byte = |digits: &[u8], radix: u32| {
        let digits = std::str::from_utf8(digits).ok()?;
        (u8::from_str_radix(digits, radix).ok()? == byte).then_some(())
    };
    match text.first()? {
        // Encoded as often as somebody liked: `%2D`, `%252D`.
        b'%' => {
            let again = text[1..].chunks(2).take_while(|pair| *pair == b"25").count();
            let places = (0..=again).map(|again| 1 + 2 * again);
            places.filter_map(|place| is_byte(text.get(place..place + 2)?, 16).map(|()| place + 2)).next()
        }
        b'=' => is_byte(text.get(1..3)?, 16).map(|()| 3),
        b'\\' => {
            let place = text.iter().take(MOST_BACKSLASHES).take_while(|other| **other == b'\\').count();
            let rest = &text[place..];
            match rest.first()? {
                b'x' => is_byte(rest.get(1..3)?, 16).map(|()| place + 3),
                b'0'..=b'7' => is_byte(rest.get(..3)?, 8).map(|()| place + 3),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A character as HTML and XML write it, also where the `&` is written so itself.
fn named(text: &str, character: char) -> Option<usize> {
    let (begin, rest) = match text.strip_prefix("&amp;") {
        Some(rest) if character != '&' || rest.starts_with("amp;") || rest.starts_with('#') => (5, rest),
        _ => (1, text.strip_prefix('&')?),
    };
    let name = rest.get(..rest.find(';').filter(|end| *end <= 10)?)?;
    let number = name.strip_prefix('#').and_then(|number| match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => number.parse().ok(),
    });
    let known = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => number.and_then(char::from_u32),
    };
    (known == Some(character)).then_some(begin + name.len() + 1)
}

/// Base64 in both alphabets, by itself and wherever it may stand in a longer text; without the characters at its ends that
/// depend on what is beside it.
fn in_base64(bytes: &[u8]) -> impl Iterator<Item = String> {
    (0..3_usize).flat_map(move |before| {
        let shifted = [&[0; 3][..before], bytes].concat();
        let from = [0, 2, 3][before];
        [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)].into_iter().map(move |text| {
            let to = shifted.len() * 8 / 6;
            text.get(from..to).unwrap_or_default().to_owned()
        })
    })
}

/// Hexadecimal, and lists of numbers as dumps of bytes have them.
fn in_numbers(bytes: &[u8]) -> impl Iterator<Item = String> {
    let join = |number: fn(&u8) -> String, between: &str| bytes.iter().map(number).collect::<Vec<_>>().join(between);
    let lower = |byte: &u8| format!("{byte:02x}");
    let upper = |byte: &u8| format!("{byte:02X}");
    let decimal = |byte: &u8| byte.to_string();
    [
        join(lower, ""),
        join(lower, " "),
        join(lower, ":"),
        join(upper, ""),
        join(upper, " "),
        join(upper, ":"),
        join(decimal, ","),
        join(decimal, ", "),
        join(decimal, " "),
    ]
    .into_iter()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SECRET: &str = "whsec-S3cr3t+Geheim/0815";

    #[track_caller]
    fn check(text: &str, hidden: &str) {
        let replaced = Needles::of([SECRET]).replaced(text, "#");
        assert_eq!(replaced.as_deref().unwrap_or(text), hidden);
    }

    fn spelt(spell: impl Fn(char) -> String) -> String {
        SECRET.chars().map(spell).collect()
    }

    #[rstest]
    #[case::as_it_is(SECRET.to_owned())]
    #[case::as_php_escapes_slashes(SECRET.replace('/', "\\/"))]
    #[case::in_a_message_within_a_message(SECRET.replace('/', "\\\\\\/"))]
    #[case::as_java_escapes(SECRET.replace('-', "\\u002d").replace('+', "\\u002B"))]
    #[case::all_of_it(spelt(|character| format!("\\u{:04x}", u32::from(character))))]
    #[case::doubled(spelt(|character| format!("\\\\u{:04X}", u32::from(character))))]
    #[case::as_javascript_may(spelt(|character| format!("\\u{{{:x}}}", u32::from(character))))]
    #[case::as_python_escapes(SECRET.replace('-', "\\x2d"))]
    #[case::in_eight_digits(SECRET.replace('-', "\\U0000002d"))]
    #[case::octal(SECRET.replace('-', "\\055"))]
    #[case::in_a_url(SECRET.replace('+', "%2B").replace('/', "%2f"))]
    #[case::in_a_url_in_a_url(SECRET.replace('+', "%252B").replace('/', "%25252f"))]
    #[case::percent_all(spelt(|character| format!("%{:02X}", u32::from(character))))]
    #[case::in_html(SECRET.replace('+', "&#43;").replace('/', "&#x2F;"))]
    #[case::in_html_twice(SECRET.replace('+', "&amp;#43;"))]
    #[case::quoted_printable(SECRET.replace('-', "=2D"))]
    #[case::mixed(SECRET.replace('-', "\\\\x2D").replace('+', "%2B").replace('/', "\\/"))]
    #[case::hexadecimal(SECRET.bytes().map(|byte| format!("{byte:02x}")).collect())]
    #[case::as_node_dumps_bytes(SECRET.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "))]
    #[case::as_a_list(SECRET.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(","))]
    fn spellings(#[case] text: String) {
        check(&format!("said `{text}`!"), "said `#`!");
    }

    #[rstest]
    fn base64(#[values("", "a", "ab", "abc", "key=", "Bearer ")] before: &str, #[values("", "z", "zz", "zzz")] after: &str) {
        let text = format!("{before}{SECRET}{after}");
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let hidden = Needles::of([SECRET]).replaced(&encoded, "#").expect("it is found");
            // What is beside it stays, and of the characters that it shares with it one at each end at most.
            let most = before.len().div_ceil(3) * 4 + after.len().div_ceil(3) * 4 + 3;
            assert!(hidden.len() <= most, "{encoded}: {hidden}");
            check(&encoded.replace('/', "\\/"), &hidden.replace('/', "\\/"));
            let (one, other) = encoded.split_at(12);
            assert!(Needles::of([SECRET]).replaced(&format!("{one}\r\n{other}"), "#").is_some());
        }
    }

    #[test]
    fn backslashes_in_the_secret() {
        for text in [r"a\b", r"a\\b", r"a\\\\b", r"a\x5cb", r"a\u005Cb", r"a%5Cb"] {
            assert_eq!(Needles::of([r"a\b"]).replaced(text, "#").as_deref(), Some("#"), "{text}");
        }
        // There are more ways to read these than could be tried one by one.
        assert!(Needles::of(["\\".repeat(60).as_str()]).replaced(&"\\".repeat(959), "#").is_some());
    }

    #[test]
    fn other_letters() {
        for text in ["pässwörd", "p%C3%A4ssw%c3%b6rd", r"p\xc3\xa4ssw\303\266rd", r"p\u00e4ssw\xf6rd", "p&#228;ssw&#xf6;rd"] {
            assert_eq!(Needles::of(["pässwörd"]).replaced(text, "#").as_deref(), Some("#"), "{text}");
        }
        for text in ["key😀s", r"key\ud83d\uDE00s", r"key\\ud83d\\uDE00s", r"key\U0001F600s", r"key\u{1F600}s", "key%F0%9F%98%80s"] {
            assert_eq!(Needles::of(["key😀s"]).replaced(text, "#").as_deref(), Some("#"), "{text}");
        }
        assert_eq!(Needles::of(["two words"]).replaced("q=two+words", "#").as_deref(), Some("q=#"));
    }

    #[test]
    fn what_was_cut_through() {
        check("not JSON: `whsec-S3…`", "not JSON: `#…`");
        check("PHP: Shop->sign('whsec-S3cr3t...')", "PHP: Shop->sign('#...')");
        check("…t+Geheim/0815\nnext", "…#\nnext");
        check("…Geheim…", "…#…");
        check("…im\\/0815", "…#");
        check("…02d\\u0053\\u0033cr3t+Geheim/0815", "…02d#");
        check("`whsec\\u002dS3\\u00…`", "`#…`");
        check("`whsec%2…`", "`#…`");
        check("whs… 815", "whs… 815");
        let encoded = STANDARD_NO_PAD.encode(SECRET);
        check(&format!("{}…", &encoded[..14]), "#…");
        check(&format!("…{}", &encoded[9..]), "…#");
    }

    #[test]
    fn what_is_none() {
        for text in ["", "nothing", "…", "… ...", "\\", "%", "&amp;", "whsec-S3cr3t+Geheim/0814", "whsec-", "=", "\\u", "\\u{", "ä…ü"]
        {
            check(text, text);
        }
    }
}
