//! Where the cases of an inquiry are played: on the target, and on the reference with faults of the bank.

use std::time::Duration;

use super::campaign::Campaign;
use crate::{
    adapter::{Capabilities, Target},
    case::Case,
    check::{FailureKind, Rules},
    domain::Clock,
    double::Double,
    drive::{A_MOMENT, Conditions, Driver, Outcome},
    findings::{Ease, Shown, ShrinkLimits, Stage},
    plan::Plan,
    provider::Provider,
    reference::{Fault, ReferenceShop},
    search::case_for,
};

/// Plays cases on one target, and on the reference.
pub(super) struct Workbench<'a, 'c> {
    campaign: &'c Campaign<'a>,
    driver: Option<Driver<'a>>,
    capabilities: Capabilities,
    shrinking: &'c mut dyn FnMut(usize, usize),
    /// How many cases were made.
    made: u64,
    /// How many cases were played on the target.
    pub(super) played: u64,
    /// Whether cases are sent whole, as those were that are asked about.
    pub(super) whole: bool,
    /// Whether the target must be started anew before it is asked again.
    is_gone: bool,
    /// Whether it must be started anew whenever it is asked.
    is_careful: bool,
}

/// The serials of the cases of an inquiry begin here, beyond those of any requirement and of those that follow from an id.
const FIRST_SERIAL: u64 = 1 << 40;

/// Attempts at making a case smaller of a target that must be new for each.
const CAREFUL_STARTS: u32 = 24;

/// By how much longer an asynchronous target is waited for, to see whether it only needs more time, and what is added to that.
const FAR_MORE: u32 = 2;
const A_LONG_TIME: Duration = Duration::from_secs(8);

/// A time at which the reference's own clock begins; nothing depends on which.
const NOON: u64 = 1_750_000_000;

/// Attempts at making a case smaller that costs the whole answer limit each time.
pub(super) const HANGS: u32 = 8;

/// Attempts at making a case smaller that costs a new start each time.
pub(super) const STARTS: u32 = 60;

impl<'a, 'c> Workbench<'a, 'c> {
    pub(super) fn new(
        campaign: &'c Campaign<'a>,
        capabilities: Capabilities,
        shrinking: &'c mut dyn FnMut(usize, usize),
    ) -> Workbench<'a, 'c> {
        let whole = capabilities.asynchronous;
        Workbench { campaign, driver: None, capabilities, shrinking, made: 0, played: 0, whole, is_gone: false, is_careful: false }
    }

