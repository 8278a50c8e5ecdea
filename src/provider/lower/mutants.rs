//! What mutations make of deliveries.

use std::rc::Rc;

use super::{MOST_DOUBTFUL, Stage};
use crate::{
    case::{Delivery, Effect},
    mutate::{Anatomy, Mutant, effect, mutate, unusual},
    plan::{FaultKind, Group, Mutation},
};

/// A delivery with what is sent besides, each with the number of deliveries that come between the two.
pub(super) struct Mutants {
    /// It itself, or what stands in its place.
    pub(super) original: Delivery,
    /// What comes before it.
    pub(super) before: Vec<(Delivery, u8)>,
    /// What imitates it when it is known.
    pub(super) copies: Vec<(Delivery, u8)>,
}

impl Stage<'_> {
    /// What mutations make of a delivery.
    pub(super) fn mutants(&mut self, order: usize, mut original: Delivery, befalls: &[&FaultKind]) -> Mutants {
        let (mut before, mut copies) = (Vec::new(), Vec::new());
        for (index, kind) in befalls.iter().enumerate() {
            if let FaultKind::Unusual { mutation } = **kind {
                original = self.unusual(order, mutation, &original).unwrap_or(original);
            }
            let FaultKind::Mutated { mutation, same_id, after } = **kind else { continue };
            let fresh = self.mint.uuid("doubtful", u64::from(self.created) * 16 + index as u64);
            // What may be taken for known without having been applied must not hide the original.
            let same_id = same_id && !matches!(mutation.kind.group(), Group::Doubtful | Group::Unusual);
            let fresh = (!same_id).then_some(fresh.as_str());
            match self.mutate(order, mutation, &original, fresh) {
                Some(Mutant { delivery, replaces: true }) => original = delivery,
                Some(Mutant { delivery, .. }) => {
                    let doubtful = delivery.effect == Effect::Tolerate;
                    if !doubtful || self.doubtful[order] < MOST_DOUBTFUL {
                        self.doubtful[order] += u8::from(doubtful);
                        let place = if kind.imitates() { &mut copies } else { &mut before };
                        place.push((delivery, after));
                    }
                }
                None => {}
            }
        }
        Mutants { original, before, copies }
    }

    pub(super) fn mutate(&mut self, order: usize, mutation: Mutation, original: &Delivery, fresh_id: Option<&str>) -> Option<Mutant> {
        if !self.provider.palette().has(mutation.kind) {
            return None;
        }
        let anatomy = self.anatomy(order, original)?;
        // What need not be rejected is of no use to those who ask for a rejection.
        let is_strict = mutation.kind.group() != Group::Incomplete || effect(mutation.kind, &anatomy) == Effect::Reject;
        is_strict.then(|| mutate(mutation, original, &anatomy, fresh_id)).flatten()
    }

    pub(super) fn unusual(&mut self, order: usize, mutation: Mutation, original: &Delivery) -> Option<Delivery> {
        let anatomy = self.anatomy(order, original)?;
        unusual(mutation, original, &anatomy)
    }

    /// The places in a body of the order that is told of now.
    fn anatomy(&mut self, order: usize, original: &Delivery) -> Option<Rc<Anatomy>> {
        if let Some((_, known)) = self.anatomies.iter().find(|(body, _)| *body == original.body) {
            return Some(Rc::clone(known));
        }
        let body = serde_json::from_str(original.body.text()?).ok()?;
        let captured = self.orders[order].amount(self.orders[order].truth.captured);
        let anatomy = self.provider.anatomy(&original.event, &body, captured, self.orders[order].currency);
        let anatomy = Rc::new(Anatomy { body, ..anatomy });
        self.anatomies.push((original.body.clone(), Rc::clone(&anatomy)));
        Some(anatomy)
    }
}
