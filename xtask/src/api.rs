//! The listing of the public API, `docs/public-api.txt`: so that whoever reads a change sees what it does to other people's code.
//!
//! It is read from what rustdoc makes of the crate. Only what a reader of the documentation sees is listed, whatever module it
//! is written in; signatures are copied from the source.

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// Where the listing is kept.
const FILE: &str = "docs/public-api.txt";
/// More names than these nobody keeps stable.
const MOST: usize = 60;
/// The layout of the JSON changes with the compiler, and is tried with these.
const OLDEST_FORMAT: u64 = 45;

/// Writes the listing, or says whether it is up to date.
pub(crate) fn write(root: &Path, only_check: bool) -> anyhow::Result<String> {
    let documented = document(root)?;
    let lister = Lister { root, index: &documented["index"] };
    let mut names = lister.names(&documented["root"])?;
    names.sort();
    let text = format!("{}\n", names.concat().trim_end());
    let count = names.len();
    let path = root.join(FILE);
    if !only_check {
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    } else if fs::read_to_string(&path).unwrap_or_default() != text {
        bail!("{FILE} is out of date; run `cargo xtask api`, and tell of the change in CHANGELOG.md");
    }
    ensure!(count <= MOST, "there are {count} public names; more than {MOST} are too many");
    Ok(format!("{count} public names; {FILE} {}", if only_check { "is up to date" } else { "is written" }))
}

/// The rustdoc that this program stands for, if cargo has called it in rustdoc's place.
const IN_PLACE_OF: &str = "XTASK_IN_PLACE_OF";

/// Rustdoc with whatever is given to this program, where cargo calls it in rustdoc's place.
///
/// The stable compiler has the JSON behind a variable. Were it said to cargo, build scripts would see it, and nearly every crate would be
/// built anew, now and again afterwards.
pub(crate) fn in_place_of_rustdoc() -> Option<ExitCode> {
    let rustdoc = env::var_os(IN_PLACE_OF)?;
    let run = Command::new(rustdoc).args(env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").env_remove(IN_PLACE_OF).status();
    let code = run.ok().and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
    Some(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// What rustdoc knows of the crate.
fn document(root: &Path) -> anyhow::Result<Value> {
    let target = root.join("target");
    let this = env::current_exe().context("this program has no path")?;
    let run = Command::new("cargo")
        .args(["rustdoc", "--quiet", "--package", "refundproof", "--lib", "--features", "tower", "--target-dir"])
        .arg(&target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json", "--document-hidden-items"])
        .current_dir(root)
        .env(IN_PLACE_OF, env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()))
        .env("RUSTDOC", this)
        .stdin(Stdio::null())
        .status()
        .context("cargo rustdoc")?;
    ensure!(run.success(), "cargo rustdoc failed");
    let path = target.join("doc/refundproof.json");
    let text = fs::read(&path).with_context(|| path.display().to_string())?;
    let documented: Value = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
    let format = documented["format_version"].as_u64().unwrap_or_default();
    ensure!(format >= OLDEST_FORMAT, "rustdoc writes format {format}, which is too old");
    Ok(documented)
}

struct Lister<'a> {
    root: &'a Path,
    index: &'a Value,
}

impl<'a> Lister<'a> {
    fn item(&self, id: &Value) -> Option<&'a Value> {
        self.index.get(id.to_string()).filter(|item| !is_hidden(item))
    }

    /// One text for each name of a module, with what belongs to it below.
    fn names(&self, module: &Value) -> anyhow::Result<Vec<String>> {
        let module = self.item(module).context("no such module")?;
        let mut names = Vec::new();
        for id in ids(&module["inner"]["module"]["items"]) {
            let Some(mut item) = self.item(id) else { continue };
            if let Some(used) = item["inner"].get("use") {
                item = self.index.get(used["id"].to_string()).context("something used is not in the crate")?;
            }
            let (kind, inner) = inner(item)?;
            let name = item["name"].as_str().unwrap_or_default();
            if name == "testing" {
                // Its names are at the root.
                names.push(format!("mod {name}\n"));
                continue;
            }
            ensure!(kind != "module", "the module `{name}` is not hidden");
            let open = if item["attrs"].to_string().contains("non_exhaustive") { " (more to come)" } else { "" };
            let mut text = match kind {
                "function" => format!("{}\n", self.signature(item)?),
                "macro" => format!("macro {name}!\n"),
                _ => format!("{kind} {name}{open}\n"),
            };
            let members = inner["kind"]["plain"]["fields"].as_array().or(inner["variants"].as_array()).or(inner["items"].as_array());
            self.members(members, &mut text)?;
            for id in ids(&inner["impls"]) {
                let Some(implementation) = self.item(id).map(|item| &item["inner"]["impl"]) else { continue };
                if implementation["trait"].is_null() {
                    self.members(implementation["items"].as_array(), &mut text)?;
                }
            }
            names.push(text);
        }
        Ok(names)
    }

    fn members(&self, members: Option<&'a Vec<Value>>, text: &mut String) -> anyhow::Result<()> {
        for item in members.into_iter().flatten().filter_map(|id| self.item(id)) {
            text.push_str(&format!("    {}\n", self.signature(item)?));
        }
        Ok(())
    }

    /// How it stands in the source, without its body, on one line.
    fn signature(&self, item: &Value) -> anyhow::Result<String> {
        let span = &item["span"];
        let name = item["name"].as_str().unwrap_or_default();
        let Some(file) = span["filename"].as_str() else { return Ok(name.to_owned()) };
        let source = fs::read_to_string(self.root.join(file)).with_context(|| file.to_owned())?;
        let place = |end: &str| Some((usize::try_from(span[end][0].as_u64()?).ok()?, usize::try_from(span[end][1].as_u64()?).ok()?));
        let ((first, column), (last, _)) = place("begin").zip(place("end")).context("a span without lines")?;
        let lines: Vec<&str> = source.lines().skip(first - 1).take(last + 1 - first).collect();
        let text = lines.join("\n");
        let text = text.get(column.saturating_sub(1)..).unwrap_or(&text);
        let is_function = item["inner"].get("function").is_some();
        let end = if is_function { text.find(" {").or(text.find(';')) } else { None };
        let text = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
        let words: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.starts_with("///")).flat_map(str::split_whitespace).collect();
        Ok(words.join(" ").trim_end_matches(',').replace("( ", "(").replace(", )", ")"))
    }
}

fn inner(item: &Value) -> anyhow::Result<(&str, &Value)> {
    let first = item["inner"].as_object().and_then(|inner| inner.iter().next());
    first.map(|(kind, inner)| (kind.as_str(), inner)).context("an item that is nothing")
}

fn ids(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn is_hidden(item: &Value) -> bool {
    let attributes = item["attrs"].to_string();
    attributes.contains("doc(hidden)") || attributes.contains("automatically_derived")
}
