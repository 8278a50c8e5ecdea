//! Revisions of a requirement set: what a harness asks may grow, what a pipeline asked for stays what it was.
//!
//! A requirement says since which revision it is asked, until which if it no longer is, and what it was like before it
//! changed. A published revision carries the digest of what it asks, so nobody changes it unawares.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    data::{Level, RequirementText},
    load::Corpus,
};
use crate::{domain::hex, plan::Recipe};

/// One revision (`requirements.toml`, `[[revision]]`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// Counts up from 1.
    pub number: u32,
    /// What changed with it.
    pub notes: String,
    /// Frozen sequences up to this number are compared; all if absent.
    #[serde(default)]
    pub sequences: Option<u32>,
    /// What [`RequirementSet::digest`] is; absent while it is not published.
    #[serde(default)]
    pub digest: Option<String>,
}

/// What a requirement was like up to some revision.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    /// The last revision in which it was so.
    pub until: u32,
    /// Its level then.
    #[serde(default)]
    pub level: Option<Level>,
    /// Its floor then.
    #[serde(default)]
    pub floor: Option<u8>,
}

/// What one revision asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementSet {
    /// Which.
    pub revision: u32,
    /// Its requirements, with their places in the corpus.
    pub requirements: Vec<(usize, RequirementText)>,
    /// Frozen sequences up to this number are compared.
    sequences: Option<u32>,
}

impl RequirementSet {
    /// Whether a frozen sequence is compared: its name begins with its number.
    pub fn has_sequence(&self, name: &str) -> bool {
        let number = || name.split('-').next()?.parse::<u32>().ok();
        self.sequences.is_none_or(|most| number().is_some_and(|number| number <= most))
    }

    /// SHA-256, as hex, over everything in it that decides a verdict.
    pub fn digest(&self) -> String {
        let mut text = String::new();
        for (_, requirement) in &self.requirements {
            let RequirementText { id, item, level, recipe, needs, events, floor, .. } = requirement;
            let recipe = recipe.map_or("-", Recipe::name);
            let needs = needs.iter().map(|need| need.as_str()).collect::<Vec<_>>().join(" ");
            let (level, events) = (level.as_str(), events.join(" "));
            text.push_str(&format!("{id}|{item}|{level}|{recipe}|{needs}|{events}|{floor}\n"));
        }
        text.push_str(&format!("sequences {}\n", self.sequences.map_or("all".to_owned(), |most| most.to_string())));
        hex(&Sha256::digest(text))
    }
}

impl Corpus {
    /// What a revision asks; without a number the newest.
    ///
    /// # Errors
    /// When there is no such revision; names those that there are.
    pub fn requirement_set(&self, revision: Option<u32>) -> Result<RequirementSet, String> {
        let newest = self.revisions.last();
        let Some(found) = (match revision {
            Some(number) => self.revisions.iter().find(|known| known.number == number),
            None => newest,
        }) else {
            let known: Vec<String> = self.revisions.iter().map(|known| known.number.to_string()).collect();
            let wanted = revision.unwrap_or_default();
            return Err(format!("there is no revision {wanted} of the requirements; there is {}", known.join(", ")));
        };
        let requirements = self
            .requirements
            .iter()
            .enumerate()
            .filter(|(_, requirement)| requirement.is_in(found.number))
            .map(|(index, requirement)| (index, requirement.at(found.number)));
        Ok(RequirementSet { revision: found.number, requirements: requirements.collect(), sequences: found.sequences })
    }

    /// What does not hold together in the revisions: one line for each.
    pub(super) fn revision_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (place, revision) in (1..).zip(&self.revisions) {
            if revision.number != place {
                problems.push(format!("revision {}: revisions count up from 1, so this is {place}", revision.number));
            }
        }
        let most = self.revisions.last().map_or(1, |newest| newest.number);
        for requirement in &self.requirements {
            let named = [Some(requirement.since), requirement.until].into_iter().flatten();
            let named = named.chain(requirement.before.iter().map(|earlier| earlier.until));
            for number in named.filter(|number| *number == 0 || *number > most) {
                problems.push(format!("requirement `{}`: there is no revision {number}", requirement.id));
            }
        }
        problems
    }
}

impl RequirementText {
    fn is_in(&self, revision: u32) -> bool {
        self.since <= revision && self.until.is_none_or(|until| revision <= until)
    }

    /// The requirement as it was in a revision.
    fn at(&self, revision: u32) -> RequirementText {
        let mut text = self.clone();
        // From the newest to the oldest that is not over yet in the revision: the oldest has the last word.
        let mut changes: Vec<&Earlier> = self.before.iter().filter(|earlier| revision <= earlier.until).collect();
        changes.sort_by_key(|earlier| std::cmp::Reverse(earlier.until));
        for earlier in changes {
            text.level = earlier.level.unwrap_or(text.level);
            text.floor = earlier.floor.unwrap_or(text.floor);
        }
        text
    }
}
