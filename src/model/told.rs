//! What the delivered events tell, gathered so that order and repetition do not matter.

use std::collections::{BTreeMap, HashSet};

use super::{
    expect::{AmountRange, Expectation},
    facts::{Covered, EventFacts, Moment, Object, PictureIn, Tell},
    pictures::{Dispute, OrderPicture, Pictures, Refund, Sum, choices, complete},
};
use crate::domain::{Amount, RefundState, RefundView, Status};

/// Everything that was told of one order so far.
#[derive(Clone, Debug)]
pub struct Knowledge {
    order_id: String,
    currency: String,
    captured: Amount,
    seen: HashSet<String>,
    pub(super) refunds: BTreeMap<String, Refund>,
    /// What was said of refunds in passing.
    passing: BTreeMap<String, Refund>,
    /// Refunds told of by state, so that an expectation does not walk through all of them.
    states: BTreeMap<RefundState, usize>,
    paid: Amount,
    requested_open: Amount,
    completions: Pictures,
    strict: Pictures,
    lenient: Pictures,
    latest_order: Option<OrderPicture>,
    latest_chargeback: Option<OrderPicture>,
    chargeback_implied: bool,
    totals: BTreeMap<String, Sum>,
    /// The first sum that counts each refund, by its place, and what it counts.
    pub(super) first_counted: BTreeMap<String, (u32, Covered)>,
    /// Those that were said in passing.
    passing_totals: BTreeMap<String, Sum>,
    pub(super) disputes: BTreeMap<String, Dispute>,
}

/// What an event takes back of what was told before.
#[derive(Clone, Debug)]
pub struct TakenBack {
    of: Object,
    /// When the event was created.
    at: Moment,
    /// How much less it says.
    amount: Amount,
}

impl TakenBack {
    /// Whether an event has a later word on the same.
    pub fn is_outdated_by(&self, event: &EventFacts) -> bool {
        event.moment() > self.at && event.objects().any(|object| object == self.of)
    }

    /// How much less a consumer shows that believes all of these: by refunds, or by charges.
    pub fn most(all: &[TakenBack]) -> Amount {
        let mut of_each: BTreeMap<&Object, Amount> = BTreeMap::new();
        for taken_back in all {
            let most = of_each.entry(&taken_back.of).or_default();
            *most = taken_back.amount.max(*most);
        }
        let is_refund = |object: &Object| matches!(object, Object::Refund(_));
        let (refunds, charges): (Vec<_>, Vec<_>) = of_each.into_iter().partition(|(of, _)| is_refund(of));
        let sum = |amounts: Vec<(&Object, Amount)>| amounts.into_iter().map(|(_, amount)| amount).sum::<Amount>();
        sum(refunds).max(sum(charges))
    }
}

impl Knowledge {
    /// Nothing is known but that the order exists and what was captured.
    pub fn new(order_id: &str, currency: &str, captured: Amount) -> Knowledge {
        Knowledge {
            order_id: order_id.to_owned(),
            currency: currency.to_owned(),
            captured,
            seen: HashSet::new(),
            refunds: BTreeMap::new(),
            passing: BTreeMap::new(),
            states: BTreeMap::new(),
            paid: Amount::ZERO,
            requested_open: Amount::ZERO,
            completions: Pictures::default(),
            strict: Pictures::default(),
            lenient: Pictures::default(),
            latest_order: None,
            latest_chargeback: None,
            chargeback_implied: false,
            totals: BTreeMap::new(),
            first_counted: BTreeMap::new(),
            passing_totals: BTreeMap::new(),
            disputes: BTreeMap::new(),
        }
    }

