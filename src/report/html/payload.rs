//! The payload of a delivery as the page shows it, within the room that there is.

use serde::de::IgnoredAny;

use super::{
    MOST_OF_TEXT, line,
    view::{Header, Payload},
};
use crate::{
    case::{Delivery, Signature},
    json,
    report::shared::{ending, visible},
};

/// How much of one body is shown, in bytes of HTML.
const MOST_OF_BODY: usize = 24_000;

/// How many bytes of HTML may still be filled.
pub(super) struct Room(usize);

impl Room {
    pub(super) fn of(bytes: usize) -> Room {
        Room(bytes)
    }

    /// How much of it one text beside the payloads may take.
    pub(super) fn most_of_text(&self) -> usize {
        (self.0 / 5).min(MOST_OF_TEXT)
    }

    pub(super) fn take(&mut self, bytes: usize) {
        self.0 = self.0.saturating_sub(bytes);
    }
}

/// The end of what a target wrote, which is where it says why, in at most so many bytes of HTML.
pub(super) fn tail(text: &str, most: usize) -> String {
    let text = visible(text);
    let text = text.trim_end();
    let mut bytes = most;
    loop {
        let (end, missing) = ending(text, bytes);
        if escaped_len(end) > most {
            bytes -= bytes / 4 + 1;
        } else if missing > 0 {
            return format!("… {missing} bytes before this\n{end}");
        } else {
            return end.to_owned();
        }
    }
}

/// What is shown of a delivery when it is opened. `same` is the number of an earlier one with the same bytes.
pub(super) fn view(delivery: &Delivery, anchor: String, same: Option<usize>, room: &mut Room) -> Payload {
    let mut headers: Vec<Header> = delivery.headers.iter().map(|(name, value)| Header { name: line(name), value: line(value) }).collect();
    headers.push(Header { name: "signature".to_owned(), value: signature_words(&delivery.signature).to_owned() });
    headers.push(Header { name: "event".to_owned(), value: line(&delivery.event.id) });
    let (body, note) = match same {
        Some(number) => (String::new(), format!("The same bytes as delivery {number}.")),
        None => body(delivery, room),
    };
    Payload { anchor, headers, body, note }
}

/// How a delivery is signed. The signature itself is made when it is sent, and stands in no report.
fn signature_words(signature: &Signature) -> &'static str {
    match signature {
        Signature::Valid => "as the provider signs",
        Signature::Absent => "none",
        Signature::Truncated => "with its end missing",
        Signature::With(_) | Signature::OtherSecret(_) => "with another secret",
        Signature::Stale => "right, but an hour old",
        Signature::Rotated { known_first: true } => "with two secrets, the known one first",
        Signature::Rotated { known_first: false } => "with two secrets, the known one second",
        Signature::Over(_) => "over another body",
        Signature::At { seconds: ..0 } => "right, but some minutes old",
        Signature::At { .. } => "right, with a time to come",
        Signature::OtherScheme { first: true } => "right, after one of another scheme",
        Signature::OtherScheme { first: false } => "right, before one of another scheme",
        Signature::OnlyOtherScheme => "under the name of another scheme only",
        Signature::TwoWrong => "with two secrets, neither of them known",
        Signature::OtherCase => "right, but with its letters in the other case",
    }
}

fn body(delivery: &Delivery, room: &mut Room) -> (String, String) {
    let bytes = delivery.body.bytes();
    if bytes.is_empty() {
        return (String::new(), "The body is empty.".to_owned());
    }
    let mut notes = Vec::new();
    let text = match delivery.body.text() {
        Some(text) => indented(text).unwrap_or_else(|| text.to_owned()),
        None => {
            notes.push("Not UTF-8: � stands for what is not.".to_owned());
            String::from_utf8_lossy(bytes).into_owned()
        }
    };
    let text = visible(&text);
    let (shown, size) = fitting(&text, room.0.min(MOST_OF_BODY));
    room.take(size);
    if shown.len() < text.len() {
        notes.push(format!(
            "{} of {} bytes are shown, so that this page stays small; the case file has them all.",
            shown.len(),
            text.len()
        ));
    }
    (shown.to_owned(), notes.join(" "))
}

/// JSON on several lines, with every token as it was: numbers, escapes and members that are there twice stay what they are.
/// `None` where it is no JSON.
fn indented(text: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    Some(json::indented(&json::compact(text)))
}

/// How many bytes of HTML a text takes.
pub(super) fn escaped_len(text: &str) -> usize {
    text.chars().map(escaped_char_len).sum()
}

fn escaped_char_len(character: char) -> usize {
    match character {
        '<' | '>' | '&' | '"' | '\'' => 5,
        other => other.len_utf8(),
    }
}

/// The beginning of a text that takes at most so many bytes of HTML, and how many it takes.
pub(super) fn fitting(text: &str, most: usize) -> (&str, usize) {
    let mut size = 0;
    for (at, character) in text.char_indices() {
        let more = escaped_char_len(character);
        if size + more > most {
            return (&text[..at], size);
        }
        size += more;
    }
    (text, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(indented(text).expect("JSON"), shown);
    }

    #[test]
    fn tokens_stay_as_they_are() {
        check(
            r#"{"a":1.50,"a" : "\u00e9\"}","b":[ ],"c":[1,{}]}"#,
            "{\n  \"a\": 1.50,\n  \"a\": \"\\u00e9\\\"}\",\n  \"b\": [],\n  \"c\": [\n    1,\n    {}\n  ]\n}",
        );
        check(" 12 ", "12");
        check(r#"["\\","x"]"#, "[\n  \"\\\\\",\n  \"x\"\n]");
        assert_eq!(indented("{\"a\":}"), None);
    }

    #[test]
    fn ends_that_fit() {
        assert_eq!(tail("one\ntwo\n", 100), "one\ntwo");
        assert_eq!(tail("one\n<<<<", 20), "… 4 bytes before this\n<<<<");
        assert_eq!(tail("<<<<", 3), "… 4 bytes before this\n");
        assert_eq!(tail("", 0), "");
    }

    #[test]
    fn what_fits_is_measured_as_html() {
        assert_eq!(fitting("a<b", 6), ("a<", 6));
        assert_eq!(fitting("a<b", 5), ("a", 1));
        assert_eq!(fitting("ab", 9), ("ab", 2));
        assert_eq!(escaped_len("a<é"), 8);
    }
}
