//! What the shop shows of an order: the order refund state that follows from what it remembers.
//!
//! The amount paid back is told twice, by the refunds and by the charges; whichever knows more is right, because both views end
//! at the same money.

use super::{Ledger, Refund};
use crate::{
    domain::{Amount, OrderState, RefundState, RefundView, Status},
    reference::{
        bank::Fault,
        money::float_sum,
        parse::{ChargeTold, Entry, RefundTold},
    },
};

impl Ledger {
    /// The order refund state.
    pub(in crate::reference) fn state(&self, order_id: &str) -> OrderState {
        let (charged_back, paid) = (self.charged_back(), self.paid());
        OrderState {
            order_id: order_id.to_owned(),
            status: self.status(paid),
            refunded_amount: paid,
            currency: Some(self.currency.clone()),
            available_to_refund_amount: Some((self.captured - paid - self.reserved() - charged_back).max(Amount::ZERO)),
            charged_back_amount: Some(charged_back),
            refunds: Some(self.refunds.iter().filter(|refund| !self.is_deleted(refund.state)).map(|refund| self.view(refund)).collect()),
        }
    }

    fn charged_back(&self) -> Amount {
        self.chargeback.as_ref().map_or(Amount::ZERO, |chargeback| chargeback.amount) + self.disputed()
    }

    fn view(&self, refund: &Refund) -> RefundView {
        RefundView { id: refund.id.clone(), state: self.shown(refund.state), amount: Some(refund.amount), refunded_amount: refund.paid }
    }

    fn shown(&self, state: RefundState) -> RefundState {
        match state {
            RefundState::PendingInformation if self.faults.has(Fault::InformationNotShown) => RefundState::Pending,
            open if open.is_open() && self.faults.has(Fault::PendingShownAsFailed) => RefundState::Failed,
            state => state,
        }
    }

    /// What is paid back: refunds and charges tell of the same money.
    pub(in crate::reference) fn paid(&self) -> Amount {
        let (by_refunds, by_charges) = (self.refunds_paid(), self.charges_paid());
        let mut paid = by_refunds.max(by_charges);
        if self.faults.has(Fault::CountsBothLayers) {
            paid = by_refunds + by_charges;
        }
        if self.faults.has(Fault::PairsLayersByAmount) {
            paid = by_refunds + self.unpaired_entries();
        }
        if self.faults.has(Fault::ChargebackCountsAsRefund) {
            paid += self.charged_back();
        }
        paid = self.slips.replaced.unwrap_or(paid + self.paid_beyond_refunds());
        paid.max(self.slips.sales) + self.slips.extra
    }

    fn refunds_paid(&self) -> Amount {
        if self.faults.has(Fault::EachSuccessAdds) {
            return self.slips.rows.iter().map(|(_, amount)| *amount).sum();
        }
        if self.faults.has(Fault::LastRefundOverwrites) {
            return self.slips.last_paid;
        }
        if self.faults.has(Fault::FloatSums) {
            return float_sum(self.refunds.iter().map(|refund| refund.paid));
        }
        let pending_counts = |refund: &Refund| refund.state == RefundState::Pending && self.faults.has(Fault::PendingCounts);
        self.refunds.iter().map(|refund| if pending_counts(refund) { refund.amount } else { refund.paid }).sum()
    }

    /// What refunds would say is paid, were this told of one of them.
    pub(super) fn refunds_paid_with(&self, told: &RefundTold<'_>) -> Amount {
        let known = self.refunds.iter().find(|refund| refund.id == told.id);
        if told.state != RefundState::Succeeded || known.is_some_and(|known| known.state.is_final()) {
            return told.paid;
        }
        self.refunds.iter().map(|refund| refund.paid).sum::<Amount>() + told.paid
    }

    fn charges_paid(&self) -> Amount {
        if self.faults.has(Fault::FloatSums) {
            return float_sum(self.paid_entries().map(|entry| entry.amount));
        }
        self.paid_entries().map(|entry| entry.amount).sum()
    }

    /// What charges would say is paid, were this told of one of them.
    pub(super) fn charges_paid_with(&self, told: &ChargeTold<'_>) -> Amount {
        let is_paid = |entry: &&Entry| entry.state == RefundState::Succeeded;
        let others = self.pictures.iter().filter(|picture| picture.charge != told.id).flat_map(|picture| &picture.entries);
        told.entries.iter().chain(others).filter(is_paid).map(|entry| entry.amount).sum()
    }

