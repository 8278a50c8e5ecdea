//! Texts that command a terminal or a CI server, wherever they come from.

use std::{fs, sync::OnceLock};

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    Row,
    common::place::{BROKEN, FAULT, PLAIN, Place},
    records::{faulty, forged, good, good_shard, shard},
    targets::{TARGET, with_target},
};

/// Clears the screen, rings, turns the direction of writing, goes back on the line, and gives commands to CI servers.
pub(crate) const EVIL: &str =
    "\x1b[2J\x07\u{202e}\u{9b}31m\r\n::error::evil\n  ::set-output name=a::b\n##[error]evil ##vso[task.complete]\u{2066}";

/// The case of the fault.
pub(crate) fn case() -> &'static str {
    static CASE: OnceLock<String> = OnceLock::new();
    CASE.get_or_init(|| {
        let place = Place::new();
        place.run(&["certify", FAULT, "--only", BROKEN, "--cases", "5"]);
        let path = fs::read_dir(place.path("refundproof-failures")).expect("a folder").next().expect("a case").expect("an entry").path();
        fs::read_to_string(path).expect("a case")
    })
}

// ---- arguments

#[rstest]
#[case::no_command(&[EVIL], "unrecognized subcommand")]
#[case::no_option(&["certify", &format!("--{EVIL}")], "unexpected argument")]
#[case::no_target(&["certify", EVIL], "cannot be read")]
#[case::no_builtin(&["certify", &format!("builtin:{EVIL}")], "is no built-in target")]
#[case::no_fault(&["certify", &format!("builtin:fault/{EVIL}")], "there is no fault")]
#[case::no_seed(&["certify", "--seed", EVIL], "a seed is a whole number")]
#[case::no_number(&["certify", "--cases", EVIL], "invalid value")]
#[case::no_time(&["certify", "--settle", EVIL], "a time is a whole number")]
#[case::no_shard(&["certify", "--shard", EVIL], "a shard is K/N")]
#[case::no_format(&["certify", "--report", &format!("{EVIL}=r")], "is no report format")]
#[case::no_folder(&["certify", "--report", &format!("json={EVIL}/r")], "cannot be written")]
#[case::no_item(&["certify", "--without", EVIL], "is no item")]
#[case::no_glob(&["certify", "--only", &format!("[{EVIL}")], "error: ")]
#[case::no_requirement(&["certify", "--only", EVIL], "leave nothing to run")]
#[case::no_provider(&["certify", "--provider", EVIL], "is unknown")]
#[case::no_corpus(&["list", "--corpus", EVIL], "error: ")]
#[case::no_list(&["certify", "--known-failing", EVIL], "cannot be read")]
#[case::no_colour(&["list", "--color", EVIL], "invalid value")]
#[case::no_id(&["explain", EVIL], "is neither a requirement nor a fault")]
#[case::no_case(&["show", EVIL], "cannot be read")]
#[case::no_case_to_replay(&["replay", EVIL], "cannot be read")]
#[case::no_report(&["verify", EVIL], "cannot be read")]
#[case::no_report_to_merge(&["merge", EVIL], "cannot be read")]
#[case::no_url(&["certify", &format!("http://{EVIL}")], "also say where an order is shown")]
#[case::no_url_of_a_state(&["certify", "http://127.0.0.1:1/", "--state-url", EVIL], "error: ")]
#[case::no_url_of_init(&["init", "--webhook-url", EVIL, "--state-url", EVIL], "is no URL")]
#[case::nothing_to_watch(&["certify", "--watch", "--watch-path", EVIL], "--watch")]
fn arguments(#[case] args: &[&str], #[case] says: &str) {
    Row::new().complains(args, 2, says);
}

#[test]
fn a_command_that_there_is_not() {
    Row::new().complains(&["certify", "--only", PLAIN, "--", EVIL], 3, "was not found");
    Row::new().ends(&["doctor", "--", EVIL], 3, "was not found");
}

#[test]
fn files_of_such_names() {
    let row = Row::new();
    let (case, name) = (format!("{}.json", EVIL.replace('/', "")), EVIL);
    row.place.write(&case, case_with(|_| {}).as_str());
    row.place.write(name, good_shard());
    row.ends(&["show", &case], 0, "refund.complete");
    row.ends(&["replay", &case, FAULT], 1, "must be");
    row.ends(&["verify", name], 0, "the record holds");
    row.ends(&["merge", name], 0, "conformant");
    row.ends(&["merge", name, name], 2, "and so is");
}

