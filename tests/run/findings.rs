//! Findings: every mistake once, about the right requirement, under an id that stays.
//!
//! How good that is over the whole bank is measured by `cargo xtask attribution`; this is what must hold in any case.

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use refundproof::{
    adapter::{Hello, Introduction, Request, Target, TargetError},
    domain::{Amount, Clock, OrderState, Status},
    reference::{Fault, ReferenceShop},
    run::{Book, Options},
    verdict::{Conformance, FindingReport, Report, Verdict},
};
use rstest::rstest;

use crate::common::{around::as_its_shop, certified_target, only, provider};

const CASES: u32 = 25;

/// All these targets claim the same, so their cases are made once.
static BOOK: LazyLock<Arc<Book>> = LazyLock::new(Book::new);

fn options() -> Options {
    Options::new().with(|options| (options.cases, options.book) = (CASES, Some(BOOK.clone())))
}

fn certified(faults: &[Fault], options: &Options) -> Report {
    certified_target(provider(), &|clock| Box::new(ReferenceShop::with_faults(faults, clock.clone())), options)
}

fn likes(report: &Report) -> BTreeSet<&str> {
    report.findings.iter().filter_map(|finding| Some(finding.like.as_ref()?.fault.as_str())).collect()
}

#[rstest]
#[case(Fault::IgnoresChargeEvents, "charge-refund-complete-updates-order")]
#[case(Fault::CountsBothLayers, "refund-counted-once")]
#[case(Fault::BooksRedeliveries, "duplicate-deliveries")]
#[case(Fault::PendingShownAsFailed, "open-refund-not-counted")]
#[case(Fault::MalformedAcknowledged, "malformed-body-rejected")]
#[case(Fault::NoSignatureCheck, "signature-required")]
#[case(Fault::ForgetsEventIdsOnRestart, "survives-restart")]
fn one_mistake_is_one_finding(#[case] fault: Fault, #[case] about: &str) {
    // Some show in few cases.
    let report = certified(&[fault], &options().with(|options| options.cases = 40));
    let [finding] = report.findings.as_slice() else { panic!("{:#?}", report.findings) };
    assert_eq!((finding.about.as_str(), likes(&report)), (about, BTreeSet::from([fault.name()])));
    let broken: Vec<&str> =
        report.requirements.iter().filter(|result| !result.findings.is_empty()).map(|result| result.id.as_str()).collect();
    let told: BTreeSet<&str> = finding.also_fails.iter().map(String::as_str).chain([about]).collect();
    assert_eq!(broken.into_iter().collect::<BTreeSet<_>>(), told);
    assert_eq!(report.verdict, Conformance::NotConformant);
}

#[rstest]
#[case(&[Fault::CountsBothLayers, Fault::UnknownEventFails])]
#[case(&[Fault::BooksRedeliveries, Fault::ChargebackIgnored])]
#[case(&[Fault::IgnoresRefundEvents, Fault::MalformedAcknowledged])]
#[case(&[Fault::IgnoresChargeEvents, Fault::NoSignatureCheck, Fault::DuplicateRefused])]
fn several_mistakes_are_all_told(#[case] faults: &[Fault]) {
    let report = certified(faults, &options());
    assert_eq!(likes(&report), faults.iter().map(|fault| fault.name()).collect(), "{:#?}", report.findings);
}

#[test]
fn what_fails_because_of_another_mistake_is_affected_or_masked() {
    let report = certified(&[Fault::IgnoresRefundEvents], &options());
    let verdicts = |wanted: Verdict| report.requirements.iter().filter(move |result| result.verdict == wanted);
    assert_eq!(verdicts(Verdict::Fail).count(), 1);
    assert!(verdicts(Verdict::Affected).count() > 3);
    let masked: Vec<&str> = verdicts(Verdict::Masked).map(|result| result.id.as_str()).collect();
    assert_eq!(report.findings[0].masks, masked);
}

fn ids(report: &Report) -> BTreeSet<String> {
    report.findings.iter().map(|finding| finding.id.clone()).collect()
}

#[test]
fn an_id_depends_neither_on_the_seed_nor_on_workers_nor_on_the_selection() {
    for fault in [Fault::CountsBothLayers, Fault::BooksRedeliveries, Fault::UnknownMembersRefused] {
        let first = ids(&certified(&[fault], &options()));
        assert_eq!(first.len(), 1);
        for seed in [2, 3] {
            assert_eq!(ids(&certified(&[fault], &options().with(|options| options.seed = seed))), first, "{}, seed {seed}", fault.name());
        }
        assert_eq!(ids(&certified(&[fault], &options().with(|options| options.jobs = 3))), first);
        let selection = only(&["mixed-traffic", "duplicate-deliveries", "unknown-members-accepted"]);
        assert_eq!(
            ids(&certified(&[fault], &options().with(|options| options.selection = selection))),
            first,
            "{}, a selection",
            fault.name()
        );
    }
}

