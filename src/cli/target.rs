//! From the TARGET argument to a factory of targets.

use std::{ffi::OsString, fs, path::Path};

use serde::Deserialize;

use super::{Stop, args::TargetArgs, list::nearest};
use crate::{
    adapter::{StdioSettings, StdioTarget, Target},
    domain::Clock,
    reference::{Fault, ReferenceShop, faults},
    run::{Factory, Launch},
};

/// The built-in reference implementation.
const REFERENCE: &str = "builtin:reference";

/// The target file (`refundproof.toml`).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetFile {
    target: TargetTable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetTable {
    /// The command that speaks the stdio transport.
    command: Vec<String>,
}

/// What the arguments name.
pub(super) fn factory(args: &TargetArgs) -> Result<Box<dyn Factory>, Stop> {
    match (&args.target, args.command.is_empty()) {
        (Some(target), false) => Err(Stop::usage(format!("both a target (`{target}`) and a command after `--`; give one of them"))),
        (None, false) => Ok(stdio(args.command.clone(), None)),
        (None, true) => builtin(REFERENCE),
        (Some(target), true) if target.starts_with("builtin:") => builtin(target),
        (Some(target), true) if target.starts_with("http://") || target.starts_with("https://") => {
            Err(Stop::usage(format!("`{target}`: this version does not speak HTTP to targets yet; write a stdio adapter")))
        }
        (Some(target), true) => from_file(target),
    }
}

fn builtin(name: &str) -> Result<Box<dyn Factory>, Stop> {
    // In-process targets are timed by a clock that they can move, so a slow one costs no time.
    let clock = Clock::manual_from_now();
    if name == REFERENCE {
        let shop = clock.clone();
        let make = move || Ok(Box::new(ReferenceShop::new(shop.clone())) as Box<dyn Target>);
        return Ok(Box::new(Launch::new("in-process", &format!(" {name}"), clock, make)));
    }
    let fault = name.strip_prefix("builtin:fault/").ok_or_else(|| {
        Stop::usage(format!("`{name}` is no built-in target; there is {REFERENCE} and builtin:fault/NAME (`refundproof list --faults`)"))
    })?;
    let Some(known) = Fault::from_name(fault) else {
        let hint =
            nearest(fault, faults().iter().map(|fault| fault.name)).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        return Err(Stop::usage(format!("there is no fault `{fault}`{hint} (`refundproof list --faults` shows them)")));
    };
    let shop = clock.clone();
    let make = move || Ok(Box::new(ReferenceShop::with_fault(known, shop.clone())) as Box<dyn Target>);
    Ok(Box::new(Launch::new("in-process", &format!(" {name}"), clock, make)))
}

fn from_file(path: &str) -> Result<Box<dyn Factory>, Stop> {
    let fail = |problem: String| Stop::usage(format!("{path}: {problem}"));
    let text = fs::read_to_string(Path::new(path)).map_err(|error| {
        fail(format!("cannot be read: {error}; a target is {REFERENCE}, builtin:fault/NAME, a refundproof.toml, or a command after `--`"))
    })?;
    let file: TargetFile = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        fail(format!("line {line}: {}", error.message()))
    })?;
    if file.target.command.is_empty() {
        return Err(fail("field `target.command`: is empty; name the program and its arguments".to_owned()));
    }
    Ok(stdio(file.target.command.into_iter().map(OsString::from).collect(), Some(path)))
}

fn stdio(command: Vec<OsString>, file: Option<&str>) -> Box<dyn Factory> {
    let words: Vec<String> = command.iter().map(|word| quote(&word.to_string_lossy())).collect();
    let words = words.join(" ");
    let argument = file.map_or_else(|| format!(" -- {words}"), |file| format!(" {}", quote(file)));
    let make = move || Ok(Box::new(StdioTarget::new(command.clone(), StdioSettings::default())) as Box<dyn Target>);
    Box::new(Launch::new("stdio", &argument, Clock::system(), make).running(words))
}

/// A word as a shell takes it.
pub(super) fn quote(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=@%+,".contains(character);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quote("a/b-c.py"), "a/b-c.py");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
    }
}