#[test]
fn folders_of_such_names() {
    let row = Row::new();
    row.ends(&["certify", FAULT, "--only", BROKEN, "--cases", "5", "--failures", EVIL], 1, "  case  ");
    row.ends(&["certify", FAULT, "--only", BROKEN, "--cases", "5", "--failures", EVIL], 1, "played first");
    row.ends(&["snapshot", "--dir", EVIL], 0, "recorded in");
    row.ends(&["init", "--dir", &format!("{EVIL}/new"), "--", "python3", EVIL], 0, "wrote ");
}

#[test]
fn snapshots_of_such_names() {
    let row = Row::new();
    fs::create_dir(row.place.path("own")).expect("a folder");
    row.place.write(&format!("own/{}.snap", EVIL.replace('/', "")), "---\ndescription: x\n---\nx\n");
    row.ends(&["snapshot", "--dir", "own"], 1, "is of no sequence that there is");
}

// ---- case files

#[track_caller]
fn case_with(change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(case()).expect("JSON");
    change(&mut value);
    value.to_string()
}

#[rstest]
#[case::title(|case: &mut Value| case["title"] = EVIL.into())]
#[case::kind(|case: &mut Value| case["entries"][0]["deliver"]["event"]["type"] = EVIL.into())]
#[case::fault(|case: &mut Value| case["entries"][0]["deliver"]["fault"] = EVIL.into())]
#[case::mutation(|case: &mut Value| case["entries"][0]["deliver"]["mutation"] = EVIL.into())]
#[case::id_of_an_event(|case: &mut Value| case["entries"][0]["deliver"]["event"]["id"] = EVIL.into())]
#[case::id_of_a_refund(|case: &mut Value| {
    let refund = json!({"refund": {"id": EVIL, "state": "succeeded", "amount": "1.00", "refundedAmount": "1.00"}});
    case["entries"][0]["deliver"]["event"]["tells"] = json!([refund]);
    case["expect"][0]["refunds"] = json!([{"id": EVIL, "state": "succeeded", "amount": "1.00", "refundedAmount": "1.00"}]);
})]
#[case::header(|case: &mut Value| case["entries"][0]["deliver"]["headers"] = json!({ EVIL: EVIL, "x": "$(touch pwned)`touch pwned`'; touch pwned #" }))]
#[case::body(|case: &mut Value| case["entries"][0]["deliver"]["body"] = EVIL.into())]
#[case::body_that_runs(|case: &mut Value| case["entries"][0]["deliver"]["body"] = "'; touch pwned; $(touch pwned) `touch pwned` \\'".into())]
#[case::currency(|case: &mut Value| case["orders"][0]["currency"] = EVIL.into())]
#[case::provider(|case: &mut Value| case["provider"] = EVIL.into())]
#[case::requirement(|case: &mut Value| case["requirement"] = EVIL.into())]
#[case::member(|case: &mut Value| case[EVIL] = EVIL.into())]
#[case::amount(|case: &mut Value| case["orders"][0]["capturedAmount"] = EVIL.into())]
#[case::schema(|case: &mut Value| case["schema"] = EVIL.into())]
#[case::own_refund(|case: &mut Value| {
    let order = case["orders"][0]["orderId"].clone();
    let refund = json!({ "id": EVIL, "amount": "1.00", "currency": "USD" });
    case["entries"][0] = json!({ "initiate": { "orderId": order, "refund": refund } });
})]
fn cases(#[case] change: fn(&mut Value)) {
    let row = Row::new();
    row.place.write("case.json", &case_with(change));
    let code = |args: &[&str]| {
        let ran = row.run(args);
        crate::is_harmless(&ran.out, false);
        crate::is_harmless(&ran.err, false);
        assert!(matches!(ran.code, Some(0..=3)), "{args:?}: {:?}\n{}", ran.code, ran.err);
        (ran.code, ran.out)
    };
    code(&["show", "case.json"]);
    code(&["replay", "case.json"]);
    code(&["replay", "case.json", FAULT]);
    let (shown, commands) = code(&["show", "case.json", "--curl", "--secret", "s"]);
    if shown == Some(0) {
        runs_nothing_but_curl(&row.place, &commands);
    }
    row.nothing_is_left();
}

/// The commands, pasted into a shell that has another `curl`: each does nothing but call it.
#[track_caller]
fn runs_nothing_but_curl(place: &Place, commands: &str) {
    fs::create_dir(place.path("bin")).expect("a folder");
    place.write("bin/curl", "#!/bin/sh\ncat > /dev/null\necho called >> called\n");
    let script = format!("chmod +x bin/curl; PATH=$PWD/bin:$PATH; WEBHOOK_URL=http://127.0.0.1:9/\n{commands}");
    let ran = std::process::Command::new("sh").args(["-c", &script]).current_dir(&place.0).output().expect("sh");
    assert!(ran.status.success() && ran.stderr.is_empty(), "{}\n{commands}", String::from_utf8_lossy(&ran.stderr));
    assert!(!place.path("pwned").exists(), "{commands}");
    let deliveries = commands.lines().filter(|line| line.starts_with("printf ")).count();
    assert_eq!(place.read("called").lines().count(), deliveries, "{commands}");
}

