//! Judging one answer and one observation.

use std::{borrow::Cow, time::Duration};

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::show::{diff, expectation_lines, state_lines};
use crate::{
    case::{Delivery, Effect},
    domain::OrderState,
    model::{Expectation, Sight},
};

/// What went wrong with a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In what way.
    pub kind: FailureKind,
    /// Which entry of the case; `None` when everything had been delivered.
    pub entry: Option<usize>,
    /// One line that says it.
    pub message: String,
    /// What would have been right.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// The two side by side, line by line.
    pub diff: String,
}

/// The ways in which a target can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The state that it shows is not allowed.
    State,
    /// It answered a delivery in a way that is not allowed.
    Answer,
    /// It ended, or panicked.
    Crash,
    /// It did not answer in time.
    Timeout,
}

impl FailureKind {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureKind::State => "state",
            FailureKind::Answer => "answer",
            FailureKind::Crash => "crash",
            FailureKind::Timeout => "timeout",
        }
    }
}

/// What a requirement asks beyond what every requirement asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// A rejection must be 4xx, not only not 2xx.
    pub rejection_is_4xx: bool,
    /// A doubtful delivery must be taken as a whole or not at all, and answered without an error of the target's own.
    /// Elsewhere it must only do no harm.
    pub contained: bool,
    /// A valid event must be acknowledged the first time that it is sent.
    pub at_once: bool,
    /// An answer must come within this time; nothing else judges how long one takes.
    pub answer_within: Option<Duration>,
}

impl Rules {
    /// What the requirement with this id asks; the limit is how long its provider waits for an answer.
    pub fn of(requirement: &str, limit: Duration) -> Rules {
        match requirement {
            "rejection-is-4xx" => Rules { rejection_is_4xx: true, ..Rules::default() },
            "doubtful-events-contained" => Rules { contained: true, ..Rules::default() },
            "valid-event-acknowledged-at-once" => Rules { at_once: true, ..Rules::default() },
            "acknowledges-in-time" => Rules { answer_within: Some(limit), ..Rules::default() },
            _ => Rules::default(),
        }
    }

    /// What of an expectation is judged.
    pub fn judged<'e>(self, expected: &'e Expectation) -> Cow<'e, Expectation> {
        if self.contained && expected.in_doubt.is_some() { Cow::Owned(expected.contained()) } else { Cow::Borrowed(expected) }
    }
}

fn is_acknowledged(status: u16) -> bool {
    (200..300).contains(&status)
}

fn is_refusal(status: u16) -> bool {
    (400..500).contains(&status)
}

/// Judges the answer to a delivery, the last one where it was sent several times. `None` is right.
pub fn judge_answer(delivery: &Delivery, status: u16, rules: Rules) -> Option<Failure> {
    let (right, expected, must) = match delivery.effect {
        Effect::Accept | Effect::Ignore => (is_acknowledged(status), "2xx", "must be acknowledged"),
        Effect::Reject if rules.rejection_is_4xx => (is_refusal(status), "4xx", "should be rejected with 4xx"),
        Effect::Reject => (!is_acknowledged(status), "not 2xx", "must not be acknowledged"),
        Effect::Refuse => (is_refusal(status), "4xx", "must be refused with 4xx"),
        Effect::Tolerate => (!rules.contained || status < 500, "2xx or 4xx", "may be processed or refused"),
    };
    if right {
        return None;
    }
    let kind = &delivery.event.kind;
    let what = delivery.mutation.as_deref().or(delivery.fault.as_deref()).map(|name| format!(" ({name})")).unwrap_or_default();
    let every_time = if delivery.effect.must_be_acknowledged() { " every time" } else { "" };
    let message = format!("`{kind}`{what} {must} and was answered {status}{every_time}");
    let observed = status.to_string();
    let diff = format!("-answer {expected}\n+answer {observed}\n");
    Some(Failure { kind: FailureKind::Answer, entry: None, message, expected: expected.to_owned(), observed, diff })
}

