//! States as lines of text, and the difference of two such texts.

use std::{borrow::Cow, fmt::Write};

use similar::{ChangeTag, TextDiff};

use crate::{
    domain::{Amount, OrderState, RefundView},
    model::{AmountRange, Expectation, Sight},
};

/// The characters that are shown of an id or a currency; real ones are shorter.
const LONGEST_NAME: usize = 80;
/// How many refunds are shown of an order; real ones have fewer.
const MOST_REFUNDS: usize = 200;

/// The lines of what a target shows, as far as it is judged.
pub fn state_lines(state: &OrderState, expected: &Expectation, sight: &Sight) -> String {
    let digits = digits(expected);
    let mut out = String::new();
    if state.order_id != expected.order_id {
        line(&mut out, "orderId", &harmless(&state.order_id));
    }
    if expected.in_doubt.is_some() {
        line(&mut out, "refundedAmount", &state.refunded_amount.to_fixed(digits));
        return out;
    }
    line(&mut out, "status", state.status.as_str());
    line(&mut out, "refundedAmount", &state.refunded_amount.to_fixed(digits));
    if sight.currency && expected.currency.is_some() {
        line(&mut out, "currency", &state.currency.as_deref().map_or("-".into(), harmless));
    }
    let amount = |amount: Option<Amount>| amount.map_or("-".to_owned(), |amount| amount.to_fixed(digits));
    if sight.available && expected.available_to_refund_amount.is_some() {
        line(&mut out, "availableToRefundAmount", &amount(state.available_to_refund_amount));
    }
    if sight.charged_back && expected.charged_back_amount.is_some() {
        line(&mut out, "chargedBackAmount", &amount(state.charged_back_amount));
    }
    if sight.refunds && expected.refunds.is_some() {
        match &state.refunds {
            Some(refunds) => refund_lines(&mut out, refunds, digits),
            None => line(&mut out, "refunds", "-"),
        }
    }
    out
}

/// The lines of what a target must show. Where what it does show is allowed, that is taken, so that a
/// comparison of the two texts points at nothing but what is wrong.
pub fn expectation_lines(expected: &Expectation, shown: Option<&OrderState>, sight: &Sight) -> String {
    let digits = digits(expected);
    let mut out = String::new();
    if shown.is_some_and(|state| state.order_id != expected.order_id) {
        line(&mut out, "orderId", &expected.order_id);
    }
    let amount_text = |range: &AmountRange| {
        let fits = shown.map(|state| state.refunded_amount).filter(|amount| range.contains(*amount));
        fits.map_or_else(|| range_text(range, digits), |amount| amount.to_fixed(digits))
    };
    if let Some(range) = &expected.in_doubt {
        line(&mut out, "refundedAmount", &amount_text(range));
        return out;
    }
    let status =
        shown.map(|state| state.status).filter(|shown| expected.status.iter().any(|status| sight.same(status.as_str(), shown.as_str())));
    let statuses: Vec<&str> = match status {
        Some(status) => vec![status.as_str()],
        None => expected.status.iter().map(|status| status.as_str()).collect(),
    };
    line(&mut out, "status", &statuses.join(" | "));
    line(&mut out, "refundedAmount", &amount_text(&expected.refunded_amount));
    if let Some(currency) = expected.currency.as_ref().filter(|_| sight.currency) {
        line(&mut out, "currency", currency);
    }
    let choose = |choices: &[Amount], shown: Option<Amount>| match shown.filter(|amount| choices.contains(amount)) {
        Some(amount) => amount.to_fixed(digits),
        None => choices.iter().map(|amount| amount.to_fixed(digits)).collect::<Vec<_>>().join(" | "),
    };
    if let Some(choices) = expected.available_to_refund_amount.as_ref().filter(|_| sight.available) {
        line(&mut out, "availableToRefundAmount", &choose(choices, shown.and_then(|state| state.available_to_refund_amount)));
    }
    if let Some(choices) = expected.charged_back_amount.as_ref().filter(|_| sight.charged_back) {
        line(&mut out, "chargedBackAmount", &choose(choices, shown.and_then(|state| state.charged_back_amount)));
    }
    if let Some(refunds) = expected.refunds.as_ref().filter(|_| sight.refunds) {
        let like_shown: Vec<RefundView> = refunds.iter().map(|refund| as_shown(refund, shown, sight)).collect();
        refund_lines(&mut out, &like_shown, digits);
    }
    out
}

/// An expected refund in the words of the target, where those mean the same.
fn as_shown(expected: &RefundView, shown: Option<&OrderState>, sight: &Sight) -> RefundView {
    let mut refund = expected.clone();
    let found = shown.and_then(|state| state.refunds.as_ref()?.iter().find(|shown| shown.id == expected.id));
    if let Some(found) = found {
        if found.amount.is_none() {
            refund.amount = None;
        }
        if sight.same(found.state.as_str(), expected.state.as_str()) {
            refund.state = found.state;
        }
    }
    refund
}

fn range_text(range: &AmountRange, digits: u32) -> String {
    if range.is_exact() {
        range.least.to_fixed(digits)
    } else {
        format!("{} .. {}", range.least.to_fixed(digits), range.most.to_fixed(digits))
    }
}

/// How many fraction digits amounts are shown with.
fn digits(expected: &Expectation) -> u32 {
    let currency = expected.currency.as_deref().and_then(crate::domain::Currency::from_code);
    currency.map_or(2, crate::domain::Currency::digits)
}

fn line(out: &mut String, name: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{name:<23} {value}");
}

/// A name that a target gave, without what would spoil a line or a terminal.
fn harmless(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST_NAME && !name.chars().any(char::is_control) {
        return Cow::Borrowed(name);
    }
    let mut start: String = name.chars().take(LONGEST_NAME).flat_map(char::escape_debug).collect();
    if name.chars().nth(LONGEST_NAME).is_some() {
        start.push('…');
    }
    Cow::Owned(start)
}

fn refund_lines(out: &mut String, refunds: &[RefundView], digits: u32) {
    let mut refunds: Vec<&RefundView> = refunds.iter().collect();
    refunds.sort_by(|one, other| one.id.cmp(&other.id));
    let more = refunds.len().saturating_sub(MOST_REFUNDS);
    for refund in refunds.into_iter().take(MOST_REFUNDS) {
        let of = refund.amount.map_or(String::new(), |amount| format!(" of {}", amount.to_fixed(digits)));
        let value = format!("{} {} {}{of}", harmless(&refund.id), refund.state, refund.refunded_amount.to_fixed(digits));
        line(out, "refund", &value);
    }
    if more > 0 {
        line(out, "refund", &format!("… and {more} more"));
    }
}

/// The difference of two texts: `-` for what is expected, `+` for what is shown, a blank for what is the same.
pub fn diff(expected: &str, shown: &str) -> String {
    let diff = TextDiff::from_lines(expected, shown);
    let mut out = String::new();
    for change in diff.iter_all_changes() {
        out.push(match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        });
        out.push_str(change.value());
        if !change.value().ends_with('\n') {
            out.push('\n');
        }
    }
    out
}
