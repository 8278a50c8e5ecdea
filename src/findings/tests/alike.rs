//! When two showings are one.

use super::{plan, refund, with_faults};
use crate::{
    case::{
        Act, Body, Case, Delivery, Effect,
        by_hand::{case, deliver, paid, with_effect},
    },
    check::{Failure, FailureKind},
    findings::{
        Failing, Mistake, Shown, alike,
        alike::{alike_but_for_ids, alike_in, alike_in_all, as_known, as_refused, is_fresh, may_fail, readings, shape_of, wrong_members},
    },
    plan::{Action, Fault, FaultKind, Mutation, MutationKind, OrderPlan, Plan, Step},
    provider::{Provider, lower, registered},
};

const STATE: FailureKind = FailureKind::State;

fn failure(kind: FailureKind, entry: usize, observed: &str) -> Failure {
    super::failure(kind, Some(entry), observed)
}

fn shown(failure: Option<Failure>, answers: &[&[u16]]) -> Shown {
    Shown { failure, answers: answers.iter().map(|answers| answers.to_vec()).collect(), ..Shown::default() }
}

#[track_caller]
fn check(one: (FailureKind, usize, &str), other: (FailureKind, usize, &str), expected: bool) {
    let of = |(kind, entry, observed)| shown(Some(failure(kind, entry, observed)), &[]);
    assert_eq!((alike(&of(one), &of(other)), alike(&of(other), &of(one))), (expected, expected));
}

#[test]
fn states_are_alike_where_the_same_differs() {
    check((STATE, 1, "pending"), (STATE, 1, "pending"), true);
    check((STATE, 1, "pending"), (STATE, 1, "failed"), false);
    check((STATE, 1, "pending"), (STATE, 2, "pending"), false);
    check((STATE, 1, "pending"), (FailureKind::Answer, 1, "pending"), false);
}

#[test]
fn answers_are_alike_by_their_class() {
    let answer = FailureKind::Answer;
    check((answer, 1, "500"), (answer, 1, "503"), true);
    check((answer, 1, "500"), (answer, 1, "404"), false);
    check((answer, 1, "500"), (answer, 2, "500"), false);
}

#[test]
fn whoever_is_gone_is_gone() {
    for kind in [FailureKind::Crash, FailureKind::Timeout] {
        check((kind, 1, "exit code 1"), (kind, 1, "signal 9"), true);
        check((kind, 1, ""), (kind, 2, ""), false);
    }
    check((FailureKind::Crash, 1, ""), (FailureKind::Timeout, 1, ""), false);
}

#[test]
fn what_was_answered_until_then_counts() {
    let answered = |answers: &[&[u16]]| shown(None, answers);
    assert!(alike(&answered(&[&[200], &[500, 202]]), &answered(&[&[204], &[201]])), "the last answer to each, by its class");
    assert!(!alike(&answered(&[&[200]]), &answered(&[&[400]])));
    assert!(!alike(&answered(&[&[200]]), &answered(&[&[200], &[200]])));
    assert!(!alike(&answered(&[]), &shown(Some(failure(STATE, 0, "pending")), &[])), "one of them fails");
    let failed = |answers: &[&[u16]]| shown(Some(failure(STATE, 0, "pending")), answers);
    assert!(!alike(&failed(&[&[200]]), &failed(&[&[400]])));
}

/// Which of several deliveries that race is refused is chance.
#[test]
fn races_are_alike_by_the_answer_that_is_wrong() {
    let (racing, calm) =
        (case(&["o"], vec![Act::Together(vec![paid("o", "a"), paid("o", "a")])]), case(&["o"], vec![deliver(paid("o", "a"))]));
    let refused = |entry, observed, answers: &[&[u16]]| shown(Some(failure(FailureKind::Answer, entry, observed)), answers);
    let (one, other) = (refused(0, "409", &[&[200], &[409]]), refused(1, "409", &[&[409], &[200]]));
    assert_eq!((alike_in(&racing, &one, &other), alike_in(&calm, &one, &other)), (true, false));
    assert!(alike_in(&calm, &one, &one) && !alike_in(&racing, &one, &refused(1, "500", &[&[500], &[200]])));
    assert!(!alike_in(&racing, &one, &shown(None, &[])) && !alike_in(&racing, &shown(None, &[&[200]]), &shown(None, &[&[400]])));
}

