//! Whatever is cited can be opened: the sources of the requirements, and the pages and headings that code and documents name.
//!
//! A provider's page is not fetched. `docs/expectations.md` must link every one that a requirement cites, so no address stands in one
//! place only.

use std::{
    fs,
    path::{Path, PathBuf},
};

use refundproof::provider::registered;

const EXPECTATIONS: &str = "docs/expectations.md";
/// Where texts lie, the root first, and whose texts are not the repository's own.
const FOLDERS: [&str; 11] = ["", "src", "tests", "examples", "benches", "fuzz", "xtask", "docs", "samples", "templates", "corpus"];
const OTHERS: [&str; 3] = ["target", "node_modules", ".venv"];

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Adds the texts in a folder, by their paths from the root of the repository.
fn texts(folder: &Path, found: &mut Vec<PathBuf>) {
    const ENDINGS: [&str; 7] = ["rs", "md", "toml", "py", "js", "yml", "yaml"];
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("a folder") {
        let entry = entry.expect("an entry");
        let path = folder.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            // The root's folders are listed one by one.
            if folder != Path::new("") && !OTHERS.iter().any(|name| entry.file_name() == *name) {
                texts(&path, found);
            }
        } else if path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
            found.push(path);
        }
    }
}

/// What a text says in words, as one line, so that a citation may be broken: of code only the comments.
fn prose(path: &Path) -> String {
    let text = read(path);
    let is_code = path.extension().is_some_and(|ending| ending == "rs");
    let lines = text.lines().map(str::trim).filter(|line| !is_code || line.starts_with("//"));
    let line = lines.map(|line| line.trim_start_matches(['/', '!']).trim()).collect::<Vec<_>>().join(" ");
    // A link within a page names the page too.
    line.replace("](#", &format!("]({}#", path.file_name().unwrap_or_default().display()))
}

/// The pages that a text names, and the places in them: after a comma in quotation marks, or as the fragment of a link.
fn citations(prose: &str) -> Vec<(&str, Option<String>)> {
    let is_letter = |character: char| character.is_ascii_alphanumeric();
    let is_path = |character: char| is_letter(character) || "_./-".contains(character);
    let ends = prose.match_indices(".md").map(|(start, ending)| start + ending.len());
    let cited = ends.filter_map(|end| {
        let (before, after) = prose.split_at(end);
        let page = before.rsplit(|character| !is_path(character)).next()?;
        let place = match after.strip_prefix('#') {
            Some(fragment) => fragment.split_once(')').map(|(fragment, _)| fragment.to_owned()),
            None => {
                let quoted = after.strip_prefix('`').unwrap_or(after).strip_prefix(", \"");
                quoted.and_then(|heading| heading.split_once('"')).map(|(heading, _)| fragment(heading))
            }
        };
        // Addresses, and longer words that only begin so, name no page of the repository.
        (!page.starts_with("//") && !after.starts_with(is_letter)).then_some((page, place))
    });
    cited.collect()
}

/// A heading as a link names it.
fn fragment(heading: &str) -> String {
    let kept =
        heading.to_lowercase().chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character)).collect::<String>();
    kept.replace(' ', "-")
}

/// What is wrong with the citation of a page by a text, if anything is.
fn problem(text: &Path, page: &str, place: Option<&str>) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = text.parent().unwrap_or(text).join(page);
    let Some(found) = [Path::new(page), &beside].into_iter().find(|path| root.join(path).is_file()) else {
        return Some(format!("{}: cites {page}, which is not in the repository", text.display()));
    };
    let mut is_example = false;
    let is_there = place.is_none_or(|place| {
        read(found).lines().any(|line| {
            is_example ^= line.starts_with("```");
            !is_example && line.starts_with('#') && fragment(line.trim_start_matches('#').trim()) == place
        })
    });
    (!is_there).then(|| format!("{}: cites {page}, which has no heading `{}`", text.display(), place.unwrap_or_default()))
}

/// Fails with all of them, if there are any.
#[track_caller]
fn none(problems: impl Iterator<Item = String>) {
    let problems: Vec<String> = problems.collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_requirement_rests_on_what_can_be_opened() {
    let expectations = read(EXPECTATIONS);
    none(registered().iter().flat_map(|provider| {
        let file = PathBuf::from(format!("corpus/{}/requirements.toml", provider.name));
        let expectations = &expectations;
        provider.embedded().corpus().requirements.iter().filter_map(move |requirement| {
            let (page, heading) = (&requirement.document, &requirement.heading);
            if !page.starts_with("https://") {
                return problem(&file, page, Some(&fragment(heading)));
            }
            let is_linked = expectations.lines().any(|line| line.ends_with(&format!("]: {page}")));
            (!is_linked || heading.is_empty())
                .then(|| format!("{}: {}: {EXPECTATIONS} does not link {page}, or no heading is given", file.display(), requirement.id))
        })
    }));
}

#[test]
fn every_cited_page_and_heading_is_there() {
    let mut files = Vec::new();
    FOLDERS.iter().for_each(|folder| texts(Path::new(folder), &mut files));
    assert!(files.iter().any(|file| file == Path::new("src/lib.rs")) && files.iter().any(|file| file == Path::new("README.md")));
    none(files.iter().flat_map(|file| {
        // The data of a provider name its documents, which are not in the repository, as the list of sources beside them does,
        // with their addresses.
        let list = Path::new(env!("CARGO_MANIFEST_DIR")).join(file.with_file_name("sources.toml"));
        let sources = fs::read_to_string(list).unwrap_or_default();
        let prose = prose(file);
        let cited = citations(&prose).into_iter().filter(|(page, _)| !sources.contains(&format!("name = \"{page}\"\nurl = \"https://")));
        cited.filter_map(|(page, place)| problem(file, page, place.as_deref())).collect::<Vec<_>>()
    }));
}

#[test]
fn the_example_session_fits_the_schemas() {
    let schema = |name: &str| serde_json::from_str(&read(format!("schemas/refundproof-stdio-{name}-1.schema.json"))).expect("JSON");
    let [request, answer] = ["request", "answer"].map(|name| jsonschema::validator_for(&schema(name)).expect("a schema"));
    let page = read("docs/adapter-protocol.md");
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("> {") || line.starts_with("< {")).collect();
    assert!(!lines.is_empty());
    none(lines.iter().filter_map(|line| {
        let (mark, json) = line.split_at(2);
        let schema = if mark == "> " { &request } else { &answer };
        let message = serde_json::from_str(json).expect("JSON");
        schema.validate(&message).err().map(|error| format!("{line}: {error}"))
    }));
}

#[test]
fn what_is_not_there_is_found() {
    let text = Path::new("docs/gates.md");
    assert_eq!(problem(text, "reports.md", Some("exit-codes")), None);
    assert!(problem(text, "reports.md", Some("no-such-heading")).is_some());
    assert!(problem(text, "no-such-page.md", None).is_some());
    let cited = citations("`a.md`, \"Some Heading\"; [b](c/d.md#e-f); https://example.org/x.md; y.mdx");
    assert_eq!(cited, [("a.md", Some("some-heading".to_owned())), ("c/d.md", Some("e-f".to_owned()))]);
}
