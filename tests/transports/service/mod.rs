//! Services that the harness starts, kills and stops, and the command line over HTTP. The service is this test binary.

mod doctor;
mod files;
mod life;

use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Child,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use refundproof::{
    adapter::{HttpSettings, ServiceSettings},
    case::OrderSetup,
};
use rustix::process::Pid;
use serde_json::Value;

use crate::common::{
    place::{Place, eventually, eventually_within, runs},
    server::{Asked, SECRET, introduction, reference, serve_for_ever, settings_for, shop_handler},
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
