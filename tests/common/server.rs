//! A small HTTP/1.1 server with a thread for each connection. It wraps any target, and may do anything instead.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use refundproof::{
    adapter::{Hello, HttpSettings, HttpTarget, Introduction, Request, Setup, Target},
    case::{OrderSetup, OwnRefund},
    domain::Clock,
    reference::ReferenceShop,
};

/// What the shop's deliveries are signed with.
pub(crate) const SECRET: &str = "whsec_of_the_test";

/// One request, as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_delivery(&self) -> bool {
        self.path == "/webhooks"
    }
}

/// What happened on the wire, in the order in which the server saw it.
#[derive(Clone, Debug)]
pub(crate) enum Saw {
    Asked(Asked),
    /// The body ended before its end: so many bytes of so many came.
    Half(usize, usize),
    Answered,
    Reset,
    Closed,
}

/// What the server does with a request.
pub(crate) enum Reply {
    Answer(u16, String),
    /// A whole answer as it is sent; the connection is closed after it.
    Raw(Vec<u8>),
    /// Nothing more; the connection is closed.
    Close,
}

/// A server, running until the test ends.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    wire: Arc<Wire>,
}

#[derive(Default)]
struct Wire {
    accepts: AtomicUsize,
    saw: Mutex<Vec<Saw>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// A server that does this.
    pub(crate) fn new(handler: impl Fn(&Asked, &mut TcpStream) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let wire = Arc::new(Wire::default());
        let shared = Arc::clone(&wire);
        thread::spawn(move || serve(&listener, &shared, Arc::new(handler)));
        Server { address, wire }
    }

    /// The reference shop.
    pub(crate) fn shop() -> Server {
        Server::shop_but(|_, _| None)
    }

