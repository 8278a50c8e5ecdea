//! What is found of targets with faults of the bank, and what is asked of them on the way: each question costs the integrator's
//! shop a case. Cases of a few requirements only are brought, so that every mistake of an inquiry shows here within seconds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    time::Duration,
};

use sha2::{Digest, Sha256};

use super::tells;
use crate::{
    adapter::Capabilities,
    case::{Body, Case, Delivery},
    check::{FailureKind, Rules},
    domain::{Clock, hex},
    double::Double,
    drive::{Conditions, Driver},
    findings::{Failing, Inquiry, Requirement, Shown, ShrinkLimits, Stage, alike::as_known},
    plan::{FaultKind, Mutation, MutationKind, Plan, for_recipe},
    provider::{Provider, registered},
    reference::{Fault, ReferenceShop},
    search::{case_for, sample},
};

/// How many cases of each requirement are played.
const CASES: u64 = 20;

/// What a target does wrong.
#[derive(Clone, Copy)]
struct Wrong<'w> {
    /// Which faults of the bank it has in a case.
    faults: &'w dyn Fn(&Case) -> Vec<Fault>,
    /// What besides is wrong with what it shows.
    shows: fn(&Case, Shown) -> Shown,
    /// What it makes of what is delivered, that is not wrong.
    hears: fn(&Case) -> Case,
}

impl<'w> Wrong<'w> {
    /// A target that hears what is delivered.
    fn new(faults: &'w dyn Fn(&Case) -> Vec<Fault>, shows: fn(&Case, Shown) -> Shown) -> Wrong<'w> {
        Wrong { faults, shows, hears: Case::clone }
    }
}

/// Plays cases on the reference with faults, and counts and remembers what it is asked.
struct Bench<'w> {
    provider: &'static dyn Provider,
    wrong: Wrong<'w>,
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

impl<'w> Bench<'w> {
    fn new(provider: &'static dyn Provider, wrong: Wrong<'w>) -> Bench<'w> {
        Bench { provider, wrong, made: 0, played: 0, foretold: 0, asked: Sha256::new() }
    }

    fn answer(&self, host: usize, case: &Case) -> Shown {
        (self.wrong.shows)(case, self.run(host, &(self.wrong.hears)(case), &(self.wrong.faults)(case)))
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
        let (answers, free) = outcome.sent.into_iter().map(|sent| (sent.answers, sent.free)).unzip();
        Shown { failure: outcome.failure, answers, free, complaints: String::new() }
    }
}

impl Stage for Bench<'_> {
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

    fn is_dear(&self, kind: FailureKind, _: &Case) -> bool {
        self.is_costly(kind)
    }

    fn at_once(&mut self, _: FailureKind, _: &Case) -> usize {
        1
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn smaller(&mut self, _: usize, _: usize) {}
}

/// What is found of a consumer with these faults in all cases.
fn found_of(provider: &'static dyn Provider, name: &str, faults: &[Fault], ids: &[&str]) -> String {
    found_with(provider, name, Wrong::new(&|_| faults.to_vec(), |_, shown| shown), ids)
}

/// The same of the first provider's events.
fn found(name: &str, faults: &[Fault], ids: &[&str]) -> String {
    found_of(provider(0), name, faults, ids)
}

/// The same of one that has its faults in some cases only.
fn found_in_some(name: &str, faults: &dyn Fn(&Case) -> Vec<Fault>, ids: &[&str]) -> String {
    found_with(provider(0), name, Wrong::new(faults, |_, shown| shown), ids)
}

/// The requirements with these ids, by their place in the catalogue.
fn requirements(provider: &dyn Provider, ids: &[&str]) -> BTreeMap<usize, Requirement> {
    let all = provider.corpus().requirements.iter().enumerate();
    let chosen = all.filter(|(_, requirement)| ids.contains(&requirement.id.as_str()));
    let requirements: BTreeMap<usize, Requirement> =
        chosen.map(|(place, one)| (place, Requirement { id: one.id.clone(), recipe: one.recipe.expect("cases are drawn") })).collect();
    assert_eq!(requirements.len(), ids.len(), "an id that is not there");
    requirements
}

/// What is found in some cases of these requirements, of which all are brought that fail.
fn found_with(provider: &'static dyn Provider, name: &str, wrong: Wrong<'_>, ids: &[&str]) -> String {
    let requirements = requirements(provider, ids);
    let mut inquiry = Inquiry::new(Bench::new(provider, wrong), &requirements);
    let mut text = format!("{name}\n");
    bring(&mut inquiry, &requirements, &mut text);
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
    let digest = hex(&bench.asked.clone().finalize()[..4]);
    let _ = writeln!(text, "  asked {} ({digest}), foretold {}", bench.played, bench.foretold);
    text
}

