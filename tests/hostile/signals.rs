//! Ctrl-C and its like, and a program that is killed, whatever the target is doing.

use std::{
    fs,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    Row,
    common::{
        place::{PLAIN, Ran, eventually},
        server::{Reply, SECRET, Server},
    },
    services::with_service,
    targets::{TARGET, with_target},
};

/// A target that does not answer an operation, and has a process of its own then.
fn that_hangs(operation: &str) -> Row {
    with_target(&format!("{operation}) : > here; sleep 300 & wait ;;"))
}

const CERTIFY: [&str; 8] = ["certify", "--only", PLAIN, "--cases", "2", "--answer-limit=60s", "--report", "json=r.json"];

impl Row {
    /// Starts it, and sends a signal when the target has made the file `here`.
    #[track_caller]
    fn signalled(&self, args: &[&str], signals: &[Signal]) -> Ran {
        let child = self.start(args);
        eventually("the target does not get so far", || self.place.path("here").exists());
        for signal in signals {
            send(&child, *signal);
            // Two that come at once count as one.
            thread::sleep(Duration::from_millis(100));
        }
        let ran = self.ended(child, args);
        self.nothing_is_left();
        ran
    }
}

fn send(child: &Child, signal: Signal) {
    // It may be gone already.
    let _ = kill_process(Pid::from_child(child), signal);
}

#[rstest]
fn one_interrupt_ends_soon(
    #[values("hello", "begin", "deliver", "observe", "end", "bye")] operation: &str,
    #[values(Signal::INT, Signal::TERM, Signal::HUP)] signal: Signal,
) {
    let row = that_hangs(operation);
    let ran = row.signalled(&[&CERTIFY[..], &TARGET].concat(), &[signal]);
    // Who is asked to go has been judged already.
    let codes: &[i32] = if operation == "bye" { &[130, 1] } else { &[130] };
    assert!(ran.code.is_some_and(|code| codes.contains(&code)), "{:?}: {}{}", ran.code, ran.out, ran.err);
    if operation == "hello" {
        assert!(ran.err.contains("interrupted before the target was ready; nothing was judged"), "{}", ran.err);
        assert!(!row.place.path("r.json").exists());
    } else {
        assert!(row.place.read("r.json").contains("\"requirements\""));
        assert_eq!(row.run(&["verify", "r.json"]).code, Some(0));
    }
}

/// What was finished before is in the report.
#[test]
fn what_was_finished_is_reported() {
    let deliver = r#"deliver) case $line in *"order.chargeback"*) : > here; sleep 300 & wait ;; esac; answer ',"status":200' ;;"#;
    let row = with_target(deliver);
    let args =
        ["certify", "--only", "other-events-change-nothing", "--only", "chargeback-*", "--cases", "5", "--jobs", "1", "--answer-limit=60s"];
    let child = row.start(&[&args[..], &TARGET].concat());
    let started = Instant::now();
    while !row.place.path("here").exists() && started.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(2));
    }
    send(&child, Signal::INT);
    let ran = row.ended(child, &args);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("cut short: interrupted"), "{}", ran.out);
    row.nothing_is_left();
}

#[rstest]
#[case::doctor(&["doctor"])]
#[case::replay(&["replay", "case.json"])]
#[case::snapshot(&["snapshot", "--dir", "own"])]
fn one_interrupt_ends_other_commands(
    #[case] args: &[&str],
    #[values("hello", "begin", "observe")] operation: &str,
    #[values(Signal::INT, Signal::QUIT)] signal: Signal,
) {
    let row = that_hangs(operation);
    row.place.write("case.json", crate::texts::case());
    let ran = row.signalled(&[args, &TARGET].concat(), &[signal]);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
    assert!(!row.place.path("own").exists(), "an interrupted recording writes nothing");
}

#[rstest]
#[case::quit(&[Signal::QUIT])]
#[case::twice(&[Signal::INT, Signal::INT])]
#[case::two_ways(&[Signal::HUP, Signal::TERM])]
fn at_once(#[case] signals: &[Signal], #[values("hello", "deliver", "observe")] operation: &str) {
    let ran = that_hangs(operation).signalled(&[&CERTIFY[..], &TARGET].concat(), signals);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
}

/// Whoever is killed cleans up nothing; somebody else does.
#[rstest]
#[case::introducing_itself("hello) : > here; sleep 300 & wait ;;")]
#[case::at_a_delivery("deliver) : > here; sleep 300 & wait ;;")]
#[case::between_deliveries("deliver) : > here; answer ',\"status\":200' ;;")]
#[case::with_many_children("deliver) for i in 1 2 3 4 5 6 7 8; do sleep 300 & done; : > here; wait ;;")]
#[case::with_children_of_children("deliver) (sh -c 'sleep 300 & sleep 300' & sleep 300) & : > here; wait ;;")]
#[case::deaf("hello) trap '' HUP INT QUIT TERM PIPE; (trap '' HUP INT QUIT TERM PIPE; sleep 300) & : > here; wait ;;")]
#[case::stopped("deliver) : > here; kill -STOP $$ ;;")]
fn a_killed_program_leaves_nothing(#[case] answers: &str) {
    let row = with_target(answers);
    row.place.write("run.sh", "exec sh target.sh");
    let args = [&CERTIFY[..], &["--", "sh", "run.sh", "{folder}"]].concat();
    let ran = row.signalled(&args, &[Signal::KILL]);
    assert_eq!(ran.code, None, "{}{}", ran.out, ran.err);
}

