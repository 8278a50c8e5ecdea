//! What is made of failing cases: of plans and showings written by hand, of targets that are only scripts, and of some of the bank.

mod alike;
mod bank;
mod dear;
mod played;
mod scripts;
mod shrink;
mod subject;
mod trigger;

use crate::{
    case::Case,
    check::{Failure, FailureKind},
    plan::{Action, Fault, FaultKind, OrderPlan, Pick, Plan, Step},
};

/// One plain order to which this happens.
fn plan(steps: Vec<Step>) -> Plan {
    Plan { orders: vec![OrderPlan::default()], steps, only: Vec::new(), look: 0 }
}

/// The plainest refund.
fn refund() -> Action {
    Action::refund(Pick::All)
}

/// A step of which these befall the first event.
fn with_faults(action: Action, kinds: &[FaultKind]) -> Step {
    Step { faults: kinds.iter().map(|kind| Fault { event: 0, kind: kind.clone() }).collect(), ..Step::plain(action) }
}

/// Whether a case has an event of this type.
fn tells(case: &Case, kind: &str) -> bool {
    case.all_deliveries().any(|delivery| delivery.event.kind == kind)
}

/// A failure of this kind, after this entry or at the end: something else was seen than what must be.
fn failure(kind: FailureKind, entry: Option<usize>, observed: &str) -> Failure {
    let [message, expected, observed] = ["it is wrong", "refunded", observed].map(str::to_owned);
    let diff = format!("-status {expected}\n+status {observed}\n");
    Failure { kind, entry, message, expected, observed, diff }
}
