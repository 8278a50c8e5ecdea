//! What happens to an order step by step, and what cannot.

use super::*;

fn refund(amount: Pick) -> Action {
    Action::refund(amount)
}

/// A refund of items, or of the order, that may join another.
fn asked(amount: Pick, level: Level, joins: bool) -> Action {
    Action::Refund { amount, level, joins, own: false, kind: 0, opens: Opening::Pending }
}

fn of_items(amount: Pick) -> Action {
    asked(amount, Level::Items, false)
}

#[track_caller]
fn check(captured: u64, charges: u8, actions: &[Action], status: Status, paid: u64, available: u64) {
    let mut order = OrderTruth::new(captured, charges, 2);
    for action in actions {
        order.apply(action);
    }
    let on_charges: u64 = order
        .charges
        .iter()
        .flat_map(|charge| &charge.refunds)
        .filter(|refund| refund.state == RefundState::Succeeded)
        .map(|refund| refund.amount)
        .sum();
    assert_eq!((order.status(), order.paid_back(), order.available(), on_charges), (status, paid, available, paid));
}

const SUCCEED: Action = Action::Succeed { refund: 0, paid: Pick::All };

#[test]
fn a_full_refund() {
    check(100, 1, &[refund(Pick::All), SUCCEED], Status::Refunded, 100, 0);
}

#[test]
fn paid_less_than_requested() {
    check(100, 1, &[refund(Pick::All), Action::Succeed { refund: 0, paid: Pick::Units(30) }], Status::PartiallyRefunded, 30, 70);
}

#[test]
fn one_refund_on_two_charges() {
    check(101, 2, &[refund(Pick::Units(60)), SUCCEED], Status::PartiallyRefunded, 60, 41);
}

#[test]
fn two_refunds_in_one_charge_refund() {
    let joined = asked(Pick::All, Level::Items, true);
    check(101, 2, &[refund(Pick::Units(60)), joined, SUCCEED], Status::Refunded, 101, 0);
}

#[test]
fn failure_gives_the_money_free_again() {
    let fail = Action::Fail { refund: 0, reason: true, shape: FailureShape::Charge };
    check(100, 3, &[refund(Pick::All), fail], Status::Failed, 0, 100);
}

#[test]
fn a_withdrawn_refund_gives_the_money_free_too() {
    let cancel = Action::Cancel { refund: 0 };
    check(100, 2, &[refund(Pick::All), cancel.clone()], Status::NotRefunded, 0, 100);
    check(100, 2, &[refund(Pick::All), cancel, refund(Pick::All), SUCCEED], Status::Refunded, 100, 0);
}

#[test]
fn what_cannot_happen_changes_nothing() {
    let mut order = OrderTruth::new(100, 1, 1);
    for action in [SUCCEED, Action::GiveInformation { refund: 3 }, Action::ResolveDispute, Action::UpdateMetadata { refund: 9 }] {
        assert_eq!(order.apply(&action), None);
    }
    assert_eq!(order.status(), Status::NotRefunded);
}

fn with(extras: &[Extra]) -> OrderTruth {
    OrderTruth::new(100, 1, 2).with_extras(extras.to_vec())
}

#[test]
fn shipping_is_of_no_item() {
    let mut order = with(&[Extra::Shipping]);
    assert_eq!((order.items.iter().sum::<u64>(), order.beside_items(), order.captured), (80, 20, 100));
    let all = of_items(Pick::All);
    // Of the items only what they cost is refunded; when nothing is left of them, the rest is of the order.
    assert!(matches!(order.apply(&all), Some(Change::Opened { .. })));
    assert_eq!((order.refunds[0].requested, order.refunds[0].items.len()), (80, 2));
    order.apply(&all);
    assert_eq!((order.refunds[1].requested, order.refunds[1].items.len()), (20, 0));
}

#[test]
fn every_item_costs_something() {
    let many = OrderTruth::of(10, vec![10], vec![1; 10]).with_extras(vec![Extra::Shipping]);
    assert_eq!((many.items, many.captured), (vec![1; 10], 10));
    let some = OrderTruth::of(10, vec![10], vec![1; 9]).with_extras(vec![Extra::Shipping]);
    assert_eq!((some.beside_items(), some.items), (1, vec![1; 9]));
}

#[test]
fn what_costs_nothing_goes_back_with_the_rest() {
    let mut order = with(&[Extra::FreeItem]);
    order.apply(&of_items(Pick::Units(10)));
    assert_eq!(order.refunds[0].items, [(0, 10, 0), (2, 0, 0)]);
}

