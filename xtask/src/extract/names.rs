//! Which event types each document names, and where the documents contradict themselves.
//!
//! A type is looked for only where a document means to name one: headings, code spans, code titles, the first cells of
//! tables, the payloads' `type`, and the entries of the plain list. Running prose and link targets are left out: they hold file names,
//! hosts, mail addresses and sub-resources such as `checkout.customer`, which look the same.

use std::collections::{BTreeMap, BTreeSet};

use super::documents::{Document, Kind};
use super::examples::Example;
use super::markdown::{self, Part};
use super::tokens;

/// Last segments of names that are files or hosts.
const NOT_EVENTS: [&str; 14] = ["com", "csv", "html", "js", "json", "md", "net", "org", "pdf", "php", "toml", "txt", "xml", "yaml"];

/// The types that documents name.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Every type with the documents that name it, in the documents' order.
    pub(crate) types: BTreeMap<String, Vec<&'static str>>,
    /// What is odd about a type, in the order of finding.
    pub(crate) notes: BTreeMap<String, Vec<String>>,
    /// Whether the provider sends a type by default, where a document says so.
    pub(crate) defaults: BTreeMap<String, bool>,
}

impl Names {
    fn add(&mut self, event: &str, document: &'static str) {
        let documents = self.types.entry(event.to_owned()).or_default();
        if !documents.contains(&document) {
            documents.push(document);
        }
    }