    /// The charge refunds that count as paid back.
    fn paid_entries(&self) -> impl Iterator<Item = &Entry> {
        let counts = |entry: &&Entry| match entry.state {
            RefundState::Succeeded => true,
            RefundState::Failed => self.faults.has(Fault::FailedEntryCounts) || self.faults.has(Fault::EveryEntryCounts),
            _ => self.faults.has(Fault::EveryEntryCounts),
        };
        self.pictures.iter().flat_map(|picture| &picture.entries).filter(counts)
    }

    fn unpaired_entries(&self) -> Amount {
        let mut refunds: Vec<Amount> = self.refunds.iter().map(|refund| refund.paid).filter(|paid| !paid.is_zero()).collect();
        let mut unpaired = Amount::ZERO;
        for entry in self.paid_entries() {
            match refunds.iter().position(|paid| *paid == entry.amount) {
                Some(pair) => drop(refunds.swap_remove(pair)),
                None => unpaired += entry.amount,
            }
        }
        unpaired
    }

    /// What may not be refunded any more because it has been asked for.
    fn reserved(&self) -> Amount {
        let is_reserved = |state: RefundState| match state {
            RefundState::Succeeded | RefundState::Cancelled => false,
            RefundState::Failed => self.faults.has(Fault::FailedKeepsReservation),
            _ => !self.faults.has(Fault::OpenRefundNotReserved),
        };
        self.refunds.iter().filter(|refund| is_reserved(refund.state)).map(|refund| refund.amount).sum()
    }

    /// The status of the order of which so much is paid back, by precedence.
    fn status(&self, paid: Amount) -> Status {
        if let Some(status) = self.slips.status {
            return status;
        }
        let paid = if self.faults.has(Fault::AmountWithoutStatus) { self.refunds_paid() } else { paid };
        let is_hidden = self.faults.has(Fault::RefundHidesChargeback) && !paid.is_zero();
        let some = |state: RefundState| self.refunds.iter().any(|refund| self.shown(refund.state) == state);
        let is_charged_back = self.chargeback.is_some() || !self.disputed().is_zero();
        if is_charged_back && !is_hidden {
            Status::ChargedBack
        } else if some(RefundState::Failed) && self.faults.has(Fault::FailedHidesSuccess) {
            Status::Failed
        } else if !paid.is_zero() {
            if self.is_all(paid) { Status::Refunded } else { Status::PartiallyRefunded }
        } else if some(RefundState::PendingInformation) {
            Status::PendingInformation
        } else if some(RefundState::Pending) || some(RefundState::Requested) {
            Status::Pending
        } else if some(RefundState::Failed) && !self.is_deleted(RefundState::Failed) {
            Status::Failed
        } else {
            Status::NotRefunded
        }
    }

    /// Whether this is all that was captured.
    fn is_all(&self, paid: Amount) -> bool {
        let paid_refunds = || self.refunds.iter().filter(|refund| refund.state == RefundState::Succeeded);
        if self.faults.has(Fault::AnyRefundIsFull) {
            return true;
        }
        if let Some(of_items) = self.of_items.filter(|_| self.faults.has(Fault::ItemsAreAll)) {
            return paid >= of_items;
        }
        if !self.slips.charged.is_empty() {
            return paid >= self.slips.charged.values().copied().sum();
        }
        if self.faults.has(Fault::FullRefundOffByOne) {
            return paid + Amount::from_minor(1, 2) >= self.captured;
        }
        if self.faults.has(Fault::FullComparedAsFloat) {
            let by_charges = self.charges_paid() > self.refunds_paid();
            let entries = self.paid_entries().filter(|_| by_charges).map(|entry| entry.amount);
            return float_sum(paid_refunds().filter(|_| !by_charges).map(|refund| refund.paid).chain(entries)) == self.captured;
        }
        if self.faults.has(Fault::FullInOneRefundOnly) && paid_refunds().count() > 0 {
            return paid_refunds().any(|refund| refund.paid == self.captured);
        }
        if self.faults.has(Fault::RequestedDecidesStatus) && paid_refunds().map(|refund| refund.amount).sum::<Amount>() >= self.captured {
            return true;
        }
        if self.faults.has(Fault::FullWhenOneChargeIs) && self.charges.iter().any(|(id, captured)| self.is_all_of_charge(id, *captured)) {
            return true;
        }
        paid >= self.captured
    }

    fn is_all_of_charge(&self, id: &str, captured: Amount) -> bool {
        let is_paid = |entry: &&Entry| entry.state == RefundState::Succeeded;
        let picture = self.pictures.iter().find(|picture| picture.charge == id);
        picture.is_some_and(|picture| picture.entries.iter().filter(is_paid).map(|entry| entry.amount).sum::<Amount>() >= captured)
    }
}