/// Whoever keeps events of an order that it does not know yet is like one who knew it.
#[test]
fn orders_may_be_known_from_the_beginning() {
    let later = case(&["o"], vec![deliver(paid("o", "a")), Act::Begin("o".to_owned()), deliver(paid("o", "b"))]);
    let known = as_known(&later).expect("it becomes known later");
    assert!(!known.entries.iter().any(|entry| matches!(entry.act, Act::Begin(_))));
    assert_eq!((known.entries.len(), known.deliveries()), (3, 2), "what follows keeps its place");
    assert_eq!(as_known(&known), None);
}

/// What may be answered in any way says nothing.
#[test]
fn answers_to_what_is_doubtful_do_not_count() {
    let answered = |answers: &[&[u16]], free: &[bool]| Shown { free: free.to_vec(), ..shown(None, answers) };
    let (one, other) = (answered(&[&[200], &[400]], &[false, true]), answered(&[&[200], &[200]], &[false, true]));
    assert!(alike(&one, &other) && !alike_in_all(&one, &other) && alike_in_all(&one, &one));
    assert!(!alike(&answered(&[&[200], &[400]], &[true, false]), &answered(&[&[200], &[200]], &[true, false])));
    assert!(!alike(&answered(&[&[200]], &[true]), &answered(&[&[200], &[200]], &[true, false])));
}

/// The reference may take what a stricter target refuses, and then shows what that does not show.
#[test]
fn doubtful_deliveries_that_were_refused_are_left_out() {
    let told = |refund: &str| Delivery { body: Body::new("told"), ..paid("o1", refund) };
    let doubtful = |refund: &str| deliver(with_effect(Effect::Tolerate, told(refund)));
    let case = case(&["o1"], vec![deliver(told("a")), doubtful("b"), doubtful("c"), doubtful("d")]);
    // The plain one is broken by nobody, whatever it was answered; the third was taken in the end, and the last never sent.
    let left_out = as_refused(&case, &shown(None, &[&[400], &[500, 422], &[400, 200]])).expect("one was refused");
    let changed: Vec<bool> = case.all_deliveries().zip(left_out.all_deliveries()).map(|(one, other)| one != other).collect();
    assert_eq!(changed, [false, true, false, false]);
    assert_eq!(left_out.all_deliveries().nth(1).and_then(|delivery| delivery.body.text()), Some("{}"));
    assert_eq!(as_refused(&case, &shown(None, &[&[200], &[200], &[299]])), None);
}

#[test]
fn but_for_ids_the_way_and_the_place_count() {
    let of = |kind, entry, observed| shown(Some(failure(kind, entry, observed)), &[]);
    assert!(alike_but_for_ids(&of(STATE, 1, "pending"), &of(STATE, 1, "failed")));
    assert!(!alike_but_for_ids(&of(STATE, 1, "pending"), &of(STATE, 2, "pending")));
    assert!(!alike_but_for_ids(&of(STATE, 1, "pending"), &of(FailureKind::Answer, 1, "pending")));
    assert!(!alike_but_for_ids(&of(STATE, 1, "pending"), &shown(None, &[])));
}

#[test]
fn members_are_named_where_states_are_wrong() {
    assert_eq!(wrong_members(&shown(Some(failure(STATE, 1, "pending")), &[])).as_deref(), Some("status or amount"));
    let further = Failure { diff: " status a\n-currency USD\n+currency EUR\n".to_owned(), ..failure(STATE, 1, "pending") };
    assert_eq!(wrong_members(&shown(Some(further), &[])).as_deref(), Some("currency"));
    assert_eq!(wrong_members(&shown(Some(failure(FailureKind::Answer, 1, "500")), &[])), None);
    assert_eq!(wrong_members(&shown(None, &[])), None);
}

