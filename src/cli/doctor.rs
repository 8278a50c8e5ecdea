//! `refundproof doctor`: does the adapter work at all?
//!
//! Each operation is tried once with the plainest traffic. What is wrong with the adapter or the set-up
//! shows here step by step; whether the target conforms is what `certify` says.

use std::io::Write;

use super::{
    Exit, Stop, args::Doctor, certify::drawn_seed, in_mode, interrupt, output::Output, provider, provider_option, target, text::one_line,
};
use crate::{
    adapter::{Capabilities, Endpoints, Hello, Link, PROTOCOL, TargetError},
    case::{Act, Body, Case, Delivery},
    domain::{Clock, OrderState, RefundView, cut},
    drive::{A_MOMENT, Factory, WORKS_ON, claims_problem, claims_remarks, rename, sealed, with_fresh_ids},
    json::{Map, Value, to_value},
    plan::{Action, Pick, Plan, Step},
    provider::{Provider, lower},
    report::{
        style::{Tone, paint, wrap},
        terminal, visible,
    },
    run::{HIDDEN, Options, Redactor},
};

pub(super) fn run(args: &Doctor, output: &mut Output) -> Result<Exit, Stop> {
    let provider = provider(&args.provider.provider, args.provider.corpus.as_deref())?;
    let factory = target::factory(&args.target, provider)?;
    let provider = in_mode(provider, factory.live_mode())?;
    let redactor = Redactor::of(&Options::default(), &*factory);
    interrupt::end_at_once();
    let target = factory.make().map_err(|error| Stop::not_judged(redactor.error(error)))?;
    let secret = factory.secrets().unwrap_or(&Options::default().secrets).current().map(str::to_owned);
    let columns = output.view().columns;
    let clock = factory.clock();
    let mut visit = Visit {
        provider,
        factory: &*factory,
        target: Link::new(target),
        secret,
        redactor,
        clock,
        columns,
        out: output.out(),
        said: Vec::new(),
    };
    let healthy = visit.all_steps()?;
    visit.target.bye();
    Ok(if healthy { Exit::Conformant } else { Exit::NotJudged })
}

struct Visit<'a> {
    provider: &'a dyn Provider,
    factory: &'a dyn Factory,
    target: Link,
    secret: Option<String>,
    redactor: Redactor,
    clock: Clock,
    columns: usize,
    out: &'a mut dyn Write,
    /// The requests so far as stdio lines, for the command that shows a failing step again.
    said: Vec<Value>,
}

