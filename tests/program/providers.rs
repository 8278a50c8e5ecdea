//! Every command takes every provider.

use refundproof::provider::Provider;

use crate::common::{
    place::{BROKEN, FAULT, Place},
    providers, root,
};

fn for_each(check: impl Fn(&'static dyn Provider, &Place)) {
    for provider in providers() {
        check(provider, &Place::new());
    }
}

#[test]
fn certify() {
    for_each(|provider, place| {
        let out = place.exits(&["certify", "--provider", provider.name(), "--cases", "5"], 0).out;
        assert!(out.contains(&format!("· {} ·", provider.name())) && out.contains("conformant"), "{out}");
    });
}

#[test]
fn certify_finds_a_fault_and_replay_finds_it_again() {
    for_each(|provider, place| {
        let out = place.exits(&["certify", "--provider", provider.name(), "--only", BROKEN, "--failures", "failures", FAULT], 1).out;
        assert!(out.contains("not-conformant"), "{out}");
        let case = std::fs::read_dir(place.path("failures")).expect("saved").next().expect("a case").expect("an entry").path();
        let case = case.display().to_string();
        place.exits(&["replay", &case, FAULT], 1);
        place.exits(&["replay", &case], 0);
        let header = provider.signature_header();
        let out = place.exits(&["show", &case, "--curl", "--secret", "whsec"], 0).out;
        assert!(out.contains(&format!("-H '{header}: ")) || out.contains(&format!("-H {header}: ")), "{out}");
    });
}

#[test]
fn doctor() {
    for_each(|provider, place| {
        let out = place.exits(&["doctor", "--provider", provider.name()], 0).out;
        assert!(out.contains("the adapter works"), "{out}");
    });
}

#[test]
fn list_and_explain() {
    for_each(|provider, place| {
        let requirements = place.exits(&["list", "--provider", provider.name()], 0).out;
        let faults = place.exits(&["list", "--faults", "--provider", provider.name()], 0).out;
        for requirement in &provider.corpus().requirements {
            assert!(requirements.contains(&requirement.id), "{}", requirement.id);
            assert!(faults.contains(&requirement.id), "no fault is aimed at {}", requirement.id);
            let out = place.exits(&["explain", "--provider", provider.name(), &requirement.id], 0).out;
            // Lines are wrapped for the terminal.
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words(&out).contains(&words(&requirement.heading)), "{out}");
        }
    });
}

#[test]
fn frozen_sequences_are_replayed_and_shown() {
    for_each(|provider, place| {
        let name = provider.corpus().sequences().keys().next().expect("a sequence");
        let path = root().join("corpus").join(provider.name()).join("sequences").join(format!("{name}.json"));
        let path = path.display().to_string();
        place.exits(&["replay", &path], 0);
        assert!(place.exits(&["show", &path], 0).out.contains("must end as"));
    });
}
