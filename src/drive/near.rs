//! Refunds that the shop makes itself are made now, so what is told of them must be dated now too.
//!
//! Cases are dated years ago, so that the same seed makes the same bytes. A shop may write down by its own clock when it made a
//! refund, and hold what the provider tells against that: its refund at ten o'clock, the provider's event five seconds later. With
//! events of years ago it would take them all for old news, and be blamed for what is right. So in a case in which the shop makes
//! a refund all times are moved by the same number of seconds as it is sent: what lay apart still does, what is written otherwise
//! stays as it is written, and neither reports nor saved cases know of it.

use std::borrow::Cow;

use jiff::{SignedDuration, civil::DateTime};

use super::written;
use crate::{
    case::{Act, Body, Case, Delivery, OwnRefund, Signature},
    model::Tell,
    provider::Provider,
};

/// So many seconds after the beginning of the case the provider makes the first event about a refund of the shop's. By then even
/// a slow target has been asked for it; and clocks that differ by less than this are common.
const LEAD: i64 = 30;

/// The case as it is sent at this time, in seconds after 1970: as it is, unless the shop makes a refund in it.
pub(crate) fn timely<'c>(case: &'c Case, provider: &dyn Provider, now: u64) -> Cow<'c, Case> {
    let Some(first) = first_of_own(case) else { return Cow::Borrowed(case) };
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let by = now.saturating_add(LEAD).saturating_add(passes_before(case)).saturating_sub(first);
    Cow::Owned(Move { by, whole_seconds: provider.whole_seconds() }.case(case.clone()))
}

/// The second in which the first event about a refund that the shop makes itself came into being.
fn first_of_own(case: &Case) -> Option<i64> {
    let own: Vec<&OwnRefund> = case.entries.iter().filter_map(|entry| entry.act.own_refund()).collect();
    if own.is_empty() {
        return None;
    }
    let is_about = |delivery: &&Delivery| {
        let told = |tell: &Tell| own.iter().any(|own| matches!(tell, Tell::Refund { id, .. } if *id == own.refund.id));
        delivery.event.tells.iter().any(told)
    };
    let all = || case.all_deliveries();
    let first = all().filter(is_about).map(|delivery| delivery.event.created_time.micros()).min();
    // Where nothing is told of it by its id, what is told of its order is about it too.
    let of_orders = |delivery: &&Delivery| own.iter().any(|own| delivery.event.order_id.as_ref() == Some(&own.order_id));
    first
        .or_else(|| all().filter(of_orders).map(|delivery| delivery.event.created_time.micros()).min())
        .map(|micros| micros.div_euclid(1_000_000))
}

/// How many seconds pass for the target before the shop makes its last refund.
fn passes_before(case: &Case) -> i64 {
    let last = case.entries.iter().rposition(|entry| entry.act.own_refund().is_some()).unwrap_or(0);
    let seconds = case.entries[..last].iter().filter_map(|entry| match entry.act {
        Act::Advance(seconds) => i64::try_from(seconds).ok(),
        _ => None,
    });
    seconds.fold(0, i64::saturating_add)
}

/// Times that are moved.
#[derive(Clone, Copy)]
struct Move {
    /// So many seconds.
    by: i64,
    /// Whether times are numbers: seconds after 1970.
    whole_seconds: bool,
}

/// Between these seconds after 1970 a number that stands for itself is a time, with providers that write times so: those of cases
/// are (2020 to 2030), and no amount is as large.
const SECONDS: std::ops::Range<i64> = 1_577_836_800..1_893_456_000;

/// How a time begins: `2022-03-17T16:23:29`, or with a blank for the `T`. What follows may be a fraction and a zone.
const FORM: &[u8] = b"dddd-dd-ddTdd:dd:dd";

impl Move {
    fn case(self, mut case: Case) -> Case {
        case.all_deliveries_mut().for_each(|delivery| self.delivery(delivery));
        case.api.iter_mut().for_each(|object| self.text(&mut object.body));
        case
    }

    fn delivery(self, delivery: &mut Delivery) {
        delivery.body = Body::new(self.bytes(delivery.body.bytes()));
        if let Signature::Over(other) = &mut delivery.signature {
            self.text(other);
        }
    }

    fn text(self, text: &mut String) {
        // It was text, and only digits of it change.
        if let Ok(moved) = String::from_utf8(self.bytes(text.as_bytes())) {
            *text = moved;
        }
    }

    /// Bytes of JSON, whole or broken, in which every string that begins as a time does and every number that is one is moved.
    fn bytes(self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let (mut rest, mut in_string) = (bytes, false);
        while !rest.is_empty() {
            // Hardly anything is a time: whatever lies before the next thing that matters is copied as a whole.
            let plain = rest.iter().position(|byte| self.matters(*byte, in_string)).unwrap_or(rest.len());
            out.extend_from_slice(&rest[..plain]);
            rest = &rest[plain..];
            let Some(&byte) = rest.first() else { break };
            let is_number = !matches!(byte, b'"' | b'\\');
            let taken = match byte {
                b'"' => 1,
                b'\\' => 2.min(rest.len()),
                _ => number_at(rest),
            };
            let (token, after) = rest.split_at(taken);
            let moved = if is_number { self.seconds(token) } else { None };
            out.extend_from_slice(moved.as_ref().map_or(token, String::as_bytes));
            rest = after;
            if byte == b'"' {
                in_string = !in_string;
                let time = if in_string { self.time_at(rest, &mut out) } else { 0 };
                rest = &rest[time..];
            }
        }
        out
    }

