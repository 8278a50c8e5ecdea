//! Findings: from cases that fail to the mistakes behind them, each told once.
//!
//! A mistake breaks many requirements. So a failing case is asked questions before anything is said: is it what the mistakes
//! that are known already would do here? Does it still fail without what they need? What still fails then is made as small
//! as it gets, and is a mistake of its own. The bank of faults serves as a dictionary: a fault that answers and shows what the
//! target answered and showed, on the smallest case and on others drawn to tell it from the rest, foretells what the target
//! does elsewhere, and whatever it foretells rightly is not told again.
//!
//! This room knows plans, cases and the bank, and asks a [`Stage`] to play them. It keeps no verdicts and writes no report.

mod alike;
mod besides;
mod dear;
mod inquiry;
mod likeness;
mod mistake;
mod owner;
mod shrink;
mod smallest;
mod subject;
#[cfg(test)]
mod tests;
mod trigger;
mod unite;

pub use alike::alike;
pub use inquiry::Inquiry;
pub use mistake::{Besides, Ease, Examined, Failing, Mistake, Requirement, Shown, Stage};
pub use shrink::{ShrinkLimits, Shrunk, shrink};
pub use trigger::{Feature, features, without};
