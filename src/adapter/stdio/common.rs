//! What all have in common who speak to one process: the process itself, and which answers are awaited.
//!
//! Requests are written as they come. Of those who wait for answers one reads for all, and hands to each what is its own; when
//! it has its own answers another one goes on.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    ops::Range,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::Pid;

use super::{StdioSettings, from_now, names_folder};
use crate::adapter::{
    Introduction, TargetError, TargetErrorKind,
    ending::Ending,
    folder::{FOLDER, Folder},
    memory::{Growth, Memory},
    permits::Permits,
    pipes::{Inbox, Tail},
    process::{End, Heard, Process, Written},
    wire::{Answer, read_answer},
};

/// How long to wait, while a target is silent, before looking whether it is still there. It usually shows by itself:
/// its output ends. But a process that it left behind may keep the output open.
const SLICE: Duration = Duration::from_millis(50);
/// How long a target that ended, or closed one of its pipes, may take to say the rest and be seen to have ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// One process, and who waits for it.
pub(super) struct Common {
    pub(super) command: Vec<OsString>,
    pub(super) settings: StdioSettings,
    /// No more requests are under way than the target claims to take.
    pub(super) permits: Permits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    process: Option<Process>,
    /// Whether the running process has answered `hello`; before that, its end means that it could not be started.
    is_introduced: bool,
    last_id: u64,
    /// How often a process was stopped: whoever waited for that one waits in vain.
    stops: u64,
    /// Requests of the running process that somebody waits for.
    awaited: HashMap<u64, Awaited>,
    /// Requests of the running process that nobody waits for any more. Their answers may still come, and are passed over.
    given_up: HashSet<u64>,
    /// Whether somebody is reading.
    is_read: bool,
    /// What stands for `{folder}` in the command; made with the first start.
    folder: Option<Folder>,
    memory: Memory,
    /// What processes that are gone wrote to their standard error.
    complaints: Tail,
}

/// A request that is under way.
struct Awaited {
    answer: Option<Answer>,
    bell: Arc<Condvar>,
}

/// What came of writing some requests: an answer to each, unless something went wrong.
pub(super) struct Exchange {
    pub(super) answers: Vec<Option<Answer>>,
    pub(super) failure: Option<TargetErrorKind>,
    /// Whether everything was written and the target is only too slow, so that it can be asked again.
    pub(super) is_only_late: bool,
}

/// How long answers are waited for.
struct Patience {
    limit: Duration,
    deadline: Instant,
    written: Written,
    /// Whether the process was seen to have ended.
    has_ended: bool,
    ending: Ending,
}

impl Common {
    pub(super) fn new(command: Vec<OsString>, settings: StdioSettings) -> Common {
        Common { command, settings, permits: Permits::new(1), state: Mutex::default() }
    }

    /// A panic leaves it whole: nothing in it is changed halfway.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers for so many requests.
    pub(super) fn ids(&self, count: usize) -> Range<u64> {
        let mut state = self.lock();
        let first = state.last_id + 1;
        state.last_id += count as u64;
        first..first + count as u64
    }

    /// Starts the process if none runs; whether it has yet to introduce itself.
    pub(super) fn start_if_none(&self, operation: &str) -> Result<bool, TargetError> {
        let mut state = self.lock();
        if state.process.is_none() {
            self.start(&mut state, operation)?;
        }
        Ok(!state.is_introduced)
    }

    /// Takes note of what it claims.
    pub(super) fn is_introduced(&self, introduction: &Introduction) {
        self.permits.allow(usize::try_from(introduction.capabilities.concurrency).unwrap_or(usize::MAX));
        self.lock().is_introduced = true;
    }

    /// Kills what runs, and starts it again.
    pub(super) fn restart(&self, operation: &str) -> Result<(), TargetError> {
        let mut state = self.lock();
        state.stop();
        self.start(&mut state, operation)
    }

    /// Kills what runs, and keeps what it complained about.
    pub(super) fn stop(&self) {
        self.lock().stop();
    }

