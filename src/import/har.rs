//! HTTP Archives, of which one entry at a time is in memory.
//! Source: <http://www.softwareishard.com/blog/har-12-spec/>.

use std::{fmt, io};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Logged, formats::Take};

/// Reads an archive. What cannot be read of it ends it, and is told.
pub(super) fn read(log: impl io::BufRead, take: &mut Take<'_>) -> io::Result<()> {
    let mut state = State { take, number: 0, failed: None };
    let mut json = serde_json::Deserializer::from_reader(log);
    let read = Member { name: "log", within: Some("entries"), state: &mut state }.deserialize(&mut json).and_then(|()| json.end());
    let State { failed, number, take } = state;
    match (failed, read) {
        (Some(error), _) => Err(error),
        (None, Err(error)) if error.is_io() => Err(error.into()),
        (None, Err(error)) => {
            let what = if error.is_eof() { "the archive is cut short" } else { "the archive is broken" };
            take(format!("entry {}", number + 1), Err(format!("{what}, and nothing is read from here on: {error}")))
        }
        (None, Ok(())) => Ok(()),
    }
}

struct State<'a, 't> {
    take: &'a mut Take<'t>,
    number: u64,
    failed: Option<io::Error>,
}

/// One member of an object; the others are passed over.
struct Member<'s, 'a, 't> {
    name: &'static str,
    /// The member of that member which holds the entries; none if this one does.
    within: Option<&'static str>,
    state: &'s mut State<'a, 't>,
}

impl<'de> DeserializeSeed<'de> for Member<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Member<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", self.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            match self.within {
                _ if name != self.name => _ = members.next_value::<IgnoredAny>()?,
                Some(within) => members.next_value_seed(Member { name: within, within: None, state: self.state })?,
                None => members.next_value_seed(Entries { state: self.state })?,
            }
        }
        Ok(())
    }
}

struct Entries<'s, 'a, 't> {
    state: &'s mut State<'a, 't>,
}

impl<'de> DeserializeSeed<'de> for Entries<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element::<Box<RawValue>>()? {
            self.state.number += 1;
            if let Err(error) = (self.state.take)(format!("entry {}", self.state.number), logged(entry.get())) {
                self.state.failed = Some(error);
                return Err(de::Error::custom("what was read could not be kept"));
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct PostData {
    #[serde(default)]
    text: Option<String>,
}

fn logged(entry: &str) -> Result<Logged, String> {
    let Entry { request } = serde_json::from_str(entry)
        // What it says of its own quotes values, and what stands in headers may be secret.
        .map_err(|_| "it is no entry of an archive: `request` with a method, headers and what was posted".to_owned())?;
    if request.method != "POST" {
        return Err(format!("it is a {} request, and webhooks are posted", request.method));
    }
    let text = request.post_data.and_then(|data| data.text).ok_or_else(|| "it has no body".to_owned())?;
    let headers = request.headers.into_iter().map(|Header { name, value }| (name, value)).collect();
    Ok(Logged { headers, body: text.into_bytes() })
}