    /// Takes in a valid event that was delivered and acknowledged. An event id counts once.
    pub fn learn(&mut self, event: &EventFacts) {
        if !self.seen.insert(event.id.clone()) {
            return;
        }
        let at = &event.moment();
        for tell in &event.tells {
            match tell {
                Tell::Refund { id, state, amount, refunded_amount, in_passing: false } => {
                    self.learn_refund(id, Some(at.clone()), *state, *amount, *refunded_amount);
                }
                Tell::Refund { id, state, amount, refunded_amount, in_passing: true } => {
                    self.learn_in_passing(id, Refund::told(Some(at.clone()), *state, *amount, *refunded_amount));
                }
                Tell::Charge { id, within, refunds } => {
                    self.lenient.learn(id, at, refunds);
                    if *within != PictureIn::Elsewhere {
                        self.strict.learn(id, at, refunds);
                    }
                    if *within == PictureIn::Completion {
                        self.completions.learn(id, at, refunds);
                    }
                }
                Tell::Order { refunded_amount, available_to_refund_amount, charged_back_amount } => {
                    self.learn_order(at, *refunded_amount, *available_to_refund_amount, *charged_back_amount, &event.tells);
                }
                Tell::Total { id, refunded_amount, covers, in_passing } => {
                    if !in_passing {
                        self.count_first(at.sequence, covers);
                    }
                    let totals = if *in_passing { &mut self.passing_totals } else { &mut self.totals };
                    if totals.get(id).is_none_or(|known| known.at < *at) {
                        totals.insert(id.clone(), Sum { at: at.clone(), refunded: *refunded_amount, covers: covers.clone() });
                    }
                }
                Tell::Dispute { id, taken_amount, by, still } => {
                    self.disputes.entry(id.clone()).or_default().learn(at, *taken_amount, *still, *by);
                }
                Tell::Chargeback => {}
            }
        }
    }

    /// Whether the event with this id was taken in.
    pub fn knows(&self, event_id: &str) -> bool {
        self.seen.contains(event_id)
    }

    /// Takes in that the shop made a refund itself, which tells of a pending refund.
    pub fn learn_own(&mut self, refund_id: &str, amount: Amount) {
        self.learn_refund(refund_id, None, RefundState::Pending, amount, Amount::ZERO);
    }

    fn count_first(&mut self, place: u32, covers: &[Covered]) {
        for covered in covers {
            let first = self.first_counted.entry(covered.id.clone()).or_insert_with(|| (place, covered.clone()));
            if place < first.0 {
                *first = (place, covered.clone());
            }
        }
    }

    fn learn_refund(&mut self, id: &str, at: Option<Moment>, state: RefundState, amount: Amount, paid: Amount) {
        let new = Refund::told(at, state, amount, paid);
        if let Some(known) = self.refunds.get(id) {
            if !new.is_newer_than(known) {
                return;
            }
            let known = known.clone();
            self.count(&known, false);
        }
        self.count(&new, true);
        self.refunds.insert(id.to_owned(), new);
    }

    fn learn_in_passing(&mut self, id: &str, new: Refund) {
        if self.passing.get(id).is_none_or(|known| new.is_newer_than(known)) {
            self.passing.insert(id.to_owned(), new);
        }
    }

    /// What was said in passing and by no event that is about it: the refund as it is known otherwise, if it is, and as it
    /// may be shown too.
    fn only_in_passing(&self) -> impl Iterator<Item = (Option<&Refund>, &Refund)> {
        let with_known = self.passing.iter().map(|(id, passing)| (self.refunds.get(id), passing));
        with_known.filter(|(known, passing)| known.is_none_or(|known| known.state != passing.state && passing.is_newer_than(known)))
    }

    fn count(&mut self, refund: &Refund, add: bool) {
        let open = if refund.state.is_open() { refund.amount } else { Amount::ZERO };
        let number = self.states.entry(refund.state).or_default();
        if add {
            *number += 1;
            self.paid += refund.paid;
            self.requested_open += open;
        } else {
            *number -= 1;
            self.paid -= refund.paid;
            self.requested_open -= open;
        }
    }

    fn learn_order(&mut self, at: &Moment, refunded: Amount, available: Amount, charged_back: Amount, tells: &[Tell]) {
        let picture = OrderPicture { at: at.clone(), refunded, available, charged_back };
        let newer = |known: &Option<OrderPicture>| known.as_ref().is_none_or(|known| known.at < *at);
        self.chargeback_implied |= !charged_back.is_zero();
        if tells.contains(&Tell::Chargeback) && newer(&self.latest_chargeback) {
            self.latest_chargeback = Some(picture.clone());
        }
        if newer(&self.latest_order) {
            self.latest_order = Some(picture);
        }
    }

