//! The machine-readable report and its JSON Schema.

use std::io::{self, Write};

#[cfg(feature = "schema")]
use schemars::{Schema, generate::SchemaSettings};

use serde::Deserialize;

use crate::{
    json::Value,
    run::record,
    verdict::{REPORT_SCHEMA, Report},
};

/// Writes a report as `refundproof-report/2`.
///
/// # Errors
/// When the writer fails.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    // The digest covers what is written, so it is made last.
    let mut report = report.clone();
    let value = crate::json::to_value(&report).map_err(io::Error::other)?;
    report.digests.results = record::results(&value);
    serde_json::to_writer_pretty(&mut *out, &report).map_err(io::Error::other)?;
    writeln!(out)
}

/// Reads a report; the shrunk cases are not in it.
///
/// # Errors
/// When the text is not a report of this version: where, and what is wrong.
pub fn read(text: &str) -> Result<Report, String> {
    let place = |error: &serde_json::Error| format!("line {}, column {}", error.line(), error.column());
    // Members that nobody asks for take no memory, however many there are.
    let name: Result<Name, _> = serde_json::from_str(text);
    match name {
        Ok(Name { schema: Value::String(name) }) if name == REPORT_SCHEMA => {}
        Ok(Name { schema: Value::String(other) }) => {
            return Err(format!("field `schema`: is `{other}`; this version reads `{REPORT_SCHEMA}`"));
        }
        Err(error) if !error.is_data() => return Err(format!("{}: not JSON: {error}", place(&error))),
        _ => return Err(format!("field `schema`: is missing; a report has \"schema\": \"{REPORT_SCHEMA}\"")),
    }
    serde_json::from_str(text).map_err(|error| format!("{}: not a report: {error}", place(&error)))
}

/// The one member by which a report is told from other files.
#[derive(Deserialize)]
struct Name {
    #[serde(default)]
    schema: Value,
}

/// The JSON Schema (2020-12) of the report.
#[cfg(feature = "schema")]
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Report>()
}
