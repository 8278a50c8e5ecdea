//! A target that is a process and is spoken to in lines of JSON.
//!
//! The process is started by the first `hello` and again by the next one after it crashed, hung or talked
//! nonsense: any of these ends it, so that no answer of one case can be taken for an answer in another.
//! Only a delivery that is not answered in time leaves it running: it is sent again, as the provider would, and the late answer
//! is known by its number and passed over.
//! Source: `docs/adapter-protocol.md`, "stdio".

use std::{
    collections::HashSet,
    ffi::OsString,
    time::{Duration, Instant},
};

use super::{
    Amid, Amidst, Hello, Introduction, Request, Sealed, Target, TargetError, TargetErrorKind, Transport,
    folder::{FOLDER, Folder},
    pipes::Tail,
    process::{End, Heard, Process, Written},
    shown,
    wire::{Answer, Operation, RequestLine, read_answer, read_introduction, read_state, read_status},
};
use crate::{
    case::{Mishap, OrderSetup, OwnRefund},
    domain::OrderState,
};

/// How long to wait, while a target is silent, before looking whether it is still there. It usually shows by itself:
/// its output ends. But a process that it left behind may keep the output open.
const SLICE: Duration = Duration::from_millis(50);
/// How long a target that ended, or closed one of its pipes, may take to say the rest and be seen to have ended.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long the request for a refund is waited for before what was to arrive meanwhile is delivered.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Stands for no limit at all.
const FAR_AWAY: Duration = Duration::from_secs(24 * 60 * 60);

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

/// A target on stdio. Its process group is killed when this is dropped.
pub struct StdioTarget {
    command: Vec<OsString>,
    settings: StdioSettings,
    process: Option<Process>,
    /// Whether the running process has answered `hello`; before that, its end means that it could not be started.
    is_introduced: bool,
    last_id: u64,
    /// How long the answer to a delivery is waited for at least, whatever the settings say.
    patience: Duration,
    /// Requests of the running process that nobody waits for any more. Their answers may still come, and are passed over.
    given_up: HashSet<u64>,
    /// What stands for `{folder}` in the command; made with the first start.
    folder: Option<Folder>,
    /// The lines to write next; kept for its memory.
    outgoing: Vec<u8>,
    /// What processes that are gone wrote to their standard error.
    complaints: Tail,
}

/// What came of writing some requests: an answer to each, unless something went wrong.
struct Exchange {
    answers: Vec<Option<Answer>>,
    failure: Option<TargetErrorKind>,
    /// Whether everything was written and the target is only too slow, so that it can be asked again.
    is_only_late: bool,
}

impl StdioTarget {
    /// A target that this command runs: a program and its arguments, in which `{folder}` stands for an empty folder that is
    /// made for it and removed when it is dropped. Nothing is started before `hello`.
    pub fn new(command: Vec<OsString>, settings: StdioSettings) -> StdioTarget {
        StdioTarget {
            command,
            settings,
            process: None,
            is_introduced: false,
            last_id: 0,
            patience: Duration::ZERO,
            given_up: HashSet::new(),
            folder: None,
            outgoing: Vec::new(),
            complaints: Tail::default(),
        }
    }

    fn start(&mut self, operation: &str) -> Result<(), TargetError> {
        let not_started = |why: String| TargetError::new(operation, TargetErrorKind::NotStarted(why));
        if self.folder.is_none() && names_folder(&self.command) {
            self.folder = Some(Folder::new().map_err(not_started)?);
        }
        let process = Process::start(&self.words()).map_err(|why| self.in_its_words(not_started(why)))?;
        self.process = Some(process);
        self.is_introduced = false;
        Ok(())
    }

    /// The command with the folder in its place.
    fn words(&self) -> Vec<OsString> {
        let Some(folder) = &self.folder else { return self.command.clone() };
        let path = folder.path().to_string_lossy();
        // A word that is no text names no folder.
        let word = |word: &OsString| word.to_str().map_or_else(|| word.clone(), |text| text.replace(FOLDER, &path).into());
        self.command.iter().map(word).collect()
    }

