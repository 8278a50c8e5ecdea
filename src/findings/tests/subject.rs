//! Which requirements a smallest case may be about, by what it takes to show its mistake.

use rstest::rstest;

use crate::{
    findings::{Feature, subject::may_be_about},
    plan::{Group, MutationKind, Recipe},
};

/// Something of each kind, alone.
fn alone() -> Vec<Feature> {
    let mut groups: Vec<Group> = MutationKind::ALL.iter().map(|kind| kind.group()).collect();
    groups.sort_unstable();
    groups.dedup();
    let first_of = |group: Group| MutationKind::of(&[group])[0];
    let others = [
        Feature::Imitation,
        Feature::Delivery("redelivery"),
        Feature::Kill,
        Feature::OwnRefund,
        Feature::ItemRefund,
        Feature::Chargeback,
        Feature::Dispute,
        Feature::Metadata,
        Feature::SeveralOrders,
        Feature::SeveralCharges,
        Feature::SecondRefund,
    ];
    groups.into_iter().map(first_of).map(Feature::Mutation).chain(others).collect()
}

/// What of that a case may take for each recipe, in the words of the features.
#[rstest]
#[case(Recipe::UnknownMembers, "AddMember")]
#[case(Recipe::EquivalentJson, "Reorder")]
#[case(Recipe::UnusualJson, "UnusualNumber, redelivery, Kill")]
#[case(Recipe::Doubtful, "UnusualNumber, NoType, Damaged, redelivery, Kill")]
#[case(Recipe::Malformed, "Truncate, WrongRoot, NoType, redelivery, Kill")]
#[case(Recipe::NoTrace, "Truncate, WrongRoot, NoType, redelivery, Kill")]
#[case(Recipe::Unsigned, "SignatureAbsent, Imitation")]
#[case(Recipe::RawBody, "Reorder, BodyChanged")]
#[case(Recipe::RotatedSecret, "RotatedSecret")]
#[case(Recipe::Replayed, "Damaged, Stale")]
#[case(Recipe::Duplicates, "redelivery, Kill")]
#[case(Recipe::Restarts, "redelivery, Kill")]
#[case(Recipe::Metadata, "Metadata")]
#[case(Recipe::OwnRefunds, "OwnRefund")]
#[case(Recipe::ItemRefunds, "ItemRefund")]
#[case(Recipe::SeveralOrders, "SeveralOrders")]
#[case(Recipe::SeveralCharges, "SeveralCharges")]
#[case(Recipe::ChargebackAndRefunds, "Chargeback")]
#[case(Recipe::DisputesAndRefunds, "Dispute")]
fn what_a_case_must_take(#[case] recipe: Recipe, #[case] expected: &str) {
    let word = |feature: Feature| match feature {
        Feature::Mutation(kind) => format!("{kind:?}"),
        Feature::Delivery(how) => how.to_owned(),
        other => format!("{other:?}"),
    };
    let may = alone().into_iter().filter(|feature| may_be_about(recipe, std::slice::from_ref(feature)));
    assert_eq!(may.map(word).collect::<Vec<_>>().join(", "), expected);
    assert!(!may_be_about(recipe, &[]), "a case that takes nothing besides its events");
}

/// Requirements on what nearly every case holds.
#[rstest]
fn what_any_case_may_be_about(#[values(Recipe::Plain, Recipe::OtherEvents, Recipe::MixedTraffic)] recipe: Recipe) {
    assert!(may_be_about(recipe, &[]));
    // Nothing is done to the bodies of plain traffic.
    assert_eq!(may_be_about(recipe, &[Feature::Mutation(MutationKind::ALL[0])]), recipe == Recipe::MixedTraffic);
}
