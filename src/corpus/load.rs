//! Loading a corpus from the binary or from a folder.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use include_dir::{Dir, include_dir};
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{
    data::{CatalogueEntry, Defect, RequirementText},
    revisions::Revision,
};
use crate::{case::Case, domain::hex};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/corpus");
static EMBEDDED_SNAPSHOTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/snapshots");

/// Why a corpus cannot be used: the file and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorpusError {
    /// The file or folder.
    pub file: String,
    /// What is wrong, with the line where there is one.
    pub problem: String,
}

impl fmt::Display for CorpusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "corpus file {}: {}", self.file, self.problem)
    }
}

impl std::error::Error for CorpusError {}

/// The files of one provider's corpus by their paths below its folder, `/` between the parts.
#[derive(Clone, Debug, Default)]
pub struct Files {
    root: String,
    files: BTreeMap<String, Cow<'static, [u8]>>,
    snapshots: BTreeMap<String, String>,
    /// Whether they were all there and in order when this was built.
    is_embedded: bool,
}

impl Files {
    /// The files that the binary carries for a provider.
    pub fn embedded(provider: &str) -> Files {
        let mut files = Files { root: format!("corpus/{provider}"), is_embedded: true, ..Files::default() };
        if let Some(folder) = EMBEDDED.get_dir(provider) {
            collect_embedded(folder, &format!("{provider}/"), &mut |path, bytes| {
                files.files.insert(path, Cow::Borrowed(bytes));
            });
        }
        if let Some(folder) = EMBEDDED_SNAPSHOTS.get_dir(provider) {
            collect_embedded(folder, &format!("{provider}/"), &mut |path, bytes| {
                files.snapshots.insert(path, String::from_utf8_lossy(bytes).into_owned());
            });
        }
        files
    }

    /// The files of a folder: the provider's own, or one that holds a folder for the provider. Snapshots are
    /// looked for in `snapshots/PROVIDER` beside the corpus folder.
    ///
    /// # Errors
    /// When the folder is not there or cannot be read.
    pub fn from_dir(folder: &Path, provider: &str) -> Result<Files, CorpusError> {
        let (own, parent) = if folder.join(provider).is_dir() {
            (folder.join(provider), Some(folder.to_path_buf()))
        } else {
            (folder.to_path_buf(), folder.parent().map(Path::to_path_buf))
        };
        let fail = |problem: &str| CorpusError { file: own.display().to_string(), problem: problem.to_owned() };
        if !own.is_dir() {
            return Err(fail("is not a folder; --corpus takes one with catalogue.toml, requirements.toml and examples/"));
        }
        let mut files = Files { root: own.display().to_string(), ..Files::default() };
        collect_folder(&own, "", &mut |path, bytes| {
            files.files.insert(path, Cow::Owned(bytes));
        })?;
        if let Some(snapshots) = parent.and_then(|parent| Some(parent.parent()?.join("snapshots").join(provider)))
            && snapshots.is_dir()
        {
            collect_folder(&snapshots, "", &mut |path, bytes| {
                files.snapshots.insert(path, String::from_utf8_lossy(&bytes).into_owned());
            })?;
        }
        Ok(files)
    }

    /// Files made up in memory, for a provider that lives outside this crate.
    pub fn from_memory(root: &str, files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Files {
        let files = files.into_iter().map(|(path, bytes)| (path, Cow::Owned(bytes))).collect();
        Files { root: root.to_owned(), files, ..Files::default() }
    }

    fn error(&self, path: &str, problem: impl fmt::Display) -> CorpusError {
        CorpusError { file: format!("{}/{path}", self.root), problem: problem.to_string() }
    }

    fn text(&self, path: &str) -> Result<&str, CorpusError> {
        let bytes = self.files.get(path).ok_or_else(|| self.error(path, "is missing"))?;
        std::str::from_utf8(bytes).map_err(|error| self.error(path, format!("is not UTF-8: {error}")))
    }

    /// The frozen sequences by their names.
    fn sequences(&self) -> Result<BTreeMap<String, Case>, CorpusError> {
        let named = self.files.keys().filter_map(|path| match path.split_once('/') {
            Some(("sequences", name)) if name.ends_with(".json") => Some((path, stem(name))),
            _ => None,
        });
        let read = |(path, name): (&String, String)| {
            let case = Case::from_json(path, self.text(path)?).map_err(|error| self.error(path, error.problem))?;
            Ok((name, case))
        };
        named.map(read).collect()
    }

    fn toml<T: DeserializeOwned>(&self, path: &str) -> Result<T, CorpusError> {
        let text = self.text(path)?;
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
            self.error(path, format!("line {line}: {}", error.message()))
        })
    }
}

