//! The list of providers whose webhooks the reference takes, and what it knows of each: where things stand in their events,
//! which types matter, how they are signed.
//!
//! The reading itself is in `parse.rs` and `signature.rs` and names no provider.

use super::bank::Fault;

/// What a shop knows of a provider's events.
#[derive(Debug)]
pub(super) struct Dialect {
    /// The name that `hello` says.
    pub(super) provider: &'static str,
    /// The header with the signature.
    pub(super) header: &'static str,
    /// Where things stand, and what is signed.
    pub(super) form: Form,
    /// Events that tell of a refund.
    pub(super) refunds: &'static [&'static str],
    /// Events that tell of a charge's refunds.
    pub(super) charges: &'static [&'static str],
    /// Events that tell that money was charged back.
    pub(super) chargebacks: &'static [&'static str],
    /// The event that tells that a refund was paid back.
    pub(super) completion: &'static str,
    /// The types that a shop knows by name.
    pub(super) catalogue: &'static [&'static str],
    /// The members of events, refunds and charges that a strict shop has types for.
    pub(super) members: &'static [&'static str],
    /// Mistakes that are not tried with these events, although the provider has the requirement that they are aimed at:
    /// nobody can make them, or only traffic that is far longer than a case shows them.
    pub(super) not_tried: &'static [Fault],
}

/// The two forms of events and signatures that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The object is `data.object`, amounts are decimals of the major unit; timestamp and body are signed.
    Nested,
    /// The object is `data`, the order is its `payin`, amounts are hundredths; event id, body and creation time are signed.
    Flat,
}

/// The provider whose webhooks are taken where nobody has said hello yet.
pub(super) const FIRST: &Dialect = &DIALECTS[0];

/// What is known of the provider with this name.
pub(super) fn of(provider: &str) -> Option<&'static Dialect> {
    DIALECTS.iter().find(|dialect| dialect.provider == provider)
}

pub(super) const DIALECTS: &[Dialect] = &[
    Dialect {
        provider: "digital-river",
        header: "digitalriver-signature",
        form: Form::Nested,
        refunds: &[
            "refund.created",
            "refund.pending",
            "refund.pending_information",
            "refund.complete",
            "refund.succeeded",
            "refund.failed",
            "refund.updated",
        ],
        charges: &[
            "order.charge.refund.pending",
            "order.charge.refund.pending_information",
            "order.charge.refund.complete",
            "order.charge.refund.failed",
        ],
        chargebacks: &["order.chargeback"],
        completion: "refund.complete",
        catalogue: &[
            "charge.cancelled",
            "charge.pending",
            "checkout.created",
            "checkout.deleted",
            "checkout.updated",
            "checkout_session.order.created",
            "customer.created",
            "customer.deleted",
            "customer.source.created",
            "customer.source.deleted",
            "customer.updated",
            "file.created",
            "file.deleted",
            "fileLink.created",
            "fileLink.deleted",
            "fileLink.updated",
            "fulfillment.created",
            "order.accepted",
            "order.blocked",
            "order.cancelled",
            "order.charge.cancel.complete",
            "order.charge.cancel.failed",
            "order.charge.cancel.pending",
            "order.charge.cancel.pending_information",
            "order.charge.capturable",
            "order.charge.capture.complete",
            "order.charge.capture.failed",
            "order.charge.capture.pending",
            "order.charge.completed",
            "order.charge.failed",
            "order.charge.pending",
            "order.charge.refund.complete",
            "order.charge.refund.failed",
            "order.charge.refund.pending",
            "order.charge.refund.pending_information",
            "order.chargeback",
            "order.complete",
            "order.created",
            "order.credit_memo.created",
            "order.dispute",
            "order.dispute.resolved",
            "order.fulfilled",
            "order.in_review",
            "order.invoice.created",
            "order.passed",
            "order.pending_payment",
            "order.refunded",
            "order.returned",
            "order.review_closed",
            "order.review_opened",
            "order.submitted",
            "refund.complete",
            "refund.created",
            "refund.failed",
            "refund.pending",
            "refund.pending_information",
            "refund.succeeded",
            "refund.updated",
            "return.accepted",
            "return.created",
            "return.not_accepted",
            "return.updated",
            "sales_transaction.created",
            "sku.created",
            "sku.deleted",
            "sku.updated",
            "source.chargeable",
            "source.created",
            "subscription.created",
            "subscription.deleted",
            "subscription.extended",
            "subscription.failed",
            "subscription.lapsed",
            "subscription.payment_failed",
            "subscription.reminder",
            "subscription.source_invalid",
            "subscription.updated",
        ],
        members: &[
            "amount",
            "captured",
            "captures",
            "charges",
            "createdTime",
            "currency",
            "data",
            "digitalriverVersion",
            "failureReason",
            "id",
            "items",
            "liveMode",
            "metadata",
            "object",
            "orderId",
            "paymentSessionId",
            "previousAttributes",
            "reason",
            "refunded",
            "refundedAmount",
            "refunds",
            "sourceId",
            "state",
            "tokenInformation",
            "type",
            "updatedTime",
            "webhookIds",
        ],
        not_tried: &[Fault::CreatedAtReformatted, Fault::SignsBodyOnly, Fault::ForgetsOtherOrdersEvents],
    },
    Dialect {
        provider: "tazapay",
        header: "x-tazapay-signature",
        form: Form::Flat,
        refunds: &["refund.created", "refund.pending", "refund.succeeded", "refund.failed", "refund.cancelled"],
        charges: &[],
        chargebacks: &[],
        completion: "refund.succeeded",
        catalogue: &["payout.reversed", "refund.cancelled", "refund.created", "refund.failed", "refund.pending", "refund.succeeded"],
        members: &[
            "account",
            "amount",
            "api_version",
            "balance_transaction",
            "created_at",
            "currency",
            "customer_receives",
            "data",
            "holding_currency",
            "id",
            "metadata",
            "object",
            "payin",
            "payment_attempt",
            "reason",
            "reference_id",
            "status",
            "status_reason",
            "type",
            "webhook_attempt",
            "webhook_url",
        ],
        not_tried: &[
            // There is one layer of refunds and one event for each of their states.
            Fault::CountsBothLayers,
            Fault::SucceededCountsAgain,
            Fault::OrderTotalAdded,
            Fault::SalesTransactionDoubles,
            Fault::PictureAsDelta,
            Fault::LastEntryOnly,
            Fault::PairsLayersByAmount,
            Fault::EveryEntryCounts,
            Fault::FailedEntryCounts,
            Fault::LatestPictureWins,
            Fault::ChargeGoesToLastOrder,
            Fault::OrderEventLiftsChargeback,
            // Nothing waits for information, has items or is an order.
            Fault::InformationNotShown,
            Fault::AbsentItemsFail,
            Fault::OrderCompleteResets,
            Fault::CancellationIsRefund,
            // Amounts have two fraction digits and times have six.
            Fault::ThirdDigitCut,
            Fault::TextTimeOrder,
            Fault::LongFractionsRefused,
        ],
    },
];
