//! The questions that failing cases are asked, one after the other.
//!
//! What is found depends on the order in which cases are brought, which is that of the catalogue, and on nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    alike::{alike, is_fresh, may_fail, shape_of, wrong_answer, wrong_members},
    likeness::{Dictionary, told_like},
    mistake::{Besides, Examined, Failing, Mistake, Requirement, Shown, Stage, is_lost},
    shrink::is_bare,
    trigger::{Feature, features, undoubted, without},
};
use crate::{
    case::Case,
    check::{FailureKind, likeness_fingerprint},
    plan::{Action, Pick, Plan, Step},
    reference::Fault,
};

/// How often one case is looked at anew after something was learned from it.
const ROUNDS: usize = 6;

/// After so many mistakes nothing more is looked into: a target that is wrong everywhere is known by then.
const MOST_MISTAKES: usize = 24;

/// An inquiry into the failing cases of one target.
pub struct Inquiry<'i, S: Stage> {
    pub(super) stage: S,
    pub(super) requirements: &'i BTreeMap<usize, Requirement>,
    pub(super) dictionary: Dictionary,
    pub(super) mistakes: Vec<Mistake>,
    kinds: Vec<String>,
    /// Mistakes that show whatever is delivered, by the way in which cases fail because of them.
    pub(super) whatever: BTreeMap<FailureKind, usize>,
    /// Which kinds of time were given to see whether they make right what is wrong, each time.
    pub(super) waited_for: Vec<Besides>,
    /// Mistakes of which it is not known yet whether they do what their fault does.
    unverified: Vec<usize>,
    /// Whether a case is being taken apart into two mistakes; the cases that show them alone are not.
    is_taking_apart: bool,
}

