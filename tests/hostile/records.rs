//! Reports that contradict themselves or the suite. Whoever made them up made their digests too.

use std::{fs, sync::OnceLock};

use refundproof::{report::json, run::record, verdict::conclude};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    Row,
    common::place::{BROKEN, FAULT, Place},
};

/// A requirement that passes all the same.
const OTHER: &str = "mixed-traffic";

fn written(once: &'static OnceLock<String>, args: &[&str]) -> &'static str {
    once.get_or_init(|| {
        let place = Place::new();
        let args: Vec<&str> = [&["certify", "--cases", "5", "--report", "json=r.json"], args].concat();
        place.run(&args);
        place.read("r.json")
    })
}

/// A report with a finding and a snapshot that differs because of it.
pub(crate) fn faulty() -> &'static str {
    static REPORT: OnceLock<String> = OnceLock::new();
    written(&REPORT, &[FAULT, "--only", BROKEN, "--only", OTHER, "--only", "snapshots"])
}

/// A report without any.
pub(crate) fn good() -> &'static str {
    static REPORT: OnceLock<String> = OnceLock::new();
    written(&REPORT, &["--only", BROKEN, "--only", OTHER, "--only", "snapshots"])
}

/// The report of the only shard.
pub(crate) fn shard() -> &'static str {
    static REPORT: OnceLock<String> = OnceLock::new();
    written(&REPORT, &[FAULT, "--only", BROKEN, "--only", OTHER, "--shard", "1/1"])
}

/// A shard in which nothing is wrong.
pub(crate) fn good_shard() -> &'static str {
    static REPORT: OnceLock<String> = OnceLock::new();
    written(&REPORT, &["--only", BROKEN, "--only", OTHER, "--shard", "1/1"])
}

/// The report changed, with the verdicts, sums and digests that follow from the change.
#[track_caller]
pub(crate) fn forged(report: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(report).expect("JSON");
    change(&mut value);
    let mut report = json::read(&value.to_string()).expect("a report");
    conclude(&mut report);
    let mut text = Vec::new();
    json::write(&mut text, &report).expect("memory can be written");
    String::from_utf8(text).expect("UTF-8")
}

/// The report changed, with the digest that follows, and nothing else.
#[track_caller]
fn signed(report: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(report).expect("JSON");
    change(&mut value);
    let read: refundproof::json::Value = serde_json::from_str(&value.to_string()).expect("JSON");
    value["digests"]["results"] = record::results(&read).into();
    value.to_string()
}

#[track_caller]
fn is_not_believed(text: &str, says: &str) {
    let row = Row::new();
    row.place.write("r.json", text);
    let ran = row.ends(&["verify", "r.json"], 1, says);
    assert!(ran.out.contains("✗ ") && ran.out.contains("checks fail"), "{}", ran.out);
    // Nor is it merged, for which it would have to be a shard's.
    row.complains(&["merge", "r.json"], 2, "r.json: ");
}

fn set(report: &mut Value, pointer: &str, value: impl Into<Value>) {
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
    let parent = report.pointer_mut(parent).expect("it is there");
    match parent {
        Value::Array(list) => list[member.parse::<usize>().expect("a number")] = value.into(),
        other => other[member] = value.into(),
    }
}

fn remove(report: &mut Value, pointer: &str, member: &str) {
    report.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object").remove(member);
}

