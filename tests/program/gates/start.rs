//! `init`, revisions, and what signals and limits end.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use rstest::rstest;
use serde_json::Value;

use super::{few_sequences, python};
use crate::common::place::{BROKEN, FAULT, Place, Ran, ended, eventually, interrupt, shell_target};

// ---- revisions

/// A corpus whose second revision asks one thing more, and one thing more strictly.
fn two_revisions(place: &Place) -> String {
    let corpus = few_sequences(place);
    let path = place.path("corpus/requirements.toml");
    let text = fs::read_to_string(&path).expect("a file");
    let start = text.find("[[revision]]").expect("a revision");
    let end = start + text[start..].find("# ---- Refund").expect("requirements");
    let revisions = "[[revision]]\nnumber = 1\nnotes = \"\"\nsequences = 2\n[[revision]]\nnumber = 2\nnotes = \"\"\n";
    let text = format!("{}{revisions}{}", &text[..start], &text[end..]);
    let place_of = text.find(&format!("id = \"{BROKEN}\"")).expect("the requirement");
    let text = format!("{}since = 2\n{}", &text[..place_of], &text[place_of..]);
    let place_of = text.find("id = \"refund-counted-once\"").expect("the requirement");
    let text = format!("{}before = [{{ until = 1, level = \"SHOULD\", floor = 1 }}]\n{}", &text[..place_of], &text[place_of..]);
    fs::write(path, text).expect("it is written");
    corpus
}

#[test]
fn an_older_revision_asks_what_it_asked() {
    let place = Place::new();
    let corpus = two_revisions(&place);
    let listed = |revision| place.says(&["list", "--corpus", &corpus, "--requirements", revision], 0, "of 1, 2").out;
    assert!(listed("2").contains(BROKEN) && !listed("1").contains(BROKEN));
    let level = |text: &str| text.lines().find(|line| line.contains("refund-counted-once")).expect("a line").contains("SHOULD");
    assert!(level(&listed("1")) && !level(&listed("2")));

    let certify = |revision: &[&str], name: &str, code: i32| {
        let args: Vec<&str> =
            ["certify", FAULT, "--only", BROKEN, "--only", "refund-counted-once", "--only", "snapshots", "--corpus", &corpus]
                .into_iter()
                .chain(revision.iter().copied())
                .collect();
        place.report(&args, name, code)
    };
    let (old, new) = (certify(&["--requirements", "1"], "1.json", 0), certify(&[], "2.json", 1));
    assert_eq!((&old["suite"]["requirements"], &new["suite"]["requirements"]), (&1.into(), &2.into()));
    assert_eq!(old["requirements"].as_array().map(Vec::len), Some(1));
    assert_eq!((&old["requirements"][0]["level"], &old["requirements"][0]["floor"]), (&"SHOULD".into(), &1.into()));
    assert_ne!(old["digests"]["requirements"], new["digests"]["requirements"]);
    place.says(&["verify", "1.json", "--corpus", &corpus], 0, "");
}

#[test]
fn sequences_belong_to_revisions_too() {
    let place = Place::new();
    let corpus = two_revisions(&place);
    place.says(&["snapshot", "--dir", "own", "--corpus", &corpus, "--requirements", "1"], 0, "2 recorded");
    place.says(&["snapshot", "--dir", "own", "--corpus", &corpus, "--requirements", "1"], 0, "2 as recorded");
    place.says(&["snapshot", "--dir", "own", "--corpus", &corpus], 1, "has no snapshot yet");
}

#[test]
fn unknown_revisions() {
    let place = Place::new();
    for command in ["certify", "list"] {
        place.complains(&[command, "--requirements", "99"], 2, &["there is no revision 99 of the requirements; there is 1"]);
    }
    place.says(&["certify", "--requirements", "one"], 2, "--requirements");
}

