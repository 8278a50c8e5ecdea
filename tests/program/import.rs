//! Logs of webhooks become cases, and the cases are certified with, from outside.
//!
//! Source: `docs/importing.md`.

use std::{fmt::Write, fs};

use refundproof::{
    plan::{Action, FailureShape, Level, Opening, Pick, Plan, Step},
    provider::{Provider, lower},
};

use crate::common::{place::Place, providers};

/// Bodies of orders of which a part is refunded, and then all.
fn log(provider: &dyn Provider, orders: u64) -> String {
    let refund =
        |amount| Step::plain(Action::Refund { amount, level: Level::Order, joins: false, own: false, kind: 0, opens: Opening::Pending });
    let paid = || Step::plain(Action::Succeed { refund: 0, paid: Pick::All });
    let failed = Step::plain(Action::Fail { refund: 0, reason: false, shape: FailureShape::Charge });
    let steps = vec![refund(Pick::Units(300)), paid(), refund(Pick::Units(100)), failed, refund(Pick::All), paid()];
    let plan = Plan { orders: Vec::new(), steps, only: Vec::new(), look: 0 };
    let mut log = String::new();
    for serial in 0..orders {
        for delivery in lower(provider, &plan, 1_000_000 + serial).case.all_deliveries() {
            let body = serde_json::to_string(delivery.body.text().expect("text")).expect("JSON");
            writeln!(log, r#"{{"headers":{{"content-type":"application/json"}},"body":{body}}}"#).expect("a string takes everything");
        }
    }
    log
}

fn imported(provider: &dyn Provider) -> Place {
    let place = Place::new();
    place.write("webhooks.jsonl", &log(provider, 3));
    let ran = place.exits(&["import", "webhooks.jsonl", "--provider", provider.name(), "--to", "imported", "--seed", "7"], 0);
    ran.shows(&["3 orders: from real traffic: a part is to be refunded", "; ends refunded", "replaced  ", "in 3 orders, 0 not used"]);
    place
}

#[test]
fn imported_cases_are_played_beside_the_requirements() {
    for provider in providers() {
        let place = imported(provider);
        let certify =
            ["certify", "builtin:reference", "--provider", provider.name(), "--corpus", "imported", "--cases", "2", "--only", "snapshots"];
        let ran = place.run(&certify);
        ran.shows(&["1 case from real traffic in ", "variations: all as they must be"]);
    }
}

#[test]
fn what_fails_of_them_fails_the_run_and_is_kept() {
    let provider = providers().next().expect("there is one");
    let place = imported(provider);
    let certify = [
        "certify",
        "builtin:fault/books-redeliveries",
        "--provider",
        provider.name(),
        "--corpus",
        "imported",
        "--only",
        "unknown-members-accepted",
        "--cases",
        "2",
    ];
    let ran = place.exits(&certify, 1);
    ran.shows(&["with redeliveries", "(kept as"]);
    let kept = fs::read_dir(place.path("refundproof-failures")).expect("a folder").filter_map(Result::ok);
    let kept: Vec<String> =
        kept.map(|file| file.file_name().to_string_lossy().into_owned()).filter(|name| name.starts_with("imported-")).collect();
    assert!(!kept.is_empty());
    for name in kept {
        place.exits(&["replay", &format!("refundproof-failures/{name}"), "builtin:fault/books-redeliveries"], 1);
        place.exits(&["replay", &format!("refundproof-failures/{name}"), "builtin:reference"], 0);
    }
}

#[test]
fn a_log_that_cannot_be_used_is_one_line() {
    let place = Place::new();
    place.write("log", "hello\n");
    place.write("empty.jsonl", "{\"body\":\"{}\"}\n");
    place.complains(&["import", "none", "--provider", "digital-river"], 2, &["none: cannot be imported: No such file"]);
    place.complains(&["import", "log", "--provider", "digital-river"], 2, &["log: is in no format that is known", "--format"]);
    place.complains(&["import", "log", "--provider", "nobody"], 2, &["provider `nobody` is unknown"]);
    place.complains(&["import", "empty.jsonl", "--provider", "digital-river"], 3, &["no order of digital-river could be rebuilt"]);
    let ran = place.exits(&["import", "log", "--provider", "digital-river", "--format", "csv"], 2);
    assert!(ran.err.contains("`csv` is no format of logs"), "{}", ran.err);
}

#[test]
fn a_recorder_that_cannot_work_is_one_line() {
    let place = Place::new();
    let record =
        |listen: &'static str, forward: &'static str, to: &'static str| ["record", "--listen", listen, "--forward", forward, "--to", to];
    place.complains(&record("127.0.0.1:0", "https://example.com", "log"), 2, &["does not begin with http://"]);
    place.complains(&record("nowhere", "http://127.0.0.1:1", "log"), 2, &["--listen nowhere: "]);
    place.complains(&record("127.0.0.1:0", "http://127.0.0.1:1", "no/log"), 2, &["no/log: cannot be written"]);
}