/// What left its group is found by its environment where that can be read.
#[cfg(target_os = "linux")]
#[rstest]
#[case::a_session_of_its_own("deliver) setsid sleep 300 & : > here; wait ;;")]
#[case::a_daemon("deliver) (setsid sh -c 'sleep 300 & exec sleep 300' </dev/null >/dev/null 2>&1 &); : > here; wait ;;")]
#[case::from_the_beginning("hello) (setsid sleep 300 </dev/null >/dev/null 2>&1 &); : > here; sleep 300 & wait ;;")]
fn a_killed_program_leaves_nothing_that_left_its_group(#[case] answers: &str) {
    let row = with_target(answers);
    let ran = row.signalled(&[&CERTIFY[..], &TARGET].concat(), &[Signal::KILL]);
    assert_eq!(ran.code, None, "{}{}", ran.out, ran.err);
}

#[test]
fn a_program_that_is_killed_while_it_ends_leaves_nothing() {
    let row = that_hangs("deliver");
    let args = [&CERTIFY[..], &TARGET].concat();
    row.signalled(&args, &[Signal::INT, Signal::KILL]);
}

// ---- services

#[rstest]
#[case::never_listens("sleep 300 & : > here; wait")]
#[case::babbles("yes & yes >&2 & : > here; wait")]
#[case::is_deaf("trap '' HUP INT QUIT TERM; (trap '' HUP INT QUIT TERM; sleep 300) & : > here; wait; wait")]
fn while_a_service_starts(#[case] script: &str, #[values(Signal::INT, Signal::TERM, Signal::QUIT, Signal::KILL)] signal: Signal) {
    let row = with_service(script, "300s", "");
    let ran = row.signalled(&[&CERTIFY[..], &["t.toml"]].concat(), &[signal]);
    assert_eq!(ran.code, if signal == Signal::KILL { None } else { Some(130) }, "{}{}", ran.out, ran.err);
    fs::remove_file(row.place.path("here")).expect("it was there");
    let ran = row.signalled(&["doctor", "t.toml"], &[signal]);
    assert_eq!(ran.code, if signal == Signal::KILL { None } else { Some(130) }, "{}{}", ran.out, ran.err);
}

/// What says that the service is ready takes the request and does not answer it.
#[test]
fn while_a_service_does_not_say_that_it_is_ready() {
    let server = Server::new(|_, _| {
        thread::sleep(Duration::from_secs(300));
        Reply::Close
    });
    let row = with_service(": > here; sleep 300", "300s", &format!("ready_url = {:?}", server.url("/")));
    let ran = row.signalled(&[&CERTIFY[..], &["t.toml"]].concat(), &[Signal::INT]);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
}

#[rstest]
fn while_a_service_does_not_answer(#[values("/webhooks", "/orders/", "/test/orders")] path: &'static str) {
    let row = Row::new();
    let here = row.place.path("here");
    let server = Server::shop_but(move |asked, _| {
        asked.path.starts_with(path).then(|| {
            let _ = fs::write(&here, "");
            thread::sleep(Duration::from_secs(300));
            Reply::Close
        })
    });
    crate::services::write_target_file(&row, &server, "");
    let ran = row.signalled(&[&CERTIFY[..], &["t.toml"]].concat(), &[Signal::INT]);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
}

/// Connections that are to be lost are waited for no longer than others.
#[rstest]
fn while_a_service_does_not_answer_on_a_connection_that_is_to_be_lost(#[values(Signal::INT, Signal::TERM)] signal: Signal) {
    let row = Row::new();
    let here = row.place.path("here");
    let server = Server::shop_but(move |asked, _| {
        (asked.is_delivery() && asked.header("connection") == Some("close")).then(|| {
            let _ = fs::write(&here, "");
            thread::sleep(Duration::from_secs(300));
            Reply::Close
        })
    });
    crate::services::write_target_file(&row, &server, "");
    let args = ["certify", "t.toml", "--only", "redeliver*", "--cases", "20", "--answer-limit=60s"];
    let ran = row.signalled(&args, &[signal]);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
}

#[test]
fn while_a_set_up_does_not_end() {
    let (row, server) = (Row::new(), Server::shop());
    let (webhook, state) = (server.url("/webhooks"), server.url("/orders/{orderId}"));
    let command = "setup_command = [\"sh\", \"-c\", \": > here; sleep 300 & wait\"]";
    row.place
        .write("t.toml", &format!("[target]\nsecret = {SECRET:?}\n[http]\nwebhook_url = {webhook:?}\nstate_url = {state:?}\n{command}\n"));
    let ran = row.signalled(&[&CERTIFY[..], &["t.toml"]].concat(), &[Signal::INT]);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
}