/// Each value as it is set in the report of a target without mistakes.
#[rstest]
#[case::a_pass_below_its_floor("/requirements/0/exercised", json!(1), "and its floor is")]
#[case::a_pass_that_exercised_nothing("/requirements/0/exercised", json!(0), "no case of it could have shown a mistake")]
#[case::a_pass_without_cases("/requirements/0/cases", json!(0), "no case of it was run")]
#[case::a_pass_without_deliveries("/requirements/0/deliveries", json!(0), "nothing was delivered")]
#[case::a_pass_that_claims_hide("/requirements/0/byClaims", json!(true), "are said to show nothing")]
#[case::a_pass_with_findings("/requirements/0/findings", json!(["0123456789abcdef"]), "it has findings")]
#[case::a_floor_that_was_lowered("/requirements/0/floor", json!(0), "its floor is")]
#[case::more_exercised_than_run("/requirements/0/exercised", json!(50), "of 5 cases exercised")]
#[case::more_cases_than_are_drawn("/requirements/0/cases", json!(5000), "at most 20")]
#[case::fewer_delivered_than_counted("/requirements/0/deliveries", json!(1), "of which")]
#[case::a_sum_that_overflows("/requirements/0/deliveries", json!(u64::MAX), "cannot be counted")]
#[case::a_must_that_is_made_a_should("/requirements/0/level", json!("SHOULD"), "with another item, level or source")]
#[case::another_item("/requirements/0/item", json!("input"), "with another item, level or source")]
#[case::another_source("/requirements/0/source", json!("https://example.com"), "with another item, level or source")]
#[case::one_that_is_not_judged("/requirements/0/judged", json!(false), "judged: true")]
#[case::one_that_does_not_apply("/requirements/0/verdict", json!("not-applicable"), "it applies to what the target claims")]
#[case::a_failure_without_a_finding("/requirements/0/verdict", json!("affected"), "there is no finding because of which it fails")]
#[case::one_accepted_without_a_finding("/requirements/0/verdict", json!("waived"), "there is no finding about it")]
#[case::a_must_that_warns("/requirements/0/verdict", json!("warn"), "it is a MUST")]
#[case::a_requirement_of_another_name("/requirements/0/id", json!("refund-shown"), "requirements: without")]
#[case::too_few_snapshots("/snapshots/compared", json!(1), "are to be compared")]
#[case::no_snapshots("/snapshots/compared", json!(0), "are to be compared")]
#[case::too_many_snapshots("/snapshots/compared", json!(1000), "are to be compared")]
#[case::snapshots_with_an_excuse("/snapshots/note", json!("not selected"), "the note is there where not all were compared")]
#[case::snapshots_cut_short_without_a_word("/snapshots/cutShort", json!(true), "the note is there where not all were compared")]
#[case::cut_short_by_nobody("/interrupted", json!("the weather"), "a run is cut short by somebody")]
#[case::an_item_left_out_that_there_is_not("/options/without", json!(["everything"]), "it is no item of the checklist")]
#[case::a_shard_of_no_number("/shard", json!("3/2"), "a shard is K/N")]
#[case::a_shard_without_its_cases("/shard", json!("1/1"), "a shard names them")]
#[case::claims_that_hide_mistakes("/target/capabilities/equivalentStatuses", json!([["refunded", "not_refunded"]]), "they are refused")]
#[case::claims_to_hear_nothing("/target/capabilities/subscribes", json!([]), "they are refused")]
#[case::a_saved_case_of_no_finding("/saved", json!([{"file": "a.json", "fails": "x", "finding": "0123456789abcdef"}]), "there is no such finding")]
fn a_good_report_changed(#[case] pointer: &str, #[case] value: Value, #[case] says: &str) {
    is_not_believed(&forged(good(), |report| set(report, pointer, value)), says);
}

