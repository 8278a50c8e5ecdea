//! Driving one case: every entry is carried out, what the target shows is judged at once.

mod deliver;
mod guard;
mod look;
mod play;
mod sign;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use super::alias::Aliases;
use crate::{
    adapter::{Capabilities, Hello, Introduction, PROTOCOL, Target, TargetError, TargetErrorKind},
    case::Delivery,
    domain::Clock,
    provider::Provider,
};

use guard::guarded;
pub use guard::is_in_target;
pub use play::{Outcome, Played, Sent};

/// What deliveries are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// The secret said in `hello`; without one nothing is signed.
    pub current: Option<String>,
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
    /// How long an answer to a delivery may take; `None` waits for ever.
    pub answer_limit: Option<Duration>,
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
            secrets: Secrets { current: Some("whsec_refundproof".to_owned()) },
            signature_header: None,
            answer_limit: Some(Duration::from_millis(3000)),
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
    pub target: Box<dyn Target>,
    /// The one clock.
    pub clock: Clock,
    /// Time limits, secrets and salt.
    pub conditions: Conditions,
    /// What the target said of itself.
    pub introduction: Introduction,
    /// What is done before each delivery, for people who step.
    pub before: Option<BeforeDelivery<'a>>,
    /// The ids of the case that was finished last.
    aliases: Option<Aliases>,
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
        let mut driver = Driver { provider, target, clock, conditions, introduction: Introduction::default(), before: None, aliases: None };
        driver.introduction = driver.hello()?;
        Ok(driver)
    }

    fn hello(&mut self) -> Result<Introduction, TargetError> {
        let hello = Hello {
            protocol: PROTOCOL,
            provider: self.provider.name().to_owned(),
            secret: self.conditions.secrets.current.clone().unwrap_or_default(),
        };
        let target = &mut self.target;
        let introduction = guarded("hello", || target.hello(&hello))?;
        if introduction.capabilities.concurrency == 0 {
            let what = "field `capabilities.concurrency`: is 0; it is at least 1".to_owned();
            return Err(TargetError::new("hello", TargetErrorKind::Nonsense(what)));
        }
        match hears_nothing(self.provider, &introduction.capabilities) {
            Some(what) => Err(TargetError::new("hello", TargetErrorKind::Nonsense(what))),
            None => Ok(introduction),
        }
    }

    /// What the target claims.
    pub fn capabilities(&self) -> &Capabilities {
        &self.introduction.capabilities
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        self.target.restart()?;
        self.hello().map(|_| ())
    }

    /// What the target wrote to its standard error since it was last asked, with the ids of the case that was finished last.
    pub fn complaints(&mut self) -> String {
        let text = self.target.complaints();
        if let Some(aliases) = &self.aliases { aliases.text_back(&text) } else { text }
    }

    /// Makes the target usable again after it crashed, hung or could not be judged.
    ///
    /// # Errors
    /// When it cannot be started again.
    pub fn recover(&mut self) -> Result<(), TargetError> {
        match self.target.restart() {
            Err(TargetError { kind: TargetErrorKind::Unsupported, .. }) | Ok(()) => {}
            Err(error) => return Err(error),
        }
        self.hello().map(|_| ())
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        let target = &mut self.target;
        let _ = catch_unwind(AssertUnwindSafe(|| target.bye()));
    }
}

/// Why a target with these capabilities cannot be judged with this provider's events, if it cannot.
pub fn hears_nothing(provider: &dyn Provider, capabilities: &Capabilities) -> Option<String> {
    let hears_something = provider.corpus().catalogue.iter().any(|event| capabilities.is_subscribed(&event.kind));
    (!hears_something)
        .then(|| format!("field `capabilities.subscribes`: fits no event type of {}, so nothing can be judged", provider.name()))
}
