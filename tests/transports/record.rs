//! Requests go through a recorder to a service of the test, and what arrives, what comes back and what is written is looked at.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use refundproof::{
    import::{LogLine, LoggedBody},
    record::{Forward, Recorder, listen},
};

/// Where the log of a test is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const ANSWER: &str = "HTTP/1.1 418 I'm a teapot\r\nX-Odd-Case: Kept\r\nContent-Length: 5\r\n\r\nshort";

struct Passed {
    /// What the service got.
    arrived: String,
    /// What came back.
    answer: String,
    log: String,
}

/// A service that takes one request of this length, waits, and answers with a teapot; it gives back what arrived.
fn teapot(length: usize, wait: impl FnOnce() + Send + 'static) -> (SocketAddr, thread::JoinHandle<String>) {
    let service = StdListener::bind("127.0.0.1:0").expect("a port");
    let address = service.local_addr().expect("an address");
    let answering = thread::spawn(move || {
        let (mut stream, _) = service.accept().expect("a connection");
        let mut arrived = vec![0; length];
        stream.read_exact(&mut arrived).expect("as much as was sent");
        wait();
        stream.write_all(ANSWER.as_bytes()).expect("answered");
        String::from_utf8(arrived).expect("text")
    });
    (address, answering)
}

/// A recorder that is under way.
struct Recording {
    recorder: Arc<Recorder>,
    address: SocketAddr,
    log: Log,
    serving: thread::JoinHandle<io::Result<()>>,
}

impl Recording {
    fn before(service: SocketAddr) -> Recording {
        let log = Log::default();
        let forward = Forward::parse(&format!("http://{service}")).expect("an address");
        let recorder = Recorder::new(forward, Box::new(log.clone()));
        let (listener, address) = listen("127.0.0.1:0").expect("a port");
        let serving = thread::spawn({
            let recorder = Arc::clone(&recorder);
            move || recorder.serve(listener)
        });
        Recording { recorder, address, log, serving }
    }

    /// Ends it; what it has written.
    fn end(self) -> String {
        self.recorder.stop();
        self.serving.join().expect("the recorder ends").expect("well");
        String::from_utf8(self.log.0.lock().expect("nobody panicked").clone()).expect("text")
    }
}

/// Sends a request through a recorder, whose service answers with a teapot.
fn pass(request: &str) -> Passed {
    let (service, answering) = teapot(request.len(), || {});
    let recording = Recording::before(service);
    let answer = send(recording.address, request);
    let arrived = answering.join().expect("the service ends");
    Passed { arrived, answer, log: recording.end() }
}

fn send(address: SocketAddr, request: &str) -> String {
    let mut stream = StdStream::connect(address).expect("a connection");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    // The connection stays open; the answer ends with its body.
    let mut byte = [0];
    while !answer.ends_with(b"short") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        answer.push(byte[0]);
    }
    String::from_utf8(answer).expect("text")
}

const REQUEST: &str = "POST /hook?token=SECRET1 HTTP/1.1\r\nHost: shop.example\r\nX-Custom: Value\r\nSome-Signature: SECRET2\r\nAuthorization: Bearer SECRET3\r\nCookie: a=SECRET4\r\nX-Api-Key: SECRET5\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"id\":\"\\u0041\"";

fn request() -> String {
    let body = "{ \"id\" : \"é\" }";
    let head = REQUEST.split("\r\n\r\n").next().unwrap_or_default().replace("12", &body.len().to_string());
    format!("{head}\r\n\r\n{body}")
}

#[test]
fn everything_passes_unchanged() {
    let passed = pass(&request());
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.split("\r\n").map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(sorted(&passed.arrived), sorted(&request()));
    assert_eq!(sorted(&passed.answer), sorted(ANSWER));
}

#[test]
fn what_is_written_can_be_imported_and_holds_no_secret() {
    let passed = pass(&request());
    let line: LogLine = serde_json::from_str(passed.log.trim_end()).expect("one line of a log");
    assert_eq!((line.method.as_deref(), line.path.as_deref(), line.status), (Some("POST"), Some("/hook"), Some(418)));
    assert_eq!(line.body, Some(LoggedBody::Text("{ \"id\" : \"é\" }".to_owned())));
    assert_eq!(line.headers.get("x-custom").map(String::as_str), Some("Value"));
    assert_eq!(line.headers.get("some-signature").map(String::as_str), Some("(not written)"));
    assert!(!passed.log.contains("SECRET"), "{}", passed.log);
}

#[test]
fn a_service_that_is_not_there_is_told_of() {
    let gone = StdListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port that is free again");
    let recording = Recording::before(gone);
    let mut stream = StdStream::connect(recording.address).expect("a connection");
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    let recorder = Arc::clone(&recording.recorder);
    let log = recording.end();
    assert_eq!(recorder.recorded(), 1);
    assert!(!log.contains("status"));
}

/// Providers wait for some seconds and send the event again then; what the service made of it is a part of the story.
#[test]
fn what_the_sender_did_not_wait_for_is_written() {
    let (asked, is_asked) = mpsc::channel();
    let (gone, is_gone) = mpsc::channel();
    let (service, answering) = teapot(request().len(), move || {
        asked.send(()).expect("the test waits");
        is_gone.recv().expect("the test goes on");
    });
    let recording = Recording::before(service);
    let mut stream = StdStream::connect(recording.address).expect("a connection");
    stream.write_all(request().as_bytes()).expect("sent");
    is_asked.recv().expect("the service is asked");
    drop(stream);
    // So that the recorder sees it before the answer.
    thread::sleep(Duration::from_millis(50));
    gone.send(()).expect("the service waits");
    answering.join().expect("the service ends");
    let line: LogLine = serde_json::from_str(recording.end().trim_end()).expect("one line of a log");
    assert_eq!(line.status, Some(418));
}

#[track_caller]
fn check_target(forward: &str, asked: &str, expected: &str) {
    let forward = Forward::parse(forward).expect("an address");
    assert_eq!(forward.target(asked), Ok(expected.to_owned()));
}

#[test]
fn paths_are_kept() {
    check_target("http://127.0.0.1:3000", "/hook?a=1", "/hook?a=1");
    check_target("http://127.0.0.1:3000/", "/", "/");
    check_target("http://127.0.0.1:3000/hook", "/", "/hook");
    check_target("http://127.0.0.1:3000/base", "/hook", "/base/hook");
}

#[test]
fn what_is_no_address_is_refused() {
    for text in ["", "localhost:3000", "https://example.com", "http://", "http://user:pass@localhost", "ftp://localhost", "http://a/?b"] {
        assert!(Forward::parse(text).is_err_and(|error| error.contains("--forward")), "{text}");
    }
}