#[test]
fn a_finding_may_be_about_a_requirement_that_was_not_selected() {
    let report = certified(&[Fault::CountsBothLayers], &options().with(|options| options.selection = only(&["duplicate-deliveries"])));
    assert_eq!(report.findings[0].about, "refund-counted-once");
    assert!(matches!(report.requirements[0].verdict, Verdict::Affected | Verdict::Masked));
    assert_eq!(report.verdict, Conformance::NotConformant);
}

#[test]
fn a_conforming_target_has_none() {
    let report = certified(&[], &options());
    assert!(report.findings.is_empty());
    assert_eq!(report.verdict, Conformance::Conformant);
}

// ---- Mistakes that the bank does not have

/// The reference with something wrong around it.
struct Odd {
    shop: ReferenceShop,
    way: Way,
    refused: u32,
    is_jammed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// Shows currencies in small letters.
    SmallLetters,
    /// Shows what was refunded twice as large as soon as there are two refunds.
    DoublesTwo,
    /// Refuses every event about a refund that waits.
    RefusesPending,
    /// Answers well and does nothing.
    DoesNothing,
    /// Takes nothing.
    RefusesAll,
    /// Shows whole units only.
    ForgetsCents,
    /// Refuses everything once it was told of a chargeback, until it is started again.
    Jams,
    /// Reads no number with an exponent, which is no more than advice, and looks at no signature, which is a mistake.
    Strict,
}

impl Way {
    const ALL: [Way; 8] = [
        Way::SmallLetters,
        Way::DoublesTwo,
        Way::RefusesPending,
        Way::DoesNothing,
        Way::RefusesAll,
        Way::ForgetsCents,
        Way::Jams,
        Way::Strict,
    ];
}

/// Whether a number of the body, outside of texts, has an exponent.
fn has_exponent(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let outside = text.split('"').step_by(2);
    outside
        .flat_map(|part| part.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.'))
        .any(|word| word.starts_with(|first: char| first.is_ascii_digit()) && word.contains(['e', 'E']))
}

impl Target for Odd {
    as_its_shop!(hello, begin, initiate, advance, end);

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let is_pending = String::from_utf8_lossy(request.body).contains("\"refund.pending\"");
        if self.way == Way::RefusesPending && is_pending {
            self.refused += 1;
            return Ok(503);
        }
        match self.way {
            Way::DoesNothing => return Ok(200),
            Way::RefusesAll => return Ok(400),
            Way::Strict if has_exponent(request.body) => return Ok(400),
            Way::Jams if self.is_jammed => return Ok(503),
            Way::Jams => self.is_jammed = String::from_utf8_lossy(request.body).contains("\"order.chargeback\""),
            _ => {}
        }
        self.shop.deliver(request)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let mut state = self.shop.observe(order_id)?;
        if let Some(state) = &mut state {
            match self.way {
                Way::ForgetsCents => {
                    let whole = state.refunded_amount.to_string();
                    let whole = whole.split_once('.').map_or(whole.as_str(), |(whole, _)| whole);
                    state.refunded_amount = Amount::parse(whole).expect("an amount");
                }
                Way::SmallLetters => state.currency = state.currency.as_ref().map(|currency| currency.to_lowercase()),
                Way::DoublesTwo if state.refunds.as_ref().is_some_and(|refunds| refunds.len() == 2) => {
                    state.refunded_amount += state.refunded_amount;
                    state.status = Status::Refunded;
                }
                _ => {}
            }
        }
        Ok(state)
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        self.is_jammed = false;
        self.shop.restart()
    }
}

fn odd(way: Way, options: &Options) -> Report {
    let shop = |clock: &Clock| match way {
        Way::Strict => ReferenceShop::with_fault(Fault::NoSignatureCheck, clock.clone()),
        _ => ReferenceShop::new(clock.clone()),
    };
    let make = |clock: &Clock| -> Box<dyn Target> { Box::new(Odd { shop: shop(clock), way, refused: 0, is_jammed: false }) };
    certified_target(provider(), &make, options)
}

