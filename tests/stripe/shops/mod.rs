//! No false alarms with Stripe: shops that were written from the contract alone, each of another design.
//!
//! Each shop is a file of its own and books in its own way; they share how the wire format is read, and this front door.
//! What is deliberately left out: anything that only a careless shop would do.

mod api;
mod balances;
mod capped;
mod classic;
mod full;
mod hybrid;
mod journal;
mod later;
mod older;
mod pictures;
mod refunds_only;
mod sceptic;
mod thin;
mod totals;
mod typed;
mod updates;
mod wire;

use std::sync::atomic::AtomicBool;

use refundproof::{
    adapter::{Capabilities, Hello, Introduction, Request, Target, TargetError},
    case::{OrderSetup, OwnRefund},
    domain::{Clock, OrderState},
    drive::Launch,
    provider::{Provider, named},
    run::{Options, certify},
    verdict::{Report, RequirementResult, Verdict},
};
use rstest::rstest;
use serde_json::Value;

use crate::common::stranger;

/// A shop with a webhook endpoint, behind which each does as it likes.
pub(crate) trait Shop: Send {
    fn claims(&self) -> Capabilities;

    /// The secret that deliveries are signed with, what time it is, and where Stripe's API is.
    fn greet(&mut self, _secret: &str, _clock: &Clock, _api: Option<&str>) {}

    /// An order that was sold.
    fn sold(&mut self, order: &OrderSetup);

    /// The webhook endpoint: what it answers.
    fn post(&mut self, headers: &[(String, String)], body: &[u8]) -> u16;

    /// The shop refunded something by itself.
    fn refunded(&mut self, _refund: &OwnRefund) {}

    /// The power fails. Whether anything is left after that.
    fn crash(&mut self) -> bool {
        false
    }

    /// The order as the shop's own page of it would say it, in the contract's words.
    fn page(&mut self, order_id: &str) -> Option<Value>;
}

struct Door(Box<dyn Shop>, Clock);

impl Target for Door {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.0.greet(&hello.secret, &self.1, hello.api_base_url.as_deref());
        Ok(Introduction::new("shop".to_owned(), "1".to_owned(), self.0.claims()))
    }

    fn begin(&mut self, _: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        orders.iter().for_each(|order| self.0.sold(order));
        Ok(())
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        Ok(self.0.post(request.headers, request.body))
    }

    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        self.0.refunded(own);
        Ok(())
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let page = self.0.page(order_id);
        Ok(page.map(|page| serde_json::from_value(page.clone()).unwrap_or_else(|error| panic!("{page} is no page of an order: {error}"))))
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        if self.0.crash() { Ok(()) } else { Err(TargetError::unsupported("restart")) }
    }
}

const SEEDS: [u64; 10] = [1, 2, 3, 5, 8, 13, 21, 34, 20_241_121, 20_261_125];
const CASES: u32 = 60;
const JOBS: usize = 2;

fn opens<S: Shop + Default + 'static>() -> Box<dyn Shop> {
    Box::new(S::default())
}

fn certified(provider: &dyn Provider, make: fn() -> Box<dyn Shop>, seed: u64, without: &[&str]) -> Report {
    let clock = Clock::manual_from_now();
    let launch = Launch::new("in-process", "", clock.clone(), || Ok(Box::new(Door(make(), clock.clone())) as Box<dyn Target>));
    let options = Options::new().with(|options| {
        options.cases = CASES;
        options.seed = seed;
        // Whoever waits moves the one clock on for all, and who books later would be out of time by somebody else's waiting.
        options.jobs = if make().claims().asynchronous { 1 } else { JOBS };
        options.without = without.iter().map(|item| (*item).to_owned()).collect();
    });
    certify(provider, &launch, &options, &AtomicBool::new(false), &mut |_| {}).expect("the shop opens")
}

/// What is said against a shop: advice counts as well. What the shop does not ask for cannot be judged.
fn complaints(provider: &dyn Provider, report: &Report) -> String {
    let is_well = |result: &RequirementResult| matches!(result.verdict, Verdict::Pass | Verdict::NotApplicable | Verdict::NotExercised);
    stranger::complaints(provider, report, is_well, |_| true)
}

#[rstest]
#[case::everything_by_the_states_of_objects(&[], opens::<full::Storefront>)]
#[case::only_totals_of_charges(&["dispute"], opens::<totals::Cashier>)]
#[case::only_refunds(&["dispute"], opens::<refunds_only::Returns>)]
#[case::a_log_that_is_folded_at_each_look(&[], opens::<journal::Journal>)]
#[case::disputes_by_the_money_they_moved(&[], opens::<balances::Treasury>)]
#[case::totals_until_refunds_are_known(&[], opens::<hybrid::Gateway>)]
#[case::only_created_and_updated_refunds(&["dispute"], opens::<updates::Ledger>)]
#[case::no_more_than_was_captured(&[], opens::<capped::Desk>)]
#[case::totals_less_what_failed(&["dispute"], opens::<classic::Counter>)]
#[case::typed_totals_and_disputes(&[], opens::<typed::Service>)]
#[case::answered_now_and_booked_later(&[], opens::<later::Queue>)]
#[case::pictures_that_are_fetched_for_every_event(&[], opens::<pictures::Mirror>)]
#[case::events_that_are_fetched_by_their_ids(&[], opens::<thin::Doorbell>)]
#[case::events_and_the_api_where_they_are_doubtful(&[], opens::<sceptic::Sceptic>)]
#[case::older_version_and_the_refunds_that_charges_carry(&["dispute"], opens::<older::Rows>)]
#[case::older_version_and_only_totals(&["dispute"], opens::<older::Registered<totals::Cashier>>)]
#[case::older_version_and_pictures_that_are_fetched(&[], opens::<older::Registered<pictures::Mirror>>)]
fn conforms(#[case] without: &[&str], #[case] make: fn() -> Box<dyn Shop>) {
    let provider = named("stripe").expect("a registered provider").embedded();
    let mut found = String::new();
    for &seed in stranger::seeds(&SEEDS) {
        let text = complaints(provider, &certified(provider, make, seed, without));
        if !text.is_empty() {
            found.push_str(&format!("seed {seed}:\n{text}"));
        }
    }
    assert!(found.is_empty(), "{found}");
}
