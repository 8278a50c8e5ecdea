//! What the shop remembers of one order. The order refund state that follows from it is made in `shown`.
//!
//! Three things are kept: how each refund stands, the latest list of refunds that each charge told, and whether
//! there is a chargeback. Each is replaced only by what is newer, so neither the order nor the number of
//! deliveries matters.
//!
//! The mistakes in booking that need more than a condition are in `slips.rs`.

mod shown;

use std::collections::HashSet;

use super::{
    bank::Fault,
    dialect::{Dialect, Form},
    fault::Faults,
    money::kept,
    objects::{Dispute, Total},
    parse::{ChargeTold, ChargebackTold, Entry, Event, RefundTold, Told},
    refusal::Refusal,
    slips::{self, Slips},
};
use crate::{
    case::{OrderSetup, OwnRefund},
    domain::{Amount, Currency, EventTime, RefundState, Status},
};

/// What the shop remembers of one order.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    currency: String,
    digits: u32,
    pub(super) captured: Amount,
    charges: Vec<(String, Amount)>,
    /// What its items cost together; only read for a fault.
    of_items: Option<Amount>,
    pub(super) seen: HashSet<String>,
    pub(super) refunds: Vec<Refund>,
    pictures: Vec<Picture>,
    chargeback: Option<Chargeback>,
    pub(super) total: Option<Total>,
    pub(super) disputes: Vec<Dispute>,
    pub(super) dialect: &'static Dialect,
    pub(super) faults: Faults,
    pub(super) slips: Slips,
}

/// How a refund stands.
#[derive(Clone, Debug)]
pub(super) struct Refund {
    pub(super) id: String,
    /// When the event was created that told it; what the shop itself did comes before all events.
    pub(super) time: Option<EventTime>,
    /// When it was made, where that is told.
    pub(super) created: Option<EventTime>,
    /// The first time at which it is known to have ended without success.
    pub(super) ended: Option<EventTime>,
    pub(super) state: RefundState,
    pub(super) amount: Amount,
    /// Zero unless it succeeded.
    pub(super) paid: Amount,
}

/// All refunds of a charge, as one event told them.
#[derive(Clone, Debug)]
struct Picture {
    charge: String,
    time: EventTime,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Chargeback {
    time: Option<EventTime>,
    amount: Amount,
}

impl Ledger {
    /// An order that is paid and of which nothing was refunded.
    pub(super) fn new(setup: &OrderSetup, currency: Currency, dialect: &'static Dialect, faults: Faults) -> Ledger {
        let charges: Vec<(String, Amount)> = setup.charges.iter().map(|charge| (charge.id.clone(), charge.captured_amount)).collect();
        let first = charges.first().map(|(_, captured)| *captured).filter(|_| faults.has(Fault::CapturedOfFirstCharge));
        Ledger {
            currency: currency.code().to_owned(),
            digits: currency.digits(),
            captured: first.unwrap_or(setup.captured_amount),
            charges,
            of_items: (!setup.items.is_empty()).then(|| setup.items.iter().map(|item| item.amount).sum()),
            seen: HashSet::new(),
            refunds: Vec::new(),
            pictures: Vec::new(),
            chargeback: None,
            total: None,
            disputes: Vec::new(),
            dialect,
            faults,
            slips: Slips::default(),
        }
    }

    // ---- what is taken in

    /// Whether the event can be true of this order, which was made in the provider's live mode or in its test mode. Nothing is changed.
    pub(super) fn check(&self, event: &Event<'_>, live_mode: bool) -> Result<(), Refusal> {
        self.check_conflicts(event)?;
        if !event.is_of(live_mode) {
            return Err(Refusal::doubtful("the event is of another environment"));
        }
        if event.currency.as_ref().is_some_and(|currency| *currency != self.currency) {
            return Err(Refusal::doubtful("the event has another currency than the order"));
        }
        if event.digits > self.digits as usize {
            return Err(Refusal::doubtful("an amount is more precise than the currency"));
        }
        let most = match &event.told {
            // What was paid back before may have failed since, and the news of it be under way.
            Told::Refund(told) if self.dialect.form == Form::Snapshot => told.amount,
            Told::Refund(told) => told.amount.max(self.refunds_paid_with(told)),
            Told::Charge(told) => self.charges_paid_with(told),
            Told::Chargeback(told) => told.refunded.max(told.available),
            Told::Total(told) => told.refunded,
            Told::Dispute(told) if self.faults.has(Fault::LargeDisputeRefused) && told.amount + self.paid() > self.captured => {
                return Err(Refusal::doubtful("more is disputed than is left"));
            }
            // The bank may take more than was captured.
            Told::Dispute(_) | Told::Nothing => Amount::ZERO,
        };
        if most > self.captured && !self.faults.has(Fault::OverRefundApplied) {
            return Err(Refusal::doubtful("more would be paid back than was captured"));
        }
        Ok(())
    }

