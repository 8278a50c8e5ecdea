//! Cases from logs of real traffic, as they came and in every way in which they might have come.
//!
//! They stand beside the requirements: what fails is told with the case and the way, made smaller, and fails the run.

use super::{
    campaign::Campaign,
    vary::{Way, varied, without},
    work::terms,
};
use crate::{
    adapter::Capabilities,
    case::Case,
    check::Rules,
    drive::{Driver, with_fresh_ids},
    provider::mix,
    verdict::{ImportedFailure, ImportedResult},
};

/// How often each way but the first is drawn of a case.
const ROUNDS: u64 = 3;

/// How many failures are told; the same mistake shows in most of them.
const MOST_FAILURES: usize = 10;

/// How often a failing case is run while it is made smaller.
const MOST_RUNS: u32 = 200;

impl Campaign<'_> {
    /// Plays the imported cases. What of them is not sent to this target, or cannot be judged, is passed over and counted.
    pub(super) fn play_imported(&self, capabilities: &Capabilities) -> Option<ImportedResult> {
        let imported = &self.options.imported;
        // One shard is enough for them.
        if imported.is_empty() || self.options.shard.is_some_and(|shard| shard.number != 1) {
            return None;
        }
        let mut result = ImportedResult { cases: imported.len(), ..ImportedResult::default() };
        let mut stage = Stage { campaign: self, capabilities, driver: None, salt: self.options.seed, runs: 0 };
        for (place, (name, case)) in imported.iter().enumerate() {
            let other = &imported[(place + 1) % imported.len()].1;
            for way in Way::ALL.into_iter().filter(|way| way.fits(capabilities)) {
                for round in 0..if way == Way::AsItCame { 1 } else { ROUNDS } {
                    if self.is_over() || result.failing.len() >= MOST_FAILURES {
                        result.cut_short = true;
                        return Some(result);
                    }
                    let draw = mix(self.options.seed ^ mix(place as u64 * 64 + way as u64 * 8 + round));
                    // The other case may be the same one, if there is only one.
                    let other = with_fresh_ids(other, !draw);
                    let Some(varied) = varied(case, way, &other, draw) else { continue };
                    match stage.fails(&varied) {
                        Ok(None) => result.plays += 1,
                        Ok(Some(fails)) => {
                            result.plays += 1;
                            let (case, fails) = stage.smallest(varied, fails);
                            let file = String::new();
                            result.failing.push(ImportedFailure {
                                case: name.clone(),
                                way: way.as_str().to_owned(),
                                fails,
                                file,
                                shrunk: Some(case),
                            });
                            break;
                        }
                        Err(Unjudged) => result.passed_over += 1,
                    }
                }
            }
        }
        Some(result)
    }
}

/// Nothing of the case is sent to this target, or its adapter failed.
struct Unjudged;

struct Stage<'c, 'a> {
    campaign: &'c Campaign<'a>,
    capabilities: &'c Capabilities,
    driver: Option<Driver<'a>>,
    salt: u64,
    runs: u32,
}

impl Stage<'_, '_> {
    /// What is wrong with what the target shows of a case, under ids that it has not met.
    fn fails(&mut self, case: &Case) -> Result<Option<String>, Unjudged> {
        self.salt = mix(self.salt.wrapping_add(1));
        let subscribed = |kind: &str| self.capabilities.is_subscribed(kind);
        let case = with_fresh_ids(case, self.salt).restricted_to(terms(&subscribed, self.capabilities));
        let driver = match self.driver.take() {
            Some(driver) => driver,
            None => self.campaign.driver().map_err(|_| Unjudged)?,
        };
        let driver = self.driver.insert(driver);
        if case.deliveries() == 0 {
            return Err(Unjudged);
        }
        let outcome = driver.run("imported", &case, Rules::of("", self.campaign.provider.answer_limit()));
        if outcome.has_stopped() && driver.recover().is_err() {
            self.driver = None;
        }
        if outcome.error.is_some() { Err(Unjudged) } else { Ok(outcome.failure.map(|failure| failure.message)) }
    }

    /// The case without whatever can be left out of it while it still fails, and how it fails then.
    fn smallest(&mut self, mut case: Case, mut fails: String) -> (Case, String) {
        self.runs = 0;
        let mut place = case.entries.len();
        while place > 0 && self.runs < MOST_RUNS && !self.campaign.is_over() {
            place -= 1;
            if case.entries.len() < 2 {
                break;
            }
            let less = without(&case, place);
            self.runs += 1;
            if let Ok(Some(still)) = self.fails(&less) {
                (case, fails) = (less, still);
                place = place.min(case.entries.len());
            }
        }
        (case, fails)
    }
}
