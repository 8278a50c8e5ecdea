//! What a target shows of the frozen sequences, recorded without judging.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    frozen::{Walked, as_played, comparable, obstacle, walk},
    redact::Redactor,
};
use crate::{
    adapter::{Introduction, TargetError, TargetErrorKind},
    case::Case,
    check::{Rules, own},
    drive::{Factory, Outcome},
    provider::Provider,
    search::Options,
};

/// What a target showed.
#[derive(Clone, Debug)]
pub struct OwnStates {
    /// Who it is.
    pub introduction: Introduction,
    /// What it showed, by the names of the sequences.
    pub shown: BTreeMap<String, own::OwnState>,
    /// Sequences that say nothing of this target, and why.
    pub left_out: BTreeMap<String, String>,
    /// Whether it was ended before all sequences were delivered.
    pub interrupted: bool,
}

/// Delivers every frozen sequence that says something of the target, and records what it shows after each entry. Of an
/// asynchronous target only the ends are kept: what it shows in between is chance.
///
/// # Errors
/// When the target cannot be started, or its adapter fails.
pub fn own_states(provider: &dyn Provider, factory: &dyn Factory, options: &Options, stop: &AtomicBool) -> Result<OwnStates, TargetError> {
    let redactor = Redactor::of(options, factory);
    let start = || {
        let driver = options.driver(provider, factory, factory.clock());
        let mut driver = driver.map_err(|error| redactor.error(error))?;
        driver.conditions.lenient = true;
        Ok(driver)
    };
    let first = start()?;
    let mut introduction = first.introduction.clone();
    let (corpus, capabilities) = (provider.corpus(), &introduction.capabilities.clone());
    redactor.introduction(&mut introduction);
    let set =
        corpus.requirement_set(options.revision).map_err(|problem| TargetError::new("snapshot", TargetErrorKind::Refused(problem)))?;
    let is_newer = |name: &str| format!("revision {} of the requirements does not have {name}", set.revision);
    let why = |name: &str, case: &Case| if set.has_sequence(name) { obstacle(case, capabilities) } else { Some(is_newer(name)) };
    let left_out = corpus.sequences().iter().filter_map(|(name, case)| Some((name.clone(), why(name, case)?))).collect();
    let (mut shown, mut problem) = (BTreeMap::new(), None);
    let mut first = Some(first);
    let walked = walk(
        comparable(corpus, &set, capabilities, None),
        || first.take().or_else(|| start().ok()),
        || stop.load(Ordering::Relaxed),
        |driver, name, case| {
            let played = as_played(driver, name, case);
            let outcome = driver.run(name, &played, Rules::default());
            let usable = outcome.is_still_there();
            problem = problem.take().or_else(|| outcome.error.clone().map(|error| redactor.error(error)));
            shown.insert(name.to_owned(), own::OwnState { title: case.title.clone(), text: redactor.hide(&text(case, &outcome)) });
            usable
        },
    );
    if let Some(problem) = problem {
        return Err(problem);
    }
    if walked == Walked::NotStarted {
        let why = "it did not start again after a sequence".to_owned();
        return Err(TargetError::new("hello", TargetErrorKind::NotStarted(why)));
    }
    let interrupted = walked == Walked::Over;
    Ok(OwnStates { introduction, shown, left_out, interrupted })
}

fn text(case: &Case, outcome: &Outcome) -> String {
    let answers = |entry: usize| {
        let of_entry = outcome.sent.iter().filter(|sent| sent.entry == entry);
        let texts = of_entry.map(|sent| sent.answers.iter().map(u16::to_string).collect::<Vec<_>>().join(", "));
        texts.collect::<Vec<_>>().join(" and ")
    };
    own::render(case, &outcome.seen, &answers, outcome.failure.as_ref().map(|failure| failure.message.as_str()))
}