    fn start(&self, state: &mut State, operation: &str) -> Result<(), TargetError> {
        let not_started = |why: String| TargetError::new(operation, TargetErrorKind::NotStarted(why));
        if state.folder.is_none() && names_folder(&self.command) {
            state.folder = Some(Folder::new().map_err(not_started)?);
        }
        let process = Process::start(&self.words(state)).map_err(|why| state.in_its_words(not_started(why)))?;
        state.process = Some(process);
        state.memory.begins();
        state.is_introduced = false;
        Ok(())
    }

    /// The command with the folder in its place.
    fn words(&self, state: &State) -> Vec<OsString> {
        let Some(folder) = &state.folder else { return self.command.clone() };
        let path = folder.path().to_string_lossy();
        // A word that is no text names no folder.
        let word = |word: &OsString| word.to_str().map_or_else(|| word.clone(), |text| text.replace(FOLDER, &path).into());
        self.command.iter().map(word).collect()
    }

    pub(super) fn in_its_words(&self, error: TargetError) -> TargetError {
        self.lock().in_its_words(error)
    }

    /// Writes without waiting for an answer; whether anybody is there to read.
    pub(super) fn only_write(&self, lines: &[u8], limit: Duration) -> bool {
        let mut state = self.lock();
        state.process.as_mut().map(|process| process.write(lines, from_now(limit))).is_some()
    }

    /// Lets the process and all that it has started stand still, until they are told to go on.
    pub(super) fn stand_still(&self) -> Option<Pid> {
        self.lock().process.as_ref().and_then(Process::stop)
    }

    /// From now on the process that runs cannot write to files.
    pub(super) fn fill_disk(&self) {
        self.lock().process.iter().for_each(Process::fill_disk);
    }

    /// A case is over, which is when it is looked how much memory the process has.
    pub(super) fn case_is_over(&self) {
        let mut state = self.lock();
        let State { process, memory, .. } = &mut *state;
        memory.case_is_over(|| process.as_ref().and_then(Process::memory));
    }

    pub(super) fn growth(&self) -> Option<Growth> {
        self.lock().memory.growth()
    }

    /// Says the last words and waits for the process to end by itself.
    pub(super) fn say_goodbye(&self, lines: &[u8]) {
        let mut state = self.lock();
        if let Some(process) = &mut state.process {
            let deadline = from_now(self.settings.kill_grace);
            process.write(lines, deadline);
            process.close_stdin();
            process.wait_for_ending(deadline);
        }
        state.stop();
    }

    /// What was written to the standard error since this was last asked.
    pub(super) fn complaints(&self) -> String {
        let mut state = self.lock();
        let State { process, complaints, .. } = &mut *state;
        if let Some(process) = process {
            process.take_complaints(complaints);
        }
        let text = complaints.take();
        state.as_written(&text)
    }

    /// Writes requests with these numbers and waits for their answers in any order. `bell` is theirs who wait.
    pub(super) fn exchange(&self, ids: Range<u64>, lines: &[u8], bell: &Arc<Condvar>, limit: Duration) -> Exchange {
        let mut state = self.lock();
        let stops = state.stops;
        let deadline = from_now(limit);
        let Some(process) = &mut state.process else {
            let failure = TargetErrorKind::NotStarted("it is not running; `hello` starts it".to_owned());
            return Exchange { answers: ids.map(|_| None).collect(), failure: Some(failure), is_only_late: false };
        };
        let written = process.write(lines, deadline);
        for id in ids.clone() {
            state.awaited.insert(id, Awaited { answer: None, bell: Arc::clone(bell) });
        }
        let patience = Patience { limit, deadline, written, has_ended: false, ending: Ending::default() };
        let (mut state, failure) = self.collect(state, stops, &ids, bell, patience);
        // Of a request that is half written, the rest would be taken from the next one.
        let is_only_late = written == Written::Everything && matches!(failure, Some(TargetErrorKind::TimedOut(_)));
        let answers: Vec<Option<Answer>> = ids.clone().map(|id| state.awaited.remove(&id).and_then(|awaited| awaited.answer)).collect();
        if is_only_late {
            let missing = ids.zip(&answers).filter(|(_, answer)| answer.is_none());
            state.given_up.extend(missing.map(|(id, _)| id));
        }
        // Whoever read for the others leaves that to one of them.
        if !state.is_read
            && let Some(other) = state.awaited.values().find(|awaited| awaited.answer.is_none())
        {
            other.bell.notify_one();
        }
        Exchange { answers, failure, is_only_late }
    }

