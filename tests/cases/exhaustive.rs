//! A second expectation, for every small plan: written from `docs/expectations.md` alone, without a look at how the harness comes to
//! its own.
//!
//! All plans up to a length over a few actions are played. What happened is worked out here once more, from the actions alone.
//! Then the events are delivered in the order in which they were made and in others, all others where they are few, and after
//! each what may be shown is compared with what the document says of the events so far. Where both disagree one of them is wrong.
//!
//! `EXHAUSTIVE=1 cargo test --release --test cases exhaustive -- --nocapture` goes through more than 100,000 plans of each provider.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::atomic::{AtomicUsize, Ordering},
};

use refundproof::{
    case::{Act, Case},
    domain::{Amount, RefundState, Status},
    model::{DisputeEvent, EventFacts, Expectation, PictureIn, Tell},
    plan::{Action, DisputeMove, FailureShape, Level, Opening, Pick, Plan, Step},
    provider::{Provider, lower},
};

use crate::common::providers;

/// How many plans of each provider are tried where nothing is said.
const FEW: usize = 1_500;

/// How many are tried with `EXHAUSTIVE=1`.
const MANY: usize = 100_000;

/// Events of which all orders are tried; of more only some.
const ALL_ORDERS: usize = 4;

/// What was captured of the plain order, in minor units.
const CAPTURED: i64 = 1000;

const DIGITS: u32 = 2;

fn refund(amount: Pick, opens: Opening) -> Action {
    Action::Refund { amount, level: Level::Order, joins: false, own: false, kind: 0, opens }
}

/// What may happen with a provider.
fn actions(provider: &dyn Provider) -> Vec<Action> {
    let palette = provider.palette();
    let mut actions = vec![
        refund(Pick::Units(300), Opening::Pending),
        refund(Pick::All, Opening::Pending),
        Action::Succeed { refund: 0, paid: Pick::All },
        Action::Succeed { refund: 1, paid: Pick::All },
        Action::Fail { refund: 0, reason: false, shape: FailureShape::Charge },
        Action::Fail { refund: 1, reason: true, shape: FailureShape::Order },
    ];
    if palette.information {
        actions.extend([Action::NeedInformation { refund: 0 }, Action::GiveInformation { refund: 0 }]);
    }
    if palette.pays_less {
        actions.push(Action::Succeed { refund: 0, paid: Pick::Units(100) });
    }
    if palette.metadata {
        actions.push(Action::UpdateMetadata { refund: 0 });
    }
    if palette.chargebacks {
        actions.extend([Action::Chargeback { amount: Pick::Units(200), fraud: true }, Action::Dispute, Action::ResolveDispute]);
    }
    if palette.disputes {
        let open = |inquiry| Action::OpenDispute { amount: Pick::Units(400), inquiry, over: 0, prevented: false };
        let moved = |to| Action::MoveDispute { dispute: 0, to };
        actions.extend([refund(Pick::Units(200), Opening::Succeeded), open(false), moved(DisputeMove::Win), moved(DisputeMove::Lose)]);
        actions.extend([open(true), moved(DisputeMove::Escalate)]);
    }
    if actions.len() < 8 {
        actions.extend([refund(Pick::AllBut(50), Opening::Pending), Action::Other { event: 0 }]);
    }
    actions
}

/// What happened, worked out from the actions.
#[derive(Default)]
struct Happened {
    /// State, what was asked for, what was paid.
    refunds: Vec<(RefundState, i64, i64)>,
    charged_back: Option<i64>,
    /// Whether the order is in dispute, with providers that say only that.
    in_dispute: bool,
    /// How each dispute stands (`I`nquiry, `O`pen, `L`ost, `W`on) and its amount.
    disputes: Vec<(char, i64)>,
}

