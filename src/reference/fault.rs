//! What is known of a deliberate fault, and the switch by which the reference asks for one.

use super::bank::{BANK, Fault};

/// A deliberate fault: one mistake that a real shop could make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultInfo {
    /// The fault.
    pub fault: Fault,
    /// Its name; the target is called `builtin:fault/NAME`.
    pub name: &'static str,
    /// The class of bugs that it belongs to, by its id in `corpus/bugs.toml`.
    pub class: &'static str,
    /// The requirement that it is aimed at and that must fail. Others may fail with it where their own
    /// traffic holds what the fault needs.
    pub expected: &'static str,
    /// Where a bug of this kind was reported.
    pub link: Option<&'static str>,
    /// What the shop does wrong, in one line.
    pub story: &'static str,
}

/// Every fault, ordered by the requirement that it is aimed at.
pub fn faults() -> &'static [FaultInfo] {
    BANK
}

impl Fault {
    /// The fault with this name.
    pub fn from_name(name: &str) -> Option<Fault> {
        faults().iter().find(|info| info.name == name).map(|info| info.fault)
    }

    /// What is known of it.
    pub fn info(self) -> &'static FaultInfo {
        // The bank is made from one table together with the enum, so its rows are in the enum's order.
        &BANK[self as usize]
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.info().name
    }
}

/// The fault that is switched on, if any. A copy of it stands wherever a mistake can be made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults(pub(super) Option<Fault>);

impl Faults {
    /// Whether this mistake is made.
    pub(super) fn has(self, fault: Fault) -> bool {
        self.0 == Some(fault)
    }

    /// Whether any mistake is made: what a conforming shop does not even read is read then.
    pub(super) fn any(self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The ids of Digital River's requirements, copied from the design.
    const REQUIREMENTS: [&str; 40] = [
        "charge-refund-complete-updates-order",
        "refund-complete-updates-order",
        "refund-counted-once",
        "partial-refunds-add-up",
        "full-refund-detected",
        "paid-amount-not-requested-amount",
        "item-level-refunds",
        "several-charges",
        "exact-amounts",
        "open-refund-not-counted",
        "failed-refund-not-counted",
        "own-refund-not-booked-twice",
        "metadata-update-changes-nothing",
        "chargeback-updates-status",
        "chargeback-after-refunds",
        "dispute-alone-changes-nothing",
        "sales-transaction-alone-changes-nothing",
        "duplicate-deliveries",
        "out-of-order-deliveries",
        "final-state-stays-final",
        "redelivery-after-failure",
        "orders-do-not-mix",
        "concurrent-deliveries",
        "survives-restart",
        "acknowledges-in-time",
        "unknown-members-accepted",
        "equivalent-json-accepted",
        "unknown-event-acknowledged",
        "other-events-change-nothing",
        "malformed-body-rejected",
        "invalid-event-rejected",
        "rejection-is-4xx",
        "rejection-leaves-no-trace",
        "recovers-after-rejection",
        "doubtful-events-do-no-harm",
        "signature-required",
        "signature-covers-raw-body",
        "rotated-secret",
        "replay-rejected",
        "mixed-traffic",
    ];

    #[test]
    fn rows_are_in_the_order_of_the_enum() {
        for info in faults() {
            assert_eq!(info.fault.info(), info);
            assert_eq!(Fault::from_name(info.name), Some(info.fault));
        }
    }

    #[test]
    fn names_are_unique_and_in_kebab_case() {
        let mut names = HashSet::new();
        for info in faults() {
            assert!(names.insert(info.name), "{} occurs twice", info.name);
            assert!(info.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", info.name);
            // The variant is the same words, so that a hook in the code can be found by the name.
            assert_eq!(format!("{:?}", info.fault).to_lowercase(), info.name.replace('-', ""), "{}", info.name);
        }
        assert_eq!(Fault::from_name("no-such-fault"), None);
    }

    #[test]
    fn every_requirement_has_a_fault_and_every_fault_a_requirement() {
        for requirement in REQUIREMENTS {
            assert!(faults().iter().any(|info| info.expected == requirement), "no fault for {requirement}");
        }
        let place = |info: &FaultInfo| REQUIREMENTS.iter().position(|requirement| *requirement == info.expected);
        let places: Vec<usize> = faults().iter().map(|info| place(info).unwrap_or_else(|| panic!("{}", info.expected))).collect();
        assert!(places.is_sorted(), "faults stand in the order of the requirements");
    }

    #[test]
    fn classes_and_links_are_those_of_the_corpus() {
        let bugs = include_str!("../../corpus/bugs.toml");
        for info in faults() {
            assert!(bugs.contains(&format!("id = \"{}\"", info.class)), "{}: {}", info.name, info.class);
            let class = bugs.split("[[class]]").find(|text| text.contains(&format!("id = \"{}\"", info.class))).unwrap_or("");
            assert!(info.link.is_none_or(|link| class.contains(&format!("\"{link}\""))), "{}: not in {}", info.name, info.class);
            assert!(info.story.ends_with('.') && info.story.len() < 160, "{}", info.name);
        }
    }
}
