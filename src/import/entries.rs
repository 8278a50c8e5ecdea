//! Lists of deliveries within one JSON text, of which one entry at a time is in memory.

use std::{fmt, io};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor},
};
use serde_json::value::RawValue;

use super::{Logged, formats::Take};

/// Where a list stands in a text.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The members that lead to it, from the outermost.
    pub(super) members: &'static [&'static str],
    /// Whether the text may also be the list and nothing else.
    pub(super) or_alone: bool,
    /// What such a text is called.
    pub(super) name: &'static str,
}

/// Reads all entries. What cannot be read of the text ends it, and is told.
pub(super) fn read(log: impl io::BufRead, place: Place, entry: fn(&str) -> Result<Logged, String>, take: &mut Take<'_>) -> io::Result<()> {
    let mut state = State { take, entry, number: 0, failed: None };
    let mut json = serde_json::Deserializer::from_reader(log);
    let read = Level { place, state: &mut state }.deserialize(&mut json).and_then(|()| json.end());
    let State { failed, number, take, .. } = state;
    match (failed, read) {
        (Some(error), _) => Err(error),
        (None, Err(error)) if error.is_io() => Err(error.into()),
        (None, Err(error)) => {
            let what = if error.is_eof() { "cut short" } else { "broken" };
            take(format!("entry {}", number + 1), Err(format!("{} is {what}, and nothing is read from here on: {error}", place.name)))
        }
        (None, Ok(())) => Ok(()),
    }
}

struct State<'a, 't> {
    take: &'a mut Take<'t>,
    entry: fn(&str) -> Result<Logged, String>,
    number: u64,
    failed: Option<io::Error>,
}

/// An object on the way to the list, or the list itself.
struct Level<'s, 'a, 't> {
    place: Place,
    state: &'s mut State<'a, 't>,
}

impl<'de> DeserializeSeed<'de> for Level<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.members.first() {
            Some(name) => write!(f, "an object with `{name}`"),
            None => f.write_str("a list of entries"),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Some((wanted, rest)) = self.place.members.split_first() else { return Err(de::Error::invalid_type(Unexpected::Map, &self)) };
        while let Some(name) = members.next_key::<String>()? {
            if name == *wanted {
                let place = Place { members: rest, or_alone: false, ..self.place };
                members.next_value_seed(Level { place, state: self.state })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if !self.place.members.is_empty() && !self.place.or_alone {
            return Err(de::Error::invalid_type(Unexpected::Seq, &self));
        }
        while let Some(entry) = entries.next_element::<Box<RawValue>>()? {
            self.state.number += 1;
            if let Err(error) = (self.state.take)(format!("entry {}", self.state.number), (self.state.entry)(entry.get())) {
                self.state.failed = Some(error);
                return Err(de::Error::custom("what was read could not be kept"));
            }
        }
        Ok(())
    }
}
