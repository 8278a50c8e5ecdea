//! How faulty shops book refunds, and what they keep beside the ledger for it.
//!
//! Shops that book each event as one more amount are told apart from the ledger's picture by `extra`: what they
//! booked that they should not have.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    time::Duration,
};

use super::{
    bank::Fault,
    dialect::Form,
    fault::Faults,
    ledger::Ledger,
    parse::{Entry, Event, RefundTold, Told},
    refusal::Refusal,
};
use crate::domain::{Amount, EventTime, RefundState, Status};

/// After every event, in microseconds after 1970.
const LAST_OF_ALL: i64 = 221_845_392_000_000_000;

/// What only a faulty shop keeps.
#[derive(Clone, Debug, Default)]
pub(super) struct Slips {
    /// What was booked too much.
    pub(super) extra: Amount,
    /// A row for each event that told that a refund was paid back, by the refund's id.
    pub(super) rows: Vec<(String, Amount)>,
    /// What sales transactions said was refunded.
    pub(super) sales: Amount,
    /// What the refund that was booked last paid.
    pub(super) last_paid: Amount,
    /// A status that hides what the ledger says.
    pub(super) status: Option<Status>,
    /// A running total that stands for what was paid back, until the next refund event.
    pub(super) replaced: Option<Amount>,
    /// The state that the refund of the event had before, where the event says so.
    pub(super) before: Option<RefundState>,
    /// Refunds that the shop made itself.
    pub(super) own: HashSet<String>,
    /// Events in the order in which they came.
    pub(super) recent: Vec<String>,
    /// Events that were known and are forgotten.
    pub(super) forgotten: HashSet<String>,
    /// Events that have come a second time.
    pub(super) met_again: HashSet<String>,
    /// Objects that an event has shown.
    pub(super) objects: HashSet<String>,
    /// Whether an event was booked that tells that a refund was paid back.
    pub(super) had_completion: bool,
    /// What is taken for all of each charge: its amount, of which a part may have been cancelled, or its first capture.
    pub(super) charged: BTreeMap<String, Amount>,
    /// When the shop made a refund, by the clock on its wall, in microseconds after 1970.
    pub(super) acted: Option<i64>,
    /// How much time has passed since the nightly jobs ran.
    pub(super) since_jobs: Duration,
}

/// What only a faulty shop keeps of all its orders.
#[derive(Debug, Default)]
pub(super) struct ShopSlips {
    /// The order that was worked on last.
    pub(super) last_order: Option<String>,
    /// The order that came last.
    pub(super) newest_order: Option<String>,
    /// Ids of events that were refused, and are skipped when they come again.
    pub(super) burnt: HashSet<String>,
    /// Events that were new at the beginning of what is under way now.
    pub(super) under_way: Option<HashSet<String>>,
    /// Bodies that were answered before.
    pub(super) answered: HashSet<Vec<u8>>,
    /// Headers and bodies that came before their order was stored.
    pub(super) early: Vec<Kept>,
    /// Ids of events that were acknowledged, those that tell nothing too.
    pub(super) acknowledged: HashSet<String>,
    pub(super) is_broken: bool,
    pub(super) is_locked: bool,
    /// Ids of the events that came last, the newest at the end. They are stored, so a restart leaves them.
    pub(super) kept: VecDeque<String>,
}

/// The headers and the body of a delivery.
type Kept = (Vec<(String, String)>, Vec<u8>);

/// How many event ids are kept by a shop that keeps only some.
const KEPT: usize = 200;

impl ShopSlips {
    /// Keeps the id of an event that was booked, in place of the oldest.
    pub(super) fn keep_event_id(&mut self, event_id: &str, faults: Faults) {
        if !faults.has(Fault::KeepsFewEventIds) {
            return;
        }
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(event_id.to_owned());
    }

    /// Whether the id of a known event is not kept any more; it is kept anew then.
    pub(super) fn has_lost(&mut self, event_id: &str, faults: Faults) -> bool {
        let is_lost = faults.has(Fault::KeepsFewEventIds) && !self.kept.iter().any(|kept| kept == event_id);
        if is_lost {
            self.keep_event_id(event_id, faults);
        }
        is_lost
    }
}

/// After how much time its jobs run, and what is older than that is put away.
const NIGHT: Duration = Duration::from_secs(12 * 60 * 60);

/// How many refunds fit on a page of a list.
pub(super) const PAGE: usize = 10;

const HOUR: i64 = 3_600_000_000;

/// A time whose text is taken for one of Central Europe, in microseconds after 1970. Times in the hour that summer time skips
/// are taken for the hour after it.
pub(super) fn as_local(time: &EventTime) -> i64 {
    // From 2022-03-27T03:00 until 2022-10-30T03:00 by the clock on the wall.
    let is_summer = (1_648_350_000..1_667_098_800).contains(&time.micros().div_euclid(1_000_000));
    time.micros() - if is_summer { 2 * HOUR } else { HOUR }
}

