//! Files that are none, or of which there is no end, where the program reads or writes one.

use std::{
    fs::{self, File},
    os::unix::{
        fs::{FileTypeExt, symlink},
        net::UnixListener,
    },
    process::Command,
};

use rstest::rstest;

use crate::{
    Row,
    common::place::{BROKEN, FAULT, PLAIN, Place},
};

/// What stands where a file should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pipe,
    Folder,
    Endless,
    Terminal,
    Huge,
    Socket,
    Loop,
    NotText,
    Dangling,
}

impl Place {
    fn make(&self, kind: Kind, name: &str) {
        let path = self.path(name);
        match kind {
            Kind::Pipe => assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success()),
            Kind::Folder => fs::create_dir(&path).expect("a folder"),
            Kind::Endless => symlink("/dev/zero", &path).expect("a link"),
            Kind::Terminal => symlink("/dev/ptmx", &path).expect("a link"),
            // It takes no room on the disk.
            Kind::Huge => File::create(&path).and_then(|file| file.set_len(1 << 36)).expect("a file"),
            Kind::Socket => drop(UnixListener::bind(&path).expect("a socket")),
            Kind::Loop => symlink(path.file_name().expect("a name"), &path).expect("a link"),
            Kind::NotText => fs::write(&path, b"\xff\xfe\0").expect("a file"),
            Kind::Dangling => symlink("nowhere/else", &path).expect("a link"),
        }
    }
}

#[rstest]
#[case::as_target_file(&["certify", "x"])]
#[case::as_target_file_of_doctor(&["doctor", "x"])]
#[case::as_target_file_of_snapshot(&["snapshot", "x", "--dir", "own"])]
#[case::as_case_to_show(&["show", "x"])]
#[case::as_case_to_replay(&["replay", "x"])]
#[case::as_target_to_replay_against(&["replay", "case.json", "x"])]
#[case::as_list(&["certify", "--known-failing", "x"])]
#[case::as_list_of_merge(&["merge", "whatever.json", "--known-failing", "x"])]
#[case::as_report_to_verify(&["verify", "x"])]
#[case::as_report_to_merge(&["merge", "x"])]
fn no_file_is_read(
    #[values(Kind::Pipe, Kind::Folder, Kind::Endless, Kind::Terminal, Kind::Huge, Kind::Socket, Kind::Loop, Kind::NotText, Kind::Dangling)]
    kind: Kind,
    #[case] args: &[&str],
) {
    let row = Row::new();
    row.place.make(kind, "x");
    row.place.write("case.json", crate::texts::case());
    row.place.write("whatever.json", crate::records::shard());
    row.complains(args, 2, "x: cannot be read: ");
}

#[rstest]
fn no_list_is_read_before_it_is_written(#[values(Kind::Pipe, Kind::Folder, Kind::Endless, Kind::Huge, Kind::Socket)] kind: Kind) {
    let row = Row::new();
    row.place.make(kind, "x");
    row.complains(&["certify", "--only", PLAIN, "--cases", "1", "--write-known-failing", "x"], 2, "x: cannot be read: ");
}

#[rstest]
#[case::pipe(Kind::Pipe, 2, "x: cannot be written: it is a pipe that nobody reads")]
#[case::folder(Kind::Folder, 2, "x: cannot be written: it is a folder")]
#[case::socket(Kind::Socket, 2, "x: cannot be written: it is a socket")]
#[case::device(Kind::Endless, 0, "")]
#[case::huge(Kind::Huge, 0, "")]
#[case::dangling(Kind::Dangling, 0, "")]
fn no_file_is_written(
    #[values("json", "junit", "markdown", "html")] format: &str,
    #[case] kind: Kind,
    #[case] code: i32,
    #[case] says: &str,
) {
    let row = Row::new();
    row.place.make(kind, "x");
    let report = format!("{format}=x");
    row.ends(&["certify", "--only", PLAIN, "--cases", "1", "--report", &report], code, says);
}

#[test]
fn a_device_stays_a_device() {
    Row::new().ends(&["certify", "--only", PLAIN, "--cases", "1", "--report", "json=/dev/null"], 0, "");
    assert!(fs::metadata("/dev/null").expect("the device").file_type().is_char_device());
}

