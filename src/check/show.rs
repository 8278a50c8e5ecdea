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

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: &str = r#"{"orderId":"17","status":["pending","refunded"],"refundedAmount":"5","currency":"USD",
        "availableToRefundAmount":["0","1"],"chargedBackAmount":"2","refunds":[
            {"id":"b","state":"succeeded","refundedAmount":"5","amount":"5"},{"id":"a","state":"pending","refundedAmount":"0","amount":"1"}]}"#;

    fn expectation() -> Expectation {
        serde_json::from_str(EXPECTED).expect("an expectation")
    }

    fn state(json: &str) -> OrderState {
        serde_json::from_str(json).expect("a state")
    }

    /// A state that fits, of a target that shows everything.
    fn whole() -> OrderState {
        state(
            r#"{"orderId":"17","status":"refunded","refundedAmount":"5","currency":"USD","availableToRefundAmount":"1","chargedBackAmount":"2",
            "refunds":[{"id":"b","state":"succeeded","refundedAmount":"5","amount":"5"},{"id":"a","state":"pending","refundedAmount":"0"}]}"#,
        )
    }

    fn sees_all() -> Sight {
        Sight { currency: true, refunds: true, available: true, charged_back: true, equivalent: Vec::new() }
    }

    /// The names of the members in some lines.
    fn names(lines: &str) -> Vec<&str> {
        lines.lines().filter_map(|line| line.split_whitespace().next()).collect()
    }

    const ALL: &[&str] = &["status", "refundedAmount", "currency", "availableToRefundAmount", "chargedBackAmount", "refund", "refund"];

    /// Which members are shown of a state and of what is expected.
    #[track_caller]
    fn members(expected: &Expectation, sight: &Sight, names_of_both: &[&str]) {
        assert_eq!(names(&state_lines(&whole(), expected, sight)), names_of_both);
        assert_eq!(names(&expectation_lines(expected, None, sight)), names_of_both);
    }

    fn without(name: &str) -> Vec<&'static str> {
        ALL.iter().copied().filter(|other| *other != name).collect()
    }

    #[test]
    fn everything_is_shown_that_is_seen_and_expected() {
        members(&expectation(), &sees_all(), ALL);
    }

    #[test]
    fn what_a_target_does_not_show_is_left_out() {
        members(&expectation(), &Sight { currency: false, ..sees_all() }, &without("currency"));
        members(&expectation(), &Sight { available: false, ..sees_all() }, &without("availableToRefundAmount"));
        members(&expectation(), &Sight { charged_back: false, ..sees_all() }, &without("chargedBackAmount"));
        members(&expectation(), &Sight { refunds: false, ..sees_all() }, &without("refund"));
    }

    #[test]
    fn what_is_not_expected_is_left_out() {
        members(&Expectation { currency: None, ..expectation() }, &sees_all(), &without("currency"));
        members(&Expectation { available_to_refund_amount: None, ..expectation() }, &sees_all(), &without("availableToRefundAmount"));
        members(&Expectation { charged_back_amount: None, ..expectation() }, &sees_all(), &without("chargedBackAmount"));
        members(&Expectation { refunds: None, ..expectation() }, &sees_all(), &without("refund"));
    }

    #[test]
    fn in_doubt_only_the_amount_counts() {
        let range = AmountRange { least: Amount::ZERO, most: Amount::from_minor(500, 2) };
        let expected = Expectation { in_doubt: Some(range), ..expectation() };
        members(&expected, &sees_all(), &["refundedAmount"]);
        assert_eq!(expectation_lines(&expected, None, &sees_all()), "refundedAmount          0.00 .. 5.00\n");
    }

    #[test]
    fn an_order_id_is_shown_where_it_is_another() {
        let mut other = whole();
        other.order_id = "18".to_owned();
        let lines = [state_lines(&other, &expectation(), &sees_all()), expectation_lines(&expectation(), Some(&other), &sees_all())];
        assert_eq!(
            lines.map(|lines| lines.lines().next().map(str::to_owned)),
            ["18", "17"].map(|id| Some(format!("orderId                 {id}")))
        );
        assert_eq!(names(&expectation_lines(&expectation(), Some(&whole()), &sees_all())), ALL);
    }

    /// What is expected of a target that shows this.
    #[track_caller]
    fn expects(shown: Option<&OrderState>, sight: &Sight, expected: &str) {
        assert_eq!(expectation_lines(&expectation(), shown, sight), expected);
    }

    #[test]
    fn all_choices_are_named_while_nothing_is_shown() {
        expects(
            None,
            &sees_all(),
            "\
status                  pending | refunded
refundedAmount          5.00
currency                USD
availableToRefundAmount 0.00 | 1.00
chargedBackAmount       2.00
refund                  a pending 0.00 of 1.00
refund                  b succeeded 5.00 of 5.00
",
        );
    }

    #[test]
    fn what_is_shown_and_allowed_is_what_is_expected() {
        expects(Some(&whole()), &sees_all(), &state_lines(&whole(), &expectation(), &sees_all()));
    }

    #[test]
    fn words_that_mean_the_same_are_taken() {
        let mut shown = whole();
        shown.refunds.iter_mut().flatten().for_each(|refund| refund.state = crate::domain::RefundState::Failed);
        let sight = Sight { equivalent: vec![vec!["succeeded".to_owned(), "failed".to_owned()]], ..sees_all() };
        let lines = expectation_lines(&expectation(), Some(&shown), &sight);
        let refunds: Vec<&str> = lines.lines().filter(|line| line.starts_with("refund ")).collect();
        assert_eq!(refunds, ["refund                  a pending 0.00", "refund                  b failed 5.00 of 5.00"]);
    }

    #[test]
    fn amounts_have_the_digits_of_the_currency() {
        let digits = |code: Option<&str>| digits(&Expectation { currency: code.map(str::to_owned), ..expectation() });
        assert_eq!([Some("JPY"), Some("USD"), Some("KWD"), Some("???"), None].map(digits), [0, 2, 3, 2, 2]);
    }

    #[test]
    fn members_that_are_missing_are_a_dash() {
        let bare = state(r#"{"orderId":"17","status":"refunded","refundedAmount":"5"}"#);
        let lines = state_lines(&bare, &expectation(), &sees_all());
        let dashes = lines.lines().filter(|line| line.ends_with(" -")).count();
        assert_eq!((names(&lines).last().copied(), dashes), (Some("refunds"), 4));
    }

    #[test]
    fn only_so_many_refunds_are_shown() {
        let refund = |number: usize| RefundView {
            id: format!("{number:03}"),
            state: crate::domain::RefundState::Pending,
            amount: None,
            refunded_amount: Amount::ZERO,
        };
        let last = |count: usize| {
            let mut out = String::new();
            refund_lines(&mut out, &(0..count).map(refund).collect::<Vec<_>>(), 2);
            assert!(out.lines().count() <= MOST_REFUNDS + 1);
            out.lines().last().unwrap_or_default().to_owned()
        };
        assert_eq!(last(MOST_REFUNDS), "refund                  199 pending 0.00");
        assert_eq!(last(MOST_REFUNDS + 1), "refund                  … and 1 more");
    }

    #[track_caller]
    fn name(given: &str, shown: &str) {
        assert_eq!(harmless(given), shown);
    }

    #[test]
    fn names_cannot_spoil_a_line() {
        let long = "a".repeat(LONGEST_NAME);
        name("plain", "plain");
        name("two\nlines", "two\\nlines");
        name(&long, &long);
        name(&format!("{long}a"), &format!("{long}…"));
        // Letters of several bytes are letters.
        name(&"é".repeat(LONGEST_NAME), &"é".repeat(LONGEST_NAME));
    }

    #[test]
    fn differences_line_by_line() {
        assert_eq!(diff("one\ntwo\n", "one\nthree\n"), " one\n-two\n+three\n");
        assert_eq!(diff("one", "two"), "-one\n+two\n");
    }
}
