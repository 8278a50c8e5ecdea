//! A back office makes most refunds itself and writes them down before anything comes back; webhooks complete what is written,
//! and start a page of their own only for refunds that somebody made elsewhere.

use std::collections::BTreeMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::{OrderSetup, OwnRefund},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct BackOffice {
    cases: BTreeMap<String, Case>,
}

struct Case {
    captured: Decimal,
    currency: String,
    requests: BTreeMap<String, Request>,
    charges: BTreeMap<String, Decimal>,
    charged_back: bool,
}

struct Request {
    ours: bool,
    asked: Decimal,
    paid: Decimal,
    stage: String,
    heard: Option<jiff::Timestamp>,
}

impl Request {
    fn is_done(&self) -> bool {
        self.stage == "succeeded" || self.stage == "failed"
    }
}

impl Shop for BackOffice {
    fn claims(&self) -> Capabilities {
        let observes = vec![Observable::Refunds, Observable::Currency];
        Capabilities::new().with(|claims| {
            claims.observes = observes;
            claims.subscribes = Some(["refund.*", "order.charge.refund.complete", "order.chargeback"].map(str::to_owned).to_vec());
            claims.initiates_refunds = true;
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.cases.entry(order.order_id.clone()).or_insert_with(|| Case {
            captured: order.captured_amount.to_string().parse().expect("an amount"),
            currency: order.currency.clone(),
            requests: BTreeMap::new(),
            charges: BTreeMap::new(),
            charged_back: false,
        });
    }

    fn refunded(&mut self, refund: &OwnRefund) {
        let Some(case) = self.cases.get_mut(&refund.order_id) else { return };
        let asked = refund.refund.amount.to_string().parse().expect("an amount");
        let request = Request { ours: true, asked, paid: Decimal::ZERO, stage: "pending".to_owned(), heard: None };
        // The webhook may have been faster than the answer.
        case.requests.entry(refund.refund.id.clone()).and_modify(|known| known.ours = true).or_insert(request);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(event) = serde_json::from_slice::<Value>(body) else { return 400 };
        let Some(kind) = event.get("type").and_then(Value::as_str) else { return 400 };
        let done = match kind.split_once('.') {
            Some(("refund", _)) => self.complete(&event),
            Some(("order", "charge.refund.complete")) => self.charge(&event["data"]["object"]),
            Some(("order", "chargeback")) => self.chargeback(&event["data"]["object"]),
            _ => Ok(()),
        };
        done.err().unwrap_or(200)
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let case = self.cases.get(order_id)?;
        let by_requests: Decimal = case.requests.values().map(|request| request.paid).sum();
        let paid = by_requests.max(case.charges.values().sum());
        let at = |stage: &str| case.requests.values().any(|request| request.stage == stage);
        let status = if case.charged_back {
            "charged_back"
        } else if paid >= case.captured {
            "refunded"
        } else if paid > Decimal::ZERO {
            "partially_refunded"
        } else if at("pending_information") {
            "pending_information"
        } else if at("pending") || at("requested") {
            "pending"
        } else if at("failed") {
            "failed"
        } else {
            "not_refunded"
        };
        let refunds = case.requests.iter().map(|(id, request)| {
            let made_by = if request.ours { "us" } else { "somebody else" };
            let (asked, paid) = (request.asked.to_string(), request.paid.to_string());
            json!({"id": id, "state": request.stage, "amount": asked, "refundedAmount": paid, "madeBy": made_by})
        });
        let refunds: Vec<Value> = refunds.collect();
        let paid = paid.to_string();
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid, "currency": case.currency, "refunds": refunds}))
    }
}

fn money(value: &Value) -> Result<Decimal, u16> {
    let Value::Number(number) = value else { return Err(400) };
    number.to_string().parse().ok().filter(|amount: &Decimal| !amount.is_sign_negative()).ok_or(400)
}

fn text(value: &Value) -> Result<&str, u16> {
    value.as_str().ok_or(400)
}

impl BackOffice {
    fn case(&mut self, order: &Value) -> Result<&mut Case, u16> {
        self.cases.get_mut(text(order)?).ok_or(404)
    }

    fn complete(&mut self, event: &Value) -> Result<(), u16> {
        let (mut refund, mut names) = (&event["data"]["object"], ["orderId", "state", "createdTime"]);
        let mut hundredths = false;
        if event["data"]["object"] == "refund" {
            (refund, names, hundredths) = (&event["data"], ["payin", "status", "created_at"], true);
        }
        let [order, stage, heard] = names;
        let heard: jiff::Timestamp = text(&event[heard])?.parse().map_err(|_| 400_u16)?;
        let (id, stage) = (text(&refund["id"])?.to_owned(), text(&refund[stage])?.to_owned());
        let (asked, paid) = if hundredths {
            let asked = money(&refund["amount"])? / Decimal::ONE_HUNDRED;
            (asked, if stage == "succeeded" { asked } else { Decimal::ZERO })
        } else {
            let asked = match refund.get("amount") {
                Some(amount) if !amount.is_null() => money(amount)?,
                _ => refund["items"].as_array().ok_or(400_u16)?.iter().map(|item| money(&item["amount"])).sum::<Result<_, _>>()?,
            };
            (asked, money(&refund["refundedAmount"])?)
        };
        let sound = match stage.as_str() {
            "succeeded" => !paid.is_zero(),
            "requested" | "pending" | "pending_information" | "failed" => paid.is_zero(),
            _ => false,
        };
        if !sound {
            return Err(422);
        }
        let case = self.case(&refund[order])?;
        let told = Request { ours: false, asked, paid, stage, heard: Some(heard) };
        match case.requests.get_mut(&id) {
            None => {
                case.requests.insert(id, told);
            }
            Some(request) if request.is_done() => {}
            Some(request) if told.is_done() || request.heard < told.heard => *request = Request { ours: request.ours, ..told },
            Some(_) => {}
        }
        Ok(())
    }

    fn charge(&mut self, object: &Value) -> Result<(), u16> {
        let mut complete = Decimal::ZERO;
        for entry in object["refunds"].as_array().ok_or(400_u16)? {
            if entry["state"] == "complete" {
                complete += money(&entry["amount"])?;
            }
        }
        if complete.is_zero() {
            return Err(422);
        }
        let id = text(&object["id"])?.to_owned();
        let known = self.case(&object["orderId"])?.charges.entry(id).or_default();
        *known = complete.max(*known);
        Ok(())
    }

    fn chargeback(&mut self, object: &Value) -> Result<(), u16> {
        self.case(&object["id"])?.charged_back = true;
        Ok(())
    }
}
