//! `boundaries`: no provider is named outside its rooms, and adding one stays a small thing.
//!
//! A provider's rooms are its own folders, the lists on which providers are registered, and what is written for people
//! (documents, samples). Addresses of web pages are evidence and no mention. The provider that is meant where none is
//! named may also stand in tests, benchmarks and examples that could be about any.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use refundproof::provider::registered;

/// The lists on which providers are registered: the harness's, the reference's and that of the source documents.
const LISTS: [&str; 4] = ["src/provider/mod.rs", "src/provider/registry.rs", "src/reference/dialect.rs", "xtask/src/extract/documents.rs"];

/// What is written for people (the front page of the crate, too), and whole consumers, which must know whose webhooks they take.
const FOR_PEOPLE: [&str; 5] = ["docs/", "samples/", "tests/strangers/", "src/lib.rs", "examples/axum_sqlite_router.rs"];

/// Where the provider that is meant where none is named may stand as well.
const ABOUT_ANY: [&str; 3] = ["tests/", "benches/", "examples/"];

/// What is looked through; everything else is either generated, a tool's own or for people.
const ROOMS: [&str; 10] =
    ["src", "xtask/src", "tests", "benches", "examples", "fuzz/fuzz_targets", "corpus", "snapshots", "schemas", ".ci"];

/// The made-up provider of the tests and the most lines that it may take, its data included.
const MADE_UP: (&str, usize) = ("tests/made_up_provider", 350);

/// Says where a provider is named that should not be.
pub(crate) fn check(root: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for room in ROOMS {
        collect(root, Path::new(room), &mut files)?;
    }
    let names: Vec<&str> = registered().iter().map(|provider| provider.name).collect();
    let mut problems = Vec::new();
    for (path, text) in &files {
        for (index, name) in names.iter().enumerate() {
            let is_first = index == 0;
            if !is_room(path, name, is_first) {
                // Unit tests are about any provider, too.
                let text = if is_first { text.split("#[cfg(test)]").next().unwrap_or_default() } else { text };
                problems.extend(mentions(text, name).map(|line| format!("{path}:{line}: names {name}")));
            }
        }
    }
    let (folder, most) = MADE_UP;
    let lines: usize = files.iter().filter(|(path, _)| path.starts_with(folder)).map(|(_, text)| text.lines().count()).sum();
    if lines == 0 || lines >= most {
        problems.push(format!("{folder}: has {lines} lines; adding a provider must take fewer than {most}"));
    }
    if problems.is_empty() {
        Ok(format!("{} files name no provider outside its rooms; the made-up one takes {lines} lines", files.len()))
    } else {
        bail!("{} problem(s); move what is a provider's own into its folders\n  {}", problems.len(), problems.join("\n  "))
    }
}

/// Whether a file may name the provider.
fn is_room(path: &str, name: &str, is_first: bool) -> bool {
    let in_code = name.replace('-', "_");
    // Tests that are about one provider alone have a folder of its name.
    let own = [format!("src/provider/{in_code}/"), format!("corpus/{name}/"), format!("snapshots/{name}/"), format!("tests/{in_code}/")];
    let starts = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
    own.iter().any(|folder| path.starts_with(folder.as_str()))
        || LISTS.contains(&path)
        || starts(&FOR_PEOPLE)
        || is_first && (starts(&ABOUT_ANY) || path.ends_with("/tests.rs"))
        || path.ends_with(".md")
}

/// The lines that name the provider, in any spelling of its name.
fn mentions(text: &str, name: &str) -> impl Iterator<Item = usize> {
    let spellings = ["-", "_", " ", ""].map(|between| name.replace('-', between));
    let names = move |line: &str| {
        let line = without_addresses(&line.to_lowercase());
        spellings.iter().any(|spelling| line.contains(spelling.as_str()))
    };
    text.lines().enumerate().filter(move |(_, line)| names(line)).map(|(index, _)| index + 1)
}

fn without_addresses(line: &str) -> String {
    let mut parts = line.split("https://");
    let first = parts.next().unwrap_or_default().to_owned();
    // An address ends where white space, a quote or a bracket follows.
    parts.fold(first, |text, part| text + part.find([' ', '"', '\'', ')', '>', ']']).map_or("", |end| &part[end..]))
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    let full = root.join(folder);
    let mut entries: Vec<_> = fs::read_dir(&full).and_then(Iterator::collect).with_context(|| full.display().to_string())?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            // Packages of others.
            if entry.file_name() != "node_modules" {
                collect(root, &path, files)?;
            }
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            files.push((path.to_string_lossy().replace('\\', "/"), text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_mention(text: &str, expected: &[usize]) {
        assert_eq!(mentions(text, "two-words").collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn every_spelling_is_a_mention() {
        check_mention("a\ntwo-words two_words\nTwoWords and Two Words\n\"twowords-signature\"", &[2, 3, 4]);
        check_mention("two different words", &[]);
    }

    #[test]
    fn addresses_are_evidence() {
        check_mention("see https://example.com/two-words/x", &[]);
        check_mention("\"https://example.com/two-words\", \"two-words\"", &[1]);
    }

    #[test]
    fn rooms() {
        for (path, is_first, expected) in [
            ("src/provider/two_words/sign.rs", false, true),
            ("corpus/two-words/catalogue.toml", false, true),
            ("src/provider/registry.rs", false, true),
            ("samples/x/shop.py", false, true),
            ("src/run/work.rs", true, false),
            ("tests/cases/laws.rs", false, false),
            ("tests/cases/laws.rs", true, true),
        ] {
            assert_eq!(is_room(path, "two-words", is_first), expected, "{path}");
        }
    }

    #[test]
    fn the_project_keeps_to_it() {
        check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
    }
}