/// What the clock on the wall says at a time in Central Europe, as if it were microseconds after 1970.
pub(super) fn in_local_time(time: &EventTime) -> i64 {
    let is_summer = (1_648_342_800..1_667_091_600).contains(&time.micros().div_euclid(1_000_000));
    time.micros() + if is_summer { 2 * HOUR } else { HOUR }
}

impl Ledger {
    /// What does not fit a faulty shop's idea of what may come next.
    pub(super) fn check_conflicts(&self, event: &Event<'_>) -> Result<(), Refusal> {
        if !self.faults.any() {
            return Ok(());
        }
        if event.kind == "refund.updated" && self.faults.has(Fault::MetadataUpdateFails) {
            return Err(Refusal::failed("nobody handles refund.updated"));
        }
        let Told::Refund(told) = &event.told else { return Ok(()) };
        let is_new = self.refunds.iter().all(|refund| refund.id != told.id);
        if is_new && !self.paid().is_zero() && self.faults.has(Fault::SecondRefundRefused) {
            return Err(Refusal::conflict("the order is refunded already"));
        }
        if self.state("").status == Status::ChargedBack && self.faults.has(Fault::RefundAfterChargebackRefused) {
            return Err(Refusal::conflict("the order is charged back"));
        }
        Ok(())
    }

    /// Takes in a refund event as a faulty shop does.
    pub(super) fn learn_refund_with_slips(&mut self, kind: &str, time: Option<EventTime>, told: &RefundTold<'_>) {
        let faults = self.faults;
        self.slips.replaced = None;
        let known = self.refunds.iter().find(|refund| refund.id == told.id);
        let (is_known, was_paid) = (known.is_some(), known.is_some_and(|known| known.state == RefundState::Succeeded));
        let is_own = self.slips.own.contains(&*told.id);
        let is_ignored = faults.has(Fault::IgnoresRefundEvents)
            || faults.has(Fault::WaitsForSucceededEvent) && kind == "refund.complete"
            || faults.has(Fault::OutsideRefundIgnored) && !is_own
            || faults.has(Fault::OwnRefundEventsIgnored) && is_own
            || faults.has(Fault::NeedsCreatedFirst) && !is_known && kind != "refund.created"
            || faults.has(Fault::NeedsPendingFirst) && !is_known && told.state.is_final()
            || faults.has(Fault::DedupesByType) && kind == self.dialect.completion && self.slips.had_completion
            || faults.has(Fault::OnlyTenRefunds) && !is_known && self.refunds.len() >= PAGE
            || faults.has(Fault::SameAmountIsKnown) && !is_known && self.is_like_another(told)
            || faults.has(Fault::OnlyFullRefunds) && self.dialect.form == Form::Snapshot && told.amount < self.captured;
        if is_ignored {
            return;
        }
        let mut told = told.clone();
        if told.is_of_items && faults.has(Fault::ItemRefundZero) {
            (told.amount, told.paid) = (Amount::ZERO, Amount::ZERO);
        }
        if told.is_of_items && faults.has(Fault::AbsentAmountIsEverything) {
            (told.amount, told.paid) = (self.captured, self.captured);
        }
        if faults.has(Fault::RequestedInsteadOfPaid) {
            told.paid = told.amount;
        }
        if let Some(before) = self.slips.before.filter(|_| faults.has(Fault::PreviousTakenForState)) {
            told.state = before;
            told.paid = told.amount;
        }
        if kind == "refund.created" && faults.has(Fault::CreatedMeansRequested) && told.state == RefundState::Succeeded {
            (told.state, told.paid) = (RefundState::Pending, Amount::ZERO);
        }
        if kind == "refund.updated" && faults.has(Fault::MetadataUpdateResetsState) {
            told.state = RefundState::Pending;
        }
        if faults.has(Fault::EachSuccessAdds) {
            match told.state {
                RefundState::Succeeded => self.slips.rows.push((told.id.to_string(), told.paid)),
                RefundState::Failed | RefundState::Cancelled => self.slips.rows.retain(|(id, _)| *id != told.id),
                _ => {}
            }
        }
        let is_paid_now = told.state == RefundState::Succeeded && !was_paid;
        if is_paid_now {
            self.slips.last_paid = told.paid;
            self.slips.had_completion |= kind == self.dialect.completion;
        }
        if told.state.is_open() && faults.has(Fault::FamilyAddsUp) {
            self.slips.extra += told.amount;
        }
        if is_paid_now && is_own && faults.has(Fault::OwnRefundTwice) {
            self.slips.extra += told.paid;
        }
        if is_paid_now && faults.has(Fault::RefundPerCharge) {
            for _ in 1..told.charges {
                self.slips.extra += told.paid;
            }
        }
        let is_booked_again = was_paid
            && (kind == "refund.succeeded" && kind != self.dialect.completion && faults.has(Fault::SucceededCountsAgain)
                || kind == "refund.updated" && faults.has(Fault::MetadataUpdateCounts)
                || kind == "refund.created" && faults.has(Fault::TwinBooks)
                || self.slips.before.is_some_and(RefundState::is_open) && faults.has(Fault::SuccessByTransition));
        if is_booked_again {
            self.slips.extra += told.paid;
        }
        let anyway = kind == "refund.updated" && faults.has(Fault::MetadataUpdateResetsState)
            || kind == "refund.pending" && faults.has(Fault::LatePendingReopens);
        self.book(time, &told, anyway);
    }