    /// The reference shop, except for what `odd` does.
    pub(crate) fn shop_but(odd: impl Fn(&Asked, &mut TcpStream) -> Option<Reply> + Send + Sync + 'static) -> Server {
        let shop = shop_handler(reference());
        Server::new(move |asked, stream| {
            odd(asked, stream).unwrap_or_else(|| {
                let (status, body) = shop(asked);
                Reply::Answer(status, body)
            })
        })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How to reach a shop here.
    pub(crate) fn settings(&self) -> HttpSettings {
        settings_for(&self.url(""))
    }

    pub(crate) fn target(&self) -> HttpTarget {
        greeted(&self.settings())
    }

    pub(crate) fn accepts(&self) -> usize {
        self.wire.accepts.load(Ordering::SeqCst)
    }

    pub(crate) fn saw(&self) -> Vec<Saw> {
        lock(&self.wire.saw).clone()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.saw().into_iter().filter_map(|saw| if let Saw::Asked(asked) = saw { Some(asked) } else { None }).collect()
    }

    pub(crate) fn deliveries(&self) -> usize {
        self.asked().iter().filter(|asked| asked.is_delivery()).count()
    }

    /// Waits until something was seen.
    #[track_caller]
    pub(crate) fn eventually(&self, what: &str, is_it: impl Fn(&Saw) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.saw().iter().any(&is_it) {
            assert!(Instant::now() < deadline, "{what} was not seen, but {:?}", self.saw());
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// How to reach the shop at this address.
pub(crate) fn settings_for(base: &str) -> HttpSettings {
    HttpSettings {
        setup: Setup::Url(format!("{base}/test/orders")),
        initiate_url: Some(format!("{base}/test/refunds")),
        advance_url: Some(format!("{base}/test/clock")),
        ..HttpSettings::new(format!("{base}/webhooks"), format!("{base}/orders/{{orderId}}"), Duration::from_secs(20))
    }
}

/// A target with these settings that was greeted.
#[track_caller]
pub(crate) fn greeted(settings: &HttpSettings) -> HttpTarget {
    let mut target = HttpTarget::new(settings).unwrap_or_else(|error| panic!("{error}"));
    target.hello(&hello()).unwrap_or_else(|error| panic!("{error}"));
    target
}

pub(crate) fn hello() -> Hello {
    Hello::new(super::provider().name().to_owned(), SECRET.to_owned())
}

/// The reference shop by the machine's clock, greeted.
pub(crate) fn reference() -> Box<dyn Target> {
    let mut shop = Box::new(ReferenceShop::new(Clock::system()));
    shop.hello(&hello()).expect("the reference starts");
    shop
}

/// What the reference claims, but for the time, which needs a service that is started.
pub(crate) fn introduction() -> Introduction {
    let told = ReferenceShop::new(Clock::system()).hello(&hello()).expect("the reference starts");
    told.with(|told| told.capabilities.clock = false)
}

/// A target behind some URLs.
pub(crate) fn shop_handler(target: Box<dyn Target>) -> impl Fn(&Asked) -> (u16, String) + Send + Sync {
    let target = Mutex::new(target);
    move |asked| {
        let mut target = lock(&target);
        match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", "/webhooks") => {
                let answer = target.deliver(&Request::new(&asked.headers, &asked.body));
                (answer.unwrap_or(500), String::new())
            }
            ("POST", "/test/orders") => {
                let begun: Begun = serde_json::from_slice(&asked.body).expect("what `begin` says");
                target.begin(&begun.case, &begun.orders).expect("the shop begins");
                (204, String::new())
            }
            ("POST", "/test/refunds") => {
                let own: OwnRefund = serde_json::from_slice(&asked.body).expect("what `initiate` says");
                target.initiate(&own).expect("the shop takes it");
                (204, String::new())
            }
            ("POST", "/test/clock") => {
                let passed: Passed = serde_json::from_slice(&asked.body).expect("what `advance` says");
                target.advance(Duration::from_secs(passed.seconds)).expect("the shop gets older");
                (204, String::new())
            }
            ("GET", "/health") => (200, "well".to_owned()),
            ("GET", path) => match path.strip_prefix("/orders/").and_then(|order| target.observe(order).expect("the shop shows it")) {
                Some(state) => (200, serde_json::to_string(&state).expect("JSON")),
                None => (404, String::new()),
            },
            _ => (405, String::new()),
        }
    }
}

#[derive(serde::Deserialize)]
struct Passed {
    seconds: u64,
}

#[derive(serde::Deserialize)]
struct Begun {
    case: String,
    orders: Vec<OrderSetup>,
}

/// Serves for ever, outside a test too.
pub(crate) fn serve_for_ever(listener: &TcpListener, handler: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) {
    let reply = move |asked: &Asked, _: &mut TcpStream| {
        let (status, body) = handler(asked);
        Reply::Answer(status, body)
    };
    serve(listener, &Arc::default(), Arc::new(reply));
}

/// Serves for ever, and nobody else before who is served has hung up.
pub(crate) fn serve_one_by_one(listener: &TcpListener, handler: &(impl Fn(&Asked) -> (u16, String) + Send + Sync)) {
    let reply = |asked: &Asked, _: &mut TcpStream| {
        let (status, body) = handler(asked);
        Reply::Answer(status, body)
    };
    for stream in listener.incoming().flatten() {
        converse(stream, &Wire::default(), &reply);
    }
}

type Handler<'h> = dyn Fn(&Asked, &mut TcpStream) -> Reply + Send + Sync + 'h;

fn serve(listener: &TcpListener, wire: &Arc<Wire>, handler: Arc<Handler<'static>>) {
    for stream in listener.incoming().flatten() {
        wire.accepts.fetch_add(1, Ordering::SeqCst);
        let (wire, handler) = (Arc::clone(wire), Arc::clone(&handler));
        thread::spawn(move || converse(stream, &wire, &*handler));
    }
}

fn converse(mut stream: TcpStream, wire: &Wire, handler: &Handler<'_>) {
    let saw = |what| lock(&wire.saw).push(what);
    // Sent in two parts, it would wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    loop {
        match read_request(&mut stream) {
            Ok(Ok(asked)) => {
                saw(Saw::Asked(asked.clone()));
                let whole = match handler(&asked, &mut stream) {
                    Reply::Answer(status, body) => {
                        let answer = format!("HTTP/1.1 {status} Done\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                        // An answer to a 204 has no body and says so by itself.
                        let answer = if status == 204 { "HTTP/1.1 204 Done\r\n\r\n".to_owned() } else { answer };
                        Some(stream.write_all(answer.as_bytes()))
                    }
                    Reply::Raw(bytes) => {
                        let _ = stream.write_all(&bytes);
                        return;
                    }
                    Reply::Close => return,
                };
                if whole.is_some_and(|written| written.is_ok()) {
                    saw(Saw::Answered);
                }
                if asked.header("connection") == Some("close") {
                    // Whether the other end hangs up or resets shows only now.
                    saw(ending(&mut stream));
                    return;
                }
            }
            Ok(Err(Some((got, promised)))) => {
                saw(Saw::Half(got, promised));
                return;
            }
            Ok(Err(None)) => {
                saw(Saw::Closed);
                return;
            }
            Err(_) => {
                saw(Saw::Reset);
                return;
            }
        }
    }
}

fn ending(stream: &mut TcpStream) -> Saw {
    if stream.shutdown(std::net::Shutdown::Write).is_err() {
        return Saw::Reset;
    }
    match stream.peek(&mut [0]) {
        Ok(_) => Saw::Closed,
        Err(_) => Saw::Reset,
    }
}

/// What a request missed when the connection was closed: its body's length so far and in all, or everything.
type Missed = Option<(usize, usize)>;

fn read_request(stream: &mut TcpStream) -> io::Result<Result<Asked, Missed>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 << 10];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut buffer)? {
            0 => return Ok(Err(None)),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    };
    let mut body = bytes.split_off(end + 4);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: Vec<(String, String)> = lines.filter_map(header).collect();
    let asked = Asked { method, path, headers, body: Vec::new() };
    let length = asked.header("content-length").map_or(0, |length| length.parse().expect("a length"));
    while body.len() < length {
        match stream.read(&mut buffer)? {
            0 => return Ok(Err(Some((body.len(), length)))),
            count => body.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(Ok(Asked { body, ..asked }))
}
