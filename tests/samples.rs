//! The samples that need more than Rust, certified as their README files say. `samples/axum-sqlite` has tests of its own.

#[path = "common/sample.rs"]
mod sample;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use sample::{certify, skip, target_file};

const PROGRAM: &str = env!("CARGO_BIN_EXE_refundproof");

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn is_there(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        skip(&format!("there is no {program}"));
    }
    there
}

/// The same shop with another server, certified with these arguments.
fn node(server: &str, args: &[&str]) -> sample::Certified {
    let file = target_file(&samples().join("node-http/refundproof.toml"), &format!("{server}.toml"), &["node", server]);
    certify(Path::new(PROGRAM), &format!("{server}-failures"), &[&[&*file.display().to_string()], args].concat())
}

#[test]
fn node_shop_conforms() {
    if is_there("node") {
        // A case costs a process that imports its orders, so there are few.
        node("server.js", &["--cases", "2"]).conforms(&[
            "exact-amounts",
            "concurrent-deliveries",
            "survives-restart",
            "signature-covers-raw-body",
        ]);
    }
}

#[test]
fn a_filter_that_remembers_refused_events_is_found() {
    if is_there("node") {
        let only = ["refund-counted-once", "duplicate-deliveries", "rejection-leaves-no-trace"].map(|id| ["--only", id]).concat();
        node("server_buggy.js", &[&only[..], &["--cases", "5"]].concat()).fails_first("rejection-leaves-no-trace");
    }
}

#[test]
fn python_shop_with_a_store_is_durable() {
    if is_there("python3") {
        let shop = samples().join("python-stdio/shop.py").display().to_string();
        let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-shop.db").display().to_string();
        let args = ["--cases", "5", "--jobs", "1", "--", "python3", &shop, "--store", &store];
        certify(Path::new(PROGRAM), "python-failures", &args).conforms(&["survives-restart", "signature-required"]);
    }
}
