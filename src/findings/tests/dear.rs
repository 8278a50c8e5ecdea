//! How few attempts it takes where each is dear.

use std::time::Duration;

use super::{plan, refund, with_faults};
use crate::{
    findings::{
        ShrinkLimits, Shrunk,
        dear::{Player, shrink_dear},
    },
    plan::{Action, Fault, FaultKind, OrderPlan, Pick, Plan, Step},
};

/// Each step sends so many events, of which those that are left out are not sent; some are sent once more, or twice.
const FAMILY: u8 = 3;

/// A target that fails whatever the script says, and takes a second for each call.
struct Scripted<'s> {
    script: &'s dyn Fn(&Plan) -> bool,
    played: Vec<Vec<Plan>>,
}

impl Player<usize> for Scripted<'_> {
    fn size(&mut self, plan: &Plan) -> usize {
        let left_out = |step: &Step, event: u8| step.faults.iter().any(|fault| fault.kind == FaultKind::Omit && fault.event == event);
        let more = |fault: &Fault| match fault.kind {
            FaultKind::Again { .. } => 1,
            FaultKind::AnswerLost { .. } => 2,
            _ => 0,
        };
        let of = |step: &Step| (0..FAMILY).filter(|event| !left_out(step, *event)).count() + step.faults.iter().map(more).sum::<usize>();
        plan.steps.iter().map(of).sum()
    }

    fn fails(&mut self, plans: &[Plan]) -> Vec<Option<(usize, usize)>> {
        self.played.push(plans.to_vec());
        let attempt = self.played.len();
        plans.iter().map(|plan| (self.script)(plan).then(|| (self.size(plan), attempt))).collect()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.played.len() as u64)
    }
}

const LIMITS: ShrinkLimits = ShrinkLimits { attempts: 1000, time: Duration::from_secs(1000) };

/// The smallest plan, whether it is known to be, and which plans were played at once.
fn shrunk(first: &Plan, limits: ShrinkLimits, at_once: usize, script: &dyn Fn(&Plan) -> bool) -> (Shrunk<usize>, Vec<Vec<Plan>>) {
    let mut player = Scripted { script, played: Vec::new() };
    let first = Shrunk { plan: first.clone(), shown: 0, is_smallest: false };
    (shrink_dear(first, limits, at_once, &mut player), player.played)
}

fn other(event: u16) -> Step {
    Step::plain(Action::Other { event })
}

/// So many steps of which nothing but one matters, the tenth.
fn long() -> (Plan, impl Fn(&Plan) -> bool) {
    (plan((1..=16).map(other).collect()), |plan: &Plan| plan.steps.iter().any(|step| step.action == Action::Other { event: 10 }))
}

fn left_out(plan: &Plan) -> Vec<u8> {
    plan.steps.iter().flat_map(|step| &step.faults).filter(|fault| fault.kind == FaultKind::Omit).map(|fault| fault.event).collect()
}

#[test]
fn whole_runs_of_steps_go_first() {
    let (first, script) = long();
    let (shrunk, played) = shrunk(&first, LIMITS, 1, &script);
    let [step] = &shrunk.plan.steps[..] else { panic!("{:?}", shrunk.plan.steps) };
    assert_eq!((&step.action, shrunk.is_smallest), (&Action::Other { event: 10 }, true));
    // Of its events the script does not care for any, but an empty plan shows nothing.
    assert_eq!(left_out(&shrunk.plan).len(), usize::from(FAMILY) - 1);
    // Of each half the later one goes first; an event and a plainer step come last.
    let events = |plan: &Plan| -> Vec<u16> {
        let of = |step: &Step| if let Action::Other { event } = step.action { event } else { 0 };
        plan.steps.iter().map(of).collect()
    };
    let tried: Vec<Vec<u16>> = played.iter().map(|plans| events(&plans[0])).collect();
    let runs = [(1, 16), (0, 0), (1, 8), (9, 16), (9, 12), (9, 10), (9, 9), (10, 10), (10, 10), (0, 0)];
    assert_eq!(tried, runs.map(|(first, last)| (first..=last).collect::<Vec<u16>>()));
    assert_eq!(shrunk.shown, 9, "what the smallest showed");
}

