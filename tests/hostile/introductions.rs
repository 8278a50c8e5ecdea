//! Targets over standard input and output that do not even introduce themselves. Some are waited for, so they begin early among the rows.

use std::thread;

use rstest::rstest;

use crate::{Row, common::place::PLAIN};

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
