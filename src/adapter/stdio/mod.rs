//! A target that is a process and is spoken to in lines of JSON.
//!
//! The process is started by the first `hello` and again by the next one after it crashed, hung or talked
//! nonsense: any of these ends it, so that no answer of one case can be taken for an answer in another.
//! Only a delivery that is not answered in time leaves it running: it is sent again, as the provider would, and the late answer
//! is known by its number and passed over.
//! Several may speak to one process at the same time, each about cases of its own (`common`).
//! Source: `docs/adapter-protocol.md`, "stdio".

mod common;
#[cfg(feature = "arbitrary")]
mod heard;

#[cfg(feature = "arbitrary")]
pub use heard::{Readings, heard};

use std::{
    ffi::OsString,
    sync::{Arc, Condvar},
    time::{Duration, Instant},
};

use common::{Common, Exchange};

use super::{
    Growth, Hello, Introduction, Request, Sealed, Target, TargetError, TargetErrorKind, Transport,
    ending::FAR_AWAY,
    folder::FOLDER,
    group::standing_still,
    shown,
    wire::{Answer, Operation, RequestLine, read_introduction, read_state, read_status},
    without_network,
};
use crate::{
    case::{Mishap, OrderSetup, OwnRefund},
    domain::OrderState,
};

/// How long a target may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StdioSettings {
    /// For the answer to a delivery. A provider waits no longer either.
    pub answer_limit: Duration,
    /// For every other answer; the first one includes the start.
    pub other_limit: Duration,
    /// For going away by itself after `bye`.
    pub kill_grace: Duration,
}

impl Default for StdioSettings {
    fn default() -> StdioSettings {
        StdioSettings {
            answer_limit: Duration::from_millis(3000),
            other_limit: Duration::from_secs(10),
            kill_grace: Duration::from_secs(1),
        }
    }
}

impl StdioSettings {
    /// The same with something about it changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut StdioSettings)) -> StdioSettings {
        change(&mut self);
        self
    }
}

/// A target on stdio. Its process group is killed when this is dropped, and everyone beside it.
pub struct StdioTarget {
    common: Arc<Common>,
    /// Whether it came beside another one, which lets the process go.
    is_guest: bool,
    /// How long the answer to a delivery is waited for at least, whatever the settings say.
    patience: Duration,
    /// Rings when an answer has come for this one, or when it is its turn to read.
    bell: Arc<Condvar>,
    /// The lines to write next; kept for its memory.
    outgoing: Vec<u8>,
}

impl StdioTarget {
    /// A target that this command runs: a program and its arguments, in which `{folder}` stands for an empty folder that is
    /// made for it and removed when it is dropped. Nothing is started before `hello`.
    pub fn new(command: Vec<OsString>, settings: StdioSettings) -> StdioTarget {
        StdioTarget::of(Arc::new(Common::new(command, settings)), false)
    }

    fn of(common: Arc<Common>, is_guest: bool) -> StdioTarget {
        StdioTarget { common, is_guest, patience: Duration::ZERO, bell: Arc::default(), outgoing: Vec::new() }
    }

    fn answer_limit(&self) -> Duration {
        self.common.settings.answer_limit.max(self.patience)
    }

    /// One request and its answer. A target that does not answer is gone after that.
    fn ask(&mut self, operation: Operation<'_>, limit: Duration) -> Result<String, TargetError> {
        let (result, _) = self.asked(operation, limit);
        let is_fatal = |error: &TargetError| !matches!(error.kind, TargetErrorKind::Declined(_));
        if result.as_ref().is_err_and(is_fatal) {
            self.common.stop();
        }
        result
    }

    /// The same, when the target takes one more.
    fn ask_in_turn(&mut self, operation: Operation<'_>) -> Result<String, TargetError> {
        let common = Arc::clone(&self.common);
        let _held = common.permits.take(1);
        self.ask(operation, common.settings.other_limit)
    }

    /// The same for a delivery, which may be sent again if there was no answer in time.
    fn ask_again_later(&mut self, operation: Operation<'_>, limit: Duration) -> Result<String, TargetError> {
        let (result, is_only_late) = self.asked(operation, limit);
        if !is_only_late && result.as_ref().is_err_and(|error| !matches!(error.kind, TargetErrorKind::Declined(_))) {
            self.common.stop();
        }
        result
    }

    fn asked(&mut self, operation: Operation<'_>, limit: Duration) -> (Result<String, TargetError>, bool) {
        let name = operation.name();
        let Exchange { answers, failure, is_only_late } = self.exchange([operation].into_iter(), limit);
        let answer = answers.into_iter().next().flatten();
        (answered(name, answer, failure.as_ref()).map_err(|error| self.common.in_its_words(error)), is_only_late)
    }

    /// Writes requests and waits for their answers in any order. Those that come too late will be passed over.
    fn exchange<'o>(&mut self, operations: impl ExactSizeIterator<Item = Operation<'o>>, limit: Duration) -> Exchange {
        let ids = self.write(operations);
        self.common.exchange(ids, &self.outgoing, &self.bell, limit)
    }

    /// Puts requests into `outgoing`; their numbers.
    fn write<'o>(&mut self, operations: impl ExactSizeIterator<Item = Operation<'o>>) -> std::ops::Range<u64> {
        let ids = self.common.ids(operations.len());
        self.outgoing.clear();
        for (id, operation) in ids.clone().zip(operations) {
            RequestLine { id, operation }.write_to(&mut self.outgoing);
        }
        ids
    }

    /// An answer in which the operation's own members are wrong ends the process like any other nonsense.
    fn checked<T>(&mut self, operation: &str, read: Result<T, String>) -> Result<T, TargetError> {
        read.map_err(|problem| {
            self.common.stop();
            self.common.in_its_words(TargetError::new(operation, TargetErrorKind::Nonsense(problem)))
        })
    }

    /// The name of the command in messages.
    fn command_line(&self) -> String {
        let words: Vec<_> = self.common.command.iter().map(|word| word.to_string_lossy()).collect();
        shown(words.join(" ").as_bytes())
    }
}

