//! When two showings are one, and what a mistake is named by.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::{
    mistake::{Failing, Mistake, Shown},
    trigger::{Feature, features},
};
use crate::{
    case::{Act, Body, Case, Delivery, Effect, Signature},
    check::{Failure, FailureKind, Shape, circumstance_fingerprint, differing_fields, fingerprint},
    domain::{Amount, RefundState},
    model::Tell,
    plan::{Group, MutationKind},
    provider::Provider,
};

/// Whether the smallest case of a mistake is the case itself, so that nothing was shrunk away.
pub(super) fn is_fresh(mistake: &Mistake, failing: &Failing) -> bool {
    mistake.smallest.plan == failing.plan
}

/// Which members of an order are wrong, where that is what is wrong: status or amount, or else which others.
pub(super) fn wrong_members(shown: &Shown) -> Option<String> {
    shown.failure.as_ref().filter(|failure| failure.kind == FailureKind::State).map(aspect)
}

/// The fingerprint of a mistake that is like no fault of the bank.
pub(super) fn shape_of(smallest: &Failing, kind: FailureKind, is_smallest: bool) -> String {
    let Some(failure) = &smallest.shown.failure else { return String::new() };
    if is_smallest {
        if is_noise(failure) {
            return circumstance_fingerprint(kind, &["an amount is nearly right".to_owned()], "");
        }
        let takes = if is_any_forgery_taken(smallest) {
            vec!["Forged".to_owned(), "nothing told".to_owned()]
        } else {
            circumstances(&features(&smallest.plan, &smallest.case), kind, wrong_answer(&smallest.shown))
        };
        if !takes.is_empty() {
            return circumstance_fingerprint(kind, &takes, &aspect(failure));
        }
        if let Some(state) = refused(smallest) {
            return circumstance_fingerprint(kind, &["a refund is refused".to_owned()], &format!("{state:?}"));
        }
        if let Some(status) = status_for_amount(failure) {
            return circumstance_fingerprint(kind, &["the amount is right".to_owned()], status);
        }
        if let Some(state) = counted(&smallest.case, failure) {
            return circumstance_fingerprint(kind, &["a refund is counted".to_owned()], &format!("{state:?}"));
        }
        if let Some((state, status)) = misnamed(&smallest.case, failure) {
            return circumstance_fingerprint(kind, &["a refund has another state".to_owned()], &format!("{state:?} as {status}"));
        }
    }
    // Where chance has a say, what is left of the case is chance too.
    let case = (is_smallest && !smallest.case.is_chancy()).then_some(&smallest.case);
    fingerprint(&Shape { kind, entry: failure.entry, diff: &failure.diff, case })
}

/// Whether what is not authentic is taken where nothing is told of a refund: nobody looks at such events, in whatever way they are forged.
fn is_any_forgery_taken(smallest: &Failing) -> bool {
    let tells_nothing = |delivery: &Delivery| delivery.effect == Effect::Refuse && delivery.event.tells.is_empty();
    wrong_answer(&smallest.shown) == Some("2") && only_delivery(&smallest.case).is_some_and(tells_nothing)
}

/// The delivery of a case that has no other one.
fn only_delivery(case: &Case) -> Option<&Delivery> {
    let mut deliveries = case.all_deliveries();
    deliveries.next().filter(|_| deliveries.next().is_none())
}

/// What befalls a delivery or is done to it where a mistake takes that, else, where an answer is wrong, what the order or the refund
/// has: whichever event shows such a mistake, it is the same. Nothing where the event alone shows it.
fn circumstances(takes: &[Feature], kind: FailureKind, answer: Option<&str>) -> Vec<String> {
    let words = |is_one: fn(&Feature) -> bool| -> Vec<String> {
        let words: BTreeSet<String> = takes.iter().filter(|feature| is_one(feature)).map(|feature| word(feature, answer)).collect();
        words.into_iter().collect()
    };
    if matches!(kind, FailureKind::Crash | FailureKind::Timeout) {
        return Vec::new();
    }
    let befalls = words(befalls_a_delivery);
    if kind == FailureKind::Answer && befalls.is_empty() {
        return words(|feature| !matches!(feature, Feature::Event(_) | Feature::SecondRefund) && !is_progress(feature));
    }
    befalls
}

