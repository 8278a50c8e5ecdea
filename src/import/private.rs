//! Personal data, replaced.
//!
//! What may stay is named, and everything else goes: numbers, times, currencies, countries, the words of states and types,
//! and what the provider's own documents show in the same member. So a member that nobody has thought of is replaced too.
//! The same text becomes the same replacement everywhere, so whatever belongs together still does.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

use super::scramble::{hash, id, letters, like};
use crate::{corpus::Corpus, domain::EventTime, json::Value};

/// A kind of personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An id of an event, order, refund, customer or anything else.
    Id,
    /// A person's or a company's name.
    Name,
    /// A mail address.
    Mail,
    /// A phone number.
    Phone,
    /// A street, town or postal code.
    Address,
    /// An IP address.
    Ip,
    /// Digits, dates or fingerprints of a card or an account.
    Card,
    /// A secret, token or key.
    Token,
    /// An address on the web.
    Url,
    /// Any other text.
    Text,
}

impl Kind {
    /// The word for so many of them.
    pub fn words(self, count: u64) -> &'static str {
        let one = count == 1;
        match self {
            Kind::Id if one => "id",
            Kind::Id => "ids",
            Kind::Name if one => "name",
            Kind::Name => "names",
            Kind::Mail if one => "mail address",
            Kind::Mail => "mail addresses",
            Kind::Phone if one => "phone number",
            Kind::Phone => "phone numbers",
            Kind::Address if one => "part of an address",
            Kind::Address => "parts of addresses",
            Kind::Ip if one => "IP address",
            Kind::Ip => "IP addresses",
            Kind::Card if one => "card or account detail",
            Kind::Card => "card and account details",
            Kind::Token if one => "token",
            Kind::Token => "tokens",
            Kind::Url if one => "web address",
            Kind::Url => "web addresses",
            Kind::Text if one => "other text",
            Kind::Text => "other texts",
        }
    }
}

const NAMES: [&str; 20] = [
    "name",
    "firstname",
    "lastname",
    "middlename",
    "fullname",
    "nickname",
    "givenname",
    "familyname",
    "surname",
    "cardholder",
    "cardholdername",
    "customername",
    "companyname",
    "businessname",
    "organization",
    "company",
    "recipient",
    "username",
    "login",
    "customersignature",
];
const ADDRESS: [&str; 13] =
    ["address", "line1", "line2", "line3", "street", "street1", "street2", "city", "town", "postalcode", "zip", "zipcode", "district"];
const CARD: [&str; 22] = [
    "last4",
    "lastfour",
    "lastfourdigits",
    "dynamiclast4",
    "fingerprint",
    "bin",
    "iin",
    "expmonth",
    "expyear",
    "expirationmonth",
    "expirationyear",
    "cvc",
    "cvv",
    "iban",
    "bic",
    "accountnumber",
    "routingnumber",
    "sortcode",
    "authorizationcode",
    "networktransactionid",
    "taxid",
    "taxidentifier",
];
const BIRTH: [&str; 6] = ["dob", "dateofbirth", "birth", "birthdate", "birthday", "born"];
const TOKENS: [&str; 5] = ["secret", "token", "password", "signature", "idempotency"];

/// How many names of members are kept, each with what follows from it. Providers have fewer; a log may hold anything.
const MOST_NAMES: usize = 4096;

/// Replaces what is personal in bodies.
pub(super) struct Veil {
    seed: u64,
    words: &'static [&'static str],
    /// Texts that the provider's documents show, by their members.
    documented: HashMap<String, HashSet<String>>,
    names: HashMap<String, Arc<Name>>,
    counts: BTreeMap<Kind, u64>,
}

/// The name of a member, and what follows from it.
struct Name {
    /// Without what makes it a matter of taste.
    folded: String,
    /// Whether it holds ids.
    is_id: bool,
    /// Whether its words are nobody's.
    has_words: bool,
    /// Texts that the provider's documents show in it.
    documented: HashSet<String>,
}

