//! The files of the corpus: their names, their text, and how they replace the former ones.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::catalogue::Entry;
use super::crosscheck::Agreement;
use super::documents::{Document, Page, sha256_hex};
use super::examples::{EXAMPLES, Example};
use super::synthesize::Composed;

/// File names below the provider's folder, with `/`, and their texts.
pub(crate) type Files = BTreeMap<String, String>;

const DEFECTS: &str = "defects";
const SYNTHESIZED: &str = "synthesized";
const SOURCES: &str = "sources.toml";
const CATALOGUE: &str = "catalogue.toml";

const SOURCES_HEADER: &str = "\
# Written by `cargo xtask corpus extract`; do not edit. Run it again when a source document changes.
#
# document:    what the corpus was made from, and where it was published.
# page:        a further public page, of which only the events that it shows are kept, in pages/.
# example:     where each documented example stands. `line` is the first line of its text and `sha256` the digest of the
#              bytes between the fences, the last line end included; they are the bytes of `defect` if there is one, else
#              of `file`. `repair` says what is wrong with a defect; `file` is then the repaired copy. `also_in` lists
#              documents that repeat the example.
# synthesized: composed from the example of `base` as recipes.toml says; `assumed` is what no source document says.

";

const CATALOGUE_HEADER: &str = "\
# Written by `cargo xtask corpus extract`; do not edit. Run it again when a source document changes.
#
# Every event type that a source document names, and the few that recipes.toml adds (`named_by` is empty then). The
# documents disagree: `named_by` says who names a type, `note` what is odd about it. `object` is what the example carries.

";

/// The path of a composed example.
pub(crate) fn composed_path(composed: &Composed) -> String {
    format!("{SYNTHESIZED}/{}", composed.file)
}

/// The texts of all files.
pub(crate) fn render(
    documents: &[Document],
    pages: &[Page],
    examples: &[Example],
    agreements: &[Agreement],
    composed: &[Composed],
    entries: &[Entry],
) -> Result<Files> {
    let mut files = Files::new();
    for example in examples.iter().filter(|example| !example.is_of_page()) {
        add(&mut files, example.file.clone(), example.usable().to_owned())?;
        if example.defect.is_some() {
            add(&mut files, defect_path(example), example.documented.clone())?;
        }
    }
    for made in composed {
        add(&mut files, composed_path(made), made.text()?)?;
    }
    add(&mut files, SOURCES.to_owned(), sources(documents, pages, examples, agreements, composed)?)?;
    add(&mut files, CATALOGUE.to_owned(), catalogue(entries)?)?;
    Ok(files)
}

/// Deletes what an earlier run wrote into `folder` and writes `files`.
pub(crate) fn write(folder: &Path, files: &Files) -> Result<()> {
    for name in [EXAMPLES, DEFECTS, SYNTHESIZED] {
        let path = folder.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{}: cannot be deleted", path.display()));
            }
            _ => fs::create_dir(&path).with_context(|| format!("{}: cannot be created", path.display()))?,
        }
    }
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("{}: cannot be written", path.display()))?;
    }
    Ok(())
}

fn defect_path(example: &Example) -> String {
    format!("{DEFECTS}/{}.txt", example.event)
}

fn add(files: &mut Files, path: String, text: String) -> Result<()> {
    ensure!(!files.contains_key(&path), "{path}: two examples want this file; give one recipe another `file`");
    files.insert(path, text);
    Ok(())
}

#[derive(Serialize)]
struct SourcesFile<'a> {
    document: Vec<DocumentRow<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    page: Vec<PageRow>,
    example: Vec<ExampleRow<'a>>,
    synthesized: Vec<ComposedRow<'a>>,
}

#[derive(Serialize)]
struct DocumentRow<'a> {
    name: &'a str,
    url: &'a str,
    sha256: String,
    bytes: usize,
}

#[derive(Serialize)]
struct PageRow {
    name: &'static str,
    url: &'static str,
}

#[derive(Serialize)]
struct ExampleRow<'a> {
    event: &'a str,
    file: &'a str,
    document: &'a str,
    heading: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    defect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repair: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also_in: Vec<AlsoIn<'a>>,
}

#[derive(Serialize)]
struct AlsoIn<'a> {
    document: &'a str,
    note: &'a str,
}

#[derive(Serialize)]
struct ComposedRow<'a> {
    event: &'a str,
    file: String,
    base: &'a str,
    assumed: &'a [String],
}

#[derive(Serialize)]
struct CatalogueFile<'a> {
    event: &'a [Entry],
}

fn sources(
    documents: &[Document],
    pages: &[Page],
    examples: &[Example],
    agreements: &[Agreement],
    composed: &[Composed],
) -> Result<String> {
    let file = SourcesFile {
        document: documents.iter().map(document_row).collect(),
        page: pages.iter().map(|page| PageRow { name: page.name(), url: page.url }).collect(),
        example: examples.iter().map(|example| example_row(example, agreements)).collect(),
        synthesized: composed.iter().map(composed_row).collect(),
    };
    let text = toml::to_string(&file).with_context(|| format!("{SOURCES}: cannot be put into words"))?;
    Ok(format!("{SOURCES_HEADER}{text}"))
}

fn catalogue(entries: &[Entry]) -> Result<String> {
    let text = toml::to_string(&CatalogueFile { event: entries }).with_context(|| format!("{CATALOGUE}: cannot be put into words"))?;
    Ok(format!("{CATALOGUE_HEADER}{text}"))
}

fn document_row(document: &Document) -> DocumentRow<'_> {
    let bytes = document.text.as_bytes();
    DocumentRow { name: document.name, url: document.url, sha256: sha256_hex(bytes), bytes: bytes.len() }
}

fn example_row<'a>(example: &'a Example, agreements: &'a [Agreement]) -> ExampleRow<'a> {
    ExampleRow {
        event: &example.event,
        file: &example.file,
        document: example.document,
        heading: &example.heading,
        line: example.line,
        sha256: sha256_hex(example.documented.as_bytes()),
        defect: example.defect.as_ref().map(|_| defect_path(example)),
        repair: example.defect.as_ref().map(|defect| defect.what.as_str()),
        also_in: agreements
            .iter()
            .filter(|agreement| agreement.event == example.event)
            .map(|agreement| AlsoIn { document: agreement.document, note: &agreement.note })
            .collect(),
    }
}

fn composed_row(composed: &Composed) -> ComposedRow<'_> {
    ComposedRow { event: &composed.event, file: composed_path(composed), base: &composed.base, assumed: &composed.assumed }
}