/// Cases of which there is no end.
#[rstest]
#[case::entries(|case: &mut Value| case["entries"] = vec![case["entries"][0].clone(); 2000].into(), 0)]
#[case::orders(|case: &mut Value| case["orders"] = vec![case["orders"][0].clone(); 10_000].into(), 2)]
#[case::a_body(|case: &mut Value| case["entries"][0]["deliver"]["body"] = "[".repeat(4_000_000).into(), 0)]
#[case::a_title(|case: &mut Value| case["title"] = "t ".repeat(2_000_000).into(), 0)]
#[case::values(|case: &mut Value| case["x"] = vec![json!(0); 1_000_000].into(), 2)]
fn long_cases(#[case] change: fn(&mut Value), #[case] code: i32) {
    let row = Row::new();
    row.place.write("case.json", &case_with(change));
    row.ends(&["show", "case.json"], code, "");
    row.ends(&["show", "case.json", "--curl"], code, "");
    let replayed = row.run(&["replay", "case.json"]).code;
    assert!(matches!(replayed, Some(0..=3)), "{replayed:?}");
    row.nothing_is_left();
}

// ---- reports

#[rstest]
#[case::name_of_the_target("/target/name")]
#[case::version_of_the_target("/target/version")]
#[case::transport("/target/transport")]
#[case::remark("/target/remarks/0")]
#[case::note("/requirements/0/note")]
#[case::message("/findings/0/message")]
#[case::diff_of_a_finding("/findings/0/diff")]
#[case::expected("/findings/0/expected")]
#[case::observed("/findings/0/observed")]
#[case::file("/findings/0/file")]
#[case::command("/findings/0/reproduce")]
#[case::answer("/findings/0/answers/0")]
#[case::standard_error("/findings/0/stderr")]
#[case::case_of_a_finding("/findings/0/case")]
fn reports_that_hold(#[case] pointer: &str) {
    let row = Row::new().with("GITHUB_STEP_SUMMARY", "s.md");
    let change = |report: &mut Value| {
        if pointer == "/target/remarks/0" {
            report["target"]["remarks"] = json!([EVIL]);
        } else if let Some(place) = report.pointer_mut(pointer) {
            *place = EVIL.into();
        } else {
            let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
            report.pointer_mut(parent).expect("it is there")[member] = EVIL.into();
        }
    };
    row.place.write("whole.json", &forged(faulty(), change));
    row.ends(&["verify", "whole.json"], 0, "the record holds");
    row.place.write("shard.json", &forged(shard(), change));
    let reports = ["--report", "markdown=r.md", "--report", "junit=r.xml", "--report", "html=r.html"];
    row.ends(&[&["merge", "shard.json"][..], &reports].concat(), 1, "not-conformant");
    for name in ["r.md", "r.xml", "r.html", "s.md"] {
        let text = row.place.read(name);
        assert!(!text.contains(['\x1b', '\x07', '\u{202e}', '\u{9b}', '\u{2066}']), "{name}");
    }
}

#[rstest]
#[case::provider("/provider", 2)]
#[case::schema("/schema", 2)]
#[case::version_of_the_suite("/suite/version", 1)]
#[case::digest_of_the_suite("/suite/digest", 1)]
#[case::shard("/shard", 1)]
#[case::cut_short("/interrupted", 1)]
#[case::item("/requirements/0/item", 1)]
#[case::requirement("/requirements/0/id", 1)]
#[case::source("/requirements/0/source", 1)]
#[case::note_of_the_snapshots("/snapshots/note", 1)]
#[case::pattern("/options/only", 1)]
#[case::left_out("/options/without", 1)]
#[case::subscription("/target/capabilities/subscribes", 1)]
#[case::level("/requirements/0/level", 2)]
#[case::verdict("/requirements/0/verdict", 2)]
#[case::a_text_for_a_number("/seed", 2)]
fn reports_that_do_not(#[case] pointer: &str, #[case] code: i32) {
    let row = Row::new();
    let mut report: Value = serde_json::from_str(good()).expect("JSON");
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
    let list = ["only", "without", "subscribes"].contains(&member);
    report.pointer_mut(parent).expect("it is there")[member] = if list { json!([EVIL]) } else { EVIL.into() };
    row.place.write("r.json", &report.to_string());
    row.ends(&["verify", "r.json"], code, "");
    row.complains(&["merge", "r.json"], 2, "r.json: ");
}

