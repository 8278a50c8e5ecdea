//! The machine-readable report and its JSON Schema.

use std::io::{self, Write};

use schemars::{Schema, generate::SchemaSettings};

use crate::run::Report;

/// Writes a report as `refundproof-report/1`.
///
/// # Errors
/// When the writer fails.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report).map_err(io::Error::other)?;
    writeln!(out)
}

/// The JSON Schema (2020-12) of the report.
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Report>()
}
