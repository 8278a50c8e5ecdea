//! Whether what a case file says can be played: what its orders are, and that nothing is said of another.

use std::collections::BTreeMap;

use super::{Act, Case, OrderSetup, OwnRefund};
use crate::model::Expectation;

impl Case {
    /// Whether it can be played as it stands.
    ///
    /// # Errors
    /// The field at which it cannot, and why.
    pub(super) fn holds_together(&self) -> Result<(), String> {
        self.orders_are_sound()?;
        self.entries_are_sound()?;
        self.orders_become_known_in_time()?;
        self.are_known("expect", &self.expect)?;
        self.are_known("expectIfApplied", &self.expect_if_applied)
    }

    fn is_order(&self, id: &str) -> bool {
        self.orders.iter().any(|order| order.order_id == id)
    }

    fn orders_are_sound(&self) -> Result<(), String> {
        if self.orders.is_empty() {
            return Err("field `orders`: is empty; a case needs an order".to_owned());
        }
        for (index, order) in self.orders.iter().enumerate() {
            if self.orders[..index].iter().any(|other| other.order_id == order.order_id) {
                return Err(format!("field `orders[{index}].orderId`: `{}` is there twice", order.order_id));
            }
            is_sound(order).map_err(|(member, problem)| format!("field `orders[{index}].{member}`: {problem}"))?;
        }
        Ok(())
    }

    fn entries_are_sound(&self) -> Result<(), String> {
        for (index, entry) in self.entries.iter().enumerate() {
            let field = |member: &str| format!("entries[{index}].{member}");
            self.are_known(&field("expect"), &entry.expect)?;
            self.are_known(&field("expectIfRefused"), &entry.expect_if_refused)?;
            match &entry.act {
                Act::Together(deliveries) if deliveries.is_empty() => {
                    return Err(format!("field `{}`: is empty; leave the entry out", field("together")));
                }
                Act::Initiate(own) => self.is_own_refund(&field("initiate"), own)?,
                Act::Meanwhile(own, _) => self.is_own_refund(&field("meanwhile"), own)?,
                _ => {}
            }
            for delivery in entry.act.deliveries() {
                are_sendable(&delivery.headers)
                    .map_err(|problem| format!("field `entries[{index}]`: event `{}`: {problem}", delivery.event.id))?;
            }
        }
        Ok(())
    }

    fn is_own_refund(&self, field: &str, own: &OwnRefund) -> Result<(), String> {
        if self.is_order(&own.order_id) { Ok(()) } else { Err(format!("field `{field}`: order `{}` is not among `orders`", own.order_id)) }
    }

    fn are_known(&self, field: &str, expected: &[Expectation]) -> Result<(), String> {
        let stranger = expected.iter().find(|expected| !self.is_order(&expected.order_id));
        stranger.map_or(Ok(()), |stranger| Err(format!("field `{field}`: order `{}` is not among `orders`", stranger.order_id)))
    }

    fn orders_become_known_in_time(&self) -> Result<(), String> {
        let mut begun: Vec<&str> = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let Act::Begin(order_id) = &entry.act else { continue };
            let is_order = self.is_order(order_id);
            if !is_order || begun.contains(&order_id.as_str()) {
                let why = if is_order { "became known before" } else { "is not among `orders`" };
                return Err(format!("field `entries[{index}].begin`: order `{order_id}` {why}"));
            }
            let is_it = |own: &str| own == order_id.as_str();
            let before = self.entries[..index].iter().position(|entry| match &entry.act {
                Act::Initiate(own) | Act::Meanwhile(own, _) if is_it(&own.order_id) => true,
                _ => entry.expect.iter().chain(&entry.expect_if_refused).any(|expected| is_it(&expected.order_id)),
            });
            if let Some(before) = before {
                return Err(format!("field `entries[{before}]`: order `{order_id}` is not known yet; entries[{index}] makes it so"));
            }
            begun.push(order_id);
        }
        Ok(())
    }
}

/// Whether there can be such an order; the member at which there cannot, and why.
fn is_sound(order: &OrderSetup) -> Result<(), (String, String)> {
    if order.order_id.is_empty() {
        return Err(("orderId".to_owned(), "is empty".to_owned()));
    }
    let is_code = order.currency.len() == 3 && order.currency.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_code {
        return Err(("currency".to_owned(), format!("`{}` is no code of ISO 4217, such as USD", order.currency)));
    }
    let charges =
        order.charges.iter().enumerate().map(|(index, charge)| (format!("charges[{index}].capturedAmount"), charge.captured_amount));
    let items = order.items.iter().enumerate().map(|(index, item)| (format!("items[{index}].amount"), item.amount));
    let mut amounts = std::iter::once(("capturedAmount".to_owned(), order.captured_amount)).chain(charges).chain(items);
    amounts
        .find(|(_, amount)| amount.is_negative())
        .map_or(Ok(()), |(member, amount)| Err((member, format!("{amount} is less than nothing"))))
}

