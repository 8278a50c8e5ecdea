//! Target files, the command line over HTTP, and services that run already.

use std::{fs, io::Write, process::Stdio, thread, time::Duration};

use serde_json::Value;

use crate::common::{
    place::{Place, Ran, ended, eventually},
    server::{Reply, SECRET, Server},
};

// ---- The command line

#[test]
fn the_reference_as_a_service_conforms() {
    let place = Place::new();
    place.target_file("", "");
    let ran = place.exits(&["certify", "refundproof.toml", "--cases", "3", "--jobs", "2", "--report", "json=report.json"], 0);
    ran.shows(&["reference-over-http", "\nconformant  "]);
    let report: Value = serde_json::from_slice(&fs::read(place.path("report.json")).expect("a report")).expect("JSON");
    let verdict = |id: &str| {
        let requirements = report["requirements"].as_array().expect("requirements");
        requirements.iter().find(|requirement| requirement["id"] == id).expect("a requirement")["verdict"].clone()
    };
    assert_eq!(verdict("survives-restart"), "pass");
    assert_eq!(verdict("concurrent-deliveries"), "pass");
    place.no_service_is_left();
}

#[test]
fn a_url_is_enough() {
    let server = Server::shop();
    let (webhook, state, setup) = (server.url("/webhooks"), server.url("/orders/{orderId}"), server.url("/test/orders"));
    let args = ["certify", &webhook, "--state-url", &state, "--setup-url", &setup, "--secret", SECRET, "--cases", "2"];
    let ran = Place::new().exits(&args, 0);
    ran.shows(&["\nconformant; not certified: authentication (the target does not claim `verifiesSignatures`)"]);
    assert!(!ran.out.contains(SECRET));
}

#[test]
fn without_a_secret_nothing_is_signed() {
    let server = Server::new(|asked, _| Reply::Answer(if asked.method == "GET" { 404 } else { 200 }, String::new()));
    let (webhook, state) = (server.url("/webhooks"), server.url("/orders/{orderId}"));
    let place = Place::new();
    place.write(
        "refundproof.toml",
        &format!(
            "[target]\nname = \"x\"\n[capabilities]\nverifiesSignatures = true\n[http]\nwebhook_url = \"{webhook}\"\nstate_url = \"{state}\"\nsetup_url = \"{webhook}\"\n"
        ),
    );
    let ran = place.run(&["certify", "refundproof.toml", "--cases", "1"]);
    ran.shows(&["the target does not claim `verifiesSignatures`"]);
    assert!(server.asked().iter().all(|asked| asked.headers.iter().all(|(name, _)| !name.contains("signature"))));
}

#[test]
fn addresses_that_are_not_taken() {
    let urls = |url: &'static str| ["certify", url, "--state-url", "http://127.0.0.1:1/{orderId}"];
    Place::new().complains(&urls("http://192.0.2.1/hooks"), 2, &["192.0.2.1", "--allow-remote"]);
    Place::new().complains(&urls("https://127.0.0.1/hooks"), 2, &["https is not spoken"]);
    Place::new().complains(&urls("http://127.0.0.1:1/hooks"), 3, &["does not take connections"]);
    Place::new().complains(&["certify", "http://127.0.0.1:1/hooks"], 2, &["--state-url"]);
}

// ---- Target files

const HTTP: &str = "[http]\nwebhook_url = \"http://127.0.0.1:1/\"\nstate_url = \"http://127.0.0.1:1/{orderId}\"\n";

#[track_caller]
fn bad_file(text: &str, parts: &[&str]) {
    let place = Place::new();
    place.write("refundproof.toml", text);
    place.complains(&["certify", "refundproof.toml"], 2, &[&["refundproof.toml: "], parts].concat());
}

