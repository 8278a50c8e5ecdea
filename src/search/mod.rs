//! Searching: one requirement's cases are drawn, chosen and played, until one fails or there are enough.
//!
//! Which case comes next follows from the seed, the requirement and what the target claims. A whole certification is put together
//! of it in `run`, and so is what is made of cases that fail.

mod book;
mod choose;
mod company;
mod exercise;
mod making;
mod options;
mod turns;
mod work;

pub use book::Book;
pub(crate) use company::{Company, Suspect};
pub use exercise::Canaries;
pub(crate) use options::SNAPSHOTS;
pub use options::{CHOSEN, Options, PatternError, Selection};
pub(crate) use turns::{Turn, Turns, turns};
pub(crate) use work::{EXTRA_DRAWS, Failed, MOST_OPEN, MOST_SPOILED, Progress, Work, case_for, recover};
pub use work::{as_sent, sample, terms};

#[cfg(test)]
mod tests;
