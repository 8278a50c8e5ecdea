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

/// Sends a request through a recorder, whose service answers with a teapot.
fn pass(request: &str) -> Passed {
    let service = StdListener::bind("127.0.0.1:0").expect("a port");
    let forward = Forward::parse(&format!("http://{}", service.local_addr().expect("an address"))).expect("an address");
    let length = request.len();
    let service = thread::spawn(move || {
        let (mut stream, _) = service.accept().expect("a connection");
        let mut arrived = vec![0; length];
        stream.read_exact(&mut arrived).expect("as much as was sent");
        stream.write_all(ANSWER.as_bytes()).expect("answered");
        String::from_utf8(arrived).expect("text")
    });
    let log = Log::default();
    let recorder = Recorder::new(forward, Box::new(log.clone()));
    let (address, serving) = serving(&recorder);
    let answer = send(address, request);
    let arrived = service.join().expect("the service ends");
    recorder.stop();
    serving.join().expect("the recorder ends").expect("well");
    let log = String::from_utf8(log.0.lock().expect("nobody panicked").clone()).expect("text");
    Passed { arrived, answer, log }
}

/// Where a recorder listens, and what comes of it in the end.
fn serving(recorder: &Arc<Recorder>) -> (SocketAddr, thread::JoinHandle<io::Result<()>>) {
    let (listener, address) = listen("127.0.0.1:0").expect("a port");
    let recorder = Arc::clone(recorder);
    (address, thread::spawn(move || recorder.serve(listener)))
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
    let log = Log::default();
    let recorder = Recorder::new(Forward::parse(&format!("http://{gone}")).expect("an address"), Box::new(log.clone()));
    let (address, serving) = serving(&recorder);
    let mut stream = StdStream::connect(address).expect("a connection");
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    recorder.stop();
    serving.join().expect("the recorder ends").expect("well");
    assert_eq!(recorder.recorded(), 1);
    assert!(!String::from_utf8_lossy(&log.0.lock().expect("nobody panicked")).contains("status"));
}

/// Providers wait for some seconds and send the event again then; what the service made of it is a part of the story.
#[test]
fn what_the_sender_did_not_wait_for_is_written() {
    let service = StdListener::bind("127.0.0.1:0").expect("a port");
    let forward = Forward::parse(&format!("http://{}", service.local_addr().expect("an address"))).expect("an address");
    let (asked, is_asked) = mpsc::channel();
    let (gone, is_gone) = mpsc::channel();
    let service = thread::spawn(move || {
        let (mut stream, _) = service.accept().expect("a connection");
        let mut arrived = vec![0; request().len()];
        stream.read_exact(&mut arrived).expect("as much as was sent");
        asked.send(()).and_then(|()| is_gone.recv().map_err(|_| mpsc::SendError(()))).expect("the test goes on");
        stream.write_all(ANSWER.as_bytes()).expect("answered");
    });
    let log = Log::default();
    let recorder = Recorder::new(forward, Box::new(log.clone()));
    let (address, serving) = serving(&recorder);
    let mut stream = StdStream::connect(address).expect("a connection");
    stream.write_all(request().as_bytes()).expect("sent");
    is_asked.recv().expect("the service is asked");
    drop(stream);
    // So that the recorder sees it before the answer.
    thread::sleep(Duration::from_millis(50));
    gone.send(()).expect("the service waits");
    service.join().expect("the service ends");
    recorder.stop();
    serving.join().expect("the recorder ends").expect("well");
    let log = String::from_utf8(log.0.lock().expect("nobody panicked").clone()).expect("text");
    let line: LogLine = serde_json::from_str(log.trim_end()).expect("one line of a log");
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
