//! Keeps what it was sent and works it off later: the endpoint looks only whether a letter can be read at all, and a worker
//! sorts what has lain for a millisecond by its date and books it. Letters about orders that nobody knows stay where they
//! are until somebody does.

use std::{collections::HashMap, time::Duration};

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
    domain::Clock,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::Shop;

const LIES: Duration = Duration::from_millis(1);

pub(crate) struct Inbox {
    clock: Clock,
    letters: Vec<(Duration, Letter)>,
    files: HashMap<String, File>,
}

struct Letter {
    dated: jiff::Timestamp,
    order_id: String,
    content: Content,
}

enum Content {
    Refund { id: String, state: String, paid: Decimal },
    Charge { id: String, complete: Decimal },
    Chargeback,
}

struct File {
    currency: String,
    captured: Decimal,
    refunds: HashMap<String, (jiff::Timestamp, String, Decimal)>,
    charges: HashMap<String, (jiff::Timestamp, Decimal)>,
    lost: bool,
}

impl Shop for Inbox {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Currency];
            claims.subscribes = Some(["refund.*", "order.charge.refund.complete", "order.chargeback"].map(str::to_owned).to_vec());
            claims.asynchronous = true;
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        let captured = order.captured_amount.to_string().parse().expect("an amount");
        let (currency, refunds, charges) = (order.currency.clone(), HashMap::new(), HashMap::new());
        self.files.entry(order.order_id.clone()).or_insert(File { currency, captured, refunds, charges, lost: false });
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(event) = serde_json::from_slice::<Value>(body) else { return 400 };
        let Some(kind) = event["type"].as_str() else { return 400 };
        let concerns = kind.starts_with("refund.") || kind == "order.charge.refund.complete" || kind == "order.chargeback";
        if concerns {
            let Some(letter) = read(kind, &event) else { return 400 };
            self.letters.push((self.clock.monotonic(), letter));
        }
        202
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        self.work();
        let file = self.files.get(order_id)?;
        let by_refunds: Decimal = file.refunds.values().map(|refund| refund.2).sum();
        let paid = by_refunds.max(file.charges.values().map(|charge| charge.1).sum());
        let any = |state: &str| file.refunds.values().any(|refund| refund.1 == state);
        let status = if file.lost {
            "charged_back"
        } else if paid >= file.captured {
            "refunded"
        } else if paid > Decimal::ZERO {
            "partially_refunded"
        } else if any("pending_information") {
            "pending_information"
        } else if any("pending") || any("requested") {
            "pending"
        } else if any("failed") {
            "failed"
        } else {
            "not_refunded"
        };
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid.to_string(), "currency": file.currency}))
    }
}

fn amount(value: &Value) -> Option<Decimal> {
    value.as_number()?.to_string().parse().ok()
}

fn read(kind: &str, event: &Value) -> Option<Letter> {
    let text = |value: &Value| Some(value.as_str()?.to_owned());
    let object = &event["data"]["object"];
    let (dated, order_id, content) = if kind == "order.chargeback" {
        (&event["createdTime"], text(&object["id"])?, Content::Chargeback)
    } else if kind == "order.charge.refund.complete" {
        let complete = object["refunds"].as_array()?.iter().filter(|entry| entry["state"] == "complete");
        let complete: Decimal = complete.map(|entry| amount(&entry["amount"])).sum::<Option<Decimal>>()?;
        if complete <= Decimal::ZERO {
            return None;
        }
        (&event["createdTime"], text(&object["orderId"])?, Content::Charge { id: text(&object["id"])?, complete })
    } else {
        let (created, order_id, id, state, paid) = if object.is_object() {
            let paid = amount(&object["refundedAmount"])?;
            (&event["createdTime"], text(&object["orderId"])?, text(&object["id"])?, text(&object["state"])?, paid)
        } else {
            let data = &event["data"];
            let state = text(&data["status"])?;
            let paid = amount(&data["amount"])? / Decimal::from(100);
            let paid = if state == "succeeded" { paid } else { Decimal::ZERO };
            (&event["created_at"], text(&data["payin"])?, text(&data["id"])?, state, paid)
        };
        let paid_at_all = paid > Decimal::ZERO;
        let plausible = match state.as_str() {
            "succeeded" => paid_at_all,
            "requested" | "pending" | "pending_information" | "failed" => !paid_at_all,
            _ => false,
        };
        if !plausible {
            return None;
        }
        (created, order_id, Content::Refund { id, state, paid })
    };
    Some(Letter { dated: dated.as_str()?.parse().ok()?, order_id, content })
}

impl Inbox {
    pub(crate) fn new(clock: Clock) -> Inbox {
        Inbox { clock, letters: Vec::new(), files: HashMap::new() }
    }

    fn work(&mut self) {
        let now = self.clock.monotonic();
        let known = |letter: &Letter| self.files.contains_key(&letter.order_id);
        let (mut due, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.letters).into_iter().partition(|(came, letter)| now.saturating_sub(*came) >= LIES && known(letter));
        self.letters = waiting;
        due.sort_by_key(|(_, letter)| letter.dated);
        for (_, letter) in due {
            if let Some(file) = self.files.get_mut(&letter.order_id) {
                file.take(letter.dated, letter.content);
            }
        }
    }
}

impl File {
    fn take(&mut self, dated: jiff::Timestamp, content: Content) {
        match content {
            Content::Chargeback => self.lost = true,
            Content::Charge { id, complete } => {
                let charge = self.charges.entry(id).or_insert((dated, complete));
                if charge.0 < dated {
                    *charge = (dated, complete);
                }
            }
            Content::Refund { id, state, paid } => {
                let refund = self.refunds.entry(id).or_insert_with(|| (dated, state.clone(), paid));
                if refund.0 < dated && refund.1 != "succeeded" && refund.1 != "failed" {
                    *refund = (dated, state, paid);
                }
            }
        }
    }
}
