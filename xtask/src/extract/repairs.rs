//! The hand-written `repairs.toml`: what is wrong with a documented example, and how its copy is put right.
//!
//! A repair replaces one piece of text. The piece must occur exactly once, so a repair cannot hit another place when
//! a document changes.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// Where the repairs stand.
pub(crate) const FILE: &str = "repairs.toml";

/// All repairs.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repairs {
    #[serde(default)]
    repair: Vec<Repair>,
}

/// One repair.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repair {
    /// The event type whose example is broken.
    pub(crate) event: String,
    /// One sentence on what is wrong.
    pub(crate) what: String,
    /// The text to replace; it occurs exactly once.
    find: String,
    /// What stands there instead.
    replace: String,
}

impl Repairs {
    /// Reads the file's text.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let repairs: Self = toml::from_str(text).with_context(|| format!("{FILE}: is not a list of repairs"))?;
        let mut seen = BTreeSet::new();
        for repair in &repairs.repair {
            ensure!(!repair.find.is_empty(), "{FILE}: repair of {}: `find` is empty", repair.event);
            ensure!(seen.insert(&repair.event), "{FILE}: {} has two repairs; join them into one", repair.event);
        }
        Ok(repairs)
    }

    /// The repair for an event type.
    pub(crate) fn of(&self, event: &str) -> Option<&Repair> {
        self.repair.iter().find(|repair| repair.event == event)
    }

    /// The event types that have a repair.
    pub(crate) fn events(&self) -> impl Iterator<Item = &str> {
        self.repair.iter().map(|repair| repair.event.as_str())
    }
}

impl Repair {
    /// The repaired copy of `documented`.
    pub(crate) fn apply(&self, documented: &str) -> Result<String> {
        match documented.matches(&self.find).count() {
            1 => Ok(documented.replacen(&self.find, &self.replace, 1)),
            0 => bail!("{FILE}: repair of {}: `find` does not occur in the documented example; copy it exactly", self.event),
            times => bail!("{FILE}: repair of {}: `find` occurs {times} times in the documented example; make it longer", self.event),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repair(find: &str) -> Repair {
        let text = format!("[[repair]]\nevent = 'a.b'\nwhat = 'x'\nfind = '{find}'\nreplace = '}}'\n");
        Repairs::parse(&text).unwrap().repair.remove(0)
    }

    #[test]
    fn replaces_the_one_place() {
        assert_eq!(repair("}Js").apply("{}Js\n").unwrap(), "{}\n");
    }

    #[test]
    fn must_match_once() {
        let none = repair("}Js").apply("{}\n").unwrap_err();
        assert!(format!("{none}").contains("does not occur"));
        let twice = repair("}").apply("{}}").unwrap_err();
        assert!(format!("{twice}").contains("occurs 2 times"));
    }

    #[test]
    fn two_repairs_of_one_event_are_refused() {
        let one = "[[repair]]\nevent = 'a.b'\nwhat = 'x'\nfind = 'y'\nreplace = ''\n";
        assert!(Repairs::parse(&format!("{one}{one}")).is_err());
        assert!(Repairs::parse("[[repair]]\nevnt = 'a.b'\n").is_err());
    }
}
