//! Where targets come from: each worker has its own.

use crate::{adapter::Target, adapter::TargetError, domain::Clock};

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
}

/// A factory made of a function.
pub struct Launch<F> {
    make: F,
    transport: String,
    argument: String,
    command: Option<String>,
    clock: Clock,
}

impl<F> Launch<F>
where
    F: Fn() -> Result<Box<dyn Target>, TargetError> + Sync,
{
    /// Targets that `make` makes; `argument` names them on the command line.
    pub fn new(transport: &str, argument: &str, clock: Clock, make: F) -> Launch<F> {
        Launch { make, transport: transport.to_owned(), argument: argument.to_owned(), command: None, clock }
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
}
