//! What is found of targets with faults of the bank, and what is asked of them on the way: each question costs the integrator's
//! shop a case. Cases of a few requirements only are brought, so that every mistake of an inquiry shows here within seconds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    time::Duration,
};

use sha2::{Digest, Sha256};

use crate::{
    adapter::Capabilities,
    case::Case,
    check::{FailureKind, Rules},
    domain::Clock,
    double::Double,
    drive::{Conditions, Driver},
    findings::{Failing, Inquiry, Requirement, Shown, ShrinkLimits, Stage},
    plan::{Plan, for_recipe},
    provider::{Provider, registered},
    reference::{Fault, ReferenceShop},
    search::{case_for, sample},
};

/// How many cases of each requirement are played.
const CASES: u64 = 20;

/// What a target does wrong with a case: faults of the bank, and what else it shows then.
type Wrong = fn(&Case, Shown) -> (Vec<Fault>, Shown);

/// Plays cases on the reference with faults, and counts and remembers what it is asked.
struct Bench {
    provider: &'static dyn Provider,
    wrong: Wrong,
    made: u64,
    played: u32,
    foretold: u32,
    asked: Sha256,
}

/// A provider by its place among those that there are.
fn provider(place: usize) -> &'static dyn Provider {
    registered()[place].embedded()
}

/// What the targets here claim: all that the provider can be asked for.
fn claims(provider: &dyn Provider) -> Capabilities {
    Capabilities::everything().with(|claims| claims.calls_back = provider.api().is_some())
}

impl Bench {
    fn new(provider: &'static dyn Provider, wrong: Wrong) -> Bench {
        Bench { provider, wrong, made: 0, played: 0, foretold: 0, asked: Sha256::new() }
    }

    fn answer(&self, host: usize, case: &Case) -> Shown {
        let (faults, _) = (self.wrong)(case, Shown::default());
        (self.wrong)(case, self.run(host, case, &faults)).1
    }

    fn run(&self, host: usize, case: &Case, faults: &[Fault]) -> Shown {
        let clock = Clock::manual(1_750_000_000);
        let double = self.provider.api().map(Double::of);
        let shop = ReferenceShop::with_faults(faults, clock.clone());
        let shop = if double.is_some() { shop.calling_back() } else { shop };
        let mut driver = Driver::calling(self.provider, Box::new(shop), double, clock, Conditions::default()).expect("it starts");
        driver.introduction.capabilities = claims(self.provider);
        let rules = Rules::of(&self.provider.corpus().requirements[host].id, self.provider.answer_limit());
        let outcome = driver.run("asked", case, rules);
        let answers = outcome.sent.iter().map(|sent| sent.answers.clone()).collect();
        Shown { failure: outcome.failure, answers, complaints: String::new() }
    }
}

impl Stage for Bench {
    fn provider(&self) -> &dyn Provider {
        self.provider
    }

    fn case(&mut self, host: usize, plan: &Plan) -> Case {
        self.made += 1;
        self.case_with(host, plan, (1 << 40) + self.made)
    }

    fn case_with(&mut self, host: usize, plan: &Plan, serial: u64) -> Case {
        case_for(self.provider, &self.provider.corpus().requirements[host], plan, serial, &claims(self.provider))
    }

    fn play(&mut self, host: usize, case: &Case, _: Option<FailureKind>) -> Option<Shown> {
        self.played += 1;
        let bodies = case.all_deliveries().map(|delivery| delivery.event.kind.as_str()).collect::<Vec<_>>().join(" ");
        self.asked.update(format!("{host} {bodies}\n"));
        Some(self.answer(host, case))
    }

    fn foretell(&mut self, host: usize, case: &Case, faults: &[Fault]) -> Shown {
        self.foretold += 1;
        self.run(host, case, faults)
    }

    fn limits(&self, _: FailureKind) -> ShrinkLimits {
        ShrinkLimits { attempts: 300, ..ShrinkLimits::default() }
    }

