//! A report as a record that can be checked: digests of what was run and of what was found.
//!
//! The digest of the results covers every member of the report but times and the digests themselves, in a canonical form
//! (members sorted, no white space), so formatting does not matter. Signing a report is left to tools for that; a
//! signature over the file covers everything, since the digests are in it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::coherence::{Contradiction, contradictions, excess};
use crate::{
    domain::hex,
    json::Value,
    plan::{Afterwards, draw, for_recipe},
    provider::Provider,
    verdict::{Report, conclude},
};

/// The digest of a report's results, of the report as JSON.
pub fn results(report: &Value) -> String {
    let mut report = report.clone();
    if let Value::Object(members) = &mut report {
        members.remove("digests");
    }
    sha256(&canonical(&report))
}

/// The digest of any part of a report.
pub(super) fn digest_of(part: &impl Serialize) -> String {
    sha256(&canonical(&crate::json::to_value(part).unwrap_or_default()))
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// One text for every way to write the same JSON; times are left out.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().filter(|(name, _)| *name != "durationMs").collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members.into_iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// What the report says.
    pub stated: String,
    /// What it is.
    pub found: String,
    /// Whether it follows from the report itself; otherwise from this suite.
    pub is_of_the_report: bool,
}

impl Check {
    /// Whether the report is right about it.
    pub fn holds(&self) -> bool {
        self.stated == self.found
    }
}

/// Checks a report against itself and against this suite. `written` is the report as it was written.
pub fn check(report: &Report, written: &Value, provider: &dyn Provider) -> Vec<Check> {
    if let Some(excess) = excess(report, provider) {
        return vec![excess.into()];
    }
    let corpus = provider.corpus();
    let digests = &report.digests;
    let set = corpus.requirement_set(Some(report.suite.requirements)).map_or_else(|problem| problem, |set| set.digest());
    let mut concluded = report.clone();
    conclude(&mut concluded);
    let check = |name, stated: &str, found: &str| {
        let is_of_the_report = ["capabilities", "results", "verdicts", "totals", COHERENCE].contains(&name);
        Check { name, stated: stated.to_owned(), found: found.to_owned(), is_of_the_report }
    };
    let verdicts = |report: &Report| {
        let items = report.items.iter().map(|item| {
            let beside = if item.checklist { " (checklist)" } else { "" };
            let note = item.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            format!("{} {}{beside}{note}", item.id, item.verdict.as_str())
        });
        std::iter::once(report.verdict.as_str().to_owned()).chain(items).collect::<Vec<_>>().join(", ")
    };
    let totals = |report: &Report| format!("{} cases, {} deliveries", report.totals.cases, report.totals.deliveries);
    let mut checks = vec![
        check("suite version", &report.suite.version, env!("CARGO_PKG_VERSION")),
        check("suite", &report.suite.digest, &suite(provider)),
        check("corpus", &digests.corpus, &corpus.digest),
        check("snapshots", &digests.snapshots, &corpus.snapshots_digest),
        check("requirements", &digests.requirements, &set),
        check("checklist", &report.suite.checklist.join(", "), &corpus.checklist.join(", ")),
        check("capabilities", &digests.capabilities, &digest_of(&report.target.capabilities)),
        check("results", &digests.results, &results(written)),
        check("verdicts", &verdicts(report), &verdicts(&concluded)),
        check("totals", &totals(report), &totals(&concluded)),
    ];
    let contradictions = contradictions(report, provider);
    if contradictions.is_empty() {
        checks.push(check(COHERENCE, AGREES, AGREES));
    }
    checks.extend(contradictions.into_iter().map(Check::from));
    checks
}

impl From<Contradiction> for Check {
    fn from(contradiction: Contradiction) -> Check {
        let Contradiction { stated, found, is_of_the_report } = contradiction;
        Check { name: COHERENCE, stated, found, is_of_the_report }
    }
}

/// The check of everything that a report says twice.
const COHERENCE: &str = "coherence";
/// What is said of a report without contradictions.
const AGREES: &str = "requirements, findings and snapshots agree";

/// The digest of the suite: its version, all its data, and what it draws.
pub(super) fn suite(provider: &dyn Provider) -> String {
    let corpus = provider.corpus();
    let (version, draws) = (env!("CARGO_PKG_VERSION"), draws(provider));
    sha256(&format!("refundproof {version}\ncorpus {}\nsnapshots {}\ndraws {draws}\n", corpus.digest, corpus.snapshots_digest))
}

/// The digest of some plans of every requirement. Which plans a seed comes to is proptest's doing, too, and which version of
/// it is built is for the lock file of whoever builds this. Reports of runs that draw differently must not pass for each other's.
///
/// They are drawn once for each corpus in a process: one that certifies often, as tests do, would draw them for each run.
fn draws(provider: &dyn Provider) -> String {
    static DRAWN: Mutex<BTreeMap<(String, String), String>> = Mutex::new(BTreeMap::new());
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (provider.name().to_owned(), provider.corpus().digest.clone());
    drawn.entry(key).or_insert_with(|| draw_some(provider)).clone()
}

fn draw_some(provider: &dyn Provider) -> String {
    let mut text = String::new();
    for requirement in &provider.corpus().requirements {
        let Some(recipe) = requirement.recipe else { continue };
        let strategy = for_recipe(recipe, provider.palette());
        let afterwards = Afterwards::of(recipe, provider.palette());
        for number in (0..SAMPLES).chain([Afterwards::LONG]) {
            let seed = u64::from(number);
            let plan = draw(&strategy, seed).map(|plan| afterwards.befall(plan, number, seed, true, true));
            text.push_str(&serde_json::to_string(&plan).unwrap_or_default());
            text.push('\n');
        }
    }
    sha256(&text)
}

/// How many plans of a requirement, beside a long one, stand for all.
const SAMPLES: u32 = 2;
