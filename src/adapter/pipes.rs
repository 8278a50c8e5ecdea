//! What comes out of a child process: the lines that it answers, and the last of what it complains about.
//!
//! Each is read by a thread of its own, which keeps a limited amount and can be abandoned.

use std::{
    collections::VecDeque,
    io::{self, Read},
    os::fd::OwnedFd,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::io::Errno;

use super::{
    LONGEST_ANSWER,
    process::{End, Heard},
    shown,
};

/// How much may wait unread. Each line counts for some bytes more than it has, as keeping it costs memory.
const MOST_UNREAD: usize = 8 << 20;
const COST_OF_A_LINE: usize = 64;
/// How much of the standard error is kept.
const KEPT_COMPLAINTS: usize = 16 << 10;
/// How long the reader of the standard error is waited for, which a busy machine may let run late. Who never stops writing costs
/// this much each time.
const CATCHING_UP: Duration = Duration::from_millis(100);

/// The longest pause between two looks at something that nobody tells of.
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// Pauses that grow, for what can only be looked at again and again.
pub(super) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Pause {
        Pause(Duration::from_micros(20))
    }
}

impl Pause {
    /// Sleeps a little; not at all if the deadline has passed.
    pub(super) fn rest(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        thread::sleep(self.0.min(left));
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
        true
    }
}

/// A panic in another thread leaves these states whole, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>, left: Duration) -> MutexGuard<'a, T> {
    condition.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0
}

/// The lines that were read and not yet asked for.
#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<InboxState>,
    news: Condvar,
}

#[derive(Default)]
struct InboxState {
    lines: VecDeque<Vec<u8>>,
    unread: usize,
    end: Option<End>,
    abandoned: bool,
}

impl Inbox {
    /// Nothing will come.
    #[cfg(feature = "http")]
    pub(super) fn close(&self) {
        lock(&self.state).end = Some(End::Closed);
    }

    /// The next line. What has been read before the deadline is handed out after it too.
    pub(super) fn next(&self, deadline: Instant) -> Heard {
        let mut state = lock(&self.state);
        loop {
            if let Some(line) = state.lines.pop_front() {
                state.unread -= line.len() + COST_OF_A_LINE;
                return Heard::Line(line);
            }
            if let Some(end) = &state.end {
                return Heard::End(end.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Heard::Nothing;
            }
            state = wait(&self.news, state, left);
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        lock(&self.state).end.is_some()
    }

    pub(super) fn wait_for_end(&self, deadline: Instant) {
        let mut state = lock(&self.state);
        while state.end.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = wait(&self.news, state, left);
        }
    }

    pub(super) fn abandon(&self) {
        lock(&self.state).abandoned = true;
    }

    /// Reads until the end, a flood, or the first sign of life after the inbox was abandoned.
    pub(super) fn read_from(&self, mut stdout: impl Read) {
        let end = self.read_lines(&mut stdout);
        // Closed before anyone hears of the end: a flooding child finds nobody listening.
        drop(stdout);
        lock(&self.state).end = Some(end);
        self.news.notify_all();
    }

    fn read_lines(&self, stdout: &mut impl Read) -> End {
        let mut buffer = vec![0; 64 << 10];
        let mut line = Vec::new();
        loop {
            let count = match stdout.read(&mut buffer) {
                Ok(0) => return End::Closed,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return End::Closed,
            };
            for piece in buffer[..count].split_inclusive(|byte| *byte == b'\n') {
                line.extend_from_slice(piece);
                if line.len() > LONGEST_ANSWER {
                    return End::Flood("wrote a line longer than 1 MiB");
                }
                if line.last() == Some(&b'\n') {
                    line.pop();
                    if let Some(end) = self.keep(std::mem::take(&mut line)) {
                        return end;
                    }
                }
            }
        }
    }

    /// Keeps a line; says when reading is over.
    fn keep(&self, line: Vec<u8>) -> Option<End> {
        let mut state = lock(&self.state);
        if state.abandoned {
            return Some(End::Closed);
        }
        if line.trim_ascii().is_empty() {
            return None;
        }
        state.unread += line.len() + COST_OF_A_LINE;
        state.lines.push_back(line);
        let is_flood = state.unread > MOST_UNREAD;
        drop(state);
        self.news.notify_all();
        is_flood.then_some(End::Flood("wrote more than 8 MiB that nothing had asked for"))
    }
}

/// What was written to the standard error.
#[derive(Default)]
pub(super) struct Complaints {
    state: Mutex<ComplaintsState>,
    ended: Condvar,
}

#[derive(Default)]
pub(super) struct ComplaintsState {
    pub(super) tail: Tail,
    pub(super) source: Option<Arc<OwnedFd>>,
    has_ended: bool,
    abandoned: bool,
}

impl Complaints {
    pub(super) fn lock(&self) -> MutexGuard<'_, ComplaintsState> {
        lock(&self.state)
    }

