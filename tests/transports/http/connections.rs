//! Connections that are kept, lost and used side by side.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use refundproof::{
    adapter::{HttpSettings, Request, Target, TargetErrorKind, Transport},
    case::Mishap,
    verdict::Verdict,
};

use super::{LONG, SHORT, certified, claims, conforms, crashed, post, raw, salted};
use crate::common::{
    only, quick,
    server::{Reply, Saw, Server, greeted},
};

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
