//! Targets over standard input and output that decline, babble, hang, flood or leave something behind.

use std::{fs, thread};

use rstest::rstest;

use crate::{
    Row,
    common::place::{BROKEN, FAULT, PLAIN},
};

/// The target of [`with_target`].
pub(crate) const TARGET: [&str; 3] = ["--", "sh", "target.sh"];

/// A target in `sh` that does not keep anything. `ANSWERS` comes before its own, so it decides.
const SHELL: &str = r#"
answer() { printf '{"id":%s,"ok":true'"$1"'}\n' "$id"; }
while read -r line; do
  id=${line#*\"id\":}; id=${id%%[,\}]*}; op=${line#*\"op\":\"}; op=${op%%\"*}; order=${line#*\"orderId\":\"}; order=${order%%\"*}
  case $op in
    ANSWERS
    hello) answer ',"name":"sh","version":"1","capabilities":{}' ;;
    deliver) answer ',"status":200' ;;
    observe) answer ',"state":{"orderId":"'"$order"'","status":"not_refunded","refundedAmount":0}' ;;
    bye) exit 0 ;;
    *) answer ;;
  esac
done
"#;

/// A folder with a target that answers so.
pub(crate) fn with_target(answers: &str) -> Row {
    let row = Row::new();
    row.place.write("target.sh", &SHELL.replace("ANSWERS", answers));
    row
}

const DECLINES: &str = r#") printf '{"id":%s,"ok":false,"error":"no"}\n' "$id" ;;"#;
const BABBLES: &str = ") echo hello ;;";

/// What an adapter cannot do says nothing of the target: neither by a requirement nor by a snapshot.
#[rstest]
#[case::declines_deliveries("deliver", DECLINES)]
#[case::declines_to_show("observe", DECLINES)]
#[case::declines_orders("begin", DECLINES)]
#[case::babbles_at_deliveries("deliver", BABBLES)]
#[case::babbles_instead_of_showing("observe", BABBLES)]
fn an_adapter_error_is_no_verdict(#[case] operation: &str, #[case] answer: &str) {
    let row = with_target(&format!("{operation}{answer}"));
    row.place.write("case.json", crate::texts::case());
    let ran = row.ends(&[&["certify", "--only", "snapshots"][..], &TARGET].concat(), 3, "could not be compared: ");
    assert!(ran.out.lines().last().is_some_and(|line| line.starts_with("not-judged")), "{}", ran.out);
    row.ends(&[&["certify", "--only", "snapshots", "--only", PLAIN, "--cases", "2"][..], &TARGET].concat(), 3, operation);
    row.ends(&[&["certify", "--shard", "1/1", "--only", "snapshots", "--report", "json=r.json"][..], &TARGET].concat(), 3, operation);
    row.ends(&["merge", "r.json"], 3, "not-judged");
    row.ends(&["verify", "r.json"], 0, "the record holds");
    row.complains(&[&["snapshot", "--dir", "own"][..], &TARGET].concat(), 3, operation);
    row.ends(&[&["replay", "case.json"][..], &TARGET].concat(), 3, operation);
    row.ends(&[&["doctor"][..], &TARGET].concat(), 3, operation);
}

/// A mistake counts, whatever else could not be judged.
#[test]
fn a_failure_beside_an_adapter_error() {
    let row = with_target("");
    let args = ["certify", "--only", "snapshots", "--only", PLAIN, "--cases", "2"];
    row.ends(&[&args[..], &TARGET].concat(), 1, "not-conformant");
}

