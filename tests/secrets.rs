//! A target that says the secret wherever it can, and everything that is written: the secret stands nowhere.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{
    place::{PLAIN, Place},
    server::{Reply, Server},
};
use refundproof::run::HIDDEN;
use rstest::rstest;

const SECRET: &str = "whsec_S3cr3t+Geheim/0815";

/// A target in `sh` that says the secret in every word it may choose. `$1` is what it does when it is asked for a state.
const TARGET: &str = r#"while read -r line; do
  id=${line#*\"id\":}; id=${id%%[,\}]*}; op=${line#*\"op\":\"}; op=${op%%\"*}
  case $op in
    hello)
      secret=${line#*\"secret\":\"}; secret=${secret%%\"*}
      printf '{"id":%s,"ok":true,"name":"shop %s","version":"%s","capabilities":{"observes":["currency","refunds"],"subscribes":["*","%s"]}}\n' "$id" "$secret" "$secret" "$secret" ;;
    deliver) printf '{"id":%s,"ok":true,"status":200}\n' "$id" ;;
    observe) eval "$1" ;;
    bye) exit 0 ;;
    *) printf '{"id":%s,"ok":true}\n' "$id" ;;
  esac
  echo "$op with $secret" >&2
done
"#;

/// Shows a state that is wrong, with the secret in it.
const WRONG: &str = r#"order=${line#*\"orderId\":\"}; order=${order%%\"*}
printf '{"id":%s,"ok":true,"state":{"orderId":"%s","status":"refunded","refundedAmount":"7","currency":"%s","refunds":[{"id":"%s","state":"succeeded","refundedAmount":"7"}]}}\n' "$id" "$order" "$secret" "$secret""#;
/// Says that it cannot.
const DECLINES: &str = r#"printf '{"id":%s,"ok":false,"error":"no access with %s"}\n' "$id" "$secret""#;
/// Ends.
const CRASHES: &str = r#"echo "last words: $secret" >&2; exit 3"#;
/// Says what is not of the protocol; long, so that it is cut where the secret is.
const BABBLES: &str = r#"printf '%0190d %s\n' 0 "$secret""#;
/// The same on one line with the end of the message that it should be.
const MISSPEAKS: &str = r#"printf '{"id":%s,"ok":true,"state":"%s"}\n' "$id" "$secret""#;

impl Place {
    /// A target file for the target that says the secret.
    fn with_target(what: &str) -> Place {
        let place = Place::new();
        place.write("target.sh", TARGET);
        place.write("what", what);
        let command = r#"["sh", "-c", "exec sh target.sh \"$(cat what)\""]"#;
        place.write("refundproof.toml", &format!("[target]\nsecret_env = \"SHOP_SECRET\"\ncommand = {command}\n"));
        place
    }

    /// What a command writes to both standard streams.
    fn said(&self, args: &[&str]) -> String {
        let summary = self.path("summary.md").display().to_string();
        let ran = self.run_in(&[("SHOP_SECRET", SECRET), ("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", &summary)], args);
        format!("{}\n{}", ran.out, ran.err)
    }

    fn files(&self) -> Vec<PathBuf> {
        fn below(folder: &Path, files: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() { below(&path, files) } else { files.push(path) }
            }
        }
        let mut files = Vec::new();
        below(self.0.path(), &mut files);
        files
    }

    fn case(&self) -> Option<String> {
        let case = self.files().into_iter().find(|path| path.parent().is_some_and(|folder| folder.ends_with("refundproof-failures")));
        case.map(|path| path.display().to_string())
    }
}

/// No longer part of the secret stands in a text.
#[track_caller]
fn check(what: &str, text: &str) {
    for part in [&SECRET[..8], &SECRET[SECRET.len() - 10..], &SECRET[6..16]] {
        assert!(!text.contains(part), "{what}: {part} in {:?}", text.lines().find(|line| line.contains(part)));
    }
}

