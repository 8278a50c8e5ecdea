//! Gates from outside: known failures, shards, snapshots of a target's own, records, revisions, `init` and signals.
//!
//! Source: `docs/reports.md`.

use std::{
    fs,
    path::Path,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use rstest::rstest;
use serde_json::Value;

use crate::common::{
    place::{BROKEN, FAULT, PROGRAM, Place, Ran, copy_folder, ended, eventually, interrupt, shell_target},
    root,
    sample::is_there,
};

/// The capabilities of a target that only hears of events that change nothing, so that it is always right.
const SUBSCRIBES_TO_NOTHING: &str = r#"{"subscribes":["customer.*"]}"#;

impl Place {
    #[track_caller]
    fn says(&self, args: &[&str], code: i32, part: &str) -> Ran {
        let ran = self.exits(args, code);
        assert!(ran.out.contains(part) || ran.err.contains(part), "{args:?}: no {part:?} in\n{}\n{}", ran.out, ran.err);
        ran
    }

    #[track_caller]
    fn report(&self, args: &[&str], name: &str, code: i32) -> Value {
        let json = format!("json={name}");
        let args: Vec<&str> = args.iter().copied().chain(["--cases", "5", "--report", &json]).collect();
        self.says(&args, code, "");
        serde_json::from_str(&self.read(name)).expect("JSON")
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut value: Value = serde_json::from_str(&self.read(name)).expect("JSON");
        change(&mut value);
        self.write(name, &format!("{value:#}"));
    }

    /// Starts a run against the target in `sh`.
    fn start_shell(&self, deliver: &str, options: &[&str]) -> Child {
        self.write("target.sh", &shell_target(SUBSCRIBES_TO_NOTHING));
        let args = ["certify", "--only", "other-events-change-nothing", "--jobs", "1"].into_iter().chain(options.iter().copied());
        let args: Vec<&str> = args.chain(["--", "sh", "target.sh", deliver]).collect();
        self.start(&args)
    }
}

fn python() -> Option<String> {
    is_there("python3").then(|| root().join("samples/python-stdio/shop.py").display().to_string())
}

// ---- known failures

#[test]
fn a_written_list_needs_reasons_and_then_waives() {
    let place = Place::new();
    let fault = ["certify", FAULT, "--only", BROKEN, "--cases", "20"];
    let with = |more: &[&'static str]| -> Vec<&str> { fault.iter().copied().chain(more.iter().copied()).collect() };
    let ran = place.says(&with(&["--write-known-failing", "known.toml"]), 1, "still without a reason");
    assert!(ran.out.contains("not-conformant"), "{}", ran.out);
    let ran = place.says(&with(&["--known-failing", "known.toml"]), 1, "field `reason`: is missing");
    assert!(ran.err.lines().all(|line| line.starts_with("error: known.toml: line ")), "{}", ran.err);
    place.write("known.toml", &place.read("known.toml").replace("reason = \"\"", "reason = \"ticket 12\""));
    let ran = place.says(&with(&["--known-failing", "known.toml", "--report", "json=r.json"]), 0, "ticket 12");
    assert!(ran.out.contains("1 waived") && !ran.out.contains("must be"), "{}", ran.out);
    let report: Value = serde_json::from_str(&place.read("r.json")).expect("JSON");
    assert_eq!(report["requirements"][0]["verdict"], "waived");
    // Written again, reasons stay.
    place.says(&with(&["--write-known-failing", "known.toml"]), 1, " 0 of them still without a reason");
    place.says(&with(&["--known-failing", "known.toml"]), 0, "");
    place.says(&["certify", "--only", BROKEN, "--known-failing", "known.toml"], 1, "duplicate-deliveries passes now; delete the entry");
}

#[rstest]
#[case::not_there(&["--known-failing", "none.toml"], "none.toml: cannot be read")]
#[case::not_toml(&["--known-failing", "bad.toml"], "bad.toml: line 2: ")]
#[case::not_writable(&["--write-known-failing", "no/such/known.toml"], "no/such/known.toml: cannot be written")]
#[case::not_overwritten(&["--write-known-failing", "bad.toml"], "bad.toml: line 2: ")]
fn unusable_known_files(#[case] options: &[&str], #[case] part: &str) {
    let place = Place::new();
    place.write("bad.toml", "[[known]]\nreason = x\n");
    let args: Vec<&str> = ["certify", "--cases", "1"].iter().chain(options).copied().collect();
    place.complains(&args, 2, &[part]);
    assert_eq!(place.read("bad.toml"), "[[known]]\nreason = x\n");
}

// ---- shards

#[test]
fn shards_are_merged_into_one_report() {
    let place = Place::new();
    for number in 1..=3 {
        let (shard, name) = (format!("{number}/3"), format!("s{number}.json"));
        let report = place.report(&["certify", FAULT, "--only", BROKEN, "--shard", &shard], &name, i32::from(number < 3));
        assert_eq!(report["shard"], shard.as_str());
    }
    // What the shards saved would be played first.
    fs::remove_dir_all(place.path("refundproof-failures")).expect("saved cases");
    let whole = place.report(&["certify", FAULT, "--only", BROKEN], "whole.json", 1);
    let args = ["merge", "s2.json", "s3.json", "s1.json", "--report", "json=merged.json", "--report", "junit=merged.xml"];
    // The shrunk case lies where the shard saved it, so the story has its timeline.
    place.says(&args, 1, "[redelivery]  → ");
    let merged: Value = serde_json::from_str(&place.read("merged.json")).expect("JSON");
    assert_eq!(merged["findings"], whole["findings"]);
    assert_eq!(merged["digests"]["results"], whole["digests"]["results"], "the records differ in nothing but times");
    assert!(place.read("merged.xml").contains(BROKEN));
}

/// The script of the example job, run once for each index as Kubernetes would.
#[test]
fn the_example_job_works() {
    let place = Place::new();
    let job = fs::read_to_string(root().join("docs/ci/indexed-job.yaml")).expect("the example");
    let script = job.split("            - |\n").nth(1).expect("a script").split("          volumeMounts:").next().expect("an end");
    fs::create_dir_all(place.path("reports")).expect("a folder");
    for index in 0..4 {
        let folder = Path::new(PROGRAM).parent().expect("a folder").display().to_string();
        let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
        let script = script.replace("certify refundproof.toml", &format!("certify {FAULT} --only {BROKEN} --cases 8"));
        let variables =
            [("JOB_COMPLETION_INDEX", index.to_string()), ("SHARDS", "4".to_owned()), ("REPORTS", "reports".to_owned()), ("PATH", path)];
        let ran = Command::new("sh").args(["-c", &script]).current_dir(&place.0).envs(variables).output().expect("sh");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    let reports = (0..4).map(|index| format!("reports/shard-{index}.json")).collect::<Vec<_>>();
    let args: Vec<&str> = std::iter::once("merge").chain(reports.iter().map(String::as_str)).collect();
    place.says(&args, 1, "[redelivery]  → ");
}

#[test]
fn merge_complains() {
    let place = Place::new();
    place.report(&["certify", "--only", BROKEN, "--shard", "1/2"], "1.json", 0);
    place.report(&["certify", "--only", BROKEN, "--shard", "2/2", "--seed", "7"], "2.json", 0);
    place.write("no.json", "{");
    place.write("other.json", "{\"schema\": \"other/1\"}");
    place.complains(&["merge", "1.json"], 2, &["1 of 2 shards given; 2/2 missing"]);
    place.complains(&["merge", "1.json", "1.json"], 2, &["field `shard`: is 1/2, and so is 1.json"]);
    place.complains(&["merge", "1.json", "2.json"], 2, &["2.json: field `seed`: is not that of 1.json"]);
    place.complains(&["merge", "1.json", "no.json"], 2, &["no.json: line 1, column 1: not JSON"]);
    place.complains(&["merge", "other.json"], 2, &["other.json: field `schema`: is `other/1`"]);
    place.complains(&["merge", "none.json"], 2, &["none.json: cannot be read"]);
    place.says(&["merge"], 2, "REPORT.json");
}

#[test]
fn merge_wants_the_list_of_the_shards() {
    let place = Place::new();
    place.write("known.toml", "");
    place.write("other.toml", "# other\n");
    place.report(&["certify", "--only", BROKEN, "--shard", "1/1", "--known-failing", "known.toml"], "1.json", 0);
    place.report(&["certify", "--only", BROKEN, "--shard", "1/1"], "2.json", 0);
    place.complains(&["merge", "1.json"], 2, &["the shards were run with --known-failing known.toml"]);
    place.complains(&["merge", "1.json", "--known-failing", "other.toml"], 2, &["other.toml: is not the list"]);
    place.complains(&["merge", "2.json", "--known-failing", "known.toml"], 2, &["run without --known-failing"]);
    place.says(&["merge", "1.json", "--known-failing", "known.toml"], 0, "conformant");
}

#[rstest]
fn unusable_shards(#[values("0/2", "3/2", "1", "a/b", "1/100000")] shard: &str) {
    Place::new().says(&["certify", "--shard", shard], 2, "shard");
}

#[test]
fn lists_are_written_by_whole_runs() {
    Place::new().says(&["certify", "--shard", "1/2", "--write-known-failing", "k.toml"], 2, "cannot be used with");
}

// ---- snapshots of a target's own

/// A folder of a few frozen sequences, for the sake of speed.
fn few_sequences(place: &Place) -> String {
    let (from, to) = (root().join("corpus/digital-river"), place.path("corpus"));
    copy_folder(&from, &to);
    let mut names: Vec<_> = fs::read_dir(to.join("sequences")).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    names.sort();
    names.iter().skip(4).for_each(|path| fs::remove_file(path).expect("a file"));
    to.display().to_string()
}

#[test]
fn own_states_are_recorded_compared_and_taken() {
    let place = Place::new();
    let corpus = few_sequences(&place);
    let args = |target| ["snapshot", target, "--dir", "own", "--corpus", &corpus].map(str::to_owned);
    let run = |target: &'static str, variables: &[(&str, &str)]| place.run_in(variables, &args(target).each_ref().map(String::as_str));
    let fault = "builtin:fault/counts-both-layers";
    let pending = || {
        fs::read_dir(place.path("own"))
            .expect("a folder")
            .filter(|entry| entry.as_ref().expect("an entry").path().to_string_lossy().ends_with(".snap.new"))
            .count()
    };

    let ran = run("builtin:reference", &[("CI", "true")]);
    assert!(ran.code == Some(1) && !place.path("own").exists(), "CI records nothing:\n{}", ran.out);
    let ran = run("builtin:reference", &[]);
    assert!(ran.code == Some(0) && ran.out.contains("4 recorded in own"), "{}{}", ran.out, ran.err);
    let ran = run("builtin:reference", &[("CI", "true")]);
    assert!(ran.code == Some(0) && ran.out.contains("4 as recorded"), "{}", ran.out);
    let ran = run(fault, &[("CI", "true")]);
    assert!(ran.code == Some(1) && ran.out.contains(" differs\n") && pending() == 0, "{}", ran.out);
    let ran = run(fault, &[]);
    assert!(ran.code == Some(1) && ran.out.contains("+     refundedAmount") && pending() > 0, "{}", ran.out);
    // What it shows again as recorded is pending no longer.
    assert!(run("builtin:reference", &[]).code == Some(0) && pending() == 0);
    assert_eq!(run(fault, &[("INSTA_UPDATE", "always")]).code, Some(0));
    assert_eq!(run(fault, &[("INSTA_UPDATE", "no")]).code, Some(0));
    assert_eq!(run("builtin:reference", &[("INSTA_UPDATE", "no")]).code, Some(1));
}

#[test]
fn orphans_are_told() {
    let place = Place::new();
    let corpus = few_sequences(&place);
    let args = ["snapshot", "--dir", "own", "--corpus", &corpus];
    place.says(&args, 0, "");
    place.write("own/999-gone.snap", "---\ndescription: x\n---\nx\n");
    place.says(&args, 1, "999-gone.snap is of no sequence that there is");
    fs::remove_file(place.path("own/999-gone.snap")).expect("a file");
    let first = fs::read_dir(place.path("own")).expect("a folder").next().expect("a file").expect("an entry").path();
    fs::rename(&first, place.path("own/001-old-name.snap")).expect("a file");
    place.says(&args, 1, "so that was renamed; rename the file too");
}

#[test]
fn snapshot_complains() {
    let place = Place::new();
    place.write("file", "");
    place.complains(&["snapshot", "--dir", "file"], 2, &["file: is not a folder"]);
    place.says(&["snapshot"], 2, "--dir");
    place.complains(&["snapshot", "--dir", "own", "--", "./no-such-program"], 3, &["`./no-such-program` was not found"]);
    let ran = place.run_in(&[("INSTA_UPDATE", "sometimes")], &["snapshot", "--dir", "own"]);
    assert!(ran.code == Some(2) && ran.err.contains("INSTA_UPDATE is `sometimes`"), "{}", ran.err);
    place.complains(&["snapshot", "--dir", "own", "--requirements", "99"], 2, &["there is no revision 99"]);
}

#[test]
fn a_target_of_which_nothing_can_be_recorded_is_told() {
    let place = Place::new();
    place.write("target.sh", &shell_target(SUBSCRIBES_TO_NOTHING));
    let args = ["snapshot", "--dir", "own", "--", "sh", "target.sh", "exit 1"];
    place.complains(&args, 3, &["no frozen sequence says anything of this target, for instance because the target does not subscribe to "]);
}

#[test]
fn snapshots_over_stdio() {
    let Some(shop) = python() else { return };
    let place = Place::new();
    let corpus = few_sequences(&place);
    let args = ["snapshot", "--dir", "own", "--corpus", &corpus, "--", "python3", &shop];
    place.says(&args, 0, " recorded in own");
    place.says(&args, 0, " as recorded");
}

// ---- a record that can be checked

#[rstest]
#[case::conformant("builtin:reference", 0)]
#[case::not_conformant(FAULT, 1)]
fn an_untouched_report_holds(#[case] target: &str, #[case] code: i32) {
    let place = Place::new();
    place.report(&["certify", target], "r.json", code);
    place.says(&["verify", "r.json"], 0, "the record holds");
    // Written in another way it is the same record.
    place.change("r.json", |_| {});
    place.says(&["verify", "r.json"], 0, "the record holds");
}

#[test]
fn merged_reports_hold_too() {
    let place = Place::new();
    place.report(&["certify", "--only", BROKEN, "--shard", "1/1"], "1.json", 0);
    place.says(&["merge", "1.json", "--report", "json=m.json"], 0, "");
    place.says(&["verify", "1.json"], 0, "shard 1/1; the record holds");
    place.says(&["verify", "m.json"], 0, "the record holds");
}

#[rstest]
#[case::capability("/target/capabilities/durable", "capabilities")]
#[case::verdict("/verdict", "verdicts")]
#[case::requirement("/requirements/0/verdict", "results")]
#[case::cases("/totals/cases", "totals")]
#[case::diff("/findings/0/diff", "results")]
#[case::note_of_waiver("/requirements/0/shows", "results")]
#[case::suite_version("/suite/version", "suite version")]
#[case::corpus("/digests/corpus", "corpus")]
#[case::snapshots("/digests/snapshots", "snapshots")]
#[case::revision("/digests/requirements", "requirements")]
fn a_changed_report_does_not_hold(#[case] place_in_it: &str, #[case] check: &str) {
    let place = Place::new();
    place.report(&["certify", FAULT, "--only", BROKEN], "r.json", 1);
    place.change("r.json", |report| {
        let (parent, member) = place_in_it.rsplit_once('/').expect("a pointer");
        let before = report.pointer(place_in_it).cloned().unwrap_or_default();
        let changed = match (member, before) {
            ("verdict", _) => "not-judged".into(),
            ("cases", _) => 1_000_000.into(),
            (_, Value::Bool(value)) => (!value).into(),
            _ => "changed".into(),
        };
        let changed = if place_in_it == "/requirements/0/verdict" { "pass".into() } else { changed };
        report.pointer_mut(parent).expect("it is there")[member] = changed;
    });
    let ran = place.says(&["verify", "r.json"], 1, "checks fail");
    assert!(ran.out.lines().any(|line| line == format!("✗ {check}")), "{}", ran.out);
}

#[test]
fn times_do_not_matter() {
    let place = Place::new();
    place.report(&["certify", "--only", BROKEN], "r.json", 0);
    place.change("r.json", |report| report["totals"]["durationMs"] = 1.into());
    place.says(&["verify", "r.json"], 0, "");
}

#[test]
fn verify_complains() {
    let place = Place::new();
    place.report(&["certify", "--only", BROKEN], "r.json", 0);
    place.change("r.json", |report| report["provider"] = "nobody".into());
    place.write("cut.json", "{\"schema\": \"refundproof-report/2\"}");
    place.write("text.json", "hello");
    place.complains(&["verify", "r.json"], 2, &["r.json: field `provider`: provider `nobody` is unknown"]);
    place.complains(&["verify", "cut.json"], 2, &["cut.json: line 1, column 34: not a report: missing field"]);
    place.complains(&["verify", "text.json"], 2, &["text.json: line 1, column 1: not JSON"]);
    place.complains(&["verify", "none.json"], 2, &["none.json: cannot be read"]);
}

#[test]
fn a_report_of_another_corpus_holds_with_that_corpus() {
    let place = Place::new();
    let corpus = few_sequences(&place);
    place.report(&["certify", "--only", BROKEN, "--corpus", &corpus], "r.json", 0);
    place.says(&["verify", "r.json"], 1, "this suite says");
    place.says(&["verify", "r.json", "--corpus", &corpus], 0, "the record holds");
}

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

#[test]
fn one_interrupt_ends_in_a_partial_report() {
    let place = Place::new();
    let child = place.start_shell(SLOW, &["--report", "json=r.json"]);
    thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    let ran = ended(child);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("interrupted: "), "{}", ran.err);
    let report: Value = serde_json::from_str(&place.read("r.json")).expect("JSON");
    assert_eq!(report["interrupted"], "interrupted");
    assert_eq!(report["verdict"], "not-judged");
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
