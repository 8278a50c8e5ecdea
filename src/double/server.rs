//! The double over HTTP, on loopback.
//!
//! One thread serves all connections: it only looks things up. It ends with the double.

use std::{
    io,
    net::{Ipv4Addr, TcpListener as StdListener},
    sync::{Arc, Condvar, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap},
    server::conn::http1::Builder,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot},
    time::sleep,
};

use super::{Answer, Double, held};
use crate::adapter::{ApiCall, ApiMethod, ApiReply};

/// How long the answer to a request of the shop's own is held back at the most, for events that are to arrive before it.
const LONGEST_HOLD: Duration = Duration::from_secs(5);

/// How late a slow answer comes.
const SLOW: Duration = Duration::from_millis(100);

/// How much of a request's body is read; a form of what can be made has a few hundred bytes.
const LONGEST_BODY: usize = 64 << 10;

/// Serves a double on a free port of loopback for as long as anybody has it, and says where. Served once, it stays where it is.
///
/// # Errors
/// When there is no port or no thread to be had.
pub fn serve(double: &Arc<Double>) -> io::Result<String> {
    if let Some(address) = double.address() {
        return Ok(address.to_owned());
    }
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = format!("http://{}", listener.local_addr()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let listener = {
        let _context = runtime.enter();
        TcpListener::from_std(listener)?
    };
    let (stop, stopped) = oneshot::channel();
    let served = Arc::downgrade(double);
    std::thread::Builder::new().name("double".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::spawn(accept(listener, served));
            // The other end is dropped together with the double.
            let _ = stopped.await;
        });
    })?;
    *held(&double.server) = Some(stop);
    Ok(double.address.get_or_init(|| address).clone())
}

async fn accept(listener: TcpListener, double: Weak<Double>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many files are open; some will be closed.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        // Answers are small and leave at once.
        let _ = stream.set_nodelay(true);
        let double = Weak::clone(&double);
        tokio::spawn(async move {
            let service = service_fn(move |request| answered(Weak::clone(&double), request));
            // Whoever hangs up has lost the answer, and knows it.
            let _ = Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The error hangs up without an answer.
async fn answered(double: Weak<Double>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
    let gone = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let version_header = double.upgrade().ok_or_else(gone)?.api.version_header();
    let call = match read(request, version_header).await {
        Ok(call) => call,
        Err(refused) => return Ok(refused),
    };
    let double = double.upgrade().ok_or_else(gone)?;
    let answer = double.answer(&call);
    drop(double);
    let reply = match answer {
        Answer::Now(reply) => reply,
        Answer::Late(reply) => {
            sleep(SLOW).await;
            reply
        }
        Answer::Lost => return Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
        Answer::Held(reply, entry) => {
            entry.gate.request_is_there();
            // A shop that takes nothing in meanwhile gets its answer in the end.
            let _ = tokio::time::timeout(LONGEST_HOLD, entry.gate.opened()).await;
            reply.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted))?
        }
    };
    Ok(response(&reply))
}

fn response(reply: &ApiReply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body.clone())));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // The libraries of providers put it into what they throw.
    response.headers_mut().insert("request-id", hyper::header::HeaderValue::from_static("req_refundproof"));
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    response
}

/// The call, or what is answered to something that is none.
async fn read(request: Request<Incoming>, version_header: Option<&str>) -> Result<ApiCall, Response<Full<Bytes>>> {
    let plain = |status: u16, what: &str| {
        response(&ApiReply { status, body: format!(r#"{{"error":{{"message":"{what}","type":"invalid_request_error"}}}}"#) })
    };
    let method = match *request.method() {
        Method::GET => ApiMethod::Get,
        Method::POST => ApiMethod::Post,
        _ => return Err(plain(405, "only GET and POST are served")),
    };
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Err(plain(413, "the body is too long, or broke off")),
    };
    let query = head.uri.query().unwrap_or_default().as_bytes();
    let parameters =
        [query, &body].into_iter().flat_map(form_urlencoded::parse).map(|(name, value)| (name.into_owned(), value.into_owned()));
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok(ApiCall {
        method,
        path: head.uri.path().to_owned(),
        parameters: parameters.collect(),
        key: key(&head.headers),
        idempotency_key: text("idempotency-key"),
        version: version_header.and_then(text),
    })
}

/// The key is a bearer's token or the name of a user without a password.
fn key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(rest.trim().to_owned()),
        "basic" => {
            let text = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
            Some(text.split(':').next().unwrap_or_default().to_owned())
        }
        _ => None,
    }
}

/// Holds an answer back: one side waits for the request to be there, the other for the gate to be opened.
#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
    opened: Notify,
}

#[derive(Default)]
struct State {
    is_closed: bool,
    has_request: bool,
}

impl Gate {
    /// From now on the next request waits, or none does.
    pub(super) fn close(&self, is_closed: bool) {
        *held(&self.state) = State { is_closed, has_request: false };
    }

    pub(super) fn open(&self) {
        held(&self.state).is_closed = false;
        self.opened.notify_waiters();
    }

    fn request_is_there(&self) {
        held(&self.state).has_request = true;
        self.changed.notify_all();
    }

    async fn opened(&self) {
        let opened = self.opened.notified();
        tokio::pin!(opened);
        // From here on no opening is missed.
        opened.as_mut().enable();
        if held(&self.state).is_closed {
            opened.await;
        }
    }

    /// Waits until a request is there; whether it is.
    pub(super) fn wait_for_request(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut state = held(&self.state);
        while !state.has_request {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
