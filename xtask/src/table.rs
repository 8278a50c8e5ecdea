//! `bench table`: everything that takes time, in one table of one run, so that all of it met the same machine. Ratios come first: they
//! say something on any machine, and rates only on this one.

use std::{
    fs,
    hint::black_box,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use anyhow::Context;
use refundproof::{
    adapter::{Hello, Request, StdioSettings, StdioTarget, Target},
    case::Case,
    domain::Clock,
    drive::Launch,
    plan::{Plan, Recipe, for_recipe},
    provider::{Provider, lower, registered},
    reference::ReferenceShop,
    run::{Options, Selection, certify, sample},
};

const SECRET: &str = "whsec_bench";

/// How long each thing is done at a time, and how often; the best counts, since whatever else a machine does only slows a round.
const ROUND: Duration = Duration::from_millis(700);
const ROUNDS: usize = 3;

/// How many deliveries go over standard input in a round.
const LINES: usize = 20_000;

/// Headers and body of a delivery that is ready to be sent.
type Ready = (Vec<(String, String)>, Vec<u8>);

/// One line: what, how many deliveries of it a second, and beside how many of what.
struct Row {
    what: String,
    rate: u64,
    beside: Option<(&'static str, u64)>,
}

/// Measures everything that can be measured here, and the memory that so many cases of one requirement take.
pub(crate) fn table(memory_of: &[u32]) -> anyhow::Result<String> {
    let provider = registered()[0].embedded();
    let cases: Vec<Case> = (1..).zip(plans(provider)).map(|(serial, plan)| lower(provider, &plan, serial).case).collect();
    let alone = reference(provider, &cases);
    let whole = certification(provider)?;
    let (ours, bare) = lines()?;
    let mut rows = vec![
        Row { what: format!("certified in process, {} workers", workers()), rate: whole, beside: Some(("reference alone", alone)) },
        Row { what: "over stdio, one at a time".to_owned(), rate: ours, beside: Some(("bare loop", bare)) },
    ];
    let mut notes = Vec::new();
    match crate::bench::http_rates() {
        Ok((ours, theirs)) => {
            rows.push(Row { what: "over HTTP, 8 connections".to_owned(), rate: ours, beside: Some(("wrk", theirs)) });
        }
        Err(error) => notes.push(format!("HTTP was not measured: {error:#}")),
    }
    rows.push(Row { what: "reference alone, ready-made bodies".to_owned(), rate: alone, beside: None });
    for provider in registered().iter().map(|provider| provider.embedded()) {
        rows.push(Row { what: format!("lowered, {}", provider.name()), rate: lowering(provider), beside: None });
    }
    rows.push(Row { what: "signed".to_owned(), rate: signing(provider, &cases), beside: None });
    let mut text = line("ratio", "deliveries", "a second", "to");
    for Row { what, rate, beside } in rows {
        let ratio = beside.map_or(String::new(), |(_, other)| {
            let percent = rate * 100 / other.max(1);
            format!("{}.{:02}", percent / 100, percent % 100)
        });
        let beside = beside.map_or(String::new(), |(other, its)| format!("{} {other}", grouped(its)));
        text.push_str(&line(&ratio, &what, &grouped(rate), &beside));
    }
    text.push_str(&line("", "memory", "MB at most", ""));
    for &cases in memory_of {
        let what = format!("{} cases", grouped(cases.into()));
        text.push_str(&line("", &what, &grouped(memory(cases)?.div_ceil(1024)), ""));
    }
    notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    Ok(text.trim_end().to_owned())
}

/// A line of the table, of 80 columns at most.
fn line(ratio: &str, what: &str, rate: &str, beside: &str) -> String {
    format!("{}\n", format!("{ratio:>5}  {what:<35} {rate:>10}  {beside}").trim_end())
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// The best rate of some rounds of `once`, which says how much it did.
fn rate(mut once: impl FnMut() -> u64) -> u64 {
    let round = |once: &mut dyn FnMut() -> u64| {
        let (started, mut done) = (Instant::now(), 0);
        while started.elapsed() < ROUND {
            done += once();
        }
        per_second(done, started.elapsed())
    };
    (0..ROUNDS).map(|_| round(&mut once)).max().unwrap_or(0)
}

fn per_second(done: u64, took: Duration) -> u64 {
    u64::try_from(u128::from(done) * 1_000_000 / took.as_micros().max(1)).unwrap_or(u64::MAX)
}

fn plans(provider: &dyn Provider) -> Vec<Plan> {
    let of = |recipe: &Recipe| {
        let strategy = for_recipe(*recipe, provider.palette());
        (0..25).filter_map(|seed| sample(&strategy, seed)).collect::<Vec<_>>()
    };
    [Recipe::Plain, Recipe::OutOfOrder, Recipe::SeveralOrders, Recipe::MixedTraffic].iter().flat_map(of).collect()
}

fn lowering(provider: &dyn Provider) -> u64 {
    let plans = plans(provider);
    rate(|| plans.iter().map(|plan| black_box(lower(provider, plan, 1)).case.deliveries() as u64).sum())
}

fn signing(provider: &dyn Provider, cases: &[Case]) -> u64 {
    rate(|| {
        let each = cases.iter().flat_map(Case::all_deliveries);
        each.inspect(|delivery| drop(black_box(provider.sign(&[SECRET], 1_750_000_000, delivery.body.bytes())))).count() as u64
    })
}

fn reference(provider: &dyn Provider, cases: &[Case]) -> u64 {
    let clock = Clock::manual(1_750_000_000);
    let signed = |case: &Case| -> Vec<Ready> {
        let each = case.all_deliveries().map(|delivery| delivery.body.bytes());
        each.map(|body| (provider.sign(&[SECRET], clock.unix_seconds(), body), body.to_vec())).collect()
    };
    let traffic: Vec<_> = cases.iter().map(signed).collect();
    rate(|| {
        let mut shop = ReferenceShop::new(clock.clone());
        let _ = shop.hello(&Hello::new(provider.name().to_owned(), SECRET.to_owned()));
        for (case, signed) in cases.iter().zip(&traffic) {
            let _ = shop.begin("bench", &case.orders);
            for (headers, body) in signed {
                let _ = black_box(shop.deliver(&Request::new(headers, body)));
                let _ = black_box(shop.observe(&case.orders[0].order_id));
            }
        }
        traffic.iter().map(|signed| signed.len() as u64).sum()
    })
}

fn certified(provider: &dyn Provider, options: &Options) -> anyhow::Result<u64> {
    let clock = Clock::manual_from_now();
    let shop = clock.clone();
    let launch = Launch::new("in-process", "", clock, move || Ok(Box::new(ReferenceShop::new(shop.clone())) as Box<dyn Target>));
    Ok(certify(provider, &launch, options, &AtomicBool::new(false), &mut |_| {})?.totals.deliveries)
}

/// How many workers a certification has by default.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn certification(provider: &dyn Provider) -> anyhow::Result<u64> {
    let options = Options::new().with(|options| options.jobs = workers());
    // What is made once in a process is made before.
    certified(provider, &options)?;
    Ok(rate(|| certified(provider, &options).unwrap_or(0)))
}

// ---- Standard input

/// How many deliveries a second are answered over stdio, and how many of the same lines a bare loop sends.
fn lines() -> anyhow::Result<(u64, u64)> {
    let provider = registered()[0].embedded();
    let (headers, body) = crate::bench::request(provider);
    let program = std::env::current_exe()?;
    let command = [program.as_os_str().to_owned(), "bench".into(), "answer".into()].to_vec();
    let mut target = StdioTarget::new(command, StdioSettings::default());
    target.hello(&Hello::new(provider.name().to_owned(), SECRET.to_owned()))?;
    let request = Request::new(&headers, body.as_bytes());
    let members: serde_json::Map<String, serde_json::Value> =
        headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let line = serde_json::json!({"id": 100_000, "op": "deliver", "headers": members, "body": body}).to_string() + "\n";
    let mut bare = Answering::start()?;
    let (mut ours, mut theirs) = (0, 0);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..LINES {
            target.deliver(&request)?;
        }
        ours = ours.max(per_second(LINES as u64, started.elapsed()));
        let started = Instant::now();
        for _ in 0..LINES {
            bare.ask(&line)?;
        }
        theirs = theirs.max(per_second(LINES as u64, started.elapsed()));
    }
    target.bye();
    Ok((ours, theirs))
}

/// A process that answers lines.
struct Answering {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
    answer: String,
}

impl Answering {
    fn start() -> anyhow::Result<Answering> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.args(["bench", "answer"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let answers = BufReader::new(child.stdout.take().context("it has an output")?);
        Ok(Answering { child, answers, answer: String::new() })
    }

    fn ask(&mut self, line: &str) -> anyhow::Result<()> {
        let input = self.child.stdin.as_mut().context("it has an input")?;
        input.write_all(line.as_bytes())?;
        self.answer.clear();
        anyhow::ensure!(self.answers.read_line(&mut self.answer)? > 0, "it ended");
        Ok(())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers every line as a shop that takes everything, with the least work. An id comes first in a line.
pub(crate) fn answer() -> anyhow::Result<String> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(String::new());
        }
        let id: String = line.chars().skip_while(|digit| !digit.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        let rest = if line.contains("\"op\":\"hello\"") { r#""name":"bench","version":"1","capabilities":{}"# } else { r#""status":200"# };
        output.write_all(format!("{{\"id\":{id},\"ok\":true,{rest}}}\n").as_bytes())?;
        output.flush()?;
    }
}

// ---- Memory

/// The most memory, in kB, that a process needs for so many cases: it is this program again.
fn memory(cases: u32) -> anyhow::Result<u64> {
    let output = Command::new(std::env::current_exe()?).args(["bench", "memory", &cases.to_string()]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().with_context(|| format!("it said `{}`", text.trim()))
}

/// Certifies one requirement with so many cases, and says how much memory that took.
pub(crate) fn peak(cases: u32) -> anyhow::Result<String> {
    let provider = registered()[0].embedded();
    let id = provider.corpus().requirements.first().context("a requirement")?.id.clone();
    let options = Options::new().with(|options| options.cases = cases);
    let selection = Selection::new(&[id], &[]).map_err(anyhow::Error::msg)?;
    certified(provider, &options.with(|options| options.selection = selection))?;
    Ok(peak_memory()?.to_string())
}

/// The most memory that this process has had so far, in kB.
pub(crate) fn peak_memory() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("only Linux says how much memory a process had")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.split_whitespace().next()).context("no VmHWM")?;
    peak.parse().with_context(|| peak.to_owned())
}
