//! Fresh ids for targets that keep what they were told.
//!
//! Ids follow from the seed, so that a run can be repeated. A service with a database would meet the orders, refunds
//! and events of the last run again and take them for redeliveries. So what is sent to it goes through here: every id
//! is replaced by one that looks alike and follows from the id and a salt that is drawn anew for each run. What it
//! shows and says is put back into the ids of the case, and neither reports nor saved cases know of any of this.

use std::collections::{HashMap, HashSet};

use crate::{
    adapter::TargetError,
    case::{Act, Body, Case, Delivery, Signature},
    check::Failure,
    domain::OrderState,
    model::{EventFacts, Expectation, Tell},
    provider::mix,
};

/// The ids of one case, as they are sent in this run.
pub(super) struct Aliases {
    salt: u64,
    known: HashSet<String>,
    /// From what is sent to what stands in the case.
    back: HashMap<String, String>,
}

/// A case under ids that follow from a salt.
pub fn with_fresh_ids(case: &Case, salt: u64) -> Case {
    Aliases::of(case, salt).0
}

impl Aliases {
    /// The case as it is sent, and the way back.
    pub(super) fn of(case: &Case, salt: u64) -> (Case, Aliases) {
        let mut aliases = Aliases { salt, known: ids(case), back: HashMap::new() };
        let sent = aliases.case(case.clone());
        (sent, aliases)
    }

    /// A text with the ids of the case.
    pub(super) fn text_back(&self, text: &str) -> String {
        let back = |token: &str| self.back.get(token).cloned();
        String::from_utf8(replaced(text.as_bytes(), back)).unwrap_or_else(|_| text.to_owned())
    }

    pub(super) fn failure_back(&self, failure: &mut Failure) {
        for text in [&mut failure.message, &mut failure.expected, &mut failure.observed, &mut failure.diff] {
            *text = self.text_back(text);
        }
    }

    pub(super) fn error_back(&self, error: &mut TargetError) {
        error.each_text(|text| *text = self.text_back(text));
    }

    pub(super) fn state_back(&self, state: &mut OrderState) {
        state.order_id = self.text_back(&state.order_id);
        for refund in state.refunds.iter_mut().flatten() {
            refund.id = self.text_back(&refund.id);
        }
    }

    fn case(&mut self, mut case: Case) -> Case {
        for order in &mut case.orders {
            self.id(&mut order.order_id);
            order.charges.iter_mut().for_each(|charge| self.id(&mut charge.id));
            order.items.iter_mut().for_each(|item| self.id(&mut item.item_id));
        }
        for entry in &mut case.entries {
            match &mut entry.act {
                Act::Deliver(delivery) => self.delivery(delivery),
                Act::Together(deliveries) => deliveries.iter_mut().for_each(|delivery| self.delivery(delivery)),
                Act::Initiate(own) => {
                    self.id(&mut own.order_id);
                    self.id(&mut own.refund.id);
                }
                Act::Restart => {}
            }
            entry.expect.iter_mut().chain(&mut entry.expect_if_refused).for_each(|expected| self.expectation(expected));
        }
        case.expect.iter_mut().chain(&mut case.expect_if_applied).for_each(|expected| self.expectation(expected));
        case
    }

    fn delivery(&mut self, delivery: &mut Delivery) {
        let EventFacts { id, order_id, tells, .. } = &mut delivery.event;
        self.id(id);
        order_id.iter_mut().for_each(|order| self.id(order));
        for tell in tells {
            if let Tell::Refund { id, .. } | Tell::Charge { id, .. } = tell {
                self.id(id);
            }
        }
        delivery.body = Body::new(self.bytes(delivery.body.bytes()));
        if let Signature::Over(other) = &mut delivery.signature
            && let Ok(text) = String::from_utf8(self.bytes(other.as_bytes()))
        {
            *other = text;
        }
    }

    fn expectation(&mut self, expected: &mut Expectation) {
        self.id(&mut expected.order_id);
        expected.refunds.iter_mut().flatten().for_each(|refund| self.id(&mut refund.id));
    }

    fn id(&mut self, id: &mut String) {
        *id = self.sent(id);
    }

    fn bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        let known = std::mem::take(&mut self.known);
        let sent = replaced(bytes, |token| (known.contains(token) || is_uuid(token)).then(|| self.sent(token)));
        self.known = known;
        sent
    }

    fn sent(&mut self, id: &str) -> String {
        let sent = look_alike(id, self.salt);
        self.back.insert(sent.clone(), id.to_owned());
        sent
    }
}

/// Every id that the case knows. Bodies hold more, which are UUIDs and known by their form.
fn ids(case: &Case) -> HashSet<String> {
    let mut ids = HashSet::new();
    for order in &case.orders {
        ids.insert(order.order_id.clone());
        ids.extend(order.charges.iter().map(|charge| charge.id.clone()));
        ids.extend(order.items.iter().map(|item| item.item_id.clone()));
    }
    ids.extend(
        case.entries.iter().filter_map(|entry| if let Act::Initiate(own) = &entry.act { Some(own.refund.id.clone()) } else { None }),
    );
    for delivery in case.all_deliveries() {
        ids.insert(delivery.event.id.clone());
        for tell in &delivery.event.tells {
            if let Tell::Refund { id, .. } | Tell::Charge { id, .. } = tell {
                ids.insert(id.clone());
            }
        }
    }
    ids
}

