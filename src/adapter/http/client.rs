//! The HTTP client: kept connections, time limits, answers that are cut off.
//!
//! A connection is driven by whoever waits for its answer, so that nothing runs between two requests. Redirects are
//! answers like any other.

use std::{
    collections::HashMap,
    error::Error,
    future::{Future, poll_fn},
    io::{self, Read},
    net::SocketAddr,
    os::fd::{AsFd, OwnedFd},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Uri,
    body::{Body, Bytes, Incoming},
    client::conn::http1::{Builder, Connection, SendRequest},
    header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    runtime::Runtime,
    task::JoinSet,
    time::{Instant, Sleep, sleep_until},
};

use super::{address::Address, turns::Turns};
use crate::adapter::ending::{Ending, FAR_AWAY, LOOK};

/// How much of an answer is read before the clock has its turn; the head of an answer must fit in.
const MOST_AT_ONCE: usize = 64 << 10;
/// A kept connection is not used again after so long: servers close what is idle, some after a few seconds.
const LONGEST_IDLE: Duration = Duration::from_secs(1);
/// How much is read of what was answered before a connection was reset.
const LONGEST_REST: usize = 16 << 10;

/// A request, ready to be sent as often as it takes.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    method: Method,
    path: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Outgoing {
    fn to_request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.path.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// The beginning of the body, at most as long as was asked for.
    pub(super) body: Vec<u8>,
    /// Whether the body went on.
    pub(super) is_cut: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nobody takes connections there.
    Unreachable(String),
    /// The connection ended before there was an answer.
    Broken(String),
    /// Something was answered that is no HTTP.
    NoHttp(String),
    /// There was no answer in time.
    TimedOut(Duration),
    /// The program is to end, and there was no answer yet.
    Interrupted,
}

/// How long an answer may take and how much of it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) limit: Option<Duration>,
    pub(super) longest: usize,
}

/// A client with the connections that it keeps.
pub(super) struct Client {
    runtime: Runtime,
    kept: HashMap<Vec<SocketAddr>, Vec<Line>>,
}

impl Client {
    pub(super) fn new() -> io::Result<Client> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        Ok(Client { runtime, kept: HashMap::new() })
    }

    /// Closes every connection, because whoever was at the other end is gone.
    pub(super) fn forget(&mut self) {
        self.kept.clear();
    }

    /// One request and its answer.
    pub(super) fn send(&mut self, address: &Address, request: Outgoing, patience: Patience) -> Result<Reply, Trouble> {
        let kept = self.kept.entry(address.sockets.clone()).or_default();
        kept.retain(Line::is_fresh);
        let mut line = kept.pop();
        let result = self.runtime.block_on(async {
            let mut timer = Timer::new(patience.limit);
            timer.timely(pin!(answered(&mut line, &address.sockets, &request, patience.longest))).await
        });
        kept.extend(line.map(Line::rested));
        result
    }

    /// Asks whether a service is ready: at its address for that, or else whether it takes connections at all.
    pub(super) fn is_ready(&mut self, ready: Option<&Address>, webhook: &Address, patience: Patience) -> Result<(), String> {
        let Some(address) = ready else {
            let limit = patience.limit.unwrap_or(FAR_AWAY);
            let connected = webhook.sockets.iter().find_map(|socket| std::net::TcpStream::connect_timeout(socket, limit).ok());
            return connected.map(drop).ok_or_else(|| format!("{webhook} does not take connections"));
        };
        let request = outgoing(Method::GET, address, &address.path, &[], b"")?;
        match self.send(address, request, patience) {
            Ok(reply) if (200..300).contains(&reply.status) => Ok(()),
            Ok(reply) => Err(format!("{address} answered {}", reply.status)),
            Err(Trouble::TimedOut(_) | Trouble::Interrupted) => Err(format!("{address} did not answer")),
            Err(Trouble::Unreachable(why) | Trouble::Broken(why) | Trouble::NoHttp(why)) => Err(format!("{address}: {why}")),
        }
    }

    /// Requests that are under way at the same time, so many at once, and the statuses of their answers. Each answer has
    /// the whole time limit.
    pub(super) fn send_together(
        &mut self,
        address: &Address,
        requests: Vec<Arc<Outgoing>>,
        at_once: usize,
        patience: Patience,
    ) -> Vec<Result<u16, Trouble>> {
        let kept = self.kept.entry(address.sockets.clone()).or_default();
        kept.retain(Line::is_fresh);
        self.runtime.block_on(all_answered(kept, &address.sockets, requests, at_once, patience))
    }
}

