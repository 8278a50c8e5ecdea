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
    drive::{Conditions, Driver},
    findings::{Failing, Inquiry, Requirement, Shown, ShrinkLimits, Stage},
    plan::{Plan, draw, for_recipe},
    provider::{Provider, registered},
    reference::{Fault, ReferenceShop},
    search::case_for,
};

/// How many cases of each requirement are played.
const CASES: u64 = 10;

/// What a target does wrong with a case: faults of the bank, and what else it shows then.
type Wrong = fn(&Case, Shown) -> (Vec<Fault>, Shown);

/// Plays cases on the reference with faults, and counts and remembers what it is asked.
struct Bench {
    wrong: Wrong,
    made: u64,
    played: u32,
    foretold: u32,
    asked: Sha256,
}

fn provider() -> &'static dyn Provider {
    registered()[0].embedded()
}

fn rules(host: usize) -> Rules {
    Rules::of(&provider().corpus().requirements[host].id, provider().answer_limit())
}

fn run(host: usize, case: &Case, faults: &[Fault]) -> Shown {
    let clock = Clock::manual(1_750_000_000);
    let shop = ReferenceShop::with_faults(faults, clock.clone());
    let mut driver = Driver::new(provider(), Box::new(shop), clock, Conditions::default()).expect("it starts");
    driver.introduction.capabilities = Capabilities::everything();
    let outcome = driver.run("asked", case, rules(host));
    let answers = outcome.sent.iter().map(|sent| sent.answers.clone()).collect();
    Shown { failure: outcome.failure, answers, complaints: String::new() }
}

impl Bench {
    fn new(wrong: Wrong) -> Bench {
        Bench { wrong, made: 0, played: 0, foretold: 0, asked: Sha256::new() }
    }

    fn answer(&self, host: usize, case: &Case) -> Shown {
        let (faults, _) = (self.wrong)(case, Shown::default());
        (self.wrong)(case, run(host, case, &faults)).1
    }
}

impl Stage for Bench {
    fn provider(&self) -> &dyn Provider {
        provider()
    }

    fn case(&mut self, host: usize, plan: &Plan) -> Case {
        self.made += 1;
        self.case_with(host, plan, (1 << 40) + self.made)
    }

    fn case_with(&mut self, host: usize, plan: &Plan, serial: u64) -> Case {
        case_for(provider(), &provider().corpus().requirements[host], plan, serial, &Capabilities::everything())
    }

    fn play(&mut self, host: usize, case: &Case, _: Option<FailureKind>) -> Option<Shown> {
        self.played += 1;
        let bodies = case.all_deliveries().map(|delivery| delivery.event.kind.as_str()).collect::<Vec<_>>().join(" ");
        self.asked.update(format!("{host} {bodies}\n"));
        Some(self.answer(host, case))
    }

    fn foretell(&mut self, host: usize, case: &Case, faults: &[Fault]) -> Shown {
        self.foretold += 1;
        run(host, case, faults)
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

/// What is found in some cases of these requirements, of which all fail that can.
fn found(name: &str, wrong: Wrong, ids: &[&str]) -> String {
    let all = provider().corpus().requirements.iter().enumerate();
    let chosen = all.filter(|(_, requirement)| ids.contains(&requirement.id.as_str()));
    let requirements: BTreeMap<usize, Requirement> =
        chosen.map(|(place, one)| (place, Requirement { id: one.id.clone(), recipe: one.recipe.expect("cases are drawn") })).collect();
    assert_eq!(requirements.len(), ids.len(), "an id that is not there");
    let mut inquiry = Inquiry::new(Bench::new(wrong), &requirements);
    let mut text = format!("{name}\n");
    for (host, requirement) in &requirements {
        let strategy = for_recipe(requirement.recipe, provider().palette());
        let mut because = Vec::new();
        for number in 0..CASES {
            let plan = draw(&strategy, number).expect("a plan is drawn");
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
        "both in one case",
        |_, shown| (vec![Fault::RefundPerCharge, Fault::LastRefundOverwrites], shown),
        &["several-charges", "partial-refunds-add-up"],
    );
    text += &found(
        "only together",
        |_, shown| (vec![Fault::IgnoresRefundEvents, Fault::ChargeMustBeComplete], shown),
        &["refund-complete-updates-order", "charge-refund-complete-updates-order"],
    );
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
    let text =
        found("races", |case, shown| (vec![], races(case, shown)), &["refund-counted-once", "concurrent-deliveries", "mixed-traffic"]);
    insta::assert_snapshot!(text);
}
