//! Every shape of body, compared by TypeScript with what Stripe's library says of today's API.

use std::{collections::BTreeMap, fs, os::unix::fs::symlink, path::Path};

use serde::Deserialize;
use serde_json::Value;

use super::{cases, folder, is_installed, node, stripe};

/// Cases of each requirement.
const DRAWS: u64 = 20;

/// The version of the API that the pinned library describes.
const VERSION: &str = "2026-10-28.endive";

/// The list of members that Stripe sends though its types say otherwise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hidden {
    member: Vec<HiddenMember>,
}

/// One of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HiddenMember {
    /// The kind of object that the event is about.
    object: String,
    /// Where in the body it stands, as a JSON pointer.
    at: String,
    /// Whether only its being null is not in the types.
    #[serde(default)]
    null: bool,
    /// Why it is sent all the same.
    reason: String,
}

impl HiddenMember {
    /// Takes it out of a body that has it.
    fn is_taken_out_of(&self, body: &mut Value) -> bool {
        if body.pointer("/data/object/object").and_then(Value::as_str) != Some(&self.object) {
            return false;
        }
        let (parent, name) = self.at.rsplit_once('/').expect("a pointer");
        match body.pointer_mut(parent) {
            Some(Value::Object(members)) if members.get(name).is_some_and(|value| value.is_null() || !self.null) => {
                members.remove(name).is_some()
            }
            _ => false,
        }
    }
}

fn hidden() -> Vec<HiddenMember> {
    let text = fs::read_to_string(folder().join("hidden.toml")).expect("the list");
    let hidden: Hidden = toml::from_str(&text).unwrap_or_else(|error| panic!("hidden.toml: {error}"));
    hidden.member
}

/// What of a value a type can tell from another's: names, kinds, and words, which an enumeration may have.
fn shape(value: &Value) -> Value {
    let is_word = |text: &str| text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(values) => values.iter().map(shape).collect(),
        Value::String(text) if is_word(text) => value.clone(),
        Value::String(_) => Value::from("…"),
        Value::Number(_) => Value::from(0),
        Value::Bool(_) | Value::Null => value.clone(),
    }
}

/// What the library calls the type of an event: `charge.dispute.closed` is a `ChargeDisputeClosedEvent`.
fn type_name(kind: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    let words: String = kind.split(['.', '_']).map(word).collect();
    format!("{words}Event")
}

/// One body of each shape, by event type.
fn bodies() -> BTreeMap<String, Vec<Value>> {
    let mut shapes: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    let cases = cases(DRAWS);
    for delivery in cases.iter().flat_map(|case| case.all_deliveries()).filter(|delivery| delivery.mutation_kind.is_none()) {
        let body: Value = serde_json::from_slice(delivery.body.bytes()).expect("a body is JSON");
        let is_known = stripe().corpus().catalogue.iter().any(|event| event.kind == delivery.event.kind);
        if is_known && body["api_version"] == VERSION {
            shapes.entry(delivery.event.kind.clone()).or_default().entry(shape(&body).to_string()).or_insert(body);
        }
    }
    shapes.into_iter().map(|(kind, shapes)| (kind, shapes.into_values().collect())).collect()
}

const HEAD: &str = "import type Stripe from \"stripe\";\n";

/// Compiles these files, and gives what the compiler says.
fn compiled(name: &str, files: &BTreeMap<String, String>) -> (bool, String) {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // What an earlier build left there.
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("a folder");
    symlink(folder().join("node_modules"), place.join("node_modules")).expect("a link");
    let mut paths = Vec::new();
    for (name, text) in files {
        let path = place.join(format!("{name}.ts"));
        fs::write(&path, format!("{HEAD}{text}export {{}};\n")).expect("a file");
        paths.push(path.display().to_string());
    }
    let options =
        ["node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"];
    let paths = paths.iter().map(String::as_str);
    node(&options.into_iter().chain(paths).collect::<Vec<_>>(), Vec::new())
}

