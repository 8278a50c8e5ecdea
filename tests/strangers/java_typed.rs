//! Strict types in the manner of a Java shop with Jackson beans: unknown properties are ignored, missing ones are null, a value
//! of the wrong type is a bad request. Entities are saved by a repository and an order is assembled from its entities.

use std::collections::BTreeMap;

use jiff::Timestamp;
use refundproof::{
    adapter::{Capabilities, Observable},
    case::OrderSetup,
};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Number, Value, value::RawValue};

use crate::Shop;

#[derive(Default)]
pub(crate) struct Bean {
    provider: String,
    orders: BTreeMap<String, OrderEntity>,
    refunds: BTreeMap<String, RefundEntity>,
    charges: BTreeMap<String, ChargeEntity>,
}

struct OrderEntity {
    currency: String,
    captured: Decimal,
    chargebacks: u32,
}

struct RefundEntity {
    order_id: String,
    status: Status,
    changed: Timestamp,
    amount: Decimal,
    refunded: Decimal,
}

struct ChargeEntity {
    order_id: String,
    changed: Timestamp,
    completed: Decimal,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
enum Status {
    Failed,
    Requested,
    Pending,
    PendingInformation,
    #[serde(alias = "complete")]
    Succeeded,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventBean<'a> {
    r#type: Option<String>,
    #[serde(alias = "created_at")]
    created_time: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct DataBean<T> {
    object: Option<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefundBean {
    id: Option<String>,
    #[serde(alias = "payin")]
    order_id: Option<String>,
    currency: Option<String>,
    amount: Option<Number>,
    refunded_amount: Option<Number>,
    #[serde(alias = "status")]
    state: Option<Status>,
    items: Option<Vec<ItemBean>>,
}

#[derive(Deserialize)]
struct ItemBean {
    amount: Option<Number>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChargeBean {
    id: Option<String>,
    order_id: Option<String>,
    refunds: Option<Vec<EntryBean>>,
}

#[derive(Deserialize)]
struct EntryBean {
    amount: Option<Number>,
    state: Option<Status>,
}

#[derive(Deserialize)]
struct OrderBean {
    id: Option<String>,
}

struct BadRequest(u16);

impl<E: std::error::Error> From<E> for BadRequest {
    fn from(_: E) -> BadRequest {
        BadRequest(400)
    }
}

fn required<T>(value: Option<T>) -> Result<T, BadRequest> {
    value.ok_or(BadRequest(400))
}

fn decimal(number: Option<Number>) -> Result<Decimal, BadRequest> {
    let number = required(number)?;
    let value = number.to_string().parse::<Decimal>().or_else(|_| Decimal::from_scientific(&number.to_string()))?;
    if value < Decimal::ZERO { Err(BadRequest(400)) } else { Ok(value) }
}

impl Shop for Bean {
    fn claims(&self) -> Capabilities {
        let observes = vec![Observable::Currency, Observable::Refunds, Observable::AvailableToRefundAmount];
        // What is charged back is not known here, so what is left is not either.
        let observes = if self.provider == "tazapay" { observes } else { observes[..2].to_vec() };
        Capabilities::new().with(|claims| {
            claims.observes = observes;
            claims.subscribes = Some(["refund.*", "order.charge.refund.complete", "order.chargeback"].map(str::to_owned).to_vec());
            claims.concurrency = 2;
        })
    }

    fn greet(&mut self, provider: &str, _: &str) {
        provider.clone_into(&mut self.provider);
    }

    fn sold(&mut self, order: &OrderSetup) {
        self.orders.entry(order.order_id.clone()).or_insert_with(|| OrderEntity {
            currency: order.currency.clone(),
            captured: order.captured_amount.to_string().parse().expect("an amount"),
            chargebacks: 0,
        });
    }

    fn post(&mut self, _: &[(String, String)], body: &[u8]) -> u16 {
        match self.dispatch(body) {
            Ok(()) => 200,
            Err(BadRequest(status)) => status,
        }
    }

    fn page(&mut self, order_id: &str) -> Option<Value> {
        let order = self.orders.get(order_id)?;
        let refunds = || self.refunds.iter().filter(|(_, refund)| refund.order_id == order_id);
        let by_refunds: Decimal = refunds().map(|(_, refund)| refund.refunded).sum();
        let by_charges: Decimal = self.charges.values().filter(|charge| charge.order_id == order_id).map(|charge| charge.completed).sum();
        let paid = Decimal::max(by_refunds, by_charges);
        let most = refunds().map(|(_, refund)| refund.status).filter(|status| *status != Status::Succeeded).max();
        let status = match (order.chargebacks, paid.cmp(&order.captured), paid.is_zero(), most) {
            (1.., ..) => "charged_back",
            (_, std::cmp::Ordering::Less, false, _) => "partially_refunded",
            (_, _, false, _) => "refunded",
            (_, _, true, None | Some(Status::Succeeded)) => "not_refunded",
            (_, _, true, Some(Status::Requested)) => "pending",
            (_, _, true, Some(word)) => name(word),
        };
        let open = refunds().filter(|(_, refund)| !matches!(refund.status, Status::Succeeded | Status::Failed));
        let left = order.captured - paid - open.map(|(_, refund)| refund.amount).sum::<Decimal>();
        let mut list = Vec::new();
        for (id, refund) in refunds() {
            let (amount, refunded) = (refund.amount.to_string(), refund.refunded.to_string());
            list.push(serde_json::json!({"id": id, "state": name(refund.status), "amount": amount, "refundedAmount": refunded}));
        }
        let mut page = serde_json::json!({"orderId": order_id, "status": status, "refundedAmount": paid.to_string()});
        page["currency"] = order.currency.clone().into();
        page["availableToRefundAmount"] = left.to_string().into();
        page["refunds"] = list.into();
        Some(page)
    }
}

fn name(status: Status) -> &'static str {
    match status {
        Status::Failed => "failed",
        Status::Requested => "requested",
        Status::Pending => "pending",
        Status::PendingInformation => "pending_information",
        Status::Succeeded => "succeeded",
    }
}

impl Bean {
    fn dispatch(&mut self, body: &[u8]) -> Result<(), BadRequest> {
        let event: EventBean<'_> = serde_json::from_str(std::str::from_utf8(body)?)?;
        let kind = required(event.r#type)?;
        let created: Option<Timestamp> = event.created_time.map(|text| text.parse()).transpose()?;
        match kind.as_str() {
            _ if kind.starts_with("refund.") => {
                let data = required(event.data)?.get();
                let bean = if self.provider == "tazapay" {
                    serde_json::from_str(data)?
                } else {
                    required(serde_json::from_str::<DataBean<RefundBean>>(data)?.object)?
                };
                self.refund(required(created)?, bean)
            }
            "order.charge.refund.complete" => {
                let bean = serde_json::from_str::<DataBean<ChargeBean>>(required(event.data)?.get())?;
                self.charge(required(created)?, required(bean.object)?)
            }
            "order.chargeback" => {
                let bean = serde_json::from_str::<DataBean<OrderBean>>(required(event.data)?.get())?;
                let id = required(required(bean.object)?.id)?;
                self.orders.get_mut(&id).ok_or(BadRequest(404))?.chargebacks += 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn refund(&mut self, changed: Timestamp, bean: RefundBean) -> Result<(), BadRequest> {
        let (id, order_id, status) = (required(bean.id)?, required(bean.order_id)?, required(bean.state)?);
        let (amount, refunded) = if self.provider == "tazapay" {
            let hundredths: i64 = required(required(bean.amount)?.as_i64())?;
            let amount = Decimal::new(hundredths, 2);
            (amount, if status == Status::Succeeded { amount } else { Decimal::ZERO })
        } else {
            let amount = match bean.amount {
                Some(amount) => decimal(Some(amount))?,
                None => {
                    let items = required(bean.items)?;
                    items.into_iter().map(|item| decimal(item.amount)).sum::<Result<Decimal, BadRequest>>()?
                }
            };
            (amount, decimal(bean.refunded_amount)?)
        };
        let order = self.orders.get(&order_id).ok_or(BadRequest(404))?;
        if bean.currency.is_some_and(|currency| currency != order.currency) || amount > order.captured || refunded > amount {
            return Err(BadRequest(422));
        }
        if (status == Status::Succeeded) == refunded.is_zero() {
            return Err(BadRequest(422));
        }
        let told = RefundEntity { order_id, status, changed, amount, refunded };
        match self.refunds.get_mut(&id) {
            None => {
                self.refunds.insert(id, told);
            }
            Some(old) => {
                let is_final = |status| matches!(status, Status::Succeeded | Status::Failed);
                if !is_final(old.status) && (is_final(status) || changed > old.changed) {
                    *old = told;
                }
            }
        }
        Ok(())
    }

    fn charge(&mut self, changed: Timestamp, bean: ChargeBean) -> Result<(), BadRequest> {
        let (id, order_id) = (required(bean.id)?, required(bean.order_id)?);
        let mut completed = Decimal::ZERO;
        for entry in required(bean.refunds)? {
            if required(entry.state)? == Status::Succeeded {
                completed += decimal(entry.amount)?;
            }
        }
        let order = self.orders.get(&order_id).ok_or(BadRequest(404))?;
        if completed.is_zero() || completed > order.captured {
            return Err(BadRequest(422));
        }
        let told = ChargeEntity { order_id, changed, completed };
        if self.charges.get(&id).is_none_or(|old| old.changed < changed) {
            self.charges.insert(id, told);
        }
        Ok(())
    }
}
