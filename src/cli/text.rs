//! What is done to lines before they leave: nothing in them is a command to a terminal or to a CI server.

use crate::report::visible;

/// The visible text, with its line ends written out too.
pub(super) fn one_line(text: &str) -> String {
    visible(text).replace('\n', "␊").replace('\t', "␉")
}

/// A line as it may leave: whatever it is made of, it holds no character that a terminal takes for a command but colours, and
/// is none to a CI server. `is_begun` says that it goes on with a line of which a part has left already.
pub(super) fn harmless(line: &str, is_begun: bool) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(place) = rest.find('\x1b') {
        shown.push_str(&visible(&rest[..place]));
        let colour = colour(&rest[place..]);
        let end = place + colour.max(1);
        shown.push_str(&if colour > 0 { rest[place..end].to_owned() } else { visible(&rest[place..end]) });
        rest = &rest[end..];
    }
    shown.push_str(&visible(rest));
    if is_begun { without_marks(&shown) } else { without_commands(&shown) }
}

/// How many bytes the colour is long with which a text begins, if it begins with one.
fn colour(text: &str) -> usize {
    let Some(code) = text.strip_prefix("\x1b[") else { return 0 };
    let end = code.find(|character: char| !character.is_ascii_digit() && character != ';').unwrap_or(code.len());
    if code[end..].starts_with('m') { end + 3 } else { 0 }
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
        let colour = colour(&rest[blanks..]);
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

    #[test]
    fn only_colours_stay() {
        assert_eq!(harmless("\x1b[1;31m::a\x1b[0m\x1b[2J\x1b\r\x07\n", false), "\x1b[1;31m‹::›a\x1b[0m␛[2J␛␍␇\n");
        assert_eq!(harmless("::a", true), "::a");
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
