//! A body fuzzer over the adapter boundary: whatever bytes arrive, the reference answers and stays right.
//!
//! The bytes are arbitrary ones, or those of valid deliveries with mutations on them; both are drawn through
//! `arbitrary`, so that a coverage-guided fuzzer can share the targets.

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;
use refundproof::{
    adapter::{Hello, Request, Target},
    domain::Clock,
    plan::{Plan, Recipe, for_recipe},
    provider::{Mint, lower},
    reference::{ReferenceShop, faults},
    run::sample,
};

use crate::common::{provider, providers, shop};

const SECRET: &str = "whsec_fuzz";

fn started(clock: &Clock) -> Box<dyn Target> {
    let mut shop = shop(None, clock);
    let hello = Hello::new(provider().name().to_owned(), SECRET.to_owned());
    shop.hello(&hello).expect("it starts");
    shop
}

fn deliver(shop: &mut dyn Target, clock: &Clock, body: &[u8]) -> u16 {
    let headers = provider().sign(&[SECRET], clock.unix_seconds(), body);
    shop.deliver(&Request::new(&headers, body)).expect("an answer")
}

/// One valid body, and some bytes of it overwritten, removed or doubled.
fn damaged(seed: u64, edits: &[(u16, u8, u8)]) -> Vec<u8> {
    let plan = sample(&for_recipe(Recipe::Plain, provider().palette()), seed).expect("a plan");
    let case = lower(provider(), &plan, 1).case;
    let deliveries: Vec<_> = case.all_deliveries().collect();
    let mut body = deliveries[usize::try_from(seed).unwrap_or(0) % deliveries.len()].body.bytes().to_vec();
    for (place, kind, byte) in edits {
        if body.is_empty() {
            break;
        }
        let place = usize::from(*place) % body.len();
        match kind % 4 {
            0 => body[place] = *byte,
            1 => {
                body.remove(place);
            }
            2 => body.insert(place, *byte),
            _ => body.truncate(place),
        }
    }
    body
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let clock = Clock::manual(1_750_000_000);
        let mut shop = started(&clock);
        let status = deliver(&mut *shop, &clock, &body);
        prop_assert!((200..500).contains(&status), "{status}");
    }

    #[test]
    fn damaged_bodies_do_no_harm(seed in 0_u64..40, edits in prop::collection::vec((any::<u16>(), any::<u8>(), any::<u8>()), 1..6)) {
        let clock = Clock::manual(1_750_000_000);
        let mut shop = started(&clock);
        let plan = sample(&for_recipe(Recipe::Plain, provider().palette()), seed).expect("a plan");
        let case = lower(provider(), &plan, 1).case;
        shop.begin("fuzz", &case.orders).expect("it begins");
        let status = deliver(&mut *shop, &clock, &damaged(seed, &edits));
        prop_assert!((200..500).contains(&status), "{status}");
        let state = shop.observe(&case.orders[0].order_id).expect("an answer").expect("a known order");
        prop_assert!(state.refunded_amount <= case.orders[0].captured_amount);
    }

    #[test]
    fn a_conforming_consumer_takes_whatever_bytes_mean(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for provider in providers() {
            refundproof::testing::fuzz(provider, &bytes, || ReferenceShop::new(Clock::system()));
        }
    }

    #[test]
    fn bytes_make_plans_and_plans_make_traffic_that_is_answered(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        let mut plan = Plan::arbitrary(&mut Unstructured::new(&bytes)).expect("bytes always make a plan");
        plan.orders.truncate(3);
        plan.steps.truncate(12);
        let case = lower(provider(), &plan, 1).case;
        let clock = Clock::manual(1_750_000_000);
        let mut shop = started(&clock);
        shop.begin("fuzz", &case.orders).expect("it begins");
        for delivery in case.all_deliveries() {
            let status = deliver(&mut *shop, &clock, delivery.body.bytes());
            prop_assert!((200..500).contains(&status), "{status} for {}", delivery.event.kind);
        }
    }
}

#[test]
fn a_mistake_is_told_with_its_story() {
    let fault = faults().iter().find(|fault| fault.name == "books-redeliveries").expect("there is such a fault").fault;
    let told = (0..20_000_u64).find_map(|seed| {
        let byte = |place: u64| u8::try_from(Mint::new(seed).number("byte", place) % 256).unwrap_or(0);
        let bytes: Vec<u8> = (0..300).map(byte).collect();
        let played = || refundproof::testing::fuzz(provider(), &bytes, || ReferenceShop::with_fault(fault, Clock::system()));
        let panic = std::panic::catch_unwind(played).err()?;
        panic.downcast_ref::<String>().cloned()
    });
    let told = told.expect("some bytes mean a redelivery");
    assert!(told.contains("refundedAmount") && told.contains("redelivery"), "{told}");
}
