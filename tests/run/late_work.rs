//! Targets that work on after they have answered and do not claim so.

use std::{collections::BTreeMap, time::Duration};

use refundproof::{
    adapter::{Hello, Introduction, Request, Target, TargetError},
    case::OrderSetup,
    domain::{Clock, OrderState},
    reference::Fault,
    run::Options,
    verdict::{Conformance, Report},
};

use crate::common::{certified_over, only, provider, shop};

/// How long a delivery has no effect.
const LATE: Duration = Duration::from_millis(20);

const REMARK: &str = "what is wrong is right a moment later: a target that works on after it has answered claims `asynchronous`";

/// A shop that shows what it showed before until so long after a delivery.
struct Late {
    shop: Box<dyn Target>,
    clock: Clock,
    delivered: Option<Duration>,
    before: BTreeMap<String, Option<OrderState>>,
}

impl Late {
    fn of(shop: Box<dyn Target>, clock: &Clock) -> Box<dyn Target> {
        Box::new(Late { shop, clock: clock.clone(), delivered: None, before: BTreeMap::new() })
    }
}

impl Target for Late {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.shop.hello(hello)
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.shop.begin(case, orders)?;
        self.before =
            orders.iter().map(|order| Ok((order.order_id.clone(), self.shop.observe(&order.order_id)?))).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        self.delivered = Some(self.clock.monotonic());
        self.shop.deliver(request)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let is_late = self.delivered.is_some_and(|at| self.clock.monotonic() - at < LATE);
        match self.before.get(order_id) {
            Some(before) if is_late => Ok(before.clone()),
            _ => {
                let shown = self.shop.observe(order_id)?;
                self.before.insert(order_id.to_owned(), shown.clone());
                Ok(shown)
            }
        }
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        self.shop.end(case)
    }
}

fn certified(transport: &'static str, make: fn(&Clock) -> Box<dyn Target>) -> Report {
    let options = Options::new().with(|options| {
        options.cases = 10;
        options.jobs = 1;
        options.selection = only(&["refund-complete-updates-order", "open-refund-not-counted"]);
    });
    certified_over(transport, provider(), &make, &options)
}

fn is_told(report: &Report) -> bool {
    assert_eq!(report.verdict, Conformance::NotConformant);
    report.target.remarks.iter().any(|remark| remark == REMARK)
}

#[test]
fn they_are_told_what_to_claim() {
    assert!(is_told(&certified("stdio", |clock| Late::of(shop(None, clock), clock))));
}

/// What is called in this process is not waited for.
#[test]
fn not_within_this_process() {
    assert!(!is_told(&certified("in-process", |clock| Late::of(shop(None, clock), clock))));
}

#[test]
fn not_where_it_stays_wrong() {
    assert!(!is_told(&certified("stdio", |clock| shop(Some(Fault::PendingShownAsFailed), clock))));
}
