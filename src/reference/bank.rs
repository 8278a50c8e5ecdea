//! The bank of faults: one row for each mistake, in the order of the requirements that they are aimed at.
//!
//! Name, class of `corpus/bugs.toml`, the requirement (of several, with bars between, the first that a provider has), a link
//! to the bug that it is modelled on (nothing where it is only plausible), and the story. What each does in the code is found
//! by its variant. It is longer than other files: it is one table, to be read and searched as one.

use super::fault::FaultInfo;

macro_rules! bank {
    ($($fault:ident $name:literal $class:literal $($expected:literal)|+ [$($link:literal)?] $story:literal;)*) => {
        /// A mistake that the reference can be told to make.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Fault {
            $(#[doc = $story] $fault,)*
        }

        pub(super) const BANK: &[FaultInfo] = &[
            $(FaultInfo {
                fault: Fault::$fault,
                name: $name,
                class: $class,
                expected: &[$($expected),+],
                link: link(&[$($link)?]),
                story: $story,
            },)*
        ];
    };
}

const fn link(links: &'static [&'static str]) -> Option<&'static str> {
    match links {
        [link, ..] => Some(link),
        [] => None,
    }
}

bank! {
    // ---- everything
    AcknowledgesOnly "acknowledges-only" "ACK" "charge-refund-complete-updates-order" | "charge-refunded-updates-order" | "refund-succeeded-updates-order" []
        "Every delivery is acknowledged and nothing is done with it, as by an endpoint that is not written yet.";
    RefusesEverything "refuses-everything" "ACK" "charge-refund-complete-updates-order" | "charge-refunded-updates-order" | "refund-succeeded-updates-order" []
        "Every delivery is answered with a 4xx, as where the address is wrong or the secret is that of another endpoint.";
    FailsEverything "fails-everything" "ACK" "charge-refund-complete-updates-order" | "charge-refunded-updates-order" | "refund-succeeded-updates-order" []
        "Every delivery is answered with a 5xx, as where the service behind the address is not there.";
    AppliesNothing "applies-nothing" "ACK" "charge-refund-complete-updates-order" | "charge-refunded-updates-order" | "refund-succeeded-updates-order" []
        "Signature and JSON are checked, then every event is acknowledged and dropped, as where no order is ever found or every version is the wrong one.";
    // ---- refund
    IgnoresChargeEvents "ignores-charge-events" "EVTYPE" "charge-refund-complete-updates-order" | "charge-refunded-updates-order" ["https://github.com/HiEventsDev/Hi.Events/issues/1067"]
        "What a charge tells of its refunds is acknowledged and dropped; only refund events are handled.";
    ChargeMustBeComplete "charge-must-be-complete" "EVTYPE" "charge-refund-complete-updates-order" []
        "A charge's refunds count only once the charge itself says complete; it may well say processing.";
    NeedsKnownRefund "needs-known-refund" "EXTERNAL" "charge-refund-complete-updates-order" | "charge-refunded-updates-order" ["https://github.com/Sylius/StripePlugin/pull/101"]
        "A charge event is applied only if the shop already has a refund for that order.";
    AmountWithoutStatus "amount-without-status" "EXTERNAL" "charge-refund-complete-updates-order" | "charge-refunded-updates-order" ["https://github.com/duncanmcclean/simple-commerce/issues/1231"]
        "A charge event moves the refunded amount and leaves the order's status as it was.";
    ChargeAmountTaken "charge-amount-taken" "PARTIAL" "charge-refund-complete-updates-order" | "charge-refunded-updates-order" ["https://github.com/flowglad/flowglad/pull/1170"]
        "The charge's own amount is booked where the amounts of its refunds belong.";
    IgnoresRefundEvents "ignores-refund-events" "EVTYPE" "refund-complete-updates-order" | "refund-succeeded-updates-order" | "refund-created-updates-order" []
        "Only charge events are handled; refund events are acknowledged and dropped.";
    WaitsForSucceededEvent "waits-for-succeeded-event" "EVTYPE" "refund-complete-updates-order" ["https://github.com/airwallex/paymentacceptance-plugin-magento/pull/3"]
        "The shop listens for refund.succeeded; refund.complete is not known to it.";
    ExpectsCompleteState "expects-complete-state" "EVTYPE" "refund-complete-updates-order" | "refund-succeeded-updates-order" []
        "A refund is looked for in the state complete, which only charge refunds have; succeeded means nothing.";
    OutsideRefundIgnored "outside-refund-ignored" "EXTERNAL" "refund-complete-updates-order" | "refund-succeeded-updates-order" | "refund-created-updates-order" ["https://github.com/Automattic/woocommerce-payments/pull/8200"]
        "A refund that the shop did not make itself is skipped.";
    NeedsPendingFirst "needs-pending-first" "EXTERNAL" "refund-complete-updates-order" | "refund-succeeded-updates-order" | "refund-created-updates-order" ["https://github.com/medusajs/medusa/pull/14746"]
        "A refund that is final when first heard of is skipped.";
    OrderByReference "order-by-reference" "ATTRIB" "refund-succeeded-updates-order" []
        "The order is looked for by the reference in the refund, not by the payin.";
    DropsLiveEvents "drops-live-events" "ENV" "refund-complete-updates-order" | "refund-created-updates-order" []
        "A switch that was meant for the test site is left on: an event of the live mode is acknowledged and dropped.";
    OrderIdPattern "order-id-pattern" "ENV" "refund-complete-updates-order" | "refund-succeeded-updates-order" []
        "An order id of another form than those of the test site is taken for somebody else's, and its events are dropped.";
    NullMetadataFails "null-metadata-fails" "MISSING" "refund-succeeded-updates-order" []
        "Metadata that is null, as in answers of the provider's API, is not what the shop's type says.";
    ShortRefundIdColumn "short-refund-id-column" "MISSING" "refund-succeeded-updates-order" ["https://github.com/juspay/hyperswitch/issues/8460"]
        "The column for refund ids holds 24 letters; longer ones end in a database error.";
    CountsBothLayers "counts-both-layers" "EVTYPE" "refund-counted-once" []
        "Refunds and charge refunds are added up, as if they were different money.";
    SucceededCountsAgain "succeeded-counts-again" "EVTYPE" "refund-counted-once" ["https://github.com/airwallex/paymentacceptance-plugin-magento/pull/13"]
        "Both refund.complete and refund.succeeded book the refund.";
    OrderTotalAdded "order-total-added" "CUMUL" "refund-counted-once" ["https://github.com/flowglad/flowglad/pull/1176"]
        "The running total of order.refunded is booked on top of the refunds that it sums up.";
    SalesTransactionDoubles "sales-transaction-doubles" "EVTYPE" "refund-counted-once" []
        "The sales transaction of a refund is booked as one more refund.";
    FamilyAddsUp "family-adds-up" "EVTYPE" "refund-counted-once" []
        "Every event of a refund books its amount: created, pending and paid.";
    EachSuccessAdds "each-success-adds" "EVTYPE" "refund-counted-once" []
        "Every event that says that a refund succeeded adds a row, and one that says that it failed removes the refund's rows; which is newer is not looked at.";
    CreatedIgnored "created-ignored" "EVTYPE" "refund-created-updates-order" | "refund-counted-once" []
        "refund.created is acknowledged and dropped; a refund is known only once an update tells of it.";
    DedupesByObject "dedupes-by-object" "REDELIV" "refund-counted-once" []
        "Events are known by the id of the refund, charge or dispute that they show, so that whatever follows the first is taken for a redelivery.";
    PictureAsDelta "picture-as-delta" "CUMUL" "partial-refunds-add-up" ["https://github.com/antiwork/gumroad/pull/6684"]
        "Each charge event's list of refunds so far is booked as if all of it were new.";
    LastRefundOverwrites "last-refund-overwrites" "CUMUL" "partial-refunds-add-up" ["https://github.com/pay-rails/pay/pull/625"]
        "The refunded amount is that of the last refund, in place of the sum.";
    DedupesByType "dedupes-by-type" "REDELIV" "partial-refunds-add-up" ["https://github.com/medusajs/medusa/pull/12285"]
        "A second refund.complete for an order is taken for a redelivery of the first.";
    SecondRefundRefused "second-refund-refused" "ORDER" "partial-refunds-add-up" ["https://github.com/emfcamp/Website/issues/413"]
        "An order that is partly refunded answers the next refund with a conflict.";
    LastEntryOnly "last-entry-only" "CUMUL" "partial-refunds-add-up" ["https://github.com/pay-rails/pay/pull/633"]
        "Of a charge's list of refunds only the last entry is read.";
    PairsLayersByAmount "pairs-layers-by-amount" "EVTYPE" "partial-refunds-add-up" []
        "A charge refund whose amount is no refund's amount is taken for one more refund.";
    OnlyTenRefunds "only-ten-refunds" "CUMUL" "partial-refunds-add-up" []
        "Of an order's refunds only the first ten count: the rest is on the next page.";
    SameAmountIsKnown "same-amount-is-known" "REDELIV" "partial-refunds-add-up" ["https://github.com/saleor/apps/issues/2446"]
        "A second refund of the same amount is taken for the one that is there already.";
    TypedRefundSkipped "typed-refund-skipped" "MISSING" "partial-refunds-add-up" ["https://github.com/wordpress-mobile/WordPress-FluxC-Android/pull/1948"]
        "Refunds of shipping, fees or tax have no order line and are left out.";
    LongReasonFails "long-reason-fails" "MISSING" "partial-refunds-add-up" ["https://github.com/dj-stripe/dj-stripe/issues/2109"]
        "A reason of more than 255 letters does not fit its column and ends in a database error.";
    QuotedReasonFails "quoted-reason-fails" "MISSING" "partial-refunds-add-up" []
        "An apostrophe in the reason ends the text in a query that is put together by hand, and the database fails.";
    FourByteReasonFails "four-byte-reason-fails" "MISSING" "partial-refunds-add-up" []
        "Letters outside the basic plane do not fit the column of the reason and end in a database error.";
    AnyRefundIsFull "any-refund-is-full" "PARTIAL" "full-refund-detected" ["https://github.com/202-ecommerce/stripe_official/pull/159"]
        "Any refund that succeeds makes the order refunded; no amount is compared.";
    FullRefundOffByOne "full-refund-off-by-one" "MONEY" "full-refund-detected" []
        "A difference of 0.01 counts as none when amount and captured amount are compared.";
    FullComparedAsFloat "full-compared-as-float" "MONEY" "full-refund-detected" ["https://github.com/invoiceninja/invoiceninja/pull/12230"]
        "The refunds are summed as binary fractions to see whether they are all of the order.";
    FullInOneRefundOnly "full-in-one-refund-only" "PARTIAL" "full-refund-detected" []
        "The order is refunded if one refund is all of it; several that add up to it are not noticed.";
    ItemsAreAll "items-are-all" "PARTIAL" "full-refund-detected" ["https://github.com/vendurehq/vendure/issues/989"]
        "All of an order is the sum of its items; shipping and tax are forgotten.";
    ChargedIsCaptured "charged-is-captured" "PARTIAL" "full-refund-detected" []
        "All of an order is what its charges say, of which a part may have been cancelled.";
    FirstCaptureIsAll "first-capture-is-all" "PARTIAL" "full-refund-detected" []
        "All of an order is the first capture of each of its charges, though parts that are delivered later are captured later.";
    RequestedInsteadOfPaid "requested-instead-of-paid" "PARTIAL" "paid-amount-not-requested-amount" []
        "A refund that succeeded counts with the amount that was asked for.";
    RequestedDecidesStatus "requested-decides-status" "PARTIAL" "paid-amount-not-requested-amount" []
        "Whether the order is refunded is decided by what was asked for, though the amount is right.";
    ItemRefundZero "item-refund-zero" "MISSING" "item-level-refunds" []
        "A refund without an amount of its own is a refund of nothing.";
    ItemRefundRefused "item-refund-refused" "MISSING" "item-level-refunds" ["https://github.com/PrestaShopCorp/ps_checkout/pull/343"]
        "A refund without an amount of its own is answered with 400.";
    AbsentAmountIsEverything "absent-amount-is-everything" "MISSING" "item-level-refunds" ["https://github.com/own-pay/OwnPay/issues/192"]
        "A refund without an amount of its own is a refund of the whole order.";
    FirstItemOnly "first-item-only" "ATTRIB" "item-level-refunds" ["https://github.com/antiwork/gumroad/pull/5742"]
        "Of a refund of several items only the first is booked.";
    LineTimesQuantity "line-times-quantity" "MONEY" "item-level-refunds" ["https://github.com/taxjar/taxjar-magento2-extension/issues/59"]
        "The amount of a line is taken for the price of one piece and multiplied by the quantity.";
    FreeItemFails "free-item-fails" "MONEY" "item-level-refunds" ["https://github.com/krokedil/klarna-payments-for-woocommerce/pull/586"]
        "An item that costs nothing ends in a division by zero.";
    OneLineForASku "one-line-for-a-sku" "ATTRIB" "item-level-refunds" []
        "Items are kept by their SKU, so of two lines of one SKU only one counts.";
    ItemPaidRequired "item-paid-required" "MISSING" "item-level-refunds" []
        "An item that says not yet what was paid back for it is not understood.";
    RefundPerCharge "refund-per-charge" "ATTRIB" "several-charges" ["https://github.com/woocommerce/woocommerce-gateway-stripe/issues/2580"]
        "A refund that two charges pay is booked once for each of them.";
    FullWhenOneChargeIs "full-when-one-charge-is" "PARTIAL" "several-charges" []
        "The order is refunded as soon as one of its charges is.";
    CapturedOfFirstCharge "captured-of-first-charge" "PARTIAL" "several-charges" []
        "What the first charge captured is taken for what the order captured.";
    FirstChargeOnly "first-charge-only" "ATTRIB" "several-charges" []
        "Events of any charge but the order's first are acknowledged and dropped.";
    FloatSums "float-sums" "MONEY" "exact-amounts" ["https://github.com/akira-io/laravel-sisp/issues/282"]
        "Refunds are summed as binary fractions, and all digits of the sum are shown.";
    TwoDigitCurrency "two-digit-currency" "MONEY" "exact-amounts" ["https://github.com/antiwork/gumroad/pull/3749"]
        "Minor units are divided by 100 in every currency, also where there are none.";
    ThirdDigitCut "third-digit-cut" "MONEY" "exact-amounts" ["https://github.com/woocommerce/woocommerce-gateway-stripe/pull/5162"]
        "Amounts have two fraction digits; the third digit of a currency is cut off.";
    CentsTruncated "cents-truncated" "MONEY" "exact-amounts" ["https://github.com/frappe/payments/pull/248"]
        "Amounts become minor units by a calculation with binary fractions, cut to a whole number.";
    SinglePrecision "single-precision" "MONEY" "exact-amounts" []
        "Amounts are kept with single precision, which seven digits fill.";
    MinorUnitsOverflow "minor-units-overflow" "MONEY" "exact-amounts" []
        "Minor units are kept in a signed number of 32 bits; larger amounts are cut down to it.";
    DividesByMinorUnit "divides-by-minor-unit" "MONEY" "amounts-are-hundredths" []
        "Amounts are divided by the currency's own factor, where hundredths are sent for all.";
    CustomerReceivesCounts "customer-receives-counts" "MONEY" "customer-receives-never-counts" []
        "What the customer receives, in whatever currency, is booked in place of the refund's amount.";
    PendingCounts "pending-counts" "FAILED" "open-refund-not-counted" ["https://github.com/Automattic/woocommerce-payments/issues/1195"]
        "A pending refund counts as paid back.";
    PendingShownAsFailed "pending-shown-as-failed" "FAILED" "open-refund-not-counted" ["https://github.com/craftcms/commerce-stripe/issues/134"]
        "Whatever has not succeeded is shown as failed, open refunds too.";
    EveryEntryCounts "every-entry-counts" "FAILED" "open-refund-not-counted" ["https://github.com/chobbledotcom/tickets/pull/1824"]
        "Every refund in a charge's list counts as paid back, whatever its state.";
    InformationNotShown "information-not-shown" "FAILED" "open-refund-not-counted" []
        "A refund that waits for the shopper's information is shown as plainly pending.";
    ClosesOpenRefunds "closes-open-refunds" "FAILED" "open-refund-not-counted" []
        "A job takes refunds that are still open after twelve hours for failed.";
    OpenRefundNotReserved "open-refund-not-reserved" "FAILED" "open-refund-not-counted" []
        "What open refunds ask for is shown as still available.";
    FailedHidesSuccess "failed-hides-success" "FAILED" "failed-refund-not-counted" ["https://github.com/Automattic/woocommerce-payments/issues/10056"]
        "A failed refund makes the whole order failed, though another was paid back.";
    FailedEventUnhandled "failed-event-unhandled" "FAILED" "failed-refund-not-counted" ["https://github.com/solidusio/solidus_stripe/issues/265"]
        "Nobody handles refund.failed; the refund stays pending for ever.";
    FailedKeepsReservation "failed-keeps-reservation" "FAILED" "failed-refund-not-counted" ["https://github.com/antiwork/gumroad/pull/5779"]
        "What a failed refund asked for does not become available again.";
    FailedDeleted "failed-deleted" "FAILED" "failed-refund-not-counted" []
        "A refund that failed is deleted, and the order looks as if there had been none.";
    FailureReasonRequired "failure-reason-required" "MISSING" "failed-refund-not-counted" []
        "A failed refund without a reason ends in an error, though the reason is only sometimes there.";
    FailedEntryCounts "failed-entry-counts" "FAILED" "failed-refund-not-counted" ["https://github.com/Adyen/adyen-magento/issues/524"]
        "A failed charge refund still counts as paid back, because its charge says refunded.";
    CancelledCounts "cancelled-counts" "FAILED" "cancelled-refund-not-counted" []
        "Whatever is neither open nor failed counts as paid back, a cancelled refund too.";
    UnknownStateIsFinal "unknown-state-is-final" "FAILED" "unknown-status-not-final" []
        "A refund in a state that the shop does not know has failed for good.";
    OwnRefundTwice "own-refund-twice" "ECHO" "own-refund-not-booked-twice" ["https://github.com/woocommerce/woocommerce-gateway-stripe/issues/838"]
        "A refund that the shop made is booked by the shop and again from its webhook.";
    OwnRefundFinalAtOnce "own-refund-final-at-once" "FAILED" "own-refund-not-booked-twice" ["https://github.com/mollie/magento2/issues/724"]
        "A refund that the shop made counts as paid back at once, before the provider has paid it.";
    OwnRefundSecondRow "own-refund-second-row" "ECHO" "own-refund-not-booked-twice" ["https://github.com/odoo/odoo/pull/276154"]
        "The webhook does not find the shop's own refund and makes another one beside it.";
    OwnRefundEventsIgnored "own-refund-events-ignored" "EXTERNAL" "own-refund-not-booked-twice" ["https://github.com/Adyen/adyen-magento2/issues/1092"]
        "Events for a refund that the shop made are skipped as echoes, also the one that it was paid.";
    OwnRefundInLocalTime "own-refund-in-local-time" "TIME" "own-refund-not-booked-twice" ["https://github.com/koala73/worldmonitor/pull/7344"]
        "An own refund is noted with the local time, two hours ahead, and what was made before that time is taken for old news.";
    AnswerOverwrites "answer-overwrites" "RACE" "own-refund-not-booked-twice" ["https://github.com/alphagov/pay-connector/pull/5715"]
        "The answer to the shop's own request comes after the webhook and sets the finished refund back to pending.";
    MetadataUpdateResetsState "metadata-update-resets-state" "ORDER" "metadata-update-changes-nothing" | "silent-update-changes-nothing" []
        "refund.updated sets the refund back to pending.";
    MetadataUpdateCounts "metadata-update-counts" "EVTYPE" "metadata-update-changes-nothing" | "silent-update-changes-nothing" []
        "refund.updated of a refund that was paid books it once more.";
    MetadataUpdateFails "metadata-update-fails" "UNKNOWN-TYPE" "metadata-update-changes-nothing" []
        "refund.updated has no handler and is answered with 500.";

    // ---- chargeback
    ChargebackIgnored "chargeback-ignored" "CHGBK" "chargeback-updates-status" | "dispute-withdraws" ["https://github.com/mollie/laravel-mollie/issues/147"]
        "order.chargeback is acknowledged and dropped.";
    PanicsOnChargebackWithoutRefund "panics-on-chargeback-without-refund" "CHGBK" "chargeback-updates-status" ["https://github.com/mollie/laravel-cashier-mollie/pull/31"]
        "The shop crashes on a chargeback of an order that says no refunded amount.";
    PartialChargebackIsFull "partial-chargeback-is-full" "CHGBK" "chargeback-updates-status" | "dispute-withdraws" []
        "A chargeback is always of everything that was captured.";
    ResolvedLiftsChargeback "resolved-lifts-chargeback" "CHGBK" "chargeback-updates-status" ["https://github.com/Automattic/woocommerce-payments/issues/4931"]
        "The end of a dispute lifts the chargeback that it ended with.";
    OrderEventLiftsChargeback "order-event-lifts-chargeback" "CHGBK" "chargeback-updates-status" ["https://github.com/mollie/WooCommerce/pull/1049"]
        "A later event with the order, such as order.complete, shows a charged-back order as paid again.";
    ChargebackCountsAsRefund "chargeback-counts-as-refund" "CHGBK" "chargeback-updates-status" | "dispute-withdraws" ["https://github.com/juspay/hyperswitch-control-center/issues/4109"]
        "What was charged back is counted as refunded too.";
    ChargebackIncludesRefunds "chargeback-includes-refunds" "CHGBK" "chargeback-after-refunds" []
        "All that is no longer available is taken for charged back, refunds included.";
    RefundHidesChargeback "refund-hides-chargeback" "CHGBK" "chargeback-after-refunds" | "dispute-beside-refunds" []
        "An order with a refund and a chargeback is shown as refunded, not as charged back.";
    RefundAfterChargebackRefused "refund-after-chargeback-refused" "CHGBK" "chargeback-after-refunds" []
        "A charged-back order answers refunds with a conflict.";
    ChargebackClearsRefunds "chargeback-clears-refunds" "CHGBK" "chargeback-after-refunds" | "dispute-beside-refunds" []
        "A chargeback wipes out what was refunded before it.";
    DisputeIsChargeback "dispute-is-chargeback" "CHGBK" "dispute-alone-changes-nothing" | "inquiry-changes-nothing" ["https://github.com/Automattic/woocommerce-payments/issues/9612"]
        "A dispute that was only opened is shown as a chargeback.";
    DisputeResolvedClearsRefunds "dispute-resolved-clears-refunds" "CHGBK" "dispute-alone-changes-nothing" []
        "A dispute that ends well sets the order back to paid, whatever was refunded.";
    DisputeEventFails "dispute-event-fails" "UNKNOWN-TYPE" "dispute-alone-changes-nothing" ["https://github.com/Adyen/adyen-magento2/issues/1494"]
        "A dispute is answered with 500, so it is delivered again and again.";
    SalesTransactionCounts "sales-transaction-counts" "EVTYPE" "sales-transaction-alone-changes-nothing" []
        "A sales transaction of type refund counts as paid back before any refund is known.";
    SalesTransactionChargesBack "sales-transaction-charges-back" "CHGBK" "sales-transaction-alone-changes-nothing" []
        "A sales transaction of a chargeback type makes the order charged back.";
    ReplacementRefundCounts "replacement-refund-counts" "EVTYPE" "sales-transaction-alone-changes-nothing" []
        "Any sales transaction with refund in its type counts as paid back, also that of goods that were replaced.";

    // ---- delivery
    BooksRedeliveries "books-redeliveries" "REDELIV" "duplicate-deliveries" ["https://github.com/edx/commerce-coordinator/pull/243"]
        "An event that is delivered again is booked again.";
    RemembersOnlyLastEvent "remembers-only-last-event" "REDELIV" "duplicate-deliveries" ["https://github.com/woocommerce/woocommerce-gateway-stripe/issues/5697"]
        "Only the last event is remembered; an older one that is delivered again is booked again.";
    ForgetsOldEvents "forgets-old-events" "REDELIV" "duplicate-deliveries" []
        "The last two events of an order are remembered; an older one is booked again.";
    KeepsFewEventIds "keeps-few-event-ids" "REDELIV" "duplicate-deliveries" []
        "The ids of the last two hundred events, of all orders together, are kept; an older one is booked again when it is redelivered.";
    PrunesEventIds "prunes-event-ids" "REDELIV" "duplicate-deliveries" ["https://github.com/letsrevel/revel-backend/pull/491"]
        "A job removes event ids that are twelve hours old; the provider sends again for longer, and what comes then is booked again.";
    DuplicateRefused "duplicate-refused" "ACK" "duplicate-deliveries" ["https://github.com/dubinc/dub/issues/3752"]
        "An event that is known already is answered with 409, so the provider sends it for days.";
    SecondAddressBooks "second-address-books" "REDELIV" "two-addresses-one-event" []
        "Each webhook address has its own list of known events; the copy for the second books again.";
    NeedsCreatedFirst "needs-created-first" "ORDER" "out-of-order-deliveries" []
        "An event of a refund whose creation has not come yet is acknowledged and dropped.";
    LatestEventWins "latest-event-wins" "ORDER" "out-of-order-deliveries" ["https://github.com/paypal/mirakl-hyperwallet-connector/issues/35"]
        "A refund is in the state of the event that arrived last.";
    LatestPictureWins "latest-picture-wins" "ORDER" "out-of-order-deliveries" ["https://github.com/laravel/cashier-paddle/pull/313"]
        "A charge's refunds are those of the event that arrived last, and the order's status follows them.";
    LatestDeliveryWins "latest-delivery-wins" "ORDER" "out-of-order-deliveries" []
        "Neither event ids nor times are kept: a refund is in the state of what was delivered last, also of an old event that comes again.";
    TextTimeOrder "text-time-order" "TIME" "out-of-order-deliveries" []
        "Times are compared as text, though they have different numbers of digits.";
    WholeMinuteTimes "whole-minute-times" "TIME" "out-of-order-deliveries" []
        "Times are kept to the minute; within a minute what arrives last wins.";
    NaiveLocalTimes "naive-local-times" "TIME" "out-of-order-deliveries" ["https://github.com/braintree/braintree_python/issues/27"]
        "Times are taken for local ones, so in the hour that summer time skips a later event looks earlier.";
    LocalTimesKept "local-times-kept" "TIME" "out-of-order-deliveries" []
        "Times are kept as local ones without their zone; an hour that is repeated in autumn comes twice.";
    LatePendingReopens "late-pending-reopens" "ORDER" "final-state-stays-final" ["https://github.com/mollie/WooCommerce/issues/1252"]
        "A late refund.pending sets a refund that was paid back to pending.";
    RemembersFailedEvents "remembers-failed-events" "ACK" "redelivery-after-failure" ["https://github.com/dj-stripe/dj-stripe/issues/832"]
        "The event id is stored before the body is read; the redelivery of a broken body is skipped.";
    DropsUnknownOrders "drops-unknown-orders" "UNKNOWN-OBJ" "redelivery-after-failure" ["https://github.com/polarsource/polar/pull/9630"]
        "An event that comes before the shop has stored the order is acknowledged and dropped.";
    DropsWhatHasNoOrder "drops-what-has-no-order" "UNKNOWN-OBJ" "redelivery-after-failure" []
        "An event for which no order is found is acknowledged and dropped, whether it comes too early or names none.";
    EarlyFailureDropped "early-failure-dropped" "UNKNOWN-OBJ" "redelivery-after-failure" []
        "A refund's failure that comes before the shop has stored the order is acknowledged and dropped; what else comes early waits for it.";
    EarlyChargebackDropped "early-chargeback-dropped" "UNKNOWN-OBJ" "redelivery-after-failure" []
        "A chargeback or dispute that comes before the shop has stored the order is acknowledged and dropped.";
    OrderIdCut "order-id-cut" "ATTRIB" "orders-do-not-mix" []
        "Order ids are stored in a column of eight characters.";
    OrderIdTail "order-id-tail" "ATTRIB" "orders-do-not-mix" []
        "Orders are kept by the last seven letters of their ids, as people read them out.";
    ChargeGoesToLastOrder "charge-goes-to-last-order" "ATTRIB" "orders-do-not-mix" ["https://github.com/pretix/pretix/issues/343"]
        "A charge event is booked on the order that the shop worked on last.";
    LostUpdate "lost-update" "RACE" "concurrent-deliveries" ["https://github.com/mollie/magento2/issues/401"]
        "Handlers that run at the same time load the same order; the last one to save wins.";
    CheckThenInsert "check-then-insert" "RACE" "concurrent-deliveries" ["https://github.com/antiwork/gumroad/pull/6193"]
        "Two copies of an event under way at once both find it unknown and both book it.";
    ForgetsOrdersOnRestart "forgets-orders-on-restart" "ACK" "survives-restart" []
        "What was told of an order is kept in memory only.";
    ForgetsEventIdsOnRestart "forgets-event-ids-on-restart" "REDELIV" "survives-restart" ["https://github.com/Automattic/woocommerce-payments/pull/12015"]
        "Which events are known is kept in memory only; after a restart a redelivery is booked again.";
    OpenRefundsInMemory "open-refunds-in-memory" "ACK" "survives-restart" []
        "Refunds are stored once they are final; open ones are lost in a restart.";
    ChargebacksInMemory "chargebacks-in-memory" "ACK" "survives-restart" []
        "Refunds are stored; what a bank took back is kept in memory only.";
    EarlyEventsInMemory "early-events-in-memory" "ACK" "survives-restart" []
        "Events that come before the shop has stored their order are acknowledged and kept in memory until it has; a restart loses them.";
    AcksUnwritten "acks-unwritten" "ACK" "survives-restart" []
        "That the disk is full is logged, and the event acknowledged; after a restart nothing is known of it.";
    AcksAfterTimeout "acks-after-timeout" "ACK" "survives-restart" []
        "A transaction that took too long is given up, and the event acknowledged; a machine that stands still for a moment is enough.";
    SlowAnswer "slow-answer" "TIMEOUT" "acknowledges-in-time" ["https://github.com/frappe/press/pull/1175"]
        "Everything that follows from a refund is done before the answer, which takes 3.5 seconds.";
    FirstAnswerFails "first-answer-fails" "ACK" "valid-event-acknowledged-at-once" ["https://github.com/antiwork/gumroad/pull/5712"]
        "The event is booked, the mail about it fails, and the answer is 500; the second time nothing is left to fail.";
    BusyFirst "busy-first" "ACK" "valid-event-acknowledged-at-once" ["https://github.com/dubinc/dub/pull/4194"]
        "The first delivery of an event meets a lock and is answered 429; only the next one is taken.";

    // ---- input
    UnknownMembersRefused "unknown-members-refused" "MISSING" "unknown-members-accepted" []
        "A member that the shop does not know is answered with 400.";
    MemberOrderAssumed "member-order-assumed" "MISSING" "equivalent-json-accepted" []
        "The event's type must stand before its data.";
    EscapesNotRead "escapes-not-read" "MISSING" "equivalent-json-accepted" []
        "Texts are compared as they are written, escapes and all.";
    WhitespaceNotRead "whitespace-not-read" "MISSING" "equivalent-json-accepted" []
        "The type is found by its text in the body, without white space around the colon.";
    CharsetRefused "charset-refused" "MISSING" "equivalent-json-accepted" []
        "A Content-Type with a charset is answered with 415.";
    LongFractionsRefused "long-fractions-refused" "TIME" "equivalent-json-accepted" []
        "A time with more than six fraction digits is answered with 400.";
    AbsentItemsFail "absent-items-fail" "MISSING" "equivalent-json-accepted" ["https://github.com/woocommerce/woocommerce-gateway-stripe/issues/2497"]
        "A refund without a list of items, not even an empty one, ends in an error.";
    ExponentMisread "exponent-misread" "MONEY" "unusual-json-accepted" []
        "A number is read up to its exponent: 2.16e1 is 2.16.";
    NullMemberFails "null-member-fails" "MISSING" "unusual-json-accepted" ["https://github.com/Adyen/adyen-java-api-library/issues/554"]
        "An optional member that is null ends in an error.";
    ZonedTimeRefused "zoned-time-refused" "TIME" "unusual-json-accepted" []
        "A time that names its zone in brackets is not read.";
    UnknownEventFails "unknown-event-fails" "UNKNOWN-TYPE" "unknown-event-acknowledged" ["https://github.com/stripe/sync-engine/issues/114"]
        "An event type that the catalogue does not have is answered with 500.";
    UnknownEventRefused "unknown-event-refused" "UNKNOWN-TYPE" "unknown-event-acknowledged" []
        "An event type that the catalogue does not have is answered with 400.";
    RefundPrefixDispatch "refund-prefix-dispatch" "EVTYPE" "unknown-event-acknowledged" []
        "Whatever begins with refund is taken for a refund event.";
    OrderCompleteResets "order-complete-resets" "ORDER" "other-events-change-nothing" ["https://github.com/mollie/Shopware/pull/65"]
        "order.fulfilled and order.complete set the order to paid, whatever was refunded.";
    CancellationIsRefund "cancellation-is-refund" "EVTYPE" "other-events-change-nothing" ["https://github.com/solidusio/solidus_stripe/pull/268"]
        "A cancelled charge or order is shown as refunded.";
    ForeignObjectRefused "foreign-object-refused" "UNKNOWN-OBJ" "other-events-change-nothing" ["https://github.com/getlago/lago-api/pull/857"]
        "An event that is about no order of the shop is answered with 404, whatever its type.";
    GapIsChargeback "gap-is-chargeback" "CHGBK" "other-events-change-nothing" []
        "What an order says can be refunded is less than is left of it, so something is taken to be charged back.";
    MalformedAcknowledged "malformed-acknowledged" "ACK" "malformed-body-rejected" ["https://github.com/fossasia/eventyay/pull/3447"]
        "An error while reading the body is swallowed and 200 is answered.";
    TrailingGarbageAccepted "trailing-garbage-accepted" "MISSING" "malformed-body-rejected" []
        "Reading stops after the last brace; what follows is not looked at.";
    BadTextReplaced "bad-text-replaced" "MISSING" "malformed-body-rejected" []
        "Bytes that are not UTF-8 are replaced and the rest is processed.";
    EmptyBodyAcknowledged "empty-body-acknowledged" "ACK" "malformed-body-rejected" []
        "An empty body is taken for a health check and answered with 200.";
    PanicsOnMalformed "panics-on-malformed" "MISSING" "malformed-body-rejected" []
        "The shop crashes on a body that is not JSON.";
    MissingAmountIsZero "missing-amount-is-zero" "MISSING" "invalid-event-rejected" []
        "An amount that is not there is zero.";
    InvalidAcknowledged "invalid-acknowledged" "ACK" "invalid-event-rejected" ["https://github.com/digitalriver-connectors/sfb2b_lightning_digitalriver"]
        "Any error while an event is read is logged, and 200 is answered.";
    MissingTypeAcknowledged "missing-type-acknowledged" "ACK" "invalid-event-rejected" []
        "An event without a type is one of those that do not matter.";
    MalformedIsServerError "malformed-is-server-error" "ACK" "rejection-is-4xx" []
        "A body that is not JSON is answered with 500.";
    InvalidIsServerError "invalid-is-server-error" "EVTYPE" "rejection-is-4xx" ["https://github.com/dj-stripe/dj-stripe/issues/1039"]
        "An event that is not as it must be is answered with 500.";
    RemembersRejectedEvents "remembers-rejected-events" "ACK" "rejection-leaves-no-trace" ["https://github.com/dj-stripe/dj-stripe/issues/832"]
        "The id of an event that was refused is remembered; the corrected event is skipped.";
    RowBeforeCheck "row-before-check" "RACE" "rejection-leaves-no-trace" ["https://github.com/Adyen/adyen-magento2/pull/2557"]
        "The refund is stored before its amounts are read; refusing the event leaves half of it behind.";
    StaysBrokenAfterRejection "stays-broken-after-rejection" "ORDER" "recovers-after-rejection" ["https://github.com/Adyen/adyen-magento2/issues/1493"]
        "An event that cannot be processed blocks the queue; all that follow are answered with 503.";
    LockLeftByRejection "lock-left-by-rejection" "ACK" "recovers-after-rejection" ["https://github.com/woocommerce/woocommerce-gateway-stripe/pull/5758"]
        "A refused delivery leaves its lock behind; the next one is acknowledged and lost.";
    PanicsOnUnknownOrder "panics-on-unknown-order" "UNKNOWN-OBJ" "doubtful-events-do-no-harm" ["https://github.com/killbill/killbill-adyen-plugin/pull/45"]
        "The shop crashes on an event for an order that it does not have.";
    UnknownStateIsSuccess "unknown-state-is-success" "FAILED" "unknown-status-not-final" | "doubtful-events-do-no-harm" []
        "A refund in a state that the shop does not know has succeeded.";
    UnknownOrderToNewestOrder "unknown-order-to-newest-order" "ATTRIB" "doubtful-events-do-no-harm" []
        "An event for an order that the shop does not have is booked on the order that came last.";
    UnknownOrderBlocksQueue "unknown-order-blocks-queue" "UNKNOWN-OBJ" "doubtful-events-do-no-harm" []
        "An event for an order that the shop does not have is tried for ever; all that follow are answered with 503.";
    UnknownOrderFails "unknown-order-fails" "UNKNOWN-OBJ" "doubtful-events-contained" ["https://github.com/getlago/lago-api/pull/3200"]
        "An event for an order that the shop does not have is answered with 500.";
    AppliedThoughRefused "applied-though-refused" "ACK" "doubtful-events-contained" []
        "An event that is refused for its currency or its amounts has been booked already.";
    OverRefundApplied "over-refund-applied" "MONEY" "doubtful-events-contained" []
        "More is shown as paid back than was captured.";
    TextAmountIsZero "text-amount-is-zero" "MONEY" "doubtful-events-contained" []
        "An amount that is written as text is zero.";
    NegativeAmountTaken "negative-amount-taken" "MONEY" "doubtful-events-contained" []
        "A negative amount is booked without its sign.";
    TrueIsOne "true-is-one" "MONEY" "doubtful-events-contained" []
        "An amount of true is 1, as loosely typed languages have it.";
    MissingEventIdFails "missing-event-id-fails" "MISSING" "doubtful-events-contained" []
        "An event without an id ends in an error.";
    UnreadableTimeFails "unreadable-time-fails" "TIME" "doubtful-events-contained" []
        "An event whose time cannot be read ends in an error.";
    DeepBodyFails "deep-body-fails" "MISSING" "doubtful-events-contained" []
        "A deeply nested body ends in an error.";

    // ---- authentication
    NoSignatureCheck "no-signature-check" "SIG" "signature-required" ["https://github.com/digitalriver-connectors/sfb2b_lightning_digitalriver"]
        "Nobody looks at the signature.";
    UnsignedAccepted "unsigned-accepted" "SIG" "signature-required" ["https://github.com/Sylius/PayPalPlugin/pull/666"]
        "The signature is checked only where there is one.";
    SignaturePresenceOnly "signature-presence-only" "SIG" "signature-required" []
        "There must be a signature, but nobody computes it.";
    SignaturePrefixOnly "signature-prefix-only" "SIG" "signature-required" []
        "A signature need only begin like the right one: a truncated one passes.";
    EmptySecret "empty-secret" "SIG" "signature-required" ["https://github.com/shopperlabs/shopper/pull/602"]
        "A second endpoint has no secret, so a signature with the empty secret passes.";
    BadSignatureFails "bad-signature-fails" "SIG" "signature-required" []
        "A signature that is missing or does not match ends in an error, answered with 500, instead of a refusal.";
    KnownEventUnchecked "known-event-unchecked" "SIG" "signature-required" []
        "An event whose id is known is acknowledged before its signature is looked at.";
    UnhandledUnchecked "unhandled-unchecked" "SIG" "signature-required" []
        "An event of a type that is not handled is acknowledged before its signature is looked at.";
    TwoSignaturesPass "two-signatures-pass" "SIG" "signature-required" []
        "Where the header has two signatures, as while a secret is replaced, neither is compared.";
    SignatureCaseIgnored "signature-case-ignored" "SIG" "signature-required" []
        "Signatures are compared without looking at capitals, though base64 tells them apart.";
    AnyScheme "any-scheme" "SIG" "signature-required" []
        "A signature counts under whatever name it stands in the header, also under that of a scheme that must be ignored.";
    SignsReserialisedJson "signs-reserialised-json" "SIG" "signature-covers-raw-body" ["https://github.com/stripe/stripe-node/issues/341"]
        "The signature is computed over the body as it is written anew after reading it.";
    AsciiSignature "ascii-signature" "SIG" "signature-covers-raw-body" ["https://github.com/razorpay/razorpay-dot-net/issues/156"]
        "The signature is computed over the body as ASCII, in which other letters are question marks.";
    SignsTrimmedBody "signs-trimmed-body" "SIG" "signature-covers-raw-body" ["https://github.com/stripe/stripe-php/issues/884"]
        "White space around the body is removed before the signature is computed.";
    SignsBodyOnly "signs-body-only" "SIG" "signature-covers-raw-body" []
        "The signature is computed over the body alone, without the event id and time that are signed with it.";
    CreatedAtReformatted "created-at-reformatted" "SIG" "signature-covers-raw-body" []
        "What is signed is the time of creation as the shop writes it, not as it stands in the body.";
    FirstSignatureOnly "first-signature-only" "SIG" "rotated-secret" ["https://github.com/profullstack/sh1pt/pull/530"]
        "Only the first of several signatures is compared.";
    OtherSchemeRefused "other-scheme-refused" "SIG" "rotated-secret" ["https://github.com/stripe/stripe-java/issues/919"]
        "A signature header with anything in it beside a time and v1 is refused, also the v0 that test endpoints get.";
    LastSignatureOnly "last-signature-only" "SIG" "rotated-secret" ["https://github.com/Significant-Gravitas/AutoGPT/pull/13435"]
        "The parts of the header become a map by their names, so that of several signatures only the last is compared.";
    SecondPartTaken "second-part-taken" "SIG" "rotated-secret" []
        "What comes second in the header is taken for the signature, of whatever scheme it is.";
    EverySignatureMustMatch "every-signature-must-match" "SIG" "rotated-secret" []
        "All signatures of a header must match, not any of them.";
    TimestampAgeIgnored "timestamp-age-ignored" "REPLAY" "replay-rejected" ["https://github.com/digitalriver-connectors/sfcc_link_digitalriver"]
        "The timestamp is signed, but how old it is does not matter.";
    FutureTimestampsOnly "future-timestamps-only" "REPLAY" "replay-rejected" ["https://github.com/profullstack/sh1pt/pull/711"]
        "A timestamp may not be in the future, but it may be as old as it likes.";

    // ---- all
    ForgetsOtherOrdersEvents "forgets-other-orders-events" "REDELIV" "mixed-traffic" []
        "Known events are kept for the order worked on last; after another order's event a redelivery books again.";

    // ---- what can be taken back
    CreatedMeansRequested "created-means-requested" "EVTYPE" "refund-created-updates-order" ["https://github.com/HiEventsDev/Hi.Events/issues/1067"]
        "refund.created is taken for a refund that is under way, whatever its status says.";
    OrderByMetadata "order-by-metadata" "MISSING" "refund-created-updates-order" ["https://github.com/stripe/stripe-node/issues/2224"]
        "The order is looked for in the refund's own metadata, which refunds do not carry.";
    MetadataOnly "metadata-only" "MISSING" "refund-created-updates-order" []
        "The order is looked for in an object's own metadata, and what has none there, as refunds and disputes, is acknowledged and dropped.";
    EmbeddedListBooked "embedded-list-booked" "REDELIV" "older-api-version" ["https://github.com/edx/commerce-coordinator/pull/243"]
        "Every refund in a charge's list is booked each time that the list comes, the old ones as well, and beside the charge's total.";
    ListedStateStays "listed-state-stays" "FAILED" "older-api-version" ["https://github.com/solidusio/solidus_stripe/issues/265"]
        "Refunds are read from a charge's list, and what charge.refund.updated says of them later is not handled.";
    WaitsForRefundCreated "waits-for-refund-created" "EVTYPE" "older-api-version" ["https://github.com/webhookdb/webhookdb/issues/788"]
        "Only events of refunds are handled, which the older version does not have.";
    LocalClockFence "local-clock-fence" "TIME" "refund-created-updates-order" ["https://github.com/zed-industries/zed/pull/15830"]
        "An event that was made more than an hour ago, by the shop's own clock, is taken for handled.";
    LivemodeOfObject "livemode-of-object" "ENV" "refund-created-updates-order" ["https://github.com/pinax/pinax-stripe-light/issues/511"]
        "Whether an event is a test is asked of the object in it; refunds do not say so, and are skipped as another environment's.";
    RefundReadAsCharge "refund-read-as-charge" "EVTYPE" "silent-update-changes-nothing" ["https://github.com/dj-stripe/dj-stripe/issues/1039"]
        "charge.refund.updated is read as a charge, which it does not carry, and ends in an error.";
    DisputeReadAsCharge "dispute-read-as-charge" "MISSING" "dispute-withdraws" ["https://github.com/pinax/pinax-stripe-light/issues/104"]
        "Events of disputes are read as charges, which they do not carry, and end in an error.";
    AttemptFailureResets "attempt-failure-resets" "ENV" "other-events-change-nothing" ["https://github.com/202-ecommerce/stripe_official/issues/78"]
        "That an earlier attempt to pay failed makes the order unpaid, whatever was paid and refunded since.";
    ReadsEmbeddedRefunds "reads-embedded-refunds" "MISSING" "charge-refunded-updates-order" ["https://github.com/woocommerce/woocommerce-gateway-stripe/issues/2497"]
        "The shop reads charge.refunds, which charges no longer carry, and ends in an error.";
    SuccessByTransition "success-by-transition" "EVTYPE" "refund-counted-once" ["https://github.com/airwallex/paymentacceptance-plugin-magento/pull/13"]
        "A refund that is made and paid is booked, and again when an update says that it was pending before and has been paid now.";
    TotalsAdded "totals-added" "CUMUL" "cumulative-is-not-added" ["https://github.com/flowglad/flowglad/pull/1176"]
        "Each charge.refunded books its running total as one more refund.";
    TotalOnTopOfRefunds "total-on-top-of-refunds" "CUMUL" "cumulative-is-not-added" ["https://github.com/antiwork/gumroad/pull/6193"]
        "The running total of the charge is counted on top of the refunds that it sums up.";
    FirstTotalOnly "first-total-only" "REDELIV" "cumulative-is-not-added" ["https://github.com/anomalyco/opencode/pull/28400"]
        "Events are told apart by object and type, so that a charge's second running total, or a refund's second update, is taken for a copy.";
    SuccessIsFinal "success-is-final" "FAILED" "refund-fails-after-success" ["https://github.com/woocommerce/woocommerce-gateway-stripe/issues/4405"]
        "A refund that was paid back is over; that it fails later is not looked at.";
    TotalReplaces "total-replaces" "FAILED" "total-does-not-outlive-failure" []
        "Whenever a running total arrives it becomes what was paid back, also after a refund that it counts has failed.";
    StatesOnlyRise "states-only-rise" "ORDER" "refund-returned-by-bank" ["https://github.com/onepercentclub/bluebottle/pull/3266"]
        "A refund's state can only go on from pending to succeeded to failed, never back to waiting.";
    CurrencyCaseCompared "currency-case-compared" "CURRENCY" "refund-created-updates-order" ["https://github.com/202-ecommerce/stripe_official/pull/2"]
        "The currency is compared letter by letter, usd with the order's USD, and the event refused.";
    PartialTotalSkipped "partial-total-skipped" "PARTIAL" "charge-refunded-updates-order" ["https://github.com/artsy/exchange/pull/232"]
        "charge.refunded is an error unless the charge says that it is refunded in full.";
    FlagDecidesFull "flag-decides-full" "FAILED" "failed-refund-not-counted" ["https://github.com/fossasia/eventyay/pull/3447"]
        "The order is refunded once its charge says so, and stays it when a refund in it fails.";
    OnlyFullRefunds "only-full-refunds" "PARTIAL" "partial-refunds-add-up" ["https://github.com/antiwork/gumroad/pull/5689"]
        "A refund is booked only if it is of all that was paid.";
    IsoDigits "iso-digits" "MONEY" "exact-amounts" ["https://github.com/woocommerce/woocommerce-gateway-stripe/issues/2674"]
        "Amounts are read with the digits of ISO 4217, though krónur and Ugandan shillings are sent in hundredths.";
    PayoutDigits "payout-digits" "MONEY" "exact-amounts" []
        "Forints and Taiwan dollars are read as whole units, as they are only in payouts.";
    FewWholeCurrencies "few-whole-currencies" "MONEY" "exact-amounts" ["https://github.com/evershopcommerce/evershop/pull/377"]
        "Only yen and won are known to have no smaller unit; other such currencies are read as hundredths.";
    ThousandthsUnknown "thousandths-unknown" "MONEY" "exact-amounts" ["https://github.com/evershopcommerce/evershop/pull/377"]
        "A currency has either hundredths or no smaller unit; dinars are read as hundredths.";
    UpdatesIgnored "updates-ignored" "FAILED" "refund-returned-by-bank" ["https://github.com/Automattic/woocommerce-payments/issues/312"]
        "refund.updated is acknowledged and dropped; what becomes of a refund after it was made is not seen.";
    PreviousTakenForState "previous-taken-for-state" "FAILED" "refund-fails-after-success" []
        "Where an event says what was before, that is taken for the refund's state.";
    LateWinIgnored "late-win-ignored" "CHGBK" "dispute-won-restores" ["https://github.com/Automattic/woocommerce-payments/issues/4931"]
        "A dispute that was lost is over; that it is won after all is not looked at.";
    LostIsFullRefund "lost-is-full-refund" "CHGBK" "dispute-lost-stays" ["https://github.com/Automattic/woocommerce-payments/issues/6196"]
        "A dispute that is closed as lost refunds the whole order, whatever it was about.";
    OnlyClosedDisputes "only-closed-disputes" "CHGBK" "dispute-withdraws" ["https://github.com/getlago/lago-api/pull/6444"]
        "Only charge.dispute.closed is handled; while a dispute is open the order looks paid.";
    DisputeByMetadata "dispute-by-metadata" "CHGBK" "dispute-withdraws" ["https://github.com/202-ecommerce/stripe_official/issues/186"]
        "The order is looked for in the dispute's own metadata, which is empty, and the event is refused.";
    EscalationIgnored "escalation-ignored" "CHGBK" "dispute-withdraws" []
        "A dispute that began as an inquiry stays one; that it takes money later is not looked at.";
    LargeDisputeRefused "large-dispute-refused" "CHGBK" "dispute-beside-refunds" ["https://github.com/Automattic/woocommerce-payments/issues/6196"]
        "A dispute of more than is left of the payment is refused.";
    PreventedRefused "prevented-refused" "MISSING" "inquiry-changes-nothing" ["https://github.com/stripe/stripe-go/issues/2116"]
        "A dispute that was prevented has a status that the shop has no word for, and ends in an error.";
    FewDisputeReasons "few-dispute-reasons" "MISSING" "dispute-withdraws" []
        "A dispute of which the reason is none of those that the shop has a word for ends in an error.";
    FewFailureReasons "few-failure-reasons" "MISSING" "refund-fails-after-success" []
        "A refund that failed for a reason that the shop has no word for ends in an error.";
    NullDueDateFails "null-due-date-fails" "MISSING" "dispute-withdraws" []
        "A dispute that says by no date when an answer is due ends in an error.";
    GuestFails "guest-fails" "MISSING" "charge-refunded-updates-order" []
        "A charge without a customer's account, as a guest pays it, ends in an error.";
    CardExpected "card-expected" "MISSING" "charge-refunded-updates-order" []
        "The card's last digits are read of every charge, and one that was not paid by card ends in an error.";
    KnownPrefixesOnly "known-prefixes-only" "MISSING" "refund-created-updates-order" []
        "Ids of refunds begin with re_ for the shop, and refunds of payments that were not made by card are refused.";
    WonNotRestored "won-not-restored" "CHGBK" "dispute-won-restores" ["https://github.com/woocommerce/woocommerce-gateway-stripe/issues/1098"]
        "A dispute that was won, or whose money came back, stays booked.";
    ReinstatementIgnored "reinstatement-ignored" "CHGBK" "dispute-won-restores" []
        "charge.dispute.funds_reinstated is acknowledged and dropped, so that money which comes back after the end stays away.";
    LatestDisputeWins "latest-dispute-wins" "ORDER" "dispute-won-restores" []
        "A dispute stands as the event that arrived last says.";
    ClosedGivesBack "closed-gives-back" "CHGBK" "dispute-lost-stays" ["https://github.com/juspay/hyperswitch/pull/11653"]
        "Any dispute that is closed is taken for won.";
    LostTakenAgain "lost-taken-again" "CHGBK" "dispute-lost-stays" ["https://github.com/opencollective/opencollective-api/pull/8029"]
        "A dispute that is lost takes the money a second time.";
    DisputeBookedTwice "dispute-booked-twice" "CHGBK" "dispute-withdraws" ["https://github.com/pinax/pinax-stripe-light/issues/590"]
        "The creation of a dispute and the withdrawal of its money are booked each.";
    DisputeFeeCharged "dispute-fee-charged" "CHGBK" "dispute-withdraws" ["https://github.com/opencollective/opencollective-api/pull/10125"]
        "The provider's fee is counted into what was charged back.";
    LastDisputeOnly "last-dispute-only" "CHGBK" "several-disputes-add-up" ["https://github.com/fivetran/dbt_stripe/pull/88"]
        "An order has one dispute; the next one replaces it.";
    SameSecondDropped "same-second-dropped" "TIME" "same-second-events" ["https://github.com/stripe/sync-engine/issues/268"]
        "Of two events that bear the same second the one that comes later is dropped as old.";
    TwinBooks "twin-books" "REDELIV" "twin-events" ["https://github.com/Ixotic27/The-Leetcode-City/pull/484"]
        "Only event ids are remembered, so that the same fact under another id is booked again.";
    OwnRowBesideWebhook "own-row-beside-webhook" "ECHO" "webhook-before-answer" ["https://github.com/woocommerce/woocommerce-gateway-stripe/issues/838"]
        "The answer to the shop's own request is booked as a new refund, although a webhook has booked it already.";
    FreshKeyAfterLoss "fresh-key-after-loss" "ECHO" "webhook-before-answer" ["https://github.com/medusajs/medusa/issues/16681"]
        "A refund whose request was not answered is asked for once more with another idempotency key.";
    FetchedOnTop "fetched-on-top" "ECHO" "fetched-state-counts-once" []
        "What the provider's API shows is booked beside what the event tells, as if they were two facts.";
    FetchFailureAcknowledged "fetch-failure-acknowledged" "ACK" "api-failure-is-not-acknowledged" []
        "When the provider's API fails, the event is acknowledged all the same, and what it told is lost.";
}