    /// Notes that the event is known. `false` where it was already.
    pub(super) fn remember(&mut self, event_id: &str) -> bool {
        let is_new = !self.seen.contains(event_id) && self.seen.insert(event_id.to_owned());
        if is_new && self.faults.any() {
            self.slips.recent.push(event_id.to_owned());
        }
        is_new
    }

    /// Whether a refund is known.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.refunds.iter().any(|refund| refund.id == id)
    }

    /// Takes in an event that passed the check.
    pub(super) fn learn(&mut self, event: Event<'_>) {
        self.slips.before = event.before;
        if self.faults.any() && self.has_met(&event.kind, &event.told) {
            return;
        }
        match event.told {
            Told::Refund(told) => self.learn_refund(&event.kind, Some(event.time), &told),
            Told::Charge(told) => self.learn_charge(event.time, &told),
            Told::Chargeback(told) => self.learn_chargeback(event.time, told),
            Told::Total(told) => self.learn_total(event.time, &told),
            Told::Dispute(told) => self.learn_dispute(&event.kind, event.time, &told),
            Told::Nothing => {}
        }
    }

    /// Takes in that the shop itself asked for this refund.
    pub(super) fn learn_own(&mut self, own: &OwnRefund) {
        let mut id = own.refund.id.clone();
        self.slips.own.insert(id.clone());
        if self.faults.has(Fault::OwnRefundSecondRow) {
            id.insert_str(0, "shop-");
        }
        let amount = own.refund.amount;
        let final_at_once = self.faults.has(Fault::OwnRefundFinalAtOnce);
        let state = if final_at_once { RefundState::Succeeded } else { RefundState::Pending };
        let told = RefundTold { id: id.into(), state, amount, paid: amount, is_of_items: false, charges: 0, created: None };
        self.book(None, &told, self.faults.has(Fault::AnswerOverwrites));
    }

    fn learn_refund(&mut self, kind: &str, time: Option<EventTime>, told: &RefundTold<'_>) {
        if self.faults.any() {
            self.learn_refund_with_slips(kind, time, told);
        } else {
            self.book(time, told, false);
        }
    }

    /// Books how a refund stands, if that is news or `anyway`.
    pub(super) fn book(&mut self, time: Option<EventTime>, told: &RefundTold<'_>, anyway: bool) {
        let paid = if told.state == RefundState::Succeeded { told.paid } else { Amount::ZERO };
        let keep = |amount| kept(amount, self.digits, self.faults);
        let known = self.refunds.iter().find(|known| known.id == told.id);
        let has_ended = matches!(told.state, RefundState::Failed | RefundState::Cancelled);
        let ended = [time.clone().filter(|_| has_ended), known.and_then(|known| known.ended.clone())].into_iter().flatten().min();
        let created = told.created.clone().or_else(|| known.and_then(|known| known.created.clone()));
        let (amount, paid) = (keep(told.amount), keep(paid));
        let new = Refund { id: told.id.to_string(), time, created, ended, state: told.state, amount, paid };
        match self.refunds.iter().position(|known| known.id == new.id) {
            Some(known) if !anyway && !self.is_news(&self.refunds[known], &new) => self.refunds[known].ended = new.ended,
            Some(known) => self.refunds[known] = new,
            None => self.refunds.push(new),
        }
    }

    /// A final state stays; otherwise the event that was created last is right.
    fn is_news(&self, known: &Refund, new: &Refund) -> bool {
        if self.dialect.form == Form::Snapshot {
            return self.is_newer(known, new);
        }
        if self.latest_wins() {
            return true;
        }
        !known.state.is_final() && (new.state.is_final() || self.is_later(new.time.as_ref(), known.time.as_ref()))
    }

    fn is_later(&self, new: Option<&EventTime>, known: Option<&EventTime>) -> bool {
        if self.dialect.form == Form::Nested && self.faults.has(Fault::NaiveLocalTimes) {
            return new.map(slips::as_local) > known.map(slips::as_local);
        }
        if self.dialect.form == Form::Nested && self.faults.has(Fault::LocalTimesKept) {
            return new.map(slips::in_local_time) > known.map(slips::in_local_time);
        }
        if self.faults.has(Fault::TextTimeOrder) {
            return new.map(EventTime::as_str) > known.map(EventTime::as_str);
        }
        if self.faults.has(Fault::WholeMinuteTimes) {
            let minutes = |time: &EventTime| time.micros().div_euclid(60_000_000);
            return new.map(minutes) >= known.map(minutes);
        }
        new > known
    }

