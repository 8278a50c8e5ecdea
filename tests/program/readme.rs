//! What README shows is what the program writes: each block after a `<!-- output of … -->` is the output of that command.
//!
//! `UPDATE_README=1 cargo test --test program readme` writes the blocks anew.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

const MARK: &str = "<!-- output of `";

/// What a command writes, run as whoever installed the program runs it.
fn output_of(command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_refundproof"));
    let folder = TempDir::new().expect("a temporary folder");
    let rest = env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(&folder)
        .env("PATH", format!("{}:{rest}", program.parent().expect("a folder").display()))
        .env("COLUMNS", "100")
        .envs([("NO_COLOR", "1")])
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .stdin(Stdio::null())
        .output()
        .expect("sh runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A text without the one thing that differs from run to run: the time at its end.
fn without_time(text: &str) -> String {
    let text = text.trim_end();
    match text.rsplit_once(", ") {
        Some((rest, time)) if time.ends_with('s') && time.trim_end_matches('s').parse::<f32>().is_ok() => rest.to_owned(),
        _ => text.to_owned(),
    }
}

/// README as it should be, and how many blocks it has.
fn fresh(readme: &str) -> (String, usize) {
    let mut parts = readme.split(MARK);
    let mut out = parts.next().unwrap_or_default().to_owned();
    let mut blocks = 0;
    for part in parts {
        let (command, rest) = part.split_once("` -->\n").expect("a command and the end of the comment");
        // The newline stays: an empty block ends with the next line.
        let rest = rest.strip_prefix("```text").expect("a block of text after the comment");
        let (shown, rest) = rest.split_once("\n```\n").expect("the end of the block");
        let shown = shown.strip_prefix('\n').unwrap_or(shown);
        let written = output_of(command);
        let block = if without_time(&written) == without_time(shown) { shown } else { written.trim_end() };
        out.push_str(&format!("{MARK}{command}` -->\n```text\n{block}\n```\n{rest}"));
        blocks += 1;
    }
    (out, blocks)
}

#[test]
fn readme_shows_what_the_program_writes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).expect("README");
    let (fresh, blocks) = fresh(&readme);
    assert!(blocks > 0, "README shows no output");
    if fresh == readme {
        return;
    }
    if env::var_os("UPDATE_README").is_some() {
        fs::write(path, fresh).expect("README can be written");
        return;
    }
    let line = readme.lines().zip(fresh.lines()).position(|(old, new)| old != new).map_or(0, |line| line + 1);
    panic!("README line {line} is not what the program writes; `UPDATE_README=1 cargo test --test program readme` writes it anew\n{fresh}");
}

#[test]
fn only_the_time_may_differ() {
    assert_eq!(without_time("1 failed; 2 cases, 3 deliveries, 0.5s\n"), without_time("1 failed; 2 cases, 3 deliveries, 11.0s"));
    assert_ne!(without_time("1 failed, 0.5s"), without_time("2 failed, 0.5s"));
    assert_ne!(without_time("a, bs"), without_time("a, cs"));
}
