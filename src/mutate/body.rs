//! Structural and semantic mutations: the body is read as JSON, changed at a place and written again.
//!
//! Values that JSON libraries would tidy up (`2.16e1`, a member twice) are put in as raw text through a
//! place holder.

use super::Anatomy;
use crate::{
    domain::Amount,
    json::{Map, Value, indented},
    plan::MutationKind,
};

/// The body after the mutation: `value` as it is written in `body`. `None` where there is nothing to change.
pub(super) fn change(kind: MutationKind, pick: usize, body: &[u8], mut value: Value, anatomy: &Anatomy) -> Option<Vec<u8>> {
    let mut raw = None;
    match kind {
        MutationKind::AddMember => add_member(&mut value, pick)?,
        MutationKind::Reorder => reorder(&mut value, pick),
        MutationKind::AmountForm => {
            let text = at(&value, choose(&anatomy.needed, pick)?)?.as_number()?.as_str().to_owned();
            raw = Some(put_raw(&mut value, choose(&anatomy.needed, pick)?, with_zeros(&text, pick / anatomy.needed.len())?)?);
        }
        MutationKind::UnusualNumber => {
            let place = choose(&anatomy.needed, pick)?;
            let text = at(&value, place)?.as_number()?.as_str().to_owned();
            raw = Some(put_raw(&mut value, place, unusual_form(&text, pick / anatomy.needed.len())?)?);
        }
        MutationKind::TimeDigits => {
            let text = at(&value, &anatomy.created)?.as_str()?.to_owned();
            *value.pointer_mut(&anatomy.created)? = Value::from(other_digits(&text, pick)?);
        }
        MutationKind::ZonedTime => {
            // As libraries write a time that keep its zone with it.
            let text = at(&value, &anatomy.created)?.as_str().filter(|text| text.ends_with('Z'))?.to_owned();
            *value.pointer_mut(&anatomy.created)? = Value::from(format!("{text}[UTC]"));
        }
        MutationKind::DropOptional => {
            remove(&mut value, choose(&anatomy.optional, pick)?)?;
        }
        MutationKind::NullOptional => insert(&mut value, choose(&anatomy.nullable, pick)?, Value::Null)?,
        MutationKind::EmptyItems => {
            let place = anatomy.no_items.as_ref()?;
            if value.pointer(place).is_some() {
                remove(&mut value, place)?;
            } else {
                insert(&mut value, place, Value::Array(Vec::new()))?;
            }
        }
        MutationKind::Envelope => {
            let (place, text) = choose(&anatomy.envelope, pick)?;
            insert(&mut value, place, serde_json::from_str(text).ok()?)?;
        }
        MutationKind::NoType => _ = remove(&mut value, &anatomy.kind)?,
        MutationKind::NoObject => no_object(&mut value, &anatomy.object, pick)?,
        MutationKind::NoOrderId => remove_all(&mut value, anatomy.order_id.iter().chain(&anatomy.tells_order))?,
        MutationKind::NoAmount => remove_all(&mut value, &anatomy.tells_amount)?,
        MutationKind::Damaged => {
            let places: Vec<&String> = [&anatomy.kind, &anatomy.object].into_iter().chain(&anatomy.order_id).collect();
            damage(&mut value, choose(&places, pick)?, pick / places.len())?;
        }
        MutationKind::BadAmount => bad_amount(&mut value, choose(&anatomy.needed, pick)?, pick / anatomy.needed.len())?,
        MutationKind::BooleanAmount => *value.pointer_mut(choose(&anatomy.needed, pick)?)? = Value::Bool(true),
        MutationKind::NegativeAmount => {
            let place = choose(&anatomy.needed, pick)?;
            let own = at(&value, place)?.as_number()?.as_str().to_owned();
            if Amount::parse(&own).ok()?.is_zero() {
                return None;
            }
            *value.pointer_mut(place)? = serde_json::from_str(&format!("-{own}")).ok()?;
        }
        MutationKind::WrongRoot => {
            const ROOTS: [&str; 5] = ["[]", "null", "\"event\"", "42", "true"];
            return Some(ROOTS[pick % ROOTS.len()].as_bytes().to_vec());
        }
        MutationKind::UnknownOrder => {
            *value.pointer_mut(anatomy.order_id.as_ref()?)? = Value::from("999999999990336");
            for place in &anatomy.also_order {
                *value.pointer_mut(place)? = Value::from("999999999990337");
            }
        }
        MutationKind::OtherCurrency => {
            let place = anatomy.currency.as_ref()?;
            let own = at(&value, place)?.as_str()?.to_owned();
            let choices: Vec<&str> = ["CHF", "JPY", "ZZZ", "", "usd"].into_iter().filter(|other| *other != own).collect();
            *value.pointer_mut(place)? = Value::from(choices[pick % choices.len()]);
        }
        MutationKind::OverCaptured => {
            let place = choose(&anatomy.paid, pick)?;
            let (text, _) = choose(&anatomy.too_much, pick / anatomy.paid.len())?;
            raw = Some(put_raw(&mut value, place, text.clone())?);
        }
        MutationKind::TooPrecise => {
            let place = choose(&anatomy.needed, pick)?;
            let text = at(&value, place)?.as_number()?.as_str().to_owned();
            raw = Some(put_raw(&mut value, place, too_precise(&text, anatomy.digits)?)?);
        }
        MutationKind::TextAmount => {
            let place = choose(&anatomy.needed, pick)?;
            let text = at(&value, place)?.as_number()?.as_str().to_owned();
            *value.pointer_mut(place)? = Value::from(text);
        }
        MutationKind::UnknownState => {
            let place = choose(&anatomy.states, pick)?;
            let (word, _) = choose(&anatomy.unknown_states, pick / anatomy.states.len())?;
            *value.pointer_mut(place)? = Value::from(word.as_str());
        }
        MutationKind::BadEventId => bad_event_id(&mut value, &anatomy.id, pick)?,
        MutationKind::BadTime => bad_time(&mut value, &anatomy.created, pick)?,
        MutationKind::OtherMode => {
            let mode = value.pointer_mut(anatomy.live_mode.as_ref()?)?;
            *mode = Value::Bool(mode.as_bool() != Some(true));
        }
        MutationKind::Repeated => {
            let place = choose(&anatomy.needed, pick)?;
            let own = at(&value, place)?.to_string();
            let key = place.rsplit('/').next()?;
            raw = Some(put_raw(&mut value, place, format!("{own},\"{key}\":{own}"))?);
        }
        MutationKind::BodyChanged => tamper(&mut value, anatomy, pick)?,
        MutationKind::Reserialised => reorder(&mut value, 0),
        _ => return None,
    }
    let mut text = value.to_string();
    if let Some(raw) = raw {
        text = text.replacen(&format!("\"{PLACE_HOLDER}\""), &raw, 1);
    }
    // Whoever writes a body anew after it was signed writes it as its own library does.
    if anatomy.indented && kind != MutationKind::Reserialised {
        text = indented(&text);
    }
    let bytes = text.into_bytes();
    (bytes != body).then_some(bytes)
}

