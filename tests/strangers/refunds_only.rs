//! A shop that asks for the events of refunds and nothing else, and cannot tell a refund that waits from one that waits for
//! information. Chargebacks are the bank's letters to another department.

use std::collections::BTreeMap;

use refundproof::{adapter::Capabilities, case::OrderSetup};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Number, Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Returns {
    hundredths: bool,
    captured: BTreeMap<String, Decimal>,
    slips: BTreeMap<String, Slip>,
}

struct Slip {
    order_id: String,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Stage {
    Waiting,
    Refused,
    Paid(Decimal),
}

#[derive(Deserialize)]
struct Notice {
    #[serde(rename = "type")]
    kind: String,
    data: Box<serde_json::value::RawValue>,
}

#[derive(Deserialize)]
struct Wrapped {
    object: Refund,
}

#[derive(Deserialize)]
struct Refund {
    id: String,
    #[serde(alias = "payin", rename = "orderId")]
    order_id: String,
    #[serde(alias = "status", rename = "state")]
    state: String,
    #[serde(rename = "refundedAmount")]
    refunded_amount: Option<Number>,
    amount: Option<Number>,
}

impl Shop for Returns {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| {
            claims.subscribes = Some(vec!["refund.*".to_owned()]);
            claims.equivalent_statuses = vec![vec!["pending".to_owned(), "pending_information".to_owned()]];
        })
    }

    fn greet(&mut self, provider: &str, _: &str) {
        self.hundredths = provider == "tazapay";
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.captured.insert(order.order_id.clone(), order.captured_amount.to_string().parse().expect("an amount"));
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        // Of members that nobody asked for, that library does not look at the bytes.
        let Ok(text) = std::str::from_utf8(body) else { return 400 };
        let Ok(notice) = serde_json::from_str::<Notice>(text) else { return 400 };
        if !notice.kind.starts_with("refund.") {
            return 204;
        }
        let Some((id, slip)) = self.read(notice.data.get()) else { return 400 };
        if !self.captured.contains_key(&slip.order_id) {
            return 404;
        }
        let stage = slip.stage;
        let kept = self.slips.entry(id).or_insert(slip);
        if kept.stage == Stage::Waiting {
            kept.stage = stage;
        }
        200
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let captured = *self.captured.get(order_id)?;
        let stages: Vec<Stage> = self.slips.values().filter(|slip| slip.order_id == order_id).map(|slip| slip.stage).collect();
        let paid: Decimal = stages.iter().map(|stage| if let Stage::Paid(amount) = stage { *amount } else { Decimal::ZERO }).sum();
        let status = match paid {
            all if all >= captured => "refunded",
            part if part > Decimal::ZERO => "partially_refunded",
            _ if stages.contains(&Stage::Waiting) => "pending",
            _ if stages.contains(&Stage::Refused) => "failed",
            _ => "not_refunded",
        };
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid.to_string()}))
    }
}

impl Returns {
    fn read(&self, data: &str) -> Option<(String, Slip)> {
        let refund =
            if self.hundredths { serde_json::from_str::<Refund>(data).ok()? } else { serde_json::from_str::<Wrapped>(data).ok()?.object };
        let stage = match refund.state.as_str() {
            "succeeded" => {
                let number = if self.hundredths { refund.amount } else { refund.refunded_amount };
                let mut amount: Decimal = number?.to_string().parse().ok()?;
                if self.hundredths {
                    amount /= Decimal::ONE_HUNDRED;
                }
                if amount <= Decimal::ZERO {
                    return None;
                }
                Stage::Paid(amount)
            }
            "failed" => Stage::Refused,
            "requested" | "pending" | "pending_information" => Stage::Waiting,
            _ => return None,
        };
        Some((refund.id, Slip { order_id: refund.order_id, stage }))
    }
}
