//! The stdio transport against small targets written in `sh`, most of which misbehave.

mod answers;
mod bodies;
mod life;

use std::{ffi::OsString, fs, panic, path::Path, time::Duration};

use refundproof::{
    adapter::{Hello, Observable, Request, StdioSettings, StdioTarget, Target, TargetError, TargetErrorKind, Transport},
    case::{Mishap, OrderSetup, OwnRefund},
    domain::Status,
};
use rustix::process::Pid;
use tempfile::TempDir;

use crate::common::place::eventually;

/// Reads requests and answers them: `next` reads one into `$op` and `$id`, `answer` answers it, `serve` answers as a
/// well-behaved target would, except for the operation given to it.
const SHELL: &str = r#"
next() { read -r line || exit 0; id=${line#*:}; id=${id%%,*}; op=${line#*'"op":"'}; op=${op%%'"'*}; }
answer() { printf '{"id":%s,"ok":true%s}\n' "$id" "$1"; }
usual() {
  case $op in
    hello) answer ',"name":"acme","version":"2.3.1","capabilities":{"observes":["currency"],"durable":true}' ;;
    deliver) answer ',"status":202' ;;
    observe) answer ',"state":{"orderId":"1","status":"refunded","refundedAmount":27.010,"currency":"USD"}' ;;
    bye) exit 0 ;;
    *) answer ;;
  esac
}
serve() { while next; do test "$op" != "$1" || return 0; usual; done; }
"#;

/// Long enough for a busy machine, short enough to fail.
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(300);

fn shell(script: &str) -> Vec<OsString> {
    ["sh", "-c", &format!("{SHELL}{script}"), "sh"].map(OsString::from).to_vec()
}

fn target_with(script: &str, answer_limit: Duration, arguments: &[&Path]) -> StdioTarget {
    let mut command = shell(script);
    command.extend(arguments.iter().map(|argument| argument.as_os_str().to_owned()));
    StdioTarget::new(
        command,
        StdioSettings::default().with(|settings| {
            settings.answer_limit = answer_limit;
            settings.other_limit = LONG;
            settings.kill_grace = LONG;
        }),
    )
}

fn target(script: &str) -> StdioTarget {
    target_with(script, LONG, &[])
}

fn hello() -> Hello {
    Hello::new("digital-river".to_owned(), "whsec_1".to_owned())
}

/// A target that has answered `hello`.
#[track_caller]
fn greeted(mut target: StdioTarget) -> StdioTarget {
    target.hello(&hello()).unwrap_or_else(|error| panic!("{error}"));
    target
}

fn deliver(target: &mut StdioTarget) -> Result<u16, TargetError> {
    target.deliver(&Request::new(&[], b"{}"))
}

/// A target that acknowledges what it could write down.
const WRITER: &str = r#"
trap '' XFSZ
while serve deliver; do
  if (echo kept >> "$1") 2>/dev/null; then answer ',"status":202'; else answer ',"status":507'; fi
done"#;

/// The answers when something befalls it and after that, and what it kept.
#[track_caller]
fn after(mishap: Mishap) -> (Option<u16>, u16, String) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("kept");
    let mut target = greeted(target_with(WRITER, LONG, &[&file]));
    let first = target.deliver_badly(&Request::new(&[], b"{}"), mishap).expect("it is there again");
    target.hello(&hello()).unwrap_or_else(|error| panic!("again: {error}"));
    let second = deliver(&mut target).expect("an answer");
    (first, second, fs::read_to_string(file).unwrap_or_default())
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_keeps_nothing() {
    assert_eq!(after(Mishap::DiskFull), (Some(507), 202, "kept\n".to_owned()));
}

