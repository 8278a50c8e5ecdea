//! What depending on this crate costs, and under which licences it comes.
//!
//! Three things are checked: that every licence in the build is one that anybody may use, that each dependency is used, and that
//! an integrator who needs no transport takes few crates, which change nothing about the integrator's own. The last is tried with
//! the crates in tests/external, which stand outside the workspace.

use std::{collections::BTreeSet, env, ffi::OsStr, fs, path::Path, process::Command};

use anyhow::{Context, Result, bail, ensure};
use refundproof::json::Value;

/// Direct dependencies without default features, at most.
const MOST_DIRECT: usize = 14;

/// Crates that a development dependency without default features adds, at most.
const MOST_ADDED: usize = 80;

/// Licences that ask for nothing but to be named.
const LICENCES: [&str; 12] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Checks all of it.
pub(crate) fn check(root: &Path) -> Result<String> {
    let text = cargo(root, root, ["metadata", "--format-version", "1", "--locked"])?;
    let metadata: Value = serde_json::from_str(&text).context("`cargo metadata` printed no JSON")?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` lists no packages")?;
    let licences = licences(packages)?;
    let used =
        packages.iter().filter(|package| package["source"].is_null()).try_fold(0, |sum, package| anyhow::Ok(sum + used(package)?))?;
    let direct = direct(packages)?;
    ensure!(direct <= MOST_DIRECT, "{direct} direct dependencies without default features; at most {MOST_DIRECT} are meant to be");
    let alone = outside(root, "alone")?;
    let team = outside(root, "team")?;
    let added = team.difference(&alone).count();
    ensure!(
        added <= MOST_ADDED,
        "a development dependency without default features adds {added} crates; at most {MOST_ADDED} are meant to be"
    );
    Ok(format!(
        "{licences} crates with known licences; {used} direct dependencies, all used; without default features {direct} of them \
         (at most {MOST_DIRECT}), {added} crates for an integrator (at most {MOST_ADDED})"
    ))
}

/// How many packages there are, all of whose licences are known.
fn licences(packages: &[Value]) -> Result<usize> {
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or("none");
        ensure!(is_fine(licence), "{name}: its licence is `{licence}`; if that is fine, add it to LICENCES in xtask/src/dependencies.rs");
    }
    Ok(packages.len())
}

/// Whether one of the alternatives of a licence expression can be taken.
fn is_fine(licence: &str) -> bool {
    let plain = licence.replace(['(', ')'], "");
    // Older packages write `/` for `OR`.
    let mut alternatives = plain.split(" OR ").flat_map(|part| part.split('/'));
    alternatives.any(|all| all.split(" AND ").all(|one| LICENCES.contains(&one.trim())))
}

/// How many direct dependencies a package has, all of which its sources name.
fn used(package: &Value) -> Result<usize> {
    let name = package["name"].as_str().unwrap_or_default();
    let manifest = package["manifest_path"].as_str().context("a package without a manifest")?;
    let folder = Path::new(manifest).parent().context("a manifest without a folder")?;
    let mut sources = String::new();
    for part in ["src", "tests", "benches", "examples"] {
        read_all(&folder.join(part), &mut sources)?;
    }
    let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
    for dependency in dependencies {
        let called = dependency["rename"].as_str().or(dependency["name"].as_str()).unwrap_or_default();
        ensure!(sources.contains(&called.replace('-', "_")), "{name}: no source names its dependency {called}; take it from Cargo.toml");
    }
    Ok(dependencies.len())
}

fn read_all(folder: &Path, text: &mut String) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            read_all(&path, text)?;
        } else if path.extension() == Some(OsStr::new("rs")) {
            text.push_str(&fs::read_to_string(&path).with_context(|| path.display().to_string())?);
        }
    }
    Ok(())
}

/// How many dependencies the library has that no feature switches on.
fn direct(packages: &[Value]) -> Result<usize> {
    let library = packages.iter().find(|package| package["name"] == "refundproof").context("there is no package refundproof")?;
    let dependencies = library["dependencies"].as_array().context("it has no dependencies")?;
    Ok(dependencies.iter().filter(|dependency| dependency["kind"].is_null() && dependency["optional"].as_bool() == Some(false)).count())
}

/// Tests a crate outside the workspace; the crates that are compiled for it.
fn outside(root: &Path, name: &str) -> Result<BTreeSet<String>> {
    let folder = root.join("tests/external").join(name);
    cargo(root, &folder, ["test", "--quiet"])?;
    let tree = cargo(root, &folder, ["tree", "--prefix", "none", "--edges", "normal,build,dev"])?;
    Ok(tree.lines().filter_map(|line| line.split(' ').next()).filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

/// What a cargo command prints. All crates outside the workspace share one folder for what is built.
fn cargo<const N: usize>(root: &Path, folder: &Path, arguments: [&str; N]) -> Result<String> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", root.join("target/external"))
        .output()
        .context("cargo does not start")?;
    if !output.status.success() {
        bail!("`cargo {}` in {}:\n{}{}", arguments.join(" "), folder.display(), text(&output.stdout), text(&output.stderr));
    }
    Ok(text(&output.stdout))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::is_fine;

    #[test]
    fn licence_expressions() {
        assert!(is_fine("MIT OR Apache-2.0"));
        assert!(is_fine("MIT/Apache-2.0"));
        assert!(is_fine("(MIT OR GPL-3.0) AND Unicode-3.0"));
        assert!(!is_fine("GPL-3.0"));
        assert!(!is_fine("none"));
    }
}