/// A body as the provider writes it.
pub(super) fn written(value: &Value, anatomy: &Anatomy) -> Vec<u8> {
    let compact = value.to_string();
    if anatomy.indented { indented(&compact) } else { compact }.into_bytes()
}

/// No payload holds this text, so it can be replaced in the written JSON.
const PLACE_HOLDER: &str = "refundproof: raw text goes here";

fn put_raw(value: &mut Value, place: &str, raw: String) -> Option<String> {
    *value.pointer_mut(place)? = Value::from(PLACE_HOLDER);
    Some(raw)
}

/// One of several things.
pub(super) fn choose<T>(choices: &[T], pick: usize) -> Option<&T> {
    choices.get(pick % choices.len().max(1))
}

fn at<'v>(value: &'v Value, place: &str) -> Option<&'v Value> {
    value.pointer(place)
}

fn split(place: &str) -> Option<(&str, &str)> {
    place.rsplit_once('/')
}

fn remove(value: &mut Value, place: &str) -> Option<Value> {
    let (parent, key) = split(place)?;
    value.pointer_mut(parent)?.as_object_mut()?.remove(key)
}

fn insert(value: &mut Value, place: &str, new: Value) -> Option<()> {
    let (parent, key) = split(place)?;
    value.pointer_mut(parent)?.as_object_mut()?.insert(key.to_owned(), new);
    Some(())
}

