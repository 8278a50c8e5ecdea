//! `bench http`: how fast deliveries are sent, beside what wrk reaches; `bench double`: how fast the provider's API answers.
//!
//! One server, one machine, the same number of connections and the same request for both; they take turns, so that
//! whatever else the machine does befalls both. The server is this program again, in a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use refundproof::{
    adapter::{HttpSettings, HttpTarget, Request},
    corpus::Corpus,
    double::Double,
    plan::{Action, Level, Opening, Pick, Plan, Step},
    provider::{Audience, Provider, lower_for, registered},
};
use tokio::net::TcpListener;

/// How many deliveries are handed over at a time.
const BATCH: usize = 2_000;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) connections: usize,
    pub(crate) seconds: u64,
    pub(crate) rounds: usize,
}

impl Terms {
    /// As they are said on the command line, to measure this.
    pub(crate) fn arguments(self, what: &str) -> Vec<String> {
        let Terms { connections, seconds, rounds } = self;
        let named = [("--connections", connections.to_string()), ("--seconds", seconds.to_string()), ("--rounds", rounds.to_string())];
        std::iter::once(what.to_owned()).chain(named.into_iter().flat_map(|(name, value)| [name.to_owned(), value])).collect()
    }
}

/// Runs both in turn and prints both rates, the ratio last.
pub(crate) fn http(terms: Terms) -> anyhow::Result<String> {
    let (ours, theirs) = rates(terms)?;
    let percent = ours * 100 / theirs.max(1);
    Ok(format!(
        "{} connections, {} rounds of {} s each, the best of each\nwrk          {theirs:>8} requests/s\nrefundproof  {ours:>8} requests/s\nratio        {:>8}",
        terms.connections,
        terms.rounds,
        terms.seconds,
        format!("{}.{:02}", percent / 100, percent % 100),
    ))
}

/// How many requests a second are sent in a short run, and how many wrk sends.
pub(crate) fn http_rates() -> anyhow::Result<(u64, u64)> {
    rates(Terms { connections: 8, seconds: 1, rounds: 3 })
}

fn rates(terms: Terms) -> anyhow::Result<(u64, u64)> {
    let wrk = Command::new("wrk").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if wrk.is_err() {
        bail!("wrk is not installed; Debian and others have a package of that name");
    }
    let server = Server::start()?;
    let (headers, body) = request(registered()[0].embedded());
    let script = script(&headers, &body)?;
    let mut target = target(server.address)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..terms.rounds {
        theirs.push(wrk_rate(server.address, script.path(), terms)?);
        ours.push(our_rate(&mut target, &headers, body.as_bytes(), terms)?);
    }
    Ok((best(&ours), best(&theirs)))
}

/// How many calls a second the double answers to wrk.
pub(crate) fn double(terms: Terms) -> anyhow::Result<String> {
    let provider = registered().iter().map(|provider| provider.embedded()).find(|provider| provider.api().is_some());
    let provider = provider.context("no provider's API is served")?;
    let ask =
        Action::Refund { amount: Pick::Units(100), level: Level::Order, joins: false, own: false, kind: 0, opens: Opening::Succeeded };
    let plan = Plan { orders: Vec::new(), steps: vec![Step::plain(ask)], only: Vec::new(), look: 0 };
    let case = lower_for(provider, &plan, 1, Audience { calls_back: true, ..Audience::EVERYBODY }).case;
    let double = Double::served(provider).context("it has an API")?;
    let address = double.address().context("no port of loopback is free")?.to_owned();
    let ticket = double.begin(&case);
    double.advance(&ticket, u32::MAX);
    let refund = case.api.iter().find(|object| object.kind == "refund").context("a refund")?;
    let connections = format!("-c{}", terms.connections);
    let seconds = format!("-d{}s", terms.seconds);
    let url = format!("{address}/v1/refunds/{}", refund.id);
    let key = ["-H", "authorization: Bearer sk_test_bench"];
    let rates = (0..terms.rounds).map(|_| rate(Command::new("wrk").args(["-t1", &connections, &seconds]).args(key).arg(&url)));
    let rates = rates.collect::<anyhow::Result<Vec<u64>>>()?;
    Ok(format!(
        "{} connections, the best of {} rounds: {} calls/s of {} bytes each",
        terms.connections,
        terms.rounds,
        best(&rates),
        refund.body.len()
    ))
}