#[rstest]
#[case::wrong(WRONG)]
#[case::declines(DECLINES)]
#[case::crashes(CRASHES)]
#[case::babbles(BABBLES)]
#[case::misspeaks(MISSPEAKS)]
fn the_secret_stands_nowhere(#[case] what: &str) {
    const REPORTS: [&str; 4] = ["json=report.json", "junit=report.xml", "markdown=report.md", "html=report.html"];
    let place = Place::with_target(what);
    let mut args = vec!["certify", "refundproof.toml", "--cases", "2"];
    args.extend(REPORTS.iter().flat_map(|report| ["--report", report]));
    let said = place.said(&args);
    assert!(said.contains(HIDDEN) && said.contains("::error title="), "{said}");
    check("certify", &said);
    check("doctor", &place.said(&["doctor", "refundproof.toml"]));
    if let Some(case) = place.case() {
        check("replay", &place.said(&["replay", &case, "refundproof.toml"]));
        check("show", &place.said(&["show", &case, "--curl"]));
    }
    check("snapshot", &place.said(&["snapshot", "refundproof.toml", "--dir", "own"]));
    let files = place.files();
    for report in REPORTS.map(|report| report.split_once('=').expect("a path").1).iter().chain(&["summary.md"]) {
        let text = place.read(report);
        assert!(text.contains(HIDDEN), "{report} does not say that something is hidden");
    }
    for file in files {
        check(&file.display().to_string(), &String::from_utf8_lossy(&fs::read(&file).expect("a file")));
    }
}

#[test]
fn the_secret_of_a_target_that_does_not_start_stands_nowhere() {
    let place = Place::with_target("");
    place.write("target.sh", "read -r line; echo \"$line\" >&2; echo \"$line\"; exit 1\n");
    for command in ["certify", "doctor"] {
        let said = place.said(&[command, "refundproof.toml"]);
        assert!(said.contains(HIDDEN), "{said}");
        check(command, &said);
    }
}

/// A secret that comes in as an argument, not from a file.
#[test]
fn the_secret_of_the_command_line_stands_nowhere() {
    let place = Place::with_target(WRONG);
    let command = format!("exec sh target.sh \"$(cat what)\" {SECRET}");
    place.write("refundproof.toml", &format!("[target]\nsecret = {SECRET:?}\ncommand = [\"sh\", \"-c\", {command:?}]\n"));
    let said = place.said(&["certify", "refundproof.toml", "--cases", "1", "--only", PLAIN]);
    assert!(said.contains("again "), "{said}");
    check("certify", &said);
}

/// A target file for a service whose state is behind a token, which says the token when it is asked.
fn behind_a_token() -> (Server, Place) {
    let server = Server::shop_but(|asked, _| {
        let said = || format!("no access with {}", asked.header("authorization").unwrap_or_default());
        match asked.method.as_str() {
            "GET" => Some(Reply::Answer(500, said())),
            _ => Some(Reply::Answer(200, String::new())),
        }
    });
    let place = Place::new();
    let (webhook, state, setup) = (server.url("/webhooks"), server.url("/orders/{orderId}"), server.url("/test/orders"));
    let http = format!("webhook_url = {webhook:?}\nstate_url = {state:?}\nsetup_url = {setup:?}\n");
    place.write("refundproof.toml", &format!("[target]\n[http]\n{http}[http.headers]\nauthorization = \"env:SHOP_SECRET\"\n"));
    (server, place)
}

#[test]
fn the_token_of_a_state_endpoint_stands_nowhere() {
    let (_server, place) = behind_a_token();
    for args in [&["certify", "refundproof.toml", "--cases", "1", "--only", PLAIN][..], &["doctor", "refundproof.toml"]] {
        let said = place.said(args);
        assert!(said.contains(HIDDEN), "{said}");
        check(args[0], &said);
    }
}

#[test]
fn a_token_that_is_not_in_the_environment_is_named() {
    let (_server, place) = behind_a_token();
    let ran = place.run_in(&[], &["certify", "refundproof.toml"]);
    assert!(ran.err.contains("http.headers.authorization: the environment variable `SHOP_SECRET` is not set"), "{}", ran.err);
    assert_eq!(ran.code, Some(2));
}