/// A request with these headers; the host's is added. The error says which header cannot be sent.
pub(super) fn outgoing(
    method: Method,
    address: &Address,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Outgoing, String> {
    let path = path.parse().map_err(|error| format!("the path `{path}` cannot be sent: {error}"))?;
    let value = |name: &str, value: &str| HeaderValue::from_str(value).map_err(|_| format!("the header `{name}` cannot be sent"));
    let mut all = HeaderMap::with_capacity(headers.len() + 3);
    all.insert(HOST, value("host", &address.host)?);
    for (name, text) in headers {
        let header: HeaderName = name.parse().map_err(|_| format!("the header `{name}` cannot be sent"))?;
        let mut value = value(name, text)?;
        // It may be a token; so whoever prints the request does not see it.
        value.set_sensitive(true);
        all.append(header, value);
    }
    if !body.is_empty() {
        // Otherwise hyper does it, anew each time that this is sent.
        all.entry(CONTENT_LENGTH).or_insert_with(|| body.len().into());
    }
    Ok(Outgoing { method, path, headers: all, body: Bytes::copy_from_slice(body) })
}

/// A connection that is kept.
struct Line {
    sender: SendRequest<Full<Bytes>>,
    connection: Pin<Box<Connection<TokioIo<TcpStream>, Full<Bytes>>>>,
    turns: Turns,
    /// The same socket once more, for its options: hyper has the stream.
    socket: OwnedFd,
    has_ended: bool,
    /// Since when nothing has been sent on it.
    idle_since: Instant,
}

impl Line {
    async fn open(sockets: &[SocketAddr]) -> Result<Line, Trouble> {
        let stream = connect(sockets).await.map_err(|error| Trouble::Unreachable(error.to_string()))?;
        let socket = stream.as_fd().try_clone_to_owned().map_err(|error| Trouble::Broken(error.to_string()))?;
        // Head and body are small and leave in one piece.
        let (sender, connection) = Builder::new()
            .writev(false)
            .max_buf_size(MOST_AT_ONCE)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Trouble::Broken(error.to_string()))?;
        Ok(Line { sender, connection: Box::pin(connection), turns: Turns::new(), socket, has_ended: false, idle_since: Instant::now() })
    }

    /// A request and its answer; `None` where the connection had ended before the request was sent.
    async fn exchange(&mut self, request: &Outgoing, longest: usize) -> Option<Result<Reply, hyper::Error>> {
        let Line { sender, connection, turns, socket, has_ended, .. } = self;
        let has_head = AtomicBool::new(false);
        let mut work = pin!(async {
            sender.ready().await?;
            let response = sender.send_request(request.to_request()).await?;
            has_head.store(true, Ordering::Relaxed);
            let status = response.status().as_u16();
            let (body, is_cut) = start_of(response.into_body(), longest).await;
            Ok::<_, hyper::Error>(Reply { status, body, is_cut })
        });
        let reply = poll_fn(|context| {
            let done = turns.take(context, work.as_mut(), connection.as_mut(), has_ended).map(Some);
            if done.is_pending() && *has_ended {
                // The other end hung up while nothing was under way: hyper has the request still, and tells nobody.
                return Poll::Ready(None);
            }
            if done.is_pending() && has_head.load(Ordering::Relaxed) {
                acknowledge_now(socket);
            }
            done
        });
        let reply = reply.await?;
        // What is still to be read makes the connection useless.
        self.has_ended |= reply.as_ref().is_ok_and(|reply| reply.is_cut);
        Some(reply)
    }

    /// What became of a request that failed: perhaps it was answered after all.
    fn after(self, error: hyper::Error) -> Result<Reply, Broken> {
        let reset = error.source().and_then(|source| source.downcast_ref::<io::Error>()).is_some_and(|error| {
            matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted)
        });
        let closed = reset || error.is_incomplete_message() || error.is_canceled() || error.is_closed();
        let trouble = trouble(error);
        if !closed {
            return Err(Broken::Trouble(trouble));
        }
        let parts = Pin::into_inner(self.connection).into_parts();
        let mut answer = parts.read_buf.to_vec();
        if reset {
            // A service that refuses a request before it has read all of it answers and hangs up. What it answered is
            // there, although no more can be sent.
            answer.extend(rest(parts.io.into_inner()));
        }
        match status_of(&answer) {
            Some(status) => Ok(Reply { status, body: Vec::new(), is_cut: true }),
            None if answer.is_empty() => Err(Broken::Closed(trouble)),
            None => Err(Broken::Trouble(trouble)),
        }
    }

    fn is_usable(&self) -> bool {
        !self.has_ended && !self.sender.is_closed()
    }

    /// Whether it was used a short time ago, so that it is likely to be open at the other end too.
    fn is_fresh(&self) -> bool {
        self.is_usable() && self.idle_since.elapsed() < LONGEST_IDLE
    }

    fn rested(mut self) -> Line {
        self.idle_since = Instant::now();
        self
    }
}

