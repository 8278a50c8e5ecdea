//! What really happened to an order, in minor units.
//!
//! Refunds live in groups, because the provider aggregates: the refunds of one group share their charge
//! refunds and walk through their states together, so that at every step the two views of the money add
//! up to the same amount. A step that cannot happen changes nothing and says so.

use super::dispute::{DisputeStage, DisputeTruth};
use crate::{
    domain::{Lifecycle, RefundState, Status},
    plan::{Action, DisputeMove, Extra, FailureShape, Level, Opening, Pick},
};

/// The truth about one order. All amounts are minor units of its currency.
#[derive(Clone, Debug)]
pub struct OrderTruth {
    /// What was captured.
    pub captured: u64,
    /// The charges that paid for it.
    pub charges: Vec<Charge>,
    /// What each item cost; together less than was captured where shipping and tax are of no item.
    pub items: Vec<u64>,
    /// What it has that a plain order has not.
    pub extras: Vec<Extra>,
    /// Every refund that was ever asked for, oldest first.
    pub refunds: Vec<RefundTruth>,
    /// Every chargeback: the amount, and whether it was for fraud.
    pub chargebacks: Vec<(u64, bool)>,
    /// Whether a dispute is open.
    pub disputed: bool,
    /// Every dispute that is an object of its own, oldest first.
    pub disputes: Vec<DisputeTruth>,
    groups: Vec<Group>,
    lifecycle: Lifecycle,
}

/// One charge of an order.
#[derive(Clone, Debug)]
pub struct Charge {
    /// What was captured with it.
    pub captured: u64,
    /// What was asked of it besides and cancelled.
    pub cancelled: u64,
    /// Its charge refunds so far, oldest first.
    pub refunds: Vec<ChargeRefund>,
}

/// The money view of one or more refunds on one charge.
#[derive(Clone, Debug)]
pub struct ChargeRefund {
    /// Which group of refunds it pays.
    pub group: usize,
    /// The amount: what is asked for, and once it is complete what was paid.
    pub amount: u64,
    /// Its state; `succeeded` is called `complete` here by the provider.
    pub state: RefundState,
}

/// One refund.
#[derive(Clone, Debug)]
pub struct RefundTruth {
    /// The group that it belongs to.
    pub group: usize,
    /// What was asked for.
    pub requested: u64,
    /// What was paid back; zero unless it succeeded.
    pub paid: u64,
    /// For a refund of items: index of the item, what was asked for and what was paid back.
    pub items: Vec<(usize, u64, u64)>,
    /// Its state.
    pub state: RefundState,
    /// Whether the shop made it itself.
    pub own: bool,
    /// Chooses type and reason.
    pub kind: u8,
    /// Whether its failure was explained.
    pub explained: bool,
    /// How often its metadata changed.
    pub revision: u32,
}

#[derive(Clone, Debug)]
struct Group {
    refunds: Vec<usize>,
    state: RefundState,
}

/// What a step changed, for the provider to tell of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A refund was asked for; `charges` hold its charge refunds.
    Opened {
        /// The new refund.
        refund: usize,
        /// The charges that are to pay it.
        charges: Vec<usize>,
        /// The inquiries that it ends, because all of the order is refunded.
        ends: Vec<usize>,
    },
    /// Open refunds changed their state together.
    Moved {
        /// The refunds.
        refunds: Vec<usize>,
        /// The charges that hold their charge refunds.
        charges: Vec<usize>,
        /// The state that they were in before.
        from: RefundState,
        /// The state that they are in now.
        to: RefundState,
        /// For a failure: what object the charge-level event carries.
        shape: FailureShape,
    },
    /// A chargeback, the last of `chargebacks`.
    ChargedBack,
    /// A dispute was opened.
    Disputed,
    /// The dispute ended.
    DisputeResolved,
    /// A dispute was opened or goes on.
    Dispute {
        /// The dispute.
        dispute: usize,
        /// What became of it; nothing where it is new.
        to: Option<DisputeMove>,
        /// The open refunds that fail because the money is gone.
        fails: Vec<usize>,
    },
    /// A refund's metadata changed.
    MetadataUpdated {
        /// The refund.
        refund: usize,
    },
    /// Something else happened.
    Other {
        /// Index into the provider's other event types, modulo how many there are.
        event: u16,
    },
}

impl OrderTruth {
    /// An order of which `captured` minor units were captured with so many charges for so many items.
    pub fn new(captured: u64, charges: u8, items: u8) -> OrderTruth {
        let charges = u64::from(charges.clamp(1, 3));
        let items = u64::from(items.clamp(1, 3));
        let captured = captured.max(charges).max(items);
        OrderTruth::of(captured, split(captured, charges).collect(), split(captured, items).collect())
    }

