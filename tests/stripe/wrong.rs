//! Shops with a mistake that the bank of faults does not have: it is told once, or once for each thing that it takes to show it,
//! and is like nothing.

use refundproof::{
    adapter::{Hello, Introduction, Request, Target, TargetError},
    case::OrderSetup,
    domain::Clock,
    provider::named,
    reference::ReferenceShop,
    run::Options,
    verdict::{FindingReport, Report},
};
use rstest::rstest;
use serde_json::Value;

use crate::common::{around::as_its_shop, certified_target};

/// What a shop cannot take in, though it is valid.
type Trips = fn(&Value) -> bool;

/// The reference, which fails at some events before anything is stored.
struct Tripping {
    shop: ReferenceShop,
    /// Says what is valid.
    gate: ReferenceShop,
    trips: Trips,
}

impl Target for Tripping {
    as_its_shop!(initiate, advance, observe, end, restart);

    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.gate.hello(hello)?;
        self.shop.hello(hello)
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.gate.begin(case, orders)?;
        self.shop.begin(case, orders)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let is_valid = self.gate.deliver(request)? < 300;
        if is_valid && serde_json::from_slice(request.body).is_ok_and(|event| (self.trips)(&event)) {
            return Ok(500);
        }
        self.shop.deliver(request)
    }
}

/// A column that takes the letters of Western Europe.
fn has_other_letters(event: &Value) -> bool {
    event["data"]["object"]["metadata"].to_string().chars().any(|letter| letter > '\u{ff}')
}

/// The card is looked for to which the money goes back.
fn goes_to_no_card(event: &Value) -> bool {
    let object = &event["data"]["object"];
    object["object"] == "refund" && object["destination_details"]["card"].is_null()
}

/// Events are to be of this year.
fn is_old(event: &Value) -> bool {
    event["created"].as_i64().is_some_and(|created| created < 1_740_000_000)
}

fn certified(trips: Trips) -> Report {
    let make = |clock: &Clock| -> Box<dyn Target> {
        let shop = || ReferenceShop::new(clock.clone());
        Box::new(Tripping { shop: shop(), gate: shop(), trips })
    };
    let provider = named("stripe").expect("it is registered").embedded();
    certified_target(provider, &make, &Options::new().with(|options| options.cases = 25))
}

#[rstest]
#[case::letters(has_other_letters, 1)]
#[case::old(is_old, 1)]
// A payment without one, a refund that waits for the shopper, and a body of before there was the member.
#[case::no_card(goes_to_no_card, 3)]
fn a_shop_that_fails_at_what_is_valid(#[case] trips: Trips, #[case] findings: usize) {
    let report = certified(trips);
    let told = |finding: &FindingReport| format!("{} {} {:?}", finding.about, finding.message, finding.like);
    let told: Vec<String> = report.findings.iter().map(told).collect();
    assert!(report.findings.iter().all(|finding| finding.like.is_none()), "{told:#?}");
    assert_eq!(report.findings.len(), findings, "{told:#?}");
}
