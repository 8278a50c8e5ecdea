//! Cases that are chosen out of more, and cases within a budget: how few are sent, and that what is said of them stays true.

use std::{
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use refundproof::{
    adapter::{Hello, Introduction, Request, Target, TargetError},
    domain::Clock,
    reference::Fault,
    report::{Format, json as report_json},
    run::{Book, Options, record},
    verdict::{Conformance, Report, Shard, Verdict, merge},
};
use rstest::rstest;

use crate::common::{self, around::as_its_shop, certified, certified_for, certified_target, only, providers, quick, shop};

/// Cases are made once for all tests of the reference and its faults, and once for all slow shops.
static BOOK: LazyLock<Arc<Book>> = LazyLock::new(Book::new);
static BOOK_OF_THE_SLOW: LazyLock<Arc<Book>> = LazyLock::new(Book::new);

/// The 25 most telling of 100.
fn chosen(seed: u64) -> Options {
    quick(25, seed).with(|options| options.choose = true)
}

/// The same of the first seed, made once for targets of the first provider that claim what the reference claims.
fn chosen_once() -> Options {
    chosen(1).with(|options| options.book = Some(BOOK.clone()))
}

/// As many as a run in process has where nothing is said.
fn all(seed: u64) -> Options {
    quick(Options::new().cases, seed)
}

#[track_caller]
fn judged(report: &Report) -> impl Iterator<Item = &refundproof::verdict::RequirementResult> {
    report.requirements.iter().filter(|result| result.judged && result.verdict != Verdict::NotApplicable)
}

// ---- Chosen

/// The reference certified with chosen cases, for each provider.
static CHOSEN: LazyLock<Vec<(&str, Report)>> =
    LazyLock::new(|| providers().map(|provider| (provider.name(), certified_for(provider, None, &chosen(2)))).collect());

#[test]
fn at_most_a_quarter_is_sent() {
    for (provider, (name, chosen)) in providers().zip(&*CHOSEN) {
        let (all, chosen) = (certified_for(provider, None, &all(2)).totals.deliveries, chosen.totals.deliveries);
        assert!(chosen * 4 <= all, "{name}: {chosen} of {all}");
    }
}

#[test]
fn floors_are_reached_by_cases_that_are_sent() {
    for (_, report) in &*CHOSEN {
        assert_eq!(report.verdict, Conformance::Conformant);
        for result in judged(report) {
            assert_eq!(result.verdict, Verdict::Pass, "{}: {:?}", result.id, result.note);
            let (floor, exercised, cases) = (result.floor, result.exercised, result.cases);
            // One more may be there for the consumer that does nothing.
            let is_telling = exercised <= cases && cases <= exercised + 1;
            assert!(floor <= exercised && is_telling && cases <= 25, "{}: {floor}, {exercised}, {cases}", result.id);
        }
    }
}

#[test]
fn every_frozen_sequence_is_compared_all_the_same() {
    let compared = |options: &Options| certified(None, options).snapshots.compared;
    let none = |options: Options| options.with(|options| options.selection = only(&["snapshots"]));
    assert_eq!(compared(&none(chosen_once())), compared(&none(all(1))));
}

fn written(report: &Report) -> String {
    let mut text = Vec::new();
    report_json::write(&mut text, report).expect("a report");
    String::from_utf8(text).expect("text")
}

#[test]
fn a_report_of_chosen_cases_is_coherent() {
    for name in [None, Some("counts-both-layers")] {
        let text = written(&certified(name.and_then(Fault::from_name), &chosen_once()));
        let report = report_json::read(&text).expect("a report");
        let value = serde_json::from_str(&text).expect("JSON");
        let wrong: Vec<_> = record::check(&report, &value, common::provider()).into_iter().filter(|check| !check.holds()).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(report.options.chosen);
    }
}

#[rstest]
fn shards_of_chosen_cases_are_one_run(#[values(None, Some("first-item-only"))] fault: Option<&str>) {
    let fault = fault.and_then(Fault::from_name);
    let whole = certified(fault, &chosen_once());
    let share = |number| {
        let options = chosen_once().with(|options| options.shard = Some(Shard { number, of: 3 }));
        (number.to_string(), report_json::read(&written(&certified(fault, &options))).expect("a report"))
    };
    let merged = merge((1..=3).map(share).collect()).expect("they belong together");
    let rows = |report: &Report| -> Vec<_> {
        let row = |result: &refundproof::verdict::RequirementResult| {
            (result.id.clone(), result.verdict, result.cases, result.exercised, result.deliveries, result.findings.clone())
        };
        report.requirements.iter().map(row).collect()
    };
    assert_eq!(rows(&merged), rows(&whole));
}

// ---- Budget

/// A shop of which each delivery takes a tenth of a second by the clock.
struct Slow {
    shop: Box<dyn Target>,
    clock: Clock,
}

impl Target for Slow {
    as_its_shop!(begin, observe, end);

    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        let told = self.shop.hello(hello)?;
        Ok(told.with(|told| {
            let claims = &mut told.capabilities;
            (claims.durable, claims.initiates_refunds, claims.concurrency, claims.clock) = (false, false, 1, false);
        }))
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        self.clock.sleep(Duration::from_millis(100));
        self.shop.deliver(request)
    }
}

