//! Standard output and standard error: colours, width, progress.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, BorrowedFd},
};

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    args::ColorWhen,
    files::Room,
    text::{harmless, one_line},
};
use crate::report::{
    style::{Tone, paint},
    terminal::View,
};

/// The two standard streams.
pub(crate) struct Output {
    out: Screen,
    err: AutoStream<io::Stderr>,
    err_room: Room,
    quiet: bool,
}

/// The width of what is written into a file or a pipe.
const USUAL_COLUMNS: usize = 100;

impl Output {
    pub(crate) fn new(color: ColorWhen, quiet: bool) -> Output {
        let choice = match color {
            ColorWhen::Auto => ColorChoice::Auto,
            ColorWhen::Always => ColorChoice::Always,
            ColorWhen::Never => ColorChoice::Never,
        };
        let room = |stream: BorrowedFd<'_>| Room::of(stream.try_clone_to_owned().map(File::from).ok());
        let direct = Direct { stream: AutoStream::new(io::stdout(), choice), room: room(io::stdout().as_fd()), lost: None };
        let screen = Screen { direct, line: Vec::new(), is_begun: false };
        Output { out: screen, err: AutoStream::new(io::stderr(), choice), err_room: room(io::stderr().as_fd()), quiet }
    }

    /// Where what was asked for is written. Writing never fails: a verdict must not depend on who reads.
    pub(crate) fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Where commands to a CI server are written; elsewhere none can be given.
    pub(crate) fn commands(&mut self) -> &mut dyn Write {
        let _ = self.out.flush();
        &mut self.out.direct
    }

    /// Whether nobody reads any more what is written to standard output.
    pub(crate) fn is_lost(&self) -> bool {
        self.out.direct.lost.is_some()
    }

    /// The same because nobody wants it, such as `| head`.
    pub(crate) fn is_closed(&self) -> bool {
        self.out.direct.lost.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Writes what is left, and says so if not everything could be shown; true if it could.
    pub(crate) fn end(&mut self) -> bool {
        let _ = self.out.flush();
        let Some(error) = &self.out.direct.lost else { return true };
        let what = format!("standard output: not everything could be shown: {error}; the exit code and what is written into files stand");
        self.complain(&what);
        false
    }

    /// Writes one line about what is wrong to standard error.
    pub(crate) fn complain(&mut self, message: &str) {
        self.tell(&format!("{} {}", paint(Tone::Bad, "error:"), one_line(message)));
    }

    /// Writes one line beside the report to standard error.
    pub(crate) fn note(&mut self, message: &str) {
        self.tell(&one_line(message));
    }

    fn tell(&mut self, line: &str) {
        let line = format!("{}\n", harmless(line, false));
        // Nothing is left to tell anybody if standard error is gone too.
        let _ = self.err_room.take(line.len()).and_then(|()| self.err.write_all(line.as_bytes()));
    }

    pub(crate) fn view(&self) -> View {
        View { columns: columns().clamp(40, 160), quiet: self.quiet }
    }

    /// A progress line on standard error; hidden where nobody watches.
    pub(crate) fn progress(&self, length: u64) -> ProgressBar {
        let target = if self.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(12) };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        let template = if columns() >= 70 { "{bar:24} {pos}/{len} {msg}" } else { "{pos}/{len} {msg}" };
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}

/// Standard output. What cannot be written is lost from there on, and whoever writes goes on as if it was not. Of what is
/// written no line is a command to a CI server.
struct Screen {
    direct: Direct,
    /// A line that has no end yet.
    line: Vec<u8>,
    /// Whether its beginning has been written already.
    is_begun: bool,
}

/// The same without a look at what is written.
struct Direct {
    stream: AutoStream<io::Stdout>,
    room: Room,
    /// Why not everything could be written.
    lost: Option<io::Error>,
}

impl Direct {
    fn unless_lost(&mut self, write: impl FnOnce(&mut Direct) -> io::Result<()>) {
        if self.lost.is_none() {
            self.lost = write(self).err();
        }
    }
}

impl Write for Direct {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_lost(|direct| direct.room.take(bytes.len()).and_then(|()| direct.stream.write_all(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_lost(|direct| direct.stream.flush());
        Ok(())
    }
}

impl Screen {
    /// Writes the line as far as it is there.
    fn write_line(&mut self, is_ended: bool) {
        let text = String::from_utf8_lossy(&self.line);
        let text = harmless(&text, self.is_begun);
        // It never fails.
        let _ = self.direct.write(text.as_bytes());
        self.is_begun = !is_ended && (self.is_begun || !self.line.is_empty());
        self.line.clear();
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.write_line(true);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_line(false);
        self.direct.flush()
    }
}

fn columns() -> usize {
    // COLUMNS lets scripts and tests choose; otherwise the terminal says.
    if let Some(columns) = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).filter(|columns| *columns > 0) {
        return columns;
    }
    rustix::termios::tcgetwinsize(io::stdout())
        .map(|size| usize::from(size.ws_col))
        .ok()
        .filter(|columns| *columns > 0)
        .unwrap_or(USUAL_COLUMNS)
}