    fn in_its_words(&self, mut error: TargetError) -> TargetError {
        error.each_text(|text| *text = self.as_written(text));
        error
    }

    /// A text without the name of the folder, which differs from run to run.
    fn as_written(&self, text: &str) -> String {
        self.folder.as_ref().map_or_else(|| text.to_owned(), |folder| text.replace(&*folder.path().to_string_lossy(), FOLDER))
    }

    fn answer_limit(&self) -> Duration {
        self.settings.answer_limit.max(self.patience)
    }

    /// Kills what runs, and keeps what it complained about.
    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.close();
            process.take_complaints(&mut self.complaints);
        }
        self.is_introduced = false;
        self.given_up.clear();
    }

    fn push(&mut self, operation: Operation<'_>) {
        self.last_id += 1;
        RequestLine { id: self.last_id, operation }.write_to(&mut self.outgoing);
    }

    /// One request and its answer. A target that does not answer is gone after that.
    fn ask(&mut self, operation: Operation<'_>, limit: Duration) -> Result<String, TargetError> {
        let (result, _) = self.asked(operation, limit);
        let is_fatal = |error: &TargetError| !matches!(error.kind, TargetErrorKind::Declined(_));
        if result.as_ref().is_err_and(is_fatal) {
            self.stop();
        }
        result
    }

    /// The same for a delivery, which may be sent again if there was no answer in time.
    fn ask_again_later(&mut self, operation: Operation<'_>, limit: Duration) -> Result<String, TargetError> {
        let (result, is_only_late) = self.asked(operation, limit);
        match &result {
            Err(_) if is_only_late => {
                self.given_up.insert(self.last_id);
            }
            Err(error) if !matches!(error.kind, TargetErrorKind::Declined(_)) => self.stop(),
            _ => {}
        }
        result
    }

    fn asked(&mut self, operation: Operation<'_>, limit: Duration) -> (Result<String, TargetError>, bool) {
        let name = operation.name();
        self.outgoing.clear();
        self.push(operation);
        let Exchange { answers, failure, is_only_late } = self.exchange(1, limit);
        let answer = answers.into_iter().next().flatten();
        (answered(name, answer, failure.as_ref()).map_err(|error| self.in_its_words(error)), is_only_late)
    }

    /// Writes the last `count` requests, which are in `outgoing`, and waits for their answers in any order.
    fn exchange(&mut self, count: usize, limit: Duration) -> Exchange {
        let mut answers = Vec::new();
        answers.resize_with(count, || None);
        let Some(process) = &mut self.process else {
            let failure = TargetErrorKind::NotStarted("it is not running; `hello` starts it".to_owned());
            return Exchange { answers, failure: Some(failure), is_only_late: false };
        };
        let first = self.last_id + 1 - count as u64;
        let deadline = from_now(limit);
        let written = process.write(&self.outgoing, deadline);
        let patience = Patience { limit, deadline, written };
        let failure = collect(process, first, &mut answers, &mut self.given_up, patience, &|_| {}).err();
        // Of a request that is half written, the rest would be taken from the next one.
        let is_only_late = written == Written::Everything && matches!(failure, Some(TargetErrorKind::TimedOut(_)));
        Exchange { answers, failure, is_only_late }
    }

    /// An answer in which the operation's own members are wrong ends the process like any other nonsense.
    fn checked<T>(&mut self, operation: &str, read: Result<T, String>) -> Result<T, TargetError> {
        read.map_err(|problem| {
            self.stop();
            self.in_its_words(TargetError::new(operation, TargetErrorKind::Nonsense(problem)))
        })
    }

    /// The name of the command in messages.
    fn command_line(&self) -> String {
        let words: Vec<_> = self.command.iter().map(|word| word.to_string_lossy()).collect();
        shown(words.join(" ").as_bytes())
    }
}

