//! From a plan to a case: the truth is played, events tell of it, faults befall their deliveries.
//!
//! Deterministic: the same plan and serial give the same case, byte for byte.

mod known;
mod mutants;
mod newer;
mod order;
mod original;

use std::rc::Rc;

use mutants::Mutants;
use order::{Order, When};

use super::{
    IdOf, Message, Mint, Provider, Shown,
    sending::{Send, in_sending_order},
    times::{may_tie, next_second, next_time},
};
use crate::{
    case::{Act, ApiFault, ApiObject, Body, Case, Delivery, Effect, OwnRefund, OwnRefundDetails, SCHEMA, Signature},
    domain::{EventTime, fits_pattern},
    model::{Change, DisputeEvent, EventFacts, OrderTruth, Tell},
    mutate::Anatomy,
    plan::{Fault, FaultKind, MutationKind, OrderPlan, Plan, Step},
};

/// A case together with the truth that it tells of.
#[derive(Clone, Debug)]
pub struct Lowering {
    /// The case.
    pub case: Case,
    /// The orders at the end.
    pub truth: Vec<OrderTruth>,
    /// What happened, in order: index of the order, and the change.
    pub changes: Vec<(usize, Change)>,
}

/// How many events one change commonly has at the most. Where it has more, times are made for them too, and it is told again.
const COMMON_FAMILY: usize = 10;

/// For whom a case is made.
#[derive(Clone, Copy)]
pub struct Audience<'a> {
    /// Whether events of a type are sent to it.
    pub subscribed: &'a dyn Fn(&str) -> bool,
    /// Whether it calls the provider's API, so that the case needs to say what that shows.
    pub calls_back: bool,
    /// Whether it is registered for the provider's older API version.
    pub older: bool,
    /// Whether time can pass for it.
    pub clock: bool,
}

impl Audience<'_> {
    /// A target that gets everything and calls nobody.
    pub const EVERYBODY: Audience<'static> = Audience { subscribed: &|_| true, calls_back: false, older: false, clock: false };
}

/// Turns a plan into a case whose ids follow from `serial`.
pub fn lower(provider: &dyn Provider, plan: &Plan, serial: u64) -> Lowering {
    lower_for(provider, plan, serial, Audience::EVERYBODY)
}

/// Turns a plan into a case for a target to which only some event types are sent, or in an older version; faults befall what it
/// gets.
pub fn lower_for(provider: &dyn Provider, plan: &Plan, serial: u64, audience: Audience<'_>) -> Lowering {
    let compact = plan;
    let plan = &*plan.written_out();
    let mut stage = Stage::new(provider, plan, serial, audience);
    let mut changes = Vec::new();
    for step in &plan.steps {
        let order = usize::from(step.order) % stage.orders.len();
        let action = provider.palette().adapt(&step.action);
        if let Some(change) = action.and_then(|action| stage.orders[order].truth.apply(&action)) {
            stage.tell(plan, order, &change, step);
            changes.push((order, change));
        }
    }
    let Stage { orders, sends, api, .. } = stage;
    let complete: Vec<bool> = orders.iter().map(|order| order.complete).collect();
    let palette = provider.palette();
    let mut case = Case {
        schema: SCHEMA.to_owned(),
        title: String::new(),
        provider: provider.name().to_owned(),
        requirement: None,
        orders: orders.iter().map(|order| order.setup(palette)).collect(),
        entries: known::in_line(in_sending_order(sends), orders.iter().map(|order| order.names.order.clone()).zip(&plan.orders)),
        api,
        expect: Vec::new(),
        expect_if_applied: Vec::new(),
        plan: Some(compact.clone()),
    };
    case.expect_again(&complete);
    Lowering { case, truth: orders.into_iter().map(|order| order.truth).collect(), changes }
}

struct Stage<'a> {
    provider: &'a dyn Provider,
    audience: Audience<'a>,
    /// What the provider's API shows, for targets that call it.
    api: Vec<ApiObject>,
    /// Faults of steps of which nothing is sent; they befall the next that is.
    waiting: Vec<Fault>,
    mint: Mint,
    orders: Vec<Order>,
    sends: Vec<Send>,
    /// First events of refunds that are to show how the refund goes on.
    held: Vec<newer::Held>,
    /// How many events were created so far, over all orders: the place of the next one in the line.
    created: u32,
    moment: u64,
    /// How many doubtful deliveries each order has.
    doubtful: Vec<u8>,
    /// The places in bodies of the change that is told now: each is asked for more than once.
    anatomies: Vec<(Body, Rc<Anatomy>)>,
}

