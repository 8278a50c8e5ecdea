//! Cases that were made before, for another target with the same claims.
//!
//! What a case is and whether it exercises its requirement follows from the seed and from what a target claims. Whoever
//! certifies many targets of the same claims, as the bank of faults is, makes them once and shares them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::options::Options;
use crate::{adapter::Capabilities, case::Case, plan::Plan, provider::Provider, reference::Fault};

/// A case, and what canaries do with it.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) plan: Arc<Plan>,
    pub(super) case: Arc<Case>,
    /// Whether a canary of the requirement fails it.
    pub(super) exercised: bool,
    /// Whether a canary would fail it of a target that claims everything, where none does.
    pub(super) hidden: bool,
    /// Whether a consumer that does nothing fails it; nobody may have asked where one before it does.
    pub(super) refutes: bool,
    /// Which canaries fail it, a bit for each; known only where cases are chosen.
    pub(super) fails: u64,
}

/// The seed, whether cases are chosen, the mistake that nobody is to have thought of, and whether it is the live mode.
type Terms = (u64, bool, Option<Fault>, bool);

/// The cases of one requirement or several by their numbers; nothing where no plan could be drawn.
type Cases = HashMap<(usize, u32), Option<Arc<Made>>>;

/// Cases that were made before. It grows with every case, so it is for short runs.
#[derive(Debug, Default)]
pub struct Book {
    /// For whom: the provider, the claims and what else decides on the cases of the first who asked.
    of: OnceLock<(String, Capabilities, Terms)>,
    cases: Mutex<Cases>,
}

impl Book {
    /// A book in which nothing stands yet.
    pub fn new() -> Arc<Book> {
        Arc::default()
    }

    /// Whether the cases in it are those of this provider and its mode, these options and these claims.
    pub(super) fn is_of(&self, provider: &dyn Provider, options: &Options, capabilities: &Capabilities) -> bool {
        let terms = (options.seed, options.choose, options.unforeseen, provider.is_live());
        let (name, claims, first) = self.of.get_or_init(|| (provider.name().to_owned(), capabilities.clone(), terms));
        name == provider.name() && claims == capabilities && *first == terms
    }

    /// The case of a requirement with this number, which is made if nobody asked for it before.
    pub(super) fn case(&self, index: usize, number: u32, make: impl FnOnce() -> Option<Made>) -> Option<Arc<Made>> {
        let key = (index, number);
        if let Some(made) = self.cases.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return made.clone();
        }
        let made = make().map(Arc::new);
        self.cases.lock().unwrap_or_else(PoisonError::into_inner).insert(key, made.clone());
        made
    }
}