/// What is said of a feature, with the class of the answer that is wrong, where one is. In which way a body is broken does not matter,
/// nor what is doubtful in one, where that is answered wrongly: whoever fails at what cannot be taken has one place to mend. So has
/// whoever refuses what is not authentic, and does so with the wrong answer; what is not authentic and taken passes by its own hole.
pub(super) fn word(feature: &Feature, answer: Option<&str>) -> String {
    let is_answer = answer.is_some();
    let is_one_place = |mutation: MutationKind| match mutation.group() {
        Group::Malformed => true,
        Group::NoEvent | Group::Incomplete => is_answer,
        Group::Doubtful => is_answer && !OF_THEIR_OWN.contains(&mutation),
        _ => false,
    };
    let is_refused = answer.is_some_and(|class| class != "2");
    match feature {
        Feature::Imitation if is_refused => "Forged".to_owned(),
        Feature::Mutation(mutation) if is_refused && mutation.group().is_forged() => "Forged".to_owned(),
        Feature::Mutation(mutation) if is_one_place(*mutation) => format!("{:?}", mutation.group()),
        _ => format!("{feature:?}"),
    }
}

/// Doubtful deliveries of which no member of the event is wrong.
const OF_THEIR_OWN: [MutationKind; 3] = [MutationKind::UnknownOrder, MutationKind::FutureTime, MutationKind::AgeLimit];

/// What becomes of a refund or of an order, which has events of its own.
fn is_progress(feature: &Feature) -> bool {
    matches!(
        feature,
        Feature::Information | Feature::Failure | Feature::Cancellation | Feature::Chargeback | Feature::Dispute | Feature::Metadata
    )
}

/// What is wrong, without which event shows it: which answer came where which was right; whether status and amount are wrong, or
/// else which other members.
fn aspect(failure: &Failure) -> String {
    match failure.kind {
        FailureKind::State if is_core_wrong(&failure.diff) => "status or amount".to_owned(),
        FailureKind::State => differing_fields(&failure.diff),
        _ => format!("{} for {}", failure.observed, failure.expected),
    }
}

/// Whether some amount is wrong by less than anybody could pay: what binary fractions leave of one, in whatever member and state.
fn is_noise(failure: &Failure) -> bool {
    let amounts = |sign: char| -> Vec<(&str, Decimal)> {
        let lines = failure.diff.lines().filter(move |line| line.starts_with(sign));
        lines.flat_map(|line| line.split_whitespace().skip(1).filter_map(move |word| Some((member(line), word.parse().ok()?)))).collect()
    };
    let right = amounts('-');
    let is_off = |amount: Decimal, shown: Decimal| {
        let has_more_digits = shown.normalize().scale() > amount.scale();
        has_more_digits && (amount - shown).abs() <= amount.abs() / Decimal::from(NOISE)
    };
    let is_near = |(member, shown): (&str, Decimal)| right.iter().any(|(other, amount)| *other == member && is_off(*amount, shown));
    failure.kind == FailureKind::State && amounts('+').into_iter().any(is_near)
}

/// By what part of an amount binary fractions are wrong at most, also those of single precision: one in so many.
const NOISE: u32 = 1_000_000;

/// The status that is wrong for an amount that is right: which event told of that amount does not matter then.
fn status_for_amount(failure: &Failure) -> Option<&str> {
    let is_amount_right = wrong_line(failure, '+', "refundedAmount").is_none();
    if failure.kind != FailureKind::State || !is_amount_right || wrong_line(failure, '-', "status")?.contains("charged_back") {
        return None;
    }
    let status = wrong_line(failure, '+', "status")?.split_whitespace().nth(1)?;
    ["refunded", "partially_refunded"].contains(&status).then_some(status)
}

/// The state of the only refund that was told of, by one event, where the refund is counted and must not be: whichever event says
/// that it is in that state.
fn counted(case: &Case, failure: &Failure) -> Option<RefundState> {
    let state = only_state(case)?;
    let shown = wrong_line(failure, '+', "refundedAmount")?;
    let amount = shown.split_whitespace().nth(1).and_then(|amount| Amount::parse(amount).ok())?;
    (failure.kind == FailureKind::State && state != RefundState::Succeeded && !amount.is_zero()).then_some(state)
}

/// The same where the event is refused, and the refund is in a state in which not every refund is at some time.
fn refused(smallest: &Failing) -> Option<RefundState> {
    let is_refused = wrong_answer(&smallest.shown).is_some_and(|class| class != "2");
    only_state(&smallest.case).filter(|state| is_refused && !matches!(state, RefundState::Pending | RefundState::Succeeded))
}

/// The fingerprint of a wrong answer for which it takes something that an order or a refund has, and nothing that befalls a delivery:
/// whoever gives it has one place to mend, whether or not a fault of the bank gives it there too.
pub(super) fn answered_to_what_it_has(mistake: &Mistake) -> Option<String> {
    let Mistake { smallest, kind, trigger, is_smallest: true, .. } = mistake else { return None };
    if *kind != FailureKind::Answer || trigger.iter().any(befalls_a_delivery) {
        return None;
    }
    let takes = circumstances(trigger, *kind, wrong_answer(&smallest.shown));
    let failure = smallest.shown.failure.as_ref().filter(|_| !takes.is_empty())?;
    Some(circumstance_fingerprint(*kind, &takes, &aspect(failure)))
}

