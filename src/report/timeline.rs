//! A case as a numbered timeline: what is sent, what it tells, what it suffers on the way.

use std::io::{self, Write};

use super::{
    others::Others,
    shared::visible_line,
    style::{Tone, cut, paint, wrap},
};
use crate::{
    case::{Act, Case, Delivery, Effect, OrderSetup, OwnRefund, OwnRefundDetails},
    domain::{Currency, EventTime},
    json::Value,
    model::{Entry, EventFacts, PictureIn, Tell},
    provider::{Provider, named},
};

/// Writes the orders and the entries of a case. `answers` are put beside the deliveries that were sent.
///
/// # Errors
/// When the writer fails.
pub fn write<'c>(out: &mut dyn Write, case: &'c Case, answers: Option<&'c [String]>, columns: usize) -> io::Result<()> {
    let others = Others::of(case);
    let mut texts = order_texts(case);
    if others.count() > 1 {
        texts.truncate(case.orders.len() - others.count());
        texts.push(format!("and {} other orders", others.count()));
    }
    for text in texts {
        for (number, line) in wrap(&text, columns.saturating_sub(6)).iter().enumerate() {
            writeln!(out, "{}{line}", if number == 0 { "  " } else { "      " })?;
        }
    }
    let mut line = Line { case, columns, answers: answers.unwrap_or_default().iter(), decisive: Decisive::of(case), number: 0 };
    let mut place = 0;
    while let Some(entry) = case.entries.get(place) {
        let about_others = others.run(&case.entries[place..]);
        if about_others > 1 {
            writeln!(out, "{}", others.text(line.number + 1, about_others, line.answers.by_ref().take(about_others)))?;
            line.number += about_others;
            place += about_others;
            continue;
        }
        place += 1;
        match &entry.act {
            Act::Deliver(delivery) => line.sent(out, delivery, false)?,
            Act::Together(deliveries) => deliveries.iter().try_for_each(|delivery| line.sent(out, delivery, true))?,
            Act::Initiate(own) => note(out, &own_text(own), columns)?,
            Act::Meanwhile(own, deliveries) => {
                note(out, &meanwhile_text(own), columns)?;
                deliveries.iter().try_for_each(|delivery| line.sent(out, delivery, true))?;
            }
            Act::Restart => writeln!(out, "    * {RESTART}")?,
            Act::Begin(order_id) => note(out, &known_text(order_id), columns)?,
            Act::Advance(seconds) => writeln!(out, "    * {}", time_text(*seconds))?,
        }
    }
    Ok(())
}

/// How far a timeline is written.
struct Line<'c> {
    case: &'c Case,
    columns: usize,
    answers: std::slice::Iter<'c, String>,
    decisive: Decisive<'c>,
    /// How many deliveries are written.
    number: usize,
}

impl<'c> Line<'c> {
    fn sent(&mut self, out: &mut dyn Write, delivery: &'c Delivery, together: bool) -> io::Result<()> {
        self.number += 1;
        let number = self.number;
        let number_text = if together { format!("{number:>2}=") } else { format!("{number:>3}") };
        delivery_lines(out, self.case, &number_text, delivery, self.answers.next(), self.columns)?;
        for line in self.decisive.lines(number, delivery) {
            writeln!(out, "      {}", paint(Tone::Faint, &cut(&line, self.columns.saturating_sub(6))))?;
        }
        Ok(())
    }
}

/// The orders of a case, each with what it has that a plain one has not.
pub(super) fn order_texts(case: &Case) -> Vec<String> {
    let plans = case.plan.as_ref().map(|plan| &plan.orders[..]).unwrap_or_default();
    let text = |(place, order): (usize, &OrderSetup)| {
        let extras: Vec<&str> = plans.get(place).map(|plan| plan.extras.iter().map(|extra| extra.as_str()).collect()).unwrap_or_default();
        let with = if extras.is_empty() { String::new() } else { format!("; with {}", extras.join(", ")) };
        order_text(order) + &with
    };
    case.orders.iter().enumerate().map(text).collect()
}

