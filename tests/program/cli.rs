//! The command line from outside: exit codes, what is written where, bad input, and that nothing is left running.
//!
//! Source: `docs/reports.md`.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::common::{
    place::{BROKEN, FAULT, PLAIN, Place, Ran, copy_folder, ended, interrupt, shell_target},
    root,
    sample::is_there,
};

impl Place {
    fn run_at(&self, columns: &str, args: &[&str]) -> Ran {
        self.command(args).env("COLUMNS", columns).output().expect("the program runs").into()
    }

    #[track_caller]
    fn check(&self, args: &[&str], code: i32, stderr_contains: &str) -> Ran {
        let ran = self.exits(args, code);
        assert!(ran.err.contains(stderr_contains), "{args:?}: no {stderr_contains:?} in {:?}", ran.err);
        ran
    }

    /// The only saved case after the fault was certified.
    #[track_caller]
    fn saved_case(&self) -> String {
        self.check(&["certify", FAULT, "--only", BROKEN], 1, "");
        let mut files = fs::read_dir(self.path("refundproof-failures")).expect("a folder");
        let name = files.next().expect("a saved case").expect("an entry").file_name();
        assert!(files.next().is_none());
        format!("refundproof-failures/{}", name.display())
    }

    /// A stdio target in `sh` that fails as a whole: one line, exit code 3, nothing left behind.
    #[track_caller]
    fn shell_fails(&self, script: &str, parts: &[&str]) {
        let script = format!("echo $$ > pid; {script}");
        self.complains(&["certify", "--cases", "2", "--", "sh", "-c", &script], 3, parts);
        self.nothing_is_left();
    }

    fn corpus(&self) -> PathBuf {
        let copy = self.path("corpus");
        copy_folder(&root().join("corpus/digital-river"), &copy);
        copy
    }
}

#[track_caller]
fn check(args: &[&str], code: i32, stderr_contains: &str) -> Ran {
    Place::new().check(args, code, stderr_contains)
}

#[track_caller]
fn complains(args: &[&str], code: i32, parts: &[&str]) {
    Place::new().complains(args, code, parts);
}

/// The path of a Python sample, unless there is no Python here.
fn sample(name: &str) -> Option<String> {
    is_there("python3").then(|| root().join("samples/python-stdio").join(name).display().to_string())
}

// ---- certify

#[test]
fn reference_conforms() {
    let ran = check(&["certify", "--cases", "5"], 0, "");
    ran.shows(&["seed 20241121", "none differs", "\nconformant  "]);
    assert_eq!(ran.err, "");
}

#[test]
fn a_fault_does_not() {
    check(&["certify", FAULT, "--cases", "5"], 1, "");
}

#[test]
fn a_failure_is_a_story() {
    let place = Place::new();
    let ran = place.check(&["certify", FAULT, "--only", BROKEN], 1, "");
    ran.shows(&[
        "✗ 1 refundedAmount is 20.00, must be 10.00",
        "about     duplicate-deliveries (MUST, documented)",
        "source    https://github.com/DigitalRiver/",
        "like      builtin:fault/books-redeliveries",
        "  1 refund.complete  → 200",
        "  2 refund.complete  [redelivery]  → 200",
        "after 2: refundedAmount is 20.00, must be 10.00",
        "≠ refundedAmount  10.00     20.00",
        "case      refundproof-failures/duplicate-deliveries-",
        "1 failed",
    ]);
    let again = ran.out.lines().find_map(|line| line.trim().strip_prefix("again ")).expect("a command").trim();
    let replayed: Ran = Command::new("sh").args(["-c", again]).current_dir(&place.0).stdin(Stdio::null()).output().expect("sh").into();
    assert_eq!(replayed.code, Some(1), "{}", replayed.err);
    replayed.shows(&["refundedAmount is 20.00, must be 10.00", "2 refund.complete  [redelivery]"]);
}