impl Happened {
    fn paid(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.2).sum()
    }

    fn taken(&self) -> i64 {
        let disputed: i64 = self.disputes.iter().filter(|dispute| "OL".contains(dispute.0)).map(|dispute| dispute.1).sum();
        self.charged_back.unwrap_or(0) + disputed
    }

    fn left(&self) -> i64 {
        let open: i64 = self.refunds.iter().filter(|refund| is_open(refund.0)).map(|refund| refund.1).sum();
        (CAPTURED - self.paid() - open - self.taken()).max(0)
    }

    /// The index of the refund that is meant: counted back from the newest that can get there.
    fn meant(&self, back: u8, can: impl Fn(RefundState) -> bool) -> Option<usize> {
        let able: Vec<usize> = (0..self.refunds.len()).rev().filter(|&index| can(self.refunds[index].0)).collect();
        (!able.is_empty()).then(|| able[usize::from(back) % able.len()])
    }

    fn play(&mut self, action: &Action, revocable: bool) {
        use RefundState::{Failed, Pending, PendingInformation, Succeeded};
        match *action {
            Action::Refund { amount, opens, .. } => {
                let blocked = self.disputes.iter().any(|dispute| "OL".contains(dispute.0));
                let left = self.left();
                if left == 0 || blocked || self.in_dispute {
                    return;
                }
                let asked = picked(amount, left);
                let begun = if opens == Opening::Succeeded { (Succeeded, asked, asked) } else { (Pending, asked, 0) };
                self.refunds.push(begun);
                if self.left() == 0 {
                    self.disputes.iter_mut().filter(|dispute| dispute.0 == 'I').for_each(|dispute| dispute.0 = 'E');
                }
            }
            Action::Succeed { refund, paid } => {
                let can = |state| if revocable { state == Pending } else { is_open(state) };
                if let Some(index) = self.meant(refund, can) {
                    let asked = self.refunds[index].1;
                    self.refunds[index] = (Succeeded, asked, picked(paid, asked));
                }
            }
            Action::Fail { refund, .. } => {
                let can = |state| is_open(state) || revocable && state == Succeeded;
                if let Some(index) = self.meant(refund, can) {
                    self.refunds[index] = (Failed, self.refunds[index].1, 0);
                }
            }
            Action::NeedInformation { refund } => {
                let can = |state| if revocable { state == Succeeded } else { state == Pending };
                if let Some(index) = self.meant(refund, can) {
                    self.refunds[index] = (PendingInformation, self.refunds[index].1, 0);
                }
            }
            Action::GiveInformation { refund } => {
                if let Some(index) = self.meant(refund, |state| state == PendingInformation) {
                    self.refunds[index].0 = Pending;
                }
            }
            Action::Chargeback { amount, .. } => {
                let left = self.left();
                if left > 0 {
                    self.charged_back = Some(self.charged_back.unwrap_or(0) + picked(amount, left));
                }
            }
            Action::Dispute => self.in_dispute = true,
            Action::ResolveDispute => self.in_dispute = false,
            Action::OpenDispute { amount, inquiry, .. } if self.paid() < CAPTURED => {
                self.disputes.push((if inquiry { 'I' } else { 'O' }, picked(amount, CAPTURED)));
                if !inquiry {
                    self.fail_open();
                }
            }
            Action::MoveDispute { dispute, to } => {
                let (can, then) = match to {
                    DisputeMove::Escalate => ("I", 'O'),
                    DisputeMove::Win => ("OL", 'W'),
                    DisputeMove::Lose => ("O", 'L'),
                    DisputeMove::Answer | DisputeMove::End => return,
                };
                let able: Vec<usize> = (0..self.disputes.len()).rev().filter(|&index| can.contains(self.disputes[index].0)).collect();
                if !able.is_empty() {
                    self.disputes[able[usize::from(dispute) % able.len()]].0 = then;
                    if to == DisputeMove::Escalate {
                        self.fail_open();
                    }
                }
            }
            _ => {}
        }
    }

    /// A refund that is still pending when a chargeback opens fails.
    fn fail_open(&mut self) {
        self.refunds.iter_mut().filter(|refund| is_open(refund.0)).for_each(|refund| *refund = (RefundState::Failed, refund.1, 0));
    }

    fn status(&self) -> Status {
        let states: Vec<RefundState> = self.refunds.iter().map(|refund| refund.0).collect();
        status(self.charged_back.is_some() || self.taken() > 0, self.paid(), &states)
    }
}

fn is_open(state: RefundState) -> bool {
    matches!(state, RefundState::Requested | RefundState::Pending | RefundState::PendingInformation)
}

