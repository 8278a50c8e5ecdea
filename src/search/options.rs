//! How a certification is run, and which requirements.

use std::{sync::Arc, time::Duration};

use fast_glob::glob_match;

use super::book::Book;
use crate::{
    adapter::TargetError,
    case::{Case, Delivery},
    domain::Clock,
    drive::{BeforeDelivery, Conditions, Driver, Factory, Secrets},
    findings::ShrinkLimits,
    provider::Provider,
    reference::Fault,
    verdict::{Shard, waivers::KnownFailures},
};

/// How many cases of each requirement are chosen where nothing else is said and each delivery costs time.
pub const CHOSEN: u32 = 25;

/// How a certification is run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What cases are drawn from.
    pub seed: u64,
    /// How many cases each requirement gets.
    pub cases: u32,
    /// Whether four times as many are drawn, and only those of them are sent that tell the most: at most as many as `cases` says,
    /// and fewer where nothing new can be told. For targets of which each delivery costs time; what is drawn is kept in memory.
    pub choose: bool,
    /// How long cases are sent: those of all requirements in turn, the most telling first. What has not reached its floor
    /// then is not certified. By the clock by which the target's answers are timed, or the machine's, whichever is ahead.
    pub budget: Option<Duration>,
    /// Which requirements.
    pub selection: Selection,
    /// How many workers, each with a target of its own.
    pub jobs: usize,
    /// When the run ends at the latest.
    pub time_limit: Option<Duration>,
    /// How long an asynchronous target may take to show what it acknowledged.
    pub settle: Duration,
    /// How long an asynchronous target must still be right after the end of a case.
    pub quiet: Duration,
    /// How long the answer to a delivery is waited for before it is sent again, for reports: the transports wait; `None` is
    /// for ever.
    pub answer_limit: Option<Duration>,
    /// What deliveries are signed with.
    #[doc(hidden)]
    pub secrets: Secrets,
    /// Makes the ids that a target gets to see the run's own, for targets that keep what they were told; in-process
    /// targets and processes that are not durable get the ids as they are.
    #[doc(hidden)]
    pub salt: Option<u64>,
    /// What is done before each delivery, with the index of its entry; for people who step.
    #[doc(hidden)]
    pub before: Option<fn(usize, &Delivery)>,
    /// When to stop looking for smaller cases. With no attempts nothing is looked into: of each requirement the first case that
    /// fails is told as it is.
    #[doc(hidden)]
    pub shrink: ShrinkLimits,
    /// Which part of the cases is run; all if absent.
    #[doc(hidden)]
    pub shard: Option<Shard>,
    /// What may fail for now.
    #[doc(hidden)]
    pub known: KnownFailures,
    /// The revision of the requirements; the newest if absent.
    pub revision: Option<u32>,
    /// Cases that earlier runs saved, by their files; they are played first.
    #[doc(hidden)]
    pub saved: Vec<(String, Case)>,
    /// Cases that were imported from real traffic, by their files.
    #[doc(hidden)]
    pub imported: Vec<(String, Case)>,
    /// Cases that were made for other targets with the same claims.
    #[doc(hidden)]
    pub book: Option<Arc<Book>>,
    /// A mistake that is left out of the canaries, as if nobody had thought of it: to see whether cases that are chosen without it
    /// find it.
    #[doc(hidden)]
    pub unforeseen: Option<Fault>,
    /// Whether a SHOULD counts as a MUST.
    pub strict: bool,
    /// Items of the checklist that are knowingly left out.
    pub without: Vec<String>,
}

impl Default for Options {
    fn default() -> Options {
        let Conditions { secrets, settle, quiet, salt, .. } = Conditions::default();
        Options {
            seed: 20_241_121,
            cases: 100,
            choose: false,
            budget: None,
            selection: Selection::everything(),
            jobs: 1,
            time_limit: None,
            settle,
            quiet,
            answer_limit: Some(Duration::from_millis(3000)),
            secrets,
            salt,
            before: None,
            shrink: ShrinkLimits::default(),
            shard: None,
            known: KnownFailures::none(),
            revision: None,
            saved: Vec::new(),
            imported: Vec::new(),
            book: None,
            unforeseen: None,
            strict: false,
            without: Vec::new(),
        }
    }
}

impl Options {
    /// The options that the command line has without arguments.
    pub fn new() -> Options {
        Options::default()
    }

    /// The same with something about it changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Options)) -> Options {
        change(&mut self);
        self
    }

    /// A driver on these terms for a target that the factory made.
    ///
    /// # Errors
    /// When the target does not start or does not speak the protocol.
    #[doc(hidden)]
    pub fn driver<'a>(&self, provider: &'a dyn Provider, factory: &'a dyn Factory, clock: Clock) -> Result<Driver<'a>, TargetError> {
        let conditions = Conditions {
            secrets: factory.secrets().unwrap_or(&self.secrets).clone(),
            signature_header: factory.signature_header().map(str::to_owned),
            settle: self.settle,
            quiet: self.quiet,
            salt: self.salt,
            lenient: false,
        };
        let mut driver = Driver::of(provider, factory, clock, conditions)?;
        let keeps = match factory.transport() {
            "in-process" => false,
            "stdio" => driver.capabilities().durable,
            _ => true,
        };
        driver.conditions.salt = driver.conditions.salt.filter(|_| keeps);
        driver.before = self.before.map(|before| Box::new(before) as BeforeDelivery<'_>);
        Ok(driver)
    }
}

/// Which requirements are run; the frozen sequences answer to the name `snapshots`.
#[derive(Clone, Debug)]
pub struct Selection {
    /// What is run, if anything is said of it, and what is not.
    pub(crate) patterns: (Vec<String>, Vec<String>),
}

/// A pattern of requirements that is no glob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct PatternError {
    pattern: String,
    why: String,
}

impl PatternError {
    /// The pattern.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }
}

/// The name by which a selection includes or excludes the frozen sequences.
pub(crate) const SNAPSHOTS: &str = "snapshots";

impl Selection {
    /// Everything.
    pub fn everything() -> Selection {
        Selection { patterns: Default::default() }
    }

    /// What fits one of `only` (everything, if there are none) and none of `skip`.
    ///
    /// # Errors
    /// When a pattern is not a glob.
    pub fn new(only: &[String], skip: &[String]) -> Result<Selection, PatternError> {
        for pattern in only.iter().chain(skip) {
            fast_glob::validate(pattern).map_err(|error| PatternError { pattern: pattern.clone(), why: error.to_string() })?;
        }
        Ok(Selection { patterns: (only.to_vec(), skip.to_vec()) })
    }

    /// Whether a requirement is selected.
    pub fn includes(&self, id: &str) -> bool {
        let (only, skip) = &self.patterns;
        let fits = |pattern: &String| glob_match(pattern, id);
        (only.is_empty() || only.iter().any(fits)) && !skip.iter().any(fits)
    }
}
