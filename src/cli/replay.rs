//! `refundproof replay` and `refundproof show`.

use std::{
    io::{self, BufRead, Write},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    Exit, Stop,
    args::{Replay, Show},
    certify::drawn_seed,
    files, in_mode, interrupt,
    output::Output,
    provider,
    target::{self, quote},
    text::{one_line, without_commands},
};
use crate::{
    case::{Act, Case, Delivery, Effect, OwnRefund},
    check::Rules,
    domain::{Clock, Secret},
    drive::{sealed, timely},
    provider::mode::is_live,
    report::{
        style::{Tone, paint},
        terminal, timeline, visible,
    },
    run::{Options, Redactor, terms},
};

pub(super) fn replay(args: &Replay, output: &mut Output) -> Result<Exit, Stop> {
    let (case, provider) = read(&args.case)?;
    let mut target = args.target.clone();
    target.step = args.step || args.target.attach;
    let factory = target::factory(&target, provider)?;
    interrupt::end_at_once();
    let options = Options::default();
    let options = Options {
        answer_limit: target.answer_limit(),
        settle: args.settle,
        salt: Some(drawn_seed()),
        before: target.step.then_some(wait_for_enter),
        ..options
    };
    let redactor = Redactor::of(&options, &*factory);
    let started = options.driver(provider, &*factory, factory.clock());
    let mut driver = started.map_err(|error| Stop::not_judged(redactor.error(error)))?;
    let capabilities = driver.capabilities().clone();
    let case = case.restricted_to(terms(&|kind| capabilities.is_subscribed(kind), &capabilities));
    if case.deliveries() == 0 && !case.entries.is_empty() {
        return Err(Stop::not_judged("the target subscribes to none of the events of this case; nothing was sent"));
    }
    let rules = case.requirement.as_deref().map(|id| Rules::of(id, provider.answer_limit())).unwrap_or_default();
    let mut outcome = driver.run("replay", &case, rules);
    let mut runs = 1;
    while runs < args.times && !outcome.has_stopped() {
        // The orders must be new to the target each time.
        driver.conditions.salt = Some(drawn_seed());
        outcome = driver.run(&format!("replay-{runs}"), &case, rules);
        runs += 1;
    }
    if args.times > 1 {
        output.note(&format!("run {runs} of {}", args.times));
    }
    let complaints = visible(&redactor.hide(&driver.complaints()));
    drop(driver);
    let columns = output.view().columns;
    let answers = outcome.answers();
    let out = output.out();
    writeln!(out, "{}", paint(Tone::Strong, &one_line(&case.title)))?;
    timeline::write(out, &case, Some(&answers), columns)?;
    if !complaints.is_empty() {
        writeln!(out, "  {}", paint(Tone::Strong, "standard error of the target"))?;
        for line in complaints.lines() {
            writeln!(out, "  │ {line}")?;
        }
    }
    if let Some(error) = outcome.error {
        return Err(Stop::not_judged(redactor.error(error)));
    }
    let Some(failure) = outcome.failure else {
        // The title of a case that was saved says what was wrong then.
        let was_wrong = case.requirement.as_ref().is_some_and(|id| case.title.starts_with(&format!("{id}: ")));
        let then = if was_wrong { "; what the first line says was wrong when the case was saved" } else { "" };
        writeln!(out, "{}{then}", paint(Tone::Good, "the target showed what it must"))?;
        return Ok(Exit::Conformant);
    };
    let place = failure.entry.map_or("when everything had been delivered".to_owned(), |entry| format!("after entry {}", entry + 1));
    writeln!(out, "{}: {}", paint(Tone::Strong, &place), paint(Tone::Bad, &visible(&redactor.hide(&failure.message))))?;
    terminal::diff_lines(out, &redactor.hide(&failure.diff))?;
    Ok(Exit::NotConformant)
}

/// Waits until somebody presses Enter; at the end of the input it does not wait.
pub(super) fn wait_for_enter(entry: usize, delivery: &Delivery) {
    let _ =
        write!(io::stderr(), "entry {}: {} {} - Enter to send ", entry + 1, one_line(&delivery.event.kind), one_line(&delivery.event.id));
    let _ = io::stdin().lock().read_line(&mut String::new());
}

