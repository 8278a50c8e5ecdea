//! One row for each refund and a sum when somebody looks; charges are none of its business, so it does not ask for them.
//!
//! Everything is text, as in a sheet: rows are lines of cells, and cells are compared only when they are read.

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Spreadsheet {
    orders: Vec<[String; 3]>,
    /// Order, refund, state, asked, paid, time.
    refunds: Vec<[String; 6]>,
    chargebacks: Vec<String>,
}

impl Shop for Spreadsheet {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Currency, Observable::Refunds];
            claims.subscribes = Some(vec!["refund.*".to_owned(), "order.chargeback".to_owned()]);
            claims.equivalent_statuses = vec![vec!["not_refunded".to_owned(), "failed".to_owned()]];
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.orders.push([order.order_id.clone(), order.currency.clone(), order.captured_amount.to_string()]);
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(event) = serde_json::from_slice::<Value>(body) else { return 400 };
        match event["type"].as_str() {
            None | Some("") => 400,
            Some("order.chargeback") => {
                let Some(order) = event.pointer("/data/object/id").and_then(Value::as_str) else { return 400 };
                if !self.orders.iter().any(|row| row[0] == order) {
                    return 404;
                }
                self.chargebacks.push(order.to_owned());
                200
            }
            Some(kind) if kind.starts_with("refund.") => {
                let Some(row) = row(&event) else { return 400 };
                if !self.orders.iter().any(|order| order[0] == row[0]) {
                    return 404;
                }
                match self.refunds.iter_mut().find(|known| known[1] == row[1]) {
                    None => self.refunds.push(row),
                    Some(known) if replaces(&row, known) => *known = row,
                    Some(_) => {}
                }
                200
            }
            Some(_) => 200,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let [_, currency, captured] = self.orders.iter().find(|row| row[0] == order_id)?;
        let rows: Vec<&[String; 6]> = self.refunds.iter().filter(|row| row[0] == order_id).collect();
        let paid: Decimal = rows.iter().map(|row| number(&row[4])).sum();
        let any = |state: &str| rows.iter().any(|row| row[2] == state);
        let status = if self.chargebacks.iter().any(|order| order == order_id) {
            "charged_back"
        } else if paid.is_zero() && any("pending_information") {
            "pending_information"
        } else if paid.is_zero() && (any("pending") || any("requested")) {
            "pending"
        } else if paid.is_zero() {
            "not_refunded"
        } else if paid < number(captured) {
            "partially_refunded"
        } else {
            "refunded"
        };
        let refunds = rows.iter().map(|row| json!({"id": row[1], "state": row[2], "amount": row[3], "refundedAmount": row[4]}));
        let refunds: Vec<Value> = refunds.collect();
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": paid.to_string(), "currency": currency, "refunds": refunds}))
    }
}

fn number(cell: &str) -> Decimal {
    cell.parse().expect("a cell that was checked")
}

fn is_final(row: &[String; 6]) -> bool {
    row[2] == "succeeded" || row[2] == "failed"
}

fn replaces(row: &[String; 6], known: &[String; 6]) -> bool {
    let time = |row: &[String; 6]| row[5].parse::<jiff::Timestamp>().ok();
    !is_final(known) && (is_final(row) || time(row) > time(known))
}

fn row(event: &Value) -> Option<[String; 6]> {
    let text = |path: &str| event.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let cell = |path: &str| Some(event.pointer(path)?.as_number()?.to_string());
    let row = if event.pointer("/data/object").is_some_and(Value::is_object) {
        let asked = match cell("/data/object/amount") {
            Some(amount) => amount,
            None => {
                let items = event.pointer("/data/object/items")?.as_array()?;
                let amounts = items.iter().map(|item| item["amount"].as_number()?.to_string().parse::<Decimal>().ok());
                amounts.sum::<Option<Decimal>>()?.to_string()
            }
        };
        let (order, refund, state) = (text("/data/object/orderId")?, text("/data/object/id")?, text("/data/object/state")?);
        [order, refund, state, asked, cell("/data/object/refundedAmount")?, text("/createdTime")?]
    } else {
        let hundredths: Decimal = cell("/data/amount")?.parse().ok()?;
        let (asked, state) = ((hundredths * Decimal::new(1, 2)).to_string(), text("/data/status")?);
        let paid = if state == "succeeded" { asked.clone() } else { "0".to_owned() };
        [text("/data/payin")?, text("/data/id")?, state, asked, paid, text("/created_at")?]
    };
    let (asked, paid) = (row[3].parse::<Decimal>().ok()?, row[4].parse::<Decimal>().ok()?);
    let known = ["requested", "pending", "pending_information", "succeeded", "failed"].contains(&row[2].as_str());
    let plausible = known && asked > Decimal::ZERO && (row[2] == "succeeded") == (paid > Decimal::ZERO) && paid >= Decimal::ZERO;
    (plausible && row[5].parse::<jiff::Timestamp>().is_ok()).then_some(row)
}
