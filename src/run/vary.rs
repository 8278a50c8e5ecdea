//! What delivery may do to a case that really happened.
//!
//! The events stay what they are; how they arrive is varied, and what may be shown is computed anew from what they tell.

use crate::{
    adapter::Capabilities,
    case::{Act, Case, Delivery, Entry},
    model::Tell,
    provider::mix,
};

/// A way in which the deliveries of a case arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In order, each once.
    AsItCame,
    /// Some of them again, at once or later.
    Repeated,
    /// In any order.
    Reordered,
    /// Among those of another case.
    Interleaved,
    /// Only the first of them.
    CutShort,
    /// With the target killed and started again in between.
    Restarted,
    /// Some at the same time.
    AtOnce,
}

impl Way {
    /// Every way.
    pub const ALL: [Way; 7] = [Way::AsItCame, Way::Repeated, Way::Reordered, Way::Interleaved, Way::CutShort, Way::Restarted, Way::AtOnce];

    /// In a few words.
    pub fn as_str(self) -> &'static str {
        match self {
            Way::AsItCame => "as it came",
            Way::Repeated => "with redeliveries",
            Way::Reordered => "in another order",
            Way::Interleaved => "among another order's events",
            Way::CutShort => "as far as it had come",
            Way::Restarted => "with restarts in between",
            Way::AtOnce => "with deliveries at the same time",
        }
    }

    /// Whether a target that claims this can be asked for it.
    pub fn fits(self, claims: &Capabilities) -> bool {
        match self {
            Way::Restarted => claims.durable,
            Way::AtOnce => claims.concurrency > 1,
            _ => true,
        }
    }
}

/// Numbers that follow from a first one.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: usize) -> usize {
        self.0 = mix(self.0.wrapping_add(1));
        usize::try_from(self.0 % most.max(1) as u64).unwrap_or(0)
    }
}

/// The case in a way; none where there is no such way of it. `other` is a case of other orders.
pub fn varied(case: &Case, way: Way, other: &Case, draw: u64) -> Option<Case> {
    let mut draw = Draw(draw);
    let mut varied = Case { plan: None, ..case.clone() };
    let mut complete: Vec<bool> = case.orders.iter().map(|order| is_complete(case, &order.order_id)).collect();
    match way {
        Way::AsItCame => {}
        Way::Repeated => repeat(&mut varied.entries, &mut draw),
        Way::Reordered if has_order(case) => shuffle(&mut varied.entries, &mut draw),
        Way::Interleaved if !share_orders(case, other) => {
            complete.extend(other.orders.iter().map(|order| is_complete(other, &order.order_id)));
            varied.orders.extend(other.orders.iter().cloned());
            interleave(&mut varied.entries, other.entries.clone(), &mut draw);
        }
        Way::CutShort if varied.entries.len() > 1 => {
            let length = 1 + draw.below(varied.entries.len() - 1);
            varied.entries.truncate(length);
            complete.fill(false);
        }
        Way::Restarted => restart(&mut varied.entries, &mut draw),
        Way::AtOnce => varied.entries = together(std::mem::take(&mut varied.entries), &mut draw)?,
        Way::Reordered | Way::CutShort | Way::Interleaved => return None,
    }
    varied.title = format!("{}, {}", case.title, way.as_str());
    varied.expect_again(&complete);
    Some(varied)
}

/// Whether an order is in both. Ids that were written by hand and are short stay the same when others are made anew.
fn share_orders(case: &Case, other: &Case) -> bool {
    case.orders.iter().any(|order| other.orders.iter().any(|other| other.order_id == order.order_id))
}

/// The case without one of its entries.
pub(super) fn without(case: &Case, entry: usize) -> Case {
    let mut less = case.clone();
    less.entries.remove(entry);
    less.expect_again(&vec![false; less.orders.len()]);
    less
}

fn is_complete(case: &Case, order: &str) -> bool {
    case.expect.iter().any(|end| end.order_id == order && end.available_to_refund_amount.is_some())
}