    /// The target, started if it has to be.
    pub(super) fn driver(&mut self) -> Option<&mut Driver<'a>> {
        if self.is_gone && self.driver.as_mut().is_some_and(|driver| driver.recover().is_err()) {
            self.driver = None;
        }
        self.is_gone = false;
        if self.driver.is_none() {
            self.driver = self.campaign.driver().ok();
        }
        self.driver.as_mut()
    }

    pub(super) fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Says that the target crashed, hung or could not be judged.
    pub(super) fn is_gone(&mut self) {
        self.is_gone = true;
    }

    /// A new target where that costs nothing, so that what earlier cases left behind in it does not matter.
    pub(super) fn renew(&mut self) {
        if self.is_in_process() {
            self.driver = None;
        }
    }

    fn is_in_process(&self) -> bool {
        self.campaign.factory.transport() == "in-process"
    }

    fn name(&self, host: usize) -> String {
        let id = self.campaign.provider.corpus().requirements.get(host).map_or("", |requirement| requirement.id.as_str());
        format!("{id}-asked-{}", self.made)
    }

    fn host_rules(&self, host: usize) -> Rules {
        let id = self.campaign.provider.corpus().requirements.get(host).map_or("", |requirement| requirement.id.as_str());
        Rules::of(id, self.campaign.provider.answer_limit())
    }

    /// The reference with these faults, as if it claimed what the target claims.
    pub(super) fn reference(&self, faults: &[Fault]) -> Option<Driver<'a>> {
        let options = self.campaign.options;
        let clock = Clock::manual(NOON);
        let shop = ReferenceShop::with_faults(faults, clock.clone());
        let double = self.campaign.provider.api().filter(|_| self.capabilities.calls_back).map(Double::of);
        let shop: Box<dyn Target> = Box::new(if double.is_some() { shop.calling_back() } else { shop });
        let secrets = self.campaign.factory.secrets().unwrap_or(&options.secrets);
        let conditions = Conditions {
            // Without a secret nothing is signed, and nothing that is asked of the target depends on it.
            secrets: if secrets.current.is_some() { secrets.clone() } else { Conditions::default().secrets },
            settle: options.settle,
            quiet: options.quiet,
            ..Conditions::default()
        };
        let mut driver = Driver::calling(self.campaign.provider, shop, double, clock, conditions).ok()?;
        driver.introduction.capabilities = self.capabilities.clone();
        Some(driver)
    }

    /// Plays a case at this pace.
    fn play_at(&mut self, pace: Pace, host: usize, case: &Case, after: Option<FailureKind>) -> Option<Shown> {
        if self.campaign.is_over() {
            return None;
        }
        self.renew();
        if self.is_careful {
            self.driver = None;
        }
        self.is_gone |= matches!(after, Some(FailureKind::Crash | FailureKind::Timeout));
        let (name, rules) = (self.name(host), self.host_rules(host));
        let driver = self.driver()?;
        drop(driver.complaints());
        let outcome = match pace {
            Pace::AsClaimed => driver.run(&name, case, rules),
            Pace::Waiting => {
                let clock = driver.clock.clone();
                driver.before = Some(Box::new(move |_, _| clock.sleep(A_MOMENT)));
                let outcome = driver.run(&name, case, rules);
                driver.before = None;
                outcome
            }
            Pace::Settling(time) => driver.run_with_patience(&name, case, rules, time),
        };
        let complaints = driver.complaints();
        self.is_gone = !outcome.is_still_there() || !driver.is_usable();
        self.played += 1;
        outcome.error.is_none().then(|| shown(outcome, complaints))
    }
}

/// How a case is played.
#[derive(Clone, Copy)]
enum Pace {
    /// As the target claims that it may be.
    AsClaimed,
    /// With a moment before each delivery.
    Waiting,
    /// As if the target claimed `asynchronous`, with so long to settle.
    Settling(Duration),
}

/// What came of a case, as far as an inquiry asks.
pub(super) fn shown(outcome: Outcome, complaints: String) -> Shown {
    let (answers, free) = outcome.sent.into_iter().map(|sent| (sent.answers, sent.free)).unzip();
    Shown { failure: outcome.failure, answers, free, complaints }
}

impl Stage for Workbench<'_, '_> {
    fn provider(&self) -> &dyn Provider {
        self.campaign.provider
    }

    fn case(&mut self, host: usize, plan: &Plan) -> Case {
        self.made += 1;
        self.case_with(host, plan, FIRST_SERIAL + self.made)
    }

    fn case_with(&mut self, host: usize, plan: &Plan, serial: u64) -> Case {
        let requirements = &self.campaign.provider.corpus().requirements;
        let requirement = &requirements[host.min(requirements.len() - 1)];
        let case = case_for(self.campaign.provider, requirement, plan, serial, &self.capabilities);
        if self.whole { case.sent_whole() } else { case }
    }

    fn play(&mut self, host: usize, case: &Case, after: Option<FailureKind>) -> Option<Shown> {
        self.play_at(Pace::AsClaimed, host, case, after)
    }

    fn foretell(&mut self, host: usize, case: &Case, faults: &[Fault]) -> Shown {
        let rules = self.host_rules(host);
        let Some(mut driver) = self.reference(faults) else { return Shown::default() };
        let outcome = driver.run("foretold", case, rules);
        shown(outcome, String::new())
    }

