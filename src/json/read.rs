//! From text to a tree, and from a tree to other types.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::value::RawValue;

use super::{Map, Number, Value};

/// How deep values may be nested: as deep as serde_json itself reads.
const DEEPEST: usize = 127;

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Reader { rest: raw.get() }.value(DEEPEST).map_err(|error| D::Error::custom(without_place(&error)))
    }
}

/// Reads a text of which serde_json has seen that it is JSON. All that is left to do is to find where parts begin and end, which
/// takes one pass, however deep they are nested.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn value(&mut self, levels: usize) -> Result<Value, serde_json::Error> {
        match self.peek() {
            Some(b'{' | b'[') if levels == 0 => Err(serde_json::Error::custom("it is nested too deeply")),
            Some(b'{') => {
                self.take(1);
                let mut members = Map::new();
                while self.goes_on() {
                    let name = self.string()?;
                    members.push(name, self.value(levels - 1)?);
                }
                Ok(Value::Object(members))
            }
            Some(b'[') => {
                self.take(1);
                let mut elements = Vec::new();
                while self.goes_on() {
                    elements.push(self.value(levels - 1)?);
                }
                Ok(Value::Array(elements))
            }
            Some(b'"') => self.string().map(Value::String),
            _ => {
                let end = self.rest.bytes().position(|byte| is_between(byte) || matches!(byte, b'}' | b']'));
                Ok(match self.take(end.unwrap_or(self.rest.len())) {
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    "null" => Value::Null,
                    number => Value::Number(Number(number.to_owned())),
                })
            }
        }
    }

    /// A text with its quotes, its escapes read.
    fn string(&mut self) -> Result<String, serde_json::Error> {
        self.peek();
        let (mut end, mut escaped) = (1, false);
        while let Some(byte) = self.rest.as_bytes().get(end).filter(|byte| **byte != b'"') {
            escaped |= *byte == b'\\';
            end += if *byte == b'\\' { 2 } else { 1 };
        }
        let quoted = self.take(end + 1);
        if escaped { serde_json::from_str(quoted) } else { Ok(quoted[1..end].to_owned()) }
    }

    /// The byte with which the next part begins or this one ends.
    fn peek(&mut self) -> Option<u8> {
        // Bytes are looked at: characters would have to be put together first, and none of several bytes is meant.
        let between = self.rest.bytes().take_while(|byte| is_between(*byte)).count();
        self.take(between);
        self.rest.bytes().next()
    }

    /// Whether an object or a list has another part; goes past its end if it has none.
    fn goes_on(&mut self) -> bool {
        let goes_on = !matches!(self.peek(), Some(b'}' | b']') | None);
        if !goes_on {
            self.take(1);
        }
        goes_on
    }

    /// Goes past so many bytes.
    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }
}

/// What stands between parts: white space, commas and colons.
fn is_between(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b':')
}

/// Reads another type from a tree.
///
/// # Errors
/// What keeps the value from being a `T`.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_str(&value.to_string()).map_err(|error| without_place(&error))
}

/// What an error of serde_json says, without line and column, which mean nothing in a part of a text.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map(str::to_owned).unwrap_or(text)
}