/// What is wrong with an error as the answer to a valid event, although the event would be sent again or because it would not.
pub fn refused_once(delivery: &Delivery, status: u16, is_sent_again: bool) -> Failure {
    let kind = &delivery.event.kind;
    let why = if is_sent_again { "should be acknowledged at once" } else { "is not sent again after this answer, so it is lost" };
    let (expected, observed) = ("2xx".to_owned(), status.to_string());
    let message = format!("`{kind}` was answered {status}; it {why}");
    Failure {
        kind: FailureKind::Answer,
        entry: None,
        message,
        diff: format!("-answer {expected}\n+answer {observed}\n"),
        expected,
        observed,
    }
}

/// Judges what a target shows of an order. `None` is right.
pub fn judge_state(expected: &Expectation, shown: Option<&OrderState>, sight: &Sight) -> Option<Failure> {
    let Some(state) = shown else {
        let lines = expectation_lines(expected, None, sight);
        return Some(Failure {
            kind: FailureKind::State,
            entry: None,
            message: format!("order {} is not known to the target", expected.order_id),
            diff: diff(&lines, "unknown order\n"),
            expected: lines,
            observed: "unknown order\n".to_owned(),
        });
    };
    let misfits = expected.misfits(state, sight);
    if misfits.is_empty() {
        return None;
    }
    let (lines, observed) = (expectation_lines(expected, Some(state), sight), state_lines(state, expected, sight));
    Some(Failure {
        kind: FailureKind::State,
        entry: None,
        message: message(&misfits, &lines, &observed),
        diff: diff(&lines, &observed),
        expected: lines,
        observed,
    })
}

/// What stands behind a name.
fn value<'l>(lines: &'l str, name: &str) -> Option<&'l str> {
    lines.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::trim_start))
}

fn message(misfits: &[&str], lines: &str, observed: &str) -> String {
    let parts: Vec<String> = misfits
        .iter()
        .map(|name| match (value(lines, name), value(observed, name)) {
            (Some(expected), Some(shown)) => match expected.split_once(" .. ") {
                Some((least, most)) => format!("{name} is {shown}, must be from {least} to {most}"),
                None => format!("{name} is {shown}, must be {}", expected.replace(" | ", " or ")),
            },
            _ if *name == "refunds" => wrong_refunds(lines, observed),
            _ => format!("{name} is wrong"),
        })
        .collect();
    parts.join("; ")
}