fn befalls_a_delivery(feature: &Feature) -> bool {
    matches!(feature, Feature::Mutation(_) | Feature::Imitation | Feature::Delivery(_) | Feature::Kill)
}

/// The same where nothing is counted and the refund makes the order's status another one than its state does, and which.
fn misnamed<'f>(case: &Case, failure: &'f Failure) -> Option<(RefundState, &'f str)> {
    let is_amount_right = wrong_line(failure, '+', "refundedAmount").is_none();
    let status = wrong_line(failure, '+', "status")?.split_whitespace().nth(1)?;
    // An order that shows no refund may not have taken the event in at all.
    (failure.kind == FailureKind::State && is_amount_right && status != "not_refunded").then_some((only_state(case)?, status))
}

/// The state of the only refund that a case tells of, by its only delivery.
fn only_state(case: &Case) -> Option<RefundState> {
    let [Tell::Refund { state, .. }] = only_delivery(case)?.event.tells[..] else { return None };
    Some(state)
}

/// What a member that is wrong must be (`-`), or is shown as (`+`).
fn wrong_line<'f>(failure: &'f Failure, sign: char, name: &str) -> Option<&'f str> {
    core(&failure.diff).find(|line| line.starts_with(sign) && member(line) == name)
}

/// Members of an order that a target shows if it likes.
const OPTIONAL: [&str; 4] = ["availableToRefundAmount", "chargedBackAmount", "currency", "refund"];

/// The lines of a difference that are about what every target shows.
fn core(diff: &str) -> impl Iterator<Item = &str> {
    diff.lines().filter(|line| !OPTIONAL.contains(&member(line)))
}

fn is_core_wrong(diff: &str) -> bool {
    core(diff).any(|line| !line.starts_with(' '))
}

/// The member that a line of a difference is about.
fn member(line: &str) -> &str {
    line.get(1..).and_then(|line| line.split_whitespace().next()).unwrap_or_default()
}

/// Whether the same is wrong with two states. Where status or amount are, what else is wrong follows from them in whatever way an
/// order is kept; where only further members are, one of them is wrong with both.
fn is_wrong_alike(one: &str, other: &str) -> bool {
    let share_a_member = || {
        let (one, other) = (differing_fields(one), differing_fields(other));
        one.lines().any(|member| other.lines().any(|wrong| wrong == member))
    };
    core(one).eq(core(other)) && (is_core_wrong(one) || share_a_member())
}

/// The case as targets may read it that conform and do other than the reference: with its orders known from the beginning, where the
/// target keeps events of orders that it does not know yet and the reference refuses them; with events that the reference passes over as
/// those that they mirror, where the target handles these; and all of these without the doubtful deliveries that the target refused,
/// where the reference takes them.
pub(super) fn readings(case: &Case, shown: &Shown, provider: &dyn Provider) -> Vec<Case> {
    let as_known = as_known(case);
    let mirrored: Vec<Case> =
        [Some(case), as_known.as_ref()].into_iter().flatten().filter_map(|case| as_mirrored(case, provider)).collect();
    let read: Vec<Case> = as_known.into_iter().chain(mirrored).collect();
    let refused: Vec<Case> = [case].into_iter().chain(&read).filter_map(|case| as_refused(case, shown)).collect();
    read.into_iter().chain(refused).collect()
}

/// The case with something that nobody takes in place of each doubtful delivery that the target refused; nothing where it refused
/// none. Conforming targets differ in what they take.
pub(super) fn as_refused(case: &Case, shown: &Shown) -> Option<Case> {
    let was_refused = |answers: &Vec<u16>| answers.last().is_some_and(|status| *status >= 400);
    let answered = case.all_deliveries().zip(&shown.answers);
    let refused: Vec<bool> = answered.map(|(delivery, answers)| delivery.effect == Effect::Tolerate && was_refused(answers)).collect();
    if !refused.contains(&true) {
        return None;
    }
    let mut as_refused = case.clone();
    for (delivery, _) in as_refused.all_deliveries_mut().zip(refused).filter(|(_, is_refused)| *is_refused) {
        (delivery.body, delivery.signature) = (Body::new("{}"), Signature::Valid);
    }
    Some(as_refused)
}

