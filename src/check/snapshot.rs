//! Snapshots: what a target showed while a frozen sequence was delivered, as text that people review.
//!
//! Only settled moments are shown: where a target has a choice (`docs/expectations.md`, "What may be shown"), a line says so
//! instead of pinning one design. So every conforming target shows the same text, and a difference is a finding.

use std::fmt::Write;

use super::show::{expectation_lines, state_lines};
use crate::{
    case::{Act, Case, Mishap},
    domain::OrderState,
    model::{Expectation, Sight},
};

/// What was seen of a case: for each entry the orders observed after it, and all orders at the end. An entry after which
/// nothing was observed, because a delivery was still unacknowledged then, has an empty list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sightings {
    /// After each entry, in the order of its expectations.
    pub after: Vec<Vec<Option<OrderState>>>,
    /// At the end, in the order of the case's expectations.
    pub end: Vec<Option<OrderState>>,
}

/// The text of what a target showed.
pub fn render(case: &Case, seen: &Sightings, sight: &Sight) -> String {
    render_within(case, case, seen, sight)
}

/// The same of a target that may show more than the case says: what `allowed`, the same case with wider expectations, lets
/// pass is written as the case has it.
pub fn render_within(case: &Case, allowed: &Case, seen: &Sightings, sight: &Sight) -> String {
    let mut out = order_lines(case);
    for (index, entry) in case.entries.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "\n{:>2} {}", index + 1, act_line(&entry.act));
        let states = seen.after.get(index);
        for (number, expected) in entry.expect.iter().enumerate() {
            let text = match states.map(|states| states.get(number)) {
                Some(Some(state)) => {
                    let wider = allowed.entries.get(index).and_then(|entry| entry.expect.get(number)).unwrap_or(expected);
                    moment(expected, wider, state.as_ref(), sight)
                }
                // What a target shows before it has acknowledged a delivery is not laid down.
                Some(None) => settled(expected),
                None => "not reached".to_owned(),
            };
            let _ = writeln!(out, "   {} {text}", expected.order_id);
        }
    }
    for (number, expected) in case.expect.iter().enumerate() {
        let _ = writeln!(out, "\nend of {}", expected.order_id);
        let lines = match seen.end.get(number) {
            Some(Some(state)) if allowed.expect.get(number).unwrap_or(expected).allows(state, sight) => {
                expectation_lines(expected, None, &everything(sight))
            }
            Some(Some(state)) => state_lines(state, expected, &everything(sight)),
            Some(None) => "unknown order\n".to_owned(),
            None => "not reached\n".to_owned(),
        };
        for line in lines.lines() {
            let _ = writeln!(out, "   {line}");
        }
    }
    out
}

/// A line for each order.
pub(super) fn order_lines(case: &Case) -> String {
    let mut out = String::new();
    for order in &case.orders {
        let (id, currency, captured, charges) = (&order.order_id, &order.currency, order.captured_amount, order.charges.len());
        let _ = writeln!(out, "order {id} {currency} {captured} captured on {charges} charge(s)");
    }
    out
}

/// The text that a conforming target's sightings have.
pub fn expected(case: &Case) -> String {
    let state = |expected: &Expectation| {
        Some(OrderState {
            order_id: expected.order_id.clone(),
            status: expected.status[0],
            refunded_amount: expected.refunded_amount.least,
            currency: expected.currency.clone(),
            available_to_refund_amount: expected.available_to_refund_amount.as_ref().and_then(|choices| choices.first().copied()),
            charged_back_amount: expected.charged_back_amount.as_ref().and_then(|choices| choices.first().copied()),
            refunds: expected.refunds.clone(),
        })
    };
    let seen = Sightings {
        after: case.entries.iter().map(|entry| entry.expect.iter().map(state).collect()).collect(),
        end: case.expect.iter().map(state).collect(),
    };
    render(case, &seen, &everything(&Sight::default()))
}

/// A snapshot file in insta's format. There is no `source`, by which insta would tie the file to one test.
pub fn file(description: &str, content: &str) -> String {
    format!("---\ndescription: {}\n---\n{}\n", crate::json::Value::from(description), content.trim_matches('\n'))
}

