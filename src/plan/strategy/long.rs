//! One long case: what is remembered of an event must outlast some hundred others.

use super::{Palette, Recipe};
use crate::plan::step::{Action, Fault, FaultKind, Level, Opening, OrderPlan, Pick, Plan, Step};

/// How many orders there are: of a provider whose charges tell of refunds too, each refund has more events.
const ORDERS: u8 = 64;
const MORE_ORDERS: u8 = 128;

/// How many of the first events come again; where a step has fewer, one of them comes more than once.
const AGAIN: u8 = 4;

/// Refunds of many orders, and when all of them have been told of, the events of the first one again. `None` for recipes that
/// are about something else.
pub fn long_plan(recipe: Recipe, palette: &Palette) -> Option<Plan> {
    if recipe != Recipe::Duplicates {
        return None;
    }
    let count = if palette.charges { ORDERS } else { MORE_ORDERS };
    let ask = Action::Refund { amount: Pick::Units(250), level: Level::Order, joins: false, own: false, kind: 0, opens: Opening::Pending };
    let life = |order: u8| {
        let step = |action: &Action| Step { order, ..Step::plain(action.clone()) };
        [step(&ask), step(&Action::Succeed { refund: 0, paid: Pick::All })]
    };
    let mut steps: Vec<Step> = (0..count).flat_map(life).collect();
    for step in steps.iter_mut().take(2) {
        step.faults = (0..AGAIN).map(|event| Fault { event, kind: FaultKind::MuchLater { hours: 0, first: false } }).collect();
    }
    Some(Plan { orders: vec![OrderPlan::default(); count.into()], steps, only: Vec::new(), look: 0 })
}
