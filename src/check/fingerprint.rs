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
    domain::Amount,
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

/// The fingerprint of a failure that nobody looked into: it stands for its requirement alone.
pub fn unexamined_fingerprint(requirement: &str, kind: FailureKind, diff: &str) -> String {
    digest(&format!("{requirement}\n{}\n{}", kind.as_str(), differing_fields(diff)))
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
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
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
