//! Compares the examples with the text of the rendered page, which repeats some of them.
//!
//! The page text has no indentation, masks mail addresses, and breaks off in the middle of an example. Everything else
//! must agree token by token, broken JSON included; a difference is an error, because it means that one of the two
//! documents is not what it was.

use anyhow::{Result, bail, ensure};

use super::documents::{Document, Kind};
use super::examples::Example;
use super::tokens::{self, Token};

/// A document repeats an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// The event type of the example.
    pub(crate) event: String,
    /// The document that repeats it.
    pub(crate) document: &'static str,
    /// How far it repeats it.
    pub(crate) note: String,
}

/// An example in a page text.
#[derive(Debug)]
pub(crate) struct PageBlock<'a> {
    /// The line of its first brace, counted from 1.
    pub(crate) line: usize,
    /// Its tokens.
    pub(crate) tokens: Vec<Token<'a>>,
    /// Whether its last brace is there.
    pub(crate) complete: bool,
}

/// The blocks of a page text: from a line that is only `{` until as many braces are closed as were opened.
pub(crate) fn page_blocks(text: &str) -> Vec<PageBlock<'_>> {
    let mut blocks: Vec<PageBlock<'_>> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        match blocks.last_mut().filter(|block| !block.complete) {
            Some(block) => {
                block.tokens.extend(tokens::tokens(line));
                block.complete = tokens::depth(&block.tokens) == 0;
            }
            None if line.trim() == "{" => {
                blocks.push(PageBlock { line: index + 1, tokens: tokens::tokens(line), complete: false });
            }
            None => {}
        }
    }
    blocks
}

/// Compares every block of every page text with the example it repeats.
pub(crate) fn check(documents: &[Document], examples: &[Example]) -> Result<Vec<Agreement>> {
    let mut found = Vec::new();
    for document in documents.iter().filter(|document| document.kind == Kind::PageText) {
        for block in page_blocks(&document.text) {
            found.push(compare(document.name, &block, examples)?);
        }
    }
    Ok(found)
}

fn compare(document: &'static str, block: &PageBlock<'_>, examples: &[Example]) -> Result<Agreement> {
    let line = block.line;
    let Some(event) = tokens::outer_type(&block.tokens) else {
        bail!("{document}:{line}: this example states no type, so there is nothing to compare it with");
    };
    let Some(example) = examples.iter().find(|example| example.event == event) else {
        bail!("{document}:{line}: repeats an example of {event} that no other document has");
    };
    let whole = tokens::tokens(&example.documented);
    let last = block.tokens.len() - 1;
    for (index, ours) in block.tokens.iter().enumerate() {
        let theirs = whole.get(index).map(|token| token.masked());
        let cut_off = !block.complete && index == last;
        let same = theirs.is_some_and(|theirs| ours.masked() == theirs || cut_off && ours.begins(theirs));
        ensure!(
            same,
            "{document}:{line}: differs from the example of {event} at {}: token {} is {ours:?} here and {} there",
            example.place(),
            index + 1,
            theirs.map_or("missing".to_owned(), |token| format!("{token:?}"))
        );
    }
    ensure!(
        !block.complete || whole.len() == block.tokens.len(),
        "{document}:{line}: ends before the example of {event} at {} does",
        example.place()
    );
    Ok(Agreement { event: event.to_owned(), document, note: note(block, &whole, example.defect.is_some()) })
}

fn note(block: &PageBlock<'_>, whole: &[Token<'_>], defect: bool) -> String {
    let mut parts = Vec::new();
    if block.complete {
        parts.push("agrees token by token".to_owned());
    } else {
        parts.push(format!("breaks off after {} of {} tokens and agrees up to there", block.tokens.len(), whole.len()));
    }
    // A token that masking changes is a mail address in the example and a mask in the copy.
    let masked = whole.iter().take(block.tokens.len()).filter(|token| token.masked() != **token).count();
    if masked > 0 {
        parts.push(format!("mail addresses masked: {masked}"));
    }
    if defect && block.complete {
        parts.push("has the same defect".to_owned());
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{examples, repairs::Repairs};

    const PAGE: &str = "### `a.b`\n```\n{\n  \"type\": \"a.b\",\n  \"mail\": \"x@y.example\",\n  \"amount\": 1.50\n}\n```\n";

    fn compared(copy: &str) -> Result<Vec<Agreement>> {
        let documents = [
            Document { name: "page.md", kind: Kind::Markdown, url: "https://example.org/page", text: PAGE.to_owned() },
            Document { name: "page.txt", kind: Kind::PageText, url: "https://example.org/page", text: copy.to_owned() },
        ];
        let examples = examples::collect(&documents, &Repairs::default())?;
        check(&documents, &examples)
    }

    #[test]
    fn agreement_with_masked_mail() {
        let copy = "a.b\n{\n\"type\": \"a.b\",\n\"mail\": \"[email\u{a0}protected]\",\n\"amount\": 1.50\n}\nText.\n";
        assert_eq!(compared(copy).unwrap()[0].note, "agrees token by token; mail addresses masked: 1");
    }

    #[test]
    fn breaking_off_is_noted() {
        let copy = "{\n\"type\": \"a.b\",\n\"mai";
        assert_eq!(compared(copy).unwrap()[0].note, "breaks off after 6 of 13 tokens and agrees up to there");
    }

    #[test]
    fn another_number_is_an_error() {
        let copy = "{\n\"type\": \"a.b\",\n\"mail\": \"[email protected]\",\n\"amount\": 1.5\n}\n";
        let error = compared(copy).unwrap_err();
        assert!(format!("{error}").starts_with("page.txt:1: differs"), "{error}");
    }

    #[test]
    fn unknown_example_is_an_error() {
        assert!(compared("{\n\"type\": \"a.c\"\n}\n").is_err());
    }
}