    /// An order with these charges and items.
    pub fn of(captured: u64, charges: Vec<u64>, items: Vec<u64>) -> OrderTruth {
        OrderTruth {
            captured,
            charges: charges.into_iter().map(|captured| Charge { captured, cancelled: 0, refunds: Vec::new() }).collect(),
            items,
            extras: Vec::new(),
            refunds: Vec::new(),
            chargebacks: Vec::new(),
            disputed: false,
            disputes: Vec::new(),
            groups: Vec::new(),
            lifecycle: Lifecycle::default(),
        }
    }

    /// The same with a provider whose refunds live by this table.
    #[must_use]
    pub fn living_by(mut self, lifecycle: Lifecycle) -> OrderTruth {
        self.lifecycle = lifecycle;
        self
    }

    /// The same order with what a plain one has not.
    #[must_use]
    pub fn with_extras(mut self, extras: Vec<Extra>) -> OrderTruth {
        self.extras = extras;
        let items = self.items.len() as u64;
        if self.has(Extra::Shipping) {
            let beside = (self.captured / 5).min(self.captured - items);
            self.items = split(self.captured - beside, items).collect();
        }
        if self.has(Extra::FreeItem) {
            self.items.push(0);
        }
        if let Some(last) = self.charges.last_mut().filter(|_| self.extras.contains(&Extra::Cancelled)) {
            last.cancelled = last.captured / 2 + 1;
        }
        self
    }

    /// Whether it has this.
    pub fn has(&self, extra: Extra) -> bool {
        self.extras.contains(&extra)
    }

    /// How many pieces of an item were bought.
    pub fn pieces(&self, item: usize) -> u32 {
        const PIECES: [u32; 3] = [2, 3, 4];
        if self.has(Extra::Quantities) { PIECES[item % PIECES.len()] } else { 1 }
    }

    /// What was captured that is of no item.
    pub fn beside_items(&self) -> u64 {
        self.captured.saturating_sub(self.items.iter().sum())
    }

    /// What was ordered and cancelled before it was captured.
    pub fn cancelled(&self) -> u64 {
        self.charges.iter().map(|charge| charge.cancelled).sum()
    }

    /// The sum of what was paid back.
    pub fn paid_back(&self) -> u64 {
        self.refunds.iter().map(|refund| refund.paid).sum()
    }

    /// What is charged back at the moment.
    pub fn charged_back(&self) -> u64 {
        self.chargebacks.iter().map(|(amount, _)| amount).sum::<u64>() + self.disputes.iter().map(DisputeTruth::taken).sum::<u64>()
    }

    /// What open refunds ask for.
    pub fn open(&self) -> u64 {
        self.refunds.iter().filter(|refund| refund.state.is_open()).map(|refund| refund.requested).sum()
    }

    /// What could still be refunded: captured less paid back, open and charged back. A dispute may take more than was left.
    pub fn available(&self) -> u64 {
        self.captured.saturating_sub(self.paid_back() + self.open() + self.charged_back())
    }

    /// What the provider offers to refund: what is available, or a little less. Public orders show such gaps and
    /// no reason for them. Once something is charged back there is none, so that what was charged back can be told from it.
    pub fn offered(&self) -> u64 {
        let is_withheld = self.has(Extra::Withheld) && self.chargebacks.is_empty();
        let withheld = if is_withheld { self.captured / 100 + 1 } else { 0 };
        self.available().saturating_sub(withheld)
    }

    /// The refund status, by the table's order of precedence.
    pub fn status(&self) -> Status {
        let paid = self.paid_back();
        let some = |state: RefundState| self.refunds.iter().any(|refund| refund.state == state);
        if self.charged_back() > 0 || !self.chargebacks.is_empty() {
            Status::ChargedBack
        } else if paid == self.captured {
            Status::Refunded
        } else if paid > 0 {
            Status::PartiallyRefunded
        } else if some(RefundState::PendingInformation) {
            Status::PendingInformation
        } else if some(RefundState::Pending) || some(RefundState::Requested) {
            Status::Pending
        } else if some(RefundState::Failed) {
            Status::Failed
        } else {
            Status::NotRefunded
        }
    }