/// Whether these can be sent as headers over HTTP (RFC 9110, "Field Names" and "Field Values").
fn are_sendable(headers: &BTreeMap<String, String>) -> Result<(), String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    for (name, value) in headers {
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("`{}` can be no name of a header", name.escape_debug()));
        }
        if value.chars().any(|letter| letter.is_control() && letter != '\t') {
            return Err(format!("the value of header `{name}` holds a line end or another control character"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        case::{
            ChargeSetup, Delivery, ItemSetup,
            by_hand::{case, deliver, own, paid},
        },
        domain::Amount,
    };

    #[track_caller]
    fn check_any(change: impl FnOnce(&mut Case), problem: &str) {
        let mut case = case(&["one"], vec![deliver(paid("one", "re"))]);
        change(&mut case);
        let error = Case::from_json("case.json", &case.to_json()).expect_err("it cannot be played");
        assert_eq!(error.to_string(), format!("case.json: field `{problem}"));
    }

    #[test]
    fn orders_that_cannot_be() {
        let below = Amount::parse("-0.01").expect("an amount");
        check_any(|case| case.orders[0].captured_amount = below, "orders[0].capturedAmount`: -0.01 is less than nothing");
        check_any(
            |case| case.orders[0].currency = "dollars".to_owned(),
            "orders[0].currency`: `dollars` is no code of ISO 4217, such as USD",
        );
        check_any(|case| case.orders[0].order_id.clear(), "orders[0].orderId`: is empty");
        let charge = ChargeSetup { id: "ch".to_owned(), captured_amount: below };
        check_any(|case| case.orders[0].charges = vec![charge], "orders[0].charges[0].capturedAmount`: -0.01 is less than nothing");
        let item = ItemSetup { item_id: "item".to_owned(), quantity: 1, amount: below };
        check_any(|case| case.orders[0].items = vec![item], "orders[0].items[0].amount`: -0.01 is less than nothing");
    }

    #[track_caller]
    fn check_header(name: &str, value: &str, problem: &str) {
        let headers = Arc::new(BTreeMap::from([(name.to_owned(), value.to_owned())]));
        let delivery = Delivery { headers, ..paid("one", "re") };
        check_any(|case| case.entries[0].act = deliver(delivery), &format!("entries[0]`: event `event of re`: {problem}"));
    }

    #[test]
    fn headers_that_cannot_be_sent() {
        check_header("x-note", "a\r\nb: c", "the value of header `x-note` holds a line end or another control character");
        check_header("x-note", "a\0", "the value of header `x-note` holds a line end or another control character");
        check_header("x\n", "a", "`x\\n` can be no name of a header");
        check_header("", "a", "`` can be no name of a header");
        let headers = Arc::new(BTreeMap::from([("x-note".to_owned(), "a\tb ü".to_owned())]));
        let case = case(&["one"], vec![deliver(Delivery { headers, ..paid("one", "re") })]);
        assert_eq!(Case::from_json("case.json", &case.to_json()), Ok(case));
    }

    #[test]
    fn nothing_together() {
        check_any(|case| case.entries[0].act = Act::Together(Vec::new()), "entries[0].together`: is empty; leave the entry out");
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Case), problem: &str) {
        let mut case = case(&["one"], vec![Act::Restart]);
        change(&mut case);
        let error = Case::from_json("case.json", &case.to_json()).expect_err("an order is unknown");
        assert_eq!(error.to_string(), format!("case.json: field `{problem}`: order `other` is not among `orders`"));
    }

    /// What is said of an order that is not there would never be looked at.
    #[test]
    fn orders_that_are_not_there() {
        let stranger = |case: &Case| Expectation { order_id: "other".to_owned(), ..case.expect[0].clone() };
        check(|case| case.entries[0].act = Act::Initiate(own("other", "re")), "entries[0].initiate");
        check(|case| case.entries[0].act = Act::Meanwhile(own("other", "re"), Vec::new()), "entries[0].meanwhile");
        check(|case| case.entries[0].expect = vec![stranger(case)], "entries[0].expect");
        check(|case| case.entries[0].expect_if_refused = vec![stranger(case)], "entries[0].expectIfRefused");
        check(|case| case.expect = vec![stranger(case)], "expect");
        check(|case| case.expect_if_applied = vec![stranger(case)], "expectIfApplied");
    }
}
