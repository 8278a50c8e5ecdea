//! The process: how it is started, ended, killed and started again, and what goes with it.

use std::{fs, panic, path::Path, process::Command};

use refundproof::adapter::{StdioSettings, StdioTarget, Target, Transport};
use rustix::process::{Pid, Signal, getpgid, kill_process};
use tempfile::TempDir;

use super::{LONG, SHORT, crashed, deliver, folder, greeted, hello, not_started, pid_in, shell, target, target_with};
use crate::common::place::{eventually, runs};

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