fn failing(plan: Plan, observed: &str) -> Failing {
    let case = lower(registered()[0].embedded(), &plan, 1).case;
    Failing { host: 0, number: None, plan, case, shown: shown(Some(failure(STATE, 0, observed)), &[]) }
}

#[test]
fn nothing_was_shrunk_away_where_the_plan_is_the_same() {
    let (one, other) = (plan(vec![Step::plain(refund())]), plan(Vec::new()));
    let mistake = Mistake::unexamined("id".to_owned(), failing(one.clone(), "pending"), STATE);
    assert!(is_fresh(&mistake, &failing(one, "failed")) && !is_fresh(&mistake, &failing(other, "pending")));
}

/// What befalls deliveries counts, and not to which of them it happens; that counts where nothing befalls any. Of what is known not
/// to be the smallest case nothing does.
#[test]
fn a_mistake_is_named_by_its_smallest_case() {
    let of = |kinds: &[FaultKind], is_smallest: bool| {
        shape_of(&failing(plan(vec![with_faults(refund(), kinds)]), "pending"), STATE, is_smallest)
    };
    let (plain, again) = (&[][..], &[FaultKind::Again { after: 0 }][..]);
    assert_ne!(of(plain, true), of(again, true));
    assert_eq!(of(plain, false), of(again, false));
    assert_ne!(of(plain, true), of(plain, false));
    let (race, wider) = (&[FaultKind::Together { with: 1 }][..], &[FaultKind::Together { with: 2 }][..]);
    assert_eq!(of(race, true), of(wider, true));
    assert_ne!(of(race, true), of(again, true));
    let mut silent = failing(plan(Vec::new()), "pending");
    silent.shown.failure = None;
    assert_eq!(shape_of(&silent, STATE, true), "");
}

/// A failing case of one step, with what is wrong then.
#[track_caller]
fn named(order: &OrderPlan, step: Step, kind: FailureKind, diff: &str, observed: &str) -> String {
    let plan = Plan { orders: vec![order.clone()], ..plan(vec![step]) };
    let mut failing = failing(plan, observed);
    let failure = failing.shown.failure.as_mut().expect("it fails");
    (failure.kind, failure.diff) = (kind, diff.to_owned());
    shape_of(&failing, kind, true)
}

#[test]
fn the_same_at_another_event_is_the_same_mistake() {
    let order = OrderPlan::default();
    let (again, answer) = ([FaultKind::Again { after: 0 }], FailureKind::Answer);
    let twice = |action: Action, observed: &str| named(&order, with_faults(action, &again), answer, "", observed);
    assert_eq!(twice(refund(), "409"), twice(Action::Other { event: 3 }, "409"));
    assert_ne!(twice(refund(), "409"), twice(refund(), "500"));
    let once = |action: Action| named(&order, Step::plain(action), answer, "", "409");
    let yen = OrderPlan { currency: 3, ..OrderPlan::default() };
    let in_yen = |action: Action| named(&yen, Step::plain(action), answer, "", "409");
    assert_eq!(in_yen(refund()), in_yen(Action::Dispute));
    assert_ne!(in_yen(refund()), once(refund()));
}

#[test]
fn in_which_way_a_body_is_broken_does_not_matter() {
    let of = |kind| {
        let mutated = FaultKind::Mutated { mutation: Mutation { kind, pick: 0 }, same_id: false, after: 0 };
        named(&OrderPlan::default(), with_faults(refund(), &[mutated]), FailureKind::Answer, "", "200")
    };
    assert_eq!(of(MutationKind::Truncate), of(MutationKind::Trailing));
    assert_ne!(of(MutationKind::Truncate), of(MutationKind::SignatureAbsent));
}

