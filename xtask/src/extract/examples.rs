//! The documented examples: fenced blocks below a heading that is nothing but an event type, and what further public
//! pages show.
//!
//! An example that is not valid JSON is a defect. It needs a repair, and keeps its documented bytes beside the
//! repaired copy.

use anyhow::{Context, Result, anyhow, bail, ensure};
use refundproof::json::Value;

use super::documents::{Document, Kind, Page};
use super::markdown::{self, Part};
use super::names::is_event_type;
use super::repairs::{self, Repairs};
use super::tokens;

/// The level of the headings that name an event type.
const LEVEL: usize = 3;

/// The folder of what the documents show.
pub(crate) const EXAMPLES: &str = "examples";

/// The folder of what further pages show. It is kept by hand and never written.
pub(crate) const PAGES: &str = "pages";

/// One documented example.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    /// The event type in the heading.
    pub(crate) event: String,
    /// The document that shows it.
    pub(crate) document: &'static str,
    /// The heading as written, without its `#`.
    pub(crate) heading: String,
    /// The line on which the documented text begins, where the whole document is at hand.
    pub(crate) line: Option<usize>,
    /// Its file below the provider's folder; for a defect that of the repaired copy.
    pub(crate) file: String,
    /// The documented text, byte for byte; its last line end is part of it.
    pub(crate) documented: String,
    /// What is wrong with it, if it is not valid JSON.
    pub(crate) defect: Option<Defect>,
    /// The parsed event, after the repair if there is one.
    pub(crate) value: Value,
}

/// A documented example that is not valid JSON.
#[derive(Debug, Clone)]
pub(crate) struct Defect {
    /// One sentence on what is wrong and what was done.
    pub(crate) what: String,
    /// The text after the repair.
    pub(crate) repaired: String,
}

impl Example {
    /// Whether a further page shows it, and not a document.
    pub(crate) fn is_of_page(&self) -> bool {
        self.file.starts_with(PAGES)
    }

    /// Whether it stands beside another example of the same type.
    pub(crate) fn is_second(&self) -> bool {
        !self.file.ends_with(&format!("/{}.json", self.event))
    }

    /// Where it stands: the document, and the line where that is known.
    pub(crate) fn place(&self) -> String {
        self.line.map_or_else(|| self.document.to_owned(), |line| format!("{}:{line}", self.document))
    }

    /// The text that is valid JSON: the documented one, or its repaired copy.
    pub(crate) fn usable(&self) -> &str {
        self.defect.as_ref().map_or(&self.documented, |defect| &defect.repaired)
    }

    /// The `type` that the payload itself states, which need not be the heading's.
    pub(crate) fn stated_type(&self) -> Option<String> {
        tokens::outer_type(&tokens::tokens(&self.documented)).map(str::to_owned)
    }
}

/// Finds all examples, in the order of the documents, and repairs those that need it.
pub(crate) fn collect(documents: &[Document], repairs: &Repairs) -> Result<Vec<Example>> {
    let mut found: Vec<Example> = Vec::new();
    for document in documents.iter().filter(|document| document.kind == Kind::Markdown) {
        for block in blocks(document)? {
            if let Some(other) = found.iter().find(|example| example.event == block.event) {
                bail!(
                    "{}:{}: a second example of {}; the first is {}, and one file can hold only one",
                    document.name,
                    block.line,
                    block.event,
                    other.place()
                );
            }
            found.push(read(document, block, repairs)?);
        }
    }
    for event in repairs.events() {
        ensure!(
            found.iter().any(|example| example.event == event),
            "{}: repair of {event}: no document has an example of it; remove the repair",
            repairs::FILE
        );
    }
    Ok(found)
}

/// The examples of further pages, whose texts `read` gives by their files. They come after those of the documents.
pub(crate) fn of_pages(pages: &[Page], documented: &[Example], read: impl Fn(&str) -> Result<String>) -> Result<Vec<Example>> {
    let mut found = Vec::new();
    for (page, shown) in pages.iter().flat_map(|page| page.shows.iter().map(move |shown| (page, shown))) {
        let dot = if shown.beside.is_empty() { "" } else { "." };
        let file = format!("{PAGES}/{}{dot}{}.json", shown.event, shown.beside);
        let text = read(&file)?;
        let value: Value = serde_json::from_str(&text).with_context(|| format!("{file}: is not valid JSON"))?;
        ensure!(
            tokens::outer_type(&tokens::tokens(&text)) == Some(shown.event),
            "{file}: states another type than {}, of which {} shows it",
            shown.event,
            page.name()
        );
        ensure!(
            !shown.beside.is_empty() || documented.iter().all(|example| example.event != shown.event),
            "{file}: a document shows an example of {} already; give this one another name",
            shown.event
        );
        found.push(Example {
            event: shown.event.to_owned(),
            document: page.name(),
            heading: shown.heading.to_owned(),
            line: None,
            file,
            documented: text,
            defect: None,
            value,
        });
    }
    Ok(found)
}

