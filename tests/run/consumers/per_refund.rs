//! A state machine for each refund, and nothing but refund events: no charge, no order, no chargeback.

use std::collections::{BTreeMap, HashMap};

use refundproof::{
    adapter::{Capabilities, Observable, TargetError},
    case::{OrderSetup, OwnRefund},
    domain::{Amount, EventTime, OrderState, RefundState, RefundView},
};

use super::{
    Consumer, Facts, observing,
    parse::{Event, News, Refund},
    subscribed,
};

#[derive(Default)]
pub(crate) struct PerRefund {
    orders: HashMap<String, (Facts, BTreeMap<String, Machine>)>,
}

enum Machine {
    /// The newest event so far was created then; the shop's own request is older than any.
    Open(Option<EventTime>, RefundState, Amount),
    Succeeded {
        asked: Amount,
        paid: Amount,
    },
    Failed(Amount),
}

impl Machine {
    fn step(self, at: Option<EventTime>, told: &Refund) -> Machine {
        match (self, told.state) {
            (Machine::Open(..), RefundState::Succeeded) => Machine::Succeeded { asked: told.amount, paid: told.paid },
            (Machine::Open(..), RefundState::Failed) => Machine::Failed(told.amount),
            (Machine::Open(known, ..), state) if known < at => Machine::Open(at, state, told.amount),
            (unmoved, _) => unmoved,
        }
    }

    fn view(&self) -> (RefundState, Amount, Amount) {
        match *self {
            Machine::Open(_, state, asked) => (state, asked, Amount::ZERO),
            Machine::Succeeded { asked, paid } => (RefundState::Succeeded, asked, paid),
            Machine::Failed(asked) => (RefundState::Failed, asked, Amount::ZERO),
        }
    }
}

impl PerRefund {
    fn step(&mut self, order_id: &str, at: Option<EventTime>, told: &Refund) {
        let Some((_, machines)) = self.orders.get_mut(order_id) else { return };
        let machine = machines.remove(&told.id).unwrap_or(Machine::Open(None, RefundState::Pending, told.amount));
        machines.insert(told.id.clone(), machine.step(at, told));
    }
}

impl Consumer for PerRefund {
    fn claims(&self) -> Capabilities {
        let observes = [Observable::Currency, Observable::Refunds, Observable::AvailableToRefundAmount, Observable::ChargedBackAmount];
        observing(&observes).with(|claims| {
            claims.subscribes = subscribed(&["refund.*"]);
            claims.initiates_refunds = true;
        })
    }

    fn open(&mut self, order: &OrderSetup) {
        self.orders.insert(order.order_id.clone(), (Facts::of(order), BTreeMap::new()));
    }

    fn facts(&self, order_id: &str) -> Option<Facts> {
        self.orders.get(order_id).map(|(facts, _)| facts.clone())
    }

    fn book(&mut self, event: Event) {
        if let News::Refund(told) = &event.news {
            self.step(&event.order_id, Some(event.at), told);
        }
    }

    fn own(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        let told = Refund { id: own.refund.id.clone(), state: RefundState::Pending, amount: own.refund.amount, paid: Amount::ZERO };
        self.step(&own.order_id, None, &told);
        Ok(())
    }

    fn show(&self, order_id: &str) -> Option<OrderState> {
        let (facts, machines) = self.orders.get(order_id)?;
        let (mut paid, mut open, mut states, mut refunds) = (Amount::ZERO, Amount::ZERO, Vec::new(), Vec::new());
        for (id, machine) in machines {
            let (state, asked, refunded) = machine.view();
            paid += refunded;
            open += if state.is_final() { Amount::ZERO } else { asked };
            states.push(state);
            refunds.push(RefundView::new(id.clone(), state, refunded).with(|view| view.amount = Some(asked)));
        }
        let mut state = facts.state(order_id, paid, false, &states);
        state.available_to_refund_amount = Some(facts.captured - paid - open);
        state.charged_back_amount = Some(Amount::ZERO);
        state.refunds = Some(refunds);
        Some(state)
    }
}