#[test]
fn no_plan_is_tried_twice() {
    let (first, script) = long();
    for at_once in [1, 3] {
        let plans: Vec<Plan> = shrunk(&first, LIMITS, at_once, &script).1.concat();
        let twice = (0..plans.len()).find(|place| plans[..*place].contains(&plans[*place]));
        assert_eq!(twice, None);
    }
}

#[test]
fn several_are_tried_at_once() {
    let (first, script) = long();
    let (alone, one_by_one) = shrunk(&first, LIMITS, 1, &script);
    let (together, at_once) = shrunk(&first, LIMITS, 4, &script);
    assert_eq!(together.plan.steps[0].action, alone.plan.steps[0].action);
    assert!(at_once.len() < one_by_one.len(), "{} calls instead of {}", at_once.len(), one_by_one.len());
    assert!(at_once.iter().any(|plans| plans.len() > 1) && at_once.iter().all(|plans| plans.len() <= 4));
    // None at a time are none; it is taken for one.
    assert_eq!(shrunk(&first, LIMITS, 0, &script).1, one_by_one);
}

#[test]
fn what_fails_whatever_comes_is_one_event() {
    let (shrunk, played) = shrunk(&long().0, LIMITS, 1, &|_| true);
    assert_eq!(shrunk.plan.steps[0].action, Action::Other { event: 0 });
    assert_eq!(played[1][0].steps.len(), 1);
    assert_eq!(left_out(&shrunk.plan).len(), usize::from(FAMILY) - 1);
}

#[test]
fn what_does_not_fail_again_stays_as_it_is() {
    let (first, _) = long();
    let (shrunk, played) = shrunk(&first, LIMITS, 1, &|_| false);
    assert_eq!((&shrunk.plan, shrunk.shown, played.len()), (&first, 0, 1));
}

#[test]
fn what_befalls_deliveries_goes_unless_it_matters() {
    let kinds = [FaultKind::Again { after: 0 }, FaultKind::Omit, FaultKind::Late { by: 1 }, FaultKind::RestartAfter];
    let first = plan(vec![with_faults(refund(), &kinds)]);
    let is_late = |plan: &Plan| plan.steps.iter().flat_map(|step| &step.faults).any(|fault| fault.kind == FaultKind::Late { by: 1 });
    // As many are sent with a fault as without, so that none of these plans is played where less must be sent.
    let (kept, _) = shrunk(&first, LIMITS, 1, &is_late);
    assert!(is_late(&kept.plan));
    assert_eq!(kept.plan.steps[0].faults.iter().filter(|fault| fault.kind != FaultKind::Omit).count(), 1, "{:?}", kept.plan);
}

#[test]
fn whole_runs_of_what_befalls_deliveries_go_first() {
    let again = [1, 2, 3, 4].map(|after| FaultKind::Again { after });
    let first = plan(vec![Step::plain(refund()), with_faults(refund(), &again)]);
    let afters = |plan: &Plan| -> Vec<u8> {
        let of = |fault: &Fault| if let FaultKind::Again { after } = fault.kind { Some(after) } else { None };
        plan.steps.iter().flat_map(|step| &step.faults).filter_map(of).collect()
    };
    let (_, played) = shrunk(&first, LIMITS, 1, &|plan| plan.steps.len() == 2 && afters(plan).contains(&3));
    let with_both_steps = played.iter().map(|plans| &plans[0]).filter(|plan| plan.steps.len() == 2);
    let tried: Vec<Vec<u8>> = with_both_steps.take(5).map(afters).collect();
    assert_eq!(tried, [vec![1, 2, 3, 4], vec![1, 2], vec![3, 4], vec![3], vec![]]);
}

