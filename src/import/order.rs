//! The truth of one order, rebuilt from its events.
//!
//! The events are put in order: by the time at which they were created, and where that is the same, so that the states of
//! each refund follow each other as the provider's lifecycle has it. What several events must be looked at together for is
//! worked out here: what a charge's sum covers, what is charged back, whether one state may follow the other, and whether
//! more was paid back than captured. Where the events do not say enough, that is said.

use std::{collections::BTreeMap, sync::Arc};

use super::{scramble::hash, story::Story};
use crate::{
    case::{Act, Body, Case, ChargeSetup, Delivery, Effect, Entry, OrderSetup, SCHEMA},
    domain::{Amount, Currency, RefundState},
    model::{Covered, EventFacts, PictureIn, Tell},
    provider::{OrderSaid, Provider, Said, Unread},
};

/// An order with more events is none that a case can hold.
const MOST_EVENTS: usize = 500;

/// One event of the order.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) place: String,
    pub(super) said: Said,
    pub(super) content_type: Option<String>,
    pub(super) body: String,
}

/// What came of an order.
pub(super) struct Rebuilt {
    /// The case; none where nothing can be said of the order.
    pub(super) case: Option<Case>,
    /// The order, under its new id.
    pub(super) id: String,
    /// A number that orders of the same story share.
    pub(super) story: u64,
    /// What was assumed, or why there is no case.
    pub(super) notes: Vec<String>,
    /// Events that are not in the case, and why.
    pub(super) left_out: Vec<(String, Unread)>,
}

/// What is known of one refund while the events are walked through.
struct Known {
    state: RefundState,
    amount: Amount,
    kind: String,
}

/// Rebuilds an order.
pub(super) fn rebuild(provider: &dyn Provider, mut events: Vec<Event>) -> Rebuilt {
    events.sort_by_key(|event| place_in_time(&event.said));
    let said = about(&events);
    let id = said.reference.clone().or_else(|| said.payment.clone()).unwrap_or_else(|| said.key.clone());
    let mut rebuilt = Rebuilt { case: None, id: id.clone(), story: 0, notes: Vec::new(), left_out: Vec::new() };
    if events.len() > MOST_EVENTS {
        rebuilt.notes.push(format!("has {} events, and a case holds {MOST_EVENTS} at most; it is left out", events.len()));
        return rebuilt;
    }
    let Some(currency) = said.currency.as_deref().and_then(Currency::from_code) else {
        rebuilt.notes.push("no event says its currency in ISO 4217; it is left out".to_owned());
        return rebuilt;
    };
    let of_another = |event: &Event| match event.said.order.as_ref().and_then(|order| order.currency.as_deref()) {
        Some(other) if other != currency.code() => Some(other.to_owned()),
        _ => None,
    };
    let mut walk = Walk { provider, refunds: BTreeMap::new(), is_charged_back: false };
    let (mut kept, mut story) = (Vec::new(), Story::default());
    let first_told = first_told(&events);
    for mut event in events {
        let read = match of_another(&event) {
            Some(other) => Err(Unread::Against(format!("{} is in {other}, and its order in {}", event.said.kind, currency.code()))),
            None => walk.take(&mut event.said, said.captured, &first_told),
        };
        match read {
            Ok(()) => kept.push(event),
            Err(unread) => rebuilt.left_out.push((event.place, unread)),
        }
    }
    if kept.is_empty() {
        return rebuilt;
    }
    let Some(captured) = said.captured.or_else(|| at_least(&kept)) else {
        rebuilt.notes.push("no event says what was captured, and nothing was refunded of it; it is left out".to_owned());
        return rebuilt;
    };
    if said.captured.is_none() {
        rebuilt
            .notes
            .push(format!("no event says what was captured; {captured} are assumed, the most that was refunded or under way at a time"));
    }
    if let Some((place, too_much)) = too_much(&kept, captured) {
        rebuilt.left_out.push((place, Unread::Against(format!("refunds add up to {too_much}, and {captured} were captured"))));
        rebuilt.notes.push("more was paid back than captured, so what it must show is not said; it is left out".to_owned());
        return rebuilt;
    }
    kept.iter().for_each(|event| story.take(&event.said, captured));
    let is_complete = rebuilt.left_out.is_empty();
    let counts_places = provider.whole_seconds();
    let entries = (1..).zip(kept).map(|(place, event)| entry(event, &id, if counts_places { place } else { 0 })).collect();
    let mut case = Case {
        schema: SCHEMA.to_owned(),
        title: String::new(),
        provider: provider.name().to_owned(),
        requirement: None,
        orders: vec![setup(provider, &said, &id, currency, captured)],
        entries,
        api: Vec::new(),
        expect: Vec::new(),
        expect_if_applied: Vec::new(),
        plan: None,
    };
    case.expect_again(&[is_complete]);
    let ends: Vec<&str> = case.expect.iter().flat_map(|end| &end.status).map(|status| status.as_str()).collect();
    case.title = format!("from real traffic: {}; ends {}", story.told(), ends.join(" or "));
    if case.expect.iter().any(|end| !end.refunded_amount.is_exact()) {
        rebuilt.notes.push("its events do not say in the end how much was paid back; a range is allowed".to_owned());
    }
    rebuilt.story = hash(0, 3, format!("{}{}", case.title, story.shape()).as_bytes());
    rebuilt.case = Some(case);
    rebuilt
}

