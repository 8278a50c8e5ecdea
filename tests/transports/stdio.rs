//! The stdio transport against small targets written in `sh`, most of which misbehave.

use std::{ffi::OsString, fs, panic, path::Path, process::Command, time::Duration};

use refundproof::{
    adapter::{Hello, Observable, Request, StdioSettings, StdioTarget, Target, TargetError, TargetErrorKind, Transport},
    case::{Mishap, OrderSetup, OwnRefund},
    domain::Status,
};
use rustix::process::{Pid, Signal, getpgid, kill_process};
use tempfile::TempDir;

use crate::common::place::{eventually, runs};

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

#[test]
fn goodbye() {
    let folder = folder();
    let file = folder.path().join("said");
    let mut target = greeted(target_with(r#"serve bye; sleep 0.1; echo "$op" >"$1"; cat >>"$1""#, LONG, &[&file]));
    target.bye();
    assert_eq!(fs::read_to_string(&file).expect("it was not left to say goodbye"), "bye\n");
    target.bye();
    not_started(deliver(&mut target).expect_err("it is gone").kind, &["not running"]);
}

#[test]
fn goodbye_to_a_target_that_stays() {
    let folder = folder();
    let file = folder.path().join("pid");
    let mut command = shell(r#"echo $$ >"$1"; serve bye; sleep 60"#);
    command.push(file.clone().into());
    let mut target = greeted(StdioTarget::new(command, StdioSettings::default().with(|settings| settings.kill_grace = SHORT)));
    target.bye();
    assert!(!runs(pid_in(&file)));
}

#[test]
fn restarts() {
    let folder = folder();
    let file = folder.path().join("pids");
    let script = r#"trap 'echo asked >>"$1"' TERM HUP INT; echo $$ >>"$1"; serve; echo "end of input" >>"$1""#;
    let mut target = greeted(target_with(script, LONG, &[&file]));
    target.restart().expect("restart");
    target.hello(&hello()).expect("hello again");
    assert_eq!(deliver(&mut target), Ok(202));
    let text = fs::read_to_string(&file).expect("process ids");
    let pids: Vec<i32> = text.lines().map(|line| line.parse().expect("it was killed without warning")).collect();
    assert!(matches!(pids[..], [first, second] if first != second && !runs(Pid::from_raw(first).expect("a pid"))), "{pids:?}");
}

#[test]
fn restarting_what_does_not_run_starts_it() {
    let mut target = target("serve");
    target.restart().expect("start");
    let mut target = greeted(target);
    assert_eq!(deliver(&mut target), Ok(202));
}

/// A target with a child in its group; the child's id.
fn with_child(folder: &TempDir) -> (StdioTarget, Pid) {
    let file = folder.path().join("pid");
    let target = greeted(target_with(r#"sleep 600 & echo $! >"$1"; serve"#, LONG, &[&file]));
    let pid = pid_in(&file);
    assert!(runs(pid));
    (target, pid)
}

#[test]
fn children_are_gone_after_drop() {
    let folder = folder();
    let (target, pid) = with_child(&folder);
    drop(target);
    eventually("the child is still there", || !runs(pid));
}

#[test]
fn a_folder_of_its_own() {
    let folder = folder();
    let file = folder.path().join("folders");
    let mut command = shell(r#"echo "$2" >>"$1"; test -d "$2" || exit 8; serve deliver; echo "in $2" >&2; exit 9"#);
    command.extend([file.clone().into(), "{folder}".into()]);
    let mut target = greeted(StdioTarget::new(command.clone(), StdioSettings::default()));
    let other = greeted(StdioTarget::new(command, StdioSettings::default()));
    let said = deliver(&mut target).expect_err("it ends").to_string();
    assert!(said.contains("`in {folder}`"), "the name differs from run to run: {said}");
    assert_eq!(target.complaints(), "in {folder}\n");
    target.hello(&hello()).expect("it starts again");
    let text = fs::read_to_string(&file).expect("the folders");
    let [first, second, third] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(first == third && first != second, "{text}");
    drop((target, other));
    assert!(!Path::new(first).exists() && !Path::new(second).exists(), "a folder is left behind");
}

#[test]
fn children_are_gone_after_a_restart() {
    let folder = folder();
    let (mut target, pid) = with_child(&folder);
    target.restart().expect("restart");
    eventually("the child is still there", || !runs(pid));
}

#[test]
fn children_are_gone_after_a_panic() {
    let folder = folder();
    let (target, pid) = with_child(&folder);
    let result = panic::catch_unwind(panic::AssertUnwindSafe(move || {
        let _target = target;
        panic::resume_unwind(Box::new("as if a test failed"));
    }));
    assert!(result.is_err());
    eventually("the child is still there", || !runs(pid));
}

#[test]
fn a_child_that_left_the_group_holds_nobody_up() {
    if !Command::new("setsid").arg("true").status().is_ok_and(|status| status.success()) {
        return;
    }
    let folder = folder();
    let file = folder.path().join("pid");
    // It keeps all three pipes.
    let script = r#"setsid sleep 600 <&0 & echo $! >"$1"; serve deliver; exit 7"#;
    let mut target = greeted(target_with(script, LONG, &[&file]));
    let pid = pid_in(&file);
    eventually("it did not leave the group", || getpgid(Some(pid)) == Ok(pid));
    crashed(deliver(&mut target).expect_err("it is gone").kind, "ended with exit status: 7");
    drop(target);
    assert!(runs(pid), "it was waited for");
    kill_process(pid, Signal::KILL).expect("it can be killed");
}

/// What a target was sent in a delivery of this body.
#[track_caller]
fn sent(body: &[u8]) -> serde_json::Value {
    let folder = folder();
    let file = folder.path().join("line");
    let script = r#"next; usual; head -n 1 >"$1"; id=2; answer ',"status":200'; serve"#;
    let mut target = greeted(target_with(script, LONG, &[&file]));
    let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
    assert_eq!(target.deliver(&Request::new(&headers, body)), Ok(200));
    let value: serde_json::Value = serde_json::from_slice(&fs::read(&file).expect("a line")).expect("JSON");
    assert_eq!(value["headers"], serde_json::json!({"content-type": "application/json"}));
    value
}

#[test]
fn long_bodies() {
    let body = "line\nend \"ä\" ".repeat(80_000);
    assert!(body.len() > 1 << 20);
    let value = sent(body.as_bytes());
    assert!(value["body"] == body.as_str() && value.get("bodyBase64").is_none());
}

#[test]
fn bodies_that_are_not_text() {
    let value = sent(b"{\"a\":\"\xff\"}\n");
    assert!(value["bodyBase64"] == "eyJhIjoi/yJ9Cg==" && value.get("body").is_none(), "{value}");
}

/// Delivers three at once to a target that reads all of them before it does this.
fn three_together(script: &str, answer_limit: Duration) -> Vec<Result<u16, TargetErrorKind>> {
    let mut target = greeted(target_with(&format!("next; usual; next; next; next; {script}"), answer_limit, &[]));
    let requests = [Request::new(&[], b"{}"); 3];
    target.deliver_together(&requests).into_iter().map(|result| result.map_err(|error| error.kind)).collect()
}

#[test]
fn deliveries_at_the_same_time() {
    let script = r#"for id in 4 2 3; do answer ",\"status\":20$id"; done; serve"#;
    assert_eq!(three_together(script, LONG), [Ok(202), Ok(203), Ok(204)]);
}

#[test]
fn some_of_the_deliveries_at_the_same_time_fail() {
    let one = r#"id=3; answer ',"status":200'; "#;
    let timeout = || Err(TargetErrorKind::TimedOut(SHORT));
    assert_eq!(three_together(&format!("{one} sleep 60"), SHORT), [timeout(), Ok(200), timeout()]);
    let crash = || Err(TargetErrorKind::Crashed("ended with exit status: 9".to_owned()));
    assert_eq!(three_together(&format!("{one} exit 9"), LONG), [crash(), Ok(200), crash()]);
    let declined = r#"printf '{"id":2,"ok":false,"error":"busy"}\n'; id=4; answer ',"status":1'; serve"#;
    let results = three_together(&format!("{one} {declined}"), LONG);
    assert_eq!(results[..2], [Err(TargetErrorKind::Declined("busy".to_owned())), Ok(200)]);
    nonsense(results[2].clone().expect_err("no status"), "`status` is 1,");
}

#[test]
fn many_deliveries_at_the_same_time() {
    let mut target = greeted(target("serve"));
    let body = vec![b'x'; 20_000];
    let requests = vec![Request::new(&[], &body); 20];
    assert_eq!(target.deliver_together(&requests), vec![Ok(202); 20]);
    assert_eq!(target.deliver_together(&[]), vec![]);
}

/// Shows four orders at the same time, each asked for by its own way to one target that reads all requests before it does this.
fn four_beside(script: &str) -> Vec<Result<String, TargetErrorKind>> {
    let reads = "for n in 1 2 3 4; do next; o=${line#*'\"orderId\":\"'}; eval \"id$n=$id o$n=${o%%'\"'*}\"; done";
    let hello = r#"next; answer ',"capabilities":{"concurrency":4}'"#;
    let mut first = greeted(target(&format!("{hello}; {reads}; {script}")));
    let mut others: Vec<Box<dyn Target>> = (0..4).map(|_| first.beside().expect("another way")).collect();
    let kind = |error: TargetError| error.kind;
    std::thread::scope(|scope| {
        let shown: Vec<_> = (others.iter_mut().zip(10..))
            .map(|(other, order)| {
                scope.spawn(move || {
                    other.observe(&order.to_string()).map_err(kind).map(|state| state.map_or(0.to_string(), |state| state.order_id))
                })
            })
            .collect();
        shown.into_iter().map(|shown| shown.join().expect("no panic")).collect()
    })
}

#[test]
fn several_ways_to_one_process() {
    let shows = r#"for n in 3 1 4 2; do
        eval "id=\$id$n o=\$o$n"; answer ",\"state\":{\"orderId\":\"$o\",\"status\":\"refunded\",\"refundedAmount\":1}"
    done; serve"#;
    assert_eq!(four_beside(shows), ["10", "11", "12", "13"].map(|order| Ok(order.to_owned())));
}

#[test]
fn whoever_waits_hears_of_the_end() {
    for shown in four_beside("exit 9") {
        assert!(matches!(shown, Err(TargetErrorKind::Crashed(_))), "{shown:?}");
    }
}

#[test]
fn targets_can_be_moved_to_other_threads() {
    let mut target = target("serve");
    let result = std::thread::spawn(move || target.hello(&hello()).map(drop)).join();
    assert!(matches!(result, Ok(Ok(()))));
}
