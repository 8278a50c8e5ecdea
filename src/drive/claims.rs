//! What is wrong with a target's claims, before anything is judged by them.
//!
//! A claim may narrow what is sent or how it is judged, so one that says nothing, or that would make a check blind, is said
//! and not taken in silence. Source: `docs/expectations.md`, "Verdicts".

use std::time::Duration;

use crate::{
    adapter::Capabilities,
    domain::{RefundState, Status, did_you_mean, fits_pattern},
    provider::Provider,
};

/// How long is waited for work that is done right after an answer, to see whether a target should claim `asynchronous`. More would cost
/// whoever makes another mistake too much time.
pub const A_MOMENT: Duration = Duration::from_millis(300);

/// What is said where a moment later something else is shown.
pub const WORKS_ON: &str = "a target that works on after it has answered claims `asynchronous`";

/// Why a target with these claims cannot be judged with this provider's events, if it cannot: one line that names the
/// claim and what to do.
pub fn claims_problem(provider: &dyn Provider, capabilities: &Capabilities) -> Option<String> {
    let groups = capabilities.equivalent_statuses.iter();
    groups
        .filter_map(|group| group_problem(group))
        .chain(capabilities.subscribes.iter().flatten().filter_map(|pattern| pattern_problem(provider, pattern)))
        .chain(hears_nothing(provider, capabilities))
        .next()
}

/// What is odd about these claims and no error: patterns that fit no event type of the provider.
pub fn claims_remarks(provider: &dyn Provider, capabilities: &Capabilities) -> Vec<String> {
    let patterns = capabilities.subscribes.iter().flatten();
    let nothing_to_call = (capabilities.calls_back && provider.api().is_none())
        .then(|| format!("capabilities.callsBack: no API of {} is served here, so the claim counts for nothing", provider.name()));
    let older = capabilities.older_api_version;
    let one_version = (older && provider.older_version().is_none())
        .then(|| format!("capabilities.olderApiVersion: {} has one version here, so the claim counts for nothing", provider.name()));
    let kinds = || provider.corpus().catalogue.iter().map(|event| event.kind.as_str());
    let idle = patterns.filter(|pattern| !kinds().any(|kind| fits_pattern(pattern, kind) && provider.sends(kind, older)));
    let idle = idle.map(|pattern| match provider.older_version().filter(|_| older && fits_something(provider, pattern)) {
        Some(version) => format!("capabilities.subscribes: `{pattern}` fits no event type that is sent in API version {version}"),
        None => format!("capabilities.subscribes: `{pattern}` fits no event type of {}", provider.name()),
    });
    idle.chain(nothing_to_call).chain(one_version).collect()
}

/// Statuses of which one may be shown for another where a target says that it cannot tell them apart. Whatever is joined
/// with a status that says that money moved would hide a wrong state.
fn group_problem(group: &[String]) -> Option<String> {
    let fail = |why: String| Some(format!("field `capabilities.equivalentStatuses`: [{}]: {why}", group.join(", ")));
    // The one state of a refund that is no status of an order, and is open like the two that are.
    let requested = RefundState::Requested.as_str();
    let words = || Status::ALL.map(Status::as_str).into_iter().chain([requested]);
    if let Some(unknown) = group.iter().find(|word| words().all(|known| known != word.as_str())) {
        return fail(format!("`{unknown}` is no status{}", did_you_mean(unknown, words())));
    }
    let has = |status: Status| group.iter().any(|word| word == status.as_str());
    let moved = [Status::PartiallyRefunded, Status::Refunded, Status::ChargedBack].into_iter().find(|status| has(*status));
    if let Some(moved) = moved.filter(|moved| group.iter().any(|word| word != moved.as_str())) {
        return fail(format!("`{}` cannot be joined with another status; leave it out", moved.as_str()));
    }
    let open = has(Status::Pending) || has(Status::PendingInformation) || group.iter().any(|word| word == requested);
    if open && has(Status::Failed) {
        return fail("`failed` cannot be joined with a status of an open refund; leave it out".to_owned());
    }
    None
}

