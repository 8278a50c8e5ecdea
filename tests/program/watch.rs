//! `certify --watch`, with files that really change.

use std::fs;

use crate::common::place::{BROKEN, FAULT, PLAIN, Place, ended, eventually, interrupt, shell_target};

/// What the shell target does with a delivery.
const ANSWERS: &str = r#"printf '{"id":%s,"ok":true,"status":200}\n' "$id""#;

#[test]
fn it_certifies_again_when_the_target_changes() {
    let place = Place::new();
    place.write("target.sh", &shell_target("{}"));
    let args = ["certify", "--watch", "--only", PLAIN, "--cases", "1", "--report", "json=report.json", "--", "sh", "target.sh", ANSWERS];
    let child = place.command(&args).spawn().expect("the program runs");
    for change in 0..2 {
        eventually("a report", || fs::read_to_string(place.path("report.json")).is_ok_and(|text| text.ends_with("}\n")));
        fs::remove_file(place.path("report.json")).expect("a report");
        place.write("target.sh", &format!("{}# {change}\n", shell_target("{}")));
    }
    eventually("a third report", || place.path("report.json").exists());
    interrupt(&child);
    let ran = ended(child);
    assert_eq!(ran.code, Some(130), "{}{}", ran.out, ran.err);
}

#[test]
fn what_it_writes_itself_is_no_change() {
    let place = Place::new();
    place.write("notes.txt", "");
    let args = ["certify", "--watch", "--watch-path", ".", "--only", BROKEN, "--cases", "20", "--report", "json=report.json", FAULT];
    let child = place.command(&args).spawn().expect("the program runs");
    eventually("a saved case", || place.path("refundproof-failures").exists() && place.path("report.json").exists());
    // Twice as long as it waits for quiet.
    std::thread::sleep(std::time::Duration::from_millis(600));
    interrupt(&child);
    let ran = ended(child);
    assert_eq!(ran.out.matches("waits for changes in").count(), 1, "{}", ran.out);
}

#[test]
fn it_must_know_what_to_watch() {
    let place = Place::new();
    place.complains(&["certify", "--watch"], 2, &["--watch: nothing of the target is a file here", "--watch-path"]);
    place.complains(&["certify", "--watch", "--watch-path", "nowhere"], 2, &["--watch: ", "nowhere", "--watch-path"]);
}
