//! Fingerprints: the same bug gives the same short text in every run, another bug gives another.
//!
//! A mistake that does what a fault of the bank does has the fingerprint of that fault. Any other is made of the kind of
//! failure, the shape of the smallest case and the shape of the difference; never of the requirement in which it was met. Shapes hold no ids, amounts, currencies or times: an id is only "the second refund", an amount only
//! "more than it must be". So runs with the same seed always agree, and other seeds agree wherever they shrink to
//! the same few deliveries, which is the rule. Where a limit ended the shrinking, what is left of the case is chance;
//! then only the kind and the fields that differ count.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::judge::FailureKind;
use crate::{
    case::{Act, Case, Delivery, Signature},
    domain::{Amount, hex},
    model::Tell,
};

/// What a fingerprint is made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// In what way the target is wrong.
    pub kind: FailureKind,
    /// The entry of the case after which it showed; `None` at the end.
    pub entry: Option<usize>,
    /// The difference, line by line.
    pub diff: &'a str,
    /// The shrunk case; `None` where nothing says that it is as small as it gets.
    pub case: Option<&'a Case>,
}

/// The fingerprint of a failure: sixteen hexadecimal digits.
pub fn fingerprint(shape: &Shape<'_>) -> String {
    let Shape { kind, entry, diff, case } = shape;
    let mut text = format!("{}\n", kind.as_str());
    match case {
        Some(case) => {
            let place = entry.map_or("end".to_owned(), |entry| (entry + 1).to_string());
            text.push_str(&format!("{}at {place}\n{}", case_shape(case), diff_shape(diff)));
        }
        None => text.push_str(&differing_fields(diff)),
    }
    digest(&text)
}

/// The fingerprint of a mistake that shows whenever something befalls a delivery, whichever event that is: what that is, and what
/// is wrong then.
pub fn circumstance_fingerprint(kind: FailureKind, circumstances: &[String], aspect: &str) -> String {
    digest(&format!("{}\n{}\n{aspect}", kind.as_str(), circumstances.join(", ")))
}

/// The fingerprint of a failure that nobody looked into: it stands for its requirement alone.
pub fn unexamined_fingerprint(requirement: &str, kind: FailureKind, diff: &str) -> String {
    digest(&format!("{requirement}\n{}\n{}", kind.as_str(), differing_fields(diff)))
}

/// The fingerprint of whatever fails in this way and could not be looked into any more.
pub fn unasked_fingerprint(kind: FailureKind) -> String {
    digest(&format!("unasked {}", kind.as_str()))
}

/// The fingerprint of a mistake that shows together with something that is not in its case.
pub fn besides_fingerprint(besides: &str) -> String {
    digest(&format!("besides {besides}"))
}

/// The fingerprint of a mistake that does what a fault of the bank does.
pub fn likeness_fingerprint(fault: &str) -> String {
    digest(&format!("like {fault}"))
}

/// The fingerprint of a frozen sequence whose snapshot differs.
pub fn snapshot_fingerprint(name: &str, diff: &str) -> String {
    digest(&format!("snapshot {name}\n{}", diff_shape(diff)))
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text)[..8])
}

/// Numbers for things by the order in which they are first met.
#[derive(Default)]
struct Numbers(Vec<String>);

impl Numbers {
    fn of(&mut self, thing: &str) -> usize {
        if let Some(place) = self.0.iter().position(|known| known == thing) {
            return place + 1;
        }
        self.0.push(thing.to_owned());
        self.0.len()
    }
}

