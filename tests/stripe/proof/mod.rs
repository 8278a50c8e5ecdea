//! Stripe's own library and its types, held against what the harness generates for Stripe: the signatures, and the shape of
//! the bodies. `npm ci` in `tests/stripe/packages` installs what is needed; without it these tests say so and are skipped.

mod signatures;
mod types;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use refundproof::{
    case::Case,
    plan::for_recipe,
    provider::{Provider, lower, named},
    run::sample as draw,
};

use crate::common::sample::{is_there, skip};

fn stripe() -> &'static dyn Provider {
    named("stripe").expect("it is registered").embedded()
}

/// Every frozen sequence, and so many cases of each requirement.
fn cases(draws: u64) -> Vec<Case> {
    let corpus = stripe().corpus();
    let recipes = corpus.requirements.iter().filter_map(|requirement| requirement.recipe);
    let drawn = recipes.flat_map(|recipe| {
        let strategy = for_recipe(recipe, stripe().palette());
        (0..draws).filter_map(move |seed| Some(lower(stripe(), &draw(&strategy, seed)?, seed).case))
    });
    corpus.sequences().values().cloned().chain(drawn).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stripe/packages")
}

/// Whether Node and the packages are here; the test log says if not.
fn is_installed() -> bool {
    if !is_there("node") {
        return false;
    }
    let there = ["stripe", "typescript"].iter().all(|package| folder().join("node_modules").join(package).is_dir());
    if !there {
        skip("`npm ci` was not run in tests/stripe/packages");
    }
    there
}

/// What a Node program in the folder writes to standard output when these lines are its standard input; the exit code too.
fn node(args: &[&str], input: Vec<String>) -> (bool, String) {
    let mut command = Command::new("node");
    command.args(args).current_dir(folder()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("node starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // It answers while it reads, so whoever writes must not keep it from being read.
    let writer = thread::spawn(move || input.iter().try_for_each(|line| writeln!(stdin, "{line}")));
    let output = child.wait_with_output().expect("node ends");
    // A program that does not read, or has stopped, says so by what it wrote.
    let _ = writer.join().expect("no panic");
    (output.status.success(), String::from_utf8(output.stdout).expect("UTF-8"))
}
