//! The titles of frozen sequences: what happens, what befalls the deliveries, and how it ends.

use std::collections::BTreeMap;

use refundproof::{
    case::Act,
    domain::RefundState,
    model::{Change, DisputeStage, OrderTruth},
    plan::{DisputeMove, Recipe},
    provider::Lowering,
};

/// More than this many happenings are not told one by one.
const LONGEST: usize = 7;

/// The title of a sequence that was drawn by a recipe.
pub(crate) fn title(recipe: Recipe, lowering: &Lowering) -> String {
    let happenings = lowering.changes.iter().enumerate();
    let told: Vec<String> =
        happenings.filter_map(|(place, (order, _))| happening(&lowering.changes[place..], &lowering.truth[*order])).collect();
    let several = if lowering.truth.len() > 1 { format!("{} orders: ", lowering.truth.len()) } else { String::new() };
    let story = match told.len() {
        0 => "nothing is refunded".to_owned(),
        1..=LONGEST => told.join(", "),
        many => format!("{}, and {} more", told[..LONGEST].join(", "), many - LONGEST),
    };
    let befalls = befalls(lowering);
    let befalls = if befalls.is_empty() { String::new() } else { format!("; {befalls}") };
    let mut ends: Vec<String> = lowering.truth.iter().map(|truth| truth.status().to_string()).collect();
    ends.dedup();
    format!("{}: {several}{story}{befalls}; ends {}", recipe.name().replace('-', " "), ends.join(" and "))
}

/// The state in which a refund was opened; what happened to it since comes after.
fn opened_as(refund: usize, order: usize, later: &[(usize, Change)], truth: &OrderTruth) -> RefundState {
    let before = |(of, change): &(usize, Change)| match change {
        _ if *of != order => None,
        Change::Moved { refunds, from, .. } if refunds.contains(&refund) => Some(*from),
        Change::Dispute { fails, .. } if fails.contains(&refund) => Some(RefundState::Pending),
        _ => None,
    };
    later.iter().find_map(before).unwrap_or(truth.refunds[refund].state)
}

/// One thing that happened to an order, the first of these. What is of no interest for refunds is not told.
fn happening(changes: &[(usize, Change)], truth: &OrderTruth) -> Option<String> {
    let ((order, change), later) = changes.split_first()?;
    let text = match change {
        Change::Opened { refund, ends, .. } => {
            let what = if truth.refunds[*refund].requested == truth.captured { "all" } else { "a part" };
            let is = match opened_as(*refund, *order, later, truth) {
                RefundState::Succeeded => "is refunded",
                RefundState::PendingInformation => "is to be refunded and waits for the shopper",
                _ => "is to be refunded",
            };
            let ends = if ends.is_empty() { "" } else { ", which ends the inquiry" };
            format!("{what} {is}{ends}")
        }
        Change::Moved { from, to, .. } => match (from, to) {
            (RefundState::Succeeded, RefundState::Failed) => "a refund fails after it was paid back".to_owned(),
            (RefundState::Succeeded, RefundState::PendingInformation) => "the bank sends a refund back".to_owned(),
            (RefundState::Succeeded, RefundState::Cancelled) => "a paid refund is cancelled".to_owned(),
            (_, RefundState::Succeeded) => "a refund is paid back".to_owned(),
            (_, RefundState::Failed) => "a refund fails".to_owned(),
            (_, RefundState::Cancelled) => "a refund is cancelled".to_owned(),
            (_, RefundState::PendingInformation) => "a refund waits for the shopper".to_owned(),
            (_, RefundState::Pending | RefundState::Requested) => "a refund goes on".to_owned(),
        },
        Change::ChargedBack => "money is charged back".to_owned(),
        Change::Disputed => "a dispute is opened".to_owned(),
        Change::DisputeResolved => "the dispute ends".to_owned(),
        Change::Dispute { dispute, to, fails } => {
            // What became of it later is told by what follows.
            let opened = match &truth.disputes[*dispute] {
                dispute if dispute.inquiry => "the bank asks",
                dispute if dispute.stage == DisputeStage::Prevented => "a dispute is prevented",
                dispute if dispute.amount > truth.captured => "a dispute takes more than was captured",
                _ => "a dispute takes money",
            };
            let what = match to {
                None => opened,
                Some(DisputeMove::Escalate) => "the inquiry becomes a chargeback",
                Some(DisputeMove::Answer) => "the shop answers",
                Some(DisputeMove::Win) => "the dispute is won",
                Some(DisputeMove::Lose) => "the dispute is lost",
                Some(DisputeMove::End) => "the inquiry ends",
            };
            let fails = if fails.is_empty() { "" } else { " and open refunds fail" };
            format!("{what}{fails}")
        }
        Change::MetadataUpdated { .. } => "a refund is updated silently".to_owned(),
        Change::Other { .. } => return None,
    };
    Some(text)
}

/// What befalls the deliveries, each thing once.
fn befalls(lowering: &Lowering) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for delivery in lowering.case.all_deliveries() {
        for what in delivery.fault.iter().chain(&delivery.mutation) {
            *counts.entry(what.clone()).or_default() += 1;
        }
    }
    if lowering.case.entries.iter().any(|entry| matches!(entry.act, Act::Begin(_))) {
        counts.insert("the order becomes known later".to_owned(), 1);
    }
    let told: Vec<String> = counts.into_iter().map(|(what, count)| if count > 1 { format!("{what} ({count})") } else { what }).collect();
    told.join(", ")
}