    fn limits(&self, kind: FailureKind) -> ShrinkLimits {
        let limits = self.campaign.options.shrink;
        let most = match kind {
            FailureKind::Timeout => HANGS,
            FailureKind::Crash => STARTS,
            FailureKind::State | FailureKind::Answer if self.is_careful => CAREFUL_STARTS,
            FailureKind::State | FailureKind::Answer => return limits,
        };
        if self.is_in_process() { limits } else { ShrinkLimits { attempts: limits.attempts.min(most), ..limits } }
    }

    fn is_dear(&self, kind: FailureKind, case: &Case) -> bool {
        self.is_costly(kind) || !self.is_in_process() && (self.is_careful || case.kills() || self.capabilities.asynchronous)
    }

    fn at_once(&mut self, kind: FailureKind, case: &Case) -> usize {
        let is_shared = !self.is_careful && !case.wants_target_alone() && matches!(kind, FailureKind::State | FailureKind::Answer);
        let campaign = self.campaign;
        self.driver().filter(|_| is_shared).map_or(1, |driver| campaign.at_once(driver))
    }

    fn play_all(&mut self, host: usize, cases: &[Case], after: Option<FailureKind>) -> Vec<Option<Shown>> {
        let (name, rules) = (self.name(host), self.host_rules(host));
        let in_turn = |bench: &mut Self| cases.iter().map(|case| bench.play(host, case, after)).collect();
        if self.campaign.is_over() {
            return vec![None; cases.len()];
        }
        let Some(driver) = self.driver() else { return in_turn(self) };
        let guests: Vec<Driver<'_>> = cases.iter().map_while(|_| driver.beside()).collect();
        if guests.len() < cases.len() || cases.iter().any(Case::kills) {
            return in_turn(self);
        }
        let outcomes: Vec<Option<Outcome>> = std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for (number, (mut guest, case)) in guests.into_iter().zip(cases).enumerate() {
                let name = format!("{name}-{number}");
                threads.push(scope.spawn(move || guest.run(&name, case, rules)));
            }
            threads.into_iter().map(|thread| thread.join().ok()).collect()
        });
        self.played += cases.len() as u64;
        if outcomes.iter().any(|outcome| outcome.as_ref().is_none_or(|outcome| !outcome.is_still_there())) {
            // Whose doing that is shows when each is alone.
            self.is_gone = true;
            return in_turn(self);
        }
        outcomes.into_iter().flatten().map(|outcome| Some(shown(outcome, String::new()))).collect()
    }

    /// Only one that claims `asynchronous` can have more time than it claims to need; the others get a moment, but not in this process,
    /// where a call is over when it returns.
    fn passes(&mut self, host: usize, plan: &Plan, ease: Ease) -> Option<bool> {
        let is_asynchronous = self.capabilities.asynchronous;
        let pace = match ease {
            Ease::Alone => Pace::AsClaimed,
            Ease::Slowly if is_asynchronous => Pace::Waiting,
            Ease::Later if !is_asynchronous && !self.is_in_process() => Pace::Settling(A_MOMENT),
            Ease::Patiently if is_asynchronous => Pace::Settling(self.campaign.options.settle * FAR_MORE + A_LONG_TIME),
            Ease::Slowly | Ease::Later | Ease::Patiently => return None,
        };
        let case = self.case(host, plan);
        // What one that is only started again has stored would still be there.
        self.driver = None;
        self.play_at(pace, host, &case, None).map(|shown| shown.failure.is_none())
    }

    fn be_careful(&mut self) {
        self.is_careful = true;
    }

    fn is_costly(&self, kind: FailureKind) -> bool {
        !self.is_in_process() && matches!(kind, FailureKind::Timeout | FailureKind::Crash)
    }

    fn elapsed(&self) -> Duration {
        if self.campaign.is_over() { Duration::MAX } else { self.campaign.wall.monotonic() }
    }

    fn is_over(&self) -> bool {
        self.campaign.is_over()
    }

    fn smaller(&mut self, host: usize, deliveries: usize) {
        (self.shrinking)(host, deliveries);
    }
}
