//! The sample with Express, Stripe's own library and SQLite, certified as its README says, and with its mistake.

use std::path::Path;

use crate::common::sample::{Certified, certify, is_there, skip, target_file};

/// The shop with one of its target files and servers; nothing where the packages that `npm ci` installs are not there.
fn shop(file: &str, server: &str, args: &[&str]) -> Option<Certified> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/stripe-node");
    if !is_there("node") {
        return None;
    }
    if !folder.join("node_modules/better-sqlite3").is_dir() {
        skip("`npm ci` was not run in samples/stripe-node");
        return None;
    }
    let name = format!("stripe-{}-{file}", server.trim_end_matches(".js"));
    let file = target_file(&folder.join(file), &name, &["node", server]).display().to_string();
    let args = [&["--provider", "stripe", &*file], args].concat();
    Some(certify(Path::new(env!("CARGO_BIN_EXE_refundproof")), &format!("{name}-failures"), &args))
}

#[test]
fn the_shop_conforms() {
    if let Some(certified) = shop("refundproof.toml", "server.js", &["--cases", "10"]) {
        certified.conforms(&["refund-fails-after-success", "dispute-won-restores", "signature-covers-raw-body", "survives-restart"]);
    }
}

/// The one that asks the provider's API, which the harness serves.
#[test]
fn the_shop_that_fetches_conforms() {
    if let Some(certified) = shop("refundproof-fetching.toml", "server_fetching.js", &["--cases", "5"]) {
        certified.conforms(&["webhook-before-answer", "fetched-state-counts-once", "api-failure-is-not-acknowledged", "survives-restart"]);
    }
}

#[test]
fn an_event_that_is_acknowledged_although_the_api_failed_is_found() {
    let args = ["--only", "api-failure-is-not-acknowledged", "--cases", "10"];
    if let Some(certified) = shop("refundproof-fetching.toml", "server_fetching_buggy.js", &args) {
        certified.fails_first("api-failure-is-not-acknowledged");
        certified.is_said("[the provider's API ");
    }
}

#[test]
fn a_running_total_that_is_added_up_is_found() {
    let args = ["--only", "cumulative-is-not-added", "--cases", "10"];
    if let Some(certified) = shop("refundproof-buggy.toml", "server_buggy.js", &args) {
        certified.is_said("must be partially_refunded; refundedAmount is");
    }
}
