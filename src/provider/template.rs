//! Payload templates: a documented example in which some members are places to write facts into.
//!
//! An example is parsed once; what never changes becomes text, so that a delivery costs little more than
//! copying bytes. What is written is JSON with the members in the documented order, compact or indented.

use crate::json::{Value, indented_at, new_line};

/// A JSON text with places of type `S`.
#[derive(Clone, Debug)]
pub struct Template<S> {
    root: Node<S>,
    style: Style,
}

/// How the text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// Without white space.
    Compact,
    /// Each member on a line of its own.
    Indented,
}

#[derive(Clone, Debug)]
enum Node<S> {
    Text(String),
    Object(Vec<Member<S>>),
    Place(S),
}

#[derive(Clone, Debug)]
enum Member<S> {
    /// One or more members that never change.
    Text(String),
    /// A member with a place somewhere in it: `"key":` and what follows.
    Node(String, Node<S>),
}

impl<S: Copy> Template<S> {
    /// Makes a template of an example. Each place is a JSON Pointer below objects; a member that the example
    /// lacks is added at the end of its object, so a template can say more than the example did.
    pub fn new(example: &Value, places: &[(&str, S)]) -> Template<S> {
        Template::of(example, places, Style::Compact)
    }

    /// The same, written with each member on a line of its own.
    pub fn indented(example: &Value, places: &[(&str, S)]) -> Template<S> {
        Template::of(example, places, Style::Indented)
    }

    fn of(example: &Value, places: &[(&str, S)], style: Style) -> Template<S> {
        let places: Vec<(Vec<&str>, S)> = places.iter().map(|(pointer, place)| (pointer.split('/').skip(1).collect(), *place)).collect();
        Template { root: style.compile(example, &places, 0), style }
    }

    /// Appends the text. `fill` writes what belongs in a place, as compact JSON; where it writes nothing the member is left out.
    pub fn render(&self, out: &mut String, fill: &mut dyn FnMut(S, &mut String)) {
        self.style.render(&self.root, 0, out, fill);
    }
}

impl Style {
    fn text(self, value: &Value, depth: usize) -> String {
        match self {
            Style::Compact => value.to_string(),
            Style::Indented => indented_at(&value.to_string(), depth),
        }
    }

    fn name(self, key: &str) -> String {
        format!("{}:{}", Value::from(key), if self == Style::Indented { " " } else { "" })
    }

    fn new_line(self, out: &mut String, depth: usize) {
        if self == Style::Indented {
            new_line(out, depth);
        }
    }

    fn compile<S: Copy>(self, value: &Value, places: &[(Vec<&str>, S)], depth: usize) -> Node<S> {
        if let Some((_, place)) = places.iter().find(|(path, _)| path.is_empty()) {
            return Node::Place(*place);
        }
        let Value::Object(object) = value else {
            return Node::Text(self.text(value, depth));
        };
        if places.is_empty() {
            return Node::Text(self.text(value, depth));
        }
        let below = |key: &str| -> Vec<(Vec<&str>, S)> {
            places.iter().filter(|(path, _)| path[0] == key).map(|(path, place)| (path[1..].to_vec(), *place)).collect()
        };
        let mut members: Vec<Member<S>> = Vec::new();
        for (key, value) in object {
            let name = self.name(key);
            match below(key) {
                inner if inner.is_empty() => {
                    let value = self.text(value, depth + 1);
                    match members.last_mut() {
                        Some(Member::Text(text)) => {
                            text.push(',');
                            self.new_line(text, depth + 1);
                            text.push_str(&format!("{name}{value}"));
                        }
                        _ => members.push(Member::Text(format!("{name}{value}"))),
                    }
                }
                inner => members.push(Member::Node(name, self.compile(value, &inner, depth + 1))),
            }
        }
        for (path, place) in places {
            if !object.contains_key(path[0]) {
                // What an example lacks altogether is added only as a whole member, not as a path through nothing.
                let node = if path.len() == 1 { Node::Place(*place) } else { continue };
                members.push(Member::Node(self.name(path[0]), node));
            }
        }
        Node::Object(members)
    }

