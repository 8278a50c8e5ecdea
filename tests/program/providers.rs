//! Every command takes every provider.

use refundproof::{provider::Provider, reference::Fault};

use crate::common::{
    certified_for, only,
    place::{BROKEN, FAULT, Place},
    providers, quick, root,
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

/// What not every target claims leaves some requirements nothing to show, and is no contradiction.
#[test]
fn records_of_targets_that_claim_more_hold() {
    for_each(|provider, place| {
        let claims = [("reference-calling-back", provider.api().is_some()), ("reference-older", provider.older_version().is_some())];
        for (target, _) in claims.into_iter().filter(|(_, can)| *can) {
            let target = format!("builtin:{target}");
            let certify = ["certify", "--provider", provider.name(), &target, "--cases", "8", "--report", "json=r.json"];
            place.exits(&certify, 0);
            place.exits(&["verify", "r.json"], 0);
        }
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
fn live_mode() {
    for_each(|provider, place| {
        let run = |code, more: &[&str]| {
            place.exits(&[&["certify", "--provider", provider.name(), "--live-mode", "--cases", "5"], more].concat(), code)
        };
        if provider.mode_member().is_none() {
            let err = run(2, &[]).err;
            assert!(err.contains("do not say of which mode they are"), "{err}");
            return;
        }
        let out = run(0, &[]).out;
        assert!(out.contains("· live mode ·") && out.contains("they are of the provider's test mode"), "{out}");
        run(0, &["--report", "json=live.json"]);
        place.exits(&["verify", "live.json"], 0);
        run(1, &["--failures", "failures", "--only", "*-updates-order", DROPS_LIVE]);
        let case = std::fs::read_dir(place.path("failures")).expect("saved").next().expect("a case").expect("an entry").path();
        let case = case.display().to_string();
        // A saved case says itself of which mode it is, to whoever is registered there, and is nothing for the other mode.
        place.exits(&["replay", &case, DROPS_LIVE], 1);
        place.exits(&["replay", &case], 0);
        let ran = place.exits(&["certify", "--provider", provider.name(), "--cases", "5", "--failures", "failures"], 0);
        assert!(ran.err.contains("not of the test mode"), "{}", ran.err);
    });
}

const DROPS_LIVE: &str = "builtin:fault/drops-live-events";

/// Whether the requirement that the fault is aimed at fails, and whether any does.
fn found(provider: &dyn Provider, fault: Option<Fault>, seed: u64) -> (bool, bool) {
    let aims = Fault::DropsLiveEvents.info().expected;
    let (cases, asked) = if fault.is_some() { (100, aims) } else { (20, &["*"][..]) };
    let options = quick(cases, seed).with(|options| options.selection = only(asked));
    let report = certified_for(provider, fault, &options);
    let aim = report.requirements.iter().find(|result| aims.contains(&result.id.as_str()));
    (aim.is_some_and(|aim| !aim.findings.is_empty()), !report.findings.is_empty())
}

#[test]
fn what_drops_live_events_shows_in_live_mode_and_in_no_other() {
    for provider in providers() {
        let Some(live) = provider.in_live_mode() else { continue };
        for seed in 1..=if std::env::var_os("ALL_SEEDS").is_some() { 10 } else { 2 } {
            assert_eq!(found(&*live, Some(Fault::DropsLiveEvents), seed), (true, true), "{}, seed {seed}", provider.name());
        }
        assert_eq!(found(provider, Some(Fault::DropsLiveEvents), 1), (false, false), "{}", provider.name());
        assert_eq!(found(&*live, None, 1), (false, false), "{}", provider.name());
    }
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
