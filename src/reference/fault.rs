//! What is known of a deliberate fault, and the switch by which the reference asks for one.

use super::{
    bank::{BANK, Fault},
    dialect,
};
use crate::corpus::Corpus;

/// A deliberate fault: one mistake that a real shop could make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultInfo {
    /// The fault.
    pub fault: Fault,
    /// Its name; the target is called `builtin:fault/NAME`.
    pub name: &'static str,
    /// The class of bugs that it belongs to, by its id in `corpus/bugs.toml`.
    pub class: &'static str,
    /// The requirements that it is aimed at: of several, the first that a provider has must fail. Others may fail with it
    /// where their own traffic holds what the fault needs.
    pub expected: &'static [&'static str],
    /// Where a bug of this kind was reported.
    pub link: Option<&'static str>,
    /// What the shop does wrong, in one line.
    pub story: &'static str,
}

/// Every fault, ordered by the requirement that it is aimed at.
pub fn faults() -> &'static [FaultInfo] {
    BANK
}

impl FaultInfo {
    /// Whether it is a mistake in checking signatures.
    pub fn is_about_signatures(&self) -> bool {
        ["SIG", "REPLAY"].contains(&self.class)
    }

    /// The requirement of a provider that it is aimed at, in a run of its test mode. `None` where nobody can make this mistake with
    /// the provider's events, where they would hardly ever show it, or where the reference does not take them.
    pub fn aimed_at(&self, provider: &str, corpus: &Corpus) -> Option<&'static str> {
        let dialect = dialect::of(provider)?;
        let has = |id: &&&'static str| corpus.requirements.iter().any(|requirement| requirement.id == **id);
        self.expected.iter().find(has).copied().filter(|_| !dialect.not_tried.contains(&self.fault) && !self.is_of_live_mode())
    }

    /// Whether it shows in a run of the provider's live mode and in no other.
    pub fn is_of_live_mode(&self) -> bool {
        self.fault == Fault::DropsLiveEvents
    }
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

/// The faults that are switched on. A copy of it stands wherever a mistake can be made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults([u64; WORDS]);

/// The name of the shop that makes none.
const SHOP: &str = "refundproof-reference";

/// One bit for each fault of the bank.
const WORDS: usize = BANK.len().div_ceil(64);

impl Faults {
    /// These faults and no other.
    pub(super) fn of(faults: impl IntoIterator<Item = Fault>) -> Faults {
        let mut bits = [0; WORDS];
        for fault in faults {
            bits[fault as usize / 64] |= 1 << (fault as usize % 64);
        }
        Faults(bits)
    }

    /// Whether this mistake is made.
    pub(super) fn has(self, fault: Fault) -> bool {
        self.0[fault as usize / 64] >> (fault as usize % 64) & 1 == 1
    }

    /// Whether a mistake is made with the state that a refund had before an event.
    pub(super) fn go_by_what_was_before(self) -> bool {
        self.has(Fault::PreviousTakenForState) || self.has(Fault::SuccessByTransition)
    }

    /// Whether the order of an event is looked for in the metadata of its object.
    pub(super) fn go_by_metadata(self) -> bool {
        self.has(Fault::OrderByMetadata) || self.has(Fault::MetadataOnly)
    }

    /// Whether an event is acknowledged and dropped that names an order which the shop does not have.
    pub(super) fn drop_unknown_orders(self) -> bool {
        self.has(Fault::DropsUnknownOrders) || self.has(Fault::DropsWhatHasNoOrder) || self.has(Fault::MetadataOnly)
    }

    /// Whether one is that names none.
    pub(super) fn drop_what_names_no_order(self) -> bool {
        self.has(Fault::DropsWhatHasNoOrder) || self.has(Fault::MetadataOnly)
    }

    /// What a shop with these mistakes is called, so that its reports and those of another are not taken for one shop's.
    pub(super) fn name_of_shop(self) -> String {
        let made: Vec<&str> = faults().iter().filter(|info| self.has(info.fault)).map(|info| info.name).collect();
        if made.is_empty() { SHOP.to_owned() } else { format!("{SHOP} with {}", made.join(", ")) }
    }

    /// Whether any mistake is made: what a conforming shop does not even read is read then.
    pub(super) fn any(self) -> bool {
        self.0.iter().any(|word| *word != 0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::corpus::Files;

    #[test]
    fn rows_are_in_the_order_of_the_enum() {
        for info in faults() {
            assert_eq!(info.fault.info(), info);
            assert_eq!(Fault::from_name(info.name), Some(info.fault));
        }
    }

    #[test]
    fn a_shop_is_named_with_its_mistakes() {
        assert_eq!(Faults::default().name_of_shop(), "refundproof-reference");
        let two = Faults::of([Fault::FloatSums, Fault::BooksRedeliveries]);
        assert_eq!(two.name_of_shop(), "refundproof-reference with float-sums, books-redeliveries");
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
    fn several_are_switched_on_and_no_other() {
        let chosen = [Fault::IgnoresChargeEvents, Fault::FloatSums, Fault::OrderEventLiftsChargeback];
        let set = Faults::of(chosen);
        for info in faults() {
            assert_eq!(set.has(info.fault), chosen.contains(&info.fault), "{}", info.name);
        }
        assert!(set.any() && !Faults::default().any());
    }

    fn requirements(provider: &str) -> Corpus {
        Corpus::load(&Files::embedded(provider)).expect("a corpus")
    }

    #[test]
    fn every_requirement_has_a_fault_and_every_fault_a_requirement() {
        let corpora: Vec<(&str, Corpus)> =
            dialect::DIALECTS.iter().map(|dialect| (dialect.provider, requirements(dialect.provider))).collect();
        for (provider, corpus) in &corpora {
            for requirement in &corpus.requirements {
                let aimed = faults().iter().any(|info| info.aimed_at(provider, corpus) == Some(requirement.id.as_str()));
                assert!(aimed, "{provider}: no fault for {}", requirement.id);
            }
        }
        for info in faults().iter().filter(|info| !info.is_of_live_mode()) {
            assert!(corpora.iter().any(|(provider, corpus)| info.aimed_at(provider, corpus).is_some()), "{}", info.name);
            let known = |id: &&str| corpora.iter().any(|(_, corpus)| corpus.requirements.iter().any(|other| other.id == *id));
            assert!(info.expected.iter().all(known), "{}: {:?}", info.name, info.expected);
        }
    }

    #[test]
    fn faults_stand_in_the_order_of_the_first_providers_requirements() {
        let (provider, corpus) = (dialect::FIRST.provider, requirements(dialect::FIRST.provider));
        let place = |id: &str| corpus.requirements.iter().position(|requirement| requirement.id == id);
        let places: Vec<usize> = faults().iter().filter_map(|info| place(info.aimed_at(provider, &corpus)?)).collect();
        assert!(places.is_sorted());
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