    fn render<S: Copy>(self, node: &Node<S>, depth: usize, out: &mut String, fill: &mut dyn FnMut(S, &mut String)) {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Place(place) => {
                let start = out.len();
                fill(*place, out);
                if self == Style::Indented && out[start..].starts_with(['{', '[']) {
                    let value = indented_at(&out[start..], depth);
                    out.truncate(start);
                    out.push_str(&value);
                }
            }
            Node::Object(members) => {
                out.push('{');
                let start = out.len();
                for member in members {
                    let before = out.len();
                    if before > start {
                        out.push(',');
                    }
                    self.new_line(out, depth + 1);
                    match member {
                        Member::Text(text) => out.push_str(text),
                        Member::Node(name, inner) => {
                            out.push_str(name);
                            let empty = out.len();
                            self.render(inner, depth + 1, out, fill);
                            if out.len() == empty {
                                out.truncate(before);
                            }
                        }
                    }
                }
                if out.len() > start {
                    self.new_line(out, depth);
                }
                out.push('}');
            }
        }
    }
}

/// Appends an amount of minor units as the provider writes it: at least one fraction digit, no trailing zeros.
pub fn push_amount(out: &mut String, minor: u64, digits: u32) {
    let unit = 10_u64.pow(digits);
    push_number(out, minor / unit);
    out.push('.');
    let mut fraction = minor % unit;
    // All digits are pushed, of which those that are not needed go again.
    let start = out.len();
    let mut place = unit / 10;
    while place > 0 {
        push_number(out, fraction / place);
        (fraction, place) = (fraction % place, place / 10);
    }
    while out.len() > start + 1 && out.ends_with('0') {
        out.pop();
    }
    if out.len() == start {
        out.push('0');
    }
}

/// Appends a whole number.
pub(super) fn push_number(out: &mut String, number: u64) {
    // The largest has twenty digits.
    let mut digits = [b'0'; 20];
    let (mut rest, mut first) = (number, digits.len() - 1);
    loop {
        digits[first] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
        first -= 1;
    }
    out.push_str(std::str::from_utf8(&digits[first..]).unwrap_or_default());
}

/// Appends a JSON string of a text that needs no escapes: ids, times and names made by the harness.
pub fn push_plain(out: &mut String, text: &str) {
    debug_assert!(text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\'), "{text} needs escapes");
    out.push('"');
    out.push_str(text);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Amount;

    #[track_caller]
    fn check(places: &[(&str, &'static str)], expected: &str) {
        let example = serde_json::from_str(r#"{"a":1,"b":{"c":"x","d":[1,2]},"e":null}"#).expect("JSON");
        let mut out = String::new();
        Template::new(&example, places).render(&mut out, &mut |place, out| out.push_str(place));
        assert_eq!(out, expected);
        let mut lines = String::new();
        Template::indented(&example, places).render(&mut lines, &mut |place, out| out.push_str(place));
        assert_eq!(lines, crate::json::indented(expected));
    }

    #[test]
    fn without_places_it_is_the_example() {
        check(&[], r#"{"a":1,"b":{"c":"x","d":[1,2]},"e":null}"#);
    }

    #[test]
    fn places_are_filled_left_out_and_added() {
        check(&[("/b/c", "7"), ("/a", ""), ("/f", "8")], r#"{"b":{"c":7,"d":[1,2]},"e":null,"f":8}"#);
        check(&[("/e", ""), ("/b", "[]")], r#"{"a":1,"b":[]}"#);
    }

    #[test]
    fn numbers() {
        for number in [0, 7, 10, 1_000_000, u64::MAX] {
            let mut out = String::new();
            push_number(&mut out, number);
            assert_eq!(out, number.to_string());
        }
    }

    #[test]
    fn amounts_look_as_documented() {
        for (minor, digits) in [(0, 0), (33, 0), (0, 2), (1, 2), (2160, 2), (2161, 2), (2000, 2), (5, 3), (1_000_000_000_000_000, 3)] {
            let mut out = String::new();
            push_amount(&mut out, minor, digits);
            assert_eq!(out, Amount::from_minor(minor, digits).to_wire());
        }
    }
}
