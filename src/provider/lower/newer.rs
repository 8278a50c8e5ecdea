//! Snapshots that are newer than their events.
//!
//! A provider may write the body of an event when it sends it and not when the thing happened, so that the event that a refund
//! was made already shows that it was paid back. Such an event is sent once the refund has gone on, and what it tells is what
//! its body shows. It is done where the refund goes on to success and nothing was told of it in between: then whoever goes by
//! the times of events and whoever goes by the life of the refund come to the same end.

use super::{Stage, order::When};
use crate::{
    case::Act,
    domain::{EventTime, RefundState},
    model::{Change, Tell},
    plan::{Fault, FaultKind},
    provider::{Message, Shown},
};

/// The first event of a refund, to be written anew when the refund goes on.
pub(super) struct Held {
    order: usize,
    refund: usize,
    /// What it tells of, and when that was.
    change: Change,
    times: Vec<EventTime>,
    moment: u64,
    /// Which of the events that were created it is.
    created: u32,
    event_id: String,
    /// How many other deliveries come between.
    after: u8,
}

impl Stage<'_> {
    /// Notes the event of a new refund whose snapshot is to be newer. `messages` are those that are sent, of which the first is
    /// created next.
    pub(super) fn hold(&mut self, index: usize, change: &Change, faults: &[Fault], messages: &[Message], times: &[EventTime]) {
        let Change::Opened { refund, .. } = *change else { return };
        let after = faults.iter().find_map(|fault| if let FaultKind::Newer { after } = fault.kind { Some(after) } else { None });
        let Some(after) = after.filter(|_| self.provider.palette().newer_snapshots) else { return };
        let id = &self.orders[index].names.refunds[refund];
        // It tells of this refund and of nothing else.
        let is_first = |message: &Message| {
            let tells = &message.facts.tells[..];
            matches!(tells, [Tell::Refund { id: told, state, in_passing: false, .. }] if told == id && state.is_open())
        };
        let Some(first) = messages.first().filter(|message| is_first(message)) else { return };
        self.held.push(Held {
            order: index,
            refund,
            change: change.clone(),
            times: times.to_vec(),
            moment: self.moment,
            created: self.created,
            event_id: first.facts.id.clone(),
            after,
        });
    }

    /// Lets the events that are held show what has become of their refunds.
    pub(super) fn show_newer(&mut self, index: usize, change: &Change, look: u32) {
        let (told, succeeds): (&[usize], bool) = match change {
            Change::Moved { refunds, to, .. } => (refunds, *to == RefundState::Succeeded),
            Change::MetadataUpdated { refund } => (std::slice::from_ref(refund), false),
            // One that a dispute fails never succeeds.
            _ => return,
        };
        let is_told = |held: &Held| held.order == index && told.contains(&held.refund);
        let (now, later): (Vec<Held>, Vec<Held>) = std::mem::take(&mut self.held).into_iter().partition(is_told);
        self.held = later;
        for held in now.iter().filter(|_| succeeds) {
            let when = When { mint: self.mint, moment: held.moment, look, older: self.audience.older };
            let scene = self.orders[index].scene(index, &held.times, when);
            let written = self.provider.tell(&scene, &held.change);
            if let Some(newer) = written.into_iter().find(|message| message.facts.id == held.event_id) {
                self.replace(held, &newer);
            }
        }
    }

    /// Sends the newer snapshot in place of the event as it was, with its redeliveries, once the refund has gone on.
    fn replace(&mut self, held: &Held, newer: &Message) {
        let now = (self.created * 2 + u32::from(held.after) * 2).saturating_sub(1);
        let mut sends: Vec<_> =
            self.sends.iter_mut().filter(|send| send.created == held.created && matches!(send.act, Act::Deliver(_))).collect();
        let is_itself =
            |act: &Act| matches!(act, Act::Deliver(delivery) if delivery.event.id == held.event_id && delivery.mutation_kind.is_none());
        // What else befell it is about the body as it was.
        if !sends.iter().all(|send| is_itself(&send.act)) {
            return;
        }
        // Who fetches the event sees it as it is sent.
        let known = self.api.iter_mut().find(|object| object.id == held.event_id);
        if let (Some(known), Some(written)) = (known, Shown::event(newer)) {
            known.body = written.body;
        }
        let by = sends.iter().map(|send| send.place).min().map_or(0, |first| now.saturating_sub(first));
        for send in &mut sends {
            send.place += by;
            if let Act::Deliver(delivery) = &mut send.act {
                delivery.body = crate::case::Body::new(newer.body.clone());
                delivery.event.tells.clone_from(&newer.facts.tells);
                delivery.fault.get_or_insert_with(|| FaultKind::Newer { after: 0 }.name().to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        case::Delivery,
        domain::RefundState,
        model::Tell,
        plan::{Action, FailureShape, Fault, FaultKind, OrderPlan, Pick, Plan, Step},
        provider::{Provider, lower, lower::tests::that_has},
    };

    fn having() -> &'static dyn Provider {
        that_has(|palette| palette.newer_snapshots)
    }

    /// The event that a refund was made, which is to be newer, and its place among those that are sent, where these follow.
    #[track_caller]
    fn first(after: u8, follow: &[Action]) -> (usize, Delivery) {
        let provider = having();
        let newer = Fault { event: 0, kind: FaultKind::Newer { after } };
        let opened = Step { faults: vec![newer], ..Step::plain(Action::refund(Pick::Units(3))) };
        let steps = [opened].into_iter().chain(follow.iter().cloned().map(Step::plain)).collect();
        let case = lower(provider, &Plan { orders: Vec::new(), steps, only: Vec::new(), look: 0 }, 7).case;
        let found = case.all_deliveries().cloned().enumerate().find(|(_, delivery)| delivery.event.sequence == 1);
        found.expect("it is sent")
    }

    #[track_caller]
    fn shows(delivery: &Delivery, expected: RefundState) {
        let [Tell::Refund { state, .. }] = &delivery.event.tells[..] else { panic!("{:?}", delivery.event.tells) };
        assert_eq!(*state, expected);
        let word = if expected == RefundState::Succeeded { "\"status\": \"succeeded\"" } else { "\"status\": \"pending\"" };
        assert!(delivery.body.text().is_some_and(|body| body.contains(word)), "{:?}", delivery.body);
    }

    const PAID: Action = Action::Succeed { refund: 0, paid: Pick::All };
    const UPDATED: Action = Action::UpdateMetadata { refund: 0 };
    const FAILED: Action = Action::Fail { refund: 0, reason: true, shape: FailureShape::Charge };

    #[test]
    fn it_shows_what_became_of_the_refund_and_comes_when_it_did() {
        let (early, delivery) = first(0, &[PAID]);
        shows(&delivery, RefundState::Succeeded);
        assert_eq!(delivery.fault.as_deref(), Some(FaultKind::Newer { after: 0 }.name()));
        let (late, delivery) = first(2, &[PAID]);
        shows(&delivery, RefundState::Succeeded);
        assert_eq!((early, late), (1, 3));
    }

    #[test]
    fn what_another_order_comes_to_does_not_matter() {
        let provider = having();
        let newer = Fault { event: 0, kind: FaultKind::Newer { after: 0 } };
        let opened = |order, faults: Vec<Fault>| Step { order, faults, ..Step::plain(Action::refund(Pick::Units(3))) };
        let paid = |order| Step { order, ..Step::plain(PAID) };
        let steps = vec![opened(0, vec![newer]), opened(1, Vec::new()), paid(1), paid(0)];
        let orders = vec![OrderPlan::default(), OrderPlan::default()];
        let case = lower(provider, &Plan { orders, steps, only: Vec::new(), look: 0 }, 7).case;
        let (place, first) = case.all_deliveries().enumerate().find(|(_, delivery)| delivery.event.sequence == 1).expect("it is sent");
        shows(first, RefundState::Succeeded);
        // Whatever came before the refund went on comes before it.
        assert_eq!(case.all_deliveries().take(place).filter(|delivery| delivery.event.sequence > 1).count(), 5);
    }

    #[test]
    fn it_stays_as_it_was_where_the_two_could_contradict_each_other() {
        for follow in [vec![], vec![FAILED], vec![UPDATED, PAID]] {
            let (place, delivery) = first(0, &follow);
            shows(&delivery, RefundState::Pending);
            assert_eq!((place, delivery.fault), (0, None), "{follow:?}");
        }
    }
}