#[rstest]
#[case::below_a_file("file/r.json")]
#[case::in_no_folder("no/such/r.json")]
#[case::a_folder_by_its_name(".")]
#[case::the_folder_above("..")]
#[case::a_name_that_is_too_long(&format!("{}.json", "r".repeat(300)))]
fn no_report_can_be_there(#[case] path: &str) {
    let row = Row::new();
    row.place.write("file", "");
    let ran = row.complains(&["certify", FAULT, "--only", BROKEN, "--report", &format!("json={path}")], 2, "cannot be written");
    assert_eq!(ran.out, "", "it was seen only after the run");
}

#[rstest]
#[case::itself("a.json")]
#[case::with_a_dot("./a.json")]
#[case::through_a_folder("sub/../a.json")]
#[case::through_a_linked_folder("here/a.json")]
#[case::by_a_link("link.json")]
fn one_path_for_two_reports(#[case] other: &str) {
    let row = Row::new();
    fs::create_dir(row.place.path("sub")).expect("a folder");
    symlink(".", row.place.path("here")).expect("a link");
    row.place.write("a.json", "before");
    symlink("a.json", row.place.path("link.json")).expect("a link");
    let (one, other) = ("json=a.json", format!("html={other}"));
    for args in [["--report", one, "--report", &other], ["--report", &other, "--report", one]] {
        let args = [&["certify", "--only", PLAIN][..], &args[..]].concat();
        row.complains(&args, 2, "two reports would be written there");
    }
    assert_eq!(row.place.read("a.json"), "before");
}

#[test]
fn one_absolute_path_for_two_reports() {
    let row = Row::new();
    let other = format!("junit={}", row.place.path("a.json").display());
    row.complains(&["certify", "--report", "json=a.json", "--report", &other], 2, "two reports would be written there");
}

#[rstest]
#[case::itself("k.toml")]
#[case::with_a_dot("./k.toml")]
fn one_path_for_a_report_and_a_list(#[case] report: &str) {
    let report = format!("json={report}");
    Row::new().complains(&["certify", "--report", &report, "--write-known-failing", "k.toml"], 2, "a report and the list");
}

#[rstest]
#[case::pipe(Kind::Pipe)]
#[case::endless(Kind::Endless)]
#[case::folder(Kind::Folder)]
#[case::huge(Kind::Huge)]
#[case::socket(Kind::Socket)]
#[case::dangling(Kind::Dangling)]
fn among_saved_cases(#[case] kind: Kind) {
    let row = Row::new();
    fs::create_dir(row.place.path("refundproof-failures")).expect("a folder");
    row.place.make(kind, "refundproof-failures/x.json");
    row.ends(&["certify", "--only", PLAIN, "--cases", "1"], 0, "refundproof-failures/x.json: passed over; cannot be read: ");
}

#[rstest]
fn as_folder_of_saved_cases(#[values(Kind::Pipe, Kind::Endless, Kind::Huge, Kind::Socket)] kind: Kind) {
    let row = Row::new();
    row.place.make(kind, "x");
    row.complains(&["certify", FAULT, "--only", BROKEN, "--failures", "x"], 2, "x: is not a folder");
}

#[rstest]
fn among_snapshots(#[values(Kind::Pipe, Kind::Endless, Kind::Folder, Kind::Huge, Kind::Socket, Kind::NotText)] kind: Kind) {
    let row = Row::new();
    fs::create_dir(row.place.path("own")).expect("a folder");
    row.place.make(kind, "own/x.snap");
    row.complains(&["snapshot", "--dir", "own"], 2, "own/x.snap: cannot be read: ");
}

#[rstest]
fn in_a_corpus(
    #[values(Kind::Pipe, Kind::Endless, Kind::Huge, Kind::Socket, Kind::Loop, Kind::Dangling)] kind: Kind,
    #[values("corpus/x", "corpus/digital-river/x", "snapshots/digital-river/x")] name: &str,
) {
    let row = Row::new();
    fs::create_dir_all(row.place.path("corpus/digital-river")).expect("a folder");
    fs::create_dir_all(row.place.path("snapshots/digital-river")).expect("a folder");
    row.place.make(kind, name);
    // What lies beside the provider's own folder is another provider's.
    let says = if name == "corpus/x" { "catalogue.toml" } else { "x: cannot be read: " };
    row.complains(&["list", "--corpus", "corpus"], 2, says);
    row.complains(&["list", "--corpus", "corpus/digital-river"], 2, says);
}

