//! Whether what a case file says can be played: what its orders are, and that nothing is said of another.

use std::collections::BTreeMap;

use super::{Act, Case, Entry, OrderSetup};
use crate::{domain::Amount, model::Expectation};

impl Case {
    /// Whether it can be played as it stands.
    ///
    /// # Errors
    /// The field at which it cannot, and why.
    pub(super) fn holds_together(&self) -> Result<(), String> {
        self.orders_are_sound()?;
        for (index, entry) in self.entries.iter().enumerate() {
            self.is_sound_entry(entry).map_err(|problem| format!("field `entries[{index}].{problem}"))?;
            for delivery in entry.act.deliveries() {
                are_sendable(&delivery.headers)
                    .map_err(|problem| format!("field `entries[{index}]`: event `{}`: {problem}", delivery.event.id))?;
            }
        }
        self.orders_become_known_in_time()?;
        let ends = self.are_known("expect", &self.expect).and_then(|()| self.are_known("expectIfApplied", &self.expect_if_applied));
        ends.map_err(|problem| format!("field `{problem}"))
    }

    fn orders_are_sound(&self) -> Result<(), String> {
        if self.orders.is_empty() {
            return Err("field `orders`: is empty; a case needs an order".to_owned());
        }
        for (index, order) in self.orders.iter().enumerate() {
            if self.orders[..index].iter().any(|other| other.order_id == order.order_id) {
                return Err(format!("field `orders[{index}].orderId`: `{}` is there twice", order.order_id));
            }
            is_sound_order(order).map_err(|problem| format!("field `orders[{index}].{problem}"))?;
        }
        Ok(())
    }

    /// The error begins with the member.
    fn is_sound_entry(&self, entry: &Entry) -> Result<(), String> {
        self.are_known("expect", &entry.expect)?;
        self.are_known("expectIfRefused", &entry.expect_if_refused)?;
        match &entry.act {
            Act::Together(deliveries) if deliveries.is_empty() => Err("together`: is empty; leave the entry out".to_owned()),
            Act::Initiate(own) => self.is_known("initiate", &own.order_id),
            Act::Meanwhile(own, _) => self.is_known("meanwhile", &own.order_id),
            _ => Ok(()),
        }
    }

    fn are_known(&self, member: &str, expected: &[Expectation]) -> Result<(), String> {
        expected.iter().try_for_each(|expected| self.is_known(member, &expected.order_id))
    }

    /// The error begins with the member.
    fn is_known(&self, member: &str, id: &str) -> Result<(), String> {
        let is_there = self.orders.iter().any(|order| order.order_id == id);
        if is_there { Ok(()) } else { Err(format!("{member}`: order `{id}` is not among `orders`")) }
    }

    fn orders_become_known_in_time(&self) -> Result<(), String> {
        let mut begun: Vec<&str> = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let Act::Begin(order_id) = &entry.act else { continue };
            self.is_known("begin", order_id).map_err(|problem| format!("field `entries[{index}].{problem}"))?;
            if begun.contains(&order_id.as_str()) {
                return Err(format!("field `entries[{index}].begin`: order `{order_id}` became known before"));
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

/// Whether there can be such an order. The error begins with the member.
fn is_sound_order(order: &OrderSetup) -> Result<(), String> {
    if order.order_id.is_empty() {
        return Err("orderId`: is empty".to_owned());
    }
    let is_code = order.currency.len() == 3 && order.currency.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !is_code {
        return Err(format!("currency`: `{}` is no code of ISO 4217, such as USD", order.currency));
    }
    let below = |member: String, amount: Amount| Err(format!("{member}`: {amount} is less than nothing"));
    if order.captured_amount.is_negative() {
        return below("capturedAmount".to_owned(), order.captured_amount);
    }
    if let Some((index, charge)) = order.charges.iter().enumerate().find(|(_, charge)| charge.captured_amount.is_negative()) {
        return below(format!("charges[{index}].capturedAmount"), charge.captured_amount);
    }
    if let Some((index, item)) = order.items.iter().enumerate().find(|(_, item)| item.amount.is_negative()) {
        return below(format!("items[{index}].amount"), item.amount);
    }
    Ok(())
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
    use crate::case::{
        ChargeSetup, Delivery, ItemSetup,
        by_hand::{case, deliver, own, paid},
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
    fn check(change: impl FnOnce(&mut Case), field: &str) {
        check_any(change, &format!("{field}`: order `other` is not among `orders`"));
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
