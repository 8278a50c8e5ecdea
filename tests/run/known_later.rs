//! Orders of which a target hears only when events of them have come: who may do what with these events.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use refundproof::{
    adapter::{Hello, Introduction, Request, Target, TargetError},
    case::{Act, Case, OrderSetup, OwnRefund},
    domain::{Clock, OrderState},
    plan::{Action, Level, Opening, OrderPlan, Pick, Plan, Step},
    provider::{Audience, Provider, lower_for},
    reference::Fault,
    verdict::Verdict,
};
use rstest::rstest;

use crate::common::{self, certified_target, only, providers, quick, shop};

/// What a shop does with an event of an order that it does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It is not found, and comes again.
    Refuse,
    /// Something in the shop fails over it.
    Fail,
    /// It is acknowledged, and read when the order is there.
    Keep,
    /// It is acknowledged, and that was it.
    Drop,
}

/// Headers and body of what came too early.
type Kept = (Vec<(String, String)>, Vec<u8>);

struct Stranger {
    shop: Box<dyn Target>,
    then: Then,
    orders: BTreeSet<String>,
    kept: Vec<Kept>,
    cases: BTreeSet<String>,
    /// How often a case began again.
    again: Arc<AtomicUsize>,
}

impl Target for Stranger {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        Ok(self.shop.hello(hello)?.with(|told| (told.capabilities.concurrency, told.capabilities.durable) = (1, false)))
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.again.fetch_add(usize::from(!self.cases.insert(case.to_owned()) || !self.kept.is_empty()), Ordering::Relaxed);
        self.shop.begin(case, orders)?;
        self.orders.extend(orders.iter().map(|order| order.order_id.clone()));
        for (headers, body) in std::mem::take(&mut self.kept) {
            let request = Request::new(&headers, &body);
            if self.shop.deliver(&request)? == 404 {
                self.kept.push((headers, body));
            }
        }
        Ok(())
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let status = self.shop.deliver(request)?;
        Ok(match (status, self.then) {
            (404, Then::Fail) => 500,
            (404, Then::Keep) => {
                self.kept.push((request.headers.to_vec(), request.body.to_vec()));
                200
            }
            (404, Then::Drop) => 200,
            (status, _) => status,
        })
    }

    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        self.shop.initiate(own)
    }

    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.shop.advance(time)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        assert!(self.orders.contains(order_id), "{order_id} is asked for before it is known");
        self.shop.observe(order_id)
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        self.kept.clear();
        self.shop.end(case)
    }
}

#[rstest]
#[case::not_found(Then::Refuse, Verdict::Pass)]
#[case::failing(Then::Fail, Verdict::Pass)]
#[case::kept(Then::Keep, Verdict::Pass)]
#[case::dropped(Then::Drop, Verdict::Fail)]
fn an_event_of_an_order_that_becomes_known_later(#[case] then: Then, #[case] expected: Verdict) {
    for provider in providers() {
        let again = Arc::new(AtomicUsize::new(0));
        let make = |clock: &Clock| {
            let (shop, again) = (shop(None, clock), Arc::clone(&again));
            Box::new(Stranger { shop, then, orders: BTreeSet::new(), kept: Vec::new(), cases: BTreeSet::new(), again }) as Box<dyn Target>
        };
        let options = quick(64, 1).with(|options| options.selection = only(&["redelivery-after-failure"]));
        let report = certified_target(provider, &make, &options);
        let result = report.requirements.iter().find(|result| result.judged).expect("it is judged");
        assert_eq!(result.verdict, expected, "{}: {:#?}", provider.name(), report.findings);
        assert!(then != Then::Keep || again.load(Ordering::Relaxed) > 0, "{}: all orders were known", provider.name());
    }
}

#[test]
fn the_fault_of_the_bank_is_found() {
    for provider in providers() {
        let options = quick(64, 1).with(|options| options.selection = only(&["redelivery-after-failure"]));
        let make = |clock: &Clock| shop(Some(Fault::DropsUnknownOrders), clock);
        let report = certified_target(provider, &make, &options);
        assert!(report.requirements.iter().any(|result| result.verdict == Verdict::Fail), "{}", provider.name());
    }
}

fn case(provider: &dyn Provider, known_after: u8, own: bool) -> Case {
    let refund = Action::Refund { amount: Pick::All, level: Level::Order, joins: false, own, kind: 0, opens: Opening::Pending };
    let steps = vec![Step::plain(refund), Step::plain(Action::Succeed { refund: 0, paid: Pick::All })];
    let orders = vec![OrderPlan { known_after, ..OrderPlan::default() }];
    lower_for(provider, &Plan { orders, steps, only: Vec::new(), look: 0 }, 1, Audience::EVERYBODY).case
}

/// After how many deliveries the order becomes known, if it does not from the beginning.
fn known_after(case: &Case) -> Option<usize> {
    let place = case.entries.iter().position(|entry| matches!(entry.act, Act::Begin(_)))?;
    assert!(case.entries[..place].iter().all(|entry| entry.expect.is_empty()));
    assert!(case.entries[place..].iter().all(|entry| !entry.expect.is_empty()));
    Some(case.entries[..place].iter().map(|entry| entry.act.deliveries().len()).sum())
}

#[rstest]
#[case::from_the_beginning(0, false, None)]
#[case::after_the_first(1, false, Some(1))]
#[case::after_the_second(2, false, Some(2))]
#[case::too_late(9, false, None)]
#[case::the_shop_refunds_it_first(2, true, None)]
fn when_it_becomes_known(#[case] number: u8, #[case] own: bool, #[case] expected: Option<usize>) {
    let provider = common::provider();
    let case = case(provider, number, own);
    assert_eq!(known_after(&case), expected);
    let again = Case::from_json("case", &case.to_json()).expect("it is read again");
    assert_eq!(again, case);
}

#[rstest]
#[case::unknown("\"begin\": \"nobody\"", "is not among `orders`")]
#[case::two_things("\"begin\": \"o\", \"restart\": true", "exactly one of")]
#[case::too_much_time("\"advance\": 99999999", "at most a year")]
fn what_no_case_says(#[case] entry: &str, #[case] expected: &str) {
    let text = format!(
        r#"{{"schema":"refundproof-case/1","title":"by hand","provider":"digital-river",
        "orders":[{{"orderId":"o","currency":"USD","capturedAmount":"17.00"}}],"entries":[{{{entry}}}],"expect":[]}}"#
    );
    let error = Case::from_json("case", &text).expect_err("no case").to_string();
    assert!(error.contains(expected), "{error}");
}