impl Veil {
    pub(super) fn new(corpus: &Corpus, words: &'static [&'static str], seed: u64) -> Veil {
        let mut documented = HashMap::new();
        for example in corpus.examples.values() {
            collect("", example, &mut documented);
        }
        documented.entry("type".to_owned()).or_default().extend(corpus.catalogue.iter().map(|entry| entry.kind.clone()));
        Veil { seed, words, documented, names: HashMap::new(), counts: BTreeMap::new() }
    }

    pub(super) fn counts(self) -> BTreeMap<Kind, u64> {
        self.counts
    }

    /// A body of valid JSON with everything personal replaced, and every other byte as it is.
    pub(super) fn body(&mut self, text: &str) -> String {
        let mut walk = Walk { text, at: 0, copied: 0, out: String::with_capacity(text.len() + 64) };
        let nothing = self.name("");
        self.value(&mut walk, &nothing, &nothing);
        walk.copy_to(text.len());
        walk.out
    }

    fn name(&mut self, own: &str) -> Arc<Name> {
        if let Some(name) = self.names.get(own) {
            return Arc::clone(name);
        }
        if self.names.len() >= MOST_NAMES {
            self.names.clear();
        }
        let name = Arc::new(Name {
            folded: folded(own),
            is_id: is_id_name(own),
            has_words: self.words.contains(&own),
            documented: self.documented.get(own).cloned().unwrap_or_default(),
        });
        self.names.insert(own.to_owned(), Arc::clone(&name));
        name
    }

    fn value(&mut self, walk: &mut Walk<'_>, member: &Name, within: &Name) {
        match walk.next() {
            Some(b'{') => {
                walk.at += 1;
                while walk.next().is_some_and(|byte| byte != b'}') {
                    let name = self.name(&walk.string());
                    walk.copy_to(walk.at);
                    // The colon.
                    walk.next();
                    walk.at += 1;
                    self.value(walk, &name, member);
                    if walk.next() == Some(b',') {
                        walk.at += 1;
                    }
                }
                walk.at += 1;
            }
            Some(b'[') => {
                walk.at += 1;
                while walk.next().is_some_and(|byte| byte != b']') {
                    self.value(walk, member, within);
                    if walk.next() == Some(b',') {
                        walk.at += 1;
                    }
                }
                walk.at += 1;
            }
            Some(b'"') => {
                let start = walk.at;
                let own = walk.string();
                if let Some((kind, new)) = self.replaced(member, within, &own) {
                    *self.counts.entry(kind).or_default() += 1;
                    walk.put(start, &serde_json::to_string(&new).unwrap_or_default());
                }
            }
            Some(_) => {
                let start = walk.at;
                let own = walk.scalar();
                let is_number = own.starts_with(|first: char| first == '-' || first.is_ascii_digit());
                if is_number && let Some((kind, new)) = self.number(member, within, own) {
                    *self.counts.entry(kind).or_default() += 1;
                    walk.put(start, &new);
                }
            }
            None => {}
        }
    }

    /// A number that is a person's: a card's end, a phone, an id.
    fn number(&self, member: &Name, within: &Name, own: &str) -> Option<(Kind, String)> {
        let (name, within) = (member.folded.as_str(), within.folded.as_str());
        let kind = match () {
            () if BIRTH.contains(&name) || BIRTH.contains(&within) => return Some((Kind::Text, "1".to_owned())),
            () if name == "expmonth" || name == "expirationmonth" => return Some((Kind::Card, "12".to_owned())),
            () if CARD.contains(&name) => Kind::Card,
            () if name.contains("phone") => Kind::Phone,
            () if own.len() >= 5 && (member.is_id || within == "metadata") => Kind::Id,
            () => return None,
        };
        Some((kind, like_number(own, self.seed)))
    }

    /// What a text becomes; nothing where it stays.
    fn replaced(&self, member: &Name, within: &Name, own: &str) -> Option<(Kind, String)> {
        if own.trim().is_empty() {
            return None;
        }
        let (name, within) = (member.folded.as_str(), within.folded.as_str());
        let seed = self.seed;
        let text = |what: &str| format!("{what} {}", letters(own, seed, 8));
        let made = match () {
            () if is_mail(own) => (Kind::Mail, format!("{}@example.com", letters(own, seed, 12))),
            () if name.contains("email") => (Kind::Mail, text("mail")),
            () if own.parse::<IpAddr>().is_ok() => (Kind::Ip, ip(own, seed)),
            () if name.contains("phone") || is_phone(own) => (Kind::Phone, format!("+120255501{:02}", hash(seed, 7, own.as_bytes()) % 100)),
            () if own.starts_with("http://") || own.starts_with("https://") => {
                (Kind::Url, format!("https://example.com/{}", letters(own, seed, 12)))
            }
            () if CARD.contains(&name) => (Kind::Card, like(own, seed)),
            () if TOKENS.iter().any(|token| name.contains(token)) => (Kind::Token, like(own, seed)),
            () if BIRTH.contains(&name) || BIRTH.contains(&within) => (Kind::Text, "1970-01-01".to_owned()),
            () if member.has_words && within != "metadata" && is_word(own) && !is_of_address(name, within) => return None,
            () if member.documented.contains(own) => return None,
            () if NAMES.contains(&name) => (Kind::Name, text("Name")),
            () if ADDRESS.contains(&name) || is_of_address(name, within) => (Kind::Address, like(own, seed)),
            () if is_time(own) || name.contains("currency") && is_code(own, 3) => return None,
            () if name.contains("country") && is_code(own, 2) || name == "locale" && own.len() <= 5 => return None,
            () if member.is_id || is_id(own) => (Kind::Id, id(own, seed)),
            // Words that are put together by machines.
            () if within != "metadata" && own.contains('_') && is_word(own) && own.bytes().all(|byte| !byte.is_ascii_digit()) => {
                return None;
            }
            () => (Kind::Text, text("text")),
        };
        Some(made)
    }
}