    /// Lets a step happen. `None` where it cannot.
    pub fn apply(&mut self, action: &Action) -> Option<Change> {
        match *action {
            Action::Refund { amount, level, joins, own, kind, opens } => self.open_refund(amount, level, joins, own, kind, opens),
            Action::NeedInformation { refund } => self.move_group(refund, RefundState::PendingInformation),
            Action::GiveInformation { refund } => self.move_group(refund, RefundState::Pending),
            Action::Succeed { refund, paid } => self.succeed(refund, paid),
            Action::Fail { refund, reason, shape } => self.fail(refund, reason, shape),
            Action::Cancel { refund } => self.move_group(refund, RefundState::Cancelled),
            Action::Chargeback { amount, fraud } => self.charge_back(amount, fraud),
            Action::Dispute => (!self.disputed).then(|| {
                self.disputed = true;
                Change::Disputed
            }),
            Action::ResolveDispute => self.disputed.then(|| {
                self.disputed = false;
                Change::DisputeResolved
            }),
            Action::OpenDispute { amount, inquiry, over, prevented } => {
                let stage = match (prevented, inquiry) {
                    (true, _) => DisputeStage::Prevented,
                    (false, true) => DisputeStage::Inquiry,
                    (false, false) => DisputeStage::Open,
                };
                self.open_dispute(amount, over, stage)
            }
            Action::MoveDispute { dispute, to } => self.move_dispute(dispute, to),
            Action::UpdateMetadata { refund } => {
                let refund = from_newest(self.refunds.len(), refund)?;
                self.refunds[refund].revision += 1;
                Some(Change::MetadataUpdated { refund })
            }
            Action::Other { event } => Some(Change::Other { event }),
            Action::OtherOrders { .. } => None,
        }
    }

    fn open_refund(&mut self, amount: Pick, level: Level, joins: bool, own: bool, kind: u8, opens: Opening) -> Option<Change> {
        let available = self.offered();
        // While the order is in dispute, or a dispute holds money, nothing is refunded.
        if available == 0 || self.disputed || self.disputes.iter().any(|dispute| dispute.taken() > 0) {
            return None;
        }
        let of_items = if level == Level::Items { self.left_of_items().iter().sum::<u64>().min(available) } else { 0 };
        let requested = amount.of(if of_items > 0 { of_items } else { available });
        let items = if of_items > 0 { self.take_items(requested) } else { Vec::new() };
        let joined = self.groups.iter().rposition(|group| joins && group.state == RefundState::Pending);
        let group = joined.unwrap_or_else(|| {
            self.groups.push(Group { refunds: Vec::new(), state: RefundState::Pending });
            self.groups.len() - 1
        });
        let refund = self.refunds.len();
        self.refunds.push(RefundTruth {
            group,
            requested,
            paid: 0,
            items,
            state: RefundState::Pending,
            own,
            kind,
            explained: false,
            revision: 0,
        });
        self.groups[group].refunds.push(refund);
        let charges = self.take_charges(group, requested);
        match opens {
            Opening::Pending => {}
            Opening::Information => _ = self.set_state(group, RefundState::PendingInformation, FailureShape::Charge),
            Opening::Succeeded => _ = self.pay(group, Pick::All),
        }
        let mut ends = Vec::new();
        if self.available() == 0 {
            for (index, dispute) in self.disputes.iter_mut().enumerate() {
                if let Some(ended) = dispute.stage.after(DisputeMove::End) {
                    dispute.stage = ended;
                    ends.push(index);
                }
            }
        }
        Some(Change::Opened { refund, charges, ends })
    }

    /// The money of open refunds is gone.
    pub(super) fn fail_open_refunds(&mut self) -> Vec<usize> {
        let open: Vec<usize> = (0..self.groups.len()).filter(|&group| self.groups[group].state.is_open()).collect();
        open.into_iter()
            .flat_map(|group| {
                self.set_state(group, RefundState::Failed, FailureShape::Charge);
                self.groups[group].refunds.clone()
            })
            .collect()
    }

    /// What no refund of items has asked for yet.
    fn left_of_items(&self) -> Vec<u64> {
        let mut taken: Vec<u64> = vec![0; self.items.len()];
        for refund in &self.refunds {
            for &(item, asked, paid) in &refund.items {
                taken[item] += match refund.state {
                    RefundState::Succeeded => paid,
                    RefundState::Failed | RefundState::Cancelled => 0,
                    _ => asked,
                };
            }
        }
        self.items.iter().zip(taken).map(|(price, taken)| price - taken).collect()
    }

    fn take_items(&self, requested: u64) -> Vec<(usize, u64, u64)> {
        let mut rest = requested;
        let mut items = Vec::new();
        for (item, left) in self.left_of_items().into_iter().enumerate() {
            let part = rest.min(left);
            // What costs nothing goes back with the rest.
            if part > 0 || self.items[item] == 0 {
                items.push((item, part, 0));
                rest -= part;
            }
        }
        items
    }

