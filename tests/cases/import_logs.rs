//! Logs are made of what the generator writes: what it wrote an event to tell must be what is read from the event's body.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use refundproof::{
    case::{Case, Delivery},
    import::{Format, Import, ImportError, Imported, Kind, LogLine, LoggedBody, Told, recognise},
    model::Tell,
    plan::{Recipe, for_recipe},
    provider::{Provider, lower, registered},
};

use crate::common::provider as first;

/// What an import told and made.
struct Came {
    imported: Imported,
    told: Vec<Told>,
    cases: Vec<Case>,
}

impl Came {
    fn unused(&self) -> Vec<String> {
        let words = |told: &Told| match told {
            Told::Unused { place, why } => Some(format!("{place}: {why}")),
            Told::Finding { place, what } => Some(format!("{place}: finding: {what}")),
            Told::Note { .. } => None,
        };
        self.told.iter().filter_map(words).collect()
    }
}

#[track_caller]
fn import_file(provider: &dyn Provider, log: &Path, format: Option<Format>) -> Came {
    let (mut told, mut cases) = (Vec::new(), Vec::new());
    let import = Import { provider, format, seed: 7, most_alike: 1000 };
    let imported = import.run(log, &mut |what| told.push(what), &mut |case| {
        cases.push(case);
        Ok(())
    });
    Came { imported: imported.expect("it is imported"), told, cases }
}

#[track_caller]
fn import(provider: &dyn Provider, log: &str) -> Came {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    fs::write(&path, log).expect("written");
    import_file(provider, &path, None)
}

fn line(body: &str) -> String {
    let logged = LogLine {
        at: None,
        method: Some("POST".to_owned()),
        path: None,
        headers: [("Content-Type".to_owned(), "application/json".to_owned())].into(),
        body: Some(LoggedBody::of(body.as_bytes())),
        status: Some(200),
    };
    serde_json::to_string(&logged).expect("JSON")
}

fn log(bodies: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut log = String::new();
    bodies.into_iter().for_each(|body| writeln!(log, "{}", line(body.as_ref())).expect("a string takes everything"));
    log
}

/// Cases of which every delivery is as the provider sends it, drawn by the recipe of plain refunds and disputes.
fn drawn(provider: &dyn Provider, recipe: Recipe, count: usize) -> Vec<Case> {
    let mut runner = TestRunner::deterministic();
    let strategy = for_recipe(recipe, provider.palette());
    let mut cases = Vec::new();
    for serial in 0..count {
        let mut plan = strategy.new_tree(&mut runner).expect("a plan").current();
        plan.only.clear();
        plan.steps.iter_mut().for_each(|step| step.faults.clear());
        cases.push(lower(provider, &plan, 1_000_000 + serial as u64).case);
    }
    cases
}

fn bodies(case: &Case) -> Vec<&str> {
    case.all_deliveries().filter_map(|delivery| delivery.body.text()).collect()
}

/// What is told, with ids and sums left out that are others or unknown in a log.
fn shape(delivery: &Delivery) -> Vec<String> {
    let of = |tell: &Tell| match tell {
        Tell::Refund { state, amount, refunded_amount, in_passing, .. } => {
            format!("refund {state} {} {} {in_passing}", amount.to_wire(), refunded_amount.to_wire())
        }
        Tell::Total { refunded_amount, covers, in_passing, .. } => {
            let mut covered: Vec<String> = covers.iter().map(|covered| format!("{} {}", covered.state, covered.amount.to_wire())).collect();
            covered.sort_unstable();
            format!("total {} {in_passing} {}", refunded_amount.to_wire(), covered.join(","))
        }
        Tell::Dispute { taken_amount, by, still, .. } => {
            format!("dispute {} {by:?} {:?}", taken_amount.to_wire(), still.map(|still| still.to_wire()))
        }
        Tell::Charge { within, refunds, .. } => {
            let entries: Vec<String> = refunds.iter().map(|entry| format!("{} {}", entry.state, entry.amount.to_wire())).collect();
            format!("charge {within:?} {}", entries.join(","))
        }
        Tell::Order { refunded_amount, available_to_refund_amount, charged_back_amount } => {
            format!("order {} {} {}", refunded_amount.to_wire(), available_to_refund_amount.to_wire(), charged_back_amount.to_wire())
        }
        Tell::Chargeback => "chargeback".to_owned(),
    };
    let mut shape: Vec<String> = delivery.event.tells.iter().map(of).collect();
    // An event that shows only that nothing was refunded says nothing.
    shape.retain(|told| told != "order 0.0" && !(told.starts_with("charge") && told.ends_with(' ')));
    shape.insert(0, delivery.event.kind.clone());
    shape
}

