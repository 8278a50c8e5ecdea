//! What a requirement is about, as far as a case can hold it or not.

use super::trigger::Feature;
use crate::plan::{Group, MutationKind, Recipe};

/// Whether a smallest case that takes these features may be about what cases of such a recipe are drawn for. A case without a
/// redelivery says nothing of redeliveries, whoever met it among them.
pub(super) fn may_be_about(recipe: Recipe, takes: &[Feature]) -> bool {
    let has = |wanted: &Feature| takes.contains(wanted);
    let is_mutated =
        |is_meant: &dyn Fn(MutationKind) -> bool| takes.iter().any(|feature| matches!(feature, Feature::Mutation(kind) if is_meant(*kind)));
    let of = |groups: &[Group]| is_mutated(&|kind| groups.contains(&kind.group()));
    let befalls = || takes.iter().any(|feature| matches!(feature, Feature::Delivery(_) | Feature::Kill));
    let is_broken = || befalls() || of(&[Group::Malformed, Group::NoEvent, Group::Incomplete]);
    match recipe {
        Recipe::UnknownMembers => of(&[Group::Addition]),
        Recipe::EquivalentJson => of(&[Group::Equivalent]),
        Recipe::UnusualJson => befalls() || of(&[Group::Unusual]),
        Recipe::Doubtful => befalls() || of(&[Group::Unusual, Group::Doubtful, Group::Incomplete]),
        Recipe::Malformed | Recipe::Recovery | Recipe::InvalidEvents | Recipe::Rejections | Recipe::NoTrace => is_broken(),
        Recipe::Unsigned => has(&Feature::Imitation) || of(&[Group::Unsigned]),
        Recipe::RawBody => is_mutated(&|kind| MutationKind::RAW_BODY.contains(&kind)),
        Recipe::RotatedSecret => of(&[Group::Rotation]),
        Recipe::Replayed => of(&[Group::Stale, Group::Doubtful]),
        Recipe::Duplicates
        | Recipe::OutOfOrder
        | Recipe::LateEvents
        | Recipe::Redelivery
        | Recipe::TwoAddresses
        | Recipe::Twins
        | Recipe::Concurrent
        | Recipe::Restarts
        | Recipe::UnknownEvents
        | Recipe::WebhookBeforeAnswer
        | Recipe::ApiFailure => befalls(),
        Recipe::Metadata => has(&Feature::Metadata),
        Recipe::OwnRefunds => has(&Feature::OwnRefund),
        Recipe::ItemRefunds => has(&Feature::ItemRefund),
        Recipe::SeveralOrders => has(&Feature::SeveralOrders),
        Recipe::SeveralCharges => has(&Feature::SeveralCharges),
        Recipe::Chargeback | Recipe::ChargebackAndRefunds => has(&Feature::Chargeback),
        Recipe::Disputes
        | Recipe::DisputeWithdraws
        | Recipe::DisputeWon
        | Recipe::DisputeLost
        | Recipe::Inquiries
        | Recipe::SeveralDisputes
        | Recipe::DisputesAndRefunds => has(&Feature::Dispute),
        Recipe::MixedTraffic => true,
        // Nothing is done to what these deliver.
        _ => !has(&Feature::Imitation) && !is_mutated(&|_| true),
    }
}
