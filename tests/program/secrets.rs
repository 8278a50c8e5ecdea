//! A target that says the secret wherever it can, and everything that is written: the secret stands nowhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use refundproof::run::HIDDEN;
use rstest::rstest;

use crate::common::{
    self,
    place::{PLAIN, Place},
    server::{Reply, Server},
};

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
    // Everything that is written holds something of a run with a few failures; more of them only take longer.
    let mut args = vec!["certify", "refundproof.toml", "--cases", "2", "--only", "refund-*", "--only", "snapshots"];
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

/// Says it in another spelling, made by a filter, in its last words and once before.
#[rstest]
#[case::as_php_escapes_slashes("sed 's,/,\\\\/,g'")]
#[case::as_java_escapes("sed 's,_,\\\\u005f,g; s,+,\\\\u002B,g'")]
#[case::as_python_escapes("sed 's,_,\\\\x5f,g'")]
#[case::in_a_message_within_a_message("sed 's,/,\\\\\\\\/,g; s,+,\\\\\\\\u002b,g'")]
#[case::in_a_url("sed 's,/,%2F,g; s,+,%2b,g'")]
#[case::in_html("sed 's,/,\\&#47;,g; s,+,\\&#x2B;,g'")]
#[case::base64("base64")]
#[case::base64_at_another_place("sed 's,^,x,' | base64")]
#[case::base64_at_a_third("sed 's,^,xy,' | base64")]
#[case::base64_for_urls("base64 | tr +/ -_")]
#[case::hexadecimal("od -An -v -tx1 | tr -d ' \\n'")]
#[case::a_dump("od -An -v -tx1 -w100")]
fn no_spelling_of_the_secret_stands_anywhere(#[case] filter: &str) {
    let place = Place::with_target(&format!(
        r#"printf %s "$secret" | {filter} >&2; echo >&2; printf 'last words: %s\n' "$(printf %s "$secret" | {filter})" >&2; exit 3"#
    ));
    let spelt = std::process::Command::new("sh").args(["-c", &format!("printf %s '{SECRET}' | {filter}")]).output().expect("sh").stdout;
    let spelt = String::from_utf8(spelt).expect("UTF-8");
    let middle = &spelt.trim()[4..spelt.trim().len() - 4];
    let said =
        place.said(&["certify", "refundproof.toml", "--cases", "1", "--only", PLAIN, "--report", "json=r.json", "--report", "html=r.html"]);
    assert!(said.contains(HIDDEN) && !said.contains(middle), "{said}");
    for name in ["r.json", "r.html", "summary.md"] {
        let text = place.read(name);
        let json = serde_json::to_string(middle).expect("JSON");
        assert!(!text.contains(middle) && !text.contains(json.trim_matches('"')), "{name}: {middle}");
    }
    check("doctor", &place.said(&["doctor", "refundproof.toml"]));
}

/// Standard error is kept to a limit, which goes through the secret here.
#[rstest]
fn what_a_limit_left_of_the_secret_stands_nowhere(#[values(8, 12, 20)] left: usize, #[values("", "\n")] end: &str) {
    let filler = 16384 - left - end.len();
    let place = Place::with_target(&format!(
        r#"printf '%s' "$secret" >&2; head -c {filler} /dev/zero | tr '\0' x >&2; printf '{}' >&2; exit 3"#,
        if end.is_empty() { "" } else { "\\n" }
    ));
    let said = place.said(&["certify", "refundproof.toml", "--cases", "1", "--only", PLAIN, "--report", "json=r.json"]);
    let rest = &SECRET[SECRET.len() - left..];
    assert!(!said.contains(rest), "{rest} in {said}");
    assert!(!place.read("r.json").contains(rest), "{rest}");
}