#[test]
fn a_corpus_that_leads_into_itself() {
    let row = Row::new();
    fs::create_dir(row.place.path("corpus")).expect("a folder");
    symlink(".", row.place.path("corpus/again")).expect("a link");
    row.complains(&["list", "--corpus", "corpus"], 2, "too deep");
}

#[rstest]
fn as_folder_of_snapshots(#[values(Kind::Pipe, Kind::Endless, Kind::Huge, Kind::Socket)] kind: Kind) {
    let row = Row::new();
    row.place.make(kind, "x");
    row.complains(&["snapshot", "--dir", "x"], 2, "x: is not a folder");
}

#[rstest]
fn as_summary_of_the_step(#[values(Kind::Pipe, Kind::Endless, Kind::Folder, Kind::Socket)] kind: Kind) {
    let row = Row::new().with("GITHUB_STEP_SUMMARY", "x");
    row.place.make(kind, "x");
    row.complains(&["certify", "--only", PLAIN, "--cases", "1"], 0, "x: cannot be written: it is ");
    row.ends(&["certify", FAULT, "--only", BROKEN, "--cases", "5"], 1, "x: cannot be written: it is ");
}

/// A report names the files of its cases; whoever made it up may name anything.
#[rstest]
fn as_case_that_a_report_names(#[values(Kind::Pipe, Kind::Endless, Kind::Folder, Kind::Huge)] kind: Kind) {
    let row = Row::new();
    row.place.make(kind, "x");
    row.place.write("s.json", &crate::records::forged(crate::records::shard(), |report| report["findings"][0]["file"] = "x".into()));
    row.ends(&["merge", "s.json"], 1, "not-conformant");
}

#[test]
fn a_link_leads_no_case_out_of_its_folder() {
    let row = Row::new();
    let args = ["certify", FAULT, "--only", BROKEN, "--cases", "5"];
    row.ends(&args, 1, "");
    let folder = row.place.path("refundproof-failures");
    let case = fs::read_dir(&folder).expect("a folder").next().expect("a case").expect("an entry").path();
    row.place.write("outside", "before");
    fs::remove_file(&case).and_then(|()| symlink("../outside", &case)).expect("a link");
    row.ends(&args, 1, "cannot be written: it is a symbolic link, and is left alone");
    assert_eq!(row.place.read("outside"), "before");
}

#[test]
fn a_link_leads_no_snapshot_out_of_its_folder() {
    let row = Row::new().with("INSTA_UPDATE", "always");
    row.ends(&["snapshot", "--dir", "own"], 0, "recorded in own");
    let entries = fs::read_dir(row.place.path("own")).expect("a folder");
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        fs::rename(&path, row.place.path(&name)).and_then(|()| symlink(format!("../{name}"), &path)).expect("a link");
    }
    row.complains(&["snapshot", FAULT, "--dir", "own"], 2, "it is a symbolic link, and is left alone");
}

#[test]
fn a_link_that_an_argument_names_is_followed() {
    let row = Row::new();
    row.place.write("r.json", "before");
    symlink("r.json", row.place.path("link.json")).expect("a link");
    row.ends(&["certify", "--only", PLAIN, "--cases", "1", "--report", "json=link.json"], 0, "");
    assert!(row.place.read("r.json").contains("conformant"));
    assert!(fs::symlink_metadata(row.place.path("link.json")).expect("a link").is_symlink());
}

/// A case that a Rust test replays.
#[rstest]
fn as_case_of_a_test(#[values(Kind::Pipe, Kind::Folder, Kind::Endless, Kind::Huge, Kind::Socket, Kind::NotText, Kind::Loop)] kind: Kind) {
    let row = Row::new();
    row.place.make(kind, "x");
    let error = refundproof::case::Case::from_file(&row.place.path("x")).expect_err("it is no case");
    assert!(error.to_string().contains("x: cannot be read: "), "{error}");
}