/// Each doubtful delivery doubles what may be shown, so that many of them would allow anything.
const MOST_DOUBTFUL: u8 = 3;

impl<'a> Stage<'a> {
    fn new(provider: &'a dyn Provider, plan: &Plan, serial: u64, audience: Audience<'a>) -> Stage<'a> {
        let mint = Mint::new(serial);
        let plain = [OrderPlan::default()];
        let plans: &[OrderPlan] = if plan.orders.is_empty() { &plain } else { &plan.orders };
        let orders: Vec<Order> = plans.iter().enumerate().map(|(index, order)| Order::new(provider, &mint, index, order)).collect();
        let doubtful = vec![0; orders.len()];
        let mut stage = Stage {
            provider,
            audience,
            api: Vec::new(),
            waiting: Vec::new(),
            mint,
            orders,
            sends: Vec::new(),
            held: Vec::new(),
            created: 0,
            moment: 0,
            doubtful,
            anatomies: Vec::new(),
        };
        if audience.calls_back {
            for index in 0..stage.orders.len() {
                let order = &stage.orders[index];
                let when = When { mint: stage.mint, moment: 0, look: plan.look, older: audience.older };
                let shown = provider.shows(&order.scene(index, std::slice::from_ref(&order.created), when), &[]);
                stage.show(index, shown, 0);
            }
        }
        stage
    }

    /// Another event that the provider's API knows from a moment on.
    fn show_event(&mut self, index: usize, message: &Message, since: u32) {
        self.show(index, Shown::event(message).into_iter().collect(), since);
    }

    /// What the provider's API shows of an order from a moment on.
    fn show(&mut self, index: usize, shown: Vec<Shown>, since: u32) {
        let order_id = &self.orders[index].names.order;
        let of = |Shown { id, kind, body, tells }: Shown| ApiObject { since, order_id: order_id.clone(), id, kind, body, tells };
        self.api.extend(shown.into_iter().map(of));
    }

    fn tell(&mut self, plan: &Plan, index: usize, change: &Change, step: &Step) {
        self.anatomies.clear();
        let order = &mut self.orders[index];
        let mut now = order.now;
        let moment = self.moment;
        let whole_seconds = self.provider.whole_seconds();
        // Where nothing but totals and their corrections is told, one second would not say which of them came first.
        let is_tied = step.tied && may_tie(change) && !self.audience.older;
        let mut make_time = |event: usize| match whole_seconds {
            true => next_second(&mut now, plan.look, moment, event, is_tied),
            false => next_time(&mut now, plan.look, moment, event),
        };
        let common: Vec<EventTime> = (0..COMMON_FAMILY).map(&mut make_time).collect();
        if let Change::Opened { refund, .. } = *change {
            order.names.refunds.push(order::id(self.provider, &self.mint, &order.truth, IdOf::Refund(index, refund)));
            order.refund_times.push(common[0].clone());
            self.initiate(index, refund, step);
        }
        let order = &mut self.orders[index];
        if let Change::Dispute { dispute, to: None, .. } = *change {
            order.names.disputes.push(self.provider.id(&self.mint, IdOf::Dispute(index, dispute)));
            order.dispute_times.push(common[0].clone());
        }
        let when = When { mint: self.mint, moment, look: plan.look, older: self.audience.older };
        let order = &self.orders[index];
        let scene = |times| order.scene(index, times, when);
        let messages = self.provider.tell(&scene(&common), change);
        let times: Vec<EventTime> = common.iter().cloned().chain((COMMON_FAMILY..messages.len()).map(make_time)).collect();
        let mut messages = if messages.len() > COMMON_FAMILY { self.provider.tell(&scene(&times), change) } else { messages };
        if let Some(last) = messages.iter_mut().rev().find(|message| (self.audience.subscribed)(&message.facts.kind)) {
            ends_it(last);
        }
        let shown = if self.audience.calls_back { self.provider.shows(&scene(&times), &messages) } else { Vec::new() };
        let last = messages.last().map(|message| message.facts.created_time.micros());
        // Faults befall what is sent.
        let fits = |message: &Message| plan.only.is_empty() || plan.only.iter().any(|pattern| fits_pattern(pattern, &message.facts.kind));
        let room = MOST_DOUBTFUL.saturating_sub(self.doubtful[index]);
        let fits = |message: &Message| fits(message) && (room > 0 || !message.is_doubtful);
        let (mut messages, held_back): (Vec<Message>, Vec<Message>) = messages.into_iter().partition(fits);
        self.doubtful[index] += u8::from(messages.iter().any(|message| message.is_doubtful));
        messages.retain(|message| (self.audience.subscribed)(&message.facts.kind));
        let faults: Vec<Fault> = self.waiting.drain(..).chain(step.faults.iter().cloned()).collect();
        if messages.is_empty() {
            self.waiting.clone_from(&faults);
        }
        let faults = &faults[..];
        let strangers: Vec<(usize, Message)> = faults
            .iter()
            .filter_map(|fault| match fault.kind {
                FaultKind::UnknownBefore { name } => Some((place_of(fault, messages.len())?, self.provider.unknown(&scene(&times), name))),
                _ => None,
            })
            .collect();
        self.show(index, shown, self.created + 1);
        let order = &mut self.orders[index];
        order.complete &= held_back.is_empty();
        if let Some(last) = last {
            order.now = last;
        }
        self.show_newer(index, change, plan.look);
        self.hold(index, change, faults, &messages, &times);
        self.moment += 1;
        let places = self.places(index, faults, &messages);
        for (event, message) in messages.into_iter().enumerate() {
            let befalls: Vec<&FaultKind> =
                faults.iter().zip(&places).filter(|(_, place)| **place == event).map(|(fault, _)| &fault.kind).collect();
            let strangers = strangers.iter().filter(|(place, _)| *place == event).map(|(_, message)| message.clone());
            self.send(index, message, &befalls, strangers.collect());
        }
    }

    /// Which event of a family each fault befalls. A mutation that finds nothing to change in its event goes to the next
    /// one that has it, and the faults of the same event go with it.
    fn places(&mut self, order: usize, faults: &[Fault], messages: &[Message]) -> Vec<usize> {
        let family = messages.len().max(1);
        let mut places: Vec<usize> = Vec::with_capacity(faults.len());
        for (number, fault) in faults.iter().enumerate() {
            let own = usize::from(fault.event) % family;
            // The faults of one event have one place, and a family of one has no other.
            let place = match faults[..number].iter().position(|other| other.event == fault.event) {
                Some(before) => places[before],
                None if family == 1 => own,
                None => self.place(order, own, faults.iter().filter(|other| other.event == fault.event), messages),
            };
            places.push(place);
        }
        places
    }

    /// The event that these faults of one event befall.
    fn place<'f>(&mut self, order: usize, own: usize, mut faults: impl Iterator<Item = &'f Fault>, messages: &[Message]) -> usize {
        let is_mutation = |kind: &FaultKind| matches!(kind, FaultKind::Mutated { .. } | FaultKind::Unusual { .. });
        let Some(mutation) = faults.find(|fault| is_mutation(&fault.kind)) else { return own };
        let mut applies = |place: &usize| {
            let Some(message) = messages.get(*place) else { return false };
            let original = delivery(message.clone(), None, Effect::Accept);
            match mutation.kind {
                FaultKind::Mutated { mutation, .. } => self.mutate(order, mutation, &original, None).is_some(),
                FaultKind::Unusual { mutation } => self.unusual(order, mutation, &original).is_some(),
                _ => false,
            }
        };
        let mut line = (own..messages.len()).chain(0..own);
        line.find(&mut applies).unwrap_or(own)
    }

    fn initiate(&mut self, index: usize, refund: usize, step: &Step) {
        let order = &self.orders[index];
        let made = &order.truth.refunds[refund];
        if !made.own {
            return;
        }
        let before = |fault: &Fault| if let FaultKind::BeforeAnswer { with, lost } = fault.kind { Some((with, lost)) } else { None };
        // Whoever does not call the API is told of the refund as of something done; there is no time before an answer.
        let (with, lost) = step.faults.iter().find_map(before).filter(|_| self.audience.calls_back).unwrap_or_default();
        let own = OwnRefund {
            // Where nothing is delivered before the answer there is none to lose; that shows when everything is put in line.
            answer_lost: lost,
            order_id: order.names.order.clone(),
            refund: OwnRefundDetails {
                id: order.names.refunds[refund].clone(),
                amount: order.amount(made.requested),
                currency: order.currency.code().to_owned(),
            },
        };
        let answer = |fault: &Fault| if let FaultKind::AnswerLate { by } = fault.kind { Some(u32::from(by)) } else { None };
        // Whoever calls the API has the answer when it is given.
        let late = step.faults.iter().find_map(answer).filter(|_| !self.audience.calls_back);
        let place = self.created * 2 + late.map_or(0, |by| by * 2 + 1);
        self.sends.push(Send { place, order: index, created: self.created, act: Act::Initiate(own), with, stays: late.is_some() });
    }

    fn send(&mut self, order: usize, mut message: Message, befalls: &[&FaultKind], strangers: Vec<Message>) {
        let created = self.created;
        self.created += 1;
        if self.provider.whole_seconds() {
            message.facts.sequence = self.created;
        }
        let late = befalls.iter().find_map(|kind| if let FaultKind::Late { by } = kind { Some(u32::from(*by)) } else { None });
        let late = late.filter(|by| *by > 0);
        let much_later: Vec<(u8, bool)> = befalls.iter().filter_map(|kind| self.much_later(kind)).collect();
        let place = match much_later.iter().find(|(_, first)| *first) {
            Some((hours, _)) => Send::place_after(*hours),
            None => created * 2 + late.map_or(0, |by| by * 2 + 1),
        };
        self.sends.extend(much_later.iter().map(|(hours, _)| Send::hours(*hours)));
        let later = |place: u32, after: u8| place + u32::from(after) * 2 + 1;
        let plain = match &message {
            Message { is_doubtful: true, .. } => Effect::Tolerate,
            Message { facts, .. } if facts.tells.is_empty() => Effect::Ignore,
            _ => Effect::Accept,
        };
        let mut line: Vec<(u32, Delivery)> = Vec::new();
        let now = self.created;
        if self.audience.calls_back {
            strangers.iter().for_each(|stranger| self.show_event(order, stranger, now));
        }
        line.extend(strangers.into_iter().map(|stranger| (place, delivery(stranger, Some("unknown event type"), Effect::Ignore))));
        for kind in befalls {
            if let FaultKind::DefectBefore { defect } = kind {
                line.extend(self.defect(order, &message, *defect).map(|broken| (place, broken)));
            }
        }
        let twins: Vec<(u8, Message)> = befalls
            .iter()
            .filter_map(|kind| match **kind {
                FaultKind::Twin { after } if self.provider.palette().twins => Some((after, self.twin(&message))),
                _ => None,
            })
            .collect();
        if self.audience.calls_back {
            twins.iter().for_each(|(_, twin)| self.show_event(order, twin, now));
        }
        let name = match (&much_later[..], late) {
            ([(hours, true), ..], _) => Some(FaultKind::MuchLater { hours: *hours, first: true }.name()),
            (_, late) => late.map(|_| "out of order"),
        };
        let original = delivery(message, name, plain);
        let is_once = self.provider.once(&original.event.kind);
        let Mutants { mut original, before, copies } = self.mutants(order, original, befalls);
        // Whoever goes by object and type takes the true event for known after one that says something else.
        let says_else = |mutant: &Delivery| mutant.effect == Effect::Tolerate && mutant.signature == Signature::Valid;
        let is_known = is_once && before.iter().any(|(mutant, _)| says_else(mutant));
        let is_omitted = is_known || befalls.iter().any(|kind| matches!(kind, FaultKind::Omit));
        let trouble = befalls.iter().find_map(|kind| if let FaultKind::ApiFails { how } = kind { Some(usize::from(*how)) } else { None });
        if self.audience.calls_back {
            original.api = trouble.map(|how| ApiFault::ALL[how % ApiFault::ALL.len()]);
        }
        // Whatever comes before the original pushes it back.
        let mut own_place = place;
        for (mutant, after) in before {
            line.push((place, mutant));
            own_place = own_place.max(later(place, after));
        }
        line.extend(copies.into_iter().map(|(mutant, after)| (later(own_place, after), mutant)));
        if is_omitted {
            self.orders[order].complete = false;
        } else {
            for (hours, _) in much_later.iter().filter(|(_, first)| !first) {
                let fault = Some(FaultKind::MuchLater { hours: *hours, first: false }.name().to_owned());
                line.push((Send::place_after(*hours), Delivery { fault, api: None, ..original.clone() }));
            }
            original::deliver(&mut line, original, own_place, befalls, later);
        }
        for (after, twin) in twins.into_iter().filter(|_| !is_known) {
            let name = FaultKind::Twin { after }.name();
            line.push((later(place, after), delivery(twin, Some(name), plain)));
        }
        let restart = befalls.iter().any(|kind| matches!(kind, FaultKind::RestartAfter));
        let with = befalls.iter().find_map(|kind| if let FaultKind::Together { with } = kind { Some(*with) } else { None }).unwrap_or(0);
        let sends = line.into_iter().map(|(place, delivery)| Send {
            place,
            order,
            created,
            act: Act::Deliver(Box::new(delivery)),
            with,
            stays: false,
        });
        self.sends.extend(sends);
        if restart {
            self.sends.push(Send { place: own_place, order, created, act: Act::Restart, with: 0, stays: false });
        }
    }

    /// After how many hours something is sent when everything else was, and whether for the first time, where that can be.
    fn much_later(&self, kind: &FaultKind) -> Option<(u8, bool)> {
        let FaultKind::MuchLater { hours, first } = *kind else { return None };
        let hours = hours.min(self.provider.palette().sends_again_for);
        (self.audience.clock || hours == 0).then_some((hours, first))
    }

    /// The same fact under another event id of the same form.
    fn twin(&self, message: &Message) -> Message {
        const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        // The beginning says what kind of id it is.
        let own = message.facts.id.rfind('_').map_or(0, |end| end + 1) + 1;
        let letter = |place: usize| {
            let number = self.mint.number("twin", u64::from(self.created) * 64 + place as u64);
            char::from(LETTERS[usize::try_from(number % 36).unwrap_or(0)])
        };
        let id: String =
            message.facts.id.chars().enumerate().map(|(place, own_char)| if place < own { own_char } else { letter(place) }).collect();
        let body = message.body.replace(&message.facts.id, &id);
        Message { facts: EventFacts { id, ..message.facts.clone() }, body, ..message.clone() }
    }

    fn defect(&self, order: usize, message: &Message, index: u8) -> Option<Delivery> {
        let defects = &self.provider.corpus().defects;
        let defect = defects.get(usize::from(index) % defects.len().max(1))?;
        let mut facts = message.facts.clone();
        facts.id = self.mint.uuid("defect", u64::from(self.created) * 8 + u64::from(index));
        facts.order_id = Some(self.orders[order].names.order.clone());
        facts.tells = Vec::new();
        let mutation = Some(format!("documented defect of {}", defect.kind));
        let mutation_kind = Some(MutationKind::Syntax);
        Some(Delivery { mutation, mutation_kind, effect: Effect::Reject, ..Delivery::plain(facts, Body::new(defect.bytes.clone())) })
    }
}

/// Whoever hears nothing further of a change cannot wait for it: what the event tells holds from now on.
fn ends_it(message: &mut Message) {
    for tell in &mut message.facts.tells {
        // Of a dispute that is closed and whose money is still away either holds, whoever hears no more.
        if let Tell::Dispute { still, by: DisputeEvent::Money, .. } = tell {
            *still = None;
        }
    }
}

fn place_of(fault: &Fault, family: usize) -> Option<usize> {
    usize::from(fault.event).checked_rem(family)
}

fn delivery(message: Message, fault: Option<&str>, effect: Effect) -> Delivery {
    let plain = Delivery::plain(message.facts, Body::new(message.body));
    Delivery { fault: fault.map(str::to_owned), effect, ..plain }
}

#[cfg(test)]
mod tests;