/// Whoever prints a value to look for a mistake sees no secret.
#[test]
fn debug_shows_no_secret() {
    use refundproof::{
        adapter::{Hello, HttpSettings, HttpTarget, ServiceSettings},
        drive::{Conditions, Secrets},
        run::{Options, Redactor},
    };
    let secrets = Secrets { current: Some(SECRET.into()), others: vec![SECRET.into()] };
    let service = ServiceSettings {
        command: vec!["shop".to_owned()],
        environment: [("KEY".to_owned(), SECRET.to_owned())].into(),
        ..ServiceSettings::default()
    };
    let limit = std::time::Duration::ZERO;
    let settings = HttpSettings {
        headers: vec![("authorization".to_owned(), SECRET.into())],
        service: Some(service),
        ..HttpSettings::new("http://127.0.0.1:1/".to_owned(), "http://127.0.0.1:1/{orderId}".to_owned(), limit)
    };
    check("settings", &format!("{settings:?} {settings:#?}"));
    check("error", &format!("{:?}", HttpTarget::new(&settings).err()));
    check("hello", &format!("{:?}", Hello::new("provider", SECRET)));
    check("conditions", &format!("{:?}", Conditions { secrets: secrets.clone(), ..Conditions::default() }));
    check("options", &format!("{:?}", Options::new().with(|options| options.secrets = secrets.clone())));
    check("redactor", &format!("{:?} {secrets:?}", Redactor::new([SECRET])));
}

/// No type that says by itself how it is printed has a member that holds a secret as a plain text.
#[test]
fn no_type_derives_debug_around_a_secret() {
    fn below(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { below(&path, files) } else { files.push(path) }
        }
    }
    let mut files = Vec::new();
    below(&common::root().join("src"), &mut files);
    let (mut types, mut found) = (0, Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).expect("a source");
        let mut derives = false;
        for line in text.lines() {
            match line.trim_start() {
                line if line.starts_with("#[derive(") => derives = line.contains("Debug"),
                line if line.contains("struct ") || line.contains("enum ") => types += 1,
                "}" => derives = false,
                line => {
                    let Some((name, kind)) = line.split_once(": ").filter(|_| derives && !line.starts_with("//")) else { continue };
                    let name = name.rsplit(' ').next().unwrap_or_default().to_lowercase();
                    let holds = ["secret", "token", "password", "authorization", "credential", "environment"]
                        .iter()
                        .any(|word| name.contains(word));
                    // The name of a variable is none.
                    if holds && !name.ends_with("_env") && (kind.contains("String") || kind.contains("str")) {
                        found.push(format!("{}: {line}", file.display()));
                    }
                }
            }
        }
    }
    assert!(types > 200, "only {types} types were seen");
    assert_eq!(found, Vec::<String>::new());
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

/// A service that is started with the secret, and says it in states, errors and heads.
#[rstest]
#[case::as_it_is(SECRET.to_owned())]
#[case::escaped(SECRET.replace('_', "\\u005f").replace('/', "\\/"))]
#[case::in_a_url(SECRET.replace('+', "%2B").replace('/', "%2f"))]
#[case::in_base64("d2hzZWNfUzNjcjN0K0dlaGVpbS8wODE1".to_owned())]
#[case::cut_off(format!("{}...", &SECRET[..15]))]
fn what_a_service_answers_shows_no_secret(#[case] spelt: String, #[values(200, 401, 500)] status: u16) {
    let body = format!("{{\"error\":\"no {spelt}\",\"status\":\"{spelt}\"}}");
    let said_by_it = body.clone();
    let server = Server::shop_but(move |asked, _| {
        let shown = asked.method == "GET";
        Some(if shown { Reply::Answer(status, body.clone()) } else { Reply::Answer(200, String::new()) })
    });
    let place = Place::new();
    let (webhook, state, setup) = (server.url("/webhooks"), server.url("/orders/{orderId}"), server.url("/test/orders"));
    let http = format!("webhook_url = {webhook:?}\nstate_url = {state:?}\nsetup_url = {setup:?}\n");
    place.write("refundproof.toml", &format!("[target]\nsecret_env = \"SHOP_SECRET\"\n[http]\n{http}"));
    for args in
        [&["certify", "refundproof.toml", "--cases", "1", "--only", PLAIN, "--report=json=r.json"][..], &["doctor", "refundproof.toml"]]
    {
        let said = place.said(args);
        assert!(said.contains(HIDDEN) && !said.contains(&spelt[..12]), "{said_by_it}: {said}");
        check(args[0], &said);
    }
    check("r.json", &place.read("r.json"));
}

#[test]
fn a_token_that_is_not_in_the_environment_is_named() {
    let (_server, place) = behind_a_token();
    let ran = place.run_in(&[], &["certify", "refundproof.toml"]);
    assert!(ran.err.contains("http.headers.authorization: the environment variable `SHOP_SECRET` is not set"), "{}", ran.err);
    assert_eq!(ran.code, Some(2));
}
