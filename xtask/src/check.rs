//! `corpus check`: whether every file parses, is canonical, has its origin and matches its snapshot.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use refundproof::{
    case::Case,
    check::snapshot,
    corpus::{Corpus, Files},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Sources {
    #[serde(default)]
    example: Vec<Origin>,
    #[serde(default)]
    synthesized: Vec<Synthesis>,
    #[serde(default)]
    composed: Vec<Composition>,
}

#[derive(Deserialize)]
struct Origin {
    event: String,
    file: String,
    sha256: String,
    defect: Option<String>,
}

#[derive(Deserialize)]
struct Synthesis {
    file: String,
}

/// An example of which no document shows the whole: what each part of it rests on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Composition {
    event: String,
    file: String,
    documented: Vec<String>,
    recorded: Vec<String>,
    inferred: Vec<String>,
    assumed: Vec<String>,
    links: Vec<String>,
}

/// Checks the corpus of every provider.
pub(crate) fn check(root: &Path) -> anyhow::Result<String> {
    let mut problems = Vec::new();
    let mut summary = Vec::new();
    for provider in providers(root)? {
        let mut found = Found { root, provider: &provider, problems: &mut problems };
        summary.push(found.check()?);
    }
    if problems.is_empty() { Ok(summary.join("\n")) } else { anyhow::bail!("{} problem(s)\n  {}", problems.len(), problems.join("\n  ")) }
}

fn providers(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("corpus")).context("corpus/")? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

struct Found<'a> {
    root: &'a Path,
    provider: &'a str,
    problems: &'a mut Vec<String>,
}

impl Found<'_> {
    fn check(&mut self) -> anyhow::Result<String> {
        let folder = self.root.join("corpus").join(self.provider);
        let corpus = Corpus::load(&Files::from_dir(&self.root.join("corpus"), self.provider)?)?;
        self.origins(&folder)?;
        for (name, case) in corpus.sequences() {
            self.sequence(&folder, name, case, corpus.snapshots.get(name));
        }
        let mut effects: std::collections::BTreeMap<String, &String> = std::collections::BTreeMap::new();
        for (name, case) in corpus.sequences() {
            if let Some(other) = effects.insert(crate::sequences::effect(case), name) {
                self.problem(format!("corpus/{}/sequences: {other} and {name} do the same; keep one", self.provider));
            }
        }
        for name in corpus.snapshots.keys().filter(|name| !corpus.sequences().contains_key(*name)) {
            self.problem(format!("snapshots/{}/{name}.snap: there is no such sequence; delete it or restore the sequence", self.provider));
        }
        self.revisions(&corpus)?;
        Ok(format!(
            "{}: {} event types, {} examples, {} defects, {} requirements, {} sequences with snapshots",
            self.provider,
            corpus.catalogue.len(),
            corpus.examples.len(),
            corpus.defects.len(),
            corpus.requirements.len(),
            corpus.sequences().len()
        ))
    }

    /// A published revision asks what it asked, and every sequence is in one.
    fn revisions(&mut self, corpus: &Corpus) -> anyhow::Result<()> {
        let file = format!("corpus/{}/requirements.toml", self.provider);
        for revision in &corpus.revisions {
            let found = corpus.requirement_set(Some(revision.number)).map_err(anyhow::Error::msg)?.digest();
            if let Some(stated) = revision.digest.as_ref().filter(|stated| **stated != found) {
                self.problem(format!(
                    "{file}: revision {} asks something else than when it was published ({stated}); let a new revision ask it, or, \
                     while nobody has this one, write digest = \"{found}\"",
                    revision.number
                ));
            }
        }
        let newest = corpus.requirement_set(None).map_err(anyhow::Error::msg)?;
        for name in corpus.sequences().keys().filter(|name| !newest.has_sequence(name)) {
            self.problem(format!("{file}: sequence {name} is in no revision; say `sequences` of the newest one"));
        }
        Ok(())
    }

    fn problem(&mut self, text: String) {
        self.problems.push(text);
    }

    fn origins(&mut self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join("sources.toml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let sources: Sources = toml::from_str(&text).with_context(|| path.display().to_string())?;
        let mut known: Vec<PathBuf> = Vec::new();
        for origin in &sources.example {
            let documented = folder.join(origin.defect.as_ref().unwrap_or(&origin.file));
            let bytes = fs::read(&documented).with_context(|| documented.display().to_string())?;
            let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            if digest != origin.sha256 {
                self.problem(format!("{}: `{}` is not as documented (digest differs)", documented.display(), origin.event));
            }
            known.push(folder.join(&origin.file));
            known.extend(origin.defect.iter().map(|defect| folder.join(defect)));
        }
        known.extend(sources.synthesized.iter().map(|made| folder.join(&made.file)));
        for made in &sources.composed {
            let grounds = [&made.documented, &made.recorded, &made.inferred, &made.assumed];
            if grounds.iter().all(|ground| ground.is_empty()) || made.links.iter().all(|link| !link.starts_with("https://")) {
                self.problem(format!("{}: `{}` says not what it rests on, or has no link", path.display(), made.event));
            }
            let file = folder.join(&made.file);
            if !file.is_file() {
                self.problem(format!("{}: `{}`: there is no {}", path.display(), made.event, made.file));
            }
            known.push(file);
        }
        for part in ["examples", "pages", "defects", "synthesized"] {
            let Ok(entries) = fs::read_dir(folder.join(part)) else { continue };
            for entry in entries {
                let path = entry?.path();
                if !known.contains(&path) {
                    self.problem(format!("{}: sources.toml does not say where it is from", path.display()));
                }
            }
        }
        Ok(())
    }

    fn sequence(&mut self, folder: &Path, name: &str, case: &Case, kept: Option<&String>) {
        let path = folder.join("sequences").join(format!("{name}.json"));
        if fs::read_to_string(&path).unwrap_or_default() != case.to_json() {
            self.problem(format!("{}: is not written canonically", path.display()));
        }
        match kept {
            None => self.problem(format!("{}: has no snapshot; `cargo insta accept` takes a pending one", path.display())),
            Some(kept) if snapshot::content(kept) != snapshot::expected(case).trim_matches('\n') => {
                self.problem(format!("{}: its snapshot says something else", path.display()));
            }
            Some(_) => {}
        }
    }
}
