//! Arguments and files that are wrong.

use std::fs;

use refundproof::provider::registered;
use serde_json::Value;

use super::{check, complains};
use crate::common::place::{FAULT, PLAIN, Place, Ran};

#[test]
fn nothing_selected() {
    complains(&["certify", "--only", "nothing-like-this"], 2, &["leave nothing to run"]);
}

/// One line with what to do, as for everything else that is wrong.
#[test]
fn arguments_that_there_are_not() {
    complains(&["certify", "--sed", "4"], 2, &["unexpected argument '--sed' found; a similar argument exists: '--seed'", "; try '--help'"]);
    complains(&["replay"], 2, &["the following required arguments were not provided: <CASE.json>; try '--help'"]);
    complains(
        &["certify", "--color", "maybe"],
        2,
        &["invalid value 'maybe' for '--color <WHEN>' [possible values: auto, always, never]; try"],
    );
    complains(&["certfy"], 2, &["unrecognized subcommand 'certfy'; some similar subcommands exist: "]);
}

#[test]
fn missing_target_file() {
    complains(&["certify", "nope.toml"], 2, &["nope.toml: cannot be read"]);
}

#[test]
fn target_file_that_is_not_toml() {
    let place = Place::new();
    place.write("bad.toml", "[target]\ncommand = [\n\"a\" \"b\"]\n");
    place.complains(&["certify", "bad.toml"], 2, &["bad.toml: line 3: "]);
}

#[test]
fn target_file_with_an_unknown_field() {
    let place = Place::new();
    place.write("odd.toml", "[target]\ncommand = [\"true\"]\ncomand = 1\n");
    place.complains(&["certify", "odd.toml"], 2, &["odd.toml: line 3: unknown field `comand`"]);
}

#[test]
fn target_files_without_a_target() {
    let place = Place::new();
    place.write("empty.toml", "");
    place.complains(&["certify", "empty.toml"], 2, &["empty.toml: there is no table [target]"]);
    place.write("text.toml", "target = \"shop\"\n");
    place.complains(&["certify", "text.toml"], 2, &["text.toml: line 1: ", "expected a table [target]"]);
}

/// Nobody is there, but what the file says is understood where the provider's events count in such a unit.
#[test]
fn amounts_in_the_unit_of_the_provider() {
    let place = Place::new();
    let file = "[target]\n[http]\nwebhook_url = \"http://127.0.0.1:1/\"\nstate_url = \"http://127.0.0.1:1/{orderId}\"\n\
                [mapping]\namounts = \"provider\"\nstatus = \"/status\"\nrefundedAmount = \"/refunded\"\n";
    place.write("shop.toml", file);
    for registered in registered() {
        let args = ["certify", "shop.toml", "--provider", registered.name];
        match registered.embedded().digits_sent() {
            Some(_) => drop(place.exits(&args, 3)),
            None => place.complains(&args, 2, &["shop.toml: mapping.amounts: ", registered.name, "sends decimal numbers"]),
        }
    }
}

#[test]
fn a_seed_below_zero() {
    check(&["certify", "--seed", "-1"], 2, "a seed is a whole number from 0");
}

#[test]
fn both_target_and_command() {
    complains(&["certify", "builtin:reference", "--", "true"], 2, &["both a target"]);
}

#[test]
fn http_target() {
    complains(&["certify", "http://localhost:1/"], 2, &["http://localhost:1/"]);
}

#[test]
fn unknown_provider() {
    complains(&["certify", "--provider", "nobody"], 2, &["provider `nobody` is unknown", "digital-river"]);
}

#[test]
fn unwritable_report() {
    let place = Place::new();
    let ran = place.check(&["certify", FAULT, "--report", "json=no/such/report.json"], 2, "no/such/report.json: cannot be written");
    assert_eq!(ran.out, "", "it was seen only after the run");
}

#[test]
fn two_reports_in_one_file() {
    complains(&["certify", "--report", "json=a", "--report", "html=a"], 2, &["a: two reports would be written there"]);
}

#[test]
fn unknown_report_format() {
    check(&["certify", "--report", "pdf=a"], 2, "`pdf` is no report format; there are json, junit, markdown, html");
}