#[test]
fn cases_of_earlier_runs_are_played_first() {
    let place = Place::new();
    let certify = |fault: &str, code| place.check(&["certify", fault, "--only", BROKEN], code, "");
    assert!(!certify(FAULT, 1).out.contains("played first"));
    certify(FAULT, 1).shows(&["saved  1 case of earlier runs played first: 1 still fails", "1 failed"]);
    certify("builtin:reference", 0).shows(&["saved  1 case of earlier runs played first: 1 passes now"]);
    // What no finding of the run explains fails the run all the same.
    place.write("refundproof-failures/by-hand.json", &place.read(&place.saved_case()));
    let ran = place.check(&["certify", FAULT, "--only", "rotated-secret"], 1, "");
    ran.shows(&["2 cases of earlier runs played first: 2 still fail", "by-hand.json still fails: refundedAmount is"]);
}

#[test]
fn a_saved_case_passes_on_the_reference() {
    let place = Place::new();
    let case = place.saved_case();
    place.check(&["replay", &case, "builtin:reference"], 0, "").shows(&["showed what it must"]);
}

#[test]
fn python_sample_conforms() {
    let Some(shop) = sample("shop.py") else { return };
    check(&["certify", "--cases", "5", "--", "python3", &shop], 0, "").shows(&["python-stdio-shop", "none differs"]);
}

#[test]
fn buggy_python_sample_does_not() {
    let Some(shop) = sample("shop_buggy.py") else { return };
    let ran = check(&["certify", "--cases", "5", "--only", "refund-*", "--", "python3", &shop], 1, "");
    ran.shows(&[&format!("-- python3 {shop}")]);
}

#[test]
fn json_report() {
    let place = Place::new();
    place.check(&["certify", "--cases", "1", "--report", "json=report.json"], 0, "");
    let report: Value = serde_json::from_slice(&fs::read(place.path("report.json")).expect("a report")).expect("JSON");
    assert_eq!(report["schema"], "refundproof-report/2");
    assert_eq!(report["verdict"], "conformant");
}

#[track_caller]
fn report(format: &str, part: &str) {
    let place = Place::new();
    place.check(&["certify", FAULT, "--only", BROKEN, "--report", &format!("{format}=report")], 1, "");
    let text = fs::read_to_string(place.path("report")).expect("a report");
    assert!(text.contains(part), "{text}");
}

#[test]
fn junit_report() {
    report("junit", "<testcase name=\"duplicate-deliveries\" classname=\"digital-river.delivery\"");
}

#[test]
fn markdown_report() {
    report("markdown", "| ❌ | duplicate-deliveries | MUST | fail |");
}

#[test]
fn html_report() {
    report("html", "data-what=\"finding\"");
}

#[test]
fn on_github_there_are_annotations_and_a_summary() {
    let place = Place::new();
    place.write("summary.md", "before\n");
    let output = place
        .command(&["certify", FAULT, "--only", BROKEN])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", place.path("summary.md"))
        .output();
    let ran = Ran::from(output.expect("the program runs"));
    assert_eq!(ran.code, Some(1));
    let lines: Vec<&str> = ran.out.lines().collect();
    let token = lines[0].strip_prefix("::stop-commands::").expect("commands are stopped before anything of a target is printed");
    let resumed = lines.iter().position(|line| *line == format!("::{token}::")).expect("commands are resumed");
    assert!(lines[1..resumed].iter().all(|line| !line.starts_with("::")), "{}", ran.out);
    assert!(
        lines[resumed + 1..].iter().any(|line| line.starts_with("::error title=duplicate-deliveries (MUST)%3A refundedAmount is ")),
        "{}",
        ran.out
    );
    let summary = fs::read_to_string(place.path("summary.md")).expect("a summary");
    assert!(summary.starts_with("before\n## ❌ refundproof: not-conformant\n"), "{summary}");
    // The token cannot be known before.
    let again = Ran::from(place.command(&["certify", FAULT, "--only", BROKEN]).env("GITHUB_ACTIONS", "true").output().expect("a run"));
    assert_ne!(again.out.lines().next(), Some(lines[0]));
}