    /// Whether a refund is as the event says that came last, however old that is.
    pub(super) fn latest_wins(&self) -> bool {
        self.faults.has(Fault::LatestEventWins) || self.faults.has(Fault::LatestDeliveryWins)
    }

    /// Whether an event has shown this object before, or one of this type has where that counts; from now on one has.
    pub(super) fn has_met(&mut self, kind: &str, told: &Told<'_>) -> bool {
        if !self.faults.has(Fault::DedupesByObject) && !self.faults.has(Fault::FirstTotalOnly) {
            return false;
        }
        let id = match told {
            Told::Refund(told) => &*told.id,
            Told::Charge(told) => &*told.id,
            Told::Dispute(told) => &*told.id,
            Told::Chargeback(_) => "order",
            Told::Total(_) => "charge",
            Told::Nothing => return false,
        };
        let met = if self.faults.has(Fault::DedupesByObject) { id.to_owned() } else { format!("{id} {kind}") };
        !self.slips.objects.insert(met)
    }

    /// Whether a refund in this state is shown no more.
    pub(super) fn is_deleted(&self, state: RefundState) -> bool {
        matches!(state, RefundState::Failed | RefundState::Cancelled) && self.faults.has(Fault::FailedDeleted)
    }

    /// Whether another refund is of the same amount.
    fn is_like_another(&self, told: &RefundTold<'_>) -> bool {
        self.refunds.iter().any(|refund| refund.amount == told.amount)
    }

    /// Whether a faulty shop has forgotten that it knows this event.
    pub(super) fn has_forgotten(&self, event_id: &str) -> bool {
        let recent = &self.slips.recent;
        self.faults.has(Fault::BooksRedeliveries)
            || self.faults.has(Fault::RemembersOnlyLastEvent) && recent.last().is_none_or(|last| last != event_id)
            || self.faults.has(Fault::ForgetsOldEvents) && !recent.iter().rev().take(2).any(|recent| recent == event_id)
            || self.slips.forgotten.contains(event_id)
    }

    /// Whether this is the copy for another address: the first one after the event itself.
    pub(super) fn is_for_second_address(&mut self, event_id: &str) -> bool {
        self.faults.has(Fault::SecondAddressBooks) && self.slips.met_again.insert(event_id.to_owned())
    }

    /// From now on the known events are not known any more.
    pub(super) fn forget_event_ids(&mut self) {
        self.slips.forgotten = self.seen.clone();
    }

    /// Books once more what was booked before.
    pub(super) fn book_again(&mut self, event: &Event<'_>) {
        let is_paid = |entry: &&Entry| entry.state == RefundState::Succeeded;
        match &event.told {
            Told::Refund(told) if told.state == RefundState::Succeeded => self.slips.extra += told.paid,
            Told::Charge(told) => self.slips.extra += told.entries.iter().filter(is_paid).map(|entry| entry.amount).sum(),
            _ => {}
        }
    }

    /// Stores a refund of which nothing is checked yet.
    pub(super) fn store_unchecked(&mut self, id: &str, state: RefundState) {
        let amount = Amount::ZERO;
        // Where later events may change a refund for ever, what was stored first stays by being the newest.
        let time = (self.dialect.form == Form::Snapshot).then(|| EventTime::from_micros(LAST_OF_ALL));
        self.book(time, &RefundTold { id: id.into(), state, amount, paid: amount, is_of_items: false, charges: 0, created: None }, false);
    }

    /// Time passes, and jobs run.
    pub(super) fn grow_older(&mut self, time: Duration) {
        self.slips.since_jobs += time;
        if self.slips.since_jobs < NIGHT {
            return;
        }
        self.slips.since_jobs = Duration::ZERO;
        if self.faults.has(Fault::PrunesEventIds) {
            self.forget_event_ids();
        }
        if self.faults.has(Fault::ClosesOpenRefunds) {
            self.refunds.iter_mut().filter(|refund| refund.state.is_open()).for_each(|refund| refund.state = RefundState::Failed);
        }
    }

    /// What is lost in a restart.
    pub(super) fn restart(&mut self) {
        if self.faults.has(Fault::ForgetsOrdersOnRestart) {
            self.forget_everything();
        }
        if self.faults.has(Fault::ForgetsEventIdsOnRestart) {
            self.forget_event_ids();
        }
        if self.faults.has(Fault::OpenRefundsInMemory) {
            self.refunds.retain(|refund| !refund.state.is_open());
        }
        if self.faults.has(Fault::ChargebacksInMemory) {
            self.lift_chargeback();
            self.disputes.clear();
        }
    }
}
