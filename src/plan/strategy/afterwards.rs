//! What befalls plans after they were drawn. What a target claims decides about some of it, so that whoever claims less gets the
//! same plans without it.

use super::{Palette, Recipe, bookings::Bookings, endings::Endings, gaps::Gaps, hours::Hours, trouble::Trouble};
use crate::plan::step::Plan;

/// What befalls the plans of a recipe after they were drawn.
pub struct Afterwards {
    bookings: Option<Bookings>,
    endings: Option<Endings>,
    gaps: Option<Gaps>,
    hours: Option<Hours>,
    trouble: Option<Trouble>,
}

impl Afterwards {
    /// The number of a case that is planned to be longer than others, where there are such.
    pub const LONG: u32 = Endings::LONG;

    /// What befalls the plans of this recipe.
    pub fn of(recipe: Recipe, palette: &Palette) -> Afterwards {
        Afterwards {
            bookings: Bookings::of(recipe, palette),
            endings: Endings::of(recipe, palette),
            gaps: Gaps::of(recipe, palette),
            hours: Hours::of(recipe, palette),
            trouble: Trouble::of(recipe),
        }
    }

    /// The plan of the case with this number, drawn from this seed, with what befalls it; `clock` says whether time can pass for
    /// the target, `durable` whether it may be killed.
    #[must_use]
    pub fn befall(&self, plan: Plan, number: u32, seed: u64, clock: bool, durable: bool) -> Plan {
        let plan = self.bookings.iter().fold(plan, |plan, bookings| bookings.befall(plan, seed));
        let plan = self.gaps.iter().fold(plan, |plan, gaps| gaps.befall(plan, seed));
        let plan = self.hours.iter().filter(|_| clock).fold(plan, |plan, hours| hours.befall(plan, seed));
        let plan = self.trouble.iter().filter(|_| durable).fold(plan, |plan, trouble| trouble.befall(plan, seed));
        self.endings.iter().fold(plan, |plan, endings| endings.befall(plan, number, seed))
    }
}