#[rstest]
fn what_the_bank_does_not_have_is_like_nothing(#[values(Way::SmallLetters, Way::DoublesTwo, Way::RefusesPending)] way: Way) {
    let report = &ODD[way as usize];
    let told = |finding: &FindingReport| format!("{} {} {:?}", finding.about, finding.message, finding.like);
    let told: Vec<String> = report.findings.iter().map(told).collect();
    assert_eq!(likes(report), BTreeSet::new(), "{told:#?}");
    assert!((1..=4).contains(&report.findings.len()), "{told:#?}");
    assert_eq!(report.verdict, Conformance::NotConformant);
}

/// What was found of each of them.
static ODD: LazyLock<Vec<Report>> = LazyLock::new(|| Way::ALL.into_iter().map(|way| odd(way, &options())).collect());

/// What is told of consumers of which the bank knows nothing, or that are wrong in everything.
#[test]
fn consumers_with_a_mistake() {
    let mut text = String::new();
    for (way, report) in Way::ALL.into_iter().zip(&*ODD) {
        text.push_str(&format!("{way:?}: {}\n", report.verdict.as_str()));
        for finding in &report.findings {
            let like = finding.like.as_ref().map_or("nothing", |like| like.fault.as_str());
            text.push_str(&format!("  {}, in {} deliveries, like {like}: {}\n", finding.about, finding.deliveries, finding.message));
        }
    }
    insta::assert_snapshot!(text);
}

/// What may as well be read as not explains no case in which that is not asked.
#[test]
fn advice_hides_no_mistake() {
    let report = &ODD[Way::Strict as usize];
    let told: Vec<(&str, Option<&str>)> =
        report.findings.iter().map(|finding| (finding.about.as_str(), finding.like.as_ref().map(|like| like.fault.as_str()))).collect();
    assert!(told.contains(&("signature-required", Some("no-signature-check"))), "{told:?}");
    assert_eq!(report.verdict, Conformance::NotConformant);
}

/// A case that fails only because of what an earlier one left behind is no mistake of its own.
#[test]
fn what_an_earlier_case_left_behind_is_told_with_that() {
    let report = &ODD[Way::Jams as usize];
    let [finding] = report.findings.as_slice() else { panic!("{:#?}", report.findings) };
    let hit = report.requirements.iter().filter(|result| !result.findings.is_empty());
    assert!(hit.count() > 10, "the target is shared by many cases");
    let smallest = finding.shrunk.as_ref().expect("a case");
    assert!(smallest.all_deliveries().any(|delivery| delivery.event.kind == "order.chargeback"), "{:?}", finding.message);
}

/// A shop that does not look at the mode of an event, nor at who sent it, and counts every entry of a charge.
struct BothModes {
    shop: ReferenceShop,
    clock: Clock,
    secret: String,
}

impl Target for BothModes {
    as_its_shop!(begin, initiate, observe, end);

    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.secret.clone_from(&hello.secret);
        let mut introduction = self.shop.hello(hello)?;
        introduction.capabilities.verifies_signatures = false;
        introduction.capabilities.subscribes = Some(vec!["order.charge.*".to_owned()]);
        Ok(introduction)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let body = String::from_utf8_lossy(request.body).replace("\"liveMode\":true", "\"liveMode\":false");
        let mut headers = provider().sign(&[&self.secret], self.clock.unix_seconds(), body.as_bytes());
        headers.extend(request.headers.iter().filter(|(name, _)| name != provider().signature_header()).cloned());
        self.shop.deliver(&Request::new(&headers, body.as_bytes()))
    }
}

/// The reference refuses the events of another mode; whoever takes them has the mistake that it has anyway.
#[test]
fn what_a_shop_takes_more_of_is_no_further_mistake() {
    let faults = &[Fault::EveryEntryCounts];
    let make = |clock: &Clock| {
        let shop = ReferenceShop::with_faults(faults, clock.clone());
        Box::new(BothModes { shop, clock: clock.clone(), secret: String::new() }) as Box<dyn Target>
    };
    let options = options().with(|options| {
        options.book = None;
        options.selection = only(&["open-refund-not-counted", "doubtful-events-do-no-harm", "doubtful-events-contained"]);
    });
    let report = certified_target(provider(), &make, &options);
    let [finding] = report.findings.as_slice() else { panic!("{:#?}", report.findings) };
    assert_eq!((finding.about.as_str(), likes(&report)), ("open-refund-not-counted", BTreeSet::from(["every-entry-counts"])));
}