/// Where an event belongs among those of its order.
fn place_in_time(said: &Said) -> (i64, u8, u8) {
    let age = |tell: &Tell| match tell {
        Tell::Refund { state, .. } => match state {
            RefundState::Requested => 0,
            RefundState::Pending => 1,
            RefundState::PendingInformation => 2,
            RefundState::Succeeded => 3,
            RefundState::Failed | RefundState::Cancelled => 4,
        },
        _ => 0,
    };
    (said.created.micros(), said.rank, said.tells.iter().map(age).max().unwrap_or(0))
}

/// What all events together say of the order.
fn about(events: &[Event]) -> OrderSaid {
    let mut about = OrderSaid::default();
    for said in events.iter().filter_map(|event| event.said.order.as_ref()) {
        about.key.clone_from(&said.key);
        about.reference = about.reference.take().or_else(|| said.reference.clone());
        about.payment = about.payment.take().or_else(|| said.payment.clone());
        about.currency = about.currency.take().or_else(|| said.currency.clone());
        // What is captured may grow.
        about.captured = about.captured.max(said.captured);
        if !said.items.is_empty() {
            about.items.clone_from(&said.items);
        }
        for (id, amount) in &said.charges {
            match about.charges.iter_mut().find(|(known, _)| known == id) {
                Some((_, known)) => *known = (*known).max(*amount),
                None => about.charges.push((id.clone(), *amount)),
            }
        }
    }
    about
}

/// When each refund was told of first.
fn first_told(events: &[Event]) -> BTreeMap<String, i64> {
    let mut first = BTreeMap::new();
    for event in events {
        for tell in &event.said.tells {
            if let Tell::Refund { id, .. } = tell {
                first.entry(id.clone()).or_insert(event.said.created.micros());
            }
        }
    }
    first
}

/// A walk through the events of an order, from the first to the last.
struct Walk<'p> {
    provider: &'p dyn Provider,
    refunds: BTreeMap<String, Known>,
    is_charged_back: bool,
}