/// What fails whatever comes is found by one event that tells nothing; after that what sends less is tried.
#[test]
fn what_sends_as_much_is_not_tried_before_what_sends_less() {
    let first = plan(vec![with_faults(refund(), &[FaultKind::Late { by: 1 }])]);
    let (_, played) = shrunk(&first, LIMITS, 1, &|plan| plan == &first);
    assert_eq!((&played[1][0], &left_out(&played[2][0])[..]), (&plan(vec![other(0)]), &[2, 1][..]));
}

/// What fails whatever comes takes few attempts, however rich the order is.
#[test]
fn one_event_that_tells_nothing_is_plainer_than_one_that_tells_something() {
    let rich = OrderPlan { captured: 9_999, charges: 3, items: 3, currency: 4, moment: 2, ..OrderPlan::default() };
    let first = Plan { orders: vec![rich.clone(), rich], look: 7, ..plan(vec![Step::plain(refund())]) };
    let bare = plan(vec![other(0)]);
    let (shrunk, played) = shrunk(&first, LIMITS, 1, &|_| true);
    assert_eq!(shrunk.plan.steps[0].action, Action::Other { event: 0 });
    assert_eq!(played[2], [bare]);
}

/// One event that tells nothing comes with its whole family, and is no less where one of it is left out already.
#[test]
fn what_sends_more_is_not_tried() {
    let first = plan(vec![with_faults(refund(), &[FaultKind::Omit])]);
    let (_, played) = shrunk(&first, LIMITS, 1, &|_| true);
    assert!(played.concat().iter().all(|plan| !left_out(plan).is_empty()), "{played:?}");
}

#[test]
fn what_befalls_a_delivery_gets_plainer() {
    let first = plan(vec![with_faults(refund(), &[FaultKind::AnswerLost { after: 0, how: 0 }])]);
    let befallen = |plan: &Plan| plan.steps.iter().flat_map(|step| &step.faults).any(|fault| fault.kind != FaultKind::Omit);
    let (shrunk, _) = shrunk(&first, LIMITS, 1, &befallen);
    let kinds = shrunk.plan.steps[0].faults.iter().map(|fault| &fault.kind).filter(|kind| **kind != FaultKind::Omit);
    assert_eq!(kinds.collect::<Vec<_>>(), [&FaultKind::Again { after: 0 }]);
}

#[test]
fn only_the_event_that_matters_is_sent() {
    let first = plan(vec![Step::plain(refund()), Step::plain(Action::Succeed { refund: 0, paid: Pick::All })]);
    let script =
        |plan: &Plan| plan.steps.len() == 2 && !left_out(&Plan { steps: vec![plan.steps[1].clone()], ..plan.clone() }).contains(&2);
    let (shrunk, _) = shrunk(&first, LIMITS, 1, &script);
    let of_step = |place: usize| -> Vec<u8> {
        let mut events: Vec<u8> = shrunk.plan.steps[place].faults.iter().map(|fault| fault.event).collect();
        events.sort_unstable();
        events
    };
    assert_eq!((of_step(0), of_step(1)), (vec![0, 1, 2], vec![0, 1]));
    assert!(shrunk.is_smallest);
}

#[test]
fn limits_end_the_search() {
    let (first, script) = long();
    let (cut, played) = shrunk(&first, ShrinkLimits { attempts: 4, ..LIMITS }, 1, &script);
    assert_eq!((cut.plan.steps.len(), cut.is_smallest, played.len()), (8, false, 4));
    let (cut, played) = shrunk(&first, ShrinkLimits { time: Duration::from_secs(4), ..LIMITS }, 1, &script);
    assert_eq!((cut.is_smallest, played.len()), (false, 5));
    let (none, played) = shrunk(&first, ShrinkLimits { attempts: 0, ..LIMITS }, 1, &script);
    assert_eq!((none.plan, none.is_smallest, played.len()), (first.clone(), false, 0));
    // Several at once count as several.
    let (_, played) = shrunk(&first, ShrinkLimits { attempts: 5, ..LIMITS }, 4, &script);
    assert!(played.concat().len() <= 8, "{} attempts", played.concat().len());
}