fn case_shape(case: &Case) -> String {
    let (mut events, mut orders, mut refunds) = (Numbers::default(), Numbers::default(), Numbers::default());
    let mut shape = |delivery: &Delivery| {
        // An event that tells nothing is traffic, and what is done to a body is done to any type of event.
        let is_any = delivery.event.tells.is_empty() || delivery.mutation.is_some();
        let kind = if is_any { "event" } else { &delivery.event.kind };
        let mut line = format!("{kind} e{} {:?}", events.of(&delivery.event.id), delivery.effect);
        if let Some(order) = &delivery.event.order_id {
            line.push_str(&format!(" o{}", orders.of(order)));
        }
        for tell in delivery.event.tells.iter().filter(|_| !is_any) {
            if let Tell::Refund { id, .. } = tell {
                line.push_str(&format!(" r{}", refunds.of(id)));
            }
        }
        for mark in delivery.fault.iter().chain(&delivery.mutation) {
            line.push_str(&format!(" ({mark})"));
        }
        line.push_str(match &delivery.signature {
            Signature::Valid => "",
            Signature::Absent => " unsigned",
            Signature::Truncated => " truncated",
            Signature::With(_) | Signature::OtherSecret(_) => " with another secret",
            Signature::Stale => " stale",
            Signature::Rotated { .. } => " rotated",
            Signature::Over(_) => " over another body",
            Signature::At { seconds: ..0 } => " aged",
            Signature::At { .. } => " from the future",
            Signature::OtherScheme { .. } => " with another scheme",
            Signature::OnlyOtherScheme => " by another scheme only",
            Signature::TwoWrong => " with two other secrets",
            Signature::OtherCase => " in other case",
        });
        line
    };
    let mut out = String::new();
    for entry in &case.entries {
        match &entry.act {
            Act::Deliver(delivery) => out.push_str(&shape(delivery)),
            Act::Together(deliveries) => {
                let mut lines: Vec<String> = deliveries.iter().map(&mut shape).collect();
                lines.sort();
                out.push_str(&format!("together [{}]", lines.join(", ")));
            }
            Act::Initiate(_) => out.push_str("own refund"),
            Act::Meanwhile(_, deliveries) => {
                let lines: Vec<String> = deliveries.iter().map(&mut shape).collect();
                out.push_str(&format!("own refund, and before it is answered [{}]", lines.join(", ")));
            }
            Act::Restart => out.push_str("restart"),
            Act::Begin(_) => out.push_str("order becomes known"),
            // How much of it is chance: it is as little as the smallest case needed.
            Act::Advance(_) => out.push_str("time passes"),
        }
        out.push('\n');
    }
    out
}

/// The lines that differ, as words: a field with amounts on both sides says only which way it is wrong.
fn diff_shape(diff: &str) -> String {
    let changed = |sign: char| diff.lines().filter_map(move |line| line.strip_prefix(sign));
    let mut missing: Vec<&str> = changed('-').collect();
    let mut ids = Numbers::default();
    let mut out = String::new();
    for shown in changed('+') {
        let partner = missing.iter().position(|expected| direction(expected, shown).is_some());
        match partner.and_then(|place| direction(missing.remove(place), shown)) {
            Some((name, way)) => out.push_str(&format!("{name} is {way}\n")),
            None => out.push_str(&format!("+{}\n", words(shown, &mut ids))),
        }
    }
    for expected in missing {
        out.push_str(&format!("-{}\n", words(expected, &mut ids)));
    }
    out
}

/// The first words of the lines that differ, one in a line and in order: the members of an order that are wrong.
pub fn differing_fields(diff: &str) -> String {
    let changed = diff.lines().filter_map(|line| line.strip_prefix(['-', '+']));
    let names: BTreeMap<&str, ()> = changed.filter_map(|line| Some((line.split_whitespace().next()?, ()))).collect();
    names.into_keys().collect::<Vec<_>>().join("\n")
}

/// Whether a field that is an amount in both lines is too high or too low.
fn direction<'l>(expected: &'l str, shown: &str) -> Option<(&'l str, &'static str)> {
    let (name, allowed) = expected.split_once(' ')?;
    let (other, shown) = shown.split_once(' ')?;
    // Ids of orders are numbers with some providers.
    let shown = Amount::parse(shown.trim()).ok().filter(|_| name == other && name != "orderId")?;
    let allowed: Vec<Amount> = allowed.split_whitespace().filter_map(|word| Amount::parse(word).ok()).collect();
    let (least, most) = (allowed.iter().min()?, allowed.iter().max()?);
    Some((name, if shown < *least { "too low" } else { ["between", "too high"][usize::from(shown > *most)] }))
}

/// What stands before the last line of a target that died.
const LAST_WORDS: [&str; 2] = ["; its last line", "; the last line"];