// ---- lists and target files

#[test]
fn reasons_in_lists() {
    let row = Row::new().with("GITHUB_ACTIONS", "true");
    let args = ["certify", FAULT, "--only", BROKEN, "--cases", "5"];
    row.ends(&[&args[..], &["--write-known-failing", "k.toml"]].concat(), 1, "");
    let reason = toml_text(EVIL);
    row.place.write("k.toml", &row.place.read("k.toml").replace("reason = \"\"", &format!("reason = {reason}")));
    row.ends(&[&args[..], &["--known-failing", "k.toml"]].concat(), 0, "accepted until");
}

fn toml_text(text: &str) -> String {
    let escaped: String = text.chars().map(|character| format!("\\U{:08X}", u32::from(character))).collect();
    format!("\"{escaped}\"")
}

/// Settings that are deep, long or wide.
#[rstest]
#[case::deep(&format!("a = {}", "[".repeat(200_000)))]
#[case::deep_tables(&format!("[{}a]", "a.".repeat(100_000)))]
#[case::wide(&format!("a = [{}0]", "0,".repeat(120_000)))]
#[case::many_tables(&"[[a]]\n".repeat(40_000))]
#[case::a_long_text(&format!("a = \"{}\"", "t".repeat(250_000)))]
#[case::too_large(&"# comment\n".repeat(30_000))]
fn long_settings(#[case] text: &str) {
    let row = Row::new();
    row.place.write("x.toml", text);
    row.complains(&["certify", "x.toml"], 2, "x.toml: ");
    row.complains(&["certify", "--known-failing", "x.toml"], 2, "x.toml: ");
}

#[rstest]
#[case::unknown_key("[target]\ncommand = [\"true\"]\nKEY = 1\n")]
#[case::unknown_table("[KEY]\n[target]\ncommand = [\"true\"]\n")]
#[case::variable("[target]\nsecret_env = KEY\ncommand = [\"true\"]\n")]
#[case::header("[target]\nsignature_header = KEY\ncommand = [\"true\"]\n")]
#[case::item("[target]\nwithout = [KEY]\ncommand = [\"true\"]\n")]
#[case::capability("[target]\n[capabilities]\nKEY = true\n[http]\nwebhook_url = \"http://a/\"\nstate_url = \"http://a/{orderId}\"\n")]
#[case::url("[target]\n[http]\nwebhook_url = KEY\nstate_url = \"http://a/{orderId}\"\n")]
#[case::name_of_a_header(
    "[target]\n[http]\nwebhook_url = \"http://127.0.0.1:1/\"\nstate_url = \"http://127.0.0.1:1/{orderId}\"\nheaders = { KEY = \"env:NONE\" }\n"
)]
#[case::time(
    "[target]\n[server]\ncommand = [\"true\"]\nready_within = KEY\n[http]\nwebhook_url = \"http://127.0.0.1:1/\"\nstate_url = \"http://127.0.0.1:1/{orderId}\"\n"
)]
fn target_files(#[case] text: &str) {
    let row = Row::new();
    row.place.write("t.toml", &text.replace("KEY", &toml_text(EVIL)));
    row.complains(&["certify", "t.toml"], 2, "");
    // Only a certification asks what is left out.
    row.ends(&["doctor", "t.toml"], if text.contains("without") { 3 } else { 2 }, "");
}

// ---- targets

