//! JSON as it was written: numbers by their text, members in their order.
//!
//! serde_json does both with two of its features, but a feature that a development dependency switches on is on for the whole
//! build: an integrator's own types would be read otherwise than in production. So this is a tree of our own on top of
//! serde_json's `RawValue`, which says where a value begins and ends and leaves its text alone. Checking the syntax, reading
//! strings and escaping them stay with serde_json.
//!
//! Members that stand there twice are both kept; whoever asks gets the last one, as with most readers.

mod indent;
mod map;
mod read;
mod write;

#[cfg(any(test, feature = "html"))]
pub(crate) use indent::compact;
pub(crate) use indent::{indented, indented_at, new_line};
pub use map::Map;
pub use read::from_value;
pub use write::to_value;

/// Whether a member says no more than one that is absent: serde asks for each that may be left out.
pub(crate) fn is_default<T: Default + PartialEq>(member: &T) -> bool {
    *member == T::default()
}

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string, with its escapes read.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Map),
}

/// A JSON number, as it is written. `1.0` and `1` are two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(String);

impl Number {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number, if it is written as a whole one that fits.
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }
}

impl Value {
    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether it is a string.
    pub fn is_string(&self) -> bool {
        matches!(self, Value::String(_))
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(self, Value::Object(_))
    }

    /// Whether it is an array.
    pub fn is_array(&self) -> bool {
        matches!(self, Value::Array(_))
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// The boolean.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(is) = self { Some(*is) } else { None }
    }

    /// The number.
    pub fn as_number(&self) -> Option<&Number> {
        if let Value::Number(number) = self { Some(number) } else { None }
    }

    /// The number, if it is written as a whole one that fits.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number()?.as_u64()
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&Vec<Value>> {
        if let Value::Array(elements) = self { Some(elements) } else { None }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&Map> {
        if let Value::Object(members) = self { Some(members) } else { None }
    }

    /// The members of an object.
    pub fn as_object_mut(&mut self) -> Option<&mut Map> {
        if let Value::Object(members) = self { Some(members) } else { None }
    }

    /// The member of an object.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_object()?.get(name)
    }

    /// The member of an object.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.as_object_mut()?.get_mut(name)
    }

    /// What a JSON Pointer (RFC 6901) finds.
    pub fn pointer(&self, pointer: &str) -> Option<&Value> {
        steps(pointer)?.try_fold(self, |value, step| match value {
            Value::Object(members) => members.get(&unescaped(step)),
            Value::Array(elements) => elements.get(index(step)?),
            _ => None,
        })
    }

    /// What a JSON Pointer (RFC 6901) finds.
    pub fn pointer_mut(&mut self, pointer: &str) -> Option<&mut Value> {
        steps(pointer)?.try_fold(self, |value, step| match value {
            Value::Object(members) => members.get_mut(&unescaped(step)),
            Value::Array(elements) => elements.get_mut(index(step)?),
            _ => None,
        })
    }
}

/// How many values a text of JSON holds, roughly, without reading it: what begins with a comma, or with a list or an object. A
/// value takes much more memory than room in a text.
pub(crate) fn values(text: &[u8]) -> usize {
    let (mut count, mut in_string, mut escaped) = (0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

/// The steps of a pointer; `None` where it is none.
fn steps(pointer: &str) -> Option<std::iter::Skip<std::str::Split<'_, char>>> {
    (pointer.is_empty() || pointer.starts_with('/')).then(|| pointer.split('/').skip(1))
}

fn unescaped(step: &str) -> std::borrow::Cow<'_, str> {
    if step.contains('~') { step.replace("~1", "/").replace("~0", "~").into() } else { step.into() }
}

fn index(step: &str) -> Option<usize> {
    let is_plain = step == "0" || !step.starts_with(['0', '+']);
    is_plain.then(|| step.parse().ok()).flatten()
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text)
    }
}

impl From<bool> for Value {
    fn from(is: bool) -> Value {
        Value::Bool(is)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Number(Number(number.to_string()))
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(elements: Vec<T>) -> Value {
        Value::Array(elements.into_iter().map(Into::into).collect())
    }
}

impl From<Map> for Value {
    fn from(members: Map) -> Value {
        Value::Object(members)
    }
}

/// An object of these members.
impl<const N: usize> From<[(&str, Value); N]> for Value {
    fn from(members: [(&str, Value); N]) -> Value {
        Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl PartialEq<str> for Value {
    fn eq(&self, text: &str) -> bool {
        self.as_str() == Some(text)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == Some(*text)
    }
}

/// The member of this name, or `null`.
impl std::ops::Index<&str> for Value {
    type Output = Value;
    fn index(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&Value::Null)
    }
}

/// The element at this place, or `null`.
impl std::ops::Index<usize> for Value {
    type Output = Value;
    fn index(&self, place: usize) -> &Value {
        self.as_array().and_then(|elements| elements.get(place)).unwrap_or(&Value::Null)
    }
}

#[cfg(test)]
mod tests;
