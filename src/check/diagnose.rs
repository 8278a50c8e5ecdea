//! Which class of real bugs a failure is like, by what its shrunk case still contains.
//!
//! What is left after shrinking is what it takes to fail, so the rarest thing in it names the cause best:
//! a mutation before a delivery fault, a delivery fault before the events themselves.

use std::{collections::HashSet, sync::LazyLock};

use super::judge::FailureKind;
use crate::{
    case::{Act, Case, Effect, Mishap, Signature},
    domain::{Amount, Currency, RefundState},
    model::Tell,
    plan::{Action, Level, MutationKind, Palette, Step},
};

/// The id of a bug class (`corpus/bugs.toml`), or `None` if nothing in the case says more than its requirement does.
pub fn diagnose(case: &Case, kind: FailureKind, observed: &str, palette: &Palette) -> Option<&'static str> {
    let left = Left { case };
    if kind == FailureKind::Timeout {
        return Some("TIMEOUT");
    }
    left.by_mutation().or_else(|| left.by_delivery()).or_else(|| left.by_events(observed, palette))
}

/// An amount that shrinking would have made smaller if it did not matter.
static LARGE: LazyLock<Amount> = LazyLock::new(|| Amount::from_minor(1_000_000, 0));

struct Left<'a> {
    case: &'a Case,
}

impl Left<'_> {
    fn by_mutation(&self) -> Option<&'static str> {
        let mutated = |kinds: &[MutationKind]| {
            self.case.all_deliveries().filter_map(|delivery| delivery.mutation_kind).any(|kind| kinds.contains(&kind))
        };
        use MutationKind::*;
        let classes: [(&[MutationKind], &'static str); 9] = [
            (&[Stale], "REPLAY"),
            (&[UnknownOrder], "UNKNOWN-OBJ"),
            (&[OtherCurrency], "CURRENCY"),
            (&[OtherMode], "ENV"),
            (
                &[OverCaptured, TooPrecise, TextAmount, AmountForm, UnusualNumber, BadAmount, BooleanAmount, NegativeAmount, NoAmount],
                "MONEY",
            ),
            (&[TimeDigits, BadTime], "TIME"),
            (&[UnknownState], "FAILED"),
            (&[SignatureAbsent, SignatureWrong, SignatureTruncated, OtherSecret], "SIG"),
            (&[BodyChanged, Reserialised, RotatedSecret], "SIG"),
        ];
        if let Some((_, class)) = classes.iter().find(|(kinds, _)| mutated(kinds)) {
            return Some(class);
        }
        let is_signed_oddly = self.case.all_deliveries().any(|delivery| delivery.signature != Signature::Valid);
        if is_signed_oddly {
            return Some("SIG");
        }
        let rejected = self.case.all_deliveries().any(|delivery| matches!(delivery.effect, Effect::Reject));
        let other = self.case.all_deliveries().any(|delivery| delivery.mutation.is_some());
        match (rejected, other) {
            (true, _) => Some("ACK"),
            (false, true) => Some("MISSING"),
            (false, false) => None,
        }
    }

    fn by_delivery(&self) -> Option<&'static str> {
        let fault =
            |name: &str| self.case.all_deliveries().any(|delivery| delivery.fault.as_deref().is_some_and(|fault| fault.starts_with(name)));
        let act = |wanted: fn(&Act) -> bool| self.case.entries.iter().any(|entry| wanted(&entry.act));
        let killed = self.case.all_deliveries().any(|delivery| matches!(delivery.mishap, Some(Mishap::Killed { .. })));
        if act(|act| matches!(act, Act::Together(_))) {
            Some("RACE")
        } else if act(|act| matches!(act, Act::Restart)) || killed {
            Some("ACK")
        } else if act(|act| matches!(act, Act::Initiate(_))) {
            Some("ECHO")
        } else if fault("unknown event type") {
            Some("UNKNOWN-TYPE")
        } else if fault("redelivery") {
            Some("REDELIV")
        } else if fault("out of order") {
            Some("ORDER")
        } else {
            None
        }
    }

    /// Whether a refund of items is left, which has no amount of its own.
    fn is_of_items(&self) -> bool {
        let items = |step: &Step| matches!(step.action, Action::Refund { level: Level::Items, .. });
        self.case.plan.as_ref().is_some_and(|plan| plan.steps.iter().any(items))
    }

    fn by_events(&self, observed: &str, palette: &Palette) -> Option<&'static str> {
        let tells = || self.case.all_deliveries().flat_map(|delivery| &delivery.event.tells);
        let delivered = |kind: &str| self.case.all_deliveries().any(|delivery| delivery.event.kind == kind);
        let about: HashSet<_> = self.case.all_deliveries().filter_map(|delivery| delivery.event.order_id.as_ref()).collect();
        let digits = |order: &crate::case::OrderSetup| Currency::from_code(&order.currency).map_or(2, Currency::digits);
        let refunds: HashSet<_> = tells().filter_map(|tell| if let Tell::Refund { id, .. } = tell { Some(id) } else { None }).collect();
        let open_or_failed = tells().any(|tell| matches!(tell, Tell::Refund { state, .. } if *state != RefundState::Succeeded));
        let paid_back = tells().any(|tell| matches!(tell, Tell::Refund { state: RefundState::Succeeded, .. }));
        let charges_twice =
            !palette.charge_completion.is_empty() && delivered(&palette.charge_completion) && delivered(&palette.refund_completion);
        let ends_partial = self.case.expect.iter().any(|end| end.status.contains(&crate::domain::Status::PartiallyRefunded));
        if tells().any(|tell| *tell == Tell::Chargeback)
            || self.case.all_deliveries().any(|delivery| delivery.event.kind.contains("dispute"))
        {
            Some("CHGBK")
        } else if about.len() > 1 {
            Some("ATTRIB")
        } else if self.case.orders.iter().any(|order| digits(order) != 2 || order.captured_amount > *LARGE) {
            Some("MONEY")
        } else if self.is_of_items() {
            Some("MISSING")
        } else if charges_twice || !palette.booking.is_empty() && delivered(&palette.booking) {
            Some("EVTYPE")
        } else if refunds.len() > 1 {
            Some("CUMUL")
        } else if open_or_failed && !paid_back {
            Some("FAILED")
        } else if ends_partial && observed.lines().any(|line| line.starts_with("status") && line.ends_with(" refunded")) {
            Some("PARTIAL")
        } else {
            None
        }
    }
}