/// Builds this program with optimisation and lets that one measure: a debug build's figures say nothing.
pub(crate) fn in_release(arguments: &[impl AsRef<std::ffi::OsStr>]) -> anyhow::Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--release", "--quiet", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    command.args(["--", "bench"]).args(arguments);
    let output = command.stderr(Stdio::inherit()).output()?;
    anyhow::ensure!(output.status.success(), "the release build did not measure");
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// Serves 200 until it is killed. The port is the first line that it prints.
pub(crate) fn serve() -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        crate::say(&listener.local_addr()?.to_string());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let answer = service_fn(|request: hyper::Request<hyper::body::Incoming>| async {
                // A consumer reads the whole body, so this one does.
                request.into_body().collect().await?;
                Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from_static(b"ok"))))
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    })
}

/// The server, killed when this is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> anyhow::Result<Server> {
        let program = std::env::current_exe()?;
        let mut child = Command::new(program).args(["bench", "serve"]).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim().parse().with_context(|| format!("the server said `{}`", line.trim()));
        match address {
            Ok(address) => Ok(Server { child, address }),
            Err(error) => {
                child.kill()?;
                Err(error)
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A documented event with a signature.
pub(crate) fn request(provider: &dyn Provider) -> (Vec<(String, String)>, String) {
    let corpus: &Corpus = provider.corpus();
    let body = corpus.examples.get(&provider.palette().refund_completion).map(ToString::to_string).unwrap_or_default();
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(provider.sign(&["whsec_bench"], 1_750_000_000, body.as_bytes()));
    (headers, body)
}

/// A file that is removed when this is dropped.
struct Script(PathBuf);

impl Script {
    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn script(headers: &[(String, String)], body: &str) -> anyhow::Result<Script> {
    let path = std::env::temp_dir().join(format!("refundproof-bench-{}.lua", std::process::id()));
    let mut file = fs::File::create(&path)?;
    writeln!(file, "wrk.method = \"POST\"\nwrk.body = [==[{body}]==]")?;
    for (name, value) in headers {
        writeln!(file, "wrk.headers[\"{name}\"] = [==[{value}]==]")?;
    }
    Ok(Script(path))
}

fn wrk_rate(address: SocketAddr, script: &Path, terms: Terms) -> anyhow::Result<u64> {
    let connections = format!("-c{}", terms.connections);
    let seconds = format!("-d{}s", terms.seconds);
    rate(Command::new("wrk").args(["-t1", &connections, &seconds, "-s"]).arg(script).arg(format!("http://{address}/webhooks")))
}

/// The rate that wrk prints, of answers that are all 2xx.
fn rate(wrk: &mut Command) -> anyhow::Result<u64> {
    let output = wrk.output().context("wrk is not installed; Debian and others have a package of that name")?;
    let text = String::from_utf8_lossy(&output.stdout);
    anyhow::ensure!(!text.contains("Non-2xx"), "wrk said: {text}");
    let rate = text.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    let whole = rate.and_then(|rate| rate.trim().split('.').next());
    whole.and_then(|whole| whole.parse().ok()).with_context(|| format!("wrk said: {text}"))
}

fn our_rate(target: &mut HttpTarget, headers: &[(String, String)], body: &[u8], terms: Terms) -> anyhow::Result<u64> {
    let request = Request::new(headers, body);
    let started = Instant::now();
    let mut sent: u64 = 0;
    while started.elapsed() < Duration::from_secs(terms.seconds) {
        for answer in target.deliver_in_bulk(&request, BATCH, terms.connections) {
            let status = answer?;
            anyhow::ensure!(status == 200, "answered {status}");
            sent += 1;
        }
    }
    Ok(u64::try_from(u128::from(sent) * 1_000_000 / started.elapsed().as_micros().max(1))?)
}

fn target(address: SocketAddr) -> anyhow::Result<HttpTarget> {
    let (webhooks, orders) = (format!("http://{address}/webhooks"), format!("http://{address}/orders/{{orderId}}"));
    let settings = HttpSettings::new(webhooks, orders, Duration::from_secs(3));
    Ok(HttpTarget::new(&settings)?)
}

/// Whatever else a machine does, and on a shared one the neighbours do, only makes a round slower.
fn best(rates: &[u64]) -> u64 {
    rates.iter().copied().max().unwrap_or(0)
}
