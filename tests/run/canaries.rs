//! A pass is worth something: wrong consumers, played on the same cases under the same claims, fail them.

use std::sync::atomic::AtomicBool;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use refundproof::{
    adapter::{Capabilities, Observable, Target},
    check::Rules,
    corpus::Need,
    domain::Clock,
    drive::Launch,
    plan::for_recipe,
    provider::{Audience, Provider, lower_for},
    reference::Ignorer,
    run::{Canaries, Options, certify, sample},
    verdict::{Conformance, Report, Verdict},
};

use crate::common::{self, certified_target, only, providers, quick};

/// Of each requirement's cases enough can show a mistake, and a consumer that does nothing fails some, where everything is claimed.
#[test]
fn every_requirement_can_fail() {
    const DRAWS: u64 = 60;
    let mut dull = Vec::new();
    for provider in providers() {
        for requirement in &provider.corpus().requirements {
            let Some(recipe) = requirement.recipe else { continue };
            let strategy = for_recipe(recipe, provider.palette());
            let rules = Rules::of(&requirement.id, provider.answer_limit());
            let (calls_back, older) = (requirement.needs.contains(&Need::CallsBack), requirement.needs.contains(&Need::OlderApiVersion));
            let claims = Capabilities::everything().with(|claims| (claims.calls_back, claims.older_api_version) = (calls_back, older));
            let audience = Audience { subscribed: &|kind| provider.sends(kind, older), calls_back, older, clock: false };
            let mut canaries = Canaries::new(provider, &requirement.id, rules, &claims).expect("canaries start");
            let plans = (0..DRAWS).filter_map(|seed| sample(&strategy, seed));
            let cases: Vec<_> = plans.map(|plan| lower_for(provider, &plan, 7, audience).case).collect();
            let exercised = cases.iter().filter(|case| canaries.exercises(case)).count();
            let refuted = cases.iter().filter(|case| canaries.null_fails(case)).count();
            if exercised * 100 < cases.len() * usize::from(requirement.floor) || refuted == 0 {
                dull.push(format!("{}: {}: {exercised} of {}, {refuted} by the null model", provider.name(), requirement.id, cases.len()));
            }
        }
    }
    assert!(dull.is_empty(), "{dull:#?}");
}

fn null_model(provider: &dyn Provider, capabilities: &Capabilities, options: &Options) -> Option<Report> {
    let launch =
        Launch::new("in-process", "", Clock::manual(1_750_000_000), || Ok(Box::new(Ignorer::new(capabilities.clone())) as Box<dyn Target>));
    // Claims that cannot be are refused at once.
    certify(provider, &launch, options, &AtomicBool::new(false), &mut |_| {}).ok()
}

fn any_claims(provider: &'static dyn Provider) -> impl Strategy<Value = Capabilities> {
    let kinds: Vec<String> = provider.corpus().catalogue.iter().map(|event| event.kind.clone()).collect();
    let patterns: Vec<String> = kinds.iter().filter_map(|kind| Some(format!("{}.*", kind.rsplit_once('.')?.0))).collect();
    let subscribes = prop::option::weighted(0.8, prop::collection::vec(prop::sample::select([kinds, patterns].concat()), 1..5));
    let groups = [
        &["pending", "pending_information"][..],
        &["not_refunded", "pending", "pending_information"],
        &["not_refunded", "failed"],
        &["not_refunded", "pending"],
    ];
    let groups = prop::sample::subsequence(groups.to_vec(), 0..=3);
    let observes = [Observable::Currency, Observable::Refunds, Observable::AvailableToRefundAmount, Observable::ChargedBackAmount];
    let observes = prop::sample::subsequence(observes.to_vec(), 0..=4);
    (subscribes, groups, observes, any::<[bool; 4]>(), 1_u32..5).prop_map(|(subscribes, groups, observes, claims, concurrency)| {
        let owned = |group: &[&str]| group.iter().map(|word| (*word).to_owned()).collect();
        Capabilities::new().with(|new| {
            new.observes = observes;
            new.subscribes = subscribes;
            new.equivalent_statuses = groups.into_iter().map(owned).collect();
            new.verifies_signatures = claims[0];
            new.durable = claims[1];
            new.initiates_refunds = claims[2];
            new.calls_back = claims[3];
            new.concurrency = concurrency;
        })
    })
}

