//! The HTTP transport against servers in the test's own process, most of which misbehave.

use std::{
    collections::HashSet,
    io::Write,
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use refundproof::{
    adapter::{Hello, HttpSettings, HttpTarget, Introduction, Mapping, Request, Setup, Target, TargetError, TargetErrorKind, Transport},
    case::{Mishap, OrderSetup},
    domain::{Clock, Status},
    drive::{Launch, Secrets},
    provider::{Provider, Registered, registered},
    reference::ReferenceShop,
    run::{Options, Selection, certify},
    verdict::{Conformance, Report, Verdict},
};
use serde_json::{Value, json};

use crate::common::{
    only, provider, quick,
    server::{Asked, Reply, SECRET, Saw, Server, greeted, hello, introduction, reference, serve_one_by_one, settings_for, shop_handler},
};

const SHORT: Duration = Duration::from_millis(200);
/// Long for a test, and short for something that hangs.
const LONG: Duration = Duration::from_secs(60);

/// Certifies what is reached with these settings.
fn certified(settings: &HttpSettings, options: &Options) -> Result<Report, TargetError> {
    certified_by(provider(), settings, options)
}

fn certified_by(provider: &dyn Provider, settings: &HttpSettings, options: &Options) -> Result<Report, TargetError> {
    let settings = settings.clone();
    let make = move || Ok(Box::new(HttpTarget::new(&settings)?) as Box<dyn Target>);
    let launch = Launch::new("http", "", Clock::system(), make).signing(Secrets::of(Some(SECRET.into())));
    certify(provider, &launch, options, &AtomicBool::new(false), &mut |_| {})
}

/// The reference's claims, except for those that need a process of its own.
fn claims() -> Introduction {
    let mut claims = introduction();
    claims.capabilities = claims.capabilities.with(|claims| {
        claims.durable = false;
        claims.concurrency = 4;
    });
    claims
}

fn salted(options: Options) -> Options {
    options.with(|options| options.salt = Some(7))
}

#[track_caller]
fn conforms(report: &Report) {
    let wrong = |verdict| !matches!(verdict, Verdict::Pass | Verdict::NotApplicable);
    let failed: Vec<_> = report.requirements.iter().filter(|requirement| requirement.judged && wrong(requirement.verdict)).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(report.verdict, Conformance::Conformant, "{:?}", report.snapshots);
}

fn post(body: &[u8]) -> Request<'_> {
    Request::new(&[], body)
}

/// What comes of a delivery to a server that does this with it.
fn delivery(odd: impl Fn(&Asked, &mut TcpStream) -> Reply + Send + Sync + 'static) -> Result<u16, TargetError> {
    delivery_within(Duration::from_secs(20), odd)
}

fn delivery_within(limit: Duration, odd: impl Fn(&Asked, &mut TcpStream) -> Reply + Send + Sync + 'static) -> Result<u16, TargetError> {
    let server = Server::new(odd);
    let mut target = greeted(&HttpSettings { answer_limit: Some(limit), ..server.settings() });
    let answer = target.deliver(&post(b"{}"));
    assert_eq!(server.deliveries(), 1, "it was sent once");
    answer
}

fn raw(text: &str) -> Reply {
    Reply::Raw(text.as_bytes().to_vec())
}

#[track_caller]
fn crashed(answer: Result<u16, TargetError>, part: &str) {
    let error = answer.expect_err("an answer came");
    assert!(matches!(&error.kind, TargetErrorKind::Crashed(how) if how.contains(part)), "{error:?}");
}

