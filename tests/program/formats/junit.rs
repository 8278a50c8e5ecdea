//! JUnit.

use std::collections::BTreeMap;

use refundproof::{
    corpus::Level,
    reference::Fault,
    report::Format,
    verdict::{Conformance, KnownFailing, Report, RequirementResult, SnapshotDifference, Verdict},
};

use super::{HOSTILE_REPORT, annotations, example, written};
use crate::common::{certified, only, quick};

/// What an element may hold and where it may stand.
struct Rule {
    name: &'static str,
    parent: &'static str,
    must: &'static [&'static str],
    may: &'static [&'static str],
    holds_text: bool,
}

const fn rule(name: &'static str, parent: &'static str, must: &'static [&'static str], may: &'static [&'static str]) -> Rule {
    Rule { name, parent, must, may, holds_text: false }
}

const fn text_rule(name: &'static str, may: &'static [&'static str]) -> Rule {
    Rule { name, parent: "testcase", must: &[], may, holds_text: true }
}

/// What the schema of the Jenkins xUnit plugin (`junit-10.xsd`) and that of Surefire both take.
const RULES: [Rule; 10] = [
    rule("testsuites", "", &[], &["name", "time", "tests", "failures", "errors"]),
    rule("testsuite", "testsuites", &["name", "tests", "failures", "errors"], &["time", "skipped"]),
    rule("properties", "testsuite", &[], &[]),
    rule("property", "properties", &["name", "value"], &[]),
    rule("testcase", "testsuite", &["name", "time", "classname"], &[]),
    text_rule("failure", &["type", "message"]),
    text_rule("error", &["type", "message"]),
    text_rule("skipped", &["type", "message"]),
    text_rule("system-out", &[]),
    text_rule("system-err", &[]),
];

/// An element with its attributes and its text.
#[derive(Debug)]
struct Element {
    name: String,
    parent: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

/// Reads XML strictly: whatever is not well-formed or not a character of XML is an error.
#[track_caller]
fn elements(xml: &str) -> Vec<Element> {
    use quick_xml::{Reader, events::Event};
    let legal = |character: char| matches!(character, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(legal), "not XML: {:?}", xml.chars().find(|character| !legal(*character)));
    let mut reader = Reader::from_str(xml);
    reader.config_mut().enable_all_checks(true);
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    loop {
        let event = reader.read_event().expect("well-formed XML");
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.expect("an attribute");
                    let name = String::from_utf8(attribute.key.as_ref().to_vec()).expect("UTF-8");
                    (name, attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).expect("a value").into_owned())
                });
                elements.push(Element {
                    name: String::from_utf8(tag.name().as_ref().to_vec()).expect("UTF-8"),
                    parent: open.last().map_or(String::new(), |parent| elements[*parent].name.clone()),
                    attributes: attributes.collect(),
                    text: String::new(),
                });
                if matches!(event, Event::Start(_)) {
                    open.push(elements.len() - 1);
                }
            }
            Event::End(_) => {
                open.pop();
            }
            Event::Text(text) => {
                if let Some(at) = open.last() {
                    elements[*at].text.push_str(&text.decode().expect("text"));
                }
            }
            Event::GeneralRef(name) => {
                let entity = format!("&{};", std::str::from_utf8(name).expect("UTF-8"));
                let text = quick_xml::escape::unescape(&entity).expect("a known entity").into_owned();
                elements[*open.last().expect("an element")].text.push_str(&text);
            }
            Event::Decl(_) => {}
            Event::Eof => return elements,
            other => panic!("{other:?} has no place in a report"),
        }
    }
}

#[track_caller]
fn check_junit(report: &Report) -> Vec<Element> {
    let elements = elements(&written(Format::Junit, report));
    for element in &elements {
        let name = &element.name;
        let Some(rule) = RULES.iter().find(|rule| rule.name == name) else { panic!("<{name}> is not in the schema") };
        assert_eq!(rule.parent, element.parent, "where <{name}> stands");
        for attribute in rule.must {
            assert!(element.attributes.contains_key(*attribute), "<{name}> has no {attribute}");
        }
        for (attribute, value) in &element.attributes {
            assert!(rule.must.iter().chain(rule.may).any(|known| known == attribute), "<{name}> has {attribute}");
            if attribute == "time" {
                let (whole, part) = value.split_once('.').expect("seconds with a fraction");
                assert!(whole.parse::<u64>().is_ok() && part.len() == 3 && part.parse::<u64>().is_ok(), "{value}");
            }
        }
        assert!(rule.holds_text || element.text.trim().is_empty(), "<{name}> holds {:?}", element.text);
    }
    check_counts(&elements);
    elements
}

/// The counts of a suite are those of its test cases.
#[track_caller]
fn check_counts(elements: &[Element]) {
    let number = |element: &Element, name: &str| element.attributes[name].parse::<usize>().expect("a number");
    let starts: Vec<usize> = (0..elements.len()).filter(|at| elements[*at].name == "testsuite").collect();
    for (number_of_suite, start) in starts.iter().enumerate() {
        let end = starts.get(number_of_suite + 1).copied().unwrap_or(elements.len());
        let count = |name: &str| elements[*start..end].iter().filter(|element| element.name == name).count();
        for (attribute, name) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")] {
            assert_eq!(number(&elements[*start], attribute), count(name), "{attribute} of {:?}", elements[*start].attributes);
        }
    }
    for attribute in ["tests", "failures", "errors"] {
        let sum: usize = starts.iter().map(|start| number(&elements[*start], attribute)).sum();
        assert_eq!(number(&elements[0], attribute), sum);
    }
}

