//! No false passes: models that do no work, or leave out all care, are not certified whatever they claim.
//!
//! A claim may leave little to judge. Then the run says that nothing was judged; it never ends as if all were well.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use refundproof::{
    adapter::{Capabilities, Hello, Introduction, Observable, Request, Target, TargetError},
    case::{OrderSetup, OwnRefund},
    domain::{Amount, Clock, OrderState, RefundState, RefundView, Status},
    drive::Launch,
    findings::ShrinkLimits,
    provider::{Provider, registered},
    run::{self, Options, certify},
    verdict::Conformance,
};
use rstest::rstest;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Model {
    /// Acknowledges everything and changes nothing.
    Ignorer,
    /// Acknowledges everything and books what it can read.
    Acceptor,
    /// Acknowledges nothing.
    Refuser,
    /// Books what is right and refuses what is wrong, but looks at no signature.
    Truster,
}

struct NullModel {
    model: Model,
    claims: Capabilities,
    books: BTreeMap<String, Book>,
}

/// What a careful shop would know of an order.
struct Book {
    setup: OrderSetup,
    refunds: BTreeMap<String, Refund>,
    charges: BTreeMap<String, (i128, Amount)>,
    chargeback: Option<(i128, Amount)>,
}

#[derive(Clone, Copy)]
struct Refund {
    state: RefundState,
    at: i128,
    asked: Amount,
    paid: Amount,
}

impl Target for NullModel {
    fn hello(&mut self, _: &Hello) -> Result<Introduction, TargetError> {
        Ok(Introduction::new(format!("{:?}", self.model), "1".to_owned(), self.claims.clone()))
    }

    fn begin(&mut self, _: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        for setup in orders {
            let fresh = || Book { setup: setup.clone(), refunds: BTreeMap::new(), charges: BTreeMap::new(), chargeback: None };
            self.books.entry(setup.order_id.clone()).or_insert_with(fresh);
        }
        Ok(())
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        Ok(match self.model {
            Model::Ignorer => 200,
            Model::Refuser => 400,
            Model::Acceptor => {
                self.book(request.body);
                200
            }
            Model::Truster => self.book(request.body).map_or(400, |()| 200),
        })
    }

    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        if let (Some(book), Model::Acceptor | Model::Truster) = (self.books.get_mut(&own.order_id), self.model) {
            let refund = Refund { state: RefundState::Pending, at: i128::MIN, asked: own.refund.amount, paid: Amount::ZERO };
            book.refunds.entry(own.refund.id.clone()).or_insert(refund);
        }
        Ok(())
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        Ok(self.books.get(order_id).map(Book::show))
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        Ok(())
    }
}

fn amount(value: &Value) -> Option<Amount> {
    Amount::parse(&value.as_number()?.to_string()).ok().filter(|amount| !amount.is_negative())
}

fn sum<'a>(entries: &'a Value, counts: impl Fn(&'a Value) -> bool) -> Option<Amount> {
    entries.as_array()?.iter().filter(|entry| counts(entry)).map(|entry| amount(&entry["amount"])).sum()
}

fn time(value: &Value) -> Option<i128> {
    Some(value.as_str()?.parse::<jiff::Timestamp>().ok()?.as_nanosecond())
}

impl NullModel {
    fn book(&mut self, body: &[u8]) -> Option<()> {
        let event: Value = serde_json::from_slice(body).ok()?;
        let kind = event["type"].as_str()?;
        let object = &event["data"]["object"];
        match kind {
            "order.chargeback" => {
                let at = time(&event["createdTime"])?;
                let left = amount(&object["availableToRefundAmount"])?;
                let book = self.books.get_mut(object["id"].as_str()?)?;
                if book.chargeback.is_none_or(|(known, _)| known < at) {
                    book.chargeback = Some((at, left));
                }
            }
            "order.charge.refund.complete" => {
                let at = time(&event["createdTime"])?;
                let complete = sum(&object["refunds"], |entry| entry["state"] == "complete").filter(|sum| !sum.is_zero())?;
                let book = self.books.get_mut(object["orderId"].as_str()?)?;
                let charge = book.charges.entry(object["id"].as_str()?.to_owned()).or_insert((at, complete));
                if charge.0 < at {
                    *charge = (at, complete);
                }
            }
            _ if kind.starts_with("refund.") => {
                let (order, id, state, asked, paid, at) = if object.is_object() {
                    let asked = if object["amount"].is_null() { sum(&object["items"], |_| true) } else { amount(&object["amount"]) };
                    (&object["orderId"], &object["id"], &object["state"], asked?, amount(&object["refundedAmount"])?, &event["createdTime"])
                } else {
                    let data = &event["data"];
                    let asked = amount(&data["amount"])?.in_parts(2)?;
                    let paid = if data["status"] == "succeeded" { asked } else { Amount::ZERO };
                    (&data["payin"], &data["id"], &data["status"], asked, paid, &event["created_at"])
                };
                let told = Refund { state: serde_json::from_value(state.clone()).ok()?, at: time(at)?, asked, paid };
                if (told.state == RefundState::Succeeded) == paid.is_zero() {
                    return None;
                }
                let book = self.books.get_mut(order.as_str()?)?;
                let known = book.refunds.entry(id.as_str()?.to_owned()).or_insert(told);
                if !known.state.is_final() && (told.state.is_final() || told.at > known.at) {
                    *known = told;
                }
            }
            _ => {}
        }
        Some(())
    }
}

