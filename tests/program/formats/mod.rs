//! JUnit, Markdown, annotations and the page as texts: what stands in them, that hostile text stays text, their limits, and
//! that the same run gives the same bytes.

mod html;
mod junit;
mod lines;

use std::sync::LazyLock;

use refundproof::{
    case::Case,
    corpus::RequirementText,
    reference::Fault,
    report::{Format, github},
    run::Options,
    verdict::{Report, SnapshotDifference, Verdict},
};

use crate::common::{certified, only, provider, quick};

fn describe(id: &str) -> Option<RequirementText> {
    provider().corpus().requirements.iter().find(|text| text.id == id).cloned()
}

fn written(format: Format, report: &Report) -> String {
    let mut text = Vec::new();
    format.write(&mut text, report, &describe).expect("memory can be written");
    String::from_utf8(text).expect("UTF-8")
}

fn annotations(report: &Report) -> String {
    let mut text = Vec::new();
    github::write(&mut text, report, &describe).expect("memory can be written");
    String::from_utf8(text).expect("UTF-8")
}

fn report_of(fault: &str, options: &Options) -> Report {
    let mut report = certified(Some(Fault::from_name(fault).expect("a fault")), options);
    for failure in &mut report.findings {
        failure.file = format!("refundproof-failures/{}.json", failure.case);
        failure.reproduce = format!("refundproof replay {} builtin:fault/{fault}", failure.file);
    }
    report
}

/// Few requirements, one of which fails.
static SMALL: LazyLock<Report> = LazyLock::new(|| {
    let selection = only(&["duplicate-deliveries", "out-of-order-deliveries", "concurrent-deliveries"]);
    without_times(report_of(
        "books-redeliveries",
        &Options::new().with(|options| {
            options.cases = 20;
            options.selection = selection;
        }),
    ))
});

/// A case that does not change when cases are drawn in another way.
const CASE: &str = r#"{
  "schema": "refundproof-case/1", "title": "booked twice", "provider": "digital-river",
  "orders": [{ "orderId": "1234500336", "currency": "USD", "capturedAmount": "27.01", "charges": [{ "id": "charge-1", "capturedAmount": "27.01" }] }],
  "entries": [
    { "deliver": {
        "event": { "id": "event-1", "type": "refund.complete", "orderId": "1234500336", "createdTime": "2022-01-19T10:08:24Z",
          "tells": [{ "refund": { "id": "re_1", "state": "succeeded", "amount": "5.00", "refundedAmount": "5.00" } }] },
        "headers": { "content-type": "application/json" }, "body": "{\"id\":\"event-1\",\"data\":{\"amount\":5.00}}" } },
    { "deliver": {
        "event": { "id": "event-1", "type": "refund.complete", "orderId": "1234500336", "createdTime": "2022-01-19T10:08:24Z",
          "tells": [{ "refund": { "id": "re_1", "state": "succeeded", "amount": "5.00", "refundedAmount": "5.00" } }] },
        "headers": { "content-type": "application/json" }, "body": "{\"id\":\"event-1\",\"data\":{\"amount\":5.00}}", "fault": "redelivery" } }
  ],
  "expect": []
}"#;

/// What a run may remark on a target.
const REMARK: &str = "capabilities.subscribes: `order.gone` fits no event type of digital-river";

/// A small report that stays the same when cases are drawn in another way.
fn example() -> Report {
    let mut report = SMALL.clone();
    report.suite.digest = "0123456789abcdef".to_owned();
    report.suite.version = "1.2.3".to_owned();
    report.target.version = "1.2.3".to_owned();
    report.target.remarks = vec![REMARK.to_owned()];
    report.totals.cases = 25;
    report.totals.deliveries = 600;
    for result in &mut report.requirements {
        (result.cases, result.deliveries) = (12, 300);
        if result.id == "concurrent-deliveries" {
            (result.cases, result.deliveries, result.verdict) = (0, 0, Verdict::NotApplicable);
            result.note = Some("the target does not claim `concurrency`".to_owned());
        }
    }
    for failure in &mut report.findings {
        failure.id = "0123456789abcdef".to_owned();
        failure.case = "duplicate-deliveries-0004".to_owned();
        failure.deliveries = 2;
        failure.message = "refundedAmount is 10.00, must be 5.00".to_owned();
        failure.expected = "status                  partially_refunded\nrefundedAmount          5.00\n".to_owned();
        failure.observed = "status                  partially_refunded\nrefundedAmount          10.00\n".to_owned();
        failure.diff =
            " status                  partially_refunded\n-refundedAmount          5.00\n+refundedAmount          10.00\n".to_owned();
        failure.file = "refundproof-failures/duplicate-deliveries-0004.json".to_owned();
        failure.reproduce = format!("refundproof replay {} -- ./shop", failure.file);
        failure.answers = vec!["200".to_owned(), "200".to_owned()];
        failure.stderr = "booked 5.00\nbooked 5.00\n".to_owned();
        failure.shrunk = Some(Box::new(Case::from_json("example", CASE).expect("a case")));
        failure.entry = Some(1);
    }
    report
}

