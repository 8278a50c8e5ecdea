//! A provider from outside the crate: added through the public API alone, and a consumer certified with it.
//! `docs/adding-a-provider.md` walks through it.

pub(crate) mod provider;

use std::{collections::HashMap, sync::atomic::AtomicBool};

use provider::{LETTER, SEAL, SENT, paperboat, seal, shown};
use refundproof::{
    adapter::{Capabilities, Hello, Introduction, Request, Target, TargetError},
    case::OrderSetup,
    domain::{Amount, Clock, OrderState},
    drive::Launch,
    run::{Options, Selection, certify},
    verdict::Verdict,
};
use serde_json::Value;

/// A consumer of the made-up provider's webhooks. One that is careless adds up whatever says that it was paid.
#[derive(Default)]
struct Harbour {
    careless: bool,
    /// Where it expects the seal, if not where the provider puts it.
    seal_header: Option<&'static str>,
    secret: String,
    /// What was captured, and the refunds: number, state and amount.
    orders: HashMap<String, (Amount, Vec<Refund>)>,
}

type Refund = (String, String, Amount);

impl Harbour {
    fn receive(&mut self, request: &Request<'_>) -> Result<(), u16> {
        let header = |wanted: &str| request.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        // Only the seal may be missing or wrong; without the others nobody could say.
        let (Some(letter), Some(sent)) = (header(LETTER), header(SENT)) else { return Err(500) };
        let sealed = header(self.seal_header.unwrap_or(SEAL)) == Some(&seal(&self.secret, letter, sent, request.body));
        let event: Value = serde_json::from_slice(request.body).map_err(|_| 400_u16)?;
        let refund = if sealed { &event["refund"] } else { return Err(401) };
        let Some(order) = refund["order"].as_str().and_then(|order| self.orders.get_mut(order)) else { return Ok(()) };
        let cents = Amount::from_minor(refund["cents"].as_u64().ok_or(400_u16)?, 2);
        let (number, state) = (refund["number"].as_str().ok_or(400_u16)?, refund["state"].as_str().ok_or(400_u16)?);
        match order.1.iter_mut().find(|(known, ..)| known == number && !self.careless) {
            Some((_, known, _)) if state != "opened" => state.clone_into(known),
            Some(_) => {}
            None => order.1.push((number.to_owned(), state.to_owned(), cents)),
        }
        Ok(())
    }
}

impl Target for Harbour {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.secret.clone_from(&hello.secret);
        let capabilities = Capabilities::new().with(|claims| claims.verifies_signatures = true);
        Ok(Introduction::new("harbour".to_owned(), "1".to_owned(), capabilities))
    }

    fn begin(&mut self, _: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.orders.extend(orders.iter().map(|order| (order.order_id.clone(), (order.captured_amount, Vec::new()))));
        Ok(())
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        Ok(self.receive(request).err().unwrap_or(200))
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let state = |(captured, refunds): &(Amount, Vec<Refund>)| {
            shown(order_id, *captured, &refunds.iter().map(|(_, state, cents)| (state.as_str(), *cents)).collect::<Vec<_>>())
        };
        Ok(self.orders.get(order_id).map(state))
    }
}

refundproof::conformance_tests! {
    provider = paperboat(), make = Harbour::default;
    refund_paid_updates_order "refund-paid-updates-order",
    partial_refunds_add_up "partial-refunds-add-up",
    duplicate_deliveries "duplicate-deliveries",
    out_of_order_deliveries "out-of-order-deliveries",
    other_events_change_nothing "other-events-change-nothing",
    malformed_body_rejected "malformed-body-rejected",
    signature_required "signature-required",
}

#[test]
#[should_panic(expected = "duplicate-deliveries: fail")]
fn a_careless_consumer_is_found_out() {
    let careless = || Harbour { careless: true, ..Harbour::default() };
    refundproof::testing::assert_requirement(
        paperboat(),
        "duplicate-deliveries",
        refundproof::testing::Expected::new(&[], false),
        careless,
    );
}

#[test]
fn only_the_seal_has_another_name() {
    const ELSEWHERE: &str = "x-harbour-seal";
    let make = || Ok(Box::new(Harbour { seal_header: Some(ELSEWHERE), ..Harbour::default() }) as Box<dyn Target>);
    let launch = Launch::new("in-process", "", Clock::system(), make).naming(Some(ELSEWHERE.to_owned()));
    let options = Options::new().with(|options| {
        options.cases = 10;
        options.selection = Selection::new(&["refund-*".to_owned(), "signature-*".to_owned()], &[]).expect("globs");
    });
    let report = certify(paperboat(), &launch, &options, &AtomicBool::new(false), &mut |_| {}).expect("it starts");
    assert!(report.requirements.iter().any(|result| result.id == "signature-required"), "{report:#?}");
    assert!(report.requirements.iter().all(|result| result.verdict == Verdict::Pass), "{report:#?}");
}
