//! What an action comes to with a provider that does not have everything.
//!
//! Plans are drawn without looking, and arbitrary bytes make plans too: whatever a provider does not have becomes the
//! nearest thing that it has, or does not happen.

use super::{
    mutation::MutationKind,
    step::{Action, Level, Opening, Pick},
    strategy::Palette,
};

impl Palette {
    /// The action as it can happen with this provider; `None` where there is no such thing.
    pub fn adapt(&self, action: &Action) -> Option<Action> {
        match *action {
            Action::Refund { amount, level, joins, own, kind, opens } => {
                let opens = if self.revocable { opens } else { Opening::Pending };
                let level = if self.items { level } else { Level::Order };
                Some(Action::Refund { amount, level, joins: joins && self.charges, own: own && self.own, kind, opens })
            }
            Action::Succeed { refund, paid } => Some(Action::Succeed { refund, paid: if self.pays_less { paid } else { Pick::All } }),
            Action::Fail { .. } | Action::Other { .. } => Some(action.clone()),
            Action::NeedInformation { .. } | Action::GiveInformation { .. } => self.information.then(|| action.clone()),
            Action::Cancel { .. } => self.cancellation.then(|| action.clone()),
            Action::Chargeback { .. } | Action::Dispute | Action::ResolveDispute => self.chargebacks.then(|| action.clone()),
            Action::OpenDispute { .. } | Action::MoveDispute { .. } => self.disputes.then(|| action.clone()),
            Action::UpdateMetadata { .. } => self.metadata.then(|| action.clone()),
            // Written out before.
            Action::OtherOrders { .. } => None,
        }
    }

    /// Whether there is such a mutation with this provider.
    pub fn has(&self, kind: MutationKind) -> bool {
        match kind {
            MutationKind::AmountForm => self.decimals,
            MutationKind::TimeDigits | MutationKind::ZonedTime => self.varying_times,
            MutationKind::EmptyItems => self.items,
            MutationKind::Stale => self.dated_signatures,
            MutationKind::RotatedSecret | MutationKind::TwoWrong => self.several_secrets,
            MutationKind::OtherCase => self.signatures_in_base64,
            MutationKind::OtherScheme | MutationKind::OnlyOtherScheme => self.several_schemes,
            MutationKind::FutureTime => self.dated_signatures && self.oldest_signature > 0,
            MutationKind::AgeLimit => self.oldest_signature > 0,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::FailureShape;

    const PAID_LESS: Action = Action::Succeed { refund: 1, paid: Pick::Units(3) };

    fn refund(level: Level, joins: bool, own: bool) -> Action {
        Action::Refund { amount: Pick::All, level, joins, own, kind: 3, opens: Opening::Pending }
    }

    #[track_caller]
    fn check(palette: &Palette, action: Action, expected: Option<Action>) {
        assert_eq!(palette.adapt(&action), expected);
    }

    #[test]
    fn a_provider_that_has_nothing_special() {
        let plain = Palette::default();
        check(&plain, refund(Level::Items, true, true), Some(refund(Level::Order, false, false)));
        check(&plain, PAID_LESS, Some(Action::Succeed { refund: 1, paid: Pick::All }));
        for action in [Action::Dispute, Action::Cancel { refund: 0 }, Action::NeedInformation { refund: 0 }] {
            check(&plain, action, None);
        }
    }

    #[test]
    fn mutations_that_a_provider_has() {
        let plain = Palette::default();
        let rich = Palette {
            decimals: true,
            varying_times: true,
            items: true,
            dated_signatures: true,
            several_secrets: true,
            signatures_in_base64: true,
            several_schemes: true,
            oldest_signature: 300,
            ..Palette::default()
        };
        let missing: Vec<_> = MutationKind::ALL.iter().copied().filter(|kind| !plain.has(*kind)).collect();
        use MutationKind::*;
        assert_eq!(
            missing,
            [
                AmountForm,
                TimeDigits,
                EmptyItems,
                ZonedTime,
                FutureTime,
                AgeLimit,
                OnlyOtherScheme,
                TwoWrong,
                OtherCase,
                Stale,
                RotatedSecret,
                OtherScheme
            ]
        );
        assert!(MutationKind::ALL.iter().all(|kind| rich.has(*kind)));
    }

    #[rstest::rstest]
    #[case::dated_without_a_limit(true, 0, &[])]
    #[case::a_limit_for_what_has_no_date(false, 300, &[MutationKind::AgeLimit])]
    #[case::both(true, 300, &[MutationKind::FutureTime, MutationKind::AgeLimit])]
    fn how_old_a_signature_may_be(#[case] dated_signatures: bool, #[case] oldest_signature: u16, #[case] expected: &[MutationKind]) {
        let palette = Palette { dated_signatures, oldest_signature, ..Palette::default() };
        let about_limits = [MutationKind::FutureTime, MutationKind::AgeLimit];
        assert_eq!(about_limits.into_iter().filter(|kind| palette.has(*kind)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_a_provider_has_stays_as_it_is() {
        let rich = Palette { charges: true, items: true, own: true, pays_less: true, cancellation: true, ..Palette::default() };
        let fail = Action::Fail { refund: 0, reason: true, shape: FailureShape::Order };
        for action in [refund(Level::Items, true, true), PAID_LESS, fail, Action::Cancel { refund: 2 }] {
            check(&rich, action.clone(), Some(action));
        }
    }
}