/// Who refuses what is not authentic, and does so with the wrong answer, has one place to mend; who takes it has a hole for each.
#[test]
fn what_is_wrong_with_a_signature_does_not_matter_where_it_is_refused() {
    let of = |mutation: MutationKind, same_id: bool, observed: &str| {
        let mutated = FaultKind::Mutated { mutation: Mutation { kind: mutation, pick: 0 }, same_id, after: 0 };
        named(&OrderPlan::default(), with_faults(refund(), &[mutated]), FailureKind::Answer, "", observed)
    };
    let absent = |same_id, observed| of(MutationKind::SignatureAbsent, same_id, observed);
    for (kind, same_id) in [(MutationKind::Stale, false), (MutationKind::BodyChanged, false), (MutationKind::SignatureWrong, true)] {
        assert_eq!(of(kind, same_id, "500"), absent(false, "500"), "{kind:?}");
        assert_ne!(of(kind, same_id, "200"), absent(false, "200"), "{kind:?}");
    }
    // A forged copy of an event that is known is one, whatever is wrong with it.
    assert_eq!(of(MutationKind::Stale, true, "200"), absent(true, "200"));
    assert_ne!(absent(true, "200"), absent(false, "200"));
    assert_ne!(absent(false, "500"), of(MutationKind::Truncate, false, "500"));
}

/// Of an amount that is right the status follows, whichever event told it.
#[test]
fn a_status_that_is_wrong_for_its_amount_is_one_mistake() {
    let of = |action: Action, diff: &str| named(&OrderPlan::default(), Step::plain(action), STATE, diff, "");
    let wrong = "-status partially_refunded\n+status refunded\n refundedAmount 5.00\n";
    let either = "-status not_refunded | partially_refunded\n+status refunded\n refundedAmount 5.00\n";
    assert_eq!(of(refund(), wrong), of(Action::Dispute, either));
    let others = [
        "-status refunded\n+status partially_refunded\n refundedAmount 5.00\n",
        "-status partially_refunded\n+status refunded\n-refundedAmount 5.00\n+refundedAmount 9.00\n",
        "-status charged_back\n+status refunded\n refundedAmount 5.00\n",
        "-status failed\n+status pending\n refundedAmount 0.00\n",
    ];
    for other in others {
        assert_ne!(of(refund(), wrong), of(refund(), other), "{other}");
    }
    // Only what follows of the amount; what else a status may be depends on the event.
    for of_an_event in &others[1..] {
        assert_ne!(of(refund(), of_an_event), of(Action::Dispute, of_an_event), "{of_an_event}");
    }
}

/// What is wrong when one event of this type has told of a plain refund.
#[track_caller]
fn told_by(kind: &str, diff: &str) -> String {
    let mut failing = failing(Plan { only: vec![kind.to_owned()], ..plan(vec![Step::plain(refund())]) }, "");
    assert_eq!(failing.case.deliveries(), 1, "{kind}");
    diff.clone_into(&mut failing.shown.failure.as_mut().expect("it fails").diff);
    shape_of(&failing, STATE, true)
}

/// That a refund is counted while it is in such a state is one mistake, whichever event says that it is.
#[test]
fn a_refund_that_must_not_be_counted_is_known_by_its_state() {
    let counted = "-status pending\n+status refunded\n-refundedAmount 0.00\n+refundedAmount 10.00\n";
    assert_eq!(told_by("refund.created", counted), told_by("refund.pending", counted));
    let uncounted = "-status pending\n+status not_refunded\n refundedAmount 0.00\n";
    assert_ne!(told_by("refund.created", uncounted), told_by("refund.pending", uncounted));
    assert_ne!(told_by("refund.created", counted), told_by("refund.created", uncounted));
    let nothing = counted.replace("+refundedAmount 10.00", "+refundedAmount 0.00");
    assert_ne!(told_by("refund.created", &nothing), told_by("refund.pending", &nothing));
}

/// So is that it makes the order's status another one than its state does, where something is shown of it.
#[test]
fn a_refund_that_is_shown_in_another_state_is_known_by_both() {
    let failed = "-status pending\n+status failed\n refundedAmount 0.00\n";
    let perhaps = "-status not_refunded | pending\n+status failed\n refundedAmount 0.00\n";
    assert_eq!(told_by("refund.created", failed), told_by("refund.pending", perhaps));
    let waiting = failed.replace("+status failed", "+status pending_information");
    assert_ne!(told_by("refund.created", failed), told_by("refund.created", &waiting));
}