struct Block<'a> {
    event: String,
    heading: &'a str,
    line: usize,
    text: &'a str,
}

fn blocks(document: &Document) -> Result<Vec<Block<'_>>> {
    let mut heading: Option<(String, &str)> = None;
    let mut found = Vec::new();
    for part in markdown::parts(document.name, &document.text)? {
        match part {
            Part::Heading { level, text, .. } => {
                heading = markdown::heading_code(text).filter(|code| level == LEVEL && is_event_type(code)).map(|event| (event, text));
            }
            Part::Fenced { line, text } => {
                let (event, heading) = heading.clone().ok_or_else(|| {
                    anyhow!(
                        "{}:{line}: this fenced block is not below a heading that names an event type; \
                         teach the extraction what it is",
                        document.name
                    )
                })?;
                found.push(Block { event, heading, line, text });
            }
            Part::CodeTitle { .. } | Part::Line { .. } => {}
        }
    }
    Ok(found)
}

fn read(document: &Document, block: Block<'_>, repairs: &Repairs) -> Result<Example> {
    let Block { event, heading, line, text } = block;
    let at = |error: &serde_json::Error| format!("{}:{}", document.name, line + error.line().max(1) - 1);
    let (value, defect) = match (serde_json::from_str::<Value>(text), repairs.of(&event)) {
        (Ok(value), None) => (value, None),
        (Ok(_), Some(_)) => {
            bail!("{}: repair of {event}: the example at {}:{line} is valid JSON; remove the repair", repairs::FILE, document.name)
        }
        (Err(error), None) => {
            bail!("{}: the example of {event} is not valid JSON ({error}); add a repair of it to {}", at(&error), repairs::FILE)
        }
        (Err(_), Some(repair)) => {
            let repaired = repair.apply(text)?;
            let value = serde_json::from_str(&repaired)
                .with_context(|| format!("{}: repair of {event}: the example is still not valid JSON afterwards", repairs::FILE))?;
            (value, Some(Defect { what: repair.what.clone(), repaired }))
        }
    };
    let file = format!("{EXAMPLES}/{event}.json");
    Ok(Example {
        event,
        document: document.name,
        heading: heading.to_owned(),
        line: Some(line),
        file,
        documented: text.to_owned(),
        defect,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Vec<Document> {
        vec![Document { name: "page.md", kind: Kind::Markdown, url: "https://example.org/page", text: text.to_owned() }]
    }

    fn repairs() -> Repairs {
        let text = "[[repair]]\nevent = 'a.b'\nwhat = 'letters follow'\nfind = '}Js'\nreplace = '}'\n";
        Repairs::parse(text).unwrap()
    }

    #[test]
    fn valid_example_is_taken_as_it_is() {
        let found = collect(&page("### `a.b`\n\n```json\n{\"type\": \"a.c\"}\n```\n"), &Repairs::default()).unwrap();
        assert_eq!(found[0].documented, "{\"type\": \"a.c\"}\n");
        assert_eq!(found[0].line, Some(4));
        assert_eq!(found[0].stated_type().as_deref(), Some("a.c"));
        assert!(found[0].defect.is_none());
    }

    #[test]
    fn defect_without_repair_names_its_line() {
        let error = collect(&page("### `a.b`\n```json\n{}\n}Js\n```\n"), &Repairs::default()).unwrap_err();
        assert!(format!("{error}").starts_with("page.md:4:"), "{error}");
    }

    #[test]
    fn defect_keeps_both_texts() {
        let found = collect(&page("### `a.b`\n```\n{}Js\n```\n"), &repairs()).unwrap();
        assert_eq!(found[0].documented, "{}Js\n");
        assert_eq!(found[0].usable(), "{}\n");
    }

    #[test]
    fn needless_repairs_are_refused() {
        let valid = collect(&page("### `a.b`\n```\n{}\n```\n"), &repairs()).unwrap_err();
        assert!(format!("{valid}").contains("is valid JSON"));
        let absent = collect(&page("nothing\n"), &repairs()).unwrap_err();
        assert!(format!("{absent}").contains("no document has an example"));
    }

    #[test]
    fn block_elsewhere_is_an_error() {
        let text = "### `a.b`\n## Other\n```\n{}\n```\n";
        assert!(collect(&page(text), &Repairs::default()).is_err());
    }
}
