//! The JSON Schemas of the report and of the adapter protocol, written from the types that they describe.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use refundproof::{adapter::protocol_schemas, cli::target_file_schema, report::json};

/// Writes the schemas, or says whether they are up to date.
pub(crate) fn write(root: &Path, only_check: bool) -> anyhow::Result<String> {
    let folder = root.join("schemas");
    let mut files = vec![("refundproof-report-2.schema.json".to_owned(), json::schema())];
    files.push(("refundproof-target-1.schema.json".to_owned(), target_file_schema()));
    files.extend(protocol_schemas().into_iter().map(|(name, schema)| (format!("{name}.schema.json"), schema)));
    fs::create_dir_all(&folder).context("schemas/")?;
    for (name, schema) in &files {
        let path = folder.join(name);
        let text = format!("{}\n", serde_json::to_string_pretty(schema.as_value())?);
        if !only_check {
            fs::write(&path, text).with_context(|| path.display().to_string())?;
        } else if fs::read_to_string(&path).unwrap_or_default() != text {
            bail!("schemas/{name} is out of date; run `cargo xtask schemas`");
        }
    }
    Ok(format!("{} schemas {}", files.len(), if only_check { "are up to date" } else { "written" }))
}
