//! Targets that are wrong or must be stopped, and those that keep files.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use super::complains;
use crate::common::place::{PLAIN, Place, ended, interrupt, shell_target};

// ---- bad targets

#[test]
fn missing_command() {
    complains(&["certify", "--", "./no-such-program"], 3, &["`./no-such-program` was not found"]);
}

#[test]
fn target_that_exits_at_once() {
    Place::new().shell_fails("echo first >&2; echo last words >&2; exit 7", &["exit status: 7", "`last words`"]);
}

#[test]
fn target_that_answers_nonsense() {
    Place::new().shell_fails("echo hi; exec cat", &["not JSON", "`hi`"]);
}

#[test]
fn target_that_answers_to_the_wrong_id() {
    Place::new().shell_fails(r#"echo '{"id":99,"ok":true}'; exec cat"#, &["`id`", "99"]);
}

#[test]
fn target_that_writes_without_end() {
    Place::new().shell_fails("tr '\\0' a < /dev/zero", &["line longer than 1 MiB"]);
}

#[test]
fn target_that_writes_lines_without_end() {
    Place::new().shell_fails("yes", &["not JSON", "`y`"]);
}

#[test]
fn target_that_never_answers() {
    let started = Instant::now();
    Place::new().shell_fails("sleep 100", &["hello: no answer within 10000 ms"]);
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[track_caller]
fn fails_in_deliver(what: &str, limit: &str, only: &str, parts: &[&str]) {
    let place = Place::new();
    place.write("target.sh", &shell_target("{}"));
    let ran = place.check(&["certify", "--cases", "1", "--answer-limit", limit, "--only", only, "--", "sh", "target.sh", what], 1, "");
    ran.shows(parts);
    assert!(!ran.out.contains("→ \n"), "{}", ran.out);
    place.nothing_is_left();
}

#[test]
fn target_that_crashes_in_deliver() {
    fails_in_deliver("echo boom >&2; exit 3", "300ms", PLAIN, &["→ no answer", "exit status: 3", "│ boom"]);
}

#[test]
fn target_that_hangs_in_deliver() {
    fails_in_deliver("sleep 100", "50ms", PLAIN, &["→ no answer", "no answer within 50 ms"]);
}

#[test]
fn target_that_subscribes_to_what_there_is_not() {
    let place = Place::new();
    place.write("target.sh", &shell_target(r#"{"subscribes":["refund.complet","refunds.*"]}"#));
    place.complains(&["certify", "--", "sh", "target.sh"], 2, &["`capabilities.subscribes`", "no event type of digital-river"]);
    place.exits(&["doctor", "--", "sh", "target.sh"], 3).shows(&["`refund.complet` fits no event type", "`refunds.*` fits"]);
    place.nothing_is_left();
}

#[test]
fn adapter_that_cannot_is_not_judged() {
    let place = Place::new();
    place.write("target.sh", &shell_target("{}"));
    let decline = r#"printf '{"id":%s,"ok":false,"error":"out of order"}\n' "$id""#;
    let ran = place.check(&["certify", "--cases", "1", "--", "sh", "target.sh", decline], 3, "");
    ran.shows(&["the adapter said: out of order", "\nnot-judged"]);
    // It is what is wrong, so it is said even where nothing else is.
    let quiet = place.exits(&["certify", "--quiet", "--cases", "1", "--only", PLAIN, "--", "sh", "target.sh", decline], 3);
    quiet.shows(&[PLAIN, "the adapter said: out of order"]);
    place.nothing_is_left();
}

// ---- Ctrl-C

#[test]
fn interrupt_reports_what_was_finished() {
    let place = Place::new();
    place.write("target.sh", &shell_target("{}"));
    // A target that shows nothing fails the others; this one needs nothing but answers.
    let slow = r#"sleep 0.2; printf '{"id":%s,"ok":true,"status":200}\n' "$id""#;
    let args = ["certify", "--only", "other-events-change-nothing", "--jobs", "1", "--", "sh", "target.sh", slow];
    let child = place.start(&args);
    thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    let ran = ended(child);
    assert_eq!(ran.code, Some(130), "{}\n{}", ran.out, ran.err);
    ran.shows(&["other-events-change-nothing", "cut short: interrupted"]);
    place.nothing_is_left();
}

// ---- Durable targets on stdio

/// A durable target that notes the folder that it is given and whether another one runs already.
fn durable_target() -> String {
    let alone = r#"for other in $(cat pid 2>/dev/null); do kill -0 "$other" 2>/dev/null && echo two >> clash; done
test -z "$2" || { echo "$2" >> folders; test -d "$2" || exit 9; }
"#;
    format!("{alone}{}", shell_target(r#"{"durable":true}"#))
}

const ANSWER: &str = r#"printf '{"id":%s,"ok":true,"status":200}\n' "$id""#;

#[test]
fn one_durable_target_at_a_time() {
    let place = Place::new();
    place.write("target.sh", &durable_target());
    place.exits(&["certify", "--jobs", "4", "--cases", "2", "--", "sh", "target.sh", ANSWER], 1);
    assert!(place.read("pid").lines().count() > 1, "it was never started again");
    assert!(!place.path("clash").exists(), "two were started on the same files");
    place.exits(&["doctor", "--", "sh", "target.sh", ANSWER], 0).shows(&["certify starts one at a time", "{folder}"]);
}

#[test]
fn durable_targets_in_folders_of_their_own() {
    let place = Place::new();
    place.write("target.sh", &durable_target());
    place.exits(&["certify", "--jobs", "2", "--cases", "2", "--", "sh", "target.sh", ANSWER, "{folder}/"], 1);
    let text = place.read("folders");
    let folders: std::collections::BTreeSet<&str> = text.lines().collect();
    assert!(folders.len() > 1 && text.lines().count() > folders.len(), "a restart keeps the folder of its worker: {text}");
    assert!(folders.iter().all(|folder| !fs::exists(folder).expect("an answer")), "a folder is left behind");
    let ran = place.exits(&["doctor", "--", "sh", "target.sh", ANSWER, "{folder}"], 0);
    assert!(!ran.out.contains("one at a time"), "{}", ran.out);
}

#[test]
fn an_interrupt_removes_folders() {
    let place = Place::new();
    place.write("target.sh", &durable_target());
    let child = place.start(&["certify", "--only", PLAIN, "--answer-limit", "10m", "--", "sh", "target.sh", "sleep 100", "{folder}"]);
    thread::sleep(Duration::from_millis(500));
    interrupt(&child);
    thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    assert_eq!(ended(child).code, Some(130));
    let folder = place.read("folders");
    assert!(!fs::exists(folder.trim()).expect("an answer"), "{folder}");
    place.nothing_is_left();
}