/// What is wrong with a list of refunds, by the first that is.
fn wrong_refunds(lines: &str, observed: &str) -> String {
    fn refunds(lines: &str) -> Vec<(&str, &str)> {
        lines.lines().filter_map(|line| line.strip_prefix("refund ")?.trim_start().split_once(' ')).collect()
    }
    let (expected, shown) = (refunds(lines), refunds(observed));
    let is_in = |list: &[(&str, &str)], id: &str| list.iter().any(|(other, _)| *other == id);
    let is_missing = expected.iter().any(|(id, _)| !is_in(&shown, id));
    let is_too_much = shown.iter().any(|(id, _)| !is_in(&expected, id));
    let mut pairs = expected.iter().filter_map(|(id, must)| Some((must, shown.iter().find(|(other, _)| other == id)?.1)));
    match (is_missing, is_too_much, pairs.find(|(must, is)| *must != is)) {
        (true, true, _) => "a refund is missing, and one is shown that there is not".to_owned(),
        (true, false, _) => "a refund is missing".to_owned(),
        (false, true, _) => "a refund is shown that there is not".to_owned(),
        (false, false, Some((must, is))) => format!("a refund is {is}, must be {must}"),
        (false, false, None) => "the list of refunds is wrong".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::by_hand::{paid, with_effect};

    const LIMIT: Duration = Duration::from_secs(10);

    #[track_caller]
    fn rules(requirement: &str, expected: Rules) {
        assert_eq!(Rules::of(requirement, LIMIT), expected);
    }

    #[test]
    fn some_requirements_ask_for_more() {
        rules("duplicate-deliveries", Rules::default());
        rules("rejection-is-4xx", Rules { rejection_is_4xx: true, ..Rules::default() });
        rules("doubtful-events-contained", Rules { contained: true, ..Rules::default() });
        rules("valid-event-acknowledged-at-once", Rules { at_once: true, ..Rules::default() });
        rules("acknowledges-in-time", Rules { answer_within: Some(LIMIT), ..Rules::default() });
    }

    #[test]
    fn what_is_in_doubt_is_judged_whole_where_that_is_asked() {
        let exact: Expectation = serde_json::from_str(EXPECTED).expect("an expectation");
        let doubtful = Expectation { in_doubt: Some(exact.refunded_amount), ..exact.clone() };
        let contained = Rules { contained: true, ..Rules::default() };
        assert_eq!(*contained.judged(&doubtful), exact);
        assert_eq!(*contained.judged(&exact), exact);
        assert_eq!(*Rules::default().judged(&doubtful), doubtful);
    }

    /// Which of these answers are right to a delivery with an effect.
    #[track_caller]
    fn right(effect: Effect, rules: Rules, expected: &[u16]) {
        let delivery = with_effect(effect, paid("o1", "a"));
        let is_right = |status: &u16| judge_answer(&delivery, *status, rules).is_none();
        let answers: Vec<u16> = [199, 200, 299, 300, 399, 400, 499, 500, 599].into_iter().filter(is_right).collect();
        assert_eq!(answers, expected);
    }

    #[test]
    fn valid_events_are_acknowledged() {
        right(Effect::Accept, Rules::default(), &[200, 299]);
        right(Effect::Ignore, Rules::default(), &[200, 299]);
    }

    #[test]
    fn broken_events_are_not() {
        right(Effect::Reject, Rules::default(), &[199, 300, 399, 400, 499, 500, 599]);
        right(Effect::Reject, Rules { rejection_is_4xx: true, ..Rules::default() }, &[400, 499]);
    }

    #[test]
    fn forged_events_are_refused() {
        right(Effect::Refuse, Rules::default(), &[400, 499]);
    }

    #[test]
    fn doubtful_events_are_answered_as_anybody_likes() {
        right(Effect::Tolerate, Rules::default(), &[199, 200, 299, 300, 399, 400, 499, 500, 599]);
        right(Effect::Tolerate, Rules { contained: true, ..Rules::default() }, &[199, 200, 299, 300, 399, 400, 499]);
    }

    #[track_caller]
    fn answered(failure: Option<Failure>, message: &str, diff: &str) {
        let failure = failure.expect("is wrong");
        assert_eq!((failure.kind, failure.message.as_str(), failure.diff.as_str()), (FailureKind::Answer, message, diff));
    }

    #[test]
    fn wrong_answers_in_words() {
        let mut delivery = paid("o1", "a");
        let wrong = |delivery: &Delivery, status| judge_answer(delivery, status, Rules::default());
        let diff = "-answer 2xx\n+answer 500\n";
        answered(wrong(&delivery, 500), "`refund.a` must be acknowledged and was answered 500 every time", diff);
        delivery.fault = Some("sent again".to_owned());
        answered(wrong(&delivery, 500), "`refund.a` (sent again) must be acknowledged and was answered 500 every time", diff);
        delivery.mutation = Some("cut".to_owned());
        delivery.effect = Effect::Reject;
        answered(wrong(&delivery, 200), "`refund.a` (cut) must not be acknowledged and was answered 200", "-answer not 2xx\n+answer 200\n");
    }

    #[test]
    fn an_error_to_a_valid_event() {
        let again = "`refund.a` was answered 503; it should be acknowledged at once";
        let lost = "`refund.a` was answered 400; it is not sent again after this answer, so it is lost";
        answered(Some(refused_once(&paid("o1", "a"), 503, true)), again, "-answer 2xx\n+answer 503\n");
        answered(Some(refused_once(&paid("o1", "a"), 400, false)), lost, "-answer 2xx\n+answer 400\n");
    }

    #[test]
    fn an_order_that_a_target_does_not_know() {
        let expected: Expectation = serde_json::from_str(EXPECTED).expect("an expectation");
        let failure = judge_state(&expected, None, &Sight::default()).expect("is wrong");
        assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::State, "order 17 is not known to the target"));
        assert_eq!(failure.diff, "-status                  refunded\n-refundedAmount          5.00\n+unknown order\n");
    }

    #[test]
    fn what_fits_is_right() {
        let expected: Expectation = serde_json::from_str(EXPECTED).expect("an expectation");
        let shown = serde_json::from_str(r#"{"orderId":"17","status":"refunded","refundedAmount":"5"}"#).expect("a state");
        assert_eq!(judge_state(&expected, Some(&shown), &Sight::default()), None);
    }

    /// What is said of a member that is wrong in these lines.
    #[track_caller]
    fn said(name: &str, expected: &str, shown: &str, message_of_it: &str) {
        assert_eq!(message(&[name], expected, shown), message_of_it);
    }

    #[test]
    fn members_that_are_wrong_in_words() {
        said("status", "status  pending | failed", "status  refunded", "status is refunded, must be pending or failed");
        said("refundedAmount", "refundedAmount 1.00 .. 2.00", "refundedAmount 3.00", "refundedAmount is 3.00, must be from 1.00 to 2.00");
        said("refunds", "", "", "the list of refunds is wrong");
        let pending = "refund  a pending 0.00 of 5.00";
        said("refunds", pending, "refund  b pending 0.00 of 5.00", "a refund is missing, and one is shown that there is not");
        said("refunds", pending, "", "a refund is missing");
        said("refunds", "", pending, "a refund is shown that there is not");
        let paid = "a refund is succeeded 5.00 of 5.00, must be pending 0.00 of 5.00";
        said("refunds", pending, "refund  a succeeded 5.00 of 5.00", paid);
        said("currency", "", "", "currency is wrong");
    }

    #[test]
    fn kinds_in_reports() {
        let kinds = [FailureKind::State, FailureKind::Answer, FailureKind::Crash, FailureKind::Timeout];
        assert_eq!(kinds.map(FailureKind::as_str), ["state", "answer", "crash", "timeout"]);
    }

    const EXPECTED: &str =
        r#"{"orderId":"17","status":"refunded","refundedAmount":"5","currency":"USD","availableToRefundAmount":["0","1"]}"#;

    #[track_caller]
    fn says(shown: &str, message: &str, diff: &str) {
        let expected: Expectation = serde_json::from_str(EXPECTED).expect("an expectation");
        let shown: OrderState = serde_json::from_str(shown).expect("a state");
        let sight = Sight { currency: true, available: true, ..Sight::default() };
        let failure = judge_state(&expected, Some(&shown), &sight).expect("is wrong");
        assert_eq!(failure.message, message);
        let changed: Vec<&str> = failure.diff.lines().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(changed.join("\n"), diff);
    }

    #[test]
    fn another_order() {
        says(
            r#"{"orderId":"18","status":"refunded","refundedAmount":"5","currency":"USD","availableToRefundAmount":"1"}"#,
            "orderId is 18, must be 17",
            "-orderId                 17\n+orderId                 18",
        );
    }

    #[test]
    fn members_beside_the_refunded_amount() {
        says(
            r#"{"orderId":"17","status":"refunded","refundedAmount":"5","currency":"U\nD","availableToRefundAmount":"2"}"#,
            "currency is U\\nD, must be USD; availableToRefundAmount is 2.00, must be 0.00 or 1.00",
            "-currency                USD\n-availableToRefundAmount 0.00 | 1.00\n+currency                U\\nD\n+availableToRefundAmount 2.00",
        );
    }

    #[test]
    fn a_name_without_end() {
        let long = "9".repeat(1000);
        let shown =
            format!(r#"{{"orderId":"{long}","status":"refunded","refundedAmount":"5","currency":"USD","availableToRefundAmount":"1"}}"#);
        let cut = format!("{}…", &long[..80]);
        let diff = format!("-orderId                 17\n+orderId                 {cut}");
        says(&shown, &format!("orderId is {cut}, must be 17"), &diff);
    }
}