#[test]
fn a_target_that_stands_still_goes_on() {
    assert_eq!(after(Mishap::StandsStill { for_ms: 20 }), (Some(202), 202, "kept\nkept\n".to_owned()));
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_looked_at_now_and_then() {
    let mut target = greeted(target("serve nothing"));
    (0..64).for_each(|_| target.end("c").expect("an answer"));
    assert!(target.growth().is_some_and(|growth| growth.cases == 32 || growth.cases == 0), "{:?}", target.growth());
}

/// The error of a first `hello`.
#[track_caller]
fn refused_hello(command: Vec<OsString>) -> TargetErrorKind {
    let mut target = StdioTarget::new(command, StdioSettings::default().with(|settings| settings.other_limit = LONG));
    target.hello(&hello()).expect_err("hello was answered").kind
}

/// A delivery to a target that does this instead of answering it. After that the target is gone, unless it was only late or
/// said no, and it can be started again.
#[track_caller]
fn failed_delivery(script: &str, answer_limit: Duration) -> TargetErrorKind {
    let mut target = greeted(target_with(&format!("serve deliver; {script}"), answer_limit, &[]));
    let error = deliver(&mut target).expect_err("the delivery was answered");
    assert_eq!(error.operation, "deliver");
    if matches!(error.kind, TargetErrorKind::TimedOut(_)) {
        target.restart().expect("it is started again");
    } else if !matches!(error.kind, TargetErrorKind::Declined(_)) {
        assert!(matches!(deliver(&mut target).expect_err("it should be gone").kind, TargetErrorKind::NotStarted(_)));
    }
    target.hello(&hello()).unwrap_or_else(|error| panic!("again: {error}"));
    error.kind
}

#[track_caller]
fn nonsense(kind: TargetErrorKind, part: &str) {
    assert!(matches!(&kind, TargetErrorKind::Nonsense(what) if what.contains(part)), "{kind:?}");
}

#[track_caller]
fn crashed(kind: TargetErrorKind, how: &str) {
    assert_eq!(kind, TargetErrorKind::Crashed(how.to_owned()));
}

#[track_caller]
fn not_started(kind: TargetErrorKind, parts: &[&str]) {
    let TargetErrorKind::NotStarted(why) = &kind else { panic!("{kind:?}") };
    assert!(parts.iter().all(|part| why.contains(part)) && !why.contains('\n'), "{why}");
}

fn pid_in(file: &Path) -> Pid {
    let mut pid = None;
    eventually("no process id was written", || {
        let text = fs::read_to_string(file).unwrap_or_default();
        pid = text.strip_suffix('\n').and_then(|text| text.parse().ok()).and_then(Pid::from_raw);
        pid.is_some()
    });
    pid.expect("a process id")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn every_operation() {
    let mut target = target("serve");
    let introduction = target.hello(&hello()).expect("hello");
    assert_eq!((introduction.name.as_str(), introduction.version.as_str()), ("acme", "2.3.1"));
    assert!(introduction.capabilities.durable && introduction.capabilities.observes == [Observable::Currency]);
    let orders: Vec<OrderSetup> = serde_json::from_str(r#"[{"orderId":"1","currency":"USD","capturedAmount":"27.01"}]"#).expect("orders");
    target.begin("c1", &orders).expect("begin");
    assert_eq!(deliver(&mut target), Ok(202));
    let own: OwnRefund =
        serde_json::from_str(r#"{"orderId":"1","refund":{"id":"re_1","amount":"5.41","currency":"USD"}}"#).expect("a refund");
    target.initiate(&own).expect("initiate");
    target.advance(Duration::from_secs(172_800)).expect("advance");
    let state = target.observe("1").expect("observe").expect("a known order");
    assert_eq!((state.status, state.refunded_amount.to_fixed(2).as_str()), (Status::Refunded, "27.01"));
    target.end("c1").expect("end");
    target.bye();
    assert_eq!(target.complaints(), "");
}

#[test]
fn unknown_orders() {
    let mut target = greeted(target(r#"serve observe; answer ',"state":null'; serve"#));
    assert_eq!(target.observe("1"), Ok(None));
}

#[test]
fn blank_lines_and_windows_line_ends() {
    let mut target = greeted(target(r#"serve deliver; printf '\n \r\n{"id":%s,"ok":true,"status":204}\r\n\n' "$id"; serve"#));
    assert_eq!(deliver(&mut target), Ok(204));
    assert_eq!(deliver(&mut target), Ok(202));
}