#[test]
fn a_summary_that_cannot_be_written_does_not_change_the_verdict() {
    let place = Place::new();
    let mut command = place.command(&["certify", "--cases", "1", "--only", PLAIN]);
    let ran = Ran::from(command.env("GITHUB_STEP_SUMMARY", "no/such/summary.md").output().expect("the program runs"));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("no/such/summary.md: cannot be written"), "{}", ran.err);
}

#[test]
fn failures_folder_that_is_a_file() {
    let place = Place::new();
    place.write("file", "");
    place.complains(&["certify", FAULT, "--failures", "file"], 2, &["file: is not a folder"]);
    assert_eq!(place.run(&["certify", FAULT, "--failures", "file"]).out, "", "it was seen only after the run");
}

#[test]
fn only_snapshots() {
    let ran = check(&["certify", "--only", "snapshots"], 0, "");
    assert!(
        ran.out.lines().last().is_some_and(|line| line.starts_with("conformant  ") && line.contains("snapshots agree; ")),
        "{}",
        ran.out
    );
}

#[test]
fn a_mistake_is_told_once() {
    let ran = check(&["certify", "builtin:fault/counts-both-layers", "--cases", "10"], 1, "");
    ran.shows(&["finding 1", "builtin:fault/counts-both-layers", "because of it "]);
    assert_eq!(ran.out.matches("  about     ").count(), 1, "{}", ran.out);
}

#[test]
fn what_a_run_cut_short_did_not_reach_is_said_once() {
    let ran = check(&["certify", "--time-limit", "1ms"], 3, "");
    assert!(!ran.out.contains("the run ended before it"), "{}", ran.out);
}

#[test]
fn unreadable_options() {
    for args in
        [["certify", "--cases", "x"], ["certify", "--report", "xml=a"], ["certify", "--seed", "1.5"], ["certify", "--time-limit", "1y"]]
    {
        check(&args, 2, args[1]);
    }
    complains(&["certify", "--only", "["], 2, &["["]);
}

#[track_caller]
fn broken_corpus(file: &str, text: &str, line: &str) {
    let place = Place::new();
    let path = place.corpus().join(file);
    assert!(path.exists());
    fs::write(path, text).expect("a file");
    place.complains(&["certify", "--corpus", "corpus"], 2, &[&format!("corpus/{file}: "), line]);
}

#[test]
fn broken_catalogue() {
    broken_corpus("catalogue.toml", "[[event]]\ntype = = 1\n", "line 2: ");
}

#[test]
fn broken_example() {
    broken_corpus("examples/refund.complete.json", "{\n\"a\":\n}", "line 3: not JSON");
}

#[test]
fn broken_sequence() {
    broken_corpus("sequences/001-unknown-events.json", "{\n\"schema\": \"refundproof-case/1\",\n\"titel\": 1}", "line 3");
}

#[test]
fn missing_corpus() {
    complains(&["list", "--corpus", "nope"], 2, &["nope: is not a folder"]);
}

#[track_caller]
fn broken_case(change: impl FnOnce(&str) -> String, parts: &[&str]) {
    let place = Place::new();
    let text = fs::read_to_string(place.path(&place.saved_case())).expect("a case");
    place.write("case.json", &change(&text));
    for command in ["show", "replay"] {
        place.complains(&[command, "case.json"], 2, &[&["case.json: "], parts].concat());
    }
}

#[test]
fn case_of_another_version() {
    broken_case(
        |text| text.replacen("refundproof-case/1", "refundproof-case/2", 1),
        &["`refundproof-case/2`", "reads `refundproof-case/1`"],
    );
}

#[test]
fn case_that_is_not_json() {
    broken_case(|_| "hello".to_owned(), &["line 1, column 1: not JSON"]);
}

#[test]
fn case_with_an_unknown_field() {
    broken_case(|text| text.replacen("\"title\"", "\"titel\"", 1), &["line 3", "unknown field `titel`"]);
}

#[test]
fn case_without_orders() {
    let empty = |text: &str| {
        let mut case: Value = serde_json::from_str(text).expect("JSON");
        case["orders"] = Value::Array(Vec::new());
        case.to_string()
    };
    broken_case(empty, &["field `orders`: is empty"]);
}

#[test]
fn missing_case() {
    complains(&["show", "nope.json"], 2, &["nope.json: "]);
}
