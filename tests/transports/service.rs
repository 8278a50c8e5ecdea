//! Services that the harness starts, kills and stops, and the command line over HTTP. The service is this test binary.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use refundproof::{
    adapter::{HttpSettings, HttpTarget, Request, ServiceSettings, Target, TargetErrorKind, Transport},
    case::{Mishap, OrderSetup},
};
use rustix::process::Pid;
use serde_json::Value;

use crate::common::{
    place::{PLAIN, Place, Ran, ended, eventually, eventually_within, interrupt, runs},
    server::{Asked, Reply, SECRET, Server, greeted, hello, introduction, reference, serve_for_ever, settings_for, shop_handler},
};

const LONG: Duration = Duration::from_secs(60);

// ---- The service

/// The reference shop as a service of its own. What it is told it writes to a log before it answers, and reads again when it
/// is started again.
#[test]
#[ignore = "is started by the other tests"]
#[expect(clippy::exit, reason = "this is how a service ends, and no way in which a test does")]
fn service_process() {
    let Ok(port) = std::env::var("SERVICE_PORT") else { return };
    let setting = |name: &str| std::env::var(name).unwrap_or_default();
    let folder = PathBuf::from(setting("SERVICE_FOLDER"));
    let note = format!("{} {}\n", std::process::id(), folder.display());
    let mut marks = fs::OpenOptions::new().append(true).create(true).open(setting("SERVICE_MARKS")).expect("a file for marks");
    marks.write_all(note.as_bytes()).expect("a mark");
    if setting("SERVICE_MOOD") == "leaves" {
        std::process::exit(9);
    }
    let log = folder.join("log");
    let shop = shop_handler(reference());
    for line in fs::read_to_string(&log).unwrap_or_default().lines() {
        // What a kill cut off was not answered.
        if let Ok(told) = serde_json::from_str(line) {
            shop(&read(&told));
        }
    }
    let log = Mutex::new(fs::OpenOptions::new().append(true).create(true).open(log).expect("a log"));
    let mood = setting("SERVICE_MOOD");
    let listener = TcpListener::bind(("127.0.0.1", port.parse().expect("a port"))).expect("the port is free");
    serve_for_ever(&listener, move |asked| {
        if asked.is_delivery() && mood == "hangs" {
            thread::sleep(LONG * 3);
        }
        if asked.path == "/health" && mood == "never ready" {
            return (503, String::new());
        }
        if asked.method == "POST" {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.write_all(format!("{}\n", written(asked)).as_bytes()).expect("the log is written");
            return shop(asked);
        }
        shop(asked)
    });
}

fn written(asked: &Asked) -> Value {
    let Asked { method, path, headers, body } = asked;
    serde_json::json!({"method": method, "path": path, "headers": headers, "body": body})
}

fn read(told: &Value) -> Asked {
    let part = |name: &str| told[name].clone();
    Asked {
        method: serde_json::from_value(part("method")).expect("text"),
        path: serde_json::from_value(part("path")).expect("text"),
        headers: serde_json::from_value(part("headers")).expect("headers"),
        body: serde_json::from_value(part("body")).expect("bytes"),
    }
}

fn service_command() -> Vec<String> {
    let program = std::env::current_exe().expect("a path").display().to_string();
    [program.as_str(), "service::service_process", "--exact", "--ignored", "--nocapture"].map(str::to_owned).to_vec()
}

// ---- Its traces

impl Place {
    /// The process and the folder of each service that was started.
    fn marks(&self) -> Vec<(Pid, PathBuf)> {
        let text = fs::read_to_string(self.path("marks")).unwrap_or_default();
        let mark = |line: &str| {
            let (pid, folder) = line.split_once(' ')?;
            Some((Pid::from_raw(pid.parse().ok()?)?, PathBuf::from(folder)))
        };
        text.lines().filter_map(mark).collect()
    }

    /// Neither processes nor folders.
    #[track_caller]
    fn no_service_is_left(&self) {
        let marks = self.marks();
        assert!(!marks.is_empty(), "no service was started");
        for (pid, folder) in marks {
            eventually_within(Duration::from_secs(5), "a process is left behind", || !runs(pid));
            assert!(!is_made_folder(&folder) || !folder.exists(), "{} is left behind", folder.display());
        }
    }