/// What may decide and nothing else shows: members that plain events do not have, text that is not plain, and times within one
/// second.
pub(super) struct Decisive<'c> {
    provider: Option<&'static dyn Provider>,
    /// The events so far that tell something, by the numbers of their deliveries.
    known: Vec<(usize, &'c EventFacts)>,
}

impl<'c> Decisive<'c> {
    pub(super) fn of(case: &Case) -> Decisive<'c> {
        Decisive { provider: named(&case.provider).map(|registered| registered.embedded()), known: Vec::new() }
    }

    /// What may decide of the next delivery.
    pub(super) fn lines(&mut self, number: usize, delivery: &'c Delivery) -> Vec<String> {
        let event = &delivery.event;
        let telling = self.provider.map(|provider| provider.telling_members(&event.kind)).unwrap_or_default();
        let mut lines = said(telling, delivery.body.text().unwrap_or_default());
        let is_tied = |other: &&(usize, &EventFacts)| {
            let (one, other) = (&event.created_time, &other.1.created_time);
            let second = |time: &EventTime| time.micros().div_euclid(1_000_000);
            second(one) == second(other) && one != other
        };
        let is_other = |(_, other): &&(usize, &EventFacts)| other.id != event.id && other.order_id == event.order_id;
        if let Some((before, other)) = self.known.iter().rev().filter(is_other).find(is_tied) {
            let apart = event.created_time.micros() - other.created_time.micros();
            let when = if apart < 0 { "before" } else { "after" };
            let seconds = format!("0.{:06}", apart.unsigned_abs());
            lines.push(format!("{} s {when} {before}, in the same second", seconds.trim_end_matches('0')));
        }
        if !event.tells.is_empty() {
            self.known.push((number, event));
        }
        lines
    }
}

/// Members that plain events do not have, and the first text that is long, no ASCII, or has marks that mean something where texts are
/// put together.
fn said(telling: &[&str], body: &str) -> Vec<String> {
    let Ok(body) = serde_json::from_str::<Value>(body) else { return Vec::new() };
    let shown = |text: &str| visible_line(&shorten_text(text));
    let name = |place: &str| place.rsplit('/').next().unwrap_or_default().to_owned();
    let member = |place: &&str| Some((name(place), body.pointer(place)?.as_str().filter(|text| !text.is_empty())?));
    let told: Vec<(String, &str)> = telling.iter().filter_map(member).collect();
    let mut said: Vec<String> = told.iter().map(|(name, text)| format!("{name}: {}", shown(text))).collect();
    if let Some((name, odd)) = odd_text(&body).filter(|(_, odd)| told.iter().all(|(_, text)| text != odd)) {
        said.push(format!("text that is not plain: {} {}", shown(&name), shown(&odd)).trim_end().to_owned());
    }
    said
}

/// The first text in a body, a member's name or its value, that is not plain.
fn odd_text(value: &Value) -> Option<(String, String)> {
    let is_odd = |text: &str| !text.is_ascii() || text.len() > LONG || text.contains(['"', '\\']);
    match value {
        Value::Object(members) => members.iter().find_map(|(name, value)| match value {
            Value::String(text) if is_odd(name) || is_odd(text) => Some((name.clone(), text.clone())),
            _ if is_odd(name) => Some((name.clone(), String::new())),
            other => odd_text(other),
        }),
        Value::Array(values) => values.iter().find_map(odd_text),
        _ => None,
    }
}

/// Text that is longer than this does not fit where most shops put it.
const LONG: usize = 255;

fn shorten_text(text: &str) -> String {
    let length = text.chars().count();
    if length <= 70 { text.to_owned() } else { format!("{}… ({length} letters)", text.chars().take(40).collect::<String>()) }
}