#[test]
fn revisions_that_do_not_hold_together() {
    let place = Place::new();
    let corpus = two_revisions(&place);
    let path = place.path("corpus/requirements.toml");
    let text = fs::read_to_string(&path).expect("a file");
    fs::write(&path, text.replace("since = 2", "since = 3")).expect("it is written");
    place.complains(&["list", "--corpus", &corpus], 2, &["requirement `duplicate-deliveries`: there is no revision 3"]);
    fs::write(&path, text.replace("number = 2", "number = 5")).expect("it is written");
    place.complains(&["list", "--corpus", &corpus], 2, &["revision 5: revisions count up from 1, so this is 2"]);
}

// ---- init

#[test]
fn init_for_a_command() {
    let place = Place::new();
    place.says(&["init", "--ci", "github", "--", "python3", "my shop.py", "--a=\"b\""], 0, "wrote ./refundproof.toml");
    let file: toml::Table = place.read("refundproof.toml").parse().expect("TOML");
    assert_eq!(file["target"]["command"].as_array().map(Vec::len), Some(3));
    assert_eq!(file["target"]["command"][2].as_str(), Some("--a=\"b\""));
    assert!(place.read(".github/workflows/refundproof.yml").contains("run: refundproof certify refundproof.toml "));
}

#[test]
fn what_init_writes_works() {
    let Some(shop) = python() else { return };
    let place = Place::new();
    place.says(&["init", "--", "python3", &shop], 0, "doctor");
    place.says(&["doctor", "refundproof.toml"], 0, "the adapter works");
}

#[test]
fn init_for_a_service() {
    let place = Place::new();
    let provider = refundproof::provider::registered().last().expect("a provider").name;
    let args = ["init", "--webhook-url", "http://127.0.0.1:9/w", "--state-url", "http://127.0.0.1:9/o/{orderId}", "--secret-env", "S"];
    place.says(
        &[&args[..], &["--setup-url", "http://127.0.0.1:9/t", "--ci", "gitlab", "--provider", provider, "--dir", "x"]].concat(),
        0,
        "",
    );
    let file: toml::Table = place.read("x/refundproof.toml").parse().expect("TOML");
    assert_eq!(file["http"]["setup_url"].as_str(), Some("http://127.0.0.1:9/t"));
    assert_eq!(file["target"]["secret_env"].as_str(), Some("S"));
    assert!(place.read("x/refundproof.gitlab-ci.yml").contains(&format!("certify --provider {provider} refundproof.toml")));
    // The file is read; only nobody answers.
    let ran = place.run_in(&[("S", "whsec_x")], &["doctor", "x/refundproof.toml"]);
    assert!(ran.code == Some(3) && !ran.err.contains("x/refundproof.toml: "), "{}{}", ran.out, ran.err);
}

#[test]
fn init_never_overwrites() {
    let place = Place::new();
    place.write("refundproof.toml", "mine");
    place.complains(&["init", "--", "true"], 2, &["refundproof.toml: is there already; init never overwrites"]);
    place.write("x", "");
    fs::remove_file(place.path("refundproof.toml")).expect("a file");
    fs::create_dir_all(place.path(".github/workflows")).expect("a folder");
    place.write(".github/workflows/refundproof.yml", "mine");
    place.complains(&["init", "--ci", "github", "--", "true"], 2, &["refundproof.yml: is there already"]);
    assert!(!place.path("refundproof.toml").exists(), "all or nothing");
    assert_eq!(place.read(".github/workflows/refundproof.yml"), "mine");
}

#[rstest]
#[case::nothing(&["init"], "say how your implementation is reached")]
#[case::url(&["init", "--webhook-url", "localhost", "--state-url", "http://a/{orderId}"], "--webhook-url: `localhost` is no URL")]
#[case::tls(&["init", "--webhook-url", "https://a/w", "--state-url", "http://a/{orderId}"], "--webhook-url: https is not spoken")]
#[case::order(&["init", "--webhook-url", "http://a/w", "--state-url", "http://a/o"], "lacks {orderId}")]
#[case::provider(&["init", "--provider", "nobody", "--", "true"], "provider `nobody` is unknown")]
fn init_complains(#[case] args: &[&str], #[case] part: &str) {
    Place::new().complains(args, 2, &[part]);
}