#[track_caller]
fn check_read_as_written(provider: &dyn Provider, recipe: Recipe) {
    for case in drawn(provider, recipe, 60) {
        let bodies = bodies(&case);
        if bodies.is_empty() {
            continue;
        }
        let came = import(provider, &log(&bodies));
        let names_no_order = |line: &String| line.ends_with("names no order or payment");
        let lost: Vec<String> = came.unused().into_iter().filter(|line| !names_no_order(line)).collect();
        assert_eq!(lost, Vec::<String>::new(), "{}: {}", provider.name(), bodies.join("\n"));
        for made in &came.cases {
            for read in made.all_deliveries() {
                let written = case
                    .all_deliveries()
                    .find(|written| {
                        let same = |one: &Delivery, other: &Delivery| {
                            one.event.kind == other.event.kind && one.event.created_time == other.event.created_time
                        };
                        same(written, read) && shape(written) == shape(read)
                    })
                    .map(shape);
                let others: Vec<Vec<String>> =
                    case.all_deliveries().filter(|other| other.event.kind == read.event.kind).map(shape).collect();
                assert_eq!(written, Some(shape(read)), "{}: {others:?}\n{:?}", provider.name(), read.body.text());
            }
        }
    }
}

#[test]
fn what_an_event_was_written_to_tell_is_read() {
    for provider in registered() {
        let provider = provider.embedded();
        for recipe in [Recipe::MixedTraffic, Recipe::PartialRefunds] {
            check_read_as_written(provider, recipe);
        }
    }
}

/// An event of a refund as the first provider sends it.
fn refund(event: &str, id: &str, kind: &str, state: &str, amount: &str, minute: u8) -> String {
    let paid = if state == "succeeded" { amount } else { "0.0" };
    format!(
        r#"{{"id":"{event}","type":"{kind}","data":{{"object":{{"id":"{id}","amount":{amount},"createdTime":"2022-03-17T16:17:54Z","currency":"USD","items":[],"orderId":"219966860336","refundedAmount":{paid},"state":"{state}","liveMode":false}}}},"liveMode":false,"createdTime":"2022-03-17T17:{minute:02}:00.5Z"}}"#
    )
}

fn two_events() -> Vec<String> {
    vec![
        refund("e1000001", "re_1000001", "refund.pending", "pending", "13.51", 1),
        refund("e1000002", "re_1000001", "refund.complete", "succeeded", "13.51", 2),
    ]
}

#[track_caller]
fn check_unused(log: &str, expected: &[&str]) {
    let came = import(first(), log);
    let unused = came.unused();
    assert_eq!(unused.len(), expected.len(), "{unused:#?}");
    for (unused, expected) in unused.iter().zip(expected) {
        assert!(unused.starts_with(expected), "{unused} is not {expected}");
    }
    let Imported { read, used, unused: number, .. } = came.imported;
    assert_eq!((number, read), (expected.len() as u64, used + number), "nothing is lost");
}