#[test]
fn merged_shards_have_the_same_page() {
    let place = Place::new();
    for shard in ["1/2", "2/2"] {
        let report = format!("json=shard-{}.json", &shard[..1]);
        place.check(&["certify", FAULT, "--only", BROKEN, "--shard", shard, "--report", &report], 1, "");
    }
    place.check(&["merge", "shard-1.json", "shard-2.json", "--report", "html=merged.html", "--report", "junit=merged.xml"], 1, "");
    let page = fs::read_to_string(place.path("merged.html")).expect("a page");
    assert!(page.contains("class=\"payload\""), "the cases were not found");
    assert!(fs::read_to_string(place.path("merged.xml")).expect("a report").contains("<failure message=\"after 2: "));
}

#[test]
fn elsewhere_there_are_none() {
    let ran = check(&["certify", FAULT, "--only", BROKEN], 1, "");
    assert!(!ran.out.contains("::"), "{}", ran.out);
}

#[test]
fn quiet_shows_only_the_verdict() {
    let ran = check(&["certify", "--cases", "1", "--quiet"], 0, "");
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    assert!(ran.out.starts_with("conformant  "));
}

#[test]
fn colours_when_asked_for() {
    assert!(check(&["certify", "--cases", "1", "--color", "always"], 0, "").out.contains("\u{1b}["));
    assert!(!check(&["certify", "--cases", "1", "--color", "never"], 0, "").out.contains('\u{1b}'));
    assert!(!check(&["certify", "--cases", "1"], 0, "").out.contains('\u{1b}'));
}

/// Paths, commands, links and diffs are never broken; everything else fits.
#[track_caller]
fn fits(columns: usize, args: &[&str]) {
    let ran = Place::new().run_at(&columns.to_string(), args);
    let whole = |line: &str| ["http", "refundproof-failures/", "    -", "    +"].iter().any(|part| line.contains(part));
    // What did not change in a diff is numbered, as it is in a snapshot.
    let beside = |line: &str| line.starts_with("     ") && line.trim_start().starts_with(|first: char| first.is_ascii_digit());
    for line in ran.out.lines().filter(|line| !whole(line) && !beside(line)) {
        assert!(line.chars().count() <= columns, "{} columns: {line}", line.chars().count());
        assert_eq!(line.trim_end(), line);
    }
    assert!(!ran.out.is_empty(), "{}", ran.err);
}

#[test]
fn narrow_reports_fit() {
    fits(50, &["certify", FAULT]);
    fits(50, &["certify", "--time-limit", "1ms"]);
}

#[test]
fn wide_reports_fit() {
    fits(140, &["certify", FAULT]);
}

#[test]
fn narrow_lists_fit() {
    fits(50, &["explain", BROKEN]);
    fits(50, &["explain", FAULT]);
    fits(60, &["doctor"]);
}

#[test]
fn usual_lists_fit() {
    fits(80, &["list"]);
    fits(80, &["list", "--faults"]);
}

#[test]
fn a_drawn_seed_is_printed() {
    let ran = check(&["certify", "--cases", "1", "--only", PLAIN, "--seed", "random"], 0, "seed ");
    let seed = ran.err.trim().strip_prefix("seed ").expect("a seed");
    seed.parse::<u64>().expect("a number");
    ran.shows(&[&format!("seed {seed}\n")]);
}

#[test]
fn same_seed_same_output() {
    let told = |jobs| {
        let ran = check(&["certify", FAULT, "--cases", "10", "--seed", "7", "--jobs", jobs], 1, "");
        ran.out.trim_end().rsplit_once(", ").expect("a time").0.to_owned()
    };
    assert_eq!(told("1"), told("3"));
}

#[test]
fn time_limit_means_not_judged() {
    let ran = check(&["certify", "--time-limit", "1ms"], 3, "");
    ran.shows(&["cut short: time limit", "\nnot-judged  "]);
}

// ---- doctor

#[test]
fn doctor_finds_the_reference_well() {
    let ran = check(&["doctor"], 0, "");
    ran.shows(&["✓ hello", "✓ begin", "✓ deliver refund.complete", "✓ end", "the adapter works"]);
    assert!(!ran.out.contains("\n! "), "{}", ran.out);
}

