//! A proxy that stands between a tunnel and a service, and writes down what goes through.
//!
//! Bytes, headers and status pass unchanged in both directions. What is written is the log that `import` reads, a line for
//! each request (`docs/importing.md`, "The log"). What lets somebody in is never written: the values of headers that hold
//! secrets, signatures or cookies, and what follows a question mark in an address. A request is written as soon as it is
//! answered, so whatever ends the program loses none of those before.

mod headers;

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpListener as StdListener},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    client, server,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::{sleep, timeout},
};

use crate::import::{LogLine, LoggedBody};

/// The largest body that is passed on.
const LONGEST_BODY: usize = 64 << 20;

/// How long a service may take to answer, far longer than any provider waits.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long requests under way may take to end when the program is asked to.
const LONGEST_END: Duration = Duration::from_secs(5);

/// Where requests are passed on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    host: String,
    port: u16,
    path: String,
}

impl Forward {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is no `http://` address.
    pub fn parse(text: &str) -> Result<Forward, String> {
        let wrong = |why: &str| format!("`{text}` {why}; --forward takes an address such as http://127.0.0.1:3000");
        let uri: Uri = text.parse().map_err(|_| wrong("is no address"))?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http")).ok_or_else(|| wrong("does not begin with http://"))?;
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(wrong("holds more than host, port and path"));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        Ok(Forward { host, port: authority.port_u16().unwrap_or(80), path: uri.path().trim_end_matches('/').to_owned() })
    }

    /// Where a request to this path, with its query, goes.
    ///
    /// # Errors
    /// When that is no address.
    pub fn target(&self, asked: &str) -> Result<String, String> {
        let asked = if self.path.is_empty() || asked != "/" { asked } else { "" };
        let target = format!("{}{asked}", self.path);
        target.parse::<Uri>().map(|_| target).map_err(|_| "that address cannot be passed on".to_owned())
    }
}

/// What was recorded so far.
pub struct Recorder {
    forward: Forward,
    log: Mutex<Box<dyn Write + Send>>,
    recorded: AtomicU64,
    /// Why a line could not be written; the first such reason.
    unwritten: Mutex<Option<io::Error>>,
    under_way: AtomicUsize,
    stop: Notify,
}

impl Recorder {
    /// A recorder that writes into `log`.
    pub fn new(forward: Forward, log: Box<dyn Write + Send>) -> Arc<Recorder> {
        Arc::new(Recorder {
            forward,
            log: Mutex::new(log),
            recorded: AtomicU64::new(0),
            unwritten: Mutex::new(None),
            under_way: AtomicUsize::new(0),
            stop: Notify::new(),
        })
    }

    /// How many requests are written down.
    pub fn recorded(&self) -> u64 {
        self.recorded.load(Ordering::Relaxed)
    }

    /// Why not all of them are, if that is so.
    pub fn unwritten(&self) -> Option<io::Error> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Asks [`Recorder::serve`] to end when the requests under way are answered.
    pub fn stop(&self) {
        // Kept for whoever begins to wait only afterwards.
        self.stop.notify_one();
    }

    /// Passes requests on until it is asked to stop.
    ///
    /// # Errors
    /// When nothing can be listened to.
    pub fn serve(self: &Arc<Recorder>, listener: StdListener) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            tokio::spawn(accept(listener, Arc::clone(self)));
            self.stop.notified().await;
            let ended = async {
                while self.under_way.load(Ordering::Relaxed) > 0 {
                    sleep(Duration::from_millis(10)).await;
                }
            };
            // Who does not answer by then is cut off.
            let _ = timeout(LONGEST_END, ended).await;
            Ok(())
        })
    }

    fn write(&self, line: &LogLine) {
        let mut text = serde_json::to_vec(line).unwrap_or_default();
        text.push(b'\n');
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        match log.write_all(&text).and_then(|()| log.flush()) {
            Ok(()) => _ = self.recorded.fetch_add(1, Ordering::Relaxed),
            Err(error) => _ = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error),
        }
    }
}

async fn accept(listener: TcpListener, recorder: Arc<Recorder>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many files are open; some will be closed.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let recorder = Arc::clone(&recorder);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let under_way = UnderWay::of(&recorder);
                // Whoever asked may hang up before there is an answer, as providers do. What the service made of it is written all
                // the same, so this goes on by itself.
                let passed = tokio::spawn(async move { passed(&under_way.0, request).await });
                async {
                    Ok::<_, std::convert::Infallible>(passed.await.unwrap_or_else(|_| own_answer(StatusCode::BAD_GATEWAY, "it failed")))
                }
            });
            let mut builder = server::conn::http1::Builder::new();
            // Headers of the service are not added to, and keep their case.
            builder.timer(TokioTimer::new()).preserve_header_case(true).auto_date_header(false);
            // Whoever hangs up has lost the answer, and knows it.
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// One request that is under way, until it is answered.
struct UnderWay(Arc<Recorder>);

impl UnderWay {
    fn of(recorder: &Arc<Recorder>) -> UnderWay {
        recorder.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(recorder))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Passes a request on, and what is answered back.
async fn passed(recorder: &Recorder, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (mut head, body) = request.into_parts();
    let body = match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return own_answer(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long to be recorded");
        }
        Err(_) => return own_answer(StatusCode::BAD_REQUEST, "the body broke off"),
    };
    let mut line = LogLine {
        at: Some(jiff::Timestamp::now().to_string()),
        method: Some(head.method.to_string()),
        path: Some(head.uri.path().to_owned()),
        headers: headers::written(&head.headers),
        body: Some(LoggedBody::of(&body)),
        status: None,
    };
    let asked_for = head.uri.path_and_query().map_or("/", |asked| asked.as_str());
    let target = recorder.forward.target(asked_for).and_then(|target| target.parse().map_err(|_| "it cannot be passed on".to_owned()));
    let answer = match target {
        Err(why) => Err(why),
        Ok(target) => {
            head.uri = target;
            asked(&recorder.forward, Request::from_parts(head, Full::new(body))).await
        }
    };
    let response = answer.unwrap_or_else(|why| own_answer(StatusCode::BAD_GATEWAY, &format!("nothing was answered: {why}")));
    // Only what the service said is its answer.
    line.status = response.extensions().get::<Own>().is_none().then(|| response.status().as_u16());
    recorder.write(&line);
    response
}

/// Marks what the recorder answers itself.
#[derive(Clone, Copy)]
struct Own;

fn own_answer(status: StatusCode, what: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("refundproof record: {what}\n"))));
    *response.status_mut() = status;
    response.extensions_mut().insert(Own);
    response
}

async fn asked(forward: &Forward, request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, String> {
    let stream = TcpStream::connect((forward.host.as_str(), forward.port)).await.map_err(|error| error.to_string())?;
    let _ = stream.set_nodelay(true);
    let mut builder = client::conn::http1::Builder::new();
    builder.preserve_header_case(true);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let connection = tokio::spawn(connection);
    let whole = async {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST_BODY).collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Response::from_parts(head, Full::new(body)))
    };
    let answer = timeout(PATIENCE, whole).await;
    connection.abort();
    answer.unwrap_or_else(|_| Err(format!("it took longer than {} s", PATIENCE.as_secs())))
}

/// Listens on an address.
///
/// # Errors
/// When it is none, or somebody else listens there.
pub fn listen(address: &str) -> Result<(StdListener, SocketAddr), String> {
    let fail = |error: io::Error| format!("--listen {address}: {error}; it takes an address such as 127.0.0.1:4242");
    let listener = StdListener::bind(address).map_err(fail)?;
    let local = listener.local_addr().map_err(fail)?;
    Ok((listener, local))
}
