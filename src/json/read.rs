//! From text to a tree, and from a tree to other types.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Map, Number, Value};

/// How deep values may be nested: as deep as serde_json itself reads.
const DEEPEST: usize = 127;

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        read(raw.get(), DEEPEST).map_err(|error| D::Error::custom(without_place(&error)))
    }
}

/// Reads the text of one value, of which serde_json has seen that it is JSON.
fn read(text: &str, levels: usize) -> Result<Value, serde_json::Error> {
    match text.as_bytes().first() {
        Some(b'{' | b'[') if levels == 0 => Err(serde_json::Error::custom("it is nested too deeply")),
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(text)?;
            let mut map = Map::new();
            for (name, raw) in members.0 {
                map.push(name, read(raw.get(), levels - 1)?);
            }
            Ok(Value::Object(map))
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text)?;
            elements.into_iter().map(|raw| read(raw.get(), levels - 1)).collect::<Result<_, _>>().map(Value::Array)
        }
        Some(b'"') => serde_json::from_str(text).map(Value::String),
        Some(b't') => Ok(Value::Bool(true)),
        Some(b'f') => Ok(Value::Bool(false)),
        Some(b'n') => Ok(Value::Null),
        _ => Ok(Value::Number(Number(text.to_owned()))),
    }
}

/// The members of an object, in their order, their values still unread.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'de>, D::Error> {
        struct OfObject;

        impl<'de> Visitor<'de> for OfObject {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = access.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(OfObject)
    }
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