#[rstest]
#[case::its_name("hello) answer ',\"name\":\"EVIL\",\"version\":\"EVIL\",\"capabilities\":{}' ;;", 1, 0)]
#[case::its_standard_error("deliver) printf 'EVIL\\n' >&2; answer ',\"status\":200' ;;", 1, 0)]
#[case::what_it_declines_with("deliver) printf '{\"id\":%s,\"ok\":false,\"error\":\"EVIL\"}\\n' \"$id\" ;;", 3, 3)]
#[case::what_it_cannot_say("observe) printf 'EVIL\\n' ;;", 3, 3)]
#[case::a_currency(
    "observe) answer ',\"state\":{\"orderId\":\"'\"$order\"'\",\"status\":\"refunded\",\"refundedAmount\":1,\"currency\":\"EVIL\"}' ;;",
    1,
    0
)]
#[case::a_refund(
    "observe) answer ',\"state\":{\"orderId\":\"'\"$order\"'\",\"status\":\"refunded\",\"refundedAmount\":1,\"refunds\":[{\"id\":\"EVIL\",\"state\":\"succeeded\",\"refundedAmount\":1}]}' ;;",
    1,
    0
)]
#[case::a_subscription("hello) answer ',\"name\":\"a\",\"version\":\"1\",\"capabilities\":{\"subscribes\":[\"*\",\"EVIL\"]}' ;;", 1, 0)]
#[case::a_capability("hello) answer ',\"name\":\"a\",\"version\":\"1\",\"capabilities\":{\"EVIL\":true}' ;;", 3, 3)]
fn targets(#[case] answers: &str, #[case] certified: i32, #[case] visited: i32) {
    // As JSON spells it; the shell's own spelling of a backslash is two of them.
    let json = serde_json::to_string(EVIL).expect("JSON");
    let spelt = json.trim_matches('"').replace('\\', "\\\\").replace('%', "%%");
    let row = with_target(&answers.replace("EVIL", &spelt));
    row.place.write("case.json", case());
    let certify = ["certify", "--only", BROKEN, "--cases", "2", "--jobs", "1"];
    let reports = ["--report", "markdown=r.md", "--report", "junit=r.xml", "--report", "html=r.html"];
    row.ends(&[&certify[..], &reports, &TARGET].concat(), certified, "");
    row.ends(&[&["doctor"][..], &TARGET].concat(), visited, "");
    row.ends(&[&["replay", "case.json"][..], &TARGET].concat(), certified, "");
    for name in ["r.md", "r.xml", "r.html"] {
        // A target that does not introduce itself has no report.
        let text = fs::read_to_string(row.place.path(name)).unwrap_or_default();
        assert!(!text.contains(['\x1b', '\x07', '\u{202e}', '\u{9b}', '\u{2066}']), "{name}");
    }
}

#[test]
fn in_colours() {
    let row = with_target("hello) answer ',\"name\":\"\\\\u001b[2Jx\",\"version\":\"1\",\"capabilities\":{}' ;;");
    for (args, code) in [(&["certify", "--only", PLAIN, "--cases", "1"][..], 1), (&["doctor"], 0)] {
        let ran = row.ends(&[args, &["--color=always"], &TARGET].concat(), code, "");
        assert!(ran.out.contains("\x1b[") && !ran.out.contains("\x1b[2J"), "{}", ran.out);
    }
}

/// Markup of every format that reports are written in.
const MARKUP: &str = "[x](javascript:alert(1)) ![x](javascript:alert(1)) <img src=x onerror=alert(1)> </script><script>alert(1)</script> \
    ]]> --> ``` ` | @everyone <javascript:alert(1)> http://evil.example/ ${{ secrets.X }} &lt; %0A";

/// Nothing that a target or a report says is a link, a picture or a script.
#[test]
fn markup_is_text() {
    use pulldown_cmark::{Event, Options, Parser, Tag};

    let row = Row::new().with("GITHUB_ACTIONS", "true").with("GITHUB_STEP_SUMMARY", "s.md");
    let forged = forged(shard(), |report| {
        for place in ["/target/name", "/target/version", "/findings/0/message", "/findings/0/diff", "/findings/0/expected"] {
            *report.pointer_mut(place).expect("it is there") = MARKUP.into();
        }
        for place in ["observed", "file", "reproduce", "stderr", "case"] {
            report["findings"][0][place] = MARKUP.into();
        }
        report["findings"][0]["answers"] = json!([MARKUP]);
        report["target"]["remarks"] = json!([MARKUP]);
    });
    row.place.write("shard.json", &forged);
    let reports = ["--report", "markdown=r.md", "--report", "junit=r.xml", "--report", "html=r.html"];
    row.ends(&[&["merge", "shard.json"][..], &reports].concat(), 1, "not-conformant");
    for name in ["r.md", "s.md"] {
        let text = row.place.read(name);
        for event in Parser::new_ext(&text, Options::all()) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    assert!(!dest_url.contains("javascript") && !dest_url.contains("evil"), "{name}: {dest_url}");
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    assert!(!html.contains("<img") && !html.contains("<script"), "{name}: {html}");
                }
                _ => {}
            }
        }
    }
    let page = row.place.read("r.html");
    assert!(!page.contains("<img src=x") && !page.contains("</script><script>alert"), "{page}");
    let text = row.place.read("r.xml");
    let mut xml = quick_xml::Reader::from_str(&text);
    loop {
        match xml.read_event().expect("XML") {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                assert!(!matches!(tag.name().as_ref(), b"img" | b"script"), "{text}");
            }
            _ => {}
        }
    }
}
