//! The events of refunds, and of the charge that they are paid from.

use std::fmt::Write;

use super::{
    code,
    events::{
        CHARGE_REFUND_UPDATED, CHARGE_REFUNDED, DISPUTE_CLOSED, Family, REFUND_CREATED, REFUND_FAILED, REFUND_UPDATED, receipt, seconds,
        self_of_charge,
    },
    money::sent,
    older::SHOWN,
    places::Place,
};
use crate::{
    domain::RefundState,
    json::Value,
    model::{DisputeEvent, RefundTruth, Tell},
    plan::Extra,
    provider::{Scene, texts},
};

/// Why refunds are made; the second is what nothing is said as.
const REASONS: [&str; 4] = [r#""requested_by_customer""#, "null", r#""duplicate""#, r#""fraudulent""#];

/// Why refunds fail.
const FAILURES: [&str; 5] = ["lost_or_stolen_card", "expired_or_canceled_card", "declined", "unknown", "insufficient_funds"];

const CANCELLED_BY_SHOP: &str = "merchant_request";

/// What an event says of a refund beside its state.
#[derive(Clone, Copy)]
struct Look {
    /// The bank's reference is known.
    referenced: bool,
    /// What changed; nothing where nothing is said of it.
    before: Before,
}

#[derive(Clone, Copy)]
enum Before {
    Nothing,
    State(RefundState),
    Reference,
    Metadata(u32),
}

impl Family<'_> {
    /// A refund was made.
    pub(super) fn opened(&mut self, refund: usize, ends: &[usize]) {
        self.refund(REFUND_CREATED, refund, Look { referenced: false, before: Before::Nothing });
        self.charge_refunded(refund);
        // The bank's reference comes after most successes, and changes nothing about money.
        let succeeded = self.scene.truth.refunds[refund].state == RefundState::Succeeded;
        if succeeded && self.scene.fancy("reference", refund as u64) {
            let look = Look { referenced: true, before: Before::Reference };
            self.refund(REFUND_UPDATED, refund, look);
            self.refund(CHARGE_REFUND_UPDATED, refund, look);
        }
        for &dispute in ends {
            self.dispute(DISPUTE_CLOSED, dispute, DisputeEvent::Status, Some("warning_needs_response"));
        }
    }

    /// A refund came into another state.
    pub(super) fn moved(&mut self, refund: usize, from: RefundState, to: RefundState) {
        let look = Look { referenced: from == RefundState::Succeeded || to == RefundState::Succeeded, before: Before::State(from) };
        if to == RefundState::Failed {
            self.refund(REFUND_FAILED, refund, look);
        }
        self.refund(REFUND_UPDATED, refund, look);
        self.refund(CHARGE_REFUND_UPDATED, refund, look);
    }

    /// Something about a refund changed that is not its state.
    pub(super) fn updated_silently(&mut self, refund: usize) {
        let revision = self.scene.truth.refunds[refund].revision;
        let look = Look { referenced: true, before: Before::Metadata(revision) };
        self.refund(REFUND_UPDATED, refund, look);
        self.refund(CHARGE_REFUND_UPDATED, refund, look);
    }

    fn refund(&mut self, kind: &str, refund: usize, look: Look) {
        let scene = self.scene;
        // It mirrors refund.updated, and shops handle one of the two. In the older version there is no other.
        let tell = self.told(refund, kind == CHARGE_REFUND_UPDATED && !scene.older);
        let by_shop = kind == REFUND_CREATED || matches!(look.before, Before::Metadata(_));
        self.push(kind, by_shop, vec![tell], &|place, out| fill(scene, refund, look, place, out));
    }

    /// How a refund stands.
    fn told(&self, refund: usize, in_passing: bool) -> Tell {
        let truth = &self.scene.truth.refunds[refund];
        Tell::Refund {
            id: self.scene.names.refunds[refund].clone(),
            state: truth.state,
            amount: self.amount(truth.requested),
            refunded_amount: self.amount(truth.paid),
            in_passing,
        }
    }

    /// The refunds that a charge shows in the older version, the newest first, as objects and as what they tell. Where the
    /// newest `is_new` the bank's reference of it is not known yet; what the charge says then is what the event is about.
    pub(super) fn embedded(&self, is_new: bool) -> (Vec<Value>, Vec<Tell>) {
        let refunds = &self.scene.truth.refunds;
        let shown = (0..refunds.len()).rev().take(SHOWN).enumerate();
        let object = |(place, refund): (usize, usize)| {
            let referenced = refunds[refund].state == RefundState::Succeeded && !(is_new && place == 0);
            Some((self.object(refund, Look { referenced, before: Before::Nothing })?, self.told(refund, !is_new)))
        };
        shown.filter_map(object).unzip()
    }

    fn object(&self, refund: usize, look: Look) -> Option<Value> {
        let body = self.body(REFUND_CREATED, "", false, &|place, out| fill(self.scene, refund, look, place, out))?;
        serde_json::from_str::<Value>(&body).ok()?.pointer("/data/object").cloned()
    }

    /// The charge, whose running total has grown by the refund.
    fn charge_refunded(&mut self, refund: usize) {
        let scene = self.scene;
        let (sum, tell) = self.total(false);
        let captured = scene.truth.captured;
        let before = sum - scene.truth.refunds[refund].requested;
        self.push(CHARGE_REFUNDED, true, vec![tell], &|place, out| match place {
            Place::Previous => {
                // Writing to a string cannot fail.
                let receipt = receipt(scene, before);
                _ = write!(out, r#"{{"amount_refunded":{},"receipt_url":{receipt}"#, sent(before, scene.currency));
                out.push_str(if sum == captured { r#","refunded":false}"# } else { "}" });
            }
            place => self_of_charge(scene, place, sum, captured, out),
        });
    }
}

/// Writes what a refund says of itself.
fn fill(scene: &Scene<'_>, refund: usize, look: Look, place: Place, out: &mut String) {
    let truth = &scene.truth.refunds[refund];
    let number = (scene.order * 1000 + refund) as u64;
    let transaction = |what: &str| format!(r#""txn_3{}""#, code(&scene.mint, what, number, super::LENGTH));
    let failed = matches!(truth.state, RefundState::Failed | RefundState::Cancelled);
    let moves_at_once = truth.kind % 4 < 2;
    // Writing to a string cannot fail.
    _ = match place {
        Place::Id => write!(out, r#""{}""#, scene.names.refunds[refund]),
        Place::Amount => write!(out, "{}", sent(truth.requested, scene.currency)),
        Place::BalanceTransaction if truth.state == RefundState::PendingInformation && !moves_at_once => write!(out, "null"),
        Place::BalanceTransaction => write!(out, "{}", transaction("refund transaction")),
        Place::Created => write!(out, "{}", seconds(&scene.refund_times[refund])),
        Place::Destination if truth.state == RefundState::PendingInformation => Ok(()),
        Place::Destination => write!(out, "{}", destination(scene, number, look.referenced)),
        Place::FailureTransaction if failed => write!(out, "{}", transaction("failure transaction")),
        Place::FailureReason if failed => write!(out, r#""{}""#, failure(scene, refund)),
        Place::Metadata => metadata(scene, refund, out),
        Place::NextAction if truth.state == RefundState::PendingInformation => {
            let sent_at = seconds(&scene.refund_times[refund]);
            let expires = sent_at + 45 * 86_400;
            write!(
                out,
                r#"{{"display_details":{{"email_sent":{{"email_sent_at":{sent_at},"email_sent_to":"paula.buyer@example.com"}},"expires_at":{expires}}},"type":"display_details"}}"#
            )
        }
        Place::PendingReason if truth.state == RefundState::Pending => {
            write!(out, r#""{}""#, if moves_at_once { "insufficient_funds" } else { "processing" })
        }
        Place::Reason => write!(out, "{}", REASONS[usize::from(truth.kind) % REASONS.len()]),
        Place::Status => write!(out, r#""{}""#, word(truth.state)),
        Place::Previous => previous(scene, look.before, failed, number, out),
        _ => Ok(()),
    };
}

/// What the shop keeps with a refund: when it looked at it, and what somebody wrote about it.
fn metadata(scene: &Scene<'_>, refund: usize, out: &mut String) -> std::fmt::Result {
    let RefundTruth { revision, kind, .. } = scene.truth.refunds[refund];
    let checked = (revision > 0).then(|| format!(r#""checked":"{revision}""#));
    let note = texts::reason(kind).map(|note| format!(r#""note":{note}"#));
    let members: Vec<String> = checked.into_iter().chain(note).collect();
    write!(out, "{{{}}}", members.join(","))
}

/// Stripe's word for a state.
pub(super) fn word(state: RefundState) -> &'static str {
    match state {
        RefundState::PendingInformation => "requires_action",
        RefundState::Cancelled => "canceled",
        RefundState::Requested | RefundState::Pending => "pending",
        RefundState::Succeeded => "succeeded",
        RefundState::Failed => "failed",
    }
}

fn failure(scene: &Scene<'_>, refund: usize) -> &'static str {
    match scene.truth.refunds[refund].state {
        RefundState::Cancelled => CANCELLED_BY_SHOP,
        _ => FAILURES[scene.lasting("failure reason", refund, FAILURES.len())],
    }
}

/// Where the money goes, and by what reference the bank knows it once there is one.
fn destination(scene: &Scene<'_>, number: u64, referenced: bool) -> String {
    if scene.truth.has(Extra::NoCard) {
        let (reference, status) = match referenced {
            true => (format!(r#""K-{}""#, 5_130_000 + number), "available"),
            false => ("null".to_owned(), "pending"),
        };
        format!(r#"{{"klarna":{{"reference":{reference},"reference_status":"{status}"}},"type":"klarna"}}"#)
    } else if referenced {
        let reference = 74_830_162_590_000_000 + number;
        format!(
            r#"{{"card":{{"reference":"{reference}","reference_status":"available","reference_type":"acquirer_reference_number","type":"refund"}},"type":"card"}}"#
        )
    } else {
        r#"{"card":{"reference_status":"pending","reference_type":"acquirer_reference_number","type":"refund"},"type":"card"}"#.to_owned()
    }
}

fn previous(scene: &Scene<'_>, before: Before, failed: bool, number: u64, out: &mut String) -> std::fmt::Result {
    match before {
        Before::Nothing => Ok(()),
        Before::State(state) if failed => {
            write!(out, r#"{{"failure_balance_transaction":null,"failure_reason":null,"status":"{}"}}"#, word(state))
        }
        Before::State(state) => write!(out, r#"{{"status":"{}"}}"#, word(state)),
        Before::Reference => write!(out, r#"{{"destination_details":{}}}"#, destination(scene, number, false)),
        Before::Metadata(revision) if revision > 1 => write!(out, r#"{{"metadata":{{"checked":"{}"}}}}"#, revision - 1),
        Before::Metadata(_) => write!(out, r#"{{"metadata":{{"checked":null}}}}"#),
    }
}