fn collect(member: &str, value: &Value, documented: &mut HashMap<String, HashSet<String>>) {
    match value {
        Value::String(text) if text.len() <= 60 && !is_id(text) && !is_mail(text) => {
            documented.entry(member.to_owned()).or_default().insert(text.clone());
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(member, element, documented)),
        Value::Object(members) => members.iter().for_each(|(name, value)| collect(name, value, documented)),
        _ => {}
    }
}

/// A number that is written like this one, with other digits.
fn like_number(own: &str, seed: u64) -> String {
    let digits: String = own.chars().filter(char::is_ascii_digit).collect();
    let whole = own.trim_start_matches('-').bytes().take_while(u8::is_ascii_digit).count();
    let mut made = like(&digits, seed);
    // A number has no zero at its beginning. What is made so is made on from, so that two still never become one.
    while whole > 1 && made.starts_with('0') {
        made = like(&made, seed);
    }
    let mut made = made.chars();
    own.chars().map(|own| if own.is_ascii_digit() { made.next().unwrap_or(own) } else { own }).collect()
}

/// Whether a member holds ids by its name.
fn is_id_name(member: &str) -> bool {
    member == "id" || ["_id", "Id", "ID", "_ids", "Ids", "IDs"].iter().any(|end| member.ends_with(end))
}

/// A member's name without what makes it a matter of taste.
fn folded(member: &str) -> String {
    member.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A state or county; elsewhere the word means something else.
fn is_of_address(name: &str, within: &str) -> bool {
    within.ends_with("address") && matches!(name, "state" | "region" | "county" | "province")
}

fn is_mail(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace))
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.starts_with('+') && digits >= 7 && text.chars().all(|character| character.is_ascii_digit() || " +-()./".contains(character))
}

/// A time, or a day.
fn is_time(text: &str) -> bool {
    let is_day = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| if place == 4 || place == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    is_day || EventTime::parse(text).is_ok()
}

fn is_code(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_word(text: &str) -> bool {
    text.len() <= 60 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Whether a text looks like an id, whatever its member is called.
fn is_id(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let has_prefix = text.split_once('_').is_some_and(|(prefix, rest)| {
        prefix.len() <= 8 && rest.len() >= 12 && !rest.contains('_') && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
    });
    is_plain && (digits >= 5 || has_prefix || digits > 0 && text.len() >= 16)
}

/// An address that is set aside for documents.
fn ip(own: &str, seed: u64) -> String {
    let number = hash(seed, 6, own.as_bytes());
    if own.contains(':') {
        format!("2001:db8::{:x}:{:x}", number % 65_536, number / 65_536 % 65_536)
    } else {
        format!("198.51.100.{}", number % 256)
    }
}

/// A walk through a text of valid JSON.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    /// How much of the text is in `out` already.
    copied: usize,
    out: String,
}

impl<'t> Walk<'t> {
    /// The next byte that is no white space; the walk stands at it.
    fn next(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        self.text.as_bytes().get(self.at).copied()
    }

    /// The string at which the walk stands, which goes behind it.
    fn string(&mut self) -> Cow<'t, str> {
        let start = self.at;
        let mut escaped = false;
        let length = self.text.as_bytes()[start + 1..].iter().position(|byte| match byte {
            _ if escaped => {
                escaped = false;
                false
            }
            b'\\' => {
                escaped = true;
                false
            }
            byte => *byte == b'"',
        });
        self.at = length.map_or(self.text.len(), |length| start + length + 2);
        let written = &self.text[start..self.at];
        if written.contains('\\') {
            return Cow::Owned(serde_json::from_str(written).unwrap_or_default());
        }
        Cow::Borrowed(written.get(1..written.len().saturating_sub(1)).unwrap_or_default())
    }

    /// The number or word at which the walk stands, which goes behind it.
    fn scalar(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        let end = rest.find([',', '}', ']', ' ', '\n', '\r', '\t']).unwrap_or(rest.len()).max(1);
        self.at += end;
        &rest[..end]
    }

    fn copy_to(&mut self, end: usize) {
        self.out.push_str(&self.text[self.copied..end]);
        self.copied = end;
    }

    /// Puts a text in the place of what was walked through since `start`.
    fn put(&mut self, start: usize, new: &str) {
        self.copy_to(start);
        self.out.push_str(new);
        self.copied = self.at;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[track_caller]
    fn check_number(own: &str) {
        for seed in 0..50 {
            let made = like_number(own, seed);
            assert_eq!(made.len(), own.len(), "{made}");
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(&made).is_ok(), "{own} became {made}");
        }
    }

    #[test]
    fn numbers_stay_numbers() {
        for own in ["4242", "-51234", "1.25e10", "0.123456", "12345678901234567890", "7"] {
            check_number(own);
        }
    }

    #[test]
    fn no_two_numbers_become_one() {
        let made: HashSet<String> = (1000..10_000).map(|own: u32| like_number(&own.to_string(), 7)).collect();
        assert_eq!(made.len(), 9000);
    }
}
