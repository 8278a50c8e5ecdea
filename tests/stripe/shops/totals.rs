//! Listens to `charge.refunded` alone and believes the newest total of each charge.

use std::collections::HashMap;

use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use serde_json::{Value, json};

use super::{Shop, wire};

#[derive(Default)]
pub(crate) struct Cashier {
    receipts: Vec<Receipt>,
}

struct Receipt {
    order_id: String,
    currency: String,
    captured: i64,
    names: Vec<String>,
    /// Of each charge when it was told, and how much; of two in one second the higher is the later.
    refunded: HashMap<String, (i64, i64)>,
}

impl Shop for Cashier {
    fn claims(&self) -> Capabilities {
        Capabilities::new().with(|claims| {
            claims.observes = vec![Observable::Currency];
            claims.subscribes = Some(vec!["charge.refunded".to_owned()]);
        })
    }

    fn sold(&mut self, order: &OrderSetup) {
        if self.receipts.iter().any(|receipt| receipt.order_id == order.order_id) {
            return;
        }
        let charges = order.charges.iter().map(|charge| charge.id.clone());
        self.receipts.push(Receipt {
            order_id: order.order_id.clone(),
            currency: order.currency.clone(),
            captured: wire::smallest(&order.captured_amount.to_string(), &order.currency),
            names: charges.chain(order.payment_intent_id.clone()).collect(),
            refunded: HashMap::new(),
        });
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        let Ok(whole) = serde_json::from_slice::<Value>(body) else { return 400 };
        match wire::kind(&whole) {
            None => return 400,
            Some("charge.refunded") => {}
            Some(_) => return 204,
        }
        let Some(event) = wire::event(&whole) else { return 400 };
        let Some(charge) = wire::charge(&event.object) else { return 400 };
        let is_of = |receipt: &&mut Receipt| charge.payment.ids().any(|id| receipt.names.iter().any(|name| name == id));
        let Some(receipt) = self.receipts.iter_mut().find(is_of) else { return 404 };
        if charge.amount_refunded > receipt.captured || !charge.currency.eq_ignore_ascii_case(&receipt.currency) {
            return 422;
        }
        let told = (event.created, charge.amount_refunded);
        receipt.refunded.entry(charge.id).and_modify(|known| *known = told.max(*known)).or_insert(told);
        204
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let receipt = self.receipts.iter().find(|receipt| receipt.order_id == order_id)?;
        let refunded: i64 = receipt.refunded.values().map(|(_, total)| total).sum();
        let status = match refunded {
            0 => "not_refunded",
            _ if refunded == receipt.captured => "refunded",
            _ => "partially_refunded",
        };
        let amount = wire::major(refunded, &receipt.currency);
        Some(json!({"orderId": order_id, "status": status, "refundedAmount": amount, "currency": receipt.currency}))
    }
}
