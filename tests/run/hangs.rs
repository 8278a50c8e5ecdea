//! Targets that hang, and answer when they are asked again.

use std::{collections::HashSet, time::Duration};

use refundproof::{
    adapter::{Request, Target, TargetError, TargetErrorKind},
    domain::Clock,
    verdict::{Conformance, Report},
};

use crate::common::{around::as_its_shop, certified_target, only, provider, quick, shop};

/// A shop that does not answer some deliveries.
struct Silent<F> {
    shop: Box<dyn Target>,
    answers: F,
}

impl<F: FnMut(&[u8]) -> bool + Send> Target for Silent<F> {
    as_its_shop!(hello, begin, observe, end);

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        if !(self.answers)(request.body) {
            return Err(TargetError::new("deliver", TargetErrorKind::TimedOut(Duration::from_secs(1))));
        }
        self.shop.deliver(request)
    }
}

/// What comes of one that answers so many deliveries at a time, in short cases.
fn tiring(left: u32) -> Report {
    let make = |clock: &Clock| {
        // No more until it is started anew.
        let mut left = left;
        let answers = move |_: &[u8]| {
            let answers = left > 0;
            left = left.saturating_sub(1);
            answers
        };
        Box::new(Silent { shop: shop(None, clock), answers }) as Box<dyn Target>
    };
    let options = quick(30, 1).with(|options| {
        options.jobs = 1;
        options.selection = only(&["refund-complete-updates-order"]);
    });
    certified_target(provider(), &make, &options)
}

const HUNG: &str = "it hung in a case, which it answered when that was played again alone";

#[test]
fn who_hangs_again_and_again_is_not_certified() {
    let report = tiring(9);
    assert_eq!(report.verdict, Conformance::NotJudged);
    let note = report.requirements[0].note.as_deref().unwrap_or_default();
    assert!(note.starts_with("deliver: it hung again and again"), "{note}");
    assert!(report.target.remarks.iter().any(|remark| remark == HUNG));
}

/// Once may have been the machine; it is said, and what the case came to alone counts.
#[test]
fn who_hangs_once_is_judged_by_the_case_alone() {
    let report = tiring(20);
    assert_eq!((report.verdict, report.requirements[0].cases), (Conformance::Conformant, 30));
    assert_eq!(report.target.remarks, [HUNG]);
    let covered: u64 = report.requirements[0].coverage.iter().flat_map(|coverage| coverage.events.values()).sum();
    assert_eq!(covered, report.requirements[0].deliveries);
}

#[test]
fn who_never_hangs_has_no_remark() {
    let report = tiring(1000);
    assert_eq!((report.verdict, report.target.remarks.len()), (Conformance::Conformant, 0));
}

/// What takes so long may be all that a run has time for, so it says so though everything is right.
#[test]
fn who_answers_late_is_told_to_what() {
    let kind = "order.charge.refund.complete";
    let make = |clock: &Clock| {
        // What it has not seen yet it answers when it comes again.
        let mut seen: HashSet<Vec<u8>> = HashSet::new();
        let answers = move |body: &[u8]| !String::from_utf8_lossy(body).contains(kind) || !seen.insert(body.to_vec());
        Box::new(Silent { shop: shop(None, clock), answers }) as Box<dyn Target>
    };
    let report = certified_target(provider(), &make, &quick(4, 1).with(|options| options.selection = only(&["full-refund-detected"])));
    assert_eq!(report.verdict, Conformance::Conformant);
    let [remark] = &report.target.remarks[..] else { panic!("{:?}", report.target.remarks) };
    assert!(remark.starts_with("it gave no answer in time, most often to `order.charge.refund.complete`"), "{remark}");
}
