//! Services that are started, killed and stopped.

use std::{
    net::TcpListener,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use refundproof::{
    adapter::{HttpSettings, HttpTarget, Request, ServiceSettings, Target, TargetErrorKind, Transport},
    case::Mishap,
};

use super::{is_made_folder, order, service_command};
use crate::common::{
    place::{Place, runs},
    server::{greeted, hello},
};

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
