//! Whether a case can show a mistake at all: canaries play it under the target's own claims.
//!
//! A requirement passes only by cases that one of its canaries fails: the reference with a mistake that is aimed at the
//! requirement, or, where nobody has written such a mistake for the provider, the consumer that does nothing. In addition
//! the consumer that does nothing must fail one of its cases, so that no claim can buy a pass.
//!
//! Nothing of the target is asked here; what is found follows from the case and the claims alone, and is the same in every
//! shard.

use super::drive::{Conditions, Driver};
use crate::{
    adapter::{Capabilities, Target, TargetError},
    case::Case,
    check::Rules,
    domain::Clock,
    provider::Provider,
    reference::{Ignorer, WrongShop, canaries},
};

/// The canaries of one requirement.
pub struct Canaries<'a> {
    rules: Rules,
    /// Those that make a mistake which the requirement is about. The one that failed last is asked first.
    wrong: Vec<Driver<'a>>,
    /// The one that does nothing.
    null: Driver<'a>,
    played: u64,
}

impl<'a> Canaries<'a> {
    /// The canaries of a requirement for a target with these claims.
    ///
    /// # Errors
    /// When one does not start, which is a mistake of this harness.
    pub fn new(
        provider: &'a dyn Provider,
        requirement: &str,
        rules: Rules,
        capabilities: &Capabilities,
    ) -> Result<Canaries<'a>, TargetError> {
        let driver = |make: &dyn Fn(Clock) -> Box<dyn Target>| {
            // Slow shops are slow by this clock, which costs no time.
            let clock = Clock::manual_from_now();
            Driver::new(provider, make(clock.clone()), clock, Conditions::default())
        };
        let wrong = canaries(requirement, provider.name(), provider.corpus())
            .into_iter()
            .map(|fault| driver(&|clock| Box::new(WrongShop::new(fault, capabilities.clone(), clock))))
            .collect::<Result<Vec<_>, TargetError>>()?;
        let null = driver(&|_| Box::new(Ignorer::new(capabilities.clone())))?;
        Ok(Canaries { rules, wrong, null, played: 0 })
    }

    /// Whether a canary of the requirement fails the case.
    pub fn exercises(&mut self, case: &Case) -> bool {
        if self.wrong.is_empty() {
            return self.null_fails(case);
        }
        let name = self.name();
        let Some(place) = self.wrong.iter_mut().position(|driver| fails(driver, &name, case, self.rules)) else { return false };
        self.wrong.swap(0, place);
        true
    }

    /// Whether a consumer that does nothing fails the case.
    pub fn null_fails(&mut self, case: &Case) -> bool {
        let name = self.name();
        fails(&mut self.null, &name, case, self.rules)
    }

    fn name(&mut self) -> String {
        self.played += 1;
        format!("canary-{}", self.played)
    }
}

fn fails(driver: &mut Driver<'_>, name: &str, case: &Case, rules: Rules) -> bool {
    let outcome = driver.run(name, case, rules);
    if outcome.has_stopped() {
        // A case that fails is left where it failed; the next one begins anew, and so does a shop that crashed.
        let _ = driver.target.end(name);
        let _ = driver.target.complaints();
        if !outcome.is_still_there() {
            let _ = driver.recover();
        }
    }
    outcome.failure.is_some()
}