/// What binary fractions leave of an amount is one mistake, wherever it shows; a wrong amount is another.
#[test]
fn an_amount_that_is_nearly_right_is_noise() {
    let sum = "-status refunded\n+status partially_refunded\n-refundedAmount 0.01\n+refundedAmount 0.009999999776482582\n";
    let refund = " status pending\n-refund re_1 pending 0.00 of 0.01\n+refund re_1 pending 0.00 of 0.009999999776482582\n";
    assert_eq!(told_by("refund.created", sum), told_by("refund.pending", refund));
    let cent = "-status refunded\n+status partially_refunded\n-refundedAmount 0.02\n+refundedAmount 0.01\n";
    assert_ne!(told_by("refund.created", sum), told_by("refund.created", cent));
    let large = cent.replace("0.02", "1000000.01").replace("0.01", "1000000.00");
    assert_ne!(told_by("refund.created", sum), told_by("refund.created", &large));
}

/// Who looks at no signature of what tells nothing of refunds has one place to mend, in whatever way it is forged.
#[test]
fn what_is_forged_and_tells_nothing_is_one_mistake() {
    let of = |action: Action, kind: MutationKind, observed: &str| {
        let mutated = FaultKind::Mutated { mutation: Mutation { kind, pick: 0 }, same_id: false, after: 0 };
        let step = Step { faults: [FaultKind::Omit, mutated].map(|kind| Fault { event: 0, kind }).into(), ..Step::plain(action) };
        named(&OrderPlan::default(), step, FailureKind::Answer, "", observed)
    };
    let (absent, wrong, other) = (MutationKind::SignatureAbsent, MutationKind::SignatureWrong, Action::Other { event: 3 });
    assert_eq!(of(other.clone(), absent, "200"), of(other.clone(), wrong, "200"));
    assert_ne!(of(refund(), absent, "200"), of(refund(), wrong, "200"));
    assert_ne!(of(refund(), wrong, "200"), of(other.clone(), wrong, "200"));
    assert_eq!(of(refund(), wrong, "500"), of(other, wrong, "500"));
}

/// Whoever handles a type of event that mirrors another one is like one who was told by that.
#[test]
fn an_event_may_be_read_as_the_one_that_it_mirrors() {
    let mirrored = |provider: &'static dyn Provider| {
        let kinds = provider.corpus().catalogue.iter().map(|event| event.kind.clone());
        kinds.filter_map(move |kind| Some((provider.mirrored(&kind)?, kind))).map(move |(handled, kind)| (provider, kind, handled))
    };
    let all: Vec<_> = registered().iter().map(|provider| provider.embedded()).flat_map(mirrored).collect();
    assert!(!all.is_empty());
    for (provider, kind, handled) in all {
        let told = |kind: &str| {
            let body = Body::new(format!("{{\"type\": \"{kind}\"}}"));
            let mut delivery = Delivery { body, ..paid("o", "a") };
            kind.clone_into(&mut delivery.event.kind);
            case(&["o"], vec![deliver(delivery)])
        };
        let read = readings(&told(&kind), &shown(None, &[&[200]]), provider);
        let bodies: Vec<_> = read.iter().flat_map(Case::all_deliveries).filter_map(|delivery| delivery.body.text()).collect();
        assert_eq!(bodies, [format!("{{\"type\": \"{handled}\"}}")]);
        assert_eq!(readings(&told(handled), &shown(None, &[&[200]]), provider), []);
    }
}

