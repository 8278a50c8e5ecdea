//! What results say of themselves.

use super::by_hand::finding;
use crate::verdict::{Chance, ImportedFailure};

#[test]
fn a_finding_came_again_unless_its_case_never_failed_again() {
    let came_again = |chance: Option<u32>| {
        let mut finding = finding("f1");
        finding.chance = chance.map(|failed| Chance { failed, runs: 9 });
        finding.came_again()
    };
    assert_eq!((came_again(None), came_again(Some(0)), came_again(Some(1))), (true, false, true));
}

#[test]
fn a_case_is_saved_under_what_its_finding_is_about() {
    assert_eq!(finding("f123456789").file_name(), "own-f1234567.json");
    assert_eq!(finding("f1").file_name(), "own-f1.json");
}

#[test]
fn that_nothing_is_alike_is_not_written() {
    let written = |alike: usize| {
        let text = String::new;
        let failure = ImportedFailure { case: text(), way: text(), fails: text(), alike, file: text(), shrunk: None };
        serde_json::to_value(failure).expect("JSON").get("alike").cloned()
    };
    assert_eq!((written(0), written(3)), (None, Some(3.into())));
}
