//! When two showings are one, and what a mistake is named by.

use super::mistake::{Failing, Mistake, Shown};
use crate::check::{FailureKind, Shape, differing_fields, fingerprint};

/// Whether the smallest case of a mistake is the case itself, so that nothing was shrunk away.
pub(super) fn is_fresh(mistake: &Mistake, failing: &Failing) -> bool {
    mistake.smallest.plan == failing.plan
}

/// The members of an order that are wrong, where that is what is wrong.
pub(super) fn wrong_members(shown: &Shown) -> Option<String> {
    let failure = shown.failure.as_ref().filter(|failure| failure.kind == FailureKind::State)?;
    Some(differing_fields(&failure.diff))
}

/// The fingerprint of a mistake that is like no fault of the bank.
pub(super) fn shape_of(smallest: &Failing, kind: FailureKind, is_smallest: bool) -> String {
    let Some(failure) = &smallest.shown.failure else { return String::new() };
    // Where chance has a say, what is left of the case is chance too.
    let case = (is_smallest && !smallest.case.is_chancy()).then_some(&smallest.case);
    fingerprint(&Shape { kind, entry: failure.entry, diff: &failure.diff, case })
}

/// Whether two targets did the same with a case: the same is wrong with both, in the same place, and until then they answered
/// alike.
pub fn alike(one: &Shown, other: &Shown) -> bool {
    let same_failure = match (&one.failure, &other.failure) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            let same = one.kind == other.kind && one.entry == other.entry;
            match one.kind {
                FailureKind::State => same && one.diff == other.diff,
                FailureKind::Answer => same && class(&one.observed) == class(&other.observed),
                FailureKind::Crash | FailureKind::Timeout => same,
            }
        }
        _ => false,
    };
    let classes = |shown: &Shown| shown.answers.iter().map(|answers| answers.last().map(|status| status / 100)).collect::<Vec<_>>();
    same_failure && classes(one) == classes(other)
}

/// Whether a case failed in the same way and in the same place as one that differs in ids only.
pub(super) fn alike_but_for_ids(one: &Shown, other: &Shown) -> bool {
    let way = |shown: &Shown| shown.failure.as_ref().map(|failure| (failure.kind, failure.entry));
    way(one) == way(other)
}

/// The class of an answer that is written out.
fn class(observed: &str) -> &str {
    observed.get(..1).unwrap_or_default()
}