#[test]
fn target_files_that_cannot_be_used() {
    bad_file(&format!("[target]\n{HTTP}setup_ulr = \"x\"\n"), &["line 5", "unknown field `setup_ulr`"]);
    bad_file(&format!("[target]\n{HTTP}[capabilities]\ndurabel = true\n"), &["capabilities.durabel", "durable"]);
    bad_file(&format!("[target]\n{HTTP}[capabilities]\ndurable = 1\n"), &["capabilities", "boolean"]);
    bad_file(&format!("[target]\n{HTTP}[capabilities]\nconcurrency = 0\n"), &["capabilities.concurrency", "at least 1"]);
    bad_file(&format!("[target]\n{HTTP}[capabilities]\ndurable = true\n"), &["capabilities.durable", "[server]"]);
    bad_file(
        &format!("[target]\n{HTTP}[capabilities]\ninitiatesRefunds = true\n"),
        &["capabilities.initiatesRefunds", "http.initiate_url"],
    );
    bad_file(&format!("[target]\nsecret = \"a\"\nsecret_env = \"B\"\n{HTTP}"), &["target.secret and target.secret_env"]);
    bad_file(&format!("[target]\nsecret_env = \"NO_SUCH_VARIABLE_HERE\"\n{HTTP}"), &["`NO_SUCH_VARIABLE_HERE` is not set"]);
    bad_file(&format!("[target]\nsecret = \"\"\n{HTTP}"), &["target.secret", "empty"]);
    bad_file(&format!("[target]\nsignature_header = \"x sig\"\n{HTTP}"), &["target.signature_header", "`x sig`"]);
    bad_file(&format!("[target]\ncommand = [\"x\"]\n{HTTP}"), &["target.command and [http]"]);
    bad_file("[target]\ncommand = [\"x\"]\n[server]\ncommand = [\"y\"]\n", &["[server]", "[http]"]);
    bad_file("[target]\nname = \"x\"\n", &["neither target.command", "[http]"]);
    bad_file(&format!("[target]\n{HTTP}[server]\ncommand = []\n"), &["server.command", "empty"]);
    bad_file(&format!("[target]\n{HTTP}[server]\ncommand = [\"x\"]\nready_within = \"soon\"\n"), &["server.ready_within", "`soon`"]);
    bad_file(
        &format!("[target]\n{HTTP}setup_url = \"http://127.0.0.1:1/\"\nsetup_command = [\"x\"]\n"),
        &["http.setup_url and http.setup_command"],
    );
    bad_file(&format!("[target]\n{HTTP}setup_command = []\n"), &["http.setup_command", "empty"]);
    bad_file(&format!("[target]\n{}", HTTP.replace("{orderId}", "")), &["http.state_url", "{orderId}"]);
    bad_file(&format!("[target]\n{}", HTTP.replace("127.0.0.1:1", "127.0.0.1:{port}")), &["{port}", "runs already"]);
    bad_file(&format!("[target]\n{}", HTTP.replace("127.0.0.1", "192.0.2.1")), &["http.webhook_url", "--allow-remote"]);
    bad_file(
        &format!("[target]\n{HTTP}[mapping]\nstatus = \"state\"\nrefundedAmount = \"/a\"\n"),
        &["line 6", "`state` is no JSON Pointer"],
    );
    bad_file(
        &format!("[target]\n{HTTP}[mapping]\nstatus = \"/s\"\nrefundedAmount = \"/a\"\n[mapping.statuses]\nX = \"paid\"\n"),
        &["line 9", "`paid`"],
    );
    bad_file(&format!("[target]\n{HTTP}[mapping]\nrefundedAmount = \"/a\"\n"), &["missing field `status`"]);
    bad_file(
        &format!("[target]\n{HTTP}[mapping]\nstatus = \"/s\"\nrefundedAmount = \"/a\"\n[capabilities]\nobserves = [\"currency\"]\n"),
        &["capabilities.observes", "`currency`", "[mapping]"],
    );
    bad_file("[target\n", &["line 1"]);
    bad_file("", &["target"]);
}

#[test]
fn no_time_at_all_is_no_limit() {
    let place = Place::new();
    place.target_file("", "");
    place.complains(&["certify", "refundproof.toml", "--answer-limit", "0"], 2, &["limit for answers is 0"]);
}

// ---- Attached to a service that runs already

/// A target file whose service is this server, and whose command must not be run.
fn attachable(place: &Place, server: &Server) {
    let url = server.url("");
    place.write(
        "refundproof.toml",
        &format!(
            "[target]\nname = \"attached\"\nsecret = \"{SECRET}\"\n[capabilities]\ndurable = true\n[server]\ncommand = [\"touch\", \"started\"]\n\
             [http]\nwebhook_url = \"{url}/webhooks\"\nstate_url = \"{url}/orders/{{orderId}}\"\nsetup_url = \"{url}/test/orders\"\n"
        ),
    );
}

/// Steps through with Enter; the service is slower than the usual limit allows.
#[track_caller]
fn steps(place: &Place, args: &[&str]) -> Ran {
    let server = Server::shop_but(|asked, _| {
        if asked.is_delivery() {
            thread::sleep(Duration::from_millis(150));
        }
        None
    });
    attachable(place, &server);
    let args = [args, &["refundproof.toml", "--attach", "--answer-limit", "50ms"]].concat();
    let mut child = place.command(&args).stdin(Stdio::piped()).spawn().expect("the program runs");
    eventually("nothing was set up", || server.asked().iter().any(|asked| asked.path == "/test/orders"));
    thread::sleep(Duration::from_millis(200));
    assert_eq!(server.deliveries(), 0, "it waits for Enter");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"\n").expect("Enter");
    eventually("nothing was delivered", || server.deliveries() == 1);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(server.deliveries(), 1, "it waits for Enter again");
    // At the end of the input it waits no more.
    drop(stdin);
    let ran = ended(child);
    assert!(ran.err.contains("Enter to send"), "{}", ran.err);
    assert!(!place.path("started").exists(), "it started the service");
    ran
}

#[test]
fn certify_attached() {
    let place = Place::new();
    let ran = steps(&place, &["certify", "--cases", "3", "--only", "duplicate-deliveries"]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
}

#[test]
fn replay_attached() {
    let place = Place::new();
    place.exits(&["certify", "builtin:fault/books-redeliveries", "--only", "duplicate-deliveries"], 1);
    let saved = fs::read_dir(place.path("refundproof-failures")).expect("a folder").next().expect("a case").expect("an entry").path();
    let ran = steps(&place, &["replay", &saved.display().to_string()]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    ran.shows(&["showed what it must"]);
}

#[test]
fn what_cannot_be_attached_to() {
    let place = Place::new();
    place.target_file("", "");
    place.complains(&["certify", "refundproof.toml", "--attach"], 2, &["{port}", "runs already"]);
    place.complains(&["certify", "--attach"], 2, &["--attach is for a service over HTTP"]);
    place.complains(&["certify", "builtin:reference", "--attach"], 2, &["--attach is for a service over HTTP"]);
    place.complains(&["certify", "--attach", "--", "true"], 2, &["--attach is for a service over HTTP"]);
    place.write("stdio.toml", "[target]\ncommand = [\"true\"]\n");
    place.complains(&["certify", "stdio.toml", "--attach"], 2, &["stdio.toml: --attach is for a service over HTTP"]);
}
