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
    domain::{Clock, did_you_mean},
    provider::Provider,
    report::{
        style::plain,
        terminal::{View, finding_lines},
    },
    run::{Launch, Options, Selection, certify},
};

/// How many cases a requirement gets in a test; the same everywhere, so that a test is repeatable.
const CASES: u32 = 64;

/// What a test file says of its target in advance.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    not_judged: &'static [&'static str],
    strict: bool,
}

impl Expected {
    /// The requirements of `not_judged` (globs, as for `--only`) do not apply to the target or cannot be exercised under its
    /// claims; `strict` lets a SHOULD fail its test.
    pub const fn new(not_judged: &'static [&'static str], strict: bool) -> Expected {
        Expected { not_judged, strict }
    }

    fn is_not_judged(&self, id: &str) -> bool {
        !self.not_judged.is_empty() && selection(self.not_judged).includes(id)
    }
}

fn selection(patterns: &[&str]) -> Selection {
    let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    Selection::new(&patterns, &[]).unwrap_or_else(|error| panic!("{}: {error}", patterns.join(", ")))
}

/// Judges one requirement and panics with the shrunk counterexample if the target does not meet it. One that could not be
/// judged fails too, unless that was expected; a SHOULD that is not met is printed.
///
/// # Panics
/// When the target does not meet the requirement, could not be judged although nothing says so, or was judged although it
/// was said that it could not be.
#[track_caller]
pub fn assert_requirement<T: Target + 'static>(provider: &dyn Provider, id: &str, expected: Expected, make: impl Fn() -> T + Sync) {
    let launch = Launch::new("in-process", "", Clock::system(), || Ok(Box::new(make()) as Box<dyn Target>));
    let options = Options {
        cases: CASES,
        selection: selection(&[id]),
        settle: Duration::from_secs(2),
        strict: expected.strict,
        ..Options::default()
    };
    let report = certify(provider, &launch, &options, &AtomicBool::new(false), &mut |_| {}).unwrap_or_else(|error| panic!("{id}: {error}"));
    let Some(requirement) = report.requirements.first() else { panic!("there is no requirement `{id}`") };
    if !requirement.judged {
        return;
    }
    let note = requirement.note.as_deref().unwrap_or_default();
    let verdict = requirement.verdict;
    match (verdict, expected.is_not_judged(id)) {
        (Verdict::Pass, false) | (Verdict::NotApplicable | Verdict::NotExercised, true) => return,
        (Verdict::NotApplicable | Verdict::NotExercised, false) => {
            panic!("{id}: {}: {note}; if that is meant, say `not_judged = [\"{id}\"]`", verdict.as_str())
        }
        (_, true) => panic!("{id}: was said not to be judged, and the verdict is {}; take it from `not_judged`", verdict.as_str()),
        (_, false) => {}
    }
    let mut text = format!("{id}: {} {note}\n", verdict.as_str()).into_bytes();
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
    let text = plain(&String::from_utf8_lossy(&text));
    if verdict == Verdict::Warn {
        warn(&text);
        return;
    }
    panic!("{text}");
}

#[expect(clippy::print_stderr, reason = "the test runner shows what a test prints; there is nobody else to tell")]
fn warn(text: &str) {
    eprintln!("{text}");
}

/// Panics if a requirement of the provider is not in the list, or something is said not to be judged that is none.
///
/// # Panics
/// When one is missing, or too much is there.
#[track_caller]
pub fn assert_complete(provider: &dyn Provider, ids: &[&str], expected: Expected) {
    for requirement in &provider.corpus().requirements {
        assert!(ids.contains(&requirement.id.as_str()), "requirement `{}` has no test", requirement.id);
    }
    for pattern in expected.not_judged {
        let fits = selection(&[pattern]);
        let hint = did_you_mean(pattern, ids.iter().copied());
        assert!(ids.iter().any(|id| fits.includes(id)), "not_judged: `{pattern}` fits no requirement{hint}");
    }
}

/// Makes one `#[test]` for each requirement of a provider. The arguments are the provider's module (without one the first
/// that is registered is meant) and a closure that makes a target.
///
/// A requirement that does not apply to the target, or that nothing can refute under its claims, fails its test with the
/// reason, unless the test file says that it expects so. A SHOULD that is not met is printed, unless it is to be strict:
///
/// ```ignore
/// refundproof::conformance_tests!(|| MyShop::new(); not_judged = ["signature-*", "survives-restart"], strict = true);
/// ```
///
/// A provider from outside this crate says itself which requirements it has:
///
/// ```ignore
/// refundproof::conformance_tests! {
///     provider = my_provider(), make = || MyShop::new(), not_judged = ["concurrent-deliveries"];
///     duplicate_deliveries "duplicate-deliveries",
///     malformed_body_rejected "malformed-body-rejected",
/// }
/// ```
#[macro_export]
macro_rules! conformance_tests {
    (
        provider = $provider:expr, make = $make:expr $(, not_judged = [$($not:literal),* $(,)?])? $(, strict = $strict:literal)?;
        $($name:ident $id:literal),* $(,)?
    ) => {
        const EXPECTED: $crate::testing::Expected = $crate::testing::Expected::new(&[$($($not),*)?], false $(|| $strict)?);

        /// A requirement without a test here is a fault of the list.
        #[test]
        fn every_requirement_has_a_test() {
            $crate::testing::assert_complete($provider, &[$($id),*], EXPECTED);
        }
        $(
            #[test]
            fn $name() {
                $crate::testing::assert_requirement($provider, $id, EXPECTED, $make);
            }
        )*
    };
    ($provider:ident, $make:expr $(; $($name:ident = $value:tt),+ $(,)?)?) => {
        $crate::provider::$provider::requirements! { $make $(, $($name = $value),+)? }
    };
    ($make:expr $(; $($name:ident = $value:tt),+ $(,)?)?) => {
        $crate::provider::registry::default::requirements! { $make $(, $($name = $value),+)? }
    };
}
