//! Shops that hold what they are told against their own clock, where they made a refund themselves.

use std::collections::BTreeMap;

use refundproof::{
    adapter::{Request, Target, TargetError},
    case::OwnRefund,
    domain::{Clock, EventTime},
    provider::Provider,
    reference::Fault,
    verdict::{Report, Verdict},
};
use rstest::rstest;
use serde_json::Value;

use crate::common::{around::as_its_shop, certified_for, certified_target, only, providers, quick, shop};

/// The reference, which notes when it made a refund, so many seconds wrong, and takes what was made before that for old news.
struct Fenced {
    shop: Box<dyn Target>,
    clock: Clock,
    wrong_by: i64,
    acted: BTreeMap<String, i64>,
}

/// When an event says it was made, in microseconds after 1970.
fn made(event: &Value) -> Option<i64> {
    let text = event.get("createdTime").or(event.get("created_at")).and_then(Value::as_str);
    let seconds = || event.get("created")?.as_i64()?.checked_mul(1_000_000);
    text.and_then(|text| EventTime::parse(text).ok()).map(|time| time.micros()).or_else(seconds)
}

impl Target for Fenced {
    as_its_shop!(hello, begin, observe, restart);

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let event: Value = serde_json::from_slice(request.body).unwrap_or_default();
        let text = event.to_string();
        let is_old = |(refund, acted): (&String, &i64)| text.contains(refund.as_str()) && made(&event).is_some_and(|made| made < *acted);
        if self.acted.iter().any(is_old) {
            return Ok(200);
        }
        self.shop.deliver(request)
    }

    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        let now = i64::try_from(self.clock.unix_seconds()).expect("a time") + self.wrong_by;
        self.acted.insert(own.refund.id.clone(), now * 1_000_000);
        self.shop.initiate(own)
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        self.acted.clear();
        self.shop.end(case)
    }
}

fn certified(provider: &'static dyn Provider, wrong_by: i64) -> Report {
    let make = |clock: &Clock| {
        Box::new(Fenced { shop: shop(None, clock), clock: clock.clone(), wrong_by, acted: BTreeMap::new() }) as Box<dyn Target>
    };
    certified_target(provider, &make, &quick(60, 1))
}

/// Its refund was made now, and what is told of it is dated after that.
#[test]
fn a_shop_whose_clock_is_right_conforms() {
    for provider in providers() {
        let report = certified(provider, 0);
        let failed: Vec<_> = report.requirements.iter().filter(|result| result.judged && result.verdict == Verdict::Fail).collect();
        assert!(failed.is_empty() && report.snapshots.differing.is_empty(), "{}: {failed:#?}", provider.name());
    }
}

#[rstest]
#[case(2 * 3600)]
#[case(10 * 3600)]
fn a_shop_that_is_hours_ahead_does_not(#[case] wrong_by: i64) {
    for provider in providers() {
        let report = certified(provider, wrong_by);
        let failed: Vec<&str> = report.findings.iter().map(|finding| finding.about.as_str()).collect();
        assert!(failed.contains(&"own-refund-not-booked-twice"), "{}: {failed:?}", provider.name());
    }
}

#[test]
fn the_mistake_of_the_bank_is_found() {
    for provider in providers() {
        let options = quick(20, 1).with(|options| options.selection = only(&["own-refund-not-booked-twice"]));
        let report = certified_for(provider, Some(Fault::OwnRefundInLocalTime), &options);
        assert_eq!(report.findings.len(), 1, "{}", provider.name());
    }
}
