//! "Did you mean": the known word that is nearest to one that is not known.

/// The name that shares most of its text with what was asked for, if it is near enough to be meant.
pub fn nearest<'n>(asked: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let score = |name: &str| similar::TextDiff::from_chars(asked, name).ratio();
    names
        .map(|name| (score(name), name))
        .filter(|(score, _)| *score > 0.6)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}