/// An id of the same form: digits stay digits and letters letters; what stands before the last `_` says what kind of
/// id it is and stays.
fn look_alike(id: &str, salt: u64) -> String {
    let kind = id.rfind('_').map_or(0, |end| end + 1);
    let uuid = is_uuid(id);
    let mut state = id.bytes().fold(mix(salt), |state, byte| mix(state ^ u64::from(byte)));
    let mut draw = |from: u8, count: u8| {
        state = mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
        from + u8::try_from(state % u64::from(count)).unwrap_or(0)
    };
    let replace = |(place, byte): (usize, u8)| match byte {
        // The version and the variant of a UUID.
        _ if place < kind || uuid && (place - kind == 14 || place - kind == 19) => byte,
        b'0'..=b'9' if place == kind => draw(b'1', 9),
        b'0'..=b'9' => draw(b'0', 10),
        b'a'..=b'f' => draw(b'a', 6),
        b'g'..=b'z' => draw(b'g', 20),
        b'A'..=b'Z' => draw(b'A', 26),
        other => other,
    };
    String::from_utf8(id.bytes().enumerate().map(replace).collect()).unwrap_or_else(|_| id.to_owned())
}

/// Whether it is a UUID, perhaps after a prefix like `re_`.
fn is_uuid(token: &str) -> bool {
    let digits = token.rsplit('_').next().unwrap_or_default().as_bytes();
    digits.len() == 36
        && digits.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Replaces words of letters, digits, `_` and `-`. A character that is written as a JSON escape stays one.
fn replaced(bytes: &[u8], mut alias: impl FnMut(&str) -> Option<String>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut word = String::new();
    while !rest.is_empty() {
        word.clear();
        let start = rest;
        let mut forms = Vec::new();
        while let Some((byte, length)) = word_byte(rest) {
            word.push(char::from(byte));
            forms.push(length);
            rest = &rest[length..];
        }
        if word.is_empty() {
            out.push(rest[0]);
            rest = &rest[1..];
        } else if let Some(other) = alias(&word).filter(|other| other.len() == word.len()) {
            for (byte, length) in other.bytes().zip(forms) {
                if length == 1 {
                    out.push(byte);
                } else {
                    out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                }
            }
        } else {
            out.extend_from_slice(&start[..start.len() - rest.len()]);
        }
    }
    out
}

/// The next character of a word and how many bytes it is written with.
fn word_byte(bytes: &[u8]) -> Option<(u8, usize)> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if let Some(escape) = bytes.strip_prefix(b"\\u00") {
        let digits = std::str::from_utf8(escape.get(..2)?).ok()?;
        return u8::from_str_radix(digits, 16).ok().filter(is_word).map(|byte| (byte, 6));
    }
    bytes.first().copied().filter(is_word).map(|byte| (byte, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let alias = |token: &str| (token == "re_12").then(|| "re_34".to_owned());
        assert_eq!(String::from_utf8(replaced(body.as_bytes(), alias)).expect("text"), expected);
    }

    #[test]
    fn whole_words_are_replaced() {
        check(r#"{"id":"re_12"}"#, r#"{"id":"re_34"}"#);
        check("re_12", "re_34");
        check(r#"{"id":"re_123","other":"xre_12"}"#, r#"{"id":"re_123","other":"xre_12"}"#);
        check(r#"{"url":"https://x/re_12/y"}"#, r#"{"url":"https://x/re_34/y"}"#);
    }

    #[test]
    fn escapes_stay_escapes() {
        check(r#"{"id":"re_\u0031\u0032"}"#, r#"{"id":"re_\u0033\u0034"}"#);
        check(r#"{"id":"\u0072e_12"}"#, r#"{"id":"\u0072e_34"}"#);
        check(r"broken off \u00", r"broken off \u00");
    }

    #[test]
    fn what_is_no_text_stays_as_it_is() {
        assert_eq!(replaced(b"\xff\"re_12\"\xfe", |_| Some("re_34".to_owned())), b"\xff\"re_34\"\xfe");
    }

    #[test]
    fn look_alikes_have_the_same_form() {
        for id in
            ["235504220336", "re_252eb3f4-81b2-4576-aabd-6af2df248e99", "evt_auigfianfoangohuehg", "7c4d9a10-0000-4000-8000-000000000000"]
        {
            let other = look_alike(id, 7);
            assert_ne!(other, id);
            assert_eq!(other.len(), id.len());
            assert_eq!(other, look_alike(id, 7));
            assert_ne!(other, look_alike(id, 8));
            assert_eq!(is_uuid(&other), is_uuid(id));
            assert!(!other.starts_with('0'));
        }
    }
}
