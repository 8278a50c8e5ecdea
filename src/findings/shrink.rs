//! Making a failing case as small as it gets.
//!
//! Every simpler plan is tried, from the largest cut to the smallest, until none of them fails any more. A smaller case
//! counts when it fails in the same way.

use std::time::Duration;

use crate::plan::{Action, FaultKind, Plan, Step, simpler_plans};

/// When to stop looking for something smaller.
#[derive(Clone, Copy, Debug)]
pub struct ShrinkLimits {
    /// How many plans are tried at most.
    pub attempts: u32,
    /// How long it may take; for targets that are slow, since fast ones run out of plans long before.
    pub time: Duration,
}

impl Default for ShrinkLimits {
    fn default() -> ShrinkLimits {
        ShrinkLimits { attempts: 6_000, time: Duration::from_secs(20) }
    }
}

/// A plan that fails, and what it showed.
#[derive(Clone, Debug)]
pub struct Shrunk<T> {
    /// The plan.
    pub plan: Plan,
    /// What running it showed.
    pub shown: T,
    /// Whether nothing more could go; false where a limit ended the search.
    pub is_smallest: bool,
}

/// Shrinks a failing plan. `fails` runs a plan and gives its size (deliveries above all) and what it showed
/// if it fails in the same way; `elapsed` is the time since shrinking began.
pub fn shrink<T>(
    first: Shrunk<T>,
    limits: ShrinkLimits,
    mut elapsed: impl FnMut() -> Duration,
    mut fails: impl FnMut(&Plan) -> Option<(usize, T)>,
) -> Shrunk<T> {
    let mut left = limits.attempts;
    let mut best = first;
    let mut try_plan = |plan: &Plan| {
        if left == 0 || elapsed() > limits.time {
            return Err(OutOfLuck);
        }
        left -= 1;
        Ok(fails(plan))
    };
    let _ = by_one_event(&mut best, &mut try_plan);
    best.is_smallest = by_cuts(&mut best, &mut try_plan).is_ok();
    best
}

/// A limit was reached.
struct OutOfLuck;

/// Runs a plan and gives its size and what it showed if it fails in the same way.
type TryPlan<'a, T> = dyn FnMut(&Plan) -> Result<Option<(usize, T)>, OutOfLuck> + 'a;

/// What fails whatever is delivered is shown by one event that tells nothing.
fn by_one_event<T>(best: &mut Shrunk<T>, try_plan: &mut TryPlan<'_, T>) -> Result<(), OutOfLuck> {
    let bare = bare(&best.plan);
    if bare != best.plan
        && let Some((_, shown)) = try_plan(&bare)?
    {
        *best = Shrunk { plan: bare, shown, is_smallest: false };
    }
    Ok(())
}

/// One event that tells nothing, in place of whatever there is.
pub(super) fn bare(plan: &Plan) -> Plan {
    Plan { steps: vec![Step::plain(Action::Other { event: 0 })], only: Vec::new(), ..plan.clone() }
}

/// Whether what is left of a plan is one event that tells nothing.
pub(super) fn is_bare(plan: &Plan) -> bool {
    plan.steps == [Step::plain(Action::Other { event: 0 })]
}

fn by_cuts<T>(best: &mut Shrunk<T>, try_plan: &mut TryPlan<'_, T>) -> Result<(), OutOfLuck> {
    let mut size = match try_plan(&best.plan)? {
        Some((size, shown)) => {
            best.shown = shown;
            size
        }
        // A failure that does not come back is kept as it was seen.
        None => return Ok(()),
    };
    loop {
        let mut better = None;
        for plan in simpler_plans(&best.plan) {
            let Some((new_size, shown)) = try_plan(&plan)? else { continue };
            // Leaving an event out is only simpler if there is really one delivery less.
            if new_size < size || new_size == size && omissions(&plan) <= omissions(&best.plan) {
                better = Some((plan, shown, new_size));
                break;
            }
        }
        match better {
            Some((plan, shown, new_size)) => {
                best.plan = plan;
                best.shown = shown;
                size = new_size;
            }
            None => return Ok(()),
        }
    }
}

/// How many events are left out.
pub(super) fn omissions(plan: &Plan) -> usize {
    plan.steps.iter().flat_map(|step| &step.faults).filter(|fault| fault.kind == FaultKind::Omit).count()
}
