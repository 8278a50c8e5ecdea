//! Certifying a Rust implementation in `cargo test`: one test for each requirement.
//!
//! Implement [`Target`] and write
//!
//! ```ignore
//! refundproof::conformance_tests!(|| MyShop::new());
//! ```
//!
//! in a test module. `examples/event_log_shop.rs` is a whole one. Another provider than the first of the
//! [registered](crate::provider::registered) ones is named by its module, before the closure.

use std::{sync::atomic::AtomicBool, time::Duration};

use crate::{
    adapter::Target,
    check::verdict::Verdict,
    domain::Clock,
    provider::Provider,
    report::terminal::{View, finding_lines},
    run::{Launch, Options, Selection, certify},
};

/// How many cases a requirement gets in a test; the same everywhere, so that a test is repeatable.
const CASES: u32 = 64;

/// Judges one requirement and panics with the shrunk counterexample if the target does not meet it. A
/// requirement that does not apply to the target passes.
///
/// # Panics
/// When the target does not meet the requirement or could not be judged.
#[track_caller]
pub fn assert_requirement<T: Target + 'static>(provider: &dyn Provider, id: &str, make: impl Fn() -> T + Sync) {
    let launch = Launch::new("in-process", "", Clock::system(), || Ok(Box::new(make()) as Box<dyn Target>));
    let selection = Selection::new(&[id.to_owned()], &[]).unwrap_or_else(|error| panic!("{id}: {error}"));
    let options = Options { cases: CASES, selection, settle: Duration::from_secs(2), ..Options::default() };
    let report = certify(provider, &launch, &options, &AtomicBool::new(false), &mut |_| {}).unwrap_or_else(|error| panic!("{id}: {error}"));
    let Some(requirement) = report.requirements.first() else { panic!("there is no requirement `{id}`") };
    if matches!(requirement.verdict, Verdict::Pass | Verdict::NotApplicable) || !requirement.judged {
        return;
    }
    let mut text = format!("{id}: {} {}\n", requirement.verdict.as_str(), requirement.note.as_deref().unwrap_or_default()).into_bytes();
    for (place, finding) in report.findings.iter().enumerate() {
        if finding.about == id {
            let describe = provider.corpus().requirements.iter().find(|other| other.id == id);
            // Writing to memory cannot fail.
            let _ = finding_lines(&mut text, place + 1, finding, View { columns: 110, quiet: false }, describe);
        } else {
            // The test of the other requirement tells it.
            let line = format!("its cases fail because of a mistake that `{}` is about: {}\n", finding.about, finding.message);
            text.extend_from_slice(line.as_bytes());
        }
    }
    panic!("{}", anstream::adapter::strip_str(&String::from_utf8_lossy(&text)));
}

/// Panics if a requirement of the provider is not in the list.
///
/// # Panics
/// When one is missing.
#[track_caller]
pub fn assert_complete(provider: &dyn Provider, ids: &[&str]) {
    for requirement in &provider.corpus().requirements {
        assert!(ids.contains(&requirement.id.as_str()), "requirement `{}` has no test", requirement.id);
    }
}

/// Makes one `#[test]` for each requirement of a provider. The arguments are the provider's module (without one the first
/// that is registered is meant) and a closure that makes a target.
///
/// A provider from outside this crate says itself which requirements it has:
///
/// ```ignore
/// refundproof::conformance_tests! {
///     provider = my_provider(), make = || MyShop::new();
///     duplicate_deliveries "duplicate-deliveries",
///     malformed_body_rejected "malformed-body-rejected",
/// }
/// ```
#[macro_export]
macro_rules! conformance_tests {
    (provider = $provider:expr, make = $make:expr; $($name:ident $id:literal),* $(,)?) => {
        /// A requirement without a test here is a fault of the list.
        #[test]
        fn every_requirement_has_a_test() {
            $crate::testing::assert_complete($provider, &[$($id),*]);
        }
        $(
            #[test]
            fn $name() {
                $crate::testing::assert_requirement($provider, $id, $make);
            }
        )*
    };
    ($provider:ident, $make:expr) => {
        $crate::provider::$provider::requirements! { $make }
    };
    ($make:expr) => {
        $crate::provider::registry::default::requirements! { $make }
    };
}
