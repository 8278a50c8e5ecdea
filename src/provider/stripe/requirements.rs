//! The requirements as a list for [`conformance_tests`](crate::conformance_tests); a test there says if one is missing.

/// Makes the tests of Stripe's requirements.
#[doc(hidden)]
#[macro_export]
macro_rules! __stripe_requirements {
    ($make:expr $(, $($name:ident = $value:tt),+)?) => {
        $crate::conformance_tests! {
            provider = $crate::provider::stripe::Stripe::embedded(), make = $make $(, $($name = $value),+)?;
            refund_created_updates_order "refund-created-updates-order",
            charge_refunded_updates_order "charge-refunded-updates-order",
            cumulative_is_not_added "cumulative-is-not-added",
            refund_counted_once "refund-counted-once",
            partial_refunds_add_up "partial-refunds-add-up",
            full_refund_detected "full-refund-detected",
            exact_amounts "exact-amounts",
            open_refund_not_counted "open-refund-not-counted",
            failed_refund_not_counted "failed-refund-not-counted",
            refund_fails_after_success "refund-fails-after-success",
            total_does_not_outlive_failure "total-does-not-outlive-failure",
            refund_returned_by_bank "refund-returned-by-bank",
            cancelled_refund_not_counted "cancelled-refund-not-counted",
            silent_update_changes_nothing "silent-update-changes-nothing",
            own_refund_not_booked_twice "own-refund-not-booked-twice",
            dispute_withdraws "dispute-withdraws",
            dispute_won_restores "dispute-won-restores",
            dispute_lost_stays "dispute-lost-stays",
            inquiry_changes_nothing "inquiry-changes-nothing",
            several_disputes_add_up "several-disputes-add-up",
            dispute_beside_refunds "dispute-beside-refunds",
            duplicate_deliveries "duplicate-deliveries",
            twin_events "twin-events",
            out_of_order_deliveries "out-of-order-deliveries",
            same_second_events "same-second-events",
            redelivery_after_failure "redelivery-after-failure",
            orders_do_not_mix "orders-do-not-mix",
            concurrent_deliveries "concurrent-deliveries",
            survives_restart "survives-restart",
            acknowledges_in_time "acknowledges-in-time",
            older_api_version "older-api-version",
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
            rotated_secret "rotated-secret",
            replay_rejected "replay-rejected",
            webhook_before_answer "webhook-before-answer",
            fetched_state_counts_once "fetched-state-counts-once",
            api_failure_is_not_acknowledged "api-failure-is-not-acknowledged",
            mixed_traffic "mixed-traffic",
        }
    };
}
