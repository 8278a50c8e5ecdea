//! What is found of targets with faults of the bank, as reviewed: each mistake once, by how many deliveries its smallest case
//! has, with what it is like and what else it breaks. A few faults of each kind; the whole bank is gone through by the kill matrix.

use std::{fmt::Write, sync::atomic::AtomicBool};

use crate::{
    adapter::Target,
    domain::Clock,
    drive::Launch,
    findings::ShrinkLimits,
    provider::{Provider, registered},
    reference::{Fault, ReferenceShop},
    run::{Options, Selection, certify},
};

/// What is found of a target with these faults, in the cases of some requirements.
fn found(provider: &dyn Provider, names: &str, only: &[&str]) -> String {
    let faults: Vec<Fault> = names.split('+').map(|name| Fault::from_name(name).expect("a fault")).collect();
    let clock = Clock::manual(1_750_000_000);
    let shop = clock.clone();
    let launch =
        Launch::new("in-process", "", clock, move || Ok(Box::new(ReferenceShop::with_faults(&faults, shop.clone())) as Box<dyn Target>));
    let only: Vec<String> = only.iter().map(|id| (*id).to_owned()).collect();
    let options = Options::new().with(|options| {
        (options.cases, options.seed, options.jobs) = (8, 1, 1);
        options.shrink = ShrinkLimits { attempts: 600, ..ShrinkLimits::default() };
        options.selection = Selection::new(&only, &[]).expect("globs");
    });
    let report = certify(provider, &launch, &options, &AtomicBool::new(false), &mut |_| {}).expect("it starts");
    let mut text = format!("{names}\n");
    for finding in &report.findings {
        let like = finding.like.as_ref().map_or("nothing", |like| like.fault.as_str());
        let _ = writeln!(text, "  {} {} {:?} in {} like {like}", finding.id, finding.about, finding.kind, finding.deliveries);
        let _ = writeln!(text, "    case {}, also {}", finding.case, finding.also_fails.join(" "));
    }
    text
}

#[test]
fn of_the_first_provider() {
    let provider = registered()[0].embedded();
    let everything: &[&str] = &[];
    let mut text = String::new();
    for (names, only) in [
        ("pending-counts", everything),
        ("duplicate-refused", everything),
        ("last-refund-overwrites", everything),
        ("chargeback-ignored+refund-per-charge", everything),
        ("malformed-acknowledged", &["malformed-*", "refund-*", "mixed-traffic"]),
        ("items-are-all+first-item-only", &["item-*", "full-*", "partial-*", "mixed-traffic"]),
        ("latest-event-wins", &["out-of-order-deliveries", "final-*", "several-*"]),
        ("two-digit-currency+float-sums", &["minor-*", "amounts-*", "exact-*", "several-*"]),
    ] {
        text.push_str(&found(provider, names, only));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn of_the_others() {
    let mut text = String::new();
    for provider in registered()[1..].iter().map(|provider| provider.embedded()) {
        text.push_str("another provider\n");
        for names in ["pending-counts", "unknown-event-fails", "latest-event-wins"] {
            text.push_str(&found(provider, names, &[]));
        }
    }
    insta::assert_snapshot!(text);
}