/// Brings the cases of these requirements that fail.
fn bring(inquiry: &mut Inquiry<'_, Bench<'_>>, requirements: &BTreeMap<usize, Requirement>, text: &mut String) {
    let provider = inquiry.stage().provider;
    for (host, requirement) in requirements {
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
}

const CHARGEBACKS: [&str; 2] = ["chargeback-updates-status", "chargeback-after-refunds"];

const FEW: &[&str] = &["refund-counted-once", "partial-refunds-add-up", "duplicate-deliveries"];

/// One fault, which other faults are told from.
#[test]
fn a_fault_of_the_bank() {
    let found = [
        found("pending counts", &[Fault::PendingCounts], &["open-refund-not-counted", "several-charges"]),
        found("redeliveries", &[Fault::BooksRedeliveries], FEW),
        found("floats", &[Fault::FloatSums], &["exact-amounts", "several-charges"]),
    ];
    insta::assert_snapshot!(found.concat());
}

#[test]
fn two_faults() {
    let of_charges = ["several-charges", "open-refund-not-counted", "exact-amounts"];
    let completions = ["refund-complete-updates-order", "charge-refund-complete-updates-order"];
    let found = [
        found("one hides the other", &[Fault::BooksRedeliveries, Fault::PendingCounts], FEW),
        found("two that act on each other", &[Fault::PendingCounts, Fault::TwoDigitCurrency], &of_charges),
        found("of different subjects", &[Fault::IgnoresRefundEvents, Fault::ChargeMustBeComplete], &completions),
        found("of one subject", &[Fault::ChargebackCountsAsRefund, Fault::RefundHidesChargeback], &CHARGEBACKS),
    ];
    insta::assert_snapshot!(found.concat());
}

/// Each of two shows only where the other does too, but in long cases.
#[test]
fn two_faults_in_one_case() {
    let both = |case: &Case| {
        let shows = tells(case, "refund.pending") && tells(case, "order.chargeback") || case.deliveries() > 3;
        if shows { vec![Fault::PendingCounts, Fault::ChargebackIgnored] } else { vec![] }
    };
    insta::assert_snapshot!(found_in_some("together", &both, &["chargeback-after-refunds", "open-refund-not-counted", "mixed-traffic"]));
}

/// What looks like a fault of the bank at first, and is not.
#[test]
fn nearly_a_fault() {
    let one_order = |case: &Case| if case.orders.len() > 1 { vec![] } else { vec![Fault::PendingCounts] };
    let few = |case: &Case| if case.deliveries() > 3 { vec![] } else { vec![Fault::LastRefundOverwrites] };
    let other = |case: &Case| vec![if case.orders.len() > 1 { Fault::BooksRedeliveries } else { Fault::PendingCounts }];
    let found = [
        found_in_some("but with two orders", &one_order, &["open-refund-not-counted", "orders-do-not-mix"]),
        found_in_some("but in long cases", &few, FEW),
        found_in_some("another with two orders", &other, &["duplicate-deliveries", "open-refund-not-counted", "orders-do-not-mix"]),
        found(
            "foretold to fail, and right",
            &[Fault::RefundHidesChargeback, Fault::DisputeIsChargeback],
            &["chargeback-updates-status", "chargeback-after-refunds", "dispute-alone-changes-nothing"],
        ),
        found(
            "one fault for another",
            &[Fault::SignsTrimmedBody, Fault::MalformedAcknowledged],
            &["signature-covers-raw-body", "malformed-body-rejected", "invalid-event-rejected"],
        ),
    ];
    insta::assert_snapshot!(found.concat());
}

/// A failure with which a case ends that has none.
fn or_fails(shown: Shown, fails: bool, entry: Option<usize>, observed: &str) -> Shown {
    let failure = fails.then(|| super::failure(FailureKind::State, entry, observed));
    Shown { failure: shown.failure.or(failure), ..shown }
}

/// What the bank does not have, alone and beside what it has.
#[test]
fn nothing_that_the_bank_has() {
    let shows = |case: &Case, shown: Shown| or_fails(shown, tells(case, "order.chargeback"), Some(0), "odd");
    let beside = ["open-refund-not-counted", "chargeback-updates-status", "chargeback-after-refunds"];
    let found = [
        found_with(provider(0), "alone", Wrong::new(&|_| vec![], shows), &CHARGEBACKS),
        found_with(provider(0), "beside a fault", Wrong::new(&|_| vec![Fault::PendingCounts], shows), &beside),
    ];
    insta::assert_snapshot!(found.concat());
}

/// Mistakes that show only where something befalls a delivery are about the requirement on that.
#[test]
fn about_what_befalls_deliveries() {
    let races = Wrong::new(&|_| vec![], |case, shown| or_fails(shown, case.races(), None, "lost"));
    let of_races = ["refund-counted-once", "concurrent-deliveries", "mixed-traffic"];
    let fetching = ["refund-created-updates-order", "api-failure-is-not-acknowledged"];
    let making = ["own-refund-not-booked-twice", "webhook-before-answer"];
    let found = [
        found_with(provider(0), "races", races, &of_races),
        found_of(provider(2), "an API that fails", &[Fault::FetchFailureAcknowledged], &fetching),
        found_of(provider(2), "before the answer", &[Fault::OwnRowBesideWebhook], &making),
    ];
    insta::assert_snapshot!(found.concat());
}

/// What is like a fault in every case that tells that fault from others, and in those of another requirement is like none.
#[test]
fn a_fault_in_the_cases_of_one_requirement() {
    const ONE: &str = "several-charges";
    let is_of_it = |case: &Case| case.requirement.as_deref() == Some(ONE);
    let faults = |case: &Case| if is_of_it(case) { vec![Fault::PendingCounts] } else { vec![] };
    let shows =
        |case: &Case, shown: Shown| or_fails(shown, tells(case, "refund.pending") && case.requirement.as_deref() != Some(ONE), None, "odd");
    insta::assert_snapshot!(found_with(provider(0), "in one", Wrong::new(&faults, shows), &[ONE, "open-refund-not-counted"]));
}

fn is_of_another_mode(delivery: &Delivery) -> bool {
    delivery.mutation_kind == Some(MutationKind::OtherMode)
}

fn looks_at_no_mode(case: &Case) -> Case {
    let mut heard = case.clone();
    for delivery in heard.all_deliveries_mut().filter(|delivery| is_of_another_mode(delivery)) {
        delivery.body = Body::new(delivery.body.text().expect("a text").replace("\"liveMode\":true", "\"liveMode\":false"));
    }
    heard
}

/// Shops that take what the reference refuses have the mistakes that they have anyway: one keeps events of orders that it does not
/// know yet, another looks at no event's mode.
#[test]
fn what_is_taken_that_the_reference_refuses() {
    fn keeps(case: &Case) -> Case {
        as_known(case).unwrap_or_else(|| case.clone())
    }
    let of = |faults: &dyn Fn(&Case) -> Vec<Fault>, hears, ids: &[&str]| {
        found_with(provider(0), "takes more", Wrong { faults, shows: |_, shown| shown, hears }, ids)
    };
    let found = [
        of(&|_| vec![Fault::DuplicateRefused], keeps, &["duplicate-deliveries", "redelivery-after-failure"]),
        of(&|_| vec![Fault::EveryEntryCounts], looks_at_no_mode, &["open-refund-not-counted", "doubtful-events-do-no-harm"]),
    ];
    insta::assert_snapshot!(found.concat());
}

/// What becomes of a pending refund of which one event is sent, which is of another mode: because of which mistakes that fails, how
/// many there are then, and how many cases were asked for.
fn doubtful(wrong: Wrong<'_>, known: &[&str]) -> (Vec<usize>, usize, u32) {
    const HOST: &str = "doubtful-events-do-no-harm";
    let (all, known) = (requirements(provider(0), &[known, &[HOST]].concat()), requirements(provider(0), known));
    let host = *requirements(provider(0), &[HOST]).keys().next().expect("it is there");
    let mut inquiry = Inquiry::new(Bench::new(provider(0), wrong), &all);
    bring(&mut inquiry, &known, &mut String::new());
    let mutation = Mutation { kind: MutationKind::OtherMode, pick: 0 };
    let instead = [FaultKind::Omit, FaultKind::Mutated { mutation, same_id: false, after: 0 }];
    let plan =
        Plan { only: vec!["order.charge.refund.pending".to_owned()], ..super::plan(vec![super::with_faults(super::refund(), &instead)]) };
    let case = inquiry.stage().case_with(host, &plan, 1);
    assert!(case.deliveries() == 1 && case.all_deliveries().all(is_of_another_mode));
    let shown = inquiry.stage().answer(host, &case);
    assert!(shown.failure.is_some());
    let before = inquiry.stage().played;
    let by = inquiry.attribute(&Failing { host, number: None, plan, case, shown });
    (by, inquiry.mistakes().len(), inquiry.stage().played - before)
}

const OPEN: &[&str] = &["open-refund-not-counted"];

#[test]
fn what_is_wrong_without_the_doubt_is_not_wrong_because_of_it() {
    let wrong = Wrong { faults: &|_| vec![Fault::EveryEntryCounts], shows: |_, shown| shown, hears: looks_at_no_mode };
    let (by, mistakes, _) = doubtful(wrong, OPEN);
    assert_eq!((by, mistakes), (vec![0], 1));
}

#[test]
fn what_is_right_without_the_doubt_is_a_mistake_of_its_own() {
    let shows = |case: &Case, shown: Shown| or_fails(shown, case.all_deliveries().any(is_of_another_mode), Some(0), "odd");
    let faults = |case: &Case| if case.all_deliveries().any(is_of_another_mode) { vec![] } else { vec![Fault::PendingShownAsFailed] };
    let (by, mistakes, _) = doubtful(Wrong { faults: &faults, shows, hears: looks_at_no_mode }, OPEN);
    assert_eq!((by, mistakes), (vec![1], 2));
    // Nor is it known where something else is wrong without the doubt.
    let faults = |case: &Case| if case.all_deliveries().any(is_of_another_mode) { vec![] } else { vec![Fault::EveryEntryCounts] };
    let currency = |case: &Case, shown: Shown| {
        let mut shown = or_fails(shown, case.all_deliveries().any(is_of_another_mode), Some(0), "odd");
        if let Some(failure) = shown.failure.as_mut().filter(|failure| failure.observed == "odd") {
            failure.diff = "-currency                USD\n+currency                EUR\n".to_owned();
        }
        shown
    };
    let (by, mistakes, _) = doubtful(Wrong { faults: &faults, shows: currency, hears: looks_at_no_mode }, OPEN);
    assert_eq!((by, mistakes), (vec![1], 2));
    // Where nothing is known yet there is nothing that it could be.
    let (by, mistakes, asked) = doubtful(Wrong { faults: &|_| vec![], shows, hears: looks_at_no_mode }, &[]);
    assert_eq!((by, mistakes, asked), (vec![0], 1, 15));
}

/// What every mistake among these is about, if nothing is known of which of the requirements it breaks.
fn owners(shows: fn(&Case, Shown) -> Shown, ids: &[&str]) -> BTreeSet<String> {
    owners_by(shows, ids, ids)
}

/// The same where only the cases of these are played.
fn owners_by(shows: fn(&Case, Shown) -> Shown, ids: &[&str], played: &[&str]) -> BTreeSet<String> {
    let (requirements, played) = (requirements(provider(0), ids), requirements(provider(0), played));
    let mut inquiry = Inquiry::new(Bench::new(provider(0), Wrong::new(&|_| vec![], shows)), &requirements);
    bring(&mut inquiry, &played, &mut String::new());
    let unasked: BTreeSet<usize> = requirements.keys().copied().collect();
    let mistakes = inquiry.mistakes().to_vec();
    assert!(!mistakes.is_empty());
    let owner = |mistake: &_| requirements[&inquiry.owner(mistake, &unasked).expect("an owner")].id.clone();
    mistakes.iter().map(owner).collect()
}

/// What is left in a race is chance, so that the rarest thing in its smallest case is not what it is about.
#[test]
fn a_race_is_about_races_whatever_is_left_in_it() {
    let shows = |case: &Case, shown: Shown| or_fails(shown, case.races() && tells(case, "refund.failed"), None, "lost");
    let found = owners(shows, &["concurrent-deliveries", "failed-refund-not-counted", "mixed-traffic"]);
    assert_eq!(found, BTreeSet::from(["concurrent-deliveries".to_owned()]));
}

/// Refunds are in nearly all traffic, and a chargeback after one is not.
#[test]
fn the_rarest_subject_in_a_case_is_what_it_is_about() {
    let shows = |case: &Case, shown: Shown| {
        let both = tells(case, "refund.complete") && tells(case, "order.chargeback");
        or_fails(shown, both, None, "lost")
    };
    let found = owners(shows, &["refund-complete-updates-order", "chargeback-after-refunds", "mixed-traffic"]);
    assert_eq!(found, BTreeSet::from(["chargeback-after-refunds".to_owned()]));
}

/// A requirement that was not run owns what fails in a case of its own, which may ask less of the same deliveries.
#[test]
fn what_was_not_run_owns_what_fails_in_its_cases() {
    const RARE: &str = "chargeback-after-refunds";
    let ids = ["refund-complete-updates-order", RARE, "mixed-traffic"];
    fn both(case: &Case) -> bool {
        tells(case, "refund.complete") && tells(case, "order.chargeback")
    }
    let everywhere = |case: &Case, shown: Shown| or_fails(shown, both(case), None, "lost");
    let elsewhere = |case: &Case, shown: Shown| or_fails(shown, both(case) && case.requirement.as_deref() != Some(RARE), None, "lost");
    assert_eq!(owners_by(everywhere, &ids, &["mixed-traffic"]), BTreeSet::from([RARE.to_owned()]));
    assert_eq!(owners_by(elsewhere, &ids, &["mixed-traffic"]), BTreeSet::from(["refund-complete-updates-order".to_owned()]));
}