#[test]
fn what_was_cancelled_was_never_captured() {
    let order = with(&[Extra::Cancelled, Extra::Quantities]);
    assert_eq!((order.captured, order.available(), order.cancelled()), (100, 100, 51));
    assert_eq!((order.pieces(0), order.pieces(1), OrderTruth::new(100, 1, 1).pieces(0)), (2, 3, 1));
}

#[test]
fn a_little_may_be_withheld_until_something_is_charged_back() {
    let mut order = OrderTruth::new(1000, 1, 1);
    assert_eq!((order.available(), order.offered()), (1000, 1000));
    order = order.with_extras(vec![Extra::Withheld]);
    assert_eq!((order.available(), order.offered()), (1000, 989));
    order.apply(&Action::Chargeback { amount: Pick::Units(300), fraud: false });
    assert_eq!((order.available(), order.offered()), (700, 700));
}

#[test]
fn what_is_open_is_pending_or_waits() {
    check(100, 1, &[refund(Pick::All)], Status::Pending, 0, 0);
    check(100, 1, &[refund(Pick::All), Action::NeedInformation { refund: 0 }], Status::PendingInformation, 0, 0);
    let waits = [refund(Pick::All), Action::NeedInformation { refund: 0 }, Action::GiveInformation { refund: 0 }];
    check(100, 1, &waits, Status::Pending, 0, 0);
}

#[test]
fn an_order_is_in_one_dispute_at_a_time() {
    let mut order = OrderTruth::new(100, 1, 1);
    let mut changes = |action: Action| order.apply(&action);
    assert_eq!([Action::Dispute, Action::Dispute].map(&mut changes), [Some(Change::Disputed), None]);
    // Meanwhile nothing is refunded.
    assert_eq!(changes(refund(Pick::All)), None);
    assert_eq!([Action::ResolveDispute, Action::ResolveDispute].map(&mut changes), [Some(Change::DisputeResolved), None]);
    assert!(changes(refund(Pick::All)).is_some());
}

#[test]
fn metadata_may_change_often() {
    let mut order = OrderTruth::new(100, 1, 1);
    order.apply(&refund(Pick::Units(1)));
    order.apply(&refund(Pick::Units(2)));
    let changes = [0, 0, 1].map(|refund| order.apply(&Action::UpdateMetadata { refund }));
    assert_eq!(changes, [1, 1, 0].map(|refund| Some(Change::MetadataUpdated { refund })));
    assert_eq!([0, 1].map(|refund: usize| order.refunds[refund].revision), [1, 2]);
}

/// The inquiries that the last of these refunds ends; nothing where it cannot be made.
fn ends(actions: &[Action]) -> Option<Vec<usize>> {
    let mut order = OrderTruth::new(100, 1, 1);
    match actions.iter().map(|action| order.apply(action)).last()?? {
        Change::Opened { ends, .. } => Some(ends),
        _ => None,
    }
}

#[test]
fn while_a_dispute_holds_money_nothing_is_refunded() {
    let dispute = |inquiry: bool| Action::OpenDispute { amount: Pick::Units(1), inquiry, over: 0, prevented: false };
    assert_eq!(ends(&[dispute(false), refund(Pick::Units(1))]), None);
    assert_eq!(ends(&[dispute(true), refund(Pick::Units(1))]), Some(vec![]));
    let won = Action::MoveDispute { dispute: 0, to: DisputeMove::Win };
    assert_eq!(ends(&[dispute(false), won, refund(Pick::Units(1))]), Some(vec![]));
    // Nor when there is nothing left.
    assert_eq!(ends(&[refund(Pick::All), refund(Pick::All)]), None);
}

#[test]
fn an_inquiry_ends_when_all_is_refunded() {
    let inquiry = Action::OpenDispute { amount: Pick::Units(1), inquiry: true, over: 0, prevented: false };
    assert_eq!(ends(&[inquiry.clone(), inquiry.clone(), refund(Pick::All)]), Some(vec![0, 1]));
    assert_eq!(ends(&[inquiry.clone(), refund(Pick::AllBut(1))]), Some(vec![]));
    assert_eq!(ends(&[inquiry, refund(Pick::AllBut(1)), refund(Pick::All)]), Some(vec![0]));
}