    fn is_costly(&self, _: FailureKind) -> bool {
        false
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn smaller(&mut self, _: usize, _: usize) {}
}

/// What is found of a consumer of the first provider's events.
fn found(name: &str, wrong: Wrong, ids: &[&str]) -> String {
    found_with(provider(0), name, wrong, ids)
}

/// What is found in some cases of these requirements, of which all are brought that fail.
fn found_with(provider: &'static dyn Provider, name: &str, wrong: Wrong, ids: &[&str]) -> String {
    let all = provider.corpus().requirements.iter().enumerate();
    let chosen = all.filter(|(_, requirement)| ids.contains(&requirement.id.as_str()));
    let requirements: BTreeMap<usize, Requirement> =
        chosen.map(|(place, one)| (place, Requirement { id: one.id.clone(), recipe: one.recipe.expect("cases are drawn") })).collect();
    assert_eq!(requirements.len(), ids.len(), "an id that is not there");
    let mut inquiry = Inquiry::new(Bench::new(provider, wrong), &requirements);
    let mut text = format!("{name}\n");
    for (host, requirement) in &requirements {
        let strategy = for_recipe(requirement.recipe, provider.palette());
        let mut because = Vec::new();
        for number in 0..CASES {
            let plan = sample(&strategy, number).expect("a plan is drawn");
            let case = inquiry.stage().case_with(*host, &plan, number);
            let shown = inquiry.stage().answer(*host, &case);
            if shown.failure.is_some() {
                because.push(inquiry.attribute(&Failing { host: *host, number: u32::try_from(number).ok(), plan, case, shown }));
            }
        }
        let _ = writeln!(text, "  {} fails because of {because:?}", requirement.id);
    }
    inquiry.unite();
    for mistake in inquiry.mistakes().to_vec() {
        let owner = inquiry.owner(&mistake, &BTreeSet::new()).and_then(|place| requirements.get(&place));
        let names = |faults: &[Fault]| faults.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(" ");
        let (id, kind, deliveries) = (&mistake.id, mistake.kind, mistake.smallest.case.deliveries());
        let smallest = if mistake.is_smallest { "smallest" } else { "cut short" };
        let owner = owner.map_or("nothing", |owner| owner.id.as_str());
        let _ = writeln!(text, "  {id} about {owner}: {kind:?} in {deliveries}, {smallest}, chance {:?}", mistake.chance);
        let _ = writeln!(text, "    first {:?}, takes {:?}", mistake.first, mistake.trigger);
        let _ = writeln!(text, "    like {}", names(&mistake.like));
        let _ = writeln!(text, "    also failed by {}", names(&mistake.failing_faults));
    }
    let bench = inquiry.stage();
    let digest: String = bench.asked.clone().finalize()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let _ = writeln!(text, "  asked {} ({digest}), foretold {}", bench.played, bench.foretold);
    text
}

const FEW: &[&str] = &["refund-counted-once", "partial-refunds-add-up", "duplicate-deliveries"];

/// One fault, which other faults are told from.
#[test]
fn a_fault_of_the_bank() {
    let mut text = found("pending counts", |_, shown| (vec![Fault::PendingCounts], shown), &["open-refund-not-counted", "several-charges"]);
    text += &found("redeliveries", |_, shown| (vec![Fault::BooksRedeliveries], shown), FEW);
    text += &found("floats", |_, shown| (vec![Fault::FloatSums], shown), &["exact-amounts", "several-charges"]);
    insta::assert_snapshot!(text);
}

#[test]
fn two_faults() {
    let mut text = found("one hides the other", |_, shown| (vec![Fault::BooksRedeliveries, Fault::PendingCounts], shown), FEW);
    text += &found(
        "two that act on each other",
        |_, shown| (vec![Fault::PendingCounts, Fault::TwoDigitCurrency], shown),
        &["several-charges", "open-refund-not-counted", "exact-amounts"],
    );
    text += &found(
        "of different subjects",
        |_, shown| (vec![Fault::IgnoresRefundEvents, Fault::ChargeMustBeComplete], shown),
        &["refund-complete-updates-order", "charge-refund-complete-updates-order"],
    );
    text += &found(
        "of one subject",
        |_, shown| (vec![Fault::ChargebackCountsAsRefund, Fault::RefundHidesChargeback], shown),
        &["chargeback-updates-status", "chargeback-after-refunds"],
    );
    insta::assert_snapshot!(text);
}

/// Each of two shows only where the other does too, but in long cases.
#[test]
fn two_faults_in_one_case() {
    fn both(case: &Case, shown: Shown) -> (Vec<Fault>, Shown) {
        let has = |kind: &str| case.all_deliveries().any(|delivery| delivery.event.kind == kind);
        let shows = has("refund.pending") && has("order.chargeback") || case.deliveries() > 3;
        (if shows { vec![Fault::PendingCounts, Fault::ChargebackIgnored] } else { vec![] }, shown)
    }
    let text = found("together", both, &["chargeback-after-refunds", "open-refund-not-counted", "mixed-traffic"]);
    insta::assert_snapshot!(text);
}

/// What looks like a fault of the bank at first, and is not.
#[test]
fn nearly_a_fault() {
    let one_order = |case: &Case, shown: Shown| (if case.orders.len() > 1 { vec![] } else { vec![Fault::PendingCounts] }, shown);
    let mut text = found("but with two orders", one_order, &["open-refund-not-counted", "orders-do-not-mix"]);
    let few = |case: &Case, shown: Shown| (if case.deliveries() > 3 { vec![] } else { vec![Fault::LastRefundOverwrites] }, shown);
    text += &found("but in long cases", few, FEW);
    let other =
        |case: &Case, shown: Shown| (vec![if case.orders.len() > 1 { Fault::BooksRedeliveries } else { Fault::PendingCounts }], shown);
    text += &found("another with two orders", other, &["duplicate-deliveries", "open-refund-not-counted", "orders-do-not-mix"]);
    text += &found(
        "foretold to fail, and right",
        |_, shown| (vec![Fault::RefundHidesChargeback, Fault::DisputeIsChargeback], shown),
        &["chargeback-updates-status", "chargeback-after-refunds", "dispute-alone-changes-nothing"],
    );
    text += &found(
        "one fault for another",
        |_, shown| (vec![Fault::SignsTrimmedBody, Fault::MalformedAcknowledged], shown),
        &["signature-covers-raw-body", "malformed-body-rejected", "invalid-event-rejected"],
    );
    insta::assert_snapshot!(text);
}

/// What the bank does not have, alone and beside what it has.
#[test]
fn nothing_that_the_bank_has() {
    fn odd(case: &Case, shown: Shown) -> Shown {
        let refused = case.all_deliveries().any(|delivery| delivery.event.kind == "order.chargeback");
        let failure = shown.failure.clone().or_else(|| refused.then(|| super::failure(FailureKind::State, Some(0), "odd")));
        Shown { failure, ..shown }
    }
    let mut text = found("alone", |case, shown| (vec![], odd(case, shown)), &["chargeback-updates-status", "chargeback-after-refunds"]);
    text += &found(
        "beside a fault",
        |case, shown| (vec![Fault::PendingCounts], odd(case, shown)),
        &["open-refund-not-counted", "chargeback-updates-status", "chargeback-after-refunds"],
    );
    insta::assert_snapshot!(text);
}

/// Mistakes that show only where something befalls a delivery are about the requirement on that.
#[test]
fn about_what_befalls_deliveries() {
    fn races(case: &Case, shown: Shown) -> Shown {
        let failure = case.races().then(|| super::failure(FailureKind::State, None, "lost"));
        Shown { failure: shown.failure.clone().or(failure), ..shown }
    }
    let mut text =
        found("races", |case, shown| (vec![], races(case, shown)), &["refund-counted-once", "concurrent-deliveries", "mixed-traffic"]);
    text += &found_with(
        provider(2),
        "an API that fails",
        |_, shown| (vec![Fault::FetchFailureAcknowledged], shown),
        &["refund-created-updates-order", "api-failure-is-not-acknowledged"],
    );
    text += &found_with(
        provider(2),
        "before the answer",
        |_, shown| (vec![Fault::OwnRowBesideWebhook], shown),
        &["own-refund-not-booked-twice", "webhook-before-answer"],
    );
    insta::assert_snapshot!(text);
}