/// What a report of a target with mistakes says, changed so that it looks better.
#[rstest]
#[case::a_pass_that_holds_findings(|report: &mut Value| set(report, "/requirements/0/verdict", "pass"), "it has findings")]
#[case::a_pass_whose_findings_are_left(|report: &mut Value| {
    set(report, "/requirements/0/verdict", "pass");
    remove(report, "/requirements/0", "findings");
}, "a finding is about it")]
#[case::a_failing_requirement_that_is_gone(|report: &mut Value| {
    report["requirements"].as_array_mut().expect("a list").remove(0);
}, "requirements: without")]
#[case::a_requirement_twice(|report: &mut Value| {
    let first = report["requirements"][0].clone();
    report["requirements"].as_array_mut().expect("a list").push(first);
}, "some twice, or in another order")]
#[case::a_failure_that_is_not_judged(|report: &mut Value| set(report, "/requirements/0/judged", false), "this version does not judge it")]
#[case::a_failure_that_claims_hide(|report: &mut Value| {
    set(report, "/requirements/0/verdict", "not-exercised");
    set(report, "/requirements/0/byClaims", true);
    remove(report, "/requirements/0", "findings");
    set(report, "/findings", json!([]));
    set(report, "/snapshots/differing", json!([]));
}, "and it claims everything")]
#[case::a_failure_accepted_by_no_list(|report: &mut Value| {
    set(report, "/requirements/0/verdict", "waived");
    set(report, "/findings/0/waived", "accepted until 2999-01-01: ticket");
}, "there is no list of known failures")]
#[case::a_failure_accepted_in_half(|report: &mut Value| {
    set(report, "/requirements/0/verdict", "waived");
    set(report, "/knownFailing", json!({"file": "k.toml", "digest": "", "problems": []}));
}, "is not accepted")]
#[case::a_snapshot_accepted_by_no_list(|report: &mut Value| {
    set(report, "/snapshots/differing/0/waived", "accepted until 2999-01-01: ticket");
}, "there is no list of known failures")]
#[case::a_finding_that_weighs_little(|report: &mut Value| set(report, "/findings/0/level", "SHOULD"), "a MUST cannot hold because of it")]
#[case::a_finding_about_something_else(|report: &mut Value| set(report, "/findings/0/about", OTHER), "the requirements say otherwise")]
#[case::a_finding_about_nothing(|report: &mut Value| set(report, "/findings/0/about", "nothing"), "there is no such requirement")]
#[case::a_finding_that_never_came_again(|report: &mut Value| set(report, "/findings/0/chance", json!({"failed": 0, "runs": 9})), "came again")]
#[case::a_finding_that_came_too_often(|report: &mut Value| set(report, "/findings/0/chance", json!({"failed": 9, "runs": 3})), "more often than it was run")]
#[case::a_finding_that_breaks_nothing_else(|report: &mut Value| set(report, "/findings/0/alsoFails", json!(["a", "b"])), "the requirements say otherwise")]
#[case::a_finding_that_hides_more(|report: &mut Value| set(report, "/findings/0/masks", json!([OTHER])), "the requirements say otherwise")]
#[case::a_finding_twice(|report: &mut Value| {
    let first = report["findings"][0].clone();
    report["findings"].as_array_mut().expect("a list").push(first);
}, "another has the same id")]
#[case::no_findings(|report: &mut Value| set(report, "/findings", json!([])), "there is no such finding")]
#[case::a_finding_like_no_fault(|report: &mut Value| {
    set(report, "/findings/0/like", json!({"fault": "x", "class": "X", "name": "x", "links": ["javascript:x"]}));
}, "the bank has no such fault")]
#[case::a_finding_like_a_fault_with_other_links(|report: &mut Value| {
    set(report, "/findings/0/like/links", json!(["javascript:x"]));
}, "the bank has no such fault")]
#[case::snapshots_that_are_said_to_agree(|report: &mut Value| set(report, "/snapshots/differing", json!([])), "the snapshots say otherwise")]
#[case::snapshots_that_are_not_compared(|report: &mut Value| {
    set(report, "/snapshots", json!({"compared": 0, "differing": [], "note": "this corpus has none"}));
}, "are to be compared")]
#[case::snapshots_that_nobody_selected(|report: &mut Value| {
    set(report, "/snapshots", json!({"compared": 0, "differing": [], "note": "not selected"}));
}, "are to be compared")]
#[case::a_snapshot_in_which_nothing_differs(|report: &mut Value| set(report, "/snapshots/differing/0/diff", " same\n"), "nothing in it does")]
#[case::a_snapshot_that_differs_in_another_way(|report: &mut Value| {
    set(report, "/snapshots/differing/0/diff", "-1\n+2\n");
}, "it differs in another way")]
#[case::a_snapshot_that_there_is_not(|report: &mut Value| set(report, "/snapshots/differing/0/name", "000-none"), "there is no such snapshot")]
#[case::a_snapshot_twice(|report: &mut Value| {
    let first = report["snapshots"]["differing"][0].clone();
    report["snapshots"]["differing"].as_array_mut().expect("a list").push(first);
}, "it is there twice")]
#[case::a_snapshot_because_of_nothing(|report: &mut Value| {
    set(report, "/snapshots/differing/0/becauseOf", json!(["0123456789abcdef"]));
}, "there is no such finding")]
#[case::cases_of_a_shard_in_a_whole_run(|report: &mut Value| {
    set(report, "/requirements/0/trail", json!({"blinded": 0, "refuted": true, "finished": true, "ran": []}));
}, "so this is a shard")]
fn a_bad_report_changed(#[case] change: fn(&mut Value), #[case] says: &str) {
    is_not_believed(&forged(faulty(), change), says);
}