#[test]
fn doctor_finds_python_well() {
    let Some(shop) = sample("shop.py") else { return };
    check(&["doctor", "--", "python3", &shop], 0, "").shows(&["✓ end", &format!("certify -- python3 {shop}")]);
}

#[test]
fn doctor_finds_durable_python_well() {
    let Some(shop) = sample("shop.py") else { return };
    let ran = check(&["doctor", "--", "python3", &shop, "--store", "shop.db"], 0, "");
    ran.shows(&["✓ observe, after the restart", "✓ end"]);
}

#[track_caller]
fn doctor_names(script: &str, step: &str, why: &str) {
    let place = Place::new();
    let ran = place.check(&["doctor", "--", "sh", "-c", &format!("echo $$ > pid; {script}")], 3, "");
    let line = ran.out.lines().find(|line| line.starts_with('✗')).expect("a failing step");
    assert!(line.contains(step) && line.contains(why), "{line}");
    ran.shows(&["  printf '%s\\n' '{\"op\":\"hello\"", "| sh -c "]);
    place.nothing_is_left();
}

#[test]
fn doctor_on_nonsense() {
    doctor_names("echo hi; cat", "hello", "not JSON: `hi`");
}

#[test]
fn doctor_on_one_that_ends() {
    doctor_names("echo dead >&2; exit 7", "hello", "exit status: 7");
}

#[test]
fn doctor_on_one_that_crashes_later() {
    let place = Place::new();
    place.write("target.sh", &shell_target("{}"));
    let ran = place.check(&["doctor", "--", "sh", "target.sh", "exit 9"], 3, "");
    ran.shows(&["✓ begin", "✗ deliver refund.complete", "exit status: 9", "\"op\":\"deliver\""]);
    place.nothing_is_left();
}

// ---- list, explain, show

#[test]
fn lists_requirements() {
    check(&["list"], 0, "").shows(&["refund\n", BROKEN, "SHOULD"]);
}

#[test]
fn lists_faults() {
    check(&["list", "--faults"], 0, "").shows(&["books-redeliveries  duplicate-deliveries"]);
}

#[test]
fn explains_a_requirement() {
    check(&["explain", BROKEN], 0, "").shows(&["shows ", "why ", "source ", "real bugs", "https://"]);
}

#[test]
fn explains_a_fault() {
    check(&["explain", "books-redeliveries"], 0, "").shows(&["story ", "caught by  duplicate-deliveries"]);
}

#[test]
fn suggests_what_was_meant() {
    complains(&["explain", "duplicate-delivries"], 2, &["did you mean `duplicate-deliveries`?"]);
    complains(&["certify", "builtin:fault/book-redeliveries"], 2, &["did you mean `books-redeliveries`?"]);
    complains(
        &["certify", "builtin:fault/float-sums+book-redeliveries"],
        2,
        &["there is no fault `book-redeliveries`", "`books-redeliveries`?"],
    );
    complains(&["certify", "builtin:fault/float-sums+"], 2, &["there is no fault ``"]);
}

#[test]
fn shows_a_case() {
    let place = Place::new();
    let case = place.saved_case();
    place.check(&["show", &case], 0, "").shows(&["2 refund.complete  [redelivery]", "must end as", "refundedAmount          10.00"]);
}

#[test]
fn shows_a_case_as_commands() {
    let place = Place::new();
    let case = place.saved_case();
    let ran = place.check(&["show", &case, "--curl", "--secret", "s3cret"], 0, "");
    ran.shows(&["| curl ", "--data-binary @- \"$WEBHOOK_URL\"", "digitalriver-signature: "]);
    let parses = Command::new("sh").args(["-n", "-c", &ran.out]).status().expect("sh");
    assert!(parses.success());
}

// ---- bad arguments and files

#[test]
fn nothing_selected() {
    complains(&["certify", "--only", "nothing-like-this"], 2, &["leave nothing to run"]);
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
