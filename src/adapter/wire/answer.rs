//! The lines that a target writes.
//!
//! Reading takes the short way as long as everything is as it should be. Only when something is not, the
//! answer is looked at again, to name the member that is wrong: whoever reads that message is writing an adapter.

use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

use crate::{
    adapter::{Capabilities, Introduction, shown},
    domain::{OrderState, RefundView, cut, did_you_mean},
    json::{Map, Value, from_value, values},
};

/// How many types of events may be named, and how long they are on average. Providers have fewer, and shorter ones.
const MOST_WORDS: usize = 400;
const LONGEST_WORD: usize = 100;

/// How many values an answer may hold; an order of thousands of refunds has fewer.
const MOST_VALUES: usize = 100_000;

/// The answer to `deliver` says what the webhook endpoint would answer.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Deliver"))]
pub(super) struct Delivered {
    /// The HTTP status.
    #[cfg_attr(feature = "schema", schemars(range(min = 100, max = 599)))]
    status: u16,
}

/// The answer to `observe` shows an order.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Observe", extend("required" = ["state"])))]
pub(super) struct Observed {
    /// The order refund state, or null if the order is unknown.
    #[serde(deserialize_with = "object_or_null")]
    state: Option<OrderState>,
}

/// An answer whose id is known.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::adapter) enum Answer {
    /// It was done; the whole line, in which the operation's own members are still to be read.
    Done(String),
    /// The adapter could not do it; why.
    Declined(String),
}

/// The members of every answer.
#[derive(Deserialize)]
struct Head<'a> {
    id: u64,
    ok: bool,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Reads what every answer has: its id and whether it was done. `is_awaited` says which ids are known.
///
/// # Errors
/// A text that names the line when it is no answer to anything.
pub(in crate::adapter) fn read_answer(line: Vec<u8>, is_awaited: impl Fn(u64) -> bool) -> Result<(u64, Answer), String> {
    let line = match String::from_utf8(line) {
        Ok(line) => line,
        Err(error) => return Err(format!("the target wrote a line that is not UTF-8: `{}`", shown(error.as_bytes()))),
    };
    check_size(line.as_bytes())?;
    let head = match serde_json::from_str::<Head<'_>>(&line) {
        // A derived reader takes an array for an object as well.
        Ok(head) if is_awaited(head.id) && line.trim_start().starts_with('{') => head,
        Ok(_) | Err(_) => return Err(explain_head(&line, is_awaited)),
    };
    let (id, answer) = (head.id, (!head.ok).then(|| Answer::Declined(reason(head.error))));
    Ok((id, answer.unwrap_or(Answer::Done(line))))
}

fn reason(error: Option<&RawValue>) -> String {
    let raw = error.map_or("\"\"", RawValue::get);
    match serde_json::from_str::<String>(raw) {
        Ok(text) if text.trim().is_empty() => "it gave no reason".to_owned(),
        Ok(text) => shown(text.as_bytes()),
        Err(_) => shown(raw.as_bytes()),
    }
}

fn explain_head(line: &str, is_awaited: impl Fn(u64) -> bool) -> String {
    let line_shown = shown(line.as_bytes());
    let value = match serde_json::from_str::<Value>(line) {
        Ok(value) => value,
        Err(error) => return format!("the target wrote a line that is not JSON: `{line_shown}` ({error})"),
    };
    let what = match (&value, value.get("id")) {
        (Value::Object(_), None) => "that has no `id`".to_owned(),
        (Value::Object(_), Some(id)) => match id.as_u64() {
            Some(id) if is_awaited(id) => match value.get("ok") {
                None => "that has no `ok`".to_owned(),
                Some(Value::Bool(_)) => "that is no answer".to_owned(),
                Some(ok) => format!("whose `ok` is {}, not true or false", kind_of(ok)),
            },
            Some(_) => "whose `id` is not that of a request without an answer".to_owned(),
            None => "whose `id` is not the number of a request".to_owned(),
        },
        (other, _) => format!("that is {}, not an object", kind_of(other)),
    };
    format!("the target wrote a line {what}: `{line_shown}`")
}

/// Reads the answer to `hello`.
///
/// # Errors
/// A text that names the member that is wrong.
pub(in crate::adapter) fn read_introduction(line: &str) -> Result<Introduction, String> {
    let answer: Value = serde_json::from_str(line).map_err(|error| in_line(&error.to_string(), line))?;
    for name in ["name", "version"] {
        if let Some(value) = answer.get(name).filter(|value| !value.is_string()) {
            return Err(in_line(&format!("`{name}` is {}, not a string", kind_of(value)), line));
        }
    }
    if let Some(capabilities) = answer.get("capabilities") {
        check_capabilities(capabilities).map_err(|problem| in_line(&problem, line))?;
    }
    let read = from_value(&answer).map_err(|error| in_line(&error, line));
    read.map(|introduction: Introduction| {
        introduction.with(|introduction| {
            for text in [&mut introduction.name, &mut introduction.version] {
                *text = cut(text).into_owned();
            }
        })
    })
}