    /// Whether a byte may begin or end something that is moved: a string, an escape in one, or a number where numbers may be times.
    fn matters(self, byte: u8, in_string: bool) -> bool {
        match byte {
            b'"' => true,
            b'\\' => in_string,
            _ => self.whole_seconds && !in_string && (byte.is_ascii_digit() || byte == b'-'),
        }
    }

    /// A number that is a time, moved.
    fn seconds(self, number: &[u8]) -> Option<String> {
        let seconds = std::str::from_utf8(number).ok()?.parse().ok()?;
        let is_time = SECONDS.contains(&seconds);
        is_time.then(|| (seconds + self.by).to_string())
    }

    /// Moves the time with which a string begins, and says how many bytes it was written with: none where there is none.
    fn time_at(self, bytes: &[u8], out: &mut Vec<u8>) -> usize {
        let mut characters = [(0, 0); FORM.len()];
        let mut length = 0;
        for (character, form) in characters.iter_mut().zip(FORM) {
            let Some((byte, written)) = bytes.get(length..).and_then(written::character) else { return 0 };
            let fits = match form {
                b'd' => byte.is_ascii_digit(),
                b'T' => matches!(byte, b'T' | b' '),
                other => byte == *other,
            };
            if !fits {
                return 0;
            }
            *character = (byte, written);
            length += written;
        }
        let text = characters.map(|(byte, _)| byte);
        let Some(moved) = std::str::from_utf8(&text).ok().and_then(|text| self.moved(text)) else { return 0 };
        let own = |place: usize, other: u8| if FORM[place] == b'T' { text[place] } else { other };
        let digits = moved.bytes().zip(characters).enumerate();
        digits.for_each(|(place, (byte, (_, written)))| written::write(own(place, byte), written, out));
        length
    }

    /// A date and a time of day, moved; nothing where it is none, or would not be one of as many digits.
    fn moved(self, text: &str) -> Option<String> {
        let time: DateTime = text.parse().ok()?;
        let moved = time.checked_add(SignedDuration::from_secs(self.by)).ok()?;
        Some(moved.strftime("%Y-%m-%dT%H:%M:%S").to_string()).filter(|moved| moved.len() == FORM.len())
    }
}

/// How long the number is that stands here, with its fraction and its exponent.
fn number_at(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[track_caller]
    fn check(whole_seconds: bool, by: i64, body: &str, expected: &str) {
        let moved = Move { by, whole_seconds }.bytes(body.as_bytes());
        assert_eq!(String::from_utf8(moved).expect("text"), expected);
    }

    #[test]
    fn times_are_moved() {
        check(false, DAY, r#"{"at":"2022-02-28T23:59:59.123Z"}"#, r#"{"at":"2022-03-01T23:59:59.123Z"}"#);
        check(false, 1, r#"["2022-12-31 23:59:59","2022-12-31T23:59:59Z[UTC]"]"#, r#"["2023-01-01 00:00:00","2023-01-01T00:00:00Z[UTC]"]"#);
        check(false, 3600, r#"{"at":"2022-03-27T01:30:00+0000"}"#, r#"{"at":"2022-03-27T02:30:00+0000"}"#);
    }

    #[test]
    fn seconds_are_moved_where_times_are_numbers() {
        check(true, 5, r#"{"created":1680000000, "id":"1680000000"}"#, r#"{"created":1680000005, "id":"1680000000"}"#);
        check(false, 5, r#"{"amount":1680000000}"#, r#"{"amount":1680000000}"#);
        check(
            true,
            5,
            "[16800000000,1680000000.0,1680000000e0,-1680000000,100]",
            "[16800000000,1680000000.0,1680000000e0,-1680000000,100]",
        );
    }

    #[test]
    fn escapes_stay_escapes() {
        check(false, DAY, r#"{"\u0061t":"2022\u002d02-2\u0038T00:00:00Z"}"#, r#"{"\u0061t":"2022\u002d03-0\u0031T00:00:00Z"}"#);
        check(false, DAY, r#"["\"2022-02-28T00:00:00Z","\\"]"#, r#"["\"2022-02-28T00:00:00Z","\\"]"#);
    }

    #[test]
    fn what_is_no_time_stays_as_it_is() {
        for body in [
            r#"{"at":"2022-13-28T00:00:00Z"}"#,
            r#"{"at":"2022-02-28"}"#,
            r#"{"text":"on 2022-02-28T00:00:00Z"}"#,
            r#"{"at":"2022-02-28T00:00"#,
            "\"",
            "\"\\",
            "\"2022\\u00",
            "",
            "2022-02-28T00:00:00Z",
            r#"{"at":"9999-12-31T00:00:00Z"}"#,
        ] {
            check(false, DAY, body, body);
        }
        assert_eq!(Move { by: DAY, whole_seconds: true }.bytes(b"\xff\"\xfe\"\xfd"), b"\xff\"\xfe\"\xfd");
    }
}
