//! Certifying a Rust implementation in `cargo test`: one test for each requirement.
//!
//! Implement [`Target`] and write
//!
//! ```ignore
//! refundproof::conformance_tests!(|| MyShop::new());
//! ```
//!
//! in a test module. Variables of the environment change how its tests run:
//!
//! | variable | means |
//! | --- | --- |
//! | `REFUNDPROOF_SEED` | what cases are drawn from, a whole number |
//! | `REFUNDPROOF_CASES` | how many cases each requirement gets |
//! | `REFUNDPROOF_FAILURES` | the folder for cases that fail; without it `refundproof-failures` beside what cargo builds |
//! | `REFUNDPROOF_REPLAY` | a saved case: the test of its requirement runs it alone, once |
//!
//! What is behind the macro is here: `examples/event_log_shop.rs` is a whole one. Another provider than the first of the
//! [registered](crate::provider::registered) ones is named by its module, before the closure.

#[cfg(feature = "arbitrary")]
mod fuzz;
#[cfg(all(unix, feature = "arbitrary", feature = "http"))]
#[doc(hidden)]
pub mod fuzz_targets;
#[doc(hidden)]
pub mod laws;

#[cfg(feature = "arbitrary")]
pub use fuzz::fuzz;
pub use laws::assert_provider;

use std::{
    env, fs,
    path::{Path, PathBuf},
    str::FromStr,
    sync::atomic::AtomicBool,
    time::Duration,
};

use crate::{
    adapter::{Target, TargetError},
    case::Case,
    check::Rules,
    domain::{Clock, did_you_mean},
    drive::Launch,
    provider::Provider,
    report::{
        style::plain,
        terminal::{View, finding_lines},
    },
    run::{self, Options, Selection},
    verdict::{Report, Verdict},
};

/// How many cases a requirement gets in a test; the same everywhere, so that a test is repeatable.
const CASES: u32 = 64;

/// What a test file says of its target in advance.
#[doc(hidden)]
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

/// Runs a whole certification of targets that `make` makes, in this process.
///
/// # Errors
/// When the target cannot be started or does not introduce itself. Whatever happens later is in the report.
pub fn certify<T: Target + 'static>(
    provider: &dyn Provider,
    options: &Options,
    make: impl Fn() -> T + Sync,
) -> Result<Report, TargetError> {
    run::certify(provider, &launch(make), options, &AtomicBool::new(false), &mut |_| {})
}

fn launch<T: Target + 'static>(make: impl Fn() -> T + Sync) -> Launch<impl Fn() -> Result<Box<dyn Target>, TargetError> + Sync> {
    Launch::new("in-process", "", Clock::system(), move || Ok(Box::new(make()) as Box<dyn Target>))
}

/// Judges one requirement and panics with the shrunk counterexample if the target does not meet it. One that could not be
/// judged fails too, unless that was expected; a SHOULD that is not met is printed.
///
/// # Panics
/// When the target does not meet the requirement, could not be judged although nothing says so, or was judged although it
/// was said that it could not be.
#[doc(hidden)]
#[track_caller]
pub fn assert_requirement<T: Target + 'static>(provider: &dyn Provider, id: &str, expected: Expected, make: impl Fn() -> T + Sync) {
    let mut options = Options {
        cases: variable("REFUNDPROOF_CASES").unwrap_or(CASES),
        selection: selection(&[id]),
        settle: Duration::from_secs(2),
        strict: expected.strict,
        ..Options::default()
    };
    options.seed = variable("REFUNDPROOF_SEED").unwrap_or(options.seed);
    if let Some(path) = env::var_os("REFUNDPROOF_REPLAY") {
        replay(provider, id, &options, Path::new(&path), make);
        return;
    }
    let mut report = certify(provider, &options, make).unwrap_or_else(|error| panic!("{id}: {error}"));
    save(&mut report, id);
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

/// A number from the environment. One that is none is no reason to run something else than was meant.
#[track_caller]
fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: `{text}` is not such a number")))
}

/// Saves the cases of the findings, and says how each is run again. A folder that cannot be written to loses the line only.
fn save(report: &mut Report, id: &str) {
    let Some(folder) = folder() else { return };
    for finding in report.findings.iter_mut().filter(|finding| finding.about == id) {
        let Some(case) = &finding.shrunk else { continue };
        let path = folder.join(finding.file_name());
        if fs::create_dir_all(&folder).is_ok() && fs::write(&path, case.to_json()).is_ok() {
            finding.file = path.display().to_string();
            finding.reproduce = format!("REFUNDPROOF_REPLAY='{}' cargo test {}", finding.file, id.replace('-', "_"));
        }
    }
}

/// Where cases that fail are saved.
fn folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("REFUNDPROOF_FAILURES") {
        return Some(folder.into());
    }
    // The test is in `deps` or `examples` of a folder for its profile, in the one that cargo builds in.
    let test = env::current_exe().ok()?;
    Some(test.ancestors().nth(3)?.join("refundproof-failures"))
}

/// Runs a saved case, if it is of this requirement.
#[track_caller]
fn replay<T: Target + 'static>(provider: &dyn Provider, id: &str, options: &Options, path: &Path, make: impl Fn() -> T + Sync) {
    let case = Case::from_file(path).unwrap_or_else(|error| panic!("REFUNDPROOF_REPLAY: {error}"));
    if case.requirement.as_deref() != Some(id) || case.provider != provider.name() {
        return;
    }
    let launch = launch(make);
    let mut driver = options.driver(provider, &launch, Clock::system()).unwrap_or_else(|error| panic!("{id}: {error}"));
    let outcome = driver.run("replay", &case, Rules::of(id, provider.answer_limit()));
    if let Some(error) = outcome.error {
        panic!("{id}: {error}");
    }
    if let Some(failure) = outcome.failure {
        panic!("{id}: {}: {}\n{}", path.display(), failure.message, failure.diff);
    }
}

#[expect(clippy::print_stderr, reason = "the test runner shows what a test prints; there is nobody else to tell")]
fn warn(text: &str) {
    eprintln!("{text}");
}

/// Panics if a requirement of the provider is not in the list, or something is said not to be judged that is none.
///
/// # Panics
/// When one is missing, or too much is there.
#[doc(hidden)]
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
/// that is registered is meant) and a closure that makes a target. The tests of a provider that is named stand in a module of
/// that name, so that those of several can stand beside each other.
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
        // Tests of several providers for one target have the same names.
        mod $provider {
            use super::*;

            $crate::provider::$provider::requirements! { $make $(, $($name = $value),+)? }
        }
    };
    ($make:expr $(; $($name:ident = $value:tt),+ $(,)?)?) => {
        $crate::provider::registry::default::requirements! { $make $(, $($name = $value),+)? }
    };
}
