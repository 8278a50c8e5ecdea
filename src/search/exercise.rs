//! Whether a case can show a mistake at all: canaries play it under the target's own claims.
//!
//! A requirement passes only by cases that one of its canaries fails: the reference with a mistake that is aimed at the
//! requirement, or, where nobody has written such a mistake for the provider, the consumer that does nothing. In addition
//! the consumer that does nothing must fail one of its cases, so that no claim can buy a pass.
//!
//! Nothing of the target is asked here; what is found follows from the case and the claims alone, and is the same in every
//! shard.

use std::{
    cmp::Reverse,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    adapter::{Capabilities, Target, TargetError},
    case::{Case, Effect, Signature},
    check::Rules,
    domain::Clock,
    double::Double,
    drive::{Conditions, Driver, Secrets},
    provider::Provider,
    reference::{Fault, Ignorer, WrongShop, canaries},
};

/// A canary that makes a mistake.
struct Wrong<'a> {
    /// Its place among the canaries of the requirement.
    number: u32,
    fault: Fault,
    driver: Driver<'a>,
    /// How many cases it has failed, and how many deliveries it was sent.
    failed: u64,
    sent: u64,
}

impl Wrong<'_> {
    /// In how many cases it fails for a million deliveries, as far as that is known: who fails soon and often is asked first.
    fn promise(&self) -> u64 {
        (self.failed + 1).saturating_mul(1_000_000) / (self.sent + 1)
    }
}

/// The canaries of one requirement.
pub struct Canaries<'a> {
    rules: Rules,
    /// Those that make a mistake which the requirement is about, the most promising first.
    wrong: Vec<Wrong<'a>>,
    /// The one that does nothing.
    null: Driver<'a>,
    /// Whether what is played is signed.
    signed: Arc<AtomicBool>,
    /// Whether a mistake is one in checking signatures, so that it always is.
    always_signed: bool,
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
            let conditions = Conditions { secrets: Secrets::of(Some(SECRET.into())), ..Conditions::default() };
            let double = provider.api().filter(|_| capabilities.calls_back).map(Double::of);
            Driver::calling(provider, make(clock.clone()), double, clock, conditions)
        };
        let signed = Arc::new(AtomicBool::new(true));
        let faults = canaries(requirement, provider.name(), provider.corpus());
        let always_signed = faults.iter().any(|fault| fault.info().is_about_signatures());
        let wrong = faults
            .into_iter()
            .zip(0..)
            .map(|(fault, number)| {
                let shop = |clock| Box::new(WrongShop::new(fault, capabilities.clone(), clock, Arc::clone(&signed))) as Box<dyn Target>;
                Ok(Wrong { number, fault, driver: driver(&shop)?, failed: 0, sent: 0 })
            })
            .collect::<Result<Vec<_>, TargetError>>()?;
        let null = driver(&|_| Box::new(Ignorer::new(capabilities.clone())))?;
        Ok(Canaries { rules, wrong, null, signed, always_signed, played: 0 })
    }

    /// Whether a canary of the requirement fails the case.
    pub fn exercises(&mut self, case: &Case) -> bool {
        if self.wrong.is_empty() {
            return self.null_fails(case);
        }
        let fails = self.asking(case);
        let fails = self.wrong.iter_mut().any(fails);
        self.wrong.sort_by_key(|wrong| Reverse(wrong.promise()));
        fails
    }

    /// What [`Canaries::exercises`] says, and which canaries fail the case, a bit for each; for that it asks them all.
    pub(super) fn failing(&mut self, case: &Case) -> (bool, u64) {
        if self.wrong.is_empty() {
            return (self.null_fails(case), 0);
        }
        let mut fails = self.asking(case);
        let failing = self.wrong.iter_mut().filter_map(|wrong| fails(wrong).then_some(wrong.number));
        failing.fold((false, 0), |(_, bits), number| (true, bits | 1_u64.checked_shl(number).unwrap_or(0)))
    }

    /// Does as if nobody had thought of this mistake.
    pub(super) fn forget(&mut self, fault: Fault) {
        self.wrong.retain(|wrong| wrong.fault != fault);
    }

    /// Puts the case to one canary after the other, as it is signed for them.
    fn asking<'c>(&mut self, case: &'c Case) -> impl FnMut(&mut Wrong<'a>) -> bool + use<'a, 'c> {
        let (name, rules) = (self.name(), self.rules);
        let is_signed = self.always_signed || is_about_signatures(case);
        self.signed.store(is_signed, Ordering::Relaxed);
        move |wrong| {
            wrong.driver.conditions.secrets.current = is_signed.then(|| SECRET.into());
            let Ran { failed, sent } = ran(&mut wrong.driver, &name, case, rules);
            wrong.failed += u64::from(failed);
            wrong.sent += sent;
            failed
        }
    }

    /// Whether a consumer that does nothing fails the case.
    pub fn null_fails(&mut self, case: &Case) -> bool {
        let name = self.name();
        ran(&mut self.null, &name, case, self.rules).failed
    }

    fn name(&mut self) -> String {
        self.played += 1;
        format!("canary-{}", self.played)
    }
}

/// What canaries are sent is signed with this, where it is signed.
const SECRET: &str = "whsec_canary";

/// Whether the way in which a delivery of the case is signed decides anything.
fn is_about_signatures(case: &Case) -> bool {
    case.all_deliveries().any(|delivery| delivery.effect == Effect::Refuse || delivery.signature != Signature::Valid)
}

/// What came of a case that a canary played.
struct Ran {
    failed: bool,
    /// How many deliveries it took.
    sent: u64,
}

fn ran(driver: &mut Driver<'_>, name: &str, case: &Case, rules: Rules) -> Ran {
    let outcome = driver.run(name, case, rules);
    if outcome.has_stopped() {
        // What it says of its mistakes is nobody's business, and a shop that crashed begins anew.
        drop(driver.complaints());
        if !driver.is_usable() {
            let _ = driver.recover();
        }
    }
    Ran { failed: outcome.failure.is_some(), sent: outcome.deliveries }
}
