//! Words that others write: which known one was meant, and how much of a text is told.

use std::borrow::Cow;

/// The name that shares most of its text with what was asked for, if it is near enough to be meant.
pub fn nearest<'n>(asked: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let score = |name: &str| similar::TextDiff::from_chars(asked, name).ratio();
    names
        .map(|name| (score(name), name))
        .filter(|(score, _)| *score > 0.6)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

/// A text of which somebody else has chosen a part, as far as anybody wants to read it.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 500;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// `; did you mean …?` for a word that is not known, or nothing where no known one is near.
pub fn did_you_mean<'n>(asked: &str, names: impl Iterator<Item = &'n str>) -> String {
    nearest(asked, names).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
