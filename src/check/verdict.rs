//! Verdicts: of a requirement, of an item, of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The verdict on one requirement (requirements, "What is certified").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every case passed, and enough of them got there.
    Pass,
    /// A MUST failed.
    Fail,
    /// A SHOULD failed.
    Warn,
    /// Cases of it fail, but only because of findings that are about other requirements; those without them pass.
    Affected,
    /// No case of it is left that is free of findings about other requirements: it could not be judged.
    Masked,
    /// Too few cases, or none, reached what it is about.
    NotExercised,
    /// A capability or subscription that it needs is not claimed.
    NotApplicable,
    /// Every finding about it is accepted by the list of known failures.
    Waived,
    /// The harness or the adapter could not judge.
    Error,
}

impl Verdict {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Warn => "warn",
            Verdict::Affected => "affected",
            Verdict::Masked => "masked",
            Verdict::NotExercised => "not-exercised",
            Verdict::NotApplicable => "not-applicable",
            Verdict::Waived => "waived",
            Verdict::Error => "error",
        }
    }
}

/// The verdict on an item or on a whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Conformance {
    /// Everything that must hold holds.
    Conformant,
    /// Something does not.
    NotConformant,
    /// Something could not be judged, and nothing that could be judged failed.
    NotJudged,
}

impl Conformance {
    /// The words in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Conformance::Conformant => "conformant",
            Conformance::NotConformant => "not-conformant",
            Conformance::NotJudged => "not-judged",
        }
    }

    /// The verdict that several verdicts on requirements add up to. A requirement that this version does not
    /// judge yet takes no part; one that applies and was not exercised counts against the target, because a
    /// check that did not happen has not passed.
    pub fn of(requirements: impl IntoIterator<Item = Judged>) -> Conformance {
        let mut verdict = Conformance::Conformant;
        for judged in requirements {
            match judged.verdict {
                _ if !judged.judged => {}
                Verdict::Fail => return Conformance::NotConformant,
                Verdict::Affected | Verdict::Masked if judged.must && !judged.accepted => return Conformance::NotConformant,
                Verdict::Error => verdict = Conformance::NotJudged,
                Verdict::NotExercised if judged.out_of_time => verdict = Conformance::NotJudged,
                Verdict::NotExercised if judged.must => return Conformance::NotConformant,
                _ => {}
            }
        }
        verdict
    }
}

/// What [`Conformance::of`] needs to know of a requirement.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// Its verdict.
    pub verdict: Verdict,
    /// Whether it is a MUST.
    pub must: bool,
    /// Whether this version judges it at all.
    pub judged: bool,
    /// Whether every finding because of which cases of it fail is accepted.
    pub accepted: bool,
    /// Whether the time limit kept it from being exercised.
    pub out_of_time: bool,
}
