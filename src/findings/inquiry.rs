//! The questions that failing cases are asked, one after the other.
//!
//! What is found depends on the order in which cases are brought, which is that of the catalogue, and on nothing else.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    likeness::Dictionary,
    shrink::{ShrinkLimits, Shrunk, shrink},
    trigger::{Feature, features, without},
};
use crate::{
    case::Case,
    check::{Failure, FailureKind, Shape, fingerprint, likeness_fingerprint},
    plan::{Plan, Recipe},
    provider::Provider,
    reference::Fault,
};

/// What came of playing a case.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// What is wrong, if anything is.
    pub failure: Option<Failure>,
    /// The answers to each delivery, more than one where it had to be sent again.
    pub answers: Vec<Vec<u16>>,
    /// What was written to standard error.
    pub complaints: String,
}

/// Plays cases for an inquiry.
pub trait Stage {
    /// The provider.
    fn provider(&self) -> &dyn Provider;
    /// The case of a plan among those of a requirement, as the target gets it. No two have the same ids.
    fn case(&mut self, host: usize, plan: &Plan) -> Case;
    /// The same with ids that follow from this serial alone.
    fn case_with(&mut self, host: usize, plan: &Plan, serial: u64) -> Case;
    /// Plays a case on the target; `None` where nobody is there to be asked, or the run is over.
    fn play(&mut self, host: usize, case: &Case, after: Option<FailureKind>) -> Option<Shown>;
    /// What the reference does with these faults and the target's claims.
    fn foretell(&mut self, host: usize, case: &Case, faults: &[Fault]) -> Shown;
    /// How far a case that fails in this way is made smaller.
    fn limits(&self, kind: FailureKind) -> ShrinkLimits;
    /// Whether a case that fails in this way costs the time of a hang or of a new start.
    fn is_costly(&self, kind: FailureKind) -> bool;
    /// The time since the run began.
    fn elapsed(&self) -> Duration;
    /// Hears how many deliveries a case has left.
    fn smaller(&mut self, host: usize, deliveries: usize);
}

/// A requirement that cases are drawn for.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// Its id.
    pub id: String,
    /// How its plans are drawn.
    pub recipe: Recipe,
}

/// A case that failed.
#[derive(Clone, Debug)]
pub struct Failing {
    /// Whose case it is: the requirement's place in the catalogue.
    pub host: usize,
    /// Its number among the cases of the requirement; none where it was made for a question.
    pub number: Option<u32>,
    /// Its plan.
    pub plan: Plan,
    /// The case.
    pub case: Case,
    /// What was shown.
    pub shown: Shown,
}

/// A mistake that was found.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// The same for the same mistake in every run.
    pub id: String,
    /// The smallest case that shows it, among those of the requirement `host`.
    pub smallest: Failing,
    /// In what way it is wrong.
    pub kind: FailureKind,
    /// Whether nothing more could go from the case.
    pub is_smallest: bool,
    /// Whether it was looked into at all.
    pub is_examined: bool,
    /// The faults of the bank that do the same; empty where there are none, several where nothing tells them apart.
    pub like: Vec<Fault>,
    /// What it takes to show it.
    pub trigger: Vec<Feature>,
    /// The faults of the bank that fail this case in the same way, whatever they show.
    pub failing_faults: Vec<Fault>,
    /// The requirements whose cases fail because of it.
    pub hits: BTreeSet<usize>,
    /// The first case that failed because of it, by its requirement and its number.
    pub first: Option<(usize, u32)>,
    /// How often the case fails, of so many runs, where that depends on chance.
    pub chance: Option<(u32, u32)>,
}

impl Mistake {
    /// A mistake of which nothing more is known than one case that fails.
    pub fn unexamined(id: String, smallest: Failing, kind: FailureKind) -> Mistake {
        let trigger = features(&smallest.plan, &smallest.case);
        let (like, failing_faults, hits) = (Vec::new(), Vec::new(), BTreeSet::new());
        Mistake {
            id,
            smallest,
            kind,
            is_smallest: false,
            is_examined: false,
            like,
            trigger,
            failing_faults,
            hits,
            first: None,
            chance: None,
        }
    }
}

/// How often one case is looked at anew after something was learned from it.
const ROUNDS: usize = 6;

/// How often a case is run whose end depends on chance before it counts as one that does not fail; as often again after it failed
/// once.
const TRIES: u32 = 5;

/// How often a smallest case whose end depends on chance is run, to say how often it fails.
const CHANCES: u32 = 20;

/// After so many mistakes nothing more is looked into: a target that is wrong everywhere is known by then.
const MOST_MISTAKES: usize = 24;

