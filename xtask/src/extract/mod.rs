//! Reads the provider's documents and writes the corpus made from them.
//!
//! Inputs: the documents listed in [`documents`], and two files written by hand in the corpus folder:
//! `repairs.toml` (what is wrong with a documented example, and how it is put right) and `recipes.toml` (how an event
//! type that no document shows is composed from one that is shown).
//!
//! Outputs, under `digital-river/`: the folders `examples/`, `defects/` and `synthesized/`, and the files
//! `sources.toml` and `catalogue.toml`. All of them are deleted and written anew, so nothing in them is written by hand.
//!
//! Left out on purpose: nothing here decides what an event means; that is the model's work. Nothing is taken from the
//! network, and the clock is not read: the same inputs give the same bytes.

mod catalogue;
mod crosscheck;
mod documents;
mod examples;
mod markdown;
mod names;
mod output;
mod pointer;
mod recipes;
mod repairs;
mod summary;
mod synthesize;
mod tokens;

#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Context, Result};

pub(crate) use summary::Summary;

/// The folder below the corpus that belongs to this provider.
const PROVIDER: &str = "digital-river";

/// Reads the documents in `sources` and writes `corpus/digital-river/`.
///
/// Everything is computed before the first file is touched: after an error the corpus is as it was.
pub(crate) fn extract(sources: &Path, corpus: &Path) -> Result<Summary> {
    let folder = corpus.join(PROVIDER);
    let documents = documents::read_all(sources)?;
    let repairs = repairs::Repairs::parse(&read_by_hand(&folder, repairs::FILE)?)?;
    let recipes = recipes::Recipes::parse(&read_by_hand(&folder, recipes::FILE)?)?;
    let (files, summary) = build(&documents, &repairs, &recipes)?;
    output::write(&folder, &files)?;
    Ok(summary)
}

/// The whole extraction without any file system: documents and hand-written data in, files out.
fn build(documents: &[documents::Document], repairs: &repairs::Repairs, recipes: &recipes::Recipes) -> Result<(output::Files, Summary)> {
    let examples = examples::collect(documents, repairs)?;
    let agreements = crosscheck::check(documents, &examples)?;
    let names = names::scan(documents, &examples);
    let composed = synthesize::compose_all(&names, &examples, recipes)?;
    let entries = catalogue::build(&names, &examples, &composed, recipes)?;
    let files = output::render(documents, &examples, &agreements, &composed, &entries)?;
    Ok((files, Summary::new(&examples, &composed, &entries)))
}

fn read_by_hand(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join(name);
    std::fs::read_to_string(&path).with_context(|| format!("{}: cannot be read; it is written by hand and must exist", path.display()))
}