    /// Waits until each of these requests has an answer; why it has none otherwise.
    fn collect<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        stops: u64,
        ids: &Range<u64>,
        bell: &Condvar,
        mut patience: Patience,
    ) -> (MutexGuard<'s, State>, Option<TargetErrorKind>) {
        if patience.written == Written::Unread {
            // It has probably ended. What it said before that tells more than the broken pipe.
            patience.deadline = patience.deadline.min(from_now(LAST_WORDS));
        }
        loop {
            if state.stops != stops {
                return (state, Some(TargetErrorKind::Crashed("was stopped because of another case".to_owned())));
            }
            if ids.clone().all(|id| state.awaited.get(&id).is_none_or(|awaited| awaited.answer.is_some())) {
                return (state, None);
            }
            let until = patience.deadline.min(from_now(SLICE));
            let failure = if state.is_read {
                let left = until.saturating_duration_since(Instant::now());
                let waited = bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
                state = waited.0;
                if waited.1.timed_out() && state.stops == stops { state.hears(Heard::Nothing, &mut patience).err() } else { None }
            } else {
                let Some(inbox) = state.process.as_ref().map(Process::inbox) else { continue };
                state.is_read = true;
                drop(state);
                let heard = Inbox::next(&inbox, until);
                state = self.lock();
                if state.stops != stops {
                    continue;
                }
                state.is_read = false;
                state.hears(heard, &mut patience).err()
            };
            if failure.is_some() {
                return (state, failure);
            }
        }
    }
}

impl State {
    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.close();
            process.take_complaints(&mut self.complaints);
        }
        self.is_introduced = false;
        self.given_up.clear();
        self.stops += 1;
        self.is_read = false;
        self.awaited.drain().for_each(|(_, awaited)| awaited.bell.notify_one());
    }

    /// Takes in what was read; the error says why there is nothing more to be had.
    fn hears(&mut self, heard: Heard, patience: &mut Patience) -> Result<(), TargetErrorKind> {
        let State { process: Some(process), awaited, given_up, .. } = self else { return Ok(()) };
        match heard {
            Heard::Line(line) => {
                let is_awaited = |id| given_up.contains(&id) || awaited.get(&id).is_some_and(|awaited| awaited.answer.is_none());
                let (id, answer) = read_answer(line, is_awaited).map_err(TargetErrorKind::Nonsense)?;
                // What answers a request of earlier on, which was given up, is passed over.
                if !given_up.remove(&id)
                    && let Some(awaited) = awaited.get_mut(&id)
                {
                    awaited.answer = Some(answer);
                    awaited.bell.notify_one();
                }
            }
            Heard::End(End::Flood(what)) => return Err(TargetErrorKind::Nonsense(format!("the target {what}"))),
            Heard::End(End::Closed) => return Err(gone(process, "closed its standard output")),
            Heard::Nothing if Instant::now() >= patience.deadline => {
                return Err(match patience.written {
                    _ if patience.has_ended || process.ending().is_some() => gone(process, "ended"),
                    Written::Unread => gone(process, "closed its standard input"),
                    Written::Everything | Written::Stuck => TargetErrorKind::TimedOut(patience.limit),
                });
            }
            Heard::Nothing if patience.ending.is_over() => return Err(TargetErrorKind::Interrupted),
            Heard::Nothing => {
                if !patience.has_ended && process.ending().is_some() {
                    patience.has_ended = true;
                    patience.deadline = patience.deadline.min(from_now(SLICE));
                }
            }
        }
        Ok(())
    }

    fn in_its_words(&self, mut error: TargetError) -> TargetError {
        error.each_text(|text| *text = self.as_written(text));
        error
    }

    /// A text without the name of the folder, which differs from run to run.
    fn as_written(&self, text: &str) -> String {
        self.folder.as_ref().map_or_else(|| text.to_owned(), |folder| text.replace(&*folder.path().to_string_lossy(), FOLDER))
    }
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
