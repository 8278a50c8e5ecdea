//! What is done to lines before they leave: nothing in them is a command to a terminal or to a CI server.

use crate::report::visible;

/// The visible text, with its line ends written out too.
pub(super) fn one_line(text: &str) -> String {
    visible(text).replace('\n', "␊").replace('\t', "␉")
}

/// A line that CI servers take for text, whatever is in it: GitHub's runner takes a line that begins with `::` for a command
/// even if blanks come first, and it and others take `##[…]` and `##name[…]` for one wherever it is.
///
/// Source: GitHub's `actions/runner`, `ActionCommand.cs`; Azure Pipelines, "Logging commands".
pub(super) fn without_commands(line: &str) -> String {
    let start = beginning_of_text(line);
    match line[start..].strip_prefix("::") {
        Some(rest) => format!("{}‹::›{}", &line[..start], without_marks(rest)),
        None => without_marks(line),
    }
}

/// The same for the rest of a line.
pub(super) fn without_marks(line: &str) -> String {
    let is_mark = |before: &str| before.trim_end_matches(|character: char| character.is_ascii_alphanumeric()).ends_with("##");
    let mut out = String::with_capacity(line.len());
    for (place, character) in line.char_indices() {
        match character {
            '[' if is_mark(&line[..place]) => out.push_str("‹[›"),
            _ => out.push(character),
        }
    }
    out
}

/// Where a line begins after blanks and colours.
fn beginning_of_text(line: &str) -> usize {
    let mut start = 0;
    loop {
        let rest = &line[start..];
        let blanks = rest.len() - rest.trim_start().len();
        let colour = rest[blanks..].strip_prefix("\x1b[").and_then(|code| code.find('m')).map_or(0, |end| end + 3);
        if blanks + colour == 0 {
            return start;
        }
        start += blanks + colour;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_written_out() {
        assert_eq!(one_line("a\n b\tc\r\x1b"), "a␊ b␉c␍␛");
    }

    #[track_caller]
    fn check(line: &str, text: &str) {
        assert_eq!(without_commands(line), text);
    }

    #[test]
    fn no_line_is_a_command() {
        check("::error::a", "‹::›error::a");
        check("  \x1b[1m ::set-output name=a::b", "  \x1b[1m ‹::›set-output name=a::b");
        check("a ::error::b", "a ::error::b");
        check("a ##[error]b ##vso[task.x]c", "a ##‹[›error]b ##vso‹[›task.x]c");
        check("###[a] ## [b] ##", "###‹[›a] ## [b] ##");
        check("", "");
    }
}
