//! Colours and widths of terminal output.

/// What a text stands for, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// What passed.
    Good,
    /// What failed.
    Bad,
    /// What wants a look.
    Odd,
    /// What is said beside.
    Faint,
    /// Headings.
    Strong,
}

/// A text in a colour.
#[cfg(feature = "cli")]
pub fn paint(tone: Tone, text: &str) -> String {
    use anstyle::{AnsiColor, Color, Style};

    let colour = |colour| Style::new().fg_color(Some(Color::Ansi(colour)));
    let style = match tone {
        Tone::Good => colour(AnsiColor::Green),
        Tone::Bad => colour(AnsiColor::Red),
        Tone::Odd => colour(AnsiColor::Yellow),
        Tone::Faint => Style::new().dimmed(),
        Tone::Strong => Style::new().bold(),
    };
    format!("{style}{text}{style:#}")
}

/// A text; colours are the program's.
#[cfg(not(feature = "cli"))]
pub fn paint(_: Tone, text: &str) -> String {
    text.to_owned()
}

/// A text without colours.
#[cfg(feature = "cli")]
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// A text without colours, which it never had.
#[cfg(not(feature = "cli"))]
pub fn plain(text: &str) -> String {
    text.to_owned()
}

/// A text cut to a number of columns, with a mark where something is missing.
pub fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(columns.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// A text broken into lines of at most so many columns, between words.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let needed = lines[last].chars().count() + 1 + word.chars().count();
        if lines[last].is_empty() {
            lines[last].push_str(word);
        } else if needed <= columns {
            lines[last].push(' ');
            lines[last].push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_and_wrapping() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 3), ["unbreakable"]);
    }
}