    /// What the order may show now (`docs/expectations.md`, "What may be shown"), without the optional fields.
    pub fn expectation(&self) -> Expectation {
        let refunded_amount = self.paid_range();
        Expectation {
            order_id: self.order_id.clone(),
            status: self.statuses(&refunded_amount, true),
            refunded_amount,
            currency: None,
            available_to_refund_amount: None,
            charged_back_amount: None,
            refunds: None,
            in_doubt: None,
        }
    }

    /// What the order may show when everything has been delivered. The two amounts beside the refunded one
    /// are judged only if nothing of the order's history was held back (`complete`).
    pub fn final_expectation(&self, complete: bool) -> Expectation {
        let mut expectation = self.expectation();
        expectation.currency = Some(self.currency.clone());
        let is_known = self.only_in_passing().next().is_none();
        expectation.refunds = is_known.then(|| self.refund_views());
        if complete && is_known {
            expectation.status = self.statuses(&expectation.refunded_amount, false);
            let charged_back = self.charged_back_choices();
            expectation.available_to_refund_amount = Some(self.available_choices(&expectation.refunded_amount, &charged_back));
            expectation.charged_back_amount = Some(charged_back);
        }
        expectation
    }

    fn paid_range(&self) -> AmountRange {
        let told_by_order = self.latest_order.as_ref().map_or(Amount::ZERO, |order| order.refunded);
        let in_passing: Amount = self.only_in_passing().map(|(_, passing)| passing.paid).sum();
        // What was paid back and is said in passing to be no longer so may be shown either way.
        let taken_back: Amount = self.only_in_passing().filter_map(|(known, _)| known).map(|known| known.paid).sum();
        let (told_by_sums, maybe) = self.only_in_sums();
        // More than was captured is paid back only while it is not told yet that an earlier refund failed.
        let completed = self.completions.complete();
        let least = (self.paid - taken_back + told_by_sums).max(completed).min(self.captured.max(completed));
        let most = self.paid + maybe + in_passing;
        AmountRange { least, most: least.max(most).max(self.lenient.complete()).max(told_by_order) }
    }

    /// What only a charge's sum tells to be paid back, at least and at most. It counts pending refunds too and says of none
    /// which it counts: so it binds while no refund is known by an event of its own, for what was paid back of it. What an
    /// older word on a refund leaves open it may have settled.
    fn only_in_sums(&self) -> (Amount, Amount) {
        let (mut paid, mut maybe) = (Amount::ZERO, Amount::ZERO);
        let mut done = HashSet::new();
        let strict = self.totals.values().map(|sum| (sum, true));
        for (sum, is_strict) in strict.chain(self.passing_totals.values().map(|sum| (sum, false))) {
            for covered in sum.covers.iter().filter(|covered| done.insert(covered.id.as_str())) {
                let counts = match self.refunds.get(&covered.id) {
                    None => true,
                    Some(known) => known.state.is_open() && (covered.state.is_open() || known.at.as_ref() < Some(&sum.at)),
                };
                if counts {
                    maybe += covered.amount;
                }
                if is_strict && !covered.state.is_open() {
                    paid += covered.amount;
                }
            }
        }
        let binds = self.refunds.is_empty() && self.passing.is_empty();
        (if binds { paid } else { Amount::ZERO }, maybe)
    }

