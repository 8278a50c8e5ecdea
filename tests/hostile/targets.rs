//! Targets over standard input and output that decline, babble, hang, flood or leave something behind.

use std::fs;

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
