//! Certifying a Rust implementation in `cargo test`: one test for each requirement.
//!
//! Implement [`Target`] and write
//!
//! ```ignore
//! refundproof::conformance_tests!(|| MyShop::new());
//! ```
//!
//! in a test module. `examples/event_log_shop.rs` is a whole one.

use std::{sync::atomic::AtomicBool, time::Duration};

use crate::{
    adapter::Target,
    check::verdict::Verdict,
    domain::Clock,
    provider::Provider,
    report::terminal::{View, failure_lines},
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
    let describe = provider.corpus().requirements.iter().find(|other| other.id == id);
    for failure in &requirement.failures {
        // Writing to memory cannot fail.
        let _ = failure_lines(&mut text, requirement, failure, View { columns: 110, quiet: false }, describe);
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

/// Makes one `#[test]` for each Digital River requirement. The argument is a closure that makes a target.
#[macro_export]
macro_rules! conformance_tests {
    ($make:expr) => {
        $crate::conformance_tests! { @each $make;
            charge_refund_complete_updates_order "charge-refund-complete-updates-order",
            refund_complete_updates_order "refund-complete-updates-order",
            refund_counted_once "refund-counted-once",
            partial_refunds_add_up "partial-refunds-add-up",
            full_refund_detected "full-refund-detected",
            paid_amount_not_requested_amount "paid-amount-not-requested-amount",
            item_level_refunds "item-level-refunds",
            several_charges "several-charges",
            exact_amounts "exact-amounts",
            open_refund_not_counted "open-refund-not-counted",
            failed_refund_not_counted "failed-refund-not-counted",
            own_refund_not_booked_twice "own-refund-not-booked-twice",
            metadata_update_changes_nothing "metadata-update-changes-nothing",
            chargeback_updates_status "chargeback-updates-status",
            chargeback_after_refunds "chargeback-after-refunds",
            dispute_alone_changes_nothing "dispute-alone-changes-nothing",
            sales_transaction_alone_changes_nothing "sales-transaction-alone-changes-nothing",
            duplicate_deliveries "duplicate-deliveries",
            out_of_order_deliveries "out-of-order-deliveries",
            final_state_stays_final "final-state-stays-final",
            redelivery_after_failure "redelivery-after-failure",
            orders_do_not_mix "orders-do-not-mix",
            concurrent_deliveries "concurrent-deliveries",
            survives_restart "survives-restart",
            acknowledges_in_time "acknowledges-in-time",
            unknown_members_accepted "unknown-members-accepted",
            equivalent_json_accepted "equivalent-json-accepted",
            unknown_event_acknowledged "unknown-event-acknowledged",
            other_events_change_nothing "other-events-change-nothing",
            malformed_body_rejected "malformed-body-rejected",
            invalid_event_rejected "invalid-event-rejected",
            rejection_is_4xx "rejection-is-4xx",
            rejection_leaves_no_trace "rejection-leaves-no-trace",
            recovers_after_rejection "recovers-after-rejection",
            doubtful_events_do_no_harm "doubtful-events-do-no-harm",
            signature_required "signature-required",
            signature_covers_raw_body "signature-covers-raw-body",
            rotated_secret "rotated-secret",
            replay_rejected "replay-rejected",
            mixed_traffic "mixed-traffic",
        }
    };
    (@each $make:expr; $($name:ident $id:literal,)*) => {
        /// A requirement without a test here is a fault of this macro.
        #[test]
        fn every_requirement_has_a_test() {
            $crate::testing::assert_complete($crate::provider::digital_river::DigitalRiver::embedded(), &[$($id),*]);
        }
        $(
            #[test]
            fn $name() {
                $crate::testing::assert_requirement($crate::provider::digital_river::DigitalRiver::embedded(), $id, $make);
            }
        )*
    };
}
