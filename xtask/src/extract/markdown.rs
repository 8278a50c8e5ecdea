//! The little of Markdown that the documents need: fenced blocks, headings, code spans, and GitBook's code titles.
//!
//! Left out: everything else. Links, tables and prose are only looked at for code spans.

use anyhow::{Result, bail};

/// A part of a Markdown text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// A heading: the number of `#` and what follows them.
    Heading { line: usize, level: usize, text: &'a str },
    /// A GitBook code title, `{% code title="…" %}`.
    CodeTitle { line: usize, title: &'a str },
    /// Any other line outside a fence.
    Line { text: &'a str },
    /// What stands between two fences.
    Fenced {
        /// Line of the first character of `text`, counted from 1.
        line: usize,
        /// The lines between the fences, each with its line end. The line end of the last line is part of the block,
        /// as CommonMark has it; nothing is added and nothing is taken away.
        text: &'a str,
    },
}

/// Splits `text` into parts. `name` is only for the error.
pub(crate) fn parts<'a>(name: &str, text: &'a str) -> Result<Vec<Part<'a>>> {
    let mut found = Vec::new();
    let mut open: Option<Open> = None;
    let mut offset = 0;
    for (index, raw) in text.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += raw.len();
        let line = raw.trim_end_matches(['\n', '\r']);
        let number = index + 1;
        match (&open, fence(line)) {
            (Some(fenced), Some(end)) if end.ticks >= fenced.ticks && end.info.is_empty() => {
                found.push(Part::Fenced { line: fenced.line + 1, text: &text[fenced.start..start] });
                open = None;
            }
            (Some(_), _) => {}
            (None, Some(begin)) => {
                open = Some(Open { ticks: begin.ticks, line: number, start: offset });
            }
            (None, None) => found.push(outside(number, line)),
        }
    }
    if let Some(fenced) = open {
        bail!("{name}:{}: this fence is never closed; add the closing ``` to the document", fenced.line);
    }
    Ok(found)
}

/// The code spans of one line, without their backticks and with Markdown's `\_` undone.
pub(crate) fn code_spans(line: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let after = &rest[start..];
        let ticks = after.len() - after.trim_start_matches('`').len();
        let body = &after[ticks..];
        let Some(end) = closing_run(body, ticks) else {
            rest = body;
            continue;
        };
        spans.push(unescape(body[..end].trim()));
        rest = &body[end + ticks..];
    }
    spans
}

/// The cells of a line of a table, without the white space around them; nothing where the line is no such line.
pub(crate) fn cells(line: &str) -> Vec<&str> {
    let inner = line.trim().strip_prefix('|').and_then(|line| line.strip_suffix('|'));
    inner.map_or_else(Vec::new, |inner| inner.split('|').map(str::trim).collect())
}

/// A heading whose text is nothing but one code span, or one strongly emphasised word.
pub(crate) fn heading_code(text: &str) -> Option<String> {
    if let Some(strong) = text.strip_prefix("**").and_then(|text| text.strip_suffix("**")) {
        return Some(unescape(strong)).filter(|strong| !strong.contains(['*', ' ']));
    }
    match code_spans(text).as_slice() {
        [only] if text.starts_with('`') && text.ends_with('`') => Some(only.clone()),
        _ => None,
    }
}

/// GitBook escapes underscores even where Markdown needs no escape.
pub(crate) fn unescape(text: &str) -> String {
    text.replace("\\_", "_")
}

struct Open {
    ticks: usize,
    line: usize,
    start: usize,
}

struct Fence<'a> {
    ticks: usize,
    info: &'a str,
}

fn fence(line: &str) -> Option<Fence<'_>> {
    let line = line.trim_start();
    let info = line.trim_start_matches('`');
    let ticks = line.len() - info.len();
    // Backticks after the opening run mean a code span that only looks like a fence.
    (ticks >= 3 && !info.contains('`')).then(|| Fence { ticks, info: info.trim() })
}

fn outside(number: usize, line: &str) -> Part<'_> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    if level > 0 && text.starts_with(' ') {
        return Part::Heading { line: number, level, text: text.trim() };
    }
    match code_title(line) {
        Some(title) => Part::CodeTitle { line: number, title },
        None => Part::Line { text: line },
    }
}

fn code_title(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("{% code title=\"")?;
    rest.split_once('"').map(|(title, _)| title)
}

fn closing_run(body: &str, ticks: usize) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = body[from..].find('`') {
        let start = from + found;
        let run = body[start..].len() - body[start..].trim_start_matches('`').len();
        if run == ticks {
            return Some(start);
        }
        from = start + run;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fenced(text: &str) -> Vec<(usize, &str)> {
        parts("page.md", text)
            .unwrap()
            .into_iter()
            .filter_map(|part| match part {
                Part::Fenced { line, text } => Some((line, text)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn finds_fenced_blocks_with_exact_bytes() {
        assert_eq!(fenced("a\n```json\n{ }\n \n```\nb\n```\nx\n```"), vec![(3, "{ }\n \n"), (8, "x\n")]);
    }

    #[test]
    fn longer_fence_holds_a_shorter_one() {
        assert_eq!(fenced("````\n```\n# no heading\n```\n````\n"), vec![(2, "```\n# no heading\n```\n")]);
    }

    #[test]
    fn info_string_does_not_close() {
        assert_eq!(fenced("```\n```json\n```\n"), vec![(2, "```json\n")]);
    }

    #[test]
    fn unclosed_fence_names_its_line() {
        let error = parts("page.md", "a\n```json\n{}\n").unwrap_err();
        assert!(format!("{error}").starts_with("page.md:2:"));
    }

    #[test]
    fn headings_and_titles() {
        let text = "### `a.b`\n{% code title=\"a.bb\" %}\n#tag\n";
        assert_eq!(
            parts("page.md", text).unwrap(),
            vec![
                Part::Heading { line: 1, level: 3, text: "`a.b`" },
                Part::CodeTitle { line: 2, title: "a.bb" },
                Part::Line { text: "#tag" },
            ]
        );
    }

    #[test]
    fn code_spans_of_tricky_lines() {
        assert_eq!(code_spans("* [`a.b`](x.md#a.b) and `c\\_d.e`"), ["a.b", "c_d.e"]);
        assert_eq!(code_spans("`` a`b `` `open"), ["a`b"]);
        assert!(code_spans("nothing").is_empty());
    }

    #[test]
    fn heading_must_be_code_alone() {
        assert_eq!(heading_code("`a.b`"), Some("a.b".to_owned()));
        assert_eq!(heading_code("The `a.b` event"), None);
        assert_eq!(heading_code("Plain"), None);
        assert_eq!(heading_code("**a.b**"), Some("a.b".to_owned()));
        assert_eq!(heading_code("**a.b** and **c.d**"), None);
    }

    #[test]
    fn cells_of_a_table() {
        assert_eq!(cells("| a.b | When it is | On |"), ["a.b", "When it is", "On"]);
        assert!(cells("a | b").is_empty());
    }
}