/// A service that writes head and body one after the other may hold the second back until the first is acknowledged, which a
/// system that is in no hurry does after 40 ms (RFC 1122, 4.2.3.2).
fn acknowledge_now(socket: &OwnedFd) {
    #[cfg(target_os = "linux")]
    let _ = rustix::net::sockopt::set_tcp_quickack(socket, true);
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
}

/// Why a connection gave no answer.
enum Broken {
    /// It was closed or reset, and not a byte of an answer came: on a kept one, perhaps before the request was seen.
    Closed(Trouble),
    Trouble(Trouble),
}

/// What has arrived on a connection and was not read yet, if it is not too much.
fn rest(stream: TcpStream) -> Vec<u8> {
    let mut rest = vec![0; LONGEST_REST];
    // It does not block.
    let count = stream.into_std().and_then(|mut stream| stream.read(&mut rest)).unwrap_or(0);
    rest.truncate(count);
    rest
}

/// The status of a whole head.
fn status_of(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let mut words = line.split(|byte| *byte == b' ');
    let is_http = words.next()?.starts_with(b"HTTP/1.");
    let status = std::str::from_utf8(words.next()?).ok()?.trim().parse().ok();
    status.filter(|_| is_http && answer.windows(4).any(|end| end == b"\r\n\r\n"))
}