impl Target for StdioTarget {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        if self.process.is_none() {
            self.start("hello")?;
        }
        let is_first = !self.is_introduced;
        let operation = Operation::Hello {
            protocol: hello.protocol,
            provider: &hello.provider,
            secret: &hello.secret,
            api_base_url: hello.api_base_url.as_deref(),
        };
        let line = self.ask(operation, self.settings.other_limit).map_err(|mut error| {
            if let TargetErrorKind::Crashed(how) = &error.kind
                && is_first
            {
                error.kind = TargetErrorKind::NotStarted(format!("`{}` {how}", self.command_line()));
            }
            error
        })?;
        let introduction = self.checked("hello", read_introduction(&line))?;
        self.is_introduced = true;
        Ok(introduction)
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.ask(Operation::Begin { case, orders }, self.settings.other_limit).map(drop)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let line = self.ask_again_later(Operation::deliver(request), self.answer_limit())?;
        self.checked("deliver", read_status(&line))
    }

    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        self.ask(Operation::Initiate { order_id: &own.order_id, refund: &own.refund }, self.settings.other_limit).map(drop)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let line = self.ask(Operation::Observe { order_id }, self.settings.other_limit)?;
        self.checked("observe", read_state(&line))
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        self.ask(Operation::End { case }, self.settings.other_limit).map(drop)
    }

    fn bye(&mut self) {
        self.outgoing.clear();
        self.push(Operation::Bye);
        if let Some(process) = &mut self.process {
            let deadline = from_now(self.settings.kill_grace);
            process.write(&self.outgoing, deadline);
            process.close_stdin();
            process.wait_for_ending(deadline);
        }
        self.stop();
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        self.stop();
        self.start("restart")
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

    /// All requests are written before the first answer is waited for; the limit holds for all together.
    fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
        self.outgoing.clear();
        for request in requests {
            self.push(Operation::deliver(request));
        }
        let Exchange { answers, failure, is_only_late } = self.exchange(requests.len(), self.answer_limit());
        if is_only_late {
            let first = self.last_id + 1 - requests.len() as u64;
            let missing = answers.iter().zip(first..).filter(|(answer, _)| answer.is_none());
            self.given_up.extend(missing.map(|(_, id)| id));
        }
        let read = |answer| {
            let line = answered("deliver", answer, failure.as_ref())?;
            read_status(&line).map_err(|problem| TargetError::new("deliver", TargetErrorKind::Nonsense(problem)))
        };
        let results: Vec<_> = answers.into_iter().map(|answer| read(answer).map_err(|error| self.in_its_words(error))).collect();
        let is_fatal = |error: &TargetError| match error.kind {
            TargetErrorKind::Declined(_) => false,
            TargetErrorKind::TimedOut(_) => !is_only_late,
            _ => true,
        };
        if results.iter().any(|result| result.as_ref().is_err_and(is_fatal)) {
            self.stop();
        }
        results
    }

    /// All requests are written as soon as the provider has been asked for the refund.
    fn initiate_amid(&mut self, own: &OwnRefund, requests: &[Request<'_>], amid: &dyn Amid) -> Amidst {
        self.outgoing.clear();
        self.push(Operation::Initiate { order_id: &own.order_id, refund: &own.refund });
        let limit = self.settings.other_limit;
        let deadline = from_now(limit);
        let first = self.last_id;
        let mut written = self.process.as_mut().map_or(Written::Unread, |process| process.write(&self.outgoing, deadline));
        amid.wait(LONGEST_WAIT.min(limit));
        self.outgoing.clear();
        for request in requests {
            self.push(Operation::deliver(request));
        }
        let mut answers: Vec<Option<Answer>> = Vec::new();
        answers.resize_with(1 + requests.len(), || None);
        let failure = match &mut self.process {
            Some(process) => {
                written = if written == Written::Everything { process.write(&self.outgoing, deadline) } else { written };
                let on_answer = |answers: &[Option<Answer>]| {
                    if answers.iter().skip(1).all(Option::is_some) {
                        amid.go_on();
                    }
                };
                collect(process, first, &mut answers, &mut self.given_up, Patience { limit, deadline, written }, &on_answer).err()
            }
            None => Some(TargetErrorKind::NotStarted("it is not running; `hello` starts it".to_owned())),
        };
        amid.go_on();
        let mut answers = answers.into_iter();
        let made = answered("initiate", answers.next().flatten(), failure.as_ref()).map(drop);
        let read = |answer| {
            let line = answered("deliver", answer, failure.as_ref())?;
            read_status(&line).map_err(|problem| TargetError::new("deliver", TargetErrorKind::Nonsense(problem)))
        };
        let delivered: Vec<_> = answers.map(|answer| read(answer).map_err(|error| self.in_its_words(error))).collect();
        if failure.is_some() {
            self.stop();
        }
        (made.map_err(|error| self.in_its_words(error)), delivered)
    }

    fn deliver_badly(&mut self, request: &Request<'_>, mishap: Mishap) -> Result<Option<u16>, TargetError> {
        match mishap {
            // A line that is half written is no half request: it would be finished by whatever comes next.
            Mishap::HalfSent => Ok(None),
            Mishap::AnswerUnread | Mishap::Reset | Mishap::SlowReading => self.deliver(request).map(Some),
            Mishap::Killed { after_ms } => {
                self.outgoing.clear();
                self.push(Operation::deliver(request));
                let deadline = from_now(self.answer_limit());
                if let Some(process) = &mut self.process {
                    process.write(&self.outgoing, deadline);
                    std::thread::sleep(Duration::from_millis(after_ms.into()));
                }
                self.restart().map(|()| None)
            }
        }
    }

    fn complaints(&mut self) -> String {
        if let Some(process) = &self.process {
            process.take_complaints(&mut self.complaints);
        }
        let complaints = self.complaints.take();
        self.as_written(&complaints)
    }
}

