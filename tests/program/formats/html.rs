//! The page as a text.

use refundproof::{report::Format, run::Options, verdict::Conformance};

use super::{HOSTILE_REPORT, SMALL, report_of, written};
use crate::common::{certified, quick};

#[test]
fn hostile_text_is_escaped_on_the_page() {
    let text = written(Format::Html, &HOSTILE_REPORT);
    assert_eq!(text.matches("<script").count(), 1);
    assert_eq!(text.matches("</script").count(), 1);
    assert_eq!(text.matches("<img").count(), 0);
    assert!(!text.contains(['\0', '\u{1b}', '\u{7}', '\u{fffe}', '\u{202e}']));
    assert!(text.contains("alert(1)"), "what was said is still to be read");
}

#[test]
fn the_page_needs_no_network() {
    let text = written(Format::Html, &SMALL);
    for part in ["src=", "<link", "@import", "url(", "fetch(", "XMLHttpRequest", "style="] {
        assert!(!text.contains(part), "{part}");
    }
    assert!(text.contains("default-src &#39;none&#39;; style-src &#39;sha256-"));
}

#[test]
fn no_signature_stands_on_the_page() {
    let text = written(Format::Html, &report_of("unsigned-accepted", &Options::new().with(|options| options.cases = 20)));
    assert!(!text.to_lowercase().contains("digitalriver-signature"));
    assert!(text.contains("<dt>signature</dt>"));
}

#[test]
fn the_page_of_many_failures_is_small() {
    // Nothing is shrunk, so that cases are as long as they get, and the target said a lot.
    let mut report = report_of("counts-both-layers", &quick(100, 1));
    assert!(report.requirements.iter().filter(|result| !result.findings.is_empty()).count() >= 20);
    for failure in &mut report.findings {
        failure.stderr = "<trouble> & \"more\"\n".repeat(100_000);
        failure.diff = failure.stderr.clone();
        failure.observed = failure.stderr.clone();
    }
    let text = written(Format::Html, &report);
    assert!(text.len() < 2_000_000, "{} bytes", text.len());
    assert!(text.contains("so that this page stays small"), "what is cut is said");
}

#[test]
fn every_requirement_is_on_the_page() {
    let report = certified(None, &quick(2, 1));
    let text = written(Format::Html, &report);
    assert_eq!(report.verdict, Conformance::Conformant);
    assert_eq!(text.matches("data-what=\"requirement\"").count(), report.requirements.len());
    assert!(!text.contains("id=\"findings\""));
}
