//! The samples that need more than Rust, certified as their README files say. `samples/axum-sqlite` has tests of its own.

#[path = "common/sample.rs"]
mod sample;

use std::path::{Path, PathBuf};

use refundproof::provider::{Registered, registered};
use sample::{certify, is_there, python, target_file};

const PROGRAM: &str = env!("CARGO_BIN_EXE_refundproof");

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// The providers whose events the shops take that are not about one provider alone.
fn common_providers() -> &'static [Registered] {
    &registered()[..2]
}

/// The shop with one of its servers, certified with one of its target files and these arguments.
fn node(server: &str, file: &str, args: &[&str]) -> sample::Certified {
    let name = format!("{server}-{file}");
    let file = target_file(&samples().join("node-http").join(file), &name, &["node", server]);
    certify(Path::new(PROGRAM), &format!("{name}-failures"), &[&[&*file.display().to_string()], args].concat())
}

#[test]
fn node_shop_conforms_with_every_provider() {
    if !is_there("node") {
        return;
    }
    let conforms = |provider: &Registered| {
        let is_first = provider.name == registered()[0].name;
        let file = if is_first { "refundproof.toml".to_owned() } else { format!("{}.toml", provider.name) };
        // A case costs a process that imports its orders, so there are few.
        let certified = node("server.js", &file, &["--provider", provider.name, "--cases", "2"]);
        certified.conforms(&["exact-amounts", "survives-restart", "signature-covers-raw-body"]);
        if is_first {
            certified.conforms(&["concurrent-deliveries"]);
        }
    };
    std::thread::scope(|scope| {
        for provider in common_providers() {
            scope.spawn(move || conforms(provider));
        }
    });
}

#[test]
fn a_filter_that_remembers_refused_events_is_found() {
    if is_there("node") {
        // Its cases show it soon. A smaller one would be looked for as long as it may, as each attempt costs a process too.
        node("server_buggy.js", "refundproof.toml", &["--only", "rejection-leaves-no-trace", "--cases", "8", "--time-limit", "12s"])
            .fails_first("rejection-leaves-no-trace");
    }
}

#[test]
fn python_shop_with_a_store_conforms_with_every_provider() {
    let Some(python) = python() else { return };
    let shop = samples().join("python-stdio/shop.py").display().to_string();
    // Each waits for its own processes, so all are looked at side by side.
    let conforms = |provider: &Registered| {
        let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-shop-{}.db", provider.name)).display().to_string();
        let args = ["--provider", provider.name, "--cases", "5", "--jobs", "1", "--", &python, &shop, "--store", &store];
        let failures = format!("python-failures-{}", provider.name);
        certify(Path::new(PROGRAM), &failures, &args).conforms(&["survives-restart", "signature-required"]);
    };
    std::thread::scope(|scope| {
        for provider in registered() {
            scope.spawn(move || conforms(provider));
        }
    });
}
