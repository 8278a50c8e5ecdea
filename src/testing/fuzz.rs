//! Fuzzing a consumer: bytes make a plan, and the target must show what follows from it.

use arbitrary::{Arbitrary, Unstructured};

use super::launch;
use crate::{
    adapter::Target,
    check::Rules,
    domain::Clock,
    plan::{FaultKind, Plan},
    provider::Provider,
    report::{style::plain, timeline},
    run::{Options, as_sent},
};

/// More orders than this share nothing new.
const MOST_ORDERS: usize = 3;

/// More steps than this are only slower.
const MOST_STEPS: usize = 24;

/// The serial of every case: each is played to a target of its own.
const SERIAL: u64 = 1;

/// Lets bytes decide what happens to some orders and how the news of it travels, and plays it to a target that is made for it.
/// Any bytes mean something, so a fuzzer may change them as it likes; what they mean changes with the version of this crate.
///
/// ```ignore
/// libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
///     refundproof::testing::fuzz(provider(), bytes, MyShop::new);
/// });
/// ```
///
/// What a target need not do (requirements of the level SHOULD) is not asked for, nor what it does not claim.
///
/// # Panics
/// When the target does not start, cannot be judged, or does not show what it must: then with the deliveries, one after the
/// other, and what is wrong after the last of them.
#[track_caller]
pub fn fuzz<T: Target + 'static>(provider: &dyn Provider, bytes: &[u8], make: impl Fn() -> T + Sync) {
    let Some(plan) = plan_of(bytes) else { return };
    let launch = launch(make);
    let mut driver = match Options::default().driver(provider, &launch, Clock::system()) {
        Ok(driver) => driver,
        Err(error) => panic!("the target does not start: {error}"),
    };
    let case = as_sent(provider, &plan, SERIAL, driver.capabilities());
    if case.deliveries() == 0 {
        return;
    }
    let outcome = driver.run("fuzz", &case, Rules::default());
    let answers = outcome.answers();
    if let Some(error) = outcome.error {
        panic!("the target cannot be judged: {error}");
    }
    if let Some(failure) = outcome.failure {
        let mut story = Vec::new();
        // Writing to memory cannot fail.
        let _ = timeline::write(&mut story, &case, Some(&answers), 110);
        let story = plain(&String::from_utf8_lossy(&story));
        panic!("{}\n{}\n{story}", failure.message, failure.diff);
    }
}

/// The plan that bytes mean.
pub(super) fn plan_of(bytes: &[u8]) -> Option<Plan> {
    let mut plan = Plan::arbitrary_take_rest(Unstructured::new(bytes)).ok()?;
    plan.orders.truncate(MOST_ORDERS);
    plan.steps.truncate(MOST_STEPS);
    for step in &mut plan.steps {
        // Reading what no provider writes is advice.
        step.faults.retain(|fault| !matches!(fault.kind, FaultKind::Unusual { .. }));
    }
    Some(plan)
}
