//! Driving one case: every entry is carried out, what the target shows is judged at once.
//!
//! Nothing here knows requirements; a target is made by a [`Factory`], and what it claims is held against what the provider can
//! do. Ids of a run that a target may remember are put in for the case's own, and out again (`ids`). Where the shop acts itself,
//! what is told happens now (`near`).

mod api;
mod claims;
mod deliver;
mod factory;
mod guard;
mod ids;
mod look;
mod near;
mod play;
mod sign;
mod written;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    adapter::{Api, Capabilities, Hello, Introduction, Link, Request, Target, TargetError, TargetErrorKind},
    case::{Case, Delivery, OrderSetup},
    check::Rules,
    domain::{Clock, OrderState, Secret},
    double::Double,
    provider::Provider,
};

pub use claims::{A_MOMENT, WORKS_ON, claims_problem, claims_remarks};
pub use factory::{Factory, Launch};
use guard::guarded;
pub use guard::is_in_target;
use ids::Aliases;
pub use ids::with_fresh_ids;
#[cfg(feature = "cli")]
pub(crate) use near::timely;
pub use play::{Outcome, Played, Sent};
pub use sign::{rename, sealed};

/// What deliveries are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// The secret said in `hello`; without one nothing is signed.
    pub current: Option<Secret>,
    /// What else no report may hold, such as the token that a state endpoint is behind.
    pub others: Vec<Secret>,
}

impl Secrets {
    /// The secret itself.
    pub fn current(&self) -> Option<&str> {
        self.current.as_ref().map(Secret::expose)
    }

    /// The secret, where there is one, and nothing else.
    pub fn of(current: Option<Secret>) -> Secrets {
        Secrets { current, others: Vec::new() }
    }

    /// Every text that no report may hold.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.current.iter().chain(&self.others).map(Secret::expose)
    }
}

/// Called before each delivery with the index of its entry.
pub type BeforeDelivery<'a> = Box<dyn FnMut(usize, &Delivery) + Send + 'a>;

/// Under what conditions cases are driven.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// What deliveries are signed with.
    pub secrets: Secrets,
    /// The header that carries the signature, where it is another than the provider's own.
    pub signature_header: Option<String>,
    /// How long an asynchronous target may take to show what it acknowledged.
    pub settle: Duration,
    /// How long an asynchronous target must still be right after the end of a case.
    pub quiet: Duration,
    /// For targets that keep what they were told from one run to the next: makes the ids of this run its own.
    pub salt: Option<u64>,
    /// Records without judging: nothing that is wrong ends a case but a crash or a hang.
    pub lenient: bool,
}

impl Default for Conditions {
    fn default() -> Conditions {
        Conditions {
            secrets: Secrets::of(Some("whsec_refundproof".into())),
            signature_header: None,
            settle: Duration::from_secs(2),
            quiet: Duration::from_millis(250),
            salt: None,
            lenient: false,
        }
    }
}

/// Drives cases against one target.
pub struct Driver<'a> {
    /// The provider, which signs.
    pub provider: &'a dyn Provider,
    /// The target.
    target: Link,
    /// Makes another one where this one is of no use any more.
    factory: Option<&'a dyn Factory>,
    /// The one clock.
    pub clock: Clock,
    /// Secrets, salt and how long is waited for what.
    pub conditions: Conditions,
    /// What the target said of itself.
    pub introduction: Introduction,
    /// What is done before each delivery, for people who step.
    pub before: Option<BeforeDelivery<'a>>,
    /// The ids of the case that was finished last.
    aliases: Option<Aliases>,
    /// Whether a call of the target has panicked: what it holds may be in any state then, its locks for instance.
    has_panicked: bool,
    /// Whether it crashed, hung or could not be judged since it was made usable.
    is_spent: bool,
    /// A crash when no case was being played, which the next one is told of.
    crashed: Option<TargetError>,
    /// The provider's API, for a target that calls it.
    double: Option<Arc<Double>>,
    /// How many seconds the target, and whoever else uses it, was told have passed.
    passed: Arc<AtomicU64>,
}