impl Target for StdioTarget {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        let is_first = self.common.start_if_none("hello")?;
        let operation = Operation::Hello {
            protocol: hello.protocol,
            provider: &hello.provider,
            secret: &hello.secret,
            api_base_url: hello.api_base_url.as_deref(),
            keys: (!hello.keys.is_empty()).then_some(&hello.keys),
            live_mode: hello.live_mode,
        };
        let line = self.ask(operation, self.common.settings.other_limit).map_err(|mut error| {
            if let TargetErrorKind::Crashed(how) = &error.kind
                && is_first
            {
                error.kind = TargetErrorKind::NotStarted(format!("`{}` {how}", self.command_line()));
            }
            error
        })?;
        let introduction = self.checked("hello", read_introduction(&line))?;
        self.common.is_introduced(&introduction);
        Ok(introduction)
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.ask_in_turn(Operation::Begin { case, orders }).map(drop)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let common = Arc::clone(&self.common);
        let _held = common.permits.take(1);
        let line = self.ask_again_later(Operation::deliver(request), self.answer_limit())?;
        self.checked("deliver", read_status(&line))
    }

    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        self.ask_in_turn(Operation::Initiate { order_id: &own.order_id, refund: &own.refund }).map(drop)
    }

    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.ask_in_turn(Operation::Advance { seconds: time.as_secs() }).map(drop)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let line = self.ask_in_turn(Operation::Observe { order_id })?;
        self.checked("observe", read_state(&line))
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        self.ask_in_turn(Operation::End { case }).map(drop)?;
        self.common.case_is_over();
        Ok(())
    }

    fn bye(&mut self) {
        if !self.is_guest {
            self.write([Operation::Bye].into_iter());
            self.common.say_goodbye(&self.outgoing);
        }
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        self.common.restart("restart")
    }

    fn as_transport(&mut self) -> Option<&mut dyn Transport> {
        Some(self)
    }
}

impl Sealed for StdioTarget {}

impl Transport for StdioTarget {
    fn wait_at_least(&mut self, patience: Duration) {
        self.patience = patience;
    }

    fn beside(&mut self) -> Option<Box<dyn Target>> {
        Some(Box::new(StdioTarget::of(Arc::clone(&self.common), true)))
    }

    /// All requests are written before the first answer is waited for; the limit holds for all together.
    fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
        let common = Arc::clone(&self.common);
        let _held = common.permits.take(requests.len());
        let limit = self.answer_limit();
        let Exchange { answers, failure, is_only_late } = self.exchange(requests.iter().map(Operation::deliver), limit);
        let read = |answer| {
            let line = answered("deliver", answer, failure.as_ref())?;
            read_status(&line).map_err(|problem| TargetError::new("deliver", TargetErrorKind::Nonsense(problem)))
        };
        let results: Vec<_> = answers.into_iter().map(|answer| read(answer).map_err(|error| common.in_its_words(error))).collect();
        let is_fatal = |error: &TargetError| match error.kind {
            TargetErrorKind::Declined(_) => false,
            TargetErrorKind::TimedOut(_) => !is_only_late,
            _ => true,
        };
        if results.iter().any(|result| result.as_ref().is_err_and(is_fatal)) {
            common.stop();
        }
        results
    }

    fn deliver_badly(&mut self, request: &Request<'_>, mishap: Mishap) -> Result<Option<u16>, TargetError> {
        match mishap {
            Mishap::Killed { after_ms } => {
                self.write([Operation::deliver(request)].into_iter());
                if self.common.only_write(&self.outgoing, self.answer_limit()) {
                    std::thread::sleep(Duration::from_millis(after_ms.into()));
                }
                self.restart().map(|()| None)
            }
            Mishap::DiskFull => {
                self.common.fill_disk();
                let status = self.deliver(request).ok();
                self.restart().map(|()| status)
            }
            Mishap::StandsStill { for_ms } => {
                let common = Arc::clone(&self.common);
                standing_still(move || common.stand_still(), Duration::from_millis(for_ms.into()), || self.deliver(request).map(Some))
            }
            // Lines do not break. One that is half written is no half request: it would be finished by whatever comes next.
            Mishap::HalfSent | Mishap::AnswerUnread | Mishap::Reset | Mishap::SlowReading => without_network(self, request, mishap),
        }
    }

    fn complaints(&mut self) -> String {
        self.common.complaints()
    }

    fn growth(&self) -> Option<Growth> {
        self.common.growth()
    }
}

/// The line of an answer, or why there is none.
fn answered(operation: &str, answer: Option<Answer>, failure: Option<&TargetErrorKind>) -> Result<String, TargetError> {
    let kind = match (answer, failure) {
        (Some(Answer::Done(line)), _) => return Ok(line),
        (Some(Answer::Declined(why)), _) => TargetErrorKind::Declined(why),
        (None, Some(failure)) => failure.clone(),
        (None, None) => TargetErrorKind::Nonsense("the target did not answer".to_owned()),
    };
    Err(TargetError::new(operation, kind))
}

/// Whether `{folder}` stands somewhere in a command.
pub(crate) fn names_folder(command: &[OsString]) -> bool {
    command.iter().any(|word| word.to_str().is_some_and(|word| word.contains(FOLDER)))
}

fn from_now(limit: Duration) -> Instant {
    Instant::now() + limit.min(FAR_AWAY)
}
