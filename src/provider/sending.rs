//! In which order the deliveries of a case are sent, which of them at the same time, and which not at all.

use std::collections::HashSet;

use crate::{
    case::{Act, Delivery, Effect, Entry, OwnRefund},
    model::Tell,
    plan::MutationKind,
};

/// One thing to send, and its place in the line.
pub(super) struct Send {
    /// Twice the number of deliveries before it; odd numbers come between.
    pub(super) place: u32,
    pub(super) order: usize,
    pub(super) created: u32,
    pub(super) act: Act,
    /// How many of the deliveries that follow are sent at the same time as it.
    pub(super) with: u8,
    /// Whether it keeps its place although it tells of what others have told before.
    pub(super) stays: bool,
}

/// Where those deliveries stand for which everything else is waited for.
const WHEN_ALL_WAS_SENT: u32 = 1 << 24;
/// How many places there are between two hours.
const HOUR: u32 = 1 << 12;

impl Send {
    /// So many hours pass when everything else has been sent.
    pub(super) fn hours(hours: u8) -> Send {
        let place = WHEN_ALL_WAS_SENT + u32::from(hours) * HOUR;
        Send { place, order: usize::MAX, created: u32::MAX, act: Act::Advance(u64::from(hours) * 3600), with: 0, stays: true }
    }

    /// The place of what is sent then.
    pub(super) fn place_after(hours: u8) -> u32 {
        WHEN_ALL_WAS_SENT + u32::from(hours) * HOUR + 1
    }
}

/// Times are counted from when everything was sent; each is what has passed since the one before.
fn each_after_the_other(sends: &mut Vec<Send>) {
    let mut passed = 0;
    sends.retain_mut(|send| {
        let Act::Advance(seconds) = &mut send.act else { return true };
        let more = seconds.saturating_sub(passed);
        passed += more;
        *seconds = more;
        more > 0
    });
}

/// Sorts by place; an own refund goes before every delivery of its order that was created after it, because the
/// shop commonly knows of its own refund before the provider tells of it, unless it is to come late.
pub(super) fn in_sending_order(mut sends: Vec<Send>) -> Vec<Entry> {
    let hoisted: Vec<(usize, u32)> = sends
        .iter()
        .enumerate()
        .filter(|(_, send)| matches!(send.act, Act::Initiate(_)) && !send.stays)
        .map(|(index, own)| {
            let later = sends.iter().filter(|send| send.order == own.order && send.created >= own.created);
            (index, later.map(|send| send.place).min().unwrap_or(own.place))
        })
        .collect();
    for (index, place) in hoisted {
        sends[index].place = place;
    }
    sends.sort_by_key(|send| (send.place, !matches!(send.act, Act::Initiate(_))));
    each_after_the_other(&mut sends);
    let mut acts = grouped(sends);
    leave_out_what_can_be_told_otherwise(&mut acts);
    let calm = |act: Act| match act {
        // Where no webhook comes before the answer, the answer is all that the shop hears.
        Act::Initiate(own) => Act::Initiate(OwnRefund { answer_lost: false, ..own }),
        act => act,
    };
    acts.into_iter().map(calm).map(|act| Entry { act, expect: Vec::new(), expect_if_refused: Vec::new() }).collect()
}

/// Leaves out rejections that a target need not make, because it may know from earlier events what is missing.
fn leave_out_what_can_be_told_otherwise(acts: &mut Vec<Act>) {
    // Of most cases nothing is missing, and then nobody need know what was told.
    if !acts.iter().flat_map(Act::deliveries).any(lacks_something) {
        return;
    }
    let mut known = KnownParts::default();
    acts.retain_mut(|act| match act {
        Act::Deliver(delivery) => known.permits(delivery),
        Act::Together(deliveries) => {
            deliveries.retain(|delivery| known.permits(delivery));
            !deliveries.is_empty()
        }
        Act::Meanwhile(own, deliveries) => {
            known.refund(&own.refund.id, &own.order_id);
            deliveries.retain(|delivery| known.permits(delivery));
            true
        }
        Act::Initiate(own) => {
            known.refund(&own.refund.id, &own.order_id);
            true
        }
        Act::Restart | Act::Advance(_) | Act::Begin(_) => true,
    });
}

/// Whether something is missing because of which it must be rejected.
fn lacks_something(delivery: &Delivery) -> bool {
    matches!(delivery.mutation_kind, Some(MutationKind::NoOrderId | MutationKind::NoAmount)) && delivery.effect == Effect::Reject
}

/// The refunds and charges that a target was told of, and the orders of such refunds: it may know an order and an amount
/// from there.
#[derive(Default)]
struct KnownParts(HashSet<String>);

impl KnownParts {
    fn refund(&mut self, id: &str, order: &str) {
        self.0.extend([id, order].map(str::to_owned));
    }

    /// Whether a delivery is sent; learns what it tells.
    fn permits(&mut self, delivery: &Delivery) -> bool {
        let order = delivery.event.order_id.as_deref().unwrap_or_default();
        if lacks_something(delivery) {
            return delivery.event.tells.iter().all(|tell| match tell {
                Tell::Refund { id, .. } => !self.0.contains(id),
                Tell::Charge { id, .. } => !self.0.contains(id) && !self.0.contains(order),
                Tell::Total { .. } => !self.0.contains(order),
                Tell::Order { .. } | Tell::Chargeback | Tell::Dispute { .. } => false,
            });
        }
        if matches!(delivery.effect, Effect::Accept | Effect::Tolerate) {
            for tell in &delivery.event.tells {
                match tell {
                    Tell::Refund { id, .. } => self.refund(id, order),
                    Tell::Charge { id, .. } => _ = self.0.insert(id.clone()),
                    Tell::Order { .. } | Tell::Chargeback | Tell::Total { .. } | Tell::Dispute { .. } => {}
                }
            }
        }
        true
    }
}

/// Puts deliveries together that are sent at the same time.
fn grouped(sends: Vec<Send>) -> Vec<Act> {
    let mut acts = Vec::with_capacity(sends.len());
    let mut sends = sends.into_iter().peekable();
    while let Some(send) = sends.next() {
        let mut group: Vec<Delivery> = Vec::new();
        let most = usize::from(send.with);
        let is_own = matches!(send.act, Act::Initiate(_));
        let goes_with = |next: &Send| matches!(next.act, Act::Deliver(_)) && (!is_own || next.order == send.order);
        while group.len() < most
            && let Some(Send { act: Act::Deliver(next), .. }) = sends.next_if(goes_with)
        {
            group.push(*next);
        }
        // What is lost or killed is so by itself.
        let alone = |mut delivery: Delivery| {
            delivery.mishap = None;
            delivery
        };
        acts.push(match send.act {
            act if group.is_empty() => act,
            Act::Initiate(own) => Act::Meanwhile(own, group.into_iter().map(alone).collect()),
            Act::Deliver(first) => Act::Together(std::iter::once(*first).chain(group).map(alone).collect()),
            act => act,
        });
    }
    acts
}