/// The places of all objects, the outermost first.
fn objects(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            found.push(place.to_owned());
            for (key, member) in object {
                objects(member, &format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(list) => {
            for (index, member) in list.iter().enumerate() {
                objects(member, &format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn add_member(value: &mut Value, pick: usize) -> Option<()> {
    const NAMES: [&str; 5] = ["xNew", "_links", "refundPolicy", "größe", "x.y z"];
    let values = [
        Value::from("a value"),
        Value::Null,
        Value::from([("a", vec![Value::from(1), Value::from([("b", Value::Null)])].into()), ("amount", "none".into())]),
        Value::Array(Vec::new()),
        Value::from(12_345_678_901_234_567_890),
        Value::Bool(true),
    ];
    let mut places = Vec::new();
    objects(value, "", &mut places);
    let place = choose(&places, pick)?;
    let object = value.pointer_mut(place)?.as_object_mut()?;
    object.insert(NAMES[pick % NAMES.len()].to_owned(), values[pick % values.len()].clone());
    Some(())
}

fn reorder(value: &mut Value, pick: usize) {
    match value {
        Value::Object(object) => {
            let mut members: Vec<(String, Value)> = std::mem::take(object).into_iter().collect();
            if pick.is_multiple_of(2) {
                members.reverse();
            } else {
                let middle = members.len() / 2;
                members.rotate_left(middle);
            }
            for (key, mut member) in members {
                reorder(&mut member, pick);
                object.insert(key, member);
            }
        }
        // The order of a list means something.
        Value::Array(list) => list.iter_mut().for_each(|member| reorder(member, pick)),
        _ => {}
    }
}

/// The same amount with more zeros, as a provider of decimals may write it.
fn with_zeros(text: &str, pick: usize) -> Option<String> {
    let (whole, fraction) = text.split_once('.')?;
    if text.contains(['e', 'E']) {
        return None;
    }
    let width = match pick % 3 {
        0 => fraction.len() + 1,
        1 => 2.max(fraction.len() + 1),
        _ => 6.max(fraction.len() + 1),
    };
    Some(format!("{whole}.{fraction:0<width$}"))
}

/// The same amount as another JSON number, which no provider writes.
fn unusual_form(text: &str, pick: usize) -> Option<String> {
    // One change of notation is enough.
    if text.contains(['e', 'E']) {
        return None;
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digit = if fraction.is_empty() { "0" } else { fraction };
    let (sign, positive) = whole.strip_prefix('-').map_or(("", whole), |positive| ("-", positive));
    // JSON has no leading zeros.
    let integer = |digits: String| match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        rest => rest.to_owned(),
    };
    Some(match pick % 4 {
        0 => format!("{sign}{}e-{}", integer(format!("{positive}{fraction}")), fraction.len()),
        1 => format!("{sign}{}E-{}", integer(format!("{positive}{fraction}0")), fraction.len() + 1),
        2 => format!("{whole}.{digit}e0"),
        // A whole number with a fraction, or a decimal without one.
        _ if fraction.is_empty() => format!("{whole}.0"),
        _ if fraction.bytes().all(|byte| byte == b'0') => whole.to_owned(),
        _ => return None,
    })
}

/// A time with other fraction digits, the same instant.
fn other_digits(text: &str, pick: usize) -> Option<String> {
    let plain = text.strip_suffix('Z')?;
    let (seconds, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let zeros = 1 + pick % 3;
    // More than nine digits is more than common parsers take.
    let fraction = format!("{fraction}{}", "0".repeat(zeros.min(9_usize.checked_sub(fraction.len())?)));
    Some(format!("{seconds}.{fraction}Z"))
}

fn damage(value: &mut Value, place: &str, pick: usize) -> Option<()> {
    match pick % 5 {
        0 => {
            remove(value, place)?;
        }
        4 => rename(value, place)?,
        1 => *value.pointer_mut(place)? = Value::Null,
        2 => *value.pointer_mut(place)? = Value::Object(Map::new()),
        _ => *value.pointer_mut(place)? = Value::Array(Vec::new()),
    }
    Some(())
}

/// The name of a member in capitals: some readers take it for the same.
fn rename(value: &mut Value, place: &str) -> Option<()> {
    let member = remove(value, place)?;
    let (parent, key) = split(place)?;
    insert(value, &format!("{parent}/{}", key.to_uppercase()), member)
}

fn no_object(value: &mut Value, place: &str, pick: usize) -> Option<()> {
    // Alone, or with what it stands in.
    let (parent, _) = split(place)?;
    let place = if pick.is_multiple_of(2) || parent.is_empty() { place } else { parent };
    remove(value, place).map(|_| ())
}

/// Takes out whatever of these is there; `None` where none is.
fn remove_all<'p>(value: &mut Value, places: impl IntoIterator<Item = &'p String>) -> Option<()> {
    let removed = places.into_iter().filter(|place| remove(value, place).is_some()).count();
    (removed > 0).then_some(())
}

fn bad_amount(value: &mut Value, place: &str, pick: usize) -> Option<()> {
    match pick % 5 {
        4 => rename(value, place)?,
        0 => {
            remove(value, place)?;
        }
        2 => *value.pointer_mut(place)? = Value::Array(Vec::new()),
        3 => *value.pointer_mut(place)? = Value::Object(Map::new()),
        _ => *value.pointer_mut(place)? = Value::Null,
    }
    Some(())
}

/// The amount with the noise that adding it up in binary fractions leaves.
fn too_precise(text: &str, digits: u32) -> Option<String> {
    let amount = Amount::parse(text).ok()?;
    if amount.is_zero() {
        return None;
    }
    let exact = amount.to_fixed(digits.max(2));
    let (whole, fraction) = exact.split_once('.')?;
    if whole.len() > 9 {
        return None;
    }
    Some(format!("{whole}.{fraction}{}1", "0".repeat(13_usize.saturating_sub(fraction.len()))))
}

fn bad_event_id(value: &mut Value, place: &str, pick: usize) -> Option<()> {
    match pick % 6 {
        0 => {
            remove(value, place)?;
        }
        1 => *value.pointer_mut(place)? = Value::Null,
        2 => *value.pointer_mut(place)? = Value::from(""),
        3 => *value.pointer_mut(place)? = Value::from("e".repeat(5_000)),
        4 => *value.pointer_mut(place)? = Value::from(17),
        _ => {
            let own = at(value, place)?.as_str()?.to_owned();
            *value.pointer_mut(place)? = Value::from(format!("ereignis-ü-事件-{own}"));
        }
    }
    Some(())
}

/// A time that was written as seconds after 1970.
fn bad_seconds(value: &mut Value, place: &str, seconds: u64, pick: usize) -> Option<()> {
    match pick % 5 {
        0 => {
            remove(value, place)?;
        }
        1 => *value.pointer_mut(place)? = Value::Null,
        2 => *value.pointer_mut(place)? = Value::from("yesterday"),
        3 => *value.pointer_mut(place)? = Value::from(seconds.to_string()),
        _ => *value.pointer_mut(place)? = Value::from(""),
    }
    Some(())
}

fn bad_time(value: &mut Value, place: &str, pick: usize) -> Option<()> {
    if let Some(seconds) = at(value, place)?.as_u64() {
        return bad_seconds(value, place, seconds, pick);
    }
    let own = at(value, place)?.as_str()?.to_owned();
    let plain = own.strip_suffix('Z')?;
    match pick % 8 {
        0 => {
            remove(value, place)?;
        }
        1 => *value.pointer_mut(place)? = Value::Null,
        2 => *value.pointer_mut(place)? = Value::from("yesterday"),
        3 => *value.pointer_mut(place)? = Value::from("2022-13-45T25:61:61Z"),
        4 => *value.pointer_mut(place)? = Value::from(1_647_533_874),
        5 => *value.pointer_mut(place)? = Value::from(""),
        6 => *value.pointer_mut(place)? = Value::from(format!("{plain}+0000")),
        _ => *value.pointer_mut(place)? = Value::from(format!("{plain}+00:00")),
    }
    Some(())
}

/// A change that a forger would make: more money, another order.
fn tamper(value: &mut Value, anatomy: &Anatomy, pick: usize) -> Option<()> {
    let place = choose(&anatomy.paid, pick).or_else(|| choose(&anatomy.needed, pick));
    match place {
        Some(place) if pick.is_multiple_of(2) => *value.pointer_mut(place)? = serde_json::from_str("0.0").ok()?,
        _ => insert(value, &format!("{}/forged", anatomy.object), Value::Bool(true))?,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{unusual_form, with_zeros};
    use crate::domain::Amount;

    #[track_caller]
    fn same_number(written: &str, other: &str) {
        let number: serde_json::Value = serde_json::from_str(other).unwrap_or_else(|error| panic!("{written} as {other}: {error}"));
        assert!(number.is_number(), "{other}");
        assert_eq!(Amount::parse(written), Amount::parse(other), "{written} as {other}");
    }

    proptest! {
        #[test]
        fn an_amount_in_another_notation_is_the_same_number(
            sign in prop::sample::select(vec!["", "-"]),
            whole in prop::sample::select(vec!["0", "7", "10", "1200"]),
            fraction in prop::sample::select(vec!["", ".0", ".00", ".5", ".05", ".50", ".125"]),
            pick in 0_usize..12,
        ) {
            let written = format!("{sign}{whole}{fraction}");
            for other in [unusual_form(&written, pick), with_zeros(&written, pick)].into_iter().flatten() {
                same_number(&written, &other);
            }
        }
    }
}
