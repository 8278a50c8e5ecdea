//! Verdicts: of a requirement, of an item, of a run.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The verdict on one requirement (requirements, "What is certified").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every case passed, and enough of them would have failed a wrong consumer.
    Pass,
    /// A MUST failed.
    Fail,
    /// A SHOULD failed.
    Warn,
    /// Cases of it fail, but only because of findings that are about other requirements; those without them pass.
    Affected,
    /// No case of it is left that is free of findings about other requirements: it could not be judged.
    Masked,
    /// Too few cases, or none, could have shown a mistake.
    NotExercised,
    /// A capability that it needs is not claimed, or no event that it is about is subscribed to.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Conformance {
    /// Everything that must hold holds.
    Conformant,
    /// Something does not.
    NotConformant,
    /// Nothing that could have failed was judged.
    NotCertified,
    /// Something could not be judged, and nothing that could be judged failed.
    NotJudged,
}

impl Conformance {
    /// The words in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Conformance::Conformant => "conformant",
            Conformance::NotConformant => "not-conformant",
            Conformance::NotCertified => "not-certified",
            Conformance::NotJudged => "not-judged",
        }
    }

    /// The verdict that the verdicts on the requirements of one item add up to. A requirement that this version does not
    /// judge yet takes no part. One that was exercised too little counts against the target, because a check that did not
    /// happen has not passed, unless it is the target's own claims that leave nothing to check; and where nothing at all
    /// was checked, nothing is certified.
    #[doc(hidden)]
    pub fn of(requirements: impl IntoIterator<Item = Judged>) -> Conformance {
        let mut conformance = Conformance::NotCertified;
        let (mut any_must, mut any_passed, mut must_passed) = (false, false, false);
        let (mut unjudged, mut unreached) = (false, false);
        for judged in requirements.into_iter().filter(|judged| judged.judged) {
            any_must |= judged.must;
            match judged.verdict {
                Verdict::Fail => return Conformance::NotConformant,
                Verdict::Affected | Verdict::Masked if judged.must && !judged.accepted => return Conformance::NotConformant,
                Verdict::Error => unjudged = true,
                Verdict::NotExercised if judged.out_of_time => unjudged = true,
                Verdict::NotExercised if judged.must && !judged.by_claims && judged.out_of_budget => unreached = true,
                Verdict::NotExercised if judged.must && !judged.by_claims => conformance = Conformance::NotConformant,
                Verdict::Pass | Verdict::Waived | Verdict::Warn | Verdict::Affected => {
                    any_passed = true;
                    must_passed |= judged.must;
                }
                Verdict::Masked | Verdict::NotExercised | Verdict::NotApplicable => {}
            }
        }
        let is_certified = must_passed || any_passed && !any_must;
        match conformance {
            Conformance::NotConformant => Conformance::NotConformant,
            _ if unjudged => Conformance::NotJudged,
            _ if unreached => Conformance::NotCertified,
            _ if is_certified => Conformance::Conformant,
            _ => Conformance::NotCertified,
        }
    }
}

/// What [`Conformance::of`] needs to know of a requirement.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// Its verdict.
    pub verdict: Verdict,
    /// Whether it counts as a MUST.
    pub must: bool,
    /// Whether this version judges it at all.
    pub judged: bool,
    /// Whether every finding because of which cases of it fail is accepted.
    pub accepted: bool,
    /// Whether the time limit kept it from being exercised.
    pub out_of_time: bool,
    /// Whether cases were sent for so long only as somebody had time for: what was not reached then is not certified.
    pub out_of_budget: bool,
    /// Whether the target's own claims kept it from being exercised.
    pub by_claims: bool,
}