async fn connect(sockets: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for socket in sockets {
        match TcpStream::connect(socket).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// An answer whose body breaks off is one all the same: its status is there.
async fn start_of(mut body: Incoming, longest: usize) -> (Vec<u8>, bool) {
    let mut start = Vec::new();
    while !body.is_end_stream()
        && let Some(frame) = body.frame().await
    {
        let Ok(frame) = frame else { return (start, true) };
        if let Some(data) = frame.data_ref() {
            let room = longest - start.len();
            start.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                return (start, true);
            }
        }
    }
    (start, false)
}

/// Keeps the time limits of requests that follow each other, and looks now and then whether the program is to end. Setting a
/// timer is not free, so it is set anew only when it has run out.
struct Timer {
    limit: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Timer {
    fn new(limit: Option<Duration>) -> Timer {
        let limit = limit.unwrap_or(FAR_AWAY);
        Timer { limit, sleep: Box::pin(sleep_until(Instant::now() + limit.min(LOOK))) }
    }

    async fn timely<T>(&mut self, mut work: Pin<&mut impl Future<Output = Result<T, Trouble>>>) -> Result<T, Trouble> {
        let Timer { limit, sleep } = self;
        let deadline = Instant::now() + *limit;
        let mut ending = Ending::default();
        poll_fn(|context| {
            let done = work.as_mut().poll(context);
            if done.is_pending() {
                // The clock and not the timer: who sends without end leaves the timer no turn.
                if Instant::now() >= deadline {
                    return Poll::Ready(Err(Trouble::TimedOut(*limit)));
                }
                if ending.is_over() {
                    return Poll::Ready(Err(Trouble::Interrupted));
                }
                while sleep.as_mut().poll(context).is_ready() {
                    sleep.as_mut().reset(deadline.min(Instant::now() + LOOK));
                }
            }
            done
        })
        .await
    }
}

/// Sends a request on a kept connection or a new one. A kept one may have been closed
/// from the other end without anyone noticing; then the request is sent once more on a new one, as clients do. Whatever else
/// is wrong is not tried again: it would hide what the target did.
async fn answered(kept: &mut Option<Line>, sockets: &[SocketAddr], request: &Outgoing, longest: usize) -> Result<Reply, Trouble> {
    if let Some(line) = kept.take() {
        match asked(line, kept, request, longest).await {
            Err(Broken::Closed(_)) => {}
            Err(Broken::Trouble(trouble)) => return Err(trouble),
            Ok(reply) => return Ok(reply),
        }
    }
    // Rare, and too large to be carried along.
    let first = Box::pin(async { asked(Line::open(sockets).await.map_err(Broken::Trouble)?, kept, request, longest).await });
    first.await.map_err(|(Broken::Closed(trouble) | Broken::Trouble(trouble))| trouble)
}

/// Sends a request on this connection, which is kept if it can be used again.
async fn asked(mut line: Line, kept: &mut Option<Line>, request: &Outgoing, longest: usize) -> Result<Reply, Broken> {
    match line.exchange(request, longest).await {
        Some(Ok(reply)) => {
            *kept = Some(line).filter(Line::is_usable);
            Ok(reply)
        }
        Some(Err(error)) => line.after(error),
        None => Err(Broken::Closed(Trouble::Broken("the connection was closed".to_owned()))),
    }
}

async fn all_answered(
    kept: &mut Vec<Line>,
    sockets: &[SocketAddr],
    requests: Vec<Arc<Outgoing>>,
    at_once: usize,
    patience: Patience,
) -> Vec<Result<u16, Trouble>> {
    let count = requests.len();
    let workers = at_once.clamp(1, count.max(1));
    // Connected before the first request is sent, so that they start together. Who is not reached now is not reached later.
    let mut timer = Timer::new(patience.limit);
    while kept.len() < workers
        && let Ok(line) = timer.timely(pin!(Line::open(sockets))).await
    {
        kept.push(line);
    }
    let queue = Arc::new((AtomicUsize::new(0), requests));
    let mut tasks = JoinSet::new();
    for _ in 0..workers {
        let (queue, sockets) = (Arc::clone(&queue), sockets.to_vec());
        let mut own = kept.pop();
        tasks.spawn(async move {
            let (next, requests) = &*queue;
            let mut timer = Timer::new(patience.limit);
            let mut answers = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(index) else { return (answers, own) };
                let reply = timer.timely(pin!(answered(&mut own, &sockets, request, patience.longest))).await;
                answers.push((index, reply.map(|reply| reply.status)));
            }
        });
    }
    let mut answers: Vec<Option<Result<u16, Trouble>>> = Vec::new();
    answers.resize_with(count, || None);
    while let Some(done) = tasks.join_next().await {
        let Ok((own_answers, own)) = done else { continue };
        kept.extend(own.map(Line::rested));
        for (index, answer) in own_answers {
            answers[index] = Some(answer);
        }
    }
    let missing = || Err(Trouble::Broken("the request was not sent".to_owned()));
    answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect()
}

fn trouble(error: hyper::Error) -> Trouble {
    if error.is_parse() { Trouble::NoHttp(error.to_string()) } else { Trouble::Broken(cause(&error)) }
}

/// The innermost reason, which says most.
fn cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