/// What follows from the requirements, changed without them.
#[rstest]
#[case::the_verdict("/verdict", json!("conformant"), "✗ verdicts")]
#[case::the_verdict_on_an_item("/items/0/verdict", json!("conformant"), "✗ verdicts")]
#[case::no_items("/items", json!([]), "✗ verdicts")]
#[case::the_note_of_an_item("/items/0/note", json!("fine"), "✗ verdicts")]
#[case::an_item_of_the_checklist("/items/0/checklist", json!(true), "✗ verdicts")]
#[case::the_sum_of_cases("/totals/cases", json!(1_000_000), "✗ totals")]
#[case::the_sum_of_deliveries("/totals/deliveries", json!(u64::MAX), "✗ totals")]
#[case::the_checklist("/suite/checklist", json!([]), "✗ checklist")]
#[case::the_suite("/suite/digest", json!("0"), "✗ suite")]
fn what_follows_changed(#[case] pointer: &str, #[case] value: Value, #[case] says: &str) {
    is_not_believed(&signed(faulty(), |report| set(report, pointer, value)), says);
}

/// Shards say case by case what was run.
#[rstest]
#[case::fewer_cases_than_it_says(|report: &mut Value| {
    report["requirements"][0]["trail"]["ran"].as_array_mut().expect("a list").pop();
}, "its cases add up to")]
#[case::more_deliveries_than_it_says(|report: &mut Value| set(report, "/requirements/0/trail/ran/0/deliveries", 1_000_000), "its cases add up to")]
#[case::deliveries_beyond_counting(|report: &mut Value| {
    set(report, "/requirements/0/trail/ran/0/deliveries", u64::MAX);
    set(report, "/requirements/0/trail/ran/1/deliveries", u64::MAX);
}, "its cases add up to")]
#[case::a_case_twice(|report: &mut Value| {
    let first = report["requirements"][0]["trail"]["ran"][0].clone();
    set(report, "/requirements/0/trail/ran/1", first);
}, "one is there twice")]
#[case::a_last_case_before_others(|report: &mut Value| set(report, "/requirements/0/trail/ran/0/last", true), "were run after the last")]
#[case::a_pass_that_was_not_finished(|report: &mut Value| set(report, "/requirements/0/trail/finished", false), "not all of its cases were run")]
#[case::cases_that_are_not_named(|report: &mut Value| remove(report, "/requirements/0", "trail"), "a shard names them")]
#[case::a_failure_without_a_failed_case(|report: &mut Value| set(report, "/requirements/0/verdict", "fail"), "no case of it failed")]
#[case::cases_of_another_shard(|report: &mut Value| set(report, "/shard", "1/2"), "is another shard's")]
fn a_good_shard_changed(#[case] change: fn(&mut Value), #[case] says: &str) {
    is_not_believed(&forged(good_shard(), change), says);
}

#[rstest]
#[case::a_pass_with_failed_cases(|report: &mut Value| {
    set(report, "/requirements/0/verdict", "pass");
    remove(report, "/requirements/0", "findings");
}, "its cases come to")]
#[case::failed_cases_that_passed(|report: &mut Value| {
    for case in report["requirements"][0]["trail"]["ran"].as_array_mut().expect("a list") {
        case.as_object_mut().expect("an object").remove("failed");
    }
    set(report, "/requirements/0/verdict", "pass");
    remove(report, "/requirements/0", "findings");
}, "a finding is about it")]
#[case::a_shard_that_is_said_to_be_whole(|report: &mut Value| {
    report.as_object_mut().expect("an object").remove("shard");
}, "and does not say which")]
fn a_bad_shard_changed(#[case] change: fn(&mut Value), #[case] says: &str) {
    is_not_believed(&forged(shard(), change), says);
}

#[rstest]
#[case::with_mistakes(faulty())]
#[case::without(good())]
#[case::shard(shard())]
#[case::shard_without(good_shard())]
fn what_was_not_changed_is_believed(#[case] text: &str) {
    let row = Row::new();
    row.place.write("r.json", &forged(text, |_| {}));
    row.ends(&["verify", "r.json"], 0, "the record holds");
}

