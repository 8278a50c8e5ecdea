//! What is done beside the report when the program runs on GitHub Actions: annotations, and the summary of the step.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use super::{Stop, certify::drawn_seed, files};
use crate::{
    report::{Describe, github, markdown},
    verdict::Report,
};

/// What GitHub Actions asks for, if it is there.
pub(super) struct Github {
    /// What ends a stretch without commands; only on GitHub Actions.
    token: Option<String>,
    /// The file that the summary of the step is appended to.
    summary: Option<PathBuf>,
}

impl Github {
    /// What the environment says.
    pub(super) fn from_environment() -> Github {
        let runs = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from);
        // Nobody may know it before: whoever does can give commands.
        Github { token: runs.then(|| format!("refundproof-{:016x}", drawn_seed())), summary }
    }

    /// From here to [`Github::end`] nothing that is printed is a command.
    pub(super) fn begin(&self, out: &mut dyn Write) -> io::Result<()> {
        self.token.iter().try_for_each(|token| github::pause(out, token))
    }

    /// The end of what [`Github::begin`] began.
    pub(super) fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        self.token.iter().try_for_each(|token| github::resume(out, token))
    }

    /// Writes the annotations and the summary.
    pub(super) fn finish(&self, out: &mut dyn Write, report: &Report, describe: &Describe<'_>) -> Result<(), Stop> {
        if self.token.is_some() {
            github::write(out, report, describe)?;
            out.flush()?;
        }
        let Some(path) = &self.summary else { return Ok(()) };
        // The limit is that of all that the step writes.
        let there = fs::metadata(path).map_or(0, |metadata| usize::try_from(metadata.len()).unwrap_or(usize::MAX));
        let mut text = Vec::new();
        markdown::write(&mut text, report, describe, markdown::STEP_SUMMARY.saturating_sub(there))?;
        let written = files::append(path, &text);
        written.map_err(|error| Stop::usage(format!("{}: cannot be written: {error}; GITHUB_STEP_SUMMARY names it", path.display())))
    }
}
