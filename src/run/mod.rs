//! Running: a requirement's cases, and a whole certification.
//!
//! The runner decides which case is played on which target, and puts what failed to an inquiry. It prints nothing: whoever wants to
//! show something listens to [`RunEvent`]s or reads the [`Report`](crate::verdict::Report) at the end.

mod campaign;
mod coherence;
mod events;
mod frozen;
mod imported;
mod investigate;
mod own;
pub mod record;
mod redact;
mod saved;
mod spelling;
mod vary;
mod workbench;
mod workers;

pub use crate::search::{Book, CHOSEN, Canaries, Options, PatternError, Selection, as_sent, sample, terms};
pub use campaign::certify;
pub use events::RunEvent;
pub use own::{OwnStates, own_states};
pub use redact::{HIDDEN, Redactor};
pub use vary::{Way, varied};