fn check_capabilities(capabilities: &Value) -> Result<(), String> {
    let Value::Object(members) = capabilities else {
        return Err(format!("`capabilities` is {}, not an object", kind_of(capabilities)));
    };
    // No member is needed, so each can be read alone, which tells whose fault it is.
    for (name, value) in members {
        if !Capabilities::NAMES.contains(&name.as_str()) {
            let name = cut(name);
            let hint = did_you_mean(&name, Capabilities::NAMES.into_iter());
            return Err(format!("`capabilities.{name}` is unknown{hint} (known: {})", Capabilities::NAMES.join(", ")));
        }
        let alone = Map::from_iter([(name.clone(), value.clone())]).into();
        let read: Capabilities = from_value(&alone).map_err(|error| format!("`capabilities.{name}`: {error}"))?;
        if read.concurrency == 0 {
            return Err("`capabilities.concurrency` is 0; at least one delivery at a time must be possible".to_owned());
        }
        // Every report repeats them.
        let words = read.subscribes.iter().flatten().chain(read.equivalent_statuses.iter().flatten());
        let (count, length) = words.fold((0, 0), |(count, length), word| (count + 1, length + word.len()));
        let count = count + read.equivalent_statuses.len();
        if count > MOST_WORDS || length > MOST_WORDS * LONGEST_WORD {
            return Err(format!(
                "`capabilities.{name}` has more than {MOST_WORDS} entries, or entries of more than {LONGEST_WORD} characters each"
            ));
        }
    }
    Ok(())
}

/// Reads the answer to `deliver`.
///
/// # Errors
/// A text that names the member that is wrong.
pub(in crate::adapter) fn read_status(line: &str) -> Result<u16, String> {
    match serde_json::from_str::<Delivered>(line) {
        Ok(Delivered { status }) if (100..=599).contains(&status) => Ok(status),
        read => {
            let answer: Value = serde_json::from_str(line).unwrap_or_default();
            let problem = match (answer.get("status"), read) {
                (None, _) => "the answer has no `status`".to_owned(),
                (_, Err(error)) if error.to_string().starts_with("duplicate") => "the answer has `status` twice".to_owned(),
                (Some(status), _) => format!("`status` is {}, not an HTTP status from 100 to 599", shown(status.to_string().as_bytes())),
            };
            Err(in_line(&problem, line))
        }
    }
}

/// Reads the answer to `observe`.
///
/// # Errors
/// A text that names the member that is wrong.
pub(in crate::adapter) fn read_state(line: &str) -> Result<Option<OrderState>, String> {
    serde_json::from_str::<Observed>(line).map(|observed| observed.state).map_err(|error| {
        let answer = serde_json::from_str::<Value>(line).unwrap_or_default();
        let problem = match answer.get("state") {
            None => "the answer has no `state`".to_owned(),
            Some(state) => explain_state(state).unwrap_or_else(|| format!("`state`: {error}")),
        };
        in_line(&problem, line)
    })
}

/// Reads an order refund state that stands by itself, as a state URL shows it.
///
/// # Errors
/// A text that names the member that is wrong.
#[cfg(any(feature = "http", feature = "tower"))]
pub(in crate::adapter) fn read_bare_state(body: &[u8]) -> Result<OrderState, String> {
    let text = std::str::from_utf8(body).map_err(|_| format!("the answer is not UTF-8: `{}`", shown(body)))?;
    check_size(body)?;
    let read = serde_json::from_str::<Bare>(text);
    read.map(|Bare(state)| state).map_err(|error| {
        let problem = match serde_json::from_str::<Value>(text) {
            Ok(Value::Null) => NO_STATE.to_owned(),
            Ok(state) => explain_state(&state).unwrap_or_else(|| format!("the state: {error}")),
            Err(error) => format!("the state is not JSON: {error}"),
        };
        in_line(&problem, text)
    })
}

/// What is said of `null` where an order is asked for by its address.
#[cfg(any(feature = "http", feature = "tower"))]
pub(in crate::adapter) const NO_STATE: &str = "null is no state; an unknown order is answered with 404";

/// An object; a derived reader would take an array as well.
#[cfg(any(feature = "http", feature = "tower"))]
struct Bare(OrderState);