fn picked(pick: Pick, most: i64) -> i64 {
    let units = |units: u64| i64::try_from(units).expect("small");
    match pick {
        Pick::All => most,
        Pick::Units(of) => units(of).clamp(1, most),
        Pick::AllBut(rest) => (most - units(rest)).max(1),
    }
}

/// The table of "Truth", from the top.
fn status(charged_back: bool, paid: i64, states: &[RefundState]) -> Status {
    let some = |state| states.contains(&state);
    match () {
        () if charged_back => Status::ChargedBack,
        () if paid >= CAPTURED => Status::Refunded,
        () if paid > 0 => Status::PartiallyRefunded,
        () if some(RefundState::PendingInformation) => Status::PendingInformation,
        () if some(RefundState::Pending) || some(RefundState::Requested) => Status::Pending,
        () if some(RefundState::Failed) => Status::Failed,
        () => Status::NotRefunded,
    }
}

fn minor(amount: Amount) -> i64 {
    amount
        .to_minor(DIGITS)
        .and_then(|units| i64::try_from(units).ok())
        .unwrap_or_else(|| panic!("{amount} is no amount of the plain order"))
}

/// When an event was made: by its place where it has one, by its time elsewhere.
fn made(event: &EventFacts) -> (u32, i64) {
    (event.sequence, event.created_time.micros())
}

/// What an event says of a refund: whether it ended and when the event was made, then its state and what was paid back.
type Word = ((bool, u32, i64), RefundState, i64);

/// What the events so far say, one question at a time and each by looking at all of them.
struct Said<'e> {
    events: &'e [&'e EventFacts],
    /// Whether an ended refund stays so whatever comes.
    ends_once: bool,
}

impl Said<'_> {
    fn tells(&self) -> impl Iterator<Item = (&EventFacts, &Tell)> {
        self.events.iter().flat_map(|event| event.tells.iter().map(move |tell| (*event, tell)))
    }

    /// The last word on each refund: its state and what was paid back. `too` says whether what is said in passing counts.
    fn refunds(&self, too: bool) -> BTreeMap<&str, (RefundState, i64)> {
        let mut last: BTreeMap<&str, Word> = BTreeMap::new();
        for (event, tell) in self.tells() {
            let Tell::Refund { id, state, refunded_amount, in_passing, .. } = tell else { continue };
            if *in_passing && !too {
                continue;
            }
            let is_end = self.ends_once && !is_open(*state);
            let (place, time) = made(event);
            let word = ((is_end, place, time), *state, minor(*refunded_amount));
            if last.get(id.as_str()).is_none_or(|known| known.0 < word.0) {
                last.insert(id, word);
            }
        }
        last.into_iter().map(|(id, (_, state, paid))| (id, (state, paid))).collect()
    }

    fn paid(&self, too: bool) -> i64 {
        self.refunds(too).values().map(|(_, paid)| paid).sum()
    }

    /// What the latest pictures of the charges say was paid back.
    fn pictures(&self, counts: impl Fn(PictureIn) -> bool) -> i64 {
        let mut last: BTreeMap<&str, ((u32, i64), i64)> = BTreeMap::new();
        for (event, tell) in self.tells() {
            let Tell::Charge { id, within, refunds } = tell else { continue };
            let complete = refunds.iter().filter(|entry| entry.state == RefundState::Succeeded).map(|entry| minor(entry.amount)).sum();
            if counts(*within) && last.get(id.as_str()).is_none_or(|known| known.0 < made(event)) {
                last.insert(id, (made(event), complete));
            }
        }
        last.values().map(|picture| picture.1).sum()
    }

    /// What the latest order says was paid back.
    fn order(&self) -> i64 {
        let orders = self.tells().filter_map(|(event, tell)| match tell {
            Tell::Order { refunded_amount, .. } => Some((made(event), minor(*refunded_amount))),
            _ => None,
        });
        orders.max().map_or(0, |(_, refunded)| refunded)
    }

    /// The last running total.
    fn total(&self) -> Option<i64> {
        let totals = self.tells().filter_map(|(event, tell)| match tell {
            Tell::Total { refunded_amount, in_passing: false, .. } => Some((made(event), minor(*refunded_amount))),
            _ => None,
        });
        totals.max().map(|(_, total)| total)
    }

    /// What disputes take, for a shop that follows one kind of their events.
    fn taken(&self, by: DisputeEvent) -> i64 {
        let mut last: BTreeMap<&str, ((u32, i64), i64)> = BTreeMap::new();
        for (event, tell) in self.tells() {
            let Tell::Dispute { id, taken_amount, by: own, .. } = tell else { continue };
            if *own == by && last.get(id.as_str()).is_none_or(|known| known.0 < made(event)) {
                last.insert(id, (made(event), minor(*taken_amount)));
            }
        }
        last.values().map(|dispute| dispute.1).sum()
    }

    fn chargeback(&self) -> bool {
        self.tells().any(|(_, tell)| *tell == Tell::Chargeback)
    }
}

