//! From a tree to text.

use std::fmt;

use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeMap},
};
use serde_json::value::RawValue;

use super::{Map, Number, Value};

/// The compact text: no white space, members in their order.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(is) => f.write_str(if *is { "true" } else { "false" }),
            Value::Number(number) => f.write_str(&number.0),
            Value::String(text) => write_string(f, text),
            Value::Array(elements) => {
                let mut before = "[";
                for element in elements {
                    f.write_str(std::mem::replace(&mut before, ","))?;
                    element.fmt(f)?;
                }
                f.write_str(if elements.is_empty() { "[]" } else { "]" })
            }
            Value::Object(members) => {
                let mut before = "{";
                for (name, value) in members {
                    f.write_str(std::mem::replace(&mut before, ","))?;
                    write_string(f, name)?;
                    f.write_str(":")?;
                    value.fmt(f)?;
                }
                f.write_str(if members.is_empty() { "{}" } else { "}" })
            }
        }
    }
}

/// A text in quotes. Most need no escapes.
fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    if text.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\')) {
        return f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?);
    }
    f.write_str("\"")?;
    f.write_str(text)?;
    f.write_str("\"")
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(is) => serializer.serialize_bool(*is),
            Value::Number(number) => {
                RawValue::from_string(number.0.clone()).map_err(|_| S::Error::custom("it is no number"))?.serialize(serializer)
            }
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(elements) => elements.serialize(serializer),
            Value::Object(members) => members.serialize(serializer),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self {
            object.serialize_entry(name, value)?;
        }
        object.end()
    }
}

/// The tree of anything that can be written as JSON.
///
/// # Errors
/// When it cannot: a map whose keys are no strings.
pub fn to_value(value: &impl Serialize) -> Result<Value, serde_json::Error> {
    serde_json::from_str(&serde_json::to_string(value)?)
}
