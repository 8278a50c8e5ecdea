//! Composes an example for every catalogued event type that no document shows.
//!
//! A recipe changes the parsed example of another event; numbers keep the digits they were written with. The event's
//! `type` and `id` are always replaced, so that no two examples share an identifier.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use refundproof::json::Value;
use serde::Serialize;
use serde_json::ser::PrettyFormatter;

use super::documents::sha256_hex;
use super::examples::Example;
use super::names::Names;
use super::pointer;
use super::recipes::{FILE, Recipe, Recipes};

/// A composed example.
#[derive(Debug, Clone)]
pub(crate) struct Composed {
    /// The event type.
    pub(crate) event: String,
    /// Its file name, without a folder.
    pub(crate) file: String,
    /// The event whose documented example it was made from.
    pub(crate) base: String,
    /// What no source document says.
    pub(crate) assumed: Vec<String>,
    /// The composed event.
    pub(crate) value: Value,
    /// Whether it stands beside another example of the same type.
    pub(crate) second: bool,
}

impl Composed {
    /// The event as text, indented as the documents indent theirs, with a line end.
    pub(crate) fn text(&self) -> Result<String> {
        let mut bytes = Vec::new();
        let mut writer = serde_json::Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
        self.value.serialize(&mut writer).with_context(|| format!("the composed {} cannot be written", self.event))?;
        bytes.push(b'\n');
        String::from_utf8(bytes).with_context(|| format!("the composed {} is not text", self.event))
    }
}

/// Composes all examples that are missing, sorted by file name.
pub(crate) fn compose_all(names: &Names, examples: &[Example], recipes: &Recipes) -> Result<Vec<Composed>> {
    let wanted = wanted(names, recipes)?;
    let documented: BTreeSet<&str> = examples.iter().map(|example| example.event.as_str()).collect();
    let mut used = vec![false; recipes.recipes.len()];
    let mut found = Vec::new();
    for event in wanted.iter().filter(|event| !documented.contains(*event)) {
        let Some(index) = recipes.recipes.iter().position(|recipe| recipe.fits(event)) else {
            bail!("{FILE}: no recipe fits {event}, and no document shows it; add a recipe for it");
        };
        used[index] = true;
        found.push(compose(&recipes.recipes[index], event, examples)?);
    }
    for (recipe, used) in recipes.recipes.iter().zip(&mut used).filter(|(recipe, _)| recipe.file.is_some()) {
        ensure!(wanted.contains(recipe.event.as_str()), "{FILE}: recipe of {}: no document names this type", recipe.event);
        *used = true;
        found.push(compose(recipe, &recipe.event, examples)?);
    }
    refuse_unused(recipes, &used)?;
    found.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(found)
}

/// The types that need an example: those the documents name, and the extra ones.
fn wanted<'a>(names: &'a Names, recipes: &'a Recipes) -> Result<BTreeSet<&'a str>> {
    let mut wanted: BTreeSet<&str> = names.types.keys().map(String::as_str).collect();
    for extra in &recipes.extras {
        ensure!(wanted.insert(&extra.event), "{FILE}: extra {}: a document names this type, or it is listed twice; remove it", extra.event);
    }
    Ok(wanted)
}

/// A recipe that makes nothing is a slip, or a leftover.
fn refuse_unused(recipes: &Recipes, used: &[bool]) -> Result<()> {
    match recipes.recipes.iter().zip(used).find(|(_, used)| !**used) {
        Some((recipe, _)) => bail!(
            "{FILE}: recipe of {}: makes nothing: every type it fits is documented, unknown, or made by a recipe before \
             it; remove it, or give it a `file`",
            recipe.event
        ),
        None => Ok(()),
    }
}

fn compose(recipe: &Recipe, event: &str, examples: &[Example]) -> Result<Composed> {
    let file = recipe.file.clone().unwrap_or_else(|| format!("{event}.json"));
    let base = examples
        .iter()
        .find(|example| example.event == recipe.base)
        .with_context(|| format!("{FILE}: recipe of {}: its base {} has no documented example", recipe.event, recipe.base))?;
    let mut value = base.value.clone();
    change(&mut value, recipe, event, &file)
        .with_context(|| format!("{FILE}: recipe of {} (for {event}, from {})", recipe.event, recipe.base))?;
    Ok(Composed {
        event: event.to_owned(),
        file,
        base: recipe.base.clone(),
        assumed: recipe.assumed.clone(),
        value,
        second: recipe.file.is_some(),
    })
}

