//! Standard output and standard error: colours, width, progress.

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::ColorWhen;
use crate::report::{
    style::{Tone, paint},
    terminal::View,
    visible,
};

/// The two standard streams.
pub(crate) struct Output {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
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
        Output { out: AutoStream::new(io::stdout(), choice), err: AutoStream::new(io::stderr(), choice), quiet }
    }

    /// Where what was asked for is written.
    pub(crate) fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// Writes one line about what is wrong to standard error.
    pub(crate) fn complain(&mut self, message: &str) {
        // Nothing is left to tell anybody if standard error is gone too.
        let _ = writeln!(self.err, "{} {}", paint(Tone::Bad, "error:"), visible(message));
    }

    /// Writes one line beside the report to standard error.
    pub(crate) fn note(&mut self, message: &str) {
        let _ = writeln!(self.err, "{message}");
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
