//! Running: a requirement's cases, and a whole certification.
//!
//! The runner decides which case is played on which target, and puts what failed to an inquiry. It prints nothing: whoever wants to
//! show something listens to [`RunEvent`]s or reads the [`Report`](crate::verdict::Report) at the end.

mod book;
mod campaign;
mod choose;
mod coherence;
mod company;
mod events;
mod exercise;
mod frozen;
mod imported;
mod investigate;
mod making;
mod options;
mod own;
pub mod record;
mod redact;
mod saved;
mod spelling;
mod turns;
mod vary;
mod work;
mod workbench;
mod workers;

#[doc(hidden)]
pub use book::Book;
pub use campaign::certify;
pub use events::RunEvent;
pub use exercise::Canaries;
pub use options::{CHOSEN, Options, PatternError, Selection};
pub use own::{OwnStates, own_states};
pub use redact::{HIDDEN, Redactor};
pub use vary::{Way, varied};
pub use work::{as_sent, sample, terms};
