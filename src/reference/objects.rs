//! What the shop keeps of objects that change for ever: refunds whose success can be taken back, the running total of a
//! charge, and disputes.
//!
//! Times are whole seconds, so that two events may bear the same one: then the one that stands later in the object's life is
//! newer.

use super::{
    bank::Fault,
    ledger::{Ledger, Refund},
    parse::{DisputeTold, LOST, OPEN, TotalTold},
};
use crate::domain::{Amount, EventTime, RefundState, Status};

/// The newest running total of the charge.
#[derive(Clone, Debug)]
pub(super) struct Total {
    time: EventTime,
    refunded: Amount,
}

/// How a dispute stands.
#[derive(Clone, Debug)]
pub(super) struct Dispute {
    id: String,
    time: EventTime,
    rank: u8,
    taken: Amount,
}

impl Ledger {
    /// Whether another word on a refund is newer than what is known.
    pub(super) fn is_newer(&self, known: &Refund, new: &Refund) -> bool {
        if self.faults.has(Fault::SuccessIsFinal) && known.state == RefundState::Succeeded {
            return false;
        }
        if self.latest_wins() {
            return true;
        }
        if self.faults.has(Fault::StatesOnlyRise) {
            return rank(new.state) > rank(known.state);
        }
        if self.faults.has(Fault::SameSecondDropped) {
            return new.time > known.time;
        }
        (new.time.as_ref(), rank(new.state)) > (known.time.as_ref(), rank(known.state))
    }

    pub(super) fn learn_total(&mut self, time: EventTime, told: &TotalTold<'_>) {
        if self.faults.has(Fault::WaitsForRefundCreated) {
            return;
        }
        for refund in &told.refunds {
            if refund.state == RefundState::Succeeded && self.faults.has(Fault::EmbeddedListBooked) {
                self.slips.extra += refund.paid;
            } else {
                self.book(Some(time.clone()), refund, false);
            }
        }
        if self.faults.has(Fault::IgnoresChargeEvents) || self.faults.has(Fault::NeedsKnownRefund) && self.refunds.is_empty() {
            return;
        }
        if told.is_all && self.faults.has(Fault::FlagDecidesFull) {
            self.slips.status = Some(Status::Refunded);
        }
        if told.refunded < self.captured && self.faults.has(Fault::OnlyFullRefunds) {
            return;
        }
        if self.faults.has(Fault::TotalsAdded) {
            self.slips.extra += told.refunded;
            return;
        }
        if self.faults.has(Fault::TotalReplaces) {
            self.slips.replaced = Some(told.refunded);
        }
        if self.total.as_ref().is_none_or(|known| known.time < time) {
            self.total = Some(Total { time, refunded: told.refunded });
        }
    }

    /// What the running total has beyond the refunds that are known by their own events and that it counts: those that were
    /// made by then and had not failed by then.
    pub(super) fn paid_beyond_refunds(&self) -> Amount {
        let Some(total) = &self.total else { return Amount::ZERO };
        if self.faults.has(Fault::TotalOnTopOfRefunds) {
            return total.refunded;
        }
        let is_counted = |refund: &&Refund| {
            refund.created.as_ref().is_none_or(|created| *created <= total.time)
                && refund.ended.as_ref().is_none_or(|ended| *ended > total.time)
        };
        let counted: Amount = self.refunds.iter().filter(is_counted).map(|refund| refund.amount).sum();
        (total.refunded - counted).max(Amount::ZERO)
    }

    pub(super) fn learn_dispute(&mut self, kind: &str, time: EventTime, told: &DisputeTold<'_>) {
        let is_closed = kind.ends_with(".closed");
        if self.faults.has(Fault::ChargebackIgnored) || !is_closed && self.faults.has(Fault::OnlyClosedDisputes) {
            return;
        }
        if kind.ends_with(".funds_reinstated") && self.faults.has(Fault::ReinstatementIgnored) {
            return;
        }
        if is_closed && told.rank == LOST && self.faults.has(Fault::LostIsFullRefund) {
            self.slips.replaced = Some(self.captured);
        }
        let known = self.disputes.iter().position(|dispute| dispute.id == told.id);
        if let Some(known) = known {
            let known = &self.disputes[known];
            let gives_back = told.taken.is_zero() && !known.taken.is_zero();
            let is_older = (&known.time, known.rank) >= (&time, told.rank) && !self.faults.has(Fault::LatestDisputeWins);
            let is_over = known.rank == LOST && self.faults.has(Fault::LateWinIgnored)
                || known.rank < OPEN && told.rank >= OPEN && self.faults.has(Fault::EscalationIgnored);
            if is_older || is_over || gives_back && self.faults.has(Fault::WonNotRestored) {
                return;
            }
        }
        let mut taken = told.taken;
        if !taken.is_zero() {
            if self.faults.has(Fault::PartialChargebackIsFull) {
                taken = self.captured;
            }
            if self.faults.has(Fault::ClosedGivesBack) && is_closed {
                taken = Amount::ZERO;
            }
            if self.faults.has(Fault::LostTakenAgain) && is_closed {
                taken += told.amount;
            }
            if self.faults.has(Fault::DisputeBookedTwice) && kind.ends_with(".funds_withdrawn") {
                taken += told.amount;
            }
            if self.faults.has(Fault::ChargebackClearsRefunds) {
                self.forget_refunds();
            }
        }
        if self.faults.has(Fault::LastDisputeOnly) {
            self.disputes.clear();
        }
        self.disputes.retain(|dispute| dispute.id != told.id);
        self.disputes.push(Dispute { id: told.id.to_string(), time, rank: told.rank, taken });
    }

    /// What disputes take at the moment.
    pub(super) fn disputed(&self) -> Amount {
        self.disputes.iter().map(|dispute| dispute.taken).sum()
    }
}

/// How late in its life a refund is in a state; what is still open comes before what has ended, and a failure after success.
fn rank(state: RefundState) -> u8 {
    match state {
        RefundState::Requested | RefundState::Pending | RefundState::PendingInformation => 0,
        RefundState::Succeeded => 1,
        RefundState::Failed | RefundState::Cancelled => 2,
    }
}
