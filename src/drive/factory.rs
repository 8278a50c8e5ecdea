//! Where targets come from: each worker has its own.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Secrets;
use crate::{
    adapter::{Capabilities, Growth, Target, TargetError},
    domain::Clock,
    double::Double,
    provider::Provider,
};

/// Makes targets.
pub trait Factory: Sync {
    /// A target of its own for one worker. Nothing is started yet: `hello` does that.
    ///
    /// # Errors
    /// When it cannot be made.
    fn make(&self) -> Result<Box<dyn Target>, TargetError>;

    /// What kind of transport it is, for reports: `in-process`, `stdio` or `http`.
    fn transport(&self) -> &str;

    /// How the target is named on the command line, for commands that people paste.
    fn argument(&self) -> &str;

    /// The command that speaks the stdio transport, as a shell takes it, where there is one.
    fn command(&self) -> Option<&str> {
        None
    }

    /// The clock by which its answers are timed.
    fn clock(&self) -> Clock;

    /// What its deliveries are signed with, where the target and not the harness decides that.
    fn secrets(&self) -> Option<&Secrets> {
        None
    }

    /// The header that carries the signature, where it is another than the provider's own.
    fn signature_header(&self) -> Option<&str> {
        None
    }

    /// The provider's API, for targets that call it, where the provider has one.
    fn double(&self, provider: &dyn Provider) -> Option<Arc<Double>> {
        let _ = provider;
        None
    }

    /// A target is let go of, of which a process grew so much.
    fn note_growth(&self, growth: Growth) {
        let _ = growth;
    }

    /// The most that a process of any of its targets grew.
    fn growth(&self) -> Option<Growth> {
        None
    }

    /// Items of the checklist that the target's file leaves out.
    fn without(&self) -> &[String] {
        &[]
    }

    /// Whether the target's file says that it is registered for the provider's live mode.
    fn live_mode(&self) -> bool {
        false
    }

    /// How many targets that claim this may be there at the same time.
    fn workers(&self, claims: &Capabilities) -> usize {
        let _ = claims;
        usize::MAX
    }
}

/// A factory made of a function.
pub struct Launch<F> {
    make: F,
    transport: String,
    argument: String,
    command: Option<String>,
    clock: Clock,
    secrets: Option<Secrets>,
    signature_header: Option<String>,
    without: Vec<String>,
    live_mode: bool,
    workers: usize,
    shares_store: bool,
    double: OnceLock<Option<Arc<Double>>>,
    growth: Mutex<Option<Growth>>,
}

impl<F> Launch<F>
where
    F: Fn() -> Result<Box<dyn Target>, TargetError> + Sync,
{
    /// Targets that `make` makes; `argument` names them on the command line.
    pub fn new(transport: &str, argument: &str, clock: Clock, make: F) -> Launch<F> {
        let (transport, argument) = (transport.to_owned(), argument.to_owned());
        Launch {
            make,
            transport,
            argument,
            command: None,
            clock,
            secrets: None,
            signature_header: None,
            without: Vec::new(),
            live_mode: false,
            workers: usize::MAX,
            shares_store: false,
            double: OnceLock::new(),
            growth: Mutex::default(),
        }
    }

    /// Says what deliveries are signed with.
    #[must_use]
    pub fn signing(mut self, secrets: Secrets) -> Launch<F> {
        self.secrets = Some(secrets);
        self
    }

    /// Says which header carries the signature.
    #[must_use]
    pub fn naming(mut self, signature_header: Option<String>) -> Launch<F> {
        self.signature_header = signature_header;
        self
    }

    /// Says which items of the checklist are left out.
    #[must_use]
    pub fn leaving_out(mut self, without: Vec<String>) -> Launch<F> {
        self.without = without;
        self
    }

    /// Says whether the targets are registered for the provider's live mode.
    #[must_use]
    pub fn in_live_mode(mut self, live_mode: bool) -> Launch<F> {
        self.live_mode = live_mode;
        self
    }

    /// Says how many targets may be there at the same time.
    #[must_use]
    pub fn with_workers(mut self, workers: usize) -> Launch<F> {
        self.workers = workers;
        self
    }

    /// Says that whatever its targets keep, they all keep in the same place: of those that survive a kill only one may run.
    #[must_use]
    pub fn sharing_a_store(mut self, shares_store: bool) -> Launch<F> {
        self.shares_store = shares_store;
        self
    }

    /// Says which API of the provider's its targets may call.
    #[must_use]
    pub fn beside(self, double: Option<Arc<Double>>) -> Launch<F> {
        Launch { double: OnceLock::from(double), ..self }
    }

    /// Says which command speaks the stdio transport, as a shell takes it.
    #[must_use]
    pub fn running(mut self, command: String) -> Launch<F> {
        self.command = Some(command);
        self
    }
}

impl<F> Factory for Launch<F>
where
    F: Fn() -> Result<Box<dyn Target>, TargetError> + Sync,
{
    fn make(&self) -> Result<Box<dyn Target>, TargetError> {
        (self.make)()
    }

    fn transport(&self) -> &str {
        &self.transport
    }

    fn argument(&self) -> &str {
        &self.argument
    }

    fn command(&self) -> Option<&str> {
        self.command.as_deref()
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn secrets(&self) -> Option<&Secrets> {
        self.secrets.as_ref()
    }

    fn signature_header(&self) -> Option<&str> {
        self.signature_header.as_deref()
    }

    fn double(&self, provider: &dyn Provider) -> Option<Arc<Double>> {
        self.double.get_or_init(|| Double::served(provider)).clone()
    }

    fn note_growth(&self, growth: Growth) {
        let mut most = self.growth.lock().unwrap_or_else(PoisonError::into_inner);
        *most = most.into_iter().chain([growth]).max_by_key(|growth| growth.by());
    }

    fn growth(&self) -> Option<Growth> {
        *self.growth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn without(&self) -> &[String] {
        &self.without
    }

    fn live_mode(&self) -> bool {
        self.live_mode
    }

    fn workers(&self, claims: &Capabilities) -> usize {
        if self.shares_store && claims.durable { 1 } else { self.workers }
    }
}
