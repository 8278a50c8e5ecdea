//! The classes of bugs that real consumers shipped (`corpus/bugs.toml`).

use std::sync::LazyLock;

use serde::Deserialize;

/// A class of bugs, with links to real ones.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BugClass {
    /// Short name in capitals.
    pub id: String,
    /// What goes wrong, in a few words.
    pub name: String,
    /// Where bugs of this class were reported.
    pub links: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BugFile {
    class: Vec<BugClass>,
}

static CLASSES: LazyLock<Vec<BugClass>> = LazyLock::new(|| {
    let text = include_str!("../../corpus/bugs.toml");
    toml::from_str::<BugFile>(text).map(|file| file.class).unwrap_or_default()
});

/// Every class.
pub fn bug_classes() -> &'static [BugClass] {
    &CLASSES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_points_at_real_bugs() {
        assert!(bug_classes().len() > 10);
        for class in bug_classes() {
            assert!(!class.links.is_empty(), "{} has no links", class.id);
        }
    }
}
