//! Shards: a certification spread over several runs, and what each notes so that they can be put together again.
//!
//! Every shard draws every case, which is cheap, and runs only its own, so which cases there are never depends on how
//! many shards there are. The cases of a requirement are dealt out one by one, so each shard gets its share of each.

use std::{fmt, str::FromStr};

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Which part of a certification this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// Which, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

/// More shards than this help nobody.
const MOST: u32 = 1000;

impl Shard {
    /// Whether a case, or a frozen sequence, is this shard's: `what` names the requirement, `number` the case.
    pub fn has(self, what: &str, number: u64) -> bool {
        let mut start = [0; 8];
        start.copy_from_slice(&Sha256::digest(what)[..8]);
        u64::from_be_bytes(start).wrapping_add(number) % u64::from(self.of) == u64::from(self.number) - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let form = || "a shard is K/N with K from 1 to N, for example 1/4".to_owned();
        let (number, of) = text.split_once('/').ok_or_else(form)?;
        let plain = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let (number, of): (u32, u32) = (plain(number).ok_or_else(form)?, plain(of).ok_or_else(form)?);
        if of > MOST {
            return Err(format!("{of} shards are too many; {MOST} is the most"));
        }
        if number == 0 || number > of { Err(form()) } else { Ok(Shard { number, of }) }
    }
}

/// What a shard ran of a requirement. With those of the other shards it says what a single run would have found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Trail {
    /// How many cases could show a mistake, did the target not claim less than everything.
    pub blinded: u32,
    /// How many cases could have shown a mistake, had the target called the provider's API as it claims.
    #[serde(default, skip_serializing_if = "crate::json::is_default")]
    pub uncalled: u32,
    /// A consumer that does nothing fails one of the cases.
    pub refuted: bool,
    /// Whether it came to the end of its cases, or to a failure that ends a requirement.
    pub finished: bool,
    /// Whether a case of it passed once what findings need was taken out of it, although none of its own cases did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub freed: bool,
    /// Its cases, in order.
    pub ran: Vec<RanCase>,
    /// Further cases that did not fail, of which only the sums are kept: a run that is no shard need not say which they were, and
    /// there may be millions.
    #[serde(skip)]
    pub(crate) summed: Sums,
}

/// What cases come to together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) cases: u32,
    /// Those that could have shown a mistake.
    pub(crate) exercised: u32,
    pub(crate) deliveries: u64,
    pub(crate) refused_first: u64,
}

impl Sums {
    fn add(&mut self, case: &RanCase) {
        self.cases = self.cases.saturating_add(1);
        // A case that failed has shown a mistake, whatever the canaries made of it.
        self.exercised = self.exercised.saturating_add(u32::from(!case.missed || case.failed.is_some()));
        self.deliveries = self.deliveries.saturating_add(case.deliveries);
        self.refused_first = self.refused_first.saturating_add(case.refused_first);
    }
}

impl Trail {
    /// Notes a case: itself where each is to be told of or there is more to it than that it passed, its sums otherwise.
    pub(crate) fn note(&mut self, case: RanCase, tells_of_each: bool) {
        if tells_of_each || case.failed.is_some() || case.last {
            self.ran.push(case);
        } else {
            self.summed.add(&case);
        }
    }

    /// What all its cases come to.
    pub(crate) fn sums(&self) -> Sums {
        let mut sums = self.summed;
        self.ran.iter().for_each(|case| sums.add(case));
        sums
    }

    /// Whether a case failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.ran.iter().any(|case| case.failed.is_some())
    }

    /// Whether a case that could have shown a mistake showed none.
    pub(crate) fn has_passed(&self) -> bool {
        self.summed.exercised > 0 || self.ran.iter().any(|case| case.failed.is_none() && !case.missed)
    }
}

/// One case that was run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RanCase {
    /// Its number.
    pub case: u32,
    /// How many deliveries were sent.
    pub deliveries: u64,
    /// How many valid events were answered with an error first and acknowledged when they were sent again.
    #[serde(default, skip_serializing_if = "crate::json::is_default")]
    pub refused_first: u64,
    /// No canary of the requirement fails it, so it says nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missed: bool,
    /// The findings because of which it failed, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Vec<String>>,
    /// No further case is run after it: each failure costs too much time, or it could not be judged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_belongs_to_exactly_one_shard() {
        for of in 1..9 {
            for case in 0..40 {
                let owners = (1..=of).filter(|&number| Shard { number, of }.has("refund-counted-once", case)).count();
                assert_eq!(owners, 1);
            }
        }
    }

    #[test]
    fn cases_are_spread_evenly() {
        let shares: Vec<usize> = (1..=4).map(|number| (0..100).filter(|&case| Shard { number, of: 4 }.has("a", case)).count()).collect();
        assert_eq!(shares, [25; 4]);
    }

    /// Shards that run on different machines, and later, must agree on it.
    #[test]
    fn who_runs_a_case_is_fixed() {
        let owner = |of: u32, case: u64| (1..=of).find(|&number| Shard { number, of }.has("refund-counted-once", case));
        let owners = |of: u32| [0, 1, 6, 13, 1000].map(|case| owner(of, case).expect("one of them"));
        assert_eq!((owners(5), owners(7)), ([4, 5, 5, 2, 4], [2, 3, 1, 1, 1]));
    }

    #[test]
    fn of_what_passed_only_the_sums_are_kept() {
        let case =
            |failed: bool, last: bool| RanCase { deliveries: 2, failed: failed.then(|| vec!["f1".to_owned()]), last, ..RanCase::default() };
        let noted = |case: RanCase, tells_of_each: bool| {
            let mut trail = Trail::default();
            trail.note(case, tells_of_each);
            (trail.ran.len(), trail.summed.cases, trail.sums().deliveries, trail.has_passed())
        };
        assert_eq!(noted(case(false, false), false), (0, 1, 2, true));
        assert_eq!(noted(case(false, false), true), (1, 0, 2, true));
        assert_eq!(noted(case(true, false), false), (1, 0, 2, false));
        assert_eq!(noted(case(false, true), false), (1, 0, 2, true));
    }

    #[test]
    fn what_is_zero_is_not_written() {
        let written = |refused_first: u64| {
            let case = RanCase { refused_first, ..RanCase::default() };
            serde_json::to_value(case).expect("JSON").get("refusedFirst").cloned()
        };
        assert_eq!((written(0), written(3)), (None, Some(3.into())));
    }

    #[test]
    fn texts() {
        assert_eq!("2/3".parse(), Ok(Shard { number: 2, of: 3 }));
        assert_eq!("7/1000".parse(), Ok(Shard { number: 7, of: 1000 }));
        for text in ["", "1", "0/3", "4/3", "1/0", "a/3", "1/b", "+1/3", "-1/3", "1/1001", "1/99999999999"] {
            assert!(text.parse::<Shard>().is_err(), "{text} was taken");
        }
    }
}