/// One provider's corpus.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// Every catalogued event type, sorted.
    pub catalogue: Vec<CatalogueEntry>,
    /// The text of every example by its file name without folder and ending.
    pub examples: BTreeMap<String, crate::json::Value>,
    /// The documented examples that are not valid JSON.
    pub defects: Vec<Defect>,
    /// What is certified, in the order in which it is reported.
    pub requirements: Vec<RequirementText>,
    /// The items of the provider's own checklist.
    pub checklist: Vec<String>,
    /// The revisions of the requirements, the newest last; there is one at least.
    pub revisions: Vec<Revision>,
    sequences: Sequences,
    /// Their snapshots by the same names, in insta's format.
    pub snapshots: BTreeMap<String, String>,
    /// SHA-256 over the paths and bytes of all files but the snapshots, as hex.
    pub digest: String,
    /// The same over the snapshots.
    pub snapshots_digest: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueFile {
    event: Vec<CatalogueEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequirementsFile {
    #[serde(default)]
    checklist: Vec<String>,
    #[serde(default)]
    revision: Vec<Revision>,
    requirement: Vec<RequirementText>,
}

impl Corpus {
    /// Parses and checks a corpus.
    ///
    /// # Errors
    /// Names the first file that is missing or broken, and what is wrong with it.
    pub fn load(files: &Files) -> Result<Corpus, CorpusError> {
        let catalogue = files.toml::<CatalogueFile>("catalogue.toml")?.event;
        let RequirementsFile { checklist, revision: mut revisions, requirement: requirements } = files.toml("requirements.toml")?;
        if revisions.is_empty() {
            revisions.push(Revision { number: 1, notes: String::new(), sequences: None, digest: None });
        }
        let mut examples = BTreeMap::new();
        let mut defects = Vec::new();
        for (path, bytes) in &files.files {
            match path.split_once('/') {
                Some(("examples" | "pages" | "synthesized", name)) if name.ends_with(".json") => {
                    examples.insert(stem(name), parse_json(files, path)?);
                }
                Some(("defects", name)) => defects.push(Defect { kind: stem(name), bytes: bytes.to_vec() }),
                _ => {}
            }
        }
        for entry in &catalogue {
            let name = entry.example.rsplit('/').next().map(stem).unwrap_or_default();
            if !examples.contains_key(&name) {
                return Err(files.error("catalogue.toml", format!("event `{}`: there is no file {}", entry.kind, entry.example)));
            }
        }
        for (index, requirement) in requirements.iter().enumerate() {
            if requirements[..index].iter().any(|other| other.id == requirement.id) {
                return Err(files.error("requirements.toml", format!("requirement `{}` is there twice", requirement.id)));
            }
            if let Some(problem) = requirement.problem() {
                return Err(files.error("requirements.toml", problem));
            }
        }
        if let Some(unknown) = checklist.iter().find(|item| requirements.iter().all(|requirement| requirement.item != **item)) {
            return Err(files.error("requirements.toml", format!("checklist: no requirement is of the item `{unknown}`")));
        }
        let sequences = Sequences::of(files)?;
        let snapshots_digest = digest(&files.snapshots);
        let snapshots =
            files.snapshots.iter().filter_map(|(path, text)| Some((path.strip_suffix(".snap")?.to_owned(), text.clone()))).collect();
        let digest = digest(&files.files);
        let corpus =
            Corpus { catalogue, examples, defects, requirements, checklist, revisions, sequences, snapshots, digest, snapshots_digest };
        match corpus.revision_problems().into_iter().next() {
            Some(problem) => Err(files.error("requirements.toml", problem)),
            None => Ok(corpus),
        }
    }

    /// The frozen sequences by their names.
    pub fn sequences(&self) -> &BTreeMap<String, Case> {
        self.sequences.get()
    }
}

/// The frozen sequences. Those that the binary carries are read when they are first asked for: reading them takes longer than
/// everything else that is done before the first delivery, and many commands do without.
#[derive(Clone, Debug)]
struct Sequences {
    /// What the binary carries.
    embedded: Files,
    read: OnceLock<BTreeMap<String, Case>>,
}

impl Sequences {
    fn of(files: &Files) -> Result<Sequences, CorpusError> {
        if files.is_embedded {
            let texts = files.files.iter().filter(|(path, _)| path.starts_with("sequences/"));
            let texts = texts.map(|(path, text)| (path.clone(), text.clone())).collect();
            let embedded = Files { root: files.root.clone(), files: texts, ..Files::default() };
            return Ok(Sequences { embedded, read: OnceLock::new() });
        }
        Ok(Sequences { embedded: Files::default(), read: OnceLock::from(files.sequences()?) })
    }

    /// # Panics
    /// Never in a build whose tests pass: they read all sequences that the binary carries.
    fn get(&self) -> &BTreeMap<String, Case> {
        self.read.get_or_init(|| match self.embedded.sequences() {
            Ok(sequences) => sequences,
            Err(error) => panic!("the embedded corpus is broken: {error}"),
        })
    }
}

fn stem(name: &str) -> String {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

fn parse_json(files: &Files, path: &str) -> Result<crate::json::Value, CorpusError> {
    serde_json::from_str(files.text(path)?).map_err(|error| files.error(path, format!("line {}: not JSON: {error}", error.line())))
}

fn digest(files: &BTreeMap<String, impl AsRef<[u8]>>) -> String {
    let mut hash = Sha256::new();
    for (path, bytes) in files {
        hash.update(u64::try_from(path.len()).unwrap_or(0).to_be_bytes());
        hash.update(path);
        let bytes = bytes.as_ref();
        hash.update(u64::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
        hash.update(bytes);
    }
    hex(&hash.finalize())
}

fn collect_embedded<'a>(folder: &'a Dir<'a>, prefix: &str, take: &mut dyn FnMut(String, &'a [u8])) {
    for file in folder.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        take(path.strip_prefix(prefix).unwrap_or(&path).to_owned(), file.contents());
    }
    for inner in folder.dirs() {
        collect_embedded(inner, prefix, take);
    }
}

fn collect_folder(folder: &Path, prefix: &str, take: &mut dyn FnMut(String, Vec<u8>)) -> Result<(), CorpusError> {
    let fail = |path: &Path, error: std::io::Error| CorpusError { file: path.display().to_string(), problem: error.to_string() };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| fail(folder, error))? {
        paths.push(entry.map_err(|error| fail(folder, error))?.path());
    }
    paths.sort();
    for path in paths {
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            collect_folder(&path, &format!("{name}/"), take)?;
        } else {
            take(name, std::fs::read(&path).map_err(|error| fail(&path, error))?);
        }
    }
    Ok(())
}