impl<'i, S: Stage> Inquiry<'i, S> {
    /// An inquiry in which nothing is known yet. `requirements` are those that cases can be drawn for, by their place in the
    /// catalogue, selected or not.
    pub fn new(stage: S, requirements: &'i BTreeMap<usize, Requirement>) -> Inquiry<'i, S> {
        let kinds = stage.provider().corpus().catalogue.iter().map(|event| event.kind.clone()).collect();
        let dictionary = Dictionary::new(stage.provider());
        let (mistakes, waited_for, whatever) = (Vec::new(), Vec::new(), BTreeMap::new());
        let unverified = Vec::new();
        Inquiry { stage, requirements, dictionary, mistakes, kinds, whatever, waited_for, unverified, is_taking_apart: false }
    }

    /// What was found.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// Who plays the cases.
    pub fn stage(&mut self) -> &mut S {
        &mut self.stage
    }

    /// The faults that the target is taken to have.
    pub(super) fn assumed(&self) -> Vec<Fault> {
        self.mistakes.iter().filter_map(|mistake| mistake.like.first().copied()).collect()
    }

    /// Whether the assumed faults do here what the target did.
    pub fn is_foretold(&mut self, host: usize, case: &Case, shown: &Shown) -> bool {
        let assumed = self.assumed();
        told_like(&mut self.stage, host, case, shown, &assumed).is_some()
    }

    /// The mistakes because of which a case fails, where the faults that they are like do here what the target did. That costs the
    /// target nothing.
    pub fn foretold(&mut self, failing: &Failing) -> Option<Vec<usize>> {
        let assumed = self.assumed();
        if assumed.is_empty() {
            return None;
        }
        let (case, foretold) = told_like(&mut self.stage, failing.host, &failing.case, &failing.shown, &assumed)?;
        let by = self.needed(failing.host, &case, &foretold);
        Some(self.hit(failing, by))
    }

    /// The mistakes because of which a case fails; new ones are found on the way. Empty where nothing could be said.
    pub fn attribute(&mut self, failing: &Failing) -> Vec<usize> {
        let mut met = Vec::new();
        let mut by = self.attribute_own(failing, &mut met);
        met.retain(|place| !by.contains(place));
        by.extend(self.hit(failing, met));
        by
    }

    /// Those that it fails because of itself. Mistakes that are met while it is made smaller, and show with others only, go into `met`.
    fn attribute_own(&mut self, failing: &Failing, met: &mut Vec<usize>) -> Vec<usize> {
        let Some(kind) = failing.shown.failure.as_ref().map(|failure| failure.kind) else { return Vec::new() };
        for _ in 0..ROUNDS {
            if let Some(by) = self.foretold(failing) {
                return by;
            }
            let assumed = self.assumed();
            if let Some(place) = self.shows_whatever(failing, kind) {
                // Each further question would cost as much, and have the same answer.
                return self.hit(failing, vec![place]);
            }
            // What never comes again passes without whatever is taken out of it, too.
            let is_asked_first = self.depends_on_more();
            if is_asked_first && let Some(place) = self.by_besides(failing, kind, false) {
                return self.hit(failing, vec![place]);
            }
            let at = match self.edited(failing, kind) {
                Edited::Because(of) => {
                    self.prove(of, failing, kind);
                    return self.hit(failing, vec![of]);
                }
                Edited::Still(edited) => *edited,
                Edited::Unasked => break,
            };
            if self.mistakes.len() >= MOST_MISTAKES {
                break;
            }
            if !is_asked_first && let Some(place) = self.by_besides(&at, kind, false) {
                return self.hit(failing, vec![place]);
            }
            let before = self.mistakes.len();
            let (smallest, is_smallest, chance) = self.smallest(at, kind);
            if let Some(place) = self.by_besides(&smallest, kind, !is_lost(chance)) {
                if met.contains(&place) {
                    return self.hit(failing, vec![place]);
                }
                // What is left of it is right by itself, and the case was not. It is made smaller once more, with care.
                met.push(place);
                continue;
            }
            if let Some(by) = self.beyond_doubt(&smallest, kind) {
                return self.hit(failing, by);
            }
            let registered = self.register(smallest, kind, is_smallest, chance);
            while let Some(place) = self.unverified.pop() {
                self.verify(place);
            }
            match registered {
                Registered::Known(place) => {
                    self.is_found_to_come_whatever(place);
                    return self.hit(failing, vec![place]);
                }
                Registered::New(place) => {
                    if self.is_found_to_come_whatever(place) {
                        return self.hit(failing, vec![place]);
                    }
                    if is_fresh(&self.mistakes[place], failing) {
                        return self.hit(failing, vec![place]);
                    }
                    // What was shrunk away may be another mistake: the case is asked again, now that this one is known.
                    if self.mistakes[place].like.is_empty() && !self.has_others(failing, place) {
                        return self.hit(failing, vec![place]);
                    }
                }
                Registered::Learned => {}
            }
            if self.mistakes.len() == before && self.assumed() == assumed {
                break;
            }
        }
        // It is not said to fail because of something that is known: that might hide what is not.
        let unknown = if self.stage.is_over() {
            Mistake::unasked(failing.clone(), kind)
        } else {
            Mistake::unexamined(shape_of(failing, kind, false), failing.clone(), kind)
        };
        let place = self.mistakes.iter().position(|mistake| mistake.id == unknown.id).unwrap_or(self.mistakes.len());
        if place == self.mistakes.len() {
            self.mistakes.push(unknown);
        }
        self.hit(failing, vec![place])
    }

    /// The mistake that shows whatever is delivered, if a case fails as it does.
    fn shows_whatever(&self, failing: &Failing, kind: FailureKind) -> Option<usize> {
        let place = *self.whatever.get(&kind)?;
        let is_same = wrong_answer(&self.mistakes[place].smallest.shown) == wrong_answer(&failing.shown);
        (kind != FailureKind::Answer || is_same).then_some(place)
    }

    /// Whether it is found now that a mistake comes whatever is delivered; then that is remembered.
    fn is_found_to_come_whatever(&mut self, place: usize) -> bool {
        let comes = self.comes_whatever(place);
        if comes {
            self.whatever.insert(self.mistakes[place].kind, place);
        }
        comes
    }

    /// Whether a mistake ends the target, makes it hang, or has the same wrong answer, whatever is delivered: after an event that tells
    /// nothing and after one that tells of a refund.
    fn comes_whatever(&mut self, place: usize) -> bool {
        let mistake = &self.mistakes[place];
        let (host, kind) = (mistake.smallest.host, mistake.kind);
        let may = self.stage.is_costly(kind) || kind == FailureKind::Answer;
        if !may || self.whatever.contains_key(&kind) || !mistake.like.is_empty() || !is_bare(&mistake.smallest.plan) {
            return false;
        }
        let refund = Plan { steps: vec![Step::plain(Action::refund(Pick::All))], ..mistake.smallest.plan.clone() };
        let other = self.edits(&refund, &self.mistakes[place].trigger).into_iter().next().unwrap_or(refund);
        let case = self.stage.case(host, &other);
        let shown = self.stage.play(host, &case, Some(kind));
        let is_same = |shown: &Shown| wrong_answer(shown) == wrong_answer(&self.mistakes[place].smallest.shown);
        shown.is_some_and(|shown| shown.failure.as_ref().is_some_and(|failure| failure.kind == kind) && is_same(&shown))
    }

    /// Whether one of these mistakes comes whatever is delivered, so that nothing is right without what others need.
    pub fn is_whatever(&self, mut places: impl Iterator<Item = usize>) -> bool {
        places.any(|place| self.whatever.values().any(|whatever| *whatever == place))
    }

    /// The mistakes because of which a case fails whose doubtful event the target took where the reference refuses it: those that
    /// are foretold of the event as it was, where the same is wrong after that.
    fn beyond_doubt(&mut self, smallest: &Failing, kind: FailureKind) -> Option<Vec<usize>> {
        let plan = undoubted(&smallest.plan);
        if plan == smallest.plan || self.assumed().is_empty() {
            return None;
        }
        let case = self.stage.case(smallest.host, &plan);
        if case.deliveries() == 0 {
            return None;
        }
        let shown = self.stage.play(smallest.host, &case, Some(kind))?;
        let is_same = wrong_members(&shown).is_some() && wrong_members(&shown) == wrong_members(&smallest.shown);
        let sure = Failing { host: smallest.host, number: None, plan, case, shown };
        if is_same { self.foretold(&sure) } else { None }
    }

    /// Whether a case fails for another reason too than a mistake of which only its trigger is known.
    fn has_others(&mut self, failing: &Failing, place: usize) -> bool {
        let Some(kind) = failing.shown.failure.as_ref().map(|failure| failure.kind) else { return false };
        for plan in self.edits(&failing.plan, &self.mistakes[place].trigger.clone()) {
            let case = self.stage.case(failing.host, &plan);
            if case.deliveries() == 0 {
                continue;
            }
            let Some(shown) = self.stage.play(failing.host, &case, Some(kind)) else { return false };
            if shown.failure.is_none() {
                return false;
            }
        }
        true
    }

    /// Notes that a case fails because of these mistakes.
    pub fn hit(&mut self, failing: &Failing, by: Vec<usize>) -> Vec<usize> {
        for place in &by {
            let mistake = &mut self.mistakes[*place];
            mistake.hits.insert(failing.host);
            mistake.first = mistake.first.or(failing.number.map(|number| (failing.host, number)));
        }
        by
    }

    /// The mistakes without whose faults something else would be foretold.
    pub(super) fn needed(&mut self, host: usize, case: &Case, foretold: &Shown) -> Vec<usize> {
        let assumed = self.assumed();
        let with: Vec<usize> = (0..self.mistakes.len()).filter(|place| !self.mistakes[*place].like.is_empty()).collect();
        if with.len() == 1 {
            return with;
        }
        let without = |fault: Option<&Fault>| -> Vec<Fault> { assumed.iter().filter(|other| Some(*other) != fault).copied().collect() };
        let mut by: Vec<usize> = Vec::new();
        for place in &with {
            let rest = without(self.mistakes[*place].like.first());
            if !alike(&self.stage.foretell(host, case, &rest), foretold) {
                by.push(*place);
            }
        }
        if by.is_empty() {
            // Each of them alone suffices.
            for place in &with {
                let alone: Vec<Fault> = self.mistakes[*place].like.first().copied().into_iter().collect();
                if self.stage.foretell(host, case, &alone).failure.is_some() {
                    by.push(*place);
                }
            }
        }
        by
    }

    /// Plans without one of the features.
    pub fn edits(&self, plan: &Plan, trigger: &[Feature]) -> Vec<Plan> {
        let mut edits: Vec<Plan> = Vec::new();
        for feature in trigger {
            let edit = without(plan, feature, &self.kinds);
            if edit != *plan && !edits.contains(&edit) {
                edits.push(edit);
            }
        }
        edits
    }

    /// The case without what the known mistakes need of which no fault foretells anything.
    fn edited(&mut self, failing: &Failing, kind: FailureKind) -> Edited {
        let mut at = failing.clone();
        for place in 0..self.mistakes.len() {
            let mistake = &self.mistakes[place];
            if !mistake.like.is_empty() || mistake.trigger.is_empty() || !may_fail(mistake, &at, kind) {
                continue;
            }
            let trigger = mistake.trigger.clone();
            let mut still = None;
            for plan in self.edits(&at.plan, &trigger) {
                let case = self.stage.case(at.host, &plan);
                if case.deliveries() == 0 {
                    continue;
                }
                let Some(shown) = self.stage.play(at.host, &case, Some(kind)) else { return Edited::Unasked };
                // Where nothing is wrong, targets may still answer a doubtful event differently.
                if shown.failure.is_none() || self.is_foretold(at.host, &case, &shown) {
                    return Edited::Because(place);
                }
                if shown.failure.as_ref().is_some_and(|failure| failure.kind == kind) && still.is_none() {
                    still = Some(Failing { plan, case, shown, ..at.clone() });
                }
            }
            at = still.unwrap_or(at);
        }
        Edited::Still(Box::new(at))
    }

    fn register(&mut self, smallest: Failing, kind: FailureKind, is_smallest: bool, chance: Option<(u32, u32)>) -> Registered {
        let assumed = self.assumed();
        let (like, failing_faults) = self.look_up(&smallest, &assumed);
        if like.is_empty() && self.found_by_two(&smallest, &assumed) {
            return Registered::Learned;
        }
        if like.is_empty() && !assumed.is_empty() {
            // Either this is nothing that the bank has, or the target does not have what it was taken to have.
            let with = self.stage.foretell(smallest.host, &smallest.case, &assumed);
            let right = self.stage.foretell(smallest.host, &smallest.case, &[]);
            if !alike(&with, &right) {
                let wrong = self.needed(smallest.host, &smallest.case, &with);
                self.drop_likeness(&wrong);
                return Registered::Learned;
            }
        }
        if let Some(place) = self.named_anew(&like) {
            return Registered::Known(place);
        }
        let id = match like.first() {
            Some(fault) => likeness_fingerprint(fault.name()),
            None => shape_of(&smallest, kind, is_smallest),
        };
        if let Some(place) = self.mistakes.iter().position(|mistake| mistake.id == id) {
            return Registered::Known(place);
        }
        let trigger = features(&smallest.plan, &smallest.case);
        let hits = BTreeSet::new();
        let smallest = self.under_its_own_ids(&id, smallest);
        self.mistakes.push(Mistake {
            id,
            smallest,
            kind,
            is_smallest,
            examined: Examined::Yes,
            like,
            trigger,
            failing_faults,
            hits,
            first: None,
            chance,
            besides: None,
        });
        let place = self.mistakes.len() - 1;
        self.unverified.push(place);
        Registered::New(place)
    }

    /// The mistake that one of these faults may be as well, where nothing told it from the fault that the mistake was taken for. It is
    /// taken for that fault from now on: one that is behind both cases is likelier than one behind each.
    fn named_anew(&mut self, like: &[Fault]) -> Option<usize> {
        let shared = |mistake: &Mistake| mistake.like.iter().copied().find(|fault| like.contains(fault));
        let (place, fault) = self.mistakes.iter().enumerate().find_map(|(place, mistake)| Some((place, shared(mistake)?)))?;
        let mistake = &mut self.mistakes[place];
        mistake.like = vec![fault];
        mistake.id = likeness_fingerprint(fault.name());
        self.unverified.push(place);
        Some(place)
    }

    /// Plays further cases on which the fault that a mistake is like fails; of several that nothing told apart, on which the next one
    /// fails, where the target does not have the first.
    fn verify(&mut self, place: usize) {
        let mut last = None;
        while let Some(fault) = self.mistakes[place].like.first().copied().filter(|fault| Some(*fault) != last) {
            self.verify_as(fault, place);
            last = Some(fault);
        }
    }

    fn verify_as(&mut self, fault: Fault, place: usize) {
        let host = self.mistakes[place].smallest.host;
        for plan in self.telling(fault, host) {
            if self.mistakes[place].like.first() != Some(&fault) {
                return;
            }
            let case = self.stage.case(host, &plan);
            let Some(shown) = self.stage.play(host, &case, None) else { return };
            if self.is_foretold(host, &case, &shown) {
                continue;
            }
            let failing = Failing { host, number: None, plan, case, shown };
            self.differs(&failing);
        }
    }

    /// Whether two mistakes that show only together in this case were found, each by a case that shows it alone.
    fn found_by_two(&mut self, smallest: &Failing, assumed: &[Fault]) -> bool {
        if std::mem::replace(&mut self.is_taking_apart, true) {
            return false;
        }
        let found = self.take_apart(smallest, assumed);
        self.is_taking_apart = false;
        found
    }

    fn take_apart(&mut self, smallest: &Failing, assumed: &[Fault]) -> bool {
        let before = self.mistakes.len();
        for (one, other) in self.look_up_two(smallest, assumed) {
            for (fault, beside) in [(one, other), (other, one)] {
                for plan in self.telling_alone(fault, beside, smallest.host) {
                    let case = self.stage.case(smallest.host, &plan);
                    let Some(shown) = self.stage.play(smallest.host, &case, None) else { return false };
                    if !self.is_foretold(smallest.host, &case, &shown) {
                        self.differs(&Failing { host: smallest.host, number: None, plan, case, shown });
                    }
                }
            }
            if self.mistakes.len() > before {
                return true;
            }
        }
        false
    }

    /// A case on which the target does something else than was foretold: another mistake, or the likeness is wrong.
    fn differs(&mut self, failing: &Failing) {
        let Some(kind) = failing.shown.failure.as_ref().map(|failure| failure.kind) else {
            self.refute(failing);
            return;
        };
        for _ in 0..2 {
            if self.mistakes.len() >= MOST_MISTAKES || self.is_foretold(failing.host, &failing.case, &failing.shown) {
                return;
            }
            let (smallest, is_smallest, chance) = self.smallest(failing.clone(), kind);
            if let Registered::Learned | Registered::Known(_) = self.register(smallest, kind, is_smallest, chance) {
                return;
            }
        }
    }

    /// Mistakes are not like the fault that they were taken for; of several that nothing told apart the next one may be it.
    pub(super) fn drop_likeness(&mut self, places: &[usize]) {
        for place in places {
            let mistake = &mut self.mistakes[*place];
            if !mistake.like.is_empty() {
                self.dictionary.refuted.push(mistake.like.remove(0));
            }
            mistake.id = match mistake.like.first() {
                Some(fault) => likeness_fingerprint(fault.name()),
                None => shape_of(&mistake.smallest, mistake.kind, mistake.is_smallest),
            };
        }
    }
}

enum Edited {
    /// It does not fail without what this mistake needs.
    Because(usize),
    /// This still fails.
    Still(Box<Failing>),
    /// Nobody is there to be asked.
    Unasked,
}

enum Registered {
    New(usize),
    Known(usize),
    /// Something else was learned from it, and it is to be looked at again.
    Learned,
}
