//! Cases that fail, who plays them, and the mistakes behind them.

use std::{collections::BTreeSet, time::Duration};

use super::{
    shrink::ShrinkLimits,
    trigger::{Feature, features},
};
use crate::{
    case::Case,
    check::{Failure, FailureKind, besides_fingerprint, unasked_fingerprint},
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
    /// Which deliveries may be answered in any way, by their places; none of those that are not there.
    pub free: Vec<bool>,
    /// What was written to standard error.
    pub complaints: String,
}

/// What a case that fails depends on besides what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Besides {
    /// What else the target was told, before it or at the same time.
    Others,
    /// How quickly one delivery follows another.
    Haste,
    /// Whether the target may work on after it has answered, which it does not claim.
    Moment,
    /// How long the target may take.
    Patience,
}

impl Besides {
    /// Its name, which ids are made of.
    pub fn as_str(self) -> &'static str {
        match self {
            Besides::Others => "others",
            Besides::Haste => "haste",
            Besides::Moment => "moment",
            Besides::Patience => "patience",
        }
    }

    /// How a case is right that fails because of it.
    pub fn ease(self) -> Ease {
        match self {
            Besides::Others => Ease::Alone,
            Besides::Haste => Ease::Slowly,
            Besides::Moment => Ease::Later,
            Besides::Patience => Ease::Patiently,
        }
    }
}

/// How a case is played of which it is asked whether it fails by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ease {
    /// On a target that was started anew and does nothing else meanwhile.
    Alone,
    /// Likewise, and each delivery waits until the one before has been applied, though the target claims that it need not.
    Slowly,
    /// Likewise, and with a moment after each delivery, though the target does not claim that it needs one.
    Later,
    /// Likewise, and with far more time until it must be right.
    Patiently,
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
    /// Whether each attempt at this case costs that, or a wait.
    fn is_dear(&self, kind: FailureKind, case: &Case) -> bool;
    /// How many cases that fail in this way may be played at once.
    fn at_once(&mut self, kind: FailureKind, case: &Case) -> usize;
    /// Plays cases, at once if that can be.
    fn play_all(&mut self, host: usize, cases: &[Case], after: Option<FailureKind>) -> Vec<Option<Shown>> {
        cases.iter().map(|case| self.play(host, case, after)).collect()
    }
    /// Whether the case of a plan passes when it is played so; `None` where that cannot be done, or is what is done anyway.
    fn passes(&mut self, _host: usize, _plan: &Plan, _ease: Ease) -> Option<bool> {
        None
    }
    /// Plays every case alone, on a target that was started anew, from now on.
    fn be_careful(&mut self) {}
    /// The time since the run began.
    fn elapsed(&self) -> Duration;
    /// Whether the run is over, so that nothing more is played.
    fn is_over(&self) -> bool {
        false
    }
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

/// Whether somebody looked into what a case shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Examined {
    /// Its case was made smaller as far as it went.
    Yes,
    /// Its case is as it was.
    No,
    /// Its case is as it was, and stands for all that fail in the same way: the run was over before the target could be asked.
    TooLate,
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
    pub examined: Examined,
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
    /// What it depends on that is not in the case.
    pub besides: Option<Besides>,
}

impl Mistake {
    /// A mistake of which nothing more is known than one case that fails.
    pub fn unexamined(id: String, smallest: Failing, kind: FailureKind) -> Mistake {
        let trigger = features(&smallest.plan, &smallest.case);
        Mistake { trigger, ..Mistake::bare(id, smallest, kind) }
    }

    /// What a case shows that was still to be looked into when the run was over.
    pub fn unasked(failing: Failing, kind: FailureKind) -> Mistake {
        Mistake { examined: Examined::TooLate, ..Mistake::bare(unasked_fingerprint(kind), failing, kind) }
    }

    /// The mistake that shows only together with this, which is not in its case.
    pub fn beside(besides: Besides, failing: Failing, kind: FailureKind) -> Mistake {
        Mistake { besides: Some(besides), ..Mistake::bare(besides_fingerprint(besides.as_str()), failing, kind) }
    }

    /// A case that fails, of which nothing says what it takes.
    fn bare(id: String, smallest: Failing, kind: FailureKind) -> Mistake {
        let (like, trigger, failing_faults, hits) = (Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
        Mistake {
            id,
            smallest,
            kind,
            is_smallest: false,
            examined: Examined::No,
            like,
            trigger,
            failing_faults,
            hits,
            first: None,
            chance: None,
            besides: None,
        }
    }
}

/// Whether a case that was played again to say how often it fails never did.
pub(super) fn is_lost(chance: Option<(u32, u32)>) -> bool {
    chance.is_some_and(|(failed, _)| failed == 0)
}