fn without_times(mut report: Report) -> Report {
    report.totals.duration_ms = 0;
    report.requirements.iter_mut().for_each(|result| result.duration_ms = 0);
    report
}

/// Text that would break out of every format if it were let.
const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u{1b}[31m\u{1b}]0;title\u{7} \0 \u{fffe} ]]> &amp; \" ' \
     ``` ````\n```\n| a | b |\n</details>\n\n# heading\n[link](https://evil.example) <https://evil.example> www.evil.example *b* \\\n\
     ::error title=x::y\r\n%0A::set-output name=x::y\n~~~\n--> \u{202e}turned";

/// Verdicts of every kind, and hostile text wherever a target may bring any in.
static HOSTILE_REPORT: LazyLock<Report> = LazyLock::new(|| {
    let mut report = without_times(report_of("counts-both-layers", &quick(4, 1)));
    report.target.name = HOSTILE.to_owned();
    report.target.version = HOSTILE.to_owned();
    report.target.remarks = vec![HOSTILE.to_owned()];
    report.target.capabilities.subscribes = Some(vec![HOSTILE.to_owned()]);
    report.interrupted = Some(HOSTILE.to_owned());
    report.snapshots.note = Some(HOSTILE.to_owned());
    report.snapshots.compared = 2;
    report.snapshots.differing = vec![SnapshotDifference {
        name: "001-unknown-events".to_owned(),
        diff: format!(" same\n-{HOSTILE}\n+{HOSTILE}\n"),
        fingerprint: String::new(),
        because_of: Vec::new(),
        waived: None,
    }];
    let verdicts = [Verdict::Error, Verdict::NotApplicable, Verdict::NotExercised, Verdict::Waived, Verdict::Warn];
    for (result, verdict) in report.requirements.iter_mut().zip(verdicts) {
        result.verdict = verdict;
        result.judged = true;
    }
    for result in &mut report.requirements {
        result.note = Some(HOSTILE.to_owned());
    }
    for failure in &mut report.findings {
        for text in [
            &mut failure.message,
            &mut failure.expected,
            &mut failure.observed,
            &mut failure.stderr,
            &mut failure.file,
            &mut failure.reproduce,
        ] {
            text.push_str(HOSTILE);
        }
        failure.diff = format!("-{HOSTILE}\n+{HOSTILE}\n");
        failure.answers = vec![HOSTILE.to_owned()];
    }
    report
});

#[test]
fn the_same_run_gives_the_same_bytes() {
    let options = Options::new().with(|options| {
        options.cases = 8;
        options.seed = 5;
    });
    let one = without_times(report_of("counts-both-layers", &options));
    let other = without_times(report_of("counts-both-layers", &options.with(|options| options.jobs = 3)));
    for &format in Format::ALL {
        assert!(written(format, &one) == written(format, &other), "{} differs", format.name());
    }
    assert_eq!(annotations(&one), annotations(&other));
}

#[test]
fn remarks_are_told_wherever_people_read() {
    let report = example();
    let notice = format!("::notice title=About the target::{REMARK}\n");
    assert!(written(Format::Html, &report).contains(REMARK));
    assert!(written(Format::Markdown, &report).contains(&format!("> [!NOTE]\n> `` {REMARK} ``\n")));
    assert!(annotations(&report).ends_with(&notice));
}

#[test]
fn a_report_that_was_read_back_is_written_too() {
    let report = example();
    let read: Report = serde_json::from_str(&written(Format::Json, &report)).expect("a report");
    assert!(read.findings.iter().all(|finding| finding.shrunk.is_none()));
    for &format in Format::ALL {
        assert!(written(format, &read).contains("refundedAmount is 10.00, must be 5.00"), "{}", format.name());
    }
}
