//! What targets answer, or do instead.

use std::{ffi::OsString, fs};

use refundproof::adapter::{Request, Target, TargetErrorKind, Transport};

use super::{
    LONG, SHORT, crashed, deliver, failed_delivery, folder, greeted, hello, nonsense, not_started, refused_hello, shell, target,
    target_with,
};
use crate::common::place::eventually;

#[test]
fn commands_that_cannot_be_started() {
    let folder = folder();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).expect("a file");
        file
    };
    not_started(refused_hello(vec![]), &["no command"]);
    not_started(refused_hello(vec!["refundproof-no-such-command".into()]), &["`refundproof-no-such-command` was not found"]);
    let plain = write("plain", "exit 0\n");
    not_started(refused_hello(vec![plain.clone().into()]), &[plain.to_str().expect("a path"), "not executable"]);
    let orphan = write("orphan", "#!/no/such/interpreter\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(&orphan, mode).expect("permissions");
    not_started(refused_hello(vec![orphan.into()]), &["interpreter", "was not found"]);
}

#[test]
fn commands_that_exit_at_once() {
    let script = "echo starting >&2; echo 'no configuration\x1b' >&2; echo >&2; exit 3";
    not_started(
        refused_hello(["sh", "-c", script].map(OsString::from).to_vec()),
        &["`sh -c", "ended with exit status: 3", r"standard error: `no configuration\u{1b}`"],
    );
    not_started(refused_hello(vec!["true".into()]), &["`true` ended with exit status: 0"]);
    not_started(refused_hello(shell("next; kill -TERM $$")), &["killed by signal 15 (SIGTERM)"]);
}

#[test]
fn only_the_first_hello_can_fail_to_start() {
    let mut target = greeted(target("next; usual; next; exit 4"));
    crashed(target.hello(&hello()).expect_err("the second hello was answered").kind, "ended with exit status: 4");
}

