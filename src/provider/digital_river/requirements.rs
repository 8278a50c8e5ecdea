//! The requirements as a list for [`conformance_tests`](crate::conformance_tests); a test there says if one is missing.

/// Makes the tests of Digital River's requirements.
#[doc(hidden)]
#[macro_export]
macro_rules! __digital_river_requirements {
    ($make:expr $(, $($name:ident = $value:tt),+)?) => {
        $crate::conformance_tests! {
            provider = $crate::provider::digital_river::DigitalRiver::embedded(), make = $make $(, $($name = $value),+)?;
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
            rotated_secret "rotated-secret",
            replay_rejected "replay-rejected",
            mixed_traffic "mixed-traffic",
        }
    };
}
