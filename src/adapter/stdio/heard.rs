//! Whatever can be read out of what a target wrote, for fuzzers: no process is needed for it.

use std::{collections::HashSet, time::Instant};

use crate::{
    adapter::{
        Introduction,
        pipes::Inbox,
        process::{End, Heard},
        wire::{Answer, read_answer, read_introduction, read_state, read_status},
    },
    domain::OrderState,
};

/// What was read.
#[derive(Debug, Default)]
pub struct Readings {
    /// Answers to `hello`.
    pub introductions: Vec<Introduction>,
    /// Answers to `deliver`.
    pub statuses: Vec<u16>,
    /// Answers to `observe`.
    pub states: Vec<Option<OrderState>>,
    /// What was wrong with the others.
    pub problems: Vec<String>,
}

/// Reads what a target wrote to its standard output, each line as an answer to everything that can be asked.
pub fn heard(written: &[u8]) -> Readings {
    let mut heard = Readings::default();
    let inbox = Inbox::default();
    inbox.read_from(written);
    let mut answered = HashSet::new();
    loop {
        let line = match inbox.next(Instant::now()) {
            Heard::Line(line) => line,
            Heard::End(End::Flood(what)) => {
                heard.problems.push(what.to_owned());
                return heard;
            }
            Heard::End(End::Closed) | Heard::Nothing => return heard,
        };
        match read_answer(line, |id| !answered.contains(&id)) {
            Ok((id, Answer::Done(line))) => {
                answered.insert(id);
                heard.take(&line);
            }
            Ok((id, Answer::Declined(why))) => {
                answered.insert(id);
                heard.problems.push(why);
            }
            Err(problem) => heard.problems.push(problem),
        }
    }
}

impl Readings {
    fn take(&mut self, line: &str) {
        match read_introduction(line) {
            Ok(introduction) => self.introductions.push(introduction),
            Err(problem) => self.problems.push(problem),
        }
        match read_status(line) {
            Ok(status) => self.statuses.push(status),
            Err(problem) => self.problems.push(problem),
        }
        match read_state(line) {
            Ok(state) => self.states.push(state),
            Err(problem) => self.problems.push(problem),
        }
    }
}
