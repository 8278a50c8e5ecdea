//! Fuzz targets of the harness itself: bytes, by every way in which something from outside comes in.
//!
//! Each takes any bytes, and panics when the harness does something with them that it must not. `fuzz/` hands them to cargo-fuzz, and
//! `tests/cases/kept_inputs.rs` plays the inputs that are kept there.

mod answers;
mod logs;

use super::fuzz::plan_of;
use crate::{
    adapter::{Hello, Request, Target},
    case::{Case, ChargeSetup, ItemSetup, OrderSetup},
    check::Rules,
    domain::{Amount, Clock},
    drive::{Conditions, Driver, Outcome, with_fresh_ids},
    plan::simpler_plans,
    provider::{Provider, lower, named, registered},
    reference::ReferenceShop,
    report::timeline,
    run::{Way, varied},
};

pub use answers::{responses, stdio};
pub use logs::logs;

/// One of them.
#[derive(Clone, Copy)]
pub struct FuzzTarget {
    /// Its name, which is that of the function.
    pub name: &'static str,
    /// Takes bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const ALL: [FuzzTarget; 6] = [
    FuzzTarget { name: "plans", run: plans },
    FuzzTarget { name: "bodies", run: bodies },
    FuzzTarget { name: "cases", run: cases },
    FuzzTarget { name: "stdio", run: stdio },
    FuzzTarget { name: "responses", run: responses },
    FuzzTarget { name: "logs", run: logs },
];

/// The time at which everything happens.
const NOW: u64 = 1_750_000_000;

const SECRET: &str = "whsec_refundproof";

/// The order that the bodies of kept inputs are about, and its parts.
const ORDER: &str = "235504220336";
const PAYMENT: &str = "pi_3kept000000000000000001";
const CHARGE: &str = "ch_3kept000000000000000001";
const ITEM: &str = "162893300336";

/// A longer message helps nobody.
const LONGEST_MESSAGE: usize = 4000;

/// Cases with more deliveries are read and not played.
const MOST_DELIVERIES: usize = 60;

/// How many of the plans that are simpler by one cut are tried.
const SIMPLER: usize = 4;

/// Plans: a conforming consumer takes what follows from the bytes, and what is saved of it is read again as it was, of simpler plans too.
pub fn plans(bytes: &[u8]) {
    for provider in registered() {
        let provider = provider.embedded();
        super::fuzz(provider, bytes, || ReferenceShop::new(Clock::system()));
        let Some(plan) = plan_of(bytes) else { continue };
        assert_saved(&lower(provider, &plan, 1).case);
        for simpler in simpler_plans(&plan).take(SIMPLER) {
            assert_saved(&lower(provider, &simpler, 1).case);
        }
    }
}

/// Bodies: whatever is rightly signed is answered, does no harm to an order beyond what was captured of it, and does nothing when it comes
/// again. What is not signed does nothing.
pub fn bodies(bytes: &[u8]) {
    for provider in registered() {
        let provider = provider.embedded();
        let clock = Clock::manual(NOW);
        let mut shop = ReferenceShop::new(clock.clone());
        let hello = Hello::new(provider.name(), SECRET).with_keys(provider.keys(SECRET));
        shop.hello(&hello).expect("the reference starts");
        let order = order();
        shop.begin("fuzz", std::slice::from_ref(&order)).expect("a case begins");
        let shown = |shop: &mut ReferenceShop| shop.observe(ORDER).expect("an answer").expect("a known order");
        let untouched = shown(&mut shop);
        let send = |shop: &mut ReferenceShop, headers: &[(String, String)]| {
            let status = shop.deliver(&Request::new(headers, bytes)).expect("an answer");
            assert!((200..500).contains(&status), "{}: answered {status}", provider.name());
            status
        };
        let status = send(&mut shop, &[]);
        assert!(status >= 400 && shown(&mut shop) == untouched, "{}: what is not signed was taken", provider.name());
        let headers = provider.sign(&[SECRET], clock.unix_seconds(), bytes);
        let status = send(&mut shop, &headers);
        let after = shown(&mut shop);
        assert!(after.refunded_amount <= order.captured_amount, "{}: {} are refunded", provider.name(), after.refunded_amount);
        assert!(status < 300 || after == untouched, "{}: refused, and done", provider.name());
        send(&mut shop, &headers);
        assert_eq!(shown(&mut shop), after, "{}: it counts twice", provider.name());
    }
}

/// Case files: they are read or refused in a few words; what is read is written again as it was, told, varied and played.
pub fn cases(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let case = match Case::from_json("case.json", text) {
        Ok(case) => case,
        Err(error) => {
            assert_told(&error.to_string());
            return;
        }
    };
    assert_saved(&case);
    timeline::write(&mut Vec::new(), &case, None, 100).expect("memory takes everything");
    let Some(provider) = named(&case.provider).filter(|_| case.deliveries() <= MOST_DELIVERIES) else { return };
    // Whatever was expected by hand may be wrong, and then it fails; it must not be more than that.
    let outcome = played(provider.embedded(), &case);
    outcome.failure.iter().for_each(|failure| assert!(!failure.message.is_empty()));
    for way in Way::ALL {
        if let Some(varied) = varied(&case, way, &with_fresh_ids(&case, 7), 7) {
            assert_saved(&varied);
        }
    }
}

fn order() -> OrderSetup {
    let captured = Amount::from_minor(10_000, 2);
    OrderSetup::new(ORDER, "USD", captured).with(|order| {
        order.payment_intent_id = Some(PAYMENT.to_owned());
        order.charges = vec![ChargeSetup { id: CHARGE.to_owned(), captured_amount: captured }];
        order.items = vec![ItemSetup { item_id: ITEM.to_owned(), quantity: 1, amount: captured }];
    })
}

/// Plays a case to the reference.
fn played(provider: &dyn Provider, case: &Case) -> Outcome {
    let clock = Clock::manual(NOW);
    let shop = Box::new(ReferenceShop::new(clock.clone()));
    let mut driver = Driver::new(provider, shop, clock, Conditions::default()).expect("the reference starts");
    let outcome = driver.run("fuzz", case, Rules::default());
    outcome.error.iter().for_each(|error| assert_told(&error.to_string()));
    outcome
}

/// A case is the same when it was written and read.
#[track_caller]
fn assert_saved(case: &Case) {
    let text = case.to_json();
    let again = Case::from_json("case.json", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(again == *case && again.to_json() == text, "it is another case when it was written and read\n{text}");
}

/// A message is as long as somebody may read.
#[track_caller]
fn assert_told(message: &str) {
    assert!(!message.is_empty(), "nothing is said");
    let length = message.chars().count();
    assert!(length <= LONGEST_MESSAGE, "a message of {length} characters: {message:.200}");
}