/// Whether what may be shown is what the document says of the events so far.
fn check_shown(provider: &dyn Provider, events: &[&EventFacts], shown: &Expectation) -> Result<(), String> {
    let palette = provider.palette();
    let said = Said { events, ends_once: !palette.revocable };
    let (least, most) = (minor(shown.refunded_amount.least), minor(shown.refunded_amount.most));
    let amounts = |what: &str, expected: (i64, i64)| {
        if (least, most) == expected {
            Ok(())
        } else {
            Err(format!("{what}: {least}..{most} is allowed, {}..{} is said", expected.0, expected.1))
        }
    };
    let right = if palette.revocable {
        // Several designs are right on the way; none may be refused.
        let known = said.refunds(false);
        let right = if known.is_empty() { said.total().unwrap_or(0) } else { said.paid(false).min(CAPTURED) };
        if right < least || right > most {
            return Err(format!("{least}..{most} is allowed, and a right shop shows {right}"));
        }
        right
    } else {
        let sure = said.paid(false).max(said.pictures(|within| within == PictureIn::Completion));
        let any = sure.max(said.paid(true)).max(said.pictures(|_| true)).max(said.order());
        amounts("what is paid back", (sure, any))?;
        sure
    };
    let states: Vec<RefundState> = said.refunds(false).values().map(|(state, _)| *state).collect();
    for by in [DisputeEvent::Status, DisputeEvent::Money] {
        let status = status(said.chargeback() || said.taken(by) > 0, right, &states);
        if !shown.status.contains(&status) {
            return Err(format!("{:?} is allowed, and a right shop shows {status}", shown.status));
        }
    }
    Ok(())
}

fn check_end(happened: &Happened, case: &Case, counts_open: bool) -> Result<(), String> {
    let [end] = &case.expect[..] else { return Err("there is one order".to_owned()) };
    let paid = (minor(end.refunded_amount.least), minor(end.refunded_amount.most));
    // A running total counts refunds that are under way, and what they add may be shown until they have ended.
    let open: i64 = happened.refunds.iter().filter(|refund| counts_open && is_open(refund.0)).map(|refund| refund.1).sum();
    if open > 0 {
        let is_right = paid.0 <= happened.paid() && (happened.paid()..=happened.paid() + open).contains(&paid.1);
        let is_there = end.status.contains(&happened.status());
        return if is_right && is_there {
            Ok(())
        } else {
            Err(format!("in the end {paid:?} is allowed, {} was paid back and {open} is open", happened.paid()))
        };
    }
    if paid != (happened.paid(), happened.paid()) {
        return Err(format!("in the end {}..{} is allowed, and {} was paid back", paid.0, paid.1, happened.paid()));
    }
    if end.status != [happened.status()] {
        return Err(format!("in the end {:?} is allowed, and the order is {}", end.status, happened.status()));
    }
    Ok(())
}

/// Orders of so many things: all of them, or some that follow from a number.
fn orders(length: usize, draw: usize) -> Vec<Vec<usize>> {
    let own: Vec<usize> = (0..length).collect();
    if length <= ALL_ORDERS {
        let mut all = vec![Vec::new()];
        for next in 0..length {
            all = all.into_iter().flat_map(|order: Vec<usize>| (0..=next).map(move |place| inserted(&order, place, next))).collect();
        }
        return all;
    }
    let mut drawn = own.clone();
    // A stride that has nothing in common with the length goes through all of them.
    let stride = (1 + draw % (length - 1)..length).find(|stride| gcd(*stride, length) == 1).unwrap_or(1);
    drawn.iter_mut().enumerate().for_each(|(place, one)| *one = place * stride % length);
    vec![own.clone(), own.into_iter().rev().collect(), drawn]
}

