//! Reads the providers' documents and writes the corpora made from them.
//!
//! Inputs: the documents listed in [`documents`], and what is kept by hand in the corpus folder: `repairs.toml` (what is
//! wrong with a documented example, and how it is put right), `recipes.toml` (how an event type that no document shows is
//! composed from one that is shown) and `pages/` (the events that further public pages show).
//!
//! Outputs, in the provider's folder: the folders `examples/`, `defects/` and `synthesized/`, and the files
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

use summary::Summary;

/// Extracts the corpora of all providers; one report for each.
pub(crate) fn extract_all(sources: &Path, corpus: &Path) -> Result<String> {
    let mut reports = Vec::new();
    for provider in &documents::PROVIDERS {
        let summary = extract(provider, sources, corpus).with_context(|| provider.name)?;
        reports.push(format!("{}: {summary}", provider.name));
    }
    Ok(reports.join(""))
}

/// Reads the provider's documents in `sources` and writes its folder below `corpus`.
///
/// Everything is computed before the first file is touched: after an error the corpus is as it was.
fn extract(provider: &documents::Provider, sources: &Path, corpus: &Path) -> Result<Summary> {
    let folder = corpus.join(provider.name);
    let documents = documents::read_all(provider, sources)?;
    let repairs = repairs::Repairs::parse(&read_by_hand(&folder, repairs::FILE)?)?;
    let recipes = recipes::Recipes::parse(&read_by_hand(&folder, recipes::FILE)?)?;
    let mut examples = examples::collect(&documents, &repairs)?;
    examples.extend(examples::of_pages(provider.pages, &examples, |file| read_by_hand(&folder, file))?);
    let (files, summary) = build(&documents, provider.pages, &examples, &recipes)?;
    output::write(&folder, &files)?;
    Ok(summary)
}

/// The rest of the extraction without any file system: documents, examples and recipes in, files out.
fn build(
    documents: &[documents::Document],
    pages: &[documents::Page],
    examples: &[examples::Example],
    recipes: &recipes::Recipes,
) -> Result<(output::Files, Summary)> {
    let agreements = crosscheck::check(documents, examples)?;
    let names = names::scan(documents, examples);
    let composed = synthesize::compose_all(&names, examples, recipes)?;
    let entries = catalogue::build(&names, examples, &composed, recipes)?;
    let files = output::render(documents, pages, examples, &agreements, &composed, &entries)?;
    Ok((files, Summary::new(examples, &composed, &entries)))
}

fn read_by_hand(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join(name);
    std::fs::read_to_string(&path).with_context(|| format!("{}: cannot be read; it is written by hand and must exist", path.display()))
}