fn pattern_problem(provider: &dyn Provider, pattern: &str) -> Option<String> {
    if fits_something(provider, pattern) {
        return None;
    }
    let kinds = || provider.corpus().catalogue.iter().map(|event| event.kind.as_str());
    let prefix = |kind: &str| kind.split('.').next().unwrap_or_default().to_owned();
    // What begins like the provider's own types is a slip of the pen; anything else may be another provider's.
    let is_own = kinds().any(|kind| prefix(kind) == prefix(pattern));
    let hint = did_you_mean(pattern, kinds());
    is_own.then(|| format!("field `capabilities.subscribes`: `{pattern}` fits no event type of {}{hint}", provider.name()))
}

fn fits_something(provider: &dyn Provider, pattern: &str) -> bool {
    provider.corpus().catalogue.iter().any(|event| fits_pattern(pattern, &event.kind))
}

fn hears_nothing(provider: &dyn Provider, capabilities: &Capabilities) -> Option<String> {
    let is_sent = |kind: &str| capabilities.is_subscribed(kind) && provider.sends(kind, capabilities.older_api_version);
    let hears_something = provider.corpus().catalogue.iter().any(|event| is_sent(&event.kind));
    (!hears_something)
        .then(|| format!("field `capabilities.subscribes`: fits no event type of {}, so nothing can be judged", provider.name()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::provider::registered;

    fn provider() -> &'static dyn Provider {
        registered()[0].embedded()
    }

    fn joined(group: &[&str]) -> Option<String> {
        let equivalent_statuses = vec![group.iter().map(|word| (*word).to_owned()).collect()];
        claims_problem(provider(), &Capabilities { equivalent_statuses, ..Capabilities::default() })
    }

    fn subscribing(patterns: &[&str]) -> Capabilities {
        Capabilities { subscribes: Some(patterns.iter().map(|pattern| (*pattern).to_owned()).collect()), ..Capabilities::default() }
    }

    #[rstest]
    #[case(&["pending", "pending_information"])]
    #[case(&["not_refunded", "pending"])]
    #[case(&["not_refunded", "pending", "pending_information"])]
    #[case(&["not_refunded", "failed"])]
    #[case(&["requested", "pending"])]
    #[case(&["refunded"])]
    #[case(&[])]
    fn may_be_joined(#[case] group: &[&str]) {
        assert_eq!(joined(group), None);
    }

    #[rstest]
    #[case(&["refunded", "partially_refunded"], "partially_refunded")]
    #[case(&["not_refunded", "refunded"], "refunded")]
    #[case(&["charged_back", "refunded"], "refunded")]
    #[case(&["not_refunded", "charged_back"], "charged_back")]
    #[case(&["pending", "failed"], "failed")]
    #[case(&["not_refunded", "pendign"], "did you mean `pending`?")]
    fn may_not_be_joined(#[case] group: &[&str], #[case] says: &str) {
        let problem = joined(group).expect("a problem");
        assert!(problem.contains("capabilities.equivalentStatuses") && problem.contains(says), "{problem}");
    }

    #[test]
    fn patterns_that_fit_nothing() {
        let problem = claims_problem(provider(), &subscribing(&["refund.*", "refund.completed"])).expect("a problem");
        assert!(problem.contains("did you mean `refund.complete`?"), "{problem}");
        let foreign = subscribing(&["refund.*", "invoice.paid"]);
        assert_eq!(claims_problem(provider(), &foreign), None);
        assert_eq!(claims_remarks(provider(), &foreign).len(), 1);
        assert!(
            claims_problem(provider(), &subscribing(&["invoice.paid"])).is_some_and(|problem| problem.contains("nothing can be judged"))
        );
        assert!(claims_problem(provider(), &subscribing(&[])).is_some());
    }
}