/// How long answers are waited for.
struct Patience {
    limit: Duration,
    deadline: Instant,
    written: Written,
}

/// Waits for answers to the requests from `first` on, until each has one. `on_answer` hears of each.
/// What answers a request of earlier on, which was given up, is passed over.
fn collect(
    process: &mut Process,
    first: u64,
    answers: &mut [Option<Answer>],
    given_up: &mut HashSet<u64>,
    patience: Patience,
    on_answer: &dyn Fn(&[Option<Answer>]),
) -> Result<(), TargetErrorKind> {
    let Patience { limit, mut deadline, written } = patience;
    if written == Written::Unread {
        // It has probably ended. What it said before that tells more than the broken pipe.
        deadline = deadline.min(from_now(LAST_WORDS));
    }
    let place = |id: u64| usize::try_from(id.checked_sub(first)?).ok();
    let mut missing = answers.len();
    let mut has_ended = false;
    while missing > 0 {
        match process.read(deadline.min(from_now(SLICE))) {
            Heard::Line(line) => {
                let is_awaited = |id| given_up.contains(&id) || place(id).and_then(|place| answers.get(place)).is_some_and(Option::is_none);
                let (id, answer) = read_answer(line, is_awaited).map_err(TargetErrorKind::Nonsense)?;
                if given_up.remove(&id) {
                    continue;
                }
                if let Some(slot) = place(id).and_then(|place| answers.get_mut(place)) {
                    *slot = Some(answer);
                    missing -= 1;
                    on_answer(answers);
                }
            }
            Heard::End(End::Flood(what)) => return Err(TargetErrorKind::Nonsense(format!("the target {what}"))),
            Heard::End(End::Closed) => return Err(gone(process, "closed its standard output")),
            Heard::Nothing if Instant::now() >= deadline => {
                return Err(match written {
                    _ if has_ended || process.ending().is_some() => gone(process, "ended"),
                    Written::Unread => gone(process, "closed its standard input"),
                    Written::Everything | Written::Stuck => TargetErrorKind::TimedOut(limit),
                });
            }
            Heard::Nothing => {
                if !has_ended && process.ending().is_some() {
                    has_ended = true;
                    deadline = deadline.min(from_now(SLICE));
                }
            }
        }
    }
    Ok(())
}

/// Says how the target ended, or what it closed if it is still there, and what it complained about last.
fn gone(process: &mut Process, otherwise: &str) -> TargetErrorKind {
    let how = process.wait_for_ending(from_now(LAST_WORDS));
    let how = how.as_deref().unwrap_or(otherwise);
    TargetErrorKind::Crashed(match process.last_words() {
        Some(line) => format!("{how}; its last line on standard error: `{line}`"),
        None => how.to_owned(),
    })
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
