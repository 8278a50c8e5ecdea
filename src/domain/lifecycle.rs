//! Which state of a refund may follow which.
//!
//! Providers differ in this: with some a refund that was paid back is over, with others the bank may still send the money
//! back. Only the truth asks the table; expectations follow from what was told last.
//! Source: `docs/expectations.md`, "Truth".

use super::RefundState::{self, Cancelled, Failed, Pending, PendingInformation, Requested, Succeeded};

/// A provider's transition table of refund states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle(&'static [(RefundState, RefundState)]);

impl Lifecycle {
    /// What is paid back stays so: open refunds end once.
    pub const ENDS_ONCE: Lifecycle = Lifecycle(&[
        (Pending, PendingInformation),
        (PendingInformation, Pending),
        (Requested, Succeeded),
        (Pending, Succeeded),
        (PendingInformation, Succeeded),
        (Requested, Failed),
        (Pending, Failed),
        (PendingInformation, Failed),
        (Requested, Cancelled),
        (Pending, Cancelled),
        (PendingInformation, Cancelled),
    ]);

    /// A table of these moves, each from a state to another.
    pub const fn new(moves: &'static [(RefundState, RefundState)]) -> Lifecycle {
        Lifecycle(moves)
    }

    /// Whether a refund in one state can come into the other.
    pub fn allows(self, from: RefundState, to: RefundState) -> bool {
        self.0.contains(&(from, to))
    }
}

impl Default for Lifecycle {
    fn default() -> Lifecycle {
        Lifecycle::ENDS_ONCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_an_end() {
        for from in [Succeeded, Failed, Cancelled] {
            assert!(
                [Requested, Pending, PendingInformation, Succeeded, Failed, Cancelled]
                    .iter()
                    .all(|to| !Lifecycle::ENDS_ONCE.allows(from, *to))
            );
        }
        assert!(Lifecycle::ENDS_ONCE.allows(Pending, Succeeded));
        assert!(!Lifecycle::ENDS_ONCE.allows(Requested, PendingInformation));
    }

    #[test]
    fn a_table_of_ones_own() {
        let revocable = Lifecycle::new(&[(Succeeded, Failed)]);
        assert!(revocable.allows(Succeeded, Failed) && !revocable.allows(Pending, Succeeded));
    }
}
