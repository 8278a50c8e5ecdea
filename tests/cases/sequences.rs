//! The frozen sequences: the reference shows what the snapshots say, and the expectations agree with both.

use std::collections::BTreeSet;

use refundproof::{
    case::Case,
    check::{Rules, snapshot},
    domain::Clock,
    drive::{Conditions, Driver},
    provider::{Audience, Provider, lower_for},
    run::terms,
};

use crate::common::{providers, root, shop};

fn sequences(provider: &'static dyn Provider) -> impl Iterator<Item = (&'static String, &'static Case)> {
    provider.corpus().sequences().iter()
}

/// Every sequence of every provider.
fn all() -> impl Iterator<Item = (&'static dyn Provider, &'static String, &'static Case)> {
    providers().flat_map(|provider| sequences(provider).map(move |(name, case)| (provider, name, case)))
}

#[test]
fn the_reference_shows_what_the_snapshots_say() {
    for provider in providers() {
        let clock = Clock::manual(1_750_000_000);
        let target = shop(None, &clock);
        let mut driver = Driver::new(provider, target, clock, Conditions::default()).expect("it starts");
        for (name, case) in sequences(provider) {
            let capabilities = driver.capabilities().clone();
            assert_eq!(&case.clone().restricted_to(terms(&|kind| capabilities.is_subscribed(kind), &capabilities)), case);
            let outcome = driver.run(name, case, Rules::default());
            assert_eq!(outcome.failure, None, "{name}");
            assert_eq!(outcome.error, None, "{name}");
            let text = snapshot::render(case, &outcome.seen, &capabilities.sight());
            insta::with_settings!({
                snapshot_path => root().join("snapshots").join(provider.name()),
                prepend_module_to_snapshot => false,
                omit_expression => true,
                description => case.title.clone(),
            }, {
                insta::assert_snapshot!(name.as_str(), text);
            });
        }
    }
}

#[test]
fn there_are_enough_and_each_has_a_title_and_a_snapshot() {
    for provider in providers() {
        assert!(sequences(provider).count() >= 40, "{}", provider.name());
    }
    for (provider, name, case) in all() {
        assert_eq!(case.provider, provider.name(), "{name}");
        assert!(!case.title.is_empty(), "{name}");
        let kept = provider.corpus().snapshots.get(name).unwrap_or_else(|| panic!("{name} has no snapshot"));
        assert_eq!(snapshot::content(kept), snapshot::expected(case).trim_matches('\n'), "{name}");
    }
}

/// What `cargo xtask corpus generate` writes is insta's own format: insta reads it, and `cargo insta accept` takes it.
#[test]
fn snapshot_files_are_instas_own() {
    let folder = tempfile::tempdir().expect("a folder");
    for (_, name, case) in all() {
        let content = snapshot::expected(case);
        let path = folder.path().join(format!("{name}.snap.new"));
        std::fs::write(&path, snapshot::file(&case.title, &content)).expect("it is written");
        let read = insta::Snapshot::from_file(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.metadata().description(), Some(case.title.as_str()));
        let insta::internals::SnapshotContents::Text(text) = read.contents() else { panic!("{name} is text") };
        assert_eq!(text.to_string().trim(), content.trim(), "{name}");
    }
}

/// A frozen sequence does not change when the generator does; today it still comes from its plan.
#[test]
fn the_plan_beside_a_sequence_still_means_it() {
    for (provider, name, case) in all() {
        let plan = case.plan.as_ref().unwrap_or_else(|| panic!("{name} has no plan"));
        let serial: u64 = name.split('-').next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{name} has no number"));
        let again = lower_for(provider, plan, serial, Audience { clock: true, ..Audience::EVERYBODY }).case;
        assert_eq!(again.entries, case.entries, "{name}");
        assert_eq!(again.expect, case.expect, "{name}");
    }
}

/// Every type that a source document names is traffic in some sequence.
#[test]
fn the_documented_catalogue_is_complete() {
    for provider in providers() {
        let events: BTreeSet<&str> =
            sequences(provider).flat_map(|(_, case)| case.all_deliveries()).map(|delivery| delivery.event.kind.as_str()).collect();
        let named = provider.corpus().catalogue.iter().filter(|entry| !entry.named_by.is_empty());
        let missing: Vec<&str> = named.map(|entry| entry.kind.as_str()).filter(|kind| !events.contains(kind)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", provider.name());
    }
}

/// A sequence pins what a target shows, so no document may leave that open; types that no document names may be missing for
/// that alone.
#[test]
fn what_is_missing_of_the_catalogue_is_doubtful() {
    for provider in providers() {
        let sequences: Vec<&Case> = sequences(provider).map(|(_, case)| case).collect();
        let is_traffic = |kind: &str| sequences.iter().flat_map(|case| case.all_deliveries()).any(|delivery| delivery.event.kind == kind);
        for entry in provider.corpus().catalogue.iter().filter(|entry| !is_traffic(&entry.kind)) {
            assert!(entry.assumed.as_ref().is_some_and(|text| text.contains("may apply it or pass over it")), "{}", entry.kind);
        }
    }
}

#[test]
fn together_they_reach_every_fault() {
    for provider in providers() {
        let deliveries = sequences(provider).flat_map(|(_, case)| case.all_deliveries());
        let faults: BTreeSet<&str> = deliveries.filter_map(|delivery| delivery.fault.as_deref()).collect();
        for fault in
            ["redelivery", "out of order", "redelivery after a lost answer", "redelivery after a broken body", "unknown event type"]
        {
            assert!(faults.contains(fault), "{}: no sequence has `{fault}`", provider.name());
        }
    }
}