/// An inquiry into the failing cases of one target.
pub struct Inquiry<'i, S: Stage> {
    pub(super) stage: S,
    pub(super) requirements: &'i BTreeMap<usize, Requirement>,
    pub(super) dictionary: Dictionary,
    mistakes: Vec<Mistake>,
    kinds: Vec<String>,
    /// Whether a case is being taken apart into two mistakes; the cases that show them alone are not.
    is_taking_apart: bool,
}

impl<'i, S: Stage> Inquiry<'i, S> {
    /// An inquiry in which nothing is known yet. `requirements` are those that cases can be drawn for, by their place in the
    /// catalogue, selected or not.
    pub fn new(stage: S, requirements: &'i BTreeMap<usize, Requirement>) -> Inquiry<'i, S> {
        let kinds = stage.provider().corpus().catalogue.iter().map(|event| event.kind.clone()).collect();
        let dictionary = Dictionary::new(stage.provider());
        Inquiry { stage, requirements, dictionary, mistakes: Vec::new(), kinds, is_taking_apart: false }
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
        alike(&self.stage.foretell(host, case, &assumed), shown)
    }

    /// The mistakes because of which a case fails; new ones are found on the way. Empty where nothing could be said.
    pub fn attribute(&mut self, failing: &Failing) -> Vec<usize> {
        let Some(kind) = failing.shown.failure.as_ref().map(|failure| failure.kind) else { return Vec::new() };
        for _ in 0..ROUNDS {
            let assumed = self.assumed();
            if !assumed.is_empty() {
                let foretold = self.stage.foretell(failing.host, &failing.case, &assumed);
                if alike(&foretold, &failing.shown) {
                    let by = self.needed(failing.host, &failing.case, &foretold);
                    return self.hit(failing, by);
                }
            }
            let at = match self.edited(failing, kind) {
                Edited::Because(of) => {
                    self.prove(of, failing, kind);
                    return self.hit(failing, vec![of]);
                }
                Edited::Still(edited) => *edited,
            };
            if self.mistakes.len() >= MOST_MISTAKES {
                break;
            }
            let before = self.mistakes.len();
            let (smallest, is_smallest, chance) = self.smallest(at, kind);
            match self.register(smallest, kind, is_smallest, chance) {
                Registered::Known(place) => return self.hit(failing, vec![place]),
                Registered::New(place) => {
                    self.verify(place);
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
        let id = shape_of(failing, kind, false);
        let place = self.mistakes.iter().position(|mistake| mistake.id == id).unwrap_or(self.mistakes.len());
        if place == self.mistakes.len() {
            self.mistakes.push(Mistake::unexamined(id, failing.clone(), kind));
        }
        self.hit(failing, vec![place])
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

    /// A mistake whose smallest case never failed again is shown by another case of it that does, if this is one.
    fn prove(&mut self, place: usize, failing: &Failing, kind: FailureKind) {
        let is_lost = |chance: Option<(u32, u32)>| chance.is_some_and(|(failed, _)| failed == 0);
        if !is_lost(self.mistakes[place].chance) {
            return;
        }
        let (smallest, is_smallest, chance) = self.smallest(failing.clone(), kind);
        if is_lost(chance) {
            return;
        }
        let id = shape_of(&smallest, kind, is_smallest);
        let trigger = features(&smallest.plan, &smallest.case);
        let smallest = self.under_its_own_ids(&id, smallest);
        let mistake = &mut self.mistakes[place];
        *mistake = Mistake { id, smallest, is_smallest, trigger, chance, ..mistake.clone() };
    }

    fn hit(&mut self, failing: &Failing, by: Vec<usize>) -> Vec<usize> {
        for place in &by {
            let mistake = &mut self.mistakes[*place];
            mistake.hits.insert(failing.host);
            mistake.first = mistake.first.or(failing.number.map(|number| (failing.host, number)));
        }
        by
    }

    /// The smallest case with ids that follow from the mistake alone, so that every run saves the same bytes; the case as it
    /// is where it does not fail so again.
    fn under_its_own_ids(&mut self, id: &str, smallest: Failing) -> Failing {
        let serial = u64::from_str_radix(id.get(..8).unwrap_or_default(), 16).unwrap_or(0);
        let mut case = self.stage.case_with(smallest.host, &smallest.plan, serial);
        case.plan = Some(smallest.plan.clone());
        let kind = smallest.shown.failure.as_ref().map(|failure| failure.kind);
        match self.stage.play(smallest.host, &case, kind) {
            Some(shown) if alike_but_for_ids(&shown, &smallest.shown) => Failing { case, shown, ..smallest },
            _ => smallest,
        }
    }

    /// The mistakes without whose faults something else would be foretold.
    fn needed(&mut self, host: usize, case: &Case, foretold: &Shown) -> Vec<usize> {
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
        let assumed = self.assumed();
        for place in 0..self.mistakes.len() {
            let mistake = &self.mistakes[place];
            if !mistake.like.is_empty() || mistake.kind != kind || mistake.trigger.is_empty() {
                continue;
            }
            let trigger = mistake.trigger.clone();
            let mut still = None;
            for plan in self.edits(&at.plan, &trigger) {
                let case = self.stage.case(at.host, &plan);
                if case.deliveries() == 0 {
                    continue;
                }
                let Some(shown) = self.stage.play(at.host, &case, Some(kind)) else { return Edited::Because(place) };
                let foretold = self.stage.foretell(at.host, &case, &assumed);
                if alike(&foretold, &shown) {
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

    /// The smallest case that fails in the same way and not as the assumed faults do, whether it is the smallest that there
    /// is, and how often it fails where that is chance.
    fn smallest(&mut self, at: Failing, kind: FailureKind) -> (Failing, bool, Option<(u32, u32)>) {
        let limits = self.stage.limits(kind);
        let started = self.stage.elapsed();
        let host = at.host;
        let first = Shrunk { plan: at.plan.clone(), shown: (at.case, at.shown), is_smallest: false };
        let assumed = self.assumed();
        let stage = RefCell::new(&mut self.stage);
        let mut best = usize::MAX;
        let smaller = shrink(
            first,
            limits,
            || stage.borrow().elapsed().saturating_sub(started),
            |plan| {
                let mut stage = stage.borrow_mut();
                // One lucky failure is no reason to go on with a case: what is left at the end must come again.
                let (mut tries, mut seen) = (0, 0);
                loop {
                    tries += 1;
                    let case = stage.case(host, plan);
                    if case.deliveries() == 0 {
                        return None;
                    }
                    let shown = stage.play(host, &case, Some(kind))?;
                    let fails = shown.failure.as_ref().is_some_and(|failure| failure.kind == kind);
                    if fails && (assumed.is_empty() || !alike(&stage.foretell(host, &case, &assumed), &shown)) {
                        seen += 1;
                        if seen > 1 || !case.is_chancy() {
                            let size = case.deliveries();
                            if size < best {
                                best = size;
                                stage.smaller(host, size);
                            }
                            return Some((size, (case, shown)));
                        }
                    }
                    if tries >= TRIES * (1 + seen) || !case.is_chancy() {
                        return None;
                    }
                }
            },
        );
        let Shrunk { plan, shown: (case, shown), is_smallest } = smaller;
        let chance = self.chance(host, &plan, &case, kind, limits);
        let mut case = case;
        case.plan = Some(plan.clone());
        (Failing { host, number: None, plan, case, shown }, is_smallest, chance)
    }

    /// How often the smallest case fails, where that is chance: because deliveries race, or because it does not fail again.
    fn chance(&mut self, host: usize, plan: &Plan, case: &Case, kind: FailureKind, limits: ShrinkLimits) -> Option<(u32, u32)> {
        if self.stage.is_costly(kind) {
            return None;
        }
        let again = |inquiry: &mut Self| {
            let case = inquiry.stage.case(host, plan);
            inquiry.stage.play(host, &case, Some(kind)).map(|shown| shown.failure.is_some())
        };
        let is_lost = !case.is_chancy() && kind != FailureKind::Timeout && limits.attempts > 0 && again(self) == Some(false);
        if !case.is_chancy() && !is_lost {
            return None;
        }
        let started = self.stage.elapsed();
        let (mut failed, mut runs) = (0, u32::from(is_lost));
        while runs < CHANCES + u32::from(is_lost) && (runs == 0 || self.stage.elapsed().saturating_sub(started) <= limits.time) {
            let Some(fails) = again(self) else { break };
            runs += 1;
            failed += u32::from(fails);
        }
        (runs > 0).then_some((failed, runs))
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
            is_examined: true,
            like,
            trigger,
            failing_faults,
            hits,
            first: None,
            chance,
        });
        Registered::New(self.mistakes.len() - 1)
    }

    /// Gives one id to mistakes that are one, told by events of several types: each of their cases shows the same with the
    /// events of the other. Those that are like a fault the bank knows better. To be asked when everything was attributed.
    pub fn unite(&mut self) {
        for place in 1..self.mistakes.len() {
            if let Some(first) = (0..place).find(|first| self.is_same_by_other_events(*first, place)) {
                self.mistakes[place].id = self.mistakes[first].id.clone();
            }
        }
    }

    fn is_same_by_other_events(&mut self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.mistakes[one], &self.mistakes[other]);
        let wrong = wrong_members(&one.smallest.shown);
        let is_unlike = one.like.is_empty() && other.like.is_empty();
        if !is_unlike || wrong.is_none() || wrong_members(&other.smallest.shown) != wrong || one.id == other.id {
            return false;
        }
        let (one, other) = (&one.smallest, &other.smallest);
        let with = |failing: &Failing, events: &Plan| (failing.host, Plan { only: events.only.clone(), ..failing.plan.clone() });
        [with(one, &other.plan), with(other, &one.plan)].into_iter().all(|(host, plan)| {
            let case = self.stage.case(host, &plan);
            let shown = if case.deliveries() > 0 { self.stage.play(host, &case, Some(FailureKind::State)) } else { None };
            shown.is_some_and(|shown| wrong_members(&shown) == wrong)
        })
    }

    /// Plays further cases on which the fault that a mistake is like fails.
    fn verify(&mut self, place: usize) {
        let Some(fault) = self.mistakes[place].like.first().copied() else { return };
        let host = self.mistakes[place].smallest.host;
        for plan in self.telling(fault, host) {
            if self.mistakes.get(place).is_none_or(|mistake| mistake.like.first() != Some(&fault)) {
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

    /// A case that passes although it was foretold to fail. It is made smaller, so that only the likeness goes that is wrong.
    fn refute(&mut self, failing: &Failing) {
        let assumed = self.assumed();
        let host = failing.host;
        let limits = self.stage.limits(FailureKind::State);
        let started = self.stage.elapsed();
        let first = Shrunk { plan: failing.plan.clone(), shown: failing.case.clone(), is_smallest: false };
        let stage = RefCell::new(&mut self.stage);
        let smaller = shrink(
            first,
            ShrinkLimits { attempts: limits.attempts.min(300), ..limits },
            || stage.borrow().elapsed().saturating_sub(started),
            |plan| {
                let mut stage = stage.borrow_mut();
                let case = stage.case(host, plan);
                if case.deliveries() == 0 || stage.foretell(host, &case, &assumed).failure.is_none() {
                    return None;
                }
                let shown = stage.play(host, &case, None)?;
                shown.failure.is_none().then(|| (case.deliveries(), case))
            },
        );
        let foretold = self.stage.foretell(host, &smaller.shown, &assumed);
        let wrong = self.needed(host, &smaller.shown, &foretold);
        self.drop_likeness(&wrong);
    }

    /// Mistakes are not like the fault that they were taken for; of several that nothing told apart the next one may be it.
    fn drop_likeness(&mut self, places: &[usize]) {
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

/// Whether the smallest case of a mistake is the case itself, so that nothing was shrunk away.
fn is_fresh(mistake: &Mistake, failing: &Failing) -> bool {
    mistake.smallest.plan == failing.plan
}

/// The members of an order that are wrong, where that is what is wrong.
fn wrong_members(shown: &Shown) -> Option<BTreeSet<String>> {
    let failure = shown.failure.as_ref().filter(|failure| failure.kind == FailureKind::State)?;
    let wrong = failure.diff.lines().filter_map(|line| line.strip_prefix('-'));
    Some(wrong.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

fn shape_of(smallest: &Failing, kind: FailureKind, is_smallest: bool) -> String {
    let Some(failure) = &smallest.shown.failure else { return String::new() };
    // Where chance has a say, what is left of the case is chance too.
    let case = (is_smallest && !smallest.case.is_chancy()).then_some(&smallest.case);
    fingerprint(&Shape { kind, entry: failure.entry, diff: &failure.diff, case })
}

enum Edited {
    /// It does not fail without what this mistake needs.
    Because(usize),
    /// This still fails.
    Still(Box<Failing>),
}

enum Registered {
    New(usize),
    Known(usize),
    /// Something else was learned from it, and it is to be looked at again.
    Learned,
}

/// Whether two targets did the same with a case: the same is wrong with both, in the same place, and until then they answered
/// alike.
pub fn alike(one: &Shown, other: &Shown) -> bool {
    let same_failure = match (&one.failure, &other.failure) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            let same = one.kind == other.kind && one.entry == other.entry;
            match one.kind {
                FailureKind::State => same && one.diff == other.diff,
                FailureKind::Answer => same && class(&one.observed) == class(&other.observed),
                FailureKind::Crash | FailureKind::Timeout => same,
            }
        }
        _ => false,
    };
    let classes = |shown: &Shown| shown.answers.iter().map(|answers| answers.last().map(|status| status / 100)).collect::<Vec<_>>();
    same_failure && classes(one) == classes(other)
}

/// Whether a case failed in the same way and in the same place as one that differs in ids only.
fn alike_but_for_ids(one: &Shown, other: &Shown) -> bool {
    let way = |shown: &Shown| shown.failure.as_ref().map(|failure| (failure.kind, failure.entry));
    way(one) == way(other)
}

/// The class of an answer that is written out.
fn class(observed: &str) -> &str {
    observed.get(..1).unwrap_or_default()
}