/// Takes out of a body whatever is on the list, but for the member with this number.
fn without(hidden: &[HiddenMember], kept: Option<usize>, mut body: Value) -> Value {
    for (_, member) in hidden.iter().enumerate().filter(|(number, _)| Some(*number) != kept) {
        member.is_taken_out_of(&mut body);
    }
    body
}

/// A declaration of a body; one that is wrong must not compile.
fn declaration(kind: &str, number: usize, body: &Value, is_wrong: bool) -> String {
    let wrong = if is_wrong { "// @ts-expect-error\n" } else { "" };
    format!("{wrong}export const body{number} = {body} satisfies Stripe.{};\n", type_name(kind))
}

#[test]
fn the_types_accept_every_body() {
    if !is_installed() {
        return;
    }
    let (bodies, hidden) = (bodies(), hidden());
    let catalogue = &stripe().corpus().catalogue;
    let uncompared: Vec<&str> = catalogue.iter().map(|event| &*event.kind).filter(|kind| !bodies.contains_key(*kind)).collect();
    assert!(uncompared.is_empty(), "{uncompared:?}");
    let file = |(kind, bodies): (&String, &Vec<Value>)| {
        let lines = bodies.iter().enumerate().map(|(number, body)| declaration(kind, number, &without(&hidden, None, body.clone()), false));
        (kind.clone(), lines.collect())
    };
    let (is_right, said) = compiled("stripe-types", &bodies.iter().map(file).collect());
    assert!(is_right, "{said}");
}

/// Whatever is on the list is sent, and the types know nothing of it: a list that says too much would let mistakes through.
#[test]
fn every_hidden_member_is_sent_and_is_not_in_the_types() {
    if !is_installed() {
        return;
    }
    let (bodies, hidden) = (bodies(), hidden());
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (number, member) in hidden.iter().enumerate() {
        assert!(!member.reason.is_empty(), "{}", member.at);
        let all = bodies.iter().flat_map(|(kind, bodies)| bodies.iter().map(move |body| (kind, body)));
        let mut having = all.filter(|(_, body)| member.is_taken_out_of(&mut (*body).clone()));
        let (kind, body) = having.next().unwrap_or_else(|| panic!("{} of a {} is nowhere", member.at, member.object));
        let line = declaration(kind, number, &without(&hidden, Some(number), body.clone()), true);
        files.entry(kind.clone()).or_default().push_str(&line);
    }
    let (is_right, said) = compiled("stripe-hidden", &files);
    assert!(is_right, "{said}");
}

/// The comparison finds what it is for.
#[test]
fn the_types_refuse_a_body_that_is_wrong() {
    if !is_installed() {
        return;
    }
    let (bodies, hidden) = (bodies(), hidden());
    let wrong: [(&str, &str, Option<Value>); 7] = [
        ("refund.created", "/data/object/amount", None),
        ("refund.created", "/data/object/amount", Some(Value::from("10.00"))),
        ("refund.created", "/data/object/amonut", Some(Value::from(1000))),
        ("refund.updated", "/data/object/created", Some(Value::from("2026-11-27T10:00:00Z"))),
        ("charge.refunded", "/data/object/refunded", Some(Value::Null)),
        ("charge.dispute.created", "/data/object/evidence_details", None),
        ("charge.dispute.closed", "/type", Some(Value::from("charge.dispute.created"))),
    ];
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (number, (kind, at, value)) in wrong.into_iter().enumerate() {
        let mut body = without(&hidden, None, bodies[kind][0].clone());
        let (parent, name) = at.rsplit_once('/').expect("a pointer");
        let members = body.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
        match value {
            Some(value) => _ = members.insert(name.to_owned(), value),
            None => assert!(members.remove(name).is_some(), "{at}"),
        }
        files.entry(kind.to_owned()).or_default().push_str(&declaration(kind, number, &body, true));
    }
    let (is_right, said) = compiled("stripe-wrong", &files);
    assert!(is_right, "{said}");
}
