//! Fresh ids for targets that keep what they were told.
//!
//! Ids follow from the seed, so that a run can be repeated. A service with a database would meet the orders, refunds
//! and events of the last run again and take them for redeliveries. So what is sent to it goes through here: every id
//! is replaced by one that looks alike and follows from the id and a salt that is drawn anew for each run. What it
//! shows and says is put back into the ids of the case, and neither reports nor saved cases know of any of this.

use std::{borrow::Cow, collections::HashMap};

use super::written;
use crate::{
    adapter::TargetError,
    case::{Act, Body, Case, Delivery, OwnRefund, Signature},
    check::Failure,
    domain::OrderState,
    model::{EventFacts, Expectation, Tell},
    provider::mix,
};

/// Ids that are minted are longer than this. A shorter one was written by hand, stands as a word or a number in many places of a
/// body where it means something else, and stays.
const SHORTEST: usize = 8;

/// The ids of one case, as they are sent in this run.
pub(crate) struct Aliases {
    salt: u64,
    /// From what stands in the case to what is sent.
    there: HashMap<String, String>,
    /// From what is sent to what stands in the case.
    back: HashMap<String, String>,
}

/// A case under ids that follow from a salt.
pub fn with_fresh_ids(case: &Case, salt: u64) -> Case {
    Aliases::of(case, salt).0
}

impl Aliases {
    /// The case as it is sent, and the way back.
    pub(crate) fn of(case: &Case, salt: u64) -> (Case, Aliases) {
        let mut aliases = Aliases { salt, there: HashMap::new(), back: HashMap::new() };
        // All of them before any body, which may mention what is told of only later.
        each_id(case, |id| {
            aliases.sent(id);
        });
        let sent = aliases.case(case.clone());
        (sent, aliases)
    }

    /// A text with the ids of the case.
    pub(crate) fn text_back(&self, text: &str) -> String {
        let back = |token: &str| self.back.get(token).cloned();
        String::from_utf8(replaced(text.as_bytes(), back)).unwrap_or_else(|_| text.to_owned())
    }

    pub(crate) fn failure_back(&self, failure: &mut Failure) {
        for text in [&mut failure.message, &mut failure.expected, &mut failure.observed, &mut failure.diff] {
            *text = self.text_back(text);
        }
    }

    pub(crate) fn error_back(&self, error: &mut TargetError) {
        error.each_text(|text| *text = self.text_back(text));
    }

    pub(crate) fn state_back(&self, state: &mut OrderState) {
        state.order_id = self.text_back(&state.order_id);
        for refund in state.refunds.iter_mut().flatten() {
            refund.id = self.text_back(&refund.id);
        }
    }

    fn case(&mut self, mut case: Case) -> Case {
        for order in &mut case.orders {
            self.id(&mut order.order_id);
            order.payment_intent_id.iter_mut().for_each(|payment| self.id(payment));
            order.charges.iter_mut().for_each(|charge| self.id(&mut charge.id));
            order.items.iter_mut().for_each(|item| self.id(&mut item.item_id));
        }
        for entry in &mut case.entries {
            match &mut entry.act {
                Act::Deliver(delivery) => self.delivery(delivery),
                Act::Together(deliveries) => deliveries.iter_mut().for_each(|delivery| self.delivery(delivery)),
                Act::Initiate(own) => self.own(own),
                Act::Meanwhile(own, deliveries) => {
                    self.own(own);
                    deliveries.iter_mut().for_each(|delivery| self.delivery(delivery));
                }
                Act::Begin(order_id) => self.id(order_id),
                Act::Restart | Act::Advance(_) => {}
            }
            entry.expect.iter_mut().chain(&mut entry.expect_if_refused).for_each(|expected| self.expectation(expected));
        }
        for object in &mut case.api {
            self.id(&mut object.order_id);
            self.id(&mut object.id);
            object.tells.iter_mut().for_each(|tell| each_id_of(tell, |id| self.id(id)));
            // It was text and ids are.
            object.body = String::from_utf8(self.bytes(object.body.as_bytes())).unwrap_or_default();
        }
        case.expect.iter_mut().chain(&mut case.expect_if_applied).for_each(|expected| self.expectation(expected));
        case
    }

    fn own(&mut self, own: &mut OwnRefund) {
        self.id(&mut own.order_id);
        self.id(&mut own.refund.id);
    }