/// Reports of which looking at them would take as long as whoever made them up likes.
#[rstest]
#[case::findings(|report: &mut Value| {
    let finding = report["findings"][0].clone();
    let many = (0..2000).map(|number| { let mut other = finding.clone(); other["id"] = number.to_string().into(); other });
    report["findings"] = many.collect();
})]
#[case::findings_of_a_requirement(|report: &mut Value| report["requirements"][0]["findings"] = (0..100_000).map(|id| json!(id.to_string())).collect())]
#[case::findings_of_a_snapshot(|report: &mut Value| report["snapshots"]["differing"][0]["becauseOf"] = (0..100_000).map(|id| json!(id.to_string())).collect())]
#[case::snapshots(|report: &mut Value| report["snapshots"]["differing"] = vec![report["snapshots"]["differing"][0].clone(); 10_000].into())]
#[case::requirements(|report: &mut Value| report["requirements"] = vec![report["requirements"][0].clone(); 10_000].into())]
#[case::items(|report: &mut Value| report["items"] = vec![report["items"][0].clone(); 50_000].into())]
#[case::saved_cases(|report: &mut Value| report["saved"] = vec![json!({"file": "x", "finding": "y", "fails": "z"}); 50_000].into())]
#[case::patterns(|report: &mut Value| report["options"]["only"] = vec![json!("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a"); 50_000].into())]
#[case::subscriptions(|report: &mut Value| report["target"]["capabilities"]["subscribes"] = vec![json!("x*"); 300_000].into())]
#[case::equivalent_statuses(|report: &mut Value| report["target"]["capabilities"]["equivalentStatuses"] = vec![json!([]); 100_000].into())]
#[case::items_left_out(|report: &mut Value| report["options"]["without"] = vec![json!("x"); 300_000].into())]
#[case::cases(|report: &mut Value| {
    let ran = vec![json!({"case": 0, "deliveries": 0, "failed": []}); 50_000];
    report["requirements"][0]["trail"] = json!({"blinded": 0, "refuted": true, "finished": true, "ran": ran});
})]
fn far_too_much_in_a_report(#[case] change: fn(&mut Value)) {
    is_not_believed(&signed(faulty(), change), "at most ");
}

/// Texts that are no report at all.
#[rstest]
#[case::empty("")]
#[case::deep(&"[".repeat(1_000_000))]
#[case::deep_objects(&"{\"a\":".repeat(1_000_000))]
#[case::wide(&format!("[{}0]", "0,".repeat(4_000_000)))]
#[case::a_long_number(&format!("{{\"schema\":{}}}", "9".repeat(1_000_000)))]
#[case::a_long_name(&format!("{{\"{}\":1}}", "n".repeat(8_000_000)))]
#[case::many_members(&format!("{{{}\"z\":1}}", "\"a\":1,".repeat(1_000_000)))]
#[case::many_strangers(&faulty().replacen('{', &format!("{{\"x\":[{}0],", "0,".repeat(1_000_000)), 1).replace("\"provider\"", "\"provide\""))]
#[case::a_schema_twice("{\"schema\":\"refundproof-report/2\",\"schema\":\"refundproof-report/2\"}")]
#[case::a_schema_that_is_a_list("{\"schema\":[[[]]]}")]
#[case::an_older_one("{\"schema\":\"refundproof-report/1\"}")]
#[case::negative(&faulty().replacen("\"cases\": 5", "\"cases\": -5", 1))]
#[case::a_fraction(&faulty().replacen("\"cases\": 5", "\"cases\": 5.5", 1))]
#[case::beyond_numbers(&faulty().replacen("\"cases\": 5", "\"cases\": 1e999", 1))]
#[case::a_verdict_that_there_is_not(&faulty().replacen("\"not-conformant\"", "\"CONFORMANT\"", 1))]
fn no_report(#[case] text: &str) {
    let row = Row::new();
    fs::write(row.place.path("r.json"), text).expect("a file");
    row.complains(&["verify", "r.json"], 2, "r.json: ");
    row.complains(&["merge", "r.json"], 2, "r.json: ");
    // Nor is it a case.
    row.complains(&["show", "r.json"], 2, "r.json: ");
}
