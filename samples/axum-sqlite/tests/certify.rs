//! The shop certified as the README says, and the one with a lost update.

#[path = "../../../tests/common/sample.rs"]
mod sample;

use std::path::{Path, PathBuf};

use sample::{Certified, certify, skip, target_file};

/// The harness, which is built beside this shop when the whole workspace is tested.
fn program() -> Option<PathBuf> {
    let program =
        Path::new(env!("CARGO_BIN_EXE_axum-sqlite")).with_file_name("refundproof").with_extension(std::env::consts::EXE_EXTENSION);
    if !program.exists() {
        skip("refundproof itself is not built; `cargo build` does it, and `cargo test --workspace`");
        return None;
    }
    Some(program)
}

fn certified(shop: &str, file: &str, args: &[&str]) -> Option<Certified> {
    let name = Path::new(shop).file_name()?.to_string_lossy();
    let file = target_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join(file), &format!("{name}-{file}"), &[shop]);
    Some(certify(&program()?, &format!("{name}-failures"), &[&[&*file.display().to_string()], args].concat()))
}

#[test]
fn the_shop_conforms() {
    if let Some(certified) = certified(env!("CARGO_BIN_EXE_axum-sqlite"), "refundproof.toml", &["--cases", "10"]) {
        certified.conforms(&[
            "exact-amounts",
            "own-refund-not-booked-twice",
            "concurrent-deliveries",
            "survives-restart",
            "signature-covers-raw-body",
        ]);
    }
}

#[test]
fn the_shop_conforms_with_tazapay() {
    let args = ["--provider", "tazapay", "--cases", "10"];
    if let Some(certified) = certified(env!("CARGO_BIN_EXE_axum-sqlite"), "tazapay.toml", &args) {
        certified.conforms(&["exact-amounts", "own-refund-not-booked-twice", "survives-restart", "signature-covers-raw-body"]);
    }
}

#[test]
fn a_lost_update_is_found() {
    if let Some(certified) = certified(env!("CARGO_BIN_EXE_axum-sqlite-buggy"), "refundproof.toml", &["--cases", "10"]) {
        certified.fails_first("concurrent-deliveries");
    }
}