#[cfg(any(feature = "http", feature = "tower"))]
impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bare, D::Error> {
        let state = object_or_null(deserializer)?;
        state.map(Bare).ok_or_else(|| serde::de::Error::custom(NO_STATE))
    }
}

/// What keeps a JSON value from being an order refund state, if that can be told.
fn explain_state(state: &Value) -> Option<String> {
    let Value::Object(members) = state else {
        return Some(format!("`state` is {}, not an object or null", kind_of(state)));
    };
    if let Some(refunds) = members.get("refunds").and_then(Value::as_array) {
        for (index, refund) in refunds.iter().enumerate() {
            let problem = match refund {
                Value::Object(members) => culprit::<RefundView>(members, &format!("state.refunds[{index}]")),
                other => Some(format!("`state.refunds[{index}]` is {}, not an object", kind_of(other))),
            };
            if problem.is_some() {
                return problem;
            }
        }
    }
    culprit::<OrderState>(members, "state")
}

/// Finds the member that keeps an object from being a `T`: the first one with which the problem is more than that
/// other members are missing. Once that is so, further members change nothing, so it is found by halving.
fn culprit<T: DeserializeOwned>(members: &Map, place: &str) -> Option<String> {
    if members.is_empty() {
        return Some(format!("`{place}` is empty"));
    }
    let problem = |count: usize| {
        let first: Map = members.iter().take(count).map(|(name, value)| (name.clone(), value.clone())).collect();
        from_value::<T>(&first.into()).err()
    };
    let is_wrong = |problem: &String| !problem.starts_with("missing field");
    let mut what = problem(members.len())?;
    if !is_wrong(&what) {
        return Some(format!("`{place}`: {what}"));
    }
    let (mut right, mut wrong) = (0, members.len());
    while wrong - right > 1 {
        let middle = right.midpoint(wrong);
        match problem(middle).filter(is_wrong) {
            Some(problem) => (wrong, what) = (middle, problem),
            None => right = middle,
        }
    }
    let name = members.keys().nth(right).map_or("", String::as_str);
    Some(format!("`{place}.{name}`: {what}"))
}

/// Refuses a text that would take much more memory, once it is read, than room.
///
/// # Errors
/// A text that says how many values it may hold.
pub(in crate::adapter) fn check_size(text: &[u8]) -> Result<(), String> {
    let is_too_much = text.len() > MOST_VALUES && values(text) > MOST_VALUES;
    if is_too_much {
        Err(format!("the answer holds more than {MOST_VALUES} values, which is the most that is read: `{}`", shown(text)))
    } else {
        Ok(())
    }
}

fn in_line(problem: &str, line: &str) -> String {
    format!("{}, in the answer `{}`", cut(problem), shown(line.as_bytes()))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Takes an object or null; a derived reader would take an array for an object as well.
fn object_or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    struct ObjectOrNull<T>(std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectOrNull<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or null")
        }

        fn visit_unit<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    deserializer.deserialize_any(ObjectOrNull(std::marker::PhantomData))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde::de::{Error, IgnoredAny};

    use super::*;

    thread_local! {
        static READ: Cell<usize> = const { Cell::new(0) };
    }

    /// Refuses a member of the name `wrong`, and counts how many members it reads.
    struct Counting;

    impl<'de> Deserialize<'de> for Counting {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Counting, D::Error> {
            struct Members;

            impl<'de> Visitor<'de> for Members {
                type Value = Counting;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counting, A::Error> {
                    while let Some((name, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                        READ.set(READ.get() + 1);
                        if name == "wrong" {
                            return Err(A::Error::custom("it is wrong"));
                        }
                    }
                    Err(A::Error::missing_field("right"))
                }
            }

            deserializer.deserialize_map(Members)
        }
    }

    /// Finds the wrong member at a place among so many; each is read a few times and no more.
    #[track_caller]
    fn finds(place: usize, count: usize) {
        let name = |index| if index == place { "wrong".to_owned() } else { format!("x{index}") };
        let members: Map = (0..count).map(|index| (name(index), Value::Null)).collect();
        READ.set(0);
        let found = culprit::<Counting>(&members, "state");
        let expected = if place < count { "`state.wrong`: it is wrong" } else { "`state`: missing field `right`" };
        assert_eq!(found.as_deref(), Some(expected));
        let most = count * 2 * (usize::BITS - count.leading_zeros()) as usize;
        assert!(READ.get() <= most, "{} members were read of {count}", READ.get());
    }

    #[test]
    fn a_wrong_member_is_found_among_very_many() {
        for place in [0, 1, 4_999, 9_998, 9_999, 10_000] {
            finds(place, 10_000);
        }
        (0..=3).for_each(|place| finds(place, 3));
        finds(0, 1);
    }
}