pub(super) fn show(args: &Show, output: &mut Output) -> Result<Exit, Stop> {
    let (case, provider) = read(&args.case)?;
    let columns = output.view().columns;
    let out = output.out();
    if !args.curl {
        writeln!(out, "{}", paint(Tone::Strong, &one_line(&case.title)))?;
        timeline::write(out, &case, None, columns)?;
        for expected in &case.expect {
            writeln!(out, "  must end as")?;
            let sight = crate::model::Sight { currency: true, refunds: true, available: true, charged_back: true, equivalent: Vec::new() };
            for line in visible(&crate::check::expectation_lines(expected, None, &sight)).lines() {
                writeln!(out, "    {line}")?;
            }
        }
        return Ok(Exit::Conformant);
    }
    writeln!(out, "# {}", one_line(&case.title))?;
    writeln!(out, "# Set WEBHOOK_URL first. A signature is made now and grows old.")?;
    let case = timely(&case, provider, Clock::system().unix_seconds());
    for (number, entry) in case.entries.iter().enumerate() {
        match &entry.act {
            Act::Deliver(delivery) => curl(out, number, delivery, provider, args.secret.as_ref())?,
            Act::Together(deliveries) => {
                for delivery in deliveries {
                    curl(out, number, delivery, provider, args.secret.as_ref())?;
                }
            }
            Act::Initiate(own) => own_refund(out, number, own)?,
            Act::Meanwhile(own, deliveries) => {
                own_refund(out, number, own)?;
                writeln!(out, "# What follows arrives before the provider has answered that.")?;
                for delivery in deliveries {
                    curl(out, number, delivery, provider, args.secret.as_ref())?;
                }
            }
            Act::Restart => writeln!(out, "\n# {}: here the target is killed and started again", number + 1)?,
            Act::Begin(order_id) => writeln!(out, "\n# {}: here {}", number + 1, timeline::known_text(order_id))?,
            Act::Advance(seconds) => {
                writeln!(out, "\n# {}: here {}; a signature that follows is to be of then", number + 1, timeline::time_text(*seconds))?;
            }
        }
    }
    Ok(Exit::Conformant)
}

fn own_refund(out: &mut dyn Write, number: usize, own: &OwnRefund) -> io::Result<()> {
    let (id, currency) = (one_line(&own.refund.id), one_line(&own.refund.currency));
    writeln!(out, "\n# {}: here the shop makes refund {id} of {} {currency}", number + 1, own.refund.amount)
}

fn curl(
    out: &mut dyn Write,
    number: usize,
    delivery: &Delivery,
    provider: &dyn crate::provider::Provider,
    secret: Option<&Secret>,
) -> io::Result<()> {
    let must = match delivery.effect {
        Effect::Accept | Effect::Ignore => "2xx",
        Effect::Reject => "not 2xx",
        Effect::Refuse => "4xx",
        Effect::Tolerate => "in any way",
    };
    writeln!(out, "\n# {}: {} must be answered {must}", number + 1, one_line(&delivery.event.kind))?;
    let sealed = sealed(provider, secret.map(Secret::expose), Clock::system().unix_seconds(), delivery);
    let header = |(name, value): &(String, String)| format!("-H {}", quote(&one_line(&format!("{name}: {value}"))));
    let headers = sealed.headers.iter().map(header).collect::<Vec<_>>().join(" ");
    // A body that would not be shown as it is goes another way: what is pasted must be what is signed.
    let shows = |text: &str| one_line(text) == text && without_commands(text) == text;
    let (body, decoded) = match std::str::from_utf8(&sealed.body).ok().filter(|text| shows(text)) {
        Some(text) => (quote(text), ""),
        None => (STANDARD.encode(&sealed.body), " | base64 -d"),
    };
    writeln!(out, "printf %s {body}{decoded} | curl -sS -w '%{{http_code}}\\n' -X POST {headers} --data-binary @- \"$WEBHOOK_URL\"")
}

fn read(path: &Path) -> Result<(Case, &'static dyn crate::provider::Provider), Stop> {
    let case = files::read_case(path).map_err(Stop::usage)?;
    let provider =
        provider(&case.provider, None).map_err(|stop| Stop::usage(format!("{}: field `provider`: {}", path.display(), stop.message)))?;
    // Whoever is registered for the other mode would refuse it.
    let provider = in_mode(provider, is_live(provider, &case))?;
    Ok((case, provider))
}