/// Targets that do not even introduce themselves.
#[rstest]
#[case::ends_at_once("exit 1", "ended")]
#[case::says_nothing_and_ends("exit 0", "ended")]
#[case::ends_by_a_signal("kill -9 $$", "hello")]
#[case::babbles("echo hello; sleep 60", "hello")]
#[case::babbles_without_end("yes hello", "hello")]
#[case::babbles_on_one_line("yes | tr -d '\\n'", "hello")]
#[case::babbles_on_standard_error("yes >&2 & sleep 1; exit 1", "hello")]
#[case::says_what_is_no_text("printf '\\377\\376\\n'; sleep 60", "hello")]
#[case::says_zeros("head -c 1000000 /dev/zero; sleep 60", "hello")]
#[case::closes_its_output("exec >&-; sleep 60", "hello")]
#[case::closes_its_input("exec <&-; sleep 60", "hello")]
#[case::answers_somebody_else("read -r line; printf '{\"id\":999,\"ok\":true}\\n'; sleep 60", "hello")]
#[case::answers_without_a_name("read -r line; printf '{\"id\":1,\"ok\":true}\\n'; sleep 60", "no answer within")]
#[case::answers_deeply("read -r line; head -c 1000000 /dev/zero | tr '\\0' '['; echo; sleep 60", "hello")]
#[case::answers_with_much(
    "read -r line; printf '{\"id\":1,\"ok\":true,\"name\":\"'; head -c 30000000 /dev/zero | tr '\\0' 'n'; echo '\"}'; sleep 60",
    "hello"
)]
#[case::leaves_a_child("sleep 300 & exit 1", "hello")]
#[case::leaves_a_child_that_holds_on("trap '' TERM HUP INT; (trap '' TERM HUP INT; sleep 300) & exit 1", "hello")]
#[case::becomes_a_daemon("setsid sleep 300 & exit 1", "hello")]
#[case::leaves_many_children("for i in 1 2 3 4 5 6 7 8; do sleep 300 & done; exit 1", "hello")]
fn who_does_not_introduce_itself(#[case] script: &str, #[case] says: &str) {
    // Some are waited for, by both at the same time.
    thread::scope(|scope| {
        scope.spawn(|| Row::new().ends(&["doctor", "--", "sh", "-c", script], 3, ""));
        Row::new().ends(&["certify", "--only", PLAIN, "--cases", "2", "--", "sh", "-c", script], 3, says);
    });
}

/// Targets that go wrong later; what counts is that the run ends, and how.
#[rstest]
#[case::ends_at_a_delivery("deliver) exit 7 ;;", 1)]
#[case::ends_by_a_signal_at_a_delivery("deliver) kill -9 $$ ;;", 1)]
#[case::ends_when_asked_to_show("observe) exit 7 ;;", 1)]
#[case::answers_twice("deliver) answer ',\"status\":200'; answer ',\"status\":200' ;;", 3)]
#[case::answers_with_no_status("deliver) answer ',\"status\":99999' ;;", 3)]
#[case::shows_another_order("observe) answer ',\"state\":{\"orderId\":\"1\",\"status\":\"refunded\",\"refundedAmount\":1}' ;;", 1)]
#[case::shows_no_amount(
    "observe) answer ',\"state\":{\"orderId\":\"'\"$order\"'\",\"status\":\"refunded\",\"refundedAmount\":\"NaN\"}' ;;",
    3
)]
#[case::shows_a_huge_amount(
    "observe) answer ',\"state\":{\"orderId\":\"'\"$order\"'\",\"status\":\"refunded\",\"refundedAmount\":1e400}' ;;",
    3
)]
#[case::leaves_a_child("deliver) sleep 300 & answer ',\"status\":200' ;;", 1)]
#[case::floods_standard_error("deliver) head -c 3000000 /dev/zero | tr '\\0' 'e' >&2; answer ',\"status\":200' ;;", 1)]
#[case::does_not_say_goodbye("bye) trap '' TERM; exec sleep 300 ;;", 1)]
fn who_goes_wrong_later(#[case] answers: &str, #[case] code: i32) {
    let row = with_target(answers);
    let args = ["certify", "--only", PLAIN, "--cases", "2", "--jobs", "1", "--report", "json=r.json", "--report", "html=r.html"];
    row.ends(&[&args[..], &TARGET].concat(), code, "");
    row.ends(&["verify", "r.json"], 0, "the record holds");
    assert!(row.place.read("r.html").len() < 2_000_000, "the page is small whatever the target says");
}

#[test]
fn a_folder_of_its_own_is_gone_afterwards() {
    let row = with_target("deliver) echo \"$0\" > \"$folder/state\"; answer ',\"status\":200' ;;");
    row.place.write("run.sh", "folder=$1; export folder; exec sh target.sh");
    row.ends(&["certify", "--only", PLAIN, "--cases", "2", "--", "sh", "run.sh", "{folder}"], 1, "");
}

#[test]
fn what_is_not_the_harnesss_own_stays() {
    let row = Row::new();
    for (name, text) in [("own/notes.txt", "mine"), ("own/x.snap.bak", "mine"), ("refundproof-failures/notes.txt", "mine")] {
        fs::create_dir_all(row.place.path(name).parent().expect("a folder")).expect("a folder");
        row.place.write(name, text);
    }
    row.ends(&["snapshot", "--dir", "own"], 0, "recorded in own");
    row.ends(&["certify", FAULT, "--only", BROKEN, "--cases", "5"], 1, "");
    for name in ["own/notes.txt", "own/x.snap.bak", "refundproof-failures/notes.txt"] {
        assert_eq!(row.place.read(name), "mine");
    }
}