impl Visit<'_> {
    fn all_steps(&mut self) -> Result<bool, Stop> {
        let mut case = plain_case(self.provider);
        if self.factory.transport() != "in-process" {
            // The target may remember the last visit.
            case = with_fresh_ids(&case, drawn_seed());
        }
        let order = case.orders[0].order_id.clone();
        let Some(delivery) = case.all_deliveries().next().cloned() else { return Ok(false) };

        let double = self.factory.double(self.provider);
        let address = double.as_ref().and_then(|double| double.address()).map(str::to_owned);
        let hello = Hello::new(self.provider.name(), self.secret.clone().unwrap_or_default())
            .with_api(address)
            .with_keys(self.provider.keys(self.secret.as_deref().unwrap_or_default()))
            .with_live_mode(self.provider.is_live());
        let mut said = Value::from([
            ("op", "hello".into()),
            ("protocol", u64::from(PROTOCOL).into()),
            ("provider", hello.provider.as_str().into()),
            ("secret", hello.secret.as_str().into()),
        ]);
        if let (Some(address), Some(members)) = (&hello.api_base_url, said.as_object_mut()) {
            members.insert("apiBaseUrl", address.as_str().into());
        }
        if let Some(members) = said.as_object_mut().filter(|_| hello.live_mode) {
            members.insert("liveMode", true.into());
        }
        self.say(said);
        let answer = self.target.hello(&hello);
        let Some(introduction) = self.step("hello", answer, |introduction| format!("{} {}", introduction.name, introduction.version))?
        else {
            return Ok(false);
        };
        let capabilities = introduction.capabilities;
        self.told(&terminal::claims(&capabilities))?;
        if capabilities.durable && self.factory.workers(&capabilities) == 1 && self.factory.command().is_some() {
            self.told("it is durable, so certify starts one at a time; with {folder} in the command each worker has a folder of its own")?;
        }
        for remark in claims_remarks(self.provider, &capabilities) {
            self.remark(&remark)?;
        }
        if let Some(why) = claims_problem(self.provider, &capabilities) {
            self.remark(&why)?;
            return Ok(false);
        }

        let orders = to_value(&case.orders).unwrap_or_default();
        self.say(Value::from([("op", "begin".into()), ("case", "doctor".into()), ("orders", orders)]));
        let answer = self.target.begin("doctor", &case.orders);
        if self.step("begin", answer, |()| format!("order {order}"))?.is_none() {
            return Ok(false);
        }
        if self.target.learns_of_orders_from_events() && !self.introduce(&case, &capabilities)? {
            return Ok(false);
        }
        self.say(Value::from([("op", "observe".into()), ("orderId", order.as_str().into())]));
        let answer = self.target.observe(&order);
        let Some(state) = self.step("observe, before any event", answer, describe_state)? else { return Ok(false) };
        if state.is_none() {
            self.remark("the order was begun, and is unknown to the target now")?;
            return Ok(false);
        }
        if !capabilities.is_subscribed(&delivery.event.kind) {
            self.remark(&format!("the target does not subscribe to {}; it is sent all the same, once", delivery.event.kind))?;
        }
        let answer = self.deliver(&delivery);
        let Some(status) = self.step(&format!("deliver {}", delivery.event.kind), answer, |status| format!("answered {status}"))? else {
            return Ok(false);
        };
        if !(200..300).contains(&status) {
            self.remark("a plain, valid event should be acknowledged with 2xx; `certify` shows the body")?;
        }
        self.say(Value::from([("op", "observe".into()), ("orderId", order.as_str().into())]));
        let answer = self.target.observe(&order);
        let Some(shown) = self.step("observe, after it", answer, describe_state)? else { return Ok(false) };
        for line in self.target.readings(&order) {
            self.told(&line)?;
        }
        if !capabilities.asynchronous {
            self.clock.sleep(A_MOMENT);
            if self.target.observe(&order).is_ok_and(|later| later != shown) {
                self.remark(&format!("a moment later it shows something else: {WORKS_ON}"))?;
            }
        }
        if capabilities.durable {
            let answer = self.target.restart().and_then(|()| self.target.hello(&hello));
            if self.step("kill and start again", answer, |_| "came back".to_owned())?.is_none() {
                return Ok(false);
            }
            let answer = self.target.observe(&order);
            let Some(state) = self.step("observe, after the restart", answer, describe_state)? else { return Ok(false) };
            if state.is_none() {
                self.remark("it claims to be durable and has forgotten the order")?;
                return Ok(false);
            }
        }
        self.say(Value::from([("op", "end".into()), ("case", "doctor".into())]));
        let answer = self.target.end("doctor");
        if self.step("end", answer, |()| String::new())?.is_none() {
            return Ok(false);
        }
        writeln!(self.out, "{} the adapter works; to see whether the target conforms:", paint(Tone::Good, "✓"))?;
        // A command is pasted, and never broken.
        let provider = provider_option(self.provider.name());
        let command = self.to_paste(&format!("refundproof certify{provider}{}", self.factory.argument()));
        writeln!(self.out, "  {command}")?;
        Ok(true)
    }

    fn introduce(&mut self, case: &Case, capabilities: &Capabilities) -> Result<bool, Stop> {
        let messages: Vec<_> = case.orders.iter().flat_map(|order| self.provider.introduce(order)).collect();
        let messages: Vec<_> = messages.into_iter().filter(|message| capabilities.is_subscribed(&message.facts.kind)).collect();
        if messages.is_empty() {
            self.remark(
                "no event would introduce an order to it, and nothing else is set up to; see http.setup_url and http.setup_command",
            )?;
            return Ok(false);
        }
        for message in messages {
            let delivery = Delivery::plain(message.facts, Body::new(message.body));
            let answer = self.deliver(&delivery);
            if self.step(&format!("deliver {}", delivery.event.kind), answer, |status| format!("answered {status}"))?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn deliver(&mut self, delivery: &Delivery) -> Result<u16, TargetError> {
        let mut sealed = sealed(self.provider, self.secret.as_deref(), self.clock.unix_seconds(), delivery);
        rename(&mut sealed.headers, self.provider, self.factory.signature_header());
        let members: Map = sealed.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        let body = std::str::from_utf8(&sealed.body).map_or(Value::Null, Value::from);
        self.say(Value::from([("op", "deliver".into()), ("headers", members.into()), ("body", body)]));
        self.target.deliver(&sealed.request())
    }

    fn say(&mut self, mut request: Value) {
        if let Some(members) = request.as_object_mut() {
            members.insert("id", (self.said.len() as u64 + 1).into());
        }
        self.said.push(request);
    }

    /// Writes what a target said below the step, without secrets and with everything in it to be seen.
    fn told(&mut self, text: &str) -> Result<(), Stop> {
        for line in wrap(&visible(&self.redactor.hide(text)), self.columns.saturating_sub(4)) {
            writeln!(self.out, "    {}", paint(Tone::Faint, &line))?;
        }
        Ok(())
    }

    fn remark(&mut self, text: &str) -> Result<(), Stop> {
        writeln!(self.out, "{} {}", paint(Tone::Odd, "!"), visible(&self.redactor.hide(text)))?;
        Ok(())
    }

    fn step<T>(&mut self, name: &str, answer: Result<T, TargetError>, describe: impl Fn(&T) -> String) -> Result<Option<T>, Stop> {
        match answer {
            Ok(value) => {
                let told = visible(&self.redactor.hide(&describe(&value)));
                let line = format!("{name:<26} {told}");
                if told.is_empty() {
                    writeln!(self.out, "{} {name}", paint(Tone::Good, "✓"))?;
                } else if line.chars().count() + 2 <= self.columns {
                    writeln!(self.out, "{} {name:<26} {}", paint(Tone::Good, "✓"), paint(Tone::Faint, &told))?;
                } else {
                    writeln!(self.out, "{} {name}", paint(Tone::Good, "✓"))?;
                    self.told(&told)?;
                }
                Ok(Some(value))
            }
            Err(error) => {
                // The error begins with its operation, and so does the line.
                let error = visible(&self.redactor.error(error).to_string());
                let what = error.split_once(": ").map_or(error.as_str(), |(_, what)| what);
                writeln!(self.out, "{} {name:<26} {what}", paint(Tone::Bad, "✗"))?;
                for line in visible(&self.redactor.hide(&self.target.complaints())).lines() {
                    writeln!(self.out, "  │ {line}")?;
                }
                self.show_command()?;
                Ok(None)
            }
        }
    }

    /// The requests so far, as a command that shows the same without this harness.
    fn show_command(&mut self) -> Result<(), Stop> {
        if let Some(endpoints) = self.target.endpoints() {
            return self.show_requests(&endpoints);
        }
        let Some(command) = self.factory.command() else { return Ok(()) };
        let lines: Vec<String> = self.said.iter().map(|request| target::quote(&request.to_string())).collect();
        writeln!(self.out, "  see it without refundproof:")?;
        // Whoever pastes it has a folder already.
        let command = command.replace("{folder}", ".");
        let shown = self.to_paste(&format!("printf '%s\\n' {} | {command}", lines.join(" ")));
        writeln!(self.out, "  {shown}")?;
        Ok(())
    }

    /// A command without the secret. The one that is built in is no secret, and with it the command works as it stands.
    fn to_paste(&self, command: &str) -> String {
        let is_public = self.secret.as_deref() == Options::default().secrets.current();
        one_line(&if is_public { command.to_owned() } else { self.redactor.hide(command) })
    }
}

impl Visit<'_> {
    /// The last request, as a command that sends the same.
    fn show_requests(&mut self, endpoints: &Endpoints) -> Result<(), Stop> {
        let Some(request) = self.said.last() else { return Ok(()) };
        let quoted = |words: &[String]| words.iter().map(|word| target::quote(word)).collect::<Vec<_>>().join(" ");
        let header = |(name, value): (&String, &str)| format!(" -H {}", target::quote(&format!("{name}: {value}")));
        // What is in them is nobody's business; whoever pastes the command puts it in.
        let own: String = endpoints.headers.iter().map(|name| header((name, HIDDEN))).collect();
        let post = |url: &str, headers: &Map, own: &str, body: &str| {
            let headers: String = headers.iter().map(|(name, value)| header((name, value.as_str().unwrap_or_default()))).collect();
            let headers = headers + own;
            format!("curl -sS -i{headers} --data-binary {} {}", target::quote(body), target::quote(url))
        };
        let none = Map::new();
        let op = request.get("op").and_then(Value::as_str);
        let command = match (op, &endpoints.setup) {
            (Some("begin"), Some(setup)) => {
                let body = Value::from([("case", request["case"].clone()), ("orders", request["orders"].clone())]).to_string();
                let json = Map::from_iter([("content-type".to_owned(), "application/json".into())]);
                post(setup, &json, &own, &body)
            }
            (Some("deliver"), _) => {
                let headers = request["headers"].as_object().unwrap_or(&none);
                post(&endpoints.webhook, headers, "", request["body"].as_str().unwrap_or_default())
            }
            (Some("observe"), _) => {
                let order = request["orderId"].as_str().unwrap_or_default();
                format!("curl -sS -i{own} {}", target::quote(&endpoints.state.replace("{orderId}", order)))
            }
            _ => String::new(),
        };
        if command.is_empty() && endpoints.start.is_none() {
            return Ok(());
        }
        writeln!(self.out, "  see it without refundproof:")?;
        if let Some(start) = &endpoints.start {
            let start = self.to_paste(&quoted(start));
            writeln!(self.out, "  {start} &")?;
        }
        if !command.is_empty() {
            let command = self.to_paste(&command);
            writeln!(self.out, "  {command}")?;
        }
        Ok(())
    }
}

