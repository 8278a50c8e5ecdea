//! Cases from logs of real traffic, as they came and in every way in which they might have come.
//!
//! They stand beside the requirements: what fails is told with the case and the way, made smaller, and fails the run. What is made
//! as small as something that was told already, of the same events, and fails in the same way, is only counted.

use super::{
    campaign::Campaign,
    vary::{Way, varied, without},
    workbench::{HANGS, STARTS},
};
use crate::{
    adapter::Capabilities,
    case::Case,
    check::{Failure, FailureKind, Rules},
    drive::{Driver, with_fresh_ids},
    provider::mix,
    search::terms,
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
        let mut play = Play {
            result: ImportedResult { cases: imported.len(), ..ImportedResult::default() },
            stage: Stage { campaign: self, capabilities, driver: None, salt: self.options.seed, runs: 0 },
            known: Vec::new(),
        };
        // First what really happened. What fails as it came would fail in every other way too.
        let fails_as_it_came: Vec<bool> = (0..imported.len()).map(|place| play.way(place, Way::AsItCame)).collect();
        for place in (0..imported.len()).filter(|place| !fails_as_it_came[*place]) {
            for way in Way::ALL.into_iter().skip(1).filter(|way| way.fits(capabilities)) {
                // Beside an order that fails alone nothing would be learnt.
                if way != Way::Interleaved || !fails_as_it_came[beside(place, imported.len())] {
                    play.way(place, way);
                }
            }
        }
        Some(play.result)
    }
}

/// The case among whose events those of another are put; it may be the same one, if there is only one.
fn beside(place: usize, cases: usize) -> usize {
    (place + 1) % cases
}

struct Play<'c, 'a> {
    result: ImportedResult,
    stage: Stage<'c, 'a>,
    known: Vec<Told>,
}

impl Play<'_, '_> {
    /// Plays a case in a way, and says whether it failed.
    fn way(&mut self, place: usize, way: Way) -> bool {
        let options = self.stage.campaign.options;
        let (name, case) = &options.imported[place];
        for round in 0..if way == Way::AsItCame { 1 } else { ROUNDS } {
            if self.stage.campaign.is_over() || self.result.failing.len() >= MOST_FAILURES {
                self.result.cut_short = true;
                return false;
            }
            let draw = mix(options.seed ^ mix(place as u64 * 64 + way as u64 * 8 + round));
            let other = with_fresh_ids(&options.imported[beside(place, options.imported.len())].1, !draw);
            let Some(varied) = varied(case, way, &other, draw) else { continue };
            match self.stage.fails(&varied) {
                Ok(None) => self.result.plays += 1,
                Ok(Some(fails)) => {
                    self.result.plays += 1;
                    self.tell(name, way, varied, fails);
                    return true;
                }
                Err(Unjudged) => self.result.passed_over += 1,
            }
        }
        false
    }

    fn tell(&mut self, name: &str, way: Way, varied: Case, fails: Failure) {
        let (smallest, failure) = self.stage.smallest(varied, fails);
        let told = Told::of(&smallest, failure.kind);
        if let Some(place) = self.known.iter().position(|known| *known == told) {
            self.result.failing[place].alike += 1;
            return;
        }
        self.known.push(told);
        self.result.failing.push(ImportedFailure {
            case: name.to_owned(),
            way: way.as_str().to_owned(),
            fails: failure.message,
            alike: 0,
            file: String::new(),
            shrunk: Some(smallest),
        });
    }
}

/// By what a failure is known again: in what way the target is wrong, and after which events.
#[derive(PartialEq)]
struct Told {
    kind: FailureKind,
    events: Vec<String>,
}

impl Told {
    fn of(smallest: &Case, kind: FailureKind) -> Told {
        let mut events: Vec<String> = smallest.all_deliveries().map(|delivery| delivery.event.kind.clone()).collect();
        events.sort();
        Told { kind, events }
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
    fn fails(&mut self, case: &Case) -> Result<Option<Failure>, Unjudged> {
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
        if outcome.error.is_some() { Err(Unjudged) } else { Ok(outcome.failure) }
    }

    /// The case without whatever can be left out of it while it still fails, and how it fails then.
    fn smallest(&mut self, mut case: Case, mut fails: Failure) -> (Case, Failure) {
        self.runs = 0;
        let most = match fails.kind {
            FailureKind::Timeout => HANGS,
            FailureKind::Crash => STARTS,
            FailureKind::State | FailureKind::Answer => MOST_RUNS,
        };
        let mut place = case.entries.len();
        while place > 0 && self.runs < most && !self.campaign.is_over() {
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
