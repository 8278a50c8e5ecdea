//! What delivery may do to cases that really happened.

use refundproof::{
    case::Case,
    plan::{Action, Level, Opening, Pick, Plan, Step},
    provider::lower,
    run::{Way, varied},
};

use crate::common::provider;

/// A case with a few refunds of the first provider.
fn case(serial: u64) -> Case {
    let refund = |units| {
        Step::plain(Action::Refund {
            amount: Pick::Units(units),
            level: Level::Order,
            joins: false,
            own: false,
            kind: 0,
            opens: Opening::Pending,
        })
    };
    let steps = vec![refund(100), Step::plain(Action::Succeed { refund: 0, paid: Pick::All }), refund(50)];
    lower(provider(), &Plan { orders: Vec::new(), steps, only: Vec::new(), look: 0 }, serial).case
}

fn ids(case: &Case) -> Vec<&str> {
    let mut ids: Vec<&str> = case.all_deliveries().map(|delivery| delivery.event.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

#[track_caller]
fn check(way: Way, looks: impl Fn(&Case, &Case)) {
    let (case, other) = (case(1_000_000), case(1_000_001));
    for draw in 0..40 {
        let varied = varied(&case, way, &other, draw).expect("there is such a way");
        assert_eq!(self::varied(&case, way, &other, draw).as_ref(), Some(&varied), "it follows from the draw");
        looks(&case, &varied);
    }
}

#[test]
fn nothing_is_lost_by_another_order() {
    check(Way::AsItCame, |case, varied| assert_eq!((&case.entries, &case.expect), (&varied.entries, &varied.expect)));
    for way in [Way::Reordered, Way::Restarted, Way::AtOnce] {
        check(way, |case, varied| assert_eq!((ids(case), &case.expect), (ids(varied), &varied.expect)));
    }
}

#[test]
fn redeliveries_change_nothing_and_come_after_the_first() {
    check(Way::Repeated, |case, varied| {
        assert_eq!(case.expect, varied.expect);
        assert!(varied.deliveries() > case.deliveries());
        let mut seen = Vec::new();
        for delivery in varied.all_deliveries() {
            assert_eq!(seen.contains(&&delivery.event.id), delivery.fault.is_some());
            seen.push(&delivery.event.id);
        }
    });
}

#[test]
fn orders_among_each_other_end_as_alone() {
    check(Way::Interleaved, |case, varied| {
        assert_eq!(varied.expect.len(), 2);
        assert_eq!(case.expect[0], varied.expect[0]);
    });
}

#[test]
fn what_has_not_come_is_not_asked_for() {
    check(Way::CutShort, |case, varied| {
        assert!(varied.deliveries() < case.deliveries());
        assert_eq!(varied.expect[0].available_to_refund_amount, None);
        assert_eq!(case.entries[..varied.entries.len()], varied.entries[..]);
    });
}