impl Walk<'_> {
    /// Takes in the next event, and completes what it tells by what is known.
    fn take(&mut self, said: &mut Said, captured: Option<Amount>, first_told: &BTreeMap<String, i64>) -> Result<(), Unread> {
        let is_chargeback = said.tells.contains(&Tell::Chargeback);
        let open: Amount = said.tells.iter().map(open_in_picture).sum();
        let created = said.created.micros();
        for tell in &mut said.tells {
            match tell {
                Tell::Refund { id, state, amount, in_passing: false, .. } => self.refund(&said.kind, id, *state, *amount)?,
                Tell::Order { refunded_amount, available_to_refund_amount, charged_back_amount } => {
                    self.is_charged_back |= is_chargeback;
                    // Whatever is neither paid back nor under way nor left was charged back.
                    if let (true, Some(captured)) = (self.is_charged_back, captured) {
                        let rest = captured - *refunded_amount - *available_to_refund_amount - open;
                        *charged_back_amount = rest.max(Amount::ZERO);
                    }
                }
                Tell::Total { id, refunded_amount, covers, .. } if covers.is_empty() => {
                    *covers = self.covered(id, *refunded_amount, created, first_told)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn refund(&mut self, kind: &str, id: &str, state: RefundState, amount: Amount) -> Result<(), Unread> {
        if let Some(known) = self.refunds.get(id) {
            if known.amount != amount {
                return Err(Unread::Against(format!(
                    "{kind} says that refund {id} is of {amount}, and {} said {}",
                    known.kind, known.amount
                )));
            }
            if known.state != state && !self.leads(known.state, state) {
                // What was true when it was sent shows what comes later only.
                if self.provider.reader().is_some_and(|reader| !reader.is_of_its_moment(&known.kind)) {
                    return Ok(());
                }
                return Err(Unread::Against(format!(
                    "{kind} says that refund {id} is {state}, and {} said {} before, after which that may not come",
                    known.kind, known.state
                )));
            }
        }
        self.refunds.insert(id.to_owned(), Known { state, amount, kind: kind.to_owned() });
        Ok(())
    }

    /// Whether a refund can come from one state into the other, by way of others that the log does not show.
    fn leads(&self, from: RefundState, to: RefundState) -> bool {
        use RefundState::{Cancelled, Failed, Pending, PendingInformation, Requested, Succeeded};
        let lifecycle = self.provider.lifecycle();
        let mut reached = vec![from];
        let mut next = 0;
        while let Some(&state) = reached.get(next) {
            next += 1;
            for other in [Requested, Pending, PendingInformation, Succeeded, Failed, Cancelled] {
                if lifecycle.allows(state, other) && !reached.contains(&other) {
                    reached.push(other);
                }
            }
        }
        // Where states are told by the event's name, what was only asked for is taken up.
        reached.contains(&to) || from == Requested && to == Pending
    }

    /// Which refunds a charge's sum covers: those that are under way or paid back. One that no event is about is covered
    /// under a name of its own.
    fn covered(&self, charge: &str, sum: Amount, created: i64, first_told: &BTreeMap<String, i64>) -> Result<Vec<Covered>, Unread> {
        let all: Vec<(&String, &Known)> = self.refunds.iter().filter(|(_, known)| known.state.has_money()).collect();
        // One that was made in the same second may be counted already or not yet.
        let earlier: Vec<(&String, &Known)> =
            all.iter().copied().filter(|(id, _)| first_told.get(*id).is_some_and(|first| *first < created)).collect();
        let total = |refunds: &[(&String, &Known)]| refunds.iter().map(|(_, known)| known.amount).sum::<Amount>();
        let chosen = if total(&all) <= sum { all } else { earlier };
        let rest = sum - total(&chosen);
        if rest.is_negative() {
            let known = total(&chosen);
            return Err(Unread::Against(format!("its charge says that {sum} were refunded, and the refunds before it add up to {known}")));
        }
        let of = |(id, known): (&String, &Known)| Covered { id: id.clone(), state: known.state, amount: known.amount };
        let mut covers: Vec<Covered> = chosen.into_iter().map(of).collect();
        if !rest.is_zero() {
            covers.push(Covered { id: format!("not told of, up to {sum} of {charge}"), state: RefundState::Succeeded, amount: rest });
        }
        Ok(covers)
    }
}

/// What is under way by a picture of a charge within an order.
fn open_in_picture(tell: &Tell) -> Amount {
    match tell {
        Tell::Charge { within: PictureIn::Elsewhere, refunds, .. } => {
            refunds.iter().filter(|entry| entry.state.is_open()).map(|entry| entry.amount).sum()
        }
        _ => Amount::ZERO,
    }
}

/// The least that must have been captured: the most that was refunded or under way at a time, summed up or disputed.
fn at_least(events: &[Event]) -> Option<Amount> {
    let mut refunds: BTreeMap<&str, Amount> = BTreeMap::new();
    let mut of_refunds = Amount::ZERO;
    for tell in events.iter().flat_map(|event| &event.said.tells) {
        if let Tell::Refund { id, state, amount, .. } = tell {
            refunds.insert(id.as_str(), if state.has_money() { *amount } else { Amount::ZERO });
            of_refunds = of_refunds.max(refunds.values().copied().sum());
        }
    }
    // One that never was anything but failed was a part of it, too.
    let of_each = events.iter().flat_map(|event| &event.said.tells).map(|tell| match tell {
        Tell::Refund { amount, .. } => *amount,
        _ => Amount::ZERO,
    });
    of_refunds = of_each.fold(of_refunds, Amount::max);
    let of_others = events.iter().flat_map(|event| &event.said.tells).map(|tell| match tell {
        Tell::Total { refunded_amount, .. } => *refunded_amount,
        Tell::Charge { refunds, .. } => refunds.iter().map(|entry| entry.amount).sum(),
        Tell::Order { refunded_amount, available_to_refund_amount, charged_back_amount } => {
            *refunded_amount + *available_to_refund_amount + *charged_back_amount
        }
        Tell::Dispute { taken_amount, .. } => *taken_amount,
        Tell::Refund { .. } | Tell::Chargeback => Amount::ZERO,
    });
    Some(of_others.fold(of_refunds, Amount::max)).filter(|amount| !amount.is_zero())
}

/// After which event more is paid back than was captured, and how much.
fn too_much(events: &[Event], captured: Amount) -> Option<(String, Amount)> {
    let mut paid: BTreeMap<&str, Amount> = BTreeMap::new();
    for event in events {
        for tell in &event.said.tells {
            match tell {
                Tell::Refund { id, refunded_amount, in_passing: false, .. } => _ = paid.insert(id, *refunded_amount),
                Tell::Order { refunded_amount, .. } if *refunded_amount > captured => return Some((event.place.clone(), *refunded_amount)),
                _ => {}
            }
        }
        let sum: Amount = paid.values().copied().sum();
        if sum > captured {
            return Some((event.place.clone(), sum));
        }
    }
    None
}

fn setup(provider: &dyn Provider, said: &OrderSaid, id: &str, currency: Currency, captured: Amount) -> OrderSetup {
    let palette = provider.palette();
    let only = said.charges.len() == 1;
    let charge = |(id, amount): &(String, Option<Amount>)| {
        let captured_amount = amount.or(only.then_some(captured))?;
        Some(ChargeSetup { id: id.clone(), captured_amount })
    };
    OrderSetup::new(id, currency.code(), captured).with(|order| {
        if palette.charges || palette.payments {
            order.charges = said.charges.iter().filter_map(charge).collect();
        }
        order.payment_intent_id.clone_from(&said.payment);
        if palette.items {
            order.items.clone_from(&said.items);
        }
    })
}

fn entry(event: Event, order: &str, sequence: u32) -> Entry {
    let Event { said: Said { id, kind, created, tells, is_doubtful, .. }, content_type, body, .. } = event;
    let facts = EventFacts { id, kind, order_id: Some(order.to_owned()), created_time: created, sequence, tells };
    let mut delivery = Delivery::plain(facts, Body::new(body));
    if let Some(content_type) = content_type {
        Arc::make_mut(&mut delivery.headers).insert("content-type".to_owned(), content_type);
    }
    if is_doubtful {
        delivery.effect = Effect::Tolerate;
    }
    Entry { act: Act::Deliver(Box::new(delivery)), expect: Vec::new(), expect_if_refused: Vec::new() }
}
