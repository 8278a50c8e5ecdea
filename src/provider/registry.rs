//! The list of providers: the one place outside their own folders where the harness names any.

use super::{
    Provider,
    digital_river::{self, DigitalRiver},
    stripe::{self, Stripe},
    tazapay::{self, Tazapay},
};
use crate::corpus::{CorpusError, Files};

/// Every provider that this crate knows. The first is the one that is meant where none is named.
static PROVIDERS: [Registered; 3] = [
    Registered { name: digital_river::NAME, embedded: || DigitalRiver::embedded(), load: |files| Ok(Box::new(DigitalRiver::new(files)?)) },
    Registered { name: tazapay::NAME, embedded: || Tazapay::embedded(), load: |files| Ok(Box::new(Tazapay::new(files)?)) },
    Registered { name: stripe::NAME, embedded: || Stripe::embedded(), load: |files| Ok(Box::new(Stripe::new(files)?)) },
];

/// The provider that is meant where none is named, for macros.
pub use super::digital_river as default;

/// A provider that this crate knows.
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    /// The name that `--provider` takes.
    pub name: &'static str,
    embedded: fn() -> &'static dyn Provider,
    load: fn(&Files) -> Result<Box<dyn Provider>, CorpusError>,
}

impl Registered {
    /// The provider with the corpus that the binary carries.
    pub fn embedded(&self) -> &'static dyn Provider {
        (self.embedded)()
    }

    /// The provider with a corpus of these files.
    ///
    /// # Errors
    /// When the corpus is broken or lacks what the provider needs.
    pub fn load(&self, files: &Files) -> Result<Box<dyn Provider>, CorpusError> {
        (self.load)(files)
    }
}

/// Every provider that this crate knows, the one that is meant where none is named first.
pub fn registered() -> &'static [Registered] {
    &PROVIDERS
}

/// The provider with this name.
pub fn named(name: &str) -> Option<&'static Registered> {
    PROVIDERS.iter().find(|provider| provider.name == name)
}
