//! What happens during a run, for whoever wants to show it.

use crate::{
    adapter::Introduction,
    verdict::{Report, RequirementResult},
};

/// Something that happened.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// The target introduced itself; so many requirements will be judged with so many cases each.
    Started {
        /// Who is certified.
        target: &'a Introduction,
        /// How many requirements were selected.
        requirements: usize,
        /// How many cases each gets.
        cases: u32,
    },
    /// Work on a requirement begins.
    RequirementStarted {
        /// Its id.
        id: &'a str,
    },
    /// A failing case is being made smaller; it has so many deliveries now.
    Shrinking {
        /// The requirement.
        id: &'a str,
        /// How many deliveries the smallest failing case has.
        deliveries: usize,
    },
    /// A requirement is done.
    RequirementFinished(&'a RequirementResult),
    /// The frozen sequences were compared.
    SnapshotsCompared {
        /// How many.
        compared: usize,
        /// How many differ.
        differing: usize,
    },
    /// Everything is done.
    Finished(&'a Report),
}