    fn settings(&self, mood: &str) -> HttpSettings {
        let environment = [
            ("SERVICE_PORT", "{port}"),
            ("SERVICE_FOLDER", "{folder}"),
            ("SERVICE_MOOD", mood),
            ("SERVICE_MARKS", &self.path("marks").display().to_string()),
        ];
        let service = ServiceSettings {
            command: service_command(),
            directory: PathBuf::new(),
            environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            ready_within: LONG,
        };
        let mut introduction = introduction();
        introduction.capabilities = introduction.capabilities.with(|claims| {
            claims.durable = true;
            claims.concurrency = 4;
        });
        HttpSettings { service: Some(service), introduction, ..settings_for("http://127.0.0.1:{port}") }
    }

    /// A target file for the service, with more lines at its end.
    fn target_file(&self, mood: &str, more: &str) {
        let text = format!(
            r#"[target]
name = "reference-over-http"
version = "1"
secret = "{SECRET}"
[capabilities]
observes = ["currency", "refunds", "availableToRefundAmount", "chargedBackAmount"]
verifiesSignatures = true
durable = true
initiatesRefunds = true
concurrency = 4
[server]
command = {command:?}
ready_url = "http://127.0.0.1:{{port}}/health"
[server.environment]
SERVICE_PORT = "{{port}}"
SERVICE_FOLDER = "{{folder}}"
SERVICE_MOOD = "{mood}"
SERVICE_MARKS = "{marks}"
[http]
webhook_url = "http://127.0.0.1:{{port}}/webhooks"
state_url = "http://127.0.0.1:{{port}}/orders/{{orderId}}"
setup_url = "http://127.0.0.1:{{port}}/test/orders"
initiate_url = "http://127.0.0.1:{{port}}/test/refunds"
{more}
"#,
            command = service_command(),
            marks = self.path("marks").display(),
        );
        self.write("refundproof.toml", &text);
    }

    /// Starts a run, and waits until that has started a service.
    fn start_serving(&self, args: &[&str]) -> Child {
        let child = self.command(args).spawn().expect("the program runs");
        eventually("no service was started", || !self.marks().is_empty());
        child
    }
}

fn is_made_folder(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("refundproof-"))
}

fn order(id: &str) -> Vec<OrderSetup> {
    serde_json::from_str(&format!(r#"[{{"orderId":"{id}","currency":"USD","capturedAmount":"27.01"}}]"#)).expect("orders")
}

// ---- Starting, killing and stopping

#[test]
fn a_service_is_started_and_stopped() {
    let place = Place::new();
    let mut target = greeted(&place.settings(""));
    let (pid, folder) = place.marks()[0].clone();
    assert!(runs(pid) && folder.is_dir() && is_made_folder(&folder));
    target.begin("c", &order("1")).expect("begin");
    target.hello(&hello()).expect("again");
    assert_eq!(place.marks().len(), 1, "it runs already");
    target.bye();
    assert!(!runs(pid));
    drop(target);
    place.no_service_is_left();
}

#[test]
fn a_service_that_is_dropped_is_gone() {
    let place = Place::new();
    drop(greeted(&place.settings("")));
    place.no_service_is_left();
}

#[test]
fn a_service_is_gone_after_a_panic() {
    let place = Place::new();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _target = greeted(&place.settings(""));
        std::panic::resume_unwind(Box::new("as a test would"));
    }));
    assert!(result.is_err());
    place.no_service_is_left();
}

#[test]
fn a_restart_is_a_kill() {
    let place = Place::new();
    let mut target = greeted(&place.settings(""));
    target.begin("c", &order("1")).expect("begin");
    target.restart().expect("it comes back");
    let marks = place.marks();
    assert_eq!(marks.len(), 2);
    assert!(!runs(marks[0].0) && runs(marks[1].0));
    assert_eq!(marks[0].1, marks[1].1, "the folder stays");
    assert!(target.observe("1").expect("an answer").is_some(), "what it knew is still there");
}