    pub(super) fn read_from(&self, stderr: &OwnedFd) {
        let mut buffer = [0; 4096];
        loop {
            let count = match rustix::io::read(stderr, &mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(_) => break,
            };
            let mut state = self.lock();
            if state.abandoned {
                break;
            }
            state.tail.push(&buffer[..count]);
        }
        let mut state = self.lock();
        state.has_ended = true;
        state.source = None;
        self.ended.notify_all();
    }

    /// What was written before an answer is in the pipe already, but perhaps not read yet.
    pub(super) fn catch_up(&self) {
        let Some(source) = self.lock().source.clone() else {
            return;
        };
        let deadline = Instant::now() + CATCHING_UP;
        let mut pause = Pause::default();
        while rustix::io::ioctl_fionread(&source).is_ok_and(|waiting| waiting > 0) && pause.rest(deadline) {}
    }

    pub(super) fn wait_for_end(&self, deadline: Instant) {
        let mut state = self.lock();
        while !state.has_ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = wait(&self.ended, state, left);
        }
    }

    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        state.source = None;
    }
}

/// The last few bytes of a text of any length.
#[derive(Default)]
pub(super) struct Tail {
    bytes: VecDeque<u8>,
    is_cut: bool,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let surplus = self.bytes.len().saturating_sub(KEPT_COMPLAINTS);
        self.is_cut |= surplus > 0;
        self.bytes.drain(..surplus);
    }

    pub(super) fn append(&mut self, other: &mut Tail) {
        let other = std::mem::take(other);
        let (first, second) = other.bytes.as_slices();
        self.is_cut |= other.is_cut;
        self.push(first);
        self.push(second);
    }

    pub(super) fn last_line(&self) -> Option<String> {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let mut lines = bytes.split(|byte| *byte == b'\n').enumerate();
        let (place, line) = lines.by_ref().map(|(place, line)| (place, line.trim_ascii())).filter(|(_, line)| !line.is_empty()).last()?;
        Some(format!("{}{}", if place == 0 && self.is_cut { "…" } else { "" }, shown(line)))
    }

    /// The text; the tail is empty after that.
    pub(super) fn take(&mut self) -> String {
        let Tail { bytes, is_cut } = std::mem::take(self);
        let bytes = Vec::from(bytes);
        let text = String::from_utf8_lossy(&bytes);
        if is_cut { format!("…{text}") } else { text.into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_keeps_the_end() {
        let mut tail = Tail::default();
        tail.push(&[b'x'; KEPT_COMPLAINTS]);
        assert!(!tail.is_cut);
        tail.push(b"\nlast words\n \n");
        assert_eq!(tail.last_line().as_deref(), Some("last words"));
        let text = tail.take();
        assert!(text.starts_with("…x") && text.ends_with("\nlast words\n \n"), "{text}");
        assert_eq!(tail.take(), "");
    }
}