/// The case with each event of a type that mirrors another one as one of that type, which the reference handles; nothing where there is
/// none.
fn as_mirrored(case: &Case, provider: &dyn Provider) -> Option<Case> {
    let as_handled = |delivery: &Delivery| {
        let (handled, text) = provider.mirrored(&delivery.event.kind).zip(delivery.body.text())?;
        Some(Body::new(text.replace(&format!("\"{}\"", delivery.event.kind), &format!("\"{handled}\""))))
    };
    let bodies: Vec<Option<Body>> = case.all_deliveries().map(as_handled).collect();
    if bodies.iter().all(Option::is_none) {
        return None;
    }
    let mut as_mirrored = case.clone();
    for (delivery, body) in as_mirrored.all_deliveries_mut().zip(bodies) {
        if let Some(body) = body {
            delivery.body = body;
        }
    }
    Some(as_mirrored)
}

/// The case with its orders known from the beginning; nothing where they are.
pub(super) fn as_known(case: &Case) -> Option<Case> {
    let is_begin = |act: &Act| matches!(act, Act::Begin(_));
    if !case.entries.iter().any(|entry| is_begin(&entry.act)) {
        return None;
    }
    let mut as_known = case.clone();
    for entry in as_known.entries.iter_mut().filter(|entry| is_begin(&entry.act)) {
        // What follows keeps its place.
        entry.act = Act::Together(Vec::new());
    }
    Some(as_known)
}

/// Whether two targets did the same with a case: the same is wrong with both, in the same place, and until then they answered
/// alike what only one answer is right to.
pub fn alike(one: &Shown, other: &Shown) -> bool {
    is_alike(one, other, false)
}

/// The same for targets that played this case. Where deliveries race it is chance which of them gets an answer that is wrong, and
/// that one does counts.
pub(super) fn alike_in(case: &Case, one: &Shown, other: &Shown) -> bool {
    alike(one, other) || case.is_chancy() && wrong_answer(one).is_some() && wrong_answer(one) == wrong_answer(other)
}

/// Whether they answered alike what may be answered in any way, too: that tells faults apart, and nothing of whoever has none.
pub(super) fn alike_in_all(one: &Shown, other: &Shown) -> bool {
    is_alike(one, other, true)
}

fn is_alike(one: &Shown, other: &Shown, in_all: bool) -> bool {
    let same_failure = match (&one.failure, &other.failure) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            let same = one.kind == other.kind && one.entry == other.entry;
            match one.kind {
                FailureKind::State => same && is_wrong_alike(&one.diff, &other.diff),
                FailureKind::Answer => same && class(&one.observed) == class(&other.observed),
                FailureKind::Crash | FailureKind::Timeout => same,
            }
        }
        _ => false,
    };
    let is_free = |shown: &Shown, place: usize| !in_all && shown.free.get(place).is_some_and(|free| *free);
    let class_of =
        |shown: &Shown, (place, answers): (usize, &Vec<u16>)| (!is_free(shown, place)).then(|| answers.last().map(|status| status / 100));
    let classes = |shown: &Shown| shown.answers.iter().enumerate().map(|answers| class_of(shown, answers)).collect::<Vec<_>>();
    same_failure && classes(one) == classes(other)
}

/// Whether a case failed in the same way and in the same place as one that differs in ids only.
pub(super) fn alike_but_for_ids(one: &Shown, other: &Shown) -> bool {
    let way = |shown: &Shown| shown.failure.as_ref().map(|failure| (failure.kind, failure.entry));
    way(one) == way(other)
}

/// The class of the answer that is wrong, where one is.
pub(super) fn wrong_answer(shown: &Shown) -> Option<&str> {
    let failure = shown.failure.as_ref().filter(|failure| failure.kind == FailureKind::Answer)?;
    Some(class(&failure.observed))
}

/// Whether a case may fail because of a mistake: where that takes that something is done to a body or a signature, the same is done
/// there, and where an answer is wrong it is of the same class. What else it takes another case may have in another way.
pub(super) fn may_fail(mistake: &Mistake, failing: &Failing, kind: FailureKind) -> bool {
    if mistake.kind != kind || wrong_answer(&mistake.smallest.shown) != wrong_answer(&failing.shown) {
        return false;
    }
    let answer = wrong_answer(&failing.shown);
    let held: Vec<String> = features(&failing.plan, &failing.case).iter().map(|feature| word(feature, answer)).collect();
    let mut takes = mistake.trigger.iter().filter(|feature| matches!(feature, Feature::Mutation(_) | Feature::Imitation));
    takes.all(|feature| held.contains(&word(feature, answer)))
}

/// The class of an answer that is written out.
fn class(observed: &str) -> &str {
    observed.get(..1).unwrap_or_default()
}