fn note(out: &mut dyn Write, text: &str, columns: usize) -> io::Result<()> {
    for (number, line) in wrap(text, columns.saturating_sub(6)).iter().enumerate() {
        writeln!(out, "{}{line}", if number == 0 { "    * " } else { "      " })?;
    }
    Ok(())
}

fn delivery_lines(
    out: &mut dyn Write,
    case: &Case,
    number: &str,
    delivery: &Delivery,
    answer: Option<&String>,
    columns: usize,
) -> io::Result<()> {
    let answer = match answer.map(String::as_str) {
        None => String::new(),
        Some("") => "  → no answer".to_owned(),
        Some(status) => format!("  → {}", visible_line(status)),
    };
    let marks = marks(delivery);
    let marks = if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join("; ")) };
    let kind = visible_line(&delivery.event.kind);
    let width: usize = [number, " ", &kind, &marks, &answer].iter().map(|part| part.chars().count()).sum();
    if width <= columns {
        writeln!(out, "{number} {}{}{answer}", paint(Tone::Strong, &kind), paint(Tone::Odd, &marks))?;
    } else {
        writeln!(out, "{number} {}{answer}", paint(Tone::Strong, &kind))?;
        for line in wrap(&marks, columns.saturating_sub(6)) {
            writeln!(out, "      {}", paint(Tone::Odd, &line))?;
        }
    }
    for tell in &delivery.event.tells {
        writeln!(out, "      {}", paint(Tone::Faint, &cut(&tell_text(case, delivery, tell), columns.saturating_sub(6))))?;
    }
    if case.orders.len() > 1
        && let Some(order) = &delivery.event.order_id
    {
        writeln!(out, "      {}", paint(Tone::Faint, &format!("order {}", visible_line(order))))?;
    }
    Ok(())
}

/// What is special about a delivery: what it suffers on the way, and what must happen with it.
pub fn marks(delivery: &Delivery) -> Vec<String> {
    let mut marks: Vec<String> = delivery.mutation.iter().chain(&delivery.fault).map(|mark| visible_line(mark)).collect();
    marks.extend(delivery.mishap.map(|mishap| mishap.as_str().to_owned()));
    marks.extend(delivery.api.map(|fault| fault.as_str().to_owned()));
    match delivery.effect {
        Effect::Accept => {}
        Effect::Ignore => marks.push("changes nothing".to_owned()),
        Effect::Reject => marks.push("must not be acknowledged".to_owned()),
        Effect::Refuse => marks.push("must be refused".to_owned()),
        Effect::Tolerate => marks.push("may be processed or refused".to_owned()),
    }
    marks
}

/// An order as it is before the first delivery, in words.
fn order_text(order: &OrderSetup) -> String {
    let digits = Currency::from_code(&order.currency).map_or(2, Currency::digits);
    let charges = match order.charges.len() {
        0 => String::new(),
        1 => " on one charge".to_owned(),
        several => format!(" on {several} charges"),
    };
    let amount = order.captured_amount.to_fixed(digits);
    visible_line(&format!("order {}: {amount} {} captured{charges}", order.order_id, order.currency))
}

/// A refund that the shop made itself, in words.
pub fn own_text(own: &OwnRefund) -> String {
    let OwnRefundDetails { id, amount, currency, .. } = &own.refund;
    visible_line(&format!("the shop makes refund {id} of {amount} {currency}; what is told of it is dated just after that"))
}

/// A restart, in words.
pub const RESTART: &str = "the target is killed and started again";

/// A refund that the shop makes itself, and what is delivered while the provider's API has not answered yet.
pub fn meanwhile_text(own: &OwnRefund) -> String {
    format!("{}; before the provider's API answers:", own_text(own))
}

/// An order that becomes known, in words.
pub fn known_text(order_id: &str) -> String {
    visible_line(&format!("order {order_id} becomes known to the target, by a further `begin`; what it refused before is sent again"))
}