impl<'a> Driver<'a> {
    /// Says hello to a target.
    ///
    /// # Errors
    /// When it does not start or does not speak the protocol.
    pub fn new(
        provider: &'a dyn Provider,
        target: Box<dyn Target>,
        clock: Clock,
        conditions: Conditions,
    ) -> Result<Driver<'a>, TargetError> {
        Driver::with(provider, target, None, None, clock, conditions)
    }

    /// Says hello to a target in this process that calls this API of the provider's.
    ///
    /// # Errors
    /// When it does not start or does not speak the protocol.
    pub fn calling(
        provider: &'a dyn Provider,
        target: Box<dyn Target>,
        double: Option<Arc<Double>>,
        clock: Clock,
        conditions: Conditions,
    ) -> Result<Driver<'a>, TargetError> {
        Driver::with(provider, target, None, double, clock, conditions)
    }

    /// Says hello to a target that the factory makes, now and whenever another one is needed.
    ///
    /// # Errors
    /// When it does not start or does not speak the protocol.
    pub fn of(
        provider: &'a dyn Provider,
        factory: &'a dyn Factory,
        clock: Clock,
        conditions: Conditions,
    ) -> Result<Driver<'a>, TargetError> {
        Driver::with(provider, made(factory)?, Some(factory), factory.double(provider), clock, conditions)
    }

    fn with(
        provider: &'a dyn Provider,
        target: Box<dyn Target>,
        factory: Option<&'a dyn Factory>,
        double: Option<Arc<Double>>,
        clock: Clock,
        conditions: Conditions,
    ) -> Result<Driver<'a>, TargetError> {
        let mut driver = Driver {
            provider,
            target: Link::new(target),
            factory,
            clock,
            conditions,
            introduction: Introduction::default(),
            before: None,
            aliases: None,
            has_panicked: false,
            is_spent: false,
            crashed: None,
            double,
            passed: Arc::default(),
        };
        driver.introduction = driver.hello()?;
        Ok(driver)
    }

    fn hello(&mut self) -> Result<Introduction, TargetError> {
        let secret = self.conditions.secrets.current().unwrap_or_default();
        let api = self.double.as_ref().and_then(|double| double.address()).map(str::to_owned);
        let hello = Hello::new(self.provider.name(), secret).with_api(api).with_keys(self.provider.keys(secret));
        let hello = hello.with_live_mode(self.provider.is_live());
        let api = self.double.clone().map(|double| double as Arc<dyn Api>);
        let introduction = self.call("hello", |target| {
            api.iter().for_each(|api| target.given_api(api));
            target.hello(&hello)
        })?;
        if introduction.capabilities.concurrency == 0 {
            let what = "field `capabilities.concurrency`: is 0; it is at least 1".to_owned();
            return Err(TargetError::new("hello", TargetErrorKind::Nonsense(what)));
        }
        if let Some(what) = claims_problem(self.provider, &introduction.capabilities) {
            return Err(TargetError::new("hello", TargetErrorKind::Misclaimed(what)));
        }
        // It begins with the real time, and what it stored before is from later.
        let passed = self.passed.load(Ordering::Relaxed);
        if passed > 0 {
            self.call("advance", |target| target.advance(Duration::from_secs(passed)))?;
        }
        Ok(introduction)
    }

    /// Lets so many seconds pass for the target; signatures are made by its time from then on.
    fn advance(&mut self, seconds: u64) -> Result<(), TargetError> {
        self.call("advance", |target| target.advance(Duration::from_secs(seconds)))?;
        self.passed.fetch_add(seconds, Ordering::Relaxed);
        Ok(())
    }

    /// Starts the target again with the real time, if time passed for it. Whoever is started again in a case in which no time passes
    /// must not be told then of what passed in earlier ones: jobs that are due by that would be taken for a mistake of this case.
    fn forget_the_time(&mut self) -> Result<(), TargetError> {
        if self.passed.swap(0, Ordering::Relaxed) > 0 { self.restart() } else { Ok(()) }
    }

    /// The time that the target takes for now, in seconds after 1970.
    fn now(&self) -> u64 {
        self.clock.unix_seconds().saturating_add(self.passed.load(Ordering::Relaxed))
    }

    /// Drives cases that are under way at the same time as this one's, on the same target; `None` where that cannot be. What it
    /// does to the target, it does to all, and it makes no other.
    pub(super) fn beside(&mut self) -> Option<Driver<'a>> {
        let target = self.call("hello", |target| Ok(target.beside())).ok()??;
        let (provider, clock, conditions) = (self.provider, self.clock.clone(), self.conditions.clone());
        let introduction = self.introduction.clone();
        let (before, aliases, crashed) = (None, None, None);
        let (factory, has_panicked, is_spent) = (None, false, false);
        Some(Driver {
            provider,
            target,
            factory,
            clock,
            conditions,
            introduction,
            before,
            aliases,
            has_panicked,
            is_spent,
            crashed,
            double: self.double.clone(),
            passed: Arc::clone(&self.passed),
        })
    }

    /// What the target claims.
    pub fn capabilities(&self) -> &Capabilities {
        &self.introduction.capabilities
    }

    /// Runs a case to its end or to the first thing that is wrong.
    pub fn run(&mut self, name: &str, case: &Case, rules: Rules) -> Outcome {
        let played = self.play(name, case, rules);
        self.finish(played)
    }

    /// Runs a case as if the target claimed `asynchronous`, with so long to settle; unless it claims so, it need not stay right.
    pub fn run_with_patience(&mut self, name: &str, case: &Case, rules: Rules, settle: Duration) -> Outcome {
        let (conditions, claimed) = (self.conditions.clone(), self.introduction.capabilities.asynchronous);
        self.conditions.settle = settle;
        if !claimed {
            self.conditions.quiet = Duration::ZERO;
        }
        self.introduction.capabilities.asynchronous = true;
        let outcome = self.run(name, case, rules);
        (self.conditions, self.introduction.capabilities.asynchronous) = (conditions, claimed);
        outcome
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        self.call("restart", |target| target.restart())?;
        self.hello().map(|_| ())
    }

    /// What the target wrote to its standard error since it was last asked, with the ids of the case that was finished last.
    pub fn complaints(&mut self) -> String {
        let text = self.call("complaints", |target| Ok(target.complaints())).unwrap_or_else(|error| {
            let text = error.to_string();
            self.crashed = Some(error);
            text
        });
        if let Some(aliases) = &self.aliases { aliases.text_back(&text) } else { text }
    }

    /// Whether the next case can be played as it is. After a crash, a hang or an error [`Driver::recover`] comes first.
    pub fn is_usable(&self) -> bool {
        !self.is_spent && !self.has_panicked
    }

    /// Makes the target usable again after it crashed, hung or could not be judged: it is started again, or another one is
    /// made where that cannot be done, or where it would leave it with what a panic left behind.
    ///
    /// # Errors
    /// When it cannot be started again.
    pub fn recover(&mut self) -> Result<(), TargetError> {
        let restarted =
            if self.has_panicked { Err(TargetError::unsupported("restart")) } else { self.call("restart", |target| target.restart()) };
        match (restarted, self.factory) {
            (Ok(()), _) | (Err(TargetError { kind: TargetErrorKind::Unsupported, .. }), None) => {}
            (Err(error), None) => return Err(error),
            (Err(_), Some(factory)) => {
                // The old one goes first: they may want the same port.
                self.let_go();
                self.target = Link::new(made(factory)?);
            }
        }
        (self.has_panicked, self.is_spent, self.crashed) = (false, false, None);
        self.hello().map(|_| ())
    }

    /// Says goodbye to the target and drops it, in either of which it may panic.
    fn let_go(&mut self) {
        if let (Some(factory), Ok(Some(growth))) = (self.factory, self.call("growth", |target| Ok(target.growth()))) {
            factory.note_growth(growth);
        }
        let _ = self.call("bye", |target| {
            target.bye();
            Ok(())
        });
        let old = std::mem::replace(&mut self.target, Link::new(Box::new(Gone)));
        let _ = guarded("bye", || drop(old));
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        self.let_go();
    }
}

fn made(factory: &dyn Factory) -> Result<Box<dyn Target>, TargetError> {
    guarded("start", || factory.make())?
}

/// Stands for a target that was let go of.
struct Gone;

impl Gone {
    fn error(operation: &str) -> TargetError {
        TargetError::new(operation, TargetErrorKind::NotStarted("it is gone".to_owned()))
    }
}

impl Target for Gone {
    fn hello(&mut self, _: &Hello) -> Result<Introduction, TargetError> {
        Err(Gone::error("hello"))
    }

    fn begin(&mut self, _: &str, _: &[OrderSetup]) -> Result<(), TargetError> {
        Err(Gone::error("begin"))
    }

    fn deliver(&mut self, _: &Request<'_>) -> Result<u16, TargetError> {
        Err(Gone::error("deliver"))
    }

    fn observe(&mut self, _: &str) -> Result<Option<OrderState>, TargetError> {
        Err(Gone::error("observe"))
    }
}