#[test]
fn whatever_is_not_used_is_told() {
    let good = log(two_events());
    let with = |line: &str| format!("{good}{line}\n");
    check_unused(&good, &[]);
    check_unused(&with(""), &[]);
    check_unused(&with("garbage"), &["line 3: it is no line of a log: no JSON (column 1)"]);
    check_unused(&with(r#"{"headers":{},"body":"{"#), &["line 3: the line is cut short (column 23)"]);
    check_unused(&with(r#"{"headers":{}}"#), &["line 3: it has neither `body` nor `bodyBase64`"]);
    check_unused(&with(r#"{"headers":{},"body":""}"#), &["line 3: it has no body"]);
    check_unused(&with(r#"{"body":"[1]"}"#), &["line 3: its body is no JSON object"]);
    check_unused(&with(r#"{"body":"{\"id\":1"}"#), &["line 3: its body is cut short: "]);
    check_unused(&with(r#"{"body":"{id}"}"#), &["line 3: its body is not JSON: "]);
    check_unused(&with(r#"{"bodyBase64":"??"}"#), &["line 3: `bodyBase64` is no base64: "]);
    check_unused(&with(r#"{"bodyBase64":"/w=="}"#), &["line 3: its body is no UTF-8"]);
    check_unused(&with(r#"{"headers":{"Content-Length":"9"},"body":"{}"}"#), &["line 3: its body is cut short: 2 of 9 bytes are there"]);
    check_unused(&with(r#"{"headers":{"content-encoding":"gzip"},"body":"{}"}"#), &["line 3: its body is packed (gzip)"]);
    check_unused(&with(r#"{"body":"{}"}"#), &["line 3: it has not the form of an event of "]);
    check_unused(&with(&line(&two_events()[1])), &["line 3: the event of line 2 once more; it counts once"]);
}

#[test]
fn events_of_others_are_told() {
    for provider in registered() {
        for other in registered().iter().filter(|other| other.name != provider.name) {
            let case = &drawn(other.embedded(), Recipe::PartialRefunds, 1)[0];
            let came = import(provider.embedded(), &log(bodies(case)));
            assert_eq!((came.cases.len(), came.imported.unused), (0, case.deliveries() as u64), "{} {}", provider.name, other.name);
        }
    }
}

#[track_caller]
fn check_finding(bodies: &[String], expected: &str) {
    let came = import(first(), &log(bodies));
    let found: Vec<String> = came.unused();
    assert_eq!((came.imported.findings, found.len()), (1, 1), "{found:?}");
    assert!(found[0].contains(expected), "{} is not {expected}", found[0]);
}

#[test]
fn what_is_against_the_documents_is_named() {
    let with = |body: String| [two_events(), vec![body]].concat();
    check_finding(
        &with(refund("e1000003", "re_1000002", "refund.created", "strange", "1.00", 3)),
        "line 3: finding: its refund has the state `strange`",
    );
    check_finding(
        &with(refund("e1000003", "re_1000001", "refund.pending", "pending", "13.51", 3)),
        "is pending, and refund.complete said succeeded before, after which that may not come",
    );
    check_finding(
        &with(refund("e1000003", "re_1000001", "refund.failed", "failed", "13.51", 3)),
        "is failed, and refund.complete said succeeded",
    );
    check_finding(
        &with(refund("e1000003", "re_1000001", "refund.complete", "succeeded", "13.52", 3)),
        "is of 13.52, and refund.complete said 13.51",
    );
    let other = refund("e1000003", "re_1000002", "refund.complete", "succeeded", "1.00", 3).replace("USD", "EUR");
    check_finding(&with(other), "is in EUR, and its order in USD");
}

#[test]
fn more_than_was_captured_is_a_finding() {
    let order = r#"{"id":"e1000000","type":"order.complete","data":{"object":{"id":"219966860336","currency":"USD","capturedAmount":20.00,"refundedAmount":0.0,"availableToRefundAmount":20.00}},"createdTime":"2022-03-17T16:00:00Z"}"#;
    let second = refund("e1000003", "re_1000002", "refund.complete", "succeeded", "13.51", 3);
    let came = import(first(), &log([vec![order.to_owned()], two_events(), vec![second]].concat()));
    assert_eq!((came.imported.findings, came.cases.len(), came.imported.with_order), (1, 0, 3));
    assert!(came.unused()[0].contains("line 4: finding: refunds add up to 27.02, and 20.00 were captured"), "{:?}", came.unused());
}

#[test]
fn events_are_put_in_order_and_told_as_a_story() {
    let backwards: Vec<String> = two_events().into_iter().rev().collect();
    let came = import(first(), &log(backwards));
    let [case] = &came.cases[..] else { panic!("one case") };
    let kinds: Vec<&str> = case.all_deliveries().map(|delivery| delivery.event.kind.as_str()).collect();
    assert_eq!(kinds, ["refund.pending", "refund.complete"]);
    assert_eq!(case.title, "from real traffic: all is to be refunded, a refund is paid back; ends refunded");
    let note = |told: &Told| matches!(told, Told::Note { what, .. } if what.contains("no event says what was captured; 13.51 are assumed"));
    assert!(came.told.iter().any(note), "{:?}", came.told);
    assert_eq!(Case::from_json("the case", &case.to_json()), Ok(case.clone()));
}

/// Cases without what differs from format to format.
fn bare(came: Came) -> (Vec<String>, u64, Vec<Case>) {
    (came.unused(), came.imported.read, came.cases)
}

#[test]
fn every_format_gives_the_same_cases() {
    let events = two_events();
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).and_then(|()| fs::write(&path, text)).expect("written");
        path
    };
    let entry = |body: &String| {
        format!(
            r#"{{"time":1,"request":{{"method":"POST","url":"http://x/","headers":[{{"name":"Content-Type","value":"application/json"}}],"postData":{{"mimeType":"application/json","text":{}}}}},"response":{{}}}}"#,
            serde_json::to_string(body).expect("JSON")
        )
    };
    let entries = events.iter().map(entry).collect::<Vec<_>>().join(",");
    let indented = |body: &String| indented_json(body);
    let listed = events.iter().map(indented).collect::<Vec<_>>().join(",\n");
    let logs: [(PathBuf, Format); 7] = [
        (write("a.jsonl", &log(&events)), Format::Lines),
        (write("a.har", &format!(r#"{{"log":{{"version":"1.2","creator":{{}},"entries":[{entries}]}}}}"#)), Format::Har),
        (write("a.txt", &format!("> Ready!\n{}\n\n{}\n", indented(&events[0]), events[1])), Format::Bodies),
        (write("a.json", &format!("[\n{listed}\n]\n")), Format::List),
        (write("b.json", &format!("{{\n  \"object\": \"list\",\n  \"data\": [{listed}],\n  \"has_more\": false\n}}")), Format::List),
        (write("c.json", &format!("{{\"hasMore\":false,\"data\":[{listed}]}}")), Format::List),
        (write("bodies/1.json", &events[0]).parent().expect("a folder").to_path_buf(), Format::Folder),
    ];
    write("bodies/2.json", &events[1]);
    let compact = |cases: &[Case]| cases.iter().map(|case| (case.title.clone(), case.expect.clone())).collect::<Vec<_>>();
    let (_, _, expected) = bare(import_file(first(), &logs[0].0, None));
    for (path, format) in &logs {
        assert_eq!(recognise(path).ok(), Some(*format), "{}", path.display());
        let (unused, read, cases) = bare(import_file(first(), path, None));
        let said = u64::from(*format == Format::Bodies);
        assert_eq!((unused.len() as u64, read, compact(&cases)), (said, 2 + said, compact(&expected)), "{format:?} {unused:?}");
    }
}

/// Some programs begin every file with one.
#[test]
fn a_byte_order_mark_is_no_part_of_a_log() {
    let bodies = two_events();
    let plain = import(first(), &log(&bodies));
    assert_eq!(plain.imported.used, 2);
    for text in [log(&bodies), bodies.iter().map(|body| format!("{body}\n")).collect()] {
        assert_eq!(bare(import(first(), &format!("\u{feff}{text}"))).2, bare(import(first(), &text)).2);
    }
}

#[test]
fn a_log_of_wide_letters_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.txt");
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(two_events()[0].encode_utf16().flat_map(u16::to_le_bytes)).collect();
    fs::write(&path, wide).expect("written");
    let error = recognise(&path).expect_err("a mistake");
    assert!(error.to_string().contains("is UTF-16"), "{error}");
}

#[test]
fn broken_archives_and_bodies_are_told() {
    let event = &two_events()[0];
    let entry = format!(r#"{{"request":{{"method":"POST","postData":{{"text":{}}}}}}}"#, serde_json::to_string(event).expect("JSON"));
    let archive = |rest: &str| format!(r#"{{"log":{{"entries":[{entry}{rest}"#);
    let told = |log: &str| import(first(), log).unused();
    assert!(told(&archive("")).iter().any(|line| line.starts_with("entry 2: the archive is cut short")));
    assert_eq!(told(&archive(r#",{"request":{"method":"GET"}}]}}"#)), ["entry 2: it is a GET request, and webhooks are posted"]);
    assert_eq!(told(&archive(r#",{"request":{"method":"POST"}}]}}"#)), ["entry 2: it has no body"]);
    assert_eq!(told(&format!("[{event}, 7]")), ["entry 2: its body is no JSON object"]);
    assert!(told(&format!("[{event}, ")).iter().any(|line| line.starts_with("entry 2: the list is cut short")));
    let cut = indented_json(event);
    let cut = cut.rsplit_once('\n').map_or("", |(start, _)| start);
    assert_eq!(
        told(&format!("{cut}\n{event}\n")),
        ["line 1: its body is cut short: another begins in line 26"].map(|told| told.replace("26", &(cut.lines().count() + 1).to_string()))
    );
    assert_eq!(told(&format!("{event}\n{cut}\n")), ["line 2: its body is cut short: the log ends in it"]);
}

#[test]
fn what_is_in_no_format_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for text in ["", "hello\nworld\n", "[1]"] {
        let path = folder.path().join("log");
        fs::write(&path, text).expect("written");
        assert!(matches!(recognise(&path), Err(ImportError::Unknown(_))), "{text}");
    }
}

#[test]
fn nobody_is_to_be_found_in_a_case() {
    let personal = r#""customer":{"name":"Paula Kowalska","email":"paula@kowalska.pl","phone":"+48 601 123 456","ip":"85.14.7.201","address":{"line1":"Dluga 17","city":"Gdansk","postalCode":"80-827","state":"PM","country":"PL"},"dob":"1981-04-05","taxIdentifier":"PL5261040828"},"card":{"lastFourDigits":"4242","expirationMonth":7,"expirationYear":2031,"fingerprint":"hW3rZk90TnQe5bYa"},"clientSecret":"cs_very_secret_thing","note":"call me in the evening","unheardOf":"Kowalska","list":["Kowalska Paula"],"url":"https://shop.example/orders/paula","metadata":{"who":"kowalska"},"\u0065mail":"p\u0061ula@kowalska.pl","#;
    let body = refund("e1000001", "re_1000001", "refund.complete", "succeeded", "13.51", 1)
        .replace(r#""currency""#, &format!("{personal}\"currency\""));
    let came = import(first(), &log([body]));
    let text = came.cases[0].to_json();
    let all = [
        "Paula",
        "Kowalska",
        "kowalska\\\"",
        "paula@",
        "601 123",
        "85.14",
        "Dluga",
        "Gdansk",
        "80-827",
        "1981",
        "5261040828",
        "4242",
        "2031",
        "hW3r",
        "very_secret",
        "evening",
        "shop.example",
        "219966860336",
        "re_1000001",
        "e1000001",
    ];
    for secret in all {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    for kept in ["13.51", "USD", "succeeded", "refund.complete", "2022-03-17T17:01:00.5Z", r#"\"country\":\"PL\""#] {
        assert!(text.contains(kept), "{kept} is not in {text}");
    }
    let counted: Vec<Kind> = came.imported.replaced.keys().copied().collect();
    let kinds = [Kind::Id, Kind::Name, Kind::Mail, Kind::Phone, Kind::Address, Kind::Ip, Kind::Card, Kind::Token, Kind::Url, Kind::Text];
    assert_eq!(counted, kinds);
}

#[test]
fn orders_of_one_story_become_one_case() {
    let other = |event: &String, order: &str| event.replace("219966860336", order).replace("e100", &format!("e{order}"));
    let events = two_events();
    let all: Vec<String> =
        ["219966860336", "219966860337", "219966860338"].iter().flat_map(|order| events.iter().map(|event| other(event, order))).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    fs::write(&path, log(all)).expect("written");
    let mut cases = 0;
    let import = Import { provider: first(), format: None, seed: 7, most_alike: 1 };
    let imported = import.run(&path, &mut |_| {}, &mut |_| {
        cases += 1;
        Ok(())
    });
    let imported = imported.expect("it is imported");
    assert_eq!((cases, imported.orders, imported.used), (1, 3, 6));
    assert_eq!(imported.cases.iter().map(|(_, orders)| *orders).collect::<Vec<_>>(), [3]);
}

/// The same body as many providers write it.
fn indented_json(body: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).expect("JSON");
    serde_json::to_string_pretty(&value).expect("JSON")
}