    fn take_charges(&mut self, group: usize, requested: u64) -> Vec<usize> {
        let mut rest = requested;
        let mut touched = Vec::new();
        for (index, charge) in self.charges.iter_mut().enumerate() {
            let is_used = |refund: &&ChargeRefund| !matches!(refund.state, RefundState::Failed | RefundState::Cancelled);
            let used: u64 = charge.refunds.iter().filter(is_used).map(|refund| refund.amount).sum();
            let part = rest.min(charge.captured - used);
            if part == 0 {
                continue;
            }
            rest -= part;
            touched.push(index);
            match charge.refunds.iter_mut().find(|refund| refund.group == group) {
                Some(entry) => entry.amount += part,
                None => charge.refunds.push(ChargeRefund { group, amount: part, state: RefundState::Pending }),
            }
        }
        touched
    }

    /// Counting back from the newest, the refunds that can come into a state.
    fn find_group(&self, back: u8, to: RefundState) -> Option<usize> {
        let can = |group: &usize| self.lifecycle.allows(self.groups[*group].state, to);
        let fitting: Vec<usize> = (0..self.groups.len()).filter(can).collect();
        from_newest(fitting.len(), back).map(|index| fitting[index])
    }

    fn move_group(&mut self, back: u8, to: RefundState) -> Option<Change> {
        let group = self.find_group(back, to)?;
        Some(self.set_state(group, to, FailureShape::Charge))
    }

    fn succeed(&mut self, back: u8, paid: Pick) -> Option<Change> {
        let group = self.find_group(back, RefundState::Succeeded)?;
        Some(self.pay(group, paid))
    }

    fn pay(&mut self, group: usize, paid: Pick) -> Change {
        let members = self.groups[group].refunds.clone();
        let requested: u64 = members.iter().map(|&refund| self.refunds[refund].requested).sum();
        let entries = self.entries_mut(group).count();
        let least = u64::try_from(members.len().max(entries)).unwrap_or(1).min(requested);
        let unpaid = requested - paid.of(requested).max(least);
        // Every refund and every charge refund keeps at least one unit, so that each really succeeded.
        let mut rest = unpaid;
        for &member in members.iter().rev() {
            let refund = &mut self.refunds[member];
            let cut = rest.min(refund.requested - 1);
            rest -= cut;
            refund.paid = refund.requested - cut;
            let mut left = refund.paid;
            for item in &mut refund.items {
                item.2 = left.min(item.1);
                left -= item.2;
            }
        }
        let mut rest = unpaid;
        for entry in self.entries_mut(group).rev() {
            let cut = rest.min(entry.amount - 1);
            rest -= cut;
            entry.amount -= cut;
        }
        self.set_state(group, RefundState::Succeeded, FailureShape::Charge)
    }

    fn fail(&mut self, back: u8, reason: bool, shape: FailureShape) -> Option<Change> {
        let group = self.find_group(back, RefundState::Failed)?;
        for index in self.groups[group].refunds.clone() {
            self.refunds[index].explained = reason;
        }
        Some(self.set_state(group, RefundState::Failed, shape))
    }

    fn charge_back(&mut self, amount: Pick, fraud: bool) -> Option<Change> {
        let available = self.available();
        if available == 0 {
            return None;
        }
        self.chargebacks.push((amount.of(available), fraud));
        Some(Change::ChargedBack)
    }

    fn entries_mut(&mut self, group: usize) -> impl DoubleEndedIterator<Item = &mut ChargeRefund> {
        self.charges.iter_mut().flat_map(|charge| &mut charge.refunds).filter(move |refund| refund.group == group)
    }

    fn set_state(&mut self, group: usize, to: RefundState, shape: FailureShape) -> Change {
        let from = std::mem::replace(&mut self.groups[group].state, to);
        for entry in self.entries_mut(group) {
            entry.state = to;
        }
        let refunds = self.groups[group].refunds.clone();
        for &refund in &refunds {
            let refund = &mut self.refunds[refund];
            refund.state = to;
            if to != RefundState::Succeeded {
                refund.paid = 0;
                refund.items.iter_mut().for_each(|item| item.2 = 0);
            }
        }
        let holds = |charge: &Charge| charge.refunds.iter().any(|refund| refund.group == group);
        let charges = (0..self.charges.len()).filter(|&charge| holds(&self.charges[charge])).collect();
        Change::Moved { refunds, charges, from, to, shape }
    }

    /// How many refunds share the charge refunds of this one, itself included.
    pub fn aggregated_with(&self, refund: usize) -> usize {
        self.groups[self.refunds[refund].group].refunds.len()
    }
}

pub(super) fn from_newest(count: usize, back: u8) -> Option<usize> {
    (count > 0).then(|| count - 1 - usize::from(back) % count)
}

fn split(total: u64, parts: u64) -> impl Iterator<Item = u64> {
    (0..parts).map(move |part| total / parts + u64::from(part < total % parts))
}

#[cfg(test)]
mod tests;