/// What a case says of time that passes.
pub fn time_text(seconds: u64) -> String {
    match (seconds / 3600, seconds % 3600) {
        (1, 0) => "an hour passes".to_owned(),
        (hours, 0) => format!("{hours} hours pass"),
        (_, _) => format!("{seconds} seconds pass"),
    }
}

/// One thing that an event tells, in words.
pub fn tell_text(case: &Case, delivery: &Delivery, tell: &Tell) -> String {
    let order = case.orders.iter().find(|order| Some(&order.order_id) == delivery.event.order_id.as_ref());
    let digits = order.and_then(|order| Currency::from_code(&order.currency)).map_or(2, Currency::digits);
    match tell {
        Tell::Refund { id, state, amount, refunded_amount, in_passing } => {
            let place = if *in_passing { " (in passing)" } else { "" };
            let paid = if refunded_amount.is_zero() { String::new() } else { format!(", {} paid back", refunded_amount.to_fixed(digits)) };
            format!("refund {} of {}{place}: {state}{paid}", shorten(id), amount.to_fixed(digits))
        }
        Tell::Charge { id, within, refunds } => {
            let entry = |entry: &Entry| {
                let state = if entry.state.as_str() == "succeeded" { "complete" } else { entry.state.as_str() };
                format!("{} {state}", entry.amount.to_fixed(digits))
            };
            let entries: Vec<String> = refunds.iter().map(entry).collect();
            let place = if *within == PictureIn::Elsewhere { " (in passing)" } else { "" };
            let entries = if entries.is_empty() { "no refunds".to_owned() } else { entries.join(", ") };
            format!("charge {}{place}: {entries}", shorten(id))
        }
        Tell::Order { refunded_amount, available_to_refund_amount, .. } => {
            format!("order: {} paid back, {} available", refunded_amount.to_fixed(digits), available_to_refund_amount.to_fixed(digits))
        }
        Tell::Chargeback => "there is a chargeback".to_owned(),
        Tell::Total { id, refunded_amount, in_passing, .. } => {
            let place = if *in_passing { " (in passing)" } else { "" };
            format!("charge {}{place}: {} refunded so far", shorten(id), refunded_amount.to_fixed(digits))
        }
        Tell::Dispute { id, taken_amount, .. } if taken_amount.is_zero() => format!("dispute {}: takes nothing", shorten(id)),
        Tell::Dispute { id, taken_amount, .. } => format!("dispute {}: takes {}", shorten(id), taken_amount.to_fixed(digits)),
    }
}

/// The first part of a UUID tells it apart well enough for reading.
fn shorten(id: &str) -> String {
    let id = &visible_line(id);
    match id.match_indices('-').next() {
        Some((end, _)) if id.len() > 20 => format!("{}…", &id[..end]),
        _ => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &[&str]) {
        assert_eq!(said(&["/object/type", "/object/reason"], body), expected, "{body}");
    }

    #[test]
    fn what_plain_events_do_not_have_is_said() {
        check(r#"{"object":{"id":"1","reason":"lost","type":"shipping"}}"#, &["type: shipping", "reason: lost"]);
        check(r#"{"object":{"id":"1","reason":null,"type":""}}"#, &[]);
        check("no JSON", &[]);
    }

    #[test]
    fn a_text_that_is_not_plain_is_said() {
        check(r#"{"object":{"note":"an \"S\""}}"#, &[r#"text that is not plain: note an "S""#]);
        check(r#"{"list":[{"größe":1}]}"#, &["text that is not plain: größe"]);
        let long = "x".repeat(300);
        check(&format!(r#"{{"note":"{long}"}}"#), &[&format!("text that is not plain: note {}… (300 letters)", &long[..40])]);
    }

    #[test]
    fn nothing_is_said_twice() {
        check(r#"{"object":{"reason":"für dich"}}"#, &["reason: für dich"]);
        check(r#"{"object":{"reason":"für dich","note":"für mich"}}"#, &["reason: für dich"]);
    }
}