/// A report as large as one of a shard with very many cases is read, and one that is larger is not.
#[rstest]
#[case::large(31 << 20, 0, 0, "the record holds")]
#[case::too_large(33 << 20, 0, 2, "larger than 32 MiB")]
#[case::many_values(0, 1_100_000, 2, "more than 1000000 values")]
fn large_reports(#[case] blanks: usize, #[case] values: usize, #[case] code: i32, #[case] says: &str) {
    let row = Row::new();
    let more = if values > 0 { format!("\"x\":[{}0],", "0,".repeat(values)) } else { String::new() };
    row.place.write("r.json", &crate::records::good_shard().replacen('{', &format!("{{{}{more}", " ".repeat(blanks)), 1));
    row.ends(&["verify", "r.json"], code, says);
    row.ends(&["merge", "r.json"], code, "");
}

/// The report of a shard that ran this many cases.
#[test]
fn a_report_of_many_cases() {
    let row = Row::new();
    let long = crate::records::forged(crate::records::good_shard(), |report| {
        let ran = &mut report["requirements"][0]["trail"]["ran"];
        *ran = (0..200_000).map(|case| serde_json::json!({ "case": case, "exercised": true, "deliveries": 3 })).collect();
    });
    row.place.write("r.json", &long);
    // It is read, and not believed.
    row.ends(&["verify", "r.json"], 1, "200000");
    row.complains(&["merge", "r.json"], 2, "r.json: ");
}

#[rstest]
#[case::deep(&"[".repeat(4_000_000))]
#[case::deep_objects(&"{\"a\":".repeat(400_000))]
#[case::deep_and_closed(&format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)))]
#[case::wide(&format!("[{}0]", "0,".repeat(390_000)))]
#[case::a_long_text(&format!("{:?}", "x".repeat(7_000_000)))]
#[case::a_long_number(&"1".repeat(7_000_000))]
fn json_that_is_no_record(#[case] text: &str) {
    let row = Row::new();
    for schema in ["refundproof-case/1", "refundproof-report/2"] {
        row.place.write("bare.json", text);
        row.place.write("x.json", &format!("{{\"schema\":\"{schema}\",\"x\":{text}}}"));
        for name in ["bare.json", "x.json"] {
            row.complains(&["show", name], 2, name);
            row.complains(&["replay", name], 2, name);
            row.complains(&["verify", name], 2, name);
            row.complains(&["merge", name], 2, name);
        }
    }
}

/// Every file that a command writes, where nothing can be written.
#[rstest]
fn where_the_disk_is_full(#[values("json", "junit", "markdown", "html")] format: &str, #[values("certify", "merge")] command: &str) {
    let row = Row::new();
    row.place.write("s.json", crate::records::good_shard());
    let report = format!("{format}=/dev/full");
    let args: &[&str] = if command == "merge" { &["merge", "s.json"] } else { &["certify", "--only", PLAIN, "--cases", "1"] };
    row.complains(&[args, &["--report", &report]].concat(), 2, "/dev/full: cannot be written: No space left on device");
}

#[cfg(target_os = "linux")]
#[rstest]
#[case::list(&["certify", FAULT, "--only", BROKEN, "--cases", "5", "--write-known-failing", "/proc/x"], 2)]
#[case::report(&["certify", "--only", PLAIN, "--cases", "1", "--report", "json=/proc/x"], 2)]
#[case::cases(&["certify", FAULT, "--only", BROKEN, "--cases", "5", "--failures", "/proc/x"], 1)]
#[case::snapshots(&["snapshot", "--dir", "/proc/x"], 2)]
#[case::init(&["init", "--dir", "/proc/x", "--", "true"], 2)]
fn where_nobody_may_write(#[case] args: &[&str], #[case] code: i32) {
    Row::new().ends(args, code, "/proc/x");
}

#[test]
fn init_overwrites_nothing() {
    for kind in [Kind::Pipe, Kind::Folder, Kind::Dangling, Kind::Loop, Kind::Endless] {
        let row = Row::new();
        row.place.make(kind, "refundproof.toml");
        row.complains(&["init", "--", "python3", "shop.py"], 2, "refundproof.toml: is there already");
    }
}