    fn note(&mut self, event: &str, note: String) {
        let notes = self.notes.entry(event.to_owned()).or_default();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
}

/// Whether `text` has the form of an event type: `resource.event`, each part letters, digits and underscores,
/// beginning with a small letter; only the resource may have capitals (`fileLink.created`).
pub(crate) fn is_event_type(text: &str) -> bool {
    let segments: Vec<&str> = text.split('.').collect();
    let last = segments.last().copied().unwrap_or_default();
    segments.len() > 1
        && !NOT_EVENTS.contains(&last)
        && segments.iter().all(|segment| is_segment(segment))
        && segments[1..].iter().all(|segment| !segment.contains(|c: char| c.is_ascii_uppercase()))
}

/// Looks through all documents.
pub(crate) fn scan(documents: &[Document], examples: &[Example]) -> Names {
    let mut names = Names::default();
    for document in documents {
        match document.kind {
            Kind::Markdown => scan_markdown(document, &mut names),
            Kind::PageText => scan_page_text(document, &mut names),
            Kind::List => scan_list(document, &mut names),
        }
        scan_examples(document, examples, &mut names);
    }
    for example in examples.iter().filter(|example| example.is_of_page()) {
        names.add(&example.event, example.document);
    }
    note_headings_without_example(documents, examples, &mut names);
    note_capitals(&mut names);
    names
}

fn is_segment(segment: &str) -> bool {
    segment.starts_with(|c: char| c.is_ascii_lowercase()) && segment.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn scan_markdown(document: &Document, names: &mut Names) {
    let mut section: Option<String> = None;
    for part in readable(document) {
        match part {
            Part::Heading { text, .. } => {
                section = markdown::heading_code(text).filter(|code| is_event_type(code));
                section.iter().for_each(|event| names.add(event, document.name));
                add_spans(text, document.name, names);
            }
            Part::Line { text } => {
                add_spans(text, document.name, names);
                add_row(text, document.name, names);
            }
            Part::CodeTitle { line, title } => {
                scan_title(document.name, line, title, section.as_deref(), names);
            }
            Part::Fenced { .. } => {}
        }
    }
}

/// A title that differs from its section's heading is a slip of the pen and not a further type.
fn scan_title(document: &'static str, line: usize, title: &str, section: Option<&str>, names: &mut Names) {
    let title = markdown::unescape(title);
    match section {
        Some(event) if event == title => names.add(event, document),
        Some(event) => names.note(event, format!("{document}:{line}: the code title spells it `{title}`")),
        None if is_event_type(&title) => names.add(&title, document),
        None => {}
    }
}

fn scan_page_text(document: &Document, names: &mut Names) {
    for line in document.text.lines().map(str::trim).filter(|line| is_event_type(line)) {
        names.add(line, document.name);
    }
    for block in super::crosscheck::page_blocks(&document.text) {
        if let Some(event) = tokens::outer_type(&block.tokens).filter(|event| is_event_type(event)) {
            names.add(event, document.name);
        }
    }
}

/// An entry is a type at the start of a line, alone or followed by its definition.
fn scan_list(document: &Document, names: &mut Names) {
    for line in document.text.lines() {
        let (first, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        if is_event_type(first) && (rest.is_empty() || rest.starts_with("Defines ")) {
            names.add(first, document.name);
        }
    }
}

fn scan_examples(document: &Document, examples: &[Example], names: &mut Names) {
    for example in examples.iter().filter(|example| example.document == document.name) {
        let at = example.place();
        match example.stated_type() {
            Some(stated) if stated == example.event => {}
            Some(stated) => {
                if is_event_type(&stated) {
                    names.add(&stated, document.name);
                }
                names.note(&example.event, format!("{at}: the payload states the type `{stated}`"));
            }
            None => names.note(&example.event, format!("{at}: the payload states no type")),
        }
    }
}

fn note_headings_without_example(documents: &[Document], examples: &[Example], names: &mut Names) {
    for document in documents.iter().filter(|document| document.kind == Kind::Markdown) {
        for part in readable(document) {
            let Part::Heading { line, text, .. } = part else {
                continue;
            };
            let Some(event) = markdown::heading_code(text).filter(|code| is_event_type(code)) else {
                continue;
            };
            if !examples.iter().any(|example| example.event == event) {
                names.note(&event, format!("{}:{line}: the heading has no example", document.name));
            }
        }
    }
}

fn note_capitals(names: &mut Names) {
    let odd: BTreeSet<String> = names.types.keys().filter(|event| event.contains(|c: char| c.is_ascii_uppercase())).cloned().collect();
    for event in odd {
        names.note(&event, "a capital letter where other types have underscores".to_owned());
    }
}

/// A row of a table whose first cell is a type; the last says whether it is on by default.
fn add_row(line: &str, document: &'static str, names: &mut Names) {
    let cells = markdown::cells(line);
    let Some(event) = cells.first().map(|cell| markdown::unescape(cell)).filter(|cell| is_event_type(cell)) else { return };
    names.add(&event, document);
    match cells.last() {
        Some(&"On") => names.defaults.insert(event, true),
        Some(&"Off") => names.defaults.insert(event, false),
        _ => None,
    };
}

fn add_spans(line: &str, document: &'static str, names: &mut Names) {
    for span in markdown::code_spans(line).iter().filter(|span| is_event_type(span)) {
        names.add(span, document);
    }
}

/// The examples have been read before, so a document that cannot be split has been reported already.
fn readable(document: &Document) -> Vec<Part<'_>> {
    markdown::parts(document.name, &document.text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(kind: Kind, text: &str) -> Vec<String> {
        let documents = [Document { name: "page", kind, url: "https://example.org/page", text: text.to_owned() }];
        scan(&documents, &[]).types.into_keys().collect()
    }

    #[test]
    fn form_of_an_event_type() {
        for good in ["order.review_opened", "fileLink.created", "order.charge.refund.pending_information"] {
            assert!(is_event_type(good), "{good}");
        }
        let bad = [
            "event-types.md",
            "README.md",
            "order.*",
            "order",
            "order.",
            ".order",
            "a@b.com",
            "www.digitalriver.com",
            "data.objectId",
            "Order.created",
            "1.2",
            "order..paid",
            "",
        ];
        for bad in bad {
            assert!(!is_event_type(bad), "{bad}");
        }
    }

    #[test]
    fn markdown_with_tricky_text() {
        let text = "See `order.*`, `x.md`, https://www.digitalriver.com and [a.b](event-types.md#order.x).\n\
                    * [`order.review\\_opened`](event-types.md#order.review\\_opened)\n\
                    ### `order.accepted`\n{% code title=\"order.accepteddd\" %}\n```\n{\"note\": \"`not.this`\"}\n```\n";
        assert_eq!(named(Kind::Markdown, text), ["order.accepted", "order.review_opened"]);
    }

    #[test]
    fn odd_titles_and_bare_headings_become_notes() {
        let text = "### `order.accepted`\n{% code title=\"order.accepteddd\" %}\n";
        let documents = [Document { name: "page", kind: Kind::Markdown, url: "https://example.org/page", text: text.to_owned() }];
        let notes = &scan(&documents, &[]).notes["order.accepted"];
        assert_eq!(notes[0], "page:2: the code title spells it `order.accepteddd`");
        assert_eq!(notes[1], "page:1: the heading has no example");
    }

    #[test]
    fn rows_of_tables_say_what_is_on() {
        let text = "| Event | Default (on/off) |\n| :- | :- |\n| a.b | On |\n| a.c | Off |\n| a.d | maybe |\n";
        let documents = [Document { name: "page", kind: Kind::Markdown, url: "https://example.org/page", text: text.to_owned() }];
        let names = scan(&documents, &[]);
        assert_eq!(names.types.keys().collect::<Vec<_>>(), ["a.b", "a.c", "a.d"]);
        assert_eq!(names.defaults.into_iter().collect::<Vec<_>>(), [("a.b".to_owned(), true), ("a.c".to_owned(), false)]);
    }

    #[test]
    fn list_entries_only() {
        let text = "A subresource like checkout.customer, it does not.\ncheckout.customer does not count\n\
                    order.accepted\n\nfileLink.created Defines a new file link\n";
        assert_eq!(named(Kind::List, text), ["fileLink.created", "order.accepted"]);
    }

    #[test]
    fn page_text_headings_and_payloads() {
        let text = "order.* events\norder.accepted\n{\n\"type\": \"order.other\",\n\"a\": {\"type\": \"no.no\"}\n}\nhost.com\n";
        assert_eq!(named(Kind::PageText, text), ["order.accepted", "order.other"]);
    }
}
