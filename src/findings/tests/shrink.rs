//! How small plans get where attempts cost little.

use std::{cell::Cell, time::Duration};

use super::{plan, refund, with_faults};
use crate::{
    findings::{ShrinkLimits, Shrunk, shrink, shrink::omissions},
    plan::{Action, FaultKind, Pick, Plan, Step},
};

const LIMITS: ShrinkLimits = ShrinkLimits { attempts: 1000, time: Duration::from_secs(1000) };

/// The smallest plan that the script says fails, and how often it was asked. Each attempt takes a second; a plan is as large as it
/// has steps.
fn shrunk(first: &Plan, limits: ShrinkLimits, script: &dyn Fn(&Plan) -> bool) -> (Shrunk<u64>, u64) {
    let asked = Cell::new(0);
    let fails = |plan: &Plan| {
        asked.set(asked.get() + 1);
        script(plan).then(|| (plan.steps.len(), asked.get()))
    };
    let shrunk = shrink(Shrunk { plan: first.clone(), shown: 0, is_smallest: false }, limits, || Duration::from_secs(asked.get()), fails);
    (shrunk, asked.get())
}

fn several() -> Plan {
    let succeed = Action::Succeed { refund: 0, paid: Pick::All };
    plan([refund(), Action::Other { event: 1 }, succeed, Action::Other { event: 2 }].map(Step::plain).to_vec())
}

fn is_paid(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| matches!(step.action, Action::Succeed { .. }))
}

#[test]
fn what_does_not_matter_goes() {
    let (shrunk, asked) = shrunk(&several(), LIMITS, &is_paid);
    assert!(shrunk.plan.steps.len() == 1 && is_paid(&shrunk.plan) && shrunk.is_smallest);
    assert!(shrunk.shown > 0 && shrunk.shown < asked, "what the smallest showed, and not what came after");
}

#[test]
fn what_fails_whatever_comes_is_one_event() {
    let (shrunk, _) = shrunk(&several(), LIMITS, &|plan| !plan.steps.is_empty());
    assert_eq!(shrunk.plan.steps, [Step::plain(Action::Other { event: 0 })]);
    assert!(shrunk.is_smallest);
}

#[test]
fn what_does_not_fail_again_stays_as_it_is() {
    let (shrunk, asked) = shrunk(&several(), LIMITS, &|_| false);
    // The one event that tells nothing, and the plan itself.
    assert_eq!((shrunk.plan, shrunk.shown, shrunk.is_smallest, asked), (several(), 0, true, 2));
}

#[test]
fn limits_end_the_search() {
    let (cut, asked) = shrunk(&several(), ShrinkLimits { attempts: 3, ..LIMITS }, &is_paid);
    assert_eq!((cut.is_smallest, asked), (false, 3));
    let (cut, asked) = shrunk(&several(), ShrinkLimits { time: Duration::from_secs(3), ..LIMITS }, &is_paid);
    assert_eq!((cut.is_smallest, asked), (false, 4));
    let (cut, asked) = shrunk(&several(), ShrinkLimits { attempts: 0, ..LIMITS }, &is_paid);
    assert_eq!((cut.plan, cut.is_smallest, asked), (several(), false, 0));
}

/// A plan that leaves one more event out and sends as much says nothing simpler.
#[test]
fn leaving_out_what_is_not_sent_is_not_simpler() {
    let (shrunk, _) = shrunk(&several(), LIMITS, &is_paid);
    assert_eq!(omissions(&shrunk.plan), 0);
    let two = plan(vec![with_faults(refund(), &[FaultKind::Omit, FaultKind::RestartAfter]), with_faults(refund(), &[FaultKind::Omit])]);
    assert_eq!(omissions(&two), 2);
}