#[test]
fn init_wants_both_urls_or_a_command() {
    let place = Place::new();
    place.says(&["init", "--webhook-url", "http://a/w"], 2, "--state-url");
    place.says(&["init", "--webhook-url", "http://a/w", "--state-url", "http://a/{orderId}", "--", "true"], 2, "cannot be used with");
}

// ---- signals and limits

const SLOW: &str = r#"sleep 0.2; printf '{"id":%s,"ok":true,"status":200}\n' "$id""#;

/// A run that is interrupted while it waits for answers, by so many signals within moments.
#[track_caller]
fn interrupted(place: &Place, signals: usize) -> Ran {
    let child = place.start_shell(SLOW, &["--report", "json=r.json"]);
    thread::sleep(Duration::from_millis(300));
    for _ in 0..signals {
        interrupt(&child);
        thread::sleep(Duration::from_millis(5));
    }
    let ran = ended(child);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
    ran
}

#[test]
fn one_interrupt_ends_in_a_partial_report() {
    let place = Place::new();
    let ran = interrupted(&place, 1);
    assert!(ran.err.contains("interrupted: "), "{}", ran.err);
    let report: Value = serde_json::from_str(&place.read("r.json")).expect("JSON");
    assert_eq!(report["interrupted"], "interrupted");
    assert_eq!(report["verdict"], "not-judged");
    place.says(&["verify", "r.json"], 0, "the record holds");
    place.nothing_is_left();
}

/// Process managers and package managers pass on what the terminal has said already.
#[test]
fn an_interrupt_that_comes_twice_at_once_is_one() {
    let place = Place::new();
    interrupted(&place, 2);
    place.says(&["verify", "r.json"], 0, "the record holds");
    place.nothing_is_left();
}

#[test]
fn the_second_interrupt_ends_at_once() {
    let place = Place::new();
    // The first delivery hangs, in a process of the target's own.
    let child = place.start_shell("sleep 100 & echo $! >> pid; wait", &["--answer-limit", "60s"]);
    eventually("no delivery hangs", || place.read("pid").lines().count() > 1);
    interrupt(&child);
    thread::sleep(Duration::from_millis(300));
    let started = Instant::now();
    interrupt(&child);
    let ran = ended(child);
    assert!(started.elapsed() < Duration::from_secs(5), "it took {:?}", started.elapsed());
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
    place.nothing_is_left();
}

#[test]
fn the_time_limit_ends_in_a_partial_report() {
    let place = Place::new();
    let child = place.start_shell(SLOW, &["--time-limit", "1s", "--report", "json=r.json"]);
    let ran = ended(child);
    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("cut short: time limit"), "{}", ran.out);
    let report: Value = serde_json::from_str(&place.read("r.json")).expect("JSON");
    assert_eq!((&report["interrupted"], &report["verdict"]), (&"time limit".into(), &"not-judged".into()));
    place.nothing_is_left();
}

#[test]
fn snapshots_cut_short_are_not_conformant() {
    let place = Place::new();
    let ran = place.says(&["certify", "--only", "snapshots", "--time-limit", "1ms"], 3, "cut short: time limit");
    assert!(ran.out.contains("not-judged"), "{}", ran.out);
}

#[test]
fn an_interrupted_run_writes_no_list() {
    let place = Place::new();
    let child = place.start_shell(SLOW, &["--time-limit", "1s", "--write-known-failing", "k.toml"]);
    let ran = ended(child);
    assert!(ran.err.contains("k.toml: not written"), "{}", ran.err);
    assert!(!place.path("k.toml").exists());
}

#[test]
fn an_interrupted_snapshot_writes_nothing() {
    let place = Place::new();
    place.write("target.sh", &shell_target("{}"));
    let args = ["snapshot", "--dir", "own", "--", "sh", "target.sh", SLOW];
    let child = place.start(&args);
    thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    let ran = ended(child);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
    assert!(!place.path("own").exists());
    place.nothing_is_left();
}
