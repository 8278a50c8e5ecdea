//! The hand-written `recipes.toml`: how events that no document shows are composed, which further types are needed,
//! and remarks on types.
//!
//! Values are JSON texts (`value = '5.40'`), because only so an amount keeps the digits it was written with.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::names::is_event_type;

/// Where the recipes stand.
pub(crate) const FILE: &str = "recipes.toml";

/// Everything in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipes {
    /// The recipes; for a type, the first whose pattern fits is taken.
    #[serde(default, rename = "recipe")]
    pub(crate) recipes: Vec<Recipe>,
    /// Types that sequences need and no source document names.
    #[serde(default, rename = "extra")]
    pub(crate) extras: Vec<Extra>,
    /// Remarks for the catalogue.
    #[serde(default, rename = "note")]
    pub(crate) notes: Vec<Note>,
}

/// How one event, or every event of a pattern, is composed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// An event type, or a pattern in which `*` stands for any text.
    pub(crate) event: String,
    /// The event whose documented example is changed.
    pub(crate) base: String,
    /// What no source document says, one sentence each.
    pub(crate) assumed: Vec<String>,
    /// Places that get a value.
    #[serde(default)]
    pub(crate) set: Vec<Set>,
    /// Places that are removed, before any is set.
    #[serde(default)]
    pub(crate) remove: Vec<String>,
    /// A file name of its own: the recipe then makes a second example of a type that may have one already.
    pub(crate) file: Option<String>,
}

/// A place and its value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Set {
    /// A JSON pointer into the whole event.
    pub(crate) pointer: String,
    /// A JSON text. `{last}` in it stands for the last part of the event type, `{uuid}` for an identifier that is made
    /// from the file name.
    pub(crate) value: String,
}

/// A type that no source document names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extra {
    /// The event type.
    pub(crate) event: String,
    /// Where it is known from instead.
    pub(crate) assumed: String,
}

/// A remark on a type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    /// The event type.
    pub(crate) event: String,
    /// One sentence.
    pub(crate) text: String,
}

impl Recipes {
    /// Reads the file's text.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let recipes: Self = toml::from_str(text).with_context(|| format!("{FILE}: is not a list of recipes"))?;
        for recipe in &recipes.recipes {
            recipe.check()?;
        }
        for extra in &recipes.extras {
            ensure!(is_event_type(&extra.event), "{FILE}: extra `{}` is not an event type", extra.event);
        }
        Ok(recipes)
    }
}

impl Recipe {
    /// Whether this recipe makes the example of `event`.
    pub(crate) fn fits(&self, event: &str) -> bool {
        self.file.is_none() && fits(&self.event, event)
    }

    /// Whether `event` is a pattern.
    pub(crate) fn is_pattern(&self) -> bool {
        self.event.contains('*')
    }

    fn check(&self) -> Result<()> {
        let event = &self.event;
        ensure!(!self.assumed.is_empty(), "{FILE}: recipe of {event}: say in `assumed` what no document says");
        ensure!(self.is_pattern() || is_event_type(event), "{FILE}: recipe of {event}: `event` is not an event type");
        if let Some(file) = &self.file {
            ensure!(!self.is_pattern(), "{FILE}: recipe of {event}: a pattern cannot have a `file`");
            let plain = file.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_');
            ensure!(
                plain && file.ends_with(".json") && !file.starts_with('.'),
                "{FILE}: recipe of {event}: `file` must be a plain name that ends with .json"
            );
        }
        Ok(())
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, rest)) => {
            text.strip_prefix(before).is_some_and(|text| (0..=text.len()).any(|start| text.get(start..).is_some_and(|end| fits(rest, end))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(fits("order.charge.*", "order.charge.refund.pending"));
        assert!(fits("*", "sku.created"));
        assert!(fits("*.created", "sku.created"));
        assert!(fits("a.b", "a.b"));
        assert!(!fits("order.*", "reorder.created"));
        assert!(!fits("a.b", "a.bc"));
    }

    #[test]
    fn careless_recipes_are_refused() {
        let recipe = |rest: &str| Recipes::parse(&format!("[[recipe]]\nevent = 'a.b'\nbase = 'a.c'\n{rest}"));
        assert!(recipe("assumed = ['x']").is_ok());
        assert!(recipe("assumed = []").is_err());
        assert!(recipe("assumed = ['x']\nfile = '../x.json'").is_err());
        assert!(recipe("assumed = ['x']\nsett = []").is_err());
        assert!(Recipes::parse("[[extra]]\nevent = 'README.md'\nassumed = ''").is_err());
    }
}