/// Reports of the same seed are the same, whatever the port and the folder were.
#[test]
fn a_restart_that_fails_names_no_folder() {
    let place = Place::new();
    let script = "test -e $0/old && echo $0/old is in the way && exit 3; touch $0/old; exec \"$@\"";
    let once = [&["sh", "-c", script, "{folder}"].map(str::to_owned)[..], &service_command()].concat();
    let mut settings = place.settings("");
    settings.service.as_mut().expect("a service").command = once;
    let error = greeted(&settings).restart().expect_err("it does not come back").to_string();
    assert!(error.contains("`{folder}/old is in the way`") && !error.contains("refundproof-"), "{error}");
}

#[test]
fn a_kill_during_a_delivery() {
    for after_ms in [0, 5] {
        let place = Place::new();
        let mut target = greeted(&place.settings("hangs"));
        let request = Request::new(&[], b"{}");
        assert_eq!(target.deliver_badly(&request, Mishap::Killed { after_ms }), Ok(None));
        let marks = place.marks();
        assert_eq!(marks.len(), 2);
        assert!(!runs(marks[0].0) && runs(marks[1].0));
    }
}

/// What the service writes down before it answers, it cannot write, and such a program ends by that.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_during_a_delivery() {
    let place = Place::new();
    let mut target = greeted(&place.settings(""));
    target.begin("c", &order("1")).expect("begin");
    assert_eq!(target.deliver_badly(&Request::new(&[], b"{}"), Mishap::DiskFull), Ok(None));
    assert_eq!(place.marks().len(), 2);
    assert!(target.observe("1").expect("an answer").is_some(), "what it knew is still there");
}

#[test]
fn a_service_that_stands_still_answers_later() {
    let place = Place::new();
    let mut target = greeted(&place.settings(""));
    let plain = target.deliver(&Request::new(&[], b"{}")).map(Some);
    assert_eq!(target.deliver_badly(&Request::new(&[], b"{}"), Mishap::StandsStill { for_ms: 20 }), plain);
    assert_eq!(place.marks().len(), 1);
}

#[test]
fn a_service_that_ended_is_named() {
    let place = Place::new();
    let mut target = greeted(&place.settings(""));
    let pid = place.marks()[0].0;
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it runs");
    let error = target.deliver(&Request::new(&[], b"{}")).expect_err("nobody answers");
    assert!(matches!(&error.kind, TargetErrorKind::Crashed(how) if how.contains("SIGKILL")), "{error:?}");
    target.hello(&hello()).expect("it is started again");
    assert_eq!(place.marks().len(), 2);
}

#[track_caller]
fn cannot_start(settings: &HttpSettings, parts: &[&str]) {
    let error = HttpTarget::new(settings).and_then(|mut target| target.hello(&hello())).expect_err("it starts");
    assert!(matches!(error.kind, TargetErrorKind::NotStarted(_)), "{error:?}");
    let text = error.to_string();
    assert!(parts.iter().all(|part| text.contains(part)) && !text.contains('\n'), "{text}");
}

fn with_command(settings: HttpSettings, command: &[&str]) -> HttpSettings {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    let service = settings.service.map(|service| ServiceSettings { command, ..service });
    HttpSettings { service, ..settings }
}

#[test]
fn services_that_do_not_start() {
    let place = Place::new();
    cannot_start(&with_command(place.settings(""), &["./no-such-program"]), &["`./no-such-program` was not found"]);
    cannot_start(&with_command(place.settings(""), &["sh", "-c", "echo no database; exit 7"]), &["exit status: 7", "`no database`"]);
    cannot_start(&with_command(place.settings(""), &["true"]), &["`true` ended with exit status: 0"]);
    let mut elsewhere = place.settings("");
    elsewhere.service.as_mut().expect("a service").directory = "/no/such/folder".into();
    cannot_start(&elsewhere, &["`/no/such/folder`"]);
    cannot_start(&place.settings("leaves"), &["exit status: 9"]);
    place.no_service_is_left();
}

#[test]
fn a_service_that_never_is_ready() {
    let place = Place::new();
    let mut settings = place.settings("never ready");
    settings.ready_url = Some("http://127.0.0.1:{port}/health".to_owned());
    settings.service.as_mut().expect("a service").ready_within = Duration::from_secs(1);
    cannot_start(&settings, &["was not ready within 1s", "server.ready_within", "/health answered 503"]);
    // A service that takes connections and answers nothing is not waited for either.
    cannot_start(&with_command(settings, &["sleep", "100"]), &["was not ready within 1s"]);
    place.no_service_is_left();
}