    fn learn_charge(&mut self, time: EventTime, told: &ChargeTold<'_>) {
        if self.faults.any() && !self.listens_to_charge(told) {
            return;
        }
        let mut entries = self.kept_entries(told);
        if self.faults.has(Fault::OnlyTenRefunds) {
            entries.truncate(slips::PAGE);
        }
        let is_all = self.faults.has(Fault::ChargedIsCaptured) || self.faults.has(Fault::FirstCaptureIsAll);
        if let Some((amount, _)) = told.own.as_ref().filter(|_| is_all) {
            self.slips.charged.insert(told.id.to_string(), *amount);
        }
        let known = self.pictures.iter().position(|picture| picture.charge == told.id);
        match known {
            Some(known) => {
                let newer = self.is_later(Some(&time), Some(&self.pictures[known].time));
                if self.faults.has(Fault::LatestPictureWins) {
                    let is_open = entries.last().is_some_and(|entry| entry.state.is_open());
                    self.slips.status = (is_open && !newer).then_some(Status::Pending);
                }
                let picture = &mut self.pictures[known];
                if self.faults.has(Fault::PictureAsDelta) {
                    picture.entries.extend(entries);
                } else if newer || self.faults.has(Fault::LatestPictureWins) {
                    *picture = Picture { charge: told.id.to_string(), time, entries };
                }
            }
            None => self.pictures.push(Picture { charge: told.id.to_string(), time, entries }),
        }
    }

    fn listens_to_charge(&self, told: &ChargeTold<'_>) -> bool {
        let is_first = self.charges.first().is_none_or(|(first, _)| *first == told.id);
        let is_complete = told.own.as_ref().is_none_or(|(_, state)| state == "complete");
        !(self.faults.has(Fault::IgnoresChargeEvents)
            || self.faults.has(Fault::ChargeMustBeComplete) && !is_complete
            || self.faults.has(Fault::NeedsKnownRefund) && self.refunds.is_empty()
            || self.faults.has(Fault::FirstChargeOnly) && !is_first)
    }

    fn kept_entries(&self, told: &ChargeTold<'_>) -> Vec<Entry> {
        let mut entries = told.entries.clone();
        if self.faults.any() {
            for entry in &mut entries {
                entry.amount = kept(entry.amount, self.digits, self.faults);
            }
        }
        let is_paid = |entry: &Entry| entry.state == RefundState::Succeeded;
        if let Some((amount, _)) = told.own.as_ref().filter(|_| self.faults.has(Fault::ChargeAmountTaken) && entries.iter().any(is_paid)) {
            entries = vec![Entry { state: RefundState::Succeeded, amount: *amount }];
        }
        entries
    }

    /// Once there is a chargeback there always is one; the latest order says how much in all.
    fn learn_chargeback(&mut self, time: EventTime, told: ChargebackTold) {
        if self.faults.has(Fault::ChargebackIgnored) {
            return;
        }
        let is_later = self.chargeback.as_ref().is_none_or(|known| self.is_later(Some(&time), known.time.as_ref()));
        if !is_later {
            return;
        }
        let mut amount = self.captured - told.available - told.open;
        if !self.faults.has(Fault::ChargebackIncludesRefunds) {
            amount -= told.refunded;
        }
        if self.faults.has(Fault::PartialChargebackIsFull) {
            amount = self.captured;
        }
        self.chargeback = Some(Chargeback { time: Some(time), amount: amount.max(Amount::ZERO) });
        if self.faults.has(Fault::ChargebackClearsRefunds) {
            self.forget_refunds();
        }
    }

    // ---- what only faulty shops do to it

    /// There is a chargeback, of which no event of the right type told.
    pub(super) fn charge_back(&mut self) {
        self.chargeback.get_or_insert(Chargeback { time: None, amount: Amount::ZERO });
    }

    pub(super) fn lift_chargeback(&mut self) {
        self.chargeback = None;
    }

    pub(super) fn forget_refunds(&mut self) {
        self.refunds.clear();
        self.total = None;
        self.pictures.clear();
    }

    pub(super) fn forget_everything(&mut self) {
        self.forget_refunds();
        self.lift_chargeback();
        self.disputes.clear();
        self.seen.clear();
    }
}