/// A line without what differs from run to run: what stands in backticks, amounts and ids.
fn words(line: &str, ids: &mut Numbers) -> String {
    // What a target said last before it died may hold anything.
    let line = LAST_WORDS.iter().find_map(|words| line.split_once(words)).map_or(line, |(line, _)| line);
    let word = |word: &str| {
        let bare = word.trim_matches(|character: char| !character.is_ascii_alphanumeric() && character != '-');
        if Amount::parse(bare).is_ok() {
            // Three digits are an answer, and answers matter.
            return if line.trim_start().starts_with("answer") { word.to_owned() } else { "#".to_owned() };
        }
        let is_id = bare.len() >= 8 && bare.bytes().any(|byte| byte.is_ascii_digit());
        if is_id { format!("id{}", ids.of(bare)) } else { word.to_owned() }
    };
    line.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{
        Effect,
        by_hand::{case, deliver, own, paid, with_effect},
    };

    const DIFF: &str = "-refundedAmount 10.00\n+refundedAmount 20.00\n";

    fn twice(order: &str, refund: &str) -> Case {
        case(&[order], vec![deliver(paid(order, refund)), deliver(paid(order, refund))])
    }

    fn shape_of<'a>(case: &'a Case, entry: Option<usize>, diff: &'a str) -> Shape<'a> {
        Shape { kind: FailureKind::State, entry, diff, case: Some(case) }
    }

    /// Lists of known failures hold fingerprints, so another build must not give others.
    #[test]
    fn fingerprints_stay_what_they_are() {
        let case = twice("o1", "a");
        let known = [
            fingerprint(&shape_of(&case, Some(0), DIFF)),
            fingerprint(&shape_of(&case, Some(1), DIFF)),
            fingerprint(&shape_of(&case, None, DIFF)),
            fingerprint(&Shape { case: None, ..shape_of(&case, None, DIFF) }),
            circumstance_fingerprint(FailureKind::State, &["redelivery".to_owned(), "mutation".to_owned()], "refundedAmount more"),
            unexamined_fingerprint("duplicate-deliveries", FailureKind::State, DIFF),
            likeness_fingerprint("books-redeliveries"),
            snapshot_fingerprint("001-one-refund", DIFF),
        ];
        let expected = [
            "e1cf4cdcca326164",
            "e5d49d166b57e9b4",
            "85b3466a37584acd",
            "9ac834e1710a7f5e",
            "a0c762764e63b2f6",
            "2b3f1e6977b8f4bd",
            "bbc7e363fd299b8b",
            "71e26040f713aa75",
        ];
        assert_eq!(known, expected);
    }

    #[test]
    fn ids_and_amounts_do_not_matter() {
        let (one, other) = (twice("o1", "a"), twice("2190", "a"));
        let more = "-refundedAmount 3.00\n+refundedAmount 6.00\n";
        assert_eq!(fingerprint(&shape_of(&one, None, DIFF)), fingerprint(&shape_of(&other, None, more)));
    }

    #[test]
    fn differing_fields_are_named_once_and_in_order() {
        assert_eq!(differing_fields(" status a\n-refunds b\n-amount 1\n+amount 2\n"), "amount\nrefunds");
    }

    #[track_caller]
    fn lines(acts: Vec<Act>, expected: &str) {
        assert_eq!(case_shape(&case(&["o1", "o2"], acts)), expected);
    }

    #[test]
    fn things_have_numbers_by_the_order_in_which_they_are_met() {
        let acts = vec![deliver(paid("o2", "a")), deliver(paid("o1", "b")), deliver(paid("o2", "a"))];
        lines(acts, "refund.a e1 Accept o1 r1\nrefund.b e2 Accept o2 r2\nrefund.a e1 Accept o1 r1\n");
    }

    #[test]
    fn what_tells_nothing_or_is_mutated_is_any_event() {
        let mut mutated = paid("o1", "a");
        mutated.mutation = Some("cut".to_owned());
        let acts = vec![deliver(mutated), deliver(with_effect(Effect::Ignore, paid("o1", "b")))];
        lines(acts, "event e1 Accept o1 (cut)\nevent e2 Ignore o1\n");
    }

    #[test]
    fn marks_and_signatures() {
        let signed = |signature| Delivery { signature, fault: Some("again".to_owned()), ..paid("o1", "a") };
        let ways = [
            (Signature::Valid, ""),
            (Signature::Absent, " unsigned"),
            (Signature::Truncated, " truncated"),
            (Signature::With("x".to_owned()), " with another secret"),
            (Signature::Stale, " stale"),
            (Signature::Rotated { known_first: true }, " rotated"),
            (Signature::Over(String::new()), " over another body"),
            (Signature::At { seconds: -1 }, " aged"),
            (Signature::At { seconds: 0 }, " from the future"),
            (Signature::OtherScheme { first: true }, " with another scheme"),
            (Signature::OnlyOtherScheme, " by another scheme only"),
            (Signature::TwoWrong, " with two other secrets"),
            (Signature::OtherCase, " in other case"),
        ];
        for (signature, words) in ways {
            lines(vec![deliver(signed(signature))], &format!("refund.a e1 Accept o1 r1 (again){words}\n"));
        }
    }

    #[test]
    fn what_lies_between_deliveries() {
        let acts = vec![
            Act::Together(vec![paid("o1", "b"), paid("o1", "a")]),
            Act::Initiate(own("o1", "a")),
            Act::Meanwhile(own("o1", "c"), vec![paid("o1", "b")]),
            Act::Restart,
            Act::Begin("o1".to_owned()),
            Act::Advance(9),
        ];
        let expected = "together [refund.a e2 Accept o1 r2, refund.b e1 Accept o1 r1]\nown refund\n\
            own refund, and before it is answered [refund.b e1 Accept o1 r1]\nrestart\norder becomes known\ntime passes\n";
        lines(acts, expected);
    }

    #[test]
    fn amounts_beside_several_that_are_right() {
        shape("-refundedAmount 1.00 | 5.00\n+refundedAmount 3.00\n", "refundedAmount is between\n");
        shape("-refundedAmount 1.00 | 5.00\n+refundedAmount 5.00\n", "refundedAmount is between\n");
        shape("-refundedAmount 1.00 | 5.00\n+refundedAmount 1.00\n", "refundedAmount is between\n");
    }

    #[test]
    fn amounts_of_different_members_are_no_pair() {
        shape("-refundedAmount 1.00\n+chargedBackAmount 2.00\n", "+chargedBackAmount #\n-refundedAmount #\n");
    }

    #[test]
    fn ids_are_long_and_have_a_digit() {
        shape("+refund abcdefgh pending\n", "+refund abcdefgh pending\n");
        shape("+refund abcdef1 pending\n", "+refund abcdef1 pending\n");
        shape("+refund `abcdefg1`, re-abcd-1 (abcdefg1)\n", "+refund id1 id2 id1\n");
    }

    #[track_caller]
    fn shape(diff: &str, expected: &str) {
        assert_eq!(diff_shape(diff), expected);
    }

    #[test]
    fn amounts_say_which_way_they_are_wrong() {
        shape(" status  refunded\n-refundedAmount 10.00\n+refundedAmount 20.00\n", "refundedAmount is too high\n");
        shape("-refundedAmount 5 .. 10\n+refundedAmount 3\n", "refundedAmount is too low\n");
    }

    #[test]
    fn statuses_and_answers_are_kept() {
        shape("-status pending | failed\n+status refunded\n", "+status refunded\n-status pending | failed\n");
        shape("-answer 2xx\n+answer 500\n", "+answer 500\n-answer 2xx\n");
    }

    #[test]
    fn ids_are_only_counted() {
        shape("-orderId 2750000500100336\n+orderId 1\n", "+orderId #\n-orderId #\n");
        shape(
            "-refund re_78496778-5238 succeeded 1.00 of 2.00\n+refund re_78496778-5238 pending 0.00 of 2.00\n",
            "+refund id1 pending # of #\n-refund id1 succeeded # of #\n",
        );
    }

    #[test]
    fn what_a_target_said_last_is_left_out() {
        shape(
            "+deliver: the target ended with exit status: 3; its last line on standard error: `at 0xdeadbeef01`\n",
            "+deliver: the target ended with exit status: #\n",
        );
        shape(
            "+deliver: the target ended with exit status: 3; the last line that it wrote: `at 0xdeadbeef01`\n",
            "+deliver: the target ended with exit status: #\n",
        );
    }
}