    /// The most that a consumer shows that keeps the largest amount that was ever told of each refund and of each charge,
    /// be it by an event that it might have doubted.
    pub fn most_told<'e>(&self, doubtful: impl IntoIterator<Item = &'e EventFacts>) -> Amount {
        let mut refunds: BTreeMap<&str, Amount> = self.refunds.iter().map(|(id, refund)| (id.as_str(), refund.paid)).collect();
        let mut charges: BTreeMap<&str, Amount> =
            self.lenient.latest.iter().map(|(id, (_, entries))| (id.as_str(), complete(entries))).collect();
        charges.extend(self.totals.iter().map(|(id, sum)| (id.as_str(), sum.refunded)));
        for tell in doubtful.into_iter().flat_map(|event| &event.tells) {
            let (most, told) = match tell {
                Tell::Refund { id, state: RefundState::Succeeded, refunded_amount, .. } => {
                    (refunds.entry(id).or_default(), *refunded_amount)
                }
                Tell::Charge { id, refunds, .. } => (charges.entry(id).or_default(), complete(refunds)),
                Tell::Total { id, refunded_amount, .. } => (charges.entry(id).or_default(), *refunded_amount),
                Tell::Refund { .. } | Tell::Order { .. } | Tell::Chargeback | Tell::Dispute { .. } => continue,
            };
            *most = told.max(*most);
        }
        let sum = |amounts: BTreeMap<&str, Amount>| amounts.into_values().sum::<Amount>();
        sum(refunds).max(sum(charges))
    }

    /// What a consumer takes back that believes the last word on each refund or on each charge, if the event is that word.
    pub fn taken_back(&self, event: &EventFacts) -> Vec<TakenBack> {
        let taken_back = |tell: &Tell| {
            let (before, told) = match tell {
                Tell::Refund { id, state, refunded_amount, .. } => {
                    let paid = if *state == RefundState::Succeeded { *refunded_amount } else { Amount::ZERO };
                    (self.refunds.get(id.as_str()).map_or(Amount::ZERO, |refund| refund.paid), paid)
                }
                Tell::Charge { id, refunds, .. } => {
                    (self.lenient.latest.get(id.as_str()).map_or(Amount::ZERO, |(_, entries)| complete(entries)), complete(refunds))
                }
                Tell::Total { id, refunded_amount, .. } => (self.totals.get(id).map_or(Amount::ZERO, |sum| sum.refunded), *refunded_amount),
                Tell::Order { .. } | Tell::Chargeback | Tell::Dispute { .. } => return None,
            };
            let of = Object::of(tell)?;
            (told < before).then(|| TakenBack { of, at: event.moment(), amount: before - told })
        };
        event.tells.iter().filter_map(taken_back).collect()
    }

    fn statuses(&self, paid: &AmountRange, under_way: bool) -> Vec<Status> {
        self.statuses_beside(paid, under_way, &self.disputed(under_way))
    }

    /// The statuses where disputes may be shown to take these amounts.
    pub(super) fn statuses_beside(&self, paid: &AmountRange, under_way: bool, disputed: &[Amount]) -> Vec<Status> {
        if self.latest_chargeback.is_some() || disputed.iter().all(|taken| !taken.is_zero()) {
            return vec![Status::ChargedBack];
        }
        let mut statuses = Vec::new();
        if disputed.iter().any(|taken| !taken.is_zero()) {
            statuses.push(Status::ChargedBack);
        }
        if paid.least.is_zero() {
            statuses.extend(self.unpaid_statuses(under_way));
        }
        if !paid.most.is_zero() && paid.least < self.captured {
            statuses.push(Status::PartiallyRefunded);
        }
        if !paid.most.is_zero() && paid.most >= self.captured {
            statuses.push(Status::Refunded);
        }
        if self.chargeback_implied {
            statuses.push(Status::ChargedBack);
        }
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    /// What may be shown while nothing is paid back: the states that refund events told, together with
    /// any of those that only charges and orders told. While events are still on their way an older picture of
    /// a charge may stand beside a newer one in an order; in the end only the newest counts.
    fn unpaid_statuses(&self, under_way: bool) -> Vec<Status> {
        let strong = unpaid_status(&self.states);
        let mut statuses = vec![strong];
        if strong == Status::NotRefunded && self.states.get(&RefundState::Cancelled).is_some_and(|&number| number > 0) {
            // No source says what an order with nothing but a withdrawn refund is called.
            statuses.push(Status::Failed);
        }
        let mut states = None;
        for (known, passing) in self.only_in_passing() {
            let states = states.get_or_insert_with(|| self.states.clone());
            *states.entry(passing.state).or_default() += 1;
            if let Some(number) = known.and_then(|known| states.get_mut(&known.state)) {
                *number -= 1;
            }
        }
        if let Some(states) = states {
            statuses.push(unpaid_status(&states));
            if states.get(&RefundState::Cancelled).is_some_and(|&number| number > 0) {
                statuses.push(Status::Failed);
            }
        }
        // A sum may count what is only under way; what is known to have ended since is not.
        let may_be_open =
            |covered: &Covered| covered.state.is_open() && self.refunds.get(&covered.id).is_none_or(|known| known.state.is_open());
        let in_sums = self.totals.values().flat_map(|sum| &sum.covers).any(may_be_open);
        if in_sums && precedence(Status::Pending) > precedence(strong) {
            statuses.push(Status::Pending);
        }
        let older = under_way.then(|| self.strict.entries()).into_iter().flatten();
        for entry in self.lenient.entries().chain(older) {
            let weak = match entry.state {
                RefundState::PendingInformation => Status::PendingInformation,
                RefundState::Pending | RefundState::Requested => Status::Pending,
                RefundState::Failed => Status::Failed,
                RefundState::Succeeded | RefundState::Cancelled => continue,
            };
            if precedence(weak) > precedence(strong) {
                statuses.push(weak);
            }
        }
        statuses
    }

    fn refund_views(&self) -> Vec<RefundView> {
        let view = |(id, refund): (&String, &Refund)| RefundView {
            id: id.clone(),
            state: refund.state,
            amount: Some(refund.amount),
            refunded_amount: refund.paid,
        };
        self.refunds.iter().map(view).collect()
    }

    fn charged_back_choices(&self) -> Vec<Amount> {
        let told = |order: &Option<OrderPicture>| order.as_ref().map(|order| order.charged_back);
        let by_chargebacks = told(&self.latest_chargeback).unwrap_or(Amount::ZERO);
        let by_orders = choices([by_chargebacks, told(&self.latest_order).unwrap_or(by_chargebacks)]);
        let disputed = self.disputed(false);
        choices(by_orders.iter().flat_map(|by_orders| disputed.iter().map(|taken| *by_orders + *taken)))
    }

    /// What all disputes together may be shown to take.
    fn disputed(&self, under_way: bool) -> Vec<Amount> {
        self.disputes.values().fold(vec![Amount::ZERO], |sums, dispute| {
            let of_this = dispute.choices(under_way);
            choices(sums.iter().flat_map(|sum| of_this.iter().map(|taken| *sum + *taken)))
        })
    }

    fn available_choices(&self, paid: &AmountRange, charged_back: &[Amount]) -> Vec<Amount> {
        // Charges of which nothing was told do not say that nothing is open.
        let on_charges = [&self.strict, &self.lenient].into_iter().filter(|pictures| !pictures.latest.is_empty()).map(Pictures::open);
        let open = choices(on_charges.chain([self.requested_open]));
        let mut amounts = Vec::new();
        for paid in [paid.least, paid.most] {
            for open in &open {
                for charged_back in charged_back {
                    amounts.push(self.captured - paid - *open - *charged_back);
                }
            }
        }
        amounts.extend(self.latest_order.as_ref().map(|order| order.available));
        // While a dispute holds money nothing can be refunded, and it may hold more than was left.
        let is_blocked = self.disputed(false).iter().any(|taken| !taken.is_zero());
        if is_blocked || amounts.iter().any(|amount| amount.is_negative()) {
            // More is asked for than there is: a withdrawn refund is still taken for open, or one that a sum counts already.
            amounts.push(Amount::ZERO);
        }
        choices(amounts)
    }
}

/// What an order is called of which nothing is paid back, by the states of its refunds.
pub(super) fn unpaid_status(states: &BTreeMap<RefundState, usize>) -> Status {
    let told = |state: RefundState| states.get(&state).is_some_and(|&number| number > 0);
    if told(RefundState::PendingInformation) {
        Status::PendingInformation
    } else if told(RefundState::Pending) || told(RefundState::Requested) {
        Status::Pending
    } else if told(RefundState::Failed) {
        Status::Failed
    } else {
        Status::NotRefunded
    }
}

fn precedence(status: Status) -> u8 {
    match status {
        Status::NotRefunded => 0,
        Status::Failed => 1,
        Status::Pending => 2,
        Status::PendingInformation => 3,
        Status::PartiallyRefunded => 4,
        Status::Refunded => 5,
        Status::ChargedBack => 6,
    }
}

#[cfg(test)]
pub(super) mod tests;