    fn delivery(&mut self, delivery: &mut Delivery) {
        let EventFacts { id, order_id, tells, .. } = &mut delivery.event;
        self.id(id);
        order_id.iter_mut().for_each(|order| self.id(order));
        tells.iter_mut().for_each(|tell| each_id_of(tell, |id| self.id(id)));
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

    /// Bodies hold more ids than the case knows, which are known by their form.
    fn bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        replaced(bytes, |token| self.there.get(token).cloned().or_else(|| is_id(token).then(|| self.sent(token))))
    }

    fn sent(&mut self, id: &str) -> String {
        if id.len() < SHORTEST {
            return id.to_owned();
        }
        if let Some(sent) = self.there.get(id) {
            return sent.clone();
        }
        let sent = look_alike(id, self.salt);
        self.there.insert(id.to_owned(), sent.clone());
        self.back.insert(sent.clone(), id.to_owned());
        sent
    }
}

/// Every id that the case knows.
fn each_id(case: &Case, mut see: impl FnMut(&str)) {
    for order in &case.orders {
        see(&order.order_id);
        order.payment_intent_id.iter().for_each(|payment| see(payment));
        order.charges.iter().for_each(|charge| see(&charge.id));
        order.items.iter().for_each(|item| see(&item.item_id));
    }
    for entry in &case.entries {
        if let Some(own) = entry.act.own_refund() {
            see(&own.refund.id);
        }
    }
    case.api.iter().for_each(|object| see(&object.id));
    for delivery in case.all_deliveries() {
        see(&delivery.event.id);
        for tell in &delivery.event.tells {
            match tell {
                Tell::Refund { id, .. } | Tell::Charge { id, .. } | Tell::Dispute { id, .. } => see(id),
                Tell::Total { id, covers, .. } => {
                    see(id);
                    covers.iter().for_each(|covered| see(&covered.id));
                }
                Tell::Order { .. } | Tell::Chargeback => {}
            }
        }
    }
}

/// The ids in what is told.
fn each_id_of(tell: &mut Tell, mut change: impl FnMut(&mut String)) {
    match tell {
        Tell::Refund { id, .. } | Tell::Charge { id, .. } | Tell::Dispute { id, .. } => change(id),
        Tell::Total { id, covers, .. } => {
            change(id);
            covers.iter_mut().for_each(|covered| change(&mut covered.id));
        }
        Tell::Order { .. } | Tell::Chargeback => {}
    }
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

/// Whether a word is an id that was made, by its form: a UUID, or a short prefix and many letters and digits.
fn is_id(token: &str) -> bool {
    const SHORTEST_CODE: usize = 16;
    let is_code = |code: &str| {
        code.len() >= SHORTEST_CODE
            && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && code.bytes().any(|byte| byte.is_ascii_digit())
            && code.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    is_uuid(token) || token.rsplit_once('_').is_some_and(|(prefix, code)| prefix.len() <= 5 && is_code(code))
}

/// Replaces words of letters, digits, `_` and `-`. A character that is written as a JSON escape stays one.
fn replaced(bytes: &[u8], mut alias: impl FnMut(&str) -> Option<String>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        let (word, forms) = word_at(rest);
        if word.is_empty() {
            out.push(*first);
            rest = &rest[1..];
            continue;
        }
        let length = if forms.is_empty() { word.len() } else { forms.iter().sum() };
        match alias(&word).filter(|other| other.len() == word.len()) {
            None => out.extend_from_slice(&rest[..length]),
            Some(other) if forms.is_empty() => out.extend_from_slice(other.as_bytes()),
            Some(other) => {
                other.bytes().zip(forms).for_each(|(byte, form)| written::write(byte, form, &mut out));
            }
        }
        rest = &rest[length..];
    }
    out
}

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The word that these bytes begin with and, if some of it is escaped, how many bytes each character is written with.
fn word_at(bytes: &[u8]) -> (Cow<'_, str>, Vec<usize>) {
    let plain = bytes.iter().take_while(|byte| is_word(byte)).count();
    if !written::is_escape(&bytes[plain..]) {
        return (String::from_utf8_lossy(&bytes[..plain]), Vec::new());
    }
    let mut rest = bytes;
    let characters = std::iter::from_fn(|| {
        let (byte, length) = word_byte(rest)?;
        rest = &rest[length..];
        Some((char::from(byte), length))
    });
    let (word, forms): (String, Vec<usize>) = characters.unzip();
    (word.into(), forms)
}

/// The next character of a word and how many bytes it is written with.
fn word_byte(bytes: &[u8]) -> Option<(u8, usize)> {
    written::character(bytes).filter(|(byte, _)| is_word(byte))
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
