//! What is made of failing cases: of plans and showings written by hand, of targets that are only scripts, and of some of the bank.

mod alike;
mod bank;
mod dear;
mod scripts;
mod shrink;
mod trigger;

use crate::plan::{Action, Fault, FaultKind, Level, Opening, OrderPlan, Pick, Plan, Step};

/// One plain order to which this happens.
fn plan(steps: Vec<Step>) -> Plan {
    Plan { orders: vec![OrderPlan::default()], steps, only: Vec::new(), look: 0 }
}

/// The plainest refund.
fn refund() -> Action {
    Action::Refund { level: Level::Order, amount: Pick::All, joins: false, own: false, kind: 0, opens: Opening::Pending }
}

/// A step of which these befall the first event.
fn with_faults(action: Action, kinds: &[FaultKind]) -> Step {
    Step { faults: kinds.iter().map(|kind| Fault { event: 0, kind: kind.clone() }).collect(), ..Step::plain(action) }
}