#[test]
fn refunds_join_only_those_that_are_under_way() {
    let joining = |joins: bool| asked(Pick::Units(10), Level::Order, joins);
    let together = |actions: &[Action]| {
        let mut order = OrderTruth::new(100, 1, 1);
        actions.iter().for_each(|action| drop(order.apply(action)));
        (0..order.refunds.len()).map(|refund| order.aggregated_with(refund)).collect::<Vec<_>>()
    };
    assert_eq!(together(&[joining(false), joining(false)]), [1, 1]);
    assert_eq!(together(&[joining(false), joining(true)]), [2, 2]);
    assert_eq!(together(&[joining(false), SUCCEED, joining(true)]), [1, 1]);
    assert_eq!(together(&[joining(false), Action::NeedInformation { refund: 0 }, joining(true)]), [1, 1]);
    let mut order = OrderTruth::new(100, 1, 2);
    order.apply(&joining(false));
    assert_eq!(order.refunds[0].items, [], "it is of the order");
}

#[test]
fn of_items_what_was_paid_back_is_gone_and_what_failed_is_not() {
    let next = |becomes: &[Action]| {
        let mut order = OrderTruth::new(100, 1, 2);
        std::iter::once(&of_items(Pick::Units(30))).chain(becomes).for_each(|action| drop(order.apply(action)));
        order.apply(&of_items(Pick::All));
        order.refunds[1].items.clone()
    };
    assert_eq!(next(&[]), [(0, 20, 0), (1, 50, 0)]);
    assert_eq!(next(&[Action::Succeed { refund: 0, paid: Pick::Units(10) }]), [(0, 40, 0), (1, 50, 0)]);
    assert_eq!(next(&[Action::Fail { refund: 0, reason: false, shape: FailureShape::Charge }]), [(0, 50, 0), (1, 50, 0)]);
    assert_eq!(next(&[Action::Cancel { refund: 0 }]), [(0, 50, 0), (1, 50, 0)]);
}

#[test]
fn items_are_paid_back_one_after_the_other() {
    let mut order = OrderTruth::new(100, 1, 2);
    order.apply(&of_items(Pick::All));
    order.apply(&Action::Succeed { refund: 0, paid: Pick::Units(70) });
    assert_eq!((&order.refunds[0].items[..], order.refunds[0].paid), (&[(0, 50, 50), (1, 50, 20)][..], 70));
}

/// What each charge is to pay of each group of refunds.
fn on_charges(order: &OrderTruth) -> Vec<Vec<u64>> {
    order.charges.iter().map(|charge| charge.refunds.iter().map(|refund| refund.amount).collect()).collect()
}

#[test]
fn only_the_charges_that_pay_are_told_of() {
    let mut order = OrderTruth::new(100, 2, 1);
    order.apply(&refund(Pick::Units(30)));
    let Some(Change::Moved { charges, refunds, from, to, .. }) = order.apply(&SUCCEED) else { panic!("it succeeds") };
    assert_eq!((charges, refunds, from, to), (vec![0], vec![0], RefundState::Pending, RefundState::Succeeded));
}

#[test]
fn the_newest_comes_first() {
    assert_eq!([0, 1, 2, 3, 4].map(|back| from_newest(3, back)), [2, 1, 0, 2, 1].map(Some));
    assert_eq!(from_newest(0, 0), None);
}

#[test]
fn a_charge_pays_what_is_left_of_it() {
    let mut order = OrderTruth::new(100, 2, 1);
    [30, 40].into_iter().for_each(|amount| drop(order.apply(&refund(Pick::Units(amount)))));
    assert_eq!(on_charges(&order), [vec![30, 20], vec![20]]);
}

/// The last refund and the last charge first, but each keeps a unit.
#[test]
fn what_is_not_paid_is_taken_from_the_last() {
    let mut order = OrderTruth::new(101, 2, 1);
    [refund(Pick::Units(60)), asked(Pick::All, Level::Order, true), Action::Succeed { refund: 0, paid: Pick::Units(30) }]
        .iter()
        .for_each(|action| drop(order.apply(action)));
    let paid: Vec<u64> = order.refunds.iter().map(|refund| refund.paid).collect();
    assert_eq!((paid, on_charges(&order)), (vec![29, 1], vec![vec![29], vec![1]]));
}

#[test]
fn the_end_of_a_dispute_takes_no_chargeback_back() {
    let chargeback = Action::Chargeback { amount: Pick::Units(30), fraud: false };
    check(100, 1, &[Action::Dispute, chargeback, Action::ResolveDispute], Status::ChargedBack, 0, 70);
}

#[test]
fn a_chargeback_takes_what_is_left() {
    let chargeback = Action::Chargeback { amount: Pick::All, fraud: true };
    check(100, 1, &[refund(Pick::Units(40)), SUCCEED, chargeback], Status::ChargedBack, 40, 0);
}