/// What comes of a slow shop, perhaps with a fault, for which there is so much time; and how long it took by the clock.
fn within(budget: Duration, fault: Option<&str>) -> (Report, Duration) {
    let clock = Mutex::new(None);
    let make = |own: &Clock| {
        clock.lock().expect("no panic").get_or_insert_with(|| (own.clone(), own.monotonic()));
        Box::new(Slow { shop: shop(fault.and_then(Fault::from_name), own), clock: own.clone() }) as Box<dyn Target>
    };
    let options = chosen_once().with(|options| {
        options.budget = Some(budget);
        options.book = Some(BOOK_OF_THE_SLOW.clone());
        options.selection = refundproof::run::Selection::new(&[], &["snapshots".to_owned()]).expect("a glob");
    });
    let report = certified_target(common::provider(), &make, &options);
    let (clock, began) = clock.into_inner().expect("no panic").expect("it was made");
    (report, clock.monotonic() - began)
}

#[test]
fn everybody_has_as_many_cases_as_there_is_time_for() {
    let (report, took) = within(Duration::from_secs(60), None);
    // The case that was under way may end.
    assert!(Duration::from_secs(60) <= took && took < Duration::from_secs(70), "{took:?}");
    let cases: Vec<u32> = judged(&report).map(|result| result.cases).collect();
    let (least, most) = (cases.iter().min().expect("some"), cases.iter().max().expect("some"));
    assert!(*least > 0 && *most <= least * 2, "{least} to {most}");
}

#[test]
fn what_does_not_reach_its_floor_is_not_certified() {
    let (report, _) = within(Duration::from_secs(60), None);
    assert_eq!(report.verdict, Conformance::NotCertified);
    let notes: Vec<&str> = judged(&report).filter_map(|result| result.note.as_deref()).collect();
    assert!(!notes.is_empty() && notes.iter().all(|note| note.starts_with("the budget is spent; ")), "{notes:#?}");
    let unreached = judged(&report).filter(|result| result.exercised < result.floor);
    assert!(unreached.into_iter().all(|result| result.verdict == Verdict::NotExercised));
}

#[test]
fn with_time_enough_everything_is_certified() {
    let (report, took) = within(Duration::from_secs(36_000), None);
    assert_eq!((report.verdict, took < Duration::from_secs(3_600)), (Conformance::Conformant, true));
    let plain = certified(None, &chosen_once().with(|options| options.selection = only(&["refund-counted-once"])));
    let sent = |report: &Report| judged(report).find(|result| result.id == "refund-counted-once").map(|result| result.cases);
    assert_eq!(sent(&report), sent(&plain));
}

#[test]
fn without_time_nothing_is_sent_and_nothing_certified() {
    let (report, took) = within(Duration::ZERO, None);
    assert_eq!((report.verdict, report.totals.deliveries, took), (Conformance::NotCertified, 0, Duration::ZERO));
}

#[test]
fn the_most_telling_come_first() {
    let (report, _) = within(Duration::from_secs(60), Some("counts-both-layers"));
    assert_eq!(report.verdict, Conformance::NotConformant);
    assert!(report.findings.iter().any(|finding| finding.about == "refund-counted-once"));
}

#[test]
fn reports_say_that_there_was_a_budget() {
    let (report, _) = within(Duration::from_secs(60), None);
    assert_eq!(report.options.budget_ms, Some(60_000));
    let mut text = Vec::new();
    Format::Markdown.write(&mut text, &report, &|_| None).expect("a report");
    let text = String::from_utf8(text).expect("text");
    assert!(text.contains("made with a budget of 60.0s") && text.contains(" chosen, "), "{text}");
}
