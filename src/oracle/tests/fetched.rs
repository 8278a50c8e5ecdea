//! What those may show who ask the provider's API, which shows what has happened by the time of an event.

use super::*;
use crate::{
    case::{ApiObject, Delivery},
    domain::{RefundState, Status},
};

/// A case in which the API shows from a place on how a refund stands.
fn fetching(acts: Vec<Act>, api: &[(u32, &str, RefundState)]) -> Case {
    let mut case = case(acts);
    let shows = |(since, refund, state): &(u32, &str, RefundState)| {
        let text = |text: &str| text.to_owned();
        let tells = by_hand::told("o1", refund, *state).event.tells;
        ApiObject { since: *since, order_id: text("o1"), id: text(refund), kind: text("refund"), body: text("{}"), tells }
    };
    case.api = api.iter().map(shows).collect();
    case.expect_again(&[true]);
    case
}

fn pending(place: u32, refund: &str) -> Act {
    let mut delivery: Delivery = by_hand::told("o1", refund, RefundState::Pending);
    delivery.event.sequence = place;
    by_hand::deliver(delivery)
}

#[test]
fn the_api_shows_what_has_happened_by_then() {
    let api = [(1, "a", RefundState::Pending), (2, "b", RefundState::Pending), (3, "a", RefundState::Succeeded)];
    let case = fetching(vec![pending(1, "a"), pending(2, "b"), pending(4, "c")], &api);
    assert_eq!(ranges(&case)[..3], ["0", "0", "0 to 10.00"]);
}

#[test]
fn an_own_refund_is_under_way_once_it_is_made() {
    let case = case(vec![Act::Initiate(own("o1", "a"))]);
    assert!(case.entries[0].expect[0].status.contains(&Status::Pending), "{:?}", case.entries[0].expect);
}

#[test]
fn whoever_makes_a_refund_may_see_what_became_of_it() {
    let api = [(2, "a", RefundState::Succeeded), (5, "b", RefundState::Succeeded)];
    let case = fetching(vec![Act::Initiate(own("o1", "a"))], &api);
    assert_eq!(ranges(&case)[..1], ["0 to 10.00"]);
}