fn inserted(order: &[usize], place: usize, next: usize) -> Vec<usize> {
    let mut order = order.to_vec();
    order.insert(place, next);
    order
}

fn gcd(one: usize, other: usize) -> usize {
    if other == 0 { one } else { gcd(other, one % other) }
}

fn check_plan(provider: &dyn Provider, actions: &[Action], serial: usize) -> Result<usize, String> {
    let steps = actions.iter().cloned().map(Step::plain).collect();
    let plan = Plan { orders: Vec::new(), steps, only: Vec::new(), look: 0 };
    let mut happened = Happened::default();
    actions.iter().for_each(|action| happened.play(action, provider.palette().revocable));
    let case = lower(provider, &plan, serial as u64).case;
    let tried = orders(case.entries.len(), serial);
    for order in &tried {
        let mut case = case.clone();
        case.entries = order.iter().map(|&place| case.entries[place].clone()).collect();
        case.expect_again(&[true]);
        let mut events: Vec<&EventFacts> = Vec::new();
        for (number, entry) in case.entries.iter().enumerate() {
            let Act::Deliver(delivery) = &entry.act else { continue };
            events.push(&delivery.event);
            let [shown] = &entry.expect[..] else { return Err("one order is looked at".to_owned()) };
            check_shown(provider, &events, shown).map_err(|why| format!("after delivery {} of {order:?}: {why}", number + 1))?;
        }
        check_end(&happened, &case, provider.palette().revocable).map_err(|why| format!("{why} ({order:?})"))?;
    }
    Ok(tried.len())
}

#[test]
#[expect(clippy::print_stdout, reason = "how many plans were tried is what a person wants to know")]
fn every_small_plan_is_expected_as_the_document_says() {
    let most = if std::env::var_os("EXHAUSTIVE").is_some() { MANY } else { FEW };
    let mut said = String::new();
    for provider in providers() {
        let actions = actions(provider);
        let (plans, orders) = (AtomicUsize::new(0), AtomicUsize::new(0));
        // All plans of one length after all shorter ones; of the longest as many as are wanted, from all over.
        let of_length = |length: u32| actions.len().pow(length);
        let length = (1..).find(|length| (1..=*length).map(of_length).sum::<usize>() >= most).expect("a length");
        let shorter: Vec<(u32, usize)> =
            (1..length).flat_map(|length| (0..of_length(length)).map(move |number| (length, number))).collect();
        let stride = of_length(length) / (most - shorter.len());
        // One that has something in common with the number of actions would never try some of them first.
        let stride = (1..=stride).rev().find(|stride| gcd(*stride, actions.len()) == 1).unwrap_or(1);
        let longest = (0..of_length(length)).step_by(stride).map(|number| (length, number));
        let numbers: Vec<(u32, usize)> = shorter.into_iter().chain(longest).collect();
        std::thread::scope(|scope| {
            for half in 0..2 {
                let (numbers, actions, plans, orders) = (&numbers, &actions, &plans, &orders);
                scope.spawn(move || {
                    for (place, (length, number)) in numbers.iter().enumerate().filter(|(place, _)| place % 2 == half) {
                        let pick = |digit: u32| actions[number / actions.len().pow(digit) % actions.len()].clone();
                        let plan: Vec<Action> = (0..*length).map(pick).collect();
                        match check_plan(provider, &plan, place) {
                            Ok(tried) => {
                                plans.fetch_add(1, Ordering::Relaxed);
                                orders.fetch_add(tried, Ordering::Relaxed);
                            }
                            Err(why) => panic!("{}: {plan:#?}\n{why}", provider.name()),
                        }
                    }
                });
            }
        });
        let (plans, orders) = (plans.into_inner(), orders.into_inner());
        assert!(plans >= most);
        writeln!(said, "{}: {plans} plans of up to {length} actions in {orders} orders", provider.name())
            .expect("a string takes everything");
    }
    println!("{said}");
}