/// Whatever is claimed: what a consumer that does nothing passes in every case is not passed.
#[test]
fn no_claim_buys_a_pass() {
    for provider in providers() {
        let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
        let law = |capabilities: Capabilities| {
            let Some(report) = null_model(provider, &capabilities, &quick(5, 5)) else { return Ok(()) };
            let passed: Vec<&str> =
                report.requirements.iter().filter(|result| result.verdict == Verdict::Pass).map(|result| result.id.as_str()).collect();
            prop_assert!(passed.is_empty(), "{passed:?}");
            prop_assert_ne!(report.verdict, Conformance::Conformant);
            Ok(())
        };
        runner.run(&any_claims(provider), law).unwrap_or_else(|error| panic!("{}: {error}", provider.name()));
    }
}

fn subscribing(patterns: &[&str]) -> Capabilities {
    Capabilities::new().with(|claims| claims.subscribes = Some(patterns.iter().map(|pattern| (*pattern).to_owned()).collect()))
}

#[track_caller]
fn assert_not_certified(patterns: &[&str]) {
    let report = null_model(common::provider(), &subscribing(patterns), &quick(20, 1)).expect("it starts");
    assert_ne!(report.verdict, Conformance::Conformant);
    let refund = report.items.iter().find(|item| item.id == "refund").expect("an item");
    assert_eq!((refund.verdict, refund.checklist), (Conformance::NotCertified, true));
}

#[test]
fn a_subscription_that_tells_nothing_of_refunds() {
    assert_not_certified(&["sku.created"]);
}

#[test]
fn a_subscription_that_binds_to_nothing() {
    assert_not_certified(&["order.refunded"]);
}

/// What is knowingly left out does not fail a run, and is not called certified.
#[test]
fn an_item_that_is_left_out() {
    let capabilities = || Capabilities::new().with(|claims| claims.subscribes = Some(vec!["refund.*".to_owned()]));
    let make = |clock: &Clock| -> Box<dyn Target> { Box::new(Claiming { shop: common::shop(None, clock), capabilities: capabilities() }) };
    let run = |without: &[&str]| {
        let without = without.iter().map(|item| (*item).to_owned()).collect();
        certified_target(common::provider(), &make, &quick(30, 1).with(|options| options.without = without))
    };
    let report = run(&[]);
    assert_eq!(report.verdict, Conformance::NotCertified);
    let report = run(&["chargeback"]);
    assert_eq!(report.verdict, Conformance::Conformant);
    let chargeback = report.items.iter().find(|item| item.id == "chargeback").expect("an item");
    assert_eq!(chargeback.verdict, Conformance::NotCertified);
}

/// A selection that can show nothing is not certified either.
#[test]
fn a_selection_of_which_nothing_applies() {
    let options = quick(10, 1).with(|options| options.selection = only(&["signature-required"]));
    let report = null_model(common::provider(), &Capabilities::default(), &options).expect("it starts");
    assert_eq!(report.verdict, Conformance::NotCertified);
}

/// A conforming shop that claims less.
struct Claiming {
    shop: Box<dyn Target>,
    capabilities: Capabilities,
}

impl Target for Claiming {
    fn hello(
        &mut self,
        hello: &refundproof::adapter::Hello,
    ) -> Result<refundproof::adapter::Introduction, refundproof::adapter::TargetError> {
        let introduction = self.shop.hello(hello)?;
        Ok(introduction.with(|told| told.capabilities = self.capabilities.clone()))
    }

    fn begin(&mut self, case: &str, orders: &[refundproof::case::OrderSetup]) -> Result<(), refundproof::adapter::TargetError> {
        self.shop.begin(case, orders)
    }

    fn deliver(&mut self, request: &refundproof::adapter::Request<'_>) -> Result<u16, refundproof::adapter::TargetError> {
        self.shop.deliver(request)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<refundproof::domain::OrderState>, refundproof::adapter::TargetError> {
        self.shop.observe(order_id)
    }
}