#[test]
fn a_port_in_use_says_by_whom() {
    let place = Place::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let settings = place.settings("");
    let text = |url: &str| url.replace("{port}", &port);
    let settings = HttpSettings { webhook_url: text(&settings.webhook_url), state_url: text(&settings.state_url), ..settings };
    let me = format!("process {}", std::process::id());
    cannot_start(&settings, &["port ", &port, "in use already", &me, "{port}"]);
    assert!(place.marks().is_empty(), "nothing was started");
}

#[test]
fn what_it_starts_itself_goes_with_it() {
    let place = Place::new();
    let script = r#"sleep 1000 & echo "$! -" >> "$SERVICE_MARKS"; exec "$@""#;
    let mut command = vec!["sh", "-c", script, "sh"];
    let service = service_command();
    command.extend(service.iter().map(String::as_str));
    drop(greeted(&with_command(place.settings(""), &command)));
    assert_eq!(place.marks().len(), 2);
    place.no_service_is_left();
}

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

// ---- doctor

/// A service that shows orders in its own words.
fn in_its_own_words(place: &Place) -> Server {
    let server = Server::new(|asked, _| match asked.method.as_str() {
        "GET" => Reply::Answer(200, r#"{"state":"DONE","totals":{"back":500},"refunds":[]}"#.to_owned()),
        _ => Reply::Answer(200, String::new()),
    });
    let url = server.url("");
    place.write(
        "refundproof.toml",
        &format!(
            "[target]\nname = \"own\"\n[http]\nwebhook_url = \"{url}/hooks\"\nstate_url = \"{url}/o/{{orderId}}\"\nsetup_url = \"{url}/setup\"\n\
             [mapping]\namounts = \"minor\"\nstatus = \"/state\"\nrefundedAmount = \"/totals/back\"\n[mapping.statuses]\nDONE = \"refunded\"\n"
        ),
    );
    server
}

#[test]
fn doctor_shows_what_it_mapped() {
    let place = Place::new();
    let _server = in_its_own_words(&place);
    let ran = place.exits(&["doctor", "refundproof.toml"], 0);
    ran.shows(&["✓ end", "/state", "\"DONE\" → refunded", "/totals/back", "500 → 5.0"]);
}

#[test]
fn doctor_names_what_it_cannot_map() {
    let place = Place::new();
    let server = in_its_own_words(&place);
    let file = fs::read_to_string(place.path("refundproof.toml")).expect("the file");
    place.write("refundproof.toml", &file.replace("DONE =", "OTHER ="));
    let ran = place.exits(&["doctor", "refundproof.toml"], 3);
    ran.shows(&["✗ observe", "mapping.status", "`/state`", "\"DONE\"", "[mapping.statuses]", "see it without refundproof", "curl -sS -i"]);
    // The command that it prints shows the same.
    let curl = ran.out.lines().find(|line| line.trim().starts_with("curl ")).expect("a command");
    assert!(curl.contains(&server.url("/o/")), "{curl}");
    assert!(Command::new("sh").args(["-n", "-c", curl]).status().expect("sh").success());
}

/// Whoever pastes the command has to put the token in.
#[test]
fn doctor_leaves_a_place_for_tokens() {
    let place = Place::new();
    let _server = in_its_own_words(&place);
    let file = fs::read_to_string(place.path("refundproof.toml")).expect("the file");
    let file = file.replace("DONE =", "OTHER =") + "\n[http.headers]\nauthorization = \"Bearer t0ken\"\n";
    place.write("refundproof.toml", &file);
    let ran = place.exits(&["doctor", "refundproof.toml"], 3);
    ran.shows(&["curl -sS -i -H 'authorization: [secret]'"]);
    assert!(!ran.out.contains("t0ken"), "{}", ran.out);
}

#[test]
fn doctor_shows_how_to_send_what_was_not_answered() {
    let place = Place::new();
    let server = Server::shop_but(|asked, _| asked.is_delivery().then_some(Reply::Close));
    let url = server.url("");
    let args = [
        "doctor",
        &format!("{url}/webhooks"),
        "--state-url",
        &format!("{url}/orders/{{orderId}}"),
        "--setup-url",
        &format!("{url}/test/orders"),
        "--secret",
        SECRET,
    ];
    let ran = place.exits(&args, 3);
    ran.shows(&[
        "✗ deliver refund.complete",
        "broke off without an answer",
        "curl -sS -i -H",
        "digitalriver-signature: ",
        "--data-binary '{",
    ]);
    assert!(!ran.out.contains(SECRET));
}

#[test]
fn doctor_when_nobody_is_there() {
    let ran = Place::new().exits(&["doctor", "http://127.0.0.1:1/hooks", "--state-url", "http://127.0.0.1:1/{orderId}"], 3);
    ran.shows(&["✗ hello", "does not take connections", "start the service first"]);
    assert!(!ran.out.trim_end().ends_with("see it without refundproof:"), "{}", ran.out);
}

#[test]
fn doctor_on_a_service_of_its_own() {
    let place = Place::new();
    place.target_file("", "");
    place.exits(&["doctor", "refundproof.toml"], 0).shows(&["✓ hello", "✓ observe, after the restart", "✓ end"]);
    place.no_service_is_left();
}

#[test]
fn set_up_commands_run_where_the_target_file_is() {
    for attached in [None, Some("--attach")] {
        let place = Place::new();
        let server = Server::shop();
        let url = server.url("");
        fs::create_dir(place.path("shop")).expect("a folder");
        place.write("shop/import.sh", "cat > told");
        place.write(
            "shop/refundproof.toml",
            &format!(
                "[target]\n[server]\ncommand = [\"true\"]\n[http]\nwebhook_url = \"{url}/webhooks\"\n\
                 state_url = \"{url}/orders/{{orderId}}\"\nsetup_command = [\"sh\", \"import.sh\"]\n"
            ),
        );
        if attached.is_none() {
            let file = fs::read_to_string(place.path("shop/refundproof.toml")).expect("the file");
            place.write("shop/refundproof.toml", &file.replace("[server]\ncommand = [\"true\"]\n", ""));
        }
        let args: Vec<&str> = ["doctor", "shop/refundproof.toml"].into_iter().chain(attached).collect();
        // The shop was told nothing.
        place.exits(&args, 3).shows(&["✓ begin", "unknown order"]);
        let told = fs::read_to_string(place.path("shop/told")).expect("the command ran there");
        assert!(told.starts_with(r#"{"case":"doctor","orders":[{"orderId":"#), "{told}");
    }
}

// ---- Ctrl-C

#[test]
fn an_interrupt_leaves_nothing_behind() {
    let place = Place::new();
    place.target_file("", "");
    let child = place.start_serving(&["certify", "refundproof.toml", "--cases", "100000"]);
    thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    let ran = ended(child);
    assert_eq!(ran.code, Some(130), "{}\n{}", ran.out, ran.err);
    ran.shows(&["cut short: interrupted"]);
    place.no_service_is_left();
}

#[test]
fn a_second_interrupt_ends_a_run_that_hangs() {
    let place = Place::new();
    place.target_file("hangs", "");
    let child = place.start_serving(&["certify", "refundproof.toml", "--answer-limit", "10m", "--only", PLAIN]);
    thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    thread::sleep(Duration::from_millis(300));
    interrupt(&child);
    assert_eq!(ended(child).code, Some(130));
    place.no_service_is_left();
}

#[test]
fn an_interrupt_ends_a_doctor_that_hangs() {
    let place = Place::new();
    place.target_file("hangs", "");
    let child = place.start_serving(&["doctor", "refundproof.toml", "--answer-limit", "10m"]);
    thread::sleep(Duration::from_millis(500));
    interrupt(&child);
    assert_eq!(ended(child).code, Some(130));
    place.no_service_is_left();
}

#[test]
fn failures_leave_nothing_behind() {
    let place = Place::new();
    place.target_file("hangs", "");
    let args = ["certify", "refundproof.toml", "--answer-limit", "100ms", "--only", PLAIN, "--cases", "2"];
    place.exits(&args, 1).shows(&["no answer within 100 ms"]);
    place.no_service_is_left();
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