#[test]
fn what_is_doubtful_in_a_body_does_not_matter_to_a_wrong_answer() {
    let of = |mutation: MutationKind, kind: FailureKind| {
        let mutated = FaultKind::Mutated { mutation: Mutation { kind: mutation, pick: 0 }, same_id: false, after: 0 };
        named(&OrderPlan::default(), with_faults(refund(), &[mutated]), kind, "+status a\n", "500")
    };
    assert_eq!(of(MutationKind::BooleanAmount, FailureKind::Answer), of(MutationKind::OverCaptured, FailureKind::Answer));
    assert_ne!(of(MutationKind::BooleanAmount, STATE), of(MutationKind::OverCaptured, STATE));
    assert_eq!(of(MutationKind::NoType, FailureKind::Answer), of(MutationKind::NoObject, FailureKind::Answer));
    for of_its_own in [MutationKind::UnknownOrder, MutationKind::FutureTime, MutationKind::AgeLimit] {
        assert_ne!(of(of_its_own, FailureKind::Answer), of(MutationKind::BooleanAmount, FailureKind::Answer));
    }
}

/// A case may fail because of a mistake where what that takes is done to something in it.
#[test]
fn what_a_mistake_takes_must_be_in_a_case_that_fails_because_of_it() {
    let answer = FailureKind::Answer;
    let of = |kinds: &[MutationKind], kind: FailureKind, observed: &str| {
        let mutated = kinds
            .iter()
            .map(|kind| FaultKind::Mutated { mutation: Mutation { kind: *kind, pick: 0 }, same_id: false, after: 0 })
            .collect::<Vec<_>>();
        let mut failing = failing(plan(vec![with_faults(refund(), &mutated)]), "400");
        let failure = failing.shown.failure.as_mut().expect("it fails");
        (failure.kind, failure.observed) = (kind, observed.to_owned());
        failing
    };
    let mistake = |failing: Failing, kind: FailureKind| Mistake::unexamined("id".to_owned(), failing, kind);
    let unusual = mistake(of(&[MutationKind::UnusualNumber], answer, "400"), answer);
    let may = |kinds: &[MutationKind], observed: &str| may_fail(&unusual, &of(kinds, answer, observed), answer);
    assert!(may(&[MutationKind::UnusualNumber], "422") && may(&[MutationKind::SignatureAbsent, MutationKind::UnusualNumber], "400"));
    assert!(!may(&[MutationKind::SignatureAbsent], "400") && !may(&[], "400") && !may(&[MutationKind::UnusualNumber], "200"));
    assert!(!may_fail(&unusual, &of(&[MutationKind::UnusualNumber], STATE, "400"), STATE));
    // What is shown differs with every state.
    let plain = mistake(of(&[], STATE, "pending"), STATE);
    assert!(may_fail(&plain, &of(&[MutationKind::SignatureAbsent], STATE, "failed"), STATE));
}

#[test]
fn what_else_is_wrong_beside_status_and_amount_does_not_matter() {
    let late = [FaultKind::Late { by: 1 }];
    let of = |diff: &str| named(&OrderPlan::default(), with_faults(refund(), &late), STATE, diff, "");
    let (status, amount) = ("-status a\n+status b\n refundedAmount 1\n", " status a\n-refundedAmount 1\n+refundedAmount 2\n");
    let further = " status a\n-availableToRefundAmount 1\n+availableToRefundAmount 2\n";
    assert_eq!(of(status), of(amount));
    assert_ne!(of(status), of(further));
}

#[track_caller]
fn wrong(one: &str, other: &str, expected: bool) {
    let of = |diff: &str| shown(Some(Failure { diff: diff.to_owned(), ..failure(STATE, 0, "") }), &[]);
    assert_eq!((alike(&of(one), &of(other)), alike(&of(other), &of(one))), (expected, expected));
}

#[test]
fn states_are_alike_by_status_and_amount_first() {
    let wrong_status = "-status a\n+status b\n currency USD\n";
    wrong(wrong_status, "-status a\n+status b\n-currency USD\n+currency EUR\n", true);
    wrong(wrong_status, "-status a\n+status c\n currency USD\n", false);
    let wrong_currency = " status a\n-currency USD\n+currency EUR\n chargedBackAmount 1\n";
    wrong(wrong_status, wrong_currency, false);
    wrong(wrong_currency, " status a\n-currency USD\n+currency GBP\n-chargedBackAmount 1\n+chargedBackAmount 2\n", true);
    wrong(wrong_currency, " status a\n currency USD\n-chargedBackAmount 1\n+chargedBackAmount 2\n", false);
}