impl Book {
    fn show(&self) -> OrderState {
        let captured = self.setup.captured_amount;
        let by_refunds: Amount = self.refunds.values().map(|refund| refund.paid).sum();
        let paid = by_refunds.max(self.charges.values().map(|(_, complete)| *complete).sum());
        let has = |state| self.refunds.values().any(|refund| refund.state == state);
        let status = if self.chargeback.is_some() {
            Status::ChargedBack
        } else if !paid.is_zero() {
            if paid < captured { Status::PartiallyRefunded } else { Status::Refunded }
        } else if has(RefundState::PendingInformation) {
            Status::PendingInformation
        } else if has(RefundState::Pending) || has(RefundState::Requested) {
            Status::Pending
        } else if has(RefundState::Failed) {
            Status::Failed
        } else {
            Status::NotRefunded
        };
        let view = |(id, refund): (&String, &Refund)| {
            RefundView::new(id.clone(), refund.state, refund.paid).with(|view| view.amount = Some(refund.asked))
        };
        OrderState::new(self.setup.order_id.clone(), status, paid).with(|state| {
            state.currency = Some(self.setup.currency.clone());
            state.refunds = Some(self.refunds.iter().map(view).collect());
        })
    }
}

/// What the first provider's shops may ask for, and the second's.
const SUBSCRIPTIONS: [&[&[&str]]; 2] = [
    &[
        &["*"],
        &["order.refunded"],
        &["sku.created"],
        &["refund.failed"],
        &["order.dispute*"],
        &["refund.updated"],
        &["sales_transaction.created"],
        &["refund.*"],
        &["order.chargeback"],
        &["refund.created", "refund.pending"],
    ],
    &[&["*"], &["refund.created"], &["refund.pending"], &["refund.failed"], &["refund.succeeded"], &["refund.*"]],
];

const EQUIVALENCES: [&[&[&str]]; 6] = [
    &[],
    &[&["pending", "pending_information"]],
    &[&["not_refunded", "failed"]],
    &[&["not_refunded", "pending"]],
    &[&["not_refunded", "pending_information"]],
    &[&["not_refunded", "pending", "pending_information"], &["not_refunded", "failed"]],
];

/// The other claims, in turns, so that each meets many subscriptions and equivalences.
fn others(turn: usize, claims: Capabilities) -> Capabilities {
    let observes = if turn.is_multiple_of(2) { Vec::new() } else { vec![Observable::Currency, Observable::Refunds] };
    let claims = claims.with(|claims| claims.observes = observes);
    match turn % 5 {
        0 => claims,
        1 => claims.with(|claims| claims.durable = true),
        2 => claims.with(|claims| claims.concurrency = 4),
        3 => claims.with(|claims| claims.initiates_refunds = true),
        _ => claims.with(|claims| claims.asynchronous = true),
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What becomes of a model with these claims. `cases` are those of all models that claim the same.
fn verdict(provider: &dyn Provider, model: Model, claims: &Capabilities, cases: &Arc<run::Book>) -> Conformance {
    let launch = Launch::new("in-process", "", Clock::system(), || {
        Ok(Box::new(NullModel { model, claims: claims.clone(), books: BTreeMap::new() }) as Box<dyn Target>)
    });
    let moment = Duration::from_millis(1);
    // Why it fails is not the question here, nor is how simply.
    let shrink = ShrinkLimits { attempts: 0, ..ShrinkLimits::default() };
    let options = Options::new().with(|options| {
        options.cases = 12;
        options.settle = moment;
        options.quiet = moment;
        options.shrink = shrink;
        options.book = Some(Arc::clone(cases));
    });
    certify(provider, &launch, &options, &AtomicBool::new(false), &mut |_| {}).expect("claims that can be made").verdict
}

#[rstest]
fn is_never_certified(#[values(0, 1)] provider: usize, #[values(true, false)] vague: bool) {
    let subscriptions = SUBSCRIPTIONS[provider];
    let provider = registered()[provider].embedded();
    for (index, subscription) in subscriptions.iter().enumerate() {
        let equivalence = EQUIVALENCES[if vague { EQUIVALENCES.len() - 1 } else { index % (EQUIVALENCES.len() - 1) }];
        let equivalent_statuses = equivalence.iter().map(|group| owned(group)).collect();
        let subscribes = (*subscription != ["*"]).then(|| owned(subscription));
        let claims = Capabilities::new().with(|claims| {
            claims.subscribes = subscribes;
            claims.equivalent_statuses = equivalent_statuses;
        });
        let claims = others(index + usize::from(vague), claims);
        let verifying = |verifies| claims.clone().with(|claims| claims.verifies_signatures = verifies);
        let is_not_certified = |model, claims: &Capabilities, cases: &Arc<run::Book>| {
            let verdict = verdict(provider, model, claims, cases);
            assert_ne!(verdict, Conformance::Conformant, "{model:?} of {}: {claims:?}", provider.name());
        };
        let (some, all) = (verifying(index % 3 == 2), verifying(true));
        let cases = run::Book::new();
        is_not_certified(Model::Acceptor, &some, &cases);
        // Those that read nothing of a body meet each subscription once, with one kind of equivalence or the other.
        if index.is_multiple_of(2) == vague {
            is_not_certified(Model::Ignorer, &some, &cases);
            is_not_certified(Model::Refuser, &some, &cases);
        }
        let cases = if some == all { cases } else { run::Book::new() };
        is_not_certified(Model::Truster, &all, &cases);
    }
}

/// What the models leave out is all that keeps them from a certificate.
#[rstest]
#[case(0)]
#[case(1)]
fn the_book_behind_them_is_right(#[case] provider: usize) {
    let provider = registered()[provider].embedded();
    let claims = Capabilities::new().with(|claims| claims.observes = vec![Observable::Currency, Observable::Refunds]);
    assert_eq!(verdict(provider, Model::Truster, &claims, &run::Book::new()), Conformance::Conformant);
}
