//! The requirements as a list for [`conformance_tests`](crate::conformance_tests); a test there says if one is missing.

/// Makes the tests of Tazapay's requirements.
#[doc(hidden)]
#[macro_export]
macro_rules! __tazapay_requirements {
    ($make:expr $(, $($name:ident = $value:tt),+)?) => {
        $crate::conformance_tests! {
            provider = $crate::provider::tazapay::Tazapay::embedded(), make = $make $(, $($name = $value),+)?;
            refund_succeeded_updates_order "refund-succeeded-updates-order",
            refund_counted_once "refund-counted-once",
            partial_refunds_add_up "partial-refunds-add-up",
            full_refund_detected "full-refund-detected",
            exact_amounts "exact-amounts",
            amounts_are_hundredths "amounts-are-hundredths",
            customer_receives_never_counts "customer-receives-never-counts",
            open_refund_not_counted "open-refund-not-counted",
            failed_refund_not_counted "failed-refund-not-counted",
            cancelled_refund_not_counted "cancelled-refund-not-counted",
            unknown_status_not_final "unknown-status-not-final",
            own_refund_not_booked_twice "own-refund-not-booked-twice",
            duplicate_deliveries "duplicate-deliveries",
            two_addresses_one_event "two-addresses-one-event",
            out_of_order_deliveries "out-of-order-deliveries",
            final_state_stays_final "final-state-stays-final",
            redelivery_after_failure "redelivery-after-failure",
            orders_do_not_mix "orders-do-not-mix",
            concurrent_deliveries "concurrent-deliveries",
            survives_restart "survives-restart",
            acknowledges_in_time "acknowledges-in-time",
            valid_event_acknowledged_at_once "valid-event-acknowledged-at-once",
            unknown_members_accepted "unknown-members-accepted",
            equivalent_json_accepted "equivalent-json-accepted",
            unusual_json_accepted "unusual-json-accepted",
            unknown_event_acknowledged "unknown-event-acknowledged",
            other_events_change_nothing "other-events-change-nothing",
            malformed_body_rejected "malformed-body-rejected",
            invalid_event_rejected "invalid-event-rejected",
            rejection_is_4xx "rejection-is-4xx",
            rejection_leaves_no_trace "rejection-leaves-no-trace",
            recovers_after_rejection "recovers-after-rejection",
            doubtful_events_do_no_harm "doubtful-events-do-no-harm",
            doubtful_events_contained "doubtful-events-contained",
            signature_required "signature-required",
            signature_covers_raw_body "signature-covers-raw-body",
            mixed_traffic "mixed-traffic",
        }
    };
}