/// Whether every order of the events ends in the same state for whoever goes by their times: no two of one moment tell
/// different things of the same.
fn has_order(case: &Case) -> bool {
    let all: Vec<&Delivery> = case.all_deliveries().collect();
    let differ = |one: &Delivery, other: &Delivery| {
        let same_moment = one.event.created_time == other.event.created_time && one.event.id != other.event.id;
        same_moment && one.event.tells.iter().any(|tell| other.event.tells.iter().any(|other| contradicts(tell, other)))
    };
    case.entries.len() > 1 && !all.iter().enumerate().any(|(place, one)| all[..place].iter().any(|other| differ(one, other)))
}

fn contradicts(one: &Tell, other: &Tell) -> bool {
    match (one, other) {
        (Tell::Refund { id, state, .. }, Tell::Refund { id: other, state: of_other, .. }) => id == other && state != of_other,
        (Tell::Total { id, refunded_amount, .. }, Tell::Total { id: other, refunded_amount: of_other, .. }) => {
            id == other && refunded_amount != of_other
        }
        (Tell::Dispute { id, taken_amount, by, .. }, Tell::Dispute { id: other, taken_amount: of_other, by: by_other, .. }) => {
            id == other && by == by_other && taken_amount != of_other
        }
        (Tell::Charge { id, refunds, .. }, Tell::Charge { id: other, refunds: of_other, .. }) => id == other && refunds != of_other,
        _ => false,
    }
}

fn again(entry: &Entry) -> Entry {
    let mut entry = entry.clone();
    if let Act::Deliver(delivery) = &mut entry.act {
        delivery.fault = Some("redelivery".to_owned());
    }
    entry
}

/// Half of the deliveries, the first among them, come again.
fn repeat(entries: &mut Vec<Entry>, draw: &mut Draw) {
    let firsts = entries.clone();
    for (number, first) in firsts.iter().enumerate().filter(|(_, entry)| matches!(entry.act, Act::Deliver(_))) {
        if number == 0 || draw.below(2) == 0 {
            let own = entries.iter().position(|entry| entry == first).unwrap_or(0);
            let place = own + 1 + draw.below(entries.len() - own);
            entries.insert(place.min(entries.len()), again(first));
        }
    }
}

fn shuffle(entries: &mut [Entry], draw: &mut Draw) {
    for place in (1..entries.len()).rev() {
        entries.swap(place, draw.below(place + 1));
    }
}

fn interleave(entries: &mut Vec<Entry>, others: Vec<Entry>, draw: &mut Draw) {
    let mut own = std::mem::take(entries).into_iter().peekable();
    let mut others = others.into_iter().peekable();
    while own.peek().is_some() || others.peek().is_some() {
        let takes_own = others.peek().is_none() || own.peek().is_some() && draw.below(2) == 0;
        entries.extend(if takes_own { own.next() } else { others.next() });
    }
}

fn restart(entries: &mut Vec<Entry>, draw: &mut Draw) {
    for _ in 0..1 + draw.below(2) {
        let place = 1 + draw.below(entries.len());
        let restart = Entry { act: Act::Restart, expect: Vec::new(), expect_if_refused: Vec::new() };
        entries.insert(place.min(entries.len()), restart);
    }
}

/// Groups of two to four deliveries.
fn together(entries: Vec<Entry>, draw: &mut Draw) -> Option<Vec<Entry>> {
    let mut grouped: Vec<Entry> = Vec::new();
    let mut group: Vec<Delivery> = Vec::new();
    let mut size = 2 + draw.below(3);
    let act = |act| Entry { act, expect: Vec::new(), expect_if_refused: Vec::new() };
    let close = |group: &mut Vec<Delivery>, grouped: &mut Vec<Entry>| match group.len() {
        0 => {}
        1 => grouped.extend(group.pop().map(|one| act(Act::Deliver(Box::new(one))))),
        _ => grouped.push(act(Act::Together(std::mem::take(group)))),
    };
    for entry in entries {
        match entry.act {
            Act::Deliver(delivery) => group.push(*delivery),
            other => {
                close(&mut group, &mut grouped);
                grouped.push(act(other));
            }
        }
        if group.len() == size {
            close(&mut group, &mut grouped);
            size = 2 + draw.below(3);
        }
    }
    close(&mut group, &mut grouped);
    grouped.iter().any(|entry| matches!(entry.act, Act::Together(_))).then_some(grouped)
}