fn change(value: &mut Value, recipe: &Recipe, event: &str, file: &str) -> Result<()> {
    pointer::set(value, "/id", Value::String(uuid(&format!("event {file}"))))?;
    pointer::set(value, "/type", Value::String(event.to_owned()))?;
    for place in &recipe.remove {
        pointer::remove(value, place)?;
    }
    let last = event.rsplit('.').next().unwrap_or(event);
    for set in &recipe.set {
        let text = set.value.replace("{last}", last).replace("{uuid}", &uuid(&format!("object {file}")));
        let new = serde_json::from_str(&text)
            .with_context(|| format!("{}: the value `{text}` is not JSON; a text needs its quotes", set.pointer))?;
        pointer::set(value, &set.pointer, new)?;
    }
    Ok(())
}

/// An identifier that looks random, as the provider's do, and is always the same for the same `seed`.
fn uuid(seed: &str) -> String {
    let hex = sha256_hex(format!("refundproof {seed}").as_bytes());
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(event: &str, json: &str) -> Example {
        Example {
            event: event.to_owned(),
            document: "page.md",
            heading: String::new(),
            line: Some(1),
            file: format!("examples/{event}.json"),
            documented: json.to_owned(),
            defect: None,
            value: serde_json::from_str(json).unwrap(),
        }
    }

    fn made(names: &[&str], recipes: &str) -> Result<Vec<Composed>> {
        let mut known = Names::default();
        for name in names {
            known.types.insert((*name).to_owned(), vec!["page.md"]);
        }
        let base = example("a.base", r#"{"id": "1", "type": "a.base", "amount": 21.60, "items": []}"#);
        compose_all(&known, &[base], &Recipes::parse(recipes)?)
    }

    const PATTERN: &str = "[[recipe]]\nevent = 'a.*'\nbase = 'a.base'\nassumed = ['x']\n";

    #[test]
    fn digits_and_indentation_are_kept() {
        let recipes = format!("{PATTERN}set = [{{ pointer = '/state', value = '\"{{last}}\"' }}]\nremove = ['/items']\n");
        let made = made(&["a.base", "a.paid"], &recipes).unwrap();
        let text = made[0].text().unwrap();
        assert!(text.ends_with("    \"type\": \"a.paid\",\n    \"amount\": 21.60,\n    \"state\": \"paid\"\n}\n"));
        assert!(!text.contains("\"id\": \"1\""));
    }

    #[test]
    fn first_match_wins_and_extras_count() {
        let recipes = format!(
            "[[recipe]]\nevent = 'a.paid'\nbase = 'a.base'\nassumed = ['special']\n{PATTERN}\
             [[extra]]\nevent = 'a.extra'\nassumed = 'known'\n"
        );
        let made = made(&["a.base", "a.paid"], &recipes).unwrap();
        let told: Vec<_> = made.iter().map(|made| (made.event.as_str(), made.assumed[0].as_str())).collect();
        assert_eq!(told, [("a.extra", "x"), ("a.paid", "special")]);
    }

    #[test]
    fn second_example_of_a_documented_type() {
        let recipes = format!("{PATTERN}file = 'a.base.other.json'\n").replace("a.*", "a.base");
        let made = made(&["a.base"], &recipes).unwrap();
        assert_eq!(made[0].file, "a.base.other.json");
        assert!(made[0].second);
    }

    #[test]
    fn gaps_and_leftovers_are_errors() {
        let missing = made(&["a.base", "b.paid"], PATTERN).unwrap_err();
        assert!(format!("{missing}").contains("no recipe fits b.paid"));
        let unused = made(&["a.base"], PATTERN).unwrap_err();
        assert!(format!("{unused}").contains("makes nothing"));
        let base = made(&["a.paid"], &PATTERN.replace("a.base", "a.none")).unwrap_err();
        assert!(format!("{base}").contains("no documented example"));
        let value = format!("{PATTERN}set = [{{ pointer = '/state', value = 'paid' }}]\n");
        assert!(format!("{:#}", made(&["a.paid"], &value).unwrap_err()).contains("is not JSON"));
    }

    #[test]
    fn identifiers_have_the_usual_form() {
        let lengths: Vec<usize> = uuid("x").split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(uuid("x"), uuid("x"));
        assert_ne!(uuid("x"), uuid("y"));
    }
}
