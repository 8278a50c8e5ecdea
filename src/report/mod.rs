//! Reports: what people and machines read of a run.
//!
//! Each report writes to a writer that it is given, and knows nothing but run events, the report and cases.

pub mod github;
#[cfg(feature = "html")]
pub mod html;
pub mod json;
#[cfg(feature = "junit")]
pub mod junit;
pub mod markdown;
mod others;
mod shared;
pub mod style;
pub mod terminal;
pub mod timeline;

use std::io::{self, Write};

#[cfg(feature = "cli")]
pub(crate) use shared::many;
#[cfg(feature = "cli")]
pub(crate) use shared::only_changes;
pub use shared::visible;

use crate::{corpus::RequirementText, verdict::Report};

/// Knows what each requirement asks, by its id.
pub type Describe<'a> = dyn Fn(&str) -> Option<RequirementText> + 'a;

/// The formats of reports that are written into files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `refundproof-report/2`.
    Json,
    /// JUnit's XML.
    #[cfg(feature = "junit")]
    Junit,
    /// Markdown as GitHub shows it.
    Markdown,
    /// One page for a browser.
    #[cfg(feature = "html")]
    Html,
}

impl Format {
    /// Every format, in the order in which they are named to people.
    pub const ALL: &[Format] = &[
        Format::Json,
        #[cfg(feature = "junit")]
        Format::Junit,
        Format::Markdown,
        #[cfg(feature = "html")]
        Format::Html,
    ];

    /// Its name in arguments.
    pub fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            #[cfg(feature = "junit")]
            Format::Junit => "junit",
            Format::Markdown => "markdown",
            #[cfg(feature = "html")]
            Format::Html => "html",
        }
    }

    /// The format of this name.
    pub fn from_name(name: &str) -> Option<Format> {
        Format::ALL.iter().copied().find(|format| format.name() == name)
    }

    /// Writes a report in this format. `describe` knows what each requirement asks.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write(self, out: &mut dyn Write, report: &Report, describe: &Describe<'_>) -> io::Result<()> {
        match self {
            Format::Json => json::write(out, report),
            #[cfg(feature = "junit")]
            Format::Junit => junit::write(out, report, describe),
            Format::Markdown => markdown::write(out, report, describe, markdown::STEP_SUMMARY),
            #[cfg(feature = "html")]
            Format::Html => html::write(out, report, describe),
        }
    }
}