#[track_caller]
fn not_started(settings: &HttpSettings, parts: &[&str]) {
    let started = HttpTarget::new(settings).and_then(|mut target| target.hello(&hello()));
    let error = started.expect_err("it started").to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

/// A port on which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[test]
fn what_passes_is_posted_in_seconds() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let server = Server::new(move |asked, _| {
        heard.lock().expect("nobody panics").push((asked.path.clone(), String::from_utf8_lossy(&asked.body).into_owned()));
        Reply::Answer(204, String::new())
    });
    let two_days = Duration::from_secs(172_800);
    greeted(&server.settings()).advance(two_days).expect("it is told");
    let unsaid = HttpSettings { advance_url: None, ..server.settings() };
    assert_eq!(greeted(&unsaid).advance(two_days).expect_err("nobody says where").kind, TargetErrorKind::Unsupported);
    let told = told.lock().expect("nobody panics").clone();
    assert_eq!(told.last(), Some(&("/test/clock".to_owned(), r#"{"seconds":172800}"#.to_owned())));
}

// ---- A whole certification

#[test]
fn the_reference_conforms() {
    let server = Server::shop();
    let settings = HttpSettings { introduction: claims(), ..server.settings() };
    let report = certified(&settings, &salted(quick(4, 1))).expect("a report");
    conforms(&report);
    assert_eq!(report.target.transport, "http");
    assert!(
        report.requirements.iter().any(|requirement| requirement.id == "concurrent-deliveries" && requirement.verdict == Verdict::Pass)
    );
}

#[test]
fn everything_but_deliveries_may_be_behind_a_token() {
    let server = Server::shop_but(|asked, _| {
        let has_token = asked.header("x-token") == Some("let-me-in");
        (asked.is_delivery() == has_token).then(|| Reply::Answer(401, String::new()))
    });
    let headers = vec![("X-Token".to_owned(), "let-me-in".into())];
    let settings = HttpSettings { headers, introduction: claims(), ..server.settings() };
    conforms(&certified(&settings, &salted(quick(2, 1))).expect("a report"));
    not_started(&HttpSettings { headers: vec![("host".to_owned(), "x".into())], ..server.settings() }, &["http.headers: `host`"]);
    not_started(&HttpSettings { headers: vec![("x".to_owned(), "a\nb".into())], ..server.settings() }, &["http.headers.x"]);
}

/// A shop may be registered for an older version of the provider's API, whatever it is reached by.
#[test]
fn a_shop_of_an_older_version_conforms() {
    const OLDER: &str = "older-api-version";
    let has_older =
        |registered: &&Registered| registered.embedded().corpus().requirements.iter().any(|requirement| requirement.id == OLDER);
    let registered = registered().iter().find(has_older).expect("a provider with several versions");
    let mut shop = ReferenceShop::new(Clock::system()).registered_for_older_version();
    let mut introduction = shop.hello(&Hello::new(registered.name, SECRET)).expect("it starts");
    introduction.capabilities = introduction.capabilities.with(|claims| (claims.durable, claims.clock) = (false, false));
    let shop = shop_handler(Box::new(shop));
    let server = Server::new(move |asked, _| {
        let (status, body) = shop(asked);
        Reply::Answer(status, body)
    });
    let settings = HttpSettings { introduction, ..server.settings() };
    let options = quick(4, 1).with(|options| options.selection = only(&[OLDER, "charge-refunded-*", "refund-fails-*"]));
    let report = certified_by(registered.embedded(), &settings, &salted(options)).expect("a report");
    conforms(&report);
    let passed = |id| report.requirements.iter().any(|requirement| requirement.id == id && requirement.verdict == Verdict::Pass);
    assert!(passed(OLDER) && passed("charge-refunded-updates-order"));
}

/// Tells the reference of an order that an event introduces.
fn introduced(asked: &Asked) -> Option<Asked> {
    let event: Value = serde_json::from_slice(&asked.body).ok()?;
    if event["type"] != "order.accepted" {
        return None;
    }
    let order = &event["data"]["object"];
    let charge = |charge: &Value| json!({"id": charge["id"], "capturedAmount": charge["amount"].to_string()});
    let charges: Vec<Value> = order["payment"]["charges"].as_array()?.iter().map(charge).collect();
    let captured = order["totalAmount"].to_string();
    let setup = json!({"orderId": order["id"], "currency": order["currency"], "capturedAmount": captured, "charges": charges});
    let body = json!({"case": order["id"], "orders": [setup]}).to_string().into_bytes();
    Some(Asked { method: "POST".to_owned(), path: "/test/orders".to_owned(), headers: Vec::new(), body })
}

#[test]
fn orders_may_be_known_from_events_alone() {
    let shop = shop_handler(reference());
    let begun = Mutex::new(HashSet::new());
    let server = Server::new(move |asked, _| {
        let introduction = introduced(asked).filter(|_| asked.is_delivery());
        if let Some(introduction) = introduction.filter(|told| begun.lock().expect("nobody panics").insert(told.body.clone())) {
            shop(&introduction);
        }
        let (status, body) = shop(asked);
        Reply::Answer(status, body)
    });
    let settings = HttpSettings { setup: Setup::Events, introduction: claims(), ..server.settings() };
    let options = quick(5, 1).with(|options| options.selection = only(&["refund-*", "several-charges", "duplicate-*"]));
    let report = certified(&settings, &salted(options)).expect("a report");
    let failed = report.requirements.iter().filter(|requirement| requirement.verdict != Verdict::Pass).collect::<Vec<_>>();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(server.asked().iter().all(|asked| asked.path != "/test/orders"));
}

#[test]
fn who_refuses_the_event_that_introduces_an_order_is_not_judged() {
    let server = Server::new(|_, _| Reply::Answer(400, String::new()));
    let settings = HttpSettings { setup: Setup::Events, introduction: claims(), ..server.settings() };
    let options = quick(1, 1).with(|options| options.selection = only(&["refund-complete-updates-order"]));
    let report = certified(&settings, &salted(options)).expect("a report");
    assert_eq!(report.verdict, Conformance::NotJudged);
    let note = report.requirements[0].note.as_deref().unwrap_or_default();
    assert!(note.contains("`order.accepted`, which introduces order ") && note.contains("answered 400"), "{note}");
}

#[test]
fn one_connection_at_a_time_is_enough() {
    // Whoever is served by a single thread waits for the next request on a kept connection.
    let shop = shop_handler(reference());
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || serve_one_by_one(&listener, &shop));
    let settings = HttpSettings {
        introduction: claims().with(|told| told.capabilities = claims().capabilities.with(|claims| claims.concurrency = 1)),
        answer_limit: Some(Duration::from_secs(3)),
        ..settings_for(&base)
    };
    let options = quick(12, 3).with(|options| options.selection = only(&["redelivery*", "duplicate*"]));
    conforms(&certified(&settings, &salted(options)).expect("a report"));
}

// ---- Answers

#[test]
fn every_status_is_an_answer() {
    for status in [200, 202, 204, 302, 400, 401, 404, 409, 500, 503] {
        assert_eq!(delivery(move |_, _| Reply::Answer(status, String::new())), Ok(status));
    }
}

#[test]
fn redirects_are_not_followed() {
    let moved = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(delivery(move |asked, _| if asked.is_delivery() { raw(moved) } else { Reply::Answer(200, String::new()) }), Ok(307));
}

#[test]
fn nobody_there() {
    not_started(&settings_for(&nobody()), &["does not take connections", "start the service first"]);
}

#[test]
fn gone_after_hello() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let mut target = greeted(&settings_for(&format!("http://{}", listener.local_addr().expect("an address"))));
    drop(listener);
    crashed(target.deliver(&post(b"{}")), "does not take connections");
}

#[test]
fn closed_before_an_answer() {
    crashed(delivery(|_, _| Reply::Close), "broke off without an answer");
}

#[test]
fn closed_within_the_head() {
    crashed(delivery(|_, _| raw("HTTP/1.1 200 OK\r\ncontent-le")), "broke off without an answer");
}

#[test]
fn closed_within_the_body() {
    // The status is there, and it is all that counts.
    assert_eq!(delivery(|_, _| raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome")), Ok(200));
}

#[test]
fn an_answer_that_is_no_http() {
    for text in ["hello\r\n\r\n", "SSH-2.0-OpenSSH_9.6\r\n", "\0\0\0\0\0\0\0\0\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"] {
        let error = delivery(move |_, _| raw(text)).expect_err("no answer");
        assert!(matches!(&error.kind, TargetErrorKind::Nonsense(what) if what.contains("no HTTP")), "{text:?}: {error:?}");
    }
}

#[test]
fn a_head_without_end() {
    let endless = |_: &Asked, stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-more: of the same\r\n").is_ok() {}
        Reply::Close
    };
    let error = delivery(endless).expect_err("no answer");
    assert!(matches!(error.kind, TargetErrorKind::Nonsense(_)), "{error:?}");
}

#[test]
fn an_answer_that_never_comes() {
    let silent = |_: &Asked, _: &mut TcpStream| {
        thread::sleep(LONG);
        Reply::Close
    };
    let started = Instant::now();
    let error = delivery_within(SHORT, silent).expect_err("no answer");
    assert_eq!(error.kind, TargetErrorKind::TimedOut(SHORT));
    assert!(started.elapsed() < LONG / 2);
}

#[test]
fn an_answer_that_dribbles() {
    let slow = |_: &Asked, stream: &mut TcpStream| {
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-slow: yes, very\r\n\r\n" {
            if stream.write_all(&[*byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        Reply::Close
    };
    assert_eq!(delivery_within(SHORT, slow).expect_err("too late").kind, TargetErrorKind::TimedOut(SHORT));
    assert_eq!(delivery(slow), Ok(200));
}

#[test]
fn only_a_part_of_a_huge_answer_is_read() {
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let huge = move |asked: &Asked, stream: &mut TcpStream| {
        if !asked.body.starts_with(b"huge") {
            return Reply::Answer(201, String::new());
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n");
        let piece = vec![b'x'; 64 << 10];
        while stream.write_all(&piece).is_ok() {
            count.fetch_add(piece.len(), Ordering::SeqCst);
        }
        Reply::Close
    };
    let server = Server::new(huge);
    let mut target = server.target();
    assert_eq!(target.deliver(&post(b"huge")), Ok(200));
    assert_eq!(target.deliver(&post(b"next")), Ok(201), "the run goes on");
    // What fits into the system's buffers may have been written.
    assert!(written.load(Ordering::SeqCst) < 64 << 20);
}

#[test]
fn refused_before_it_was_read() {
    // As servers do with bodies that are too large for them: answer and close.
    let server = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let settings = settings_for(&format!("http://{}", server.local_addr().expect("an address")));
    thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            let mut head = [0; 512];
            let _ = std::io::Read::read(&mut stream, &mut head);
            let _ = stream.write_all(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let mut target = greeted(&settings);
    let body = vec![b' '; 4 << 20];
    for _ in 0..20 {
        assert_eq!(target.deliver(&post(&body)), Ok(413));
    }
}

#[test]
fn hints_are_no_answers() {
    let hinted = |_: &Asked, _: &mut TcpStream| {
        raw("HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n")
    };
    assert_eq!(delivery(hinted), Ok(201));
    let server = Server::new(hinted);
    assert_eq!(server.target().deliver_badly(&post(b"{}"), Mishap::SlowReading), Ok(Some(201)));
}

// ---- Connections

#[test]
fn connections_are_kept() {
    let server = Server::new(|_, _| Reply::Answer(200, String::new()));
    let mut target = server.target();
    for _ in 0..20 {
        assert_eq!(target.deliver(&post(b"{}")), Ok(200));
    }
    // One more was there to see whether the server is.
    assert_eq!(server.accepts(), 2);
}

#[test]
fn a_kept_connection_that_was_closed_is_opened_again() {
    // It does not say that it closes.
    let server = Server::new(|_, _| raw("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    let mut target = server.target();
    for sent in 1..=20 {
        assert_eq!(target.deliver(&post(b"{}")), Ok(200));
        assert_eq!(server.deliveries(), sent, "each was sent once");
    }
}

#[test]
fn a_crash_on_a_kept_connection_is_seen() {
    // It begins to answer and breaks off; asked again it would answer.
    let times = AtomicUsize::new(0);
    let server = Server::new(move |_, _| match times.fetch_add(1, Ordering::SeqCst) {
        1 => raw("HTTP/1.1 20"),
        _ => Reply::Answer(200, String::new()),
    });
    let mut target = server.target();
    assert_eq!(target.deliver(&post(b"{}")), Ok(200));
    crashed(target.deliver(&post(b"{}")), "broke off without an answer");
    assert_eq!(target.deliver(&post(b"{}")), Ok(200));
}

#[test]
fn nonsense_on_a_kept_connection_is_seen() {
    let times = AtomicUsize::new(0);
    let server = Server::new(move |_, _| match times.fetch_add(1, Ordering::SeqCst) {
        1 => raw("what?\r\n\r\n"),
        _ => Reply::Answer(200, String::new()),
    });
    let mut target = server.target();
    assert_eq!(target.deliver(&post(b"{}")), Ok(200));
    let error = target.deliver(&post(b"{}")).expect_err("no HTTP");
    assert!(matches!(error.kind, TargetErrorKind::Nonsense(_)), "{error:?}");
    assert_eq!(server.deliveries(), 2);
}

#[test]
fn deliveries_at_the_same_time_really_are() {
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let server = Server::new(move |asked, _| {
        let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(now, Ordering::SeqCst);
        // Until all are there, if they come.
        let deadline = Instant::now() + Duration::from_secs(5);
        while most.load(Ordering::SeqCst) < 5 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        inside.fetch_sub(1, Ordering::SeqCst);
        Reply::Answer(200 + u16::from(asked.body[0] - b'0'), String::new())
    });
    let bodies = [b"0", b"1", b"2", b"3", b"4"];
    let requests: Vec<Request<'_>> = bodies.iter().map(|body| post(*body)).collect();
    let answers = server.target().deliver_together(&requests);
    assert_eq!(answers, (200..205).map(Ok).collect::<Vec<_>>());
    assert_eq!(seen.load(Ordering::SeqCst), 5);
}

#[test]
fn what_is_sent_arrives_byte_for_byte() {
    let server = Server::new(|_, _| Reply::Answer(200, String::new()));
    let headers = [("content-type", "application/json; charset=utf-8"), ("x-odd", "  a,b;c=\"d\"\te "), ("x-odd", "again")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body = b"{\"a\" : 1.0}\n\0\xff\r\n\r\n";
    server.target().deliver(&Request::new(&headers, body)).expect("an answer");
    let mut target = server.target();
    target.deliver_badly(&Request::new(&headers, body), Mishap::SlowReading).expect("an answer");
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    for asked in asked {
        assert_eq!((asked.method.as_str(), asked.path.as_str(), asked.body.as_slice()), ("POST", "/webhooks", body.as_slice()));
        assert_eq!(asked.header("host"), Some(server.address.to_string().as_str()));
        let odd: Vec<&str> = asked.headers.iter().filter(|(name, _)| name == "x-odd").map(|(_, value)| value.trim()).collect();
        assert_eq!(odd, ["a,b;c=\"d\"\te", "again"]);
        assert_eq!(asked.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(asked.header("content-length"), Some(body.len().to_string().as_str()));
    }
}

#[test]
fn what_arrives_is_what_was_signed() {
    // The shop verifies every signature, those that must not fit too.
    let server = Server::shop();
    let settings = HttpSettings { introduction: claims(), ..server.settings() };
    let options = quick(6, 5).with(|options| options.selection = only(&["*sign*", "raw-body*"]));
    let report = certified(&settings, &salted(options)).expect("a report");
    conforms(&report);
    assert!(report.requirements.iter().any(|requirement| requirement.verdict == Verdict::Pass));
}

// ---- What happens on the way

#[test]
fn half_a_request() {
    let server = Server::new(|_, _| Reply::Answer(200, String::new()));
    assert_eq!(server.target().deliver_badly(&post(b"0123456789"), Mishap::HalfSent), Ok(None));
    server.eventually("half a body", |saw| matches!(saw, Saw::Half(5, 10)));
    assert_eq!(server.deliveries(), 0);
}

#[test]
fn a_reset() {
    let server = Server::new(|_, _| {
        thread::sleep(Duration::from_millis(300));
        Reply::Answer(200, String::new())
    });
    let mut target = server.target();
    assert_eq!(target.deliver_badly(&post(b"0123456789"), Mishap::Reset), Ok(None));
    assert!(!server.saw().iter().any(|saw| matches!(saw, Saw::Answered)), "nobody waited for the answer");
    server.eventually("the whole request", |saw| matches!(saw, Saw::Asked(asked) if asked.body == b"0123456789"));
    server.eventually("a reset", |saw| matches!(saw, Saw::Reset));
}

#[test]
fn an_unread_answer() {
    let server = Server::new(|_, _| {
        thread::sleep(Duration::from_millis(100));
        Reply::Answer(200, "x".repeat(10_000))
    });
    assert_eq!(server.target().deliver_badly(&post(b"{}"), Mishap::AnswerUnread), Ok(None));
    server.eventually("an answer", |saw| matches!(saw, Saw::Answered));
    server.eventually("a reset", |saw| matches!(saw, Saw::Reset));
}

#[test]
fn an_answer_that_is_read_slowly() {
    let server = Server::new(|_, _| Reply::Answer(418, String::new()));
    let started = Instant::now();
    assert_eq!(server.target().deliver_badly(&post(b"{}"), Mishap::SlowReading), Ok(Some(418)));
    assert!(started.elapsed() >= Duration::from_millis(30));
}

#[test]
fn mishaps_end_when_nobody_answers() {
    for mishap in [Mishap::AnswerUnread, Mishap::SlowReading] {
        let server = Server::new(|_, _| {
            thread::sleep(LONG);
            Reply::Close
        });
        let mut target = greeted(&HttpSettings { answer_limit: Some(SHORT), ..server.settings() });
        let error = target.deliver_badly(&post(b"{}"), mishap).expect_err("no answer");
        assert_eq!(error.kind, TargetErrorKind::TimedOut(SHORT), "{mishap:?}");
    }
}

#[test]
fn mishaps_notice_a_crash() {
    for mishap in [Mishap::AnswerUnread, Mishap::SlowReading] {
        let server = Server::new(|_, _| Reply::Close);
        let error = server.target().deliver_badly(&post(b"{}"), mishap).expect_err("no answer");
        assert!(matches!(error.kind, TargetErrorKind::Crashed(_)), "{mishap:?}: {error:?}");
    }
}

#[test]
fn after_a_reset_one_delivery_at_a_time_still_is_one() {
    let inside = Arc::new(AtomicUsize::new(0));
    let overlapped = Arc::new(AtomicBool::new(false));
    let (seen, now) = (Arc::clone(&overlapped), Arc::clone(&inside));
    let server = Server::new(move |_, _| {
        seen.fetch_or(now.fetch_add(1, Ordering::SeqCst) > 0, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(100));
        now.fetch_sub(1, Ordering::SeqCst);
        Reply::Answer(200, String::new())
    });
    let mut target = server.target();
    assert_eq!(target.deliver(&post(b"{}")), Ok(200));
    for _ in 0..3 {
        assert_eq!(target.deliver_badly(&post(b"{}"), Mishap::Reset), Ok(None));
        assert_eq!(target.deliver(&post(b"{}")), Ok(200));
    }
    assert!(!overlapped.load(Ordering::SeqCst));
}

#[test]
fn nobody_is_killed_who_was_not_started() {
    let server = Server::shop();
    assert_eq!(server.target().restart().expect_err("not possible").kind, TargetErrorKind::Unsupported);
}

// ---- Addresses

#[test]
fn only_this_machine() {
    not_started(&settings_for("http://192.0.2.1:80"), &["http.webhook_url", "192.0.2.1", "--allow-remote"]);
    not_started(&settings_for("https://127.0.0.1:1"), &["https is not spoken"]);
}

#[test]
fn the_port_of_a_service_that_runs_already_is_no_secret() {
    not_started(&settings_for("http://127.0.0.1:{port}"), &["{port}", "runs already"]);
}

#[test]
fn an_order_needs_a_place_in_the_url() {
    let settings = HttpSettings { state_url: "http://127.0.0.1:1/orders".to_owned(), ..settings_for("http://127.0.0.1:1") };
    not_started(&settings, &["http.state_url", "{orderId}"]);
}

// ---- Orders and how they are told of

fn order() -> Vec<OrderSetup> {
    serde_json::from_str(r#"[{"orderId":"23/5 a","currency":"USD","capturedAmount":"27.01"}]"#).expect("orders")
}

/// What is read when an order is shown like this.
fn observed(status: u16, body: &str) -> Result<Option<Status>, TargetError> {
    observed_with(status, body, None)
}

fn observed_with(status: u16, body: &str, mapping: Option<&str>) -> Result<Option<Status>, TargetError> {
    let body = body.to_owned();
    let server = Server::new(move |asked, _| match asked.path.as_str() {
        "/orders/23%2F5%20a" => Reply::Answer(status, body.clone()),
        _ => Reply::Answer(200, String::new()),
    });
    let mapping: Option<Mapping> = mapping.map(|text| toml::from_str(text).expect("a mapping"));
    let mut target = greeted(&HttpSettings { mapping, other_limit: LONG, ..server.settings() });
    target.begin("c", &order())?;
    target.observe("23/5 a").map(|state| state.map(|state| state.status))
}

#[track_caller]
fn is_nonsense(answer: Result<Option<Status>, TargetError>, parts: &[&str]) {
    let error = answer.expect_err("a state");
    assert!(!error.is_targets_fault(), "{error:?}");
    let text = error.to_string();
    assert!(parts.iter().all(|part| text.contains(part)) && !text.contains('\n'), "{text}");
    assert!(text.len() < 2_000, "{} characters", text.len());
}

#[test]
fn orders_as_the_contract_shows_them() {
    assert_eq!(observed(200, r#"{"orderId":"23/5 a","status":"refunded","refundedAmount":27.01}"#), Ok(Some(Status::Refunded)));
    assert_eq!(observed(404, "no such order"), Ok(None));
}

#[test]
fn orders_that_cannot_be_read() {
    is_nonsense(observed(200, "<html>"), &["observe", "<html>"]);
    is_nonsense(observed(200, r#"{"orderId":"1"}"#), &["status"]);
    is_nonsense(observed(500, "out of order\nback soon"), &["/orders/", "answered 500", "out of order"]);
    is_nonsense(observed(302, ""), &["answered 302"]);
}

#[test]
fn a_huge_order_is_an_error() {
    let huge = format!(r#"{{"orderId":"{}","status":"refunded","refundedAmount":1}}"#, "x".repeat(9 << 20));
    is_nonsense(observed(200, &huge), &["longer than 1 MiB"]);
}

const MAPPING: &str = r#"
    amounts = "minor"
    currency = "/money/currency"
    refundedAmount = "/money/back"
    status = "/state"
    [statuses]
    PART = "partially_refunded"
"#;

#[test]
fn a_shape_of_its_own() {
    let shown = r#"{"state":"PART","money":{"currency":"USD","back":541}}"#;
    assert_eq!(observed_with(200, shown, Some(MAPPING)), Ok(Some(Status::PartiallyRefunded)));
}

#[test]
fn mapping_errors_name_everything() {
    let wrong = |from: &str, to: &str| {
        let shown = r#"{"state":"PART","money":{"currency":"USD","back":541}}"#.replace(from, to);
        observed_with(200, &shown, Some(MAPPING))
    };
    is_nonsense(wrong("PART", "GONE"), &["mapping.status", "`/state`", "\"GONE\"", "[mapping.statuses]", "in the document `{"]);
    is_nonsense(wrong("\"back\"", "\"front\""), &["mapping.refundedAmount", "`/money/back` finds nothing", "\"front\":541"]);
    is_nonsense(wrong("541", "5.41"), &["mapping.refundedAmount", "5.41", "no whole number of minor units"]);
    is_nonsense(wrong("541", "[]"), &["`[]`", "no amount"]);
    is_nonsense(wrong("\"USD\"", "null"), &["mapping.currency", "null"]);
    is_nonsense(observed_with(200, "not JSON\u{1b}[2J", Some(MAPPING)), &["not JSON", "\\u{1b}"]);
    is_nonsense(observed_with(200, &format!("[{}1]", "1,".repeat(50_000)), Some(MAPPING)), &["finds nothing", "…"]);
}

#[test]
fn null_is_no_order() {
    for mapping in [None, Some(MAPPING)] {
        is_nonsense(observed_with(200, "null", mapping), &["null is no state; an unknown order is answered with 404"]);
    }
}

#[test]
fn a_set_up_that_refuses() {
    let server = Server::new(|_, _| Reply::Answer(422, "no orders today".to_owned()));
    let error = server.target().begin("c", &order()).expect_err("it was refused");
    assert!(!error.is_targets_fault());
    let text = error.to_string();
    assert!(["begin", "/test/orders", "answered 422", "no orders today"].iter().all(|part| text.contains(part)), "{text}");
}

#[track_caller]
fn set_up_by(script: &str) -> Result<(), TargetError> {
    let server = Server::shop();
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    let mut target = greeted(&HttpSettings { setup: Setup::Command(command), other_limit: Duration::from_secs(5), ..server.settings() });
    target.begin("c17", &order())
}

#[test]
fn a_set_up_by_command() {
    set_up_by(r#"read -r line || test -n "$line"; case $line in *'"case":"c17"'*'"capturedAmount":"27.01"'*) exit 0;; esac; exit 1"#)
        .expect("the orders were told");
    // Nobody has to read them.
    set_up_by("exit 0").expect("it ended well");
}

#[test]
fn a_set_up_command_that_fails_says_why() {
    let failed = |script: &str, parts: &[&str]| {
        let text = set_up_by(script).expect_err("it fails").to_string();
        assert!(parts.iter().all(|part| text.contains(part)) && !text.contains('\n'), "{text}");
    };
    failed("echo first >&2; echo no database >&2; exit 4", &["`sh -c", "exit status: 4", "`no database`"]);
    failed("kill -9 $$", &["SIGKILL"]);
    failed("sleep 100", &["did not end within 5 s"]);
    let server = Server::shop();
    let command = vec!["./no-such-program".to_owned()];
    let error = greeted(&HttpSettings { setup: Setup::Command(command), ..server.settings() }).begin("c", &order()).expect_err("it fails");
    assert!(error.to_string().contains("`./no-such-program` was not found"), "{error}");
}

// ---- Everything ends

#[track_caller]
fn ends(settings: &HttpSettings, options: Options) -> Report {
    let started = Instant::now();
    // Whoever does not answer at all is not waited for any longer than that.
    let settings = HttpSettings { answer_limit: Some(SHORT / 5), other_limit: SHORT, ..settings.clone() };
    let report = certified(&settings, &salted(options)).expect("a report");
    assert!(started.elapsed() < LONG, "it took {:?}", started.elapsed());
    assert_ne!(report.verdict, Conformance::Conformant);
    report
}

#[test]
fn a_server_that_never_answers() {
    for setup in [Setup::Events, Setup::Url("/test/orders".to_owned())] {
        let server = Server::new(|_, _| {
            thread::sleep(LONG * 3);
            Reply::Close
        });
        let setup = if setup == Setup::Events { Setup::Events } else { server.settings().setup };
        ends(&HttpSettings { setup, introduction: claims(), ..server.settings() }, Options::new().with(|options| options.cases = 5));
    }
}

#[test]
fn a_server_that_answers_no_delivery() {
    let server = Server::shop_but(|asked, _| {
        asked.is_delivery().then(|| {
            thread::sleep(LONG * 3);
            Reply::Close
        })
    });
    let report = ends(&HttpSettings { introduction: claims(), ..server.settings() }, Options::new().with(|options| options.cases = 5));
    assert_eq!(report.verdict, Conformance::NotConformant);
}

#[test]
fn one_late_answer_is_no_failure() {
    let is_late = AtomicBool::new(false);
    let server = Server::shop_but(move |asked, _| {
        if asked.is_delivery() && !is_late.swap(true, Ordering::SeqCst) {
            thread::sleep(SHORT * 2);
        }
        None
    });
    let settings = HttpSettings { answer_limit: Some(SHORT), ..server.settings() };
    let options = quick(3, 1).with(|options| options.selection = only(&["refund-*", "acknowledges-*"]));
    let report = certified(&settings, &salted(options)).expect("a report");
    conforms(&report);
}

#[test]
fn the_time_of_an_answer_is_measured_whatever_is_waited_for() {
    for answer_limit in [None, Some(SHORT)] {
        let server = Server::shop_but(move |asked, _| {
            if asked.is_delivery() {
                thread::sleep(Duration::from_millis(3100));
            }
            None
        });
        let settings = HttpSettings { answer_limit, ..server.settings() };
        let options = quick(1, 1).with(|options| options.selection = only(&["acknowledges-in-time"]));
        let report = certified(&settings, &salted(options)).expect("a report");
        let failure = report.findings.first().expect("it is too slow");
        assert_eq!(failure.message, "deliver: no answer within 3000 ms", "{answer_limit:?}");
    }
}

#[test]
fn a_server_that_takes_no_connections() {
    // Nobody accepts: after some connections the system takes no more.
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let settings = settings_for(&format!("http://{}", listener.local_addr().expect("an address")));
    ends(&HttpSettings { introduction: claims(), ..settings }, Options::new().with(|options| options.cases = 5));
}

#[test]
fn a_server_that_breaks_off_is_judged() {
    let server = Server::shop_but(|asked, _| asked.is_delivery().then_some(Reply::Close));
    let options = Options::new().with(|options| {
        options.cases = 3;
        options.selection = Selection::new(&["refund-*".to_owned()], &[]).expect("globs");
    });
    let report = ends(&HttpSettings { introduction: claims(), ..server.settings() }, options);
    assert_eq!(report.verdict, Conformance::NotConformant);
    let failure = report.findings.first().expect("a failure");
    assert!(failure.message.contains("broke off without an answer"), "{}", failure.message);
}

/// What a server may answer to anything.
const ODD: &[&[u8]] = &[
    b"",
    b"\r\n",
    b"\r\n\r\n",
    b"HTTP/1.1 200",
    b"HTTP/1.1 200\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nnull",
    b"HTTP/0.9 200 OK\r\n\r\n",
    b"HTTP/2.0 200 OK\r\n\r\n",
    b"HTTP/1.1 000 OK\r\n\r\n",
    b"HTTP/1.1 99 OK\r\n\r\n",
    b"HTTP/1.1 999 OK\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 70000 OK\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nx",
    b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\xff\xfe\0\0",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n: nameless\r\ncontent-length: 0\r\n\r\n",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\r\n\r\n",
];

#[test]
fn odd_answers_neither_stop_nor_confuse_it() {
    for (number, odd) in ODD.iter().enumerate() {
        for only_deliveries in [false, true] {
            let server = Server::shop_but(move |asked, _| (asked.is_delivery() || !only_deliveries).then(|| Reply::Raw(odd.to_vec())));
            let options = quick(3, number as u64).with(|options| options.selection = only(&["redelivery-*", "duplicate-*"]));
            let report = ends(&HttpSettings { introduction: claims(), ..server.settings() }, options);
            let text = serde_json::to_string(&report).expect("JSON");
            assert!(!text.contains("panicked"), "{number}: {text}");
        }
    }
}
