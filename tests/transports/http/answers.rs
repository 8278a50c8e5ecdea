//! What servers answer to a delivery, or do instead.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use refundproof::{
    adapter::{Target, TargetErrorKind, Transport},
    case::Mishap,
};

use super::{LONG, SHORT, crashed, delivery, delivery_within, nobody, not_started, post, raw};
use crate::common::server::{Asked, Reply, Server, greeted, settings_for};

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