/// The content of a snapshot file without insta's front matter.
pub fn content(file: &str) -> &str {
    let body = file.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map_or(file, |(_, body)| body);
    body.trim_matches('\n')
}

/// What is not claimed is not shown by the target; the snapshot has it all the same, as expected.
fn everything(sight: &Sight) -> Sight {
    Sight { currency: true, refunds: true, available: true, charged_back: true, equivalent: sight.equivalent.clone() }
}

fn moment(expected: &Expectation, wider: &Expectation, state: Option<&OrderState>, sight: &Sight) -> String {
    let Some(state) = state else { return "unknown order".to_owned() };
    if !wider.allows(state, sight) {
        return format!("{} {}", state.status, state.refunded_amount);
    }
    settled(expected)
}

/// What a conforming target shows, if there is only one thing that it may show.
fn settled(expected: &Expectation) -> String {
    if expected.is_exact() { format!("{} {}", expected.status[0], expected.refunded_amount.least) } else { "(not settled)".to_owned() }
}

pub(super) fn act_line(act: &Act) -> String {
    match act {
        Act::Deliver(delivery) => {
            let mark = delivery.mutation.as_deref().or(delivery.fault.as_deref()).or(delivery.mishap.map(Mishap::as_str));
            let mark = mark.map(|mark| format!(" ({mark})")).unwrap_or_default();
            format!("{}{mark}", delivery.event.kind)
        }
        Act::Together(deliveries) => {
            let kinds: Vec<&str> = deliveries.iter().map(|delivery| delivery.event.kind.as_str()).collect();
            format!("at the same time: {}", kinds.join(", "))
        }
        Act::Initiate(own) => format!("the shop makes refund {} of {}", own.refund.id, own.refund.amount),
        Act::Meanwhile(own, deliveries) => {
            let kinds: Vec<&str> = deliveries.iter().map(|delivery| delivery.event.kind.as_str()).collect();
            format!("the shop makes refund {} of {}, and before that is answered: {}", own.refund.id, own.refund.amount, kinds.join(", "))
        }
        Act::Restart => "the target is killed and started again".to_owned(),
        Act::Begin(order_id) => format!("order {order_id} becomes known"),
        Act::Advance(seconds) => format!("{seconds} seconds pass"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        case::by_hand::{self, deliver, own, paid, told},
        domain::{Amount, RefundState, Status},
        model::AmountRange,
    };

    /// One of these statuses and so many cents.
    fn expectation(status: &[Status], cents: u64) -> Expectation {
        let amount = Amount::from_minor(cents, 2);
        Expectation {
            order_id: "o1".to_owned(),
            status: status.to_vec(),
            refunded_amount: AmountRange { least: amount, most: amount },
            currency: Some("USD".to_owned()),
            available_to_refund_amount: None,
            charged_back_amount: None,
            refunds: None,
            in_doubt: None,
        }
    }

    /// A refund that is pending, with 0.00, and then paid, with 10.00.
    fn case() -> Case {
        let acts = vec![deliver(told("o1", "a", RefundState::Pending)), deliver(paid("o1", "a"))];
        let mut case = by_hand::case(&["o1"], acts);
        case.entries[0].expect = vec![expectation(&[Status::Pending], 0)];
        case.entries[1].expect = vec![expectation(&[Status::PartiallyRefunded], 1000)];
        case.expect = vec![expectation(&[Status::PartiallyRefunded], 1000)];
        case
    }

    fn state(status: Status, cents: u64) -> Option<OrderState> {
        Some(OrderState::new("o1", status, Amount::from_minor(cents, 2)))
    }

    /// The text without the order's line, of what was seen after each of the two entries and at the end.
    #[track_caller]
    fn shows(first: &[Option<OrderState>], second: &[Option<OrderState>], end: &[Option<OrderState>], expected: &str) {
        let seen = Sightings { after: vec![first.to_vec(), second.to_vec()], end: end.to_vec() };
        let text = render(&case(), &seen, &Sight::default());
        assert_eq!(text.strip_prefix("order o1 USD 100.00 captured on 0 charge(s)\n"), Some(expected));
    }

    const RIGHT: &str = "
 1 refund.a
   o1 pending 0.00

 2 refund.a
   o1 partially_refunded 10.00

end of o1
   status                  partially_refunded
   refundedAmount          10.00
   currency                USD
";

    #[test]
    fn what_is_right_is_shown_with_what_the_target_does_not_tell() {
        let paid = state(Status::PartiallyRefunded, 1000);
        shows(&[state(Status::Pending, 0)], std::slice::from_ref(&paid), std::slice::from_ref(&paid), RIGHT);
        assert!(expected(&case()).ends_with(RIGHT));
    }

    #[test]
    fn what_is_wrong_is_shown_as_it_is() {
        let expected = "
 1 refund.a
   o1 refunded 0.00

 2 refund.a
   o1 unknown order

end of o1
   status                  pending
   refundedAmount          10.00
   currency                -
";
        shows(&[state(Status::Refunded, 0)], &[None], &[state(Status::Pending, 1000)], expected);
    }

    #[test]
    fn what_was_not_acknowledged_yet_is_as_expected_and_an_unknown_order_is_said() {
        let expected = "
 1 refund.a
   o1 pending 0.00

 2 refund.a
   o1 partially_refunded 10.00

end of o1
   unknown order
";
        shows(&[], &[], &[None], expected);
    }

    #[test]
    fn what_was_not_reached_is_said() {
        let text = render(&case(), &Sightings::default(), &Sight::default());
        assert!(text.contains("\n 1 refund.a\n   o1 not reached\n"), "{text}");
        assert!(text.ends_with("\nend of o1\n   not reached\n"), "{text}");
    }

    #[test]
    fn what_is_allowed_besides_is_written_as_the_case_has_it() {
        let mut allowed = case();
        allowed.entries[0].expect[0].status.push(Status::NotRefunded);
        allowed.expect[0].status.push(Status::Refunded);
        let seen = Sightings {
            after: vec![vec![state(Status::NotRefunded, 0)], vec![state(Status::PartiallyRefunded, 1000)]],
            end: vec![state(Status::Refunded, 1000)],
        };
        assert!(render_within(&case(), &allowed, &seen, &Sight::default()).ends_with(RIGHT));
        assert!(!render(&case(), &seen, &Sight::default()).ends_with(RIGHT));
    }

    #[test]
    fn where_there_is_a_choice_nothing_is_pinned() {
        let mut expected = expectation(&[Status::Pending], 0);
        assert_eq!(settled(&expected), "pending 0.00");
        expected.refunded_amount.most = Amount::from_minor(1, 2);
        assert_eq!(settled(&expected), "(not settled)");
    }

    #[track_caller]
    fn act(act: &Act, expected: &str) {
        assert_eq!(act_line(act), expected);
    }

    #[test]
    fn acts_in_words() {
        let (one, two) = (paid("o1", "a"), paid("o1", "b"));
        act(&Act::Together(vec![one.clone(), two.clone()]), "at the same time: refund.a, refund.b");
        act(&Act::Initiate(own("o1", "a")), "the shop makes refund a of 10.00");
        let meanwhile = "the shop makes refund a of 10.00, and before that is answered: refund.a, refund.b";
        act(&Act::Meanwhile(own("o1", "a"), vec![one, two]), meanwhile);
        act(&Act::Restart, "the target is killed and started again");
        act(&Act::Begin("o1".to_owned()), "order o1 becomes known");
        act(&Act::Advance(60), "60 seconds pass");
    }

    #[test]
    fn what_is_most_telling_of_a_delivery_stands_beside_it() {
        let mut delivery = paid("o1", "a");
        act(&deliver(delivery.clone()), "refund.a");
        delivery.mishap = Some(Mishap::Reset);
        act(&deliver(delivery.clone()), "refund.a (the connection is reset once it is sent)");
        delivery.fault = Some("sent again".to_owned());
        act(&deliver(delivery.clone()), "refund.a (sent again)");
        delivery.mutation = Some("cut".to_owned());
        act(&deliver(delivery), "refund.a (cut)");
    }

    #[test]
    fn files_have_a_description_and_are_read_back() {
        let text = file("a \"story\"", "\n\none\n\ntwo\n");
        assert_eq!(text, "---\ndescription: \"a \\\"story\\\"\"\n---\none\n\ntwo\n");
        assert_eq!(content(&text), "one\n\ntwo");
        assert_eq!(content("no description\n"), "no description");
    }
}