#[test]
fn junit_of_a_clean_run() {
    let elements = check_junit(&certified(None, &quick(2, 1)));
    assert!(!elements.iter().any(|element| element.name == "failure" || element.name == "error"));
}

/// Whatever fails the run is a failure there.
#[test]
fn junit_of_runs_that_are_not_conformant() {
    let selected = |faults, ids: &[&str]| certified(faults, &quick(40, 1).with(|options| options.selection = only(ids)));
    let mut uncertified = selected(None, &["rotated-secret"]);
    uncertified.verdict = Conformance::NotCertified;
    let advice = selected(Some(Fault::FirstAnswerFails), &["valid-event-acknowledged-at-once", "survives-restart"]);
    assert_eq!(advice.verdict, Conformance::NotConformant);
    let mut unreached = selected(None, &["rotated-secret"]);
    (unreached.requirements[0].verdict, unreached.verdict) = (Verdict::NotExercised, Conformance::NotConformant);
    for report in [uncertified, advice, unreached] {
        let failures = check_junit(&report).iter().filter(|element| element.name == "failure").count();
        assert_eq!(failures, 1, "{:?}", report.verdict);
    }
}

#[test]
fn junit_of_failures() {
    let elements = check_junit(&example());
    let failure = elements.iter().find(|element| element.name == "failure").expect("a failure");
    assert_eq!(failure.attributes["message"], "after 2: refundedAmount is 10.00, must be 5.00");
    for part in
        ["source: ", "2 refund.complete  [redelivery]  → 200", "-refundedAmount ", "again: refundproof replay refundproof-failures/"]
    {
        assert!(failure.text.contains(part), "no {part:?} in {}", failure.text);
    }
}

#[test]
fn junit_of_hostile_text() {
    let report = &*HOSTILE_REPORT;
    let elements = check_junit(report);
    let count = |name: &str| elements.iter().filter(|element| element.name == name).count();
    // One for the adapter, one for the run that was cut short.
    assert_eq!(count("error"), 2);
    // What is only advice fails where a MUST fails because of it.
    let is_heavy = |id: &str| report.findings.iter().any(|finding| finding.about == id && finding.level == Level::Must);
    let fails = |result: &&RequirementResult| result.verdict == Verdict::Fail || result.verdict == Verdict::Warn && is_heavy(&result.id);
    let failing = report.requirements.iter().filter(fails).count();
    assert_eq!(count("failure"), failing + report.snapshots.differing.len());
    let error = elements.iter().find(|element| element.name == "error").expect("an error");
    assert!(error.attributes["message"].contains("␛[31m␛]0;title␇ ␀ ‹U+FFFE›"), "{}", error.attributes["message"]);
}

#[test]
fn what_is_waived_or_not_reached_is_skipped_with_its_reason() {
    let mut report = example();
    let failing = report.requirements.iter_mut().find(|result| result.verdict == Verdict::Fail).expect("a failing one");
    failing.verdict = Verdict::Waived;
    failing.note = Some("until the ledger is rebuilt".to_owned());
    report.verdict = Conformance::Conformant;
    let elements = check_junit(&report);
    let skipped: Vec<&str> =
        elements.iter().filter(|element| element.name == "skipped").map(|element| element.attributes["message"].as_str()).collect();
    assert!(skipped.contains(&"waived: until the ledger is rebuilt"), "{skipped:?}");
    assert!(!elements.iter().any(|element| element.name == "failure"));
}

/// A list of known failures that is partly right, as a run with it reports it.
fn with_a_list(problems: &[&str]) -> Report {
    let mut report = certified(None, &quick(4, 1));
    let difference = |name: &str, waived: Option<&str>| SnapshotDifference {
        name: name.to_owned(),
        diff: "-refunded\n+open\n".to_owned(),
        fingerprint: "0123456789abcdef".to_owned(),
        because_of: Vec::new(),
        waived: waived.map(str::to_owned),
    };
    report.snapshots.differing = vec![difference("001-unknown-events", Some("accepted until 2031-01-01: rebuilt soon"))];
    report.known_failing = Some(KnownFailing {
        file: "known.toml".to_owned(),
        digest: "0123456789abcdef".to_owned(),
        problems: problems.iter().map(|problem| (*problem).to_owned()).collect(),
    });
    report
}

#[test]
fn accepted_snapshots_are_no_failures() {
    let report = with_a_list(&[]);
    let elements = check_junit(&report);
    assert!(!elements.iter().any(|element| element.name == "failure"));
    assert!(elements.iter().any(|element| element.attributes.get("message").is_some_and(|text| text.contains("rebuilt soon"))));
    assert_eq!(annotations(&report), "");
    assert!(!written(Format::Markdown, &report).contains("❌"));
    assert!(written(Format::Html, &report).contains("data-verdict=\"waived\" data-what=\"snapshot\""));
}

#[test]
fn what_is_wrong_with_the_list_is_in_every_report() {
    const PROBLEM: &str = "known.toml: line 3: duplicate-deliveries passes now; take the entry out";
    let report = with_a_list(&[PROBLEM]);
    for &format in Format::ALL {
        assert!(written(format, &report).contains(PROBLEM), "{}", format.name());
    }
    assert_eq!(annotations(&report), format!("::error title=A known failure::{PROBLEM}\n"));
    let failures = check_junit(&report).into_iter().filter(|element| element.name == "failure").count();
    assert_eq!(failures, 1);
}

#[test]
fn junit_to_read() {
    insta::assert_snapshot!("junit", written(Format::Junit, &example()));
}