#[test]
fn greetings_with_wrong_members() {
    nonsense(refused_hello(shell(r#"next; answer ',"capabilities":{"durable":1}'; next"#)), "`capabilities.durable`");
    nonsense(refused_hello(shell(r#"next; answer ',"capabilities":{"concurrency":0}'; next"#)), "`capabilities.concurrency` is 0");
}

#[test]
fn lines_that_are_not_json() {
    nonsense(refused_hello(shell("echo 'Listening on stdin…'; serve")), "not JSON: `Listening on stdin…`");
    nonsense(failed_delivery(r"printf 'debug\033[1m\n'; answer", LONG), r"`debug\u{1b}[1m`");
}

#[test]
fn lines_without_a_known_id() {
    nonsense(failed_delivery("id=999; answer", LONG), r#"`{"id":999,"ok":true}`"#);
    nonsense(failed_delivery(r#"printf '{"ok":true,"status":200}\n'; sleep 60"#, LONG), "no `id`");
}

#[test]
fn answers_that_come_twice() {
    let mut target = greeted(target(r#"serve deliver; answer ',"status":200'; answer ',"status":200'; serve"#));
    assert_eq!(deliver(&mut target), Ok(200));
    nonsense(target.observe("1").expect_err("a stray line").kind, "not that of a request without an answer");
}

#[test]
fn endless_output_without_a_line_end() {
    nonsense(failed_delivery("exec tr '\\000' x </dev/zero", LONG), "a line longer than 1 MiB");
}

#[test]
fn endless_lines() {
    nonsense(failed_delivery("while :; do echo '{}'; done", LONG), "`{}`");
}

#[test]
fn endless_lines_between_requests() {
    let mut target = greeted(target(r#"next; usual; while :; do echo "$line$line$line"; done"#));
    std::thread::sleep(SHORT);
    nonsense(deliver(&mut target).expect_err("it only shouts").kind, "not JSON");
}

#[test]
fn endless_blank_lines() {
    assert_eq!(failed_delivery("while :; do echo; done", SHORT), TargetErrorKind::TimedOut(SHORT));
}

#[test]
fn targets_that_never_answer() {
    assert_eq!(failed_delivery("next; sleep 60", SHORT), TargetErrorKind::TimedOut(SHORT));
}

#[test]
fn late_answers_are_passed_over() {
    let mut target = greeted(target_with("serve deliver; sleep 0.6; answer ',\"status\":200'; serve", SHORT, &[]));
    assert_eq!(deliver(&mut target).expect_err("too late").kind, TargetErrorKind::TimedOut(SHORT));
    // Sent again until the first one has been dealt with; its answer is not taken for that of another.
    eventually("it never answers", || deliver(&mut target) == Ok(202));
    assert!(target.observe("1").expect("observe").is_some(), "it still runs");
}

#[test]
fn late_answers_come_once() {
    let script = "serve deliver; sleep 0.6; answer ',\"status\":200'; answer ',\"status\":200'; serve";
    let mut target = greeted(target_with(script, SHORT, &[]));
    assert!(deliver(&mut target).is_err());
    std::thread::sleep(SHORT * 2);
    nonsense(deliver(&mut target).expect_err("a stray line").kind, "not that of a request without an answer");
}

#[test]
fn late_answers_to_deliveries_at_the_same_time() {
    let script = r#"next; usual; next; usual; next; sleep 0.6; usual; serve"#;
    let mut target = greeted(target_with(script, SHORT, &[]));
    let requests = [Request::new(&[], b"{}"); 2];
    let answers = target.deliver_together(&requests);
    assert_eq!((answers[0].clone(), answers[1].clone().map_err(|error| error.kind)), (Ok(202), Err(TargetErrorKind::TimedOut(SHORT))));
    eventually("it never answers", || deliver(&mut target) == Ok(202));
}

#[test]
fn who_wants_to_measure_waits_longer() {
    let mut target = greeted(target_with("serve deliver; sleep 0.6; usual; serve", SHORT, &[]));
    target.wait_at_least(LONG);
    assert_eq!(deliver(&mut target), Ok(202));
}

#[test]
fn targets_that_never_read() {
    let mut target = greeted(target_with("next; usual; sleep 60", SHORT, &[]));
    let body = vec![b'x'; 1 << 20];
    let error = target.deliver(&Request::new(&[], &body)).expect_err("nobody reads");
    assert_eq!(error.kind, TargetErrorKind::TimedOut(SHORT));
}

#[test]
fn targets_that_shout_instead_of_reading() {
    let mut target = greeted(target("next; usual; exec tr '\\000' x </dev/zero"));
    let body = vec![b'x'; 1 << 20];
    nonsense(target.deliver(&Request::new(&[], &body)).expect_err("nobody reads").kind, "longer than 1 MiB");
}

#[test]
fn targets_that_die_in_a_delivery() {
    crashed(failed_delivery("exit 3", LONG), "ended with exit status: 3");
    crashed(failed_delivery("kill -SEGV $$", LONG), "killed by signal 11 (SIGSEGV)");
    crashed(
        failed_delivery("echo 'out of luck' >&2; exit 1", LONG),
        "ended with exit status: 1; its last line on standard error: `out of luck`",
    );
    crashed(failed_delivery("printf '{\"id\":'; exit 0", LONG), "ended with exit status: 0");
}

#[test]
fn targets_that_die_between_requests() {
    let mut target = greeted(target("next; usual; next; usual; exit 5"));
    assert_eq!(deliver(&mut target), Ok(202));
    std::thread::sleep(SHORT);
    crashed(target.observe("1").expect_err("it is gone").kind, "ended with exit status: 5");
}

#[test]
fn targets_that_close_their_pipes() {
    crashed(failed_delivery("exec >&-; sleep 60", LONG), "closed its standard output");
    let mut target = greeted(target("next; exec <&-; usual; sleep 60"));
    crashed(deliver(&mut target).expect_err("it does not listen").kind, "closed its standard input");
}

#[test]
fn deaths_are_seen_although_a_child_keeps_the_pipes() {
    crashed(failed_delivery("sleep 60 & exit 7", LONG), "ended with exit status: 7");
}

#[test]
fn what_the_adapter_could_not_do() {
    let declined = r#"printf '{"id":%s,"ok":false,"error":"no database"}\n' "$id"; serve"#;
    assert_eq!(failed_delivery(declined, LONG), TargetErrorKind::Declined("no database".to_owned()));
    let mut target = greeted(target(&format!("serve deliver; {declined}")));
    assert!(deliver(&mut target).is_err());
    assert_eq!(deliver(&mut target), Ok(202), "it goes on in the same process");
}

#[test]
fn statuses_that_are_none() {
    nonsense(failed_delivery("answer; serve", LONG), "no `status`");
    nonsense(failed_delivery(r#"answer ',"status":"200"'; serve"#, LONG), "`status` is \"200\"");
    nonsense(failed_delivery(r#"answer ',"status":20'; serve"#, LONG), "`status` is 20,");
}

#[track_caller]
fn bad_state(members: &str, part: &str) {
    let mut target = greeted(target(&format!("serve observe; answer '{members}'; serve")));
    let error = target.observe("1").expect_err("the state was taken");
    assert_eq!(error.operation, "observe");
    nonsense(error.kind, part);
}

#[test]
fn states_that_are_none() {
    bad_state("", "no `state`");
    bad_state(r#","state":"refunded""#, "`state` is a string");
    bad_state(r#","state":{"orderId":"1","status":"done","refundedAmount":"1"}"#, "`state.status`: unknown variant `done`");
    bad_state(r#","state":{"orderId":"1","status":"refunded","refundedAmount":[]}"#, "`state.refundedAmount`");
}

#[test]
fn standard_error_is_kept() {
    let mut target = greeted(target("echo one >&2; serve deliver; echo two >&2; usual; serve deliver; echo three >&2; exit 1"));
    assert_eq!(deliver(&mut target), Ok(202));
    assert_eq!(target.complaints(), "one\ntwo\n");
    assert_eq!(target.complaints(), "");
    assert!(deliver(&mut target).is_err());
    target.hello(&hello()).expect("hello again");
    assert!(target.complaints().starts_with("three\n"));
}

#[test]
fn standard_error_is_bounded_and_may_hold_anything() {
    let mut target = greeted(target(r"serve deliver; yes 0123456789 | head -c 1000000 >&2; printf '\377end' >&2; usual; serve"));
    assert_eq!(deliver(&mut target), Ok(202));
    let complaints = target.complaints();
    assert!(complaints.ends_with("\u{fffd}end") && complaints.starts_with('…') && complaints.len() < 17 << 10, "{}", complaints.len());
}
