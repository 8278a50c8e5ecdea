//! `survivors`: the mutants of the harness that no test kills, each with the reason why that is right.
//!
//! cargo-mutants changes the code of the rooms that verdicts follow from, and a test must notice each change. Which ones none can
//! notice is written down, with the line of code that is changed, so that an entry goes when its code does.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Where they are written down.
const FILE: &str = ".cargo/survivors.toml";

/// What cargo-mutants calls the list of those that no test notices. Tests that do not end any more are noticed.
const LIST: &str = "missed.txt";

/// Where a mutant is, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
struct Survivor {
    /// The file.
    file: String,
    /// The change in cargo-mutants' words, such as `replace + with - in total`.
    mutant: String,
    /// The line of code that is changed, without its indentation.
    line: String,
    /// Why no test can notice it.
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Survivors {
    #[serde(default)]
    survivor: Vec<Survivor>,
}

/// Whether the list fits the code and, where cargo-mutants has run, what it found.
pub(crate) fn check(root: &Path, found: Option<&PathBuf>) -> Result<String> {
    let path = root.join(FILE);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let listed = toml::from_str::<Survivors>(&text).with_context(|| path.display().to_string())?.survivor;
    let mut problems: Vec<String> = listed.iter().filter_map(|survivor| rotten(root, survivor)).collect();
    let Some(found) = found else { return told(listed.len(), &problems, "fit the code") };
    let survived = survived(root, found)?;
    let unexplained = survived.iter().filter(|survivor| !listed.iter().any(|known| is_same(known, survivor)));
    problems.extend(unexplained.map(|Survivor { file, mutant, line, .. }| format!("{file}: {mutant}: is not listed: `{line}`")));
    told(listed.len(), &problems, &format!("are listed; {} were found", survived.len()))
}

fn told(count: usize, problems: &[String], well: &str) -> Result<String> {
    if problems.is_empty() {
        Ok(format!("{count} surviving mutants {well}"))
    } else {
        bail!("{} problem(s); kill the mutant with a test, or say in {FILE} why none can\n  {}", problems.len(), problems.join("\n  "))
    }
}

fn is_same(one: &Survivor, other: &Survivor) -> bool {
    (&one.file, &one.mutant, &one.line) == (&other.file, &other.mutant, &other.line)
}

/// What is no longer right about an entry.
fn rotten(root: &Path, Survivor { file, mutant, line, why }: &Survivor) -> Option<String> {
    let text = fs::read_to_string(root.join(file)).unwrap_or_default();
    if !text.lines().any(|own| own.trim() == line) {
        return Some(format!("{file}: {mutant}: there is no line `{line}` any more; take the entry out"));
    }
    why.trim().is_empty().then(|| format!("{file}: {mutant}: says not why"))
}

/// What cargo-mutants wrote: lines such as `src/model/told.rs:12:34: replace + with - in total`.
fn survived(root: &Path, found: &Path) -> Result<BTreeSet<Survivor>> {
    let path = found.join(LIST);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let understood = |line| read(root, line).with_context(|| format!("{}: `{line}` is not understood", path.display()));
    text.lines().filter(|line| !line.is_empty()).map(understood).collect()
}

fn read(root: &Path, text: &str) -> Option<Survivor> {
    let mut parts = text.splitn(4, ':');
    let (file, number, _, mutant) = (parts.next()?, parts.next()?.parse::<usize>().ok()?, parts.next()?, parts.next()?);
    let code = fs::read_to_string(root.join(file)).ok()?;
    let line = code.lines().nth(number.checked_sub(1)?)?.trim().to_owned();
    Some(Survivor { file: file.to_owned(), mutant: mutant.trim().to_owned(), line, why: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn the_list_fits_the_code() {
        check(&root(), None).unwrap();
    }

    #[test]
    fn what_survived_is_read_with_its_line() {
        let read = read(&root(), "xtask/src/survivors.rs:1:5: replace a with b in c").unwrap();
        assert_eq!((read.file.as_str(), read.mutant.as_str()), ("xtask/src/survivors.rs", "replace a with b in c"));
        assert!(read.line.starts_with("//! `survivors`"), "{}", read.line);
    }

    #[test]
    fn an_entry_goes_with_its_code() {
        let entry = |line: &str, why: &str| Survivor {
            file: "xtask/src/survivors.rs".to_owned(),
            mutant: "replace a with b in c".to_owned(),
            line: line.to_owned(),
            why: why.to_owned(),
        };
        assert_eq!(rotten(&root(), &entry("mod tests {", "of a reason")), None);
        assert!(rotten(&root(), &entry("mod tests {", " ")).unwrap().ends_with("says not why"));
        assert!(rotten(&root(), &entry("mod others {", "of a reason")).unwrap().contains("no line `mod others {` any more"));
    }
}
