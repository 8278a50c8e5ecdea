//! No false alarms: shops that were written from the contract alone, in the habits of many languages and designs.
//!
//! Each shop is a file of its own, reads JSON in its own way and keeps what it needs in its own way; they share this
//! front door and nothing else. What is deliberately left out: anything that only a careless shop would do.

mod accepted;
mod charges_only;
mod event_log;
mod go_typed;
mod inbox;
mod java_typed;
mod js_floats;
mod ledger;
mod lenient;
mod minor_units;
mod not_found;
mod own_first;
mod php_loose;
mod refunds_only;
mod rejecting;
mod rows;
mod scanner;
mod signed;
mod state_machine;
#[path = "../common/stranger.rs"]
mod stranger;
mod strict;
mod two_tables;
mod writes;

use std::sync::atomic::AtomicBool;

use refundproof::{
    adapter::{Capabilities, Hello, Introduction, Request, Target, TargetError},
    case::{OrderSetup, OwnRefund},
    corpus::Level,
    domain::{Clock, OrderState},
    drive::Launch,
    provider::{Provider, registered},
    run::{Options, certify},
    verdict::{Report, RequirementResult, Verdict},
};
use rstest::rstest;
use serde_json::Value;

/// A shop with a webhook endpoint, behind which each does as it likes.
pub(crate) trait Shop: Send {
    fn claims(&self) -> Capabilities {
        Capabilities::default()
    }

    /// Whose events will come, and what they are signed with.
    fn greet(&mut self, _provider: &str, _secret: &str) {}

    /// An order that was sold.
    fn sold(&mut self, order: &OrderSetup);

    /// The webhook endpoint: what it answers.
    fn post(&mut self, headers: &[(String, String)], body: &[u8]) -> u16;

    /// The shop refunded something by itself.
    fn refunded(&mut self, _refund: &OwnRefund) {}

    /// The order as the shop's own page of it would say it, in the contract's words.
    fn page(&mut self, order_id: &str) -> Option<Value>;
}

struct Door(Box<dyn Shop>);

impl Target for Door {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.0.greet(&hello.provider, &hello.secret);
        Ok(Introduction::new("stranger".to_owned(), "1".to_owned(), self.0.claims()))
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
}

const SEEDS: [u64; 10] = [1, 2, 3, 5, 8, 13, 21, 34, 20_241_121, 20_261_125];
const CASES: u32 = 24;
const JOBS: usize = 2;

/// Which providers' events a shop can read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    Both,
    /// Charges, orders and refunds.
    First,
    /// Both, but no chargebacks.
    Refunds,
}

fn opens<S: Shop + Default + 'static>(_: &Clock) -> Box<dyn Shop> {
    Box::new(S::default())
}

fn opens_inbox(clock: &Clock) -> Box<dyn Shop> {
    Box::new(inbox::Inbox::new(clock.clone()))
}

fn certified(provider: &dyn Provider, make: fn(&Clock) -> Box<dyn Shop>, seed: u64, without: Vec<String>) -> Report {
    // A shop that books later takes its time by this clock, which costs none.
    let clock = Clock::manual_from_now();
    let launch = Launch::new("in-process", "", clock.clone(), || Ok(Box::new(Door(make(&clock))) as Box<dyn Target>));
    let options = Options::new().with(|options| {
        options.cases = CASES;
        options.seed = seed;
        options.jobs = JOBS;
        options.without = without;
    });
    certify(provider, &launch, &options, &AtomicBool::new(false), &mut |_| {}).expect("the shop opens")
}

/// What is said against a shop. A SHOULD is only advice, and what the shop does not ask for cannot be judged.
fn complaints(provider: &dyn Provider, report: &Report) -> String {
    let is_well = |result: &RequirementResult| {
        matches!(result.verdict, Verdict::Pass | Verdict::NotApplicable | Verdict::NotExercised | Verdict::Warn)
    };
    stranger::complaints(provider, report, is_well, |finding| finding.level == Level::Must)
}

#[rstest]
#[case::only_what_charges_say(Reads::First, opens::<charges_only::Cashier>)]
#[case::only_what_refunds_say(Reads::Refunds, opens::<refunds_only::Returns>)]
#[case::the_last_write_wins(Reads::Both, opens::<writes::Board>)]
#[case::an_event_log_folded_when_read(Reads::Both, opens::<event_log::Journal>)]
#[case::a_state_machine_that_refuses_steps_back(Reads::Both, opens::<state_machine::Workflow>)]
#[case::types_as_in_go(Reads::Both, opens::<go_typed::Service>)]
#[case::types_as_in_java(Reads::Both, opens::<java_typed::Bean>)]
#[case::loose_types_as_in_php(Reads::Both, opens::<php_loose::Plugin>)]
#[case::numbers_as_in_javascript(Reads::Both, opens::<js_floats::Lambda>)]
#[case::a_row_for_each_refund(Reads::Both, opens::<rows::Spreadsheet>)]
#[case::amounts_in_minor_units(Reads::Both, opens::<minor_units::Cents>)]
#[case::a_look_at_the_type_first(Reads::First, opens::<scanner::Gateway>)]
#[case::other_words_for_yes(Reads::Both, opens::<accepted::Polite>)]
#[case::an_inbox_that_is_worked_off_later(Reads::Both, opens_inbox)]
#[case::unknown_orders_are_not_found(Reads::Both, opens::<not_found::Api>)]
#[case::two_tables_and_a_transaction(Reads::Both, opens::<two_tables::Database>)]
#[case::a_ledger_with_compensations(Reads::Both, opens::<ledger::Ledger>)]
#[case::a_strict_schema(Reads::Both, opens::<strict::Schema>)]
#[case::whatever_can_be_taken(Reads::Both, opens::<lenient::Sponge>)]
#[case::other_words_for_no(Reads::Both, opens::<rejecting::Clerk>)]
#[case::refunds_of_its_own_first(Reads::Both, opens::<own_first::BackOffice>)]
#[case::signatures_first(Reads::Both, opens::<signed::Guarded>)]
fn conforms(#[case] reads: Reads, #[case] make: fn(&Clock) -> Box<dyn Shop>) {
    let readable = match reads {
        // Each further one has a test of its own with shops.
        Reads::Both | Reads::Refunds => &registered()[..2],
        Reads::First => &registered()[..1],
    };
    let mut found = String::new();
    // What a shop leaves to others on purpose, where the provider has it at all.
    let left_out = if reads == Reads::Refunds { vec!["chargeback".to_owned()] } else { Vec::new() };
    for provider in readable {
        let provider: &dyn Provider = provider.embedded();
        let without: Vec<String> =
            left_out.iter().filter(|item| provider.corpus().requirements.iter().any(|entry| entry.item == **item)).cloned().collect();
        for &seed in stranger::seeds(&SEEDS) {
            let text = complaints(provider, &certified(provider, make, seed, without.clone()));
            if !text.is_empty() {
                found.push_str(&format!("{}, seed {seed}:\n{text}", provider.name()));
            }
        }
    }
    assert!(found.is_empty(), "{found}");
}

/// Seeds with which these were failed for what a reasonable reader makes of a doubtful event.
#[rstest]
#[case::the_last_picture_of_a_charge_counts(opens::<charges_only::Cashier>, 5)]
#[case::more_than_a_float_holds_is_added_up(opens::<php_loose::Plugin>, 20_261_125)]
fn was_once_a_false_alarm(#[case] make: fn(&Clock) -> Box<dyn Shop>, #[case] seed: u64) {
    let provider = registered()[0].embedded();
    assert_eq!(complaints(provider, &certified(provider, make, seed, Vec::new())), "");
}