/// How many refunds of an order are shown.
const MOST_REFUNDS: usize = 20;

/// A state in one line, member by member as an adapter wrote it.
fn describe_state(state: &Option<OrderState>) -> String {
    let Some(state) = state else { return "unknown order".to_owned() };
    let OrderState { order_id: _, status, refunded_amount, currency, available_to_refund_amount, charged_back_amount, refunds } = state;
    let mut parts = vec![format!("status {}", status.as_str()), format!("refundedAmount {refunded_amount}")];
    parts.extend(currency.as_ref().map(|currency| format!("currency {}", cut(currency))));
    parts.extend(available_to_refund_amount.map(|amount| format!("availableToRefundAmount {amount}")));
    parts.extend(charged_back_amount.map(|amount| format!("chargedBackAmount {amount}")));
    if let Some(refunds) = refunds {
        let refund = |refund: &RefundView| {
            let of = refund.amount.map(|asked| format!(" of {asked}")).unwrap_or_default();
            format!("refund {} {}: {}{of} paid back", cut(&refund.id), refund.state, refund.refunded_amount)
        };
        parts.extend(refunds.iter().take(MOST_REFUNDS).map(refund));
        match refunds.len().checked_sub(MOST_REFUNDS) {
            Some(more) if more > 0 => parts.push(format!("and {more} refunds more")),
            _ if refunds.is_empty() => parts.push("no refunds".to_owned()),
            _ => {}
        }
    }
    parts.join(", ")
}

/// One order, one refund paid back in full, told by one event.
fn plain_case(provider: &dyn Provider) -> Case {
    let steps = [Action::refund(Pick::Units(500)), Action::Succeed { refund: 0, paid: Pick::All }].map(Step::plain).to_vec();
    let only = vec![provider.palette().refund_completion.clone()];
    let case = lower(provider, &Plan { orders: Vec::new(), steps, only, look: 0 }, 999_999).case;
    debug_assert!(case.entries.iter().all(|entry| matches!(entry.act, Act::Deliver(_))));
    case
}
