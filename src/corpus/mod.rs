//! The corpus: documented examples, the event catalogue, requirements, frozen sequences and snapshots.
//!
//! A corpus is a folder of data for each provider. The binary carries one; `--corpus DIR` reads another.
//! Everything in a folder is parsed and checked when it is loaded, so that a broken file is one clear line and not a
//! strange failure later. Of what the binary carries, the sequences are parsed when they are first asked for.

mod bugs;
mod data;
mod load;
mod revisions;

pub use bugs::{BugClass, bug_classes};
pub use data::{CatalogueEntry, Defect, Ground, Level, Need, ObjectKind, RequirementText};
pub use load::{Corpus, CorpusError, Files};
pub use revisions::{Earlier, RequirementSet, Revision};
